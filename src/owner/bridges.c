/* SPDX-License-Identifier: MIT */
/*
 * Which buses bridges lead to while numbers change (TOPO-4). Where two that
 * stand beside each other claim the same bus, nobody knows which one answers:
 * both are in conflict, and bound to no bus until they are not.
 *
 * Functions are found behind such a bridge all the same, on buses that nobody
 * beside it claims: by the first scan, where firmware left numbers that
 * overlap, or later. It leads to them alone, so they are its own when it moves
 * or goes, as if it were bound.
 */
#include "owner/move.h"

static bool makes_sense(uint8_t own, uint8_t first, uint8_t last)
{
    return own < first && first <= last;
}

bool pcv__has_rival(struct pcv__segment *segment,
                    const struct pcv_device *bridge, uint8_t first,
                    uint8_t last)
{
    uint8_t own = pcv_sbdf_bus(pcv__device_sbdf(bridge));

    for (uint32_t devfn = 0; devfn < PCV_DEVFNS; devfn++) {
        const struct pcv_device *other = pcv__live_at(
            segment, pcv_sbdf_make(segment->number, own, (uint8_t)devfn));

        if (other && other != bridge && other->bus_conflict &&
            makes_sense(own, other->secondary, other->subordinate) &&
            other->secondary <= last && first <= other->subordinate) {
            return true;
        }
    }
    return false;
}

/* The bridge on bus `own` that leads to a bus, itself or by bridges behind it;
 * or NULL. */
static struct pcv_device *through(struct pcv__segment *segment, uint8_t own,
                                  uint8_t bus) PCV__REQUIRES(segment->lock)
{
    struct pcv_device *bridge = pcv__bridge_over(segment, bus);

    /* Bounded: buses get lower, or the map is damaged. */
    while (bridge && pcv_sbdf_bus(pcv__device_sbdf(bridge)) > own &&
           pcv_sbdf_bus(pcv__device_sbdf(bridge)) < bus) {
        bus = pcv_sbdf_bus(pcv__device_sbdf(bridge));
        bridge = pcv__bridge_over(segment, bus);
    }
    return bridge && pcv_sbdf_bus(pcv__device_sbdf(bridge)) == own ? bridge
                                                                   : NULL;
}

/* ---- bridges in conflict ---------------------------------------------------
 */

/* Whether a bridge in conflict claims a bus that it could lead to. */
static bool claims(struct pcv__segment *segment,
                   const struct pcv_device *bridge, uint8_t bus)
    PCV__REQUIRES(segment->lock)
{
    uint8_t own = pcv_sbdf_bus(pcv__device_sbdf(bridge));
    const struct pcv_device *outer;

    if (!bridge->bus_conflict ||
        !makes_sense(own, bridge->secondary, bridge->subordinate) ||
        bus < bridge->secondary || bus > bridge->subordinate ||
        bus > bridge->last_bus) {
        return false;
    }
    outer = pcv__bridge_over(segment, own);
    return !outer || (outer->secondary <= bus && bus <= outer->subordinate);
}

/* How many bridges on a bus claim another one, and one of them. */
static uint32_t claimants(struct pcv__segment *segment, uint8_t own,
                          uint8_t bus, struct pcv_device **out_bridge)
    PCV__REQUIRES(segment->lock)
{
    uint32_t count = 0;

    for (uint32_t devfn = 0; devfn < PCV_DEVFNS; devfn++) {
        struct pcv_device *bridge = pcv__live_at(
            segment, pcv_sbdf_make(segment->number, own, (uint8_t)devfn));

        if (bridge && claims(segment, bridge, bus)) {
            *out_bridge = bridge;
            count++;
        }
    }
    return count;
}

/* The bridge in conflict on bus `own` that alone leads to a bus, or NULL. */
static struct pcv_device *alone(struct pcv__segment *segment, uint8_t own,
                                uint8_t bus) PCV__REQUIRES(segment->lock)
{
    struct pcv_device *bridge = NULL;

    return segment->conflicts && own < bus && !through(segment, own, bus) &&
                   claimants(segment, own, bus, &bridge) == 1
               ? bridge
               : NULL;
}

bool pcv__leads_alone(struct pcv__segment *segment,
                      const struct pcv_device *bridge, uint8_t bus)
{
    return bridge->bus_conflict &&
           alone(segment, pcv_sbdf_bus(pcv__device_sbdf(bridge)), bus) ==
               bridge;
}

/* The nearest bus below this one with a bridge in conflict on it that claims
 * `bus`, which no bridge there is bound to; 0 and *out_count 0: none. */
static uint8_t nearest(struct pcv__segment *segment, uint8_t bus,
                       struct pcv_device **out_bridge, uint32_t *out_count)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = (uint32_t)bus << 8;
    const struct pcv_device *bridge;

    *out_count = 0;
    /* Bounded: rid goes down. */
    while (segment->conflicts && rid-- > 0 &&
           (bridge = pcv__segment_prev(segment, &rid, 0)) != NULL) {
        uint8_t own = (uint8_t)(rid >> 8);
        pcv_sbdf at = pcv_sbdf_make(segment->number, own, (uint8_t)rid);

        if (pcv__look(bridge, at) == PCV__LOOK_LIVE &&
            claims(segment, bridge, bus) && !through(segment, own, bus)) {
            *out_count = claimants(segment, own, bus, out_bridge);
            return own;
        }
    }
    return 0;
}

struct pcv_device *pcv__above(struct pcv__segment *segment,
                              const struct pcv_device *device)
{
    uint8_t bus = pcv_sbdf_bus(pcv__device_sbdf(device));
    struct pcv_device *bound = pcv__bridge_over(segment, bus);
    struct pcv_device *bridge = NULL;
    uint32_t count;
    uint8_t own = nearest(segment, bus, &bridge, &count);

    return count == 1 && (!bound || pcv_sbdf_bus(pcv__device_sbdf(bound)) < own)
               ? bridge
               : bound;
}

bool pcv__is_contested(struct pcv__segment *segment, uint8_t bus)
{
    struct pcv_device *bridge;
    uint32_t count;

    (void)nearest(segment, bus, &bridge, &count);
    return count > 1;
}

/* A bridge in conflict on bus `own` that alone leads to another one, on which
 * something was found; or NULL. */
static struct pcv_device *leads_to_some(struct pcv__segment *segment,
                                        uint8_t own, uint8_t bus)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = (uint32_t)bus << 8;
    const uint32_t last = rid | 0xffu;
    const struct pcv_device *device;

    /* Bounded: rid goes up. */
    while (segment->conflicts &&
           (device = pcv__segment_next(segment, &rid, last)) != NULL) {
        pcv_sbdf at = pcv_sbdf_make(segment->number, bus, (uint8_t)rid);

        rid++;
        if (pcv__look(device, at) == PCV__LOOK_LIVE) {
            return alone(segment, own, bus);
        }
    }
    return NULL;
}

struct pcv_device *pcv__rival_at(struct pcv__segment *segment,
                                 const struct pcv_device *bridge, uint8_t first,
                                 uint8_t last)
{
    uint8_t own = pcv_sbdf_bus(pcv__device_sbdf(bridge));

    for (uint32_t bus = first; first > own && bus <= last; bus++) {
        struct pcv_device *other = through(segment, own, (uint8_t)bus);

        if (!other) {
            other = leads_to_some(segment, own, (uint8_t)bus);
        }
        if (other && other != bridge) {
            return other;
        }
    }
    return NULL;
}

bool pcv__is_disputed(struct pcv__segment *segment, uint8_t bus)
{
    uint32_t rid = 0;
    struct pcv_device *bridge;

    /* Bounded: rid goes up. */
    while ((bridge = pcv__segment_next(segment, &rid, 0xffffu)) != NULL) {
        pcv_sbdf sbdf =
            pcv_sbdf_make(segment->number, (uint8_t)(rid >> 8), (uint8_t)rid);

        rid++;
        if (pcv__look(bridge, sbdf) == PCV__LOOK_LIVE && bridge->bus_conflict &&
            makes_sense(pcv_sbdf_bus(sbdf), bridge->secondary,
                        bridge->subordinate) &&
            bridge->secondary <= bus && bus <= bridge->subordinate) {
            return true;
        }
    }
    return false;
}

void pcv__join_bridge(struct pcv__segment *segment, struct pcv_device *bridge,
                      uint8_t first, uint8_t last)
{
    pcv__lock_check_held(&bridge->host->mem, &segment->lock);
    if (bridge->bound) {
        /* Nothing stands where it does not lead to any more. */
        pcv__bridge_extend(segment, bridge, last);
        pcv__guard_covers(segment, bridge);
        return;
    }
    bridge->secondary = first;
    bridge->subordinate = last;
    bridge->bus_conflict = pcv__has_rival(segment, bridge, first, last);
    if (bridge->bus_conflict) {
        segment->conflicts = true;
    } else {
        pcv__bridge_bind(segment, bridge);
    }
    pcv__guard_covers(segment, bridge);
}

bool pcv__end_conflicts(struct pcv__segment *segment)
{
    uint32_t rid = 0;
    bool any = false;
    struct pcv_device *bridge;

    /* Bounded: rid goes up. */
    while ((bridge = pcv__segment_next(segment, &rid, 0xffffu)) != NULL) {
        pcv_sbdf sbdf =
            pcv_sbdf_make(segment->number, (uint8_t)(rid >> 8), (uint8_t)rid);

        rid++;
        if (pcv__look(bridge, sbdf) == PCV__LOOK_LIVE && bridge->bus_conflict) {
            pcv__join_bridge(segment, bridge, bridge->secondary,
                             bridge->subordinate);
            any = any || bridge->bound;
        }
    }
    return any;
}

void pcv__join_bridge_again(struct pcv__segment *segment,
                            struct pcv_device *bridge)
{
    uint32_t numbers;

    if (pcv__hw_fetch(bridge, PCV_REG_PRIMARY, 4, &numbers) &&
        numbers != 0xffffffffu) {
        bridge->secondary = (uint8_t)(numbers >> 8);
        bridge->subordinate = (uint8_t)(numbers >> 16);
    }
    pcv__join_bridge(segment, bridge, bridge->secondary, bridge->subordinate);
}

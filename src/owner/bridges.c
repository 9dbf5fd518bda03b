/* SPDX-License-Identifier: MIT */
/*
 * Which buses bridges lead to while numbers change (TOPO-4). Where two that
 * stand beside each other claim the same bus, nobody knows which one answers:
 * both are in conflict and lead nowhere until they do not.
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

struct pcv_device *pcv__rival_at(struct pcv__segment *segment,
                                 const struct pcv_device *bridge, uint8_t first,
                                 uint8_t last)
{
    uint8_t own = pcv_sbdf_bus(pcv__device_sbdf(bridge));

    for (uint32_t bus = first; first > own && bus <= last; bus++) {
        struct pcv_device *other = through(segment, own, (uint8_t)bus);

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
    if (!bridge->bus_conflict) {
        pcv__bridge_bind(segment, bridge);
        pcv__guard_covers(segment, bridge);
    }
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

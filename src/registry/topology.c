/* SPDX-License-Identifier: MIT */
/*
 * Which bridge is above a bus (TOPO-2). The map is built from numbers that
 * were read once; a bridge covers only buses above its own number and within
 * what its own upstream bridge covers, so that every walk up goes down in bus
 * numbers and ends.
 */
#include "registry/group.h"
#include "registry/route.h"

/* The path from bus 255 to a root has at most this many bridges. */
#define WALK_MAX PCV_BUSES

static uint32_t up_entry(const struct pcv_device *bridge)
{
    uint32_t name = 0;

    if (pcv__bridge_joins(bridge)) {
        name = bridge->type == PCV_TYPE_PCIE_TO_PCI_BRIDGE ? PCV__UP_ALIAS
                                                           : PCV__UP_OWN;
    }
    return PCV__UP_VALID | name | pcv__rid(pcv__device_sbdf(bridge));
}

static pcv_sbdf up_sbdf(const struct pcv__segment *segment, uint32_t entry)
{
    return pcv_sbdf_make(segment->number, (uint8_t)(entry >> 8),
                         (uint8_t)entry);
}

static uint32_t up_load(const struct pcv__segment *segment, uint8_t bus)
{
    return atomic_load_explicit(&segment->up[bus], memory_order_acquire);
}

static void up_store(struct pcv__segment *segment, uint8_t bus, uint32_t entry)
{
    atomic_store_explicit(&segment->up[bus], entry, memory_order_release);
}

int pcv_topology_upstream(struct pcv_host *host, uint16_t segment, uint8_t bus,
                          pcv_sbdf *out_bridge)
{
    struct pcv__segment *found = pcv__segment_find(host, segment);
    uint32_t entry = found ? up_load(found, bus) : 0;

    if ((entry & PCV__UP_VALID) == 0) {
        return -PCV_ENOENT;
    }
    if ((uint8_t)(entry >> 8) >= bus) {
        return -PCV_ELOOP;
    }
    *out_bridge = up_sbdf(found, entry);
    return 0;
}

int pcv_topology_path(struct pcv_host *host, pcv_sbdf sbdf, pcv_sbdf *out_path,
                      size_t max)
{
    uint8_t bus = pcv_sbdf_bus(sbdf);
    int depth = 0;

    while (depth < (int)WALK_MAX) {
        pcv_sbdf bridge;
        int error =
            pcv_topology_upstream(host, pcv_sbdf_segment(sbdf), bus, &bridge);

        if (error == -PCV_ENOENT) {
            return depth;
        }
        if (error != 0) {
            return error;
        }
        if ((size_t)depth < max) {
            out_path[depth] = bridge;
        }
        depth++;
        bus = pcv_sbdf_bus(bridge);
    }
    return -PCV_ELOOP;
}

pcv_sbdf pcv__message_requester(const struct pcv__segment *segment, pcv_sbdf at)
{
    uint8_t bus = pcv_sbdf_bus(at);
    uint32_t entry = up_load(segment, bus);
    pcv_sbdf id = at;

    /* Bounded: bus numbers go down. */
    while ((entry & PCV__UP_VALID) != 0 && (uint8_t)(entry >> 8) < bus) {
        if ((entry & PCV__UP_ALIAS) != 0) {
            id = pcv_sbdf_make(segment->number, bus, 0);
        } else if ((entry & PCV__UP_OWN) != 0) {
            id = up_sbdf(segment, entry);
        }
        bus = (uint8_t)(entry >> 8);
        entry = up_load(segment, bus);
    }
    return id;
}

struct pcv_device *pcv__bridge_over(struct pcv__segment *segment, uint8_t bus)
{
    uint32_t entry = up_load(segment, bus);

    return (entry & PCV__UP_VALID) != 0
               ? pcv__segment_peek(segment, up_sbdf(segment, entry))
               : NULL;
}

/* The bound bridge that an entry of the map names. */
static struct pcv_device *bridge_at(struct pcv__segment *segment,
                                    uint32_t entry)
{
    return pcv__segment_peek(segment, up_sbdf(segment, entry));
}

static bool within(const struct pcv_device *outer, uint8_t first, uint8_t last)
{
    return outer->secondary <= first && last <= outer->subordinate;
}

bool pcv__bridge_may_lead(struct pcv_device *bridge, uint8_t first,
                          uint8_t last)
{
    struct pcv__segment *segment = bridge->segment;
    uint8_t own = pcv_sbdf_bus(pcv__device_sbdf(bridge));
    uint32_t above = up_load(segment, own);
    const struct pcv_device *outer;

    if (first <= own || last < first || last > bridge->last_bus) {
        return false; /* backwards, or into another host bridge's buses */
    }
    if ((above & PCV__UP_VALID) == 0) {
        return true;
    }
    outer = bridge_at(segment, above);
    return outer && within(outer, first, last);
}

bool pcv__bridge_fits(struct pcv_device *bridge, uint8_t first, uint8_t last)
{
    struct pcv__segment *segment = bridge->segment;
    pcv_sbdf sbdf = pcv__device_sbdf(bridge);
    uint32_t above = up_load(segment, pcv_sbdf_bus(sbdf));
    uint32_t itself = up_entry(bridge);

    if (!pcv__bridge_may_lead(bridge, first, last)) {
        return false;
    }
    for (uint32_t bus = first; bus <= last; bus++) {
        uint32_t entry = up_load(segment, (uint8_t)bus);
        struct pcv_device *other;

        if (entry == above || entry == itself) {
            continue; /* what covers our own bus, or nobody, or we */
        }
        other = (entry & PCV__UP_VALID) != 0 ? bridge_at(segment, entry) : NULL;
        /* Another bridge is there: it must be behind this one entirely. */
        if (!other || other->secondary < first || other->subordinate > last ||
            (uint8_t)(entry >> 8) < first) {
            return false;
        }
    }
    /* A bridge on one of these buses must not lead beyond them. */
    for (uint32_t bus = last + 1u; bus < PCV_BUSES; bus++) {
        uint32_t entry = up_load(segment, (uint8_t)bus);
        uint8_t on = (uint8_t)(entry >> 8);

        if ((entry & PCV__UP_VALID) != 0 && entry != itself && first <= on &&
            on <= last) {
            return false;
        }
    }
    return true;
}

void pcv__bridge_bind(struct pcv__segment *segment, struct pcv_device *bridge)
{
    pcv_sbdf sbdf = pcv__device_sbdf(bridge);
    uint32_t above = up_load(segment, pcv_sbdf_bus(sbdf));
    uint8_t first = bridge->secondary;
    uint8_t last = bridge->subordinate;

    pcv__lock_check_held(&bridge->host->mem, &segment->lock);
    if (first == 0 && last == 0) {
        return; /* not configured: nothing is wrong, nothing is behind it */
    }
    if (!pcv__bridge_fits(bridge, first, last)) {
        bridge->bus_conflict = true;
        segment->conflicts = true;
        return;
    }
    for (uint32_t bus = first; bus <= last; bus++) {
        if (up_load(segment, (uint8_t)bus) == above) {
            up_store(segment, (uint8_t)bus, up_entry(bridge));
        }
    }
    bridge->bound = true;
}

void pcv__bridge_unbind(struct pcv__segment *segment, struct pcv_device *bridge)
{
    pcv_sbdf sbdf = pcv__device_sbdf(bridge);
    uint32_t above = up_load(segment, pcv_sbdf_bus(sbdf));

    pcv__lock_check_held(&bridge->host->mem, &segment->lock);
    if (!bridge->bound) {
        return;
    }
    for (uint32_t bus = bridge->secondary; bus <= bridge->subordinate; bus++) {
        if (up_load(segment, (uint8_t)bus) == up_entry(bridge)) {
            up_store(segment, (uint8_t)bus, above);
        }
    }
    bridge->bound = false;
}

void pcv__bridge_extend(struct pcv__segment *segment, struct pcv_device *bridge,
                        uint8_t last)
{
    pcv_sbdf sbdf = pcv__device_sbdf(bridge);
    uint32_t above = up_load(segment, pcv_sbdf_bus(sbdf));

    for (uint32_t bus = last + 1u; bus <= bridge->subordinate; bus++) {
        if (up_load(segment, (uint8_t)bus) == up_entry(bridge)) {
            up_store(segment, (uint8_t)bus, above);
        }
    }
    for (uint32_t bus = bridge->subordinate + 1u; bus <= last; bus++) {
        if (up_load(segment, (uint8_t)bus) == above) {
            up_store(segment, (uint8_t)bus, up_entry(bridge));
        }
    }
    bridge->subordinate = last;
}

/* SPDX-License-Identifier: MIT */
/* The parts of an isolation group: who is in them, and one after the other. */
#include "registry/group.h"

bool pcv__bridge_joins(const struct pcv_device *bridge)
{
    return bridge->type == PCV_TYPE_PCIE_TO_PCI_BRIDGE ||
           bridge->type == PCV_TYPE_PCI_TO_PCIE_BRIDGE ||
           bridge->type == PCV_TYPE_PCI_BRIDGE;
}

bool pcv__is_joined(struct pcv_host *host, pcv_sbdf sbdf)
{
    bool joined = false;
    pcv_sbdf up;

    /* Bounded: pcv_topology_upstream() answers only with a lower bus. */
    while (!joined && pcv_topology_upstream(host, pcv_sbdf_segment(sbdf),
                                            pcv_sbdf_bus(sbdf), &up) == 0) {
        struct pcv_device *bridge = pcv_device_find(host, up);

        joined = bridge && pcv__bridge_joins(bridge);
        pcv_device_put(bridge);
        sbdf = up;
    }
    return joined;
}

bool pcv__is_bystander(const struct pcv_device *device)
{
    return device->type == PCV_TYPE_HOST_BRIDGE ||
           device->type == PCV_TYPE_RC_EVENT_COLLECTOR;
}

bool pcv__stands_alone(struct pcv_device *device)
{
    return pcv__is_marked(device, PCV__MARK_ISOLATED) && !device->is_bridge &&
           !pcv__is_joined(device->host, pcv__device_sbdf(device));
}

bool pcv__behind(struct pcv_device *bridge, uint32_t *out_first,
                 uint32_t *out_last)
{
    struct pcv__mem *mem = &bridge->host->mem;
    bool bound;

    pcv__lock_take(mem, &bridge->segment->lock);
    bound = bridge->bound;
    *out_first = (uint32_t)bridge->secondary << 8;
    *out_last = (uint32_t)bridge->subordinate << 8 | 0xffu;
    pcv__lock_drop(mem, &bridge->segment->lock);
    return bound;
}

static bool is_behind(struct pcv_host *host, pcv_sbdf bridge, uint32_t rid)
{
    struct pcv_device *device = pcv_device_find(host, bridge);
    uint32_t first, last;
    bool is = device && pcv__behind(device, &first, &last) && first <= rid &&
              rid <= last;

    pcv_device_put(device);
    return is;
}

/* ---- the functions of one device -------------------------------------------
 */

static bool in_device(const struct pcv_group_part *part, pcv_sbdf sbdf)
{
    return pcv_sbdf_bus(sbdf) == pcv_sbdf_bus(part->at) &&
           part->first <= pcv_sbdf_devfn(sbdf) &&
           pcv_sbdf_devfn(sbdf) <= part->last;
}

/* Up from a function until a bridge is one of the device's. */
static bool behind_device(struct pcv_host *host,
                          const struct pcv_group_part *part, pcv_sbdf sbdf)
{
    pcv_sbdf up;

    /* Bounded: pcv_topology_upstream() answers only with a lower bus. */
    while (pcv_topology_upstream(host, pcv_sbdf_segment(sbdf),
                                 pcv_sbdf_bus(sbdf), &up) == 0) {
        if (in_device(part, up)) {
            return true;
        }
        sbdf = up;
    }
    return false;
}

bool pcv__part_has(struct pcv_host *host, const struct pcv_group_part *part,
                   struct pcv_device *device)
{
    pcv_sbdf sbdf = pcv__device_sbdf(device);

    if (pcv_sbdf_segment(sbdf) != pcv_sbdf_segment(part->at)) {
        return false;
    }
    switch ((enum pcv__part_kind)part->kind) {
    case PCV__PART_FUNCTION:
        return sbdf.v == part->at.v;
    case PCV__PART_TREE:
        return !pcv__stands_alone(device) &&
               (sbdf.v == part->at.v ||
                is_behind(host, part->at, pcv__rid(sbdf)));
    case PCV__PART_DEVICE:
        return !pcv__stands_alone(device) &&
               (in_device(part, sbdf)
                    ? !device->is_vf && !pcv__is_bystander(device)
                    : behind_device(host, part, sbdf));
    case PCV__PART_SEGMENT:
        break;
    }
    return true;
}

/* ---- one after the other ---------------------------------------------------
 */

static struct pcv_device *find(struct pcv__segment *segment,
                               struct pcv_host *host, uint32_t rid)
{
    return pcv_device_find(
        host,
        pcv_sbdf_make(segment->number, (uint8_t)(rid >> 8), (uint8_t)rid));
}

/* The first place that is taken in a range, or beyond all. */
#define NOWHERE 0x10000u
static uint32_t first_in(struct pcv__segment *segment, uint32_t first,
                         uint32_t last)
{
    return pcv__segment_next(segment, &first, last) ? first : NOWHERE;
}

static uint32_t lower(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t higher(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The first place at or after `rid` behind one bridge. */
static uint32_t next_behind(struct pcv__segment *segment, struct pcv_host *host,
                            uint32_t bridge_rid, uint32_t rid)
{
    struct pcv_device *bridge = find(segment, host, bridge_rid);
    uint32_t first, last;
    uint32_t at = NOWHERE;

    if (bridge && bridge->is_bridge && pcv__behind(bridge, &first, &last) &&
        rid <= last) {
        at = first_in(segment, higher(rid, first), last);
    }
    pcv_device_put(bridge);
    return at;
}

static uint32_t next_of_tree(struct pcv__segment *segment,
                             struct pcv_host *host,
                             const struct pcv_group_part *part, uint32_t rid)
{
    uint32_t bridge = pcv__rid(part->at);

    return rid <= bridge ? bridge : next_behind(segment, host, bridge, rid);
}

static uint32_t next_of_device(struct pcv__segment *segment,
                               struct pcv_host *host,
                               const struct pcv_group_part *part, uint32_t rid)
{
    uint32_t base = pcv__rid(part->at) & ~0xffu;
    uint32_t last = base | part->last;
    uint32_t at = first_in(segment, higher(rid, base | part->first), last);
    uint32_t fn = base | part->first;

    /* Functions have lower addresses than what is behind them. At most 256:
     * fn goes up. */
    if (at == NOWHERE) {
        for (; pcv__segment_next(segment, &fn, last); fn++) {
            at = lower(at, next_behind(segment, host, fn, rid));
        }
    }
    return at;
}

static uint32_t next_place(struct pcv__segment *segment, struct pcv_host *host,
                           const struct pcv_group_part *part, uint32_t rid)
{
    switch ((enum pcv__part_kind)part->kind) {
    case PCV__PART_FUNCTION:
        return rid <= pcv__rid(part->at) ? pcv__rid(part->at) : NOWHERE;
    case PCV__PART_TREE:
        return next_of_tree(segment, host, part, rid);
    case PCV__PART_DEVICE:
        return next_of_device(segment, host, part, rid);
    case PCV__PART_SEGMENT:
        break;
    }
    return first_in(segment, rid, NOWHERE - 1u);
}

struct pcv_device *pcv__part_next(struct pcv_host *host,
                                  const struct pcv_group_part *part,
                                  uint32_t rid)
{
    struct pcv__segment *segment =
        pcv__segment_find(host, pcv_sbdf_segment(part->at));

    /* Bounded: rid goes up. */
    while (segment && rid < NOWHERE) {
        struct pcv_device *device;

        rid = next_place(segment, host, part, rid);
        device = rid < NOWHERE ? find(segment, host, rid) : NULL;
        if (device && pcv__part_has(host, part, device)) {
            return device;
        }
        pcv_device_put(device);
        rid++;
    }
    return NULL;
}

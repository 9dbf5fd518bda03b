/* SPDX-License-Identifier: MIT */
/* Looking at devices under their segment's lock. */
#include "owner/look.h"

enum pcv__look pcv__look(const struct pcv_device *device, pcv_sbdf sbdf)
{
    uint64_t word = pcv__word(device);

    if (pcv__device_sbdf(device).v != sbdf.v) {
        return PCV__LOOK_GONE;
    }
    if ((word & PCV__WORD_LEAVING) != 0 || (word & PCV__WORD_COUNTS) == 0) {
        return PCV__LOOK_LEAVING;
    }
    return (word & PCV__WORD_NEW) != 0 ? PCV__LOOK_NEW : PCV__LOOK_LIVE;
}

struct pcv_device *pcv__live_at(struct pcv__segment *segment, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv__segment_peek(segment, sbdf);

    return device && pcv__look(device, sbdf) == PCV__LOOK_LIVE ? device : NULL;
}

static pcv_sbdf at(const struct pcv__segment *segment, uint32_t rid)
{
    return pcv_sbdf_make(segment->number, (uint8_t)(rid >> 8), (uint8_t)rid);
}

bool pcv__is_live(const struct pcv_device *device)
{
    return pcv__look(device, pcv__device_sbdf(device)) == PCV__LOOK_LIVE;
}

/* Those that cannot be reached come last: places above all addresses. */
static struct pcv_device *next_kept_vf(struct pcv__segment *segment,
                                       const struct pcv_device *pf,
                                       uint32_t *rid)
    PCV__REQUIRES(segment->lock)
{
    uint32_t place = 0x10000u;

    /* Bounded by the list. */
    for (struct pcv_device *vf = segment->kept; vf; vf = vf->kept.next) {
        if (place++ < *rid) {
            continue;
        }
        *rid = place;
        if (pcv__is_live(vf) && vf->pf == pf) {
            return vf;
        }
    }
    return NULL;
}

struct pcv_device *pcv__next_vf(struct pcv__segment *segment,
                                const struct pcv_device *pf, uint32_t *rid)
{
    struct pcv_device *device;

    if (pf->vf_count == 0) {
        return NULL;
    }
    /* Bounded: *rid goes up. */
    while ((device = pcv__segment_next(segment, rid, 0xffffu)) != NULL) {
        pcv_sbdf place = at(segment, *rid);

        *rid += 1u;
        if (pcv__look(device, place) == PCV__LOOK_LIVE && device->pf == pf) {
            return device;
        }
    }
    return next_kept_vf(segment, pf, rid);
}

bool pcv__has_live_vfs(const struct pcv_device *pf)
{
    struct pcv__mem *mem = &pf->host->mem;
    bool has;

    pcv__lock_take(mem, &pf->segment->lock);
    has = pf->vf_count != 0;
    pcv__lock_drop(mem, &pf->segment->lock);
    return has;
}

static uint32_t first_rid(const struct pcv_device *bridge)
{
    return (uint32_t)bridge->secondary << 8;
}

uint32_t pcv__last_rid(const struct pcv_device *bridge)
{
    return ((uint32_t)bridge->subordinate << 8) | 0xffu;
}

struct pcv_device *pcv__deeper(struct pcv__segment *segment,
                               const struct pcv_device *bridge, uint32_t *rid,
                               pcv_sbdf *out_sbdf)
{
    struct pcv_device *device;

    /* Neither a bound bridge nor one that leads anywhere alone covers bus 0
     * (TOPO-2). */
    if ((!bridge->bound && !bridge->bus_conflict) || bridge->secondary == 0) {
        return NULL;
    }
    do {
        device = *rid < first_rid(bridge)
                     ? NULL
                     : pcv__segment_prev(segment, rid, first_rid(bridge));
        if (device) {
            *out_sbdf = at(segment, *rid);
            *rid -= 1u;
        }
        /* Bounded: *rid goes down. */
    } while (device && !bridge->bound &&
             !pcv__leads_alone(segment, bridge, pcv_sbdf_bus(*out_sbdf)));
    return device;
}

static bool is_behind(const struct pcv_device *bridge, pcv_sbdf sbdf)
{
    return first_rid(bridge) <= pcv__rid(sbdf) &&
           pcv__rid(sbdf) <= pcv__last_rid(bridge);
}

struct pcv_device *pcv__known_at(struct pcv__segment *segment, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv__live_at(segment, sbdf);

    if (!device && !pcv__segment_peek(segment, sbdf)) {
        device = pcv__kept_at(segment, sbdf);
    }
    return device && pcv__is_live(device) ? device : NULL;
}

/* Up from bridge to bridge, as long as those cannot be reached either; then bus
 * numbers say. Bounded: a bridge was above before what is behind it was. */
static bool hangs_behind(struct pcv__segment *segment,
                         const struct pcv_device *bridge,
                         const struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    const struct pcv_device *above = device->kept.above;

    while (above && above != bridge && pcv__is_unreachable(above)) {
        above = above->kept.above;
    }
    return above == bridge ||
           (above &&
            (bridge->bound
                 ? is_behind(bridge, pcv__device_sbdf(above))
                 : pcv__leads_alone(segment, bridge,
                                    pcv_sbdf_bus(pcv__device_sbdf(above)))));
}

struct pcv_device *pcv__next_behind(struct pcv__segment *segment,
                                    const struct pcv_device *bridge,
                                    struct pcv_device *before)
{
    struct pcv_device *device = before ? before->kept.next : segment->kept;

    while (device && (!pcv__is_live(device) || !bridge->is_bridge ||
                      !hangs_behind(segment, bridge, device))) {
        device = device->kept.next;
    }
    return device;
}

static bool goes_with(struct pcv__segment *segment,
                      const struct pcv_device *bridge,
                      const struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    return pcv__is_unreachable(device)
               ? hangs_behind(segment, bridge, device)
               : is_behind(bridge, pcv__device_sbdf(device));
}

static bool is_gone(const struct pcv_device *device)
{
    return pcv__has_vanished(device);
}

/*
 * Whether a PF has VFs that would stay when the bridge goes (NULL: when it goes
 * itself): one of them, or the PF if a VF of it is on its way in or out. With a
 * bridge or PF that has vanished, all that are live go along.
 */
static bool vfs_stay(struct pcv__segment *segment, const struct pcv_device *pf,
                     const struct pcv_device *bridge, bool vanished,
                     pcv_sbdf *out_busy) PCV__REQUIRES(segment->lock)
{
    uint32_t count = 0;
    uint32_t rid = 0;
    struct pcv_device *vf;

    while ((vf = pcv__next_vf(segment, pf, &rid)) != NULL) {
        pcv_sbdf sbdf = pcv__device_sbdf(vf);

        /* Whoever changes its owner is at its view. */
        if (vf->changing ||
            (!vanished && (!bridge || !goes_with(segment, bridge, vf)))) {
            *out_busy = sbdf;
            return true;
        }
        count++;
    }
    *out_busy = pcv__device_sbdf(pf);
    return count != pf->vf_count;
}

bool pcv__is_held(struct pcv_device *device)
{
    bool held = pcv__holder_count(pcv__word(device), PCV_HOLDER_CALLER) != 0;

    pcv__lock_take(&device->host->mem, &device->lock);
    held = held || device->vectors != NULL;
    pcv__lock_drop(&device->host->mem, &device->lock);
    return held;
}

/* Whether a guest has it, or is about to get it (LIFE-5), or the hypervisor
 * uses it (OWN-7 to OWN-9). */
static bool is_others(const struct pcv_device *device)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);

    return (owner->kind == PCV_DOMAIN_GUEST ||
            pcv__is_marked(device, PCV__MARK_HIDDEN) ||
            atomic_load_explicit(&device->read_only, memory_order_relaxed)) &&
           !is_gone(device);
}

/* Whether a device keeps the bridge above it from going. */
static bool keeps(struct pcv__segment *segment, struct pcv_device *device,
                  const struct pcv_device *bridge, pcv_sbdf *sbdf)
    PCV__REQUIRES(segment->lock)
{
    bool vanished = is_gone(bridge);

    switch (pcv__look(device, *sbdf)) {
    case PCV__LOOK_GONE:
        return false;
    case PCV__LOOK_NEW:
        return true;
    case PCV__LOOK_LEAVING:
        return !vanished;
    case PCV__LOOK_LIVE:
        break;
    }
    return device->changing ||
           (!vanished && (pcv__is_held(device) || is_others(device))) ||
           vfs_stay(segment, device, bridge, vanished, sbdf);
}

bool pcv__is_kept(struct pcv__segment *segment, const struct pcv_device *device,
                  pcv_sbdf *out_busy)
{
    uint32_t rid = pcv__last_rid(device);
    struct pcv_device *behind;
    pcv_sbdf sbdf;

    pcv__lock_check_held(&device->host->mem, &segment->lock);
    if (vfs_stay(segment, device, NULL, is_gone(device), out_busy)) {
        return true;
    }
    if (device->changing || is_others(device)) {
        *out_busy = pcv__device_sbdf(device);
        return true;
    }
    for (behind = pcv__next_behind(segment, device, NULL); behind;
         behind = pcv__next_behind(segment, device, behind)) {
        sbdf = pcv__device_sbdf(behind);
        if (keeps(segment, behind, device, &sbdf)) {
            *out_busy = sbdf;
            return true;
        }
    }
    /* Bounded: rid goes down. */
    while ((behind = pcv__deeper(segment, device, &rid, &sbdf)) != NULL) {
        if (keeps(segment, behind, device, &sbdf)) {
            *out_busy = sbdf;
            return true;
        }
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * Removals that were refused because a guest has the function, or one behind
 * the bridge, and that complete when it is given back (LIFE-5).
 *
 * The mark and `done` change under the segment's lock. A removal is remembered
 * only while the guest is still the owner, and a function that comes back looks
 * for the mark after it has become quarantine's: so whoever is second of the
 * two sees the other.
 */
#include "owner/change.h"
#include "owner/dma.h"
#include "owner/leaving.h"

static bool is_wanted(const struct pcv_device *device)
{
    return pcv__is_marked(device, PCV__MARK_REMOVE);
}

static bool any_wanted(const struct pcv_host *host)
{
    return atomic_load_explicit(&host->wanted_count, memory_order_acquire) != 0;
}

/* ---- remembering -----------------------------------------------------------
 */

/* A PF is not waited for: its VFs do not go because a guest gives one back. */
static bool is_guests(struct pcv__segment *segment,
                      const struct pcv_device *device, pcv_sbdf busy)
    PCV__REQUIRES(segment->lock)
{
    const struct pcv_device *other = pcv__known_at(segment, busy);
    const struct pcv_domain *owner =
        other ? atomic_load_explicit(&other->owner, memory_order_acquire)
              : NULL;

    return owner && owner->kind == PCV_DOMAIN_GUEST && other->pf != device;
}

void pcv__removal_remember(struct pcv__segment *segment,
                           struct pcv_device *device, pcv_sbdf busy,
                           struct pcv_completion *done)
{
    struct pcv_host *host = device->host;

    if (!is_guests(segment, device, busy)) {
        return;
    }
    if (!is_wanted(device)) {
        atomic_fetch_add_explicit(&host->wanted_count, 1, memory_order_acq_rel);
        atomic_fetch_or_explicit(&device->marks, PCV__MARK_REMOVE,
                                 memory_order_release);
    }
    if (done && !device->done) {
        done->taken = true;
        device->done = done;
    }
}

void pcv__removal_forget(struct pcv_device *device)
{
    if (is_wanted(device)) {
        atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_REMOVE,
                                  memory_order_release);
        atomic_fetch_sub_explicit(&device->host->wanted_count, 1,
                                  memory_order_acq_rel);
    }
}

/* ---- looking ---------------------------------------------------------------
 */

/* The bridge that leads, or last led, to a device. */
static struct pcv_device *bridge_above(struct pcv__segment *segment,
                                       const struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    return pcv__is_unreachable(device) ? device->kept.above
                                       : pcv__above(segment, device);
}

/* Bounded: no path is longer than there are buses (TOPO-2). */
static bool waits_locked(struct pcv__segment *segment,
                         struct pcv_device *device) PCV__REQUIRES(segment->lock)
{
    for (uint32_t i = 0; device && i <= PCV_BUSES; i++) {
        if (is_wanted(device)) {
            return true;
        }
        device = bridge_above(segment, device);
    }
    return false;
}

bool pcv__removal_waits(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;
    bool waits;

    if (!any_wanted(device->host)) {
        return false;
    }
    pcv__lock_take(mem, &segment->lock);
    waits = waits_locked(segment, device);
    pcv__lock_drop(mem, &segment->lock);
    return waits;
}

/* ---- completing ------------------------------------------------------------
 */

/* Whether everything behind a bridge has come back. */
static bool all_back(struct pcv__segment *segment,
                     const struct pcv_device *bridge)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = pcv__last_rid(bridge);
    struct pcv_device *behind;
    pcv_sbdf sbdf;

    for (behind = pcv__next_behind(segment, bridge, NULL); behind;
         behind = pcv__next_behind(segment, bridge, behind)) {
        if (pcv__is_on_its_way(behind)) {
            return false;
        }
    }
    while ((behind = pcv__deeper(segment, bridge, &rid, &sbdf)) != NULL) {
        if (pcv__look(behind, sbdf) == PCV__LOOK_LIVE &&
            pcv__is_on_its_way(behind)) {
            return false;
        }
    }
    return true;
}

static bool claim(struct pcv__segment *segment, struct pcv_device *device,
                  struct pcv__leaving *list) PCV__REQUIRES(segment->lock)
{
    pcv_sbdf busy;

    return is_wanted(device) && device->is_bridge && pcv__is_live(device) &&
           all_back(segment, device) &&
           pcv__leaving_claim(segment, device, NULL, list, &busy) == 0;
}

/* One bridge that can go by now; false: there is none. */
static bool claim_next(struct pcv__segment *segment, struct pcv__leaving *list)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = 0;
    struct pcv_device *device;

    for (device = segment->kept; device; device = device->kept.next) {
        if (claim(segment, device, list)) {
            return true;
        }
    }
    /* Bounded: rid goes up. */
    while ((device = pcv__segment_next(segment, &rid, 0xffffu)) != NULL) {
        pcv_sbdf sbdf =
            pcv_sbdf_make(segment->number, (uint8_t)(rid >> 8), (uint8_t)rid);

        if (pcv__look(device, sbdf) == PCV__LOOK_LIVE &&
            claim(segment, device, list)) {
            return true;
        }
        rid++;
    }
    return false;
}

void pcv__removal_retry(struct pcv_host *host, struct pcv__segment *segment)
{
    bool found = any_wanted(host);

    /* Bounded: each turn removes a bridge. */
    while (found) {
        struct pcv__leaving list;
        pcv_sbdf busy;

        pcv__lock_take(&host->mem, &segment->lock);
        found = claim_next(segment, &list);
        pcv__lock_drop(&host->mem, &segment->lock);
        if (found) {
            (void)pcv__leaving_go(&list, NULL, &busy);
        }
    }
}

bool pcv__change_end_removing(struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    struct pcv__segment *segment = device->segment;
    struct pcv__leaving list;
    bool claimed = false;
    bool waits;
    pcv_sbdf busy;

    pcv__dma_release(device);
    pcv__lock_take(&host->mem, &segment->lock);
    device->changing = false;
    waits = waits_locked(segment, device);
    if (is_wanted(device)) {
        claimed = pcv__leaving_claim(segment, device, NULL, &list, &busy) == 0;
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    if (claimed) {
        (void)pcv__leaving_go(&list, device, &busy);
    }
    pcv_device_put(device);
    pcv__removal_retry(host, segment);
    return waits;
}

/* ---- at the administrator's word -------------------------------------------
 */

static int cancel(struct pcv__segment *segment, pcv_sbdf sbdf)
    PCV__REQUIRES(segment->lock)
{
    struct pcv_device *device = pcv__known_at(segment, sbdf);

    if (!device) {
        return pcv__is_taken(segment, sbdf) ? -PCV_EBUSY : -PCV_ENODEV;
    }
    if (!is_wanted(device)) {
        return -PCV_ENOENT;
    }
    pcv__removal_forget(device);
    if (device->done) {
        device->done->taken = false;
        device->done = NULL;
    }
    return 0;
}

int pcv_device_cancel_remove(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv__segment *segment;
    int error;

    if (!host) {
        return -PCV_EINVAL;
    }
    segment = pcv__segment_find(host, pcv_sbdf_segment(sbdf));
    if (!segment) {
        return -PCV_ENODEV;
    }
    pcv__lock_take(&host->mem, &segment->lock);
    error = cancel(segment, sbdf);
    pcv__lock_drop(&host->mem, &segment->lock);
    return error;
}

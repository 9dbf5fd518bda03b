/* SPDX-License-Identifier: MIT */
/*
 * Removing a device, and with a bridge everything behind it (LIFE-5, LIFE-6,
 * TOPO-3).
 *
 * Under the segment's lock everything behind is looked at, and if nothing is
 * in the way each device is marked leaving, deepest first, VFs before their
 * PF. From then on none of them can be found or entered. Then, without that
 * lock, each is torn down and the registry and the owner let go of it. Somebody
 * who took a reference between the look and the mark keeps only the object: it
 * is leaving as well.
 *
 * What has vanished is gone whether somebody holds it or not: its removal marks
 * all of it, a PF's VFs too, and completes as the holders let go (LIFE-9).
 */
#include "owner/dma.h"
#include "owner/leaving.h"
#include "registry/resting.h"

/* From here on nobody finds or enters the device. */
static void mark(struct pcv__segment *segment, struct pcv__leaving *list,
                 struct pcv_device *device) PCV__REQUIRES(segment->lock)
{
    atomic_fetch_or_explicit(&device->word, PCV__WORD_LEAVING,
                             memory_order_acq_rel);
    pcv__removal_forget(device);
    atomic_fetch_add_explicit(&device->host->leaving_count, 1,
                              memory_order_relaxed);
    if (device->is_bridge) {
        pcv__bridge_unbind(segment, device);
    }
    device->next_leaving = NULL;
    *list->end = device;
    list->end = &device->next_leaving;
}

static void mark_with_vfs(struct pcv__segment *segment,
                          struct pcv__leaving *list, struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = 0;
    struct pcv_device *vf;

    while ((vf = pcv__next_vf(segment, device, &rid)) != NULL) {
        mark(segment, list, vf);
    }
    mark(segment, list, device);
}

static void mark_all(struct pcv__segment *segment, struct pcv__leaving *list,
                     struct pcv_device *device) PCV__REQUIRES(segment->lock)
{
    uint32_t rid = pcv__last_rid(device);
    struct pcv_device *behind;
    pcv_sbdf sbdf;

    for (behind = pcv__next_behind(segment, device, NULL); behind;
         behind = pcv__next_behind(segment, device, behind)) {
        mark_with_vfs(segment, list, behind);
    }
    while ((behind = pcv__deeper(segment, device, &rid, &sbdf)) != NULL) {
        if (pcv__look(behind, sbdf) == PCV__LOOK_LIVE) {
            mark_with_vfs(segment, list, behind);
        }
    }
    mark_with_vfs(segment, list, device);
}

int pcv__leaving_claim(struct pcv__segment *segment, struct pcv_device *device,
                       struct pcv_completion *done, struct pcv__leaving *list,
                       pcv_sbdf *out_busy)
{
    list->first = NULL;
    list->end = &list->first;
    if (pcv__is_kept(segment, device, out_busy)) {
        return -PCV_EBUSY;
    }
    if (done && !device->done) { /* one may be remembered (LIFE-5) */
        done->taken = true;
        device->done = done;
    }
    mark_all(segment, list, device);
    return 0;
}

/* Whether somebody beside us keeps the object. */
static bool held_by_others(const struct pcv_device *device, uint32_t ours)
{
    uint64_t word = pcv__word(device);

    return pcv__holder_count(word, PCV_HOLDER_CALLER) > ours ||
           pcv__holder_count(word, PCV_HOLDER_VECTOR) != 0 ||
           pcv__holder_count(word, PCV_HOLDER_ACCESS) != 0;
}

/* Tear one device down and let go of it. `ours` are references that our caller
 * holds and will give back. True if it is gone. */
static bool let_go(struct pcv_device *device, uint32_t ours)
{
    struct pcv_host *host = device->host;

    pcv__vpci_teardown(device);
    pcv__vectors_release(device);
    pcv__guest_lost(device);
    pcv__bridge_goes(device);
    pcv__slot_event(device); /* what is left of it */
    pcv__forget_vf(host, device);
    if (held_by_others(device, ours)) {
        pcv__event(device, PCV_EVENT_LEAVING, PCV_EVENT_DEVICE, 0, 0);
    }
    if (pcv__is_lost(device)) {
        pcv__resting_hold(device);
    }
    pcv__ref_put(device, PCV_HOLDER_OWNER);
    return pcv__ref_put(device, PCV_HOLDER_REGISTRY);
}

/* Bridges lead nowhere any more, but what they put in the place of others'
 * requester IDs is known still: no memory is reached by it when the first of
 * those lets go. */
static void block_bridges(const struct pcv__leaving *list)
{
    struct pcv_device *device = list->first;
    bool others = false;

    for (; device; device = device->next_leaving) {
        others = others || pcv__has_own_dma(device);
    }
    for (device = list->first; others && device;
         device = device->next_leaving) {
        pcv__dma_bridge_lost(device);
    }
}

int pcv__leaving_go(struct pcv__leaving *list, const struct pcv_device *own,
                    pcv_sbdf *out_busy)
{
    struct pcv_device *device = list->first;
    int result = 0;

    block_bridges(list);
    while (device) {
        struct pcv_device *next = device->next_leaving;
        pcv_sbdf sbdf = pcv__device_sbdf(device);
        bool is_own = device == own;

        if (!let_go(device, is_own ? 1 : 0) && !is_own) {
            *out_busy = sbdf;
            result = -PCV_EBUSY;
        }
        device = next;
    }
    return result;
}

bool pcv__is_taken(struct pcv__segment *segment, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv__segment_peek(segment, sbdf);

    return (device && pcv__look(device, sbdf) != PCV__LOOK_GONE) ||
           pcv__kept_at(segment, sbdf);
}

static int claim_at(struct pcv__segment *segment, pcv_sbdf sbdf,
                    struct pcv_completion *done, struct pcv__leaving *list,
                    pcv_sbdf *out_busy) PCV__REQUIRES(segment->lock)
{
    struct pcv_device *device = pcv__known_at(segment, sbdf);

    if (device) {
        int error = pcv__leaving_claim(segment, device, done, list, out_busy);

        if (error == -PCV_EBUSY) {
            pcv__removal_remember(segment, device, *out_busy, done);
        }
        return error;
    }
    *out_busy = sbdf;
    return pcv__is_taken(segment, sbdf) ? -PCV_EBUSY : -PCV_ENODEV;
}

int pcv_device_remove(struct pcv_host *host, pcv_sbdf sbdf,
                      struct pcv_completion *done, pcv_sbdf *out_busy)
{
    struct pcv__segment *segment;
    struct pcv__leaving list;
    pcv_sbdf busy = sbdf;
    int error;

    if (!host) {
        return -PCV_EINVAL;
    }
    segment = pcv__segment_find(host, pcv_sbdf_segment(sbdf));
    if (!segment) {
        return -PCV_ENODEV;
    }
    pcv__resting_due(host); /* it is in nobody's way any more */
    pcv__lock_take(&host->mem, &segment->lock);
    error = claim_at(segment, sbdf, done, &list, &busy);
    pcv__lock_drop(&host->mem, &segment->lock);
    if (error == 0) {
        error = pcv__leaving_go(&list, NULL, &busy);
        pcv__removal_retry(host, segment); /* it may have been in the way */
    }
    if (error == -PCV_EBUSY && out_busy) {
        *out_busy = busy;
    }
    return error;
}

static void tell_vanished(struct pcv__segment *segment,
                          struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    pcv__event(device, PCV_EVENT_VANISHED, PCV_EVENT_DEVICE, 0, 0);
    pcv__guard_leaves(segment, device);
}

static void vanish(struct pcv__segment *segment, struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    if (pcv__bar(device, PCV__BARRED_VANISHED)) {
        tell_vanished(segment, device);
    }
}

/* A PF takes its VFs along. */
static void vanish_with_vfs(struct pcv__segment *segment,
                            struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = 0;
    struct pcv_device *vf;

    while ((vf = pcv__next_vf(segment, device, &rid)) != NULL) {
        vanish(segment, vf);
    }
    vanish(segment, device);
}

/* What is behind a bridge goes with it. A device that is being added finds its
 * bridge or PF vanished when it is to be published; one that leaves is not read
 * or written any more anyway. */
static void vanish_all(struct pcv__segment *segment, struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = pcv__last_rid(device);
    struct pcv_device *behind;
    pcv_sbdf sbdf;

    for (behind = pcv__next_behind(segment, device, NULL); behind;
         behind = pcv__next_behind(segment, device, behind)) {
        vanish_with_vfs(segment, behind);
    }
    while ((behind = pcv__deeper(segment, device, &rid, &sbdf)) != NULL) {
        if (pcv__look(behind, sbdf) == PCV__LOOK_LIVE) {
            vanish_with_vfs(segment, behind);
        }
    }
    vanish_with_vfs(segment, device);
}

int pcv_device_vanished(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv__segment *segment;
    struct pcv_device *device;

    if (!host) {
        return -PCV_EINVAL;
    }
    segment = pcv__segment_find(host, pcv_sbdf_segment(sbdf));
    if (!segment) {
        return -PCV_ENODEV;
    }
    pcv__lock_take(&host->mem, &segment->lock);
    device = pcv__known_at(segment, sbdf);
    if (device) {
        vanish_all(segment, device);
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    pcv__removal_retry(host, segment);
    return device ? 0 : -PCV_ENODEV;
}

int pcv__device_replaced(struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    struct pcv__segment *segment = device->segment;
    pcv_sbdf sbdf = pcv__device_sbdf(device);
    struct pcv__leaving list;
    pcv_sbdf busy;
    int error = -PCV_EBUSY;

    pcv__lock_take(&host->mem, &segment->lock);
    /* Somebody else may have removed it meanwhile, and then what stands at its
     * address is not ours to take away. */
    if (pcv__is_unreachable(device) ? pcv__is_live(device)
                                    : pcv__live_at(segment, sbdf) == device) {
        vanish_all(segment, device);
        error = pcv__leaving_claim(segment, device, NULL, &list, &busy);
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    if (error == 0) {
        error = pcv__leaving_go(&list, device, &busy);
    }
    return pcv__ref_put(device, PCV_HOLDER_CALLER) ? error : -PCV_EBUSY;
}

/* One that was behind an empty port is removed, but for what is just being
 * added or changes its owner. VFs go with their PF. */
static void mark_if_free(struct pcv__segment *segment,
                         struct pcv__leaving *list, struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    pcv_sbdf busy;

    if (!device->is_vf && !pcv__is_kept(segment, device, &busy)) {
        mark_with_vfs(segment, list, device);
    }
}

/* What bus numbers do not lead to for the moment was there as well (TOPO-4),
 * and hangs on bridges that go. */
static void empty(struct pcv__segment *segment, struct pcv_device *port,
                  struct pcv__leaving *list) PCV__REQUIRES(segment->lock)
{
    struct pcv_device *behind;
    pcv_sbdf at;
    uint32_t rid;

    for (behind = pcv__next_behind(segment, port, NULL); behind;
         behind = pcv__next_behind(segment, port, behind)) {
        vanish_with_vfs(segment, behind);
    }
    for (rid = pcv__last_rid(port);
         (behind = pcv__deeper(segment, port, &rid, &at)) != NULL;) {
        if (pcv__look(behind, at) == PCV__LOOK_LIVE) {
            vanish_with_vfs(segment, behind);
        }
    }
    for (behind = pcv__next_behind(segment, port, NULL); behind;
         behind = pcv__next_behind(segment, port, behind)) {
        mark_if_free(segment, list, behind);
    }
    for (rid = pcv__last_rid(port);
         (behind = pcv__deeper(segment, port, &rid, &at)) != NULL;) {
        if (pcv__look(behind, at) == PCV__LOOK_LIVE) {
            mark_if_free(segment, list, behind);
        }
    }
}

void pcv__slot_emptied(struct pcv_device *port)
{
    struct pcv__mem *mem = &port->host->mem;
    struct pcv__segment *segment = port->segment;
    struct pcv__leaving list;
    pcv_sbdf busy;

    list.first = NULL;
    list.end = &list.first;
    pcv__lock_take(mem, &segment->lock);
    empty(segment, port, &list);
    pcv__lock_drop(mem, &segment->lock);
    (void)pcv__leaving_go(&list, NULL, &busy);
}

/* What is behind a bridge that resets its bus just now is left alone, and needs
 * nothing: all that was programmed is gone. */
static bool is_in_reset(struct pcv__segment *segment, pcv_sbdf at)
    PCV__REQUIRES(segment->lock)
{
    const struct pcv_device *bridge =
        pcv__bridge_over(segment, pcv_sbdf_bus(at));

    return bridge && pcv__is_noted(bridge, PCV__NOTE_BUS_RESET);
}

/* A guest has lost it: it is silent, nothing of what the guest left in it goes
 * on where one write sees to that, and it is removed unless it changes its
 * owner just now. */
static void lose(struct pcv__segment *segment, struct pcv__leaving *list,
                 struct pcv_device *device, pcv_sbdf to)
    PCV__REQUIRES(segment->lock)
{
    struct pcv__mem *mem = &device->host->mem;
    pcv_sbdf busy;
    bool first;

    pcv__event(device, PCV_EVENT_OVERRIDDEN, PCV_EVENT_HOST, to.v, 0);
    pcv__lock_take(mem, &device->lock);
    if (!is_in_reset(segment, pcv__device_sbdf(device))) {
        pcv__reset_abandon(device);
    }
    /* Under the lock, so that its guest writes nothing after that. */
    first = pcv__bar(device, PCV__BARRED_VANISHED | PCV__BARRED_LOST);
    pcv__lock_drop(mem, &device->lock);
    if (first) {
        tell_vanished(segment, device);
    }
    if (!pcv__is_kept(segment, device, &busy)) {
        mark_with_vfs(segment, list, device);
    }
}

static void lose_all(struct pcv__segment *segment, struct pcv__leaving *list,
                     struct pcv_device *above) PCV__REQUIRES(segment->lock)
{
    pcv_sbdf to = pcv__device_sbdf(above);
    uint32_t rid = above->is_bridge ? pcv__last_rid(above) : 0;
    struct pcv_device *device;
    pcv_sbdf at;

    if (above->is_bridge) {
        while ((device = pcv__deeper(segment, above, &rid, &at)) != NULL) {
            if (pcv__is_guarded(device, at)) {
                lose(segment, list, device, to);
            }
        }
        return;
    }
    while ((device = pcv__next_vf(segment, above, &rid)) != NULL) {
        if (pcv__is_guarded(device, pcv__device_sbdf(device))) {
            lose(segment, list, device, to);
        }
    }
}

void pcv__guests_lose(struct pcv_device *above)
{
    struct pcv__mem *mem = &above->host->mem;
    struct pcv__segment *segment = above->segment;
    struct pcv__leaving list;
    pcv_sbdf busy;

    list.first = NULL;
    list.end = &list.first;
    pcv__lock_take(mem, &segment->lock);
    lose_all(segment, &list, above);
    pcv__lock_drop(mem, &segment->lock);
    (void)pcv__leaving_go(&list, NULL, &busy);
}

/* All VFs of a PF, or with a PF that was reset those that nobody uses; the
 * others have vanished. */
static void mark_vfs(struct pcv__segment *segment, struct pcv__leaving *list,
                     struct pcv_device *pf) PCV__REQUIRES(segment->lock)
{
    uint32_t rid = 0;
    struct pcv_device *vf;

    while ((vf = pcv__next_vf(segment, pf, &rid)) != NULL) {
        if (pcv__vf_in_use(vf)) {
            vanish(segment, vf);
        } else {
            mark(segment, list, vf);
        }
    }
}

int pcv__vfs_remove(struct pcv_device *pf, bool gone, pcv_sbdf *out_busy)
{
    struct pcv__mem *mem = &pf->host->mem;
    struct pcv__segment *segment = pf->segment;
    struct pcv__leaving list;
    pcv_sbdf held;
    int error;

    list.first = NULL;
    list.end = &list.first;
    pcv__lock_take(mem, &segment->lock);
    error = pcv__vfs_check(segment, pf, out_busy);
    if (gone && error == -PCV_EBUSY) {
        error = 0;
    }
    if (error == 0) {
        mark_vfs(segment, &list, pf);
    }
    pcv__lock_drop(mem, &segment->lock);
    (void)pcv__leaving_go(&list, NULL, &held);
    return error;
}

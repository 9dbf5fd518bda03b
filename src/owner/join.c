/* SPDX-License-Identifier: MIT */
/*
 * Bus numbers lead to functions again (TOPO-4): each is bound where its bridge
 * and its device and function number say, if the same card answers there. One
 * that does not answer is asleep for all we know (LIFE-9) and is bound as well;
 * where another card answers, it has vanished, and the other one is added.
 *
 * It has its DMA before it can be found: what cannot be attached at the new
 * requester ID stays unreachable, until numbers change again or it is added.
 */
#include "owner/dma.h"
#include "owner/ecam.h"
#include "owner/move.h"
#include "owner/vfs.h"
#include "registry/away.h"
#include "registry/faults.h"
#include "vpci/cap.h"
#include "vpci/reserved.h"

static void begin(struct pcv__segment *segment) PCV__REQUIRES(segment->lock)
{
    segment->moving = true;
    atomic_fetch_add_explicit(&segment->moves, 1, memory_order_acq_rel);
}

bool pcv__move_begin(struct pcv__segment *segment, struct pcv__mem *mem)
{
    bool ours;

    pcv__lock_take(mem, &segment->lock);
    ours = !segment->moving;
    if (ours) {
        begin(segment);
    }
    pcv__lock_drop(mem, &segment->lock);
    return ours;
}

void pcv__move_end(struct pcv__segment *segment, struct pcv__mem *mem)
{
    pcv__lock_take(mem, &segment->lock);
    segment->moving = false;
    atomic_fetch_add_explicit(&segment->moves, 1, memory_order_acq_rel);
    pcv__lock_drop(mem, &segment->lock);
}

/* ---- one function ----------------------------------------------------------
 */

/* 0: it may be bound there; -PCV_ENOENT: another card answers; or an error of
 * the host. */
static int look_at(struct pcv_device *device, pcv_sbdf to)
{
    struct pcv__identity now;
    int error = pcv__hw_quiet_us(device) != 0
                    ? -PCV_EAGAIN
                    : pcv__identify_at(device, to, &now);

    if (error == -PCV_ENODEV || error == -PCV_EAGAIN) {
        return 0;
    }
    if (error != 0) {
        return error;
    }
    return pcv__identity_same(device, &now) ? 0 : -PCV_ENOENT;
}

/* Its VFs know it by its address. */
static void tell_vfs(struct pcv__segment *segment, struct pcv_device *pf,
                     pcv_sbdf to) PCV__REQUIRES(segment->lock)
{
    uint32_t rid = 0;
    struct pcv_device *vf;

    while ((vf = pcv__next_vf(segment, pf, &rid)) != NULL) {
        atomic_store_explicit(&vf->physfn, to.v, memory_order_relaxed);
    }
}

/* It has its address. Nobody is inside its gate, which is paused. */
static void arrive(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &device->lock);
    pcv__unbar(device, PCV__BARRED_UNREACHABLE);
    pcv__caps_arrive(device);
    pcv__lock_drop(mem, &device->lock);
    pcv__ext_moved(device);
    pcv__lock_take(mem, &device->lock);
    atomic_fetch_and_explicit(&device->guest_sbdf, ~PCV__GUEST_AWAY,
                              memory_order_relaxed);
    if (device->vfs && device->vfs->parked) {
        device->vfs->parked = false;
        pcv__vfs_ask(device, PCV__VFS_APPEAR, device->vfs->appear_us);
    }
    device->kept.joining = false;
    pcv__gate_open(device);
    pcv__lock_drop(mem, &device->lock);
}

/* A mapping that waited for whoever could find it goes on, to its end: nobody
 * else would go on with it. Bounded by the pages of its BARs. */
static void finish_mapping(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    enum pcv_verdict verdict = PCV_PENDING;

    while (verdict == PCV_PENDING &&
           pcv__gate_enter_held(device, 0) == PCV_DONE) {
        pcv__lock_take(mem, &device->lock);
        verdict = device->torn ? PCV_DONE : pcv__map_step(device);
        pcv__lock_drop(mem, &device->lock);
        pcv__gate_leave(device);
    }
}

/* From here on it is found at its new address. */
static void bind_at(struct pcv__segment *segment, struct pcv_device *device,
                    pcv_sbdf to)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);
    struct pcv__mem *mem = &device->host->mem;
    pcv_sbdf from = pcv__device_sbdf(device);

    pcv__lock_take(mem, &segment->lock);
    pcv__lock_take(mem, &device->lock);
    device->kept.joining = true;
    (void)pcv__gate_pause(device); /* nobody could enter it before */
    pcv__lock_drop(mem, &device->lock);
    tell_vfs(segment, device, to);
    atomic_store_explicit(&device->sbdf, to.v, memory_order_release);
    if (owner->kind != PCV_DOMAIN_HARDWARE) {
        pcv__away_mark(device);
    }
    pcv__unkeep(segment, device);
    pcv__lock_drop(mem, &segment->lock);
    arrive(device);
    if (device->is_bridge) {
        pcv__lock_take(mem, &segment->lock);
        pcv__join_bridge_again(segment, device);
        pcv__lock_drop(mem, &segment->lock);
    }
    pcv__lock_take(mem, &segment->lock);
    pcv__guard_arrives(segment, device);
    pcv__lock_drop(mem, &segment->lock);
    finish_mapping(device);
    /* Whoever looked for it at its old address found none (OWN-10). */
    pcv__faults_queue(device);
    pcv__reserved_evict_from(device);
    pcv__event(device, PCV_EVENT_MOVED, PCV_EVENT_DEVICE, from.v, 0);
}

/* It is not bound there: the place is free. */
static void give_place_back(struct pcv__segment *segment,
                            struct pcv_device *device, pcv_sbdf to)
    PCV__REQUIRES(segment->lock)
{
    struct pcv_device *self = device;

    atomic_compare_exchange_strong_explicit(pcv__table_find_place(segment, to),
                                            &self, NULL, memory_order_release,
                                            memory_order_relaxed);
}

/* Its place is taken for it, and it is `changing`. 0; -PCV_EEXIST: another card
 * stands there, and it is gone; or why it is not bound. */
static int join(struct pcv__segment *segment, struct pcv_device *device,
                pcv_sbdf to)
{
    struct pcv_host *host = device->host;
    int error = look_at(device, to);
    struct pcv_device *held;

    if (error == 0) {
        error = pcv__dma_join(device, to);
    }
    if (error == 0) {
        bind_at(segment, device, to);
    }
    pcv__dma_release(device);
    pcv__lock_take(&host->mem, &segment->lock);
    if (error != 0) {
        give_place_back(segment, device, to);
    }
    device->changing = false;
    held = error == -PCV_ENOENT ? pcv_device_get(device) : NULL;
    pcv__lock_drop(&host->mem, &segment->lock);
    if (error == -PCV_ENOENT) {
        error = held ? pcv__device_replaced(held) : -PCV_EBUSY;
        error = error == 0 ? -PCV_EEXIST : error;
    } else if (error != 0) {
        pcv__event(device, PCV_EVENT_MOVE_FAILED, PCV_EVENT_HOST, to.v,
                   (uint64_t)-error);
    }
    return error;
}

/* ---- those that nobody can name -------------------------------------------
 */

/* One that has vanished while it could not be reached, and whose last address
 * is another's by now, with a caller's reference; or NULL. */
static struct pcv_device *superseded(struct pcv__segment *segment)
    PCV__REQUIRES(segment->lock)
{
    pcv_sbdf busy;

    /* Bounded by the list. */
    for (struct pcv_device *device = segment->kept; device;
         device = device->kept.next) {
        if (pcv__is_live(device) && pcv__has_vanished(device) &&
            pcv__live_at(segment, pcv__device_sbdf(device)) &&
            !pcv__is_kept(segment, device, &busy)) {
            return pcv_device_get(device);
        }
    }
    return NULL;
}

void pcv__kept_superseded(struct pcv_host *host, struct pcv__segment *segment)
{
    struct pcv__mem *mem = &host->mem;
    struct pcv_device *device;

    if (atomic_load_explicit(&segment->kept_count, memory_order_acquire) == 0) {
        return;
    }
    /* Bounded: each turn makes one leave. */
    do {
        pcv__lock_take(mem, &segment->lock);
        device = superseded(segment);
        pcv__lock_drop(mem, &segment->lock);
        if (device) {
            (void)pcv__device_replaced(device);
        }
    } while (device);
}

/* ---- all of them -----------------------------------------------------------
 */

/* Its place, if it belongs somewhere and that is free: 0; -PCV_ERESTART: its
 * owner is being changed; or why not. */
static int take_place(struct pcv_host *host, struct pcv__segment *segment,
                      struct pcv_device *device, pcv_sbdf *out_to)
    PCV__REQUIRES(segment->lock)
{
    _Atomic(struct pcv_device *) *place;

    if (!pcv__is_live(device) || pcv__has_vanished(device) ||
        !pcv__kept_belongs(segment, device, out_to)) {
        return -PCV_ENODEV;
    }
    if (device->changing) {
        return -PCV_ERESTART;
    }
    place = pcv__table_place(host, segment, *out_to);
    if (!place) {
        return -PCV_ENOMEM;
    }
    if (atomic_load_explicit(place, memory_order_acquire)) {
        return -PCV_EBUSY; /* whoever stands there leaves, or comes */
    }
    if (!pcv__dma_claim_at(segment, device, *out_to)) {
        return -PCV_ERESTART;
    }
    atomic_store_explicit(place, device, memory_order_release);
    device->changing = true;
    return 0;
}

/* The next that can be bound, its place taken, or NULL. */
static struct pcv_device *next(struct pcv_host *host,
                               struct pcv__segment *segment, pcv_sbdf *out_to,
                               bool *wait) PCV__REQUIRES(segment->lock)
{
    /* Bounded by the list. */
    for (struct pcv_device *device = segment->kept; device;
         device = device->kept.next) {
        int error = device->kept.tried
                        ? -PCV_ENODEV
                        : take_place(host, segment, device, out_to);

        if (error == 0) {
            device->kept.tried = true;
            return device;
        }
        if (error == -PCV_ENOMEM || error == -PCV_EBUSY) {
            device->kept.tried = true;
            pcv__event(device, PCV_EVENT_MOVE_FAILED, PCV_EVENT_HOST, out_to->v,
                       (uint64_t)-error);
        }
        *wait = *wait || error == -PCV_ERESTART;
    }
    return NULL;
}

void pcv__join_afresh(struct pcv__segment *segment, struct pcv__mem *mem)
{
    pcv__lock_take(mem, &segment->lock);
    for (struct pcv_device *device = segment->kept; device;
         device = device->kept.next) {
        device->kept.tried = false;
    }
    pcv__lock_drop(mem, &segment->lock);
}

int pcv__join_all(struct pcv_host *host, struct pcv__segment *segment,
                  pcv_sbdf *out_other)
{
    bool more, wait;
    struct pcv_device *device;
    pcv_sbdf to = {0};

    /* Bounded: each turn tries one more, or ends a conflict. */
    do {
        wait = false;
        pcv__lock_take(&host->mem, &segment->lock);
        device = next(host, segment, &to, &wait);
        more = device || pcv__end_conflicts(segment);
        pcv__lock_drop(&host->mem, &segment->lock);
        if (device && join(segment, device, to) == -PCV_EEXIST) {
            *out_other = to;
            return -PCV_EEXIST;
        }
    } while (more);
    return wait ? -PCV_ERESTART : 0;
}

/* The one that belongs to an address, its place taken, or NULL. */
static struct pcv_device *find_for(struct pcv_host *host,
                                   struct pcv__segment *segment, pcv_sbdf sbdf,
                                   int *error) PCV__REQUIRES(segment->lock)
{
    pcv_sbdf to;

    for (struct pcv_device *device = segment->kept; device;
         device = device->kept.next) {
        if (!pcv__is_live(device) || pcv__has_vanished(device) ||
            !pcv__kept_belongs(segment, device, &to) || to.v != sbdf.v) {
            continue;
        }
        *error = take_place(host, segment, device, &to);
        if (*error == -PCV_ERESTART) {
            *error = -PCV_EBUSY;
        }
        return *error == 0 ? device : NULL;
    }
    return NULL;
}

int pcv__join_at(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv__segment *segment =
        pcv__segment_find(host, pcv_sbdf_segment(sbdf));
    struct pcv_device *device = NULL;
    pcv_sbdf other;
    int error = -PCV_ENOENT;

    if (!segment ||
        atomic_load_explicit(&segment->kept_count, memory_order_acquire) == 0) {
        return -PCV_ENOENT;
    }
    pcv__lock_take(&host->mem, &segment->lock);
    if (segment->moving) {
        error = -PCV_EBUSY;
    } else {
        device = find_for(host, segment, sbdf, &error);
        if (device) {
            begin(segment);
        }
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    if (device) {
        error = join(segment, device, sbdf);
        pcv__join_afresh(segment, &host->mem);
        /* Bounded: each turn tries one more. Other cards are found by and by.
         */
        while (pcv__join_all(host, segment, &other) == -PCV_EEXIST) {
        }
        pcv__move_end(segment, &host->mem);
        pcv__kept_superseded(host, segment);
    }
    return error == -PCV_EEXIST ? -PCV_ENOENT : error;
}

/* SPDX-License-Identifier: MIT */
/*
 * Removing a device, and with a bridge everything behind it (LIFE-5, LIFE-6,
 * TOPO-3).
 *
 * Under the segment's lock everything behind is looked at, and if nothing is
 * in the way each device is marked leaving, deepest first. From then on none
 * of them can be found or entered. Then, without that lock, each is torn down
 * and the registry and the owner let go of it. Somebody who took a reference
 * between the look and the mark keeps only the object: it is leaving as well.
 */
#include "owner/internal.h"

/* The devices that one removal works on, deepest first. */
struct leaving {
    struct pcv_device *first;
    struct pcv_device **end;
};

static bool is_leaving(const struct pcv_device *device)
{
    uint64_t word = pcv__word(device);

    return (word & PCV__WORD_LEAVING) != 0 || (word & PCV__WORD_COUNTS) == 0;
}

/* Whether a device keeps the bridge above it from going. One that is being
 * added counts too. */
static bool is_busy(const struct pcv_device *device)
{
    uint64_t word = pcv__word(device);

    return is_leaving(device) || (word & PCV__WORD_NEW) != 0 ||
           pcv__holder_count(word, PCV_HOLDER_CALLER) != 0 ||
           pcv__holder_count(word, PCV_HOLDER_VECTOR) != 0;
}

static uint32_t first_rid(const struct pcv_device *bridge)
{
    return (uint32_t)bridge->secondary << 8;
}

static uint32_t last_rid(const struct pcv_device *bridge)
{
    return ((uint32_t)bridge->subordinate << 8) | 0xffu;
}

/* The device before `rid` behind a bridge, going down: buses far from the root
 * have the higher numbers, so deeper devices come first, and VFs before the PF
 * whose requester ID theirs are counted from. */
static struct pcv_device *deeper(const struct pcv_device *bridge, uint32_t *rid)
{
    struct pcv_device *device;

    if (*rid < first_rid(bridge) || *rid > last_rid(bridge)) {
        return NULL;
    }
    device = pcv__segment_prev(bridge->segment, rid, first_rid(bridge));
    if (device) {
        *rid -= 1u; /* below 0 it wraps, which is past the end too */
    }
    return device;
}

/* The next VF of a PF at or after an address of its segment; those that are
 * being added or leave are passed over. */
static struct pcv_device *next_vf(const struct pcv_device *pf, uint32_t *rid)
{
    pcv_sbdf sbdf = pcv__device_sbdf(pf);
    struct pcv_device *device;

    if (pf->vf_count == 0) {
        return NULL;
    }
    /* Bounded: *rid goes up. */
    while ((device = pcv__segment_next(pf->segment, rid, 0xffffu)) != NULL) {
        *rid += 1u;
        if (!is_leaving(device) && (pcv__word(device) & PCV__WORD_NEW) == 0 &&
            device->is_vf && device->physfn.v == sbdf.v) {
            return device;
        }
    }
    return NULL;
}

static bool is_behind(const struct pcv_device *bridge, pcv_sbdf sbdf)
{
    return first_rid(bridge) <= pcv__rid(sbdf) &&
           pcv__rid(sbdf) <= last_rid(bridge);
}

/* Whether a PF behind the bridge has VFs that would stay: one of them, the PF
 * if its VF is on its way in or out, or NULL. */
static struct pcv_device *vf_elsewhere(struct pcv_device *pf,
                                       const struct pcv_device *bridge)
{
    uint32_t inside = 0;
    uint32_t rid = 0;
    struct pcv_device *vf;

    while ((vf = next_vf(pf, &rid)) != NULL) {
        if (!is_behind(bridge, pcv__device_sbdf(vf))) {
            return vf;
        }
        inside++;
    }
    return inside == pf->vf_count ? NULL : pf;
}

/* A device behind the bridge that is busy, or NULL. */
static struct pcv_device *busy_behind(struct pcv__segment *segment,
                                      const struct pcv_device *bridge)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = last_rid(bridge);
    struct pcv_device *device;

    (void)segment; /* whose lock we hold */
    /* Bounded: rid goes down. */
    while (bridge->bound && (device = deeper(bridge, &rid)) != NULL) {
        if (is_busy(device)) {
            return device;
        }
        device = vf_elsewhere(device, bridge);
        if (device) {
            return device;
        }
    }
    return NULL;
}

/* From here on nobody finds or enters the device. */
static void mark(struct pcv__segment *segment, struct leaving *list,
                 struct pcv_device *device) PCV__REQUIRES(segment->lock)
{
    atomic_fetch_or_explicit(&device->word, PCV__WORD_LEAVING,
                             memory_order_acq_rel);
    atomic_fetch_add_explicit(&device->host->leaving_count, 1,
                              memory_order_relaxed);
    if (device->is_bridge) {
        pcv__bridge_unbind(segment, device);
    }
    device->next_leaving = NULL;
    *list->end = device;
    list->end = &device->next_leaving;
}

static void mark_all(struct pcv__segment *segment, struct leaving *list,
                     struct pcv_device *device) PCV__REQUIRES(segment->lock)
{
    uint32_t rid = last_rid(device);
    struct pcv_device *behind;

    while (device->bound && (behind = deeper(device, &rid)) != NULL) {
        mark(segment, list, behind);
    }
    mark(segment, list, device);
}

/* A VF of a PF, to be named. The PF counts at least one. */
static pcv_sbdf some_vf(const struct pcv_device *pf)
{
    uint32_t rid = 0;
    const struct pcv_device *vf = next_vf(pf, &rid);

    return pcv__device_sbdf(vf ? vf : pf);
}

static void name_busy(pcv_sbdf *out_busy, pcv_sbdf sbdf)
{
    if (out_busy) {
        *out_busy = sbdf;
    }
}

/* Decide and mark. 0: the list holds what leaves. */
static int claim(struct pcv__segment *segment, pcv_sbdf sbdf,
                 struct pcv_completion *done, struct leaving *list,
                 pcv_sbdf *out_busy) PCV__REQUIRES(segment->lock)
{
    _Atomic(struct pcv_device *) *place = pcv__table_find_place(segment, sbdf);
    struct pcv_device *device =
        place ? atomic_load_explicit(place, memory_order_acquire) : NULL;
    struct pcv_device *busy;

    if (!device) {
        return -PCV_ENODEV;
    }
    if (is_leaving(device) || (pcv__word(device) & PCV__WORD_NEW) != 0) {
        name_busy(out_busy, sbdf);
        return -PCV_EBUSY;
    }
    if (device->vf_count != 0) {
        name_busy(out_busy, some_vf(device));
        return -PCV_EBUSY;
    }
    busy = busy_behind(segment, device);
    if (busy) {
        name_busy(out_busy, pcv__device_sbdf(busy));
        return -PCV_EBUSY;
    }
    if (done) {
        done->taken = true;
    }
    device->done = done;
    mark_all(segment, list, device);
    return 0;
}

/* Tear one device down and let go of it. True if it is gone. */
static bool let_go(struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    pcv_sbdf sbdf = pcv__device_sbdf(device);

    pcv__map_teardown(device);
    pcv__vectors_release(device);
    pcv__forget_vf(host, device);
    pcv__ref_put(device, PCV_HOLDER_OWNER);
    if (pcv__ref_put(device, PCV_HOLDER_REGISTRY)) {
        return true;
    }
    pcv__event_at(host, sbdf, PCV_EVENT_LEAVING, 0, 0);
    return false;
}

static int let_all_go(struct leaving *list, pcv_sbdf *out_busy)
{
    struct pcv_device *device = list->first;
    int result = 0;

    while (device) {
        struct pcv_device *next = device->next_leaving;
        pcv_sbdf sbdf = pcv__device_sbdf(device);

        if (!let_go(device)) {
            name_busy(out_busy, sbdf);
            result = -PCV_EBUSY;
        }
        device = next;
    }
    return result;
}

int pcv_device_remove(struct pcv_host *host, pcv_sbdf sbdf,
                      struct pcv_completion *done, pcv_sbdf *out_busy)
{
    struct pcv__segment *segment;
    struct leaving list;
    int error;

    if (!host) {
        return -PCV_EINVAL;
    }
    segment = pcv__segment_find(host, pcv_sbdf_segment(sbdf));
    if (!segment) {
        return -PCV_ENODEV;
    }
    list.first = NULL;
    list.end = &list.first;
    pcv__lock_take(&host->mem, &segment->lock);
    error = claim(segment, sbdf, done, &list, out_busy);
    pcv__lock_drop(&host->mem, &segment->lock);
    return error != 0 ? error : let_all_go(&list, out_busy);
}

static void vanish(struct pcv_device *device)
{
    if (!atomic_exchange_explicit(&device->vanished, true,
                                  memory_order_acq_rel)) {
        pcv__event_at(device->host, pcv__device_sbdf(device),
                      PCV_EVENT_VANISHED, 0, 0);
    }
}

/* A PF takes its VFs along. */
static void vanish_with_vfs(struct pcv_device *device)
{
    uint32_t rid = 0;
    struct pcv_device *vf;

    while ((vf = next_vf(device, &rid)) != NULL) {
        vanish(vf);
    }
    vanish(device);
}

/* What is behind a bridge goes with it. A device that is being added finds its
 * bridge or PF vanished when it is to be published; one that leaves may not be
 * touched, and is not read or written any more anyway. */
static void vanish_all(struct pcv_device *device)
{
    uint32_t rid = last_rid(device);
    struct pcv_device *behind;

    while (device->bound && (behind = deeper(device, &rid)) != NULL) {
        if (!is_leaving(behind) && (pcv__word(behind) & PCV__WORD_NEW) == 0) {
            vanish_with_vfs(behind);
        }
    }
    vanish_with_vfs(device);
}

int pcv_device_vanished(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device;

    if (!host) {
        return -PCV_EINVAL;
    }
    device = pcv_device_find(host, sbdf);
    if (!device) {
        return -PCV_ENODEV;
    }
    pcv__lock_take(&host->mem, &device->segment->lock);
    vanish_all(device);
    pcv__lock_drop(&host->mem, &device->segment->lock);
    pcv_device_put(device);
    return 0;
}

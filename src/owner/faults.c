/* SPDX-License-Identifier: MIT */
/*
 * What becomes of functions whose IOMMU faults are too many (OWN-10). The fault
 * itself marked them, so that their owner reads no bus mastering and can switch
 * none on; here hardware follows, and the host is told, once.
 *
 * A bridge of a conventional bus speaks for everything behind it, and nobody
 * can say who of them it was. They are one isolation group, and so of one user:
 * all of them are cut, and the bridge is not.
 */
#include "registry/faults.h"
#include "owner/internal.h"
#include "registry/group.h"

/* How soon to try again what the host could not write. */
#define AGAIN_US 10000u
/* Functions behind a bridge that one call looks at. */
#define BEHIND_MAX 32u

/* ---- one function ----------------------------------------------------------
 */

static bool in_use(const struct pcv_device *device)
{
    const struct pcv__mem *mem = &device->host->mem;

    return mem->ops.function_flags &&
           (mem->ops.function_flags(mem->ctx, pcv__device_sbdf(device)) &
            PCV_FUNCTION_IN_USE) != 0;
}

/* Hardware follows. 0; or it is due still, and *out_wait_us says how long. */
static int cut_locked(struct pcv_device *device, uint64_t *out_wait_us)
    PCV__REQUIRES(device->lock)
{
    int error = 0;

    *out_wait_us = pcv__hw_quiet_us(device);
    if (*out_wait_us != 0) {
        return -PCV_EAGAIN; /* it is being reset, or wakes up */
    }
    if (pcv__is_cut(device)) {
        error = pcv__command_cut(device);
        *out_wait_us = error != 0 ? AGAIN_US : 0;
    }
    return error;
}

/* Under the segment's lock, since its owner may end otherwise. */
static void tell(struct pcv_device *device, bool cut,
                 const struct pcv__fault_due *due)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &device->segment->lock);
    pcv__event(device, PCV_EVENT_FAULTS, PCV_EVENT_DEVICE, due->address,
               due->flags | (cut ? 0 : PCV_FAULT_LEFT_ON));
    pcv__lock_drop(mem, &device->segment->lock);
}

/* One that is due, or whose faults were forgotten meanwhile. How long until it
 * must be looked at again; 0: it is done. */
static uint64_t look_at(struct pcv_device *device,
                        const struct pcv__fault_due *due)
{
    struct pcv__mem *mem = &device->host->mem;
    bool driven = in_use(device);
    bool done = false;
    uint64_t wait_us = 0;
    bool cut;

    pcv__lock_take(mem, &device->lock);
    if (driven) {
        /* The hypervisor's own is never disturbed. */
        atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_CUT,
                                  memory_order_relaxed);
    }
    if (pcv__is_marked(device, PCV__MARK_CUT_DUE) &&
        cut_locked(device, &wait_us) == 0) {
        /* Whoever takes the mark away tells of it. */
        done = (atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_CUT_DUE,
                                          memory_order_acq_rel) &
                PCV__MARK_CUT_DUE) != 0;
    }
    cut = pcv__is_cut(device);
    pcv__lock_drop(mem, &device->lock);
    if (done) {
        tell(device, cut, due);
    }
    return wait_us;
}

/* ---- what is behind a bridge -----------------------------------------------
 */

static void cut_behind(struct pcv_device *device,
                       const struct pcv__fault_due *due)
{
    if (pcv__faults_condemn(device) && look_at(device, due) != 0) {
        pcv__faults_queue(device);
    }
}

/* The addresses behind a bridge; false: bus numbers lead nowhere. */
static bool range_behind(struct pcv_device *bridge, uint32_t *out_first,
                         uint32_t *out_last)
{
    struct pcv__mem *mem = &bridge->host->mem;
    uint32_t base = pcv__device_sbdf(bridge).v & 0xffff0000u;
    bool bound;

    pcv__lock_take(mem, &bridge->segment->lock);
    bound = bridge->bound;
    *out_first = base | (uint32_t)bridge->secondary << 8;
    *out_last = base | (uint32_t)bridge->subordinate << 8 | 0xffu;
    pcv__lock_drop(mem, &bridge->segment->lock);
    return bound;
}

/* Everything behind it, some at a time; `due->next` is where to go on. The
 * numbers are looked at once: functions that move meanwhile are charged by the
 * next storm. True if there is more. */
static bool look_behind(struct pcv_device *bridge, struct pcv__fault_due *due)
{
    uint32_t first, last;

    if (!range_behind(bridge, &first, &last)) {
        return false;
    }
    if (due->next < first) {
        due->next = first;
    }
    for (uint32_t i = 0; i < BEHIND_MAX; i++) {
        struct pcv_device *device =
            pcv_device_next(bridge->host, (pcv_sbdf){due->next});
        uint32_t at;

        if (!device) {
            return false;
        }
        at = pcv__device_sbdf(device).v;
        if (at <= last) {
            cut_behind(device, due);
        }
        pcv_device_put(device);
        if (at >= last) {
            return false; /* also before the last address of all */
        }
        due->next = at + 1;
    }
    return true;
}

/* It counts anew, for the next that come. */
static void bridge_done(struct pcv_device *bridge,
                        const struct pcv__fault_due *due)
{
    if (pcv__is_marked(bridge, PCV__MARK_CUT_DUE)) {
        pcv__faults_clear(bridge);
        tell(bridge, false, due);
    }
}

/* ---- all of them -----------------------------------------------------------
 */

/* One of the list. True if it left; else *out_wait_us: how long until it must
 * be looked at again. */
static bool work_on(struct pcv_host *host, struct pcv__fault_due *due,
                    uint64_t *out_wait_us)
{
    struct pcv_device *device = pcv_device_find(host, (pcv_sbdf){due->sbdf});
    bool left;

    *out_wait_us = 0;
    if (device && !pcv__bridge_joins(device)) {
        *out_wait_us = look_at(device, due);
    } else if (device && !look_behind(device, due)) {
        bridge_done(device, due);
    }
    left = pcv__faults_looked_at(host, due, device);
    pcv_device_put(device);
    return left;
}

int pcv__faults_work(struct pcv_host *host, uint64_t *out_wait_us)
{
    struct pcv__fault_due due;
    uint32_t place = 0;
    uint64_t wait = 0;
    bool more = false;

    /* Bounded: so many that can wait, twice, since others come meanwhile. */
    for (uint32_t i = 0; i < 2 * PCV__FAULTS_DUE; i++) {
        uint64_t wait_us;

        if (!pcv__faults_at(host, place, &due)) {
            break;
        }
        if (work_on(host, &due, &wait_us)) {
            continue; /* the last of the list has its place */
        }
        place++;
        more = more || wait_us == 0;
        wait = wait == 0 || wait_us < wait ? wait_us : wait;
    }
    *out_wait_us = wait;
    return more ? -PCV_ERESTART : 0;
}

/* ---- who asks --------------------------------------------------------------
 */

int pcv_device_faults(struct pcv_host *host, pcv_sbdf sbdf,
                      struct pcv_device_faults *out_faults)
{
    struct pcv_device *device;
    uint32_t limits;

    if (!host || !out_faults) {
        return -PCV_EINVAL;
    }
    device = pcv_device_find(host, sbdf);
    if (!device) {
        return -PCV_ENODEV;
    }
    limits = atomic_load_explicit(&host->fault_limits, memory_order_relaxed);
    *out_faults = (struct pcv_device_faults){
        .count = pcv__faults_now(device),
        .threshold = pcv__fault_threshold(limits),
        .window_us = 1ull << pcv__fault_order(limits),
        .excess = pcv__is_marked(device, PCV__MARK_FAULTY),
        .cut = pcv__is_cut(device),
        .due = pcv__is_marked(device, PCV__MARK_CUT_DUE),
    };
    pcv_device_put(device);
    return 0;
}

int pcv_device_clear_faults(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device;

    if (!host) {
        return -PCV_EINVAL;
    }
    device = pcv_device_find(host, sbdf);
    if (!device) {
        return -PCV_ENODEV;
    }
    pcv__lock_take(&host->mem, &device->lock);
    pcv__faults_clear(device);
    pcv__lock_drop(&host->mem, &device->lock);
    pcv_device_put(device);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Resets of a whole bus (OWN-16; PCI-to-PCI Bridge 1.2, 3.2.5.18; PCI Express
 * Base 6.0, 6.6.1), in steps that nobody waits for:
 *
 * To begin, everything behind the bridge is looked at, under the segment's
 * lock, and the bridge is marked: from then on nothing there changes its owner,
 * is added, or moves to other bus numbers. Bridge Control holds the bus in
 * reset, for 1 ms (HELD); then what was hit is left alone, for 100 ms
 * (RECOVERS). In the end the mark goes.
 *
 * Whoever comes by goes on with it: a change of owner of anything that was hit,
 * pcv_host_work(), an access that finds nothing. So a caller that is not heard
 * of again leaves nothing behind.
 */
#include "owner/bus_reset.h"
#include "owner/look.h"

#define HOLD_US 1000u      /* PCI Local Bus 3.0, 4.3.2: Trst */
#define RECOVER_US 100000u /* PCI Express Base 6.0, 6.6.1 */

#define DISCARD_STATUS 0x0400u /* of Bridge Control: write-1-to-clear */

/* ---- those that are hit ----------------------------------------------------
 */

static void leave_alone(struct pcv_device *device, uint64_t us, bool clean)
{
    pcv__hw_quiet(device, us);
    if (clean) {
        pcv__note(device, PCV__NOTE_CLEAN | PCV__NOTE_HIT);
    }
}

/* All that are there now: nobody was added since. `clean`: each was reset. */
static void leave_all_alone(struct pcv__segment *segment,
                            const struct pcv_device *bridge, uint64_t us,
                            bool clean) PCV__REQUIRES(segment->lock)
{
    uint32_t rid = pcv__last_rid(bridge);
    struct pcv_device *device;
    pcv_sbdf at;

    for (device = pcv__next_behind(segment, bridge, NULL); device;
         device = pcv__next_behind(segment, bridge, device)) {
        leave_alone(device, us, clean);
    }
    /* Bounded: rid goes down. */
    while ((device = pcv__deeper(segment, bridge, &rid, &at)) != NULL) {
        if (pcv__look(device, at) == PCV__LOOK_LIVE) {
            leave_alone(device, us, clean);
        }
    }
}

/* ---- the list of those under way -------------------------------------------
 */

static void enlist(struct pcv_device *bridge)
{
    struct pcv_host *host = bridge->host;
    struct pcv__bus_reset *reset = &bridge->extras->bus_reset;

    pcv__lock_take(&host->mem, &host->work_lock);
    reset->next = host->bus_resets;
    host->bus_resets = bridge;
    atomic_fetch_add_explicit(&host->bus_reset_count, 1, memory_order_acq_rel);
    pcv__lock_drop(&host->mem, &host->work_lock);
}

static void delist(struct pcv_device *bridge)
{
    struct pcv_host *host = bridge->host;
    struct pcv_device **at = &host->bus_resets;

    pcv__lock_take(&host->mem, &host->work_lock);
    while (*at && *at != bridge) {
        at = &(*at)->extras->bus_reset.next;
    }
    if (*at) {
        *at = bridge->extras->bus_reset.next;
        atomic_fetch_sub_explicit(&host->bus_reset_count, 1,
                                  memory_order_acq_rel);
    }
    pcv__lock_drop(&host->mem, &host->work_lock);
}

/* ---- steps -----------------------------------------------------------------
 */

/* Write Bridge Control's reset. 0 or -PCV_EIO. */
static int hold(struct pcv_device *bridge, bool on) PCV__REQUIRES(bridge->lock)
{
    uint32_t control;

    if (!pcv__hw_fetch(bridge, PCV_REG_BRIDGE_CONTROL, 2, &control) ||
        (control == 0xffffu && on)) {
        return -PCV_EIO;
    }
    if (control == 0xffffu) {
        return 0; /* should it answer again, it forgot */
    }
    control &= ~(PCV_BRIDGE_RESET | DISCARD_STATUS);
    atomic_store_explicit(&bridge->hw_error, 0, memory_order_relaxed);
    pcv__hw_restore(bridge, PCV_REG_BRIDGE_CONTROL, 2,
                    control | (on ? PCV_BRIDGE_RESET : 0u));
    return atomic_load_explicit(&bridge->hw_error, memory_order_relaxed);
}

static void next_phase(struct pcv_device *bridge, enum pcv__bus_phase phase,
                       uint64_t us) PCV__REQUIRES(bridge->lock)
{
    struct pcv__bus_reset *reset = &bridge->extras->bus_reset;

    reset->phase = (uint8_t)phase;
    atomic_store_explicit(&reset->until_us, pcv__now_us(bridge->host) + us,
                          memory_order_relaxed);
}

static int begin_locked(struct pcv_device *bridge) PCV__REQUIRES(bridge->lock)
{
    int error;

    if (!pcv__extras_get(bridge)) {
        return -PCV_ENOMEM;
    }
    pcv__slot_hold(bridge);
    error = hold(bridge, true);
    if (error != 0) {
        (void)hold(bridge, false); /* the write may have arrived */
        pcv__slot_release(bridge);
        return error;
    }
    next_phase(bridge, PCV__BUS_HELD, HOLD_US);
    return 0;
}

static int begin(struct pcv__segment *segment, struct pcv_device *bridge,
                 const struct pcv_device *device) PCV__REQUIRES(segment->lock)
{
    struct pcv__mem *mem = &bridge->host->mem;
    int error;

    pcv__lock_take(mem, &bridge->lock);
    error = begin_locked(bridge);
    pcv__lock_drop(mem, &bridge->lock);
    if (error != 0) {
        return error;
    }
    pcv__note(bridge, PCV__NOTE_BUS_RESET);
    enlist(bridge);
    leave_all_alone(segment, bridge, HOLD_US, false);
    pcv__event(bridge, PCV_EVENT_BUS_RESET, PCV_EVENT_HOST,
               pcv__device_sbdf(device).v, 0);
    return -PCV_ERESTART;
}

int pcv__bus_reset(struct pcv_device *device, const struct pcv__mates *mates,
                   pcv_sbdf *out_busy)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv_device *bridge = pcv__bus_bridge(device);
    int error;

    if (!bridge) {
        return -PCV_EOPNOTSUPP;
    }
    pcv__lock_take(mem, &device->segment->lock);
    error =
        pcv__bus_may_reset(device->segment, bridge, device, mates, out_busy);
    if (error == 0) {
        error = begin(device->segment, bridge, device);
    }
    pcv__lock_drop(mem, &device->segment->lock);
    pcv_device_put(bridge);
    return error;
}

/* The mark goes last: until then nobody asks what was hit. */
static void end(struct pcv_device *bridge) PCV__REQUIRES(bridge->lock)
{
    pcv__slot_release(bridge);
    bridge->extras->bus_reset.phase = PCV__BUS_NONE;
    delist(bridge);
    pcv__unnote(bridge, PCV__NOTE_BUS_RESET);
}

/* Its time is over: let the bus go, or end. Each is left alone from before that
 * until long enough after it. */
static int step(struct pcv__segment *segment, struct pcv_device *bridge)
    PCV__REQUIRES(segment->lock) PCV__REQUIRES(bridge->lock)
{
    int error;

    if (bridge->extras->bus_reset.phase == PCV__BUS_RECOVERS) {
        end(bridge);
        return 0;
    }
    leave_all_alone(segment, bridge, RECOVER_US, false);
    error = hold(bridge, false);
    if (error != 0) {
        return error;
    }
    leave_all_alone(segment, bridge, RECOVER_US, true);
    next_phase(bridge, PCV__BUS_RECOVERS, RECOVER_US);
    return -PCV_ERESTART;
}

/* How long until its next step; 0: now. */
static uint64_t time_left(const struct pcv_device *bridge)
{
    uint64_t until = atomic_load_explicit(&bridge->extras->bus_reset.until_us,
                                          memory_order_relaxed);
    uint64_t now = pcv__now_us(bridge->host);

    return bridge->host->mem.ops.now_us && now < until ? until - now : 0;
}

/* 0: nothing is under way there, or not any more. */
static int go_on(struct pcv_device *bridge)
{
    struct pcv__mem *mem = &bridge->host->mem;
    struct pcv__segment *segment = bridge->segment;
    int error = 0;

    pcv__lock_take(mem, &segment->lock);
    pcv__lock_take(mem, &bridge->lock);
    if (!pcv__bus_in_reset(bridge)) {
        error = 0;
    } else if (pcv__has_vanished(bridge)) {
        end(bridge);
    } else {
        error = time_left(bridge) != 0 ? -PCV_ERESTART : step(segment, bridge);
    }
    pcv__lock_drop(mem, &bridge->lock);
    pcv__lock_drop(mem, &segment->lock);
    return error;
}

/* ---- going on --------------------------------------------------------------
 */

static bool is_any(const struct pcv_host *host)
{
    return atomic_load_explicit(&host->bus_reset_count, memory_order_acquire) !=
           0;
}

int pcv__bus_reset_go_on(struct pcv_device *device)
{
    struct pcv_device *bridge;
    int error;

    if (!is_any(device->host)) {
        return 0;
    }
    bridge = pcv__bus_bridge(device);
    error = bridge && pcv__bus_in_reset(bridge) ? go_on(bridge) : 0;
    pcv_device_put(bridge);
    return error;
}

int pcv__bus_reset_due_behind(struct pcv_device *bridge)
{
    return pcv__bus_in_reset(bridge) ? go_on(bridge) : 0;
}

/* One whose time has come, with a reference; or NULL, and when the next one's
 * does. A bridge stays in the list as long as it is live. */
static struct pcv_device *next_due(struct pcv_host *host, uint64_t *out_wait_us)
{
    struct pcv_device *bridge;
    uint64_t wait = 0;

    pcv__lock_take(&host->mem, &host->work_lock);
    for (bridge = host->bus_resets; bridge;
         bridge = bridge->extras->bus_reset.next) {
        uint64_t left = time_left(bridge);

        if (left != 0) {
            wait = wait == 0 || left < wait ? left : wait;
        } else if (pcv__ref_try(bridge, PCV_HOLDER_CALLER, PCV__WORD_LEAVING)) {
            break;
        }
    }
    pcv__lock_drop(&host->mem, &host->work_lock);
    *out_wait_us = wait;
    return bridge;
}

enum pcv_verdict pcv__bus_resets_due(struct pcv_host *host,
                                     uint64_t *out_wait_us)
{
    struct pcv_device *bridge;
    int error;

    *out_wait_us = 0;
    bridge = is_any(host) ? next_due(host, out_wait_us) : NULL;
    if (!bridge) {
        return PCV_DONE;
    }
    error = go_on(bridge);
    pcv_device_put(bridge);
    if (error == -PCV_EIO) {
        *out_wait_us = RECOVER_US; /* the host fails: later */
        return PCV_DONE;
    }
    return PCV_PENDING;
}

void pcv__bus_reset_goes(struct pcv_device *bridge)
{
    struct pcv__mem *mem = &bridge->host->mem;

    if (!pcv__bus_in_reset(bridge)) {
        return;
    }
    pcv__lock_take(mem, &bridge->lock);
    if (pcv__bus_in_reset(bridge)) {
        (void)hold(bridge, false);
        end(bridge);
    }
    pcv__lock_drop(mem, &bridge->lock);
}

/* SPDX-License-Identifier: MIT */
/*
 * Resets of what changes its owner (OWN-16).
 *
 * A reset is begun here, in the way that the function has, or by the bridge
 * above it; that it is over, and what is put back then, is settle.c's and
 * saved.c's. A function that does not come back is waited for a minute: some
 * start their firmware anew, but a change of owner ends.
 */
#include "owner/reset.h"
#include "owner/change.h"
#include "registry/faults.h"

/* ---- its own way -----------------------------------------------------------
 */

/* Whether it answers at all; a VF has no IDs. -PCV_EIO: not, or the host could
 * not ask. */
static int answers(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    uint16_t reg = device->is_vf ? PCV_REG_REVISION : PCV_REG_VENDOR;
    uint32_t value;

    return pcv__hw_fetch(device, reg, 4, &value) &&
                   (value != UINT32_MAX || pcv__has_vanished(device))
               ? 0
               : -PCV_EIO;
}

int pcv__reset_way(struct pcv_device *device, enum pcv__reset *out_way)
{
    int error;

    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    *out_way = pcv__reset_find(device);
    error = atomic_load_explicit(&device->hw_error, memory_order_relaxed);
    if (error == 0 && *out_way == PCV__RESET_NONE) {
        error = answers(device);
    }
    return error;
}

int pcv__reset_itself(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    enum pcv__reset method;
    int error;

    pcv__lock_take(mem, &device->lock);
    error =
        pcv__extras_get(device) ? pcv__settle_patiently(device) : -PCV_ENOMEM;
    if (error == 0) {
        error = pcv__reset_way(device, &method);
    }
    if (error == 0) {
        pcv__vpci(device)->reset_method = (uint8_t)method;
        error = pcv__reset_start(device);
    }
    if (error == 0) {
        pcv__settle_await(device);
    }
    pcv__lock_drop(mem, &device->lock);
    return error;
}

/* ---- for a change of owner -------------------------------------------------
 */

int pcv__reset_check(struct pcv_device *device, const struct pcv__mates *mates)
{
    enum pcv__reset method;
    pcv_sbdf busy;
    int error;

    if (pcv__is_noted(device, PCV__NOTE_CLEAN)) {
        return 0;
    }
    if (pcv__hw_quiet_us(device) != 0 &&
        !(device->view && pcv__is_settling(device))) {
        return -PCV_ERESTART; /* it is silenced, and was asked just now */
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    method = pcv__reset_find(device);
    error = atomic_load_explicit(&device->hw_error, memory_order_relaxed);
    if (method != PCV__RESET_NONE || error != 0) {
        return method != PCV__RESET_NONE ? 0 : error;
    }
    error = pcv__bus_reset_check(device, mates, &busy);
    return error == -PCV_EBUSY ? -PCV_EOPNOTSUPP : error;
}

/* What is left is its time, and what is put back. */
int pcv__reset_with_bus(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    int error = 0;

    pcv__lock_take(mem, &device->lock);
    if (pcv__extras_get(device)) {
        pcv__unnote(device, PCV__NOTE_HIT);
        pcv__faults_clear(device); /* OWN-10 */
        pcv__settle_begin(device, PCV__SETTLING_RESET,
                          pcv__hw_quiet_us(device));
        pcv__settle_await(device);
    } else {
        error = -PCV_ENOMEM;
    }
    pcv__lock_drop(mem, &device->lock);
    return error;
}

static bool is_guests(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_device_find(host, sbdf);
    bool is = device &&
              pcv__is_guest(host, atomic_load_explicit(&device->owner,
                                                       memory_order_acquire));

    pcv_device_put(device);
    return is;
}

/* It changes its owner as it is, and somebody is told. */
static int go_without(struct pcv_device *device, bool hits, pcv_sbdf busy)
{
    pcv__event(device, PCV_EVENT_NO_RESET, PCV_EVENT_DEVICE, hits ? 1 : 0,
               hits ? busy.v : 0);
    return 0;
}

/*
 * By its bus, or not at all. On the way home it waits in quarantine for another
 * guest's function that is in the way, since that one comes home, too; what the
 * hardware domain has stays where it is, so then there is no way.
 */
static int by_bus(struct pcv_device *device, const struct pcv__mates *mates,
                  bool accepted)
{
    pcv_sbdf busy = {0};
    int error = pcv__bus_reset(device, mates, &busy);

    if (error != -PCV_EOPNOTSUPP && error != -PCV_EBUSY) {
        return error;
    }
    if (!accepted) {
        return -PCV_EOPNOTSUPP;
    }
    if (error == -PCV_EBUSY && !device->change_to &&
        is_guests(device->host, busy)) {
        return -PCV_EBUSY;
    }
    return go_without(device, error == -PCV_EBUSY, busy);
}

static void tell(struct pcv_device *device, enum pcv_reset way)
{
    pcv__event(device, PCV_EVENT_CHANGE_RESET, PCV_EVENT_HOST, way, 0);
}

/* It is clean: that was told when it was reset, but for what a reset of its bus
 * hit, which is told of each. */
static int go_with_clean(struct pcv_device *device)
{
    bool hit = pcv__reset_was_hit(device);
    int error = pcv__reset_with_bus(device);

    if (error == 0 && hit) {
        tell(device, PCV_RESET_BUS);
    }
    return error;
}

int pcv__reset_for_change(struct pcv_device *device,
                          const struct pcv__mates *mates, bool accepted)
{
    /* Another function may have begun a reset of its bus just now. */
    int error = pcv__bus_reset_go_on(device);

    if (error != 0) {
        return error;
    }
    if (pcv__is_noted(device, PCV__NOTE_CLEAN)) {
        return go_with_clean(device);
    }
    error = pcv__reset_itself(device);
    if (error == 0) {
        tell(device, (enum pcv_reset)pcv__vpci(device)->reset_method);
    }
    return error == -PCV_EOPNOTSUPP ? by_bus(device, mates, accepted) : error;
}

void pcv__reset_used(struct pcv_device *device)
{
    pcv__unnote(device, PCV__NOTE_CLEAN | PCV__NOTE_HIT);
}

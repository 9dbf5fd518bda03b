/* SPDX-License-Identifier: MIT */
/* Lost functions that have their time after a reset (OWN-15, SRIOV-3). */
#include "registry/resting.h"

void pcv__resting_hold(struct pcv_device *device)
{
    struct pcv_host *host = device->host;

    if (pcv__hw_rest_us(device) == 0 ||
        !pcv__ref_try(device, PCV_HOLDER_CALLER, 0)) {
        return;
    }
    pcv__lock_take(&host->mem, &host->work_lock);
    device->next_leaving = host->resting;
    host->resting = device;
    atomic_fetch_add_explicit(&host->resting_count, 1, memory_order_acq_rel);
    pcv__lock_drop(&host->mem, &host->work_lock);
}

/* One that need not rest any more, which is ours to let go; or NULL. */
static struct pcv_device *take(struct pcv_host *host, bool any)
{
    struct pcv_device **at;
    struct pcv_device *device;

    pcv__lock_take(&host->mem, &host->work_lock);
    at = &host->resting;
    while (*at && !any && pcv__hw_rest_us(*at) != 0) {
        at = &(*at)->next_leaving;
    }
    device = *at;
    if (device) {
        *at = device->next_leaving;
        atomic_fetch_sub_explicit(&host->resting_count, 1,
                                  memory_order_acq_rel);
    }
    pcv__lock_drop(&host->mem, &host->work_lock);
    return device;
}

void pcv__resting_let_go(struct pcv_host *host, bool all)
{
    struct pcv_device *device;

    /* Bounded: each turn takes one from the list. */
    while ((device = take(host, all)) != NULL) {
        pcv__ref_put(device, PCV_HOLDER_CALLER);
    }
}

bool pcv__resting_at(struct pcv_host *host, pcv_sbdf sbdf)
{
    const struct pcv_device *device;

    if (!pcv__resting_any(host)) {
        return false;
    }
    pcv__lock_take(&host->mem, &host->work_lock);
    device = host->resting;
    while (device && (pcv__device_sbdf(device).v != sbdf.v ||
                      pcv__hw_rest_us(device) == 0)) {
        device = device->next_leaving;
    }
    pcv__lock_drop(&host->mem, &host->work_lock);
    return device != NULL;
}

uint64_t pcv__resting_us(struct pcv_host *host)
{
    const struct pcv_device *device;
    uint64_t wait = UINT64_MAX;

    if (!pcv__resting_any(host)) {
        return 0;
    }
    pcv__lock_take(&host->mem, &host->work_lock);
    for (device = host->resting; device; device = device->next_leaving) {
        uint64_t left = pcv__hw_rest_us(device);

        wait = left < wait ? left : wait;
    }
    pcv__lock_drop(&host->mem, &host->work_lock);
    return wait != UINT64_MAX ? wait : 0;
}

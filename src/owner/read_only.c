/* SPDX-License-Identifier: MIT */
/*
 * Declaring that the hypervisor drives a function itself (OWN-8). What can fail
 * is done first, beside what the hardware domain has; then its view is taken
 * down and the other stands in its place. Hardware is left alone from there on:
 * it is neither silenced nor reset.
 */
#include "owner/hidden.h"
#include "vpci/reserved.h"

static const struct pcv_domain *owner_of(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire);
}

static bool is_declared(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->read_only, memory_order_relaxed);
}

bool pcv__has_vfs(const struct pcv_device *device)
{
    return (device->vfs && device->vfs->count != 0) ||
           atomic_load_explicit(&device->vf_work, memory_order_relaxed) !=
               PCV__VFS_NOTHING;
}

/* What needs no closed gate. */
static int check(const struct pcv_device *device)
{
    if ((device->id.header_type & PCV_HEADER_TYPE_MASK) > 1) {
        return -PCV_EOPNOTSUPP; /* HDR-1 */
    }
    if (device->is_bridge || device->is_vf) {
        return -PCV_EPERM;
    }
    if (owner_of(device)->kind != PCV_DOMAIN_HARDWARE || device->change_for) {
        return -PCV_EBUSY;
    }
    return 0;
}

/* Its view, beside that of the hardware domain, which is as it was. */
static int prepare(struct pcv_device *device, struct pcv__vpci **out_vpci)
    PCV__REQUIRES(device->lock)
{
    int error;

    if (pcv__has_vfs(device) || device->vectors) {
        return -PCV_EBUSY;
    }
    error = pcv__settle_patiently(device);
    return error != 0 ? error : pcv__read_only_build(device, out_vpci);
}

/* Everything that can fail; the gate is closed. */
static int begin(struct pcv_device *device, struct pcv__vpci **out_vpci)
{
    struct pcv_host *host = device->host;
    int error;

    pcv__lock_take(&host->mem, &device->lock);
    error = prepare(device, out_vpci);
    pcv__lock_drop(&host->mem, &device->lock);
    if (error != 0) {
        return error;
    }
    error = pcv__dma_to(device, &host->hypervisor);
    if (error != 0) {
        pcv__lock_take(&host->mem, &device->lock);
        pcv__read_only_discard(device, *out_vpci);
        pcv__lock_drop(&host->mem, &device->lock);
    }
    return error;
}

/* Nothing of it can fail but that it is being removed. */
static int finish(struct pcv_device *device, struct pcv__vpci *vpci,
                  uint32_t marks)
{
    struct pcv_host *host = device->host;
    int error;

    pcv__vpci_teardown(device);
    pcv__bridge_left(device);
    pcv__lock_take(&host->mem, &device->lock);
    pcv__read_only_take(device, vpci);
    device->torn = false;
    pcv__lock_drop(&host->mem, &device->lock);
    atomic_store_explicit(&device->read_only, true, memory_order_relaxed);
    atomic_fetch_or_explicit(&device->marks, marks, memory_order_release);
    error = pcv__change_publish(device, &host->hypervisor);
    pcv__reserved_evict(host);
    if (error == 0) {
        pcv__event(device, PCV_EVENT_ASSIGNED, PCV_EVENT_HOST,
                   host->hypervisor.id, 0);
    }
    return error;
}

int pcv__read_only_declare(struct pcv_device *device, uint32_t marks, bool shut)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__vpci *vpci = NULL;
    int error = pcv__gate_close(device);

    if (error == 0) {
        error = begin(device, &vpci);
    }
    if (error == -PCV_ERESTART) {
        return error; /* behind a closed gate */
    }
    if (error != 0) {
        if (!shut) {
            pcv__lock_take(mem, &device->lock);
            pcv__gate_reopen(device);
            pcv__lock_drop(mem, &device->lock);
        }
        return error;
    }
    return finish(device, vpci, marks);
}

static int declare(struct pcv_device *device)
{
    int error = check(device);

    if (error != 0) {
        return error;
    }
    pcv__change_drop(device); /* what was begun and given up */
    return pcv__read_only_declare(device, 0, false);
}

int pcv_device_set_read_only(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device;
    int error;

    if (!host) {
        return -PCV_EINVAL;
    }
    error = pcv__change_begin(host, sbdf, &device);
    if (error != 0) {
        return error;
    }
    error = is_declared(device) ? 0 : declare(device);
    pcv__change_end(device);
    return error;
}

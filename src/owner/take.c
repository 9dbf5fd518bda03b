/* SPDX-License-Identifier: MIT */
/* Taking a function from its owner: the first steps of a change of owner
 * (OWN-5), up to where it is quarantine's. */
#include "owner/change.h"
#include "owner/dma.h"
#include "owner/reset.h"
#include "registry/away.h"
#include "vpci/shadow.h"

int pcv__change_silence(struct pcv_device *device)
{
    uint16_t command;

    return pcv__silence(device, &command);
}

/* The same for as long as it takes: what it has under way ends. */
static int quiesce(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    int error;

    pcv__change_at(device, PCV_STEP_SILENCE);
    error = pcv__quiesce(device);
    if (error == -PCV_ERESTART) {
        pcv__change_at(device, PCV_STEP_PENDING);
    }
    return error;
}

void pcv__change_undo(struct pcv_device *device)
{
    pcv__lock_take(&device->host->mem, &device->lock);
    pcv__quiesce_undo(device);
    pcv__lock_drop(&device->host->mem, &device->lock);
}

int pcv__change_block(struct pcv_device *device)
{
    pcv__change_at(device, PCV_STEP_BLOCK);
    return pcv__dma_block(device);
}

/* What the host programmed, and what it sees from now on. */
static int remember(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    int error;

    pcv__change_at(device, PCV_STEP_SAVE);
    error = pcv__reset_save(device);
    /* BARs are where they stay now. */
    return error == 0 ? pcv__shadow_cast(device) : error;
}

/* The hardware domain's: silent, and its DMA blocked; or an error, and it does
 * what it did. */
static int stop_hardware(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    int error;

    pcv__lock_take(mem, &device->lock);
    error = pcv__is_silenced(device) ? 0 : remember(device);
    if (error == 0) {
        error = quiesce(device);
    }
    pcv__lock_drop(mem, &device->lock);
    if (error == 0) {
        pcv__change_at(device, PCV_STEP_BLOCK);
        error = pcv__dma_to(device, &device->host->quarantine);
    }
    if (error != 0 && error != -PCV_ERESTART) {
        pcv__change_undo(device);
    }
    return error;
}

/*
 * A guest's, whose host's registers are saved already. What keeps it from being
 * silenced is no reason to leave it with the guest: the IOMMU blocks it all the
 * same, and *out_late is what was in the way. If that cannot be done it stays
 * the guest's; nothing of it is mapped or bound in any case.
 */
static int stop_guest(struct pcv_device *device, int *out_late)
{
    struct pcv__mem *mem = &device->host->mem;
    int error;

    pcv__lock_take(mem, &device->lock);
    *out_late = quiesce(device);
    pcv__lock_drop(mem, &device->lock);
    if (*out_late == -PCV_ERESTART) {
        return -PCV_ERESTART;
    }
    error = pcv__change_block(device);
    if (error != 0) {
        pcv__vpci_teardown(device);
    }
    return error;
}

int pcv__change_silence_again(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    int error;

    pcv__change_at(device, PCV_STEP_SILENCE);
    pcv__lock_take(mem, &device->lock);
    error = pcv__change_silence(device);
    pcv__lock_drop(mem, &device->lock);
    return error;
}

int pcv__change_take(struct pcv_device *device)
{
    struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);
    int late = 0;
    int error;

    pcv__change_at(device, PCV_STEP_CLOSE);
    error = pcv__gate_close(device);
    if (error == -PCV_ERESTART) {
        pcv__change_at(device, PCV_STEP_DRAIN);
    }
    if (error == 0) {
        error = owner->slot ? stop_guest(device, &late) : stop_hardware(device);
    }
    if (error != 0) {
        return error;
    }
    pcv__change_at(device, PCV_STEP_DROP);
    pcv__vpci_teardown(device);
    pcv__bridge_left(device);
    pcv__lock_take(&device->host->mem, &device->lock);
    pcv__quiesce_end(device);
    pcv__lock_drop(&device->host->mem, &device->lock);
    pcv__reset_used(device); /* its owner had it since */
    atomic_store_explicit(&device->owner, &device->host->quarantine,
                          memory_order_release);
    pcv__away_mark(device);
    if (owner->slot && pcv__change_for(device) != owner) {
        pcv__slot_leave(device, owner);
    }
    device->change_reset = false;
    return late == 0 ? 0 : pcv__change_silence_again(device);
}

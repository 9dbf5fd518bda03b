/* SPDX-License-Identifier: MIT */
/* Taking a function from its owner: the first steps of a change of owner
 * (OWN-5), up to where it is quarantine's. */
#include "owner/change.h"
#include "vpci/shadow.h"

/* Neither bus mastering nor decoding; error if that is not known to be so.
 * *out_command: what there was; all ones: it did not answer. */
static int silence_from(struct pcv_device *device, uint32_t *out_command)
    PCV__REQUIRES(device->lock)
{
    const uint32_t off = PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER;
    uint32_t command;

    *out_command = 0xffffu;
    if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command)) {
        return -PCV_EIO;
    }
    *out_command = command;
    if (command == 0xffffu) {
        return 0; /* it does not answer */
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__hw_write(device, PCV_REG_COMMAND, 2, command & ~off);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

int pcv__change_silence(struct pcv_device *device)
{
    uint32_t command;

    return silence_from(device, &command);
}

/* It is its owner's still, and is as it was. */
static void unsilence(struct pcv_device *device, uint32_t command)
    PCV__REQUIRES(device->lock)
{
    if (command != 0xffffu) {
        pcv__hw_restore(device, PCV_REG_COMMAND, 2,
                        pcv__command_allowed(device, command));
    }
}

/* Tried again: that it is blocked is what the rest goes by. */
int pcv__change_block(struct pcv_device *device)
{
    int error;

    pcv__change_at(device, PCV_STEP_BLOCK);
    error = pcv__dma_to(device, &device->host->quarantine);
    return error == 0 ? 0 : pcv__dma_to(device, &device->host->quarantine);
}

/* The hardware domain's: silent, and its DMA blocked; or an error, and it does
 * what it did. */
static int stop_hardware(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    uint32_t command = 0xffffu;
    int error;

    pcv__lock_take(mem, &device->lock);
    pcv__change_at(device, PCV_STEP_SAVE);
    error = pcv__reset_save(device);
    if (error == 0) {
        error = pcv__shadow_cast(device); /* BARs are where they stay now */
    }
    if (error == 0) {
        pcv__change_at(device, PCV_STEP_SILENCE);
        error = silence_from(device, &command);
    }
    pcv__lock_drop(mem, &device->lock);
    if (error == 0) {
        pcv__change_at(device, PCV_STEP_BLOCK);
        error = pcv__dma_to(device, &device->host->quarantine);
    }
    if (error != 0) {
        pcv__lock_take(mem, &device->lock);
        unsilence(device, command);
        pcv__lock_drop(mem, &device->lock);
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
    pcv__change_at(device, PCV_STEP_SILENCE);
    *out_late = pcv__change_silence(device);
    pcv__lock_drop(mem, &device->lock);
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
    atomic_store_explicit(&device->owner, &device->host->quarantine,
                          memory_order_release);
    if (owner->slot && pcv__change_for(device) != owner) {
        pcv__slot_leave(device, owner);
    }
    device->change_reset = false;
    return late == 0 ? 0 : pcv__change_silence_again(device);
}

/* SPDX-License-Identifier: MIT */
/*
 * Resets: how a function can be reset, and doing it (OWN-16, PCIE-1). The time
 * that it takes is settle.c's, what is put back after it saved.c's.
 *
 * Pending transactions are not waited for before a guest's FLR: what the
 * function still has under way goes to that guest's own memory, and the
 * specification lets the reset itself discard it (PCI Express Base 6.0, 6.6.2).
 * A change of owner has waited for them before (pending.c).
 */
#include "registry/faults.h"
#include "vpci/internal.h"

/* ---- where its registers are -----------------------------------------------
 */

static uint32_t read_device(void *ctx, uint16_t reg, uint8_t size)
{
    return pcv__hw_read(ctx, reg, size);
}

uint16_t pcv__reset_cap(struct pcv_device *device, uint16_t id)
{
    const struct pcv_cap_source source = {read_device, device};
    struct pcv_cap caps[PCV_CAPS_MAX];
    size_t count = pcv_caps_walk(&source, caps, PCV_CAPS_MAX, NULL);

    for (size_t i = 0; i < count; i++) {
        if (caps[i].id == id) {
            return caps[i].offset;
        }
    }
    return 0;
}

/* A register of a capability; false if it is not there or not answering. */
static bool fetch(struct pcv_device *device, uint16_t cap, uint16_t offset,
                  uint8_t size, uint32_t *out_value)
{
    return cap != 0 && cap <= PCV_CFG_SIZE - size - offset &&
           pcv__hw_fetch(device, (uint16_t)(cap + offset), size, out_value) &&
           *out_value != pcv__ones(size);
}

/* ---- power -----------------------------------------------------------------
 */

bool pcv__power_is_low(struct pcv_device *device)
{
    uint16_t cap = pcv__reset_cap(device, PCV_CAP_ID_PM);
    uint32_t control;

    return fetch(device, cap, PCV_PM_CONTROL, 2, &control) &&
           (control & PCV_PM_STATE) != PCV_PM_D0;
}

int pcv__power_set(struct pcv_device *device, uint32_t state)
{
    uint16_t cap = pcv__reset_cap(device, PCV_CAP_ID_PM);
    uint32_t control;

    if (!fetch(device, cap, PCV_PM_CONTROL, 2, &control)) {
        return -PCV_EIO;
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    control &= ~(PCV_PM_STATE | PCV_PM_PME_STATUS); /* write-1-to-clear */
    pcv__hw_write(device, (uint16_t)(cap + PCV_PM_CONTROL), 2, control | state);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

/* ---- methods ---------------------------------------------------------------
 */

static bool has_flr(struct pcv_device *device)
{
    uint32_t caps, control;

    return fetch(device, device->pcie_cap, PCV_PCIE_DEVCAP, 4, &caps) &&
           (caps & PCV_PCIE_DEVCAP_FLR) != 0 &&
           fetch(device, device->pcie_cap, PCV_PCIE_DEVCTL, 2, &control);
}

static bool has_af(struct pcv_device *device)
{
    const uint32_t both = PCV_AF_CAPS_TP | PCV_AF_CAPS_FLR;
    uint16_t cap = pcv__reset_cap(device, PCV_CAP_ID_AF);
    uint32_t caps, control;

    return fetch(device, cap, PCV_AF_CAPS, 1, &caps) && (caps & both) == both &&
           fetch(device, cap, PCV_AF_CONTROL, 1, &control);
}

static bool has_d3(struct pcv_device *device)
{
    uint32_t control;

    return fetch(device, pcv__reset_cap(device, PCV_CAP_ID_PM), PCV_PM_CONTROL,
                 2, &control) &&
           (control & PCV_PM_NO_SOFT_RESET) == 0;
}

enum pcv__reset pcv__reset_find(struct pcv_device *device)
{
    if (device->is_bridge) {
        return PCV__RESET_NONE; /* it would take along what is behind it */
    }
    if (device->view && pcv__is_settling(device)) {
        return (enum pcv__reset)pcv__vpci(device)->reset_method;
    }
    if (has_flr(device)) {
        return PCV__RESET_FLR;
    }
    if (has_af(device)) {
        return PCV__RESET_AF;
    }
    return has_d3(device) ? PCV__RESET_D3 : PCV__RESET_NONE;
}

/* ---- doing it --------------------------------------------------------------
 */

static int write_flr(struct pcv_device *device)
{
    uint16_t reg = (uint16_t)(device->pcie_cap + PCV_PCIE_DEVCTL);
    uint32_t control;

    if (!fetch(device, device->pcie_cap, PCV_PCIE_DEVCTL, 2, &control)) {
        return -PCV_EIO;
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__hw_write(device, reg, 2, control | PCV_PCIE_DEVCTL_FLR);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

static int write_af(struct pcv_device *device)
{
    uint16_t cap = pcv__reset_cap(device, PCV_CAP_ID_AF);
    uint32_t control;

    if (!fetch(device, cap, PCV_AF_CONTROL, 1, &control)) {
        return -PCV_EIO;
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__hw_write(device, (uint16_t)(cap + PCV_AF_CONTROL), 1,
                  PCV_AF_CONTROL_FLR);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

/* Functions that say so need no time (PCI Express Base 6.0, 7.5.1.1.4). Before
 * the reset: afterwards it is what may not be asked. */
static uint64_t reset_time(struct pcv_device *device)
{
    uint32_t status;

    return device->pcie_cap != 0 &&
                   fetch(device, PCV_REG_STATUS, 0, 2, &status) &&
                   (status & PCV_STATUS_READY) != 0
               ? 0
               : PCV__QUIET_RESET_US;
}

int pcv__reset_hardware(struct pcv_device *device, enum pcv__reset how)
{
    enum pcv__settling kind = PCV__SETTLING_RESET;
    uint64_t us = reset_time(device);
    int error = -PCV_EOPNOTSUPP;

    switch (how) {
    case PCV__RESET_FLR:
        error = write_flr(device);
        break;
    case PCV__RESET_AF:
        error = write_af(device);
        break;
    case PCV__RESET_D3:
        kind = PCV__SETTLING_SLEEP;
        us = PCV__QUIET_POWER_US;
        error = pcv__power_set(device, PCV_PM_D3HOT);
        break;
    case PCV__RESET_WITH_BUS:
    case PCV__RESET_NONE:
        break;
    }
    if (error == 0) {
        pcv__settle_begin(device, kind, us);
        pcv__faults_clear(device); /* OWN-10: it begins anew */
    }
    return error;
}

int pcv__reset_start(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    uint64_t wait_us;
    int error;

    pcv__lock_check_held(&device->host->mem, &device->lock);
    if (!pcv__settle_locked(device, &wait_us)) {
        return -PCV_ERESTART;
    }
    if (vpci->reset_method == PCV__RESET_NONE) {
        return -PCV_EOPNOTSUPP;
    }
    if (pcv__power_is_low(device)) {
        /* What a reset does in a low power state is not said everywhere. */
        error = pcv__power_set(device, PCV_PM_D0);
        if (error == 0) {
            pcv__settle_begin(device, PCV__SETTLING_RAISE, PCV__QUIET_POWER_US);
        }
        return error;
    }
    return pcv__reset_hardware(device, (enum pcv__reset)vpci->reset_method);
}

void pcv__reset_abandon(struct pcv_device *device)
{
    const uint32_t off = PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER;
    enum pcv__reset how;
    uint32_t command;
    uint64_t us;
    int error = -PCV_EOPNOTSUPP;

    if (pcv__is_silenced(device)) {
        pcv__hw_quiet(device,
                      0); /* only what it has under way was waited for */
    }
    how = pcv__reset_find(device);
    us = reset_time(device);
    if (pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command) &&
        command != 0xffffu) {
        pcv__hw_restore(device, PCV_REG_COMMAND, 2, command & ~off);
    }
    if (how == PCV__RESET_FLR) {
        error = write_flr(device);
    } else if (how == PCV__RESET_AF) {
        error = write_af(device);
    }
    if (error == 0) {
        pcv__hw_quiet(device, us);
    }
}

/* ---- at the owner's word ---------------------------------------------------
 */

enum pcv_verdict pcv__reset_begin(struct pcv_device *device,
                                  enum pcv__reset how)
{
    pcv__caps_reset(device);
    return pcv__map_reset(device, how);
}

void pcv__reset_now(struct pcv_device *device, enum pcv__reset how)
{
    if (device->torn) {
        return; /* a change of owner resets it in its own time */
    }
    pcv__caps_reset(device); /* what was enabled while it was waited for */
    if (device->assignment) {
        pcv__header_guest_reset(device);
        pcv__vpci(device)->decoding = false;
        /* Silent first, as the specification asks. What the host programmed
         * was saved before the guest got it. */
        pcv__command_update(device);
    }
    pcv__event(device, PCV_EVENT_RESET, PCV_EVENT_GUEST, how, 0);
    if (pcv__reset_hardware(device, how) != 0) {
        pcv__settle_begin(device, PCV__SETTLING_RAISE, 0); /* tried again */
    }
}

/* ---- behind the owner's back ------------------------------------------------
 */

int pcv__vpci_restore(struct pcv_device *device)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);
    int error = pcv__settle_patiently(device);

    if (error != 0) {
        return error;
    }
    pcv__faults_clear(device); /* it was reset (OWN-10) */
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    if (device->assignment) {
        pcv__reset_put_back(device);
        error = atomic_load_explicit(&device->hw_error, memory_order_relaxed);
        if (error != 0) {
            return error;
        }
        if (vpci->asleep) {
            /* What is left is done when the guest wakes it. */
            return pcv__power_set(device, PCV_PM_D3HOT);
        }
    }
    pcv__command_update(device);
    pcv__caps_restore(device);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

/* SPDX-License-Identifier: MIT */
/*
 * Silence before a change of owner (OWN-5): neither bus mastering nor decoding,
 * and what the function still has under way is let end.
 *
 * A request that was sent before bus mastering went off is answered later. If
 * the function were reset in between, a late completion could be taken for the
 * answer to a request of its next owner, whose tags begin anew (PCI Express
 * Base 6.0, 6.6.2, on stale completions). So the change asks Transactions
 * Pending, every 10 ms, and is called again meanwhile.
 *
 * It asks for a second at most, twenty times the longest default of a
 * completion timeout (7.5.3.16): what has not ended then never will, and the
 * reset takes it away. The change goes on, and an event says so.
 */
#include "vpci/internal.h"

#define POLL_US 10000u
#define LONGEST_US 1000000u
#define LONGEST_CALLS 100u /* where the host has no clock */

#define PCIE_PENDING 0x0020u /* of Device Status */
#define OFF (PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER)

/* ---- patience --------------------------------------------------------------
 */

void pcv__patience_begin(struct pcv_device *device, uint64_t us, uint32_t calls)
{
    struct pcv__patience *patience = &device->extras->patience;

    patience->until_us = pcv__now_us(device->host) + us;
    patience->calls = calls;
    device->extras->awaited = false;
}

bool pcv__patience_ends(struct pcv_device *device)
{
    struct pcv__patience *patience = &device->extras->patience;

    if (device->host->mem.ops.now_us) {
        return pcv__now_us(device->host) >= patience->until_us;
    }
    if (patience->calls != 0) {
        patience->calls--;
    }
    return patience->calls == 0;
}

/* ---- transactions ----------------------------------------------------------
 */

/* A register that tells of them is set. What does not answer has none. */
static int is_set(struct pcv_device *device, uint32_t reg, uint8_t size,
                  uint32_t bit, bool *out_set)
{
    uint32_t value;

    if (reg > PCV_CFG_SIZE - size) {
        return 0;
    }
    if (!pcv__hw_fetch(device, (uint16_t)reg, size, &value)) {
        return -PCV_EIO;
    }
    *out_set = value != pcv__ones(size) && (value & bit) != 0;
    return 0;
}

/* Advanced Features tell of it for conventional functions. */
static int look(struct pcv_device *device, bool *out_pending)
{
    uint16_t af = 0;

    *out_pending = false;
    if (device->pcie_cap != 0) {
        return is_set(device, (uint32_t)device->pcie_cap + PCV_PCIE_DEVSTA, 2,
                      PCIE_PENDING, out_pending);
    }
    af = pcv__reset_cap(device, PCV_CAP_ID_AF);
    return af != 0 ? is_set(device, (uint32_t)af + PCV_AF_STATUS, 1,
                            PCV_AF_STATUS_TP, out_pending)
                   : 0;
}

/* ---- silence ---------------------------------------------------------------
 */

int pcv__silence(struct pcv_device *device, uint16_t *out_command)
{
    uint32_t command;

    *out_command = 0xffffu;
    if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command)) {
        return -PCV_EIO;
    }
    *out_command = (uint16_t)command;
    if (command == 0xffffu) {
        return 0; /* it does not answer */
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__hw_write(device, PCV_REG_COMMAND, 2, command & ~OFF);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

/* Its first step, which may have half happened where it fails. */
static int begin(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    struct pcv__extras *extras = pcv__extras_get(device);
    uint16_t command;
    int error;

    if (!extras) {
        return -PCV_ENOMEM;
    }
    error = pcv__silence(device, &command);
    if (error == 0 || command != 0xffffu) {
        extras->command = command;
        extras->silenced = true;
        pcv__patience_begin(device, LONGEST_US, LONGEST_CALLS);
    }
    return error;
}

bool pcv__is_silenced(struct pcv_device *device)
{
    return device->extras && device->extras->silenced;
}

int pcv__quiesce(struct pcv_device *device)
{
    bool pending;
    int error = 0;

    if (!pcv__is_silenced(device)) {
        error = begin(device);
    } else if (pcv__hw_quiet_us(device) != 0) {
        return -PCV_ERESTART; /* it was asked just now */
    }
    if (error == 0) {
        error = look(device, &pending);
    }
    if (error != 0 || !pending) {
        return error;
    }
    if (pcv__patience_ends(device)) {
        pcv__event(device, PCV_EVENT_PENDING, PCV_EVENT_DEVICE, 0, 0);
        return 0;
    }
    /* Its gate is closed: nobody has a reason to ask it before. */
    pcv__hw_quiet(device, POLL_US);
    return -PCV_ERESTART;
}

void pcv__quiesce_undo(struct pcv_device *device)
{
    if (device->extras) {
        device->extras->reset_stage = 0; /* it was on its way to a reset */
    }
    if (!pcv__is_silenced(device)) {
        return;
    }
    pcv__hw_quiet(device, 0);
    if (device->extras->command != 0xffffu) {
        pcv__hw_restore(device, PCV_REG_COMMAND, 2,
                        pcv__command_allowed(device, device->extras->command));
    }
    device->extras->silenced = false;
}

void pcv__quiesce_end(struct pcv_device *device)
{
    if (device->extras) {
        device->extras->silenced = false;
        device->extras->restores = false;
        device->extras->reset_stage = 0;
    }
}

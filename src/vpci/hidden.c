/* SPDX-License-Identifier: MIT */
/*
 * What a write to a register of a hidden function does that is virtual for the
 * hardware domain (OWN-7). Their values are their cells'; hardware keeps what
 * it has.
 */
#include "vpci/cap.h"
#include "vpci/hidden_rows.h"

#define DECODE (PCV_CMD_IO | PCV_CMD_MEMORY)

/* ---- command ---------------------------------------------------------------
 */

/* A bridge forwards what is behind it, too. */
uint32_t pcv__hidden_kept(const struct pcv_device *device)
{
    const struct pcv__hidden *hidden = pcv__hidden(device);
    bool masters = (hidden->flags & PCV_HIDE_MASTER) != 0 || device->is_bridge;

    return DECODE | (masters ? PCV_CMD_MASTER : 0u);
}

uint32_t pcv__hidden_command_of(const struct pcv_device *device)
{
    return pcv__cells_load(pcv__vpci(device), PCV_REG_COMMAND, 2);
}

/* Bits that are the domain's to write go to hardware. Dropped where what is to
 * be kept is not known. */
static void command_to_hardware(struct pcv_device *device, uint32_t command)
    PCV__REQUIRES(device->lock)
{
    uint32_t kept = pcv__hidden_kept(device);
    uint32_t now;

    if (pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &now) && now != 0xffffu) {
        pcv__hw_write(device, PCV_REG_COMMAND, 2,
                      (command & ~kept) | (now & kept));
    }
}

void pcv__hidden_command(struct pcv_device *device, uint32_t command)
{
    pcv__cells_store(pcv__vpci(device), PCV_REG_COMMAND, 2, command);
    command_to_hardware(device, command);
}

bool pcv__hidden_decodes(const struct pcv_device *device)
{
    return (pcv__hidden_command_of(device) & PCV_CMD_MEMORY) != 0;
}

static enum pcv_verdict write_command(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    struct pcv_device *device = write->device;

    if (device->torn) {
        return PCV_DONE;
    }
    command_to_hardware(device, write->value);
    return pcv__map_again(device, pcv__hidden_decodes(device), PCV_BARS);
}

/* ---- BARs ------------------------------------------------------------------
 */

/* The BAR whose register, or upper half, is at an offset. */
static uint32_t bar_at(const struct pcv_device *device, uint16_t offset)
{
    uint32_t number = (offset - PCV_REG_BAR0) / 4u;

    if (offset == pcv__bar_reg(device, PCV_BAR_IS_ROM)) {
        return PCV_BAR_IS_ROM;
    }
    return device->bar[number].order == 0 && number != 0 ? number - 1 : number;
}

static enum pcv_verdict write_bar(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    struct pcv_device *device = write->device;

    if (write->value == write->old || !pcv__vpci(device)->decoding) {
        return PCV_DONE;
    }
    return pcv__map_again(device, true, (uint8_t)bar_at(device, write->offset));
}

void pcv__hidden_owned(const struct pcv_device *device, uint32_t number,
                       struct pcv__owned *out)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);
    const struct pcv__bar *bar = &device->bar[number];
    uint16_t reg = pcv__bar_reg(device, number);
    uint32_t value = pcv__cells_load(vpci, reg, 4);

    out->size = pcv__bar_size(bar);
    out->kind = bar->kind;
    if (number == PCV_BAR_IS_ROM) {
        out->enabled = (value & PCV_ROM_ENABLE) != 0;
        out->address = value & PCV_ROM_MASK;
        return;
    }
    out->enabled = true;
    out->address = value & PCV_BAR_MEM_MASK;
    if (bar->kind == PCV_BAR_MEM64) {
        out->address |= (uint64_t)pcv__cells_load(vpci, (uint16_t)(reg + 4u), 4)
                        << 32;
    }
}

/* ---- as after a reset ------------------------------------------------------
 */

/* The function was reset in the eyes of the domain: its registers say so, and
 * its vectors are gone. */
static void forget_state(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    const struct pcv__hidden *hidden = pcv__hidden(device);
    struct pcv__vpci *vpci = pcv__vpci(device);

    pcv__caps_reset(device);
    pcv__hidden_command(device, 0);
    for (uint32_t i = 0; i < hidden->row_count; i++) {
        const struct pcv_register *row = &hidden->row[i];

        if (pcv__hidden_is_bar(row)) {
            pcv__cells_store(vpci, row->offset, 4,
                             row->initial & row->policy.constant);
        }
    }
    vpci->asleep = false;
}

/* ---- power and reset -------------------------------------------------------
 */

uint16_t pcv__hidden_pm(const struct pcv_device *device)
{
    const struct pcv__cap *cap = pcv__cap_find(device, PCV_CAP_ID_PM, false);

    return cap ? (uint16_t)(cap->offset + PCV_PM_CONTROL) : 0;
}

static void set_state(struct pcv_device *device, uint32_t state)
{
    uint16_t reg = pcv__hidden_pm(device);

    if (reg != 0) {
        pcv__cells_store(pcv__vpci(device), reg, 2, state);
    }
}

/* Wake-up bits are hardware's; the state is not. */
static void pm_to_hardware(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    struct pcv_device *device = write->device;
    uint32_t now;

    if (pcv__hw_fetch(device, write->offset, 2, &now) && now != 0xffffu) {
        pcv__hw_write(device, write->offset, 2,
                      (write->value & ~PCV_PM_STATE) | (now & PCV_PM_STATE));
    }
}

static enum pcv_verdict wake_up(struct pcv_device *device, bool forgets)
    PCV__REQUIRES(device->lock)
{
    if (forgets) {
        forget_state(device);
    }
    pcv__vpci(device)->asleep = false;
    return pcv__map_again(device, pcv__hidden_decodes(device), PCV__MOVING_ALL);
}

/* D0 and D3hot; others are ignored, as by a function that does not support
 * them (PCI Power Management 1.2, 3.2.4). */
static enum pcv_verdict write_power(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    struct pcv_device *device = write->device;
    uint32_t from = write->old & PCV_PM_STATE;
    uint32_t to = write->value & PCV_PM_STATE;

    if (device->torn) {
        return PCV_DONE;
    }
    pm_to_hardware(write);
    if (to != PCV_PM_D0 && to != PCV_PM_D3HOT) {
        to = from;
        set_state(device, from);
    }
    if (from == to) {
        return PCV_DONE;
    }
    if (to == PCV_PM_D0) {
        return wake_up(device, (write->old & PCV_PM_NO_SOFT_RESET) == 0);
    }
    pcv__vpci(device)->asleep = true;
    return pcv__map_again(device, false, PCV__MOVING_ALL);
}

static enum pcv_verdict reset(struct pcv_device *device)
    PCV__REQUIRES(device->lock)
{
    if (device->torn) {
        return PCV_DONE;
    }
    forget_state(device);
    set_state(device, PCV_PM_D0);
    return pcv__map_again(device, false, PCV__MOVING_ALL);
}

static enum pcv_verdict write_device_control(
    const struct pcv_register_write *write) PCV__NO_ANALYSIS
{
    pcv__hw_write(write->device, write->offset, 2,
                  write->value & ~PCV_PCIE_DEVCTL_FLR);
    return (write->value & PCV_PCIE_DEVCTL_FLR) != 0 ? reset(write->device)
                                                     : PCV_DONE;
}

static enum pcv_verdict write_af(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    return (write->value & PCV_AF_CONTROL_FLR) != 0 ? reset(write->device)
                                                    : PCV_DONE;
}

const struct pcv__hidden_ops pcv__hidden_ops = {
    .command = {.write = write_command},
    .bar = {.write = write_bar},
    .power = {.write = write_power},
    .device_control = {.write = write_device_control},
    .af = {.write = write_af},
};

/* SPDX-License-Identifier: MIT */
/*
 * The command register between owner and hardware (HDR-2, MSIX-2; PCI Local Bus
 * 3.0, 6.2.2): what hardware has may differ from what the owner asked for.
 */
#include "vpci/hidden.h"

/* Bits that a guest may change. Ports are not mapped, so I/O decoding is not
 * one of them. */
#define GUEST_BITS (PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_INTX_OFF)

/* Memory decoding that stays on behind the owner's back: MSI-X's table is in
 * memory. */
static bool holds_memory(const struct pcv__vpci *vpci)
{
    return vpci->bound != 0;
}

static uint32_t guest_command(const struct pcv__vpci *vpci,
                              const struct pcv__assignment *guest,
                              uint32_t hardware)
{
    uint32_t command = hardware & ~(uint32_t)(GUEST_BITS | PCV_CMD_IO);

    command |= guest->command & (PCV_CMD_MASTER | PCV_CMD_INTX_OFF);
    if (vpci->decoding || holds_memory(vpci)) {
        command |= PCV_CMD_MEMORY;
    }
    if (vpci->msi_on || vpci->msix_on) {
        command |= PCV_CMD_INTX_OFF;
    }
    return command;
}

static void write_guest(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    uint32_t now, want;

    if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &now)) {
        return; /* what is to be kept is not known */
    }
    /* What does not answer has nothing to keep; should it answer again, what
     * is to be off in it is off. */
    want = guest_command(vpci, device->assignment, now == 0xffffu ? 0 : now);
    if (want != now) {
        pcv__hw_write(device, PCV_REG_COMMAND, 2, want);
    }
}

void pcv__command_write(struct pcv_device *device, uint16_t command)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    if (device->assignment) {
        device->assignment->command = command & GUEST_BITS;
        write_guest(device);
        return;
    }
    if (vpci->hidden) {
        pcv__hidden_command(device, command);
        return;
    }
    vpci->memory_held = (command & PCV_CMD_MEMORY) == 0 && holds_memory(vpci);
    pcv__hw_write(device, PCV_REG_COMMAND, 2,
                  command | (vpci->memory_held ? PCV_CMD_MEMORY : 0u));
}

uint32_t pcv__command_read(struct pcv_device *device)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);

    if (device->assignment) {
        return device->assignment->command |
               (vpci->msi_on || vpci->msix_on ? PCV_CMD_INTX_OFF : 0u);
    }
    return pcv__hw_read(device, PCV_REG_COMMAND, 2) &
           ~(vpci->memory_held ? (uint32_t)PCV_CMD_MEMORY : 0u);
}

/* The hardware domain's memory decoding, without its knowledge. False: hardware
 * does not answer, or had it so already. */
static bool force_memory(struct pcv_device *device, bool on)
{
    uint32_t now;

    if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &now) || now == 0xffffu ||
        ((now & PCV_CMD_MEMORY) != 0) == on) {
        return false;
    }
    pcv__hw_write(device, PCV_REG_COMMAND, 2, now ^ PCV_CMD_MEMORY);
    return true;
}

void pcv__command_update(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    bool hold = holds_memory(vpci);

    if (device->assignment) {
        /* One that leaves its guest was silenced, and stays so. */
        if (!device->torn) {
            write_guest(device);
        }
    } else if (vpci->hidden) {
        /* It is on as long as the hypervisor wants it. */
    } else if (hold && !vpci->memory_held && !device->is_vf) {
        vpci->memory_held = force_memory(device, true);
    } else if (!hold && vpci->memory_held) {
        vpci->memory_held = false;
        (void)force_memory(device, false);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * The command register between owner and hardware (HDR-2, MSIX-2; PCI Local Bus
 * 3.0, 6.2.2): what hardware has may differ from what the owner asked for.
 */
#include "registry/faults.h"
#include "vpci/hidden.h"
#include "vpci/protect.h"

/* Bits that a guest may change. Ports are not mapped, so I/O decoding is not
 * one of them. */
#define GUEST_BITS (PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_INTX_OFF)

/* Memory decoding that stays on behind the owner's back: MSI-X's table is in
 * memory. */
static bool holds_memory(const struct pcv__vpci *vpci)
{
    return vpci->bound != 0;
}

/* Bits that are off whatever the owner says (OWN-10). */
static uint32_t denied(const struct pcv_device *device)
{
    return pcv__is_cut(device) ? PCV_CMD_MASTER : 0;
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
    want = guest_command(vpci, device->assignment, now == 0xffffu ? 0 : now) &
           ~denied(device);
    if (want != now) {
        pcv__hw_write(device, PCV_REG_COMMAND, 2, want);
    }
}

/* What was asked of a bridge before a guest got a function behind it, or is
 * undone since its own BARs could not be mapped, must not cut that off
 * (OWN-15). */
static uint16_t protect(struct pcv_device *device, uint16_t command)
{
    uint32_t now;

    if (!device->is_bridge || !pcv__guards(device) ||
        !pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &now) || now == 0xffffu) {
        return command;
    }
    return (uint16_t)(command | (now & PCV__BRIDGE_ENABLES));
}

void pcv__command_write(struct pcv_device *device, uint16_t command)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    if (device->assignment) {
        device->assignment->command =
            (uint16_t)(command & GUEST_BITS & ~denied(device));
        write_guest(device);
        return;
    }
    if (vpci->hidden) {
        pcv__hidden_command(device, command);
        return;
    }
    command = protect(device, command);
    vpci->memory_held = (command & PCV_CMD_MEMORY) == 0 && holds_memory(vpci);
    pcv__hw_write(device, PCV_REG_COMMAND, 2,
                  (command | (vpci->memory_held ? PCV_CMD_MEMORY : 0u)) &
                      ~denied(device));
}

uint32_t pcv__command_allowed(const struct pcv_device *device, uint32_t command)
{
    return command == 0xffffu ? command : command & ~denied(device);
}

uint32_t pcv__command_read(struct pcv_device *device)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);

    if (device->assignment) {
        return (device->assignment->command & ~denied(device)) |
               (vpci->msi_on || vpci->msix_on ? PCV_CMD_INTX_OFF : 0u);
    }
    return pcv__command_allowed(device,
                                pcv__hw_read(device, PCV_REG_COMMAND, 2)) &
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

int pcv__command_cut(struct pcv_device *device)
{
    uint32_t now;

    if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &now)) {
        return -PCV_EIO;
    }
    if (device->assignment) {
        /* Should its faults be forgotten it has to switch it on again. */
        device->assignment->command &= (uint16_t)~PCV_CMD_MASTER;
    }
    if (now == 0xffffu || (now & PCV_CMD_MASTER) == 0) {
        return 0; /* what does not answer has forgotten it */
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__hw_restore(device, PCV_REG_COMMAND, 2, now & ~PCV_CMD_MASTER);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

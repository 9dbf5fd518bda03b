/* SPDX-License-Identifier: MIT */
/*
 * The slot registers of a port, for the hardware domain that drives it
 * (LIFE-12; PCI Express Base 6.0, 7.5.3.10 and 7.5.3.11). Everything is
 * hardware's. But when an event is taken note of, or the slot's power goes off,
 * what was in the slot may be gone: the owner floor looks before the domain
 * goes on.
 */
#include "vpci/cap/slot.h"
#include "registry/route.h"

#define SLOT_END 0x1cu /* behind Slot Status, from the capability's start */
#define EVENTS (PCV_PCIE_SLTSTA_PRESENCE_CHANGED | PCV_PCIE_SLTSTA_LINK_CHANGED)

static enum pcv_verdict ask(struct pcv_device *port)
{
    /* What is torn down is asked of nobody any more. */
    if (port->torn || atomic_exchange_explicit(&port->slot_event, true,
                                               memory_order_acq_rel)) {
        return PCV_DONE;
    }
    atomic_fetch_add_explicit(&port->host->slot_count, 1, memory_order_acq_rel);
    return PCV_PENDING;
}

static enum pcv_verdict write_control(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    const struct pcv__cap *cap = write->data;
    uint32_t switched = write->value & ~write->old;

    pcv__cap_write(cap, PCV_PCIE_SLTCTL, 2, write->value);
    return (switched & PCV_PCIE_SLTCTL_POWER_OFF) != 0 ? ask(write->device)
                                                       : PCV_DONE;
}

static enum pcv_verdict write_status(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    const struct pcv__cap *cap = write->data;

    pcv__cap_write(cap, PCV_PCIE_SLTSTA, 2, write->value);
    return (write->value & EVENTS) != 0 ? ask(write->device) : PCV_DONE;
}

static const struct pcv_register_ops control_ops = {.write = write_control};
static const struct pcv_register_ops status_ops = {.write = write_status};

static const struct pcv_register rows[] = {
    {
        .name = "Slot Control",
        .offset = PCV_PCIE_SLTCTL,
        .size = 2,
        .policy = {.hardware = 0xffff},
        .ops = &control_ops,
    },
    {
        .name = "Slot Status",
        .offset = PCV_PCIE_SLTSTA,
        .size = 2,
        .policy = {.hardware = 0xffffu & ~PCV_PCIE_SLTSTA_W1C,
                   .w1c = PCV_PCIE_SLTSTA_W1C},
        .ops = &status_ops,
    },
};

int pcv__slot_setup(struct pcv__cap *cap)
{
    const struct pcv_device *port = cap->device;
    uint32_t flags;

    if (!pcv__is_link_port(port) || cap->offset != port->pcie_cap ||
        cap->offset > PCV_CFG_SIZE - SLOT_END) {
        return 0;
    }
    if (!pcv__hw_fetch(cap->device, (uint16_t)(cap->offset + PCV_PCIE_FLAGS), 2,
                       &flags)) {
        return -PCV_EIO;
    }
    return (flags & PCV_PCIE_FLAGS_SLOT) != 0
               ? pcv__cap_add(cap, rows, sizeof(rows) / sizeof(rows[0]))
               : 0;
}

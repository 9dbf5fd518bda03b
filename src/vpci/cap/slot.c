/* SPDX-License-Identifier: MIT */
/*
 * The link and slot registers of a port, for the hardware domain that drives it
 * (LIFE-12; PCI Express Base 6.0, 7.5.3.7, 7.5.3.10, 7.5.3.11 and 7.5.3.16).
 * Everything is hardware's. But when an event is taken note of, or the slot's
 * power goes off, what was in the slot may be gone: the owner floor looks
 * before the domain goes on. And what a guest has behind the port is not
 * switched off, nor cut off (OWN-15): training the link again is neither.
 */
#include "vpci/cap/slot.h"
#include "registry/route.h"
#include "vpci/protect.h"

#define SLOT_END 0x1cu /* behind Slot Status, from the capability's start */
#define VERSION_2_END 0x2au /* behind Device Control 2 */
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
    static const struct pcv__protected bits = {.set = PCV_PCIE_SLTCTL_POWER_OFF,
                                               .resets = true};
    const struct pcv__cap *cap = write->data;
    uint32_t value, switched;
    enum pcv_verdict verdict = pcv__protect(write, &bits, &value);

    if (verdict != PCV_DONE) {
        return pcv__protect_end(verdict);
    }
    switched = value & ~write->old;
    pcv__cap_write(cap, PCV_PCIE_SLTCTL, 2, value);
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

/* A register of which only some bits are ours to look at. */
static enum pcv_verdict write_kept(const struct pcv_register_write *write,
                                   const struct pcv__protected *bits)
    PCV__NO_ANALYSIS
{
    uint32_t value;
    enum pcv_verdict verdict = pcv__protect(write, bits, &value);

    if (verdict == PCV_DONE) {
        pcv__hw_write(write->device, write->offset, 2, value);
    }
    return pcv__protect_end(verdict);
}

static enum pcv_verdict write_link(const struct pcv_register_write *write)
{
    static const struct pcv__protected bits = {.set = PCV_PCIE_LNKCTL_DISABLE,
                                               .resets = true};

    return write_kept(write, &bits);
}

/* Without ARI forwarding functions above 7 answer no more; with it device
 * numbers above 0 do not. */
static enum pcv_verdict write_control_2(const struct pcv_register_write *write)
{
    static const struct pcv__protected bits = {.kept = PCV_PCIE_DEVCTL2_ARI};

    return write_kept(write, &bits);
}

static const struct pcv_register_ops link_ops = {.write = write_link};
static const struct pcv_register_ops control_2_ops = {.write = write_control_2};
static const struct pcv_register_ops control_ops = {.write = write_control};
static const struct pcv_register_ops status_ops = {.write = write_status};

static const struct pcv_register link_row = {
    .name = "Link Control",
    .offset = PCV_PCIE_LNKCTL,
    .size = 2,
    .policy = {.hardware = 0xffff},
    .ops = &link_ops,
};

static const struct pcv_register control_2_row = {
    .name = "Device Control 2",
    .offset = PCV_PCIE_DEVCTL2,
    .size = 2,
    .policy = {.hardware = 0xffff},
    .ops = &control_2_ops,
};

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

static int setup(struct pcv__cap *cap, uint32_t flags)
{
    int error = pcv__cap_add(cap, &link_row, 1);

    /* The first version ends before it. */
    if (error == 0 && (flags & PCV_PCIE_FLAGS_VERSION) >= 2 &&
        cap->offset <= PCV_CFG_SIZE - VERSION_2_END) {
        error = pcv__cap_add(cap, &control_2_row, 1);
    }
    if (error == 0 && (flags & PCV_PCIE_FLAGS_SLOT) != 0) {
        error = pcv__cap_add(cap, rows, sizeof(rows) / sizeof(rows[0]));
    }
    return error;
}

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
    return setup(cap, flags);
}

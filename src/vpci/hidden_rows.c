/* SPDX-License-Identifier: MIT */
/*
 * The rows that describe what is virtual of a hidden function (OWN-7), and
 * putting them in place of the hardware domain's own.
 */
#include "vpci/hidden_rows.h"
#include "vpci/cap.h"

#define SBR 0x0040u          /* secondary bus reset, of Bridge Control */
#define LINK_DISABLE 0x0010u /* of Link Control */
#define ALL32 0xffffffffu

static const char *const bar_names[PCV_BARS] = {
    "BAR 0", "BAR 1", "BAR 2", "BAR 3", "BAR 4", "BAR 5", "Expansion ROM",
};

/* ---- rows ------------------------------------------------------------------
 */

static struct pcv_register *new_row(struct pcv__hidden *hidden,
                                    const char *name, uint16_t offset,
                                    uint8_t size)
{
    struct pcv_register *row = &hidden->row[hidden->row_count++];

    row->name = name;
    row->offset = offset;
    row->size = size;
    row->flags = PCV_REGISTER_MAPS;
    return row;
}

/* Registers of the header and of capabilities whose row there may be none of.
 */
static bool has_row(const struct pcv__vpci *vpci, uint16_t offset)
{
    const struct pcv__cell *cell = pcv__cell_at(vpci, offset);

    return cell && cell->reg[offset % 4u] != 0;
}

static int row_command(struct pcv_device *device, struct pcv__hidden *hidden)
{
    struct pcv_register *row = new_row(hidden, "Command", PCV_REG_COMMAND, 2);
    uint32_t now;

    if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &now) || now == 0xffffu) {
        return -PCV_EIO;
    }
    row->policy.virt = pcv__hidden_kept(device);
    row->policy.hardware = 0xffffu & ~row->policy.virt;
    row->initial = now;
    row->ops = &pcv__hidden_ops.command;
    if (pcv__vpci(device)->memory_held) {
        row->initial &= ~(uint32_t)PCV_CMD_MEMORY; /* what it reads */
    }
    return 0;
}

/* Bits of an address that can be set, in the first register and the second. */
static uint64_t settable(const struct pcv__bar *bar)
{
    uint64_t mask = ~(pcv__bar_size(bar) - 1u);

    switch (bar->kind) {
    case PCV_BAR_IO:
        return mask & PCV_BAR_IO_MASK;
    case PCV_BAR_ROM:
        return (mask & PCV_ROM_MASK) | PCV_ROM_ENABLE;
    case PCV_BAR_MEM64:
        return mask & ~(uint64_t)~PCV_BAR_MEM_MASK;
    default:
        return mask & PCV_BAR_MEM_MASK;
    }
}

static int row_of_bar(struct pcv_device *device, struct pcv__hidden *hidden,
                      uint32_t number, uint16_t reg, uint32_t bits)
{
    struct pcv_register *row = new_row(hidden, bar_names[number], reg, 4);
    uint32_t now;

    if (!pcv__hw_fetch(device, reg, 4, &now)) {
        return -PCV_EIO;
    }
    row->policy.virt = bits;
    row->policy.constant = ~bits;
    row->initial = now;
    row->ops = &pcv__hidden_ops.bar;
    return 0;
}

static int rows_of_bars(struct pcv_device *device, struct pcv__hidden *hidden)
{
    int error = 0;

    for (uint32_t i = 0; i < PCV_BARS && error == 0; i++) {
        const struct pcv__bar *bar = &device->bar[i];
        uint16_t reg = pcv__bar_reg(device, i);

        if (bar->order == 0) {
            continue;
        }
        error = row_of_bar(device, hidden, i, reg, (uint32_t)settable(bar));
        if (error == 0 && bar->kind == PCV_BAR_MEM64) {
            error = row_of_bar(device, hidden, i + 1u, (uint16_t)(reg + 4u),
                               (uint32_t)(settable(bar) >> 32));
        }
    }
    return error;
}

static int rows_of_caps(struct pcv_device *device, struct pcv__hidden *hidden)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);
    const struct pcv__cap *af = pcv__cap_find(device, PCV_CAP_ID_AF, false);
    uint16_t control = (uint16_t)(device->pcie_cap + PCV_PCIE_DEVCTL);
    uint16_t pm = pcv__hidden_pm(device);
    struct pcv_register *row;
    uint32_t now;

    if (pm != 0) {
        row = new_row(hidden, "Power Management Control/Status", pm, 2);
        if (!pcv__hw_fetch(device, pm, 2, &now)) {
            return -PCV_EIO;
        }
        row->policy.virt = PCV_PM_STATE;
        row->policy.w1c = PCV_PM_PME_STATUS;
        row->policy.hardware = 0xffffu & ~(PCV_PM_STATE | PCV_PM_PME_STATUS);
        row->initial = now;
        row->ops = &pcv__hidden_ops.power;
    }
    if (!device->is_bridge && device->pcie_cap != 0 && has_row(vpci, control)) {
        row = new_row(hidden, "Device Control", control, 2);
        row->policy.hardware = 0xffffu & ~PCV_PCIE_DEVCTL_FLR;
        row->policy.virt_w1c = PCV_PCIE_DEVCTL_FLR;
        row->ops = &pcv__hidden_ops.device_control;
    }
    if (af && has_row(vpci, (uint16_t)(af->offset + PCV_AF_CONTROL))) {
        row = new_row(hidden, "AF Control",
                      (uint16_t)(af->offset + PCV_AF_CONTROL), 1);
        row->policy.hardware = 0xffu & ~PCV_AF_CONTROL_FLR;
        row->policy.virt_w1c = PCV_AF_CONTROL_FLR;
        row->ops = &pcv__hidden_ops.af;
    }
    return 0;
}

/* Bits that hardware keeps of a register that otherwise passes. */
static void keep(struct pcv__hidden *hidden, const char *name, uint32_t offset,
                 uint8_t size, uint32_t bits)
{
    struct pcv_register *row = new_row(hidden, name, (uint16_t)offset, size);

    row->flags = 0;
    row->policy.read_only = bits;
    row->policy.hardware = pcv__ones(size) & ~bits;
}

/* What is behind a bridge stays where it is, and is not reset (PCI-to-PCI
 * Bridge 1.2, 3.2.5; PCI Express Base 6.0, 7.5.3). */
static void rows_of_bridge(struct pcv_device *device,
                           struct pcv__hidden *hidden)
{
    const uint32_t cap = device->pcie_cap;

    keep(hidden, "Bus Numbers", PCV_REG_PRIMARY, 4, ALL32);
    keep(hidden, "I/O Window", PCV_REG_IO_BASE, 2, 0xffffu);
    keep(hidden, "Memory Window", PCV_REG_MEM_BASE, 4, ALL32);
    keep(hidden, "Prefetchable Window", PCV_REG_PREF_BASE, 4, ALL32);
    keep(hidden, "Prefetchable Base", PCV_REG_PREF_BASE_HI, 4, ALL32);
    keep(hidden, "Prefetchable Limit", PCV_REG_PREF_LIMIT_HI, 4, ALL32);
    keep(hidden, "I/O Window, Upper", PCV_REG_IO_BASE_HI, 4, ALL32);
    keep(hidden, "Bridge Control", PCV_REG_BRIDGE_CONTROL, 2, SBR);
    if (cap == 0 || cap + PCV_PCIE_SLTCTL > PCV_CFG_SIZE - 2u) {
        return;
    }
    keep(hidden, "Link Control", cap + PCV_PCIE_LNKCTL, 2, LINK_DISABLE);
    if (has_row(pcv__vpci(device), (uint16_t)(cap + PCV_PCIE_SLTCTL))) {
        keep(hidden, "Slot Control", cap + PCV_PCIE_SLTCTL, 2,
             PCV_PCIE_SLTCTL_POWER_OFF);
    }
}

int pcv__hidden_describe(struct pcv_device *device, struct pcv__hidden *hidden)
{
    int error = row_command(device, hidden);

    if (error == 0) {
        error = rows_of_bars(device, hidden);
    }
    if (error == 0) {
        error = rows_of_caps(device, hidden);
    }
    if (error == 0 && device->is_bridge) {
        rows_of_bridge(device, hidden);
    }
    return error;
}

/* ---- putting them in place -------------------------------------------------
 */

int pcv__hidden_add(struct pcv__vpci *vpci, struct pcv__hidden *hidden)
{
    for (uint32_t i = 0; i < hidden->row_count; i++) {
        const struct pcv_register *row = &hidden->row[i];
        const struct pcv__cell *cell = pcv__cell_at(vpci, row->offset);
        uint16_t place = cell ? cell->reg[row->offset % 4u] : 0;
        const struct pcv__reg *reg = place != 0 ? &vpci->regs[place - 1] : NULL;
        int error = 0;

        if (!reg) {
            error = pcv__cells_add(vpci, row, NULL);
        } else if (reg->foreign || reg->offset != row->offset ||
                   reg->desc->size != row->size) {
            error = -PCV_EEXIST;
        } else {
            hidden->was[i] = reg->desc;
        }
        if (error != 0) {
            hidden->row_count = i;
            return error;
        }
    }
    return 0;
}

/* The host may have removed it meanwhile, and put another there. */
static bool stands(const struct pcv__vpci *vpci, const struct pcv_register *row)
{
    const struct pcv__cell *cell = pcv__cell_at(vpci, row->offset);
    uint16_t place = cell ? cell->reg[row->offset % 4u] : 0;

    return place != 0 && vpci->regs[place - 1].desc == row;
}

void pcv__hidden_remove(struct pcv__vpci *vpci,
                        const struct pcv__hidden *hidden)
{
    for (uint32_t i = 0; i < hidden->row_count; i++) {
        const struct pcv_register *row = &hidden->row[i];

        if (!stands(vpci, row)) {
            continue;
        }
        if (hidden->was[i]) {
            (void)pcv__cells_exchange(vpci, row->offset, hidden->was[i]);
        } else {
            (void)pcv__cells_remove(vpci, row->offset, row->size);
        }
    }
    vpci->hidden = false;
}

void pcv__hidden_exchange(struct pcv__vpci *vpci,
                          const struct pcv__hidden *hidden)
{
    for (uint32_t i = 0; i < hidden->row_count; i++) {
        if (hidden->was[i]) {
            (void)pcv__cells_exchange(vpci, hidden->row[i].offset,
                                      &hidden->row[i]);
        }
    }
    vpci->hidden = true;
}

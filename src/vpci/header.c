/* SPDX-License-Identifier: MIT */
/*
 * The header as the hardware domain sees it (HDR-1 to HDR-6): everything is
 * hardware's, but memory decoding and the BARs' addresses decide what is
 * mapped, so writes to them pass through here.
 */
#include "vpci/protect.h"

static enum pcv_verdict write_command(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    static const struct pcv__protected bits = {.cleared = PCV__BRIDGE_ENABLES};
    uint32_t value = write->value;

    if (write->device->is_bridge) {
        enum pcv_verdict verdict = pcv__protect(write, &bits, &value);

        if (verdict != PCV_DONE) {
            return pcv__protect_end(verdict);
        }
    }
    return pcv__map_command(write->device, (uint16_t)value);
}

/* While decoding is being switched on, the command register reads as it will
 * be: the domain has written it. */
static uint32_t read_command(struct pcv_device *device,
                             const struct pcv_register *reg,
                             void *data) PCV__NO_ANALYSIS
{
    const struct pcv__work *work = &pcv__vpci(device)->work;

    (void)data;
    (void)reg;
    if (work->phase != PCV__WORK_NONE && work->write_cmd) {
        return pcv__command_allowed(device, work->command);
    }
    return pcv__command_read(device);
}

/* Which BAR a register belongs to. The upper half of a 64-bit BAR belongs to
 * the BAR before it. */
static uint32_t bar_of(const struct pcv_device *device,
                       const struct pcv_register *reg, bool *out_upper)
{
    uint32_t number;

    *out_upper = false;
    if (reg->offset == pcv__bar_reg(device, PCV_BAR_IS_ROM)) {
        return PCV_BAR_IS_ROM;
    }
    number = (reg->offset - PCV_REG_BAR0) / 4u;
    if (number != 0 && device->bar[number].kind == PCV_BAR_NONE &&
        device->bar[number - 1].kind == PCV_BAR_MEM64) {
        *out_upper = true;
        return number - 1;
    }
    return number;
}

static enum pcv_verdict write_bar(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    bool upper;
    uint32_t bar = bar_of(write->device, write->reg, &upper);

    return pcv__map_bar(write->device, bar, write->reg->offset, write->value);
}

/* What a BAR register will read once the value is in it. */
static uint32_t as_hardware_keeps(const struct pcv__bar *bar, bool upper,
                                  uint32_t value)
{
    uint64_t mask = ~(pcv__bar_size(bar) - 1u);

    if (upper) {
        return value & (uint32_t)(mask >> 32);
    }
    if (bar->kind == PCV_BAR_ROM) {
        return value & ((uint32_t)mask | PCV_ROM_ENABLE);
    }
    value &= (uint32_t)mask;
    value |= bar->kind == PCV_BAR_MEM64 ? PCV_BAR_TYPE_64 : 0;
    value |= (bar->flags & PCV_BAR_PREFETCHABLE) != 0 ? PCV_BAR_PREFETCH : 0;
    return value;
}

/* A BAR that is on its way reads its new value at once (HDR-6). */
static uint32_t read_bar(struct pcv_device *device,
                         const struct pcv_register *reg, void *data)
{
    const struct pcv__work *work = &pcv__vpci(device)->work;
    bool upper;
    uint32_t bar;

    (void)data;
    if (work->phase != PCV__WORK_NONE && work->write_bar &&
        work->bar_reg == reg->offset) {
        bar = bar_of(device, reg, &upper);
        return as_hardware_keeps(&device->bar[bar], upper, work->bar_value);
    }
    return pcv_register_hw_read(device, reg);
}

static const struct pcv_register_ops command_ops = {
    .read = read_command,
    .write = write_command,
};

static const struct pcv_register_ops bar_ops = {
    .read = read_bar,
    .write = write_bar,
};

#define ALL32 0xffffffffu
#define BAR_ROW(bar_name, bar_offset)                                          \
    {                                                                          \
        .name = (bar_name), .offset = (bar_offset), .size = 4,                 \
        .flags = PCV_REGISTER_MAPS, .policy = {.hardware = ALL32},             \
        .ops = &bar_ops                                                        \
    }

/* Registers of both header types (PCI Local Bus 3.0, 6.2.2 and 6.2.3). */
static const struct pcv_register common[] = {
    {
        .name = "Command",
        .offset = PCV_REG_COMMAND,
        .size = 2,
        .flags = PCV_REGISTER_MAPS,
        .policy = {.hardware = 0xffff},
        .ops = &command_ops,
    },
    {
        .name = "Status",
        .offset = PCV_REG_STATUS,
        .size = 2,
        .policy = {.hardware = 0xffffu & ~PCV_STATUS_W1C,
                   .w1c = PCV_STATUS_W1C},
    },
};

/* Memory BARs (6.2.5.1); a register gets its row only if it is one. */
static const struct pcv_register bars[] = {
    BAR_ROW("BAR 0", 0x10), BAR_ROW("BAR 1", 0x14), BAR_ROW("BAR 2", 0x18),
    BAR_ROW("BAR 3", 0x1c), BAR_ROW("BAR 4", 0x20), BAR_ROW("BAR 5", 0x24),
};

/* Expansion ROM base address (6.2.5.2), of type 0 and type 1. */
static const struct pcv_register roms[] = {
    BAR_ROW("Expansion ROM", PCV_REG_ROM0),
    BAR_ROW("Expansion ROM", PCV_REG_ROM1),
};

static int add_bar(struct pcv_device *device, uint32_t number)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    const struct pcv__bar *bar = &device->bar[number];
    int error;

    if (number == PCV_BAR_IS_ROM) {
        return bar->kind == PCV_BAR_ROM
                   ? pcv__cells_add(vpci, &roms[device->is_bridge ? 1 : 0],
                                    NULL)
                   : 0;
    }
    if (bar->kind != PCV_BAR_MEM32 && bar->kind != PCV_BAR_MEM64) {
        return 0;
    }
    error = pcv__cells_add(vpci, &bars[number], NULL);
    if (error == 0 && bar->kind == PCV_BAR_MEM64) {
        error = pcv__cells_add(vpci, &bars[number + 1], NULL);
    }
    return error;
}

int pcv__header_hardware(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    int error = 0;

    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]) && !error; i++) {
        error = pcv__cells_add(vpci, &common[i], NULL);
    }
    if (error == 0 && device->is_bridge) {
        error = pcv__header_bridge(device);
    }
    for (uint32_t i = 0; i < PCV_BARS && error == 0 && !device->is_vf; i++) {
        error = add_bar(device, i);
    }
    return error;
}

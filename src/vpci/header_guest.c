/* SPDX-License-Identifier: MIT */
/*
 * The header as a guest sees it (HDR-2 to HDR-5, HDR-12, HDR-14, HDR-15): an
 * ordinary type 0 function with BARs of its own. Nothing that stands here is
 * read from hardware but status bits (PCI Local Bus 3.0, 6.1 and 6.2).
 */
#include "vpci/internal.h"

/* Bits of Status that hardware fixes: 66 MHz, fast back-to-back, DEVSEL; and
 * the interrupt's level. */
#define STATUS_READ_ONLY 0x06a8u

/* ---- command ---------------------------------------------------------------
 */

static uint32_t read_command(struct pcv_device *device,
                             const struct pcv_register *reg,
                             void *data) PCV__NO_ANALYSIS
{
    (void)reg;
    (void)data;
    return pcv__command_read(device);
}

static enum pcv_verdict write_command(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    struct pcv_device *device = write->device;
    struct pcv__vpci *vpci = pcv__vpci(device);
    bool want = (write->value & PCV_CMD_MEMORY) != 0 && !vpci->asleep;

    if (!want) {
        vpci->decoding = false; /* hardware goes silent, then the pages go */
    }
    pcv__command_write(device, (uint16_t)write->value);
    return pcv__map_again(device, want, PCV_BARS);
}

static const struct pcv_register_ops command_ops = {
    .read = read_command,
    .write = write_command,
};

/* ---- BARs ------------------------------------------------------------------
 */

/* What the guest has at a BAR's place: the library's knowledge, or the ROM that
 * came with the assignment. */
static uint64_t size_of(const struct pcv_device *device, uint32_t bar)
{
    const struct pcv__bar *known = &device->bar[bar];

    if (bar == PCV_BAR_IS_ROM) {
        return device->assignment->rom_size;
    }
    if ((known->kind != PCV_BAR_MEM32 && known->kind != PCV_BAR_MEM64) ||
        ((uint32_t)device->assignment->policy.bars_out >> bar & 1u) != 0) {
        return 0;
    }
    return pcv__bar_size(known);
}

/* Which BAR a register belongs to, and whether it is its upper half. */
static uint32_t bar_of(const struct pcv_device *device, uint16_t offset,
                       bool *out_upper)
{
    uint32_t bar = (offset - PCV_REG_BAR0) / 4u;

    *out_upper = false;
    if (offset == PCV_REG_ROM0) {
        return PCV_BAR_IS_ROM;
    }
    if (bar != 0 && device->bar[bar - 1].kind == PCV_BAR_MEM64) {
        *out_upper = true;
        return bar - 1;
    }
    return bar;
}

/* Bits of a BAR's first register that are no address. */
static uint32_t bar_type(const struct pcv__bar *bar)
{
    uint32_t type = bar->kind == PCV_BAR_MEM64 ? PCV_BAR_TYPE_64 : 0;

    return type |
           ((bar->flags & PCV_BAR_PREFETCHABLE) != 0 ? PCV_BAR_PREFETCH : 0u);
}

static uint32_t read_bar(struct pcv_device *device,
                         const struct pcv_register *reg, void *data)
{
    bool upper;
    uint32_t bar = bar_of(device, reg->offset, &upper);
    uint64_t address = device->assignment->bar[bar];

    (void)data;
    if (size_of(device, bar) == 0) {
        return 0;
    }
    if (upper) {
        return (uint32_t)(address >> 32);
    }
    return (uint32_t)address |
           (bar == PCV_BAR_IS_ROM ? 0 : bar_type(&device->bar[bar]));
}

static enum pcv_verdict write_bar(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    struct pcv_device *device = write->device;
    uint64_t *address;
    uint64_t before, size;
    bool upper;
    uint32_t bar = bar_of(device, write->offset, &upper);

    address = &device->assignment->bar[bar];
    before = *address;
    size = size_of(device, bar);
    if (size == 0) {
        return PCV_DONE;
    }
    if (upper) {
        *address = ((uint64_t)write->value << 32 & ~(size - 1u)) |
                   (*address & 0xffffffffu);
    } else if (bar == PCV_BAR_IS_ROM) {
        *address = write->value & (~(size - 1u) | PCV_ROM_ENABLE) & 0xffffffffu;
    } else {
        *address = (*address & ~0xffffffffull) |
                   (write->value & ~(size - 1u) & PCV_BAR_MEM_MASK);
    }
    if (*address == before || !pcv__vpci(device)->decoding) {
        return PCV_DONE;
    }
    return pcv__map_again(device, true, (uint8_t)bar);
}

static const struct pcv_register_ops bar_ops = {
    .read = read_bar,
    .write = write_bar,
};

/* ---- rows ------------------------------------------------------------------
 */

#define CONSTANT(row_name, row_offset, row_size, bits)                         \
    {                                                                          \
        .name = (row_name), .offset = (row_offset), .size = (row_size),        \
        .policy = {                                                            \
            .constant = (bits)                                                 \
        }                                                                      \
    }

#define BAR_ROW(bar_name, bar_offset)                                          \
    {                                                                          \
        .name = (bar_name), .offset = (bar_offset), .size = 4,                 \
        .flags = PCV_REGISTER_MAPS, .policy = {.virt = 0xffffffffu},           \
        .ops = &bar_ops                                                        \
    }

static const struct pcv_register rows[] = {
    CONSTANT("Vendor ID", PCV_REG_VENDOR, 2, 0xffff),
    CONSTANT("Device ID", PCV_REG_DEVICE, 2, 0xffff),
    {
        .name = "Command",
        .offset = PCV_REG_COMMAND,
        .size = 2,
        .flags = PCV_REGISTER_MAPS,
        .policy = {.virt = PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_INTX_OFF},
        .ops = &command_ops,
    },
    {
        .name = "Status",
        .offset = PCV_REG_STATUS,
        .size = 2,
        .policy = {.read_only = STATUS_READ_ONLY,
                   .constant = PCV_STATUS_CAPS,
                   .w1c = PCV_STATUS_W1C},
    },
    CONSTANT("Revision ID", PCV_REG_REVISION, 1, 0xff),
    CONSTANT("Programming Interface", PCV_REG_CLASS, 1, 0xff),
    CONSTANT("Class Code", PCV_REG_CLASS + 1u, 2, 0xffff),
    {
        .name = "Cache Line Size",
        .offset = PCV_REG_CACHE_LINE,
        .size = 1,
        .policy = {.virt = 0xff},
    },
    CONSTANT("Header Type", PCV_REG_HEADER_TYPE, 1, 0xff),
    BAR_ROW("BAR 0", 0x10),
    BAR_ROW("BAR 1", 0x14),
    BAR_ROW("BAR 2", 0x18),
    BAR_ROW("BAR 3", 0x1c),
    BAR_ROW("BAR 4", 0x20),
    BAR_ROW("BAR 5", 0x24),
    CONSTANT("Subsystem Vendor ID", PCV_REG_SUBSYSTEM_VENDOR, 2, 0xffff),
    CONSTANT("Subsystem ID", PCV_REG_SUBSYSTEM, 2, 0xffff),
    {
        .name = "Interrupt Line",
        .offset = PCV_REG_INT_LINE,
        .size = 1,
        .policy = {.virt = 0xff},
    },
    CONSTANT("Interrupt Pin", PCV_REG_INT_PIN, 1, 0xff),
};

static const struct pcv_register rom_row =
    BAR_ROW("Expansion ROM", PCV_REG_ROM0);

static uint32_t pin_of(const struct pcv_device *device,
                       const struct pcv_domain *owner)
{
    const struct pcv__mem *mem = &device->host->mem;
    int pin = mem->ops.intx_pin ? mem->ops.intx_pin(mem->ctx, owner->id,
                                                    pcv__device_sbdf(device))
                                : 0;

    return pin >= 1 && pin <= 4 ? (uint32_t)pin : 0;
}

static void store_identity(struct pcv_device *device,
                           const struct pcv_domain *owner)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    const struct pcv__identity *id = &device->id;

    pcv__cells_store(vpci, PCV_REG_VENDOR, 2, id->vendor);
    pcv__cells_store(vpci, PCV_REG_DEVICE, 2, id->device);
    pcv__cells_store(vpci, PCV_REG_REVISION, 1, id->revision);
    pcv__cells_store(vpci, PCV_REG_CLASS, 1, id->class_code & 0xffu);
    pcv__cells_store(vpci, PCV_REG_CLASS + 1u, 2, id->class_code >> 8);
    pcv__cells_store(vpci, PCV_REG_SUBSYSTEM_VENDOR, 2, id->subsystem_vendor);
    pcv__cells_store(vpci, PCV_REG_SUBSYSTEM, 2, id->subsystem);
    pcv__cells_store(vpci, PCV_REG_INT_PIN, 1, pin_of(device, owner));
}

/* The ROM's BAR: the next power of two, no less than 2 KiB. */
static uint64_t rom_size(const struct pcv_assign_policy *policy)
{
    uint64_t size = PCV__ROM_SIZE_MIN;

    if (!policy->rom || policy->rom_size == 0) {
        return 0;
    }
    while (size < policy->rom_size) {
        size *= 2;
    }
    return size;
}

static int add_passed(struct pcv__vpci *vpci,
                      const struct pcv_passed_range *range)
{
    static const struct pcv_register passed[2] = {
        {.name = "Passed Through",
         .size = 4,
         .flags = PCV_REGISTER_PASSED,
         .policy = {.read_only = 0xffffffffu}},
        {.name = "Passed Through",
         .size = 4,
         .flags = PCV_REGISTER_PASSED,
         .policy = {.hardware = 0xffffffffu}},
    };

    for (uint16_t at = 0; at < range->size; at += 4) {
        int error = pcv__cells_add_at(vpci, (uint16_t)(range->offset + at),
                                      &passed[range->write ? 1 : 0], NULL);

        if (error == -PCV_ENOMEM) {
            return error;
        }
        /* What is virtualised stays so. */
    }
    return 0;
}

int pcv__header_guest(struct pcv_device *device, const struct pcv_domain *owner)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__assignment *guest = device->assignment;
    int error = 0;

    guest->rom_size = rom_size(&guest->policy);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !error; i++) {
        error = pcv__cells_add(vpci, &rows[i], NULL);
    }
    if (error == 0 && guest->rom_size != 0) {
        error = pcv__cells_add(vpci, &rom_row, NULL);
    }
    store_identity(device, owner);
    return error;
}

int pcv__header_guest_end(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    const struct pcv_assign_policy *policy = &device->assignment->policy;
    int error = 0;

    if (pcv__cells_load(vpci, PCV_REG_CAPS, 1) != 0) {
        pcv__cells_store(vpci, PCV_REG_STATUS, 2, PCV_STATUS_CAPS);
    }
    for (uint32_t i = 0; i < policy->passed_count && error == 0; i++) {
        error = add_passed(vpci, &policy->passed[i]);
    }
    return error;
}

void pcv__header_guest_reset(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    memset(device->assignment->bar, 0, sizeof(device->assignment->bar));
    device->assignment->command = 0;
    pcv__cells_store(vpci, PCV_REG_CACHE_LINE, 1, 0);
    pcv__cells_store(vpci, PCV_REG_INT_LINE, 1, 0);
}

void pcv__header_guest_multi(struct pcv_device *device, bool multi)
{
    pcv__cells_store(pcv__vpci(device), PCV_REG_HEADER_TYPE, 1,
                     multi ? PCV_HEADER_MULTI : 0);
}

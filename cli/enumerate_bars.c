/* SPDX-License-Identifier: MIT */
/*
 * The enumerator: BARs (PCI Local Bus 3.0, 6.2.5.1). All ones are written, the
 * bits that took them tell the size, and everything is put back.
 */
#include <string.h>

#include "enumerate_internal.h"

/* Functions whose BAR registers are something else (errata of Intel's Xeon E5
 * v3 and v4, C620 chipset): operating systems know them by name too. */
static const struct {
    uint16_t vendor, device;
} not_bars[] = {
    {0x8086, 0x2fc0}, {0x8086, 0x6f60}, {0x8086, 0x6fa0}, {0x8086, 0x6fc0},
    {0x8086, 0xa1ec}, {0x8086, 0xa1ed}, {0x8086, 0xa26c}, {0x8086, 0xa26d},
};

static bool registers_are_bars(const struct enumerate_function *fn)
{
    for (size_t i = 0; i < sizeof(not_bars) / sizeof(not_bars[0]); i++) {
        if (not_bars[i].vendor == fn->vendor &&
            not_bars[i].device == fn->device) {
            return false;
        }
    }
    return true;
}

/* The bits of a register that take ones. */
static uint32_t bits_of(struct enumerate_walk *walk, pcv_sbdf sbdf,
                        uint16_t reg, uint32_t value, uint32_t ones)
{
    enumerate_write(walk, sbdf, reg, 4, ones);
    uint32_t bits = enumerate_read(walk, sbdf, reg, 4);
    enumerate_write(walk, sbdf, reg, 4, value);
    return bits;
}

/* One run of ones, whose lowest is the size; above it a device may leave out
 * what it doesn't decode. 0: that is no size. */
static uint64_t size_of(uint64_t bits)
{
    uint64_t lowest = bits & (~bits + 1);
    return ((bits + lowest) & bits) == 0 ? lowest : 0;
}

static uint8_t kind_of(uint32_t value, bool last)
{
    if ((value & PCV_BAR_SPACE_IO) != 0) {
        return ENUMERATE_IO;
    }
    switch (value & PCV_BAR_TYPE_MASK) {
    case 0:
    case 2: /* once: below 1 MiB */
        return ENUMERATE_MEM32;
    case PCV_BAR_TYPE_64:
        return last ? ENUMERATE_BROKEN : ENUMERATE_MEM64;
    default:
        return ENUMERATE_BROKEN;
    }
}

/* What one BAR is and where; of a 64-bit one *out_upper is what its second
 * register holds. */
static void bar_look(struct enumerate_walk *walk, pcv_sbdf sbdf, uint16_t reg,
                     uint32_t value, bool last, struct enumerate_bar *out)
{
    memset(out, 0, sizeof(*out));
    out->kind = kind_of(value, last);
    if (out->kind == ENUMERATE_IO) {
        out->address = value & PCV_BAR_IO_MASK;
        return;
    }
    out->address = value & PCV_BAR_MEM_MASK;
    out->prefetchable = (value & PCV_BAR_PREFETCH) != 0;
    if (out->kind == ENUMERATE_MEM64) {
        out->address |=
            (uint64_t)enumerate_read(walk, sbdf, (uint16_t)(reg + 4), 4) << 32;
    }
}

/* The size of a BAR, as kind and size. */
static void bar_size(struct enumerate_walk *walk, pcv_sbdf sbdf, uint16_t reg,
                     uint32_t value, struct enumerate_bar *bar)
{
    uint32_t keep =
        bar->kind == ENUMERATE_IO ? PCV_BAR_IO_MASK : PCV_BAR_MEM_MASK;
    uint64_t bits = bits_of(walk, sbdf, reg, value, UINT32_MAX) & keep;
    unsigned top = bar->kind == ENUMERATE_IO ? 15 : 31;

    if (bar->kind == ENUMERATE_MEM64) {
        bits |= (uint64_t)bits_of(walk, sbdf, (uint16_t)(reg + 4),
                                  (uint32_t)(bar->address >> 32), UINT32_MAX)
                << 32;
        top = 63;
    }
    if (bits == bar->address && (bits >> top & 1) == 0) {
        bits = 0; /* it took no ones: what it reads is its address */
    }
    bar->size = size_of(bits);
    if (bar->size == 0) {
        /* A register that is not there reads zero. */
        bar->kind =
            bits == 0 && bar->address == 0 ? ENUMERATE_NONE : ENUMERATE_BROKEN;
    }
    walk->result->bars += bar->size != 0;
}

/* A row of BAR registers, of a header or of an SR-IOV capability. */
static void bars_row(struct enumerate_walk *walk, pcv_sbdf sbdf, uint16_t first,
                     unsigned count, struct enumerate_bar *bar)
{
    for (unsigned i = 0; i < count; i++) {
        uint16_t reg = (uint16_t)(first + 4 * i);
        uint32_t value = enumerate_read(walk, sbdf, reg, 4);
        if (value == UINT32_MAX) {
            continue;
        }
        bar_look(walk, sbdf, reg, value, i + 1 == count, &bar[i]);
        bool upper = bar[i].kind == ENUMERATE_MEM64;
        if (bar[i].kind == ENUMERATE_BROKEN) {
            continue;
        }
        if (walk->plan->size_bars) {
            bar_size(walk, sbdf, reg, value, &bar[i]);
        } else if (value == 0) {
            bar[i].kind = ENUMERATE_NONE; /* perhaps: who knows without */
        }
        i += upper;
    }
}

static void rom_read(struct enumerate_walk *walk, struct enumerate_function *fn,
                     uint16_t reg)
{
    struct enumerate_bar *rom = &fn->bar[ENUMERATE_BAR_ROM];
    uint32_t value = enumerate_read(walk, fn->sbdf, reg, 4);

    if (value == UINT32_MAX) {
        return;
    }
    rom->kind = ENUMERATE_ROM;
    rom->address = value & PCV_ROM_MASK;
    rom->enabled = (value & PCV_ROM_ENABLE) != 0;
    if (!walk->plan->size_bars) {
        rom->kind = value != 0 ? ENUMERATE_ROM : ENUMERATE_NONE;
        return;
    }
    uint32_t bits =
        bits_of(walk, fn->sbdf, reg, value, PCV_ROM_MASK) & PCV_ROM_MASK;
    rom->size = size_of(bits);
    if (rom->size == 0) {
        rom->kind = bits == 0 ? ENUMERATE_NONE : ENUMERATE_BROKEN;
    }
    walk->result->bars += rom->size != 0;
}

void enumerate_bars_read(struct enumerate_walk *walk,
                         struct enumerate_function *fn)
{
    uint8_t header = fn->header_type & PCV_HEADER_TYPE_MASK;
    uint32_t command = enumerate_read(walk, fn->sbdf, PCV_REG_COMMAND, 2);
    uint32_t off = command & ~(uint32_t)(PCV_CMD_IO | PCV_CMD_MEMORY);
    /* The machine itself stands on what a host bridge decodes. */
    bool quiet = walk->plan->size_bars && off != command &&
                 fn->class_code >> 8 != PCV_CLASS_BRIDGE_HOST;

    if (header > 1 || command == 0xffff || !registers_are_bars(fn)) {
        return;
    }
    if (quiet) {
        enumerate_write(walk, fn->sbdf, PCV_REG_COMMAND, 2, off);
    }
    bars_row(walk, fn->sbdf, PCV_REG_BAR0, header == 1 ? 2 : 6, fn->bar);
    rom_read(walk, fn, header == 1 ? PCV_REG_ROM1 : PCV_REG_ROM0);
    if (quiet) {
        enumerate_write(walk, fn->sbdf, PCV_REG_COMMAND, 2, command);
    }
}

void enumerate_vf_bars_read(struct enumerate_walk *walk,
                            struct enumerate_function *pf)
{
    uint16_t reg = (uint16_t)(pf->sriov_cap + PCV_SRIOV_CTRL);
    uint32_t control = enumerate_read(walk, pf->sbdf, reg, 2);
    bool quiet = walk->plan->size_bars && (control & PCV_SRIOV_CTRL_MSE) != 0;

    if (control == 0xffff) {
        return;
    }
    if (quiet) {
        enumerate_write(walk, pf->sbdf, reg, 2, control & ~PCV_SRIOV_CTRL_MSE);
    }
    bars_row(walk, pf->sbdf, (uint16_t)(pf->sriov_cap + PCV_SRIOV_BAR),
             ENUMERATE_VF_BARS, pf->vf_bar);
    if (quiet) {
        enumerate_write(walk, pf->sbdf, reg, 2, control);
    }
}

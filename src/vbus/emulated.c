/* SPDX-License-Identifier: MIT */
/*
 * Registers of emulated functions (VBUS-6): a type 0 header (PCI Local Bus 3.0,
 * 6.1), of which the command register, BAR 0 and the interrupt line can be
 * written. Everything else in the first 256 bytes reads zero.
 */
#include "vbus/emulated.h"

#define COMMAND_BITS (PCV_CMD_MEMORY | PCV_CMD_INTX_OFF)
#define BAR0 PCV_REG_BAR0
#define BAR1 (PCV_REG_BAR0 + 4u)

/* ---- finding ---------------------------------------------------------------
 */

/* The bus if the device number is taken there, without a lock. */
static struct pcv__bus *bus_of(const struct pcv_domain *hardware, pcv_sbdf sbdf)
{
    struct pcv__segment *segment =
        pcv__segment_find(hardware->host, pcv_sbdf_segment(sbdf));
    struct pcv__bus *bus =
        segment ? atomic_load_explicit(&segment->bus[pcv_sbdf_bus(sbdf)],
                                       memory_order_acquire)
                : NULL;
    uint32_t slots =
        bus ? atomic_load_explicit(&bus->emulated_slots, memory_order_acquire)
            : 0;

    return (slots >> pcv_sbdf_device(sbdf) & 1u) != 0 ? bus : NULL;
}

struct pcv_emulated *pcv__emulated_at(struct pcv_domain *hardware,
                                      pcv_sbdf sbdf)
{
    struct pcv__bus *bus = bus_of(hardware, sbdf);
    struct pcv_emulated *emulated = bus ? bus->emulated : NULL;

    /* Bounded: one a device number. */
    while (emulated &&
           pcv_sbdf_device(emulated->info.sbdf) != pcv_sbdf_device(sbdf)) {
        emulated = emulated->next_on_bus;
    }
    return emulated && !pcv__emulated_is_below(emulated) ? emulated : NULL;
}

/* ---- registers -------------------------------------------------------------
 */

static uint32_t pair(uint16_t low, uint16_t high)
{
    return low | (uint32_t)high << 16;
}

static uint32_t dword_read(const struct pcv_emulated *emulated, uint16_t reg)
{
    const struct pcv_emulated_info *info = &emulated->info;

    switch (reg) {
    case PCV_REG_VENDOR:
        return pair(info->vendor, info->device);
    case PCV_REG_COMMAND:
        return emulated->command; /* no bit of status is ever set */
    case PCV_REG_REVISION:
        return info->revision | info->class_code << 8;
    case BAR0:
        return (uint32_t)emulated->bar | (info->bar_64 ? PCV_BAR_TYPE_64 : 0);
    case BAR1:
        return (uint32_t)(emulated->bar >> 32);
    case PCV_REG_SUBSYSTEM_VENDOR:
        return pair(info->subsystem_vendor, info->subsystem);
    case PCV_REG_INT_LINE:
        return emulated->line; /* and no pin */
    default:
        return 0;
    }
}

/* What a BAR that is written becomes: bits below its size read zero, so that
 * it can be sized, and a 32-bit one has no upper half. */
static uint64_t bar_with(const struct pcv_emulated *emulated, uint16_t reg,
                         uint32_t value)
{
    uint64_t bar = emulated->bar;

    if (reg == BAR0) {
        bar = (bar & ~(uint64_t)UINT32_MAX) | value;
    } else if (emulated->info.bar_64) {
        bar = (uint64_t)value << 32 | (uint32_t)bar;
    }
    return bar & ~(emulated->info.bar_size - 1u);
}

/* The command register or the BAR is as it was, or what is behind the BAR
 * follows. Who writes again what stands there moves nothing. */
static void change(struct pcv_emulated *emulated, uint16_t command,
                   uint64_t bar, struct pcv_domain *hardware)
    PCV__REQUIRES(hardware->map_lock)
{
    bool moves = bar != emulated->bar ||
                 ((command ^ emulated->command) & PCV_CMD_MEMORY) != 0;

    if (moves) {
        pcv__emulated_shut(emulated, hardware);
    }
    emulated->command = command;
    emulated->bar = bar;
    if (moves) {
        (void)pcv__emulated_reach(emulated, hardware);
    }
}

static void dword_write(struct pcv_emulated *emulated, uint16_t reg,
                        uint32_t value, struct pcv_domain *hardware)
    PCV__REQUIRES(hardware->map_lock)
{
    switch (reg) {
    case PCV_REG_COMMAND:
        change(emulated, (uint16_t)(value & COMMAND_BITS), emulated->bar,
               hardware);
        break;
    case BAR0:
    case BAR1:
        change(emulated, emulated->command, bar_with(emulated, reg, value),
               hardware);
        break;
    case PCV_REG_INT_LINE:
        emulated->line = (uint8_t)value;
        break;
    default:
        break;
    }
}

/* One access of 1, 2 or 4 aligned bytes. A write to a part of a dword merges
 * with what the rest reads (CFG-4): there is no bit that a one clears. */
static void perform(struct pcv_emulated *emulated, uint16_t reg, uint8_t size,
                    bool write, uint32_t *data, struct pcv_domain *hardware)
    PCV__REQUIRES(hardware->map_lock)
{
    const uint16_t start = (uint16_t)(reg & ~3u);
    const uint32_t shift = (reg & 3u) * 8u;
    const uint32_t mask = pcv__ones(size) << shift;
    const bool nothing = reg >= PCV_CFG_SIZE; /* CFG-8 */
    const uint32_t old = nothing ? UINT32_MAX : dword_read(emulated, start);

    if (!write) {
        emulated->reads++;
        *data = (old & mask) >> shift;
        return;
    }
    emulated->writes++;
    if (!nothing) {
        dword_write(emulated, start, (old & ~mask) | (*data << shift & mask),
                    hardware);
    }
}

enum pcv_verdict pcv__emulated_access(struct pcv_domain *hardware,
                                      pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                                      bool write, uint32_t *data)
{
    struct pcv__mem *mem = &hardware->host->mem;
    struct pcv_emulated *emulated = NULL;

    if (pcv_sbdf_function(sbdf) == 0 && bus_of(hardware, sbdf)) {
        pcv__lock_take(mem, &hardware->map_lock);
        emulated = pcv__emulated_at(hardware, sbdf);
        if (emulated) {
            perform(emulated, reg, size, write, data, hardware);
        }
        pcv__lock_drop(mem, &hardware->map_lock);
    }
    if (!emulated && !write) {
        *data = pcv__ones(size);
    }
    return emulated ? PCV_DONE : PCV_ABSENT;
}

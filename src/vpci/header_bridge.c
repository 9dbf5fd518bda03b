/* SPDX-License-Identifier: MIT */
/*
 * What a type 1 header has beside, as the hardware domain sees it (HDR-13;
 * PCI-to-PCI Bridge 1.2, 3.2.5): all of it is hardware's. Bus numbers feed the
 * topology (TOPO-4), and while a guest has a function behind the bridge nothing
 * that leads there is changed (OWN-15).
 */
#include "vpci/protect.h"

#define ALL32 0xffffffffu
#define NUMBERS 0x00ffffffu /* primary, secondary, subordinate */

/* How many of the bytes from `at` on go out as one aligned access. */
static uint8_t widest(uint8_t bytes, uint32_t at)
{
    for (uint8_t size = 4; size != 0; size /= 2) {
        uint32_t want = ((1u << size) - 1u) << at;

        if (at % size == 0 && (bytes & want) == want) {
            return size;
        }
    }
    return 0;
}

/* Bytes of a register, no wider than the domain wrote: one, two or four at a
 * time, aligned. */
static void write_bytes(struct pcv_device *bridge, uint16_t reg, uint8_t bytes,
                        uint32_t value)
{
    for (uint32_t at = 0; at < 4u;) {
        uint8_t size = widest(bytes, at);

        if (size != 0) {
            pcv__hw_write(bridge, (uint16_t)(reg + at), size,
                          value >> (at * 8u));
        }
        at += size != 0 ? size : 1u;
    }
}

void pcv__bus_numbers_write(struct pcv_device *bridge)
{
    write_bytes(bridge, PCV_REG_PRIMARY, bridge->numbers.bytes,
                bridge->numbers.value);
    bridge->numbers.written = true;
}

/* What is behind the bridge must be quiet before hardware has other numbers,
 * and that is the owner floor's, which takes the segment's lock (HDR-13,
 * TOPO-4). Further writes wait until it is done. */
static enum pcv_verdict write_bus_numbers(
    const struct pcv_register_write *write) PCV__NO_ANALYSIS
{
    static const struct pcv__protected bits = {.kept = NUMBERS};
    struct pcv_device *bridge = write->device;
    uint32_t value;
    enum pcv_verdict verdict = pcv__protect(write, &bits, &value);

    if (verdict != PCV_DONE) {
        return pcv__protect_end(verdict);
    }
    bridge->numbers = (struct pcv__bus_numbers){
        .bytes = write->bytes,
        .value = value,
    };
    /* What is torn down is asked of nobody any more. */
    if (bridge->torn || ((value ^ write->old) & NUMBERS) == 0) {
        pcv__bus_numbers_write(bridge);
        return PCV_DONE;
    }
    atomic_store_explicit(&bridge->renumbered, true, memory_order_release);
    atomic_fetch_add_explicit(&bridge->host->renumber_count, 1,
                              memory_order_acq_rel);
    return PCV_PENDING;
}

static enum pcv_verdict write_window(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    static const struct pcv__protected bits = {.kept = ALL32};
    uint32_t value;
    enum pcv_verdict verdict = pcv__protect(write, &bits, &value);

    if (verdict == PCV_DONE) {
        write_bytes(write->device, write->offset, write->bytes, value);
    }
    return pcv__protect_end(verdict);
}

/* A reset of the bus that the library does itself (owner/bus_reset.c): as long
 * as it lasts the bit is not the domain's, which sees what it would see without
 * it: it neither lets the bus go too early nor writes the bit back later. */
static enum pcv__bus_phase bus_phase(const struct pcv_device *bridge)
    PCV__REQUIRES(bridge->lock)
{
    return bridge->extras ? (enum pcv__bus_phase)bridge->extras->bus_reset.phase
                          : PCV__BUS_NONE;
}

static uint32_t read_bridge_control(struct pcv_device *bridge,
                                    const struct pcv_register *reg,
                                    void *data) PCV__NO_ANALYSIS
{
    uint32_t value = pcv__hw_read(bridge, PCV_REG_BRIDGE_CONTROL, 2);

    (void)reg;
    (void)data;
    return value != 0xffffu && bus_phase(bridge) == PCV__BUS_HELD
               ? value & ~PCV_BRIDGE_RESET
               : value;
}

static uint32_t without_reset(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    struct pcv_device *bridge = write->device;
    const enum pcv__bus_phase phase = bus_phase(bridge);

    if (phase == PCV__BUS_NONE) {
        return write->value;
    }
    if ((write->value & PCV_BRIDGE_RESET) != 0) {
        pcv__protect_tell(bridge, write->offset, PCV_BRIDGE_RESET);
    }
    return write->value & ~PCV_BRIDGE_RESET;
}

static enum pcv_verdict write_bridge_control(
    const struct pcv_register_write *write) PCV__NO_ANALYSIS
{
    static const struct pcv__protected bits = {.set = PCV_BRIDGE_RESET,
                                               .resets = true};
    struct pcv_register_write theirs = *write;
    uint32_t value;
    enum pcv_verdict verdict;

    theirs.value = without_reset(write);
    verdict = pcv__protect(&theirs, &bits, &value);
    if (verdict == PCV_DONE) {
        if (bus_phase(write->device) == PCV__BUS_HELD) {
            value |= PCV_BRIDGE_RESET;
        }
        write_bytes(write->device, write->offset, write->bytes, value);
    }
    return pcv__protect_end(verdict);
}

static const struct pcv_register_ops bus_numbers_ops = {
    .write = write_bus_numbers,
};
static const struct pcv_register_ops window_ops = {.write = write_window};
static const struct pcv_register_ops bridge_control_ops = {
    .read = read_bridge_control,
    .write = write_bridge_control,
};

#define WINDOW(row_name, row_offset, row_size, bits)                           \
    {                                                                          \
        .name = (row_name), .offset = (row_offset), .size = (row_size),        \
        .policy = {.hardware = (bits)}, .ops = &window_ops                     \
    }

static const struct pcv_register rows[] = {
    {
        /* And the latency timer of the other side. */
        .name = "Bus Numbers",
        .offset = PCV_REG_PRIMARY,
        .size = 4,
        .policy = {.hardware = ALL32},
        .flags = PCV_REGISTER_MAPS,
        .ops = &bus_numbers_ops,
    },
    WINDOW("I/O Window", PCV_REG_IO_BASE, 2, 0xffffu),
    {
        .name = "Secondary Status",
        .offset = PCV_REG_SEC_STATUS,
        .size = 2,
        .policy = {.hardware = 0xffffu & ~PCV_STATUS_W1C,
                   .w1c = PCV_STATUS_W1C},
    },
    WINDOW("Memory Window", PCV_REG_MEM_BASE, 4, ALL32),
    WINDOW("Prefetchable Window", PCV_REG_PREF_BASE, 4, ALL32),
    WINDOW("Prefetchable Base Upper", PCV_REG_PREF_BASE_HI, 4, ALL32),
    WINDOW("Prefetchable Limit Upper", PCV_REG_PREF_LIMIT_HI, 4, ALL32),
    WINDOW("I/O Window Upper", PCV_REG_IO_BASE_HI, 4, ALL32),
    {
        .name = "Bridge Control",
        .offset = PCV_REG_BRIDGE_CONTROL,
        .size = 2,
        .policy = {.hardware = 0xffffu},
        .ops = &bridge_control_ops,
    },
};

int pcv__header_bridge(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    int error = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !error; i++) {
        error = pcv__cells_add(vpci, &rows[i], NULL);
    }
    return error;
}

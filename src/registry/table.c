/* SPDX-License-Identifier: MIT */
/*
 * The tables that lead from an address to a device in constant time (LIFE-1):
 * segment (two levels of 256), bus, device number, function.
 */
#include "registry/internal.h"

struct pcv__segment *pcv__segment_get(struct pcv_host *host, uint16_t number)
{
    struct pcv__segments *high;
    struct pcv__segment *segment = pcv__segment_find(host, number);

    if (segment) {
        return segment;
    }
    pcv__lock_take(&host->mem, &host->segments_lock);
    high = atomic_load_explicit(&host->segments[number >> 8],
                                memory_order_relaxed);
    if (!high) {
        high = pcv__alloc(&host->mem, sizeof(*high));
        if (!high) {
            goto out;
        }
        atomic_store_explicit(&host->segments[number >> 8], high,
                              memory_order_release);
    }
    segment =
        atomic_load_explicit(&high->low[number & 0xffu], memory_order_relaxed);
    if (!segment) {
        segment = pcv__alloc(&host->mem, sizeof(*segment));
        if (segment) {
            segment->number = number;
            segment->host = host;
            pcv__lock_init(&segment->lock, PCV__RANK_SEGMENT);
            atomic_fetch_add_explicit(&host->segment_count, 1,
                                      memory_order_relaxed);
            atomic_store_explicit(&high->low[number & 0xffu], segment,
                                  memory_order_release);
            if (number == 0) {
                atomic_store_explicit(&host->segment_zero, segment,
                                      memory_order_release);
            }
        }
    }
out:
    pcv__lock_drop(&host->mem, &host->segments_lock);
    return segment;
}

_Atomic(struct pcv_device *) *pcv__table_place(struct pcv_host *host,
                                               struct pcv__segment *segment,
                                               pcv_sbdf sbdf)
{
    uint8_t bus_number = pcv_sbdf_bus(sbdf);
    uint8_t slot = pcv_sbdf_device(sbdf);
    struct pcv__bus *bus =
        atomic_load_explicit(&segment->bus[bus_number], memory_order_relaxed);
    struct pcv__functions *functions;

    pcv__lock_check_held(&host->mem, &segment->lock);
    if (!bus) {
        bus = pcv__alloc(&host->mem, sizeof(*bus));
        if (!bus) {
            return NULL;
        }
        atomic_store_explicit(&segment->bus[bus_number], bus,
                              memory_order_release);
    }
    functions = atomic_load_explicit(&bus->slot[slot], memory_order_relaxed);
    if (!functions) {
        functions = pcv__alloc(&host->mem, sizeof(*functions));
        if (!functions) {
            return NULL;
        }
        atomic_store_explicit(&bus->slot[slot], functions,
                              memory_order_release);
    }
    return &functions->fn[pcv_sbdf_function(sbdf)];
}

/* The device at `rid`, or how far the next or previous possible one is. */
static struct pcv_device *look(struct pcv__segment *segment, uint32_t rid,
                               uint32_t *out_block)
{
    struct pcv__bus *bus =
        atomic_load_explicit(&segment->bus[rid >> 8], memory_order_acquire);
    struct pcv__functions *functions;

    *out_block = PCV_DEVFNS;
    if (!bus) {
        return NULL;
    }
    *out_block = PCV_FUNCTIONS;
    functions = atomic_load_explicit(&bus->slot[rid >> 3 & 0x1fu],
                                     memory_order_acquire);
    if (!functions) {
        return NULL;
    }
    *out_block = 1;
    return atomic_load_explicit(&functions->fn[rid & 7u], memory_order_acquire);
}

struct pcv_device *pcv__segment_next(struct pcv__segment *segment,
                                     uint32_t *rid, uint32_t last_rid)
{
    /* At most 65,536 steps: each goes up. */
    while (*rid <= last_rid) {
        uint32_t block;
        struct pcv_device *device = look(segment, *rid, &block);

        if (device) {
            return device;
        }
        *rid = (*rid & ~(block - 1u)) + block;
    }
    return NULL;
}

struct pcv_device *pcv__segment_prev(struct pcv__segment *segment,
                                     uint32_t *rid, uint32_t first_rid)
{
    /* At most 65,536 steps: each goes down. */
    for (;;) {
        uint32_t block;
        struct pcv_device *device = look(segment, *rid, &block);
        uint32_t base = *rid & ~(block - 1u);

        if (device) {
            return device;
        }
        if (base == 0 || base - 1u < first_rid) {
            return NULL;
        }
        *rid = base - 1u;
    }
}

/* The first device at or after an address in the segments that share its upper
 * byte; *segment_number is where to look from and ends past them. */
static struct pcv_device *next_in(struct pcv_host *host, uint32_t *number,
                                  uint32_t *rid)
{
    struct pcv__segment *segment = pcv__segment_find(host, (uint16_t)*number);
    struct pcv_device *device =
        segment ? pcv__segment_next(segment, rid, 0xffffu) : NULL;

    if (!device) {
        *number += 1;
        *rid = 0;
        if ((*number & 0xffu) != 0 &&
            !atomic_load_explicit(&host->segments[(*number - 1) >> 8],
                                  memory_order_acquire)) {
            *number = (*number & ~0xffu) + 0x100u;
        }
    }
    return device;
}

struct pcv_device *pcv_device_next(struct pcv_host *host, pcv_sbdf from)
{
    uint32_t number = pcv_sbdf_segment(from);
    uint32_t rid = pcv__rid(from);

    /* Bounded: each step goes on to a higher address or segment. */
    while (number <= 0xffffu) {
        struct pcv_device *device = next_in(host, &number, &rid);
        struct pcv_device *held;

        if (!device) {
            continue;
        }
        held = pcv_device_find(
            host,
            pcv_sbdf_make((uint16_t)number, (uint8_t)(rid >> 8), (uint8_t)rid));
        if (held) {
            return held;
        }
        /* It is leaving, or gone by now: go on behind where it stood. */
        if (++rid > 0xffffu) {
            number++;
            rid = 0;
        }
    }
    return NULL;
}

static void free_bus(struct pcv_host *host, struct pcv__bus *bus)
{
    for (uint32_t i = 0; i < PCV_SLOTS; i++) {
        pcv__free(&host->mem,
                  atomic_load_explicit(&bus->slot[i], memory_order_relaxed),
                  sizeof(struct pcv__functions));
    }
    pcv__free(&host->mem, bus, sizeof(*bus));
}

static void free_segment(struct pcv_host *host, struct pcv__segment *segment)
{
    for (uint32_t i = 0; i < PCV_BUSES; i++) {
        struct pcv__bus *bus =
            atomic_load_explicit(&segment->bus[i], memory_order_relaxed);

        if (bus) {
            free_bus(host, bus);
        }
    }
    pcv__free(&host->mem, segment, sizeof(*segment));
}

void pcv__tables_free(struct pcv_host *host)
{
    for (uint32_t i = 0; i < PCV__SEGMENT_FAN; i++) {
        struct pcv__segments *high =
            atomic_load_explicit(&host->segments[i], memory_order_relaxed);

        if (!high) {
            continue;
        }
        for (uint32_t j = 0; j < PCV__SEGMENT_FAN; j++) {
            struct pcv__segment *segment =
                atomic_load_explicit(&high->low[j], memory_order_relaxed);

            if (segment) {
                free_segment(host, segment);
            }
        }
        pcv__free(&host->mem, high, sizeof(*high));
        atomic_store_explicit(&host->segments[i], NULL, memory_order_relaxed);
    }
}

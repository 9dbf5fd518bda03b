/* SPDX-License-Identifier: MIT */
/* Places whose functions were given away: away.h. */
#include "registry/away.h"

static uint32_t bit_of(uint32_t number)
{
    return 1u << number % 32u;
}

void pcv__away_mark(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    pcv_sbdf sbdf = pcv__device_sbdf(device);
    uint8_t number = pcv_sbdf_bus(sbdf);
    struct pcv__bus *bus =
        atomic_load_explicit(&segment->bus[number], memory_order_acquire);

    if (!bus) {
        return; /* nothing stands there yet; it is marked when it does */
    }
    /* In one order for all: who marks and then looks sees others' marks, or is
     * seen by them. */
    atomic_fetch_or_explicit(&bus->away_slots, bit_of(pcv_sbdf_device(sbdf)),
                             memory_order_seq_cst);
    atomic_fetch_or_explicit(&segment->away_buses[number / 32u], bit_of(number),
                             memory_order_seq_cst);
}

/* The first number at or after one whose bit is set, of `words` words; past all
 * of them: none. */
static uint32_t next_bit(const _Atomic uint32_t *word, uint32_t words,
                         uint32_t number)
{
    while (number < words * 32u) {
        uint32_t bits =
            atomic_load_explicit(&word[number / 32u], memory_order_seq_cst) >>
            number % 32u;

        if ((bits & 1u) != 0) {
            return number;
        }
        number = bits != 0 ? number + 1u : (number | 31u) + 1u;
    }
    return number;
}

/* In one place: the functions from *rid on that have its device number. */
static struct pcv_device *next_function(struct pcv_host *host,
                                        struct pcv__segment *segment,
                                        uint32_t *rid)
{
    uint32_t last = *rid | (PCV_FUNCTIONS - 1u);

    for (; *rid <= last; *rid += 1u) {
        struct pcv_device *device = pcv_device_find(
            host, pcv_sbdf_make(segment->number, (uint8_t)(*rid >> 8),
                                (uint8_t)*rid));

        if (device) {
            return device;
        }
    }
    return NULL;
}

/* In a segment, from *rid on. Bounded: *rid goes up. */
static struct pcv_device *next_in(struct pcv_host *host,
                                  struct pcv__segment *segment, uint32_t *rid)
{
    while (*rid <= 0xffffu) {
        uint32_t number =
            next_bit(segment->away_buses, PCV_BUSES / 32u, *rid >> 8);
        struct pcv__bus *bus;
        struct pcv_device *device;
        uint32_t slot;

        if (number >= PCV_BUSES) {
            return NULL;
        }
        *rid = number << 8 > *rid ? number << 8 : *rid;
        bus = atomic_load_explicit(&segment->bus[number], memory_order_acquire);
        slot = next_bit(&bus->away_slots, 1, *rid >> 3 & 0x1fu);
        if (slot >= PCV_SLOTS) {
            *rid = (number + 1u) << 8;
            continue;
        }
        if (slot > (*rid >> 3 & 0x1fu)) {
            *rid = number << 8 | slot << 3;
        }
        device = next_function(host, segment, rid);
        if (device) {
            return device;
        }
    }
    return NULL;
}

struct pcv_device *pcv__away_next(struct pcv_host *host, pcv_sbdf from)
{
    uint32_t number = pcv_sbdf_segment(from);
    uint32_t rid = pcv__rid(from);

    /* Bounded: each step goes on to a higher segment. */
    for (; number <= 0xffffu; number++, rid = 0) {
        struct pcv__segment *segment;
        struct pcv_device *device;

        if (!atomic_load_explicit(&host->segments[number >> 8],
                                  memory_order_acquire)) {
            number |= 0xffu;
            continue;
        }
        segment = pcv__segment_find(host, (uint16_t)number);
        device = segment ? next_in(host, segment, &rid) : NULL;
        if (device) {
            return device;
        }
    }
    return NULL;
}

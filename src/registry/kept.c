/* SPDX-License-Identifier: MIT */
/*
 * Functions that no bus number leads to for the moment (TOPO-4): they are in no
 * table, so that their old address may be another's, and in a list of their
 * segment, which knows of each behind which bridge it stands.
 */
#include "registry/kept.h"

void pcv__keep(struct pcv__segment *segment, struct pcv_device *device,
               struct pcv_device *above, uint8_t delta)
{
    pcv__lock_check_held(&device->host->mem, &segment->lock);
    device->kept.above = above;
    device->kept.delta = delta;
    device->kept.tried = false;
    device->kept.next = segment->kept;
    segment->kept = device;
    atomic_store_explicit(&device->kept.is, true, memory_order_relaxed);
    atomic_fetch_add_explicit(&segment->kept_count, 1, memory_order_release);
}

void pcv__unkeep(struct pcv__segment *segment, struct pcv_device *device)
{
    struct pcv_device **at = &segment->kept;

    pcv__lock_check_held(&device->host->mem, &segment->lock);
    /* Bounded: it is in the list. */
    while (*at != device) {
        at = &(*at)->kept.next;
    }
    *at = device->kept.next;
    device->kept.next = NULL;
    device->kept.above = NULL;
    atomic_store_explicit(&device->kept.is, false, memory_order_relaxed);
    atomic_fetch_sub_explicit(&segment->kept_count, 1, memory_order_release);
}

/* Nobody holds it any more: who made it so takes it off the list. */
static bool is_gone(const struct pcv_device *device)
{
    return (pcv__word(device) & PCV__WORD_COUNTS) == 0;
}

struct pcv_device *pcv__kept_at(struct pcv__segment *segment, pcv_sbdf sbdf)
{
    struct pcv_device *device = segment->kept;

    while (device &&
           (pcv__device_sbdf(device).v != sbdf.v || is_gone(device))) {
        device = device->kept.next;
    }
    return device;
}

bool pcv__kept_belongs(const struct pcv__segment *segment,
                       const struct pcv_device *device, pcv_sbdf *out_sbdf)
{
    const struct pcv_device *above = device->kept.above;
    pcv_sbdf sbdf = pcv__device_sbdf(device);
    uint32_t bus;

    if (!above || !above->bound || pcv__is_unreachable(above)) {
        return false;
    }
    bus = (uint32_t)above->secondary + device->kept.delta;
    if (bus > above->subordinate) {
        return false;
    }
    *out_sbdf =
        pcv_sbdf_make(segment->number, (uint8_t)bus, pcv_sbdf_devfn(sbdf));
    return true;
}

/* ---- looking ---------------------------------------------------------------
 */

/* The first of a segment at or after an address, with a reference. */
static struct pcv_device *first_from(struct pcv_host *host,
                                     struct pcv__segment *segment,
                                     uint32_t from)
{
    struct pcv_device *best = NULL;

    pcv__lock_take(&host->mem, &segment->lock);
    /* Bounded by the list, which has the last first. */
    for (struct pcv_device *device = segment->kept; device;
         device = device->kept.next) {
        uint32_t rid = pcv__rid(pcv__device_sbdf(device));

        if (rid >= from && (!best || rid < pcv__rid(pcv__device_sbdf(best))) &&
            (pcv__word(device) & PCV__WORD_LEAVING) == 0) {
            best = device;
        }
    }
    if (best && !pcv__ref_try(best, PCV_HOLDER_CALLER, PCV__WORD_LEAVING)) {
        best = NULL;
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    return best;
}

/* Segments have 16-bit numbers; those whose upper byte nobody has are passed
 * over in one step. */
static uint32_t number_after(struct pcv_host *host, uint32_t number)
{
    return atomic_load_explicit(&host->segments[number >> 8],
                                memory_order_acquire)
               ? number + 1u
               : (number | 0xffu) + 1u;
}

/* One that keeps functions, or NULL. */
static struct pcv__segment *keeper(struct pcv_host *host, uint32_t number)
{
    struct pcv__segment *segment = pcv__segment_find(host, (uint16_t)number);

    return segment && atomic_load_explicit(&segment->kept_count,
                                           memory_order_acquire) != 0
               ? segment
               : NULL;
}

struct pcv_device *pcv_device_next_unreachable(struct pcv_host *host,
                                               pcv_sbdf from)
{
    uint32_t rid = pcv__rid(from);

    /* Bounded: the number goes up. */
    for (uint32_t number = pcv_sbdf_segment(from); number <= 0xffffu;
         number = number_after(host, number)) {
        struct pcv__segment *segment = keeper(host, number);
        struct pcv_device *device =
            segment ? first_from(host, segment, rid) : NULL;

        if (device) {
            return device;
        }
        rid = 0;
    }
    return NULL;
}

/* The next of a segment in the order in which they lie in memory: addresses
 * may be the same, and change. */
static struct pcv_device *next_of(struct pcv_host *host,
                                  struct pcv__segment *segment, uintptr_t last)
{
    struct pcv_device *best;

    pcv__lock_take(&host->mem, &segment->lock);
    do {
        best = NULL;
        /* Bounded by the list. */
        for (struct pcv_device *device = segment->kept; device;
             device = device->kept.next) {
            if ((uintptr_t)device > last &&
                (!best || (uintptr_t)device < (uintptr_t)best)) {
                best = device;
            }
        }
        last = (uintptr_t)best;
        /* Bounded: `last` goes up. */
    } while (best && !pcv__ref_try(best, PCV_HOLDER_CALLER, PCV__WORD_LEAVING));
    pcv__lock_drop(&host->mem, &segment->lock);
    return best;
}

struct pcv_device *pcv__kept_next(struct pcv_host *host,
                                  struct pcv__kept_walk *walk)
{
    /* Bounded: the number goes up. */
    while (walk->segment <= 0xffffu) {
        struct pcv__segment *segment = keeper(host, walk->segment);
        struct pcv_device *device =
            segment ? next_of(host, segment, walk->last) : NULL;

        if (device) {
            walk->last = (uintptr_t)device;
            return device;
        }
        walk->last = 0;
        walk->segment = number_after(host, walk->segment);
    }
    return NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * The gate as the entrance passes it: two atomic steps an access, the first of
 * which counts it (LIFE-4, CFG-7, CFG-9). All of it is inline, since this is
 * what every access of every guest costs.
 */
#ifndef PCV_VBUS_GATE_H
#define PCV_VBUS_GATE_H

#include "vbus/internal.h"

#define PCV__ACCESS_UNIT (1ull << 32)
#define PCV__ACCESS_FULL (0xffffull << 32)

/* An access that entered and was not performed. */
static inline void pcv__gate_uncount(struct pcv_device *device)
{
    atomic_fetch_add_explicit(&device->no_read, 1, memory_order_relaxed);
}

static inline void pcv__gate_exit(struct pcv_device *device)
{
    uint64_t before = atomic_fetch_sub_explicit(&device->word, PCV__ACCESS_UNIT,
                                                memory_order_acq_rel);

    if (((before - PCV__ACCESS_UNIT) & PCV__WORD_COUNTS) == 0) {
        pcv__ref_last(device);
    }
}

/* As pcv__gate_enter(), and counted. */
static inline enum pcv_verdict pcv__gate_pass(struct pcv_domain *domain,
                                              pcv_sbdf sbdf,
                                              struct pcv_device **out_device)
{
    struct pcv_device *device = pcv__domain_peek(domain, sbdf);
    uint64_t word, next;

    if (!device) {
        return PCV_ABSENT;
    }
    word = pcv__word(device);
    do {
        if ((word & (PCV__WORD_SHUT | PCV__WORD_PAUSED)) != 0 ||
            (word & PCV__WORD_COUNTS) == 0 ||
            (word & PCV__ACCESS_FULL) == PCV__ACCESS_FULL) {
            return pcv__gate_refusal(domain, device, sbdf);
        }
        next = word + PCV__ACCESS_UNIT + PCV__TALLY;
        if ((word & PCV__TALLY_MASK) == PCV__TALLY_MASK) {
            next = (word & ~PCV__TALLY_MASK) + PCV__ACCESS_UNIT;
        }
    } while (!atomic_compare_exchange_weak_explicit(&device->word, &word, next,
                                                    memory_order_acq_rel,
                                                    memory_order_acquire));
    if ((word & PCV__TALLY_MASK) == PCV__TALLY_MASK) {
        atomic_fetch_add_explicit(&device->entered, PCV__TALLY_MAX + 1u,
                                  memory_order_relaxed);
    }
    if (!pcv__stands_at(domain, device, sbdf) || !pcv__owns(domain, device)) {
        pcv__gate_uncount(device);
        pcv__gate_exit(device);
        return PCV_ABSENT;
    }
    *out_device = device;
    return PCV_DONE;
}

#endif

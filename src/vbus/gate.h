/* SPDX-License-Identifier: MIT */
/*
 * The gate as the entrance passes it: two atomic steps an access, the first of
 * which counts it (LIFE-4, CFG-7, CFG-9). All of it is inline, since this is
 * what every access of every guest costs.
 */
#ifndef PCV_VBUS_GATE_H
#define PCV_VBUS_GATE_H

#include "vbus/internal.h"

/*
 * Whether an access may enter: the device is registered, nothing shuts its
 * gate, and fewer than half as many are inside as can be counted, so that one
 * comparison does. A registered device is held by the registry: our count is
 * never the first of one that nobody holds (LIFE-3).
 */
static inline bool pcv__gate_is_open(uint64_t word)
{
    return (word >> PCV__GATE_SHIFT & PCV__GATE_BITS) == PCV__GATE_OPEN;
}

/* An access that entered and was not performed. */
static inline void pcv__gate_uncount(struct pcv_device *device)
{
    atomic_fetch_add_explicit(&device->no_read, 1, memory_order_relaxed);
}

/* The first step: enter and be counted. False: pcv__gate_enter()
 * knows why, or that it is but crowded. */
static inline bool pcv__gate_pass(struct pcv_device *device)
{
    uint64_t word = pcv__word(device);
    uint64_t next;

    do {
        if (!pcv__gate_is_open(word)) {
            return false;
        }
        next = word + PCV__WORD_ACCESS + PCV__TALLY;
    } while (!atomic_compare_exchange_weak_explicit(&device->word, &word, next,
                                                    memory_order_acq_rel,
                                                    memory_order_acquire));
    if (next < word) { /* the tally was carried out */
        atomic_fetch_add_explicit(&device->entered, PCV__TALLY_TAKEN,
                                  memory_order_relaxed);
    }
    return true;
}

/* The second: leave. Returns the word as it was before, in which we were
 * inside: while it says that the device is registered, we were not the last who
 * held it. */
static inline uint64_t pcv__gate_exit(struct pcv_device *device)
{
    return atomic_fetch_sub_explicit(&device->word, PCV__WORD_ACCESS,
                                     memory_order_acq_rel);
}

#endif

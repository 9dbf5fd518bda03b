/* SPDX-License-Identifier: MIT */
/*
 * The word of a device: who holds it, and whether its gate is open.
 *
 *   bits  0..19  references of callers        (LIFE-4)
 *   bits 20..31  vectors
 *   bits 32..39  owner
 *   bits 40..55  accesses in flight
 *   bit  56      registry
 *   bit  57      new: registered, not yet to be found
 *   bit  58      paused: the gate answers retry
 *   bit  59      closed: the gate answers absent
 *   bit  60      leaving: removed; neither found nor entered
 *   bits 61..63  tally of accesses: see PCV__TALLY
 *
 * Nobody holds the device when bits 0..56 are zero. From then on nobody can
 * take a reference, and the one who made it so releases the device (LIFE-3).
 */
#ifndef PCV_REGISTRY_WORD_H
#define PCV_REGISTRY_WORD_H

#include "pcivisor/pcivisor.h"

#define PCV__WORD_COUNTS 0x01ffffffffffffffull
#define PCV__WORD_ACCESS (1ull << 40)
#define PCV__WORD_REGISTERED (1ull << 56)
#define PCV__WORD_NEW (1ull << 57)
#define PCV__WORD_PAUSED (1ull << 58)
#define PCV__WORD_CLOSED (1ull << 59)
#define PCV__WORD_LEAVING (1ull << 60)
/* The gate's bits, in one look: from the upper half of accesses, which must be
 * empty, to leaving. */
#define PCV__GATE_SHIFT 55u
#define PCV__GATE_BITS 0x3fu
#define PCV__GATE_OPEN 0x02u /* registered, and nothing else */
#define PCV__WORD_SHUT (PCV__WORD_NEW | PCV__WORD_CLOSED | PCV__WORD_LEAVING)

/*
 * An access that enters is counted by the step that lets it in: three bits of
 * the word count to eight, then the device's counter takes eight at once
 * (CFG-9). So a count costs an eighth of an atomic step. They are the topmost,
 * so that the eighth is carried out of the word and leaves the rest alone.
 */
#define PCV__TALLY (1ull << 61)
#define PCV__TALLY_TAKEN 8u

static inline uint32_t pcv__word_tally(uint64_t word)
{
    return (uint32_t)(word / PCV__TALLY);
}

/* One reference of a holder, as an addend to the word. */
uint64_t pcv__holder_unit(enum pcv_holder holder);
uint32_t pcv__holder_count(uint64_t word, enum pcv_holder holder);

#endif

/* SPDX-License-Identifier: MIT */
/* What drivers share: the fields of a register, and waiting that ends. */
#ifndef HYP_DRIVER_H
#define HYP_DRIVER_H

#include "arch.h"

/* Bits high to low of a value, moved down. */
static inline uint64_t bits(uint64_t value, unsigned high, unsigned low)
{
    return (value >> low) & (~(uint64_t)0 >> (63 - (high - low)));
}

/*
 * When to give up on a device, by the system counter. One second is far beyond
 * what any of them needs, so that only a broken one reaches it.
 */
static inline uint64_t deadline(void)
{
    return READ_SYSREG(cntpct_el0) + READ_SYSREG(cntfrq_el0);
}

static inline bool deadline_passed(uint64_t end)
{
    return READ_SYSREG(cntpct_el0) >= end;
}

/* Wait until the bits in `mask` of a register read `wanted`; false: they never
 * did. */
static inline bool wait_for(uint64_t address, uint32_t mask, uint32_t wanted)
{
    uint64_t end = deadline();

    while ((mmio_read32(address) & mask) != wanted) {
        if (deadline_passed(end)) {
            return (mmio_read32(address) & mask) == wanted;
        }
        relax();
    }
    return true;
}

/* The smallest order of pages_alloc() that holds `size` bytes. */
static inline unsigned pages_order(uint64_t size)
{
    unsigned order = 0;

    while ((PAGE_SIZE << order) < size) {
        order++;
    }
    return order;
}

#endif

/* SPDX-License-Identifier: MIT */
/* The entrances, as the owner floor sees them. */
#ifndef PCV_VBUS_INTERNAL_H
#define PCV_VBUS_INTERNAL_H

#include "vpci/internal.h"

/* Perform what an access still lacks, from where it stands. */
enum pcv_verdict pcv__access_go_on(struct pcv_domain *domain,
                                   struct pcv_access *access);

/* What a read of 1 to 8 bytes gives where nothing answers. */
static inline uint64_t pcv__all_ones(uint8_t size)
{
    return size >= 8 ? UINT64_MAX : (1ull << (size * 8u)) - 1u;
}

static inline void pcv__count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Width and alignment of an access to a BAR (MSIX-1, HDR-5). */
static inline bool pcv__mmio_is_sound(const struct pcv_mmio *access)
{
    uint8_t size = access->size;

    return (size == 1 || size == 2 || size == 4 || size == 8) &&
           access->address.v % size == 0;
}

/* Whether the part of an access that is next asks who is there: it reads the
 * vendor ID, or half of it (LIFE-12). */
static inline bool pcv__asks_who(const struct pcv_access *access)
{
    return !access->write && access->reg + access->progress < PCV_REG_DEVICE;
}

#endif

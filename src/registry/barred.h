/* SPDX-License-Identifier: MIT */
/*
 * What of a device's configuration space is not simply there. An access asks
 * all of it at once, with its register: bits that stand for an offset bar the
 * registers that have one of them, the others bar every register.
 */
#ifndef PCV_REGISTRY_BARRED_H
#define PCV_REGISTRY_BARRED_H

#include "registry/internal.h"

/* No extended space. Changes under the lock, with the gate paused. */
#define PCV__BARRED_EXTENDED (PCV_CFG_EXT_SIZE - PCV_CFG_SIZE)
#define PCV__BARRED_VANISHED 0x1000u
/* As the view's `settling` says, which has more to say. */
#define PCV__BARRED_SETTLING 0x2000u
/* No bus number leads to it for the moment (TOPO-4). */
#define PCV__BARRED_UNREACHABLE 0x4000u
/* Beside VANISHED: it was lost by a write that was let through (OWN-15). */
#define PCV__BARRED_LOST 0x8000u
#define PCV__BARRED_ANY                                                        \
    (PCV__BARRED_VANISHED | PCV__BARRED_SETTLING | PCV__BARRED_UNREACHABLE)

/* Returns true if it was not so before. */
static inline bool pcv__bar(struct pcv_device *device, uint32_t what)
{
    return (atomic_fetch_or_explicit(&device->barred, what,
                                     memory_order_acq_rel) &
            what) == 0;
}

static inline void pcv__unbar(struct pcv_device *device, uint32_t what)
{
    atomic_fetch_and_explicit(&device->barred, ~what, memory_order_acq_rel);
}

static inline bool pcv__is_barred(const struct pcv_device *device, uint32_t reg)
{
    return (atomic_load_explicit(&device->barred, memory_order_acquire) &
            (reg | PCV__BARRED_ANY)) != 0;
}

static inline bool pcv__has_vanished(const struct pcv_device *device)
{
    return (atomic_load_explicit(&device->barred, memory_order_acquire) &
            PCV__BARRED_VANISHED) != 0;
}

static inline bool pcv__is_lost(const struct pcv_device *device)
{
    return (atomic_load_explicit(&device->barred, memory_order_acquire) &
            PCV__BARRED_LOST) != 0;
}

static inline bool pcv__is_unreachable(const struct pcv_device *device)
{
    return (atomic_load_explicit(&device->barred, memory_order_acquire) &
            PCV__BARRED_UNREACHABLE) != 0;
}

static inline bool pcv__is_extended(const struct pcv_device *device)
{
    return (atomic_load_explicit(&device->barred, memory_order_relaxed) &
            PCV__BARRED_EXTENDED) == 0;
}

/* Whether a register can be reached at all (CFG-8, LIFE-9, TOPO-4). */
static inline bool pcv__has_register(const struct pcv_device *device,
                                     uint32_t reg)
{
    return (atomic_load_explicit(&device->barred, memory_order_acquire) &
            (reg | PCV__BARRED_VANISHED | PCV__BARRED_UNREACHABLE)) == 0;
}

#endif

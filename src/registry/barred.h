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
/* Notes above what bars, where there is room for them; no access knows of them.
 * It was reset with its bus, and nobody had it since: what the host programmed
 * is to be put back; and that was not waited for yet. A bridge that resets what
 * is behind it. MSI-X that is set aside (cap/msix_prepare.c). */
#define PCV__NOTE_CLEAN 0x10000u
#define PCV__NOTE_HIT 0x20000u
#define PCV__NOTE_BUS_RESET 0x40000u
#define PCV__NOTE_MSIX 0x80000u
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

static inline bool pcv__is_noted(const struct pcv_device *device, uint32_t note)
{
    return (atomic_load_explicit(&device->barred, memory_order_acquire) &
            note) != 0;
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

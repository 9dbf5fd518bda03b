/* SPDX-License-Identifier: MIT */
/*
 * Functions that were lost to their guest by a write that an administrator let
 * through, and were reset on the way out (OWN-15): nobody has them, but until
 * their time after the reset is over (SRIOV-3) their address stays taken, so
 * that what answers there is not asked too early.
 */
#ifndef PCV_REGISTRY_RESTING_H
#define PCV_REGISTRY_RESTING_H

#include "registry/internal.h"

/* One that is being removed rests, if it has time left: a reference keeps it
 * until then. Its removal holds one still; no lock. */
void pcv__resting_hold(struct pcv_device *device);

/* Let go of those whose time is over; or of all, when the host ends. No lock,
 * since a reference may be the last. */
void pcv__resting_let_go(struct pcv_host *host, bool all);

static inline bool pcv__resting_any(const struct pcv_host *host)
{
    return atomic_load_explicit(&host->resting_count, memory_order_acquire) !=
           0;
}

static inline void pcv__resting_due(struct pcv_host *host)
{
    if (pcv__resting_any(host)) {
        pcv__resting_let_go(host, false);
    }
}

/* Whether one rests at an address. */
bool pcv__resting_at(struct pcv_host *host, pcv_sbdf sbdf);

/* How long until the next one's time is over; 0: none rests, or one is due. */
uint64_t pcv__resting_us(struct pcv_host *host);

#endif

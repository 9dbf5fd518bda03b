/* SPDX-License-Identifier: MIT */
/* A declaration's way through the devices: pcv_device.ext_plan. */
#ifndef PCV_OWNER_ECAM_H
#define PCV_OWNER_ECAM_H

#include "owner/internal.h"

static inline uint8_t pcv__ext_plan(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->ext_plan, memory_order_acquire);
}

static inline void pcv__ext_set_plan(struct pcv_device *device, uint8_t plan)
{
    atomic_store_explicit(&device->ext_plan, plan, memory_order_release);
}

/*
 * Change the flag of a device that is marked, and what its owner sees of
 * extended space. A reference is held. 0; -PCV_ERESTART: accesses are inside,
 * and its gate stays paused, or its owner is being changed; -PCV_ENOMEM,
 * -PCV_EIO: it stays without, which an event tells. It is marked still then.
 */
int pcv__ext_change(struct pcv_device *device);

/* Bus numbers moved (TOPO-4): whether extended space can be reached where a
 * device is now, if its owner was told otherwise it is changed. A guest's may
 * only lose it, with an event. Behind its paused gate; no lock. */
void pcv__ext_moved(struct pcv_device *device);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Functions that the hypervisor drives itself: what the hardware domain sees of
 * one, and where its BARs are, which is nobody else's (OWN-8).
 */
#ifndef PCV_VPCI_RESERVED_H
#define PCV_VPCI_RESERVED_H

#include "vpci/internal.h"

/* ---- the view (read_only.c) ------------------------------------------------
 */

/* Build it beside the one that the device has, with memory for all that
 * pcv__read_only_take() does. 0; -PCV_ENOMEM; -PCV_EIO: the host could not read
 * its registers, or it does not answer. Nothing has changed then. */
int pcv__read_only_build(struct pcv_device *device, struct pcv__vpci **out_vpci)
    PCV__REQUIRES(device->lock);
/* It is not to be. */
void pcv__read_only_discard(struct pcv_device *device, struct pcv__vpci *vpci)
    PCV__REQUIRES(device->lock);
/* It is the device's now, in place of one that was torn down, and its BARs are
 * reserved. */
void pcv__read_only_take(struct pcv_device *device, struct pcv__vpci *vpci)
    PCV__REQUIRES(device->lock);

/* Messages of its own that firmware left on, and nobody would mediate, go off.
 * What the host cannot read or write stays as it is. */
void pcv__read_only_silence(struct pcv_device *device)
    PCV__REQUIRES(device->lock);

/* ---- where its BARs are (reserved.c) ---------------------------------------
 */

/* Set memory aside for those of vpci->reserved, whose addresses stand in
 * vpci->mapped; give it back. The view is the device's for the moment. 0 or
 * -PCV_ENOMEM. */
int pcv__reserved_prepare(struct pcv_device *device)
    PCV__REQUIRES(device->lock);
void pcv__reserved_forget(struct pcv_device *device)
    PCV__REQUIRES(device->lock);
/* From now on they are reserved; or not any more, which leaves the pages, who
 * are unmapped as those of any BAR. */
void pcv__reserved_begin(struct pcv_device *device) PCV__REQUIRES(device->lock);
void pcv__reserved_end(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* What guests have mapped on such pages goes. Without locks. */
void pcv__reserved_evict(struct pcv_host *host);
/* The same for one function, to which a reference is held. */
void pcv__reserved_evict_from(struct pcv_device *device);

/* Whether a range of physical memory touches what is reserved. */
bool pcv__reserved_touched(struct pcv_host *host, bool io, uint64_t address,
                           uint64_t size);
static inline bool pcv__reserved_memory(struct pcv_host *host, uint64_t address,
                                        uint64_t size)
{
    return atomic_load_explicit(&host->reserved_count, memory_order_acquire) !=
               0 &&
           pcv__reserved_touched(host, false, address, size);
}

/*
 * Who is at an address of the hardware domain on a page that is partly
 * reserved: a BAR larger than a page, of which such pages have no record. As
 * pcv__trap_enter().
 */
enum pcv_verdict pcv__reserved_enter(struct pcv_domain *domain,
                                     uint64_t address,
                                     struct pcv_device **out_device,
                                     uint8_t *out_bar);

#endif

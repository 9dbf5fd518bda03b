/* SPDX-License-Identifier: MIT */
/* The steps of a change of owner (OWN-5), each restartable. */
#ifndef PCV_OWNER_CHANGE_H
#define PCV_OWNER_CHANGE_H

#include "owner/internal.h"

struct pcv__mates;

/* The live device at an address, or what was there last and cannot be reached
 * (TOPO-4), with a caller's reference, for one change of owner at a time. 0;
 * -PCV_ENODEV; -PCV_EBUSY: somebody else is at it; -PCV_ERESTART: its bus is
 * being reset, or requester IDs that it shares are being moved for another
 * (owner/dma.h); -PCV_EIO: its bus cannot be let go. */
int pcv__change_begin(struct pcv_host *host, pcv_sbdf sbdf,
                      struct pcv_device **out_device);
void pcv__change_end(struct pcv_device *device);

bool pcv__is_quarantined(const struct pcv_device *device);

/*
 * Take it from its owner: the gate is closed and drained, bus mastering and
 * decoding go off, DMA is blocked, vectors and mappings are dropped; it is
 * quarantine's. 0; -PCV_ERESTART: the gate is closed, accesses drain, or
 * transactions; -PCV_ENOMEM, -PCV_EIO, or the host's: it is its owner's still,
 * behind a closed gate.
 */
int pcv__change_take(struct pcv_device *device);
/* That is not gone on with: what was silenced does what it did. */
void pcv__change_undo(struct pcv_device *device);

/* Reset what is quarantine's, and put back what the host programmed.
 * -PCV_ERESTART: its time is not over; -PCV_EOPNOTSUPP: there is no way, unless
 * that is `accepted`; -PCV_EBUSY: it is on its way home, and a reset of its bus
 * would hit what a guest has; -PCV_EIO: also if it does not come back. */
int pcv__change_reset(struct pcv_device *device, bool accepted);
/* The same of one of several that are quarantine's, and change together: a
 * reset of their bus hits all of them. Call it again for each until none
 * answers restart: one that was done may have been hit since. */
int pcv__change_reset_among(struct pcv_device *device,
                            const struct pcv__mates *mates, bool accepted);

/* Build the view of the next owner, let its DMA through, publish. */
int pcv__change_give(struct pcv_device *device, struct pcv_domain *domain);

/* DMA of every requester ID goes to a domain, or nowhere (quarantine); those
 * that others share go where they all are (owner/dma.c). 0; -PCV_EPERM: a guest
 * is never given it, or -PCV_EIO: all are as they were; -PCV_ERESTART: another
 * moves shared ones. That is not answered between pcv__change_begin() and
 * pcv__change_end(), nor by quarantine. */
int pcv__dma_to(struct pcv_device *device, const struct pcv_domain *domain);
/* Whether the host would let a domain have its DMA: a question only. 0;
 * -PCV_EPERM: never; -PCV_EIO. */
int pcv__dma_permitted(const struct pcv_device *device,
                       const struct pcv_domain *domain);
/* From here on it is this domain's, who finds it. -PCV_ENODEV: it was removed
 * meanwhile. */
int pcv__change_publish(struct pcv_device *device, struct pcv_domain *domain);

/* A step failed: it stays quarantine's, and nothing is kept for a guest. */
void pcv__change_failed(struct pcv_device *device, int error);

/* What was set aside for the guest that was to have it is given back. */
void pcv__change_forget(struct pcv_device *device);

/* ---- slot.c ---- */

/* A place on a guest's bus for a device, as the policy says. 0; -PCV_EEXIST;
 * -PCV_ENOSPC. */
int pcv__slot_take(struct pcv_domain *guest, struct pcv_device *device,
                   const struct pcv_assign_policy *policy);
/* A place is free for others, and so are the pages of who had it: those who
 * waited for them have them. The guest may end from then on. */
void pcv__slot_leave(struct pcv_device *device, struct pcv_domain *guest);
/* Functions of one slot know of each other (HDR-15). */
void pcv__slot_mark(struct pcv_domain *guest, uint8_t devfn);

#endif

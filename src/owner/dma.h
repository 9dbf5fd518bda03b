/* SPDX-License-Identifier: MIT */
/*
 * Where the DMA of requester IDs goes (TOPO-5, OWN-5). pcv__dma_to() of
 * owner/change.h moves all of a function's.
 *
 * One that several functions share belongs to whoever uses it (registry/
 * requester.h), so moving one function may move it for others. Who does that
 * has the segment's claim meanwhile, one at a time; who cannot have it leaves
 * what is to be done to who has, and what must be blocked at once is.
 */
#ifndef PCV_OWNER_DMA_H
#define PCV_OWNER_DMA_H

#include "owner/internal.h"
#include "registry/requester.h"

/* One requester ID, by itself: 0, -PCV_EIO, or -PCV_EPERM: that domain is never
 * given it. */
int pcv__dma_attach(struct pcv_host *host, pcv_sbdf requester, uint32_t id);

/* The claim, in the name of a device. False: another has it. */
bool pcv__dma_claim(struct pcv__segment *segment,
                    const struct pcv_device *device)
    PCV__REQUIRES(segment->lock);
/* As above if a device that stands, or is to stand, at an address shares any;
 * true if there is nothing to claim. */
bool pcv__dma_claim_at(struct pcv__segment *segment, struct pcv_device *device,
                       pcv_sbdf at) PCV__REQUIRES(segment->lock);
/* Nothing was moved. */
void pcv__dma_unclaim(struct pcv__segment *segment,
                      const struct pcv_device *device)
    PCV__REQUIRES(segment->lock);
/* If one of several that change their owner together has it, another has it. */
void pcv__dma_pass(const struct pcv_device *from, const struct pcv_device *to);
/* It is given back, if the device has it, after what others left was done. A
 * reference to the device is held. */
void pcv__dma_release(struct pcv_device *device);

/* A device that cannot be reached is to stand at an address: its requester IDs
 * there go where those went that it had. The claim is had, if there is one. 0
 * or -PCV_EIO: none of them does. */
int pcv__dma_join(struct pcv_device *device, pcv_sbdf at);
/* A device that is in no table any more: what it had at its last address is
 * those functions' that still use it, or nobody's. The claim is had. */
void pcv__dma_cut(struct pcv_device *device);

/* A requester ID is the device's no more: it goes to who uses it, or nowhere.
 */
void pcv__dma_settle(struct pcv_device *device, pcv_sbdf requester);
/* Whether its DMA is its owner's until it is blocked. */
bool pcv__has_own_dma(const struct pcv_device *device);
/* A device that leaves, or was not added after all, uses its requester IDs no
 * more. Those that nobody else uses stay as they are. */
void pcv__dma_lost(struct pcv_device *device);
/* What a bridge that leaves with all behind it put in the place of others'
 * requester IDs is blocked. */
void pcv__dma_bridge_lost(struct pcv_device *bridge);
/* A bridge has come, perhaps above functions that were there before. */
void pcv__dma_bridge_came(struct pcv_device *bridge);

/* All requester IDs of a device reach nobody's memory: tried again, since that
 * they do not is what the rest goes by. 0, or -PCV_EIO. */
int pcv__dma_block(struct pcv_device *device);

#endif

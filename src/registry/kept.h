/* SPDX-License-Identifier: MIT */
/* Bus numbers that change (TOPO-4): bridges that lead elsewhere (topology.c),
 * and functions that cannot be reached meanwhile (kept.c). */
#ifndef PCV_REGISTRY_KEPT_H
#define PCV_REGISTRY_KEPT_H

#include "registry/barred.h"

/* Whether a bridge may cover these buses beside those that do already; itself
 * is not in its way. */
bool pcv__bridge_fits(struct pcv_device *bridge, uint8_t first, uint8_t last);
/* Whether these buses are behind it, and in front of nobody else, whoever leads
 * to them now. */
bool pcv__bridge_may_lead(struct pcv_device *bridge, uint8_t first,
                          uint8_t last);
/* A bound bridge covers buses up to `last` from now on; it fits, and nothing
 * stands on those that it leaves. */
void pcv__bridge_extend(struct pcv__segment *segment, struct pcv_device *bridge,
                        uint8_t last) PCV__REQUIRES(segment->lock);
/* The bridge that covers a bus, or NULL. */
struct pcv_device *pcv__bridge_over(struct pcv__segment *segment, uint8_t bus)
    PCV__REQUIRES(segment->lock);

/* What is read by address, without the device's gate, may be another card's if
 * that has changed, or is odd. */
static inline uint32_t pcv__moves(const struct pcv__segment *segment)
{
    return atomic_load_explicit(&segment->moves, memory_order_acquire);
}

/* ---- functions that cannot be reached (kept.c) ------------------------------
 */

/* A guest's address of such a function has this bit: nobody's access has. */
#define PCV__GUEST_AWAY 0x80000000u

/* Into the list; out of it. Its place in the table is the caller's. */
void pcv__keep(struct pcv__segment *segment, struct pcv_device *device,
               struct pcv_device *above, uint8_t delta)
    PCV__REQUIRES(segment->lock);
void pcv__unkeep(struct pcv__segment *segment, struct pcv_device *device)
    PCV__REQUIRES(segment->lock);
/* The one that was last at an address and is not gone, or NULL; of several the
 * one that was there last. */
struct pcv_device *pcv__kept_at(struct pcv__segment *segment, pcv_sbdf sbdf)
    PCV__REQUIRES(segment->lock);
/*
 * All of them one after the other, whatever address they had, each with a
 * reference: NULL ends it. What comes meanwhile may be left out. Begin with a
 * walk of zeros; takes segment locks.
 */
struct pcv__kept_walk {
    uint32_t segment;
    uintptr_t last;
};
struct pcv_device *pcv__kept_next(struct pcv_host *host,
                                  struct pcv__kept_walk *walk);
/* Whether bus numbers lead to a kept function again, and where. */
bool pcv__kept_belongs(const struct pcv__segment *segment,
                       const struct pcv_device *device, pcv_sbdf *out_sbdf)
    PCV__REQUIRES(segment->lock);

#endif

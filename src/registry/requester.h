/* SPDX-License-Identifier: MIT */
/* Requester IDs: those of a function, and the functions of one (TOPO-5). */
#ifndef PCV_REGISTRY_REQUESTER_H
#define PCV_REGISTRY_REQUESTER_H

#include "pcivisor/requester.h"
#include "registry/group.h"

/* pcv_device.phantom_bits: function-number bits that are used as phantom, and
 * those that could be. */
#define PCV__PHANTOM_ON 0x03u
#define PCV__PHANTOM_CAN_SHIFT 4u

/* How many function-number bits a device may use for phantom functions, on or
 * off. */
static inline uint8_t pcv__phantom_can(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->phantom_bits, memory_order_relaxed) >>
           PCV__PHANTOM_CAN_SHIFT;
}

static inline uint8_t pcv__phantom_on(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->phantom_bits, memory_order_relaxed) &
           PCV__PHANTOM_ON;
}

/* Phantom functions were switched on or off. */
static inline void pcv__phantom_set(struct pcv_device *device, bool on)
{
    uint8_t can = pcv__phantom_can(device);

    atomic_store_explicit(
        &device->phantom_bits,
        (uint8_t)(can << PCV__PHANTOM_CAN_SHIFT | (on ? can : 0)),
        memory_order_relaxed);
}

/* Which one of a device's requester IDs. */
struct pcv__requester {
    pcv_sbdf id;
    enum pcv_requester_kind kind;
    pcv_sbdf by;
};

/* The index-th of a device that stands, or is to stand, at an address; of one
 * that cannot be reached those that it had at its last. False: past the last.
 */
bool pcv__requester_at(struct pcv__segment *segment, struct pcv_device *device,
                       pcv_sbdf at, uint32_t index, struct pcv__requester *out)
    PCV__REQUIRES(segment->lock);
/* Those of a bridge's for what is behind it; it may be unbound already. */
bool pcv__requester_of_bridge(const struct pcv_device *bridge, uint32_t index,
                              struct pcv__requester *out);
/* Whether others may send under its requester IDs. */
bool pcv__requester_shares(struct pcv__segment *segment,
                           struct pcv_device *device, pcv_sbdf at)
    PCV__REQUIRES(segment->lock);

/*
 * Every function that sends under a requester ID and is registered; one may be
 * told twice. Those that are just being added are told as well: of them only
 * what is atomic may be looked at. Bridges are not told; the one that an ID is
 * the own of is returned, or NULL.
 */
typedef void pcv__requester_see(void *ctx, struct pcv_device *user,
                                enum pcv_requester_kind kind);
struct pcv_device *pcv__requester_users(struct pcv__segment *segment,
                                        pcv_sbdf id, pcv__requester_see *see,
                                        void *ctx) PCV__REQUIRES(segment->lock);

/* Of those, the functions for which it was named, each once; and whether there
 * are any such IDs in a segment: a hint, without the lock. */
void pcv__requester_named_users(struct pcv__segment *segment, pcv_sbdf id,
                                pcv__requester_see *see, void *ctx)
    PCV__REQUIRES(segment->lock);
static inline bool pcv__requester_any_named(const struct pcv__segment *segment)
{
    return atomic_load_explicit(&segment->named_count, memory_order_acquire) !=
           0;
}

/*
 * Whose a requester ID is: of the one domain that uses it and is not
 * quarantine; quarantine's if there is none, or several. The hypervisor's own
 * functions beside the hardware domain's change nothing for those. What no
 * function uses is its bridge's, if it is a bridge's own, or nobody's: NULL.
 *
 * @self  a function that is to be of domain `to`, or NULL: to use it no more;
 *        NULL if it is nobody in particular
 * @kind  under which of its IDs that is
 */
struct pcv_domain *pcv__requester_belongs(struct pcv__segment *segment,
                                          pcv_sbdf id,
                                          const struct pcv_device *self,
                                          struct pcv_domain *to,
                                          enum pcv_requester_kind kind)
    PCV__REQUIRES(segment->lock);

/* Whether a domain that has a device is not given what it sends under an ID of
 * this kind: phantom functions are switched off for guests (TOPO-5), unless
 * they are not of the kind that can be. */
bool pcv__requester_is_off(const struct pcv_device *device,
                           const struct pcv_domain *domain,
                           enum pcv_requester_kind kind);

/* The domain that a device sends to, if its requester IDs are nobody else's.
 * Its address is the segment's, or the device is held. */
struct pcv_domain *pcv__dma_of(const struct pcv_device *device);

/* The index-th of those that a device has. */
static inline pcv_sbdf pcv__requester_named(const struct pcv_device *device,
                                            uint32_t index)
{
    uint32_t rid = device->extras->requester[index];

    return pcv_sbdf_make(device->segment->number, (uint8_t)(rid >> 8),
                         (uint8_t)rid);
}

/* The index-th of all that were named in a segment. Takes its lock. */
bool pcv__requester_named_next(struct pcv__segment *segment, uint32_t index,
                               pcv_sbdf *out_id);

/* The device has named requester IDs: into the segment's list, and out of it
 * if it is there. */
void pcv__named_add(struct pcv__segment *segment, struct pcv_device *device)
    PCV__REQUIRES(segment->lock);
void pcv__named_remove(struct pcv_device *device);

#endif

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
/* As above, of one that goes along with others: `holder` is who of those has
 * the claim on shared requester IDs, if anybody has; it is passed on. */
int pcv__change_begin_with(struct pcv_host *host, pcv_sbdf sbdf,
                           const struct pcv_device *holder,
                           struct pcv_device **out_device);
/* The same for one to which our caller holds a reference, whatever stands at
 * the address that it had last; it may have vanished. */
int pcv__change_begin_held(struct pcv_device *device);
void pcv__change_end(struct pcv_device *device);

/* Also of one that others change: a guest that has it may end meanwhile. */
bool pcv__is_quarantined(const struct pcv_device *device);

/* The guest that is to have it, or NULL. */
static inline struct pcv_domain *pcv__change_for(
    const struct pcv_device *device)
{
    return atomic_load_explicit(&device->change_for, memory_order_acquire);
}

/* Whether it is between two calls of a change of owner, or in one. */
static inline bool pcv__is_on_its_way(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->change_step, memory_order_relaxed) !=
               PCV_STEP_NONE &&
           atomic_load_explicit(&device->change_error, memory_order_relaxed) ==
               0;
}

/* A change of owner is at this step now; it failed there, and who listens is
 * told. */
void pcv__change_at(struct pcv_device *device, enum pcv_change_step step);
void pcv__change_told(struct pcv_device *device, enum pcv_event_kind kind,
                      int error);

/*
 * Before the gate of the hardware domain's function is closed: the placeholder
 * that this domain sees from then on (OWN-14). 0; -PCV_ENOMEM, -PCV_EIO, or
 * -PCV_ERESTART while the function must be left alone: nothing has changed.
 */
int pcv__change_cast(struct pcv_device *device);
/* It is the hardware domain's, and seen as what it is. */
void pcv__change_seen(struct pcv_device *device);

/*
 * Take it from its owner: the gate is closed and drained, bus mastering and
 * decoding go off, DMA is blocked, vectors and mappings are dropped; it is
 * quarantine's. 0; -PCV_ERESTART: the gate is closed, accesses drain, or
 * transactions;
 * -PCV_ENOMEM, -PCV_EIO, or the host's: it is its owner's still, behind a
 * closed gate, or, where a guest's could not be silenced, quarantine's.
 */
int pcv__change_take(struct pcv_device *device);
/* That is not gone on with: what was silenced does what it did. */
void pcv__change_undo(struct pcv_device *device);
/* Whatever was begun with what is the hardware domain's, a reset or a change of
 * owner, and is not gone on with: it does what it did, behind its gate. */
void pcv__change_drop(struct pcv_device *device);
/* Neither bus mastering nor decoding. 0; -PCV_EIO: that is not known to be so.
 */
int pcv__change_silence(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* The same, without the lock: it is blocked, but may still decode. */
int pcv__change_silence_again(struct pcv_device *device);
/* Every requester ID goes to the blocking context. 0 or -PCV_EIO. */
int pcv__change_block(struct pcv_device *device);

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

/* Let its DMA through to the next owner, and build that one's view. Then let it
 * be found: -PCV_ENODEV, it was removed meanwhile. */
int pcv__change_build(struct pcv_device *device, struct pcv_domain *domain);
int pcv__change_hand(struct pcv_device *device, struct pcv_domain *domain);
/* It is quarantine's, and stays so: no view, nothing kept for a guest. */
void pcv__change_rest(struct pcv_device *device);
/* The same, but for where it stands on its way home (owner/home.h). */
void pcv__change_empty(struct pcv_device *device);

/* DMA of every requester ID goes to a domain, or nowhere (quarantine); those
 * that others share go where they all are (owner/dma.c). 0; -PCV_EPERM: a guest
 * is never given it, or -PCV_EIO: all are as they were; -PCV_ERESTART: another
 * moves shared ones. That is not answered between pcv__change_begin() and
 * pcv__change_end(), nor by quarantine. */
int pcv__dma_to(struct pcv_device *device, const struct pcv_domain *domain);
/* The gate is open, as it was before a change that was given up. No lock. */
void pcv__change_reopen(struct pcv_device *device);
/* From here on it is this domain's, who finds it. -PCV_ENODEV: it was removed
 * meanwhile. */
int pcv__change_publish(struct pcv_device *device, struct pcv_domain *domain);

/* A step failed: it stays quarantine's, its DMA is blocked, and nothing is kept
 * for a guest. */
void pcv__change_failed(struct pcv_device *device, int error);

/* What was set aside for the guest that was to have it is given back; its group
 * is not waited for any more. */
void pcv__change_forget(struct pcv_device *device);
void pcv__change_part(struct pcv_device *device);

/* ---- check.c ---- */

/* Whether an assignment's arguments make sense: 0 or -PCV_EINVAL. */
int pcv__assign_arguments(const struct pcv_host *host,
                          const struct pcv_domain *domain,
                          const struct pcv_assign_policy *policy);
/* Who else is in the isolation group of a function that is to be assigned. */
struct pcv__others {
    pcv_sbdf sbdf[PCV_ASSIGN_GROUP_MAX];
    uint32_t count; /* perhaps more than there is room for */
};
/* Whether one could be reset, as its policy asks: see pcv__reset_check(). Of a
 * group, `mates` are those that go together. */
int pcv__assign_check_reset(struct pcv_device *device,
                            const struct pcv_assign_policy *policy,
                            const struct pcv__mates *mates);
/* Everything else that an assignment can be refused for, without side effects
 * (OWN-3). We change its owner. *out_others is set where that is looked at;
 * with PCV_ASSIGN_GROUP they are no reason to refuse. */
int pcv__assign_check(struct pcv_device *device,
                      const struct pcv_domain *domain,
                      const struct pcv_assign_policy *policy,
                      struct pcv__others *out_others);
/* Whether it is a PF with VFs, or somebody holds a descriptor of a vector. */
bool pcv__assign_is_used(struct pcv_device *device);

/* ---- remembered.c ---- */

/* Whether a removal of it, or of a bridge above it, waits for its return
 * (LIFE-5). */
bool pcv__removal_waits(struct pcv_device *device);
/* As pcv__change_end(), of what has come back: what waits for it is removed. It
 * may be gone then. False: nobody waits any more, and it is left as it was. */
bool pcv__change_end_removing(struct pcv_device *device);

/* ---- slot.c ---- */

/* A place on a guest's bus for a device, as the policy says. 0; -PCV_EEXIST;
 * -PCV_ENOSPC. */
int pcv__slot_take(struct pcv_domain *guest, struct pcv_device *device,
                   const struct pcv_assign_policy *policy);
/* Whether there is one: the same errors. */
int pcv__slot_check(const struct pcv_domain *guest,
                    const struct pcv_assign_policy *policy);
/* How many slots are free, host bridge's and that of a given place left out. */
uint32_t pcv__slots_free(const struct pcv_domain *guest,
                         const struct pcv_assign_policy *policy);
/* A place is free for others, and so are the pages of who had it: those who
 * waited for them have them. The guest may end from then on. */
void pcv__slot_leave(struct pcv_device *device, struct pcv_domain *guest);
/* Functions of one slot know of each other (HDR-15). */
void pcv__slot_mark(struct pcv_domain *guest, uint8_t devfn);

#endif

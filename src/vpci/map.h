/* SPDX-License-Identifier: MIT */
/*
 * What the plan of a mapping asks of one BAR, and what that asks of pages,
 * claims and traps. All under the device's lock.
 *
 * A BAR is first placed where its owner has it: memory is set aside, a guest's
 * pages are claimed as a whole, traps go into the domain's table. Then its
 * pages are mapped run by run, and unmapped run by run, after which it is
 * taken off again. Of its pages those in a hole are passed over (HDR-7).
 *
 * A domain counts in two maps, under the map lock: `map` the pages that BARs
 * want, `holes` those that must be trapped.
 *   Hardware domain: a page is mapped at the host if and only if it is wanted
 *   and no hole is on it. Both counts follow the runs, so that the host is
 *   asked for a page when the last reason for the other state goes.
 *   Guest: a page is claimed by one BAR, or by BARs that are all trapped there,
 *   from when it is placed until it is taken off (HDR-17).
 */
#ifndef PCV_VPCI_MAP_H
#define PCV_VPCI_MAP_H

#include "vpci/internal.h"

/* ---- where a BAR is to be (map_want.c) -------------------------------------
 */

/* What its owner has at a BAR's place; size 0: nothing. */
struct pcv__owned {
    uint64_t address, size; /* bytes */
    uint8_t kind;           /* enum pcv_bar_kind */
    bool enabled;           /* a ROM's own bit; true for others */
};

/* Where a BAR is to be reached. */
struct pcv__want {
    uint64_t start; /* bytes, the owner's */
    uint64_t size;
    uint64_t first; /* page */
    uint64_t host;  /* page of the host */
    uint64_t pages; /* 0: it is not to be reached */
    bool trapped;   /* all of it is served access by access (HDR-5) */
};

/* Most pages of a BAR that are trapped as a whole: a ROM of 16 MiB. */
#define PCV__TRAPPED_PAGES 4096u

void pcv__bar_owned(struct pcv_device *device, uint32_t number,
                    struct pcv__owned *out);
void pcv__bar_want(struct pcv_device *device, uint32_t number,
                   struct pcv__want *out);
/* Whether all of a guest's BAR is trapped, wherever the guest puts it. */
bool pcv__bar_is_trapped(const struct pcv_device *device, uint32_t number,
                         const struct pcv__owned *owned);

/* The domain that has the use of a device: of the hypervisor's hidden ones it
 * is the hardware domain. */
static inline struct pcv_domain *pcv__map_domain(const struct pcv_device *dev)
{
    struct pcv_domain *owner =
        atomic_load_explicit(&dev->owner, memory_order_acquire);

    return owner->kind == PCV_DOMAIN_HYPERVISOR ? &dev->host->hardware : owner;
}

/* Whether hardware may be asked: it does not settle from a reset. */
static inline bool pcv__may_be_asked(const struct pcv_device *device)
{
    uint8_t settling = atomic_load_explicit(&pcv__vpci(device)->settling,
                                            memory_order_relaxed);

    return settling == PCV__SETTLED || settling == PCV__SETTLING_MAP;
}

/* ---- pieces of a BAR (hole.c) ----------------------------------------------
 */

/* Pages of a BAR, all in a hole or none. */
struct pcv__piece {
    uint64_t pages;
    bool hole;
};

/* The one that begins `at` pages from the BAR's start, of at most `limit`
 * pages. A BAR has five at most, two holes with something around them; one that
 * is trapped is a hole as a whole. */
struct pcv__piece pcv__piece_at(const struct pcv__vpci *vpci, uint32_t number,
                                bool trapped, uint64_t at, uint64_t limit);
/* Nothing of a BAR is mapped: holes that nobody serves any more go. */
void pcv__holes_forget(struct pcv__vpci *vpci, uint32_t number);

/* ---- runs of pages (map_run.c) ---------------------------------------------
 */

/*
 * Map, or unmap, the next run of a BAR that is placed, and count it in or out;
 * *mapped moves on by at least a page. Mapping: 0; -PCV_ERESTART: the host did
 * a part and wants to be asked again; or its error. Unmapping: whether it did
 * all of the run.
 */
int pcv__run_map(struct pcv_device *device, uint32_t number, uint64_t host);
bool pcv__run_unmap(struct pcv_device *device, uint32_t number);

/* ---- placing (map_place.c) -------------------------------------------------
 */

/* Set memory aside in the domain's maps. 0 or -PCV_ENOMEM. */
int pcv__place_prepare(struct pcv_device *device, uint32_t number,
                       const struct pcv__want *want);
/* Place a BAR, of which nothing is mapped. 0: it is, or (mapped->waits) another
 * BAR of the guest is in its way; -PCV_ENOMEM. */
int pcv__place(struct pcv_device *device, uint32_t number,
               const struct pcv__want *want);
/* Undo both, and no longer wait. Nothing of the BAR is mapped. */
void pcv__unplace(struct pcv_device *device, uint32_t number);
/* None of its BARs waits any more, nor is woken. */
void pcv__place_forget(struct pcv_device *device);

/* ---- one BAR (map_bar.c) ---------------------------------------------------
 */

/* Whether what is mapped of a BAR lies within what is to be. */
bool pcv__bar_stays(struct pcv_device *device, uint32_t number);
/* Whether nothing is to be done for it, decoding being on. */
bool pcv__bar_settled(struct pcv_device *device, uint32_t number);
/* Set memory aside, so that mapping where the BAR is now cannot fail for want
 * of it. 0 or -PCV_ENOMEM. */
int pcv__bar_prepare(struct pcv_device *device, uint32_t number);
/* 0; -PCV_ERESTART: the host did a part and wants to be asked again;
 * -PCV_ENOMEM or the host's error: what was mapped so far still is. */
int pcv__bar_map(struct pcv_device *device, uint32_t number);
/* True when nothing of the BAR is mapped any more; false: ask again. */
bool pcv__bar_unmap(struct pcv_device *device, uint32_t number);

/* ---- traps (trap.c) --------------------------------------------------------
 */

/* Put what is trapped of a placed BAR into the domain's table; take it out. */
void pcv__traps_insert(struct pcv_device *device, uint32_t number,
                       uint64_t size, struct pcv_domain *domain)
    PCV__REQUIRES(domain->map_lock);
void pcv__traps_remove(struct pcv_device *device, uint32_t number,
                       struct pcv_domain *domain)
    PCV__REQUIRES(domain->map_lock);

/* The records of a device, as many as it can need. */
struct pcv__records {
    struct pcv__trap *traps;
    uint16_t count;
};

/* Make others, for what the view says now; 0 or -PCV_ENOMEM. Give them back.
 * Let them be the device's in place of those that it has, which they become:
 * what is placed stands in the domain's table all the same. */
int pcv__records_make(struct pcv_device *device, struct pcv__records *out)
    PCV__REQUIRES(device->lock);
void pcv__records_free(struct pcv_device *device, struct pcv__records *records);
void pcv__records_exchange(struct pcv_device *device,
                           struct pcv__records *records)
    PCV__REQUIRES(device->lock);

#endif

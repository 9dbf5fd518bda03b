/* SPDX-License-Identifier: MIT */
/* Removals that several files work on: at once, or when a guest lets go. */
#ifndef PCV_OWNER_LEAVING_H
#define PCV_OWNER_LEAVING_H

#include "owner/look.h"

/* The devices that one removal works on, deepest first. */
struct pcv__leaving {
    struct pcv_device *first;
    struct pcv_device **end;
};

/* ---- remove.c ---- */

/* Decide and mark: 0, and the list holds what leaves; -PCV_EBUSY: nothing has
 * changed. */
int pcv__leaving_claim(struct pcv__segment *segment, struct pcv_device *device,
                       struct pcv_completion *done, struct pcv__leaving *list,
                       pcv_sbdf *out_busy) PCV__REQUIRES(segment->lock);
/* Tear all of a list down and let go of them; `own` is one that our caller
 * holds, or NULL. 0, or -PCV_EBUSY and who is still there. No lock. */
int pcv__leaving_go(struct pcv__leaving *list, const struct pcv_device *own,
                    pcv_sbdf *out_busy);

/* Whether the place for an address holds something: leaving, perhaps. */
bool pcv__is_taken(struct pcv__segment *segment, pcv_sbdf sbdf)
    PCV__REQUIRES(segment->lock);

/* ---- remembered.c ---- */

/* A removal was refused for the sake of `busy`: where that is a guest's, it is
 * remembered. Takes `done` if nobody's is there yet. */
void pcv__removal_remember(struct pcv__segment *segment,
                           struct pcv_device *device, pcv_sbdf busy,
                           struct pcv_completion *done)
    PCV__REQUIRES(segment->lock);
/* It leaves, or is not to leave any more. Under the segment's lock. */
void pcv__removal_forget(struct pcv_device *device);
/* What was in the way of bridges that are to be removed may have gone: remove
 * those that can be. No lock. */
void pcv__removal_retry(struct pcv_host *host, struct pcv__segment *segment);

#endif

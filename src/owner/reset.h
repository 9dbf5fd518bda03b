/* SPDX-License-Identifier: MIT */
/* Resets, for a change of owner and at an administrator's word (OWN-16). */
#ifndef PCV_OWNER_RESET_H
#define PCV_OWNER_RESET_H

#include "owner/bus_reset.h"
#include "pcivisor/reset.h"

/* Whether a function that is in a change of owner could be reset before a guest
 * gets it. 0; -PCV_EOPNOTSUPP: not, or its bus reset would hit somebody;
 * -PCV_ERESTART: that changes just now; -PCV_EIO. */
int pcv__reset_check(struct pcv_device *device, const struct pcv__mates *mates);

/*
 * Begin a reset of what is quarantine's; it has a view. 0: it settles, see
 * pcv__settle_patiently(); -PCV_ERESTART; -PCV_EOPNOTSUPP: there is no way, unless that is
 * `accepted`; -PCV_EBUSY: it is on its way home, and its bus reset would hit a
 * guest's; -PCV_ENOMEM; -PCV_EIO: it does not answer.
 */
int pcv__reset_for_change(struct pcv_device *device,
                          const struct pcv__mates *mates, bool accepted);
/* Whether that is still to be done, though it was reset before. */
static inline bool pcv__reset_was_hit(const struct pcv_device *device)
{
    return pcv__is_noted(device, PCV__NOTE_HIT);
}

/* How it can be reset by itself. What the host could not read is no sign that
 * there is no way: it would go on with what its last owner left in it. Nor is
 * what does not answer: -PCV_EIO. */
int pcv__reset_way(struct pcv_device *device, enum pcv__reset *out_way)
    PCV__REQUIRES(device->lock);
/* Begin that: 0: it settles; -PCV_EOPNOTSUPP: it has no way; -PCV_ERESTART: it
 * settles from something else; -PCV_ENOMEM; -PCV_EIO. */
int pcv__reset_itself(struct pcv_device *device);
/* It was reset with its bus, or is being so: it settles. 0 or -PCV_ENOMEM. */
int pcv__reset_with_bus(struct pcv_device *device);

/* It has an owner again. */
void pcv__reset_used(struct pcv_device *device);

#endif

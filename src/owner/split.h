/* SPDX-License-Identifier: MIT */
/* Whether a change of owner would split an isolation group (OWN-4). */
#ifndef PCV_OWNER_SPLIT_H
#define PCV_OWNER_SPLIT_H

#include "owner/internal.h"

/*
 * Whether a group would have two users if a function were `to`'s: what is in
 * quarantine, or `to`'s, splits nothing, nor does what only forwards, or has
 * vanished. What is on its way to another guest, or back from one that ends, is
 * that one's already; and to a guest what is on its way home is the host's. The
 * hardware domain and the hypervisor are one user. A reference to it is held;
 * no lock.
 *
 * Whoever says for whom a function is to be before that is asked is seen by
 * whoever asks later: of two that split a group, one at least is refused.
 *
 * @out_others  room for so many addresses of functions that are in the way, in
 *              address order
 * @out_count   how many there are, which may be more
 *
 * 0; -PCV_EXDEV: others use it; -PCV_ENODEV, -PCV_ERESTART, -PCV_EIO: of
 * pcv_group_find(), and nothing is written.
 */
int pcv__group_split(struct pcv_device *device, const struct pcv_domain *to,
                     pcv_sbdf *out_others, uint32_t room, uint32_t *out_count);

/* What was said of a device before is seen by whoever passes here after us. */
void pcv__group_fence(struct pcv_device *device);

#endif

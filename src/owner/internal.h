/* SPDX-License-Identifier: MIT */
/* What the files that add and remove devices share. */
#ifndef PCV_OWNER_INTERNAL_H
#define PCV_OWNER_INTERNAL_H

#include "vpci/internal.h"

/* A host's list of segments is not followed further than this. */
#define PCV__SEGMENT_RUNS_MAX 65536u

/* Whether who adds a device says that it is a VF. */
bool pcv__claims_vf(const struct pcv_add_info *info);

/*
 * Take an address for a device that nobody can find yet: it carries the new
 * bit, and the registry's and the owner's references, which the caller gives
 * back if a later step fails. *out_pf is the PF that a VF names, with a
 * caller's reference, or untouched.
 * -PCV_ENOMEM; -PCV_EEXIST: somebody else has the address; -PCV_ENODEV,
 * -PCV_EINVAL: the PF is not there, or is none.
 */
int pcv__reserve(struct pcv_host *host, struct pcv__segment *segment,
                 pcv_sbdf sbdf, const struct pcv_add_info *info,
                 struct pcv_device **out_device, struct pcv_device **out_pf);

/*
 * Another card answers in the place of this device: it has vanished, and all
 * behind it, and is removed. Takes the caller's reference.
 * 0: all of it is gone; -PCV_EBUSY: something of it is still held.
 */
int pcv__device_replaced(struct pcv_device *device);

/* A VF goes, or was never there: its PF counts one less. */
void pcv__forget_vf(struct pcv_host *host, struct pcv_device *vf);

#endif

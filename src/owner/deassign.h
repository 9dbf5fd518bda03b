/* SPDX-License-Identifier: MIT */
/* Taking functions back, one or all of a guest. */
#ifndef PCV_OWNER_DEASSIGN_H
#define PCV_OWNER_DEASSIGN_H

#include "owner/change.h"
#include "owner/look.h"

/* A guest's becomes quarantine's, on its way home. As pcv__change_take(). */
int pcv__deassign_take(struct pcv_device *device);

/* As pcv_device_deassign(), of what a guest has or is about to have, to which a
 * reference is held, which is given back; also if it has vanished, or no
 * address leads to it. 0 if the guest has it not. */
int pcv__deassign_from(struct pcv_device *device, struct pcv_domain *from);

#endif

/* SPDX-License-Identifier: MIT */
/* Taking functions back, one or all of a guest. */
#ifndef PCV_OWNER_DEASSIGN_H
#define PCV_OWNER_DEASSIGN_H

#include "owner/change.h"
#include "owner/look.h"

/* As pcv_device_deassign(); with `from`, only what that guest has or is about
 * to have: 0 for everything else. */
int pcv__deassign(struct pcv_host *host, pcv_sbdf sbdf,
                  struct pcv_domain *from);

#endif

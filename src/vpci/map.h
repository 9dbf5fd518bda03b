/* SPDX-License-Identifier: MIT */
/* What the plan of a mapping asks of one BAR. All under the device's lock. */
#ifndef PCV_VPCI_MAP_H
#define PCV_VPCI_MAP_H

#include "vpci/internal.h"

/* Whether what is mapped of a BAR lies within what is to be. */
bool pcv__bar_stays(struct pcv_device *device, uint32_t number);
/* Set memory aside, so that mapping where the BAR is now cannot fail for want
 * of it. 0 or -PCV_ENOMEM. */
int pcv__bar_prepare(struct pcv_device *device, uint32_t number);
/* 0; -PCV_ERESTART: the host did a part and wants to be asked again;
 * -PCV_ENOMEM or the host's error: what was mapped so far still is. */
int pcv__bar_map(struct pcv_device *device, uint32_t number);
/* True when nothing of the BAR is mapped any more; false: ask again. */
bool pcv__bar_unmap(struct pcv_device *device, uint32_t number);

#endif

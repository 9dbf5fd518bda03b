/* SPDX-License-Identifier: MIT */
/* Linking an owner's capability lists. */
#ifndef PCV_VPCI_CAP_LINK_H
#define PCV_VPCI_CAP_LINK_H

#include "vpci/cap.h"

/* What a walk finds: capabilities in list order, as far as there is room. */
struct pcv__found {
    struct pcv_cap cap[PCV_CAPS_MAX];
    size_t count;
};

/* The record of the capability at an offset, or NULL. */
struct pcv__cap *pcv__cap_at(const struct pcv__vpci *vpci, uint16_t offset);

/* Give a guest's capabilities, from the `first` record on, their headers; `up`
 * says which got one. For the hardware domain all have hardware's. 0 or
 * -PCV_ENOMEM. */
int pcv__list_begin(struct pcv_device *device, bool extended, uint16_t first)
    PCV__REQUIRES(device->lock);
/* Link what is up; headers of the rest go. What the hardware domain is not to
 * see becomes read-only (CAP-3). 0 or -PCV_ENOMEM. */
int pcv__list_link(struct pcv_device *device, const struct pcv__found *found,
                   bool extended) PCV__REQUIRES(device->lock);

#endif

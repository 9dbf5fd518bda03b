/* SPDX-License-Identifier: MIT */
/*
 * What the hardware domain sees of a function that is a guest's, or in
 * quarantine (OWN-14): kept beside the device (pcv__extras), so that nobody has
 * to ask hardware for it, which may be in a reset and is somebody else's.
 */
#ifndef PCV_VPCI_SHADOW_H
#define PCV_VPCI_SHADOW_H

#include "vpci/internal.h"

struct pcv__shadow;

/*
 * Remember what the function is, as hardware says now; what was remembered
 * before is forgotten. It is the hardware domain's still.
 * 0; -PCV_ENOMEM, -PCV_EIO if it does not answer, or -PCV_ERESTART while it
 * must be left alone: nothing has changed.
 */
int pcv__shadow_cast(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* It is the hardware domain's again. */
void pcv__shadow_drop(struct pcv_device *device) PCV__REQUIRES(device->lock);

/* What is remembered of a device, or NULL. */
static inline struct pcv__shadow *pcv__shadow_of(
    const struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    return device->extras ? device->extras->shadow : NULL;
}

/* One access of 1, 2 or 4 aligned bytes, below 0x100 or in extended space that
 * the device has. */
uint32_t pcv__shadow_read(const struct pcv__shadow *shadow, uint16_t reg,
                          uint8_t size);
/* True: it was a BAR's, which can be sized. All else is dropped. */
bool pcv__shadow_write(struct pcv__shadow *shadow, uint16_t reg, uint8_t size,
                       uint32_t value);

#endif

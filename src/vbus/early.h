/* SPDX-License-Identifier: MIT */
/* Reads of vendor IDs by the hardware domain, which may say more than the
 * registry knows (LIFE-12). */
#ifndef PCV_VBUS_EARLY_H
#define PCV_VBUS_EARLY_H

#include "vbus/internal.h"

/* Bytes of one part of an access. */
static inline uint8_t pcv__part_size(const struct pcv_access *access)
{
    return access->size > 4 ? 4 : access->size;
}

/*
 * Whether nothing stands there only because a PF's VFs are still to be added,
 * or because nobody has looked yet. Neither is for this floor: resume does it
 * and performs the access then. Where not, the data of a read that answers
 * "not ready" is set.
 */
bool pcv__came_early(struct pcv_domain *domain, struct pcv_access *access);

/*
 * Whether a read of the vendor ID says another thing than what is registered:
 * that may be gone, or another card (LIFE-9). We are inside the device's gate.
 */
bool pcv__says_another(const struct pcv_device *device,
                       const struct pcv_access *access, uint32_t data);

#endif

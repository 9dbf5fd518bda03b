/* SPDX-License-Identifier: MIT */
/* The entrances, as the owner floor sees them. */
#ifndef PCV_VBUS_INTERNAL_H
#define PCV_VBUS_INTERNAL_H

#include "vpci/internal.h"

/* Perform what an access still lacks, from where it stands. */
enum pcv_verdict pcv__access_go_on(struct pcv_domain *domain,
                                   struct pcv_access *access);

/* Whether the part of an access that is next asks who is there: it reads the
 * vendor ID, or half of it (LIFE-12). */
static inline bool pcv__asks_who(const struct pcv_access *access)
{
    return !access->write && access->reg + access->progress < PCV_REG_DEVICE;
}

#endif

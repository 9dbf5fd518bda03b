/* SPDX-License-Identifier: MIT */
/*
 * What answers the hardware domain where it has no device: a placeholder of one
 * that is somebody else's (OWN-14), or an emulated function (VBUS-6). An access
 * comes here only when the ordinary way found nothing.
 */
#ifndef PCV_VBUS_PLACEHOLDER_H
#define PCV_VBUS_PLACEHOLDER_H

#include "vbus/emulated.h"

/* Whether something may answer at an address at which a domain has no device.
 */
static inline bool pcv__stand_in_any(const struct pcv_domain *domain)
{
    return pcv__emulated_any(domain) ||
           (domain->kind == PCV_DOMAIN_HARDWARE &&
            atomic_load_explicit(&domain->host->shadow_count,
                                 memory_order_acquire) != 0);
}

/*
 * An access of 1, 2 or 4 aligned bytes. *data: what is written, or what was
 * read. PCV_DONE; PCV_ABSENT; PCV_RETRY: the function came home meanwhile.
 */
enum pcv_verdict pcv__stand_in_access(struct pcv_domain *hardware,
                                      pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                                      bool write, uint32_t *data);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A stub function 0 (OWN-9, VBUS-2): software that looks for functions asks
 * function 0 first, and takes the others' word from its header. Where others
 * are there and it is not, a stub says so, and nothing else.
 */
#ifndef PCV_VBUS_STUB_H
#define PCV_VBUS_STUB_H

#include "vbus/internal.h"

/* Whether a stub may stand anywhere for a domain. */
static inline bool pcv__stub_any(const struct pcv_domain *domain)
{
    return atomic_load_explicit(&domain->stubs, memory_order_relaxed) != 0;
}

/*
 * An access of 1, 2 or 4 aligned bytes where a domain has no device. *data:
 * what is written, which goes nowhere, or what was read. PCV_DONE, or
 * PCV_ABSENT and *data is as it was.
 */
enum pcv_verdict pcv__stub_access(struct pcv_domain *domain, pcv_sbdf sbdf,
                                  uint16_t reg, uint8_t size, bool write,
                                  uint32_t *data);

#endif

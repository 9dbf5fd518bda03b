/* SPDX-License-Identifier: MIT */
/*
 * The interrupt translation service: what a device writes becomes an LPI by
 * its requester ID and an event number, so that no device can raise another's
 * interrupt (Arm IHI 0069, chapter 5).
 */
#ifndef HYP_ITS_H
#define HYP_ITS_H

#include "arch.h"

/* Events of a device: MSI-X entries from 0, MSI messages from here. */
#define ITS_EVENT_MSI 2048u
#define ITS_EVENTS 4096u

/* Once, on the first CPU after gic_init_cpu(). 0 or a negative PCV_E*. */
int its_init(uint64_t base);
/* On each CPU: its LPIs, and its collection. */
int its_init_cpu(void);

/* The register that a device writes to; its DMA must reach the page that it is
 * in. */
uint64_t its_doorbell(void);

/*
 * Let `count` events of a device from `event` on arrive as LPIs at this
 * domain's virtual interrupts from `virq` on. What was mapped is replaced.
 * 0; -PCV_EINVAL; -PCV_ENOMEM; -PCV_ENOSPC: no LPI is free; -PCV_EIO: the ITS
 * refused. On failure none of them is mapped. Any CPU.
 */
int its_bind(uint32_t requester, uint32_t event, uint32_t count,
             uint32_t domain_id, uint32_t virq);
void its_unbind(uint32_t requester, uint32_t event, uint32_t count);

/* Whose an LPI is. False: nobody's. */
bool its_lookup(uint32_t lpi, uint32_t *out_domain_id, uint32_t *out_virq);

#endif

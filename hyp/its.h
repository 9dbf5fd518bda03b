/* SPDX-License-Identifier: MIT */
/*
 * The interrupt translation service: what a device writes becomes an LPI by
 * its requester ID and an event number, so that no device can raise another's
 * interrupt (Arm IHI 0069, chapter 5).
 */
#ifndef HYP_ITS_H
#define HYP_ITS_H

#include "arch.h"

/* Vectors of a function: MSI-X entries from 0, MSI messages from here. */
#define ITS_VECTOR_MSI 2048u
#define ITS_VECTORS 4096u

/* `count` vectors of a function. */
struct its_source {
    uint32_t requester; /* what its messages arrive under: behind a bridge of
                           conventional PCI all functions have the same */
    uint32_t function;  /* its own bus, device and function number */
    uint32_t vector, count; /* count: a power of two */
};

/* Once, on the first CPU after gic_init_cpu(). 0 or a negative PCV_E*. */
int its_init(uint64_t base);
/* On each CPU: its LPIs, and its collection. */
int its_init_cpu(void);

/* The register that a device writes to; its DMA must reach the page that it is
 * in. */
uint64_t its_doorbell(void);

/*
 * Let vectors arrive as LPIs at this domain's virtual interrupts from `virq`
 * on. What was bound is replaced. *out_event is what the device is to write for
 * the first of them, a multiple of `count`.
 * 0; -PCV_EINVAL; -PCV_ENOMEM; -PCV_ENOSPC: no LPI is free, or no event of the
 * requester ID; -PCV_EIO: the ITS refused. On failure none of them is bound.
 * Any CPU.
 */
int its_bind(const struct its_source *source, uint32_t domain_id, uint32_t virq,
             uint32_t *out_event);
void its_unbind(const struct its_source *source);

/* Whose an LPI is. False: nobody's. */
bool its_lookup(uint32_t lpi, uint32_t *out_domain_id, uint32_t *out_virq);

#endif

/* SPDX-License-Identifier: MIT */
/* Translation tables: the hypervisor's own, and stage 2 of each domain. */
#ifndef HYP_MMU_H
#define HYP_MMU_H

#include "domain.h"

/* First CPU, before anything else: all memory at its physical address, the
 * image's gigabyte cached, everything else device memory. Then start.S turns
 * the MMU on, on each CPU. */
void mmu_init(void);
extern uint64_t mmu_root[];
/* This is memory: cache it. Whole gigabytes are. */
void mmu_add_ram(uint64_t base, uint64_t size);
/* Memory that somebody reads with its caches off, as a kernel does at first. */
void mmu_clean(const void *memory, uint64_t size);

enum stage2_kind {
    STAGE2_RAM,
    STAGE2_DEVICE, /* and not executable */
    STAGE2_DEVICE_READ_ONLY,
};

/* 0 or -PCV_ENOMEM. */
int stage2_create(struct domain *domain);
/*
 * Map or unmap pages of a domain. stage2_map() replaces nothing: -PCV_EEXIST
 * if a page is mapped already; -PCV_ENOMEM; on failure none of the pages is
 * mapped. But where a device's first page is mapped to the same place of
 * another kind, that page alone becomes of this kind: 1; or -PCV_ENOMEM. After
 * that and after stage2_unmap() no CPU uses the old entries. Any CPU.
 */
int stage2_map(struct domain *domain, uint64_t address, uint64_t physical,
               uint64_t pages, enum stage2_kind kind);
int stage2_unmap(struct domain *domain, uint64_t address, uint64_t pages);
/* Whether a page is mapped, and where. */
bool stage2_lookup(struct domain *domain, uint64_t address,
                   uint64_t *out_physical);
/* Whether it is mapped, and not for reading only. */
bool stage2_can_write(struct domain *domain, uint64_t address);
/* This CPU runs the domain from now on. */
void stage2_use(const struct domain *domain);

#endif

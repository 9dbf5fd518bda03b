/* SPDX-License-Identifier: MIT */
/*
 * The SMMUv3 (Arm IHI 0070): DMA of each requester ID goes through the tables
 * of the domain that has the device, or nowhere. Stage 1 is enough, since the
 * tables are the hypervisor's and no guest sees an SMMU.
 */
#ifndef HYP_SMMU_H
#define HYP_SMMU_H

#include "arch.h"

struct smmu_context; /* a domain's address space for DMA */

struct smmu_info {
    uint64_t base;
    /* SPI of the event queue (edge), as an INTID, for the port to enable; 0:
     * none. */
    uint32_t event_irq;
};

/* One SMMU; every requester ID is blocked from now on. 0 or negative PCV_E*. */
int smmu_init(const struct smmu_info *info);

/* NULL: no memory, or no more address space numbers. */
struct smmu_context *smmu_context_create(void);
/* Page-wise; what was mapped is replaced. 0, -PCV_EINVAL, -PCV_ENOMEM, and
 * -PCV_EIO: the SMMU takes no commands. Without memory a mapping leaves nothing
 * of its own, and an unmapping changes nothing. Memory is cacheable; `doorbell`
 * is device memory, write only where possible. */
int smmu_map(struct smmu_context *context, uint64_t address, uint64_t physical,
             uint64_t size, bool doorbell);
int smmu_unmap(struct smmu_context *context, uint64_t address, uint64_t size);

/* From now on DMA of a requester ID goes there; NULL: blocked. After it
 * returns nothing of the old context is used for it. 0, -PCV_EINVAL, -PCV_EIO.
 * Any CPU. */
int smmu_attach(uint32_t requester, struct smmu_context *context);

/* Take what the event queue holds, but no more than SMMU_POLL_MAX: each fault
 * is told to smmu_fault(). From the interrupt handler; and then, while
 * smmu_unfinished(), from any later one, since the SMMU interrupts only when
 * the queue was empty. Returns how many. Any CPU. */
#define SMMU_POLL_MAX 256u
unsigned smmu_poll(void);
bool smmu_unfinished(void);
/* The port's: a device's access was refused. */
void smmu_fault(uint32_t requester, uint64_t address, bool write,
                unsigned code);

#endif

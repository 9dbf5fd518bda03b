/* SPDX-License-Identifier: MIT */
/*
 * What the SMMU driver's files share: smmu.c (the unit, contexts, streams),
 * smmu_table.c (page tables), smmu_queue.c (commands and events).
 *
 * Locks: the streams' or a context's, then the command queue's.
 */
#ifndef HYP_SMMU_IMPL_H
#define HYP_SMMU_IMPL_H

#include "smmu.h"

#define SMMU_ADDRESS_BITS                                                      \
    48u /* of devices' addresses: four levels of 4 KiB                         \
         */
#define SMMU_TABLE_ENTRIES 512u

/* A translation table, as the SMMU walks it while we change it. */
struct smmu_table {
    _Atomic uint64_t entry[SMMU_TABLE_ENTRIES];
};

struct smmu_context {
    struct spinlock lock; /* the tables */
    struct smmu_table *root;
    uint32_t asid;         /* the context's name in TLBs */
    uint64_t physical_end; /* the first address that the SMMU cannot put out */
    bool splits_live;      /* a block may become a table while it is in use */
};

/* Queues, in memory of ours and known to the SMMU, but not enabled. */
int smmu_queues_init(uint64_t base, uint32_t idr1);

/*
 * Forget, and wait until everything that used it has ended: a stream's entry
 * together with the translations of the context that it had; all translations
 * of a context in a range; everything. 0 or -PCV_EIO: the SMMU does not answer,
 * and what it still uses is unknown.
 */
int smmu_forget_stream(uint32_t requester, uint32_t old_asid);
int smmu_forget_range(uint32_t asid, uint64_t address, uint64_t size);
int smmu_forget_all(void);

#endif

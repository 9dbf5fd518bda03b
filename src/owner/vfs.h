/* SPDX-License-Identifier: MIT */
/* What the files that do a PF's work share. */
#ifndef PCV_OWNER_VFS_H
#define PCV_OWNER_VFS_H

#include "owner/internal.h"

#define PCV__VFS_PER_CALL 8u /* VFs that one call works on */

static inline enum pcv__vf_work pcv__vfs_work_of(const struct pcv_device *pf)
{
    return (enum pcv__vf_work)atomic_load_explicit(&pf->vf_work,
                                                   memory_order_acquire);
}

/* Whether it is time for what a PF has to do. */
bool pcv__vfs_is_due(struct pcv_device *pf) PCV__REQUIRES(pf->lock);

/* What was to be done is done, or dropped: VFs that were still to come are what
 * is left. */
void pcv__vfs_finish(struct pcv_device *pf) PCV__REQUIRES(pf->lock);

/*
 * Let a VF's BARs and what is mapped of them be what its PF says now; a
 * reference is held. We are in its gate meanwhile, so that its view stays;
 * while its owner changes nothing is mapped, and the next owner's view is built
 * from what is known. *planned is ours from call to call, false at first.
 * False: call again.
 */
bool pcv__vf_follow(const struct pcv_device *pf, struct pcv_device *vf,
                    bool *planned);

/* Let the next VFs follow, in address order. True when all did; false: call
 * again. Its caller is the only one that works on the PF. */
bool pcv__vfs_walk(struct pcv_device *pf);

/* Add VFs. PCV_PENDING: there is more to do now. Its caller is the only one
 * that works on the PF. */
enum pcv_verdict pcv__vfs_appear(struct pcv_device *pf);

#endif

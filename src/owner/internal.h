/* SPDX-License-Identifier: MIT */
/* What the files that add and remove devices share. */
#ifndef PCV_OWNER_INTERNAL_H
#define PCV_OWNER_INTERNAL_H

#include "vpci/internal.h"

/* A host's list of segments is not followed further than this. */
#define PCV__SEGMENT_RUNS_MAX 65536u

/* A VF goes, or was never there: its PF counts one less. */
void pcv__forget_vf(struct pcv_host *host, struct pcv_device *vf);

#endif

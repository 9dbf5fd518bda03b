/* SPDX-License-Identifier: MIT */
/* Emulated functions, as adding, scanning and the host's end see them. */
#ifndef PCV_OWNER_EMULATED_H
#define PCV_OWNER_EMULATED_H

#include "owner/internal.h"
#include "vbus/emulated.h"

/*
 * A function is to be added where an emulated one may stand (VBUS-6). 0: none
 * stands there. -PCV_EEXIST: one does, and the physical function, which a VF is
 * taken to be and others prove by answering, stays nobody's: its DMA is
 * quarantine's, and who reads the log is told once. -PCV_ENODEV: nothing
 * answers but the emulated one. -PCV_EIO.
 */
int pcv__emulated_conceals(struct pcv_host *host, pcv_sbdf sbdf, bool is_vf);

/* DMA of an address where nobody is registered is quarantine's, until somebody
 * is. 0 or -PCV_EIO. */
int pcv__emulated_block(struct pcv_host *host, pcv_sbdf sbdf);

/* Whether a device number is taken by an emulated function, or about to be. */
bool pcv__emulated_takes(struct pcv__segment *segment, pcv_sbdf sbdf)
    PCV__REQUIRES(segment->lock);

/* The host ends: nothing runs, and all of them go. */
void pcv__emulated_drop(struct pcv_host *host);

#endif

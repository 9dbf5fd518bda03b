/* SPDX-License-Identifier: MIT */
/*
 * What leads to the functions of guests, and the writes of the hardware domain
 * to it that are dropped (OWN-15).
 */
#ifndef PCIVISOR_PROTECTED_H
#define PCIVISOR_PROTECTED_H

#include "pcivisor/host.h"
#include "pcivisor/types.h"

/**
 * Let the hardware domain take functions away from their guests, at one bridge
 * or PF; or not any more.
 *
 * While a guest has a function behind a bridge, or a VF of a PF, writes of the
 * hardware domain that would reset, switch off, cut off, renumber or move it
 * are dropped: bits of the same write that do no harm have their effect. Each
 * is counted (pcv_host_stats.protected_writes, and as refused at the bridge or
 * PF) and told (PCV_EVENT_PROTECTED).
 *
 * With the override such a write is performed. Before it is, what guests have
 * behind the bridge, or as VFs of the PF, is silenced, reset if one write does
 * that (FLR), and lost: a surprise removal for its guest (LIFE-9), with
 * PCV_EVENT_OVERRIDDEN. What nobody holds is removed, too, so that the hardware
 * domain can find it again: when its time after the reset is over, which
 * pcv_host_work() tells; until then it is leaving.
 *
 * What the hypervisor uses (hidden, concealed, read-only) is not taken: writes
 * that would reset it are dropped with an override, too.
 *
 * It holds until it is taken back or the bridge or PF is removed, and for the
 * functions of guests that are there at the time of a write.
 *
 * @sbdf  a bridge, or a function that can have VFs
 *
 * Returns 0, also if it is so already; -PCV_EINVAL if it is neither, or no
 * host; -PCV_ENODEV. Context: any. Locking: none.
 */
int PCV_MUST_CHECK pcv_device_override(struct pcv_host *host, pcv_sbdf sbdf,
                                       bool on);

#endif

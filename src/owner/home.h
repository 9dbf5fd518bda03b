/* SPDX-License-Identifier: MIT */
/*
 * Home from quarantine, to the hardware domain or the hypervisor, beside an
 * isolation group of which a guest has the rest (OWN-4, OWN-6): that would
 * split it, so a function waits in quarantine until the last of them is back.
 *
 * Two notes say where one stands:
 *   PCV__NOTE_HOMEWARD  it is on its way home: from a guest, or from rest. No
 *                       guest is given one of its group.
 *   PCV__NOTE_WAITS     it came back from a guest, and rests for the sake of
 *                       its group; whoever is the last to leave the guest
 *                       brings it home.
 * Both are set before others are looked at, and both are looked at by others
 * after they are nobody's: of two that leave at once, one at least sees the
 * other. Whoever finds one homeward, and somebody at it, passes it by: so one
 * that must wait is not homeward any more before others are looked at once
 * more.
 */
#ifndef PCV_OWNER_HOME_H
#define PCV_OWNER_HOME_H

#include "owner/change.h"

/* It is on its way home: 0; -PCV_EXDEV: a guest has others of its group, so it
 * may not; or the errors of pcv__group_split(). We change its owner. */
int pcv__home_begin(struct pcv_device *device);

/* The same, and then it is reset, and has the view that the hardware domain is
 * to have, behind its closed gate. -PCV_EBUSY also: a removal waits for it, so
 * it is handed on to nobody (LIFE-5); -PCV_ERESTART. What fails on the way
 * leaves it in quarantine. */
int pcv__home_prepare(struct pcv_device *device);

/* Who of its group a guest has: their number, and the first. A reference is
 * held. */
uint32_t pcv__home_others(struct pcv_device *device, pcv_sbdf *out_first);

/* It has come from a guest, and is to wait: it rests, and this is told. */
void pcv__home_wait(struct pcv_device *device);
/* It is not to go home: as it was, waiting or not. */
void pcv__home_stay(struct pcv_device *device);

/* Those of its group that wait go home, since it is not a guest's any more; who
 * may not yet stays. We change its owner. 0, or -PCV_ERESTART. */
int pcv__home_waiters(struct pcv_device *device);

/* Whether what stands at an address waits, and nobody is waited for. */
bool pcv__home_is_late(struct pcv_host *host, pcv_sbdf sbdf);

#endif

/* SPDX-License-Identifier: MIT */
/* What the files that add and remove devices share. */
#ifndef PCV_OWNER_INTERNAL_H
#define PCV_OWNER_INTERNAL_H

#include "vpci/internal.h"

/* Whether who adds a device says that it is a VF. */
bool pcv__claims_vf(const struct pcv_add_info *info);

/* Whether who adds a device says that it is an extended function. */
bool pcv__claims_extended(const struct pcv_add_info *info);
/* Whether one can be there: 0; -PCV_EINVAL: what is known of the device and the
 * port above says no; -PCV_ENODEV: function 0 is not registered. */
int pcv__extended_check(struct pcv_host *host, pcv_sbdf sbdf);
/* Of the function itself, which was asked who it is: from now on it is taken
 * for one. -PCV_EINVAL: it cannot be. */
int pcv__extended_believe(struct pcv_device *device);
/* One was added: function 0 belongs to such a device. */
void pcv__extended_added(struct pcv_host *host, pcv_sbdf sbdf);

/*
 * Take an address for a device that nobody can find yet: it carries the new
 * bit, and the registry's and the owner's references, which the caller gives
 * back if a later step fails. *out_pf is the PF that a VF names, with a
 * caller's reference, or untouched.
 * -PCV_ENOMEM; -PCV_EEXIST: somebody else has the address; -PCV_ENODEV,
 * -PCV_EINVAL: the PF is not there, or is none.
 */
int pcv__reserve(struct pcv_host *host, struct pcv__segment *segment,
                 pcv_sbdf sbdf, const struct pcv_add_info *info,
                 struct pcv_device **out_device, struct pcv_device **out_pf);

/* Go on with the mapping of a device's BARs, after an add. A reference is held.
 * 0 or -PCV_ERESTART. */
int pcv__add_finish(struct pcv_device *device);

/*
 * The hardware domain asks who is at an address where nothing is registered
 * (LIFE-12): where hardware leads there, what answers is added. PCV_PENDING:
 * call again. *added is ours from call to call, false at first: an access adds
 * one device at most, whoever removes it meanwhile.
 */
enum pcv_verdict pcv__appear(struct pcv_host *host, pcv_sbdf sbdf, bool *added);

/* How often bus numbers of an address' segment have moved; odd: they do just
 * now. */
uint32_t pcv__moves_at(struct pcv_host *host, pcv_sbdf sbdf);
/* Whether an add that said -PCV_EBUSY was refused for what another CPU does,
 * and soon has done: call again. `moves` is from before it. */
bool pcv__add_may_follow(struct pcv_host *host, pcv_sbdf sbdf, uint32_t moves);

/*
 * Another card answers in the place of this device: it has vanished, and all
 * behind it, and is removed. Takes the caller's reference.
 * 0: all of it is gone; -PCV_EBUSY: something of it is still held.
 */
int pcv__device_replaced(struct pcv_device *device);

/* A guest's device, or one on its way to a guest, is removed: its place on that
 * guest's bus is free. It is torn down already. */
void pcv__guest_lost(struct pcv_device *device);

/* A device that is being added is the hardware domain's, and so is its DMA,
 * whoever had what stood there before. 0 or -PCV_EIO. */
int pcv__dma_home(struct pcv_device *device);

/* The host ends: whatever a guest has is quarantine's, and what the hypervisor
 * drives can be removed. */
void pcv__guest_drop(struct pcv_device *device);

/* The hardware domain wrote a bridge's bus numbers (TOPO-4). A reference is
 * held; no lock. PCV_PENDING: call again. */
enum pcv_verdict pcv__bridge_renumbered(struct pcv_device *bridge);
/* A part of that for the next bridge of which it was not all done. True: there
 * is none. */
bool pcv__bridges_renumbered(struct pcv_host *host);
/* Nothing of that is left to be done. True if there was. */
bool pcv__bridge_settled(struct pcv_device *bridge);
/* Whoever wrote its numbers has it no more: they are not written. No lock. */
void pcv__bridge_left(struct pcv_device *bridge);
/* The bridge is removed: likewise. No lock. */
void pcv__bridge_goes(struct pcv_device *bridge);
/*
 * Bus numbers may lead to a function that could not be reached, and it belongs
 * at this address: bind it there. 0: it stands there; -PCV_ENOENT: there is
 * none, or another card answers and it is gone; -PCV_EBUSY: its owner is being
 * changed; or why it could not be bound.
 */
int pcv__join_at(struct pcv_host *host, pcv_sbdf sbdf);
/* What has vanished while it could not be reached, and whose last address is
 * another's by now, is removed: nobody could name it any more. No lock. */
void pcv__kept_superseded(struct pcv_host *host, struct pcv__segment *segment);

/* What was behind a port is gone, whoever has it: it has vanished and is
 * removed, but for what is just being added or changes its owner, which has
 * vanished only. A reference to the port is held. */
void pcv__slot_emptied(struct pcv_device *port);

/* ---- guard.c: functions that a guest has, and what leads to them (OWN-15)
 * ----
 */

/* A function is a guest's, or on its way to one, from now on; or not any more.
 * It is `changing`, or going; no lock. */
void pcv__guard_begin(struct pcv_device *device);
void pcv__guard_end(struct pcv_device *device);
/* It can be reached again; it cannot, or has vanished. */
void pcv__guard_arrives(struct pcv__segment *segment, struct pcv_device *device)
    PCV__REQUIRES(segment->lock);
void pcv__guard_leaves(struct pcv__segment *segment, struct pcv_device *device)
    PCV__REQUIRES(segment->lock);
/* A bridge covers other buses than before. */
void pcv__guard_covers(struct pcv__segment *segment, struct pcv_device *bridge)
    PCV__REQUIRES(segment->lock);
/* Its owner is another from now on; `before` that was the hypervisor, whose
 * functions are guarded against being reset. */
void pcv__guard_owner(struct pcv__segment *segment, struct pcv_device *device,
                      bool before) PCV__REQUIRES(segment->lock);
/* Whether a guest has a function, which can be reached, at this address. */
bool pcv__is_guarded(const struct pcv_device *device, pcv_sbdf sbdf);
/* A write of the hardware domain was let through by the administrator: what
 * guests have behind the bridge or PF is gone. No lock. */
void pcv__overrule(struct pcv_domain *domain, const struct pcv_access *access);
/* What guests have behind a bridge, or as VFs of a PF, vanishes and is removed.
 * A reference is held; no lock. */
void pcv__guests_lose(struct pcv_device *above);

/* ---- slot_event.c ---- */

/* A registered function reads all ones: look at the nearest port above it that
 * answers. If that has lost what was behind it, so has everybody. No lock. */
void pcv__look_above(struct pcv_host *host, pcv_sbdf sbdf);
/* The hardware domain took note of an event of a port's slot, or switched it
 * off: look what is there now. A reference is held; no lock. */
void pcv__slot_event(struct pcv_device *port);

/* ---- faults.c ---- */

/* Whoever's IOMMU faults are too many: switch bus mastering off (OWN-10), some
 * of them. No lock. 0, and how long until some must be looked at again, 0: none
 * is left; -PCV_ERESTART: call again. */
int pcv__faults_work(struct pcv_host *host, uint64_t *out_wait_us);
/* A function is to be added where all is concealed (OWN-9): as
 * pcv__emulated_conceals(). */
int pcv__concealed_place(struct pcv_host *host, pcv_sbdf sbdf, bool is_vf);

/* ---- vfs.c ---- */

/* What a PF's SR-IOV control asked for (SRIOV-1), a bounded part of it. A
 * reference is held; no lock. PCV_PENDING: call again. */
enum pcv_verdict pcv__vfs_work(struct pcv_device *pf);
/* The same for every PF whose time has come. */
enum pcv_verdict pcv__vfs_work_due(struct pcv_host *host);
/* A VF has a new owner: its BARs are where its PF says now, and if that lets
 * them decode they are mapped. It is changing, so that its view stays. */
void pcv__vf_given(struct pcv_device *vf);
/* Whether a bus is behind the same bridge as a PF's, or no bridge claims
 * either: beyond that no VF can be, whatever the PF says. */
bool pcv__may_have_vfs_of(const struct pcv_device *pf, uint8_t bus);
/* So many VFs of one PF may be silent (in a reset, or asleep) before what it
 * says of them is not believed any more. */
#define PCV__SILENT_VFS_MAX 256u
/*
 * Remove all VFs of a PF; a reference to it is held, and no lock. `gone`: a
 * reset took them, so those that are in use vanish, and stay until they are
 * given back. 0, also where somebody still holds an object; -PCV_EBUSY: nothing
 * has changed, *out_busy is in use; -PCV_ERESTART: one is just being added or
 * removed.
 */
int pcv__vfs_remove(struct pcv_device *pf, bool gone, pcv_sbdf *out_busy);

/* Whether its extended-space verdict is final (OWN-12). */
bool pcv__ext_final(struct pcv_device *device);

/* A VF goes, or was never there: its PF counts one less. */
void pcv__forget_vf(struct pcv_host *host, struct pcv_device *vf);

#endif

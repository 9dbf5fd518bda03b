/* SPDX-License-Identifier: MIT */
/*
 * Hiding, concealing, quarantining and revealing one function (OWN-7, OWN-9),
 * each a change of owner in its own right, and all of a subtree or slot
 * (OWN-13), which is the same for each function of it.
 */
#ifndef PCV_OWNER_HIDDEN_H
#define PCV_OWNER_HIDDEN_H

#include "owner/change.h"
#include "owner/look.h"
#include "pcivisor/hidden.h"

/* ---- one function ----------------------------------------------------------
 */

/* What to do to a function. */
enum pcv__set_op {
    PCV__SET_NOTHING,
    PCV__SET_HIDE,
    PCV__SET_CONCEAL,
    PCV__SET_QUARANTINE,
    PCV__SET_REVEAL,
    PCV__SET_REST, /* what was taken out of quarantine goes back there */
};

/* As one of a set: bridges are taken, too, and where it stands does not
 * matter. */
struct pcv__order {
    enum pcv__set_op op;
    bool in_set;
    const struct pcv_hide_info *info; /* of a hidden one */
};

/* Each is called with the device `changing`, for us. Results are those of the
 * public functions. */
int pcv__hide(struct pcv_device *device, const struct pcv__order *order);
int pcv__conceal(struct pcv_device *device, const struct pcv__order *order);
int pcv__quarantine(struct pcv_device *device, const struct pcv__order *order);
int pcv__reveal(struct pcv_device *device, const struct pcv__order *order);
/* The one of these that is ordered, for what stands at an address. */
int pcv__set_one(struct pcv_host *host, pcv_sbdf sbdf,
                 const struct pcv__order *order);

/* What can be said of it without asking it: whether it may be taken from the
 * hardware domain or out of quarantine. 0, -PCV_ENODEV, -PCV_EPERM,
 * -PCV_EOPNOTSUPP, -PCV_EBUSY. */
int pcv__set_check(const struct pcv_device *device,
                   const struct pcv__order *order);
/* Whether it is what is ordered already. */
bool pcv__set_is_done(const struct pcv_device *device,
                      const struct pcv__order *order);

/* What is hidden or concealed, and was taken out of quarantine for that, goes
 * back there (rest.c): 0, whatever fails, which an event tells; -PCV_ERESTART:
 * it is the hypervisor's still, behind a closed gate. */
int pcv__rest_again(struct pcv_device *device);

/* Out of quarantine to the hardware domain. -PCV_ERESTART; or an error, and it
 * is in quarantine still. */
int pcv__bring_home(struct pcv_device *device);

/* A hidden one is the hardware domain's alone again. */
int pcv__unhide(struct pcv_device *device);

/* It is removed: nobody hides or conceals it any more. Twice is no error. */
void pcv__hidden_lost(struct pcv_device *device);

/* Whether it is a PF with VFs, or about to have or lose some. */
bool pcv__has_vfs(const struct pcv_device *device) PCV__REQUIRES(device->lock);

/* Declare that the hypervisor drives it, with marks that hold from then on
 * (read_only.c). What may be is checked. 0; -PCV_EBUSY: it is used;
 * -PCV_ENOMEM, -PCV_EIO: nothing has changed; -PCV_ERESTART: behind a closed
 * gate, which a failure leaves so if it was `shut` before. */
int pcv__read_only_declare(struct pcv_device *device, uint32_t marks,
                           bool shut);

/* ---- all of a set (subtree.c) ----------------------------------------------
 */

/* All functions of a slot, or the bridge and everything behind it: all of them,
 * or none. Results are those of the public functions. */
int pcv__set_all(struct pcv_host *host, pcv_sbdf root,
                 const struct pcv__order *order, bool slot, pcv_sbdf *out_busy);

/* Whether an operation on another set is under way that has functions with this
 * one in common (subtree_beside.c): 0; or -PCV_EBUSY, and *out_busy is where.
 */
int pcv__set_is_apart(struct pcv__segment *segment, struct pcv_device *root,
                      bool slot, pcv_sbdf *out_busy)
    PCV__REQUIRES(segment->lock);

/* ---- each of a set (subtree_one.c) -----------------------------------------
 */

/* What is ordered is done to one, which is marked. A reference is held. */
int pcv__set_do(struct pcv_device *device, const struct pcv__order *order);
/* It is where it was before, and not marked. 0, also where it refuses; or
 * -PCV_ERESTART. */
int pcv__set_undo(struct pcv_device *device);
/* It is not to be taken back any more. */
void pcv__set_unmark(struct pcv_device *device);

#endif

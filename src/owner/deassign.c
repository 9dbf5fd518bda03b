/* SPDX-License-Identifier: MIT */
/*
 * A function comes back from its guest, or out of quarantine (OWN-6): to the
 * hardware domain, to quarantine, or to nobody where a removal waits for it
 * (LIFE-5). And what is asked of one beside: broken, restored.
 */
#include "owner/deassign.h"
#include "owner/bus_reset.h"
#include "owner/home.h"

/* ---- the way back ----------------------------------------------------------
 */

/* It was given away with the word that it comes back to quarantine. */
static bool is_to_rest(const struct pcv_device *device)
{
    return device->assignment &&
           (device->assignment->policy.flags & PCV_ASSIGN_TO_QUARANTINE) != 0;
}

/* Its guest has it no more: nobody gets it. */
static int rest(struct pcv_device *device)
{
    pcv__change_rest(device);
    pcv__change_at(device, PCV_STEP_NONE);
    pcv__event(device, PCV_EVENT_ASSIGNED, PCV_EVENT_HOST,
               device->host->quarantine.id, 0);
    return 0;
}

/* It comes from a guest, or was to go to one: it did not rest. */
static bool returns(const struct pcv_device *device)
{
    return device->assignment || pcv__change_for(device);
}

/* To the hardware domain, unless a guest has others of its group: what did not
 * rest waits for them then. */
static int go_home(struct pcv_device *device)
{
    struct pcv_domain *hardware = &device->host->hardware;
    bool waits = returns(device);
    int error;

    if (waits) {
        pcv__note(device, PCV__NOTE_WAITS);
    }
    error = pcv__home_begin(device);
    if (error == -PCV_EXDEV && waits) {
        pcv__home_wait(device);
        return 0;
    }
    if (error != 0) {
        return error;
    }
    pcv__change_forget(device);
    error = pcv__change_build(device, hardware);
    return error != 0 ? error : pcv__change_hand(device, hardware);
}

/* Of what is quarantine's by now. */
static int hand_on(struct pcv_device *device)
{
    int error;

    if (pcv__is_unreachable(device) || pcv__has_vanished(device)) {
        /* Its guest has it no more; it comes home when it can be reset. */
        pcv__change_rest(device);
        pcv__change_at(device, PCV_STEP_NONE);
        return -PCV_EAGAIN;
    }
    if (!returns(device)) {
        error = pcv__home_begin(device); /* before it is touched */
        if (error != 0) {
            return error;
        }
    }
    error = pcv__change_reset(device, true);
    if (error != 0) {
        return error;
    }
    if (is_to_rest(device) || pcv__removal_waits(device)) {
        return rest(device);
    }
    return go_home(device);
}

int pcv__deassign_take(struct pcv_device *device)
{
    int error = pcv__change_take(device);

    if (pcv__is_quarantined(device)) {
        pcv__note(device, PCV__NOTE_HOMEWARD);
    } else if (error != 0 && error != -PCV_ERESTART) {
        pcv__change_told(device, PCV_EVENT_CHANGE_FAILED, error);
    }
    return error;
}

/* Only its bus can be reset, where something else of its guest's is that ends
 * as a whole: that comes here by itself, and one reset is for both (OWN-11,
 * OWN-16). */
static bool waits_for_rest(struct pcv_device *device,
                           const struct pcv_domain *ending)
{
    struct pcv_device *other;
    pcv_sbdf busy;
    bool is;

    if (!ending ||
        atomic_load_explicit(&device->change_step, memory_order_relaxed) !=
            PCV_STEP_RESET) {
        return false;
    }
    if (pcv__bus_reset_check(device, NULL, &busy) != -PCV_EBUSY) {
        return true; /* it came just now */
    }
    other = pcv_device_find(device->host, busy);
    is = other &&
         atomic_load_explicit(&other->owner, memory_order_acquire) == ending;
    pcv_device_put(other);
    return is;
}

/* `ending`: the guest that ends and gives it back for that, or NULL. */
static int steps(struct pcv_device *device, const struct pcv_domain *ending)
{
    int error = 0;

    if (!pcv__is_quarantined(device)) {
        error = pcv__deassign_take(device);
        if (error == -PCV_ERESTART || !pcv__is_quarantined(device)) {
            return error;
        }
    } else if (returns(device)) {
        pcv__note(device, PCV__NOTE_HOMEWARD);
    }
    if (pcv__home_waiters(device) == -PCV_ERESTART) {
        return -PCV_ERESTART;
    }
    if (error == 0) {
        error = hand_on(device);
    }
    if (error == -PCV_EBUSY && waits_for_rest(device, ending)) {
        return -PCV_ERESTART;
    }
    if (error == -PCV_EXDEV) {
        pcv__home_stay(device);
    } else if (error != 0 && error != -PCV_ERESTART && error != -PCV_EAGAIN) {
        pcv__change_failed(device, error);
    }
    return error;
}

/* A change that was given up on its way, of what is the hardware domain's. */
static int reopen(struct pcv_device *device)
{
    pcv__change_forget(device);
    pcv__change_drop(device);
    pcv__change_reopen(device);
    return 0;
}

static int return_device(struct pcv_device *device,
                         const struct pcv_domain *ending)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);

    switch (owner->kind) {
    case PCV_DOMAIN_GUEST:
    case PCV_DOMAIN_QUARANTINE:
        return steps(device, ending);
    case PCV_DOMAIN_HARDWARE:
        /* One that was to go along with others of its group may not even have
         * been closed yet. */
        if ((pcv__word(device) & PCV__WORD_CLOSED) != 0 ||
            pcv__change_for(device)) {
            return reopen(device);
        }
        break;
    case PCV_DOMAIN_HYPERVISOR:
        break;
    }
    return -PCV_EINVAL;
}

/* What rests now, whatever went wrong on its way, may be waited for. */
static int finish(struct pcv_device *device, int error)
{
    bool rests = pcv__is_quarantined(device) && error != -PCV_ERESTART;
    bool waited = rests && pcv__removal_waits(device);

    if (!waited) {
        pcv__change_end(device);
        return error;
    }
    /* Unless who waited does not wait any more: then it goes on its way. */
    return pcv__change_end_removing(device) ? 0 : -PCV_ERESTART;
}

/* The guest keeps the place until its function is somewhere else, since it ends
 * when it has none. False: the function is not the guest's. */
static bool keep_slot(struct pcv_device *device, struct pcv_domain *from)
{
    if (atomic_load_explicit(&device->owner, memory_order_acquire) == from) {
        atomic_store_explicit(&device->change_for, from, memory_order_release);
    }
    return pcv__change_for(device) == from;
}

int pcv__deassign_from(struct pcv_device *device, struct pcv_domain *from)
{
    int error = pcv__change_begin_held(device);

    /* Somebody who holds it would be in the way of a removal that waits. */
    pcv_device_put(device);
    if (error != 0) {
        return error;
    }
    if (!keep_slot(device, from)) {
        pcv__change_end(device);
        return 0;
    }
    return finish(device, return_device(device, from));
}

int pcv_device_deassign(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device;
    int error = host ? pcv__change_begin(host, sbdf, &device) : -PCV_EINVAL;

    if (error == 0) {
        error = finish(device, return_device(device, NULL));
    }
    /* The last whom it waits for may have come back beside us, and found us at
     * it. */
    return error == 0 && pcv__home_is_late(host, sbdf) ? -PCV_ERESTART : error;
}

/* ---- beside ----------------------------------------------------------------
 */

static void set_mark(struct pcv_device *device, bool broken)
{
    if (broken) {
        atomic_fetch_or_explicit(&device->marks, PCV__MARK_BROKEN,
                                 memory_order_relaxed);
    } else {
        atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_BROKEN,
                                  memory_order_relaxed);
    }
}

int pcv_device_set_broken(struct pcv_host *host, pcv_sbdf sbdf, bool broken)
{
    struct pcv__segment *segment;
    struct pcv_device *device;

    if (!host) {
        return -PCV_EINVAL;
    }
    segment = pcv__segment_find(host, pcv_sbdf_segment(sbdf));
    if (!segment) {
        return -PCV_ENODEV;
    }
    pcv__lock_take(&host->mem, &segment->lock);
    device = pcv__known_at(segment, sbdf);
    if (device) {
        set_mark(device, broken);
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    return device ? 0 : -PCV_ENODEV;
}

int pcv_device_restore(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device;
    int error;

    if (!host) {
        return -PCV_EINVAL;
    }
    error = pcv__change_begin(host, sbdf, &device);
    if (error != 0) {
        return error;
    }
    if (!device->view || pcv__is_quarantined(device) ||
        pcv__is_unreachable(device)) {
        error = -PCV_ENODEV;
    } else {
        pcv__lock_take(&host->mem, &device->lock);
        /* Torn down, it is on its way out of its guest's hands. */
        error = device->torn ? -PCV_ENODEV : pcv__vpci_restore(device);
        pcv__lock_drop(&host->mem, &device->lock);
    }
    pcv__change_end(device);
    return error;
}

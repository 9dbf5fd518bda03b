/* SPDX-License-Identifier: MIT */
/* One function of a set to which something is done, all or nothing (OWN-13): it
 * is marked when it was, so that it is known what is to be taken back. */
#include "owner/hidden.h"

static void mark(struct pcv_device *device)
{
    atomic_fetch_or_explicit(&device->marks, PCV__MARK_SUBTREE,
                             memory_order_relaxed);
}

void pcv__set_unmark(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &device->lock);
    if (device->extras) {
        device->extras->rests = false;
    }
    atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_SUBTREE,
                              memory_order_relaxed);
    pcv__lock_drop(mem, &device->lock);
}

/* What is taken out of quarantine goes back there, however far it came: so that
 * is noted first. 0 or -PCV_ENOMEM. */
static int note_rest(struct pcv_device *device, enum pcv__set_op op)
{
    struct pcv__mem *mem = &device->host->mem;
    int error = 0;

    if (op == PCV__SET_REVEAL || !pcv__is_quarantined(device)) {
        return 0;
    }
    pcv__lock_take(mem, &device->lock);
    if (pcv__extras_get(device)) {
        device->extras->rests = true;
        mark(device);
    } else {
        error = -PCV_ENOMEM;
    }
    pcv__lock_drop(mem, &device->lock);
    return error;
}

/* What was done is marked. */
int pcv__set_do(struct pcv_device *device, const struct pcv__order *order)
{
    int error = note_rest(device, order->op);

    if (error == 0) {
        error = pcv__set_one(device->host, pcv__device_sbdf(device), order);
    }
    if (error == 0) {
        mark(device);
    }
    return error;
}

static bool is_to_rest(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    bool is;

    pcv__lock_take(mem, &device->lock);
    is = device->extras && device->extras->rests;
    pcv__lock_drop(mem, &device->lock);
    return is;
}

/* The way back: what is hidden or concealed and was in quarantine does not pass
 * through the hardware domain. */
static enum pcv__set_op back(struct pcv_device *device)
{
    if (!is_to_rest(device)) {
        return PCV__SET_REVEAL;
    }
    return pcv__is_marked(device, PCV__MARK_HIDDEN | PCV__MARK_CONCEALED)
               ? PCV__SET_REST
               : PCV__SET_QUARANTINE;
}

/* It is the hardware domain's, or where it was; and no longer marked then. What
 * refuses to come back is where it is; its event told why. */
int pcv__set_undo(struct pcv_device *device)
{
    const struct pcv__order order = {.op = back(device), .in_set = true};
    int error = pcv__set_one(device->host, pcv__device_sbdf(device), &order);

    if (error == -PCV_ERESTART) {
        return error;
    }
    pcv__set_unmark(device);
    return 0;
}

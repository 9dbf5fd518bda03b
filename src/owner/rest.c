/* SPDX-License-Identifier: MIT */
/*
 * Back into quarantine (OWN-13): an operation on several functions took one out
 * of there, hid or concealed it, and is taken back. The hardware domain, which
 * somebody kept from it, does not have it between, so what cannot be done in
 * good order on the way is left undone, and it is nobody's all the same.
 */
#include "owner/hidden.h"
#include "owner/reset.h"
#include "registry/away.h"
#include "vpci/hidden.h"

/* The host failed on the way: it is nobody's as it is, as silent as can be. */
static void seize(struct pcv_device *device)
{
    struct pcv_host *host = device->host;

    (void)pcv__change_silence_again(device);
    (void)pcv__change_block(device);
    pcv__vpci_teardown(device);
    pcv__bridge_left(device);
    pcv__lock_take(&host->mem, &device->lock);
    pcv__quiesce_end(device);
    pcv__lock_drop(&host->mem, &device->lock);
    pcv__reset_used(device);
    atomic_store_explicit(&device->owner, &host->quarantine,
                          memory_order_release);
    pcv__away_mark(device);
    device->change_reset = false;
}

/* Nobody hides it any more, and its view is gone. */
static void forget(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__change_rest(device);
    pcv__lock_take(mem, &device->lock);
    pcv__hidden_forget(device);
    pcv__lock_drop(mem, &device->lock);
    atomic_store_explicit(&device->read_only, false, memory_order_relaxed);
    pcv__hidden_lost(device);
    pcv__guard_end(device);
}

int pcv__rest_again(struct pcv_device *device)
{
    int error = pcv__change_cast(device);
    uint8_t step;

    if (error == 0) {
        error = pcv__change_take(device);
    }
    if (error != 0 && error != -PCV_ERESTART &&
        pcv__gate_close(device) == -PCV_ERESTART) {
        error = -PCV_ERESTART; /* somebody is inside, whatever failed */
    }
    if (error == -PCV_ERESTART) {
        return error; /* behind a closed gate, the hypervisor's still */
    }
    step = atomic_load_explicit(&device->change_step, memory_order_relaxed);
    if (!pcv__is_quarantined(device)) {
        seize(device);
    }
    forget(device);
    if (error != 0) {
        pcv__change_at(device, (enum pcv_change_step)step);
        pcv__change_told(device, PCV_EVENT_QUARANTINED, error);
        return 0;
    }
    pcv__change_at(device, PCV_STEP_NONE);
    pcv__event(device, PCV_EVENT_ASSIGNED, PCV_EVENT_HOST,
               device->host->quarantine.id, 0);
    return 0;
}

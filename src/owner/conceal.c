/* SPDX-License-Identifier: MIT */
/*
 * Concealing a function (OWN-9), and quarantine on an administrator's word; and
 * the way back from both. What is concealed is driven by the hypervisor as a
 * read-only function is, its memory reserved, and the hardware domain does not
 * find it beside.
 */
#include "owner/emulated.h"
#include "owner/hidden.h"
#include "owner/home.h"
#include "owner/reset.h"
#include "registry/route.h"
#include "vpci/map.h"
#include "vpci/reserved.h"

static bool is_function0(const struct pcv_device *device)
{
    return pcv_sbdf_function(pcv__device_sbdf(device)) == 0;
}

/* ---- concealing ------------------------------------------------------------
 */

/* Whether functions answer beside function 0 that are not registered: the
 * hardware domain is to find them still. */
static bool has_others(struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    pcv_sbdf sbdf = pcv__device_sbdf(device);

    if ((device->id.header_type & PCV_HEADER_MULTI) == 0) {
        return false;
    }
    for (uint32_t fn = 1; fn < PCV_FUNCTIONS; fn++) {
        const pcv_sbdf other = {sbdf.v | fn};
        int error = pcv__table_peek(host, other) ? -PCV_ENODEV
                                                 : pcv__probe(host, other);

        if (error == 0 || error == -PCV_EAGAIN) {
            return true;
        }
    }
    return false;
}

/* There is one more that is concealed, or one less. */
static void count(struct pcv_device *device, bool in)
{
    struct pcv_host *host = device->host;
    const uint32_t one = in ? 1u : UINT32_MAX;

    atomic_fetch_add_explicit(&host->concealed_count, one,
                              memory_order_acq_rel);
    if (is_function0(device)) {
        atomic_fetch_add_explicit(&host->hardware.stubs, one,
                                  memory_order_acq_rel);
    }
}

/* What is reserved is counted for its owner, so it is the hypervisor's before,
 * behind its closed gate, and nobody's again if that fails. */
static int from_quarantine(struct pcv_device *device, uint32_t marks)
{
    struct pcv_host *host = device->host;
    int error;

    atomic_fetch_or_explicit(&device->marks, PCV__MARK_CONCEALED,
                             memory_order_release);
    atomic_store_explicit(&device->owner, &host->hypervisor,
                          memory_order_release);
    error = pcv__read_only_declare(device, marks, true);
    if (error == 0) {
        pcv__change_seen(device);
        pcv__reset_used(device);
        device->change_reset = false;
    } else {
        atomic_store_explicit(&device->owner, &host->quarantine,
                              memory_order_release);
        atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_CONCEALED,
                                  memory_order_release);
    }
    return error;
}

/* Nothing of its last owner is under way in it, or left. */
static int prepare(struct pcv_device *device)
{
    int error = 0;

    if (pcv__is_quarantined(device)) {
        if (pcv__removal_waits(device)) {
            return -PCV_EBUSY; /* LIFE-5 */
        }
        if (device->assignment) {
            pcv__change_rest(device); /* it was on its way home from a guest */
        }
        error = pcv__home_begin(device);
        if (error == 0) {
            error = pcv__change_reset(device, true);
        }
        if (error != -PCV_ERESTART) {
            pcv__change_at(device, PCV_STEP_NONE);
        }
        if (error != 0 && error != -PCV_ERESTART) {
            pcv__unnote(device, PCV__NOTE_HOMEWARD);
        }
    } else {
        pcv__change_drop(device);
    }
    return error;
}

int pcv__conceal(struct pcv_device *device, const struct pcv__order *order)
{
    uint32_t marks = PCV__MARK_CONCEALED;
    int error;

    if (pcv__is_marked(device, PCV__MARK_CONCEALED)) {
        return 0;
    }
    error = pcv__set_check(device, order);
    if (error == 0) {
        error = prepare(device);
    }
    if (error != 0) {
        return error;
    }
    if (is_function0(device) && has_others(device)) {
        marks |= PCV__MARK_STUB;
    }
    count(device, true); /* who does not find it finds the stub */
    error = pcv__is_quarantined(device)
                ? from_quarantine(device, marks)
                : pcv__read_only_declare(device, marks, false);
    if (error != 0) {
        count(device, false);
        pcv__unnote(device, PCV__NOTE_HOMEWARD);
    }
    return error;
}

int pcv__concealed_place(struct pcv_host *host, pcv_sbdf sbdf, bool is_vf)
{
    pcv_sbdf by;
    int error;

    if (!pcv__is_concealed_place(host, sbdf, &by)) {
        return 0;
    }
    error = is_vf ? 0 : pcv__probe(host, sbdf);
    if (error == 0 || error == -PCV_EAGAIN) {
        error = pcv__emulated_block(host, sbdf);
    }
    if (error != 0) {
        return error;
    }
    pcv__event_at(host, sbdf, PCV_EVENT_CONCEALED, by.v, 1);
    return -PCV_EEXIST;
}

/* ---- back from there -------------------------------------------------------
 */

/* A view that nothing was mapped for. */
static void drop_view(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    pcv__caps_teardown(device, PCV__LIST_FIRST | PCV__LIST_EXTENDED);
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        pcv__unplace(device, i);
    }
    pcv__vpci_free(device);
}

/* The hardware domain's view, beside the one that is there; everything that can
 * fail. */
static int build(struct pcv_device *device, struct pcv__view **out_view)
    PCV__REQUIRES(device->lock)
{
    struct pcv__view *before = device->view;
    bool torn = device->torn;
    int error;

    device->view = NULL;
    device->torn = false;
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__bars_read(device);
    error = pcv__vpci_rebuild(device, &device->host->hardware);
    if (error == 0) {
        error = atomic_load_explicit(&device->hw_error, memory_order_relaxed);
    }
    if (error == 0) {
        error = pcv__map_begin(device);
    }
    if (error != 0 && device->view) {
        drop_view(device);
    }
    *out_view = device->view;
    device->view = before;
    device->torn = torn;
    return error;
}

/* It is not to be. */
static void discard(struct pcv_device *device, struct pcv__view *view)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__view *before;

    pcv__lock_take(mem, &device->lock);
    before = device->view;
    device->view = view;
    drop_view(device);
    device->view = before;
    pcv__lock_drop(mem, &device->lock);
}

/* Nothing of it can fail but that it is being removed. */
static int finish(struct pcv_device *device, struct pcv__view *view)
{
    struct pcv_host *host = device->host;
    int error;

    pcv__vpci_teardown(device);
    pcv__lock_take(&host->mem, &device->lock);
    pcv__vpci_free(device);
    device->view = view;
    device->torn = false;
    pcv__lock_drop(&host->mem, &device->lock);
    atomic_store_explicit(&device->read_only, false, memory_order_relaxed);
    error = pcv__change_publish(device, &host->hardware);
    pcv__hidden_lost(device);
    if (error == 0) {
        pcv__event(device, PCV_EVENT_ASSIGNED, PCV_EVENT_HOST,
                   host->hardware.id, 0);
        error = pcv__add_finish(device);
    }
    return error;
}

static int unconceal(struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    struct pcv__view *view = NULL;
    int error = pcv__gate_close(device);

    if (error == -PCV_ERESTART) {
        return error;
    }
    pcv__change_drop(device); /* it was on its way back to quarantine */
    if (error == 0) {
        pcv__lock_take(&host->mem, &device->lock);
        error = build(device, &view);
        pcv__lock_drop(&host->mem, &device->lock);
    }
    if (error == 0) {
        error = pcv__dma_to(device, &host->hardware);
        if (error != 0) {
            discard(device, view);
        }
    }
    if (error != 0) {
        pcv__change_reopen(device);
        return error;
    }
    return finish(device, view);
}

/* ---- quarantine ------------------------------------------------------------
 */

/* From the hardware domain, which may have come to use it until the gate was
 * closed. */
static int take(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    int error = pcv__change_cast(device);

    if (error == 0) {
        error = pcv__gate_close(device);
    }
    if (error == 0) {
        pcv__lock_take(mem, &device->lock);
        error = pcv__has_vfs(device) || device->vectors ? -PCV_EBUSY : 0;
        pcv__lock_drop(mem, &device->lock);
    }
    return error != 0 ? error : pcv__change_take(device);
}

int pcv__quarantine(struct pcv_device *device, const struct pcv__order *order)
{
    int error = pcv__set_check(device, order);

    if (error != 0 || pcv__set_is_done(device, order)) {
        return error;
    }
    error = pcv__is_quarantined(device) ? 0 : take(device);
    if (error == -PCV_ERESTART) {
        return error;
    }
    if (error != 0) {
        pcv__change_drop(device);
        pcv__change_reopen(device);
        return error;
    }
    pcv__change_rest(device); /* nobody is to have it */
    pcv__change_at(device, PCV_STEP_NONE);
    pcv__event(device, PCV_EVENT_ASSIGNED, PCV_EVENT_HOST,
               device->host->quarantine.id, 0);
    return 0;
}

int pcv__bring_home(struct pcv_device *device)
{
    int error = pcv__home_prepare(device);

    if (error != 0) {
        return error;
    }
    error = pcv__change_hand(device, &device->host->hardware);
    if (error != 0) {
        pcv__change_failed(device, error);
    }
    return error;
}

/* ---- whatever it is --------------------------------------------------------
 */

static int reveal_concealed(struct pcv_device *device, bool in_set)
{
    if (!in_set &&
        pcv__is_concealed_place(device->host, pcv__device_sbdf(device), NULL)) {
        return -PCV_EPERM;
    }
    return unconceal(device);
}

int pcv__reveal(struct pcv_device *device, const struct pcv__order *order)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);

    if (owner->kind == PCV_DOMAIN_GUEST || device->change_for) {
        return -PCV_EBUSY;
    }
    if (pcv__is_unreachable(device)) {
        return -PCV_ENODEV;
    }
    if (pcv__is_marked(device, PCV__MARK_HIDDEN)) {
        return pcv__unhide(device);
    }
    if (pcv__is_marked(device, PCV__MARK_CONCEALED)) {
        return reveal_concealed(device, order->in_set);
    }
    if (owner->kind == PCV_DOMAIN_QUARANTINE) {
        return pcv__bring_home(device);
    }
    if (owner->kind != PCV_DOMAIN_HARDWARE) {
        return -PCV_EINVAL; /* read-only, for good (OWN-8) */
    }
    pcv__change_drop(device); /* what was begun and given up */
    pcv__change_reopen(device);
    return pcv__add_finish(device);
}

void pcv__hidden_lost(struct pcv_device *device)
{
    const uint32_t marks = PCV__MARK_HIDDEN | PCV__MARK_CONCEALED |
                           PCV__MARK_SLOT | PCV__MARK_STUB;
    uint32_t before =
        atomic_fetch_and_explicit(&device->marks, ~marks, memory_order_acq_rel);

    if ((before & PCV__MARK_CONCEALED) != 0) {
        count(device, false);
    }
}

/* SPDX-License-Identifier: MIT */
/* The steps of a change of owner (OWN-5). */
#include "owner/change.h"
#include "owner/dma.h"
#include "owner/hidden.h"
#include "owner/look.h"
#include "owner/move.h"
#include "owner/reset.h"
#include "registry/faults.h"
#include "vpci/shadow.h"

const char *pcv_change_step_name(enum pcv_change_step step)
{
    static const char *const names[PCV_STEPS] = {
        "none", "close", "drain",   "save",   "silence", "pending", "block",
        "drop", "reset", "restore", "attach", "build",   "publish",
    };

    return step < PCV_STEPS ? names[step] : "none";
}

void pcv__change_at(struct pcv_device *device, enum pcv_change_step step)
{
    atomic_store_explicit(&device->change_error, 0, memory_order_relaxed);
    atomic_store_explicit(&device->change_step, (uint8_t)step,
                          memory_order_relaxed);
}

void pcv__change_told(struct pcv_device *device, enum pcv_event_kind kind,
                      int error)
{
    uint8_t step =
        atomic_load_explicit(&device->change_step, memory_order_relaxed);

    atomic_store_explicit(&device->change_error, (uint8_t)-error,
                          memory_order_relaxed);
    pcv__event(device, kind, PCV_EVENT_HOST, (uint64_t)-error, step);
}

static struct pcv_domain *owner_of(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire);
}

bool pcv__is_quarantined(const struct pcv_device *device)
{
    return owner_of(device) == &device->host->quarantine;
}

int pcv__change_begin(struct pcv_host *host, pcv_sbdf sbdf,
                      struct pcv_device **out_device)
{
    return pcv__change_begin_with(host, sbdf, NULL, out_device);
}

/* Of requester IDs that it shares, the claim: from who holds it for us, or
 * anew. */
static bool claim(struct pcv__segment *segment, struct pcv_device *device,
                  const struct pcv_device *holder) PCV__REQUIRES(segment->lock)
{
    if (holder && segment->dma_by == holder) {
        segment->dma_by = device;
        return true;
    }
    return pcv__dma_claim_at(segment, device, pcv__device_sbdf(device));
}

/* Of one that is live. */
static int begin(struct pcv__segment *segment, struct pcv_device *device,
                 const struct pcv_device *holder) PCV__REQUIRES(segment->lock)
{
    if (device->changing || (pcv__word(device) & PCV__WORD_LEAVING) != 0 ||
        !pcv__ref_try(device, PCV_HOLDER_CALLER, PCV__WORD_LEAVING)) {
        return -PCV_EBUSY;
    }
    if (!claim(segment, device, holder)) {
        /* Not the last: the registry has one, as long as we have the lock. */
        pcv__ref_put(device, PCV_HOLDER_CALLER);
        return -PCV_ERESTART;
    }
    device->changing = true;
    return 0;
}

/* Its bus may be in a reset, which comes first. */
static int go_on(struct pcv_device *device)
{
    int error = pcv__bus_reset_go_on(device);

    if (error != 0) {
        pcv__change_end(device);
    }
    return error;
}

int pcv__change_begin_with(struct pcv_host *host, pcv_sbdf sbdf,
                           const struct pcv_device *holder,
                           struct pcv_device **out_device)
{
    struct pcv__segment *segment =
        pcv__segment_find(host, pcv_sbdf_segment(sbdf));
    struct pcv_device *device;
    int error;

    if (!segment) {
        return -PCV_ENODEV;
    }
    pcv__lock_take(&host->mem, &segment->lock);
    device = pcv__known_at(segment, sbdf);
    error = !device || pcv__has_vanished(device)
                ? -PCV_ENODEV
                : begin(segment, device, holder);
    pcv__lock_drop(&host->mem, &segment->lock);
    error = error == 0 ? go_on(device) : error;
    if (error == 0) {
        *out_device = device;
    }
    return error;
}

int pcv__change_begin_held(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;
    int error;

    pcv__lock_take(mem, &segment->lock);
    error = pcv__is_live(device) ? begin(segment, device, NULL) : -PCV_ENODEV;
    pcv__lock_drop(mem, &segment->lock);
    return error == 0 ? go_on(device) : error;
}

void pcv__change_end(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;

    pcv__dma_release(device);
    pcv__lock_take(&device->host->mem, &segment->lock);
    device->changing = false;
    pcv__lock_drop(&device->host->mem, &segment->lock);
    pcv_device_put(device);
}

int pcv__change_cast(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    bool closed = (pcv__word(device) & PCV__WORD_CLOSED) != 0;
    int error = 0;

    pcv__lock_take(mem, &device->lock);
    if (!closed || !pcv__shadow_of(device)) {
        error = pcv__shadow_cast(device); /* no earlier call did it */
    }
    pcv__lock_drop(mem, &device->lock);
    return error;
}

void pcv__change_seen(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &device->lock);
    pcv__shadow_drop(device);
    pcv__lock_drop(mem, &device->lock);
}

void pcv__change_drop(struct pcv_device *device)
{
    pcv__change_undo(device);
    pcv__change_seen(device);
    pcv__change_at(device, PCV_STEP_NONE);
}

/* A view that nobody sees, which carries the device through its reset. */
static int bare_view(struct pcv_device *device)
{
    struct pcv__vpci *vpci;

    if (device->view) {
        return 0;
    }
    vpci = pcv__vpci_create(device);
    if (!vpci) {
        return -PCV_ENOMEM;
    }
    pcv__lock_take(&device->host->mem, &device->lock);
    device->view = &vpci->view;
    pcv__lock_drop(&device->host->mem, &device->lock);
    return 0;
}

static int settle_and_put_back(struct pcv_device *device)
    PCV__REQUIRES(device->lock)
{
    int error = pcv__settle_patiently(device);

    if (error != 0) {
        return error;
    }
    pcv__change_at(device, PCV_STEP_RESTORE);
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__reset_put_back(device);
    error = atomic_load_explicit(&device->hw_error, memory_order_relaxed);
    return error != 0 ? error : pcv__change_silence(device);
}

int pcv__change_reset_among(struct pcv_device *device,
                            const struct pcv__mates *mates, bool accepted)
{
    struct pcv__mem *mem = &device->host->mem;
    int error;

    pcv__change_at(device, PCV_STEP_RESET);
    error = bare_view(device);
    if (error == 0 && (!device->change_reset || pcv__reset_was_hit(device))) {
        error = pcv__reset_for_change(device, mates, accepted);
        device->change_reset = error == 0;
    }
    if (error != 0) {
        return error;
    }
    pcv__lock_take(mem, &device->lock);
    error = settle_and_put_back(device);
    pcv__lock_drop(mem, &device->lock);
    return error;
}

int pcv__change_reset(struct pcv_device *device, bool accepted)
{
    return pcv__change_reset_among(device, NULL, accepted);
}

/* What its owner saw is nobody's. From here on nothing is mapped or bound, also
 * where there was no view to tear down. Under the lock, since others may look
 * at the view with no more than a reference. */
static void drop_view(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    device->torn = true;
    pcv__vpci_free(device);
    pcv__free(&device->host->mem, device->assignment,
              sizeof(*device->assignment));
    device->assignment = NULL;
}

void pcv__change_part(struct pcv_device *device)
{
    struct pcv__assignment *assignment = device->change_to;

    if (assignment) {
        pcv__free(&device->host->mem, assignment->mate,
                  PCV_ASSIGN_GROUP_MAX * sizeof(*assignment->mate));
        assignment->mate = NULL;
        assignment->mate_count = 0;
    }
}

void pcv__change_forget(struct pcv_device *device)
{
    struct pcv_domain *guest = pcv__change_for(device);

    if (guest) {
        pcv__slot_leave(device, guest);
        atomic_store_explicit(&device->change_for, NULL, memory_order_release);
    }
    pcv__change_part(device);
    pcv__free(&device->host->mem, device->change_to,
              sizeof(*device->change_to));
    device->change_to = NULL;
}

void pcv__change_empty(struct pcv_device *device)
{
    pcv__vpci_teardown(device);
    pcv__lock_take(&device->host->mem, &device->lock);
    drop_view(device);
    pcv__lock_drop(&device->host->mem, &device->lock);
    pcv__change_forget(device);
    device->change_reset = false;
}

/* Its DMA reaches nobody's memory any more. Nothing waits for that: what the
 * host refuses twice is told. */
static void block_lost(struct pcv_device *device)
{
    int error = pcv__dma_block(device);

    if (error != 0) {
        pcv__event(device, PCV_EVENT_MOVE_FAILED, PCV_EVENT_HOST,
                   pcv__device_sbdf(device).v, (uint64_t)-error);
    }
}

/* One that was to go to a guest may be attached to its memory already: in a
 * group the next one may have to wait. */
void pcv__change_rest(struct pcv_device *device)
{
    if (atomic_load_explicit(&device->dma, memory_order_relaxed) !=
        device->host->quarantine.id) {
        block_lost(device);
    }
    pcv__change_empty(device);
    pcv__unnote(device, PCV__NOTE_HOMEWARD | PCV__NOTE_WAITS);
}

void pcv__change_failed(struct pcv_device *device, int error)
{
    uint8_t step =
        atomic_load_explicit(&device->change_step, memory_order_relaxed);

    (void)pcv__change_silence_again(device);
    if (step >= PCV_STEP_ATTACH) {
        (void)pcv__change_block(device);
    }
    pcv__change_at(device, (enum pcv_change_step)step);
    pcv__change_rest(device);
    pcv__change_told(device, PCV_EVENT_QUARANTINED, error);
}

void pcv__change_reopen(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &device->lock);
    pcv__gate_reopen(device);
    pcv__lock_drop(mem, &device->lock);
}

int pcv__change_publish(struct pcv_device *device, struct pcv_domain *domain)
{
    struct pcv__mem *mem = &device->host->mem;
    const bool own = owner_of(device)->kind == PCV_DOMAIN_HYPERVISOR;
    int error = 0;

    pcv__lock_take(mem, &device->segment->lock);
    if ((pcv__word(device) & PCV__WORD_LEAVING) != 0) {
        error = -PCV_ENODEV;
    } else {
        pcv__faults_begin_anew(device); /* OWN-10 */
        atomic_store_explicit(&device->owner, domain, memory_order_release);
        pcv__guard_owner(device->segment, device, own);
        pcv__unnote(device, PCV__NOTE_HOMEWARD | PCV__NOTE_WAITS);
        pcv__lock_take(mem, &device->lock);
        pcv__gate_reopen(device);
        pcv__lock_drop(mem, &device->lock);
    }
    pcv__lock_drop(mem, &device->segment->lock);
    return error;
}

int pcv__change_build(struct pcv_device *device, struct pcv_domain *domain)
{
    struct pcv__mem *mem = &device->host->mem;
    int error;

    pcv__change_at(device, PCV_STEP_ATTACH);
    error = pcv__dma_to(device, domain);
    if (error != 0) {
        return error;
    }
    pcv__change_at(device, PCV_STEP_BUILD);
    pcv__lock_take(mem, &device->lock);
    drop_view(device);
    if (domain->slot) {
        device->assignment = device->change_to;
        device->change_to = NULL;
    }
    device->torn = false;
    error = pcv__vpci_rebuild(device, domain);
    pcv__lock_drop(mem, &device->lock);
    if (error == 0 && domain->slot) {
        pcv__bars_contest(device, domain);
    }
    if (error == 0) {
        atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_READ_ONLY,
                                  memory_order_relaxed);
    }
    return error;
}

int pcv__change_hand(struct pcv_device *device, struct pcv_domain *domain)
{
    int error;

    pcv__change_at(device, PCV_STEP_PUBLISH);
    error = pcv__change_publish(device, domain);
    if (error != 0) {
        return error;
    }
    if (device->is_vf) {
        pcv__vf_given(device);
    }
    if (!domain->slot) {
        pcv__change_seen(device);
    }
    atomic_store_explicit(&device->change_for, NULL, memory_order_release);
    device->change_reset = false;
    pcv__reset_used(device);
    pcv__change_at(device, PCV_STEP_NONE);
    pcv__event(device, PCV_EVENT_ASSIGNED, PCV_EVENT_HOST, domain->id, 0);
    return 0;
}

/* At the end of a host what the hypervisor drives goes on. */
bool pcv__has_own_dma(const struct pcv_device *device)
{
    return owner_of(device)->slot ||
           atomic_load_explicit(&device->read_only, memory_order_relaxed);
}

/* The guest has it no more, and may end as soon as it gives up its place: so
 * that is done once, though it was taken back already. */
static void leave_guest(struct pcv_device *device, struct pcv_domain *guest)
{
    atomic_store_explicit(&device->owner, &device->host->quarantine,
                          memory_order_release);
    if (pcv__change_for(device) == guest) {
        atomic_store_explicit(&device->change_for, NULL, memory_order_release);
    }
    pcv__slot_leave(device, guest);
}

void pcv__guest_lost(struct pcv_device *device)
{
    struct pcv_domain *owner = owner_of(device);

    /* The guest may end before those who still hold the device let go, and
     * another card may come in its place. */
    if (pcv__has_own_dma(device)) {
        block_lost(device);
    }
    pcv__dma_lost(device);
    if (owner->slot) {
        leave_guest(device, owner);
    }
    pcv__change_forget(device);
    pcv__hidden_lost(device);
}

int pcv__dma_home(struct pcv_device *device)
{
    return pcv__dma_to(device, &device->host->hardware);
}

void pcv__guest_drop(struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    struct pcv_domain *owner = owner_of(device);

    atomic_store_explicit(&device->read_only, false, memory_order_relaxed);
    pcv__hidden_lost(device);
    if (owner->slot) {
        pcv__lock_take(&host->mem, &device->lock);
        (void)pcv__change_silence(device);
        pcv__lock_drop(&host->mem, &device->lock);
        block_lost(device);
        pcv__vpci_teardown(device);
        leave_guest(device, owner);
    }
    pcv__change_forget(device);
}

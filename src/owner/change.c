/* SPDX-License-Identifier: MIT */
/* The steps of a change of owner (OWN-5). */
#include "owner/change.h"
#include "owner/dma.h"
#include "owner/look.h"
#include "owner/move.h"
#include "owner/reset.h"
#include "registry/faults.h"

/* Step numbers, for the event that says where a change failed. */
enum step { STEP_TAKE = 1, STEP_RESET, STEP_BUILD, STEP_DMA, STEP_PUBLISH };

static struct pcv_domain *owner_of(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire);
}

bool pcv__is_quarantined(const struct pcv_device *device)
{
    return owner_of(device)->kind == PCV_DOMAIN_QUARANTINE;
}

int pcv__change_begin(struct pcv_host *host, pcv_sbdf sbdf,
                      struct pcv_device **out_device)
{
    struct pcv__segment *segment =
        pcv__segment_find(host, pcv_sbdf_segment(sbdf));
    struct pcv_device *device;
    int error = 0;

    if (!segment) {
        return -PCV_ENODEV;
    }
    pcv__lock_take(&host->mem, &segment->lock);
    device = pcv__known_at(segment, sbdf);
    if (!device || pcv__has_vanished(device)) {
        error = -PCV_ENODEV;
    } else if (device->changing ||
               (pcv__word(device) & PCV__WORD_LEAVING) != 0) {
        error = -PCV_EBUSY;
    } else if (!pcv__dma_claim_at(segment, device, pcv__device_sbdf(device))) {
        error = -PCV_ERESTART;
    } else if (!pcv__ref_try(device, PCV_HOLDER_CALLER, PCV__WORD_LEAVING)) {
        error = -PCV_EBUSY;
        pcv__dma_unclaim(segment, device);
    } else {
        device->changing = true;
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    if (error != 0) {
        return error;
    }
    error = pcv__bus_reset_go_on(device);
    if (error != 0) {
        pcv__change_end(device);
        return error;
    }
    *out_device = device;
    return 0;
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

int pcv__dma_permitted(const struct pcv_device *device,
                       const struct pcv_domain *domain)
{
    const struct pcv__mem *mem = &device->host->mem;
    int permitted = 1;

    if (mem->ops.dma_permitted) {
        permitted = mem->ops.dma_permitted(mem->ctx, pcv__device_sbdf(device),
                                           domain->id);
    }
    if (permitted < 0) {
        return -PCV_EIO;
    }
    return permitted != 0 ? 0 : -PCV_EPERM;
}

/* Neither bus mastering nor decoding; error if that is not known to be so. */
static int silence(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    const uint32_t off = PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER;
    uint32_t command;

    if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command)) {
        return -PCV_EIO;
    }
    if (command == 0xffffu) {
        return 0; /* it does not answer */
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__hw_write(device, PCV_REG_COMMAND, 2, command & ~off);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

/* Silent, what it had under way has ended, and its DMA blocked; or an error,
 * and the hardware domain's function does what it did. A guest's is left
 * silent: its gate stays closed. -PCV_ERESTART: it is silent, and still has to
 * end. */
static int block(struct pcv_device *device, const struct pcv_domain *owner)
{
    struct pcv_host *host = device->host;
    int error;

    pcv__lock_take(&host->mem, &device->lock);
    /* A guest's device has its host's registers saved already. */
    error =
        owner->slot || pcv__is_silenced(device) ? 0 : pcv__reset_save(device);
    if (error == 0) {
        error = pcv__quiesce(device);
    }
    pcv__lock_drop(&host->mem, &device->lock);
    if (error == 0) {
        error = pcv__dma_to(device, &host->quarantine);
    }
    if (error != 0 && error != -PCV_ERESTART && !owner->slot) {
        pcv__change_undo(device);
    }
    return error;
}

void pcv__change_undo(struct pcv_device *device)
{
    pcv__lock_take(&device->host->mem, &device->lock);
    pcv__quiesce_undo(device);
    pcv__lock_drop(&device->host->mem, &device->lock);
}

int pcv__change_take(struct pcv_device *device)
{
    struct pcv_domain *owner = owner_of(device);
    int error = pcv__gate_close(device);

    if (error == 0) {
        error = block(device, owner);
    }
    if (error != 0) {
        return error;
    }
    pcv__vpci_teardown(device);
    pcv__lock_take(&device->host->mem, &device->lock);
    pcv__quiesce_end(device);
    pcv__lock_drop(&device->host->mem, &device->lock);
    pcv__reset_used(device); /* its owner had it since */
    atomic_store_explicit(&device->owner, &device->host->quarantine,
                          memory_order_release);
    if (owner->slot) {
        pcv__slot_leave(device, owner);
    }
    device->change_reset = false;
    return 0;
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
    int error = pcv__reset_settle(device);

    if (error != 0) {
        return error;
    }
    pcv__reset_put_back(device);
    return silence(device);
}

int pcv__change_reset_among(struct pcv_device *device,
                            const struct pcv__mates *mates, bool accepted)
{
    struct pcv__mem *mem = &device->host->mem;
    int error = bare_view(device);

    device->change_step = STEP_RESET;
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

void pcv__change_forget(struct pcv_device *device)
{
    if (device->change_for) {
        pcv__slot_leave(device, device->change_for);
        device->change_for = NULL;
    }
    pcv__free(&device->host->mem, device->change_to,
              sizeof(*device->change_to));
    device->change_to = NULL;
}

void pcv__change_failed(struct pcv_device *device, int error)
{
    pcv__vpci_teardown(device);
    pcv__lock_take(&device->host->mem, &device->lock);
    drop_view(device);
    pcv__lock_drop(&device->host->mem, &device->lock);
    pcv__change_forget(device);
    device->change_reset = false;
    pcv__event(device, PCV_EVENT_QUARANTINED, PCV_EVENT_HOST, (uint64_t)-error,
               device->change_step);
}

int pcv__change_publish(struct pcv_device *device, struct pcv_domain *domain)
{
    struct pcv__mem *mem = &device->host->mem;
    int error = 0;

    pcv__lock_take(mem, &device->segment->lock);
    if ((pcv__word(device) & PCV__WORD_LEAVING) != 0) {
        error = -PCV_ENODEV;
    } else {
        pcv__faults_clear(device); /* OWN-10: the next owner begins anew */
        atomic_store_explicit(&device->owner, domain, memory_order_release);
        pcv__gate_reopen(device);
    }
    pcv__lock_drop(mem, &device->segment->lock);
    return error;
}

int pcv__change_give(struct pcv_device *device, struct pcv_domain *domain)
{
    struct pcv__mem *mem = &device->host->mem;
    int error;

    device->change_step = STEP_BUILD;
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
        device->change_step = STEP_DMA;
        error = pcv__dma_to(device, domain);
    }
    if (error == 0) {
        device->change_step = STEP_PUBLISH;
        error = pcv__change_publish(device, domain);
    }
    if (error != 0) {
        (void)pcv__dma_to(device, &device->host->quarantine);
        return error;
    }
    if (device->is_vf) {
        pcv__vf_given(device);
    }
    device->change_for = NULL;
    device->change_reset = false;
    pcv__reset_used(device);
    pcv__event(device, PCV_EVENT_ASSIGNED, PCV_EVENT_HOST, domain->id, 0);
    return 0;
}

/* At the end of a host what the hypervisor drives goes on. */
bool pcv__has_own_dma(const struct pcv_device *device)
{
    return owner_of(device)->slot ||
           atomic_load_explicit(&device->read_only, memory_order_relaxed);
}

void pcv__guest_lost(struct pcv_device *device)
{
    struct pcv_domain *owner = owner_of(device);

    /* The guest may end before those who still hold the device let go, and
     * another card may come in its place. */
    if (pcv__has_own_dma(device)) {
        (void)pcv__dma_to(device, &device->host->quarantine);
    }
    pcv__dma_lost(device);
    if (owner->slot) {
        atomic_store_explicit(&device->owner, &device->host->quarantine,
                              memory_order_release);
        pcv__slot_leave(device, owner);
    }
    pcv__change_forget(device);
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
    if (owner->slot) {
        pcv__lock_take(&host->mem, &device->lock);
        (void)silence(device);
        pcv__lock_drop(&host->mem, &device->lock);
        (void)pcv__dma_to(device, &host->quarantine);
        pcv__vpci_teardown(device);
        atomic_store_explicit(&device->owner, &host->quarantine,
                              memory_order_release);
        pcv__slot_leave(device, owner);
    }
    pcv__change_forget(device);
}

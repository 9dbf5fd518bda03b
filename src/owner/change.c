/* SPDX-License-Identifier: MIT */
/* The steps of a change of owner (OWN-5). */
#include "owner/change.h"
#include "owner/move.h"
#include "registry/away.h"

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
               !pcv__ref_try(device, PCV_HOLDER_CALLER, PCV__WORD_LEAVING)) {
        error = -PCV_EBUSY;
    } else {
        device->changing = true;
        *out_device = device;
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    return error;
}

void pcv__change_end(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;

    pcv__lock_take(&device->host->mem, &segment->lock);
    device->changing = false;
    pcv__lock_drop(&device->host->mem, &segment->lock);
    pcv_device_put(device);
}

/* The hardware domain's DMA needs no permission to stop, a guest's does. */
int pcv__dma_to(struct pcv_device *device, const struct pcv_domain *domain)
{
    if (pcv__is_unreachable(device)) {
        return 0; /* its requester ID is blocked, or another's by now */
    }
    return pcv__dma_attach(device->host, pcv__device_sbdf(device), domain->id);
}

/* Neither bus mastering nor decoding; error if that is not known to be so.
 * *out_command: what there was; all ones: it did not answer. */
static int silence_from(struct pcv_device *device, uint32_t *out_command)
    PCV__REQUIRES(device->lock)
{
    const uint32_t off = PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER;
    uint32_t command;

    *out_command = 0xffffu;
    if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command)) {
        return -PCV_EIO;
    }
    *out_command = command;
    if (command == 0xffffu) {
        return 0; /* it does not answer */
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__hw_write(device, PCV_REG_COMMAND, 2, command & ~off);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

static int silence(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    uint32_t command;

    return silence_from(device, &command);
}

/* It is its owner's still, and is as it was. */
static void unsilence(struct pcv_device *device, uint32_t command)
    PCV__REQUIRES(device->lock)
{
    if (command != 0xffffu) {
        pcv__hw_restore(device, PCV_REG_COMMAND, 2, command);
    }
}

/* Silent, and its DMA blocked; or an error, and the hardware domain's function
 * does what it did. A guest's is left silent: its gate stays closed. */
static int block(struct pcv_device *device, const struct pcv_domain *owner)
{
    struct pcv_host *host = device->host;
    uint32_t command = 0xffffu;
    int error;

    pcv__lock_take(&host->mem, &device->lock);
    /* A guest's device has its host's registers saved already. */
    error = owner->slot ? 0 : pcv__reset_save(device);
    if (error == 0) {
        error = silence_from(device, &command);
    }
    pcv__lock_drop(&host->mem, &device->lock);
    if (error == 0) {
        error = pcv__dma_to(device, &host->quarantine);
    }
    if (error != 0 && !owner->slot) {
        pcv__lock_take(&host->mem, &device->lock);
        unsilence(device, command);
        pcv__lock_drop(&host->mem, &device->lock);
    }
    return error;
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
    atomic_store_explicit(&device->owner, &device->host->quarantine,
                          memory_order_release);
    pcv__away_mark(device);
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

/* How it can be reset. What the host could not read is no sign that there is no
 * way: the device would go on with what its last owner left in it. */
static int find_method(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__vpci(device)->reset_method = (uint8_t)pcv__reset_find(device);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

static int reset_and_settle(struct pcv_device *device, bool accepted)
    PCV__REQUIRES(device->lock)
{
    uint64_t wait_us;
    int error;

    if (!device->change_reset) {
        error = find_method(device);
        if (error == 0) {
            error = pcv__reset_start(device);
        }
        if (error == -PCV_EOPNOTSUPP && accepted) {
            pcv__event(device, PCV_EVENT_NO_RESET, PCV_EVENT_DEVICE, 0, 0);
            pcv__reset_put_back(device);
            error = 0;
        }
        if (error != 0) {
            return error;
        }
        device->change_reset = true;
    }
    if (!pcv__settle_locked(device, &wait_us)) {
        return -PCV_ERESTART;
    }
    pcv__reset_put_back(device);
    return silence(device);
}

int pcv__change_reset(struct pcv_device *device, bool accepted)
{
    struct pcv__mem *mem = &device->host->mem;
    int error = bare_view(device);

    if (error != 0) {
        return error;
    }
    pcv__lock_take(mem, &device->lock);
    error = reset_and_settle(device, accepted);
    pcv__lock_drop(mem, &device->lock);
    return error;
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
        atomic_store_explicit(&device->owner, domain, memory_order_release);
        pcv__lock_take(mem, &device->lock);
        pcv__gate_reopen(device);
        pcv__lock_drop(mem, &device->lock);
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
    pcv__event(device, PCV_EVENT_ASSIGNED, PCV_EVENT_HOST, domain->id, 0);
    return 0;
}

/* Whether its DMA is its owner's until it is blocked. At the end of a host what
 * the hypervisor drives goes on. */
static bool has_own_dma(const struct pcv_device *device)
{
    return owner_of(device)->slot ||
           atomic_load_explicit(&device->read_only, memory_order_relaxed);
}

void pcv__guest_lost(struct pcv_device *device)
{
    struct pcv_domain *owner = owner_of(device);

    /* The guest may end before those who still hold the device let go, and
     * another card may come in its place. */
    if (has_own_dma(device)) {
        (void)pcv__dma_to(device, &device->host->quarantine);
    }
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

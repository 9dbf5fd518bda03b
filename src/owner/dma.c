/* SPDX-License-Identifier: MIT */
/*
 * Where the DMA of requester IDs goes (TOPO-5).
 *
 * The host's dma_attach may sleep, so it is called without a lock. Which domain
 * a requester ID belongs to is found under the segment's, and two CPUs that do
 * both at once could leave the older answer standing. So one at a time does it
 * for the IDs of a segment that are shared. A guest whose ID is being attached
 * is kept from ending meanwhile, though none of its functions are ours.
 */
#include "owner/dma.h"
#include "owner/change.h"
#include "owner/move.h"
#include "vpci/cap.h"

int pcv__dma_attach(struct pcv_host *host, pcv_sbdf requester, uint32_t id)
{
    const struct pcv__mem *mem = &host->mem;
    int error;

    if (!mem->ops.dma_attach) {
        return 0;
    }
    error = mem->ops.dma_attach(mem->ctx, requester, id);
    if (error == 0 || error == -PCV_EPERM) {
        return error;
    }
    return -PCV_EIO; /* whatever the host calls it */
}

/* ---- one requester ID ------------------------------------------------------
 */

/* A device whose requester IDs move; `to` is NULL if it uses them no more. */
struct moving {
    struct pcv_device *device;
    pcv_sbdf at;
    struct pcv_domain *to;
};

static void pin(struct pcv_domain *domain)
{
    if (domain->slot) {
        atomic_fetch_add_explicit(&domain->devices, 1, memory_order_acq_rel);
    }
}

static void unpin(struct pcv_domain *domain)
{
    if (domain->slot) {
        atomic_fetch_sub_explicit(&domain->devices, 1, memory_order_acq_rel);
    }
}

/* Attach a requester ID to whom it was found to belong, pinned. */
static int attach_pinned(struct pcv_host *host, pcv_sbdf id,
                         struct pcv_domain *domain)
{
    int error = pcv__dma_attach(host, id, domain->id);

    unpin(domain);
    return error;
}

/* What a failure leaves must reach nobody's memory. */
static void give_up(struct pcv_host *host, pcv_sbdf id, int error)
{
    if (pcv__dma_attach(host, id, host->quarantine.id) != 0) {
        error = -PCV_EIO;
    }
    pcv__event_at(host, id, PCV_EVENT_MOVE_FAILED, id.v, (uint64_t)-error);
}

/* The index-th ID of a device goes where it belongs. 0; -PCV_ENOENT: it has no
 * more; -PCV_EIO. */
static int move_one(const struct moving *m, uint32_t index, pcv_sbdf *out_id)
{
    struct pcv__segment *segment = m->device->segment;
    struct pcv__mem *mem = &m->device->host->mem;
    struct pcv_domain *domain = NULL;
    struct pcv__requester r;

    pcv__lock_take(mem, &segment->lock);
    if (pcv__requester_at(segment, m->device, m->at, index, &r)) {
        domain =
            pcv__requester_belongs(segment, r.id, m->device, m->to, r.kind);
        domain = domain ? domain : m->to; /* a bridge's */
        pin(domain);
    }
    pcv__lock_drop(mem, &segment->lock);
    if (!domain) {
        return -PCV_ENOENT;
    }
    *out_id = r.id;
    return attach_pinned(m->device->host, r.id, domain);
}

/* All of them. If one fails, those before it go back to `old`. */
static int move_all(struct moving *m, struct pcv_domain *old)
{
    uint32_t count = 0;
    pcv_sbdf id = m->at;
    int error;

    while ((error = move_one(m, count, &id)) == 0) {
        count++;
    }
    if (error == -PCV_ENOENT) {
        return 0;
    }
    m->to = old;
    while (count-- != 0) {
        if (move_one(m, count, &id) != 0) {
            give_up(m->device->host, id, error);
        }
    }
    return error;
}

/* ---- those that are shared -------------------------------------------------
 */

/* Whoever uses it, but for `self`, has it. What nobody uses is blocked, or left
 * as it is. */
static void settle(struct pcv__segment *segment, pcv_sbdf id,
                   const struct pcv_device *self, bool leave)
{
    struct pcv_host *host = segment->host;
    struct pcv_domain *domain;
    int error = 0;

    pcv__lock_take(&host->mem, &segment->lock);
    domain = pcv__requester_belongs(segment, id, self, NULL, PCV_REQUESTER_OWN);
    if (!domain && !leave) {
        domain = &host->quarantine;
    }
    if (domain) {
        pin(domain);
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    if (domain) {
        error = attach_pinned(host, id, domain);
    }
    if (error != 0) {
        give_up(host, id, error);
    }
}

void pcv__dma_settle(struct pcv_device *device, pcv_sbdf requester)
{
    settle(device->segment, requester, NULL, false);
}

/* An ID of the bridge that covers a bus from there on, if it is shared. */
static bool shared_by_bridge(struct pcv__segment *segment, uint32_t bus,
                             uint32_t index, pcv_sbdf *out_id)
{
    struct pcv__mem *mem = &segment->host->mem;
    const struct pcv_device *bridge;
    struct pcv__requester r;
    bool is;

    pcv__lock_take(mem, &segment->lock);
    bridge = pcv__bridge_over(segment, (uint8_t)bus);
    is = bridge && bridge->secondary == bus &&
         pcv__requester_of_bridge(bridge, index, &r);
    pcv__lock_drop(mem, &segment->lock);
    if (is) {
        *out_id = r.id;
    }
    return is;
}

static void settle_all(struct pcv__segment *segment)
{
    pcv_sbdf id;

    for (uint32_t bus = 1; bus < PCV_BUSES; bus++) {
        for (uint32_t i = 0; shared_by_bridge(segment, bus, i, &id); i++) {
            settle(segment, id, NULL, false);
        }
    }
    for (uint32_t i = 0; pcv__requester_named_next(segment, i, &id); i++) {
        settle(segment, id, NULL, false);
    }
}

/* ---- one at a time ---------------------------------------------------------
 */

bool pcv__dma_claim(struct pcv__segment *segment,
                    const struct pcv_device *device)
{
    if (segment->dma_by && segment->dma_by != device) {
        return false;
    }
    segment->dma_by = device;
    return true;
}

bool pcv__dma_claim_at(struct pcv__segment *segment, struct pcv_device *device,
                       pcv_sbdf at)
{
    return !pcv__requester_shares(segment, device, at) ||
           pcv__dma_claim(segment, device);
}

void pcv__dma_unclaim(struct pcv__segment *segment,
                      const struct pcv_device *device)
{
    if (segment->dma_by == device) {
        segment->dma_by = NULL;
    }
}

void pcv__dma_pass(const struct pcv_device *from, const struct pcv_device *to)
{
    struct pcv__segment *segment = to->segment;
    struct pcv__mem *mem = &to->host->mem;

    pcv__lock_take(mem, &segment->lock);
    if (segment->dma_by == from) {
        segment->dma_by = to;
    }
    pcv__lock_drop(mem, &segment->lock);
}

void pcv__dma_release(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;
    bool again;

    /* Each turn does what others left since the one before. */
    do {
        pcv__lock_take(mem, &segment->lock);
        again = segment->dma_by == device && segment->dma_dirty;
        if (again) {
            segment->dma_dirty = false;
        } else if (segment->dma_by == device) {
            segment->dma_by = NULL;
        }
        pcv__lock_drop(mem, &segment->lock);
        if (again) {
            settle_all(segment);
        }
    } while (again);
}

/* What is shared has to be looked at again: by who has the claim, or by us. */
static void settle_later(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;
    bool ours;

    pcv__lock_take(mem, &segment->lock);
    segment->dma_dirty = true;
    ours = !segment->dma_by;
    if (ours) {
        segment->dma_by = device;
    }
    pcv__lock_drop(mem, &segment->lock);
    if (ours) {
        pcv__dma_release(device);
    }
}

/* How a device stands to the claim. */
enum claim {
    CLAIM_NONE,  /* there is nothing to claim, or it is had */
    CLAIM_TAKEN, /* for this step: it is to be released */
    CLAIM_BUSY,  /* another has it */
};

static enum claim claim_now(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;
    enum claim claim = CLAIM_NONE;

    pcv__lock_take(mem, &segment->lock);
    if (segment->dma_by != device &&
        pcv__requester_shares(segment, device, pcv__device_sbdf(device))) {
        claim = pcv__dma_claim(segment, device) ? CLAIM_TAKEN : CLAIM_BUSY;
    }
    pcv__lock_drop(mem, &segment->lock);
    return claim;
}

static void claim_end(struct pcv_device *device, enum claim claim)
{
    if (claim == CLAIM_TAKEN) {
        pcv__dma_release(device);
    } else if (claim == CLAIM_BUSY) {
        settle_later(device);
    }
}

/* ---- all of a function's ---------------------------------------------------
 */

/* Under the lock, so that it is known to who asks next whose an ID is. */
static void send_to(struct pcv_device *device, const struct pcv_domain *domain)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &device->segment->lock);
    atomic_store_explicit(&device->dma, domain->id, memory_order_relaxed);
    pcv__lock_drop(mem, &device->segment->lock);
}

/* Whoever blocks, or is being added for the hardware domain, need not wait for
 * the claim: what it finds may be old by then, but reaches nobody's memory that
 * it must not, and is found again. */
static bool may_hurry(const struct pcv_device *device,
                      const struct pcv_domain *domain)
{
    return domain->kind == PCV_DOMAIN_QUARANTINE ||
           (pcv__word(device) & PCV__WORD_NEW) != 0;
}

int pcv__dma_to(struct pcv_device *device, const struct pcv_domain *domain)
{
    struct pcv_domain *old = pcv__dma_of(device);
    /* It is counted as busy, if it is a guest, while it is attached. */
    struct moving m = {device, pcv__device_sbdf(device),
                       (struct pcv_domain *)(uintptr_t)domain};
    enum claim claim;
    int error;

    if (pcv__is_unreachable(device)) {
        send_to(device, domain);
        return 0; /* its requester IDs are blocked, or others' by now */
    }
    claim = claim_now(device);
    if (claim == CLAIM_BUSY && !may_hurry(device, domain)) {
        return -PCV_ERESTART;
    }
    send_to(device, domain);
    error = move_all(&m, old);
    if (error != 0) {
        send_to(device, old);
    }
    claim_end(device, claim);
    return error;
}

int pcv__dma_block(struct pcv_device *device)
{
    const struct pcv_domain *nobody = &device->host->quarantine;
    int error = pcv__dma_to(device, nobody);

    return error == 0 ? 0 : pcv__dma_to(device, nobody);
}

int pcv__dma_join(struct pcv_device *device, pcv_sbdf at)
{
    struct moving m = {device, at, pcv__dma_of(device)};

    return move_all(&m, &device->host->quarantine);
}

/* Its old requester IDs may be others' soon. What the host refuses twice is
 * told; whoever comes there has it attached anew. */
void pcv__dma_cut(struct pcv_device *device)
{
    const struct moving m = {device, pcv__device_sbdf(device),
                             &device->host->quarantine};
    pcv_sbdf id;
    int error = 0;

    for (uint32_t i = 0; error != -PCV_ENOENT; i++) {
        error = move_one(&m, i, &id);
        if (error == -PCV_EIO) {
            error = move_one(&m, i, &id);
        }
        if (error == -PCV_EIO) {
            pcv__event(device, PCV_EVENT_MOVE_FAILED, PCV_EVENT_HOST, id.v,
                       (uint64_t)-error);
        }
    }
}

/* ---- who comes and goes ----------------------------------------------------
 */

void pcv__dma_lost(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;
    enum claim claim;
    struct pcv__requester r;
    bool is = !pcv__is_unreachable(device);

    send_to(device, &device->host->quarantine);
    claim = claim_now(device);
    for (uint32_t i = 0; is; i++) {
        pcv__lock_take(mem, &segment->lock);
        is =
            pcv__requester_shares(segment, device, pcv__device_sbdf(device)) &&
            pcv__requester_at(segment, device, pcv__device_sbdf(device), i, &r);
        pcv__lock_drop(mem, &segment->lock);
        if (is) {
            settle(segment, r.id, device, true);
        }
    }
    claim_end(device, claim);
    pcv__named_remove(device);
}

void pcv__dma_bridge_lost(struct pcv_device *bridge)
{
    struct pcv_host *host = bridge->host;
    struct pcv__requester r;

    for (uint32_t i = 0; pcv__requester_of_bridge(bridge, i, &r); i++) {
        if (pcv__dma_attach(host, r.id, host->quarantine.id) != 0) {
            give_up(host, r.id, -PCV_EIO);
        }
        settle_later(bridge);
    }
}

/* Messages arrive under another requester ID. Bounded: `rid` goes up. */
static void messages_follow(struct pcv__segment *segment, uint32_t rid,
                            uint32_t last)
{
    struct pcv_host *host = segment->host;

    for (; pcv__segment_next(segment, &rid, last); rid++) {
        struct pcv_device *device = pcv_device_find(
            host,
            pcv_sbdf_make(segment->number, (uint8_t)(rid >> 8), (uint8_t)rid));

        if (device) {
            pcv__lock_take(&host->mem, &device->lock);
            pcv__caps_overtop(device);
            pcv__lock_drop(&host->mem, &device->lock);
            pcv_device_put(device);
        }
    }
}

void pcv__dma_bridge_came(struct pcv_device *bridge)
{
    struct pcv__segment *segment = bridge->segment;
    uint32_t first, last;

    if (pcv__bridge_joins(bridge) && pcv__behind(bridge, &first, &last) &&
        pcv__segment_next(segment, &first, last)) {
        settle_later(bridge);
        messages_follow(segment, first, last);
    }
}

/* SPDX-License-Identifier: MIT */
/* References and the gate: one atomic word a device (LIFE-3, LIFE-4). */
#include "registry/requester.h"

struct field {
    uint8_t shift;
    uint8_t bits;
};

static const struct field fields[PCV_HOLDERS] = {
    [PCV_HOLDER_REGISTRY] = {56, 1}, [PCV_HOLDER_OWNER] = {32, 8},
    [PCV_HOLDER_VECTOR] = {20, 12},  [PCV_HOLDER_ACCESS] = {40, 16},
    [PCV_HOLDER_CALLER] = {0, 20},
};

uint64_t pcv__holder_unit(enum pcv_holder holder)
{
    return 1ull << fields[holder].shift;
}

uint32_t pcv__holder_count(uint64_t word, enum pcv_holder holder)
{
    uint64_t mask = (1ull << fields[holder].bits) - 1;

    return (uint32_t)(word >> fields[holder].shift & mask);
}

static bool is_full(uint64_t word, enum pcv_holder holder)
{
    return pcv__holder_count(word, holder) == (1u << fields[holder].bits) - 1u;
}

bool pcv__ref_try(struct pcv_device *device, enum pcv_holder holder,
                  uint64_t forbidden)
{
    uint64_t word = pcv__word(device);

    do {
        if ((word & PCV__WORD_COUNTS) == 0 || (word & forbidden) != 0 ||
            is_full(word, holder)) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &device->word, &word, word + pcv__holder_unit(holder),
        memory_order_acq_rel, memory_order_acquire));
    return true;
}

struct pcv__extras *pcv__extras_get(struct pcv_device *device)
{
    pcv__lock_check_held(&device->host->mem, &device->lock);
    if (!device->extras) {
        device->extras =
            pcv__alloc(&device->host->mem, sizeof(*device->extras));
    }
    return device->extras;
}

static void free_part(struct pcv__mem *mem, struct pcv__part *part)
{
    if (part) {
        pcv__free(mem, part, part->bytes);
    }
}

/* What belongs to a device beside its view. */
static void free_parts(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__free(mem, device->vfs, sizeof(*device->vfs));
    free_part(mem, (struct pcv__part *)device->assignment);
    free_part(mem, (struct pcv__part *)device->saved);
    if (device->extras && device->extras->shadow) {
        free_part(mem, (struct pcv__part *)device->extras->shadow);
        atomic_fetch_sub_explicit(&device->host->shadow_count, 1,
                                  memory_order_release);
    }
    free_part(mem, device->extras ? device->extras->hidden : NULL);
    pcv__free(mem, device->extras, sizeof(*device->extras));
    device->vfs = NULL;
    device->assignment = NULL;
    device->saved = NULL;
    device->extras = NULL;
}

/*
 * The device has no holder left. Only we can touch it now: no find gets in
 * (the count is zero) and no removal either (it needs the registry's count).
 * The order matters: first the view and what else belongs to it, then the
 * place in the table, after which the address may be used again, then the
 * slot, after which another device may use it.
 */
void pcv__ref_last(struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    struct pcv_completion *done = device->done;
    pcv_sbdf sbdf = pcv__device_sbdf(device);
    uint64_t word = pcv__word(device);
    struct pcv_device *self = device;
    _Atomic(struct pcv_device *) *place;

    if (device->view) {
        pcv__lock_take(&host->mem, &device->lock);
        device->view->free(device, device->view);
        device->view = NULL;
        pcv__lock_drop(&host->mem, &device->lock);
    }
    free_parts(device);
    if ((word & PCV__WORD_NEW) == 0) {
        pcv__event(device, PCV_EVENT_GONE, PCV_EVENT_HOST, 0, 0);
        atomic_fetch_sub_explicit(&host->leaving_count, 1,
                                  memory_order_relaxed);
    }
    atomic_fetch_sub_explicit(&host->device_count, 1, memory_order_relaxed);
    if (atomic_load_explicit(&device->kept.is, memory_order_relaxed)) {
        pcv__lock_take(&host->mem, &device->segment->lock);
        pcv__unkeep(device->segment, device);
        pcv__lock_drop(&host->mem, &device->segment->lock);
    }
    place = pcv__table_find_place(device->segment, sbdf);
    PCV__ASSERT(&host->mem, place != NULL);
    if (place) {
        atomic_compare_exchange_strong_explicit(
            place, &self, NULL, memory_order_release, memory_order_relaxed);
    }
    pcv__pool_give(&host->devices, &device->pooled);
    if (done) {
        done->done(done, sbdf);
    }
}

bool pcv__ref_put(struct pcv_device *device, enum pcv_holder holder)
{
    uint64_t unit = pcv__holder_unit(holder);
    struct pcv__mem *mem = &device->host->mem;
    uint64_t before =
        atomic_fetch_sub_explicit(&device->word, unit, memory_order_acq_rel);

    (void)mem;
    PCV__ASSERT(mem, pcv__holder_count(before, holder) > 0);
    if (((before - unit) & PCV__WORD_COUNTS) != 0) {
        return false;
    }
    pcv__ref_last(device);
    return true;
}

/* Take a reference to what stands at an address; the address is checked again
 * afterwards, since the slot may have been used for another device. */
static struct pcv_device *find(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv__table_peek(host, sbdf);

    if (!device || !pcv__ref_try(device, PCV_HOLDER_CALLER,
                                 PCV__WORD_NEW | PCV__WORD_LEAVING)) {
        return NULL;
    }
    if (pcv__device_sbdf(device).v != sbdf.v) {
        pcv__ref_put(device, PCV_HOLDER_CALLER);
        return NULL;
    }
    return device;
}

struct pcv_device *pcv_device_find(struct pcv_host *host, pcv_sbdf sbdf)
{
    return find(host, sbdf);
}

struct pcv_device *pcv_domain_device(struct pcv_domain *domain,
                                     pcv_sbdf guest_sbdf)
{
    struct pcv_device *device = pcv__domain_peek(domain, guest_sbdf);

    if (!device || !pcv__ref_try(device, PCV_HOLDER_CALLER,
                                 PCV__WORD_NEW | PCV__WORD_LEAVING)) {
        return NULL;
    }
    if (!pcv__stands_at(domain, device, guest_sbdf) ||
        !pcv__owns(domain, device)) {
        pcv__ref_put(device, PCV_HOLDER_CALLER);
        return NULL;
    }
    return device;
}

pcv_sbdf pcv_device_guest_sbdf(const struct pcv_device *device)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);
    pcv_sbdf sbdf = {
        atomic_load_explicit(&device->guest_sbdf, memory_order_relaxed)};

    sbdf.v &= ~PCV__GUEST_AWAY;
    return pcv__is_guest(device->host, owner) ? sbdf : pcv__device_sbdf(device);
}

struct pcv_device *pcv_device_find_owned(struct pcv_domain *domain,
                                         pcv_sbdf sbdf)
{
    struct pcv_device *device = find(domain->host, sbdf);

    if (device && !pcv__owns(domain, device)) {
        pcv__ref_put(device, PCV_HOLDER_CALLER);
        return NULL;
    }
    return device;
}

/* Phantom functions use the upper bits of the function number: with one bit a
 * function f also speaks as f + 4, with two as f + 2, f + 4 and f + 6. */
struct pcv_device *pcv_device_find_real(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device = find(host, sbdf);

    for (uint8_t bits = 1; !device && bits <= 3; bits++) {
        uint32_t keep = (PCV_FUNCTIONS >> bits) - 1u;
        pcv_sbdf real = {(sbdf.v & ~7u) | (sbdf.v & keep)};

        if (real.v == sbdf.v) {
            continue;
        }
        device = find(host, real);
        if (device && pcv__phantom_on(device) != bits) {
            pcv__ref_put(device, PCV_HOLDER_CALLER);
            device = NULL;
        }
    }
    return device;
}

struct pcv_device *pcv_device_get(struct pcv_device *device)
{
    return pcv__ref_try(device, PCV_HOLDER_CALLER, 0) ? device : NULL;
}

void pcv_device_put(struct pcv_device *device)
{
    if (device) {
        pcv__ref_put(device, PCV_HOLDER_CALLER);
    }
}

pcv_sbdf pcv_device_sbdf(const struct pcv_device *device)
{
    return pcv__device_sbdf(device);
}

/* Why a gate that is not simply open lets nobody in. */
static enum pcv_verdict refusal(const struct pcv_domain *domain,
                                const struct pcv_device *device, pcv_sbdf sbdf)
{
    uint64_t word = pcv__word(device);

    if ((word & PCV__WORD_COUNTS) == 0 || (word & PCV__WORD_SHUT) != 0 ||
        !pcv__stands_at(domain, device, sbdf)) {
        return PCV_ABSENT;
    }
    return PCV_RETRY; /* paused, or as many as can be are inside */
}

enum pcv_verdict pcv__gate_enter(struct pcv_domain *domain, pcv_sbdf sbdf,
                                 struct pcv_device **out_device)
{
    struct pcv_device *device = pcv__domain_peek(domain, sbdf);

    if (!device) {
        return PCV_ABSENT;
    }
    if (!pcv__ref_try(device, PCV_HOLDER_ACCESS,
                      PCV__WORD_SHUT | PCV__WORD_PAUSED)) {
        return refusal(domain, device, sbdf);
    }
    if (!pcv__stands_at(domain, device, sbdf) || !pcv__owns(domain, device)) {
        pcv__gate_leave(device);
        return PCV_ABSENT;
    }
    *out_device = device;
    return PCV_DONE;
}

enum pcv_verdict pcv__gate_enter_held(struct pcv_device *device,
                                      uint64_t forbidden)
{
    if (pcv__ref_try(device, PCV_HOLDER_ACCESS, PCV__WORD_SHUT | forbidden)) {
        return PCV_DONE;
    }
    return (pcv__word(device) & PCV__WORD_SHUT) != 0 ? PCV_ABSENT : PCV_RETRY;
}

void pcv__gate_leave(struct pcv_device *device)
{
    pcv__ref_put(device, PCV_HOLDER_ACCESS);
}

int pcv__gate_pause(struct pcv_device *device)
{
    uint64_t word = atomic_fetch_or_explicit(&device->word, PCV__WORD_PAUSED,
                                             memory_order_acq_rel);

    /* Also one that is closed may have somebody inside, who drains. */
    if (pcv__holder_count(word, PCV_HOLDER_ACCESS) != 0) {
        return -PCV_ERESTART;
    }
    return (word & (PCV__WORD_LEAVING | PCV__WORD_CLOSED)) != 0 ? -PCV_ENODEV
                                                                : 0;
}

int pcv__gate_close(struct pcv_device *device)
{
    uint64_t word = atomic_fetch_or_explicit(&device->word, PCV__WORD_CLOSED,
                                             memory_order_acq_rel);

    if ((word & PCV__WORD_LEAVING) != 0) {
        return -PCV_ENODEV;
    }
    return pcv__holder_count(word, PCV_HOLDER_ACCESS) != 0 ? -PCV_ERESTART : 0;
}

void pcv__gate_reopen(struct pcv_device *device)
{
    atomic_fetch_and_explicit(&device->word,
                              ~(PCV__WORD_CLOSED | PCV__WORD_PAUSED),
                              memory_order_release);
}

void pcv__gate_open(struct pcv_device *device)
{
    if (!device->kept.paused && !device->kept.joining) {
        atomic_fetch_and_explicit(&device->word, ~PCV__WORD_PAUSED,
                                  memory_order_release);
    }
}

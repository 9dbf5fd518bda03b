/* SPDX-License-Identifier: MIT */
/*
 * Placing a BAR: memory in the domain's maps, a guest's claim to its pages, and
 * BARs that wait for another's (HDR-9, HDR-17).
 */
#include "vpci/map.h"

/* ---- memory ----------------------------------------------------------------
 */

static void unregister(struct pcv__mapped *mapped, struct pcv_domain *domain)
    PCV__REQUIRES(domain->map_lock)
{
    for (; mapped->maps != 0; mapped->maps--) {
        pcv__imap_unregister(&domain->map);
    }
    for (; mapped->holes != 0; mapped->holes--) {
        pcv__imap_unregister(&domain->holes);
    }
}

/* A range for each piece. */
static int register_pieces(const struct pcv__vpci *vpci, uint32_t number,
                           const struct pcv__want *want,
                           struct pcv__mapped *mapped,
                           struct pcv_domain *domain)
    PCV__REQUIRES(domain->map_lock)
{
    uint64_t at = 0;

    while (at < want->pages) {
        struct pcv__piece piece =
            pcv__piece_at(vpci, number, want->trapped, at, want->pages - at);
        int error =
            pcv__imap_register(piece.hole ? &domain->holes : &domain->map);

        if (error != 0) {
            unregister(mapped, domain);
            return error;
        }
        if (piece.hole) {
            mapped->holes++;
        } else {
            mapped->maps++;
        }
        at += piece.pages;
    }
    return 0;
}

int pcv__place_prepare(struct pcv_device *device, uint32_t number,
                       const struct pcv__want *want)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__mapped *mapped = &vpci->mapped[number];
    struct pcv_domain *domain = pcv__map_domain(device);
    int error;

    if (mapped->maps + mapped->holes != 0) {
        return 0;
    }
    pcv__lock_take(&device->host->mem, &domain->map_lock);
    error = register_pieces(vpci, number, want, mapped, domain);
    pcv__lock_drop(&device->host->mem, &domain->map_lock);
    return error;
}

/* ---- a guest's claim -------------------------------------------------------
 */

static bool is_empty(const struct pcv__imap *map, uint64_t first,
                     uint64_t pages)
{
    uint64_t length;

    return pcv__imap_prefix(map, first, first + pages, &length) == 0 &&
           length == pages;
}

/* What is mapped has its pages for itself; those of which each access is looked
 * at may have several on one page. */
static bool is_free(const struct pcv_domain *domain,
                    const struct pcv__want *want)
    PCV__REQUIRES(domain->map_lock)
{
    return is_empty(&domain->map, want->first, want->pages) &&
           (want->trapped ||
            is_empty(&domain->holes, want->first, want->pages));
}

/* Count all pages of a guest's BAR in, or out. */
static void claim(struct pcv_device *device, uint32_t number, bool in,
                  struct pcv_domain *domain) PCV__REQUIRES(domain->map_lock)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);
    const struct pcv__mapped *mapped = &vpci->mapped[number];
    uint64_t first = mapped->start >> device->host->page_shift;
    uint64_t at = 0;

    while (at < mapped->total) {
        struct pcv__piece piece = pcv__piece_at(vpci, number, mapped->trapped,
                                                at, mapped->total - at);
        struct pcv__imap *map = piece.hole ? &domain->holes : &domain->map;
        int error = in ? pcv__imap_inc(map, first + at, piece.pages)
                       : pcv__imap_dec(map, first + at, piece.pages);

        PCV__ASSERT(&device->host->mem, error == 0);
        (void)error;
        at += piece.pages;
    }
}

/* ---- who waits -------------------------------------------------------------
 */

static void leave_list(struct pcv__vpci *vpci, struct pcv_domain *domain)
    PCV__REQUIRES(domain->map_lock)
{
    (void)domain;
    if (!vpci->waiting_at) {
        return;
    }
    *vpci->waiting_at = vpci->next_waiting;
    if (vpci->next_waiting) {
        vpci->next_waiting->waiting_at = vpci->waiting_at;
    }
    vpci->next_waiting = NULL;
    vpci->waiting_at = NULL;
    vpci->woken = false;
}

/* At the end, so that who waits longest comes first. Bounded by the guest's
 * functions, 256. */
static void join_list(struct pcv__vpci *vpci, struct pcv_domain *domain)
    PCV__REQUIRES(domain->map_lock)
{
    struct pcv__vpci **at = &domain->waiting;

    if (vpci->waiting_at) {
        return;
    }
    while (*at) {
        at = &(*at)->next_waiting;
    }
    *at = vpci;
    vpci->waiting_at = at;
}

/* A BAR waits, or does so no more. */
static void set_waits(struct pcv__vpci *vpci, uint32_t number, bool waits,
                      struct pcv_domain *domain) PCV__REQUIRES(domain->map_lock)
{
    vpci->mapped[number].waits = waits;
    vpci->waiting = false;
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        vpci->waiting = vpci->waiting || vpci->mapped[i].waits;
    }
    if (vpci->waiting) {
        join_list(vpci, domain);
    } else if (!vpci->waking) {
        leave_list(vpci, domain);
    }
}

static void wake_all(struct pcv_domain *domain) PCV__REQUIRES(domain->map_lock)
{
    for (struct pcv__vpci *v = domain->waiting; v; v = v->next_waiting) {
        v->woken = true;
    }
}

/* ---- placing ---------------------------------------------------------------
 */

/* False: another BAR of the guest has a page of it. */
static bool place_locked(struct pcv_device *device, uint32_t number,
                         const struct pcv__want *want,
                         struct pcv_domain *domain)
    PCV__REQUIRES(domain->map_lock)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__mapped *mapped = &vpci->mapped[number];

    if (device->assignment && !is_free(domain, want)) {
        unregister(mapped, domain);
        set_waits(vpci, number, true, domain);
        return false;
    }
    mapped->start = want->start;
    mapped->total = want->pages;
    mapped->trapped = want->trapped;
    mapped->first = want->first;
    mapped->pages = 0;
    mapped->placed = true;
    if (device->assignment) {
        claim(device, number, true, domain);
    }
    if (mapped->waits) {
        set_waits(vpci, number, false, domain);
    }
    pcv__traps_insert(device, number, want->size, domain);
    return true;
}

int pcv__place(struct pcv_device *device, uint32_t number,
               const struct pcv__want *want)
{
    struct pcv_domain *domain = pcv__map_domain(device);
    int error = pcv__place_prepare(device, number, want);

    if (error == 0) {
        pcv__lock_take(&device->host->mem, &domain->map_lock);
        (void)place_locked(device, number, want, domain);
        pcv__lock_drop(&device->host->mem, &domain->map_lock);
    }
    return error;
}

void pcv__unplace(struct pcv_device *device, uint32_t number)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__mapped *mapped = &vpci->mapped[number];
    struct pcv_domain *domain = pcv__map_domain(device);

    if (!mapped->placed && !mapped->waits &&
        mapped->maps + mapped->holes == 0) {
        return;
    }
    pcv__lock_take(&device->host->mem, &domain->map_lock);
    if (mapped->placed) {
        if (device->assignment) {
            claim(device, number, false, domain);
            wake_all(domain);
        }
        pcv__traps_remove(device, number, domain);
        mapped->placed = false;
    }
    unregister(mapped, domain);
    if (mapped->waits) {
        set_waits(vpci, number, false, domain);
    }
    pcv__lock_drop(&device->host->mem, &domain->map_lock);
    pcv__holes_forget(vpci, number);
}

void pcv__place_forget(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv_domain *domain = pcv__map_domain(device);

    pcv__lock_take(&device->host->mem, &domain->map_lock);
    leave_list(vpci, domain);
    vpci->waking = false;
    pcv__lock_drop(&device->host->mem, &domain->map_lock);
}

/* ---- waking ----------------------------------------------------------------
 */

/* One whose BARs may be mapped now, with an access's reference; NULL: none.
 * *out_paused: one would be, but for its gate. */
static struct pcv__vpci *next_woken(struct pcv_domain *domain, bool *out_plan,
                                    bool *out_paused)
    PCV__REQUIRES(domain->map_lock)
{
    const uint64_t shut = PCV__WORD_NEW | PCV__WORD_CLOSED | PCV__WORD_LEAVING;

    for (struct pcv__vpci *v = domain->waiting; v; v = v->next_waiting) {
        if (!v->woken && !v->waking) {
            continue;
        }
        if (pcv__ref_try(v->device, PCV_HOLDER_ACCESS,
                         shut | PCV__WORD_PAUSED)) {
            *out_plan = v->woken;
            v->woken = false;
            v->waking = true;
            return v;
        }
        if ((pcv__word(v->device) & shut) == 0) {
            *out_paused = true;
        }
    }
    return NULL;
}

static enum pcv_verdict wake(struct pcv__vpci *vpci, bool plan)
{
    struct pcv_device *device = vpci->device;
    struct pcv__mem *mem = &device->host->mem;
    enum pcv_verdict verdict = PCV_PENDING;

    pcv__lock_take(mem, &device->lock);
    if (plan) {
        /* What it wanted when it came to wait, it wants still: a change of that
         * would have been planned. */
        bool decode = vpci->work.phase == PCV__WORK_NONE ? vpci->decoding
                                                         : vpci->work.decode;

        verdict = pcv__map_again(device, decode, PCV_BARS);
    }
    if (verdict == PCV_PENDING) {
        verdict = pcv__map_step(device);
    }
    pcv__lock_drop(mem, &device->lock);
    return verdict;
}

/* PCV_DONE: none is left; PCV_RETRY: those that are left are behind paused
 * gates; PCV_PENDING. */
static enum pcv_verdict wake_some(struct pcv_domain *domain)
{
    struct pcv__mem *mem = &domain->host->mem;
    enum pcv_verdict verdict = PCV_DONE;
    bool paused = false;

    /* Bounded: each is taken once, unless others make pages free meanwhile. */
    for (uint32_t i = 0; i < PCV_DEVFNS && verdict == PCV_DONE; i++) {
        struct pcv__vpci *vpci;
        bool plan = false;

        pcv__lock_take(mem, &domain->map_lock);
        vpci = next_woken(domain, &plan, &paused);
        pcv__lock_drop(mem, &domain->map_lock);
        if (!vpci) {
            return paused ? PCV_RETRY : PCV_DONE;
        }
        verdict = wake(vpci, plan);
        pcv__lock_take(mem, &domain->map_lock);
        vpci->waking = verdict != PCV_DONE;
        if (!vpci->waiting && !vpci->waking) {
            leave_list(vpci, domain);
        }
        pcv__lock_drop(mem, &domain->map_lock);
        pcv__gate_leave(vpci->device);
    }
    return PCV_PENDING;
}

enum pcv_verdict pcv__map_wake(struct pcv_domain *domain)
{
    return wake_some(domain) == PCV_DONE ? PCV_DONE : PCV_PENDING;
}

void pcv__map_wake_all(struct pcv_domain *domain)
{
    /* Bounded by the pages of those that waited: the host does at least one a
     * call. */
    while (wake_some(domain) == PCV_PENDING) {
    }
}

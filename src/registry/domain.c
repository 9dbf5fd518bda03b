/* SPDX-License-Identifier: MIT */
/* Domains. */
#include "registry/domain.h"

static void *map_alloc(void *ctx, size_t size)
{
    return pcv__alloc(ctx, size);
}

static void map_free(void *ctx, void *ptr, size_t size)
{
    pcv__free(ctx, ptr, size);
}

void pcv__map_init(struct pcv__imap *map, struct pcv_host *host)
{
    const struct pcv__imap_alloc alloc = {map_alloc, map_free, &host->mem};

    pcv__imap_init(map, &alloc);
}

void pcv__domain_init(struct pcv_domain *domain, struct pcv_host *host,
                      uint32_t id, enum pcv_domain_kind kind) PCV__NO_ANALYSIS
{
    domain->host = host;
    domain->id = id;
    domain->kind = kind;
    pcv__lock_init(&domain->map_lock, PCV__RANK_MAP);
    pcv__map_init(&domain->map, host);
    pcv__map_init(&domain->holes, host);
    pcv__map_init(&domain->read_only, host);
    atomic_init(&domain->stubs, 0);
    atomic_init(&domain->port_latch, 0);
    atomic_init(&domain->amd_port_bits, false);
}

void pcv__domain_fini(struct pcv_domain *domain) PCV__NO_ANALYSIS
{
    struct pcv__mem *mem = &domain->host->mem;

    pcv__imap_fini(&domain->map);
    pcv__imap_fini(&domain->holes);
    pcv__imap_fini(&domain->read_only);
    pcv__free(mem, domain->traps,
              domain->trap_buckets * sizeof(*domain->traps));
    domain->traps = NULL;
    domain->trap_buckets = 0;
    pcv__free(mem, domain->ecam, PCV__ECAM_WINDOWS * sizeof(*domain->ecam));
    domain->ecam = NULL;
    domain->ecam_count = 0;
    pcv__free(mem, domain->slot, PCV_DEVFNS * sizeof(*domain->slot));
    domain->slot = NULL;
}

/* ---- guests ----------------------------------------------------------------
 */

static bool is_reserved(uint32_t id)
{
    return id == PCV_DOMAIN_ID_HARDWARE || id == PCV_DOMAIN_ID_HYPERVISOR ||
           id == PCV_DOMAIN_ID_QUARANTINE;
}

/* Where the guest with an identifier is linked, or would be. */
static struct pcv_domain **guest_place(struct pcv_host *host, uint32_t id)
{
    struct pcv_domain **at = &host->guests;

    while (*at && (*at)->id < id) {
        at = &(*at)->next;
    }
    return at;
}

int pcv_domain_create(struct pcv_host *host, uint32_t id,
                      struct pcv_domain **out_domain)
{
    struct pcv_domain **at;
    struct pcv_domain *domain;

    if (!host || !out_domain || is_reserved(id)) {
        return -PCV_EINVAL;
    }
    at = guest_place(host, id);
    if (*at && (*at)->id == id) {
        return -PCV_EEXIST;
    }
    domain = pcv__alloc(&host->mem, sizeof(*domain));
    if (!domain) {
        return -PCV_ENOMEM;
    }
    domain->slot = pcv__alloc(&host->mem, PCV_DEVFNS * sizeof(*domain->slot));
    if (!domain->slot) {
        pcv__free(&host->mem, domain, sizeof(*domain));
        return -PCV_ENOMEM;
    }
    pcv__domain_init(domain, host, id, PCV_DOMAIN_GUEST);
    domain->next = *at;
    *at = domain;
    *out_domain = domain;
    return 0;
}

void pcv__domain_free(struct pcv_domain *domain)
{
    struct pcv_host *host = domain->host;

    *guest_place(host, domain->id) = domain->next;
    pcv__domain_fini(domain);
    pcv__free(&host->mem, domain, sizeof(*domain));
}

struct pcv_domain *pcv_domain_find(struct pcv_host *host, uint32_t id)
{
    struct pcv_domain *guest;

    switch (id) {
    case PCV_DOMAIN_ID_HARDWARE:
        return &host->hardware;
    case PCV_DOMAIN_ID_HYPERVISOR:
        return &host->hypervisor;
    case PCV_DOMAIN_ID_QUARANTINE:
        return &host->quarantine;
    default:
        guest = *guest_place(host, id);
        return guest && guest->id == id ? guest : NULL;
    }
}

struct pcv_domain *pcv_domain_next(struct pcv_host *host, uint32_t id,
                                   bool first)
{
    struct pcv_domain *guest = *guest_place(host, id);

    return guest && guest->id == id && !first ? guest->next : guest;
}

int pcv_domain_add_window(struct pcv_domain *domain, pcv_gpa base,
                          uint64_t size)
{
    uint32_t shift = domain->host->page_shift;
    uint64_t first = base.v >> shift;
    uint64_t pages = size >> shift;

    if (domain->kind != PCV_DOMAIN_GUEST || size == 0 ||
        ((base.v | size) & ((1ull << shift) - 1u)) != 0 ||
        size - 1u > UINT64_MAX - base.v) {
        return -PCV_EINVAL;
    }
    for (uint32_t i = 0; i < domain->windows; i++) {
        const struct pcv__window *other = &domain->window[i];

        if (first < other->first + other->pages &&
            other->first < first + pages) {
            return -PCV_EEXIST;
        }
    }
    if (domain->windows == PCV_DOMAIN_WINDOWS) {
        return -PCV_ENOSPC;
    }
    domain->window[domain->windows++] = (struct pcv__window){first, pages};
    return 0;
}

struct pcv_domain *pcv_host_hardware_domain(struct pcv_host *host)
{
    return &host->hardware;
}

uint32_t pcv_domain_id(const struct pcv_domain *domain)
{
    return domain->id;
}

enum pcv_domain_kind pcv_domain_kind(const struct pcv_domain *domain)
{
    return domain->kind;
}

/* What of a run that BARs want is mapped: holes are not (HDR-7). Cuts the run
 * to its first part that ends after `from`; false: there is none. Bounded by
 * the holes in the run. */
static bool cut_holes(const struct pcv_domain *domain, uint64_t from,
                      struct pcv__imap_run *run) PCV__REQUIRES(domain->map_lock)
{
    struct pcv__imap_run hole;

    while (run->start < run->end &&
           pcv__imap_next(&domain->holes, run->start, &hole) &&
           hole.start < run->end) {
        if (hole.start > run->start && hole.start > from) {
            run->end = hole.start;
            return true;
        }
        run->start = hole.end;
    }
    return run->start < run->end;
}

bool pcv_domain_next_mapping(struct pcv_domain *domain, uint64_t from,
                             struct pcv_mapping *out_mapping)
{
    struct pcv__imap_run run;
    bool found = false;

    pcv__lock_take(&domain->host->mem, &domain->map_lock);
    /* Bounded: each turn goes on behind the run before. */
    while (!found && pcv__imap_next(&domain->map, from, &run)) {
        uint64_t end = run.end;

        found = cut_holes(domain, from, &run);
        from = end;
    }
    pcv__lock_drop(&domain->host->mem, &domain->map_lock);
    if (found) {
        out_mapping->first_page = run.start;
        out_mapping->pages = run.end - run.start;
        out_mapping->users = run.count;
    }
    return found;
}

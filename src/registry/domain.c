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

void pcv__domain_init(struct pcv_domain *domain, struct pcv_host *host,
                      uint32_t id, enum pcv_domain_kind kind) PCV__NO_ANALYSIS
{
    const struct pcv__imap_alloc alloc = {map_alloc, map_free, &host->mem};

    domain->host = host;
    domain->id = id;
    domain->kind = kind;
    pcv__lock_init(&domain->map_lock, PCV__RANK_MAP);
    pcv__imap_init(&domain->map, &alloc);
    atomic_init(&domain->port_latch, 0);
    atomic_init(&domain->amd_port_bits, false);
}

void pcv__domain_fini(struct pcv_domain *domain) PCV__NO_ANALYSIS
{
    pcv__imap_fini(&domain->map);
    pcv__free(&domain->host->mem, domain->ecam,
              PCV__ECAM_WINDOWS * sizeof(*domain->ecam));
    domain->ecam = NULL;
    domain->ecam_count = 0;
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

bool pcv_domain_next_mapping(struct pcv_domain *domain, uint64_t from,
                             struct pcv_mapping *out_mapping)
{
    struct pcv__imap_run run;
    bool found;

    pcv__lock_take(&domain->host->mem, &domain->map_lock);
    found = pcv__imap_next(&domain->map, from, &run);
    pcv__lock_drop(&domain->host->mem, &domain->map_lock);
    if (found) {
        out_mapping->first_page = run.start;
        out_mapping->pages = run.end - run.start;
        out_mapping->users = run.count;
    }
    return found;
}

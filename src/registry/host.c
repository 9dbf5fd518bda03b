/* SPDX-License-Identifier: MIT */
/* Hosts: creation, and what can be asked of a whole one. */
#include "registry/domain.h"
#include "registry/faults.h"

#define DEVICES_PER_CHUNK 32u

/* Copy the host's table; entries that it does not have stay NULL. */
static void copy_ops(struct pcv_host_ops *to, const struct pcv_host_ops *from)
{
    size_t size = from->size < sizeof(*to) ? from->size : sizeof(*to);

    memset(to, 0, sizeof(*to));
    memcpy(to, from, size);
    to->size = sizeof(*to);
}

static bool ops_complete(const struct pcv_host_ops *ops)
{
    if (!ops->alloc || !ops->free || !ops->cfg_read || !ops->cfg_write ||
        !ops->segment) {
        return false;
    }
    if (!ops->map != !ops->unmap || !ops->irq_save != !ops->irq_restore ||
        !ops->mmio_read != !ops->mmio_write ||
        !ops->msi_bind != !ops->msi_unbind) {
        return false;
    }
    return !PCV_DEBUG || ops->this_cpu;
}

static bool config_valid(const struct pcv_host_config *config)
{
    return config && (config->page_shift == 12 || config->page_shift == 14 ||
                      config->page_shift == 16);
}

static uint32_t config_cpus(const struct pcv_host_config *config)
{
    return config->cpus ? config->cpus : 1;
}

int pcv_host_create(const struct pcv_host_ops *ops, void *ctx,
                    const struct pcv_host_config *config,
                    struct pcv_host **out_host)
{
    struct pcv__mem mem;
    struct pcv_host *host;

    if (!ops || ops->size < sizeof(ops->size) || !config_valid(config) ||
        !out_host) {
        return -PCV_EINVAL;
    }
    memset(&mem, 0, sizeof(mem));
    copy_ops(&mem.ops, ops);
    mem.ctx = ctx;
    mem.cpus = config_cpus(config);
    if (!ops_complete(&mem.ops)) {
        return -PCV_EINVAL;
    }
    host = pcv__alloc(&mem, sizeof(*host));
    if (!host) {
        return -PCV_ENOMEM;
    }
#if PCV_DEBUG
    mem.held = pcv__alloc(&mem, mem.cpus * sizeof(*mem.held));
    if (!mem.held) {
        pcv__free(&mem, host, sizeof(*host));
        return -PCV_ENOMEM;
    }
#endif
    memcpy(&host->mem, &mem, sizeof(mem));
    host->page_shift = config->page_shift;
    pcv__lock_init(&host->segments_lock, PCV__RANK_SEGMENT);
    pcv__lock_init(&host->place_lock, PCV__RANK_PLACE);
    pcv__lock_init(&host->work_lock, PCV__RANK_WORK);
    pcv__pool_init(&host->devices, &host->mem, sizeof(struct pcv_device),
                   DEVICES_PER_CHUNK);
    pcv__domain_init(&host->hardware, host, PCV_DOMAIN_ID_HARDWARE,
                     PCV_DOMAIN_HARDWARE);
    pcv__domain_init(&host->hypervisor, host, PCV_DOMAIN_ID_HYPERVISOR,
                     PCV_DOMAIN_HYPERVISOR);
    pcv__domain_init(&host->quarantine, host, PCV_DOMAIN_ID_QUARANTINE,
                     PCV_DOMAIN_QUARANTINE);
    pcv__lock_init(&host->reserved_lock, PCV__RANK_MAP);
    pcv__map_init(&host->reserved_memory, host);
    pcv__map_init(&host->reserved_io, host);
    pcv__faults_init(host);
    pcv__map_init(&host->used_memory, host);
    *out_host = host;
    return 0;
}

void pcv__host_free(struct pcv_host *host)
{
    struct pcv__mem mem;

    while (host->guests) {
        struct pcv_domain *guest = host->guests;

        host->guests = guest->next;
        pcv__domain_fini(guest);
        pcv__free(&host->mem, guest, sizeof(*guest));
    }
    pcv__domain_fini(&host->hardware);
    pcv__domain_fini(&host->hypervisor);
    pcv__domain_fini(&host->quarantine);
    pcv__imap_fini(&host->reserved_memory);
    pcv__imap_fini(&host->reserved_io);
    pcv__imap_fini(&host->used_memory);
    pcv__tables_free(host);
    pcv__pool_fini(&host->devices);
    memcpy(&mem, &host->mem, sizeof(mem));
#if PCV_DEBUG
    pcv__free(&mem, mem.held, mem.cpus * sizeof(*mem.held));
#endif
    pcv__free(&mem, host, sizeof(*host));
}

void pcv_host_get_stats(struct pcv_host *host, struct pcv_host_stats *out)
{
    const memory_order relaxed = memory_order_relaxed;

    out->devices = atomic_load_explicit(&host->device_count, relaxed);
    out->leaving = atomic_load_explicit(&host->leaving_count, relaxed);
    out->segments = atomic_load_explicit(&host->segment_count, relaxed);
    out->bytes = atomic_load_explicit(&host->mem.bytes, relaxed);
    out->absent_accesses =
        atomic_load_explicit(&host->absent_accesses, relaxed);
    out->refused_accesses =
        atomic_load_explicit(&host->refused_accesses, relaxed);
    out->dropped_events = atomic_load_explicit(&host->events_dropped, relaxed);
    out->stray_faults = atomic_load_explicit(&host->stray_faults, relaxed);
    out->protected_writes =
        atomic_load_explicit(&host->protected_writes, relaxed);
}

void pcv_host_set_trace(struct pcv_host *host, bool on)
{
    atomic_store_explicit(&host->trace, on, memory_order_relaxed);
}

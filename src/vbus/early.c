/* SPDX-License-Identifier: MIT */
/*
 * Reads of vendor IDs by the hardware domain (LIFE-12). It finds its devices by
 * them, and notices by them that one has gone; this floor notices as much, and
 * leaves what is to be done to resume.
 */
#include "vbus/early.h"
#include "registry/resting.h"
#include "registry/route.h"
#include "vbus/gate.h"

/* What is read of a function that asks to be asked again later, where hardware
 * shows that (PCI Express Base 6.0, 2.3.2). */
#define RETRY_IDS 0xffff0001u

/* That part of the IDs which an access reads. */
static uint32_t part_of(uint32_t ids, const struct pcv_access *access)
{
    return ids >> (access->reg * 8u) & pcv__ones(pcv__part_size(access));
}

/* Whether what the table shows at an address is being registered, or was since
 * we found nothing: perhaps for another CPU that asked the same. */
static bool came_meanwhile(const struct pcv_domain *domain,
                           const struct pcv_device *device, pcv_sbdf sbdf)
{
    uint64_t word = pcv__word(device);

    if (!pcv__stands_at(domain, device, sbdf) || !pcv__owns(domain, device)) {
        return false;
    }
    if ((word & PCV__WORD_NEW) != 0) {
        return (word & PCV__WORD_LEAVING) == 0 &&
               (word & PCV__WORD_COUNTS) != 0;
    }
    return pcv__gate_is_open(word) && !pcv__is_barred(device, PCV_REG_VENDOR);
}

/*
 * Whether what the hardware domain asks for is there though it was found absent
 * (LIFE-12): it answers, and is to be registered before it is seen.
 */
static bool appears(struct pcv_domain *domain, struct pcv_access *access)
{
    struct pcv_host *host = domain->host;
    const struct pcv_device *device = pcv__table_peek(host, access->sbdf);
    int error;

    if (device) {
        return came_meanwhile(domain, device, access->sbdf);
    }
    error = pcv__route(host, access->sbdf);
    if (error == 0) {
        return false;
    }
    error = error < 0 ? error : pcv__probe(host, access->sbdf);
    if (error == -PCV_EAGAIN) {
        access->data =
            (access->data & ~(uint64_t)UINT32_MAX) | part_of(RETRY_IDS, access);
    }
    /* Where the host failed, resume tries once more, and tells if it has to. */
    return error != -PCV_EAGAIN && error != -PCV_ENODEV;
}

bool pcv__came_early(struct pcv_domain *domain, struct pcv_access *access)
{
    if (domain->kind != PCV_DOMAIN_HARDWARE || access->again) {
        return false;
    }
    return atomic_load_explicit(&domain->host->work_count,
                                memory_order_relaxed) != 0 ||
           (pcv__asks_who(access) &&
            (pcv__resting_any(domain->host) || appears(domain, access)));
}

/* VFs have no vendor ID, and what is not ready says 0001. What has vanished is
 * left alone, unless its slot had something to tell since. */
bool pcv__says_another(const struct pcv_device *device,
                       const struct pcv_access *access, uint32_t data)
{
    uint32_t ids = device->id.vendor | (uint32_t)device->id.device << 16;

    if (device->is_vf) {
        return false;
    }
    if (atomic_load_explicit(&device->suspect, memory_order_acquire)) {
        return true;
    }
    return !pcv__has_vanished(device) && data != part_of(ids, access) &&
           data != part_of(RETRY_IDS, access);
}

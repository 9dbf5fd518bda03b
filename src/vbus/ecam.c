/* SPDX-License-Identifier: MIT */
/*
 * The entrance through an ECAM window: 4 KiB a function, 1 MiB a bus (PCI
 * Express Base 6.0, 7.2.2).
 */
#include "vpci/internal.h"

#define BUS_SHIFT 20u
#define FUNCTION_SHIFT 12u

/* The first window that ends at or after an address; ecam_count if none. */
static uint32_t window_at(const struct pcv_domain *domain, uint64_t address)
{
    uint32_t low = 0;
    uint32_t high = domain->ecam_count;

    /* Bounded: halves at most PCV__ECAM_WINDOWS. */
    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (domain->ecam[middle].end < address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int pcv_domain_add_ecam(struct pcv_domain *domain, pcv_gpa base,
                        uint16_t segment, uint8_t bus_first, uint8_t bus_last)
{
    const size_t bytes = PCV__ECAM_WINDOWS * sizeof(*domain->ecam);
    uint64_t size;
    uint32_t at;

    if (base.v % (1ull << BUS_SHIFT) != 0 || bus_last < bus_first) {
        return -PCV_EINVAL;
    }
    size = (bus_last - bus_first + 1ull) << BUS_SHIFT;
    if (base.v > UINT64_MAX - (size - 1u)) {
        return -PCV_EINVAL;
    }
    at = window_at(domain, base.v);
    if (at < domain->ecam_count &&
        domain->ecam[at].base <= base.v + (size - 1u)) {
        return -PCV_EEXIST;
    }
    if (domain->ecam_count == PCV__ECAM_WINDOWS) {
        return -PCV_ENOSPC;
    }
    if (!domain->ecam) {
        domain->ecam = pcv__alloc(&domain->host->mem, bytes);
        if (!domain->ecam) {
            return -PCV_ENOMEM;
        }
    }
    memmove(&domain->ecam[at + 1], &domain->ecam[at],
            (domain->ecam_count - at) * sizeof(*domain->ecam));
    domain->ecam[at] = (struct pcv__ecam_window){
        .base = base.v,
        .end = base.v + (size - 1u),
        .segment = segment,
        .bus_first = bus_first,
    };
    domain->ecam_count++;
    return 0;
}

/* Whether an access is the one that was answered retry with its first half
 * behind it. Anything else, say of an interrupt handler that came in between,
 * begins anew. */
static bool continues(const struct pcv_access *old,
                      const struct pcv_access *fresh)
{
    return old->split && old->progress != 0 && old->size == fresh->size &&
           old->sbdf.v == fresh->sbdf.v && old->reg == fresh->reg &&
           old->write == fresh->write &&
           (!fresh->write || old->data == fresh->data);
}

enum pcv_verdict pcv_ecam_access(struct pcv_domain *domain, pcv_gpa address,
                                 uint8_t size, bool write, uint64_t data,
                                 struct pcv_access *access)
{
    uint32_t at = window_at(domain, address.v);
    const struct pcv__ecam_window *window;
    struct pcv_access fresh;
    uint64_t offset;

    if (at == domain->ecam_count || domain->ecam[at].base > address.v) {
        return PCV_FORWARD;
    }
    window = &domain->ecam[at];
    offset = address.v - window->base;
    fresh = (struct pcv_access){
        .sbdf =
            pcv_sbdf_make(window->segment,
                          (uint8_t)(window->bus_first + (offset >> BUS_SHIFT)),
                          (uint8_t)(offset >> FUNCTION_SHIFT)),
        .reg = (uint16_t)(offset & (PCV_CFG_EXT_SIZE - 1u)),
        .size = size,
        .write = write,
        .data = write ? data : 0,
        .split = true,
    };
    if (!continues(access, &fresh)) {
        *access = fresh;
    }
    return pcv_access(domain, access);
}

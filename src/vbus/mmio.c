/* SPDX-License-Identifier: MIT */
/* The entrance for memory of BARs that is served access by access (HDR-5). */
#include "vbus/emulated.h"
#include "vpci/reserved.h"

static uint64_t all_ones(uint8_t size)
{
    return size >= 8 ? UINT64_MAX : (1ull << (size * 8u)) - 1u;
}

static bool well_formed(const struct pcv_mmio *access)
{
    uint8_t size = access->size;

    return (size == 1 || size == 2 || size == 4 || size == 8) &&
           access->address.v % size == 0;
}

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Inside the gate. */
static enum pcv_verdict perform(struct pcv_device *device, uint8_t bar,
                                struct pcv_mmio *access)
{
    enum pcv_verdict verdict = PCV_DONE;

    if (!well_formed(access)) {
        count(&device->refused);
        count(&device->host->refused_accesses);
        return PCV_DONE;
    }
    if (pcv__is_settling(device)) {
        verdict = pcv__settle_access(device); /* SRIOV-3 */
        if (verdict != PCV_DONE) {
            return verdict;
        }
    }
    count(&device->entered);
    if (access->write) {
        count(&device->passes);
    }
    pcv__trap_access(device, bar, access->address.v, access->size,
                     access->write, &access->data);
    return verdict;
}

/* What the hypervisor drives itself is there for nobody else: the hardware
 * domain has its BARs where hardware has them (OWN-8, HDR-11). */
static bool is_reserved(struct pcv_domain *domain,
                        const struct pcv_mmio *access)
{
    return domain->kind == PCV_DOMAIN_HARDWARE &&
           pcv__reserved_memory(domain->host, access->address.v, access->size);
}

static enum pcv_verdict drop(struct pcv_domain *domain, struct pcv_mmio *access)
{
    if (!access->write) {
        access->data = all_ones(access->size);
    }
    count(&domain->host->refused_accesses);
    return PCV_DONE;
}

enum pcv_verdict pcv_mmio_access(struct pcv_domain *domain,
                                 struct pcv_mmio *access)
{
    struct pcv_device *device = NULL;
    enum pcv_verdict verdict;
    uint8_t bar = 0;

    if (is_reserved(domain, access)) {
        return drop(domain, access);
    }
    verdict = pcv__trap_enter(domain, access->address.v, &device, &bar);
    if (verdict == PCV_FORWARD || verdict == PCV_RETRY) {
        return verdict == PCV_FORWARD && pcv__emulated_any(domain)
                   ? pcv__emulated_mmio(domain, access)
                   : verdict;
    }
    if (!access->write) {
        access->data = all_ones(access->size);
    }
    if (verdict == PCV_DONE) {
        access->sbdf = pcv_device_guest_sbdf(device);
        verdict = perform(device, bar, access);
        pcv__gate_leave(device);
    }
    if (verdict == PCV_ABSENT) {
        count(&domain->host->absent_accesses);
    }
    return verdict;
}

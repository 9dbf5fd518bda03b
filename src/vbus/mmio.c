/* SPDX-License-Identifier: MIT */
/* The entrance for memory of BARs that is served access by access (HDR-5). */
#include "vbus/emulated.h"
#include "vpci/reserved.h"

/* Inside the gate. */
static enum pcv_verdict perform(struct pcv_device *device, uint8_t bar,
                                struct pcv_mmio *access)
{
    enum pcv_verdict verdict = PCV_DONE;

    if (!pcv__mmio_is_sound(access)) {
        pcv__count(&device->refused);
        pcv__count(&device->host->refused_accesses);
        return PCV_DONE;
    }
    if (pcv__is_settling(device)) {
        verdict = pcv__settle_access(device); /* SRIOV-3 */
        if (verdict != PCV_DONE) {
            return verdict;
        }
    }
    pcv__count(&device->entered);
    if (access->write) {
        pcv__count(&device->passes);
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
        access->data = pcv__all_ones(access->size);
    }
    pcv__count(&domain->host->refused_accesses);
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
        access->data = pcv__all_ones(access->size);
    }
    if (verdict == PCV_DONE) {
        access->sbdf = pcv_device_guest_sbdf(device);
        verdict = perform(device, bar, access);
        pcv__gate_leave(device);
    }
    if (verdict == PCV_ABSENT) {
        pcv__count(&domain->host->absent_accesses);
    }
    return verdict;
}

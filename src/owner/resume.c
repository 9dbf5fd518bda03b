/* SPDX-License-Identifier: MIT */
/*
 * Going on with what an access began (CFG-10, HDR-9): the device's own mapping,
 * BARs of the guest that waited for its pages, and what its write asked of
 * this floor. It stands here since work goes up only through resume (DESIGN).
 */
#include "owner/bus_reset.h"
#include "registry/faults.h"
#include "registry/resting.h"
#include "vbus/internal.h"

/* Apply what the device's mapping still lacks. A device that is gone has
 * nothing left to do: its removal cancelled it. */
static enum pcv_verdict step(struct pcv_domain *domain,
                             const struct pcv_access *access)
{
    struct pcv__mem *mem = &domain->host->mem;
    struct pcv_device *device;
    enum pcv_verdict verdict = pcv__gate_enter(domain, access->sbdf, &device);

    if (verdict != PCV_DONE) {
        return verdict == PCV_ABSENT ? PCV_DONE : verdict;
    }
    pcv__lock_take(mem, &device->lock);
    verdict = pcv__map_step(device);
    pcv__lock_drop(mem, &device->lock);
    pcv__gate_leave(device);
    return verdict;
}

static bool is_nothing_asked(const struct pcv_host *host)
{
    return atomic_load_explicit(&host->work_count, memory_order_acquire) == 0 &&
           atomic_load_explicit(&host->renumber_count, memory_order_acquire) ==
               0 &&
           atomic_load_explicit(&host->slot_count, memory_order_acquire) == 0;
}

/* An access that found nothing: VFs whose time has come are added, and what
 * answers where nobody looked yet. */
static enum pcv_verdict came_early(struct pcv_domain *domain,
                                   struct pcv_access *access)
{
    enum pcv_verdict verdict;
    uint64_t wait_us;

    if (access->overrules) {
        pcv__overrule(domain, access);
        return PCV_DONE;
    }
    (void)pcv__bus_resets_due(domain->host, &wait_us);
    pcv__resting_due(domain->host);
    verdict = pcv__vfs_work_due(domain->host);
    if (verdict == PCV_DONE && pcv__asks_who(access)) {
        verdict = pcv__appear(domain->host, access->sbdf, &access->added);
    }
    return verdict;
}

/* What a PF's or a bridge's registers asked for. It is done without being
 * inside the gate, since VFs are added and removed. */
static enum pcv_verdict asked(struct pcv_domain *domain,
                              struct pcv_access *access)
{
    struct pcv_device *device;
    enum pcv_verdict verdict;

    if (access->again) {
        return came_early(domain, access);
    }
    if (is_nothing_asked(domain->host)) {
        return PCV_DONE;
    }
    device = pcv_domain_device(domain, access->sbdf);
    if (!device) {
        return PCV_DONE;
    }
    (void)pcv__bus_reset_due_behind(device);
    verdict = pcv__bridge_renumbered(device);
    pcv__slot_event(device);
    if (verdict == PCV_DONE) {
        verdict = pcv__vfs_work(device);
    }
    pcv_device_put(device);
    return verdict;
}

static enum pcv_verdict work(struct pcv_domain *domain,
                             struct pcv_access *access)
{
    uint64_t wait_us;
    enum pcv_verdict verdict = access->again ? PCV_DONE : step(domain, access);

    if (pcv__faults_are_due(domain->host)) {
        (void)pcv__faults_work(domain->host, &wait_us); /* or another does it */
    }
    if (verdict == PCV_DONE && domain->kind == PCV_DOMAIN_HARDWARE) {
        verdict = asked(domain, access);
    }
    if (verdict == PCV_DONE && domain->slot) {
        verdict = pcv__map_wake(domain);
    }
    return verdict;
}

/* What came too early is performed now. That nothing is there after all is its
 * end too, which its data says. */
static enum pcv_verdict perform(struct pcv_domain *domain,
                                struct pcv_access *access)
{
    enum pcv_verdict verdict = pcv__access_go_on(domain, access);

    return verdict == PCV_ABSENT ? PCV_DONE : verdict;
}

enum pcv_verdict pcv_access_resume(struct pcv_domain *domain,
                                   struct pcv_access *access)
{
    enum pcv_verdict verdict;

    if (access->pending) {
        verdict = work(domain, access);
        if (verdict != PCV_DONE) {
            return verdict;
        }
        access->pending = false;
    }
    if (access->again) {
        return perform(domain, access);
    }
    if (access->progress == 0 || access->progress >= access->size) {
        access->progress = 0;
        return PCV_DONE;
    }
    return perform(domain, access);
}

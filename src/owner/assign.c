/* SPDX-License-Identifier: MIT */
/*
 * A change of owner (OWN-4, OWN-5): from the hardware domain to a guest and
 * back. Each call goes on where the last one stopped; what is done already
 * stands in the device: its gate is closed, its owner is quarantine, and its
 * assignment says for whom the view is.
 */
#include "owner/change.h"
#include "owner/reset.h"

/* ---- what may be assigned --------------------------------------------------
 */

static int check_kind(const struct pcv_device *device)
{
    if ((device->id.header_type & PCV_HEADER_TYPE_MASK) > 1) {
        return -PCV_EOPNOTSUPP; /* HDR-1 */
    }
    switch (device->type) {
    case PCV_TYPE_ENDPOINT:
    case PCV_TYPE_LEGACY_ENDPOINT:
    case PCV_TYPE_RC_ENDPOINT:
        return 0;
    default:
        return -PCV_EPERM; /* bridges, and what we do not know */
    }
}

static int check_policy(const struct pcv_assign_policy *policy)
{
    if ((policy->flags & ~(PCV_ASSIGN_SLOT | PCV_ASSIGN_NO_RESET)) != 0 ||
        policy->cap_count > PCV_POLICY_CAPS ||
        policy->passed_count > PCV_POLICY_PASSED ||
        (policy->rom_size != 0 && !policy->rom) ||
        policy->rom_size > PCV__ROM_SIZE_MAX) {
        return -PCV_EINVAL;
    }
    for (uint32_t i = 0; i < policy->passed_count; i++) {
        const struct pcv_passed_range *range = &policy->passed[i];

        if (range->size == 0 || (range->offset | range->size) % 4u != 0 ||
            range->size > PCV_CFG_EXT_SIZE ||
            range->offset > PCV_CFG_EXT_SIZE - range->size) {
            return -PCV_EINVAL;
        }
    }
    return 0;
}

/* Whether it is a PF with VFs, or somebody holds a descriptor of a vector. */
static bool is_used(struct pcv_device *device)
{
    bool is;

    pcv__lock_take(&device->host->mem, &device->lock);
    is = (device->vfs && device->vfs->count != 0) || device->vectors;
    pcv__lock_drop(&device->host->mem, &device->lock);
    return is;
}

/* Everything that an assignment can be refused for, without side effects. */
static int check(struct pcv_device *device, const struct pcv_domain *domain,
                 const struct pcv_assign_policy *policy)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);
    int error = check_kind(device);

    if (pcv__is_unreachable(device)) {
        return -PCV_ENODEV; /* it is not found (TOPO-4) */
    }
    if (error != 0) {
        return error;
    }
    if (owner->kind == PCV_DOMAIN_GUEST ||
        owner->kind == PCV_DOMAIN_HYPERVISOR || is_used(device)) {
        return -PCV_EBUSY;
    }
    if (device->change_for != domain &&
        (device->change_for || device->assignment)) {
        return -PCV_EBUSY; /* it is on its way: to another guest, or home */
    }
    if (!pcv__ext_final(device)) {
        return -PCV_EAGAIN;
    }
    error = pcv__dma_permitted(device, domain);
    if (error != 0) {
        return error;
    }
    return (policy->flags & PCV_ASSIGN_NO_RESET) != 0
               ? 0
               : pcv__reset_check(device, NULL);
}

/* ---- assign ----------------------------------------------------------------
 */

/* Memory for the assignment, and the place on the guest's bus: what can be
 * refused before anything changed. */
static int prepare(struct pcv_device *device, struct pcv_domain *domain,
                   const struct pcv_assign_policy *policy)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__assignment *assignment;
    int error;

    if (device->change_for == domain) {
        return 0; /* an earlier call did it */
    }
    assignment = pcv__alloc(mem, sizeof(*assignment));
    if (!assignment) {
        return -PCV_ENOMEM;
    }
    assignment->part.bytes = sizeof(*assignment);
    assignment->policy = *policy;
    error = pcv__slot_take(domain, device, policy);
    if (error != 0) {
        pcv__free(mem, assignment, sizeof(*assignment));
        return error;
    }
    device->change_for = domain;
    device->change_to = assignment;
    return 0;
}

/* Nothing changed yet that is not taken back here. */
static void abandon(struct pcv_device *device)
{
    pcv__change_forget(device);
    pcv__change_undo(device);
    pcv__gate_reopen(device);
}

/* From the hardware domain. It may have come to use the function after that was
 * looked at, and until the gate was closed. */
static int take(struct pcv_device *device)
{
    int error = pcv__gate_close(device);

    if (error == 0 && is_used(device)) {
        error = -PCV_EBUSY;
    }
    return error != 0 ? error : pcv__change_take(device);
}

static int assign_steps(struct pcv_device *device, struct pcv_domain *domain,
                        const struct pcv_assign_policy *policy)
{
    int error = prepare(device, domain, policy);

    if (error != 0) {
        return error;
    }
    if (!pcv__is_quarantined(device)) {
        error = take(device);
        if (error == -PCV_ERESTART) {
            return error;
        }
        if (error != 0) {
            abandon(device);
            return error;
        }
    }
    error =
        pcv__change_reset(device, (policy->flags & PCV_ASSIGN_NO_RESET) != 0);
    if (error == -PCV_ERESTART) {
        return error;
    }
    if (error == 0) {
        error = pcv__change_give(device, domain);
    }
    if (error != 0) {
        pcv__change_failed(device, error);
    }
    return error;
}

int pcv_device_assign(struct pcv_host *host, pcv_sbdf sbdf,
                      struct pcv_domain *domain,
                      const struct pcv_assign_policy *policy,
                      pcv_sbdf *out_guest_sbdf)
{
    static const struct pcv_assign_policy everything;
    struct pcv_device *device;
    int error;

    if (!policy) {
        policy = &everything;
    }
    if (!host || !domain || domain->kind != PCV_DOMAIN_GUEST ||
        check_policy(policy) != 0) {
        return -PCV_EINVAL;
    }
    error = pcv__change_begin(host, sbdf, &device);
    if (error != 0) {
        return error;
    }
    error = check(device, domain, policy);
    if (error == 0) {
        error = assign_steps(device, domain, policy);
    } else if (error != -PCV_ERESTART && device->change_for == domain &&
               !pcv__is_quarantined(device)) {
        abandon(device); /* what an earlier call began is refused by now */
    }
    if (error == 0) {
        pcv_sbdf there = pcv_device_guest_sbdf(device);

        pcv__slot_mark(domain, (uint8_t)there.v);
        if (out_guest_sbdf) {
            *out_guest_sbdf = there;
        }
    }
    pcv__change_end(device);
    return error;
}

/* ---- deassign --------------------------------------------------------------
 */

static int deassign_steps(struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    int error;

    if (!pcv__is_quarantined(device)) {
        error = pcv__change_take(device);
        if (error != 0) {
            return error;
        }
    }
    if (pcv__is_unreachable(device)) {
        /* Its guest has it no more; it comes home when it can be reset. */
        pcv__change_forget(device);
        return -PCV_EAGAIN;
    }
    error = pcv__change_reset(device, true);
    if (error == -PCV_ERESTART) {
        return error;
    }
    if (error == 0) {
        pcv__change_forget(device);
        error = pcv__change_give(device, &host->hardware);
    }
    if (error != 0) {
        pcv__change_failed(device, error);
    }
    return error;
}

int pcv_device_deassign(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device;
    const struct pcv_domain *owner;
    int error;

    if (!host) {
        return -PCV_EINVAL;
    }
    error = pcv__change_begin(host, sbdf, &device);
    if (error != 0) {
        return error;
    }
    owner = atomic_load_explicit(&device->owner, memory_order_acquire);
    if (owner->kind == PCV_DOMAIN_GUEST ||
        owner->kind == PCV_DOMAIN_QUARANTINE) {
        error = deassign_steps(device);
    } else if (owner->kind == PCV_DOMAIN_HARDWARE &&
               (pcv__word(device) & PCV__WORD_CLOSED) != 0) {
        abandon(device); /* a change that was given up on its way */
    } else {
        error = -PCV_EINVAL;
    }
    pcv__change_end(device);
    return error;
}

int pcv_device_restore(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device;
    int error;

    if (!host) {
        return -PCV_EINVAL;
    }
    error = pcv__change_begin(host, sbdf, &device);
    if (error != 0) {
        return error;
    }
    if (!device->view || pcv__is_quarantined(device) ||
        pcv__is_unreachable(device)) {
        error = -PCV_ENODEV;
    } else {
        pcv__lock_take(&host->mem, &device->lock);
        error = pcv__vpci_restore(device);
        pcv__lock_drop(&host->mem, &device->lock);
    }
    pcv__change_end(device);
    return error;
}

/* SPDX-License-Identifier: MIT */
/*
 * A change of owner (OWN-4, OWN-5): from the hardware domain to a guest and
 * back. Each call goes on where the last one stopped; what is done already
 * stands in the device: its gate is closed, its owner is quarantine, and its
 * assignment says for whom the view is.
 */
#include "owner/change.h"

/* ---- what may be assigned --------------------------------------------------
 */

static int check_kind(const struct pcv_device *device)
{
    switch (device->type) {
    case PCV_TYPE_ENDPOINT:
    case PCV_TYPE_LEGACY_ENDPOINT:
    case PCV_TYPE_RC_ENDPOINT:
        break;
    default:
        return -PCV_EPERM; /* bridges, and what we do not know */
    }
    if (device->is_bridge) {
        return -PCV_EPERM;
    }
    return (device->id.header_type & PCV_HEADER_TYPE_MASK) == 0
               ? 0
               : -PCV_EOPNOTSUPP; /* HDR-1 */
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

static bool has_vfs(struct pcv_device *device)
{
    bool has;

    pcv__lock_take(&device->host->mem, &device->lock);
    has = device->vfs && device->vfs->count != 0;
    pcv__lock_drop(&device->host->mem, &device->lock);
    return has;
}

static bool has_descriptors(struct pcv_device *device)
{
    bool has;

    pcv__lock_take(&device->host->mem, &device->lock);
    has = device->vectors != NULL;
    pcv__lock_drop(&device->host->mem, &device->lock);
    return has;
}

/* Everything that an assignment can be refused for, without side effects. */
static int check(struct pcv_device *device, const struct pcv_domain *domain,
                 const struct pcv_assign_policy *policy)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);
    int error = check_kind(device);

    if (error != 0) {
        return error;
    }
    if (owner->kind == PCV_DOMAIN_GUEST ||
        owner->kind == PCV_DOMAIN_HYPERVISOR || has_vfs(device) ||
        has_descriptors(device)) {
        return -PCV_EBUSY;
    }
    if (owner->kind == PCV_DOMAIN_QUARANTINE && device->assignment &&
        device->change_for != domain) {
        return -PCV_EBUSY; /* it is on its way to another guest */
    }
    if (!pcv__ext_final(device)) {
        return -PCV_EAGAIN;
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    if (pcv__reset_find(device) == PCV__RESET_NONE &&
        (policy->flags & PCV_ASSIGN_NO_RESET) == 0) {
        /* What the host cannot read is not known to be missing. */
        error = atomic_load_explicit(&device->hw_error, memory_order_relaxed);
        return error != 0 ? error : -PCV_EOPNOTSUPP;
    }
    return 0;
}

/* ---- the guest's slot ------------------------------------------------------
 */

static bool take_slot(struct pcv_domain *domain, struct pcv_device *device,
                      uint8_t devfn)
{
    struct pcv_device *none = NULL;

    if (!atomic_compare_exchange_strong_explicit(&domain->slot[devfn], &none,
                                                 device, memory_order_acq_rel,
                                                 memory_order_relaxed)) {
        return false;
    }
    atomic_store_explicit(&device->guest_sbdf, devfn, memory_order_relaxed);
    atomic_fetch_add_explicit(&domain->devices, 1, memory_order_acq_rel);
    return true;
}

/* Slot 0 is the host bridge's. */
static int find_slot(struct pcv_domain *domain, struct pcv_device *device,
                     const struct pcv_assign_policy *policy)
{
    if ((policy->flags & PCV_ASSIGN_SLOT) != 0) {
        return take_slot(domain, device, policy->slot) ? 0 : -PCV_EEXIST;
    }
    for (uint8_t slot = 1; slot < PCV_SLOTS; slot++) {
        bool empty = true;

        for (uint8_t fn = 0; fn < PCV_FUNCTIONS && empty; fn++) {
            empty = !atomic_load_explicit(&domain->slot[pcv_devfn(slot, fn)],
                                          memory_order_acquire);
        }
        if (empty && take_slot(domain, device, pcv_devfn(slot, 0))) {
            return 0;
        }
    }
    return -PCV_ENOSPC;
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
    assignment->policy = *policy;
    error = find_slot(domain, device, policy);
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
    pcv__gate_reopen(device);
}

static int assign_steps(struct pcv_device *device, struct pcv_domain *domain,
                        const struct pcv_assign_policy *policy)
{
    int error = prepare(device, domain, policy);

    if (error != 0) {
        return error;
    }
    if (!pcv__is_quarantined(device)) {
        error = pcv__change_take(device);
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

/* Functions of one slot know of each other (HDR-15). */
static void mark_multifunction(struct pcv_domain *domain, uint8_t devfn)
{
    pcv_sbdf sbdf = {devfn & ~7u};
    uint32_t count = 0;

    for (uint32_t fn = 0; fn < PCV_FUNCTIONS; fn++) {
        count += atomic_load_explicit(&domain->slot[(devfn & ~7u) + fn],
                                      memory_order_acquire)
                     ? 1u
                     : 0u;
    }
    for (uint32_t fn = 0; fn < PCV_FUNCTIONS; fn++) {
        struct pcv_device *device =
            pcv_domain_device(domain, (pcv_sbdf){sbdf.v + fn});

        if (device) {
            pcv__lock_take(&device->host->mem, &device->lock);
            pcv__header_guest_multi(device, count > 1);
            pcv__lock_drop(&device->host->mem, &device->lock);
            pcv_device_put(device);
        }
    }
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
    }
    if (error == 0) {
        pcv_sbdf there = pcv_device_guest_sbdf(device);

        mark_multifunction(domain, (uint8_t)there.v);
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
        struct pcv_domain *guest =
            owner->slot ? (struct pcv_domain *)owner : NULL;
        pcv_sbdf there = pcv_device_guest_sbdf(device);

        error = deassign_steps(device);
        if (guest) {
            mark_multifunction(guest, (uint8_t)there.v);
        }
    } else if (device->change_for) {
        abandon(device); /* an assignment that was given up on its way */
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
    if (!device->view || pcv__is_quarantined(device)) {
        error = -PCV_ENODEV;
    } else {
        pcv__lock_take(&host->mem, &device->lock);
        error = pcv__vpci_restore(device);
        pcv__lock_drop(&host->mem, &device->lock);
    }
    pcv__change_end(device);
    return error;
}

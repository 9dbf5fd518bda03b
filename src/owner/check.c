/* SPDX-License-Identifier: MIT */
/*
 * What an assignment can be refused for (OWN-3, OWN-4, OWN-12): one function
 * that looks and changes nothing, for the test and for the assignment, in the
 * order that pcv_device_assign() promises.
 */
#include "owner/change.h"
#include "owner/reset.h"
#include "owner/split.h"
#include "registry/requester.h"

/* ---- arguments -------------------------------------------------------------
 */

#define KNOWN_FLAGS                                                            \
    (PCV_ASSIGN_SLOT | PCV_ASSIGN_NO_RESET | PCV_ASSIGN_GROUP |                \
     PCV_ASSIGN_TO_QUARANTINE)

static bool policy_valid(const struct pcv_assign_policy *policy)
{
    if ((policy->flags & ~KNOWN_FLAGS) != 0 ||
        policy->cap_count > PCV_POLICY_CAPS ||
        policy->passed_count > PCV_POLICY_PASSED ||
        (policy->rom_size != 0 && !policy->rom) ||
        policy->rom_size > PCV__ROM_SIZE_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < policy->passed_count; i++) {
        const struct pcv_passed_range *range = &policy->passed[i];

        if (range->size == 0 || (range->offset | range->size) % 4u != 0 ||
            range->size > PCV_CFG_EXT_SIZE ||
            range->offset > PCV_CFG_EXT_SIZE - range->size) {
            return false;
        }
    }
    return true;
}

int pcv__assign_arguments(const struct pcv_host *host,
                          const struct pcv_domain *domain,
                          const struct pcv_assign_policy *policy)
{
    return host && domain && domain->kind == PCV_DOMAIN_GUEST &&
                   !atomic_load_explicit(&domain->ending,
                                         memory_order_acquire) &&
                   policy_valid(policy)
               ? 0
               : -PCV_EINVAL;
}

/* ---- the function ----------------------------------------------------------
 */

static int check_kind(const struct pcv_device *device)
{
    if ((device->id.header_type & PCV_HEADER_TYPE_MASK) > 1) {
        return -PCV_EOPNOTSUPP; /* HDR-1 */
    }
    if (pcv__is_marked(device, PCV__MARK_BROKEN)) {
        return -PCV_EPERM;
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

bool pcv__assign_is_used(struct pcv_device *device)
{
    bool is;

    pcv__lock_take(&device->host->mem, &device->lock);
    is = (device->vfs && device->vfs->count != 0) || device->vectors;
    pcv__lock_drop(&device->host->mem, &device->lock);
    return is;
}

static int check_owner(struct pcv_device *device,
                       const struct pcv_domain *domain)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);
    const struct pcv_domain *next = pcv__change_for(device);

    if (owner == domain) {
        return -PCV_EINVAL; /* its own already */
    }
    if (owner->kind == PCV_DOMAIN_GUEST ||
        owner->kind == PCV_DOMAIN_HYPERVISOR || pcv__assign_is_used(device)) {
        return -PCV_EBUSY;
    }
    if (next != domain ? next || device->assignment : !device->change_to) {
        return -PCV_EBUSY; /* it is on its way: to another guest, or home */
    }
    return pcv__removal_waits(device) ? -PCV_EBUSY : 0;
}

/* ---- its DMA ---------------------------------------------------------------
 */

/* The next requester ID from *index on that a domain would be given with a
 * device, whoever shares it until then. */
static bool next_requester(struct pcv_device *device,
                           const struct pcv_domain *domain, uint32_t *index,
                           pcv_sbdf *out_id)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__requester r;
    bool more = true;
    bool found = false;

    pcv__lock_take(mem, &segment->lock);
    /* Bounded: a device has so many, and the index goes up. */
    while (more && !found) {
        more = pcv__requester_at(segment, device, pcv__device_sbdf(device),
                                 *index, &r);
        found = more && !pcv__requester_is_off(device, domain, r.kind);
        *index += 1;
    }
    pcv__lock_drop(mem, &segment->lock);
    if (found) {
        *out_id = r.id;
    }
    return found;
}

static int is_permitted(const struct pcv__mem *mem, pcv_sbdf id,
                        const struct pcv_domain *domain)
{
    int permitted = mem->ops.dma_permitted(mem->ctx, id, domain->id);

    if (permitted < 0) {
        return -PCV_EIO;
    }
    return permitted != 0 ? 0 : -PCV_EPERM;
}

/* Whether the host would let a domain have a device's DMA, under each ID that
 * it sends with: a question only. 0; -PCV_EPERM: never; -PCV_EIO. */
static int dma_permitted(struct pcv_device *device,
                         const struct pcv_domain *domain)
{
    const struct pcv__mem *mem = &device->host->mem;
    uint32_t index = 0;
    pcv_sbdf id;
    int error = 0;

    while (mem->ops.dma_permitted && error == 0 &&
           next_requester(device, domain, &index, &id)) {
        error = is_permitted(mem, id, domain);
    }
    return error;
}

int pcv__assign_check_reset(struct pcv_device *device,
                            const struct pcv_assign_policy *policy,
                            const struct pcv__mates *mates)
{
    return (policy->flags & PCV_ASSIGN_NO_RESET) != 0
               ? 0
               : pcv__reset_check(device, mates);
}

int pcv__assign_check(struct pcv_device *device,
                      const struct pcv_domain *domain,
                      const struct pcv_assign_policy *policy,
                      struct pcv__others *out_others)
{
    int error = pcv__is_unreachable(device)
                    ? -PCV_ENODEV /* it is not found (TOPO-4) */
                    : check_kind(device);

    if (error == 0) {
        error = dma_permitted(device, domain);
    }
    if (error == 0) {
        error = check_owner(device, domain);
    }
    if (error != 0) {
        return error;
    }
    error = pcv__group_split(device, domain, out_others->sbdf,
                             PCV_ASSIGN_GROUP_MAX, &out_others->count);
    if (error != 0 &&
        (error != -PCV_EXDEV || (policy->flags & PCV_ASSIGN_GROUP) == 0)) {
        return error;
    }
    if (!pcv__ext_final(device)) {
        return -PCV_EAGAIN;
    }
    /* A group's members may be reset together: that is looked at when it is
     * known who they are. */
    error = (policy->flags & PCV_ASSIGN_GROUP) == 0
                ? pcv__assign_check_reset(device, policy, NULL)
                : 0;
    if (error == 0 && !pcv__change_for(device)) {
        error = pcv__slot_check(domain, policy);
    }
    return error;
}

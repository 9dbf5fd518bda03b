/* SPDX-License-Identifier: MIT */
/* Whether a change of owner would split an isolation group (OWN-4, TOPO-6). */
#include "owner/split.h"
#include "owner/change.h"
#include "pcivisor/group.h"
#include "registry/barred.h"

/* The owner of one may be a guest that has ended meanwhile: only its address is
 * looked at. */
static bool is_host(const struct pcv_device *device,
                    const struct pcv_domain *domain)
{
    return domain == &device->host->hardware ||
           domain == &device->host->hypervisor;
}

/* Whether somebody else has what is in quarantine, as good as. What a guest
 * that ends gives back is that one's until it is on its way home. */
static bool is_promised(const struct pcv_device *device,
                        const struct pcv_domain *to)
{
    const struct pcv_domain *next = pcv__change_for(device);
    bool homeward = pcv__is_noted(device, PCV__NOTE_HOMEWARD);

    if (is_host(device, to)) {
        return next && !homeward;
    }
    return (next && next != to) || homeward;
}

/* Whether somebody else has a member, or is about to. */
static bool is_anothers(const struct pcv_device *device,
                        const struct pcv_domain *to)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);

    if (owner == &device->host->quarantine) {
        return is_promised(device, to);
    }
    if (is_host(device, owner) && is_host(device, to)) {
        return pcv__change_for(device) != NULL;
    }
    return owner != to;
}

/* Whether a member is in the way: it sends, and somebody else has it. */
static bool is_in_the_way(struct pcv_host *host,
                          const struct pcv_group_member *member,
                          const struct pcv_domain *to)
{
    struct pcv_device *device;
    bool is;

    if (member->is_bridge) {
        return false;
    }
    device = pcv_device_find(host, member->sbdf);
    is = device && !pcv__has_vanished(device) && is_anothers(device, to);
    pcv_device_put(device);
    return is;
}

void pcv__group_fence(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &device->segment->lock);
    pcv__lock_drop(mem, &device->segment->lock);
}

int pcv__group_split(struct pcv_device *device, const struct pcv_domain *to,
                     pcv_sbdf *out_others, uint32_t room, uint32_t *out_count)
{
    struct pcv_host *host = device->host;
    pcv_sbdf own = pcv__device_sbdf(device);
    pcv_sbdf from = {0};
    struct pcv_group_member member;
    struct pcv_group group;
    uint32_t count = 0;
    int error;

    pcv__group_fence(device);
    error = pcv_group_find(host, own, &group);
    if (error != 0) {
        return error;
    }
    /* Bounded: `from` goes up. */
    while (pcv_group_next(&group, from, &member)) {
        if (member.sbdf.v != own.v && is_in_the_way(host, &member, to)) {
            if (count < room) {
                out_others[count] = member.sbdf;
            }
            count++;
        }
        from.v = member.sbdf.v + 1u;
    }
    *out_count = count;
    return count != 0 ? -PCV_EXDEV : 0;
}

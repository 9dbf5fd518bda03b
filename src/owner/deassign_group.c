/* SPDX-License-Identifier: MIT */
/*
 * All of an isolation group that a guest has comes back at once (OWN-4, OWN-6):
 * first all are taken from it, then each goes on by itself. So their resets
 * pass together, and none has to wait for another.
 */
#include "owner/deassign.h"
#include "pcivisor/group.h"

/* One call, over all members. */
struct returning {
    struct pcv_host *host;
    pcv_sbdf named;
    uint32_t from_id; /* of the guest, or quarantine's: there is none */
    bool any, again;
    int error; /* the first, and whose */
    pcv_sbdf at;
};

static void note_result(struct returning *r, pcv_sbdf sbdf, int error)
{
    r->any = true;
    if (error == -PCV_ERESTART) {
        r->again = true;
    } else if (error != 0 && r->error == 0) {
        r->error = error;
        r->at = sbdf;
    }
}

static const struct pcv_domain *owner_of(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire);
}

/* From the guest, and no further. */
static void take(struct returning *r, const struct pcv_group_member *member)
{
    struct pcv_device *device;
    int error;

    if (member->owner_id != r->from_id ||
        r->from_id == r->host->quarantine.id) {
        return;
    }
    error = pcv__change_begin(r->host, member->sbdf, &device);
    if (error == 0) {
        if (owner_of(device)->id == r->from_id) {
            error = pcv__deassign_take(device);
        }
        /* What is quarantine's by now goes on, and fails there if it must. */
        error = pcv__is_quarantined(device) ? 0 : error;
        pcv__change_end(device);
    }
    note_result(r, member->sbdf, error);
}

/* Home, or where it is to be, if it is on its way. */
static void go_on(struct returning *r, const struct pcv_group_member *member)
{
    struct pcv_device *device;
    bool is;

    if (member->owner_id != r->host->quarantine.id || member->is_bridge) {
        return;
    }
    device = pcv_device_find(r->host, member->sbdf);
    is =
        device && (member->sbdf.v == r->named.v ||
                   pcv__is_noted(device, PCV__NOTE_HOMEWARD | PCV__NOTE_WAITS));
    pcv_device_put(device);
    if (is) {
        int error = pcv_device_deassign(r->host, member->sbdf);

        /* Who waited may be home already, with the one before it. */
        note_result(r, member->sbdf, error == -PCV_EINVAL ? 0 : error);
    }
}

typedef void step_fn(struct returning *r,
                     const struct pcv_group_member *member);

static void each(struct returning *r, const struct pcv_group *group,
                 step_fn *step)
{
    struct pcv_group_member member;
    pcv_sbdf from = {0};

    /* Bounded: `from` goes up. */
    while (pcv_group_next(group, from, &member)) {
        step(r, &member);
        from.v = member.sbdf.v + 1u;
    }
}

/* The guest that has a function; quarantine: none has it. Under the lock, which
 * whoever leaves a guest takes before the guest can end. */
static uint32_t guest_of(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_device_find(host, sbdf);
    uint32_t id = host->quarantine.id;

    if (!device) {
        return id;
    }
    pcv__lock_take(&host->mem, &device->segment->lock);
    if (pcv__is_guest(host, owner_of(device))) {
        id = owner_of(device)->id;
    }
    pcv__lock_drop(&host->mem, &device->segment->lock);
    pcv_device_put(device);
    return id;
}

int pcv_device_deassign_group(struct pcv_host *host, pcv_sbdf sbdf,
                              pcv_sbdf *out_member)
{
    struct returning r = {.host = host, .named = sbdf, .at = sbdf};
    struct pcv_group group;
    int error = host ? pcv_group_find(host, sbdf, &group) : -PCV_EINVAL;

    if (error != 0) {
        return error;
    }
    r.from_id = guest_of(host, sbdf);
    each(&r, &group, take);
    if (!r.again) {
        each(&r, &group, go_on);
    }
    if (r.again) {
        return -PCV_ERESTART;
    }
    if (!r.any) {
        return -PCV_EINVAL;
    }
    if (r.error != 0 && out_member) {
        *out_member = r.at;
    }
    return r.error;
}

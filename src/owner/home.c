/* SPDX-License-Identifier: MIT */
/* Home from quarantine, without splitting an isolation group (owner/home.h). */
#include "owner/home.h"
#include "owner/dma.h"
#include "owner/hidden.h"
#include "owner/split.h"

static int split(struct pcv_device *device, pcv_sbdf *out_first,
                 uint32_t *out_count)
{
    return pcv__group_split(device, &device->host->hardware, out_first, 1,
                            out_count);
}

/* Whoever left between two looks has passed it by, since it was on its way:
 * -PCV_ERESTART then, and the next call finds that. Who leaves from now on
 * finds that it is not. */
static int turn_back(struct pcv_device *device, int error)
{
    pcv_sbdf first;
    uint32_t count;

    pcv__unnote(device, PCV__NOTE_HOMEWARD);
    return error == -PCV_EXDEV && split(device, &first, &count) == 0
               ? -PCV_ERESTART
               : error;
}

int pcv__home_begin(struct pcv_device *device)
{
    pcv_sbdf first;
    uint32_t count;
    int error;

    if (device->is_bridge) {
        return 0; /* it only forwards */
    }
    pcv__note(device, PCV__NOTE_HOMEWARD);
    error = split(device, &first, &count);
    return error != 0 && error != -PCV_ERESTART ? turn_back(device, error)
                                                : error;
}

int pcv__home_prepare(struct pcv_device *device)
{
    int error =
        pcv__removal_waits(device) ? -PCV_EBUSY : pcv__home_begin(device);

    if (error != 0) {
        return error;
    }
    error = pcv__change_reset(device, true);
    if (error == 0) {
        pcv__change_forget(device);
        error = pcv__change_build(device, &device->host->hardware);
    }
    if (error != 0 && error != -PCV_ERESTART) {
        pcv__change_failed(device, error);
    }
    return error;
}

uint32_t pcv__home_others(struct pcv_device *device, pcv_sbdf *out_first)
{
    uint32_t count = 0;

    return split(device, out_first, &count) == -PCV_EXDEV ? count : 0;
}

void pcv__home_stay(struct pcv_device *device)
{
    pcv__change_empty(device); /* others look for its note meanwhile */
    pcv__unnote(device, PCV__NOTE_HOMEWARD);
    pcv__change_at(device, PCV_STEP_NONE);
}

void pcv__home_wait(struct pcv_device *device)
{
    pcv_sbdf first = pcv__device_sbdf(device);
    uint32_t count = pcv__home_others(device, &first);

    pcv__home_stay(device);
    pcv__event(device, PCV_EVENT_GROUP_WAITS, PCV_EVENT_HOST, first.v, count);
}

/* ---- those that wait -------------------------------------------------------
 */

static bool waits(const struct pcv_device *device)
{
    return pcv__is_quarantined(device) &&
           pcv__is_noted(device, PCV__NOTE_WAITS);
}

/* A glance: whether one waits, and whether somebody is at it who looks at us
 * afterwards. */
static bool glance(struct pcv_host *host, pcv_sbdf sbdf, bool *out_homeward)
{
    struct pcv_device *device = pcv_device_find(host, sbdf);
    bool is = device && waits(device);

    *out_homeward = is && pcv__is_noted(device, PCV__NOTE_HOMEWARD);
    pcv_device_put(device);
    return is;
}

/* One that waits, by `device`, which has left its guest and keeps the claim on
 * requester IDs that both share. */
static int bring(struct pcv_device *device, pcv_sbdf sbdf)
{
    struct pcv_host *host = device->host;
    struct pcv_device *waiter;
    bool homeward;
    int error;

    if (!glance(host, sbdf, &homeward)) {
        return 0;
    }
    error = pcv__change_begin_with(host, sbdf, device, &waiter);
    if (error == -PCV_EBUSY) {
        return homeward ? 0 : -PCV_ERESTART;
    }
    if (error != 0) {
        return error == -PCV_ERESTART ? error : 0;
    }
    if (waits(waiter) && !pcv__is_unreachable(waiter) &&
        !pcv__removal_waits(waiter)) {
        error = pcv__bring_home(waiter);
    }
    pcv__dma_pass(waiter, device);
    pcv__change_end(waiter);
    return error == -PCV_ERESTART ? error : 0;
}

int pcv__home_waiters(struct pcv_device *device)
{
    pcv_sbdf own = pcv__device_sbdf(device);
    struct pcv_group_member member;
    struct pcv_group group;
    pcv_sbdf from = {0};
    int result = 0;
    int error;

    if (pcv__is_unreachable(device) || pcv__has_vanished(device)) {
        return 0; /* nobody can say who is in its group */
    }
    pcv__group_fence(device);
    error = pcv_group_find(device->host, own, &group);
    if (error != 0) {
        return error == -PCV_ERESTART ? error : 0;
    }
    /* Bounded: `from` goes up. */
    while (pcv_group_next(&group, from, &member)) {
        if (member.owner_id == PCV_DOMAIN_ID_QUARANTINE && !member.is_bridge &&
            member.sbdf.v != own.v) {
            error = bring(device, member.sbdf);
            result = error != 0 ? error : result;
        }
        from.v = member.sbdf.v + 1u;
    }
    return result;
}

bool pcv__home_is_late(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_device_find(host, sbdf);
    pcv_sbdf first;
    uint32_t count;
    bool late = device && waits(device) && split(device, &first, &count) == 0;

    pcv_device_put(device);
    return late;
}

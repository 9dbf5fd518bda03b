/* SPDX-License-Identifier: MIT */
/* Operations that change something. */
#include "ctl/internal.h"
#include "pcivisor/protected.h"

int pcv__ctl_add(struct pcv_host *host, const struct pcv_ctl_request *request,
                 struct pcv_ctl_reply *reply)
{
    (void)reply;
    return pcv_device_add(host, request->sbdf, &request->u.add);
}

int pcv__ctl_remove(struct pcv_host *host,
                    const struct pcv_ctl_request *request,
                    struct pcv_ctl_reply *reply)
{
    return pcv_device_remove(host, request->sbdf, request->u.remove.done,
                             &reply->sbdf);
}

int pcv__ctl_cancel_remove(struct pcv_host *host,
                           const struct pcv_ctl_request *request,
                           struct pcv_ctl_reply *reply)
{
    (void)reply;
    return pcv_device_cancel_remove(host, request->sbdf);
}

int pcv__ctl_vanished(struct pcv_host *host,
                      const struct pcv_ctl_request *request,
                      struct pcv_ctl_reply *reply)
{
    (void)reply;
    return pcv_device_vanished(host, request->sbdf);
}

/* Where a scan stands is the caller's to keep, so it is checked: a run of the
 * host's buses in the upper half, a bus of it in the lower. */
#define RUN_MAX 65536u

int pcv__ctl_scan(struct pcv_host *host, const struct pcv_ctl_request *request,
                  struct pcv_ctl_reply *reply)
{
    struct pcv_ctl_scan *record = &reply->record[0].scan;
    struct pcv_scan scan;
    int result;

    memset(&scan, 0, sizeof(scan));
    scan.segment_index = (uint32_t)(request->cursor >> 32);
    scan.bus = (uint32_t)request->cursor;
    if (scan.segment_index > RUN_MAX || scan.bus > PCV_BUSES) {
        return -PCV_EINVAL;
    }
    result = pcv_host_scan(host, &scan, PCV_CTL_SCAN_BUSES);
    reply->next = (uint64_t)scan.segment_index << 32 | scan.bus;
    reply->count = 1;
    record->found = scan.found;
    record->failed = scan.failed;
    record->first_error = scan.first_error;
    record->first_failed = scan.first_failed;
    return result;
}

int pcv__ctl_ecam(struct pcv_host *host, const struct pcv_ctl_request *request,
                  struct pcv_ctl_reply *reply)
{
    if (request->u.ecam.usable > 1) {
        return -PCV_EINVAL;
    }
    return pcv_host_set_ecam(
        host, request->u.ecam.segment, request->u.ecam.bus_first,
        request->u.ecam.bus_last, request->u.ecam.usable == 1, &reply->sbdf);
}

int pcv__ctl_assign(struct pcv_host *host,
                    const struct pcv_ctl_request *request,
                    struct pcv_ctl_reply *reply)
{
    struct pcv_domain *domain = pcv_domain_find(host, request->domain_id);

    if (!domain) {
        return -PCV_ENOENT;
    }
    return pcv_device_assign(host, request->sbdf, domain, &request->u.assign,
                             &reply->sbdf);
}

int pcv__ctl_test_assign(struct pcv_host *host,
                         const struct pcv_ctl_request *request,
                         struct pcv_ctl_reply *reply)
{
    struct pcv_domain *domain = pcv_domain_find(host, request->domain_id);
    pcv_sbdf others[PCV_ASSIGN_GROUP_MAX];
    uint32_t count = 0;
    int error;

    if (!domain) {
        return -PCV_ENOENT;
    }
    error =
        pcv_device_test_assign(host, request->sbdf, domain, &request->u.assign,
                               others, PCV_ASSIGN_GROUP_MAX, &count);
    while (reply->count < reply->room && reply->count < PCV_ASSIGN_GROUP_MAX &&
           reply->count < count) {
        reply->record[reply->count].sbdf = others[reply->count];
        reply->count++;
    }
    return error;
}

int pcv__ctl_broken(struct pcv_host *host,
                    const struct pcv_ctl_request *request,
                    struct pcv_ctl_reply *reply)
{
    (void)reply;
    if (request->u.broken.on > 1) {
        return -PCV_EINVAL;
    }
    return pcv_device_set_broken(host, request->sbdf,
                                 request->u.broken.on == 1);
}

/* Who of its group has to be left alone the longest: those that wait for it, or
 * go along, are reset in its name. */
static pcv_sbdf slowest(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_group_member member;
    struct pcv_group group;
    pcv_sbdf from = {0};
    uint64_t longest = 0;

    if (pcv_group_find(host, sbdf, &group) != 0) {
        return sbdf;
    }
    /* Bounded: `from` goes up. */
    while (pcv_group_next(&group, from, &member)) {
        struct pcv_device *device = member.owner_id == PCV_DOMAIN_ID_QUARANTINE
                                        ? pcv_device_find(host, member.sbdf)
                                        : NULL;
        uint64_t us = device ? pcv_device_wait_us(device) : 0;

        pcv_device_put(device);
        if (us > longest) {
            longest = us;
            sbdf = member.sbdf;
        }
        from.v = member.sbdf.v + 1u;
    }
    return sbdf;
}

int pcv__ctl_deassign(struct pcv_host *host,
                      const struct pcv_ctl_request *request,
                      struct pcv_ctl_reply *reply)
{
    int error =
        (request->flags & PCV_CTL_WITH_GROUP) != 0
            ? pcv_device_deassign_group(host, request->sbdf, &reply->sbdf)
            : pcv_device_deassign(host, request->sbdf);

    if (error == -PCV_ERESTART) {
        reply->sbdf = slowest(host, request->sbdf);
    }
    return error;
}

int pcv__ctl_restore(struct pcv_host *host,
                     const struct pcv_ctl_request *request,
                     struct pcv_ctl_reply *reply)
{
    (void)reply;
    return pcv_device_restore(host, request->sbdf);
}

int pcv__ctl_read_only(struct pcv_host *host,
                       const struct pcv_ctl_request *request,
                       struct pcv_ctl_reply *reply)
{
    (void)reply;
    return pcv_device_set_read_only(host, request->sbdf);
}

int pcv__ctl_buses(struct pcv_host *host, const struct pcv_ctl_request *request,
                   struct pcv_ctl_reply *reply)
{
    (void)reply;
    return pcv_bridge_report_buses(
        host, request->sbdf, request->u.buses.primary,
        request->u.buses.secondary, request->u.buses.subordinate);
}

int pcv__ctl_faults(struct pcv_host *host,
                    const struct pcv_ctl_request *request,
                    struct pcv_ctl_reply *reply)
{
    int error = 0;

    if (request->flags == PCV_CTL_LIMIT) {
        return pcv_host_set_faults(host, request->u.faults.threshold,
                                   request->u.faults.window_us);
    }
    if ((request->flags & PCV_CTL_LIMIT) != 0) {
        return -PCV_EINVAL; /* limits are of no function */
    }
    if ((request->flags & PCV_CTL_CLEAR) != 0) {
        error = pcv_device_clear_faults(host, request->sbdf);
    }
    if (error == 0) {
        error =
            pcv_device_faults(host, request->sbdf, &reply->record[0].faults);
    }
    reply->count = error == 0 ? 1 : 0;
    return error;
}

int pcv__ctl_override(struct pcv_host *host,
                      const struct pcv_ctl_request *request,
                      struct pcv_ctl_reply *reply)
{
    (void)reply;
    if (request->u.override.on > 1) {
        return -PCV_EINVAL;
    }
    return pcv_device_override(host, request->sbdf,
                               request->u.override.on == 1);
}

/* Flags of the operation as those of the functions behind it. */
static uint32_t set_flags(const struct pcv_ctl_request *request)
{
    return ((request->flags & PCV_CTL_SUBTREE) != 0 ? PCV_SUBTREE : 0u) |
           ((request->flags & PCV_CTL_SLOT) != 0 ? PCV_SLOT : 0u);
}

int pcv__ctl_hide(struct pcv_host *host, const struct pcv_ctl_request *request,
                  struct pcv_ctl_reply *reply)
{
    struct pcv_hide_info info = request->u.hide;

    if ((info.flags & ~PCV_HIDE_MASTER) != 0) {
        return -PCV_EINVAL;
    }
    info.flags |= set_flags(request);
    return pcv_device_hide(host, request->sbdf, &info, &reply->sbdf);
}

int pcv__ctl_conceal(struct pcv_host *host,
                     const struct pcv_ctl_request *request,
                     struct pcv_ctl_reply *reply)
{
    return pcv_device_conceal(host, request->sbdf, set_flags(request),
                              &reply->sbdf);
}

int pcv__ctl_reveal(struct pcv_host *host,
                    const struct pcv_ctl_request *request,
                    struct pcv_ctl_reply *reply)
{
    return pcv_device_reveal(host, request->sbdf, set_flags(request),
                             &reply->sbdf);
}

int pcv__ctl_quarantine(struct pcv_host *host,
                        const struct pcv_ctl_request *request,
                        struct pcv_ctl_reply *reply)
{
    return pcv_device_quarantine(host, request->sbdf, set_flags(request),
                                 &reply->sbdf);
}

/* SPDX-License-Identifier: MIT */
/* Operations about what the IOMMU can tell apart (TOPO-5, TOPO-6). */
#include "ctl/internal.h"
#include "pcivisor/group.h"
#include "pcivisor/requester.h"

static union pcv_ctl_record *record_add(struct pcv_ctl_reply *reply)
{
    union pcv_ctl_record *record = &reply->record[reply->count++];

    memset(record, 0, sizeof(*record));
    return record;
}

/* The group is found again for each page: it may be another by then. */
int pcv__ctl_group(struct pcv_host *host, const struct pcv_ctl_request *request,
                   struct pcv_ctl_reply *reply)
{
    struct pcv_group_member member;
    struct pcv_group group;
    int error;

    if (request->cursor > UINT32_MAX) {
        return -PCV_EINVAL;
    }
    error = pcv_group_find(host, request->sbdf, &group);
    if (error != 0) {
        return error;
    }
    while (pcv_group_next(&group, (pcv_sbdf){(uint32_t)reply->next}, &member)) {
        if (reply->count == reply->room) {
            reply->more = true;
            break;
        }
        record_add(reply)->member = member;
        reply->next = (uint64_t)member.sbdf.v + 1;
        if (reply->next > UINT32_MAX) {
            break;
        }
    }
    return 0;
}

int pcv__ctl_isolate(struct pcv_host *host,
                     const struct pcv_ctl_request *request,
                     struct pcv_ctl_reply *reply)
{
    (void)reply;
    if (request->u.isolate.isolated > 1) {
        return -PCV_EINVAL;
    }
    return pcv_device_declare_isolated(host, request->sbdf,
                                       request->u.isolate.isolated == 1);
}

/* What is asked for beside a list. */
static int change(struct pcv_host *host, const struct pcv_ctl_request *request)
{
    switch (request->u.requesters.what) {
    case PCV_CTL_REQUESTERS_LIST:
        return 0;
    case PCV_CTL_REQUESTERS_ADD:
        return pcv_device_add_requester(host, request->sbdf,
                                        request->u.requesters.requester);
    case PCV_CTL_REQUESTERS_PHANTOM:
        return pcv_device_set_phantom(host, request->sbdf,
                                      request->u.requesters.stride);
    default:
        return -PCV_EINVAL;
    }
}

int pcv__ctl_requesters(struct pcv_host *host,
                        const struct pcv_ctl_request *request,
                        struct pcv_ctl_reply *reply)
{
    struct pcv_requester requester;
    int error = 0;

    if (request->cursor > UINT32_MAX) {
        return -PCV_EINVAL;
    }
    if (request->cursor == 0) {
        error = change(host, request);
    }
    while (error == 0) {
        error = pcv_device_requester(host, request->sbdf, (uint32_t)reply->next,
                                     &requester);
        if (error == 0 && reply->count == reply->room) {
            reply->more = true;
            return 0;
        }
        if (error == 0) {
            record_add(reply)->requester = requester;
            reply->next++;
        }
    }
    return error == -PCV_ENOENT ? 0 : error;
}

/* SPDX-License-Identifier: MIT */
/* Operations that look at functions and at the host. */
#include "ctl/internal.h"

/* The next record; there is room. */
static union pcv_ctl_record *record_add(struct pcv_ctl_reply *reply)
{
    union pcv_ctl_record *record = &reply->record[reply->count++];

    memset(record, 0, sizeof(*record));
    return record;
}

static bool is_full(const struct pcv_ctl_reply *reply)
{
    return reply->count == reply->room;
}

int pcv__ctl_stats(struct pcv_host *host, const struct pcv_ctl_request *request,
                   struct pcv_ctl_reply *reply)
{
    (void)request;
    pcv_host_get_stats(host, &record_add(reply)->stats);
    return 0;
}

static void device_fill(struct pcv_device *device, struct pcv_ctl_device *out)
{
    pcv_device_get_info(device, &out->info);
    out->own = pcv_device_guest_sbdf(device);
}

/* The first device of some kind at an address or behind it, with a reference.
 */
typedef struct pcv_device *next_fn(struct pcv_host *host, pcv_sbdf from);

static int list_of(struct pcv_host *host, next_fn *next_of,
                   const struct pcv_ctl_request *request,
                   struct pcv_ctl_reply *reply)
{
    bool all = (request->flags & PCV_CTL_OF_DOMAIN) == 0;

    if (request->cursor > UINT32_MAX) {
        return -PCV_EINVAL;
    }
    /* Bounded: so many devices, and `next` goes up. */
    for (uint32_t i = 0; i < PCV_CTL_LOOK_MAX && !is_full(reply); i++) {
        const pcv_sbdf from = {(uint32_t)reply->next};
        struct pcv_device *device = next_of(host, from);
        struct pcv_ctl_device *record;

        if (!device) {
            return 0;
        }
        record = &record_add(reply)->device;
        device_fill(device, record);
        pcv_device_put(device);
        reply->next = (uint64_t)record->info.sbdf.v + 1;
        reply->count -= !all && record->info.owner_id != request->domain_id;
        if (reply->next > UINT32_MAX) {
            return 0;
        }
    }
    reply->more = true;
    return 0;
}

int pcv__ctl_list(struct pcv_host *host, const struct pcv_ctl_request *request,
                  struct pcv_ctl_reply *reply)
{
    return list_of(host, pcv_device_next, request, reply);
}

int pcv__ctl_unreachable(struct pcv_host *host,
                         const struct pcv_ctl_request *request,
                         struct pcv_ctl_reply *reply)
{
    return list_of(host, pcv_device_next_unreachable, request, reply);
}

int pcv__ctl_device(struct pcv_host *host,
                    const struct pcv_ctl_request *request,
                    struct pcv_ctl_reply *reply)
{
    struct pcv_device *device = pcv_device_find(host, request->sbdf);

    if (!device) {
        return -PCV_ENODEV;
    }
    device_fill(device, &record_add(reply)->device);
    pcv_device_put(device);
    return 0;
}

int pcv__ctl_status(struct pcv_host *host,
                    const struct pcv_ctl_request *request,
                    struct pcv_ctl_reply *reply)
{
    return pcv_device_status(host, request->sbdf, &record_add(reply)->status);
}

/* Who only wants to know who holds it. */
int pcv__ctl_holders(struct pcv_host *host,
                     const struct pcv_ctl_request *request,
                     struct pcv_ctl_reply *reply)
{
    return pcv__ctl_status(host, request, reply);
}

int pcv__ctl_nodes(struct pcv_host *host, const struct pcv_ctl_request *request,
                   struct pcv_ctl_reply *reply)
{
    uint32_t count = request->u.nodes.count;

    if (count == 0 || count > PCV_CTL_NODES_MAX || request->cursor >= count) {
        return -PCV_EINVAL;
    }
    while (reply->next < count && !is_full(reply)) {
        struct pcv_ctl_node *record = &record_add(reply)->node;
        int error;

        record->sbdf = request->u.nodes.sbdf[reply->next];
        error = pcv_device_nodes(host, &record->sbdf, 1, &record->node);
        if (error != 0) {
            return error;
        }
        reply->next++;
    }
    reply->more = reply->next < count;
    return 0;
}

int pcv__ctl_path(struct pcv_host *host, const struct pcv_ctl_request *request,
                  struct pcv_ctl_reply *reply)
{
    pcv_sbdf path[PCV_BUSES];
    int depth = pcv_topology_path(host, request->sbdf, path, PCV_BUSES);

    if (depth < 0) {
        return depth;
    }
    if (request->cursor > (uint64_t)depth) {
        return -PCV_EINVAL;
    }
    while (reply->next < (uint64_t)depth && !is_full(reply)) {
        record_add(reply)->sbdf = path[reply->next++];
    }
    reply->more = reply->next < (uint64_t)depth;
    return 0;
}

int pcv__ctl_domains(struct pcv_host *host,
                     const struct pcv_ctl_request *request,
                     struct pcv_ctl_reply *reply)
{
    struct pcv_domain *domain = pcv_host_hardware_domain(host);

    if (request->cursor > UINT32_MAX) {
        return -PCV_EINVAL;
    }
    if (request->cursor != 0) {
        domain = pcv_domain_next(host, (uint32_t)request->cursor, true);
    }
    for (; domain && !is_full(reply);
         domain = pcv_domain_next(host, domain->id, false)) {
        struct pcv_ctl_domain *record = &record_add(reply)->domain;

        record->id = pcv_domain_id(domain);
        record->kind = pcv_domain_kind(domain);
        reply->next = (uint64_t)record->id + 1;
    }
    reply->more = domain != NULL;
    return 0;
}

int pcv__ctl_events(struct pcv_host *host,
                    const struct pcv_ctl_request *request,
                    struct pcv_ctl_reply *reply)
{
    struct pcv_event_log *log = request->u.events.log;
    struct pcv_ctl_event event;

    (void)host;
    if (!log) {
        return -PCV_ENOSYS;
    }
    while (pcv__event_log_next(log, reply->next, &event)) {
        if (is_full(reply)) {
            reply->more = true;
            break;
        }
        record_add(reply)->event = event;
        reply->next = event.number + 1;
    }
    return 0;
}

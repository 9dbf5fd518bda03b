/* SPDX-License-Identifier: MIT */
/* Operations seen through: restarts, pages. */
#include "ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_RECORDS 32u

bool ctl_failed(const struct ctl *ctl, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_add(ctl->out, "error: %s %s: ", pcv_errno_name(error),
             pcv_errno_meaning(error));
    text_vadd(ctl->out, format, args);
    text_add(ctl->out, "\n");
    va_end(args);
    return false;
}

struct pcv_ctl_request ctl_request(enum pcv_ctl_op op, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request;

    memset(&request, 0, sizeof(request));
    request.op = op;
    request.sbdf = sbdf;
    return request;
}

struct sbdf_text ctl_show(const struct ctl *ctl, pcv_sbdf sbdf)
{
    return ctl->names.show(ctl->names.ctx, sbdf);
}

struct domain_text ctl_domain_name(const struct ctl *ctl, uint32_t id)
{
    return ctl->names.domain(ctl->names.ctx, id);
}

static void scan_add(struct pcv_ctl_scan *sum, const struct pcv_ctl_scan *scan)
{
    if (sum->failed == 0 && scan->failed != 0) {
        sum->first_error = scan->first_error;
        sum->first_failed = scan->first_failed;
    }
    sum->found += scan->found;
    sum->failed += scan->failed;
}

struct ctl_result ctl_perform(const struct ctl *ctl,
                              struct pcv_ctl_request *request,
                              struct pcv_ctl_scan *scan)
{
    struct ctl_result result = {0};
    union pcv_ctl_record record;
    struct pcv_ctl_reply reply = {.record = &record, .room = 1};

    do {
        result.error = ctl->call(ctl->ctx, request, &reply);
        result.sbdf = reply.sbdf;
        request->cursor = reply.next;
        if (scan != NULL && reply.count == 1) {
            scan_add(scan, &record.scan);
        }
    } while (
        result.error == -PCV_ERESTART &&
        ctl->again(ctl->ctx, reply.wait_us, ++result.steps, &result.wait_us));
    return result;
}

int ctl_ask(const struct ctl *ctl, const struct pcv_ctl_request *request,
            union pcv_ctl_record *out_record)
{
    struct pcv_ctl_reply reply = {.record = out_record, .room = 1};
    int error = ctl->call(ctl->ctx, request, &reply);

    return error == 0 && reply.count == 0 ? -PCV_ENOENT : error;
}

int ctl_each(const struct ctl *ctl, struct pcv_ctl_request *request,
             bool (*fn)(void *arg, const union pcv_ctl_record *record),
             void *arg)
{
    union pcv_ctl_record *record = memory_zero(PAGE_RECORDS, sizeof(*record));
    struct pcv_ctl_reply reply = {.record = record, .room = PAGE_RECORDS};
    uint64_t wait_us;
    uint32_t steps = 0;
    bool wanted = true;
    bool more;
    int error;

    do {
        error = ctl->call(ctl->ctx, request, &reply);
        for (uint32_t i = 0; i < reply.count && wanted; i++) {
            wanted = fn(arg, &record[i]);
        }
        request->cursor = reply.next;
        more = error == 0 && reply.more;
        if (error == -PCV_ERESTART) {
            more = ctl->again(ctl->ctx, reply.wait_us, ++steps, &wait_us);
        }
    } while (more && wanted);
    free(record);
    return error;
}

int ctl_each_device(const struct ctl *ctl, const uint32_t *domain_id,
                    bool (*fn)(void *arg, const union pcv_ctl_record *record),
                    void *arg)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_LIST, (pcv_sbdf){0});

    if (domain_id != NULL) {
        request.flags = PCV_CTL_OF_DOMAIN;
        request.domain_id = *domain_id;
    }
    int error = ctl_each(ctl, &request, fn, arg);

    if (error != 0) {
        return error;
    }
    request.op = PCV_CTL_UNREACHABLE;
    request.cursor = 0;
    return ctl_each(ctl, &request, fn, arg);
}

int ctl_each_node(const struct ctl *ctl, const pcv_sbdf *sbdfs, size_t count,
                  bool (*fn)(void *arg, const union pcv_ctl_record *record),
                  void *arg)
{
    int error = 0;

    while (count > 0 && error == 0) {
        struct pcv_ctl_request request =
            ctl_request(PCV_CTL_NODES, (pcv_sbdf){0});
        size_t part = count < PCV_CTL_NODES_MAX ? count : PCV_CTL_NODES_MAX;
        request.u.nodes.count = (uint32_t)part;
        memcpy(request.u.nodes.sbdf, sbdfs, part * sizeof(*sbdfs));
        error = ctl_each(ctl, &request, fn, arg);
        sbdfs += part;
        count -= part;
    }
    return error;
}

int ctl_status_of(const struct ctl *ctl, pcv_sbdf sbdf,
                  struct pcv_device_status *out_status)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_STATUS, sbdf);
    union pcv_ctl_record record;
    int error = ctl_ask(ctl, &request, &record);

    if (error == 0) {
        *out_status = record.status;
    }
    return error;
}

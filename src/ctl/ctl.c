/* SPDX-License-Identifier: MIT */
/* The control interface: which operations there are, and what is checked for
 * all of them. */
#include "ctl/internal.h"

/* Which operations answer with records, by the name of their kind. */
enum records {
    NOTHING,
    STATS,
    DEVICE,
    STATUS,
    NODE,
    SBDF,
    BAR,
    ROW,
    SCAN,
    DOMAIN,
    MAPPING,
    EVENT,
    RESET,
    FAULTS,
    MEMBER,
    REQUESTER,
};

struct operation {
    const char *name;
    pcv__ctl_run *run;
    uint32_t flags; /* that it takes */
    enum records records;
};

#define ROW_OF(NAME, lower, number, ARGUMENTS, RECORDS, FLAGS)                 \
    [number] = {#lower, pcv__ctl_##lower, FLAGS, RECORDS},
static const struct operation operations[PCV_CTL_OP_LIMIT] = {
    PCV_CTL_OPS(ROW_OF)};
#undef ROW_OF

static const struct operation *operation_of(uint32_t op)
{
    return op < PCV_CTL_OP_LIMIT && operations[op].run ? &operations[op] : NULL;
}

const char *pcv_ctl_op_name(uint32_t op)
{
    const struct operation *operation = operation_of(op);

    return operation ? operation->name : NULL;
}

/* How long the function must be left alone that an operation stopped at. */
static uint64_t wait_us(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_device_find(host, sbdf);
    uint64_t us = device ? pcv_device_wait_us(device) : 0;

    pcv_device_put(device);
    return us;
}

int pcv_ctl(struct pcv_host *host, const struct pcv_ctl_request *request,
            struct pcv_ctl_reply *reply)
{
    const struct operation *operation;
    int result;

    if (!host || !request || !reply) {
        return -PCV_EINVAL;
    }
    reply->count = 0;
    reply->more = false;
    reply->next = request->cursor;
    reply->wait_us = 0;
    reply->sbdf = request->sbdf;
    operation = operation_of(request->op);
    if (!operation) {
        return -PCV_ENOSYS;
    }
    if ((request->flags & ~operation->flags) != 0 ||
        (operation->records != NOTHING &&
         (reply->room == 0 || !reply->record))) {
        return -PCV_EINVAL;
    }
    result = operation->run(host, request, reply);
    if (result == -PCV_ERESTART) {
        reply->wait_us = wait_us(host, reply->sbdf);
    }
    return result;
}

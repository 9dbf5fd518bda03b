/* SPDX-License-Identifier: MIT */
/* Commands that look at functions, and take and give references. */
#include <inttypes.h>
#include <stdlib.h>

#include "command.h"
#include "json.h"
#include "report.h"

typedef struct pcv_device *next_fn(struct pcv_host *host, pcv_sbdf from);

static void each_of(struct call *call, next_fn *next,
                    void (*fn)(struct call *call,
                               const struct pcv_device_info *info, void *arg),
                    void *arg)
{
    pcv_sbdf from = {0};

    for (;;) {
        struct pcv_device_info info;
        struct pcv_device *device = next(call->session->machine.host, from);
        if (device == NULL) {
            return;
        }
        pcv_device_get_info(device, &info);
        pcv_device_put(device);
        fn(call, &info, arg);
        if (info.sbdf.v == UINT32_MAX) {
            return;
        }
        from.v = info.sbdf.v + 1;
    }
}

/* Call `fn` for every registered function, in address order; those that cannot
 * be reached come last, by the address that they had. */
static void each_device(struct call *call,
                        void (*fn)(struct call *call,
                                   const struct pcv_device_info *info,
                                   void *arg),
                        void *arg)
{
    each_of(call, pcv_device_next, fn, arg);
    each_of(call, pcv_device_next_unreachable, fn, arg);
}

static void device_line(struct call *call, const struct pcv_device_info *info,
                        void *arg)
{
    struct text *out = call->out;
    (void)arg;

    text_add(out, "%s %04x:%04x %-22s %s", call_show(call, info->sbdf).s,
             info->vendor, info->device, pcv_device_type_name(info->type),
             machine_domain_name(&call->session->machine, info->owner_id).s);
    if (info->is_bridge && !info->bus_conflict) {
        text_add(out, " [%02x-%02x]", info->secondary, info->subordinate);
    }
    if (info->is_vf) {
        text_add(out, " VF of %s", call_show(call, info->physfn).s);
    }
    text_add(out, "%s%s%s\n", info->unreachable ? " unreachable" : "",
             info->vanished ? " vanished" : "",
             info->read_only ? " read-only" : "");
}

static void device_long(struct call *call, const struct pcv_device_info *info,
                        void *arg)
{
    struct text *out = call->out;

    device_line(call, info, arg);
    text_add(out,
             "    class %06" PRIx32 " rev %02x header %02x subsystem "
             "%04x:%04x %s",
             info->class_code, info->revision, info->header_type,
             info->subsystem_vendor, info->subsystem,
             info->extended ? "4K" : "256");
    if (info->node != PCV_NODE_NONE) {
        text_add(out, " node %" PRIu32, info->node);
    }
    text_add(out, "\n");
    for (unsigned i = 0; i < PCV_BARS; i++) {
        const struct pcv_bar *bar = &info->bar[i];
        if (!report_bar_exists(bar)) {
            continue;
        }
        text_add(out, "    %s ", report_bar_name(i));
        if (i != PCV_BAR_IS_ROM) {
            report_bar_kind(out, bar);
            text_add(out, " ");
        }
        text_add(out, "%" PRIx64 " size ", bar->address);
        report_bar_size(out, &call->session->machine, info->sbdf, i, bar);
        text_add(out, "%s\n",
                 (bar->flags & PCV_BAR_MAPPED) != 0 ? " mapped" : "");
    }
}

static void device_json(struct call *call, const struct pcv_device_info *info,
                        void *arg)
{
    json_object_array_add(arg,
                          report_json(&call->session->machine, info, NULL));
}

enum command_result command_devices(struct call *call)
{
    if (call->args.option[1] != NULL) {
        struct json_object *list = json_object_new_array();
        each_device(call, device_json, list);
        json_print(call->out, list);
    } else {
        each_device(call,
                    call->args.option[0] != NULL ? device_long : device_line,
                    NULL);
    }
    return COMMAND_DONE;
}

/* Every argument as an address, before anything is done with one. */
static pcv_sbdf *call_sbdfs(struct call *call)
{
    pcv_sbdf *list = memory_zero(call->args.count, sizeof(*list));
    for (size_t i = 0; i < call->args.count; i++) {
        if (!call_sbdf(call, i, &list[i])) {
            free(list);
            return NULL;
        }
    }
    return list;
}

/* Do the same to each address of the arguments. */
static enum command_result each_argument(
    struct call *call,
    enum command_result (*fn)(struct call *call, pcv_sbdf sbdf))
{
    enum command_result result = COMMAND_DONE;
    pcv_sbdf *list = call_sbdfs(call);

    if (list == NULL) {
        return COMMAND_MISUSED;
    }
    for (size_t i = 0; i < call->args.count; i++) {
        if (fn(call, list[i]) != COMMAND_DONE) {
            result = COMMAND_FAILED;
        }
    }
    free(list);
    return result;
}

static enum command_result find_one(struct call *call, pcv_sbdf sbdf)
{
    struct session *session = call->session;
    struct pcv_device *device;
    struct sbdf_text asked = call_show(call, sbdf);

    if (call->args.option[1] != NULL) {
        device = pcv_device_find_owned(call->view.domain, sbdf);
    } else if (call->args.option[0] != NULL) {
        device = pcv_device_find_real(session->machine.host, sbdf);
    } else {
        device = pcv_device_find(session->machine.host, sbdf);
    }
    if (device == NULL) {
        return call_failed(call, PCV_ENODEV, "%s", asked.s);
    }
    session_hold(session, device);
    pcv_sbdf real = pcv_device_sbdf(device);
    text_add(call->out, "%s: found", asked.s);
    if (real.v != sbdf.v) {
        text_add(call->out, " %s", call_show(call, real).s);
    }
    text_add(call->out, ", ");
    text_add_count(call->out, session_held(session, real), "reference");
    text_add(call->out, " kept\n");
    return COMMAND_DONE;
}

enum command_result command_find(struct call *call)
{
    if (call->args.option[0] != NULL && call->args.option[1] != NULL) {
        return call_misused(call, "--real and --owned exclude each other");
    }
    if (call->args.option[1] != NULL &&
        !call_domain(call, call->args.option[1])) {
        return COMMAND_MISUSED;
    }
    return each_argument(call, find_one);
}

static enum command_result put_one(struct call *call, pcv_sbdf sbdf)
{
    struct session *session = call->session;
    struct pcv_device_status status;
    struct sbdf_text name = call_show(call, sbdf);
    struct pcv_device *device = session_unhold(session, sbdf);

    if (device == NULL) {
        return call_failed(call, PCV_EINVAL, "no reference to %s is kept",
                           name.s);
    }
    pcv_device_put(device);
    text_add(call->out, "%s: put, ", name.s);
    if (pcv_device_status(session->machine.host, sbdf, &status) == 0 &&
        status.state == PCV_STATE_ABSENT) {
        text_add(call->out, "gone\n");
        return COMMAND_DONE;
    }
    text_add_count(call->out, session_held(session, sbdf), "reference");
    text_add(call->out, " kept\n");
    return COMMAND_DONE;
}

enum command_result command_put(struct call *call)
{
    return each_argument(call, put_one);
}

static enum command_result holders_one(struct call *call, pcv_sbdf sbdf)
{
    struct pcv_device_status status;
    int result = pcv_device_status(call->session->machine.host, sbdf, &status);

    if (result != 0) {
        return call_failed(call, result, "%s", call_show(call, sbdf).s);
    }
    text_add(call->out, "%s: %s", call_show(call, sbdf).s,
             report_state(status.state));
    if (status.state != PCV_STATE_ABSENT) {
        text_add(call->out, ", held by: ");
        report_holders(call->out, &status);
    }
    text_add(call->out, "\n");
    return COMMAND_DONE;
}

static enum command_result holders_json(struct call *call)
{
    struct json_object *list = json_object_new_array();
    pcv_sbdf *sbdf = call_sbdfs(call);

    if (sbdf == NULL) {
        json_object_put(list);
        return COMMAND_MISUSED;
    }
    for (size_t i = 0; i < call->args.count; i++) {
        struct pcv_device_status status = {0};
        struct json_object *object = json_object_new_object();
        (void)pcv_device_status(call->session->machine.host, sbdf[i], &status);
        json_add_sbdf(object, "address", &call->session->machine, sbdf[i]);
        json_add_string(object, "state", report_state(status.state));
        json_add(object, "holders", json_holders(&status));
        json_object_array_add(list, object);
    }
    free(sbdf);
    json_print(call->out, list);
    return COMMAND_DONE;
}

enum command_result command_holders(struct call *call)
{
    return call->args.option[0] != NULL ? holders_json(call)
                                        : each_argument(call, holders_one);
}

static enum command_result status_one(struct call *call, pcv_sbdf sbdf)
{
    struct pcv_device_status status;
    int result = pcv_device_status(call->session->machine.host, sbdf, &status);

    if (result != 0) {
        return call_failed(call, result, "%s", call_show(call, sbdf).s);
    }
    text_add(call->out, "%s: %s", call_show(call, sbdf).s,
             report_state(status.state));
    if (status.state != PCV_STATE_ABSENT) {
        text_add(
            call->out, "%s, owner %s, ", status.vanished ? ", vanished" : "",
            machine_domain_name(&call->session->machine, status.owner_id).s);
        text_add_count(call->out, status.counters.reads, "read");
        text_add(call->out, ", ");
        text_add_count(call->out, status.counters.writes, "write");
        text_add(call->out, ", %" PRIu64 " refused", status.counters.refused);
    }
    text_add(call->out, "\n");
    return COMMAND_DONE;
}

enum command_result command_status(struct call *call)
{
    return each_argument(call, status_one);
}

static void node_add(struct call *call, struct json_object *list, pcv_sbdf sbdf,
                     uint32_t node)
{
    struct json_object *object;

    if (list != NULL) {
        object = json_object_new_object();
        json_add_sbdf(object, "address", &call->session->machine, sbdf);
        json_add_bool(object, "known", node != PCV_NODE_UNKNOWN_DEVICE);
        json_add_node(object, "node", node);
        json_object_array_add(list, object);
        return;
    }
    text_add(call->out, "%s: ", call_show(call, sbdf).s);
    if (node == PCV_NODE_UNKNOWN_DEVICE) {
        text_add(call->out, "unknown device\n");
    } else if (node == PCV_NODE_NONE) {
        text_add(call->out, "no node\n");
    } else {
        text_add(call->out, "node %" PRIu32 "\n", node);
    }
}

enum command_result command_nodes(struct call *call)
{
    struct json_object *json = NULL;
    pcv_sbdf *list = call_sbdfs(call);

    if (list == NULL) {
        return COMMAND_MISUSED;
    }
    size_t count = call->args.count;
    uint32_t *nodes = memory_zero(count, sizeof(*nodes));
    int result =
        pcv_device_nodes(call->session->machine.host, list, count, nodes);
    if (result == 0 && call->args.option[0] != NULL) {
        json = json_object_new_array();
    }
    for (size_t i = 0; i < count && result == 0; i++) {
        node_add(call, json, list[i], nodes[i]);
    }
    if (json != NULL) {
        json_print(call->out, json);
    }
    free(nodes);
    free(list);
    return result == 0 ? COMMAND_DONE : call_failed(call, result, "nodes");
}

static enum command_result path_one(struct call *call, pcv_sbdf sbdf)
{
    pcv_sbdf path[PCV_BUSES];
    int count =
        pcv_topology_path(call->session->machine.host, sbdf, path, PCV_BUSES);

    if (count < 0) {
        return call_failed(call, count, "%s", call_show(call, sbdf).s);
    }
    text_add(call->out, "%s:", call_show(call, sbdf).s);
    for (int i = 0; i < count && i < (int)PCV_BUSES; i++) {
        text_add(call->out, " %s", call_show(call, path[i]).s);
    }
    text_add(call->out, "%s\n", count == 0 ? " on a root bus" : "");
    return COMMAND_DONE;
}

enum command_result command_path(struct call *call)
{
    return each_argument(call, path_one);
}

/* SPDX-License-Identifier: MIT */
/* Commands that look at functions, and take and give references. */
#include <stdlib.h>

#include "command.h"
#include "json.h"
#include "report.h"

struct devices_json {
    const struct machine *machine;
    struct json_object *json;
};

static bool device_json(void *arg, const union pcv_ctl_record *record)
{
    struct devices_json *list = arg;

    json_object_array_add(
        list->json, report_json(list->machine, &record->device.info, NULL));
    return true;
}

enum command_result command_devices(struct call *call)
{
    struct ctl ctl = call_ctl(call);

    if (call->args.option[1] == NULL) {
        return call_done(ctl_devices(&ctl, call->args.option[0] != NULL));
    }
    struct devices_json list = {&call->session->machine,
                                json_object_new_array()};
    int error = ctl_each_device(&ctl, NULL, device_json, &list);
    if (error != 0) {
        json_object_put(list.json);
        return call_failed(call, error, "devices");
    }
    json_print(call->out, list.json);
    return COMMAND_DONE;
}

enum command_result command_unreachable(struct call *call)
{
    struct ctl ctl = call_ctl(call);

    return call_done(ctl_unreachable(&ctl));
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
        return call_refused(call, ABOUT_FIND, PCV_ENODEV, asked.s);
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
    struct ctl ctl = call_ctl(call);
    return call_done(ctl_holders(&ctl, sbdf));
}

static enum command_result holders_json(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    struct json_object *list = json_object_new_array();
    pcv_sbdf *sbdf = call_sbdfs(call);

    if (sbdf == NULL) {
        json_object_put(list);
        return COMMAND_MISUSED;
    }
    for (size_t i = 0; i < call->args.count; i++) {
        struct pcv_device_status status = {0};
        struct json_object *object = json_object_new_object();
        (void)ctl_status_of(&ctl, sbdf[i], &status);
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
    struct ctl ctl = call_ctl(call);
    return call_done(ctl_status(&ctl, sbdf));
}

enum command_result command_status(struct call *call)
{
    return each_argument(call, status_one);
}

struct nodes_json {
    const struct machine *machine;
    struct json_object *json;
};

static bool node_json(void *arg, const union pcv_ctl_record *record)
{
    struct nodes_json *list = arg;
    struct json_object *object = json_object_new_object();
    uint32_t node = record->node.node;

    json_add_sbdf(object, "address", list->machine, record->node.sbdf);
    json_add_bool(object, "known", node != PCV_NODE_UNKNOWN_DEVICE);
    json_add_node(object, "node", node);
    json_object_array_add(list->json, object);
    return true;
}

static enum command_result nodes_json(struct call *call, const pcv_sbdf *sbdfs)
{
    struct ctl ctl = call_ctl(call);
    struct nodes_json list = {&call->session->machine, json_object_new_array()};
    int error = ctl_each_node(&ctl, sbdfs, call->args.count, node_json, &list);

    if (error != 0) {
        json_object_put(list.json);
        return call_failed(call, error, "nodes");
    }
    json_print(call->out, list.json);
    return COMMAND_DONE;
}

enum command_result command_nodes(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf *list = call_sbdfs(call);

    if (list == NULL) {
        return COMMAND_MISUSED;
    }
    enum command_result result =
        call->args.option[0] != NULL
            ? nodes_json(call, list)
            : call_done(ctl_nodes(&ctl, list, call->args.count));
    free(list);
    return result;
}

static enum command_result path_one(struct call *call, pcv_sbdf sbdf)
{
    struct ctl ctl = call_ctl(call);
    return call_done(ctl_path(&ctl, sbdf));
}

enum command_result command_path(struct call *call)
{
    return each_argument(call, path_one);
}

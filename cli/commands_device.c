/* SPDX-License-Identifier: MIT */
/* Commands that look at functions, and take and give references. */
#include <stdlib.h>

#include "command.h"
#include "ctl/json.h"

enum command_result command_devices(struct call *call)
{
    struct ctl ctl = call_ctl(call);

    return call_done(call->args.option[1] != NULL
                         ? ctl_devices_json(&ctl)
                         : ctl_devices(&ctl, call->args.option[0] != NULL));
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

/* All addresses in one list. */
static enum command_result each_as_json(struct call *call,
                                        bool (*fn)(const struct ctl *ctl,
                                                   const pcv_sbdf *sbdfs,
                                                   size_t count))
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf *list = call_sbdfs(call);

    if (list == NULL) {
        return COMMAND_MISUSED;
    }
    enum command_result result = call_done(fn(&ctl, list, call->args.count));
    free(list);
    return result;
}

enum command_result command_holders(struct call *call)
{
    return call->args.option[0] != NULL ? each_as_json(call, ctl_holders_json)
                                        : each_argument(call, holders_one);
}

static enum command_result status_one(struct call *call, pcv_sbdf sbdf)
{
    struct ctl ctl = call_ctl(call);
    return call_done(ctl_status(&ctl, sbdf));
}

enum command_result command_status(struct call *call)
{
    return call->args.option[0] != NULL ? each_as_json(call, ctl_status_json)
                                        : each_argument(call, status_one);
}

enum command_result command_nodes(struct call *call)
{
    return each_as_json(call, call->args.option[0] != NULL ? ctl_nodes_json
                                                           : ctl_nodes);
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

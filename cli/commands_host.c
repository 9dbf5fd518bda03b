/* SPDX-License-Identifier: MIT */
/* Commands about the machine as a whole. */
#include <inttypes.h>
#include <string.h>

#include "command.h"
#include "ctl/json.h"
#include "guests.h"
#include "json.h"
#include "report.h"

enum command_result command_host(struct call *call)
{
    struct session *session = call->session;
    struct machine *machine = &session->machine;
    struct text why = {0};

    enum machine_boot boot =
        call->args.option[0] != NULL ? MACHINE_UNNUMBERED : MACHINE_SCANNED;
    if (!session_load(session, call->args.word[0], boot, &why)) {
        text_add(call->out, "error: %s\n", text_str(&why));
        text_fini(&why);
        return COMMAND_FAILED;
    }
    text_add(call->out, "%s: ", call->args.word[0]);
    machine_add_size(machine, call->out);
    if (machine->reported_count != 0) {
        text_add(call->out, ", %zu reported because no scan finds them",
                 machine->reported_count);
    }
    if (machine->scan.failed != 0) {
        text_add(call->out, ", %" PRIu32 " not added", machine->scan.failed);
    }
    text_add(call->out, "\n");
    return COMMAND_DONE;
}

static bool mapping_json(void *arg, const union pcv_ctl_record *record)
{
    struct json_object *object = json_object_new_object();
    const struct pcv_mapping *mapping = &record->mapping.mapping;
    uint64_t last = mapping->first_page + mapping->pages - 1;

    json_add_hex(object, "first", 1, mapping->first_page << 12);
    json_add_hex(object, "last", 1, last << 12 | 0xfff);
    json_add_number(object, "pages", mapping->pages);
    json_add_number(object, "users", mapping->users);
    json_object_array_add(arg, object);
    return true;
}

enum command_result command_mapped(struct call *call)
{
    struct pcv_ctl_request request =
        ctl_request(PCV_CTL_MAPPINGS, (pcv_sbdf){0});
    struct ctl ctl = call_ctl(call);

    if (call->args.count == 1 && !call_domain(call, call->args.word[0])) {
        return COMMAND_MISUSED;
    }
    request.domain_id = pcv_domain_id(call->view.domain);
    if (call->args.option[0] == NULL) {
        return call_done(ctl_mapped(&ctl, request.domain_id));
    }
    struct json_object *list = json_object_new_array();
    int error = ctl_each(&ctl, &request, mapping_json, list);
    if (error != 0) {
        json_object_put(list);
        return call_failed(call, error, "mapped");
    }
    json_print(call->out, list);
    return COMMAND_DONE;
}

enum command_result command_map_chunk(struct call *call)
{
    uint64_t pages;
    if (!parse_number(call->args.word[0], UINT32_MAX, &pages)) {
        return call_misused(call, "expected a number of pages, got '%s'",
                            call->args.word[0]);
    }
    pcv_model_set_map_chunk(call->session->machine.model, pages);
    if (pages == 0) {
        text_add(call->out, "no bound\n");
    } else {
        text_add(call->out, "at most ");
        text_add_count(call->out, pages, "page");
        text_add(call->out, " at a time\n");
    }
    return COMMAND_DONE;
}

static void events_told(struct machine *machine)
{
    machine->events.count = 0;
    machine->events.lost = 0;
    guests_forget_former(machine);
}

static enum command_result events_json(struct call *call)
{
    const struct event_log *log = &call->session->machine.events;
    struct words_names names = report_names(&call->session->machine);
    struct json_text json = {.out = call->out};

    json_text_object(&json, NULL);
    json_text_list(&json, "events");
    for (size_t i = 0; i < log->count; i++) {
        json_event(&json, &names, &log->item[i]);
    }
    json_text_close(&json);
    json_text_number(&json, "lost", log->lost);
    json_text_close(&json);
    events_told(&call->session->machine);
    return COMMAND_DONE;
}

enum command_result command_events(struct call *call)
{
    struct event_log *log = &call->session->machine.events;
    struct words_names names = report_names(&call->session->machine);

    if (call->args.option[0] != NULL) {
        return events_json(call);
    }
    for (size_t i = 0; i < log->count; i++) {
        report_event(call->out, &names, &log->item[i]);
        text_add(call->out, "\n");
    }
    if (log->lost != 0) {
        text_add(call->out, "%" PRIu64 " more were lost\n", log->lost);
    }
    if (log->count == 0) {
        text_add(call->out, "no events\n");
    }
    events_told(&call->session->machine);
    return COMMAND_DONE;
}

enum command_result command_trace(struct call *call)
{
    bool on;

    if (!call_on_off(call, 0, &on)) {
        return COMMAND_MISUSED;
    }
    session_trace(call->session, on);
    text_add(call->out, "trace is %s\n", on ? "on" : "off");
    return COMMAND_DONE;
}

enum command_result command_stats(struct call *call)
{
    struct machine *machine = &call->session->machine;
    struct ctl ctl = call_ctl(call);

    if (!ctl_stats(&ctl)) {
        return COMMAND_FAILED;
    }
    uint32_t ended = 0;
    uint64_t crashes = pcv_model_crashes(machine->model, &ended);
    if (crashes != 0) {
        text_add(call->out, "guests ended %" PRIu64 ", the last: %s\n", crashes,
                 machine_domain_name(machine, ended).s);
    }
    for (unsigned op = 0;
         call->args.option[0] != NULL && op < PCV_MODEL_OP_COUNT; op++) {
        text_add(call->out, "%s %" PRIu64 "\n",
                 pcv_model_op_name((enum pcv_model_op)op),
                 pcv_model_calls(machine->model, (enum pcv_model_op)op));
    }
    return COMMAND_DONE;
}

enum command_result command_fail(struct call *call)
{
    enum pcv_model_op op;
    uint64_t nth;

    if (call->args.count == 0) {
        for (unsigned i = 0; i < PCV_MODEL_OP_COUNT; i++) {
            text_add(call->out, "%s\n",
                     pcv_model_op_name((enum pcv_model_op)i));
        }
        return COMMAND_DONE;
    }
    if (!pcv_model_op_by_name(call->args.word[0], &op)) {
        return call_misused(
            call, "there is no host operation '%s'; 'fail' lists them",
            call->args.word[0]);
    }
    if (call->args.count != 2 ||
        !parse_number(call->args.word[1], UINT64_MAX, &nth)) {
        return call_misused(call, "expected which call is to fail, from 1; "
                                  "0: none");
    }
    pcv_model_fail(call->session->machine.model, op, nth);
    if (nth == 0) {
        text_add(call->out, "%s: no call fails\n", pcv_model_op_name(op));
    } else {
        text_add(call->out, "%s: call %" PRIu64 " from now fails\n",
                 pcv_model_op_name(op), nth);
    }
    return COMMAND_DONE;
}

/* SPDX-License-Identifier: MIT */
/*
 * The command that lets the enumerator loose on the machine, and checks what
 * it can't know: that the registry agrees, and that nothing has changed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "enumerate.h"
#include "enumerate_compare.h"
#include "enumerate_report.h"
#include "snapshot.h"

#define LINES_MAX 20u /* of each kind of surprise */

enum { OPTION_VIA, OPTION_SIZE, OPTION_NO_SIZE, OPTION_BRIEF };

/* "SEGMENT" or "SEGMENT:BUS", as people call them. */
static bool place_parse(const struct call *call, const char *word,
                        uint16_t *out_segment, bool *out_has_bus,
                        uint8_t *out_bus)
{
    char segment[16];
    const char *colon = strchr(word, ':');
    size_t len = colon != NULL ? (size_t)(colon - word) : strlen(word);
    uint64_t domain = 0;
    uint64_t bus = 0;

    if (len >= sizeof(segment)) {
        return false;
    }
    memcpy(segment, word, len);
    segment[len] = '\0';
    if (!parse_hex(segment, UINT32_MAX, &domain) ||
        (colon != NULL && !parse_hex(colon + 1, 0xff, &bus))) {
        return false;
    }
    *out_has_bus = colon != NULL;
    *out_bus = (uint8_t)bus;
    return pcv_model_segment_of(call->session->machine.model, (uint32_t)domain,
                                out_segment);
}

/* How it goes in: --via, or what the session is set to; an operating system
 * has no entrance by address, so that one means ECAM. */
static bool via_choose(struct call *call, struct enumerate_plan *plan)
{
    const char *name = call->args.option[OPTION_VIA];
    enum view_via via = call->view.via;

    if (name != NULL && !view_via_named(name, &via)) {
        via = VIEW_ADDRESS;
    }
    if (name != NULL && via == VIEW_ADDRESS) {
        call_misused(call, "expected --via ecam, port or port-amd, got '%s'",
                     name);
        return false;
    }
    plan->ports = via == VIEW_PORT || via == VIEW_PORT_AMD;
    plan->extended = via != VIEW_PORT;
    return true;
}

/* What firmware would tell: the windows of one segment or of all. */
static void windows_take(const struct machine *machine, bool one,
                         uint16_t segment, struct enumerate_plan *plan,
                         struct enumerate_window *window)
{
    for (size_t i = 0; i < machine->windows; i++) {
        const struct ecam_window *from = &machine->window[i];
        if (!one || from->segment == segment) {
            window[plan->windows++] = (struct enumerate_window){
                from->base, from->segment, from->bus_first, from->bus_last};
        }
    }
}

/* Whether the plan leads to any bus, or to the one that was asked for. */
static bool windows_suffice(const struct enumerate_plan *plan)
{
    for (size_t i = 0; i < plan->windows; i++) {
        if (!plan->one_root || (plan->root >= plan->window[i].bus_first &&
                                plan->root <= plan->window[i].bus_last)) {
            return true;
        }
    }
    return false;
}

/* The ports reach every bus of segment 0. */
static enum command_result windows_choose(struct call *call, uint16_t segment,
                                          struct enumerate_plan *plan,
                                          struct enumerate_window *window)
{
    plan->window = window;
    if (plan->ports && plan->one_segment && segment != 0) {
        return call_failed(call, PCV_EINVAL,
                           "the I/O ports reach segment 0 only");
    }
    if (plan->ports) {
        window[0] = (struct enumerate_window){.bus_last = PCV_BUSES - 1};
        plan->windows = 1;
    } else {
        windows_take(&call->session->machine, plan->one_segment, segment, plan,
                     window);
    }
    if (!windows_suffice(plan)) {
        return call_failed(call, PCV_ENOENT, "no ECAM window leads there");
    }
    return COMMAND_DONE;
}

static enum command_result plan_make(struct call *call,
                                     struct enumerate_plan *plan,
                                     struct enumerate_window *window)
{
    const char *const *option = call->args.option;
    uint16_t segment = 0;

    if (option[OPTION_SIZE] != NULL && option[OPTION_NO_SIZE] != NULL) {
        return call_misused(call, "--size-bars and --no-size-bars are "
                                  "opposites");
    }
    plan->one_segment = call->args.count == 1;
    if (plan->one_segment && !place_parse(call, call->args.word[0], &segment,
                                          &plan->one_root, &plan->root)) {
        return call_misused(
            call,
            "expected a segment of the machine, perhaps with a bus: "
            "SEGMENT[:BUS], got '%s'",
            call->args.word[0]);
    }
    plan->domain = call->view.domain;
    plan->size_bars = option[OPTION_NO_SIZE] == NULL;
    if (!via_choose(call, plan)) {
        return COMMAND_MISUSED;
    }
    return windows_choose(call, segment, plan, window);
}

/* Whether the registry agrees. */
static bool registry_report(struct call *call,
                            const struct enumerate_plan *plan,
                            const struct enumeration *enumeration)
{
    struct enumerate_comparison result;

    enumerate_compare(enumeration, plan, &call->session->machine, call->out,
                      LINES_MAX, &result);
    if (result.differences != 0) {
        text_add(call->out, "error: the registry does not agree: ");
        text_add_count(call->out, result.differences, "difference");
        text_add(call->out, "\n");
        return false;
    }
    text_add(call->out, "the registry knows the same ");
    text_add_count(call->out, result.functions, "function");
    if (result.unreachable != 0) {
        text_add(call->out, ", and %" PRIu64 " that cannot be found this way",
                 result.unreachable);
    }
    text_add(call->out, "\n");
    return true;
}

/* Whether all is as it was. */
static bool change_report(struct call *call, const struct snapshot *before)
{
    size_t changes =
        snapshot_compare(before, &call->session->machine, call->out, LINES_MAX);
    if (changes == 0) {
        text_add(call->out, "every register and mapping is as it was\n");
        return true;
    }
    text_add(call->out, "error: it is not all as it was: ");
    text_add_count(call->out, changes, "change");
    text_add(call->out, "\n");
    return false;
}

static enum command_result enumeration_report(
    struct call *call, const struct enumerate_plan *plan,
    const struct enumeration *enumeration, const struct snapshot *before)
{
    for (size_t i = 0;
         call->args.option[OPTION_BRIEF] == NULL && i < enumeration->count;
         i++) {
        enumerate_report_function(call->out, &call->session->machine,
                                  enumeration, &enumeration->function[i]);
    }
    enumerate_report_summary(call->out, enumeration);
    bool good = registry_report(call, plan, enumeration);
    good = change_report(call, before) && good;
    if (enumeration->lost != 0) {
        text_add(call->out,
                 "error: accesses that nobody answered: %" PRIu64 "\n",
                 enumeration->lost);
        good = false;
    }
    return good ? COMMAND_DONE : COMMAND_FAILED;
}

enum command_result command_enumerate(struct call *call)
{
    const struct machine *machine = &call->session->machine;
    struct enumerate_plan plan = {0};
    struct enumeration enumeration;
    struct snapshot before;
    struct enumerate_window *window =
        memory_zero(machine->windows + 1, sizeof(*window));

    enum command_result result = plan_make(call, &plan, window);
    if (result == COMMAND_DONE) {
        snapshot_take(&before, machine);
        pcv_domain_set_amd_port_bits(plan.domain, plan.ports && plan.extended);
        enumerate_run(&plan, &enumeration);
        pcv_domain_set_amd_port_bits(plan.domain, false);
        result = enumeration_report(call, &plan, &enumeration, &before);
        enumerate_fini(&enumeration);
        snapshot_fini(&before);
    }
    free(window);
    return result;
}

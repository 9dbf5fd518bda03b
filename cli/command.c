/* SPDX-License-Identifier: MIT */
/* How a line becomes a call of a command, and what all commands share. */
#include "command.h"
#include "ctl/alias.h"
#include "ctl/numbers.h"
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum command_result call_failed(struct call *call, int error,
                                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_add(call->out, "error: %s %s: ", pcv_errno_name(error),
             pcv_errno_meaning(error));
    text_vadd(call->out, format, args);
    text_add(call->out, "\n");
    va_end(args);
    return COMMAND_FAILED;
}

enum command_result call_misused(struct call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_add(call->out, "error: ");
    text_vadd(call->out, format, args);
    text_add(call->out, "\n");
    va_end(args);
    return COMMAND_MISUSED;
}

bool call_sbdf(struct call *call, size_t index, pcv_sbdf *out_sbdf)
{
    struct text why = {0};
    bool good = parse_sbdf(call->session->machine.model, call->args.word[index],
                           out_sbdf, &why);
    if (!good) {
        call_misused(call, "%s", text_str(&why));
    }
    text_fini(&why);
    return good;
}

bool call_domain(struct call *call, const char *name)
{
    struct text why = {0};
    bool good =
        machine_domain(&call->session->machine, name, &call->view.domain, &why);
    if (!good) {
        call_misused(call, "%s", text_str(&why));
    }
    text_fini(&why);
    return good;
}

bool call_view_sbdf(struct call *call, size_t index, pcv_sbdf *out_sbdf)
{
    struct text why = {0};
    bool good =
        view_parse_sbdf(&call->view, call->args.word[index], out_sbdf, &why);
    if (!good) {
        call_misused(call, "%s", text_str(&why));
    }
    text_fini(&why);
    return good;
}

bool call_on_off(struct call *call, size_t index, bool *out_on)
{
    *out_on = strcmp(call->args.word[index], "on") == 0;
    if (!*out_on && strcmp(call->args.word[index], "off") != 0) {
        call_misused(call, "expected on or off, got '%s'",
                     call->args.word[index]);
        return false;
    }
    return true;
}

static int ctl_call(void *ctx, const struct pcv_ctl_request *request,
                    struct pcv_ctl_reply *reply)
{
    const struct machine *machine = ctx;
    return pcv_ctl(machine->host, request, reply);
}

/* More than a machine of the model takes; beyond it there is a bug. */
#define STEPS_MAX 100000000u
/* With a clock that stands still it may wait for another operation, say a reset
 * that nobody calls again: then it says that it is not over. */
#define STANDING_STEPS_MAX 100000u

/* Always, unless the model's clock stands still and there is something to wait
 * for. */
static bool ctl_again(void *ctx, uint64_t wait_us, uint32_t steps,
                      uint64_t *out_wait_us)
{
    const struct machine *machine = ctx;

    *out_wait_us = machine->clock ? wait_us : 0;
    return *out_wait_us == 0 &&
           steps < (machine->clock ? STANDING_STEPS_MAX : STEPS_MAX);
}

struct ctl call_ctl(struct call *call)
{
    struct machine *machine = &call->session->machine;
    return (struct ctl){
        .ctx = machine,
        .call = ctl_call,
        .again = ctl_again,
        .names = report_names(machine),
        .out = call->out,
    };
}

enum command_result call_switch(struct call *call,
                                bool (*fn)(const struct ctl *ctl, pcv_sbdf sbdf,
                                           bool on))
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;
    bool on;

    if (!call_sbdf(call, 0, &sbdf) || !call_on_off(call, 1, &on)) {
        return COMMAND_MISUSED;
    }
    return call_done(fn(&ctl, sbdf, on));
}

enum command_result call_done(bool done)
{
    return done ? COMMAND_DONE : COMMAND_FAILED;
}

struct sbdf_text call_show(const struct call *call, pcv_sbdf sbdf)
{
    return machine_sbdf(&call->session->machine, sbdf);
}

enum command_result command_help(struct call *call)
{
    const struct command *command;

    if (call->args.count == 1) {
        command = command_named(call->args.word[0]);
        if (command == NULL) {
            return call_misused(call, "no such command; 'help' lists them");
        }
        alias_add_help(call->out, call->args.word[0], command->name,
                       command->arguments, command->help);
        return COMMAND_DONE;
    }
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        text_add(call->out, "%-12s %s", command->name, command->help);
        alias_add(call->out, command->name);
        text_add(call->out, "\n");
    }
    numbers_add_rule(call->out);
    return COMMAND_DONE;
}

/* A call of this command, with its arguments checked as far as the table
 * knows them. */
static enum command_result call_run(struct call *call,
                                    const struct command *command,
                                    const struct words *words)
{
    struct text why = {0};
    enum command_result result;

    if (!args_parse(&call->args, words->count - 1, words->word + 1,
                    command->option, &why)) {
        result = call_misused(call, "%s; usage: %s %s", text_str(&why),
                              command->name, command->arguments);
        text_fini(&why);
        return result;
    }
    if (call->args.count < command->min || call->args.count > command->max) {
        result = call_misused(call, "too %s arguments; usage: %s %s",
                              call->args.count < command->min ? "few" : "many",
                              command->name, command->arguments);
    } else if (!command->anywhere && call->session->machine.model == NULL) {
        text_add(call->out, "error: no machine is loaded; 'host HOST' does\n");
        result = COMMAND_FAILED;
    } else {
        result = command->run(call);
    }
    args_fini(&call->args);
    return result;
}

enum command_result command_run(struct session *session, const char *line)
{
    struct call call = {.session = session, .out = &session->out};
    struct words words;
    struct text why = {0};
    enum command_result result = COMMAND_DONE;

    text_clear(&session->out);
    call.view.machine = &session->machine;
    call.view.domain = session->machine.dom0;
    call.view.via = session->via;
    call.view.steps = session->left_count != 0 ? SESSION_LEFT_STEPS : 0;
    if (!words_split(&words, line, &why)) {
        result = call_misused(&call, "%s", text_str(&why));
        text_fini(&why);
        return result;
    }
    if (words.count > 0) {
        const struct command *command = command_named(words.word[0]);
        if (command == NULL) {
            text_add_clean(&why, words.word[0]);
            result =
                call_misused(&call, "unknown command '%s'; 'help' lists them",
                             text_str(&why));
        } else {
            result = call_run(&call, command, &words);
        }
    }
    text_tidy(&session->out);
    text_fini(&why);
    words_fini(&words);
    return result;
}

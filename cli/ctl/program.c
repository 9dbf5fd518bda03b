/* SPDX-License-Identifier: MIT */
/* How words become a command of pcivisorctl. */
#include "ctl/program.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/alias.h"
#include "ctl/commands.h"
#include "ctl/numbers.h"

/* A function that was reset is ready within a second, one that comes out of
 * conventional reset within some; a machine that never gets on with it is not
 * waited for. */
#define WAITED_MAX_US UINT64_C(30000000)
#define STEPS_MAX 1000000u

/* ---- names ----------------------------------------------------------------
 */

static struct sbdf_text program_show(const void *ctx, pcv_sbdf sbdf)
{
    const struct program *program = ctx;
    return format_address(program->domains, pcv_sbdf_segment(sbdf), sbdf);
}

static struct sbdf_text program_full(const void *ctx, pcv_sbdf sbdf)
{
    (void)ctx;
    return format_address(true, pcv_sbdf_segment(sbdf), sbdf);
}

static struct domain_text program_domain_name(const void *ctx, uint32_t id)
{
    struct domain_text text;

    (void)ctx;
    if (id == PCV_DOMAIN_ID_HYPERVISOR) {
        snprintf(text.s, sizeof(text.s), "hypervisor");
    } else if (id == PCV_DOMAIN_ID_QUARANTINE) {
        snprintf(text.s, sizeof(text.s), "quarantine");
    } else {
        snprintf(text.s, sizeof(text.s), "dom%" PRIu32, id);
    }
    return text;
}

/* Linux's domains are the segments. */
static bool program_parse(const void *ctx, const char *word, pcv_sbdf *out_sbdf,
                          struct text *why)
{
    uint32_t domain;
    pcv_sbdf sbdf;

    (void)ctx;
    if (!parse_address(word, &domain, &sbdf, why)) {
        return false;
    }
    if (domain > UINT16_MAX) {
        text_add(why, "the machine has no domain %04" PRIx32, domain);
        return false;
    }
    out_sbdf->v = domain << 16 | sbdf.v;
    return true;
}

/* ---- the mailbox ----------------------------------------------------------
 */

static int program_call(void *ctx, const struct pcv_ctl_request *request,
                        struct pcv_ctl_reply *reply)
{
    struct program *program = ctx;
    return mailbox_call(program->mailbox, request, reply);
}

static bool program_again(void *ctx, uint64_t wait_us, uint32_t steps,
                          uint64_t *out_wait_us)
{
    struct program *program = ctx;

    *out_wait_us = 0;
    if (steps >= STEPS_MAX || wait_us > WAITED_MAX_US) {
        return false;
    }
    for (uint64_t us = 0; us < wait_us; us += 1000) {
        program->mailbox->pause(program->mailbox->ctx);
    }
    return true;
}

void program_init(struct program *program, struct mailbox *mailbox)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_LIST, (pcv_sbdf){0});
    union pcv_ctl_record record;

    memset(program, 0, sizeof(*program));
    program->mailbox = mailbox;
    program->ctl = (struct ctl){
        .ctx = program,
        .call = program_call,
        .again = program_again,
        .names = {program, program_show, program_domain_name, program_parse,
                  NULL, program_full},
        .out = &program->out,
    };
    /* As for lspci: unless all are in domain 0. */
    request.cursor = (uint64_t)PCV_BUSES * PCV_DEVFNS;
    program->domains =
        mailbox != NULL && ctl_ask(&program->ctl, &request, &record) == 0;
}

void program_fini(struct program *program)
{
    text_fini(&program->out);
}

/* ---- commands -------------------------------------------------------------
 */

enum program_result program_misused(struct program *program, const char *format,
                                    ...)
{
    va_list args;

    va_start(args, format);
    text_add(&program->out, "error: ");
    text_vadd(&program->out, format, args);
    text_add(&program->out, "\n");
    va_end(args);
    return PROGRAM_MISUSED;
}

static const struct program_command *command_named(const char *name)
{
    const char *own = alias_meaning(name);

    for (size_t i = 0; i < program_command_count; i++) {
        if (strcmp(program_commands[i].name, own) == 0) {
            return &program_commands[i];
        }
    }
    return NULL;
}

void program_help(struct text *out)
{
    for (size_t i = 0; i < program_command_count; i++) {
        text_add(out, "%-12s %s", program_commands[i].name,
                 program_commands[i].help);
        alias_add(out, program_commands[i].name);
        text_add(out, "\n");
    }
    numbers_add_rule(out);
}

enum program_result program_command_help(struct program *program,
                                         const struct args *args)
{
    if (args->count == 0) {
        program_help(&program->out);
        return PROGRAM_DONE;
    }
    const struct program_command *command = command_named(args->word[0]);
    if (command == NULL) {
        return program_misused(program, "no such command; 'help' lists them");
    }
    alias_add_help(&program->out, args->word[0], command->name,
                   command->arguments, command->help);
    return PROGRAM_DONE;
}

static enum program_result command_run(struct program *program,
                                       const struct program_command *command,
                                       size_t count, char *const *words)
{
    enum program_result result;
    struct args args;
    struct text why = {0};

    if (!args_parse(&args, count, words, command->option, &why)) {
        result = program_misused(program, "%s; usage: %s %s", text_str(&why),
                                 command->name, command->arguments);
        text_fini(&why);
        return result;
    }
    if (args.count < command->min || args.count > command->max) {
        result = program_misused(program, "too %s arguments; usage: %s %s",
                                 args.count < command->min ? "few" : "many",
                                 command->name, command->arguments);
    } else {
        result = command->run(program, &args);
    }
    args_fini(&args);
    return result;
}

static enum program_result words_run(struct program *program, size_t count,
                                     char *const *words)
{
    enum program_result result;
    struct text word = {0};

    text_clear(&program->out);
    if (count == 0) {
        return PROGRAM_DONE;
    }
    const struct program_command *command = command_named(words[0]);
    if (command != NULL) {
        return command_run(program, command, count - 1, words + 1);
    }
    text_add_clean(&word, words[0]);
    result = program_misused(program, "unknown command '%s'; 'help' lists them",
                             text_str(&word));
    text_fini(&word);
    return result;
}

enum program_result program_run(struct program *program, size_t count,
                                char *const *words)
{
    enum program_result result = words_run(program, count, words);

    text_tidy(&program->out);
    return result;
}

enum program_result program_run_line(struct program *program, const char *line)
{
    enum program_result result;
    struct words words;
    struct text why = {0};

    if (!words_split(&words, line, &why)) {
        text_clear(&program->out);
        result = program_misused(program, "%s", text_str(&why));
        text_fini(&why);
        return result;
    }
    result = program_run(program, words.count, words.word);
    words_fini(&words);
    return result;
}

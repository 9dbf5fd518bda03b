/* SPDX-License-Identifier: MIT */
/* The commands of pcivisorctl that look. */
#include "ctl/commands.h"
#include "ctl/json.h"

#include <stdlib.h>
#include <string.h>

enum program_result program_command_devices(struct program *program,
                                            const struct args *args)
{
    return program_done(
        args->option[1] != NULL
            ? ctl_devices_json(&program->ctl)
            : ctl_devices(&program->ctl, args->option[0] != NULL));
}

enum program_result program_command_device(struct program *program,
                                           const struct args *args)
{
    return program_each(program, args, ctl_device);
}

enum program_result program_command_unreachable(struct program *program,
                                                const struct args *args)
{
    (void)args;
    return program_done(ctl_unreachable(&program->ctl));
}

enum program_result program_command_domains(struct program *program,
                                            const struct args *args)
{
    (void)args;
    return program_done(ctl_domains(&program->ctl));
}

/* All addresses in one list. */
static enum program_result each_as_json(
    struct program *program, const struct args *args,
    bool (*fn)(const struct ctl *ctl, const pcv_sbdf *sbdfs, size_t count))
{
    pcv_sbdf *list = program_take_sbdfs(program, args);

    if (list == NULL) {
        return PROGRAM_MISUSED;
    }
    bool good = fn(&program->ctl, list, args->count);
    free(list);
    return program_done(good);
}

enum program_result program_command_status(struct program *program,
                                           const struct args *args)
{
    return args->option[0] != NULL
               ? each_as_json(program, args, ctl_status_json)
               : program_each(program, args, ctl_status);
}

enum program_result program_command_holders(struct program *program,
                                            const struct args *args)
{
    return args->option[0] != NULL
               ? each_as_json(program, args, ctl_holders_json)
               : program_each(program, args, ctl_holders);
}

enum program_result program_command_path(struct program *program,
                                         const struct args *args)
{
    return program_each(program, args, ctl_path);
}

enum program_result program_command_nodes(struct program *program,
                                          const struct args *args)
{
    return each_as_json(program, args,
                        args->option[0] != NULL ? ctl_nodes_json : ctl_nodes);
}

enum program_result program_command_stats(struct program *program,
                                          const struct args *args)
{
    (void)args;
    return program_done(ctl_stats(&program->ctl));
}

enum program_result program_command_events(struct program *program,
                                           const struct args *args)
{
    return program_done(
        (args->option[0] != NULL ? ctl_events_json : ctl_events)(
            &program->ctl, &program->next_event));
}

enum program_result program_command_domain(struct program *program,
                                           const struct args *args)
{
    if (strcmp(args->word[0], "list") != 0) {
        return program_misused(program, "expected list");
    }
    return program_done(ctl_domains(&program->ctl));
}

enum program_result program_command_mapped(struct program *program,
                                           const struct args *args)
{
    uint32_t id = PCV_DOMAIN_ID_HARDWARE;

    if (args->count == 1 && !program_take_domain(program, args->word[0], &id)) {
        return PROGRAM_MISUSED;
    }
    return program_done(ctl_mapped(&program->ctl, id));
}

enum program_result program_command_memory(struct program *program,
                                           const struct args *args)
{
    uint32_t id;

    if (args->count == 0) {
        return program_done(ctl_memory(&program->ctl, NULL));
    }
    return !program_take_domain(program, args->word[0], &id)
               ? PROGRAM_MISUSED
               : program_done(ctl_memory(&program->ctl, &id));
}

enum program_result program_command_map(struct program *program,
                                        const struct args *args)
{
    enum program_result result = PROGRAM_DONE;

    for (size_t i = 0; i < args->count && result == PROGRAM_DONE; i++) {
        uint32_t id;
        pcv_sbdf sbdf;
        /* No domain's name has a colon, every address has one. */
        if (strchr(args->word[i], ':') != NULL) {
            result = !program_take_sbdf(program, args->word[i], &sbdf)
                         ? PROGRAM_MISUSED
                         : program_done(ctl_bars(&program->ctl, sbdf));
        } else {
            result = !program_take_domain(program, args->word[i], &id)
                         ? PROGRAM_MISUSED
                         : program_done(ctl_domain_bars(&program->ctl, id, ""));
        }
    }
    return result;
}

enum program_result program_command_dump(struct program *program,
                                         const struct args *args)
{
    uint32_t id = PCV_DOMAIN_ID_HARDWARE;
    uint64_t reg = 0;
    uint64_t bytes = 0;
    pcv_sbdf sbdf;

    if ((args->option[0] != NULL &&
         !program_take_domain(program, args->option[0], &id)) ||
        !program_take_sbdf(program, args->word[0], &sbdf)) {
        return PROGRAM_MISUSED;
    }
    if (args->count > 1 &&
        !parse_hex(args->word[1], PCV_CFG_EXT_SIZE - 1, &reg)) {
        return program_misused(
            program, "expected a register, 0 to fff, got '%s'", args->word[1]);
    }
    if (args->count == 3 && (!parse_size(args->word[2], &bytes) || bytes == 0 ||
                             bytes > PCV_CFG_EXT_SIZE)) {
        return program_misused(
            program, "expected a number of bytes from 1 to 4096, got '%s'",
            args->word[2]);
    }
    return program_done((args->option[1] != NULL ? ctl_dump_json : ctl_dump)(
        &program->ctl, id, sbdf, (uint16_t)reg, (uint32_t)bytes));
}

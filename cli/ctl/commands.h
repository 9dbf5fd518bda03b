/* SPDX-License-Identifier: MIT */
/*
 * The commands of pcivisorctl: those of the shell that are control operations,
 * with the shell's arguments.
 */
#ifndef PCIVISOR_CLI_CTL_COMMANDS_H
#define PCIVISOR_CLI_CTL_COMMANDS_H

#include "ctl/program.h"

struct program_command {
    const char *name;
    const char *arguments;            /* for people */
    const char *help;                 /* one line */
    size_t min, max;                  /* arguments */
    const struct args_option *option; /* NULL: none */
    enum program_result (*run)(struct program *program,
                               const struct args *args);
};

extern const struct program_command program_commands[];
extern const size_t program_command_count;

/* "error: ..." for what was not understood. Returns PROGRAM_MISUSED. */
enum program_result program_misused(struct program *program, const char *format,
                                    ...) CLI_PRINTF(2, 3);
enum program_result program_command_help(struct program *program,
                                         const struct args *args);

#endif

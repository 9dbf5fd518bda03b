/* SPDX-License-Identifier: MIT */
/*
 * pcivisorctl: the shell's commands for the control operations, through a
 * mailbox. How its registers are reached, main.c knows.
 */
#ifndef PCIVISOR_CLI_CTL_PROGRAM_H
#define PCIVISOR_CLI_CTL_PROGRAM_H

#include "args.h"
#include "ctl/ctl.h"
#include "ctl/mailbox.h"

/* What became of a command. */
enum program_result {
    PROGRAM_DONE,
    PROGRAM_FAILED,  /* understood, and answered with an error */
    PROGRAM_MISUSED, /* no such command, or arguments that mean nothing */
};

struct program {
    struct mailbox *mailbox;
    bool domains;        /* addresses are written with their domain */
    uint64_t next_event; /* that was not told yet */
    struct text out;     /* what the running command prints */
    struct ctl ctl;
};

/* The mailbox is open. It and the program stay where they are. Without one only
 * `help` works. */
void program_init(struct program *program, struct mailbox *mailbox);
void program_fini(struct program *program);

/* Run a command; what it prints replaces what is in program->out. */
enum program_result program_run(struct program *program, size_t count,
                                char *const *words);
/* The same for a line; an empty one does nothing. */
enum program_result program_run_line(struct program *program, const char *line);

/* The list of commands, as `help` prints it. */
void program_help(struct text *out);

#endif

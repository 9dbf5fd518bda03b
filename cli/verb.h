/* SPDX-License-Identifier: MIT */
/*
 * The verbs of the command line. Each gets its arguments sorted and returns
 * the exit status.
 */
#ifndef PCIVISOR_CLI_VERB_H
#define PCIVISOR_CLI_VERB_H

#include "args.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2

struct verb {
    const char *name;
    const char *arguments;            /* for people */
    const char *help;                 /* one line */
    const char *more;                 /* the rest of what --help prints */
    bool host;                        /* it takes a HOST */
    size_t min, max;                  /* arguments */
    const struct args_option *option; /* NULL: none */
    int (*run)(const struct verb *verb, const struct args *args);
};

/* "pcivisor: ..." on standard error. Returns EXIT_FAILED. */
int verb_failed(const char *format, ...) CLI_PRINTF(1, 2);
/* The same, and how to learn more. Returns EXIT_USAGE. */
int verb_misused(const struct verb *verb, const char *format, ...)
    CLI_PRINTF(2, 3);

int verb_diff(const struct verb *verb, const struct args *args);
int verb_inspect(const struct verb *verb, const struct args *args);
int verb_lspci(const struct verb *verb, const struct args *args);
int verb_run(const struct verb *verb, const struct args *args);
int verb_shell(const struct verb *verb, const struct args *args);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Options and arguments, the same way for the verbs of the command line and
 * for the commands of a transcript.
 */
#ifndef PCIVISOR_CLI_ARGS_H
#define PCIVISOR_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

#define ARGS_OPTIONS_MAX 8u

/* One option; a list of them ends with a row without a name. */
struct args_option {
    const char *name; /* with its dashes: "--json" */
    /* What its value is called, or NULL: it has none. One whose name ends with
     * "..." may be given several times. */
    const char *value;
};

/* One value of an option that may be given several times. */
struct args_value {
    size_t option; /* its index in the list */
    const char *text;
};

/* What was found. */
struct args {
    size_t count; /* arguments that are not options */
    char **word;  /* those; the strings are the caller's */
    /* One for each option of the list, in its order: NULL, its value, or an
     * empty string for an option that has none. */
    const char *option[ARGS_OPTIONS_MAX];
    /* All values of options that may be given several times, in order. */
    struct args_value *value;
    size_t values;
};

/*
 * Sort words into options and arguments. `--name value` and `--name=value`
 * are the same; `--` ends the options; `-` alone is an argument. Without a
 * list there are no options.
 *
 * Returns true, and *out_args, whose list is to be freed with args_fini(); or
 * false, and why, in a few words.
 */
bool args_parse(struct args *out_args, size_t count, char *const *words,
                const struct args_option *options, struct text *why);
void args_fini(struct args *args);

/* A command line in words, to be freed with words_fini(). */
struct words {
    size_t count;
    char **word;
};

#define WORDS_LINE_MAX 4096u /* characters; what is longer is no command */

/*
 * Split at blanks; "double quotes" keep blanks; a word that begins with `#`
 * ends the line. False, and why, if a quote stays open or the line is too long.
 */
bool words_split(struct words *out_words, const char *line, struct text *why);
void words_fini(struct words *words);

#endif

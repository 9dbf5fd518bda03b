/* SPDX-License-Identifier: MIT */
/*
 * Other names of commands, the shell's and pcivisorctl's alike: each control
 * operation can be called by its own name (PCV_CTL_OPS), and what people call
 * otherwise also as they do.
 */
#ifndef PCIVISOR_CLI_CTL_ALIAS_H
#define PCIVISOR_CLI_CTL_ALIAS_H

#include "text.h"

/* What the command of this name is called in its table: `name` itself, unless
 * it is another one's. */
const char *alias_meaning(const char *name);

/* The index-th other name; NULL past the last. */
const char *alias_at(size_t index);

/* For a list of commands: " (also attach)", or nothing. */
void alias_add(struct text *out, const char *command);

/* For one command, called as it was: its usage and its help. */
void alias_add_help(struct text *out, const char *called, const char *command,
                    const char *arguments, const char *help);

#endif

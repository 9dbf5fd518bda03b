/* SPDX-License-Identifier: MIT */
/* How the numbers that commands take are read, for people. */
#ifndef PCIVISOR_CLI_CTL_NUMBERS_H
#define PCIVISOR_CLI_CTL_NUMBERS_H

#include "text.h"

/* Two lines for all commands, indented: what stands in front are commands. */
void numbers_add_rule(struct text *out);

/* Which of a command's arguments are read how: a line, or nothing if none of
 * them is a number. */
void numbers_add_help(struct text *out, const char *arguments);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What could stand at the end of a line: commands, domains, addresses of the
 * machine's functions and of those on a guest's bus, registers, capabilities,
 * host operations, options.
 */
#ifndef PCIVISOR_CLI_COMPLETE_H
#define PCIVISOR_CLI_COMPLETE_H

#include "session.h"

struct candidates {
    char **word; /* in order, without doubles */
    size_t count;
    size_t room;
    size_t typed;  /* how much of each word stands there already */
    size_t common; /* how many bytes at their beginning are the same */
};

/*
 * @line  up to the cursor, `len` bytes
 */
void complete_line(const struct session *session, const char *line, size_t len,
                   struct candidates *out_candidates);
void candidates_fini(struct candidates *candidates);

#endif

/* SPDX-License-Identifier: MIT */
/* Colours, on a terminal only, and only if nobody objects. */
#ifndef PCIVISOR_CLI_COLOUR_H
#define PCIVISOR_CLI_COLOUR_H

#include <stdbool.h>
#include <stdio.h>

enum colour {
    COLOUR_NONE, /* back to normal */
    COLOUR_BAD,
    COLOUR_GOOD,
    COLOUR_DIM,
    COLOUR_STRONG,
};

/* Whether a stream shows them: it is a terminal that can, and NO_COLOR is
 * not set (no-color.org). */
bool colour_wanted(FILE *stream);

/* What switches to a colour; empty without `on`. */
const char *colour(bool on, enum colour which);

#endif

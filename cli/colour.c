/* SPDX-License-Identifier: MIT */
/* Colours. */
#include "colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool colour_wanted(FILE *stream)
{
    const char *off = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return (off == NULL || off[0] == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0 && isatty(fileno(stream)) == 1;
}

const char *colour(bool on, enum colour which)
{
    static const char *const code[] = {
        [COLOUR_NONE] = "\033[0m",   [COLOUR_BAD] = "\033[31m",
        [COLOUR_GOOD] = "\033[32m",  [COLOUR_DIM] = "\033[2m",
        [COLOUR_STRONG] = "\033[1m",
    };
    return on ? code[which] : "";
}

/* SPDX-License-Identifier: MIT */
/* How verbs complain. */
#include "verb.h"

#include <stdio.h>

static void vprint_error(const char *format, va_list args)
{
    fflush(stdout);
    fputs("pcivisor: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int verb_failed(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprint_error(format, args);
    va_end(args);
    return EXIT_FAILED;
}

int verb_misused(const struct verb *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprint_error(format, args);
    va_end(args);
    fprintf(stderr, "try pcivisor %s%s--help\n", verb != NULL ? verb->name : "",
            verb != NULL ? " " : "");
    return EXIT_USAGE;
}

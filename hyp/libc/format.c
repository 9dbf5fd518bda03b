/* SPDX-License-Identifier: MIT */
/* snprintf() and its like; hyp/print.c knows the formats. */
#include <limits.h>
#include <stdio.h>

#include "lib.h"

int vsnprintf(char *to, size_t room, const char *format, va_list arguments)
{
    size_t length = vformat(to, room > 0 ? room - 1 : 0, format, arguments);

    if (room > 0) {
        to[length < room ? length : room - 1] = '\0';
    }
    return length > INT_MAX ? -1 : (int)length;
}

int snprintf(char *to, size_t room, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(to, room, format, arguments);
    va_end(arguments);
    return length;
}

int fprintf(FILE *file, const char *format, ...)
{
    va_list arguments;

    (void)file;
    va_start(arguments, format);
    vprint(format, arguments);
    va_end(arguments);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* The C library's printing, for the modelled host: no files, one stream. */
#ifndef HYP_LIBC_STDIO_H
#define HYP_LIBC_STDIO_H

#include <stdarg.h>
#include <stddef.h>

typedef struct hyp_file FILE;

#define stderr ((FILE *)NULL) /* the hypervisor's console */

/* What hyp/lib.h says of formats holds here. */
int fprintf(FILE *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int snprintf(char *to, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t room, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#endif

/* SPDX-License-Identifier: MIT */
/* The C library's part that the modelled host asks for: memory and sorting. */
#ifndef HYP_LIBC_STDLIB_H
#define HYP_LIBC_STDLIB_H

#include <stddef.h>

/* Aligned for every type; NULL when there is no more. Any CPU. */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);
void free(void *memory);

/* In place, without recursion; equal elements change places. */
void qsort(void *base, size_t count, size_t size,
           int (*compare)(const void *a, const void *b));

_Noreturn void abort(void);

#endif

/* SPDX-License-Identifier: MIT */
/* What a freestanding program lacks: strings, printing, memory, panic. */
#ifndef HYP_LIB_H
#define HYP_LIB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *memory, int byte, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);

/* One line or part of one on the hypervisor's console; before that is found it
 * is kept. %s %c %d %u %x %lu %lx %p %%, with width and zeros. Any CPU. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void vprint(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0)));
/* The same into memory, without an end: how long it is, of which no more than
 * `room` characters are written. */
size_t vformat(char *to, size_t room, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/*
 * The same for what a domain or a device can bring about at will: a burst of
 * lines a second from each place that has a limit of its own, and then how
 * many more there were.
 */
struct print_limit {
    unsigned burst;
    _Atomic uint64_t second;
    _Atomic unsigned said, left_out;
};
void print_limited(struct print_limit *limit, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A bug, or a machine that we cannot run on: say so and stop all CPUs. */
bool panicked(void);
_Noreturn void halt(void);
_Noreturn void panic(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * The hypervisor's own memory. heap_alloc() aligns to 16 bytes and does not
 * clear; pages_alloc() gives 2^order zeroed pages, aligned to their size. NULL
 * when there is no more. Any CPU.
 */
void *heap_alloc(size_t size);
void heap_free(void *memory, size_t size);
void *pages_alloc(unsigned order);
void pages_free(void *pages, unsigned order);

#endif

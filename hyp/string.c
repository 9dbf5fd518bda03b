/* SPDX-License-Identifier: MIT */
/*
 * The few functions of the C library that the compiler, pcivisor and libfdt
 * call. Built so that the compiler does not make them out of themselves.
 */
#include "lib.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if ((((uintptr_t)t | (uintptr_t)f) & 7u) == 0) {
        for (; size >= 8; size -= 8, t += 8, f += 8) {
            *(uint64_t *)(void *)t = *(const uint64_t *)(const void *)f;
        }
    }
    while (size-- > 0) {
        *t++ = *f++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if ((uintptr_t)t - (uintptr_t)f >= size) {
        return memcpy(to, from, size);
    }
    while (size-- > 0) {
        t[size] = f[size];
    }
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    uint8_t *t = to;
    uint64_t pattern = (uint8_t)byte * 0x0101010101010101ull;

    for (; size > 0 && ((uintptr_t)t & 7u) != 0; size--) {
        *t++ = (uint8_t)byte;
    }
    for (; size >= 8; size -= 8, t += 8) {
        *(uint64_t *)(void *)t = pattern;
    }
    while (size-- > 0) {
        *t++ = (uint8_t)byte;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *x = a;
    const uint8_t *y = b;

    for (; size > 0; size--, x++, y++) {
        if (*x != *y) {
            return *x < *y ? -1 : 1;
        }
    }
    return 0;
}

void *memchr(const void *memory, int byte, size_t size)
{
    const uint8_t *m = memory;

    for (; size > 0; size--, m++) {
        if (*m == (uint8_t)byte) {
            return (void *)(uintptr_t)m;
        }
    }
    return NULL;
}

size_t strnlen(const char *text, size_t limit)
{
    size_t length = 0;

    while (length < limit && text[length] != '\0') {
        length++;
    }
    return length;
}

size_t strlen(const char *text)
{
    return strnlen(text, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t size)
{
    for (; size > 0; size--, a++, b++) {
        if (*a != *b) {
            return (uint8_t)*a < (uint8_t)*b ? -1 : 1;
        }
        if (*a == '\0') {
            break;
        }
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *text, int c)
{
    return memchr(text, c, strlen(text) + 1);
}

char *strrchr(const char *text, int c)
{
    size_t length = strlen(text) + 1;

    while (length-- > 0) {
        if (text[length] == (char)c) {
            return (char *)(uintptr_t)(text + length);
        }
    }
    return NULL;
}

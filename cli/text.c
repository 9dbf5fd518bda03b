/* SPDX-License-Identifier: MIT */
/* Text that grows. */
#include "text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_end(void *ptr)
{
    if (ptr == NULL) {
        fputs("pcivisor: out of memory\n", stderr);
        exit(1);
    }
    return ptr;
}

void *memory_zero(size_t count, size_t size)
{
    return or_end(calloc(count > 0 ? count : 1, size));
}

void *memory_resize(void *ptr, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return or_end(NULL);
    }
    size_t bytes = count * size;
    return or_end(realloc(ptr, bytes > 0 ? bytes : 1));
}

char *memory_string(const char *string)
{
    size_t bytes = strlen(string) + 1;
    char *copy = memory_zero(1, bytes);
    memcpy(copy, string, bytes);
    return copy;
}

void *memory_grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return array;
    }
    *room = *room > 0 ? *room * 2 : 16;
    return memory_resize(array, *room, size);
}

static void text_reserve(struct text *text, size_t more)
{
    size_t need = text->len + more + 1;
    if (need <= text->room) {
        return;
    }
    size_t room = text->room > 0 ? text->room : 128;
    while (room < need) {
        room *= 2;
    }
    text->data = memory_resize(text->data, room, 1);
    text->room = room;
}

void text_add_bytes(struct text *text, const char *bytes, size_t len)
{
    text_reserve(text, len);
    if (len > 0) {
        memcpy(text->data + text->len, bytes, len);
    }
    text->len += len;
    text->data[text->len] = '\0';
}

void text_vadd(struct text *text, const char *format, va_list args)
{
    va_list again;

    if (format == NULL) {
        return; /* a sanitizer that goes on after an error comes this way */
    }
    va_copy(again, args);
    /* It was copied a line above, which clang-tidy 14 sometimes overlooks.
     * NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0) {
        return;
    }
    text_reserve(text, (size_t)len);
    vsnprintf(text->data + text->len, (size_t)len + 1, format, args);
    text->len += (size_t)len;
}

void text_add(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vadd(text, format, args);
    va_end(args);
}

void text_add_clean(struct text *text, const char *string)
{
    for (; *string != '\0'; string++) {
        unsigned char c = (unsigned char)*string;
        char clean = c < 0x20 || c == 0x7f ? '?' : *string;
        text_add_bytes(text, &clean, 1);
    }
}

void text_pad(struct text *text, size_t width)
{
    while (text->len < width) {
        text_add_bytes(text, " ", 1);
    }
}

void text_clear(struct text *text)
{
    text->len = 0;
    if (text->data != NULL) {
        text->data[0] = '\0';
    }
}

void text_fini(struct text *text)
{
    free(text->data);
    memset(text, 0, sizeof(*text));
}

const char *text_str(const struct text *text)
{
    return text->data != NULL ? text->data : "";
}

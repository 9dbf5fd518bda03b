/* SPDX-License-Identifier: MIT */
/*
 * Text that grows: what commands print into, and messages on their way up.
 * Where memory ends, the command ends: there is nothing to save.
 */
#ifndef PCIVISOR_CLI_TEXT_H
#define PCIVISOR_CLI_TEXT_H

#include <stdarg.h>
#include <stddef.h>

#if defined(__GNUC__) || defined(__clang__)
#define CLI_PRINTF(string, first) __attribute__((format(printf, string, first)))
#else
#define CLI_PRINTF(string, first)
#endif

/* Zero it before use. */
struct text {
    char *data; /* ends with a NUL byte; NULL while empty */
    size_t len;
    size_t room;
};

void text_add(struct text *text, const char *format, ...) CLI_PRINTF(2, 3);
void text_vadd(struct text *text, const char *format, va_list args)
    CLI_PRINTF(2, 0);
void text_add_bytes(struct text *text, const char *bytes, size_t len);
/* What a stranger wrote: bytes that could steer a terminal become `?`. */
void text_add_clean(struct text *text, const char *string);
/* Spaces, until the text is `width` bytes long; none if it is longer. */
void text_pad(struct text *text, size_t width);
/* For transcripts: what could be taken for something else there moves one
 * column to the right; blank lines, and blanks at the end of lines, go. */
void text_tidy(struct text *text);
/* Forget what is in it, keep the room. */
void text_clear(struct text *text);
void text_fini(struct text *text);
/* Never NULL. */
const char *text_str(const struct text *text);

/* As the C library's, but they end the command where there is no memory. */
void *memory_zero(size_t count, size_t size);
void *memory_resize(void *ptr, size_t count, size_t size);
char *memory_string(const char *string);

/*
 * Room for one more element of an array that grows by doubling: returns the
 * array, perhaps moved, and its new room. Starts from NULL and 0.
 */
void *memory_grow(void *array, size_t count, size_t *room, size_t size);

#endif

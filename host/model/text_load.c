/* SPDX-License-Identifier: MIT */
/*
 * A modelled host from lspci's text: where the lines come from, a text in
 * memory or a file that is read piece by piece and is never all in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/*
 * The complete lines at the front of a buffer. *out_used says how much they
 * were; the rest is the beginning of a line.
 */
static int take_lines(struct pcv__text *text, const char *s, size_t len,
                      size_t *out_used)
{
    size_t at = 0;
    const char *end;

    while (at < len && (end = memchr(s + at, '\n', len - at)) != NULL) {
        size_t line = (size_t)(end - (s + at));
        int rc = pcv__text_take_line(text, s + at, line);

        if (rc != 0) {
            return rc;
        }
        at += line + 1;
    }
    *out_used = at;
    return 0;
}

/* ---- whole texts --------------------------------------------------------- */

static struct pcv__text *text_create(struct pcv_model_error *error)
{
    struct pcv__text *text = calloc(1, sizeof(*text));

    if (text == NULL) {
        (void)pcv__source_fail(error, -PCV_ENOMEM, 0, "not enough memory");
        return NULL;
    }
    text->error = error;
    return text;
}

/* The text is over, well (rc 0) or not: deliver, and forget it. */
static int text_finish(struct pcv__text *text, struct pcv_model *model, int rc)
{
    if (rc == 0) {
        rc = pcv__text_end(text);
    }
    if (rc == 0) {
        rc = pcv__source_deliver(&text->source, model, text->error);
    }
    pcv__source_fini(&text->source);
    free(text->fn.name);
    free(text);
    return rc;
}

int pcv_model_load_text(struct pcv_model *model, const char *text, size_t len,
                        struct pcv_model_error *error)
{
    struct pcv__text *parser = text_create(error);
    size_t used = 0;
    int rc;

    if (parser == NULL) {
        return -PCV_ENOMEM;
    }
    rc = take_lines(parser, text, len, &used);
    if (rc == 0 && used < len) {
        rc = pcv__text_take_line(parser, text + used, len - used);
    }
    return text_finish(parser, model, rc);
}

/* A line that does not end within the buffer is far too long. */
static int take_file(struct pcv__text *text, FILE *file)
{
    char buffer[4 * PCV__TEXT_LINE_MAX];
    size_t have = 0;
    int rc = 0;

    for (;;) {
        size_t got = fread(buffer + have, 1, sizeof(buffer) - have, file);
        size_t used = 0;

        if (got == 0) {
            break;
        }
        have += got;
        rc = take_lines(text, buffer, have, &used);
        if (rc == 0 && used == 0 && have == sizeof(buffer)) {
            rc = pcv__text_take_line(text, buffer, have);
        }
        if (rc != 0) {
            return rc;
        }
        have -= used;
        memmove(buffer, buffer + used, have);
    }
    if (ferror(file)) {
        return pcv__source_fail(text->error, -PCV_EIO, 0, "%s",
                                strerror(errno));
    }
    return have > 0 ? pcv__text_take_line(text, buffer, have) : 0;
}

int pcv_model_load_file(struct pcv_model *model, const char *path,
                        struct pcv_model_error *error)
{
    struct pcv__text *parser;
    FILE *file = fopen(path, "rb");
    int rc;

    if (file == NULL) {
        rc = errno == ENOENT ? -PCV_ENOENT : -PCV_EIO;
        return pcv__source_fail(error, rc, 0, "%s: %s", path, strerror(errno));
    }
    parser = text_create(error);
    if (parser == NULL) {
        rc = -PCV_ENOMEM;
    } else {
        rc = text_finish(parser, model, take_file(parser, file));
    }
    (void)fclose(file);
    return rc;
}

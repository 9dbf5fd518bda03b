/* SPDX-License-Identifier: MIT */
/*
 * A modelled host from lspci's text that is in memory, and what is done with
 * lines wherever they come from.
 */
#include <stdlib.h>
#include <string.h>

#include "text.h"

int pcv__text_take_lines(struct pcv__text *text, const char *s, size_t len,
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

struct pcv__text *pcv__text_create(struct pcv_model_error *error)
{
    struct pcv__text *text = calloc(1, sizeof(*text));

    if (text == NULL) {
        (void)pcv__source_fail(error, -PCV_ENOMEM, 0, "not enough memory");
        return NULL;
    }
    text->error = error;
    return text;
}

int pcv__text_finish(struct pcv__text *text, struct pcv_model *model, int rc)
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
    struct pcv__text *parser = pcv__text_create(error);
    size_t used = 0;
    int rc;

    if (parser == NULL) {
        return -PCV_ENOMEM;
    }
    rc = pcv__text_take_lines(parser, text, len, &used);
    if (rc == 0 && used < len) {
        rc = pcv__text_take_line(parser, text + used, len - used);
    }
    return pcv__text_finish(parser, model, rc);
}

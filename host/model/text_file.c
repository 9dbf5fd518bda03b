/* SPDX-License-Identifier: MIT */
/*
 * A modelled host from a file of lspci's text, which is read piece by piece and
 * is never all in memory.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

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
        rc = pcv__text_take_lines(text, buffer, have, &used);
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
    parser = pcv__text_create(error);
    if (parser == NULL) {
        rc = -PCV_ENOMEM;
    } else {
        rc = pcv__text_finish(parser, model, take_file(parser, file));
    }
    (void)fclose(file);
    return rc;
}

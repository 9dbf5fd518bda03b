/* SPDX-License-Identifier: MIT */
/* Transcripts: reading and writing the file format. */
#include "transcript.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (64u << 20) /* bytes; more is no transcript */

static bool file_read(FILE *file, struct text *data, struct text *why)
{
    char room[65536];
    size_t len;

    while ((len = fread(room, 1, sizeof(room), file)) > 0) {
        text_add_bytes(data, room, len);
        if (data->len > FILE_MAX) {
            text_add(why, "it is larger than 64M");
            return false;
        }
    }
    if (ferror(file)) {
        text_add(why, "%s", strerror(errno));
        return false;
    }
    if (data->len > 0 && memchr(data->data, '\0', data->len) != NULL) {
        text_add(why, "it is not text");
        return false;
    }
    return true;
}

static struct line line_make(const char *text, size_t len)
{
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t' ||
                       text[len - 1] == '\r')) {
        len--;
    }
    return (struct line){text, len};
}

size_t transcript_lines(const char *text, struct line **out_line)
{
    struct line *line = NULL;
    size_t count = 0;
    size_t room = 0;

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        line = memory_grow(line, count, &room, sizeof(*line));
        line[count++] = line_make(text, len);
        text += len + (text[len] == '\n');
    }
    *out_line = line;
    return count;
}

const char *transcript_command(struct line line, size_t *out_len)
{
    static const char *const prompt[] = {"> ", "pcivisor> "};

    for (size_t i = 0; i < sizeof(prompt) / sizeof(prompt[0]); i++) {
        size_t len = strlen(prompt[i]);
        /* The prompt's blank may have gone with the line's last ones. */
        if (line.len == len - 1 && memcmp(line.text, prompt[i], len - 1) == 0) {
            *out_len = 0;
            return line.text + line.len;
        }
        if (line.len >= len && memcmp(line.text, prompt[i], len) == 0) {
            *out_len = line.len - len;
            return line.text + len;
        }
    }
    return NULL;
}

static bool is_aside(struct line line)
{
    return line.len == 0 || line.text[0] == '#';
}

static void blocks_find(struct transcript *transcript)
{
    size_t room = 0;
    size_t len;

    for (size_t i = 0; i < transcript->lines; i++) {
        if (transcript_command(transcript->line[i], &len) != NULL) {
            transcript->block =
                memory_grow(transcript->block, transcript->blocks, &room,
                            sizeof(*transcript->block));
            transcript->block[transcript->blocks++].command = i;
        }
        if (transcript->blocks > 0) {
            transcript->block[transcript->blocks - 1].end = i + 1;
        }
    }
}

bool transcript_read(struct transcript *out_transcript, const char *path,
                     struct text *why)
{
    struct transcript transcript = {0};
    struct text data = {0};
    struct text what = {0};
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "r");
    bool good = file != NULL;

    if (!good) {
        text_add(&what, "%s", strerror(errno));
    } else {
        good = file_read(file, &data, &what);
    }
    if (file != NULL && !standard) {
        fclose(file);
    }
    if (!good) {
        text_add_clean(why, path);
        text_add(why, ": %s", text_str(&what));
        text_fini(&what);
        text_fini(&data);
        return false;
    }
    text_add(&data, "%s", ""); /* so that data.data is there */
    transcript.data = data.data;
    transcript.lines = transcript_lines(data.data, &transcript.line);
    transcript.last_open = data.len > 0 && data.data[data.len - 1] != '\n';
    blocks_find(&transcript);
    *out_transcript = transcript;
    return true;
}

void transcript_fini(struct transcript *transcript)
{
    free(transcript->data);
    free(transcript->line);
    free(transcript->block);
    memset(transcript, 0, sizeof(*transcript));
}

size_t transcript_expected(const struct transcript *transcript,
                           const struct block *block, struct line **out_line,
                           size_t **out_index)
{
    size_t lines = block->end - block->command - 1;
    struct line *line = memory_zero(lines, sizeof(*line));
    size_t *index = memory_zero(lines, sizeof(*index));
    size_t count = 0;

    for (size_t i = block->command + 1; i < block->end; i++) {
        if (!is_aside(transcript->line[i])) {
            line[count] = transcript->line[i];
            index[count++] = i;
        }
    }
    *out_line = line;
    *out_index = index;
    return count;
}

void transcript_write_lines(struct text *out,
                            const struct transcript *transcript, size_t first,
                            size_t end)
{
    if (first >= end) {
        return;
    }
    /* As it stands in the file, with blanks at the ends of lines. */
    const char *from = transcript->line[first].text;
    const char *to = end < transcript->lines
                         ? transcript->line[end].text
                         : transcript->data + strlen(transcript->data);
    text_add_bytes(out, from, (size_t)(to - from));
    if (end == transcript->lines && transcript->last_open) {
        text_add(out, "\n");
    }
}

void transcript_write_block(struct text *out,
                            const struct transcript *transcript,
                            const struct block *block,
                            const struct align *align, const struct line *got,
                            const size_t *index, bool keep_dots)
{
    size_t at = block->command + 1; /* the next line to be dealt with */

    transcript_write_lines(out, transcript, block->command, at);
    for (size_t i = 0; i < align->count; i++) {
        const struct align_step *step = &align->step[i];
        if (step->kind == ALIGN_NEW) {
            text_add(out, "%.*s\n", (int)got[step->got].len,
                     got[step->got].text);
            continue;
        }
        size_t line = index[step->expected];
        transcript_write_lines(out, transcript, at, line);
        at = line + 1;
        if (step->kind == ALIGN_SAME ||
            (step->kind == ALIGN_DOTS && keep_dots)) {
            transcript_write_lines(out, transcript, line, at);
        }
        for (size_t j = 0;
             step->kind == ALIGN_DOTS && !keep_dots && j < step->count; j++) {
            const struct line *more = &got[step->got + j];
            text_add(out, "%.*s\n", (int)more->len, more->text);
        }
    }
    transcript_write_lines(out, transcript, at, block->end);
}

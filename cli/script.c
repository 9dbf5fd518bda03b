/* SPDX-License-Identifier: MIT */
/* `pcivisor run`: play a transcript, check it, or write it anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "command.h"
#include "file.h"
#include "transcript.h"
#include "verb.h"

enum mode {
    MODE_PRINT,
    MODE_CHECK,
    MODE_UPDATE,
};

/* One transcript being played. */
struct play {
    const char *path;
    enum mode mode;
    bool quiet;
    bool failed;
    size_t differing; /* commands whose output is not as written */
    struct transcript transcript;
    struct session session;
    struct text written; /* the transcript anew */
};

/* Lines of a comparison around what differs. */
#define CONTEXT 2u

static bool step_differs(const struct align *align, size_t step)
{
    return align->step[step].kind == ALIGN_GONE ||
           align->step[step].kind == ALIGN_NEW;
}

static bool step_shown(const struct align *align, size_t step)
{
    size_t first = step > CONTEXT ? step - CONTEXT : 0;
    for (size_t i = first; i < align->count && i <= step + CONTEXT; i++) {
        if (step_differs(align, i)) {
            return true;
        }
    }
    return false;
}

/* What was expected beside what came, the way a diff shows it. */
static void print_difference(const struct play *play, const struct block *block,
                             const struct align *align,
                             const struct line *expected, const size_t *index,
                             const struct line *got)
{
    bool colours = colour_wanted(stdout);
    struct line command = play->transcript.line[block->command];

    printf("%s:%zu: %.*s\n", play->path, block->command + 1, (int)command.len,
           command.text);
    for (size_t i = 0; i < align->count; i++) {
        const struct align_step *step = &align->step[i];
        if (!step_shown(align, i)) {
            continue;
        }
        if (step->kind == ALIGN_NEW) {
            printf("%s     got | %.*s%s\n", colour(colours, COLOUR_GOOD),
                   (int)got[step->got].len, got[step->got].text,
                   colour(colours, COLOUR_NONE));
            continue;
        }
        bool gone = step->kind == ALIGN_GONE;
        const struct line *line = &expected[step->expected];
        printf("%s%8zu %c %.*s%s\n", colour(colours && gone, COLOUR_BAD),
               index[step->expected] + 1, gone ? '-' : '|', (int)line->len,
               line->text, colour(colours && gone, COLOUR_NONE));
    }
}

/* One command: run it, and compare or write what it printed. */
static void play_block(struct play *play, const struct block *block)
{
    const struct transcript *transcript = &play->transcript;
    struct line *expected;
    struct line *got;
    size_t *index;
    struct align align;
    size_t len = 0;
    struct text command = {0};

    const char *words =
        transcript_command(transcript->line[block->command], &len);
    text_add_bytes(&command, words != NULL ? words : "", len);
    enum command_result result =
        command_run(&play->session, text_str(&command));
    text_fini(&command);

    size_t expected_count =
        transcript_expected(transcript, block, &expected, &index);
    size_t got_count = transcript_lines(text_str(&play->session.out), &got);
    align_lines(expected, expected_count, got, got_count, &align);
    play->differing += !align.matches;
    if (play->mode == MODE_CHECK) {
        if (!align.matches) {
            play->failed = true;
            print_difference(play, block, &align, expected, index, got);
        }
    } else {
        transcript_write_block(&play->written, transcript, block, &align, got,
                               index, play->mode == MODE_UPDATE);
        /* A transcript may show a mistake on purpose: once it is written
         * there, --update takes it for meant. */
        if (result == COMMAND_MISUSED &&
            (play->mode == MODE_PRINT || !align.matches)) {
            play->failed = true;
        }
    }
    align_fini(&align);
    free(expected);
    free(index);
    free(got);
}

/* What was written so far goes out at once when it is only printed. */
static void play_print(struct play *play)
{
    if (play->mode != MODE_PRINT) {
        return;
    }
    if (!play->quiet) {
        fwrite(text_str(&play->written), 1, play->written.len, stdout);
        fflush(stdout);
    }
    text_clear(&play->written);
}

static void play_finish(struct play *play)
{
    struct text why = {0};

    if (play->mode == MODE_UPDATE && play->differing > 0 &&
        !file_replace(play->path, text_str(&play->written), play->written.len,
                      &why)) {
        verb_failed("%s", text_str(&why));
        play->failed = true;
    } else if (play->mode == MODE_UPDATE && !play->quiet) {
        printf("%s: %zu of %zu commands updated\n", play->path, play->differing,
               play->transcript.blocks);
    } else if (play->mode == MODE_CHECK && play->differing > 0) {
        printf("%s: %zu of %zu commands differ\n", play->path, play->differing,
               play->transcript.blocks);
    } else if (play->mode == MODE_CHECK && !play->quiet) {
        printf("%s: %zu commands, as written\n", play->path,
               play->transcript.blocks);
    }
    text_fini(&why);
}

/* The folder of a path, to be freed; NULL if it names none. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return NULL;
    }
    struct text folder = {0};
    text_add_bytes(&folder, path, (size_t)(slash - path));
    if (folder.len == 0) {
        text_add(&folder, "/");
    }
    return folder.data;
}

static bool play_file(const char *path, enum mode mode, bool quiet)
{
    struct play play = {.path = path, .mode = mode, .quiet = quiet};
    struct text why = {0};

    if (!transcript_read(&play.transcript, path, &why)) {
        verb_failed("%s", text_str(&why));
        text_fini(&why);
        return false;
    }
    char *folder = folder_of(path);
    session_init(&play.session, folder);
    size_t first = play.transcript.blocks > 0 ? play.transcript.block[0].command
                                              : play.transcript.lines;
    transcript_write_lines(&play.written, &play.transcript, 0, first);
    play_print(&play);
    for (size_t i = 0; i < play.transcript.blocks; i++) {
        play_block(&play, &play.transcript.block[i]);
        play_print(&play);
    }
    if (!session_close(&play.session, &why)) {
        verb_failed("%s: %s", path, text_str(&why));
        play.failed = true;
    }
    play_finish(&play);
    session_fini(&play.session);
    transcript_fini(&play.transcript);
    text_fini(&play.written);
    text_fini(&why);
    free(folder);
    return !play.failed;
}

int verb_run(const struct verb *verb, const struct args *args)
{
    bool check = args->option[0] != NULL;
    bool update = args->option[1] != NULL;
    bool quiet = args->option[2] != NULL;
    bool good = true;

    if (check && update) {
        return verb_misused(verb, "--check and --update exclude each other");
    }
    for (size_t i = 0; i < args->count; i++) {
        if (update && strcmp(args->word[i], "-") == 0) {
            return verb_misused(verb,
                                "standard input can't be updated in place");
        }
    }
    enum mode mode = update ? MODE_UPDATE : check ? MODE_CHECK : MODE_PRINT;
    for (size_t i = 0; i < args->count; i++) {
        good = play_file(args->word[i], mode, quiet) && good;
    }
    return good ? EXIT_SUCCESS : EXIT_FAILED;
}

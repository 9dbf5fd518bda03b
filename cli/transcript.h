/* SPDX-License-Identifier: MIT */
/*
 * Transcripts: the file format.
 *
 * A line that begins with `> ` (or with the shell's prompt, `pcivisor> `) is a
 * command. The lines under it, up to the next command, are what it printed,
 * except blank lines and lines that begin with `#`: those belong to the reader,
 * may stand anywhere, and are neither compared nor changed. What stands before
 * the first command belongs to the reader too. A command never prints a blank
 * line, or one that begins with `#` or `>`, so nothing is ambiguous. Blanks at
 * the end of a line don't count.
 *
 * Where an output is written anew, a comment or blank line keeps its place
 * above the line that it stood above, or behind the output if it stood there.
 */
#ifndef PCIVISOR_CLI_TRANSCRIPT_H
#define PCIVISOR_CLI_TRANSCRIPT_H

#include "align.h"
#include "text.h"

/* A command and what stands under it. */
struct block {
    size_t command; /* index of its line */
    size_t end;     /* index of the line behind the last one */
};

struct transcript {
    char *data;
    struct line *line;
    size_t lines;
    bool last_open; /* the last line has no newline */
    struct block *block;
    size_t blocks;
};

/* Read a file, or standard input for "-". False, and why. */
bool transcript_read(struct transcript *out_transcript, const char *path,
                     struct text *why);
void transcript_fini(struct transcript *transcript);

/* The command of a line, behind its prompt; NULL if the line is none. */
const char *transcript_command(struct line line, size_t *out_len);

/* The lines that a block expects: all but comments and blank ones.
 * *out_index holds where each stands in the file. Both lists are the
 * caller's to free. Returns how many. */
size_t transcript_expected(const struct transcript *transcript,
                           const struct block *block, struct line **out_line,
                           size_t **out_index);

/* Split printed text in lines; the list is the caller's to free. */
size_t transcript_lines(const char *text, struct line **out_line);

/*
 * Write a block with its output as it came. With `keep_dots`, `...` stays
 * where it stands for lines; otherwise those lines are written.
 */
void transcript_write_block(struct text *out,
                            const struct transcript *transcript,
                            const struct block *block,
                            const struct align *align, const struct line *got,
                            const size_t *index, bool keep_dots);
/* Write lines of the file as they are. */
void transcript_write_lines(struct text *out,
                            const struct transcript *transcript, size_t first,
                            size_t end);

#endif

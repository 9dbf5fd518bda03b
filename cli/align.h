/* SPDX-License-Identifier: MIT */
/*
 * What was expected beside what came: where `...` alone on a line stands for
 * any lines, also none.
 */
#ifndef PCIVISOR_CLI_ALIGN_H
#define PCIVISOR_CLI_ALIGN_H

#include <stdbool.h>
#include <stddef.h>

/* A line without its end; blanks at its end don't count. */
struct line {
    const char *text;
    size_t len;
};

/* One step from the first lines to the last. */
enum align_kind {
    ALIGN_SAME, /* an expected line came */
    ALIGN_DOTS, /* `...` stands for `count` lines that came */
    ALIGN_GONE, /* an expected line did not come */
    ALIGN_NEW,  /* a line came that was not expected */
};

struct align_step {
    enum align_kind kind;
    size_t expected; /* index, where there is one */
    size_t got;      /* index of the (first) line that came */
    size_t count;    /* of ALIGN_DOTS */
};

struct align {
    struct align_step *step; /* in order; freed with align_fini() */
    size_t count;
    bool matches; /* nothing is gone and nothing is new */
};

bool line_equal(struct line a, struct line b);
bool line_is_dots(struct line line);

/*
 * The way that changes least. Between ways that are as good, one that keeps
 * lines out of `...`. Where both sides are too long to compare (beyond 4
 * million pairs of lines) everything in the middle is gone and new.
 */
void align_lines(const struct line *expected, size_t expected_count,
                 const struct line *got, size_t got_count,
                 struct align *out_align);
void align_fini(struct align *align);

#endif

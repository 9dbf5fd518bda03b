/* SPDX-License-Identifier: MIT */
/*
 * What was expected beside what came. Equal lines at both ends are taken as
 * they are; for the middle a table holds the cost of the best way from each
 * pair of places to the end, as for an edit distance, with `...` swallowing
 * lines for nothing.
 */
#include "align.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define PAIRS_MAX 4000000u

/* A line that changed (gone and new) costs no more than a line that is gone:
 * the last line behind `...` then changes, instead of being swallowed. */
#define COST_GONE 2u
#define COST_CHANGED 2u
#define COST_NEW 1u

struct table {
    const struct line *expected;
    const struct line *got;
    size_t rows; /* expected lines */
    size_t columns;
    uint32_t *cost; /* (rows + 1) * (columns + 1) */
};

bool line_equal(struct line a, struct line b)
{
    return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

bool line_is_dots(struct line line)
{
    return line.len == 3 && memcmp(line.text, "...", 3) == 0;
}

static uint32_t *cost_at(const struct table *table, size_t row, size_t column)
{
    return &table->cost[row * (table->columns + 1) + column];
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The cost of the best way from here, when those behind it are known. */
static uint32_t cost_from(const struct table *table, size_t row, size_t column)
{
    bool dots = line_is_dots(table->expected[row]);
    uint32_t down = *cost_at(table, row + 1, column);

    if (column == table->columns) {
        return down + (dots ? 0 : COST_GONE);
    }
    uint32_t right = *cost_at(table, row, column + 1);
    uint32_t across = *cost_at(table, row + 1, column + 1);
    if (dots) {
        return least(down, right);
    }
    if (line_equal(table->expected[row], table->got[column])) {
        return across;
    }
    return least(across + COST_CHANGED,
                 least(down + COST_GONE, right + COST_NEW));
}

static void table_fill(struct table *table)
{
    for (size_t column = 0; column <= table->columns; column++) {
        *cost_at(table, table->rows, column) =
            (uint32_t)(table->columns - column) * COST_NEW;
    }
    for (size_t row = table->rows; row-- > 0;) {
        for (size_t column = table->columns + 1; column-- > 0;) {
            *cost_at(table, row, column) = cost_from(table, row, column);
        }
    }
}

static void step_add(struct align *align, size_t *room, enum align_kind kind,
                     size_t expected, size_t got)
{
    align->step =
        memory_grow(align->step, align->count, room, sizeof(*align->step));
    align->step[align->count++] = (struct align_step){kind, expected, got, 0};
    if (kind == ALIGN_GONE || kind == ALIGN_NEW) {
        align->matches = false;
    }
}

/* Follow the best way through the table; `base` is what was taken before. */
static void table_walk(const struct table *table, size_t base,
                       struct align *align, size_t *room)
{
    size_t row = 0;
    size_t column = 0;

    while (row < table->rows) {
        uint32_t here = *cost_at(table, row, column);
        bool more = column < table->columns;
        if (line_is_dots(table->expected[row])) {
            step_add(align, room, ALIGN_DOTS, base + row, base + column);
            size_t first = column;
            while (*cost_at(table, row + 1, column) != here) {
                column++;
            }
            align->step[align->count - 1].count = column - first;
            row++;
        } else if (more &&
                   line_equal(table->expected[row], table->got[column])) {
            step_add(align, room, ALIGN_SAME, base + row++, base + column++);
        } else if (more &&
                   *cost_at(table, row + 1, column + 1) + COST_CHANGED ==
                       here) {
            step_add(align, room, ALIGN_GONE, base + row++, base + column);
            step_add(align, room, ALIGN_NEW, base + row, base + column++);
        } else if (*cost_at(table, row + 1, column) + COST_GONE == here) {
            step_add(align, room, ALIGN_GONE, base + row++, base + column);
        } else {
            step_add(align, room, ALIGN_NEW, base + row, base + column++);
        }
    }
    while (column < table->columns) {
        step_add(align, room, ALIGN_NEW, base + row, base + column++);
    }
}

/* Too long to compare. */
static void replace_all(const struct table *table, size_t base,
                        struct align *align, size_t *room)
{
    for (size_t row = 0; row < table->rows; row++) {
        step_add(align, room, ALIGN_GONE, base + row, base);
    }
    for (size_t column = 0; column < table->columns; column++) {
        step_add(align, room, ALIGN_NEW, base + table->rows, base + column);
    }
}

/* How many lines at the front are equal and not `...`. */
static size_t common_front(const struct line *a, size_t a_count,
                           const struct line *b, size_t b_count)
{
    size_t count = 0;
    while (count < a_count && count < b_count && !line_is_dots(a[count]) &&
           line_equal(a[count], b[count])) {
        count++;
    }
    return count;
}

static size_t common_back(const struct line *a, size_t a_count,
                          const struct line *b, size_t b_count)
{
    size_t count = 0;
    while (count < a_count && count < b_count &&
           !line_is_dots(a[a_count - 1 - count]) &&
           line_equal(a[a_count - 1 - count], b[b_count - 1 - count])) {
        count++;
    }
    return count;
}

void align_lines(const struct line *expected, size_t expected_count,
                 const struct line *got, size_t got_count,
                 struct align *out_align)
{
    struct align align = {.matches = true};
    size_t room = 0;
    size_t front = common_front(expected, expected_count, got, got_count);
    size_t back = common_back(expected + front, expected_count - front,
                              got + front, got_count - front);
    struct table table = {.expected = expected + front,
                          .got = got + front,
                          .rows = expected_count - front - back,
                          .columns = got_count - front - back};

    for (size_t i = 0; i < front; i++) {
        step_add(&align, &room, ALIGN_SAME, i, i);
    }
    if (table.rows + 1 > PAIRS_MAX / (table.columns + 1)) {
        replace_all(&table, front, &align, &room);
    } else {
        table.cost = memory_zero((table.rows + 1) * (table.columns + 1),
                                 sizeof(*table.cost));
        table_fill(&table);
        table_walk(&table, front, &align, &room);
        free(table.cost);
    }
    for (size_t i = 0; i < back; i++) {
        step_add(&align, &room, ALIGN_SAME, expected_count - back + i,
                 got_count - back + i);
    }
    *out_align = align;
}

void align_fini(struct align *align)
{
    free(align->step);
    memset(align, 0, sizeof(*align));
}

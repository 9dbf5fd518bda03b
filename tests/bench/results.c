/* SPDX-License-Identifier: MIT */
/* Rows of the bench: for people as a table, for programs as JSON. */
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

struct row {
    char name[96];
    double value, target;
    const char *unit;
    enum bench_target kind;
    bool met;
};

static struct row *rows;
static size_t count;

void bench_begin(void)
{
    printf("%-56s %12s %-12s %10s  %s\n", "what", "value", "unit", "target",
           "met");
}

void bench_heading(const char *text)
{
    printf("\n%s\n", text);
}

static const char *met_word(const struct row *row)
{
    if (row->kind == BENCH_NONE) {
        return "";
    }
    return row->met ? "yes" : "NO";
}

static bool is_met(const struct row *row)
{
    switch (row->kind) {
    case BENCH_AT_MOST:
        return isfinite(row->value) && row->value <= row->target;
    case BENCH_AT_LEAST:
        return isfinite(row->value) && row->value >= row->target;
    case BENCH_NONE:
        break;
    }
    return true;
}

void bench_row(const char *name, double value, const char *unit,
               enum bench_target kind, double target)
{
    struct row *more = realloc(rows, (count + 1) * sizeof(*rows));
    struct row *row;
    char limit[32] = "";

    if (more == NULL) {
        bench_fail("rows", -PCV_ENOMEM);
    }
    rows = more;
    row = &rows[count++];
    (void)snprintf(row->name, sizeof(row->name), "%s", name);
    row->value = value;
    row->unit = unit;
    row->kind = kind;
    row->target = target;
    row->met = is_met(row);
    if (kind != BENCH_NONE) {
        (void)snprintf(limit, sizeof(limit), "%s %g",
                       kind == BENCH_AT_MOST ? "<=" : ">=", target);
    }
    printf("%-56s %12.2f %-12s %10s  %s\n", name, value, unit, limit,
           met_word(row));
    (void)fflush(stdout);
}

double bench_value(const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].value;
        }
    }
    return 0;
}

static struct json_object *as_json(const struct row *row)
{
    struct json_object *object = json_object_new_object();
    bool has_target = row->kind != BENCH_NONE;

    json_object_object_add(object, "name", json_object_new_string(row->name));
    json_object_object_add(object, "value", json_object_new_double(row->value));
    json_object_object_add(object, "unit", json_object_new_string(row->unit));
    json_object_object_add(object, "target",
                           has_target ? json_object_new_double(row->target)
                                      : NULL);
    json_object_object_add(
        object, "met", has_target ? json_object_new_boolean(row->met) : NULL);
    return object;
}

static int write_json(const char *path)
{
    struct json_object *array = json_object_new_array();
    int error;

    for (size_t i = 0; i < count; i++) {
        json_object_array_add(array, as_json(&rows[i]));
    }
    error = json_object_to_file_ext(path, array, JSON_C_TO_STRING_PRETTY);
    json_object_put(array);
    if (error != 0) {
        (void)fprintf(stderr, "bench: %s: it cannot be written\n", path);
    }
    return error;
}

int bench_end(const char *json)
{
    int missed = 0;

    for (size_t i = 0; i < count; i++) {
        missed += rows[i].met ? 0 : 1;
    }
    if (json != NULL && write_json(json) != 0) {
        missed = -1;
    }
    free(rows);
    rows = NULL;
    count = 0;
    return missed;
}

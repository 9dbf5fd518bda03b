/* SPDX-License-Identifier: MIT */
/* `pcivisor diff`: hardware and a guest's view of it, side by side. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "guests.h"
#include "json.h"
#include "policy.h"
#include "reg.h"
#include "verb.h"

/* Behind those of the policy, in main.c's list. */
enum {
    OPTION_JSON = POLICY_OPTION_COUNT,
    OPTION_DIFFERING,
};

/* Columns of the table. */
enum { COLUMN_NAME = 7, COLUMN_HELD = 48, COLUMN_SEEN = 58, COLUMN_WHY = 68 };

/* ---- a row --------------------------------------------------------------- */

/* Reasons, gathered: in words, or as JSON. */
struct why {
    struct text text;
    struct json_object *json; /* NULL: in words */
    uint32_t all;             /* bits that differ */
    unsigned digits;
};

static void why_add(void *arg, uint32_t mask, const char *words)
{
    struct why *why = arg;

    if (why->json != NULL) {
        struct json_object *object = json_object_new_object();
        json_add_hex(object, "bits", why->digits, mask);
        json_add_string(object, "reason", words);
        json_object_array_add(why->json, object);
        return;
    }
    text_add(&why->text, "%s", why->text.len > 0 ? "; " : "");
    if (mask != why->all) {
        text_add(&why->text, "%0*" PRIx32 ": ", (int)why->digits, mask);
    }
    text_add(&why->text, "%s", words);
}

/* What a row is called: the register, or what hardware has there. */
static void add_name(struct text *text, const struct explain *explain,
                     const struct cell *cell)
{
    if (cell->info.name != NULL) {
        text_add(text, "%s", cell->info.name);
    } else if (!explain_place(explain, cell->info.offset, text)) {
        text_add(text, "-");
    }
}

static uint32_t cell_held(const struct explain *explain,
                          const struct cell *cell)
{
    return space_read(&explain->before, cell->info.offset, cell->info.size);
}

/* Bytes that belong to no register are worth a line if they differ. */
static bool is_wanted(const struct explain *explain, const struct cell *cell,
                      bool differing)
{
    return cell_held(explain, cell) != cell->value ||
           (cell->info.name != NULL && !differing);
}

static void row_print(const struct explain *explain, const struct cell *cell,
                      struct text *out)
{
    int digits = cell->info.size * 2;
    uint32_t held = cell_held(explain, cell);
    struct why why = {.all = held ^ cell->value, .digits = (unsigned)digits};
    struct text line = {0};

    explain_cell(explain, cell, why_add, &why);
    text_add(&line, "%03x%s", cell->info.offset, reg_width(cell->info.size).s);
    text_pad(&line, COLUMN_NAME);
    add_name(&line, explain, cell);
    text_add(&line, " ");
    text_pad(&line, COLUMN_HELD);
    text_add(&line, "%0*" PRIx32 " ", digits, held);
    text_pad(&line, COLUMN_SEEN);
    text_add(&line, "%0*" PRIx32, digits, cell->value);
    if (why.text.len > 0) {
        text_add(&line, " ");
        text_pad(&line, COLUMN_WHY);
        text_add(&line, "%s", text_str(&why.text));
    }
    text_add(out, "%s\n", text_str(&line));
    text_fini(&why.text);
    text_fini(&line);
}

static struct json_object *row_json(const struct explain *explain,
                                    const struct cell *cell)
{
    unsigned digits = cell->info.size * 2u;
    uint32_t held = cell_held(explain, cell);
    struct json_object *object = json_object_new_object();
    struct why why = {.json = json_object_new_array(),
                      .all = held ^ cell->value,
                      .digits = digits};
    struct text name = {0};

    explain_cell(explain, cell, why_add, &why);
    add_name(&name, explain, cell);
    json_add_hex(object, "offset", 3, cell->info.offset);
    json_add_number(object, "size", cell->info.size);
    json_add_string(object, "name", text_str(&name));
    json_add(object, "capability",
             cell->cap_offset != 0 ? json_object_new_string(cell->cap) : NULL);
    json_add_bool(object, "shown", cell->info.name != NULL);
    json_add_hex(object, "hardware", digits, held);
    json_add_hex(object, "guest", digits, cell->value);
    json_add(object, "reasons", why.json);
    text_fini(&name);
    return object;
}

/* ---- all rows ------------------------------------------------------------ */

static void head_add(struct text *out)
{
    struct text line = {0};

    text_add(&line, "at");
    text_pad(&line, COLUMN_NAME);
    text_add(&line, "register");
    text_pad(&line, COLUMN_HELD);
    text_add(&line, "hardware");
    text_pad(&line, COLUMN_SEEN);
    text_add(&line, "guest");
    text_pad(&line, COLUMN_WHY);
    text_add(out, "%swhy they differ\n", text_str(&line));
    text_fini(&line);
}

static void table_add(const struct explain *explain,
                      const struct cell_list *list, bool differing,
                      struct text *out)
{
    uint16_t cap = 0; /* whose heading was printed last */
    uint64_t differ = 0;
    uint64_t rows = 0;

    head_add(out);
    for (size_t i = 0; i < list->count; i++) {
        const struct cell *cell = &list->item[i];
        if (!is_wanted(explain, cell, differing)) {
            continue;
        }
        if (cell->cap_offset != 0 && cell->cap_offset != cap) {
            cap = cell->cap_offset;
            text_add(out, "%s:\n", cell->cap);
        }
        row_print(explain, cell, out);
        rows++;
        differ += cell_held(explain, cell) != cell->value;
    }
    if (list->count > 0 && explain->before.size == PCV_CFG_EXT_SIZE &&
        list->item[list->count - 1].info.offset < PCV_CFG_SIZE) {
        text_add(out, "100-fff: extended space cannot be reached\n");
    }
    text_add_count(out, rows, "row");
    text_add(out, ", %" PRIu64 " differ\n", differ);
}

static void json_rows_add(const struct explain *explain,
                          const struct cell_list *list, bool differing,
                          const struct machine *machine, pcv_sbdf sbdf,
                          struct text *out)
{
    struct json_object *object = json_object_new_object();
    struct json_object *rows = json_object_new_array();

    json_add_sbdf(object, "address", machine, sbdf);
    json_add_string(object, "guest_address",
                    format_sbdf(NULL, false, explain->own).s);
    for (size_t i = 0; i < list->count; i++) {
        if (is_wanted(explain, &list->item[i], differing)) {
            json_object_array_add(rows, row_json(explain, &list->item[i]));
        }
    }
    json_add(object, "registers", rows);
    json_print(out, object);
}

static int diff_print(struct machine *machine, pcv_sbdf sbdf,
                      struct explain *explain, const struct args *args)
{
    bool differing = args->option[OPTION_DIFFERING] != NULL;
    struct cell_list list;
    struct text out = {0};

    if (!explain_take(explain, machine, sbdf,
                      guest_named(machine, "guest")->domain) ||
        !cells_take(&list, &explain->guest, explain->own, false)) {
        return verb_failed("%s: it has gone", machine_sbdf(machine, sbdf).s);
    }
    if (args->option[OPTION_JSON] != NULL) {
        json_rows_add(explain, &list, differing, machine, sbdf, &out);
    } else {
        table_add(explain, &list, differing, &out);
    }
    fwrite(text_str(&out), 1, out.len, stdout);
    text_fini(&out);
    cells_fini(&list);
    return EXIT_SUCCESS;
}

/* ---- the verb ------------------------------------------------------------ */

static int diff_run(const struct verb *verb, struct machine *machine,
                    const struct args *args)
{
    struct explain *explain = memory_zero(1, sizeof(*explain));
    struct pcv_assign_policy policy;
    struct text why = {0};
    uint64_t wait_us = 0;
    int status;
    pcv_sbdf sbdf;

    if (!parse_sbdf(machine->model, args->word[1], &sbdf, &why) ||
        !policy_parse(machine, args, NULL, &policy, &why)) {
        status = verb_misused(verb, "%s", text_str(&why));
    } else {
        /* It is only looked at, so it need not be made safe. */
        policy.flags |= PCV_ASSIGN_NO_RESET;
        space_take(&explain->before, machine, sbdf);
        int result = guest_create(machine, "guest");
        if (result == 0) {
            result = guest_show(machine, guest_named(machine, "guest"), sbdf,
                                &policy, &explain->own, &wait_us);
        }
        status = result == 0
                     ? diff_print(machine, sbdf, explain, args)
                     : verb_failed("%s can't be given to a guest: %s %s",
                                   machine_sbdf(machine, sbdf).s,
                                   pcv_errno_name(result),
                                   pcv_errno_meaning(result));
    }
    text_fini(&why);
    free(explain);
    return status;
}

int verb_diff(const struct verb *verb, const struct args *args)
{
    struct machine machine;
    struct text why = {0};
    int status;

    if (!machine_open(&machine, args->word[0], NULL, MACHINE_SCANNED, &why)) {
        verb_failed("%s", text_str(&why));
        text_fini(&why);
        return EXIT_FAILED;
    }
    status = diff_run(verb, &machine, args);
    if (!machine_close(&machine, &why)) {
        status = verb_failed("%s", text_str(&why));
    }
    text_fini(&why);
    return status;
}

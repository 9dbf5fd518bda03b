/* SPDX-License-Identifier: MIT */
/* `pcivisor inspect`: the machine as a tree, what looks broken, a summary. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "colour.h"
#include "inventory.h"
#include "json.h"
#include "names.h"
#include "problems.h"
#include "report.h"
#include "tree.h"
#include "verb.h"

/* A machine with more functions than this is shown in brief ... */
#define BRIEF_FROM 400u
/* ... in so many lines for each part. */
#define BRIEF_LINES 60u

/* "410 us", "12.3 ms", "0.41 s". */
static void time_add(struct text *text, uint64_t ns)
{
    if (ns < 1000000) {
        text_add(text, "%" PRIu64 " us", ns / 1000);
    } else if (ns < 100000000) {
        text_add(text, "%.1f ms", (double)ns / 1e6);
    } else {
        text_add(text, "%.2f s", (double)ns / 1e9);
    }
}

/* What the summary counts beside functions and buses. */
struct counts {
    uint64_t bridges;
    uint64_t vfs;
    uint64_t extended;
    bool one_owner; /* everything has the same */
};

static struct counts counts_make(const struct inventory *inventory)
{
    struct counts counts = {.one_owner = true};
    for (size_t i = 0; i < inventory->count; i++) {
        const struct pcv_device_info *info = &inventory->node[i].info;
        counts.bridges += info->is_bridge;
        counts.vfs += info->is_vf;
        counts.extended += info->extended;
        if (info->owner_id != inventory->node[0].info.owner_id) {
            counts.one_owner = false;
        }
    }
    return counts;
}

static void print_summary(const struct machine *machine,
                          const struct inventory *inventory)
{
    struct counts counts = counts_make(inventory);
    struct text text = {0};

    text_add_count(&text, inventory->count, "function");
    text_add(&text, " in ");
    text_add_count(&text, inventory->buses, "bus");
    text_add(&text, ", up in ");
    time_add(&text, machine->boot_ns);
    text_add(&text, " (");
    text_add_count(&text, counts.bridges, "bridge");
    text_add(&text, ", ");
    text_add_count(&text, counts.vfs, "VF");
    text_add(&text, ", %" PRIu64 " with extended space", counts.extended);
    if (counts.one_owner && inventory->count > 0) {
        text_add(
            &text, ", all owned by %s",
            machine_domain_name(machine, inventory->node[0].info.owner_id).s);
    }
    text_add(&text, ")");
    puts(text_str(&text));
    text_fini(&text);
}

static void print_problems(const struct machine *machine,
                           const struct problems *problems, size_t lines_max,
                           bool colours)
{
    if (problems->count == 0) {
        puts("Nothing looks broken.");
        return;
    }
    puts("What looks broken:");
    for (size_t i = 0; i < problems->count; i++) {
        if (lines_max != 0 && i == lines_max) {
            printf("  ... and %zu more: --all shows everything\n",
                   problems->count - i);
            return;
        }
        printf("  %s%s%s: %s\n", colour(colours, COLOUR_BAD),
               machine_sbdf(machine, problems->item[i].sbdf).s,
               colour(colours, COLOUR_NONE), problems->item[i].words);
    }
}

static void print_json(const char *spec, const struct machine *machine,
                       const struct inventory *inventory,
                       const struct problems *problems, struct names *names)
{
    struct json_object *object = json_object_new_object();
    struct json_object *functions = json_object_new_array();
    struct json_object *broken = json_object_new_array();
    struct counts counts = counts_make(inventory);
    struct text text = {0};

    json_add_string(object, "host", spec);
    json_add_number(object, "boot_ns", machine->boot_ns);
    json_add_number(object, "buses", inventory->buses);
    json_add_number(object, "bridges", counts.bridges);
    json_add_number(object, "vfs", counts.vfs);
    json_add_number(object, "reported", machine->reported_count);
    json_add_number(object, "failed", machine->scan.failed);
    for (size_t i = 0; i < inventory->count; i++) {
        const struct inventory_node *node = &inventory->node[i];
        struct json_object *function = report_json(machine, &node->info, names);
        if (node->parent != INVENTORY_NONE) {
            json_add_sbdf(function, "parent", machine,
                          inventory->node[node->parent].info.sbdf);
        }
        json_object_array_add(functions, function);
    }
    for (size_t i = 0; i < problems->count; i++) {
        struct json_object *problem = json_object_new_object();
        json_add_sbdf(problem, "address", machine, problems->item[i].sbdf);
        json_add_string(problem, "problem", problems->item[i].words);
        json_object_array_add(broken, problem);
    }
    json_add(object, "functions", functions);
    json_add(object, "problems", broken);
    json_print(&text, object);
    fwrite(text_str(&text), 1, text.len, stdout);
    text_fini(&text);
}

/* In the order of the verb's options in main.c. */
enum { OPTION_JSON, OPTION_VERBOSE, OPTION_NO_NAMES, OPTION_ALL };

static void inspect(struct machine *machine, const struct args *args)
{
    struct inventory inventory;
    struct problems problems;
    struct names *names =
        args->option[OPTION_NO_NAMES] != NULL ? NULL : names_create();

    inventory_take(&inventory, machine);
    problems_find(&problems, machine, &inventory);
    if (args->option[OPTION_JSON] != NULL) {
        print_json(args->word[0], machine, &inventory, &problems, names);
    } else {
        bool brief =
            args->option[OPTION_ALL] == NULL && inventory.count > BRIEF_FROM;
        struct tree_style style = {
            .describe = {.names = names,
                         .verbose = args->option[OPTION_VERBOSE] != NULL,
                         .owners = !counts_make(&inventory).one_owner},
            .colours = colour_wanted(stdout),
            .lines_max = brief ? BRIEF_LINES : 0};
        tree_print(machine, &inventory, &style);
        putchar('\n');
        print_problems(machine, &problems, style.lines_max, style.colours);
        print_summary(machine, &inventory);
    }
    problems_fini(&problems);
    inventory_fini(&inventory);
    names_destroy(names);
}

int verb_inspect(const struct verb *verb, const struct args *args)
{
    struct machine machine;
    struct text why = {0};
    int status = EXIT_SUCCESS;

    (void)verb;
    if (!machine_open(&machine, args->word[0], NULL, MACHINE_SCANNED, &why)) {
        verb_failed("%s", text_str(&why));
        text_fini(&why);
        return EXIT_FAILED;
    }
    inspect(&machine, args);
    if (!machine_close(&machine, &why)) {
        status = verb_failed("%s", text_str(&why));
    }
    text_fini(&why);
    return status;
}

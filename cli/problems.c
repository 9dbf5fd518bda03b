/* SPDX-License-Identifier: MIT */
/* What looks broken in a machine. */
#include "problems.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "view.h"

static void problem_add(struct problems *problems, pcv_sbdf sbdf,
                        const char *format, ...) CLI_PRINTF(3, 4);

static void problem_add(struct problems *problems, pcv_sbdf sbdf,
                        const char *format, ...)
{
    struct text words = {0};
    va_list args;

    va_start(args, format);
    text_vadd(&words, format, args);
    va_end(args);
    problems->item = memory_grow(problems->item, problems->count,
                                 &problems->room, sizeof(struct problem));
    problems->item[problems->count++] = (struct problem){sbdf, words.data};
}

/* Where the words about a list go. */
struct list_problem {
    struct problems *problems;
    pcv_sbdf sbdf;
};

static void list_problem(void *arg, const char *words)
{
    struct list_problem *list = arg;
    problem_add(list->problems, list->sbdf, "capability list: %s", words);
}

static void function_problems(struct problems *problems,
                              const struct pcv_device_info *info)
{
    struct list_problem list = {problems, info->sbdf};

    view_caps_problems(info->cap_problems, list_problem, &list);
    for (unsigned i = 0; i < PCV_BARS; i++) {
        if ((info->bar[i].flags & PCV_BAR_BROKEN) != 0) {
            problem_add(problems, info->sbdf,
                        "%s can't be sized: what it answers is no size",
                        report_bar_name(i));
        }
    }
    if (info->bus_conflict) {
        problem_add(problems, info->sbdf,
                    "bus numbers %02x-%02x can't be used: nothing behind it "
                    "is reached",
                    info->secondary, info->subordinate);
    }
    if (info->vanished) {
        problem_add(problems, info->sbdf, "it has vanished");
    }
    if (info->read_only && !info->concealed) {
        problem_add(problems, info->sbdf,
                    "header type %02x is unknown: it is read-only",
                    info->header_type & PCV_HEADER_TYPE_MASK);
    }
}

/* What was said during bring-up and shows nowhere else. */
static void event_problems(struct problems *problems,
                           const struct machine *machine)
{
    for (size_t i = 0; i < machine->events.count; i++) {
        const struct pcv_event *event = &machine->events.item[i];
        const char *bar = report_bar_name((unsigned)event->arg[0]);
        if (event->kind == PCV_EVENT_NOT_MAPPED) {
            problem_add(problems, event->sbdf,
                        "%s at %" PRIx64 " may not be mapped", bar,
                        event->arg[1]);
        } else if (event->kind == PCV_EVENT_MAP_FAILED) {
            problem_add(problems, event->sbdf,
                        "%s could not be mapped: %s; decoding is off", bar,
                        pcv_errno_name((int)event->arg[1]));
        }
    }
}

/* Why a function that the model has was not added, though nothing failed:
 * hardware is asked as a scan would ask it. */
static const char *why_missing(const struct machine *machine,
                               const struct pcv_model_facts *facts)
{
    uint32_t id = UINT32_MAX;
    uint32_t class = UINT32_MAX;
    const struct pcv_host_ops *ops = pcv_model_ops();

    (void)ops->cfg_read(machine->model, facts->sbdf, PCV_REG_VENDOR, 4, &id);
    (void)ops->cfg_read(machine->model, facts->sbdf, PCV_REG_REVISION, 4,
                        &class);
    if (class == UINT32_MAX) {
        return "it reads all ones: it sleeps (D3cold), or is gone";
    }
    if (facts->vf) {
        return "it is a VF whose PF is not there, or shows no SR-IOV";
    }
    if (id == UINT32_MAX) {
        return "its vendor ID reads ffff, and no PF has it as a VF";
    }
    if ((id & 0xffffu) % 0xffffu == 0 && (id >> 16) % 0xffffu == 0) {
        return "its vendor and device ID read as if nothing were there";
    }
    return "it answers, but could not be added";
}

/* Functions that the model has and the library doesn't. */
static void missing_problems(struct problems *problems,
                             const struct machine *machine,
                             const struct inventory *inventory)
{
    const struct pcv_scan *scan = &machine->scan;
    struct pcv_model_facts facts;

    for (size_t i = 0; pcv_model_facts_at(machine->model, i, &facts); i++) {
        if (!facts.present ||
            inventory_find(inventory, machine, facts.sbdf) != INVENTORY_NONE) {
            continue;
        }
        if (scan->failed != 0 && scan->first_failed.v == facts.sbdf.v) {
            problem_add(problems, facts.sbdf,
                        "it answers, but adding it failed: %s %s",
                        pcv_errno_name(scan->first_error),
                        pcv_errno_meaning(scan->first_error));
        } else {
            problem_add(problems, facts.sbdf, "%s",
                        why_missing(machine, &facts));
        }
    }
}

void problems_find(struct problems *out_problems, const struct machine *machine,
                   const struct inventory *inventory)
{
    struct problems problems = {0};

    for (size_t i = 0; i < inventory->count; i++) {
        function_problems(&problems, &inventory->node[i].info);
    }
    event_problems(&problems, machine);
    for (size_t i = 0; i < machine->reported_count; i++) {
        problem_add(&problems, machine->reported[i],
                    "no scan finds it: it had to be reported");
    }
    missing_problems(&problems, machine, inventory);
    *out_problems = problems;
}

void problems_fini(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->item[i].words);
    }
    free(problems->item);
    memset(problems, 0, sizeof(*problems));
}

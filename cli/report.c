/* SPDX-License-Identifier: MIT */
/* What is known of a function, in words and as JSON. */
#include "report.h"
#include "ctl/json.h"

#include <inttypes.h>

#include "names.h"
#include "view.h"

static bool bar_guessed(const struct machine *machine, pcv_sbdf sbdf,
                        unsigned index)
{
    struct pcv_model_facts facts;
    return index < PCV_MODEL_BARS &&
           pcv_model_facts_of(machine->model, sbdf, &facts) &&
           facts.bar_guessed[index];
}

static struct sbdf_text names_show(const void *ctx, pcv_sbdf sbdf)
{
    return machine_sbdf(ctx, sbdf);
}

static struct sbdf_text names_full(const void *ctx, pcv_sbdf sbdf)
{
    const struct machine *machine = ctx;
    return format_sbdf(machine->model, true, sbdf);
}

static struct domain_text names_domain(const void *ctx, uint32_t id)
{
    return machine_domain_name(ctx, id);
}

static bool names_parse(const void *ctx, const char *word, pcv_sbdf *out_sbdf,
                        struct text *why)
{
    const struct machine *machine = ctx;
    return parse_sbdf(machine->model, word, out_sbdf, why);
}

static bool names_guessed(const void *ctx, pcv_sbdf sbdf, unsigned bar)
{
    return bar_guessed(ctx, sbdf, bar);
}

struct words_names report_names(const struct machine *machine)
{
    return (struct words_names){machine,     names_show,    names_domain,
                                names_parse, names_guessed, names_full};
}

void report_bar_size(struct text *text, const struct machine *machine,
                     pcv_sbdf sbdf, unsigned index, const struct pcv_bar *bar)
{
    struct words_names names = report_names(machine);
    words_bar_size(text, &names, sbdf, index, bar);
}

static void json_add_names(struct json_object *object, struct names *names,
                           const struct pcv_device_info *info)
{
    struct text text = {0};
    names_add_device(names, &text, info->vendor, info->device);
    json_add_string(object, "name", text_str(&text));
    text_clear(&text);
    names_add_class(names, &text, (uint16_t)(info->class_code >> 8));
    json_add_string(object, "class_name", text_str(&text));
    text_fini(&text);
}

struct json_object *report_json(const struct machine *machine,
                                const struct pcv_device_info *info,
                                struct names *names)
{
    struct words_names words = report_names(machine);
    struct text text = {0};
    struct json_text json = {.out = &text};

    json_device(&json, NULL, &words, info);
    struct json_object *object = json_tokener_parse(text_str(&text));
    text_fini(&text);
    if (names != NULL) {
        json_add_names(object, names, info);
    }
    return object;
}

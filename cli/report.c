/* SPDX-License-Identifier: MIT */
/* What is known of a function, in words and as JSON. */
#include "report.h"

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
    return (struct words_names){machine, names_show, names_domain, names_parse,
                                names_guessed};
}

void report_bar_size(struct text *text, const struct machine *machine,
                     pcv_sbdf sbdf, unsigned index, const struct pcv_bar *bar)
{
    struct words_names names = report_names(machine);
    words_bar_size(text, &names, sbdf, index, bar);
}

static struct json_object *json_bars(const struct machine *machine,
                                     const struct pcv_device_info *info)
{
    struct json_object *list = json_object_new_array();

    for (unsigned i = 0; i < PCV_BARS; i++) {
        const struct pcv_bar *bar = &info->bar[i];
        if (!report_bar_exists(bar)) {
            continue;
        }
        struct json_object *object = json_object_new_object();
        struct text kind = {0};
        report_bar_kind(&kind, bar);
        json_add_string(object, "bar", report_bar_name(i));
        json_add_string(object, "kind", text_str(&kind));
        json_add_hex(object, "address", 1, bar->address);
        json_add_number(object, "size", bar->size);
        json_add_bool(object, "guessed", bar_guessed(machine, info->sbdf, i));
        json_add_bool(object, "hinted", (bar->flags & PCV_BAR_HINTED) != 0);
        json_add_bool(object, "broken", (bar->flags & PCV_BAR_BROKEN) != 0);
        json_add_bool(object, "mapped", (bar->flags & PCV_BAR_MAPPED) != 0);
        json_object_array_add(list, object);
        text_fini(&kind);
    }
    return list;
}

static void json_add_problem(void *arg, const char *problem)
{
    json_object_array_add(arg, json_object_new_string(problem));
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

static void json_add_relations(struct json_object *object,
                               const struct machine *machine,
                               const struct pcv_device_info *info)
{
    if (info->is_vf) {
        json_add_sbdf(object, "vf_of", machine, info->physfn);
    }
    if (info->num_vfs != 0) {
        json_add_number(object, "vfs", info->num_vfs);
    }
    if (info->is_bridge) {
        json_add_number(object, "secondary", info->secondary);
        json_add_number(object, "subordinate", info->subordinate);
        json_add_bool(object, "bus_conflict", info->bus_conflict);
    }
}

struct json_object *report_json(const struct machine *machine,
                                const struct pcv_device_info *info,
                                struct names *names)
{
    struct json_object *object = json_object_new_object();
    struct json_object *problems = json_object_new_array();

    json_add_sbdf(object, "address", machine, info->sbdf);
    json_add_hex(object, "vendor", 4, info->vendor);
    json_add_hex(object, "device", 4, info->device);
    json_add_hex(object, "subsystem_vendor", 4, info->subsystem_vendor);
    json_add_hex(object, "subsystem", 4, info->subsystem);
    json_add_hex(object, "class", 6, info->class_code);
    json_add_hex(object, "revision", 2, info->revision);
    if (names != NULL) {
        json_add_names(object, names, info);
    }
    json_add_string(object, "type", pcv_device_type_name(info->type));
    json_add_number(object, "header_type", info->header_type);
    json_add_string(object, "owner",
                    machine_domain_name(machine, info->owner_id).s);
    json_add_bool(object, "extended", info->extended);
    json_add_bool(object, "vanished", info->vanished);
    json_add_bool(object, "unreachable", info->unreachable);
    json_add_bool(object, "read_only", info->read_only);
    json_add_bool(object, "hidden", info->hidden);
    json_add_bool(object, "concealed", info->concealed);
    json_add_node(object, "node", info->node);
    if (info->serial != 0) {
        json_add_hex(object, "serial", 16, info->serial);
    }
    json_add_relations(object, machine, info);
    json_add(object, "bars", json_bars(machine, info));
    view_caps_problems(info->cap_problems, json_add_problem, problems);
    json_add(object, "capability_problems", problems);
    return object;
}

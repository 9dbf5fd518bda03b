/* SPDX-License-Identifier: MIT */
/* What is known of a function, in words and as JSON. */
#include "report.h"

#include <inttypes.h>

#include "names.h"
#include "view.h"

const char *report_state(enum pcv_device_state state)
{
    switch (state) {
    case PCV_STATE_PRESENT:
        return "present";
    case PCV_STATE_LEAVING:
        return "leaving";
    case PCV_STATE_ADDING:
        return "being added";
    case PCV_STATE_UNREACHABLE:
        return "unreachable";
    case PCV_STATE_ABSENT:
        break;
    }
    return "absent";
}

void report_holders(struct text *text, const struct pcv_device_status *status)
{
    const char *between = "";
    for (unsigned i = 0; i < PCV_HOLDERS; i++) {
        if (status->held[i] != 0) {
            text_add(text, "%s%s %" PRIu32, between,
                     pcv_holder_name((enum pcv_holder)i), status->held[i]);
            between = ", ";
        }
    }
    if (between[0] == '\0') {
        text_add(text, "nobody");
    }
}

const char *report_bar_name(unsigned index)
{
    static const char *const name[PCV_BARS] = {"bar0", "bar1", "bar2", "bar3",
                                               "bar4", "bar5", "rom"};
    return index < PCV_BARS ? name[index] : "?";
}

void report_bar_kind(struct text *text, const struct pcv_bar *bar)
{
    static const char *const kind[] = {
        [PCV_BAR_NONE] = "none",   [PCV_BAR_IO] = "I/O",
        [PCV_BAR_MEM32] = "mem32", [PCV_BAR_MEM64] = "mem64",
        [PCV_BAR_ROM] = "rom",
    };
    text_add(text, "%s%s", bar->kind <= PCV_BAR_ROM ? kind[bar->kind] : "?",
             (bar->flags & PCV_BAR_PREFETCHABLE) != 0 ? "p" : "");
}

static bool bar_guessed(const struct machine *machine, pcv_sbdf sbdf,
                        unsigned index)
{
    struct pcv_model_facts facts;
    return index < PCV_MODEL_BARS &&
           pcv_model_facts_of(machine->model, sbdf, &facts) &&
           facts.bar_guessed[index];
}

void report_bar_size(struct text *text, const struct machine *machine,
                     pcv_sbdf sbdf, unsigned index, const struct pcv_bar *bar)
{
    if ((bar->flags & PCV_BAR_BROKEN) != 0) {
        text_add(text, "!");
        return;
    }
    text_add(text, "%s%s", format_size(bar->size).s,
             bar_guessed(machine, sbdf, index) ? "~" : "");
}

bool report_bar_exists(const struct pcv_bar *bar)
{
    return bar->kind != PCV_BAR_NONE &&
           (bar->size != 0 || (bar->flags & PCV_BAR_BROKEN) != 0);
}

static void event_problem(void *arg, const char *problem)
{
    text_add(arg, ", %s", problem);
}

/* Of a vector or a capability in an event: MSI-X, or extended. */
#define EVENT_FLAG 0x10000u

/* "hidden: AER ENOMEM" */
static void event_cap(struct text *text, const struct pcv_event *event)
{
    bool extended = (event->arg[0] & EVENT_FLAG) != 0;
    uint16_t id = (uint16_t)event->arg[0];
    const char *name = pcv_cap_name(id, extended);

    if (name != NULL) {
        text_add(text, ": %s", name);
    } else {
        text_add(text, ": %0*x", extended ? 4 : 2, id);
    }
    text_add(text, " %s", pcv_errno_name((int)event->arg[1]));
}

/* Of events about owners, capabilities, vectors, VFs, and failed adds. */
static void event_details(struct text *text, const struct machine *machine,
                          const struct pcv_event *event)
{
    switch (event->kind) {
    case PCV_EVENT_ASSIGNED:
        text_add(text, " to %s",
                 machine_domain_name(machine, (uint32_t)event->arg[0]).s);
        break;
    case PCV_EVENT_QUARANTINED:
        text_add(text, ": %s at step %" PRIu64,
                 pcv_errno_name((int)event->arg[0]), event->arg[1]);
        break;
    case PCV_EVENT_CAP_HIDDEN:
        event_cap(text, event);
        break;
    case PCV_EVENT_BIND_FAILED:
        text_add(text, ": %s vector %u %s",
                 (event->arg[0] & EVENT_FLAG) != 0 ? "MSI-X" : "MSI",
                 (unsigned)(event->arg[0] & (EVENT_FLAG - 1)),
                 pcv_errno_name((int)event->arg[1]));
        break;
    case PCV_EVENT_VFS_BUSY:
    case PCV_EVENT_VF_FAILED:
        text_add(text, ": %s",
                 machine_sbdf(machine, (pcv_sbdf){(uint32_t)event->arg[0]}).s);
        if (event->kind == PCV_EVENT_VF_FAILED) {
            text_add(text, " %s", pcv_errno_name((int)event->arg[1]));
        }
        break;
    case PCV_EVENT_EXTENDED:
        text_add(text, " %s", event->arg[0] != 0 ? "came" : "went");
        break;
    case PCV_EVENT_CONCEALED:
        text_add(text, ": %s is emulated",
                 machine_sbdf(machine, (pcv_sbdf){(uint32_t)event->arg[0]}).s);
        break;
    case PCV_EVENT_ADD_FAILED:
        text_add(text, ": %s", pcv_errno_name((int)event->arg[0]));
        break;
    case PCV_EVENT_MOVED:
        text_add(text, " from %s",
                 machine_sbdf(machine, (pcv_sbdf){(uint32_t)event->arg[0]}).s);
        break;
    case PCV_EVENT_MOVE_FAILED:
        text_add(text, ": %s %s",
                 machine_sbdf(machine, (pcv_sbdf){(uint32_t)event->arg[0]}).s,
                 pcv_errno_name((int)event->arg[1]));
        break;
    default:
        break;
    }
}

void report_event(struct text *text, const struct machine *machine,
                  const struct pcv_event *event)
{
    text_add(text, "%s: %s", machine_sbdf(machine, event->sbdf).s,
             pcv_event_name(event->kind));
    switch (event->kind) {
    case PCV_EVENT_CAP_LIST:
        view_caps_problems((uint32_t)event->arg[0], event_problem, text);
        break;
    case PCV_EVENT_BUS_NUMBERS:
        text_add(text, " %02" PRIx64 "-%02" PRIx64, event->arg[0],
                 event->arg[1]);
        break;
    case PCV_EVENT_BAR_SIZE:
    case PCV_EVENT_NOT_MAPPED:
        text_add(text, " %s %" PRIx64, report_bar_name((unsigned)event->arg[0]),
                 event->arg[1]);
        break;
    case PCV_EVENT_MAP_FAILED:
    case PCV_EVENT_UNMAP_FAILED:
        text_add(text, " %s %s", report_bar_name((unsigned)event->arg[0]),
                 pcv_errno_name((int)event->arg[1]));
        break;
    case PCV_EVENT_HOST_FAILED:
        if ((event->arg[0] & 0x10000u) != 0) {
            text_add(text, " %s in %s", event->arg[1] != 0 ? "write" : "read",
                     report_bar_name((unsigned)event->arg[0] & 0xffu));
        } else {
            text_add(text, " %s of %02" PRIx64,
                     event->arg[1] != 0 ? "write" : "read", event->arg[0]);
        }
        break;
    case PCV_EVENT_ASSIGNED:
    case PCV_EVENT_QUARANTINED:
    case PCV_EVENT_CAP_HIDDEN:
    case PCV_EVENT_BIND_FAILED:
    case PCV_EVENT_VFS_BUSY:
    case PCV_EVENT_VF_FAILED:
    case PCV_EVENT_EXTENDED:
    case PCV_EVENT_CONCEALED:
    case PCV_EVENT_ADD_FAILED:
    case PCV_EVENT_MOVED:
    case PCV_EVENT_MOVE_FAILED:
        event_details(text, machine, event);
        break;
    case PCV_EVENT_NO_RESET:
    case PCV_EVENT_RESET:
    case PCV_EVENT_EXTENDED_BUSY:
    case PCV_EVENT_ADDED:
    case PCV_EVENT_LEAVING:
    case PCV_EVENT_GONE:
    case PCV_EVENT_VANISHED:
    case PCV_EVENT_RESET_SEEN:
    case PCV_EVENT_UNREACHABLE:
        break;
    }
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

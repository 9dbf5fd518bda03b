/* SPDX-License-Identifier: MIT */
/* What `inspect` says of a function. */
#include "describe.h"

#include <inttypes.h>
#include <stdlib.h>

#include "report.h"
#include "view.h"

/* The two longest names would move everything to the right. */
static const char *type_short(enum pcv_device_type type)
{
    switch (type) {
    case PCV_TYPE_RC_ENDPOINT:
        return "integrated endpoint";
    case PCV_TYPE_RC_EVENT_COLLECTOR:
        return "event collector";
    default:
        return pcv_device_type_name(type);
    }
}

void describe_title(struct text *text, const struct pcv_device_info *info,
                    struct names *names)
{
    text_add(text, "%-22s ", type_short(info->type));
    if (names != NULL) {
        names_add_device(names, text, info->vendor, info->device);
        text_add(text, " ");
    }
    text_add(text, "[%04x:%04x]", info->vendor, info->device);
}

/* One fact more on a line. */
static void fact_add(struct text *text, const char *format, ...)
    CLI_PRINTF(2, 3);

static void fact_add(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_add(text, "%s", text->len > 0 ? "  " : "");
    text_vadd(text, format, args);
    va_end(args);
}

/* Owner, extended space, node, VF and PF. */
static void add_relations(struct text *text, const struct machine *machine,
                          const struct pcv_device_info *info, bool owner)
{
    if (owner) {
        fact_add(text, "%s", machine_domain_name(machine, info->owner_id).s);
    }
    if (info->extended) {
        fact_add(text, "extended");
    }
    if (info->node != PCV_NODE_NONE) {
        fact_add(text, "node %" PRIu32, info->node);
    }
    if (info->is_vf) {
        fact_add(text, "VF of %s", machine_sbdf(machine, info->physfn).s);
    }
    if (info->num_vfs != 0) {
        fact_add(text, "PF of ");
        text_add_count(text, info->num_vfs, "VF");
    }
    if (info->vanished) {
        fact_add(text, "vanished");
    }
    if (info->hidden) {
        fact_add(text, "hidden");
    }
    if (info->concealed) {
        fact_add(text, "concealed");
    } else if (info->read_only) {
        fact_add(text, "read-only");
    }
}

/* "bar0 mem64p 16K~ hinted", with the address if `verbose`. */
static void add_bar(struct text *text, const struct machine *machine,
                    const struct pcv_device_info *info, unsigned index,
                    bool verbose)
{
    const struct pcv_bar *bar = &info->bar[index];

    fact_add(text, "%s ", report_bar_name(index));
    if (index != PCV_BAR_IS_ROM) {
        report_bar_kind(text, bar);
        text_add(text, " ");
    }
    report_bar_size(text, machine, info->sbdf, index, bar);
    if ((bar->flags & PCV_BAR_HINTED) != 0) {
        text_add(text, " hinted");
    }
    if (verbose) {
        text_add(text, " at %" PRIx64 "%s", bar->address,
                 (bar->flags & PCV_BAR_MAPPED) != 0 ? ", mapped" : "");
    }
}

static void add_caps(struct text *text, struct machine *machine,
                     const struct pcv_device_info *info)
{
    struct view view = {machine, machine->dom0, VIEW_ADDRESS, 0};
    struct view_caps *caps = memory_zero(1, sizeof(*caps));

    view_caps_read(&view, info->sbdf, info->extended, caps);
    for (size_t i = 0; i < caps->count; i++) {
        const struct pcv_cap *cap = &caps->cap[i];
        const char *name = pcv_cap_name(cap->id, cap->extended);
        text_add(text, "%s%02x ", i == 0 ? "capabilities " : ", ", cap->offset);
        if (name != NULL) {
            text_add(text, "%s", name);
        } else {
            text_add(text, "(%0*x)", cap->extended ? 4 : 2, cap->id);
        }
    }
    free(caps);
}

static void add_identity(struct text *text, const struct pcv_device_info *info,
                         struct names *names)
{
    text_add(text, "class %06" PRIx32, info->class_code);
    if (names != NULL) {
        text_add(text, " ");
        names_add_class(names, text, (uint16_t)(info->class_code >> 8));
    }
    text_add(text, "  rev %02x  subsystem %04x:%04x", info->revision,
             info->subsystem_vendor, info->subsystem);
    if (info->serial != 0) {
        text_add(text, "  serial %016" PRIx64, info->serial);
    }
}

/* Hand over a line and begin the next. */
static void line_give(struct text *text,
                      void (*fn)(void *arg, const char *words), void *arg)
{
    if (text->len > 0) {
        fn(arg, text_str(text));
        text_clear(text);
    }
}

void describe_details(struct machine *machine,
                      const struct pcv_device_info *info,
                      const struct describe_style *style,
                      void (*fn)(void *arg, const char *words), void *arg)
{
    struct text text = {0};

    add_relations(&text, machine, info, style->owners);
    if (style->verbose) {
        line_give(&text, fn, arg);
        add_identity(&text, info, style->names);
        line_give(&text, fn, arg);
    }
    for (unsigned i = 0; i < PCV_BARS; i++) {
        if (!report_bar_exists(&info->bar[i])) {
            continue;
        }
        add_bar(&text, machine, info, i, style->verbose);
        if (style->verbose) {
            line_give(&text, fn, arg);
        }
    }
    if (style->verbose) {
        add_caps(&text, machine, info);
    }
    line_give(&text, fn, arg);
    text_fini(&text);
}

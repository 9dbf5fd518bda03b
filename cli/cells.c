/* SPDX-License-Identifier: MIT */
/* The registers that a domain sees, and the command that prints them. */
#include "cells.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "json.h"
#include "reg.h"

/* ---- policies ------------------------------------------------------------ */

static const struct {
    const char *name;
    size_t mask; /* its place in struct pcv_policy */
} policy_row[] = {
    {"hardware", offsetof(struct pcv_policy, hardware)},
    {"read-only", offsetof(struct pcv_policy, read_only)},
    {"w1c", offsetof(struct pcv_policy, w1c)},
    {"constant", offsetof(struct pcv_policy, constant)},
    {"virtual", offsetof(struct pcv_policy, virt)},
    {"virtual-w1c", offsetof(struct pcv_policy, virt_w1c)},
    {"preserved", offsetof(struct pcv_policy, preserve)},
};

#define POLICY_ROWS (sizeof(policy_row) / sizeof(policy_row[0]))

const char *cell_policy_name(size_t index)
{
    if (index == POLICY_ROWS) {
        return "zero";
    }
    return index < POLICY_ROWS ? policy_row[index].name : NULL;
}

static uint32_t ones(uint8_t size)
{
    return UINT32_MAX >> (32 - 8 * size);
}

uint32_t cell_policy_mask(const struct pcv_register_info *info, size_t index)
{
    uint32_t mask = 0;
    uint32_t seen = 0;

    for (size_t i = 0; i < POLICY_ROWS; i++) {
        memcpy(&mask, (const char *)&info->policy + policy_row[i].mask,
               sizeof(mask));
        if (i == index) {
            return mask;
        }
        seen |= mask;
    }
    return ones(info->size) & ~seen;
}

/* ---- taking -------------------------------------------------------------- */

/* The one policy that all bits of a piece have; POLICY_ROWS + 1: several. */
static size_t only_policy(const struct pcv_register_info *info)
{
    for (size_t i = 0; i <= POLICY_ROWS; i++) {
        if (cell_policy_mask(info, i) == ones(info->size)) {
            return i;
        }
    }
    return POLICY_ROWS + 1;
}

/* Whether a piece goes on where a run ends. The extended space begins a line of
 * its own. */
static bool run_goes_on(const struct cell *run,
                        const struct pcv_register_info *info)
{
    size_t policy = only_policy(info);

    return run->info.name == NULL && info->name == NULL &&
           run->info.offset + run->bytes == info->offset &&
           policy <= POLICY_ROWS && policy == only_policy(&run->info) &&
           info->offset != PCV_CFG_SIZE;
}

/* The capability that a register belongs to: the nearest one in front of it. */
static void cap_name(const struct view_caps *caps, struct cell *cell)
{
    const struct pcv_cap *nearest = NULL;
    uint16_t offset = cell->info.offset;

    for (size_t i = 0; i < caps->count; i++) {
        const struct pcv_cap *cap = &caps->cap[i];
        if (cap->extended == (offset >= PCV_CFG_SIZE) &&
            cap->offset <= offset &&
            (nearest == NULL || cap->offset > nearest->offset)) {
            nearest = cap;
        }
    }
    if (nearest == NULL || cell->info.name == NULL || cell->info.passed) {
        return;
    }
    const char *name = pcv_cap_name(nearest->id, nearest->extended);
    cell->cap_offset = nearest->offset;
    if (name != NULL) {
        snprintf(cell->cap, sizeof(cell->cap), "%s", name);
    } else {
        snprintf(cell->cap, sizeof(cell->cap), "capability %0*x",
                 nearest->extended ? 4 : 2, nearest->id);
    }
}

static void cell_add(struct cell_list *list, const struct view *view,
                     pcv_sbdf sbdf, const struct view_caps *caps,
                     const struct pcv_register_info *info)
{
    struct cell cell = {
        .info = *info,
        .bytes = info->size,
        .value = view_read(view, sbdf, info->offset, info->size),
    };

    cap_name(caps, &cell);
    list->item =
        memory_grow(list->item, list->count, &list->room, sizeof(*list->item));
    list->item[list->count++] = cell;
}

/* The function that a domain has at its address, with a reference; NULL, also
 * if somebody else has it. */
static struct pcv_device *owned_device(const struct view *view, pcv_sbdf sbdf)
{
    return pcv_domain_kind(view->domain) == PCV_DOMAIN_HARDWARE
               ? pcv_device_find_owned(view->domain, sbdf)
               : pcv_domain_device(view->domain, sbdf);
}

bool cells_take(struct cell_list *out_list, const struct view *view,
                pcv_sbdf sbdf, bool runs)
{
    struct pcv_device *device = owned_device(view, sbdf);
    struct view_caps *caps = memory_zero(1, sizeof(*caps));
    struct cell_list list = {0};
    struct pcv_device_info device_info;
    struct pcv_register_info info;
    uint16_t at = 0;

    if (device == NULL) {
        free(caps);
        return false;
    }
    pcv_device_get_info(device, &device_info);
    view_caps_read(view, sbdf, device_info.extended, caps);
    while (at < PCV_CFG_EXT_SIZE && pcv_register_next(device, at, &info)) {
        at = (uint16_t)(info.offset + info.size);
        struct cell *last = list.count > 0 ? &list.item[list.count - 1] : NULL;
        if (runs && last != NULL && run_goes_on(last, &info)) {
            last->bytes = (uint16_t)(last->bytes + info.size);
        } else {
            cell_add(&list, view, sbdf, caps, &info);
        }
    }
    pcv_device_put(device);
    free(caps);
    *out_list = list;
    return true;
}

void cells_fini(struct cell_list *list)
{
    free(list->item);
    memset(list, 0, sizeof(*list));
}

/* ---- printing ------------------------------------------------------------ */

/* Columns of the table. */
enum { COLUMN_NAME = 7, COLUMN_VALUE = 48, COLUMN_POLICY = 58 };

/* "virtual 0406, zero fbf9": the masks that are not empty. */
static void add_masks(struct text *text, const struct pcv_register_info *info)
{
    const char *between = "";

    for (size_t i = 0; i <= POLICY_ROWS; i++) {
        uint32_t mask = cell_policy_mask(info, i);
        if (mask == 0) {
            continue;
        }
        text_add(text, "%s%s", between, cell_policy_name(i));
        text_add(text, " %0*" PRIx32, info->size * 2, mask);
        between = ", ";
    }
    if (info->reads || info->writes) {
        text_add(text, " (%s%s%s handled)", info->reads ? "reads" : "",
                 info->reads && info->writes ? " and " : "",
                 info->writes ? "writes" : "");
    }
    if (info->passed) {
        text_add(text, " (passed through)");
    }
}

static void cell_line(struct text *out, const struct cell *cell)
{
    struct text line = {0};
    const struct pcv_register_info *info = &cell->info;

    if (info->name == NULL) {
        size_t policy = only_policy(info);
        text_add(&line, "%03x-%03x no register", info->offset,
                 info->offset + cell->bytes - 1u);
        text_pad(&line, COLUMN_POLICY);
        text_add(&line, "%s",
                 policy <= POLICY_ROWS ? cell_policy_name(policy) : "mixed");
    } else {
        text_add(&line, "%03x%s", info->offset, reg_width(info->size).s);
        text_pad(&line, COLUMN_NAME);
        text_add(&line, "%s ", info->name);
        text_pad(&line, COLUMN_VALUE);
        text_add(&line, "%0*" PRIx32 " ", info->size * 2, cell->value);
        text_pad(&line, COLUMN_POLICY);
        add_masks(&line, info);
    }
    text_add(out, "%s\n", text_str(&line));
    text_fini(&line);
}

static void print_table(struct text *out, const struct cell_list *list)
{
    struct text head = {0};
    uint16_t cap = 0; /* whose heading was printed last */

    text_add(&head, "at");
    text_pad(&head, COLUMN_NAME);
    text_add(&head, "register");
    text_pad(&head, COLUMN_VALUE);
    text_add(&head, "value");
    text_pad(&head, COLUMN_POLICY);
    text_add(out, "%sbits\n", text_str(&head));
    text_fini(&head);
    for (size_t i = 0; i < list->count; i++) {
        const struct cell *cell = &list->item[i];
        if (cell->cap_offset != 0 && cell->cap_offset != cap) {
            cap = cell->cap_offset;
            text_add(out, "%s:\n", cell->cap);
        }
        cell_line(out, cell);
    }
}

static struct json_object *cell_json(const struct cell *cell)
{
    const struct pcv_register_info *info = &cell->info;
    struct json_object *object = json_object_new_object();
    struct json_object *bits = json_object_new_object();

    json_add_hex(object, "offset", 3, info->offset);
    json_add_number(object, "size", cell->bytes);
    json_add(object, "name",
             info->name != NULL ? json_object_new_string(info->name) : NULL);
    json_add(object, "capability",
             cell->cap_offset != 0 ? json_object_new_string(cell->cap) : NULL);
    if (info->name != NULL) {
        json_add_hex(object, "value", info->size * 2u, cell->value);
    }
    for (size_t i = 0; i <= POLICY_ROWS; i++) {
        uint32_t mask = cell_policy_mask(info, i);
        if (mask != 0) {
            json_add_hex(bits, cell_policy_name(i), info->size * 2u, mask);
        }
    }
    json_add(object, "bits", bits);
    json_add_bool(object, "reads_handled", info->reads);
    json_add_bool(object, "writes_handled", info->writes);
    json_add_bool(object, "passed_through", info->passed);
    return object;
}

enum command_result command_cells(struct call *call)
{
    struct cell_list list;
    pcv_sbdf sbdf;

    if (!call_domain(call, call->args.word[0]) ||
        !call_view_sbdf(call, 1, &sbdf)) {
        return COMMAND_MISUSED;
    }
    if (!cells_take(&list, &call->view, sbdf, true)) {
        return call_refused(call, ABOUT_VIEW, PCV_ENODEV,
                            view_sbdf(&call->view, sbdf).s);
    }
    if (call->args.option[0] != NULL) {
        struct json_object *json = json_object_new_array();
        for (size_t i = 0; i < list.count; i++) {
            json_object_array_add(json, cell_json(&list.item[i]));
        }
        json_print(call->out, json);
    } else {
        print_table(call->out, &list);
    }
    cells_fini(&list);
    return COMMAND_DONE;
}

/* SPDX-License-Identifier: MIT */
/* Commands that look at what a domain has. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/why.h"

/* ---- what a domain owns ---------------------------------------------------
 */

struct owned_devices {
    struct pcv_ctl_device *item;
    size_t count, room;
};

static bool owned_add(void *arg, const union pcv_ctl_record *record)
{
    struct owned_devices *list = arg;

    list->item =
        memory_grow(list->item, list->count, &list->room, sizeof(*list->item));
    list->item[list->count++] = record->device;
    return true;
}

static int owned_compare(const void *a, const void *b)
{
    const struct pcv_ctl_device *x = a;
    const struct pcv_ctl_device *y = b;
    return x->own.v < y->own.v ? -1 : x->own.v > y->own.v;
}

/* All of it, in the order of its own addresses; to be freed. */
static int owned_ask(const struct ctl *ctl, uint32_t domain_id,
                     struct owned_devices *out_list)
{
    struct owned_devices list = {0};
    int error = ctl_each_device(ctl, &domain_id, owned_add, &list);

    if (list.count > 0) {
        qsort(list.item, list.count, sizeof(*list.item), owned_compare);
    }
    *out_list = list;
    return error;
}

/* ---- domains --------------------------------------------------------------
 */

struct domains {
    const struct ctl *ctl;
    int error;
};

static bool domain_line(void *arg, const union pcv_ctl_record *record)
{
    struct domains *domains = arg;
    const struct ctl *ctl = domains->ctl;
    uint32_t id = record->domain.id;
    struct owned_devices list;

    domains->error = owned_ask(ctl, id, &list);
    text_add(ctl->out, "%s: domain %" PRIu32 ", ", ctl_domain_name(ctl, id).s,
             id);
    text_add_count(ctl->out, list.count, "function");
    text_add(ctl->out, "\n");
    for (size_t i = 0; id != PCV_DOMAIN_ID_HARDWARE && i < list.count; i++) {
        text_add(ctl->out, "  %s is %s\n",
                 format_address(false, 0, list.item[i].own).s,
                 ctl_show(ctl, list.item[i].info.sbdf).s);
    }
    free(list.item);
    return domains->error == 0;
}

bool ctl_domains(const struct ctl *ctl)
{
    struct pcv_ctl_request request =
        ctl_request(PCV_CTL_DOMAINS, (pcv_sbdf){0});
    struct domains domains = {.ctl = ctl};
    int error = ctl_each(ctl, &request, domain_line, &domains);

    error = error != 0 ? error : domains.error;
    return error == 0 || why_failed_as(ctl, &request, error, "domains");
}

/* ---- pages ----------------------------------------------------------------
 */

struct mapped {
    const struct ctl *ctl;
    const char *indent;
};

static bool mapping_line(void *arg, const union pcv_ctl_record *record)
{
    const struct mapped *mapped = arg;
    const struct ctl *ctl = mapped->ctl;
    const struct pcv_mapping *mapping = &record->mapping.mapping;
    uint32_t shift = record->mapping.page_shift & 63u;
    uint64_t first = mapping->first_page << shift;

    text_add(ctl->out, "%s%" PRIx64 "-%" PRIx64 ": ", mapped->indent, first,
             first + ((mapping->pages << shift) - 1));
    text_add_count(ctl->out, mapping->pages, "page");
    text_add(ctl->out, ", ");
    text_add_count(ctl->out, mapping->users, "user");
    text_add(ctl->out, "\n");
    return true;
}

/* An error comes alone. */
static bool mapped_lines(const struct ctl *ctl, uint32_t domain_id,
                         const char *indent)
{
    struct pcv_ctl_request request =
        ctl_request(PCV_CTL_MAPPINGS, (pcv_sbdf){0});
    struct mapped mapped = {ctl, indent};
    size_t before = ctl->out->len;

    request.domain_id = domain_id;
    int error = ctl_each(ctl, &request, mapping_line, &mapped);
    if (error != 0) {
        return why_failed_as(ctl, &request, error,
                             ctl_domain_name(ctl, domain_id).s);
    }
    if (ctl->out->len == before) {
        text_add(ctl->out, "%snothing is mapped\n", indent);
    }
    return true;
}

bool ctl_mapped(const struct ctl *ctl, uint32_t domain_id)
{
    return mapped_lines(ctl, domain_id, "");
}

/* ---- BARs -----------------------------------------------------------------
 */

struct bars {
    const struct ctl *ctl;
    const struct pcv_ctl_device *device;
    const char *indent;
};

/* "bar0 mem64 80000000 size 16K, on the machine fe800000: mapped, 3 pages" */
static void bar_words(struct text *out, const struct pcv_ctl_bar *record)
{
    const struct pcv_bar_view *bar = &record->view;
    struct pcv_bar kind = {.kind = bar->kind};

    text_add(out, "%s ", report_bar_name(record->index));
    if (record->index != PCV_BAR_IS_ROM) {
        report_bar_kind(out, &kind);
        text_add(out, " ");
    }
    text_add(out, "%" PRIx64 " size %s", bar->address.v,
             format_size(bar->size).s);
    if (record->index == PCV_BAR_IS_ROM && bar->host.v == 0) {
        text_add(out, ", an image"); /* that came with the assignment */
    } else {
        text_add(out, ", on the machine %" PRIx64, bar->host.v);
    }
    text_add(out, ": %s", pcv_bar_state_name((enum pcv_bar_state)bar->state));
    if (bar->mapped_pages != 0) {
        text_add(out, ", ");
        text_add_count(out, bar->mapped_pages, "page");
    }
    if (bar->trapped_pages != 0) {
        text_add(out, ", ");
        text_add_count(out, bar->trapped_pages, "page");
        text_add(out, "%s", bar->state == PCV_BAR_TRAPPED ? "" : " trapped");
    }
    text_add(out, "\n");
}

static bool bar_line(void *arg, const union pcv_ctl_record *record)
{
    const struct bars *bars = arg;
    const struct ctl *ctl = bars->ctl;
    const struct pcv_device_info *info = &bars->device->info;

    text_add(ctl->out, "%s%s", bars->indent, ctl_show(ctl, info->sbdf).s);
    if (info->owner_id != PCV_DOMAIN_ID_HARDWARE) {
        text_add(ctl->out, " (%s %s)", ctl_domain_name(ctl, info->owner_id).s,
                 format_address(false, 0, bars->device->own).s);
    }
    text_add(ctl->out, " ");
    bar_words(ctl->out, &record->bar);
    return true;
}

static int device_bars(const struct ctl *ctl,
                       const struct pcv_ctl_device *device, const char *indent)
{
    struct pcv_ctl_request request =
        ctl_request(PCV_CTL_BARS, device->info.sbdf);
    struct bars bars = {ctl, device, indent};

    return ctl_each(ctl, &request, bar_line, &bars);
}

bool ctl_bars(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_DEVICE, sbdf);
    union pcv_ctl_record record;
    size_t before = ctl->out->len;
    int error = ctl_ask(ctl, &request, &record);

    if (error == 0) {
        error = device_bars(ctl, &record.device, "");
    }
    if (error != 0) {
        return why_failed(ctl, &request, error);
    }
    if (ctl->out->len == before) {
        text_add(ctl->out, "%s: no BARs\n", ctl_show(ctl, sbdf).s);
    }
    return true;
}

bool ctl_domain_bars(const struct ctl *ctl, uint32_t domain_id,
                     const char *indent)
{
    struct owned_devices list;
    int error = owned_ask(ctl, domain_id, &list);

    for (size_t i = 0; i < list.count && error == 0; i++) {
        error = device_bars(ctl, &list.item[i], indent);
        /* It may have gone since. */
        error = error == -PCV_ENODEV ? 0 : error;
    }
    free(list.item);
    const struct pcv_ctl_request request =
        ctl_request(PCV_CTL_BARS, (pcv_sbdf){0});

    return error == 0 || why_failed_as(ctl, &request, error,
                                       ctl_domain_name(ctl, domain_id).s);
}

/* ---- configuration space --------------------------------------------------
 */

struct rows {
    uint32_t first, end; /* what is wanted of them */
    ctl_row_fn *fn;
    void *arg;
};

/* Registers are read four bytes at a time; of a row only what was asked for is
 * told. */
static bool row_told(void *arg, const union pcv_ctl_record *record)
{
    const struct rows *rows = arg;
    const struct pcv_ctl_row *row = &record->row;
    uint32_t size =
        row->size < PCV_CTL_ROW_BYTES ? row->size : PCV_CTL_ROW_BYTES;
    uint32_t skip = row->reg < rows->first ? rows->first - row->reg : 0;

    if (row->reg + size > rows->end) {
        size = row->reg < rows->end ? rows->end - row->reg : 0;
    }
    if (skip < size) {
        rows->fn(rows->arg, (uint16_t)(row->reg + skip), row->bytes + skip,
                 size - skip);
    }
    return true;
}

int ctl_each_row(const struct ctl *ctl, struct pcv_ctl_request *request,
                 uint16_t reg, uint32_t bytes, ctl_row_fn *fn, void *arg)
{
    struct rows rows = {reg, UINT32_MAX, fn, arg};

    request->cursor = reg & ~3u;
    if (bytes != 0) {
        rows.end = reg + bytes;
        request->u.config.end = (rows.end + 3u) & ~3u;
    }
    return ctl_each(ctl, request, row_told, &rows);
}

static void row_line(void *arg, uint16_t reg, const uint8_t *bytes,
                     size_t count)
{
    view_add_row(arg, reg, bytes, count);
}

bool ctl_dump(const struct ctl *ctl, uint32_t domain_id, pcv_sbdf sbdf,
              uint16_t reg, uint32_t bytes)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_CONFIG, sbdf);

    request.domain_id = domain_id;
    int error = ctl_each_row(ctl, &request, reg, bytes, row_line, ctl->out);
    return error == 0 || why_failed(ctl, &request, error);
}

/* ---- memory ---------------------------------------------------------------
 */

static bool domain_memory(const struct ctl *ctl, uint32_t id)
{
    struct ctl copy = *ctl;
    struct text lines = {0};

    copy.out = &lines;
    bool good =
        ctl_domain_bars(&copy, id, "  ") && mapped_lines(&copy, id, "  ");
    if (good) {
        text_add(ctl->out, "%s:\n", ctl_domain_name(ctl, id).s);
    }
    text_add(ctl->out, "%s", text_str(&lines)); /* an error comes alone */
    text_fini(&lines);
    return good;
}

static bool guest_memory(void *arg, const union pcv_ctl_record *record)
{
    const struct ctl *ctl = arg;

    return domain_memory(ctl, record->domain.id);
}

bool ctl_memory(const struct ctl *ctl, const uint32_t *domain_id)
{
    struct pcv_ctl_request request =
        ctl_request(PCV_CTL_DOMAINS, (pcv_sbdf){0});
    struct ctl copy = *ctl;

    if (domain_id != NULL) {
        return domain_memory(ctl, *domain_id);
    }
    int error = ctl_each(ctl, &request, guest_memory, &copy);
    return error == 0 || why_failed_as(ctl, &request, error, "memory");
}

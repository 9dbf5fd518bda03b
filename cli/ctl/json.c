/* SPDX-License-Identifier: MIT */
/* What operations answer, as JSON. */
#include "ctl/json.h"

#include "ctl/why.h"

/* ---- functions ------------------------------------------------------------
 */

/* Always with its domain: "0000:02:00.0". */
static void add_sbdf(struct json_text *json, const char *key,
                     const struct words_names *names, pcv_sbdf sbdf)
{
    json_text_string(json, key, names->full(names->ctx, sbdf).s);
}

static void add_domain(struct json_text *json, const char *key,
                       const struct words_names *names, uint32_t id)
{
    json_text_string(json, key, names->domain(names->ctx, id).s);
}

static void add_node(struct json_text *json, const char *key, uint32_t node)
{
    if (node == PCV_NODE_NONE || node == PCV_NODE_UNKNOWN_DEVICE) {
        json_text_null(json, key);
    } else {
        json_text_number(json, key, node);
    }
}

static void add_bar(struct json_text *json, const struct words_names *names,
                    const struct pcv_device_info *info, unsigned index)
{
    const struct pcv_bar *bar = &info->bar[index];
    struct text kind = {0};

    report_bar_kind(&kind, bar);
    json_text_object(json, NULL);
    json_text_string(json, "bar", report_bar_name(index));
    json_text_string(json, "kind", text_str(&kind));
    json_text_hex(json, "address", 1, bar->address);
    json_text_number(json, "size", bar->size);
    json_text_bool(json, "guessed",
                   names->guessed != NULL &&
                       names->guessed(names->ctx, info->sbdf, index));
    json_text_bool(json, "hinted", (bar->flags & PCV_BAR_HINTED) != 0);
    json_text_bool(json, "broken", (bar->flags & PCV_BAR_BROKEN) != 0);
    json_text_bool(json, "mapped", (bar->flags & PCV_BAR_MAPPED) != 0);
    json_text_close(json);
    text_fini(&kind);
}

static void add_problem(void *arg, const char *problem)
{
    json_text_string(arg, NULL, problem);
}

static void add_marks(struct json_text *json,
                      const struct pcv_device_info *info)
{
    json_text_bool(json, "extended", info->extended);
    json_text_bool(json, "vanished", info->vanished);
    json_text_bool(json, "unreachable", info->unreachable);
    json_text_bool(json, "read_only", info->read_only);
    json_text_bool(json, "hidden", info->hidden);
    json_text_bool(json, "concealed", info->concealed);
}

static void add_relations(struct json_text *json,
                          const struct words_names *names,
                          const struct pcv_device_info *info)
{
    if (info->is_vf) {
        add_sbdf(json, "vf_of", names, info->physfn);
    }
    if (info->num_vfs != 0) {
        json_text_number(json, "vfs", info->num_vfs);
    }
    if (info->is_bridge) {
        json_text_number(json, "secondary", info->secondary);
        json_text_number(json, "subordinate", info->subordinate);
        json_text_bool(json, "bus_conflict", info->bus_conflict);
    }
}

void json_device(struct json_text *json, const char *key,
                 const struct words_names *names,
                 const struct pcv_device_info *info)
{
    json_text_object(json, key);
    add_sbdf(json, "address", names, info->sbdf);
    json_text_hex(json, "vendor", 4, info->vendor);
    json_text_hex(json, "device", 4, info->device);
    json_text_hex(json, "subsystem_vendor", 4, info->subsystem_vendor);
    json_text_hex(json, "subsystem", 4, info->subsystem);
    json_text_hex(json, "class", 6, info->class_code);
    json_text_hex(json, "revision", 2, info->revision);
    json_text_string(json, "type", pcv_device_type_name(info->type));
    json_text_number(json, "header_type", info->header_type);
    add_domain(json, "owner", names, info->owner_id);
    add_marks(json, info);
    add_node(json, "node", info->node);
    if (info->serial != 0) {
        json_text_hex(json, "serial", 16, info->serial);
    }
    add_relations(json, names, info);
    json_text_list(json, "bars");
    for (unsigned i = 0; i < PCV_BARS; i++) {
        if (report_bar_exists(&info->bar[i])) {
            add_bar(json, names, info, i);
        }
    }
    json_text_close(json);
    json_text_list(json, "capability_problems");
    view_caps_problems(info->cap_problems, add_problem, json);
    json_text_close(json);
    json_text_close(json);
}

/* ---- commands -------------------------------------------------------------
 */

/* An error comes alone. */
struct listing {
    const struct ctl *ctl;
    struct text text;
    struct json_text json;
};

static void listing_begin(struct listing *listing, const struct ctl *ctl)
{
    *listing = (struct listing){.ctl = ctl};
    listing->json.out = &listing->text;
    json_text_list(&listing->json, NULL);
}

static bool listing_end(struct listing *listing,
                        const struct pcv_ctl_request *request, int error,
                        const char *name)
{
    json_text_close(&listing->json);
    if (error == 0) {
        text_add(listing->ctl->out, "%s", text_str(&listing->text));
    }
    text_fini(&listing->text);
    return error == 0 || why_failed_as(listing->ctl, request, error, name);
}

static bool list_device(void *arg, const union pcv_ctl_record *record)
{
    struct listing *listing = arg;

    json_device(&listing->json, NULL, &listing->ctl->names,
                &record->device.info);
    return true;
}

bool ctl_devices_json(const struct ctl *ctl)
{
    const struct pcv_ctl_request request =
        ctl_request(PCV_CTL_LIST, (pcv_sbdf){0});
    struct listing listing;

    listing_begin(&listing, ctl);
    int error = ctl_each_device(ctl, NULL, list_device, &listing);
    return listing_end(&listing, &request, error, "devices");
}

static void add_holders(struct json_text *json,
                        const struct pcv_device_status *status)
{
    json_text_object(json, "holders");
    for (unsigned i = 0; i < PCV_HOLDERS; i++) {
        json_text_number(json, pcv_holder_name((enum pcv_holder)i),
                         status->held[i]);
    }
    json_text_close(json);
}

static void add_status(struct listing *listing,
                       const struct pcv_device_status *status)
{
    const struct words_names *names = &listing->ctl->names;
    struct json_text *json = &listing->json;

    json_text_bool(json, "vanished", status->vanished);
    add_domain(json, "owner", names, status->owner_id);
    json_text_number(json, "reads", status->counters.reads);
    json_text_number(json, "writes", status->counters.writes);
    json_text_number(json, "refused", status->counters.refused);
    json_text_bool(json, "broken", status->broken);
    json_text_bool(json, "remove_waits", status->remove_waits);
    json_text_string(
        json, "change_step",
        pcv_change_step_name((enum pcv_change_step)status->change_step));
    if (status->change_error != 0) {
        json_text_string(json, "change_error",
                         pcv_errno_name(status->change_error));
    } else {
        json_text_null(json, "change_error");
    }
}

/* Of status, or of holders, which is a part of it. */
static bool list_status(const struct ctl *ctl, enum pcv_ctl_op op,
                        const pcv_sbdf *sbdfs, size_t count)
{
    struct pcv_ctl_request request = ctl_request(op, (pcv_sbdf){0});
    struct listing listing;
    union pcv_ctl_record record;
    int error = 0;

    listing_begin(&listing, ctl);
    for (size_t i = 0; i < count && error == 0; i++) {
        request.sbdf = sbdfs[i];
        error = ctl_ask(ctl, &request, &record);
        if (error != 0) {
            break;
        }
        json_text_object(&listing.json, NULL);
        add_sbdf(&listing.json, "address", &ctl->names, sbdfs[i]);
        json_text_string(&listing.json, "state",
                         report_state(record.status.state));
        if (op == PCV_CTL_STATUS && record.status.state != PCV_STATE_ABSENT) {
            add_status(&listing, &record.status);
        }
        add_holders(&listing.json, &record.status);
        json_text_close(&listing.json);
    }
    return listing_end(&listing, &request, error,
                       ctl_show(ctl, request.sbdf).s);
}

bool ctl_status_json(const struct ctl *ctl, const pcv_sbdf *sbdfs, size_t count)
{
    return list_status(ctl, PCV_CTL_STATUS, sbdfs, count);
}

bool ctl_holders_json(const struct ctl *ctl, const pcv_sbdf *sbdfs,
                      size_t count)
{
    return list_status(ctl, PCV_CTL_HOLDERS, sbdfs, count);
}

static bool list_node(void *arg, const union pcv_ctl_record *record)
{
    struct listing *listing = arg;
    struct json_text *json = &listing->json;

    json_text_object(json, NULL);
    add_sbdf(json, "address", &listing->ctl->names, record->node.sbdf);
    json_text_bool(json, "known", record->node.node != PCV_NODE_UNKNOWN_DEVICE);
    add_node(json, "node", record->node.node);
    json_text_close(json);
    return true;
}

bool ctl_nodes_json(const struct ctl *ctl, const pcv_sbdf *sbdfs, size_t count)
{
    const struct pcv_ctl_request request =
        ctl_request(PCV_CTL_NODES, (pcv_sbdf){0});
    struct listing listing;

    listing_begin(&listing, ctl);
    int error = ctl_each_node(ctl, sbdfs, count, list_node, &listing);
    return listing_end(&listing, &request, error, "nodes");
}

/* ---- configuration space --------------------------------------------------
 */

void json_row(struct json_text *json, uint16_t reg, const uint8_t *bytes,
              size_t count)
{
    struct text hex = {0};

    for (size_t i = 0; i < count; i++) {
        text_add(&hex, "%s%02x", i != 0 ? " " : "", bytes[i]);
    }
    json_text_object(json, NULL);
    json_text_hex(json, "register", 2, reg);
    json_text_string(json, "bytes", text_str(&hex));
    json_text_close(json);
    text_fini(&hex);
}

static void list_row(void *arg, uint16_t reg, const uint8_t *bytes,
                     size_t count)
{
    struct listing *listing = arg;

    json_row(&listing->json, reg, bytes, count);
}

bool ctl_dump_json(const struct ctl *ctl, uint32_t domain_id, pcv_sbdf sbdf,
                   uint16_t reg, uint32_t bytes)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_CONFIG, sbdf);
    struct listing listing;

    listing_begin(&listing, ctl);
    request.domain_id = domain_id;
    int error = ctl_each_row(ctl, &request, reg, bytes, list_row, &listing);
    return listing_end(&listing, &request, error, ctl_show(ctl, sbdf).s);
}

/* ---- events ---------------------------------------------------------------
 */

static const char *class_name(enum pcv_event_class of)
{
    switch (of) {
    case PCV_EVENT_HOST:
        return "host";
    case PCV_EVENT_DEVICE:
        return "device";
    case PCV_EVENT_GUEST:
        break;
    }
    return "guest";
}

void json_event(struct json_text *json, const struct words_names *names,
                const struct pcv_event *event)
{
    struct text line = {0};

    report_event(&line, names, event);
    json_text_object(json, NULL);
    add_sbdf(json, "address", names, event->sbdf);
    json_text_string(json, "event", pcv_event_name(event->kind));
    json_text_string(json, "class", class_name(event->of));
    add_domain(json, "domain", names, event->domain_id);
    json_text_list(json, "arguments");
    json_text_hex(json, NULL, 1, event->arg[0]);
    json_text_hex(json, NULL, 1, event->arg[1]);
    json_text_close(json);
    json_text_string(json, "line", text_str(&line));
    json_text_close(json);
    text_fini(&line);
}

static bool list_event(void *arg, const struct pcv_event *event)
{
    struct listing *listing = arg;

    json_event(&listing->json, &listing->ctl->names, event);
    return true;
}

bool ctl_events_json(const struct ctl *ctl, uint64_t *number)
{
    const struct pcv_ctl_request request =
        ctl_request(PCV_CTL_EVENTS, (pcv_sbdf){0});
    struct listing listing;
    uint64_t lost = 0;

    listing = (struct listing){.ctl = ctl};
    listing.json.out = &listing.text;
    json_text_object(&listing.json, NULL);
    json_text_list(&listing.json, "events");
    int error = ctl_each_event(ctl, number, &lost, list_event, &listing);
    json_text_close(&listing.json);
    json_text_number(&listing.json, "lost", lost);
    return listing_end(&listing, &request, error, "events");
}

/* SPDX-License-Identifier: MIT */
/* Commands that look at functions and at the host. */
#include <inttypes.h>

#include "ctl/why.h"

/* ---- devices --------------------------------------------------------------
 */

static bool device_line(void *arg, const union pcv_ctl_record *record)
{
    const struct ctl *ctl = arg;
    const struct pcv_device_info *info = &record->device.info;

    text_add(ctl->out, "%s %04x:%04x %-22s %s", ctl_show(ctl, info->sbdf).s,
             info->vendor, info->device, pcv_device_type_name(info->type),
             ctl_domain_name(ctl, info->owner_id).s);
    if (info->is_bridge && !info->bus_conflict) {
        text_add(ctl->out, " [%02x-%02x]", info->secondary, info->subordinate);
    }
    if (info->is_vf) {
        text_add(ctl->out, " VF of %s", ctl_show(ctl, info->physfn).s);
    }
    text_add(ctl->out, "%s%s%s%s\n", info->unreachable ? " unreachable" : "",
             info->vanished ? " vanished" : "",
             info->hidden      ? " hidden"
             : info->concealed ? " concealed"
             : info->read_only ? " read-only"
                               : "",
             info->overridden ? " override" : "");
    return true;
}

static void device_bar(const struct ctl *ctl,
                       const struct pcv_device_info *info, unsigned index)
{
    const struct pcv_bar *bar = &info->bar[index];

    text_add(ctl->out, "    %s ", report_bar_name(index));
    if (index != PCV_BAR_IS_ROM) {
        report_bar_kind(ctl->out, bar);
        text_add(ctl->out, " ");
    }
    text_add(ctl->out, "%" PRIx64 " size ", bar->address);
    words_bar_size(ctl->out, &ctl->names, info->sbdf, index, bar);
    text_add(ctl->out, "%s\n",
             (bar->flags & PCV_BAR_MAPPED) != 0 ? " mapped" : "");
}

static bool device_long(void *arg, const union pcv_ctl_record *record)
{
    const struct ctl *ctl = arg;
    const struct pcv_device_info *info = &record->device.info;

    device_line(arg, record);
    text_add(ctl->out,
             "    class %06" PRIx32 " rev %02x header %02x subsystem "
             "%04x:%04x %s",
             info->class_code, info->revision, info->header_type,
             info->subsystem_vendor, info->subsystem,
             info->extended ? "4K" : "256");
    if (info->node != PCV_NODE_NONE) {
        text_add(ctl->out, " node %" PRIu32, info->node);
    }
    text_add(ctl->out, "\n");
    for (unsigned i = 0; i < PCV_BARS; i++) {
        if (report_bar_exists(&info->bar[i])) {
            device_bar(ctl, info, i);
        }
    }
    return true;
}

bool ctl_devices(const struct ctl *ctl, bool is_long)
{
    struct ctl copy = *ctl;
    int error =
        ctl_each_device(ctl, NULL, is_long ? device_long : device_line, &copy);

    const struct pcv_ctl_request request =
        ctl_request(PCV_CTL_LIST, (pcv_sbdf){0});

    return error == 0 || why_failed_as(ctl, &request, error, "devices");
}

bool ctl_unreachable(const struct ctl *ctl)
{
    struct pcv_ctl_request request =
        ctl_request(PCV_CTL_UNREACHABLE, (pcv_sbdf){0});
    struct ctl copy = *ctl;
    size_t before = ctl->out->len;
    int error = ctl_each(ctl, &request, device_line, &copy);

    if (error != 0) {
        return why_failed_as(ctl, &request, error, "unreachable");
    }
    if (ctl->out->len == before) {
        text_add(ctl->out, "every function can be reached\n");
    }
    return true;
}

/* ---- one function ---------------------------------------------------------
 */

bool ctl_device(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_DEVICE, sbdf);
    struct ctl copy = *ctl;
    union pcv_ctl_record record;
    int error = ctl_ask(ctl, &request, &record);

    return error == 0 ? device_long(&copy, &record)
                      : why_failed(ctl, &request, error);
}

/* `op` is status, or holders, whose record is the same. */
static bool status_ask(const struct ctl *ctl, enum pcv_ctl_op op, pcv_sbdf sbdf,
                       struct pcv_device_status *out_status)
{
    const struct pcv_ctl_request request = ctl_request(op, sbdf);
    union pcv_ctl_record record;
    int error = ctl_ask(ctl, &request, &record);

    if (error != 0) {
        return why_failed(ctl, &request, error);
    }
    *out_status = record.status;
    return true;
}

bool ctl_holders(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_device_status status = {0};

    if (!status_ask(ctl, PCV_CTL_HOLDERS, sbdf, &status)) {
        return false;
    }
    text_add(ctl->out, "%s: %s", ctl_show(ctl, sbdf).s,
             report_state(status.state));
    if (status.state != PCV_STATE_ABSENT) {
        text_add(ctl->out, ", held by: ");
        report_holders(ctl->out, &status);
    }
    text_add(ctl->out, "\n");
    return true;
}

/* What is not so with most functions. */
/* Who gives it back ends a removal, of it or of a bridge above it. */
static void status_leaves(const struct ctl *ctl, pcv_sbdf sbdf,
                          const struct pcv_device_status *status)
{
    pcv_sbdf bridge;

    if (status->remove_waits) {
        text_add(ctl->out, ", to be removed");
    } else if (status->state == PCV_STATE_PRESENT &&
               status->owner_id != PCV_DOMAIN_ID_HARDWARE &&
               ctl_bridge_leaves(ctl, sbdf, &bridge)) {
        text_add(ctl->out, ", to be removed with %s", ctl_show(ctl, bridge).s);
    }
}

static void status_marks(const struct ctl *ctl, pcv_sbdf sbdf,
                         const struct pcv_device_status *status)
{
    const char *step =
        pcv_change_step_name((enum pcv_change_step)status->change_step);

    if (status->state == PCV_STATE_ABSENT) {
        return;
    }
    text_add(ctl->out, "%s", status->broken ? ", broken" : "");
    status_leaves(ctl, sbdf, status);
    if (status->change_error != 0) {
        text_add(ctl->out, "; its change of owner failed at step '%s': %s %s",
                 step, pcv_errno_name(status->change_error),
                 pcv_errno_meaning(status->change_error));
    } else if (status->change_step != PCV_STEP_NONE) {
        text_add(ctl->out, "; its owner changes, at step '%s'", step);
    }
}

bool ctl_status(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_device_status status = {0};

    if (!status_ask(ctl, PCV_CTL_STATUS, sbdf, &status)) {
        return false;
    }
    text_add(ctl->out, "%s: %s", ctl_show(ctl, sbdf).s,
             report_state(status.state));
    if (status.state != PCV_STATE_ABSENT) {
        text_add(ctl->out, "%s, owner %s, ",
                 status.vanished ? ", vanished" : "",
                 ctl_domain_name(ctl, status.owner_id).s);
        text_add_count(ctl->out, status.counters.reads, "read");
        text_add(ctl->out, ", ");
        text_add_count(ctl->out, status.counters.writes, "write");
        text_add(ctl->out, ", %" PRIu64 " refused", status.counters.refused);
    }
    status_marks(ctl, sbdf, &status);
    text_add(ctl->out, "\n");
    return true;
}

/* ---- nodes ----------------------------------------------------------------
 */

static bool node_line(void *arg, const union pcv_ctl_record *record)
{
    const struct ctl *ctl = arg;
    uint32_t node = record->node.node;

    text_add(ctl->out, "%s: ", ctl_show(ctl, record->node.sbdf).s);
    if (node == PCV_NODE_UNKNOWN_DEVICE) {
        text_add(ctl->out, "unknown device\n");
    } else if (node == PCV_NODE_NONE) {
        text_add(ctl->out, "no node\n");
    } else {
        text_add(ctl->out, "node %" PRIu32 "\n", node);
    }
    return true;
}

bool ctl_nodes(const struct ctl *ctl, const pcv_sbdf *sbdfs, size_t count)
{
    struct ctl copy = *ctl;
    int error = ctl_each_node(ctl, sbdfs, count, node_line, &copy);

    const struct pcv_ctl_request request =
        ctl_request(PCV_CTL_NODES, (pcv_sbdf){0});

    return error == 0 || why_failed_as(ctl, &request, error, "nodes");
}

/* ---- path -----------------------------------------------------------------
 */

struct path {
    const struct ctl *ctl;
    struct text line; /* an error comes alone */
};

static bool path_add(void *arg, const union pcv_ctl_record *record)
{
    struct path *path = arg;

    text_add(&path->line, " %s", ctl_show(path->ctl, record->sbdf).s);
    return true;
}

/* Of a bus that nothing is registered on nobody knows whether it is one. */
static const char *no_bridge(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_device_status status = {0};

    (void)ctl_status_of(ctl, sbdf, &status);
    return status.state == PCV_STATE_PRESENT
               ? " on a root bus"
               : " absent, and no bridge leads to that bus";
}

bool ctl_path(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_PATH, sbdf);
    struct path path = {.ctl = ctl};
    int error = ctl_each(ctl, &request, path_add, &path);

    if (error == 0) {
        text_add(ctl->out, "%s:%s\n", ctl_show(ctl, sbdf).s,
                 path.line.len != 0 ? text_str(&path.line)
                                    : no_bridge(ctl, sbdf));
    }
    text_fini(&path.line);
    return error == 0 || why_failed(ctl, &request, error);
}

/* ---- the host -------------------------------------------------------------
 */

bool ctl_stats(const struct ctl *ctl)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_STATS, (pcv_sbdf){0});
    union pcv_ctl_record record;
    int error = ctl_ask(ctl, &request, &record);

    if (error != 0) {
        return why_failed_as(ctl, &request, error, "stats");
    }
    text_add(ctl->out,
             "devices %" PRIu64 "\nleaving %" PRIu64 "\nsegments %" PRIu64
             "\nabsent accesses %" PRIu64 "\nrefused accesses %" PRIu64 "\n",
             record.stats.devices, record.stats.leaving, record.stats.segments,
             record.stats.absent_accesses, record.stats.refused_accesses);
    if (record.stats.stray_faults != 0) {
        text_add(ctl->out, "IOMMU faults of nobody %" PRIu64 "\n",
                 record.stats.stray_faults);
    }
    if (record.stats.protected_writes != 0) {
        text_add(ctl->out, "protected writes %" PRIu64 "\n",
                 record.stats.protected_writes);
    }
    return true;
}

struct events {
    uint64_t next; /* number of the event that is expected */
    uint64_t lost;
    bool (*fn)(void *arg, const struct pcv_event *event);
    void *arg;
};

static bool event_told(void *arg, const union pcv_ctl_record *record)
{
    struct events *events = arg;

    events->lost += record->event.number - events->next;
    events->next = record->event.number + 1;
    return events->fn(events->arg, &record->event.event);
}

int ctl_each_event(const struct ctl *ctl, uint64_t *number, uint64_t *out_lost,
                   bool (*fn)(void *arg, const struct pcv_event *event),
                   void *arg)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_EVENTS, (pcv_sbdf){0});
    struct events events = {.next = *number, .fn = fn, .arg = arg};

    request.cursor = *number;
    int error = ctl_each(ctl, &request, event_told, &events);
    *number = events.next;
    *out_lost = events.lost;
    return error;
}

static bool event_line(void *arg, const struct pcv_event *event)
{
    const struct ctl *ctl = arg;

    report_event(ctl->out, &ctl->names, event);
    text_add(ctl->out, "\n");
    return true;
}

bool ctl_events(const struct ctl *ctl, uint64_t *number)
{
    const struct pcv_ctl_request request =
        ctl_request(PCV_CTL_EVENTS, (pcv_sbdf){0});
    struct ctl copy = *ctl;
    size_t before = ctl->out->len;
    uint64_t lost = 0;
    int error = ctl_each_event(ctl, number, &lost, event_line, &copy);

    if (error != 0) {
        return why_failed_as(ctl, &request, error, "events");
    }
    if (ctl->out->len == before) {
        text_add(ctl->out, "no events\n");
    }
    if (lost != 0) {
        text_add(ctl->out, "%" PRIu64 " more were lost\n", lost);
    }
    return true;
}

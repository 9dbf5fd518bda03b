/* SPDX-License-Identifier: MIT */
/* Commands that make functions come and go, and say what they are for. */
#include <inttypes.h>
#include <string.h>

#include "ctl/why.h"

/* ---- why not --------------------------------------------------------------
 */

struct vfs {
    pcv_sbdf pf;
    uint64_t count;
};

/* VFs are in the segment of their PF. */
static bool vf_count(void *arg, const union pcv_ctl_record *record)
{
    struct vfs *vfs = arg;
    const struct pcv_device_info *info = &record->device.info;

    if ((info->sbdf.v ^ vfs->pf.v) >> 16 != 0) {
        return false;
    }
    vfs->count += info->is_vf && info->physfn.v == vfs->pf.v;
    return true;
}

uint64_t ctl_vf_count(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_LIST, sbdf);
    struct vfs vfs = {sbdf, 0};

    request.cursor = sbdf.v & 0xffff0000u;
    return ctl_each(ctl, &request, vf_count, &vfs) == 0 ? vfs.count : 0;
}

/* What is in the way: a device that is held, or leaving and still held. */
static bool busy_held(const struct ctl *ctl, pcv_sbdf busy, const char *where)
{
    struct pcv_device_status status = {0};
    struct text held = {0};

    (void)ctl_status_of(ctl, busy, &status);
    report_holders(&held, &status);
    ctl_failed(ctl, PCV_EBUSY, "%s%s is %sheld by: %s", ctl_show(ctl, busy).s,
               where,
               status.state == PCV_STATE_LEAVING ? "leaving, still " : "",
               text_str(&held));
    text_fini(&held);
    return false;
}

static bool is_guests(uint32_t owner_id)
{
    return owner_id != PCV_DOMAIN_ID_HARDWARE &&
           owner_id != PCV_DOMAIN_ID_HYPERVISOR &&
           owner_id != PCV_DOMAIN_ID_QUARANTINE;
}

/* A guest has what is in the way. */
static bool remove_waits(const struct ctl *ctl, pcv_sbdf sbdf, pcv_sbdf busy,
                         uint32_t owner_id)
{
    struct pcv_device_status status = {0};

    (void)ctl_status_of(ctl, sbdf, &status);
    const char *later = busy.v == sbdf.v
                            ? ": it is removed when it is given back"
                            : ": all of it is removed when that is given back";
    return ctl_failed(ctl, PCV_EBUSY, "%s has %s%s%s",
                      ctl_domain_name(ctl, owner_id).s, ctl_show(ctl, busy).s,
                      busy.v != sbdf.v ? " behind it" : "",
                      status.remove_waits ? later : "");
}

/* What is in the way is no guest's, so that nobody gives it back. */
static bool remove_hypervisors(const struct ctl *ctl, pcv_sbdf busy,
                               const char *where)
{
    const struct pcv_ctl_request request = ctl_request(PCV_CTL_REMOVE, busy);
    struct text name = {0};

    text_add(&name, "%s%s", ctl_show(ctl, busy).s, where);
    why_failed_as(ctl, &request, PCV_EBUSY, text_str(&name));
    text_fini(&name);
    return false;
}

/* Why a removal was refused, or is not over. */
static bool remove_busy(const struct ctl *ctl, pcv_sbdf sbdf, pcv_sbdf busy)
{
    struct pcv_device_status status = {0};
    struct text text = {0};
    uint64_t vfs = ctl_vf_count(ctl, sbdf);

    if (vfs == 0) {
        const char *where = busy.v != sbdf.v ? " behind it" : "";

        (void)ctl_status_of(ctl, busy, &status);
        if (status.state == PCV_STATE_PRESENT && is_guests(status.owner_id)) {
            return remove_waits(ctl, sbdf, busy, status.owner_id);
        }
        return status.state == PCV_STATE_PRESENT &&
                       status.owner_id == PCV_DOMAIN_ID_HYPERVISOR
                   ? remove_hypervisors(ctl, busy, where)
                   : busy_held(ctl, busy, where);
    }
    text_add_count(&text, vfs, "VF");
    ctl_failed(ctl, PCV_EBUSY, "%s has %s", ctl_show(ctl, sbdf).s,
               text_str(&text));
    text_fini(&text);
    return false;
}

/* It must be left alone. */
static bool must_wait(const struct ctl *ctl, const struct ctl_result *result,
                      const char *name)
{
    uint64_t wait_ms = result->wait_us / 1000 + (result->wait_us % 1000 != 0);
    return ctl_failed(ctl, result->error,
                      "%s must be left alone: 'advance %" PRIu64
                      "', then the same again",
                      name, wait_ms);
}

bool ctl_finished(const struct ctl *ctl, const struct pcv_ctl_request *request,
                  const struct ctl_result *result)
{
    if (result->error == 0) {
        return true;
    }
    return result->wait_us != 0
               ? must_wait(ctl, result, ctl_show(ctl, request->sbdf).s)
               : why_failed(ctl, request, result->error);
}

/* ---- coming and going -----------------------------------------------------
 */

bool ctl_add_words(const struct ctl *ctl, char *const *word, size_t count,
                   struct pcv_add_info *out_info, struct text *why)
{
    uint64_t node;

    for (size_t i = 0; i < count; i++) {
        bool vf = strcmp(word[i], "vf-of") == 0;
        if (strcmp(word[i], "extfn") == 0) {
            out_info->flags |= PCV_ADD_EXTENDED_FUNCTION;
            continue;
        }
        if (!vf && strcmp(word[i], "node") != 0) {
            text_add(why,
                     "expected 'vf-of SBDF', 'node N' or 'extfn', got '%s'",
                     word[i]);
            return false;
        }
        if (++i == count) {
            text_add(why, "'%s' needs a value", word[i - 1]);
            return false;
        }
        if (vf) {
            if (!ctl->names.parse(ctl->names.ctx, word[i], &out_info->physfn,
                                  why)) {
                return false;
            }
            out_info->flags |= PCV_ADD_IS_VF;
            continue;
        }
        if (!parse_number(word[i], UINT32_MAX, &node)) {
            text_add(why, "expected a node's number, got '%s'", word[i]);
            return false;
        }
        out_info->node = (uint32_t)node;
        out_info->flags |= PCV_ADD_HAS_NODE;
    }
    return true;
}

static bool is_leaving(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_device_status status = {0};

    return ctl_status_of(ctl, sbdf, &status) == 0 &&
           status.state == PCV_STATE_LEAVING;
}

bool ctl_add(const struct ctl *ctl, pcv_sbdf sbdf,
             const struct pcv_add_info *info)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_ADD, sbdf);
    struct ctl_card before = ctl_card_at(ctl, sbdf);

    request.u.add = *info;
    struct ctl_result result = ctl_perform(ctl, &request, NULL);
    if (result.error == -PCV_EBUSY && is_leaving(ctl, sbdf)) {
        return busy_held(ctl, sbdf, "");
    }
    if (result.error != 0) {
        return why_failed(ctl, &request, result.error);
    }
    text_add(ctl->out, "%s: %s", ctl_show(ctl, sbdf).s,
             ctl_card_added(&before, ctl, sbdf));
    if (result.steps != 0) {
        text_add(ctl->out, " after ");
        text_add_count(ctl->out, result.steps, "restart");
    }
    text_add(ctl->out, "\n");
    return true;
}

bool ctl_remove(const struct ctl *ctl, pcv_sbdf sbdf,
                struct pcv_completion *done)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_REMOVE, sbdf);

    request.u.remove.done = done;
    struct ctl_result result = ctl_perform(ctl, &request, NULL);
    if (result.error == -PCV_EBUSY) {
        return remove_busy(ctl, sbdf, result.sbdf);
    }
    if (result.error != 0) {
        return why_failed(ctl, &request, result.error);
    }
    text_add(ctl->out, "%s: removed\n", ctl_show(ctl, sbdf).s);
    return true;
}

bool ctl_cancel_remove(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_CANCEL_REMOVE, sbdf);
    struct ctl_result result = ctl_perform(ctl, &request, NULL);

    if (result.error != 0) {
        return why_failed(ctl, &request, result.error);
    }
    text_add(ctl->out, "%s: stays\n", ctl_show(ctl, sbdf).s);
    return true;
}

bool ctl_vanished(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_VANISHED, sbdf);
    struct ctl_result result = ctl_perform(ctl, &request, NULL);

    if (result.error != 0) {
        return why_failed(ctl, &request, result.error);
    }
    text_add(ctl->out, "%s: vanished\n", ctl_show(ctl, sbdf).s);
    return true;
}

bool ctl_scan(const struct ctl *ctl)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_SCAN, (pcv_sbdf){0});
    struct pcv_ctl_scan scan = {0};
    struct ctl_result result = ctl_perform(ctl, &request, &scan);

    if (result.error != 0) {
        return why_failed_as(ctl, &request, result.error, "the scan stopped");
    }
    text_add_count(ctl->out, scan.found, "function");
    text_add(ctl->out, " found, %" PRIu32 " failed", scan.failed);
    if (scan.failed != 0) {
        text_add(ctl->out, ", the first at %s: %s %s",
                 ctl_show(ctl, scan.first_failed).s,
                 pcv_errno_name(scan.first_error),
                 pcv_errno_meaning(scan.first_error));
    }
    text_add(ctl->out, "\n");
    return true;
}

bool ctl_ecam(const struct ctl *ctl, const struct pcv_ctl_request *request,
              const char *said, uint32_t segment_name)
{
    struct pcv_ctl_request own = *request;
    struct ctl_result result = ctl_perform(ctl, &own, NULL);

    if (result.error == -PCV_EBUSY) {
        own.sbdf = result.sbdf;
        return why_failed(ctl, &own, result.error);
    }
    if (result.error != 0) {
        return why_failed_as(ctl, &own, result.error, said);
    }
    text_add(ctl->out, "buses %02x-%02x of segment %04" PRIx32 ": %s\n",
             request->u.ecam.bus_first, request->u.ecam.bus_last, segment_name,
             request->u.ecam.usable != 0 ? "extended space can be reached"
                                         : "no extended space is reached");
    return true;
}

bool ctl_buses(const struct ctl *ctl, pcv_sbdf sbdf, const uint8_t bus[3])
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_BUSES, sbdf);
    struct ctl_result result;

    request.u.buses.primary = bus[0];
    request.u.buses.secondary = bus[1];
    request.u.buses.subordinate = bus[2];
    result = ctl_perform(ctl, &request, NULL);
    if (result.error != 0) {
        return why_failed(ctl, &request, result.error);
    }
    text_add(ctl->out, "%s: reported\n", ctl_show(ctl, sbdf).s);
    return true;
}

/* ---- what the hypervisor and dom0 may do -----------------------------------
 */

bool ctl_broken(const struct ctl *ctl, pcv_sbdf sbdf, bool on)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_BROKEN, sbdf);

    request.u.broken.on = on;
    struct ctl_result result = ctl_perform(ctl, &request, NULL);
    if (result.error != 0) {
        return why_failed(ctl, &request, result.error);
    }
    text_add(ctl->out, "%s: %s\n", ctl_show(ctl, sbdf).s,
             on ? "marked as broken" : "not marked as broken");
    return true;
}

bool ctl_restore(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_RESTORE, sbdf);
    struct ctl_result result = ctl_perform(ctl, &request, NULL);

    if (result.error == 0) {
        text_add(ctl->out, "%s: restored\n", ctl_show(ctl, sbdf).s);
    }
    return ctl_finished(ctl, &request, &result);
}

bool ctl_read_only(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_READ_ONLY, sbdf);
    struct ctl_result result = ctl_perform(ctl, &request, NULL);

    if (result.error == 0) {
        text_add(ctl->out, "%s: the hypervisor's own, read-only for dom0\n",
                 ctl_show(ctl, sbdf).s);
    }
    return ctl_finished(ctl, &request, &result);
}

bool ctl_override(const struct ctl *ctl, pcv_sbdf sbdf, bool on)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_OVERRIDE, sbdf);

    request.u.override.on = on;
    struct ctl_result result = ctl_perform(ctl, &request, NULL);

    if (result.error == 0) {
        text_add(ctl->out,
                 on ? "%s: dom0's writes may take functions from guests\n"
                    : "%s: writes that take functions from guests are "
                      "dropped\n",
                 ctl_show(ctl, sbdf).s);
    }
    return ctl_finished(ctl, &request, &result);
}

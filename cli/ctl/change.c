/* SPDX-License-Identifier: MIT */
/* Commands that make functions come, go and change their owner. */
#include <inttypes.h>
#include <string.h>

#include "ctl/ctl.h"

/* ---- why not --------------------------------------------------------------
 */

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

/* By a guest, or the hypervisor. */
static bool is_kept(uint32_t owner_id)
{
    return owner_id != PCV_DOMAIN_ID_HARDWARE &&
           owner_id != PCV_DOMAIN_ID_QUARANTINE;
}

/* A guest has what is in the way, or the hypervisor, which is not waited for.
 */
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

/* Why a removal was refused, or is not over. */
static bool remove_busy(const struct ctl *ctl, pcv_sbdf sbdf, pcv_sbdf busy)
{
    struct pcv_device_status status = {0};
    struct text text = {0};
    uint64_t vfs = ctl_vfs_of(ctl, sbdf);

    if (vfs == 0) {
        (void)ctl_status_of(ctl, busy, &status);
        return status.state == PCV_STATE_PRESENT && is_kept(status.owner_id)
                   ? remove_waits(ctl, sbdf, busy, status.owner_id)
                   : busy_held(ctl, busy, busy.v != sbdf.v ? " behind it" : "");
    }
    text_add_count(&text, vfs, "VF");
    ctl_failed(ctl, PCV_EBUSY, "%s has %s", ctl_show(ctl, sbdf).s,
               text_str(&text));
    text_fini(&text);
    return false;
}

bool ctl_finished(const struct ctl *ctl, const struct ctl_result *result,
                  const char *name)
{
    if (result->error == 0) {
        return true;
    }
    if (result->wait_us == 0) {
        return ctl_failed(ctl, result->error, "%s", name);
    }
    uint64_t wait_ms = result->wait_us / 1000 + (result->wait_us % 1000 != 0);
    return ctl_failed(ctl, result->error,
                      "%s must be left alone: 'advance %" PRIu64
                      "', then the same again",
                      name, wait_ms);
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

bool ctl_add(const struct ctl *ctl, pcv_sbdf sbdf,
             const struct pcv_add_info *info)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_ADD, sbdf);
    struct ctl_card before = ctl_card_at(ctl, sbdf);

    request.u.add = *info;
    struct ctl_result result = ctl_perform(ctl, &request, NULL);
    if (result.error == -PCV_EBUSY) {
        return busy_held(ctl, sbdf, "");
    }
    if (result.error != 0) {
        return ctl_add_refused(ctl, sbdf, info, result.error);
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
        return ctl_failed(ctl, result.error, "%s", ctl_show(ctl, sbdf).s);
    }
    text_add(ctl->out, "%s: removed\n", ctl_show(ctl, sbdf).s);
    return true;
}

bool ctl_cancel_remove(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_CANCEL_REMOVE, sbdf);
    struct ctl_result result = ctl_perform(ctl, &request, NULL);

    if (result.error == -PCV_ENOENT) {
        return ctl_failed(ctl, result.error, "no removal of %s waits",
                          ctl_show(ctl, sbdf).s);
    }
    if (result.error != 0) {
        return ctl_refused(ctl, result.error, sbdf);
    }
    text_add(ctl->out, "%s: stays\n", ctl_show(ctl, sbdf).s);
    return true;
}

bool ctl_vanished(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_VANISHED, sbdf);
    struct ctl_result result = ctl_perform(ctl, &request, NULL);

    if (result.error != 0) {
        return ctl_failed(ctl, result.error, "%s", ctl_show(ctl, sbdf).s);
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
        return ctl_failed(ctl, result.error, "the scan stopped");
    }
    text_add_count(ctl->out, scan.found, "function");
    text_add(ctl->out, " found, %" PRIu32 " failed", scan.failed);
    if (scan.failed != 0) {
        text_add(ctl->out, ", the first at %s: %s",
                 ctl_show(ctl, scan.first_failed).s,
                 pcv_errno_name(scan.first_error));
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
        return ctl_refused(ctl, result.error, result.sbdf);
    }
    if (result.error != 0) {
        return ctl_failed(ctl, result.error, "%s", said);
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
    if (result.error == -PCV_EINVAL) {
        return ctl_failed(ctl, result.error,
                          "%s: its registers, or other bridges, say otherwise",
                          ctl_show(ctl, sbdf).s);
    }
    if (result.error != 0) {
        return ctl_failed(ctl, result.error, "%s", ctl_show(ctl, sbdf).s);
    }
    text_add(ctl->out, "%s: reported\n", ctl_show(ctl, sbdf).s);
    return true;
}

/* ---- owners ---------------------------------------------------------------
 */

/* A change of owner that failed half-way leaves the function with nobody: at
 * which step, if this one failed and not one before. */
static void changed_state(const struct ctl *ctl, int error, pcv_sbdf sbdf,
                          struct text *name)
{
    struct pcv_device_status status = {0};

    (void)ctl_status_of(ctl, sbdf, &status);
    bool nobodys = status.state == PCV_STATE_PRESENT &&
                   status.owner_id == PCV_DOMAIN_ID_QUARANTINE;
    text_add(name, "%s", nobodys ? " is in quarantine" : "");
    if (status.change_error == error) {
        text_add(
            name, "%s the step '%s' failed", nobodys ? "," : ":",
            pcv_change_step_name((enum pcv_change_step)status.change_step));
    }
    if (nobodys && error == -PCV_EBUSY) {
        ctl_reset_blocker(ctl, sbdf, name);
    }
    if (status.change_error != error) {
        ctl_why(ctl, error, sbdf, name); /* it did not even begin */
    }
}

static bool changed(const struct ctl *ctl, const struct ctl_result *result,
                    pcv_sbdf sbdf)
{
    struct text name = {0};

    text_add(&name, "%s", ctl_show(ctl, sbdf).s);
    if (result->error != 0 && result->error != -PCV_ERESTART) {
        changed_state(ctl, result->error, sbdf, &name);
    }
    bool good = ctl_finished(ctl, result, text_str(&name));
    text_fini(&name);
    return good;
}

/* Who else is in the isolation group, with another user. */
struct others {
    const struct ctl *ctl;
    struct text text;
};

static bool others_add(void *arg, const union pcv_ctl_record *record)
{
    struct others *others = arg;

    text_add(&others->text, "%s%s",
             text_str(&others->text)[0] != '\0' ? ", " : "",
             ctl_show(others->ctl, record->sbdf).s);
    return true;
}

/* Who is in the way, or would go along. */
static int others_ask(struct others *others, struct pcv_ctl_request *request)
{
    request->op = PCV_CTL_TEST_ASSIGN;
    request->cursor = 0;
    return ctl_each(others->ctl, request, others_add, others);
}

/* An assignment was refused, or failed, before it began. */
static bool assign_refused(const struct ctl *ctl,
                           const struct pcv_ctl_request *request, int error,
                           const char *others)
{
    const struct sbdf_text name = ctl_show(ctl, request->sbdf);

    if (error == -PCV_EINVAL) {
        return ctl_assign_senseless(ctl, request);
    }
    if (others[0] == '\0') {
        return ctl_refused(ctl, error, request->sbdf);
    }
    return error == -PCV_EXDEV
               ? ctl_failed(ctl, error, "%s shares its isolation group with %s",
                            name.s, others)
               : ctl_failed(ctl, error, "%s, because of %s in its group",
                            name.s, others);
}

bool ctl_test_assign(const struct ctl *ctl, pcv_sbdf sbdf, uint32_t domain_id,
                     const struct pcv_assign_policy *policy)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_TEST_ASSIGN, sbdf);
    struct others others = {.ctl = ctl};

    request.domain_id = domain_id;
    request.u.assign = *policy;
    int error = others_ask(&others, &request);
    const char *along = text_str(&others.text);
    if (error == 0) {
        text_add(ctl->out, "%s: can be assigned to %s%s%s\n",
                 ctl_show(ctl, sbdf).s, ctl_domain_name(ctl, domain_id).s,
                 along[0] != '\0' ? ", and with it " : "", along);
    } else {
        assign_refused(ctl, &request, error, along);
    }
    text_fini(&others.text);
    return error == 0;
}

/* The same answer again, with those who are the reason. */
static void assign_explained(const struct ctl *ctl,
                             struct pcv_ctl_request *request,
                             const struct ctl_result *result)
{
    struct others others = {.ctl = ctl};
    bool same =
        others_ask(&others, request) == result->error &&
        (text_str(&others.text)[0] != '\0' || result->error == -PCV_EINVAL);

    if (same) {
        assign_refused(ctl, request, result->error, text_str(&others.text));
    }
    text_fini(&others.text);
    if (!same) {
        (void)changed(ctl, result, request->sbdf);
    }
}

bool ctl_assign(const struct ctl *ctl, pcv_sbdf sbdf, uint32_t domain_id,
                const struct pcv_assign_policy *policy)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_ASSIGN, sbdf);

    request.domain_id = domain_id;
    request.u.assign = *policy;
    struct ctl_result result = ctl_perform(ctl, &request, NULL);
    if (result.error != 0 && result.error != -PCV_ERESTART) {
        assign_explained(ctl, &request, &result);
        return false;
    }
    if (result.error == 0) {
        text_add(ctl->out, "%s: %s has it at %s\n", ctl_show(ctl, sbdf).s,
                 ctl_domain_name(ctl, domain_id).s,
                 format_address(false, 0, result.sbdf).s);
    }
    return changed(ctl, &result, sbdf);
}

/* Where it went: its assignment may have named quarantine, and a removal may
 * have waited for it. */
static void returned(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_device_status status = {0};
    const char *where = "back with dom0";

    (void)ctl_status_of(ctl, sbdf, &status);
    if (status.state == PCV_STATE_ABSENT) {
        where = "given back, and removed";
    } else if (status.state == PCV_STATE_LEAVING) {
        where = "given back, and leaving";
    } else if (status.owner_id == PCV_DOMAIN_ID_QUARANTINE) {
        where = "given back, in quarantine";
    }
    text_add(ctl->out, "%s: %s\n", ctl_show(ctl, sbdf).s, where);
}

bool ctl_deassign(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_DEASSIGN, sbdf);
    struct ctl_result result = ctl_perform(ctl, &request, NULL);

    if (result.error == 0) {
        returned(ctl, sbdf);
    }
    if (result.error == -PCV_EINVAL) {
        return ctl_owned_otherwise(ctl, sbdf);
    }
    return changed(ctl, &result, sbdf);
}

bool ctl_broken(const struct ctl *ctl, pcv_sbdf sbdf, bool on)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_BROKEN, sbdf);

    request.u.broken.on = on;
    struct ctl_result result = ctl_perform(ctl, &request, NULL);
    if (result.error != 0) {
        return ctl_failed(ctl, result.error, "%s", ctl_show(ctl, sbdf).s);
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
    return ctl_finished(ctl, &result, ctl_show(ctl, sbdf).s);
}

bool ctl_read_only(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_READ_ONLY, sbdf);
    struct ctl_result result = ctl_perform(ctl, &request, NULL);

    if (result.error == 0) {
        text_add(ctl->out, "%s: the hypervisor's own, read-only for dom0\n",
                 ctl_show(ctl, sbdf).s);
    }
    return ctl_finished(ctl, &result, ctl_show(ctl, sbdf).s);
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
    if (result.error == -PCV_EINVAL) {
        return ctl_failed(ctl, result.error, "%s is no bridge, and no PF",
                          ctl_show(ctl, sbdf).s);
    }
    return ctl_finished(ctl, &result, ctl_show(ctl, sbdf).s);
}

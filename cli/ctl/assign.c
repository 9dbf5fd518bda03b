/* SPDX-License-Identifier: MIT */
/* Commands that give a function to a guest, and take it back. */
#include "ctl/why.h"

/* A change of owner that failed half-way leaves the function with nobody: at
 * which step. Nothing, if this one was refused before it began. */
static void changed_state(const struct ctl *ctl, int error, pcv_sbdf sbdf,
                          struct text *name)
{
    struct pcv_device_status status = {0};

    (void)ctl_status_of(ctl, sbdf, &status);
    bool nobodys = status.state == PCV_STATE_PRESENT &&
                   status.owner_id == PCV_DOMAIN_ID_QUARANTINE;

    if (error == -PCV_EBUSY && status.change_error != error) {
        return;
    }
    text_add(name, "%s", nobodys ? " is in quarantine" : "");
    if (status.change_error == error) {
        text_add(
            name, "%s the step '%s' failed", nobodys ? "," : ":",
            pcv_change_step_name((enum pcv_change_step)status.change_step));
    }
    if (nobodys && error == -PCV_EBUSY) {
        ctl_reset_blocker(ctl, sbdf, name);
    }
}

static bool changed(const struct ctl *ctl,
                    const struct pcv_ctl_request *request,
                    const struct ctl_result *result)
{
    struct text state = {0};

    if (result->error != 0 && result->error != -PCV_ERESTART) {
        changed_state(ctl, result->error, request->sbdf, &state);
    }
    bool good = state.len == 0 ? ctl_finished(ctl, request, result)
                               : ctl_failed(ctl, result->error, "%s%s",
                                            ctl_show(ctl, request->sbdf).s,
                                            text_str(&state));
    text_fini(&state);
    return good;
}

/* Who else is in the isolation group, with another user. */
struct others {
    const struct ctl *ctl;
    struct text text;
    pcv_sbdf last;
};

static bool others_add(void *arg, const union pcv_ctl_record *record)
{
    struct others *others = arg;

    others->last = record->sbdf;
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

/* An assignment was refused, or failed, before it began: because of the
 * function, of others of its group, or of one of those that would go along. */
static bool assign_refused(const struct ctl *ctl,
                           const struct pcv_ctl_request *request, int error,
                           const struct others *others)
{
    const struct sbdf_text name = ctl_show(ctl, request->sbdf);
    struct pcv_ctl_request other = *request;
    struct text text = {0};

    if (text_str(&others->text)[0] == '\0') {
        return why_failed(ctl, request, error);
    }
    if (error == -PCV_EXDEV) {
        return ctl_failed(ctl, error, "%s shares its isolation group with %s",
                          name.s, text_str(&others->text));
    }
    other.sbdf = others->last;
    text_add(&text, "%s goes with its group, and %s", name.s,
             text_str(&others->text));
    why_add(ctl, &other, error, &text);
    ctl_failed(ctl, error, "%s", text_str(&text));
    text_fini(&text);
    return false;
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
        assign_refused(ctl, &request, error, &others);
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
    bool same = others_ask(&others, request) == result->error &&
                text_str(&others.text)[0] != '\0';

    if (same) {
        assign_refused(ctl, request, result->error, &others);
    }
    text_fini(&others.text);
    if (!same) {
        (void)changed(ctl, request, result);
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
    return changed(ctl, &request, &result);
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
    return changed(ctl, &request, &result);
}

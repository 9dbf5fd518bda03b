/* SPDX-License-Identifier: MIT */
/* Why an operation was refused. */
#include "ctl/why.h"

/* Nothing is asked where it was the asking that failed. */
static void look(struct why *why)
{
    const struct ctl *ctl = why->ctl;
    const struct pcv_ctl_request ask =
        ctl_request(PCV_CTL_DEVICE, why->request->sbdf);
    union pcv_ctl_record record;

    why->has_status = why->request->op != PCV_CTL_STATUS &&
                      ctl_status_of(ctl, why->request->sbdf, &why->status) == 0;
    if (why->has_status && ctl_ask(ctl, &ask, &record) == 0) {
        why->has_info = true;
        why->info = record.device.info;
    }
}

static const struct why_row *row_of(const struct why *why, int error)
{
    for (size_t i = 0; i < why_row_count; i++) {
        const struct why_row *row = &why_rows[i];

        if ((row->op == 0 || row->op == why->request->op) &&
            row->error == error && (row->fits == NULL || row->fits(why))) {
            return row;
        }
    }
    return NULL;
}

void why_add(const struct ctl *ctl, const struct pcv_ctl_request *request,
             int error, struct text *to)
{
    struct why why = {.ctl = ctl, .request = request};

    look(&why);
    const struct why_row *row = row_of(&why, error < 0 ? -error : error);
    if (row == NULL) {
        text_add(to, ": an answer that this program does not know");
        return;
    }
    for (const char *at = row->words; *at != '\0'; at++) {
        if (*at == '@') {
            text_add(to, "%s", ctl_domain_name(ctl, why.status.owner_id).s);
        } else if (*at == '$') {
            text_add(to, "%s",
                     pcv_change_step_name(
                         (enum pcv_change_step)why.status.change_step));
        } else if (*at == '#') {
            ctl_reset_blocker(ctl, request->sbdf, to);
        } else {
            text_add_bytes(to, at, 1);
        }
    }
}

bool why_failed_as(const struct ctl *ctl, const struct pcv_ctl_request *request,
                   int error, const char *name)
{
    struct text text = {0};

    text_add(&text, "%s", name);
    why_add(ctl, request, error, &text);
    ctl_failed(ctl, error, "%s", text_str(&text));
    text_fini(&text);
    return false;
}

bool why_failed(const struct ctl *ctl, const struct pcv_ctl_request *request,
                int error)
{
    return why_failed_as(ctl, request, error, ctl_show(ctl, request->sbdf).s);
}

/* ---- bridges above ---------------------------------------------------------
 */

struct leaving {
    const struct ctl *ctl;
    pcv_sbdf bridge;
    bool is;
};

static bool bridge_leaves(void *arg, const union pcv_ctl_record *record)
{
    struct pcv_device_status status = {0};
    struct leaving *leaving = arg;

    leaving->bridge = record->sbdf;
    leaving->is = ctl_status_of(leaving->ctl, record->sbdf, &status) == 0 &&
                  status.remove_waits;
    return !leaving->is;
}

bool ctl_bridge_leaves(const struct ctl *ctl, pcv_sbdf sbdf,
                       pcv_sbdf *out_bridge)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_PATH, sbdf);
    struct leaving leaving = {.ctl = ctl};

    (void)ctl_each(ctl, &request, bridge_leaves, &leaving);
    *out_bridge = leaving.bridge;
    return leaving.is;
}

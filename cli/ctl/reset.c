/* SPDX-License-Identifier: MIT */
/* Commands that reset functions, and set MSI-X aside. */
#include "pcivisor/reset.h"
#include "ctl/why.h"

/* "01:00.1 (dom0)": who would be hit. */
static void add_hit(const struct ctl *ctl, pcv_sbdf hit, struct text *to)
{
    struct pcv_device_status status = {0};

    (void)ctl_status_of(ctl, hit, &status);
    text_add(to, "%s (%s)", ctl_show(ctl, hit).s,
             status.state == PCV_STATE_LEAVING
                 ? "leaving"
                 : ctl_domain_name(ctl, status.owner_id).s);
}

/* Only together with its bus, or with VFs. */
static bool in_the_way(const struct ctl *ctl, pcv_sbdf sbdf,
                       const struct ctl_result *result)
{
    struct text hit = {0};

    if (result->sbdf.v == sbdf.v) {
        const struct pcv_ctl_request request = ctl_request(PCV_CTL_RESET, sbdf);
        return why_failed(ctl, &request, result->error);
    }
    text_add(&hit, ": that would hit ");
    add_hit(ctl, result->sbdf, &hit);
    (void)ctl_failed(ctl, result->error, "%s%s", ctl_show(ctl, sbdf).s,
                     text_str(&hit));
    text_fini(&hit);
    return false;
}

/* What the library would do. */
static struct ctl_result ask(const struct ctl *ctl, pcv_sbdf sbdf,
                             union pcv_ctl_record *out_record)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_RESET, sbdf);
    struct pcv_ctl_reply reply = {.record = out_record, .room = 1};
    struct ctl_result result = {0};

    request.flags = PCV_CTL_ONLY_ASK;
    result.error = ctl->call(ctl->ctx, &request, &reply);
    result.sbdf = reply.sbdf;
    result.wait_us = reply.wait_us;
    return result;
}

void ctl_reset_blocker(const struct ctl *ctl, pcv_sbdf sbdf, struct text *to)
{
    union pcv_ctl_record record;
    struct ctl_result result = ask(ctl, sbdf, &record);

    if (result.error == -PCV_EBUSY && result.sbdf.v != sbdf.v) {
        text_add(to, ": its bus reset would hit ");
        add_hit(ctl, result.sbdf, to);
    }
}

bool ctl_reset(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_RESET, sbdf);
    struct ctl_result result = ctl_perform(ctl, &request, NULL);

    if (result.error == 0) {
        text_add(ctl->out, "%s: reset\n", ctl_show(ctl, sbdf).s);
    }
    return result.error == -PCV_EBUSY ? in_the_way(ctl, sbdf, &result)
                                      : ctl_finished(ctl, &request, &result);
}

bool ctl_reset_method(const struct ctl *ctl, pcv_sbdf sbdf)
{
    const struct pcv_ctl_request request = ctl_request(PCV_CTL_RESET, sbdf);
    union pcv_ctl_record record;
    struct ctl_result result = ask(ctl, sbdf, &record);

    if (result.error == 0) {
        text_add(ctl->out, "%s: %s\n", ctl_show(ctl, sbdf).s,
                 pcv_reset_name(record.reset.way));
    }
    return result.error == -PCV_EBUSY ? in_the_way(ctl, sbdf, &result)
                                      : ctl_finished(ctl, &request, &result);
}

static bool msix(const struct ctl *ctl, enum pcv_ctl_op op, pcv_sbdf sbdf,
                 const char *said)
{
    struct pcv_ctl_request request = ctl_request(op, sbdf);
    struct ctl_result result = ctl_perform(ctl, &request, NULL);

    if (result.error == 0) {
        text_add(ctl->out, "%s: MSI-X %s\n", ctl_show(ctl, sbdf).s, said);
    }
    return ctl_finished(ctl, &request, &result);
}

bool ctl_prepare_msix(const struct ctl *ctl, pcv_sbdf sbdf)
{
    return msix(ctl, PCV_CTL_PREPARE_MSIX, sbdf, "is set aside");
}

bool ctl_release_msix(const struct ctl *ctl, pcv_sbdf sbdf)
{
    return msix(ctl, PCV_CTL_RELEASE_MSIX, sbdf, "is released");
}

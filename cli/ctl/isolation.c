/* SPDX-License-Identifier: MIT */
/* Commands about what the IOMMU can tell apart. */
#include <string.h>

#include "ctl/why.h"
#include "pcivisor/requester.h"

/* ---- groups -------------------------------------------------------------- */

struct members {
    const struct ctl *ctl;
    struct text lines;
    uint64_t count;
};

static bool member_add(void *arg, const union pcv_ctl_record *record)
{
    const struct pcv_group_member *member = &record->member;
    struct members *members = arg;
    const struct ctl *ctl = members->ctl;

    members->count++;
    text_add(&members->lines, "  %s  %s%s%s\n", ctl_show(ctl, member->sbdf).s,
             ctl_domain_name(ctl, member->owner_id).s,
             member->is_bridge ? ", forwards only" : "",
             member->declared ? ", declared isolated" : "");
    return true;
}

bool ctl_group(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_GROUP, sbdf);
    struct members members = {.ctl = ctl};
    int error = ctl_each(ctl, &request, member_add, &members);

    if (error == 0 && members.count == 1) {
        text_add(ctl->out, "%s: a group of its own\n%s", ctl_show(ctl, sbdf).s,
                 text_str(&members.lines));
    } else if (error == 0) {
        text_add(ctl->out, "%s: one group of ", ctl_show(ctl, sbdf).s);
        text_add_count(ctl->out, members.count, "function");
        text_add(ctl->out, "\n%s", text_str(&members.lines));
    }
    text_fini(&members.lines);
    return error == 0 || why_failed(ctl, &request, error);
}

bool ctl_isolate(const struct ctl *ctl, pcv_sbdf sbdf, bool isolated)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_ISOLATE, sbdf);

    request.u.isolate.isolated = isolated;
    struct ctl_result result = ctl_perform(ctl, &request, NULL);
    if (result.error != 0) {
        return why_failed(ctl, &request, result.error);
    }
    text_add(ctl->out, "%s: %s\n", ctl_show(ctl, sbdf).s,
             isolated ? "declared isolated" : "isolated as topology says");
    return true;
}

/* ---- requester IDs ------------------------------------------------------- */

bool ctl_requesters_words(const struct ctl *ctl, char *const *word,
                          size_t count, struct pcv_ctl_request *request,
                          struct text *why)
{
    uint64_t stride;

    if (count == 0) {
        return true;
    }
    if (count == 2 && strcmp(word[0], "also") == 0) {
        request->u.requesters.what = PCV_CTL_REQUESTERS_ADD;
        return ctl->names.parse(ctl->names.ctx, word[1],
                                &request->u.requesters.requester, why);
    }
    if (count != 2 || strcmp(word[0], "phantom") != 0) {
        text_add(why, "expected also SBDF or phantom STRIDE");
        return false;
    }
    if (!parse_number(word[1], UINT8_MAX, &stride)) {
        text_add(why, "expected a stride of 1, 2 or 4, got '%s'", word[1]);
        return false;
    }
    request->u.requesters.what = PCV_CTL_REQUESTERS_PHANTOM;
    request->u.requesters.stride = (uint8_t)stride;
    return true;
}

static bool requester_line(void *arg, const union pcv_ctl_record *record)
{
    const struct pcv_requester *requester = &record->requester;
    const struct ctl *ctl = arg;
    bool bridge = requester->kind == PCV_REQUESTER_ALIAS;
    bool nobody = requester->domain_id == PCV_DOMAIN_ID_QUARANTINE;

    text_add(ctl->out, "  %s  %s", ctl_show(ctl, requester->id).s,
             pcv_requester_kind_name(requester->kind));
    if (bridge) {
        text_add(ctl->out, " by %s", ctl_show(ctl, requester->by).s);
    }
    text_add(ctl->out, "%s: memory of %s\n",
             requester->shared ? ", shared" : "",
             nobody ? "nobody" : ctl_domain_name(ctl, requester->domain_id).s);
    return true;
}

bool ctl_requesters(const struct ctl *ctl,
                    const struct pcv_ctl_request *request)
{
    struct pcv_ctl_request own = *request;
    struct ctl copy = *ctl;
    struct text lines = {0};
    int error;

    copy.out = &lines; /* an error comes alone */
    error = ctl_each(ctl, &own, requester_line, &copy);
    if (error == 0) {
        text_add(ctl->out, "%s sends as\n%s", ctl_show(ctl, request->sbdf).s,
                 text_str(&lines));
    }
    text_fini(&lines);
    return error == 0 || why_failed(ctl, &own, error);
}

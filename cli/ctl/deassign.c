/* SPDX-License-Identifier: MIT */
/* Taking functions back: one, or all of an isolation group. */
#include "ctl/ctl.h"

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
        where = status.group_waits
                    ? "given back, in quarantine: waits for its group"
                    : "given back, in quarantine";
    }
    text_add(ctl->out, "%s: %s\n", ctl_show(ctl, sbdf).s, where);
}

bool ctl_deassign(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_DEASSIGN, sbdf);
    struct ctl_result result = ctl_perform(ctl, &request, NULL);

    if (result.error == -PCV_EXDEV) {
        return ctl_group_refused(ctl, sbdf);
    }
    if (result.error == 0) {
        returned(ctl, sbdf);
    }
    return ctl_changed(ctl, &request, &result);
}

/* Those of a group that are to come back. */
struct party {
    uint32_t owner_id;
    uint32_t count;
    pcv_sbdf sbdf[PCV_ASSIGN_GROUP_MAX];
};

static bool party_add(void *arg, const union pcv_ctl_record *record)
{
    const struct pcv_group_member *member = &record->member;
    struct party *party = arg;

    if (party->count < PCV_ASSIGN_GROUP_MAX && !member->is_bridge &&
        (member->owner_id == party->owner_id ||
         member->owner_id == PCV_DOMAIN_ID_QUARANTINE)) {
        party->sbdf[party->count++] = member->sbdf;
    }
    return true;
}

bool ctl_deassign_group(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_GROUP, sbdf);
    struct pcv_device_status status = {0};
    struct party party = {0};

    (void)ctl_status_of(ctl, sbdf, &status);
    party.owner_id = status.owner_id;
    (void)ctl_each(ctl, &request, party_add, &party);
    request = ctl_request(PCV_CTL_DEASSIGN, sbdf);
    request.flags = PCV_CTL_WITH_GROUP;
    struct ctl_result result = ctl_perform(ctl, &request, NULL);
    if (result.error == -PCV_EXDEV) {
        return ctl_group_refused(ctl, sbdf);
    }
    for (uint32_t i = 0; result.error == 0 && i < party.count; i++) {
        returned(ctl, party.sbdf[i]);
    }
    if (result.error != 0 && result.sbdf.v != 0) {
        request.sbdf = result.sbdf;
    }
    return ctl_changed(ctl, &request, &result);
}

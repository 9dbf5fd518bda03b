/* SPDX-License-Identifier: MIT */
/* Which card is at an address: what an add found there (LIFE-7). */
#include "ctl/ctl.h"

struct ctl_card ctl_card_at(const struct ctl *ctl, pcv_sbdf sbdf)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_DEVICE, sbdf);
    union pcv_ctl_record record;
    struct ctl_card card = {.known = ctl_ask(ctl, &request, &record) == 0};

    if (card.known) {
        card.info = record.device.info;
    }
    return card;
}

static bool is_same_card(const struct pcv_device_info *a,
                         const struct pcv_device_info *b)
{
    return a->vendor == b->vendor && a->device == b->device &&
           a->subsystem_vendor == b->subsystem_vendor &&
           a->subsystem == b->subsystem && a->class_code == b->class_code &&
           a->revision == b->revision && a->serial == b->serial &&
           (a->header_type & 0x7fu) == (b->header_type & 0x7fu);
}

const char *ctl_card_added(const struct ctl_card *before, const struct ctl *ctl,
                           pcv_sbdf sbdf)
{
    struct ctl_card now = ctl_card_at(ctl, sbdf);

    if (!before->known) {
        return "added";
    }
    if (!is_same_card(&before->info, &now.info)) {
        return "another card, added";
    }
    return before->info.vanished ? "added again" : "known, updated";
}

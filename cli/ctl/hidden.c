/* SPDX-License-Identifier: MIT */
/* Commands about functions that the hypervisor uses, or nobody. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/why.h"

/* ---- ranges ---------------------------------------------------------------
 */

static bool range_parse(char *word, struct pcv_hide_range *out)
{
    char *offset = strchr(word, ':');
    char *size = offset != NULL ? strchr(offset + 1, ':') : NULL;
    uint64_t bar;
    bool good;

    if (size == NULL) {
        return false;
    }
    *offset = '\0';
    *size = '\0';
    good = parse_number(word, PCV_BAR_IS_ROM - 1, &bar) &&
           parse_hex(offset + 1, UINT64_MAX, &out->offset) &&
           parse_size(size + 1, &out->size);
    *offset = ':';
    *size = ':';
    out->bar = good ? (uint32_t)bar : 0;
    return good;
}

bool ctl_hide_words(char *const *word, size_t count,
                    struct pcv_hide_info *out_info, struct text *why)
{
    if (count > PCV_HIDE_RANGES) {
        text_add(why, "at most %u ranges", PCV_HIDE_RANGES);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!range_parse(word[i], &out_info->range[i])) {
            text_add(
                why,
                "expected a range, BAR:OFFSET:SIZE with a BAR from 0 to 5, "
                "a hexadecimal offset and a size (4K, 0x20), got '%s'",
                word[i]);
            return false;
        }
    }
    out_info->range_count = (uint32_t)count;
    return true;
}

/* ---- the operations -------------------------------------------------------
 */

/* What else it was about. */
static const char *with(uint32_t flags)
{
    if ((flags & PCV_CTL_SUBTREE) != 0) {
        return " and all behind it";
    }
    return (flags & PCV_CTL_SLOT) != 0 ? " and all of its slot" : "";
}

/* Of a subtree, a slot, or what a VF belongs to. */
static bool in_the_way(const struct ctl *ctl,
                       const struct pcv_ctl_request *request, pcv_sbdf busy)
{
    struct pcv_ctl_request other = *request;
    struct text why = {0};

    other.sbdf = busy;
    why_add(ctl, &other, PCV_EBUSY, &why);
    ctl_failed(ctl, PCV_EBUSY, "%s is in the way%s%s", ctl_show(ctl, busy).s,
               text_str(&why)[0] == ':' ? "" : ", it", text_str(&why));
    text_fini(&why);
    return false;
}

static bool perform(const struct ctl *ctl, struct pcv_ctl_request *request,
                    const char *what)
{
    struct ctl_result result = ctl_perform(ctl, request, NULL);
    struct sbdf_text busy = ctl_show(ctl, result.sbdf);

    if (result.error == 0) {
        text_add(ctl->out, "%s%s: %s\n", ctl_show(ctl, request->sbdf).s,
                 with(request->flags), what);
        return true;
    }
    if (result.error == -PCV_EBUSY && result.sbdf.v != request->sbdf.v) {
        return in_the_way(ctl, request, result.sbdf);
    }
    if (result.wait_us != 0) {
        return ctl_failed(ctl, result.error,
                          "%s must be left alone: 'advance %" PRIu64
                          "', then the same again",
                          busy.s, (result.wait_us + 999) / 1000);
    }
    return why_failed(ctl, request, result.error);
}

bool ctl_hide(const struct ctl *ctl, pcv_sbdf sbdf,
              const struct pcv_hide_info *info, uint32_t flags)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_HIDE, sbdf);

    request.flags = flags;
    request.u.hide = *info;
    return perform(ctl, &request, "hidden: dom0's and the hypervisor's");
}

bool ctl_conceal(const struct ctl *ctl, pcv_sbdf sbdf, uint32_t flags)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_CONCEAL, sbdf);

    request.flags = flags;
    return perform(ctl, &request, "concealed: dom0 does not see it");
}

bool ctl_reveal(const struct ctl *ctl, pcv_sbdf sbdf, uint32_t flags)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_REVEAL, sbdf);

    request.flags = flags;
    return perform(ctl, &request, "dom0's alone");
}

bool ctl_quarantine(const struct ctl *ctl, pcv_sbdf sbdf, uint32_t flags)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_QUARANTINE, sbdf);

    request.flags = flags;
    return perform(ctl, &request, "in quarantine: nobody's");
}

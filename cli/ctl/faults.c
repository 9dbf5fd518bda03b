/* SPDX-License-Identifier: MIT */
/* The command about IOMMU faults. */
#include <inttypes.h>
#include <string.h>

#include "ctl/why.h"

#define LIMIT_MS_MAX 4294967u /* in microseconds, 32 bits */

static void faults_print(const struct ctl *ctl, pcv_sbdf sbdf,
                         const struct pcv_device_faults *faults)
{
    text_add(ctl->out, "%s: ", ctl_show(ctl, sbdf).s);
    if (faults->excess) {
        text_add(ctl->out, "too many faults, bus mastering is %s%s\n",
                 faults->cut ? "off" : "left alone",
                 faults->due ? ": work is left to do" : "");
        return;
    }
    text_add_count(ctl->out, faults->count, "fault");
    if (faults->threshold == 0) {
        text_add(ctl->out, ", none are counted\n");
        return;
    }
    text_add(ctl->out,
             ", %" PRIu32 " are too many, halved every %" PRIu64 " ms\n",
             faults->threshold, faults->window_us / 1000);
}

static bool faults_ask(const struct ctl *ctl, pcv_sbdf sbdf, bool clear)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_FAULTS, sbdf);
    union pcv_ctl_record record;

    request.flags = clear ? PCV_CTL_CLEAR : 0;
    int error = ctl_ask(ctl, &request, &record);
    if (error != 0) {
        return why_failed(ctl, &request, error);
    }
    faults_print(ctl, sbdf, &record.faults);
    return true;
}

static bool faults_limit(const struct ctl *ctl, uint64_t threshold, uint64_t ms)
{
    struct pcv_ctl_request request = ctl_request(PCV_CTL_FAULTS, (pcv_sbdf){0});

    request.flags = PCV_CTL_LIMIT;
    request.u.faults.threshold = (uint32_t)threshold;
    request.u.faults.window_us = (uint32_t)(ms * 1000);
    struct ctl_result result = ctl_perform(ctl, &request, NULL);
    if (result.error != 0) {
        return why_failed_as(ctl, &request, result.error, "faults limit");
    }
    if (threshold == 0) {
        text_add(ctl->out, "faults are not counted\n");
    } else {
        text_add(ctl->out, "%" PRIu64 " faults are too many\n", threshold);
    }
    return true;
}

bool ctl_faults(const struct ctl *ctl, char *const *word, size_t count,
                struct text *misused)
{
    uint64_t threshold;
    uint64_t ms;
    pcv_sbdf sbdf;

    if (count == 3 && strcmp(word[0], "limit") == 0) {
        if (!parse_number(word[1], UINT32_MAX, &threshold) ||
            !parse_number(word[2], LIMIT_MS_MAX, &ms)) {
            text_add(misused, "expected a count and milliseconds, got '%s %s'",
                     word[1], word[2]);
            return false;
        }
        return faults_limit(ctl, threshold, ms);
    }
    if (count > 2 || (count == 2 && strcmp(word[1], "clear") != 0)) {
        text_add(misused, "expected SBDF [clear] or limit COUNT MILLISECONDS");
        return false;
    }
    return ctl->names.parse(ctl->names.ctx, word[0], &sbdf, misused) &&
           faults_ask(ctl, sbdf, count == 2);
}

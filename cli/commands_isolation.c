/* SPDX-License-Identifier: MIT */
/* Commands about what the IOMMU can tell apart. */
#include "command.h"

enum command_result command_group(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    bool good = true;

    for (size_t i = 0; i < call->args.count; i++) {
        pcv_sbdf sbdf;

        if (!call_sbdf(call, i, &sbdf)) {
            return COMMAND_MISUSED;
        }
        good = ctl_group(&ctl, sbdf) && good;
    }
    return call_done(good);
}

enum command_result command_isolate(struct call *call)
{
    return call_switch(call, ctl_isolate);
}

enum command_result command_requesters(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    struct pcv_ctl_request request;
    struct text why = {0};
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    request = ctl_request(PCV_CTL_REQUESTERS, sbdf);
    if (!ctl_requesters_words(&ctl, call->args.word + 1, call->args.count - 1,
                              &request, &why)) {
        enum command_result result = call_misused(call, "%s", text_str(&why));

        text_fini(&why);
        return result;
    }
    return call_done(ctl_requesters(&ctl, &request));
}

/* SPDX-License-Identifier: MIT */
/* Why what is no control operation was refused. */
#include "command.h"
#include "ctl/why.h"

static const struct {
    enum call_about about;
    int error;
    const char *words;
} reason[] = {
    {ABOUT_HARDWARE, PCV_ENODEV, ": the machine has no such function"},
    {ABOUT_HARDWARE, PCV_EINVAL, ": it has no such thing"},
    {ABOUT_FIND, PCV_ENODEV, ": there is nothing that can be found"},
    {ABOUT_VIEW, PCV_ENODEV, ": the domain has no function there"},
    {ABOUT_DMA, PCV_EPERM, ": its bus mastering is off, or it sleeps"},
    {ABOUT_DMA, PCV_EFAULT, ": the IOMMU blocked it"},
    {ABOUT_DMA, PCV_ENODEV, ": the machine has no such function"},
    {ABOUT_VECTOR, PCV_EEXIST, " is attached already"},
    {ABOUT_VECTOR, PCV_EINVAL, ": there is no such vector"},
    {ABOUT_VECTOR, PCV_ENODEV,
     ": the function is leaving, has vanished, or changes its owner"},
    {ABOUT_GUEST, PCV_EEXIST, ": there is a guest of that name"},
    {ABOUT_WINDOW, PCV_EEXIST, ": it overlaps another window"},
    {ABOUT_WINDOW, PCV_EINVAL, ": a window begins and ends with a page"},
    {ABOUT_WINDOW, PCV_ENOSPC, ": it has as many windows as there can be"},
    {ABOUT_EMULATED, PCV_EEXIST,
     ": that device number is taken, by what is registered, emulated or "
     "answers there"},
    {ABOUT_EMULATED, PCV_EPERM,
     ": a bridge leads to that bus, only root buses take any"},
    {ABOUT_EMULATED, PCV_EINVAL,
     ": it must be function 0 on a bus of the machine, its BAR a power of two"},
    {ABOUT_EMULATED, PCV_ENOSPC, ": its BAR does not fit in the window"},
    {ABOUT_EMULATED, PCV_ENODEV, ": nothing is emulated there"},
};

enum command_result call_refused(struct call *call, enum call_about about,
                                 int error, const char *name)
{
    const struct pcv_ctl_request none = {0};
    struct ctl ctl = call_ctl(call);

    for (size_t i = 0; i < sizeof(reason) / sizeof(reason[0]); i++) {
        if (reason[i].about == about &&
            reason[i].error == (error < 0 ? -error : error)) {
            return call_failed(call, error, "%s%s", name, reason[i].words);
        }
    }
    return call_done(why_failed_as(&ctl, &none, error, name));
}

/* SPDX-License-Identifier: MIT */
/* Commands about functions that the hypervisor uses, or nobody. */
#include "command.h"

/* The options of these commands, in the order of commands_guest.c. */
enum { OPTION_SUBTREE, OPTION_OTHER };

static uint32_t set_flags(const struct call *call, uint32_t other)
{
    uint32_t flags = 0;

    if (call->args.option[OPTION_SUBTREE] != NULL) {
        flags |= PCV_CTL_SUBTREE;
    }
    if (call->args.option[OPTION_OTHER] != NULL) {
        flags |= other;
    }
    return flags;
}

enum command_result command_hide(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    struct pcv_hide_info info = {0};
    struct text why = {0};
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    if (!ctl_hide_words(call->args.word + 1, call->args.count - 1, &info,
                        &why)) {
        call_misused(call, "%s", text_str(&why));
        text_fini(&why);
        return COMMAND_MISUSED;
    }
    if (call->args.option[OPTION_OTHER] != NULL) {
        info.flags |= PCV_HIDE_MASTER;
    }
    return call_done(ctl_hide(&ctl, sbdf, &info, set_flags(call, 0)));
}

/* A bridge and what is behind it, or a device and its functions. */
static bool is_one_set(struct call *call)
{
    bool is = call->args.option[OPTION_SUBTREE] == NULL ||
              call->args.option[OPTION_OTHER] == NULL;

    if (!is) {
        call_misused(call, "--subtree and --slot exclude each other");
    }
    return is;
}

enum command_result command_conceal(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf) || !is_one_set(call)) {
        return COMMAND_MISUSED;
    }
    return call_done(ctl_conceal(&ctl, sbdf, set_flags(call, PCV_CTL_SLOT)));
}

enum command_result command_reveal(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf) || !is_one_set(call)) {
        return COMMAND_MISUSED;
    }
    return call_done(ctl_reveal(&ctl, sbdf, set_flags(call, PCV_CTL_SLOT)));
}

enum command_result command_quarantine(struct call *call)
{
    struct ctl ctl = call_ctl(call);
    pcv_sbdf sbdf;

    if (!call_sbdf(call, 0, &sbdf)) {
        return COMMAND_MISUSED;
    }
    return call_done(ctl_quarantine(&ctl, sbdf, set_flags(call, 0)));
}

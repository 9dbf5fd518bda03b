/* SPDX-License-Identifier: MIT */
/*
 * What a guest is to see of a function, as options say it (CAP-6).
 */
#ifndef PCIVISOR_CLI_POLICY_H
#define PCIVISOR_CLI_POLICY_H

#include "args.h"
#include "machine.h"

/* The first options of every list that has them, in this order; what stands
 * behind them is the caller's. */
#define POLICY_OPTIONS                                                         \
    {"--hide", "CAP..."}, {"--show", "CAP..."}, {"--leave-out", "BAR..."},     \
        {"--pass", "OFF:SIZE[:rw]..."},                                        \
    {                                                                          \
        "--rom", "FILE"                                                        \
    }
enum {
    POLICY_HIDE,
    POLICY_SHOW,
    POLICY_LEAVE_OUT,
    POLICY_PASS,
    POLICY_ROM,
    POLICY_OPTION_COUNT
};
#define POLICY_ARGUMENTS                                                       \
    "[--hide CAP]... [--show CAP]... [--leave-out BAR]... "                    \
    "[--pass OFF:SIZE[:rw]]... [--rom FILE]"

/*
 * Read them. A ROM's image is lent to the machine, and its file relative to
 * `folder`. False, and why.
 */
bool policy_parse(struct machine *machine, const struct args *args,
                  const char *folder, struct pcv_assign_policy *out_policy,
                  struct text *why);

#endif

/* SPDX-License-Identifier: MIT */
/* What an operating system found, held against what the registry knows. */
#ifndef PCIVISOR_CLI_ENUMERATE_COMPARE_H
#define PCIVISOR_CLI_ENUMERATE_COMPARE_H

#include "enumerate.h"
#include "inventory.h"

struct enumerate_comparison {
    uint64_t functions;   /* that both have */
    uint64_t unreachable; /* that the registry has, and no walk can find */
    uint64_t differences;
};

/* Say each difference on a line, at most `max` of them. */
void enumerate_compare(const struct enumeration *enumeration,
                       const struct enumerate_plan *plan,
                       const struct machine *machine, struct text *out,
                       uint64_t max,
                       struct enumerate_comparison *out_comparison);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A machine at one moment, as hardware and the hardware domain's map have it,
 * to be held against what it is later.
 */
#ifndef PCIVISOR_CLI_SNAPSHOT_H
#define PCIVISOR_CLI_SNAPSHOT_H

#include "machine.h"

struct snapshot {
    uint32_t *reg; /* every register of every function, in the model's order */
    size_t regs;
    struct pcv_mapping *mapping;
    size_t mappings;
};

void snapshot_take(struct snapshot *out_snapshot,
                   const struct machine *machine);
void snapshot_fini(struct snapshot *snapshot);

/* Say what is not as it was, a line each, at most `max` of them. Returns how
 * many there are. No function may have been added to the model meanwhile. */
size_t snapshot_compare(const struct snapshot *before,
                        const struct machine *machine, struct text *out,
                        size_t max);

#endif

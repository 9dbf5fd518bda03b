/* SPDX-License-Identifier: MIT */
/*
 * The emulated functions of a machine (VBUS-6): each has a BAR of plain memory,
 * which keeps what is written to it.
 */
#ifndef PCIVISOR_CLI_EMULATED_H
#define PCIVISOR_CLI_EMULATED_H

#include "machine.h"

/* What the library calls back for; it stays where it is. */
struct emulated {
    pcv_sbdf sbdf;
    struct pcv_emulated *function;
    uint8_t *memory; /* bar_size bytes */
};

/* The one at an address, or NULL. */
struct emulated *emulated_at(const struct machine *machine, pcv_sbdf sbdf);

/* Make one as `info` says, or take it away: 0 or the library's error. */
int emulated_add(struct machine *machine, const struct pcv_emulated_info *info);
int emulated_remove(struct machine *machine, struct emulated *emulated);

/* The host is gone, and with it what it called. */
void emulated_fini(struct machine *machine);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Why a guest reads something else from a register than hardware holds.
 */
#ifndef PCIVISOR_CLI_EXPLAIN_H
#define PCIVISOR_CLI_EXPLAIN_H

#include "cells.h"
#include "space.h"

/* A function, and a guest that was given it. */
struct explain {
    struct view guest;            /* the guest's view ... */
    pcv_sbdf own;                 /* ... in which it is here */
    struct space before;          /* hardware, before it was given away */
    struct space after;           /* hardware, after its reset */
    struct view_caps has;         /* the capabilities of hardware ... */
    struct view_caps shown;       /* ... and those that the guest finds */
    struct pcv_bar bar[PCV_BARS]; /* as the library knows them */
    struct pcv_bar_view seen[PCV_BARS];
    bool is_vf;
};

/* All but `before`, which only the caller could take in time. False if the
 * function is not there any more. */
bool explain_take(struct explain *explain, struct machine *machine,
                  pcv_sbdf sbdf, struct pcv_domain *guest);

/* What hardware has at a place that is no register of the guest's: "Access
 * Control Services+4". False if it belongs to nothing that is known. */
bool explain_place(const struct explain *explain, uint16_t reg,
                   struct text *text);

/* Each reason, with the bits that it is for: one call of `fn` each; none if
 * the guest reads what hardware held. */
void explain_cell(const struct explain *explain, const struct cell *cell,
                  void (*fn)(void *arg, uint32_t mask, const char *words),
                  void *arg);

#endif

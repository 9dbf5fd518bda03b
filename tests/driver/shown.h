/* SPDX-License-Identifier: MIT */
/*
 * Bits of hardware that a guest reads, each at its own place: the table of
 * docs/guest-view.md.
 */
#ifndef PCV_TESTS_DRIVER_SHOWN_H
#define PCV_TESTS_DRIVER_SHOWN_H

#include "bus.h"

struct shown {
    const char *capability, *reg;
    uint16_t id; /* capability; 0: the header */
    bool extended;
    uint8_t layout;  /* MSI: bits 8 and 7 of its control register */
    uint16_t offset; /* from the start of the capability */
    uint32_t bits;   /* from that offset on */
};

extern const struct shown shown_table[];
extern const size_t shown_count;

/* Which bits of each dword of its configuration space may show, from the
 * capabilities that a guest sees of a function: `out` has PCV_CFG_EXT_SIZE / 4.
 * Returns how many capabilities there are. A list that leads astray aborts. */
size_t shown_look(const struct bus_function *fn, bool extended, uint32_t *out);

#endif

/* SPDX-License-Identifier: MIT */
/* What the files of the enumerator share. */
#ifndef PCIVISOR_CLI_ENUMERATE_INTERNAL_H
#define PCIVISOR_CLI_ENUMERATE_INTERNAL_H

#include "enumerate.h"
#include "pcivisor/regs.h"

#define ENUMERATE_ROOT 0xffffu /* no bridge covers this bus */

struct enumerate_bus {
    uint64_t base;  /* in the ECAM window */
    bool served;    /* a window has it */
    bool queued;    /* looked at, or about to be */
    bool link;      /* behind a PCIe port: device 0 only */
    bool ari;       /* ... whose functions may have 8-bit numbers */
    uint16_t above; /* secondary bus of the nearest bridge that covers it */
    uint8_t last;   /* of a queued bus: the last one of its bridge's range */
};

/* A walk through one segment. */
struct enumerate_walk {
    const struct enumerate_plan *plan;
    struct enumeration *result;
    uint16_t segment;
    struct enumerate_bus bus[PCV_BUSES];
    uint8_t queue[PCV_BUSES];
    size_t queued;
    uint32_t found[PCV_BUSES * PCV_DEVFNS / 32]; /* one bit an address */
};

/* One access of 1, 2 or 4 bytes, aligned, seen through to its end. All ones
 * where nobody answers. enumerate_access.c. */
uint32_t enumerate_read(struct enumerate_walk *walk, pcv_sbdf sbdf,
                        uint16_t reg, uint8_t size);
void enumerate_write(struct enumerate_walk *walk, pcv_sbdf sbdf, uint16_t reg,
                     uint8_t size, uint32_t value);

/* Fill in all but address and IDs of a function that answers; VFs have those
 * of their PF. enumerate_function.c. */
void enumerate_function_read(struct enumerate_walk *walk,
                             struct enumerate_function *fn);

/* Size the BARs of a function, or only say where they are; and those of a
 * PF's VFs. enumerate_bars.c. */
void enumerate_bars_read(struct enumerate_walk *walk,
                         struct enumerate_function *fn);
void enumerate_vf_bars_read(struct enumerate_walk *walk,
                            struct enumerate_function *pf);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Registers that Resizable BAR and VF Resizable BAR share (PCI Express Base
 * 6.0, 7.8.6 and 7.8.7): up to six pairs of a capability and a control
 * register. A size is a code: 1 MiB shifted left by it.
 */
#ifndef PCV_VPCI_CAP_RESIZE_H
#define PCV_VPCI_CAP_RESIZE_H

#include "vpci/cap/list.h"

#define PCV__RESIZE_MAX 6u              /* entries */
#define PCV__RESIZE_CODES 44u           /* sizes: 1 MiB to 8 EiB */
#define PCV__RESIZE_CONTROL 0x00003f00u /* the size, in a control register */
#define PCV__RESIZE_SHIFT 8u
#define PCV__RESIZE_BAR 0x7u     /* the BAR's number, in the same */
#define PCV__RESIZE_COUNT 0xe0u  /* entries, in the first control register */
#define PCV__RESIZE_LENGTH 0x0cu /* header and one entry */

/* Offsets of the i-th entry's registers, from the capability's start. */
static inline uint16_t pcv__resize_able_at(uint32_t entry)
{
    return (uint16_t)(0x04u + 8u * entry);
}

static inline uint16_t pcv__resize_control_at(uint32_t entry)
{
    return (uint16_t)(0x08u + 8u * entry);
}

static inline uint64_t pcv__resize_bytes(uint32_t code)
{
    return code < PCV__RESIZE_CODES ? 0x100000ull << code : 0;
}

static inline uint32_t pcv__resize_code(uint32_t control)
{
    return (control & PCV__RESIZE_CONTROL) >> PCV__RESIZE_SHIFT;
}

/* Sizes as a mask of codes, from and to both registers. */
static inline uint64_t pcv__resize_sizes(uint32_t able, uint32_t control)
{
    return (able >> 4) | (uint64_t)(control >> 16) << 28;
}

/* What hardware says of one entry. */
struct pcv__resize {
    uint16_t at;    /* its control register, from the capability's start */
    uint8_t bar;    /* 0 to 5; more: it names none */
    uint8_t code;   /* size now */
    uint64_t sizes; /* that it supports, as a mask of codes */
};

/* How many entries there are, 0 if their number makes no sense. */
uint32_t pcv__resize_count(const struct pcv__cap *cap);
/* Read an entry; false: hardware did not answer. */
bool pcv__resize_read(const struct pcv__cap *cap, uint32_t entry,
                      struct pcv__resize *out);
/* Sizes that a BAR of this kind can have: none if it is no memory. */
uint64_t pcv__resize_fitting(const struct pcv__bar *bar);
/*
 * Give the control registers of a capability of the hardware domain their row.
 * One that another register overlaps stays that one's. 0, -PCV_ENOMEM, or
 * -PCV_EINVAL: it has no entry.
 */
int pcv__resize_setup(struct pcv__cap *cap, const struct pcv_register *row);

#endif

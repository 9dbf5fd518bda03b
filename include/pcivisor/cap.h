/* SPDX-License-Identifier: MIT */
/*
 * Capability lists, walked so that no device can lead us astray (CAP-1).
 */
#ifndef PCIVISOR_CAP_H
#define PCIVISOR_CAP_H

#include "pcivisor/types.h"

/* What can be wrong with a list. Each ends the walk but misaligned, whose
 * pointers are followed with their two low bits taken as zero. */
#define PCV_CAP_LOOP 1u       /* a pointer leads back */
#define PCV_CAP_LOW 2u        /* a pointer is below 0x40 (extended: 0x100) */
#define PCV_CAP_MISALIGNED 4u /* a pointer is not a multiple of 4 */
#define PCV_CAP_ALL_ONES 8u   /* a header reads all ones */
#define PCV_CAP_FULL 16u /* more capabilities than the caller had room for */

struct pcv_cap {
    uint16_t offset; /* bytes */
    uint16_t id;     /* 8 bits, or 16 bits in extended space */
    uint8_t version; /* of an extended capability; 0 in the first list */
    bool extended;
};

/* At most this many can stand in the two lists. */
#define PCV_CAPS_MAX 48u
#define PCV_EXT_CAPS_MAX 960u

/* Where a walk reads: `size` is 1, 2 or 4, aligned. */
struct pcv_cap_source {
    uint32_t (*read)(void *ctx, uint16_t reg, uint8_t size);
    void *ctx;
};

/**
 * Walk the capability list of a type 0, 1 or 2 header (PCI Local Bus 3.0, 6.7).
 *
 * @out_caps      up to `max` capabilities, in list order
 * @out_problems  PCV_CAP_*, or NULL
 *
 * Returns how many were stored. Bounded: at most PCV_CAPS_MAX reads of a
 * header. Context: any. Locking: none.
 */
size_t pcv_caps_walk(const struct pcv_cap_source *source,
                     struct pcv_cap *out_caps, size_t max,
                     uint32_t *out_problems);

/**
 * Walk the extended capability list (PCI Express Base 6.0, 7.6.3). The caller
 * knows that the device has extended space. As pcv_caps_walk(); bounded by
 * PCV_EXT_CAPS_MAX. Context: any. Locking: none.
 */
size_t pcv_ext_caps_walk(const struct pcv_cap_source *source,
                         struct pcv_cap *out_caps, size_t max,
                         uint32_t *out_problems);

/**
 * A short name for an identifier: "MSI-X"; NULL if it is not known. Context:
 * any. Locking: none.
 */
const char *pcv_cap_name(uint16_t id, bool extended);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Functions that can be reset in one way or another, for tests of resets.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_RESETTABLE_H
#define PCV_TESTS_UNIT_RESETTABLE_H

#include "owned.h"

/* Where the capabilities of the last one made stand; 0: it has none. */
static uint8_t pcie, pm, af, msi;

/* Ways to be reset that a function has. */
#define HAS_FLR 1u
#define HAS_AF 2u
#define HAS_PM 4u
#define HAS_NO_SOFT_RESET 8u

static inline void make(struct pcv_test_function *f, unsigned ways)
{
    pcv_test_endpoint(f, 0x1234, 0x5678);
    f->fn.config_size = PCV_CFG_EXT_SIZE;
    f->ext_free = PCV_EXT_CAP_START;
    pcie = pcv_test_pcie(f, PCV_PCIE_TYPE_ENDPOINT);
    pcv_test_set(f, pcie + PCV_PCIE_DEVCAP, 4,
                 (ways & HAS_FLR) != 0 ? PCV_PCIE_DEVCAP_FLR : 0);
    af = (ways & HAS_AF) != 0 ? pcv_test_af(f) : 0;
    pm = (ways & HAS_PM) != 0 ? pcv_test_pm(f, (ways & HAS_NO_SOFT_RESET) != 0)
                              : 0;
    msi = pcv_test_msi(f, 0);
    owned_bar(f);
}

static inline void start(struct owned *o, unsigned ways)
{
    struct pcv_test_function f;

    make(&f, ways);
    owned_start(o, &f);
}

/* The owner resets it. */
static inline void flr(struct owned *o)
{
    owned_write(o, (uint16_t)(pcie + PCV_PCIE_DEVCTL), 2, PCV_PCIE_DEVCTL_FLR);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A card whose placeholder is looked at: function 0 of several, with a BAR of
 * each kind and capabilities in both lists.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_PLACEHOLDER_FIXTURE_H
#define PCV_TESTS_UNIT_PLACEHOLDER_FIXTURE_H

#include "owned.h"

#define BAR_HIGH 0x4000000000ull
#define BAR_IO 0xc000u
#define ROM 0xfe0c0000u

/* Where the capabilities of the card stand. */
static uint8_t pcie, msi;
static uint16_t dsn, ari;

/* Function 0 of several, with a BAR of each kind, and errors to tell. */
static inline void make_card(struct pcv_test_function *f)
{
    pcv_test_pcie_endpoint(f, 0x8086, 0x1533);
    pcie = (uint8_t)pcv_test_get(f, PCV_REG_CAPS, 1);
    msi = pcv_test_msi(f, 0x80);
    pcv_test_set(f, PCV_REG_CLASS, 1, 0x02);
    pcv_test_set(f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
    pcv_test_set(f, PCV_REG_SUBSYSTEM_VENDOR, 4, 0x00061af4);
    pcv_test_set(f, PCV_REG_INT_LINE, 2, 0x010b);
    pcv_test_bar32(f, 0, OWNED_BAR, (uint64_t)OWNED_PAGES * 4096u);
    pcv_test_bar_io(f, 1, BAR_IO, 32);
    pcv_test_bar64(f, 2, BAR_HIGH, 1u << 20);
    pcv_test_rom(f, ROM, 0x10000);
    pcv_test_set(f, PCV_REG_COMMAND, 2,
                 PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_PARITY);
    dsn = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_DSN, 1, 12);
    pcv_test_set(f, dsn + 4u, 4, 0x12345678);
    pcv_test_set(f, dsn + 8u, 4, 0x9abcdef0);
    ari = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_ARI, 1, 8);
    pcv_test_set(f, ari + PCV_ARI_CAP, 2, 0x0100);
}

/* The card is the guest's; what is asked is asked by the hardware domain. */
static inline void begin(struct owned *o)
{
    struct pcv_test_function f;

    make_card(&f);
    owned_start(o, &f);
    owned_give(o, NULL);
    o->owner = pcv_host_hardware_domain(o->h.host);
    o->at = OWNED_AT;
}

#endif

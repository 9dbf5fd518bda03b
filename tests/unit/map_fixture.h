/* SPDX-License-Identifier: MIT */
/* A device whose BARs are of many kinds, for tests of their mapping. */
#ifndef PCV_TESTS_UNIT_MAP_FIXTURE_H
#define PCV_TESTS_UNIT_MAP_FIXTURE_H

#include "engine_fixture.h"

#define DEV pcv_test_at(0, 0, 1, 0)
#define DEV2 pcv_test_at(0, 0, 2, 0)

#define BAR0 0xe0000000u               /* 32-bit memory, 4 pages */
#define BAR1 0xe0010000u               /* 32-bit memory, 1 page */
#define BAR2 0x4000000000u             /* 64-bit memory, 16 pages; with BAR 3 */
#define BAR4 0xe0020000u               /* 32-bit memory, 16 bytes ... */
#define BAR5 0xe0020100u               /* ... in the same page as these */
#define ROM 0xe0030000u                /* 2 pages */
#define ALL_PAGES (4u + 1u + 16u + 1u) /* without the ROM */
#define REG_BAR(n) ((uint16_t)(PCV_REG_BAR0 + 4u * (n)))

/* DEV with these BARs, decoding as `command` says; not added yet. */
void map_prepare(struct rig *rig, uint16_t command);
/* The same, added and its BARs mapped if they are to be. */
void map_boot(struct rig *rig, uint16_t command);

/* Whether each BAR is mapped at its first address: bit n for BAR n, 6: ROM. */
uint32_t map_which(const struct rig *rig);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A device with a stretch of registers that are plain memory, for tests of
 * cells: every bit can be written, but those that are write-1-to-clear.
 */
#ifndef PCV_TESTS_UNIT_CELLS_FIXTURE_H
#define PCV_TESTS_UNIT_CELLS_FIXTURE_H

#include "engine_fixture.h"

#define CELLS_AT 0x400u /* first register of the stretch */
#define CELLS_DWORDS 64u
#define CELLS_LOG 256u
#define CELLS_DEVICE pcv_test_at(0, 0, 1, 0)

struct cells {
    struct rig rig;
    struct pcv_device *device;           /* a reference is held */
    uint32_t hw[CELLS_DWORDS];           /* what hardware holds */
    uint32_t w1c[CELLS_DWORDS];          /* bits that a written one clears */
    struct pcv_model_cfg log[CELLS_LOG]; /* accesses of the stretch */
    size_t logged;
};

/* One at a time. */
void cells_open(struct cells *cells);
void cells_close(struct cells *cells);

/* Give the device a register, which must be fine. */
void cells_add(struct cells *cells, const struct pcv_register *reg, void *data);

/* An access of the hardware domain: the value read, and a write to its end. */
uint32_t cells_read(struct cells *cells, uint16_t reg, uint8_t size);
void cells_write(struct cells *cells, uint16_t reg, uint8_t size,
                 uint32_t value);
/* Whether hardware saw exactly these accesses, given as 'r' or 'w', size and
 * register: "r4:400 w2:402". Forgets them. */
void cells_expect(struct cells *cells, const char *accesses);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A function with MSI-X of a few entries, for tests of it.
 * To be included once, by a test.
 */
#ifndef PCV_TESTS_UNIT_MSIX_CARD_H
#define PCV_TESTS_UNIT_MSIX_CARD_H

#include "vectors_fixture.h"

#define BAR 0u
#define TABLE 0x1000u
#define PBA 0x2000u
#define ENTRIES 8u
#define ENABLE 0x8000u
#define MASK_ALL 0x4000u
#define ADDRESS 0xfee01000u
#define DATA 0x40u

static inline uint32_t control_of(const struct vec *vec)
{
    return vec->cap + 2u;
}

/* BARs 0 (32 bits, 64 KiB), 1 (I/O), 2 and 3 (64 bits, 64 KiB); 5: none. */
static inline void build_at(struct vec *vec, uint16_t entries, uint32_t table,
                            uint32_t pba)
{
    vec_open(vec);
    pcv_test_pcie_endpoint(&vec->f, 0x8086, 0x10d3);
    pcv_test_bar32(&vec->f, 0, 0xe1230000, 0x10000);
    pcv_test_bar_io(&vec->f, 1, 0x1000, 0x100);
    pcv_test_bar64(&vec->f, 2, 0xe1240000, 0x10000);
    pcv_test_set(&vec->f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    vec->cap = pcv_test_msix(&vec->f, entries, 0, 0, 0);
    pcv_test_set(&vec->f, vec->cap + 4u, 4, table);
    pcv_test_set(&vec->f, vec->cap + 8u, 4, pba);
}

static inline void build(struct vec *vec)
{
    build_at(vec, ENTRIES, TABLE | BAR, PBA | BAR);
}

static inline void start(struct vec *vec, bool guest)
{
    build(vec);
    vec_start(vec, guest);
    vec_write(vec, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    vec_forget(vec);
}

static inline void control(struct vec *vec, uint32_t value)
{
    vec_write(vec, control_of(vec), 2, value);
}

static inline void put(struct vec *vec, uint32_t index, uint32_t dword,
                       uint32_t value)
{
    assert_true(
        vec_mmio_write(vec, BAR, TABLE + 16u * index + 4u * dword, 4, value));
}

static inline void program(struct vec *vec, uint32_t index)
{
    put(vec, index, 0, ADDRESS);
    put(vec, index, 2, DATA + index);
    put(vec, index, 3, 0);
}

/* Enabled, with all of its entries bound. */
static inline void run(struct vec *vec)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        program(vec, i);
    }
    control(vec, ENABLE);
    assert_int_equal(vec_held(vec), ENTRIES);
}

static inline void expect_delivered(struct vec *vec, uint16_t index)
{
    uint64_t to = 0;
    uint32_t what = 0;

    assert_int_equal(vec_raise(vec, true, index, &to, &what),
                     PCV_MODEL_DELIVERED);
    assert_int_equal(to, ADDRESS);
    assert_int_equal(what, DATA + index);
}

static inline bool hw_decodes(const struct vec *vec)
{
    return (vec_hw(vec, PCV_REG_COMMAND, 2) & PCV_CMD_MEMORY) != 0;
}

static inline bool hw_on(const struct vec *vec)
{
    return (vec_hw(vec, control_of(vec), 2) & ENABLE) != 0;
}

/* Nothing is bound, and hardware sends nothing. */
static inline void expect_off(struct vec *vec)
{
    assert_false(hw_on(vec));
    assert_int_equal(vec_held(vec), 0);
    assert_int_equal(pcv_model_bound(vec->rig.model, NULL), 0);
}

#endif

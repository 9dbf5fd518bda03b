/* SPDX-License-Identifier: MIT */
/*
 * A function with a large MSI-X table, for tests of it.
 * To be included once, by a test.
 */
#ifndef PCV_TESTS_UNIT_MSIX_TABLE_CARD_H
#define PCV_TESTS_UNIT_MSIX_TABLE_CARD_H

#include "vectors_fixture.h"

#define BAR 0u
#define TABLE 0x1000u
#define PBA 0x2000u
#define ENTRIES 70u
#define ENABLE 0x8000u
#define MASK_ALL 0x4000u
#define ADDRESS 0xfee01000u
#define UPPER 2u
#define DATA 0x4321u

static inline uint32_t control_of(const struct vec *vec)
{
    return vec->cap + 2u;
}

static inline void build(struct vec *vec, uint16_t entries)
{
    vec_open(vec);
    pcv_test_pcie_endpoint(&vec->f, 0x8086, 0x10d3);
    pcv_test_bar32(&vec->f, BAR, 0xe1230000, 0x10000);
    pcv_test_set(&vec->f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    vec->cap = pcv_test_msix(&vec->f, entries, BAR, TABLE,
                             entries > 256 ? 0xa000 : PBA);
}

static inline void start(struct vec *vec, uint16_t entries, bool guest)
{
    build(vec, entries);
    vec_start(vec, guest);
    vec_write(vec, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    vec_forget(vec);
}

static inline void put(struct vec *vec, uint32_t index, uint32_t dword,
                       uint32_t value)
{
    assert_true(
        vec_mmio_write(vec, BAR, TABLE + 16u * index + 4u * dword, 4, value));
}

static inline uint32_t get(struct vec *vec, uint32_t index, uint32_t dword)
{
    uint64_t value;

    assert_true(
        vec_mmio_read(vec, BAR, TABLE + 16u * index + 4u * dword, 4, &value));
    return (uint32_t)value;
}

/* Write an entry's message, and unmask it. */
static inline void program(struct vec *vec, uint32_t index)
{
    put(vec, index, 0, ADDRESS);
    put(vec, index, 1, UPPER);
    put(vec, index, 2, DATA + index);
    put(vec, index, 3, 0);
}

static inline void control(struct vec *vec, uint32_t value)
{
    vec_write(vec, control_of(vec), 2, value);
}

static inline uint32_t hw_entry(const struct vec *vec, uint32_t index,
                                uint32_t dword)
{
    return vec_entry(vec, BAR, TABLE, index, dword);
}

static inline bool hw_masked(const struct vec *vec, uint32_t index)
{
    return (hw_entry(vec, index, 3) & 1u) != 0;
}

static inline void expect_delivered(struct vec *vec, uint16_t index,
                                    uint64_t address, uint32_t data)
{
    uint64_t to = 0;
    uint32_t what = 0;

    assert_int_equal(vec_raise(vec, true, index, &to, &what),
                     PCV_MODEL_DELIVERED);
    assert_int_equal(to, address);
    assert_int_equal(what, data);
}

static inline void expect_raise(struct vec *vec, uint16_t index,
                                enum pcv_model_raised raised)
{
    uint64_t to;
    uint32_t what;

    assert_int_equal(vec_raise(vec, true, index, &to, &what), raised);
}

#endif

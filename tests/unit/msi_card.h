/* SPDX-License-Identifier: MIT */
/*
 * A function with MSI, for tests of it.
 * To be included once, by a test.
 */
#ifndef PCV_TESTS_UNIT_MSI_CARD_H
#define PCV_TESTS_UNIT_MSI_CARD_H

#include "vectors_fixture.h"

#define ENABLE 0x0001u
#define ADDRESS 0xfee01000u
#define DATA 0x4560u
#define MODEL_ADDRESS_BITS 0xfee00000u

/* Registers of the capability, by the layout that its control register says. */
static inline uint32_t control_of(const struct vec *vec)
{
    return vec->cap + 2u;
}

static inline uint32_t data_of(const struct vec *vec, uint32_t control)
{
    return vec->cap + ((control & 0x80u) != 0 ? 12u : 8u);
}

static inline uint32_t mask_of(const struct vec *vec, uint32_t control)
{
    return data_of(vec, control) + 4u;
}

/* A function with MSI that says this of itself, reset or as it was left. */
static inline void build(struct vec *vec, uint16_t control)
{
    vec_open(vec);
    pcv_test_pcie_endpoint(&vec->f, 0x8086, 0x10d3);
    pcv_test_bar32(&vec->f, 0, 0xe1230000, 0x4000);
    pcv_test_set(&vec->f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    vec->cap = pcv_test_msi(&vec->f, control);
}

static inline void start(struct vec *vec, uint16_t control, bool guest)
{
    build(vec, control);
    vec_start(vec, guest);
    vec_write(vec, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    vec_forget(vec);
}

/* Program a message and enable 2^log vectors of it. */
static inline void enable(struct vec *vec, uint16_t control, uint32_t log)
{
    vec_write(vec, vec->cap + 4u, 4, ADDRESS);
    vec_write(vec, data_of(vec, control), 2, DATA);
    vec_write(vec, control_of(vec), 2, ENABLE | log << 4);
}

static inline bool is_on(const struct vec *vec)
{
    return (vec_hw(vec, control_of(vec), 2) & ENABLE) != 0;
}

/* Nothing is bound, and both sides say so. */
static inline void expect_off(struct vec *vec)
{
    assert_false(is_on(vec));
    assert_int_equal(vec_read(vec, control_of(vec), 2) & ENABLE, 0);
    assert_int_equal(vec_held(vec), 0);
    assert_int_equal(pcv_model_bound(vec->rig.model, NULL), 0);
}

/* Every vector of the block arrives as its owner programmed it. */
static inline void expect_delivery(struct vec *vec, uint32_t count,
                                   uint64_t address, uint32_t data)
{
    uint64_t to;
    uint32_t what;

    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(vec_raise(vec, false, (uint16_t)i, &to, &what),
                         PCV_MODEL_DELIVERED);
        assert_int_equal(to, address);
        assert_int_equal(what, data | i);
    }
    assert_int_equal(vec_raise(vec, false, (uint16_t)count, &to, &what),
                     PCV_MODEL_DISABLED);
}

#endif

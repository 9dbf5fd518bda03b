/* SPDX-License-Identifier: MIT */
/*
 * Which function of the modelled host decodes an address (host/model/decode.c,
 * power.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"

#define AT PCV_TEST_ALONE
#define BAR UINT64_C(0xe1230000)
#define PF pcv_test_at(0, 1, 0, 0)
#define PORT pcv_test_at(0, 0, 1, 0)
#define VF_BAR UINT64_C(0xe2000000)

static const struct pcv_host_ops *ops(void)
{
    return pcv_model_ops();
}

/* The dword at an address; all ones if nobody decodes it. */
static uint32_t get(struct pcv_model *model, uint64_t address)
{
    uint64_t value = 0;

    assert_int_equal(ops()->mmio_read(model, (pcv_hpa){address}, 4, &value), 0);
    return (uint32_t)value;
}

static void tag(struct pcv_model *model, pcv_sbdf sbdf, uint8_t bar,
                uint64_t offset, uint32_t value)
{
    pcv_model_mmio_poke(model, sbdf, bar, offset, 4, value);
}

/* ---- one function ---------------------------------------------------------
 */

/* SIM-2 */
static void a_bar_answers_while_decoding_is_on_and_the_function_awake(
    void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;
    uint16_t pm;

    (void)state;
    pcv_test_endpoint(&f, 0x8086, 1);
    pcv_test_bar32(&f, 0, (uint32_t)BAR, 0x1000);
    pm = pcv_test_pm(&f, true);
    model = pcv_test_alone(&f);
    tag(model, AT, 0, 0, 1);
    assert_int_equal(get(model, BAR), 0xffffffff);
    pcv_test_write(model, AT, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(get(model, BAR), 1);
    assert_int_equal(get(model, BAR + 0x1000), 0xffffffff);
    assert_int_equal(get(model, BAR - 4), 0xffffffff);
    pcv_test_write(model, AT, (uint16_t)(pm + 4), 2, 3);
    assert_int_equal(get(model, BAR), 0xffffffff);
    assert_int_equal(ops()->mmio_write(model, (pcv_hpa){BAR}, 4, 2), 0);
    pcv_test_write(model, AT, (uint16_t)(pm + 4), 2, 0);
    assert_int_equal(get(model, BAR), 1); /* the write was lost */
    assert_int_equal(pcv_model_set_dead(model, AT, true), 0);
    pcv_model_poke(model, AT, PCV_REG_INT_LINE, 1, 9); /* whatever changes */
    assert_int_equal(get(model, BAR), 0xffffffff);
    assert_int_equal(pcv_model_set_dead(model, AT, false), 0);
    assert_int_equal(get(model, BAR), 1);
    assert_int_equal(pcv_model_pull(model, AT), 0);
    assert_int_equal(get(model, BAR), 0xffffffff);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_bar_answers_where_its_register_says_now(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;

    (void)state;
    pcv_test_endpoint(&f, 0x8086, 1);
    pcv_test_bar64(&f, 0, BAR, 0x1000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    model = pcv_test_alone(&f);
    tag(model, AT, 0, 8, 1);
    pcv_test_write(model, AT, PCV_REG_BAR0 + 4, 4, 0x44);
    assert_int_equal(get(model, BAR + 8), 0xffffffff);
    assert_int_equal(get(model, BAR + 8 + (UINT64_C(0x44) << 32)), 1);
    pcv_model_poke(model, AT, PCV_REG_BAR0 + 4, 4, 0);
    pcv_model_poke(model, AT, PCV_REG_BAR0, 4, 0x50000004);
    assert_int_equal(get(model, 0x50000008), 1);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_resized_bar_answers_for_all_of_its_size(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;
    uint16_t rebar;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    pcv_test_bar32(&f, 0, 0xe4000000, 0x100000);
    rebar = pcv_test_rebar(&f, 0, 0x7, 0);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    model = pcv_test_alone(&f);
    assert_int_equal(get(model, 0xe42ffffc), 0xffffffff);
    pcv_test_write(model, AT, (uint16_t)(rebar + 8), 4, 2u << 8);
    assert_int_equal(get(model, 0xe42ffffc), 0);
    assert_int_equal(get(model, 0xe4400000), 0xffffffff);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_bar_of_a_size_that_is_none_decodes_nothing(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;

    (void)state;
    pcv_test_endpoint(&f, 0x8086, 1);
    pcv_test_bar32(&f, 0, (uint32_t)BAR, 0x3000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    model = pcv_test_alone(&f);
    tag(model, AT, 0, 0x2ffc, 1);
    assert_int_equal(pcv_model_mmio_peek(model, AT, 0, 0x2ffc, 4), 1);
    assert_int_equal(get(model, BAR), 0xffffffff);
    pcv_model_destroy(model);
    pcv_test_bar32(&f, 0, (uint32_t)BAR, 0x1004); /* it ends amid a qword */
    model = pcv_test_alone(&f);
    assert_int_equal(pcv_model_mmio_peek(model, AT, 0, 0x1000, 4), 0);
    assert_true(pcv_model_mmio_peek(model, AT, 0, 0x1000, 8) == UINT64_MAX);
    pcv_model_destroy(model);
}

/* ---- VFs and bridges ------------------------------------------------------
 */

/* A PF behind a port with 2 of 4 VFs on, whose VF BAR 0 has 16 KiB each. */
static struct pcv_model *sriov_machine(uint16_t *out_cap, uint16_t *out_pm)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;

    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_add(model, &f, PORT);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    pcv_test_bar32(&f, 0, (uint32_t)BAR, 0x1000);
    *out_pm = pcv_test_pm(&f, true);
    *out_cap = pcv_test_sriov(&f, 4, 2, 1, 1);
    pcv_test_set(&f, *out_cap + PCV_SRIOV_BAR, 4, (uint32_t)VF_BAR);
    pcv_test_add(model, &f, PF);
    for (uint32_t i = 0; i < 2; i++) {
        pcv_test_vf(&f, PF);
        f.fn.bar_size[0] = 0x4000;
        pcv_test_add(model, &f, (pcv_sbdf){PF.v + 1 + i});
    }
    pcv_test_ready(model);
    tag(model, (pcv_sbdf){PF.v + 1}, 0, 0x10, 0x11);
    tag(model, (pcv_sbdf){PF.v + 2}, 0, 0x10, 0x22);
    return model;
}

#define FIRST (VF_BAR + 0x10)
#define SECOND (VF_BAR + 0x4010)

/* SIM-2 */
static void each_vf_has_its_share_of_the_vf_bar(void **state)
{
    uint16_t cap, pm;
    struct pcv_model *model = sriov_machine(&cap, &pm);
    uint16_t control = (uint16_t)(cap + PCV_SRIOV_CTRL);

    (void)state;
    assert_int_equal(get(model, FIRST), 0x11);
    assert_int_equal(get(model, SECOND), 0x22);
    assert_int_equal(get(model, VF_BAR + 0x8000), 0xffffffff);
    assert_int_equal(get(model, BAR), 0xffffffff); /* the PF's own is off */
    pcv_test_write(model, PF, control, 2, PCV_SRIOV_CTRL_VFE);
    assert_int_equal(get(model, FIRST), 0xffffffff);
    pcv_test_write(model, PF, control, 2,
                   PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE);
    assert_int_equal(get(model, SECOND), 0x22);
    pcv_test_write(model, PF, (uint16_t)(cap + PCV_SRIOV_BAR), 4, 0xe3000000);
    assert_int_equal(get(model, SECOND), 0xffffffff);
    assert_int_equal(get(model, SECOND + 0x1000000), 0x22);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void vfs_that_are_off_or_asleep_decode_nothing(void **state)
{
    uint16_t cap, pm;
    struct pcv_model *model = sriov_machine(&cap, &pm);
    uint16_t control = (uint16_t)(cap + PCV_SRIOV_CTRL);

    (void)state;
    pcv_test_write(model, PF, (uint16_t)(pm + 4), 2, 3);
    assert_int_equal(get(model, FIRST), 0xffffffff);
    pcv_test_write(model, PF, (uint16_t)(pm + 4), 2, 0);
    assert_int_equal(get(model, FIRST), 0x11);
    pcv_test_write(model, PF, control, 2, PCV_SRIOV_CTRL_MSE);
    assert_int_equal(get(model, FIRST), 0xffffffff);
    pcv_test_write(model, PF, (uint16_t)(cap + PCV_SRIOV_NUM_VFS), 2, 1);
    pcv_test_write(model, PF, control, 2,
                   PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE);
    assert_int_equal(get(model, FIRST), 0); /* disabling reset it */
    assert_int_equal(get(model, SECOND), 0xffffffff);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_larger_page_size_spreads_vfs_further(void **state)
{
    uint16_t cap, pm;
    struct pcv_model *model = sriov_machine(&cap, &pm);

    (void)state;
    pcv_test_write(model, PF, (uint16_t)(cap + PCV_SRIOV_PAGE_SIZE), 4, 0x10);
    assert_int_equal(get(model, FIRST), 0x11);
    assert_int_equal(get(model, SECOND), 0); /* the first one's still */
    assert_int_equal(get(model, VF_BAR + 0x10010), 0x22);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void nothing_behind_a_bridge_answers_that_lets_nothing_through(
    void **state)
{
    uint16_t cap, pm;
    struct pcv_model *model = sriov_machine(&cap, &pm);

    (void)state;
    assert_int_equal(get(model, FIRST), 0x11);
    assert_int_equal(pcv_model_set_dead(model, PORT, true), 0);
    assert_int_equal(get(model, FIRST), 0xffffffff);
    assert_int_equal(pcv_model_set_dead(model, PORT, false), 0);
    assert_int_equal(get(model, FIRST), 0x11);
    pcv_test_write(model, PF, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(get(model, BAR), 0);
    pcv_test_write(model, PORT, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    assert_int_equal(get(model, FIRST), 0xffffffff);
    pcv_test_write(model, PORT, PCV_REG_BRIDGE_CONTROL, 2, 0);
    assert_int_equal(get(model, FIRST), 0xffffffff); /* it is off now */
    assert_int_equal(get(model, BAR), 0xffffffff);
    pcv_model_destroy(model);
}

/* ---- many functions -------------------------------------------------------
 */

#define MANY 20u
#define AREA UINT64_C(0xe0000000)
#define SLOTS 64u

static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static pcv_sbdf nth(uint32_t i)
{
    return pcv_test_at(0, 0, (uint8_t)i, 0);
}

static uint64_t size_of(uint32_t i, uint32_t bar)
{
    return UINT64_C(0x1000) << (i + bar) % 4;
}

/* What is to answer, worked out from registers alone. */
static uint32_t expected(const struct pcv_model *model, uint64_t address)
{
    for (uint32_t i = 0; i < MANY; i++) {
        if ((pcv_model_peek(model, nth(i), PCV_REG_COMMAND, 2) & 2u) == 0 ||
            (pcv_model_peek(model, nth(i), 0x44, 2) & 3u) != 0) {
            continue;
        }
        for (uint32_t bar = 0; bar < 2; bar++) {
            uint64_t start = pcv_model_peek(
                model, nth(i), (uint16_t)(PCV_REG_BAR0 + 4 * bar), 4);

            if (address - start < size_of(i, bar)) {
                return i << 24 | bar << 16 | (uint32_t)(address - start) >> 12;
            }
        }
    }
    return 0xffffffff;
}

static void add_many(struct pcv_model *model)
{
    for (uint32_t i = 0; i < MANY; i++) {
        struct pcv_test_function f;

        pcv_test_endpoint(&f, 0x8086, 1);
        pcv_test_bar32(&f, 0, (uint32_t)(AREA + UINT64_C(0x8000) * i),
                       size_of(i, 0));
        pcv_test_bar32(&f, 1, (uint32_t)(AREA + UINT64_C(0x8000) * i),
                       size_of(i, 1));
        (void)pcv_test_pm(&f, true);
        pcv_test_add(model, &f, nth(i));
    }
    pcv_test_ready(model);
    for (uint32_t i = 0; i < 2 * MANY; i++) {
        for (uint32_t page = 0; page < size_of(i / 2, i % 2) >> 12; page++) {
            tag(model, nth(i / 2), i % 2, page << 12,
                i / 2 << 24 | i % 2 << 16 | page);
        }
    }
}

/* SIM-2 */
static void of_overlapping_bars_the_first_function_answers(void **state)
{
    struct pcv_model *model = pcv_test_model();
    uint32_t seed = 5;

    (void)state;
    add_many(model);
    for (uint32_t round = 0; round < 20000; round++) {
        pcv_sbdf at = nth(draw(&seed, MANY));
        uint16_t bar = (uint16_t)(PCV_REG_BAR0 + 4 * draw(&seed, 2));
        uint64_t page = AREA + UINT64_C(0x1000) * draw(&seed, SLOTS);

        switch (draw(&seed, 4)) {
        case 0:
            pcv_test_write(model, at, PCV_REG_COMMAND, 2, draw(&seed, 4));
            break;
        case 1:
            pcv_test_write(model, at, 0x44, 2, draw(&seed, 8) == 0 ? 3 : 0);
            break;
        default:
            pcv_test_write(
                model, at, bar, 4,
                (uint32_t)(AREA + UINT64_C(0x1000) * draw(&seed, SLOTS)));
            break;
        }
        assert_int_equal(get(model, page), expected(model, page));
    }
    pcv_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_bar_answers_while_decoding_is_on_and_the_function_awake),
        cmocka_unit_test(a_bar_answers_where_its_register_says_now),
        cmocka_unit_test(a_resized_bar_answers_for_all_of_its_size),
        cmocka_unit_test(a_bar_of_a_size_that_is_none_decodes_nothing),
        cmocka_unit_test(each_vf_has_its_share_of_the_vf_bar),
        cmocka_unit_test(vfs_that_are_off_or_asleep_decode_nothing),
        cmocka_unit_test(a_larger_page_size_spreads_vfs_further),
        cmocka_unit_test(
            nothing_behind_a_bridge_answers_that_lets_nothing_through),
        cmocka_unit_test(of_overlapping_bars_the_first_function_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

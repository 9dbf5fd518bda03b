/* SPDX-License-Identifier: MIT */
/*
 * The modelled host's clock, functions that must be left alone for a time, and
 * quirks of configuration accesses (host/model/clock.c, quirks.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"

#define AT PCV_TEST_ALONE
#define PORT pcv_test_at(0, 0, 1, 0)
#define PF pcv_test_at(0, 1, 0, 0)
#define VF pcv_test_at(0, 1, 0, 1)

static const struct pcv_host_ops *ops(void)
{
    return pcv_model_ops();
}

/* Whether the function answers; each question is an access. */
static bool answers(struct pcv_model *model, pcv_sbdf sbdf)
{
    return pcv_test_read(model, sbdf, PCV_REG_STATUS, 2) != 0xffff;
}

/* It answers after exactly `us`, not before. `early` accesses so far. */
static void is_quiet_for(struct pcv_model *model, pcv_sbdf sbdf, uint64_t us,
                         uint64_t early)
{
    assert_false(answers(model, sbdf));
    assert_int_equal(pcv_model_early_accesses(model), early + 1);
    pcv_model_advance_us(model, us - 1);
    assert_false(answers(model, sbdf));
    pcv_model_advance_us(model, 1);
    assert_true(answers(model, sbdf));
    assert_int_equal(pcv_model_early_accesses(model), early + 2);
}

/* ---- the clock ------------------------------------------------------------
 */

/* SIM-2 */
static void a_clock_that_is_off_leaps_and_one_that_is_on_stands(void **state)
{
    struct pcv_model *model = pcv_test_model();
    uint64_t first, second;

    (void)state;
    pcv_test_ready(model);
    first = ops()->now_us(model);
    second = ops()->now_us(model);
    assert_int_equal(second - first, 1000000);
    pcv_model_set_clock(model, true);
    first = ops()->now_us(model);
    assert_true(first >= second); /* it never goes back */
    assert_int_equal(ops()->now_us(model), first);
    pcv_model_advance_us(model, 7);
    assert_int_equal(ops()->now_us(model), first + 7);
    pcv_model_set_clock(model, false);
    assert_int_equal(ops()->now_us(model), first + 1000007);
    /* What takes no time takes none, also inside something else that does not.
     */
    pcv_model_hold_clock(model, true);
    pcv_model_hold_clock(model, true);
    pcv_model_hold_clock(model, false);
    assert_int_equal(ops()->now_us(model), first + 1000007);
    pcv_model_hold_clock(model, false);
    assert_int_equal(ops()->now_us(model), first + 2000007);
    pcv_model_destroy(model);
}

/* ---- times after resets ---------------------------------------------------
 */

/* A PCI Express endpoint with PM and AF, memory decoding on, clock on. */
static struct pcv_model *endpoint_machine(uint16_t *out_pm, uint16_t *out_af,
                                          bool no_soft_reset)
{
    struct pcv_test_function f;
    struct pcv_model *model;

    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    pcv_test_bar32(&f, 0, 0xe1230000, 0x1000);
    *out_pm = pcv_test_pm(&f, no_soft_reset);
    *out_af = pcv_test_af(&f);
    model = pcv_test_alone(&f);
    pcv_model_set_clock(model, true);
    return model;
}

/* SIM-2 */
static void a_function_needs_100_ms_after_either_flr(void **state)
{
    uint16_t pm, af;
    struct pcv_model *model = endpoint_machine(&pm, &af, true);

    (void)state;
    assert_true(answers(model, AT));
    pcv_test_write(model, AT, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    is_quiet_for(model, AT, 100000, 0);
    pcv_test_write(model, AT, (uint16_t)(af + 4), 1, 1);
    is_quiet_for(model, AT, 100000, 2);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_function_needs_10_ms_to_wake(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        uint16_t pm, af;
        struct pcv_model *model = endpoint_machine(&pm, &af, i == 0);

        pcv_test_write(model, AT, (uint16_t)(pm + 4), 2, 3);
        assert_true(answers(model, AT));
        pcv_test_write(model, AT, (uint16_t)(pm + 4), 2, 3);
        assert_true(answers(model, AT));
        pcv_test_write(model, AT, (uint16_t)(pm + 4), 2, 0);
        is_quiet_for(model, AT, 10000, 0);
        pcv_test_write(model, AT, (uint16_t)(pm + 4), 2, 0);
        assert_true(answers(model, AT));
        pcv_model_destroy(model);
    }
}

/* SIM-2 */
static void an_early_write_is_lost_and_an_early_read_all_ones(void **state)
{
    uint16_t pm, af;
    struct pcv_model *model = endpoint_machine(&pm, &af, true);
    uint64_t value = 0;

    (void)state;
    pcv_test_write(model, AT, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    pcv_test_write(model, AT, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(pcv_test_read(model, AT, PCV_REG_VENDOR, 4), 0xffffffff);
    assert_int_equal(pcv_test_read(model, AT, PCV_REG_VENDOR, 1), 0xff);
    assert_int_equal(pcv_model_early_accesses(model), 3);
    assert_int_equal(pcv_model_peek(model, AT, PCV_REG_COMMAND, 2), 0);
    /* Its memory does not answer either. */
    pcv_model_poke(model, AT, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_model_poke(model, AT, PCV_REG_BAR0, 4, 0xe1230000);
    assert_int_equal(ops()->mmio_read(model, (pcv_hpa){0xe1230000}, 4, &value),
                     0);
    assert_int_equal(value, 0xffffffff);
    pcv_model_advance_us(model, 100000);
    assert_int_equal(ops()->mmio_read(model, (pcv_hpa){0xe1230000}, 4, &value),
                     0);
    assert_int_equal(value, 0);
    assert_int_equal(pcv_model_early_accesses(model), 3);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_second_reset_begins_a_time_of_its_own(void **state)
{
    uint16_t pm, af;
    struct pcv_model *model = endpoint_machine(&pm, &af, true);

    (void)state;
    pcv_test_write(model, AT, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    pcv_model_advance_us(model, 100000);
    pcv_test_write(model, AT, (uint16_t)(af + 4), 1, 1);
    pcv_model_advance_us(model, 99999);
    is_quiet_for(model, AT, 1, 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void nothing_is_early_while_the_clock_is_off(void **state)
{
    uint16_t pm, af;
    struct pcv_model *model = endpoint_machine(&pm, &af, true);

    (void)state;
    pcv_model_set_clock(model, false);
    pcv_test_write(model, AT, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_true(answers(model, AT));
    pcv_model_set_clock(model, true);
    assert_true(answers(model, AT)); /* nothing began then */
    pcv_test_write(model, AT, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    pcv_model_set_clock(model, false);
    assert_true(answers(model, AT));
    assert_int_equal(pcv_model_early_accesses(model), 0);
    pcv_model_destroy(model);
}

/* A PF with one VF behind a port; the clock is on. */
static struct pcv_model *sriov_machine(uint16_t *out_control)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;

    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_add(model, &f, PORT);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    *out_control = (uint16_t)(pcv_test_sriov(&f, 1, 1, 1, 1) + PCV_SRIOV_CTRL);
    pcv_test_add(model, &f, PF);
    pcv_test_vf(&f, PF);
    pcv_test_add(model, &f, VF);
    pcv_test_ready(model);
    pcv_model_set_clock(model, true);
    return model;
}

/* SIM-2 */
static void vfs_need_100_ms_once_they_are_enabled_and_the_pf_none(void **state)
{
    uint16_t control;
    struct pcv_model *model = sriov_machine(&control);

    (void)state;
    assert_true(answers(model, VF));
    pcv_test_write(model, PF, control, 2, 0);
    assert_false(answers(model, VF)); /* off, which is not early */
    assert_int_equal(pcv_model_early_accesses(model), 0);
    pcv_test_write(model, PF, control, 2, PCV_SRIOV_CTRL_VFE);
    assert_true(answers(model, PF));
    is_quiet_for(model, VF, 100000, 0);
    pcv_test_write(model, PF, control, 2,
                   PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE);
    assert_true(answers(model, VF)); /* it was enabled before */
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_vf_is_reset_without_its_pf(void **state)
{
    uint16_t control;
    struct pcv_model *model = sriov_machine(&control);

    (void)state;
    pcv_test_write(model, VF, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_true(answers(model, PF));
    is_quiet_for(model, VF, 100000, 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void functions_need_100_ms_after_a_reset_of_their_bus(void **state)
{
    uint16_t control;
    struct pcv_model *model = sriov_machine(&control);

    (void)state;
    pcv_test_write(model, PORT, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    pcv_model_advance_us(model, 500000); /* it begins when the reset ends */
    assert_false(answers(model, PF));
    assert_int_equal(pcv_model_early_accesses(model), 0);
    pcv_test_write(model, PORT, PCV_REG_BRIDGE_CONTROL, 2, 0);
    assert_true(answers(model, PORT));
    is_quiet_for(model, PF, 100000, 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_reset_of_a_bus_reaches_the_buses_behind_it(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    pcv_sbdf leaf = pcv_test_at(0, 2, 0, 0);

    (void)state;
    pcv_test_bridge(&f, 0, 1, 2);
    pcv_test_add(model, &f, PORT);
    pcv_test_bridge(&f, 1, 2, 2);
    pcv_test_add(model, &f, PF);
    pcv_test_endpoint(&f, 0x8086, 1);
    pcv_test_add(model, &f, leaf);
    pcv_test_ready(model);
    pcv_model_set_clock(model, true);
    pcv_test_write(model, PORT, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    pcv_model_advance_us(model, 1000);
    pcv_test_write(model, PORT, PCV_REG_BRIDGE_CONTROL, 2, 0);
    pcv_model_poke(model, PF, PCV_REG_PRIMARY, 4, 0x00020201);
    is_quiet_for(model, leaf, 100000, 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_vf_that_its_pf_does_not_count_needs_no_time(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    uint16_t control;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    control = (uint16_t)(pcv_test_sriov(&f, 2, 1, 1, 1) + PCV_SRIOV_CTRL);
    pcv_test_add(model, &f, PF);
    for (uint32_t i = 1; i <= 2; i++) {
        pcv_test_vf(&f, PF);
        pcv_test_add(model, &f, (pcv_sbdf){PF.v + i});
    }
    pcv_test_ready(model);
    pcv_model_set_clock(model, true);
    pcv_test_write(model, PF, control, 2, 0);
    pcv_test_write(model, PF, control, 2, PCV_SRIOV_CTRL_VFE);
    assert_true(answers(model, (pcv_sbdf){PF.v + 2}));
    assert_false(answers(model, VF));
    pcv_model_destroy(model);
}

/* ---- quirks ---------------------------------------------------------------
 */

/* SIM-2 */
static void extended_space_reads_ones_or_repeats_the_first_256_bytes(
    void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;
    uint16_t aer;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    aer = pcv_test_aer(&f);
    model = pcv_test_alone(&f);
    assert_int_equal(pcv_model_set_extended(model, AT, PCV_MODEL_EXT_ONES), 0);
    assert_int_equal(pcv_test_read(model, AT, aer, 4), 0xffffffff);
    assert_int_equal(pcv_test_read(model, AT, 0xffe, 2), 0xffff);
    pcv_test_write(model, AT, (uint16_t)(aer + 8), 4, 0x10);
    assert_int_equal(pcv_model_peek(model, AT, (uint16_t)(aer + 8), 4), 0);
    assert_int_equal(pcv_test_read(model, AT, 0, 4), 0x10d38086);
    assert_int_equal(pcv_model_set_extended(model, AT, PCV_MODEL_EXT_ALIASED),
                     0);
    assert_int_equal(pcv_test_read(model, AT, 0x100, 4), 0x10d38086);
    assert_int_equal(pcv_test_read(model, AT, 0xf02, 2), 0x10d3);
    pcv_test_write(model, AT, 0x500 + PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_int_equal(pcv_test_read(model, AT, PCV_REG_COMMAND, 2),
                     PCV_CMD_MASTER);
    assert_int_equal(pcv_model_set_extended(model, AT, PCV_MODEL_EXT_NORMAL),
                     0);
    assert_int_equal(pcv_test_read(model, AT, aer, 2), PCV_EXT_CAP_ID_AER);
    assert_int_equal(pcv_model_set_extended(model, PF, PCV_MODEL_EXT_ONES),
                     -PCV_ENODEV);
    assert_int_equal(
        pcv_model_set_extended(model, AT, (enum pcv_model_extended)3),
        -PCV_EINVAL);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void extended_space_is_reached_on_buses_that_have_ecam(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;
    uint16_t aer;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    aer = pcv_test_aer(&f);
    model = pcv_test_alone(&f);
    assert_int_equal(ops()->ecam_usable(model, 0, 0), 1);
    pcv_model_set_ecam(model, 0, 0, 40, false);
    pcv_model_set_ecam(model, 0, 30, 33, true);
    for (uint32_t bus = 0; bus < 256; bus++) {
        assert_int_equal(ops()->ecam_usable(model, 0, (uint8_t)bus),
                         bus > 40 || (bus >= 30 && bus <= 33));
    }
    assert_int_equal(ops()->ecam_usable(model, 1, 0), 1);
    assert_int_equal(pcv_test_read(model, AT, aer, 4), 0xffffffff);
    pcv_test_write(model, AT, (uint16_t)(aer + 8), 4, 0x10);
    assert_int_equal(pcv_model_peek(model, AT, (uint16_t)(aer + 8), 4), 0);
    assert_int_equal(pcv_test_read(model, AT, 0, 4), 0x10d38086);
    pcv_model_set_ecam(model, 0, 0, 255, true);
    assert_int_equal(ops()->ecam_usable(model, 0, 0), 1);
    assert_int_equal(pcv_test_read(model, AT, aer, 2), PCV_EXT_CAP_ID_AER);
    pcv_model_set_ecam(model, 9, 0, 255, false); /* there is no such segment */
    pcv_model_destroy(model);
}

/* SIM-2 */
static void pins_are_told_once_the_host_routes_them(void **state)
{
    uint16_t pm, af;
    struct pcv_model *model = endpoint_machine(&pm, &af, true);

    (void)state;
    assert_int_equal(ops()->intx_pin(model, 5, AT), 0);
    pcv_model_set_intx(model, true);
    assert_int_equal(ops()->intx_pin(model, 5, AT), 1);
    assert_int_equal(ops()->intx_pin(model, 5, PF), 0);
    pcv_model_poke(model, AT, PCV_REG_INT_PIN, 1, 4);
    assert_int_equal(ops()->intx_pin(model, 5, AT), 4);
    pcv_model_poke(model, AT, PCV_REG_INT_PIN, 1, 5); /* there is no such pin */
    assert_int_equal(ops()->intx_pin(model, 5, AT), 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void crashes_are_counted_and_the_last_one_named(void **state)
{
    struct pcv_model *model = pcv_test_model();
    uint32_t domain_id = 99;

    (void)state;
    pcv_test_ready(model);
    assert_int_equal(pcv_model_crashes(model, &domain_id), 0);
    assert_int_equal(domain_id, 99);
    ops()->crash(model, 5, AT, -PCV_EIO);
    ops()->crash(model, 6, AT, -PCV_ENOMEM);
    assert_int_equal(pcv_model_crashes(model, &domain_id), 2);
    assert_int_equal(domain_id, 6);
    assert_int_equal(pcv_model_crashes(model, NULL), 2);
    pcv_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_off_leaps_and_one_that_is_on_stands),
        cmocka_unit_test(a_function_needs_100_ms_after_either_flr),
        cmocka_unit_test(a_function_needs_10_ms_to_wake),
        cmocka_unit_test(an_early_write_is_lost_and_an_early_read_all_ones),
        cmocka_unit_test(a_second_reset_begins_a_time_of_its_own),
        cmocka_unit_test(nothing_is_early_while_the_clock_is_off),
        cmocka_unit_test(vfs_need_100_ms_once_they_are_enabled_and_the_pf_none),
        cmocka_unit_test(a_vf_is_reset_without_its_pf),
        cmocka_unit_test(functions_need_100_ms_after_a_reset_of_their_bus),
        cmocka_unit_test(a_reset_of_a_bus_reaches_the_buses_behind_it),
        cmocka_unit_test(a_vf_that_its_pf_does_not_count_needs_no_time),
        cmocka_unit_test(
            extended_space_reads_ones_or_repeats_the_first_256_bytes),
        cmocka_unit_test(extended_space_is_reached_on_buses_that_have_ecam),
        cmocka_unit_test(pins_are_told_once_the_host_routes_them),
        cmocka_unit_test(crashes_are_counted_and_the_last_one_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The modelled host's registers: which bits can be written, write-1-to-clear,
 * and resets (host/model/header.c, registers.c, variable.c, reset.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"

#define AT PCV_TEST_ALONE
#define READ(model, reg, size) pcv_test_read(model, AT, (uint16_t)(reg), size)
#define WRITE(model, reg, size, value)                                         \
    pcv_test_write(model, AT, (uint16_t)(reg), size, value)

/* ---- the header -----------------------------------------------------------
 */

/* SIM-2 */
static void identity_cannot_be_written(void **state)
{
    static const uint16_t regs[] = {0x00, 0x08, 0x28, 0x2c, 0x34};
    struct pcv_test_function f;
    struct pcv_model *model;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    model = pcv_test_alone(&f);
    for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
        WRITE(model, regs[i], 4, 0x5a5a5a5a);
        assert_int_equal(READ(model, regs[i], 4), pcv_test_get(&f, regs[i], 4));
        assert_int_equal(pcv_model_writable(model, AT, regs[i]), 0);
    }
    pcv_model_destroy(model);
}

/* SIM-2 */
static void the_command_register_has_the_bits_of_its_kind_of_bus(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    model = pcv_test_alone(&f);
    WRITE(model, PCV_REG_COMMAND, 2, 0xffff);
    assert_int_equal(READ(model, PCV_REG_COMMAND, 2), 0x0547);
    pcv_model_destroy(model);
    pcv_test_endpoint(&f, 0x8086, 1);
    model = pcv_test_alone(&f);
    WRITE(model, PCV_REG_COMMAND, 2, 0xffff);
    assert_int_equal(READ(model, PCV_REG_COMMAND, 2), 0x077f);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_status_bit_is_cleared_by_one_and_kept_by_zero(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    pcv_test_set(&f, PCV_REG_STATUS, 2, 0xf918);
    model = pcv_test_alone(&f);
    WRITE(model, PCV_REG_COMMAND, 4, 0x00000002);
    assert_int_equal(READ(model, PCV_REG_STATUS, 2), 0xf918);
    WRITE(model, PCV_REG_STATUS, 2, 0x4008);
    assert_int_equal(READ(model, PCV_REG_STATUS, 2), 0xb918);
    WRITE(model, PCV_REG_STATUS + 1, 1, 0xff);
    assert_int_equal(READ(model, PCV_REG_STATUS, 2), 0x0018);
    assert_int_equal(READ(model, PCV_REG_COMMAND, 2), 2);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void bridge_windows_have_their_granularity(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;

    (void)state;
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    model = pcv_test_alone(&f);
    WRITE(model, PCV_REG_MEM_BASE, 4, 0xffffffff);
    assert_int_equal(READ(model, PCV_REG_MEM_BASE, 4), 0xfff0fff0);
    WRITE(model, PCV_REG_PREF_BASE, 4, 0);
    assert_int_equal(READ(model, PCV_REG_PREF_BASE, 4), 0x00010001);
    WRITE(model, PCV_REG_PREF_LIMIT_HI, 4, 0x12345678);
    assert_int_equal(READ(model, PCV_REG_PREF_LIMIT_HI, 4), 0x12345678);
    WRITE(model, PCV_REG_IO_BASE, 2, 0xffff);
    assert_int_equal(READ(model, PCV_REG_IO_BASE, 2), 0xf0f0);
    WRITE(model, PCV_REG_IO_BASE_HI, 4, 0xffffffff); /* 16-bit I/O only */
    assert_int_equal(READ(model, PCV_REG_IO_BASE_HI, 4), 0);
    pcv_model_destroy(model);
}

/* ---- capabilities ---------------------------------------------------------
 */

/* SIM-2 */
static void msi_has_the_registers_that_its_control_names(void **state)
{
    static const struct {
        uint16_t control, writable_control;
        uint8_t mask_at;
        uint32_t mask;
    } rows[] = {
        {0x0000, 0x0071, 0, 0},           {0x0182, 0x0071, 16, 0x00000003},
        {0x0106, 0x0071, 12, 0x000000ff}, {0x018a, 0x0071, 16, 0xffffffff},
        {0x018e, 0x0071, 16, 0xffffffff}, /* a reserved count is 32 */
        {0x0280, 0x0471, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_test_function f;
        struct pcv_model *model;
        uint8_t cap;

        pcv_test_endpoint(&f, 0x8086, 1);
        cap = pcv_test_msi(&f, rows[i].control);
        model = pcv_test_alone(&f);
        assert_int_equal(pcv_model_writable(model, AT, cap) >> 16,
                         rows[i].writable_control);
        WRITE(model, cap + 4, 4, 0xffffffff);
        assert_int_equal(READ(model, cap + 4, 4), 0xfffffffc);
        if (rows[i].mask_at != 0) {
            WRITE(model, cap + rows[i].mask_at, 4, 0xffffffff);
            assert_int_equal(READ(model, cap + rows[i].mask_at, 4),
                             rows[i].mask);
        }
        pcv_model_destroy(model);
    }
}

/* SIM-2 */
static void a_device_without_an_ability_lacks_its_control_bit(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;
    const uint16_t control = 0x40 + PCV_PCIE_DEVCTL;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    pcv_test_set(&f, 0x40 + PCV_PCIE_DEVCAP, 4, 0x20); /* tags; no phantom */
    model = pcv_test_alone(&f);
    WRITE(model, control, 2, 0xffff);
    assert_int_equal(READ(model, control, 2), 0x7d1f);
    WRITE(model, 0x40 + PCV_PCIE_DEVCTL2, 2, 0xffff);
    assert_int_equal(READ(model, 0x40 + PCV_PCIE_DEVCTL2, 2), 0x0340);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void error_status_is_cleared_bit_by_bit_and_outlives_a_reset(
    void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;
    uint16_t aer;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    aer = pcv_test_aer(&f);
    pcv_test_set(&f, aer + 4u, 4, 0x00104000);
    model = pcv_test_alone(&f);
    WRITE(model, aer + 4, 4, 0x00004000);
    assert_int_equal(READ(model, aer + 4, 4), 0x00100000);
    WRITE(model, aer + 8, 4, 0x00400000);
    WRITE(model, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(READ(model, aer + 4, 4), 0x00100000);
    assert_int_equal(READ(model, aer + 8, 4), 0x00400000);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void damaged_capability_lists_end_and_leave_the_rest_alone(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind <= PCV_TEST_LIST_ALL_ONES; kind++) {
        struct pcv_test_function f;
        struct pcv_model *model;

        pcv_test_pcie_endpoint(&f, 0x8086, 1);
        pcv_test_bad_list(&f, (enum pcv_test_bad_list)kind);
        pcv_test_bad_ext_list(&f, (enum pcv_test_bad_list)kind);
        model = pcv_test_alone(&f);
        WRITE(model, 0x44, 2, 3);
        assert_int_equal(READ(model, 0x44, 2), 3);
        WRITE(model, PCV_REG_COMMAND, 2, 2);
        assert_int_equal(READ(model, PCV_REG_COMMAND, 2), 2);
        pcv_model_destroy(model);
    }
}

/* ---- resets ---------------------------------------------------------------
 */

struct reset_machine {
    struct pcv_model *model;
    uint8_t pm, msi, msix, af;
};

/* An endpoint in use. `flr`: by the PCI Express capability. */
static struct reset_machine in_use(bool flr, bool no_soft_reset)
{
    struct pcv_test_function f;
    struct reset_machine m;

    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    pcv_test_set(&f, 0x40 + PCV_PCIE_DEVCAP, 4,
                 flr ? PCV_PCIE_DEVCAP_FLR | 2u : 2u);
    pcv_test_bar64(&f, 0, UINT64_C(0x8fe000000), 0x4000);
    m.pm = pcv_test_pm(&f, no_soft_reset);
    m.msi = pcv_test_msi(&f, 0x0081);
    m.msix = pcv_test_msix(&f, 4, 0, 0, 0x2000);
    m.af = pcv_test_af(&f);
    pcv_test_set(&f, m.msix + 2u, 2, 0x8003);
    pcv_test_set(&f, m.msi + 4u, 4, 0xfee00000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, 0x0406);
    m.model = pcv_test_alone(&f);
    return m;
}

static bool was_reset(const struct reset_machine *m)
{
    bool reset = READ(m->model, PCV_REG_COMMAND, 2) == 0;

    assert_int_equal(READ(m->model, PCV_REG_BAR0, 4) == 4, reset);
    assert_int_equal(READ(m->model, PCV_REG_BAR0 + 4, 4) == 0, reset);
    assert_int_equal(READ(m->model, m->msi + 2, 2) == 0x80, reset);
    assert_int_equal(READ(m->model, m->msi + 4, 4) == 0, reset);
    assert_int_equal(READ(m->model, m->msix + 2, 2) == 3, reset);
    return reset;
}

/* SIM-2 */
static void flr_resets_the_function_only_where_it_can_do_it(void **state)
{
    (void)state;
    for (int flr = 0; flr < 2; flr++) {
        struct reset_machine m = in_use(flr, false);
        const uint16_t control = 0x40 + PCV_PCIE_DEVCTL;

        assert_false(was_reset(&m));
        WRITE(m.model, control, 2, PCV_PCIE_DEVCTL_FLR | 0x2020);
        assert_int_equal(was_reset(&m), flr);
        assert_int_equal(READ(m.model, control, 2) & PCV_PCIE_DEVCTL_FLR, 0);
        /* Reset values are the specification's, and the payload size stays. */
        assert_int_equal(READ(m.model, control, 2), flr ? 0x2830 : 0x2020);
        pcv_model_destroy(m.model);
    }
}

/* SIM-2 */
static void advanced_features_reset_the_function_too(void **state)
{
    struct reset_machine m = in_use(false, false);

    (void)state;
    WRITE(m.model, m.af + 4, 1, 0);
    assert_false(was_reset(&m));
    WRITE(m.model, m.af + 4, 1, 1);
    assert_true(was_reset(&m));
    assert_int_equal(READ(m.model, m.af + 4, 1), 0);
    pcv_model_destroy(m.model);
}

/* SIM-2 */
static void leaving_d3hot_resets_unless_the_function_says_it_does_not(
    void **state)
{
    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        struct reset_machine m = in_use(false, kept);

        WRITE(m.model, m.pm + 4, 2, 1); /* no D1 */
        assert_int_equal(READ(m.model, m.pm + 4, 2) & 3, 0);
        WRITE(m.model, m.pm + 4, 2, 3);
        assert_int_equal(READ(m.model, m.pm + 4, 2) & 3, 3);
        assert_false(was_reset(&m));
        WRITE(m.model, m.pm + 4, 2, 0);
        assert_int_equal(READ(m.model, m.pm + 4, 2) & 3, 0);
        assert_int_equal(was_reset(&m), !kept);
        pcv_model_destroy(m.model);
    }
}

/* SIM-2 */
static void a_secondary_bus_reset_reaches_everything_behind(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    pcv_sbdf leaf = pcv_test_at(0, 2, 0, 0);

    (void)state;
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 2);
    pcv_test_add(model, &f, AT);
    pcv_test_bridge(&f, 1, 2, 2);
    pcv_test_add(model, &f, pcv_test_at(0, 1, 0, 0));
    pcv_test_endpoint(&f, 0x8086, 1);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, 6);
    pcv_test_add(model, &f, leaf);
    pcv_test_ready(model);
    WRITE(model, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    WRITE(model, PCV_REG_BRIDGE_CONTROL, 2, 0);
    assert_int_equal(pcv_model_peek(model, leaf, PCV_REG_COMMAND, 2), 0);
    assert_int_equal(pcv_test_read(model, leaf, 0, 2), 0xffff);
    pcv_test_write(model, pcv_test_at(0, 1, 0, 0), PCV_REG_PRIMARY, 4,
                   0x00020201);
    assert_int_equal(pcv_test_read(model, leaf, 0, 2), 0x8086);
    assert_int_equal(READ(model, PCV_REG_PRIMARY, 4), 0x00020100);
    pcv_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_cannot_be_written),
        cmocka_unit_test(the_command_register_has_the_bits_of_its_kind_of_bus),
        cmocka_unit_test(a_status_bit_is_cleared_by_one_and_kept_by_zero),
        cmocka_unit_test(bridge_windows_have_their_granularity),
        cmocka_unit_test(msi_has_the_registers_that_its_control_names),
        cmocka_unit_test(a_device_without_an_ability_lacks_its_control_bit),
        cmocka_unit_test(
            error_status_is_cleared_bit_by_bit_and_outlives_a_reset),
        cmocka_unit_test(damaged_capability_lists_end_and_leave_the_rest_alone),
        cmocka_unit_test(flr_resets_the_function_only_where_it_can_do_it),
        cmocka_unit_test(advanced_features_reset_the_function_too),
        cmocka_unit_test(
            leaving_d3hot_resets_unless_the_function_says_it_does_not),
        cmocka_unit_test(a_secondary_bus_reset_reaches_everything_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

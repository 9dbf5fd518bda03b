/* SPDX-License-Identifier: MIT */
/*
 * How a function is reset when it changes its owner, and what is put back after
 * that (OWN-5, OWN-16).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resettable.h"

/* What of it was written with these bits set. */
static bool wrote(const struct owned *o, uint32_t reg, uint32_t bits)
{
    for (size_t i = 0; i < o->logged; i++) {
        if (o->log[i].write && o->log[i].reg == reg &&
            (o->log[i].value & bits) == bits) {
            return true;
        }
    }
    return false;
}

/* OWN-16 */
static void the_first_way_that_there_is_is_taken(void **state)
{
    static const struct {
        unsigned ways, taken;
    } rows[] = {
        {HAS_FLR | HAS_AF | HAS_PM, HAS_FLR},
        {HAS_FLR, HAS_FLR},
        {HAS_AF | HAS_PM, HAS_AF},
        {HAS_AF | HAS_PM | HAS_NO_SOFT_RESET, HAS_AF},
        {HAS_PM, HAS_PM},
        {HAS_PM | HAS_NO_SOFT_RESET, 0},
        {0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct owned o;

        start(&o, rows[i].ways);
        owned_forget(&o);
        assert_int_equal(owned_change(&o, true, NULL),
                         rows[i].taken != 0 ? 0 : -PCV_EOPNOTSUPP);
        assert_int_equal(wrote(&o, pcie + PCV_PCIE_DEVCTL, PCV_PCIE_DEVCTL_FLR),
                         rows[i].taken == HAS_FLR);
        assert_int_equal(af != 0 && wrote(&o, af + PCV_AF_CONTROL, 1),
                         rows[i].taken == HAS_AF);
        assert_int_equal(pm != 0 &&
                             wrote(&o, pm + PCV_PM_CONTROL, PCV_PM_D3HOT),
                         rows[i].taken == HAS_PM);
        owned_end(&o);
    }
}

/* OWN-16: functional transactions must be told of, or it is no FLR. */
static void half_an_advanced_features_reset_is_none(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    for (unsigned caps = 0; caps < 3; caps++) {
        make(&f, HAS_AF);
        pcv_test_set(&f, af + PCV_AF_CAPS, 1, caps);
        owned_start(&o, &f);
        assert_int_equal(owned_change(&o, true, NULL), -PCV_EOPNOTSUPP);
        owned_end(&o);
    }
}

/* SRIOV-3: how long each change of owner says that it takes, in order. */
static void expect_times(struct owned *o, bool to_guest, const uint64_t *times,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(to_guest ? pcv_device_assign(o->h.host, OWNED_AT,
                                                      o->guest, NULL, &o->at)
                                  : pcv_device_deassign(o->h.host, OWNED_AT),
                         -PCV_ERESTART);
        assert_int_equal(owned_wait_us(o), times[i]);
        pcv_model_advance_us(o->h.model, times[i] - 1);
        assert_int_equal(to_guest ? pcv_device_assign(o->h.host, OWNED_AT,
                                                      o->guest, NULL, &o->at)
                                  : pcv_device_deassign(o->h.host, OWNED_AT),
                         -PCV_ERESTART);
        assert_int_equal(owned_wait_us(o), 1);
        pcv_model_advance_us(o->h.model, 1);
    }
    assert_int_equal(owned_change(o, to_guest, NULL), 0);
    assert_int_equal(owned_wait_us(o), 0);
}

/* SRIOV-3, OWN-16 */
static void a_change_of_owner_asks_for_the_time_of_its_reset(void **state)
{
    static const uint64_t flr[] = {100000}, d3[] = {10000, 10000};
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    expect_times(&o, true, flr, 1);
    expect_times(&o, false, flr, 1);
    owned_end(&o);
    start(&o, HAS_AF);
    expect_times(&o, true, flr, 1);
    owned_end(&o);
    start(&o, HAS_PM);
    expect_times(&o, true, d3, 2);
    expect_times(&o, false, d3, 2);
    owned_end(&o);
}

/* OWN-16, SRIOV-3 */
static void a_sleeping_function_is_woken_before_its_reset(void **state)
{
    static const uint64_t times[] = {10000, 100000};
    struct owned o;

    (void)state;
    start(&o, HAS_FLR | HAS_PM | HAS_NO_SOFT_RESET);
    owned_write(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2, PCV_PM_D3HOT);
    expect_times(&o, true, times, 2);
    assert_int_equal(owned_read(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2),
                     PCV_PM_NO_SOFT_RESET);
    owned_switch_on(&o);
    owned_end(&o);
}

/* SRIOV-3 */
static void an_immediately_ready_function_needs_no_time(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make(&f, HAS_FLR);
    pcv_test_set(&f, PCV_REG_STATUS, 2,
                 pcv_test_get(&f, PCV_REG_STATUS, 2) | PCV_STATUS_READY);
    owned_start(&o, &f);
    pcv_model_set_clock(o.h.model, false); /* the model does not know of it */
    assert_int_equal(
        pcv_device_assign(o.h.host, OWNED_AT, o.guest, NULL, &o.at), 0);
    owned_end(&o);
}

/* OWN-5, SRIOV-3 */
static void a_function_in_its_owners_reset_can_be_taken_back(void **state)
{
    static const uint64_t times[] = {100000, 100000};
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    flr(&o);
    expect_times(&o, false, times, 2);
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    owned_end(&o);
}

/* ---- what the host programmed -------------------------------------------- */

static const struct {
    uint32_t reg;
    uint8_t size;
    uint32_t value;
} programmed[] = {
    {PCV_REG_COMMAND, 2, PCV_CMD_PARITY | PCV_CMD_SERR},
    {PCV_REG_CACHE_LINE, 1, 0x10},
    {PCV_REG_LATENCY, 1, 0x40},
    {PCV_REG_BAR0, 4, 0xe0000008},
    {PCV_REG_BAR0 + 8, 4, 0x0000e001},
    {PCV_REG_BAR0 + 12, 4, 0xe000000c},
    {PCV_REG_BAR0 + 16, 4, 0x00000123},
    {PCV_REG_ROM0, 4, 0xfd000000},
    {PCV_REG_INT_LINE, 1, 0x0b},
};

static uint16_t ltr, acs, ari, rebar;

static void make_programmed(struct pcv_test_function *f, unsigned ways)
{
    make(f, ways);
    for (size_t i = 0; i < sizeof(programmed) / sizeof(programmed[0]); i++) {
        pcv_test_set(f, programmed[i].reg, programmed[i].size,
                     programmed[i].value);
    }
    f->fn.bars_stated = true;
    f->fn.bar_size[0] = 0x200000;
    f->fn.bar_size[2] = 0x100;
    f->fn.bar_size[3] = 0x100000;
    f->fn.bar_size[PCV_BAR_IS_ROM] = 0x10000;
    pcv_test_set(f, pcie + PCV_PCIE_DEVCTL, 2, 0x5936);
    pcv_test_set(f, pcie + PCV_PCIE_DEVCTL2, 2, 0x0746);
    pcv_test_set(f, pcie + PCV_PCIE_LNKCTL, 2, 0x0143);
    ltr = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_LTR, 1, 8);
    pcv_test_set(f, ltr + 4u, 4, 0x10031003);
    acs = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_ACS, 1, 8);
    pcv_test_set(f, acs + 4u, 2, 0x005f);
    pcv_test_set(f, acs + 6u, 2, 0x001d);
    ari = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_ARI, 1, 8);
    pcv_test_set(f, ari + 4u, 2, 0x0003);
    pcv_test_set(f, ari + 6u, 2, 0x0001);
    rebar = pcv_test_rebar(f, 0, 0x7, 1);
}

static void expect_programmed(const struct owned *o)
{
    for (size_t i = 0; i < sizeof(programmed) / sizeof(programmed[0]); i++) {
        assert_int_equal(
            owned_peek(o, (uint16_t)programmed[i].reg, programmed[i].size),
            programmed[i].value);
    }
    assert_int_equal(owned_peek(o, (uint16_t)(pcie + PCV_PCIE_DEVCTL2), 2),
                     0x0746);
    assert_int_equal(owned_peek(o, (uint16_t)(pcie + PCV_PCIE_LNKCTL), 2),
                     0x0143);
    assert_int_equal(owned_peek(o, (uint16_t)(ltr + 4u), 4), 0x10031003);
    assert_int_equal(owned_peek(o, (uint16_t)(acs + 6u), 2), 0x001d);
    assert_int_equal(owned_peek(o, (uint16_t)(ari + 6u), 2), 0x0001);
    assert_int_equal(owned_peek(o, (uint16_t)(rebar + 8u), 4) & 0x3f00u, 0x100);
}

/* OWN-5 */
static void what_the_host_programmed_is_put_back_after_each_reset(void **state)
{
    static const unsigned ways[] = {HAS_FLR, HAS_AF, HAS_PM};
    const uint16_t devctl = (uint16_t)(0x40 + PCV_PCIE_DEVCTL);

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct pcv_test_function f;
        struct owned o;

        make_programmed(&f, ways[i]);
        owned_start(&o, &f);
        owned_give(&o, NULL);
        expect_programmed(&o);
        /* No more than 512 bytes a read request, and no "no snoop". */
        assert_int_equal(owned_peek(&o, devctl, 2), 0x2136);
        if (ways[i] == HAS_AF) {
            owned_write(&o, (uint16_t)(af + PCV_AF_CONTROL), 1, 1);
            owned_settles(&o, 100000);
            expect_programmed(&o);
            assert_int_equal(owned_peek(&o, devctl, 2), 0x2136);
        }
        owned_take(&o);
        expect_programmed(&o);
        assert_int_equal(owned_peek(&o, devctl, 2), 0x5936);
        owned_end(&o);
    }
}

/* OWN-5, REBAR-1: a reset takes a BAR's size with its address. */
static void a_size_that_the_host_chose_is_put_back(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make_programmed(&f, HAS_FLR);
    owned_start(&o, &f);
    owned_write(&o, (uint16_t)(rebar + 8u), 4, 0x220);
    owned_write(&o, PCV_REG_BAR0, 4, 0xd0400000);
    for (int give = 1; give >= 0; give--) {
        assert_int_equal(owned_change(&o, give, NULL), 0);
        assert_int_equal(owned_peek(&o, (uint16_t)(rebar + 8u), 4) & 0x3f00u,
                         0x200);
        assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), 0xd0400008);
    }
    owned_end(&o);
}

/* OWN-5 */
static void registers_of_conventional_pci_are_put_back(void **state)
{
    struct pcv_test_function f;
    struct owned o;
    uint8_t pcix;

    (void)state;
    pcv_test_endpoint(&f, 0x1234, 0x5678);
    (void)pcv_test_af(&f);
    pcix = pcv_test_cap(&f, PCV_CAP_ID_PCIX, 8);
    pcv_test_set(&f, pcix + PCV_PCIX_COMMAND, 2, 0x002b);
    pcv_test_set(&f, PCV_REG_LATENCY, 1, 0x40);
    owned_start(&o, &f);
    owned_give(&o, NULL);
    assert_int_equal(owned_peek(&o, (uint16_t)(pcix + PCV_PCIX_COMMAND), 2),
                     0x002b);
    assert_int_equal(owned_peek(&o, PCV_REG_LATENCY, 1), 0x40);
    owned_end(&o);
}

/* PORT-3, OWN-5 */
static void a_failing_change_of_owner_leaves_no_half(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write, PCV_MODEL_OP_alloc};

    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        for (uint64_t n = 1;; n++) {
            struct pcv_test_function f;
            struct owned o;
            uint64_t before;
            bool failed;

            make_programmed(&f, HAS_PM);
            owned_start(&o, &f);
            before = pcv_model_calls(o.h.model, ops[i]);
            pcv_model_fail(o.h.model, ops[i], n);
            if (owned_change(&o, true, NULL) != 0) {
                pcv_model_fail(o.h.model, ops[i], 0);
                assert_int_equal(owned_change(&o, true, NULL), 0);
            }
            failed = pcv_model_calls(o.h.model, ops[i]) - before >= n;
            pcv_model_fail(o.h.model, ops[i], 0);
            expect_programmed(&o);
            owned_end(&o);
            if (!failed) {
                break;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_way_that_there_is_is_taken),
        cmocka_unit_test(half_an_advanced_features_reset_is_none),
        cmocka_unit_test(a_change_of_owner_asks_for_the_time_of_its_reset),
        cmocka_unit_test(a_sleeping_function_is_woken_before_its_reset),
        cmocka_unit_test(an_immediately_ready_function_needs_no_time),
        cmocka_unit_test(a_function_in_its_owners_reset_can_be_taken_back),
        cmocka_unit_test(what_the_host_programmed_is_put_back_after_each_reset),
        cmocka_unit_test(a_size_that_the_host_chose_is_put_back),
        cmocka_unit_test(registers_of_conventional_pci_are_put_back),
        cmocka_unit_test(a_failing_change_of_owner_leaves_no_half),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

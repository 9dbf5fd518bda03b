/* SPDX-License-Identifier: MIT */
/*
 * Functions that do not go along with their resets: that ask to be tried again,
 * come back asleep or not decoding, stop answering in between (SRIOV-3,
 * OWN-16).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resettable.h"

static void poke(struct owned *o, uint16_t reg, uint8_t size, uint32_t value)
{
    pcv_model_poke(o->h.model, OWNED_AT, reg, size, value);
}

/* SRIOV-3: retry status where IDs should be is no answer yet (PCI Express Base
 * 6.0, 2.3.2). */
static void a_function_that_asks_for_a_retry_is_not_touched(void **state)
{
    uint32_t ids;
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    flr(&o);
    ids = owned_peek(&o, PCV_REG_VENDOR, 4);
    poke(&o, PCV_REG_VENDOR, 4, 0xffff0001u);
    pcv_model_advance_us(o.h.model, 100000);
    o.logged = 0;
    assert_true(owned_absent(&o));
    assert_int_equal(o.logged, 1);
    assert_int_equal(owned_wait_us(&o), 10000);
    poke(&o, PCV_REG_VENDOR, 4, ids);
    pcv_model_advance_us(o.h.model, 10000);
    assert_false(owned_absent(&o));
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    owned_end(&o);
}

/* ---- the hardware domain's -------------------------------------------------
 */

/* It was reset, and comes back with this in its command register. */
static bool mapped_after(uint32_t command, bool asleep)
{
    struct owned o;
    bool mapped;

    start(&o, HAS_FLR | HAS_PM);
    assert_true(owned_mapped(&o));
    flr(&o);
    assert_false(owned_mapped(&o));
    poke(&o, PCV_REG_BAR0, 4, OWNED_BAR);
    poke(&o, PCV_REG_COMMAND, 2, command);
    if (asleep) {
        poke(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2, PCV_PM_D3HOT);
    }
    pcv_model_advance_us(o.h.model, 100000);
    assert_false(owned_absent(&o));
    mapped = owned_mapped(&o);
    owned_end(&o);
    return mapped;
}

/* HDR-16: what is mapped is what hardware decodes then, and all ones is no
 * answer. */
static void mappings_follow_what_a_reset_left(void **state)
{
    (void)state;
    assert_false(mapped_after(0, false));
    assert_true(mapped_after(PCV_CMD_MEMORY, false));
    assert_false(mapped_after(0xffff, false));
    assert_false(mapped_after(PCV_CMD_MEMORY, true));
}

/* HDR-16, PORT-3: what the host cannot read is taken as off; nothing is mapped
 * twice. */
static void a_host_that_cannot_read_maps_nothing(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct owned o;
        uint64_t calls;
        bool absent, mapped;

        start(&o, HAS_FLR | HAS_PM);
        flr(&o);
        poke(&o, PCV_REG_BAR0, 4, OWNED_BAR);
        poke(&o, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        pcv_model_advance_us(o.h.model, 100000);
        calls = pcv_model_calls(o.h.model, PCV_MODEL_OP_cfg_read);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, n);
        absent = owned_absent(&o);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, 0);
        calls = pcv_model_calls(o.h.model, PCV_MODEL_OP_cfg_read) - calls;
        mapped = owned_mapped(&o);
        assert_true(!absent || !mapped);
        /* Whatever was made of it, its owner's next word is followed. */
        pcv_model_advance_us(o.h.model, 10000);
        owned_write(&o, PCV_REG_COMMAND, 2, 0);
        assert_false(owned_mapped(&o));
        owned_switch_on(&o);
        owned_end(&o);
        if (calls < n) {
            assert_true(mapped);
            break;
        }
    }
}

/* ---- changes of owner ------------------------------------------------------
 */

/* With this in a register of its own it can be given away only as one that
 * cannot be reset. */
static void expect_no_reset(unsigned ways, uint16_t reg, uint32_t ones)
{
    const struct pcv_assign_policy take = {.flags = PCV_ASSIGN_NO_RESET};
    struct owned o;

    start(&o, ways);
    poke(&o, reg, 1, ones);
    o.logged = 0;
    assert_int_equal(owned_change(&o, true, NULL), -PCV_EOPNOTSUPP);
    assert_int_equal(owned_touched(&o, reg, true), 0);
    owned_give(&o, &take);
    owned_end(&o);
}

/* OWN-16: a way that reads all ones is none. */
static void a_way_that_does_not_answer_is_none(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_AF); /* where the capability stands */
    owned_end(&o);
    expect_no_reset(HAS_AF, (uint16_t)(af + PCV_AF_CAPS), 0xff);
    expect_no_reset(HAS_AF, (uint16_t)(af + PCV_AF_CONTROL), 0xff);
    expect_no_reset(HAS_AF, (uint16_t)(af + PCV_AF_CAPS), PCV_AF_CAPS_TP);
    expect_no_reset(HAS_AF, (uint16_t)(af + PCV_AF_CAPS), PCV_AF_CAPS_FLR);
}

/* OWN-16, PORT-3: should a way stop answering once it was found, the reset that
 * its owner asked for is tried again until it does. */
static void a_way_that_stops_answering_is_tried_again(void **state)
{
    uint16_t reg;
    struct owned o;

    (void)state;
    start(&o, HAS_AF);
    owned_give(&o, NULL);
    owned_switch_on(&o);
    reg = (uint16_t)(af + PCV_AF_CONTROL);
    poke(&o, reg, 1, 0xff);
    owned_write(&o, reg, 1, PCV_AF_CONTROL_FLR);
    assert_false(owned_mapped(&o));
    for (int i = 0; i < 3; i++) {
        assert_true(owned_absent(&o));
        assert_int_equal(owned_touched(&o, reg, true), 0);
        pcv_model_advance_us(o.h.model, 10000);
    }
    poke(&o, reg, 1, 0);
    assert_true(owned_absent(&o)); /* now it has the time of its reset */
    assert_int_equal(owned_touched(&o, reg, true), 1);
    assert_int_equal(owned_wait_us(&o), 100000);
    pcv_model_advance_us(o.h.model, 100000);
    assert_false(owned_absent(&o));
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    owned_end(&o);
}

/* OWN-16, PM-1: it is woken before its reset; where the host cannot do that it
 * is not given away, and may be asked to again. */
static void a_function_that_cannot_be_woken_is_not_given_away(void **state)
{
    static const enum pcv_model_op ops[] = {PCV_MODEL_OP_cfg_read,
                                            PCV_MODEL_OP_cfg_write};

    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        for (uint64_t n = 1;; n++) {
            struct owned o;
            uint64_t calls;
            int error;

            start(&o, HAS_FLR | HAS_PM | HAS_NO_SOFT_RESET);
            poke(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2,
                 PCV_PM_D3HOT | PCV_PM_NO_SOFT_RESET);
            calls = pcv_model_calls(o.h.model, ops[i]);
            pcv_model_fail(o.h.model, ops[i], n);
            error = owned_change(&o, true, NULL);
            calls = pcv_model_calls(o.h.model, ops[i]) - calls;
            pcv_model_fail(o.h.model, ops[i], 0);
            if (error != 0) {
                assert_int_equal(error, -PCV_EIO);
                assert_int_equal(owned_change(&o, true, NULL), 0);
            }
            owned_switch_on(&o);
            assert_int_equal(
                owned_peek(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2) &
                    PCV_PM_STATE,
                PCV_PM_D0);
            owned_end(&o);
            if (calls < n) {
                assert_int_equal(error, 0);
                break;
            }
        }
    }
}

/* ---- retry status ----------------------------------------------------------
 */

/* A port above a leaf: the machine's top, and what its root control says. */
enum top { ROOT_PORT, ROOT_PORT_SILENT, ROOT_PORT_FAILING, PLAIN_BRIDGE };

static uint32_t ids_below(enum top top)
{
    pcv_sbdf leaf = pcv_test_at(0, 1, 0, 0), port = pcv_test_at(0, 0, 1, 0);
    struct pcv_access access =
        PCV_WRITE(leaf, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    struct pcv_test_function f;
    struct pcv_domain *domain;
    struct hosted h;

    hosted_build(&h);
    if (top == PLAIN_BRIDGE) {
        pcv_test_bridge(&f, 0, 1, 1);
    } else {
        pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
        pcv_test_set(&f, 0x40 + PCV_PCIE_RTCTL, 2,
                     PCV_PCIE_RTCTL_RETRY_VISIBLE);
    }
    pcv_test_add(h.model, &f, port);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_add(h.model, &f, leaf);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 2);
    pcv_model_set_clock(h.model, true);
    domain = pcv_host_hardware_domain(h.host);
    assert_int_equal(pcv_access(domain, &access), PCV_PENDING);
    assert_int_equal(pcv_access_resume(domain, &access), PCV_DONE);
    if (top == ROOT_PORT_SILENT) {
        pcv_model_poke(h.model, port, 0x40 + PCV_PCIE_RTCTL, 2, 0xffff);
    } else if (top == ROOT_PORT_FAILING) {
        pcv_model_fail(h.model, PCV_MODEL_OP_cfg_read, 1);
    }
    access = PCV_READ(leaf, 0, 4);
    assert_int_equal(pcv_access(domain, &access), PCV_ABSENT);
    pcv_model_fail(h.model, PCV_MODEL_OP_cfg_read, 0);
    assert_int_equal(pcv_model_early_accesses(h.model), 0);
    hosted_end(&h);
    return (uint32_t)access.data;
}

/* SRIOV-3: shown where a root port says so, and nowhere else. */
static void retries_show_only_below_a_root_port_that_shows_them(void **state)
{
    (void)state;
    assert_int_equal(ids_below(ROOT_PORT), 0xffff0001u);
    assert_int_equal(ids_below(ROOT_PORT_SILENT), 0xffffffffu);
    assert_int_equal(ids_below(ROOT_PORT_FAILING), 0xffffffffu);
    assert_int_equal(ids_below(PLAIN_BRIDGE), 0xffffffffu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_that_asks_for_a_retry_is_not_touched),
        cmocka_unit_test(mappings_follow_what_a_reset_left),
        cmocka_unit_test(a_host_that_cannot_read_maps_nothing),
        cmocka_unit_test(a_way_that_does_not_answer_is_none),
        cmocka_unit_test(a_way_that_stops_answering_is_tried_again),
        cmocka_unit_test(a_function_that_cannot_be_woken_is_not_given_away),
        cmocka_unit_test(retries_show_only_below_a_root_port_that_shows_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

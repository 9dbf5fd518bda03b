/* SPDX-License-Identifier: MIT */
/*
 * What is remembered of a function and put back after its resets (OWN-5), of
 * functions that say strange things about themselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resettable.h"

/* A function that can be reset by Advanced Features alone, with 4096 bytes;
 * its PCI Express capability is of this type. */
static void make_typed(struct pcv_test_function *f, uint8_t type)
{
    pcv_test_endpoint(f, 0x1234, 0x5678);
    f->fn.config_size = PCV_CFG_EXT_SIZE;
    f->ext_free = PCV_EXT_CAP_START;
    pcie = pcv_test_pcie(f, type);
    af = pcv_test_af(f);
    owned_bar(f);
}

/* OWN-5: link control is kept of what has a link of its own. */
static void link_control_is_kept_of_endpoints_with_a_link(void **state)
{
    static const struct {
        uint8_t type;
        bool kept;
    } rows[] = {
        {PCV_PCIE_TYPE_ENDPOINT, true},
        {PCV_PCIE_TYPE_LEGACY, true},
        {PCV_PCIE_TYPE_RC_ENDPOINT, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_test_function f;
        struct owned o;
        uint16_t reg;

        make_typed(&f, rows[i].type);
        reg = (uint16_t)(pcie + PCV_PCIE_LNKCTL);
        pcv_test_set(&f, reg, 2, 0x0043);
        owned_start(&o, &f);
        owned_give(&o, NULL);
        pcv_model_poke(o.h.model, OWNED_AT, reg, 2, 0);
        assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
        assert_int_equal(owned_peek(&o, reg, 2), rows[i].kept ? 0x0043 : 0);
        owned_end(&o);
    }
}

/* OWN-5: a list with more of one kind than a function has is a damaged one: the
 * first is kept, and nothing is written that was not read. */
static void the_first_of_several_is_kept(void **state)
{
    enum { COUNT = 12 };
    struct pcv_test_function f;
    uint16_t acs[COUNT];
    struct owned o;

    (void)state;
    make_typed(&f, PCV_PCIE_TYPE_ENDPOINT);
    for (size_t i = 0; i < COUNT; i++) {
        acs[i] = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_ACS, 1, 8);
        pcv_test_set(&f, acs[i] + 6u, 2, 0x001d);
    }
    owned_start(&o, &f);
    /* Whatever the modelled reset leaves, a difference is put right. */
    owned_give(&o, NULL);
    for (size_t i = 0; i < COUNT; i++) {
        pcv_model_poke(o.h.model, OWNED_AT, (uint16_t)(acs[i] + 6u), 2, 2);
    }
    o.logged = 0;
    assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(owned_touched(&o, (uint16_t)(acs[i] + 6u), true),
                         i < 1 ? 1 : 0);
    }
    owned_end(&o);
}

/* OWN-5: registers that would lie past the end of configuration space. */
static void nothing_past_the_end_is_kept(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make_typed(&f, PCV_PCIE_TYPE_ENDPOINT);
    pcv_test_set(&f, PCV_EXT_CAP_START, 4,
                 PCV_EXT_CAP_ID_DSN | 1u << 16 | 0xffcu << 20);
    pcv_test_set(&f, 0xffc, 4, PCV_EXT_CAP_ID_ACS | 1u << 16);
    owned_start(&o, &f);
    owned_give(&o, NULL);
    owned_write(&o, (uint16_t)(pcie + PCV_PCIE_DEVCTL), 2, 0x1000);
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    for (size_t i = 0; i < o.logged; i++) {
        assert_true(o.log[i].reg <= PCV_CFG_EXT_SIZE - o.log[i].size);
    }
    owned_take(&o);
    owned_end(&o);
}

/* OWN-5, CAP-1: device control of a capability that begins too late stands in
 * extended space, where it is something else. */
static void a_capability_at_the_end_has_no_registers_behind_it(void **state)
{
    static const uint8_t ids[] = {PCV_CAP_ID_PCIE, PCV_CAP_ID_PM,
                                  PCV_CAP_ID_PCIX, PCV_CAP_ID_AF};

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        const struct pcv_assign_policy policy = {
            .flags = PCV_ASSIGN_NO_RESET,
        };
        struct pcv_test_function f;
        struct owned o;

        pcv_test_endpoint(&f, 0x1234, 0x5678);
        f.fn.config_size = PCV_CFG_EXT_SIZE;
        owned_bar(&f);
        pcv_test_set(&f, PCV_REG_STATUS, 2, PCV_STATUS_CAPS);
        pcv_test_set(&f, PCV_REG_CAPS, 1, 0xfc);
        pcv_test_set(&f, 0xfc, 4, ids[i] | 0x00020000u);
        pcv_test_set(&f, PCV_EXT_CAP_START, 4, 0xffffffffu);
        owned_start(&o, &f);
        owned_give(&o, &policy);
        for (size_t n = 0; n < o.logged; n++) {
            assert_false(o.log[n].write && o.log[n].reg >= 0xfc);
        }
        owned_switch_on(&o);
        owned_take(&o);
        for (size_t n = 0; n < o.logged; n++) {
            assert_false(o.log[n].write && o.log[n].reg >= 0xfc);
        }
        owned_end(&o);
    }
}

/* REBAR-1, OWN-5: entries that name no BAR, or none that has a size, are left
 * as they are; so is a second capability. */
static void a_size_of_no_bar_is_not_put_back(void **state)
{
    static const uint32_t bars[] = {1, 5, 6, 7};

    (void)state;
    for (size_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
        struct pcv_test_function f;
        uint16_t first, second;
        struct owned o;

        make(&f, HAS_FLR);
        first = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_REBAR, 1, 12);
        second = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_REBAR, 1, 12);
        for (uint32_t n = 0; n < 2; n++) {
            uint16_t at = n == 0 ? first : second;

            pcv_test_set(&f, at + 4u, 4, 7u << 4);
            pcv_test_set(&f, at + 8u, 4, bars[i] | 1u << 5);
        }
        owned_start(&o, &f);
        owned_give(&o, NULL);
        pcv_model_poke(o.h.model, OWNED_AT, (uint16_t)(first + 8u), 4,
                       bars[i] | 1u << 5 | 2u << 8);
        pcv_model_poke(o.h.model, OWNED_AT, (uint16_t)(second + 8u), 4,
                       bars[i] | 1u << 5 | 2u << 8);
        o.logged = 0;
        assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
        assert_int_equal(owned_touched(&o, (uint16_t)(first + 8u), true), 0);
        assert_int_equal(owned_touched(&o, (uint16_t)(second + 8u), true), 0);
        owned_end(&o);
    }
}

/* OWN-5: addresses change only while nothing decodes. */
static void an_address_is_put_back_with_decoding_off(void **state)
{
    struct owned o;
    size_t off = 0, moved = 0;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    owned_switch_on(&o);
    pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_BAR0, 4, 0xfd000000u);
    o.logged = 0;
    assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
    for (size_t i = 0; i < o.logged; i++) {
        if (o.log[i].write && o.log[i].reg == PCV_REG_COMMAND && off == 0) {
            assert_int_equal(o.log[i].value & PCV_CMD_MEMORY, 0);
            off = i + 1;
        }
        if (o.log[i].write && o.log[i].reg == PCV_REG_BAR0) {
            assert_int_equal(o.log[i].value, OWNED_BAR);
            moved = i + 1;
        }
    }
    assert_true(off != 0 && moved > off);
    assert_true((owned_peek(&o, PCV_REG_COMMAND, 2) & PCV_CMD_MEMORY) != 0);
    assert_true(owned_mapped(&o));
    owned_end(&o);
}

/* OWN-5: a command register of all ones is no set of bits to keep. */
static void a_command_of_all_ones_is_written_as_none(void **state)
{
    struct owned o;
    uint32_t first = 0xffffffffu;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_COMMAND, 2, 0xffff);
    pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_BAR0, 4, 0xfd000000u);
    o.logged = 0;
    assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
    for (size_t i = 0; i < o.logged && first == 0xffffffffu; i++) {
        if (o.log[i].write && o.log[i].reg == PCV_REG_COMMAND) {
            first = o.log[i].value;
        }
    }
    assert_int_equal(first, 0);
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    owned_end(&o);
}

/* OWN-5, SRIOV-3: what settles from its owner's reset is not given away before
 * the time for that is over, nor asked. */
static void a_function_that_settles_is_given_away_later(void **state)
{
    struct owned o;
    pcv_sbdf at;

    (void)state;
    start(&o, HAS_FLR);
    flr(&o);
    assert_int_equal(pcv_device_assign(o.h.host, OWNED_AT, o.guest, NULL, &at),
                     -PCV_ERESTART);
    assert_int_equal(owned_wait_us(&o), 100000);
    assert_int_equal(hosted_state(&o.h, OWNED_AT), PCV_STATE_PRESENT);
    owned_give(&o, NULL);
    assert_false(owned_absent(&o));
    owned_end(&o);
}

/* ---- what does not answer --------------------------------------------------
 */

/* OWN-5: what reads all ones cannot be remembered, so it is not given away. */
static void a_function_that_does_not_answer_is_not_given_away(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_COMMAND, 2, 0xffff);
    o.logged = 0;
    assert_int_equal(owned_change(&o, true, NULL), -PCV_EIO);
    for (size_t i = 0; i < o.logged; i++) {
        assert_false(o.log[i].write);
    }
    pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_COMMAND, 2, 0);
    owned_give(&o, NULL);
    owned_switch_on(&o);
    owned_end(&o);
}

/* From its reset on, device control is silent. */
static bool was_reset;

static int silent_read(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                       uint32_t *out_value)
{
    int error = pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out_value);

    if (was_reset && reg == pcie + PCV_PCIE_DEVCTL) {
        *out_value = 0xffffffffu;
    }
    return error;
}

static int resetting_write(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                           uint32_t value)
{
    was_reset = was_reset || reg == af + PCV_AF_CONTROL;
    return pcv_model_ops()->cfg_write(ctx, sbdf, reg, size, value);
}

/* OWN-5, PCIE-2: device control that reads all ones is what the host had it be,
 * with no bits of that answer in it; a guest sees no such capability. */
static void device_control_of_all_ones_becomes_the_hosts(void **state)
{
    struct pcv_test_function f;
    size_t writes = 0;
    struct owned o;

    (void)state;
    memset(&o, 0, sizeof(o));
    was_reset = false;
    make_typed(&f, PCV_PCIE_TYPE_ENDPOINT);
    pcv_test_set(&f, (uint32_t)pcie + PCV_PCIE_DEVCTL, 2, 0x2010);
    hosted_build(&o.h);
    pcv_test_add(o.h.model, &f, OWNED_AT);
    pcv_model_watch(o.h.model, owned_saw, &o);
    o.h.ops.cfg_read = silent_read;
    o.h.ops.cfg_write = resetting_write;
    hosted_start(&o.h);
    assert_int_equal(hosted_scan(&o.h), 1);
    assert_int_equal(pcv_domain_create(o.h.host, OWNED_GUEST, &o.guest), 0);
    owned_forget(&o);
    assert_int_equal(owned_change(&o, true, NULL), 0);
    assert_true(was_reset && o.logged < OWNED_LOG);
    for (size_t i = 0; i < o.logged; i++) {
        if (o.log[i].write && o.log[i].reg == pcie + PCV_PCIE_DEVCTL) {
            assert_int_equal(o.log[i].value, 0x2010);
            writes++;
        }
    }
    assert_true(writes != 0);
    assert_int_equal(owned_read(&o, PCV_REG_CAPS, 1), af);
    owned_end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(link_control_is_kept_of_endpoints_with_a_link),
        cmocka_unit_test(the_first_of_several_is_kept),
        cmocka_unit_test(nothing_past_the_end_is_kept),
        cmocka_unit_test(a_capability_at_the_end_has_no_registers_behind_it),
        cmocka_unit_test(a_size_of_no_bar_is_not_put_back),
        cmocka_unit_test(an_address_is_put_back_with_decoding_off),
        cmocka_unit_test(a_command_of_all_ones_is_written_as_none),
        cmocka_unit_test(a_function_that_settles_is_given_away_later),
        cmocka_unit_test(a_function_that_does_not_answer_is_not_given_away),
        cmocka_unit_test(device_control_of_all_ones_becomes_the_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

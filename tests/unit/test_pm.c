/* SPDX-License-Identifier: MIT */
/* Power states (PM-1), and the time that a change of them takes (SRIOV-3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned.h"

#define CONTROL (uint16_t)(pm + PCV_PM_CONTROL)

static uint8_t pm, msi;

/* A card whose power can be managed, at its owner's, who uses it. */
static void start(struct owned *o, bool no_soft_reset, bool give)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    owned_bar(&f);
    pcv_test_set(&f, PCV_REG_CACHE_LINE, 1, 0x10);
    pm = pcv_test_pm(&f, no_soft_reset);
    pcv_test_set(&f, pm + 2u, 2, 0xffcb); /* every event and state */
    msi = pcv_test_msi(&f, 0);
    owned_start(o, &f);
    if (give) {
        owned_give(o, NULL);
        owned_switch_on(o);
    }
    owned_msi_on(o, msi);
    assert_true(owned_msi_works(o));
    owned_forget(o);
}

/* PM-1 */
static void a_guest_sees_two_states_and_no_events(void **state)
{
    struct owned o;

    (void)state;
    start(&o, true, true);
    assert_int_equal(owned_read(&o, (uint16_t)(pm + 2u), 2), 0x0003);
    assert_int_equal(owned_read(&o, CONTROL, 4), PCV_PM_NO_SOFT_RESET);
    owned_write(&o, CONTROL, 4, 0xfffff1f0); /* all but the state */
    assert_int_equal(owned_read(&o, CONTROL, 4), PCV_PM_NO_SOFT_RESET);
    for (uint32_t low = 1; low <= 2; low++) {
        owned_write(&o, CONTROL, 2, low);
        assert_int_equal(owned_read(&o, CONTROL, 2), PCV_PM_NO_SOFT_RESET);
        assert_true(owned_mapped(&o));
    }
    assert_int_equal(owned_touched(&o, CONTROL, true), 0);
    owned_end(&o);
}

/* PM-1 */
static void nothing_is_mapped_in_d3hot(void **state)
{
    struct owned o;

    (void)state;
    for (int give = 0; give < 2; give++) {
        start(&o, true, give);
        owned_write(&o, CONTROL, 2, PCV_PM_D3HOT);
        assert_int_equal(owned_read(&o, CONTROL, 2),
                         PCV_PM_NO_SOFT_RESET | PCV_PM_D3HOT);
        assert_int_equal(owned_peek(&o, CONTROL, 2) & PCV_PM_STATE,
                         PCV_PM_D3HOT);
        assert_int_equal(pcv_model_mapped_pages(o.h.model), 0);
        /* Not by switching decoding off and on, either. */
        owned_write(&o, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
        owned_write(&o, PCV_REG_COMMAND, 2, PCV_CMD_MASTER | PCV_CMD_MEMORY);
        assert_int_equal(pcv_model_mapped_pages(o.h.model), 0);
        owned_write(&o, CONTROL, 2, PCV_PM_D0);
        owned_settles(&o, 10000);
        assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2) & PCV_CMD_MEMORY,
                         PCV_CMD_MEMORY);
        assert_true(owned_mapped(&o));
        assert_true(owned_msi_works(&o));
        owned_end(&o);
    }
}

/* PM-1, MSI-3 */
static void a_guest_has_after_d3hot_what_it_had_before(void **state)
{
    struct owned o;
    uint32_t header[16];

    (void)state;
    start(&o, false, true);
    for (uint16_t i = 0; i < 16; i++) {
        header[i] = owned_read(&o, (uint16_t)(i * 4u), 4);
    }
    owned_write(&o, CONTROL, 2, PCV_PM_D3HOT);
    owned_write(&o, CONTROL, 2, PCV_PM_D0);
    /* Hardware has forgotten everything by now. */
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), 0);
    assert_int_equal(owned_peek(&o, (uint16_t)(msi + 2u), 2) & 1u, 0);
    assert_false(owned_msi_works(&o));
    owned_settles(&o, 10000);
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    assert_int_equal(owned_peek(&o, PCV_REG_CACHE_LINE, 1), 0x10);
    assert_int_equal(owned_peek(&o, PCV_REG_COMMAND, 2) &
                         (PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_PARITY),
                     PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_PARITY);
    for (uint16_t i = 0; i < 16; i++) {
        assert_int_equal(owned_read(&o, (uint16_t)(i * 4u), 4), header[i]);
    }
    assert_true(owned_mapped(&o));
    assert_true(owned_msi_works(&o));
    assert_int_equal(o.events[PCV_EVENT_RESET], 0);
    owned_end(&o);
}

/* PM-1: what the guest wrote while it slept counts. */
static void what_is_written_in_d3hot_holds_in_d0(void **state)
{
    struct owned o;
    size_t at = 0;

    (void)state;
    start(&o, false, true);
    owned_write(&o, (uint16_t)(msi + 2u), 2, 0);
    assert_true((owned_peek(&o, PCV_REG_COMMAND, 2) & PCV_CMD_MEMORY) != 0);
    owned_forget(&o);
    owned_write(&o, CONTROL, 2, PCV_PM_D3HOT);
    /* It goes silent before it goes to sleep. */
    while (at < o.logged && !o.log[at].write) {
        at++;
    }
    assert_int_equal(o.log[at].reg, PCV_REG_COMMAND);
    assert_int_equal(owned_peek(&o, PCV_REG_COMMAND, 2) & PCV_CMD_MEMORY, 0);
    owned_write(&o, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    owned_write(&o, CONTROL, 2, PCV_PM_D0);
    owned_settles(&o, 10000);
    assert_false(owned_mapped(&o));
    assert_int_equal(owned_peek(&o, PCV_REG_COMMAND, 2) & PCV_CMD_MASTER,
                     PCV_CMD_MASTER);
    owned_write(&o, PCV_REG_COMMAND, 2, PCV_CMD_MASTER | PCV_CMD_MEMORY);
    assert_true(owned_mapped(&o));
    owned_end(&o);
}

/* HDR-9, PM-1 */
static void a_long_mapping_after_d3hot_lets_the_vcpu_try_again(void **state)
{
    struct owned o;
    enum pcv_verdict verdict;
    int tries = 0;

    (void)state;
    start(&o, false, true);
    owned_write(&o, CONTROL, 2, PCV_PM_D3HOT);
    pcv_model_set_map_chunk(o.h.model, 1);
    owned_write(&o, CONTROL, 2, PCV_PM_D0);
    pcv_model_advance_us(o.h.model, 10000);
    do {
        struct pcv_access access = PCV_READ(o.at, 0, 4);

        verdict = pcv_access(o.owner, &access);
        tries++;
    } while (verdict == PCV_RETRY);
    assert_int_equal(verdict, PCV_DONE);
    assert_int_equal(tries, OWNED_PAGES);
    assert_true(owned_mapped(&o));
    owned_end(&o);
}

/* HDR-16, PM-1 */
static void the_hardware_domain_restores_what_it_had_itself(void **state)
{
    struct owned o;

    (void)state;
    start(&o, false, false);
    owned_write(&o, CONTROL, 2, PCV_PM_D3HOT);
    assert_false(owned_mapped(&o));
    owned_write(&o, CONTROL, 2, PCV_PM_D0);
    assert_int_equal(pcv_model_bound(o.h.model, NULL), 0);
    owned_settles(&o, 10000);
    assert_int_equal(owned_read(&o, PCV_REG_BAR0, 4), 0);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), 0);
    assert_false(owned_mapped(&o));
    owned_switch_on(&o);
    owned_msi_on(&o, msi);
    assert_true(owned_msi_works(&o));
    owned_end(&o);
}

/* HDR-16: power came back by itself, and nobody wrote the state. */
static void a_device_back_from_d3cold_is_mapped_again(void **state)
{
    struct owned o;

    (void)state;
    start(&o, false, false);
    owned_write(&o, CONTROL, 2, PCV_PM_D3HOT);
    assert_int_equal(pcv_model_pull(o.h.model, OWNED_AT), 0);
    assert_int_equal(pcv_model_plug(o.h.model, OWNED_AT), 0);
    assert_int_equal(owned_read(&o, CONTROL, 2) & PCV_PM_STATE, PCV_PM_D0);
    owned_switch_on(&o);
    owned_end(&o);
}

/* SRIOV-3: the times of the other states, and of those that need none. */
static void each_state_has_its_own_time(void **state)
{
    struct owned o;

    (void)state;
    start(&o, true, false);
    owned_write(&o, CONTROL, 2, PCV_PM_D2);
    assert_false(owned_mapped(&o));
    owned_write(&o, CONTROL, 2, PCV_PM_D0);
    owned_settles(&o, 200);
    assert_true(owned_mapped(&o));
    owned_write(&o, CONTROL, 2, 1);
    owned_write(&o, CONTROL, 2, PCV_PM_D0);
    assert_false(owned_absent(&o));
    assert_true(owned_mapped(&o));
    owned_end(&o);
}

/* SRIOV-3 */
static void a_function_that_is_ready_at_once_is_not_waited_for(void **state)
{
    struct owned o;

    (void)state;
    start(&o, true, true);
    pcv_model_poke(o.h.model, OWNED_AT, (uint16_t)(pm + 2u), 2,
                   0x0003 | PCV_PM_CAPS_READY);
    owned_write(&o, CONTROL, 2, PCV_PM_D3HOT);
    pcv_model_set_clock(o.h.model, false); /* the model knows no such bit */
    owned_write(&o, CONTROL, 2, PCV_PM_D0);
    assert_int_equal(owned_wait_us(&o), 0);
    assert_false(owned_absent(&o));
    assert_true(owned_mapped(&o));
    owned_end(&o);
}

/* PM-1: the hardware domain's events are its own. */
static void the_hardware_domain_has_every_bit(void **state)
{
    struct owned o;

    (void)state;
    start(&o, true, false);
    assert_int_equal(owned_read(&o, (uint16_t)(pm + 2u), 2), 0xffcb);
    owned_write(&o, CONTROL, 2, 0x0100);
    assert_int_equal(owned_peek(&o, CONTROL, 2) & 0x0103u, 0x0100);
    pcv_model_poke(o.h.model, OWNED_AT, CONTROL, 2, 0x8108);
    owned_write(&o, CONTROL, 1, PCV_PM_D3HOT); /* clears no event */
    assert_int_equal(owned_peek(&o, CONTROL, 2) & 0x8103u, 0x8103);
    owned_write(&o, CONTROL, 2, 0x8000);
    pcv_model_advance_us(o.h.model, 10000);
    assert_int_equal(owned_read(&o, CONTROL, 2) & 0x8103u, 0);
    owned_end(&o);
}

/* PORT-3: whichever access the host fails in, the guest gets all of it back,
 * or is told what it has no more. */
static void a_failing_host_delays_waking_but_spoils_nothing(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write, PCV_MODEL_OP_map};

    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        for (uint64_t n = 1;; n++) {
            struct owned o;
            uint64_t before;
            bool failed;

            start(&o, false, true);
            owned_write(&o, CONTROL, 2, PCV_PM_D3HOT);
            owned_write(&o, CONTROL, 2, PCV_PM_D0);
            pcv_model_advance_us(o.h.model, 10000);
            before = pcv_model_calls(o.h.model, ops[i]);
            pcv_model_fail(o.h.model, ops[i], n);
            (void)owned_absent(&o);
            failed = pcv_model_calls(o.h.model, ops[i]) - before >= n;
            pcv_model_fail(o.h.model, ops[i], 0);
            pcv_model_advance_us(o.h.model, 10000);
            assert_false(owned_absent(&o));
            assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
            /* What could not be mapped is off, what could not be bound too. */
            assert_int_equal(owned_mapped(&o),
                             ops[i] != PCV_MODEL_OP_map || !failed);
            assert_int_equal(owned_msi_works(&o),
                             owned_read(&o, (uint16_t)(msi + 2u), 2) & 1u);
            assert_true(owned_msi_works(&o) ||
                        o.events[PCV_EVENT_BIND_FAILED] != 0);
            owned_end(&o);
            if (!failed) {
                break;
            }
        }
    }
}

/* CAP-3: where the host cannot read it, it is hidden and cannot be used. */
static void a_capability_that_cannot_be_read_is_hidden(void **state)
{
    struct pcv_test_function f;
    struct owned o;
    bool hidden = false;

    (void)state;
    for (uint64_t n = 1; n < 200 && !hidden; n++) {
        pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
        pm = pcv_test_pm(&f, true);
        owned_start(&o, &f);
        owned_give(&o, NULL);
        owned_take(&o);
        owned_forget(&o);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, n);
        hidden = owned_change(&o, true, NULL) == 0 &&
                 o.events[PCV_EVENT_CAP_HIDDEN] != 0 &&
                 o.args[PCV_EVENT_CAP_HIDDEN] == PCV_CAP_ID_PM;
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, 0);
        if (hidden) {
            assert_int_equal(owned_read(&o, pm, 4), 0);
            owned_write(&o, CONTROL, 2, PCV_PM_D3HOT);
            assert_int_equal(owned_peek(&o, CONTROL, 2) & PCV_PM_STATE, 0);
        }
        owned_end(&o);
    }
    assert_true(hidden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_sees_two_states_and_no_events),
        cmocka_unit_test(nothing_is_mapped_in_d3hot),
        cmocka_unit_test(a_guest_has_after_d3hot_what_it_had_before),
        cmocka_unit_test(what_is_written_in_d3hot_holds_in_d0),
        cmocka_unit_test(a_long_mapping_after_d3hot_lets_the_vcpu_try_again),
        cmocka_unit_test(the_hardware_domain_restores_what_it_had_itself),
        cmocka_unit_test(a_device_back_from_d3cold_is_mapped_again),
        cmocka_unit_test(each_state_has_its_own_time),
        cmocka_unit_test(a_function_that_is_ready_at_once_is_not_waited_for),
        cmocka_unit_test(the_hardware_domain_has_every_bit),
        cmocka_unit_test(a_failing_host_delays_waking_but_spoils_nothing),
        cmocka_unit_test(a_capability_that_cannot_be_read_is_hidden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

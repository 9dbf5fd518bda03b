/* SPDX-License-Identifier: MIT */
/* Transactions that a function still has under way when it changes its owner
 * (OWN-5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/internal.h"
#include "resettable.h"

static int step(struct owned *o, bool to_guest)
{
    return to_guest
               ? pcv_device_assign(o->h.host, OWNED_AT, o->guest, NULL, &o->at)
               : pcv_device_deassign(o->h.host, OWNED_AT);
}

static bool is_master(const struct owned *o)
{
    return (owned_peek(o, PCV_REG_COMMAND, 2) & PCV_CMD_MASTER) != 0;
}

/* Which domain's memory it reaches. */
static uint32_t reaches(const struct owned *o)
{
    return pcv_model_dma_domain(o->h.model, OWNED_AT);
}

/* OWN-5: bus mastering goes off, and its DMA and its owner's state stay until
 * nothing is pending; it is asked every 10 ms. */
static void a_change_of_owner_waits_for_what_is_pending(void **state)
{
    static const unsigned ways[] = {HAS_FLR, HAS_AF};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pcv_test_function f;
        struct owned o;

        if (ways[i] == HAS_AF) {
            pcv_test_endpoint(&f, 0x1234, 0x5678); /* conventional */
            (void)pcv_test_af(&f);
            owned_bar(&f);
        } else {
            make(&f, ways[i]);
        }
        owned_start(&o, &f);
        assert_int_equal(pcv_model_set_pending(o.h.model, OWNED_AT, 25000), 0);
        for (int n = 0; n < 3; n++) {
            assert_int_equal(step(&o, true), -PCV_ERESTART);
            assert_false(is_master(&o));
            assert_int_equal(reaches(&o), PCV_DOMAIN_ID_HARDWARE);
            assert_int_equal(owned_wait_us(&o), 10000);
            /* Called too early, it does not ask. */
            o.logged = 0;
            assert_int_equal(step(&o, true), -PCV_ERESTART);
            assert_int_equal(owned_touched(&o, PCV_REG_COMMAND, true), 0);
            pcv_model_advance_us(o.h.model, 10000);
        }
        assert_int_equal(step(&o, true), -PCV_ERESTART);
        assert_int_equal(reaches(&o), PCV_DOMAIN_ID_QUARANTINE);
        assert_int_equal(owned_wait_us(&o), 100000); /* the reset */
        assert_int_equal(owned_change(&o, true, NULL), 0);
        assert_int_equal(o.events[PCV_EVENT_PENDING], 0);
        owned_end(&o);
    }
}

/* OWN-5: on the way back likewise; the guest's mappings stay as long. */
static void a_guests_transactions_are_waited_for(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    owned_switch_on(&o);
    assert_int_equal(pcv_model_set_pending(o.h.model, OWNED_AT, 15000), 0);
    assert_int_equal(step(&o, false), -PCV_ERESTART);
    assert_int_equal(reaches(&o), OWNED_GUEST);
    assert_true(owned_mapped(&o));
    pcv_model_advance_us(o.h.model, 10000);
    assert_int_equal(step(&o, false), -PCV_ERESTART);
    assert_int_equal(reaches(&o), OWNED_GUEST);
    pcv_model_advance_us(o.h.model, 10000);
    assert_int_equal(step(&o, false), -PCV_ERESTART);
    assert_int_equal(reaches(&o), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(owned_change(&o, false, NULL), 0);
    owned_end(&o);
}

/* OWN-5: no longer than a second, and somebody is told. */
static void what_never_ends_is_waited_for_for_a_second(void **state)
{
    uint64_t waited = 0;
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    assert_int_equal(pcv_model_set_pending(o.h.model, OWNED_AT, UINT64_MAX), 0);
    while (reaches(&o) != PCV_DOMAIN_ID_QUARANTINE) {
        assert_int_equal(step(&o, true), -PCV_ERESTART);
        if (reaches(&o) != PCV_DOMAIN_ID_QUARANTINE) {
            waited += owned_wait_us(&o);
            pcv_model_advance_us(o.h.model, owned_wait_us(&o));
        }
    }
    assert_int_equal(waited, 1000000);
    assert_int_equal(o.events[PCV_EVENT_PENDING], 1);
    assert_int_equal(owned_change(&o, true, NULL), 0);
    owned_end(&o);
}

/* OWN-5: a host without a clock is asked to call again a hundred times. */
static void without_a_clock_so_many_calls_are_waited(void **state)
{
    struct pcv_test_function f;
    struct owned o;
    int calls = 0;
    int error;

    (void)state;
    memset(&o, 0, sizeof(o));
    make(&f, HAS_FLR);
    hosted_build(&o.h);
    o.h.ops.now_us = NULL;
    pcv_test_add(o.h.model, &f, OWNED_AT);
    pcv_model_on_event(o.h.model, owned_told, &o);
    hosted_start(&o.h);
    assert_int_equal(hosted_scan(&o.h), 1);
    assert_int_equal(pcv_domain_create(o.h.host, OWNED_GUEST, &o.guest), 0);
    assert_int_equal(pcv_model_set_pending(o.h.model, OWNED_AT, UINT64_MAX), 0);
    do {
        error = step(&o, true);
        calls++;
    } while (error == -PCV_ERESTART);
    assert_int_equal(error, 0);
    assert_in_range(calls, 100, 101);
    assert_int_equal(o.events[PCV_EVENT_PENDING], 1);
    owned_end(&o);
}

/* OWN-5, OWN-14: until it has another owner, or stays, its owner sees that it
 * is off, and cannot change that; nothing of that reaches hardware. */
static void is_shown_as_off(struct owned *o)
{
    o->logged = 0;
    owned_write(o, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    assert_int_equal(owned_read(o, PCV_REG_COMMAND, 2), PCV_CMD_PARITY);
    assert_int_equal(owned_touched(o, PCV_REG_COMMAND, true), 0);
    assert_false(is_master(o));
}

/* It is the hardware domain's, as if nothing had been: what this one reads is
 * hardware's, and what it writes gets there. */
static void is_as_it_was(struct owned *o)
{
    const uint32_t on = PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_PARITY;

    assert_true(is_master(o));
    assert_int_equal(owned_read(o, PCV_REG_COMMAND, 2), on);
    owned_write(o, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_false(is_master(o));
    owned_write(o, PCV_REG_COMMAND, 2, on);
    assert_true(is_master(o));
    assert_true(owned_mapped(o));
    assert_int_equal(reaches(o), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(atomic_load(&o->h.host->shadow_count), 0);
}

/* OWN-5: a change that is given up in between leaves the function as it was. */
static void a_change_that_is_given_up_meanwhile_is_undone(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    assert_int_equal(pcv_model_set_pending(o.h.model, OWNED_AT, 25000), 0);
    assert_int_equal(step(&o, true), -PCV_ERESTART);
    is_shown_as_off(&o);
    assert_int_equal(step(&o, false), 0);
    is_as_it_was(&o);
    owned_end(&o);
}

/* OWN-5, PORT-3: so does one that fails. */
static void a_change_that_fails_meanwhile_is_undone(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct owned o;
        bool failed;

        start(&o, HAS_FLR);
        assert_int_equal(pcv_model_set_pending(o.h.model, OWNED_AT, 5000), 0);
        assert_int_equal(step(&o, true), -PCV_ERESTART);
        pcv_model_advance_us(o.h.model, 10000);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, n);
        failed = step(&o, true) == -PCV_EIO;
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, 0);
        if (hosted_status(&o.h, OWNED_AT).owner_id == PCV_DOMAIN_ID_HARDWARE) {
            assert_true(failed);
            is_as_it_was(&o);
        }
        assert_int_equal(owned_change(&o, true, NULL), 0);
        owned_end(&o);
        if (!failed) {
            break;
        }
    }
}

/* OWN-5, LIFE-9: nobody waits for what is gone. */
static void what_vanished_has_nothing_pending(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    owned_switch_on(&o);
    assert_int_equal(pcv_model_set_pending(o.h.model, OWNED_AT, UINT64_MAX), 0);
    assert_int_equal(step(&o, false), -PCV_ERESTART);
    assert_int_equal(pcv_model_pull(o.h.model, OWNED_AT), 0);
    assert_int_equal(pcv_device_vanished(o.h.host, OWNED_AT), 0);
    assert_int_equal(pcv_device_remove(o.h.host, OWNED_AT, NULL, NULL), 0);
    owned_end(&o);
}

/* ---- functions that do not come back --------------------------------------
 */

/* OWN-5, OWN-16: a reset that never ends fails the change after a minute; the
 * function stays in quarantine, the step is named, and a later call succeeds.
 */
static void a_function_that_does_not_come_back_stays_in_quarantine(void **state)
{
    uint64_t waited = 0;
    struct owned o;
    int error;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    owned_switch_on(&o);
    assert_int_equal(step(&o, false), -PCV_ERESTART);
    assert_int_equal(pcv_model_set_dead(o.h.model, OWNED_AT, true), 0);
    do {
        waited += owned_wait_us(&o);
        pcv_model_advance_us(o.h.model, owned_wait_us(&o));
        error = step(&o, false);
    } while (error == -PCV_ERESTART);
    assert_int_equal(error, -PCV_EIO);
    assert_in_range(waited, 60000000, 60200000);
    assert_int_equal(o.events[PCV_EVENT_QUARANTINED], 1);
    assert_int_equal(hosted_status(&o.h, OWNED_AT).owner_id,
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(reaches(&o), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_model_mapped_pages(o.h.model), 0);
    /* It is not given to anybody as one that has no reset, either. */
    assert_int_equal(owned_change(&o, false, NULL), -PCV_EIO);
    assert_int_equal(o.events[PCV_EVENT_NO_RESET], 0);
    assert_int_equal(pcv_model_set_dead(o.h.model, OWNED_AT, false), 0);
    assert_int_equal(owned_change(&o, false, NULL), 0);
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    owned_end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_of_owner_waits_for_what_is_pending),
        cmocka_unit_test(a_guests_transactions_are_waited_for),
        cmocka_unit_test(what_never_ends_is_waited_for_for_a_second),
        cmocka_unit_test(without_a_clock_so_many_calls_are_waited),
        cmocka_unit_test(a_change_that_is_given_up_meanwhile_is_undone),
        cmocka_unit_test(a_change_that_fails_meanwhile_is_undone),
        cmocka_unit_test(what_vanished_has_nothing_pending),
        cmocka_unit_test(
            a_function_that_does_not_come_back_stays_in_quarantine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Isolation groups on the way home (OWN-4, OWN-6, TOPO-6): the hardware domain
 * never shares one with a guest, in whatever order its members come back.
 *
 *   00:03.0  three functions of one device without ACS: one group
 *   00:03.1
 *   00:03.2
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mates.h"

/* ---- waiting ---------------------------------------------------------------
 */

/* OWN-4 OWN-6 TOPO-6 */
static void a_member_that_comes_home_alone_waits_in_quarantine(void **state)
{
    struct owned o;

    (void)state;
    start_given(&o);
    assert_int_equal(owned_back(&o, mate(1)), 0);
    expect(&o, OWNED_GUEST, NOBODY, OWNED_GUEST);
    assert_true(waits(&o, 1));
    assert_false(waits(&o, 0) || waits(&o, 2));
    assert_int_equal(last_event(&o)->kind, PCV_EVENT_GROUP_WAITS);
    assert_int_equal(last_event(&o)->sbdf.v, mate(1).v);
    assert_int_equal(last_event(&o)->arg[0], mate(0).v);
    assert_int_equal(last_event(&o)->arg[1], 2);
    owned_end(&o);
}

/* OWN-4 OWN-7 OWN-9: neither to the hardware domain nor to the hypervisor. */
static void who_waits_cannot_be_fetched_and_the_other_is_named(void **state)
{
    const struct pcv_hide_info info = {0};
    pcv_sbdf busy = {0};
    struct owned o;

    (void)state;
    start_given(&o);
    assert_int_equal(owned_back(&o, mate(1)), 0);
    for (int n = 0; n < 2; n++) { /* and asking changes nothing */
        assert_int_equal(owned_back(&o, mate(1)), -PCV_EXDEV);
        assert_int_equal(reveal(&o, 1, &busy), -PCV_EXDEV);
        assert_int_equal(busy.v, mate(0).v);
        busy.v = 0;
        assert_int_equal(pcv_device_hide(o.h.host, mate(1), &info, &busy),
                         -PCV_EXDEV);
        assert_int_equal(busy.v, mate(0).v);
        busy.v = 0;
        assert_int_equal(pcv_device_conceal(o.h.host, mate(1), 0, &busy),
                         -PCV_EXDEV);
        assert_int_equal(busy.v, mate(0).v);
        expect(&o, OWNED_GUEST, NOBODY, OWNED_GUEST);
        assert_true(waits(&o, 1));
    }
    assert_int_equal(owned_back(&o, mate(2)), 0);
    assert_int_equal(owned_back(&o, mate(0)), 0);
    expect(&o, DOM0, DOM0, DOM0);
    owned_end(&o);
}

/* OWN-4 OWN-6 */
static void the_last_brings_those_home_that_wait(void **state)
{
    struct owned o;

    (void)state;
    start_given(&o);
    assert_int_equal(owned_back(&o, mate(0)), 0);
    assert_int_equal(owned_back(&o, mate(2)), 0);
    expect(&o, NOBODY, OWNED_GUEST, NOBODY);
    assert_int_equal(owned_back(&o, mate(1)), 0);
    expect(&o, DOM0, DOM0, DOM0);
    for (uint8_t i = 0; i < MATES; i++) {
        assert_false(waits(&o, i));
        owned_use(&o, pcv_host_hardware_domain(o.h.host), mate(i));
    }
    give_all(&o); /* and so on */
    owned_end(&o);
}

/* OWN-6 OWN-16: their resets take time, and nobody is asked meanwhile. */
static void the_last_is_called_again_until_all_are_home(void **state)
{
    struct owned o;
    int error;
    int calls = 0;

    (void)state;
    start_given(&o);
    assert_int_equal(owned_back(&o, mate(0)), 0);
    assert_int_equal(owned_back(&o, mate(1)), 0);
    pcv_model_set_clock(o.h.model, true);
    do {
        error = pcv_device_deassign(o.h.host, mate(2));
        assert_int_not_equal(owner(&o, 2), OWNED_GUEST);
        if (error == -PCV_ERESTART) {
            assert_int_equal(owner(&o, 2), NOBODY);
            assert_int_equal(
                pcv_device_assign(o.h.host, mate(0), o.other, NULL, NULL),
                -PCV_EXDEV); /* those on their way home are dom0's */
        }
        pcv_model_advance_us(o.h.model, 100000);
    } while (error == -PCV_ERESTART && ++calls < 100);
    assert_int_equal(error, 0);
    assert_in_range(calls, 1, 5);
    expect(&o, DOM0, DOM0, DOM0);
    assert_int_equal(pcv_model_early_accesses(o.h.model), 0);
    owned_end(&o);
}

/* OWN-6: what was to come back to quarantine is not what waits. */
static void what_was_to_rest_is_not_brought_home(void **state)
{
    const struct pcv_assign_policy rest = {.flags = PCV_ASSIGN_GROUP |
                                                    PCV_ASSIGN_TO_QUARANTINE};
    struct owned o;

    (void)state;
    start(&o);
    assert_int_equal(owned_assign(&o, mate(0), o.guest, &rest), 0);
    assert_int_equal(owned_back(&o, mate(0)), 0);
    assert_int_equal(owned_back(&o, mate(1)), 0);
    assert_false(waits(&o, 0));
    assert_int_equal(owned_back(&o, mate(0)), -PCV_EXDEV);
    assert_int_equal(owned_back(&o, mate(2)), 0);
    expect(&o, NOBODY, NOBODY, NOBODY);
    assert_int_equal(owned_back(&o, mate(1)), 0);
    expect(&o, NOBODY, DOM0, NOBODY);
    owned_end(&o);
}

/* OWN-6: an administrator who says quarantine means it. */
static void one_that_is_put_to_rest_waits_no_more(void **state)
{
    struct owned o;

    (void)state;
    start_given(&o);
    assert_int_equal(owned_back(&o, mate(0)), 0);
    assert_int_equal(owned_back(&o, mate(1)), 0);
    assert_int_equal(pcv_device_quarantine(o.h.host, mate(1), 0, NULL), 0);
    assert_false(waits(&o, 1));
    assert_int_equal(owned_back(&o, mate(2)), 0);
    expect(&o, DOM0, NOBODY, DOM0);
    assert_int_equal(reveal(&o, 1, NULL), 0);
    expect(&o, DOM0, DOM0, DOM0);
    owned_end(&o);
}

/* OWN-4: to its guest it may go again, and to no other. */
static void one_that_waits_may_go_back_to_its_guest(void **state)
{
    struct owned o;

    (void)state;
    start_given(&o);
    assert_int_equal(owned_back(&o, mate(1)), 0);
    assert_int_equal(owned_assign(&o, mate(1), o.other, NULL), -PCV_EXDEV);
    assert_int_equal(owned_give(&o, mate(1)), 0);
    expect(&o, OWNED_GUEST, OWNED_GUEST, OWNED_GUEST);
    assert_false(waits(&o, 1));
    owned_end(&o);
}

/* LIFE-9: what is pulled is in nobody's way; an administrator brings home who
 * waited for it, and with that one the others. */
static void nobody_waits_for_one_that_was_pulled(void **state)
{
    struct owned o;

    (void)state;
    start_given(&o);
    assert_int_equal(owned_back(&o, mate(1)), 0);
    assert_int_equal(owned_back(&o, mate(2)), 0);
    assert_int_equal(pcv_device_vanished(o.h.host, mate(0)), 0);
    assert_int_equal(owner(&o, 1), NOBODY);
    assert_true(waits(&o, 1) && waits(&o, 2));
    assert_int_equal(owned_back(&o, mate(1)), 0);
    assert_int_equal(owner(&o, 1), DOM0);
    assert_int_equal(owner(&o, 2), DOM0);
    owned_end(&o);
}

/* OWN-4: a mark does not stop what a function does. */
static void one_that_is_marked_as_broken_is_waited_for(void **state)
{
    struct owned o;

    (void)state;
    start_given(&o);
    assert_int_equal(pcv_device_set_broken(o.h.host, mate(0), true), 0);
    assert_int_equal(owned_back(&o, mate(1)), 0);
    assert_true(waits(&o, 1));
    assert_int_equal(owned_back(&o, mate(2)), 0);
    assert_int_equal(owned_back(&o, mate(0)), 0);
    expect(&o, DOM0, DOM0, DOM0);
    owned_end(&o);
}

/* LIFE-5: one that waits is removed like any other. */
static void one_that_waits_can_be_removed(void **state)
{
    struct owned o;

    (void)state;
    start_given(&o);
    assert_int_equal(owned_back(&o, mate(1)), 0);
    assert_int_equal(pcv_device_remove(o.h.host, mate(1), NULL, NULL), 0);
    assert_int_equal(owned_back(&o, mate(0)), 0);
    assert_int_equal(owned_back(&o, mate(2)), 0);
    assert_int_equal(owner(&o, 0), DOM0);
    assert_int_equal(owner(&o, 2), DOM0);
    owned_end(&o);
}

/* OWN-11: the end of a guest brings all of them home, also with time. */
static void the_end_of_a_guest_brings_all_home(void **state)
{
    (void)state;
    for (int clock = 0; clock < 2; clock++) {
        struct owned o;
        int error = -PCV_ERESTART;

        start_given(&o);
        assert_int_equal(owned_back(&o, mate(2)), 0);
        assert_true(waits(&o, 2));
        pcv_model_set_clock(o.h.model, clock != 0);
        for (int n = 0; n < 100 && error == -PCV_ERESTART; n++) {
            error = pcv_domain_destroy(o.guest);
            pcv_model_advance_us(o.h.model, 50000);
        }
        assert_int_equal(error, 0);
        expect(&o, DOM0, DOM0, DOM0);
        pcv_model_set_clock(o.h.model, false);
        owned_end(&o);
    }
}

/* ---- all at once -----------------------------------------------------------
 */

/* OWN-6 OWN-16: one reset's time, and nobody waits. */
static void a_whole_group_comes_back_at_once(void **state)
{
    struct owned o;

    (void)state;
    start_given(&o);
    o.events = 0;
    pcv_model_set_clock(o.h.model, true);
    assert_int_equal(pcv_device_deassign_group(o.h.host, mate(1), NULL),
                     -PCV_ERESTART);
    expect(&o, NOBODY, NOBODY, NOBODY);
    pcv_model_advance_us(o.h.model, 100000);
    assert_int_equal(pcv_device_deassign_group(o.h.host, mate(1), NULL), 0);
    expect(&o, DOM0, DOM0, DOM0);
    for (size_t i = 0; i < o.events; i++) {
        assert_int_not_equal(o.event[i].kind, PCV_EVENT_GROUP_WAITS);
    }
    assert_int_equal(pcv_device_deassign_group(o.h.host, mate(1), NULL),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_deassign_group(NULL, mate(1), NULL),
                     -PCV_EINVAL);
    assert_int_equal(
        pcv_device_deassign_group(o.h.host, pcv_test_at(0, 9, 0, 0), NULL),
        -PCV_ENODEV);
    owned_end(&o);
}

/* OWN-6: those that wait come along. */
static void with_a_group_come_those_that_wait_for_it(void **state)
{
    struct owned o;

    (void)state;
    start_given(&o);
    assert_int_equal(owned_back(&o, mate(0)), 0);
    assert_int_equal(back_all(&o, 2, NULL), 0);
    expect(&o, DOM0, DOM0, DOM0);
    owned_end(&o);
}

/* OWN-5: one that fails is in quarantine, and named; the others are home. */
static void one_that_fails_keeps_nobody_else(void **state)
{
    pcv_sbdf member = {0};
    unsigned failed = 0;

    (void)state;
    for (uint64_t n = 1;; n++) {
        struct owned o;
        uint64_t before;
        int error;

        start_given(&o);
        before = pcv_model_calls(o.h.model, PCV_MODEL_OP_dma_attach);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_dma_attach, n);
        error = back_all(&o, 0, &member);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_dma_attach, 0);
        before = pcv_model_calls(o.h.model, PCV_MODEL_OP_dma_attach) - before;
        if (error != 0) {
            failed++;
            assert_int_equal(error, -PCV_EIO);
            assert_int_equal(owned_owner(&o, member), NOBODY);
        }
        for (uint8_t i = 0; i < MATES; i++) {
            assert_true(owner(&o, i) == DOM0 ||
                        (error != 0 && mate(i).v == member.v));
        }
        owned_end(&o);
        if (before < n) {
            break;
        }
    }
    assert_true(failed >= MATES);
}

/* ---- what the host does ----------------------------------------------------
 */

/* Whether the hardware domain and a guest have a part each. */
static bool is_split(struct owned *o)
{
    bool home = false, guest = false;

    for (uint8_t i = 0; i < MATES; i++) {
        uint32_t id = owner(o, i);

        home = home || id == DOM0;
        guest = guest || id == OWNED_GUEST || id == OWNED_OTHER;
    }
    return home && guest;
}

/* OWN-4 PORT-3: who cannot be told apart is not handed on. */
static void a_host_that_fails_splits_no_group(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write, PCV_MODEL_OP_alloc,
        PCV_MODEL_OP_dma_attach};

    (void)state;
    for (size_t op = 0; op < sizeof(ops) / sizeof(ops[0]); op++) {
        uint64_t before;

        for (uint64_t n = 1;; n++) {
            struct owned o;

            start_given(&o);
            before = pcv_model_calls(o.h.model, ops[op]);
            pcv_model_fail(o.h.model, ops[op], n);
            for (uint8_t i = 0; i < MATES; i++) {
                (void)owned_back(&o, mate(i));
                assert_false(is_split(&o));
            }
            pcv_model_fail(o.h.model, ops[op], 0);
            before = pcv_model_calls(o.h.model, ops[op]) - before;
            /* Whatever failed, all can be brought home. */
            for (int again = 0; again < 2; again++) {
                for (uint8_t i = 0; i < MATES; i++) {
                    if (owner(&o, i) != DOM0) {
                        (void)owned_back(&o, mate(i));
                    }
                }
            }
            expect(&o, DOM0, DOM0, DOM0);
            owned_end(&o);
            if (before < n) {
                break;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_that_comes_home_alone_waits_in_quarantine),
        cmocka_unit_test(who_waits_cannot_be_fetched_and_the_other_is_named),
        cmocka_unit_test(the_last_brings_those_home_that_wait),
        cmocka_unit_test(the_last_is_called_again_until_all_are_home),
        cmocka_unit_test(what_was_to_rest_is_not_brought_home),
        cmocka_unit_test(one_that_is_put_to_rest_waits_no_more),
        cmocka_unit_test(one_that_waits_may_go_back_to_its_guest),
        cmocka_unit_test(nobody_waits_for_one_that_was_pulled),
        cmocka_unit_test(one_that_is_marked_as_broken_is_waited_for),
        cmocka_unit_test(one_that_waits_can_be_removed),
        cmocka_unit_test(the_end_of_a_guest_brings_all_home),
        cmocka_unit_test(a_whole_group_comes_back_at_once),
        cmocka_unit_test(with_a_group_come_those_that_wait_for_it),
        cmocka_unit_test(one_that_fails_keeps_nobody_else),
        cmocka_unit_test(a_host_that_fails_splits_no_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

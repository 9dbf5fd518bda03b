/* SPDX-License-Identifier: MIT */
/* Removals that wait for a guest to give a function back (LIFE-5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned_fixture.h"

#define CARD OWNED_CARD
#define DEEP OWNED_DEEP
#define ROOT OWNED_ROOT
#define SIBLING pcv_test_at(0, 5, 0, 0) /* of two_start() */

/* Who wants to know when it is gone. */
struct waiter {
    struct pcv_completion completion; /* first */
    unsigned calls;
    pcv_sbdf sbdf;
};

static void waiter_done(struct pcv_completion *self, pcv_sbdf sbdf)
{
    struct waiter *waiter = (struct waiter *)self;

    waiter->calls++;
    waiter->sbdf = sbdf;
}

static struct waiter waiter_make(void)
{
    return (struct waiter){.completion = {.done = waiter_done}};
}

static int take_out(struct owned *o, pcv_sbdf sbdf, struct waiter *waiter,
                    pcv_sbdf *out_busy)
{
    return pcv_device_remove(o->h.host, sbdf,
                             waiter ? &waiter->completion : NULL, out_busy);
}

static bool waits(struct owned *o, pcv_sbdf sbdf)
{
    return hosted_status(&o->h, sbdf).remove_waits;
}

/* LIFE-5, LIFE-6 */
static void a_removal_waits_for_the_guest_and_completes(void **state)
{
    struct waiter first = waiter_make();
    struct waiter second = waiter_make();
    pcv_sbdf busy = {0};
    struct owned o;

    (void)state;
    owned_start(&o);
    assert_int_equal(owned_give(&o, CARD), 0);
    owned_use(&o, o.guest, CARD);
    assert_false(waits(&o, CARD));
    assert_int_equal(take_out(&o, CARD, &first, &busy), -PCV_EBUSY);
    assert_int_equal(busy.v, CARD.v);
    assert_true(waits(&o, CARD));
    assert_true(first.completion.taken);
    /* Asked again it says the same, and nobody else is told. */
    assert_int_equal(take_out(&o, CARD, &second, NULL), -PCV_EBUSY);
    assert_false(second.completion.taken);
    /* Nothing has changed for its guest. */
    assert_int_equal(owned_owner(&o, CARD), OWNED_GUEST);
    assert_int_equal(pcv_model_bound(o.h.model, &(pcv_sbdf){CARD.v}), 1);
    assert_int_equal(first.calls, 0);
    /* It gives it back: it is handed on to nobody. */
    assert_int_equal(owned_back(&o, CARD), 0);
    assert_int_equal(hosted_state(&o.h, CARD), PCV_STATE_ABSENT);
    assert_int_equal(first.calls, 1);
    assert_int_equal(first.sbdf.v, CARD.v);
    assert_int_equal(take_out(&o, CARD, NULL, NULL), -PCV_ENODEV);
    /* It was reset, and what the host programmed is there. */
    assert_int_equal(pcv_model_peek(o.h.model, CARD, PCV_REG_BAR0, 4),
                     0x90000000);
    assert_int_equal(owned_command(&o, CARD), 0);
    assert_int_equal(pcv_device_add(o.h.host, CARD, NULL), 0);
    assert_false(waits(&o, CARD));
    assert_int_equal(owned_owner(&o, CARD), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(owned_destroy(o.guest), 0);
    owned_end(&o);
}

/* LIFE-5 */
static void a_removal_that_is_withdrawn_does_not_happen(void **state)
{
    struct waiter waiter = waiter_make();
    struct owned o;

    (void)state;
    owned_start(&o);
    assert_int_equal(pcv_device_cancel_remove(NULL, CARD), -PCV_EINVAL);
    assert_int_equal(pcv_device_cancel_remove(o.h.host, TREE_NOTHING),
                     -PCV_ENODEV);
    assert_int_equal(
        pcv_device_cancel_remove(o.h.host, pcv_test_at(5, 0, 0, 0)),
        -PCV_ENODEV);
    assert_int_equal(pcv_device_cancel_remove(o.h.host, CARD), -PCV_ENOENT);
    assert_int_equal(owned_give(&o, CARD), 0);
    assert_int_equal(take_out(&o, CARD, &waiter, NULL), -PCV_EBUSY);
    assert_int_equal(pcv_device_cancel_remove(o.h.host, CARD), 0);
    assert_false(waiter.completion.taken);
    assert_false(waits(&o, CARD));
    assert_int_equal(pcv_device_cancel_remove(o.h.host, CARD), -PCV_ENOENT);
    assert_int_equal(owned_back(&o, CARD), 0);
    assert_int_equal(owned_owner(&o, CARD), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(waiter.calls, 0);
    owned_end(&o);
}

/* LIFE-5, LIFE-6: somebody still holds the object. */
static void what_is_held_leaves_and_cannot_be_kept_any_more(void **state)
{
    struct waiter waiter = waiter_make();
    struct pcv_device *device;
    struct owned o;

    (void)state;
    owned_start(&o);
    assert_int_equal(owned_give(&o, CARD), 0);
    device = hosted_hold(&o.h, CARD);
    assert_int_equal(take_out(&o, CARD, &waiter, NULL), -PCV_EBUSY);
    assert_int_equal(owned_back(&o, CARD), 0);
    assert_int_equal(hosted_state(&o.h, CARD), PCV_STATE_LEAVING);
    assert_int_equal(pcv_device_cancel_remove(o.h.host, CARD), -PCV_EBUSY);
    assert_int_equal(pcv_device_add(o.h.host, CARD, NULL), -PCV_EBUSY);
    assert_int_equal(waiter.calls, 0);
    pcv_device_put(device);
    assert_int_equal(waiter.calls, 1);
    assert_int_equal(hosted_state(&o.h, CARD), PCV_STATE_ABSENT);
    owned_end(&o);
}

/* LIFE-5, OWN-4 */
static void what_is_to_leave_is_given_to_nobody_else(void **state)
{
    struct owned o;

    (void)state;
    owned_start(&o);
    assert_int_equal(owned_give(&o, DEEP), 0);
    assert_int_equal(take_out(&o, ROOT, NULL, NULL), -PCV_EBUSY);
    /* On its way back, it is reset. */
    pcv_model_set_clock(o.h.model, true);
    assert_int_equal(pcv_device_deassign(o.h.host, DEEP), -PCV_ERESTART);
    assert_int_equal(pcv_device_assign(o.h.host, DEEP, o.other, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(pcv_device_cancel_remove(o.h.host, ROOT), 0);
    pcv_model_set_clock(o.h.model, false);
    assert_int_equal(owned_back(&o, DEEP), 0);
    assert_int_equal(owned_owner(&o, DEEP), PCV_DOMAIN_ID_HARDWARE);
    /* Behind a bridge that waits, nothing is given away. */
    assert_int_equal(owned_give(&o, DEEP), 0);
    assert_int_equal(take_out(&o, DEEP, NULL, NULL), -PCV_EBUSY);
    assert_int_equal(owned_back(&o, DEEP), 0);
    assert_int_equal(hosted_state(&o.h, DEEP), PCV_STATE_ABSENT);
    owned_end(&o);
}

/* ---- bridges ---------------------------------------------------------------
 */

/* Two cards behind one port. */
static void two_start(struct owned *o)
{
    owned_build(o);
    owned_port(o, PCV_PCIE_TYPE_DOWNSTREAM, 3, 1, 5, 5);
    owned_card(o, 0x90300000, pcv_test_at(0, 5, 0, 0));
    pcv_model_poke(o->h.model, ROOT, PCV_REG_SUBORDINATE, 1, 5);
    pcv_model_poke(o->h.model, pcv_test_at(0, 2, 0, 0), PCV_REG_SUBORDINATE, 1,
                   5);
    hosted_start(&o->h);
    assert_int_equal(hosted_scan(&o->h), OWNED_FUNCTIONS + 2u);
    /* So that two guests may have them. */
    assert_int_equal(pcv_device_declare_isolated(o->h.host, DEEP, true), 0);
    assert_int_equal(pcv_device_declare_isolated(o->h.host, SIBLING, true), 0);
    o->guest = owned_domain(o, OWNED_GUEST);
    o->other = owned_domain(o, OWNED_OTHER);
}

/* LIFE-5, TOPO-3 */
static void a_bridge_goes_when_the_last_one_behind_it_comes_back(void **state)
{
    struct waiter waiter = waiter_make();
    pcv_sbdf busy = {0};
    struct owned o;

    (void)state;
    two_start(&o);
    assert_int_equal(owned_give(&o, DEEP), 0);
    assert_int_equal(owned_assign(&o, SIBLING, o.other, NULL), 0);
    assert_int_equal(take_out(&o, ROOT, &waiter, &busy), -PCV_EBUSY);
    assert_int_equal(busy.v, SIBLING.v); /* the deepest */
    assert_true(waits(&o, ROOT));
    assert_false(waits(&o, DEEP));
    /* The first waits in quarantine for the other. */
    assert_int_equal(owned_back(&o, DEEP), 0);
    owned_expect_nothing(&o, DEEP);
    assert_int_equal(hosted_state(&o.h, ROOT), PCV_STATE_PRESENT);
    assert_int_equal(owned_assign(&o, DEEP, o.guest, NULL), -PCV_EBUSY);
    assert_int_equal(owned_back(&o, SIBLING), 0);
    assert_int_equal(hosted_state(&o.h, ROOT), PCV_STATE_ABSENT);
    assert_int_equal(hosted_state(&o.h, DEEP), PCV_STATE_ABSENT);
    assert_int_equal(hosted_state(&o.h, SIBLING), PCV_STATE_ABSENT);
    assert_int_equal(waiter.calls, 1);
    assert_int_equal(waiter.sbdf.v, ROOT.v);
    assert_int_equal(hosted_stats(&o.h).leaving, 0);
    owned_end(&o);
}

/* LIFE-5, TOPO-3 */
static void nor_does_it_go_while_one_is_being_reset(void **state)
{
    struct owned o;

    (void)state;
    two_start(&o);
    assert_int_equal(pcv_device_declare_isolated(o.h.host, DEEP, true), 0);
    assert_int_equal(pcv_device_declare_isolated(o.h.host, SIBLING, true), 0);
    pcv_model_set_clock(o.h.model, true);
    while (pcv_device_assign(o.h.host, DEEP, o.guest, NULL, NULL) ==
           -PCV_ERESTART) {
        pcv_model_advance_us(o.h.model, 100000);
    }
    while (pcv_device_assign(o.h.host, SIBLING, o.other, NULL, NULL) ==
           -PCV_ERESTART) {
        pcv_model_advance_us(o.h.model, 100000);
    }
    assert_int_equal(take_out(&o, ROOT, NULL, NULL), -PCV_EBUSY);
    assert_int_equal(pcv_device_deassign(o.h.host, DEEP), -PCV_ERESTART);
    pcv_model_advance_us(o.h.model, 50000);
    assert_int_equal(pcv_device_deassign(o.h.host, SIBLING), -PCV_ERESTART);
    pcv_model_advance_us(o.h.model, 60000);
    assert_int_equal(pcv_device_deassign(o.h.host, DEEP), 0);
    assert_int_equal(hosted_state(&o.h, DEEP), PCV_STATE_PRESENT);
    pcv_model_advance_us(o.h.model, 60000);
    assert_int_equal(pcv_device_deassign(o.h.host, SIBLING), 0);
    assert_int_equal(hosted_state(&o.h, DEEP), PCV_STATE_ABSENT);
    assert_int_equal(hosted_state(&o.h, ROOT), PCV_STATE_ABSENT);
    pcv_model_set_clock(o.h.model, false);
    owned_end(&o);
}

/* LIFE-5, LIFE-9: what keeps the last one may also be pulled, or removed. */
static void it_goes_when_the_last_one_is_pulled_or_removed(void **state)
{
    (void)state;
    for (int removed = 0; removed < 2; removed++) {
        struct owned o;

        two_start(&o);
        assert_int_equal(owned_give(&o, DEEP), 0);
        assert_int_equal(owned_give(&o, SIBLING), 0);
        assert_int_equal(take_out(&o, ROOT, NULL, NULL), -PCV_EBUSY);
        assert_int_equal(owned_back(&o, DEEP), 0);
        assert_int_equal(hosted_state(&o.h, DEEP), PCV_STATE_PRESENT);
        if (removed == 1) {
            assert_int_equal(take_out(&o, SIBLING, NULL, NULL), -PCV_EBUSY);
            assert_int_equal(owned_back(&o, SIBLING), 0);
        } else {
            assert_int_equal(pcv_device_vanished(o.h.host, SIBLING), 0);
        }
        assert_int_equal(hosted_state(&o.h, SIBLING), PCV_STATE_ABSENT);
        assert_int_equal(hosted_state(&o.h, ROOT), PCV_STATE_ABSENT);
        owned_end(&o);
    }
}

/* LIFE-5: then it goes when it is asked for again. */
static void a_bridge_with_something_held_behind_it_is_asked_for_again(
    void **state)
{
    struct pcv_device *device;
    pcv_sbdf busy = {0};
    struct owned o;

    (void)state;
    owned_start(&o);
    assert_int_equal(owned_give(&o, DEEP), 0);
    assert_int_equal(take_out(&o, ROOT, NULL, NULL), -PCV_EBUSY);
    device = hosted_hold(&o.h, OWNED_DOWN);
    assert_int_equal(owned_back(&o, DEEP), 0);
    owned_expect_nothing(&o, DEEP);
    assert_int_equal(take_out(&o, ROOT, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(busy.v, OWNED_DOWN.v);
    pcv_device_put(device);
    /* Withdrawn now, what came back is brought home. */
    assert_int_equal(pcv_device_cancel_remove(o.h.host, ROOT), 0);
    assert_int_equal(owned_back(&o, DEEP), 0);
    assert_int_equal(owned_owner(&o, DEEP), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(take_out(&o, ROOT, NULL, NULL), 0);
    assert_int_equal(hosted_state(&o.h, DEEP), PCV_STATE_ABSENT);
    owned_end(&o);
}

/* LIFE-5: refusals that no guest ends. */
static void what_is_refused_for_another_reason_is_not_remembered(void **state)
{
    struct waiter waiter = waiter_make();
    struct pcv_device *device;
    struct owned o;

    (void)state;
    owned_start(&o);
    device = hosted_hold(&o.h, DEEP);
    assert_int_equal(take_out(&o, ROOT, &waiter, NULL), -PCV_EBUSY);
    assert_false(waits(&o, ROOT));
    assert_false(waiter.completion.taken);
    pcv_device_put(device);
    assert_int_equal(pcv_device_set_read_only(o.h.host, CARD), 0);
    assert_int_equal(take_out(&o, CARD, &waiter, NULL), -PCV_EBUSY);
    assert_false(waits(&o, CARD));
    owned_end(&o);
}

/* LIFE-5, OWN-6 */
static void one_that_cannot_be_reset_leaves_all_the_same(void **state)
{
    struct waiter waiter = waiter_make();
    struct owned o;

    (void)state;
    owned_start(&o);
    assert_int_equal(owned_give(&o, CARD), 0);
    assert_int_equal(take_out(&o, CARD, &waiter, NULL), -PCV_EBUSY);
    pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, 2);
    assert_int_equal(owned_back(&o, CARD), 0);
    pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, 0);
    assert_int_equal(hosted_state(&o.h, CARD), PCV_STATE_ABSENT);
    assert_int_equal(waiter.calls, 1);
    owned_end(&o);
}

/* LIFE-5, OWN-11: the host ends with a removal that nobody completed. */
static void a_host_that_ends_tells_who_waits(void **state)
{
    struct waiter waiter = waiter_make();
    struct owned o;

    (void)state;
    owned_start(&o);
    assert_int_equal(owned_give(&o, CARD), 0);
    assert_int_equal(take_out(&o, CARD, &waiter, NULL), -PCV_EBUSY);
    owned_end(&o);
    assert_int_equal(waiter.calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_removal_waits_for_the_guest_and_completes),
        cmocka_unit_test(a_removal_that_is_withdrawn_does_not_happen),
        cmocka_unit_test(what_is_held_leaves_and_cannot_be_kept_any_more),
        cmocka_unit_test(what_is_to_leave_is_given_to_nobody_else),
        cmocka_unit_test(a_bridge_goes_when_the_last_one_behind_it_comes_back),
        cmocka_unit_test(nor_does_it_go_while_one_is_being_reset),
        cmocka_unit_test(it_goes_when_the_last_one_is_pulled_or_removed),
        cmocka_unit_test(
            a_bridge_with_something_held_behind_it_is_asked_for_again),
        cmocka_unit_test(what_is_refused_for_another_reason_is_not_remembered),
        cmocka_unit_test(one_that_cannot_be_reset_leaves_all_the_same),
        cmocka_unit_test(a_host_that_ends_tells_who_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Functions that never answer again after a reset (OWN-5, OWN-16, SRIOV-3):
 * whatever is asked of one ends, says so, and can be asked again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resettable.h"

static void set_dead(struct owned *o, bool dead)
{
    assert_int_equal(pcv_model_set_dead(o->h.model, OWNED_AT, dead), 0);
}

/* What is asked of a function; each takes it somewhere, or works on it. */
typedef int (*order)(struct owned *o);

static int give(struct owned *o)
{
    return pcv_device_assign(o->h.host, OWNED_AT, o->guest, NULL, &o->at);
}

static int take(struct owned *o)
{
    return pcv_device_deassign(o->h.host, OWNED_AT);
}

static int reset(struct owned *o)
{
    return pcv_device_reset(o->h.host, OWNED_AT, NULL);
}

static int restore(struct owned *o)
{
    return pcv_device_restore(o->h.host, OWNED_AT);
}

static int hide(struct owned *o)
{
    return pcv_device_hide(o->h.host, OWNED_AT, NULL, NULL);
}

static int conceal(struct owned *o)
{
    return pcv_device_conceal(o->h.host, OWNED_AT, 0, NULL);
}

static int read_only(struct owned *o)
{
    return pcv_device_set_read_only(o->h.host, OWNED_AT);
}

static int quarantine(struct owned *o)
{
    return pcv_device_quarantine(o->h.host, OWNED_AT, 0, NULL);
}

/* To its end, which comes; the clock goes on while it asks for time. */
static int ends(struct owned *o, order what)
{
    uint64_t waited = 0;
    int error = -PCV_ERESTART;

    while (error == -PCV_ERESTART && waited < 120000000u) {
        uint64_t us = owned_wait_us(o);

        pcv_model_advance_us(o->h.model, us);
        waited += us != 0 ? us : 1000;
        error = what(o);
    }
    return error;
}

static struct pcv_device_status status(struct owned *o)
{
    return hosted_status(&o->h, OWNED_AT);
}

/* It is said what is wrong with it, once. */
static void is_broken(struct owned *o)
{
    assert_true(status(o).broken);
    assert_int_equal(o->events[PCV_EVENT_BROKEN], 1);
    assert_int_equal(
        pcv_device_test_assign(o->h.host, OWNED_AT, o->guest, NULL, NULL, 0, NULL),
        -PCV_EPERM);
}

/* An administrator saw to it. */
static void is_mended(struct owned *o)
{
    assert_int_equal(pcv_device_set_broken(o->h.host, OWNED_AT, false), 0);
    assert_int_equal(ends(o, give), 0);
    assert_int_equal(ends(o, take), 0);
    assert_int_equal(owned_peek(o, PCV_REG_BAR0, 4), OWNED_BAR);
}

/* OWN-5, OWN-16: the hardware domain reset it, and has it still when that ends.
 * Somebody who asks again is told at once. */
static void whatever_is_asked_of_a_dead_function_ends(void **state)
{
    static const order orders[] = {reset, restore, hide, conceal, read_only};

    (void)state;
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct owned o;

        start(&o, HAS_FLR);
        flr(&o);
        set_dead(&o, true);
        assert_int_equal(ends(&o, orders[i]), -PCV_EIO);
        is_broken(&o);
        assert_int_equal(status(&o).owner_id, PCV_DOMAIN_ID_HARDWARE);
        pcv_model_advance_us(o.h.model, owned_wait_us(&o));
        assert_int_equal(orders[i](&o), -PCV_EIO);
        assert_int_equal(o.events[PCV_EVENT_BROKEN], 1);
        /* Its owner finds it when it answers, and so does who asks. */
        set_dead(&o, false);
        pcv_model_advance_us(o.h.model, owned_wait_us(&o));
        assert_false(owned_absent(&o));
        owned_switch_on(&o);
        is_mended(&o);
        assert_int_equal(ends(&o, orders[i]), 0);
        owned_end(&o);
    }
}

/* OWN-5: it could not even be looked at, which takes no time. */
static void a_dead_function_is_not_taken_from_the_hardware_domain(void **state)
{
    static const order orders[] = {give, quarantine};

    (void)state;
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct owned o;

        start(&o, HAS_FLR);
        flr(&o);
        set_dead(&o, true);
        assert_int_equal(ends(&o, orders[i]), -PCV_EIO);
        assert_int_equal(status(&o).owner_id, PCV_DOMAIN_ID_HARDWARE);
        set_dead(&o, false);
        pcv_model_advance_us(o.h.model, 10000);
        assert_false(owned_absent(&o));
        assert_int_equal(ends(&o, orders[i]), 0);
        owned_end(&o);
    }
}

/* OWN-5, OWN-16: its guest reset it. It comes as far as quarantine, and home
 * when it answers; nobody needs to say that it is not broken for that. */
static void a_dead_function_is_taken_from_its_guest(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    owned_switch_on(&o);
    flr(&o);
    set_dead(&o, true);
    assert_int_equal(ends(&o, take), -PCV_EIO);
    is_broken(&o);
    assert_int_equal(status(&o).owner_id, PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(status(&o).change_step, PCV_STEP_RESET);
    assert_int_equal(status(&o).change_error, -PCV_EIO);
    assert_int_equal(o.args[PCV_EVENT_QUARANTINED], PCV_EIO);
    assert_int_equal(pcv_model_mapped_pages(o.h.model), 0);
    assert_int_equal(pcv_model_dma_domain(o.h.model, OWNED_AT),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(ends(&o, take), -PCV_EIO);
    assert_int_equal(ends(&o, reset), -PCV_EIO);
    set_dead(&o, false);
    assert_int_equal(ends(&o, take), 0);
    assert_int_equal(status(&o).owner_id, PCV_DOMAIN_ID_HARDWARE);
    is_mended(&o);
    owned_end(&o);
}

/* OWN-5, OWN-16: it dies in the reset for its next owner. */
static void one_that_dies_in_its_reset_rests(void **state)
{
    static const unsigned ways[] = {HAS_FLR, HAS_AF, HAS_PM};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(ways) / sizeof(ways[0]); i++) {
        const order what = i % 2 != 0 ? take : give;
        struct owned o;

        start(&o, ways[i / 2]);
        if (i % 2 != 0) {
            owned_give(&o, NULL);
        }
        assert_int_equal(what(&o), -PCV_ERESTART);
        set_dead(&o, true);
        assert_int_equal(ends(&o, what), -PCV_EIO);
        is_broken(&o);
        assert_int_equal(status(&o).owner_id, PCV_DOMAIN_ID_QUARANTINE);
        assert_int_equal(status(&o).change_step, PCV_STEP_RESET);
        set_dead(&o, false);
        assert_int_equal(ends(&o, take), 0);
        is_mended(&o);
        owned_end(&o);
    }
}

/* OWN-16: an administrator's reset of what a guest has. */
static void a_guests_function_that_dies_stays_the_guests(void **state)
{
    static const order orders[] = {reset, restore};

    (void)state;
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct owned o;

        start(&o, HAS_FLR);
        owned_give(&o, NULL);
        flr(&o);
        set_dead(&o, true);
        assert_int_equal(ends(&o, orders[i]), -PCV_EIO);
        is_broken(&o);
        assert_int_equal(status(&o).owner_id, OWNED_GUEST);
        assert_true(owned_absent(&o));
        set_dead(&o, false);
        assert_int_equal(ends(&o, orders[i]), 0);
        assert_false(owned_absent(&o));
        assert_int_equal(ends(&o, take), 0);
        is_mended(&o);
        owned_end(&o);
    }
}

/* OWN-16, SRIOV-3: what asks for a retry for ever is as dead, and one that
 * comes back within the minute is not. */
static void retries_are_not_for_ever(void **state)
{
    struct owned o;
    uint32_t ids;

    (void)state;
    for (int late = 0; late < 2; late++) {
        start(&o, HAS_FLR);
        owned_give(&o, NULL);
        ids = owned_peek(&o, PCV_REG_VENDOR, 4);
        flr(&o);
        pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_VENDOR, 4, 0xffff0001u);
        if (late) {
            assert_int_equal(take(&o), -PCV_ERESTART);
            pcv_model_advance_us(o.h.model, 50000000);
            assert_int_equal(take(&o), -PCV_ERESTART);
            pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_VENDOR, 4, ids);
            assert_int_equal(ends(&o, take), 0);
            assert_false(status(&o).broken);
        } else {
            assert_int_equal(ends(&o, take), -PCV_EIO);
            is_broken(&o);
            pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_VENDOR, 4, ids);
            assert_int_equal(ends(&o, take), 0);
        }
        owned_end(&o);
    }
}

/* OWN-16, PORT-3: without a clock so many calls. */
static void without_a_clock_it_ends_too(void **state)
{
    struct owned o;
    int calls = 0;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    flr(&o);
    set_dead(&o, true);
    pcv_model_set_clock(o.h.model, false);
    while (take(&o) == -PCV_ERESTART) {
        assert_true(++calls < 1000);
    }
    assert_int_equal(status(&o).owner_id, PCV_DOMAIN_ID_QUARANTINE);
    is_broken(&o);
    owned_end(&o);
}

/* EXT-2: a declaration does not wait for it for ever either. */
static void a_declaration_of_ecam_does_not_hang_on_it(void **state)
{
    uint64_t waited = 0;
    pcv_sbdf busy;
    struct owned o;
    int error = -PCV_ERESTART;

    (void)state;
    start(&o, HAS_FLR);
    flr(&o);
    set_dead(&o, true);
    while (error == -PCV_ERESTART && waited < 120000000u) {
        uint64_t us = owned_wait_us(&o);

        pcv_model_advance_us(o.h.model, us);
        waited += us != 0 ? us : 1000;
        error = pcv_host_set_ecam(o.h.host, 0, 0, 255, true, &busy);
    }
    assert_int_equal(error, 0);
    is_broken(&o);
    owned_end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_asked_of_a_dead_function_ends),
        cmocka_unit_test(a_dead_function_is_not_taken_from_the_hardware_domain),
        cmocka_unit_test(a_dead_function_is_taken_from_its_guest),
        cmocka_unit_test(one_that_dies_in_its_reset_rests),
        cmocka_unit_test(a_guests_function_that_dies_stays_the_guests),
        cmocka_unit_test(retries_are_not_for_ever),
        cmocka_unit_test(without_a_clock_it_ends_too),
        cmocka_unit_test(a_declaration_of_ecam_does_not_hang_on_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

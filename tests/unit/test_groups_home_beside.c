/* SPDX-License-Identifier: MIT */
/*
 * Members of an isolation group that come home while others leave, or go: none
 * is left behind, and the group is not split (OWN-4, OWN-6).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mates.h"

static struct {
    struct owned *o;
    void (*fn)(struct owned *o);
    uint32_t rid, domain_id;
} beside;

static int attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    void (*fn)(struct owned * o) = beside.fn;

    if (fn && requester.v == beside.rid && domain_id == beside.domain_id) {
        beside.fn = NULL;
        fn(beside.o);
    }
    return pcv_model_ops()->dma_attach(ctx, requester, domain_id);
}

static void start_beside(struct owned *o)
{
    memset(&beside, 0, sizeof(beside));
    build(o);
    o->h.ops.dma_attach = attach;
    boot(o);
    beside.o = o;
}

static void when(pcv_sbdf at, uint32_t domain_id, void (*fn)(struct owned *o))
{
    beside.rid = at.v;
    beside.domain_id = domain_id;
    beside.fn = fn;
}

static void take_the_others(struct owned *o)
{
    assert_int_equal(owned_assign(o, mate(0), o->guest, &whole), -PCV_EBUSY);
    assert_int_equal(owned_assign(o, mate(0), o->guest, NULL), -PCV_EXDEV);
}

/* OWN-4: another CPU gives the rest of the group away while one comes home. */
static void nobody_takes_the_others_of_one_that_comes_home(void **state)
{
    struct owned o;

    (void)state;
    start_beside(&o);
    assert_int_equal(pcv_device_quarantine(o.h.host, mate(1), 0, NULL), 0);
    assert_int_equal(pcv_device_quarantine(o.h.host, mate(2), 0, NULL), 0);
    when(mate(1), DOM0, take_the_others);
    assert_int_equal(reveal(&o, 1, NULL), 0);
    assert_null(beside.fn);
    expect(&o, DOM0, DOM0, NOBODY);
    owned_end(&o);
}

static void fetch_one(struct owned *o)
{
    assert_int_equal(reveal(o, 1, NULL), -PCV_EXDEV);
}

/* OWN-4: and the other way round. */
static void one_does_not_come_home_while_another_goes_away(void **state)
{
    struct owned o;

    (void)state;
    start_beside(&o);
    assert_int_equal(pcv_device_quarantine(o.h.host, mate(1), 0, NULL), 0);
    assert_int_equal(pcv_device_quarantine(o.h.host, mate(2), 0, NULL), 0);
    when(mate(0), OWNED_GUEST, fetch_one);
    assert_int_equal(owned_give(&o, mate(0)), 0);
    assert_null(beside.fn);
    expect(&o, OWNED_GUEST, NOBODY, NOBODY);
    owned_end(&o);
}

/* OWN-4: nobody goes on bringing one home, and it is given away instead: then
 * it is not on its way home any more, for the others neither. */
static void one_that_is_given_away_is_not_on_its_way_home(void **state)
{
    struct owned o;

    (void)state;
    start_beside(&o);
    for (uint8_t i = 0; i < MATES; i++) {
        assert_int_equal(pcv_device_quarantine(o.h.host, mate(i), 0, NULL), 0);
    }
    pcv_model_set_clock(o.h.model, true);
    assert_int_equal(pcv_device_deassign(o.h.host, mate(0)), -PCV_ERESTART);
    pcv_model_set_clock(o.h.model, false);
    when(mate(0), OWNED_GUEST, fetch_one);
    assert_int_equal(owned_give(&o, mate(0)), 0);
    assert_null(beside.fn);
    expect(&o, OWNED_GUEST, NOBODY, NOBODY);
    owned_end(&o);
}

static void last_comes_back(struct owned *o)
{
    assert_int_equal(owned_back(o, mate(0)), 0);
}

/* OWN-6: the last two leave at once; none is forgotten. */
static void of_two_that_leave_at_once_none_is_left_behind(void **state)
{
    static const uint32_t when_at[] = {NOBODY, DOM0};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct owned o;

        start_beside(&o);
        give_all(&o);
        assert_int_equal(owned_back(&o, mate(2)), 0);
        when(mate(1), when_at[i], last_comes_back);
        assert_int_equal(owned_back(&o, mate(1)), 0);
        if (beside.fn) { /* it waited, so nothing was attached to dom0 */
            beside.fn = NULL;
            last_comes_back(&o);
        }
        expect(&o, DOM0, DOM0, DOM0);
        owned_end(&o);
    }
}

/* Another CPU comes in where a lock has just been let go. */
static struct {
    struct owned *o;
    uint32_t held, nth; /* 0: not any more */
    pcv_sbdf leaves;
    int error;
} between;

static uintptr_t irq_save(void *ctx)
{
    (void)ctx;
    between.held++;
    return 0;
}

static void irq_restore(void *ctx, uintptr_t flags)
{
    (void)ctx;
    (void)flags;
    if (--between.held == 0 && between.nth != 0 && --between.nth == 0) {
        between.error = -PCV_ERESTART;
        for (int i = 0; i < 3 && between.error == -PCV_ERESTART; i++) {
            between.error =
                pcv_device_deassign(between.o->h.host, between.leaves);
        }
    }
}

/* Whether there were so many moments. */
static bool leave_at(uint32_t nth, uint8_t second, bool ends)
{
    struct owned o;
    bool came;
    int error;

    memset(&between, 0, sizeof(between));
    build(&o);
    o.h.ops.irq_save = irq_save;
    o.h.ops.irq_restore = irq_restore;
    boot(&o);
    between.o = &o;
    between.leaves = mate(second);
    give_all(&o);
    assert_int_equal(owned_back(&o, mate(2)), 0);
    between.nth = nth;
    if (ends) {
        assert_int_equal(owned_destroy(o.guest), 0);
        o.guest = NULL;
    } else {
        error = owned_back(&o, mate((uint8_t)(1u - second)));
        /* The other one may have brought it home between two calls. */
        assert_true(error == 0 || error == -PCV_EINVAL);
    }
    came = between.nth == 0;
    between.nth = 0;
    if (!came || between.error == -PCV_ERESTART) {
        (void)owned_back(&o, mate(second)); /* it goes on, or is home by now */
    }
    expect(&o, DOM0, DOM0, DOM0);
    owned_end(&o);
    return came;
}

/* OWN-6, OWN-11: at whatever moment one leaves while another does, since its
 * guest ends or by itself, none is left behind. */
static void at_no_moment_is_one_of_two_left_behind(void **state)
{
    (void)state;
    for (uint8_t way = 0; way < 4; way++) {
        uint32_t nth = 1;

        while (leave_at(nth, way % 2u, way >= 2)) {
            assert_true(++nth < 5000);
        }
    }
}

static void told(void *arg, const struct pcv_event *event)
{
    struct owned *o = arg;

    owned_told(o, event);
    if (event->kind == PCV_EVENT_GROUP_WAITS && event->sbdf.v == mate(1).v) {
        assert_int_equal(pcv_device_deassign(o->h.host, mate(0)),
                         -PCV_ERESTART);
        assert_int_equal(owner(o, 0), NOBODY);
    }
}

/* OWN-6: the last one leaves while one is about to wait for it. */
static void one_does_not_wait_for_who_has_just_left(void **state)
{
    struct owned o;

    (void)state;
    start(&o);
    give_all(&o);
    assert_int_equal(owned_back(&o, mate(2)), 0);
    pcv_model_on_event(o.h.model, told, &o);
    assert_int_equal(owned_back(&o, mate(1)), 0);
    assert_int_equal(owner(&o, 1), DOM0);
    assert_int_equal(owner(&o, 2), DOM0);
    assert_int_equal(owned_back(&o, mate(0)), 0);
    expect(&o, DOM0, DOM0, DOM0);
    owned_end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_takes_the_others_of_one_that_comes_home),
        cmocka_unit_test(one_does_not_come_home_while_another_goes_away),
        cmocka_unit_test(one_that_is_given_away_is_not_on_its_way_home),
        cmocka_unit_test(of_two_that_leave_at_once_none_is_left_behind),
        cmocka_unit_test(at_no_moment_is_one_of_two_left_behind),
        cmocka_unit_test(one_does_not_wait_for_who_has_just_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

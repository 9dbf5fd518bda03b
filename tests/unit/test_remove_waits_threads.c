/* SPDX-License-Identifier: MIT */
/*
 * A guest gives a function back while others remove it, or the bridge above it,
 * and withdraw that (LIFE-5). Also run under the thread sanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "owned_fixture.h"

#define ROUNDS 150u
#define TRIES 12u

struct waiter {
    struct pcv_completion completion; /* first */
    _Atomic unsigned calls;
};

static void waiter_done(struct pcv_completion *self, pcv_sbdf sbdf)
{
    struct waiter *waiter = (struct waiter *)self;

    (void)sbdf;
    atomic_fetch_add(&waiter->calls, 1);
}

struct scene {
    struct owned o;
    pcv_sbdf target; /* of the removal */
    struct waiter waiter[TRIES];
    _Atomic unsigned ready;
    int returned; /* what the way back came to */
    _Atomic bool wrong;
};

/* All of them at once. */
static void line_up(struct scene *s)
{
    atomic_fetch_add(&s->ready, 1);
    while (atomic_load(&s->ready) < 3) {
        (void)sched_yield();
    }
}

static void *give_back(void *arg)
{
    struct scene *s = arg;
    int error;

    line_up(s);
    do {
        error = pcv_device_deassign(s->o.h.host, OWNED_DEEP);
        (void)sched_yield();
    } while (error == -PCV_ERESTART || error == -PCV_EBUSY);
    s->returned = error;
    return NULL;
}

static void *take_away(void *arg)
{
    struct scene *s = arg;

    line_up(s);
    for (unsigned i = 0; i < TRIES; i++) {
        int error = pcv_device_remove(s->o.h.host, s->target,
                                      &s->waiter[i].completion, NULL);

        if (error != 0 && error != -PCV_EBUSY && error != -PCV_ENODEV) {
            atomic_store(&s->wrong, true);
        }
        (void)sched_yield();
    }
    return NULL;
}

static void *withdraw(void *arg)
{
    struct scene *s = arg;

    line_up(s);
    for (unsigned i = 0; i < TRIES; i++) {
        int error = pcv_device_cancel_remove(s->o.h.host, s->target);

        if (error != 0 && error != -PCV_EBUSY && error != -PCV_ENODEV &&
            error != -PCV_ENOENT) {
            atomic_store(&s->wrong, true);
        }
        (void)sched_yield();
    }
    return NULL;
}

/* Either it is gone and who was taken was told, or it is there and nobody waits
 * for anything. */
static void expect_settled(struct scene *s)
{
    struct pcv_device_status target = hosted_status(&s->o.h, s->target);
    struct pcv_device_status deep = hosted_status(&s->o.h, OWNED_DEEP);
    unsigned told = 0;

    for (unsigned i = 0; i < TRIES; i++) {
        unsigned calls = atomic_load(&s->waiter[i].calls);

        assert_int_equal(calls, s->waiter[i].completion.taken ? 1 : 0);
        told += calls;
    }
    assert_false(atomic_load(&s->wrong));
    assert_true(s->returned == 0 || s->returned == -PCV_ENODEV);
    assert_false(target.remove_waits);
    if (target.state == PCV_STATE_ABSENT) {
        assert_int_equal(told, 1);
        assert_int_equal(deep.state, PCV_STATE_ABSENT);
        return;
    }
    assert_int_equal(told, 0);
    assert_int_equal(target.state, PCV_STATE_PRESENT);
    assert_int_equal(deep.state, PCV_STATE_PRESENT);
    assert_int_equal(deep.held[PCV_HOLDER_CALLER], 0);
    if (s->target.v == OWNED_DEEP.v) {
        assert_int_equal(deep.owner_id, PCV_DOMAIN_ID_HARDWARE);
    } else {
        /* It may have come back while the bridge was to go. */
        assert_true(deep.owner_id == PCV_DOMAIN_ID_HARDWARE ||
                    deep.owner_id == PCV_DOMAIN_ID_QUARANTINE);
    }
}

/* Everybody, once. Whether it was removed. */
static bool play(struct scene *s)
{
    void *(*const act[])(void *arg) = {give_back, take_away, withdraw};
    pthread_t thread[3];

    atomic_store(&s->ready, 0);
    for (unsigned i = 0; i < TRIES; i++) {
        memset(&s->waiter[i].completion, 0, sizeof(s->waiter[i].completion));
        s->waiter[i].completion.done = waiter_done;
        atomic_store(&s->waiter[i].calls, 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, act[i], s), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    expect_settled(s);
    return hosted_state(&s->o.h, s->target) == PCV_STATE_ABSENT;
}

static int add(struct scene *s, pcv_sbdf sbdf)
{
    int error;

    do {
        error = pcv_device_add(s->o.h.host, sbdf, NULL);
    } while (error == -PCV_ERESTART);
    return error;
}

static void round_of(struct scene *s, unsigned *removed)
{
    assert_int_equal(owned_give(&s->o, OWNED_DEEP), 0);
    if (play(s)) {
        *removed += 1;
        assert_int_equal(add(s, OWNED_ROOT), 0);
        assert_int_equal(add(s, pcv_test_at(0, 2, 0, 0)), 0);
        assert_int_equal(add(s, OWNED_DOWN), 0);
        assert_int_equal(add(s, OWNED_DEEP), 0);
    } else if (owned_owner(&s->o, OWNED_DEEP) != PCV_DOMAIN_ID_HARDWARE) {
        assert_int_equal(owned_back(&s->o, OWNED_DEEP), 0);
    }
    assert_int_equal(owned_owner(&s->o, OWNED_DEEP), PCV_DOMAIN_ID_HARDWARE);
}

static void run(pcv_sbdf target)
{
    static struct scene s;
    unsigned removed = 0;

    memset(&s, 0, sizeof(s));
    owned_build(&s.o);
    pcv_model_on_event(s.o.h.model, NULL, NULL); /* one thread's alone */
    owned_boot(&s.o);
    s.target = target;
    for (unsigned i = 0; i < ROUNDS; i++) {
        round_of(&s, &removed);
    }
    assert_true(removed > 0);
    assert_int_equal(owned_destroy(s.o.guest), 0);
    owned_end(&s.o);
}

/* LIFE-5, LIFE-6 */
static void a_removal_and_its_withdrawal_meet_the_way_back(void **state)
{
    (void)state;
    run(OWNED_DEEP);
}

/* LIFE-5, TOPO-3 */
static void so_do_those_of_a_bridge(void **state)
{
    (void)state;
    run(OWNED_ROOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_removal_and_its_withdrawal_meet_the_way_back),
        cmocka_unit_test(so_do_those_of_a_bridge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

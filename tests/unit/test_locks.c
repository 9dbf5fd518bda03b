/* SPDX-License-Identifier: MIT */
/* Locks: one holder at a time, and an order that debug builds check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/lock.h"

#define CPUS 4u

/* A port that knows which CPU it is on, and keeps what it is told. */
static _Thread_local uint32_t this_cpu;
static unsigned bugs;
static char bug_text[128];

static uint32_t cpu(void *ctx)
{
    (void)ctx;
    return this_cpu;
}

static void bug(void *ctx, const char *file, int line, const char *what)
{
    (void)ctx;
    (void)file;
    (void)line;
    bugs++;
    (void)strncpy(bug_text, what, sizeof(bug_text) - 1);
}

/* Interrupts: off is counted; the flags say how deep it was before. */
static _Thread_local uintptr_t irq_depth;

static uintptr_t irq_save(void *ctx)
{
    (void)ctx;
    return irq_depth++;
}

static void irq_restore(void *ctx, uintptr_t flags)
{
    (void)ctx;
    irq_depth = flags;
}

/* There may be fewer CPUs than threads. */
static void relax(void *ctx)
{
    (void)ctx;
    (void)sched_yield();
}

struct fixture {
    struct pcv__mem mem;
    struct pcv__held held[CPUS];
    struct pcv__lock lock[PCV__RANK_POOL + 1]; /* one of each rank */
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    f.mem.ops.this_cpu = cpu;
    f.mem.ops.bug = bug;
    f.mem.ops.relax = relax;
    f.mem.ops.irq_save = irq_save;
    f.mem.ops.irq_restore = irq_restore;
    f.mem.held = f.held;
    f.mem.cpus = CPUS;
    for (uint32_t rank = PCV__RANK_SEGMENT; rank <= PCV__RANK_POOL; rank++) {
        pcv__lock_init(&f.lock[rank], (enum pcv__rank)rank);
    }
    bugs = 0;
    this_cpu = 0;
    irq_depth = 0;
    memset(bug_text, 0, sizeof(bug_text));
    *state = &f;
    return 0;
}

static void take(struct fixture *f, uint32_t rank) PCV__NO_ANALYSIS
{
    pcv__lock_take(&f->mem, &f->lock[rank]);
}

static void drop(struct fixture *f, uint32_t rank) PCV__NO_ANALYSIS
{
    pcv__lock_drop(&f->mem, &f->lock[rank]);
}

/* LIFE-10 */
static void locks_taken_in_order_are_no_bug(void **state)
{
    struct fixture *f = *state;

    for (uint32_t rank = PCV__RANK_SEGMENT; rank <= PCV__RANK_POOL; rank++) {
        take(f, rank);
    }
    for (uint32_t rank = PCV__RANK_POOL; rank >= PCV__RANK_SEGMENT; rank--) {
        drop(f, rank);
    }
    /* Ranks may be left out, and taken again once dropped. */
    take(f, PCV__RANK_SEGMENT);
    take(f, PCV__RANK_POOL);
    drop(f, PCV__RANK_POOL);
    take(f, PCV__RANK_DEVICE);
    drop(f, PCV__RANK_DEVICE);
    drop(f, PCV__RANK_SEGMENT);
    assert_int_equal(bugs, 0);
}

/* LIFE-10 */
static void a_lock_taken_against_the_order_is_reported(void **state)
{
#if PCV_DEBUG
    struct fixture *f = *state;

    for (uint32_t held = PCV__RANK_SEGMENT; held <= PCV__RANK_POOL; held++) {
        for (uint32_t next = PCV__RANK_SEGMENT; next < held; next++) {
            bugs = 0;
            take(f, held);
            take(f, next);
            assert_int_equal(bugs, 1);
            assert_non_null(strstr(bug_text, "rank"));
            drop(f, next);
            drop(f, held);
            assert_int_equal(bugs, 1);
        }
    }
#else
    (void)state;
    skip(); /* the check is of debug builds */
#endif
}

/* LIFE-10: another lock of the same rank will not do, nor another CPU's. */
static void a_lock_that_is_needed_and_not_held_is_reported(void **state)
    PCV__NO_ANALYSIS
{
#if PCV_DEBUG
    struct fixture *f = *state;
    struct pcv__lock other;

    pcv__lock_init(&other, PCV__RANK_DEVICE);
    take(f, PCV__RANK_SEGMENT);
    take(f, PCV__RANK_DEVICE);
    pcv__lock_check_held(&f->mem, &f->lock[PCV__RANK_SEGMENT]);
    pcv__lock_check_held(&f->mem, &f->lock[PCV__RANK_DEVICE]);
    assert_int_equal(bugs, 0);
    pcv__lock_check_held(&f->mem, &other);
    assert_int_equal(bugs, 1);
    this_cpu = 1;
    pcv__lock_check_held(&f->mem, &f->lock[PCV__RANK_DEVICE]);
    assert_int_equal(bugs, 2);
    this_cpu = 0;
    drop(f, PCV__RANK_DEVICE);
    pcv__lock_check_held(&f->mem, &f->lock[PCV__RANK_DEVICE]);
    assert_int_equal(bugs, 3);
    drop(f, PCV__RANK_SEGMENT);
#else
    (void)state;
    skip(); /* the check is of debug builds */
#endif
}

/* LIFE-10 */
static void two_locks_of_one_rank_at_a_time_are_reported(void **state)
    PCV__NO_ANALYSIS
{
#if PCV_DEBUG
    struct fixture *f = *state;
    struct pcv__lock other;

    pcv__lock_init(&other, PCV__RANK_DEVICE);
    take(f, PCV__RANK_DEVICE);
    pcv__lock_take(&f->mem, &other);
    assert_int_equal(bugs, 1);
    pcv__lock_drop(&f->mem, &other);
    drop(f, PCV__RANK_DEVICE);
    assert_int_equal(bugs, 1);
#else
    (void)state;
    skip();
#endif
}

/* LIFE-10 */
static void locks_dropped_in_another_order_or_not_held_are_reported(
    void **state)
{
#if PCV_DEBUG
    struct fixture *f = *state;

    take(f, PCV__RANK_SEGMENT);
    take(f, PCV__RANK_DEVICE);
    drop(f, PCV__RANK_SEGMENT);
    assert_int_equal(bugs, 1);
    drop(f, PCV__RANK_DEVICE);
    bugs = 0;
    drop(f, PCV__RANK_MAP);
    assert_int_equal(bugs, 1);
#else
    (void)state;
    skip();
#endif
}

/* LIFE-10 */
static void what_another_cpu_holds_does_not_count(void **state)
{
    struct fixture *f = *state;

    take(f, PCV__RANK_POOL);
    this_cpu = 1;
    take(f, PCV__RANK_SEGMENT);
    drop(f, PCV__RANK_SEGMENT);
    this_cpu = 0;
    drop(f, PCV__RANK_POOL);
    assert_int_equal(bugs, 0);
}

/* LIFE-10 */
static void a_cpu_that_the_host_did_not_announce_is_reported(void **state)
{
#if PCV_DEBUG
    struct fixture *f = *state;

    this_cpu = CPUS;
    take(f, PCV__RANK_MAP);
    assert_int_equal(bugs, 1);
    drop(f, PCV__RANK_MAP);
    this_cpu = 0;
#else
    (void)state;
    skip();
#endif
}

/* LIFE-10 */
static void interrupts_are_off_while_a_lock_is_held_and_then_as_before(
    void **state)
{
    struct fixture *f = *state;

    irq_depth = 7;
    take(f, PCV__RANK_SEGMENT);
    assert_int_equal(irq_depth, 8);
    take(f, PCV__RANK_MAP);
    assert_int_equal(irq_depth, 9);
    drop(f, PCV__RANK_MAP);
    assert_int_equal(irq_depth, 8);
    drop(f, PCV__RANK_SEGMENT);
    assert_int_equal(irq_depth, 7);
}

/* ---- exclusion ------------------------------------------------------------
 */

#define ROUNDS 20000u

struct worker {
    struct fixture *f;
    uint32_t cpu;
    volatile uint64_t *counter; /* no atomic: the lock protects it */
    pthread_t thread;
};

static void *count_up(void *arg)
{
    struct worker *w = arg;

    this_cpu = w->cpu;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        take(w->f, PCV__RANK_DEVICE);
        *w->counter = *w->counter + 1;
        drop(w->f, PCV__RANK_DEVICE);
    }
    return NULL;
}

/* LIFE-10 */
static void a_lock_has_one_holder_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct worker workers[CPUS];
    volatile uint64_t counter = 0;

    for (uint32_t i = 0; i < CPUS; i++) {
        workers[i] = (struct worker){.f = f, .cpu = i, .counter = &counter};
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, count_up, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < CPUS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    }
    assert_int_equal(counter, (uint64_t)CPUS * ROUNDS);
    assert_int_equal(bugs, 0);
}

/* LIFE-10 */
static void a_ticket_wraps_around(void **state)
{
    struct fixture *f = *state;
    struct pcv__lock *lock = &f->lock[PCV__RANK_DEVICE];

    atomic_store(&lock->next, UINT32_MAX - 1);
    atomic_store(&lock->serving, UINT32_MAX - 1);
    for (int i = 0; i < 4; i++) {
        take(f, PCV__RANK_DEVICE);
        drop(f, PCV__RANK_DEVICE);
    }
    assert_int_equal(atomic_load(&lock->next), 2);
    assert_int_equal(atomic_load(&lock->serving), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(locks_taken_in_order_are_no_bug, setup),
        cmocka_unit_test_setup(a_lock_taken_against_the_order_is_reported,
                               setup),
        cmocka_unit_test_setup(a_lock_that_is_needed_and_not_held_is_reported,
                               setup),
        cmocka_unit_test_setup(two_locks_of_one_rank_at_a_time_are_reported,
                               setup),
        cmocka_unit_test_setup(
            locks_dropped_in_another_order_or_not_held_are_reported, setup),
        cmocka_unit_test_setup(what_another_cpu_holds_does_not_count, setup),
        cmocka_unit_test_setup(a_cpu_that_the_host_did_not_announce_is_reported,
                               setup),
        cmocka_unit_test_setup(
            interrupts_are_off_while_a_lock_is_held_and_then_as_before, setup),
        cmocka_unit_test_setup(a_lock_has_one_holder_at_a_time, setup),
        cmocka_unit_test_setup(a_ticket_wraps_around, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

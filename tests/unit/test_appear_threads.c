/* SPDX-License-Identifier: MIT */
/*
 * Everybody looks for the same cards while they come and go: readers of their
 * vendor IDs, a hotplug driver, an administrator who removes them, a hand that
 * pulls and plugs them, and a host that fails now and then (LIFE-12, LIFE-11,
 * PORT-3). Also run under the thread sanitizer.
 *
 * PCV_THREADS_STEPS sets the number of reads of each reader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "registry/internal.h"
#include "slotted.h"

#define STEPS 600u
#define READERS 3u /* of the jobs */
#define RESUMES_MAX 1000000u

struct shared {
    struct hosted h;
    bool fails;
    _Atomic unsigned reading; /* readers that have not ended */
    _Atomic uint64_t found, missed;
    _Atomic uint64_t wrong;   /* IDs that no card has */
    _Atomic uint64_t endless; /* an access that came to no end */
};

static unsigned steps(void)
{
    const char *said = getenv("PCV_THREADS_STEPS");

    return said ? (unsigned)strtoul(said, NULL, 10) : STEPS;
}

/* As a vCPU. False: it never ended. */
static bool perform(struct shared *s, struct pcv_access *access)
{
    struct pcv_domain *hardware = pcv_host_hardware_domain(s->h.host);
    enum pcv_verdict verdict = pcv_access(hardware, access);
    unsigned rounds = 0;

    while (verdict == PCV_RETRY && rounds++ < RESUMES_MAX) {
        (void)sched_yield();
        verdict = pcv_access(hardware, access);
    }
    while ((verdict == PCV_PENDING || verdict == PCV_RETRY) &&
           rounds++ < RESUMES_MAX) {
        (void)sched_yield();
        verdict = pcv_access_resume(hardware, access);
    }
    if (verdict != PCV_DONE && verdict != PCV_ABSENT) {
        atomic_fetch_add(&s->endless, 1);
        return false;
    }
    return true;
}

static void look_at(struct shared *s, pcv_sbdf sbdf)
{
    struct pcv_access access = PCV_READ(sbdf, PCV_REG_VENDOR, 4);

    if (!perform(s, &access)) {
        return;
    }
    if (access.data == ONES) {
        atomic_fetch_add(&s->missed, 1);
    } else if (access.data == CARD_IDS || (access.data & 0xffffu) == 0x1b36u) {
        atomic_fetch_add(&s->found, 1);
    } else {
        atomic_fetch_add(&s->wrong, 1);
    }
}

/* A run in which nothing happens proves nothing: it goes on, for a while. */
static bool is_dull(const struct shared *s, unsigned done)
{
    return done < 1000u * steps() &&
           (atomic_load(&s->found) == 0 || atomic_load(&s->missed) == 0);
}

static void *read_ids(void *arg)
{
    struct shared *s = arg;

    for (unsigned i = 0; i < steps() || is_dull(s, i); i++) {
        look_at(s, i % 3 == 0 ? CARD : i % 3 == 1 ? LEAF : UPSTREAM);
        (void)sched_yield();
    }
    atomic_fetch_sub(&s->reading, 1);
    return NULL;
}

static void *take_note(void *arg)
{
    struct shared *s = arg;

    for (unsigned i = 0; atomic_load(&s->reading) != 0; i++) {
        struct pcv_access access =
            PCV_WRITE((i & 1u) != 0 ? PORT : SWITCH, CAP + PCV_PCIE_SLTSTA, 2,
                      PCV_PCIE_SLTSTA_W1C);

        (void)perform(s, &access);
    }
    return NULL;
}

static void *remove_them(void *arg)
{
    struct shared *s = arg;

    for (unsigned i = 0; atomic_load(&s->reading) != 0; i++) {
        int error = pcv_device_remove(s->h.host, (i & 1u) != 0 ? CARD : LEAF,
                                      NULL, NULL);

        if (error != 0 && error != -PCV_EBUSY && error != -PCV_ENODEV) {
            atomic_fetch_add(&s->wrong, 1);
        }
        if (s->fails) {
            pcv_model_fail(s->h.model,
                           (i & 2u) != 0 ? PCV_MODEL_OP_alloc
                                         : PCV_MODEL_OP_cfg_read,
                           1 + i % 40u);
        }
        (void)sched_yield();
    }
    return NULL;
}

static void *pull_and_plug(void *arg)
{
    struct shared *s = arg;

    for (unsigned i = 0; atomic_load(&s->reading) != 0; i++) {
        pcv_sbdf sbdf = (i & 2u) != 0 ? CARD : LEAF;

        if ((i & 1u) != 0) {
            (void)pcv_model_plug(s->h.model, sbdf);
        } else {
            (void)pcv_model_pull(s->h.model, sbdf);
        }
        (void)sched_yield();
    }
    return NULL;
}

static void *(*const jobs[])(void *) = {read_ids,  read_ids,    read_ids,
                                        take_note, remove_them, pull_and_plug};
#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

static void run(bool fails)
{
    static struct shared s;
    pthread_t thread[JOBS];

    memset(&s, 0, sizeof(s));
    s.fails = fails;
    s.reading = READERS;
    slotted_start(&s.h, SLOT | LINK);
    for (size_t i = 0; i < JOBS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, jobs[i], &s), 0);
    }
    for (size_t i = 0; i < JOBS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    for (int op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        pcv_model_fail(s.h.model, (enum pcv_model_op)op, 0);
    }
    assert_int_equal(s.wrong, 0);
    assert_int_equal(s.endless, 0);
    assert_true(s.found > 0 && s.missed > 0);
    /* What is there is found, and nothing is left of the rest. */
    (void)pcv_model_plug(s.h.model, CARD);
    (void)pcv_model_plug(s.h.model, LEAF);
    assert_int_equal(hosted_read(&s.h, CARD, PCV_REG_VENDOR, 4), CARD_IDS);
    assert_int_equal(hosted_read(&s.h, LEAF, PCV_REG_VENDOR, 4), CARD_IDS);
    assert_int_equal(hosted_stats(&s.h).devices, 6);
    assert_int_equal(hosted_stats(&s.h).leaving, 0);
    assert_int_equal(atomic_load(&s.h.host->slot_count), 0);
    hosted_end(&s.h);
}

/* LIFE-12, LIFE-11 */
static void cards_that_come_and_go_while_all_look_are_found_or_missed(
    void **state)
{
    (void)state;
    run(false);
}

/* LIFE-12, PORT-3 */
static void a_host_that_fails_meanwhile_leaves_nothing_behind(void **state)
{
    (void)state;
    run(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            cards_that_come_and_go_while_all_look_are_found_or_missed),
        cmocka_unit_test(a_host_that_fails_meanwhile_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

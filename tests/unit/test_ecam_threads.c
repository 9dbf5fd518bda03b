/* SPDX-License-Identifier: MIT */
/*
 * Extended space comes and goes while others read it, ask about its devices,
 * and remove and add them (EXT-3, CFG-10). Also run under the thread sanitizer.
 *
 * PCV_THREADS_STEPS sets the number of declarations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "ecam_fixture.h"

#define STEPS 400u

struct shared {
    struct ecam e;
    _Atomic bool end;
    _Atomic uint64_t seen, unseen, retried;
    _Atomic uint64_t wrong;   /* a value that never stood there */
    _Atomic uint64_t delayed; /* an access to a device that is left alone */
};

/* What a reader of register 0x100 may see of a device. */
static void read_once(struct shared *s, pcv_sbdf sbdf)
{
    struct pcv_access access = PCV_READ(sbdf, PCV_EXT_CAP_START, 4);
    uint32_t header = pcv_model_peek(s->e.h.model, sbdf, PCV_EXT_CAP_START, 4);

    switch (pcv_access(pcv_host_hardware_domain(s->e.h.host), &access)) {
    case PCV_DONE:
    case PCV_ABSENT:
        if (access.data == 0xffffffffu) {
            atomic_fetch_add(&s->unseen, 1);
        } else if (access.data == header) {
            atomic_fetch_add(&s->seen, 1);
        } else {
            atomic_fetch_add(&s->wrong, 1);
        }
        break;
    case PCV_RETRY:
        atomic_fetch_add(&s->retried, 1);
        break;
    default:
        atomic_fetch_add(&s->wrong, 1);
        break;
    }
}

static void *read_those_that_change(void *arg)
{
    const pcv_sbdf all[] = {ECAM_CARD, ECAM_PF, ECAM_VF_0, ECAM_PCIX};
    struct shared *s = arg;

    for (uint32_t i = 0; !atomic_load(&s->end); i++) {
        read_once(s, all[i % 4u]);
    }
    return NULL;
}

/* One that is left alone is never waited for. */
static void *read_another(void *arg)
{
    struct shared *s = arg;

    while (!atomic_load(&s->end)) {
        struct pcv_access access = PCV_READ(ECAM_LEAF, PCV_EXT_CAP_START, 4);

        if (pcv_access(pcv_host_hardware_domain(s->e.h.host), &access) !=
                PCV_DONE ||
            (access.data & 0xffffu) != PCV_EXT_CAP_ID_AER) {
            atomic_fetch_add(&s->delayed, 1);
        }
    }
    return NULL;
}

/* Ask about the PF; remove a VF and the card, and add them again. */
static void *come_and_go(void *arg)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF,
                                      .physfn = ECAM_PF};
    struct shared *s = arg;
    struct pcv_host *host = s->e.h.host;

    while (!atomic_load(&s->end)) {
        struct pcv_device *pf = pcv_device_find(host, ECAM_PF);
        struct pcv_device_info pf_info;

        if (pf) {
            pcv_device_get_info(pf, &pf_info);
            atomic_fetch_add(&s->wrong, pf_info.num_vfs != 2);
            pcv_device_put(pf);
        }
        (void)!pcv_device_remove(host, ECAM_VF_1, NULL, NULL);
        (void)!pcv_device_add(host, ECAM_VF_1, &info);
        (void)!pcv_device_remove(host, ECAM_CARD, NULL, NULL);
        (void)!pcv_device_add(host, ECAM_CARD, NULL);
        (void)sched_yield();
    }
    return NULL;
}

static uint32_t steps(void)
{
    const char *text = getenv("PCV_THREADS_STEPS");
    unsigned long count = text ? strtoul(text, NULL, 10) : 0;

    return count != 0 && count < UINT32_MAX ? (uint32_t)count : STEPS;
}

static void say(struct shared *s, bool usable)
{
    int error = -PCV_ERESTART;

    /* Bounded by the others' luck; they do not wait for us. */
    while (error == -PCV_ERESTART) {
        error = pcv_host_set_ecam(s->e.h.host, 0, 0, 4, usable, NULL);
        (void)sched_yield();
    }
    assert_int_equal(error, 0);
}

/* EXT-2, EXT-3, CFG-10 */
static void readers_see_all_of_it_or_nothing(void **state)
{
    void *(*const work[])(void *) = {read_those_that_change,
                                     read_those_that_change, read_another,
                                     come_and_go};
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF,
                                      .physfn = ECAM_PF};
    pthread_t thread[4];
    static struct shared s;

    (void)state;
    ecam_up(&s.e);
    /* The log is for one thread. */
    pcv_model_on_event(s.e.h.model, NULL, NULL);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, work[i], &s), 0);
    }
    for (uint32_t i = 0; i < steps(); i++) {
        say(&s, i % 2u != 0);
    }
    say(&s, true);
    atomic_store(&s.end, true);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&s.wrong), 0);
    assert_int_equal(atomic_load(&s.delayed), 0);
    assert_true(atomic_load(&s.seen) > 0);
    assert_true(atomic_load(&s.unseen) > 0);
    /* Whoever came meanwhile has what was declared last. */
    (void)!pcv_device_add(s.e.h.host, ECAM_CARD, NULL);
    (void)!pcv_device_add(s.e.h.host, ECAM_VF_1, &info);
    ecam_expect(&s.e, ECAM_CARD, true);
    ecam_expect(&s.e, ECAM_PF, true);
    ecam_expect(&s.e, ECAM_VF_1, true);
    hosted_end(&s.e.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_all_of_it_or_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

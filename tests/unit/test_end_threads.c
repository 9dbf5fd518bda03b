/* SPDX-License-Identifier: MIT */
/*
 * Guests end on one CPU, while others work on functions, of that guest or not:
 * who meets a function that is the guest's until just now does not look into
 * the guest (OWN-11). Also run under the thread sanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "owned_fixture.h"
#include "pcivisor/faults.h"
#include "pcivisor/group.h"

#define ROUNDS 300u
#define THIRD 9u

static _Atomic bool over;

/* Guests come and go, with a function each time. */
static void come_and_go(struct owned *o)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct pcv_domain *guest;

        assert_int_equal(pcv_domain_create(o->h.host, THIRD, &guest), 0);
        assert_int_equal(owned_assign(o, OWNED_CARD, guest, NULL), 0);
        assert_int_equal(owned_destroy(guest), 0);
    }
}

typedef void beside_fn(struct owned *o);

struct beside {
    struct owned *o;
    beside_fn *fn;
};

static void *go_on(void *arg)
{
    struct beside *b = arg;

    while (!atomic_load(&over)) {
        b->fn(b->o);
    }
    return NULL;
}

/* Another function goes to another guest, and back. */
static void another_changes_hands(struct owned *o)
{
    int error;

    do {
        error =
            pcv_device_assign(o->h.host, PCV_TEST_ALONE, o->other, NULL, NULL);
    } while (error == -PCV_ERESTART);
    do {
        error = pcv_device_deassign(o->h.host, PCV_TEST_ALONE);
    } while (error == -PCV_ERESTART);
}

static void it_faults(struct owned *o)
{
    uint64_t wait_us;

    for (unsigned i = 0; i < PCV_FAULTS_THRESHOLD_MAX; i++) {
        (void)pcv_dma_fault(o->h.host, OWNED_CARD, 0x1000, 0);
    }
    (void)!pcv_host_work(o->h.host, &wait_us);
}

/* The hardware domain reads where it is. */
static void it_is_looked_for(struct owned *o)
{
    struct pcv_domain *hardware = pcv_host_hardware_domain(o->h.host);
    struct pcv_device *device = pcv_domain_device(hardware, OWNED_CARD);

    pcv_device_put(device);
}

static void its_group_is_asked_for(struct owned *o)
{
    struct pcv_group_member member;
    struct pcv_group group;

    if (pcv_group_find(o->h.host, OWNED_PORT, &group) == 0) {
        (void)pcv_group_next(&group, OWNED_CARD, &member);
    }
}

/* OWN-11 */
static void guests_end_beside_whatever_others_do(void **state)
{
    static beside_fn *const fns[] = {another_changes_hands, it_faults,
                                     it_is_looked_for, its_group_is_asked_for};

    (void)state;
    for (size_t i = 0; i < sizeof(fns) / sizeof(fns[0]); i++) {
        struct owned o;
        struct beside beside = {&o, fns[i]};
        pthread_t thread;

        owned_start(&o);
        pcv_model_on_event(o.h.model, NULL, NULL);
        assert_int_equal(
            pcv_device_declare_isolated(o.h.host, PCV_TEST_ALONE, true), 0);
        atomic_store(&over, false);
        assert_int_equal(pthread_create(&thread, NULL, go_on, &beside), 0);
        come_and_go(&o);
        atomic_store(&over, true);
        assert_int_equal(pthread_join(thread, NULL), 0);
        owned_end(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guests_end_beside_whatever_others_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

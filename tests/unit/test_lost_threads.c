/* SPDX-License-Identifier: MIT */
/*
 * A guest ends while a function that it was giving back is removed, since it
 * vanished (LIFE-9, OWN-11). Also run under the thread sanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "resettable.h"

#define ROUNDS 150u

static _Atomic unsigned ready;

static void line_up(void)
{
    atomic_fetch_add(&ready, 1);
    while (atomic_load(&ready) < 2) {
    }
}

static void *end_guest(void *arg)
{
    struct owned *o = arg;
    int error;

    line_up();
    do {
        error = pcv_domain_destroy(o->guest);
        (void)sched_yield();
    } while (error == -PCV_ERESTART || error == -PCV_EBUSY);
    return error == 0 ? NULL : arg;
}

/* OWN-11 */
static void a_guest_ends_beside_the_removal_of_what_it_gives_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct owned o;
        pthread_t thread;
        void *failed;
        int error;

        start(&o, HAS_FLR);
        owned_give(&o, NULL);
        owned_switch_on(&o);
        assert_int_equal(pcv_model_set_pending(o.h.model, OWNED_AT, 25000), 0);
        assert_int_equal(pcv_domain_destroy(o.guest), -PCV_ERESTART);
        assert_int_equal(hosted_status(&o.h, OWNED_AT).owner_id, OWNED_GUEST);
        assert_int_equal(pcv_device_vanished(o.h.host, OWNED_AT), 0);
        atomic_store(&ready, 0);
        assert_int_equal(pthread_create(&thread, NULL, end_guest, &o), 0);
        line_up();
        do {
            error = pcv_device_remove(o.h.host, OWNED_AT, NULL, NULL);
        } while (error == -PCV_EBUSY);
        assert_true(error == 0 || error == -PCV_ENODEV);
        assert_int_equal(pthread_join(thread, &failed), 0);
        assert_null(failed);
        owned_end(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_ends_beside_the_removal_of_what_it_gives_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

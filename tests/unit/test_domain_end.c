/* SPDX-License-Identifier: MIT */
/* The end of a guest that has functions (OWN-11). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned_fixture.h"
#include "registry/internal.h"

#define CARD OWNED_CARD
#define DEEP OWNED_DEEP
#define ALONE PCV_TEST_ALONE

static void give_three(struct owned *o)
{
    assert_int_equal(owned_give(o, CARD), 0);
    assert_int_equal(owned_give(o, DEEP), 0);
    assert_int_equal(owned_give(o, ALONE), 0);
    owned_use(o, o->guest, CARD);
    owned_use(o, o->guest, DEEP);
    owned_use(o, o->guest, ALONE);
}

/* OWN-11, OWN-6 */
static void a_guest_that_ends_returns_what_it_has_one_by_one(void **state)
{
    const pcv_sbdf all[] = {CARD, DEEP, ALONE};
    uint64_t pages, bytes;
    struct owned o;

    (void)state;
    owned_start(&o);
    pages = pcv_model_mapped_pages(o.h.model);
    /* What is kept with devices that were given once, and what an empty guest
     * takes. */
    give_three(&o);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(owned_back(&o, all[i]), 0);
    }
    assert_int_equal(pcv_domain_destroy(o.guest), 0);
    bytes = pcv_model_bytes(o.h.model);
    o.guest = owned_domain(&o, OWNED_GUEST);
    give_three(&o);
    /* One function a call, the last call ends it. */
    assert_int_equal(pcv_domain_destroy(o.guest), -PCV_ERESTART);
    assert_int_equal(owned_owner(&o, CARD), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(owned_owner(&o, DEEP), OWNED_GUEST);
    assert_int_equal(pcv_domain_destroy(o.guest), -PCV_ERESTART);
    assert_int_equal(pcv_domain_destroy(o.guest), 0);
    assert_null(pcv_domain_find(o.h.host, OWNED_GUEST));
    for (size_t i = 0; i < 3; i++) {
        struct pcv_device_status status = hosted_status(&o.h, all[i]);

        assert_int_equal(status.owner_id, PCV_DOMAIN_ID_HARDWARE);
        assert_int_equal(status.held[PCV_HOLDER_VECTOR], 0);
        assert_int_equal(status.held[PCV_HOLDER_CALLER], 0);
        assert_int_equal(pcv_model_bound(o.h.model, &all[i]), 0);
        assert_int_equal(pcv_model_dma_domain(o.h.model, all[i]),
                         PCV_DOMAIN_ID_HARDWARE);
    }
    /* What the hardware domain had mapped it maps again when it enables it. */
    assert_int_equal(pcv_model_mapped_pages(o.h.model), pages - 6u);
    assert_int_equal(pcv_model_bytes(o.h.model), bytes);
    owned_end(&o);
}

/* OWN-11, SRIOV-3: and between the calls anything may happen. */
static void it_goes_on_where_it_was_interrupted(void **state)
{
    struct owned o;
    int error;

    (void)state;
    owned_start(&o);
    give_three(&o);
    pcv_model_set_clock(o.h.model, true);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pcv_domain_destroy(o.guest), -PCV_ERESTART);
    }
    /* All of them are reset at once. */
    assert_int_equal(owned_owner(&o, CARD), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(owned_owner(&o, ALONE), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_domain_wait_us(o.guest), 100000);
    /* Nothing is given to it any more, and nobody else takes what it had. */
    assert_int_equal(pcv_device_assign(o.h.host, CARD, o.guest, NULL, NULL),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_assign(o.h.host, CARD, o.other, NULL, NULL),
                     -PCV_EBUSY);
    /* One is pulled meanwhile, one is returned by hand. */
    assert_int_equal(pcv_device_vanished(o.h.host, DEEP), 0);
    assert_int_equal(pcv_device_remove(o.h.host, DEEP, NULL, NULL), 0);
    pcv_model_advance_us(o.h.model, 100000);
    assert_int_equal(pcv_device_deassign(o.h.host, ALONE), 0);
    assert_int_equal(pcv_domain_wait_us(o.guest), 0);
    while ((error = pcv_domain_destroy(o.guest)) == -PCV_ERESTART) {
    }
    assert_int_equal(error, 0);
    assert_int_equal(owned_owner(&o, CARD), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(owned_owner(&o, ALONE), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(hosted_state(&o.h, DEEP), PCV_STATE_ABSENT);
    pcv_model_set_clock(o.h.model, false);
    owned_end(&o);
}

/* OWN-11, OWN-6, LIFE-5 */
static void each_goes_where_it_is_to_go(void **state)
{
    const struct pcv_assign_policy rest = {.flags = PCV_ASSIGN_TO_QUARANTINE};
    struct owned o;

    (void)state;
    owned_start(&o);
    assert_int_equal(owned_assign(&o, CARD, o.guest, &rest), 0);
    assert_int_equal(owned_give(&o, DEEP), 0);
    assert_int_equal(owned_give(&o, ALONE), 0);
    owned_use(&o, o.guest, CARD);
    assert_int_equal(pcv_device_remove(o.h.host, OWNED_ROOT, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(owned_destroy(o.guest), 0);
    owned_expect_nothing(&o, CARD);
    assert_int_equal(hosted_status(&o.h, CARD).change_step, PCV_STEP_NONE);
    assert_int_equal(hosted_state(&o.h, OWNED_ROOT), PCV_STATE_ABSENT);
    assert_int_equal(hosted_state(&o.h, DEEP), PCV_STATE_ABSENT);
    assert_int_equal(owned_owner(&o, ALONE), PCV_DOMAIN_ID_HARDWARE);
    /* From quarantine it goes to anybody, or home. */
    assert_int_equal(owned_assign(&o, CARD, o.other, NULL), 0);
    assert_int_equal(owned_back(&o, CARD), 0);
    assert_int_equal(owned_owner(&o, CARD), PCV_DOMAIN_ID_HARDWARE);
    owned_end(&o);
}

/* OWN-6 */
static void what_comes_back_to_quarantine_comes_home_when_asked_again(
    void **state)
{
    const struct pcv_assign_policy rest = {.flags = PCV_ASSIGN_TO_QUARANTINE};
    struct owned o;

    (void)state;
    owned_start(&o);
    assert_int_equal(owned_assign(&o, CARD, o.guest, &rest), 0);
    owned_use(&o, o.guest, CARD);
    assert_int_equal(owned_back(&o, CARD), 0);
    owned_expect_nothing(&o, CARD);
    assert_int_equal(pcv_domain_destroy(o.guest), 0);
    assert_int_equal(owned_back(&o, CARD), 0);
    assert_int_equal(owned_owner(&o, CARD), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(owned_back(&o, CARD), -PCV_EINVAL);
    owned_end(&o);
}

/* OWN-11, OWN-5: what was on its way to it. */
static void what_it_was_about_to_get_goes_back(void **state)
{
    struct owned o;

    (void)state;
    owned_start(&o);
    pcv_model_set_clock(o.h.model, true);
    /* One waits for its reset, of another an access is inside. */
    assert_int_equal(pcv_device_assign(o.h.host, CARD, o.guest, NULL, NULL),
                     -PCV_ERESTART);
    atomic_fetch_add(&hosted_hold(&o.h, ALONE)->word, PCV__WORD_ACCESS);
    assert_int_equal(pcv_device_assign(o.h.host, ALONE, o.guest, NULL, NULL),
                     -PCV_ERESTART);
    assert_int_equal(hosted_status(&o.h, ALONE).change_step, PCV_STEP_DRAIN);
    assert_int_equal(owned_destroy(o.guest), -PCV_ERESTART);
    assert_int_equal(owned_owner(&o, ALONE), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(hosted_status(&o.h, ALONE).change_step, PCV_STEP_NONE);
    {
        struct pcv_device *device = hosted_hold(&o.h, ALONE);

        atomic_fetch_sub(&device->word, PCV__WORD_ACCESS);
        pcv_device_put(device);
        pcv_device_put(device);
    }
    pcv_model_advance_us(o.h.model, 100000);
    assert_int_equal(owned_destroy(o.guest), 0);
    assert_int_equal(owned_owner(&o, CARD), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(hosted_read(&o.h, ALONE, 0, 4), 0x56781234);
    assert_int_equal(hosted_read(&o.h, CARD, 0, 4), 0x56781234);
    pcv_model_set_clock(o.h.model, false);
    owned_end(&o);
}

/* OWN-11, PORT-3 */
static void what_fails_on_its_way_is_in_nobodys_way(void **state)
{
    (void)state;
    for (int op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        for (uint64_t n = 1; n < 200; n++) {
            struct owned o;
            uint64_t calls;
            uint32_t owner;

            owned_start(&o);
            assert_int_equal(owned_give(&o, CARD), 0);
            assert_int_equal(owned_give(&o, ALONE), 0);
            owned_use(&o, o.guest, CARD);
            calls = pcv_model_calls(o.h.model, (enum pcv_model_op)op);
            pcv_model_fail(o.h.model, (enum pcv_model_op)op, n);
            assert_int_equal(owned_destroy(o.guest), 0);
            pcv_model_fail(o.h.model, (enum pcv_model_op)op, 0);
            calls = pcv_model_calls(o.h.model, (enum pcv_model_op)op) - calls;
            owner = owned_owner(&o, CARD);
            if (owner != PCV_DOMAIN_ID_HARDWARE) {
                owned_expect_nothing(&o, CARD);
            }
            owner = owned_owner(&o, ALONE);
            if (owner != PCV_DOMAIN_ID_HARDWARE) {
                owned_expect_nothing(&o, ALONE);
            }
            owned_end(&o);
            if (calls < n) {
                break;
            }
        }
    }
}

/* OWN-11, LIFE-9: no step waits for what is gone, and it is nobody's then. */
static void a_guest_ends_though_what_it_has_vanished(void **state)
{
    struct owned o;

    (void)state;
    owned_start(&o);
    assert_int_equal(owned_give(&o, CARD), 0);
    owned_use(&o, o.guest, CARD);
    assert_int_equal(pcv_model_pull(o.h.model, CARD), 0);
    assert_int_equal(pcv_device_vanished(o.h.host, CARD), 0);
    assert_int_equal(owned_destroy(o.guest), 0);
    assert_int_equal(owned_owner(&o, CARD), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_model_dma_domain(o.h.model, CARD),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_device_remove(o.h.host, CARD, NULL, NULL), 0);
    owned_end(&o);
}

/* OWN-16, OWN-11: what is on its way to a guest, and whom nobody calls again
 * for, is not opened by a reset: the guest could not end. */
static void a_reset_does_not_open_what_is_on_its_way_to_a_guest(void **state)
{
    struct pcv_device *device;
    struct owned o;

    (void)state;
    owned_start(&o);
    device = hosted_hold(&o.h, ALONE);
    atomic_fetch_add(&device->word, PCV__WORD_ACCESS);
    assert_int_equal(pcv_device_assign(o.h.host, ALONE, o.guest, NULL, NULL),
                     -PCV_ERESTART);
    atomic_fetch_sub(&device->word, PCV__WORD_ACCESS);
    pcv_device_put(device);
    assert_int_equal(pcv_device_reset(o.h.host, ALONE, NULL), -PCV_EBUSY);
    assert_int_equal(owned_destroy(o.guest), 0);
    assert_int_equal(pcv_device_reset(o.h.host, ALONE, NULL), 0);
    assert_int_equal(owned_owner(&o, ALONE), PCV_DOMAIN_ID_HARDWARE);
    owned_end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_that_ends_returns_what_it_has_one_by_one),
        cmocka_unit_test(it_goes_on_where_it_was_interrupted),
        cmocka_unit_test(each_goes_where_it_is_to_go),
        cmocka_unit_test(a_guest_ends_though_what_it_has_vanished),
        cmocka_unit_test(a_reset_does_not_open_what_is_on_its_way_to_a_guest),
        cmocka_unit_test(
            what_comes_back_to_quarantine_comes_home_when_asked_again),
        cmocka_unit_test(what_it_was_about_to_get_goes_back),
        cmocka_unit_test(what_fails_on_its_way_is_in_nobodys_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

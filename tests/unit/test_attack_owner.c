/* SPDX-License-Identifier: MIT */
/*
 * Changes of owner that are given up, refused or failed halfway, and devices
 * that go while somebody still has to do with them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "registry/internal.h"

#define GUEST 7u
#define OTHER 8u
#define WINDOW 0x80000000u
#define CARD PCV_TEST_ALONE
#define CARD_2 pcv_test_at(0, 0, 4, 0)
#define PAGES 4u

struct attack {
    struct hosted h;
    struct pcv_domain *guest, *other;
};

static void make_card(struct pcv_test_function *f, uint32_t address)
{
    pcv_test_pcie_endpoint(f, 0x1234, 0x5678);
    pcv_test_bar32(f, 0, address, PAGES * UINT64_C(4096));
    pcv_test_set(f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    (void)pcv_test_ext_cap(f, PCV_EXT_CAP_ID_DSN, 1, 12);
}

static void attack_start(struct attack *a)
{
    struct pcv_test_function f;

    hosted_build(&a->h);
    make_card(&f, 0xfe000000);
    pcv_test_add(a->h.model, &f, CARD);
    make_card(&f, 0xfe100000);
    pcv_test_add(a->h.model, &f, CARD_2);
    hosted_start(&a->h);
    hosted_scan(&a->h);
    assert_int_equal(pcv_domain_create(a->h.host, GUEST, &a->guest), 0);
    assert_int_equal(pcv_domain_create(a->h.host, OTHER, &a->other), 0);
    assert_int_equal(
        pcv_domain_add_window(a->guest, (pcv_gpa){WINDOW}, 0x1000000), 0);
}

/* In so few calls, with a clock that does not stand still. */
static int give(struct attack *a, pcv_sbdf sbdf, uint8_t slot)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_SLOT,
                                             .slot = slot};
    int error = -PCV_ERESTART;

    for (int i = 0; i < 10 && error == -PCV_ERESTART; i++) {
        error = pcv_device_assign(a->h.host, sbdf, a->guest, &policy, NULL);
    }
    return error;
}

static int take(struct attack *a, pcv_sbdf sbdf)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 10 && error == -PCV_ERESTART; i++) {
        error = pcv_device_deassign(a->h.host, sbdf);
    }
    return error;
}

static void guest_write(struct attack *a, uint8_t slot, uint16_t reg,
                        uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE((pcv_sbdf){slot}, reg, size, value);
    enum pcv_verdict verdict = pcv_access(a->guest, &access);

    while (verdict == PCV_PENDING) {
        verdict = pcv_access_resume(a->guest, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

static uint32_t owner_of(struct attack *a)
{
    return hosted_status(&a->h, CARD).owner_id;
}

/* It is taken from the hardware domain, and then a build fails for want of
 * memory: 0 when there are no more allocations to fail. */
static bool quarantine(struct attack *a, uint64_t nth)
{
    int error;

    pcv_model_fail(a->h.model, PCV_MODEL_OP_alloc, nth);
    error = give(a, CARD, pcv_devfn(1, 0));
    pcv_model_fail(a->h.model, PCV_MODEL_OP_alloc, 0);
    return error != 0;
}

/* OWN-4, OWN-5: what one guest is to get, another cannot have meanwhile. */
static void a_device_on_its_way_is_not_given_to_another(void **state)
{
    struct attack a;

    (void)state;
    attack_start(&a);
    pcv_model_set_clock(a.h.model, true);
    assert_int_equal(pcv_device_assign(a.h.host, CARD, a.guest, NULL, NULL),
                     -PCV_ERESTART);
    assert_int_equal(pcv_domain_destroy(a.guest), -PCV_ERESTART);
    assert_int_equal(pcv_device_assign(a.h.host, CARD, a.other, NULL, NULL),
                     -PCV_EBUSY);
    pcv_model_set_clock(a.h.model, false);
    assert_int_equal(take(&a, CARD), 0);
    assert_int_equal(pcv_domain_destroy(a.guest), 0);
    assert_int_equal(pcv_domain_destroy(a.other), 0);
    hosted_end(&a.h);
}

/* OWN-5, LIFE-7: an add of what is in quarantine finds the card and leaves it
 * there. No vector is bound to what has no owner. */
static void what_is_in_quarantine_can_be_added_and_not_bound(void **state)
{
    unsigned quarantined = 0;
    bool more = true;

    (void)state;
    for (uint64_t nth = 1; more; nth++) {
        struct pcv_vector vector = {.index = 0};
        struct pcv_device *device;
        struct attack a;

        attack_start(&a);
        more = quarantine(&a, nth);
        if (owner_of(&a) == PCV_DOMAIN_ID_QUARANTINE) {
            quarantined++;
            assert_int_equal(pcv_device_add(a.h.host, CARD, NULL), 0);
            assert_int_equal(owner_of(&a), PCV_DOMAIN_ID_QUARANTINE);
            device = hosted_hold(&a.h, CARD);
            assert_int_equal(pcv_vector_attach(device, &vector, false, 0),
                             -PCV_ENODEV);
            pcv_device_put(device);
        }
        hosted_end(&a.h);
    }
    assert_true(quarantined > 2);
}

/* LIFE-3, LIFE-9, OWN-6: who holds what a guest had may look at it when the
 * guest has ended. */
static void a_device_that_is_held_outlives_its_guest(void **state)
{
    struct pcv_device *device;
    struct pcv_device_info info;
    struct attack a;

    (void)state;
    attack_start(&a);
    assert_int_equal(give(&a, CARD, pcv_devfn(1, 0)), 0);
    device = hosted_hold(&a.h, CARD);
    assert_int_equal(pcv_device_vanished(a.h.host, CARD), 0);
    assert_int_equal(pcv_device_remove(a.h.host, CARD, NULL, NULL), -PCV_EBUSY);
    assert_int_equal(pcv_domain_destroy(a.guest), 0);
    assert_int_equal(owner_of(&a), PCV_DOMAIN_ID_QUARANTINE);
    pcv_device_get_info(device, &info);
    assert_int_equal(pcv_device_guest_sbdf(device).v, CARD.v);
    pcv_device_put(device);
    assert_int_equal(hosted_state(&a.h, CARD), PCV_STATE_ABSENT);
    hosted_end(&a.h);
}

/* OWN-5, PORT-3: what could not be blocked is the hardware domain's, as it was.
 */
static void a_device_that_stays_does_what_it_did(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write, PCV_MODEL_OP_dma_attach};

    (void)state;
    for (size_t op = 0; op < sizeof(ops) / sizeof(ops[0]); op++) {
        bool stays = true;

        for (uint64_t nth = 1; stays; nth++) {
            struct attack a;
            uint32_t before;

            attack_start(&a);
            before = pcv_model_peek(a.h.model, CARD, PCV_REG_COMMAND, 2);
            pcv_model_fail(a.h.model, ops[op], nth);
            (void)give(&a, CARD, pcv_devfn(1, 0));
            pcv_model_fail(a.h.model, ops[op], 0);
            stays = owner_of(&a) == PCV_DOMAIN_ID_HARDWARE;
            if (stays) {
                assert_int_equal(
                    pcv_model_peek(a.h.model, CARD, PCV_REG_COMMAND, 2),
                    before);
                assert_int_equal(hosted_read(&a.h, CARD, PCV_REG_VENDOR, 4),
                                 0x56781234);
            }
            hosted_end(&a.h);
        }
    }
}

/* OWN-4, OWN-5, PORT-3: what a second call is refused, the first has not begun.
 */
static void an_assignment_that_is_refused_on_its_way_is_taken_back(void **state)
{
    struct pcv_vector vector = {.index = 0};
    struct pcv_device *inside;
    struct attack a;

    (void)state;
    attack_start(&a);
    assert_int_equal(
        pcv__gate_enter(pcv_host_hardware_domain(a.h.host), CARD, &inside),
        PCV_DONE);
    assert_int_equal(pcv_device_assign(a.h.host, CARD, a.guest, NULL, NULL),
                     -PCV_ERESTART);
    /* Nobody comes to use it from here on. */
    assert_int_equal(pcv_vector_attach(inside, &vector, false, 0), -PCV_ENODEV);
    pcv__gate_leave(inside);
    pcv_model_fail(a.h.model, PCV_MODEL_OP_cfg_read, 1);
    assert_int_equal(pcv_device_assign(a.h.host, CARD, a.guest, NULL, NULL),
                     -PCV_EIO);
    assert_int_equal(hosted_read(&a.h, CARD, PCV_REG_VENDOR, 4), 0x56781234);
    assert_int_equal(pcv_domain_destroy(a.guest), 0);
    hosted_end(&a.h);
}

/* HDR-9, HDR-17: whoever takes the pages' first user away sees to it that the
 * one who waited has all of them. */
static void who_waited_has_all_its_pages_when_the_first_goes(void **state)
{
    (void)state;
    for (int vanishes = 0; vanishes < 2; vanishes++) {
        struct attack a;

        attack_start(&a);
        for (uint8_t slot = 1; slot < 3; slot++) {
            uint8_t at = pcv_devfn(slot, 0);

            assert_int_equal(give(&a, slot == 1 ? CARD : CARD_2, at), 0);
            guest_write(&a, at, PCV_REG_BAR0, 4, WINDOW);
            guest_write(&a, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        }
        pcv_model_set_map_chunk(a.h.model, 1);
        if (vanishes != 0) {
            assert_int_equal(pcv_device_vanished(a.h.host, CARD), 0);
            assert_int_equal(pcv_device_remove(a.h.host, CARD, NULL, NULL), 0);
        } else {
            assert_int_equal(take(&a, CARD), 0);
        }
        for (uint64_t page = 0; page < PAGES; page++) {
            uint64_t host = 0;

            assert_true(pcv_model_translate(a.h.model, GUEST,
                                            (WINDOW >> 12) + page, &host));
            assert_int_equal(host, (0xfe100000u >> 12) + page);
        }
        guest_write(&a, pcv_devfn(2, 0), PCV_REG_COMMAND, 2, 0);
        hosted_end(&a.h);
    }
}

/* OWN-2, OWN-5: a new card is the hardware domain's, and so is its DMA; if that
 * cannot be, it is not added. */
static void a_new_card_does_not_reach_the_last_owners_memory(void **state)
{
    (void)state;
    for (int guests = 0; guests < 2; guests++) {
        struct attack a;

        attack_start(&a);
        if (guests != 0) {
            assert_int_equal(give(&a, CARD, pcv_devfn(1, 0)), 0);
        } else {
            for (uint64_t nth = 1; owner_of(&a) != PCV_DOMAIN_ID_QUARANTINE;
                 nth++) {
                assert_true(quarantine(&a, nth));
            }
        }
        assert_int_equal(pcv_model_pull(a.h.model, CARD), 0);
        assert_int_equal(pcv_device_vanished(a.h.host, CARD), 0);
        assert_int_equal(pcv_device_remove(a.h.host, CARD, NULL, NULL), 0);
        assert_int_equal(pcv_model_dma_domain(a.h.model, CARD),
                         PCV_DOMAIN_ID_QUARANTINE);
        assert_int_equal(pcv_domain_destroy(a.guest), 0);
        assert_int_equal(pcv_model_plug(a.h.model, CARD), 0);
        pcv_model_fail(a.h.model, PCV_MODEL_OP_dma_attach, 1);
        assert_int_equal(pcv_device_add(a.h.host, CARD, NULL), -PCV_EIO);
        assert_int_equal(hosted_state(&a.h, CARD), PCV_STATE_ABSENT);
        assert_int_equal(pcv_device_add(a.h.host, CARD, NULL), 0);
        assert_int_equal(owner_of(&a), PCV_DOMAIN_ID_HARDWARE);
        assert_int_equal(pcv_model_dma_domain(a.h.model, CARD),
                         PCV_DOMAIN_ID_HARDWARE);
        hosted_end(&a.h);
    }
}

/* LIFE-9, EXT-3: a gate that was paused for a change of extended space does not
 * make accesses to a device wait that is gone. */
static void a_paused_device_that_vanishes_reads_all_ones(void **state)
{
    struct pcv_access access = PCV_READ(CARD, PCV_REG_VENDOR, 4);
    struct pcv_device *inside;
    struct attack a;

    (void)state;
    attack_start(&a);
    assert_int_equal(
        pcv__gate_enter(pcv_host_hardware_domain(a.h.host), CARD, &inside),
        PCV_DONE);
    assert_int_equal(pcv_host_set_ecam(a.h.host, 0, 0, 0, false, NULL),
                     -PCV_ERESTART);
    pcv__gate_leave(inside);
    assert_int_equal(pcv_device_vanished(a.h.host, CARD), 0);
    assert_int_equal(pcv_host_set_ecam(a.h.host, 0, 0, 0, false, NULL), 0);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(a.h.host), &access),
                     PCV_DONE);
    assert_int_equal(access.data, 0xffffffff);
    hosted_end(&a.h);
}

/* HDR-15, LIFE-9 */
static void a_slot_knows_when_a_function_of_it_is_lost(void **state)
{
    struct pcv_access access =
        PCV_READ((pcv_sbdf){pcv_devfn(1, 0)}, PCV_REG_HEADER_TYPE, 1);
    struct attack a;

    (void)state;
    attack_start(&a);
    assert_int_equal(give(&a, CARD, pcv_devfn(1, 3)), 0);
    assert_int_equal(give(&a, CARD_2, pcv_devfn(1, 0)), 0);
    assert_int_equal(pcv_access(a.guest, &access), PCV_DONE);
    assert_int_equal(access.data, PCV_HEADER_MULTI);
    assert_int_equal(pcv_device_vanished(a.h.host, CARD), 0);
    assert_int_equal(pcv_device_remove(a.h.host, CARD, NULL, NULL), 0);
    assert_int_equal(pcv_access(a.guest, &access), PCV_DONE);
    assert_int_equal(access.data, 0);
    hosted_end(&a.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_on_its_way_is_not_given_to_another),
        cmocka_unit_test(what_is_in_quarantine_can_be_added_and_not_bound),
        cmocka_unit_test(a_device_that_is_held_outlives_its_guest),
        cmocka_unit_test(a_device_that_stays_does_what_it_did),
        cmocka_unit_test(
            an_assignment_that_is_refused_on_its_way_is_taken_back),
        cmocka_unit_test(who_waited_has_all_its_pages_when_the_first_goes),
        cmocka_unit_test(a_new_card_does_not_reach_the_last_owners_memory),
        cmocka_unit_test(a_paused_device_that_vanishes_reads_all_ones),
        cmocka_unit_test(a_slot_knows_when_a_function_of_it_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

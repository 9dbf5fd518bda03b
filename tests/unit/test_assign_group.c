/* SPDX-License-Identifier: MIT */
/*
 * Isolation groups and assignments (OWN-4): one user at a time, and all of a
 * group at once.
 *
 *   00:03.0  three functions of one device without ACS: one group
 *   00:03.1
 *   00:03.2
 *   00:04.0  a function by itself
 *   00:05.0  PCIe-to-PCI bridge, bus 1
 *     01:00.0  two cards that send as one
 *     01:01.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned_fixture.h"
#include "owner/change.h"
#include "pcivisor/hidden.h"
#include "registry/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MATES 3u
#define LONE pcv_test_at(0, 0, 4, 0)
#define OLD_BRIDGE pcv_test_at(0, 0, 5, 0)
#define OLD_0 pcv_test_at(0, 1, 0, 0)
#define OLD_1 pcv_test_at(0, 1, 1, 0)

static const struct pcv_assign_policy whole = {.flags = PCV_ASSIGN_GROUP};

static pcv_sbdf mate(uint8_t function)
{
    return pcv_test_at(0, 0, 3, function);
}

static void old_card(struct owned *o, pcv_sbdf at)
{
    struct pcv_test_function f;

    pcv_test_endpoint(&f, 0x1111, 0x2222);
    (void)pcv_test_af(&f);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_add(o->h.model, &f, at);
}

static void group_start(struct owned *o)
{
    struct pcv_test_function f;

    memset(o, 0, sizeof(*o));
    hosted_build(&o->h);
    for (uint8_t i = 0; i < MATES; i++) {
        pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
        o->msi = pcv_test_msi(&f, 0);
        pcv_test_bar32(&f, 0, 0x90000000u + i * 0x10000u, 16384);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, 0x80);
        pcv_test_add(o->h.model, &f, mate(i));
    }
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_add(o->h.model, &f, LONE);
    pcv_test_port(&f, PCV_PCIE_TYPE_TO_PCI, 0, 1, 1);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(o->h.model, &f, OLD_BRIDGE);
    old_card(o, OLD_0);
    old_card(o, OLD_1);
    pcv_model_on_event(o->h.model, owned_told, o);
    hosted_start(&o->h);
    assert_int_equal(hosted_scan(&o->h), MATES + 4u);
    o->guest = owned_domain(o, OWNED_GUEST);
    o->other = owned_domain(o, OWNED_OTHER);
}

static void expect_owner(struct owned *o, uint32_t owner)
{
    for (uint8_t i = 0; i < MATES; i++) {
        assert_int_equal(owned_owner(o, mate(i)), owner);
        assert_int_equal(pcv_model_dma_domain(o->h.model, mate(i)), owner);
    }
}

static void all_home(struct owned *o)
{
    for (uint8_t i = 0; i < MATES; i++) {
        if (owned_owner(o, mate(i)) != PCV_DOMAIN_ID_HARDWARE) {
            assert_int_equal(owned_back(o, mate(i)), 0);
        }
    }
    expect_owner(o, PCV_DOMAIN_ID_HARDWARE);
}

/* OWN-4, OWN-3, TOPO-6 */
static void a_group_is_not_split_and_the_others_are_named(void **state)
{
    pcv_sbdf others[4];
    uint32_t count = 0;
    struct owned o;

    (void)state;
    group_start(&o);
    memset(others, 0xee, sizeof(others));
    assert_int_equal(owned_give(&o, mate(1)), -PCV_EXDEV);
    assert_int_equal(pcv_device_test_assign(o.h.host, mate(1), o.guest, NULL,
                                            others, 1, &count),
                     -PCV_EXDEV);
    assert_int_equal(count, 2);
    assert_int_equal(others[0].v, mate(0).v);
    assert_int_equal(others[1].v, 0xeeeeeeee); /* there was no room */
    assert_int_equal(pcv_device_test_assign(o.h.host, mate(1), o.guest, NULL,
                                            others, 4, &count),
                     -PCV_EXDEV);
    assert_int_equal(others[1].v, mate(2).v);
    expect_owner(&o, PCV_DOMAIN_ID_HARDWARE);
    /* Who is alone has nobody. */
    assert_int_equal(pcv_device_test_assign(o.h.host, LONE, o.guest, &whole,
                                            others, 4, &count),
                     0);
    assert_int_equal(count, 0);
    assert_int_equal(owned_give(&o, LONE), 0);
    owned_end(&o);
}

/* OWN-4 */
static void the_whole_group_goes_at_once(void **state)
{
    pcv_sbdf others[4], there;
    uint32_t count = 0;
    struct owned o;

    (void)state;
    group_start(&o);
    assert_int_equal(pcv_device_test_assign(o.h.host, mate(0), o.guest, &whole,
                                            others, 4, &count),
                     0);
    assert_int_equal(count, 2);
    assert_int_equal(
        pcv_device_assign(o.h.host, mate(0), o.guest, &whole, &there), 0);
    expect_owner(&o, OWNED_GUEST);
    assert_int_equal(there.v, pcv_test_at(0, 0, 1, 0).v);
    for (uint8_t i = 0; i < MATES; i++) {
        owned_use(&o, o.guest, mate(i));
    }
    /* Each comes back by itself, and nobody else gets it meanwhile. */
    assert_int_equal(owned_back(&o, mate(0)), 0);
    assert_int_equal(owned_assign(&o, mate(0), o.other, NULL), -PCV_EXDEV);
    assert_int_equal(owned_assign(&o, mate(0), o.other, &whole), -PCV_EBUSY);
    /* To the same guest it may go again. */
    assert_int_equal(owned_give(&o, mate(0)), 0);
    assert_int_equal(owned_destroy(o.guest), 0);
    all_home(&o);
    owned_end(&o);
}

/* OWN-4, OWN-11: nobody calls again, and some were not even closed to their
 * owner yet: the guest can end all the same. */
static void a_group_given_up_half_way_stays_home(void **state)
{
    struct pcv_device *device;
    struct owned o;

    (void)state;
    group_start(&o);
    device = hosted_hold(&o.h, mate(0));
    atomic_fetch_add(&device->word, PCV__WORD_ACCESS);
    assert_int_equal(
        pcv_device_assign(o.h.host, mate(0), o.guest, &whole, NULL),
        -PCV_ERESTART);
    atomic_fetch_sub(&device->word, PCV__WORD_ACCESS);
    pcv_device_put(device);
    assert_int_equal(owned_destroy(o.guest), 0);
    expect_owner(&o, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(owned_assign(&o, mate(0), o.other, &whole), 0);
    all_home(&o);
    owned_end(&o);
}

/* OWN-4: a member in quarantine splits nothing, and stays. */
static void who_is_in_quarantine_is_nobodys_mate(void **state)
{
    const struct pcv_assign_policy rest = {.flags = PCV_ASSIGN_GROUP |
                                                    PCV_ASSIGN_TO_QUARANTINE};
    struct owned o;

    (void)state;
    group_start(&o);
    assert_int_equal(owned_assign(&o, mate(0), o.guest, &rest), 0);
    for (uint8_t i = 0; i < MATES; i++) {
        assert_int_equal(owned_back(&o, mate(i)), 0);
        owned_expect_nothing(&o, mate(i));
    }
    assert_int_equal(owned_assign(&o, mate(1), o.other, NULL), 0);
    assert_int_equal(owned_owner(&o, mate(0)), PCV_DOMAIN_ID_QUARANTINE);
    /* Now they are the other's, or nobody's. */
    assert_int_equal(owned_give(&o, mate(0)), -PCV_EXDEV);
    assert_int_equal(owned_assign(&o, mate(0), o.other, NULL), 0);
    all_home(&o);
    owned_end(&o);
}

/* OWN-4: all or nothing. */
static void if_one_cannot_go_nobody_does(void **state)
{
    struct pcv_vector vector = {.index = 0};
    struct pcv_device *device;
    pcv_sbdf culprit = {0};
    uint32_t count = 0;
    struct owned o;

    (void)state;
    group_start(&o);
    device = hosted_hold(&o.h, mate(2));
    assert_int_equal(pcv_vector_attach(device, &vector, false, 0), 0);
    pcv_device_put(device);
    assert_int_equal(owned_assign(&o, mate(0), o.guest, &whole), -PCV_EBUSY);
    expect_owner(&o, PCV_DOMAIN_ID_HARDWARE);
    pcv_vector_detach(&vector);
    assert_int_equal(pcv_device_set_broken(o.h.host, mate(1), true), 0);
    assert_int_equal(owned_assign(&o, mate(0), o.guest, &whole), -PCV_EPERM);
    assert_int_equal(pcv_device_test_assign(o.h.host, mate(0), o.guest, &whole,
                                            &culprit, 1, &count),
                     -PCV_EPERM);
    assert_int_equal(count, 1);
    assert_int_equal(culprit.v, mate(1).v);
    expect_owner(&o, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(pcv_device_set_broken(o.h.host, mate(1), false), 0);
    /* Each keeps its gate: the hardware domain goes on with it. */
    for (uint8_t i = 0; i < MATES; i++) {
        assert_int_equal(hosted_read(&o.h, mate(i), 0, 4), 0x56781234);
    }
    assert_int_equal(owned_assign(&o, mate(0), o.guest, &whole), 0);
    owned_end(&o);
}

/* OWN-5, CTL-2: their resets pass together, and somebody may go meanwhile. */
static void it_goes_on_where_it_stopped(void **state)
{
    struct owned o;

    (void)state;
    group_start(&o);
    pcv_model_set_clock(o.h.model, true);
    assert_int_equal(
        pcv_device_assign(o.h.host, mate(1), o.guest, &whole, NULL),
        -PCV_ERESTART);
    expect_owner(&o, PCV_DOMAIN_ID_QUARANTINE);
    /* On their way they are the guest's already. */
    assert_int_equal(pcv_device_assign(o.h.host, mate(0), o.other, NULL, NULL),
                     -PCV_EBUSY);
    /* Who is pulled uses nothing any more. */
    assert_int_equal(pcv_device_vanished(o.h.host, mate(2)), 0);
    assert_int_equal(pcv_device_remove(o.h.host, mate(2), NULL, NULL), 0);
    /* What the first call was told holds, whatever the next one says. */
    pcv_model_advance_us(o.h.model, 100000);
    assert_int_equal(pcv_device_assign(o.h.host, mate(1), o.guest, NULL, NULL),
                     0);
    assert_int_equal(owned_owner(&o, mate(0)), OWNED_GUEST);
    assert_int_equal(owned_owner(&o, mate(1)), OWNED_GUEST);
    pcv_model_set_clock(o.h.model, false);
    assert_int_equal(owned_destroy(o.guest), 0);
    assert_int_equal(owned_owner(&o, mate(0)), PCV_DOMAIN_ID_HARDWARE);
    owned_end(&o);
}

/* OWN-5, OWN-9: what was given up half-way and is put to rest reaches nobody's
 * memory, though it was attached to the guest's while another one had to wait.
 */
static void what_rests_half_way_reaches_nobodys_memory(void **state)
{
    struct owned o;
    struct pcv_device *device;

    (void)state;
    group_start(&o);
    pcv_model_set_clock(o.h.model, true);
    assert_int_equal(
        pcv_device_assign(o.h.host, mate(1), o.guest, &whole, NULL),
        -PCV_ERESTART);
    device = hosted_hold(&o.h, mate(0));
    assert_int_equal(pcv__dma_to(device, o.guest), 0);
    assert_int_equal(pcv_model_dma_domain(o.h.model, mate(0)), OWNED_GUEST);
    pcv_device_put(device);
    assert_int_equal(pcv_device_set_broken(o.h.host, mate(2), true), 0);
    assert_int_equal(
        pcv_device_assign(o.h.host, mate(1), o.guest, &whole, NULL),
        -PCV_EPERM);
    assert_int_equal(owned_owner(&o, mate(0)), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_model_dma_domain(o.h.model, mate(0)),
                     PCV_DOMAIN_ID_QUARANTINE);
    pcv_model_set_clock(o.h.model, false);
    assert_int_equal(owned_destroy(o.guest), 0);
    owned_end(&o);
}

/* OWN-4: two guests that come for members of one group at once. */
static void of_two_who_come_at_once_one_at_most_gets_in(void **state)
{
    const struct pcv_assign_policy rest = {.flags = PCV_ASSIGN_GROUP |
                                                    PCV_ASSIGN_TO_QUARANTINE};
    struct owned o;

    (void)state;
    group_start(&o);
    assert_int_equal(owned_assign(&o, mate(0), o.guest, &rest), 0);
    for (uint8_t i = 0; i < MATES; i++) {
        assert_int_equal(owned_back(&o, mate(i)), 0);
    }
    pcv_model_set_clock(o.h.model, true);
    assert_int_equal(pcv_device_assign(o.h.host, mate(0), o.guest, NULL, NULL),
                     -PCV_ERESTART);
    assert_int_equal(pcv_device_assign(o.h.host, mate(1), o.other, NULL, NULL),
                     -PCV_EXDEV);
    pcv_model_set_clock(o.h.model, false);
    assert_int_equal(owned_give(&o, mate(0)), 0);
    all_home(&o);
    owned_end(&o);
}

/* OWN-4, VBUS-1 */
static void a_bus_without_room_for_all_gets_nobody(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    memset(&o, 0, sizeof(o));
    hosted_build(&o.h);
    for (uint8_t i = 0; i < 33; i++) {
        pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, 0x80);
        pcv_test_add(o.h.model, &f,
                     pcv_test_at(0, 0, (uint8_t)(1 + i / 8), i % 8));
    }
    hosted_start(&o.h);
    assert_int_equal(hosted_scan(&o.h), 33);
    o.guest = owned_domain(&o, OWNED_GUEST);
    for (uint8_t i = 0; i < 3; i++) {
        assert_int_equal(
            owned_assign(&o, pcv_test_at(0, 0, 1 + i, 7), o.guest, &whole), 0);
    }
    /* Seven slots are left. */
    assert_int_equal(owned_assign(&o, pcv_test_at(0, 0, 4, 0), o.guest, &whole),
                     -PCV_ENOSPC);
    for (uint8_t i = 0; i < 8; i++) {
        assert_int_equal(owned_owner(&o, pcv_test_at(0, 0, 4, i)),
                         PCV_DOMAIN_ID_HARDWARE);
    }
    assert_int_equal(owned_back(&o, pcv_test_at(0, 0, 1, 7)), 0);
    assert_int_equal(owned_assign(&o, pcv_test_at(0, 0, 4, 0), o.guest, &whole),
                     0);
    owned_end(&o);
}

/* OWN-4, TOPO-5: those that the IOMMU cannot tell from one another. */
static void who_sends_as_one_goes_as_one(void **state)
{
    struct owned o;

    (void)state;
    group_start(&o);
    assert_int_equal(owned_give(&o, OLD_0), -PCV_EXDEV);
    assert_int_equal(owned_assign(&o, OLD_0, o.guest, &whole), 0);
    assert_int_equal(owned_owner(&o, OLD_1), OWNED_GUEST);
    assert_int_equal(pcv_model_dma_domain(o.h.model, OLD_0), OWNED_GUEST);
    assert_int_equal(pcv_model_dma_domain(o.h.model, pcv_test_at(0, 1, 0, 0)),
                     OWNED_GUEST);
    assert_int_equal(owned_destroy(o.guest), 0);
    assert_int_equal(owned_owner(&o, OLD_0), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(owned_owner(&o, OLD_1), PCV_DOMAIN_ID_HARDWARE);
    owned_end(&o);
}

/* One operation failing at its nth call. */
static bool fail_once(enum pcv_model_op op, uint64_t n)
{
    uint64_t pages, calls;
    struct owned o;
    int error;

    group_start(&o);
    assert_int_equal(owned_assign(&o, mate(0), o.guest, &whole), 0);
    all_home(&o);
    pages = pcv_model_mapped_pages(o.h.model);
    calls = pcv_model_calls(o.h.model, op);
    pcv_model_fail(o.h.model, op, n);
    error = owned_assign(&o, mate(0), o.guest, &whole);
    pcv_model_fail(o.h.model, op, 0);
    calls = pcv_model_calls(o.h.model, op) - calls;
    assert_int_not_equal(error, -PCV_ERESTART);
    if (error == 0) {
        expect_owner(&o, OWNED_GUEST);
    } else {
        for (uint8_t i = 0; i < MATES; i++) {
            if (owned_owner(&o, mate(i)) != PCV_DOMAIN_ID_HARDWARE) {
                owned_expect_nothing(&o, mate(i));
            } else {
                assert_int_equal(hosted_read(&o.h, mate(i), 0, 4), 0x56781234);
            }
        }
    }
    assert_int_equal(pcv_model_mapped_pages(o.h.model), pages);
    /* Nobody waits for it: the guest ends, and they are all brought home. */
    assert_int_equal(owned_destroy(o.guest), 0);
    all_home(&o);
    assert_int_equal(owned_assign(&o, mate(2), o.other, &whole), 0);
    expect_owner(&o, OWNED_OTHER);
    owned_end(&o);
    return calls >= n;
}

/* OWN-5: what stays in quarantine since another of its group failed says at
 * which step that was, and not at which it stopped itself. */
static void who_is_kept_by_anothers_failure_says_at_which_step(void **state)
{
    struct pcv_device_status status;
    struct owned o;

    (void)state;
    group_start(&o);
    o.isolated = false;
    pcv_model_fail(o.h.model, PCV_MODEL_OP_dma_attach, 2);
    assert_int_equal(owned_assign(&o, mate(0), o.guest, &whole), -PCV_EIO);
    status = hosted_status(&o.h, mate(0));
    assert_int_equal(status.owner_id, PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(status.change_step, PCV_STEP_BLOCK);
    assert_int_equal(status.change_error, -PCV_EIO);
    status = hosted_status(&o.h, mate(1));
    assert_int_equal(status.owner_id, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(status.change_step, PCV_STEP_BLOCK);
    all_home(&o);
    hosted_end(&o.h);
}

/* OWN-4, OWN-5, PORT-3 */
static void a_group_that_fails_anywhere_is_nobodys(void **state)
{
    (void)state;
    for (int op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        uint64_t n = 1;

        while (fail_once((enum pcv_model_op)op, n)) {
            n++;
            assert_true(n < 1000);
        }
    }
}

/* OWN-4, PORT-3: also one of it that rested in quarantine. */
static void a_group_for_which_memory_ends_keeps_no_place(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 12; nth++) {
        struct owned o;
        int error;

        group_start(&o);
        assert_int_equal(pcv_device_quarantine(o.h.host, mate(0), 0, NULL), 0);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_alloc, nth);
        error = owned_assign(&o, mate(0), o.guest, &whole);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_alloc, 0);
        assert_true(error == 0 || error == -PCV_ENOMEM);
        if (error != 0) {
            assert_int_equal(atomic_load(&o.guest->devices), 0);
        }
        owned_end(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_not_split_and_the_others_are_named),
        cmocka_unit_test(the_whole_group_goes_at_once),
        cmocka_unit_test(a_group_given_up_half_way_stays_home),
        cmocka_unit_test(who_is_in_quarantine_is_nobodys_mate),
        cmocka_unit_test(if_one_cannot_go_nobody_does),
        cmocka_unit_test(it_goes_on_where_it_stopped),
        cmocka_unit_test(what_rests_half_way_reaches_nobodys_memory),
        cmocka_unit_test(of_two_who_come_at_once_one_at_most_gets_in),
        cmocka_unit_test(a_bus_without_room_for_all_gets_nobody),
        cmocka_unit_test(who_sends_as_one_goes_as_one),
        cmocka_unit_test(who_is_kept_by_anothers_failure_says_at_which_step),
        cmocka_unit_test(a_group_that_fails_anywhere_is_nobodys),
        cmocka_unit_test(a_group_for_which_memory_ends_keeps_no_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Requester IDs that several functions share: whose memory they reach, in each
 * order of giving, taking back, removing, pulling and renumbering, and with a
 * host that fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pcivisor/requester.h"
#include "shared.h"

/* ---- in order --------------------------------------------------------------
 */

/* What this page is about: nobody attached what the bridge sends under. TOPO-5
 */
static void what_is_behind_a_conventional_bus_reaches_memory(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    check(&j, all, true);
    assert_int_equal(joined_dma(&j, JOINED_DEEP), DOM0);
    assert_int_equal(joined_dma(&j, JOINED_OLD), DOM0);
    hosted_end(&j.h);
}

/* TOPO-5 OWN-5 */
static void a_shared_id_goes_to_the_one_user_that_is_not_quarantine(
    void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    assert_int_equal(joined_take(&j, behind(0)), 0);
    check(&j, all, true);
    assert_int_equal(joined_id(&j, ALIAS), DOM0);
    take_all(&j);
    check(&j, all, true);
    assert_int_equal(joined_id(&j, ALIAS), JOINED_NOBODY);
    assert_int_equal(joined_give(&j, behind(1), 0), 0);
    assert_int_equal(joined_id(&j, ALIAS), GUEST);
    assert_int_equal(joined_give(&j, behind(2), 0), 0);
    check(&j, all, true);
    assert_int_equal(joined_id(&j, ALIAS), GUEST);
    hosted_end(&j.h);
}

/* TOPO-5 */
static void a_shared_id_of_two_users_is_nobodys_until_one_leaves(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    take_all(&j);
    assert_int_equal(joined_give(&j, behind(1), 0), 0);
    assert_int_equal(joined_give(&j, behind(2), 0), 0);
    assert_int_equal(joined_home(&j, behind(2)), 0); /* it waits (OWN-4) */
    check(&j, all, true);
    assert_int_equal(joined_id(&j, ALIAS), GUEST);
    joined_plug(&j, behind(2));
    check(&j, all, true);
    assert_int_equal(joined_id(&j, ALIAS), JOINED_NOBODY);
    /* Its own stays: some bridges send on under that. */
    assert_int_equal(joined_id(&j, behind(1)), GUEST);
    assert_int_equal(joined_home(&j, behind(1)), 0);
    check(&j, all, true);
    assert_int_equal(joined_id(&j, ALIAS), DOM0);
    hosted_end(&j.h);
}

/* TOPO-5 LIFE-5 */
static void what_is_removed_leaves_a_shared_id_to_the_others(void **state)
{
    bool there[BEHIND] = {true, true, false};
    struct joined j;

    (void)state;
    joined_start(&j);
    take_all(&j);
    assert_int_equal(joined_give(&j, behind(1), 0), 0);
    joined_plug(&j, behind(2));
    assert_int_equal(joined_id(&j, ALIAS), JOINED_NOBODY);
    joined_remove(&j, behind(2));
    check(&j, there, true);
    assert_int_equal(joined_id(&j, ALIAS), GUEST);
    /* It comes back as the hardware domain's. */
    assert_int_equal(pcv_device_add(j.h.host, behind(2), NULL), 0);
    check(&j, all, true);
    assert_int_equal(joined_id(&j, ALIAS), JOINED_NOBODY);
    hosted_end(&j.h);
}

/* LIFE-9 TOPO-5 */
static void a_guests_function_that_is_pulled_takes_its_ids_along(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    take_all(&j);
    assert_int_equal(joined_give(&j, behind(1), 0), 0);
    assert_int_equal(pcv_device_vanished(j.h.host, behind(1)), 0);
    assert_int_equal(joined_id(&j, ALIAS), GUEST);
    joined_remove(&j, behind(1));
    assert_int_equal(joined_id(&j, behind(1)), JOINED_NOBODY);
    assert_int_equal(joined_id(&j, ALIAS), JOINED_NOBODY);
    assert_int_equal(joined_id(&j, JOINED_TO_PCI), JOINED_NOBODY);
    assert_int_equal(pcv_domain_destroy(j.guest[0]), 0);
    hosted_end(&j.h);
}

/* LIFE-9 TOPO-3 TOPO-5 */
static void a_bridge_that_is_pulled_takes_the_ids_along_that_it_made(
    void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    take_all(&j);
    assert_int_equal(joined_give(&j, behind(2), 1), 0);
    assert_int_equal(joined_id(&j, JOINED_BRIDGE), OTHER);
    assert_int_equal(pcv_device_vanished(j.h.host, JOINED_ROOT_PORT), 0);
    joined_remove(&j, JOINED_ROOT_PORT);
    for (uint32_t rid = 0; rid < 0x400; rid++) {
        assert_true(joined_id(&j, (pcv_sbdf){rid}) != OTHER);
    }
    assert_int_equal(pcv_domain_destroy(j.guest[1]), 0);
    hosted_end(&j.h);
}

/* OWN-8 TOPO-5 */
static void the_hypervisors_own_function_does_not_block_its_neighbours(
    void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    assert_int_equal(pcv_device_set_read_only(j.h.host, behind(1)), 0);
    assert_int_equal(joined_id(&j, behind(1)), PCV_DOMAIN_ID_HYPERVISOR);
    assert_int_equal(joined_id(&j, ALIAS), DOM0);
    assert_int_equal(joined_dma(&j, behind(2)), DOM0);
    hosted_end(&j.h);
}

/* A host may report what is behind a bridge first. TOPO-5 */
static void a_bridge_that_comes_later_has_its_ids_attached(void **state)
{
    struct joined j;

    (void)state;
    joined_build(&j);
    hosted_start(&j.h);
    joined_block_all(&j);
    assert_int_equal(pcv_device_add(j.h.host, JOINED_SECOND, NULL), 0);
    assert_int_equal(joined_dma(&j, JOINED_SECOND), JOINED_NOBODY);
    assert_int_equal(pcv_device_add(j.h.host, JOINED_ROOT_PORT, NULL), 0);
    assert_int_equal(pcv_device_add(j.h.host, JOINED_TO_PCI, NULL), 0);
    assert_int_equal(joined_dma(&j, JOINED_SECOND), DOM0);
    assert_int_equal(joined_id(&j, JOINED_TO_PCI), DOM0);
    hosted_end(&j.h);
}

/* ---- bus numbers -----------------------------------------------------------
 */

/* TOPO-4 TOPO-5 */
static void every_requester_id_moves_with_bus_numbers(void **state)
{
    struct joined j;
    struct pcv_requester r;

    (void)state;
    joined_start(&j);
    take_all(&j);
    assert_int_equal(joined_give(&j, behind(1), 0), 0);
    cut_off(&j, JOINED_TO_PCI);
    for (uint32_t rid = 0x100; rid < 0x400; rid++) {
        assert_true(joined_id(&j, (pcv_sbdf){rid}) != GUEST);
    }
    /* Bus 3 was the inner bridge's, and leads further only if it says so. */
    write_buses(&j, JOINED_ROOT_PORT, 0x00050100);
    write_buses(&j, JOINED_TO_PCI, 0x00050401);
    assert_int_equal(joined_id(&j, pcv_test_at(0, 4, 1, 0)), GUEST);
    assert_int_equal(joined_id(&j, pcv_test_at(0, 4, 0, 0)), GUEST);
    assert_int_equal(joined_id(&j, JOINED_TO_PCI), GUEST);
    for (uint32_t rid = 0x200; rid < 0x400; rid++) {
        assert_true(joined_id(&j, (pcv_sbdf){rid}) != GUEST);
    }
    assert_int_equal(
        pcv_device_requester(j.h.host, pcv_test_at(0, 4, 1, 0), 1, &r), 0);
    assert_int_equal(r.id.v, 0x400);
    assert_int_equal(r.domain_id, GUEST);
    hosted_end(&j.h);
}

/* TOPO-4 TOPO-5 PORT-3 */
static void a_function_whose_shared_id_cannot_be_attached_stays_away(
    void **state)
{
    (void)state;
    /* Its own, the bridge's two. */
    for (uint64_t nth = 1; nth <= 3; nth++) {
        const pcv_sbdf there = pcv_test_at(0, 5, 1, 0);
        struct joined j;

        joined_start(&j);
        joined_remove(&j, JOINED_BRIDGE);
        joined_remove(&j, behind(0));
        assert_int_equal(joined_take(&j, behind(1)), 0);
        assert_int_equal(joined_give(&j, behind(1), 0), 0);
        cut_off(&j, JOINED_TO_PCI);
        write_buses(&j, JOINED_ROOT_PORT, 0x00060100);
        pcv_model_fail(j.h.model, PCV_MODEL_OP_dma_attach, nth);
        write_buses(&j, JOINED_TO_PCI, 0x00050501);
        pcv_model_fail(j.h.model, PCV_MODEL_OP_dma_attach, 0);
        assert_false(hosted_found(&j.h, there));
        for (uint32_t rid = 0x100; rid < 0x600; rid++) {
            assert_true(joined_id(&j, (pcv_sbdf){rid}) != GUEST);
        }
        /* An add at that address tries again. */
        assert_int_equal(pcv_device_add(j.h.host, there, NULL), 0);
        assert_int_equal(joined_id(&j, there), GUEST);
        assert_int_equal(joined_id(&j, pcv_test_at(0, 5, 0, 0)), GUEST);
        assert_int_equal(joined_id(&j, JOINED_TO_PCI), GUEST);
        hosted_end(&j.h);
    }
}

/* ---- a host that fails -----------------------------------------------------
 */

/* TOPO-5 OWN-5 PORT-3 */
static void a_guest_never_has_a_part_of_its_functions_ids(void **state)
{
    bool failed = true;

    (void)state;
    for (uint64_t nth = 1; failed && nth < 64; nth++) {
        struct joined j;

        joined_start(&j);
        take_all(&j);
        pcv_model_fail(j.h.model, PCV_MODEL_OP_dma_attach, nth);
        failed = joined_give(&j, behind(1), 0) != 0;
        pcv_model_fail(j.h.model, PCV_MODEL_OP_dma_attach, 0);
        for (uint32_t rid = 0x100; failed && rid < 0x400; rid++) {
            assert_true(joined_id(&j, (pcv_sbdf){rid}) != GUEST);
        }
        check(&j, all, true);
        assert_true(failed == (owner_of(&j, behind(1)) == JOINED_NOBODY));
        assert_true(nth != 1 || failed);
        hosted_end(&j.h);
    }
    assert_false(failed);
}

/* TOPO-5 OWN-5 PORT-3 */
static void what_cannot_be_blocked_stays_its_owners(void **state)
{
    (void)state;
    /* Its own, the inner bridge's, the alias, the outer bridge's. */
    for (uint64_t nth = 1; nth <= 4; nth++) {
        struct joined j;

        joined_start(&j);
        joined_remove(&j, behind(0));
        joined_remove(&j, behind(1));
        pcv_model_fail(j.h.model, PCV_MODEL_OP_dma_attach, nth);
        assert_int_equal(joined_give(&j, behind(2), 0), -PCV_EIO);
        assert_int_equal(owner_of(&j, behind(2)), DOM0);
        assert_int_equal(joined_dma(&j, behind(2)), DOM0);
        assert_int_equal(joined_id(&j, behind(2)), DOM0);
        assert_int_equal(joined_id(&j, JOINED_BRIDGE), DOM0);
        assert_int_equal(joined_id(&j, JOINED_TO_PCI), DOM0);
        assert_int_equal(joined_give(&j, behind(2), 0), 0);
        assert_int_equal(joined_dma(&j, behind(2)), GUEST);
        hosted_end(&j.h);
    }
}

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Whether a function may be given without splitting its group (OWN-4). */
static bool may_give(struct joined *j, pcv_sbdf at, uint32_t guest)
{
    struct pcv_device *device = pcv_device_find(j->h.host, at);
    uint32_t count = 0;
    int error = pcv__group_split(device, j->guest[guest], NULL, 0, &count);

    pcv_device_put(device);
    return error == 0;
}

static void change(struct joined *j, bool *there, uint32_t r, bool *failed)
{
    unsigned i = r % BEHIND;
    uint32_t what = r / 8u % 6u;
    int error = 0;

    if (!there[i]) {
        error = pcv_device_add(j->h.host, behind(i), NULL);
        there[i] = error == 0;
    } else if (what == 0 && owner_of(j, behind(i)) == DOM0) {
        joined_remove(j, behind(i));
        there[i] = false;
    } else if (what == 1) {
        error = joined_home(j, behind(i));
        error = error == -PCV_EINVAL || error == -PCV_EXDEV ? 0 : error;
    } else if (what <= 3) {
        error = joined_take(j, behind(i));
    } else if (may_give(j, behind(i), what % 2u)) {
        bool has_it = owner_of(j, behind(i)) == GUEST + what % 2u;

        error = joined_give(j, behind(i), what % 2u);
        error = error == (has_it ? -PCV_EINVAL : -PCV_EBUSY) ? 0 : error;
    }
    *failed = error != 0;
}

/* Each order of changes, every other one with a host that fails somewhere.
 * TOPO-5 OWN-5 PORT-3 */
static void no_order_of_changes_lets_a_function_reach_another_users_memory(
    void **state)
{
    uint32_t seed = 5;

    (void)state;
    for (unsigned round = 0; round < 12; round++) {
        bool there[BEHIND] = {true, true, true};
        struct joined j;

        joined_start(&j);
        for (unsigned step = 0; step < 60; step++) {
            bool faulty = random_next(&seed) % 2u != 0;
            bool failed;

            pcv_model_fail(j.h.model, PCV_MODEL_OP_dma_attach,
                           faulty ? random_next(&seed) % 6u + 1u : 0);
            change(&j, there, random_next(&seed), &failed);
            pcv_model_fail(j.h.model, PCV_MODEL_OP_dma_attach, 0);
            assert_true(!failed || faulty);
            check(&j, there, !faulty && step == 0);
        }
        /* With a host that does what it is told all is right again. */
        for (unsigned i = 0; i < BEHIND; i++) {
            if (there[i]) {
                assert_int_equal(joined_take(&j, behind(i)), 0);
            }
        }
        for (unsigned i = 0; i < BEHIND; i++) {
            if (there[i] && owner_of(&j, behind(i)) != DOM0) {
                assert_int_equal(joined_home(&j, behind(i)), 0);
            }
        }
        check(&j, there, there[0] || there[1] || there[2]);
        hosted_end(&j.h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_behind_a_conventional_bus_reaches_memory),
        cmocka_unit_test(
            a_shared_id_goes_to_the_one_user_that_is_not_quarantine),
        cmocka_unit_test(a_shared_id_of_two_users_is_nobodys_until_one_leaves),
        cmocka_unit_test(what_is_removed_leaves_a_shared_id_to_the_others),
        cmocka_unit_test(a_guests_function_that_is_pulled_takes_its_ids_along),
        cmocka_unit_test(
            a_bridge_that_is_pulled_takes_the_ids_along_that_it_made),
        cmocka_unit_test(
            the_hypervisors_own_function_does_not_block_its_neighbours),
        cmocka_unit_test(a_bridge_that_comes_later_has_its_ids_attached),
        cmocka_unit_test(every_requester_id_moves_with_bus_numbers),
        cmocka_unit_test(
            a_function_whose_shared_id_cannot_be_attached_stays_away),
        cmocka_unit_test(a_guest_never_has_a_part_of_its_functions_ids),
        cmocka_unit_test(what_cannot_be_blocked_stays_its_owners),
        cmocka_unit_test(
            no_order_of_changes_lets_a_function_reach_another_users_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

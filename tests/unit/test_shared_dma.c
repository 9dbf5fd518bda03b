/* SPDX-License-Identifier: MIT */
/*
 * Requester IDs that several functions share: whose memory they reach, in each
 * order of giving, taking back, removing, pulling and renumbering, with a host
 * that fails, and beside another CPU that moves one, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "joined.h"
#include "owner/dma.h"
#include "pcivisor/requester.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DOM0 PCV_DOMAIN_ID_HARDWARE
#define ALIAS JOINED_AT_ALIAS
#define GUEST 7u
#define OTHER 8u

/* Behind the bridge from PCI Express. */
static pcv_sbdf behind(unsigned i)
{
    const pcv_sbdf at[] = {JOINED_AT_ALIAS, JOINED_SECOND, JOINED_DEEP};

    return at[i];
}
#define BEHIND 3u

static uint32_t owner_of(struct joined *j, pcv_sbdf at)
{
    return hosted_status(&j->h, at).owner_id;
}

/* Whose the shared IDs are to be: the one user's that is not quarantine. */
static uint32_t belongs(struct joined *j, const bool *there)
{
    uint32_t domain_id = JOINED_NOBODY;

    for (unsigned i = 0; i < BEHIND; i++) {
        uint32_t owner = there[i] ? owner_of(j, behind(i)) : JOINED_NOBODY;

        if (owner == JOINED_NOBODY) {
            continue;
        }
        if (domain_id != JOINED_NOBODY && domain_id != owner) {
            return JOINED_NOBODY;
        }
        domain_id = owner;
    }
    return domain_id;
}

/* Nobody reaches memory that is not his: what two use is nobody's. `exact`: and
 * each reaches what is. */
static void check(struct joined *j, const bool *there, bool exact)
{
    uint32_t shared = belongs(j, there);

    for (unsigned i = 0; i < BEHIND; i++) {
        uint32_t reached;

        if (!there[i]) {
            continue;
        }
        reached = joined_dma(j, behind(i));
        assert_true(reached == shared || reached == JOINED_NOBODY);
        assert_true(!exact || reached == shared);
    }
    assert_true(!exact || joined_id(j, ALIAS) == shared);
    assert_true(!exact || joined_id(j, JOINED_TO_PCI) == shared);
}

static const bool all[BEHIND] = {true, true, true};

static void take_all(struct joined *j)
{
    for (unsigned i = 0; i < BEHIND; i++) {
        assert_int_equal(joined_take(j, behind(i)), 0);
    }
}

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
    assert_int_equal(joined_home(&j, behind(2)), 0);
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
    assert_int_equal(joined_home(&j, behind(2)), 0);
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

static void write_buses(struct joined *j, pcv_sbdf bridge, uint32_t buses)
{
    struct pcv_domain *hardware = pcv_host_hardware_domain(j->h.host);
    struct pcv_access access = PCV_WRITE(bridge, PCV_REG_PRIMARY, 4, buses);
    enum pcv_verdict verdict = pcv_access(hardware, &access);

    for (int i = 0; i < 1000 && verdict != PCV_DONE; i++) {
        verdict = verdict == PCV_PENDING ? pcv_access_resume(hardware, &access)
                                         : pcv_access(hardware, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

/* A bridge leads nowhere from now on, past the library, which is told: nobody
 * asks whether a guest has something behind it (OWN-15). */
static void cut_off(struct joined *j, pcv_sbdf bridge)
{
    int error = -PCV_ERESTART;

    pcv_test_write(j->h.model, bridge, PCV_REG_PRIMARY, 4, 0);
    for (int i = 0; i < 1000 && error == -PCV_ERESTART; i++) {
        error = pcv_bridge_report_buses(j->h.host, bridge, 0, 0, 0);
    }
    assert_int_equal(error, 0);
}

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
        error = error == -PCV_EINVAL ? 0 : error;
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
                assert_int_equal(joined_home(&j, behind(i)), 0);
            }
        }
        check(&j, there, there[0] || there[1] || there[2]);
        hosted_end(&j.h);
    }
}

/* ---- beside another CPU ----------------------------------------------------
 */

/* While the alias moves for 02:01.0, somebody wants to move 03:04.0. */
static void give_beside(struct joined *j)
{
    assert_int_equal(
        pcv_device_assign(j->h.host, behind(2), j->guest[0], NULL, NULL),
        -PCV_ERESTART);
    /* What shares nothing is not in its way. */
    assert_int_equal(joined_give(j, JOINED_ALONE, 1), 0);
}

/* TOPO-5 CTL-2 */
static void one_at_a_time_moves_shared_ids(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    take_all(&j);
    joined_beside.fn = give_beside;
    joined_beside.rid = ALIAS.v;
    assert_int_equal(joined_give(&j, behind(1), 0), 0);
    assert_null(joined_beside.fn);
    assert_int_equal(joined_give(&j, behind(2), 0), 0);
    check(&j, all, true);
    hosted_end(&j.h);
}

static void remove_beside(struct joined *j)
{
    joined_remove(j, behind(2));
}

/* LIFE-5 TOPO-5 */
static void a_removal_beside_it_leaves_the_id_to_who_moves_it(void **state)
{
    const bool there[BEHIND] = {true, true, false};
    struct joined j;

    (void)state;
    joined_start(&j);
    /* Two users: while the guest's function goes home, dom0's goes away. */
    take_all(&j);
    assert_int_equal(joined_give(&j, behind(0), 0), 0);
    assert_int_equal(joined_give(&j, behind(1), 0), 0);
    assert_int_equal(joined_home(&j, behind(2)), 0);
    joined_beside.fn = remove_beside;
    joined_beside.rid = ALIAS.v;
    assert_int_equal(joined_take(&j, behind(1)), 0);
    assert_null(joined_beside.fn);
    check(&j, there, true);
    assert_int_equal(joined_id(&j, ALIAS), GUEST);
    hosted_end(&j.h);
}

static void vanish_beside(struct joined *j)
{
    assert_int_equal(pcv_device_vanished(j->h.host, behind(2)), 0);
    joined_remove(j, behind(2));
    /* As long as its function's ID may be attached to it, a guest stays. */
    assert_int_equal(pcv_domain_destroy(j->guest[0]), -PCV_EBUSY);
}

/* LIFE-9 TOPO-5 */
static void a_guest_stays_while_an_id_is_attached_to_it_beside(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    take_all(&j);
    assert_int_equal(joined_give(&j, behind(2), 0), 0);
    assert_int_equal(joined_give(&j, behind(1), 0), 0);
    joined_beside.fn = vanish_beside;
    joined_beside.rid = ALIAS.v;
    /* The alias stays with 03:04.0's guest, as it is found under the lock. */
    assert_int_equal(joined_take(&j, behind(1)), 0);
    assert_null(joined_beside.fn);
    assert_int_equal(joined_id(&j, ALIAS), JOINED_NOBODY);
    assert_int_equal(pcv_domain_destroy(j.guest[0]), 0);
    hosted_end(&j.h);
}

static void add_beside(struct joined *j)
{
    assert_int_equal(pcv_device_add(j->h.host, behind(2), NULL), 0);
}

/* TOPO-5 LIFE-7 */
static void an_add_beside_it_is_settled_by_who_moves_it(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    joined_remove(&j, behind(2));
    assert_int_equal(joined_take(&j, behind(0)), 0);
    assert_int_equal(joined_take(&j, behind(1)), 0);
    joined_beside.fn = add_beside;
    joined_beside.rid = ALIAS.v;
    assert_int_equal(joined_give(&j, behind(1), 0), 0);
    assert_null(joined_beside.fn);
    check(&j, all, true);
    assert_int_equal(joined_id(&j, ALIAS), JOINED_NOBODY);
    hosted_end(&j.h);
}

static void renumber_beside(struct joined *j)
{
    struct pcv_domain *hardware = pcv_host_hardware_domain(j->h.host);
    struct pcv_access access =
        PCV_WRITE(JOINED_OLD_BRIDGE, PCV_REG_PRIMARY, 4, 0);

    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(pcv_access_resume(hardware, &access), PCV_PENDING);
    }
    assert_true(hosted_found(&j->h, JOINED_OLD));
}

/* TOPO-4 TOPO-5 */
static void bus_numbers_wait_until_shared_ids_have_moved(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    take_all(&j);
    joined_beside.fn = renumber_beside;
    joined_beside.rid = ALIAS.v;
    assert_int_equal(joined_give(&j, behind(1), 0), 0);
    assert_null(joined_beside.fn);
    assert_int_equal(joined_id(&j, ALIAS), GUEST);
    hosted_end(&j.h);
}

static void join_beside(struct joined *j)
{
    assert_int_equal(pcv_device_add(j->h.host, pcv_test_at(0, 6, 1, 0), NULL),
                     -PCV_EBUSY);
}

/* TOPO-4 TOPO-5 */
static void what_is_reached_again_waits_until_shared_ids_have_moved(
    void **state)
{
    const pcv_sbdf there = pcv_test_at(0, 6, 1, 0);
    struct joined j;

    (void)state;
    joined_start(&j);
    take_all(&j);
    write_buses(&j, JOINED_OLD_BRIDGE, 0);
    pcv_model_fail(j.h.model, PCV_MODEL_OP_dma_attach, 1);
    write_buses(&j, JOINED_OLD_BRIDGE, 0x00060600);
    assert_false(hosted_found(&j.h, there));
    joined_beside.fn = join_beside;
    joined_beside.rid = ALIAS.v;
    assert_int_equal(joined_give(&j, behind(1), 0), 0);
    assert_null(joined_beside.fn);
    assert_int_equal(pcv_device_add(j.h.host, there, NULL), 0);
    assert_int_equal(joined_dma(&j, JOINED_OLD), DOM0);
    hosted_end(&j.h);
}

static void name_beside(struct joined *j)
{
    assert_int_equal(
        pcv_device_add_requester(j->h.host, JOINED_OLD, JOINED_ALONE),
        -PCV_EBUSY);
    assert_int_equal(
        pcv_device_add_requester(j->h.host, JOINED_ALONE, JOINED_OLD),
        -PCV_EBUSY);
}

/* TOPO-5 */
static void an_id_that_moves_just_now_is_not_named(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    joined_beside.fn = name_beside;
    joined_beside.rid = JOINED_ALONE.v;
    assert_int_equal(joined_give(&j, JOINED_ALONE, 0), 0);
    assert_null(joined_beside.fn);
    assert_int_equal(joined_id(&j, JOINED_ALONE), GUEST);
    hosted_end(&j.h);
}

static void bridge_vanishes_beside(struct joined *j)
{
    assert_int_equal(pcv_device_vanished(j->h.host, JOINED_BRIDGE), 0);
}

/* LIFE-7 TOPO-5 */
static void an_add_that_fails_late_leaves_a_shared_id_to_the_others(
    void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    take_all(&j);
    assert_int_equal(joined_give(&j, behind(1), 0), 0);
    assert_int_equal(joined_home(&j, behind(2)), 0);
    joined_remove(&j, behind(2));
    joined_beside.fn = bridge_vanishes_beside;
    joined_beside.rid = behind(2).v;
    assert_int_equal(pcv_device_add(j.h.host, behind(2), NULL), -PCV_ENODEV);
    assert_null(joined_beside.fn);
    assert_int_equal(joined_id(&j, ALIAS), GUEST);
    hosted_end(&j.h);
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
        cmocka_unit_test(one_at_a_time_moves_shared_ids),
        cmocka_unit_test(a_removal_beside_it_leaves_the_id_to_who_moves_it),
        cmocka_unit_test(a_guest_stays_while_an_id_is_attached_to_it_beside),
        cmocka_unit_test(an_add_beside_it_is_settled_by_who_moves_it),
        cmocka_unit_test(bus_numbers_wait_until_shared_ids_have_moved),
        cmocka_unit_test(
            what_is_reached_again_waits_until_shared_ids_have_moved),
        cmocka_unit_test(an_id_that_moves_just_now_is_not_named),
        cmocka_unit_test(
            an_add_that_fails_late_leaves_a_shared_id_to_the_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

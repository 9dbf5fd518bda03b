/* SPDX-License-Identifier: MIT */
/* Requester IDs that several functions share, while another CPU moves one of
 * them, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pcivisor/requester.h"
#include "shared.h"

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
    joined_plug(&j, behind(2));
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

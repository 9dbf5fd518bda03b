/* SPDX-License-Identifier: MIT */
/*
 * Bus numbers that are zero, overlap or change for good, and functions that
 * cannot be reached meanwhile (TOPO-4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "two_ports.h"

static enum pcv_device_state state_at(struct two *t, pcv_sbdf at)
{
    return hosted_state(host_of(t), at);
}

/* TOPO-4, LIFE-4 */
static void without_numbers_a_function_is_kept_and_not_found(void **state)
{
    struct pcv_device *held, *away;
    struct two t;

    (void)state;
    two_start(&t);
    held = hosted_hold(host_of(&t), CARD_A);
    numbers(&t, PORT_A, 0, 0);
    assert_false(hosted_found(host_of(&t), CARD_A));
    assert_int_equal(id_at(&t, CARD_A), 0xffff);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_UNREACHABLE);
    assert_int_equal(hosted_status(host_of(&t), CARD_A).held[PCV_HOLDER_CALLER],
                     1);
    assert_int_equal(pcv_device_sbdf(held).v, CARD_A.v);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, CARD_A),
                     PCV_DOMAIN_ID_QUARANTINE);
    away = pcv_device_next_unreachable(t.r.h.host, (pcv_sbdf){0});
    assert_ptr_equal(away, held);
    pcv_device_put(away);
    assert_null(pcv_device_next_unreachable(t.r.h.host, CARD_B));
    assert_true(stands(&t, CARD_B, CARD_B));
    assert_int_equal(t.r.events[PCV_EVENT_UNREACHABLE], 1);

    numbers(&t, PORT_A, 5, 7);
    assert_true(stands(&t, CARD_A, BUS(5)));
    assert_int_equal(id_at(&t, BUS(5)), 0xaaaa);
    assert_int_equal(pcv_device_sbdf(held).v, BUS(5).v);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_ABSENT);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, BUS(5)),
                     PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, CARD_A),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(t.r.events[PCV_EVENT_MOVED], 1);
    pcv_device_put(held);
    renumber_holds(&t.r);
    two_end(&t);
}

/* TOPO-4: what was blocked for one is attached for the next. */
static void two_bridges_swap_their_numbers(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    numbers(&t, PORT_A, 0, 0);
    numbers(&t, PORT_B, 0, 0);
    numbers(&t, PORT_A, 2, 2);
    numbers(&t, PORT_B, 1, 1);
    assert_true(stands(&t, CARD_A, BUS(2)) && stands(&t, CARD_B, BUS(1)));
    renumber_holds(&t.r);
    two_end(&t);
}

/* TOPO-4: while they overlap, nobody knows which card answers. */
static void numbers_that_overlap_make_both_unreachable(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    numbers(&t, PORT_A, 2, 2);
    assert_int_equal(t.r.events[PCV_EVENT_BUS_NUMBERS], 1);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_UNREACHABLE);
    assert_int_equal(state_at(&t, CARD_B), PCV_STATE_UNREACHABLE);
    assert_int_equal(id_at(&t, CARD_B), 0xffff);
    numbers(&t, PORT_B, 1, 1);
    assert_true(stands(&t, CARD_A, BUS(2)) && stands(&t, CARD_B, BUS(1)));
    renumber_holds(&t.r);
    two_end(&t);
}

/* TOPO-4: Linux sets the last bus when it knows how many there are. */
static void a_last_bus_that_changes_moves_nobody(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    numbers(&t, PORT_B, 2, 0xff);
    numbers(&t, PORT_B, 2, 9);
    assert_int_equal(t.r.events[PCV_EVENT_UNREACHABLE], 0);
    assert_int_equal(t.r.events[PCV_EVENT_MOVED], 0);
    renumber_holds(&t.r);
    two_end(&t);
}

/* TOPO-4, LIFE-7, LIFE-9 */
static void another_card_in_its_place_is_another_device(void **state)
{
    struct pcv_device *held;
    struct two t;

    (void)state;
    two_start(&t);
    held = hosted_hold(host_of(&t), CARD_A);
    numbers(&t, PORT_A, 0, 0);
    pcv_model_poke(t.r.h.model, CARD_A, PCV_REG_DEVICE, 2, 0xcccc);
    numbers(&t, PORT_A, 5, 5);
    assert_int_equal(t.r.events[PCV_EVENT_VANISHED], 1);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_LEAVING);
    assert_int_equal(pcv_device_remove(t.r.h.host, CARD_A, NULL, NULL),
                     -PCV_EBUSY);
    pcv_device_put(held);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_ABSENT);
    /* It takes its address as soon as the old one is gone. */
    assert_int_equal(pcv_device_add(t.r.h.host, BUS(5), NULL), 0);
    assert_int_equal(hosted_info(host_of(&t), BUS(5)).device, 0xcccc);

    numbers(&t, PORT_B, 0, 0);
    pcv_model_poke(t.r.h.model, CARD_B, PCV_REG_DEVICE, 2, 0xdddd);
    numbers(&t, PORT_B, 6, 6);
    assert_int_equal(hosted_info(host_of(&t), BUS(6)).device, 0xdddd);
    two_end(&t);
}

/* TOPO-4, LIFE-9 */
static void one_that_sleeps_is_bound_and_wakes(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    numbers(&t, PORT_A, 0, 0);
    assert_int_equal(pcv_model_set_dead(t.r.h.model, CARD_A, true), 0);
    numbers(&t, PORT_A, 5, 5);
    assert_true(stands(&t, CARD_A, BUS(5)));
    assert_int_equal(pcv_model_set_dead(t.r.h.model, CARD_A, false), 0);
    assert_int_equal(id_at(&t, BUS(5)), 0xaaaa);
    renumber_holds(&t.r);
    two_end(&t);
}

/* ---- what an administrator does meanwhile ---------------------------------
 */

/* LIFE-5, LIFE-6, TOPO-4 */
static void it_can_be_removed_by_its_last_address(void **state)
{
    struct pcv_device *held;
    pcv_sbdf busy = {0};
    struct two t;

    (void)state;
    two_start(&t);
    held = hosted_hold(host_of(&t), CARD_A);
    numbers(&t, PORT_A, 0, 0);
    assert_int_equal(pcv_device_remove(t.r.h.host, CARD_A, NULL, &busy),
                     -PCV_EBUSY);
    assert_int_equal(busy.v, CARD_A.v);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_LEAVING);
    assert_null(pcv_device_next_unreachable(t.r.h.host, (pcv_sbdf){0}));
    pcv_device_put(held);
    assert_int_equal(pcv_device_remove(t.r.h.host, CARD_A, NULL, NULL),
                     -PCV_ENODEV);
    assert_int_equal(atomic_load(&pcv__segment_find(t.r.h.host, 0)->kept_count),
                     0);
    /* Who comes there next has its DMA again. */
    numbers(&t, PORT_A, 1, 1);
    assert_false(hosted_found(host_of(&t), CARD_A));
    assert_int_equal(pcv_device_add(t.r.h.host, CARD_A, NULL), 0);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, CARD_A),
                     PCV_DOMAIN_ID_HARDWARE);
    two_end(&t);
}

/* LIFE-5, TOPO-3, TOPO-4 */
static void a_bridge_goes_with_what_cannot_be_reached_behind_it(void **state)
{
    struct pcv_device *held;
    pcv_sbdf busy = {0};
    struct two t;

    (void)state;
    two_start(&t);
    held = hosted_hold(host_of(&t), CARD_A);
    numbers(&t, PORT_A, 0, 0);
    assert_int_equal(pcv_device_remove(t.r.h.host, PORT_A, NULL, &busy),
                     -PCV_EBUSY);
    assert_int_equal(busy.v, CARD_A.v);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_UNREACHABLE);
    pcv_device_put(held);
    assert_int_equal(pcv_device_remove(t.r.h.host, PORT_A, NULL, &busy), 0);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_ABSENT);
    assert_int_equal(hosted_stats(host_of(&t)).devices, 2);

    numbers(&t, PORT_B, 0, 0);
    assert_int_equal(pcv_device_vanished(t.r.h.host, PORT_B), 0);
    assert_true(hosted_status(host_of(&t), CARD_B).vanished);
    assert_int_equal(pcv_device_remove(t.r.h.host, PORT_B, NULL, &busy), 0);
    assert_int_equal(hosted_stats(host_of(&t)).devices, 0);
    two_end(&t);
}

/* LIFE-9, TOPO-4 */
static void what_vanished_meanwhile_is_not_bound(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    numbers(&t, PORT_A, 0, 0);
    assert_int_equal(pcv_device_vanished(t.r.h.host, CARD_A), 0);
    numbers(&t, PORT_A, 5, 5);
    assert_false(hosted_found(host_of(&t), BUS(5)));
    assert_int_equal(pcv_device_remove(t.r.h.host, CARD_A, NULL, NULL), 0);
    assert_int_equal(pcv_device_add(t.r.h.host, BUS(5), NULL), 0);
    two_end(&t);
}

/* TOPO-3, TOPO-4: a PF and its VFs behind bridges behind bridges. */
static void a_whole_tree_goes_while_it_cannot_be_reached(void **state)
{
    pcv_sbdf busy = {0};
    struct renumber r;

    (void)state;
    renumber_tree(&r);
    renumber_write(&r, TREE_ROOT_PORT, PCV_REG_PRIMARY, 4, 0);
    assert_int_equal(r.events[PCV_EVENT_UNREACHABLE], TREE_FUNCTIONS - 3);
    assert_int_equal(pcv_device_remove(r.h.host, TREE_PF, NULL, &busy),
                     -PCV_EBUSY);
    assert_int_equal(busy.v, TREE_VF_0.v);
    assert_int_equal(pcv_device_remove(r.h.host, TREE_PORT_4, NULL, &busy), 0);
    assert_int_equal(hosted_stats(&r.h).devices, TREE_FUNCTIONS - 4);
    assert_int_equal(pcv_device_remove(r.h.host, TREE_ROOT_PORT, NULL, &busy),
                     0);
    assert_int_equal(hosted_stats(&r.h).devices, 2);
    renumber_end(&r);
}

/* TOPO-4, OWN-11 */
static void a_host_ends_with_what_cannot_be_reached(void **state)
{
    struct renumber r;

    (void)state;
    renumber_tree(&r);
    renumber_write(&r, TREE_ROOT_PORT, PCV_REG_PRIMARY, 4, 0);
    renumber_end(&r);
}

/* ---- reports ---------------------------------------------------------------
 */

static int report(struct two *t, pcv_sbdf port, uint8_t primary, uint8_t first,
                  uint8_t last)
{
    return pcv_bridge_report_buses(t->r.h.host, port, primary, first, last);
}

/* Written past the library. */
static void write_past(struct two *t, pcv_sbdf port, uint8_t first,
                       uint8_t last)
{
    assert_int_equal(
        pcv_model_ops()->cfg_write(t->r.h.model, port, PCV_REG_PRIMARY, 4,
                                   (uint32_t)first << 8 | (uint32_t)last << 16),
        0);
}

/* TOPO-4 */
static void a_report_moves_as_a_write_does(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    write_past(&t, PORT_A, 5, 5);
    assert_int_equal(report(&t, PORT_A, 0, 5, 5), 0);
    assert_true(stands(&t, CARD_A, BUS(5)));
    write_past(&t, PORT_A, 0, 0);
    assert_int_equal(report(&t, PORT_A, 0, 0, 0), 0);
    assert_int_equal(state_at(&t, BUS(5)), PCV_STATE_UNREACHABLE);
    write_past(&t, PORT_A, 1, 1);
    assert_int_equal(report(&t, PORT_A, 0, 1, 1), 0);
    renumber_holds(&t.r);
    two_end(&t);
}

/* TOPO-4 */
static void a_report_that_cannot_be_changes_nothing(void **state)
{
    static const struct {
        uint8_t primary, first, last;
    } rows[] = {
        {1, 5, 5}, /* it stands on another bus */
        {0, 0, 5}, /* its own bus */
        {0, 5, 4}, /* backwards */
        {0, 2, 2}, /* the other's */
        {0, 1, 3}, /* likewise */
        {0, 6, 6}, /* its registers say something else */
    };
    struct two t;

    (void)state;
    two_start(&t);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            report(&t, PORT_A, rows[i].primary, rows[i].first, rows[i].last),
            -PCV_EINVAL);
        assert_int_equal(t.r.events[PCV_EVENT_UNREACHABLE], 0);
        renumber_holds(&t.r);
    }
    /* Its registers say so, but they are the other's. */
    write_past(&t, PORT_A, 2, 2);
    assert_int_equal(report(&t, PORT_A, 0, 2, 2), -PCV_EINVAL);
    write_past(&t, PORT_A, 1, 1);
    assert_int_equal(t.r.events[PCV_EVENT_UNREACHABLE], 0);
    renumber_holds(&t.r);
    assert_int_equal(report(&t, CARD_A, 1, 5, 5), -PCV_EINVAL);
    assert_int_equal(report(&t, BUS(9), 9, 10, 10), -PCV_ENODEV);
    assert_int_equal(pcv_bridge_report_buses(NULL, PORT_A, 0, 1, 1),
                     -PCV_EINVAL);
    pcv_model_fail(t.r.h.model, PCV_MODEL_OP_cfg_read, 1);
    assert_int_equal(report(&t, PORT_A, 0, 1, 1), -PCV_EIO);
    renumber_holds(&t.r);
    two_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_numbers_a_function_is_kept_and_not_found),
        cmocka_unit_test(two_bridges_swap_their_numbers),
        cmocka_unit_test(numbers_that_overlap_make_both_unreachable),
        cmocka_unit_test(a_last_bus_that_changes_moves_nobody),
        cmocka_unit_test(another_card_in_its_place_is_another_device),
        cmocka_unit_test(one_that_sleeps_is_bound_and_wakes),
        cmocka_unit_test(it_can_be_removed_by_its_last_address),
        cmocka_unit_test(a_bridge_goes_with_what_cannot_be_reached_behind_it),
        cmocka_unit_test(what_vanished_meanwhile_is_not_bound),
        cmocka_unit_test(a_whole_tree_goes_while_it_cannot_be_reached),
        cmocka_unit_test(a_host_ends_with_what_cannot_be_reached),
        cmocka_unit_test(a_report_moves_as_a_write_does),
        cmocka_unit_test(a_report_that_cannot_be_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Functions that were found behind a bridge in conflict: its bus numbers
 * overlap another's, so that it is bound to no bus, and still it leads to those
 * that nobody else claims. They are its own when it moves, goes, or is reset
 * (TOPO-4, LIFE-5, LIFE-9, OWN-15).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pcivisor/hidden.h"
#include "two_ports.h"

static enum pcv_device_state state_at(struct two *t, pcv_sbdf at)
{
    return hosted_state(host_of(t), at);
}

static int add(struct two *t, pcv_sbdf at)
{
    return pcv_device_add(t->r.h.host, at, NULL);
}

/* Port A claims buses 1 and 2, port B bus 2: card A was found at bus 1, which
 * only port A claims. It is held. */
static struct pcv_device *disturb(struct two *t)
{
    numbers(t, PORT_A, 2, 2);
    assert_int_equal(pcv_device_remove(t->r.h.host, CARD_A, NULL, NULL), 0);
    assert_int_equal(pcv_device_remove(t->r.h.host, CARD_B, NULL, NULL), 0);
    numbers(t, PORT_A, 1, 2);
    assert_true(hosted_info(host_of(t), PORT_A).bus_conflict);
    assert_true(hosted_info(host_of(t), PORT_B).bus_conflict);
    assert_int_equal(add(t, CARD_A), 0);
    t->r.events[PCV_EVENT_UNREACHABLE] = 0;
    return hosted_hold(host_of(t), CARD_A);
}

static struct pcv_device *ready(struct two *t)
{
    two_start(t);
    return disturb(t);
}

static void end(struct two *t, struct pcv_device *card)
{
    pcv_device_put(card);
    two_end(t);
}

/* The card is found there, and nowhere else. */
static void is_at(struct two *t, struct pcv_device *card, pcv_sbdf at)
{
    struct pcv_device *found = pcv_device_find(t->r.h.host, at);

    assert_ptr_equal(found, card);
    pcv_device_put(found);
    assert_int_equal(pcv_device_sbdf(card).v, at.v);
    assert_null(pcv_device_next_unreachable(t->r.h.host, (pcv_sbdf){0}));
    assert_int_equal(hosted_stats(host_of(t)).devices, 3);
}

static bool is_over(struct two *t, pcv_sbdf port, uint8_t bus)
{
    pcv_sbdf up;

    return pcv_topology_upstream(t->r.h.host, 0, bus, &up) == 0 &&
           up.v == port.v;
}

/* OWN-13: what is done to all behind it is done to what was found there. */
static void an_operation_on_all_behind_it_takes_what_was_found_there(
    void **state)
{
    const struct pcv_hide_info all = {.flags = PCV_SUBTREE};
    struct pcv_device *card;
    struct two t;

    (void)state;
    card = ready(&t);
    assert_int_equal(pcv_device_hide(t.r.h.host, PORT_A, &all, NULL), 0);
    assert_int_equal(hosted_status(host_of(&t), CARD_A).owner_id,
                     PCV_DOMAIN_ID_HYPERVISOR);
    assert_int_equal(pcv_device_reveal(t.r.h.host, PORT_A, PCV_SUBTREE, NULL),
                     0);
    assert_int_equal(hosted_status(host_of(&t), CARD_A).owner_id,
                     PCV_DOMAIN_ID_HARDWARE);
    end(&t, card);
}

/* ---- they move -------------------------------------------------------------
 */

/* TOPO-4 */
static void what_was_found_behind_it_moves_with_it(void **state)
{
    struct pcv_device *card;
    struct two t;

    (void)state;
    card = ready(&t);
    numbers(&t, PORT_A, 3, 3);
    is_at(&t, card, BUS(3));
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_ABSENT);
    assert_int_equal(id_at(&t, BUS(3)), 0xaaaa);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, BUS(3)),
                     PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, CARD_A),
                     PCV_DOMAIN_ID_QUARANTINE);
    /* The other one is bound, and what is behind it can be found. */
    assert_true(is_over(&t, PORT_B, 2));
    assert_int_equal(add(&t, CARD_B), 0);
    assert_int_equal(id_at(&t, CARD_B), 0xbbbb);
    end(&t, card);
}

/* TOPO-4, LIFE-8 */
static void without_numbers_it_is_kept_with_its_vectors(void **state)
{
    struct pcv_device *card;
    struct two t;

    (void)state;
    card = ready(&t);
    msi_on(&t, pcv_host_hardware_domain(t.r.h.host), CARD_A);
    numbers(&t, PORT_A, 0, 0);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_UNREACHABLE);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, CARD_A),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_false(delivers(&t, CARD_A, false, PCV_DOMAIN_ID_HARDWARE));
    numbers(&t, PORT_A, 7, 8);
    is_at(&t, card, BUS(7));
    assert_true(delivers(&t, CARD_A, false, PCV_DOMAIN_ID_HARDWARE));
    end(&t, card);
}

/* TOPO-4 */
static void the_other_bridge_leaves_it_where_it_is(void **state)
{
    struct pcv_device *card;
    struct two t;

    (void)state;
    card = ready(&t);
    numbers(&t, PORT_B, 5, 5);
    is_at(&t, card, CARD_A);
    assert_int_equal(t.r.events[PCV_EVENT_UNREACHABLE], 0);
    assert_true(is_over(&t, PORT_A, 1) && is_over(&t, PORT_A, 2));
    assert_int_equal(add(&t, BUS(5)), 0);
    assert_int_equal(id_at(&t, BUS(5)), 0xbbbb);
    /* It is bound now, and moves as ever. */
    numbers(&t, PORT_A, 8, 9);
    assert_int_equal(pcv_device_sbdf(card).v, BUS(8).v);
    end(&t, card);
}

/* TOPO-4: first one lays itself over the other, then that one goes aside. */
static void both_move_in_turn(void **state)
{
    struct pcv_device *card;
    struct two t;

    (void)state;
    card = ready(&t);
    numbers(&t, PORT_B, 1, 1);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_UNREACHABLE);
    assert_int_equal(add(&t, CARD_A), -PCV_EBUSY);
    numbers(&t, PORT_A, 2, 2);
    is_at(&t, card, BUS(2));
    assert_int_equal(add(&t, BUS(1)), 0);
    assert_int_equal(id_at(&t, BUS(1)), 0xbbbb);
    assert_int_equal(id_at(&t, BUS(2)), 0xaaaa);
    end(&t, card);
}

/* TOPO-4: it goes on in conflict, at other numbers and at the same. */
static void while_it_stays_in_conflict_it_leads_nowhere(void **state)
{
    struct pcv_device *card;
    struct two t;

    (void)state;
    card = ready(&t);
    /* The primary bus alone changes nothing. */
    renumber_write(&t.r, PORT_A, PCV_REG_PRIMARY, 1, 9);
    is_at(&t, card, CARD_A);
    assert_int_equal(t.r.events[PCV_EVENT_UNREACHABLE], 0);
    numbers(&t, PORT_A, 1, 5);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_UNREACHABLE);
    assert_true(hosted_info(host_of(&t), PORT_A).bus_conflict);
    numbers(&t, PORT_B, 6, 6);
    is_at(&t, card, CARD_A);
    end(&t, card);
}

/* TOPO-4: it ends because the last bus does. */
static void with_fewer_buses_it_keeps_what_is_on_the_first(void **state)
{
    struct pcv_device *card;
    struct two t;

    (void)state;
    card = ready(&t);
    numbers(&t, PORT_A, 1, 1);
    is_at(&t, card, CARD_A);
    assert_int_equal(t.r.events[PCV_EVENT_UNREACHABLE], 0);
    assert_true(is_over(&t, PORT_A, 1) && is_over(&t, PORT_B, 2));
    end(&t, card);
}

/* TOPO-4, PORT-3: the next change puts it right. */
static void whatever_the_host_fails_it_is_found_again(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_alloc,      PCV_MODEL_OP_cfg_read,
        PCV_MODEL_OP_cfg_write,  PCV_MODEL_OP_dma_attach,
        PCV_MODEL_OP_mmio_write,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        for (uint64_t nth = 1; nth <= 40; nth++) {
            struct pcv_device *card;
            struct two t;

            card = ready(&t);
            msi_on(&t, pcv_host_hardware_domain(t.r.h.host), CARD_A);
            pcv_model_fail(t.r.h.model, ops[i], nth);
            numbers(&t, PORT_A, 3, 3);
            pcv_model_fail(t.r.h.model, ops[i], 0);
            assert_true(
                pcv__is_unreachable(card) ||
                pcv_sbdf_bus(pcv_device_sbdf(card)) ==
                    pcv_model_peek(t.r.h.model, PORT_A, PCV_REG_SECONDARY, 1));
            numbers(&t, PORT_A, 0, 0);
            numbers(&t, PORT_A, 4, 4);
            is_at(&t, card, BUS(4));
            end(&t, card);
        }
    }
}

/* TOPO-4: nobody knows which one answers. */
static void nothing_is_added_where_two_of_them_claim_a_bus(void **state)
{
    struct pcv_device *card;
    struct two t;

    (void)state;
    card = ready(&t);
    assert_int_equal(add(&t, CARD_B), -PCV_EBUSY);
    is_at(&t, card, CARD_A);
    end(&t, card);
}

/* ---- it goes ---------------------------------------------------------------
 */

/* LIFE-5, LIFE-6, TOPO-3, TOPO-4 */
static void it_goes_with_what_was_found_behind_it(void **state)
{
    struct pcv_device *card;
    pcv_sbdf busy = {0};
    struct two t;

    (void)state;
    card = ready(&t);
    assert_int_equal(pcv_device_remove(t.r.h.host, PORT_A, NULL, &busy),
                     -PCV_EBUSY);
    assert_int_equal(busy.v, CARD_A.v);
    /* The other one takes nothing along. */
    assert_int_equal(pcv_device_remove(t.r.h.host, PORT_B, NULL, NULL), 0);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_PRESENT);
    pcv_device_put(card);
    assert_int_equal(pcv_device_remove(t.r.h.host, PORT_A, NULL, NULL), 0);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_ABSENT);
    assert_int_equal(hosted_stats(host_of(&t)).devices, 0);
    two_end(&t);
}

/* LIFE-9, TOPO-4 */
static void what_was_found_behind_it_vanishes_with_it(void **state)
{
    struct pcv_device *card;
    struct two t;

    (void)state;
    card = ready(&t);
    assert_int_equal(pcv_device_vanished(t.r.h.host, PORT_B), 0);
    assert_false(hosted_status(host_of(&t), CARD_A).vanished);
    assert_int_equal(pcv_device_vanished(t.r.h.host, PORT_A), 0);
    assert_true(hosted_status(host_of(&t), CARD_A).vanished);
    assert_int_equal(pcv_device_remove(t.r.h.host, PORT_A, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_LEAVING);
    end(&t, card);
}

static struct pcv_host *goes_in; /* the port, when its card is read */

static int read_and_go(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                       uint32_t *out_value)
{
    struct pcv_host *host = goes_in;

    if (host && sbdf.v == CARD_A.v) {
        goes_in = NULL;
        assert_int_equal(pcv_device_vanished(host, PORT_A), 0);
    }
    return pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out_value);
}

/* LIFE-9: what is just being added is gone as well. */
static void nothing_is_added_behind_it_once_it_has_vanished(void **state)
{
    struct two t;

    (void)state;
    two_build(&t);
    t.r.h.ops.cfg_read = read_and_go;
    two_run(&t);
    pcv_device_put(disturb(&t));
    assert_int_equal(pcv_device_remove(t.r.h.host, CARD_A, NULL, NULL), 0);
    goes_in = t.r.h.host;
    assert_int_equal(add(&t, CARD_A), -PCV_ENODEV);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_ABSENT);
    two_end(&t);
}

/* ---- a guest has it --------------------------------------------------------
 */

static uint32_t numbers_of(struct two *t, pcv_sbdf port)
{
    return pcv_model_peek(t->r.h.model, port, PCV_REG_PRIMARY, 4) & 0xffffff;
}

/* As ready(), and the guest has the card. */
static void given(struct two *t)
{
    pcv_device_put(ready(t));
    assert_int_equal(change(t, CARD_A, true), 0);
}

static uint32_t guests_id(struct two *t)
{
    return owner_read(t->guest, t->at, PCV_REG_VENDOR, 4);
}

/* OWN-15, TOPO-4 */
static void what_would_take_it_from_a_guest_is_not_written(void **state)
{
    struct two t;

    (void)state;
    given(&t);
    numbers(&t, PORT_A, 3, 3);
    assert_int_equal(numbers_of(&t, PORT_A), 0x020100);
    renumber_write(&t.r, PORT_A, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    assert_int_equal(
        pcv_model_peek(t.r.h.model, PORT_A, PCV_REG_BRIDGE_CONTROL, 2), 0);
    /* Nor may the other one claim its bus. */
    numbers(&t, PORT_B, 1, 1);
    assert_int_equal(numbers_of(&t, PORT_B), 0x020200);
    assert_int_equal(guests_id(&t), 0xaaaa1234);
    /* It may go aside. */
    numbers(&t, PORT_B, 5, 5);
    assert_int_equal(numbers_of(&t, PORT_B), 0x050500);
    assert_int_equal(guests_id(&t), 0xaaaa1234);
    /* Bound, it is guarded as before; and not when the guest has gone. */
    numbers(&t, PORT_A, 3, 3);
    assert_int_equal(numbers_of(&t, PORT_A), 0x020100);
    assert_int_equal(change(&t, CARD_A, false), 0);
    numbers(&t, PORT_A, 3, 3);
    assert_int_equal(numbers_of(&t, PORT_A), 0x030300);
    two_end(&t);
}

/* LIFE-5: its removal waits for the guest. */
static void it_is_removed_when_the_guest_gives_it_back(void **state)
{
    struct two t;

    (void)state;
    given(&t);
    assert_int_equal(pcv_device_remove(t.r.h.host, PORT_A, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(change(&t, CARD_A, false), 0);
    assert_int_equal(state_at(&t, CARD_A), PCV_STATE_ABSENT);
    assert_int_equal(state_at(&t, PORT_A), PCV_STATE_ABSENT);
    assert_int_equal(hosted_stats(host_of(&t)).devices, 1);
    two_end(&t);
}

/* OWN-15: the mark of the bridge goes with the last guest. */
static void numbers_are_the_domains_when_the_guest_has_gone(void **state)
{
    struct two t;

    (void)state;
    given(&t);
    assert_int_equal(change(&t, CARD_A, false), 0);
    numbers(&t, PORT_A, 3, 3);
    assert_int_equal(numbers_of(&t, PORT_A), 0x030300);
    assert_true(hosted_found(host_of(&t), BUS(3)));
    two_end(&t);
}

/* TOPO-4, OWN-6: past the library nobody asks. */
static void a_report_moves_it_with_its_guest(void **state)
{
    struct two t;

    (void)state;
    given(&t);
    elsewhere(&t, PORT_A, 3, 3);
    assert_int_equal(guests_id(&t), 0xaaaa1234);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, BUS(3)), GUEST);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, CARD_A),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(change(&t, BUS(3), false), 0);
    two_end(&t);
}

/* OWN-15: the bridge's own numbers, and those of one that lays itself over it.
 */
static void an_override_takes_it_from_its_guest(void **state)
{
    (void)state;
    for (int other = 0; other < 2; other++) {
        const pcv_sbdf port = other ? PORT_B : PORT_A;
        const uint8_t bus = other ? 1 : 3;
        struct two t;

        given(&t);
        assert_int_equal(pcv_device_override(t.r.h.host, port, true), 0);
        numbers(&t, port, bus, bus);
        assert_int_equal(numbers_of(&t, port) >> 16, bus);
        assert_int_equal(t.r.events[PCV_EVENT_OVERRIDDEN], 1);
        assert_int_equal(guests_id(&t), 0xffffffff);
        assert_int_equal(pcv_domain_destroy(t.guest), 0);
        two_end(&t);
    }
}

/* ---- firmware left it so ---------------------------------------------------
 */

#define PORT_C pcv_test_at(0, 0, 3, 0)
#define SWITCH BUS(4)
#define CARD_C BUS(5)

/*
 * A third port leads to all buses from 4 on, says firmware, and to bus 9 the
 * second one was bound before:
 *
 *   00:01.0 root port, bus 1           01:00.0 card
 *   00:02.0 root port, bus 9           09:00.0 card
 *   00:03.0 root port, buses 4 to 255  04:00.0 bridge, bus 5
 *                                      05:00.0 card
 */
static void build(struct two *t)
{
    struct pcv_test_function f;

    two_build(t);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 4, 5);
    pcv_test_add(t->r.h.model, &f, PORT_C);
}

static void scan(struct two *t)
{
    hosted_start(&t->r.h);
    pcv_test_write(t->r.h.model, PORT_B, PCV_REG_SUBORDINATE, 1, 9);
    pcv_test_write(t->r.h.model, PORT_B, PCV_REG_SECONDARY, 1, 9);
    pcv_test_write(t->r.h.model, PORT_C, PCV_REG_SUBORDINATE, 1, 0xff);
    assert_int_equal(hosted_scan(&t->r.h), 7);
    assert_false(hosted_info(host_of(t), PORT_B).bus_conflict);
    assert_true(hosted_info(host_of(t), PORT_C).bus_conflict);
}

static void scanned(struct two *t)
{
    struct pcv_test_function f;

    build(t);
    pcv_test_bridge(&f, 4, 5, 5);
    pcv_test_add(t->r.h.model, &f, SWITCH);
    two_card(t, 0xcccc, 0x90200000, CARD_C);
    scan(t);
}

/* TOPO-2, TOPO-4 */
static void what_a_scan_found_moves_with_it(void **state)
{
    struct pcv_device *over, *card;
    struct two t;

    (void)state;
    scanned(&t);
    over = hosted_hold(host_of(&t), SWITCH);
    card = hosted_hold(host_of(&t), CARD_C);
    numbers(&t, PORT_C, 0x20, 0x21);
    assert_int_equal(pcv_device_sbdf(over).v, BUS(0x20).v);
    assert_int_equal(state_at(&t, CARD_C), PCV_STATE_UNREACHABLE);
    numbers(&t, BUS(0x20), 0x21, 0x21);
    assert_int_equal(pcv_device_sbdf(card).v, BUS(0x21).v);
    assert_int_equal(id_at(&t, BUS(0x21)), 0xcccc);
    assert_int_equal(id_at(&t, BUS(9)), 0xbbbb);
    assert_int_equal(t.r.events[PCV_EVENT_UNREACHABLE], 2);
    assert_int_equal(hosted_stats(host_of(&t)).devices, 7);
    pcv_device_put(over);
    pcv_device_put(card);
    hosted_end(host_of(&t));
}

/* TOPO-4: a bridge beside it may have any bus on which nothing was found. */
static void others_move_among_its_buses(void **state)
{
    struct pcv_device *card;
    struct two t;

    (void)state;
    scanned(&t);
    card = hosted_hold(host_of(&t), BUS(9));
    numbers(&t, PORT_B, 0x30, 0x30);
    assert_int_equal(state_at(&t, SWITCH), PCV_STATE_PRESENT);
    assert_int_equal(state_at(&t, CARD_C), PCV_STATE_PRESENT);
    /* Here it takes what stands there, and all that goes with it. */
    numbers(&t, PORT_B, 5, 5);
    assert_int_equal(state_at(&t, SWITCH), PCV_STATE_UNREACHABLE);
    assert_int_equal(state_at(&t, CARD_C), PCV_STATE_UNREACHABLE);
    numbers(&t, PORT_B, 2, 2);
    assert_int_equal(pcv_device_sbdf(card).v, CARD_B.v);
    assert_int_equal(id_at(&t, CARD_C), 0xcccc);
    assert_int_equal(t.r.events[PCV_EVENT_VANISHED], 0);
    pcv_device_put(card);
    hosted_end(host_of(&t));
}

/* SRIOV-2, TOPO-4: a VF is on a further bus than its PF. */
static void a_vf_goes_with_its_pf(void **state)
{
    struct pcv_device *pf, *vf;
    struct pcv_test_function f;
    struct two t;

    (void)state;
    build(&t);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 4, 1, 0x100, 1);
    pcv_test_add(t.r.h.model, &f, BUS(4));
    pcv_test_vf(&f, BUS(4));
    pcv_test_add(t.r.h.model, &f, BUS(5));
    scan(&t);
    pf = hosted_hold(host_of(&t), BUS(4));
    vf = hosted_hold(host_of(&t), BUS(5));
    numbers(&t, PORT_B, 5, 5);
    assert_int_equal(state_at(&t, BUS(4)), PCV_STATE_UNREACHABLE);
    assert_int_equal(state_at(&t, BUS(5)), PCV_STATE_UNREACHABLE);
    numbers(&t, PORT_C, 0x20, 0x21);
    assert_int_equal(pcv_device_sbdf(pf).v, BUS(0x20).v);
    assert_int_equal(pcv_device_sbdf(vf).v, BUS(0x21).v);
    assert_int_equal(id_at(&t, BUS(5)), 0xbbbb);
    assert_int_equal(hosted_stats(host_of(&t)).devices, 7);
    pcv_device_put(pf);
    pcv_device_put(vf);
    hosted_end(host_of(&t));
}

/* TOPO-3, TOPO-4: one that cannot be reached hangs on a bridge that can. */
static void all_of_it_goes_with_the_port(void **state)
{
    struct two t;

    (void)state;
    scanned(&t);
    numbers(&t, SWITCH, 0, 0);
    assert_int_equal(state_at(&t, CARD_C), PCV_STATE_UNREACHABLE);
    assert_int_equal(pcv_device_remove(t.r.h.host, PORT_C, NULL, NULL), 0);
    assert_int_equal(state_at(&t, SWITCH), PCV_STATE_ABSENT);
    assert_int_equal(state_at(&t, CARD_C), PCV_STATE_ABSENT);
    assert_int_equal(hosted_stats(host_of(&t)).devices, 4);
    hosted_end(host_of(&t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            an_operation_on_all_behind_it_takes_what_was_found_there),
        cmocka_unit_test(what_was_found_behind_it_moves_with_it),
        cmocka_unit_test(without_numbers_it_is_kept_with_its_vectors),
        cmocka_unit_test(the_other_bridge_leaves_it_where_it_is),
        cmocka_unit_test(both_move_in_turn),
        cmocka_unit_test(while_it_stays_in_conflict_it_leads_nowhere),
        cmocka_unit_test(with_fewer_buses_it_keeps_what_is_on_the_first),
        cmocka_unit_test(whatever_the_host_fails_it_is_found_again),
        cmocka_unit_test(nothing_is_added_where_two_of_them_claim_a_bus),
        cmocka_unit_test(it_goes_with_what_was_found_behind_it),
        cmocka_unit_test(what_was_found_behind_it_vanishes_with_it),
        cmocka_unit_test(nothing_is_added_behind_it_once_it_has_vanished),
        cmocka_unit_test(what_would_take_it_from_a_guest_is_not_written),
        cmocka_unit_test(it_is_removed_when_the_guest_gives_it_back),
        cmocka_unit_test(numbers_are_the_domains_when_the_guest_has_gone),
        cmocka_unit_test(a_report_moves_it_with_its_guest),
        cmocka_unit_test(an_override_takes_it_from_its_guest),
        cmocka_unit_test(what_a_scan_found_moves_with_it),
        cmocka_unit_test(others_move_among_its_buses),
        cmocka_unit_test(a_vf_goes_with_its_pf),
        cmocka_unit_test(all_of_it_goes_with_the_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

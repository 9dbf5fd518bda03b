/* SPDX-License-Identifier: MIT */
/*
 * Host operations that fail while bus numbers change (PORT-3, TOPO-4): at every
 * call, of every kind. Nothing is ever found where numbers do not lead to it,
 * no requester ID is another's, and the next change puts everything right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "two_ports.h"

/* Card A is a guest's, card B sends messages; they swap, and one goes on. */
static void ready(struct two *t)
{
    struct pcv_domain *hardware;

    two_start(t);
    hardware = pcv_host_hardware_domain(t->r.h.host);
    assert_int_equal(change(t, CARD_A, true), 0);
    owner_write(t->guest, t->at, PCV_REG_BAR0, 4, WINDOW);
    owner_write(t->guest, t->at, PCV_REG_COMMAND, 2,
                PCV_CMD_MEMORY | PCV_CMD_MASTER);
    msix_on(t, t->guest, t->at, WINDOW);
    msi_on(t, hardware, CARD_B);
}

static void swap(struct two *t)
{
    numbers(t, PORT_A, 0, 0);
    numbers(t, PORT_B, 1, 1);
    numbers(t, PORT_A, 2, 2);
    numbers(t, PORT_B, 7, 8);
}

/* Whatever failed: who can be found is who stands there, and nobody's DMA
 * reaches another's memory. */
static void nothing_is_mixed_up(struct two *t)
{
    for (size_t i = 0; i < t->r.count; i++) {
        const struct soldered *s = &t->r.all[i];
        pcv_sbdf place, at = pcv__device_sbdf(s->device);
        struct pcv_device *found = pcv_device_find(t->r.h.host, at);

        if (!pcv__is_unreachable(s->device)) {
            assert_ptr_equal(found, s->device);
            assert_true(renumber_place(&t->r, s, &place));
            assert_int_equal(place.v, at.v);
            assert_int_equal(pcv_model_dma_domain(t->r.h.model, at),
                             s->first.v == CARD_A.v ? GUEST
                                                    : PCV_DOMAIN_ID_HARDWARE);
        } else {
            assert_true(found != s->device);
        }
        pcv_device_put(found);
    }
    assert_int_equal(hosted_stats(host_of(t)).devices, t->r.count);
    assert_int_equal(pcv_model_bind_errors(t->r.h.model), 0);
}

/* TOPO-4, PORT-3 */
static void whatever_the_host_fails_the_next_change_mends(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_alloc,      PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write,
        PCV_MODEL_OP_dma_attach, PCV_MODEL_OP_msi_bind, PCV_MODEL_OP_mmio_read,
        PCV_MODEL_OP_mmio_write,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        uint64_t calls = 1;

        for (uint64_t nth = 1; nth <= calls; nth++) {
            struct two t;

            ready(&t);
            pcv_model_fail(t.r.h.model, ops[i], nth);
            calls = pcv_model_calls(t.r.h.model, ops[i]);
            swap(&t);
            calls = pcv_model_calls(t.r.h.model, ops[i]) - calls;
            pcv_model_fail(t.r.h.model, ops[i], 0);
            nothing_is_mixed_up(&t);
            numbers(&t, PORT_A, 0, 0);
            numbers(&t, PORT_B, 0, 0);
            numbers(&t, PORT_A, 1, 1);
            numbers(&t, PORT_B, 2, 2);
            nothing_is_mixed_up(&t);
            renumber_holds(&t.r);
            assert_int_equal(owner_read(t.guest, t.at, PCV_REG_VENDOR, 4),
                             0xaaaa1234);
            assert_int_equal(change(&t, CARD_A, false), 0);
            two_end(&t);
        }
    }
}

/* TOPO-4, LIFE-7: an add is what tries again. */
static void what_could_not_be_bound_is_bound_when_it_is_added(void **state)
{
    static const enum pcv_model_op ops[] = {PCV_MODEL_OP_dma_attach,
                                            PCV_MODEL_OP_alloc};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct two t;

        two_start(&t);
        numbers(&t, PORT_A, 0, 0);
        pcv_model_fail(t.r.h.model, ops[i], 1);
        numbers(&t, PORT_A, 9, 9);
        assert_false(hosted_found(host_of(&t), BUS(9)));
        assert_int_equal(t.r.events[PCV_EVENT_MOVE_FAILED], 1);
        assert_int_equal(hosted_state(host_of(&t), CARD_A),
                         PCV_STATE_UNREACHABLE);
        pcv_model_fail(t.r.h.model, ops[i], 1);
        assert_int_equal(pcv_device_add(t.r.h.host, BUS(9), NULL),
                         i == 0 ? -PCV_EIO : -PCV_ENOMEM);
        assert_int_equal(pcv_device_add(t.r.h.host, BUS(9), NULL), 0);
        renumber_holds(&t.r);
        two_end(&t);
    }
}

/* TOPO-4, LIFE-7: what leaves still has the address. */
static void it_waits_for_the_one_that_leaves(void **state)
{
    struct pcv_device *held;
    struct two t;

    (void)state;
    two_start(&t);
    held = hosted_hold(host_of(&t), CARD_B);
    numbers(&t, PORT_A, 0, 0);
    assert_int_equal(pcv_device_remove(t.r.h.host, CARD_B, NULL, NULL),
                     -PCV_EBUSY);
    numbers(&t, PORT_B, 0, 0);
    numbers(&t, PORT_A, 2, 2);
    assert_int_equal(hosted_state(host_of(&t), CARD_A), PCV_STATE_UNREACHABLE);
    assert_int_equal(pcv_device_add(t.r.h.host, CARD_B, NULL), -PCV_EBUSY);
    pcv_device_put(held);
    assert_int_equal(pcv_device_add(t.r.h.host, CARD_B, NULL), 0);
    assert_true(stands(&t, CARD_A, BUS(2)));
    two_end(&t);
}

static bool no_blocking;

static int refuse_to_block(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    return no_blocking && domain_id == PCV_DOMAIN_ID_QUARANTINE
               ? -PCV_EIO
               : pcv_model_ops()->dma_attach(ctx, requester, domain_id);
}

/* TOPO-4: it is told, and who comes to that requester ID has it attached. */
static void what_cannot_be_blocked_does_not_stay_anothers(void **state)
{
    struct two t;

    (void)state;
    two_build(&t);
    t.r.h.ops.dma_attach = refuse_to_block;
    two_run(&t);
    assert_int_equal(change(&t, CARD_A, true), 0);
    no_blocking = true;
    elsewhere(&t, PORT_A, 0, 0);
    no_blocking = false;
    assert_int_equal(t.r.events[PCV_EVENT_MOVE_FAILED], 1);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, CARD_A), GUEST);
    assert_int_equal(pcv_device_remove(t.r.h.host, CARD_B, NULL, NULL), 0);
    elsewhere(&t, PORT_B, 1, 1);
    assert_int_equal(pcv_device_add(t.r.h.host, BUS(1), NULL), 0);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, BUS(1)),
                     PCV_DOMAIN_ID_HARDWARE);
    elsewhere(&t, PORT_A, 2, 2);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, BUS(2)), GUEST);
    two_end(&t);
}

/* TOPO-4: the write was lost, so nothing has changed. */
static void a_write_that_is_lost_leaves_everything_where_it_was(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    pcv_model_fail(t.r.h.model, PCV_MODEL_OP_cfg_write, 1);
    numbers(&t, PORT_A, 9, 9);
    assert_int_equal(pcv_model_peek(t.r.h.model, PORT_A, PCV_REG_SECONDARY, 1),
                     1);
    assert_true(stands(&t, CARD_A, CARD_A));
    renumber_holds(&t.r);
    two_end(&t);
}

/* TOPO-4: a host without an IOMMU, or without vectors, of its own. */
static void a_host_that_has_neither_moves_them_all_the_same(void **state)
{
    struct two t;

    (void)state;
    two_build(&t);
    t.r.h.ops.dma_attach = NULL;
    t.r.h.ops.msi_bind = NULL;
    t.r.h.ops.msi_unbind = NULL;
    two_run(&t);
    numbers(&t, PORT_A, 9, 9);
    assert_true(stands(&t, CARD_A, BUS(9)));
    renumber_holds(&t.r);
    two_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_the_host_fails_the_next_change_mends),
        cmocka_unit_test(what_could_not_be_bound_is_bound_when_it_is_added),
        cmocka_unit_test(it_waits_for_the_one_that_leaves),
        cmocka_unit_test(a_write_that_is_lost_leaves_everything_where_it_was),
        cmocka_unit_test(what_cannot_be_blocked_does_not_stay_anothers),
        cmocka_unit_test(a_host_that_has_neither_moves_them_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

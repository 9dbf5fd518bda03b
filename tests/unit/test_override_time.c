/* SPDX-License-Identifier: MIT */
/*
 * What a guest loses by a write that the administrator let through is reset on
 * the way, and then has its time (OWN-15, SRIOV-3): nobody waits for it, and
 * nobody asks too early who stands at its address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protected_fixture.h"

#define ONES 0xffffffffu
#define IDS 0x56781234u
#define RESET_US 100000u

static void start(struct guarded *g, pcv_sbdf given)
{
    guarded_start(g);
    assert_int_equal(guarded_give(g, given), 0);
    pcv_model_set_clock(g->h.model, true);
    pcv_model_advance_us(g->h.model, 1000000);
}

static void end(struct guarded *g)
{
    assert_int_equal(pcv_model_early_accesses(g->h.model), 0);
    guarded_end(g);
}

/* A window is moved, which resets nothing behind it. */
static void take(struct guarded *g)
{
    assert_int_equal(pcv_device_override(g->h.host, ASIDE, true), 0);
    guarded_write(g, ASIDE, PCV_REG_MEM_BASE, 4, 0x0000fff0);
    assert_int_equal(g->events[PCV_EVENT_OVERRIDDEN], 1);
}

static uint32_t ids(struct guarded *g, pcv_sbdf at)
{
    return hosted_read(&g->h, at, PCV_REG_VENDOR, 4);
}

static void advance(struct guarded *g, uint64_t us)
{
    pcv_model_advance_us(g->h.model, us);
}

/* OWN-15, LIFE-12: however it is asked for. */
static void it_is_not_asked_before_its_time(void **state)
{
    struct pcv_scan scan = {0};
    struct guarded g;

    (void)state;
    start(&g, CARD);
    take(&g);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ids(&g, CARD), ONES);
        assert_int_equal(pcv_device_add(g.h.host, CARD, NULL), -PCV_EBUSY);
        memset(&scan, 0, sizeof(scan));
        assert_int_equal(pcv_host_scan(g.h.host, &scan, 0), 0);
        assert_int_equal(scan.found, 0);
        assert_int_equal(pcv_device_remove(g.h.host, CARD, NULL, NULL),
                         -PCV_EBUSY);
        assert_int_equal(hosted_state(&g.h, CARD), PCV_STATE_LEAVING);
        advance(&g, RESET_US - 1u);
    }
    assert_int_equal(ids(&g, CARD), IDS);
    assert_int_equal(hosted_status(&g.h, CARD).owner_id,
                     PCV_DOMAIN_ID_HARDWARE);
    end(&g);
}

/* OWN-15, LIFE-6: when its time is over it is gone, whoever comes by. */
static void when_its_time_is_over_it_is_gone(void **state)
{
    uint64_t wait = 0;
    struct guarded g;

    (void)state;
    start(&g, CARD);
    take(&g);
    assert_int_equal(pcv_domain_destroy(g.guest), 0);
    advance(&g, 40000);
    assert_int_equal(pcv_host_work(g.h.host, &wait), 0);
    assert_int_equal(wait, RESET_US - 40000u);
    advance(&g, wait);
    assert_int_equal(pcv_host_work(g.h.host, &wait), 0);
    assert_int_equal(wait, 0);
    assert_int_equal(hosted_state(&g.h, CARD), PCV_STATE_ABSENT);
    assert_int_equal(pcv_device_add(g.h.host, CARD, NULL), 0);
    end(&g);
}

/* TOPO-3: nor is it in the way of its bridge any longer than that; or of the
 * host's end. */
static void it_keeps_nothing_for_good(void **state)
{
    pcv_sbdf busy = {0};
    struct guarded g;

    (void)state;
    start(&g, CARD);
    take(&g);
    assert_int_equal(pcv_device_remove(g.h.host, ASIDE, NULL, &busy),
                     -PCV_EBUSY);
    assert_int_equal(busy.v, CARD.v);
    advance(&g, RESET_US);
    assert_int_equal(pcv_device_remove(g.h.host, ASIDE, NULL, &busy), 0);
    end(&g);
    start(&g, CARD);
    take(&g);
    end(&g);
}

static struct guarded *taken_beside; /* or NULL: not any more */

static int attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    struct guarded *g = taken_beside;

    if (g && requester.v == CARD.v && domain_id == PCV_DOMAIN_ID_QUARANTINE) {
        taken_beside = NULL;
        take(g);
    }
    return pcv_model_ops()->dma_attach(ctx, requester, domain_id);
}

/* OWN-15, PORT-3: it is lost while it changes its owner, so nobody has removed
 * it when the host ends. */
static void it_is_not_in_the_way_of_the_end_while_it_is_registered(void **state)
{
    struct guarded g;

    (void)state;
    guarded_build(&g);
    g.h.ops.dma_attach = attach;
    guarded_run(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    pcv_model_set_clock(g.h.model, true);
    pcv_model_advance_us(g.h.model, 1000000);
    taken_beside = &g;
    (void)guarded_take(&g, CARD);
    assert_null(taken_beside);
    assert_int_equal(hosted_state(&g.h, CARD), PCV_STATE_PRESENT);
    end(&g);
}

/* OWN-15, TOPO-4: bus numbers that move it wait, so that it is not asked at its
 * new address either. */
static void it_is_not_moved_before_its_time(void **state)
{
    const pcv_sbdf moved = pcv_test_at(0, 9, 0, 0);
    struct pcv_access access = PCV_WRITE(ASIDE, PCV_REG_PRIMARY, 4, 0x00090900);
    struct guarded g;

    (void)state;
    start(&g, CARD);
    assert_int_equal(pcv_device_override(g.h.host, ASIDE, true), 0);
    assert_int_equal(pcv_access(g.hardware, &access), PCV_PENDING);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(pcv_access_resume(g.hardware, &access), PCV_PENDING);
    }
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_SECONDARY, 1), 4);
    assert_int_equal(g.events[PCV_EVENT_OVERRIDDEN], 1);
    advance(&g, RESET_US);
    for (int i = 0; i < 10; i++) {
        if (pcv_access_resume(g.hardware, &access) == PCV_DONE) {
            break;
        }
    }
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_SECONDARY, 1), 9);
    assert_int_equal(ids(&g, moved), IDS);
    end(&g);
}

/* OWN-15, SRIOV-1: a VF is enabled still, and reset all the same. */
static void a_vf_has_its_time_as_well(void **state)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF, .physfn = PF};
    struct guarded g;
    int error = -PCV_ERESTART;

    (void)state;
    start(&g, VF_1);
    assert_int_equal(pcv_device_override(g.h.host, PF, true), 0);
    guarded_write(&g, PF, pf_sriov + PCV_SRIOV_CTRL, 2, PCV_SRIOV_CTRL_VFE);
    assert_int_equal(g.events[PCV_EVENT_OVERRIDDEN], 1);
    assert_int_equal(ids(&g, VF_1), ONES);
    assert_int_equal(pcv_device_add(g.h.host, VF_1, &info), -PCV_EBUSY);
    advance(&g, RESET_US);
    for (int i = 0; i < 10 && error == -PCV_ERESTART; i++) {
        error = pcv_device_add(g.h.host, VF_1, &info);
    }
    assert_int_equal(error, 0);
    end(&g);
}

/* OWN-15, SRIOV-3: its guest reset it just before. It is not touched then, and
 * has the rest of that time. */
static void what_its_guest_reset_is_left_alone(void **state)
{
    struct pcv_access flr;
    struct guarded g;

    (void)state;
    start(&g, CARD);
    flr = PCV_WRITE(g.at, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(guarded_access(g.guest, &flr), PCV_DONE);
    advance(&g, 30000);
    take(&g);
    assert_int_equal(pcv_model_early_accesses(g.h.model), 0);
    advance(&g, RESET_US - 30001u);
    assert_int_equal(ids(&g, CARD), ONES);
    advance(&g, 1);
    assert_int_equal(ids(&g, CARD), IDS);
    end(&g);
}

/* OWN-15, OWN-5: what its guest has under way was waited for, which is no
 * reason not to reset it. */
static void what_is_silenced_is_reset_all_the_same(void **state)
{
    struct pcv_access on;
    struct guarded g;

    (void)state;
    start(&g, CARD);
    on = PCV_WRITE(g.at, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_int_equal(guarded_access(g.guest, &on), PCV_DONE);
    on = PCV_WRITE(g.at, PCV_REG_BAR0, 4, 0x80010000);
    assert_int_equal(guarded_access(g.guest, &on), PCV_DONE);
    assert_int_equal(pcv_model_set_pending(g.h.model, CARD, UINT64_MAX), 0);
    assert_int_equal(pcv_device_deassign(g.h.host, CARD), -PCV_ERESTART);
    take(&g);
    assert_int_equal(guarded_peek(&g, CARD, PCV_REG_BAR0, 4), 0); /* FLR */
    assert_int_equal(ids(&g, CARD), ONES);
    advance(&g, RESET_US);
    assert_int_equal(ids(&g, CARD), IDS);
    end(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_not_asked_before_its_time),
        cmocka_unit_test(when_its_time_is_over_it_is_gone),
        cmocka_unit_test(it_keeps_nothing_for_good),
        cmocka_unit_test(
            it_is_not_in_the_way_of_the_end_while_it_is_registered),
        cmocka_unit_test(it_is_not_moved_before_its_time),
        cmocka_unit_test(a_vf_has_its_time_as_well),
        cmocka_unit_test(what_its_guest_reset_is_left_alone),
        cmocka_unit_test(what_is_silenced_is_reset_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The administrator lets the hardware domain take functions away from guests
 * (OWN-15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protected_fixture.h"

#define ONES 0xffffffffu

static void override(struct guarded *g, pcv_sbdf at, bool on)
{
    assert_int_equal(pcv_device_override(g->h.host, at, on), 0);
}

/* The function is gone for its guest, as if it had been pulled, and nothing of
 * it is the guest's any more. */
static void is_lost(struct guarded *g, pcv_sbdf at, pcv_sbdf to)
{
    assert_int_equal(guarded_ids(g), ONES);
    assert_int_equal(g->events[PCV_EVENT_OVERRIDDEN], 1);
    assert_int_equal(g->last[PCV_EVENT_OVERRIDDEN].sbdf.v, at.v);
    assert_int_equal(g->last[PCV_EVENT_OVERRIDDEN].arg[0], to.v);
    assert_int_equal(g->events[PCV_EVENT_VANISHED], 1);
    assert_int_equal(hosted_state(&g->h, at), PCV_STATE_ABSENT);
    assert_int_equal(pcv_model_dma_domain(g->h.model, at),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(guarded_dropped(g), 0);
    assert_int_equal(pcv_domain_destroy(g->guest), 0);
}

/* OWN-15, LIFE-9 */
static void an_overridden_reset_is_a_surprise_removal(void **state)
{
    struct pcv_access access =
        PCV_WRITE(ASIDE, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    override(&g, ASIDE, true);
    /* It is performed once, when the function is its guest's no more. */
    assert_int_equal(pcv_access(g.hardware, &access), PCV_PENDING);
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2), 0);
    assert_int_equal(guarded_ids(&g), 0x56781234);
    assert_int_equal(guarded_access(g.hardware, &access), PCV_DONE);
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2),
                     PCV_BRIDGE_RESET);
    is_lost(&g, CARD, ASIDE);
    /* After the reset the hardware domain finds it, and it is its own. */
    guarded_write(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2, 0);
    assert_int_equal(hosted_read(&g.h, CARD, PCV_REG_VENDOR, 4), 0x56781234);
    assert_int_equal(hosted_status(&g.h, CARD).owner_id,
                     PCV_DOMAIN_ID_HARDWARE);
    guarded_end(&g);
}

/* OWN-15: what the guest left in it does not go on where the write resets
 * nothing: it is neither bus master nor what it was programmed to be. */
static void what_is_taken_away_is_silent(void **state)
{
    struct pcv_access on;
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    on = PCV_WRITE(g.at, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_int_equal(guarded_access(g.guest, &on), PCV_DONE);
    assert_int_equal(guarded_peek(&g, CARD, PCV_REG_COMMAND, 2) &
                         PCV_CMD_MASTER,
                     PCV_CMD_MASTER);
    override(&g, ASIDE, true);
    guarded_write(&g, ASIDE, PCV_REG_MEM_BASE, 4, 0x0000fff0);
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_MEM_BASE, 2), 0xfff0);
    assert_int_equal(guarded_peek(&g, CARD, PCV_REG_COMMAND, 2), 0);
    assert_int_equal(guarded_peek(&g, CARD, PCV_REG_BAR0, 4), 0); /* FLR */
    is_lost(&g, CARD, ASIDE);
    guarded_end(&g);
}

/* OWN-15, SRIOV-1 */
static void an_overridden_pf_loses_its_vfs(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, VF_1), 0);
    override(&g, PF, true);
    guarded_write(&g, PF, pf_sriov + PCV_SRIOV_CTRL, 2, 0);
    assert_int_equal(guarded_peek(&g, PF, pf_sriov + PCV_SRIOV_CTRL, 2), 0);
    is_lost(&g, VF_1, PF);
    assert_int_equal(hosted_state(&g.h, VF_0), PCV_STATE_ABSENT);
    assert_int_equal(hosted_state(&g.h, PF), PCV_STATE_PRESENT);
    guarded_end(&g);
}

/* OWN-15, TOPO-4 */
static void overridden_bus_numbers_move_everything(void **state)
{
    const pcv_sbdf moved = pcv_test_at(0, 9, 0, 0);
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    override(&g, ASIDE, true);
    guarded_write(&g, ASIDE, PCV_REG_PRIMARY, 4, 0x00090900);
    is_lost(&g, CARD, ASIDE);
    assert_int_equal(hosted_read(&g.h, moved, PCV_REG_VENDOR, 4), 0x56781234);
    assert_int_equal(hosted_status(&g.h, moved).owner_id,
                     PCV_DOMAIN_ID_HARDWARE);
    guarded_end(&g);
}

/* OWN-15, TOPO-4: the same where a bridge beside it claims the bus. */
static void an_overridden_bridge_may_claim_a_guests_bus(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    override(&g, TOP, true);
    guarded_write(&g, TOP, PCV_REG_PRIMARY, 4, 0x00040100);
    assert_int_equal(guarded_peek(&g, TOP, PCV_REG_SUBORDINATE, 1), 4);
    is_lost(&g, CARD, ASIDE);
    guarded_end(&g);
}

/* OWN-15: it is for one bridge, for writes that take something away, and until
 * it is taken back. */
static void an_override_takes_nothing_else(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    assert_int_equal(guarded_give(&g, VF_1), 0);
    override(&g, ASIDE, true);
    override(&g, DOWN, true);
    override(&g, DOWN, true);
    assert_true(hosted_info(&g.h, DOWN).overridden);
    guarded_write(&g, DOWN, PCV_REG_COMMAND, 2, PORT_ENABLES | PCV_CMD_PARITY);
    guarded_write(&g, TOP, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    guarded_write(&g, PF, pf_sriov + PCV_SRIOV_NUM_VFS, 2, 1);
    assert_int_equal(hosted_status(&g.h, VF_1).owner_id, GUEST);
    assert_int_equal(guarded_dropped(&g), 2);
    override(&g, DOWN, false);
    assert_false(hosted_info(&g.h, DOWN).overridden);
    guarded_write(&g, DOWN, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    assert_int_equal(guarded_dropped(&g), 3);
    guarded_write(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    assert_int_equal(hosted_state(&g.h, CARD), PCV_STATE_ABSENT);
    assert_int_equal(hosted_status(&g.h, VF_1).owner_id, GUEST);
    guarded_end(&g);
}

/* OWN-15: a write of two registers of which one is guarded. */
static void a_wide_write_is_performed_whole(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    override(&g, ASIDE, true);
    guarded_write(&g, ASIDE, PCV_REG_INT_LINE, 4,
                  PCV_BRIDGE_RESET << 16 | 0x2au);
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_INT_LINE, 1), 0x2a);
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2),
                     PCV_BRIDGE_RESET);
    is_lost(&g, CARD, ASIDE);
    guarded_end(&g);
}

/* OWN-15, LIFE-3: somebody who holds it keeps the object, and no more. */
static void what_is_held_vanishes_all_the_same(void **state)
{
    struct pcv_device *held;
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    held = hosted_hold(&g.h, CARD);
    override(&g, ASIDE, true);
    guarded_write(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    assert_int_equal(guarded_ids(&g), ONES);
    assert_int_equal(hosted_state(&g.h, CARD), PCV_STATE_LEAVING);
    assert_int_equal(pcv_domain_destroy(g.guest), 0);
    pcv_device_put(held);
    assert_int_equal(hosted_state(&g.h, CARD), PCV_STATE_ABSENT);
    guarded_end(&g);
}

/* OWN-15, CTL-1 */
static void an_override_is_for_bridges_and_pfs(void **state)
{
    struct pcv_ctl_request request = {.op = PCV_CTL_OVERRIDE, .sbdf = ASIDE};
    struct pcv_ctl_reply reply = {0};
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(pcv_device_override(NULL, ASIDE, true), -PCV_EINVAL);
    assert_int_equal(pcv_device_override(g.h.host, CARD, true), -PCV_EINVAL);
    assert_int_equal(pcv_device_override(g.h.host, VF_0, true), -PCV_EINVAL);
    assert_int_equal(
        pcv_device_override(g.h.host, pcv_test_at(0, 7, 0, 0), true),
        -PCV_ENODEV);
    request.u.override.on = 2;
    assert_int_equal(pcv_ctl(g.h.host, &request, &reply), -PCV_EINVAL);
    request.u.override.on = 1;
    assert_int_equal(pcv_ctl(g.h.host, &request, &reply), 0);
    assert_true(hosted_info(&g.h, ASIDE).overridden);
    guarded_end(&g);
}

/* OWN-15, PORT-3: whatever the host fails at, the write ends, and the guest has
 * its function or has lost it. */
static void a_failing_host_leaves_nothing_half_taken(void **state)
{
    (void)state;
    for (int op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        for (uint64_t nth = 1; nth < 8; nth++) {
            struct pcv_device_status status;
            struct guarded g;

            guarded_start(&g);
            assert_int_equal(guarded_give(&g, CARD), 0);
            override(&g, ASIDE, true);
            pcv_model_fail(g.h.model, (enum pcv_model_op)op, nth);
            guarded_write(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2,
                          PCV_BRIDGE_RESET);
            pcv_model_fail(g.h.model, (enum pcv_model_op)op, 0);
            status = hosted_status(&g.h, CARD);
            assert_true(status.state == PCV_STATE_ABSENT ||
                        status.owner_id == GUEST);
            guarded_end(&g);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overridden_reset_is_a_surprise_removal),
        cmocka_unit_test(what_is_taken_away_is_silent),
        cmocka_unit_test(an_overridden_pf_loses_its_vfs),
        cmocka_unit_test(overridden_bus_numbers_move_everything),
        cmocka_unit_test(an_overridden_bridge_may_claim_a_guests_bus),
        cmocka_unit_test(an_override_takes_nothing_else),
        cmocka_unit_test(a_wide_write_is_performed_whole),
        cmocka_unit_test(what_is_held_vanishes_all_the_same),
        cmocka_unit_test(an_override_is_for_bridges_and_pfs),
        cmocka_unit_test(a_failing_host_leaves_nothing_half_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

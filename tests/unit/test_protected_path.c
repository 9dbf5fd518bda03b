/* SPDX-License-Identifier: MIT */
/* What is on the path to a guest's function, from when, and until when
 * (OWN-15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protected_fixture.h"

/* OWN-15: what is in quarantine is nobody's to lose. */
static void quarantine_keeps_no_bridge(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    pcv_model_fail(g.h.model, PCV_MODEL_OP_dma_attach, 2);
    assert_int_equal(guarded_take(&g, CARD), -PCV_EIO);
    assert_int_equal(hosted_status(&g.h, CARD).owner_id,
                     PCV_DOMAIN_ID_QUARANTINE);
    guarded_write(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2),
                     PCV_BRIDGE_RESET);
    assert_int_equal(guarded_dropped(&g), 0);
    guarded_end(&g);
}

/* OWN-15, TOPO-4: a bridge beside it that is given the same bus would make two
 * of them answer. */
static void a_bridge_beside_does_not_claim_a_guests_bus(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    guarded_write(&g, TOP, PCV_REG_PRIMARY, 4, 0x00040100);
    assert_int_equal(guarded_peek(&g, TOP, PCV_REG_SUBORDINATE, 1), 3);
    assert_int_equal(guarded_dropped(&g), 1);
    assert_int_equal(g.last[PCV_EVENT_PROTECTED].sbdf.v, TOP.v);
    assert_int_equal(guarded_ids(&g), 0x56781234);
    assert_int_equal(hosted_state(&g.h, VF_1), PCV_STATE_PRESENT);
    assert_int_equal(guarded_take(&g, CARD), 0);
    guarded_end(&g);
}

/* OWN-15, OWN-11: a guest ends; what it had is no reason any more. */
static void the_end_of_a_guest_frees_the_path(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    assert_int_equal(guarded_take(&g, CARD), 0);
    assert_int_equal(pcv_domain_destroy(g.guest), 0);
    guarded_write(&g, ASIDE, PCV_REG_PRIMARY, 4, 0x00090900);
    assert_int_equal(hosted_state(&g.h, pcv_test_at(0, 9, 0, 0)),
                     PCV_STATE_PRESENT);
    guarded_end(&g);
}

/* OWN-15, LIFE-9: what is gone cannot be kept. */
static void what_vanished_frees_the_path(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    assert_int_equal(pcv_device_vanished(g.h.host, CARD), 0);
    guarded_write(&g, ASIDE, port_pcie + PCV_PCIE_SLTCTL, 2,
                  PCV_PCIE_SLTCTL_POWER_OFF);
    assert_int_equal(guarded_dropped(&g), 0);
    assert_int_equal(pcv_device_remove(g.h.host, CARD, NULL, NULL), 0);
    guarded_end(&g);
}

/* OWN-15, TOPO-4: what cannot be reached is to be found again; when it is, the
 * way to it is kept. */
static void numbers_may_lead_to_a_guests_function_again(void **state)
{
    const pcv_sbdf moved = pcv_test_at(0, 9, 0, 0);
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, CARD), 0);
    /* Past the library: nobody asks about guests. */
    pcv_test_write(g.h.model, ASIDE, PCV_REG_PRIMARY, 4, 0);
    assert_int_equal(pcv_bridge_report_buses(g.h.host, ASIDE, 0, 0, 0), 0);
    assert_int_equal(hosted_state(&g.h, CARD), PCV_STATE_UNREACHABLE);
    guarded_write(&g, ASIDE, PCV_REG_PRIMARY, 4, 0x00090900);
    assert_int_equal(hosted_status(&g.h, moved).owner_id, GUEST);
    assert_int_equal(guarded_ids(&g), 0x56781234);
    assert_int_equal(guarded_dropped(&g), 0);
    guarded_write(&g, ASIDE, PCV_REG_PRIMARY, 4, 0);
    assert_int_equal(guarded_dropped(&g), 1);
    assert_int_equal(guarded_ids(&g), 0x56781234);
    assert_int_equal(guarded_take(&g, moved), 0);
    guarded_end(&g);
}

/* OWN-15, TOPO-4: the bridges further up, too, as long as it is out of reach.
 */
static void what_is_out_of_reach_keeps_nobody_above(void **state)
{
    struct guarded g;

    (void)state;
    guarded_start(&g);
    assert_int_equal(guarded_give(&g, VF_1), 0);
    pcv_test_write(g.h.model, DOWN, PCV_REG_PRIMARY, 4, 0);
    assert_int_equal(pcv_bridge_report_buses(g.h.host, DOWN, 2, 0, 0), 0);
    assert_int_equal(hosted_state(&g.h, VF_1), PCV_STATE_UNREACHABLE);
    guarded_write(&g, TOP, PCV_REG_MEM_BASE, 4, 0x0000fff0);
    assert_int_equal(guarded_dropped(&g), 0);
    guarded_write(&g, DOWN, PCV_REG_PRIMARY, 4, 0x00030302);
    assert_int_equal(hosted_state(&g.h, VF_1), PCV_STATE_PRESENT);
    guarded_write(&g, TOP, PCV_REG_MEM_BASE, 4, 0x0010fff0);
    assert_int_equal(guarded_dropped(&g), 1);
    guarded_write(&g, PF, pf_sriov + PCV_SRIOV_CTRL, 2, 0);
    assert_int_equal(guarded_dropped(&g), 2);
    guarded_end(&g);
}

/* OWN-15, TOPO-2: also a bridge that is found when the guest has the function
 * already, and one that comes to cover it. */
static void a_bridge_that_comes_later_is_on_the_path(void **state)
{
    struct guarded g;

    (void)state;
    guarded_build(&g);
    hosted_start(&g.h);
    g.hardware = pcv_host_hardware_domain(g.h.host);
    assert_int_equal(pcv_domain_create(g.h.host, GUEST, &g.guest), 0);
    assert_int_equal(pcv_device_add(g.h.host, CARD, NULL), 0);
    assert_int_equal(guarded_give(&g, CARD), 0);
    assert_int_equal(pcv_device_add(g.h.host, ASIDE, NULL), 0);
    guarded_write(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    assert_int_equal(guarded_dropped(&g), 1);
    assert_int_equal(guarded_peek(&g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2), 0);
    guarded_end(&g);
}

/* OWN-15, OWN-5: an assignment that fails leaves the path as it was. */
static void an_assignment_that_fails_protects_nothing(void **state)
{
    (void)state;
    for (int op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        for (uint64_t nth = 1; nth < 4; nth++) {
            struct guarded g;
            int error;

            guarded_start(&g);
            pcv_model_fail(g.h.model, (enum pcv_model_op)op, nth);
            error = guarded_give(&g, CARD);
            pcv_model_fail(g.h.model, (enum pcv_model_op)op, 0);
            if (error != 0) {
                guarded_write(&g, ASIDE, PCV_REG_MEM_BASE, 4, 0x0000fff0);
                assert_int_equal(guarded_dropped(&g), 0);
            }
            guarded_end(&g);
        }
    }
}

static struct {
    struct guarded *g;
    unsigned calls;
} beside;

static int attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    if (beside.g && requester.v == CARD.v) {
        guarded_write(beside.g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2,
                      PCV_BRIDGE_RESET);
        assert_int_equal(
            guarded_peek(beside.g, ASIDE, PCV_REG_BRIDGE_CONTROL, 2), 0);
        beside.calls++;
    }
    return pcv_model_ops()->dma_attach(ctx, requester, domain_id);
}

/* OWN-15, OWN-5: it is kept from before its reset until its guest has given it
 * up, on whatever CPU the hardware domain writes meanwhile. */
static void a_function_on_its_way_is_protected(void **state)
{
    struct guarded g;

    (void)state;
    memset(&beside, 0, sizeof(beside));
    guarded_build(&g);
    g.h.ops.dma_attach = attach;
    guarded_run(&g);
    beside.g = &g;
    assert_int_equal(guarded_give(&g, CARD), 0);
    assert_int_equal(beside.calls, 2);
    assert_int_equal(guarded_dropped(&g), 2);
    beside.g = NULL;
    guarded_end(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quarantine_keeps_no_bridge),
        cmocka_unit_test(a_bridge_beside_does_not_claim_a_guests_bus),
        cmocka_unit_test(the_end_of_a_guest_frees_the_path),
        cmocka_unit_test(what_vanished_frees_the_path),
        cmocka_unit_test(numbers_may_lead_to_a_guests_function_again),
        cmocka_unit_test(what_is_out_of_reach_keeps_nobody_above),
        cmocka_unit_test(a_bridge_that_comes_later_is_on_the_path),
        cmocka_unit_test(an_assignment_that_fails_protects_nothing),
        cmocka_unit_test(a_function_on_its_way_is_protected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

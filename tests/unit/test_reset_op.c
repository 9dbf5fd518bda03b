/* SPDX-License-Identifier: MIT */
/* Resets at an administrator's word (OWN-16). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resettable.h"

static int reset_step(struct owned *o)
{
    return pcv_device_reset(o->h.host, OWNED_AT, NULL);
}

/* To its end. */
static int reset(struct owned *o)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 10000 && error == -PCV_ERESTART; i++) {
        pcv_model_advance_us(o->h.model, owned_wait_us(o));
        error = reset_step(o);
    }
    return error;
}

static enum pcv_reset way_of(struct owned *o)
{
    enum pcv_reset way = PCV_RESET_NONE;

    assert_int_equal(pcv_device_reset_method(o->h.host, OWNED_AT, &way, NULL),
                     0);
    return way;
}

/* OWN-16 */
static void the_way_is_told_without_going_it(void **state)
{
    static const struct {
        unsigned ways;
        enum pcv_reset way;
    } rows[] = {
        {HAS_FLR | HAS_AF | HAS_PM, PCV_RESET_FLR},
        {HAS_AF | HAS_PM, PCV_RESET_AF},
        {HAS_PM, PCV_RESET_D3},
        {HAS_PM | HAS_NO_SOFT_RESET, PCV_RESET_NONE},
        {0, PCV_RESET_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct owned o;

        start(&o, rows[i].ways);
        owned_forget(&o);
        assert_int_equal(way_of(&o), rows[i].way);
        for (size_t k = 0; k < o.logged; k++) {
            assert_false(o.log[k].write);
        }
        assert_int_equal(reset(&o),
                         rows[i].way != PCV_RESET_NONE ? 0 : -PCV_EOPNOTSUPP);
        assert_int_equal(o.events[PCV_EVENT_RESET],
                         rows[i].way != PCV_RESET_NONE);
        owned_end(&o);
    }
}

/* OWN-16, MSI-3: the hardware domain does not notice, but for the time. */
static void the_hardware_domain_has_everything_as_it_was(void **state)
{
    static const unsigned ways[] = {HAS_FLR, HAS_AF, HAS_PM};

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct owned o;

        start(&o, ways[i]);
        owned_msi_on(&o, msi);
        assert_int_equal(reset_step(&o), -PCV_ERESTART);
        assert_true(owned_absent(&o));
        assert_int_equal(owned_peek(&o, PCV_REG_COMMAND, 2) &
                             (PCV_CMD_MASTER | PCV_CMD_MEMORY),
                         0);
        assert_int_equal(reset(&o), 0);
        assert_false(owned_absent(&o));
        assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
        assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2) &
                             ~(uint32_t)PCV_CMD_INTX_OFF,
                         PCV_CMD_MASTER | PCV_CMD_MEMORY | PCV_CMD_PARITY);
        assert_true(owned_mapped(&o));
        assert_true(owned_msi_works(&o));
        assert_int_equal(o.events[PCV_EVENT_RESET], 1);
        assert_int_equal(o.events[PCV_EVENT_RESET_SEEN], 0);
        owned_end(&o);
    }
}

/* OWN-16, HDR-14: a guest finds it as after an FLR of its own. */
static void a_guest_finds_it_as_after_a_reset_of_its_own(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    owned_switch_on(&o);
    owned_msi_on(&o, msi);
    assert_true(owned_mapped(&o));
    assert_int_equal(reset_step(&o), -PCV_ERESTART);
    assert_true(owned_absent(&o));
    assert_int_equal(pcv_model_mapped_pages(o.h.model), 0);
    assert_int_equal(pcv_model_bound(o.h.model, NULL), 0);
    assert_int_equal(reset(&o), 0);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), 0);
    assert_int_equal(owned_read(&o, PCV_REG_BAR0, 4), 0);
    assert_int_equal(owned_read(&o, (uint16_t)(msi + 2u), 2) & 1u, 0);
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    assert_int_equal(hosted_status(&o.h, OWNED_AT).owner_id, OWNED_GUEST);
    /* It can be used again. */
    owned_switch_on(&o);
    owned_msi_on(&o, msi);
    assert_true(owned_mapped(&o));
    assert_true(owned_msi_works(&o));
    owned_end(&o);
}

/* OWN-16: what was reset while nobody had it need not be so again. */
static void what_nobody_has_is_reset_for_its_next_owner(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    pcv_model_fail(o.h.model, PCV_MODEL_OP_dma_attach, 2);
    assert_int_equal(owned_change(&o, false, NULL), -PCV_EIO);
    assert_int_equal(reset(&o), 0);
    owned_forget(&o);
    assert_int_equal(owned_change(&o, false, NULL), 0);
    for (size_t i = 0; i < o.logged; i++) {
        assert_false(o.log[i].write && o.log[i].reg == pcie + PCV_PCIE_DEVCTL &&
                     (o.log[i].value & PCV_PCIE_DEVCTL_FLR) != 0);
    }
    owned_end(&o);
}

/* OWN-16 */
static void a_reset_that_is_not_gone_on_with_is_given_up(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    assert_int_equal(pcv_model_set_pending(o.h.model, OWNED_AT, 25000), 0);
    assert_int_equal(reset_step(&o), -PCV_ERESTART);
    assert_true(owned_absent(&o));
    assert_int_equal(pcv_device_deassign(o.h.host, OWNED_AT), 0);
    assert_false(owned_absent(&o));
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2),
                     PCV_CMD_MASTER | PCV_CMD_MEMORY | PCV_CMD_PARITY);
    assert_int_equal(o.events[PCV_EVENT_RESET], 0);
    /* Another one begins anew. */
    assert_int_equal(reset(&o), 0);
    assert_int_equal(o.events[PCV_EVENT_RESET], 1);
    /* So is one that a guest's function was in when it was taken back. */
    owned_give(&o, NULL);
    assert_int_equal(pcv_model_set_pending(o.h.model, OWNED_AT, 25000), 0);
    owned_switch_on(&o);
    assert_int_equal(reset_step(&o), -PCV_ERESTART);
    assert_int_equal(owned_change(&o, false, NULL), 0);
    owned_switch_on(&o);
    owned_write(&o, PCV_REG_INT_LINE, 1, 0x55);
    assert_int_equal(reset(&o), 0);
    assert_true(owned_mapped(&o));
    assert_int_equal(owned_read(&o, PCV_REG_INT_LINE, 1), 0x55);
    owned_end(&o);
}

/* OWN-16, PORT-3: whatever fails, its owner keeps it, and it works once the
 * host does. */
static void a_failing_reset_leaves_it_with_its_owner(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write, PCV_MODEL_OP_alloc};

    (void)state;
    for (unsigned row = 0; row < 6; row++) {
        const enum pcv_model_op op = ops[row / 2];

        for (uint64_t n = 1;; n++) {
            struct owned o;
            uint64_t before;
            bool failed;

            start(&o, HAS_FLR);
            if (row % 2 != 0) {
                owned_give(&o, NULL);
            }
            owned_switch_on(&o);
            before = pcv_model_calls(o.h.model, op);
            pcv_model_fail(o.h.model, op, n);
            (void)reset(&o);
            failed = pcv_model_calls(o.h.model, op) - before >= n;
            pcv_model_fail(o.h.model, op, 0);
            assert_int_equal(reset(&o), 0);
            assert_int_equal(hosted_status(&o.h, OWNED_AT).owner_id,
                             row % 2 != 0 ? OWNED_GUEST
                                          : PCV_DOMAIN_ID_HARDWARE);
            owned_switch_on(&o);
            assert_true(owned_mapped(&o));
            assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
            owned_end(&o);
            if (!failed) {
                break;
            }
        }
    }
}

/* OWN-16: it stays its owner's, who finds it when it answers again. */
static void a_function_that_does_not_come_back_is_told(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    assert_int_equal(reset_step(&o), -PCV_ERESTART);
    assert_int_equal(pcv_model_set_dead(o.h.model, OWNED_AT, true), 0);
    assert_int_equal(reset(&o), -PCV_EIO);
    assert_true(owned_absent(&o));
    assert_int_equal(pcv_model_set_dead(o.h.model, OWNED_AT, false), 0);
    pcv_model_advance_us(o.h.model, 10000);
    assert_false(owned_absent(&o));
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    assert_true(owned_mapped(&o));
    owned_end(&o);
}

/* OWN-16, SRIOV-1: a PF's reset would take its VFs along; bridges have no reset
 * of their own. */
static void what_others_depend_on_is_not_reset(void **state)
{
    enum pcv_reset way = PCV_RESET_FLR;
    pcv_sbdf busy = {0};
    struct hosted h;

    (void)state;
    tree_start(&h);
    assert_int_equal(pcv_device_reset(h.host, TREE_PF, &busy), -PCV_EBUSY);
    assert_int_equal(busy.v, TREE_VF_0.v);
    assert_int_equal(pcv_device_reset(h.host, TREE_ROOT_PORT, &busy),
                     -PCV_EOPNOTSUPP);
    assert_int_equal(pcv_device_reset_method(h.host, TREE_PORT_3, &way, &busy),
                     0);
    assert_int_equal(way, PCV_RESET_NONE);
    assert_int_equal(pcv_device_reset(h.host, TREE_NOTHING, &busy),
                     -PCV_ENODEV);
    assert_int_equal(pcv_device_reset(NULL, TREE_LEAF, &busy), -PCV_EINVAL);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_is_told_without_going_it),
        cmocka_unit_test(the_hardware_domain_has_everything_as_it_was),
        cmocka_unit_test(a_guest_finds_it_as_after_a_reset_of_its_own),
        cmocka_unit_test(what_nobody_has_is_reset_for_its_next_owner),
        cmocka_unit_test(a_reset_that_is_not_gone_on_with_is_given_up),
        cmocka_unit_test(a_failing_reset_leaves_it_with_its_owner),
        cmocka_unit_test(a_function_that_does_not_come_back_is_told),
        cmocka_unit_test(what_others_depend_on_is_not_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

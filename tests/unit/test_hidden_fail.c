/* SPDX-License-Identifier: MIT */
/*
 * Hiding and revealing that is refused, fails at a step or has to wait, and
 * what comes beside it: the hardware domain has what it had.
 */
#include "engine_fixture.h"

#include "hidden_card.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int hide(struct card *c)
{
    return pcv_device_hide(c->g.rig.host, DEV, &card_ranges, NULL);
}

/* ---- refused ---------------------------------------------------------------
 */

/* OWN-7 */
static void what_is_not_there_is_no_device(void **state)
{
    const pcv_sbdf nowhere = pcv_test_at(0, 0, 9, 0);
    const struct pcv_hide_info odd = {.flags = PCV_SLOT};
    struct card c;

    (void)state;
    card_open(&c);
    assert_int_equal(pcv_device_hide(NULL, DEV, NULL, NULL), -PCV_EINVAL);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, &odd, NULL),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_hide(c.g.rig.host, nowhere, NULL, NULL),
                     -PCV_ENODEV);
    assert_int_equal(pcv_device_reveal(NULL, DEV, 0, NULL), -PCV_EINVAL);
    assert_int_equal(pcv_device_reveal(c.g.rig.host, DEV, 64, NULL),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_reveal(c.g.rig.host, nowhere, 0, NULL),
                     -PCV_ENODEV);
    /* It is the hardware domain's already. */
    assert_int_equal(card_reveal(&c), 0);
    assert_int_equal(pcv_device_vanished(c.g.rig.host, DEV), 0);
    assert_int_equal(hide(&c), -PCV_ENODEV);
    guest_close(&c.g);
}

/* OWN-7, HDR-1 */
static void bridges_vfs_and_unknown_headers_are_refused(void **state)
{
    const pcv_sbdf bridge = pcv_test_at(0, 0, 4, 0);
    const pcv_sbdf odd = pcv_test_at(0, 0, 5, 0);
    const pcv_sbdf pf = pcv_test_at(0, 0, 6, 0);
    const pcv_sbdf vf = pcv_test_at(0, 0, 6, 4);
    struct pcv_test_function f;
    struct pcv_host *host;
    struct card c;

    (void)state;
    memset(&c, 0, sizeof(c));
    guest_open(&c.g);
    card_add(&c);
    pcv_test_bridge(&f, 0, 1, 1);
    pcv_test_add(c.g.rig.model, &f, bridge);
    pcv_test_endpoint(&f, 0x104c, 0xac51);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, 2);
    pcv_test_add(c.g.rig.model, &f, odd);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 1, 1, 4, 1);
    pcv_test_add(c.g.rig.model, &f, pf);
    pcv_test_vf(&f, pf);
    pcv_test_add(c.g.rig.model, &f, vf);
    guest_boot(&c.g);
    host = c.g.rig.host;
    assert_int_equal(pcv_device_hide(host, bridge, NULL, NULL), -PCV_EPERM);
    assert_int_equal(pcv_device_hide(host, odd, NULL, NULL), -PCV_EOPNOTSUPP);
    assert_int_equal(pcv_device_hide(host, pf, NULL, NULL), -PCV_EBUSY);
    assert_int_equal(pcv_device_hide(host, vf, NULL, NULL), -PCV_EPERM);
    assert_int_equal(rig_read(&c.g.rig, pf, PCV_REG_VENDOR, 4), 0x10c98086);
    guest_close(&c.g);
}

/* OWN-4, OWN-7, OWN-8 */
static void what_another_has_is_refused(void **state)
{
    struct card c;
    pcv_sbdf busy = {0};

    (void)state;
    card_open(&c);
    (void)guest_give(&c.g, DEV, NULL);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, NULL, &busy),
                     -PCV_EBUSY);
    assert_int_equal(busy.v, DEV.v);
    assert_int_equal(card_reveal(&c), -PCV_EBUSY);
    guest_take(&c.g, DEV);
    assert_int_equal(pcv_device_set_read_only(c.g.rig.host, DEV2), 0);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV2, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(pcv_device_reveal(c.g.rig.host, DEV2, 0, NULL),
                     -PCV_EINVAL);
    /* And the other way round. */
    rig_write(&c.g.rig, DEV, PCV_REG_COMMAND, 2, FULL);
    card_hide(&c);
    assert_int_equal(
        pcv_device_assign(c.g.rig.host, DEV, c.g.domain, NULL, NULL),
        -PCV_EBUSY);
    assert_int_equal(pcv_device_deassign(c.g.rig.host, DEV), -PCV_EINVAL);
    assert_int_equal(pcv_device_set_read_only(c.g.rig.host, DEV), -PCV_EBUSY);
    assert_int_equal(pcv_device_conceal(c.g.rig.host, DEV, 0, NULL),
                     -PCV_EBUSY);
    assert_int_equal(pcv_device_quarantine(c.g.rig.host, DEV, 0, NULL),
                     -PCV_EBUSY);
    assert_int_equal(pcv_device_remove(c.g.rig.host, DEV, NULL, NULL),
                     -PCV_EBUSY);
    guest_close(&c.g);
}

/* OWN-7, SRIOV-1, REBAR-1: what would move BARs, or make more of them. */
static void neither_vfs_nor_other_sizes_come_while_it_is_hidden(void **state)
{
    struct pcv_test_function f;
    uint16_t control;
    struct card c;

    (void)state;
    memset(&c, 0, sizeof(c));
    guest_open(&c.g);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    control = (uint16_t)(pcv_test_sriov(&f, 4, 0, 4, 1) + PCV_SRIOV_CTRL);
    pcv_test_add(c.g.rig.model, &f, DEV);
    guest_boot(&c.g);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, NULL, NULL), 0);
    rig_write(&c.g.rig, DEV, control, 2, PCV_SRIOV_CTRL_VFE);
    assert_int_equal(pcv_model_peek(c.g.rig.model, DEV, control, 2), 0);
    assert_int_equal(card_reveal(&c), 0);
    rig_write(&c.g.rig, DEV, control, 2, PCV_SRIOV_CTRL_VFE);
    assert_int_equal(pcv_model_peek(c.g.rig.model, DEV, control, 2),
                     PCV_SRIOV_CTRL_VFE);
    guest_close(&c.g);
}

/* OWN-7: a register of the host's own stands where one is to be virtual. */
static void a_register_of_the_hosts_is_not_replaced(void **state)
{
    static const struct pcv_register own = {
        .name = "Own",
        .offset = PCV_REG_BAR0 + 8u,
        .size = 4,
        .policy = {.constant = 0xffffffffu},
    };
    struct pcv_device *device;
    struct card c;

    (void)state;
    card_open(&c);
    device = pcv_device_find(c.g.rig.host, DEV);
    assert_int_equal(pcv_register_add(device, &own, NULL), 0);
    assert_int_equal(hide(&c), -PCV_EEXIST);
    card_as_before(&c);
    assert_int_equal(pcv_register_remove(device, own.offset, 4), 0);
    assert_int_equal(hide(&c), 0);
    /* One that comes while it is hidden stays. */
    assert_int_equal(pcv_register_remove(device, own.offset, 4), 0);
    assert_int_equal(pcv_register_add(device, &own, NULL), 0);
    assert_int_equal(card_reveal(&c), 0);
    assert_int_equal(pcv_register_remove(device, own.offset, 4), 0);
    pcv_device_put(device);
    card_as_before(&c);
    guest_close(&c.g);
}

/* OWN-7, PM-1: nobody could wake it. */
static void one_that_sleeps_is_refused(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    rig_write(&c.g.rig, DEV, (uint16_t)(c.pm + PCV_PM_CONTROL), 2,
              PCV_PM_D3HOT);
    assert_int_equal(hide(&c), -PCV_EAGAIN);
    guest_close(&c.g);
}

/* ---- failing ---------------------------------------------------------------
 */

/* OWN-7, PORT-3 */
static void a_failure_at_any_call_leaves_it_as_it_was(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_alloc, PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_map_read_only};

    (void)state;
    for (size_t i = 0; i < COUNT(ops); i++) {
        uint64_t nth = 0;
        int error = -1;
        struct card c;

        card_open(&c);
        /* So that the extras are there, which stay. */
        assert_int_equal(hide(&c), 0);
        assert_int_equal(card_reveal(&c), 0);
        while (error != 0) {
            uint64_t bytes = pcv_model_bytes(c.g.rig.model);

            assert_true(++nth < 200);
            pcv_model_fail(c.g.rig.model, ops[i], nth);
            rig_forget(&c.g.rig);
            error = hide(&c);
            pcv_model_fail(c.g.rig.model, ops[i], 0);
            if (error != 0) {
                assert_int_equal(error, ops[i] == PCV_MODEL_OP_alloc
                                            ? -PCV_ENOMEM
                                            : -PCV_EIO);
                assert_true(pcv_model_bytes(c.g.rig.model) <= bytes);
                assert_int_equal(rig_writes(&c.g.rig), 0);
                card_as_before(&c);
            }
        }
        assert_true(nth > 1);
        card_check(&c);
        guest_close(&c.g);
    }
}

/* OWN-7, PORT-3: what is hidden stays so, and hardware has what it had. */
static void a_failing_reveal_leaves_it_hidden(void **state)
{
    static const enum pcv_model_op ops[] = {PCV_MODEL_OP_cfg_read,
                                            PCV_MODEL_OP_cfg_write};

    (void)state;
    for (size_t i = 0; i < COUNT(ops); i++) {
        for (uint64_t nth = 1;; nth++) {
            struct card c;
            int error;

            card_open(&c);
            card_hide(&c);
            rig_write(&c.g.rig, DEV, REG_BAR(1), 4, 0x41);
            pcv_model_fail(c.g.rig.model, ops[i], nth);
            error = card_reveal(&c);
            pcv_model_fail(c.g.rig.model, ops[i], 0);
            if (error != 0) {
                assert_int_equal(error, -PCV_EIO);
                assert_true(card_info(&c, DEV).hidden);
                assert_int_equal(
                    pcv_model_peek(c.g.rig.model, DEV, REG_BAR(1), 4), 0x40);
                assert_int_equal(
                    pcv_model_peek(c.g.rig.model, DEV, PCV_REG_COMMAND, 2),
                    FULL);
                assert_int_equal(rig_read(&c.g.rig, DEV, REG_BAR(1), 4), 0x41);
                assert_int_equal(card_reveal(&c), 0);
            }
            assert_int_equal(pcv_model_peek(c.g.rig.model, DEV, REG_BAR(1), 4),
                             0x41);
            guest_close(&c.g);
            if (error == 0) {
                assert_true(nth > 2);
                break;
            }
        }
    }
}

/* OWN-7, PORT-3: a host that cannot let a page be written again. */
static void a_page_that_stays_read_only_is_told_of(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    pcv_model_fail(c.g.rig.model, PCV_MODEL_OP_map, 1);
    assert_int_equal(card_reveal(&c), 0);
    assert_int_equal(rig_events(&c.g.rig, PCV_EVENT_MAP_FAILED), 1);
    assert_true(card_read_only(&c, PORT_PAGE));
    card_check(&c);
    /* A write there is served all the same. */
    assert_int_equal(card_store(&c, REGS + PORT, 4, 0x99), PCV_DONE);
    assert_int_equal(card_peek(&c, 0, PORT, 4), 0x99);
    guest_close(&c.g);
}

/* HDR-9: a host that maps a page at a time. */
static void pages_are_done_one_by_one_if_the_host_wants_it(void **state)
{
    const struct pcv_hide_info all = {
        .range_count = 1,
        .range = {{.bar = 0, .offset = 0, .size = REGS_SIZE}}};
    struct card c;

    (void)state;
    card_open(&c);
    pcv_model_set_map_chunk(c.g.rig.model, 1);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, &all, NULL), 0);
    for (uint64_t at = 0; at < REGS_SIZE; at += 0x1000) {
        assert_true(card_read_only(&c, REGS + at));
    }
    assert_int_equal(card_reveal(&c), 0);
    card_as_before(&c);
    guest_close(&c.g);
}

/* ---- waiting ---------------------------------------------------------------
 */

static int inside;

static void hide_inside(struct rig *rig, const struct pcv_model_cfg *access)
{
    (void)access;
    rig->hook = NULL;
    inside = pcv_device_hide(rig->host, DEV, &card_ranges, NULL);
}

static void read_while_hidden(struct card *c)
{
    c->g.rig.hook = hide_inside;
    (void)rig_read(&c->g.rig, DEV, PCV_REG_VENDOR, 4);
    assert_int_equal(inside, -PCV_ERESTART);
}

/* OWN-7, LIFE-11: whoever comes meanwhile has to come again, and finds nothing
 * absent. */
static void it_waits_for_accesses_that_are_inside(void **state)
{
    uint64_t data;
    struct card c;

    (void)state;
    card_open(&c);
    read_while_hidden(&c);
    assert_int_equal(rig_try_read(&c.g.rig, DEV, 0, 4, &data), PCV_RETRY);
    assert_int_equal(hide(&c), 0);
    assert_int_equal(rig_try_read(&c.g.rig, DEV, 0, 4, &data), PCV_DONE);
    guest_close(&c.g);
}

/* OWN-7 */
static void one_that_was_given_up_leaves_the_device_usable(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    read_while_hidden(&c);
    assert_int_equal(card_reveal(&c), 0);
    card_as_before(&c);
    guest_close(&c.g);
}

/* OWN-7, SRIOV-3 */
static void it_waits_until_a_reset_is_over(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    pcv_model_set_clock(c.g.rig.model, true);
    rig_write(&c.g.rig, DEV, (uint16_t)(c.pcie + PCV_PCIE_DEVCTL), 2,
              PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, NULL, NULL),
                     -PCV_ERESTART);
    pcv_model_advance_us(c.g.rig.model, 100000);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, NULL, NULL), 0);
    assert_int_equal(pcv_model_early_accesses(c.g.rig.model), 0);
    guest_close(&c.g);
}

/* OWN-7, HDR-9: a mapping that is under way is finished first. */
static void it_waits_for_a_mapping_that_is_under_way(void **state)
{
    struct pcv_access access;
    unsigned calls = 0;
    int error;
    struct card c;

    (void)state;
    card_open(&c);
    rig_write(&c.g.rig, DEV, PCV_REG_COMMAND, 2, 0);
    pcv_model_set_map_chunk(c.g.rig.model, 1);
    access = PCV_WRITE(DEV, PCV_REG_COMMAND, 2, FULL);
    assert_int_equal(pcv_access(c.g.rig.dom0, &access), PCV_PENDING);
    while ((error = hide(&c)) == -PCV_ERESTART) {
        assert_true(++calls < 100);
    }
    assert_int_equal(error, 0);
    assert_true(calls > 1);
    (void)rig_settle(&c.g.rig, &access);
    assert_true(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
    assert_true(card_read_only(&c, PORT_PAGE));
    guest_close(&c.g);
}

/* ---- quarantine ------------------------------------------------------------
 */

/* OWN-5, OWN-7: from there it comes back first, reset. */
static void one_in_quarantine_is_brought_back_and_hidden(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    assert_int_equal(pcv_device_quarantine(c.g.rig.host, DEV, 0, NULL), 0);
    assert_int_equal(card_info(&c, DEV).owner_id, PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_model_dma_domain(c.g.rig.model, DEV),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(
        pcv_model_peek(c.g.rig.model, DEV, PCV_REG_COMMAND, 2) & FULL, 0);
    assert_false(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
    assert_int_equal(pcv_device_quarantine(c.g.rig.host, DEV, 0, NULL), 0);
    assert_int_equal(hide(&c), 0);
    assert_true(card_info(&c, DEV).hidden);
    assert_int_equal(pcv_model_dma_domain(c.g.rig.model, DEV),
                     PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(card_reveal(&c), 0);
    /* And by the short way. */
    assert_int_equal(pcv_device_quarantine(c.g.rig.host, DEV, 0, NULL), 0);
    assert_int_equal(card_reveal(&c), 0);
    assert_int_equal(card_info(&c, DEV).owner_id, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(rig_read(&c.g.rig, DEV, REG_BAR(1), 4), 0x40);
    guest_close(&c.g);
}

/* OWN-5, PORT-3 */
static void a_failing_quarantine_leaves_it_with_the_hardware_domain(
    void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_alloc, PCV_MODEL_OP_cfg_write, PCV_MODEL_OP_dma_attach};
    struct pcv_vector vector = {.index = 0};
    struct pcv_device *device;

    (void)state;
    for (size_t i = 0; i < COUNT(ops); i++) {
        struct card c;

        card_open(&c);
        pcv_model_fail(c.g.rig.model, ops[i], 1);
        assert_true(pcv_device_quarantine(c.g.rig.host, DEV, 0, NULL) < 0);
        pcv_model_fail(c.g.rig.model, ops[i], 0);
        card_as_before(&c);
        device = pcv_device_find(c.g.rig.host, DEV);
        assert_int_equal(pcv_vector_attach(device, &vector, false, 0), 0);
        assert_int_equal(pcv_device_quarantine(c.g.rig.host, DEV, 0, NULL),
                         -PCV_EBUSY);
        pcv_vector_detach(&vector);
        pcv_device_put(device);
        card_as_before(&c);
        guest_close(&c.g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_there_is_no_device),
        cmocka_unit_test(bridges_vfs_and_unknown_headers_are_refused),
        cmocka_unit_test(what_another_has_is_refused),
        cmocka_unit_test(neither_vfs_nor_other_sizes_come_while_it_is_hidden),
        cmocka_unit_test(a_register_of_the_hosts_is_not_replaced),
        cmocka_unit_test(one_that_sleeps_is_refused),
        cmocka_unit_test(a_failure_at_any_call_leaves_it_as_it_was),
        cmocka_unit_test(a_failing_reveal_leaves_it_hidden),
        cmocka_unit_test(a_page_that_stays_read_only_is_told_of),
        cmocka_unit_test(pages_are_done_one_by_one_if_the_host_wants_it),
        cmocka_unit_test(it_waits_for_accesses_that_are_inside),
        cmocka_unit_test(one_that_was_given_up_leaves_the_device_usable),
        cmocka_unit_test(it_waits_until_a_reset_is_over),
        cmocka_unit_test(it_waits_for_a_mapping_that_is_under_way),
        cmocka_unit_test(one_in_quarantine_is_brought_back_and_hidden),
        cmocka_unit_test(
            a_failing_quarantine_leaves_it_with_the_hardware_domain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

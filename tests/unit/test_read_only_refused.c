/* SPDX-License-Identifier: MIT */
/*
 * Declarations that a function is the hypervisor's own which are refused, fail
 * at a step, or have to wait: the hardware domain has what it had.
 */
#include "engine_fixture.h"

#include "console.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int declare(struct guest *g, pcv_sbdf sbdf)
{
    return pcv_device_set_read_only(g->rig.host, sbdf);
}

/* DEV is the hardware domain's, and works. */
static void as_before(struct guest *g)
{
    assert_int_equal(console_owner(g), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(pcv_model_dma_domain(g->rig.model, DEV),
                     PCV_DOMAIN_ID_HARDWARE);
    assert_true(rig_mapped(&g->rig, HIGH, 0x10000));
    assert_true(rig_mapped(&g->rig, LOW, 0x4000));
    assert_false(pcv_host_reserved(g->rig.host, true, 0, UINT64_MAX));
    assert_false(pcv_host_reserved(g->rig.host, false, 0, UINT64_MAX));
    assert_int_equal(rig_read(&g->rig, DEV, PCV_REG_VENDOR, 4), 0x00021b36);
    console_check(g);
}

/* ---- refused ---------------------------------------------------------------
 */

/* OWN-8 */
static void what_is_not_there_is_no_device(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    assert_int_equal(pcv_device_set_read_only(NULL, DEV), -PCV_EINVAL);
    assert_int_equal(declare(&g, pcv_test_at(0, 0, 9, 0)), -PCV_ENODEV);
    assert_int_equal(declare(&g, pcv_test_at(7, 0, 1, 0)), -PCV_ENODEV);
    assert_int_equal(pcv_device_vanished(g.rig.host, DEV), 0);
    assert_int_equal(declare(&g, DEV), -PCV_ENODEV);
    guest_close(&g);
}

/* OWN-8, HDR-1 */
static void bridges_vfs_and_unknown_headers_are_refused(void **state)
{
    const pcv_sbdf bridge = pcv_test_at(0, 0, 3, 0);
    const pcv_sbdf odd = pcv_test_at(0, 0, 4, 0);
    const pcv_sbdf pf = pcv_test_at(0, 0, 5, 0);
    const pcv_sbdf vf = pcv_test_at(0, 0, 5, 4);
    struct pcv_test_function f;
    struct guest g;

    (void)state;
    guest_open(&g);
    (void)console_add(g.rig.model);
    pcv_test_bridge(&f, 0, 1, 1);
    pcv_test_add(g.rig.model, &f, bridge);
    pcv_test_endpoint(&f, 0x104c, 0xac51);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, 2);
    pcv_test_add(g.rig.model, &f, odd);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 1, 1, 4, 1);
    pcv_test_add(g.rig.model, &f, pf);
    pcv_test_vf(&f, pf);
    pcv_test_add(g.rig.model, &f, vf);
    guest_boot(&g);
    assert_int_equal(declare(&g, bridge), -PCV_EPERM);
    assert_int_equal(declare(&g, odd), -PCV_EOPNOTSUPP);
    assert_int_equal(declare(&g, pf), -PCV_EBUSY);
    assert_int_equal(declare(&g, vf), -PCV_EPERM);
    assert_int_equal(rig_read(&g.rig, pf, PCV_REG_VENDOR, 4), 0x10c98086);
    guest_close(&g);
}

/* OWN-4, OWN-8 */
static void what_another_has_is_refused(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    (void)guest_give(&g, DEV, NULL);
    assert_int_equal(declare(&g, DEV), -PCV_EBUSY);
    assert_int_equal(console_owner(&g), GUEST_ID);
    /* Quarantine: its way home fails. */
    pcv_model_fail(g.rig.model, PCV_MODEL_OP_dma_attach, 2);
    assert_int_not_equal(pcv_device_deassign(g.rig.host, DEV), 0);
    pcv_model_fail(g.rig.model, PCV_MODEL_OP_dma_attach, 0);
    assert_int_equal(console_owner(&g), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(declare(&g, DEV), -PCV_EBUSY);
    guest_take(&g, DEV);
    assert_int_equal(declare(&g, DEV), 0);
    guest_close(&g);
}

/* OWN-8, LIFE-8 */
static void one_whose_vector_somebody_holds_is_refused(void **state)
{
    struct pcv_vector vector = {.index = 0};
    struct pcv_device *device;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    device = pcv_device_find(g.rig.host, DEV);
    assert_int_equal(pcv_vector_attach(device, &vector, false, 0), 0);
    assert_int_equal(declare(&g, DEV), -PCV_EBUSY);
    as_before(&g);
    pcv_vector_detach(&vector);
    assert_int_equal(declare(&g, DEV), 0);
    pcv_device_put(device);
    guest_close(&g);
}

/* OWN-8, SRIOV-1: a write of its SR-IOV registers waits to be done. */
static void a_pf_whose_vfs_are_being_moved_is_refused(void **state)
{
    struct pcv_test_function f;
    struct pcv_access access;
    uint16_t control;
    struct guest g;

    (void)state;
    guest_open(&g);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    control = (uint16_t)(pcv_test_sriov(&f, 4, 0, 4, 1) + PCV_SRIOV_CTRL);
    pcv_test_add(g.rig.model, &f, DEV);
    guest_boot(&g);
    /* Enabled, though none of them. */
    rig_write(&g.rig, DEV, control, 2, PCV_SRIOV_CTRL_VFE);
    access =
        PCV_WRITE(DEV, control, 2, PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE);
    assert_int_equal(pcv_access(g.rig.dom0, &access), PCV_PENDING);
    assert_int_equal(declare(&g, DEV), -PCV_EBUSY);
    (void)rig_settle(&g.rig, &access);
    assert_int_equal(pcv_model_peek(g.rig.model, DEV, control, 2),
                     PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE);
    assert_int_equal(declare(&g, DEV), 0);
    guest_close(&g);
}

/* OWN-8: where its BARs are is not known. */
static void one_that_does_not_answer_is_refused(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    assert_int_equal(pcv_model_set_dead(g.rig.model, DEV, true), 0);
    assert_int_equal(declare(&g, DEV), -PCV_EIO);
    assert_int_equal(pcv_model_set_dead(g.rig.model, DEV, false), 0);
    as_before(&g);
    guest_close(&g);
}

/* ---- failing ---------------------------------------------------------------
 */

/* OWN-8, PORT-3 */
static void a_failure_at_any_call_leaves_it_as_it_was(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_alloc, PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_dma_attach};

    (void)state;
    for (size_t i = 0; i < COUNT(ops); i++) {
        uint64_t nth = 0;
        int error = -1;
        struct guest g;

        (void)console_open(&g);
        while (error != 0) {
            uint64_t bytes = pcv_model_bytes(g.rig.model);

            assert_true(++nth < 200);
            pcv_model_fail(g.rig.model, ops[i], nth);
            rig_forget(&g.rig);
            error = declare(&g, DEV);
            pcv_model_fail(g.rig.model, ops[i], 0);
            if (error != 0) {
                assert_int_equal(error, ops[i] == PCV_MODEL_OP_alloc
                                            ? -PCV_ENOMEM
                                            : -PCV_EIO);
                assert_int_equal(pcv_model_bytes(g.rig.model), bytes);
                assert_int_equal(rig_writes(&g.rig), 0);
                as_before(&g);
            }
        }
        assert_true(nth > 1);
        assert_int_equal(console_owner(&g), PCV_DOMAIN_ID_HYPERVISOR);
        guest_close(&g);
    }
}

/* OWN-8, PORT-3: an error of the host is told; the pages count as unmapped. */
static void a_failing_unmap_stops_nothing(void **state)
{
    uint64_t calls;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_move(&g, 0, LOW);
    calls = pcv_model_calls(g.rig.model, PCV_MODEL_OP_unmap);
    console_declare(&g);
    calls = pcv_model_calls(g.rig.model, PCV_MODEL_OP_unmap) - calls;
    guest_close(&g);
    for (uint64_t nth = 1; nth <= calls; nth++) {
        (void)console_open(&g);
        console_move(&g, 0, LOW);
        pcv_model_fail(g.rig.model, PCV_MODEL_OP_unmap, nth);
        assert_int_equal(declare(&g, DEV), 0);
        assert_int_equal(rig_events(&g.rig, PCV_EVENT_UNMAP_FAILED), 1);
        assert_false(rig_mapped(&g.rig, LOW, 0x4000));
        console_check(&g);
        guest_close(&g);
    }
}

/* OWN-8, PORT-3: what others had there cannot be mapped again. */
static void its_end_does_not_wait_for_a_host_that_cannot_map(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_move(&g, 0, LOW);
    console_declare(&g);
    assert_int_equal(pcv_device_vanished(g.rig.host, DEV), 0);
    pcv_model_fail(g.rig.model, PCV_MODEL_OP_map, 1);
    assert_int_equal(pcv_device_remove(g.rig.host, DEV, NULL, NULL), 0);
    assert_int_equal(rig_events(&g.rig, PCV_EVENT_MAP_FAILED), 1);
    assert_false(rig_mapped(&g.rig, LOW, 0x4000));
    assert_false(pcv_host_reserved(g.rig.host, false, 0, UINT64_MAX));
    guest_close(&g);
}

/* ---- waiting ---------------------------------------------------------------
 */

/* Declared from the middle of an access: what it answers then. */
static int inside;

static void declare_inside(struct rig *rig, const struct pcv_model_cfg *access)
{
    (void)access;
    rig->hook = NULL;
    inside = pcv_device_set_read_only(rig->host, DEV);
}

static void read_while_declared(struct guest *g)
{
    g->rig.hook = declare_inside;
    (void)rig_read(&g->rig, DEV, PCV_REG_VENDOR, 4);
    assert_int_equal(inside, -PCV_ERESTART);
}

/* OWN-8, OWN-5, LIFE-11 */
static void it_waits_for_accesses_that_are_inside(void **state)
{
    uint64_t data;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    read_while_declared(&g);
    assert_int_equal(rig_try_read(&g.rig, DEV, 0, 4, &data), PCV_ABSENT);
    assert_int_equal(declare(&g, DEV), 0);
    assert_int_equal(rig_try_read(&g.rig, DEV, 0, 4, &data), PCV_DONE);
    assert_int_equal(console_owner(&g), PCV_DOMAIN_ID_HYPERVISOR);
    guest_close(&g);
}

/* OWN-8: by a failure, or by taking it back. */
static void one_that_was_given_up_leaves_the_device_usable(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    read_while_declared(&g);
    assert_int_equal(pcv_device_deassign(g.rig.host, DEV), 0);
    as_before(&g);
    assert_int_equal(pcv_device_deassign(g.rig.host, DEV), -PCV_EINVAL);

    read_while_declared(&g);
    pcv_model_fail(g.rig.model, PCV_MODEL_OP_dma_attach, 1);
    assert_int_equal(declare(&g, DEV), -PCV_EIO);
    as_before(&g);
    guest_close(&g);
}

/* OWN-8, SRIOV-3 */
static void it_waits_until_a_reset_is_over(void **state)
{
    struct pcv_device_info info;
    struct pcv_device *device;
    uint16_t control;
    uint64_t wait_us;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    pcv_model_set_clock(g.rig.model, true);
    rig_info(&g.rig, DEV, &info);
    control = (uint16_t)(info.pcie_cap + PCV_PCIE_DEVCTL);
    rig_write(&g.rig, DEV, control, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(declare(&g, DEV), -PCV_ERESTART);
    device = pcv_device_find(g.rig.host, DEV);
    wait_us = pcv_device_wait_us(device);
    pcv_device_put(device);
    assert_int_equal(wait_us, 100000);
    pcv_model_advance_us(g.rig.model, wait_us);
    assert_int_equal(declare(&g, DEV), 0);
    assert_int_equal(pcv_model_early_accesses(g.rig.model), 0);
    guest_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_there_is_no_device),
        cmocka_unit_test(bridges_vfs_and_unknown_headers_are_refused),
        cmocka_unit_test(what_another_has_is_refused),
        cmocka_unit_test(one_whose_vector_somebody_holds_is_refused),
        cmocka_unit_test(a_pf_whose_vfs_are_being_moved_is_refused),
        cmocka_unit_test(one_that_does_not_answer_is_refused),
        cmocka_unit_test(a_failure_at_any_call_leaves_it_as_it_was),
        cmocka_unit_test(a_failing_unmap_stops_nothing),
        cmocka_unit_test(its_end_does_not_wait_for_a_host_that_cannot_map),
        cmocka_unit_test(it_waits_for_accesses_that_are_inside),
        cmocka_unit_test(one_that_was_given_up_leaves_the_device_usable),
        cmocka_unit_test(it_waits_until_a_reset_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

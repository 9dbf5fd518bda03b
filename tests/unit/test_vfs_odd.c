/* SPDX-License-Identifier: MIT */
/*
 * VFs whose way is crossed: given to a guest before they are all mapped, in use
 * while they are to go, silent by the hundred, asleep, or told of by a PF that
 * says less than it did.
 */
#include "registry/internal.h"
#include "vfs_fixture.h"

#define CTRL PCV_SRIOV_CTRL

static void open_with(struct vfs *v, uint16_t count)
{
    vfs_open(v);
    vfs_enable(v, count, VFS_ON);
    vfs_work(v);
}

/* SRIOV-1, OWN-5: what was begun for the hardware domain is the guest's now. */
static void a_vf_given_before_it_was_mapped_is_mapped_for_the_guest(
    void **state)
{
    unsigned there = 0;
    uint64_t wait;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    pcv_model_set_map_chunk(v.rig.model, 1);
    vfs_enable(&v, 3, VFS_ON);
    assert_int_equal(pcv_host_work(v.rig.host, &wait), -PCV_ERESTART);
    while (vfs_there(&v, there)) {
        there++;
    }
    /* The last one that came is half mapped. */
    assert_in_range(there, 1, 2);
    assert_int_equal(vfs_give(&v, there - 1), 0);
    vfs_write_as(v.guest, v.given, PCV_REG_BAR0, 4, VFS_WINDOW);
    vfs_write_as(v.guest, v.given, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    vfs_work(&v);
    assert_true(pcv_model_is_mapped(v.rig.model, VFS_GUEST, VFS_WINDOW >> 12));
    assert_false(vfs_mapped(&v, there - 1));
    assert_true(vfs_there(&v, 2));
    assert_true(vfs_mapped(&v, 2));
    assert_int_equal(rig_events(&v.rig, PCV_EVENT_VF_FAILED), 0);
    vfs_close(&v);
}

static struct {
    struct vfs *v;
    enum pcv_verdict verdict;
} beside;

static int attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    if (beside.v && domain_id == VFS_GUEST) {
        struct vfs *v = beside.v;
        struct pcv_access off =
            PCV_WRITE(VFS_PF, (uint16_t)(v->cap + CTRL), 2, 0);

        beside.v = NULL;
        beside.verdict = vfs_access(v->rig.dom0, &off);
    }
    return pcv_model_ops()->dma_attach(ctx, requester, domain_id);
}

/* OWN-15, OWN-5 */
static void vfs_of_which_one_changes_its_owner_are_not_disabled(void **state)
{
    struct pcv_test_function pf;
    struct vfs v;

    (void)state;
    memset(&v, 0, sizeof(v));
    rig_open(&v.rig);
    v.rig.ops.dma_attach = attach;
    vfs_make_pf(&v, &pf);
    vfs_build(&v, &pf);
    vfs_boot(&v);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    beside.v = &v;
    assert_int_equal(vfs_give(&v, 1), 0);
    assert_null(beside.v);
    assert_int_equal(beside.verdict, PCV_DONE);
    assert_int_equal(vfs_peek(&v, CTRL, 2), VFS_ON);
    assert_int_equal(rig_events(&v.rig, PCV_EVENT_PROTECTED), 1);
    assert_true(vfs_there(&v, 0));
    vfs_close(&v);
}

/* OWN-15, LIFE-9: nobody has the use of what was pulled. */
static void a_guests_vf_that_vanished_keeps_no_others(void **state)
{
    struct vfs v;

    (void)state;
    open_with(&v, 2);
    assert_int_equal(vfs_give(&v, 1), 0);
    assert_int_equal(pcv_device_vanished(v.rig.host, vfs_at(1)), 0);
    vfs_set(&v, CTRL, 2, 0);
    assert_int_equal(vfs_peek(&v, CTRL, 2), 0);
    assert_int_equal(rig_events(&v.rig, PCV_EVENT_VFS_BUSY), 0);
    assert_false(vfs_there(&v, 0));
    assert_false(vfs_there(&v, 1));
    vfs_close(&v);
}

/* PM-1, SRIOV-1: what sleeps decodes nothing, whatever its PF does. */
static void a_vf_that_sleeps_is_not_mapped_by_its_pf(void **state)
{
    struct pcv_test_function f;
    struct vfs v;
    uint16_t control;

    (void)state;
    memset(&v, 0, sizeof(v));
    rig_open(&v.rig);
    pcv_test_host_bridge(&f);
    pcv_test_add(v.rig.model, &f, pcv_test_at(0, 0, 0, 0));
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 2);
    pcv_test_add(v.rig.model, &f, VFS_PORT);
    vfs_make_pf(&v, &f);
    pcv_test_add(v.rig.model, &f, VFS_PF);
    vfs_make_vf(&f);
    control = (uint16_t)(pcv_test_pm(&f, true) + PCV_PM_CONTROL);
    pcv_test_add(v.rig.model, &f, vfs_at(0));
    vfs_boot(&v);
    vfs_enable(&v, 1, VFS_ON);
    vfs_work(&v);
    assert_true(vfs_mapped(&v, 0));
    vfs_write_as(v.rig.dom0, vfs_at(0), control, 2, PCV_PM_D3HOT);
    assert_false(vfs_mapped(&v, 0));
    vfs_set(&v, CTRL, 2, PCV_SRIOV_CTRL_VFE);
    vfs_set(&v, CTRL, 2, VFS_ON);
    assert_false(vfs_mapped(&v, 0));
    vfs_write_as(v.rig.dom0, vfs_at(0), control, 2, PCV_PM_D0);
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    (void)vfs_read_as(v.rig.dom0, vfs_at(0), PCV_REG_REVISION, 4);
    vfs_set(&v, CTRL, 2, PCV_SRIOV_CTRL_VFE);
    vfs_set(&v, CTRL, 2, VFS_ON);
    assert_true(vfs_mapped(&v, 0));
    vfs_close(&v);
}

/* TOPO-7: as many as that are no VFs that are slow. */
static void a_pf_whose_vfs_are_all_silent_is_not_believed_for_ever(void **state)
{
    struct pcv_test_function pf;
    struct vfs v;

    (void)state;
    memset(&v, 0, sizeof(v));
    rig_open(&v.rig);
    vfs_make_pf(&v, &pf);
    pcv_test_set(&pf, v.cap + PCV_SRIOV_INITIAL_VFS, 2, 400);
    pcv_test_set(&pf, v.cap + PCV_SRIOV_TOTAL_VFS, 2, 400);
    vfs_build(&v, &pf);
    vfs_boot(&v);
    /* The last VF that there is has 380 behind it that are not. */
    vfs_enable(&v, 400, VFS_ON);
    vfs_work(&v);
    assert_true(vfs_there(&v, VFS_TOTAL - 1));
    assert_int_equal(v.rig.events - rig_events(&v.rig, PCV_EVENT_ADDED), 256);
    vfs_close(&v);
}

/* LIFE-4, SRIOV-1: as many as can be are inside the gate of a VF. */
static void a_vf_that_cannot_be_entered_moves_when_it_can(void **state)
{
    struct pcv_access move;
    struct pcv_device *inside;
    unsigned count = 1;
    struct vfs v;

    (void)state;
    open_with(&v, 2);
    assert_int_equal(pcv__gate_enter(v.rig.dom0, vfs_at(0), &inside), PCV_DONE);
    while (pcv__ref_try(inside, PCV_HOLDER_ACCESS, 0)) {
        count++;
    }
    move = PCV_WRITE(VFS_PF, (uint16_t)(v.cap + PCV_SRIOV_BAR), 4, 0xe8000000u);
    assert_int_equal(pcv_access(v.rig.dom0, &move), PCV_PENDING);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(pcv_access_resume(v.rig.dom0, &move), PCV_PENDING);
    }
    assert_true(vfs_mapped(&v, 0));
    while (count-- > 0) {
        pcv__gate_leave(inside);
    }
    (void)rig_settle(&v.rig, &move);
    assert_false(rig_mapped(&v.rig, VFS_BAR0, 2 * VFS_SIZE0));
    assert_true(rig_mapped(&v.rig, 0xe8000000u, 2 * VFS_SIZE0));
    vfs_close(&v);
}

/* ---- resumed --------------------------------------------------------------
 */

/* CFG-10, HDR-9: an access whose device is shut out for the moment. */
static void a_resumed_access_waits_for_a_paused_gate(void **state)
{
    struct pcv_access off = PCV_WRITE(VFS_PF, PCV_REG_COMMAND, 2, 0);
    struct pcv_device *pf;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    pcv_model_set_map_chunk(v.rig.model, 1);
    assert_int_equal(pcv_access(v.rig.dom0, &off), PCV_PENDING);
    pf = pcv_device_find(v.rig.host, VFS_PF);
    pcv__lock_take(&pf->host->mem, &pf->lock);
    assert_int_equal(pcv__gate_pause(pf), 0);
    pcv__lock_drop(&pf->host->mem, &pf->lock);
    assert_int_equal(pcv_access_resume(v.rig.dom0, &off), PCV_RETRY);
    pcv__lock_take(&pf->host->mem, &pf->lock);
    pcv__gate_open(pf);
    pcv__lock_drop(&pf->host->mem, &pf->lock);
    pcv_device_put(pf);
    (void)rig_settle(&v.rig, &off);
    assert_int_equal(pcv_model_mapped_pages(v.rig.model), 0);
    vfs_close(&v);
}

/* CFG-10, LIFE-5 */
static void a_resumed_access_to_a_removed_device_is_done(void **state)
{
    struct pcv_access numbers =
        PCV_WRITE(VFS_PORT, PCV_REG_PRIMARY, 4, 0x00030100);
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_set(&v, PCV_SRIOV_NUM_VFS, 2, 2);
    vfs_set(&v, CTRL, 2, VFS_ON); /* work that waits: not this access's */
    assert_int_equal(pcv_access(v.rig.dom0, &numbers), PCV_PENDING);
    assert_int_equal(pcv_device_remove(v.rig.host, VFS_PORT, NULL, NULL), 0);
    assert_int_equal(pcv_access_resume(v.rig.dom0, &numbers), PCV_DONE);
    vfs_close(&v);
}

/* CFG-10, LIFE-12: what came too early, and is performed by resume, is
 * performed once, though it is pending then. */
static void what_came_early_is_performed_once(void **state)
{
    struct pcv_access off = PCV_WRITE(VFS_PF, PCV_REG_COMMAND, 2, 0);
    struct pcv_device_status before, after;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    pcv_model_set_map_chunk(v.rig.model, 1);
    assert_int_equal(pcv_device_status(v.rig.host, VFS_PF, &before), 0);
    /* As if the PF had not been there yet when it was asked. */
    off.pending = true;
    off.again = true;
    assert_int_equal(pcv_access_resume(v.rig.dom0, &off), PCV_PENDING);
    (void)rig_settle(&v.rig, &off);
    assert_int_equal(pcv_device_status(v.rig.host, VFS_PF, &after), 0);
    assert_int_equal(after.counters.writes, before.counters.writes + 1);
    assert_int_equal(pcv_model_mapped_pages(v.rig.model), 0);
    vfs_close(&v);
}

static void write_numbers(struct vfs *v, uint32_t numbers)
{
    vfs_write_as(v->rig.dom0, VFS_PORT, PCV_REG_PRIMARY, 4, numbers);
}

/* SRIOV-1, TOPO-4, EXT-3: VFs that were to come wait for the PF; where it has
 * no extended space when it can be reached again, nothing is left to be done.
 */
static void what_waits_for_a_pf_ends_with_its_capability(void **state)
{
    const pcv_sbdf moved = pcv_test_at(0, 9, 0, 0);
    uint64_t wait = 1;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 3, VFS_ON);
    write_numbers(&v, 0);
    pcv_model_set_ecam(v.rig.model, 0, 9, 10, false);
    write_numbers(&v, 0x000a0900);
    assert_int_equal(pcv_device_remove(v.rig.host, moved, NULL, NULL), 0);
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_int_equal(wait, 0);
    vfs_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_vf_given_before_it_was_mapped_is_mapped_for_the_guest),
        cmocka_unit_test(vfs_of_which_one_changes_its_owner_are_not_disabled),
        cmocka_unit_test(a_guests_vf_that_vanished_keeps_no_others),
        cmocka_unit_test(a_vf_that_sleeps_is_not_mapped_by_its_pf),
        cmocka_unit_test(
            a_pf_whose_vfs_are_all_silent_is_not_believed_for_ever),
        cmocka_unit_test(a_vf_that_cannot_be_entered_moves_when_it_can),
        cmocka_unit_test(a_resumed_access_waits_for_a_paused_gate),
        cmocka_unit_test(a_resumed_access_to_a_removed_device_is_done),
        cmocka_unit_test(what_came_early_is_performed_once),
        cmocka_unit_test(what_waits_for_a_pf_ends_with_its_capability),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Changes of owner that meet each other, or an add: two guests that want the
 * same device, a device in quarantine that is reported again, a VF whose PF is
 * pulled while it is given away.
 */
#include "registry/internal.h"
#include "vfs_fixture.h"

#define GUEST_2 8u

static struct pcv_domain *make_guest(struct vfs *v, uint32_t id)
{
    struct pcv_domain *guest = NULL;

    assert_int_equal(pcv_domain_create(v->rig.host, id, &guest), 0);
    return guest;
}

static int give(struct vfs *v, struct pcv_domain *guest)
{
    return pcv_device_assign(v->rig.host, vfs_at(0), guest, NULL, NULL);
}

static void open_with_vfs(struct vfs *v)
{
    vfs_open(v);
    vfs_enable(v, 2, VFS_ON);
    vfs_work(v);
    assert_int_equal(pcv_device_declare_isolated(v->rig.host, vfs_at(0), true),
                     0);
}

/* OWN-4, OWN-5: whoever came first has it, or gives it up. */
static void a_device_on_its_way_to_one_guest_is_not_anothers(void **state)
{
    struct pcv_domain *first, *second;
    struct vfs v;

    (void)state;
    open_with_vfs(&v);
    first = make_guest(&v, VFS_GUEST);
    second = make_guest(&v, GUEST_2);
    assert_int_equal(give(&v, first), -PCV_ERESTART);
    assert_int_equal(give(&v, second), -PCV_EBUSY);
    assert_int_equal(pcv_domain_destroy(second), 0);
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    assert_int_equal(give(&v, first), 0);
    assert_int_equal(vfs_take_back(&v, 0), 0);
    assert_int_equal(pcv_domain_destroy(first), 0);
    vfs_close(&v);
}

/* OWN-4, OWN-5: the same while accesses of the hardware domain drain. */
static void nor_is_it_while_accesses_drain(void **state)
{
    struct pcv_domain *first, *second;
    struct pcv_device *inside;
    struct vfs v;

    (void)state;
    open_with_vfs(&v);
    first = make_guest(&v, VFS_GUEST);
    second = make_guest(&v, GUEST_2);
    assert_int_equal(pcv__gate_enter(v.rig.dom0, vfs_at(0), &inside), PCV_DONE);
    assert_int_equal(give(&v, first), -PCV_ERESTART);
    assert_int_equal(give(&v, second), -PCV_EBUSY);
    pcv__gate_leave(inside);
    /* Given up, it is the hardware domain's as before. */
    assert_int_equal(pcv_device_deassign(v.rig.host, vfs_at(0)), 0);
    assert_int_equal(pcv_domain_destroy(first), 0);
    assert_int_equal(vfs_read_as(v.rig.dom0, vfs_at(0), PCV_REG_REVISION, 4),
                     0x02000001);
    vfs_close(&v);
}

/* LIFE-7, OWN-5: it is known already, and nothing of it is mapped. */
static void a_device_in_quarantine_may_be_reported_again(void **state)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF, .physfn = VFS_PF};
    struct pcv_domain *guest;
    struct vfs v;

    (void)state;
    open_with_vfs(&v);
    guest = make_guest(&v, VFS_GUEST);
    assert_int_equal(give(&v, guest), -PCV_ERESTART);
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    pcv_model_fail(v.rig.model, PCV_MODEL_OP_dma_attach, 1);
    assert_int_equal(give(&v, guest), -PCV_EIO);
    pcv_model_fail(v.rig.model, PCV_MODEL_OP_dma_attach, 0);
    assert_int_equal(rig_status(&v.rig, vfs_at(0)).owner_id,
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_device_add(v.rig.host, vfs_at(0), &info), 0);
    assert_int_equal(rig_status(&v.rig, vfs_at(0)).owner_id,
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_false(vfs_mapped(&v, 0));
    assert_int_equal(vfs_take_back(&v, 0), 0);
    assert_true(vfs_mapped(&v, 0));
    vfs_close(&v);
}

/* LIFE-7, SRIOV-3: nor is it asked before its time. */
static void a_device_that_was_just_reset_is_not_asked_who_it_is(void **state)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF, .physfn = VFS_PF};
    struct pcv_domain *guest;
    struct vfs v;

    (void)state;
    open_with_vfs(&v);
    guest = make_guest(&v, VFS_GUEST);
    assert_int_equal(give(&v, guest), -PCV_ERESTART);
    assert_int_equal(pcv_device_add(v.rig.host, vfs_at(0), &info), 0);
    assert_int_equal(pcv_model_early_accesses(v.rig.model), 0);
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    assert_int_equal(give(&v, guest), 0);
    vfs_close(&v);
}

static struct {
    struct vfs *v;
    int removed;
    pcv_sbdf busy;
} beside;

static int attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    if (beside.v && domain_id == VFS_GUEST) {
        struct pcv_host *host = beside.v->rig.host;

        beside.v = NULL;
        assert_int_equal(pcv_device_vanished(host, VFS_PF), 0);
        beside.removed = pcv_device_remove(host, VFS_PF, NULL, &beside.busy);
    }
    return pcv_model_ops()->dma_attach(ctx, requester, domain_id);
}

/* OWN-5, LIFE-5, LIFE-9: the change has it until it ends. */
static void a_pulled_pf_waits_for_a_vf_that_is_given_away(void **state)
{
    struct pcv_test_function pf;
    struct vfs v;

    (void)state;
    memset(&v, 0, sizeof(v));
    memset(&beside, 0, sizeof(beside));
    rig_open(&v.rig);
    v.rig.ops.dma_attach = attach;
    vfs_make_pf(&v, &pf);
    vfs_build(&v, &pf);
    vfs_boot(&v);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    v.guest = make_guest(&v, VFS_GUEST);
    beside.v = &v;
    assert_int_equal(vfs_give(&v, 0), 0);
    assert_null(beside.v);
    assert_int_equal(beside.removed, -PCV_EBUSY);
    assert_int_equal(beside.busy.v, vfs_at(0).v);
    assert_true(rig_status(&v.rig, vfs_at(0)).vanished);
    assert_int_equal(pcv_device_remove(v.rig.host, VFS_PF, NULL, NULL), 0);
    assert_false(vfs_there(&v, 0));
    assert_int_equal(pcv_domain_destroy(v.guest), 0);
    vfs_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_on_its_way_to_one_guest_is_not_anothers),
        cmocka_unit_test(nor_is_it_while_accesses_drain),
        cmocka_unit_test(a_device_in_quarantine_may_be_reported_again),
        cmocka_unit_test(a_device_that_was_just_reset_is_not_asked_who_it_is),
        cmocka_unit_test(a_pulled_pf_waits_for_a_vf_that_is_given_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

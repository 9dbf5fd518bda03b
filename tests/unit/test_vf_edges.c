/* SPDX-License-Identifier: MIT */
/*
 * VFs that are not as most are: with capabilities that only PFs have, asleep,
 * with MSI-X in a BAR of theirs, on hosts that fail to map them or have no
 * clock (SRIOV-1, SRIOV-3).
 */
#include "vfs_fixture.h"

#define CTRL PCV_SRIOV_CTRL
#define TABLE 0x0u
#define PBA 0x800u

/* A machine whose VFs `make` goes over; it may be called for each of them. */
static void open_with(struct vfs *v, void (*make)(struct pcv_test_function *f))
{
    struct pcv_test_function f;

    memset(v, 0, sizeof(*v));
    rig_open(&v->rig);
    vfs_make_pf(v, &f);
    pcv_test_add(v->rig.model, &f, VFS_PF);
    for (uint32_t i = 0; i < VFS_TOTAL; i++) {
        vfs_make_vf(&f);
        make(&f);
        pcv_test_add(v->rig.model, &f, vfs_at(i));
    }
    rig_create(&v->rig);
    pcv_test_write(v->rig.model, VFS_PF, (uint16_t)(v->cap + CTRL), 2, 0);
    pcv_model_set_clock(v->rig.model, true);
    assert_int_equal(pcv_device_add(v->rig.host, VFS_PF, NULL), 0);
    rig_forget(&v->rig);
}

/* ---- capabilities that are a PF's ------------------------------------------
 */

static uint16_t sriov_of_vf;

static void make_pf_like(struct pcv_test_function *f)
{
    sriov_of_vf = pcv_test_sriov(f, 4, 0, 1, 1);
}

/* CAP-3, SRIOV-1: a VF has no VFs: what it says about them is hidden and not
 * written. */
static void a_vf_has_no_vfs_of_its_own(void **state)
{
    struct vfs v;

    (void)state;
    open_with(&v, make_pf_like);
    vfs_enable(&v, 1, VFS_ON);
    rig_forget(&v.rig);
    vfs_work(&v);
    assert_true(vfs_mapped(&v, 0));
    assert_int_equal(rig_events(&v.rig, PCV_EVENT_CAP_HIDDEN), 1);
    rig_forget(&v.rig);
    vfs_write_as(v.rig.dom0, vfs_at(0), (uint16_t)(sriov_of_vf + CTRL), 2,
                 VFS_ON);
    vfs_write_as(v.rig.dom0, vfs_at(0),
                 (uint16_t)(sriov_of_vf + PCV_SRIOV_NUM_VFS), 2, 1);
    assert_int_equal(rig_writes(&v.rig), 0);
    vfs_close(&v);
}

/* ---- power -----------------------------------------------------------------
 */

static uint8_t pm_of_vf;

static void make_sleepy(struct pcv_test_function *f)
{
    pm_of_vf = pcv_test_pm(f, true);
}

/* PM-1, SRIOV-1: what sleeps is not mapped, whatever its PF decodes; it is when
 * it wakes. */
static void a_sleeping_vf_is_mapped_when_it_wakes(void **state)
{
    uint16_t reg;
    struct vfs v;

    (void)state;
    open_with(&v, make_sleepy);
    reg = (uint16_t)(pm_of_vf + PCV_PM_CONTROL);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    vfs_write_as(v.rig.dom0, vfs_at(0), reg, 2, PCV_PM_D3HOT);
    assert_false(vfs_mapped(&v, 0));
    vfs_set(&v, CTRL, 2, PCV_SRIOV_CTRL_VFE);
    vfs_work(&v);
    assert_false(vfs_mapped(&v, 1));
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    vfs_set(&v, CTRL, 2, VFS_ON);
    vfs_work(&v);
    assert_true(vfs_mapped(&v, 1));
    assert_false(vfs_mapped(&v, 0));
    vfs_write_as(v.rig.dom0, vfs_at(0), reg, 2, PCV_PM_D0);
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    assert_int_equal(vfs_read_as(v.rig.dom0, vfs_at(0), reg, 2) & PCV_PM_STATE,
                     PCV_PM_D0);
    assert_true(vfs_mapped(&v, 0));
    vfs_close(&v);
}

/* HDR-16, SRIOV-1: after its reset a VF is mapped if its PF decodes it. */
static void a_reset_vf_is_mapped_only_if_its_pf_decodes_it(void **state)
{
    static const uint16_t controls[] = {VFS_ON, PCV_SRIOV_CTRL_VFE};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct vfs v;

        open_with(&v, make_sleepy);
        vfs_enable(&v, 1, controls[i]);
        vfs_work(&v);
        vfs_write_as(v.rig.dom0, vfs_at(0), 0x40 + PCV_PCIE_DEVCTL, 2,
                     PCV_PCIE_DEVCTL_FLR);
        assert_false(vfs_mapped(&v, 0));
        pcv_model_advance_us(v.rig.model, VFS_READY_US);
        (void)vfs_read_as(v.rig.dom0, vfs_at(0), 0, 4);
        assert_int_equal(vfs_mapped(&v, 0), controls[i] == VFS_ON);
        vfs_close(&v);
    }
}

/* ---- MSI-X -----------------------------------------------------------------
 */

static void make_msix(struct pcv_test_function *f)
{
    (void)pcv_test_msix(f, 4, 3, TABLE, PBA);
}

/* MSIX-1: the rest of a page with a table is the VF's own registers, as long as
 * its PF decodes them. */
static void registers_beside_a_vfs_table_are_the_vfs(void **state)
{
    const uint64_t at = VFS_BAR3 + 0x400u;
    struct pcv_mmio access;
    struct vfs v;

    (void)state;
    open_with(&v, make_msix);
    vfs_enable(&v, 1, VFS_ON);
    vfs_work(&v);
    pcv_model_mmio_poke(v.rig.model, vfs_at(0), 3, 0x400, 4, 0x600dcafeu);
    access = PCV_MMIO_READ(at, 4);
    assert_int_equal(pcv_mmio_access(v.rig.dom0, &access), PCV_DONE);
    assert_int_equal(access.data, 0x600dcafeu);
    access = PCV_MMIO_WRITE(at + 4u, 4, 0x11u);
    assert_int_equal(pcv_mmio_access(v.rig.dom0, &access), PCV_DONE);
    assert_int_equal(pcv_model_mmio_peek(v.rig.model, vfs_at(0), 3, 0x404, 4),
                     0x11);
    vfs_set(&v, CTRL, 2, PCV_SRIOV_CTRL_VFE);
    vfs_work(&v);
    access = PCV_MMIO_READ(at, 4);
    assert_int_equal(pcv_mmio_access(v.rig.dom0, &access), PCV_FORWARD);
    vfs_close(&v);
}

/* ---- hosts -----------------------------------------------------------------
 */

/* Nothing can be mapped at the second VF's BAR 0. */
static int64_t map_others(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                          pcv_hpa hpa, uint64_t pages)
{
    const uint64_t start = VFS_BAR0 + VFS_SIZE0;

    return gpa.v + (pages << 12) > start && gpa.v < start + VFS_SIZE0
               ? -PCV_EIO
               : pcv_model_ops()->map(ctx, domain_id, gpa, hpa, pages);
}

/* HDR-10, SRIOV-1: a VF whose mapping fails is there, without mappings, and the
 * PF's memory is not switched off for it. */
static void a_vf_that_cannot_be_mapped_leaves_the_others_mapped(void **state)
{
    struct pcv_test_function pf;
    struct vfs v;

    (void)state;
    memset(&v, 0, sizeof(v));
    rig_open(&v.rig);
    v.rig.ops.map = map_others;
    vfs_make_pf(&v, &pf);
    vfs_build(&v, &pf);
    vfs_boot(&v);
    vfs_enable(&v, 3, VFS_ON);
    vfs_work(&v);
    assert_true(rig_events(&v.rig, PCV_EVENT_MAP_FAILED) != 0);
    assert_int_equal(vfs_peek(&v, CTRL, 2), VFS_ON);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(vfs_there(&v, i));
        assert_int_equal(vfs_mapped(&v, i), i != 1);
    }
    vfs_close(&v);
}

/* SRIOV-3: without a clock every time is over. */
static void without_a_clock_vfs_come_at_once(void **state)
{
    struct pcv_test_function pf;
    uint64_t wait = 1;
    struct vfs v;

    (void)state;
    memset(&v, 0, sizeof(v));
    rig_open(&v.rig);
    v.rig.ops.now_us = NULL;
    vfs_make_pf(&v, &pf);
    vfs_build(&v, &pf);
    vfs_boot(&v);
    pcv_model_set_clock(v.rig.model, false); /* hardware's own goes on */
    vfs_set(&v, PCV_SRIOV_NUM_VFS, 2, 2);
    vfs_set(&v, CTRL, 2, VFS_ON);
    vfs_work(&v);
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_int_equal(wait, 0);
    assert_true(vfs_there(&v, 0) && vfs_there(&v, 1));
    vfs_close(&v);
}

/* ---- several PFs -----------------------------------------------------------
 */

#define PF_2 pcv_test_at(0, 3, 0, 0)

static void enable_at(struct rig *rig, pcv_sbdf pf, uint16_t cap)
{
    vfs_write_as(rig->dom0, pf, (uint16_t)(cap + PCV_SRIOV_NUM_VFS), 2, 1);
    vfs_write_as(rig->dom0, pf, (uint16_t)(cap + CTRL), 2, VFS_ON);
}

/* SRIOV-3: how long there is nothing to do is until the first one's VFs are
 * due, whichever PF was asked first. */
static void the_wait_is_the_shortest_of_all_pfs(void **state)
{
    struct pcv_test_function f;
    uint64_t wait = 0;
    uint16_t cap_2;
    struct vfs v;

    (void)state;
    memset(&v, 0, sizeof(v));
    rig_open(&v.rig);
    vfs_make_pf(&v, &f);
    pcv_test_add(v.rig.model, &f, VFS_PF);
    for (uint32_t i = 0; i < VFS_TOTAL; i++) {
        vfs_make_vf(&f);
        pcv_test_add(v.rig.model, &f, vfs_at(i));
    }
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    cap_2 = pcv_test_sriov(&f, 1, 1, 1, 1);
    pcv_test_set(&f, cap_2 + PCV_SRIOV_BAR, 4, 0xe8000000u);
    pcv_test_add(v.rig.model, &f, PF_2);
    pcv_test_vf(&f, PF_2);
    f.fn.bar_size[0] = 0x1000;
    pcv_test_add(v.rig.model, &f, pcv_test_at(0, 3, 0, 1));
    rig_create(&v.rig);
    pcv_test_write(v.rig.model, VFS_PF, (uint16_t)(v.cap + CTRL), 2, 0);
    pcv_test_write(v.rig.model, PF_2, (uint16_t)(cap_2 + CTRL), 2, 0);
    pcv_model_set_clock(v.rig.model, true);
    assert_int_equal(pcv_device_add(v.rig.host, VFS_PF, NULL), 0);
    assert_int_equal(pcv_device_add(v.rig.host, PF_2, NULL), 0);
    enable_at(&v.rig, VFS_PF, v.cap);
    pcv_model_advance_us(v.rig.model, 30000);
    enable_at(&v.rig, PF_2, cap_2);
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_int_equal(wait, 70000);
    /* The first one's asks for a retry when it is due, and gets it. */
    pcv_model_poke(v.rig.model, vfs_at(0), PCV_REG_VENDOR, 4, 0xffff0001u);
    pcv_model_advance_us(v.rig.model, 70000);
    vfs_work(&v);
    assert_false(vfs_there(&v, 0));
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_true(wait != 0 && wait <= 30000);
    pcv_model_poke(v.rig.model, vfs_at(0), PCV_REG_VENDOR, 4, 0xffffffffu);
    for (int i = 0; i < 20; i++) {
        pcv_model_advance_us(v.rig.model, 10000);
        vfs_work(&v);
    }
    assert_true(vfs_there(&v, 0));
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_int_equal(wait, 0);
    rig_close(&v.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vf_has_no_vfs_of_its_own),
        cmocka_unit_test(a_sleeping_vf_is_mapped_when_it_wakes),
        cmocka_unit_test(a_reset_vf_is_mapped_only_if_its_pf_decodes_it),
        cmocka_unit_test(registers_beside_a_vfs_table_are_the_vfs),
        cmocka_unit_test(a_vf_that_cannot_be_mapped_leaves_the_others_mapped),
        cmocka_unit_test(without_a_clock_vfs_come_at_once),
        cmocka_unit_test(the_wait_is_the_shortest_of_all_pfs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

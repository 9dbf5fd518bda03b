/* SPDX-License-Identifier: MIT */
/* What the hardware domain programmed in a VF itself, put back when it comes
 * home; its guest has what is past the IOMMU off (OWN-5, CAP-7). */
#include "vfs_fixture.h"

#define ATS_ON 0x8000u
#define TPH_ON 0x0101u

static uint16_t ats, tph;

static void add_vf(struct vfs *v, uint32_t index)
{
    struct pcv_test_function f;

    vfs_make_vf(&f);
    ats = (uint16_t)(pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_ATS, 1, 8) + 6u);
    tph = (uint16_t)(pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_TPH, 1, 12) + 8u);
    pcv_test_add(v->rig.model, &f, vfs_at(index));
}

/* As vfs_open(), but that VFs ask for translations, and hint. */
static void open(struct vfs *v)
{
    struct pcv_test_function f;

    memset(v, 0, sizeof(*v));
    rig_open(&v->rig);
    pcv_test_host_bridge(&f);
    pcv_test_add(v->rig.model, &f, pcv_test_at(0, 0, 0, 0));
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 2);
    pcv_test_set(&f, PCV_REG_MEM_BASE, 4, 0xeff0e000u);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(v->rig.model, &f, VFS_PORT);
    vfs_make_pf(v, &f);
    pcv_test_add(v->rig.model, &f, VFS_PF);
    for (uint32_t i = 0; i < VFS_TOTAL; i++) {
        add_vf(v, i);
    }
    vfs_boot(v);
    vfs_enable(v, 2, VFS_ON);
    vfs_work(v);
    assert_true(vfs_there(v, 1));
}

static uint32_t stands(const struct vfs *v, uint32_t index, uint16_t reg)
{
    return pcv_model_peek(v->rig.model, vfs_at(index), reg, 2);
}

/* Its driver switches them on. */
static void switch_on(struct vfs *v, uint32_t index)
{
    vfs_write_as(v->rig.dom0, vfs_at(index), ats, 2, ATS_ON);
    vfs_write_as(v->rig.dom0, vfs_at(index), tph, 2, TPH_ON);
    assert_int_equal(stands(v, index, ats), ATS_ON);
    assert_int_equal(stands(v, index, tph), TPH_ON);
}

/* OWN-5 SRIOV-2: its PF has none of this. */
static void what_a_vf_has_of_its_own_comes_home_with_it(void **state)
{
    struct vfs v;

    (void)state;
    open(&v);
    switch_on(&v, 0);
    assert_int_equal(vfs_give(&v, 0), 0);
    assert_int_equal(stands(&v, 0, ats), 0);
    assert_int_equal(stands(&v, 0, tph), TPH_ON);
    assert_int_equal(vfs_take_back(&v, 0), 0);
    assert_int_equal(stands(&v, 0, ats), ATS_ON);
    assert_int_equal(stands(&v, 0, tph), TPH_ON);
    assert_int_equal(stands(&v, 1, ats), 0); /* its neighbour's */
    vfs_close(&v);
}

/* OWN-5 CAP-7: what was off when it went is off when it is back. */
static void what_was_off_stays_off(void **state)
{
    struct vfs v;

    (void)state;
    open(&v);
    assert_int_equal(vfs_give(&v, 1), 0);
    pcv_model_poke(v.rig.model, vfs_at(1), tph, 2, TPH_ON);
    assert_int_equal(vfs_take_back(&v, 1), 0);
    assert_int_equal(stands(&v, 1, ats), 0);
    assert_int_equal(stands(&v, 1, tph), 0);
    vfs_close(&v);
}

/* OWN-5 PORT-3: what cannot be remembered is not given away. */
static void a_vf_whose_registers_cannot_be_read_stays(void **state)
{
    struct vfs v;
    uint64_t n;

    (void)state;
    open(&v);
    switch_on(&v, 0);
    for (n = 1;; n++) {
        int error;

        pcv_model_fail(v.rig.model, PCV_MODEL_OP_cfg_read, n);
        error = vfs_give(&v, 0);
        pcv_model_fail(v.rig.model, PCV_MODEL_OP_cfg_read, 0);
        if (error == 0) {
            assert_int_equal(stands(&v, 0, ats), 0);
        }
        (void)vfs_take_back(&v, 0); /* or it stayed */
        assert_int_equal(stands(&v, 0, ats), ATS_ON);
        assert_int_equal(stands(&v, 0, tph), TPH_ON);
        if (error == 0) {
            break;
        }
    }
    assert_true(n > 4);
    vfs_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_vf_has_of_its_own_comes_home_with_it),
        cmocka_unit_test(what_was_off_stays_off),
        cmocka_unit_test(a_vf_whose_registers_cannot_be_read_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

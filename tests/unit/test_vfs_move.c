/* SPDX-License-Identifier: MIT */
/*
 * VFs that exist: given to guests, moved by their PF's registers, lost by its
 * reset (src/owner/vfs.c).
 */
#include "pcivisor/protected.h"
#include "vfs_fixture.h"

#define CTRL PCV_SRIOV_CTRL

/* ---- guests ---------------------------------------------------------------
 */

/* SRIOV-1, OWN-15 */
static void vfs_in_use_are_neither_disabled_nor_moved(void **state)
{
    const uint16_t bar = PCV_SRIOV_BAR;
    struct pcv_device_status status;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 3, VFS_ON);
    vfs_work(&v);
    assert_int_equal(vfs_give(&v, 1), 0);
    rig_forget(&v.rig);
    vfs_set(&v, CTRL, 2, 0);
    vfs_set(&v, CTRL, 2, PCV_SRIOV_CTRL_VFE);
    vfs_set(&v, bar, 4, 0xe8000000u);
    vfs_set(&v, PCV_SRIOV_NUM_VFS, 2, 1);
    vfs_set(&v, PCV_SRIOV_PAGE_SIZE, 4, 2);
    assert_int_equal(vfs_peek(&v, CTRL, 2), VFS_ON);
    assert_int_equal(vfs_peek(&v, bar, 4), VFS_BAR0 | PCV_BAR_TYPE_64);
    assert_int_equal(vfs_peek(&v, PCV_SRIOV_NUM_VFS, 2), 3);
    assert_int_equal(vfs_peek(&v, PCV_SRIOV_PAGE_SIZE, 4), 1);
    assert_int_equal(rig_events(&v.rig, PCV_EVENT_PROTECTED), 5);
    assert_int_equal(rig_writes(&v.rig), 0);
    status = rig_status(&v.rig, VFS_PF);
    assert_int_equal(status.counters.refused, 5);
    assert_true(vfs_there(&v, 0));
    assert_true(vfs_mapped(&v, 0));
    assert_int_equal(vfs_take_back(&v, 1), 0);
    vfs_set(&v, CTRL, 2, 0);
    assert_int_equal(vfs_peek(&v, CTRL, 2), 0);
    assert_false(vfs_there(&v, 0));
    vfs_close(&v);
}

/* SRIOV-2 */
static void a_guest_sees_an_ordinary_function(void **state)
{
    pcv_sbdf at;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 3, VFS_ON);
    vfs_work(&v);
    assert_int_equal(vfs_give(&v, 1), 0);
    at = v.given;
    assert_int_equal(vfs_read_as(v.guest, at, PCV_REG_VENDOR, 2), 0x8086);
    assert_int_equal(vfs_read_as(v.guest, at, PCV_REG_DEVICE, 2), 0x10ca);
    assert_int_equal(vfs_read_as(v.guest, at, PCV_REG_REVISION, 4), 0x02000001);
    assert_int_equal(vfs_read_as(v.guest, at, PCV_REG_COMMAND, 2), 0);
    /* Sizing, with the upper half. */
    vfs_write_as(v.guest, at, PCV_REG_BAR0, 4, UINT32_MAX);
    vfs_write_as(v.guest, at, PCV_REG_BAR0 + 4, 4, UINT32_MAX);
    assert_int_equal(vfs_read_as(v.guest, at, PCV_REG_BAR0, 4),
                     (uint32_t) ~(VFS_SIZE0 - 1) | PCV_BAR_TYPE_64);
    assert_int_equal(vfs_read_as(v.guest, at, PCV_REG_BAR0 + 4, 4), UINT32_MAX);
    vfs_write_as(v.guest, at, PCV_REG_BAR0 + 12, 4, UINT32_MAX);
    assert_int_equal(vfs_read_as(v.guest, at, PCV_REG_BAR0 + 12, 4),
                     (uint32_t) ~(VFS_SIZE3 - 1));
    /* Its memory is where it says, and is this VF's. */
    vfs_write_as(v.guest, at, PCV_REG_BAR0, 4, VFS_WINDOW);
    vfs_write_as(v.guest, at, PCV_REG_BAR0 + 4, 4, 0);
    vfs_write_as(v.guest, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(vfs_read_as(v.guest, at, PCV_REG_COMMAND, 2),
                     PCV_CMD_MEMORY);
    for (uint64_t page = 0; page < VFS_SIZE0 >> 12; page++) {
        uint64_t host;

        assert_true(pcv_model_translate(v.rig.model, VFS_GUEST,
                                        (VFS_WINDOW >> 12) + page, &host));
        assert_int_equal(host, ((VFS_BAR0 + VFS_SIZE0) >> 12) + page);
    }
    vfs_write_as(v.guest, at, PCV_REG_COMMAND, 2, 0);
    assert_false(pcv_model_is_mapped(v.rig.model, VFS_GUEST, VFS_WINDOW >> 12));
    assert_int_equal(vfs_take_back(&v, 1), 0);
    assert_true(vfs_mapped(&v, 1));
    vfs_close(&v);
}

/* ---- they move ------------------------------------------------------------
 */

/* SRIOV-1 */
static void vf_memory_enable_maps_and_unmaps_them(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 10, PCV_SRIOV_CTRL_VFE);
    vfs_work(&v);
    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 10; i++) {
            assert_false(vfs_mapped(&v, i));
        }
        vfs_set(&v, CTRL, 2, VFS_ON);
        assert_int_equal(vfs_peek(&v, CTRL, 2), VFS_ON);
        for (uint32_t i = 0; i < 10; i++) {
            assert_true(vfs_mapped(&v, i));
        }
        pcv_model_set_map_chunk(v.rig.model, round);
        vfs_set(&v, CTRL, 2, PCV_SRIOV_CTRL_VFE);
        assert_int_equal(vfs_peek(&v, CTRL, 2), PCV_SRIOV_CTRL_VFE);
    }
    vfs_close(&v);
}

/* SRIOV-1, HDR-6: nothing is mapped while hardware changes. */
static void unmapped_while_vf_bars_change(struct rig *rig,
                                          const struct pcv_model_cfg *access)
{
    if (access->write && access->sbdf.v == VFS_PF.v) {
        assert_int_equal(pcv_model_mapped_pages(rig->model), 4);
    }
}

static void a_vf_bar_moves_all_vfs(void **state)
{
    struct pcv_device_info info;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 10, VFS_ON);
    vfs_work(&v);
    pcv_model_set_map_chunk(v.rig.model, 1);
    v.rig.hook = unmapped_while_vf_bars_change;
    vfs_set(&v, PCV_SRIOV_BAR, 4, 0xe8000000u);
    v.rig.hook = NULL;
    for (uint32_t i = 0; i < 10; i++) {
        assert_false(rig_mapped(&v.rig, VFS_BAR0 + i * VFS_SIZE0, VFS_SIZE0));
        assert_true(rig_mapped(&v.rig, 0xe8000000u + i * VFS_SIZE0, VFS_SIZE0));
        assert_true(rig_mapped(&v.rig, VFS_BAR3 + i * VFS_SIZE3, VFS_SIZE3));
        rig_info(&v.rig, vfs_at(i), &info);
        assert_true(info.bar[0].address == 0xe8000000u + i * VFS_SIZE0);
    }
    vfs_close(&v);
}

/* SRIOV-1: a change before they are there is followed when they come. */
static void a_change_while_they_are_still_to_come_is_theirs_too(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_set(&v, PCV_SRIOV_NUM_VFS, 2, 2);
    vfs_set(&v, CTRL, 2, PCV_SRIOV_CTRL_VFE);
    vfs_set(&v, PCV_SRIOV_BAR, 4, 0xe8000000u);
    vfs_set(&v, CTRL, 2, VFS_ON);
    assert_false(vfs_there(&v, 0));
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    vfs_work(&v);
    assert_true(rig_mapped(&v.rig, 0xe8000000u, 2 * VFS_SIZE0));
    assert_true(rig_mapped(&v.rig, VFS_BAR3, 2 * VFS_SIZE3));
    vfs_close(&v);
}

/* ---- resets ---------------------------------------------------------------
 */

static void flr(struct vfs *v)
{
    vfs_write_as(v->rig.dom0, VFS_PF, 0x40 + PCV_PCIE_DEVCTL, 2,
                 PCV_PCIE_DEVCTL_FLR);
    vfs_work(v);
    pcv_model_advance_us(v->rig.model, VFS_READY_US);
}

/* SRIOV-1, PCIE-1: a reset of the PF takes its VFs. */
static void a_reset_of_the_pf_takes_its_vfs(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 3, VFS_ON);
    vfs_work(&v);
    flr(&v);
    for (uint32_t i = 0; i < 3; i++) {
        assert_false(vfs_there(&v, i));
        assert_false(vfs_mapped(&v, i));
    }
    assert_int_equal(vfs_get(&v, CTRL, 2), 0);
    /* Restored by its driver, with other addresses than it had. */
    vfs_set(&v, PCV_SRIOV_BAR, 4, 0xe8000000u);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    assert_true(rig_mapped(&v.rig, 0xe8000000u, 2 * VFS_SIZE0));
    vfs_close(&v);
}

/* HDR-16: a reset that nobody told of. */
static void vfs_that_a_hidden_reset_took_go_when_control_is_written(
    void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 3, VFS_ON);
    vfs_work(&v);
    pcv_test_write(v.rig.model, VFS_PF, 0x40 + PCV_PCIE_DEVCTL, 2,
                   PCV_PCIE_DEVCTL_FLR);
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    vfs_set(&v, CTRL, 2, PCV_SRIOV_CTRL_ARI);
    assert_false(vfs_there(&v, 0));
    assert_int_equal(vfs_peek(&v, CTRL, 2), PCV_SRIOV_CTRL_ARI);
    vfs_close(&v);
}

/* HDR-16, LIFE-9: for a guest its VF was pulled; it is given back as such. */
static void a_guests_vf_that_a_reset_took_has_vanished(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 3, VFS_ON);
    vfs_work(&v);
    assert_int_equal(vfs_give(&v, 1), 0);
    pcv_test_write(v.rig.model, VFS_PF, 0x40 + PCV_PCIE_DEVCTL, 2,
                   PCV_PCIE_DEVCTL_FLR);
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    /* Records that say "mapped" meet a command register that says "off". */
    vfs_write_as(v.rig.dom0, VFS_PF, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    vfs_work(&v);
    assert_false(vfs_there(&v, 0));
    assert_false(vfs_there(&v, 2));
    assert_true(rig_status(&v.rig, vfs_at(1)).vanished);
    assert_int_equal(vfs_read_as(v.guest, v.given, PCV_REG_REVISION, 4),
                     UINT32_MAX);
    assert_int_equal(pcv_device_remove(v.rig.host, vfs_at(1), NULL, NULL), 0);
    vfs_close(&v);
}

/* OWN-15: a write that was still allowed when it came is not performed once a
 * guest has a VF. */
static void a_write_that_waits_is_dropped_for_a_vf_given_meanwhile(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint32_t value;
    } rows[] = {
        {CTRL, 2, PCV_SRIOV_CTRL_VFE},
        {PCV_SRIOV_BAR, 4, 0xe8000000u},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned steps = 0; steps < 4; steps++) {
            struct pcv_access write;
            enum pcv_verdict verdict;
            struct vfs v;
            uint32_t before;

            vfs_open(&v);
            vfs_enable(&v, 3, VFS_ON);
            vfs_work(&v);
            before = vfs_peek(&v, rows[i].reg, rows[i].size);
            write = PCV_WRITE(VFS_PF, (uint16_t)(v.cap + rows[i].reg),
                              rows[i].size, rows[i].value);
            verdict = pcv_access(v.rig.dom0, &write);
            for (unsigned n = 0; n < steps && verdict == PCV_PENDING; n++) {
                verdict = pcv_access_resume(v.rig.dom0, &write);
            }
            if (vfs_peek(&v, rows[i].reg, rows[i].size) == before) {
                assert_int_equal(vfs_give(&v, 1), 0);
                while (verdict == PCV_PENDING) {
                    verdict = pcv_access_resume(v.rig.dom0, &write);
                }
                assert_int_equal(vfs_peek(&v, rows[i].reg, rows[i].size),
                                 before);
                assert_true(vfs_mapped(&v, 0));
                vfs_write_as(v.guest, v.given, PCV_REG_BAR0, 4, VFS_WINDOW);
                vfs_write_as(v.guest, v.given, PCV_REG_COMMAND, 2,
                             PCV_CMD_MEMORY);
                assert_true(pcv_model_is_mapped(v.rig.model, VFS_GUEST,
                                                VFS_WINDOW >> 12));
                assert_int_equal(vfs_take_back(&v, 1), 0);
            }
            vfs_close(&v);
        }
    }
}

/* OWN-15 */
static void it_is_performed_at_the_administrators_word(void **state)
{
    struct pcv_access write;
    enum pcv_verdict verdict;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 3, VFS_ON);
    vfs_work(&v);
    write = PCV_WRITE(VFS_PF, (uint16_t)(v.cap + CTRL), 2, PCV_SRIOV_CTRL_VFE);
    assert_int_equal(pcv_access(v.rig.dom0, &write), PCV_PENDING);
    assert_int_equal(pcv_access_resume(v.rig.dom0, &write), PCV_PENDING);
    assert_int_equal(vfs_give(&v, 1), 0);
    assert_int_equal(pcv_device_override(v.rig.host, VFS_PF, true), 0);
    do {
        verdict = pcv_access_resume(v.rig.dom0, &write);
    } while (verdict == PCV_PENDING);
    assert_int_equal(vfs_peek(&v, CTRL, 2), PCV_SRIOV_CTRL_VFE);
    assert_false(vfs_there(&v, 1));
    vfs_close(&v);
}

/* LIFE-11, SRIOV-1: of a PF that is gone nothing is asked, though a write that
 * is to move its VFs goes on. */
static void a_pf_that_vanished_meanwhile_is_not_asked(void **state)
{
    struct pcv_access write;
    enum pcv_verdict verdict;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 3, VFS_ON);
    vfs_work(&v);
    write = PCV_WRITE(VFS_PF, (uint16_t)(v.cap + CTRL), 2, PCV_SRIOV_CTRL_VFE);
    assert_int_equal(pcv_access(v.rig.dom0, &write), PCV_PENDING);
    assert_int_equal(pcv_access_resume(v.rig.dom0, &write), PCV_PENDING);
    assert_int_equal(pcv_device_vanished(v.rig.host, VFS_PF), 0);
    rig_forget(&v.rig);
    do {
        verdict = pcv_access_resume(v.rig.dom0, &write);
    } while (verdict == PCV_PENDING);
    assert_int_equal(v.rig.logged, 0);
    vfs_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vfs_in_use_are_neither_disabled_nor_moved),
        cmocka_unit_test(
            a_write_that_waits_is_dropped_for_a_vf_given_meanwhile),
        cmocka_unit_test(it_is_performed_at_the_administrators_word),
        cmocka_unit_test(a_guest_sees_an_ordinary_function),
        cmocka_unit_test(vf_memory_enable_maps_and_unmaps_them),
        cmocka_unit_test(a_vf_bar_moves_all_vfs),
        cmocka_unit_test(a_change_while_they_are_still_to_come_is_theirs_too),
        cmocka_unit_test(a_reset_of_the_pf_takes_its_vfs),
        cmocka_unit_test(
            vfs_that_a_hidden_reset_took_go_when_control_is_written),
        cmocka_unit_test(a_guests_vf_that_a_reset_took_has_vanished),
        cmocka_unit_test(a_pf_that_vanished_meanwhile_is_not_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

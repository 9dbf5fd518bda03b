/* SPDX-License-Identifier: MIT */
/*
 * Accesses that were inside, waiting for the device's lock, when their device
 * was torn down (CAP-5, LIFE-6): they come to their end, and nothing of what
 * they ask is done any more. The teardown is called here as a removal calls it,
 * with the gate left open.
 */
#include "rebar_fixture.h"
#include "vpci/internal.h"

static void tear(struct rig *rig, pcv_sbdf at)
{
    struct pcv_device *device = pcv_device_find(rig->host, at);

    assert_non_null(device);
    pcv__vpci_teardown(device);
    pcv_device_put(device);
    rig_forget(rig);
}

/* CAP-5, SRIOV-1 */
static void nothing_about_vfs_is_changed(void **state)
{
    uint64_t wait;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    tear(&v.rig, VFS_PF);
    vfs_set(&v, PCV_SRIOV_CTRL, 2, 0);
    vfs_set(&v, PCV_SRIOV_CTRL, 2, PCV_SRIOV_CTRL_VFE);
    vfs_set(&v, PCV_SRIOV_BAR, 4, 0xc0000000u);
    assert_int_equal(rig_writes(&v.rig), 0);
    assert_int_equal(vfs_peek(&v, PCV_SRIOV_CTRL, 2), VFS_ON);
    assert_int_equal(vfs_peek(&v, PCV_SRIOV_BAR, 4),
                     VFS_BAR0 | PCV_BAR_TYPE_64);
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_int_equal(wait, 0);
    assert_true(vfs_there(&v, 0));
    vfs_close(&v);
}

/* CAP-5, PCIE-1: its VFs are whoever tears it down's to remove. */
static void a_reset_of_a_pf_asks_nothing_about_its_vfs(void **state)
{
    uint64_t wait;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    tear(&v.rig, VFS_PF);
    vfs_write_as(v.rig.dom0, VFS_PF, 0x40 + PCV_PCIE_DEVCTL, 2,
                 PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(vfs_peek(&v, PCV_SRIOV_CTRL, 2), VFS_ON);
    assert_int_equal(rig_events(&v.rig, PCV_EVENT_RESET), 0);
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_int_equal(wait, 0);
    assert_true(vfs_there(&v, 1));
    vfs_close(&v);
}

/* CAP-5, REBAR-1 */
static void no_bar_is_resized(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    tear(&c.rig, CARD);
    resize(&c, 2);
    assert_int_equal(rig_writes(&c.rig), 0);
    assert_int_equal(control(&c), CONTROL(0, 0) | 1u << 5);
    assert_int_equal(refused(&c), 1);
    rig_close(&c.rig);
}

/* CAP-5, HDR-6 */
static void nothing_is_mapped_for_the_hardware_domain(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    tear(&c.rig, CARD);
    rig_write(&c.rig, CARD, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    rig_write(&c.rig, CARD, PCV_REG_BAR0 + 8u, 4, 0xe1000000u);
    assert_int_equal(rig_writes(&c.rig), 0);
    assert_int_equal(pcv_model_mapped_pages(c.rig.model), 0);
    rig_close(&c.rig);
}

/* ---- a guest's -------------------------------------------------------------
 */

static void give(struct card *c)
{
    int error;

    card_open(c);
    assert_int_equal(pcv_domain_create(c->rig.host, VFS_GUEST, &c->guest), 0);
    assert_int_equal(
        pcv_domain_add_window(c->guest, (pcv_gpa){VFS_WINDOW}, GIB), 0);
    do {
        error = pcv_device_assign(c->rig.host, CARD, c->guest, NULL, &c->at);
    } while (error == -PCV_ERESTART);
    assert_int_equal(error, 0);
}

/* CAP-5, HDR-6 */
static void nothing_is_mapped_for_a_guest(void **state)
{
    struct card c;

    (void)state;
    give(&c);
    vfs_write_as(c.guest, c.at, PCV_REG_BAR0 + 8u, 4, (uint32_t)VFS_WINDOW);
    tear(&c.rig, CARD);
    vfs_write_as(c.guest, c.at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(pcv_model_mapped_pages(c.rig.model), 0);
    vfs_write_as(c.guest, c.at, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(rig_events(&c.rig, PCV_EVENT_RESET), 0);
    rig_close(&c.rig);
}

/* CAP-5, OWN-5: a reset that waits for its turn when its device is torn down is
 * not done: a change of owner resets it in its own time. */
static void a_reset_under_way_is_not_done(void **state) PCV__NO_ANALYSIS
{
    struct pcv_access access;
    struct pcv_device *device;
    struct pcv__mem *mem;
    unsigned rounds = 0;
    struct card c;

    (void)state;
    give(&c);
    vfs_write_as(c.guest, c.at, PCV_REG_BAR0, 4, (uint32_t)VFS_WINDOW);
    vfs_write_as(c.guest, c.at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_model_set_map_chunk(c.rig.model, 1);
    access = PCV_WRITE(c.at, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(pcv_access(c.guest, &access), PCV_PENDING);
    device = pcv_device_find(c.rig.host, CARD);
    mem = &device->host->mem;
    rig_forget(&c.rig);
    /* The teardown is between its two steps. */
    pcv__lock_take(mem, &device->lock);
    device->torn = true;
    pcv__lock_drop(mem, &device->lock);
    while (pcv_access_resume(c.guest, &access) != PCV_DONE) {
        assert_true(++rounds < 1000);
    }
    assert_int_equal(rig_events(&c.rig, PCV_EVENT_RESET), 0);
    assert_int_equal(rig_touched(&c.rig, 0x40 + PCV_PCIE_DEVCTL, true), 0);
    assert_int_equal(pcv_device_wait_us(device), 0);
    pcv__vpci_teardown(device);
    assert_int_equal(pcv_model_mapped_pages(c.rig.model), 0);
    pcv_device_put(device);
    rig_close(&c.rig);
}

/* CAP-5, HDR-12: who found a trap before that reads what nobody answers. */
static void a_trapped_access_reads_all_ones(void **state)
{
    struct pcv_device *device;
    uint64_t data = 0;
    struct card c;

    (void)state;
    give(&c);
    vfs_write_as(c.guest, c.at, PCV_REG_BAR0 + 8u, 4, (uint32_t)VFS_WINDOW);
    vfs_write_as(c.guest, c.at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    tear(&c.rig, CARD);
    device = pcv_device_find(c.rig.host, CARD);
    pcv__trap_access(device, 2, VFS_WINDOW, 4, false, &data);
    assert_int_equal(data, 0xffffffffu);
    data = 5;
    pcv__trap_access(device, 2, VFS_WINDOW, 4, true, &data);
    assert_int_equal(pcv_model_mmio_peek(c.rig.model, CARD, 2, 0, 4), 0);
    pcv_device_put(device);
    rig_close(&c.rig);
}

/* CAP-5: what nobody sees any more is not told of. */
static void no_register_is_listed(void **state)
{
    struct pcv_register_info info;
    struct pcv_device *device;
    struct card c;

    (void)state;
    card_open(&c);
    device = pcv_device_find(c.rig.host, CARD);
    assert_true(pcv_register_next(device, 0, &info));
    tear(&c.rig, CARD);
    assert_false(pcv_register_next(device, 0, &info));
    pcv_device_put(device);
    rig_close(&c.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_about_vfs_is_changed),
        cmocka_unit_test(a_reset_of_a_pf_asks_nothing_about_its_vfs),
        cmocka_unit_test(no_bar_is_resized),
        cmocka_unit_test(nothing_is_mapped_for_the_hardware_domain),
        cmocka_unit_test(nothing_is_mapped_for_a_guest),
        cmocka_unit_test(a_reset_under_way_is_not_done),
        cmocka_unit_test(a_trapped_access_reads_all_ones),
        cmocka_unit_test(no_register_is_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

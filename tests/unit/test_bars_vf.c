/* SPDX-License-Identifier: MIT */
/* BARs of virtual functions, which their PF's capability describes (HDR-4). */
#include "engine_fixture.h"

#include <string.h>

#define DEV pcv_test_at(0, 0, 1, 0)

static void check_bar(const struct pcv_bar *bar, enum pcv_bar_kind kind,
                      uint64_t size, uint64_t address, uint8_t flags)
{
    assert_int_equal(bar->kind, kind);
    assert_true(bar->size == size);
    assert_true(bar->address == address);
    assert_int_equal(bar->flags, flags);
}

#define SRIOV_BAR(cap, n) ((uint16_t)((cap) + PCV_SRIOV_BAR + 4u * (n)))

/* A PF with a 64-bit BAR 0 and a 32-bit BAR 3 for its VFs. */
static uint16_t make_pf(struct pcv_test_function *f)
{
    uint16_t cap;

    pcv_test_pcie_endpoint(f, 0x8086, 0x1521);
    cap = pcv_test_sriov(f, 4, 4, 0x10, 2);
    pcv_test_set(f, SRIOV_BAR(cap, 0), 4, 0x0000000cu);
    pcv_test_set(f, SRIOV_BAR(cap, 1), 4, 0x40u);
    pcv_test_set(f, SRIOV_BAR(cap, 3), 4, 0xe1000000u);
    pcv_test_set(f, (uint32_t)cap + PCV_SRIOV_CTRL, 2,
                 PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE);
    return cap;
}

static uint16_t sriov_at;

static void no_vf_bar_while_enabled(struct rig *rig,
                                    const struct pcv_model_cfg *access)
{
    if (access->write && access->reg >= sriov_at + PCV_SRIOV_BAR &&
        access->reg < sriov_at + PCV_SRIOV_BAR + 24u) {
        assert_int_equal(pcv_model_peek(rig->model, access->sbdf,
                                        (uint16_t)(sriov_at + PCV_SRIOV_CTRL),
                                        2),
                         PCV_SRIOV_CTRL_VFE);
    }
}

/* HDR-4, TOPO-7, SRIOV-1 */
static void vf_bars_are_sized_in_their_pf_and_dealt_out(void **state)
{
    struct pcv_test_function f, vf;
    struct pcv_device_info info;
    struct pcv_add_info as_vf = {.flags = PCV_ADD_IS_VF, .physfn = DEV};
    struct rig rig;

    (void)state;
    sriov_at = make_pf(&f);
    rig_open(&rig);
    pcv_test_add(rig.model, &f, DEV);
    for (uint32_t i = 0; i < 4; i++) {
        pcv_test_vf(&vf, DEV);
        vf.fn.bar_size[0] = 0x4000;
        vf.fn.bar_size[3] = 0x1000;
        pcv_test_add(rig.model, &vf, (pcv_sbdf){DEV.v + 0x10 + 2 * i});
    }
    rig.hook = no_vf_bar_while_enabled;
    rig_create(&rig);
    assert_int_equal(pcv_device_add(rig.host, DEV, NULL), 0);
    for (uint32_t reg = 0; reg < 0x400; reg++) {
        assert_int_equal(pcv_model_peek(rig.model, DEV, (uint16_t)reg, 1),
                         f.config[reg]);
    }
    for (uint32_t i = 0; i < 4; i++) {
        const pcv_sbdf at = {DEV.v + 0x10 + 2 * i};

        rig_forget(&rig);
        assert_int_equal(pcv_device_add(rig.host, at, &as_vf), 0);
        assert_int_equal(rig_writes(&rig), 0);
        rig_info(&rig, at, &info);
        check_bar(&info.bar[0], PCV_BAR_MEM64, 0x4000,
                  0x4000000000u + 0x4000ull * i,
                  PCV_BAR_PREFETCHABLE | PCV_BAR_MAPPED);
        check_bar(&info.bar[1], PCV_BAR_NONE, 0, 0, 0);
        check_bar(&info.bar[3], PCV_BAR_MEM32, 0x1000,
                  0xe1000000u + 0x1000u * i, PCV_BAR_MAPPED);
    }
    rig_close(&rig);
}

/* LIFE-9, TOPO-7 */
static void a_vf_of_a_pf_that_vanished_is_not_added_nor_looked_at(void **state)
{
    const struct pcv_add_info as_vf = {.flags = PCV_ADD_IS_VF, .physfn = DEV};
    const pcv_sbdf at = {DEV.v + 0x10};
    struct pcv_test_function f;
    struct rig rig;

    (void)state;
    (void)make_pf(&f);
    rig_open(&rig);
    pcv_test_add(rig.model, &f, DEV);
    pcv_test_vf(&f, DEV);
    pcv_test_add(rig.model, &f, at);
    rig_create(&rig);
    assert_int_equal(pcv_device_add(rig.host, DEV, NULL), 0);
    assert_int_equal(pcv_device_vanished(rig.host, DEV), 0);
    rig_forget(&rig);
    assert_int_equal(pcv_device_add(rig.host, at, &as_vf), -PCV_ENODEV);
    assert_int_equal(rig_status(&rig, at).state, PCV_STATE_ABSENT);
    assert_int_equal(rig.logged, 0);
    rig_close(&rig);
}

/* TOPO-7 */
static void a_vf_is_only_where_its_pf_says_that_vfs_are(void **state)
{
    /* VFs are at 0x10, 0x12, 0x14 and 0x16 from the PF. */
    static const struct {
        uint32_t offset;
        bool own_ids;
        int error;
    } rows[] = {
        {0x0f, false, -PCV_EINVAL}, /* before the first */
        {0x11, false, -PCV_EINVAL}, /* between two */
        {0x18, false, -PCV_EINVAL}, /* behind the last */
        {0x01, false, -PCV_EINVAL}, {0x12, true, -PCV_EINVAL}, /* a function of
                                                                  its own, in a
                                                                  VF's place */
        {0x20, true, -PCV_EINVAL},  {0x10, false, 0},          {0x16, false, 0},
    };
    const struct pcv_add_info as_vf = {.flags = PCV_ADD_IS_VF, .physfn = DEV};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const pcv_sbdf at = {DEV.v + rows[i].offset};
        struct pcv_test_function f;
        struct pcv_host_stats before, after;
        struct rig rig;

        (void)make_pf(&f);
        rig_open(&rig);
        pcv_test_add(rig.model, &f, DEV);
        if (rows[i].own_ids) {
            pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
            pcv_test_bar32(&f, 0, 0xe0000000u, 0x1000);
            pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        } else {
            pcv_test_vf(&f, DEV);
        }
        pcv_test_add(rig.model, &f, at);
        rig_create(&rig);
        assert_int_equal(pcv_device_add(rig.host, DEV, NULL), 0);
        pcv_host_get_stats(rig.host, &before);
        rig_forget(&rig);
        assert_int_equal(pcv_device_add(rig.host, at, &as_vf), rows[i].error);
        pcv_host_get_stats(rig.host, &after);
        assert_int_equal(rig_status(&rig, at).state, rows[i].error == 0
                                                         ? PCV_STATE_PRESENT
                                                         : PCV_STATE_ABSENT);
        if (rows[i].error != 0) {
            assert_int_equal(rig_writes(&rig), 0);
            assert_int_equal(after.devices, before.devices);
            /* The PF does not count it. */
            assert_int_equal(pcv_device_remove(rig.host, DEV, NULL, NULL), 0);
        }
        rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vf_bars_are_sized_in_their_pf_and_dealt_out),
        cmocka_unit_test(a_vf_of_a_pf_that_vanished_is_not_added_nor_looked_at),
        cmocka_unit_test(a_vf_is_only_where_its_pf_says_that_vfs_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

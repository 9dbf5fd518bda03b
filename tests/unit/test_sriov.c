/* SPDX-License-Identifier: MIT */
/* Registers of the SR-IOV and VF Resizable BAR capabilities (src/vpci/cap). */
#include "vfs_fixture.h"

#define CTRL PCV_SRIOV_CTRL

static uint64_t refused(struct vfs *v)
{
    return rig_status(&v->rig, VFS_PF).counters.refused;
}

/* A write that is performed at once. */
static void set_now(struct vfs *v, uint16_t reg, uint8_t size, uint32_t value)
{
    assert_int_equal(
        rig_try_write(&v->rig, VFS_PF, (uint16_t)(v->cap + reg), size, value),
        PCV_DONE);
}

/* SRIOV-1 */
static void the_number_of_vfs_is_at_most_their_total(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    set_now(&v, PCV_SRIOV_NUM_VFS, 2, VFS_TOTAL);
    assert_int_equal(vfs_peek(&v, PCV_SRIOV_NUM_VFS, 2), VFS_TOTAL);
    assert_int_equal(refused(&v), 0);
    set_now(&v, PCV_SRIOV_NUM_VFS, 2, VFS_TOTAL + 1);
    set_now(&v, PCV_SRIOV_NUM_VFS, 2, 0xffff);
    assert_int_equal(vfs_peek(&v, PCV_SRIOV_NUM_VFS, 2), VFS_TOTAL);
    assert_int_equal(refused(&v), 2);
    vfs_close(&v);
}

/* SRIOV-1: a number that stood there before us is no better. */
static void too_many_vfs_are_not_enabled(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    pcv_model_poke(v.rig.model, VFS_PF, (uint16_t)(v.cap + PCV_SRIOV_NUM_VFS),
                   2, VFS_TOTAL + 1);
    set_now(&v, CTRL, 2, VFS_ON);
    assert_int_equal(vfs_peek(&v, CTRL, 2), 0);
    assert_int_equal(refused(&v), 1);
    vfs_close(&v);
}

/* SRIOV-1 */
static void enabling_no_vf_leaves_nothing_to_do(void **state)
{
    uint64_t wait = 1;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    set_now(&v, CTRL, 2, VFS_ON);
    assert_int_equal(vfs_peek(&v, CTRL, 2), VFS_ON);
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_int_equal(wait, 0);
    vfs_close(&v);
}

/* SRIOV-1 */
static void numbers_and_page_size_stand_while_vfs_are_enabled(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    rig_forget(&v.rig);
    set_now(&v, PCV_SRIOV_NUM_VFS, 2, 1);
    set_now(&v, PCV_SRIOV_PAGE_SIZE, 4, 2);
    assert_int_equal(rig_writes(&v.rig), 0);
    assert_int_equal(refused(&v), 2);
    /* Nor does where they are. */
    set_now(&v, CTRL, 2, VFS_ON | PCV_SRIOV_CTRL_ARI);
    assert_int_equal(vfs_peek(&v, CTRL, 2), VFS_ON);
    vfs_close(&v);
}

/* SRIOV-1, CFG-5: what has no side effect is hardware's. */
static void the_rest_of_the_capability_is_hardwares(void **state)
{
    static const uint16_t regs[] = {
        0x04, PCV_SRIOV_INITIAL_VFS, 0x12, PCV_SRIOV_OFFSET, 0x18, 0x1c, 0x3c};
    struct vfs v;

    (void)state;
    vfs_open(&v);
    for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
        uint16_t reg = (uint16_t)(v.cap + regs[i]);

        rig_forget(&v.rig);
        assert_int_equal(vfs_get(&v, regs[i], 2), vfs_peek(&v, regs[i], 2));
        set_now(&v, regs[i], 2, 0x55aa);
        assert_int_equal(v.rig.logged, 2);
        assert_true(rig_saw(&v.rig, 0, false, reg, 2));
        assert_true(rig_saw(&v.rig, 1, true, reg, 2));
    }
    /* Control and status as one. */
    rig_forget(&v.rig);
    set_now(&v, CTRL, 4, 0x00010000u | PCV_SRIOV_CTRL_ARI);
    assert_int_equal(rig_touched(&v.rig, (uint16_t)(v.cap + CTRL), true), 1);
    assert_int_equal(rig_touched(&v.rig, (uint16_t)(v.cap + CTRL + 2), true),
                     1);
    assert_int_equal(vfs_get(&v, CTRL, 4), PCV_SRIOV_CTRL_ARI);
    vfs_close(&v);
}

/* SRIOV-1, TOPO-7: with no VF there a VF BAR is written at once, and VFs come
 * where it is then. */
static void vf_bars_are_programmed_before_vfs_are_enabled(void **state)
{
    struct pcv_device_info info;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    set_now(&v, PCV_SRIOV_BAR, 4, 0x40000000u);
    set_now(&v, PCV_SRIOV_BAR + 4, 4, 0x12u);
    set_now(&v, PCV_SRIOV_BAR + 12, 4, 0xe9000000u);
    set_now(&v, PCV_SRIOV_BAR + 20, 4, 0xffffffffu);
    vfs_enable(&v, 2, PCV_SRIOV_CTRL_VFE);
    vfs_work(&v);
    rig_info(&v.rig, vfs_at(1), &info);
    assert_int_equal(info.bar[0].kind, PCV_BAR_MEM64);
    assert_true(info.bar[0].address == 0x1240000000u + VFS_SIZE0);
    assert_true(info.bar[0].size == VFS_SIZE0);
    assert_int_equal(info.bar[1].kind, PCV_BAR_NONE);
    assert_true(info.bar[3].address == 0xe9000000u + VFS_SIZE3);
    assert_int_equal(info.bar[5].kind, PCV_BAR_NONE);
    vfs_close(&v);
}

/* TOPO-7: a VF whose part would lie past the last address has none. */
static void what_lies_past_the_last_address_is_nowhere(void **state)
{
    struct pcv_device_info info;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    set_now(&v, PCV_SRIOV_BAR, 4, 0xffff8000u);
    set_now(&v, PCV_SRIOV_BAR + 4, 4, 0xffffffffu);
    set_now(&v, PCV_SRIOV_BAR + 12, 4, 0xfffff000u);
    vfs_enable(&v, 3, VFS_ON);
    vfs_work(&v);
    rig_info(&v.rig, vfs_at(1), &info);
    assert_true(info.bar[0].address == 0xffffffffffffc000u);
    assert_true(info.bar[3].size == 0 && info.bar[3].address == 0);
    rig_info(&v.rig, vfs_at(2), &info);
    assert_int_equal(info.bar[0].kind, PCV_BAR_NONE);
    assert_true(info.bar[0].size == 0 && info.bar[0].address == 0);
    vfs_close(&v);
}

/* SRIOV-1, SRIOV-2: each VF's part is no smaller than a page of the system. */
static void a_larger_page_size_moves_vfs_apart(void **state)
{
    struct pcv_device_info info;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    set_now(&v, PCV_SRIOV_PAGE_SIZE, 4, 0x10); /* 64 KiB */
    assert_int_equal(vfs_peek(&v, PCV_SRIOV_PAGE_SIZE, 4), 0x10);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    rig_info(&v.rig, vfs_at(1), &info);
    assert_true(info.bar[0].size == 0x10000);
    assert_true(info.bar[0].address == VFS_BAR0 + 0x10000);
    assert_true(info.bar[3].size == 0x10000);
    assert_true(info.bar[3].address == VFS_BAR3 + 0x10000);
    assert_true(rig_mapped(&v.rig, VFS_BAR3, 0x20000));
    vfs_close(&v);
}

/* SRIOV-1, PORT-3: either they are enabled and come, or nothing is. */
static void an_enable_that_the_host_fails_in_is_whole_or_nothing(void **state)
{
    static const enum pcv_model_op ops[] = {PCV_MODEL_OP_cfg_read,
                                            PCV_MODEL_OP_cfg_write};

    (void)state;
    for (size_t op = 0; op < 2; op++) {
        for (uint64_t n = 1;; n++) {
            struct vfs v;
            uint64_t calls;
            bool on;

            vfs_open(&v);
            vfs_set(&v, PCV_SRIOV_NUM_VFS, 2, 2);
            calls = pcv_model_calls(v.rig.model, ops[op]);
            pcv_model_fail(v.rig.model, ops[op], n);
            vfs_set(&v, CTRL, 2, VFS_ON);
            pcv_model_fail(v.rig.model, ops[op], 0);
            calls = pcv_model_calls(v.rig.model, ops[op]) - calls;
            on = vfs_peek(&v, CTRL, 2) == VFS_ON;
            assert_true(on || vfs_peek(&v, CTRL, 2) == 0);
            assert_int_equal(vfs_peek(&v, PCV_SRIOV_BAR, 4),
                             VFS_BAR0 | PCV_BAR_TYPE_64);
            pcv_model_advance_us(v.rig.model, VFS_READY_US);
            vfs_work(&v);
            assert_int_equal(vfs_there(&v, 0), on);
            assert_int_equal(vfs_mapped(&v, 1), on);
            vfs_close(&v);
            if (calls < n) {
                assert_true(on);
                break;
            }
        }
    }
}

/* OWN-4: before they are there, too. */
static void a_pf_with_vfs_enabled_is_not_given_away(void **state)
{
    struct pcv_domain *guest;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    assert_int_equal(pcv_domain_create(v.rig.host, VFS_GUEST, &guest), 0);
    vfs_set(&v, PCV_SRIOV_NUM_VFS, 2, 2);
    vfs_set(&v, CTRL, 2, VFS_ON);
    assert_int_equal(pcv_device_assign(v.rig.host, VFS_PF, guest, NULL, NULL),
                     -PCV_EBUSY);
    vfs_set(&v, CTRL, 2, 0);
    assert_int_equal(pcv_device_assign(v.rig.host, VFS_PF, guest, NULL, NULL),
                     -PCV_ERESTART);
    vfs_close(&v);
}

/* CAP-2: a guest that has a PF knows nothing of VFs. */
static void a_guest_sees_no_sriov(void **state)
{
    struct vfs v;
    pcv_sbdf at;

    (void)state;
    vfs_open(&v);
    assert_int_equal(pcv_domain_create(v.rig.host, VFS_GUEST, &v.guest), 0);
    while (pcv_device_assign(v.rig.host, VFS_PF, v.guest, NULL, &at) ==
           -PCV_ERESTART) {
        pcv_model_advance_us(v.rig.model, VFS_READY_US);
    }
    for (uint16_t reg = 0; reg < 0x40; reg += 4) {
        assert_int_equal(vfs_read_as(v.guest, at, (uint16_t)(v.cap + reg), 4),
                         0);
    }
    vfs_write_as(v.guest, at, (uint16_t)(v.cap + CTRL), 2, VFS_ON);
    assert_int_equal(vfs_peek(&v, CTRL, 2), 0);
    vfs_close(&v);
}

/* CAP-3: one that is not believed can do no harm. */
static void a_second_capability_is_hidden_and_read_only(void **state)
{
    struct pcv_test_function pf;
    uint16_t second;
    struct vfs v;

    (void)state;
    memset(&v, 0, sizeof(v));
    rig_open(&v.rig);
    vfs_make_pf(&v, &pf);
    second = pcv_test_sriov(&pf, 4, 0, 1, 1);
    pcv_test_set(&pf, (uint32_t)second + 0x3cu, 4, 0x12345678u);
    vfs_build(&v, &pf);
    vfs_boot(&v);
    vfs_write_as(v.rig.dom0, VFS_PF, (uint16_t)(second + CTRL), 2, VFS_ON);
    vfs_write_as(v.rig.dom0, VFS_PF, (uint16_t)(second + PCV_SRIOV_NUM_VFS), 2,
                 3);
    assert_int_equal(
        pcv_model_peek(v.rig.model, VFS_PF, (uint16_t)(second + CTRL), 2), 0);
    assert_int_equal(pcv_model_peek(v.rig.model, VFS_PF,
                                    (uint16_t)(second + PCV_SRIOV_NUM_VFS), 2),
                     0);
    /* The first one leads past it. */
    assert_int_equal(vfs_get(&v, 0, 4) >> 20, 0);
    vfs_enable(&v, 1, VFS_ON);
    vfs_work(&v);
    assert_true(vfs_there(&v, 0));
    vfs_close(&v);
}

/* ---- sizes of VF BARs ------------------------------------------------------
 */

#define MIB 0x100000ull

/* A PF whose VF BAR 0 can have 1, 2 or 8 MiB; returns its control register,
 * from the SR-IOV capability's start. */
static uint16_t open_resizable(struct vfs *v)
{
    struct pcv_test_function f;
    uint16_t at;

    memset(v, 0, sizeof(*v));
    rig_open(&v->rig);
    vfs_make_pf(v, &f);
    at = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_VF_REBAR, 1, 0x0c);
    pcv_test_set(&f, at + 4u, 4, 0xbu << 4);
    pcv_test_set(&f, at + 8u, 4, 1u << 5);
    pcv_test_add(v->rig.model, &f, VFS_PF);
    for (uint32_t i = 0; i < VFS_TOTAL; i++) {
        vfs_make_vf(&f);
        f.fn.bar_size[0] = MIB;
        pcv_test_add(v->rig.model, &f, vfs_at(i));
    }
    rig_create(&v->rig);
    pcv_test_write(v->rig.model, VFS_PF, (uint16_t)(v->cap + CTRL), 2, 0);
    pcv_model_set_clock(v->rig.model, true);
    assert_int_equal(pcv_device_add(v->rig.host, VFS_PF, NULL), 0);
    rig_forget(&v->rig);
    return (uint16_t)(at + 8u - v->cap);
}

/* REBAR-1, SRIOV-2 */
static void vf_bars_are_resized_while_no_vf_is_enabled(void **state)
{
    struct pcv_device_info info;
    struct vfs v;
    uint16_t control;

    (void)state;
    control = open_resizable(&v);
    set_now(&v, control, 4, 3u << 8);
    assert_int_equal(vfs_peek(&v, control, 4), 3u << 8 | 1u << 5);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    rig_info(&v.rig, vfs_at(1), &info);
    assert_true(info.bar[0].size == 8 * MIB);
    assert_true(info.bar[0].address == (VFS_BAR0 & ~(8 * MIB - 1)) + 8 * MIB);
    assert_true(rig_mapped(&v.rig, info.bar[0].address, 8 * MIB));
    set_now(&v, control, 4, 0); /* not now */
    assert_int_equal(vfs_peek(&v, control, 4), 3u << 8 | 1u << 5);
    assert_int_equal(refused(&v), 1);
    vfs_set(&v, CTRL, 2, 0);
    set_now(&v, control, 4, 0);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    rig_info(&v.rig, vfs_at(1), &info);
    assert_true(info.bar[0].size == MIB);
    vfs_close(&v);
}

/* REBAR-1 */
static void vf_bars_have_only_sizes_that_the_device_supports(void **state)
{
    static const uint32_t codes[] = {2, 4, 27, 28, 43, 44, 63};
    struct vfs v;
    uint16_t control;

    (void)state;
    control = open_resizable(&v);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        set_now(&v, control, 4, codes[i] << 8);
        assert_int_equal(vfs_peek(&v, control, 4), 1u << 5);
        assert_int_equal(refused(&v), i + 1);
    }
    /* Which BAR it is cannot be written. */
    set_now(&v, control, 4, 1u << 8 | 7u);
    assert_int_equal(vfs_peek(&v, control, 4), 1u << 8 | 1u << 5);
    vfs_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_of_vfs_is_at_most_their_total),
        cmocka_unit_test(too_many_vfs_are_not_enabled),
        cmocka_unit_test(enabling_no_vf_leaves_nothing_to_do),
        cmocka_unit_test(numbers_and_page_size_stand_while_vfs_are_enabled),
        cmocka_unit_test(the_rest_of_the_capability_is_hardwares),
        cmocka_unit_test(vf_bars_are_programmed_before_vfs_are_enabled),
        cmocka_unit_test(what_lies_past_the_last_address_is_nowhere),
        cmocka_unit_test(a_larger_page_size_moves_vfs_apart),
        cmocka_unit_test(an_enable_that_the_host_fails_in_is_whole_or_nothing),
        cmocka_unit_test(a_pf_with_vfs_enabled_is_not_given_away),
        cmocka_unit_test(a_guest_sees_no_sriov),
        cmocka_unit_test(a_second_capability_is_hidden_and_read_only),
        cmocka_unit_test(vf_bars_are_resized_while_no_vf_is_enabled),
        cmocka_unit_test(vf_bars_have_only_sizes_that_the_device_supports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

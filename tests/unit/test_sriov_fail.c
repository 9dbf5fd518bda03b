/* SPDX-License-Identifier: MIT */
/*
 * SR-IOV's registers where hardware or the host does not go along: PFs that
 * stop answering, reads and writes that fail, VF BARs that cannot be resized.
 */
#include "vfs_fixture.h"
#include "vpci/internal.h"

#define CTRL PCV_SRIOV_CTRL
#define MIB 0x100000ull

static uint64_t refused(struct vfs *v)
{
    return rig_status(&v->rig, VFS_PF).counters.refused;
}

static void set(struct vfs *v, uint16_t reg, uint8_t size, uint32_t value)
{
    assert_int_equal(
        rig_try_write(&v->rig, VFS_PF, (uint16_t)(v->cap + reg), size, value),
        PCV_DONE);
}

/* The next write meets a host that cannot perform the nth read. */
static void set_failing(struct vfs *v, uint64_t nth, uint16_t reg, uint8_t size,
                        uint32_t value)
{
    pcv_model_fail(v->rig.model, PCV_MODEL_OP_cfg_read, nth);
    set(v, reg, size, value);
    pcv_model_fail(v->rig.model, PCV_MODEL_OP_cfg_read, 0);
}

/* SRIOV-1, LIFE-9: what all ones stand in is nobody's to change. */
static void a_pf_that_does_not_answer_gets_no_writes(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint32_t value;
    } rows[] = {
        {CTRL, 2, 0},
        {CTRL, 2, VFS_ON},
        {PCV_SRIOV_NUM_VFS, 2, 1},
        {PCV_SRIOV_PAGE_SIZE, 4, 2},
        {PCV_SRIOV_BAR, 4, 0x40000000u},
    };
    struct vfs v;

    (void)state;
    vfs_open(&v);
    assert_int_equal(pcv_model_set_dead(v.rig.model, VFS_PF, true), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig_forget(&v.rig);
        set(&v, rows[i].reg, rows[i].size, rows[i].value);
        assert_int_equal(rig_writes(&v.rig), 0);
    }
    assert_int_equal(pcv_model_set_dead(v.rig.model, VFS_PF, false), 0);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    assert_true(vfs_mapped(&v, 1));
    vfs_close(&v);
}

/* SRIOV-1, PORT-3: a number or a page size is checked by what hardware says,
 * so where the host cannot read that, nothing is written. */
static void numbers_and_page_size_are_not_written_unchecked(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint32_t value;
    } rows[] = {
        {PCV_SRIOV_NUM_VFS, 2, 3},
        {PCV_SRIOV_PAGE_SIZE, 4, 0x10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (uint64_t n = 1;; n++) {
            struct vfs v;
            uint64_t calls;
            bool written;

            vfs_open(&v);
            calls = pcv_model_calls(v.rig.model, PCV_MODEL_OP_cfg_read);
            set_failing(&v, n, rows[i].reg, rows[i].size, rows[i].value);
            calls = pcv_model_calls(v.rig.model, PCV_MODEL_OP_cfg_read) - calls;
            written = vfs_peek(&v, rows[i].reg, rows[i].size) == rows[i].value;
            assert_int_equal(written, calls < n);
            vfs_close(&v);
            if (calls < n) {
                break;
            }
        }
    }
}

/* SRIOV-1, TOPO-7: an address that the host could not read again stays as it
 * was known, and is found when it can. */
static void an_address_that_cannot_be_read_stays_known(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 6; n++) {
        struct pcv_device_info info;
        struct vfs v;

        vfs_open(&v);
        set_failing(&v, n, PCV_SRIOV_BAR + 12u, 4, 0xe9000000u);
        vfs_enable(&v, 1, VFS_ON);
        vfs_work(&v);
        rig_info(&v.rig, vfs_at(0), &info);
        assert_true(info.bar[0].address == VFS_BAR0);
        assert_int_equal(info.bar[3].address,
                         vfs_peek(&v, PCV_SRIOV_BAR + 12u, 4));
        vfs_close(&v);
    }
}

/* ---- VFs that are added ----------------------------------------------------
 */

/* What an add of a VF says while three registers of its PF read so. */
static int add_with(uint16_t total, uint16_t offset, uint16_t stride)
{
    struct vfs v;
    int error;

    vfs_open(&v);
    pcv_test_write(v.rig.model, VFS_PF, (uint16_t)(v.cap + PCV_SRIOV_NUM_VFS),
                   2, 2);
    pcv_test_write(v.rig.model, VFS_PF, (uint16_t)(v.cap + CTRL), 2, VFS_ON);
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    pcv_model_poke(v.rig.model, VFS_PF, (uint16_t)(v.cap + PCV_SRIOV_TOTAL_VFS),
                   2, total);
    pcv_model_poke(v.rig.model, VFS_PF, (uint16_t)(v.cap + PCV_SRIOV_OFFSET), 2,
                   offset);
    pcv_model_poke(v.rig.model, VFS_PF, (uint16_t)(v.cap + PCV_SRIOV_STRIDE), 2,
                   stride);
    error = pcv_device_add(
        v.rig.host, vfs_at(0),
        &(struct pcv_add_info){.flags = PCV_ADD_IS_VF, .physfn = VFS_PF});
    assert_int_equal(vfs_there(&v, 0), error == 0);
    vfs_close(&v);
    return error;
}

/* TOPO-7: all ones in all three is no answer; in one of them it is a number,
 * and says where VFs are. */
static void a_vf_is_where_its_pf_says(void **state)
{
    static const struct {
        uint16_t total, offset, stride;
        int error;
    } rows[] = {
        {VFS_TOTAL, VFS_OFFSET, 1, 0},
        {0xffff, VFS_OFFSET, 1, 0},
        {0xffff, VFS_OFFSET, 0xffff, 0},
        {0xffff, 0xffff, 0xffff, -PCV_EAGAIN},
        {0xffff, 0xffff, 17, 0}, /* it wraps: this is the second one */
        {VFS_TOTAL, VFS_OFFSET, 0, 0},
        {VFS_TOTAL, VFS_OFFSET + 1, 0, -PCV_EINVAL},
        {VFS_TOTAL, 0, 1, -PCV_EINVAL},
        {VFS_TOTAL, VFS_OFFSET - 3, 2, -PCV_EINVAL},
        {1, VFS_OFFSET - 1, 1, -PCV_EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            add_with(rows[i].total, rows[i].offset, rows[i].stride),
            rows[i].error);
    }
}

/* ---- sizes of VF BARs ------------------------------------------------------
 */

/* A PF with VF Resizable BAR of one entry; its control register, from the
 * SR-IOV capability's start. */
static uint16_t open_resizable(struct vfs *v, uint32_t entry)
{
    struct pcv_test_function f;
    uint16_t at;

    memset(v, 0, sizeof(*v));
    rig_open(&v->rig);
    vfs_make_pf(v, &f);
    at = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_VF_REBAR, 1, 0x0c);
    pcv_test_set(&f, at + 4u, 4, 0xbu << 4); /* 1, 2 or 8 MiB */
    pcv_test_set(&f, at + 8u, 4, entry | 1u << 5);
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

/* REBAR-1 */
static void the_size_that_a_vf_bar_has_is_no_change(void **state)
{
    struct vfs v;
    uint16_t control;

    (void)state;
    control = open_resizable(&v, 0);
    set(&v, control, 4, 0);
    assert_int_equal(rig_writes(&v.rig), 0);
    assert_int_equal(refused(&v), 0);
    vfs_close(&v);
}

/* REBAR-1: there is no VF BAR 6 or 7. */
static void an_entry_that_names_no_vf_bar_is_refused(void **state)
{
    (void)state;
    for (uint32_t bar = 6; bar < 8; bar++) {
        struct vfs v;
        uint16_t control = open_resizable(&v, bar);

        set(&v, control, 4, 1u << 8);
        assert_int_equal(rig_writes(&v.rig), 0);
        assert_int_equal(vfs_peek(&v, control, 4), bar | 1u << 5);
        assert_int_equal(refused(&v), 1);
        vfs_close(&v);
    }
}

/* REBAR-1, PORT-3: what VFs get is what hardware has, whenever the host
 * fails. */
static void a_resize_that_the_host_fails_in_leaves_what_hardware_has(
    void **state)
{
    static const enum pcv_model_op ops[] = {PCV_MODEL_OP_cfg_read,
                                            PCV_MODEL_OP_cfg_write};

    (void)state;
    for (size_t op = 0; op < 2; op++) {
        for (uint64_t n = 1;; n++) {
            struct pcv_device_info info;
            struct vfs v;
            uint16_t control = open_resizable(&v, 0);
            uint64_t calls = pcv_model_calls(v.rig.model, ops[op]);
            uint32_t code;

            pcv_model_fail(v.rig.model, ops[op], n);
            set(&v, control, 4, 3u << 8);
            pcv_model_fail(v.rig.model, ops[op], 0);
            calls = pcv_model_calls(v.rig.model, ops[op]) - calls;
            code = vfs_peek(&v, control, 4) >> 8 & 0x3fu;
            assert_true(code == 0 || code == 3);
            vfs_enable(&v, 1, VFS_ON);
            vfs_work(&v);
            rig_info(&v.rig, vfs_at(0), &info);
            assert_true(info.bar[0].size == MIB << code);
            vfs_close(&v);
            if (calls < n) {
                assert_int_equal(code, 3);
                break;
            }
        }
    }
}

/* REBAR-1, LIFE-9 */
static void a_pf_that_does_not_answer_is_not_resized(void **state)
{
    struct vfs v;
    uint16_t control;

    (void)state;
    control = open_resizable(&v, 0);
    assert_int_equal(pcv_model_set_dead(v.rig.model, VFS_PF, true), 0);
    set(&v, control, 4, 1u << 8);
    assert_int_equal(rig_writes(&v.rig), 0);
    assert_int_equal(pcv_model_set_dead(v.rig.model, VFS_PF, false), 0);
    assert_int_equal(vfs_peek(&v, control, 4), 1u << 5);
    vfs_close(&v);
}

/* CAP-5: an access that waited while its PF was torn down. */
static void vf_bars_of_a_torn_pf_are_not_resized(void **state)
{
    struct pcv_device *pf;
    struct vfs v;
    uint16_t control;

    (void)state;
    control = open_resizable(&v, 0);
    pf = pcv_device_find(v.rig.host, VFS_PF);
    pcv__vpci_teardown(pf);
    rig_forget(&v.rig);
    set(&v, control, 4, 1u << 8);
    assert_int_equal(rig_writes(&v.rig), 0);
    assert_int_equal(vfs_peek(&v, control, 4), 1u << 5);
    pcv_device_put(pf);
    vfs_close(&v);
}

/* CAP-3, REBAR-1: sizes of VF BARs of a function that has no VFs. */
static void vf_sizes_without_vfs_are_hidden_and_read_only(void **state)
{
    struct pcv_test_function f;
    struct rig rig;
    uint16_t at;

    (void)state;
    rig_open(&rig);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    at = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_VF_REBAR, 1, 0x0c);
    pcv_test_set(&f, at + 4u, 4, 0xbu << 4);
    pcv_test_set(&f, at + 8u, 4, 1u << 5);
    pcv_test_add(rig.model, &f, PCV_TEST_ALONE);
    rig_create(&rig);
    assert_int_equal(pcv_device_add(rig.host, PCV_TEST_ALONE, NULL), 0);
    assert_int_equal(rig_events(&rig, PCV_EVENT_CAP_HIDDEN), 1);
    rig_forget(&rig);
    rig_write(&rig, PCV_TEST_ALONE, (uint16_t)(at + 8u), 4, 1u << 8);
    assert_int_equal(rig_writes(&rig), 0);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pf_that_does_not_answer_gets_no_writes),
        cmocka_unit_test(numbers_and_page_size_are_not_written_unchecked),
        cmocka_unit_test(an_address_that_cannot_be_read_stays_known),
        cmocka_unit_test(a_vf_is_where_its_pf_says),
        cmocka_unit_test(the_size_that_a_vf_bar_has_is_no_change),
        cmocka_unit_test(an_entry_that_names_no_vf_bar_is_refused),
        cmocka_unit_test(
            a_resize_that_the_host_fails_in_leaves_what_hardware_has),
        cmocka_unit_test(a_pf_that_does_not_answer_is_not_resized),
        cmocka_unit_test(vf_bars_of_a_torn_pf_are_not_resized),
        cmocka_unit_test(vf_sizes_without_vfs_are_hidden_and_read_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

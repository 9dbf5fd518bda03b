/* SPDX-License-Identifier: MIT */
/* VFs that come and go with their PF's SR-IOV control (src/owner/vfs.c). */
#include "vfs_fixture.h"

#define CTRL PCV_SRIOV_CTRL

/* ---- they appear ----------------------------------------------------------
 */

/* SRIOV-1, SRIOV-3: nothing waits, and nothing asks a VF too early. */
static void vfs_appear_when_their_time_has_come(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_set(&v, PCV_SRIOV_NUM_VFS, 2, 2);
    vfs_set(&v, CTRL, 2, VFS_ON);
    assert_int_equal(vfs_peek(&v, CTRL, 2), VFS_ON);
    pcv_model_advance_us(v.rig.model, VFS_READY_US - 1);
    assert_int_equal(vfs_read_as(v.rig.dom0, vfs_at(0), PCV_REG_REVISION, 4),
                     UINT32_MAX);
    assert_false(vfs_there(&v, 0));
    /* The PF goes on meanwhile. */
    assert_int_equal(rig_read(&v.rig, VFS_PF, 0, 4), 0x10c98086);
    assert_int_equal(vfs_get(&v, CTRL, 2), VFS_ON);
    pcv_model_advance_us(v.rig.model, 1);
    assert_int_equal(vfs_read_as(v.rig.dom0, vfs_at(0), PCV_REG_REVISION, 4),
                     0x02000001);
    assert_true(vfs_there(&v, 0));
    assert_true(vfs_there(&v, 1));
    assert_false(vfs_there(&v, 2));
    assert_true(vfs_mapped(&v, 0));
    assert_true(vfs_mapped(&v, 1));
    assert_false(vfs_mapped(&v, 2));
    assert_int_equal(rig_events(&v.rig, PCV_EVENT_ADDED), 2);
    vfs_close(&v);
}

/* SRIOV-1: a host without a clock sees to the time by itself. */
static void without_a_clock_they_are_there_at_once(void **state)
{
    struct pcv_test_function pf;
    struct vfs v;

    (void)state;
    memset(&v, 0, sizeof(v));
    rig_open(&v.rig);
    v.rig.ops.now_us = NULL;
    vfs_make_pf(&v, &pf);
    vfs_build(&v, &pf);
    vfs_boot(&v);
    pcv_model_set_clock(v.rig.model, false);
    vfs_set(&v, PCV_SRIOV_NUM_VFS, 2, VFS_TOTAL);
    vfs_set(&v, CTRL, 2, VFS_ON);
    for (uint32_t i = 0; i < VFS_TOTAL; i++) {
        assert_true(vfs_there(&v, i));
        assert_true(vfs_mapped(&v, i));
    }
    vfs_close(&v);
}

/* SRIOV-1: what a host with a timer does. */
static void the_host_adds_them_in_bounded_parts(void **state)
{
    uint64_t wait = 1;
    unsigned parts = 0;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    assert_int_equal(pcv_host_work(NULL, &wait), -PCV_EINVAL);
    assert_int_equal(pcv_host_work(v.rig.host, NULL), -PCV_EINVAL);
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_int_equal(wait, 0);
    vfs_set(&v, PCV_SRIOV_NUM_VFS, 2, VFS_TOTAL);
    vfs_set(&v, CTRL, 2, VFS_ON);
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_int_equal(wait, VFS_READY_US);
    pcv_model_advance_us(v.rig.model, VFS_READY_US - 7);
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_int_equal(wait, 7);
    assert_false(vfs_there(&v, 0));
    pcv_model_advance_us(v.rig.model, 7);
    while (pcv_host_work(v.rig.host, &wait) == -PCV_ERESTART) {
        parts++;
        assert_true(vfs_there(&v, 8 * parts - 1));
        assert_false(vfs_there(&v, 8 * parts));
    }
    assert_int_equal(parts, 2);
    assert_int_equal(wait, 0);
    assert_true(vfs_there(&v, VFS_TOTAL - 1));
    vfs_close(&v);
}

/* SRIOV-1: an access that meets them is pending, part by part. */
static void an_access_to_a_late_vf_is_resumed_until_it_is_there(void **state)
{
    struct pcv_access access =
        PCV_READ(vfs_at(VFS_TOTAL - 1), PCV_REG_REVISION, 4);
    enum pcv_verdict verdict;
    unsigned rounds = 0;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, VFS_TOTAL, VFS_ON);
    assert_int_equal(pcv_access(v.rig.dom0, &access), PCV_PENDING);
    while ((verdict = pcv_access_resume(v.rig.dom0, &access)) == PCV_PENDING) {
        rounds++;
    }
    assert_int_equal(verdict, PCV_DONE);
    assert_int_equal(access.data, 0x02000001);
    assert_true(rounds >= 2);
    vfs_close(&v);
}

/* TOPO-7: a page at a time, and every BAR ends where it belongs. */
static void mapping_of_vfs_stops_after_any_page(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    pcv_model_set_map_chunk(v.rig.model, 1);
    vfs_enable(&v, 3, VFS_ON);
    (void)vfs_read_as(v.rig.dom0, vfs_at(2), 0, 4);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(vfs_mapped(&v, i));
    }
    vfs_set(&v, CTRL, 2, 0);
    assert_int_equal(pcv_model_mapped_pages(v.rig.model), 4);
    vfs_close(&v);
}

/* ---- what keeps them from it ----------------------------------------------
 */

static uint32_t not_ready; /* reads of this VF's IDs that say so */

static int cfg_read_not_ready(void *ctx, pcv_sbdf sbdf, uint16_t reg,
                              uint8_t size, uint32_t *out)
{
    if (sbdf.v == vfs_at(1).v && reg == 0 && not_ready != 0) {
        not_ready--;
        *out = 0xffff0001u;
        return 0;
    }
    return pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out);
}

static void open_not_ready(struct vfs *v)
{
    struct pcv_test_function pf;

    memset(v, 0, sizeof(*v));
    rig_open(&v->rig);
    v->rig.ops.cfg_read = cfg_read_not_ready;
    vfs_make_pf(v, &pf);
    vfs_build(v, &pf);
    vfs_boot(v);
}

/* SRIOV-3 */
static void a_vf_that_is_not_ready_is_asked_again_later(void **state)
{
    uint64_t wait;
    struct vfs v;

    (void)state;
    open_not_ready(&v);
    vfs_enable(&v, 3, VFS_ON);
    not_ready = 2;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
        assert_int_equal(wait, VFS_READY_US);
        assert_true(vfs_there(&v, 0));
        assert_false(vfs_there(&v, 1));
        pcv_model_advance_us(v.rig.model, wait);
    }
    vfs_work(&v);
    assert_true(vfs_there(&v, 1));
    assert_true(vfs_there(&v, 2));
    assert_int_equal(rig_events(&v.rig, PCV_EVENT_VF_FAILED), 0);
    vfs_close(&v);
}

/* SRIOV-3: but not for ever. */
static void a_vf_that_never_gets_ready_is_told_and_left_out(void **state)
{
    struct vfs v;

    (void)state;
    open_not_ready(&v);
    vfs_enable(&v, 3, VFS_ON);
    not_ready = UINT32_MAX;
    for (unsigned i = 0; i < 20; i++) {
        vfs_work(&v);
        pcv_model_advance_us(v.rig.model, VFS_READY_US);
    }
    not_ready = 0;
    assert_true(vfs_there(&v, 0));
    assert_false(vfs_there(&v, 1));
    assert_true(vfs_there(&v, 2));
    assert_int_equal(rig_events(&v.rig, PCV_EVENT_VF_FAILED), 1);
    assert_int_equal(vfs_told(&v, PCV_EVENT_VF_FAILED, vfs_at(1).v), 1);
    vfs_close(&v);
}

/* TOPO-7, PORT-3: whatever fails, VFs are there or told, and nothing leaks. */
static void a_vf_that_cannot_be_added_is_told(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_alloc, PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_map};

    (void)state;
    for (size_t op = 0; op < sizeof(ops) / sizeof(ops[0]); op++) {
        for (uint64_t n = 1;; n++) {
            uint64_t calls;
            unsigned there = 0;
            struct vfs v;

            vfs_open(&v);
            vfs_enable(&v, 3, VFS_ON);
            calls = pcv_model_calls(v.rig.model, ops[op]);
            pcv_model_fail(v.rig.model, ops[op], n);
            vfs_work(&v);
            pcv_model_fail(v.rig.model, ops[op], 0);
            calls = pcv_model_calls(v.rig.model, ops[op]) - calls;
            for (uint32_t i = 0; i < 3; i++) {
                there += vfs_there(&v, i);
            }
            if (ops[op] == PCV_MODEL_OP_map) {
                assert_int_equal(there, 3);
            }
            assert_true(there + rig_events(&v.rig, PCV_EVENT_VF_FAILED) == 3);
            /* They go, whatever became of them. */
            vfs_set(&v, CTRL, 2, 0);
            assert_int_equal(vfs_peek(&v, CTRL, 2), 0);
            assert_int_equal(pcv_model_mapped_pages(v.rig.model), 4);
            vfs_close(&v);
            if (calls < n) {
                assert_int_equal(there, 3);
                break;
            }
        }
    }
}

/* TOPO-7: what a PF says of its VFs is believed where they can be. */
static void a_pf_that_lies_about_its_vfs_is_not_followed(void **state)
{
    static const struct {
        uint16_t offset, stride;
        unsigned there;
    } rows[] = {
        {0, 1, 0},          /* on the PF itself */
        {VFS_OFFSET, 0, 0}, /* all in one place */
        {0x300, 1, 0},      /* on a bus of nobody's */
        {0xfff0, 1, 0},     /* beyond the segment */
        {VFS_OFFSET, 0x8000, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned there = 0;
        struct vfs v;

        vfs_open(&v);
        pcv_model_poke(v.rig.model, VFS_PF,
                       (uint16_t)(v.cap + PCV_SRIOV_OFFSET), 2, rows[i].offset);
        pcv_model_poke(v.rig.model, VFS_PF,
                       (uint16_t)(v.cap + PCV_SRIOV_STRIDE), 2, rows[i].stride);
        vfs_enable(&v, 3, VFS_ON);
        vfs_work(&v);
        for (uint32_t n = 0; n < VFS_TOTAL; n++) {
            there += vfs_there(&v, n);
        }
        assert_int_equal(there, rows[i].there);
        assert_int_equal(rig_events(&v.rig, PCV_EVENT_VF_FAILED), 1);
        rig_close(&v.rig);
    }
}

/* SRIOV-1 */
static void a_pf_that_goes_takes_what_it_asked_for_along(void **state)
{
    uint64_t wait = 1;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_set(&v, PCV_SRIOV_NUM_VFS, 2, 3);
    vfs_set(&v, CTRL, 2, VFS_ON);
    assert_int_equal(pcv_device_remove(v.rig.host, VFS_PF, NULL, NULL), 0);
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_int_equal(wait, 0);
    assert_false(vfs_there(&v, 0));
    vfs_close(&v);
}

/* LIFE-9 */
static void a_pf_that_vanished_has_no_vfs_to_come(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 3, VFS_ON);
    assert_int_equal(pcv_model_pull(v.rig.model, VFS_PF), 0);
    assert_int_equal(pcv_device_vanished(v.rig.host, VFS_PF), 0);
    vfs_work(&v);
    assert_false(vfs_there(&v, 0));
    assert_int_equal(pcv_device_remove(v.rig.host, VFS_PF, NULL, NULL), 0);
    vfs_close(&v);
}

/* ---- they go --------------------------------------------------------------
 */

/* SRIOV-1: first the VFs go, then hardware is told. */
static void disabling_removes_them_before_hardware_does(void **state)
{
    struct pcv_access off;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    rig_forget(&v.rig);
    off = PCV_WRITE(VFS_PF, (uint16_t)(v.cap + CTRL), 2, 0);
    assert_int_equal(pcv_access(v.rig.dom0, &off), PCV_PENDING);
    assert_int_equal(vfs_get(&v, CTRL, 2), VFS_ON);
    assert_true(vfs_there(&v, 0));
    /* Somebody else's write waits its turn. */
    assert_int_equal(rig_try_write(&v.rig, VFS_PF,
                                   (uint16_t)(v.cap + PCV_SRIOV_NUM_VFS), 2, 1),
                     PCV_RETRY);
    assert_int_equal(pcv_access_resume(v.rig.dom0, &off), PCV_DONE);
    assert_int_equal(vfs_get(&v, CTRL, 2), 0);
    assert_false(vfs_there(&v, 0));
    assert_false(vfs_mapped(&v, 0));
    assert_int_equal(rig_events(&v.rig, PCV_EVENT_GONE), 2);
    assert_int_equal(pcv_device_remove(v.rig.host, VFS_PF, NULL, NULL), 0);
    vfs_close(&v);
}

/* SRIOV-1 */
static void they_come_and_go_again_and_again(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    for (uint16_t n = 1; n <= VFS_TOTAL; n++) {
        vfs_enable(&v, n, VFS_ON);
        (void)vfs_read_as(v.rig.dom0, vfs_at(0), 0, 4);
        for (uint32_t i = 0; i < VFS_TOTAL; i++) {
            assert_int_equal(vfs_there(&v, i), i < n);
            assert_int_equal(vfs_mapped(&v, i), i < n);
        }
        vfs_set(&v, CTRL, 2, 0);
        assert_int_equal(vfs_peek(&v, CTRL, 2), 0);
    }
    assert_int_equal(pcv_model_mapped_pages(v.rig.model), 4);
    vfs_close(&v);
}

/* SRIOV-1: enabled and disabled before their time. */
static void those_that_were_still_to_come_do_not(void **state)
{
    uint64_t wait = 1;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_set(&v, PCV_SRIOV_NUM_VFS, 2, 2);
    vfs_set(&v, CTRL, 2, VFS_ON);
    vfs_set(&v, CTRL, 2, 0);
    assert_int_equal(vfs_peek(&v, CTRL, 2), 0);
    pcv_model_advance_us(v.rig.model, VFS_READY_US);
    assert_int_equal(pcv_host_work(v.rig.host, &wait), 0);
    assert_int_equal(wait, 0);
    assert_false(vfs_there(&v, 0));
    vfs_close(&v);
}

/* SRIOV-1, LIFE-5: a held object does not keep hardware from being told, but it
 * keeps its address. */
static void who_holds_a_vf_keeps_only_the_object(void **state)
{
    struct pcv_device *vf;
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    vf = pcv_device_find(v.rig.host, vfs_at(0));
    vfs_set(&v, CTRL, 2, 0);
    assert_int_equal(vfs_peek(&v, CTRL, 2), 0);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    assert_false(vfs_there(&v, 0));
    assert_true(vfs_there(&v, 1));
    assert_int_equal(vfs_told(&v, PCV_EVENT_VF_FAILED, vfs_at(0).v), 1);
    pcv_device_put(vf);
    vfs_close(&v);
}

/* SRIOV-1, PORT-3: what hardware was not told is still there, and comes back.
 */
static void a_disable_that_the_host_cannot_write_changes_nothing(void **state)
{
    struct vfs v;

    (void)state;
    vfs_open(&v);
    vfs_enable(&v, 2, VFS_ON);
    vfs_work(&v);
    pcv_model_fail(v.rig.model, PCV_MODEL_OP_cfg_write, 1);
    vfs_set(&v, CTRL, 2, 0);
    vfs_work(&v);
    assert_int_equal(vfs_get(&v, CTRL, 2), VFS_ON);
    assert_true(vfs_there(&v, 0));
    assert_true(vfs_mapped(&v, 1));
    vfs_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vfs_appear_when_their_time_has_come),
        cmocka_unit_test(without_a_clock_they_are_there_at_once),
        cmocka_unit_test(the_host_adds_them_in_bounded_parts),
        cmocka_unit_test(an_access_to_a_late_vf_is_resumed_until_it_is_there),
        cmocka_unit_test(mapping_of_vfs_stops_after_any_page),
        cmocka_unit_test(a_vf_that_is_not_ready_is_asked_again_later),
        cmocka_unit_test(a_vf_that_never_gets_ready_is_told_and_left_out),
        cmocka_unit_test(a_vf_that_cannot_be_added_is_told),
        cmocka_unit_test(a_pf_that_lies_about_its_vfs_is_not_followed),
        cmocka_unit_test(a_pf_that_goes_takes_what_it_asked_for_along),
        cmocka_unit_test(a_pf_that_vanished_has_no_vfs_to_come),
        cmocka_unit_test(disabling_removes_them_before_hardware_does),
        cmocka_unit_test(they_come_and_go_again_and_again),
        cmocka_unit_test(those_that_were_still_to_come_do_not),
        cmocka_unit_test(who_holds_a_vf_keeps_only_the_object),
        cmocka_unit_test(a_disable_that_the_host_cannot_write_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

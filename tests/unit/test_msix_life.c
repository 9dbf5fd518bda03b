/* SPDX-License-Identifier: MIT */
/* MSI-X from how it was found to how it ends (MSI-3, MSIX-3, CAP-5). */
#include "msix_card.h"

/* ---- as it was found -------------------------------------------------------
 */

static void poke(struct vec *vec, uint32_t index, uint32_t dword,
                 uint32_t value)
{
    pcv_model_mmio_poke(vec->rig.model, VEC_AT, BAR,
                        TABLE + 16u * index + 4u * dword, 4, value);
}

/* Entries 1 and 2 are unmasked, 3 is not. */
static void leave_entries(struct vec *vec)
{
    for (uint32_t i = 1; i <= 3; i++) {
        poke(vec, i, 0, ADDRESS);
        poke(vec, i, 2, DATA + i);
        poke(vec, i, 3, i == 3 ? 1 : 0);
    }
}

/* MSI-3, MSIX-2 */
static void what_firmware_left_enabled_goes_on(void **state)
{
    uint64_t value;
    struct vec vec;

    (void)state;
    build(&vec);
    pcv_test_set(&vec.f, control_of(&vec), 2, ENABLE | (ENTRIES - 1u));
    vec.before = leave_entries;
    vec_boot(&vec);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2),
                     ENABLE | (ENTRIES - 1u));
    assert_int_equal(vec.binds, 2);
    assert_int_equal(vec_held(&vec), 2);
    expect_delivered(&vec, 1);
    expect_delivered(&vec, 2);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        assert_int_equal(vec_entry(&vec, BAR, TABLE, i, 3), i != 1 && i != 2);
    }
    /* The masked one was programmed, and is bound when it is unmasked. */
    assert_true(vec_mmio_read(&vec, BAR, TABLE + 3u * 16u + 8u, 8, &value));
    assert_int_equal(value, UINT64_C(0x100000000) | (DATA + 3u));
    put(&vec, 3, 3, 0);
    expect_delivered(&vec, 3);
    vec_close(&vec);
}

/* MSIX-2 */
static void what_firmware_left_enabled_cannot_always_go_on(void **state)
{
    struct vec vec;

    (void)state;
    /* Decoding is off: nobody can read the table. */
    build(&vec);
    pcv_test_set(&vec.f, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_set(&vec.f, control_of(&vec), 2,
                 ENABLE | MASK_ALL | (ENTRIES - 1u));
    vec.before = leave_entries;
    vec_boot(&vec);
    expect_off(&vec);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2),
                     MASK_ALL | (ENTRIES - 1u));
    vec_close(&vec);
    /* A bind fails. */
    build(&vec);
    pcv_test_set(&vec.f, control_of(&vec), 2, ENABLE | (ENTRIES - 1u));
    vec.before = leave_entries;
    vec.fail_bind = 2;
    vec_boot(&vec);
    assert_int_equal(vec_held(&vec), 1);
    assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
    expect_delivered(&vec, 1);
    assert_int_equal(vec_entry(&vec, BAR, TABLE, 2, 3), 1);
    vec_close(&vec);
    /* The table cannot be read: all of it is masked. */
    build(&vec);
    pcv_test_set(&vec.f, control_of(&vec), 2, ENABLE | (ENTRIES - 1u));
    vec.before = leave_entries;
    vec.fail_reads = true;
    vec_boot(&vec);
    assert_int_equal(vec_held(&vec), 0);
    assert_int_equal(vec_hw(&vec, control_of(&vec), 2) & 0xc000u,
                     ENABLE | MASK_ALL);
    vec_close(&vec);
}

static int nothing_permitted(void *ctx, uint32_t domain_id, pcv_hpa at,
                             uint64_t size)
{
    (void)ctx;
    (void)domain_id;
    (void)at;
    (void)size;
    return 0;
}

/* MSIX-2 */
static void what_firmware_left_outside_mmio_is_masked(void **state)
{
    struct vec vec;

    (void)state;
    build(&vec);
    pcv_test_set(&vec.f, control_of(&vec), 2, ENABLE | (ENTRIES - 1u));
    vec.before = leave_entries;
    vec.rig.ops.mmio_permitted = nothing_permitted;
    vec_boot(&vec);
    assert_int_equal(vec_held(&vec), 0);
    assert_int_equal(vec.logged, 0);
    assert_int_equal(vec_hw(&vec, control_of(&vec), 2) & 0xc000u,
                     ENABLE | MASK_ALL);
    vec_close(&vec);
}

/* SRIOV-2, MSIX-2: a VF's memory is decoded at its PF's word. */
static void a_vf_has_vectors_like_any_other(void **state)
{
    const pcv_sbdf vf_at = pcv_test_at(0, 0, 1, 4);
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF, .physfn = VEC_AT};
    struct pcv_model_message message;
    uint16_t sriov;
    uint64_t data = DATA;
    struct pcv__cap *cap;
    struct vec vec;

    (void)state;
    vec_open(&vec);
    pcv_test_pcie_endpoint(&vec.f, 0x8086, 0x10c9);
    sriov = pcv_test_sriov(&vec.f, 1, 1, 4, 1);
    pcv_test_set(&vec.f, sriov + PCV_SRIOV_CTRL, 2,
                 PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE);
    pcv_test_set(&vec.f, sriov + PCV_SRIOV_BAR, 4, 0xe1250000);
    pcv_test_add(vec.rig.model, &vec.f, VEC_AT);
    pcv_test_vf(&vec.f, VEC_AT);
    vec.f.fn.bar_size[0] = 0x4000;
    vec.cap = pcv_test_msix(&vec.f, ENTRIES, BAR, TABLE, PBA);
    pcv_test_set(&vec.f, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_set(&vec.f, control_of(&vec), 2, ENABLE | (ENTRIES - 1u));
    pcv_test_add(vec.rig.model, &vec.f, vf_at);
    rig_create(&vec.rig);
    assert_int_equal(pcv_device_add(vec.rig.host, VEC_AT, NULL), 0);
    assert_int_equal(pcv_device_add(vec.rig.host, vf_at, &info), 0);
    vec.owner = vec.rig.dom0;
    vec.at = vf_at;
    vec.device = pcv_device_find(vec.rig.host, vf_at);
    assert_non_null(vec.device);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2),
                     ENABLE | (ENTRIES - 1u));
    program(&vec, 2);
    assert_int_equal(pcv_model_raise(vec.rig.model, vf_at, true, 2, &message),
                     PCV_MODEL_DELIVERED);
    assert_int_equal(message.data, DATA + 2);
    cap = vec_cap(&vec, PCV_CAP_ID_MSIX);
    assert_non_null(cap);
    assert_true(cap->desc->mmio(cap, BAR, PBA, 8, false, &data));
    assert_int_equal(data, 0);
    vec_close(&vec);
}

/* OWN-6, MSI-2: what a guest finds does not depend on who had it before. */
static void a_guest_finds_it_as_after_a_reset(void **state)
{
    uint64_t value;
    struct vec vec;

    (void)state;
    start(&vec, false);
    run(&vec);
    vec_give(&vec);
    expect_off(&vec);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2), ENTRIES - 1u);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        assert_true(vec_mmio_read(&vec, BAR, TABLE + 16u * i, 8, &value));
        assert_int_equal(value, 0);
        assert_true(vec_mmio_read(&vec, BAR, TABLE + 16u * i + 8u, 8, &value));
        assert_int_equal(value, UINT64_C(0x100000000));
    }
    vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    run(&vec);
    expect_delivered(&vec, 7);
    vec_forget(&vec);
    vec_take_back(&vec);
    expect_off(&vec);
    /* Once silenced, it is not switched on behind its owner's back. */
    for (size_t i = 0; i < vec.rig.logged; i++) {
        assert_true(!vec.rig.log[i].write ||
                    vec.rig.log[i].reg != PCV_REG_COMMAND ||
                    (vec.rig.log[i].value & PCV_CMD_MASTER) == 0);
    }
    assert_int_equal(vec_hw(&vec, PCV_REG_COMMAND, 2) &
                         (PCV_CMD_MASTER | PCV_CMD_MEMORY),
                     0);
    vec_close(&vec);
}

/* ---- resets, removal -------------------------------------------------------
 */

/* Hardware forgets everything, as in a reset. */
static void forget_hardware(struct vec *vec)
{
    pcv_model_poke(vec->rig.model, VEC_AT, (uint16_t)control_of(vec), 2,
                   ENTRIES - 1u);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        for (uint32_t dword = 0; dword < 4; dword++) {
            poke(vec, i, dword, dword == 3 ? 1 : 0);
        }
    }
}

/* MSI-3 */
static void a_restore_writes_what_was_bound(void **state)
{
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, guest != 0);
        run(&vec);
        put(&vec, 2, 3, 1);
        put(&vec, 4, 3, 1);
        put(&vec, 4, 2, 0x1234);
        forget_hardware(&vec);
        vec_restore(&vec);
        assert_int_equal(vec_held(&vec), ENTRIES);
        for (uint16_t i = 0; i < ENTRIES; i++) {
            assert_int_equal(vec_entry(&vec, BAR, TABLE, i, 3),
                             i == 2 || i == 4);
            if (i != 2 && i != 4) {
                expect_delivered(&vec, i);
            }
        }
        put(&vec, 2, 3, 0);
        expect_delivered(&vec, 2);
        put(&vec, 4, 2, DATA + 4);
        put(&vec, 4, 3, 0);
        expect_delivered(&vec, 4);
        control(&vec, ENABLE | MASK_ALL);
        forget_hardware(&vec);
        vec_restore(&vec);
        assert_int_equal(vec_hw(&vec, control_of(&vec), 2) & 0xc000u,
                         ENABLE | MASK_ALL);
        control(&vec, ENABLE);
        expect_delivered(&vec, 6);
        vec_close(&vec);
    }
}

/* MSI-3, MSIX-2 */
static void what_cannot_be_restored_stays_masked(void **state)
{
    struct vec vec;

    (void)state;
    for (unsigned nth = 1; nth <= ENTRIES; nth++) {
        start(&vec, true);
        run(&vec);
        forget_hardware(&vec);
        vec.fail_bind = nth;
        vec_restore(&vec);
        /* Its unmasked entry is tried once more when all are looked at. */
        assert_int_equal(vec_held(&vec), ENTRIES);
        forget_hardware(&vec);
        vec.refuse = true;
        vec_restore(&vec);
        vec.refuse = false;
        assert_int_equal(vec_held(&vec), 0);
        assert_int_equal(vec_hw(&vec, control_of(&vec), 2) & 0xc000u,
                         ENABLE | MASK_ALL);
        vec_close(&vec);
    }
}

/* MSI-3, PORT-3 */
static void a_restore_that_loses_a_write_leaves_no_half_entry(void **state)
{
    bool failed = true;
    struct vec vec;

    (void)state;
    for (unsigned nth = 1; failed; nth++) {
        start(&vec, true);
        run(&vec);
        forget_hardware(&vec);
        vec.fail_mmio = nth;
        vec_restore(&vec);
        failed = vec.fail_mmio == 0;
        vec.fail_mmio = 0;
        for (uint16_t i = 0; i < ENTRIES; i++) {
            if ((vec_hw(&vec, control_of(&vec), 2) & MASK_ALL) == 0 &&
                vec_entry(&vec, BAR, TABLE, i, 3) == 0) {
                expect_delivered(&vec, i);
            }
        }
        assert_int_equal(pcv_model_bound(vec.rig.model, NULL), vec_held(&vec));
        vec_close(&vec);
    }
}

/* MSIX-2 */
static void a_reset_forgets_all_of_it(void **state)
{
    uint64_t value;
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, guest != 0);
        run(&vec);
        vec_forget(&vec);
        vec_reset(&vec);
        expect_off(&vec);
        assert_int_equal(vec.unbinds, ENTRIES);
        assert_int_equal(vec.logged, 0); /* it may not be asked just now */
        assert_int_equal(vec_read(&vec, control_of(&vec), 2), ENTRIES - 1u);
        assert_true(vec_mmio_read(&vec, BAR, TABLE, 8, &value));
        assert_int_equal(value, 0);
        assert_true(vec_mmio_read(&vec, BAR, TABLE + 8, 8, &value));
        assert_int_equal(value, UINT64_C(0x100000000));
        vec_restore(&vec);
        expect_off(&vec);
        run(&vec);
        expect_delivered(&vec, 5);
        vec_close(&vec);
    }
}

/* CAP-5 */
static void teardown_unbinds_and_may_come_twice(void **state)
{
    uint64_t value = 0;
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, guest != 0);
        run(&vec);
        vec_forget(&vec);
        vec_teardown(&vec);
        expect_off(&vec);
        assert_int_equal(vec.unbinds, ENTRIES);
        assert_int_equal(vec.logged, 0); /* decoding may be off already */
        vec_teardown(&vec);
        vec_reset(&vec);
        vec_restore(&vec);
        assert_int_equal(vec.unbinds, ENTRIES);
        /* Accesses that waited for the lock find nothing to do. */
        control(&vec, ENABLE);
        assert_true(vec_mmio_write(&vec, BAR, TABLE, 4, 1));
        assert_true(vec_mmio_read(&vec, BAR, TABLE, 4, &value));
        assert_int_equal(value, 0xffffffff);
        expect_off(&vec);
        vec_close(&vec);
    }
}

/* LIFE-5, LIFE-8 */
static void what_is_bound_does_not_keep_a_device(void **state)
{
    pcv_sbdf busy;
    struct vec vec;

    (void)state;
    start(&vec, false);
    run(&vec);
    vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_true(hw_decodes(&vec));
    pcv_device_put(vec.device);
    vec.device = NULL;
    assert_int_equal(pcv_device_remove(vec.rig.host, VEC_AT, NULL, &busy), 0);
    assert_int_equal(vec.unbinds, ENTRIES);
    assert_false(hw_on(&vec));
    assert_false(hw_decodes(&vec));
    vec_close(&vec);
}

/* LIFE-9 */
static void nothing_reaches_a_device_that_vanished(void **state)
{
    uint64_t value = 0;
    struct vec vec;

    (void)state;
    start(&vec, false);
    run(&vec);
    assert_int_equal(pcv_device_vanished(vec.rig.host, VEC_AT), 0);
    vec_forget(&vec);
    put(&vec, 1, 3, 1);
    put(&vec, 1, 2, 0x77);
    put(&vec, 1, 3, 0);
    assert_true(vec_mmio_read(&vec, BAR, PBA, 4, &value));
    assert_int_equal(value, 0xffffffff);
    vec_teardown(&vec);
    assert_int_equal(vec.rig.logged, 0);
    assert_int_equal(vec.logged, 0);
    assert_int_equal(vec_held(&vec), 0);
    assert_int_equal(pcv_model_bound(vec.rig.model, NULL), 0);
    vec_close(&vec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_firmware_left_enabled_goes_on),
        cmocka_unit_test(what_firmware_left_enabled_cannot_always_go_on),
        cmocka_unit_test(what_firmware_left_outside_mmio_is_masked),
        cmocka_unit_test(a_vf_has_vectors_like_any_other),
        cmocka_unit_test(a_guest_finds_it_as_after_a_reset),
        cmocka_unit_test(a_restore_writes_what_was_bound),
        cmocka_unit_test(what_cannot_be_restored_stays_masked),
        cmocka_unit_test(a_restore_that_loses_a_write_leaves_no_half_entry),
        cmocka_unit_test(a_reset_forgets_all_of_it),
        cmocka_unit_test(teardown_unbinds_and_may_come_twice),
        cmocka_unit_test(what_is_bound_does_not_keep_a_device),
        cmocka_unit_test(nothing_reaches_a_device_that_vanished),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

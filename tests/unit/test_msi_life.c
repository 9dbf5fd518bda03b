/* SPDX-License-Identifier: MIT */
/* MSI from how it was found to how it ends (MSI-3, CAP-5, LIFE-8). */
#include "msi_card.h"

/* ---- as it was found -------------------------------------------------------
 */

/* MSI-2, MSI-3 */
static void what_firmware_left_enabled_goes_on(void **state)
{
    const uint16_t control = 0x01a5; /* 4 of 4 vectors */
    struct vec vec;

    (void)state;
    build(&vec, control);
    pcv_test_set(&vec.f, vec.cap + 4u, 4, ADDRESS);
    pcv_test_set(&vec.f, vec.cap + 8u, 4, 2);
    pcv_test_set(&vec.f, vec.cap + 12u, 2, 0x1235);
    pcv_test_set(&vec.f, vec.cap + 16u, 4, 8);
    vec_start(&vec, false);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2), control);
    assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), ADDRESS);
    assert_int_equal(vec_read(&vec, vec.cap + 8u, 4), 2);
    assert_int_equal(vec_read(&vec, vec.cap + 12u, 2), 0x1235);
    assert_int_equal(vec_read(&vec, vec.cap + 16u, 4), 8);
    assert_int_equal(vec_held(&vec), 4);
    assert_int_equal(vec.request.address, UINT64_C(0x200000000) | ADDRESS);
    assert_int_equal(vec.request.data, 0x1234);
    assert_int_equal(vec.request.domain_id, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(vec_hw(&vec, vec.cap + 16u, 4), 8);
    vec_close(&vec);
}

/* MSI-1 */
static void what_firmware_left_enabled_may_be_refused(void **state)
{
    struct vec vec;

    (void)state;
    build(&vec, 0x00a5);
    vec.fail_bind = 1;
    vec_boot(&vec);
    expect_off(&vec);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2), 0x00a4);
    assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
    assert_int_equal(rig_events(&vec.rig, PCV_EVENT_CAP_HIDDEN), 0);
    vec_close(&vec);
}

/* MSI-2 */
static void reserved_bits_of_hardware_are_kept_and_extended_data_is_not_used(
    void **state)
{
    struct vec vec;

    (void)state;
    build(&vec, 0xfe80); /* reserved bits, and extended data capable and on */
    vec_start(&vec, false);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2), 0x0080);
    enable(&vec, 0x80, 0);
    assert_int_equal(vec_hw(&vec, control_of(&vec), 2), 0xfa81);
    vec_write(&vec, control_of(&vec), 2, 0xffff);
    assert_int_equal(vec_hw(&vec, control_of(&vec), 2), 0xfa81);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2), 0x0081);
    vec_write(&vec, control_of(&vec), 2, 0);
    assert_int_equal(vec_hw(&vec, control_of(&vec), 2), 0xfa80);
    vec_close(&vec);
}

/* ---- resets, removal -------------------------------------------------------
 */

/* MSI-3 */
static void a_reset_forgets_and_a_restore_remembers(void **state)
{
    const uint16_t control = 0x0184;
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, control, guest != 0);
        enable(&vec, control, 2);
        vec_write(&vec, mask_of(&vec, control), 4, 4);
        /* Hardware is reset behind everybody's back. */
        for (uint16_t at = 2; at < 24; at += 2) {
            pcv_model_poke(vec.rig.model, VEC_AT, (uint16_t)(vec.cap + at), 2,
                           at == 2 ? control : 0);
        }
        vec_restore(&vec);
        assert_int_equal(vec.binds, 1);
        assert_int_equal(vec_hw(&vec, mask_of(&vec, control), 4), 4);
        vec_write(&vec, mask_of(&vec, control), 4, 0);
        expect_delivery(&vec, 4, ADDRESS, DATA);
        vec_write(&vec, mask_of(&vec, control), 4, 2);
        vec_reset(&vec);
        expect_off(&vec);
        assert_int_equal(vec_read(&vec, control_of(&vec), 2), control);
        assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), 0);
        assert_int_equal(vec_read(&vec, data_of(&vec, control), 2), 0);
        assert_int_equal(vec_read(&vec, mask_of(&vec, control), 4), 0);
        vec_restore(&vec);
        expect_off(&vec);
        vec_close(&vec);
    }
}

/* MSI-3 */
static void the_smallest_layout_is_reset_and_listed(void **state)
{
    struct pcv_bound_vector seen;
    struct vec vec;

    (void)state;
    start(&vec, 0, true);
    enable(&vec, 0, 0);
    assert_true(pcv_device_next_vector(vec.device, false, 0, &seen));
    assert_false(seen.masked);
    vec_reset(&vec);
    expect_off(&vec);
    assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), 0);
    assert_int_equal(vec_read(&vec, vec.cap + 8u, 2), 0);
    vec_close(&vec);
}

/* MSI-3, PORT-3 */
static void a_restore_that_loses_a_write_leaves_it_disabled(void **state)
{
    bool failed = true;
    unsigned off = 0;
    struct vec vec;

    (void)state;
    for (uint64_t nth = 1; failed; nth++) {
        uint64_t calls;

        start(&vec, 0x80, true);
        enable(&vec, 0x80, 0);
        calls = pcv_model_calls(vec.rig.model, PCV_MODEL_OP_cfg_write);
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_cfg_write, nth);
        vec_restore(&vec);
        failed =
            pcv_model_calls(vec.rig.model, PCV_MODEL_OP_cfg_write) - calls >=
            nth;
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_cfg_write, 0);
        if (is_on(&vec)) {
            expect_delivery(&vec, 1, ADDRESS, DATA);
        } else {
            expect_off(&vec);
            assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
            off++;
        }
        vec_close(&vec);
    }
    assert_true(off >= 3);
}

/* CAP-5, LIFE-8 */
static void teardown_unbinds_and_may_come_twice(void **state)
{
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, 0x0184, guest != 0);
        enable(&vec, 0x0184, 2);
        vec_teardown(&vec);
        assert_false(is_on(&vec));
        assert_int_equal(vec_held(&vec), 0);
        assert_int_equal(vec.unbinds, 1);
        vec_teardown(&vec);
        vec_reset(&vec);
        vec_restore(&vec);
        assert_int_equal(vec.unbinds, 1);
        /* An access that waited for the lock finds nothing to do. */
        vec_write(&vec, control_of(&vec), 2, ENABLE);
        vec_write(&vec, vec.cap + 4u, 4, ADDRESS);
        vec_write(&vec, mask_of(&vec, 0x0184), 4, 1);
        assert_int_equal(vec.binds, 1);
        assert_false(is_on(&vec));
        vec_close(&vec);
    }
}

/* LIFE-5, LIFE-8 */
static void what_is_bound_does_not_keep_a_device(void **state)
{
    pcv_sbdf busy;
    struct vec vec;

    (void)state;
    start(&vec, 0x0184, false);
    enable(&vec, 0x0184, 2);
    assert_int_equal(vec_held(&vec), 4);
    pcv_device_put(vec.device);
    vec.device = NULL;
    assert_int_equal(pcv_device_remove(vec.rig.host, VEC_AT, NULL, &busy), 0);
    assert_int_equal(vec.unbinds, 1);
    assert_false(is_on(&vec));
    assert_int_equal(pcv_model_bound(vec.rig.model, NULL), 0);
    vec_close(&vec);
}

/* LIFE-9, MSI-2 */
static void nothing_reaches_a_device_that_vanished(void **state)
{
    struct vec vec;

    (void)state;
    start(&vec, 0x0184, false);
    enable(&vec, 0x0184, 2);
    assert_int_equal(pcv_device_vanished(vec.rig.host, VEC_AT), 0);
    vec_forget(&vec);
    vec_teardown(&vec);
    assert_int_equal(vec.rig.logged, 0);
    assert_int_equal(vec.unbinds, 1);
    assert_int_equal(vec_held(&vec), 0);
    vec_close(&vec);
}

/* LIFE-8 */
static void a_change_of_owner_takes_the_vectors_along(void **state)
{
    struct vec vec;

    (void)state;
    start(&vec, 0x0184, false);
    enable(&vec, 0x0184, 2);
    vec_give(&vec);
    expect_off(&vec);
    vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    enable(&vec, 0x0184, 1);
    expect_delivery(&vec, 2, ADDRESS, DATA);
    vec_take_back(&vec);
    expect_off(&vec);
    assert_int_equal(vec_hw(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_MASTER, 0);
    vec_close(&vec);
}

/* LIFE-8 */
static void bound_messages_are_listed(void **state)
{
    struct pcv_bound_vector seen;
    struct vec vec;

    (void)state;
    start(&vec, 0x0184, true);
    assert_false(pcv_device_next_vector(vec.device, false, 0, &seen));
    enable(&vec, 0x0184, 2);
    vec_write(&vec, mask_of(&vec, 0x0184), 4, 4);
    for (uint16_t i = 0; i < 4; i++) {
        assert_true(pcv_device_next_vector(vec.device, false, i, &seen));
        assert_false(seen.msix);
        assert_int_equal(seen.index, i);
        assert_int_equal(seen.address, ADDRESS);
        assert_int_equal(seen.data, DATA | i);
        assert_int_equal(seen.message.address, vec.message.address);
        assert_int_equal(seen.message.data, vec.message.data | i);
        assert_int_equal(seen.masked, i == 2);
    }
    assert_false(pcv_device_next_vector(vec.device, false, 4, &seen));
    assert_false(pcv_device_next_vector(vec.device, true, 0, &seen));
    vec_close(&vec);
}

/* LIFE-8: all counts are in one word, which can be full. */
static void descriptors_of_the_host_count_beside_them(void **state)
{
    static struct pcv_vector vectors[2048];
    static struct pcv_vector more[32];
    struct vec vec;

    (void)state;
    start(&vec, 0x018a, false);
    for (uint16_t i = 0; i < 2048; i++) {
        assert_int_equal(pcv_vector_attach(vec.device, &vectors[i], true, i),
                         0);
    }
    enable(&vec, 0x018a, 5);
    assert_int_equal(vec_held(&vec), 2080);
    for (uint16_t i = 0; i < 32; i++) {
        assert_int_equal(pcv_vector_attach(vec.device, &more[i], false, i), 0);
    }
    assert_int_equal(vec_held(&vec), 2112);
    vec_write(&vec, control_of(&vec), 2, 0);
    assert_int_equal(vec_held(&vec), 2080);
    for (uint16_t i = 0; i < 2048; i++) {
        pcv_vector_detach(&vectors[i]);
    }
    for (uint16_t i = 0; i < 32; i++) {
        pcv_vector_detach(&more[i]);
    }
    assert_int_equal(vec_held(&vec), 0);
    vec_close(&vec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_firmware_left_enabled_goes_on),
        cmocka_unit_test(what_firmware_left_enabled_may_be_refused),
        cmocka_unit_test(
            reserved_bits_of_hardware_are_kept_and_extended_data_is_not_used),
        cmocka_unit_test(a_reset_forgets_and_a_restore_remembers),
        cmocka_unit_test(the_smallest_layout_is_reset_and_listed),
        cmocka_unit_test(a_restore_that_loses_a_write_leaves_it_disabled),
        cmocka_unit_test(teardown_unbinds_and_may_come_twice),
        cmocka_unit_test(what_is_bound_does_not_keep_a_device),
        cmocka_unit_test(nothing_reaches_a_device_that_vanished),
        cmocka_unit_test(a_change_of_owner_takes_the_vectors_along),
        cmocka_unit_test(bound_messages_are_listed),
        cmocka_unit_test(descriptors_of_the_host_count_beside_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

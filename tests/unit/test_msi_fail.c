/* SPDX-License-Identifier: MIT */
/* MSI where something fails, or cannot be (MSI-1, CAP-3). */
#include "msi_card.h"

/* ---- failures --------------------------------------------------------------
 */

/* MSI-1 */
static void a_failing_bind_leaves_it_disabled(void **state)
{
    static const uint16_t change[][2] = {{4, 0x2000}, {12, 0x7770}, {2, 0x11}};
    const uint16_t control = 0x84;
    struct vec vec;

    (void)state;
    for (uint32_t n = 0; n < 8; n++) {
        start(&vec, control, n % 2 == 0);
        if (n >= 2) {
            enable(&vec, control, 2);
        }
        vec.fail_bind = 1;
        if (n >= 2) {
            vec_write(&vec, (uint32_t)vec.cap + change[n / 2 - 1][0], 2,
                      change[n / 2 - 1][1]);
        } else {
            enable(&vec, control, 2);
        }
        expect_off(&vec);
        assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
        assert_int_equal(vec_read(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF,
                         0);
        /* The next time it works. */
        enable(&vec, control, 1);
        assert_true(is_on(&vec));
        assert_int_equal(vec_held(&vec), 2);
        vec_close(&vec);
    }
}

/* MSI-1, PORT-3 */
static void what_the_device_cannot_send_is_refused(void **state)
{
    static const struct {
        uint16_t control;
        uint64_t or_address;
        uint32_t or_data;
    } cases[] = {
        {0x004, UINT64_C(0x100000000), 0}, /* it has 32 bits */
        {0x004, 1, 0},                     /* not a dword */
        {0x084, 2, 0},
        {0x004, 0, 0x10000}, /* 16 bits of data */
        {0x084, 0, 0x00002}, /* beyond the block */
    };
    struct vec vec;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(&vec, cases[i].control, i % 2 == 0);
        vec.or_address = cases[i].or_address;
        vec.or_data = cases[i].or_data;
        enable(&vec, cases[i].control, 2);
        expect_off(&vec);
        assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
        assert_int_equal(vec.unbinds, 1);
        vec_close(&vec);
    }
}

/* MSI-1, PORT-3 */
static void a_host_that_answers_nonsense_is_taken_as_failing(void **state)
{
    struct vec vec;

    (void)state;
    start(&vec, 0x80, true);
    vec.refuse = true;
    vec.refusal = 17;
    enable(&vec, 0x80, 0);
    expect_off(&vec);
    assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
    assert_int_equal(vec.rig.event[0].arg[1], PCV_EIO);
    vec.refuse = false;
    vec_close(&vec);
}

/* MSI-1, PORT-3: wherever a write is lost, no half state is left. */
static void a_lost_write_leaves_it_on_or_off(void **state)
{
    const uint16_t control = 0x184;
    bool failed = true;
    struct vec vec;

    (void)state;
    for (uint64_t nth = 1; failed; nth++) {
        uint64_t calls;

        assert_true(nth < 100);
        start(&vec, control, true);
        vec_write(&vec, vec.cap + 4u, 4, ADDRESS);
        vec_write(&vec, data_of(&vec, control), 2, DATA);
        calls = pcv_model_calls(vec.rig.model, PCV_MODEL_OP_cfg_write);
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_cfg_write, nth);
        vec_write(&vec, control_of(&vec), 2, ENABLE | 2u << 4);
        failed =
            pcv_model_calls(vec.rig.model, PCV_MODEL_OP_cfg_write) - calls >=
            nth;
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_cfg_write, 0);
        if ((vec_read(&vec, control_of(&vec), 2) & ENABLE) != 0) {
            assert_true(is_on(&vec));
            assert_int_equal(vec_held(&vec), 4);
            expect_delivery(&vec, 4, ADDRESS, DATA);
        } else {
            assert_true(failed);
            expect_off(&vec);
            assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
        }
        vec_close(&vec);
    }
}

/* MSI-1, PORT-3: the same for what cannot be read. */
static void a_lost_read_leaves_it_on_or_off(void **state)
{
    bool failed = true;
    struct vec vec;

    (void)state;
    for (uint64_t nth = 1; failed; nth++) {
        uint64_t calls;

        start(&vec, 0x184, true);
        calls = pcv_model_calls(vec.rig.model, PCV_MODEL_OP_cfg_read);
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_cfg_read, nth);
        enable(&vec, 0x184, 2);
        failed =
            pcv_model_calls(vec.rig.model, PCV_MODEL_OP_cfg_read) - calls >=
            nth;
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_cfg_read, 0);
        if ((vec_read(&vec, control_of(&vec), 2) & ENABLE) != 0) {
            assert_true(is_on(&vec));
            assert_int_equal(vec_held(&vec), 4);
        } else {
            assert_true(failed);
            expect_off(&vec);
        }
        vec_close(&vec);
    }
}

/* ---- hiding ----------------------------------------------------------------
 */

/* CAP-3 */
static void without_a_host_that_binds_nobody_has_it(void **state)
{
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        build(&vec, 0x0081);
        vec.rig.ops.msi_bind = NULL;
        vec.rig.ops.msi_unbind = NULL;
        vec_start(&vec, guest != 0);
        assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSI), 0);
        assert_false(is_on(&vec));
        vec_write(&vec, control_of(&vec), 2, ENABLE);
        vec_write(&vec, vec.cap + 4u, 4, 0xffffffff);
        assert_false(is_on(&vec));
        assert_int_equal(vec_hw(&vec, vec.cap + 4u, 4), 0);
        vec_close(&vec);
    }
}

/* CAP-3, CAP-1 */
static void what_does_not_fit_or_comes_twice_is_hidden(void **state)
{
    struct vec vec;
    uint8_t second;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        build(&vec, 0x0180);
        second = pcv_test_msi(&vec.f, 0x0081);
        vec_start(&vec, guest != 0);
        assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSI), vec.cap);
        vec_write(&vec, second + 2u, 2, ENABLE);
        assert_int_equal(vec_hw(&vec, second + 2u, 2) & ENABLE, 0);
        assert_int_equal(vec.binds, 0);
        vec_close(&vec);
        /* At the end of configuration space. */
        build(&vec, 0x0080);
        pcv_test_set(&vec.f, vec.cap + 1u, 1, 0xf8);
        pcv_test_set(&vec.f, 0xf8, 4, 0x01800005);
        pcv_test_set(&vec.f, vec.cap, 1, PCV_CAP_ID_VENDOR);
        vec_start(&vec, guest != 0);
        assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSI), 0);
        vec_close(&vec);
    }
}

/* CAP-1, CAP-3 */
static void a_capability_inside_another_hides_it(void **state)
{
    struct vec vec;
    uint32_t at;

    (void)state;
    build(&vec, 0x0180);
    at = vec.cap + 4u; /* the only bits that a reset does not wipe out */
    pcv_test_set(&vec.f, vec.cap + 1u, 1, at);
    pcv_test_set(&vec.f, at, 2, PCV_CAP_ID_PM);
    vec_start(&vec, true);
    assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSI), 0);
    vec_write(&vec, control_of(&vec), 2, ENABLE);
    assert_false(is_on(&vec));
    assert_int_equal(vec.binds, 0);
    vec_close(&vec);
}

/* CAP-1 */
static void a_control_register_of_all_ones_hides_it(void **state)
{
    struct vec vec;

    (void)state;
    build(&vec, 0x0080);
    pcv_test_set(&vec.f, control_of(&vec), 2, 0xffff);
    vec_start(&vec, false);
    assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSI), 0);
    assert_int_equal(vec.binds, 0);
    vec_close(&vec);
}

/* CAP-3, PORT-3 */
static void without_memory_it_is_hidden_and_the_rest_works(void **state)
{
    bool failed = true;
    bool hidden = false;
    struct vec vec;

    (void)state;
    for (uint64_t nth = 1; failed; nth++) {
        uint64_t calls;

        build(&vec, 0x00a5);
        pcv_test_add(vec.rig.model, &vec.f, VEC_AT);
        rig_create(&vec.rig);
        calls = pcv_model_calls(vec.rig.model, PCV_MODEL_OP_alloc);
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_alloc, nth);
        if (pcv_device_add(vec.rig.host, VEC_AT, NULL) == 0) {
            size_t events = rig_events(&vec.rig, PCV_EVENT_CAP_HIDDEN);

            hidden = hidden || events != 0;
            assert_int_equal(pcv_model_bound(vec.rig.model, NULL),
                             events != 0 ? 0 : 4);
            assert_int_equal(is_on(&vec), events == 0);
        } else {
            assert_int_equal(pcv_model_bound(vec.rig.model, NULL), 0);
        }
        failed =
            pcv_model_calls(vec.rig.model, PCV_MODEL_OP_alloc) - calls >= nth;
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_alloc, 0);
        rig_close(&vec.rig);
    }
    assert_true(hidden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failing_bind_leaves_it_disabled),
        cmocka_unit_test(what_the_device_cannot_send_is_refused),
        cmocka_unit_test(a_host_that_answers_nonsense_is_taken_as_failing),
        cmocka_unit_test(a_lost_write_leaves_it_on_or_off),
        cmocka_unit_test(a_lost_read_leaves_it_on_or_off),
        cmocka_unit_test(without_a_host_that_binds_nobody_has_it),
        cmocka_unit_test(what_does_not_fit_or_comes_twice_is_hidden),
        cmocka_unit_test(a_capability_inside_another_hides_it),
        cmocka_unit_test(a_control_register_of_all_ones_hides_it),
        cmocka_unit_test(without_memory_it_is_hidden_and_the_rest_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

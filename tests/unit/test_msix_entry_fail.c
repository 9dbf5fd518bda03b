/* SPDX-License-Identifier: MIT */
/* Entries of MSI-X's table that fail (MSIX-2, PORT-3). */
#include "msix_table_card.h"

/* ---- failures --------------------------------------------------------------
 */

/* MSIX-2 */
static void a_failing_entry_stays_masked_and_the_others_work(void **state)
{
    struct vec vec;

    (void)state;
    for (uint32_t nth = 1; nth <= 4; nth++) {
        start(&vec, 4, nth % 2 == 0);
        for (uint32_t i = 0; i < 4; i++) {
            program(&vec, i);
        }
        vec.fail_bind = nth;
        control(&vec, ENABLE);
        assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
        assert_int_equal(vec_held(&vec), 3);
        for (uint16_t i = 0; i < 4; i++) {
            assert_int_equal(get(&vec, i, 3), 0); /* what its owner wrote */
            assert_int_equal(hw_masked(&vec, i), i == nth - 1u);
            if (i != nth - 1u) {
                expect_delivered(&vec, i, UINT64_C(0x200000000) | ADDRESS,
                                 DATA + i);
            }
        }
        /* It is not tried again for nothing, but for a change it is. */
        vec.binds = 0;
        put(&vec, nth - 1u, 3, 0);
        assert_int_equal(vec.binds, 0);
        put(&vec, nth - 1u, 2, 0x55);
        assert_int_equal(vec.binds, 1);
        expect_delivered(&vec, (uint16_t)(nth - 1u),
                         UINT64_C(0x200000000) | ADDRESS, 0x55);
        vec_close(&vec);
    }
}

/* MSIX-2, LIFE-8 */
static void a_failing_change_leaves_nothing_bound(void **state)
{
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, 4, guest != 0);
        control(&vec, ENABLE);
        program(&vec, 2);
        vec.fail_bind = 1;
        put(&vec, 2, 2, 0x66);
        assert_int_equal(vec_held(&vec), 0);
        assert_true(hw_masked(&vec, 2));
        assert_int_equal(get(&vec, 2, 2), 0x66);
        assert_int_equal(pcv_model_bound(vec.rig.model, NULL), 0);
        /* Nothing is bound: the function mask is on. */
        assert_int_equal(vec_hw(&vec, control_of(&vec), 2) & 0xc000u,
                         ENABLE | MASK_ALL);
        assert_int_equal(vec_read(&vec, control_of(&vec), 2), ENABLE | 3u);
        put(&vec, 2, 3, 1);
        put(&vec, 2, 3, 0);
        assert_int_equal(vec_hw(&vec, control_of(&vec), 2) & 0xc000u, ENABLE);
        expect_delivered(&vec, 2, UINT64_C(0x200000000) | ADDRESS, 0x66);
        vec_close(&vec);
    }
}

/* An entry is bound and open with its own message, or neither. */
static void expect_whole(struct vec *vec, uint16_t index)
{
    struct pcv_bound_vector seen = {.index = 0};
    bool bound = pcv_device_next_vector(vec->device, true, index, &seen) &&
                 seen.index == index;

    if (bound) {
        expect_delivered(
            vec, index, (uint64_t)get(vec, index, 1) << 32 | get(vec, index, 0),
            get(vec, index, 2));
    } else {
        assert_true(hw_masked(vec, index) ||
                    (vec_hw(vec, control_of(vec), 2) & MASK_ALL) != 0);
    }
}

/* MSIX-2, PORT-3: wherever a write to the table is lost. */
static void a_lost_write_leaves_no_half_entry(void **state)
{
    bool failed = true;
    unsigned lost = 0;
    struct vec vec;

    (void)state;
    for (uint32_t nth = 1; failed; nth++) {
        start(&vec, 4, true);
        control(&vec, ENABLE);
        vec.fail_mmio = nth;
        program(&vec, 1);
        put(&vec, 1, 2, 0x10);
        program(&vec, 3);
        put(&vec, 3, 3, 1);
        put(&vec, 3, 3, 0);
        failed = vec.fail_mmio == 0;
        vec.fail_mmio = 0;
        lost += vec_held(&vec) < 2 ? 1u : 0u;
        assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED) != 0 ||
                             vec_held(&vec) == 2,
                         true);
        for (uint16_t i = 0; i < 4; i++) {
            expect_whole(&vec, i);
        }
        assert_int_equal(pcv_model_bound(vec.rig.model, NULL), vec_held(&vec));
        vec_close(&vec);
    }
    assert_true(lost > 4);
}

static int not_permitted(void *ctx, uint32_t domain_id, pcv_hpa start_at,
                         uint64_t size)
{
    (void)ctx;
    (void)domain_id;
    return start_at.v < 0xe0000000 || size > 0x100000 ? 1 : 0;
}

/* MSIX-2: a BAR may stand anywhere that the hardware domain put it. */
static void a_table_that_is_no_mmio_is_never_written(void **state)
{
    struct vec vec;

    (void)state;
    build(&vec, 4);
    vec.rig.ops.mmio_permitted = not_permitted;
    vec_start(&vec, false);
    control(&vec, ENABLE);
    program(&vec, 0);
    assert_int_equal(vec.binds, 0);
    assert_int_equal(vec.logged, 0);
    assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
    assert_int_equal(vec_held(&vec), 0);
    vec_close(&vec);
}

/* LIFE-8: the count of vectors in a device's word can be full. */
static void more_than_the_word_can_count_is_refused(void **state)
{
    static struct pcv_vector vectors[2048];
    struct vec vec;

    (void)state;
    start(&vec, 2048, false);
    for (uint16_t i = 0; i < 2048; i++) {
        assert_int_equal(pcv_vector_attach(vec.device, &vectors[i], true, i),
                         0);
        program(&vec, i);
    }
    control(&vec, ENABLE);
    assert_int_equal(vec_held(&vec), 4095);
    assert_int_equal(vec.binds, 2047);
    assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
    assert_int_equal(vec.rig.event[0].arg[0], 0x10000u | 2047u);
    assert_int_equal(vec.rig.event[0].arg[1], PCV_EOVERFLOW);
    assert_true(hw_masked(&vec, 2047));
    for (uint16_t i = 0; i < 2048; i++) {
        pcv_vector_detach(&vectors[i]);
    }
    put(&vec, 2047, 3, 1);
    put(&vec, 2047, 3, 0);
    assert_int_equal(vec_held(&vec), 2048);
    expect_delivered(&vec, 2047, UINT64_C(0x200000000) | ADDRESS, DATA + 2047);
    vec_close(&vec);
}

/* LIFE-8 */
static void bound_entries_are_listed(void **state)
{
    struct pcv_bound_vector seen;
    struct vec vec;

    (void)state;
    start(&vec, ENTRIES, true);
    assert_false(pcv_device_next_vector(vec.device, false, 0, &seen));
    control(&vec, ENABLE);
    program(&vec, 3);
    program(&vec, 69);
    put(&vec, 69, 3, 1);
    assert_true(pcv_device_next_vector(vec.device, false, 9, &seen));
    assert_true(seen.msix);
    assert_int_equal(seen.index, 3);
    assert_int_equal(seen.address, UINT64_C(0x200000000) | ADDRESS);
    assert_int_equal(seen.data, DATA + 3);
    assert_int_equal(seen.message.address, (uint64_t)hw_entry(&vec, 3, 1)
                                                   << 32 |
                                               hw_entry(&vec, 3, 0));
    assert_int_equal(seen.message.data, hw_entry(&vec, 3, 2));
    assert_false(seen.masked);
    assert_true(pcv_device_next_vector(vec.device, true, 4, &seen));
    assert_int_equal(seen.index, 69);
    assert_true(seen.masked);
    assert_false(pcv_device_next_vector(vec.device, true, 70, &seen));
    vec_teardown(&vec);
    assert_false(pcv_device_next_vector(vec.device, true, 0, &seen));
    vec_close(&vec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failing_entry_stays_masked_and_the_others_work),
        cmocka_unit_test(a_failing_change_leaves_nothing_bound),
        cmocka_unit_test(a_lost_write_leaves_no_half_entry),
        cmocka_unit_test(a_table_that_is_no_mmio_is_never_written),
        cmocka_unit_test(more_than_the_word_can_count_is_refused),
        cmocka_unit_test(bound_entries_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

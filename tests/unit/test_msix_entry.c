/* SPDX-License-Identifier: MIT */
/* Entries of MSI-X's table: bound, masked, changed (MSIX-2). */
#include "msix_table_card.h"

/* ---- entries ---------------------------------------------------------------
 */

/* MSIX-2, MSI-2, LIFE-8 */
static void the_first_unmask_binds_and_masking_keeps_it(void **state)
{
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, ENTRIES, guest != 0);
        control(&vec, ENABLE);
        put(&vec, 5, 0, ADDRESS);
        put(&vec, 5, 1, UPPER);
        put(&vec, 5, 2, DATA);
        assert_int_equal(vec.binds, 0);
        assert_int_equal(vec.logged, 0);
        put(&vec, 5, 3, 0);
        assert_int_equal(vec.binds, 1);
        assert_true(vec.request.msix);
        assert_int_equal(vec.request.index, 5);
        assert_int_equal(vec.request.count, 1);
        assert_int_equal(vec.request.address, UINT64_C(0x200000000) | ADDRESS);
        assert_int_equal(vec.request.data, DATA);
        assert_int_equal(vec.request.domain_id, pcv_domain_id(vec.owner));
        assert_int_equal(vec_held(&vec), 1);
        expect_delivered(&vec, 5, UINT64_C(0x200000000) | ADDRESS, DATA);
        /* Hardware has the host's message, the owner reads its own. */
        assert_int_equal(hw_entry(&vec, 5, 0), (uint32_t)vec.message.address);
        assert_int_equal(hw_entry(&vec, 5, 2), vec.message.data);
        assert_int_equal(get(&vec, 5, 0), ADDRESS);
        assert_int_equal(get(&vec, 5, 2), DATA);
        put(&vec, 5, 3, 1);
        assert_true(hw_masked(&vec, 5));
        assert_int_equal(vec_held(&vec), 1);
        expect_raise(&vec, 5, PCV_MODEL_MASKED);
        put(&vec, 5, 3, 0);
        assert_false(hw_masked(&vec, 5));
        put(&vec, 5, 3, 0);
        assert_int_equal(vec.binds, 1);
        assert_int_equal(vec.unbinds, 0);
        vec_close(&vec);
    }
}

/* MSIX-2 */
static void it_is_bound_anew_only_if_it_changed(void **state)
{
    static const struct {
        uint32_t dword, value;
        unsigned binds;
    } steps[] = {
        {0, ADDRESS, 0}, {0, ADDRESS + 1, 0}, /* the low bits are reserved */
        {1, UPPER, 0},   {2, DATA + 1, 0},    {0, ADDRESS + 4, 1},
        {0, ADDRESS, 1}, {1, UPPER + 1, 1},   {2, DATA, 1},
    };
    struct vec vec;

    (void)state;
    start(&vec, ENTRIES, true);
    control(&vec, ENABLE);
    program(&vec, 1);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        unsigned before = vec.binds;

        put(&vec, 1, 3, 1);
        put(&vec, 1, steps[i].dword, steps[i].value);
        assert_int_equal(vec.binds, before);
        put(&vec, 1, 3, 0);
        assert_int_equal(vec.binds - before, steps[i].binds);
        assert_int_equal(vec_held(&vec), 1);
    }
    /* There and back again is no change. */
    put(&vec, 1, 3, 1);
    put(&vec, 1, 2, 0x1111);
    put(&vec, 1, 2, DATA);
    vec.binds = 0;
    put(&vec, 1, 3, 0);
    assert_int_equal(vec.binds, 0);
    assert_int_equal(vec.unbinds, 0); /* binding anew replaces */
    expect_delivered(&vec, 1, UINT64_C(0x300000000) | ADDRESS, DATA);
    vec_close(&vec);
}

/* MSIX-2 */
static void a_change_of_an_unmasked_entry_takes_effect_at_once(void **state)
{
    struct vec vec;

    (void)state;
    start(&vec, ENTRIES, true);
    control(&vec, ENABLE);
    program(&vec, 0);
    put(&vec, 0, 2, 0x77);
    assert_int_equal(vec.binds, 2);
    expect_delivered(&vec, 0, UINT64_C(0x200000000) | ADDRESS, 0x77);
    /* Both halves of an address in one access are one change. */
    assert_true(vec_mmio_write(&vec, BAR, TABLE, 8, UINT64_C(0x1fee05000)));
    assert_int_equal(vec.binds, 3);
    expect_delivered(&vec, 0, UINT64_C(0x1fee05000), 0x77);
    /* So are data and mask. */
    assert_true(vec_mmio_write(&vec, BAR, TABLE + 8, 8, UINT64_C(0x100000099)));
    assert_int_equal(vec.binds, 3);
    assert_true(hw_masked(&vec, 0));
    assert_true(vec_mmio_write(&vec, BAR, TABLE + 8, 8, 0x88));
    assert_int_equal(vec.binds, 4);
    expect_delivered(&vec, 0, UINT64_C(0x1fee05000), 0x88);
    vec_close(&vec);
}

/* MSIX-2: in hardware, an entry changes only while it is masked. */
static void hardware_never_has_half_a_message_unmasked(void **state)
{
    bool masked = false;
    struct vec vec;

    (void)state;
    start(&vec, ENTRIES, true);
    control(&vec, ENABLE);
    program(&vec, 2);
    vec_forget(&vec);
    put(&vec, 2, 2, 0x77);
    put(&vec, 2, 0, 0xfee00000);
    assert_true(vec.logged > 8);
    for (size_t i = 0; i < vec.logged; i++) {
        uint64_t offset = vec.log[i].address - 0xe1230000u - TABLE - 32u;

        assert_int_equal(vec.log[i].size, 4);
        assert_true(offset < 16);
        if (vec.log[i].write && offset == 12) {
            masked = vec.log[i].value == 1;
        } else if (vec.log[i].write) {
            assert_true(masked);
        }
    }
    assert_false(masked);
    vec_close(&vec);
}

/* MSIX-2 */
static void what_was_pending_comes_when_it_is_unmasked(void **state)
{
    uint64_t value;
    struct vec vec;

    (void)state;
    start(&vec, ENTRIES, true);
    control(&vec, ENABLE);
    expect_raise(&vec, 66, PCV_MODEL_MASKED);
    assert_true(vec_mmio_read(&vec, BAR, PBA + 8, 4, &value));
    assert_int_equal(value, 4);
    program(&vec, 66);
    assert_true(vec_mmio_read(&vec, BAR, PBA + 8, 4, &value));
    assert_int_equal(value, 0);
    vec_close(&vec);
}

/* ---- function mask, enable -------------------------------------------------
 */

/* MSIX-2 */
static void function_mask_and_disable_act_on_all_entries(void **state)
{
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, ENTRIES, guest != 0);
        for (uint32_t i = 0; i < ENTRIES; i++) {
            program(&vec, i);
        }
        assert_int_equal(vec.binds, 0); /* it is not enabled */
        control(&vec, ENABLE | MASK_ALL);
        assert_int_equal(vec.binds, 0);
        expect_raise(&vec, 0, PCV_MODEL_MASKED);
        control(&vec, ENABLE);
        assert_int_equal(vec.binds, ENTRIES);
        assert_int_equal(vec_held(&vec), ENTRIES);
        for (uint16_t i = 0; i < ENTRIES; i++) {
            expect_delivered(&vec, i, UINT64_C(0x200000000) | ADDRESS,
                             DATA + i);
        }
        /* The function mask keeps them. */
        control(&vec, ENABLE | MASK_ALL);
        expect_raise(&vec, 7, PCV_MODEL_MASKED);
        put(&vec, 8, 2, 0x9999);
        put(&vec, 9, 3, 1);
        control(&vec, ENABLE);
        assert_int_equal(vec.binds, ENTRIES + 1u);
        assert_int_equal(vec.unbinds, 0);
        expect_delivered(&vec, 8, UINT64_C(0x200000000) | ADDRESS, 0x9999);
        expect_raise(&vec, 9, PCV_MODEL_MASKED);
        /* Disabling does not. */
        control(&vec, 0);
        assert_int_equal(vec.unbinds, ENTRIES);
        assert_int_equal(vec_held(&vec), 0);
        expect_raise(&vec, 0, PCV_MODEL_DISABLED);
        assert_int_equal(get(&vec, 9, 3), 1);
        put(&vec, 10, 3, 1); /* hardware's is not, nor is it touched now */
        control(&vec, ENABLE);
        assert_int_equal(vec_held(&vec), ENTRIES - 2u);
        assert_true(hw_masked(&vec, 9));
        assert_true(hw_masked(&vec, 10));
        vec_close(&vec);
    }
}

static void poke_table(struct vec *vec)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        pcv_model_mmio_poke(vec->rig.model, VEC_AT, BAR, TABLE + 16u * i, 4,
                            0xfee00000);
        pcv_model_mmio_poke(vec->rig.model, VEC_AT, BAR, TABLE + 16u * i + 12u,
                            4, 0);
    }
}

/* MSIX-2: hardware's table is not trusted. */
static void what_stood_in_hardwares_table_is_never_sent(void **state)
{
    struct vec vec;

    (void)state;
    start(&vec, ENTRIES, true);
    poke_table(&vec);
    control(&vec, ENABLE);
    assert_int_equal(vec.logged, 0);
    expect_raise(&vec, 0, PCV_MODEL_MASKED);
    program(&vec, 1);
    for (uint16_t i = 0; i < ENTRIES; i++) {
        assert_int_equal(hw_masked(&vec, i), i != 1);
    }
    expect_raise(&vec, 3, PCV_MODEL_MASKED);
    expect_delivered(&vec, 1, UINT64_C(0x200000000) | ADDRESS, DATA + 1);
    vec_close(&vec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_unmask_binds_and_masking_keeps_it),
        cmocka_unit_test(it_is_bound_anew_only_if_it_changed),
        cmocka_unit_test(a_change_of_an_unmasked_entry_takes_effect_at_once),
        cmocka_unit_test(hardware_never_has_half_a_message_unmasked),
        cmocka_unit_test(what_was_pending_comes_when_it_is_unmasked),
        cmocka_unit_test(function_mask_and_disable_act_on_all_entries),
        cmocka_unit_test(what_stood_in_hardwares_table_is_never_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* MSI-X's table and pending bits as their owner uses them (MSIX-1). */
#include "msix_table_card.h"

/* ---- accesses --------------------------------------------------------------
 */

/* MSIX-1 */
static void the_table_takes_aligned_accesses_of_4_and_8_bytes(void **state)
{
    static const struct {
        uint32_t offset;
        uint8_t size;
        bool taken;
    } cases[] = {
        {0, 4, true},
        {4, 4, true},
        {8, 4, true},
        {12, 4, true},
        {0, 8, true},
        {8, 8, true},
        {16, 8, true},
        {4, 8, false},
        {12, 8, false},
        {2, 4, false},
        {1, 4, false},
        {0, 1, false},
        {12, 1, false},
        {0, 2, false},
        {14, 2, false},
        {3, 8, false},
        {69u * 16u, 4, true},
        {69u * 16u + 8u, 8, true},
        {70u * 16u - 4u, 8, false},
        {70u * 16u - 2u, 4, false},
    };
    struct vec vec;

    (void)state;
    start(&vec, ENTRIES, true);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint64_t ones = cases[i].size == 8
                                  ? UINT64_MAX
                                  : (UINT64_C(1) << 8u * cases[i].size) - 1u;
        const uint64_t value = UINT64_C(0x0000000112345678);
        uint64_t at = TABLE + cases[i].offset;
        uint64_t before = 0;
        uint64_t after = 0;

        assert_true(vec_mmio_read(&vec, BAR, at, cases[i].size, &before));
        assert_true(vec_mmio_write(&vec, BAR, at, cases[i].size, value));
        assert_true(vec_mmio_read(&vec, BAR, at, cases[i].size, &after));
        if (!cases[i].taken) {
            assert_int_equal(before, ones);
            assert_int_equal(after, ones);
        } else if (cases[i].offset % 16u < 8u) {
            assert_int_equal(after, value & ones);
        }
    }
    assert_int_equal(vec.logged, 0); /* hardware saw nothing of it */
    vec_close(&vec);
}

/* MSIX-1 */
static void an_entry_reads_what_was_written_but_for_reserved_bits(void **state)
{
    uint64_t value;
    struct vec vec;

    (void)state;
    start(&vec, ENTRIES, true);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        assert_int_equal(get(&vec, i, 0), 0);
        assert_int_equal(get(&vec, i, 1), 0);
        assert_int_equal(get(&vec, i, 2), 0);
        assert_int_equal(get(&vec, i, 3), 1);
    }
    for (uint32_t dword = 0; dword < 4; dword++) {
        put(&vec, 3, dword, 0xffffffff);
    }
    assert_int_equal(get(&vec, 3, 0), 0xfffffffc);
    assert_int_equal(get(&vec, 3, 1), 0xffffffff);
    assert_int_equal(get(&vec, 3, 2), 0xffffffff);
    assert_int_equal(get(&vec, 3, 3), 1);
    put(&vec, 3, 3, 0xfffffffe);
    assert_int_equal(get(&vec, 3, 3), 0);
    put(&vec, 3, 0, 3);
    assert_int_equal(get(&vec, 3, 3), 0);
    assert_int_equal(get(&vec, 3, 0), 0);
    assert_true(vec_mmio_read(&vec, BAR, TABLE + 3u * 16u + 8u, 8, &value));
    assert_int_equal(value, 0xffffffff);
    assert_int_equal(get(&vec, 2, 1), 0);
    assert_int_equal(get(&vec, 4, 1), 0);
    vec_close(&vec);
}

/* MSIX-1 */
static void what_is_neither_table_nor_pending_bits_is_the_devices(void **state)
{
    static const struct {
        uint8_t bar;
        uint64_t offset;
        uint8_t size;
        bool ours;
    } cases[] = {
        {0, 0, 4, false},
        {0, TABLE - 4, 4, false},
        {0, TABLE - 8, 8, false},
        {0, TABLE - 4, 8, true}, /* refused: it reaches into the table */
        {0, TABLE - 1, 2, true},
        {0, TABLE + 16 * ENTRIES, 4, false},
        {0, TABLE + 16 * ENTRIES - 1, 1, true},
        {0, TABLE + 16 * ENTRIES - 1, 2, true},
        {0, PBA - 4, 4, false},
        {0, PBA - 4, 8, true},
        {0, PBA, 8, true},
        {0, PBA + 8, 8, true},
        {0, PBA + 16, 1, false},
        {0, PBA + 15, 2, true},
        {1, TABLE, 4, false},
        {5, PBA, 4, false},
        {0, UINT64_MAX - 3, 4, false},
    };
    uint64_t value;
    struct vec vec;

    (void)state;
    start(&vec, ENTRIES, true);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        value = 0x5555;
        assert_int_equal(vec_mmio_read(&vec, cases[i].bar, cases[i].offset,
                                       cases[i].size, &value),
                         cases[i].ours);
        assert_int_equal(value == 0x5555, !cases[i].ours);
        assert_int_equal(vec_mmio_write(&vec, cases[i].bar, cases[i].offset,
                                        cases[i].size, 0),
                         cases[i].ours);
    }
    vec_close(&vec);
}

/* MSIX-1 */
static void pending_bits_are_hardwares_and_cannot_be_written(void **state)
{
    uint64_t value;
    struct vec vec;

    (void)state;
    start(&vec, ENTRIES, true);
    pcv_model_mmio_poke(vec.rig.model, VEC_AT, BAR, PBA, 8,
                        UINT64_C(0x8000000200000001));
    pcv_model_mmio_poke(vec.rig.model, VEC_AT, BAR, PBA + 8, 8, UINT64_MAX);
    assert_true(vec_mmio_write(&vec, BAR, PBA, 8, 0));
    assert_true(vec_mmio_write(&vec, BAR, PBA + 4, 4, 0));
    assert_true(vec_mmio_read(&vec, BAR, PBA, 8, &value));
    assert_int_equal(value, UINT64_C(0x8000000200000001));
    assert_true(vec_mmio_read(&vec, BAR, PBA + 4, 4, &value));
    assert_int_equal(value, 0x80000002);
    /* Beyond the last of the 70 there is nothing to see. */
    assert_true(vec_mmio_read(&vec, BAR, PBA + 8, 8, &value));
    assert_int_equal(value, 0x3f);
    assert_true(vec_mmio_read(&vec, BAR, PBA + 12, 4, &value));
    assert_int_equal(value, 0);
    assert_true(vec_mmio_read(&vec, BAR, PBA, 2, &value));
    assert_int_equal(value, 0xffff);
    vec.fail_reads = true;
    assert_true(vec_mmio_read(&vec, BAR, PBA, 4, &value));
    assert_int_equal(value, 0xffffffff);
    assert_int_equal(rig_writes(&vec.rig), 0);
    vec_close(&vec);
}

/* ---- from outside ----------------------------------------------------------
 */

static uint64_t access_memory(struct vec *vec, uint64_t address, uint8_t size,
                              bool write, uint64_t value)
{
    struct pcv_mmio access = {
        .address = {address}, .size = size, .write = write, .data = value};

    assert_int_equal(pcv_mmio_access(vec->owner, &access), PCV_DONE);
    return access.data;
}

/* MSIX-1, MSIX-2, HDR-7: as a driver sees it, through the entrance. */
static void a_driver_reaches_its_table_and_takes_an_interrupt(void **state)
{
    uint64_t base;
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        build(&vec, ENTRIES);
        vec_start(&vec, guest != 0);
        base = guest ? 0x80020000u : 0xe1230000u;
        vec_write(&vec, PCV_REG_BAR0, 4, (uint32_t)base);
        vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        for (uint32_t page = 0; page < 16; page++) {
            assert_int_equal(pcv_model_is_mapped(vec.rig.model,
                                                 pcv_domain_id(vec.owner),
                                                 (base >> 12) + page),
                             page != TABLE >> 12 && page != PBA >> 12);
        }
        control(&vec, ENABLE);
        (void)access_memory(&vec, base + TABLE + 16, 8, true, ADDRESS);
        (void)access_memory(&vec, base + TABLE + 24, 4, true, DATA);
        (void)access_memory(&vec, base + TABLE + 28, 4, true, 0);
        assert_int_equal(access_memory(&vec, base + TABLE + 16, 8, false, 0),
                         ADDRESS);
        assert_int_equal(access_memory(&vec, base + TABLE + 16, 2, false, 0),
                         0xffff);
        expect_delivered(&vec, 1, ADDRESS, DATA);
        expect_raise(&vec, 2, PCV_MODEL_MASKED);
        assert_int_equal(access_memory(&vec, base + PBA, 8, false, 0), 4);
        /* The rest of the page is the device's. */
        (void)access_memory(&vec, base + TABLE + 0x800, 2, true, 0xbeef);
        assert_int_equal(
            pcv_model_mmio_peek(vec.rig.model, VEC_AT, BAR, TABLE + 0x800, 2),
            0xbeef);
        vec_close(&vec);
    }
}

/* ---- whatever is written ---------------------------------------------------
 */

/* What holds after any access. */
static void expect_consistent(struct vec *vec, uint32_t entries)
{
    uint32_t read = vec_read(vec, control_of(vec), 2);
    uint32_t hw = vec_hw(vec, control_of(vec), 2);
    struct pcv_bound_vector seen = {.index = 0};
    uint32_t bound = 0;
    bool live = (hw & (ENABLE | MASK_ALL)) == ENABLE;

    assert_int_equal(read & 0x3fffu, entries - 1u);
    assert_int_equal(read & ENABLE, hw & ENABLE);
    for (uint32_t i = 0;
         pcv_device_next_vector(vec->device, true, (uint16_t)i, &seen);
         i = seen.index + 1u) {
        bound++;
        assert_true(seen.index < entries);
        /* What can be sent is what its owner reads, and not masked by it. */
        if (live && !hw_masked(vec, seen.index)) {
            assert_false(seen.masked);
            assert_int_equal(get(vec, seen.index, 3), 0);
            assert_int_equal(seen.data, get(vec, seen.index, 2));
            assert_int_equal(seen.address, (uint64_t)get(vec, seen.index, 1)
                                                   << 32 |
                                               get(vec, seen.index, 0));
        }
    }
    assert_int_equal(vec_held(vec), bound);
    assert_int_equal(pcv_model_bound(vec->rig.model, NULL), bound);
    assert_true(bound == 0 || (read & ENABLE) != 0);
    assert_true(bound != 0 || !live);
    assert_true(bound == 0 ||
                (vec_hw(vec, PCV_REG_COMMAND, 2) & PCV_CMD_MEMORY) != 0);
}

/* MSIX-1, MSIX-2, CAP-5 */
static void nothing_that_is_written_breaks_it(void **state)
{
    static const uint8_t sizes[] = {1, 2, 4, 8};
    static const uint32_t controls[] = {0, ENABLE, ENABLE | MASK_ALL, MASK_ALL,
                                        ENABLE};
    uint64_t seed = 3;
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, 5, guest != 0);
        for (uint32_t i = 0; i < 40000; i++) {
            uint32_t dice = vec_random(&seed) % 100u;

            vec.refuse = vec_random(&seed) % 8u == 0;
            if (dice < 80) {
                uint8_t size = sizes[vec_random(&seed) % 4u];
                uint32_t value = vec_random(&seed) % 4u;

                (void)vec_mmio_write(
                    &vec, BAR, TABLE + (vec_random(&seed) % 96u & ~(size - 1u)),
                    size, value == 3 ? vec_random(&seed) : value);
            } else if (dice < 95) {
                control(&vec, controls[vec_random(&seed) % 5u]);
            } else if (dice < 97) {
                vec_restore(&vec);
            } else if (dice < 98) {
                vec_reset(&vec);
            } else {
                vec_write(&vec, PCV_REG_COMMAND, 2,
                          vec_random(&seed) & PCV_CMD_MEMORY);
            }
            expect_consistent(&vec, 5);
        }
        vec.refuse = false;
        assert_int_equal(pcv_model_bind_errors(vec.rig.model), 0);
        vec_close(&vec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_takes_aligned_accesses_of_4_and_8_bytes),
        cmocka_unit_test(an_entry_reads_what_was_written_but_for_reserved_bits),
        cmocka_unit_test(what_is_neither_table_nor_pending_bits_is_the_devices),
        cmocka_unit_test(pending_bits_are_hardwares_and_cannot_be_written),
        cmocka_unit_test(a_driver_reaches_its_table_and_takes_an_interrupt),
        cmocka_unit_test(nothing_that_is_written_breaks_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

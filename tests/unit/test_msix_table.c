/* SPDX-License-Identifier: MIT */
/* MSI-X's table and pending bits as their owner uses them. */
#include "vectors_fixture.h"

#define BAR 0u
#define TABLE 0x1000u
#define PBA 0x2000u
#define ENTRIES 70u
#define ENABLE 0x8000u
#define MASK_ALL 0x4000u
#define ADDRESS 0xfee01000u
#define UPPER 2u
#define DATA 0x4321u

static uint32_t control_of(const struct vec *vec)
{
    return vec->cap + 2u;
}

static void build(struct vec *vec, uint16_t entries)
{
    vec_open(vec);
    pcv_test_pcie_endpoint(&vec->f, 0x8086, 0x10d3);
    pcv_test_bar32(&vec->f, BAR, 0xe1230000, 0x10000);
    pcv_test_set(&vec->f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    vec->cap = pcv_test_msix(&vec->f, entries, BAR, TABLE,
                             entries > 256 ? 0xa000 : PBA);
}

static void start(struct vec *vec, uint16_t entries, bool guest)
{
    build(vec, entries);
    vec_start(vec, guest);
    vec_write(vec, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    vec_forget(vec);
}

static void put(struct vec *vec, uint32_t index, uint32_t dword, uint32_t value)
{
    assert_true(
        vec_mmio_write(vec, BAR, TABLE + 16u * index + 4u * dword, 4, value));
}

static uint32_t get(struct vec *vec, uint32_t index, uint32_t dword)
{
    uint64_t value;

    assert_true(
        vec_mmio_read(vec, BAR, TABLE + 16u * index + 4u * dword, 4, &value));
    return (uint32_t)value;
}

/* Write an entry's message, and unmask it. */
static void program(struct vec *vec, uint32_t index)
{
    put(vec, index, 0, ADDRESS);
    put(vec, index, 1, UPPER);
    put(vec, index, 2, DATA + index);
    put(vec, index, 3, 0);
}

static void control(struct vec *vec, uint32_t value)
{
    vec_write(vec, control_of(vec), 2, value);
}

static uint32_t hw_entry(const struct vec *vec, uint32_t index, uint32_t dword)
{
    return vec_entry(vec, BAR, TABLE, index, dword);
}

static bool hw_masked(const struct vec *vec, uint32_t index)
{
    return (hw_entry(vec, index, 3) & 1u) != 0;
}

static void expect_delivered(struct vec *vec, uint16_t index, uint64_t address,
                             uint32_t data)
{
    uint64_t to = 0;
    uint32_t what = 0;

    assert_int_equal(vec_raise(vec, true, index, &to, &what),
                     PCV_MODEL_DELIVERED);
    assert_int_equal(to, address);
    assert_int_equal(what, data);
}

static void expect_raise(struct vec *vec, uint16_t index,
                         enum pcv_model_raised raised)
{
    uint64_t to;
    uint32_t what;

    assert_int_equal(vec_raise(vec, true, index, &to, &what), raised);
}

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
    put(&vec, 3, 0, 0);
    assert_int_equal(get(&vec, 3, 3), 0);
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
        control(&vec, ENABLE);
        assert_int_equal(vec_held(&vec), ENTRIES - 1u);
        assert_true(hw_masked(&vec, 9));
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
        cmocka_unit_test(the_first_unmask_binds_and_masking_keeps_it),
        cmocka_unit_test(it_is_bound_anew_only_if_it_changed),
        cmocka_unit_test(a_change_of_an_unmasked_entry_takes_effect_at_once),
        cmocka_unit_test(hardware_never_has_half_a_message_unmasked),
        cmocka_unit_test(what_was_pending_comes_when_it_is_unmasked),
        cmocka_unit_test(function_mask_and_disable_act_on_all_entries),
        cmocka_unit_test(what_stood_in_hardwares_table_is_never_sent),
        cmocka_unit_test(a_failing_entry_stays_masked_and_the_others_work),
        cmocka_unit_test(a_failing_change_leaves_nothing_bound),
        cmocka_unit_test(a_lost_write_leaves_no_half_entry),
        cmocka_unit_test(a_table_that_is_no_mmio_is_never_written),
        cmocka_unit_test(more_than_the_word_can_count_is_refused),
        cmocka_unit_test(bound_entries_are_listed),
        cmocka_unit_test(nothing_that_is_written_breaks_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

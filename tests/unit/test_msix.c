/* SPDX-License-Identifier: MIT */
/* MSI-X: its registers, where its table stands, and what becomes of both. */
#include <string.h>

#include "vectors_fixture.h"

#define BAR 0u
#define TABLE 0x1000u
#define PBA 0x2000u
#define ENTRIES 8u
#define ENABLE 0x8000u
#define MASK_ALL 0x4000u
#define ADDRESS 0xfee01000u
#define DATA 0x40u

static uint32_t control_of(const struct vec *vec)
{
    return vec->cap + 2u;
}

/* BARs 0 (32 bits, 64 KiB), 1 (I/O), 2 and 3 (64 bits, 64 KiB); 5: none. */
static void build_at(struct vec *vec, uint16_t entries, uint32_t table,
                     uint32_t pba)
{
    vec_open(vec);
    pcv_test_pcie_endpoint(&vec->f, 0x8086, 0x10d3);
    pcv_test_bar32(&vec->f, 0, 0xe1230000, 0x10000);
    pcv_test_bar_io(&vec->f, 1, 0x1000, 0x100);
    pcv_test_bar64(&vec->f, 2, 0xe1240000, 0x10000);
    pcv_test_set(&vec->f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    vec->cap = pcv_test_msix(&vec->f, entries, 0, 0, 0);
    pcv_test_set(&vec->f, vec->cap + 4u, 4, table);
    pcv_test_set(&vec->f, vec->cap + 8u, 4, pba);
}

static void build(struct vec *vec)
{
    build_at(vec, ENTRIES, TABLE | BAR, PBA | BAR);
}

static void start(struct vec *vec, bool guest)
{
    build(vec);
    vec_start(vec, guest);
    vec_write(vec, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    vec_forget(vec);
}

static void control(struct vec *vec, uint32_t value)
{
    vec_write(vec, control_of(vec), 2, value);
}

static void put(struct vec *vec, uint32_t index, uint32_t dword, uint32_t value)
{
    assert_true(
        vec_mmio_write(vec, BAR, TABLE + 16u * index + 4u * dword, 4, value));
}

static void program(struct vec *vec, uint32_t index)
{
    put(vec, index, 0, ADDRESS);
    put(vec, index, 2, DATA + index);
    put(vec, index, 3, 0);
}

/* Enabled, with all of its entries bound. */
static void run(struct vec *vec)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        program(vec, i);
    }
    control(vec, ENABLE);
    assert_int_equal(vec_held(vec), ENTRIES);
}

static void expect_delivered(struct vec *vec, uint16_t index)
{
    uint64_t to = 0;
    uint32_t what = 0;

    assert_int_equal(vec_raise(vec, true, index, &to, &what),
                     PCV_MODEL_DELIVERED);
    assert_int_equal(to, ADDRESS);
    assert_int_equal(what, DATA + index);
}

static bool hw_decodes(const struct vec *vec)
{
    return (vec_hw(vec, PCV_REG_COMMAND, 2) & PCV_CMD_MEMORY) != 0;
}

static bool hw_on(const struct vec *vec)
{
    return (vec_hw(vec, control_of(vec), 2) & ENABLE) != 0;
}

/* Nothing is bound, and hardware sends nothing. */
static void expect_off(struct vec *vec)
{
    assert_false(hw_on(vec));
    assert_int_equal(vec_held(vec), 0);
    assert_int_equal(pcv_model_bound(vec->rig.model, NULL), 0);
}

/* ---- registers -------------------------------------------------------------
 */

/* MSI-2, MSIX-1 */
static void table_size_and_places_are_constant(void **state)
{
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        build(&vec);
        pcv_test_set(&vec.f, vec.cap + 2u, 2, 0x3800 | (ENTRIES - 1u));
        vec_start(&vec, guest != 0);
        assert_int_equal(vec_read(&vec, control_of(&vec), 2), ENTRIES - 1u);
        assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), TABLE | BAR);
        assert_int_equal(vec_read(&vec, vec.cap + 8u, 4), PBA | BAR);
        vec_write(&vec, vec.cap + 4u, 4, 0xffffffff);
        vec_write(&vec, vec.cap + 8u, 4, 0);
        assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), TABLE | BAR);
        assert_int_equal(vec_read(&vec, vec.cap + 8u, 4), PBA | BAR);
        control(&vec, 0xffff);
        assert_int_equal(vec_read(&vec, control_of(&vec), 2),
                         0xc000u | (ENTRIES - 1u));
        assert_int_equal(vec_hw(&vec, control_of(&vec), 2),
                         0xf800u | (ENTRIES - 1u));
        vec_write(&vec, vec.cap + 3u, 1, 0x80);
        assert_int_equal(vec_read(&vec, control_of(&vec), 2),
                         ENABLE | (ENTRIES - 1u));
        control(&vec, 0);
        assert_int_equal(vec_hw(&vec, control_of(&vec), 2),
                         0x3800u | (ENTRIES - 1u));
        vec_close(&vec);
    }
}

/* HDR-2 */
static void intx_is_off_while_it_is_on(void **state)
{
    struct vec vec;

    (void)state;
    start(&vec, true);
    control(&vec, ENABLE | MASK_ALL);
    assert_int_equal(vec_read(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF,
                     PCV_CMD_INTX_OFF);
    assert_int_equal(vec_hw(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF,
                     PCV_CMD_INTX_OFF);
    control(&vec, MASK_ALL);
    assert_int_equal(vec_read(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF, 0);
    assert_int_equal(vec_hw(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF, 0);
    vec_close(&vec);
}

/* MSIX-2 */
static void hardware_decodes_while_vectors_are_bound(void **state)
{
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, guest != 0);
        run(&vec);
        vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
        assert_int_equal(vec_read(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_MEMORY,
                         0);
        assert_true(hw_decodes(&vec));
        expect_delivered(&vec, 3);
        put(&vec, 3, 3, 1);
        assert_int_equal(vec_entry(&vec, BAR, TABLE, 3, 3), 1);
        control(&vec, 0);
        assert_false(hw_decodes(&vec));
        expect_off(&vec);
        /* With decoding off, binding switches hardware's on. */
        control(&vec, ENABLE);
        assert_true(hw_decodes(&vec));
        assert_int_equal(vec_read(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_MEMORY,
                         0);
        expect_delivered(&vec, 0);
        vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        control(&vec, 0);
        assert_true(hw_decodes(&vec));
        vec_close(&vec);
    }
}

/* MSIX-2: what is enabled and masked asks nothing of hardware's memory. */
static void enabling_alone_needs_no_decoding(void **state)
{
    struct vec vec;

    (void)state;
    start(&vec, true);
    vec_write(&vec, PCV_REG_COMMAND, 2, 0);
    control(&vec, ENABLE);
    assert_false(hw_decodes(&vec));
    assert_int_equal(vec.logged, 0);
    assert_int_equal(vec_hw(&vec, control_of(&vec), 2),
                     ENABLE | MASK_ALL | (ENTRIES - 1u));
    vec_close(&vec);
}

/* ---- where table and pending bits stand ------------------------------------
 */

/* MSIX-3, CAP-3 */
static void what_cannot_be_there_hides_it(void **state)
{
    static const struct {
        uint16_t entries;
        uint32_t table, pba;
        bool shown;
    } cases[] = {
        {8, 0x1000, 0x2000, true},
        {8, 0x1000, 0x1080, true}, /* one after the other */
        {8, 0x1008, 0x1000, true},
        {8, 0xff80, 0x0000, true}, /* up to the BAR's end */
        {8, 0xff88, 0x0000, false},
        {8, 0x0000, 0xfff8, true},
        {65, 0x0000, 0xfff8, false}, /* two quadwords of pending bits */
        {65, 0x0000, 0xfff0, true},
        {8, 0x10000, 0x0000, false},
        {8, 0xfffffff8, 0x0000, false},
        {8, 0x0000, 0xfffffff8, false},
        {8, 0x1000, 0x1000, false}, /* they overlap */
        {8, 0x1000, 0x1078, false},
        {8, 0x1000, 0x0ff8, true},
        {65, 0x1000, 0x0ff8, false},
        {2048, 0x0000, 0x8000, true},
        {2048, 0x0000, 0x7ff8, false},
        {2048, 0x8008, 0x0000, false},
        {8, 0x0001, 0x2000, false}, /* I/O */
        {8, 0x1000, 0x2001, false},
        {8, 0x1002, 0x2002, true},  /* 64 bits */
        {8, 0x1000, 0x1002, true},  /* the same place in two BARs */
        {8, 0x1003, 0x2000, false}, /* its upper half */
        {8, 0x1004, 0x2000, false}, /* absent */
        {8, 0x1005, 0x2000, false},
        {8, 0x1006, 0x2000, false}, /* the ROM */
        {8, 0x1007, 0x2000, false},
        {8, 0x1000, 0x2007, false},
    };
    struct vec vec;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int guest = 0; guest < 2; guest++) {
            build_at(&vec, cases[i].entries, cases[i].table, cases[i].pba);
            vec_boot(&vec);
            assert_int_equal(rig_events(&vec.rig, PCV_EVENT_CAP_HIDDEN),
                             !cases[i].shown);
            if (guest) {
                vec_give(&vec);
            }
            assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSIX),
                             cases[i].shown ? vec.cap : 0);
            control(&vec, ENABLE);
            assert_int_equal(hw_on(&vec), cases[i].shown);
            vec_close(&vec);
        }
    }
}

/* MSIX-3 */
static void a_bar_that_is_broken_or_left_out_hides_it(void **state)
{
    struct vec vec;

    (void)state;
    build(&vec);
    vec.f.fn.bar_size[0] = 0xff00; /* no power of two */
    vec_start(&vec, false);
    assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSIX), 0);
    vec_close(&vec);
    build(&vec);
    vec.policy.bars_out = 1u << BAR;
    vec_start(&vec, true);
    assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSIX), 0);
    vec_close(&vec);
    build_at(&vec, ENTRIES, TABLE, PBA | 2u);
    vec.policy.bars_out = 1u << 2;
    vec_start(&vec, true);
    assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSIX), 0);
    vec_close(&vec);
}

/* HDR-7, MSIX-1 */
static void their_pages_are_holes(void **state)
{
    static const struct {
        uint16_t entries;
        uint32_t table, pba;
        struct {
            uint8_t bar;
            uint32_t first, pages;
        } holes[2];
    } cases[] = {
        {8, 0x1000, 0x2000, {{0, 1, 1}, {0, 2, 1}}},
        {8, 0x2000, 0x1000, {{0, 2, 1}, {0, 1, 1}}},
        {8, 0x1000, 0x1800, {{0, 1, 1}, {0, 0, 0}}},
        {8, 0x1800, 0x1000, {{0, 1, 1}, {0, 0, 0}}},
        {8, 0x0fc0, 0x1800, {{0, 0, 2}, {0, 0, 0}}},
        {2048, 0x1000, 0xa000, {{0, 1, 8}, {0, 10, 1}}},
        {2048, 0x1010, 0x9800, {{0, 1, 9}, {0, 0, 0}}},
        {2048, 0x1000, 0x0f00, {{0, 1, 8}, {0, 0, 1}}},
        {8, 0x1000, 0x1002, {{0, 1, 1}, {2, 1, 1}}},
        {8, 0x0002, 0xf000, {{2, 0, 1}, {0, 15, 1}}},
    };
    struct vec vec;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct pcv__hole *hole;

        build_at(&vec, cases[i].entries, cases[i].table, cases[i].pba);
        vec_start(&vec, i % 2 == 0);
        hole = pcv__vpci(vec.device)->hole;
        for (int h = 0; h < 2; h++) {
            assert_int_equal(hole[h].pages, cases[i].holes[h].pages);
            if (hole[h].pages != 0) {
                assert_int_equal(hole[h].bar, cases[i].holes[h].bar);
                assert_int_equal(hole[h].first, cases[i].holes[h].first);
                assert_ptr_equal(hole[h].cap, vec_cap(&vec, PCV_CAP_ID_MSIX));
            }
        }
        vec_close(&vec);
    }
}

/* CAP-3 */
static void without_the_hosts_help_nobody_has_it(void **state)
{
    struct vec vec;

    (void)state;
    for (int which = 0; which < 4; which++) {
        build(&vec);
        pcv_test_set(&vec.f, control_of(&vec), 2, ENABLE | (ENTRIES - 1u));
        if (which % 2 == 0) {
            vec.rig.ops.msi_bind = NULL;
            vec.rig.ops.msi_unbind = NULL;
        } else {
            vec.rig.ops.mmio_read = NULL;
            vec.rig.ops.mmio_write = NULL;
        }
        vec_start(&vec, which >= 2);
        assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSIX), 0);
        /* It was on, and must not go on sending; nor can it be switched on. */
        assert_false(hw_on(&vec));
        control(&vec, ENABLE);
        assert_false(hw_on(&vec));
        vec_close(&vec);
    }
}

/* CAP-3 */
static void what_does_not_fit_or_comes_twice_is_hidden(void **state)
{
    struct vec vec;
    uint8_t second;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        build(&vec);
        second = pcv_test_msix(&vec.f, 4, BAR, 0x4000, 0x5000);
        vec_start(&vec, guest != 0);
        assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSIX), vec.cap);
        vec_write(&vec, second + 2u, 2, ENABLE);
        assert_int_equal(vec_hw(&vec, second + 2u, 2) & ENABLE, 0);
        vec_close(&vec);
        /* At the end of configuration space. */
        build(&vec);
        pcv_test_set(&vec.f, vec.cap, 1, PCV_CAP_ID_VENDOR);
        pcv_test_set(&vec.f, vec.cap + 1u, 1, 0xf8);
        pcv_test_set(&vec.f, 0xf8, 4, 0x00070011);
        vec_start(&vec, guest != 0);
        assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSIX), 0);
        vec_close(&vec);
    }
}

/* PORT-3 */
static void without_memory_it_is_hidden_and_the_rest_works(void **state)
{
    bool failed = true;
    bool hidden = false;
    struct vec vec;

    (void)state;
    for (uint64_t nth = 1; failed; nth++) {
        uint64_t calls;

        build(&vec);
        pcv_test_add(vec.rig.model, &vec.f, VEC_AT);
        rig_create(&vec.rig);
        calls = pcv_model_calls(vec.rig.model, PCV_MODEL_OP_alloc);
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_alloc, nth);
        if (pcv_device_add(vec.rig.host, VEC_AT, NULL) == 0) {
            hidden = hidden || rig_events(&vec.rig, PCV_EVENT_CAP_HIDDEN) != 0;
        }
        failed =
            pcv_model_calls(vec.rig.model, PCV_MODEL_OP_alloc) - calls >= nth;
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_alloc, 0);
        rig_close(&vec.rig);
    }
    assert_true(hidden);
}

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
    vec_take_back(&vec);
    expect_off(&vec);
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

/* ---- a BAR is resized ------------------------------------------------------
 */

static int recheck(struct vec *vec, uint64_t size) PCV__NO_ANALYSIS
{
    struct pcv__mem *mem = &vec->device->host->mem;
    int error;

    pcv__lock_take(mem, &vec->device->lock);
    vec->device->bar[BAR].size = size;
    error = pcv__msix_recheck(vec->device);
    pcv__lock_drop(mem, &vec->device->lock);
    return error;
}

/* MSIX-3, CAP-2 */
static void a_bar_that_shrinks_below_the_table_hides_it(void **state)
{
    uint64_t value = 0x55;
    uint16_t last;
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        build(&vec);
        last = pcv_test_pm(&vec.f, true);
        vec_start(&vec, guest != 0);
        vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        run(&vec);
        vec_write(&vec, PCV_REG_COMMAND, 2, 0);
        assert_int_equal(recheck(&vec, 0x4000), 0);
        assert_int_equal(vec_held(&vec), ENTRIES);
        assert_int_equal(recheck(&vec, 0x2000), -PCV_EINVAL);
        expect_off(&vec);
        assert_int_equal(rig_events(&vec.rig, PCV_EVENT_CAP_HIDDEN), 1);
        if (guest) {
            assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSIX), 0);
            assert_int_equal(vec_listed(&vec, PCV_CAP_ID_PM), last);
            for (uint32_t at = 0; at < 12; at += 4) {
                assert_int_equal(vec_read(&vec, vec.cap + at, 4), 0);
            }
        }
        control(&vec, ENABLE | MASK_ALL);
        assert_int_equal(vec_read(&vec, control_of(&vec), 2) & 0xc000u, 0);
        assert_false(hw_on(&vec));
        assert_false(vec_mmio_read(&vec, BAR, TABLE, 4, &value));
        assert_int_equal(value, 0x55);
        /* It does not come back by itself. */
        assert_int_equal(recheck(&vec, 0x10000), 0);
        control(&vec, ENABLE);
        assert_false(hw_on(&vec));
        assert_null(pcv__vpci(vec.device)->hole[0].cap);
        assert_null(pcv__vpci(vec.device)->hole[1].cap);
        vec_close(&vec);
    }
}

/* MSIX-3, CAP-2 */
static void a_guest_whose_only_capability_goes_has_no_list(void **state)
{
    struct vec vec;

    (void)state;
    build(&vec);
    pcv_test_set(&vec.f, PCV_REG_CAPS, 1, vec.cap);
    vec.policy.flags = PCV_ASSIGN_NO_RESET;
    vec_start(&vec, true);
    assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSIX), vec.cap);
    assert_int_equal(recheck(&vec, 0x1000), -PCV_EINVAL);
    assert_int_equal(vec_read(&vec, PCV_REG_CAPS, 1), 0);
    assert_int_equal(vec_read(&vec, PCV_REG_STATUS, 2) & PCV_STATUS_CAPS, 0);
    assert_int_equal(recheck(&vec, 0x10000), 0);
    vec_close(&vec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_size_and_places_are_constant),
        cmocka_unit_test(intx_is_off_while_it_is_on),
        cmocka_unit_test(hardware_decodes_while_vectors_are_bound),
        cmocka_unit_test(enabling_alone_needs_no_decoding),
        cmocka_unit_test(what_cannot_be_there_hides_it),
        cmocka_unit_test(a_bar_that_is_broken_or_left_out_hides_it),
        cmocka_unit_test(their_pages_are_holes),
        cmocka_unit_test(without_the_hosts_help_nobody_has_it),
        cmocka_unit_test(what_does_not_fit_or_comes_twice_is_hidden),
        cmocka_unit_test(without_memory_it_is_hidden_and_the_rest_works),
        cmocka_unit_test(what_firmware_left_enabled_goes_on),
        cmocka_unit_test(what_firmware_left_enabled_cannot_always_go_on),
        cmocka_unit_test(a_guest_finds_it_as_after_a_reset),
        cmocka_unit_test(a_restore_writes_what_was_bound),
        cmocka_unit_test(what_cannot_be_restored_stays_masked),
        cmocka_unit_test(a_restore_that_loses_a_write_leaves_no_half_entry),
        cmocka_unit_test(a_reset_forgets_all_of_it),
        cmocka_unit_test(teardown_unbinds_and_may_come_twice),
        cmocka_unit_test(what_is_bound_does_not_keep_a_device),
        cmocka_unit_test(nothing_reaches_a_device_that_vanished),
        cmocka_unit_test(a_bar_that_shrinks_below_the_table_hides_it),
        cmocka_unit_test(a_guest_whose_only_capability_goes_has_no_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

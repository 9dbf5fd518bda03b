/* SPDX-License-Identifier: MIT */
/* MSI-X's registers, and where its table stands (MSIX-2, MSIX-3). */
#include "msix_card.h"

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

/* CAP-1, CAP-3 */
static void nonsense_in_its_registers_hides_it(void **state)
{
    struct vec vec;

    (void)state;
    for (uint32_t which = 0; which < 6; which++) {
        build(&vec);
        if (which / 2 == 0) {
            pcv_test_set(&vec.f, control_of(&vec), 2, 0xffff);
        } else { /* another capability begins inside it */
            pcv_test_set(&vec.f, vec.cap + 1u, 1, vec.cap + which / 2 * 4u);
            pcv_test_set(&vec.f, vec.cap + which / 2 * 4u, 2,
                         PCV_CAP_ID_VENDOR);
        }
        vec_start(&vec, which % 2 == 0);
        assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSIX), 0);
        control(&vec, ENABLE);
        assert_int_equal(vec.binds, 0);
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

/* ---- a BAR is resized ------------------------------------------------------
 */

static int recheck(struct vec *vec, uint64_t size) PCV__NO_ANALYSIS
{
    struct pcv__mem *mem = &vec->device->host->mem;
    int error;

    pcv__lock_take(mem, &vec->device->lock);
    pcv__bar_set_size(&vec->device->bar[BAR], size);
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
        cmocka_unit_test(nonsense_in_its_registers_hides_it),
        cmocka_unit_test(without_memory_it_is_hidden_and_the_rest_works),
        cmocka_unit_test(a_bar_that_shrinks_below_the_table_hides_it),
        cmocka_unit_test(a_guest_whose_only_capability_goes_has_no_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Which addresses the modelled host's functions take, and below which root bus
 * they are (host/model/spans.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"

#define MOST 16u

struct told {
    size_t count;
    struct pcv_model_span span[MOST];
};

static void note(void *arg, const struct pcv_model_span *span)
{
    struct told *told = arg;

    assert_true(told->count < MOST);
    told->span[told->count++] = *span;
}

static bool was_told(const struct told *told, pcv_sbdf sbdf, bool io,
                     uint64_t start, uint64_t size)
{
    for (size_t i = 0; i < told->count; i++) {
        const struct pcv_model_span *span = &told->span[i];

        if (span->sbdf.v == sbdf.v && span->io == io && span->start == start &&
            span->size == size) {
            return true;
        }
    }
    return false;
}

/* SIM-1 */
static void each_bar_and_rom_that_was_placed_is_told(void **state)
{
    struct pcv_model *model = pcv_test_model();
    pcv_sbdf sbdf = pcv_test_at(0, 0, 3, 0);
    struct told told = {.count = 0};
    struct pcv_test_function f;

    (void)state;
    pcv_test_endpoint(&f, 0x8086, 0x100e);
    pcv_test_bar32(&f, 0, 0xe0000000, 0x20000);
    pcv_test_set(&f, PCV_REG_BAR0 + 4, 4, 0xc001); /* I/O */
    f.fn.bar_size[1] = 64;
    pcv_test_bar64(&f, 2, UINT64_C(0x200000000), UINT64_C(0x200000000));
    pcv_test_bar32(&f, 4, 0, 0x1000); /* never placed */
    pcv_test_set(&f, PCV_REG_ROM0, 4, 0xe0100000);
    f.fn.bar_size[PCV_BAR_IS_ROM] = 0x40000;
    pcv_test_add(model, &f, sbdf);
    pcv_test_ready(model);
    pcv_model_spans(model, note, &told);
    assert_int_equal(told.count, 4);
    assert_true(was_told(&told, sbdf, false, 0xe0000000, 0x20000));
    assert_true(was_told(&told, sbdf, true, 0xc000, 64));
    assert_true(was_told(&told, sbdf, false, UINT64_C(0x200000000),
                         UINT64_C(0x200000000)));
    assert_true(was_told(&told, sbdf, false, 0xe0100000, 0x40000));
    pcv_model_destroy(model);
}

/* SIM-1 */
static void vf_bars_are_told_for_all_vfs_that_there_can_be(void **state)
{
    struct pcv_model *model = pcv_test_model();
    pcv_sbdf sbdf = pcv_test_at(0, 1, 0, 0);
    struct told told = {.count = 0};
    struct pcv_test_function f;
    uint16_t cap;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    cap = pcv_test_sriov(&f, 4, 2, 1, 1);
    pcv_test_set(&f, cap + PCV_SRIOV_BAR, 4, 0xe2000000);
    pcv_test_add(model, &f, sbdf);
    pcv_test_vf(&f, sbdf);
    f.fn.bar_size[0] = 0x4000;
    pcv_test_add(model, &f, (pcv_sbdf){sbdf.v + 1});
    pcv_test_ready(model);
    pcv_model_spans(model, note, &told);
    assert_int_equal(told.count, 1);
    assert_true(was_told(&told, sbdf, false, 0xe2000000, 0x10000));
    pcv_model_destroy(model);
}

/* SIM-1 */
static void open_windows_of_bridges_are_told(void **state)
{
    struct pcv_model *model = pcv_test_model();
    pcv_sbdf sbdf = pcv_test_at(0, 0, 2, 0);
    struct told told = {.count = 0};
    struct pcv_test_function f;

    (void)state;
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_set(&f, PCV_REG_IO_BASE, 2, 0x7060);       /* 6000 to 7fff */
    pcv_test_set(&f, PCV_REG_MEM_BASE, 4, 0xfe90fe80);  /* 2 MiB */
    pcv_test_set(&f, PCV_REG_PREF_BASE, 4, 0x3ff10001); /* 1 GiB ... */
    pcv_test_set(&f, PCV_REG_PREF_BASE_HI, 4, 4);       /* ... at */
    pcv_test_set(&f, PCV_REG_PREF_LIMIT_HI, 4, 4);      /* 4_00000000 */
    pcv_test_add(model, &f, sbdf);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 2, 2); /* all closed */
    pcv_test_add(model, &f, pcv_test_at(0, 0, 3, 0));
    pcv_test_ready(model);
    pcv_model_spans(model, note, &told);
    assert_int_equal(told.count, 3);
    assert_true(was_told(&told, sbdf, true, 0x6000, 0x2000));
    assert_true(was_told(&told, sbdf, false, 0xfe800000, 0x200000));
    assert_true(
        was_told(&told, sbdf, false, UINT64_C(0x400000000), 0x40000000));
    pcv_model_destroy(model);
}

/* SIM-1 */
static void the_root_bus_of_a_function_is_found(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    uint8_t bus = 0xee;

    (void)state;
    pcv_test_bridge(&f, 0x40, 0x41, 0x42);
    pcv_test_add(model, &f, pcv_test_at(0, 0x40, 1, 0));
    pcv_test_bridge(&f, 0x41, 0x42, 0x42);
    pcv_test_add(model, &f, pcv_test_at(0, 0x41, 0, 0));
    pcv_test_endpoint(&f, 0x8086, 0x100e);
    pcv_test_add(model, &f, pcv_test_at(0, 0x42, 7, 0));
    pcv_test_add(model, &f, pcv_test_at(0, 0, 0, 0));
    pcv_test_ready(model);
    assert_true(pcv_model_root_of(model, pcv_test_at(0, 0x42, 7, 0), &bus));
    assert_int_equal(bus, 0x40);
    assert_true(pcv_model_root_of(model, pcv_test_at(0, 0x40, 1, 0), &bus));
    assert_int_equal(bus, 0x40);
    assert_true(pcv_model_root_of(model, pcv_test_at(0, 0, 0, 0), &bus));
    assert_int_equal(bus, 0);
    bus = 0xee;
    assert_false(pcv_model_root_of(model, pcv_test_at(0, 0x42, 8, 0), &bus));
    assert_false(pcv_model_root_of(model, pcv_test_at(1, 0, 0, 0), &bus));
    assert_int_equal(bus, 0xee);
    pcv_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bar_and_rom_that_was_placed_is_told),
        cmocka_unit_test(vf_bars_are_told_for_all_vfs_that_there_can_be),
        cmocka_unit_test(open_windows_of_bridges_are_told),
        cmocka_unit_test(the_root_bus_of_a_function_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

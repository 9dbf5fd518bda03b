/* SPDX-License-Identifier: MIT */
/*
 * What the modelled host lets be mapped, and what it knows of mapped pages
 * (host/model/mmio.c, maps.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"

static const struct pcv_host_ops *ops(void)
{
    return pcv_model_ops();
}

static struct pcv_model *endpoint_machine(void)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    pcv_test_bar32(&f, 0, 0xe1234000, 0x1000);
    pcv_test_bar64(&f, 2, UINT64_C(0x4412340000), 0x10000);
    pcv_test_bar32(&f, 4, 0xfed40000, 16);
    return pcv_test_alone(&f);
}

/* SIM-2 */
static void only_mmio_may_be_mapped(void **state)
{
    static const struct {
        uint64_t start, size;
        int permitted;
    } rows[] = {
        {UINT64_C(0xe1000000), 0x1000, 1},
        {UINT64_C(0xe0fff000), 0x2000, 0}, /* below the lowest BAR's 16 MiB */
        {UINT64_C(0xe1000000), 0xdc00000, 1},
        {UINT64_C(0xfebff000), 0x2000, 0}, /* into interrupt controllers */
        {UINT64_C(0xfed40000), 0x1000, 1}, /* a BAR there, its whole page */
        {UINT64_C(0xfed41000), 0x1000, 0},
        {UINT64_C(0x4400000000), 0x1000, 1},
        {UINT64_C(0x43fffff000), 0x1000, 0},
        {UINT64_C(0xfffffffff000), 0x1000, 1},
        {UINT64_C(0xfffffffff000), 0x2000, 0}, /* over 2^48 */
        {UINT64_C(0xe1000000), 0, 0},
        {UINT64_C(0xe1000000), UINT64_MAX, 0}, /* it would wrap */
        {0, 0x1000, 0},
    };
    struct pcv_model *model = endpoint_machine();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ops()->mmio_permitted(
                             model, 0, (pcv_hpa){rows[i].start}, rows[i].size),
                         rows[i].permitted);
    }
    pcv_model_destroy(model);
}

/* ---- mappings -------------------------------------------------------------
 */

static int64_t map(struct pcv_model *model, uint32_t domain, uint64_t page,
                   uint64_t pages)
{
    return ops()->map(model, domain, (pcv_gpa){page << 12},
                      (pcv_hpa){page << 12}, pages);
}

static int64_t unmap(struct pcv_model *model, uint32_t domain, uint64_t page,
                     uint64_t pages)
{
    return ops()->unmap(model, domain, (pcv_gpa){page << 12}, pages);
}

/* SIM-2 */
static void mapped_pages_are_known_for_each_domain(void **state)
{
    struct pcv_model *model = endpoint_machine();

    (void)state;
    assert_int_equal(map(model, 0, 0x100, 0x1000000), 0x1000000); /* 64 GiB */
    assert_int_equal(map(model, 0, 0xff, 1), 1);
    assert_int_equal(map(model, 5, 0x100, 1), 1);
    assert_int_equal(unmap(model, 0, 0x200, 0x10), 0x10);
    assert_int_equal(pcv_model_mapped_pages(model), 0x1000000 + 2 - 0x10);
    assert_true(pcv_model_is_mapped(model, 0, 0xff));
    assert_true(pcv_model_is_mapped(model, 0, 0x1ff));
    assert_false(pcv_model_is_mapped(model, 0, 0x200));
    assert_false(pcv_model_is_mapped(model, 0, 0x20f));
    assert_true(pcv_model_is_mapped(model, 0, 0x210));
    assert_true(pcv_model_is_mapped(model, 5, 0x100));
    assert_false(pcv_model_is_mapped(model, 5, 0x101));
    assert_int_equal(map(model, 0, 0x200, 0x10), 0x10);
    assert_int_equal(unmap(model, 0, 0xff, 0x1000001), 0x1000001);
    assert_int_equal(pcv_model_mapped_pages(model), 1);
    assert_int_equal(pcv_model_map_errors(model), 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void mapping_twice_and_unmapping_what_is_not_mapped_show(void **state)
{
    struct pcv_model *model = endpoint_machine();

    (void)state;
    assert_int_equal(map(model, 0, 10, 4), 4);
    assert_int_equal(map(model, 0, 13, 2), 2);
    assert_int_equal(pcv_model_map_errors(model), 1);
    assert_int_equal(pcv_model_mapped_pages(model), 5);
    assert_int_equal(unmap(model, 0, 14, 2), 2);
    assert_int_equal(pcv_model_map_errors(model), 2);
    assert_int_equal(pcv_model_mapped_pages(model), 4);
    assert_int_equal(unmap(model, 1, 10, 1), 1);
    assert_int_equal(pcv_model_map_errors(model), 3);
    pcv_model_destroy(model);
}

/* SIM-2 SIM-3 */
static void a_map_call_does_no_more_than_a_chunk(void **state)
{
    struct pcv_model *model = endpoint_machine();

    (void)state;
    pcv_model_set_map_chunk(model, 3);
    assert_int_equal(map(model, 0, 10, 8), 3);
    assert_false(pcv_model_is_mapped(model, 0, 13));
    assert_int_equal(map(model, 0, 13, 2), 2);
    assert_int_equal(unmap(model, 0, 10, 5), 3);
    pcv_model_set_map_chunk(model, 0);
    /* A failed unmap is reported, and the pages are gone nevertheless. */
    pcv_model_fail(model, PCV_MODEL_OP_unmap, 1);
    assert_int_equal(unmap(model, 0, 13, 2), -PCV_EIO);
    assert_int_equal(pcv_model_mapped_pages(model), 0);
    pcv_model_fail(model, PCV_MODEL_OP_map, 1);
    assert_int_equal(map(model, 0, 13, 2), -PCV_EIO);
    assert_int_equal(pcv_model_mapped_pages(model), 0);
    pcv_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_mmio_may_be_mapped),
        cmocka_unit_test(mapped_pages_are_known_for_each_domain),
        cmocka_unit_test(mapping_twice_and_unmapping_what_is_not_mapped_show),
        cmocka_unit_test(a_map_call_does_no_more_than_a_chunk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

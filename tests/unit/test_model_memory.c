/* SPDX-License-Identifier: MIT */
/*
 * Memory behind BARs of the modelled host, and who decodes it
 * (host/model/memory.c, decode.c, vectors.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"

#define AT PCV_TEST_ALONE
#define BAR UINT64_C(0xe1230000)
#define HIGH UINT64_C(0x4412340000)
#define ROM UINT64_C(0xe2000000)

static const struct pcv_host_ops *ops(void)
{
    return pcv_model_ops();
}

static uint64_t get(struct pcv_model *model, uint64_t address, uint8_t size)
{
    uint64_t value = 0;

    assert_int_equal(ops()->mmio_read(model, (pcv_hpa){address}, size, &value),
                     0);
    return value;
}

static void put(struct pcv_model *model, uint64_t address, uint8_t size,
                uint64_t value)
{
    assert_int_equal(ops()->mmio_write(model, (pcv_hpa){address}, size, value),
                     0);
}

/* A PCI Express endpoint with a BAR of 64 KiB, one above 4 GiB, an I/O BAR, a
 * ROM, and 4 entries of MSI-X; memory decoding is on. */
static struct pcv_model *endpoint_machine(void)
{
    struct pcv_test_function f;
    struct pcv_model *model;

    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    pcv_test_bar32(&f, 0, (uint32_t)BAR, 0x10000);
    pcv_test_bar_io(&f, 1, 0x3000, 0x100);
    pcv_test_bar64(&f, 2, HIGH, 0x10000);
    pcv_test_rom(&f, (uint32_t)ROM, 0x1000);
    (void)pcv_test_pm(&f, true); /* at 0x7c */
    (void)pcv_test_msix(&f, 4, 0, 0x8000, 0x9000);
    model = pcv_test_alone(&f);
    pcv_test_write(model, AT, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    return model;
}

/* ---- storage --------------------------------------------------------------
 */

/* SIM-2 */
static void storage_starts_as_zero_and_keeps_bytes_in_order(void **state)
{
    struct pcv_model *model = endpoint_machine();

    (void)state;
    assert_int_equal(get(model, BAR, 8), 0);
    assert_int_equal(get(model, HIGH + 0xfff8, 8), 0);
    put(model, BAR + 0xf8, 8, UINT64_C(0x8877665544332211));
    assert_int_equal(get(model, BAR + 0xf9, 1), 0x22);
    assert_int_equal(get(model, BAR + 0xfa, 2), 0x4433);
    assert_int_equal(get(model, BAR + 0xfc, 4), 0x88776655);
    put(model, BAR + 0xfe, 1, 0xaabb);
    put(model, BAR + 0x100, 4, 0x01020304);
    assert_int_equal(get(model, BAR + 0xf8, 8), UINT64_C(0x88bb665544332211));
    assert_int_equal(get(model, BAR + 0x100, 8), 0x01020304);
    put(model, BAR + 0xf8, 8, 0);
    assert_int_equal(get(model, BAR + 0xf8, 8), 0);
    assert_int_equal(get(model, HIGH + 0xf8, 8), 0); /* apart */
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_tester_reaches_bytes_that_nobody_decodes(void **state)
{
    struct pcv_model *model = endpoint_machine();

    (void)state;
    pcv_test_write(model, AT, PCV_REG_COMMAND, 2, 0);
    pcv_model_mmio_poke(model, AT, 2, 0x10, 4, 0x12345678);
    assert_int_equal(pcv_model_mmio_peek(model, AT, 2, 0x10, 8), 0x12345678);
    pcv_test_write(model, AT, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(get(model, HIGH + 0x12, 2), 0x1234);
    assert_int_equal(pcv_model_calls(model, PCV_MODEL_OP_mmio_read), 1);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_tester_reaches_no_byte_that_is_not_there(void **state)
{
    static const struct {
        uint8_t bar;
        uint64_t offset;
        uint8_t size;
        uint64_t ones;
    } rows[] = {
        {0, 0x10000, 1, 0xff},
        {0, 0xfffc, 8, UINT64_MAX},
        {0, 0x1001, 2, 0xffff},
        {0, 0, 3, 0xffffff},
        {0, UINT64_MAX - 3, 4, 0xffffffff},
        {1, 0, 1, 0xff},       /* I/O */
        {3, 0, 4, 0xffffffff}, /* an upper half */
        {5, 0, 4, 0xffffffff},
        {7, 0, 4, 0xffffffff},
    };
    struct pcv_model *model = endpoint_machine();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pcv_model_mmio_poke(model, AT, rows[i].bar, rows[i].offset,
                            rows[i].size, 0);
        assert_true(pcv_model_mmio_peek(model, AT, rows[i].bar, rows[i].offset,
                                        rows[i].size) == rows[i].ones);
    }
    assert_int_equal(
        pcv_model_mmio_peek(model, pcv_test_at(7, 0, 0, 0), 0, 0, 4),
        0xffffffff);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_rom_is_read_where_both_bits_are_set_and_never_written(
    void **state)
{
    struct pcv_model *model = endpoint_machine();
    uint16_t devctl = 0x40 + PCV_PCIE_DEVCTL;

    (void)state;
    pcv_model_mmio_poke(model, AT, PCV_BAR_IS_ROM, 0, 2, 0xaa55);
    assert_int_equal(get(model, ROM, 2), 0xffff);
    pcv_test_write(model, AT, PCV_REG_ROM0, 1, 1);
    assert_int_equal(get(model, ROM, 4), 0xaa55);
    put(model, ROM, 4, 0);
    assert_int_equal(get(model, ROM, 4), 0xaa55);
    pcv_test_write(model, AT, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(get(model, ROM, 2), 0xffff);
    pcv_test_write(model, AT, devctl, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(pcv_model_mmio_peek(model, AT, PCV_BAR_IS_ROM, 0, 2),
                     0xaa55);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_reset_leaves_zeros(void **state)
{
    struct pcv_model *model = endpoint_machine();
    uint16_t devctl = 0x40 + PCV_PCIE_DEVCTL;

    (void)state;
    put(model, BAR, 4, 1);
    put(model, HIGH + 0x4000, 4, 1);
    pcv_test_write(model, AT, devctl, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(pcv_model_mmio_peek(model, AT, 0, 0, 4), 0);
    assert_int_equal(pcv_model_mmio_peek(model, AT, 2, 0x4000, 4), 0);
    pcv_model_destroy(model);
}

/* ---- MSI-X ----------------------------------------------------------------
 */

/* SIM-2 */
static void the_table_takes_dwords_and_qwords_only(void **state)
{
    struct pcv_model *model = endpoint_machine();
    uint64_t table = BAR + 0x8000;

    (void)state;
    put(model, table + 16, 8, UINT64_C(0x1111111122222222));
    put(model, table + 24, 8, UINT64_C(0xffffffff33333333));
    assert_int_equal(get(model, table + 16, 4), 0x22222222);
    assert_int_equal(get(model, table + 20, 4), 0x11111111);
    assert_int_equal(get(model, table + 24, 8), UINT64_C(0x133333333));
    put(model, table + 16, 1, 0);
    put(model, table + 28, 2, 0);
    assert_int_equal(get(model, table + 16, 1), 0xff);
    assert_int_equal(get(model, table + 18, 2), 0xffff);
    assert_int_equal(get(model, table + 16, 4), 0x22222222);
    assert_int_equal(get(model, table + 28, 4), 1);
    put(model, table + 28, 4, 0xfffffffe);
    assert_int_equal(get(model, table + 28, 4), 0);
    assert_int_equal(pcv_model_mmio_peek(model, AT, 0, 0x8012, 2), 0x2222);
    pcv_model_mmio_poke(model, AT, 0, 0x8012, 1, 0);
    assert_int_equal(get(model, table + 16, 4), 0x22002222);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void pending_bits_cannot_be_written(void **state)
{
    struct pcv_model *model = endpoint_machine();
    uint64_t pending = BAR + 0x9000;

    (void)state;
    put(model, pending, 8, UINT64_MAX);
    assert_int_equal(get(model, pending, 8), 0);
    pcv_model_mmio_poke(model, AT, 0, 0x9000, 4, 5);
    assert_int_equal(get(model, pending, 8), 5);
    put(model, pending, 4, 0);
    assert_int_equal(get(model, pending, 4), 5);
    assert_int_equal(get(model, pending, 1), 0xff);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void what_is_beside_the_table_is_storage(void **state)
{
    static const uint16_t offsets[] = {0x7ffc, 0x8040, 0x8ffc, 0x9008};
    struct pcv_model *model = endpoint_machine();

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        put(model, BAR + offsets[i], 4, 0xabcd0000u + offsets[i]);
        assert_int_equal(get(model, BAR + offsets[i], 4),
                         0xabcd0000u + offsets[i]);
        assert_int_equal(get(model, BAR + offsets[i], 1), offsets[i] & 0xffu);
    }
    assert_int_equal(get(model, BAR + 0x803c, 4), 1);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_table_can_be_put_where_it_must_not_be(void **state)
{
    static const uint32_t places[] = {0xfff0, 0x10000, 0xfffffff8,
                                      0x8001, 0x8005,  0x8007};
    struct pcv_model *model = endpoint_machine();
    uint16_t msix = 0x84;

    (void)state;
    assert_int_equal(pcv_model_peek(model, AT, msix, 1), PCV_CAP_ID_MSIX);
    for (size_t i = 0; i < 6; i++) {
        pcv_model_poke(model, AT, (uint16_t)(msix + 4), 4, places[i]);
        assert_int_equal(pcv_test_read(model, AT, (uint16_t)(msix + 4), 4),
                         places[i]);
        assert_int_equal(get(model, BAR + 0x800c, 4), 0); /* storage now */
        assert_int_equal(get(model, BAR + 0xfffc, 4), places[i] == 0xfff0);
        assert_int_equal(get(model, BAR + 0x10000, 4), 0xffffffff);
    }
    pcv_model_poke(model, AT, (uint16_t)(msix + 4), 4, 6);
    pcv_test_write(model, AT, PCV_REG_ROM0, 1, 1);
    assert_int_equal(get(model, ROM + 12, 4), 0); /* a ROM has no table */
    pcv_model_poke(model, AT, (uint16_t)(msix + 4), 4, 0x4002);
    pcv_model_poke(model, AT, (uint16_t)(msix + 2), 2, 2047);
    assert_int_equal(get(model, HIGH + 0x4000 + UINT64_C(2047) * 16 + 12, 4),
                     1);
    put(model, HIGH + 0x4000 + UINT64_C(2047) * 16 + 12, 4, 0);
    assert_int_equal(get(model, HIGH + 0x4000 + UINT64_C(2047) * 16 + 12, 4),
                     0);
    assert_int_equal(get(model, HIGH + 0x4000 + UINT64_C(2046) * 16 + 12, 4),
                     1);
    pcv_model_destroy(model);
}

/* ---- mapped for a guest ---------------------------------------------------
 */

/* SIM-2 */
static void a_guest_reaches_what_is_mapped_and_traps_elsewhere(void **state)
{
    struct pcv_model *model = endpoint_machine();
    uint64_t value = 0x5a;

    (void)state;
    assert_int_equal(
        ops()->map(model, 5, (pcv_gpa){0x40000000}, (pcv_hpa){BAR}, 0x11),
        0x11);
    put(model, BAR + 0x1004, 4, 0x12345678);
    assert_int_equal(pcv_model_mmio_access(model, 5, (pcv_gpa){0x40001006}, 2,
                                           false, &value),
                     0);
    assert_int_equal(value, 0x1234);
    value = 0xab;
    assert_int_equal(
        pcv_model_mmio_access(model, 5, (pcv_gpa){0x40001007}, 1, true, &value),
        0);
    assert_int_equal(get(model, BAR + 0x1004, 4), 0xab345678);
    /* Mapped, but behind the BAR. */
    assert_int_equal(pcv_model_mmio_access(model, 5, (pcv_gpa){0x40010000}, 4,
                                           false, &value),
                     0);
    assert_int_equal(value, 0xffffffff);
    assert_int_equal(pcv_model_mmio_access(model, 5, (pcv_gpa){0x40011000}, 4,
                                           false, &value),
                     -PCV_EFAULT);
    assert_int_equal(pcv_model_mmio_access(model, 0, (pcv_gpa){0x40000000}, 4,
                                           false, &value),
                     -PCV_EFAULT);
    assert_int_equal(pcv_model_mmio_access(model, 5, (pcv_gpa){0x40000002}, 4,
                                           false, &value),
                     -PCV_EINVAL);
    assert_int_equal(value, 0xffffffff);
    pcv_model_destroy(model);
}

/* ---- translation ----------------------------------------------------------
 */

#define PAGES 96u
#define NOWHERE UINT64_MAX

struct naive {
    uint64_t host[PAGES];
    uint64_t mapped;
    uint64_t errors;
};

static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* Map or unmap a random run in both; what is mapped is near its page or, now
 * and then, far away, so that runs join and do not. */
static void change(struct pcv_model *model, struct naive *naive, uint32_t *seed)
{
    uint64_t page = draw(seed, PAGES);
    uint64_t count =
        1 + draw(seed,
                 (uint32_t)(PAGES - page) < 12 ? (uint32_t)(PAGES - page) : 12);
    bool map = draw(seed, 2) == 0;
    uint64_t host = page + UINT64_C(0x1000) * (1 + draw(seed, 3));
    uint64_t there = 0;

    for (uint64_t i = page; i < page + count; i++) {
        there += naive->host[i] != NOWHERE;
        naive->host[i] = map ? host + (i - page) : NOWHERE;
    }
    naive->mapped += (map ? count : 0) - there;
    naive->errors += map ? there != 0 : there != count;
    if (map) {
        assert_int_equal(ops()->map(model, 3, (pcv_gpa){page << 12},
                                    (pcv_hpa){host << 12}, count),
                         count);
    } else {
        assert_int_equal(ops()->unmap(model, 3, (pcv_gpa){page << 12}, count),
                         count);
    }
}

/* SIM-2 */
static void every_page_leads_where_it_was_mapped_last(void **state)
{
    struct pcv_model *model = endpoint_machine();
    struct naive naive = {{0}, 0, 0};
    uint32_t seed = 11;

    (void)state;
    for (uint64_t i = 0; i < PAGES; i++) {
        naive.host[i] = NOWHERE;
    }
    for (uint32_t round = 0; round < 5000; round++) {
        change(model, &naive, &seed);
        for (uint64_t i = 0; i < PAGES; i++) {
            uint64_t host = NOWHERE;

            assert_int_equal(pcv_model_translate(model, 3, i, &host),
                             naive.host[i] != NOWHERE);
            assert_true(host == naive.host[i]);
        }
        assert_int_equal(pcv_model_mapped_pages(model), naive.mapped);
        assert_int_equal(pcv_model_map_errors(model), naive.errors);
    }
    assert_false(pcv_model_translate(model, 3, UINT64_MAX, &(uint64_t){0}));
    pcv_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storage_starts_as_zero_and_keeps_bytes_in_order),
        cmocka_unit_test(a_tester_reaches_bytes_that_nobody_decodes),
        cmocka_unit_test(a_tester_reaches_no_byte_that_is_not_there),
        cmocka_unit_test(
            a_rom_is_read_where_both_bits_are_set_and_never_written),
        cmocka_unit_test(a_reset_leaves_zeros),
        cmocka_unit_test(the_table_takes_dwords_and_qwords_only),
        cmocka_unit_test(pending_bits_cannot_be_written),
        cmocka_unit_test(what_is_beside_the_table_is_storage),
        cmocka_unit_test(a_table_can_be_put_where_it_must_not_be),
        cmocka_unit_test(a_guest_reaches_what_is_mapped_and_traps_elsewhere),
        cmocka_unit_test(every_page_leads_where_it_was_mapped_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

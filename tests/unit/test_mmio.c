/* SPDX-License-Identifier: MIT */
/*
 * Accesses to memory that nothing is mapped at: widths and bounds, what reaches
 * the device, ROM images, and what is none of ours.
 */
#include "guest_fixture.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define HOST 0xe0000100u
#define SIZE 256u
#define AT (WIN + 0x5400u) /* where the guest has it */

/* A guest with DEV, whose BAR 0 is 256 bytes in the middle of a page. */
static pcv_sbdf open_with(struct guest *g, const struct pcv_host_ops *ops)
{
    struct pcv_test_function f;
    pcv_sbdf at;

    guest_open(g);
    if (ops) {
        g->rig.ops = *ops;
    }
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, HOST, SIZE);
    pcv_test_add(g->rig.model, &f, DEV);
    guest_boot(g);
    at = guest_give(g, DEV, NULL);
    guest_write(g, at, REG_BAR(0), 4, AT);
    guest_write(g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    rig_forget(&g->rig);
    return at;
}

static uint64_t ones(unsigned size)
{
    return size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

/* HDR-5 */
static void every_width_reaches_the_device_as_it_is(void **state)
{
    static const uint8_t sizes[] = {1, 2, 4, 8};
    struct guest g;

    (void)state;
    (void)open_with(&g, NULL);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint8_t size = sizes[i];

        for (uint64_t offset = 0; offset < SIZE; offset += size) {
            uint64_t value = 0xf1e2d3c4b5a69788u + offset * 0x0101010101010101u;
            uint64_t data = 0;

            assert_int_equal(guest_store(&g, AT + offset, size, value),
                             PCV_DONE);
            assert_true(pcv_model_mmio_peek(g.rig.model, DEV, 0, offset,
                                            size) == (value & ones(size)));
            assert_int_equal(guest_load(&g, AT + offset, size, &data),
                             PCV_DONE);
            assert_true(data == (value & ones(size)));
        }
    }
    guest_close(&g);
}

/* HDR-5, CFG-2, CFG-9 */
static void other_widths_and_alignments_are_refused_and_counted(void **state)
{
    static const struct {
        uint32_t offset;
        uint8_t size;
        uint64_t reads;
    } rows[] = {
        {0, 0, 0},           {0, 3, 0xffffffu}, {0, 5, 0xffffffffffu},
        {0, 16, UINT64_MAX}, {1, 2, 0xffffu},   {2, 4, 0xffffffffu},
        {4, 8, UINT64_MAX},  {255, 2, 0xffffu},
    };
    struct pcv_device_status status;
    struct pcv_host_stats stats;
    struct guest g;
    uint64_t before;

    (void)state;
    (void)open_with(&g, NULL);
    pcv_host_get_stats(g.rig.host, &stats);
    before = stats.refused_accesses;
    pcv_model_mmio_poke(g.rig.model, DEV, 0, 0, 8, 0x1122334455667788u);
    status = rig_status(&g.rig, DEV);
    assert_int_equal(status.counters.refused, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t data = 0;

        assert_int_equal(
            guest_load(&g, AT + rows[i].offset, rows[i].size, &data), PCV_DONE);
        assert_true(data == rows[i].reads);
        assert_int_equal(guest_store(&g, AT + rows[i].offset, rows[i].size, 0),
                         PCV_DONE);
    }
    assert_true(pcv_model_mmio_peek(g.rig.model, DEV, 0, 0, 8) ==
                0x1122334455667788u);
    status = rig_status(&g.rig, DEV);
    assert_int_equal(status.counters.refused, 2 * COUNT(rows));
    pcv_host_get_stats(g.rig.host, &stats);
    assert_int_equal(stats.refused_accesses - before, 2 * COUNT(rows));
    guest_close(&g);
}

/* HDR-5 */
static void behind_the_end_of_a_bar_there_is_nothing(void **state)
{
    struct pcv_test_function f;
    uint64_t data = 0;
    struct guest g;
    pcv_sbdf at;

    (void)state;
    guest_open(&g);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, HOST, 16);
    pcv_test_add(g.rig.model, &f, DEV);
    guest_boot(&g);
    at = guest_give(&g, DEV, NULL);
    guest_write(&g, at, REG_BAR(0), 4, AT);
    guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_model_mmio_poke(g.rig.model, DEV, 0, 8, 8, 0x1122334455667788u);
    assert_int_equal(guest_load(&g, AT + 8, 8, &data), PCV_DONE);
    assert_true(data == 0x1122334455667788u);
    assert_int_equal(guest_load(&g, AT + 16, 8, &data), PCV_FORWARD);
    guest_close(&g);
}

/* CFG-9 */
static void accesses_are_counted_and_say_whose_they_were(void **state)
{
    struct pcv_mmio access = PCV_MMIO_READ(AT, 4);
    struct pcv_device_status before, after;
    struct guest g;
    pcv_sbdf at;
    uint64_t data;

    (void)state;
    at = open_with(&g, NULL);
    before = rig_status(&g.rig, DEV);
    assert_int_equal(pcv_mmio_access(g.domain, &access), PCV_DONE);
    assert_int_equal(access.sbdf.v, at.v);
    assert_int_equal(guest_store(&g, AT, 4, 1), PCV_DONE);
    assert_int_equal(guest_store(&g, AT, 4, 1), PCV_DONE);
    assert_int_equal(guest_load(&g, AT - 4, 4, &data), PCV_FORWARD);
    after = rig_status(&g.rig, DEV);
    assert_int_equal(after.counters.reads - before.counters.reads, 1);
    assert_int_equal(after.counters.writes - before.counters.writes, 2);
    assert_int_equal(after.held[PCV_HOLDER_ACCESS], 0);
    guest_close(&g);
}

/* HDR-5, VBUS-5 */
static void another_domain_finds_nothing_there(void **state)
{
    struct pcv_mmio access = PCV_MMIO_READ(AT, 4);
    struct pcv_mmio at_host = PCV_MMIO_READ(HOST, 4);
    struct pcv_domain *other;
    struct guest g;

    (void)state;
    (void)open_with(&g, NULL);
    assert_int_equal(pcv_domain_create(g.rig.host, 9, &other), 0);
    assert_int_equal(pcv_domain_add_window(other, (pcv_gpa){WIN}, WIN_SIZE), 0);
    assert_int_equal(pcv_mmio_access(other, &access), PCV_FORWARD);
    assert_int_equal(pcv_mmio_access(g.rig.dom0, &access), PCV_FORWARD);
    assert_int_equal(pcv_mmio_access(g.rig.dom0, &at_host), PCV_FORWARD);
    assert_int_equal(pcv_mmio_access(g.domain, &at_host), PCV_FORWARD);
    guest_close(&g);
}

/* ---- hosts --------------------------------------------------------------- */

/* HDR-5 */
static void without_the_hosts_operations_it_reads_all_ones(void **state)
{
    struct pcv_host_ops ops = *pcv_model_ops();
    struct guest g;
    uint64_t data = 0;

    (void)state;
    ops.mmio_read = NULL;
    ops.mmio_write = NULL;
    (void)open_with(&g, &ops);
    pcv_model_mmio_poke(g.rig.model, DEV, 0, 0, 4, 0x12345678u);
    assert_int_equal(guest_load(&g, AT, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xffffffffu);
    assert_int_equal(guest_store(&g, AT, 4, 0), PCV_DONE);
    assert_int_equal(pcv_model_mmio_peek(g.rig.model, DEV, 0, 0, 4),
                     0x12345678u);
    guest_close(&g);
}

/* HDR-5, PORT-3 */
static void a_host_that_fails_reads_all_ones_and_loses_writes(void **state)
{
    struct guest g;
    uint64_t data = 0;

    (void)state;
    (void)open_with(&g, NULL);
    pcv_model_mmio_poke(g.rig.model, DEV, 0, 0, 4, 0x12345678u);
    pcv_model_fail(g.rig.model, PCV_MODEL_OP_mmio_read, 1);
    assert_int_equal(guest_load(&g, AT, 2, &data), PCV_DONE);
    assert_int_equal(data, 0xffffu);
    pcv_model_fail(g.rig.model, PCV_MODEL_OP_mmio_write, 1);
    assert_int_equal(guest_store(&g, AT, 4, 0), PCV_DONE);
    assert_int_equal(guest_load(&g, AT, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x12345678u);
    guest_close(&g);
}

/* HDR-5 */
static void what_does_not_decode_is_not_asked(void **state)
{
    uint64_t reads, data = 0;
    struct guest g;

    (void)state;
    (void)open_with(&g, NULL);
    pcv_model_poke(g.rig.model, DEV, PCV_REG_COMMAND, 2, 0);
    reads = pcv_model_calls(g.rig.model, PCV_MODEL_OP_mmio_read);
    assert_int_equal(guest_load(&g, AT, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xffffffffu);
    assert_int_equal(pcv_model_set_dead(g.rig.model, DEV, true), 0);
    assert_int_equal(guest_load(&g, AT, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xffffffffu);
    assert_int_equal(pcv_model_calls(g.rig.model, PCV_MODEL_OP_mmio_read),
                     reads);
    assert_int_equal(pcv_model_set_dead(g.rig.model, DEV, false), 0);
    guest_close(&g);
}

/* HDR-6: the vCPU that moves the BAR waits; another may still come. */
static void while_a_bar_moves_nothing_is_reached(void **state)
{
    struct pcv_access move;
    struct guest g;
    pcv_sbdf at;
    uint64_t data;

    (void)state;
    at = open_with(&g, NULL);
    pcv_model_mmio_poke(g.rig.model, DEV, 0, 0, 4, 0x12345678u);
    move = PCV_WRITE(at, REG_BAR(0), 4, AT + 0x10000);
    assert_int_equal(pcv_access(g.domain, &move), PCV_PENDING);
    assert_int_equal(guest_load(&g, AT, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xffffffffu);
    assert_int_equal(guest_load(&g, AT + 0x10000, 4, &data), PCV_FORWARD);
    (void)guest_settle(&g, &move);
    assert_int_equal(guest_load(&g, AT, 4, &data), PCV_FORWARD);
    assert_int_equal(guest_load(&g, AT + 0x10000, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x12345678u);
    guest_write(&g, at, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(guest_load(&g, AT + 0x10000, 4, &data), PCV_FORWARD);
    guest_close(&g);
}

/* ---- ROM ----------------------------------------------------------------- */

#define IMAGE 0x2801u /* bytes: a BAR of 16 KiB */

/* HDR-12, CAP-6 */
static void a_rom_image_is_read_and_never_written(void **state)
{
    static uint8_t image[IMAGE];
    struct pcv_assign_policy policy = {.rom = image, .rom_size = IMAGE};
    struct pcv_test_function f;
    struct guest g;
    uint64_t data;
    pcv_sbdf at;

    (void)state;
    for (size_t i = 0; i < IMAGE; i++) {
        image[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    guest_open(&g);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_rom(&f, 0xe0010000u, 0x10000);
    pcv_test_add(g.rig.model, &f, DEV);
    guest_boot(&g);
    at = guest_give(&g, DEV, &policy);
    guest_write(&g, at, PCV_REG_ROM0, 4, 0xfffff800u);
    assert_int_equal(guest_read(&g, at, PCV_REG_ROM0, 4), 0xffffc000u);
    guest_write(&g, at, PCV_REG_ROM0, 4, WIN + 0x8000);
    guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(guest_load(&g, WIN + 0x8000, 4, &data), PCV_FORWARD);
    guest_write(&g, at, PCV_REG_ROM0, 4, (WIN + 0x8000) | PCV_ROM_ENABLE);
    assert_int_equal(guest_pages(&g), 0);
    assert_int_equal(guest_bar(&g, DEV, PCV_BAR_IS_ROM).trapped_pages, 4);
    for (uint32_t i = 0; i < 0x4000; i++) {
        assert_int_equal(guest_load(&g, WIN + 0x8000 + i, 1, &data), PCV_DONE);
        assert_int_equal(data, i < IMAGE ? image[i] : 0xff);
    }
    assert_int_equal(guest_load(&g, WIN + 0x8000 + 0x1000, 4, &data), PCV_DONE);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(data >> (8 * i) & 0xff, image[0x1000 + i]);
    }
    assert_int_equal(guest_load(&g, WIN + 0x8000 + IMAGE - 1, 8, &data),
                     PCV_DONE);
    assert_true(data == (0xffffffffffffff00u | image[IMAGE - 1]));
    assert_int_equal(guest_store(&g, WIN + 0x8000, 4, 0), PCV_DONE);
    assert_int_equal(image[1], 7);
    guest_write(&g, at, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(guest_load(&g, WIN + 0x8000, 4, &data), PCV_FORWARD);
    guest_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_reaches_the_device_as_it_is),
        cmocka_unit_test(other_widths_and_alignments_are_refused_and_counted),
        cmocka_unit_test(behind_the_end_of_a_bar_there_is_nothing),
        cmocka_unit_test(accesses_are_counted_and_say_whose_they_were),
        cmocka_unit_test(another_domain_finds_nothing_there),
        cmocka_unit_test(without_the_hosts_operations_it_reads_all_ones),
        cmocka_unit_test(a_host_that_fails_reads_all_ones_and_loses_writes),
        cmocka_unit_test(what_does_not_decode_is_not_asked),
        cmocka_unit_test(while_a_bar_moves_nothing_is_reached),
        cmocka_unit_test(a_rom_image_is_read_and_never_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

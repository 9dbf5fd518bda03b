/* SPDX-License-Identifier: MIT */
/*
 * Cells: what each policy does with a read and a write, and what hardware sees
 * of it. test_cells_model.c compares many of them with a simple model,
 * test_registers.c gives them to a device and takes them away.
 */
#include "cells_fixture.h"

#include <string.h>

#include "vpci/internal.h"

#define AT CELLS_AT
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct pcv_register constant32 = {
    .name = "constant",
    .offset = AT,
    .size = 4,
    .policy = {.constant = 0xffffffffu},
    .initial = 0x12345678u,
};

/* CFG-3 */
static void a_constant_reads_its_value_and_ignores_writes(void **state)
{
    struct cells cells;

    (void)state;
    cells_open(&cells);
    cells_add(&cells, &constant32, NULL);
    cells.hw[0] = 0xaaaaaaaau;
    cells_write(&cells, AT, 4, 0xffffffffu);
    assert_int_equal(cells_read(&cells, AT, 4), 0x12345678u);
    assert_int_equal(cells_read(&cells, AT + 1, 1), 0x56);
    assert_int_equal(cells_read(&cells, AT + 2, 2), 0x1234);
    assert_int_equal(cells.hw[0], 0xaaaaaaaau);
    cells_expect(&cells, "");
    cells_close(&cells);
}

static const struct pcv_register virtual32 = {
    .name = "virtual",
    .offset = AT,
    .size = 4,
    .policy = {.virt = 0x00ffffffu, .constant = 0xff000000u},
    .initial = 0x99000011u,
};

/* CFG-3, CFG-4 */
static void a_virtual_register_keeps_what_each_partial_write_stored(
    void **state)
{
    struct cells cells;

    (void)state;
    cells_open(&cells);
    cells_add(&cells, &virtual32, NULL);
    assert_int_equal(cells_read(&cells, AT, 4), 0x99000011u);
    cells_write(&cells, AT + 1, 1, 0x22);
    assert_int_equal(cells_read(&cells, AT, 4), 0x99002211u);
    cells_write(&cells, AT + 2, 2, 0xffff);
    assert_int_equal(cells_read(&cells, AT, 4), 0x99ff2211u);
    cells_write(&cells, AT, 4, 0);
    assert_int_equal(cells_read(&cells, AT, 4), 0x99000000u);
    cells_expect(&cells, "");
    cells_close(&cells);
}

static const struct pcv_register status16 = {
    .name = "status",
    .offset = AT + 2,
    .size = 2,
    .policy = {.hardware = 0x00ff, .w1c = 0xff00},
};

/* CFG-3, CFG-4 */
static void a_write_1_to_clear_bit_is_never_written_back_as_one(void **state)
{
    struct cells cells;

    (void)state;
    cells_open(&cells);
    cells_add(&cells, &status16, NULL);
    cells.w1c[0] = 0xff000000u;
    cells.hw[0] = 0xf1230000u;
    assert_int_equal(cells_read(&cells, AT + 2, 2), 0xf123);
    cells_expect(&cells, "r2:402");
    /* The other byte, a zero, and a part of the ones that are there. */
    cells_write(&cells, AT + 2, 1, 0x45);
    assert_int_equal(cells.hw[0], 0xf1450000u);
    cells_expect(&cells, "w1:402");
    cells_write(&cells, AT + 2, 2, 0x0045);
    assert_int_equal(cells.hw[0], 0xf1450000u);
    cells_write(&cells, AT + 3, 1, 0x70);
    assert_int_equal(cells.hw[0], 0x81450000u);
    cells_expect(&cells, "w2:402 w1:403");
    cells_write(&cells, AT, 4, 0xff670000u);
    assert_int_equal(cells.hw[0], 0x00670000u);
    cells_close(&cells);
}

static const struct pcv_register mixed_w1c = {
    .name = "mixed",
    .offset = AT,
    .size = 4,
    .policy = {.w1c = 0x0000000f,
               .preserve = 0x000000f0,
               .hardware = 0x0000ff00},
};

/* CFG-3, CFG-4, CFG-5 */
static void what_is_preserved_in_a_byte_of_w1c_bits_stays(void **state)
{
    struct cells cells;

    (void)state;
    cells_open(&cells);
    cells_add(&cells, &mixed_w1c, NULL);
    cells.w1c[0] = 0x0000000fu;
    cells.hw[0] = 0xdeadbe5fu;
    assert_int_equal(cells_read(&cells, AT, 4), 0x0000be0fu);
    cells_expect(&cells, "r2:400");
    cells_write(&cells, AT, 1, 0xf5);
    assert_int_equal(cells.hw[0], 0xdeadbe5au);
    cells_expect(&cells, "r1:400 w1:400");
    /* The upper half belongs to nobody's write: no bit of it is hardware's. */
    cells_write(&cells, AT, 4, 0xffff1100u);
    assert_int_equal(cells.hw[0], 0xdead115au);
    cells_expect(&cells, "r2:400 w2:400");
    cells_close(&cells);
}

static const struct pcv_register reserved = {
    .name = "reserved",
    .offset = AT,
    .size = 4,
    .policy = {.hardware = 0x0000000fu, .preserve = 0x00ff0000u},
};

/* CFG-3 */
static void reserved_zero_bits_read_zero_and_go_out_as_zero(void **state)
{
    struct cells cells;

    (void)state;
    cells_open(&cells);
    cells_add(&cells, &reserved, NULL);
    cells.hw[0] = 0xffffffffu;
    assert_int_equal(cells_read(&cells, AT, 4), 0x0000000fu);
    cells_write(&cells, AT, 4, 0xffffffffu);
    /* Only byte 0 goes to hardware at all. */
    assert_int_equal(cells.hw[0], 0xffffff0fu);
    cells_expect(&cells, "r1:400 w1:400");
    cells_close(&cells);
}

static const struct pcv_register virtual_w1c = {
    .name = "virtual w1c",
    .offset = AT,
    .size = 2,
    .policy = {.virt_w1c = 0xff00, .virt = 0x00ff},
    .initial = 0xa55a,
};

/* CFG-3, CFG-4 */
static void a_virtual_w1c_bit_is_cleared_by_a_one_alone(void **state)
{
    struct cells cells;

    (void)state;
    cells_open(&cells);
    cells_add(&cells, &virtual_w1c, NULL);
    assert_int_equal(cells_read(&cells, AT, 2), 0xa55a);
    cells_write(&cells, AT, 1, 0xff);
    assert_int_equal(cells_read(&cells, AT, 2), 0xa5ff);
    cells_write(&cells, AT, 2, 0x0000);
    assert_int_equal(cells_read(&cells, AT, 2), 0xa500);
    cells_write(&cells, AT + 1, 1, 0x81);
    assert_int_equal(cells_read(&cells, AT, 2), 0x2400);
    cells_expect(&cells, "");
    cells_close(&cells);
}

/* ---- what hardware sees -------------------------------------------------- */

static const struct pcv_register hole = {
    .name = "hole",
    .offset = AT + 5,
    .size = 1,
    .policy = {.virt = 0xff},
};

/* CFG-5 */
static void hardware_sees_aligned_pieces_around_a_virtual_byte(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        const char *read, *write;
    } rows[] = {
        {AT + 4, 4, "r1:404 r2:406", "w1:404 w2:406"},
        {AT + 4, 2, "r1:404", "w1:404"},
        {AT + 6, 2, "r2:406", "w2:406"},
        {AT + 4, 1, "r1:404", "w1:404"},
        {AT + 5, 1, "", ""},
        {AT + 7, 1, "r1:407", "w1:407"},
        {AT + 8, 4, "r4:408", "w4:408"}, /* without any cell */
        {AT + 8, 2, "r2:408", "w2:408"},
        {AT + 9, 1, "r1:409", "w1:409"},
    };
    struct cells cells;

    (void)state;
    cells_open(&cells);
    cells_add(&cells, &hole, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)cells_read(&cells, rows[i].reg, rows[i].size);
        cells_expect(&cells, rows[i].read);
        cells_write(&cells, rows[i].reg, rows[i].size, 0xffffffffu);
        cells_expect(&cells, rows[i].write);
    }
    cells_close(&cells);
}

/* CFG-3 */
static void for_a_guest_unlisted_bits_read_zero_and_ignore_writes(void **state)
{
    struct cells cells;

    (void)state;
    cells_open(&cells);
    /* No guest can own a device yet: its default alone is set. */
    pcv__vpci(cells.device)->pass_through = false;
    cells_add(&cells, &hole, NULL);
    memset(cells.hw, 0x5a, sizeof(cells.hw));
    cells_write(&cells, AT + 4, 4, 0xffffffffu);
    cells_write(&cells, AT + 8, 4, 0xffffffffu);
    assert_int_equal(cells_read(&cells, AT + 4, 4), 0x0000ff00u);
    assert_int_equal(cells_read(&cells, AT + 8, 4), 0);
    assert_int_equal(pcv_register_remove(cells.device, AT + 5, 1), 0);
    assert_int_equal(cells_read(&cells, AT + 4, 4), 0);
    cells_expect(&cells, "");
    assert_int_equal(cells.hw[1], 0x5a5a5a5au);
    pcv__vpci(cells.device)->pass_through = true;
    cells_close(&cells);
}

/* ---- handlers ------------------------------------------------------------ */

struct seen {
    struct pcv_register_write write;
    unsigned writes, reads;
    uint32_t answer;
    enum pcv_verdict verdict;
    bool to_hardware;
};

static uint32_t handle_read(struct pcv_device *device,
                            const struct pcv_register *reg, void *data)
{
    struct seen *seen = data;

    (void)device;
    (void)reg;
    seen->reads++;
    return seen->answer;
}

static enum pcv_verdict handle_write(const struct pcv_register_write *write)
{
    struct seen *seen = write->data;

    seen->write = *write;
    seen->writes++;
    if (seen->to_hardware) {
        pcv_register_hw_write(write->device, write->reg, write->value);
    }
    return seen->verdict;
}

static const struct pcv_register_ops reads = {.read = handle_read};
static const struct pcv_register_ops writes = {.write = handle_write};

static const struct pcv_register answered = {
    .name = "answered",
    .offset = AT + 1,
    .size = 1,
    .policy = {.hardware = 0xff},
    .ops = &reads,
};

/* CFG-3 */
static void a_read_handler_answers_for_its_bytes_alone(void **state)
{
    struct seen seen = {.answer = 0xabcdef77u};
    struct cells cells;

    (void)state;
    cells_open(&cells);
    cells_add(&cells, &answered, &seen);
    cells.hw[0] = 0x44332211u;
    assert_int_equal(cells_read(&cells, AT, 4), 0x44337711u);
    cells_expect(&cells, "r1:400 r2:402");
    assert_int_equal(seen.reads, 1);
    assert_int_equal(cells_read(&cells, AT, 1), 0x11);
    assert_int_equal(cells_read(&cells, AT + 2, 2), 0x4433);
    assert_int_equal(seen.reads, 1);
    assert_int_equal(cells_read(&cells, AT + 1, 1), 0x77);
    assert_int_equal(cells_read(&cells, AT, 2), 0x7711);
    assert_int_equal(seen.reads, 3);
    cells_close(&cells);
}

static const struct pcv_register handled = {
    .name = "handled",
    .offset = AT,
    .size = 4,
    .policy = {.hardware = 0x000000ffu,
               .virt = 0x0000ff00u,
               .w1c = 0x000f0000u,
               .preserve = 0x00f00000u,
               .constant = 0x0f000000u,
               .virt_w1c = 0x80000000u},
    .initial = 0x8a003300u,
    .ops = &writes,
};

/* CFG-4, CFG-5 */
static void a_write_handler_gets_the_whole_register_merged(void **state)
{
    static const struct {
        uint16_t offset;
        uint8_t size;
        uint32_t value;
        uint8_t bytes;
        uint32_t merged;
    } rows[] = {
        {0, 1, 0x77, 0x1, 0x0a503377u},   {1, 1, 0x66, 0x2, 0x0a506611u},
        {2, 1, 0xff, 0x4, 0x0a5f3311u},   {2, 1, 0x03, 0x4, 0x0a533311u},
        {3, 1, 0xff, 0x8, 0x8a503311u},   {0, 2, 0x9988, 0x3, 0x0a509988u},
        {2, 2, 0x000c, 0xc, 0x0a5c3311u}, {0, 4, 0xffffffffu, 0xf, 0x8a5fffffu},
        {0, 4, 0, 0xf, 0x0a500000u},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct seen seen = {.verdict = PCV_DONE};
        struct cells cells;

        cells_open(&cells);
        cells_add(&cells, &handled, &seen);
        cells.hw[0] = 0x705aee11u;
        cells.w1c[0] = 0x000f0000u;
        cells_write(&cells, (uint16_t)(AT + rows[i].offset), rows[i].size,
                    rows[i].value);
        assert_int_equal(seen.writes, 1);
        assert_int_equal(seen.write.old, 0x8a0a3311u);
        assert_int_equal(seen.write.bytes, rows[i].bytes);
        assert_int_equal(seen.write.value, rows[i].merged);
        assert_ptr_equal(seen.write.device, cells.device);
        assert_ptr_equal(seen.write.reg, &handled);
        assert_int_equal(cells.hw[0], 0x705aee11u);
        cells_close(&cells);
    }
}

static const struct pcv_register low = {
    .name = "low",
    .offset = AT,
    .size = 2,
    .policy = {.hardware = 0xffff},
    .ops = &writes,
};

static const struct pcv_register high = {
    .name = "high",
    .offset = AT + 3,
    .size = 1,
    .policy = {.hardware = 0xff},
    .ops = &writes,
};

/* CFG-4, CFG-5 */
static void one_write_goes_to_each_register_that_it_covers(void **state)
{
    struct seen a = {.verdict = PCV_DONE, .to_hardware = true};
    struct seen b = {.verdict = PCV_DONE, .to_hardware = true};
    struct cells cells;

    (void)state;
    cells_open(&cells);
    cells_add(&cells, &low, &a);
    cells_add(&cells, &high, &b);
    cells_write(&cells, AT, 4, 0x44332211u);
    assert_int_equal(a.write.value, 0x2211);
    assert_int_equal(a.write.bytes, 3);
    assert_int_equal(b.write.value, 0x44);
    assert_int_equal(b.write.bytes, 1);
    assert_int_equal(cells.hw[0], 0x44332211u);
    cells_expect(&cells, "w1:402 r2:400 w2:400 r1:403 w1:403");
    /* Writing next to it is no write of it. */
    cells_write(&cells, AT + 2, 1, 0x99);
    assert_int_equal(a.writes + b.writes, 2);
    assert_int_equal(cells.hw[0], 0x44992211u);
    cells_close(&cells);
}

/* CFG-10 */
static void one_pending_handler_makes_the_access_pending(void **state)
{
    static const enum pcv_verdict verdicts[][2] = {{PCV_PENDING, PCV_DONE},
                                                   {PCV_DONE, PCV_PENDING}};
    struct cells cells;

    (void)state;
    for (size_t i = 0; i < COUNT(verdicts); i++) {
        struct seen a = {.verdict = verdicts[i][0]};
        struct seen b = {.verdict = verdicts[i][1]};
        struct pcv_access access = PCV_WRITE(CELLS_DEVICE, AT, 4, 1);

        cells_open(&cells);
        cells_add(&cells, &low, &a);
        cells_add(&cells, &high, &b);
        assert_int_equal(pcv_access(cells.rig.dom0, &access), PCV_PENDING);
        assert_int_equal(
            rig_status(&cells.rig, CELLS_DEVICE).held[PCV_HOLDER_ACCESS], 0);
        assert_int_equal(pcv_access_resume(cells.rig.dom0, &access), PCV_DONE);
        assert_int_equal(a.writes + b.writes, 2);
        cells_close(&cells);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_reads_its_value_and_ignores_writes),
        cmocka_unit_test(
            a_virtual_register_keeps_what_each_partial_write_stored),
        cmocka_unit_test(a_write_1_to_clear_bit_is_never_written_back_as_one),
        cmocka_unit_test(what_is_preserved_in_a_byte_of_w1c_bits_stays),
        cmocka_unit_test(reserved_zero_bits_read_zero_and_go_out_as_zero),
        cmocka_unit_test(a_virtual_w1c_bit_is_cleared_by_a_one_alone),
        cmocka_unit_test(hardware_sees_aligned_pieces_around_a_virtual_byte),
        cmocka_unit_test(for_a_guest_unlisted_bits_read_zero_and_ignore_writes),
        cmocka_unit_test(a_read_handler_answers_for_its_bytes_alone),
        cmocka_unit_test(a_write_handler_gets_the_whole_register_merged),
        cmocka_unit_test(one_write_goes_to_each_register_that_it_covers),
        cmocka_unit_test(one_pending_handler_makes_the_access_pending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

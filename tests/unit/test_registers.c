/* SPDX-License-Identifier: MIT */
/* Giving a device registers and taking them away (CFG-6, CFG-7). */
#include "cells_fixture.h"

#include <string.h>

#define AT CELLS_AT
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define VIRTUAL                                                                \
    {                                                                          \
        .virt = 0xff                                                           \
    }

static struct pcv_register at(uint16_t offset, uint8_t size)
{
    struct pcv_register reg = {
        .name = "test", .offset = offset, .size = size, .policy = VIRTUAL};

    return reg;
}

static int try_add(struct cells *cells, uint16_t offset, uint8_t size)
{
    const struct pcv_register reg = at(offset, size);

    return pcv_register_add(cells->device, &reg, NULL);
}

/* CFG-6 */
static void sizes_and_places_that_make_no_sense_are_invalid(void **state)
{
    static const struct {
        uint16_t offset;
        uint8_t size;
    } bad[] = {
        {AT, 0},     {AT, 3},     {AT, 5},     {AT, 8},
        {AT, 255},   {AT + 1, 2}, {AT + 3, 2}, {AT + 2, 4},
        {AT + 1, 4}, {0xffe, 4},  {0xfff, 2},  {0x1000, 1},
        {0x1000, 4}, {0xfffe, 2}, {0xfffc, 4}, {0xffff, 1},
    };
    struct cells cells;

    (void)state;
    cells_open(&cells);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(try_add(&cells, bad[i].offset, bad[i].size),
                         -PCV_EINVAL);
    }
    assert_int_equal(pcv_register_add(cells.device, NULL, NULL), -PCV_EINVAL);
    cells_close(&cells);
}

/* CFG-6 */
static void masks_that_overlap_are_invalid(void **state)
{
    struct cells cells;

    (void)state;
    cells_open(&cells);
    for (unsigned a = 0; a < 6; a++) {
        for (unsigned b = 0; b < a; b++) {
            struct pcv_register reg = {.name = "m", .offset = AT, .size = 4};
            uint32_t *masks[] = {&reg.policy.hardware, &reg.policy.constant,
                                 &reg.policy.virt,     &reg.policy.w1c,
                                 &reg.policy.virt_w1c, &reg.policy.preserve};

            *masks[a] = 0x80000001u;
            *masks[b] = 0x80000000u;
            assert_int_equal(pcv_register_add(cells.device, &reg, NULL),
                             -PCV_EINVAL);
        }
    }
    cells_close(&cells);
}

/* CFG-6 */
static void masks_wider_than_the_register_are_invalid(void **state)
{
    static const uint8_t sizes[] = {1, 2};
    struct cells cells;

    (void)state;
    cells_open(&cells);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (unsigned m = 0; m < 6; m++) {
            struct pcv_register reg = {
                .name = "m", .offset = AT, .size = sizes[i]};
            uint32_t *masks[] = {&reg.policy.hardware, &reg.policy.constant,
                                 &reg.policy.virt,     &reg.policy.w1c,
                                 &reg.policy.virt_w1c, &reg.policy.preserve};

            *masks[m] = 1u << (8 * sizes[i]);
            assert_int_equal(pcv_register_add(cells.device, &reg, NULL),
                             -PCV_EINVAL);
        }
    }
    cells_close(&cells);
}

/* CFG-6 */
static void a_register_over_another_exists_already(void **state)
{
    static const struct {
        uint16_t offset;
        uint8_t size;
        int error;
    } rows[] = {
        {AT + 4, 2, -PCV_EEXIST},
        {AT + 4, 1, -PCV_EEXIST},
        {AT + 5, 1, -PCV_EEXIST},
        {AT + 4, 4, -PCV_EEXIST},
        {AT + 6, 1, 0},
        {AT + 7, 1, 0},
        {AT + 6, 2, -PCV_EEXIST},
        {AT + 8, 4, 0},
        {AT + 0, 4, 0},
        {PCV_REG_COMMAND, 2, -PCV_EEXIST},
        {PCV_REG_COMMAND + 1, 1, -PCV_EEXIST},
        {PCV_REG_COMMAND, 4, -PCV_EEXIST},
        {PCV_REG_STATUS + 1, 1, -PCV_EEXIST},
        {PCV_REG_BAR0, 4, -PCV_EEXIST},
    };
    const struct pcv_register first = at(AT + 4, 2);
    struct pcv_register more[COUNT(rows)];
    struct cells cells;

    (void)state;
    cells_open(&cells);
    cells_add(&cells, &first, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        more[i] = at(rows[i].offset, rows[i].size);
        assert_int_equal(pcv_register_add(cells.device, &more[i], NULL),
                         rows[i].error);
    }
    cells_close(&cells);
}

/* Every byte of the stretch and of the header, as the domain reads them. */
static void dump(struct cells *cells, uint8_t out[512])
{
    for (uint16_t i = 0; i < 256; i++) {
        out[i] = (uint8_t)cells_read(cells, i, 1);
        out[256 + i] = (uint8_t)cells_read(cells, (uint16_t)(AT + i), 1);
    }
}

/* CFG-6, PORT-3 */
static void without_memory_nothing_changes_whichever_allocation_fails(
    void **state)
{
    static struct pcv_register regs[CELLS_DWORDS];
    struct cells cells;
    uint8_t before[512], after[512];
    unsigned failures = 0;

    (void)state;
    cells_open(&cells);
    memset(cells.hw, 0x3c, sizeof(cells.hw));
    for (uint16_t i = 0; i < CELLS_DWORDS; i++) {
        /* Far apart first, so that every array has to grow. */
        uint16_t slot = (uint16_t)(i * 17u % CELLS_DWORDS);
        int error = -PCV_ENOMEM;

        regs[i] = at((uint16_t)(AT + 4u * slot), 1);
        for (uint64_t nth = 1; error != 0; nth++) {
            dump(&cells, before);
            pcv_model_fail(cells.rig.model, PCV_MODEL_OP_alloc, nth);
            error = pcv_register_add(cells.device, &regs[i], NULL);
            pcv_model_fail(cells.rig.model, PCV_MODEL_OP_alloc, 0);
            if (error != 0) {
                assert_int_equal(error, -PCV_ENOMEM);
                dump(&cells, after);
                assert_memory_equal(before, after, sizeof(before));
                failures++;
            }
        }
        assert_int_equal(cells_read(&cells, regs[i].offset, 4), 0x3c3c3c00u);
    }
    assert_true(failures >= 3); /* the three arrays have each grown */
    cells_close(&cells);
}

/* CFG-6 */
static void removing_takes_whole_registers_in_the_range(void **state)
{
    static const struct {
        uint16_t offset, size;
        int error;
    } rows[] = {
        {AT, 0, -PCV_EINVAL},
        {0x1000, 1, -PCV_EINVAL},
        {0xfff, 2, -PCV_EINVAL},
        {0xffff, 0xffff, -PCV_EINVAL},
        {AT + 0x40, 4, -PCV_ENOENT},
        {AT + 6, 2, -PCV_ENOENT}, /* between the first two */
        {AT + 2, 3, -PCV_ERANGE}, /* cuts the first's end */
        {AT + 4, 1, -PCV_ERANGE},
        {AT + 5, 1, -PCV_ERANGE},  /* cuts its beginning */
        {AT + 5, 20, -PCV_ERANGE}, /* and has the second whole */
        {AT, 10, -PCV_ERANGE},     /* the first whole, the second cut */
        {AT + 9, 1, -PCV_ERANGE},  /* inside the second */
    };
    const struct pcv_register a = at(AT + 4, 2);
    const struct pcv_register b = at(AT + 8, 4);
    struct cells cells;

    (void)state;
    cells_open(&cells);
    memset(cells.hw, 0x77, sizeof(cells.hw));
    cells_add(&cells, &a, NULL);
    cells_add(&cells, &b, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(
            pcv_register_remove(cells.device, rows[i].offset, rows[i].size),
            rows[i].error);
        assert_int_equal(cells_read(&cells, AT + 4, 4), 0x77770000u);
        assert_int_equal(cells_read(&cells, AT + 8, 4), 0);
    }
    assert_int_equal(pcv_register_remove(cells.device, AT + 4, 8), 0);
    assert_int_equal(cells_read(&cells, AT + 4, 4), 0x77777777u);
    assert_int_equal(cells_read(&cells, AT + 8, 4), 0x77777777u);
    assert_int_equal(pcv_register_remove(cells.device, AT + 4, 8), -PCV_ENOENT);
    cells_close(&cells);
}

/* CFG-6 */
static void a_place_is_used_again_and_keeps_nothing_of_its_past(void **state)
{
    const struct pcv_register once = at(AT + 1, 1);
    struct pcv_register again = at(AT, 4);
    uint64_t bytes;
    struct cells cells;

    (void)state;
    cells_open(&cells);
    again.policy.virt = 0;
    again.policy.constant = 0xffffffffu;
    cells_add(&cells, &once, NULL);
    cells_write(&cells, AT, 4, 0xffffffffu);
    assert_int_equal(pcv_register_remove(cells.device, AT, 4), 0);
    cells_add(&cells, &again, NULL);
    assert_int_equal(cells_read(&cells, AT, 4), 0);
    bytes = pcv_model_bytes(cells.rig.model);
    for (unsigned i = 0; i < 5000; i++) {
        assert_int_equal(pcv_register_remove(cells.device, AT, 4), 0);
        cells_add(&cells, &again, NULL);
    }
    assert_int_equal(pcv_model_bytes(cells.rig.model), bytes);
    cells_close(&cells);
}

/* CFG-6 */
static void every_byte_of_the_space_can_be_a_register(void **state)
{
    static struct pcv_register regs[PCV_CFG_EXT_SIZE];
    static bool added[PCV_CFG_EXT_SIZE];
    struct cells cells;
    unsigned count = 0;

    (void)state;
    cells_open(&cells);
    for (uint16_t i = 0; i < PCV_CFG_EXT_SIZE; i++) {
        regs[i] = at(i, 1);
        regs[i].initial = i & 0xffu;
        added[i] = pcv_register_add(cells.device, &regs[i], NULL) == 0;
        count += added[i] ? 1 : 0;
    }
    /* All but command, status, BAR 0, and PCI Express device control. */
    assert_int_equal(count, PCV_CFG_EXT_SIZE - 10);
    for (uint16_t i = 0x40; i < PCV_CFG_EXT_SIZE; i++) {
        if (added[i]) {
            assert_int_equal(cells_read(&cells, i, 1), i & 0xffu);
        }
    }
    assert_int_equal(pcv_register_remove(cells.device, 0, PCV_CFG_EXT_SIZE), 0);
    cells_close(&cells);
}

/* CFG-6 */
static void a_device_that_is_leaving_takes_no_registers(void **state)
{
    const struct pcv_register reg = at(AT, 1);
    struct cells cells;

    (void)state;
    cells_open(&cells);
    cells_add(&cells, &reg, NULL);
    assert_int_equal(
        pcv_device_remove(cells.rig.host, CELLS_DEVICE, NULL, NULL),
        -PCV_EBUSY);
    assert_int_equal(try_add(&cells, AT + 4, 1), -PCV_ENODEV);
    assert_int_equal(pcv_register_remove(cells.device, AT, 1), -PCV_ENODEV);
    cells_close(&cells);
}

struct cost {
    uint64_t allocations;
    size_t accesses;
};

static struct cost cost_of_accesses(struct cells *cells)
{
    struct cost cost = {pcv_model_calls(cells->rig.model, PCV_MODEL_OP_alloc),
                        0};

    rig_forget(&cells->rig);
    cells->logged = 0;
    (void)cells_read(cells, AT, 4);
    (void)cells_read(cells, 0, 4);
    cells_write(cells, AT, 2, 1);
    cells_write(cells, PCV_REG_INT_LINE, 1, 1);
    cost.accesses = cells->rig.logged + cells->logged;
    cost.allocations = pcv_model_calls(cells->rig.model, PCV_MODEL_OP_alloc) -
                       cost.allocations;
    return cost;
}

/* CFG-7 */
static void an_access_costs_the_same_with_many_registers(void **state)
{
    static struct pcv_register regs[900];
    struct cells cells;
    struct cost few, many;

    (void)state;
    cells_open(&cells);
    few = cost_of_accesses(&cells);
    for (size_t i = 0; i < COUNT(regs); i++) {
        regs[i] = at((uint16_t)(PCV_CFG_EXT_SIZE - 4u - 2u * i), 1);
        if (regs[i].offset < AT || regs[i].offset >= AT + 4) {
            cells_add(&cells, &regs[i], NULL);
        }
    }
    many = cost_of_accesses(&cells);
    assert_int_equal(many.accesses, few.accesses);
    assert_int_equal(many.allocations, 0);
    assert_int_equal(few.accesses, 4);
    cells_close(&cells);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_places_that_make_no_sense_are_invalid),
        cmocka_unit_test(masks_that_overlap_are_invalid),
        cmocka_unit_test(masks_wider_than_the_register_are_invalid),
        cmocka_unit_test(a_register_over_another_exists_already),
        cmocka_unit_test(
            without_memory_nothing_changes_whichever_allocation_fails),
        cmocka_unit_test(removing_takes_whole_registers_in_the_range),
        cmocka_unit_test(a_place_is_used_again_and_keeps_nothing_of_its_past),
        cmocka_unit_test(every_byte_of_the_space_can_be_a_register),
        cmocka_unit_test(a_device_that_is_leaving_takes_no_registers),
        cmocka_unit_test(an_access_costs_the_same_with_many_registers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

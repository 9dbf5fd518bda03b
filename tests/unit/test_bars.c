/* SPDX-License-Identifier: MIT */
/* Sizing BARs (HDR-4): what is found, and that nothing shows afterwards. */
#include "engine_fixture.h"

#include <string.h>

#define DEV pcv_test_at(0, 0, 1, 0)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/*
 * BAR registers that no source of the model can describe: of the dword at
 * `reg` only the bits of `mask` can be written.
 */
static struct {
    uint16_t reg;
    uint32_t mask;
} odd[4];

static int write_odd(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                     uint32_t value)
{
    for (size_t i = 0; i < COUNT(odd) && size == 4; i++) {
        if (odd[i].reg == reg && reg != 0) {
            uint32_t old = pcv_model_peek(ctx, sbdf, reg, 4);

            pcv_model_poke(ctx, sbdf, reg, 4,
                           (old & ~odd[i].mask) | (value & odd[i].mask));
            return 0;
        }
    }
    return pcv_model_ops()->cfg_write(ctx, sbdf, reg, size, value);
}

static int no_hint(void *ctx, pcv_sbdf sbdf, uint8_t bar,
                   struct pcv_bar_hint *out)
{
    (void)ctx;
    (void)sbdf;
    (void)bar;
    (void)out;
    return -PCV_ENOENT;
}

static uint32_t in_use(void *ctx, pcv_sbdf sbdf)
{
    (void)ctx;
    (void)sbdf;
    return PCV_FUNCTION_IN_USE;
}

/* Everything but the add: hardware is as it was, and looked at. */
static void prepare(struct rig *rig, struct pcv_test_function *f)
{
    memset(odd, 0, sizeof(odd));
    rig_open(rig);
    rig->ops.cfg_write = write_odd;
    pcv_test_add(rig->model, f, DEV);
}

static void add(struct rig *rig, struct pcv_device_info *out)
{
    rig_create(rig);
    rig_forget(rig);
    assert_int_equal(pcv_device_add(rig->host, DEV, NULL), 0);
    rig_info(rig, DEV, out);
}

static void check_bar(const struct pcv_bar *bar, enum pcv_bar_kind kind,
                      uint64_t size, uint64_t address, uint8_t flags)
{
    assert_int_equal(bar->kind, kind);
    assert_true(bar->size == size);
    assert_true(bar->address == address);
    assert_int_equal(bar->flags & (uint8_t)~PCV_BAR_MAPPED, flags);
}

/* HDR-4 */
static void every_kind_of_bar_is_found_with_its_size(void **state)
{
    struct pcv_test_function f;
    struct pcv_device_info info;
    struct rig rig;

    (void)state;
    pcv_test_endpoint(&f, 0x8086, 0x100e);
    pcv_test_bar32(&f, 0, 0xe0000000u, 16);
    pcv_test_bar_io(&f, 1, 0x6004, 4);
    pcv_test_bar32(&f, 2, 0x80000000u | PCV_BAR_PREFETCH, 0x80000000u);
    pcv_test_bar64(&f, 3, 0x4000000008u, 0x4000000000u);
    pcv_test_bar32(&f, 5, 0xe0100000u | 2, 0x10000); /* below 1 MiB, it says */
    pcv_test_rom(&f, 0xe0200000u, 0x20000);
    prepare(&rig, &f);
    add(&rig, &info);
    check_bar(&info.bar[0], PCV_BAR_MEM32, 16, 0xe0000000u, 0);
    check_bar(&info.bar[1], PCV_BAR_IO, 4, 0x6004, 0);
    check_bar(&info.bar[2], PCV_BAR_MEM32, 0x80000000u, 0x80000000u,
              PCV_BAR_PREFETCHABLE);
    check_bar(&info.bar[3], PCV_BAR_MEM64, 0x4000000000u, 0x4000000000u,
              PCV_BAR_PREFETCHABLE);
    check_bar(&info.bar[4], PCV_BAR_NONE, 0, 0, 0);
    check_bar(&info.bar[5], PCV_BAR_MEM32, 0x10000, 0xe0100000u, 0);
    check_bar(&info.bar[6], PCV_BAR_ROM, 0x20000, 0xe0200000u, 0);
    assert_int_equal(rig_events(&rig, PCV_EVENT_BAR_SIZE), 0);
    rig_close(&rig);
}

/* HDR-4 */
static void a_bridge_has_two_bars_and_its_rom_elsewhere(void **state)
{
    struct pcv_test_function f;
    struct pcv_device_info info;
    struct rig rig;

    (void)state;
    pcv_test_bridge(&f, 0, 1, 1);
    pcv_test_bar64(&f, 0, 0xe0000000u, 0x100000);
    pcv_test_rom(&f, 0xe0200000u, 0x800);
    prepare(&rig, &f);
    add(&rig, &info);
    check_bar(&info.bar[0], PCV_BAR_MEM64, 0x100000, 0xe0000000u, 0);
    for (unsigned i = 1; i < 6; i++) {
        check_bar(&info.bar[i], PCV_BAR_NONE, 0, 0, 0);
    }
    check_bar(&info.bar[6], PCV_BAR_ROM, 0x800, 0xe0200000u, 0);
    for (uint16_t reg = PCV_REG_PRIMARY; reg < PCV_REG_CAPS; reg++) {
        assert_int_equal(rig_touched(&rig, reg, true), 0);
    }
    rig_close(&rig);
}

/* What a 32-bit register at BAR 0 holds, which bits of it and of the register
 * after it can be written, and what is to be made of that. */
static const struct {
    uint32_t value, mask, high, high_mask;
    uint64_t size;
    enum pcv_bar_kind kind;
    bool broken;
} odd_rows[] = {
    /* Holes in the size. */
    {0xe0000000u, 0xffffb000u, 0, 0, 0, PCV_BAR_NONE, true},
    {0xe0000000u, 0xf0fff000u, 0, 0, 0, PCV_BAR_NONE, true},
    {0x00006001u, 0x0000f0f0u, 0, 0, 0, PCV_BAR_NONE, true},
    {0xe000000cu, 0xfffff000u, 0, 0x0000fffeu, 0, PCV_BAR_NONE, true},
    /* A register that takes no bit. */
    {0xfed01000u, 0, 0, 0, 0, PCV_BAR_NONE, true},
    {0x0fe00000u, 0, 0, 0, 0, PCV_BAR_NONE, true},
    {0x00006001u, 0, 0, 0, 0, PCV_BAR_NONE, true},
    {0x0fe00004u, 0, 0x00000001u, 0, 0, PCV_BAR_NONE, true},
    /* Upper bits that the device does not decode. */
    {0x00006001u, 0x0000ffe0u, 0, 0, 0x20, PCV_BAR_IO, false},
    {0xe0000004u, 0xffff0000u, 0, 0x000000ffu, 0x10000, PCV_BAR_MEM64, false},
    {0x00000004u, 0, 0x00000010u, 0x0000fff0u, 0x1000000000u, PCV_BAR_MEM64,
     false},
    /* A reserved type; nothing at all. */
    {0xe0000006u, 0xfffff000u, 0, 0, 0, PCV_BAR_NONE, true},
    {0, 0, 0, 0, 0, PCV_BAR_NONE, false},
    {1, 0, 0, 0, 0, PCV_BAR_NONE, false},
    {4, 0, 0, 0, 0, PCV_BAR_NONE, false},
    {0xffffffffu, 0, 0, 0, 0, PCV_BAR_NONE, false},
};

/* HDR-4 */
static void what_is_no_power_of_two_is_refused_and_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(odd_rows); i++) {
        struct pcv_test_function f;
        struct pcv_device_info info;
        struct rig rig;

        pcv_test_endpoint(&f, 0x8086, 0x100e);
        pcv_test_set(&f, PCV_REG_BAR0, 4, odd_rows[i].value);
        pcv_test_set(&f, PCV_REG_BAR0 + 4, 4, odd_rows[i].high);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_IO);
        prepare(&rig, &f);
        odd[0].reg = PCV_REG_BAR0;
        odd[0].mask = odd_rows[i].mask;
        odd[1].reg = PCV_REG_BAR0 + 4;
        odd[1].mask = odd_rows[i].high_mask;
        add(&rig, &info);
        assert_int_equal(info.bar[0].kind, odd_rows[i].kind);
        assert_true(info.bar[0].size == odd_rows[i].size);
        assert_int_equal((info.bar[0].flags & PCV_BAR_BROKEN) != 0,
                         odd_rows[i].broken);
        assert_int_equal(info.bar[1].kind, PCV_BAR_NONE);
        assert_int_equal(rig_events(&rig, PCV_EVENT_BAR_SIZE),
                         odd_rows[i].broken ? 1 : 0);
        assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_BAR0, 4),
                         odd_rows[i].value);
        assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_BAR0 + 4, 4),
                         odd_rows[i].high);
        rig_close(&rig);
    }
}

/* HDR-4 */
static void a_64_bit_bar_in_the_last_place_is_broken(void **state)
{
    (void)state;
    for (unsigned bridge = 0; bridge < 2; bridge++) {
        struct pcv_test_function f;
        struct pcv_device_info info;
        struct rig rig;
        unsigned last = bridge ? 1 : 5;

        if (bridge) {
            pcv_test_bridge(&f, 0, 1, 1);
        } else {
            pcv_test_endpoint(&f, 0x8086, 0x100e);
        }
        pcv_test_bar32(&f, (uint8_t)last, 0xe0000004u, 0x1000);
        prepare(&rig, &f);
        add(&rig, &info);
        assert_int_equal(info.bar[last].kind, PCV_BAR_NONE);
        assert_int_equal(info.bar[last].flags, PCV_BAR_BROKEN);
        assert_int_equal(rig_events(&rig, PCV_EVENT_BAR_SIZE), 1);
        /* What stands after it is no BAR and is left alone. */
        assert_int_equal(
            rig_touched(&rig, (uint16_t)(PCV_REG_BAR0 + 4 * last + 4), true),
            0);
        rig_close(&rig);
    }
}

/* ---- nothing shows ------------------------------------------------------- */

static void a_bit_of_everything(struct pcv_test_function *f)
{
    pcv_test_pcie_endpoint(f, 0x8086, 0x100e);
    pcv_test_bar32(f, 0, 0xe0000000u, 0x1000);
    pcv_test_bar_io(f, 1, 0x6020, 0x20);
    pcv_test_bar64(f, 2, 0x400000000cu, 0x100000);
    pcv_test_rom(f, 0xe0200001u, 0x800);
    pcv_test_set(f, PCV_REG_COMMAND, 2,
                 PCV_CMD_MEMORY | PCV_CMD_IO | PCV_CMD_MASTER);
    pcv_test_set(f, PCV_REG_STATUS, 2, 0xf910);
}

static void no_bar_while_decoding(struct rig *rig,
                                  const struct pcv_model_cfg *access)
{
    bool bar = access->reg >= PCV_REG_BAR0 && access->reg < PCV_REG_CAPS;
    uint32_t command =
        pcv_model_peek(rig->model, access->sbdf, PCV_REG_COMMAND, 2);

    if (access->write && bar) {
        assert_int_equal(command & (PCV_CMD_MEMORY | PCV_CMD_IO), 0);
        assert_int_equal(command & PCV_CMD_MASTER, PCV_CMD_MASTER);
        /* The ROM is never enabled by sizing it. */
        assert_true(access->reg != PCV_REG_ROM0 ||
                    access->value == 0xe0200001u ||
                    (access->value & PCV_ROM_ENABLE) == 0);
    }
}

/* HDR-4 */
static void bars_are_sized_with_decoding_off_and_all_is_restored(void **state)
{
    struct pcv_test_function f;
    struct pcv_device_info info;
    struct rig rig;

    (void)state;
    a_bit_of_everything(&f);
    prepare(&rig, &f);
    rig.hook = no_bar_while_decoding;
    add(&rig, &info);
    assert_int_not_equal(rig_touched(&rig, PCV_REG_ROM0, true), 0);
    for (uint16_t reg = 0; reg < 256; reg++) {
        assert_int_equal(pcv_model_peek(rig.model, DEV, reg, 1), f.config[reg]);
    }
    rig_close(&rig);
}

/* Add with the nth call of an operation failing. False: it did not come to
 * that call. */
static bool add_with_failure(enum pcv_model_op op, uint64_t nth)
{
    struct pcv_test_function f;
    struct rig rig;
    uint64_t before;
    bool failed;
    int error;

    a_bit_of_everything(&f);
    prepare(&rig, &f);
    rig_create(&rig);
    before = pcv_model_calls(rig.model, op);
    pcv_model_fail(rig.model, op, nth);
    error = pcv_device_add(rig.host, DEV, NULL);
    failed = pcv_model_calls(rig.model, op) - before >= nth;
    pcv_model_fail(rig.model, op, 0);
    assert_true(failed || error == 0);
    for (uint16_t reg = 0; reg < 256; reg++) {
        assert_int_equal(pcv_model_peek(rig.model, DEV, reg, 1), f.config[reg]);
    }
    if (error != 0) {
        assert_int_equal(rig_status(&rig, DEV).state, PCV_STATE_ABSENT);
        assert_int_equal(pcv_device_add(rig.host, DEV, NULL), 0);
    }
    rig_close(&rig);
    return failed;
}

/* HDR-4, PORT-3 */
static void a_host_that_fails_once_leaves_no_bar_changed(void **state)
{
    uint64_t nth;

    (void)state;
    for (nth = 1; add_with_failure(PCV_MODEL_OP_cfg_read, nth); nth++) {
    }
    assert_true(nth > 20);
    for (nth = 1; add_with_failure(PCV_MODEL_OP_cfg_write, nth); nth++) {
    }
    assert_true(nth > 8);
}

static void never_switched_off(struct rig *rig,
                               const struct pcv_model_cfg *access)
{
    assert_false(access->write && access->reg == PCV_REG_COMMAND);
    assert_int_equal(
        pcv_model_peek(rig->model, access->sbdf, PCV_REG_COMMAND, 2) &
            PCV_CMD_MEMORY,
        PCV_CMD_MEMORY);
}

/* HDR-4 */
static void host_bridges_and_what_is_in_use_keep_decoding(void **state)
{
    (void)state;
    for (unsigned used = 0; used < 2; used++) {
        struct pcv_test_function f;
        struct pcv_device_info info;
        struct rig rig;

        if (used) {
            pcv_test_endpoint(&f, 0x8086, 0x100e);
        } else {
            pcv_test_host_bridge(&f);
        }
        pcv_test_bar32(&f, 0, 0xe0000000u, 0x1000);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_IO);
        prepare(&rig, &f);
        rig.ops.bar_hint = no_hint;
        rig.ops.function_flags = used ? in_use : NULL;
        rig.hook = never_switched_off;
        add(&rig, &info);
        check_bar(&info.bar[0], PCV_BAR_MEM32, 0x1000, 0xe0000000u, 0);
        assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_BAR0, 4),
                         0xe0000000u);
        rig_close(&rig);
    }
}

/* ---- what the host states ------------------------------------------------ */

/* HDR-4 */
static void a_stated_size_is_taken_without_touching_the_bar(void **state)
{
    struct pcv_test_function f;
    struct pcv_device_info info;
    struct rig rig;

    (void)state;
    pcv_test_endpoint(&f, 0x8086, 0x100e);
    pcv_test_bar32(&f, 0, 0xe0000000u, 0x1000);
    pcv_test_bar64(&f, 1, 0x4000000000u, 0x1000);
    pcv_test_bar32(&f, 3, 0xe0100000u, 0x1000);
    pcv_test_bar32(&f, 4, 0xe0180000u, 0x1000);
    pcv_test_rom(&f, 0xe0200000u, 0x800);
    prepare(&rig, &f);
    assert_int_equal(pcv_model_set_bar_hint(rig.model, DEV, 0, 0x4000), 0);
    assert_int_equal(pcv_model_set_bar_hint(rig.model, DEV, 1, 0x8000), 0);
    assert_int_equal(pcv_model_set_bar_hint(rig.model, DEV, 3, 0), 0);
    assert_int_equal(pcv_model_set_bar_hint(rig.model, DEV, 4, 0x3000), 0);
    assert_int_equal(pcv_model_set_bar_hint(rig.model, DEV, 6, 0x1000), 0);
    add(&rig, &info);
    check_bar(&info.bar[0], PCV_BAR_MEM32, 0x4000, 0xe0000000u, PCV_BAR_HINTED);
    check_bar(&info.bar[1], PCV_BAR_MEM64, 0x8000, 0x4000000000u,
              PCV_BAR_HINTED);
    check_bar(&info.bar[2], PCV_BAR_NONE, 0, 0, 0);
    check_bar(&info.bar[3], PCV_BAR_NONE, 0, 0, 0); /* it does not exist */
    check_bar(&info.bar[4], PCV_BAR_NONE, 0, 0, PCV_BAR_BROKEN);
    check_bar(&info.bar[6], PCV_BAR_ROM, 0x1000, 0xe0200000u, PCV_BAR_HINTED);
    assert_int_equal(rig_events(&rig, PCV_EVENT_BAR_SIZE), 1);
    assert_int_equal(rig_touched(&rig, PCV_REG_BAR0, true), 0);
    assert_int_equal(rig_touched(&rig, PCV_REG_BAR0 + 4, true), 0);
    assert_int_equal(rig_touched(&rig, PCV_REG_ROM0, true), 0);
    rig_close(&rig);
}

/* HDR-4 */
static void a_stated_size_that_cannot_be_is_refused_and_reported(void **state)
{
    static const struct {
        uint8_t bar;
        uint64_t size;
    } rows[] = {
        {0, 0x3000},       {0, 0x100000000u}, {0, 0x200000000u}, {1, 0x3000},
        {3, 0x100000000u}, {6, 0x3000},       {6, 0x100000000u},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pcv_test_function f;
        struct pcv_device_info info;
        struct rig rig;

        pcv_test_endpoint(&f, 0x8086, 0x100e);
        pcv_test_bar32(&f, 0, 0xe0000000u, 0x1000);
        pcv_test_bar64(&f, 1, 0x4000000000u, 0x1000);
        pcv_test_bar_io(&f, 3, 0x6000, 0x20);
        pcv_test_rom(&f, 0xe0200001u, 0x800);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        prepare(&rig, &f);
        assert_int_equal(
            pcv_model_set_bar_hint(rig.model, DEV, rows[i].bar, rows[i].size),
            0);
        add(&rig, &info);
        check_bar(&info.bar[rows[i].bar], PCV_BAR_NONE, 0, 0, PCV_BAR_BROKEN);
        assert_int_equal(rig_events(&rig, PCV_EVENT_BAR_SIZE), 1);
        rig_close(&rig);
    }
}

/* HDR-4 */
static void functions_whose_registers_are_no_bars_are_left_alone(void **state)
{
    static const struct {
        uint16_t device;
        bool listed;
    } rows[] = {
        {0x2fc0, true},  {0x6f60, true},  {0x6fa0, true}, {0x6fc0, true},
        {0xa1ec, true},  {0xa1ed, true},  {0xa26c, true}, {0xa26d, true},
        {0x2fc1, false}, {0x100e, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pcv_test_function f;
        struct pcv_device_info info;
        struct rig rig;

        pcv_test_endpoint(&f, 0x8086, rows[i].device);
        pcv_test_bar32(&f, 0, 0xe0000000u, 0x1000);
        prepare(&rig, &f);
        add(&rig, &info);
        assert_int_equal(rig_writes(&rig) == 0, rows[i].listed);
        assert_int_equal(info.bar[0].kind,
                         rows[i].listed ? PCV_BAR_NONE : PCV_BAR_MEM32);
        rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_bar_is_found_with_its_size),
        cmocka_unit_test(a_bridge_has_two_bars_and_its_rom_elsewhere),
        cmocka_unit_test(what_is_no_power_of_two_is_refused_and_reported),
        cmocka_unit_test(a_64_bit_bar_in_the_last_place_is_broken),
        cmocka_unit_test(bars_are_sized_with_decoding_off_and_all_is_restored),
        cmocka_unit_test(a_host_that_fails_once_leaves_no_bar_changed),
        cmocka_unit_test(host_bridges_and_what_is_in_use_keep_decoding),
        cmocka_unit_test(a_stated_size_is_taken_without_touching_the_bar),
        cmocka_unit_test(a_stated_size_that_cannot_be_is_refused_and_reported),
        cmocka_unit_test(functions_whose_registers_are_no_bars_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

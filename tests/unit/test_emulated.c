/* SPDX-License-Identifier: MIT */
/* Emulated functions: what their registers and their BAR answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulated_fixture.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- registers -------------------------------------------------------------
 */

/* VBUS-6 */
static void it_reads_as_the_host_named_it(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint32_t value;
    } rows[] = {
        {PCV_REG_VENDOR, 4, 0x00e11b36},
        {PCV_REG_DEVICE, 2, 0x00e1},
        {PCV_REG_VENDOR + 1, 1, 0x1b},
        {PCV_REG_COMMAND, 4, 0},
        {PCV_REG_REVISION, 4, 0x08800003},
        {PCV_REG_CLASS, 1, 0},
        {PCV_REG_CLASS + 1, 2, 0x0880},
        {PCV_REG_CACHE_LINE, 4, 0}, /* type 0, one function */
        {PCV_REG_BAR0, 4, 0},
        {PCV_REG_BAR0 + 4, 4, 0},
        {PCV_REG_SUBSYSTEM_VENDOR, 4, 0x11001af4},
        {PCV_REG_SUBSYSTEM, 2, 0x1100},
        {PCV_REG_ROM0, 4, 0},
        {PCV_REG_CAPS, 4, 0},
        {PCV_REG_INT_LINE, 4, 0}, /* no pin */
        {0x40, 4, 0},
        {0xfc, 4, 0},
    };
    struct emu e;

    (void)state;
    emu_start(&e);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(emu_read(&e, rows[i].reg, rows[i].size),
                         rows[i].value);
    }
    emu_end(&e);
}

/* VBUS-6 */
static void only_decoding_interrupt_bits_and_the_bar_can_be_written(
    void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    for (uint16_t reg = 0; reg < PCV_CFG_SIZE; reg = (uint16_t)(reg + 4)) {
        uint32_t before = emu_read(&e, reg, 4);
        uint32_t changed;

        emu_write(&e, reg, 4, 0xffffffff);
        changed = emu_read(&e, reg, 4) ^ before;
        switch (reg) {
        case PCV_REG_COMMAND:
            assert_int_equal(changed, PCV_CMD_MEMORY | PCV_CMD_INTX_OFF);
            break;
        case PCV_REG_BAR0:
            assert_int_equal(changed, 0xffff0000);
            break;
        case PCV_REG_INT_LINE:
            assert_int_equal(changed, 0xff);
            break;
        default:
            assert_int_equal(changed, 0);
            break;
        }
    }
    emu_end(&e);
}

/* VBUS-6, CFG-4 */
static void a_write_to_a_part_leaves_the_rest(void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    emu_write(&e, PCV_REG_COMMAND + 1, 1, PCV_CMD_INTX_OFF >> 8);
    assert_int_equal(emu_read(&e, PCV_REG_COMMAND, 2), PCV_CMD_INTX_OFF);
    emu_write(&e, PCV_REG_COMMAND, 1, PCV_CMD_MEMORY);
    assert_int_equal(emu_read(&e, PCV_REG_COMMAND, 2),
                     PCV_CMD_INTX_OFF | PCV_CMD_MEMORY);
    emu_write(&e, PCV_REG_STATUS, 2, 0xffff);
    assert_int_equal(emu_read(&e, PCV_REG_COMMAND, 4),
                     PCV_CMD_INTX_OFF | PCV_CMD_MEMORY);
    emu_write(&e, EMU_REG_BAR(0) + 3, 1, 0xa0);
    emu_write(&e, EMU_REG_BAR(0) + 2, 1, 0x37);
    emu_write(&e, EMU_REG_BAR(0), 2, 0xffff);
    assert_int_equal(emu_read(&e, EMU_REG_BAR(0), 4), 0xa0370000);
    emu_write(&e, PCV_REG_INT_LINE + 1, 1, 0xff);
    emu_write(&e, PCV_REG_INT_LINE, 1, 0x5a);
    assert_int_equal(emu_read(&e, PCV_REG_INT_LINE, 4), 0x5a);
    emu_end(&e);
}

/* VBUS-6, HDR-4 */
static void its_bar_can_be_sized_and_moved(void **state)
{
    struct emu e;
    uint64_t value;

    (void)state;
    emu_start(&e);
    emu_switch_on(&e, EMU_AT);
    assert_int_equal(emu_store(&e, EMU_AT + 8, 4, 0x12345678), PCV_DONE);
    emu_write(&e, EMU_REG_BAR(0), 4, 0xffffffff); /* decoding stays on */
    assert_int_equal(emu_read(&e, EMU_REG_BAR(0), 4), 0xffff0000);
    assert_int_equal(emu_store(&e, EMU_AT + 8, 4, 0), PCV_FORWARD);
    assert_int_equal(emu_store(&e, 0xffff0008, 4, 0), PCV_FORWARD);
    emu_write(&e, EMU_REG_BAR(1), 4, 0xffffffff);
    assert_int_equal(emu_read(&e, EMU_REG_BAR(1), 4), 0);
    emu_write(&e, EMU_REG_BAR(0), 4, EMU_WINDOW);
    assert_int_equal(emu_load(&e, EMU_AT + 8, 4, &value), PCV_FORWARD);
    assert_int_equal(emu_load(&e, EMU_WINDOW + 8, 4, &value), PCV_DONE);
    assert_int_equal(value, 0x12345678);
    emu_end(&e);
}

/* VBUS-6, HDR-4 */
static void a_64_bit_bar_has_two_halves(void **state)
{
    const uint64_t window = 0xfff0000000000000u;
    struct emu e;
    uint64_t value;

    (void)state;
    emu_start_bare(&e);
    e.info.bar_64 = true;
    e.info.bar_size = 16;
    e.info.window.v = window;
    e.info.window_size = 0 - window; /* to the last byte there is */
    assert_int_equal(emu_create(&e), 0);
    assert_int_equal(emu_read(&e, EMU_REG_BAR(0), 4), PCV_BAR_TYPE_64);
    emu_write(&e, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    emu_write(&e, EMU_REG_BAR(0), 4, 0xffffffff);
    emu_write(&e, EMU_REG_BAR(1), 4, 0xffffffff);
    assert_int_equal(emu_read(&e, EMU_REG_BAR(0), 4), 0xfffffff4);
    assert_int_equal(emu_read(&e, EMU_REG_BAR(1), 4), 0xffffffff);
    assert_int_equal(emu_load(&e, UINT64_MAX - 15, 8, &value), PCV_FORWARD);
    assert_int_equal(emu_status(&e).bar.state, PCV_BAR_OUTSIDE);
    emu_write(&e, EMU_REG_BAR(0), 4, 0x00001230);
    emu_write(&e, EMU_REG_BAR(1), 4, 0xfff00000);
    e.mailbox.byte[8] = 0x99;
    assert_int_equal(emu_load(&e, window + 0x1238, 8, &value), PCV_DONE);
    assert_int_equal(value, 0x99);
    assert_int_equal(emu_status(&e).bar.address.v, window + 0x1230);
    assert_int_equal(emu_status(&e).bar.kind, PCV_BAR_MEM64);
    emu_end(&e);
}

/* ---- entrances -------------------------------------------------------------
 */

#define ECAM_BASE 0x1000000000u

static uint64_t by_ecam(struct emu *e, uint32_t offset, uint8_t size,
                        bool write, uint64_t data)
{
    struct pcv_access access = {0};
    const pcv_gpa address = {ECAM_BASE + ((uint64_t)EMU.v << 12) + offset};

    assert_int_equal(
        pcv_ecam_access(e->hardware, address, size, write, data, &access),
        PCV_DONE);
    return access.data;
}

static uint32_t by_port(struct emu *e, uint8_t reg, uint8_t size)
{
    struct pcv_access access = {0};

    assert_int_equal(pcv_port_access(e->hardware, PCV_PORT_ADDRESS, 4, true,
                                     0x80000000u | EMU.v << 8 | (reg & 0xfcu),
                                     &access),
                     PCV_DONE);
    assert_int_equal(pcv_port_access(e->hardware,
                                     (uint16_t)(PCV_PORT_DATA + (reg & 3u)),
                                     size, false, 0, &access),
                     PCV_DONE);
    return (uint32_t)access.data;
}

/* VBUS-6, CFG-1, CFG-2 */
static void every_entrance_reaches_it(void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    assert_int_equal(
        pcv_domain_add_ecam(e.hardware, (pcv_gpa){ECAM_BASE}, 0, 0, 255), 0);
    assert_int_equal(by_ecam(&e, 0, 4, false, 0), 0x00e11b36);
    assert_int_equal(by_ecam(&e, 2, 1, false, 0), 0xe1);
    assert_true(by_ecam(&e, 0, 8, false, 0) == 0x00e11b36);
    (void)by_ecam(&e, PCV_REG_COMMAND, 8, true, PCV_CMD_INTX_OFF);
    (void)by_ecam(&e, PCV_REG_BAR0, 8, true, EMU_AT); /* two of 4 */
    assert_int_equal(by_ecam(&e, PCV_REG_BAR0, 8, false, 0), EMU_AT);
    assert_int_equal(by_port(&e, 0, 4), 0x00e11b36);
    assert_int_equal(by_port(&e, PCV_REG_BAR0 + 3, 1), 0xa0);
    emu_end(&e);
}

/* VBUS-6, CFG-2 */
static void odd_widths_read_all_ones_and_write_nothing(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
    } rows[] = {
        {1, 2}, {2, 4}, {0, 3}, {0, 8}, {4096, 4}, {4095, 2}, {0, 0}, {0, 255},
    };
    struct emu e;

    (void)state;
    emu_start(&e);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pcv_access read = PCV_READ(EMU, rows[i].reg, rows[i].size);
        struct pcv_access write = PCV_WRITE(EMU, PCV_REG_COMMAND + 1u, 4, 2);

        assert_int_equal(pcv_access(e.hardware, &read), PCV_DONE);
        assert_true(
            read.data ==
            (rows[i].size >= 8 ? UINT64_MAX : (1ull << 8 * rows[i].size) - 1));
        assert_int_equal(pcv_access(e.hardware, &write), PCV_DONE);
    }
    assert_int_equal(emu_read(&e, PCV_REG_COMMAND, 2), 0);
    emu_end(&e);
}

/* VBUS-6, CFG-8 */
static void it_has_no_extended_space_and_no_other_function(void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    assert_int_equal(emu_read(&e, 0x100, 4), 0xffffffff);
    assert_int_equal(emu_read(&e, 0xffe, 2), 0xffff);
    emu_write(&e, 0x104, 4, PCV_CMD_MEMORY);
    assert_int_equal(emu_read(&e, PCV_REG_COMMAND, 2), 0);
    for (uint32_t fn = 1; fn < PCV_FUNCTIONS; fn++) {
        assert_true(emu_absent(&e, (pcv_sbdf){EMU.v | fn}));
    }
    assert_true(emu_absent(&e, pcv_test_at(0, 0, 10, 0)));
    assert_true(emu_absent(&e, pcv_test_at(0, 1, 9, 0)));
    assert_true(emu_absent(&e, pcv_test_at(1, 0, 9, 0)));
    emu_end(&e);
}

/* VBUS-6, VBUS-5 */
static void a_guest_does_not_see_it(void **state)
{
    struct pcv_access access = PCV_READ(EMU, 0, 4);
    struct pcv_mmio load = PCV_MMIO_READ(EMU_AT, 4);
    struct pcv_domain *guest;
    struct emu e;

    (void)state;
    emu_start(&e);
    emu_switch_on(&e, EMU_AT);
    assert_int_equal(pcv_domain_create(e.h.host, 7, &guest), 0);
    assert_int_equal(pcv_access(guest, &access), PCV_ABSENT);
    assert_int_equal(pcv_mmio_access(guest, &load), PCV_FORWARD);
    assert_int_equal(e.mailbox.reads, 0);
    emu_end(&e);
}

static void keep_trace(void *arg, const struct pcv_trace *record)
{
    *(struct pcv_trace *)arg = *record;
}

/* VBUS-6, CFG-9 */
static void accesses_are_counted_and_traced(void **state)
{
    struct pcv_trace last = {0};
    struct pcv_host_stats stats;
    struct emu e;
    uint64_t value;

    (void)state;
    emu_start(&e);
    pcv_model_on_trace(e.h.model, keep_trace, &last);
    pcv_host_set_trace(e.h.host, true);
    (void)emu_read(&e, 0, 4);
    assert_int_equal(last.verdict, PCV_DONE);
    assert_int_equal(last.data, 0x00e11b36);
    emu_switch_on(&e, EMU_AT);
    (void)emu_load(&e, EMU_AT, 4, &value);
    (void)emu_load(&e, EMU_AT + 1, 4, &value);
    (void)emu_store(&e, EMU_AT, 1, 0);
    assert_int_equal(emu_status(&e).reads, 2);
    assert_int_equal(emu_status(&e).writes, 5);
    assert_int_equal(emu_status(&e).refused, 1);
    pcv_host_get_stats(e.h.host, &stats);
    assert_int_equal(stats.refused_accesses, 1);
    assert_int_equal(stats.absent_accesses, 0);
    emu_end(&e);
}

/* ---- the BAR ---------------------------------------------------------------
 */

/* VBUS-6, HDR-7 */
static void its_bar_is_reached_while_decoding_is_on(void **state)
{
    struct emu e;
    uint64_t value = 0;

    (void)state;
    emu_start(&e);
    emu_write(&e, EMU_REG_BAR(0), 4, EMU_AT);
    assert_int_equal(emu_status(&e).bar.state, PCV_BAR_OFF);
    assert_int_equal(emu_load(&e, EMU_AT, 4, &value), PCV_FORWARD);
    emu_write(&e, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(emu_status(&e).bar.state, PCV_BAR_TRAPPED);
    assert_int_equal(emu_status(&e).bar.trapped_pages, EMU_BAR_SIZE / 4096);
    assert_int_equal(emu_load(&e, EMU_AT, 4, &value), PCV_DONE);
    assert_int_equal(emu_load(&e, EMU_AT + EMU_BAR_SIZE - 1, 1, &value),
                     PCV_DONE);
    assert_int_equal(emu_load(&e, EMU_AT - 1, 1, &value), PCV_FORWARD);
    assert_int_equal(emu_load(&e, EMU_AT + EMU_BAR_SIZE, 1, &value),
                     PCV_FORWARD);
    assert_false(emu_mapped(&e, EMU_AT));
    emu_write(&e, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(emu_load(&e, EMU_AT, 4, &value), PCV_FORWARD);
    assert_int_equal(e.mailbox.reads, 2);
    emu_end(&e);
}

/* VBUS-6 */
static void every_width_reaches_the_callbacks_as_it_is(void **state)
{
    static const uint8_t sizes[] = {1, 2, 4, 8};
    struct emu e;

    (void)state;
    emu_start(&e);
    emu_switch_on(&e, EMU_AT);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint8_t size = sizes[i];
        uint64_t ones = UINT64_MAX >> (64 - 8 * size);

        for (uint64_t offset = 0; offset < 64; offset += size) {
            uint64_t value = 0xf1e2d3c4b5a69788u + offset * 0x0101010101010101u;
            struct pcv_mmio load = PCV_MMIO_READ(EMU_AT + offset, size);

            assert_int_equal(emu_store(&e, EMU_AT + offset, size, value),
                             PCV_DONE);
            assert_true(e.mailbox.written == (value & ones));
            assert_int_equal(e.mailbox.size, size);
            assert_int_equal(e.mailbox.offset, offset);
            assert_int_equal(e.mailbox.bar, 0);
            e.mailbox.dirt = ~ones;
            assert_int_equal(pcv_mmio_access(e.hardware, &load), PCV_DONE);
            assert_true(load.data == (value & ones));
            assert_int_equal(load.sbdf.v, EMU.v);
        }
    }
    emu_end(&e);
}

/* VBUS-6, CFG-2 */
static void other_widths_and_alignments_do_not_reach_them(void **state)
{
    static const struct {
        uint32_t offset;
        uint8_t size;
        uint64_t reads;
    } rows[] = {
        {0, 0, 0},
        {0, 3, 0xffffffu},
        {0, 5, 0xffffffffffu},
        {0, 255, UINT64_MAX},
        {1, 2, 0xffffu},
        {2, 4, 0xffffffffu},
        {4, 8, UINT64_MAX},
        {EMU_BAR_SIZE - 1, 2, 0xffffu},
    };
    struct emu e;

    (void)state;
    emu_start(&e);
    emu_switch_on(&e, EMU_AT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t at = EMU_AT + rows[i].offset;
        uint64_t value = 1;

        assert_int_equal(emu_store(&e, at, rows[i].size, 0), PCV_DONE);
        assert_int_equal(emu_load(&e, at, rows[i].size, &value), PCV_DONE);
        assert_true(value == rows[i].reads);
        assert_int_equal(emu_status(&e).refused, 2 * (i + 1));
    }
    assert_int_equal(e.mailbox.reads + e.mailbox.writes, 0);
    emu_end(&e);
}

/* VBUS-6, PORT-3 */
static void a_callback_may_fail_or_ask_for_the_access_again(void **state)
{
    struct emu e;
    uint64_t value = 0;

    (void)state;
    emu_start(&e);
    emu_switch_on(&e, EMU_AT);
    e.mailbox.error = -PCV_EIO;
    assert_int_equal(emu_load(&e, EMU_AT, 2, &value), PCV_DONE);
    assert_int_equal(value, 0xffff);
    assert_int_equal(emu_store(&e, EMU_AT, 2, 7), PCV_DONE);
    assert_int_equal(e.mailbox.byte[0], 0);
    e.mailbox.error = -PCV_ERESTART;
    assert_int_equal(emu_load(&e, EMU_AT, 2, &value), PCV_RETRY);
    assert_int_equal(emu_store(&e, EMU_AT, 2, 7), PCV_RETRY);
    e.mailbox.error = 0;
    assert_int_equal(emu_store(&e, EMU_AT, 2, 7), PCV_DONE);
    assert_int_equal(e.mailbox.byte[0], 7);
    emu_end(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_reads_as_the_host_named_it),
        cmocka_unit_test(
            only_decoding_interrupt_bits_and_the_bar_can_be_written),
        cmocka_unit_test(a_write_to_a_part_leaves_the_rest),
        cmocka_unit_test(its_bar_can_be_sized_and_moved),
        cmocka_unit_test(a_64_bit_bar_has_two_halves),
        cmocka_unit_test(every_entrance_reaches_it),
        cmocka_unit_test(odd_widths_read_all_ones_and_write_nothing),
        cmocka_unit_test(it_has_no_extended_space_and_no_other_function),
        cmocka_unit_test(a_guest_does_not_see_it),
        cmocka_unit_test(accesses_are_counted_and_traced),
        cmocka_unit_test(its_bar_is_reached_while_decoding_is_on),
        cmocka_unit_test(every_width_reaches_the_callbacks_as_it_is),
        cmocka_unit_test(other_widths_and_alignments_do_not_reach_them),
        cmocka_unit_test(a_callback_may_fail_or_ask_for_the_access_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

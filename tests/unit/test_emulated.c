/* SPDX-License-Identifier: MIT */
/* Emulated functions: what their registers and their BAR answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulated_fixture.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

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

/* VBUS-6, HDR-4 */
static void its_bar_can_be_sized_and_moved(void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    emu_write(&e, EMU_REG_BAR(0), 4, 0xffffffff);
    assert_int_equal(emu_read(&e, EMU_REG_BAR(0), 4), 0xffff0000);
    emu_write(&e, EMU_REG_BAR(1), 4, 0xffffffff);
    assert_int_equal(emu_read(&e, EMU_REG_BAR(1), 4), 0);
    emu_switch_on(&e, EMU_AT);
    assert_int_equal(emu_read(&e, EMU_REG_BAR(0), 4), EMU_AT);
    assert_int_equal(emu_store(&e, EMU_AT + 8, 4, 0x12345678), PCV_DONE);
    emu_write(&e, EMU_REG_BAR(0), 4, EMU_WINDOW);
    assert_int_equal(emu_store(&e, EMU_AT + 8, 4, 0), PCV_FORWARD);
    {
        uint64_t value;

        assert_int_equal(emu_load(&e, EMU_WINDOW + 8, 4, &value), PCV_DONE);
        assert_int_equal(value, 0x12345678);
    }
    emu_end(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_reads_as_the_host_named_it),
        cmocka_unit_test(its_bar_can_be_sized_and_moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

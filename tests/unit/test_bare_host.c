/* SPDX-License-Identifier: MIT */
/*
 * Hosts without the operations that none needs to have (PORT-1), and
 * hosts whose answers to them make no sense.
 */
#include "guest_fixture.h"

#include <string.h>

/* DEV with BARs of a page and of 16 bytes, and MSI-X in the first. */
static uint8_t add_card(struct guest *g)
{
    struct pcv_test_function f;
    uint8_t msix;

    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, HOST_A, 0x4000);
    pcv_test_bar32(&f, 1, HOST_A_SMALL, 16);
    msix = pcv_test_msix(&f, 4, 0, 0x1000, 0x2000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(g->rig.model, &f, DEV);
    return msix;
}

static void write_bars(struct guest *g, pcv_sbdf at)
{
    guest_write(g, at, REG_BAR(0), 4, WIN);
    guest_write(g, at, REG_BAR(1), 4, WIN + 0x10000u);
    guest_write(g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
}

/* ---- interrupt pins --------------------------------------------------------
 */

static int pin;

static int answer_pin(void *ctx, uint32_t domain_id, pcv_sbdf sbdf)
{
    (void)ctx;
    (void)domain_id;
    (void)sbdf;
    return pin;
}

static uint32_t pin_of_guest(bool has_operation)
{
    struct guest g;
    uint32_t seen;
    pcv_sbdf at;

    guest_open(&g);
    (void)add_card(&g);
    g.rig.ops.intx_pin = has_operation ? answer_pin : NULL;
    guest_boot(&g);
    at = guest_give(&g, DEV, NULL);
    seen = guest_read(&g, at, PCV_REG_INT_PIN, 1);
    guest_close(&g);
    return seen;
}

/* HDR-15: a guest has the pin that the host gives it, or none. */
static void a_pin_that_does_not_exist_is_none(void **state)
{
    static const int pins[] = {-5, -1, 0, 1, 4, 5, 256, 257};

    (void)state;
    for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++) {
        pin = pins[i];
        assert_int_equal(pin_of_guest(true),
                         pin >= 1 && pin <= 4 ? (uint32_t)pin : 0);
    }
    pin = 1;
    assert_int_equal(pin_of_guest(false), 0);
}

/* ---- sizing ----------------------------------------------------------------
 */

/* HDR-4, PORT-1 */
static void bars_are_sized_without_hints_and_flags(void **state)
{
    struct pcv_device_info info;
    struct guest g;

    (void)state;
    guest_open(&g);
    (void)add_card(&g);
    g.rig.ops.bar_hint = NULL;
    g.rig.ops.function_flags = NULL;
    guest_boot(&g);
    rig_info(&g.rig, DEV, &info);
    assert_int_equal(info.bar[0].size, 0x4000);
    assert_int_equal(info.bar[1].size, 16);
    assert_int_equal(pcv_model_peek(g.rig.model, DEV, PCV_REG_COMMAND, 2),
                     PCV_CMD_MEMORY);
    guest_close(&g);
}

/* ---- mapping ---------------------------------------------------------------
 */

/* HDR-11, PORT-1: what nobody permits or can map is nowhere; MSI-X, whose table
 * could not be reached, is hidden. */
static void nothing_is_mapped_where_the_host_cannot_say_or_map(void **state)
{
    (void)state;
    for (uint32_t without = 0; without < 2; without++) {
        struct guest g;
        pcv_sbdf at;
        uint64_t data;

        guest_open(&g);
        (void)add_card(&g);
        if (without == 0) {
            g.rig.ops.mmio_permitted = NULL;
        } else {
            g.rig.ops.map = NULL;
            g.rig.ops.unmap = NULL;
        }
        guest_boot(&g);
        assert_int_equal(guest_pages(&g), 0);
        at = guest_give(&g, DEV, NULL);
        write_bars(&g, at);
        assert_int_equal(guest_pages(&g), 0);
        assert_int_equal(guest_bar(&g, DEV, 0).state, PCV_BAR_OUTSIDE);
        assert_int_equal(guest_bar(&g, DEV, 1).state, PCV_BAR_TRAPPED);
        assert_int_equal(guest_load(&g, WIN, 4, &data), PCV_FORWARD);
        /* A trapped one is reached only with the host's word. */
        pcv_model_mmio_poke(g.rig.model, DEV, 1, 0, 4, 0x1234);
        assert_int_equal(guest_load(&g, WIN + 0x10000u, 4, &data), PCV_DONE);
        assert_int_equal(data, without == 0 ? 0xffffffffu : 0x1234);
        guest_close(&g);
    }
}

/* MSIX-1, CAP-3, PORT-1 */
static void msix_is_hidden_where_nobody_permits_its_table(void **state)
{
    struct guest g;
    uint8_t msix;
    pcv_sbdf at;

    (void)state;
    guest_open(&g);
    msix = add_card(&g);
    g.rig.ops.mmio_permitted = NULL;
    guest_boot(&g);
    rig_write(&g.rig, DEV, msix + 2u, 2, 0x8000);
    assert_int_equal(pcv_model_peek(g.rig.model, DEV, msix + 2u, 2) & 0x8000u,
                     0);
    at = guest_give(&g, DEV, NULL);
    assert_int_equal(guest_read(&g, at, msix, 2), 0);
    guest_close(&g);
}

/* HDR-10, PORT-1: without a way to end a guest, a map that fails leaves
 * decoding off and nothing mapped. */
static void a_failing_map_of_a_host_that_ends_no_guests_is_undone(void **state)
{
    struct guest g;
    pcv_sbdf at;

    (void)state;
    guest_open(&g);
    (void)add_card(&g);
    g.rig.ops.crash = NULL;
    guest_boot(&g);
    at = guest_give(&g, DEV, NULL);
    pcv_model_fail(g.rig.model, PCV_MODEL_OP_map, 1);
    write_bars(&g, at);
    assert_int_equal(guest_pages(&g), 0);
    assert_int_equal(guest_read(&g, at, PCV_REG_COMMAND, 2), 0);
    assert_int_equal(pcv_model_crashes(g.rig.model, NULL), 0);
    assert_int_equal(rig_events(&g.rig, PCV_EVENT_MAP_FAILED), 1);
    guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_true(guest_mapped(&g, WIN, 0x1000));
    guest_close(&g);
}

/* HDR-5, PORT-1: a trap needs somebody who reaches the device. */
static void a_trap_without_mmio_reads_all_ones(void **state)
{
    struct guest g;
    pcv_sbdf at;
    uint64_t data;

    (void)state;
    guest_open(&g);
    (void)add_card(&g);
    g.rig.ops.mmio_read = NULL;
    g.rig.ops.mmio_write = NULL;
    guest_boot(&g);
    at = guest_give(&g, DEV, NULL);
    write_bars(&g, at);
    assert_int_equal(guest_load(&g, WIN + 0x10000u, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xffffffffu);
    assert_int_equal(guest_store(&g, WIN + 0x10000u, 4, 5), PCV_DONE);
    assert_int_equal(pcv_model_mmio_peek(g.rig.model, DEV, 1, 0, 4), 0);
    guest_close(&g);
}

/* CAP-6: an image of no bytes is none. */
static void a_rom_of_no_bytes_is_none(void **state)
{
    const struct pcv_assign_policy policies[] = {
        {.rom = "", .rom_size = 0},
        {.rom = NULL, .rom_size = 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        struct guest g;
        pcv_sbdf at;

        guest_open(&g);
        (void)add_card(&g);
        guest_boot(&g);
        at = guest_give(&g, DEV, &policies[i]);
        guest_write(&g, at, PCV_REG_ROM0, 4, 0xffffffffu);
        assert_int_equal(guest_read(&g, at, PCV_REG_ROM0, 4), 0);
        guest_close(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pin_that_does_not_exist_is_none),
        cmocka_unit_test(bars_are_sized_without_hints_and_flags),
        cmocka_unit_test(nothing_is_mapped_where_the_host_cannot_say_or_map),
        cmocka_unit_test(msix_is_hidden_where_nobody_permits_its_table),
        cmocka_unit_test(a_failing_map_of_a_host_that_ends_no_guests_is_undone),
        cmocka_unit_test(a_trap_without_mmio_reads_all_ones),
        cmocka_unit_test(a_rom_of_no_bytes_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

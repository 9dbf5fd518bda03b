/* SPDX-License-Identifier: MIT */
/*
 * Registers read and written at moments when something else is under way, and
 * functions that are found in an odd state.
 */
#include "map_fixture.h"

#include <string.h>

/* HDR-6: a ROM's register reads as it will be while the ROM moves; no other
 * register does. */
static void a_rom_on_its_way_reads_its_new_address(void **state)
{
    struct pcv_access access;
    uint64_t data = 0;
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    rig_write(&rig, DEV, PCV_REG_ROM0, 4, ROM | PCV_ROM_ENABLE);
    assert_true((map_which(&rig) & 1u << 6) != 0);
    pcv_model_set_map_chunk(rig.model, 1);
    access = PCV_WRITE(DEV, PCV_REG_ROM0, 4, 0xe0041abcu | PCV_ROM_ENABLE);
    assert_int_equal(pcv_access(rig.dom0, &access), PCV_PENDING);
    assert_int_equal(rig_try_read(&rig, DEV, PCV_REG_ROM0, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xe0040000u | PCV_ROM_ENABLE);
    assert_int_equal(rig_try_read(&rig, DEV, PCV_REG_COMMAND, 2, &data),
                     PCV_DONE);
    assert_int_equal(data, PCV_CMD_MEMORY);
    assert_int_equal(rig_try_read(&rig, DEV, REG_BAR(0), 4, &data), PCV_DONE);
    assert_int_equal(data, BAR0);
    (void)rig_settle(&rig, &access);
    assert_int_equal(rig_read(&rig, DEV, PCV_REG_ROM0, 4),
                     0xe0040000u | PCV_ROM_ENABLE);
    assert_true(rig_mapped(&rig, 0xe0040000u, 0x2000));
    rig_close(&rig);
}

/* HDR-12, SRIOV-3: a ROM that may not be asked about is as it was known. */
static void looking_at_bars_asks_no_function_that_settles(void **state)
{
    struct pcv_bar_view bars[PCV_BARS];
    struct pcv_device *device;
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    pcv_model_set_clock(rig.model, true);
    rig_write(&rig, DEV, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    device = pcv_device_find(rig.host, DEV);
    rig_forget(&rig);
    pcv_device_bars(device, bars);
    assert_int_equal(rig.logged, 0);
    assert_int_equal(bars[6].state, PCV_BAR_OFF);
    assert_int_equal(bars[6].size, 0x2000);
    assert_int_equal(pcv_model_early_accesses(rig.model), 0);
    pcv_device_put(device);
    rig_close(&rig);
}

/* ---- power -----------------------------------------------------------------
 */

/* What is mapped of a function that is found decoding with this in its power
 * management register. */
static uint64_t pages_of(uint32_t power)
{
    struct pcv_test_function f;
    struct rig rig;
    uint64_t pages;
    uint8_t pm;

    rig_open(&rig);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, BAR0, 0x4000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pm = pcv_test_pm(&f, true);
    pcv_test_set(&f, pm + (uint32_t)PCV_PM_CONTROL, 2, power);
    pcv_test_add(rig.model, &f, DEV);
    rig_create(&rig);
    assert_int_equal(pcv_device_add(rig.host, DEV, NULL), 0);
    pages = pcv_model_mapped_pages(rig.model);
    assert_int_equal(rig_mapped(&rig, BAR0, 0x4000), pages != 0);
    rig_close(&rig);
    return pages;
}

/* PM-1: what is found asleep is not mapped; all ones is no state. */
static void a_function_that_is_found_asleep_is_not_mapped(void **state)
{
    (void)state;
    assert_int_equal(pages_of(PCV_PM_NO_SOFT_RESET), 4);
    assert_int_equal(pages_of(PCV_PM_NO_SOFT_RESET | PCV_PM_D3HOT), 0);
    assert_int_equal(pages_of(0xffff), 4);
}

/* ---- hosts that fail -------------------------------------------------------
 */

/* HDR-10, PORT-3: a map fails, and so does the write that switches decoding
 * off: that is tried again. */
static void decoding_goes_off_though_the_host_fails_in_that(void **state)
{
    uint64_t failed = 0;

    (void)state;
    for (uint64_t n = 1; n < 8; n++) {
        struct rig rig;
        uint64_t writes;

        map_boot(&rig, 0);
        writes = pcv_model_calls(rig.model, PCV_MODEL_OP_cfg_write);
        pcv_model_fail(rig.model, PCV_MODEL_OP_map, 3);
        pcv_model_fail(rig.model, PCV_MODEL_OP_cfg_write, n);
        rig_write(&rig, DEV, PCV_REG_COMMAND, 2,
                  PCV_CMD_MEMORY | PCV_CMD_MASTER);
        failed +=
            pcv_model_calls(rig.model, PCV_MODEL_OP_cfg_write) - writes >= n;
        pcv_model_fail(rig.model, PCV_MODEL_OP_cfg_write, 0);
        assert_int_equal(rig_events(&rig, PCV_EVENT_MAP_FAILED), 1);
        assert_int_equal(pcv_model_mapped_pages(rig.model), 0);
        assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_COMMAND, 2) &
                             PCV_CMD_MEMORY,
                         0);
        rig_close(&rig);
    }
    assert_true(failed != 0);
}

/* CFG-5, PORT-3: bits that are to stay as they are must be known, or nothing is
 * written. */
static void bits_to_preserve_are_not_written_unread(void **state)
{
    static const struct pcv_register half = {
        .name = "preserved in part",
        .offset = 0x80,
        .size = 2,
        .policy = {.hardware = 0x0ff0, .preserve = 0xf00f},
    };

    (void)state;
    for (uint64_t n = 0; n < 2; n++) {
        struct pcv_test_function f;
        struct pcv_device *device;
        struct rig rig;

        rig_open(&rig);
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
        pcv_test_add(rig.model, &f, DEV);
        rig_boot(&rig);
        device = pcv_device_find(rig.host, DEV);
        assert_int_equal(pcv_register_add(device, &half, NULL), 0);
        pcv_model_poke(rig.model, DEV, half.offset, 2, 0x5a5a);
        rig_forget(&rig);
        pcv_model_fail(rig.model, PCV_MODEL_OP_cfg_read, n);
        rig_write(&rig, DEV, half.offset, 2, 0x1111);
        pcv_model_fail(rig.model, PCV_MODEL_OP_cfg_read, 0);
        assert_int_equal(rig_touched(&rig, half.offset, true), 1 - n);
        if (n == 0) {
            assert_int_equal(rig.log[rig.logged - 1].value, 0x511a);
        }
        pcv_device_put(device);
        rig_close(&rig);
    }
}

static uint32_t read_seven(struct pcv_device *device,
                           const struct pcv_register *reg, void *data)
{
    (void)device;
    (void)reg;
    (void)data;
    return 7;
}

/* CFG-5: a register with a reader of its own and no writer says so. */
static void a_register_that_is_only_read_says_so(void **state)
{
    static const struct pcv_register_ops ops = {.read = read_seven};
    static const struct pcv_register seven = {
        .name = "seven",
        .offset = 0x80,
        .size = 2,
        .policy = {.virt = 0xffff},
        .ops = &ops,
    };
    struct pcv_register_info info;
    struct pcv_device *device;
    struct rig rig;

    (void)state;
    map_boot(&rig, 0);
    device = pcv_device_find(rig.host, DEV);
    assert_int_equal(pcv_register_add(device, NULL, NULL), -PCV_EINVAL);
    assert_int_equal(pcv_register_add(device, &seven, NULL), 0);
    assert_true(pcv_register_next(device, 0x80, &info));
    assert_true(info.reads);
    assert_false(info.writes);
    assert_int_equal(rig_read(&rig, DEV, 0x80, 2), 7);
    pcv_device_put(device);
    rig_close(&rig);
}

/* ---- capabilities ----------------------------------------------------------
 */

/* PCIE-1, CAP-3: flags of all ones are no version. */
static void a_pcie_capability_of_all_ones_is_hidden_from_guests(void **state)
{
    struct pcv_test_function f;
    struct pcv_domain *guest;
    int error = -PCV_ERESTART;
    struct rig rig;
    pcv_sbdf at;

    (void)state;
    rig_open(&rig);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    (void)pcv_test_af(&f);
    pcv_test_add(rig.model, &f, DEV);
    rig_boot(&rig);
    assert_int_equal(pcv_domain_create(rig.host, 7, &guest), 0);
    pcv_model_poke(rig.model, DEV, 0x40 + PCV_PCIE_FLAGS, 2, 0xffff);
    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_assign(rig.host, DEV, guest, NULL, &at);
    }
    if (error == 0) {
        struct pcv_access access = PCV_READ(at, 0x40, 4);

        assert_int_equal(pcv_access(guest, &access), PCV_DONE);
        assert_int_equal(access.data, 0);
    }
    assert_int_equal(error, 0);
    rig_close(&rig);
}

/* CAP-6, CAP-7: the policy's word is about the capability that it names, of the
 * list that it names; a copy ends where the next one begins. */
static void a_policy_shows_what_it_names_and_no_more(void **state)
{
    static const struct {
        struct pcv_cap_choice choice[2];
        bool shown;
    } rows[] = {
        {{{.id = PCV_CAP_ID_VENDOR, .show = true}}, true},
        {{{.id = PCV_CAP_ID_PM}, {.id = PCV_CAP_ID_VENDOR, .show = true}},
         true},
        {{{.id = PCV_CAP_ID_VENDOR, .extended = true, .show = true}}, false},
        {{{.id = PCV_CAP_ID_VENDOR, .show = false}}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_assign_policy policy = {.cap_count = 2};
        struct pcv_access access;
        struct pcv_test_function f;
        struct pcv_domain *guest;
        int error = -PCV_ERESTART;
        struct rig rig;
        uint8_t vendor;
        pcv_sbdf at;

        memcpy(policy.caps, rows[i].choice, sizeof(rows[i].choice));
        policy.cap_count = rows[i].choice[1].id != 0 ? 2 : 1;
        rig_open(&rig);
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
        vendor = pcv_test_cap(&f, PCV_CAP_ID_VENDOR, 8);
        pcv_test_set(&f, vendor + 2u, 1, 0x40); /* more than there is room */
        pcv_test_set(&f, vendor + 4u, 4, 0xcafef00du);
        (void)pcv_test_pm(&f, true);
        (void)pcv_test_msi(&f, 0x0080);
        pcv_test_add(rig.model, &f, DEV);
        rig_boot(&rig);
        assert_int_equal(pcv_domain_create(rig.host, 7, &guest), 0);
        for (int n = 0; n < 100 && error == -PCV_ERESTART; n++) {
            error = pcv_device_assign(rig.host, DEV, guest, &policy, &at);
        }
        assert_int_equal(error, 0);
        access = PCV_READ(at, vendor + 4u, 4);
        assert_int_equal(pcv_access(guest, &access), PCV_DONE);
        assert_int_equal(access.data, rows[i].shown ? 0xcafef00du : 0);
        access = PCV_READ(at, vendor + 8u, 1);
        assert_int_equal(pcv_access(guest, &access), PCV_DONE);
        assert_int_not_equal(access.data, PCV_CAP_ID_VENDOR);
        rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rom_on_its_way_reads_its_new_address),
        cmocka_unit_test(looking_at_bars_asks_no_function_that_settles),
        cmocka_unit_test(a_function_that_is_found_asleep_is_not_mapped),
        cmocka_unit_test(decoding_goes_off_though_the_host_fails_in_that),
        cmocka_unit_test(bits_to_preserve_are_not_written_unread),
        cmocka_unit_test(a_register_that_is_only_read_says_so),
        cmocka_unit_test(a_pcie_capability_of_all_ones_is_hidden_from_guests),
        cmocka_unit_test(a_policy_shows_what_it_names_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * A function that the hypervisor drives itself: what the hardware domain reads
 * and writes of it, and how it comes to be one.
 */
#include "engine_fixture.h"

#include "console.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define ONES 0xffffffffu

/* ---- what is seen ---------------------------------------------------------
 */

static bool is_bar(uint16_t reg)
{
    return (reg >= PCV_REG_BAR0 && reg < PCV_REG_BAR0 + 24u) ||
           (reg & ~3u) == PCV_REG_ROM0;
}

/* OWN-8 */
static void every_register_is_hardwares_and_no_write_reaches_it(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    for (uint16_t reg = 0; reg < PCV_CFG_EXT_SIZE; reg++) {
        for (uint8_t size = 1; size <= 4; size = (uint8_t)(size * 2u)) {
            uint32_t before = pcv_model_peek(g.rig.model, DEV, reg, size);

            if (reg % size != 0 || is_bar(reg)) {
                continue;
            }
            assert_int_equal(rig_read(&g.rig, DEV, reg, size), before);
            rig_write(&g.rig, DEV, reg, size, ~before);
            assert_int_equal(rig_read(&g.rig, DEV, reg, size), before);
        }
    }
    assert_int_equal(rig_writes(&g.rig), 0);
    guest_close(&g);
}

/* OWN-8, CFG-9 */
static void a_dropped_write_is_counted_as_refused(void **state)
{
    struct pcv_device_counters before, after;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    before = rig_status(&g.rig, DEV).counters;
    rig_write(&g.rig, DEV, PCV_REG_COMMAND, 2, 0);
    rig_write(&g.rig, DEV, PCV_REG_STATUS, 2, 0xffff);
    rig_write(&g.rig, DEV, REG_BAR(1), 4, ONES);
    (void)rig_read(&g.rig, DEV, REG_BAR(1), 4);
    after = rig_status(&g.rig, DEV).counters;
    assert_int_equal(after.refused - before.refused, 2);
    assert_int_equal(after.writes - before.writes, 3);
    assert_int_equal(after.reads - before.reads, 1);
    guest_close(&g);
}

/* OWN-8: as Linux sizes a BAR, puts it back, and moves it. */
static void each_kind_of_bar_can_be_sized_and_moved_by_its_register(
    void **state)
{
    static const struct {
        uint16_t reg;
        uint32_t begins, sizes, moved, reads;
    } rows[] = {
        {REG_BAR(0), PORTS | 1u, 0xfffffff9, 0xd00c, 0xd009},
        {REG_BAR(1), REGS, 0xffffff00, 0xd0000180, 0xd0000100},
        {REG_BAR(2), 4, 0xffff0004, 0xd0018000, 0xd0010004},
        {REG_BAR(3), 0x40, 0xffffffff, 0x51, 0x51},
        {REG_BAR(4), LOW, 0xffffc000, 0x12345678, 0x12344000},
        {REG_BAR(5), 0, 0, ONES, 0},
        {PCV_REG_ROM0, FIRMWARE | 1u, 0xffffe001, 0xd0003800, 0xd0002000},
    };
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint16_t reg = rows[i].reg;

        assert_int_equal(rig_read(&g.rig, DEV, reg, 4), rows[i].begins);
        rig_write(&g.rig, DEV, reg, 4, ONES);
        assert_int_equal(rig_read(&g.rig, DEV, reg, 4), rows[i].sizes);
        rig_write(&g.rig, DEV, reg, 4, rows[i].begins);
        assert_int_equal(rig_read(&g.rig, DEV, reg, 4), rows[i].begins);
        rig_write(&g.rig, DEV, reg, 4, rows[i].moved);
        assert_int_equal(rig_read(&g.rig, DEV, reg, 4), rows[i].reads);
        assert_int_equal(pcv_model_peek(g.rig.model, DEV, reg, 4),
                         rows[i].begins);
    }
    assert_int_equal(rig_writes(&g.rig), 0);
    guest_close(&g);
}

/* OWN-8, CFG-2, CFG-4 */
static void part_of_a_bars_register_is_written_alone(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    rig_write(&g.rig, DEV, REG_BAR(4) + 3u, 1, 0xd1);
    rig_write(&g.rig, DEV, REG_BAR(4), 2, ONES);
    assert_int_equal(rig_read(&g.rig, DEV, REG_BAR(4), 4), 0xd102c000);
    assert_int_equal(rig_read(&g.rig, DEV, REG_BAR(4) + 2u, 2), 0xd102);
    assert_int_equal(rig_writes(&g.rig), 0);
    guest_close(&g);
}

/* OWN-8, CFG-7: neither a handler nor a lock. */
static void reading_it_takes_no_lock(void **state)
{
    struct pcv_device *device;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    device = pcv_device_find(g.rig.host, DEV);
    pcv__lock_take(&device->host->mem, &device->lock);
    for (uint16_t reg = 0; reg < PCV_CFG_EXT_SIZE; reg += 4) {
        (void)rig_read(&g.rig, DEV, reg, 4);
    }
    pcv__lock_drop(&device->host->mem, &device->lock);
    pcv_device_put(device);
    guest_close(&g);
}

/* OWN-8, CFG-6: a register that the host adds may be virtual, no more. */
static void a_register_of_the_hosts_writes_nothing_either(void **state)
{
    static const struct pcv_register added[] = {
        {.name = "Command",
         .offset = PCV_REG_COMMAND,
         .size = 2,
         .policy = {.hardware = 0xffff}},
        {.name = "Scratch",
         .offset = 0xf0,
         .size = 4,
         .policy = {.virt = ONES},
         .initial = 5},
    };
    struct pcv_device *device;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    device = pcv_device_find(g.rig.host, DEV);
    for (size_t i = 0; i < COUNT(added); i++) {
        assert_int_equal(pcv_register_add(device, &added[i], NULL), 0);
    }
    pcv_device_put(device);
    rig_write(&g.rig, DEV, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(rig_read(&g.rig, DEV, PCV_REG_COMMAND, 2) & DECODES,
                     DECODES);
    assert_int_equal(rig_read(&g.rig, DEV, 0xf0, 4), 5);
    rig_write(&g.rig, DEV, 0xf0, 4, 6);
    assert_int_equal(rig_read(&g.rig, DEV, 0xf0, 4), 6);
    assert_int_equal(rig_writes(&g.rig), 0);
    guest_close(&g);
}

/* OWN-8: a table of what is seen tells whose each bit is. */
static void its_registers_are_listed_as_what_they_are(void **state)
{
    struct pcv_register_info info;
    struct pcv_device *device;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    device = pcv_device_find(g.rig.host, DEV);
    assert_true(pcv_register_next(device, REG_BAR(4), &info));
    assert_string_equal(info.name, "BAR 4");
    assert_int_equal(info.policy.virt, 0xffffc000);
    assert_int_equal(info.policy.constant, 0x3fff);
    assert_int_equal(info.initial, LOW);
    assert_false(info.reads || info.writes);
    assert_true(pcv_register_next(device, PCV_REG_COMMAND, &info));
    assert_null(info.name);
    pcv_device_put(device);
    guest_close(&g);
}

/* OWN-8: what a broken BAR holds would look like one without a size. */
static void a_register_without_a_known_bar_reads_zero(void **state)
{
    struct pcv_test_function f;
    struct guest g;

    (void)state;
    guest_open(&g);
    pcv_test_endpoint(&f, 0x1b36, 0x0002);
    pcv_test_bar32(&f, 0, REGS, 256);
    pcv_test_bar32(&f, 1, LOW, 0x4000);
    pcv_test_add(g.rig.model, &f, DEV);
    assert_int_equal(pcv_model_set_bar_hint(g.rig.model, DEV, 0, 0), 0);
    assert_int_equal(pcv_model_set_bar_hint(g.rig.model, DEV, 1, 0x3000), 0);
    guest_boot(&g);
    console_declare(&g);
    for (unsigned bar = 0; bar < 2; bar++) {
        assert_int_equal(rig_read(&g.rig, DEV, REG_BAR(bar), 4), 0);
        rig_write(&g.rig, DEV, REG_BAR(bar), 4, ONES);
        assert_int_equal(rig_read(&g.rig, DEV, REG_BAR(bar), 4), 0);
    }
    guest_close(&g);
}

/* OWN-8, HDR-4: registers of a function whose BARs are none. */
static void what_is_no_bar_stays_hardwares(void **state)
{
    struct pcv_test_function f;
    struct guest g;

    (void)state;
    guest_open(&g);
    pcv_test_endpoint(&f, 0x8086, 0x2fc0);
    pcv_test_set(&f, PCV_REG_BAR0, 4, 0x1234567b);
    pcv_test_add(g.rig.model, &f, DEV);
    guest_boot(&g);
    console_declare(&g);
    rig_write(&g.rig, DEV, REG_BAR(0), 4, ONES);
    assert_int_equal(rig_read(&g.rig, DEV, REG_BAR(0), 4), 0x1234567b);
    guest_close(&g);
}

/* ---- becoming one ----------------------------------------------------------
 */

/* OWN-1, OWN-8, LIFE-2 */
static void its_owner_is_the_hypervisor_and_the_hardware_domain_finds_it(
    void **state)
{
    struct pcv_device_info info;
    struct pcv_device *device;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    rig_info(&g.rig, DEV, &info);
    assert_false(info.read_only);
    assert_int_equal(pcv_device_set_read_only(g.rig.host, DEV), 0);
    assert_int_equal(rig_events(&g.rig, PCV_EVENT_ASSIGNED), 1);
    rig_info(&g.rig, DEV, &info);
    assert_true(info.read_only);
    assert_int_equal(info.owner_id, PCV_DOMAIN_ID_HYPERVISOR);
    assert_int_equal(pcv_model_dma_domain(g.rig.model, DEV),
                     PCV_DOMAIN_ID_HYPERVISOR);
    device = pcv_device_find_owned(g.rig.dom0, DEV);
    assert_non_null(device);
    pcv_device_put(device);
    assert_null(pcv_device_find_owned(g.domain, DEV));
    guest_close(&g);
}

/* OWN-8 */
static void a_second_declaration_changes_nothing(void **state)
{
    uint64_t bytes;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    rig_write(&g.rig, DEV, REG_BAR(1), 4, 0xd0000000);
    bytes = pcv_model_bytes(g.rig.model);
    assert_int_equal(pcv_device_set_read_only(g.rig.host, DEV), 0);
    assert_int_equal(rig_events(&g.rig, PCV_EVENT_ASSIGNED), 0);
    assert_int_equal(rig_read(&g.rig, DEV, REG_BAR(1), 4), 0xd0000000);
    assert_int_equal(pcv_model_bytes(g.rig.model), bytes);
    guest_close(&g);
}

/* OWN-8: hardware goes on as the hypervisor's driver has it. */
static void nothing_of_the_hardware_domain_stays_and_hardware_goes_on(
    void **state)
{
    struct guest g;
    uint8_t msi;

    (void)state;
    msi = console_open(&g);
    rig_write(&g.rig, DEV, (uint16_t)(msi + 4u), 4, 0xfee00000);
    rig_write(&g.rig, DEV, (uint16_t)(msi + 8u), 2, 0x41);
    rig_write(&g.rig, DEV, (uint16_t)(msi + 2u), 2, 1);
    assert_int_equal(pcv_model_bound(g.rig.model, NULL), 1);
    assert_true(rig_mapped(&g.rig, HIGH, 0x10000));
    console_declare(&g);
    assert_int_equal(pcv_model_bound(g.rig.model, NULL), 0);
    assert_false(rig_mapped(&g.rig, HIGH, 0x10000));
    assert_false(rig_mapped(&g.rig, REGS, 256));
    assert_int_equal(pcv_model_peek(g.rig.model, DEV, PCV_REG_COMMAND, 2) &
                         DECODES,
                     DECODES);
    rig_write(&g.rig, DEV, (uint16_t)(msi + 2u), 2, 1);
    assert_int_equal(pcv_model_bound(g.rig.model, NULL), 0);
    assert_int_equal(rig_writes(&g.rig), 0);
    guest_close(&g);
}

/* OWN-8, MSI-3: nobody programmed it through us. */
static void it_is_not_restored(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    pcv_model_poke(g.rig.model, DEV, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(pcv_device_restore(g.rig.host, DEV), 0);
    assert_int_equal(rig_writes(&g.rig), 0);
    guest_close(&g);
}

/* OWN-8, LIFE-7 */
static void adding_it_again_leaves_it_the_hypervisors(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    assert_int_equal(pcv_device_add(g.rig.host, DEV, NULL), 0);
    assert_int_equal(console_owner(&g), PCV_DOMAIN_ID_HYPERVISOR);
    assert_int_equal(rig_writes(&g.rig), 0);
    guest_close(&g);
}

/* OWN-8, EXT-3 */
static void extended_space_comes_and_goes_without_a_write(void **state)
{
    struct pcv_test_function f;
    struct guest g;

    (void)state;
    guest_open(&g);
    pcv_test_pcie_endpoint(&f, 0x1b36, 0x0002);
    (void)pcv_test_sriov(&f, 4, 0, 4, 1);
    pcv_test_add(g.rig.model, &f, DEV);
    guest_boot(&g);
    console_declare(&g);
    for (unsigned usable = 0; usable < 2; usable++) {
        assert_int_equal(pcv_host_set_ecam(g.rig.host, 0, 0, 0, usable, NULL),
                         0);
        assert_int_equal(
            rig_read(&g.rig, DEV, PCV_CFG_SIZE, 4),
            usable ? pcv_model_peek(g.rig.model, DEV, PCV_CFG_SIZE, 4) : ONES);
    }
    assert_int_equal(rig_writes(&g.rig), 0);
    guest_close(&g);
}

/* ---- its end ---------------------------------------------------------------
 */

/* OWN-8, LIFE-5 */
static void it_stays_as_long_as_it_is_there(void **state)
{
    pcv_sbdf busy = {0};
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    assert_int_equal(pcv_device_remove(g.rig.host, DEV, NULL, &busy),
                     -PCV_EBUSY);
    assert_int_equal(busy.v, DEV.v);
    assert_int_equal(pcv_device_deassign(g.rig.host, DEV), -PCV_EINVAL);
    assert_int_equal(pcv_device_assign(g.rig.host, DEV, g.domain, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(console_owner(&g), PCV_DOMAIN_ID_HYPERVISOR);
    guest_close(&g);
}

/* OWN-2, OWN-8, LIFE-9 */
static void what_comes_in_its_place_is_the_hardware_domains(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    assert_int_equal(pcv_device_vanished(g.rig.host, DEV), 0);
    assert_int_equal(rig_read(&g.rig, DEV, REG_BAR(1), 4), ONES);
    assert_int_equal(pcv_device_remove(g.rig.host, DEV, NULL, NULL), 0);
    assert_false(pcv_host_reserved(g.rig.host, true, 0, UINT64_MAX));
    assert_false(pcv_host_reserved(g.rig.host, false, 0, UINT64_MAX));
    console_check(&g);
    assert_int_equal(pcv_device_add(g.rig.host, DEV, NULL), 0);
    assert_int_equal(console_owner(&g), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(pcv_model_dma_domain(g.rig.model, DEV),
                     PCV_DOMAIN_ID_HARDWARE);
    assert_true(rig_mapped(&g.rig, HIGH, 0x10000));
    rig_write(&g.rig, DEV, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(pcv_model_peek(g.rig.model, DEV, PCV_REG_COMMAND, 2), 0);
    guest_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_register_is_hardwares_and_no_write_reaches_it),
        cmocka_unit_test(a_dropped_write_is_counted_as_refused),
        cmocka_unit_test(
            each_kind_of_bar_can_be_sized_and_moved_by_its_register),
        cmocka_unit_test(part_of_a_bars_register_is_written_alone),
        cmocka_unit_test(reading_it_takes_no_lock),
        cmocka_unit_test(a_register_of_the_hosts_writes_nothing_either),
        cmocka_unit_test(its_registers_are_listed_as_what_they_are),
        cmocka_unit_test(a_register_without_a_known_bar_reads_zero),
        cmocka_unit_test(what_is_no_bar_stays_hardwares),
        cmocka_unit_test(
            its_owner_is_the_hypervisor_and_the_hardware_domain_finds_it),
        cmocka_unit_test(a_second_declaration_changes_nothing),
        cmocka_unit_test(
            nothing_of_the_hardware_domain_stays_and_hardware_goes_on),
        cmocka_unit_test(it_is_not_restored),
        cmocka_unit_test(adding_it_again_leaves_it_the_hypervisors),
        cmocka_unit_test(extended_space_comes_and_goes_without_a_write),
        cmocka_unit_test(it_stays_as_long_as_it_is_there),
        cmocka_unit_test(what_comes_in_its_place_is_the_hardware_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

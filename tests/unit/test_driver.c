/* SPDX-License-Identifier: MIT */
/*
 * Drivers that know nothing but the entrances bring devices up: as a guest, as
 * the hardware domain, and again after the devices changed hands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "driven.h"
#include "nic.h"
#include "nvme.h"

#define FUNCTIONS 16u

/* A driver's step; its sentence is the failure. */
#define STEP(call)                                                             \
    do {                                                                       \
        const char *step_said = (call);                                        \
                                                                               \
        if (step_said) {                                                       \
            fail_msg("%s: %s", #call, step_said);                              \
        }                                                                      \
    } while (0)

/* What an operating system found on its bus. */
struct found {
    struct bus_function fn[FUNCTIONS];
    size_t count;
    struct bus_function *nvme, *nic;
};

static void enumerate(struct bus *bus, struct found *found)
{
    found->count = bus_scan(bus, found->fn, FUNCTIONS);
    assert_true(found->count <= FUNCTIONS);
    found->nvme = bus_find(found->fn, found->count, NVME_VENDOR, NVME_DEVICE);
    found->nic = bus_find(found->fn, found->count, NIC_VENDOR, NIC_DEVICE);
}

static void give_both(struct driven *machine)
{
    assert_int_equal(driven_guest_create(machine), 0);
    assert_int_equal(driven_assign(machine, DRIVEN_NVME, NULL), 0);
    assert_int_equal(driven_assign(machine, DRIVEN_NIC, NULL), 0);
}

static void take_both(struct driven *machine)
{
    assert_int_equal(driven_deassign(machine, DRIVEN_NVME), 0);
    assert_int_equal(driven_deassign(machine, DRIVEN_NIC), 0);
    assert_int_equal(driven_guest_destroy(machine), 0);
}

/* Nothing of a guest is left that has no devices any more. */
static void expect_nothing(const struct driven *machine, pcv_sbdf sbdf)
{
    struct pcv_device_status status;

    assert_int_equal(pcv_model_bound(machine->model, &sbdf), 0);
    assert_int_equal(pcv_device_status(machine->host, sbdf, &status), 0);
    assert_int_equal(status.held[PCV_HOLDER_VECTOR], 0);
    assert_int_equal(status.held[PCV_HOLDER_ACCESS], 0);
    assert_int_equal(status.held[PCV_HOLDER_CALLER], 0);
    assert_int_equal(status.owner_id, PCV_DOMAIN_ID_HARDWARE);
}

/* ---- the whole life of each ---------------------------------------------- */

static void live_nvme(struct bus_function *fn)
{
    struct nvme nvme;

    STEP(nvme_up(&nvme, fn));
    STEP(nvme_interrupts(&nvme));
    STEP(nvme_suspend(&nvme));
    STEP(nvme_reset(&nvme));
    STEP(nvme_interrupts(&nvme));
    STEP(nvme_down(&nvme));
    assert_false(fn->bus->stuck);
}

static void live_nic(struct bus_function *fn, bool msix)
{
    struct nic nic;

    STEP(nic_up(&nic, fn, msix));
    STEP(nic_interrupts(&nic));
    STEP(nic_extras(&nic));
    STEP(nic_suspend(&nic));
    STEP(nic_reset(&nic, msix));
    STEP(nic_interrupts(&nic));
    STEP(nic_down(&nic));
    assert_false(fn->bus->stuck);
}

static void live_guest(struct driven *machine)
{
    struct bus *bus = &machine->side.bus;
    struct found found;

    enumerate(bus, &found);
    assert_int_equal(found.count, 2);
    assert_non_null(found.nvme);
    assert_non_null(found.nic);
    live_nvme(found.nvme);
    live_nic(found.nic, true);
    live_nic(found.nic, false);
    assert_true(bus->trapped > 0); /* its MSI-X table, at least */
}

/* HDR-5, HDR-6, HDR-7, HDR-14, MSI-1, MSI-2, MSIX-1, MSIX-2, PCIE-1, PM-1,
 * CFG-1 */
static void a_guest_brings_both_devices_up(void **state)
{
    struct driven machine;

    (void)state;
    driven_start(&machine);
    give_both(&machine);
    live_guest(&machine);
    take_both(&machine);
    expect_nothing(&machine, DRIVEN_NVME);
    expect_nothing(&machine, DRIVEN_NIC);
    driven_end(&machine);
}

/* CFG-1 */
static void a_guest_does_all_of_it_through_its_ecam_window(void **state)
{
    struct driven machine;

    (void)state;
    driven_start(&machine);
    give_both(&machine);
    machine.side.bus.ecam = DRIVEN_GUEST_ECAM;
    live_guest(&machine);
    take_both(&machine);
    driven_end(&machine);
}

/* HDR-9 */
static void a_guest_waits_for_a_mapping_that_goes_page_by_page(void **state)
{
    struct driven machine;

    (void)state;
    driven_start(&machine);
    give_both(&machine);
    pcv_model_set_map_chunk(machine.model, 1);
    live_guest(&machine);
    assert_true(machine.side.bus.resumed > 64);
    take_both(&machine);
    driven_end(&machine);
}

/* HDR-2, HDR-11, MSI-1, MSIX-2, SRIOV-3 */
static void the_hardware_domain_brings_both_devices_up(void **state)
{
    struct driven machine;
    struct found found;

    (void)state;
    driven_start(&machine);
    machine.hardware.bus.ecam = DRIVEN_HARDWARE_ECAM;
    enumerate(&machine.hardware.bus, &found);
    assert_int_equal(found.count, DRIVEN_FUNCTIONS);
    assert_non_null(found.nvme);
    assert_non_null(found.nic);
    live_nvme(found.nvme);
    live_nic(found.nic, true);
    live_nic(found.nic, false);
    expect_nothing(&machine, DRIVEN_NVME);
    expect_nothing(&machine, DRIVEN_NIC);
    driven_end(&machine);
}

/* ---- a BAR grows --------------------------------------------------------- */

static void resize(struct driven *machine, struct bus *bus)
{
    struct found found;
    struct nic nic;

    enumerate(bus, &found);
    assert_non_null(found.nic);
    STEP(nic_up(&nic, found.nic, true));
    assert_int_equal(found.nic->bar[4].size, 0x100000);
    STEP(nic_resize(&nic, true));
    assert_int_equal(found.nic->bar[4].size, 0x200000);
    STEP(nic_interrupts(&nic));
    STEP(nic_resize(&nic, false));
    assert_int_equal(found.nic->bar[4].size, 0x400000);
    STEP(nic_interrupts(&nic));
    STEP(nic_down(&nic));
    assert_int_equal(pcv_model_map_errors(machine->model), 0);
}

/* REBAR-1 */
static void a_guest_resizes_a_bar(void **state)
{
    struct driven machine;

    (void)state;
    driven_start(&machine);
    give_both(&machine);
    resize(&machine, &machine.side.bus);
    take_both(&machine);
    driven_end(&machine);
}

/* REBAR-1 */
static void the_hardware_domain_resizes_a_bar(void **state)
{
    struct driven machine;
    struct found found;
    struct nic nic;

    (void)state;
    driven_start(&machine);
    enumerate(&machine.hardware.bus, &found);
    assert_non_null(found.nic);
    STEP(nic_up(&nic, found.nic, true));
    STEP(nic_resize(&nic, true));
    STEP(nic_interrupts(&nic));
    STEP(nic_down(&nic));
    driven_end(&machine);
}

/* ---- from hand to hand --------------------------------------------------- */

/* OWN-5, OWN-6: also with everything left on. */
static void devices_change_hands_again_and_again(void **state)
{
    struct driven machine;
    struct found found;
    struct nvme nvme;
    struct nic nic;

    (void)state;
    driven_start(&machine);
    for (uint32_t round = 0; round < 4; round++) {
        give_both(&machine);
        enumerate(&machine.side.bus, &found);
        assert_int_equal(found.count, 2);
        STEP(nvme_up(&nvme, found.nvme));
        STEP(nic_up(&nic, found.nic, round % 2 == 0));
        if (round == 2) {
            STEP(nvme_interrupts(&nvme));
            STEP(nic_interrupts(&nic));
        }
        take_both(&machine); /* nobody went down */
        expect_nothing(&machine, DRIVEN_NVME);
        expect_nothing(&machine, DRIVEN_NIC);
        enumerate(&machine.hardware.bus, &found);
        assert_int_equal(found.count, DRIVEN_FUNCTIONS);
        STEP(nvme_up(&nvme, found.nvme));
        STEP(nvme_interrupts(&nvme));
        STEP(nvme_down(&nvme));
        live_nic(found.nic, round % 2 != 0);
    }
    driven_end(&machine);
}

/* OWN-5: the hardware domain's driver is still at work when a guest gets it. */
static void a_guest_gets_a_device_that_was_at_work(void **state)
{
    struct driven machine;
    struct found found;
    struct nvme nvme;
    uint64_t before;

    (void)state;
    driven_start(&machine);
    enumerate(&machine.hardware.bus, &found);
    STEP(nvme_up(&nvme, found.nvme));
    before = machine.hardware.bus.arrived;
    assert_int_equal(driven_guest_create(&machine), 0);
    assert_int_equal(driven_assign(&machine, DRIVEN_NVME, NULL), 0);
    enumerate(&machine.side.bus, &found);
    assert_int_equal(found.count, 1);
    live_nvme(found.nvme);
    assert_int_equal(machine.hardware.bus.arrived, before);
    assert_int_equal(driven_deassign(&machine, DRIVEN_NVME), 0);
    assert_int_equal(driven_guest_destroy(&machine), 0);
    driven_end(&machine);
}

/* HDR-12 */
static void a_guest_reads_the_rom_that_it_was_given(void **state)
{
    static const uint8_t image[3000] = {0x55, 0xaa, 6, 0x42};
    const struct pcv_assign_policy policy = {.rom = image,
                                             .rom_size = sizeof(image)};
    struct driven machine;
    struct found found;
    struct bus *bus = &machine.side.bus;
    const uint64_t at = UINT64_C(0xc4000000);

    (void)state;
    driven_start(&machine);
    assert_int_equal(driven_guest_create(&machine), 0);
    assert_int_equal(driven_assign(&machine, DRIVEN_NVME, &policy), 0);
    enumerate(bus, &found);
    assert_int_equal(found.count, 1);
    STEP(bus_size(found.nvme));
    assert_int_equal(found.nvme->bar[6].size, 4096);
    bus_set(found.nvme, PCV_REG_ROM0, 4, (uint32_t)at | PCV_ROM_ENABLE);
    bus_set(found.nvme, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(bus_load(bus, at, 4), 0x4206aa55);
    bus_store(bus, at, 4, 0);
    assert_int_equal(bus_load(bus, at, 4), 0x4206aa55);
    bus_set(found.nvme, PCV_REG_ROM0, 4, (uint32_t)at);
    assert_int_equal(bus_load(bus, at, 4), 0xffffffff);
    assert_int_equal(driven_deassign(&machine, DRIVEN_NVME), 0);
    assert_int_equal(driven_guest_destroy(&machine), 0);
    driven_end(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_brings_both_devices_up),
        cmocka_unit_test(a_guest_does_all_of_it_through_its_ecam_window),
        cmocka_unit_test(a_guest_waits_for_a_mapping_that_goes_page_by_page),
        cmocka_unit_test(the_hardware_domain_brings_both_devices_up),
        cmocka_unit_test(a_guest_resizes_a_bar),
        cmocka_unit_test(the_hardware_domain_resizes_a_bar),
        cmocka_unit_test(devices_change_hands_again_and_again),
        cmocka_unit_test(a_guest_gets_a_device_that_was_at_work),
        cmocka_unit_test(a_guest_reads_the_rom_that_it_was_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

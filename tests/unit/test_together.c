/* SPDX-License-Identifier: MIT */
/*
 * Functions of several kinds at once: those that the hypervisor drives, those
 * that it emulates, those that bus numbers do not lead to, and cards that come
 * and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owner/move.h"
#include "registry/internal.h"
#include "slotted.h"

#define GUEST 7u
#define WINDOW 0x80000000u
#define BAR 0x90000000u /* CARD's */
#define LEAF_BAR 0x90010000u

static uint32_t ids(struct hosted *h, pcv_sbdf sbdf)
{
    return hosted_read(h, sbdf, PCV_REG_VENDOR, 4);
}

/* A domain writes a register, to the end. */
static void write(struct pcv_domain *domain, pcv_sbdf sbdf, uint16_t reg,
                  uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(sbdf, reg, size, value);
    enum pcv_verdict verdict = pcv_access(domain, &access);

    for (int i = 0; i < 1000 && verdict == PCV_PENDING; i++) {
        verdict = pcv_access_resume(domain, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

/* The hardware domain writes a bridge's bus numbers. */
static void numbers(struct hosted *h, pcv_sbdf bridge, uint8_t first,
                    uint8_t last)
{
    write(pcv_host_hardware_domain(h->host), bridge, PCV_REG_PRIMARY, 4,
          (uint32_t)pcv_sbdf_bus(bridge) | (uint32_t)first << 8 |
              (uint32_t)last << 16);
}

/* They change past the library, which is told: a guest may have something there
 * (OWN-15). */
static void elsewhere(struct hosted *h, pcv_sbdf bridge, uint8_t first,
                      uint8_t last)
{
    int error = -PCV_ERESTART;

    pcv_test_write(h->model, bridge, PCV_REG_SECONDARY, 1, first);
    pcv_test_write(h->model, bridge, PCV_REG_SUBORDINATE, 1, last);
    while (error == -PCV_ERESTART) {
        error = pcv_bridge_report_buses(h->host, bridge, pcv_sbdf_bus(bridge),
                                        first, last);
    }
    assert_int_equal(error, 0);
}

/* A guest has LEAF; returns where. */
static pcv_sbdf give(struct hosted *h, struct pcv_domain **out_guest)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_NO_RESET};
    pcv_sbdf at = {0};
    int error;

    assert_int_equal(pcv_domain_create(h->host, GUEST, out_guest), 0);
    assert_int_equal(
        pcv_domain_add_window(*out_guest, (pcv_gpa){WINDOW}, 0x100000), 0);
    do {
        error = pcv_device_assign(h->host, LEAF, *out_guest, &policy, &at);
    } while (error == -PCV_ERESTART);
    assert_int_equal(error, 0);
    return at;
}

static uint32_t dma(struct hosted *h, pcv_sbdf sbdf)
{
    return pcv_model_dma_domain(h->model, sbdf);
}

static bool is_reserved(struct hosted *h)
{
    return pcv_host_reserved(h->host, false, 0, UINT64_MAX);
}

static void declare(struct hosted *h, pcv_sbdf sbdf)
{
    assert_int_equal(pcv_device_set_read_only(h->host, sbdf), 0);
    assert_int_equal(dma(h, sbdf), PCV_DOMAIN_ID_HYPERVISOR);
    assert_true(is_reserved(h));
}

static void put_other(struct hosted *h, pcv_sbdf sbdf)
{
    pcv_model_poke(h->model, sbdf, PCV_REG_DEVICE, 2, 0x1533);
    assert_int_equal(pcv_model_plug(h->model, sbdf), 0);
}

static int nothing_read(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                        uint64_t *out_value)
{
    (void)ctx;
    (void)bar;
    (void)offset;
    (void)size;
    *out_value = 0;
    return 0;
}

static int nothing_write(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                         uint64_t value)
{
    (void)ctx;
    (void)bar;
    (void)offset;
    (void)size;
    (void)value;
    return 0;
}

/* An emulated function at 00:09.0. */
static struct pcv_emulated *emulate(struct hosted *h)
{
    static const struct pcv_emulated_ops ops = {nothing_read, nothing_write};
    const struct pcv_emulated_info info = {
        .sbdf = pcv_test_at(0, 0, 9, 0),
        .vendor = 0x1b36,
        .device = 0x00e1,
        .class_code = 0x088000,
        .bar_size = 0x10000,
        .window = {0xa0000000u},
        .window_size = 0x1000000,
    };
    struct pcv_emulated *emulated;

    assert_int_equal(pcv_emulated_create(pcv_host_hardware_domain(h->host),
                                         &info, &ops, NULL, &emulated),
                     0);
    return emulated;
}

/* ---- what is behind a slot that was emptied -------------------------------
 */

/* LIFE-12, TOPO-4: it hangs on a bridge that goes. */
static void what_could_not_be_reached_goes_with_the_card_it_was_on(void **state)
{
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    numbers(&h, DOWNSTREAM, 0, 0);
    assert_int_equal(hosted_state(&h, LEAF), PCV_STATE_UNREACHABLE);
    assert_int_equal(pcv_model_pull(h.model, UPSTREAM), 0);
    assert_int_equal(ids(&h, UPSTREAM), ONES);
    assert_int_equal(hosted_state(&h, UPSTREAM), PCV_STATE_ABSENT);
    assert_int_equal(hosted_state(&h, DOWNSTREAM), PCV_STATE_ABSENT);
    assert_int_equal(hosted_state(&h, LEAF), PCV_STATE_ABSENT);
    assert_null(pcv_device_next_unreachable(h.host, (pcv_sbdf){0}));
    assert_int_equal(hosted_stats(&h).devices, 3);
    hosted_end(&h);
}

/* LIFE-12, TOPO-4: the same for a whole branch, whose bridges cannot be reached
 * either, while a guest has the last of it. */
static void a_branch_that_could_not_be_reached_goes_as_well(void **state)
{
    struct pcv_domain *guest;
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    (void)give(&h, &guest);
    elsewhere(&h, UPSTREAM, 0, 0);
    assert_int_equal(hosted_state(&h, DOWNSTREAM), PCV_STATE_UNREACHABLE);
    assert_int_equal(hosted_state(&h, LEAF), PCV_STATE_UNREACHABLE);
    assert_int_equal(pcv_model_pull(h.model, UPSTREAM), 0);
    assert_int_equal(ids(&h, UPSTREAM), ONES);
    assert_int_equal(hosted_stats(&h).devices, 3);
    assert_null(pcv_device_next_unreachable(h.host, (pcv_sbdf){0}));
    assert_int_equal(dma(&h, LEAF), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_domain_destroy(guest), 0);
    hosted_end(&h);
}

/* LIFE-12, TOPO-4: what somebody changes just now has vanished only, and keeps
 * the bridges that it hangs on. */
static void what_is_being_changed_keeps_its_bridges(void **state)
{
    struct pcv_device *leaf;
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    leaf = hosted_hold(&h, LEAF);
    numbers(&h, DOWNSTREAM, 0, 0);
    leaf->changing = true;
    assert_int_equal(pcv_model_pull(h.model, UPSTREAM), 0);
    assert_int_equal(ids(&h, UPSTREAM), ONES);
    assert_int_equal(hosted_state(&h, DOWNSTREAM), PCV_STATE_PRESENT);
    assert_true(hosted_status(&h, LEAF).vanished);
    leaf->changing = false;
    pcv_device_put(leaf);
    assert_int_equal(pcv_device_remove(h.host, UPSTREAM, NULL, NULL), 0);
    assert_int_equal(hosted_stats(&h).devices, 3);
    hosted_end(&h);
}

/* ---- what the hypervisor drives -------------------------------------------
 */

/* OWN-8, LIFE-12: nobody does DMA as the hypervisor in a slot that it has lost,
 * and a card that comes is the hardware domain's. */
static void what_the_hypervisor_drove_leaves_no_dma_behind(void **state)
{
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    declare(&h, CARD);
    assert_int_equal(pcv_model_pull(h.model, CARD), 0);
    assert_int_equal(ids(&h, CARD), ONES);
    assert_int_equal(hosted_state(&h, CARD), PCV_STATE_ABSENT);
    assert_int_equal(dma(&h, CARD), PCV_DOMAIN_ID_QUARANTINE);
    assert_false(is_reserved(&h));
    put_other(&h, CARD);
    assert_int_equal(dma(&h, CARD), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(ids(&h, CARD), OTHER_IDS);
    assert_int_equal(dma(&h, CARD), PCV_DOMAIN_ID_HARDWARE);
    hosted_end(&h);
}

/* OWN-8, LIFE-7, LIFE-12: the same in one step. */
static void another_card_in_its_place_is_not_the_hypervisors(void **state)
{
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    declare(&h, CARD);
    assert_int_equal(pcv_model_pull(h.model, CARD), 0);
    put_other(&h, CARD);
    assert_int_equal(ids(&h, CARD), OTHER_IDS);
    assert_int_equal(hosted_status(&h, CARD).owner_id, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(dma(&h, CARD), PCV_DOMAIN_ID_HARDWARE);
    assert_false(is_reserved(&h));
    hosted_end(&h);
}

/* OWN-8, TOPO-4: its ranges stay reserved where bus numbers do not lead to it,
 * its DMA does not, and both are right where they do again. */
static void bus_numbers_take_nothing_from_the_hypervisor_for_good(void **state)
{
    const pcv_sbdf moved = pcv_test_at(0, 9, 0, 0);
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    declare(&h, CARD);
    numbers(&h, PORT, 0, 0);
    assert_int_equal(hosted_state(&h, CARD), PCV_STATE_UNREACHABLE);
    assert_int_equal(dma(&h, CARD), PCV_DOMAIN_ID_QUARANTINE);
    assert_true(pcv_host_reserved(h.host, false, BAR, 16));
    assert_int_equal(pcv_device_set_read_only(h.host, CARD), 0);
    numbers(&h, PORT, 9, 9);
    assert_int_equal(hosted_status(&h, moved).owner_id,
                     PCV_DOMAIN_ID_HYPERVISOR);
    assert_int_equal(dma(&h, moved), PCV_DOMAIN_ID_HYPERVISOR);
    assert_int_equal(dma(&h, CARD), PCV_DOMAIN_ID_QUARANTINE);
    assert_true(pcv_host_reserved(h.host, false, BAR, 16));
    numbers(&h, PORT, 0, 0);
    assert_int_equal(pcv_device_vanished(h.host, moved), 0);
    assert_int_equal(pcv_device_remove(h.host, moved, NULL, NULL), 0);
    assert_false(is_reserved(&h));
    hosted_end(&h);
}

/* OWN-8, TOPO-4: no guest keeps pages of what becomes the hypervisor's, though
 * bus numbers do not lead to its function when that happens. */
static void what_cannot_be_reached_is_not_mapped_over_the_hypervisors(
    void **state)
{
    struct pcv_domain *hardware, *guest;
    struct hosted h;
    pcv_sbdf at;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    hardware = pcv_host_hardware_domain(h.host);
    at = give(&h, &guest);
    write(guest, at, PCV_REG_BAR0, 4, WINDOW);
    write(guest, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_true(pcv_model_is_mapped(h.model, GUEST, WINDOW >> 12));
    write(hardware, CARD, PCV_REG_COMMAND, 2, 0);
    write(hardware, CARD, PCV_REG_BAR0, 4, LEAF_BAR);
    elsewhere(&h, DOWNSTREAM, 0, 0);
    assert_int_equal(hosted_state(&h, LEAF), PCV_STATE_UNREACHABLE);
    assert_true(pcv_model_is_mapped(h.model, GUEST, WINDOW >> 12));
    declare(&h, CARD);
    assert_false(pcv_model_is_mapped(h.model, GUEST, WINDOW >> 12));
    elsewhere(&h, DOWNSTREAM, 4, 4);
    assert_int_equal(hosted_status(&h, LEAF).owner_id, GUEST);
    assert_false(pcv_model_is_mapped(h.model, GUEST, WINDOW >> 12));
    hosted_end(&h);
}

/* OWN-8: the hypervisor goes on with it when the library ends. */
static void the_end_of_the_host_leaves_the_hypervisors_dma_alone(void **state)
{
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    declare(&h, CARD);
    assert_int_equal(pcv_host_destroy(h.host), 0);
    assert_int_equal(pcv_model_bytes(h.model), 0);
    assert_int_equal(dma(&h, CARD), PCV_DOMAIN_ID_HYPERVISOR);
    pcv_model_destroy(h.model);
}

/* ---- CPUs beside each other -----------------------------------------------
 */

/* LIFE-12, TOPO-4: a read waits for the other CPU that moves bus numbers, and
 * then finds what is there. */
static void a_card_is_not_missed_while_bus_numbers_move(void **state)
{
    struct pcv_access access = PCV_READ(CARD, PCV_REG_VENDOR, 4);
    struct pcv_domain *hardware;
    struct pcv__segment *segment;
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    hardware = pcv_host_hardware_domain(h.host);
    segment = pcv__segment_find(h.host, 0);
    numbers(&h, DOWNSTREAM, 0, 0);
    assert_int_equal(pcv_device_remove(h.host, CARD, NULL, NULL), 0);
    assert_true(pcv__move_begin(segment, &h.host->mem));
    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(pcv_access_resume(hardware, &access), PCV_PENDING);
    }
    pcv__move_end(segment, &h.host->mem);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_DONE);
    assert_int_equal(access.data, CARD_IDS);
    hosted_end(&h);
}

/* ---- the end --------------------------------------------------------------
 */

/* LIFE-10, OWN-8, VBUS-6, TOPO-4, LIFE-12 */
static void a_host_ends_with_one_of_each_and_work_that_waits(void **state)
{
    struct pcv_access slot =
        PCV_WRITE(SWITCH, CAP + PCV_PCIE_SLTSTA, 2, 0xffff);
    struct pcv_access buses = PCV_WRITE(SWITCH, PCV_REG_PRIMARY, 4, 0x080600);
    struct pcv_domain *hardware;
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    hardware = pcv_host_hardware_domain(h.host);
    (void)emulate(&h);
    declare(&h, CARD);
    numbers(&h, PORT, 0, 0);
    numbers(&h, DOWNSTREAM, 0, 0);
    assert_int_equal(pcv_access(hardware, &slot), PCV_PENDING);
    assert_int_equal(pcv_access(hardware, &buses), PCV_PENDING);
    assert_int_equal(hosted_stats(&h).devices, 6);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            what_could_not_be_reached_goes_with_the_card_it_was_on),
        cmocka_unit_test(a_branch_that_could_not_be_reached_goes_as_well),
        cmocka_unit_test(what_is_being_changed_keeps_its_bridges),
        cmocka_unit_test(what_the_hypervisor_drove_leaves_no_dma_behind),
        cmocka_unit_test(another_card_in_its_place_is_not_the_hypervisors),
        cmocka_unit_test(bus_numbers_take_nothing_from_the_hypervisor_for_good),
        cmocka_unit_test(
            what_cannot_be_reached_is_not_mapped_over_the_hypervisors),
        cmocka_unit_test(the_end_of_the_host_leaves_the_hypervisors_dma_alone),
        cmocka_unit_test(a_card_is_not_missed_while_bus_numbers_move),
        cmocka_unit_test(a_host_ends_with_one_of_each_and_work_that_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

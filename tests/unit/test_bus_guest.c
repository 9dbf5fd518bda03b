/* SPDX-License-Identifier: MIT */
/*
 * Bus numbers change under functions that are in use: by a guest, with vectors
 * bound, with accesses inside, while something is being mapped (TOPO-4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/internal.h"
#include "two_ports.h"
#include "vpci/internal.h"

static uint64_t bound_for(struct two *t, pcv_sbdf sbdf)
{
    return pcv_model_bound(t->r.h.model, &sbdf);
}

/* A guest has card A, and drives it. */
static void give(struct two *t)
{
    assert_int_equal(change(t, CARD_A, true), 0);
    owner_write(t->guest, t->at, PCV_REG_BAR0, 4, WINDOW);
    owner_write(t->guest, t->at, PCV_REG_COMMAND, 2,
                PCV_CMD_MEMORY | PCV_CMD_MASTER);
}

/* TOPO-4, OWN-6, OWN-11 */
static void a_guests_function_works_on_at_its_guest_address(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    give(&t);
    elsewhere(&t, PORT_A, 0, 0);
    assert_int_equal(owner_read(t.guest, t.at, PCV_REG_VENDOR, 4), 0xffffffff);
    assert_int_equal(hosted_status(host_of(&t), CARD_A).owner_id, GUEST);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, CARD_A),
                     PCV_DOMAIN_ID_QUARANTINE);
    elsewhere(&t, PORT_A, 9, 9);
    assert_int_equal(owner_read(t.guest, t.at, PCV_REG_VENDOR, 4), 0xaaaa1234);
    assert_int_equal(owner_read(t.guest, t.at, PCV_REG_BAR0, 4), WINDOW);
    assert_int_equal(owner_read(t.guest, t.at, PCV_REG_COMMAND, 2),
                     PCV_CMD_MEMORY | PCV_CMD_MASTER);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, BUS(9)), GUEST);
    assert_int_equal(pcv_device_guest_sbdf(object(&t, CARD_A)).v, t.at.v);
    renumber_holds(&t.r);
    assert_int_equal(change(&t, BUS(9), false), 0);
    assert_int_equal(pcv_domain_destroy(t.guest), 0);
    renumber_holds(&t.r);
    two_end(&t);
}

/* TOPO-4: the host domain's card comes to the requester ID that was a guest's.
 */
static void a_guests_requester_id_does_not_stay_with_it(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    give(&t);
    elsewhere(&t, PORT_A, 0, 0);
    numbers(&t, PORT_B, 1, 1);
    elsewhere(&t, PORT_A, 2, 2);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, BUS(1)),
                     PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, BUS(2)), GUEST);
    assert_int_equal(owner_read(t.guest, t.at, PCV_REG_VENDOR, 4), 0xaaaa1234);
    renumber_holds(&t.r);
    assert_int_equal(change(&t, BUS(2), false), 0);
    two_end(&t);
}

/* TOPO-4, LIFE-8, MSI-2 */
static void vectors_are_bound_for_the_new_requester_id(void **state)
{
    static const bool rows[] = {false, true};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pcv_domain *hardware;
        struct two t;

        two_start(&t);
        hardware = pcv_host_hardware_domain(t.r.h.host);
        if (rows[i]) {
            msix_on(&t, hardware, CARD_A, 0x90000000);
        } else {
            msi_on(&t, hardware, CARD_A);
        }
        assert_true(delivers(&t, CARD_A, rows[i], PCV_DOMAIN_ID_HARDWARE));
        numbers(&t, PORT_A, 0, 0);
        assert_int_equal(bound_for(&t, CARD_A), 0);
        assert_int_equal(
            hosted_status(host_of(&t), CARD_A).held[PCV_HOLDER_VECTOR], 1);
        assert_false(delivers(&t, CARD_A, rows[i], PCV_DOMAIN_ID_HARDWARE));
        numbers(&t, PORT_A, 9, 9);
        assert_int_equal(bound_for(&t, BUS(9)), 1);
        assert_true(delivers(&t, CARD_A, rows[i], PCV_DOMAIN_ID_HARDWARE));
        /* Both at once: each has the other's requester ID. */
        numbers(&t, PORT_B, 0, 0);
        numbers(&t, PORT_A, 2, 2);
        assert_true(delivers(&t, CARD_A, rows[i], PCV_DOMAIN_ID_HARDWARE));
        assert_int_equal(bound_for(&t, BUS(9)), 0);
        two_end(&t);
    }
}

/* TOPO-4, MSIX-2, LIFE-8: its table is reached all the time. */
static void a_guest_that_unmasks_meanwhile_is_bound_later(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    give(&t);
    owner_write(t.guest, t.at, t.msix + 2u, 2, 0x8000);
    elsewhere(&t, PORT_A, 0, 0);
    for (uint32_t i = 0; i < 4; i++) {
        static const uint32_t entry[] = {DOORBELL, 0, 0x51, 0};
        struct pcv_mmio access = {
            .address = {WINDOW + 0x1000u + 16u + i * 4u},
            .size = 4,
            .write = true,
            .data = entry[i],
        };

        assert_int_equal(pcv_mmio_access(t.guest, &access), PCV_DONE);
    }
    assert_int_equal(pcv_model_bound(t.r.h.model, NULL), 0);
    elsewhere(&t, PORT_A, 9, 9);
    assert_int_equal(bound_for(&t, BUS(9)), 1);
    assert_true(delivers(&t, CARD_A, true, GUEST));
    assert_int_equal(change(&t, BUS(9), false), 0);
    assert_int_equal(pcv_model_bound(t.r.h.model, NULL), 0);
    two_end(&t);
}

/* TOPO-4, OWN-6, OWN-11 */
static void it_is_taken_from_its_guest_while_it_cannot_be_reached(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    give(&t);
    msi_on(&t, t.guest, t.at);
    elsewhere(&t, PORT_A, 0, 0);
    assert_int_equal(pcv_domain_destroy(t.guest), 0);
    assert_int_equal(hosted_status(host_of(&t), CARD_A).owner_id,
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_model_mapped_pages(t.r.h.model), BAR_PAGES - 2u);
    assert_int_equal(change(&t, CARD_A, false), -PCV_EAGAIN);
    elsewhere(&t, PORT_A, 9, 9);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, BUS(9)),
                     PCV_DOMAIN_ID_QUARANTINE);
    renumber_holds(&t.r);
    assert_int_equal(change(&t, BUS(9), false), 0);
    assert_int_equal(id_at(&t, BUS(9)), 0xaaaa);
    renumber_holds(&t.r);
    two_end(&t);
}

/* TOPO-4, OWN-3 */
static void it_is_not_given_while_it_cannot_be_reached(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    elsewhere(&t, PORT_A, 0, 0);
    assert_int_equal(change(&t, CARD_A, true), -PCV_ENODEV);
    assert_int_equal(pcv_device_restore(t.r.h.host, CARD_A), -PCV_ENODEV);
    elsewhere(&t, PORT_A, 9, 9);
    assert_int_equal(change(&t, BUS(9), true), 0);
    renumber_holds(&t.r);
    assert_int_equal(pcv_device_remove(t.r.h.host, BUS(9), NULL, NULL),
                     -PCV_EBUSY);
    /* What has vanished goes from the guest, too, wherever it was. */
    elsewhere(&t, PORT_A, 0, 0);
    assert_int_equal(pcv_device_vanished(t.r.h.host, BUS(9)), 0);
    assert_int_equal(pcv_device_remove(t.r.h.host, BUS(9), NULL, NULL), 0);
    assert_int_equal(pcv_domain_destroy(t.guest), 0);
    two_end(&t);
}

/* TOPO-4, LIFE-9: its requester ID is another's by then. */
static void what_goes_meanwhile_leaves_others_dma_alone(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    give(&t);
    elsewhere(&t, PORT_A, 0, 0);
    elsewhere(&t, PORT_B, 1, 1);
    assert_int_equal(pcv_device_vanished(t.r.h.host, PORT_A), 0);
    assert_int_equal(pcv_device_remove(t.r.h.host, PORT_A, NULL, NULL), 0);
    assert_int_equal(pcv_domain_destroy(t.guest), 0);
    assert_true(stands(&t, CARD_B, BUS(1)));
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, BUS(1)),
                     PCV_DOMAIN_ID_HARDWARE);
    two_end(&t);
}

/* ---- accesses and mappings under way ---------------------------------------
 */

/* LIFE-11, TOPO-4 */
static void numbers_wait_until_nobody_is_inside(void **state)
{
    struct pcv_access access = PCV_WRITE(PORT_A, PCV_REG_PRIMARY, 4, 0x090900);
    struct pcv_domain *hardware;
    struct pcv_device *inside;
    struct two t;

    (void)state;
    two_start(&t);
    hardware = pcv_host_hardware_domain(t.r.h.host);
    assert_int_equal(pcv__gate_enter(hardware, CARD_A, &inside), PCV_DONE);
    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_PENDING);
    assert_int_equal(pcv_model_peek(t.r.h.model, PORT_A, PCV_REG_SECONDARY, 1),
                     1);
    /* Nobody new comes in, and the register takes no second write. */
    assert_int_equal(pcv_access(hardware, &PCV_READ(CARD_A, PCV_REG_VENDOR, 4)),
                     PCV_RETRY);
    assert_int_equal(
        pcv_access(hardware, &PCV_WRITE(PORT_A, PCV_REG_PRIMARY, 4, 0)),
        PCV_RETRY);
    assert_int_equal(pcv_bridge_report_buses(t.r.h.host, PORT_A, 0, 1, 1),
                     -PCV_ERESTART);
    pcv__gate_leave(inside);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_DONE);
    assert_true(stands(&t, CARD_A, BUS(9)));
    renumber_holds(&t.r);
    two_end(&t);
}

/* HDR-13, TOPO-4: whose vCPU does not go on with a write does not hold up the
 * others for good; who is inside is waited for, and nobody is kept busy. */
static void numbers_of_a_vcpu_that_stopped_are_written_all_the_same(
    void **state)
{
    struct pcv_access access = PCV_WRITE(PORT_A, PCV_REG_PRIMARY, 4, 0x090900);
    struct pcv_domain *hardware;
    struct pcv_device *inside;
    uint64_t wait_us = 0;
    struct two t;

    (void)state;
    two_start(&t);
    hardware = pcv_host_hardware_domain(t.r.h.host);
    assert_int_equal(pcv__gate_enter(hardware, CARD_A, &inside), PCV_DONE);
    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    assert_int_equal(pcv_host_work(t.r.h.host, &wait_us), 0);
    assert_int_not_equal(wait_us, 0);
    assert_int_equal(pcv_model_peek(t.r.h.model, PORT_A, PCV_REG_SECONDARY, 1),
                     1);
    pcv__gate_leave(inside);
    assert_int_equal(pcv_host_work(t.r.h.host, &wait_us), 0);
    assert_int_equal(wait_us, 0);
    assert_true(stands(&t, CARD_A, BUS(9)));
    renumber_holds(&t.r);
    /* It goes on after all. */
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_DONE);
    assert_true(stands(&t, CARD_A, BUS(9)));
    two_end(&t);
}

/* LIFE-5, TOPO-4 */
static void a_bridge_that_goes_meanwhile_leaves_no_gate_paused(void **state)
{
    struct pcv_access access = PCV_WRITE(PORT_A, PCV_REG_PRIMARY, 4, 0x020200);
    struct pcv_domain *hardware;
    struct pcv_device *inside;
    struct two t;

    (void)state;
    two_start(&t);
    hardware = pcv_host_hardware_domain(t.r.h.host);
    /* It claims the other's bus, so that is what waits. */
    assert_int_equal(pcv__gate_enter(hardware, CARD_B, &inside), PCV_DONE);
    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_PENDING);
    assert_int_equal(pcv_access(hardware, &PCV_READ(CARD_B, PCV_REG_VENDOR, 4)),
                     PCV_RETRY);
    assert_int_equal(pcv_device_remove(t.r.h.host, PORT_A, NULL, NULL), 0);
    assert_int_equal(id_at(&t, CARD_B), 0xbbbb);
    pcv__gate_leave(inside);
    two_end(&t);
}

/* HDR-9, TOPO-4 */
static void a_mapping_under_way_ends_at_the_new_address(void **state)
{
    struct pcv_access access =
        PCV_WRITE(CARD_A, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    struct pcv_domain *hardware;
    struct two t;

    (void)state;
    two_start(&t);
    hardware = pcv_host_hardware_domain(t.r.h.host);
    owner_write(hardware, CARD_A, PCV_REG_COMMAND, 2, 0);
    pcv_model_set_map_chunk(t.r.h.model, 1);
    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    numbers(&t, PORT_A, 9, 9);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_DONE);
    assert_int_equal(pcv_model_peek(t.r.h.model, CARD_A, PCV_REG_COMMAND, 2),
                     PCV_CMD_MEMORY);
    owner_write(hardware, BUS(9), PCV_REG_COMMAND, 2, 0);
    assert_int_equal(pcv_model_mapped_pages(t.r.h.model), BAR_PAGES - 2u);
    two_end(&t);
}

/* EXT-1, EXT-2, TOPO-4 */
static void extended_space_is_what_the_new_bus_has(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    assert_true(hosted_info(host_of(&t), CARD_A).extended);
    pcv_model_set_ecam(t.r.h.model, 0, 9, 9, false);
    numbers(&t, PORT_A, 9, 9);
    assert_false(hosted_info(host_of(&t), BUS(9)).extended);
    assert_int_equal(renumber_read(&t.r, BUS(9), 0x100, 4), 0xffffffff);
    numbers(&t, PORT_A, 8, 8);
    assert_true(hosted_info(host_of(&t), BUS(8)).extended);
    assert_int_equal(renumber_read(&t.r, BUS(8), 0x100, 4),
                     pcv_model_peek(t.r.h.model, CARD_A, 0x100, 4));
    assert_int_equal(t.r.events[PCV_EVENT_EXTENDED], 2);
    two_end(&t);
}

/* TOPO-4, LIFE-9: it had vanished, and nobody can name it once another function
 * stands where it was last. */
static void what_vanished_goes_when_its_address_is_anothers(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    give(&t);
    elsewhere(&t, PORT_A, 0, 0);
    assert_int_equal(pcv_device_vanished(t.r.h.host, CARD_A), 0);
    elsewhere(&t, PORT_A, 1, 1);
    assert_int_equal(hosted_state(host_of(&t), CARD_A), PCV_STATE_UNREACHABLE);
    assert_int_equal(renumber_read(&t.r, CARD_A, PCV_REG_VENDOR, 4),
                     0xaaaa1234);
    assert_int_equal(hosted_status(host_of(&t), CARD_A).owner_id,
                     PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(hosted_stats(host_of(&t)).devices, 4);
    assert_int_equal(pcv_domain_destroy(t.guest), 0);
    two_end(&t);
}

/* The same if bus numbers bring the other one there. */
static void what_vanished_goes_when_another_moves_there(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    give(&t);
    elsewhere(&t, PORT_A, 0, 0);
    assert_int_equal(pcv_device_vanished(t.r.h.host, CARD_A), 0);
    elsewhere(&t, PORT_B, 1, 1);
    assert_true(stands(&t, CARD_B, BUS(1)));
    assert_int_equal(hosted_stats(host_of(&t)).devices, 3);
    assert_int_equal(pcv_domain_destroy(t.guest), 0);
    two_end(&t);
}

/* TOPO-4: where two bridges claim a bus, who answers there is not registered
 * anew: it may be one that is kept for its guest. */
static void nothing_is_added_where_bridges_are_in_conflict(void **state)
{
    struct two t;

    (void)state;
    two_start(&t);
    give(&t);
    elsewhere(&t, PORT_A, 0, 0);
    numbers(&t, PORT_B, 1, 1);
    assert_true(stands(&t, CARD_B, BUS(1)));
    numbers(&t, PORT_A, 1, 1);
    assert_int_equal(hosted_state(host_of(&t), CARD_A), PCV_STATE_UNREACHABLE);
    assert_int_equal(pcv_device_add(t.r.h.host, BUS(1), NULL), -PCV_EBUSY);
    assert_int_equal(hosted_stats(host_of(&t)).devices, 4);
    numbers(&t, PORT_B, 2, 2);
    assert_true(stands(&t, CARD_A, CARD_A));
    assert_int_equal(owner_read(t.guest, t.at, PCV_REG_VENDOR, 4), 0xaaaa1234);
    assert_true(stands(&t, CARD_B, CARD_B));
    two_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guests_function_works_on_at_its_guest_address),
        cmocka_unit_test(a_guests_requester_id_does_not_stay_with_it),
        cmocka_unit_test(vectors_are_bound_for_the_new_requester_id),
        cmocka_unit_test(a_guest_that_unmasks_meanwhile_is_bound_later),
        cmocka_unit_test(it_is_taken_from_its_guest_while_it_cannot_be_reached),
        cmocka_unit_test(it_is_not_given_while_it_cannot_be_reached),
        cmocka_unit_test(what_goes_meanwhile_leaves_others_dma_alone),
        cmocka_unit_test(numbers_wait_until_nobody_is_inside),
        cmocka_unit_test(
            numbers_of_a_vcpu_that_stopped_are_written_all_the_same),
        cmocka_unit_test(a_bridge_that_goes_meanwhile_leaves_no_gate_paused),
        cmocka_unit_test(a_mapping_under_way_ends_at_the_new_address),
        cmocka_unit_test(extended_space_is_what_the_new_bus_has),
        cmocka_unit_test(what_vanished_goes_when_its_address_is_anothers),
        cmocka_unit_test(what_vanished_goes_when_another_moves_there),
        cmocka_unit_test(nothing_is_added_where_bridges_are_in_conflict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

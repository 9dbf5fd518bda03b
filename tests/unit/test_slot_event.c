/* SPDX-License-Identifier: MIT */
/*
 * Cards that leave their slot without a word, and others that come in their
 * place (LIFE-7, LIFE-9, LIFE-12): the library sees it where the hardware
 * domain looks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/internal.h"
#include "slotted.h"

static uint32_t ids(struct hosted *h, pcv_sbdf sbdf)
{
    return hosted_read(h, sbdf, PCV_REG_VENDOR, 4);
}

static void write(struct hosted *h, pcv_sbdf sbdf, uint32_t reg, uint32_t value)
{
    struct pcv_domain *hardware = pcv_host_hardware_domain(h->host);
    struct pcv_access access = PCV_WRITE(sbdf, (uint16_t)(CAP + reg), 2, value);
    enum pcv_verdict verdict = pcv_access(hardware, &access);

    while (verdict == PCV_PENDING) {
        verdict = pcv_access_resume(hardware, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

/* As a hotplug driver does in its interrupt. */
static void take_note(struct hosted *h, pcv_sbdf port)
{
    write(h, port, PCV_PCIE_SLTSTA,
          hosted_read(h, port, CAP + PCV_PCIE_SLTSTA, 2));
    assert_int_equal(atomic_load(&h->host->slot_count), 0);
}

static void put_other(struct hosted *h, pcv_sbdf sbdf, uint16_t device)
{
    pcv_model_poke(h->model, sbdf, PCV_REG_DEVICE, 2, device);
    assert_int_equal(pcv_model_plug(h->model, sbdf), 0);
}

static const unsigned ways[] = {SLOT, LINK, SLOT | LINK};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* LIFE-12, LIFE-9: no presence, or no link, and all ones. */
static void a_card_that_was_pulled_is_missed_when_it_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        struct hosted h;

        slotted_start(&h, ways[i]);
        assert_int_equal(pcv_model_pull(h.model, CARD), 0);
        assert_int_equal(ids(&h, CARD), ONES);
        assert_int_equal(hosted_state(&h, CARD), PCV_STATE_ABSENT);
        assert_int_equal(hosted_state(&h, PORT), PCV_STATE_PRESENT);
        assert_int_equal(hosted_state(&h, LEAF), PCV_STATE_PRESENT);
        assert_int_equal(pcv_model_mapped_pages(h.model), 4);
        hosted_end(&h);
    }
}

/* LIFE-12, LIFE-9: everything behind the port, however deep; the ports in
 * between do not answer either. */
static void what_was_pulled_takes_along_what_is_behind(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        struct hosted h;

        slotted_start(&h, ways[i]);
        assert_int_equal(pcv_model_pull(h.model, UPSTREAM), 0);
        assert_int_equal(ids(&h, LEAF), ONES);
        assert_int_equal(hosted_state(&h, LEAF), PCV_STATE_ABSENT);
        assert_int_equal(hosted_state(&h, DOWNSTREAM), PCV_STATE_ABSENT);
        assert_int_equal(hosted_state(&h, UPSTREAM), PCV_STATE_ABSENT);
        assert_int_equal(hosted_state(&h, SWITCH), PCV_STATE_PRESENT);
        assert_int_equal(hosted_state(&h, CARD), PCV_STATE_PRESENT);
        hosted_end(&h);
    }
}

/* LIFE-9: a card that only sleeps keeps its place, and so does one whose bus is
 * being reset. */
static void all_ones_alone_change_nothing(void **state)
{
    struct hosted h;

    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        slotted_start(&h, ways[i]);
        assert_int_equal(pcv_model_set_dead(h.model, CARD, true), 0);
        assert_int_equal(ids(&h, CARD), ONES);
        take_note(&h, PORT);
        assert_int_equal(ids(&h, CARD), ONES);
        assert_int_equal(pcv_model_set_dead(h.model, CARD, false), 0);
        assert_int_equal(ids(&h, CARD), CARD_IDS);
        assert_int_equal(hosted_stats(&h).devices, 6);
        assert_false(hosted_status(&h, CARD).vanished);
        hosted_end(&h);
    }
    slotted_start(&h, LINK);
    pcv_test_write(h.model, PORT, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    pcv_model_poke(h.model, PORT, CAP + PCV_PCIE_LNKSTA, 2, 0);
    assert_int_equal(ids(&h, CARD), ONES);
    assert_int_equal(hosted_state(&h, CARD), PCV_STATE_PRESENT);
    pcv_test_write(h.model, PORT, PCV_REG_BRIDGE_CONTROL, 2, 0);
    assert_int_equal(ids(&h, CARD), CARD_IDS);
    hosted_end(&h);
}

/* LIFE-12: a driver clears the event, without reading the card. */
static void a_note_of_the_event_is_enough(void **state)
{
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    assert_int_equal(pcv_model_pull(h.model, CARD), 0);
    take_note(&h, PORT);
    assert_int_equal(hosted_state(&h, CARD), PCV_STATE_ABSENT);
    assert_int_equal(pcv_model_pull(h.model, UPSTREAM), 0);
    take_note(&h, SWITCH);
    assert_int_equal(hosted_stats(&h).devices, 2);
    hosted_end(&h);
}

/* LIFE-9, LIFE-12: a port that says what is not so is not believed. */
static void a_card_that_answers_is_there(void **state)
{
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    pcv_model_poke(h.model, PORT, CAP + PCV_PCIE_SLTSTA, 2,
                   PCV_PCIE_SLTSTA_PRESENCE_CHANGED);
    pcv_model_poke(h.model, PORT, CAP + PCV_PCIE_LNKSTA, 2, 0);
    take_note(&h, PORT);
    assert_int_equal(hosted_stats(&h).devices, 6);
    assert_false(hosted_status(&h, CARD).vanished);
    assert_int_equal(ids(&h, CARD), CARD_IDS);
    hosted_end(&h);
}

/* LIFE-12 */
static void what_loses_its_power_has_gone_until_it_has_it_again(void **state)
{
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    write(&h, PORT, PCV_PCIE_SLTCTL, PCV_PCIE_SLTCTL_POWER_OFF);
    assert_int_equal(hosted_state(&h, CARD), PCV_STATE_ABSENT);
    assert_int_equal(ids(&h, CARD), ONES);
    write(&h, PORT, PCV_PCIE_SLTCTL, 0);
    take_note(&h, PORT);
    assert_int_equal(ids(&h, CARD), CARD_IDS);
    assert_int_equal(hosted_state(&h, CARD), PCV_STATE_PRESENT);
    hosted_end(&h);
}

/* LIFE-7, LIFE-12: the whole way of a hotplug driver. */
static void another_card_in_the_slot_is_another_device(void **state)
{
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    assert_int_equal(pcv_model_pull(h.model, CARD), 0);
    take_note(&h, PORT);
    put_other(&h, CARD, 0x1533);
    take_note(&h, PORT);
    assert_int_equal(ids(&h, CARD), OTHER_IDS);
    assert_int_equal(hosted_info(&h, CARD).device, 0x1533);
    assert_int_equal(hosted_read(&h, CARD, PCV_REG_BAR0, 4), 0);
    hosted_end(&h);
}

/* LIFE-7, LIFE-12: nobody saw the slot empty. */
static void another_card_is_seen_by_its_ids(void **state)
{
    struct pcv_device *held;
    struct hosted h;

    (void)state;
    slotted_start(&h, 0);
    held = hosted_hold(&h, CARD);
    assert_int_equal(pcv_model_pull(h.model, CARD), 0);
    put_other(&h, CARD, 0x1533);
    /* The old one is still held: the address is nobody's. */
    assert_int_equal(ids(&h, CARD), ONES);
    assert_int_equal(hosted_state(&h, CARD), PCV_STATE_LEAVING);
    assert_true(hosted_status(&h, CARD).vanished);
    assert_int_equal(ids(&h, CARD), ONES);
    pcv_device_put(held);
    assert_int_equal(ids(&h, CARD), OTHER_IDS);
    assert_int_equal(hosted_info(&h, CARD).device, 0x1533);
    hosted_end(&h);
}

/* LIFE-7, LIFE-12: after an event of its slot the card is compared as a whole,
 * though its IDs are the same. */
static void a_like_card_is_compared_after_an_event(void **state)
{
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT);
    assert_int_equal(pcv_model_pull(h.model, CARD), 0);
    pcv_model_poke(h.model, CARD, PCV_REG_REVISION, 1, 0x77);
    assert_int_equal(pcv_model_plug(h.model, CARD), 0);
    assert_int_equal(ids(&h, CARD), CARD_IDS);
    assert_int_not_equal(hosted_info(&h, CARD).revision, 0x77);
    take_note(&h, PORT);
    assert_int_equal(ids(&h, CARD), CARD_IDS);
    assert_int_equal(hosted_info(&h, CARD).revision, 0x77);
    hosted_end(&h);
}

/* LIFE-9: what the host said has vanished stays so, until an event of its slot
 * shows that a card is there. */
static void what_has_vanished_comes_again_with_an_event(void **state)
{
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT);
    assert_int_equal(pcv_device_vanished(h.host, CARD), 0);
    assert_int_equal(ids(&h, CARD), ONES);
    assert_true(hosted_status(&h, CARD).vanished);
    pcv_model_poke(h.model, PORT, CAP + PCV_PCIE_SLTSTA, 2,
                   PCV_PCIE_SLTSTA_PRESENT | PCV_PCIE_SLTSTA_PRESENCE_CHANGED);
    take_note(&h, PORT);
    assert_int_equal(ids(&h, CARD), CARD_IDS);
    assert_false(hosted_status(&h, CARD).vanished);
    hosted_end(&h);
}

/* LIFE-12, OWN-1: a guest has it, and the hardware domain drives the slot. */
static void a_guests_card_is_missed_too(void **state)
{
    struct pcv_domain *guest;
    struct hosted h;
    int error;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    assert_int_equal(pcv_domain_create(h.host, 7, &guest), 0);
    do {
        error = pcv_device_assign(h.host, CARD, guest, NULL, NULL);
    } while (error == -PCV_ERESTART);
    assert_int_equal(error, 0);
    assert_int_equal(pcv_model_pull(h.model, CARD), 0);
    take_note(&h, PORT);
    assert_int_equal(hosted_state(&h, CARD), PCV_STATE_ABSENT);
    assert_int_equal(pcv_model_plug(h.model, CARD), 0);
    take_note(&h, PORT);
    assert_int_equal(ids(&h, CARD), CARD_IDS);
    assert_int_equal(hosted_status(&h, CARD).owner_id, 0);
    assert_int_equal(pcv_domain_destroy(guest), 0);
    hosted_end(&h);
}

/* LIFE-5: an event that nobody resumed goes with the port. */
static void a_port_that_goes_leaves_no_event(void **state)
{
    struct pcv_access access = PCV_WRITE(PORT, CAP + PCV_PCIE_SLTSTA, 2,
                                         PCV_PCIE_SLTSTA_PRESENCE_CHANGED);
    struct pcv_domain *hardware;
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT);
    hardware = pcv_host_hardware_domain(h.host);
    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    assert_int_equal(pcv_device_remove(h.host, PORT, NULL, NULL), 0);
    assert_int_equal(atomic_load(&h.host->slot_count), 0);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_DONE);
    hosted_end(&h);
}

/* CFG-4, CFG-5: the registers are hardware's, and stay what they were. */
static void events_that_were_not_written_stay(void **state)
{
    struct pcv_access byte = PCV_WRITE(PORT, CAP + PCV_PCIE_SLTSTA, 1, 0x08);
    struct pcv_domain *hardware;
    struct hosted h;

    (void)state;
    slotted_start(&h, SLOT | LINK);
    hardware = pcv_host_hardware_domain(h.host);
    pcv_model_poke(h.model, PORT, CAP + PCV_PCIE_SLTSTA, 2, 0x015f);
    assert_int_equal(pcv_access(hardware, &byte), PCV_PENDING);
    assert_int_equal(pcv_access_resume(hardware, &byte), PCV_DONE);
    assert_int_equal(pcv_model_peek(h.model, PORT, CAP + PCV_PCIE_SLTSTA, 2),
                     0x0157);
    write(&h, PORT, PCV_PCIE_SLTSTA, 0x0010);
    assert_int_equal(pcv_model_peek(h.model, PORT, CAP + PCV_PCIE_SLTSTA, 2),
                     0x0147);
    assert_int_equal(hosted_stats(&h).devices, 6);
    hosted_end(&h);
}

/* PORT-3: the host fails at any call of a look; what is there stays, and the
 * next look says how it is. */
static void a_look_that_fails_is_made_again(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 12; nth++) {
        struct hosted h;

        slotted_start(&h, SLOT | LINK);
        pcv_model_fail(h.model, PCV_MODEL_OP_cfg_read, nth);
        (void)ids(&h, LEAF);
        pcv_model_fail(h.model, PCV_MODEL_OP_cfg_read, 0);
        assert_int_equal(hosted_stats(&h).devices, 6);
        assert_int_equal(pcv_model_pull(h.model, CARD), 0);
        pcv_model_fail(h.model, PCV_MODEL_OP_cfg_read, nth);
        (void)ids(&h, CARD);
        pcv_model_fail(h.model, PCV_MODEL_OP_cfg_read, 0);
        assert_int_equal(ids(&h, CARD), ONES);
        assert_int_equal(hosted_state(&h, CARD), PCV_STATE_ABSENT);
        assert_int_equal(hosted_stats(&h).devices, 5);
        hosted_end(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_that_was_pulled_is_missed_when_it_is_read),
        cmocka_unit_test(what_was_pulled_takes_along_what_is_behind),
        cmocka_unit_test(all_ones_alone_change_nothing),
        cmocka_unit_test(a_note_of_the_event_is_enough),
        cmocka_unit_test(a_card_that_answers_is_there),
        cmocka_unit_test(what_loses_its_power_has_gone_until_it_has_it_again),
        cmocka_unit_test(another_card_in_the_slot_is_another_device),
        cmocka_unit_test(another_card_is_seen_by_its_ids),
        cmocka_unit_test(a_like_card_is_compared_after_an_event),
        cmocka_unit_test(what_has_vanished_comes_again_with_an_event),
        cmocka_unit_test(a_guests_card_is_missed_too),
        cmocka_unit_test(a_port_that_goes_leaves_no_event),
        cmocka_unit_test(a_look_that_fails_is_made_again),
        cmocka_unit_test(events_that_were_not_written_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

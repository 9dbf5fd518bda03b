/* SPDX-License-Identifier: MIT */
/*
 * Where the BAR of an emulated function can be reached: in its window, on pages
 * that no BAR has, and what happens where BARs overlap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulated_fixture.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define CARD TREE_ENDPOINT /* BAR 0: four pages, which it decodes */
#define CARD_AT 0x80000000u
#define CARD_PAGES 4u
#define PAGE 4096u

static void card_move(struct emu *e, uint32_t address)
{
    emu_write_at(e, CARD, PCV_REG_BAR0, 4, address);
}

static void card_decode(struct emu *e, bool on)
{
    emu_write_at(e, CARD, PCV_REG_COMMAND, 2, on ? PCV_CMD_MEMORY : 0);
}

/* How many of the card's pages are mapped. */
static uint32_t card_mapped(struct emu *e, uint64_t address)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < CARD_PAGES; i++) {
        count += emu_mapped(e, address + (uint64_t)i * PAGE);
    }
    return count;
}

static bool emu_answers(struct emu *e, uint64_t address)
{
    uint32_t before = e->mailbox.reads;
    uint64_t value;

    return emu_load(e, address, 4, &value) == PCV_DONE &&
           e->mailbox.reads == before + 1;
}

static uint8_t state_of(struct emu *e)
{
    return emu_status(e).bar.state;
}

/* VBUS-6, HDR-17 */
static void it_is_reached_only_inside_its_window(void **state)
{
    static const struct {
        uint64_t at;
        bool reached;
    } rows[] = {
        {EMU_WINDOW, true},
        {EMU_WINDOW + EMU_WINDOW_SIZE - EMU_BAR_SIZE, true},
        {EMU_WINDOW - EMU_BAR_SIZE, false},
        {EMU_WINDOW + EMU_WINDOW_SIZE, false},
        {0, false},
        {0xffff0000u, false},
    };
    struct emu e;

    (void)state;
    emu_start(&e);
    for (size_t i = 0; i < COUNT(rows); i++) {
        emu_switch_on(&e, rows[i].at);
        assert_int_equal(emu_answers(&e, rows[i].at), rows[i].reached);
        assert_int_equal(state_of(&e),
                         rows[i].reached ? PCV_BAR_TRAPPED : PCV_BAR_OUTSIDE);
    }
    emu_end(&e);
}

/* VBUS-6, HDR-4: sizing leaves it at the top, where a window may end. */
static void a_bar_of_all_ones_is_nowhere(void **state)
{
    struct emu e;

    (void)state;
    emu_start_bare(&e);
    e.info.window.v = 0xf0000000u;
    e.info.window_size = 0x20000000u; /* beyond what a 32-bit BAR can say */
    assert_int_equal(emu_create(&e), 0);
    emu_switch_on(&e, 0xffff0000u);
    assert_false(emu_answers(&e, 0xffff0000u));
    emu_switch_on(&e, 0xfffe0000u);
    assert_true(emu_answers(&e, 0xfffe0000u));
    emu_end(&e);
}

/* VBUS-6: what is mapped already stays, and what is emulated waits. */
static void it_waits_for_a_bar_that_was_there_first(void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    card_move(&e, EMU_AT + 4 * PAGE);
    assert_int_equal(card_mapped(&e, EMU_AT + 4 * PAGE), CARD_PAGES);
    emu_switch_on(&e, EMU_AT);
    assert_int_equal(state_of(&e), PCV_BAR_WAITING);
    assert_false(emu_answers(&e, EMU_AT)); /* no page of it, the free too */
    assert_int_equal(card_mapped(&e, EMU_AT + 4 * PAGE), CARD_PAGES);
    card_decode(&e, false);
    assert_int_equal(card_mapped(&e, EMU_AT + 4 * PAGE), 0);
    assert_true(emu_answers(&e, EMU_AT + 4 * PAGE)); /* the first is gone */
    assert_int_equal(state_of(&e), PCV_BAR_TRAPPED);
    card_decode(&e, true);
    assert_int_equal(card_mapped(&e, EMU_AT + 4 * PAGE), 0);
    assert_true(emu_answers(&e, EMU_AT + 4 * PAGE));
    emu_end(&e);
}

/* VBUS-6 */
static void it_comes_when_it_is_moved_to_free_pages(void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    card_move(&e, EMU_AT);
    emu_switch_on(&e, EMU_AT);
    assert_int_equal(state_of(&e), PCV_BAR_WAITING);
    emu_write(&e, EMU_REG_BAR(0), 4, EMU_WINDOW);
    assert_true(emu_answers(&e, EMU_WINDOW));
    assert_int_equal(card_mapped(&e, EMU_AT), CARD_PAGES);
    emu_end(&e);
}

/* VBUS-6: no page is mapped over what is emulated; the rest of that BAR is. */
static void no_page_is_mapped_over_it_while_it_is_reached(void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    emu_switch_on(&e, EMU_AT);
    card_move(&e, EMU_AT + EMU_BAR_SIZE - 0x4000); /* all in it */
    assert_int_equal(card_mapped(&e, EMU_AT + EMU_BAR_SIZE - 0x4000), 0);
    assert_true(emu_answers(&e, EMU_AT + EMU_BAR_SIZE - 4));
    emu_write(&e, EMU_REG_BAR(0), 4, EMU_WINDOW); /* it gets out of the way */
    assert_int_equal(card_mapped(&e, EMU_AT + EMU_BAR_SIZE - 0x4000),
                     CARD_PAGES);
    assert_true(emu_answers(&e, EMU_WINDOW));
    card_move(&e, CARD_AT);
    assert_int_equal(card_mapped(&e, CARD_AT), CARD_PAGES);
    assert_int_equal(card_mapped(&e, EMU_AT + EMU_BAR_SIZE - 0x4000), 0);
    emu_end(&e);
}

/* VBUS-6, HDR-9: pages come back as the host hands them out. */
static void pages_come_back_one_at_a_time(void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    emu_switch_on(&e, EMU_AT);
    card_move(&e, EMU_AT);
    pcv_model_set_map_chunk(e.h.model, 1);
    emu_write(&e, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(card_mapped(&e, EMU_AT), CARD_PAGES);
    emu_end(&e);
}

/* VBUS-6: other bits of the command register, and the address that is there
 * already, move nothing. */
static void what_changes_nothing_gives_no_page_away(void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    emu_switch_on(&e, EMU_AT);
    card_move(&e, EMU_AT);
    emu_write(&e, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_INTX_OFF);
    emu_write(&e, EMU_REG_BAR(0), 4, EMU_AT);
    emu_write(&e, EMU_REG_BAR(1), 4, 0);
    assert_int_equal(card_mapped(&e, EMU_AT), 0);
    assert_true(emu_answers(&e, EMU_AT));
    emu_end(&e);
}

/* VBUS-6, PORT-3, HDR-10 */
static void a_host_that_cannot_map_what_comes_back_is_told(void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    emu_switch_on(&e, EMU_AT);
    card_move(&e, EMU_AT);
    pcv_model_set_map_chunk(e.h.model, 1);
    pcv_model_fail(e.h.model, PCV_MODEL_OP_map, 3);
    emu_write(&e, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(e.events[PCV_EVENT_MAP_FAILED], 1);
    assert_int_equal(e.last.sbdf.v, EMU.v);
    assert_int_equal(card_mapped(&e, EMU_AT), 2);
    assert_false(emu_answers(&e, EMU_AT + 2 * PAGE));
    /* It is whole elsewhere, and the card too. */
    emu_switch_on(&e, EMU_WINDOW);
    assert_true(emu_answers(&e, EMU_WINDOW));
    card_move(&e, CARD_AT);
    assert_int_equal(card_mapped(&e, CARD_AT), CARD_PAGES);
    assert_int_equal(card_mapped(&e, EMU_AT), 0);
    emu_end(&e);
}

/* VBUS-6, PORT-3 */
static void without_memory_it_waits_until_there_is_some(void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    emu_switch_on(&e, EMU_AT);
    card_move(&e, EMU_AT);
    pcv_model_fail(e.h.model, PCV_MODEL_OP_map, 1);
    emu_write(&e, PCV_REG_COMMAND, 2, 0); /* what was set aside stays there */
    pcv_model_fail(e.h.model, PCV_MODEL_OP_alloc, 1);
    emu_switch_on(&e, EMU_WINDOW);
    pcv_model_fail(e.h.model, PCV_MODEL_OP_alloc, 1);
    assert_false(emu_answers(&e, EMU_WINDOW));
    pcv_model_fail(e.h.model, PCV_MODEL_OP_alloc, 0);
    assert_true(emu_answers(&e, EMU_WINDOW));
    assert_int_equal(pcv_emulated_destroy(e.emulated), 0);
    emu_end(&e);
}

/* A second one, beside the first. */
static struct pcv_emulated *another(struct emu *e, struct mailbox *mailbox,
                                    uint32_t size)
{
    struct pcv_emulated_info info = e->info;
    struct pcv_emulated *emulated;

    info.sbdf = pcv_test_at(0, 0, 10, 0);
    info.bar_size = size;
    assert_int_equal(pcv_emulated_create(e->hardware, &info, &mailbox_ops,
                                         mailbox, &emulated),
                     0);
    return emulated;
}

static void another_on(struct emu *e, uint32_t address)
{
    const pcv_sbdf at = pcv_test_at(0, 0, 10, 0);

    emu_write_at(e, at, PCV_REG_COMMAND, 2, 0);
    emu_write_at(e, at, PCV_REG_BAR0, 4, address);
    emu_write_at(e, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
}

/* VBUS-6, HDR-17 */
static void of_two_emulated_the_first_keeps_the_pages(void **state)
{
    static struct mailbox mailbox;
    struct emu e;
    uint64_t value;

    (void)state;
    memset(&mailbox, 0, sizeof(mailbox));
    emu_start(&e);
    (void)another(&e, &mailbox, PAGE);
    emu_switch_on(&e, EMU_AT);
    another_on(&e, EMU_AT + 3 * PAGE);
    assert_true(emu_answers(&e, EMU_AT + 3 * PAGE));
    emu_write(&e, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(emu_load(&e, EMU_AT + 3 * PAGE, 4, &value), PCV_DONE);
    assert_int_equal(mailbox.reads, 1);
    assert_int_equal(mailbox.offset, 0);
    emu_write(&e, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(state_of(&e), PCV_BAR_WAITING);
    assert_false(emu_answers(&e, EMU_AT));
    emu_end(&e);
}

/* VBUS-6, HDR-5: BARs smaller than a page share it, byte for byte. */
static void small_ones_share_a_page(void **state)
{
    static struct mailbox mailbox;
    struct emu e;
    uint64_t value;

    (void)state;
    memset(&mailbox, 0, sizeof(mailbox));
    emu_start_bare(&e);
    e.info.bar_size = 256;
    assert_int_equal(emu_create(&e), 0);
    (void)another(&e, &mailbox, 16);
    emu_switch_on(&e, EMU_AT);
    another_on(&e, EMU_AT + 256);
    assert_true(emu_answers(&e, EMU_AT + 252));
    assert_int_equal(emu_load(&e, EMU_AT + 264, 8, &value), PCV_DONE);
    assert_int_equal(mailbox.offset, 8);
    assert_int_equal(emu_load(&e, EMU_AT + 272, 8, &value), PCV_FORWARD);
    another_on(&e, EMU_AT + 240); /* that is the first one's */
    assert_true(emu_answers(&e, EMU_AT + 244));
    assert_int_equal(mailbox.reads, 1);
    card_move(&e, EMU_AT);
    assert_int_equal(card_mapped(&e, EMU_AT), CARD_PAGES - 1);
    emu_write(&e, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(card_mapped(&e, EMU_AT), CARD_PAGES);
    emu_end(&e);
}

/* VBUS-6: nothing of it is left over in the domain's map. */
static void it_leaves_its_pages_when_it_goes(void **state)
{
    struct emu e;

    (void)state;
    emu_start(&e);
    emu_switch_on(&e, EMU_AT);
    card_move(&e, EMU_AT);
    assert_int_equal(pcv_emulated_destroy(e.emulated), 0);
    assert_int_equal(card_mapped(&e, EMU_AT), CARD_PAGES);
    emu_end(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_reached_only_inside_its_window),
        cmocka_unit_test(a_bar_of_all_ones_is_nowhere),
        cmocka_unit_test(it_waits_for_a_bar_that_was_there_first),
        cmocka_unit_test(it_comes_when_it_is_moved_to_free_pages),
        cmocka_unit_test(no_page_is_mapped_over_it_while_it_is_reached),
        cmocka_unit_test(pages_come_back_one_at_a_time),
        cmocka_unit_test(what_changes_nothing_gives_no_page_away),
        cmocka_unit_test(a_host_that_cannot_map_what_comes_back_is_told),
        cmocka_unit_test(without_memory_it_waits_until_there_is_some),
        cmocka_unit_test(of_two_emulated_the_first_keeps_the_pages),
        cmocka_unit_test(small_ones_share_a_page),
        cmocka_unit_test(it_leaves_its_pages_when_it_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

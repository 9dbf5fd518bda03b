/* SPDX-License-Identifier: MIT */
/*
 * The memory of a hidden function: pages that the hypervisor uses can be read
 * and not written, whoever's BAR leads there.
 */
#include "engine_fixture.h"

#include "hidden_card.h"

/* ---- mapped for reading only -----------------------------------------------
 */

/* OWN-7 */
static void pages_that_the_hypervisor_uses_are_read_only(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    assert_true(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
    for (uint64_t at = 0; at < REGS_SIZE; at += 0x1000) {
        assert_int_equal(card_read_only(&c, REGS + at),
                         at == 0x8000 || at == 0x9000);
    }
    guest_close(&c.g);
}

/* OWN-7 */
static void writes_to_its_bytes_are_discarded_without_a_fault(void **state)
{
    uint64_t refused;
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    pcv_model_mmio_poke(c.g.rig.model, DEV, 0, PORT, 8, 0x1122334455667788);
    refused = rig_status(&c.g.rig, DEV).counters.refused;
    assert_int_equal(card_store(&c, REGS + PORT, 4, 0), PCV_DONE);
    assert_int_equal(card_store(&c, REGS + PORT + PORT_SIZE - 1, 1, 0),
                     PCV_DONE);
    /* A wide one that begins before it. */
    assert_int_equal(card_store(&c, REGS + PORT + PORT_SIZE - 8, 8, 0),
                     PCV_DONE);
    assert_int_equal(card_peek(&c, 0, PORT, 8), 0x1122334455667788);
    assert_int_equal(rig_status(&c.g.rig, DEV).counters.refused - refused, 3);
    assert_int_equal(card_load(&c, REGS + PORT, 8), 0x1122334455667788);
    guest_close(&c.g);
}

/* OWN-7: beside them, on the same pages, it is the domain's to write. */
static void writes_beside_them_reach_the_function(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    assert_int_equal(card_store(&c, REGS + PORT - 4, 4, 0x5a), PCV_DONE);
    assert_int_equal(card_peek(&c, 0, PORT - 4, 4), 0x5a);
    assert_int_equal(card_store(&c, REGS + PORT + PORT_SIZE, 4, 0xa5),
                     PCV_DONE);
    assert_int_equal(card_peek(&c, 0, PORT + PORT_SIZE, 4), 0xa5);
    assert_int_equal(card_store(&c, REGS + 0x200, 4, 0x11), PCV_DONE);
    assert_int_equal(card_peek(&c, 0, 0x200, 4), 0x11);
    guest_close(&c.g);
}

/* OWN-7: another function's registers on such a page. */
static void a_neighbour_on_such_a_page_is_written_as_ever(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    assert_true(card_read_only(&c, NEXT));
    assert_int_equal(card_store(&c, NEXT + 8, 4, 0x33), PCV_DONE);
    assert_int_equal(pcv_model_mmio_peek(c.g.rig.model, DEV3, 0, 8, 4), 0x33);
    assert_int_equal(card_store(&c, LITTLE + 0x10, 4, 0x33), PCV_DONE);
    assert_int_equal(card_peek(&c, 3, 0x10, 4), 0);
    assert_int_equal(card_store(&c, LITTLE + 0x18, 4, 0x44), PCV_DONE);
    assert_int_equal(card_peek(&c, 3, 0x18, 4), 0x44);
    guest_close(&c.g);
}

/* OWN-7, HDR-7: an overlapping BAR of another does not lead there either, nor
 * while the domain has decoding of the hidden one off. */
static void a_bar_that_is_moved_over_them_cannot_be_written_there(void **state)
{
    const struct pcv_hide_info little = {
        .range_count = 1, .range = {{.bar = 3, .offset = 0, .size = 16}}};
    const uint32_t page = LITTLE & ~0xfffu;
    struct card c;

    (void)state;
    card_open(&c);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, &little, NULL), 0);
    rig_write(&c.g.rig, DEV2, PCV_REG_COMMAND, 2, 0);
    rig_write(&c.g.rig, DEV2, REG_BAR(0), 4, page);
    rig_write(&c.g.rig, DEV2, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_true(rig_mapped(&c.g.rig, page, 0x8000));
    assert_true(card_read_only(&c, page));
    assert_false(card_read_only(&c, page + 0x1000));
    rig_write(&c.g.rig, DEV, PCV_REG_COMMAND, 2, 0);
    rig_write(&c.g.rig, DEV3, PCV_REG_COMMAND, 2, 0);
    assert_true(card_read_only(&c, page));
    assert_int_equal(card_store(&c, LITTLE, 4, 0x33), PCV_DONE);
    assert_int_equal(card_peek(&c, 3, 0, 4), 0);
    assert_int_equal(pcv_model_mmio_peek(c.g.rig.model, DEV2, 0, 0x100, 4), 0);
    /* Beside it the other one is reached. */
    assert_int_equal(card_store(&c, page + 0x800, 4, 0x66), PCV_DONE);
    assert_int_equal(pcv_model_mmio_peek(c.g.rig.model, DEV2, 0, 0x800, 4),
                     0x66);
    /* Revealed, everything can be written. */
    assert_int_equal(card_reveal(&c), 0);
    assert_false(card_read_only(&c, page));
    assert_true(rig_mapped(&c.g.rig, page, 0x8000));
    card_check(&c);
    guest_close(&c.g);
}

/* OWN-7, HDR-8: whatever hardware has there, no guest gets it. */
static void no_guest_has_such_a_page(void **state)
{
    struct card c;
    pcv_sbdf at;

    (void)state;
    card_open(&c);
    /* Hardware has the guest's function where the hidden one is. */
    pcv_model_poke(c.g.rig.model, DEV2, REG_BAR(0), 4, LITTLE & ~0x7fffu);
    assert_int_equal(pcv_device_remove(c.g.rig.host, DEV2, NULL, NULL), 0);
    assert_int_equal(pcv_device_add(c.g.rig.host, DEV2, NULL), 0);
    rig_write(&c.g.rig, DEV, PCV_REG_COMMAND, 2, 0);
    rig_write(&c.g.rig, DEV3, PCV_REG_COMMAND, 2, 0);
    at = guest_give(&c.g, DEV2, NULL);
    guest_write(&c.g, at, REG_BAR(0), 4, WIN);
    guest_write(&c.g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_true(guest_mapped(&c.g, WIN, 0x8000));
    rig_forget(&c.g.rig);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, &card_ranges, NULL), 0);
    assert_false(guest_mapped(&c.g, WIN, 0x8000));
    assert_int_equal(rig_events(&c.g.rig, PCV_EVENT_NOT_MAPPED), 1);
    guest_take(&c.g, DEV2);
    guest_close(&c.g);
}

/* ---- a host that cannot map for reading only -------------------------------
 */

/* OWN-7: nothing is mapped there, and each access is looked at. */
static void without_read_only_pages_they_are_trapped(void **state)
{
    struct card c;

    (void)state;
    memset(&c, 0, sizeof(c));
    guest_open(&c.g);
    c.g.rig.ops.map_read_only = NULL;
    card_add(&c);
    guest_boot(&c.g);
    card_hide(&c);
    assert_false(rig_mapped(&c.g.rig, PORT_PAGE, 0x2000));
    assert_true(rig_mapped(&c.g.rig, REGS, 0x8000));
    assert_int_equal(guest_bar(&c.g, DEV, 0).trapped_pages, 2);
    assert_int_equal(card_store(&c, REGS + PORT, 4, 1), PCV_DONE);
    assert_int_equal(card_peek(&c, 0, PORT, 4), 0);
    assert_int_equal(card_store(&c, REGS + PORT - 8, 4, 0x12), PCV_DONE);
    assert_int_equal(card_load(&c, REGS + PORT - 8, 4), 0x12);
    assert_int_equal(card_store(&c, NEXT + 8, 4, 0x33), PCV_DONE);
    assert_int_equal(card_load(&c, NEXT + 8, 4), 0x33);
    card_check(&c);
    assert_int_equal(card_reveal(&c), 0);
    card_as_before(&c);
    guest_close(&c.g);
}

/* ---- ranges ----------------------------------------------------------------
 */

/* OWN-7 */
static void a_range_must_lie_in_a_memory_bar(void **state)
{
    static const struct pcv_hide_range bad[] = {
        {0, 0, 0},          {0, 0, REGS_SIZE + 1}, {0, REGS_SIZE, 1},
        {0, 1, REGS_SIZE},  {0, UINT64_MAX, 2},    {0, 2, UINT64_MAX},
        {1, 0, 4}, /* the upper half of BAR 0 */
        {2, 0, 4}, /* I/O */
        {4, 0, 4}, /* there is none */
        {6, 0, 4}, /* the ROM */
        {UINT32_MAX, 0, 4},
    };
    struct pcv_hide_info info = {.range_count = 1};
    struct card c;

    (void)state;
    card_open(&c);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        info.range[0] = bad[i];
        assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, &info, NULL),
                         -PCV_EINVAL);
        card_as_before(&c);
    }
    info.range_count = PCV_HIDE_RANGES + 1;
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, &info, NULL),
                     -PCV_EINVAL);
    guest_close(&c.g);
}

/* OWN-7: on one page, over each other, and all of a BAR. */
static void ranges_may_overlap(void **state)
{
    const struct pcv_hide_info info = {
        .range_count = 4,
        .range = {{.bar = 0, .offset = 0x100, .size = 4},
                  {.bar = 0, .offset = 0x200, .size = 0x10},
                  {.bar = 0, .offset = 0x204, .size = 0x1000},
                  {.bar = 0, .offset = 0, .size = REGS_SIZE}}};
    struct card c;

    (void)state;
    card_open(&c);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, &info, NULL), 0);
    for (uint64_t at = 0; at < REGS_SIZE; at += 0x1000) {
        assert_true(card_read_only(&c, REGS + at));
        assert_int_equal(card_store(&c, REGS + at, 8, 1), PCV_DONE);
        assert_int_equal(card_peek(&c, 0, at, 8), 0);
    }
    card_check(&c);
    assert_int_equal(card_reveal(&c), 0);
    card_as_before(&c);
    guest_close(&c.g);
}

/* OWN-7, LIFE-9: what was pulled uses nothing more. */
static void pulled_and_removed_it_leaves_nothing_behind(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    assert_int_equal(pcv_device_remove(c.g.rig.host, DEV, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(pcv_device_vanished(c.g.rig.host, DEV), 0);
    assert_int_equal(pcv_device_remove(c.g.rig.host, DEV, NULL, NULL), 0);
    assert_false(card_read_only(&c, NEXT));
    assert_true(rig_mapped(&c.g.rig, NEXT & ~0xfffu, 0x1000));
    /* What is plugged in there is the hardware domain's, as anything new. */
    assert_int_equal(pcv_device_add(c.g.rig.host, DEV, NULL), 0);
    card_as_before(&c);
    guest_close(&c.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_that_the_hypervisor_uses_are_read_only),
        cmocka_unit_test(writes_to_its_bytes_are_discarded_without_a_fault),
        cmocka_unit_test(writes_beside_them_reach_the_function),
        cmocka_unit_test(a_neighbour_on_such_a_page_is_written_as_ever),
        cmocka_unit_test(a_bar_that_is_moved_over_them_cannot_be_written_there),
        cmocka_unit_test(no_guest_has_such_a_page),
        cmocka_unit_test(without_read_only_pages_they_are_trapped),
        cmocka_unit_test(a_range_must_lie_in_a_memory_bar),
        cmocka_unit_test(ranges_may_overlap),
        cmocka_unit_test(pulled_and_removed_it_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

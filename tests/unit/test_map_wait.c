/* SPDX-License-Identifier: MIT */
/*
 * BARs of a guest that overlap: the first mapped keeps the page, the second
 * waits and appears when the first goes.
 */
#include "guest_fixture.h"

#include <string.h>

/* Ways for device A to give its pages back. */
enum leave { BY_MOVE, BY_DECODE, BY_DEASSIGN, BY_REMOVE, BY_VANISHING, LEAVES };

static void leave(struct two *t, enum leave how)
{
    switch (how) {
    case BY_MOVE:
        two_set_bar(t, t->a, 0, WIN + 0x80000);
        break;
    case BY_DECODE:
        two_decode(t, t->a, false);
        break;
    case BY_DEASSIGN:
        guest_take(&t->g, DEV);
        break;
    case BY_VANISHING:
        assert_int_equal(pcv_device_vanished(t->g.rig.host, DEV), 0);
        assert_int_equal(pcv_device_remove(t->g.rig.host, DEV, NULL, NULL), 0);
        break;
    case BY_REMOVE:
        guest_take(&t->g, DEV);
        assert_int_equal(pcv_device_remove(t->g.rig.host, DEV, NULL, NULL), 0);
        break;
    case LEAVES:
        break;
    }
}

/* HDR-17 */
static void the_first_bar_keeps_a_page_and_the_second_follows(void **state)
{
    (void)state;
    for (enum leave how = BY_MOVE; how < LEAVES; how++) {
        uint64_t page;
        struct two t;

        two_open(&t);
        two_set_bar(&t, t.a, 0, WIN);
        two_decode(&t, t.a, true);
        two_set_bar(&t, t.b, 0, WIN + 0x2000);
        two_decode(&t, t.b, true);
        assert_int_equal(guest_pages(&t.g), 4);
        assert_true(pcv_model_translate(t.g.rig.model, GUEST_ID,
                                        (WIN + 0x2000) >> 12, &page));
        assert_int_equal(page, (HOST_A >> 12) + 2);
        assert_int_equal(guest_bar(&t.g, DEV2, 0).state, PCV_BAR_WAITING);
        assert_int_equal(guest_read(&t.g, t.b, PCV_REG_COMMAND, 2),
                         PCV_CMD_MEMORY);
        leave(&t, how);
        assert_true(pcv_model_translate(t.g.rig.model, GUEST_ID,
                                        (WIN + 0x2000) >> 12, &page));
        assert_int_equal(page, HOST_B >> 12);
        assert_int_equal(guest_bar(&t.g, DEV2, 0).state, PCV_BAR_ON);
        assert_int_equal(guest_pages(&t.g), how == BY_MOVE ? 6 : 2);
        assert_int_equal(pcv_model_crashes(t.g.rig.model, NULL), 0);
        guest_close(&t.g);
    }
}

/* HDR-17 */
static void a_bar_that_waited_and_left_gets_nothing(void **state)
{
    struct two t;

    (void)state;
    two_open(&t);
    two_set_bar(&t, t.a, 0, WIN);
    two_decode(&t, t.a, true);
    two_set_bar(&t, t.b, 0, WIN);
    two_decode(&t, t.b, true);
    two_decode(&t, t.b, false);
    assert_int_equal(guest_bar(&t.g, DEV2, 0).state, PCV_BAR_OFF);
    two_decode(&t, t.a, false);
    assert_int_equal(guest_pages(&t.g), 0);
    two_decode(&t, t.b, true);
    assert_true(guest_mapped(&t.g, WIN, 0x2000));
    two_decode(&t, t.a, true);
    assert_int_equal(guest_bar(&t.g, DEV, 0).state, PCV_BAR_WAITING);
    guest_take(&t.g, DEV);
    assert_int_equal(guest_pages(&t.g), 2);
    guest_close(&t.g);
}

/* HDR-17 */
static void bars_of_one_device_wait_for_each_other_too(void **state)
{
    struct two t;

    (void)state;
    two_open(&t);
    two_set_bar(&t, t.a, 0, WIN);
    two_set_bar(&t, t.a, 2, WIN + 0x2000);
    two_decode(&t, t.a, true);
    assert_int_equal(guest_bar(&t.g, DEV, 0).state, PCV_BAR_ON);
    assert_int_equal(guest_bar(&t.g, DEV, 2).state, PCV_BAR_WAITING);
    assert_int_equal(guest_pages(&t.g), 4);
    two_set_bar(&t, t.a, 0, WIN + 0x10000);
    assert_int_equal(guest_bar(&t.g, DEV, 2).state, PCV_BAR_ON);
    assert_int_equal(guest_pages(&t.g), 6);
    /* BAR 2 was there first this time. */
    two_set_bar(&t, t.a, 0, WIN);
    assert_int_equal(guest_bar(&t.g, DEV, 0).state, PCV_BAR_WAITING);
    assert_int_equal(guest_pages(&t.g), 2);
    guest_close(&t.g);
}

/* HDR-9, HDR-17 */
static void who_makes_pages_free_goes_on_until_they_are_used(void **state)
{
    struct pcv_access off;
    struct two t;

    (void)state;
    two_open(&t);
    two_set_bar(&t, t.b, 0, WIN);
    two_decode(&t, t.b, true);
    two_set_bar(&t, t.a, 0, WIN);
    two_decode(&t, t.a, true);
    assert_int_equal(guest_bar(&t.g, DEV, 0).state, PCV_BAR_WAITING);
    pcv_model_set_map_chunk(t.g.rig.model, 1);
    off = PCV_WRITE(t.b, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(pcv_access(t.g.domain, &off), PCV_PENDING);
    assert_true(guest_settle(&t.g, &off) >= 5);
    assert_true(guest_mapped(&t.g, WIN, 0x4000));
    assert_int_equal(guest_bar(&t.g, DEV, 0).state, PCV_BAR_ON);
    guest_close(&t.g);
}

/* HDR-9, HDR-17: what was begun for one that waited is cancelled when it goes,
 * at any point. */
static void a_device_that_is_woken_can_go_at_any_point(void **state)
{
    bool more = true;

    (void)state;
    for (unsigned steps = 0; more; steps++) {
        struct pcv_access off;
        struct two t;

        two_open(&t);
        two_set_bar(&t, t.b, 0, WIN);
        two_decode(&t, t.b, true);
        two_set_bar(&t, t.a, 0, WIN);
        two_decode(&t, t.a, true);
        pcv_model_set_map_chunk(t.g.rig.model, 1);
        off = PCV_WRITE(t.b, PCV_REG_COMMAND, 2, 0);
        assert_int_equal(pcv_access(t.g.domain, &off), PCV_PENDING);
        for (unsigned i = 0; i < steps && more; i++) {
            more = pcv_access_resume(t.g.domain, &off) == PCV_PENDING;
        }
        guest_take(&t.g, DEV);
        if (more) {
            (void)guest_settle(&t.g, &off);
        }
        assert_int_equal(guest_pages(&t.g), 0);
        two_decode(&t, t.b, true);
        assert_true(guest_mapped(&t.g, WIN, 0x2000));
        guest_close(&t.g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_bar_keeps_a_page_and_the_second_follows),
        cmocka_unit_test(a_bar_that_waited_and_left_gets_nothing),
        cmocka_unit_test(bars_of_one_device_wait_for_each_other_too),
        cmocka_unit_test(who_makes_pages_free_goes_on_until_they_are_used),
        cmocka_unit_test(a_device_that_is_woken_can_go_at_any_point),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

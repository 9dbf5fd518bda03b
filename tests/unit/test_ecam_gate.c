/* SPDX-License-Identifier: MIT */
/* Declarations of extended space that meet accesses and adds under way (EXT-2,
 * EXT-3, CFG-10). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ecam_fixture.h"
#include "pcivisor/reset.h"
#include "registry/internal.h"

static struct pcv_device *enter(struct ecam *e, pcv_sbdf sbdf)
{
    struct pcv_device *device = NULL;

    assert_int_equal(
        pcv__gate_enter(pcv_host_hardware_domain(e->h.host), sbdf, &device),
        PCV_DONE);
    return device;
}

static enum pcv_verdict verdict_at(struct ecam *e, pcv_sbdf sbdf)
{
    struct pcv_access access = PCV_READ(sbdf, PCV_REG_VENDOR, 4);

    return pcv_access(pcv_host_hardware_domain(e->h.host), &access);
}

/* EXT-3, CFG-10 */
static void a_device_with_an_access_inside_is_changed_by_the_next_call(
    void **state)
{
    pcv_sbdf busy = {0};
    struct pcv_device *inside;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    inside = enter(&e, ECAM_CARD);
    assert_int_equal(ecam_say(&e, 0, 5, false, &busy), -PCV_ERESTART);
    assert_int_equal(busy.v, ECAM_CARD.v);
    /* All others are done already. */
    ecam_expect(&e, ECAM_LEAF, false);
    ecam_expect(&e, ECAM_PCIX, false);
    assert_true(ecam_has(&e, ECAM_CARD));
    assert_int_equal(verdict_at(&e, ECAM_CARD), PCV_RETRY);
    assert_int_equal(ecam_say(&e, 0, 5, false, NULL), -PCV_ERESTART);
    pcv__gate_leave(inside);
    assert_int_equal(ecam_say(&e, 0, 5, false, NULL), 0);
    ecam_expect(&e, ECAM_CARD, false);
    assert_int_equal(ecam_told(&e, PCV_EVENT_EXTENDED, ECAM_LEAF, 0), 1);
    assert_int_equal(ecam_told(&e, PCV_EVENT_EXTENDED, ECAM_CARD, 0), 1);
    hosted_end(&e.h);
}

/* EXT-2, EXT-3 */
static void a_declaration_taken_back_lets_accesses_in_again(void **state)
{
    struct pcv_device *inside;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    inside = enter(&e, ECAM_CARD);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), -PCV_ERESTART);
    assert_int_equal(verdict_at(&e, ECAM_CARD), PCV_RETRY);
    assert_int_equal(ecam_say(&e, 0, 0, true, NULL), 0);
    assert_int_equal(verdict_at(&e, ECAM_CARD), PCV_DONE);
    pcv__gate_leave(inside);
    ecam_expect(&e, ECAM_CARD, true);
    assert_int_equal(ecam_told(&e, PCV_EVENT_EXTENDED, ECAM_CARD, 0), 0);
    hosted_end(&e.h);
}

/* EXT-3: the VFs wait for their PF, and are found again. */
static void a_pf_with_an_access_inside_takes_its_vfs_along_later(void **state)
{
    struct pcv_device *inside;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    inside = enter(&e, ECAM_PF);
    assert_int_equal(ecam_say(&e, 1, 1, false, NULL), -PCV_ERESTART);
    assert_true(ecam_has(&e, ECAM_VF_0));
    pcv__gate_leave(inside);
    inside = enter(&e, ECAM_VF_0);
    assert_int_equal(ecam_say(&e, 1, 1, false, NULL), -PCV_ERESTART);
    ecam_expect(&e, ECAM_PF, false);
    ecam_expect(&e, ECAM_VF_1, false);
    pcv__gate_leave(inside);
    assert_int_equal(ecam_say(&e, 1, 1, false, NULL), 0);
    ecam_expect(&e, ECAM_VF_0, false);
    hosted_end(&e.h);
}

/* EXT-1, EXT-2: what comes while its PF still waits gets what that will have.
 */
static void a_vf_that_comes_meanwhile_has_what_its_pf_will_have(void **state)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF,
                                      .physfn = ECAM_PF};
    struct pcv_device *inside;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    assert_int_equal(pcv_device_remove(e.h.host, ECAM_VF_1, NULL, NULL), 0);
    inside = enter(&e, ECAM_PF);
    assert_int_equal(pcv_host_set_ecam(e.h.host, 0, 1, 1, false, NULL),
                     -PCV_ERESTART);
    assert_int_equal(pcv_device_add(e.h.host, ECAM_VF_1, &info), 0);
    assert_false(ecam_has(&e, ECAM_VF_1));
    pcv__gate_leave(inside);
    assert_int_equal(pcv_host_set_ecam(e.h.host, 0, 1, 1, false, NULL), 0);
    assert_int_equal(ecam_told(&e, PCV_EVENT_EXTENDED, ECAM_VF_0, 0), 1);
    assert_int_equal(ecam_told(&e, PCV_EVENT_EXTENDED, ECAM_VF_1, 0), 0);
    hosted_end(&e.h);
}

/* LIFE-7, EXT-2: what is read while extended space goes tells nothing. */
static void a_card_is_the_same_while_it_loses_its_serial_number(void **state)
{
    struct pcv_device *inside;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    inside = enter(&e, ECAM_CARD);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), -PCV_ERESTART);
    assert_int_equal(pcv_device_add(e.h.host, ECAM_CARD, NULL), 0);
    pcv__gate_leave(inside);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), 0);
    assert_int_equal(hosted_state(&e.h, ECAM_CARD), PCV_STATE_PRESENT);
    hosted_end(&e.h);
}

/* EXT-3 */
static void what_changes_nothing_pauses_nobody(void **state)
{
    struct pcv_device *inside;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    inside = enter(&e, ECAM_CARD);
    assert_int_equal(ecam_say(&e, 0, 255, true, NULL), 0);
    assert_int_equal(verdict_at(&e, ECAM_CARD), PCV_DONE);
    pcv__gate_leave(inside);
    assert_int_equal(e.events, 0);
    hosted_end(&e.h);
}

/* EXT-2, LIFE-5: it may be published with what was true before. */
static void a_device_that_is_being_added_is_waited_for(void **state)
{
    pcv_sbdf busy = {0};
    struct pcv_device *device;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    device = hosted_hold(&e.h, ECAM_VF_1);
    atomic_fetch_or(&device->word, PCV__WORD_NEW);
    /* On the buses named, or a VF for all we know. */
    assert_int_equal(ecam_say(&e, 2, 2, false, &busy), -PCV_ERESTART);
    assert_int_equal(busy.v, ECAM_VF_1.v);
    busy.v = 0;
    assert_int_equal(ecam_say(&e, 1, 1, false, &busy), -PCV_ERESTART);
    assert_int_equal(busy.v, ECAM_VF_1.v);
    assert_int_equal(e.events, 0);
    /* Others are not kept waiting by it. */
    assert_int_equal(ecam_say(&e, 5, 5, false, NULL), 0);
    atomic_fetch_and(&device->word, ~PCV__WORD_NEW);
    pcv_device_put(device);
    assert_int_equal(ecam_say(&e, 1, 2, false, NULL), 0);
    ecam_expect(&e, ECAM_VF_1, false);
    hosted_end(&e.h);
}

/* EXT-2, EXT-3: a declaration that was accepted holds, also for a function that
 * is between two calls of something else. */
static void a_device_behind_a_closed_gate_is_changed_or_waited_for(void **state)
{
    pcv_sbdf busy = {0};
    struct ecam e;
    int error = -PCV_ERESTART;

    (void)state;
    ecam_up(&e);
    pcv_model_set_clock(e.h.model, true);
    assert_int_equal(pcv_device_reset(e.h.host, ECAM_CARD, NULL),
                     -PCV_ERESTART);
    assert_int_equal(ecam_say(&e, 0, 0, false, &busy), -PCV_ERESTART);
    assert_int_equal(busy.v, ECAM_CARD.v);
    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        pcv_model_advance_us(e.h.model, 100000);
        error = pcv_device_reset(e.h.host, ECAM_CARD, NULL);
    }
    assert_int_equal(error, 0);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), 0);
    ecam_expect(&e, ECAM_CARD, false);
    hosted_end(&e.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_device_with_an_access_inside_is_changed_by_the_next_call),
        cmocka_unit_test(a_declaration_taken_back_lets_accesses_in_again),
        cmocka_unit_test(a_pf_with_an_access_inside_takes_its_vfs_along_later),
        cmocka_unit_test(a_vf_that_comes_meanwhile_has_what_its_pf_will_have),
        cmocka_unit_test(a_card_is_the_same_while_it_loses_its_serial_number),
        cmocka_unit_test(what_changes_nothing_pauses_nobody),
        cmocka_unit_test(a_device_that_is_being_added_is_waited_for),
        cmocka_unit_test(
            a_device_behind_a_closed_gate_is_changed_or_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

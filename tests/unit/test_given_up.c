/* SPDX-License-Identifier: MIT */
/* One operation is begun and not gone on with, and another is asked for: by
 * another administrator, or by the same one who thought better of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pcivisor/hidden.h"
#include "resettable.h"

#define ON ((uint32_t)PCV_CMD_MEMORY | PCV_CMD_MASTER)

/* Transactions of it do not end for a while. */
static void hold_up(struct owned *o)
{
    start(o, HAS_FLR);
    assert_int_equal(pcv_model_set_pending(o->h.model, OWNED_AT, 25000), 0);
}

static int quarantine(struct owned *o)
{
    return pcv_device_quarantine(o->h.host, OWNED_AT, 0, NULL);
}

static int conceal(struct owned *o)
{
    return pcv_device_conceal(o->h.host, OWNED_AT, 0, NULL);
}

static int hide(struct owned *o)
{
    return pcv_device_hide(o->h.host, OWNED_AT, NULL, NULL);
}

static int reveal(struct owned *o)
{
    return pcv_device_reveal(o->h.host, OWNED_AT, 0, NULL);
}

static int read_only(struct owned *o)
{
    return pcv_device_set_read_only(o->h.host, OWNED_AT);
}

static int reset(struct owned *o)
{
    return pcv_device_reset(o->h.host, OWNED_AT, NULL);
}

/* To its end. */
static int finish(struct owned *o, int (*op)(struct owned *))
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 1000 && error == -PCV_ERESTART; i++) {
        pcv_model_advance_us(o->h.model, owned_wait_us(o));
        error = op(o);
    }
    return error;
}

static uint32_t hardware_has(const struct owned *o)
{
    return owned_peek(o, PCV_REG_COMMAND, 2) & ON;
}

/* OWN-5, OWN-7: what the hardware domain has, or uses beside, works. */
static void what_is_not_taken_after_all_does_what_it_did(void **state)
{
    static int (*const first[])(struct owned *) = {quarantine, reset};
    static int (*const then[])(struct owned *) = {reveal, hide, conceal,
                                                  read_only};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 4; k++) {
            struct owned o;

            hold_up(&o);
            assert_int_equal(first[i](&o), -PCV_ERESTART);
            assert_int_equal(hardware_has(&o), 0);
            assert_int_equal(finish(&o, then[k]), 0);
            assert_int_equal(hardware_has(&o), ON);
            owned_end(&o);
        }
    }
}

/* OWN-14: whatever closed its gate before. */
static void what_was_in_a_reset_has_a_placeholder_all_the_same(void **state)
{
    struct owned o;

    (void)state;
    for (int settles = 0; settles < 2; settles++) {
        struct pcv_access read = PCV_READ(OWNED_AT, PCV_REG_BAR0, 4);

        if (settles) {
            start(&o, HAS_FLR);
        } else {
            hold_up(&o);
        }
        assert_int_equal(reset(&o), -PCV_ERESTART);
        owned_give(&o, NULL);
        assert_int_equal(pcv_access(pcv_host_hardware_domain(o.h.host), &read),
                         PCV_DONE);
        assert_int_equal(read.data, OWNED_BAR);
        owned_take(&o);
        assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
        owned_end(&o);
    }
}

/* OWN-13, OWN-14: the same on the way to quarantine. */
static void quarantine_ends_a_reset_that_nobody_goes_on_with(void **state)
{
    struct owned o;

    (void)state;
    hold_up(&o);
    assert_int_equal(reset(&o), -PCV_ERESTART);
    assert_int_equal(finish(&o, quarantine), 0);
    assert_int_equal(owned_read(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    assert_int_equal(finish(&o, reveal), 0);
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    owned_end(&o);
}

/* OWN-3, OWN-9: who drove it may have left anything in it. */
static void what_was_concealed_is_not_as_after_a_reset(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    assert_int_equal(finish(&o, quarantine), 0);
    assert_int_equal(finish(&o, reset), 0);
    assert_int_equal(finish(&o, conceal), 0);
    assert_int_equal(finish(&o, reveal), 0);
    assert_int_equal(hosted_status(&o.h, OWNED_AT).change_step, PCV_STEP_NONE);
    owned_end(&o);
}

/* It is a guest's until it is quarantine's, waiting for its reset. */
static void come_half_way_home(struct owned *o)
{
    start(o, HAS_FLR);
    owned_give(o, NULL);
    owned_switch_on(o);
    assert_int_equal(pcv_device_deassign(o->h.host, OWNED_AT), -PCV_ERESTART);
    assert_int_equal(hosted_status(&o->h, OWNED_AT).owner_id,
                     PCV_DOMAIN_ID_QUARANTINE);
    o->owner = pcv_host_hardware_domain(o->h.host);
    o->at = OWNED_AT;
}

/* OWN-6: nothing of what its guest had is left in it. */
static void what_was_on_its_way_home_is_concealed_without_its_guest(
    void **state)
{
    struct owned o;

    (void)state;
    come_half_way_home(&o);
    assert_int_equal(finish(&o, conceal), 0);
    assert_int_equal(pcv_domain_destroy(o.guest), 0);
    assert_int_equal(finish(&o, reveal), 0);
    owned_switch_on(&o);
    owned_write(&o, PCV_REG_COMMAND, 2, ON | PCV_CMD_PARITY);
    assert_int_equal(owned_peek(&o, PCV_REG_COMMAND, 2), ON | PCV_CMD_PARITY);
    owned_end(&o);
}

/* LIFE-5, OWN-4: what is quarantined on its way home goes no further. */
static void what_was_on_its_way_home_rests_in_quarantine(void **state)
{
    struct owned o;

    (void)state;
    come_half_way_home(&o);
    assert_int_equal(finish(&o, quarantine), 0);
    assert_int_equal(hosted_status(&o.h, OWNED_AT).change_step, PCV_STEP_NONE);
    owned_give(&o, NULL);
    assert_int_equal(hosted_status(&o.h, OWNED_AT).owner_id, OWNED_GUEST);
    owned_end(&o);
}

/* OWN-4, OWN-16: a reset on the way does not end it. */
static void what_is_reset_on_its_way_home_rests_all_the_same(void **state)
{
    struct owned o;

    (void)state;
    come_half_way_home(&o);
    assert_int_equal(finish(&o, reset), 0);
    assert_int_equal(finish(&o, quarantine), 0);
    assert_int_equal(pcv_domain_destroy(o.guest), 0);
    assert_int_equal(pcv_domain_create(o.h.host, OWNED_GUEST, &o.guest), 0);
    owned_give(&o, NULL);
    assert_int_equal(hosted_status(&o.h, OWNED_AT).owner_id, OWNED_GUEST);
    owned_end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_taken_after_all_does_what_it_did),
        cmocka_unit_test(what_was_in_a_reset_has_a_placeholder_all_the_same),
        cmocka_unit_test(quarantine_ends_a_reset_that_nobody_goes_on_with),
        cmocka_unit_test(
            what_was_on_its_way_home_is_concealed_without_its_guest),
        cmocka_unit_test(what_was_on_its_way_home_rests_in_quarantine),
        cmocka_unit_test(what_is_reset_on_its_way_home_rests_all_the_same),
        cmocka_unit_test(what_was_concealed_is_not_as_after_a_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

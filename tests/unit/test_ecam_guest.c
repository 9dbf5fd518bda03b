/* SPDX-License-Identifier: MIT */
/* Guests keep the extended space that they have (EXT-3), and get no device
 * whose own is not known for sure (OWN-12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ecam_fixture.h"
#include "registry/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GUEST 7u

static struct pcv_domain *make_guest(struct ecam *e)
{
    struct pcv_domain *guest = NULL;

    assert_int_equal(pcv_domain_create(e->h.host, GUEST, &guest), 0);
    return guest;
}

static int give(struct ecam *e, struct pcv_domain *guest, pcv_sbdf sbdf,
                pcv_sbdf *out)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_NO_RESET};
    int error = -PCV_ERESTART;

    assert_int_equal(pcv_device_declare_isolated(e->h.host, sbdf, true), 0);
    /* Bounded by the time after a reset: each question takes a second. */
    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_assign(e->h.host, sbdf, guest, &policy, out);
    }
    return error;
}

static int take_back(struct ecam *e, pcv_sbdf sbdf)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_deassign(e->h.host, sbdf);
    }
    return error;
}

/* EXT-3 */
static void a_guests_device_is_in_the_way(void **state)
{
    pcv_sbdf busy = {0};
    struct pcv_domain *guest;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    guest = make_guest(&e);
    assert_int_equal(give(&e, guest, ECAM_CARD, NULL), 0);
    assert_int_equal(pcv_device_remove(e.h.host, ECAM_LEAF, NULL, NULL), 0);
    for (unsigned round = 1; round <= 2; round++) {
        assert_int_equal(pcv_host_set_ecam(e.h.host, 0, 0, 5, false, &busy),
                         -PCV_EBUSY);
        assert_int_equal(busy.v, ECAM_CARD.v);
        assert_int_equal(ecam_told(&e, PCV_EVENT_EXTENDED_BUSY, ECAM_CARD, 0),
                         round);
        assert_int_equal(e.event[e.events - 1].domain_id, GUEST);
        assert_int_equal(e.events, round);
        ecam_expect(&e, ECAM_PF, true);
        assert_true(ecam_has(&e, ECAM_CARD));
    }
    /* Nothing was recorded: the next to come has it. */
    assert_int_equal(pcv_device_add(e.h.host, ECAM_LEAF, NULL), 0);
    ecam_expect(&e, ECAM_LEAF, true);
    /* What changes nothing for the guest is no matter of its. */
    assert_int_equal(ecam_say(&e, 0, 5, true, NULL), 0);
    assert_int_equal(ecam_say(&e, 1, 5, false, NULL), 0);
    ecam_expect(&e, ECAM_LEAF, false);
    assert_int_equal(take_back(&e, ECAM_CARD), 0);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), 0);
    ecam_expect(&e, ECAM_CARD, false);
    hosted_end(&e.h);
}

/* EXT-1, EXT-3: on whatever bus it stands. */
static void a_guests_vf_is_in_the_way_of_its_pf(void **state)
{
    pcv_sbdf busy = {0};
    struct pcv_domain *guest;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    guest = make_guest(&e);
    assert_int_equal(give(&e, guest, ECAM_VF_1, NULL), 0);
    assert_int_equal(ecam_say(&e, 1, 1, false, &busy), -PCV_EBUSY);
    assert_int_equal(busy.v, ECAM_VF_1.v);
    assert_true(ecam_has(&e, ECAM_PF));
    assert_int_equal(take_back(&e, ECAM_VF_1), 0);
    assert_int_equal(ecam_say(&e, 1, 1, false, NULL), 0);
    ecam_expect(&e, ECAM_VF_1, false);
    hosted_end(&e.h);
}

/* OWN-12, EXT-2 */
static void nothing_is_given_away_before_the_host_has_spoken(void **state)
{
    struct pcv_domain *guest;
    struct pcv_device *device;
    struct ecam e;

    (void)state;
    ecam_build(&e);
    e.h.ops.ecam_usable = NULL;
    ecam_start(&e);
    (void)hosted_scan(&e.h);
    guest = make_guest(&e);
    assert_int_equal(give(&e, guest, ECAM_CARD, NULL), -PCV_EAGAIN);
    assert_int_equal(ecam_say(&e, 0, 0, true, NULL), 0);
    assert_int_equal(give(&e, guest, ECAM_LEAF, NULL), -PCV_EAGAIN);
    /* Nor in the middle of a declaration. */
    assert_int_equal(
        pcv__gate_enter(pcv_host_hardware_domain(e.h.host), ECAM_CARD, &device),
        PCV_DONE);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), -PCV_ERESTART);
    assert_int_equal(give(&e, guest, ECAM_CARD, NULL), -PCV_EAGAIN);
    pcv__gate_leave(device);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), 0);
    assert_int_equal(give(&e, guest, ECAM_CARD, NULL), 0);
    assert_int_equal(take_back(&e, ECAM_CARD), 0);
    hosted_end(&e.h);
}

/* EXT-3, OWN-4: one that a guest is about to have is the guest's. */
static void an_assignment_on_its_way_is_in_the_way(void **state)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_NO_RESET};
    pcv_sbdf busy = {0};
    struct pcv_domain *guest;
    struct pcv_device *device;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    guest = make_guest(&e);
    assert_int_equal(
        pcv__gate_enter(pcv_host_hardware_domain(e.h.host), ECAM_CARD, &device),
        PCV_DONE);
    assert_int_equal(
        pcv_device_assign(e.h.host, ECAM_CARD, guest, &policy, NULL),
        -PCV_ERESTART);
    assert_int_equal(ecam_say(&e, 0, 0, false, &busy), -PCV_EBUSY);
    assert_int_equal(busy.v, ECAM_CARD.v);
    pcv__gate_leave(device);
    assert_int_equal(take_back(&e, ECAM_CARD), 0);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), 0);
    ecam_expect(&e, ECAM_CARD, false);
    hosted_end(&e.h);
}

/* Leave a device in quarantine: its guest's DMA cannot be let through. */
static void quarantine(struct ecam *e, pcv_sbdf sbdf)
{
    struct pcv_domain *guest = make_guest(e);

    pcv_model_fail(e->h.model, PCV_MODEL_OP_dma_attach, 2);
    assert_int_equal(give(e, guest, sbdf, NULL), -PCV_EIO);
    pcv_model_fail(e->h.model, PCV_MODEL_OP_dma_attach, 0);
    assert_int_equal(hosted_status(&e->h, sbdf).owner_id,
                     PCV_DOMAIN_ID_QUARANTINE);
}

/* EXT-2, OWN-5: nobody sees it, and who gets it next sees what is true then. */
static void a_device_in_quarantine_follows_unseen(void **state)
{
    struct ecam e;

    (void)state;
    for (int on = 0; on < 2; on++) {
        ecam_up(&e);
        quarantine(&e, ECAM_CARD);
        e.events = 0;
        assert_int_equal(ecam_say(&e, 0, 0, false, NULL), 0);
        if (on) {
            assert_int_equal(ecam_say(&e, 0, 0, true, NULL), 0);
        }
        assert_int_equal(ecam_has(&e, ECAM_CARD), on);
        assert_int_equal(take_back(&e, ECAM_CARD), 0);
        ecam_expect(&e, ECAM_CARD, on);
        hosted_end(&e.h);
    }
}

/* EXT-2: whoever works on it is let finish. */
static void a_change_of_owner_under_way_is_waited_for(void **state)
{
    pcv_sbdf busy = {0};
    struct pcv_device *device;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    device = hosted_hold(&e.h, ECAM_LEAF);
    device->changing = true;
    assert_int_equal(ecam_say(&e, 5, 5, false, &busy), -PCV_ERESTART);
    assert_int_equal(busy.v, ECAM_LEAF.v);
    assert_int_equal(e.events, 0);
    assert_int_equal(device->ext_plan, 0); /* nothing was recorded */
    device->changing = false;
    pcv_device_put(device);
    assert_int_equal(ecam_say(&e, 5, 5, false, NULL), 0);
    ecam_expect(&e, ECAM_LEAF, false);
    hosted_end(&e.h);
}

/* SRIOV-3, EXT-2 */
static void a_device_that_was_just_reset_is_left_alone(void **state)
{
    pcv_sbdf busy = {0};
    struct pcv_access access = PCV_WRITE(ECAM_CARD, 0, 2, PCV_PCIE_DEVCTL_FLR);
    struct pcv_device *device;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    pcv_model_set_clock(e.h.model, true);
    device = hosted_hold(&e.h, ECAM_CARD);
    access.reg = (uint16_t)(device->pcie_cap + PCV_PCIE_DEVCTL);
    for (enum pcv_verdict verdict =
             pcv_access(pcv_host_hardware_domain(e.h.host), &access);
         verdict != PCV_DONE;) {
        verdict =
            pcv_access_resume(pcv_host_hardware_domain(e.h.host), &access);
    }
    assert_true(pcv_device_wait_us(device) > 0);
    assert_int_equal(ecam_say(&e, 0, 0, true, &busy), -PCV_ERESTART);
    assert_int_equal(busy.v, ECAM_CARD.v);
    assert_int_equal(pcv_model_early_accesses(e.h.model), 0);
    pcv_model_advance_us(e.h.model, pcv_device_wait_us(device));
    pcv_device_put(device);
    assert_int_equal(ecam_say(&e, 0, 0, true, NULL), 0);
    ecam_expect(&e, ECAM_CARD, true);
    hosted_end(&e.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guests_device_is_in_the_way),
        cmocka_unit_test(a_guests_vf_is_in_the_way_of_its_pf),
        cmocka_unit_test(nothing_is_given_away_before_the_host_has_spoken),
        cmocka_unit_test(an_assignment_on_its_way_is_in_the_way),
        cmocka_unit_test(a_device_in_quarantine_follows_unseen),
        cmocka_unit_test(a_change_of_owner_under_way_is_waited_for),
        cmocka_unit_test(a_device_that_was_just_reset_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

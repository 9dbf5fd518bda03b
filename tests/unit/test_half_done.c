/* SPDX-License-Identifier: MIT */
/* What an operation leaves that is refused half-way, or that another ends: no
 * place, no mark, no step that nobody takes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pcivisor/hidden.h"
#include "registry/internal.h"
#include "resettable.h"

static int assign(struct owned *o)
{
    return pcv_device_assign(o->h.host, OWNED_AT, o->guest, NULL, NULL);
}

static int quarantine(struct owned *o)
{
    return pcv_device_quarantine(o->h.host, OWNED_AT, 0, NULL);
}

static int reset(struct owned *o)
{
    return pcv_device_reset(o->h.host, OWNED_AT, NULL);
}

static int reveal(struct owned *o)
{
    return pcv_device_reveal(o->h.host, OWNED_AT, 0, NULL);
}

static int hide(struct owned *o)
{
    return pcv_device_hide(o->h.host, OWNED_AT, NULL, NULL);
}

static int conceal(struct owned *o)
{
    return pcv_device_conceal(o->h.host, OWNED_AT, 0, NULL);
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

static int fail_attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    (void)ctx;
    (void)requester;
    (void)domain_id;
    return -PCV_EIO;
}

/* OWN-5: a refusal is a failure, at whatever step it comes. */
static void an_assignment_that_is_refused_half_way_keeps_no_place(void **state)
{
    struct pcv_device_status status;
    struct pcv_domain *other;
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    assert_int_equal(assign(&o), -PCV_ERESTART);
    assert_int_equal(hosted_status(&o.h, OWNED_AT).owner_id,
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_device_set_broken(o.h.host, OWNED_AT, true), 0);
    assert_int_equal(finish(&o, assign), -PCV_EPERM);
    status = hosted_status(&o.h, OWNED_AT);
    assert_int_equal(status.owner_id, PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(status.change_error, -PCV_EPERM);
    assert_int_equal(o.events[PCV_EVENT_QUARANTINED], 1);
    /* The guest has nothing, so it ends at once; another gets it. */
    assert_int_equal(pcv_domain_destroy(o.guest), 0);
    assert_int_equal(pcv_device_set_broken(o.h.host, OWNED_AT, false), 0);
    assert_int_equal(pcv_domain_create(o.h.host, OWNED_GUEST + 1u, &other), 0);
    o.guest = other;
    assert_int_equal(finish(&o, assign), 0);
    owned_end(&o);
}

/* OWN-5, OWN-13: a reset ends what another began and gave up. */
static void a_reset_leaves_nothing_of_a_quarantine_that_was_given_up(
    void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    assert_int_equal(pcv_model_set_pending(o.h.model, OWNED_AT, 25000), 0);
    assert_int_equal(quarantine(&o), -PCV_ERESTART);
    assert_int_equal(finish(&o, reset), 0);
    assert_int_equal(hosted_status(&o.h, OWNED_AT).change_step, PCV_STEP_NONE);
    assert_int_equal(atomic_load(&o.h.host->shadow_count), 0);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2) & PCV_CMD_MASTER,
                     PCV_CMD_MASTER);
    owned_end(&o);
}

/* LIFE-5: it is handed on to nobody, whoever asks for it. */
static void what_a_removal_waits_for_is_not_the_hardware_domains_again(
    void **state)
{
    static int (*const asked[])(struct owned *) = {reveal, hide, conceal};

    (void)state;
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        struct owned o;

        start(&o, HAS_FLR);
        owned_give(&o, NULL);
        assert_int_equal(pcv_device_remove(o.h.host, OWNED_AT, NULL, NULL),
                         -PCV_EBUSY);
        assert_int_equal(pcv_device_deassign(o.h.host, OWNED_AT),
                         -PCV_ERESTART);
        assert_int_equal(finish(&o, asked[i]), -PCV_EBUSY);
        assert_true(hosted_status(&o.h, OWNED_AT).remove_waits);
        assert_int_equal(owned_change(&o, false, NULL), 0);
        assert_false(hosted_found(&o.h, OWNED_AT));
        owned_end(&o);
    }
}

/* LIFE-9, PORT-3: what is removed reaches nobody's memory, though the host
 * fails once; where it fails again, somebody is told. */
static void what_a_guest_loses_reaches_its_memory_no_more(void **state)
{
    (void)state;
    for (int fails = 0; fails < 2; fails++) {
        struct owned o;

        start(&o, HAS_FLR);
        owned_give(&o, NULL);
        assert_int_equal(pcv_device_vanished(o.h.host, OWNED_AT), 0);
        if (fails) {
            o.h.host->mem.ops.dma_attach = fail_attach;
        } else {
            pcv_model_fail(o.h.model, PCV_MODEL_OP_dma_attach, 1);
        }
        assert_int_equal(pcv_device_remove(o.h.host, OWNED_AT, NULL, NULL), 0);
        if (fails) {
            assert_int_equal(o.events[PCV_EVENT_MOVE_FAILED], 1);
        } else {
            assert_int_equal(pcv_model_dma_domain(o.h.model, OWNED_AT),
                             PCV_DOMAIN_ID_QUARANTINE);
        }
        owned_end(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_assignment_that_is_refused_half_way_keeps_no_place),
        cmocka_unit_test(
            a_reset_leaves_nothing_of_a_quarantine_that_was_given_up),
        cmocka_unit_test(
            what_a_removal_waits_for_is_not_the_hardware_domains_again),
        cmocka_unit_test(what_a_guest_loses_reaches_its_memory_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Every host operation failing at every call of a change of owner (OWN-5): what
 * is mapped, bound, attached, held and allocated afterwards, which step is
 * named, and that the next attempt goes through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned_fixture.h"

#define CARD OWNED_CARD
#define CARD_PAGES 2u /* the MSI-X table and pending bits are not mapped */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The machine while the hardware domain has everything. */
struct books {
    uint64_t pages, bytes;
    uint32_t command, bar;
};

static struct books books_of(struct owned *o)
{
    return (struct books){
        .pages = pcv_model_mapped_pages(o->h.model),
        .bytes = pcv_model_bytes(o->h.model),
        .command = owned_command(o, CARD),
        .bar = pcv_model_peek(o->h.model, CARD, PCV_REG_BAR0, 4),
    };
}

/* The hardware domain has it, and it is as after a reset (OWN-14). */
static void home(struct owned *o)
{
    assert_int_equal(owned_back(o, CARD), 0);
    assert_int_equal(owned_owner(o, CARD), PCV_DOMAIN_ID_HARDWARE);
    owned_use(o, pcv_host_hardware_domain(o->h.host), CARD);
    owned_write(pcv_host_hardware_domain(o->h.host), CARD, PCV_REG_COMMAND, 2,
                0);
    owned_write(pcv_host_hardware_domain(o->h.host), CARD, PCV_REG_BAR0, 4,
                0x90000000);
    owned_write(pcv_host_hardware_domain(o->h.host), CARD,
                (uint16_t)(o->msi + 2u), 2, 0);
    owned_write(pcv_host_hardware_domain(o->h.host), CARD, PCV_REG_COMMAND, 2,
                PCV_CMD_MEMORY | PCV_CMD_MASTER);
}

/* What was told last about a change of owner that failed. */
static const struct pcv_event *last_failure(const struct owned *o)
{
    for (size_t i = o->events; i > 0 && o->events - i < OWNED_EVENTS; i--) {
        const struct pcv_event *event = &o->event[(i - 1) % OWNED_EVENTS];

        if (event->kind == PCV_EVENT_QUARANTINED ||
            event->kind == PCV_EVENT_CHANGE_FAILED) {
            return event;
        }
    }
    return NULL;
}

/* The step stands in the status, and in the event, by its number and name. */
static void expect_named(struct owned *o, int error, enum pcv_event_kind kind)
{
    struct pcv_device_status status = hosted_status(&o->h, CARD);
    const struct pcv_event *event = last_failure(o);

    assert_true(status.change_step > PCV_STEP_NONE &&
                status.change_step < PCV_STEPS);
    assert_string_not_equal(
        pcv_change_step_name((enum pcv_change_step)status.change_step), "none");
    assert_int_equal(status.change_error, error);
    assert_non_null(event);
    assert_int_equal(event->kind, kind);
    assert_int_equal(event->sbdf.v, CARD.v);
    assert_int_equal(event->arg[0], -error);
    assert_int_equal(event->arg[1], status.change_step);
}

/* A failed assignment: of no effect, or nobody has it. */
static void expect_refused(struct owned *o, const struct books *before,
                           int error)
{
    if (owned_owner(o, CARD) == PCV_DOMAIN_ID_HARDWARE) {
        struct books now = books_of(o);

        now.bytes = before->bytes; /* what was saved is kept */
        assert_memory_equal(before, &now, sizeof(now));
        assert_int_equal(pcv_model_dma_domain(o->h.model, CARD),
                         PCV_DOMAIN_ID_HARDWARE);
        if (hosted_status(&o->h, CARD).change_step != PCV_STEP_NONE) {
            expect_named(o, error, PCV_EVENT_CHANGE_FAILED);
        }
        return;
    }
    owned_expect_nothing(o, CARD);
    assert_int_equal(pcv_model_mapped_pages(o->h.model),
                     before->pages - CARD_PAGES);
    expect_named(o, error, PCV_EVENT_QUARANTINED);
}

/* So that every table that grows has grown. */
static struct books warm(struct owned *o)
{
    assert_int_equal(owned_give(o, CARD), 0);
    owned_use(o, o->guest, CARD);
    home(o);
    return books_of(o);
}

static void fail_assign_at_each(enum pcv_model_op op)
{
    struct books before;
    struct owned o;
    uint64_t calls, n;

    owned_start(&o);
    before = warm(&o);
    for (n = 1; n < 1000; n++) {
        struct books after;
        int error;

        calls = pcv_model_calls(o.h.model, op);
        pcv_model_fail(o.h.model, op, n);
        error = owned_give(&o, CARD);
        pcv_model_fail(o.h.model, op, 0);
        calls = pcv_model_calls(o.h.model, op) - calls;
        assert_true(error <= 0 && error != -PCV_ERESTART);
        if (error == 0) {
            assert_int_equal(owned_owner(&o, CARD), OWNED_GUEST);
            assert_int_equal(pcv_model_dma_domain(o.h.model, CARD),
                             OWNED_GUEST);
            assert_int_equal(hosted_status(&o.h, CARD).change_step, 0);
            if (calls < n) { /* else a capability may be hidden (CAP-3) */
                owned_use(&o, o.guest, CARD);
            }
        } else {
            expect_refused(&o, &before, error);
        }
        if (owned_owner(&o, CARD) != PCV_DOMAIN_ID_HARDWARE) {
            home(&o);
        }
        after = books_of(&o);
        assert_memory_equal(&before, &after, sizeof(after));
        if (calls < n) {
            break;
        }
    }
    assert_true(n < 1000);
    assert_int_equal(owned_destroy(o.guest), 0);
    owned_end(&o);
}

/* OWN-5, OWN-4, PORT-3 */
static void an_assignment_that_fails_anywhere_leaves_nothing(void **state)
{
    (void)state;
    for (int op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        fail_assign_at_each((enum pcv_model_op)op);
    }
}

static void fail_deassign_at_each(enum pcv_model_op op)
{
    struct books before;
    struct owned o;
    uint64_t calls, n;

    owned_start(&o);
    before = warm(&o);
    for (n = 1; n < 1000; n++) {
        struct books after;
        int error;

        assert_int_equal(owned_give(&o, CARD), 0);
        owned_use(&o, o.guest, CARD);
        calls = pcv_model_calls(o.h.model, op);
        pcv_model_fail(o.h.model, op, n);
        error = owned_back(&o, CARD);
        pcv_model_fail(o.h.model, op, 0);
        calls = pcv_model_calls(o.h.model, op) - calls;
        assert_true(error <= 0 && error != -PCV_ERESTART);
        if (error != 0) {
            owned_expect_nothing(&o, CARD);
            assert_int_equal(pcv_model_mapped_pages(o.h.model),
                             before.pages - CARD_PAGES);
            expect_named(&o, error, PCV_EVENT_QUARANTINED);
            assert_int_equal(owned_back(&o, CARD), 0);
        }
        assert_int_equal(owned_owner(&o, CARD), PCV_DOMAIN_ID_HARDWARE);
        assert_int_equal(hosted_status(&o.h, CARD).change_step, 0);
        assert_int_equal(owned_give(&o, CARD), 0);
        home(&o);
        after = books_of(&o);
        assert_memory_equal(&before, &after, sizeof(after));
        if (calls < n) {
            break;
        }
    }
    assert_true(n < 1000);
    assert_int_equal(owned_destroy(o.guest), 0);
    owned_end(&o);
}

/* OWN-5, OWN-6, PORT-3 */
static void a_return_that_fails_anywhere_leaves_nothing(void **state)
{
    (void)state;
    for (int op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        fail_deassign_at_each((enum pcv_model_op)op);
    }
}

/* ---- an IOMMU that does not block ------------------------------------------
 */

static struct {
    struct owned *o;
    bool fails;
} iommu;

static int attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    return iommu.fails && domain_id == PCV_DOMAIN_ID_QUARANTINE
               ? -PCV_EIO
               : pcv_model_ops()->dma_attach(ctx, requester, domain_id);
}

/* OWN-5, OWN-11: its memory may be anybody's only when nothing writes there. */
static void what_cannot_be_blocked_stays_the_guests_and_keeps_it(void **state)
{
    struct pcv_device_status status;
    uint64_t pages;
    struct owned o;

    (void)state;
    owned_build(&o);
    o.h.ops.dma_attach = attach;
    iommu.fails = false;
    owned_boot(&o);
    assert_int_equal(owned_give(&o, CARD), 0);
    pages = pcv_model_mapped_pages(o.h.model);
    owned_use(&o, o.guest, CARD);
    iommu.fails = true;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(i < 2 ? owned_back(&o, CARD) : owned_destroy(o.guest),
                         -PCV_EIO);
        status = hosted_status(&o.h, CARD);
        assert_int_equal(status.owner_id, OWNED_GUEST);
        assert_int_equal(status.change_step, PCV_STEP_BLOCK);
        assert_int_equal(status.change_error, -PCV_EIO);
        assert_int_equal(status.held[PCV_HOLDER_VECTOR], 0);
        assert_int_equal(pcv_model_bound(o.h.model, &(pcv_sbdf){CARD.v}), 0);
        assert_int_equal(pcv_model_mapped_pages(o.h.model), pages);
        assert_int_equal(owned_command(&o, CARD) & PCV_CMD_MASTER, 0);
        assert_int_equal(pcv_device_restore(o.h.host, CARD), -PCV_ENODEV);
        assert_int_equal(owned_command(&o, CARD) & PCV_CMD_MASTER, 0);
    }
    iommu.fails = false;
    assert_int_equal(owned_destroy(o.guest), 0);
    assert_int_equal(owned_owner(&o, CARD), PCV_DOMAIN_ID_HARDWARE);
    owned_end(&o);
}

/* OWN-5 */
static void each_step_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < PCV_STEPS; i++) {
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(
                pcv_change_step_name((enum pcv_change_step)i),
                pcv_change_step_name((enum pcv_change_step)j));
        }
    }
    assert_string_equal(pcv_change_step_name(PCV_STEP_NONE), "none");
    assert_string_equal(pcv_change_step_name(PCV_STEP_PUBLISH), "publish");
    assert_string_equal(pcv_change_step_name(PCV_STEPS), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_assignment_that_fails_anywhere_leaves_nothing),
        cmocka_unit_test(a_return_that_fails_anywhere_leaves_nothing),
        cmocka_unit_test(what_cannot_be_blocked_stays_the_guests_and_keeps_it),
        cmocka_unit_test(each_step_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

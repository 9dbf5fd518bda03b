/* SPDX-License-Identifier: MIT */
/*
 * As test_any_order, of what is behind a bridge, and with accesses of the
 * hardware domain to that bridge, and guests that end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "any_order.h"
#include "pcivisor/hidden.h"
#include "pcivisor/protected.h"
#include "pcivisor/reset.h"
#include "registry/internal.h"

#define STEPS 30u
#define SEEDS 400u
typedef int op_fn(struct world *w);

static int assign(struct world *w)
{
    const struct pcv_assign_policy policy = {
        .flags = (chance(2) ? PCV_ASSIGN_GROUP : 0) |
                 (chance(4) ? 0 : PCV_ASSIGN_TO_QUARANTINE) |
                 (chance(4) ? 0 : PCV_ASSIGN_NO_RESET)};

    return pcv_device_assign(w->h.host, target(w), w->guest[chance(GUESTS)],
                             &policy, NULL);
}

static int deassign(struct world *w)
{
    return pcv_device_deassign(w->h.host, target(w));
}

static uint32_t set(const struct world *w)
{
    return w->target == CARDS ? PCV_SUBTREE : 0;
}

static int quarantine(struct world *w)
{
    return pcv_device_quarantine(w->h.host, target(w), set(w), NULL);
}

static int conceal(struct world *w)
{
    return pcv_device_conceal(w->h.host, target(w),
                              w->target == 0 && chance(2) ? PCV_SLOT : set(w),
                              NULL);
}

static int hide(struct world *w)
{
    const struct pcv_hide_info info = {.flags = set(w)};

    return pcv_device_hide(w->h.host, target(w), &info, NULL);
}

static int reveal(struct world *w)
{
    return pcv_device_reveal(w->h.host, target(w),
                             w->target == 0 && chance(2) ? PCV_SLOT : set(w),
                             NULL);
}

static int reset(struct world *w)
{
    return pcv_device_reset(w->h.host, target(w), NULL);
}

static int restore(struct world *w)
{
    return pcv_device_restore(w->h.host, target(w));
}

static bool is_a_guests(struct world *w, uint32_t i)
{
    return hosted_status(&w->h, card(w, i)).owner_id - FIRST_GUEST < GUESTS;
}

/* Only what a guest is in the way of: it is remembered. */
static int take_away(struct world *w)
{
    bool guests = w->target < CARDS ? is_a_guests(w, w->target)
                                    : is_a_guests(w, 0) || is_a_guests(w, 1);

    return guests ? pcv_device_remove(w->h.host, target(w), NULL, NULL) : 0;
}

static int cancel(struct world *w)
{
    return pcv_device_cancel_remove(w->h.host, target(w));
}

static int hold_up(struct world *w)
{
    return w->target < CARDS
               ? pcv_model_set_pending(w->h.model, soldered(w->target),
                                       chance(30000))
               : 0;
}

/* The hardware domain drives the port, and may not come back. */
static int drive(struct world *w)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint32_t value;
    } rows[] = {
        {PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET},
        {PCV_REG_BRIDGE_CONTROL, 2, 0},
        {PCV_REG_COMMAND, 2, 0},
        {PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER},
        {PCV_REG_MEM_BASE, 4, 0x902f9000},
        {PCV_REG_MEM_BASE, 4, 0x0000fff0},
        {PCV_REG_PRIMARY, 4, 0},
        {PCV_REG_PRIMARY, 4, 0x00050500},
        {PCV_REG_PRIMARY, 4, 0x00010100},
    };
    const uint32_t row = chance(sizeof(rows) / sizeof(rows[0]));
    enum pcv_verdict verdict;

    if (!w->pending) {
        w->write =
            PCV_WRITE(PORT, rows[row].reg, rows[row].size, rows[row].value);
        verdict = pcv_access(w->dom0, &w->write);
    } else {
        verdict = pcv_access_resume(w->dom0, &w->write);
    }
    w->pending = verdict == PCV_PENDING;
    follow(w);
    return 0;
}

static int card_use(struct world *w)
{
    struct pcv_access write =
        PCV_WRITE(card(w, chance(CARDS)), PCV_REG_COMMAND, 2, (uint32_t)ON);
    enum pcv_verdict verdict = pcv_access(w->dom0, &write);

    if (verdict == PCV_PENDING) {
        (void)pcv_access_resume(w->dom0, &write);
    }
    return 0;
}

static int guest_use(struct world *w)
{
    struct pcv_domain *guest = w->guest[chance(GUESTS)];
    const pcv_sbdf at = pcv_test_at(0, 0, (uint8_t)(1 + chance(2)), 0);
    struct pcv_access bar =
        PCV_WRITE(at, PCV_REG_BAR0, 4, 0x80000000u + chance(2) * 0x10000u);
    struct pcv_access write = PCV_WRITE(at, PCV_REG_COMMAND, 2, (uint32_t)ON);
    enum pcv_verdict verdict;

    (void)pcv_access(guest, &bar);
    verdict = pcv_access(guest, &write);
    for (uint32_t n = chance(4); verdict == PCV_PENDING && n != 0; n--) {
        verdict = pcv_access_resume(guest, &write);
    }
    return 0;
}

static int host_work(struct world *w)
{
    uint64_t wait_us;

    return pcv_host_work(w->h.host, &wait_us);
}

static int override(struct world *w)
{
    return pcv_device_override(w->h.host, PORT, chance(4) == 0);
}

/* A guest ends, and another of its name comes. */
static int destroy(struct world *w)
{
    const uint32_t i = chance(GUESTS);
    int error = pcv_domain_destroy(w->guest[i]);

    if (error == 0) {
        pcv_model_fail(w->h.model, PCV_MODEL_OP_alloc, 0);
        assert_int_equal(
            pcv_domain_create(w->h.host, FIRST_GUEST + i, &w->guest[i]), 0);
        assert_int_equal(pcv_domain_add_window(
                             w->guest[i], (pcv_gpa){0x80000000}, 0x10000000),
                         0);
    }
    return error;
}

static const struct {
    const char *name;
    op_fn *fn;
} ops[] = {
    {"assign", assign},
    {"assign", assign},
    {"deassign", deassign},
    {"deassign", deassign},
    {"quarantine", quarantine},
    {"conceal", conceal},
    {"hide", hide},
    {"reveal", reveal},
    {"reset", reset},
    {"restore", restore},
    {"remove", take_away},
    {"cancel", cancel},
    {"hold_up", hold_up},
    {"drive", drive},
    {"use", card_use},
    {"guest_use", guest_use},
    {"guest_use", guest_use},
    {"host_work", host_work},
    {"override", override},
    {"destroy", destroy},
};

#define OPS (sizeof(ops) / sizeof(ops[0]))

static void one(struct world *w, bool talk, bool failing)
{
    uint32_t which = chance(OPS);
    int error;

    w->target = chance(CARDS + 1u);
    if (failing && chance(3) == 0) {
        pcv_model_fail(w->h.model,
                       (enum pcv_model_op)chance(PCV_MODEL_OP_COUNT),
                       1 + chance(12));
    }
    error = ops[which].fn(w);
    for (uint32_t n = chance(6); n != 0 && error == -PCV_ERESTART; n--) {
        pcv_model_advance_us(w->h.model,
                             chance(2) ? wait_of(w) : chance(20000));
        error = ops[which].fn(w);
    }
    for (uint32_t op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        pcv_model_fail(w->h.model, (enum pcv_model_op)op, 0);
    }
    if (talk) {
        printf("  %s %u: %d;", ops[which].name, w->target, error);
        for (uint32_t i = 0; i <= CARDS; i++) {
            struct pcv_device_status s =
                hosted_status(&w->h, i < CARDS ? card(w, i) : PORT);

            printf(" %x %s %d", s.owner_id, pcv_change_step_name(s.change_step),
                   s.change_error);
        }
        printf("\n");
    }
    check(w, failing);
}

static int finish(struct world *w, op_fn *op)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 1000 && error == -PCV_ERESTART; i++) {
        uint64_t wait = wait_of(w);

        pcv_model_advance_us(w->h.model, wait ? wait : 1000);
        error = op(w);
    }
    return error;
}

static int reveal_slot(struct world *w)
{
    return pcv_device_reveal(w->h.host, card(w, 0), PCV_SLOT, NULL);
}

static int reveal_all(struct world *w)
{
    return pcv_device_reveal(w->h.host, PORT, PCV_SUBTREE, NULL);
}

/* The port is as its driver has it. */
static void put_port(struct world *w)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint32_t value;
    } rows[] = {
        {PCV_REG_BRIDGE_CONTROL, 2, 0},
        {PCV_REG_MEM_BASE, 4, 0x902f9000},
        {PCV_REG_COMMAND, 2, ON},
        {PCV_REG_PRIMARY, 4, 0x00010100},
    };
    uint64_t wait_us;

    for (int i = 0; i < 20; i++) {
        pcv_model_advance_us(w->h.model, 100000);
        (void)!pcv_host_work(w->h.host, &wait_us);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_access write =
            PCV_WRITE(PORT, rows[i].reg, rows[i].size, rows[i].value);
        enum pcv_verdict verdict = pcv_access(w->dom0, &write);

        for (int n = 0; n < 100 && verdict == PCV_PENDING; n++) {
            verdict = pcv_access_resume(w->dom0, &write);
        }
    }
    pcv_model_advance_us(w->h.model, 1000000);
    /* What the host could not read when it came back. */
    for (uint32_t i = 0; i < CARDS; i++) {
        if (hosted_state(&w->h, soldered(i)) == PCV_STATE_UNREACHABLE) {
            (void)!pcv_device_add(w->h.host, soldered(i), NULL);
        }
    }
    follow(w);
}

static void bring_home(struct world *w)
{
    uint64_t wait_us;

    for (int i = 0; i < 100 && w->pending; i++) {
        pcv_model_advance_us(w->h.model, 10000);
        (void)drive(w);
    }
    assert_false(w->pending);
    assert_int_equal(pcv_device_override(w->h.host, PORT, false), 0);
    put_port(w);
    for (w->target = 0; w->target <= CARDS; w->target++) {
        (void)!pcv_device_cancel_remove(w->h.host, target(w));
    }
    for (uint32_t round = 0; round < 3; round++) {
        (void)finish(w, reveal_slot);
        (void)finish(w, reveal_all);
        put_port(w); /* what was hidden was not to be driven */
        for (w->target = 0; w->target < CARDS; w->target++) {
            (void)finish(w, deassign);
        }
    }
    assert_int_equal(finish(w, reveal_all), 0);
    for (int i = 0; i < 20 && pcv_host_work(w->h.host, &wait_us) != 0; i++) {
    }
}

static void as_before(struct world *w)
{
    for (uint32_t i = 0; i <= CARDS; i++) {
        pcv_sbdf at = i < CARDS ? card(w, i) : PORT;
        struct pcv_device *device = hosted_hold(&w->h, at);
        struct pcv_device_status status;
        uint64_t word = atomic_load(&device->word);
        uint32_t marks = atomic_load(&device->marks);
        uint16_t notes = atomic_load(&device->notes);

        pcv_device_put(device);
        status = hosted_status(&w->h, at);
        assert_int_equal(status.owner_id, PCV_DOMAIN_ID_HARDWARE);
        assert_true(status.change_step == PCV_STEP_NONE ||
                    status.change_error != 0);
        assert_int_equal(word & (PCV__WORD_CLOSED | PCV__WORD_PAUSED), 0);
        assert_int_equal(marks, 0);
        assert_int_equal(
            notes & (PCV__NOTE_BUS_RESET | PCV__NOTE_SET | PCV__NOTE_KEEPS), 0);
        if (i < CARDS) {
            assert_int_equal(pcv_model_dma_domain(w->h.model, at),
                             PCV_DOMAIN_ID_HARDWARE);
        }
    }
    assert_int_equal(atomic_load(&w->h.host->shadow_count), 0);
    assert_int_equal(atomic_load(&w->h.host->wanted_count), 0);
    assert_int_equal(atomic_load(&w->h.host->concealed_count), 0);
    assert_int_equal(atomic_load(&w->h.host->bus_reset_count), 0);
    assert_int_equal(atomic_load(&w->h.host->renumber_count), 0);
    for (uint32_t i = 0; i < GUESTS; i++) {
        assert_int_equal(atomic_load(&w->guest[i]->devices), 0);
    }
}

/* OWN-4, OWN-5, OWN-13, OWN-15 */
static void whatever_was_begun_all_can_be_brought_home(void **unused)
{
    const char *only = getenv("SEED");

    (void)unused;
    for (uint32_t seed = only ? (uint32_t)atoi(only) : 0;
         seed < (only ? (uint32_t)atoi(only) + 1u : SEEDS); seed++) {
        struct world w;

        state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
        if (only) {
            print_message("seed %u\n", seed);
        }
        world_start(&w);
        for (uint32_t i = 0; i < STEPS && all_there(&w); i++) {
            one(&w, only != NULL, seed % 2u != 0);
        }
        if (all_there(&w)) {
            bring_home(&w);
        }
        if (all_there(&w)) {
            as_before(&w);
        }
        hosted_end(&w.h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_was_begun_all_can_be_brought_home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

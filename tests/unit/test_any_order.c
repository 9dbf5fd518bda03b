/* SPDX-License-Identifier: MIT */
/*
 * Operations on one function in any order, each gone on with or not, on a host
 * that fails now and then. In the end it is brought home, and there it is as it
 * was (OWN-5, OWN-13, PORT-3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pcivisor/hidden.h"
#include "pcivisor/msix.h"
#include "registry/internal.h"
#include "resettable.h"

#define STEPS 30u
#define SEEDS 300u
#define ON ((uint32_t)PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_PARITY)

static uint64_t state;

static uint32_t chance(uint32_t below)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

typedef int op_fn(struct owned *o);

static int assign(struct owned *o)
{
    const struct pcv_assign_policy policy = {
        .flags = chance(2) ? PCV_ASSIGN_TO_QUARANTINE : 0};

    return pcv_device_assign(o->h.host, OWNED_AT, o->guest, &policy, NULL);
}

static int deassign(struct owned *o)
{
    return pcv_device_deassign(o->h.host, OWNED_AT);
}

static int quarantine(struct owned *o)
{
    return pcv_device_quarantine(o->h.host, OWNED_AT, 0, NULL);
}

static int conceal(struct owned *o)
{
    return pcv_device_conceal(o->h.host, OWNED_AT, chance(2) ? PCV_SLOT : 0,
                              NULL);
}

static int hide(struct owned *o)
{
    return pcv_device_hide(o->h.host, OWNED_AT, NULL, NULL);
}

static int reveal(struct owned *o)
{
    return pcv_device_reveal(o->h.host, OWNED_AT, 0, NULL);
}

static int reveal_slot(struct owned *o)
{
    return pcv_device_reveal(o->h.host, OWNED_AT, PCV_SLOT, NULL);
}

static int reset(struct owned *o)
{
    return pcv_device_reset(o->h.host, OWNED_AT, NULL);
}

static int restore(struct owned *o)
{
    return pcv_device_restore(o->h.host, OWNED_AT);
}

static int take_away(struct owned *o)
{
    /* Of a guest it is refused, and remembered. */
    return hosted_status(&o->h, OWNED_AT).owner_id == OWNED_GUEST
               ? pcv_device_remove(o->h.host, OWNED_AT, NULL, NULL)
               : 0;
}

static int cancel(struct owned *o)
{
    return pcv_device_cancel_remove(o->h.host, OWNED_AT);
}

static int broken(struct owned *o)
{
    return pcv_device_set_broken(o->h.host, OWNED_AT, chance(4) == 0);
}

static int declare(struct owned *o)
{
    bool usable = chance(2) != 0;

    pcv_model_set_ecam(o->h.model, 0, 0, 0, usable);
    return pcv_host_set_ecam(o->h.host, 0, 0, 0, usable, NULL);
}

static int hold_up(struct owned *o)
{
    return pcv_model_set_pending(o->h.model, OWNED_AT, chance(30000));
}

static int use(struct owned *o)
{
    struct pcv_access write =
        PCV_WRITE(OWNED_AT, PCV_REG_COMMAND, 2, (uint32_t)ON);
    struct pcv_domain *dom0 = pcv_host_hardware_domain(o->h.host);
    enum pcv_verdict verdict = pcv_access(dom0, &write);

    if (verdict == PCV_PENDING) {
        (void)pcv_access_resume(dom0, &write);
    }
    return 0;
}

static int guest_uses(struct owned *o)
{
    const pcv_sbdf at = pcv_test_at(0, 0, 1, 0);
    struct pcv_access bar =
        PCV_WRITE(at, PCV_REG_BAR0, 4, (uint32_t)OWNED_WINDOW);
    struct pcv_access write =
        PCV_WRITE(at, 4, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    enum pcv_verdict verdict;

    (void)pcv_access(o->guest, &bar);
    verdict = pcv_access(o->guest, &write);

    if (verdict == PCV_PENDING && chance(2)) {
        (void)pcv_access_resume(o->guest, &write);
    }
    return 0;
}

static const struct {
    const char *name;
    op_fn *fn;
} ops[] = {
    {"assign", assign},
    {"deassign", deassign},
    {"quarantine", quarantine},
    {"conceal", conceal},
    {"hide", hide},
    {"reveal", reveal},
    {"reveal_slot", reveal_slot},
    {"reset", reset},
    {"restore", restore},
    {"remove", take_away},
    {"cancel", cancel},
    {"broken", broken},
    {"declare", declare},
    {"hold_up", hold_up},
    {"use", use},
    {"guest_uses", guest_uses},
};

#define OPS (sizeof(ops) / sizeof(ops[0]))

/* Pages of BAR 0 that a domain has mapped at an address. */
static uint32_t pages_of(struct owned *o, uint32_t id, uint64_t address)
{
    uint32_t pages = 0;

    for (uint64_t i = 0; i < OWNED_PAGES; i++) {
        pages += pcv_model_is_mapped(o->h.model, id, address / 4096u + i);
    }
    return pages;
}

/* Between two calls: nobody has what is another's, or nobody's (OWN-1). */
static void check(struct owned *o, bool failing)
{
    struct pcv_device_status s = hosted_status(&o->h, OWNED_AT);
    uint32_t dma = pcv_model_dma_domain(o->h.model, OWNED_AT);
    uint32_t hardware = pages_of(o, PCV_DOMAIN_ID_HARDWARE, OWNED_BAR);
    uint64_t all = pcv_model_mapped_pages(o->h.model);
    uint32_t on =
        owned_peek(o, PCV_REG_COMMAND, 2) & (PCV_CMD_MEMORY | PCV_CMD_MASTER);

    if (s.state != PCV_STATE_PRESENT) {
        return;
    }
    switch (s.owner_id) {
    case OWNED_GUEST:
        assert_true(dma == OWNED_GUEST ||
                    (failing && dma == PCV_DOMAIN_ID_QUARANTINE));
        assert_int_equal(hardware, 0);
        break;
    case PCV_DOMAIN_ID_QUARANTINE:
        assert_int_equal(dma, PCV_DOMAIN_ID_QUARANTINE);
        assert_int_equal(all, 0);
        assert_true(failing || on == 0);
        break;
    case PCV_DOMAIN_ID_HYPERVISOR:
        assert_true(dma == PCV_DOMAIN_ID_HYPERVISOR ||
                    dma == PCV_DOMAIN_ID_HARDWARE);
        assert_int_equal(all, hardware);
        break;
    default:
        assert_int_equal(dma, PCV_DOMAIN_ID_HARDWARE);
        assert_int_equal(all, hardware);
        break;
    }
}

static void one(struct owned *o, bool talk, bool failing)
{
    uint32_t which = chance(OPS);
    int error;

    if (failing && chance(3) == 0) {
        pcv_model_fail(o->h.model,
                       (enum pcv_model_op)chance(PCV_MODEL_OP_COUNT),
                       1 + chance(12));
    }
    error = ops[which].fn(o);
    for (uint32_t n = chance(6); n != 0 && error == -PCV_ERESTART; n--) {
        pcv_model_advance_us(o->h.model,
                             chance(2) ? owned_wait_us(o) : chance(20000));
        error = ops[which].fn(o);
    }
    for (uint32_t op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        pcv_model_fail(o->h.model, (enum pcv_model_op)op, 0);
    }
    if (talk) {
        struct pcv_device_status s = hosted_status(&o->h, OWNED_AT);

        printf("  %s: %d; owner %x step %s %d\n", ops[which].name, error,
               s.owner_id, pcv_change_step_name(s.change_step), s.change_error);
    }
    check(o, failing);
}

static int finish(struct owned *o, op_fn *op)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 1000 && error == -PCV_ERESTART; i++) {
        pcv_model_advance_us(o->h.model, owned_wait_us(o));
        error = op(o);
    }
    return error;
}

static void bring_home(struct owned *o)
{
    (void)!pcv_device_cancel_remove(o->h.host, OWNED_AT);
    (void)finish(o, reveal_slot);
    (void)finish(o, deassign);
    assert_int_equal(finish(o, reveal), 0);
    (void)!pcv_host_set_ecam(o->h.host, 0, 0, 0, true, NULL);
}

static void as_before(struct owned *o)
{
    struct pcv_device *device = hosted_hold(&o->h, OWNED_AT);
    struct pcv_device_status status;
    uint64_t word = atomic_load(&device->word);
    uint32_t marks = atomic_load(&device->marks) & ~(uint32_t)PCV__MARK_BROKEN;

    pcv_device_put(device);
    status = hosted_status(&o->h, OWNED_AT);
    assert_int_equal(status.owner_id, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(status.change_step, PCV_STEP_NONE);
    assert_false(status.remove_waits);
    assert_int_equal(word & (PCV__WORD_CLOSED | PCV__WORD_PAUSED), 0);
    assert_int_equal(atomic_load(&o->h.host->shadow_count), 0);
    assert_int_equal(atomic_load(&o->h.host->wanted_count), 0);
    assert_int_equal(atomic_load(&o->h.host->concealed_count), 0);
    assert_int_equal(atomic_load(&o->guest->devices), 0);
    assert_int_equal(pcv_model_dma_domain(o->h.model, OWNED_AT),
                     PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(owned_peek(o, PCV_REG_BAR0, 4), OWNED_BAR);
    o->owner = pcv_host_hardware_domain(o->h.host);
    o->at = OWNED_AT;
    owned_write(o, PCV_REG_COMMAND, 2, ON);
    pcv_model_advance_us(o->h.model, owned_wait_us(o));
    owned_write(o, PCV_REG_COMMAND, 2, ON);
    assert_int_equal(owned_peek(o, PCV_REG_COMMAND, 2) & ON, ON);
    assert_true(owned_mapped(o));
    assert_int_equal(marks, 0);
}

/* OWN-5, OWN-13 */
static void whatever_was_begun_it_can_be_brought_home(void **unused)
{
    const char *only = getenv("SEED");

    (void)unused;
    for (uint32_t seed = only ? (uint32_t)atoi(only) : 0;
         seed < (only ? (uint32_t)atoi(only) + 1u : SEEDS); seed++) {
        struct owned o;

        state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
        if (only) {
            print_message("seed %u\n", seed);
        }
        start(&o, HAS_FLR | HAS_PM);
        for (uint32_t i = 0; i < STEPS; i++) {
            if (!hosted_found(&o.h, OWNED_AT)) {
                break;
            }
            one(&o, only != NULL, seed % 2u != 0);
        }
        if (hosted_found(&o.h, OWNED_AT)) {
            bring_home(&o);
            as_before(&o);
        }
        hosted_end(&o.h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_was_begun_it_can_be_brought_home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

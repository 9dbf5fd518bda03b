/* SPDX-License-Identifier: MIT */
/*
 * What an assignment would answer (OWN-3): that the test and the assignment
 * agree, whatever the machine and whatever state it is in, and that the test
 * leaves no trace. And what is refused, in which order (OWN-4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned_fixture.h"
#include "registry/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CARD OWNED_CARD

/* ---- random machines -------------------------------------------------------
 */

#define FUNCTIONS 12u
#define PLACES (FUNCTIONS + 2u) /* two where nothing is */
#define ROUNDS 400u
#define MOVES 24u

struct world {
    struct hosted h;
    struct pcv_domain *domain[4]; /* hardware, two guests, hypervisor */
    struct pcv_vector vector[PLACES];
    uint32_t seed;
};

static uint32_t roll(struct world *w, uint32_t sides)
{
    w->seed ^= w->seed << 13;
    w->seed ^= w->seed >> 17;
    w->seed ^= w->seed << 5;
    return w->seed % sides;
}

static pcv_sbdf place(uint32_t index)
{
    return pcv_test_at(0, 0, (uint8_t)(index + 1u), 0);
}

static void make(struct world *w, uint32_t index)
{
    struct pcv_test_function f;
    uint8_t cap;

    switch (roll(w, 8)) {
    case 0:
        pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, (uint8_t)(index + 1u),
                      (uint8_t)(index + 1u));
        break;
    case 1:
        pcv_test_endpoint(&f, 0x1111, 0x2222); /* nothing resets it */
        break;
    case 2:
        pcv_test_endpoint(&f, 0x1111, 0x3333);
        cap = pcv_test_pcie(&f, 0xf); /* a type that nobody knows */
        (void)cap;
        break;
    case 3:
        pcv_test_pcie_endpoint(&f, 0x1234, 0x1000);
        (void)pcv_test_sriov(&f, 4, (uint16_t)roll(w, 2), 8, 1);
        break;
    case 4:
        pcv_test_endpoint(&f, 0x1111, 0x4444);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, 2); /* CardBus */
        break;
    default:
        pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
        break;
    }
    pcv_test_add(w->h.model, &f, place(index));
}

static void world_start(struct world *w, uint32_t seed)
{
    memset(w, 0, sizeof(*w));
    w->seed = seed;
    hosted_build(&w->h);
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        make(w, i);
    }
    if (roll(w, 4) == 0) {
        w->h.ops.ecam_usable = NULL; /* nothing is final (OWN-12) */
    }
    hosted_start(&w->h);
    assert_int_equal(hosted_scan(&w->h), FUNCTIONS);
    w->domain[0] = pcv_host_hardware_domain(w->h.host);
    assert_int_equal(pcv_domain_create(w->h.host, 1, &w->domain[1]), 0);
    assert_int_equal(pcv_domain_create(w->h.host, 2, &w->domain[2]), 0);
    w->domain[3] = pcv_domain_find(w->h.host, PCV_DOMAIN_ID_HYPERVISOR);
    pcv_model_set_clock(w->h.model, roll(w, 2) == 0);
}

static struct pcv_assign_policy policy_of(struct world *w)
{
    struct pcv_assign_policy policy = {0};

    policy.flags = roll(w, 64) & (PCV_ASSIGN_SLOT | PCV_ASSIGN_NO_RESET |
                                  PCV_ASSIGN_GROUP | PCV_ASSIGN_TO_QUARANTINE);
    policy.slot = (uint8_t)(8u * roll(w, 4));
    policy.flags |= roll(w, 32) == 0 ? 0x100u : 0;
    return policy;
}

static void hold_vector(struct world *w, uint32_t index)
{
    struct pcv_vector *vector = &w->vector[index];
    struct pcv_device *device;

    if (atomic_load(&vector->device)) {
        pcv_vector_detach(vector);
        return;
    }
    device = pcv_device_find(w->h.host, place(index));
    if (device) {
        (void)!pcv_vector_attach(device, vector, false, 0);
        pcv_device_put(device);
    }
}

/* Anything that changes what may be assigned. */
static void move(struct world *w)
{
    uint32_t index = roll(w, PLACES);
    pcv_sbdf at = place(index);
    struct pcv_domain *guest = w->domain[1u + roll(w, 2)];
    struct pcv_assign_policy policy = policy_of(w);

    switch (roll(w, 12)) {
    case 0:
    case 1:
    case 2:
    case 3:
        (void)!pcv_device_assign(w->h.host, at, guest, &policy, NULL);
        break;
    case 4:
        (void)!pcv_device_deassign(w->h.host, at);
        break;
    case 5:
        (void)!pcv_device_set_broken(w->h.host, at, roll(w, 2) == 0);
        break;
    case 6:
        hold_vector(w, index);
        break;
    case 7:
        (void)!pcv_device_remove(w->h.host, at, NULL, NULL);
        break;
    case 8:
        (void)!pcv_device_add(w->h.host, at, NULL);
        break;
    case 9:
        (void)!pcv_device_cancel_remove(w->h.host, at);
        break;
    case 10:
        pcv_model_advance_us(w->h.model, 60000);
        break;
    default:
        if (roll(w, 8) == 0) {
            (void)!pcv_device_vanished(w->h.host, at);
        } else if (roll(w, 8) == 0) {
            (void)!pcv_device_set_read_only(w->h.host, at);
        } else {
            pcv_model_fail(w->h.model, PCV_MODEL_OP_dma_attach, roll(w, 3));
        }
        break;
    }
}

struct trace {
    struct pcv_device_status status[PLACES];
    struct pcv_host_stats stats;
    uint64_t writes, attached, mapped, bytes;
};

static void trace_of(struct world *w, struct trace *t)
{
    memset(t, 0, sizeof(*t));
    for (uint32_t i = 0; i < PLACES; i++) {
        assert_int_equal(pcv_device_status(w->h.host, place(i), &t->status[i]),
                         0);
    }
    pcv_host_get_stats(w->h.host, &t->stats);
    t->writes = pcv_model_calls(w->h.model, PCV_MODEL_OP_cfg_write);
    t->attached = pcv_model_calls(w->h.model, PCV_MODEL_OP_dma_attach);
    t->mapped = pcv_model_mapped_pages(w->h.model);
    t->bytes = pcv_model_bytes(w->h.model);
}

/* Ask, and do it. Whether the answer was that it can be done. */
static bool compare(struct world *w)
{
    pcv_sbdf at = place(roll(w, PLACES));
    struct pcv_domain *to =
        w->domain[roll(w, 8) < 6 ? 1u + roll(w, 2) : roll(w, 4)];
    struct pcv_assign_policy policy = policy_of(w);
    const struct pcv_assign_policy *chosen = roll(w, 8) == 0 ? NULL : &policy;
    struct trace before, after;
    int would, does;

    pcv_model_fail(w->h.model, PCV_MODEL_OP_dma_attach, 0);
    trace_of(w, &before);
    would = pcv_device_test_assign(w->h.host, at, to, chosen, NULL, 0, NULL);
    trace_of(w, &after);
    assert_memory_equal(&before, &after, sizeof(after));
    does = pcv_device_assign(w->h.host, at, to, chosen, NULL);
    assert_int_equal(would, does == -PCV_ERESTART ? 0 : does);
    return would == 0;
}

static void world_end(struct world *w)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        pcv_vector_detach(&w->vector[i]);
    }
    pcv_model_fail(w->h.model, PCV_MODEL_OP_dma_attach, 0);
    hosted_end(&w->h);
}

/* OWN-3, OWN-4, OWN-12 */
static void a_test_answers_what_the_assignment_does(void **state)
{
    uint32_t could = 0;

    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct world w;

        world_start(&w, 2654435761u * (round + 1u));
        for (uint32_t i = 0; i < MOVES; i++) {
            move(&w);
            could += compare(&w) ? 1u : 0u;
        }
        world_end(&w);
    }
    /* Both answers are met often. */
    assert_in_range(could, ROUNDS, ROUNDS * MOVES - ROUNDS);
}

/* ---- one after the other ---------------------------------------------------
 */

static int would(struct owned *o, pcv_sbdf at, struct pcv_domain *to)
{
    int error = pcv_device_test_assign(o->h.host, at, to, NULL, NULL, 0, NULL);
    uint32_t owner = owned_owner(o, at);

    assert_int_equal(pcv_device_assign(o->h.host, at, to, NULL, NULL), error);
    assert_int_equal(owned_owner(o, at), owner);
    return error;
}

/* OWN-3, OWN-4 */
static void a_domain_gets_nothing_from_itself(void **state)
{
    struct owned o;

    (void)state;
    owned_start(&o);
    assert_int_equal(would(&o, CARD, pcv_host_hardware_domain(o.h.host)),
                     -PCV_EINVAL);
    assert_int_equal(would(&o, CARD, NULL), -PCV_EINVAL);
    assert_int_equal(owned_give(&o, CARD), 0);
    assert_int_equal(would(&o, CARD, o.guest), -PCV_EINVAL);
    assert_int_equal(would(&o, CARD, o.other), -PCV_EBUSY);
    owned_end(&o);
}

/* OWN-4: the first reason of several is the answer. */
static void what_is_broken_is_given_to_nobody(void **state)
{
    struct pcv_vector vector = {.index = 0};
    struct pcv_device *device;
    struct owned o;

    (void)state;
    owned_start(&o);
    assert_int_equal(pcv_device_set_broken(NULL, CARD, true), -PCV_EINVAL);
    assert_int_equal(
        pcv_device_set_broken(o.h.host, pcv_test_at(0, 9, 0, 0), true),
        -PCV_ENODEV);
    assert_int_equal(
        pcv_device_set_broken(o.h.host, pcv_test_at(9, 0, 0, 0), true),
        -PCV_ENODEV);
    assert_int_equal(pcv_device_set_broken(o.h.host, CARD, true), 0);
    assert_true(hosted_status(&o.h, CARD).broken);
    device = hosted_hold(&o.h, CARD);
    assert_int_equal(pcv_vector_attach(device, &vector, false, 0), 0);
    assert_int_equal(would(&o, CARD, o.guest), -PCV_EPERM);
    assert_int_equal(pcv_device_set_broken(o.h.host, CARD, false), 0);
    assert_int_equal(would(&o, CARD, o.guest), -PCV_EBUSY);
    pcv_vector_detach(&vector);
    pcv_device_put(device);
    assert_int_equal(owned_give(&o, CARD), 0);
    /* Who has it keeps it, and gives it back. */
    assert_int_equal(pcv_device_set_broken(o.h.host, CARD, true), 0);
    assert_int_equal(owned_owner(&o, CARD), OWNED_GUEST);
    assert_int_equal(owned_back(&o, CARD), 0);
    assert_int_equal(would(&o, CARD, o.guest), -PCV_EPERM);
    owned_end(&o);
}

/* OWN-3, OWN-5: what one call began, a test of it finds as the next call. */
static void a_test_in_the_middle_of_a_change_goes_by_it(void **state)
{
    const struct pcv_assign_policy slot = {.flags = PCV_ASSIGN_SLOT,
                                           .slot = 1u << 3};
    struct owned o;

    (void)state;
    owned_start(&o);
    pcv_model_set_clock(o.h.model, true);
    assert_int_equal(pcv_device_assign(o.h.host, CARD, o.guest, &slot, NULL),
                     -PCV_ERESTART);
    assert_int_equal(hosted_status(&o.h, CARD).change_step, PCV_STEP_RESET);
    assert_int_equal(hosted_status(&o.h, CARD).change_error, 0);
    /* The slot is its own; for another function it is taken. */
    assert_int_equal(
        pcv_device_test_assign(o.h.host, CARD, o.guest, &slot, NULL, 0, NULL),
        0);
    assert_int_equal(pcv_device_test_assign(o.h.host, PCV_TEST_ALONE, o.guest,
                                            &slot, NULL, 0, NULL),
                     -PCV_EEXIST);
    assert_int_equal(would(&o, CARD, o.other), -PCV_EBUSY);
    pcv_model_set_clock(o.h.model, false);
    assert_int_equal(owned_assign(&o, CARD, o.guest, &slot), 0);
    owned_end(&o);
}

/* OWN-3, VBUS-1 */
static void a_full_bus_is_seen_beforehand(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    memset(&o, 0, sizeof(o));
    hosted_build(&o.h);
    for (uint8_t slot = 0; slot < PCV_SLOTS; slot++) {
        pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
        pcv_test_add(o.h.model, &f, pcv_test_at(0, 0, slot, 0));
    }
    hosted_start(&o.h);
    assert_int_equal(hosted_scan(&o.h), PCV_SLOTS);
    o.guest = owned_domain(&o, OWNED_GUEST);
    for (uint8_t slot = 0; slot < PCV_SLOTS - 1u; slot++) {
        pcv_sbdf at = pcv_test_at(0, 0, slot, 0);

        assert_int_equal(
            pcv_device_test_assign(o.h.host, at, o.guest, NULL, NULL, 0, NULL),
            0);
        assert_int_equal(owned_give(&o, at), 0);
    }
    assert_int_equal(would(&o, pcv_test_at(0, 0, PCV_SLOTS - 1u, 0), o.guest),
                     -PCV_ENOSPC);
    owned_end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_test_answers_what_the_assignment_does),
        cmocka_unit_test(a_domain_gets_nothing_from_itself),
        cmocka_unit_test(what_is_broken_is_given_to_nobody),
        cmocka_unit_test(a_test_in_the_middle_of_a_change_goes_by_it),
        cmocka_unit_test(a_full_bus_is_seen_beforehand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

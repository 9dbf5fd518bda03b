/* SPDX-License-Identifier: MIT */
/*
 * One bit pauses a gate, and several may rely on it at once: a change of the
 * registers, bus numbers that change, a change of owner that is given up. The
 * model of the gate (proofs/gate.pml) found what is tested here. Also run under
 * the thread sanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "two_ports.h"

#define ROWS 64u

static const struct pcv_register added = {
    .name = "Added",
    .offset = 0xf00,
    .size = 4,
    .policy = {.virt = 0xffffffffu},
};

static enum pcv_verdict read_card(struct two *t)
{
    return pcv_access(pcv_host_hardware_domain(t->r.h.host),
                      &PCV_READ(CARD_A, PCV_REG_VENDOR, 4));
}

/* TOPO-4, LIFE-11: an access must not go to an address that leads elsewhere. */
static void changed_registers_leave_a_gate_paused_for_bus_numbers(void **state)
{
    struct pcv_access access = PCV_WRITE(PORT_A, PCV_REG_PRIMARY, 4, 0x020200);
    struct pcv_domain *hardware;
    struct pcv_device *inside, *card;
    struct two t;

    (void)state;
    two_start(&t);
    hardware = pcv_host_hardware_domain(t.r.h.host);
    card = pcv_device_find(t.r.h.host, CARD_A);
    /* The first card's gate is paused; the change waits for the second's. */
    assert_int_equal(pcv__gate_enter(hardware, CARD_B, &inside), PCV_DONE);
    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_PENDING);
    assert_int_equal(read_card(&t), PCV_RETRY);
    assert_int_equal(pcv_register_add(card, &added, NULL), 0);
    assert_int_equal(read_card(&t), PCV_RETRY);
    pcv__gate_leave(inside);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_DONE);
    numbers(&t, PORT_A, 1, 1);
    numbers(&t, PORT_B, 2, 2);
    assert_int_equal(id_at(&t, CARD_A), 0xaaaa);
    pcv_device_put(card);
    two_end(&t);
}

/* TOPO-4, LIFE-11: a change of owner that drains is not one that is drained. Of
 * one to quarantine, since a guest's function is not renumbered (OWN-15). */
static void bus_numbers_wait_for_who_is_inside_a_closed_gate(void **state)
{
    struct pcv_access access = PCV_WRITE(PORT_A, PCV_REG_PRIMARY, 4, 0x090900);
    struct pcv_domain *hardware;
    struct pcv_device *inside;
    struct two t;

    (void)state;
    two_start(&t);
    hardware = pcv_host_hardware_domain(t.r.h.host);
    assert_int_equal(pcv__gate_enter(hardware, CARD_A, &inside), PCV_DONE);
    assert_int_equal(pcv_device_quarantine(t.r.h.host, CARD_A, 0, NULL),
                     -PCV_ERESTART);
    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_PENDING);
    assert_int_equal(pcv_model_peek(t.r.h.model, PORT_A, PCV_REG_SECONDARY, 1),
                     1);
    pcv__gate_leave(inside);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_DONE);
    assert_true(stands(&t, CARD_A, BUS(9)));
    assert_int_equal(pcv_device_deassign(t.r.h.host, BUS(9)), 0);
    assert_int_equal(id_at(&t, BUS(9)), 0xaaaa);
    two_end(&t);
}

/* TOPO-4, LIFE-11, OWN-15: likewise of one to a guest, where they change past
 * the library: the card stands where it did until nobody is inside. */
static void reported_bus_numbers_wait_for_who_is_inside_a_closed_gate(
    void **state)
{
    struct pcv_device *inside;
    struct two t;

    (void)state;
    two_start(&t);
    assert_int_equal(
        pcv__gate_enter(pcv_host_hardware_domain(t.r.h.host), CARD_A, &inside),
        PCV_DONE);
    assert_int_equal(pcv_device_assign(t.r.h.host, CARD_A, t.guest, NULL, NULL),
                     -PCV_ERESTART);
    numbers(&t, PORT_A, 9, 9); /* dropped: it is on its way to a guest */
    assert_int_equal(pcv_model_peek(t.r.h.model, PORT_A, PCV_REG_SECONDARY, 1),
                     1);
    pcv_test_write(t.r.h.model, PORT_A, PCV_REG_PRIMARY, 4, 0x090900);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pcv_bridge_report_buses(t.r.h.host, PORT_A, 0, 9, 9),
                         -PCV_ERESTART);
        assert_true(stands(&t, CARD_A, CARD_A));
    }
    pcv__gate_leave(inside);
    elsewhere(&t, PORT_A, 9, 9);
    assert_true(stands(&t, CARD_A, BUS(9)));
    assert_int_equal(pcv_device_deassign(t.r.h.host, BUS(9)), 0);
    assert_int_equal(id_at(&t, BUS(9)), 0xaaaa);
    two_end(&t);
}

/* ---- three CPUs ----------------------------------------------------------
 *
 * The administrator's CPU begins to give the card away and stops just before it
 * closes the gate. There one CPU changes registers, behind the paused gate and
 * under the lock, and another one is inside and waits for the lock. Then the
 * administrator goes on, is told that accesses drain, and gives up.
 */

static struct {
    struct two *t;
    struct pcv_device *card;
    bool armed;
    pthread_t inside, administrator;
    _Atomic bool before, go_on, over;
    int assigned, deassigned;
    enum pcv_verdict verdict; /* of an access while registers change */
} three;

/* As who looks after a device's mapping does: inside, under its lock. */
static void *stay_inside(void *arg)
{
    struct pcv__mem *mem = &three.card->host->mem;

    (void)arg;
    if (pcv__gate_enter_held(three.card, 0) == PCV_DONE) {
        pcv__lock_take(mem, &three.card->lock);
        pcv__lock_drop(mem, &three.card->lock);
        pcv__gate_leave(three.card);
    }
    return NULL;
}

static _Thread_local bool is_administrator;

static void *begin_and_give_up(void *arg)
{
    struct two *t = three.t;

    (void)arg;
    is_administrator = true;
    three.assigned =
        pcv_device_assign(t->r.h.host, CARD_A, t->guest, NULL, NULL);
    three.deassigned = pcv_device_deassign(t->r.h.host, CARD_A);
    atomic_store(&three.over, true);
    return NULL;
}

static void until(const _Atomic bool *told)
{
    while (!atomic_load(told)) {
        (void)sched_yield();
    }
}

/* How many hold or wait for the card's lock. */
static uint32_t at_the_lock(void)
{
    return atomic_load(&three.card->lock.next) -
           atomic_load(&three.card->lock.serving);
}

/* While registers change: the gate is paused, the lock held. */
static void meanwhile(void)
{
    three.armed = false;
    assert_int_equal(pthread_create(&three.inside, NULL, stay_inside, NULL), 0);
    while (at_the_lock() < 2) {
        (void)sched_yield();
    }
    atomic_store(&three.go_on, true);
    while (!atomic_load(&three.over) && at_the_lock() < 3) {
        (void)sched_yield();
    }
    three.verdict = read_card(three.t);
}

static void *alloc(void *ctx, size_t size)
{
    if (is_administrator) {
        atomic_store(&three.before, true);
        until(&three.go_on);
    } else if (three.armed) {
        meanwhile();
    }
    return pcv_model_ops()->alloc(ctx, size);
}

/* One after the other, until there is no room for one more. */
static void add_registers(void)
{
    static struct pcv_register row[ROWS];

    three.armed = true;
    for (size_t i = 0; three.armed; i++) {
        assert_true(i < ROWS);
        row[i] = added;
        row[i].offset = (uint16_t)(added.offset + 4u * i);
        assert_int_equal(pcv_register_add(three.card, &row[i], NULL), 0);
    }
}

/* HDR-9, OWN-5, LIFE-11: no access sees registers that are half changed. */
static void a_change_that_is_given_up_opens_no_gate_that_is_paused(void **state)
{
    struct two t;

    (void)state;
    two_build(&t);
    t.r.h.ops.alloc = alloc;
    two_run(&t);
    memset(&three, 0, sizeof(three));
    three.t = &t;
    three.card = pcv_device_find(t.r.h.host, CARD_A);
    assert_int_equal(
        pthread_create(&three.administrator, NULL, begin_and_give_up, NULL), 0);
    until(&three.before);
    add_registers();
    assert_int_equal(pthread_join(three.inside, NULL), 0);
    assert_int_equal(pthread_join(three.administrator, NULL), 0);
    assert_int_equal(three.assigned, -PCV_ERESTART);
    assert_int_equal(three.deassigned, 0);
    assert_int_not_equal(three.verdict, PCV_DONE);
    assert_int_equal(read_card(&t), PCV_DONE);
    pcv_device_put(three.card);
    two_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_registers_leave_a_gate_paused_for_bus_numbers),
        cmocka_unit_test(bus_numbers_wait_for_who_is_inside_a_closed_gate),
        cmocka_unit_test(
            reported_bus_numbers_wait_for_who_is_inside_a_closed_gate),
        cmocka_unit_test(
            a_change_that_is_given_up_opens_no_gate_that_is_paused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Storms of IOMMU faults on some CPUs while others give the functions away and
 * take them back, remove and add them, write their command registers, reset
 * them, and do the host's work (OWN-10, LIFE-11). Also run under the thread
 * sanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "faults_fixture.h"

#define CARDS 3u
#define STEPS                                                                  \
    6000u /* of whoever changes owners; the others go on until then            \
           */
#define GUEST 7u

struct storm {
    struct hosted h;
    struct pcv_domain *guest;
    _Atomic bool over;
    _Atomic uint64_t told, cut, off_while_told;
};

struct worker {
    struct storm *s;
    void (*act)(struct worker *w, uint32_t r);
    uint64_t random;
    uint64_t good; /* what was seen that shows that something happened */
    pthread_t thread;
};

static uint32_t next_random(struct worker *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (uint32_t)(w->random >> 16);
}

static pcv_sbdf card(uint32_t r)
{
    return pcv_test_at(0, 0, (uint8_t)(1u + r % CARDS), 0);
}

static enum pcv_verdict finish(struct pcv_domain *domain,
                               struct pcv_access *access)
{
    enum pcv_verdict verdict = pcv_access(domain, access);

    while (verdict == PCV_PENDING || verdict == PCV_RETRY) {
        (void)sched_yield();
        verdict = verdict == PCV_PENDING ? pcv_access_resume(domain, access)
                                         : pcv_access(domain, access);
    }
    return verdict;
}

/* ---- what a thread does ----------------------------------------------------
 */

static void fault(struct worker *w, uint32_t r)
{
    for (int i = 0; i < 12; i++) {
        w->good += pcv_dma_fault(w->s->h.host, card(r), r, PCV_FAULT_WRITE);
    }
}

static void do_work(struct worker *w, uint32_t r)
{
    uint64_t wait_us;

    (void)r;
    w->good += pcv_host_work(w->s->h.host, &wait_us) == 0;
}

static void change(struct worker *w, uint32_t r)
{
    struct pcv_host *host = w->s->h.host;
    pcv_sbdf at;
    int error;

    do {
        error = (r & 1u) != 0 ? pcv_device_assign(host, card(r >> 1),
                                                  w->s->guest, NULL, &at)
                              : pcv_device_deassign(host, card(r >> 1));
        (void)sched_yield();
    } while (error == -PCV_ERESTART);
    w->good += error == 0;
}

static void come_and_go(struct worker *w, uint32_t r)
{
    struct pcv_host *host = w->s->h.host;

    if (pcv_device_remove(host, card(r), NULL, NULL) == 0) {
        w->good++;
    }
    w->good += pcv_device_add(host, card(r), NULL) == 0;
}

/* Whoever finds it masters the bus, or it is cut. */
static void drive(struct worker *w, uint32_t r)
{
    struct pcv_domain *dom0 = pcv_host_hardware_domain(w->s->h.host);
    bool guest = (r & 1u) != 0;
    pcv_sbdf at =
        guest ? (pcv_sbdf){(1u + (r >> 1) % CARDS) << 3} : card(r >> 1);
    struct pcv_access on = PCV_WRITE(at, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    struct pcv_access flr = PCV_WRITE(at, (uint16_t)(pcie + PCV_PCIE_DEVCTL), 2,
                                      PCV_PCIE_DEVCTL_FLR);

    w->good += finish(guest ? w->s->guest : dom0,
                      (r & 0x70u) == 0 ? &flr : &on) == PCV_DONE;
}

static void look(struct worker *w, uint32_t r)
{
    struct pcv_device_faults faults;

    if (pcv_device_faults(w->s->h.host, card(r), &faults) == 0) {
        w->good += faults.cut;
        if ((r & 0x70u) == 0) {
            w->good += pcv_device_clear_faults(w->s->h.host, card(r)) == 0;
        }
    }
}

static void *run(void *arg)
{
    struct worker *w = arg;

    for (uint32_t i = 0;
         w->act == change ? i < STEPS : !atomic_load(&w->s->over); i++) {
        w->act(w, next_random(w));
        (void)sched_yield();
    }
    return NULL;
}

static void relax(void *ctx)
{
    (void)ctx;
    (void)sched_yield();
}

static void told(void *arg, const struct pcv_event *event)
{
    struct storm *s = arg;

    if (event->kind == PCV_EVENT_FAULTS) {
        atomic_fetch_add(&s->told, 1);
    }
}

static void storm_start(struct storm *s)
{
    struct pcv_test_function f;

    memset(s, 0, sizeof(*s));
    hosted_build(&s->h);
    s->h.ops.relax = relax;
    s->h.ops.now_us = NULL; /* nothing is waited for, and nothing fades */
    for (uint32_t i = 0; i < CARDS; i++) {
        make(&f, HAS_FLR);
        pcv_test_set(&f, PCV_REG_BAR0, 4, OWNED_BAR + i * 0x10000u);
        pcv_test_add(s->h.model, &f, card(i));
    }
    pcv_model_on_event(s->h.model, told, s);
    hosted_start(&s->h);
    assert_int_equal(hosted_scan(&s->h), CARDS);
    assert_int_equal(pcv_domain_create(s->h.host, GUEST, &s->guest), 0);
}

/* OWN-10, LIFE-11: when all is quiet, who is cut is off in hardware, and who is
 * not can be switched on. */
static void nobody_is_forgotten_and_nobody_wrongly_cut(struct storm *s)
{
    struct pcv_domain *dom0 = pcv_host_hardware_domain(s->h.host);

    faults_work(s->h.host);
    for (uint32_t i = 0; i < CARDS; i++) {
        struct pcv_access on =
            PCV_WRITE(card(i), PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
        struct pcv_device_faults faults;
        uint32_t command;

        while (pcv_device_deassign(s->h.host, card(i)) == -PCV_ERESTART) {
        }
        assert_int_equal(pcv_device_add(s->h.host, card(i), NULL), 0);
        assert_int_equal(pcv_device_faults(s->h.host, card(i), &faults), 0);
        command = pcv_model_peek(s->h.model, card(i), PCV_REG_COMMAND, 2);
        assert_false(faults.due);
        assert_true(!faults.cut || (command & PCV_CMD_MASTER) == 0);
        assert_int_equal(finish(dom0, &on), PCV_DONE);
        command = pcv_model_peek(s->h.model, card(i), PCV_REG_COMMAND, 2);
        assert_int_equal((command & PCV_CMD_MASTER) != 0, !faults.cut);
    }
}

/* OWN-10, OWN-5, LIFE-5, LIFE-11 */
static void storms_beside_everything_else_end_in_order(void **state)
{
    static void (*const acts[])(struct worker *, uint32_t) = {
        change, fault, fault, do_work, come_and_go, drive, look,
    };
    struct worker worker[sizeof(acts) / sizeof(acts[0])];
    const size_t count = sizeof(acts) / sizeof(acts[0]);
    struct storm s;

    (void)state;
    storm_start(&s);
    memset(worker, 0, sizeof(worker));
    for (size_t i = 0; i < count; i++) {
        worker[i].s = &s;
        worker[i].act = acts[i];
        worker[i].random = 0x9e3779b97f4a7c15u * (i + 1);
        assert_int_equal(
            pthread_create(&worker[i].thread, NULL, run, &worker[i]), 0);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pthread_join(worker[i].thread, NULL), 0);
        atomic_store(&s.over, true); /* the first one is who changes */
    }
    for (size_t i = 0; i < count; i++) {
        assert_true(worker[i].good != 0);
    }
    assert_true(atomic_load(&s.told) != 0);
    nobody_is_forgotten_and_nobody_wrongly_cut(&s);
    hosted_end(&s.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storms_beside_everything_else_end_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

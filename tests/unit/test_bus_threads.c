/* SPDX-License-Identifier: MIT */
/*
 * Two CPUs of the hardware domain renumber two bridges as they like, overlaps
 * included, while others find, hold, read, remove and add what is behind them,
 * and a guest uses what it has. Also run under the thread sanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "two_ports.h"

#define STEPS 400u
#define STEPS_MAX (100u * STEPS) /* if somebody had no turn so long */
#define BUSES 4u                 /* numbers that are used: 1 to this */

struct worker {
    struct two *t;
    void (*act)(struct worker *w, uint32_t r);
    pcv_sbdf port;
    _Atomic unsigned *running; /* how many renumber */
    _Atomic unsigned *idle;    /* who has not seen anything happen yet */
    uint64_t random;
    uint64_t good; /* what was seen that shows that something happened */
    const char *wrong;
    pthread_t thread;
};

static uint32_t next_random(struct worker *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (uint32_t)(w->random >> 16);
}

static void expect(struct worker *w, bool right, const char *what)
{
    if (!right && !w->wrong) {
        w->wrong = what;
    }
}

#define EXPECT(w, condition) expect((w), (condition), #condition)

/* To its end, however long others are at it. */
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

static pcv_sbdf any_bus(uint32_t r)
{
    return BUS((uint8_t)(1u + r % BUSES));
}

/* ---- what a thread does ----------------------------------------------------
 */

static void renumber(struct worker *w, uint32_t r)
{
    uint32_t bus = r % (BUSES + 1u);
    struct pcv_access access =
        PCV_WRITE(w->port, PCV_REG_PRIMARY, 4, bus << 8 | bus << 16);

    EXPECT(w, finish(pcv_host_hardware_domain(w->t->r.h.host), &access) ==
                  PCV_DONE);
    w->good++;
}

static void look(struct worker *w, uint32_t r)
{
    struct pcv_host *host = w->t->r.h.host;
    pcv_sbdf at = any_bus(r >> 4);
    struct pcv_device *device = pcv_device_find(host, at);
    struct pcv_access access = PCV_READ(at, PCV_REG_VENDOR, 4);
    struct pcv_device_info info;
    struct pcv_device_status status;

    if (device) {
        pcv_device_get_info(device, &info);
        EXPECT(w, info.vendor == 0x1234 && !info.is_bridge);
        w->good++;
        pcv_device_put(device);
    }
    (void)finish(pcv_host_hardware_domain(host), &access);
    EXPECT(w, (access.data & 0xffffu) == 0x1234 || access.data == 0xffffffffu);
    EXPECT(w, pcv_device_status(host, at, &status) == 0);
    device = pcv_device_next_unreachable(host, (pcv_sbdf){0});
    pcv_device_put(device);
}

/* It is its own card all the time: numbers that would take it away are not
 * written (OWN-15). */
static void use(struct worker *w, uint32_t r)
{
    struct pcv_access access = PCV_READ(w->t->at, PCV_REG_VENDOR, 4);
    struct pcv_access write =
        PCV_WRITE(w->t->at, PCV_REG_COMMAND, 2,
                  (r & 1u) != 0 ? PCV_CMD_MEMORY | PCV_CMD_MASTER : 0);

    (void)finish(w->t->guest, &access);
    EXPECT(w, access.data == 0xaaaa1234u);
    w->good++;
    (void)finish(w->t->guest, &write);
}

static void come_and_go(struct worker *w, uint32_t r)
{
    struct pcv_host *host = w->t->r.h.host;
    pcv_sbdf at = any_bus(r >> 4);
    int error;

    if ((r & 3u) == 0) {
        error = pcv_device_remove(host, at, NULL, NULL);
        EXPECT(w, error == 0 || error == -PCV_EBUSY || error == -PCV_ENODEV);
    } else {
        error = pcv_device_add(host, at, NULL);
        EXPECT(w, error == 0 || error == -PCV_EBUSY || error == -PCV_ENODEV ||
                      error == -PCV_EAGAIN || error == -PCV_ERESTART);
        w->good += error == 0;
    }
}

/* Those who renumber go on until everybody has seen something happen; the
 * others as long as somebody renumbers. */
static bool goes_on(const struct worker *w, uint32_t step)
{
    return w->act == renumber
               ? step < STEPS || (step < STEPS_MAX && *w->idle != 0)
               : *w->running != 0;
}

static void *work(void *arg)
{
    struct worker *w = arg;

    for (uint32_t i = 0; goes_on(w, i); i++) {
        bool had_none = w->good == 0;

        w->act(w, next_random(w));
        *w->idle -= had_none && w->good != 0;
    }
    *w->running -= w->act == renumber;
    return NULL;
}

static void relax(void *ctx)
{
    (void)ctx;
    (void)sched_yield();
}

static void run(struct worker *workers, size_t count)
{
    _Atomic unsigned running = 2;
    _Atomic unsigned idle = (unsigned)count;

    for (size_t i = 0; i < count; i++) {
        workers[i].running = &running;
        workers[i].idle = &idle;
        workers[i].random = (i + 1) * 0x9e3779b97f4a7c15u;
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    }
    for (size_t i = 0; i < count; i++) {
        if (workers[i].wrong) {
            fail_msg("thread %zu: %s", i, workers[i].wrong);
        }
        /* A run in which nothing happens proves nothing. */
        if (workers[i].good == 0) {
            fail_msg("thread %zu did nothing", i);
        }
    }
}

/* All of them at once, and then everything stands where it was. */
static void renumber_beside(struct two *t, struct worker *workers, size_t count,
                            bool given)
{
    two_build(t);
    t->r.h.ops.relax = relax;
    two_run(t);
    pcv_model_on_event(t->r.h.model, NULL, NULL);
    if (given) {
        assert_int_equal(change(t, CARD_A, true), 0);
    }
    run(workers, count);
    numbers(t, PORT_A, 0, 0);
    numbers(t, PORT_B, 0, 0);
    numbers(t, PORT_A, 1, 1);
    numbers(t, PORT_B, 2, 2);
    assert_int_equal(pcv_device_add(t->r.h.host, CARD_A, NULL), 0);
    assert_int_equal(pcv_device_add(t->r.h.host, CARD_B, NULL), 0);
    assert_int_equal(id_at(t, CARD_B), 0xbbbb);
    assert_int_equal(pcv_model_dma_domain(t->r.h.model, CARD_B),
                     PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(hosted_stats(host_of(t)).devices, 4);
    assert_int_equal(hosted_stats(host_of(t)).leaving, 0);
}

/* TOPO-4, LIFE-1, LIFE-3, LIFE-7, LIFE-11: nor does an add that found a
 * function just before it was taken from its address take what answers there by
 * now for another card in its place. */
static void renumbering_beside_everything_else_mixes_nothing_up(void **state)
{
    struct two t;
    struct worker workers[] = {
        {.t = &t, .act = renumber, .port = PORT_A},
        {.t = &t, .act = renumber, .port = PORT_B},
        {.t = &t, .act = look},
        {.t = &t, .act = come_and_go},
    };

    (void)state;
    renumber_beside(&t, workers, sizeof(workers) / sizeof(workers[0]), false);
    assert_int_equal(id_at(&t, CARD_A), 0xaaaa);
    two_end(&t);
}

/* OWN-15, TOPO-4, LIFE-11 */
static void renumbering_takes_nothing_from_a_guest(void **state)
{
    struct two t;
    struct worker workers[] = {
        {.t = &t, .act = renumber, .port = PORT_A},
        {.t = &t, .act = renumber, .port = PORT_B},
        {.t = &t, .act = look},
        {.t = &t, .act = use},
        {.t = &t, .act = come_and_go},
    };

    (void)state;
    renumber_beside(&t, workers, sizeof(workers) / sizeof(workers[0]), true);
    assert_true(stands(&t, CARD_A, CARD_A));
    assert_int_equal(owner_read(t.guest, t.at, PCV_REG_VENDOR, 4), 0xaaaa1234);
    assert_int_equal(pcv_model_dma_domain(t.r.h.model, CARD_A), GUEST);
    assert_true(hosted_stats(host_of(&t)).protected_writes != 0);
    two_end(&t);
}

/* ---- between the cut and the write ------------------------------------------
 */

struct between {
    struct two t; /* first */
    bool met;
    int added;
    uint32_t read;
};

/* Another CPU, an administrator's and a driver's, while what a port led to has
 * been taken away and hardware still leads there. */
static void *add_and_read(void *arg)
{
    struct between *b = arg;
    struct pcv_access access = PCV_READ(CARD_B, PCV_REG_VENDOR, 4);

    b->added = pcv_device_add(b->t.r.h.host, CARD_B, NULL);
    (void)pcv_access(pcv_host_hardware_domain(b->t.r.h.host), &access);
    b->read = (uint32_t)access.data;
    return NULL;
}

static void before_the_write(void *arg, const struct pcv_model_cfg *access)
{
    struct between *b = arg;
    pthread_t thread;

    if (access->write && access->sbdf.v == PORT_B.v && !b->met) {
        b->met = true;
        assert_int_equal(pthread_create(&thread, NULL, add_and_read, b), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

/* TOPO-4, LIFE-7: also if nothing is kept that it could be. */
static void nothing_is_added_where_numbers_lead_no_more_in_a_moment(
    void **state)
{
    struct between b = {.met = false};
    struct two *t = &b.t;

    (void)state;
    two_start(t);
    assert_int_equal(pcv_device_remove(t->r.h.host, CARD_B, NULL, NULL), 0);
    pcv_model_watch(t->r.h.model, before_the_write, &b);
    numbers(t, PORT_B, 3, 3);
    pcv_model_watch(t->r.h.model, NULL, NULL);
    assert_true(b.met);
    assert_int_equal(b.added, -PCV_EBUSY);
    assert_int_equal(b.read, 0xffffffff);
    assert_false(hosted_found(host_of(t), CARD_B));
    assert_int_equal(pcv_device_add(t->r.h.host, CARD_B, NULL), -PCV_ENODEV);
    assert_int_equal(pcv_device_add(t->r.h.host, BUS(3), NULL), 0);
    assert_int_equal(id_at(t, BUS(3)), 0xbbbb);
    assert_int_equal(hosted_stats(host_of(t)).devices, 4);
    two_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            nothing_is_added_where_numbers_lead_no_more_in_a_moment),
        cmocka_unit_test(renumbering_beside_everything_else_mixes_nothing_up),
        cmocka_unit_test(renumbering_takes_nothing_from_a_guest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Several threads find, hold, access, remove, add again and pull the same few
 * devices. What each sees must make sense, and in the end everything must be
 * accounted for. Also run under the thread sanitizer.
 *
 * PCV_THREADS_STEPS sets the number of operations of each thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "hosted.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define THREADS 4u
#define HELD 4u
#define STEPS 20000u

/* Addresses that all threads fight for: a bridge and what is behind it, a PF
 * with its VFs, a lone device, and nobody. */
static pcv_sbdf address(uint32_t choice)
{
    const pcv_sbdf all[] = {TREE_ENDPOINT, TREE_LEAF,      TREE_PORT_3,
                            TREE_PF,       TREE_VF_0,      TREE_VF_1,
                            TREE_UPSTREAM, TREE_ROOT_PORT, TREE_NOTHING,
                            TREE_LEAF,     TREE_ENDPOINT,  TREE_LEAF};

    return all[choice % COUNT(all)];
}

struct worker {
    struct hosted *h;
    uint64_t random;
    uint32_t steps;
    struct pcv_device *held[HELD];
    pcv_sbdf held_at[HELD];
    struct pcv_vector vectors[HELD];
    struct completion *completions;
    uint64_t found, removed, added, told;
    const char *wrong; /* what made no sense */
    pthread_t thread;
};

/* One for each removal; kept to the end, since with several callers only the
 * completion itself tells whose was taken. */
struct completion {
    struct pcv_completion completion; /* first */
    struct completion *next;
    pcv_sbdf sbdf;
    int result; /* of the remove */
    _Atomic unsigned calls;
};

static void done(struct pcv_completion *self, pcv_sbdf sbdf)
{
    struct completion *c = (struct completion *)self;

    /* Another address would show as a second call. */
    atomic_fetch_add(&c->calls, c->sbdf.v == sbdf.v ? 1 : 2);
}

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

/* ---- what a thread can do -------------------------------------------------
 */

static void do_hold(struct worker *w, uint32_t r)
{
    uint32_t slot = r % HELD;
    pcv_sbdf at = address(r >> 8);

    if (w->held[slot]) {
        /* It is what it was, whatever happened to it meanwhile. */
        EXPECT(w, pcv_device_sbdf(w->held[slot]).v == w->held_at[slot].v);
        pcv_vector_detach(&w->vectors[slot]);
        pcv_device_put(w->held[slot]);
        w->held[slot] = NULL;
        return;
    }
    w->held[slot] = pcv_device_find(w->h->host, at);
    if (w->held[slot]) {
        w->found++;
        w->held_at[slot] = at;
        EXPECT(w, pcv_device_sbdf(w->held[slot]).v == at.v);
    }
}

static void do_get(struct worker *w, uint32_t r)
{
    struct pcv_device *device = w->held[r % HELD];

    if (device) {
        EXPECT(w, pcv_device_get(device) == device);
        EXPECT(w, pcv_device_sbdf(device).v == w->held_at[r % HELD].v);
        pcv_device_put(device);
    }
}

static void do_info(struct worker *w, uint32_t r)
{
    struct pcv_device *device = w->held[r % HELD];
    struct pcv_device_info info;

    if (device) {
        pcv_device_get_info(device, &info);
        EXPECT(w, info.sbdf.v == w->held_at[r % HELD].v);
        EXPECT(w, info.vendor == 0x8086 || info.vendor == 0x1b36);
    }
}

static void do_vector(struct worker *w, uint32_t r)
{
    uint32_t slot = r % HELD;
    int error;

    if (!w->held[slot]) {
        return;
    }
    error = pcv_vector_attach(w->held[slot], &w->vectors[slot], true,
                              (uint16_t)(r >> 8 & 7u));
    EXPECT(w, error == 0 || error == -PCV_EINVAL || error == -PCV_EEXIST ||
                  error == -PCV_ENODEV);
}

static void do_detach(struct worker *w, uint32_t r)
{
    pcv_vector_detach(&w->vectors[r % HELD]);
}

static void do_status(struct worker *w, uint32_t r)
{
    pcv_sbdf at = address(r >> 8);
    struct pcv_device_status s;

    EXPECT(w, pcv_device_status(w->h->host, at, &s) == 0);
    EXPECT(w, s.held[PCV_HOLDER_REGISTRY] <= 1);
    EXPECT(w, s.held[PCV_HOLDER_OWNER] <= 1);
    EXPECT(w, s.held[PCV_HOLDER_VECTOR] <= THREADS * HELD);
    EXPECT(w, s.state != PCV_STATE_PRESENT || s.held[PCV_HOLDER_REGISTRY] == 1);
}

static void do_next(struct worker *w, uint32_t r)
{
    pcv_sbdf from = address(r >> 8);
    struct pcv_device *device = pcv_device_next(w->h->host, from);

    if (device) {
        EXPECT(w, pcv_device_sbdf(device).v >= from.v);
        pcv_device_put(device);
    }
}

static void do_read(struct worker *w, uint32_t r)
{
    struct pcv_access access =
        PCV_READ(address(r >> 8), (uint16_t)(r & 0xffcu), 4);
    struct pcv_domain *domain = pcv_host_hardware_domain(w->h->host);
    enum pcv_verdict verdict = pcv_access(domain, &access);

    /* Pending: nothing is there, but VFs are on their way, or a function that
     * answers (LIFE-12), which another thread may be adding. */
    for (unsigned i = 0; verdict == PCV_PENDING && i < 100000; i++) {
        verdict = pcv_access_resume(domain, &access);
        (void)sched_yield();
    }
    /* Retry: the device came while the access looked. */
    EXPECT(w, verdict == PCV_DONE || verdict == PCV_ABSENT ||
                  verdict == PCV_RETRY);
    EXPECT(w, verdict != PCV_ABSENT || access.data == 0xffffffffu);
    if (access.reg == 0 && access.data != 0xffffffffu) {
        EXPECT(w, (access.data & 0xffffu) == 0x8086 ||
                      (access.data & 0xffffu) == 0x1b36);
    }
}

/* Decoding off, or on again: mappings go and come. */
static void do_write(struct worker *w, uint32_t r)
{
    struct pcv_domain *domain = pcv_host_hardware_domain(w->h->host);
    pcv_sbdf at = address(r >> 8);
    struct pcv_access access =
        PCV_WRITE(at, PCV_REG_COMMAND, 2, (r & 1u) ? PCV_CMD_MEMORY : 0);
    enum pcv_verdict verdict = pcv_access(domain, &access);

    for (int i = 0; i < 64 && verdict == PCV_PENDING; i++) {
        verdict = pcv_access_resume(domain, &access);
    }
    EXPECT(w, verdict != PCV_FORWARD);
}

static void do_remove(struct worker *w, uint32_t r)
{
    struct completion *c = calloc(1, sizeof(*c));
    pcv_sbdf busy = {0xffffffffu};

    if (!c) {
        return;
    }
    c->completion.done = done;
    c->sbdf = address(r >> 8);
    c->next = w->completions;
    w->completions = c;
    c->result = pcv_device_remove(w->h->host, c->sbdf, &c->completion, &busy);
    EXPECT(w, c->result == 0 || c->result == -PCV_EBUSY ||
                  c->result == -PCV_ENODEV);
    EXPECT(w, (c->result == -PCV_EBUSY) == (busy.v != 0xffffffffu));
    w->removed += c->result == 0;
}

static void do_add(struct worker *w, uint32_t r)
{
    pcv_sbdf at = address(r >> 8);
    struct pcv_add_info info = {.flags = PCV_ADD_IS_VF, .physfn = TREE_PF};
    bool vf = at.v == TREE_VF_0.v || at.v == TREE_VF_1.v;
    int error = pcv_device_add(w->h->host, at, vf ? &info : NULL);

    EXPECT(w, error == 0 || error == -PCV_EBUSY || error == -PCV_ENODEV ||
                  error == -PCV_ERESTART ||
                  /* its PF left before its place was looked at again */
                  (vf && error == -PCV_EINVAL));
    w->added += error == 0;
}

static void do_vanish(struct worker *w, uint32_t r)
{
    int error = 0;

    if ((r & 0xf0u) == 0) {
        error = pcv_device_vanished(w->h->host, address(r >> 8));
    }
    EXPECT(w, error == 0 || error == -PCV_ENODEV);
}

static void do_nodes(struct worker *w, uint32_t r)
{
    const pcv_sbdf at[] = {address(r >> 8), TREE_NOTHING};
    uint32_t nodes[COUNT(at)];

    EXPECT(w, pcv_device_nodes(w->h->host, at, COUNT(at), nodes) == 0);
    EXPECT(w, nodes[1] == PCV_NODE_UNKNOWN_DEVICE);
}

static void *work(void *arg)
{
    static void (*const actions[])(struct worker * w, uint32_t r) = {
        do_hold,   do_hold, do_get,  do_info, do_vector, do_detach,
        do_status, do_next, do_read, do_read, do_write,  do_remove,
        do_remove, do_add,  do_add,  do_add,  do_vanish, do_nodes,
    };
    struct worker *w = arg;

    for (uint32_t i = 0; i < w->steps; i++) {
        actions[next_random(w) % COUNT(actions)](w, next_random(w));
    }
    for (uint32_t i = 0; i < HELD; i++) {
        pcv_vector_detach(&w->vectors[i]);
        pcv_device_put(w->held[i]);
        w->held[i] = NULL;
    }
    return NULL;
}

/* The host frees each vector at once when its device goes. */
static int release(void *ctx, struct pcv_vector *vector)
{
    (void)ctx;
    (void)vector;
    return 0;
}

/* There may be fewer CPUs than threads: whoever spins lets others run. */
static void relax(void *ctx)
{
    (void)ctx;
    (void)sched_yield();
}

static void start(struct hosted *h, bool release_vectors, uint64_t map_chunk)
{
    tree_build(h);
    h->ops.relax = relax;
    h->ops.vector_release = release_vectors ? release : NULL;
    hosted_start(h);
    assert_int_equal(hosted_scan(h), TREE_FUNCTIONS);
    pcv_model_set_map_chunk(h->model, map_chunk);
}

static uint32_t steps(void)
{
    const char *text = getenv("PCV_THREADS_STEPS");
    long value = text ? strtol(text, NULL, 10) : 0;

    return value > 0 && value <= 1000000000 ? (uint32_t)value : STEPS;
}

/* LIFE-6: told once where the answer was 0, never where it was unknown. */
static void expect_told_once(struct worker *w)
{
    while (w->completions) {
        struct completion *c = w->completions;
        unsigned calls = atomic_load(&c->calls);

        assert_true(calls <= 1);
        assert_true(c->result != -PCV_ENODEV || calls == 0);
        w->told += calls;
        w->completions = c->next;
        free(c);
    }
}

static void run(struct hosted *h, uint64_t seed)
{
    static struct worker workers[THREADS];
    struct worker all = {.steps = 0};

    memset(workers, 0, sizeof(workers));
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i].h = h;
        workers[i].random = seed * 0x9e3779b97f4a7c15u + i + 1;
        workers[i].steps = steps();
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        if (workers[i].wrong) {
            fail_msg("seed %llu, thread %u: %s", (unsigned long long)seed, i,
                     workers[i].wrong);
        }
        expect_told_once(&workers[i]);
        all.found += workers[i].found;
        all.removed += workers[i].removed;
        all.added += workers[i].added;
        all.told += workers[i].told;
    }
    /* A run in which nothing happens proves nothing. */
    assert_true(all.found > 0);
    assert_true(all.removed > 0);
    assert_true(all.added > 0);
    assert_true(all.told > 0);
}

/* Nobody holds anything any more: only registry and owner are left. */
static void expect_accounted_for(struct hosted *h)
{
    struct pcv_host_stats stats = hosted_stats(h);
    uint64_t devices = 0;
    pcv_sbdf from = {0};
    struct pcv_device *device;

    while ((device = pcv_device_next(h->host, from)) != NULL) {
        struct pcv_device_status s;

        from = pcv_device_sbdf(device);
        pcv_device_put(device);
        s = hosted_status(h, from);
        assert_int_equal(s.held[PCV_HOLDER_REGISTRY], 1);
        assert_int_equal(s.held[PCV_HOLDER_OWNER], 1);
        assert_int_equal(s.held[PCV_HOLDER_VECTOR], 0);
        assert_int_equal(s.held[PCV_HOLDER_ACCESS], 0);
        assert_int_equal(s.held[PCV_HOLDER_CALLER], 0);
        devices++;
        from.v++;
    }
    assert_int_equal(stats.devices, devices);
    assert_int_equal(stats.leaving, 0);
}

/* LIFE-3, LIFE-4, LIFE-5, LIFE-6, LIFE-11 */
static void threads_on_the_same_devices_leave_everything_accounted_for(
    void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct hosted h;

        start(&h, false, 0);
        run(&h, seed);
        expect_accounted_for(&h);
        hosted_end(&h);
    }
}

/* LIFE-8 */
static void a_detach_beside_a_removal_that_frees_the_vector_is_safe(
    void **state)
{
    struct hosted h;

    (void)state;
    start(&h, true, 0);
    run(&h, 77);
    expect_accounted_for(&h);
    hosted_end(&h);
}

/* LIFE-11, HDR-9 */
static void threads_whose_mappings_stop_after_each_page_lose_none(void **state)
{
    struct hosted h;

    (void)state;
    start(&h, false, 1);
    run(&h, 5);
    expect_accounted_for(&h);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            threads_on_the_same_devices_leave_everything_accounted_for),
        cmocka_unit_test(
            a_detach_beside_a_removal_that_frees_the_vector_is_safe),
        cmocka_unit_test(threads_whose_mappings_stop_after_each_page_lose_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

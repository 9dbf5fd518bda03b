/* SPDX-License-Identifier: MIT */
/* The machine, the host on it, and what is said when something is wrong. */
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "torture.h"

/* ---- what is wrong ---------------------------------------------------------
 */

_Noreturn void torture_fail(const struct player *p, const char *file, int line,
                            const char *what, int64_t detail)
{
    const struct world *w = p->w;

    (void)fprintf(
        stderr,
        "%s:%d: %s does not hold (%lld, 0x%llx)\n"
        "player %u, turn %llu, at %s, stage %u, function %08x\n"
        "again: --seed %llu --threads %u\n",
        file, line, what, (long long)detail, (unsigned long long)detail,
        p->index, (unsigned long long)p->turns,
        p->actor ? p->actor->name : "the books", p->stage,
        p->fn ? p->fn->sbdf.v : 0, (unsigned long long)w->seed, w->threads);
    (void)fflush(NULL);
    abort();
}

void expect_answer(struct player *p, const char *file, int line, int answer,
                   const int *allowed)
{
    p->answer = answer;
    while (*allowed != answer) {
        if (*allowed++ == 1) {
            torture_fail(p, file, line, "an answer that its header names",
                         answer);
        }
    }
}

/* ---- host operations -------------------------------------------------------
 */

static void relax(void *ctx)
{
    (void)ctx;
    (void)sched_yield();
}

/* Some hosts free a vector at once, some later. */
static int vector_release(void *ctx, struct pcv_vector *vector)
{
    static _Atomic uint64_t releases;

    (void)ctx;
    (void)vector;
    return atomic_fetch_add(&releases, 1) % 2u == 0 ? 0 : -PCV_EBUSY;
}

static void on_event(void *arg, const struct pcv_event *event)
{
    struct world *w = arg;

    (void)atomic_fetch_add(&w->events, 1);
    if (w->traced) {
        (void)printf("    event %s: %08x, %llx, %llx\n",
                     pcv_event_name(event->kind), event->sbdf.v,
                     (unsigned long long)event->arg[0],
                     (unsigned long long)event->arg[1]);
    }
    pcv_event_log_add(w->log, event);
    if (w->box) {
        pcv_mailbox_event(w->box, event);
    }
}

static void on_message(void *arg, const struct pcv_model_message *message)
{
    struct world *w = arg;

    (void)message;
    (void)atomic_fetch_add(&w->messages, 1);
}

static void on_trace(void *arg, const struct pcv_trace *record)
{
    (void)arg;
    (void)record;
}

/* LIFE-11: nothing reaches what is gone. */
static void on_cfg(void *arg, const struct pcv_model_cfg *access)
{
    struct world *w = arg;
    const struct function *fn;

    if (pcv_sbdf_segment(access->sbdf) != ARENA) {
        return;
    }
    fn = function_at(w, access->sbdf);
    EXPECT(&w->player[0], !fn || !fn->subject || !atomic_load(&fn->gone),
           (uint64_t)access->sbdf.v << 16 | access->reg);
}

/* ---- functions -------------------------------------------------------------
 */

static uint32_t peek(const struct world *w, pcv_sbdf sbdf, uint32_t reg,
                     uint8_t size)
{
    return pcv_model_peek(w->model, sbdf, (uint16_t)reg, size);
}

static void learn_caps(struct world *w, struct function *fn)
{
    uint32_t at = peek(w, fn->sbdf, PCV_REG_CAPS, 1);

    for (uint32_t i = 0; at >= 0x40 && i < 48; i++) {
        uint32_t id = peek(w, fn->sbdf, at, 1);

        fn->pm = id == PCV_CAP_ID_PM ? (uint8_t)at : fn->pm;
        fn->msi = id == PCV_CAP_ID_MSI ? (uint8_t)at : fn->msi;
        fn->msix = id == PCV_CAP_ID_MSIX ? (uint8_t)at : fn->msix;
        fn->pcie = id == PCV_CAP_ID_PCIE ? (uint8_t)at : fn->pcie;
        at = peek(w, fn->sbdf, at + 1u, 1);
    }
}

static void learn_sriov(struct world *w, struct function *fn)
{
    uint32_t at = PCV_EXT_CAP_START;

    for (uint32_t i = 0; at != 0 && i < 64; i++) {
        uint32_t header = peek(w, fn->sbdf, at, 4);

        if (header == 0 || header == 0xffffffffu) {
            return;
        }
        if ((header & 0xffffu) == PCV_EXT_CAP_ID_SRIOV) {
            fn->sriov = (uint16_t)at;
        }
        at = header >> 20;
    }
}

/* Its subsystem says which one it is, so that who reads it knows. */
static void learn(struct world *w, uint32_t index,
                  const struct pcv_model_facts *facts)
{
    struct function *fn = &w->fn[index];
    uint32_t type;

    fn->sbdf = facts->sbdf;
    fn->vf = facts->vf;
    type = peek(w, fn->sbdf, PCV_REG_HEADER_TYPE, 1) & PCV_HEADER_TYPE_MASK;
    fn->bridge = type == 1;
    learn_caps(w, fn);
    if (facts->config_size > PCV_CFG_SIZE && !fn->vf) {
        learn_sriov(w, fn);
    }
    for (uint32_t i = 0; i < FN_BARS; i++) {
        fn->bar[i] = peek(w, fn->sbdf, PCV_REG_BAR0 + 4u * i, 4);
    }
    fn->command = peek(w, fn->sbdf, PCV_REG_COMMAND, 2);
    fn->numbers = peek(w, fn->sbdf, PCV_REG_PRIMARY, 4) & 0xffffffu;
    fn->subject =
        in_arena(fn) && !fn->bridge && !fn->vf && fn->sriov == 0 &&
        peek(w, fn->sbdf, PCV_REG_CLASS + 1u, 2) != PCV_CLASS_BRIDGE_HOST;
    if (type == 0) {
        pcv_model_poke(w->model, fn->sbdf, PCV_REG_SUBSYSTEM, 2, index + 1u);
    }
}

static void make_model(struct world *w)
{
    struct pcv_model_error error = {0, ""};
    struct pcv_model_facts facts;
    uint64_t random = w->seed;
    /* Small enough that players meet. */
    unsigned functions = 24u + (unsigned)(next_random(&random) % 40u);
    unsigned vfs = (unsigned)(next_random(&random) % 5u);
    char spec[128];

    (void)snprintf(spec, sizeof(spec),
                   "segments=2,functions=%u,vfs=%u,seed=%llu", functions, vfs,
                   (unsigned long long)(w->seed & 0xffffffffu));
    w->model = pcv_model_create(w->seed);
    if (!w->model || pcv_model_generate(w->model, spec, &error) != 0 ||
        pcv_model_ready(w->model, &error) != 0) {
        (void)fprintf(stderr, "%s: %s\n", spec, error.text);
        exit(2);
    }
    (void)printf("machine: generate:%s\n", spec);
    w->functions = (uint32_t)pcv_model_count(w->model);
    w->fn = calloc(w->functions, sizeof(*w->fn));
    if (!w->fn) {
        exit(2);
    }
    for (uint32_t i = 0; pcv_model_facts_at(w->model, i, &facts); i++) {
        learn(w, i, &facts);
    }
    pcv_model_set_clock(w->model, true);
}

/* ---- the host --------------------------------------------------------------
 */

/* What a scan does not find in one go, time brings. */
static void scan(struct world *w)
{
    const struct player *p = &w->player[0];
    struct pcv_scan scan = {0};

    for (int i = 0; i < 4; i++) {
        memset(&scan, 0, sizeof(scan));
        EXPECT(p, pcv_host_scan(w->host, &scan, 0) == 0, scan.first_error);
        pcv_model_advance_us(w->model, 1000000);
    }
    EXPECT(p, scan.failed == 0, scan.first_error);
}

/* As if the platform isolated everything that can be, so that functions can be
 * given one by one; play_isolate() takes that back now and then. */
static void isolate(struct world *w)
{
    for (uint32_t i = 0; i < w->functions; i++) {
        int answer = pcv_device_declare_isolated(w->host, w->fn[i].sbdf, true);

        EXPECT_ANSWER(&w->player[0], answer, 0, -PCV_EPERM, -PCV_ENODEV);
    }
}

static void start(struct world *w)
{
    const struct pcv_host_config config = {.page_shift = 12,
                                           .cpus = THREADS_MAX + 1u};
    const struct player *p = &w->player[0];

    w->ops = *pcv_model_ops();
    w->ops.vector_release = vector_release;
    if (w->threads > 1) {
        w->ops.relax = relax;
    }
    EXPECT(p, pcv_host_create(&w->ops, w->model, &config, &w->host) == 0, 0);
    w->hardware = pcv_host_hardware_domain(w->host);
    scan(w);
    isolate(w);
    for (uint16_t segment = 0; segment < 2; segment++) {
        EXPECT(p,
               pcv_domain_add_ecam(
                   w->hardware,
                   (pcv_gpa){HARDWARE_ECAM + ((uint64_t)segment << 28)},
                   segment, 0, 255) == 0,
               segment);
    }
    EXPECT(p, pcv_event_log_create(w->host, 64, &w->log) == 0, 0);
    EXPECT(p, pcv_mailbox_create(w->host, 64, &w->box) == 0, 0);
    pcv_model_on_event(w->model, on_event, w);
    pcv_model_on_message(w->model, on_message, w);
    pcv_model_on_trace(w->model, on_trace, w);
    pcv_model_watch(w->model, on_cfg, w);
}

void world_make(struct world *w, uint64_t seed, uint32_t threads,
                uint32_t players)
{
    w->seed = seed;
    w->threads = threads;
    w->players = players;
    (void)pthread_rwlock_init(&w->domains, NULL);
    for (uint32_t i = 0; i < players; i++) {
        w->player[i].w = w;
        w->player[i].index = i;
        w->player[i].random = seed * PLAYERS_MAX + i;
    }
    make_model(w);
    start(w);
}

void world_end(struct world *w)
{
    const struct player *p = &w->player[0];

    for (int op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        pcv_model_fail(w->model, (enum pcv_model_op)op, 0);
    }
    pcv_model_set_map_chunk(w->model, 0);
    pcv_model_watch(w->model, NULL, NULL);
    books_close(w);
    pcv_model_on_event(w->model, NULL, NULL);
    pcv_event_log_destroy(w->log);
    pcv_mailbox_destroy(w->box);
    EXPECT(p, pcv_host_destroy(w->host) == 0, 0);
    books_notes(w);
    EXPECT(p, pcv_model_bytes(w->model) == 0, pcv_model_bytes(w->model));
    EXPECT(p, pcv_model_mapped_pages(w->model) == 0,
           pcv_model_mapped_pages(w->model));
    EXPECT(p, pcv_model_bound(w->model, NULL) == 0,
           pcv_model_bound(w->model, NULL));
    EXPECT(p, pcv_model_map_errors(w->model) == 0,
           pcv_model_map_errors(w->model));
    EXPECT(p, pcv_model_bind_errors(w->model) == 0,
           pcv_model_bind_errors(w->model));
    for (uint32_t i = 0; i < w->functions; i++) {
        uint32_t id = pcv_model_dma_domain(w->model, w->fn[i].sbdf);

        EXPECT(p, id < FIRST_GUEST_ID || id >= PCV_DOMAIN_ID_HYPERVISOR, id);
    }
    pcv_model_destroy(w->model);
    free(w->fn);
    (void)pthread_rwlock_destroy(&w->domains);
}

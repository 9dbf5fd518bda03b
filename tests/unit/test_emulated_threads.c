/* SPDX-License-Identifier: MIT */
/*
 * An emulated function comes and goes while its registers and its memory are
 * accessed, a BAR of a device is moved over its own, and another function is
 * plugged into its place (VBUS-6, LIFE-11). Also run under the thread
 * sanitizer: what a callback is handed is freed as soon as destroy says 0.
 *
 * PCV_THREADS_STEPS sets how often it comes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "emulated_fixture.h"

#define STEPS 60u
#define MAGIC 0x600dc0deu
#define INTRUDER ((pcv_sbdf){EMU.v | 3u})

struct shared {
    struct emu e;
    _Atomic bool end;
    _Atomic uint64_t answered, absent, loaded, forwarded;
    _Atomic uint64_t wrong;
};

/* What a callback is handed, for as long as there is one. */
struct context {
    uint32_t magic;
    _Atomic uint64_t writes;
};

static int magic_read(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                      uint64_t *out_value)
{
    struct context *context = ctx;

    (void)bar;
    (void)offset;
    (void)size;
    (void)sched_yield();
    *out_value = context->magic;
    return 0;
}

static int magic_write(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                       uint64_t value)
{
    struct context *context = ctx;

    (void)bar;
    (void)offset;
    (void)size;
    (void)value;
    atomic_fetch_add(&context->writes, 1);
    return 0;
}

static enum pcv_verdict config(struct shared *s, pcv_sbdf sbdf, bool write,
                               uint16_t reg, uint32_t value, uint32_t *out)
{
    struct pcv_access access =
        write ? PCV_WRITE(sbdf, reg, 4, value) : PCV_READ(sbdf, reg, 4);
    enum pcv_verdict verdict = pcv_access(s->e.hardware, &access);

    while (verdict == PCV_RETRY) {
        verdict = pcv_access(s->e.hardware, &access);
    }
    while (verdict == PCV_PENDING) {
        verdict = pcv_access_resume(s->e.hardware, &access);
    }
    *out = (uint32_t)access.data;
    return verdict;
}

static void *drive(void *arg)
{
    struct shared *s = arg;
    uint32_t value;

    for (uint32_t i = 0; !atomic_load(&s->end); i++) {
        uint32_t bar = i % 3 != 0 ? EMU_AT : EMU_WINDOW;

        if (config(s, EMU, false, 0, 0, &value) == PCV_DONE) {
            atomic_fetch_add(&s->wrong, value != 0x00e11b36);
            atomic_fetch_add(&s->answered, 1);
        } else {
            atomic_fetch_add(&s->wrong, value != 0xffffffffu);
            atomic_fetch_add(&s->absent, 1);
        }
        (void)config(s, EMU, true, EMU_REG_BAR(0), bar, &value);
        (void)config(s, EMU, true, PCV_REG_COMMAND,
                     i % 5 != 0 ? PCV_CMD_MEMORY : 0, &value);
    }
    return NULL;
}

static void *load(void *arg)
{
    struct shared *s = arg;

    while (!atomic_load(&s->end)) {
        uint64_t value;

        switch (emu_load(&s->e, EMU_AT, 4, &value)) {
        case PCV_DONE:
            atomic_fetch_add(&s->wrong, value != MAGIC);
            atomic_fetch_add(&s->loaded, 1);
            break;
        case PCV_FORWARD:
            atomic_fetch_add(&s->forwarded, 1);
            break;
        default:
            atomic_fetch_add(&s->wrong, 1);
            break;
        }
        (void)emu_store(&s->e, EMU_WINDOW + 8, 8, 1);
    }
    return NULL;
}

/* A card's BAR goes over the emulated one's, and away. */
static void *overlap(void *arg)
{
    struct shared *s = arg;
    uint32_t value;

    for (uint32_t i = 0; !atomic_load(&s->end); i++) {
        (void)config(s, TREE_ENDPOINT, true, PCV_REG_BAR0,
                     i % 2 != 0 ? EMU_AT : 0x80000000u, &value);
        (void)config(s, TREE_ENDPOINT, true, PCV_REG_COMMAND,
                     i % 7 != 0 ? PCV_CMD_MEMORY : 0, &value);
        (void)sched_yield();
    }
    return NULL;
}

/* What is registered in its device number, or emulated, is not the other. */
static void *intrude(void *arg)
{
    struct shared *s = arg;
    struct pcv_host *host = s->e.h.host;

    while (!atomic_load(&s->end)) {
        (void)!pcv_model_plug(s->e.h.model, INTRUDER);
        if (pcv_device_add(host, INTRUDER, NULL) == 0) {
            uint32_t value;

            atomic_fetch_add(&s->wrong,
                             config(s, EMU, false, 0, 0, &value) != PCV_ABSENT);
            atomic_fetch_add(
                &s->wrong, pcv_device_remove(host, INTRUDER, NULL, NULL) != 0);
        }
        (void)!pcv_model_pull(s->e.h.model, INTRUDER);
        (void)!pcv_device_add(host, INTRUDER, NULL);
        for (int i = 0; i < 20; i++) {
            (void)sched_yield();
        }
    }
    return NULL;
}

/* 1 if it came, and went. */
static uint32_t come_and_go(struct shared *s)
{
    const struct pcv_emulated_ops ops = {magic_read, magic_write};
    struct context *context = calloc(1, sizeof(*context));
    struct pcv_emulated_status status;
    struct pcv_emulated *emulated;
    int error;

    assert_non_null(context);
    context->magic = MAGIC;
    error = pcv_emulated_create(s->e.hardware, &s->e.info, &ops, context,
                                &emulated);
    if (error != 0) {
        assert_int_equal(error, -PCV_EEXIST);
        free(context);
        (void)sched_yield();
        return 0;
    }
    for (int i = 0; i < 10; i++) {
        (void)sched_yield();
        pcv_emulated_get_status(emulated, &status);
    }
    while ((error = pcv_emulated_destroy(emulated)) == -PCV_ERESTART) {
        (void)sched_yield();
    }
    assert_int_equal(error, 0);
    memset(context, 0, sizeof(*context));
    free(context);
    return 1;
}

static uint32_t steps(void)
{
    const char *text = getenv("PCV_THREADS_STEPS");
    unsigned long count = text ? strtoul(text, NULL, 10) : 0;

    return count != 0 && count < UINT32_MAX ? (uint32_t)count : STEPS;
}

/* Whether all that can be seen was seen. */
static bool seen_all(struct shared *s)
{
    return atomic_load(&s->answered) != 0 && atomic_load(&s->absent) != 0 &&
           atomic_load(&s->loaded) != 0 && atomic_load(&s->forwarded) != 0;
}

/* The tree machine, with a function to be plugged beside EMU. */
static void start(struct shared *s)
{
    struct pcv_test_function f;

    memset(s, 0, sizeof(*s));
    tree_build(&s->e.h);
    pcv_test_endpoint(&f, 0x8086, 0x1234);
    pcv_test_add(s->e.h.model, &f, INTRUDER);
    hosted_start(&s->e.h);
    assert_int_equal(pcv_model_pull(s->e.h.model, INTRUDER), 0);
    assert_int_equal(hosted_scan(&s->e.h), TREE_FUNCTIONS);
    s->e.hardware = pcv_host_hardware_domain(s->e.h.host);
    s->e.info = emu_info();
}

/* VBUS-6, LIFE-10, LIFE-11 */
static void it_comes_and_goes_beside_accesses(void **state)
{
    static void *(*const work[])(void *) = {drive, load, overlap, intrude};
    static struct shared s;
    pthread_t thread[4];
    uint32_t came = 0;

    (void)state;
    start(&s);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, work[i], &s), 0);
    }
    /* The others may be slow to start, or stand where it cannot come. */
    for (uint32_t i = 0;
         i < steps() || came == 0 || (!seen_all(&s) && came < 100000u); i++) {
        came += come_and_go(&s);
    }
    atomic_store(&s.end, true);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    assert_int_equal(s.wrong, 0);
    assert_true(came != 0 && seen_all(&s));
    emu_end(&s.e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_and_goes_beside_accesses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

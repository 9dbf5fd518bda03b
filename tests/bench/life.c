/* SPDX-License-Identifier: MIT */
/* Finding and letting go, adding and removing, giving to a guest and taking
 * back: with few devices and with many, which must make no difference. */
#include <stdio.h>

#include "bench.h"

#define GUEST 1u

struct subject {
    struct bench_host *b;
    pcv_sbdf sbdf;
    struct pcv_domain *guest;
};

static void expect(int error, const char *what)
{
    if (error != 0) {
        bench_fail(what, error);
    }
}

static void find_and_put(void *arg)
{
    const struct subject *s = arg;

    pcv_device_put(pcv_device_find(s->b->host, s->sbdf));
}

static void remove_and_add(void *arg)
{
    const struct subject *s = arg;

    expect(pcv_device_remove(s->b->host, s->sbdf, NULL, NULL), "a removal");
    expect(pcv_device_add(s->b->host, s->sbdf, NULL), "an add");
}

/* A change may answer restart: it is made again. */
static void assign_and_deassign(void *arg)
{
    static const struct pcv_assign_policy policy = {.flags =
                                                        PCV_ASSIGN_NO_RESET};
    const struct subject *s = arg;
    int error;

    do {
        error = pcv_device_assign(s->b->host, s->sbdf, s->guest, &policy, NULL);
    } while (error == -PCV_ERESTART);
    expect(error, "an assignment");
    do {
        error = pcv_device_deassign(s->b->host, s->sbdf);
    } while (error == -PCV_ERESTART);
    expect(error, "a return");
}

static const struct kind {
    const char *name;
    bench_op op;
    /* Instructions may grow by this factor: the allocator that the bench uses
     * and the balanced tree of what is mapped are deeper in a large machine. */
    double slack;
} kinds[] = {
    {"find and put", find_and_put, 1},
    {"remove and add", remove_and_add, 1.15},
    {"assign and deassign", assign_and_deassign, 1.05},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void one(uint32_t devices, long first[KINDS])
{
    struct bench_host b;
    struct subject s = {.b = &b, .sbdf = bench_sbdf(devices / 2)};
    char name[96];

    (void)snprintf(name, sizeof(name), "References and owners, %u devices",
                   devices);
    bench_heading(name);
    bench_host_make(&b, devices, 1, true);
    expect(pcv_domain_create(b.host, GUEST, &s.guest), "a guest");
    for (size_t i = 0; i < KINDS; i++) {
        long n;

        if (!bench_counts_only) {
            (void)snprintf(name, sizeof(name), "%s, %u devices", kinds[i].name,
                           devices);
            bench_row(name, bench_ns(kinds[i].op, &s), "ns", BENCH_NONE, 0);
        }
        n = bench_instructions(kinds[i].op, &s);
        if (n < 0) {
            continue;
        }
        (void)snprintf(name, sizeof(name), "%s, instructions, %u devices",
                       kinds[i].name, devices);
        bench_row(name, (double)n, "instructions",
                  first[i] == 0 ? BENCH_NONE : BENCH_AT_MOST,
                  (double)first[i] * kinds[i].slack);
        first[i] = first[i] == 0 ? n : first[i];
    }
    expect(pcv_domain_destroy(s.guest), "the end of a guest");
    bench_host_end(&b);
}

void bench_life(void)
{
    long first[KINDS] = {0};

    one(16, first);
    one(65536, first);
}

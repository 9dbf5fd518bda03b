/* SPDX-License-Identifier: MIT */
/* Switching memory decoding of one device off and on, with many other BARs
 * mapped (HDR-7). */
#include <stdio.h>

#include "bench.h"

#define BARS 3u /* of each device: 64-bit ones */

struct switched {
    struct bench_host *b;
    pcv_sbdf sbdf;
};

static void command(const struct switched *s, uint16_t value)
{
    struct pcv_access a = PCV_WRITE(s->sbdf, PCV_REG_COMMAND, 2, value);
    enum pcv_verdict verdict = pcv_access(s->b->domain, &a);

    while (verdict != PCV_DONE) {
        verdict = pcv_access_resume(s->b->domain, &a);
    }
}

static void off_and_on(void *arg)
{
    command(arg, 0);
    command(arg, PCV_CMD_MEMORY);
}

void bench_decode(void)
{
    static const uint32_t counts[] = {10, 100, 1000, 10000, 100000};
    double per_doubling = 0;
    long before = -1;

    bench_heading("Decoding of one device with 3 BARs off and on");
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct bench_host b;
        struct switched s = {.b = &b};
        char name[96];
        long n;

        bench_host_make(&b, counts[i] / BARS + 2, BARS, false);
        s.sbdf = bench_sbdf(b.devices / 2);
        if (!bench_counts_only) {
            (void)snprintf(name, sizeof(name), "decoding off and on, %u BARs",
                           counts[i]);
            bench_row(name, bench_ns(off_and_on, &s), "ns", BENCH_NONE, 0);
        }
        n = bench_instructions(off_and_on, &s);
        if (n >= 0) {
            (void)snprintf(name, sizeof(name),
                           "decoding off and on, instructions, %u BARs",
                           counts[i]);
            /* Ten times as many are 3.3 levels more of a balanced tree: what
             * one level costs must not grow with their number. */
            bench_row(name, (double)n, "instructions",
                      before < 0 ? BENCH_NONE : BENCH_AT_MOST,
                      (double)before * 1.5);
            per_doubling = before < 0 ? 0 : (double)(n - before) / 3.32;
            before = n;
        }
        bench_host_end(&b);
    }
    bench_row("decoding off and on, instructions for twice the BARs",
              per_doubling, "instructions", BENCH_NONE, 0);
}

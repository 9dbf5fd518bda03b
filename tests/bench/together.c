/* SPDX-License-Identifier: MIT */
/*
 * Accesses from one and from two CPUs, beside the floor with locks of its own,
 * and beside the yardstick (yardstick.h).
 *
 * What is accessed is what a driver accesses: it is at one device for a while,
 * and there at one register after the other, in no order. One access in four
 * writes. Which device is next is random, too, and the same for both.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "bench_floor.h"
#include "yardstick.h"

#define STEPS 8192u /* of a script, then it begins again */
#define BURST BENCH_REGISTERS
#define ROUNDS 15u

/* ---- scripts ------------------------------------------------------------- */

struct step {
    uint32_t sbdf;
    uint16_t reg;
    bool write;
};

struct script {
    struct bench_host *b;
    struct yard *yard;
    uint32_t at;
    _Alignas(64) struct step step[STEPS];
};

static uint32_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 16);
}

/* For the CPU `cpu` of `cpus`: devices that are its own. */
static void write_script(struct script *script, uint32_t devices, uint32_t cpu,
                         uint32_t cpus)
{
    uint64_t random = 0x9e3779b97f4a7c15ull + cpu;
    uint32_t sbdf = cpu;

    for (uint32_t i = 0; i < STEPS; i++) {
        if (i % BURST == 0) {
            sbdf = next_random(&random) % (devices / cpus) * cpus + cpu;
        }
        script->step[i] = (struct step){
            bench_sbdf(sbdf).v,
            (uint16_t)(BENCH_FIRST_REGISTER +
                       next_random(&random) % BENCH_REGISTERS * 4u),
            next_random(&random) % 4u == 0,
        };
    }
}

static const struct step *next_step(struct script *script)
{
    return &script->step[script->at++ % STEPS];
}

static void library_step(void *arg)
{
    struct script *script = arg;
    const struct step *step = next_step(script);
    struct pcv_access a = {.sbdf = {step->sbdf},
                           .reg = step->reg,
                           .size = 4,
                           .write = step->write,
                           .data = 0x55};

    (void)pcv_access(script->b->domain, &a);
}

static void yard_step(void *arg)
{
    struct script *script = arg;
    const struct step *step = next_step(script);

    if (step->write) {
        yard_write(script->yard, (pcv_sbdf){step->sbdf}, step->reg, 4, 0x55);
    } else {
        (void)yard_read(script->yard, (pcv_sbdf){step->sbdf}, step->reg, 4);
    }
}

/* ---- medians ------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *value, size_t count)
{
    qsort(value, count, sizeof(value[0]), by_value);
    return value[count / 2];
}

/* ---- beside the floor ---------------------------------------------------- */

/* Nanoseconds of a call on one CPU, and on each of two. */
struct pair {
    double one[ROUNDS], two[ROUNDS];
};

static void measure(struct pair *pair, unsigned round, bench_op op,
                    void *const *args)
{
    pair->one[round] = bench_ns_together(op, args, 1);
    pair->two[round] = bench_ns_together(op, args, BENCH_CPUS);
}

/* How many times as much two CPUs do as one: of round, and the median. */
static double scaling_of(const struct pair *pair, unsigned round)
{
    return BENCH_CPUS * pair->one[round] / pair->two[round];
}

static double scaling(const struct pair *pair)
{
    double value[ROUNDS];

    for (unsigned i = 0; i < ROUNDS; i++) {
        value[i] = scaling_of(pair, i);
    }
    return median(value, ROUNDS);
}

static double scaling_to(const struct pair *pair, const struct pair *floor)
{
    double value[ROUNDS];

    for (unsigned i = 0; i < ROUNDS; i++) {
        value[i] = scaling_of(pair, i) / scaling_of(floor, i);
    }
    return median(value, ROUNDS);
}

/* Both CPUs at their own devices and locks, or both at the same. */
static void beside_floor(struct script *scripts[BENCH_CPUS], bool same)
{
    static struct pair library, floor;
    static struct bench_floor floors[BENCH_CPUS];
    const char *where = same ? "the same device" : "different devices";
    void *args[BENCH_CPUS], *floor_args[BENCH_CPUS];
    char name[96];

    for (unsigned i = 0; i < BENCH_CPUS; i++) {
        args[i] = scripts[i];
        floors[i].call = bench_floor_call;
        floor_args[i] = &floors[same ? 0 : i];
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        measure(&floor, i, bench_floor_run, floor_args);
        measure(&library, i, library_step, args);
    }
    (void)snprintf(name, sizeof(name), "floor, two CPUs to one, %s",
                   same ? "one lock" : "private locks");
    bench_row(name, scaling(&floor), "times", BENCH_NONE, 0);
    (void)snprintf(name, sizeof(name), "accesses, two CPUs to one, %s", where);
    bench_row(name, scaling(&library), "times", BENCH_NONE, 0);
    if (!same) {
        bench_row("accesses, scaling to the floor's",
                  scaling_to(&library, &floor), "times", BENCH_AT_LEAST, 0.95);
    }
}

static struct script *make_script(struct bench_host *b, struct yard *yard,
                                  uint32_t devices, uint32_t cpu, uint32_t cpus)
{
    struct script *script = aligned_alloc(64, sizeof(*script));

    if (script == NULL) {
        bench_fail("a script", -PCV_ENOMEM);
    }
    script->b = b;
    script->yard = yard;
    script->at = 0;
    write_script(script, devices, cpu, cpus);
    return script;
}

static void floors(void)
{
    struct script *own[BENCH_CPUS], *same[BENCH_CPUS];
    struct bench_host b;
    struct yard *yard;

    bench_heading("Two CPUs, beside the floor: neighbouring devices, and one");
    bench_machine_make(&b, &yard, BENCH_CPUS);
    for (uint32_t i = 0; i < BENCH_CPUS; i++) {
        own[i] = make_script(&b, yard, BENCH_CPUS, i, BENCH_CPUS);
        same[i] = make_script(&b, yard, 1, 0, 1);
    }
    beside_floor(own, false);
    beside_floor(same, true);
    for (uint32_t i = 0; i < BENCH_CPUS; i++) {
        free(own[i]);
        free(same[i]);
    }
    yard_destroy(yard);
    bench_host_end(&b);
}

/* ---- beside the yardstick ------------------------------------------------ */

static void against(struct bench_host *b, struct yard *yard, uint32_t devices,
                    unsigned cpus, double target)
{
    double library[ROUNDS], other[ROUNDS], ratio[ROUNDS];
    struct script *scripts[BENCH_CPUS];
    void *args[BENCH_CPUS];
    char name[96];

    for (unsigned i = 0; i < cpus; i++) {
        args[i] = scripts[i] = make_script(b, yard, devices, i, cpus);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        other[i] = bench_ns_together(yard_step, args, cpus);
        library[i] = bench_ns_together(library_step, args, cpus);
        ratio[i] = other[i] / library[i];
    }
    (void)snprintf(name, sizeof(name), "access, %u devices, %u CPU%s", devices,
                   cpus, cpus > 1 ? "s" : "");
    bench_row(name, median(library, ROUNDS), "ns", BENCH_NONE, 0);
    (void)snprintf(name, sizeof(name), "yardstick, %u devices, %u CPU%s",
                   devices, cpus, cpus > 1 ? "s" : "");
    bench_row(name, median(other, ROUNDS), "ns", BENCH_NONE, 0);
    (void)snprintf(name, sizeof(name),
                   "faster than the yardstick, %u devices, "
                   "%u CPU%s",
                   devices, cpus, cpus > 1 ? "s" : "");
    bench_row(name, median(ratio, ROUNDS), "times",
              target > 0 ? BENCH_AT_LEAST : BENCH_NONE, target);
    for (unsigned i = 0; i < cpus; i++) {
        free(scripts[i]);
    }
}

/* Instructions of an access must not grow with devices. */
static void counts(struct bench_host *b, struct yard *yard, uint32_t devices,
                   long *first)
{
    struct script *script = make_script(b, yard, devices, 0, 1);
    char name[96];
    long n = bench_instructions(library_step, script);
    long other;

    script->at = 0;
    other = bench_instructions(yard_step, script);
    if (n >= 0 && other >= 0) {
        (void)snprintf(name, sizeof(name), "access, instructions, %u devices",
                       devices);
        bench_row(name, (double)n, "instructions",
                  *first == 0 ? BENCH_NONE : BENCH_AT_MOST, (double)*first);
        (void)snprintf(name, sizeof(name),
                       "yardstick, instructions, %u devices", devices);
        bench_row(name, (double)other, "instructions", BENCH_NONE, 0);
        *first = n;
    }
    free(script);
}

static void yardsticks(uint32_t devices, double on_one, double on_two,
                       long *first)
{
    struct bench_host b;
    struct yard *yard;
    char name[96];

    (void)snprintf(name, sizeof(name),
                   "Beside the yardstick: %u devices of %u registers", devices,
                   BENCH_REGISTERS);
    bench_heading(name);
    bench_machine_make(&b, &yard, devices);
    counts(&b, yard, devices, first);
    if (!bench_counts_only) {
        against(&b, yard, devices, 1, on_one);
    }
    if (!bench_counts_only && bench_has_two_cpus()) {
        against(&b, yard, devices, BENCH_CPUS, on_two);
    }
    yard_destroy(yard);
    bench_host_end(&b);
}

void bench_together(void)
{
    long first = 0;

    if (!bench_counts_only && bench_has_two_cpus()) {
        floors();
    }
    if (!bench_counts_only && !bench_has_two_cpus()) {
        bench_heading("There is one CPU: nothing is measured on two");
    }
    yardsticks(16, 3, 6, &first);
    yardsticks(4096, 500, 0, &first);
}

/* SPDX-License-Identifier: MIT */
/*
 * What an access costs, by kind, with many devices and with many registers,
 * beside the floor (bench_floor.h).
 */
#include <stdio.h>

#include "bench.h"
#include "bench_floor.h"

#define VIRTUAL 0xb0u      /* a register of virtual bits */
#define CONSTANT 0xb4u     /* one of constant bits */
#define PASSED BENCH_EMPTY /* one that is hardware's: an empty operation */

/* ---- the floor ---------------------------------------------------------- */

uint32_t bench_floor_call(uint32_t value)
{
    return value;
}

static struct bench_floor the_floor = {.call = bench_floor_call};

void bench_floor_run(void *arg)
{
    struct bench_floor *f = arg;
    uint32_t ticket =
        atomic_fetch_add_explicit(&f->next, 1, memory_order_relaxed);

    while (atomic_load_explicit(&f->serving, memory_order_acquire) != ticket) {
    }
    f->sink = f->call(f->array[f->at++ % BENCH_FLOOR_ARRAY]);
    atomic_store_explicit(&f->serving, ticket + 1, memory_order_release);
}

/* ---- kinds of accesses -------------------------------------------------- */

static const struct pcv_register virtual_row = {
    .name = "Bench Virtual",
    .offset = VIRTUAL,
    .size = 4,
    .policy = {.virt = 0xffffffffu},
};

static const struct pcv_register constant_row = {
    .name = "Bench Constant",
    .offset = CONSTANT,
    .size = 4,
    .policy = {.constant = 0xffffffffu},
    .initial = 0x12345678,
};

struct subject {
    struct bench_host *b;
    pcv_sbdf sbdf;
    uint64_t table; /* MSI-X table, guest-physical */
};

static void access(const struct subject *s, uint16_t reg, uint8_t size,
                   bool write)
{
    struct pcv_access a = {.sbdf = s->sbdf,
                           .reg = reg,
                           .size = size,
                           .write = write,
                           .data = 0x55};

    (void)pcv_access(s->b->domain, &a);
}

static void virtual_read(void *arg)
{
    access(arg, VIRTUAL, 4, false);
}

static void virtual_write(void *arg)
{
    access(arg, VIRTUAL, 4, true);
}

static void constant_read(void *arg)
{
    access(arg, CONSTANT, 4, false);
}

static void passed_read(void *arg)
{
    access(arg, PASSED, 4, false);
}

static void passed_write(void *arg)
{
    access(arg, PASSED, 4, true);
}

static void refused_read(void *arg)
{
    access(arg, VIRTUAL + 1u, 4, false);
}

static void absent_read(void *arg)
{
    const struct subject *s = arg;
    struct pcv_access a = PCV_READ(pcv_sbdf_make(9, 0, 0), 0, 4);

    (void)pcv_access(s->b->domain, &a);
}

static void table_read(void *arg)
{
    const struct subject *s = arg;
    struct pcv_mmio a = PCV_MMIO_READ(s->table, 4);

    (void)pcv_mmio_access(s->b->domain, &a);
}

static void table_write(void *arg)
{
    const struct subject *s = arg;
    struct pcv_mmio a = PCV_MMIO_WRITE(s->table, 4, 0xfee00000);

    (void)pcv_mmio_access(s->b->domain, &a);
}

static const struct kind {
    const char *name;
    bench_op op;
    double target; /* times the floor; 0: none */
    bool narrow;   /* measured with many registers, too */
    double slack;  /* instructions may grow by this factor with devices: a hash
                      has chains that differ; 0: not at all */
} kinds[] = {
    {"virtual register, read", virtual_read, 2, true, 0},
    {"virtual register, write", virtual_write, 3, true, 0},
    {"constant, read", constant_read, 2, true, 0},
    {"passed through, read", passed_read, 0, true, 0},
    {"passed through, write", passed_write, 0, true, 0},
    {"MSI-X table, read", table_read, 0, false, 1.15},
    {"MSI-X table, write", table_write, 0, false, 1.15},
    {"refused, read", refused_read, 0, true, 0},
    {"absent device, read", absent_read, 0, false, 0},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void add_register(struct bench_host *b, pcv_sbdf sbdf,
                         const struct pcv_register *row)
{
    struct pcv_device *device = pcv_device_find(b->host, sbdf);
    int error = device ? pcv_register_add(device, row, NULL) : -PCV_ENODEV;

    pcv_device_put(device);
    if (error != 0) {
        bench_fail("a register", error);
    }
}

/* The device in the middle of the machine is looked at. */
static struct subject subject_make(struct bench_host *b)
{
    uint32_t index = b->devices / 2;
    struct subject s = {b, bench_sbdf(index), bench_bar(b, index, 0)};
    struct pcv_mmio probe = PCV_MMIO_READ(s.table, 4);

    add_register(b, s.sbdf, &virtual_row);
    add_register(b, s.sbdf, &constant_row);
    if (pcv_mmio_access(b->domain, &probe) != PCV_DONE) {
        bench_fail("the MSI-X table is not trapped", 0);
    }
    return s;
}

/* ---- many devices ------------------------------------------------------- */

static long first_count[KINDS];

/* Times of one kind, and how they compare with the floor. */
static void times(const struct kind *kind, struct subject *s, uint32_t devices)
{
    char name[96];

    (void)snprintf(name, sizeof(name), "%s, %u devices", kind->name, devices);
    bench_row(name, bench_ns(kind->op, s), "ns", BENCH_NONE, 0);
    (void)snprintf(name, sizeof(name), "%s to floor, %u devices", kind->name,
                   devices);
    bench_row(name, bench_ratio(kind->op, s, bench_floor_run, &the_floor),
              "times", kind->target > 0 ? BENCH_AT_MOST : BENCH_NONE,
              kind->target);
}

static void one_count(uint32_t devices, bool first)
{
    struct bench_host b;
    struct subject s;
    char name[96];

    bench_host_make(&b, devices, 1, true);
    s = subject_make(&b);
    (void)snprintf(name, sizeof(name), "With %u devices", devices);
    bench_heading(name);
    for (size_t i = 0; i < KINDS; i++) {
        long n;

        if (!bench_counts_only) {
            times(&kinds[i], &s, devices);
        }
        n = bench_instructions(kinds[i].op, &s);
        if (n < 0) {
            continue;
        }
        (void)snprintf(name, sizeof(name), "%s, instructions, %u devices",
                       kinds[i].name, devices);
        bench_row(
            name, (double)n, "instructions", first ? BENCH_NONE : BENCH_AT_MOST,
            (double)first_count[i] * (kinds[i].slack > 0 ? kinds[i].slack : 1));
        if (first) {
            first_count[i] = n;
        }
    }
    bench_host_end(&b);
}

/* ---- many registers ----------------------------------------------------- */

#define ROWS_MAX 200u

static uint32_t handled_read(struct pcv_device *device,
                             const struct pcv_register *reg, void *data)
{
    (void)device;
    (void)reg;
    (void)data;
    return 0;
}

static const struct pcv_register_ops handled_ops = {.read = handled_read};

static struct pcv_register handled[ROWS_MAX];

/* In extended space, a dword each. */
static void make_rows(void)
{
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        handled[i].name = "Bench Handled";
        handled[i].offset = (uint16_t)(PCV_CFG_SIZE + 4u * i);
        handled[i].size = 4;
        handled[i].policy.hardware = 0xffffffffu;
        handled[i].ops = &handled_ops;
    }
}

static void with_registers(void)
{
    static const uint32_t counts[] = {1, 10, 50, ROWS_MAX};
    struct bench_host b;
    struct subject s;
    uint32_t have = 0;
    long first[KINDS] = {0};

    make_rows();
    bench_host_make(&b, 1, 1, true);
    s = subject_make(&b);
    bench_heading("With registers that have handlers");
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
        for (; have < counts[c]; have++) {
            add_register(&b, s.sbdf, &handled[have]);
        }
        for (size_t i = 0; i < KINDS; i++) {
            long n = kinds[i].narrow ? bench_instructions(kinds[i].op, &s) : -1;
            char name[96];

            if (n < 0) {
                continue;
            }
            (void)snprintf(name, sizeof(name), "%s, instructions, %u registers",
                           kinds[i].name, counts[c]);
            bench_row(name, (double)n, "instructions",
                      c == 0 ? BENCH_NONE : BENCH_AT_MOST, (double)first[i]);
            first[i] = c == 0 ? n : first[i];
        }
    }
    bench_host_end(&b);
}

void bench_access(void)
{
    static const uint32_t counts[] = {1, 16, 256, 4096, 65536};

    if (!bench_counts_only) {
        bench_heading("Floor: one uncontended lock, one array read, one "
                      "indirect call");
        bench_row("floor", bench_ns(bench_floor_run, &the_floor), "ns",
                  BENCH_NONE, 0);
    }
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        one_count(counts[i], i == 0);
    }
    with_registers();
}

/* SPDX-License-Identifier: MIT */
/*
 * Measuring on several CPUs at once. Threads are pinned, begin together, and
 * go on until they are told to stop; what is told is the time that each had a
 * CPU. A round in which one of them lost its CPU to somebody else says nothing
 * about two at once, and is measured again.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

#include "bench.h"

#define ROUND_NS 2000000L
#define CALLS 64u /* between two looks at whether to stop */
#define TRIES 12u /* for a round without a disturbance */

struct runner {
    pthread_t thread;
    int cpu;
    bench_op op;
    void *arg;
    unsigned all;
    _Atomic unsigned *ready;
    _Atomic bool *stop;
    double ns;      /* of one call */
    bool disturbed; /* it lost its CPU */
};

/* The CPUs that we may use. */
static int cpu_at(unsigned index)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        return -1;
    }
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &set) && index-- == 0) {
            return (int)cpu;
        }
    }
    return -1;
}

bool bench_has_two_cpus(void)
{
    return cpu_at(1) >= 0;
}

static void pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static double own_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static long losses(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

static void *run(void *arg)
{
    struct runner *r = arg;
    unsigned long calls = 0;
    double from;
    long lost;

    pin(r->cpu);
    atomic_fetch_add(r->ready, 1);
    while (atomic_load(r->ready) < r->all) {
    }
    lost = losses();
    from = own_ns();
    while (!atomic_load_explicit(r->stop, memory_order_relaxed)) {
        for (unsigned i = 0; i < CALLS; i++) {
            r->op(r->arg);
        }
        calls += CALLS;
    }
    r->ns = (own_ns() - from) / (double)calls;
    r->disturbed = losses() != lost;
    return NULL;
}

static bool once(bench_op op, void *const *args, unsigned threads,
                 double *out_ns)
{
    const struct timespec round = {.tv_nsec = ROUND_NS};
    struct runner r[BENCH_CPUS];
    _Atomic unsigned ready = 0;
    _Atomic bool stop = false;
    bool good = true;

    *out_ns = 0;
    for (unsigned i = 0; i < threads; i++) {
        r[i] = (struct runner){.cpu = cpu_at(i),
                               .op = op,
                               .arg = args[i],
                               .all = threads,
                               .ready = &ready,
                               .stop = &stop};
        if (pthread_create(&r[i].thread, NULL, run, &r[i]) != 0) {
            bench_fail("a thread", 0);
        }
    }
    while (atomic_load(&ready) < threads) {
        (void)sched_yield();
    }
    (void)nanosleep(&round, NULL);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < threads; i++) {
        (void)pthread_join(r[i].thread, NULL);
        *out_ns += r[i].ns / threads;
        good = good && !r[i].disturbed;
    }
    return good;
}

double bench_ns_together(bench_op op, void *const *args, unsigned threads)
{
    double ns = 0;

    for (unsigned i = 0; i < TRIES && !once(op, args, threads, &ns); i++) {
    }
    return ns;
}

/* SPDX-License-Identifier: MIT */
/*
 * Measuring on a machine that others use too: times are the smallest of
 * several batches, ratios the median of pairs measured turn by turn, and
 * instructions are counted, which nobody disturbs.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define BATCH_NS 2e6 /* a batch is long enough for the clock ... */
#define BATCHES 15u  /* ... and there are enough to find a quiet one */
#define PAIRS 31u
#define STEPS_MAX 10000000L

static double now_ns(void)
{
    struct timespec t;

    /* Our own time: while others have the CPU, it stands still. */
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double batch(bench_op op, void *arg, unsigned long calls)
{
    double from = now_ns();

    for (unsigned long i = 0; i < calls; i++) {
        op(arg);
    }
    return (now_ns() - from) / (double)calls;
}

/* How many calls make a batch. */
static unsigned long batch_size(bench_op op, void *arg)
{
    unsigned long calls = 1;

    while (batch(op, arg, calls) * (double)calls < BATCH_NS &&
           calls < 1ul << 30) {
        calls *= 2;
    }
    return calls;
}

double bench_ns(bench_op op, void *arg)
{
    unsigned long calls = batch_size(op, arg);
    double best = batch(op, arg, calls);

    for (unsigned i = 1; i < BATCHES; i++) {
        double ns = batch(op, arg, calls);

        best = ns < best ? ns : best;
    }
    return best;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_ratio(bench_op op, void *arg, bench_op floor, void *floor_arg)
{
    unsigned long calls = batch_size(op, arg);
    unsigned long floor_calls = batch_size(floor, floor_arg);
    double ratio[PAIRS];

    for (unsigned i = 0; i < PAIRS; i++) {
        double below = batch(floor, floor_arg, floor_calls);

        ratio[i] = batch(op, arg, calls) / below;
    }
    qsort(ratio, PAIRS, sizeof(ratio[0]), by_value);
    return ratio[PAIRS / 2];
}

/* The child: some calls between two stops. Eight accesses are one round of the
 * tally in a device's word, so that the mean of eight is always the same. */
#define CALLS 8u

static _Noreturn void stepped(bench_op op, void *arg)
{
    op(arg); /* what is bound or mapped at first use is so now */
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        _exit(1);
    }
    (void)raise(SIGSTOP);
    for (unsigned i = 0; i < CALLS; i++) {
        op(arg);
    }
    (void)raise(SIGSTOP);
    _exit(0);
}

static bool stopped_by(pid_t child, int signal_number)
{
    int status;

    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
        return false;
    }
    return WSTOPSIG(status) == signal_number;
}

/* Instructions from one stop to the next, with what raising them needs. */
static long steps(pid_t child)
{
    if (!stopped_by(child, SIGSTOP)) {
        return -1;
    }
    for (long n = 0; n < STEPS_MAX; n++) {
        int status;

        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 ||
            waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
            return -1;
        }
        if (WSTOPSIG(status) == SIGSTOP) {
            return n;
        }
        if (WSTOPSIG(status) != SIGTRAP) {
            return -1;
        }
    }
    return -1;
}

static long count(bench_op op, void *arg)
{
    pid_t child = fork();
    long n;

    if (child < 0) {
        return -1;
    }
    if (child == 0) {
        stepped(op, arg);
    }
    n = steps(child);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    return n;
}

static void nothing(void *arg)
{
    (void)arg;
}

long bench_instructions(bench_op op, void *arg)
{
    long empty = count(nothing, NULL);
    long full = count(op, arg);

    return empty < 0 || full < 0 ? -1 : (full - empty) / (long)CALLS;
}

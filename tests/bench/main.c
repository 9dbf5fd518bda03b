/* SPDX-License-Identifier: MIT */
/* pcivisor-bench: runs what is measured, prints a table. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const struct part {
    const char *name;
    void (*run)(void);
} parts[] = {
    {"access", bench_access},     {"life", bench_life},
    {"together", bench_together}, {"decode", bench_decode},
    {"memory", bench_memory},
};

bool bench_counts_only;

#define PARTS (sizeof(parts) / sizeof(parts[0]))

static int usage(FILE *to)
{
    (void)fprintf(to,
                  "usage: bench [--json FILE] [--counts] [access | life | "
                  "together | decode | memory]...\n"
                  "\n"
                  "Prints a table of times, ratios, instructions and bytes. "
                  "With --json also an\n"
                  "array of objects with name, value, unit, target, met. "
                  "With --counts no times.\n"
                  "Exit status: 0; 1 if a target was missed; 2 for wrong usage "
                  "or a failure.\n");
    return to == stdout ? 0 : 2;
}

static bool wanted(const char *name, char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return count == 0;
}

static bool known(const char *name)
{
    for (size_t i = 0; i < PARTS; i++) {
        if (strcmp(parts[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    const char *json = NULL;
    int at = 1;
    int missed;

    if (at < argc &&
        (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
        return usage(stdout);
    }
    if (at < argc && strcmp(argv[at], "--json") == 0) {
        if (at + 1 >= argc) {
            return usage(stderr);
        }
        json = argv[at + 1];
        at += 2;
    }
    if (at < argc && strcmp(argv[at], "--counts") == 0) {
        bench_counts_only = true;
        at++;
    }
    for (int i = at; i < argc; i++) {
        if (!known(argv[i])) {
            (void)fprintf(stderr, "bench: %s: there is no such part\n",
                          argv[i]);
            return usage(stderr);
        }
    }
    bench_begin();
    for (size_t i = 0; i < PARTS; i++) {
        if (wanted(parts[i].name, argv + at, argc - at)) {
            parts[i].run();
        }
    }
    missed = bench_end(json);
    if (missed < 0) {
        return 2;
    }
    printf("\n%d missed\n", missed);
    return missed > 0 ? 1 : 0;
}

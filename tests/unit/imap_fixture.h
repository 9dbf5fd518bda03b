/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the interval map share: a map whose allocator counts, and
 * fails when told to, and steps that look at the whole map after each change.
 * A step that does not hold fails the test that takes it.
 */
#ifndef PCV_TESTS_IMAP_FIXTURE_H
#define PCV_TESTS_IMAP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/imap.h"

struct imap_heap {
    size_t calls;
    size_t fail_in; /* the call that fails, counted from now; 0: none */
    size_t blocks;
    size_t bytes;
};

struct imap_fixture {
    struct imap_heap heap;
    struct pcv__imap map;
};

/* For cmocka: *state is a struct imap_fixture with an empty map. */
int imap_setup(void **state);

/* Each test leaves a sound map, and fini leaves no memory behind. */
int imap_teardown(void **state);

/* Register ranges. */
void imap_reserve(struct imap_fixture *f, size_t ranges);

/* Count the pages [start, end) in. */
void imap_inc(struct imap_fixture *f, uint64_t start, uint64_t end);

/* Count the pages [start, end) out. */
void imap_dec(struct imap_fixture *f, uint64_t start, uint64_t end);

/* The map's runs are these and no others. */
void imap_expect_runs(const struct imap_fixture *f,
                      const struct pcv__imap_run *runs, size_t n);

#define IMAP_EXPECT_RUNS(f, ...)                                               \
    imap_expect_runs(f, (const struct pcv__imap_run[]){__VA_ARGS__},           \
                     sizeof((const struct pcv__imap_run[]){__VA_ARGS__}) /     \
                         sizeof(struct pcv__imap_run))

/* From start on, up to end at most, len pages have this count. */
void imap_expect_prefix(const struct imap_fixture *f, uint64_t start,
                        uint64_t end, uint32_t count, uint64_t len);

#endif

/* SPDX-License-Identifier: MIT */
/* What the tests of the interval map share: see imap_fixture.h. */
#include "imap_fixture.h"

#include <stdlib.h>

static void *heap_alloc(void *ctx, size_t size)
{
    struct imap_heap *heap = ctx;

    heap->calls++;
    if (heap->fail_in > 0 && --heap->fail_in == 0) {
        return NULL;
    }
    heap->blocks++;
    heap->bytes += size;
    return malloc(size);
}

static void heap_free(void *ctx, void *ptr, size_t size)
{
    struct imap_heap *heap = ctx;

    assert_non_null(ptr);
    heap->blocks--;
    heap->bytes -= size;
    free(ptr);
}

int imap_setup(void **state)
{
    struct imap_fixture *f = calloc(1, sizeof(*f));
    struct pcv__imap_alloc alloc = {heap_alloc, heap_free, NULL};

    if (f == NULL) {
        return -1;
    }
    alloc.ctx = &f->heap;
    pcv__imap_init(&f->map, &alloc);
    *state = f;
    return 0;
}

int imap_teardown(void **state)
{
    struct imap_fixture *f = *state;
    bool good = pcv__imap_check(&f->map) == 0;

    pcv__imap_fini(&f->map);
    good = good && pcv__imap_check(&f->map) == 0;
    good = good && pcv__imap_runs(&f->map) == 0;
    good = good && f->heap.blocks == 0 && f->heap.bytes == 0;
    free(f);
    return good ? 0 : -1;
}

void imap_reserve(struct imap_fixture *f, size_t ranges)
{
    for (size_t i = 0; i < ranges; i++) {
        assert_int_equal(pcv__imap_register(&f->map), 0);
    }
}

void imap_inc(struct imap_fixture *f, uint64_t start, uint64_t end)
{
    assert_int_equal(pcv__imap_inc(&f->map, start, end - start), 0);
    assert_int_equal(pcv__imap_check(&f->map), 0);
}

void imap_dec(struct imap_fixture *f, uint64_t start, uint64_t end)
{
    assert_int_equal(pcv__imap_dec(&f->map, start, end - start), 0);
    assert_int_equal(pcv__imap_check(&f->map), 0);
}

void imap_expect_runs(const struct imap_fixture *f,
                      const struct pcv__imap_run *runs, size_t n)
{
    struct pcv__imap_run got = {0, 0, 0};
    uint64_t pages = 0;

    for (size_t i = 0; i < n; i++) {
        assert_true(pcv__imap_next(&f->map, got.end, &got));
        assert_int_equal(got.start, runs[i].start);
        assert_int_equal(got.end, runs[i].end);
        assert_int_equal(got.count, runs[i].count);
        pages += runs[i].end - runs[i].start;
    }
    assert_false(pcv__imap_next(&f->map, got.end, &got));
    assert_int_equal(pcv__imap_runs(&f->map), n);
    assert_int_equal(pcv__imap_pages(&f->map), pages);
    assert_int_equal(pcv__imap_check(&f->map), 0);
}

void imap_expect_prefix(const struct imap_fixture *f, uint64_t start,
                        uint64_t end, uint32_t count, uint64_t len)
{
    uint64_t got = ~len;

    assert_int_equal(pcv__imap_prefix(&f->map, start, end, &got), count);
    assert_int_equal(got, len);
}

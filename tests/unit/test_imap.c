/* SPDX-License-Identifier: MIT */
/* The interval map with use counts (src/base/imap.h), one promise at a time. */
#include "imap_fixture.h"

#define LAST_PAGE (UINT64_MAX - 1)

/* ---- sharing ---- */

/* HDR-7 */
static void a_page_wanted_twice_goes_only_with_the_last_user(void **state)
{
    struct imap_fixture *f = *state;

    imap_reserve(f, 2);
    imap_expect_prefix(f, 10, 14, 0, 4);
    imap_inc(f, 10, 14);
    imap_expect_prefix(f, 13, 17, 1, 1);
    imap_inc(f, 13, 17);
    IMAP_EXPECT_RUNS(f, {10, 13, 1}, {13, 14, 2}, {14, 17, 1});
    imap_dec(f, 10, 14);
    IMAP_EXPECT_RUNS(f, {13, 17, 1});
    imap_expect_prefix(f, 13, 14, 1, 1);
    imap_dec(f, 13, 17);
    imap_expect_runs(f, NULL, 0);
    imap_expect_prefix(f, 13, 14, 0, 1);
}

/* HDR-7 */
static void ranges_side_by_side_are_one_run(void **state)
{
    struct imap_fixture *f = *state;

    imap_reserve(f, 3);
    imap_inc(f, 0, 4);
    imap_inc(f, 8, 12);
    imap_inc(f, 4, 8);
    IMAP_EXPECT_RUNS(f, {0, 12, 1});
    imap_dec(f, 4, 8);
    IMAP_EXPECT_RUNS(f, {0, 4, 1}, {8, 12, 1});
}

static void a_range_over_runs_and_gaps_counts_each_page_once(void **state)
{
    struct imap_fixture *f = *state;

    imap_reserve(f, 4);
    imap_inc(f, 2, 4);
    imap_inc(f, 6, 8);
    imap_inc(f, 7, 8);
    imap_inc(f, 0, 10);
    IMAP_EXPECT_RUNS(f, {0, 2, 1}, {2, 4, 2}, {4, 6, 1}, {6, 7, 2}, {7, 8, 3},
                     {8, 10, 1});
    imap_dec(f, 0, 10);
    IMAP_EXPECT_RUNS(f, {2, 4, 1}, {6, 7, 1}, {7, 8, 2});
}

static void a_prefix_ends_where_the_count_or_the_range_ends(void **state)
{
    struct imap_fixture *f = *state;

    imap_reserve(f, 2);
    imap_inc(f, 4, 8);
    imap_inc(f, 6, 8);
    imap_expect_prefix(f, 0, 20, 0, 4);
    imap_expect_prefix(f, 0, 4, 0, 4);
    imap_expect_prefix(f, 0, 3, 0, 3);
    imap_expect_prefix(f, 4, 20, 1, 2);
    imap_expect_prefix(f, 5, 6, 1, 1);
    imap_expect_prefix(f, 6, 20, 2, 2);
    imap_expect_prefix(f, 8, 20, 0, 12);
    imap_expect_prefix(f, 6, 6, 0, 0);
    imap_expect_prefix(f, 7, 6, 0, 0);
}

static void the_next_run_is_the_first_that_ends_after_the_page(void **state)
{
    struct imap_fixture *f = *state;
    struct pcv__imap_run run = {1, 2, 3};

    imap_reserve(f, 2);
    assert_false(pcv__imap_next(&f->map, 0, &run));
    imap_inc(f, 4, 8);
    imap_inc(f, 12, 16);
    assert_false(pcv__imap_next(&f->map, 16, &run));
    assert_true(run.start == 1 && run.end == 2 && run.count == 3);
    assert_true(pcv__imap_next(&f->map, 7, &run));
    assert_true(run.start == 4 && run.end == 8 && run.count == 1);
    assert_true(pcv__imap_next(&f->map, 8, &run));
    assert_true(run.start == 12 && run.end == 16 && run.count == 1);
}

/* ---- edges and errors ---- */

static void the_first_and_the_last_page_are_pages_like_others(void **state)
{
    struct imap_fixture *f = *state;

    imap_reserve(f, 3);
    imap_inc(f, 0, 1);
    imap_inc(f, LAST_PAGE, UINT64_MAX);
    IMAP_EXPECT_RUNS(f, {0, 1, 1}, {LAST_PAGE, UINT64_MAX, 1});
    imap_expect_prefix(f, 1, UINT64_MAX, 0, LAST_PAGE - 1);
    imap_expect_prefix(f, LAST_PAGE, UINT64_MAX, 1, 1);
    imap_expect_prefix(f, UINT64_MAX, UINT64_MAX, 0, 0);
    imap_inc(f, 0, UINT64_MAX);
    IMAP_EXPECT_RUNS(f, {0, 1, 2}, {1, LAST_PAGE, 1},
                     {LAST_PAGE, UINT64_MAX, 2});
    imap_dec(f, 0, 1);
    imap_dec(f, LAST_PAGE, UINT64_MAX);
    IMAP_EXPECT_RUNS(f, {0, UINT64_MAX, 1});
    imap_dec(f, 0, UINT64_MAX);
    imap_expect_runs(f, NULL, 0);
}

static void an_empty_or_wrapping_range_is_refused(void **state)
{
    struct imap_fixture *f = *state;
    static const struct {
        uint64_t start;
        uint64_t len;
    } bad[] = {
        {0, 0},         {5, 0},          {UINT64_MAX, 0}, {UINT64_MAX, 1},
        {LAST_PAGE, 2}, {1, UINT64_MAX}, {6, UINT64_MAX}, {5, LAST_PAGE},
    };

    imap_reserve(f, 1);
    imap_inc(f, 4, 8);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(pcv__imap_inc(&f->map, bad[i].start, bad[i].len),
                         -PCV_EINVAL);
        assert_int_equal(pcv__imap_dec(&f->map, bad[i].start, bad[i].len),
                         -PCV_EINVAL);
        IMAP_EXPECT_RUNS(f, {4, 8, 1});
    }
}

static void taking_from_a_page_that_nobody_wants_is_refused(void **state)
{
    struct imap_fixture *f = *state;
    static const uint64_t bad[][2] = {
        {3, 5},  {7, 9},  {8, 12}, {0, 4},   {16, 17},
        {4, 16}, {0, 99}, {9, 10}, {15, 17},
    };

    imap_reserve(f, 3);
    imap_inc(f, 4, 8);
    imap_inc(f, 12, 16);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(
            pcv__imap_dec(&f->map, bad[i][0], bad[i][1] - bad[i][0]),
            -PCV_EINVAL);
        IMAP_EXPECT_RUNS(f, {4, 8, 1}, {12, 16, 1});
    }
}

static void a_count_does_not_pass_its_maximum(void **state)
{
    struct imap_fixture *f = *state;
    const struct pcv__imap_run full[] = {
        {2, 4, 1},
        {4, 6, UINT32_MAX - 1},
        {6, 8, UINT32_MAX},
        {8, 10, 1},
    };

    imap_reserve(f, 4);
    imap_inc(f, 4, 8);
    f->map.root->count = UINT32_MAX - 1; /* nobody waits for 2^32 calls */
    imap_inc(f, 2, 4);
    imap_inc(f, 6, 8);
    imap_inc(f, 8, 10);
    imap_expect_runs(f, full, 4);
    assert_int_equal(pcv__imap_inc(&f->map, 0, 7), -PCV_EOVERFLOW);
    assert_int_equal(pcv__imap_inc(&f->map, 7, 2), -PCV_EOVERFLOW);
    imap_expect_runs(f, full, 4);
    imap_dec(f, 7, 8);
    imap_inc(f, 7, 8);
    imap_expect_runs(f, full, 4);
}

/* ---- memory ---- */

static void a_failing_allocation_at_any_call_leaves_all_as_it_was(void **state)
{
    struct imap_fixture *f = *state;
    struct imap_heap before;

    for (size_t ranges = 0; ranges < 5; ranges++) {
        before = f->heap;
        for (size_t nth = 1; nth <= PCV__IMAP_NODES_PER_RANGE; nth++) {
            f->heap.fail_in = nth;
            assert_int_equal(pcv__imap_register(&f->map), -PCV_ENOMEM);
            assert_int_equal(f->heap.fail_in, 0);
            assert_int_equal(f->heap.blocks, before.blocks);
            assert_int_equal(f->heap.bytes, before.bytes);
            assert_int_equal(pcv__imap_check(&f->map), 0);
            assert_int_equal(pcv__imap_runs(&f->map), ranges);
        }
        f->heap.fail_in =
            PCV__IMAP_NODES_PER_RANGE + 1; /* a call that must not come */
        imap_reserve(f, 1);
        imap_inc(f, ranges * 10, ranges * 10 + 5);
        assert_int_equal(f->heap.fail_in, 1);
    }
}

static void unregistering_frees_what_registering_took(void **state)
{
    struct imap_fixture *f = *state;

    pcv__imap_unregister(&f->map); /* nothing registered: nothing happens */
    imap_reserve(f, 1);
    assert_int_equal(f->heap.blocks, PCV__IMAP_NODES_PER_RANGE);
    imap_inc(f, 0, 8);
    imap_reserve(f, 1);
    assert_int_equal(f->heap.blocks, 2 * PCV__IMAP_NODES_PER_RANGE);
    pcv__imap_unregister(&f->map);
    assert_int_equal(f->heap.blocks, PCV__IMAP_NODES_PER_RANGE);
    IMAP_EXPECT_RUNS(f, {0, 8, 1});
    imap_dec(f, 0, 8);
    pcv__imap_unregister(&f->map);
    assert_int_equal(f->heap.blocks, 0);
}

static void a_range_unregistered_too_early_is_freed_when_it_goes(void **state)
{
    struct imap_fixture *f = *state;

    imap_reserve(f, 1);
    imap_inc(f, 0, 8);
    pcv__imap_unregister(&f->map);
    IMAP_EXPECT_RUNS(f, {0, 8, 1});
    assert_int_equal(f->heap.blocks, 1);
    assert_int_equal(pcv__imap_dec(&f->map, 4, 1), -PCV_ENOMEM);
    imap_reserve(f, 1);
    assert_int_equal(f->heap.blocks, PCV__IMAP_NODES_PER_RANGE);
    pcv__imap_unregister(&f->map);
    IMAP_EXPECT_RUNS(f, {0, 8, 1});
    imap_dec(f, 0, 8);
    assert_int_equal(f->heap.blocks, 0);
}

static void more_than_was_registered_is_refused(void **state)
{
    struct imap_fixture *f = *state;

    assert_int_equal(pcv__imap_inc(&f->map, 0, 1), -PCV_ENOMEM);
    imap_expect_runs(f, NULL, 0);
    imap_reserve(f, 1);
    for (uint64_t i = 0; i < PCV__IMAP_NODES_PER_RANGE; i++) {
        imap_inc(f, i * 10, i * 10 + 4);
    }
    assert_int_equal(pcv__imap_inc(&f->map, 90, 1), -PCV_ENOMEM);
    assert_int_equal(pcv__imap_inc(&f->map, 0, 6), -PCV_ENOMEM);
    for (uint64_t page = 0; page < 4; page++) {
        /* split at the end, at both ends, at both ends, at the start */
        assert_int_equal(pcv__imap_inc(&f->map, page, 1), -PCV_ENOMEM);
        assert_int_equal(pcv__imap_dec(&f->map, page, 1), -PCV_ENOMEM);
    }
    IMAP_EXPECT_RUNS(f, {0, 4, 1}, {10, 14, 1}, {20, 24, 1}, {30, 34, 1});
}

/*
 * 2R intervals, a prefix and a suffix for each of R ranges, each overlapping
 * the next, make 4R - 1 runs; shortening one takes the node that is left.
 */
static void the_last_node_of_the_reserve_can_be_needed(void **state)
{
    struct imap_fixture *f = *state;
    const uint64_t ranges = 5;

    imap_reserve(f, ranges);
    for (uint64_t i = 0; i < 2 * ranges; i++) {
        imap_inc(f, i * 8, i * 8 + 12);
    }
    assert_int_equal(pcv__imap_runs(&f->map), 4 * ranges - 1);
    assert_int_equal(f->map.spare, 1);
    imap_dec(f, 2, 12);
    assert_int_equal(pcv__imap_runs(&f->map), 4 * ranges - 2);
    imap_inc(f, 2, 12);
    imap_inc(f, 12, 13);
    assert_int_equal(pcv__imap_runs(&f->map), 4 * ranges - 1);
    assert_int_equal(f->heap.calls, 4 * ranges);
}

/* ---- the checker itself ---- */

static void expect_unsound(const struct imap_fixture *f)
{
    assert_int_equal(pcv__imap_check(&f->map), -PCV_EINVAL);
}

#define EXPECT_UNSOUND_IF(f, field, bad)                                       \
    do {                                                                       \
        __typeof__(field) good_ = (field);                                     \
        (field) = (bad);                                                       \
        expect_unsound(f);                                                     \
        (field) = good_;                                                       \
    } while (0)

static void the_check_sees_each_broken_promise(void **state)
{
    struct imap_fixture *f = *state;
    struct pcv__imap_node *root;

    imap_reserve(f, 3);
    imap_inc(f, 0, 4);
    imap_inc(f, 10, 14);
    imap_inc(f, 12, 14);
    root = f->map.root;
    EXPECT_UNSOUND_IF(f, f->map.runs, 2);
    EXPECT_UNSOUND_IF(f, f->map.runs, 4);
    EXPECT_UNSOUND_IF(f, f->map.pages, 9);
    EXPECT_UNSOUND_IF(f, f->map.spare, f->map.spare - 1);
    EXPECT_UNSOUND_IF(f, f->map.spare, f->map.spare + 1);
    EXPECT_UNSOUND_IF(f, f->map.ranges, 4);
    EXPECT_UNSOUND_IF(f, f->map.ranges, 2);
    EXPECT_UNSOUND_IF(f, root->height, 3);
    EXPECT_UNSOUND_IF(f, root->count, 0);
    EXPECT_UNSOUND_IF(f, root->count, root->kid[1]->count);
    EXPECT_UNSOUND_IF(f, root->start, 3);
    EXPECT_UNSOUND_IF(f, root->kid[0], NULL);
    EXPECT_UNSOUND_IF(f, root->kid[0]->parent, root->kid[1]);
    EXPECT_UNSOUND_IF(f, root->kid[1]->parent, NULL);
    f->map.pages = 6; /* as if the root's two pages were none */
    EXPECT_UNSOUND_IF(f, root->end, root->start);
    f->map.pages = 8;
    assert_int_equal(pcv__imap_check(&f->map), 0);
}

/* Three runs as a chain: every link and height is right, the balance is not. */
static void the_check_sees_a_tree_out_of_balance(void **state)
{
    struct imap_fixture *f = *state;
    struct pcv__imap_node *root;
    struct pcv__imap_node *low;

    imap_reserve(f, 3);
    imap_inc(f, 0, 4);
    imap_inc(f, 10, 14);
    imap_inc(f, 20, 24);
    root = f->map.root;
    low = root->kid[0];
    f->map.root = low;
    low->parent = NULL;
    low->kid[1] = root;
    low->height = 3;
    root->parent = low;
    root->kid[0] = NULL;
    expect_unsound(f);
    f->map.root = root;
    low->parent = root;
    low->kid[1] = NULL;
    low->height = 1;
    root->parent = NULL;
    root->kid[0] = low;
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, imap_setup, imap_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_page_wanted_twice_goes_only_with_the_last_user),
        TEST(ranges_side_by_side_are_one_run),
        TEST(a_range_over_runs_and_gaps_counts_each_page_once),
        TEST(a_prefix_ends_where_the_count_or_the_range_ends),
        TEST(the_next_run_is_the_first_that_ends_after_the_page),
        TEST(the_first_and_the_last_page_are_pages_like_others),
        TEST(an_empty_or_wrapping_range_is_refused),
        TEST(taking_from_a_page_that_nobody_wants_is_refused),
        TEST(a_count_does_not_pass_its_maximum),
        TEST(a_failing_allocation_at_any_call_leaves_all_as_it_was),
        TEST(unregistering_frees_what_registering_took),
        TEST(a_range_unregistered_too_early_is_freed_when_it_goes),
        TEST(more_than_was_registered_is_refused),
        TEST(the_last_node_of_the_reserve_can_be_needed),
        TEST(the_check_sees_each_broken_promise),
        TEST(the_check_sees_a_tree_out_of_balance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

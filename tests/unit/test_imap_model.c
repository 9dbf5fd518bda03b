/* SPDX-License-Identifier: MIT */
/*
 * The interval map (src/base/imap.h) in the large: whether its tree stays low
 * with very many runs, and whether it agrees with a model, an array of counts,
 * over a long series of random operations.
 */
#include "imap_fixture.h"

#include <stdlib.h>

/* ---- height ---- */

#define MANY 100000u

/* height <= 2 * log2(n + 1) */
static void expect_low(const struct imap_fixture *f, uint64_t n)
{
    assert_int_equal(pcv__imap_check(&f->map), 0);
    assert_int_equal(pcv__imap_runs(&f->map), n);
    assert_true(UINT64_C(1) << f->map.root->height <= (n + 1) * (n + 1));
}

/* HDR-7 */
static void the_cost_is_logarithmic_in_the_number_of_runs(void **state)
{
    struct imap_fixture *f = *state;
    static const uint64_t strides[] = {1, MANY - 1, 61803};

    imap_reserve(f, MANY);
    for (size_t s = 0; s < sizeof(strides) / sizeof(strides[0]); s++) {
        for (uint64_t i = 0; i < MANY; i++) {
            uint64_t page = i * strides[s] % MANY * 2;

            assert_int_equal(pcv__imap_inc(&f->map, page, 1), 0);
        }
        expect_low(f, MANY);
        for (uint64_t i = 0; i < MANY; i++) {
            uint64_t page = i * strides[s] % MANY * 2;

            assert_int_equal(pcv__imap_dec(&f->map, page, 1), 0);
            if (i % (MANY / 16) == 0) {
                expect_low(f, MANY - 1 - i);
            }
        }
    }
}

/* HDR-7 */
static void a_range_over_very_many_runs_keeps_the_tree_low(void **state)
{
    struct imap_fixture *f = *state;

    imap_reserve(f, MANY);
    for (uint64_t i = 0; i < MANY / 2; i++) {
        assert_int_equal(pcv__imap_inc(&f->map, i * 2, 1), 0);
    }
    imap_inc(f, 0, MANY);
    expect_low(f, MANY);
    imap_dec(f, 0, MANY);
    expect_low(f, MANY / 2);
}

/* ---- the map against a model ---- */

#define PAGES 512u
#define SLOTS 24u

/* One registered range's share: the sum of up to two intervals. */
struct share {
    bool registered;
    uint32_t n;
    uint32_t from[2];
    uint32_t to[2];
};

struct model {
    struct imap_fixture *f;
    uint64_t base; /* page number of the model's page 0 */
    uint64_t seed;
    uint32_t count[PAGES];
    struct share shares[SLOTS];
};

/* xorshift64; n is small, so the remainder is fair enough */
static uint32_t random_below(struct model *m, uint32_t n)
{
    m->seed ^= m->seed << 13;
    m->seed ^= m->seed >> 7;
    m->seed ^= m->seed << 17;
    return (uint32_t)((m->seed >> 20) % n);
}

static void count_in(struct model *m, uint32_t from, uint32_t to)
{
    assert_int_equal(pcv__imap_inc(&m->f->map, m->base + from, to - from), 0);
    for (uint32_t page = from; page < to; page++) {
        m->count[page]++;
    }
}

static void count_out(struct model *m, uint32_t from, uint32_t to)
{
    assert_int_equal(pcv__imap_dec(&m->f->map, m->base + from, to - from), 0);
    for (uint32_t page = from; page < to; page++) {
        m->count[page]--;
    }
}

static bool try_register(struct model *m, struct share *s)
{
    bool fails = random_below(m, 8) == 0;
    int rc;

    if (s->registered) {
        return false;
    }
    m->f->heap.fail_in =
        fails ? 1 + random_below(m, PCV__IMAP_NODES_PER_RANGE) : 0;
    rc = pcv__imap_register(&m->f->map);
    assert_int_equal(rc, fails ? -PCV_ENOMEM : 0);
    s->registered = !fails;
    return true;
}

static bool try_unregister(struct model *m, struct share *s)
{
    if (!s->registered || s->n > 0) {
        return false;
    }
    pcv__imap_unregister(&m->f->map);
    s->registered = false;
    return true;
}

static bool try_make(struct model *m, struct share *s)
{
    uint32_t from = random_below(m, PAGES);
    uint32_t most = random_below(m, 4) == 0 ? PAGES : 16;
    uint32_t to = from + 1 + random_below(m, most);

    if (!s->registered || s->n == 2) {
        return false;
    }
    s->from[s->n] = from;
    s->to[s->n] = to > PAGES ? PAGES : to;
    count_in(m, from, s->to[s->n]);
    s->n++;
    return true;
}

static bool try_remove(struct model *m, struct share *s)
{
    uint32_t i = random_below(m, 2);

    if (i >= s->n) {
        return false;
    }
    count_out(m, s->from[i], s->to[i]);
    s->n--;
    s->from[i] = s->from[s->n];
    s->to[i] = s->to[s->n];
    return true;
}

static bool try_move_end(struct model *m, struct share *s)
{
    uint32_t i = random_below(m, 2);
    uint32_t to = 1 + random_below(m, PAGES);

    if (i >= s->n || to <= s->from[i] || to == s->to[i]) {
        return false;
    }
    if (to > s->to[i]) {
        count_in(m, s->to[i], to);
    } else {
        count_out(m, to, s->to[i]);
    }
    s->to[i] = to;
    return true;
}

static bool try_move_start(struct model *m, struct share *s)
{
    uint32_t i = random_below(m, 2);
    uint32_t from = random_below(m, PAGES);

    if (i >= s->n || from >= s->to[i] || from == s->from[i]) {
        return false;
    }
    if (from < s->from[i]) {
        count_in(m, from, s->from[i]);
    } else {
        count_out(m, s->from[i], from);
    }
    s->from[i] = from;
    return true;
}

static bool try_cut(struct model *m, struct share *s)
{
    uint32_t from = random_below(m, PAGES);
    uint32_t to = from + 1 + random_below(m, 8);

    if (s->n != 1 || from <= s->from[0] || to >= s->to[0]) {
        return false;
    }
    count_out(m, from, to);
    s->from[1] = to;
    s->to[1] = s->to[0];
    s->to[0] = from;
    s->n = 2;
    return true;
}

static bool try_join(struct model *m, struct share *s)
{
    uint32_t low = s->from[0] <= s->from[1] ? 0 : 1;

    if (s->n != 2 || s->to[low] >= s->from[low ^ 1u]) {
        return false;
    }
    count_in(m, s->to[low], s->from[low ^ 1u]);
    s->from[0] = s->from[low];
    s->to[0] = s->to[low ^ 1u];
    s->n = 1;
    return true;
}

/* Take one where at least one page has none. */
static bool try_mistake(struct model *m, struct share *s)
{
    uint32_t from = random_below(m, PAGES);
    uint32_t to = from + 1 + random_below(m, PAGES - from);

    (void)s;
    for (uint32_t page = from; page < to; page++) {
        if (m->count[page] == 0) {
            assert_int_equal(
                pcv__imap_dec(&m->f->map, m->base + from, to - from),
                -PCV_EINVAL);
            return true;
        }
    }
    return false;
}

static uint32_t uniform_until(const struct model *m, uint32_t from, uint32_t to)
{
    uint32_t page = from;

    while (page < to && m->count[page] == m->count[from]) {
        page++;
    }
    return page;
}

/* Prefix queries from end to end, the number of runs and of pages. */
static void expect_like_model(const struct model *m)
{
    uint64_t pages = 0;
    size_t runs = 0;
    uint32_t end;

    for (uint32_t page = 0; page < PAGES; page = end) {
        end = uniform_until(m, page, PAGES);
        imap_expect_prefix(m->f, m->base + page, m->base + PAGES,
                           m->count[page], end - page);
        runs += m->count[page] > 0 ? 1 : 0;
        pages += m->count[page] > 0 ? end - page : 0;
    }
    assert_int_equal(pcv__imap_runs(&m->f->map), runs);
    assert_int_equal(pcv__imap_pages(&m->f->map), pages);
    assert_int_equal(pcv__imap_check(&m->f->map), 0);
}

static void expect_any_prefix_like_model(struct model *m)
{
    uint32_t from = random_below(m, PAGES);
    uint32_t to = from + 1 + random_below(m, PAGES - from);

    imap_expect_prefix(m->f, m->base + from, m->base + to, m->count[from],
                       uniform_until(m, from, to) - from);
}

static void run_model(struct imap_fixture *f, uint64_t base)
{
    static bool (*const tries[])(struct model *, struct share *) = {
        try_register,   try_unregister, try_make, try_remove,  try_move_end,
        try_move_start, try_cut,        try_join, try_mistake,
    };
    const char *wish = getenv("PCV_TEST_LONG");
    bool is_long = wish != NULL && wish[0] == '1' && wish[1] == '\0';
    uint32_t left = is_long ? 1000000 : 100000;
    struct model m = {.f = f, .base = base, .seed = 88172645463325252u};

    while (left > 0) {
        struct share *share = &m.shares[random_below(&m, SLOTS)];
        size_t i = random_below(&m, sizeof(tries) / sizeof(tries[0]));

        if (tries[i](&m, share)) {
            expect_like_model(&m);
            expect_any_prefix_like_model(&m);
            left--;
        }
    }
}

static void the_map_agrees_with_a_model(void **state)
{
    run_model(*state, 0);
}

static void the_map_agrees_with_a_model_at_the_last_page(void **state)
{
    run_model(*state, UINT64_MAX - PAGES);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, imap_setup, imap_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_cost_is_logarithmic_in_the_number_of_runs),
        TEST(a_range_over_very_many_runs_keeps_the_tree_low),
        TEST(the_map_agrees_with_a_model),
        TEST(the_map_agrees_with_a_model_at_the_last_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The reference hypervisor's part of a C library (hyp/libc/): search trees
 * and sorting, beside those of the system under their own names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Its header instead of the system's. */
#define _SEARCH_H 1
#define tfind hyp_tfind
#define tsearch hyp_tsearch
#define tdelete hyp_tdelete
#define tdestroy hyp_tdestroy
#define qsort hyp_qsort
#include "../../hyp/libc/search.h"

void hyp_qsort(void *base, size_t count, size_t size,
               int (*compare)(const void *a, const void *b));

/* As one file, since their names are changed. NOLINTBEGIN(*-include) */
#include "../../hyp/libc/sort.c"
#include "../../hyp/libc/tree.c"
/* NOLINTEND(*-include) */

#define KEYS 512u
#define STEPS 20000u

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a;
    const uint32_t *y = b;

    return (*x > *y) - (*x < *y);
}

/* ---- trees --------------------------------------------------------------- */

static unsigned freed;

static void count_freed(void *key)
{
    assert_non_null(key);
    freed++;
}

/* Levels of a tree; a node's children do not rank above it, and all keys are
 * in order. */
static unsigned check_tree(const struct node *node, const struct node *above)
{
    unsigned left, right;

    if (!node) {
        return 0;
    }
    assert_true(!above || above->rank >= node->rank);
    assert_true(!node->left || by_number(node->left->key, node->key) < 0);
    assert_true(!node->right || by_number(node->right->key, node->key) > 0);
    left = check_tree(node->left, node);
    right = check_tree(node->right, node);
    return 1 + (left > right ? left : right);
}

static void a_tree_is_the_set_of_what_was_put_in(void **state)
{
    static uint32_t keys[KEYS];
    static bool there[KEYS];
    unsigned count = 0;
    uint32_t seed = 7;
    void *tree = NULL;

    (void)state;
    for (uint32_t i = 0; i < KEYS; i++) {
        keys[i] = i;
    }
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t i = next(&seed) % KEYS;
        uint32_t key = i; /* equal, at another place */
        const uint32_t *const *node = tfind(&key, &tree, by_number);

        assert_int_equal(node != NULL, there[i]);
        assert_true(!node || *node == &keys[i]);
        if (next(&seed) % 2 == 0) {
            node = tsearch(&keys[i], &tree, by_number);
            assert_true(node && *node == &keys[i]);
            count += there[i] ? 0 : 1;
            there[i] = true;
        } else {
            assert_int_equal(tdelete(&key, &tree, by_number) != NULL, there[i]);
            count -= there[i] ? 1 : 0;
            there[i] = false;
        }
    }
    (void)check_tree(tree, NULL);
    freed = 0;
    tdestroy(tree, count_freed);
    assert_int_equal(freed, count);
}

static void a_tree_is_not_deep_even_if_keys_come_in_order(void **state)
{
    static uint32_t keys[64 * KEYS];
    void *tree = NULL;

    (void)state;
    for (uint32_t i = 0; i < 64 * KEYS; i++) {
        keys[i] = i;
        assert_non_null(tsearch(&keys[i], &tree, by_number));
    }
    assert_true(check_tree(tree, NULL) < 64);
    freed = 0;
    tdestroy(tree, count_freed);
    assert_int_equal(freed, 64 * KEYS);
}

/* ---- sorting ------------------------------------------------------------- */

static void what_is_sorted_is_the_same_in_order(void **state)
{
    static const size_t counts[] = {0, 1, 2, 3, 10, 255, 1000};
    static uint32_t list[1000];
    uint32_t seed = 3;

    (void)state;
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
        uint64_t sum = 0;

        for (size_t i = 0; i < counts[c]; i++) {
            list[i] = next(&seed) % 300; /* some are equal */
            sum += (uint64_t)list[i] * list[i];
        }
        qsort(list, counts[c], sizeof(list[0]), by_number);
        for (size_t i = 0; i < counts[c]; i++) {
            sum -= (uint64_t)list[i] * list[i];
            assert_true(i == 0 || list[i - 1] <= list[i]);
        }
        assert_true(sum == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_the_set_of_what_was_put_in),
        cmocka_unit_test(a_tree_is_not_deep_even_if_keys_come_in_order),
        cmocka_unit_test(what_is_sorted_is_the_same_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

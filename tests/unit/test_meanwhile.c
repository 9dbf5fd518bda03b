/* SPDX-License-Identifier: MIT */
/*
 * What another CPU, or a guest that is not well, does between two steps: a
 * vector that is freed while it is detached, a segment that two adds make, a
 * split access whose other half is not the one, a clock that wraps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/imap_tree.h"
#include "registry/internal.h"
#include "removals.h"

/* What is done before the next lock is taken. */
static struct {
    struct hosted *h;
    void (*fn)(struct hosted *h);
    uint64_t now;
    unsigned released;
} beside;

static uintptr_t irq_save(void *ctx)
{
    void (*fn)(struct hosted * h) = beside.fn;

    (void)ctx;
    beside.fn = NULL;
    if (fn) {
        fn(beside.h);
    }
    return 0;
}

static void irq_restore(void *ctx, uintptr_t flags)
{
    (void)ctx;
    (void)flags;
}

static int release(void *ctx, struct pcv_vector *vector)
{
    (void)ctx;
    (void)vector;
    beside.released++;
    return 0;
}

static uint64_t now_us(void *ctx)
{
    (void)ctx;
    return beside.now;
}

static void start(struct hosted *h)
{
    memset(&beside, 0, sizeof(beside));
    beside.h = h;
    tree_build(h);
    h->ops.irq_save = irq_save;
    h->ops.irq_restore = irq_restore;
    h->ops.vector_release = release;
    h->ops.now_us = now_us;
    hosted_start(h);
}

static void remove_leaf(struct hosted *h)
{
    /* Whoever detaches holds it no longer than until it looked at the list. */
    assert_int_equal(pcv_device_remove(h->host, TREE_LEAF, NULL, NULL),
                     -PCV_EBUSY);
}

/* LIFE-8: it was taken off the list by the removal. */
static void a_vector_freed_while_it_is_detached_is_counted_out_once(
    void **state)
{
    static struct pcv_vector vector, other;
    struct pcv_device *leaf;
    struct hosted h;

    (void)state;
    start(&h);
    (void)hosted_scan(&h);
    leaf = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_vector_attach(leaf, &vector, true, 0), 0);
    beside.fn = remove_leaf;
    pcv_vector_detach(&vector);
    assert_null(beside.fn);
    assert_int_equal(beside.released, 1);
    assert_null(vector.device);
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_VECTOR], 0);
    assert_int_equal(pcv_vector_attach(leaf, &other, true, 0), -PCV_ENODEV);
    pcv_device_put(leaf);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    hosted_end(&h);
}

static void add_endpoint(struct hosted *h)
{
    assert_int_equal(pcv_device_add(h->host, TREE_ENDPOINT, NULL), 0);
}

/* LIFE-1, LIFE-7 */
static void two_adds_that_make_a_segment_make_one(void **state)
{
    struct hosted h;

    (void)state;
    start(&h);
    beside.fn = add_endpoint;
    assert_int_equal(pcv_device_add(h.host, TREE_ROOT_PORT, NULL), 0);
    assert_null(beside.fn);
    assert_int_equal(hosted_stats(&h).segments, 1);
    assert_true(hosted_found(&h, TREE_ENDPOINT));
    assert_true(hosted_found(&h, TREE_ROOT_PORT));
    hosted_end(&h);
}

/* SRIOV-3: that the sum of a time is zero does not make it no time. */
static void a_time_that_wraps_to_zero_is_waited_for_all_the_same(void **state)
{
    struct pcv_device *leaf;
    struct hosted h;

    (void)state;
    start(&h);
    (void)hosted_scan(&h);
    leaf = hosted_hold(&h, TREE_LEAF);
    beside.now = UINT64_MAX - 99;
    pcv__hw_quiet(leaf, 100);
    assert_in_range(pcv__hw_quiet_us(leaf), 100, 101);
    beside.now += 99;
    assert_in_range(pcv__hw_quiet_us(leaf), 1, 2);
    beside.now = 1;
    assert_int_equal(pcv__hw_quiet_us(leaf), 0);
    pcv_device_put(leaf);
    hosted_end(&h);
}

/* ---- split accesses -------------------------------------------------------
 */

#define ECAM 0xc0000000u

/* A split access of the leaf of which one half is behind it. */
static struct pcv_access half(uint64_t data)
{
    struct pcv_access access = PCV_WRITE(TREE_LEAF, PCV_REG_BAR0 + 8, 8, data);

    access.split = true;
    access.progress = 4;
    return access;
}

/* CFG-2, CFG-10: only the access that was begun is gone on with. */
static void what_differs_from_a_split_access_begins_anew(void **state)
{
    const uint64_t at = ECAM + ((uint64_t)TREE_LEAF.v << 12) + PCV_REG_BAR0 + 8;
    const struct {
        uint64_t address;
        uint64_t data;
        uint8_t size;
        bool write, anew;
    } rows[] = {
        {at, 7, 8, true, false},         {at, 8, 8, true, true},
        {at, 7, 4, true, true},          {at + 8, 7, 8, true, true},
        {at + 0x1000, 7, 8, true, true}, {at, 7, 8, false, true},
    };
    struct hosted h;

    (void)state;
    start(&h);
    (void)hosted_scan(&h);
    assert_int_equal(pcv_domain_add_ecam(pcv_host_hardware_domain(h.host),
                                         (pcv_gpa){ECAM}, 0, 0, 255),
                     0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_access access = half(7);
        uint64_t before = hosted_status(&h, TREE_LEAF).counters.writes;
        struct pcv_device_counters now;

        (void)pcv_ecam_access(pcv_host_hardware_domain(h.host),
                              (pcv_gpa){rows[i].address}, rows[i].size,
                              rows[i].write, rows[i].data, &access);
        now = hosted_status(&h, TREE_LEAF).counters;
        /* The second half alone, or both; or it is another one's, or a read. */
        if (rows[i].address == at && rows[i].write) {
            assert_int_equal(now.writes - before,
                             rows[i].anew && rows[i].size == 8 ? 2 : 1);
        } else if (rows[i].address != at + 8) {
            assert_int_equal(now.writes, before);
        }
        assert_int_equal(access.progress, 0);
    }
    hosted_end(&h);
}

/* CFG-2: a vCPU's storage that nobody wrote. */
static void a_split_access_that_is_further_than_its_end_begins_anew(
    void **state)
{
    struct pcv_access access = PCV_READ(TREE_LEAF, 0, 8);
    struct hosted h;

    (void)state;
    start(&h);
    (void)hosted_scan(&h);
    access.split = true;
    access.progress = 200;
    access.data = UINT64_MAX;
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &access),
                     PCV_DONE);
    assert_int_equal((uint32_t)access.data, 0x10d38086);
    assert_int_equal(hosted_status(&h, TREE_LEAF).counters.reads, 2);
    hosted_end(&h);
}

/* ---- checks of a tree -----------------------------------------------------
 */

/* HDR-7: what the tests of the interval map rely on finds damage. */
static void an_unsound_node_is_seen(void **state)
{
    struct pcv__imap_node low = {.start = 1, .end = 2, .count = 1, .height = 1};
    struct pcv__imap_node node = {
        .start = 2, .end = 3, .count = 1, .height = 2};

    (void)state;
    node.kid[0] = &low;
    low.parent = &node;
    assert_true(pcv__imap_node_is_sound(&node));
    low.parent = NULL;
    assert_false(pcv__imap_node_is_sound(&node));
    low.parent = &node;
    low.height = 2; /* one side is two higher than the other */
    node.height = 3;
    assert_false(pcv__imap_node_is_sound(&node));
    node.kid[1] = node.kid[0];
    node.kid[0] = NULL;
    assert_false(pcv__imap_node_is_sound(&node));
    low.height = 1;
    node.height = 1;
    assert_false(pcv__imap_node_is_sound(&node));
    node.height = 2;
    assert_true(pcv__imap_node_is_sound(&node));
    node.count = 0;
    assert_false(pcv__imap_node_is_sound(&node));
    node.count = 1;
    node.end = 2;
    assert_false(pcv__imap_node_is_sound(&node));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_vector_freed_while_it_is_detached_is_counted_out_once),
        cmocka_unit_test(two_adds_that_make_a_segment_make_one),
        cmocka_unit_test(a_time_that_wraps_to_zero_is_waited_for_all_the_same),
        cmocka_unit_test(what_differs_from_a_split_access_begins_anew),
        cmocka_unit_test(
            a_split_access_that_is_further_than_its_end_begins_anew),
        cmocka_unit_test(an_unsound_node_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Functions that are not ready, or fall silent while somebody looks at them:
 * neither is a reason to register nonsense, or to take a device away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hosted.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What a function reads after a reset where software asked to see that. */
#define NOT_READY 0xffff0001u

enum mood {
    AWAKE,
    RESETTING, /* the IDs read NOT_READY, all else all ones */
    SILENT,    /* from a certain read on all ones */
    SWAPPED,   /* from a certain read on it has another device ID */
};

static struct {
    pcv_sbdf sbdf;
    enum mood mood;
    uint64_t reads, after; /* the first `after` reads go well */
} who;

static int moody_read(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                      uint32_t *out_value)
{
    uint32_t ones = size == 4 ? 0xffffffffu : (1u << (8 * size)) - 1u;
    int error = pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out_value);

    if (error != 0 || sbdf.v != who.sbdf.v || who.mood == AWAKE ||
        who.reads++ < who.after) {
        return error;
    }
    if (who.mood == SWAPPED) {
        *out_value ^= reg == PCV_REG_VENDOR && size == 4 ? 0x00010000u : 0;
    } else {
        *out_value = ones;
    }
    if (who.mood == RESETTING && (reg & ~3u) == PCV_REG_VENDOR) {
        *out_value = NOT_READY >> (reg % 4 * 8) & ones;
    }
    return 0;
}

static void becomes(pcv_sbdf sbdf, enum mood mood, uint64_t after)
{
    who.sbdf = sbdf;
    who.mood = mood;
    who.reads = 0;
    who.after = after;
}

static void start(struct hosted *h)
{
    tree_build(h);
    h->ops.cfg_read = moody_read;
    becomes(TREE_NOTHING, AWAKE, 0);
    hosted_start(h);
    assert_int_equal(hosted_scan(h), TREE_FUNCTIONS);
}

static int add(struct hosted *h, pcv_sbdf sbdf)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF,
                                      .physfn = TREE_PF};

    return pcv_device_add(h->host, sbdf, sbdf.v == TREE_VF_1.v ? &info : NULL);
}

static const uint32_t anybody[] = {0x0008, 0x0200, 0x0300, 0x0405};

static void same_card(const struct pcv_device_info *a,
                      const struct pcv_device_info *b)
{
    assert_int_equal(a->vendor, b->vendor);
    assert_int_equal(a->device, b->device);
    assert_int_equal(a->class_code, b->class_code);
    assert_int_equal(a->revision, b->revision);
    assert_int_equal(a->header_type, b->header_type);
    assert_int_equal(a->subsystem, b->subsystem);
    assert_true(a->serial == b->serial);
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->read_only, b->read_only);
}

/* LIFE-7 */
static void a_function_that_is_not_ready_is_to_be_added_later(void **state)
{
    struct pcv_device_info right, now;
    struct hosted h;
    uint64_t bytes;

    (void)state;
    start(&h);
    right = hosted_info(&h, TREE_LEAF);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    bytes = pcv_model_bytes(h.model);
    becomes(TREE_LEAF, RESETTING, 0);
    assert_int_equal(add(&h, TREE_LEAF), -PCV_EAGAIN);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    assert_true(pcv_model_bytes(h.model) == bytes);
    becomes(TREE_LEAF, AWAKE, 0);
    assert_int_equal(add(&h, TREE_LEAF), 0);
    now = hosted_info(&h, TREE_LEAF);
    same_card(&now, &right);
    hosted_end(&h);
}

/* TOPO-8 */
static void a_scan_counts_what_is_not_ready_and_finds_it_later(void **state)
{
    struct pcv_scan scan = {0};
    struct hosted h;

    (void)state;
    start(&h);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    becomes(TREE_LEAF, RESETTING, 0);
    assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
    assert_int_equal(scan.found, 0);
    assert_int_equal(scan.failed, 1);
    assert_int_equal(scan.first_error, -PCV_EAGAIN);
    assert_int_equal(scan.first_failed.v, TREE_LEAF.v);
    becomes(TREE_LEAF, AWAKE, 0);
    assert_int_equal(hosted_scan(&h), 1);
    hosted_end(&h);
}

/* LIFE-7, LIFE-9 */
static void a_registered_device_in_a_reset_stays_what_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(anybody); i++) {
        const pcv_sbdf sbdf = {anybody[i]};
        struct pcv_device_info before, after;
        struct pcv_device *device;
        struct hosted h;
        uint64_t pages;

        start(&h);
        device = hosted_hold(&h, sbdf);
        pcv_device_get_info(device, &before);
        pages = pcv_model_mapped_pages(h.model);
        becomes(sbdf, RESETTING, 0);
        assert_int_equal(add(&h, sbdf), 0);
        assert_int_equal(hosted_state(&h, sbdf), PCV_STATE_PRESENT);
        assert_false(hosted_status(&h, sbdf).vanished);
        pcv_device_get_info(device, &after);
        same_card(&before, &after);
        assert_true(pcv_model_mapped_pages(h.model) == pages);
        becomes(sbdf, AWAKE, 0);
        pcv_device_put(device);
        hosted_end(&h);
    }
}

/* LIFE-7: at each of its reads in turn the function falls silent. */
static void what_falls_silent_while_it_is_added_is_not_registered_as_nonsense(
    void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(anybody); i++) {
        const pcv_sbdf sbdf = {anybody[i]};
        struct pcv_device_info right, now;
        unsigned again = 0;
        uint64_t n;
        struct hosted h;

        start(&h);
        right = hosted_info(&h, sbdf);
        for (n = 0; n < 1000; n++) {
            int error;

            assert_int_equal(pcv_device_remove(h.host, sbdf, NULL, NULL), 0);
            becomes(sbdf, SILENT, n);
            error = add(&h, sbdf);
            again += error == -PCV_EAGAIN;
            if (error != 0) {
                assert_true(error == -PCV_ENODEV || error == -PCV_EAGAIN);
                assert_int_equal(hosted_state(&h, sbdf), PCV_STATE_ABSENT);
                becomes(sbdf, AWAKE, 0);
                assert_int_equal(add(&h, sbdf), 0);
                continue;
            }
            now = hosted_info(&h, sbdf);
            same_card(&now, &right);
            if (who.reads <= n) {
                break; /* it never was silent */
            }
        }
        assert_true(n < 1000);
        assert_true(again > 0);
        becomes(sbdf, AWAKE, 0);
        hosted_end(&h);
    }
}

/* LIFE-7, LIFE-9 */
static void a_registered_device_that_falls_silent_meanwhile_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(anybody); i++) {
        const pcv_sbdf sbdf = {anybody[i]};
        struct pcv_device_info before, after;
        struct pcv_device *device;
        struct hosted h;
        uint64_t n;

        start(&h);
        device = hosted_hold(&h, sbdf);
        pcv_device_get_info(device, &before);
        for (n = 0; n < 1000; n++) {
            becomes(sbdf, SILENT, n);
            assert_int_equal(add(&h, sbdf), 0);
            assert_int_equal(hosted_state(&h, sbdf), PCV_STATE_PRESENT);
            assert_false(hosted_status(&h, sbdf).vanished);
            pcv_device_get_info(device, &after);
            same_card(&before, &after);
            if (who.reads <= n) {
                break;
            }
        }
        assert_true(n > 1 && n < 1000);
        becomes(sbdf, AWAKE, 0);
        pcv_device_put(device);
        hosted_end(&h);
    }
}

/* LIFE-7 */
static void a_card_that_is_swapped_while_it_is_read_is_read_again(void **state)
{
    struct hosted h;

    (void)state;
    start(&h);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    /* Between the first look and the last. */
    becomes(TREE_LEAF, SWAPPED, 5);
    assert_int_equal(add(&h, TREE_LEAF), -PCV_EAGAIN);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    assert_int_equal(add(&h, TREE_LEAF), 0);
    assert_int_equal(hosted_info(&h, TREE_LEAF).device, 0x10d3 ^ 1);
    hosted_end(&h);
}

/* LIFE-7, TOPO-7 */
static void a_vf_is_to_be_added_later_if_it_or_its_pf_is_not_ready(void **state)
{
    static const struct {
        uint32_t who;
        enum mood mood;
        int error;
    } rows[] = {
        {0x0405, RESETTING, -PCV_EAGAIN},
        {0x0405, SILENT, -PCV_ENODEV},
        {0x0400, RESETTING, -PCV_EAGAIN},
        {0x0400, SILENT, -PCV_EAGAIN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hosted h;
        uint64_t bytes;

        start(&h);
        assert_int_equal(pcv_device_remove(h.host, TREE_VF_1, NULL, NULL), 0);
        bytes = pcv_model_bytes(h.model);
        becomes((pcv_sbdf){rows[i].who}, rows[i].mood, 0);
        assert_int_equal(add(&h, TREE_VF_1), rows[i].error);
        assert_int_equal(hosted_state(&h, TREE_VF_1), PCV_STATE_ABSENT);
        assert_true(pcv_model_bytes(h.model) == bytes);
        becomes(TREE_NOTHING, AWAKE, 0);
        assert_int_equal(add(&h, TREE_VF_1), 0);
        hosted_end(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_that_is_not_ready_is_to_be_added_later),
        cmocka_unit_test(a_scan_counts_what_is_not_ready_and_finds_it_later),
        cmocka_unit_test(a_registered_device_in_a_reset_stays_what_it_was),
        cmocka_unit_test(
            what_falls_silent_while_it_is_added_is_not_registered_as_nonsense),
        cmocka_unit_test(a_registered_device_that_falls_silent_meanwhile_stays),
        cmocka_unit_test(a_card_that_is_swapped_while_it_is_read_is_read_again),
        cmocka_unit_test(
            a_vf_is_to_be_added_later_if_it_or_its_pf_is_not_ready),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

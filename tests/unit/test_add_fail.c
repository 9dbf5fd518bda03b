/* SPDX-License-Identifier: MIT */
/* Adds that fail at any step, or take several calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int add(struct hosted *h, pcv_sbdf sbdf)
{
    return pcv_device_add(h->host, sbdf, NULL);
}

static int add_vf(struct hosted *h, pcv_sbdf sbdf, pcv_sbdf physfn)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF, .physfn = physfn};

    return pcv_device_add(h->host, sbdf, &info);
}

/* ---- failures at any call -------------------------------------------------
 */

/* All registers of the machine that sizing touches. */
struct registers {
    uint16_t command;
    uint32_t bar[7];
};

static struct registers registers_of(struct hosted *h, pcv_sbdf sbdf)
{
    struct registers r = {0};

    r.command = (uint16_t)pcv_model_peek(h->model, sbdf, PCV_REG_COMMAND, 2);
    for (uint16_t i = 0; i < 6; i++) {
        r.bar[i] = pcv_model_peek(h->model, sbdf,
                                  (uint16_t)(PCV_REG_BAR0 + 4u * i), 4);
    }
    r.bar[6] = pcv_model_peek(h->model, sbdf, PCV_REG_ROM0, 4);
    return r;
}

/* Who else must not notice: holders of all devices, the map, memory. */
struct world {
    struct pcv_host_stats stats;
    uint64_t bytes, pages;
    struct pcv_device_status pf, port;
};

static void world_of(struct hosted *h, struct world *w)
{
    /* Padding too: worlds are compared as bytes. */
    memset(w, 0, sizeof(*w));
    w->stats = hosted_stats(h);
    w->bytes = pcv_model_bytes(h->model);
    w->pages = pcv_model_mapped_pages(h->model);
    assert_int_equal(pcv_device_status(h->host, TREE_PF, &w->pf), 0);
    assert_int_equal(pcv_device_status(h->host, TREE_PORT_3, &w->port), 0);
}

/* Sizing has put everything back. Where the device was added but could not be
 * mapped, decoding is off (HDR-10); switch it on again for the next round. */
static void expect_registers(struct hosted *h, pcv_sbdf sbdf,
                             const struct registers *before, int error)
{
    struct registers now = registers_of(h, sbdf);

    if (error == 0 && now.command != before->command) {
        assert_int_equal(now.command, before->command & ~PCV_CMD_MEMORY);
        now.command = before->command;
        pcv_model_poke(h->model, sbdf, PCV_REG_COMMAND, 2, before->command);
    }
    assert_memory_equal(before, &now, sizeof(now));
}

/* An add of something that is not registered, failing at each call of a kind
 * in turn until it goes through without meeting the failure. */
static void fail_each(enum pcv_model_op op, pcv_sbdf sbdf, bool vf,
                      bool may_succeed)
{
    struct hosted h;
    struct world before;
    struct registers registers;
    uint64_t calls, n;
    int error = -1;

    tree_start(&h);
    assert_int_equal(pcv_device_remove(h.host, sbdf, NULL, NULL), 0);
    world_of(&h, &before);
    registers = registers_of(&h, sbdf);
    for (n = 1; n < 10000; n++) {
        struct world after;

        calls = pcv_model_calls(h.model, op);
        pcv_model_fail(h.model, op, n);
        error = vf ? add_vf(&h, sbdf, TREE_PF) : add(&h, sbdf);
        pcv_model_fail(h.model, op, 0);
        calls = pcv_model_calls(h.model, op) - calls;
        assert_true(error <= 0);
        if (calls >= n && !may_succeed) {
            assert_int_not_equal(error, 0);
        }
        if (error == 0) {
            assert_true(hosted_found(&h, sbdf));
            assert_int_equal(pcv_device_remove(h.host, sbdf, NULL, NULL), 0);
        }
        assert_int_equal(hosted_state(&h, sbdf), PCV_STATE_ABSENT);
        assert_false(hosted_found(&h, sbdf));
        world_of(&h, &after);
        assert_memory_equal(&before, &after, sizeof(before));
        expect_registers(&h, sbdf, &registers, error);
        if (calls < n) {
            break;
        }
    }
    assert_true(n > 1); /* the operation is used at all */
    assert_int_equal(error, 0);
    hosted_end(&h);
}

/* LIFE-7, PORT-3 */
static void an_add_without_memory_at_any_step_leaves_nothing_behind(
    void **state)
{
    (void)state;
    fail_each(PCV_MODEL_OP_alloc, TREE_ENDPOINT, false, false);
    fail_each(PCV_MODEL_OP_alloc, TREE_LEAF, false, false);
    fail_each(PCV_MODEL_OP_alloc, TREE_VF_0, true, false);
}

/* LIFE-7, PORT-3 */
static void an_add_without_memory_says_so(void **state)
{
    struct hosted h;
    int error;

    (void)state;
    tree_build(&h);
    hosted_start(&h);
    /* Before anything else: segment, bus and device tables, the device, its
     * view, and the map's. */
    for (uint64_t n = 1;; n++) {
        uint64_t calls = pcv_model_calls(h.model, PCV_MODEL_OP_alloc);

        pcv_model_fail(h.model, PCV_MODEL_OP_alloc, n);
        error = add(&h, pcv_test_at(0, 0, 0, 0));
        if (pcv_model_calls(h.model, PCV_MODEL_OP_alloc) - calls < n) {
            break;
        }
        assert_int_equal(error, -PCV_ENOMEM);
        assert_int_equal(hosted_stats(&h).devices, 0);
    }
    pcv_model_fail(h.model, PCV_MODEL_OP_alloc, 0);
    assert_int_equal(error, 0);
    hosted_end(&h);
}

/* LIFE-7, PORT-3 */
static void an_add_that_cannot_read_at_any_step_leaves_nothing_behind(
    void **state)
{
    (void)state;
    fail_each(PCV_MODEL_OP_cfg_read, TREE_ENDPOINT, false, true);
    fail_each(PCV_MODEL_OP_cfg_read, TREE_LEAF, false, true);
    fail_each(PCV_MODEL_OP_cfg_read, TREE_VF_0, true, true);
}

/* LIFE-7, PORT-3 */
static void an_add_that_cannot_write_or_map_leaves_nothing_behind(void **state)
{
    (void)state;
    fail_each(PCV_MODEL_OP_cfg_write, TREE_ENDPOINT, false, true);
    fail_each(PCV_MODEL_OP_map, TREE_ENDPOINT, false, true);
    fail_each(PCV_MODEL_OP_node, TREE_LEAF, false, true);
    fail_each(PCV_MODEL_OP_segment, TREE_LEAF, false, false);
}

/* LIFE-7, PORT-3 */
static void a_failing_read_never_makes_a_registered_device_vanish(void **state)
{
    const pcv_sbdf again[] = {TREE_LEAF, TREE_PORT_3, TREE_PF};
    struct hosted h;

    (void)state;
    tree_start(&h);
    for (size_t i = 0; i < COUNT(again); i++) {
        for (uint64_t n = 1;; n++) {
            uint64_t calls = pcv_model_calls(h.model, PCV_MODEL_OP_cfg_read);
            int error;

            pcv_model_fail(h.model, PCV_MODEL_OP_cfg_read, n);
            error = add(&h, again[i]);
            pcv_model_fail(h.model, PCV_MODEL_OP_cfg_read, 0);
            assert_int_equal(hosted_state(&h, again[i]), PCV_STATE_PRESENT);
            assert_false(hosted_status(&h, again[i]).vanished);
            if (pcv_model_calls(h.model, PCV_MODEL_OP_cfg_read) - calls < n) {
                assert_int_equal(error, 0);
                break;
            }
            assert_int_not_equal(error, 0);
        }
    }
    assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
    hosted_end(&h);
}

/* LIFE-7, PORT-3 */
static void a_card_read_with_failures_is_not_registered_as_another(void **state)
{
    struct pcv_device_info right, got;
    struct hosted h;

    (void)state;
    tree_start(&h);
    right = hosted_info(&h, TREE_LEAF);
    for (uint64_t n = 1; n < 1000; n++) {
        uint64_t calls;

        assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
        calls = pcv_model_calls(h.model, PCV_MODEL_OP_cfg_read);
        pcv_model_fail(h.model, PCV_MODEL_OP_cfg_read, n);
        if (add(&h, TREE_LEAF) == 0) {
            got = hosted_info(&h, TREE_LEAF);
            assert_int_equal(got.vendor, right.vendor);
            assert_int_equal(got.class_code, right.class_code);
            assert_int_equal(got.subsystem, right.subsystem);
            assert_int_equal(got.header_type, right.header_type);
            assert_int_equal(got.type, right.type);
            assert_true(got.serial == right.serial);
            assert_int_equal(got.extended, right.extended);
            /* OWN-2: of one that nobody may write the BARs may be unknown. */
            for (uint32_t i = 0; i < PCV_BARS && !got.read_only; i++) {
                assert_int_equal(got.bar[i].kind, right.bar[i].kind);
                assert_true(got.bar[i].size == right.bar[i].size);
            }
        }
        pcv_model_fail(h.model, PCV_MODEL_OP_cfg_read, 0);
        if (pcv_model_calls(h.model, PCV_MODEL_OP_cfg_read) - calls < n) {
            break;
        }
        if (hosted_state(&h, TREE_LEAF) == PCV_STATE_ABSENT) {
            assert_int_equal(add(&h, TREE_LEAF), 0);
        }
    }
    hosted_end(&h);
}

/* LIFE-7, CTL-2 */
static void an_add_whose_mapping_takes_long_is_called_again(void **state)
{
    struct hosted h;
    uint64_t pages, calls = 0;
    int error;

    (void)state;
    tree_start(&h);
    pages = pcv_model_mapped_pages(h.model);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    assert_int_equal(pcv_model_mapped_pages(h.model), pages - 4);
    pcv_model_set_map_chunk(h.model, 1);
    while ((error = add(&h, TREE_LEAF)) == -PCV_ERESTART) {
        calls++;
        assert_true(hosted_found(&h, TREE_LEAF)); /* registered already */
        assert_int_equal(pcv_model_mapped_pages(h.model), pages - 4 + calls);
    }
    assert_int_equal(error, 0);
    assert_int_equal(calls, 3);
    assert_int_equal(pcv_model_mapped_pages(h.model), pages);
    hosted_end(&h);
}

/* LIFE-5 */
static void a_removal_cancels_a_mapping_that_is_not_finished(void **state)
{
    struct hosted h;
    uint64_t pages;

    (void)state;
    tree_start(&h);
    pages = pcv_model_mapped_pages(h.model);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    pcv_model_set_map_chunk(h.model, 1);
    assert_int_equal(add(&h, TREE_LEAF), -PCV_ERESTART);
    assert_int_equal(add(&h, TREE_LEAF), -PCV_ERESTART);
    assert_int_equal(pcv_model_mapped_pages(h.model), pages - 4 + 2);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    assert_int_equal(pcv_model_mapped_pages(h.model), pages - 4);
    hosted_end(&h);
}

/* LIFE-7, PORT-3 */
static void vfs_of_a_pf_that_nobody_knows_leave_no_memory_behind(void **state)
{
    struct hosted h;
    uint64_t bytes;

    (void)state;
    tree_build(&h);
    hosted_start(&h);
    /* Neither where the segment has no device yet, nor where it has. */
    for (int scanned = 0; scanned < 2; scanned++) {
        bytes = pcv_model_bytes(h.model);
        for (uint32_t rid = 0x1000; rid < 0x8000; rid += 0x108) {
            assert_int_equal(add_vf(&h, (pcv_sbdf){rid}, TREE_NOTHING),
                             -PCV_ENODEV);
        }
        assert_true(pcv_model_bytes(h.model) == bytes);
        assert_true(hosted_stats(&h).bytes == bytes);
        assert_int_equal(hosted_stats(&h).devices,
                         scanned ? TREE_FUNCTIONS : 0);
        assert_int_equal(hosted_scan(&h), scanned ? 0 : TREE_FUNCTIONS);
    }
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            an_add_without_memory_at_any_step_leaves_nothing_behind),
        cmocka_unit_test(an_add_without_memory_says_so),
        cmocka_unit_test(
            an_add_that_cannot_read_at_any_step_leaves_nothing_behind),
        cmocka_unit_test(an_add_that_cannot_write_or_map_leaves_nothing_behind),
        cmocka_unit_test(a_failing_read_never_makes_a_registered_device_vanish),
        cmocka_unit_test(
            a_card_read_with_failures_is_not_registered_as_another),
        cmocka_unit_test(an_add_whose_mapping_takes_long_is_called_again),
        cmocka_unit_test(a_removal_cancels_a_mapping_that_is_not_finished),
        cmocka_unit_test(vfs_of_a_pf_that_nobody_knows_leave_no_memory_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

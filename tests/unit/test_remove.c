/* SPDX-License-Identifier: MIT */
/* Removing a device: what is in the way, completion, vectors, the end of a
 * host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "removals.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- one device -----------------------------------------------------------
 */

/* LIFE-5 */
static void an_unknown_device_cannot_be_removed(void **state)
{
    const pcv_sbdf unknown[] = {TREE_NOTHING, pcv_test_at(0, 0, 1, 1),
                                pcv_test_at(0, 77, 0, 0),
                                pcv_test_at(5, 0, 0, 0)};
    struct completion c = {.completion = {.done = done}};
    struct hosted h;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    for (size_t i = 0; i < COUNT(unknown); i++) {
        assert_int_equal(take_out(&h, unknown[i], &c, &busy), -PCV_ENODEV);
        assert_int_equal(busy, NOBODY);
        assert_int_equal(pcv_device_vanished(h.host, unknown[i]), -PCV_ENODEV);
    }
    assert_int_equal(c.calls, 0);
    assert_int_equal(pcv_device_remove(NULL, TREE_LEAF, NULL, NULL),
                     -PCV_EINVAL);
    hosted_end(&h);
}

/* LIFE-5 */
static void a_device_that_nobody_holds_goes_at_once(void **state)
{
    struct completion c = {.completion = {.done = done}};
    struct hosted h;
    uint64_t pages;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pages = pcv_model_mapped_pages(h.model);
    assert_int_equal(take_out(&h, TREE_LEAF, &c, &busy), 0);
    assert_int_equal(busy, NOBODY);
    assert_int_equal(c.calls, 1);
    assert_int_equal(c.sbdf.v, TREE_LEAF.v);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    assert_int_equal(pcv_model_mapped_pages(h.model), pages - 4);
    assert_int_equal(hosted_read(&h, TREE_LEAF, PCV_REG_DEVICE, 2), 0xffffu);
    assert_int_equal(take_out(&h, TREE_LEAF, &c, &busy), -PCV_ENODEV);
    assert_int_equal(c.calls, 1);
    hosted_end(&h);
}

/* LIFE-5 */
static void a_device_that_leaves_is_not_found_entered_or_mapped(void **state)
{
    struct pcv_access access = PCV_WRITE(TREE_LEAF, PCV_REG_INT_LINE, 1, 0x5a);
    struct hosted h;
    struct pcv_device *device;
    uint64_t pages, calls;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pages = pcv_model_mapped_pages(h.model);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_LEAF.v);
    assert_null(pcv_device_find(h.host, TREE_LEAF));
    assert_null(
        pcv_device_find_owned(pcv_host_hardware_domain(h.host), TREE_LEAF));
    assert_null(pcv_device_find_real(h.host, TREE_LEAF));
    assert_int_equal(pcv_model_mapped_pages(h.model), pages - 4);
    calls = hosted_calls(&h);
    assert_int_equal(hosted_read(&h, TREE_LEAF, 0, 4), 0xffffffffu);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &access),
                     PCV_ABSENT);
    assert_int_equal(hosted_calls(&h), calls);
    assert_int_equal(pcv_device_vanished(h.host, TREE_LEAF), -PCV_ENODEV);
    pcv_device_put(device);
    hosted_end(&h);
}

/* LIFE-6 */
static void a_remove_may_be_repeated_and_drops_nothing_twice(void **state)
{
    struct completion first = {.completion = {.done = done}};
    struct completion second = {.completion = {.done = done}};
    struct pcv_device_status status;
    struct hosted h;
    struct pcv_device *device;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_non_null(pcv_device_get(device));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(
            take_out(&h, TREE_LEAF, i == 0 ? &first : &second, &busy),
            -PCV_EBUSY);
        assert_int_equal(busy, TREE_LEAF.v);
        status = hosted_status(&h, TREE_LEAF);
        assert_int_equal(status.state, PCV_STATE_LEAVING);
        assert_int_equal(status.held[PCV_HOLDER_REGISTRY], 0);
        assert_int_equal(status.held[PCV_HOLDER_OWNER], 0);
        assert_int_equal(status.held[PCV_HOLDER_CALLER], 2);
        assert_int_equal(hosted_stats(&h).leaving, 1);
    }
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_LEAF, &second, &busy), -PCV_EBUSY);
    assert_int_equal(first.calls, 0);
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_LEAF, &second, &busy), -PCV_ENODEV);
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 0);
    hosted_end(&h);
}

/* LIFE-6 */
static void a_status_query_has_no_side_effects(void **state)
{
    struct pcv_device_status status;
    struct hosted h;
    struct pcv_device *device;
    struct pcv_host_stats before, after;
    uint64_t calls;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), -PCV_EBUSY);
    before = hosted_stats(&h);
    calls = hosted_calls(&h);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_LEAVING);
        assert_int_equal(hosted_state(&h, TREE_PF), PCV_STATE_PRESENT);
        assert_int_equal(hosted_state(&h, TREE_NOTHING), PCV_STATE_ABSENT);
    }
    after = hosted_stats(&h);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(hosted_calls(&h), calls);
    assert_int_equal(pcv_device_status(NULL, TREE_LEAF, &status), -PCV_EINVAL);
    assert_int_equal(pcv_device_status(h.host, TREE_LEAF, NULL), -PCV_EINVAL);
    pcv_device_put(device);
    hosted_end(&h);
}

/* A completion may do anything that a put may: here it adds the device anew,
 * since its address is free again. */
struct re_add {
    struct pcv_completion completion; /* first */
    struct hosted *h;
    enum pcv_device_state state;
};

static void see_absent(struct pcv_completion *self, pcv_sbdf sbdf)
{
    struct re_add *r = (struct re_add *)self;

    r->state = hosted_state(r->h, sbdf);
}

/* LIFE-6 */
static void at_its_completion_the_address_is_free_again(void **state)
{
    struct re_add r = {.completion = {.done = see_absent},
                       .state = PCV_STATE_PRESENT};
    struct hosted h;
    struct pcv_device *device;

    (void)state;
    tree_start(&h);
    r.h = &h;
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, &r.completion, NULL),
                     -PCV_EBUSY);
    pcv_device_put(device);
    assert_int_equal(r.state, PCV_STATE_ABSENT);
    assert_int_equal(pcv_device_add(h.host, TREE_LEAF, NULL), 0);
    hosted_end(&h);
}

/* LIFE-5, TOPO-7 */
static void a_pf_waits_for_its_vfs(void **state)
{
    struct completion c = {.completion = {.done = done}};
    struct hosted h;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    assert_int_equal(take_out(&h, TREE_PF, &c, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_VF_0.v);
    assert_int_equal(hosted_state(&h, TREE_PF), PCV_STATE_PRESENT);
    assert_int_equal(take_out(&h, TREE_VF_0, NULL, &busy), 0);
    assert_int_equal(take_out(&h, TREE_PF, &c, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_VF_1.v);
    assert_int_equal(take_out(&h, TREE_VF_1, NULL, &busy), 0);
    assert_int_equal(c.calls, 0);
    assert_int_equal(take_out(&h, TREE_PF, &c, &busy), 0);
    assert_int_equal(c.calls, 1);
    hosted_end(&h);
}

/* ---- vectors --------------------------------------------------------------
 */

/* LIFE-8 */
static void a_removal_waits_for_the_vectors_of_the_device(void **state)
{
    struct pcv_vector vectors[3] = {{.index = 0}};
    struct completion c = {.completion = {.done = done}};
    struct hosted h;
    struct pcv_device *device;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    for (size_t i = 0; i < COUNT(vectors); i++) {
        assert_int_equal(
            pcv_vector_attach(device, &vectors[i], true, (uint16_t)i), 0);
    }
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_LEAF, &c, &busy), -PCV_EBUSY);
    for (size_t i = 0; i < COUNT(vectors); i++) {
        assert_int_equal(c.calls, 0);
        assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_VECTOR],
                         COUNT(vectors) - i);
        pcv_vector_detach(&vectors[i]);
    }
    assert_int_equal(c.calls, 1);
    hosted_end(&h);
}

/* The host frees some vectors at once: those with an even index. */
static int release_even(void *ctx, struct pcv_vector *vector)
{
    (void)ctx;
    return vector->index % 2 == 0 ? 0 : -PCV_EBUSY;
}

/* LIFE-8 */
static void vectors_that_the_host_frees_do_not_keep_the_device(void **state)
{
    struct pcv_vector vectors[4] = {{.index = 0}};
    struct completion c = {.completion = {.done = done}};
    struct hosted h;
    struct pcv_device *device;
    uint32_t busy;

    (void)state;
    tree_build(&h);
    h.ops.vector_release = release_even;
    hosted_start(&h);
    (void)hosted_scan(&h);
    device = hosted_hold(&h, TREE_LEAF);
    for (size_t i = 0; i < COUNT(vectors); i++) {
        assert_int_equal(
            pcv_vector_attach(device, &vectors[i], true, (uint16_t)i), 0);
    }
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_LEAF, &c, &busy), -PCV_EBUSY);
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_VECTOR], 2);
    for (size_t i = 0; i < COUNT(vectors); i++) {
        assert_int_equal(vectors[i].device == NULL, i % 2 == 0);
        pcv_vector_detach(&vectors[i]); /* of a freed one: nothing happens */
    }
    assert_int_equal(c.calls, 1);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    hosted_end(&h);
}

/* LIFE-8 */
static void a_device_whose_vectors_are_all_freed_goes_at_once(void **state)
{
    struct pcv_vector vector = {.index = 0};
    struct hosted h;
    struct pcv_device *device;
    uint32_t busy;

    (void)state;
    tree_build(&h);
    h.ops.vector_release = release_even;
    hosted_start(&h);
    (void)hosted_scan(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_vector_attach(device, &vector, false, 0), 0);
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), 0);
    assert_null(vector.device);
    hosted_end(&h);
}

/* ---- failing host, and the end --------------------------------------------
 */

/* LIFE-5, PORT-3 */
static void a_removal_is_not_stopped_by_an_unmap_that_fails(void **state)
{
    struct record failed = {.kind = PCV_EVENT_UNMAP_FAILED};
    struct hosted h;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pcv_model_on_event(h.model, keep, &failed);
    pcv_model_fail(h.model, PCV_MODEL_OP_unmap, 1);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), 0);
    assert_int_equal(failed.count, 1);
    assert_int_equal(failed.sbdf[0], TREE_LEAF.v);
    pcv_model_on_event(h.model, NULL, NULL);
    hosted_end(&h);
}

/* LIFE-5, PORT-3 */
static void a_removal_needs_no_memory(void **state)
{
    struct hosted h;
    uint64_t calls;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    calls = pcv_model_calls(h.model, PCV_MODEL_OP_alloc);
    pcv_model_set_map_chunk(h.model, 1);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, NULL, &busy), 0);
    assert_int_equal(pcv_model_calls(h.model, PCV_MODEL_OP_alloc), calls);
    hosted_end(&h);
}

/* PORT-3, LIFE-4 */
static void a_host_does_not_end_while_somebody_holds_a_device(void **state)
{
    struct pcv_vector vector = {.index = 0};
    struct hosted h;
    struct pcv_device *device;
    uint64_t bytes;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    bytes = pcv_model_bytes(h.model);
    assert_int_equal(pcv_host_destroy(h.host), -PCV_EBUSY);
    assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
    assert_int_equal(hosted_stats(&h).leaving, 0);
    assert_int_equal(pcv_vector_attach(device, &vector, false, 3), 0);
    pcv_device_put(device);
    assert_int_equal(pcv_host_destroy(h.host), -PCV_EBUSY); /* the vector */
    assert_int_equal(pcv_model_bytes(h.model), bytes);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(pcv_host_destroy(h.host), -PCV_EBUSY); /* leaving */
    pcv_vector_detach(&vector);
    assert_int_equal(pcv_host_destroy(NULL), 0);
    hosted_end(&h);
}

/* PORT-3 */
static void a_host_that_cannot_be_created_leaves_nothing_behind(void **state)
{
    const struct pcv_host_config config = {.page_shift = 12, .cpus = 4};
    struct pcv_model *model = pcv_test_model();
    struct pcv_host *host = NULL;
    uint64_t n;
    int error = -1;

    (void)state;
    pcv_test_ready(model);
    for (n = 1; error != 0; n++) {
        pcv_model_fail(model, PCV_MODEL_OP_alloc, n);
        error = pcv_host_create(pcv_model_ops(), model, &config, &host);
        pcv_model_fail(model, PCV_MODEL_OP_alloc, 0);
        if (error != 0) {
            assert_int_equal(error, -PCV_ENOMEM);
            assert_null(host);
            assert_int_equal(pcv_model_bytes(model), 0);
        }
    }
    assert_true(n > 2);
    assert_int_equal(pcv_host_destroy(host), 0);
    assert_int_equal(pcv_model_bytes(model), 0);
    pcv_model_destroy(model);
}

/* LIFE-6 */
static void every_device_that_was_added_is_told_gone_once(void **state)
{
    struct record added = {.kind = PCV_EVENT_ADDED};
    struct record gone = {.kind = PCV_EVENT_GONE};
    struct hosted h;

    (void)state;
    tree_build(&h);
    hosted_start(&h);
    pcv_model_on_event(h.model, keep, &added);
    assert_int_equal(hosted_scan(&h), TREE_FUNCTIONS);
    pcv_model_on_event(h.model, keep, &gone);
    hosted_end(&h);
    assert_int_equal(added.count, TREE_FUNCTIONS);
    assert_int_equal(gone.count, TREE_FUNCTIONS);
    for (size_t i = 0; i < added.count; i++) {
        size_t seen = 0;

        for (size_t j = 0; j < gone.count; j++) {
            seen += gone.sbdf[j] == added.sbdf[i];
        }
        assert_int_equal(seen, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_device_cannot_be_removed),
        cmocka_unit_test(a_device_that_nobody_holds_goes_at_once),
        cmocka_unit_test(a_device_that_leaves_is_not_found_entered_or_mapped),
        cmocka_unit_test(a_remove_may_be_repeated_and_drops_nothing_twice),
        cmocka_unit_test(a_status_query_has_no_side_effects),
        cmocka_unit_test(at_its_completion_the_address_is_free_again),
        cmocka_unit_test(a_pf_waits_for_its_vfs),
        cmocka_unit_test(a_removal_waits_for_the_vectors_of_the_device),
        cmocka_unit_test(vectors_that_the_host_frees_do_not_keep_the_device),
        cmocka_unit_test(a_device_whose_vectors_are_all_freed_goes_at_once),
        cmocka_unit_test(a_removal_is_not_stopped_by_an_unmap_that_fails),
        cmocka_unit_test(a_removal_needs_no_memory),
        cmocka_unit_test(a_host_does_not_end_while_somebody_holds_a_device),
        cmocka_unit_test(a_host_that_cannot_be_created_leaves_nothing_behind),
        cmocka_unit_test(every_device_that_was_added_is_told_gone_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

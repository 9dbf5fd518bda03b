/* SPDX-License-Identifier: MIT */
/* Removing a bridge: all behind it with it, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "removals.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- bridges --------------------------------------------------------------
 */

/* TOPO-3 */
static void a_bridge_goes_with_all_behind_it_deepest_first(void **state)
{
    const pcv_sbdf order[] = {TREE_VF_1,     TREE_VF_0,     TREE_PF,
                              TREE_LEAF,     TREE_PORT_4,   TREE_PORT_3,
                              TREE_UPSTREAM, TREE_ROOT_PORT};
    struct record gone = {.kind = PCV_EVENT_GONE};
    struct completion c = {.completion = {.done = done}};
    struct hosted h;
    uint32_t busy;
    pcv_sbdf up;

    (void)state;
    tree_start(&h);
    pcv_model_on_event(h.model, keep, &gone);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, &c, &busy), 0);
    assert_int_equal(gone.count, COUNT(order));
    for (size_t i = 0; i < COUNT(order); i++) {
        assert_int_equal(gone.sbdf[i], order[i].v);
        assert_int_equal(hosted_state(&h, order[i]), PCV_STATE_ABSENT);
    }
    assert_int_equal(c.calls, 1);
    assert_int_equal(c.sbdf.v, TREE_ROOT_PORT.v);
    assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS - COUNT(order));
    for (uint8_t bus = 1; bus <= 4; bus++) {
        assert_int_equal(pcv_topology_upstream(h.host, 0, bus, &up),
                         -PCV_ENOENT);
    }
    pcv_model_on_event(h.model, NULL, NULL);
    assert_int_equal(hosted_scan(&h), COUNT(order)); /* and comes again */
    hosted_end(&h);
}

/* Everything that a refused removal must leave alone. */
static void expect_unchanged(struct hosted *h, uint64_t pages)
{
    const pcv_sbdf all[] = {TREE_ROOT_PORT, TREE_UPSTREAM, TREE_PORT_3,
                            TREE_LEAF,      TREE_PORT_4,   TREE_PF,
                            TREE_VF_0,      TREE_VF_1};
    pcv_sbdf path[8];

    for (size_t i = 0; i < COUNT(all); i++) {
        assert_int_equal(hosted_state(h, all[i]), PCV_STATE_PRESENT);
    }
    assert_int_equal(hosted_stats(h).leaving, 0);
    assert_int_equal(hosted_stats(h).devices, TREE_FUNCTIONS);
    assert_int_equal(pcv_model_mapped_pages(h->model), pages);
    assert_int_equal(pcv_topology_path(h->host, TREE_LEAF, path, COUNT(path)),
                     3);
    assert_int_equal(hosted_read(h, TREE_LEAF, 0, 4), 0x10d38086);
}

/* TOPO-3 */
static void a_bridge_with_a_held_device_behind_it_stays_and_names_it(
    void **state)
{
    const pcv_sbdf held[] = {TREE_LEAF, TREE_VF_0, TREE_UPSTREAM, TREE_PF,
                             TREE_PORT_4};
    struct completion c = {.completion = {.done = done}};
    struct hosted h;
    uint64_t pages;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pages = pcv_model_mapped_pages(h.model);
    for (size_t i = 0; i < COUNT(held); i++) {
        struct pcv_device *device = hosted_hold(&h, held[i]);

        assert_int_equal(take_out(&h, TREE_ROOT_PORT, &c, &busy), -PCV_EBUSY);
        assert_int_equal(busy, held[i].v);
        expect_unchanged(&h, pages);
        pcv_device_put(device);
    }
    assert_int_equal(c.calls, 0);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, &c, &busy), 0);
    assert_int_equal(c.calls, 1);
    hosted_end(&h);
}

/* TOPO-3, LIFE-8 */
static void a_bridge_with_a_vector_behind_it_stays_and_names_the_device(
    void **state)
{
    struct pcv_vector vector = {.index = 0};
    struct hosted h;
    struct pcv_device *device;
    uint64_t pages;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pages = pcv_model_mapped_pages(h.model);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_vector_attach(device, &vector, true, 0), 0);
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_LEAF.v);
    expect_unchanged(&h, pages);
    pcv_vector_detach(&vector);
    hosted_end(&h);
}

/* TOPO-3, LIFE-6 */
static void a_bridge_waits_for_a_device_behind_it_that_is_leaving(void **state)
{
    struct hosted h;
    struct pcv_device *device;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_LEAF.v);
    assert_int_equal(hosted_state(&h, TREE_ROOT_PORT), PCV_STATE_PRESENT);
    pcv_device_put(device);
    assert_int_equal(take_out(&h, TREE_ROOT_PORT, NULL, &busy), 0);
    hosted_end(&h);
}

/* TOPO-3 */
static void a_bridge_that_is_held_itself_leaves_and_what_is_behind_goes(
    void **state)
{
    struct completion c = {.completion = {.done = done}};
    struct hosted h;
    struct pcv_device *port;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    port = hosted_hold(&h, TREE_PORT_3);
    assert_int_equal(take_out(&h, TREE_PORT_3, &c, &busy), -PCV_EBUSY);
    assert_int_equal(busy, TREE_PORT_3.v);
    assert_int_equal(hosted_state(&h, TREE_PORT_3), PCV_STATE_LEAVING);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    assert_int_equal(hosted_state(&h, TREE_PF), PCV_STATE_PRESENT);
    assert_int_equal(c.calls, 0);
    pcv_device_put(port);
    assert_int_equal(c.calls, 1);
    hosted_end(&h);
}

/* LIFE-5, TOPO-3, TOPO-7 */
static void a_bridge_before_a_pf_waits_for_vfs_that_are_elsewhere(void **state)
{
    struct hosted h;
    uint32_t busy;

    (void)state;
    far_vf_start(&h);
    assert_int_equal(take_out(&h, FAR_PORT, NULL, &busy), -PCV_EBUSY);
    assert_int_equal(busy, FAR_VF.v);
    assert_int_equal(hosted_state(&h, FAR_PF), PCV_STATE_PRESENT);
    assert_int_equal(take_out(&h, FAR_VF, NULL, &busy), 0);
    assert_int_equal(take_out(&h, FAR_PORT, NULL, &busy), 0);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bridge_goes_with_all_behind_it_deepest_first),
        cmocka_unit_test(
            a_bridge_with_a_held_device_behind_it_stays_and_names_it),
        cmocka_unit_test(
            a_bridge_with_a_vector_behind_it_stays_and_names_the_device),
        cmocka_unit_test(a_bridge_waits_for_a_device_behind_it_that_is_leaving),
        cmocka_unit_test(
            a_bridge_that_is_held_itself_leaves_and_what_is_behind_goes),
        cmocka_unit_test(a_bridge_before_a_pf_waits_for_vfs_that_are_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Topology: what a function is, and which bridge is above a bus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "registry/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define CONVENTIONAL 0xffu

/* ---- types ----------------------------------------------------------------
 */

static const struct {
    uint8_t pcie; /* PCV_PCIE_TYPE_*, or conventional */
    uint8_t header;
    bool host_bridge; /* class code */
    enum pcv_device_type type;
} types[] = {
    {CONVENTIONAL, 0, false, PCV_TYPE_LEGACY_ENDPOINT},
    {CONVENTIONAL, 0, true, PCV_TYPE_HOST_BRIDGE},
    {CONVENTIONAL, 1, false, PCV_TYPE_PCI_BRIDGE},
    {CONVENTIONAL, 2, false, PCV_TYPE_UNKNOWN}, /* CardBus */
    {CONVENTIONAL, 0x7f, false, PCV_TYPE_UNKNOWN},
    {PCV_PCIE_TYPE_ENDPOINT, 0, false, PCV_TYPE_ENDPOINT},
    {PCV_PCIE_TYPE_ENDPOINT, 0x80, false, PCV_TYPE_ENDPOINT},
    {PCV_PCIE_TYPE_LEGACY, 0, false, PCV_TYPE_LEGACY_ENDPOINT},
    {PCV_PCIE_TYPE_ROOT_PORT, 1, false, PCV_TYPE_ROOT_PORT},
    {PCV_PCIE_TYPE_UPSTREAM, 1, false, PCV_TYPE_UPSTREAM_PORT},
    {PCV_PCIE_TYPE_DOWNSTREAM, 1, false, PCV_TYPE_DOWNSTREAM_PORT},
    {PCV_PCIE_TYPE_TO_PCI, 1, false, PCV_TYPE_PCIE_TO_PCI_BRIDGE},
    {PCV_PCIE_TYPE_FROM_PCI, 1, false, PCV_TYPE_PCI_TO_PCIE_BRIDGE},
    {PCV_PCIE_TYPE_RC_ENDPOINT, 0, false, PCV_TYPE_RC_ENDPOINT},
    {PCV_PCIE_TYPE_RC_ENDPOINT, 0, true, PCV_TYPE_HOST_BRIDGE},
    {PCV_PCIE_TYPE_RC_EVENT, 0, false, PCV_TYPE_RC_EVENT_COLLECTOR},
    /* types that nobody knows are kept */
    {0x2, 0, false, PCV_TYPE_UNKNOWN},
    {0xb, 0, false, PCV_TYPE_UNKNOWN},
    {0xf, 1, false, PCV_TYPE_UNKNOWN},
    /* what contradicts its header */
    {PCV_PCIE_TYPE_ROOT_PORT, 0, false, PCV_TYPE_UNKNOWN},
    {PCV_PCIE_TYPE_DOWNSTREAM, 0, false, PCV_TYPE_UNKNOWN},
    {PCV_PCIE_TYPE_ENDPOINT, 1, false, PCV_TYPE_UNKNOWN},
    {PCV_PCIE_TYPE_RC_ENDPOINT, 1, false, PCV_TYPE_UNKNOWN},
};

/* TOPO-1 */
static void a_function_is_what_header_and_capability_agree_on(void **state)
{
    const pcv_sbdf at = pcv_test_at(0, 0, 3, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        struct pcv_test_function f;
        struct hosted h;

        hosted_build(&h);
        pcv_test_endpoint(&f, 0x8086, 0x1234);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, types[i].header);
        pcv_test_set(&f, PCV_REG_CAPS, 1, 0);
        if (types[i].pcie != CONVENTIONAL) {
            (void)pcv_test_pcie(&f, types[i].pcie);
        }
        if (types[i].host_bridge) {
            pcv_test_set(&f, PCV_REG_CLASS + 1u, 2, PCV_CLASS_BRIDGE_HOST);
        }
        pcv_test_add(h.model, &f, at);
        hosted_start(&h);
        assert_int_equal(hosted_scan(&h), 1);
        assert_int_equal(hosted_info(&h, at).type, types[i].type);
        assert_int_equal(hosted_info(&h, at).is_bridge,
                         (types[i].header & 0x7f) == 1);
        hosted_end(&h);
    }
}

/* TOPO-1 */
static void every_type_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < PCV_TYPES; i++) {
        const char *name = pcv_device_type_name((enum pcv_device_type)i);

        assert_true(i == 0 || strcmp(name, "unknown") != 0);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(
                name, pcv_device_type_name((enum pcv_device_type)j));
        }
    }
}

/* ---- who is above ---------------------------------------------------------
 */

/* TOPO-2 */
static void the_bridge_above_each_bus_is_known(void **state)
{
    const struct {
        uint8_t bus;
        pcv_sbdf above;
    } rows[] = {{1, TREE_ROOT_PORT},
                {2, TREE_UPSTREAM},
                {3, TREE_PORT_3},
                {4, TREE_PORT_4}};
    struct hosted h;
    pcv_sbdf up;

    (void)state;
    tree_start(&h);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(pcv_topology_upstream(h.host, 0, rows[i].bus, &up), 0);
        assert_int_equal(up.v, rows[i].above.v);
    }
    up.v = 0x1234;
    assert_int_equal(pcv_topology_upstream(h.host, 0, 0, &up), -PCV_ENOENT);
    assert_int_equal(pcv_topology_upstream(h.host, 0, 5, &up), -PCV_ENOENT);
    assert_int_equal(pcv_topology_upstream(h.host, 9, 1, &up), -PCV_ENOENT);
    assert_int_equal(up.v, 0x1234);
    hosted_end(&h);
}

/* TOPO-2 */
static void the_path_leads_to_the_root_nearest_bridge_first(void **state)
{
    const pcv_sbdf want[] = {TREE_PORT_3, TREE_UPSTREAM, TREE_ROOT_PORT};
    pcv_sbdf path[4] = {{0}};
    struct hosted h;

    (void)state;
    tree_start(&h);
    assert_int_equal(pcv_topology_path(h.host, TREE_LEAF, path, COUNT(path)),
                     3);
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_int_equal(path[i].v, want[i].v);
    }
    assert_int_equal(path[3].v, 0);
    /* With less room the length is the same, and no more is written. */
    memset(path, 0, sizeof(path));
    assert_int_equal(pcv_topology_path(h.host, TREE_LEAF, path, 1), 3);
    assert_int_equal(path[0].v, TREE_PORT_3.v);
    assert_int_equal(path[1].v, 0);
    assert_int_equal(pcv_topology_path(h.host, TREE_LEAF, NULL, 0), 3);
    assert_int_equal(pcv_topology_path(h.host, TREE_ENDPOINT, path, 4), 0);
    hosted_end(&h);
}

/* TOPO-2 */
static void what_a_bridge_covers_is_remembered_not_read_again(void **state)
{
    struct hosted h;
    uint64_t calls;
    pcv_sbdf up;

    (void)state;
    tree_start(&h);
    pcv_model_poke(h.model, TREE_PORT_3, PCV_REG_SECONDARY, 2, 0x0909);
    assert_int_equal(pcv_model_pull(h.model, TREE_ROOT_PORT), 0);
    calls = hosted_calls(&h);
    assert_int_equal(pcv_topology_upstream(h.host, 0, 3, &up), 0);
    assert_int_equal(up.v, TREE_PORT_3.v);
    assert_int_equal(hosted_info(&h, TREE_PORT_3).secondary, 3);
    assert_int_equal(hosted_info(&h, TREE_PORT_3).subordinate, 3);
    assert_int_equal(hosted_calls(&h), calls);
    hosted_end(&h);
}

/* TOPO-2 */
static void a_damaged_map_is_an_error_not_a_hang(void **state)
{
    /* What stands above buses 5 and 6: themselves, each other, one higher. */
    static const uint16_t rows[][2] = {
        {0x0500, 0}, {0x0600, 0x0500}, {0xff00, 0}, {0x05ff, 0x06ff}};
    struct pcv__segment *segment;
    struct hosted h;
    pcv_sbdf path[2], up = {0x77};

    (void)state;
    tree_start(&h);
    segment = pcv__segment_find(h.host, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        atomic_store(&segment->up[5], PCV__UP_VALID | rows[i][0]);
        atomic_store(&segment->up[6],
                     rows[i][1] ? PCV__UP_VALID | rows[i][1] : 0);
        assert_int_equal(pcv_topology_path(h.host, pcv_test_at(0, 5, 0, 0),
                                           path, COUNT(path)),
                         -PCV_ELOOP);
        assert_int_equal(pcv_topology_upstream(h.host, 0, 5, &up), -PCV_ELOOP);
        assert_int_equal(up.v, 0x77);
        atomic_store(&segment->up[5], 0);
        atomic_store(&segment->up[6], 0);
    }
    hosted_end(&h);
}

/* ---- numbers that cannot be used ------------------------------------------
 */

struct bridge {
    uint8_t bus, device, secondary, subordinate;
    bool conflict;
};

/* Bridges are added in this order; which of them cover nothing. */
#define BRIDGES_MAX 4u
static const struct {
    const char *what;
    size_t count;
    struct bridge bridge[BRIDGES_MAX];
    /* bus, and bus and devfn of the bridge above it; 0: nobody */
    uint16_t above[6];
} conflicts[] = {
    {"side by side",
     2,
     {{0, 1, 1, 2, false}, {0, 2, 3, 4, false}},
     {0, 0x08, 0x08, 0x10, 0x10, 0}},
    {"nested",
     2,
     {{0, 1, 1, 4, false}, {1, 0, 2, 3, false}},
     {0, 0x08, 0x100, 0x100, 0x08, 0}},
    {"nested, inner one first",
     2,
     {{1, 0, 2, 3, false}, {0, 1, 1, 4, false}},
     {0, 0x08, 0x100, 0x100, 0x08, 0}},
    {"all zero: not configured, and no conflict",
     1,
     {{0, 1, 0, 0, false}},
     {0, 0, 0, 0, 0, 0}},
    {"it covers its own bus", 1, {{0, 1, 0, 3, true}}, {0, 0, 0, 0, 0, 0}},
    {"it covers only its own bus", 1, {{1, 1, 1, 1, true}}, {0, 0, 0, 0, 0, 0}},
    {"it covers a lower bus", 1, {{3, 1, 2, 4, true}}, {0, 0, 0, 0, 0, 0}},
    {"last before first", 1, {{0, 1, 3, 1, true}}, {0, 0, 0, 0, 0, 0}},
    {"secondary without subordinate",
     1,
     {{0, 1, 1, 0, true}},
     {0, 0, 0, 0, 0, 0}},
    {"the same range twice",
     2,
     {{0, 1, 1, 2, false}, {0, 2, 1, 2, true}},
     {0, 0x08, 0x08, 0, 0, 0}},
    {"overlapping at one bus",
     2,
     {{0, 1, 1, 2, false}, {0, 2, 2, 3, true}},
     {0, 0x08, 0x08, 0, 0, 0}},
    {"a sibling inside of another",
     2,
     {{0, 1, 1, 4, false}, {0, 2, 2, 3, true}},
     {0, 0x08, 0x08, 0x08, 0x08, 0}},
    {"a sibling around another",
     2,
     {{0, 1, 2, 3, false}, {0, 2, 1, 4, true}},
     {0, 0, 0x08, 0x08, 0, 0}},
    {"an inner one that reaches beyond the outer one",
     2,
     {{0, 1, 1, 2, false}, {1, 0, 2, 3, true}},
     {0, 0x08, 0x08, 0, 0, 0}},
    {"the same, inner one first",
     2,
     {{1, 0, 2, 3, false}, {0, 1, 1, 2, true}},
     {0, 0, 0x100, 0x100, 0, 0}},
    {"an outer one before which the inner one's buses end",
     2,
     {{1, 0, 3, 4, false}, {0, 1, 1, 2, true}},
     {0, 0, 0, 0x100, 0x100, 0}},
    {"a loop of two",
     2,
     {{1, 0, 2, 3, false}, {2, 0, 1, 3, true}},
     {0, 0, 0x100, 0x100, 0, 0}},
    {"three levels",
     3,
     {{0, 1, 1, 4, false}, {1, 0, 2, 4, false}, {2, 0, 3, 4, false}},
     {0, 0x08, 0x100, 0x200, 0x200, 0}},
};

static pcv_sbdf bridge_at(const struct bridge *b)
{
    return pcv_test_at(0, b->bus, b->device, 0);
}

/* The model's own wiring hides a bridge behind a broken one, so hardware is
 * asked directly: each address answers what was put there. */
struct direct {
    uint8_t config[BRIDGES_MAX][PCV_CFG_SIZE];
    pcv_sbdf sbdf[BRIDGES_MAX];
    size_t count;
};

static struct direct direct;

static int direct_read(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                       uint32_t *out_value)
{
    uint32_t value = 0xffffffffu;

    (void)ctx;
    for (size_t i = 0; i < direct.count; i++) {
        if (direct.sbdf[i].v == sbdf.v && reg < PCV_CFG_SIZE) {
            value = 0;
            for (uint8_t b = 0; b < size; b++) {
                value |= (uint32_t)direct.config[i][reg + b] << (8u * b);
            }
        }
    }
    *out_value = value;
    return 0;
}

static int direct_write(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                        uint32_t value)
{
    (void)ctx;
    (void)sbdf;
    (void)reg;
    (void)size;
    (void)value;
    return 0;
}

static void direct_start(struct hosted *h, const struct bridge *bridges,
                         size_t count)
{
    struct pcv_test_function f;

    hosted_build(h);
    pcv_test_endpoint(&f, 0x8086, 1); /* so that segment 0 exists */
    pcv_test_add(h->model, &f, pcv_test_at(0, 0, 31, 0));
    direct.count = count;
    for (size_t i = 0; i < count; i++) {
        pcv_test_bridge(&f, bridges[i].bus, bridges[i].secondary,
                        bridges[i].subordinate);
        memcpy(direct.config[i], f.config, PCV_CFG_SIZE);
        direct.sbdf[i] = bridge_at(&bridges[i]);
    }
    h->ops.cfg_read = direct_read;
    h->ops.cfg_write = direct_write;
    hosted_start(h);
}

static unsigned conflict_events;

static void count_conflicts(void *arg, const struct pcv_event *event)
{
    (void)arg;
    conflict_events += event->kind == PCV_EVENT_BUS_NUMBERS;
}

static void expect_above(struct hosted *h, const uint16_t *above, size_t count)
{
    for (size_t bus = 0; bus < count; bus++) {
        pcv_sbdf up = {0};
        int error = pcv_topology_upstream(h->host, 0, (uint8_t)bus, &up);

        assert_int_equal(error, above[bus] ? 0 : -PCV_ENOENT);
        assert_int_equal(up.v, above[bus]);
        assert_true(pcv_topology_path(h->host,
                                      pcv_test_at(0, (uint8_t)bus, 0, 0), NULL,
                                      0) >= 0);
    }
}

/* TOPO-2 */
static void a_bridge_whose_numbers_contradict_others_covers_nothing(
    void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(conflicts); i++) {
        struct hosted h;
        unsigned expected = 0;

        direct_start(&h, conflicts[i].bridge, conflicts[i].count);
        conflict_events = 0;
        pcv_model_on_event(h.model, count_conflicts, NULL);
        for (size_t j = 0; j < conflicts[i].count; j++) {
            const struct bridge *b = &conflicts[i].bridge[j];

            assert_int_equal(pcv_device_add(h.host, bridge_at(b), NULL), 0);
            if (hosted_info(&h, bridge_at(b)).bus_conflict != b->conflict) {
                fail_msg("%s: bridge %zu", conflicts[i].what, j);
            }
            expected += b->conflict;
        }
        assert_int_equal(conflict_events, expected);
        expect_above(&h, conflicts[i].above, COUNT(conflicts[i].above));
        pcv_model_on_event(h.model, NULL, NULL);
        hosted_end(&h);
    }
}

/* TOPO-2, TOPO-3 */
static void removing_bridges_in_any_order_leaves_no_stale_entry(void **state)
{
    static const uint16_t nobody[PCV_BUSES];

    (void)state;
    for (size_t i = 0; i < COUNT(conflicts); i++) {
        for (size_t first = 0; first < conflicts[i].count; first++) {
            struct hosted h;

            direct_start(&h, conflicts[i].bridge, conflicts[i].count);
            for (size_t j = 0; j < conflicts[i].count; j++) {
                assert_int_equal(pcv_device_add(h.host, direct.sbdf[j], NULL),
                                 0);
            }
            for (size_t j = 0; j < conflicts[i].count; j++) {
                pcv_sbdf sbdf = direct.sbdf[(first + j) % conflicts[i].count];
                int error = pcv_device_remove(h.host, sbdf, NULL, NULL);

                /* It may have gone with the bridge above it. */
                assert_true(error == 0 || error == -PCV_ENODEV);
            }
            expect_above(&h, nobody, COUNT(nobody));
            assert_int_equal(hosted_stats(&h).devices, 0);
            hosted_end(&h);
        }
    }
}

/* TOPO-2 */
static void a_removed_inner_bridge_leaves_its_buses_to_the_outer_one(
    void **state)
{
    struct hosted h;
    pcv_sbdf up;

    (void)state;
    tree_start(&h);
    assert_int_equal(pcv_device_remove(h.host, TREE_PORT_3, NULL, NULL), 0);
    assert_int_equal(pcv_topology_upstream(h.host, 0, 3, &up), 0);
    assert_int_equal(up.v, TREE_UPSTREAM.v);
    assert_int_equal(pcv_topology_upstream(h.host, 0, 4, &up), 0);
    assert_int_equal(up.v, TREE_PORT_4.v);
    assert_int_equal(hosted_scan(&h), 2); /* the port and the leaf again */
    assert_int_equal(pcv_topology_upstream(h.host, 0, 3, &up), 0);
    assert_int_equal(up.v, TREE_PORT_3.v);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_is_what_header_and_capability_agree_on),
        cmocka_unit_test(every_type_has_a_name_of_its_own),
        cmocka_unit_test(the_bridge_above_each_bus_is_known),
        cmocka_unit_test(the_path_leads_to_the_root_nearest_bridge_first),
        cmocka_unit_test(what_a_bridge_covers_is_remembered_not_read_again),
        cmocka_unit_test(a_damaged_map_is_an_error_not_a_hang),
        cmocka_unit_test(
            a_bridge_whose_numbers_contradict_others_covers_nothing),
        cmocka_unit_test(removing_bridges_in_any_order_leaves_no_stale_entry),
        cmocka_unit_test(
            a_removed_inner_bridge_leaves_its_buses_to_the_outer_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

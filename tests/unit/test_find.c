/* SPDX-License-Identifier: MIT */
/* Finding devices: by address, by owner, phantom functions, in order, nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "registry/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Every lock of the library goes through irq_save, in every build. */
static _Atomic uint64_t locks_taken;

static uintptr_t count_lock(void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&locks_taken, 1);
    return 0;
}

static void irq_restore(void *ctx, uintptr_t flags)
{
    (void)ctx;
    (void)flags;
}

/* LIFE-1 */
static void a_find_takes_a_reference_that_a_put_gives_back(void **state)
{
    struct hosted h;
    struct pcv_device *device;

    (void)state;
    tree_start(&h);
    device = pcv_device_find(h.host, TREE_LEAF);
    assert_non_null(device);
    assert_int_equal(pcv_device_sbdf(device).v, TREE_LEAF.v);
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_CALLER], 1);
    pcv_device_put(device);
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_CALLER], 0);
    hosted_end(&h);
}

/* LIFE-1 */
static void where_nothing_stands_nothing_is_found(void **state)
{
    const pcv_sbdf nothing[] = {
        pcv_test_at(0, 0, 1, 1),   /* another function of a known device */
        TREE_NOTHING,              /* another device of a known bus */
        pcv_test_at(0, 9, 0, 0),   /* another bus */
        pcv_test_at(1, 0, 1, 0),   /* a segment of the same 256 */
        pcv_test_at(256, 0, 1, 0), /* and of others */
        {0xffffffffu},
    };
    struct hosted h;

    (void)state;
    tree_start(&h);
    for (size_t i = 0; i < COUNT(nothing); i++) {
        assert_null(pcv_device_find(h.host, nothing[i]));
        assert_null(pcv_device_find_real(h.host, nothing[i]));
        assert_null(pcv_device_find_owned(pcv_host_hardware_domain(h.host),
                                          nothing[i]));
        assert_int_equal(hosted_state(&h, nothing[i]), PCV_STATE_ABSENT);
    }
    hosted_end(&h);
}

/* The place that an address leads to by indexing alone: five steps, whatever
 * the number of functions. */
static struct pcv_device *indexed(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv__segments *high = host->segments[pcv_sbdf_segment(sbdf) >> 8];
    struct pcv__segment *segment =
        high ? high->low[pcv_sbdf_segment(sbdf) & 0xffu] : NULL;
    struct pcv__bus *bus = segment ? segment->bus[pcv_sbdf_bus(sbdf)] : NULL;
    struct pcv__functions *functions =
        bus ? bus->slot[pcv_sbdf_device(sbdf)] : NULL;

    return functions ? functions->fn[pcv_sbdf_function(sbdf)] : NULL;
}

static void expect_finds_by_indexing(const char *spec, size_t functions)
{
    struct pcv_model_error error = {0};
    struct pcv_model_facts facts;
    struct hosted h;
    uint64_t calls;

    hosted_build(&h);
    h.ops.irq_save = count_lock;
    h.ops.irq_restore = irq_restore;
    assert_int_equal(pcv_model_generate(h.model, spec, &error), 0);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), functions);
    calls = hosted_calls(&h);
    atomic_store(&locks_taken, 0);
    for (size_t i = 0; i < functions; i++) {
        struct pcv_device *device;

        assert_true(pcv_model_facts_at(h.model, i, &facts));
        device = pcv_device_find(h.host, facts.sbdf);
        assert_non_null(device);
        assert_ptr_equal(device, indexed(h.host, facts.sbdf));
        pcv_device_put(device);
    }
    assert_int_equal(hosted_calls(&h), calls);
    assert_int_equal(atomic_load(&locks_taken), 0);
    hosted_end(&h);
}

/* LIFE-1 */
static void a_find_costs_the_same_with_ten_functions_and_with_65536(
    void **state)
{
    (void)state;
    expect_finds_by_indexing("functions=10,bridges=2,seed=3", 10);
    expect_finds_by_indexing("functions=65536", 65536);
}

static void set_owner(struct hosted *h, pcv_sbdf sbdf, struct pcv_domain *owner)
{
    struct pcv_device *device = hosted_hold(h, sbdf);

    atomic_store(&device->owner, owner);
    pcv_device_put(device);
}

static bool owned_found(struct pcv_domain *domain, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_device_find_owned(domain, sbdf);

    pcv_device_put(device);
    return device != NULL;
}

/* LIFE-2 */
static void find_owned_sees_its_own_and_the_hardware_domain_the_hidden_too(
    void **state)
{
    struct hosted h;
    struct pcv_domain *dom[3];
    /* owner, then whether hardware domain, hypervisor, quarantine find it */
    static const struct {
        int owner;
        bool found[3];
    } rows[] = {
        {0, {true, false, false}},
        {1, {true, true, false}},
        {2, {false, false, true}},
    };

    (void)state;
    tree_start(&h);
    dom[0] = pcv_host_hardware_domain(h.host);
    dom[1] = &h.host->hypervisor;
    dom[2] = &h.host->quarantine;
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_owner(&h, TREE_LEAF, dom[rows[i].owner]);
        assert_true(hosted_found(&h, TREE_LEAF)); /* any owner */
        for (size_t j = 0; j < COUNT(dom); j++) {
            assert_int_equal(owned_found(dom[j], TREE_LEAF), rows[i].found[j]);
        }
        /* One that was not found keeps no reference either. */
        assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_CALLER],
                         0);
    }
    /* What is mapped is mapped for the first owner. */
    set_owner(&h, TREE_LEAF, dom[0]);
    hosted_end(&h);
}

/* A machine with one function at 00:05 that uses phantom functions, and one
 * that stands at the address of another's phantom. */
static void phantom_machine(struct hosted *h, uint8_t real, uint8_t supported,
                            bool enabled, bool ari)
{
    struct pcv_test_function f;
    uint8_t cap = 0x40; /* the first capability */

    hosted_build(h);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_set(&f, cap + PCV_PCIE_DEVCAP, 4,
                 (uint32_t)supported << PCV_PCIE_DEVCAP_PHANTOM_SHIFT);
    pcv_test_set(&f, cap + PCV_PCIE_DEVCTL, 2,
                 enabled ? PCV_PCIE_DEVCTL_PHANTOM : 0);
    if (ari) {
        (void)pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_ARI, 1, 8);
    }
    pcv_test_add(h->model, &f, pcv_test_at(0, 0, 5, real));
    hosted_start(h);
    assert_int_equal(pcv_device_add(h->host, pcv_test_at(0, 0, 5, real), NULL),
                     0);
}

/* LIFE-2 */
static void a_phantom_functions_address_finds_the_function_that_uses_it(
    void **state)
{
    static const struct {
        uint8_t real, supported;
        bool enabled, ari;
        uint8_t finds; /* one bit an address */
    } rows[] = {
        {0, 1, true, false, 0x11},  {3, 1, true, false, 0x88},
        {0, 2, true, false, 0x55},  {1, 2, true, false, 0xaa},
        {0, 3, true, false, 0xff},  {0, 0, true, false, 0x01},
        {0, 3, false, false, 0x01}, /* switched off */
        {0, 3, true, true, 0x01},   /* never with ARI */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hosted h;
        pcv_sbdf real = pcv_test_at(0, 0, 5, rows[i].real);

        phantom_machine(&h, rows[i].real, rows[i].supported, rows[i].enabled,
                        rows[i].ari);
        for (uint8_t fn = 0; fn < PCV_FUNCTIONS; fn++) {
            pcv_sbdf at = pcv_test_at(0, 0, 5, fn);
            struct pcv_device *device = pcv_device_find_real(h.host, at);

            assert_int_equal(device != NULL, rows[i].finds >> fn & 1);
            assert_int_equal(hosted_found(&h, at), at.v == real.v);
            if (device) {
                assert_int_equal(pcv_device_sbdf(device).v, real.v);
            }
            pcv_device_put(device);
        }
        assert_int_equal(hosted_status(&h, real).held[PCV_HOLDER_CALLER], 0);
        hosted_end(&h);
    }
}

/* LIFE-2 */
static void a_function_at_a_phantoms_address_is_found_itself(void **state)
{
    struct pcv_test_function f;
    struct pcv_device *device;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_set(&f, 0x40 + PCV_PCIE_DEVCAP, 4,
                 1u << PCV_PCIE_DEVCAP_PHANTOM_SHIFT);
    pcv_test_set(&f, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_PHANTOM);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
    pcv_test_add(h.model, &f, pcv_test_at(0, 0, 5, 0));
    pcv_test_endpoint(&f, 0x8086, 0x1234);
    pcv_test_add(h.model, &f, pcv_test_at(0, 0, 5, 4));
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 2);
    device = pcv_device_find_real(h.host, pcv_test_at(0, 0, 5, 4));
    assert_non_null(device);
    assert_int_equal(pcv_device_sbdf(device).v, pcv_test_at(0, 0, 5, 4).v);
    pcv_device_put(device);
    hosted_end(&h);
}

/* LIFE-1 */
static void next_walks_all_segments_in_address_order(void **state)
{
    static const uint16_t segments[] = {0, 1, 0xff, 0x100, 0x8000, 0xffff};
    struct pcv_test_function f;
    struct pcv_device *device;
    struct hosted h;
    pcv_sbdf from = {0};
    size_t seen = 0;

    (void)state;
    hosted_build(&h);
    for (size_t i = 0; i < COUNT(segments); i++) {
        pcv_test_endpoint(&f, 0x8086, 1);
        pcv_test_add(h.model, &f, pcv_test_at(segments[i], 0, 0, 0));
        pcv_test_endpoint(&f, 0x8086, 2);
        pcv_test_add(h.model, &f, pcv_test_at(segments[i], 255, 31, 0));
    }
    hosted_start(&h);
    assert_null(pcv_device_next(h.host, from)); /* nothing is known yet */
    assert_int_equal(hosted_scan(&h), 2 * COUNT(segments));
    while ((device = pcv_device_next(h.host, from)) != NULL) {
        pcv_sbdf at = pcv_device_sbdf(device);

        assert_int_equal(at.v,
                         pcv_test_at(segments[seen / 2], seen % 2 ? 255 : 0,
                                     seen % 2 ? 31 : 0, 0)
                             .v);
        assert_int_equal(hosted_status(&h, at).held[PCV_HOLDER_CALLER], 1);
        pcv_device_put(device);
        seen++;
        from.v = at.v + 1;
    }
    assert_int_equal(seen, 2 * COUNT(segments));
    assert_null(pcv_device_next(h.host, (pcv_sbdf){0xffffffffu}));
    hosted_end(&h);
}

/* LIFE-5 */
static void next_passes_over_a_device_that_is_leaving(void **state)
{
    struct hosted h;
    struct pcv_device *held;
    struct pcv_device *device;

    (void)state;
    tree_start(&h);
    held = hosted_hold(&h, TREE_ENDPOINT);
    assert_int_equal(pcv_device_remove(h.host, TREE_ENDPOINT, NULL, NULL),
                     -PCV_EBUSY);
    device = pcv_device_next(h.host, TREE_ENDPOINT);
    assert_non_null(device);
    assert_int_equal(pcv_device_sbdf(device).v, TREE_ROOT_PORT.v);
    pcv_device_put(device);
    pcv_device_put(held);
    hosted_end(&h);
}

/* TOPO-9 */
static void nodes_come_for_a_whole_list_with_a_mark_for_the_unknown(
    void **state)
{
    const pcv_sbdf asked[] = {pcv_test_at(0, 0, 1, 0), TREE_NOTHING,
                              pcv_test_at(0, 0, 2, 0), pcv_test_at(0, 0, 1, 0),
                              pcv_test_at(0, 0, 3, 0)};
    const struct pcv_add_info told = {.flags = PCV_ADD_HAS_NODE, .node = 9};
    uint32_t nodes[COUNT(asked)];
    struct pcv_test_function f;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    pcv_test_endpoint(&f, 0x8086, 1);
    f.fn.has_node = true;
    f.fn.node = 3;
    pcv_test_add(h.model, &f, asked[0]);
    pcv_test_add(h.model, &f, asked[4]);
    f.fn.has_node = false;
    pcv_test_add(h.model, &f, asked[2]);
    hosted_start(&h);
    assert_int_equal(pcv_device_add(h.host, asked[4], &told), 0);
    assert_int_equal(hosted_scan(&h), 2);
    assert_int_equal(pcv_device_nodes(h.host, asked, COUNT(asked), nodes), 0);
    assert_int_equal(nodes[0], 3);
    assert_int_equal(nodes[1], PCV_NODE_UNKNOWN_DEVICE);
    assert_int_equal(nodes[2], PCV_NODE_NONE);
    assert_int_equal(nodes[3], 3);
    assert_int_equal(nodes[4], 9); /* the caller's word counts */
    assert_int_equal(hosted_info(&h, asked[4]).node, 9);
    assert_int_equal(pcv_device_nodes(h.host, NULL, 0, NULL), 0);
    assert_int_equal(pcv_device_nodes(h.host, NULL, 1, nodes), -PCV_EINVAL);
    assert_int_equal(pcv_device_nodes(h.host, asked, 1, NULL), -PCV_EINVAL);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_find_takes_a_reference_that_a_put_gives_back),
        cmocka_unit_test(where_nothing_stands_nothing_is_found),
        cmocka_unit_test(
            a_find_costs_the_same_with_ten_functions_and_with_65536),
        cmocka_unit_test(
            find_owned_sees_its_own_and_the_hardware_domain_the_hidden_too),
        cmocka_unit_test(
            a_phantom_functions_address_finds_the_function_that_uses_it),
        cmocka_unit_test(a_function_at_a_phantoms_address_is_found_itself),
        cmocka_unit_test(next_walks_all_segments_in_address_order),
        cmocka_unit_test(next_passes_over_a_device_that_is_leaving),
        cmocka_unit_test(
            nodes_come_for_a_whole_list_with_a_mark_for_the_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

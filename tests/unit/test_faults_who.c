/* SPDX-License-Identifier: MIT */
/*
 * Whom IOMMU faults are charged to, and who is never cut (OWN-10, TOPO-5):
 * phantom functions, bridges that speak for others, VFs, what the hypervisor
 * drives, what bus numbers do not lead to, and strangers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faults_fixture.h"
#include "renumber_fixture.h"

#define ALL_ON (PCV_CMD_MEMORY | PCV_CMD_MASTER)

/*
 *   00:00.0 host bridge
 *   00:01.0 endpoint whose functions 4 to 7 are phantoms of 0 to 3
 *   00:02.0 PCIe-to-PCI bridge, buses 1 and 2
 *     01:00.0 endpoint
 *     01:01.0 endpoint
 *     01:02.0 conventional bridge, bus 2
 *       02:00.0 endpoint
 *   00:03.0 conventional bridge, bus 3
 *     03:00.0 endpoint
 *   00:04.0 root port, bus 4
 *     04:00.0 endpoint
 *   00:05.0 the hypervisor's console
 */
#define HOST_BRIDGE pcv_test_at(0, 0, 0, 0)
#define PHANTOM pcv_test_at(0, 0, 1, 0)
#define TO_PCI pcv_test_at(0, 0, 2, 0)
#define ALIAS pcv_test_at(0, 1, 0, 0) /* and a function's own */
#define BESIDE pcv_test_at(0, 1, 1, 0)
#define INNER pcv_test_at(0, 1, 2, 0)
#define DEEP pcv_test_at(0, 2, 0, 0)
#define OLD_BRIDGE pcv_test_at(0, 0, 3, 0)
#define BEHIND_OLD pcv_test_at(0, 3, 0, 0)
#define ROOT_PORT pcv_test_at(0, 0, 4, 0)
#define BEHIND_PORT pcv_test_at(0, 4, 0, 0)
#define CONSOLE pcv_test_at(0, 0, 5, 0)

struct who {
    struct hosted h;
    uint32_t told; /* events of faults */
    pcv_sbdf last; /* about whom */
    uint64_t arg1;
};

static void who_told(void *arg, const struct pcv_event *event)
{
    struct who *w = arg;

    if (event->kind == PCV_EVENT_FAULTS) {
        w->told++;
        w->last = event->sbdf;
        w->arg1 = event->arg[1];
    }
}

static void add(struct who *w, struct pcv_test_function *f, pcv_sbdf sbdf)
{
    pcv_test_set(f, PCV_REG_COMMAND, 2, ALL_ON);
    pcv_test_add(w->h.model, f, sbdf);
}

static void add_endpoints(struct who *w)
{
    static const uint8_t at[][2] = {{1, 0}, {1, 1}, {2, 0}, {3, 0}, {4, 0}};
    struct pcv_test_function f;
    uint8_t cap;

    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        pcv_test_endpoint(&f, 0x1234, 0x5678);
        add(w, &f, pcv_test_at(0, at[i][0], at[i][1], 0));
    }
    pcv_test_endpoint(&f, 0x1234, 0x0001);
    cap = pcv_test_pcie(&f, PCV_PCIE_TYPE_ENDPOINT);
    pcv_test_set(&f, cap + PCV_PCIE_DEVCAP, 4,
                 1u << PCV_PCIE_DEVCAP_PHANTOM_SHIFT);
    pcv_test_set(&f, cap + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_PHANTOM);
    add(w, &f, PHANTOM);
    pcv_test_endpoint(&f, 0x1234, 0x0002);
    add(w, &f, CONSOLE);
}

static void who_start(struct who *w)
{
    struct pcv_test_function f;

    memset(w, 0, sizeof(*w));
    hosted_build(&w->h);
    pcv_test_host_bridge(&f);
    add(w, &f, HOST_BRIDGE);
    pcv_test_port(&f, PCV_PCIE_TYPE_TO_PCI, 0, 1, 2);
    add(w, &f, TO_PCI);
    pcv_test_bridge(&f, 1, 2, 2);
    add(w, &f, INNER);
    pcv_test_bridge(&f, 0, 3, 3);
    add(w, &f, OLD_BRIDGE);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 4, 4);
    add(w, &f, ROOT_PORT);
    add_endpoints(w);
    pcv_model_on_event(w->h.model, who_told, w);
    hosted_start(&w->h);
    assert_int_equal(hosted_scan(&w->h), 12);
    pcv_model_set_clock(w->h.model, true);
}

static bool sends(struct who *w, pcv_sbdf sbdf)
{
    return (pcv_model_peek(w->h.model, sbdf, PCV_REG_COMMAND, 2) &
            PCV_CMD_MASTER) != 0;
}

static bool is_cut(struct who *w, pcv_sbdf sbdf)
{
    bool cut = faults_of(w->h.host, sbdf).cut;

    assert_int_equal(sends(w, sbdf), !cut);
    return cut;
}

/* Too many faults of a requester, and all that comes of them. */
static void storm(struct who *w, pcv_sbdf requester)
{
    assert_true(faults_storm(w->h.host, requester));
    faults_work(w->h.host);
}

/* LIFE-2, TOPO-5 */
static void a_phantom_functions_faults_are_the_functions(void **state)
{
    struct who w;

    (void)state;
    who_start(&w);
    (void)faults_tell(w.h.host, pcv_test_at(0, 0, 1, 4), 4);
    (void)faults_tell(w.h.host, PHANTOM, 5);
    assert_int_equal(faults_of(w.h.host, PHANTOM).count, 9);
    assert_true(faults_tell(w.h.host, pcv_test_at(0, 0, 1, 4), 1));
    faults_work(w.h.host);
    assert_true(is_cut(&w, PHANTOM));
    assert_int_equal(w.last.v, PHANTOM.v);
    hosted_end(&w.h);
}

/* OWN-10: any requester ID may come. */
static void a_strangers_faults_are_counted_as_nobodys(void **state)
{
    static const uint32_t strangers[] = {0xffffffffu, 0x00000048u, 0x0000ff00u,
                                         0x00010000u, 0x0000000au, 0x00000500u};
    struct who w;

    (void)state;
    who_start(&w);
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        pcv_sbdf stranger = {strangers[i]};

        assert_false(faults_storm(w.h.host, stranger));
        assert_int_equal(hosted_stats(&w.h).stray_faults,
                         (i + 1) * PCV_FAULTS_THRESHOLD);
    }
    faults_work(w.h.host);
    assert_int_equal(w.told, 0);
    hosted_end(&w.h);
}

/* TOPO-5: nobody can say which of them it was, and they are one group. */
static void who_speaks_with_one_id_is_cut_with_all_the_others(void **state)
{
    struct who w;

    (void)state;
    who_start(&w);
    (void)faults_tell(w.h.host, ALIAS, 9);
    assert_int_equal(faults_of(w.h.host, ALIAS).count, 0);
    assert_int_equal(faults_of(w.h.host, TO_PCI).count, 9);
    storm(&w, ALIAS);
    assert_true(is_cut(&w, ALIAS) && is_cut(&w, BESIDE) && is_cut(&w, DEEP));
    assert_false(is_cut(&w, TO_PCI) || is_cut(&w, INNER));
    assert_false(is_cut(&w, BEHIND_OLD) || is_cut(&w, BEHIND_PORT) ||
                 is_cut(&w, PHANTOM));
    /* Three that were cut, and the bridge, which counts anew. */
    assert_int_equal(w.told, 4);
    assert_int_equal(w.last.v, TO_PCI.v);
    assert_int_equal(w.arg1 & PCV_FAULT_LEFT_ON, PCV_FAULT_LEFT_ON);
    assert_int_equal(faults_of(w.h.host, TO_PCI).count, 0);
    hosted_end(&w.h);
}

/* TOPO-5, OWN-10: each of them is let go by its own reset, and the next storm
 * takes it again. */
static void of_those_each_is_let_go_by_itself(void **state)
{
    struct who w;

    (void)state;
    who_start(&w);
    storm(&w, ALIAS);
    assert_int_equal(pcv_device_clear_faults(w.h.host, BESIDE), 0);
    pcv_model_poke(w.h.model, BESIDE, PCV_REG_COMMAND, 2, ALL_ON);
    assert_false(is_cut(&w, BESIDE));
    assert_true(is_cut(&w, ALIAS));
    storm(&w, ALIAS);
    assert_true(is_cut(&w, BESIDE));
    assert_int_equal(w.told, 6); /* it alone, and the bridge */
    hosted_end(&w.h);
}

/* TOPO-5: a conventional bridge speaks for others with its own ID. */
static void a_conventional_bridges_own_id_is_that_of_all_behind_it(void **state)
{
    struct who w;

    (void)state;
    who_start(&w);
    storm(&w, OLD_BRIDGE);
    assert_true(is_cut(&w, BEHIND_OLD));
    assert_false(is_cut(&w, OLD_BRIDGE) || is_cut(&w, BESIDE));
    storm(&w, INNER);
    assert_true(is_cut(&w, DEEP));
    assert_false(is_cut(&w, INNER) || is_cut(&w, BESIDE));
    storm(&w, TO_PCI);
    assert_true(is_cut(&w, BESIDE) && is_cut(&w, ALIAS));
    hosted_end(&w.h);
}

/* OWN-10: what others send through it would stop with a port. */
static void ports_and_host_bridges_are_told_of_and_left_alone(void **state)
{
    struct who w;

    (void)state;
    who_start(&w);
    storm(&w, ROOT_PORT);
    storm(&w, HOST_BRIDGE);
    assert_int_equal(w.told, 2);
    assert_int_equal(w.arg1 & PCV_FAULT_LEFT_ON, PCV_FAULT_LEFT_ON);
    assert_true(faults_of(w.h.host, ROOT_PORT).excess);
    assert_false(is_cut(&w, ROOT_PORT) || is_cut(&w, HOST_BRIDGE) ||
                 is_cut(&w, BEHIND_PORT));
    (void)faults_tell(w.h.host, ROOT_PORT, 1000);
    faults_work(w.h.host);
    assert_int_equal(w.told, 2); /* once */
    hosted_end(&w.h);
}

/* OWN-8, OWN-10: what the hypervisor drives is never disturbed. */
static void the_hypervisors_own_is_told_of_and_left_alone(void **state)
{
    struct who w;

    (void)state;
    who_start(&w);
    assert_int_equal(pcv_device_set_read_only(w.h.host, CONSOLE), 0);
    storm(&w, CONSOLE);
    assert_int_equal(w.told, 1);
    assert_int_equal(w.arg1, PCV_FAULT_WRITE | PCV_FAULT_LEFT_ON);
    assert_true(sends(&w, CONSOLE));
    assert_false(faults_of(w.h.host, CONSOLE).cut);
    hosted_end(&w.h);
}

/* OWN-8: it was cut before the hypervisor took it. */
static void what_the_hypervisor_takes_is_cut_no_more(void **state)
{
    struct who w;

    (void)state;
    who_start(&w);
    assert_true(faults_storm(w.h.host, CONSOLE));
    assert_int_equal(pcv_device_set_read_only(w.h.host, CONSOLE), 0);
    faults_work(w.h.host);
    assert_int_equal(w.told, 0);
    assert_true(sends(&w, CONSOLE));
    hosted_end(&w.h);
}

static uint32_t console_in_use(void *ctx, pcv_sbdf sbdf)
{
    (void)ctx;
    return sbdf.v == CONSOLE.v ? PCV_FUNCTION_IN_USE : 0;
}

/* OWN-10: the host says so of a function that the hardware domain has, too. */
static void what_the_host_uses_is_left_alone(void **state)
{
    struct who w;

    (void)state;
    who_start(&w);
    hosted_end(&w.h);
    memset(&w, 0, sizeof(w));
    hosted_build(&w.h);
    w.h.ops.function_flags = console_in_use;
    add_endpoints(&w);
    pcv_model_on_event(w.h.model, who_told, &w);
    hosted_start(&w.h);
    (void)hosted_scan(&w.h);
    pcv_model_set_clock(w.h.model, true);
    storm(&w, CONSOLE);
    assert_int_equal(w.arg1 & PCV_FAULT_LEFT_ON, PCV_FAULT_LEFT_ON);
    assert_false(is_cut(&w, CONSOLE));
    storm(&w, PHANTOM);
    assert_true(is_cut(&w, PHANTOM));
    hosted_end(&w.h);
}

/* OWN-10: more than can wait at once. Those that found no room are not marked,
 * and their next fault is one too many again. */
static void when_many_storm_at_once_none_is_forgotten(void **state)
{
    struct pcv_test_function f;
    struct who w;

    (void)state;
    memset(&w, 0, sizeof(w));
    hosted_build(&w.h);
    for (uint8_t i = 0; i < 200; i++) {
        pcv_test_endpoint(&f, 0x1234, 0x5678);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
        add(&w, &f, (pcv_sbdf){i});
    }
    pcv_model_on_event(w.h.model, who_told, &w);
    hosted_start(&w.h);
    assert_int_equal(hosted_scan(&w.h), 200);
    pcv_model_set_clock(w.h.model, true);
    for (int round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < 200; i++) {
            (void)faults_storm(w.h.host, (pcv_sbdf){i});
        }
        faults_work(w.h.host);
    }
    assert_int_equal(w.told, 200);
    for (uint32_t i = 0; i < 200; i++) {
        assert_true(is_cut(&w, (pcv_sbdf){i}));
    }
    hosted_end(&w.h);
}

/* TOPO-5: at the end of the last segment, and more than one call looks at. */
static void behind_a_bridge_may_be_the_last_address_of_all(void **state)
{
    const pcv_sbdf bridge = pcv_test_at(0xffff, 0, 1, 0);
    struct pcv_test_function f;
    struct who w;

    (void)state;
    memset(&w, 0, sizeof(w));
    hosted_build(&w.h);
    pcv_test_bridge(&f, 0, 0xff, 0xff);
    add(&w, &f, bridge);
    for (uint32_t i = 0x80; i <= 0xff; i++) {
        pcv_test_endpoint(&f, 0x1234, 0x5678);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
        add(&w, &f, (pcv_sbdf){0xffffff00u | i});
    }
    pcv_model_on_event(w.h.model, who_told, &w);
    hosted_start(&w.h);
    assert_int_equal(hosted_scan(&w.h), 129);
    pcv_model_set_clock(w.h.model, true);
    storm(&w, bridge);
    for (uint32_t i = 0x80; i <= 0xff; i++) {
        assert_true(is_cut(&w, (pcv_sbdf){0xffffff00u | i}));
    }
    assert_int_equal(w.told, 129);
    hosted_end(&w.h);
}

/* ---- SR-IOV -----------------------------------------------------------------
 */

/* OWN-10, SRIOV-2: a VF has a requester ID and a bus master bit of its own. */
static void a_vf_is_cut_without_its_pf_and_a_pf_without_its_vfs(void **state)
{
    struct hosted h;

    (void)state;
    tree_start(&h);
    pcv_model_set_clock(h.model, true);
    pcv_model_poke(h.model, TREE_PF, PCV_REG_COMMAND, 2, ALL_ON);
    pcv_model_poke(h.model, TREE_VF_0, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_model_poke(h.model, TREE_VF_1, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_true(faults_storm(h.host, TREE_VF_0));
    faults_work(h.host);
    assert_int_equal(pcv_model_peek(h.model, TREE_VF_0, PCV_REG_COMMAND, 2), 0);
    assert_int_equal(pcv_model_peek(h.model, TREE_VF_1, PCV_REG_COMMAND, 2),
                     PCV_CMD_MASTER);
    assert_int_equal(pcv_model_peek(h.model, TREE_PF, PCV_REG_COMMAND, 2),
                     ALL_ON);
    assert_true(faults_storm(h.host, TREE_PF));
    faults_work(h.host);
    assert_int_equal(pcv_model_peek(h.model, TREE_PF, PCV_REG_COMMAND, 2),
                     PCV_CMD_MEMORY);
    assert_int_equal(pcv_model_peek(h.model, TREE_VF_1, PCV_REG_COMMAND, 2),
                     PCV_CMD_MASTER);
    hosted_end(&h);
}

/* ---- those that come, go and move -------------------------------------------
 */

/* LIFE-5, LIFE-9 */
static void one_that_is_gone_is_due_no_more(void **state)
{
    struct who w;

    (void)state;
    who_start(&w);
    assert_true(faults_storm(w.h.host, BESIDE));
    assert_int_equal(pcv_device_remove(w.h.host, BESIDE, NULL, NULL), 0);
    assert_true(faults_storm(w.h.host, BEHIND_PORT));
    assert_int_equal(pcv_device_vanished(w.h.host, BEHIND_PORT), 0);
    faults_work(w.h.host);
    assert_int_equal(w.told, 1); /* the vanished one: there it is off */
    assert_int_equal(pcv_device_add(w.h.host, BESIDE, NULL), 0);
    assert_int_equal(faults_of(w.h.host, BESIDE).count, 0);
    assert_false(is_cut(&w, BESIDE));
    hosted_end(&w.h);
}

static void numbers(struct renumber *r, pcv_sbdf bridge, uint8_t bus)
{
    renumber_write(r, bridge, PCV_REG_PRIMARY, 4,
                   (uint32_t)pcv_sbdf_bus(bridge) | (uint32_t)bus << 8 |
                       (uint32_t)bus << 16);
}

static bool refusing;

static int refuse_leaf(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                       uint32_t value)
{
    if (refusing && sbdf.v == TREE_LEAF.v && reg == PCV_REG_COMMAND) {
        return -PCV_EIO;
    }
    return pcv_model_ops()->cfg_write(ctx, sbdf, reg, size, value);
}

/* The tree, where the leaf's command register cannot be written at times. */
static void refusing_tree(struct renumber *r)
{
    memset(r, 0, sizeof(*r));
    tree_build(&r->h);
    r->h.ops.cfg_write = refuse_leaf;
    pcv_model_on_event(r->h.model, renumber_told, r);
    hosted_start(&r->h);
    assert_int_equal(hosted_scan(&r->h), TREE_FUNCTIONS);
    renumber_record(r);
    pcv_model_set_clock(r->h.model, true);
    renumber_write(r, TREE_LEAF, PCV_REG_COMMAND, 2, ALL_ON);
    renumber_write(r, TREE_ROOT_PORT, PCV_REG_PRIMARY, 4, 0x000f0100);
    renumber_write(r, TREE_UPSTREAM, PCV_REG_PRIMARY, 4, 0x000f0201);
}

/* TOPO-4, OWN-10: it moved between the storm and the work. */
static void one_that_moves_is_cut_where_it_stands_then(void **state)
{
    const pcv_sbdf there = pcv_test_at(0, 9, 0, 0);
    struct renumber r;

    (void)state;
    refusing_tree(&r);
    assert_true(faults_storm(r.h.host, TREE_LEAF));
    refusing = true;
    numbers(&r, TREE_PORT_3, 0);
    faults_work(r.h.host);
    assert_false(faults_storm(r.h.host, TREE_LEAF)); /* nobody's for now */
    refusing = false;
    numbers(&r, TREE_PORT_3, 9);
    assert_true(faults_of(r.h.host, there).due);
    assert_int_equal(r.events[PCV_EVENT_FAULTS], 0);
    faults_work(r.h.host);
    assert_true(faults_of(r.h.host, there).cut);
    assert_false(faults_of(r.h.host, there).due);
    assert_int_equal(
        renumber_read(&r, there, PCV_REG_COMMAND, 2) & PCV_CMD_MASTER, 0);
    assert_int_equal(pcv_model_peek(r.h.model, TREE_LEAF, PCV_REG_COMMAND, 2) &
                         PCV_CMD_MASTER,
                     0);
    assert_int_equal(r.events[PCV_EVENT_FAULTS], 1);
    renumber_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phantom_functions_faults_are_the_functions),
        cmocka_unit_test(a_strangers_faults_are_counted_as_nobodys),
        cmocka_unit_test(who_speaks_with_one_id_is_cut_with_all_the_others),
        cmocka_unit_test(of_those_each_is_let_go_by_itself),
        cmocka_unit_test(
            a_conventional_bridges_own_id_is_that_of_all_behind_it),
        cmocka_unit_test(ports_and_host_bridges_are_told_of_and_left_alone),
        cmocka_unit_test(the_hypervisors_own_is_told_of_and_left_alone),
        cmocka_unit_test(what_the_hypervisor_takes_is_cut_no_more),
        cmocka_unit_test(what_the_host_uses_is_left_alone),
        cmocka_unit_test(when_many_storm_at_once_none_is_forgotten),
        cmocka_unit_test(behind_a_bridge_may_be_the_last_address_of_all),
        cmocka_unit_test(a_vf_is_cut_without_its_pf_and_a_pf_without_its_vfs),
        cmocka_unit_test(one_that_is_gone_is_due_no_more),
        cmocka_unit_test(one_that_moves_is_cut_where_it_stands_then),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

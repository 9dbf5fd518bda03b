/* SPDX-License-Identifier: MIT */
/* Isolation groups: who reaches whom without the IOMMU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "joined.h"
#include "pcivisor/group.h"
#include "pcivisor/requester.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ACS_ALL                                                                \
    (PCV_ACS_SOURCE | PCV_ACS_REDIRECT | PCV_ACS_COMPLETION | PCV_ACS_UPSTREAM)
#define NO_ACS 0xffffu

/* ---- helpers ---------------------------------------------------------------
 */

static bool in_group(struct pcv_host *host, pcv_sbdf of, pcv_sbdf sbdf)
{
    struct pcv_group_member member;
    struct pcv_group group;

    assert_int_equal(pcv_group_find(host, of, &group), 0);
    return pcv_group_next(&group, sbdf, &member) && member.sbdf.v == sbdf.v;
}

static uint32_t group_size(struct pcv_host *host, pcv_sbdf of)
{
    struct pcv_group_member member;
    struct pcv_group group;
    pcv_sbdf from = {0};
    uint32_t count = 0;

    assert_int_equal(pcv_group_find(host, of, &group), 0);
    while (pcv_group_next(&group, from, &member)) {
        assert_true(member.sbdf.v >= from.v);
        from.v = member.sbdf.v + 1u;
        count++;
    }
    return count;
}

/* A function is in its own group; whoever is in it has the same group. */
static void assert_partition(struct pcv_host *host)
{
    struct pcv_device *device;
    pcv_sbdf from = {0};

    while ((device = pcv_device_next(host, from)) != NULL) {
        pcv_sbdf at = pcv_device_sbdf(device);
        struct pcv_group_member member;
        struct pcv_group group;
        pcv_sbdf next = {0};

        pcv_device_put(device);
        assert_true(in_group(host, at, at));
        assert_int_equal(pcv_group_find(host, at, &group), 0);
        while (pcv_group_next(&group, next, &member)) {
            assert_true(in_group(host, member.sbdf, at));
            assert_int_equal(group_size(host, member.sbdf),
                             group_size(host, at));
            next.v = member.sbdf.v + 1u;
        }
        from.v = at.v + 1u;
    }
}

static void add_integrated(struct hosted *h, uint8_t fn, uint16_t acs)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_set(&f, 0x40 + PCV_PCIE_FLAGS, 2,
                 2u | PCV_PCIE_TYPE_RC_ENDPOINT << PCV_PCIE_FLAGS_TYPE_SHIFT);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
    if (acs != NO_ACS) {
        joined_acs(&f, acs, acs);
    }
    pcv_test_add(h->model, &f, pcv_test_at(0, 0, 5, fn));
}

/* ---- one device ------------------------------------------------------------
 */

/* TOPO-6 */
static void an_integrated_endpoint_alone_is_a_group_of_its_own(void **state)
{
    struct hosted h;

    (void)state;
    hosted_build(&h);
    add_integrated(&h, 0, NO_ACS);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 1);
    assert_int_equal(group_size(h.host, pcv_test_at(0, 0, 5, 0)), 1);
    hosted_end(&h);
}

/* TOPO-6 */
static void functions_of_one_device_are_one_unless_acs_of_each_redirects(
    void **state)
{
    static const struct {
        uint16_t acs[3];
        uint32_t size;
    } rows[] = {
        {{NO_ACS, NO_ACS, NO_ACS}, 3},
        {{ACS_ALL, ACS_ALL, ACS_ALL}, 1},
        {{0, 0, 0}, 1}, /* it says that they never reach each other */
        {{PCV_ACS_REDIRECT | PCV_ACS_COMPLETION, 0, ACS_ALL}, 1},
        /* One that does not redirect reaches the others. */
        {{ACS_ALL, NO_ACS, ACS_ALL}, 3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hosted h;

        hosted_build(&h);
        for (uint8_t fn = 0; fn < 3; fn++) {
            add_integrated(&h, fn, rows[i].acs[fn]);
        }
        hosted_start(&h);
        assert_int_equal(hosted_scan(&h), 3);
        for (uint8_t fn = 0; fn < 3; fn++) {
            assert_int_equal(group_size(h.host, pcv_test_at(0, 0, 5, fn)),
                             rows[i].size);
        }
        assert_partition(h.host);
        hosted_end(&h);
    }
}

/* A chip set shows a host bridge beside its ports that only stands there.
 * TOPO-6 */
static void a_host_bridge_beside_others_joins_nobody(void **state)
{
    struct pcv_test_function f;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    pcv_test_host_bridge(&f);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
    pcv_test_add(h.model, &f, pcv_test_at(0, 0, 5, 0));
    add_integrated(&h, 1, ACS_ALL);
    add_integrated(&h, 2, ACS_ALL);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 3);
    for (uint8_t fn = 0; fn < 3; fn++) {
        assert_int_equal(group_size(h.host, pcv_test_at(0, 0, 5, fn)), 1);
    }
    assert_partition(h.host);
    hosted_end(&h);
}

/* Extended space says nothing where it cannot be read. TOPO-6 EXT-2 */
static void acs_that_cannot_be_read_isolates_nothing(void **state)
{
    const pcv_sbdf at = pcv_test_at(0, 0, 5, 0);
    struct pcv_group group;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    add_integrated(&h, 0, ACS_ALL);
    add_integrated(&h, 1, ACS_ALL);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 2);
    assert_int_equal(group_size(h.host, at), 1);
    pcv_model_fail(h.model, PCV_MODEL_OP_cfg_read, 1);
    group.parts = 77;
    assert_int_equal(pcv_group_find(h.host, at, &group), -PCV_EIO);
    assert_int_equal(group.parts, 77);
    pcv_model_set_dead(h.model, at, true);
    assert_int_equal(group_size(h.host, at), 2);
    pcv_model_set_dead(h.model, at, false);
    assert_int_equal(group_size(h.host, at), 1);
    assert_int_equal(pcv_host_set_ecam(h.host, 0, 0, 0, false, NULL), 0);
    assert_int_equal(group_size(h.host, at), 2);
    assert_int_equal(pcv_host_set_ecam(h.host, 0, 0, 0, true, NULL), 0);
    assert_int_equal(group_size(h.host, at), 1);
    hosted_end(&h);
}

/* ---- ports -----------------------------------------------------------------
 */

#define ROOT_PORT pcv_test_at(0, 0, 2, 0)
#define UPSTREAM pcv_test_at(0, 1, 0, 0)
#define DOWN(n) pcv_test_at(0, 2, (uint8_t)(n), 0)
#define LEAF(n) pcv_test_at(0, (uint8_t)(3u + (n)), 0, 0)
#define PF LEAF(1)
#define VF(n) pcv_test_at(0, 4, 0, (uint8_t)(4u + (n)))

struct acs {
    uint16_t cap, control; /* cap NO_ACS: it has none */
};

static void add_port(struct hosted *h, uint8_t type, pcv_sbdf at, uint8_t first,
                     uint8_t last, struct acs acs)
{
    struct pcv_test_function f;

    pcv_test_port(&f, type, pcv_sbdf_bus(at), first, last);
    if (acs.cap != NO_ACS) {
        joined_acs(&f, acs.cap, acs.control);
    }
    pcv_test_add(h->model, &f, at);
}

/* What hardware has of it from now on: the library switched on what it could.
 */
static void set_acs(struct hosted *h, pcv_sbdf at, struct acs acs)
{
    if (acs.cap != NO_ACS) {
        pcv_model_poke(h->model, at, PCV_EXT_CAP_START + PCV_ACS_CTRL, 2,
                       acs.control);
    }
}

/*
 *   00:02.0 root port
 *     01:00.0 upstream port
 *       02:00.0 downstream port
 *         03:00.0 endpoint
 *       02:01.0 downstream port
 *         04:00.0 PF, 04:00.4 and 04:00.5 its VFs
 */
static void switch_start(struct hosted *h, struct acs root, struct acs down_0,
                         struct acs down_1)
{
    const struct acs none = {NO_ACS, 0};
    struct pcv_test_function f;

    hosted_build(h);
    add_port(h, PCV_PCIE_TYPE_ROOT_PORT, ROOT_PORT, 1, 4, root);
    add_port(h, PCV_PCIE_TYPE_UPSTREAM, UPSTREAM, 2, 4, none);
    add_port(h, PCV_PCIE_TYPE_DOWNSTREAM, DOWN(0), 3, 3, down_0);
    add_port(h, PCV_PCIE_TYPE_DOWNSTREAM, DOWN(1), 4, 4, down_1);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_add(h->model, &f, LEAF(0));
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 4, 2, 4, 1);
    pcv_test_add(h->model, &f, PF);
    pcv_test_vf(&f, PF);
    pcv_test_add(h->model, &f, VF(0));
    pcv_test_add(h->model, &f, VF(1));
    hosted_start(h);
    assert_int_equal(hosted_scan(h), 8);
    set_acs(h, ROOT_PORT, root);
    set_acs(h, DOWN(0), down_0);
    set_acs(h, DOWN(1), down_1);
}

static const struct acs on = {ACS_ALL, ACS_ALL};

/* TOPO-6 */
static void ports_that_redirect_leave_each_device_to_itself(void **state)
{
    struct hosted h;

    (void)state;
    switch_start(&h, on, on, on);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(group_size(h.host, DOWN(i)), 1);
        assert_int_equal(group_size(h.host, LEAF(i)), 1);
        assert_int_equal(group_size(h.host, VF(i)), 1);
    }
    assert_int_equal(group_size(h.host, ROOT_PORT), 1);
    assert_int_equal(group_size(h.host, UPSTREAM), 1);
    assert_partition(h.host);
    hosted_end(&h);
}

/* TOPO-6 */
static void every_bit_of_acs_that_a_port_needs_counts(void **state)
{
    static const struct {
        struct acs acs;
        bool root, down; /* whether such a port isolates */
    } rows[] = {
        {{ACS_ALL, ACS_ALL}, true, true},
        {{NO_ACS, 0}, false, false},
        {{ACS_ALL, 0}, false, false}, /* there, but off */
        {{ACS_ALL, ACS_ALL & ~PCV_ACS_SOURCE}, false, false},
        {{ACS_ALL, ACS_ALL & ~PCV_ACS_REDIRECT}, false, false},
        {{ACS_ALL, ACS_ALL & ~PCV_ACS_COMPLETION}, false, false},
        {{ACS_ALL, ACS_ALL & ~PCV_ACS_UPSTREAM}, false, false},
        /* A root port has what it can send on to another for. */
        {{PCV_ACS_SOURCE, PCV_ACS_SOURCE}, true, false},
        {{PCV_ACS_SOURCE | PCV_ACS_REDIRECT, PCV_ACS_SOURCE}, false, false},
        {{0, 0}, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hosted h;

        switch_start(&h, rows[i].acs, on, on);
        assert_int_equal(group_size(h.host, LEAF(0)), rows[i].root ? 1 : 8);
        assert_partition(h.host);
        hosted_end(&h);
        switch_start(&h, on, rows[i].acs, on);
        assert_int_equal(group_size(h.host, LEAF(0)), rows[i].down ? 1 : 7);
        assert_int_equal(group_size(h.host, LEAF(1)), rows[i].down ? 1 : 7);
        assert_partition(h.host);
        hosted_end(&h);
    }
}

/* What one port of a switch sends down the others reach. TOPO-6 */
static void one_port_without_acs_joins_all_of_its_switch(void **state)
{
    const struct acs none = {NO_ACS, 0};
    struct hosted h;

    (void)state;
    switch_start(&h, on, none, on);
    assert_true(in_group(h.host, LEAF(1), LEAF(0)));
    assert_true(in_group(h.host, VF(0), LEAF(0)));
    assert_true(in_group(h.host, LEAF(0), UPSTREAM));
    assert_false(in_group(h.host, LEAF(0), ROOT_PORT));
    hosted_end(&h);
}

/* TOPO-6 */
static void a_root_port_without_acs_joins_what_is_behind_it(void **state)
{
    const struct acs none = {NO_ACS, 0};
    struct hosted h;

    (void)state;
    switch_start(&h, none, on, on);
    assert_int_equal(group_size(h.host, ROOT_PORT), 8);
    assert_true(in_group(h.host, VF(1), ROOT_PORT));
    assert_true(in_group(h.host, VF(1), VF(0)));
    hosted_end(&h);
}

/* TOPO-6 */
static void a_vf_is_apart_from_its_pf_and_its_siblings(void **state)
{
    struct pcv_test_function f;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    add_port(&h, PCV_PCIE_TYPE_ROOT_PORT, ROOT_PORT, 1, 1, on);
    for (uint8_t fn = 0; fn < 2; fn++) {
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
        if (fn == 0) {
            (void)pcv_test_sriov(&f, 4, 2, 4, 1);
        }
        pcv_test_add(h.model, &f, pcv_test_at(0, 1, 0, fn));
    }
    pcv_test_vf(&f, pcv_test_at(0, 1, 0, 0));
    pcv_test_add(h.model, &f, pcv_test_at(0, 1, 0, 4));
    pcv_test_add(h.model, &f, pcv_test_at(0, 1, 0, 5));
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 5);
    assert_int_equal(group_size(h.host, pcv_test_at(0, 1, 0, 4)), 1);
    assert_int_equal(group_size(h.host, pcv_test_at(0, 1, 0, 5)), 1);
    /* Physical functions are as others are. */
    assert_int_equal(group_size(h.host, pcv_test_at(0, 1, 0, 0)), 2);
    assert_true(
        in_group(h.host, pcv_test_at(0, 1, 0, 0), pcv_test_at(0, 1, 0, 1)));
    assert_partition(h.host);
    /* A quirk says otherwise. */
    assert_int_equal(pcv_device_add_requester(h.host, pcv_test_at(0, 1, 0, 4),
                                              pcv_test_at(0, 1, 0, 5)),
                     0);
    assert_int_equal(group_size(h.host, pcv_test_at(0, 1, 0, 4)), 2);
    assert_partition(h.host);
    hosted_end(&h);
}

/* Root ports that are functions of one device. TOPO-6 */
static void what_is_behind_ports_of_one_device_goes_with_them(void **state)
{
    static const struct acs second[] = {{ACS_ALL, ACS_ALL}, {NO_ACS, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(second); i++) {
        struct pcv_test_function f;
        struct hosted h;

        hosted_build(&h);
        add_port(&h, PCV_PCIE_TYPE_ROOT_PORT, pcv_test_at(0, 0, 2, 0), 1, 1,
                 on);
        add_port(&h, PCV_PCIE_TYPE_ROOT_PORT, pcv_test_at(0, 0, 2, 1), 2, 2,
                 second[i]);
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
        pcv_test_add(h.model, &f, pcv_test_at(0, 1, 0, 0));
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
        pcv_test_add(h.model, &f, pcv_test_at(0, 2, 0, 0));
        hosted_start(&h);
        assert_int_equal(pcv_device_add(h.host, pcv_test_at(0, 0, 2, 0), NULL),
                         0);
        assert_int_equal(pcv_device_add(h.host, pcv_test_at(0, 0, 2, 1), NULL),
                         0);
        (void)hosted_scan(&h);
        assert_int_equal(group_size(h.host, pcv_test_at(0, 1, 0, 0)),
                         i == 0 ? 1 : 4);
        assert_partition(h.host);
        hosted_end(&h);
    }
}

/* What stands in hardware now counts, and not what the hardware domain writes,
 * whose switches are virtual. TOPO-6 */
static void a_group_is_what_acs_says_now(void **state)
{
    struct pcv_access off =
        PCV_WRITE(ROOT_PORT, PCV_EXT_CAP_START + PCV_ACS_CTRL, 2, 0);
    static const struct {
        uint16_t value;
        uint32_t size;
    } rows[] = {{ACS_ALL, 1}, {0, 8}, {ACS_ALL, 1}};
    struct hosted h;

    (void)state;
    switch_start(&h, on, on, on);
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_acs(&h, ROOT_PORT, (struct acs){ACS_ALL, rows[i].value});
        assert_int_equal(group_size(h.host, LEAF(0)), rows[i].size);
    }
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &off),
                     PCV_DONE);
    assert_int_equal(group_size(h.host, LEAF(0)), 1);
    hosted_end(&h);
}

/* ---- conventional buses ----------------------------------------------------
 */

/* TOPO-6 TOPO-5 */
static void all_behind_a_conventional_bus_is_one_with_its_bridge(void **state)
{
    static const struct {
        uint32_t at, size;
    } rows[] = {
        {0x100, 5}, {0x200, 5}, {0x208, 5}, {0x210, 5}, {0x320, 5},
        {0x010, 2}, {0x708, 2}, {0x008, 1}, {0x018, 1}, {0x000, 1},
    };
    struct joined j;

    (void)state;
    joined_start(&j);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(group_size(j.h.host, (pcv_sbdf){rows[i].at}),
                         rows[i].size);
    }
    assert_partition(j.h.host);
    hosted_end(&j.h);
}

/* Whoever shares a requester ID of somebody is one with him. TOPO-5 TOPO-6 */
static void sharing_a_requester_id_joins_groups(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    assert_int_equal(
        pcv_device_add_requester(j.h.host, JOINED_ALONE, JOINED_AT_ALIAS), 0);
    assert_int_equal(group_size(j.h.host, JOINED_ALONE), 6);
    assert_int_equal(group_size(j.h.host, JOINED_DEEP), 6);
    assert_partition(j.h.host);
    /* And by a third, which two have and nobody is. */
    assert_int_equal(pcv_device_add_requester(j.h.host, JOINED_ALONE,
                                              pcv_test_at(0, 6, 0, 0)),
                     0);
    assert_int_equal(
        pcv_device_add_requester(j.h.host, JOINED_OLD, pcv_test_at(0, 6, 0, 0)),
        0);
    assert_int_equal(group_size(j.h.host, JOINED_OLD), 8);
    assert_partition(j.h.host);
    /* A declaration does not make the IOMMU tell them apart. */
    assert_int_equal(pcv_device_declare_isolated(j.h.host, JOINED_ALONE, true),
                     0);
    assert_int_equal(group_size(j.h.host, JOINED_ALONE), 8);
    assert_partition(j.h.host);
    joined_remove(&j, JOINED_ALONE);
    assert_int_equal(group_size(j.h.host, JOINED_OLD), 2);
    hosted_end(&j.h);
}

/* More groups than a query keeps apart, also of functions that are declared
 * isolated. */
static void too_many_parts(bool declared)
{
    struct hosted h;

    hosted_build(&h);
    for (uint8_t i = 0; i < PCV_GROUP_PARTS + 1u; i++) {
        struct pcv_test_function f;

        pcv_test_endpoint(&f, 0x8086, 0x100e);
        pcv_test_add(h.model, &f, pcv_test_at(0, 0, i, 0));
    }
    hosted_start(&h);
    (void)hosted_scan(&h);
    for (uint8_t i = 0; declared && i < PCV_GROUP_PARTS + 1u; i++) {
        assert_int_equal(
            pcv_device_declare_isolated(h.host, pcv_test_at(0, 0, i, 0), true),
            0);
    }
    for (uint8_t i = 1; i < PCV_GROUP_PARTS + 1u; i++) {
        assert_int_equal(pcv_device_add_requester(h.host,
                                                  pcv_test_at(0, 0, i, 0),
                                                  pcv_test_at(0, 0, 0, 0)),
                         0);
        assert_int_equal(group_size(h.host, pcv_test_at(0, 0, 0, 0)), i + 1u);
    }
    assert_partition(h.host);
    hosted_end(&h);
}

/* TOPO-6 */
static void a_group_of_too_many_parts_is_the_whole_segment(void **state)
{
    (void)state;
    too_many_parts(false);
    too_many_parts(true);
}

/* ---- what the host declares ------------------------------------------------
 */

/* TOPO-6 */
static void what_the_host_declares_isolated_is_so_and_shows_it(void **state)
{
    const struct acs none = {NO_ACS, 0};
    struct pcv_group_member member;
    struct pcv_group group;
    struct hosted h;

    (void)state;
    switch_start(&h, none, on, on);
    assert_int_equal(pcv_device_declare_isolated(h.host, LEAF(0), true), 0);
    assert_int_equal(group_size(h.host, LEAF(0)), 1);
    assert_int_equal(group_size(h.host, PF), 7);
    assert_false(in_group(h.host, PF, LEAF(0)));
    assert_partition(h.host);
    assert_int_equal(pcv_group_find(h.host, LEAF(0), &group), 0);
    assert_true(pcv_group_next(&group, LEAF(0), &member));
    assert_true(member.declared);
    assert_false(member.is_bridge);
    /* A port counts as one whose ACS is on. */
    assert_int_equal(pcv_device_declare_isolated(h.host, ROOT_PORT, true), 0);
    assert_int_equal(group_size(h.host, PF), 1);
    assert_int_equal(pcv_group_find(h.host, ROOT_PORT, &group), 0);
    assert_true(pcv_group_next(&group, (pcv_sbdf){0}, &member));
    assert_true(member.declared);
    assert_true(member.is_bridge);
    assert_partition(h.host);
    assert_int_equal(pcv_device_declare_isolated(h.host, ROOT_PORT, false), 0);
    assert_int_equal(pcv_device_declare_isolated(h.host, LEAF(0), false), 0);
    assert_int_equal(group_size(h.host, LEAF(0)), 8);
    hosted_end(&h);
}

/* TOPO-6 */
static void what_the_iommu_cannot_tell_apart_cannot_be_declared(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    assert_int_equal(pcv_device_declare_isolated(NULL, JOINED_DEEP, true),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_declare_isolated(j.h.host, TREE_NOTHING, true),
                     -PCV_ENODEV);
    assert_int_equal(pcv_device_declare_isolated(j.h.host, JOINED_DEEP, true),
                     -PCV_EPERM);
    assert_int_equal(pcv_device_declare_isolated(j.h.host, JOINED_TO_PCI, true),
                     -PCV_EPERM);
    assert_int_equal(group_size(j.h.host, JOINED_DEEP), 5);
    hosted_end(&j.h);
}

/* ---- queries ---------------------------------------------------------------
 */

/* TOPO-6 */
static void who_is_not_there_has_no_group(void **state)
{
    struct pcv_group group;
    struct joined j;

    (void)state;
    joined_start(&j);
    assert_int_equal(pcv_group_find(NULL, JOINED_OLD, &group), -PCV_EINVAL);
    assert_int_equal(pcv_group_find(j.h.host, JOINED_OLD, NULL), -PCV_EINVAL);
    assert_int_equal(pcv_group_find(j.h.host, TREE_NOTHING, &group),
                     -PCV_ENODEV);
    pcv_model_poke(j.h.model, JOINED_OLD_BRIDGE, PCV_REG_PRIMARY, 4, 0);
    assert_int_equal(
        pcv_bridge_report_buses(j.h.host, JOINED_OLD_BRIDGE, 0, 0, 0), 0);
    assert_int_equal(pcv_group_find(j.h.host, JOINED_OLD, &group), -PCV_ENODEV);
    assert_int_equal(group_size(j.h.host, JOINED_OLD_BRIDGE), 1);
    hosted_end(&j.h);
}

/* TOPO-6 OWN-4 */
static void a_group_is_split_only_by_another_user(void **state)
{
    struct pcv_device *device;
    pcv_sbdf others[2] = {{0}, {0}};
    uint32_t count = 77;
    struct joined j;

    (void)state;
    joined_start(&j);
    device = pcv_device_find(j.h.host, JOINED_SECOND);
    assert_int_equal(pcv__group_split(device, j.guest[0], others, 2, &count),
                     -PCV_EXDEV);
    assert_int_equal(count, 2); /* bridges are in nobody's way */
    assert_int_equal(others[0].v, JOINED_AT_ALIAS.v);
    assert_int_equal(others[1].v, JOINED_DEEP.v);
    others[1].v = 0;
    assert_int_equal(pcv__group_split(device, j.guest[0], others, 1, &count),
                     -PCV_EXDEV);
    assert_int_equal(count, 2);
    assert_int_equal(others[1].v, 0);
    /* Home it may always go, among those that are there. */
    assert_int_equal(pcv__group_split(device,
                                      pcv_host_hardware_domain(j.h.host),
                                      others, 2, &count),
                     0);
    assert_int_equal(count, 0);
    assert_int_equal(joined_take(&j, JOINED_AT_ALIAS), 0);
    assert_int_equal(pcv__group_split(device, j.guest[0], others, 2, &count),
                     -PCV_EXDEV);
    assert_int_equal(count, 1);
    assert_int_equal(pcv_device_vanished(j.h.host, JOINED_DEEP), 0);
    assert_int_equal(pcv__group_split(device, j.guest[0], others, 2, &count),
                     0);
    assert_int_equal(joined_take(&j, JOINED_SECOND), 0);
    assert_int_equal(joined_give(&j, JOINED_AT_ALIAS, 0), 0);
    assert_int_equal(pcv__group_split(device, j.guest[0], others, 2, &count),
                     0);
    assert_int_equal(pcv__group_split(device, j.guest[1], others, 2, &count),
                     -PCV_EXDEV);
    pcv_device_put(device);
    hosted_end(&j.h);
}

/* ---- whole machines --------------------------------------------------------
 */

static void machine_start(struct hosted *h, const char *file, const char *spec)
{
    struct pcv_model_error error;
    struct pcv_scan scan;
    uint32_t reported;

    memset(h, 0, sizeof(*h));
    h->model = pcv_model_create(1);
    assert_non_null(h->model);
    assert_int_equal(file ? pcv_model_load_file(h->model, file, &error)
                          : pcv_model_generate(h->model, spec, &error),
                     0);
    pcv_test_ready(h->model);
    assert_int_equal(pcv_model_boot(h->model, &h->host, &scan, &reported), 0);
}

/* TOPO-6 */
static void groups_divide_every_machine(void **state)
{
    static const char *const files[] = {"q35.txt", "virt.txt"};
    static const char *const specs[] = {
        "functions=200,bridges=30,vfs=4,pci=4,seed=3",
        "functions=120,switches=4,pci=6,multi=4,seed=9",
    };
    struct hosted h;

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/examples/hosts/%s",
                       PCV_SOURCE_ROOT, files[i]);
        machine_start(&h, path, NULL);
        assert_partition(h.host);
        hosted_end(&h);
    }
    for (size_t i = 0; i < COUNT(specs); i++) {
        machine_start(&h, NULL, specs[i]);
        assert_partition(h.host);
        hosted_end(&h);
    }
}

/* One query reads the ports on its way and those beside them, however many
 * functions there are. TOPO-6 */
static void the_cost_of_a_query_does_not_grow_with_the_machine(void **state)
{
    struct pcv_device *device;
    pcv_sbdf from = {0};
    struct hosted h;
    uint32_t asked = 0;

    (void)state;
    machine_start(&h, NULL, "functions=20000,vfs=100,seed=2");
    while (asked < 500 && (device = pcv_device_next(h.host, from)) != NULL) {
        pcv_sbdf at = pcv_device_sbdf(device);
        uint64_t before = pcv_model_calls(h.model, PCV_MODEL_OP_cfg_read);

        pcv_device_put(device);
        (void)group_size(h.host, at);
        assert_true(pcv_model_calls(h.model, PCV_MODEL_OP_cfg_read) - before <=
                    64);
        asked++;
        from.v = at.v + 37u;
    }
    assert_int_equal(asked, 500);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_integrated_endpoint_alone_is_a_group_of_its_own),
        cmocka_unit_test(
            functions_of_one_device_are_one_unless_acs_of_each_redirects),
        cmocka_unit_test(a_host_bridge_beside_others_joins_nobody),
        cmocka_unit_test(acs_that_cannot_be_read_isolates_nothing),
        cmocka_unit_test(ports_that_redirect_leave_each_device_to_itself),
        cmocka_unit_test(every_bit_of_acs_that_a_port_needs_counts),
        cmocka_unit_test(one_port_without_acs_joins_all_of_its_switch),
        cmocka_unit_test(a_root_port_without_acs_joins_what_is_behind_it),
        cmocka_unit_test(a_vf_is_apart_from_its_pf_and_its_siblings),
        cmocka_unit_test(what_is_behind_ports_of_one_device_goes_with_them),
        cmocka_unit_test(a_group_is_what_acs_says_now),
        cmocka_unit_test(all_behind_a_conventional_bus_is_one_with_its_bridge),
        cmocka_unit_test(sharing_a_requester_id_joins_groups),
        cmocka_unit_test(a_group_of_too_many_parts_is_the_whole_segment),
        cmocka_unit_test(what_the_host_declares_isolated_is_so_and_shows_it),
        cmocka_unit_test(what_the_iommu_cannot_tell_apart_cannot_be_declared),
        cmocka_unit_test(who_is_not_there_has_no_group),
        cmocka_unit_test(a_group_is_split_only_by_another_user),
        cmocka_unit_test(groups_divide_every_machine),
        cmocka_unit_test(the_cost_of_a_query_does_not_grow_with_the_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

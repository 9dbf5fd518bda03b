/* SPDX-License-Identifier: MIT */
/* Isolation groups: who reaches whom without the IOMMU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grouped.h"
#include "pcivisor/requester.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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

/* TOPO-6 */
static void ports_that_redirect_leave_each_device_to_itself(void **state)
{
    struct hosted h;

    (void)state;
    switch_start(&h, acs_on, acs_on, acs_on);
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

        switch_start(&h, rows[i].acs, acs_on, acs_on);
        assert_int_equal(group_size(h.host, LEAF(0)), rows[i].root ? 1 : 8);
        assert_partition(h.host);
        hosted_end(&h);
        switch_start(&h, acs_on, rows[i].acs, acs_on);
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
    switch_start(&h, acs_on, none, acs_on);
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
    switch_start(&h, none, acs_on, acs_on);
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
    add_port(&h, PCV_PCIE_TYPE_ROOT_PORT, ROOT_PORT, 1, 1, acs_on);
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
                 acs_on);
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
    switch_start(&h, acs_on, acs_on, acs_on);
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_acs(&h, ROOT_PORT, (struct acs){ACS_ALL, rows[i].value});
        assert_int_equal(group_size(h.host, LEAF(0)), rows[i].size);
    }
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &off),
                     PCV_DONE);
    assert_int_equal(group_size(h.host, LEAF(0)), 1);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Isolation groups that conventional buses, shared requester IDs and the host's
 * word make; who splits one; whole machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "grouped.h"
#include "pcivisor/requester.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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
    switch_start(&h, none, acs_on, acs_on);
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

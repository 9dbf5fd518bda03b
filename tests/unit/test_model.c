/* SPDX-License-Identifier: MIT */
/*
 * The modelled host: which access reaches which function (host/model/wire.c,
 * route.c), and functions that come and go (reset.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"

#define VENDOR(model, at) pcv_test_read(model, at, PCV_REG_VENDOR, 2)

/* Where everything stands in the machine of most tests:
 *   00:01.0 root port, buses 1 to 4      00:02.0 endpoint
 *     01:00.0 switch, upstream port
 *       02:00.0 downstream port, bus 3   02:01.0 downstream port, bus 4
 *         03:00.0 endpoint                 04:00.0 endpoint */
#define PORT pcv_test_at(0, 0, 1, 0)
#define UPSTREAM pcv_test_at(0, 1, 0, 0)
#define DOWN_A pcv_test_at(0, 2, 0, 0)
#define DOWN_B pcv_test_at(0, 2, 1, 0)
#define LEAF_A pcv_test_at(0, 3, 0, 0)
#define LEAF_B pcv_test_at(0, 4, 0, 0)
#define ROOT_EP pcv_test_at(0, 0, 2, 0)

static void add_port(struct pcv_model *model, pcv_sbdf at, uint8_t type,
                     uint8_t secondary, uint8_t subordinate)
{
    struct pcv_test_function f;

    pcv_test_port(&f, type, pcv_sbdf_bus(at), secondary, subordinate);
    pcv_test_add(model, &f, at);
}

static void add_bridge(struct pcv_model *model, pcv_sbdf at, uint8_t secondary,
                       uint8_t subordinate)
{
    struct pcv_test_function f;

    pcv_test_bridge(&f, pcv_sbdf_bus(at), secondary, subordinate);
    pcv_test_add(model, &f, at);
}

static void add_endpoint(struct pcv_model *model, pcv_sbdf at, uint16_t vendor)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, vendor, 1);
    pcv_test_add(model, &f, at);
}

static struct pcv_model *switch_machine(void)
{
    struct pcv_model *model = pcv_test_model();

    add_port(model, PORT, PCV_PCIE_TYPE_ROOT_PORT, 1, 4);
    add_port(model, UPSTREAM, PCV_PCIE_TYPE_UPSTREAM, 2, 4);
    add_port(model, DOWN_A, PCV_PCIE_TYPE_DOWNSTREAM, 3, 3);
    add_port(model, DOWN_B, PCV_PCIE_TYPE_DOWNSTREAM, 4, 4);
    add_endpoint(model, LEAF_A, 0xaaaa);
    add_endpoint(model, LEAF_B, 0xbbbb);
    add_endpoint(model, ROOT_EP, 0xcccc);
    pcv_test_ready(model);
    return model;
}

/* ---- routing --------------------------------------------------------------
 */

/* SIM-2 */
static void an_access_goes_through_the_bridges_that_cover_its_bus(void **state)
{
    struct pcv_model *model = switch_machine();

    (void)state;
    assert_int_equal(VENDOR(model, ROOT_EP), 0xcccc);
    assert_int_equal(VENDOR(model, LEAF_A), 0xaaaa);
    assert_int_equal(VENDOR(model, LEAF_B), 0xbbbb);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void where_nothing_is_all_ones_are_read_and_writes_are_lost(void **state)
{
    struct pcv_model *model = switch_machine();
    pcv_sbdf ghost = pcv_test_at(0, 3, 1, 0);

    (void)state;
    pcv_test_write(model, ghost, PCV_REG_COMMAND, 2, 6);
    assert_int_equal(pcv_test_read(model, ghost, 0, 4), 0xffffffff);
    assert_int_equal(pcv_test_read(model, ghost, 6, 2), 0xffff);
    assert_int_equal(pcv_test_read(model, ghost, 9, 1), 0xff);
    assert_int_equal(VENDOR(model, pcv_test_at(0, 77, 0, 0)), 0xffff);
    assert_int_equal(VENDOR(model, pcv_test_at(9, 0, 0, 0)), 0xffff);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_device_moves_to_the_bus_number_that_software_writes(void **state)
{
    struct pcv_model *model = switch_machine();

    (void)state;
    pcv_test_write(model, DOWN_A, PCV_REG_PRIMARY, 4, 0x00040402);
    pcv_test_write(model, DOWN_B, PCV_REG_PRIMARY, 4, 0x00030302);
    assert_int_equal(VENDOR(model, LEAF_A), 0xbbbb);
    assert_int_equal(VENDOR(model, LEAF_B), 0xaaaa);
    /* Its name for the tester stays. */
    assert_int_equal(pcv_model_peek(model, LEAF_A, 0, 2), 0xaaaa);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void zeroed_bus_numbers_hide_what_is_behind_until_renumbered(
    void **state)
{
    struct pcv_model *model = switch_machine();

    (void)state;
    assert_int_equal(VENDOR(model, LEAF_A), 0xaaaa);
    pcv_test_write(model, UPSTREAM, PCV_REG_PRIMARY, 4, 0);
    assert_int_equal(VENDOR(model, UPSTREAM), 0x1b36);
    assert_int_equal(VENDOR(model, DOWN_A), 0xffff);
    assert_int_equal(VENDOR(model, LEAF_A), 0xffff);
    pcv_test_write(model, UPSTREAM, PCV_REG_PRIMARY, 4, 0x00040201);
    assert_int_equal(VENDOR(model, LEAF_A), 0xaaaa);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void numbers_that_cover_the_bridge_itself_hide_what_is_behind(
    void **state)
{
    struct pcv_model *model = switch_machine();

    (void)state;
    pcv_test_write(model, PORT, PCV_REG_PRIMARY, 4, 0x00ff0000);
    assert_int_equal(VENDOR(model, UPSTREAM), 0xffff);
    assert_int_equal(VENDOR(model, LEAF_A), 0xffff);
    assert_int_equal(VENDOR(model, ROOT_EP), 0xcccc);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void the_whole_tree_can_be_moved_up_by_renumbering(void **state)
{
    struct pcv_model *model = switch_machine();

    (void)state;
    pcv_test_write(model, PORT, PCV_REG_PRIMARY, 4, 0x00232000);
    assert_int_equal(VENDOR(model, UPSTREAM), 0xffff);
    pcv_test_write(model, pcv_test_at(0, 0x20, 0, 0), PCV_REG_PRIMARY, 4,
                   0x00232120);
    pcv_test_write(model, pcv_test_at(0, 0x21, 1, 0), PCV_REG_PRIMARY, 4,
                   0x00232321);
    assert_int_equal(VENDOR(model, pcv_test_at(0, 0x23, 0, 0)), 0xbbbb);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_bridge_with_its_bus_in_reset_forwards_nothing(void **state)
{
    struct pcv_model *model = switch_machine();

    (void)state;
    pcv_test_write(model, DOWN_A, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    assert_int_equal(VENDOR(model, LEAF_A), 0xffff);
    assert_int_equal(VENDOR(model, LEAF_B), 0xbbbb);
    pcv_test_write(model, DOWN_A, PCV_REG_BRIDGE_CONTROL, 2, 0);
    assert_int_equal(VENDOR(model, LEAF_A), 0xaaaa);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void segments_and_root_buses_are_apart(void **state)
{
    struct pcv_model *model = pcv_test_model();

    (void)state;
    add_endpoint(model, pcv_test_at(0, 0, 0, 0), 0x1000);
    add_bridge(model, pcv_test_at(0, 0x40, 0, 0), 0x41, 0x42);
    add_endpoint(model, pcv_test_at(0, 0x42, 5, 0), 0x1001);
    add_endpoint(model, pcv_test_at(7, 0, 0, 0), 0x1002);
    pcv_test_ready(model);
    assert_int_equal(VENDOR(model, pcv_test_at(0, 0, 0, 0)), 0x1000);
    assert_int_equal(VENDOR(model, pcv_test_at(7, 0, 0, 0)), 0x1002);
    /* No bridge has bus 42 of its own, yet the source saw something answer. */
    assert_int_equal(VENDOR(model, pcv_test_at(0, 0x42, 5, 0)), 0x1001);
    pcv_model_destroy(model);
}

/* ---- hostile wiring -------------------------------------------------------
 */

struct hostile {
    uint8_t bus, secondary, subordinate;
};

/* SIM-2 */
static void bridges_that_loop_or_overlap_neither_hang_nor_crash(void **state)
{
    static const struct hostile machines[][3] = {
        {{0, 0, 255}, {1, 1, 1}, {2, 0, 2}},     /* each covers its own bus */
        {{1, 2, 2}, {2, 1, 1}, {3, 3, 3}},       /* two in a ring */
        {{1, 2, 3}, {2, 3, 3}, {3, 1, 1}},       /* three in a ring */
        {{0, 1, 9}, {0, 1, 9}, {0, 2, 4}},       /* twice the same numbers */
        {{0, 5, 2}, {5, 6, 255}, {6, 255, 255}}, /* upside down */
        {{0, 1, 3}, {0, 3, 5}, {3, 4, 4}},       /* half over each other */
        {{255, 0, 255}, {255, 255, 255}, {0, 255, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
        struct pcv_model *model = pcv_test_model();

        for (uint8_t j = 0; j < 3; j++) {
            const struct hostile *h = &machines[i][j];

            add_bridge(model, pcv_test_at(0, h->bus, j, 0), h->secondary,
                       h->subordinate);
        }
        add_endpoint(model, pcv_test_at(0, 4, 9, 0), 0x4444);
        pcv_test_ready(model);
        for (unsigned bus = 0; bus < PCV_BUSES; bus++) {
            (void)VENDOR(model, pcv_test_at(0, (uint8_t)bus, 9, 0));
        }
        for (uint8_t j = 0; j < 3; j++) {
            pcv_sbdf at = pcv_test_at(0, machines[i][j].bus, j, 0);

            assert_int_equal(pcv_model_pull(model, at), 0);
            assert_int_equal(pcv_model_plug(model, at), 0);
        }
        pcv_model_destroy(model);
    }
}

/* SIM-2 */
static void a_bridge_that_covers_its_own_bus_forwards_nothing(void **state)
{
    struct pcv_model *model = pcv_test_model();

    (void)state;
    add_bridge(model, pcv_test_at(0, 1, 0, 0), 1, 2);
    add_endpoint(model, pcv_test_at(0, 2, 0, 0), 0x2222);
    pcv_test_ready(model);
    /* So bus 2 is a root bus, which needs no bridge. */
    assert_int_equal(pcv_model_pull(model, pcv_test_at(0, 1, 0, 0)), 0);
    assert_int_equal(VENDOR(model, pcv_test_at(0, 2, 0, 0)), 0x2222);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void of_two_bridges_with_the_same_numbers_the_first_forwards(
    void **state)
{
    struct pcv_model *model = pcv_test_model();

    (void)state;
    add_bridge(model, pcv_test_at(0, 0, 1, 0), 1, 3);
    add_bridge(model, pcv_test_at(0, 0, 2, 0), 1, 3);
    add_bridge(model, pcv_test_at(0, 0, 3, 0), 2, 2);
    add_endpoint(model, pcv_test_at(0, 1, 0, 0), 0x1111);
    add_endpoint(model, pcv_test_at(0, 2, 0, 0), 0x2222);
    pcv_test_ready(model);
    assert_int_equal(VENDOR(model, pcv_test_at(0, 1, 0, 0)), 0x1111);
    assert_int_equal(VENDOR(model, pcv_test_at(0, 2, 0, 0)), 0x2222);
    assert_int_equal(pcv_model_pull(model, pcv_test_at(0, 0, 2, 0)), 0);
    assert_int_equal(VENDOR(model, pcv_test_at(0, 1, 0, 0)), 0x1111);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_bus_whose_bridge_the_source_lacks_hides_no_other(void **state)
{
    struct pcv_model *model = pcv_test_model();

    (void)state;
    add_bridge(model, pcv_test_at(0, 0, 1, 0), 6, 8);
    add_endpoint(model, pcv_test_at(0, 5, 0, 0), 0x5555);
    add_endpoint(model, pcv_test_at(0, 6, 0, 0), 0x6666);
    pcv_test_ready(model);
    assert_int_equal(VENDOR(model, pcv_test_at(0, 5, 0, 0)), 0x5555);
    assert_int_equal(VENDOR(model, pcv_test_at(0, 6, 0, 0)), 0x6666);
    pcv_model_destroy(model);
}

/* Any number, from the one before. */
static uint32_t any(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* SIM-2 */
static void functions_full_of_garbage_neither_hang_nor_crash(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        struct pcv_model *model = pcv_test_model();
        struct pcv_test_function f;
        pcv_sbdf at[24];

        for (unsigned i = 0; i < 24; i++) {
            at[i] = pcv_sbdf_make(0, any(&seed) & 15u, (uint8_t)(i * 8));
            pcv_test_pcie_endpoint(&f, 0x8086, 1);
            for (uint32_t reg = 4; reg < PCV_CFG_EXT_SIZE; reg++) {
                f.config[reg] = (uint8_t)any(&seed);
            }
            pcv_test_set(&f, PCV_REG_STATUS, 2, PCV_STATUS_CAPS);
            pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, any(&seed) % 4u);
            pcv_test_set(&f, PCV_REG_PRIMARY, 4, any(&seed) & 0x0f0f0fu);
            for (uint32_t reg = 0x100; reg < PCV_CFG_EXT_SIZE; reg += 0x40) {
                pcv_test_set(&f, reg, 2, any(&seed) % 0x28u);
            }
            f.fn.vf = i % 5 == 4;
            f.fn.physfn = at[i / 2];
            f.fn.bar_size[i % 7] = any(&seed);
            pcv_test_add(model, &f, at[i]);
        }
        pcv_test_ready(model);
        for (unsigned i = 0; i < 20000; i++) {
            pcv_test_write(model, at[any(&seed) % 24u],
                           (uint16_t)(any(&seed) & 0xffcu), 4, any(&seed));
            if (i % 100 == 0) {
                (void)pcv_model_pull(model, at[any(&seed) % 24u]);
                (void)pcv_model_plug(model, at[any(&seed) % 24u]);
            }
        }
        pcv_model_destroy(model);
    }
}

/* ---- pulled, plugged, dead ------------------------------------------------
 */

static bool is_present(const struct pcv_model *model, pcv_sbdf at)
{
    struct pcv_model_facts facts;

    assert_true(pcv_model_facts_of(model, at, &facts));
    return facts.present;
}

/* SIM-2 */
static void a_pulled_bridge_takes_everything_behind_it_along(void **state)
{
    struct pcv_model *model = switch_machine();

    (void)state;
    assert_int_equal(VENDOR(model, LEAF_A), 0xaaaa);
    assert_int_equal(pcv_model_pull(model, UPSTREAM), 0);
    assert_int_equal(VENDOR(model, UPSTREAM), 0xffff);
    assert_int_equal(VENDOR(model, LEAF_A), 0xffff);
    assert_false(is_present(model, LEAF_A));
    pcv_test_write(model, LEAF_A, PCV_REG_COMMAND, 2, 6);
    assert_int_equal(pcv_model_peek(model, LEAF_A, PCV_REG_COMMAND, 2), 0);
    assert_int_equal(VENDOR(model, PORT), 0x1b36);
    assert_true(is_present(model, PORT));
    assert_int_equal(pcv_model_pull(model, pcv_test_at(0, 9, 9, 0)),
                     -PCV_ENODEV);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void what_is_plugged_in_again_has_lost_all_that_was_written(void **state)
{
    struct pcv_model *model = switch_machine();

    (void)state;
    pcv_test_write(model, LEAF_A, PCV_REG_COMMAND, 2, 6);
    assert_int_equal(pcv_model_pull(model, UPSTREAM), 0);
    assert_int_equal(pcv_model_plug(model, UPSTREAM), 0);
    assert_true(is_present(model, LEAF_A));
    assert_int_equal(VENDOR(model, UPSTREAM), 0x1b36);
    assert_int_equal(
        pcv_test_read(model, UPSTREAM, PCV_REG_PRIMARY, 4) & 0xffffff, 0);
    assert_int_equal(VENDOR(model, LEAF_A), 0xffff); /* not numbered yet */
    pcv_test_write(model, UPSTREAM, PCV_REG_PRIMARY, 4, 0x00040201);
    pcv_test_write(model, DOWN_A, PCV_REG_PRIMARY, 4, 0x00030302);
    assert_int_equal(VENDOR(model, LEAF_A), 0xaaaa);
    assert_int_equal(pcv_test_read(model, LEAF_A, PCV_REG_COMMAND, 2), 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_dead_function_answers_all_ones_and_forgets_nothing(void **state)
{
    struct pcv_model *model = switch_machine();

    (void)state;
    pcv_test_write(model, LEAF_B, PCV_REG_COMMAND, 2, 6);
    assert_int_equal(pcv_model_set_dead(model, LEAF_B, true), 0);
    assert_int_equal(VENDOR(model, LEAF_B), 0xffff);
    pcv_test_write(model, LEAF_B, PCV_REG_COMMAND, 2, 0);
    assert_true(is_present(model, LEAF_B));
    assert_int_equal(pcv_model_set_dead(model, LEAF_B, false), 0);
    assert_int_equal(pcv_test_read(model, LEAF_B, PCV_REG_COMMAND, 2), 6);
    assert_int_equal(pcv_model_set_dead(model, PORT, true), 0);
    assert_int_equal(VENDOR(model, LEAF_B), 0xffff);
    assert_int_equal(pcv_model_set_dead(model, PORT, false), 0);
    assert_int_equal(VENDOR(model, LEAF_B), 0xbbbb);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_slot_reports_that_its_card_went_and_came(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function port;
    uint8_t cap;
    uint32_t status;

    (void)state;
    pcv_test_port(&port, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    cap = (uint8_t)pcv_test_get(&port, PCV_REG_CAPS, 1);
    pcv_test_set(&port, cap + PCV_PCIE_FLAGS, 2, 0x0142);
    pcv_test_set(&port, cap + PCV_PCIE_SLTSTA, 2, 0x0040);
    pcv_test_add(model, &port, PORT);
    add_endpoint(model, UPSTREAM, 0x1111);
    pcv_test_ready(model);
    assert_int_equal(pcv_model_pull(model, UPSTREAM), 0);
    status = pcv_test_read(model, PORT, (uint16_t)(cap + PCV_PCIE_SLTSTA), 2);
    assert_int_equal(status & 0x48, 0x08); /* no card, and that is new */
    pcv_test_write(model, PORT, (uint16_t)(cap + PCV_PCIE_SLTSTA), 2, 0x08);
    assert_int_equal(pcv_model_plug(model, UPSTREAM), 0);
    status = pcv_test_read(model, PORT, (uint16_t)(cap + PCV_PCIE_SLTSTA), 2);
    assert_int_equal(status & 0x48, 0x48);
    pcv_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_access_goes_through_the_bridges_that_cover_its_bus),
        cmocka_unit_test(
            where_nothing_is_all_ones_are_read_and_writes_are_lost),
        cmocka_unit_test(a_device_moves_to_the_bus_number_that_software_writes),
        cmocka_unit_test(
            zeroed_bus_numbers_hide_what_is_behind_until_renumbered),
        cmocka_unit_test(
            numbers_that_cover_the_bridge_itself_hide_what_is_behind),
        cmocka_unit_test(the_whole_tree_can_be_moved_up_by_renumbering),
        cmocka_unit_test(a_bridge_with_its_bus_in_reset_forwards_nothing),
        cmocka_unit_test(segments_and_root_buses_are_apart),
        cmocka_unit_test(bridges_that_loop_or_overlap_neither_hang_nor_crash),
        cmocka_unit_test(a_bridge_that_covers_its_own_bus_forwards_nothing),
        cmocka_unit_test(
            of_two_bridges_with_the_same_numbers_the_first_forwards),
        cmocka_unit_test(a_bus_whose_bridge_the_source_lacks_hides_no_other),
        cmocka_unit_test(functions_full_of_garbage_neither_hang_nor_crash),
        cmocka_unit_test(a_pulled_bridge_takes_everything_behind_it_along),
        cmocka_unit_test(
            what_is_plugged_in_again_has_lost_all_that_was_written),
        cmocka_unit_test(a_dead_function_answers_all_ones_and_forgets_nothing),
        cmocka_unit_test(a_slot_reports_that_its_card_went_and_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Bridges whose buses change or make no sense, and what stands behind them: a
 * map of buses that is damaged, numbers that are written while others depend on
 * them, guests' devices behind a bridge that is to go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/internal.h"
#include "removals.h"

#define GUEST 7u
#define OUTER pcv_test_at(0, 0, 1, 0)
#define INNER pcv_test_at(0, 1, 0, 0)
#define BESIDE pcv_test_at(0, 0, 2, 0)
#define BESIDE_IN pcv_test_at(0, 3, 0, 0)

static void add_port(struct hosted *h, pcv_sbdf at, uint8_t first, uint8_t last)
{
    struct pcv_test_function f;

    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, pcv_sbdf_bus(at), first, last);
    pcv_test_add(h->model, &f, at);
}

/* Buses 1 and 2, nested, and 3 and 4 likewise; nothing is registered yet. */
static void four_bridges(struct hosted *h)
{
    hosted_build(h);
    add_port(h, OUTER, 1, 2);
    add_port(h, INNER, 2, 2);
    add_port(h, BESIDE, 3, 4);
    add_port(h, BESIDE_IN, 4, 4);
    hosted_start(h);
}

static uint32_t above(struct hosted *h, uint8_t bus)
{
    pcv_sbdf up;

    return pcv_topology_upstream(h->host, 0, bus, &up) == 0 ? up.v : NOBODY;
}

static void add(struct hosted *h, pcv_sbdf sbdf)
{
    assert_int_equal(pcv_device_add(h->host, sbdf, NULL), 0);
}

/* TOPO-2: what is found later, and covers less, is in nobody's way. */
static void bridges_beside_each_other_come_in_any_order(void **state)
{
    struct hosted h;

    (void)state;
    four_bridges(&h);
    add(&h, BESIDE);
    add(&h, BESIDE_IN);
    add(&h, OUTER);
    add(&h, INNER);
    assert_int_equal(above(&h, 1), OUTER.v);
    assert_int_equal(above(&h, 2), INNER.v);
    assert_int_equal(above(&h, 3), BESIDE.v);
    assert_int_equal(above(&h, 4), BESIDE_IN.v);
    hosted_end(&h);
}

/* A write of the hardware domain, to its end. */
static void put(struct hosted *h, pcv_sbdf sbdf, uint32_t value)
{
    struct pcv_domain *hardware = pcv_host_hardware_domain(h->host);
    struct pcv_access access = PCV_WRITE(sbdf, PCV_REG_PRIMARY, 4, value);

    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_DONE);
}

/* HDR-13, TOPO-2 */
static void a_bridge_renumbered_keeps_those_behind_it(void **state)
{
    struct hosted h;

    (void)state;
    four_bridges(&h);
    assert_int_equal(hosted_scan(&h), 4);
    /* One more bus, which nobody has. */
    put(&h, BESIDE, 0x00050300);
    assert_false(hosted_info(&h, BESIDE).bus_conflict);
    assert_int_equal(above(&h, 3), BESIDE.v);
    assert_int_equal(above(&h, 4), BESIDE_IN.v);
    assert_int_equal(above(&h, 5), BESIDE.v);
    /* Fewer than the bridge behind it has: that one covers nothing then. */
    put(&h, BESIDE, 0x00030300);
    assert_false(hosted_info(&h, BESIDE).bus_conflict);
    assert_true(hosted_info(&h, BESIDE_IN).bus_conflict);
    assert_int_equal(above(&h, 3), BESIDE.v);
    assert_int_equal(above(&h, 4), NOBODY);
    assert_int_equal(above(&h, 5), NOBODY);
    put(&h, BESIDE, 0x00040300);
    assert_int_equal(above(&h, 3), BESIDE.v);
    assert_false(hosted_info(&h, BESIDE_IN).bus_conflict);
    assert_int_equal(above(&h, 4), BESIDE_IN.v);
    hosted_end(&h);
}

/* HDR-13, LIFE-9 */
static void a_bridge_that_stops_answering_keeps_its_buses(void **state)
{
    struct pcv_domain *hardware;
    struct pcv_access access =
        PCV_WRITE(BESIDE, PCV_REG_PRIMARY, 4, 0x00070600);
    struct hosted h;

    (void)state;
    four_bridges(&h);
    assert_int_equal(hosted_scan(&h), 4);
    hardware = pcv_host_hardware_domain(h.host);
    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    assert_int_equal(pcv_model_set_dead(h.model, BESIDE, true), 0);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_DONE);
    assert_int_equal(hosted_info(&h, BESIDE).secondary, 3);
    assert_false(hosted_info(&h, BESIDE).bus_conflict);
    assert_int_equal(above(&h, 3), BESIDE.v);
    hosted_end(&h);
}

/* TOPO-2: entries that name nobody, or are missing. */
static void a_bridge_among_damaged_entries_covers_nothing(void **state)
{
    static const struct {
        uint8_t bus;
        uint32_t entry;
    } rows[] = {
        {1, PCV__UP_VALID | 0x00f8}, /* above its own bus: nobody */
        {2, PCV__UP_VALID | 0x00f8}, /* above a bus that it wants */
        {2, 0},                      /* a bus of the outer bridge's */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv__segment *segment;
        struct hosted h;
        uint32_t was;

        four_bridges(&h);
        add(&h, OUTER);
        segment = pcv__segment_find(h.host, 0);
        was = atomic_load(&segment->up[rows[i].bus]);
        atomic_store(&segment->up[rows[i].bus], rows[i].entry);
        if (rows[i].bus == 1) {
            /* Nothing is known to be there. */
            assert_int_equal(pcv_device_add(h.host, INNER, NULL), -PCV_ENODEV);
        } else {
            add(&h, INNER);
            assert_true(hosted_info(&h, INNER).bus_conflict);
            put(&h, INNER, 0x00020200);
            assert_true(hosted_info(&h, INNER).bus_conflict);
        }
        assert_int_equal(atomic_load(&segment->up[rows[i].bus]), rows[i].entry);
        atomic_store(&segment->up[rows[i].bus], was);
        hosted_end(&h);
    }
}

/* ---- what keeps a bridge --------------------------------------------------
 */

static struct hosted *beside;
static int removed;
static pcv_sbdf busy;

static int attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    if (beside) {
        removed = pcv_device_remove(beside->host, TREE_PORT_3, NULL, &busy);
        beside = NULL;
    }
    return pcv_model_ops()->dma_attach(ctx, requester, domain_id);
}

/* LIFE-5, TOPO-3 */
static void a_bridge_before_a_guests_device_stays(void **state)
{
    struct pcv_domain *guest;
    struct hosted h;
    uint32_t who;

    (void)state;
    tree_build(&h);
    h.ops.dma_attach = attach;
    hosted_start(&h);
    (void)hosted_scan(&h);
    assert_int_equal(pcv_domain_create(h.host, GUEST, &guest), 0);
    assert_int_equal(pcv_device_declare_isolated(h.host, TREE_LEAF, true), 0);
    /* In the middle of the change of its owner, and afterwards. */
    beside = &h;
    assert_int_equal(pcv_device_assign(h.host, TREE_LEAF, guest, NULL, NULL),
                     0);
    assert_null(beside);
    assert_int_equal(removed, -PCV_EBUSY);
    assert_int_equal(busy.v, TREE_LEAF.v);
    assert_int_equal(take_out(&h, TREE_PORT_3, NULL, &who), -PCV_EBUSY);
    assert_int_equal(who, TREE_LEAF.v);
    assert_int_equal(hosted_status(&h, TREE_LEAF).owner_id, GUEST);
    /* What has vanished goes all the same: that was asked for. */
    assert_int_equal(pcv_device_vanished(h.host, TREE_PORT_3), 0);
    assert_int_equal(take_out(&h, TREE_PORT_3, NULL, &who), -PCV_ENODEV);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    assert_int_equal(pcv_domain_destroy(guest), 0);
    hosted_end(&h);
}

#define LOW_PORT pcv_test_at(0, 0, 1, 0)
#define LOW_VF pcv_test_at(0, 1, 0, 0)
#define HIGH_PORT pcv_test_at(0, 0, 2, 0)
#define HIGH_PF pcv_test_at(0, 2, 0, 0)

/* LIFE-5, TOPO-7: requester IDs wrap, so that a VF may be before its PF. */
static void a_bridge_before_a_pf_waits_for_a_vf_on_a_lower_bus(void **state)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF,
                                      .physfn = HIGH_PF};
    struct pcv_test_function f;
    struct hosted h;
    uint32_t who;

    (void)state;
    hosted_build(&h);
    add_port(&h, LOW_PORT, 1, 1);
    add_port(&h, HIGH_PORT, 2, 2);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 1, 0, 0xff00, 1);
    pcv_test_add(h.model, &f, HIGH_PF);
    pcv_test_vf(&f, HIGH_PF);
    pcv_test_add(h.model, &f, LOW_VF);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 3);
    assert_int_equal(pcv_device_add(h.host, LOW_VF, &info), 0);
    assert_int_equal(take_out(&h, HIGH_PORT, NULL, &who), -PCV_EBUSY);
    assert_int_equal(who, LOW_VF.v);
    assert_int_equal(hosted_state(&h, HIGH_PF), PCV_STATE_PRESENT);
    assert_int_equal(take_out(&h, LOW_PORT, NULL, &who), 0);
    assert_int_equal(take_out(&h, HIGH_PORT, NULL, &who), 0);
    hosted_end(&h);
}

/* ---- the end of a segment, and of a host ----------------------------------
 */

/* LIFE-1, LIFE-5 */
static void behind_a_segments_last_address_the_next_segment_comes(void **state)
{
    const pcv_sbdf last = pcv_test_at(0, 255, 31, 7);
    const pcv_sbdf next = pcv_test_at(1, 0, 0, 0);
    struct pcv_test_function f;
    struct pcv_device *held, *found;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    pcv_test_endpoint(&f, 0x1234, 0x5678);
    pcv_test_add(h.model, &f, last);
    pcv_test_endpoint(&f, 0x1234, 0x5678);
    pcv_test_add(h.model, &f, next);
    hosted_start(&h);
    add(&h, last);
    add(&h, next);
    held = hosted_hold(&h, last);
    assert_int_equal(pcv_device_remove(h.host, last, NULL, NULL), -PCV_EBUSY);
    found = pcv_device_next(h.host, last);
    assert_non_null(found);
    assert_int_equal(pcv_device_sbdf(found).v, next.v);
    pcv_device_put(found);
    pcv_device_put(held);
    hosted_end(&h);
}

/* LIFE-4, OWN-11 */
static void a_host_does_not_end_while_an_access_is_inside(void **state)
{
    struct pcv_device *device;
    struct hosted h;

    (void)state;
    tree_start(&h);
    assert_int_equal(
        pcv__gate_enter(pcv_host_hardware_domain(h.host), TREE_LEAF, &device),
        PCV_DONE);
    assert_int_equal(pcv_host_destroy(h.host), -PCV_EBUSY);
    assert_int_equal(hosted_state(&h, TREE_ENDPOINT), PCV_STATE_PRESENT);
    pcv__gate_leave(device);
    hosted_end(&h);
}

/* LIFE-9 */
static void nothing_vanishes_without_a_host(void **state)
{
    (void)state;
    assert_int_equal(pcv_device_vanished(NULL, TREE_LEAF), -PCV_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bridges_beside_each_other_come_in_any_order),
        cmocka_unit_test(a_bridge_renumbered_keeps_those_behind_it),
        cmocka_unit_test(a_bridge_that_stops_answering_keeps_its_buses),
        cmocka_unit_test(a_bridge_among_damaged_entries_covers_nothing),
        cmocka_unit_test(a_bridge_before_a_guests_device_stays),
        cmocka_unit_test(a_bridge_before_a_pf_waits_for_a_vf_on_a_lower_bus),
        cmocka_unit_test(behind_a_segments_last_address_the_next_segment_comes),
        cmocka_unit_test(a_host_does_not_end_while_an_access_is_inside),
        cmocka_unit_test(nothing_vanishes_without_a_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

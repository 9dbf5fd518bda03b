/* SPDX-License-Identifier: MIT */
/*
 * Operations on all behind one bridge, and on all behind another that stands
 * behind it, or on a slot there (OWN-13): each must find again what it did
 * itself, so there is one at a time.
 *
 *   00:01.0 PCI Express to PCI bridge, buses 1 to 2
 *     01:00.0 bridge, bus 2      01:01.0 to 01:10.0 cards
 *       02:00.0 to 02:13.0 cards     01:11.0, 01:11.1 a card of two functions
 */
#include "engine_fixture.h"

#include "guest_fixture.h"

#define OUTER pcv_test_at(0, 0, 1, 0)
#define INNER pcv_test_at(0, 1, 0, 0)
#define SLOT pcv_test_at(0, 1, 17, 0)
#define DEEPEST pcv_test_at(0, 2, 19, 0)
#define LAST_CARD 19u

static void add_card(struct guest *g, pcv_sbdf sbdf, bool multi)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x8086, (uint16_t)sbdf.v);
    if (multi) {
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
    }
    pcv_test_add(g->rig.model, &f, sbdf);
}

static void open_nest(struct guest *g)
{
    struct pcv_test_function f;

    guest_open(g);
    pcv_test_port(&f, PCV_PCIE_TYPE_TO_PCI, 0, 1, 2);
    pcv_test_add(g->rig.model, &f, OUTER);
    pcv_test_bridge(&f, 1, 2, 2);
    pcv_test_add(g->rig.model, &f, INNER);
    for (uint8_t i = 0; i <= LAST_CARD; i++) {
        add_card(g, pcv_test_at(0, 2, i, 0), false);
        if (i != 0 && i < 17) {
            add_card(g, pcv_test_at(0, 1, i, 0), false);
        }
    }
    add_card(g, SLOT, true);
    add_card(g, (pcv_sbdf){SLOT.v + 1u}, true);
    guest_boot(g);
}

static int conceal(struct guest *g, pcv_sbdf root, pcv_sbdf *busy)
{
    return pcv_device_conceal(g->rig.host, root,
                              root.v == SLOT.v ? PCV_SLOT : PCV_SUBTREE, busy);
}

static int quarantine(struct guest *g, pcv_sbdf root, pcv_sbdf *busy)
{
    return pcv_device_quarantine(g->rig.host, root, PCV_SUBTREE, busy);
}

static int reveal(struct guest *g, pcv_sbdf root, pcv_sbdf *busy)
{
    return pcv_device_reveal(g->rig.host, root,
                             root.v == SLOT.v ? PCV_SLOT : PCV_SUBTREE, busy);
}

typedef int (*order)(struct guest *g, pcv_sbdf root, pcv_sbdf *busy);

/* To its end. */
static int all(struct guest *g, order what, pcv_sbdf root)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 200 && error == -PCV_ERESTART; i++) {
        error = what(g, root, NULL);
    }
    return error;
}

static void refused(struct guest *g, order what, pcv_sbdf root, pcv_sbdf by)
{
    pcv_sbdf busy = {0};

    assert_int_equal(what(g, root, &busy), -PCV_EBUSY);
    assert_int_equal(busy.v, by.v);
}

static bool is_concealed(struct guest *g, pcv_sbdf sbdf)
{
    struct pcv_device_info info;

    rig_info(&g->rig, sbdf, &info);
    return info.concealed;
}

/* OWN-13: what the outer one did is not the inner one's to take back. */
static void one_behind_another_waits(void **state)
{
    const pcv_sbdf inner[] = {INNER, SLOT};
    struct guest g;

    (void)state;
    open_nest(&g);
    assert_int_equal(conceal(&g, OUTER, NULL), -PCV_ERESTART);
    for (size_t i = 0; i < 2; i++) {
        refused(&g, conceal, inner[i], OUTER);
        refused(&g, reveal, inner[i], OUTER);
    }
    refused(&g, quarantine, INNER, OUTER);
    assert_int_equal(all(&g, conceal, OUTER), 0);
    assert_true(is_concealed(&g, DEEPEST));
    assert_true(is_concealed(&g, SLOT));
    /* It is over, and what is behind it is another's to handle. */
    assert_int_equal(all(&g, conceal, INNER), 0);
    assert_int_equal(all(&g, reveal, OUTER), 0);
    assert_int_equal(all(&g, conceal, INNER), 0);
    assert_false(is_concealed(&g, SLOT));
    assert_int_equal(all(&g, reveal, INNER), 0);
    guest_close(&g);
}

/* OWN-13: nor the other way round. */
static void one_above_another_waits(void **state)
{
    struct guest g;

    (void)state;
    open_nest(&g);
    assert_int_equal(quarantine(&g, INNER, NULL), -PCV_ERESTART);
    refused(&g, conceal, OUTER, INNER);
    refused(&g, quarantine, OUTER, INNER);
    refused(&g, reveal, OUTER, INNER);
    /* One beside it does not. */
    assert_int_equal(all(&g, conceal, SLOT), 0);
    assert_int_equal(all(&g, reveal, SLOT), 0);
    /* It is given up. */
    assert_int_equal(all(&g, reveal, INNER), 0);
    assert_int_equal(all(&g, conceal, OUTER), 0);
    assert_true(is_concealed(&g, DEEPEST));
    assert_int_equal(all(&g, reveal, OUTER), 0);
    guest_close(&g);
}

/* OWN-13, PORT-3: one that fails is as much under way while it is taken back,
 * and takes back no more than it did. */
static void what_is_taken_back_is_its_own(void **state)
{
    struct guest g;
    int error = -PCV_ERESTART;
    unsigned refusals = 0;

    (void)state;
    open_nest(&g);
    assert_int_equal(all(&g, conceal, SLOT), 0);
    pcv_model_fail(g.rig.model, PCV_MODEL_OP_dma_attach, 70);
    for (int i = 0; i < 20 && error == -PCV_ERESTART; i++) {
        error = conceal(&g, OUTER, NULL);
        if (error == -PCV_ERESTART) {
            refused(&g, conceal, INNER, OUTER);
            refusals++;
        }
    }
    pcv_model_fail(g.rig.model, PCV_MODEL_OP_dma_attach, 0);
    assert_int_equal(error, -PCV_EIO);
    assert_true(refusals > 1); /* on the way, and on the way back */
    assert_false(is_concealed(&g, DEEPEST));
    assert_true(is_concealed(&g, SLOT));
    assert_int_equal(all(&g, conceal, INNER), 0);
    assert_int_equal(all(&g, reveal, INNER), 0);
    guest_close(&g);
}

/* ---- a slot ----------------------------------------------------------------
 */

struct inside {
    struct guest *g;
    int error;
};

/* Somebody is inside the gate of a function: the operation waits for him. */
static void begin_inside(struct rig *rig, const struct pcv_model_cfg *access)
{
    struct inside *inside = rig->hook_data;

    (void)access;
    rig->hook = NULL;
    inside->error = conceal(inside->g, SLOT, NULL);
}

/* OWN-9, OWN-13 */
static void a_slot_is_apart_from_the_bridge_above_it(void **state)
{
    struct inside inside = {.error = 0};
    struct guest g;

    (void)state;
    open_nest(&g);
    inside.g = &g;
    g.rig.hook = begin_inside;
    g.rig.hook_data = &inside;
    (void)rig_read(&g.rig, SLOT, PCV_REG_STATUS, 2);
    assert_int_equal(inside.error, -PCV_ERESTART);
    refused(&g, conceal, OUTER, SLOT);
    refused(&g, reveal, OUTER, SLOT);
    assert_int_equal(all(&g, conceal, SLOT), 0);
    assert_int_equal(all(&g, conceal, OUTER), 0);
    assert_int_equal(all(&g, reveal, OUTER), 0);
    guest_close(&g);
}

/* OWN-13, LIFE-9: nobody goes on with one whose bridge is gone. */
static void one_whose_bridge_vanished_is_in_nobodys_way(void **state)
{
    struct guest g;

    (void)state;
    open_nest(&g);
    assert_int_equal(conceal(&g, INNER, NULL), -PCV_ERESTART);
    assert_int_equal(pcv_device_vanished(g.rig.host, INNER), 0);
    assert_int_equal(all(&g, conceal, OUTER), 0);
    assert_true(is_concealed(&g, SLOT));
    assert_int_equal(all(&g, reveal, OUTER), 0);
    guest_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_behind_another_waits),
        cmocka_unit_test(one_above_another_waits),
        cmocka_unit_test(what_is_taken_back_is_its_own),
        cmocka_unit_test(a_slot_is_apart_from_the_bridge_above_it),
        cmocka_unit_test(one_whose_bridge_vanished_is_in_nobodys_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

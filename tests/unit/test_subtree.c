/* SPDX-License-Identifier: MIT */
/*
 * Hiding, concealing, quarantining and revealing a bridge and everything behind
 * it: all of it, or nothing (OWN-13).
 *
 *   00:01.0 root port, buses 1 to 3
 *     01:00.0 upstream port
 *       02:00.0 downstream port    03:00.0 card
 *       02:01.0 card                    03:00.1 card
 */
#include "engine_fixture.h"

#include "guest_fixture.h"

#define ROOT pcv_test_at(0, 0, 1, 0)
#define UP pcv_test_at(0, 1, 0, 0)
#define DOWN pcv_test_at(0, 2, 0, 0)
#define CARD pcv_test_at(0, 2, 1, 0)
#define DEEP pcv_test_at(0, 3, 0, 0)
#define DEEP1 pcv_test_at(0, 3, 0, 1)
#define BESIDE pcv_test_at(0, 0, 2, 0)
#define COUNT 6u

static pcv_sbdf member(uint32_t i)
{
    const pcv_sbdf all[COUNT] = {ROOT, UP, DOWN, CARD, DEEP, DEEP1};

    return all[i];
}

static void add_card(struct guest *g, pcv_sbdf sbdf, uint32_t bar, bool multi)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x8086, (uint16_t)sbdf.v);
    (void)pcv_test_msi(&f, 0);
    pcv_test_bar32(&f, 0, bar, 0x1000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    if (multi) {
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
    }
    pcv_test_add(g->rig.model, &f, sbdf);
}

static void add_port(struct guest *g, pcv_sbdf sbdf, uint8_t type,
                     uint8_t secondary)
{
    struct pcv_test_function f;

    pcv_test_port(&f, type, pcv_sbdf_bus(sbdf), secondary, 3);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(g->rig.model, &f, sbdf);
}

static void open_tree(struct guest *g)
{
    guest_open(g);
    add_port(g, ROOT, PCV_PCIE_TYPE_ROOT_PORT, 1);
    add_port(g, UP, PCV_PCIE_TYPE_UPSTREAM, 2);
    add_port(g, DOWN, PCV_PCIE_TYPE_DOWNSTREAM, 3);
    add_card(g, CARD, 0xe0000000, false);
    add_card(g, DEEP, 0xe0010000, true);
    add_card(g, DEEP1, 0xe0020000, true);
    add_card(g, BESIDE, 0xe0030000, false);
    guest_boot(g);
    rig_forget(&g->rig);
}

enum what { HIDE, CONCEAL, QUARANTINE, WHATS };

static int perform(struct guest *g, enum what what, pcv_sbdf *busy)
{
    const struct pcv_hide_info all = {.flags = PCV_SUBTREE};
    struct pcv_host *host = g->rig.host;

    switch (what) {
    case HIDE:
        return pcv_device_hide(host, ROOT, &all, busy);
    case CONCEAL:
        return pcv_device_conceal(host, ROOT, PCV_SUBTREE, busy);
    default:
        return pcv_device_quarantine(host, ROOT, PCV_SUBTREE, busy);
    }
}

static int reveal(struct guest *g, pcv_sbdf *busy)
{
    return pcv_device_reveal(g->rig.host, ROOT, PCV_SUBTREE, busy);
}

static bool is(struct guest *g, pcv_sbdf sbdf, enum what what)
{
    struct pcv_device_info info;

    rig_info(&g->rig, sbdf, &info);
    switch (what) {
    case HIDE:
        return info.hidden && info.owner_id == PCV_DOMAIN_ID_HYPERVISOR;
    case CONCEAL:
        return info.concealed && info.owner_id == PCV_DOMAIN_ID_HYPERVISOR;
    default:
        return info.owner_id == PCV_DOMAIN_ID_QUARANTINE;
    }
}

/* Everything is the hardware domain's alone, and can be asked. */
static void as_before(struct guest *g)
{
    struct pcv_device_info info;

    for (uint32_t i = 0; i < COUNT; i++) {
        rig_info(&g->rig, member(i), &info);
        assert_int_equal(info.owner_id, PCV_DOMAIN_ID_HARDWARE);
        assert_false(info.hidden || info.concealed);
        assert_int_equal(rig_read(&g->rig, member(i), PCV_REG_VENDOR, 2),
                         info.vendor);
    }
}

/* ---- all -------------------------------------------------------------------
 */

/* OWN-13 */
static void everything_behind_a_bridge_goes_with_it_and_comes_back(void **state)
{
    for (unsigned what = 0; what < WHATS; what++) {
        struct guest g;

        (void)state;
        open_tree(&g);
        assert_int_equal(perform(&g, (enum what)what, NULL), 0);
        for (uint32_t i = 0; i < COUNT; i++) {
            assert_true(is(&g, member(i), (enum what)what));
        }
        assert_false(is(&g, BESIDE, (enum what)what));
        assert_int_equal(perform(&g, (enum what)what, NULL), 0);
        assert_int_equal(reveal(&g, NULL), 0);
        as_before(&g);
        assert_int_equal(reveal(&g, NULL), 0);
        guest_close(&g);
    }
}

/* OWN-13: nothing of it is one step, so a call does a part. */
static void a_large_one_is_done_in_several_calls(void **state)
{
    const pcv_sbdf first = pcv_test_at(0, 3, 0, 0);
    unsigned calls = 0;
    struct guest g;
    int error;

    (void)state;
    guest_open(&g);
    add_port(&g, ROOT, PCV_PCIE_TYPE_TO_PCI, 3);
    for (uint8_t i = 0; i < 32; i++) {
        add_card(&g, pcv_test_at(0, 3, i, 0), 0xe0000000u + i * 0x1000u, false);
    }
    guest_boot(&g);
    while ((error = perform(&g, CONCEAL, NULL)) == -PCV_ERESTART) {
        /* Another operation has to wait; the way back does not. */
        assert_int_equal(perform(&g, QUARANTINE, NULL), -PCV_EBUSY);
        assert_true(++calls < 10);
    }
    assert_int_equal(error, 0);
    assert_true(calls >= 1);
    assert_true(is(&g, first, CONCEAL));
    assert_int_equal(reveal(&g, NULL), -PCV_ERESTART);
    assert_false(is(&g, ROOT, CONCEAL));
    while ((error = reveal(&g, NULL)) == -PCV_ERESTART) {
        assert_true(++calls < 20);
    }
    assert_int_equal(error, 0);
    assert_false(is(&g, first, CONCEAL));
    /* Given up half-way. */
    assert_int_equal(perform(&g, HIDE, NULL), -PCV_ERESTART);
    while ((error = reveal(&g, NULL)) == -PCV_ERESTART) {
        assert_true(++calls < 30);
    }
    assert_int_equal(error, 0);
    for (uint8_t i = 0; i < 32; i++) {
        assert_false(is(&g, pcv_test_at(0, 3, i, 0), HIDE));
    }
    guest_close(&g);
}

/* OWN-9, LIFE-12: nor does the hardware domain find what comes behind it. */
static void what_comes_behind_a_concealed_bridge_is_not_registered(void **state)
{
    struct guest g;
    uint64_t data;

    (void)state;
    open_tree(&g);
    assert_int_equal(pcv_device_remove(g.rig.host, DEEP, NULL, NULL), 0);
    assert_int_equal(perform(&g, CONCEAL, NULL), 0);
    rig_forget(&g.rig);
    assert_int_equal(rig_try_read(&g.rig, DEEP, 0, 4, &data), PCV_ABSENT);
    assert_int_equal(g.rig.logged, 0);
    assert_int_equal(pcv_device_add(g.rig.host, DEEP, NULL), -PCV_EEXIST);
    assert_int_equal(pcv_device_reveal(g.rig.host, CARD, 0, NULL), -PCV_EPERM);
    assert_int_equal(reveal(&g, NULL), 0);
    assert_int_equal(pcv_device_add(g.rig.host, DEEP, NULL), 0);
    as_before(&g);
    guest_close(&g);
}

/* OWN-7, OWN-13: what is behind a hidden bridge stays where it is. */
static void a_hidden_bridge_keeps_numbers_windows_and_links(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint32_t value;
    } rows[] = {
        {PCV_REG_PRIMARY, 4, 0},
        {PCV_REG_IO_BASE, 2, 0},
        {PCV_REG_MEM_BASE, 4, 0x0000fff0},
        {PCV_REG_PREF_BASE, 4, 0x0000fff0},
        {PCV_REG_BRIDGE_CONTROL, 2, 0x0040},
    };
    struct guest g;

    (void)state;
    open_tree(&g);
    pcv_model_poke(g.rig.model, ROOT, PCV_REG_MEM_BASE, 4, 0xe010e000);
    assert_int_equal(perform(&g, HIDE, NULL), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t before =
            pcv_model_peek(g.rig.model, ROOT, rows[i].reg, rows[i].size);

        rig_write(&g.rig, ROOT, rows[i].reg, rows[i].size, rows[i].value);
        assert_int_equal(
            pcv_model_peek(g.rig.model, ROOT, rows[i].reg, rows[i].size),
            before);
        assert_int_equal(rig_read(&g.rig, ROOT, rows[i].reg, rows[i].size),
                         before);
    }
    rig_write(&g.rig, ROOT, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(pcv_model_peek(g.rig.model, ROOT, PCV_REG_COMMAND, 2),
                     PCV_CMD_MEMORY | PCV_CMD_MASTER);
    /* Other bits of Bridge Control are the domain's. */
    rig_write(&g.rig, ROOT, PCV_REG_BRIDGE_CONTROL, 2, 0x0003);
    assert_int_equal(
        pcv_model_peek(g.rig.model, ROOT, PCV_REG_BRIDGE_CONTROL, 2), 0x0003);
    guest_close(&g);
}

/* ---- or nothing ------------------------------------------------------------
 */

/* OWN-13 */
static void what_is_in_the_way_is_named_and_nothing_changes(void **state)
{
    for (unsigned what = 0; what < WHATS; what++) {
        struct pcv_vector vector = {.index = 0};
        struct pcv_device *device;
        pcv_sbdf busy = {0};
        struct guest g;

        (void)state;
        open_tree(&g);
        (void)guest_give(&g, DEEP1, NULL);
        assert_int_equal(perform(&g, (enum what)what, &busy), -PCV_EBUSY);
        assert_int_equal(busy.v, DEEP1.v);
        guest_take(&g, DEEP1);
        as_before(&g);
        device = pcv_device_find(g.rig.host, CARD);
        assert_int_equal(pcv_vector_attach(device, &vector, false, 0), 0);
        if (what != HIDE) {
            assert_int_equal(perform(&g, (enum what)what, &busy), -PCV_EBUSY);
            assert_int_equal(busy.v, CARD.v);
            as_before(&g);
        }
        pcv_vector_detach(&vector);
        pcv_device_put(device);
        assert_int_equal(perform(&g, (enum what)what, &busy), 0);
        guest_close(&g);
    }
}

/* OWN-13 */
static void what_is_the_hypervisors_otherwise_is_in_the_way(void **state)
{
    pcv_sbdf busy = {0};
    struct guest g;

    (void)state;
    open_tree(&g);
    assert_int_equal(pcv_device_set_read_only(g.rig.host, DEEP), 0);
    for (unsigned what = 0; what < WHATS; what++) {
        assert_int_equal(perform(&g, (enum what)what, &busy), -PCV_EBUSY);
        assert_int_equal(busy.v, DEEP.v);
    }
    /* What is as it is to be already is left alone, taken back or not. */
    assert_int_equal(pcv_device_conceal(g.rig.host, CARD, 0, NULL), 0);
    assert_int_equal(perform(&g, CONCEAL, &busy), -PCV_EBUSY);
    assert_true(is(&g, CARD, CONCEAL));
    assert_false(is(&g, ROOT, CONCEAL));
    guest_close(&g);
}

static int perform_all(struct guest *g, enum what what)
{
    int error = -PCV_ERESTART;

    for (int calls = 0; calls < 1000 && error == -PCV_ERESTART; calls++) {
        error = perform(g, what, NULL);
    }
    return error;
}

/* One attempt whose nth host operation of a kind fails. *out_reached: it was
 * called so often. */
static void fail_at(enum what what, enum pcv_model_op op, uint64_t nth,
                    bool *out_reached, bool *out_failed)
{
    struct guest g;
    uint64_t before;
    int error;

    open_tree(&g);
    before = pcv_model_calls(g.rig.model, op);
    pcv_model_fail(g.rig.model, op, nth);
    error = perform_all(&g, what);
    pcv_model_fail(g.rig.model, op, 0);
    *out_reached = pcv_model_calls(g.rig.model, op) - before >= nth;
    *out_failed = error != 0;
    if (error != 0) {
        assert_true(*out_reached);
        as_before(&g);
        assert_int_equal(perform_all(&g, what), 0);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(is(&g, member(i), what));
    }
    guest_close(&g);
}

/* OWN-13, PORT-3: one of them refuses in the middle, wherever that is. A
 * failure that is of no account is not the last one. */
static void a_failure_in_the_middle_takes_everything_back(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_alloc, PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write,
        PCV_MODEL_OP_dma_attach};

    (void)state;
    for (unsigned i = 0; i < WHATS * sizeof(ops) / sizeof(ops[0]); i++) {
        const enum pcv_model_op op = ops[i / WHATS];
        const enum what what = (enum what)(i % WHATS);
        uint64_t failures = 0;
        bool reached = true;

        for (uint64_t nth = 1; reached; nth++) {
            bool failed;

            assert_true(nth < 5000);
            fail_at(what, op, nth, &reached, &failed);
            failures += failed ? 1 : 0;
        }
        /* Only what goes to quarantine is written to, and what is hidden sends
         * where it did. */
        assert_true(failures > 0 ||
                    (what != QUARANTINE && op == PCV_MODEL_OP_cfg_write) ||
                    (what == HIDE && op == PCV_MODEL_OP_dma_attach));
    }
}

/* OWN-13 */
static void only_a_bridge_has_something_behind_it(void **state)
{
    const struct pcv_hide_info ranged = {.flags = PCV_SUBTREE,
                                         .range_count = 1};
    struct guest g;

    (void)state;
    open_tree(&g);
    assert_int_equal(pcv_device_conceal(g.rig.host, CARD, PCV_SUBTREE, NULL),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_quarantine(g.rig.host, pcv_test_at(0, 0, 9, 0),
                                           PCV_SUBTREE, NULL),
                     -PCV_ENODEV);
    assert_int_equal(pcv_device_quarantine(g.rig.host, ROOT, PCV_SLOT, NULL),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_hide(g.rig.host, ROOT, &ranged, NULL),
                     -PCV_EINVAL);
    /* And a bridge alone is none of this. */
    assert_int_equal(pcv_device_conceal(g.rig.host, ROOT, 0, NULL), -PCV_EPERM);
    assert_int_equal(pcv_device_quarantine(g.rig.host, ROOT, 0, NULL),
                     -PCV_EPERM);
    as_before(&g);
    guest_close(&g);
}

/* OWN-13, LIFE-9: what has vanished is nobody's, and not asked. */
static void what_has_vanished_is_left_out(void **state)
{
    struct guest g;

    (void)state;
    open_tree(&g);
    assert_int_equal(pcv_device_vanished(g.rig.host, DEEP), 0);
    assert_int_equal(perform(&g, CONCEAL, NULL), 0);
    assert_true(is(&g, ROOT, CONCEAL));
    assert_false(is(&g, DEEP, CONCEAL));
    assert_int_equal(reveal(&g, NULL), 0);
    guest_close(&g);
}

/* OWN-13, PORT-3: what was in quarantine is not handed to the hardware domain
 * because something else refused. */
static void what_was_in_quarantine_goes_back_there(void **state)
{
    static const enum what ops[] = {CONCEAL, HIDE};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        /* A failure that is of no account is not the last one. */
        for (uint64_t nth = 1; nth < 120; nth += nth < 12 ? 1 : 7) {
            struct guest g;
            int error;

            open_tree(&g);
            assert_int_equal(pcv_device_quarantine(g.rig.host, DEEP, 0, NULL),
                             0);
            pcv_model_fail(g.rig.model, PCV_MODEL_OP_cfg_read, nth);
            error = perform_all(&g, ops[i]);
            pcv_model_fail(g.rig.model, PCV_MODEL_OP_cfg_read, 0);
            if (error != 0) {
                assert_true(is(&g, DEEP, QUARANTINE));
                assert_false(is(&g, DEEP1, ops[i]));
                assert_int_equal(perform_all(&g, ops[i]), 0);
            }
            assert_true(is(&g, DEEP, ops[i]));
            assert_int_equal(reveal(&g, NULL), 0);
            as_before(&g);
            guest_close(&g);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            everything_behind_a_bridge_goes_with_it_and_comes_back),
        cmocka_unit_test(a_large_one_is_done_in_several_calls),
        cmocka_unit_test(
            what_comes_behind_a_concealed_bridge_is_not_registered),
        cmocka_unit_test(a_hidden_bridge_keeps_numbers_windows_and_links),
        cmocka_unit_test(what_is_in_the_way_is_named_and_nothing_changes),
        cmocka_unit_test(what_is_the_hypervisors_otherwise_is_in_the_way),
        cmocka_unit_test(a_failure_in_the_middle_takes_everything_back),
        cmocka_unit_test(what_was_in_quarantine_goes_back_there),
        cmocka_unit_test(only_a_bridge_has_something_behind_it),
        cmocka_unit_test(what_has_vanished_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

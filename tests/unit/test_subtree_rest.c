/* SPDX-License-Identifier: MIT */
/*
 * What was in quarantine when an operation on all behind a bridge took it, and
 * goes back there since another one refused (OWN-13): the hardware domain,
 * which somebody kept from it, never has it between.
 *
 *   00:01.0 root port, buses 1 to 1
 *     01:00.0, 01:00.1 a card; the first is in quarantine
 *     01:00.2 refuses, if it is to
 */
#include "engine_fixture.h"

#include "guest_fixture.h"

#define ROOT pcv_test_at(0, 0, 1, 0)
#define OTHER pcv_test_at(0, 1, 0, 0)
#define RESTING pcv_test_at(0, 1, 0, 1)
#define CARD_BAR 0xe0000000u

static void open_rest(struct guest *g)
{
    struct pcv_test_function f;

    guest_open(g);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(g->rig.model, &f, ROOT);
    for (uint8_t i = 0; i < 2; i++) {
        pcv_test_pcie_endpoint(&f, 0x8086, (uint16_t)(0x100u + i));
        (void)pcv_test_msi(&f, 0);
        pcv_test_bar32(&f, 0, CARD_BAR + i * 0x10000u, 0x1000);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
        pcv_test_add(g->rig.model, &f, pcv_test_at(0, 1, 0, i));
    }
    guest_boot(g);
    assert_int_equal(pcv_device_quarantine(g->rig.host, RESTING, 0, NULL), 0);
    rig_forget(&g->rig);
}

enum what { HIDE, CONCEAL, WHATS };

static int perform(struct guest *g, enum what what)
{
    const struct pcv_hide_info all = {.flags = PCV_SUBTREE};

    return what == HIDE
               ? pcv_device_hide(g->rig.host, ROOT, &all, NULL)
               : pcv_device_conceal(g->rig.host, ROOT, PCV_SUBTREE, NULL);
}

/* Who has it; the hardware domain's own functions are what this is about. */
static uint32_t owner(struct guest *g)
{
    return rig_status(&g->rig, RESTING).owner_id;
}

static bool was_handed_over(struct guest *g)
{
    for (size_t i = 0; i < g->rig.events && i < RIG_EVENTS; i++) {
        if (g->rig.event[i].kind == PCV_EVENT_ASSIGNED &&
            g->rig.event[i].sbdf.v == RESTING.v &&
            g->rig.event[i].arg[0] == PCV_DOMAIN_ID_HARDWARE) {
            return true;
        }
    }
    return false;
}

/* In the middle of each access of hardware. */
static void look(struct rig *rig, const struct pcv_model_cfg *access)
{
    bool *seen = rig->hook_data;

    (void)access;
    *seen =
        *seen || rig_status(rig, RESTING).owner_id == PCV_DOMAIN_ID_HARDWARE;
}

static int perform_all(struct guest *g, enum what what)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 1000 && error == -PCV_ERESTART; i++) {
        error = perform(g, what);
    }
    return error;
}

/* Nobody has it, it is silent, and it can be had. */
static void rests(struct guest *g)
{
    assert_int_equal(owner(g), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_model_peek(g->rig.model, RESTING, PCV_REG_COMMAND, 2) &
                         (PCV_CMD_MEMORY | PCV_CMD_MASTER),
                     0);
    assert_int_equal(pcv_model_dma_domain(g->rig.model, RESTING),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(rig_read(&g->rig, RESTING, PCV_REG_VENDOR, 4), 0x01018086);
    rig_write(&g->rig, RESTING, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(pcv_model_peek(g->rig.model, RESTING, PCV_REG_COMMAND, 2) &
                         PCV_CMD_MEMORY,
                     0);
}

static void comes_home(struct guest *g)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_reveal(g->rig.host, RESTING, 0, NULL);
    }
    assert_int_equal(error, 0);
    assert_int_equal(pcv_model_peek(g->rig.model, RESTING, PCV_REG_BAR0, 4),
                     CARD_BAR + 0x10000u);
    assert_int_equal(rig_read(&g->rig, RESTING, PCV_REG_VENDOR, 4), 0x01018086);
}

/* One attempt whose nth host operation of a kind fails: whether it was called
 * so often. */
static bool fail_at(enum what what, enum pcv_model_op op, uint64_t nth)
{
    bool seen = false;
    struct guest g;
    uint64_t before;
    int error;

    open_rest(&g);
    g.rig.hook = look;
    g.rig.hook_data = &seen;
    before = pcv_model_calls(g.rig.model, op);
    pcv_model_fail(g.rig.model, op, nth);
    error = perform_all(&g, what);
    pcv_model_fail(g.rig.model, op, 0);
    before = pcv_model_calls(g.rig.model, op) - before;
    g.rig.hook = NULL;
    assert_false(seen);
    assert_false(was_handed_over(&g));
    if (error != 0) {
        rests(&g);
        comes_home(&g);
    } else {
        assert_int_equal(owner(&g), PCV_DOMAIN_ID_HYPERVISOR);
    }
    guest_close(&g);
    return before >= nth;
}

/* OWN-13, PORT-3 */
static void it_never_passes_through_the_hardware_domain(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_alloc, PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write,
        PCV_MODEL_OP_dma_attach};

    (void)state;
    for (unsigned i = 0; i < WHATS * sizeof(ops) / sizeof(ops[0]); i++) {
        uint64_t nth = 1;

        while (fail_at((enum what)(i % WHATS), ops[i / WHATS], nth)) {
            assert_true(++nth < 2000);
        }
    }
}

/* Somebody is inside the other function, which waits for him. */
struct inside {
    struct guest *g;
    enum what what;
    int error;
};

static void begin_inside(struct rig *rig, const struct pcv_model_cfg *access)
{
    struct inside *inside = rig->hook_data;

    (void)access;
    rig->hook = NULL;
    inside->error = perform(inside->g, inside->what);
}

/* It was taken and is used; then the other refuses, and it is on its way back,
 * which takes time. */
static void take_and_fail(struct guest *g, enum what what)
{
    /* Until one failure is of account. */
    for (uint64_t nth = 1;; nth++) {
        struct inside inside = {.g = g, .what = what};
        int error;

        open_rest(g);
        g->rig.hook = begin_inside;
        g->rig.hook_data = &inside;
        (void)rig_read(&g->rig, OTHER, PCV_REG_STATUS, 2);
        assert_int_equal(inside.error, -PCV_ERESTART);
        assert_int_equal(owner(g), PCV_DOMAIN_ID_HYPERVISOR);
        pcv_model_set_clock(g->rig.model, true);
        assert_int_equal(
            pcv_model_set_pending(g->rig.model, RESTING, UINT64_MAX), 0);
        assert_int_equal(g->rig.ops.cfg_write(g->rig.model, RESTING,
                                              PCV_REG_COMMAND, 2,
                                              PCV_CMD_MASTER | PCV_CMD_MEMORY),
                         0);
        pcv_model_fail(g->rig.model, PCV_MODEL_OP_alloc, nth);
        error = perform(g, what);
        pcv_model_fail(g->rig.model, PCV_MODEL_OP_alloc, 0);
        if (error == -PCV_ERESTART) {
            assert_int_equal(owner(g), PCV_DOMAIN_ID_HYPERVISOR);
            return;
        }
        assert_int_equal(error, 0);
        guest_close(g);
    }
}

/* OWN-13, OWN-5: what it has under way ends before, and meanwhile the hardware
 * domain cannot reach it. */
static void on_its_way_back_nobody_reaches_it(void **state)
{
    (void)state;
    for (unsigned what = 0; what < WHATS; what++) {
        const uint16_t reg = PCV_REG_COMMAND;
        struct guest g;
        uint64_t data;

        take_and_fail(&g, (enum what)what);
        rig_forget(&g.rig);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(perform(&g, (enum what)what), -PCV_ERESTART);
            (void)rig_try_write(&g.rig, RESTING, reg, 2, PCV_CMD_MASTER);
            assert_int_equal(pcv_model_peek(g.rig.model, RESTING, reg, 2) &
                                 PCV_CMD_MASTER,
                             0);
            assert_int_not_equal(rig_try_read(&g.rig, RESTING, reg, 2, &data),
                                 PCV_RETRY);
        }
        assert_int_equal(pcv_model_set_pending(g.rig.model, RESTING, 0), 0);
        pcv_model_advance_us(g.rig.model, 10000);
        assert_int_equal(perform_all(&g, (enum what)what), -PCV_ENOMEM);
        pcv_model_set_clock(g.rig.model, false);
        assert_false(was_handed_over(&g));
        rests(&g);
        comes_home(&g);
        guest_close(&g);
    }
}

/* The rest of its way back, where the host fails once more: whether it was
 * asked so often. */
static bool fail_on_the_way_back(enum what what, enum pcv_model_op op,
                                 uint64_t nth)
{
    struct guest g;
    uint64_t calls;

    take_and_fail(&g, what);
    assert_int_equal(pcv_model_set_pending(g.rig.model, RESTING, 0), 0);
    pcv_model_advance_us(g.rig.model, 10000);
    calls = pcv_model_calls(g.rig.model, op);
    pcv_model_fail(g.rig.model, op, nth);
    assert_int_equal(perform_all(&g, what), -PCV_ENOMEM);
    pcv_model_fail(g.rig.model, op, 0);
    calls = pcv_model_calls(g.rig.model, op) - calls;
    pcv_model_set_clock(g.rig.model, false);
    assert_false(was_handed_over(&g));
    assert_int_equal(owner(&g), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_model_dma_domain(g.rig.model, RESTING),
                     PCV_DOMAIN_ID_QUARANTINE);
    comes_home(&g);
    guest_close(&g);
    return calls >= nth;
}

/* OWN-13, OWN-5, PORT-3: what cannot be done in good order is left undone. */
static void it_rests_whatever_fails_on_its_way_back(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_alloc, PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write,
        PCV_MODEL_OP_dma_attach};

    (void)state;
    for (unsigned i = 0; i < WHATS * sizeof(ops) / sizeof(ops[0]); i++) {
        uint64_t nth = 1;

        while (
            fail_on_the_way_back((enum what)(i % WHATS), ops[i / WHATS], nth)) {
            assert_true(++nth < 2000);
        }
    }
}

/* Somebody is inside the function itself, which is on its way back. */
struct failing {
    struct guest *g;
    enum what what;
    uint64_t read_nth, alloc_nth;
    int error;
};

static void fail_inside(struct rig *rig, const struct pcv_model_cfg *access)
{
    struct failing *f = rig->hook_data;

    (void)access;
    rig->hook = NULL;
    pcv_model_fail(rig->model, PCV_MODEL_OP_cfg_read, f->read_nth);
    pcv_model_fail(rig->model, PCV_MODEL_OP_alloc, f->alloc_nth);
    f->error = perform(f->g, f->what);
    pcv_model_fail(rig->model, PCV_MODEL_OP_cfg_read, 0);
    pcv_model_fail(rig->model, PCV_MODEL_OP_alloc, 0);
}

/* It is hidden; then the other one cannot be read, and no memory is left. */
static void go_back_under(enum what what, uint64_t read_nth, uint64_t alloc_nth)
{
    struct guest g;
    struct inside inside = {.g = &g, .what = what};
    struct failing failing = {&g, what, read_nth, alloc_nth, 0};

    open_rest(&g);
    g.rig.hook = begin_inside;
    g.rig.hook_data = &inside;
    (void)rig_read(&g.rig, OTHER, PCV_REG_STATUS, 2);
    assert_int_equal(inside.error, -PCV_ERESTART);
    assert_int_equal(owner(&g), PCV_DOMAIN_ID_HYPERVISOR);
    g.rig.hook = fail_inside;
    g.rig.hook_data = &failing;
    (void)rig_read(&g.rig, RESTING, PCV_REG_STATUS, 2);
    g.rig.hook = NULL;
    if (failing.error == -PCV_ERESTART) {
        failing.error = perform_all(&g, what);
    }
    if (failing.error != 0) {
        rests(&g);
        comes_home(&g);
    }
    guest_close(&g);
}

/* OWN-13, OWN-5: who is inside is not left without a view, whatever fails. */
static void whoever_is_inside_is_waited_for_whatever_fails(void **state)
{
    (void)state;
    for (uint64_t read_nth = 1; read_nth < 24; read_nth++) {
        for (uint64_t alloc_nth = 1; alloc_nth < 6; alloc_nth++) {
            go_back_under(HIDE, read_nth, alloc_nth);
        }
    }
}

/* OWN-13: nobody goes on with it; then it can be revealed, as ever. */
static void a_way_back_that_is_given_up_can_be_revealed(void **state)
{
    (void)state;
    for (unsigned what = 0; what < WHATS; what++) {
        struct guest g;
        int error = -PCV_ERESTART;

        take_and_fail(&g, (enum what)what);
        assert_int_equal(pcv_model_set_pending(g.rig.model, RESTING, 0), 0);
        pcv_model_set_clock(g.rig.model, false);
        for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
            error = pcv_device_reveal(g.rig.host, ROOT, PCV_SUBTREE, NULL);
        }
        assert_int_equal(error, 0);
        assert_int_equal(owner(&g), PCV_DOMAIN_ID_HARDWARE);
        assert_int_equal(rig_read(&g.rig, RESTING, PCV_REG_VENDOR, 4),
                         0x01018086);
        rig_write(&g.rig, RESTING, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        assert_true(rig_mapped(&g.rig, CARD_BAR + 0x10000u, 0x1000));
        guest_close(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_never_passes_through_the_hardware_domain),
        cmocka_unit_test(on_its_way_back_nobody_reaches_it),
        cmocka_unit_test(it_rests_whatever_fails_on_its_way_back),
        cmocka_unit_test(whoever_is_inside_is_waited_for_whatever_fails),
        cmocka_unit_test(a_way_back_that_is_given_up_can_be_revealed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Emulated functions come and go: what a host may ask for, what stands in the
 * way, and what appears in their place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulated_fixture.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- coming ----------------------------------------------------------------
 */

/* A call that must fail, and leave nothing behind. */
static void expect_error(struct emu *e, const struct pcv_emulated_info *info,
                         int error)
{
    const uint64_t bytes = hosted_stats(&e->h).bytes;
    struct pcv_emulated *out = (struct pcv_emulated *)e;

    assert_int_equal(
        pcv_emulated_create(e->hardware, info, &mailbox_ops, &e->mailbox, &out),
        error);
    assert_ptr_equal(out, e);
    assert_true(hosted_stats(&e->h).bytes == bytes);
}

/* VBUS-6 */
static void what_can_be_no_function_is_refused(void **state)
{
    struct emu e;
    struct pcv_emulated_info bad[10];
    size_t n = 0;

    (void)state;
    emu_start_bare(&e);
    for (size_t i = 0; i < COUNT(bad); i++) {
        bad[i] = e.info;
    }
    bad[n++].sbdf.v |= 1;
    bad[n++].vendor = 0;
    bad[n++].vendor = 1;
    bad[n++].vendor = 0xffff;
    bad[n++].class_code = 0x1000000;
    bad[n++].bar_size = 0;
    bad[n++].bar_size = PCV_EMULATED_BAR_MIN / 2;
    bad[n++].bar_size = PCV_EMULATED_BAR_MAX << 1;
    bad[n++].bar_size = EMU_BAR_SIZE + PCV_EMULATED_BAR_MIN;
    bad[n++].window_size = 0;
    assert_int_equal(n, COUNT(bad));
    for (size_t i = 0; i < n; i++) {
        expect_error(&e, &bad[i], -PCV_EINVAL);
    }
    bad[0] = e.info;
    bad[0].window.v = UINT64_MAX - 0xffff;
    bad[0].window_size = 0x20000; /* it wraps */
    expect_error(&e, &bad[0], -PCV_EINVAL);
    bad[0] = e.info;
    bad[0].sbdf = pcv_test_at(3, 0, 9, 0); /* the host has no such bus */
    expect_error(&e, &bad[0], -PCV_EINVAL);
    emu_end(&e);
}

/* VBUS-6 */
static void arguments_that_are_missing_are_refused(void **state)
{
    const struct pcv_emulated_ops no_read = {NULL, mailbox_write};
    const struct pcv_emulated_ops no_write = {mailbox_read, NULL};
    struct pcv_domain *guest;
    struct emu e;

    (void)state;
    emu_start_bare(&e);
    assert_int_equal(pcv_domain_create(e.h.host, 7, &guest), 0);
    assert_int_equal(
        pcv_emulated_create(NULL, &e.info, &mailbox_ops, NULL, &e.emulated),
        -PCV_EINVAL);
    assert_int_equal(
        pcv_emulated_create(guest, &e.info, &mailbox_ops, NULL, &e.emulated),
        -PCV_EINVAL);
    assert_int_equal(
        pcv_emulated_create(e.hardware, NULL, &mailbox_ops, NULL, &e.emulated),
        -PCV_EINVAL);
    assert_int_equal(
        pcv_emulated_create(e.hardware, &e.info, NULL, NULL, &e.emulated),
        -PCV_EINVAL);
    assert_int_equal(
        pcv_emulated_create(e.hardware, &e.info, &no_read, NULL, &e.emulated),
        -PCV_EINVAL);
    assert_int_equal(
        pcv_emulated_create(e.hardware, &e.info, &no_write, NULL, &e.emulated),
        -PCV_EINVAL);
    assert_int_equal(
        pcv_emulated_create(e.hardware, &e.info, &mailbox_ops, NULL, NULL),
        -PCV_EINVAL);
    assert_int_equal(pcv_emulated_destroy(NULL), 0);
    emu_end(&e);
}

/* VBUS-6 */
static void a_window_without_a_place_for_the_bar_is_full(void **state)
{
    static const struct {
        uint64_t base, size;
        bool wide;
        int error;
    } rows[] = {
        {0xa0000000u, EMU_BAR_SIZE, false, 0},
        {0xa0000000u, EMU_BAR_SIZE - 1, false, -PCV_ENOSPC},
        {0xa0001000u, EMU_BAR_SIZE, false, -PCV_ENOSPC}, /* not aligned */
        {0xa0001000u, 0x1f000, false, 0},
        {0xffff0000u, EMU_BAR_SIZE, false, -PCV_ENOSPC}, /* all ones */
        {0xfffe0000u, 0x20000, false, 0},
        {0x100000000u, EMU_BAR_SIZE, false, -PCV_ENOSPC},
        {0x100000000u, EMU_BAR_SIZE, true, 0},
        {UINT64_MAX - 0xffff, EMU_BAR_SIZE, true, -PCV_ENOSPC},
        {UINT64_MAX - 0xff, 0x100, true, -PCV_ENOSPC},
    };
    struct emu e;

    (void)state;
    emu_start_bare(&e);
    for (size_t i = 0; i < COUNT(rows); i++) {
        e.info.window.v = rows[i].base;
        e.info.window_size = rows[i].size;
        e.info.bar_64 = rows[i].wide;
        assert_int_equal(emu_create(&e), rows[i].error);
        if (rows[i].error == 0) {
            assert_int_equal(pcv_emulated_destroy(e.emulated), 0);
        }
    }
    emu_end(&e);
}

/* VBUS-6 */
static void it_stands_on_a_root_bus_only(void **state)
{
    struct pcv_emulated_info below;
    struct emu e;

    (void)state;
    emu_start_bare(&e);
    below = e.info;
    for (uint8_t bus = 1; bus <= 4; bus++) {
        below.sbdf = pcv_test_at(0, bus, 9, 0);
        expect_error(&e, &below, -PCV_EPERM);
    }
    emu_end(&e);
}

/* VBUS-6 */
static void it_takes_a_device_number_for_itself(void **state)
{
    struct pcv_emulated_info info;
    struct emu e;

    (void)state;
    emu_start(&e);
    info = e.info;
    expect_error(&e, &info, -PCV_EEXIST); /* emulated */
    info.sbdf = TREE_ENDPOINT;
    expect_error(&e, &info, -PCV_EEXIST); /* registered */
    emu_end(&e);
}

/* The tree machine with a function more, which nobody registered. */
static void start_with(struct emu *e, pcv_sbdf sbdf, bool plugged)
{
    struct pcv_test_function f;

    memset(e, 0, sizeof(*e));
    tree_build(&e->h);
    pcv_test_endpoint(&f, 0x8086, 0x1234);
    pcv_test_add(e->h.model, &f, sbdf);
    hosted_start(&e->h);
    assert_int_equal(pcv_model_pull(e->h.model, sbdf), 0);
    assert_int_equal(hosted_scan(&e->h), TREE_FUNCTIONS);
    if (plugged) {
        assert_int_equal(pcv_model_plug(e->h.model, sbdf), 0);
    }
    pcv_model_on_event(e->h.model, emu_told, e);
    e->hardware = pcv_host_hardware_domain(e->h.host);
    e->info = emu_info();
}

/* VBUS-6: any function of the device number, not only function 0. */
static void where_something_answers_nothing_is_emulated(void **state)
{
    for (uint32_t fn = 0; fn < PCV_FUNCTIONS; fn++) {
        struct emu e;

        start_with(&e, (pcv_sbdf){EMU.v | fn}, true);
        expect_error(&e, &e.info, -PCV_EEXIST);
        emu_end(&e);
    }
    (void)state;
}

/* VBUS-6, PORT-3 */
static void whichever_step_fails_nothing_is_left(void **state)
{
    static const struct {
        enum pcv_model_op op;
        int error;
    } rows[] = {
        {PCV_MODEL_OP_alloc, -PCV_ENOMEM},
        {PCV_MODEL_OP_cfg_read, -PCV_EIO},
        {PCV_MODEL_OP_segment, -PCV_EIO},
        {PCV_MODEL_OP_dma_attach, -PCV_EIO},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int error = rows[i].error;
        uint64_t n;

        for (n = 1; error == rows[i].error; n++) {
            struct emu e;

            emu_start_bare(&e);
            pcv_model_fail(e.h.model, rows[i].op, n);
            error = emu_create(&e);
            pcv_model_fail(e.h.model, rows[i].op, 0);
            if (error != 0) {
                assert_true(emu_absent(&e, EMU));
                assert_int_equal(emu_create(&e), 0);
            }
            assert_int_equal(emu_read(&e, 0, 4), 0x00e11b36);
            emu_end(&e);
        }
        assert_int_equal(error, 0);
        assert_true(n > 2); /* it failed at least once */
    }
}

/* VBUS-6, PORT-1 */
static void a_segment_without_a_device_can_have_one(void **state)
{
    struct pcv_test_function f;
    struct emu e;

    (void)state;
    memset(&e, 0, sizeof(e));
    hosted_build(&e.h);
    pcv_test_endpoint(&f, 0x8086, 0x1234);
    pcv_test_add(e.h.model, &f, TREE_ENDPOINT); /* nobody looks for it */
    hosted_start(&e.h);
    e.hardware = pcv_host_hardware_domain(e.h.host);
    e.info = emu_info();
    assert_int_equal(emu_create(&e), 0);
    assert_int_equal(emu_read(&e, 0, 4), 0x00e11b36);
    emu_end(&e);
}

/* ---- going -----------------------------------------------------------------
 */

/* VBUS-6 */
static void it_goes_and_can_come_again(void **state)
{
    const uint32_t slots[] = {9, 10, 31};
    struct pcv_emulated *emulated[3];
    struct emu e;
    uint64_t value;

    (void)state;
    emu_start_bare(&e);
    for (size_t i = 0; i < COUNT(slots); i++) {
        e.info.sbdf = pcv_test_at(0, 0, (uint8_t)slots[i], 0);
        assert_int_equal(emu_create(&e), 0);
        emulated[i] = e.emulated;
    }
    e.info.sbdf = pcv_test_at(0, 0, 10, 0);
    emu_switch_on(&e, EMU_AT);
    assert_int_equal(pcv_emulated_destroy(emulated[1]), 0);
    assert_true(emu_absent(&e, e.info.sbdf));
    assert_int_equal(emu_load(&e, EMU_AT, 4, &value), PCV_FORWARD);
    assert_int_equal(emu_read_at(&e, pcv_test_at(0, 0, 9, 0), 0, 2), 0x1b36);
    assert_int_equal(emu_read_at(&e, pcv_test_at(0, 0, 31, 0), 0, 2), 0x1b36);
    assert_int_equal(emu_create(&e), 0);
    assert_int_equal(emu_read(&e, PCV_REG_COMMAND, 2), 0);
    assert_int_equal(emu_read(&e, EMU_REG_BAR(0), 4), 0);
    assert_int_equal(pcv_emulated_destroy(emulated[0]), 0);
    assert_int_equal(pcv_emulated_destroy(emulated[2]), 0);
    assert_int_equal(pcv_emulated_destroy(e.emulated), 0);
    emu_end(&e);
}

/* A mailbox whose accesses end itself, and ask the library meanwhile. */
struct ender {
    struct emu e;
    int ended, status;
    enum pcv_device_state state;
    bool absent;
};

static int ending_read(void *ctx, uint8_t bar, uint64_t offset, uint8_t size,
                       uint64_t *out_value)
{
    struct ender *ender = ctx;
    struct pcv_device_status status;

    (void)bar;
    (void)offset;
    (void)size;
    ender->status = pcv_device_status(ender->e.h.host, TREE_LEAF, &status);
    ender->state = status.state;
    ender->ended = pcv_emulated_destroy(ender->e.emulated);
    ender->absent = emu_absent(&ender->e, EMU);
    *out_value = 0x77;
    return 0;
}

/* VBUS-6, LIFE-11 */
static void a_callback_inside_outlives_the_withdrawal(void **state)
{
    const struct pcv_emulated_ops ops = {ending_read, mailbox_write};
    struct ender ender = {.ended = 1};
    struct emu *e = &ender.e;
    uint64_t value;

    (void)state;
    emu_start_bare(e);
    assert_int_equal(
        pcv_emulated_create(e->hardware, &e->info, &ops, &ender, &e->emulated),
        0);
    emu_switch_on(e, EMU_AT);
    assert_int_equal(emu_load(e, EMU_AT, 1, &value), PCV_DONE);
    assert_int_equal(value, 0x77);
    assert_int_equal(ender.status, 0);
    assert_int_equal(ender.state, PCV_STATE_PRESENT);
    assert_int_equal(ender.ended, -PCV_ERESTART);
    assert_true(ender.absent);
    assert_int_equal(emu_load(e, EMU_AT, 1, &value), PCV_FORWARD);
    assert_int_equal(pcv_emulated_destroy(e->emulated), 0);
    emu_end(e);
}

/* VBUS-6: the address is free before the last callback is out. */
static void another_can_come_while_one_is_on_its_way_out(void **state)
{
    const struct pcv_emulated_ops ops = {ending_read, mailbox_write};
    struct ender ender = {.ended = 1};
    struct emu *e = &ender.e;
    struct pcv_emulated *old;
    uint64_t value;

    (void)state;
    emu_start_bare(e);
    assert_int_equal(
        pcv_emulated_create(e->hardware, &e->info, &ops, &ender, &e->emulated),
        0);
    emu_switch_on(e, EMU_AT);
    assert_int_equal(emu_load(e, EMU_AT, 1, &value), PCV_DONE);
    old = e->emulated;
    assert_int_equal(emu_create(e), 0);
    emu_switch_on(e, EMU_AT);
    assert_int_equal(emu_load(e, EMU_AT, 1, &value), PCV_DONE);
    assert_int_equal(e->mailbox.reads, 1);
    assert_int_equal(pcv_emulated_destroy(old), 0);
    assert_int_equal(emu_load(e, EMU_AT, 1, &value), PCV_DONE);
    emu_end(e); /* the host takes what is left along */
}

/* ---- physical functions ----------------------------------------------------
 */

static int scan_again(struct emu *e, struct pcv_scan *scan)
{
    memset(scan, 0, sizeof(*scan));
    return pcv_host_scan(e->h.host, scan, 0);
}

/* VBUS-6, OWN-9 */
static void what_appears_in_its_place_is_concealed(void **state)
{
    struct pcv_scan scan;
    struct emu e;

    (void)state;
    start_with(&e, EMU, false);
    assert_int_equal(emu_create(&e), 0);
    assert_int_equal(pcv_device_add(e.h.host, EMU, NULL), -PCV_ENODEV);
    assert_int_equal(pcv_model_plug(e.h.model, EMU), 0);
    assert_int_equal(pcv_model_dma_domain(e.h.model, EMU),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(scan_again(&e, &scan), 0);
    assert_int_equal(scan.found, 0);
    assert_int_equal(scan.failed, 0);
    assert_int_equal(e.events[PCV_EVENT_CONCEALED], 1);
    assert_int_equal(e.last.sbdf.v, EMU.v);
    assert_int_equal(e.last.arg[0], EMU.v);
    assert_int_equal(pcv_device_add(e.h.host, EMU, NULL), -PCV_EEXIST);
    assert_int_equal(e.events[PCV_EVENT_CONCEALED], 1); /* told once */
    assert_int_equal(emu_status(&e).concealed, 1);
    assert_int_equal(hosted_state(&e.h, EMU), PCV_STATE_ABSENT);
    assert_int_equal(emu_read(&e, 0, 4), 0x00e11b36);
    emu_end(&e);
}

/* VBUS-6 */
static void one_that_went_is_told_of_when_it_comes_back(void **state)
{
    const pcv_sbdf at = {EMU.v | 5u};
    struct emu e;

    (void)state;
    start_with(&e, at, false);
    assert_int_equal(emu_create(&e), 0);
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(pcv_model_plug(e.h.model, at), 0);
        assert_int_equal(pcv_device_add(e.h.host, at, NULL), -PCV_EEXIST);
        assert_int_equal(e.events[PCV_EVENT_CONCEALED], i);
        assert_int_equal(emu_status(&e).concealed, 1u << 5);
        assert_int_equal(pcv_model_pull(e.h.model, at), 0);
        assert_int_equal(pcv_device_add(e.h.host, at, NULL), -PCV_ENODEV);
        assert_int_equal(emu_status(&e).concealed, 0);
    }
    emu_end(&e);
}

/* VBUS-6, PORT-3 */
static void a_host_that_fails_conceals_nothing_and_is_asked_again(void **state)
{
    struct emu e;

    (void)state;
    start_with(&e, EMU, false);
    assert_int_equal(emu_create(&e), 0);
    assert_int_equal(pcv_model_plug(e.h.model, EMU), 0);
    pcv_model_fail(e.h.model, PCV_MODEL_OP_cfg_read, 1);
    assert_int_equal(pcv_device_add(e.h.host, EMU, NULL), -PCV_EIO);
    pcv_model_fail(e.h.model, PCV_MODEL_OP_dma_attach, 1);
    assert_int_equal(pcv_device_add(e.h.host, EMU, NULL), -PCV_EIO);
    assert_int_equal(e.events[PCV_EVENT_CONCEALED], 0);
    assert_int_equal(pcv_device_add(e.h.host, EMU, NULL), -PCV_EEXIST);
    assert_int_equal(e.events[PCV_EVENT_CONCEALED], 1);
    emu_end(&e);
}

/* VBUS-6, OWN-2: once nothing is emulated there it is a device like others. */
static void it_is_registered_when_the_emulated_one_is_gone(void **state)
{
    struct emu e;

    (void)state;
    start_with(&e, EMU, false);
    assert_int_equal(emu_create(&e), 0);
    assert_int_equal(pcv_model_plug(e.h.model, EMU), 0);
    assert_int_equal(pcv_device_add(e.h.host, EMU, NULL), -PCV_EEXIST);
    assert_int_equal(pcv_emulated_destroy(e.emulated), 0);
    assert_int_equal(pcv_device_add(e.h.host, EMU, NULL), 0);
    assert_int_equal(pcv_model_dma_domain(e.h.model, EMU),
                     PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(emu_read(&e, 0, 4), 0x12348086);
    expect_error(&e, &e.info, -PCV_EEXIST);
    emu_end(&e);
}

/* Somebody who comes when another has looked, and found nobody. */
static struct {
    struct emu *e;
    int created;
} latecomer;

static int read_and_come(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                         uint32_t *out_value)
{
    int result = pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out_value);

    if (latecomer.e && sbdf.v == EMU.v) {
        struct emu *e = latecomer.e;

        latecomer.e = NULL;
        assert_int_equal(pcv_model_pull(e->h.model, EMU), 0);
        latecomer.created = emu_create(e);
    }
    return result;
}

/* VBUS-6: an add that was on its way when the number was taken. */
static void of_an_add_and_an_emulated_one_the_first_has_the_place(void **state)
{
    struct pcv_test_function f;
    struct emu e;

    (void)state;
    memset(&e, 0, sizeof(e));
    tree_build(&e.h);
    pcv_test_endpoint(&f, 0x8086, 0x1234);
    pcv_test_add(e.h.model, &f, EMU);
    e.h.ops.cfg_read = read_and_come;
    hosted_start(&e.h);
    e.hardware = pcv_host_hardware_domain(e.h.host);
    e.info = emu_info();
    latecomer.e = &e;
    latecomer.created = 1;
    assert_int_equal(pcv_device_add(e.h.host, EMU, NULL), -PCV_EBUSY);
    assert_int_equal(latecomer.created, 0);
    assert_int_equal(hosted_state(&e.h, EMU), PCV_STATE_ABSENT);
    assert_int_equal(emu_read(&e, 0, 4), 0x00e11b36);
    emu_end(&e);
}

/* VBUS-6, TOPO-7: a VF's vendor ID tells nothing; its PF's word is taken. */
static void a_vf_in_its_place_is_concealed(void **state)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF,
                                      .physfn = pcv_test_at(0, 0, 8, 0)};
    struct pcv_test_function f;
    struct pcv_scan scan;
    struct emu e;

    (void)state;
    memset(&e, 0, sizeof(e));
    tree_build(&e.h);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 2, 2, 8, 8); /* VFs are 00:09.0 and 00:0a.0 */
    pcv_test_add(e.h.model, &f, info.physfn);
    pcv_test_vf(&f, info.physfn);
    pcv_test_add(e.h.model, &f, EMU);
    pcv_test_add(e.h.model, &f, pcv_test_at(0, 0, 10, 0));
    hosted_start(&e.h);
    pcv_model_on_event(e.h.model, emu_told, &e);
    e.hardware = pcv_host_hardware_domain(e.h.host);
    e.info = emu_info();
    assert_int_equal(emu_create(&e), 0);
    assert_int_equal(scan_again(&e, &scan), 0);
    assert_int_equal(scan.found, TREE_FUNCTIONS + 2);
    assert_int_equal(scan.failed, 0);
    assert_int_equal(e.events[PCV_EVENT_CONCEALED], 1);
    assert_int_equal(hosted_state(&e.h, pcv_test_at(0, 0, 10, 0)),
                     PCV_STATE_PRESENT);
    assert_int_equal(pcv_device_add(e.h.host, EMU, &info), -PCV_EEXIST);
    emu_end(&e);
}

/* VBUS-6, TOPO-4: a bus that a bridge comes to lead to is no root bus. */
static void it_is_not_seen_while_a_bridge_leads_to_its_bus(void **state)
{
    struct emu e;
    uint64_t value;

    (void)state;
    emu_start_bare(&e);
    e.info.sbdf = pcv_test_at(0, 0x20, 9, 0);
    assert_int_equal(emu_create(&e), 0);
    emu_switch_on(&e, EMU_AT);
    assert_int_equal(pcv_device_remove(e.h.host, TREE_ROOT_PORT, NULL, NULL),
                     0);
    pcv_model_poke(e.h.model, TREE_ROOT_PORT, PCV_REG_SUBORDINATE, 1, 0x20);
    assert_int_equal(pcv_device_add(e.h.host, TREE_ROOT_PORT, NULL), 0);
    assert_true(emu_absent(&e, e.info.sbdf));
    assert_int_equal(emu_load(&e, EMU_AT, 4, &value), PCV_FORWARD);
    assert_int_equal(emu_status(&e).bar.state, PCV_BAR_OFF);
    assert_int_equal(pcv_device_remove(e.h.host, TREE_ROOT_PORT, NULL, NULL),
                     0);
    assert_int_equal(emu_read(&e, 0, 4), 0x00e11b36);
    assert_int_equal(emu_load(&e, EMU_AT, 4, &value), PCV_DONE);
    emu_end(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_no_function_is_refused),
        cmocka_unit_test(arguments_that_are_missing_are_refused),
        cmocka_unit_test(a_window_without_a_place_for_the_bar_is_full),
        cmocka_unit_test(it_stands_on_a_root_bus_only),
        cmocka_unit_test(it_takes_a_device_number_for_itself),
        cmocka_unit_test(where_something_answers_nothing_is_emulated),
        cmocka_unit_test(whichever_step_fails_nothing_is_left),
        cmocka_unit_test(a_segment_without_a_device_can_have_one),
        cmocka_unit_test(it_goes_and_can_come_again),
        cmocka_unit_test(a_callback_inside_outlives_the_withdrawal),
        cmocka_unit_test(another_can_come_while_one_is_on_its_way_out),
        cmocka_unit_test(what_appears_in_its_place_is_concealed),
        cmocka_unit_test(one_that_went_is_told_of_when_it_comes_back),
        cmocka_unit_test(a_host_that_fails_conceals_nothing_and_is_asked_again),
        cmocka_unit_test(it_is_registered_when_the_emulated_one_is_gone),
        cmocka_unit_test(of_an_add_and_an_emulated_one_the_first_has_the_place),
        cmocka_unit_test(a_vf_in_its_place_is_concealed),
        cmocka_unit_test(it_is_not_seen_while_a_bridge_leads_to_its_bus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

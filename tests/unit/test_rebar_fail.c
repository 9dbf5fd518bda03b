/* SPDX-License-Identifier: MIT */
/*
 * Resizable BARs of functions and hosts that do not go along (REBAR-1): sizes
 * and addresses that do not stay as they were written, entries that stop
 * answering, memory that runs out.
 */
#include "rebar_fixture.h"

/* What hardware ignores: writes of this register. */
static uint16_t deaf_reg;

static int deaf_write(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                      uint32_t value)
{
    return deaf_reg != 0 && reg == deaf_reg
               ? 0
               : pcv_model_ops()->cfg_write(ctx, sbdf, reg, size, value);
}

static void give(struct card *c)
{
    int error;

    assert_int_equal(pcv_domain_create(c->rig.host, VFS_GUEST, &c->guest), 0);
    assert_int_equal(
        pcv_domain_add_window(c->guest, (pcv_gpa){VFS_WINDOW}, 2 * GIB), 0);
    do {
        error = pcv_device_assign(c->rig.host, CARD, c->guest, NULL, &c->at);
    } while (error == -PCV_ERESTART);
    assert_int_equal(error, 0);
    rig_forget(&c->rig);
}

static void begin(struct card *c)
{
    memset(c, 0, sizeof(*c));
    rig_open(&c->rig);
    deaf_reg = 0;
    c->rig.ops.cfg_write = deaf_write;
}

static void guest_set(struct card *c, uint32_t reg, uint32_t value)
{
    vfs_write_as(c->guest, c->at, (uint16_t)reg, 4, value);
}

static uint32_t guest_get(struct card *c, uint32_t reg)
{
    return vfs_read_as(c->guest, c->at, (uint16_t)reg, 4);
}

/* Somewhere else than it is. */
static int place_apart(void *ctx, pcv_sbdf sbdf, uint8_t number, uint64_t size,
                       pcv_hpa *out_address)
{
    (void)ctx;
    (void)sbdf;
    (void)number;
    out_address->v = BAR + GIB;
    return size <= GIB ? 0 : -PCV_ENOSPC;
}

/* ---- what does not stay as it was written ----------------------------------
 */

/* REBAR-1: a size or an address that hardware does not take is none; the BAR
 * is as it was, for the guest and in the records. */
static void what_hardware_does_not_take_is_undone(void **state)
{
    static const bool sizes[] = {true, false};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pcv_test_function f;
        struct card c;

        begin(&c);
        c.rig.ops.bar_place = place_apart;
        card_make(&f);
        c.cap = pcv_test_rebar(&f, 0, SIZES, 0);
        card_boot(&c, &f);
        give(&c);
        deaf_reg = sizes[i] ? (uint16_t)(c.cap + 8u) : PCV_REG_BAR0;
        guest_set(&c, c.cap + 8u, CONTROL(4, 0));
        deaf_reg = 0;
        assert_int_equal(guest_get(&c, c.cap + 8u), 1u << 5);
        assert_int_equal(control(&c), 1u << 5);
        assert_true(bar(&c, 0).size == MIB && bar(&c, 0).address == BAR);
        assert_int_equal(pcv_model_peek(c.rig.model, CARD, PCV_REG_BAR0, 4),
                         (uint32_t)BAR | PCV_BAR_TYPE_64);
        assert_int_equal(refused(&c), 1);
        guest_set(&c, c.cap + 8u, CONTROL(4, 0));
        assert_true(bar(&c, 0).size == 16 * MIB);
        rig_close(&c.rig);
    }
}

/* REBAR-1, LIFE-9: nothing is known of an entry of all ones. */
static void an_entry_that_does_not_answer_is_not_resized(void **state)
{
    (void)state;
    for (uint32_t guest = 0; guest < 2; guest++) {
        struct card c;

        card_open(&c);
        if (guest != 0) {
            give(&c);
        }
        pcv_model_poke(c.rig.model, CARD, (uint16_t)(c.cap + 8u), 4,
                       0xffffffffu);
        rig_forget(&c.rig);
        if (guest != 0) {
            guest_set(&c, c.cap + 8u, CONTROL(2, 0));
            assert_int_equal(guest_get(&c, c.cap + 8u), 1u << 5);
        } else {
            resize(&c, 2);
        }
        assert_int_equal(rig_writes(&c.rig), 0);
        assert_int_equal(refused(&c), 0); /* it is nobody's fault */
        assert_true(bar(&c, 0).size == MIB);
        pcv_model_poke(c.rig.model, CARD, (uint16_t)(c.cap + 8u), 4, 1u << 5);
        rig_close(&c.rig);
    }
}

/* REBAR-1, PORT-3 */
static void the_hardware_domain_gets_what_hardware_has(void **state)
{
    static const enum pcv_model_op ops[] = {PCV_MODEL_OP_cfg_read,
                                            PCV_MODEL_OP_cfg_write};

    (void)state;
    for (size_t op = 0; op < 2; op++) {
        for (uint64_t n = 1;; n++) {
            struct card c;
            uint64_t calls;
            uint32_t code;

            card_open(&c);
            calls = pcv_model_calls(c.rig.model, ops[op]);
            pcv_model_fail(c.rig.model, ops[op], n);
            resize(&c, 4);
            pcv_model_fail(c.rig.model, ops[op], 0);
            calls = pcv_model_calls(c.rig.model, ops[op]) - calls;
            /* Whoever switches decoding on maps what is there. */
            rig_write(&c.rig, CARD, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
            code = control(&c) >> 8 & 0x3fu;
            assert_true(code == 0 || code == 4);
            assert_true(bar(&c, 0).size == MIB << code);
            assert_true(rig_mapped(&c.rig, BAR, MIB << code));
            rig_close(&c.rig);
            if (calls < n) {
                assert_int_equal(code, 4);
                break;
            }
        }
    }
}

/* PM-1, REBAR-1: a sleeping guest's function decodes nothing, and yet its
 * guest has decoding on. */
static void a_sleeping_function_is_not_resized(void **state)
{
    struct pcv_test_function f;
    struct card c;
    uint8_t pm;

    (void)state;
    begin(&c);
    card_make(&f);
    pm = pcv_test_pm(&f, true);
    c.cap = pcv_test_rebar(&f, 0, SIZES, 0);
    card_boot(&c, &f);
    give(&c);
    guest_set(&c, PCV_REG_BAR0, (uint32_t)VFS_WINDOW);
    guest_set(&c, PCV_REG_COMMAND, PCV_CMD_MEMORY);
    vfs_write_as(c.guest, c.at, (uint16_t)(pm + PCV_PM_CONTROL), 2,
                 PCV_PM_D3HOT);
    guest_set(&c, c.cap + 8u, CONTROL(2, 0));
    assert_int_equal(guest_get(&c, c.cap + 8u), 1u << 5);
    assert_true(bar(&c, 0).size == MIB);
    assert_int_equal(refused(&c), 1);
    rig_close(&c.rig);
}

/* ---- memory ----------------------------------------------------------------
 */

/* MSI-X at 2 MiB of a BAR of 4 MiB, which goes when that has 1 MiB: then there
 * are other pages to set memory aside for. */
static void open_with_msix(struct card *c)
{
    struct pcv_test_function f;

    begin(c);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_bar64(&f, 0, BAR, 4 * MIB);
    pcv_test_bar32(&f, 2, 0xe0000000u, 16);
    (void)pcv_test_msix(&f, 4, 0, 0x200000, 0x201000);
    c->cap = pcv_test_rebar(&f, 0, SIZES, 2);
    card_boot(c, &f);
}

/* REBAR-1, PORT-3: without the memory that the new size takes, the BAR has the
 * one that it had. */
static void a_size_that_there_is_no_memory_for_is_not_taken(void **state)
{
    (void)state;
    for (uint32_t guest = 0; guest < 2; guest++) {
        for (uint64_t n = 1;; n++) {
            struct card c;
            uint64_t calls, size;
            bool failed;

            open_with_msix(&c);
            if (guest != 0) {
                give(&c);
            }
            calls = pcv_model_calls(c.rig.model, PCV_MODEL_OP_alloc);
            pcv_model_fail(c.rig.model, PCV_MODEL_OP_alloc, n);
            if (guest != 0) {
                guest_set(&c, c.cap + 8u, CONTROL(0, 0));
            } else {
                resize(&c, 0);
            }
            pcv_model_fail(c.rig.model, PCV_MODEL_OP_alloc, 0);
            failed =
                pcv_model_calls(c.rig.model, PCV_MODEL_OP_alloc) - calls >= n;
            size = failed ? 4 * MIB : MIB;
            assert_true(bar(&c, 0).size == size);
            assert_int_equal(control(&c) >> 8, failed ? 2 : 0);
            assert_int_equal(refused(&c), failed ? 1 : 0);
            if (guest == 0) {
                rig_write(&c.rig, CARD, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
                assert_true(rig_mapped(&c.rig, BAR, MIB));
            }
            rig_close(&c.rig);
            if (!failed) {
                assert_true(n > 1);
                break;
            }
        }
    }
}

/* ---- what a capability says of itself --------------------------------------
 */

/* CAP-3: entries that would lie past the end of configuration space. */
static void entries_past_the_end_are_none(void **state)
{
    static const struct {
        uint32_t count;
        bool shown;
    } rows[] = {{1, true}, {2, false}, {6, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_test_function f;
        struct card c;

        begin(&c);
        card_make(&f);
        f.ext_free = 0xff4;
        pcv_test_set(&f, PCV_EXT_CAP_START, 4,
                     PCV_EXT_CAP_ID_DSN | 1u << 16 | 0xff4u << 20);
        pcv_test_set(&f, 0xff4, 4, PCV_EXT_CAP_ID_REBAR | 1u << 16);
        pcv_test_set(&f, 0xff8, 4, SIZES << 4);
        pcv_test_set(&f, 0xffc, 4, rows[i].count << 5);
        c.cap = 0xff4;
        pcv_test_add(c.rig.model, &f, CARD);
        rig_create(&c.rig);
        assert_int_equal(pcv_device_add(c.rig.host, CARD, NULL), 0);
        assert_int_equal(rig_events(&c.rig, PCV_EVENT_CAP_HIDDEN),
                         rows[i].shown ? 0 : 1);
        rig_forget(&c.rig);
        resize(&c, 2);
        assert_int_equal(control(&c) >> 8 & 0x3fu, rows[i].shown ? 2 : 0);
        rig_close(&c.rig);
    }
}

/* REBAR-1: each entry has its own choice. */
static void a_guest_chooses_for_each_bar(void **state)
{
    static const struct entry entries[] = {{3u << 4, 0}, {3u << 4, 2}};
    struct pcv_test_function f;
    struct card c;

    (void)state;
    begin(&c);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_bar64(&f, 0, BAR, MIB);
    pcv_test_bar32(&f, 2, 0xd0000000u, MIB);
    c.cap = add_entries(&f, entries, 2, 2);
    card_boot(&c, &f);
    give(&c);
    guest_set(&c, c.cap + 8u, CONTROL(1, 0));
    assert_true(bar(&c, 0).size == 2 * MIB && bar(&c, 2).size == MIB);
    guest_set(&c, c.cap + 16u, CONTROL(1, 2));
    assert_true(bar(&c, 0).size == 2 * MIB && bar(&c, 2).size == 2 * MIB);
    assert_int_equal(guest_get(&c, c.cap + 8u), CONTROL(1, 0) | 2u << 5);
    assert_int_equal(guest_get(&c, c.cap + 16u), CONTROL(1, 2));
    rig_close(&c.rig);
}

/* REBAR-1, SRIOV-2: sizes of VF BARs are their PF's, whatever a VF says. */
static void a_vf_resizes_nothing(void **state)
{
    struct pcv_test_function f;
    uint16_t cap;
    struct vfs v;

    (void)state;
    memset(&v, 0, sizeof(v));
    rig_open(&v.rig);
    vfs_make_pf(&v, &f);
    pcv_test_add(v.rig.model, &f, VFS_PF);
    vfs_make_vf(&f);
    cap = pcv_test_rebar(&f, 0, SIZES, 0);
    pcv_test_add(v.rig.model, &f, vfs_at(0));
    rig_create(&v.rig);
    assert_int_equal(pcv_device_add(v.rig.host, VFS_PF, NULL), 0);
    rig_forget(&v.rig);
    assert_int_equal(
        pcv_device_add(
            v.rig.host, vfs_at(0),
            &(struct pcv_add_info){.flags = PCV_ADD_IS_VF, .physfn = VFS_PF}),
        0);
    assert_int_equal(rig_events(&v.rig, PCV_EVENT_CAP_HIDDEN), 1);
    rig_forget(&v.rig);
    vfs_write_as(v.rig.dom0, vfs_at(0), (uint16_t)(cap + 8u), 4, CONTROL(2, 0));
    assert_int_equal(rig_writes(&v.rig), 0);
    rig_close(&v.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_hardware_does_not_take_is_undone),
        cmocka_unit_test(an_entry_that_does_not_answer_is_not_resized),
        cmocka_unit_test(the_hardware_domain_gets_what_hardware_has),
        cmocka_unit_test(a_sleeping_function_is_not_resized),
        cmocka_unit_test(a_size_that_there_is_no_memory_for_is_not_taken),
        cmocka_unit_test(entries_past_the_end_are_none),
        cmocka_unit_test(a_guest_chooses_for_each_bar),
        cmocka_unit_test(a_vf_resizes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

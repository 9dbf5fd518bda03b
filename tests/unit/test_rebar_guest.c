/* SPDX-License-Identifier: MIT */
/* BARs that a guest resizes, as far as the host has room (REBAR-1). */
#include "rebar_fixture.h"

static void give(struct card *c, const struct pcv_assign_policy *policy)
{
    int error;

    assert_int_equal(pcv_domain_create(c->rig.host, VFS_GUEST, &c->guest), 0);
    assert_int_equal(
        pcv_domain_add_window(c->guest, (pcv_gpa){VFS_WINDOW}, 2 * GIB), 0);
    do {
        error = pcv_device_assign(c->rig.host, CARD, c->guest, policy, &c->at);
    } while (error == -PCV_ERESTART);
    assert_int_equal(error, 0);
    rig_forget(&c->rig);
}

static void take_back(struct card *c)
{
    int error;

    do {
        error = pcv_device_deassign(c->rig.host, CARD);
    } while (error == -PCV_ERESTART);
    assert_int_equal(error, 0);
}

static uint32_t guest_read(struct card *c, uint32_t reg)
{
    return vfs_read_as(c->guest, c->at, (uint16_t)reg, 4);
}

static void guest_write(struct card *c, uint32_t reg, uint32_t value)
{
    vfs_write_as(c->guest, c->at, (uint16_t)reg, 4, value);
}

/* Refuses what is larger than this. */
static uint64_t room;

static int place(void *ctx, pcv_sbdf sbdf, uint8_t bar_number, uint64_t size,
                 pcv_hpa *out_address)
{
    return size > room ? -PCV_ENOSPC
                       : pcv_model_ops()->bar_place(ctx, sbdf, bar_number, size,
                                                    out_address);
}

static void open_given(struct card *c, uint64_t has_room,
                       const struct pcv_assign_policy *policy)
{
    struct pcv_test_function f;

    memset(c, 0, sizeof(*c));
    rig_open(&c->rig);
    room = has_room;
    c->rig.ops.bar_place = place;
    card_make(&f);
    c->cap = pcv_test_rebar(&f, 0, SIZES, 0);
    card_boot(c, &f);
    give(c, policy);
}

/* REBAR-1 */
static void a_guest_chooses_among_the_sizes_that_the_host_has_room_for(
    void **state)
{
    struct card c;

    (void)state;
    open_given(&c, 16 * MIB, NULL);
    assert_int_equal(guest_read(&c, c.cap) & 0xffffu, PCV_EXT_CAP_ID_REBAR);
    assert_int_equal(guest_read(&c, c.cap + 4u), (1u << 0 | 1u << 2 | 1u << 4)
                                                     << 4);
    assert_int_equal(guest_read(&c, c.cap + 8u), 1u << 5);
    guest_write(&c, PCV_REG_BAR0, (uint32_t)VFS_WINDOW + 0x00300000u);
    guest_write(&c, c.cap + 8u, 4u << 8);
    assert_int_equal(guest_read(&c, c.cap + 8u), 4u << 8 | 1u << 5);
    assert_int_equal(control(&c), 4u << 8 | 1u << 5);
    assert_true(bar(&c, 0).size == 16 * MIB);
    /* Its address has as many bits as are left. */
    assert_int_equal(guest_read(&c, PCV_REG_BAR0),
                     VFS_WINDOW | PCV_BAR_TYPE_64);
    guest_write(&c, PCV_REG_BAR0, 0xffffffffu);
    assert_int_equal(guest_read(&c, PCV_REG_BAR0),
                     0xff000000u | PCV_BAR_TYPE_64);
    guest_write(&c, PCV_REG_BAR0, (uint32_t)VFS_WINDOW);
    guest_write(&c, PCV_REG_COMMAND, PCV_CMD_MEMORY);
    for (uint64_t i = 0; i < 16 * MIB >> 12; i++) {
        uint64_t page;

        assert_true(pcv_model_translate(c.rig.model, VFS_GUEST,
                                        (VFS_WINDOW >> 12) + i, &page));
        assert_int_equal(page, (bar(&c, 0).address >> 12) + i);
    }
    /* What the host had is put back. */
    take_back(&c);
    assert_int_equal(control(&c), 1u << 5);
    assert_true(bar(&c, 0).size == MIB);
    assert_true(bar(&c, 0).address == BAR);
    assert_int_equal(pcv_model_peek(c.rig.model, CARD, PCV_REG_BAR0 + 4, 4),
                     BAR >> 32);
    rig_close(&c.rig);
}

/* REBAR-1 */
static void a_guest_is_refused_what_it_was_not_offered(void **state)
{
    static const uint32_t codes[] = {1, 10, 28, 44, 63};
    struct card c;

    (void)state;
    open_given(&c, 16 * MIB, NULL);
    room = UINT64_MAX; /* too late */
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        guest_write(&c, c.cap + 8u, codes[i] << 8);
        assert_int_equal(guest_read(&c, c.cap + 8u), 1u << 5);
    }
    guest_write(&c, c.cap + 4u, 0);
    assert_int_equal(guest_read(&c, c.cap + 4u), (1u << 0 | 1u << 2 | 1u << 4)
                                                     << 4);
    assert_int_equal(refused(&c), 5);
    assert_int_equal(rig_writes(&c.rig), 0);
    take_back(&c);
    rig_close(&c.rig);
}

/* REBAR-1 */
static void a_guest_resizes_only_what_it_does_not_decode(void **state)
{
    struct card c;

    (void)state;
    open_given(&c, 16 * MIB, NULL);
    guest_write(&c, PCV_REG_BAR0, (uint32_t)VFS_WINDOW);
    guest_write(&c, PCV_REG_COMMAND, PCV_CMD_MEMORY);
    guest_write(&c, c.cap + 8u, 2u << 8);
    assert_int_equal(guest_read(&c, c.cap + 8u), 1u << 5);
    guest_write(&c, PCV_REG_COMMAND, 0);
    /* Hardware decodes for another's sake. */
    pcv_model_poke(c.rig.model, CARD, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    guest_write(&c, c.cap + 8u, 2u << 8);
    assert_int_equal(guest_read(&c, c.cap + 8u), 1u << 5);
    assert_int_equal(control(&c), 1u << 5);
    pcv_model_poke(c.rig.model, CARD, PCV_REG_COMMAND, 2, 0);
    guest_write(&c, c.cap + 8u, 2u << 8);
    assert_int_equal(guest_read(&c, c.cap + 8u), 2u << 8 | 1u << 5);
    rig_close(&c.rig);
}

/* REBAR-1: hidden where it can't be. */
static void a_guest_without_a_choice_sees_none(void **state)
{
    const struct pcv_assign_policy out = {.bars_out = 1};
    static const uint64_t rooms[] = {0, MIB, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct card c;

        open_given(&c, rooms[i], i == 2 ? &out : NULL);
        for (uint32_t reg = 0; reg < 12; reg += 4) {
            uint32_t value = guest_read(&c, c.cap + reg);

            assert_int_equal(value, 0);
        }
        guest_write(&c, c.cap + 8u, 2u << 8);
        assert_int_equal(control(&c), 1u << 5);
        rig_close(&c.rig);
    }
}

/* REBAR-1: without the operation. */
static void a_host_that_places_no_bars_offers_none(void **state)
{
    struct pcv_test_function f;
    struct card c;

    (void)state;
    memset(&c, 0, sizeof(c));
    rig_open(&c.rig);
    c.rig.ops.bar_place = NULL;
    card_make(&f);
    c.cap = pcv_test_rebar(&f, 0, SIZES, 0);
    card_boot(&c, &f);
    give(&c, NULL);
    assert_int_equal(guest_read(&c, c.cap), 0);
    rig_close(&c.rig);
}

/* CAP-6: a BAR that is left out has the size that it has. */
static void a_bar_left_out_is_not_resized(void **state)
{
    static const struct entry entries[] = {{3u << 4, 0}, {3u << 4, 2}};
    const struct pcv_assign_policy out = {.bars_out = 1};
    struct pcv_test_function f;
    struct card c;

    (void)state;
    memset(&c, 0, sizeof(c));
    rig_open(&c.rig);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_bar64(&f, 0, BAR, MIB);
    pcv_test_bar32(&f, 2, 0xd0000000u, MIB);
    c.cap = add_entries(&f, entries, 2, 2);
    card_boot(&c, &f);
    give(&c, &out);
    assert_int_equal(guest_read(&c, c.cap + 4u), 1u << 4);
    assert_int_equal(guest_read(&c, c.cap + 8u), 2u << 5);
    assert_int_equal(guest_read(&c, c.cap + 12u), 3u << 4);
    assert_int_equal(guest_read(&c, c.cap + 16u), 2);
    guest_write(&c, c.cap + 8u, 1u << 8);
    guest_write(&c, c.cap + 16u, 1u << 8);
    assert_int_equal(control(&c), 2u << 5);
    assert_true(bar(&c, 0).size == MIB);
    assert_true(bar(&c, 2).size == 2 * MIB);
    rig_close(&c.rig);
}

/* Says where nothing can be. */
static int place_badly(void *ctx, pcv_sbdf sbdf, uint8_t bar_number,
                       uint64_t size, pcv_hpa *out_address)
{
    static const uint64_t bad[] = {0xfffff00000000000u, 0x100001000u};

    (void)ctx;
    (void)sbdf;
    (void)bar_number;
    out_address->v = bad[size > 2 * MIB];
    return 0;
}

/* REBAR-1: a host's answer that makes no sense is no room. */
static void an_address_that_does_not_fit_is_none(void **state)
{
    static const struct entry entry = {7u << 4, 2};
    struct pcv_test_function f;
    struct card c;

    (void)state;
    memset(&c, 0, sizeof(c));
    rig_open(&c.rig);
    c.rig.ops.bar_place = place_badly;
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_bar32(&f, 2, 0xd0000000u, MIB);
    c.cap = add_entries(&f, &entry, 1, 1);
    card_boot(&c, &f);
    give(&c, NULL);
    assert_int_equal(guest_read(&c, c.cap), 0);
    rig_close(&c.rig);
}

/* REBAR-1, PORT-3: resized, or as it was. */
static void a_resize_that_the_host_fails_in_is_undone(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write, PCV_MODEL_OP_bar_place,
        PCV_MODEL_OP_alloc};

    (void)state;
    for (size_t op = 0; op < sizeof(ops) / sizeof(ops[0]); op++) {
        for (uint64_t n = 1;; n++) {
            struct card c;
            uint64_t calls;
            bool done;

            open_given(&c, GIB, NULL);
            calls = pcv_model_calls(c.rig.model, ops[op]);
            pcv_model_fail(c.rig.model, ops[op], n);
            guest_write(&c, c.cap + 8u, 10u << 8);
            pcv_model_fail(c.rig.model, ops[op], 0);
            calls = pcv_model_calls(c.rig.model, ops[op]) - calls;
            done = control(&c) >> 8 == 10;
            assert_int_equal(guest_read(&c, c.cap + 8u), control(&c));
            assert_true(bar(&c, 0).size == (done ? GIB : MIB));
            assert_true(done || bar(&c, 0).address == BAR);
            assert_true(bar(&c, 0).address ==
                        ((uint64_t)pcv_model_peek(c.rig.model, CARD,
                                                  PCV_REG_BAR0 + 4, 4)
                             << 32 |
                         (pcv_model_peek(c.rig.model, CARD, PCV_REG_BAR0, 4) &
                          PCV_BAR_MEM_MASK)));
            take_back(&c);
            assert_int_equal(control(&c), 1u << 5);
            rig_close(&c.rig);
            if (calls < n) {
                assert_true(done);
                break;
            }
        }
    }
}

/* MSIX-3: for a guest, too. */
static void a_guest_that_shrinks_msix_away_has_none(void **state)
{
    struct pcv_test_function f;
    uint8_t msix;
    struct card c;

    (void)state;
    memset(&c, 0, sizeof(c));
    rig_open(&c.rig);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_bar64(&f, 0, BAR, 4 * MIB);
    msix = pcv_test_msix(&f, 4, 0, 0x200000, 0x201000);
    c.cap = pcv_test_rebar(&f, 0, SIZES, 2);
    card_boot(&c, &f);
    give(&c, NULL);
    assert_int_equal(guest_read(&c, msix) & 0xffu, PCV_CAP_ID_MSIX);
    guest_write(&c, c.cap + 8u, 0);
    assert_true(bar(&c, 0).size == MIB);
    assert_int_equal(rig_events(&c.rig, PCV_EVENT_CAP_HIDDEN), 1);
    guest_write(&c, msix, 0x80000000u);
    assert_int_equal(pcv_model_peek(c.rig.model, CARD, msix + 2u, 2) & 0x8000u,
                     0);
    take_back(&c);
    assert_true(bar(&c, 0).size == 4 * MIB);
    rig_close(&c.rig);
}

/* REBAR-1, PCIE-1: the guest's size is the guest's, also over its resets. */
static void a_guest_keeps_its_size_when_it_resets_the_function(void **state)
{
    struct card c;

    (void)state;
    open_given(&c, GIB, NULL);
    guest_write(&c, c.cap + 8u, 4u << 8);
    vfs_write_as(c.guest, c.at, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    (void)guest_read(&c, 0);
    assert_int_equal(guest_read(&c, c.cap + 8u), 4u << 8 | 1u << 5);
    assert_int_equal(control(&c), 4u << 8 | 1u << 5);
    assert_true(bar(&c, 0).size == 16 * MIB);
    rig_close(&c.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_guest_chooses_among_the_sizes_that_the_host_has_room_for),
        cmocka_unit_test(a_guest_is_refused_what_it_was_not_offered),
        cmocka_unit_test(a_guest_resizes_only_what_it_does_not_decode),
        cmocka_unit_test(a_guest_without_a_choice_sees_none),
        cmocka_unit_test(a_host_that_places_no_bars_offers_none),
        cmocka_unit_test(a_bar_left_out_is_not_resized),
        cmocka_unit_test(an_address_that_does_not_fit_is_none),
        cmocka_unit_test(a_resize_that_the_host_fails_in_is_undone),
        cmocka_unit_test(a_guest_that_shrinks_msix_away_has_none),
        cmocka_unit_test(a_guest_keeps_its_size_when_it_resets_the_function),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

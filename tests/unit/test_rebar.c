/* SPDX-License-Identifier: MIT */
/* Resizable BARs, for the hardware domain and for guests (REBAR-1). */
#include "vfs_fixture.h"

#define CARD PCV_TEST_ALONE
#define MIB 0x100000ull
#define GIB 0x40000000ull
#define BAR 0x4000000000ull

/* Sizes as the capability has them: 1 MiB << n. */
#define SIZES (1u << 0 | 1u << 2 | 1u << 4 | 1u << 10)
#define CONTROL(code, bar) ((uint32_t)(code) << 8 | (bar))

struct card {
    struct rig rig;
    uint16_t cap;
    struct pcv_domain *guest;
    pcv_sbdf at; /* where the guest has it */
};

/* A function that can do FLR, with BAR 0 of 1 MiB, 64 bits wide, and BAR 2 of
 * 4 KiB. */
static void make(struct pcv_test_function *f)
{
    pcv_test_pcie_endpoint(f, 0x1234, 0x5678);
    pcv_test_bar64(f, 0, BAR, MIB);
    pcv_test_bar32(f, 2, 0xe0000000u, 0x1000);
}

static void boot(struct card *c, struct pcv_test_function *f)
{
    pcv_test_add(c->rig.model, f, CARD);
    rig_boot(&c->rig);
}

static void open_card(struct card *c)
{
    struct pcv_test_function f;

    memset(c, 0, sizeof(*c));
    rig_open(&c->rig);
    make(&f);
    c->cap = pcv_test_rebar(&f, 0, SIZES, 0);
    boot(c, &f);
}

static uint32_t control(struct card *c)
{
    return pcv_model_peek(c->rig.model, CARD, (uint16_t)(c->cap + 8u), 4);
}

static void resize(struct card *c, uint32_t code)
{
    vfs_write_as(c->rig.dom0, CARD, (uint16_t)(c->cap + 8u), 4, code << 8);
}

static struct pcv_bar bar(struct card *c, uint32_t number)
{
    struct pcv_device_info info;

    rig_info(&c->rig, CARD, &info);
    return info.bar[number];
}

static uint64_t refused(struct card *c)
{
    return rig_status(&c->rig, CARD).counters.refused;
}

/* ---- the hardware domain ---------------------------------------------------
 */

/* REBAR-1: size and address are read again, and decoding maps all of it. */
static void a_resized_bar_is_mapped_as_large_as_it_is(void **state)
{
    static const uint32_t codes[] = {4, 10, 2, 0};
    struct card c;

    (void)state;
    open_card(&c);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        uint64_t size = MIB << codes[i];
        uint64_t at = (BAR + 2 * MIB) & ~(size - 1);

        resize(&c, 0);
        rig_write(&c.rig, CARD, PCV_REG_BAR0, 4, 0x00200000u); /* + 2 MiB */
        resize(&c, codes[i]);
        assert_int_equal(control(&c), CONTROL(codes[i], 0) | 1u << 5);
        assert_true(bar(&c, 0).size == size);
        assert_true(bar(&c, 0).address == at);
        rig_write(&c.rig, CARD, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        assert_true(rig_mapped(&c.rig, at, size));
        assert_int_equal(pcv_model_mapped_pages(c.rig.model), (size >> 12) + 1);
        rig_write(&c.rig, CARD, PCV_REG_COMMAND, 2, 0);
    }
    assert_int_equal(refused(&c), 0);
    rig_close(&c.rig);
}

/* REBAR-1 */
static void nothing_is_resized_while_it_decodes(void **state)
{
    struct card c;

    (void)state;
    open_card(&c);
    rig_write(&c.rig, CARD, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    rig_forget(&c.rig);
    resize(&c, 2);
    assert_int_equal(rig_writes(&c.rig), 0);
    assert_int_equal(control(&c), CONTROL(0, 0) | 1u << 5);
    assert_true(bar(&c, 0).size == MIB);
    assert_int_equal(refused(&c), 1);
    rig_write(&c.rig, CARD, PCV_REG_COMMAND, 2, 0);
    resize(&c, 2);
    assert_true(bar(&c, 0).size == 4 * MIB);
    rig_close(&c.rig);
}

/* REBAR-1: not hardware's word alone: a BAR must be able to be so large. */
static void only_sizes_that_can_be_are_taken(void **state)
{
    static const uint32_t codes[] = {1, 3, 5, 9, 11, 27, 28, 43, 44, 63};
    struct card c;

    (void)state;
    open_card(&c);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        resize(&c, codes[i]);
        assert_int_equal(control(&c), CONTROL(0, 0) | 1u << 5);
        assert_int_equal(refused(&c), i + 1);
    }
    /* The same size again is no change, and other bits cannot be written. */
    resize(&c, 0);
    vfs_write_as(c.rig.dom0, CARD, (uint16_t)(c.cap + 8u), 4, 0xffffc0ffu);
    assert_int_equal(control(&c), CONTROL(0, 0) | 1u << 5);
    assert_int_equal(refused(&c), 10);
    rig_close(&c.rig);
}

/* Entries of a capability made by hand. */
struct entry {
    uint32_t able, control;
};

static uint16_t add_entries(struct pcv_test_function *f,
                            const struct entry *entry, uint32_t count,
                            uint32_t said)
{
    uint16_t at =
        pcv_test_ext_cap(f, PCV_EXT_CAP_ID_REBAR, 1, (uint16_t)(4 + 8 * count));

    for (uint32_t i = 0; i < count; i++) {
        pcv_test_set(f, at + 4u + 8u * i, 4, entry[i].able);
        pcv_test_set(f, at + 8u + 8u * i, 4,
                     entry[i].control | (i == 0 ? said << 5 : 0));
    }
    return at;
}

/* REBAR-1: six of them, each its own BAR; sizes from both registers. */
static void each_entry_is_its_own_bars(void **state)
{
    static const struct entry entries[] = {
        {3u << 4, 0},            /* BAR 0, 64 bits: 1 or 2 MiB ... */
        {3u << 4, 2},            /* BAR 2, 32 bits */
        {1u << 4 | 1u << 16, 3}, /* BAR 3, 32 bits: 4 GiB is too much */
        {3u << 4, 4},            /* BAR 4 is I/O */
        {3u << 4, 5},            /* BAR 5 is not there */
        {3u << 4, 7},            /* there is no BAR 7 */
    };
    static const struct {
        uint32_t entry, code, bar;
        bool taken;
    } rows[] = {
        {0, 1, 0, true},  {1, 1, 2, true},  {2, 12, 3, false},
        {3, 1, 4, false}, {4, 1, 5, false}, {5, 1, 0, false},
    };
    struct pcv_test_function f;
    struct card c;

    (void)state;
    memset(&c, 0, sizeof(c));
    rig_open(&c.rig);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_bar64(&f, 0, BAR, MIB);
    pcv_test_bar32(&f, 2, 0xd0000000u, MIB);
    pcv_test_bar32(&f, 3, 0xd8000000u, MIB);
    pcv_test_bar_io(&f, 4, 0x3000, 16);
    c.cap = add_entries(&f, entries, 6, 6);
    boot(&c, &f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t before = refused(&c);
        uint16_t reg = (uint16_t)(c.cap + 8u + 8u * rows[i].entry);

        vfs_write_as(c.rig.dom0, CARD, reg, 4, rows[i].code << 8);
        assert_int_equal(refused(&c) - before, rows[i].taken ? 0 : 1);
        assert_int_equal(pcv_model_peek(c.rig.model, CARD, reg, 4) >> 8 & 0x3f,
                         rows[i].taken ? rows[i].code : 0);
        if (rows[i].taken) {
            assert_true(bar(&c, rows[i].bar).size == 2 * MIB);
        }
    }
    rig_close(&c.rig);
}

/* REBAR-1: up to 8 EiB, half of which the control register names. */
static void sizes_beyond_128_tib_stand_in_the_control_register(void **state)
{
    static const struct entry entry = {1u << 4, 0x00010000u};
    struct pcv_test_function f;
    struct card c;

    (void)state;
    memset(&c, 0, sizeof(c));
    rig_open(&c.rig);
    make(&f);
    c.cap = add_entries(&f, &entry, 1, 1);
    boot(&c, &f);
    resize(&c, 28);
    assert_true(bar(&c, 0).size == MIB << 28);
    assert_int_equal(refused(&c), 0);
    rig_close(&c.rig);
}

/* CAP-3: a number of entries that makes no sense. */
static void what_makes_no_sense_is_hidden_and_read_only(void **state)
{
    static const uint32_t said[] = {0, 7};
    static const struct entry entry = {3u << 4, 0};

    (void)state;
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        struct pcv_test_function f;
        struct card c;

        memset(&c, 0, sizeof(c));
        rig_open(&c.rig);
        make(&f);
        c.cap = add_entries(&f, &entry, 1, said[i]);
        pcv_test_add(c.rig.model, &f, CARD);
        rig_create(&c.rig);
        assert_int_equal(pcv_device_add(c.rig.host, CARD, NULL), 0);
        assert_int_equal(rig_events(&c.rig, PCV_EVENT_CAP_HIDDEN), 1);
        rig_forget(&c.rig);
        resize(&c, 1);
        assert_int_equal(rig_writes(&c.rig), 0);
        rig_close(&c.rig);
    }
}

/* REBAR-1, HDR-16: sizes that a reset changed are found again. */
static void sizes_follow_hardware_after_a_hidden_reset(void **state)
{
    struct card c;

    (void)state;
    open_card(&c);
    resize(&c, 4);
    rig_write(&c.rig, CARD, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(pcv_model_mapped_pages(c.rig.model), (16 * MIB >> 12) + 1);
    pcv_test_write(c.rig.model, CARD, 0x40 + PCV_PCIE_DEVCTL, 2,
                   PCV_PCIE_DEVCTL_FLR);
    rig_write(&c.rig, CARD, PCV_REG_BAR0, 4, 0);
    rig_write(&c.rig, CARD, PCV_REG_BAR0 + 4, 4, BAR >> 32);
    rig_write(&c.rig, CARD, PCV_REG_BAR0 + 8, 4, 0xe0000000u);
    rig_write(&c.rig, CARD, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_true(bar(&c, 0).size == MIB);
    assert_int_equal(pcv_model_mapped_pages(c.rig.model), (MIB >> 12) + 1);
    rig_close(&c.rig);
}

/* MSIX-3: the check is repeated. */
static void msix_outside_its_bar_goes_when_that_shrinks(void **state)
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
    boot(&c, &f);
    resize(&c, 4);
    assert_int_equal(rig_events(&c.rig, PCV_EVENT_CAP_HIDDEN), 0);
    resize(&c, 0);
    assert_int_equal(rig_events(&c.rig, PCV_EVENT_CAP_HIDDEN), 1);
    vfs_write_as(c.rig.dom0, CARD, msix + 2u, 2, 0x8000);
    assert_int_equal(pcv_model_peek(c.rig.model, CARD, msix + 2u, 2) & 0x8000u,
                     0);
    rig_close(&c.rig);
}

/* ---- guests ----------------------------------------------------------------
 */

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
    make(&f);
    c->cap = pcv_test_rebar(&f, 0, SIZES, 0);
    boot(c, &f);
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
    make(&f);
    c.cap = pcv_test_rebar(&f, 0, SIZES, 0);
    boot(&c, &f);
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
    boot(&c, &f);
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
    boot(&c, &f);
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
    boot(&c, &f);
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
        cmocka_unit_test(a_resized_bar_is_mapped_as_large_as_it_is),
        cmocka_unit_test(nothing_is_resized_while_it_decodes),
        cmocka_unit_test(only_sizes_that_can_be_are_taken),
        cmocka_unit_test(each_entry_is_its_own_bars),
        cmocka_unit_test(sizes_beyond_128_tib_stand_in_the_control_register),
        cmocka_unit_test(what_makes_no_sense_is_hidden_and_read_only),
        cmocka_unit_test(sizes_follow_hardware_after_a_hidden_reset),
        cmocka_unit_test(msix_outside_its_bar_goes_when_that_shrinks),
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

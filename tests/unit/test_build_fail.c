/* SPDX-License-Identifier: MIT */
/*
 * Building what an owner sees of a device, with every call of the host failing
 * in turn (CAP-3, PORT-3). Arrays of registers double, so functions with some
 * more registers and some less are built: each place where one can be added
 * meets a full array.
 */
#include "rebar_fixture.h"

#define VIRTIO 0x1af4u
#define STEPS 16u /* numbers of registers: they double from 8 on */

static const struct entry sizes[] = {{3u << 4, 0}, {3u << 4, 2}, {3u << 4, 3}};

/* A function that has something of everything a guest may see: `words` is the
 * length of a vendor-specific capability, four bytes each. */
static void make_shown(struct pcv_test_function *f, uint32_t words)
{
    uint8_t vendor;

    pcv_test_pcie_endpoint(f, VIRTIO, 0x1041);
    pcv_test_bar64(f, 0, BAR, MIB);
    pcv_test_bar32(f, 2, 0xd0000000u, MIB);
    pcv_test_bar32(f, 3, 0xd0200000u, MIB);
    (void)pcv_test_pm(f, true);
    (void)pcv_test_af(f);
    vendor = pcv_test_cap(f, PCV_CAP_ID_VENDOR, (uint8_t)(16u + 4u * words));
    pcv_test_set(f, vendor + 2u, 1, 16u + 4u * words);
    pcv_test_set(f, vendor + 3u, 1, 1); /* where common registers are */
    (void)add_entries(f, sizes, 3, 3);
    (void)pcv_test_ext_cap(f, PCV_EXT_CAP_ID_DSN, 1, 12);
}

static void open_shown(struct card *c, uint32_t words)
{
    struct pcv_test_function f;

    memset(c, 0, sizeof(*c));
    rig_open(&c->rig);
    make_shown(&f, words);
    card_boot(c, &f);
    assert_int_equal(pcv_domain_create(c->rig.host, VFS_GUEST, &c->guest), 0);
}

static int give(struct card *c)
{
    static const struct pcv_assign_policy policy = {
        .passed_count = 2,
        .passed = {{.offset = 0x800, .size = 8, .write = true},
                   {.offset = 0x900, .size = 8}},
    };
    int error;

    do {
        error = pcv_device_assign(c->rig.host, CARD, c->guest, &policy, &c->at);
    } while (error == -PCV_ERESTART);
    return error;
}

#define DWORDS (PCV_CFG_EXT_SIZE / 4u)

static void read_all(struct card *c, uint32_t out[DWORDS])
{
    for (uint32_t i = 0; i < DWORDS; i++) {
        out[i] = vfs_read_as(c->guest, c->at, (uint16_t)(4u * i), 4);
    }
}

/* What a guest reads is what it would read without the failure, or nothing, or
 * leads past what is not there. True: it is all there. */
static bool expect_part_of(struct card *c, const uint32_t whole[DWORDS])
{
    uint32_t now[DWORDS];
    bool all = true;

    read_all(c, now);
    for (uint32_t i = 0; i < DWORDS; i++) {
        uint32_t links = i < PCV_CFG_SIZE / 4u ? 0x0000ff00u : 0xfff00000u;

        if (now[i] == whole[i]) {
            continue;
        }
        all = false;
        assert_true(now[i] == 0 || ((now[i] ^ whole[i]) & ~links) == 0 ||
                    4u * i == PCV_REG_CAPS || 4u * i == PCV_EXT_CAP_START);
    }
    return all;
}

/* With the nth call of a kind failing. How many calls there were. */
static uint64_t give_failing(uint32_t words, enum pcv_model_op op, uint64_t n,
                             int expected, const uint32_t whole[DWORDS])
{
    struct card c;
    uint64_t calls;
    size_t hidden;
    int error;

    open_shown(&c, words);
    rig_forget(&c.rig);
    calls = pcv_model_calls(c.rig.model, op);
    pcv_model_fail(c.rig.model, op, n);
    error = give(&c);
    pcv_model_fail(c.rig.model, op, 0);
    calls = pcv_model_calls(c.rig.model, op) - calls;
    hidden = rig_events(&c.rig, PCV_EVENT_CAP_HIDDEN);
    if (error != 0) {
        assert_int_equal(error, expected);
        assert_int_equal(give(&c), 0);
        hidden = 0;
    }
    if (expect_part_of(&c, whole)) {
        assert_int_equal(hidden, 0);
    } else {
        assert_int_equal(error, 0);
        assert_true(calls >= n);
    }
    rig_close(&c.rig);
    return calls;
}

static void view_of(uint32_t words, uint32_t whole[DWORDS])
{
    struct card c;

    open_shown(&c, words);
    assert_int_equal(give(&c), 0);
    read_all(&c, whole);
    rig_close(&c.rig);
}

/* CAP-3, PORT-3: whatever memory is missing, a device is given away, perhaps
 * without a capability, or it is not. */
static void a_guest_sees_nothing_half_made(void **state)
{
    uint32_t whole[DWORDS];

    (void)state;
    for (uint32_t words = 0; words < STEPS; words++) {
        uint64_t n = 0, calls;

        view_of(words, whole);
        do {
            calls = give_failing(words, PCV_MODEL_OP_alloc, ++n, -PCV_ENOMEM,
                                 whole);
        } while (calls >= n);
        assert_true(n > 5);
    }
}

/* CAP-3, PORT-3 */
static void a_guest_sees_nothing_that_could_not_be_read(void **state)
{
    uint32_t whole[DWORDS];
    uint64_t n = 0, calls;

    (void)state;
    view_of(3, whole);
    do {
        calls = give_failing(3, PCV_MODEL_OP_cfg_read, ++n, -PCV_EIO, whole);
    } while (calls >= n);
    assert_true(n > 20);
}

/* ---- the hardware domain's view --------------------------------------------
 */

/* Capabilities that are hidden, and so read-only: second ones, ones that make
 * no sense, and between them some that are not ours. `bars` more registers.
 * Returns the control register of a hidden one. */
static uint16_t make_hidden(struct pcv_test_function *f, uint32_t bars)
{
    uint16_t cap, hidden;

    pcv_test_pcie_endpoint(f, 0x1234, 0x5678);
    for (uint32_t i = 0; i < bars % 7u; i++) {
        if (i < 6) {
            pcv_test_bar32(f, (uint8_t)i, 0xd0000000u + i * 0x100000u, 0x1000);
        }
    }
    for (uint32_t i = 0; i < bars / 7u; i++) {
        (void)pcv_test_msi(f, 0x0080);
    }
    (void)pcv_test_msi(f, 0x0080);
    (void)pcv_test_msi(f, 0x0080);
    (void)pcv_test_msix(f, 4, 5, 0x100000, 0x200000);
    (void)pcv_test_cap(f, PCV_CAP_ID_VENDOR, 8);
    hidden = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_REBAR, 1, 12);
    pcv_test_set(f, hidden + 8u, 4, 7u << 5);
    cap = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_REBAR, 1, 12);
    pcv_test_set(f, cap + 4u, 4, 3u << 4);
    pcv_test_set(f, cap + 8u, 4, 1u << 5);
    (void)pcv_test_ext_cap(f, PCV_EXT_CAP_ID_VF_REBAR, 1, 12);
    (void)pcv_test_ext_cap(f, PCV_EXT_CAP_ID_DSN, 1, 12);
    return (uint16_t)(hidden + 8u);
}

/* Add it with the nth call of a kind failing. How many calls there were. */
static uint64_t add_failing(uint32_t bars, enum pcv_model_op op, uint64_t n,
                            int expected)
{
    struct pcv_test_function f;
    struct rig rig;
    uint64_t calls;
    uint16_t hidden;
    int error;

    rig_open(&rig);
    hidden = make_hidden(&f, bars);
    pcv_test_add(rig.model, &f, CARD);
    rig_create(&rig);
    calls = pcv_model_calls(rig.model, op);
    pcv_model_fail(rig.model, op, n);
    error = pcv_device_add(rig.host, CARD, NULL);
    pcv_model_fail(rig.model, op, 0);
    calls = pcv_model_calls(rig.model, op) - calls;
    if (error != 0) {
        assert_int_equal(error, expected);
        rig_forget(&rig);
        assert_int_equal(pcv_device_add(rig.host, CARD, NULL), 0);
    }
    assert_true(rig_events(&rig, PCV_EVENT_CAP_HIDDEN) >= 4 ||
                rig_events(&rig, PCV_EVENT_READ_ONLY) == 1); /* OWN-2 */
    /* It cannot be written, however it came to be hidden. */
    rig_forget(&rig);
    rig_write(&rig, CARD, hidden, 4, 0x100);
    assert_int_equal(rig_writes(&rig), 0);
    rig_close(&rig);
    return calls;
}

/* CAP-3, PORT-3 */
static void a_device_with_hidden_capabilities_is_added_whole_or_not(
    void **state)
{
    (void)state;
    for (uint32_t bars = 0; bars < STEPS; bars++) {
        uint64_t n = 0, calls;

        do {
            calls = add_failing(bars, PCV_MODEL_OP_alloc, ++n, -PCV_ENOMEM);
        } while (calls >= n);
        assert_true(n > 5);
    }
}

/* CAP-3, PORT-3 */
static void a_device_whose_registers_cannot_be_read_is_added_or_not(
    void **state)
{
    uint64_t n = 0, calls;

    (void)state;
    do {
        calls = add_failing(3, PCV_MODEL_OP_cfg_read, ++n, -PCV_EIO);
    } while (calls >= n);
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_sees_nothing_half_made),
        cmocka_unit_test(a_guest_sees_nothing_that_could_not_be_read),
        cmocka_unit_test(
            a_device_with_hidden_capabilities_is_added_whole_or_not),
        cmocka_unit_test(
            a_device_whose_registers_cannot_be_read_is_added_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

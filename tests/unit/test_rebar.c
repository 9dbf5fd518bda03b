/* SPDX-License-Identifier: MIT */
/* BARs that the hardware domain resizes (REBAR-1). */
#include "rebar_fixture.h"

/* REBAR-1: size and address are read again, and decoding maps all of it. */
static void a_resized_bar_is_mapped_as_large_as_it_is(void **state)
{
    static const uint32_t codes[] = {4, 10, 2, 0};
    struct card c;

    (void)state;
    card_open(&c);
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
    card_open(&c);
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
    card_open(&c);
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
    card_boot(&c, &f);
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
    card_make(&f);
    c.cap = add_entries(&f, &entry, 1, 1);
    card_boot(&c, &f);
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
        card_make(&f);
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
    card_open(&c);
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
    card_boot(&c, &f);
    resize(&c, 4);
    assert_int_equal(rig_events(&c.rig, PCV_EVENT_CAP_HIDDEN), 0);
    resize(&c, 0);
    assert_int_equal(rig_events(&c.rig, PCV_EVENT_CAP_HIDDEN), 1);
    vfs_write_as(c.rig.dom0, CARD, msix + 2u, 2, 0x8000);
    assert_int_equal(pcv_model_peek(c.rig.model, CARD, msix + 2u, 2) & 0x8000u,
                     0);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Capabilities of guests that are a few registers each (CAP-7): Advanced
 * Features, error reporting, serial number, product data, vendor-specific.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned.h"

static uint16_t cap;

#define REG(offset) ((uint16_t)(cap + (offset)))

/* A conventional function that can be reset by Advanced Features, at 0x40. */
static void make(struct pcv_test_function *f)
{
    pcv_test_endpoint(f, 0x1234, 0x5678);
    owned_bar(f);
    assert_int_equal(pcv_test_af(f), 0x40);
}

/* Whether the guest finds a capability in its list. */
static bool listed(struct owned *o, uint16_t id, uint16_t at)
{
    uint16_t next = (uint16_t)owned_read(o, PCV_REG_CAPS, 1);

    for (int i = 0; next != 0 && i < 48; i++) {
        if (next == at) {
            assert_int_equal(owned_read(o, at, 1), id);
            return true;
        }
        next = (uint16_t)owned_read(o, (uint16_t)(next + 1u), 1);
    }
    return false;
}

/* ---- Advanced Features --------------------------------------------------- */

/* CAP-7, PCIE-1, SRIOV-3 */
static void advanced_features_reset_for_whoever_owns_the_function(void **state)
{
    (void)state;
    cap = 0x40;
    for (int give = 0; give < 2; give++) {
        struct pcv_test_function f;
        struct owned o;

        make(&f);
        owned_start(&o, &f);
        if (give) {
            owned_give(&o, NULL);
            assert_int_equal(owned_read(&o, REG(2), 2), 0x0306);
            owned_write(&o, REG(2), 2, 0xffff);
            assert_int_equal(owned_read(&o, REG(2), 2), 0x0306);
        }
        owned_switch_on(&o);
        owned_forget(&o);
        owned_write(&o, REG(PCV_AF_CONTROL), 1, 0xfe); /* all but FLR */
        assert_int_equal(o.events[PCV_EVENT_RESET], 0);
        assert_int_equal(owned_touched(&o, REG(PCV_AF_CONTROL), true), !give);
        owned_write(&o, REG(PCV_AF_CONTROL), 1, 0x01);
        assert_int_equal(o.events[PCV_EVENT_RESET], 1);
        assert_int_equal(o.args[PCV_EVENT_RESET], 2);
        assert_int_equal(pcv_model_mapped_pages(o.h.model), 0);
        owned_settles(&o, 100000);
        assert_int_equal(owned_read(&o, REG(PCV_AF_CONTROL), 1), 0);
        assert_int_equal(owned_read(&o, PCV_REG_BAR0, 4), 0);
        owned_switch_on(&o);
        owned_end(&o);
    }
}

/* CAP-7 */
static void pending_transactions_are_hardwares(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    cap = 0x40;
    make(&f);
    owned_start(&o, &f);
    owned_give(&o, NULL);
    pcv_model_poke(o.h.model, OWNED_AT, REG(PCV_AF_STATUS), 1, 0xff);
    assert_int_equal(owned_read(&o, REG(PCV_AF_STATUS), 1), 0x01);
    owned_write(&o, REG(PCV_AF_STATUS), 1, 0);
    assert_int_equal(owned_touched(&o, REG(PCV_AF_STATUS), true), 0);
    owned_end(&o);
}

/* CAP-7, CAP-2: there is nothing to see of it, and that is no failure. */
static void advanced_features_without_a_reset_leave_no_trace(void **state)
{
    static const uint32_t lists[] = {0x00, 0x01, 0x02, 0xff};

    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct pcv_test_function f;
        struct owned o;

        pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
        cap = pcv_test_af(&f);
        pcv_test_set(&f, REG(PCV_AF_CAPS), 1, lists[i]);
        owned_start(&o, &f);
        assert_int_equal(owned_change(&o, true, NULL), 0);
        assert_int_equal(o.events[PCV_EVENT_CAP_HIDDEN], 0);
        assert_false(listed(&o, PCV_CAP_ID_AF, cap));
        assert_int_equal(owned_read(&o, cap, 4), 0);
        owned_write(&o, REG(PCV_AF_CONTROL), 1, 1);
        assert_int_equal(o.events[PCV_EVENT_RESET], 0);
        owned_end(&o);
    }
}

/* ---- Advanced Error Reporting -------------------------------------------- */

/* CAP-7 */
static void error_reporting_is_all_virtual(void **state)
{
    static const struct {
        uint16_t offset;
        uint32_t first, writable;
    } rows[] = {
        {0x04, 0, 0},
        {0x08, 0x00400000, 0x005ff010},
        {0x0c, 0x00462010, 0x005ff010},
        {0x10, 0, 0},
        {0x14, 0x0000e000, 0x0000f1c1},
        {0x18, 0, 0},
        {0x1c, 0, 0},
        {0x20, 0, 0},
        {0x24, 0, 0},
        {0x28, 0, 0},
        {0x2c, 0, 0},
        {0x38, 0, 0},
    };
    struct pcv_test_function f;
    struct owned o;
    uint16_t after;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    cap = pcv_test_aer(&f);
    for (uint16_t at = 4; at < 0x2c; at += 4) {
        pcv_test_set(&f, REG(at), 4, 0x5a5a5a5a);
    }
    owned_start(&o, &f);
    owned_give(&o, NULL);
    assert_int_equal(owned_read(&o, cap, 2), PCV_EXT_CAP_ID_AER);
    owned_forget(&o);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint16_t reg = REG(rows[i].offset);

        assert_int_equal(owned_read(&o, reg, 4), rows[i].first);
        owned_write(&o, reg, 4, 0xffffffff);
        assert_int_equal(owned_read(&o, reg, 4), rows[i].writable);
        owned_write(&o, reg, 4, 0);
        assert_int_equal(owned_read(&o, reg, 4), 0);
    }
    assert_int_equal(o.logged, 0); /* hardware was not asked at all */
    /* They are sticky: a reset of the function changes none. */
    owned_write(&o, REG(0x08), 4, 0x00010000);
    owned_write(&o, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    owned_settles(&o, 100000);
    after = (uint16_t)(owned_read(&o, REG(0x08), 4) >> 16);
    assert_int_equal(after, 0x0001);
    owned_end(&o);
}

/* ---- Device Serial Number ------------------------------------------------ */

/* CAP-7 */
static void the_serial_number_can_be_read(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    cap = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_DSN, 1, 12);
    pcv_test_set(&f, REG(4), 4, 0x89abcdef);
    pcv_test_set(&f, REG(8), 4, 0x01234567);
    owned_start(&o, &f);
    owned_give(&o, NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(owned_read(&o, cap, 4), 0x00010003);
        assert_int_equal(owned_read(&o, REG(4), 4), 0x89abcdef);
        assert_int_equal(owned_read(&o, REG(10), 2), 0x0123);
        owned_write(&o, REG(4), 4, 0);
        owned_write(&o, REG(8), 4, 0);
    }
    assert_int_equal(o.logged, 0);
    owned_end(&o);
}

/* CAP-3: a capability whose registers lead out of the space. */
static void a_serial_number_beyond_the_end_is_hidden(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    (void)pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_AER, 1, 0x2c);
    pcv_test_set(&f, 0x100, 4, 0xffc10001);
    pcv_test_set(&f, 0xffc, 4, 0x00010003);
    owned_start(&o, &f);
    assert_int_equal(owned_change(&o, true, NULL), 0);
    assert_int_equal(o.events[PCV_EVENT_CAP_HIDDEN], 1);
    assert_int_equal(owned_read(&o, 0x100, 4), 0x00010001);
    assert_int_equal(owned_read(&o, 0xffc, 4), 0);
    owned_end(&o);
}

/* ---- Vital Product Data -------------------------------------------------- */

static void start_vpd(struct owned *o)
{
    struct pcv_test_function f;

    make(&f);
    cap = pcv_test_cap(&f, PCV_CAP_ID_VPD, 8);
    pcv_test_set(&f, REG(PCV_VPD_ADDRESS), 2, PCV_VPD_FLAG);
    owned_start(o, &f);
}

/* CAP-7 */
static void product_data_is_read_through_hardware(void **state)
{
    struct owned o;

    (void)state;
    start_vpd(&o);
    owned_give(&o, NULL);
    pcv_model_poke(o.h.model, OWNED_AT, REG(PCV_VPD_DATA), 4, 0x12345678);
    owned_write(&o, REG(PCV_VPD_ADDRESS), 2, 0x0124);
    assert_int_equal(owned_touched(&o, REG(PCV_VPD_ADDRESS), true), 1);
    assert_int_equal(owned_peek(&o, REG(PCV_VPD_ADDRESS), 2), 0x8124);
    assert_int_equal(owned_read(&o, REG(PCV_VPD_ADDRESS), 2), 0x8124);
    assert_int_equal(owned_read(&o, REG(PCV_VPD_DATA), 4), 0x12345678);
    /* Header and address in one access: the header stays, the rest counts. */
    owned_write(&o, cap, 4, 0x00080000);
    assert_int_equal(owned_read(&o, REG(PCV_VPD_ADDRESS), 2), 0x8008);
    owned_end(&o);
}

/* CAP-7 */
static void product_data_is_never_written(void **state)
{
    struct owned o;

    (void)state;
    start_vpd(&o);
    owned_give(&o, NULL);
    owned_write(&o, REG(PCV_VPD_DATA), 4, 0xdeadbeef);
    owned_write(&o, REG(PCV_VPD_ADDRESS), 2, 0x8004);
    owned_write(&o, REG(PCV_VPD_ADDRESS), 1, 0x04);
    owned_write(&o, REG(PCV_VPD_ADDRESS + 1u), 1, 0x80);
    for (size_t i = 0; i < o.logged; i++) {
        assert_false(o.log[i].write);
    }
    owned_take(&o);
    owned_forget(&o);
    /* The hardware domain writes what it likes. */
    owned_write(&o, REG(PCV_VPD_DATA), 4, 0xdeadbeef);
    owned_write(&o, REG(PCV_VPD_ADDRESS), 2, 0x8004);
    assert_int_equal(owned_touched(&o, REG(PCV_VPD_DATA), true), 1);
    assert_int_equal(owned_touched(&o, REG(PCV_VPD_ADDRESS), true), 1);
    owned_end(&o);
}

/* ---- vendor-specific ----------------------------------------------------- */

/* A vendor-specific capability of these bytes after the header, and something
 * unknown behind it. */
static void make_vendor(struct pcv_test_function *f, uint16_t vendor,
                        uint16_t device, uint8_t length, uint8_t type)
{
    make(f);
    pcv_test_set(f, PCV_REG_VENDOR, 2, vendor);
    pcv_test_set(f, PCV_REG_DEVICE, 2, device);
    cap = pcv_test_cap(f, PCV_CAP_ID_VENDOR, 0x18);
    pcv_test_set(f, REG(2), 1, length);
    pcv_test_set(f, REG(3), 1, type);
    for (uint16_t at = 4; at < 0x18; at += 4) {
        pcv_test_set(f, REG(at), 4, 0xa0b0c000u + at);
    }
    assert_int_equal(pcv_test_cap(f, 0x33, 8), REG(0x18));
    pcv_test_set(f, REG(0x1c), 4, 0x5ec2e7);
}

/* CAP-7 */
static void virtio_says_where_its_registers_are_and_no_more(void **state)
{
    static const struct {
        uint16_t vendor, device;
        uint8_t length, type;
        bool shown;
    } rows[] = {
        {0x1af4, 0x1041, 0x10, 1, true},  {0x1af4, 0x1041, 0x14, 2, true},
        {0x1af4, 0x1000, 0x10, 3, true},  {0x1af4, 0x107f, 0x10, 4, true},
        {0x1af4, 0x1041, 0x14, 5, false}, {0x1af4, 0x1041, 0x18, 8, true},
        {0x1af4, 0x1041, 0x10, 0, false}, {0x1af4, 0x1041, 0x10, 9, false},
        {0x1af4, 0x1041, 0x0f, 1, false}, {0x1af4, 0x1041, 0x00, 1, false},
        {0x1af4, 0x0fff, 0x10, 1, false}, {0x1af4, 0x1080, 0x10, 1, false},
        {0x1234, 0x1041, 0x10, 1, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_test_function f;
        struct owned o;

        make_vendor(&f, rows[i].vendor, rows[i].device, rows[i].length,
                    rows[i].type);
        owned_start(&o, &f);
        assert_int_equal(owned_change(&o, true, NULL), 0);
        assert_int_equal(o.events[PCV_EVENT_CAP_HIDDEN], 0);
        assert_int_equal(listed(&o, PCV_CAP_ID_VENDOR, cap), rows[i].shown);
        assert_int_equal(owned_read(&o, REG(2), 2),
                         rows[i].shown ? rows[i].length | rows[i].type << 8
                                       : 0);
        for (uint16_t at = 4; at < 0x20; at += 4) {
            bool there = rows[i].shown && at < rows[i].length;

            owned_write(&o, REG(at), 4, 0xffffffff);
            assert_int_equal(owned_read(&o, REG(at), 4),
                             there ? 0xa0b0c000u + at : 0);
        }
        owned_end(&o);
    }
}

/* CAP-6, CAP-7 */
static void another_vendors_is_shown_if_the_policy_says_so(void **state)
{
    static const struct {
        uint8_t length;
        uint32_t last, tail; /* bytes seen of dwords 0x10 and 0x14 */
    } rows[] = {
        {0x18, 0xa0b0c010, 0xa0b0c014},
        {0x16, 0xa0b0c010, 0x0000c014},
        {0x15, 0xa0b0c010, 0x00000014},
        {0x13, 0x00b0c010, 0},
        /* No further than the next one, whatever it says. */
        {0xff, 0xa0b0c010, 0xa0b0c014},
    };
    struct pcv_assign_policy policy = {.cap_count = 1};

    (void)state;
    policy.caps[0] =
        (struct pcv_cap_choice){.id = PCV_CAP_ID_VENDOR, .show = true};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_test_function f;
        struct owned o;

        make_vendor(&f, 0x1234, 0x5678, rows[i].length, 0x77);
        owned_start(&o, &f);
        owned_give(&o, &policy);
        assert_true(listed(&o, PCV_CAP_ID_VENDOR, cap));
        assert_int_equal(owned_read(&o, REG(2), 2), 0x7700u | rows[i].length);
        assert_int_equal(owned_read(&o, REG(0x10), 4), rows[i].last);
        assert_int_equal(owned_read(&o, REG(0x14), 4), rows[i].tail);
        assert_int_equal(owned_read(&o, REG(0x1c), 4), 0);
        owned_write(&o, REG(0x10), 4, 0);
        assert_int_equal(owned_read(&o, REG(0x10), 4), rows[i].last);
        owned_end(&o);
    }
}

/* CAP-6 */
static void a_wish_for_the_other_list_shows_nothing_here(void **state)
{
    struct pcv_assign_policy policy = {.cap_count = 1};
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    policy.caps[0] = (struct pcv_cap_choice){
        .id = PCV_CAP_ID_VENDOR, .extended = true, .show = true};
    make_vendor(&f, 0x1234, 0x5678, 0x18, 0);
    owned_start(&o, &f);
    owned_give(&o, &policy);
    assert_false(listed(&o, PCV_CAP_ID_VENDOR, cap));
    owned_end(&o);
}

/* CAP-6: a virtio device's can be hidden, but its window not be shown. */
static void a_policy_hides_what_virtio_shows_but_shows_no_window(void **state)
{
    struct pcv_assign_policy policy = {.cap_count = 2};

    (void)state;
    for (uint8_t type = 1; type <= 5; type += 4) {
        struct pcv_test_function f;
        struct owned o;

        make_vendor(&f, 0x1af4, 0x1041, 0x14, type);
        /* The same number in the other list means something else. */
        policy.caps[0] = (struct pcv_cap_choice){
            .id = PCV_CAP_ID_VENDOR, .extended = true, .show = type == 1};
        policy.caps[1] =
            (struct pcv_cap_choice){.id = PCV_CAP_ID_VENDOR, .show = type == 5};
        owned_start(&o, &f);
        owned_give(&o, &policy);
        assert_false(listed(&o, PCV_CAP_ID_VENDOR, cap));
        assert_int_equal(owned_read(&o, REG(8), 4), 0);
        owned_end(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advanced_features_reset_for_whoever_owns_the_function),
        cmocka_unit_test(pending_transactions_are_hardwares),
        cmocka_unit_test(advanced_features_without_a_reset_leave_no_trace),
        cmocka_unit_test(error_reporting_is_all_virtual),
        cmocka_unit_test(the_serial_number_can_be_read),
        cmocka_unit_test(a_serial_number_beyond_the_end_is_hidden),
        cmocka_unit_test(product_data_is_read_through_hardware),
        cmocka_unit_test(product_data_is_never_written),
        cmocka_unit_test(virtio_says_where_its_registers_are_and_no_more),
        cmocka_unit_test(another_vendors_is_shown_if_the_policy_says_so),
        cmocka_unit_test(a_wish_for_the_other_list_shows_nothing_here),
        cmocka_unit_test(a_policy_hides_what_virtio_shows_but_shows_no_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

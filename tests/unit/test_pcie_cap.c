/* SPDX-License-Identifier: MIT */
/* The PCI Express capability of a guest, and FLR of every owner (PCIE-1,
 * PCIE-2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned.h"

/* Where pcv_test_pcie_endpoint() puts it. */
#define PCIE 0x40u
#define REG(offset) ((uint16_t)(PCIE + (offset)))
#define DEVCTL REG(PCV_PCIE_DEVCTL)
#define RESET_VALUE 0x2810u /* relaxed ordering, no snoop, 512 bytes */

/* Payload 256, relaxed ordering, extended tags, phantom functions, auxiliary
 * power, no snoop, read requests of 1 KiB, and every error reported. */
#define HOST_CONTROL 0x3f3fu

static uint8_t msi;

static void make(struct pcv_test_function *f, uint32_t host_control)
{
    pcv_test_pcie_endpoint(f, 0x1234, 0x5678);
    owned_bar(f);
    /* Payload 512, phantom functions, extended tags, latencies, role-based
     * reporting, slot power, FLR. */
    pcv_test_set(f, REG(PCV_PCIE_DEVCAP), 4, 0x1fffffff & ~0x5u);
    pcv_test_set(f, DEVCTL, 2, host_control);
    pcv_test_set(f, REG(PCV_PCIE_LNKCAP), 4, 0x00477d02);
    pcv_test_set(f, REG(PCV_PCIE_LNKCTL), 2, 0x0042);
    pcv_test_set(f, REG(PCV_PCIE_LNKSTA), 2, 0x1042);
    pcv_test_set(f, REG(PCV_PCIE_DEVCAP2), 4, 0x007f9bff);
    pcv_test_set(f, REG(PCV_PCIE_DEVCTL2), 2, 0x0746);
    pcv_test_set(f, REG(0x2c), 4, 0x0000000e);
    msi = pcv_test_msi(f, 0);
}

static void start(struct owned *o, bool give)
{
    struct pcv_test_function f;

    make(&f, HOST_CONTROL);
    owned_start(o, &f);
    if (give) {
        owned_give(o, NULL);
    }
    owned_switch_on(o);
    owned_msi_on(o, msi);
    assert_true(owned_msi_works(o));
    owned_forget(o);
}

/* PCIE-2 */
static void a_guest_sees_an_integrated_endpoint(void **state)
{
    static const struct {
        uint16_t offset;
        uint8_t size;
        uint32_t value;
    } rows[] = {
        {PCV_PCIE_FLAGS, 2, 0x0092},
        {PCV_PCIE_DEVCAP, 4, 0x10008002},
        {PCV_PCIE_DEVCTL, 2, 0x2830},
        {PCV_PCIE_DEVSTA, 2, 0},
        {PCV_PCIE_LNKCAP, 4, 0},
        {PCV_PCIE_LNKCTL, 4, 0},
        {PCV_PCIE_SLTCAP, 4, 0},
        {PCV_PCIE_SLTCTL, 4, 0},
        {PCV_PCIE_RTCTL, 4, 0},
        {PCV_PCIE_RTSTA, 4, 0},
        {PCV_PCIE_DEVCAP2, 4, 0x1f},
        {PCV_PCIE_DEVCTL2, 4, 0},
        {0x2c, 4, 0},
        {PCV_PCIE_LNKCTL2, 4, 0},
        {0x34, 4, 0},
        {PCV_PCIE_SLTCTL2, 4, 0},
    };
    struct owned o;

    (void)state;
    start(&o, true);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(owned_read(&o, REG(rows[i].offset), rows[i].size),
                         rows[i].value);
    }
    owned_end(&o);
}

/* PCIE-2: what a guest writes, and what of it hardware gets. */
static void what_a_guest_writes_stays_with_the_guest(void **state)
{
    static const struct {
        uint32_t write, reads, hardware;
    } rows[] = {
        /* Host's bits; payload, tags and errors stay; read requests and
         * relaxed ordering are the smaller ones. */
        {0x0000, 0x0000, 0x052f}, {0x7fff, 0x78ff, 0x353f},
        {0x3000, 0x3000, 0x352f}, {0x4010, 0x4010, 0x353f},
        {0x1010, 0x1010, 0x153f}, {0x7010, 0x7010, 0x353f},
        {0x00ef, 0x00ef, 0x052f}, {0x0800, 0x0800, 0x052f},
    };
    struct owned o;

    (void)state;
    start(&o, true);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        owned_write(&o, DEVCTL, 2, rows[i].write);
        assert_int_equal(owned_read(&o, DEVCTL, 2), rows[i].reads);
        assert_int_equal(owned_peek(&o, DEVCTL, 2), rows[i].hardware);
    }
    owned_forget(&o);
    for (uint16_t at = PCV_PCIE_LNKCAP; at < 0x3c; at += 4) {
        owned_write(&o, REG(at), 4, 0xffffffff);
    }
    owned_write(&o, REG(PCV_PCIE_FLAGS), 2, 0xffff);
    owned_write(&o, REG(PCV_PCIE_DEVCAP), 4, 0xffffffff);
    assert_int_equal(owned_read(&o, REG(PCV_PCIE_DEVCTL2), 2), 0x1f);
    for (size_t i = 0; i < o.logged; i++) {
        assert_false(o.log[i].write);
    }
    owned_take(&o);
    assert_int_equal(owned_peek(&o, DEVCTL, 2), HOST_CONTROL);
    assert_int_equal(owned_peek(&o, REG(PCV_PCIE_DEVCTL2), 2), 0x0746);
    assert_int_equal(owned_peek(&o, REG(PCV_PCIE_LNKCTL), 2), 0x0042);
    owned_end(&o);
}

/* PCIE-2 */
static void a_host_that_forbids_relaxed_ordering_is_obeyed(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make(&f, 0x2000);
    owned_start(&o, &f);
    owned_give(&o, NULL);
    owned_write(&o, DEVCTL, 2, 0x5010);
    assert_int_equal(owned_peek(&o, DEVCTL, 2), 0x2000);
    assert_int_equal(owned_read(&o, DEVCTL, 2), 0x5010);
    owned_end(&o);
}

/* PCIE-2, TOPO-5 */
static void what_no_guest_may_have_is_off_though_the_capability_is_hidden(
    void **state)
{
    struct pcv_assign_policy policy = {.cap_count = 1};
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    policy.caps[0] = (struct pcv_cap_choice){.id = PCV_CAP_ID_PCIE};
    make(&f, HOST_CONTROL);
    owned_start(&o, &f);
    owned_give(&o, &policy);
    assert_int_equal(owned_read(&o, PCIE, 4), 0);
    assert_int_equal(owned_peek(&o, DEVCTL, 2), HOST_CONTROL & ~0x0a00u);
    owned_write(&o, DEVCTL, 2, 0xffff);
    assert_int_equal(o.events[PCV_EVENT_RESET], 0);
    assert_int_equal(owned_peek(&o, DEVCTL, 2), HOST_CONTROL & ~0x0a00u);
    assert_int_equal(pcv_model_pull(o.h.model, OWNED_AT), 0);
    assert_int_equal(pcv_model_plug(o.h.model, OWNED_AT), 0);
    assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
    assert_int_equal(owned_peek(&o, DEVCTL, 2), HOST_CONTROL & ~0x0a00u);
    owned_end(&o);
}

/* PCIE-2 */
static void error_status_is_hardwares_and_cleared_by_a_one(void **state)
{
    struct owned o;

    (void)state;
    start(&o, true);
    pcv_model_poke(o.h.model, OWNED_AT, REG(PCV_PCIE_DEVSTA), 2, 0x007f);
    assert_int_equal(owned_read(&o, REG(PCV_PCIE_DEVSTA), 2), 0x003f);
    owned_write(&o, DEVCTL, 4, RESET_VALUE); /* clears none */
    assert_int_equal(owned_read(&o, REG(PCV_PCIE_DEVSTA), 2), 0x003f);
    owned_write(&o, REG(PCV_PCIE_DEVSTA), 2, 0x0005);
    assert_int_equal(owned_read(&o, REG(PCV_PCIE_DEVSTA), 2), 0x003a);
    owned_write(&o, REG(PCV_PCIE_DEVSTA), 2, 0x0070);
    assert_int_equal(owned_peek(&o, REG(PCV_PCIE_DEVSTA), 2), 0x007a);
    owned_end(&o);
}

/* PCIE-2: the first version has no more than 20 bytes. */
static void nothing_behind_a_short_capability_is_touched(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    pcv_test_endpoint(&f, 0x1234, 0x5678);
    owned_bar(&f);
    assert_int_equal(pcv_test_cap(&f, PCV_CAP_ID_PCIE, 0x14), PCIE);
    pcv_test_set(&f, REG(PCV_PCIE_FLAGS), 2, 0x0001);
    pcv_test_set(&f, REG(PCV_PCIE_DEVCAP), 4, PCV_PCIE_DEVCAP_FLR);
    for (uint16_t at = 0x14; at < 0x3c; at += 4) {
        pcv_test_set(&f, REG(at), 4, 0x5ec2e7);
    }
    owned_start(&o, &f);
    o.logged = 0;
    assert_int_equal(owned_change(&o, true, NULL), 0);
    assert_int_equal(owned_read(&o, REG(PCV_PCIE_FLAGS), 2), 0x0091);
    for (uint16_t at = 0x14; at < 0x3c; at += 4) {
        owned_write(&o, REG(at), 4, 0xffffffff);
        assert_int_equal(owned_read(&o, REG(at), 4), 0);
        assert_int_equal(owned_peek(&o, REG(at), 4), 0x5ec2e7);
    }
    for (size_t i = 0; i < o.logged; i++) {
        assert_true(o.log[i].reg < REG(0x14) || o.log[i].reg >= REG(0x3c));
    }
    owned_end(&o);
}

/* CAP-3: versions that never were, and what leads out of the space. */
static void a_damaged_capability_is_hidden(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make(&f, 0);
    (void)pcv_test_af(&f); /* it is reset by this one, perhaps */
    pcv_test_set(&f, REG(PCV_PCIE_FLAGS), 2, 0x0000);
    owned_start(&o, &f);
    assert_int_equal(owned_change(&o, true, NULL), 0);
    assert_int_equal(o.events[PCV_EVENT_CAP_HIDDEN], 1);
    assert_int_equal(owned_read(&o, PCIE, 4), 0);
    owned_write(&o, DEVCTL, 2, 0xffff);
    assert_int_equal(o.events[PCV_EVENT_RESET], 0);
    owned_end(&o);
    pcv_test_endpoint(&f, 0x1234, 0x5678);
    (void)pcv_test_cap(&f, 0x33, 0xa0);
    assert_int_equal(pcv_test_cap(&f, PCV_CAP_ID_PCIE, 0x20), 0xe0);
    pcv_test_set(&f, 0xe0 + PCV_PCIE_FLAGS, 2, 0x0002);
    pcv_test_set(&f, 0xe0 + PCV_PCIE_DEVCAP, 4, PCV_PCIE_DEVCAP_FLR);
    owned_start(&o, &f);
    assert_int_equal(owned_change(&o, true, NULL), 0);
    assert_int_equal(owned_read(&o, 0xe0, 4), 0);
    assert_int_equal(o.events[PCV_EVENT_CAP_HIDDEN], 1);
    owned_end(&o);
}

/* PCIE-1: what the function may begin is switched off before it is reset. */
static void a_function_is_silent_when_it_is_reset(void **state)
{
    struct owned o;
    size_t i = 0;

    (void)state;
    start(&o, true);
    owned_write(&o, DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    while (i < o.logged &&
           !(o.log[i].write && o.log[i].reg == PCV_REG_COMMAND &&
             o.log[i].value == (PCV_CMD_PARITY))) {
        i++;
    }
    for (size_t at = 0; at < o.logged; at++) {
        if (o.log[at].write && o.log[at].reg == DEVCTL) {
            assert_true(at > i);
            assert_true((o.log[at].value & PCV_PCIE_DEVCTL_FLR) != 0);
        }
    }
    owned_settles(&o, 100000);
    owned_end(&o);
}

/* PCIE-1, SRIOV-3 */
static void a_guests_flr_resets_the_function_and_its_view(void **state)
{
    struct owned o;

    (void)state;
    start(&o, true);
    owned_write(&o, PCV_REG_INT_LINE, 1, 11);
    owned_write(&o, PCV_REG_CACHE_LINE, 1, 8);
    owned_write(&o, DEVCTL, 2, 0x5040);
    owned_write(&o, REG(PCV_PCIE_DEVCTL2), 2, 0x12);
    owned_forget(&o);
    owned_write(&o, DEVCTL, 2, 0x5040 | PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(o.events[PCV_EVENT_RESET], 1);
    assert_int_equal(o.args[PCV_EVENT_RESET], 1);
    assert_int_equal(pcv_model_mapped_pages(o.h.model), 0);
    assert_int_equal(pcv_model_bound(o.h.model, NULL), 0);
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), 0);
    owned_settles(&o, 100000);
    /* The guest's view. */
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), 0);
    assert_int_equal(owned_read(&o, PCV_REG_BAR0, 4), 0);
    assert_int_equal(owned_read(&o, PCV_REG_INT_LINE, 1), 0);
    assert_int_equal(owned_read(&o, PCV_REG_CACHE_LINE, 1), 0);
    assert_int_equal(owned_read(&o, (uint16_t)(msi + 2u), 2) & 1u, 0);
    assert_int_equal(owned_read(&o, (uint16_t)(msi + 4u), 4), 0);
    assert_int_equal(owned_read(&o, DEVCTL, 2), RESET_VALUE | 0x40);
    assert_int_equal(owned_read(&o, REG(PCV_PCIE_DEVCTL2), 2), 0);
    /* Hardware. */
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    assert_int_equal(owned_peek(&o, DEVCTL, 2), 0x253f);
    assert_int_equal(owned_peek(&o, REG(PCV_PCIE_DEVCTL2), 2), 0x0746);
    assert_int_equal(owned_peek(&o, PCV_REG_COMMAND, 2), PCV_CMD_PARITY);
    owned_switch_on(&o);
    owned_msi_on(&o, msi);
    assert_true(owned_msi_works(&o));
    owned_end(&o);
}

/* PCIE-1, HDR-16: the hardware domain restores its device itself. */
static void the_hardware_domains_flr_drops_mappings_and_vectors(void **state)
{
    struct owned o;

    (void)state;
    start(&o, false);
    owned_write(&o, DEVCTL, 2, 0x2810 | PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(o.events[PCV_EVENT_RESET], 1);
    assert_int_equal(pcv_model_mapped_pages(o.h.model), 0);
    assert_int_equal(pcv_model_bound(o.h.model, NULL), 0);
    owned_settles(&o, 100000);
    assert_int_equal(owned_read(&o, PCV_REG_BAR0, 4), 0);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), 0);
    assert_int_equal(o.events[PCV_EVENT_RESET_SEEN], 0);
    owned_switch_on(&o);
    owned_msi_on(&o, msi);
    assert_true(owned_msi_works(&o));
    owned_end(&o);
}

/* PCIE-1, HDR-9 */
static void a_reset_waits_until_nothing_is_mapped(void **state)
{
    struct owned o;
    struct pcv_access flr;
    unsigned steps = 0;

    (void)state;
    start(&o, true);
    pcv_model_set_map_chunk(o.h.model, 1);
    flr = PCV_WRITE(o.at, DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(pcv_access(o.owner, &flr), PCV_PENDING);
    while (pcv_access_resume(o.owner, &flr) == PCV_PENDING) {
        assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
        steps++;
    }
    assert_int_equal(steps, OWNED_PAGES - 1);
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), 0);
    owned_settles(&o, 100000);
    owned_end(&o);
}

/* PCIE-1 */
static void without_flr_its_bit_is_an_ordinary_zero(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make(&f, 0);
    pcv_test_set(&f, REG(PCV_PCIE_DEVCAP), 4, 0);
    (void)pcv_test_af(&f);
    owned_start(&o, &f);
    for (int give = 0; give < 2; give++) {
        if (give) {
            owned_give(&o, NULL);
        }
        assert_int_equal(owned_read(&o, REG(PCV_PCIE_DEVCAP), 4), 0);
        owned_write(&o, DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
        assert_false(owned_absent(&o));
        assert_int_equal(o.events[PCV_EVENT_RESET], 0);
    }
    owned_end(&o);
}

/* PCIE-1: initiate FLR is a write of its bit, and never reads as one. */
static void a_write_of_the_other_byte_resets_nothing(void **state)
{
    struct owned o;

    (void)state;
    for (int give = 0; give < 2; give++) {
        start(&o, give);
        owned_write(&o, DEVCTL, 1, 0x1f);
        owned_write(&o, (uint16_t)(DEVCTL + 1u), 1, 0x20);
        assert_int_equal(owned_read(&o, DEVCTL, 2) & 0xf01fu, 0x201f);
        assert_int_equal(o.events[PCV_EVENT_RESET], 0);
        owned_write(&o, (uint16_t)(DEVCTL + 1u), 1, 0x80);
        assert_int_equal(o.events[PCV_EVENT_RESET], 1);
        owned_settles(&o, 100000);
        owned_end(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_sees_an_integrated_endpoint),
        cmocka_unit_test(what_a_guest_writes_stays_with_the_guest),
        cmocka_unit_test(a_host_that_forbids_relaxed_ordering_is_obeyed),
        cmocka_unit_test(
            what_no_guest_may_have_is_off_though_the_capability_is_hidden),
        cmocka_unit_test(error_status_is_hardwares_and_cleared_by_a_one),
        cmocka_unit_test(nothing_behind_a_short_capability_is_touched),
        cmocka_unit_test(a_damaged_capability_is_hidden),
        cmocka_unit_test(a_function_is_silent_when_it_is_reset),
        cmocka_unit_test(a_guests_flr_resets_the_function_and_its_view),
        cmocka_unit_test(the_hardware_domains_flr_drops_mappings_and_vectors),
        cmocka_unit_test(a_reset_waits_until_nothing_is_mapped),
        cmocka_unit_test(without_flr_its_bit_is_an_ordinary_zero),
        cmocka_unit_test(a_write_of_the_other_byte_resets_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

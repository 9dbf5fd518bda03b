/* SPDX-License-Identifier: MIT */
/* What the hardware domain sees of a function that it gave away (OWN-14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned.h"
#include "vpci/shadow.h"

#define BAR_HIGH 0x4000000000ull
#define BAR_IO 0xc000u
#define ROM 0xfe0c0000u

static void hosted_write(struct hosted *h, pcv_sbdf sbdf, uint16_t reg,
                         uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(sbdf, reg, size, value);

    assert_int_equal(pcv_access(pcv_host_hardware_domain(h->host), &access),
                     PCV_DONE);
}

/* Where the capabilities of the card stand. */
static uint8_t pcie, msi;
static uint16_t dsn, ari;

/* Function 0 of several, with a BAR of each kind, and errors to tell. */
static void make_card(struct pcv_test_function *f)
{
    pcv_test_pcie_endpoint(f, 0x8086, 0x1533);
    pcie = (uint8_t)pcv_test_get(f, PCV_REG_CAPS, 1);
    msi = pcv_test_msi(f, 0x80);
    pcv_test_set(f, PCV_REG_CLASS, 1, 0x02);
    pcv_test_set(f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
    pcv_test_set(f, PCV_REG_SUBSYSTEM_VENDOR, 4, 0x00061af4);
    pcv_test_set(f, PCV_REG_INT_LINE, 2, 0x010b);
    pcv_test_bar32(f, 0, OWNED_BAR, (uint64_t)OWNED_PAGES * 4096u);
    pcv_test_bar_io(f, 1, BAR_IO, 32);
    pcv_test_bar64(f, 2, BAR_HIGH, 1u << 20);
    pcv_test_rom(f, ROM, 0x10000);
    pcv_test_set(f, PCV_REG_COMMAND, 2,
                 PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_PARITY);
    dsn = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_DSN, 1, 12);
    pcv_test_set(f, dsn + 4u, 4, 0x12345678);
    pcv_test_set(f, dsn + 8u, 4, 0x9abcdef0);
    ari = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_ARI, 1, 8);
    pcv_test_set(f, ari + PCV_ARI_CAP, 2, 0x0100);
}

/* The card is the guest's; what is asked is asked by the hardware domain. */
static void begin(struct owned *o)
{
    struct pcv_test_function f;

    make_card(&f);
    owned_start(o, &f);
    owned_give(o, NULL);
    o->owner = pcv_host_hardware_domain(o->h.host);
    o->at = OWNED_AT;
}

/* OWN-14: identity can be read, as it was; so can the layout of the header and
 * the bit that says that there are other functions. */
static void a_guests_function_keeps_its_identity(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint32_t value;
    } reads[] = {
        {PCV_REG_VENDOR, 4, 0x15338086},
        {PCV_REG_DEVICE, 2, 0x1533},
        {PCV_REG_CLASS, 1, 0x02},
        {PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI},
        {PCV_REG_SUBSYSTEM_VENDOR, 4, 0x00061af4},
        {PCV_REG_INT_LINE, 2, 0x010b},
    };
    struct owned o;

    (void)state;
    begin(&o);
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        assert_int_equal(owned_read(&o, reads[i].reg, reads[i].size),
                         reads[i].value);
    }
    owned_end(&o);
}

/* OWN-14: the lists lead where they led; registers of capabilities read zero,
 * but for what says who the function is. */
static void a_placeholders_capability_headers_can_be_read(void **state)
{
    struct owned o;

    (void)state;
    begin(&o);
    assert_int_equal(owned_read(&o, PCV_REG_STATUS, 2) & PCV_STATUS_CAPS,
                     PCV_STATUS_CAPS);
    assert_int_equal(owned_read(&o, PCV_REG_CAPS, 1), pcie);
    assert_int_equal(owned_read(&o, pcie, 4),
                     0x00020000u | (uint32_t)msi << 8 | PCV_CAP_ID_PCIE);
    assert_int_equal(owned_read(&o, pcie + PCV_PCIE_DEVCAP, 4), 0);
    assert_int_equal(owned_read(&o, msi, 4), PCV_CAP_ID_MSI);
    assert_int_equal(owned_read(&o, dsn, 4), (uint32_t)ari << 20 | 0x10003u);
    assert_int_equal(owned_read(&o, dsn + 4u, 4), 0x12345678);
    assert_int_equal(owned_read(&o, dsn + 8u, 4), 0x9abcdef0);
    assert_int_equal(owned_read(&o, ari + PCV_ARI_CAP, 4), 0x0100);
    assert_int_equal(owned_read(&o, 0xf00, 4), 0);
    owned_end(&o);
}

/* OWN-14: it reads as off, whatever the guest does with it. */
static void a_placeholder_decodes_nothing_and_is_no_bus_master(void **state)
{
    struct owned o;

    (void)state;
    begin(&o);
    o.owner = o.guest;
    o.at = (pcv_sbdf){pcv_devfn(1, 0)};
    owned_switch_on(&o);
    o.owner = pcv_host_hardware_domain(o.h.host);
    o.at = OWNED_AT;
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), PCV_CMD_PARITY);
    owned_write(&o, PCV_REG_COMMAND, 2, 0xffff);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), PCV_CMD_PARITY);
    assert_int_equal(owned_peek(&o, PCV_REG_COMMAND, 2) & PCV_CMD_MASTER,
                     PCV_CMD_MASTER);
    owned_end(&o);
}

/* OWN-14: BARs show the host's addresses and answer sizing, and keep them. */
static void a_placeholders_bars_can_be_sized_and_not_moved(void **state)
{
    static const struct {
        uint16_t reg;
        uint32_t address, ones, size;
    } bars[] = {
        {0x10, OWNED_BAR, 0xffffffff, 0xffffc000},
        {0x14, BAR_IO | 1u, 0xffffffff, 0xffffffe1},
        {0x18, (uint32_t)BAR_HIGH | 0x4u, 0xffffffff, 0xfff00004},
        {0x1c, (uint32_t)(BAR_HIGH >> 32), 0xffffffff, 0xffffffff},
        {0x20, 0, 0xffffffff, 0},
        {PCV_REG_ROM0, ROM, PCV_ROM_MASK, 0xffff0000},
    };
    struct owned o;

    (void)state;
    begin(&o);
    for (size_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
        assert_int_equal(owned_read(&o, bars[i].reg, 4), bars[i].address);
        owned_write(&o, bars[i].reg, 4, bars[i].ones);
        assert_int_equal(owned_read(&o, bars[i].reg, 4), bars[i].size);
        owned_write(&o, bars[i].reg, 4, 0x12340000);
        assert_int_equal(owned_read(&o, bars[i].reg, 4), bars[i].address);
    }
    /* By bytes, as hardware would let one do it. */
    owned_write(&o, 0x13, 1, 0xff);
    assert_int_equal(owned_read(&o, 0x10, 4), OWNED_BAR | 0xff000000u);
    owned_write(&o, 0x13, 1, 0);
    assert_int_equal(owned_read(&o, 0x10, 4), OWNED_BAR);
    assert_int_equal(owned_peek(&o, 0x10, 4), OWNED_BAR);
    owned_end(&o);
}

/* OWN-14: whatever the hardware domain does, hardware sees nothing of it, and
 * the guest's function goes on. */
static void a_placeholder_asks_nothing_of_hardware(void **state)
{
    struct owned o;

    (void)state;
    begin(&o);
    for (uint32_t reg = 0; reg < PCV_CFG_EXT_SIZE; reg += 4) {
        (void)owned_read(&o, (uint16_t)reg, 4);
        owned_write(&o, (uint16_t)reg, 4, 0xffffffff);
    }
    assert_int_equal(o.logged, 0);
    owned_end(&o);
}

/* OWN-14, CFG-9: what is dropped is counted at the device. */
static void writes_to_a_placeholder_are_counted_as_refused(void **state)
{
    struct owned o;

    (void)state;
    begin(&o);
    owned_write(&o, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    owned_write(&o, msi + 2u, 2, 1);
    owned_write(&o, PCV_REG_BAR0, 4, 0xffffffff);
    assert_int_equal(hosted_status(&o.h, OWNED_AT).counters.refused, 2);
    owned_end(&o);
}

/* OWN-14, LIFE-12: a read of the vendor ID makes neither an add nor a removal,
 * whatever hardware would answer just now. */
static void a_placeholders_vendor_id_moves_nothing(void **state)
{
    struct owned o;

    (void)state;
    begin(&o);
    pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_VENDOR, 4, 0xffffffff);
    for (int i = 0; i < 2; i++) {
        struct pcv_access access = PCV_READ(OWNED_AT, PCV_REG_VENDOR, 4);

        assert_int_equal(pcv_access(o.owner, &access), PCV_DONE);
        assert_int_equal(access.data, 0x15338086);
        assert_int_equal(pcv_access_resume(o.owner, &access), PCV_DONE);
        pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_VENDOR, 4, 0x12341234);
    }
    assert_int_equal(hosted_status(&o.h, OWNED_AT).owner_id, OWNED_GUEST);
    assert_int_equal(o.events[PCV_EVENT_ADDED], 0);
    assert_int_equal(o.events[PCV_EVENT_VANISHED], 0);
    owned_end(&o);
}

/* OWN-14, OWN-5: no moment of a change of owner shows it as pulled, also while
 * it settles from its reset. */
static void a_function_is_seen_while_its_owner_changes(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    for (int back = 0; back < 2; back++) {
        int error = -PCV_ERESTART;
        unsigned calls = 0;

        make_card(&f);
        owned_start(&o, &f);
        if (back != 0) {
            owned_give(&o, NULL);
            o.owner = pcv_host_hardware_domain(o.h.host);
            o.at = OWNED_AT;
        }
        for (; error == -PCV_ERESTART; calls++) {
            error = back != 0 ? pcv_device_deassign(o.h.host, OWNED_AT)
                              : pcv_device_assign(o.h.host, OWNED_AT, o.guest,
                                                  NULL, NULL);
            assert_int_equal(owned_read(&o, PCV_REG_VENDOR, 4), 0x15338086);
            pcv_model_advance_us(o.h.model, owned_wait_us(&o));
        }
        assert_int_equal(error, 0);
        assert_true(calls > 1);
        owned_end(&o);
    }
}

/* OWN-14, LIFE-11: also while the accesses of another CPU leave it, however
 * long that takes; one that is given up is the hardware domain's as before. */
static void a_function_is_seen_while_accesses_leave_it(void **state)
{
    struct pcv_test_function f;
    struct pcv_device *inside;
    struct owned o;

    (void)state;
    make_card(&f);
    owned_start(&o, &f);
    assert_int_equal(pcv__gate_enter(o.owner, OWNED_AT, &inside), PCV_DONE);
    assert_int_equal(pcv_device_assign(o.h.host, OWNED_AT, o.guest, NULL, NULL),
                     -PCV_ERESTART);
    assert_int_equal(owned_read(&o, PCV_REG_VENDOR, 4), 0x15338086);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), PCV_CMD_PARITY);
    pcv__gate_leave(inside);
    assert_int_equal(pcv_device_deassign(o.h.host, OWNED_AT), 0);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2) & PCV_CMD_MASTER,
                     PCV_CMD_MASTER);
    owned_end(&o);
}

/* OWN-14: also one that is nobody's, since a step of its assignment failed. */
static void a_function_in_quarantine_is_seen(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make_card(&f);
    owned_start(&o, &f);
    pcv_model_fail(o.h.model, PCV_MODEL_OP_dma_attach, 2);
    assert_int_equal(owned_change(&o, true, NULL), -PCV_EIO);
    assert_int_equal(hosted_status(&o.h, OWNED_AT).owner_id,
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(owned_read(&o, PCV_REG_VENDOR, 4), 0x15338086);
    assert_int_equal(owned_read(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), PCV_CMD_PARITY);
    owned_take(&o);
    assert_int_equal(owned_read(&o, PCV_REG_VENDOR, 4), 0x15338086);
    owned_end(&o);
}

/* OWN-14: on its return it is as after a reset: off, and where the host had
 * it; then writes have their effect again. */
static void on_its_return_a_function_is_as_after_a_reset(void **state)
{
    struct owned o;

    (void)state;
    begin(&o);
    owned_write(&o, PCV_REG_BAR0, 4, 0xffffffff);
    owned_take(&o);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), PCV_CMD_PARITY);
    assert_int_equal(owned_read(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    owned_write(&o, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), PCV_CMD_MEMORY);
    assert_true(owned_mapped(&o));
    owned_end(&o);
}

/* OWN-14, LIFE-9: what was pulled is not shown any more. */
static void what_vanished_has_no_placeholder(void **state)
{
    struct owned o;

    (void)state;
    begin(&o);
    assert_int_equal(pcv_device_vanished(o.h.host, OWNED_AT), 0);
    assert_true(owned_absent(&o));
    assert_int_equal(pcv_device_remove(o.h.host, OWNED_AT, NULL, NULL), 0);
    owned_end(&o);
}

/* OWN-14, CFG-8: where there is no extended space the placeholder has none. */
static void a_placeholder_has_no_more_space_than_its_function(void **state)
{
    struct pcv_test_function f;
    struct pcv_access wide;
    struct owned o;

    (void)state;
    pcv_test_endpoint(&f, 0x1234, 0x5678);
    (void)pcv_test_af(&f);
    owned_start(&o, &f);
    owned_give(&o, NULL);
    o.owner = pcv_host_hardware_domain(o.h.host);
    o.at = OWNED_AT;
    assert_int_equal(owned_read(&o, 0x100, 4), 0xffffffff);
    owned_write(&o, 0x100, 4, 0);
    assert_int_equal(owned_read(&o, 0x100, 2), 0xffff);
    /* An access of two parts is answered in both. */
    wide = PCV_READ(OWNED_AT, 0, 8);
    wide.split = true;
    assert_int_equal(pcv_access(o.owner, &wide), PCV_DONE);
    assert_int_equal(wide.data, 0x0010000056781234ull);
    owned_end(&o);
}

/* OWN-14: a VF's IDs read all ones, as hardware has them. */
static void a_vfs_placeholder_reads_as_the_vf_does(void **state)
{
    struct pcv_domain *guest;
    struct hosted h;
    int error = -PCV_ERESTART;

    (void)state;
    tree_start(&h);
    assert_int_equal(pcv_domain_create(h.host, 7, &guest), 0);
    assert_int_equal(pcv_device_declare_isolated(h.host, TREE_VF_0, true), 0);
    for (int i = 0; i < 10 && error == -PCV_ERESTART; i++) {
        static const struct pcv_assign_policy policy = {
            .flags = PCV_ASSIGN_NO_RESET};

        error = pcv_device_assign(h.host, TREE_VF_0, guest, &policy, NULL);
    }
    assert_int_equal(error, 0);
    assert_int_equal(hosted_read(&h, TREE_VF_0, PCV_REG_VENDOR, 4), 0xffffffff);
    assert_int_equal(hosted_read(&h, TREE_VF_0, PCV_REG_COMMAND, 2), 0);
    assert_int_equal(hosted_read(&h, TREE_VF_0, PCV_REG_BAR0, 4), 0);
    hosted_end(&h);
}

/* SRIOV-3, OWN-14: the hardware domain's own that settles from a reset is
 * absent for that time, beside others' placeholders, and says so as ever. */
static void what_settles_is_not_taken_for_anothers(void **state)
{
    const pcv_sbdf other = pcv_test_at(0, 0, 6, 0);
    struct pcv_access flr, read;
    struct pcv_test_function f;
    struct pcv_domain *guest;
    struct hosted h;
    int error = -PCV_ERESTART;

    (void)state;
    hosted_build(&h);
    make_card(&f);
    pcv_test_add(h.model, &f, OWNED_AT);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_add(h.model, &f, other);
    hosted_start(&h);
    hosted_scan(&h);
    assert_int_equal(pcv_domain_create(h.host, 7, &guest), 0);
    for (int i = 0; i < 10 && error == -PCV_ERESTART; i++) {
        error = pcv_device_assign(h.host, OWNED_AT, guest, NULL, NULL);
    }
    assert_int_equal(error, 0);
    pcv_model_set_clock(h.model, true);
    flr = PCV_WRITE(other, pcie + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &flr),
                     PCV_PENDING);
    assert_int_equal(pcv_access_resume(pcv_host_hardware_domain(h.host), &flr),
                     PCV_DONE);
    read = PCV_READ(other, PCV_REG_COMMAND, 2);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &read),
                     PCV_ABSENT);
    assert_int_equal(read.data, 0xffff);
    hosted_end(&h);
}

/* OWN-14, OWN-13: of a bridge in quarantine, which keeps its layout: it leads
 * where it led, holds nothing in reset, and cannot be written. */
static void a_bridges_placeholder_keeps_its_layout(void **state)
{
    struct pcv_device *bridge;
    struct pcv_domain *owner;
    uint32_t numbers;
    struct hosted h;

    (void)state;
    tree_build(&h);
    pcv_model_poke(h.model, TREE_PORT_3, PCV_REG_BRIDGE_CONTROL, 2, 0x0003);
    hosted_start(&h);
    hosted_scan(&h);
    numbers = hosted_read(&h, TREE_PORT_3, PCV_REG_PRIMARY, 4);
    bridge = hosted_hold(&h, TREE_PORT_3);
    pcv__lock_take(&h.host->mem, &bridge->lock);
    assert_int_equal(pcv__shadow_cast(bridge), 0);
    pcv__lock_drop(&h.host->mem, &bridge->lock);
    owner = atomic_exchange(&bridge->owner, &h.host->quarantine);
    assert_int_equal(hosted_read(&h, TREE_PORT_3, PCV_REG_PRIMARY, 4), numbers);
    assert_int_equal(hosted_read(&h, TREE_PORT_3, PCV_REG_HEADER_TYPE, 1), 1);
    assert_int_equal(hosted_read(&h, TREE_PORT_3, PCV_REG_MEM_BASE, 4),
                     0x902f9000);
    assert_int_equal(hosted_read(&h, TREE_PORT_3, PCV_REG_BRIDGE_CONTROL, 2),
                     0x0003);
    assert_int_equal(hosted_read(&h, TREE_PORT_3, PCV_REG_COMMAND, 2), 0);
    hosted_write(&h, TREE_PORT_3, PCV_REG_PRIMARY, 4, 0);
    hosted_write(&h, TREE_PORT_3, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    assert_int_equal(hosted_read(&h, TREE_PORT_3, PCV_REG_PRIMARY, 4), numbers);
    assert_int_equal(
        pcv_model_peek(h.model, TREE_PORT_3, PCV_REG_BRIDGE_CONTROL, 2),
        0x0003);
    atomic_store(&bridge->owner, owner);
    pcv_device_put(bridge);
    hosted_end(&h);
}

/* OWN-14, PORT-3: without memory for it the function stays where it is. */
static void without_a_placeholder_nothing_is_given_away(void **state)
{
    struct pcv_test_function f;
    unsigned refused = 0;

    (void)state;
    for (uint64_t nth = 1; nth < 20; nth++) {
        struct owned o;
        int error;

        make_card(&f);
        owned_start(&o, &f);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_alloc, nth);
        error = owned_change(&o, true, NULL);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_alloc, 0);
        if (error != 0 &&
            hosted_status(&o.h, OWNED_AT).owner_id == PCV_DOMAIN_ID_HARDWARE) {
            assert_int_equal(error, -PCV_ENOMEM);
            assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2) & 7u, 7);
            refused++;
        }
        o.owner = pcv_host_hardware_domain(o.h.host);
        o.at = OWNED_AT;
        assert_int_equal(owned_read(&o, PCV_REG_VENDOR, 4), 0x15338086);
        owned_end(&o);
    }
    assert_true(refused >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guests_function_keeps_its_identity),
        cmocka_unit_test(a_placeholders_capability_headers_can_be_read),
        cmocka_unit_test(a_placeholder_decodes_nothing_and_is_no_bus_master),
        cmocka_unit_test(a_placeholders_bars_can_be_sized_and_not_moved),
        cmocka_unit_test(a_placeholder_asks_nothing_of_hardware),
        cmocka_unit_test(writes_to_a_placeholder_are_counted_as_refused),
        cmocka_unit_test(a_placeholders_vendor_id_moves_nothing),
        cmocka_unit_test(a_function_is_seen_while_its_owner_changes),
        cmocka_unit_test(a_function_is_seen_while_accesses_leave_it),
        cmocka_unit_test(a_function_in_quarantine_is_seen),
        cmocka_unit_test(on_its_return_a_function_is_as_after_a_reset),
        cmocka_unit_test(what_vanished_has_no_placeholder),
        cmocka_unit_test(a_placeholder_has_no_more_space_than_its_function),
        cmocka_unit_test(a_vfs_placeholder_reads_as_the_vf_does),
        cmocka_unit_test(what_settles_is_not_taken_for_anothers),
        cmocka_unit_test(a_bridges_placeholder_keeps_its_layout),
        cmocka_unit_test(without_a_placeholder_nothing_is_given_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What the hardware domain sees of a function that it gave away (OWN-14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "placeholder_fixture.h"
#include "vpci/shadow.h"

static void hosted_write(struct hosted *h, pcv_sbdf sbdf, uint16_t reg,
                         uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(sbdf, reg, size, value);

    assert_int_equal(pcv_access(pcv_host_hardware_domain(h->host), &access),
                     PCV_DONE);
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
        cmocka_unit_test(a_placeholder_has_no_more_space_than_its_function),
        cmocka_unit_test(a_vfs_placeholder_reads_as_the_vf_does),
        cmocka_unit_test(a_bridges_placeholder_keeps_its_layout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

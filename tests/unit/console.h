/* SPDX-License-Identifier: MIT */
/*
 * A machine whose hypervisor drives a function itself (OWN-8): DEV, with a BAR
 * of every kind, beside DEV2, with BARs that can be moved over them.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_CONSOLE_H
#define PCV_TESTS_UNIT_CONSOLE_H

#include <string.h>

#include "guest_fixture.h"
#include "registry/internal.h"

/* DEV */
#define PORTS 0xc000u        /* BAR 0: 8 bytes of I/O */
#define REGS 0xe0010100u     /* BAR 1: 256 bytes, not at a page's start */
#define HIGH 0x4000000000u   /* BAR 2 and 3: 64-bit, 16 pages */
#define LOW 0xe0020000u      /* BAR 4: 4 pages */
#define FIRMWARE 0xe0030000u /* the ROM: 2 pages, enabled */
/* DEV2 */
#define BIG 0xe0100000u   /* BAR 0: 8 pages */
#define SMALL 0xe0110200u /* BAR 1: 256 bytes */
#define BIG_SIZE 0x8000u

#define DECODES (PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER)

static inline uint8_t console_add(struct pcv_model *model)
{
    struct pcv_test_function f;
    uint8_t msi;

    pcv_test_pcie_endpoint(&f, 0x1b36, 0x0002);
    msi = pcv_test_msi(&f, 0);
    pcv_test_bar_io(&f, 0, PORTS, 8);
    pcv_test_bar32(&f, 1, REGS, 256);
    pcv_test_bar64(&f, 2, HIGH, 0x10000);
    pcv_test_bar32(&f, 4, LOW, 0x4000);
    pcv_test_rom(&f, FIRMWARE | PCV_ROM_ENABLE, 0x2000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, DECODES);
    pcv_test_add(model, &f, DEV);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, BIG, BIG_SIZE);
    pcv_test_bar32(&f, 1, SMALL, 256);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(model, &f, DEV2);
    return msi;
}

/* Both are the hardware domain's; returns where DEV has its MSI. */
static inline uint8_t console_open(struct guest *g)
{
    uint8_t msi;

    guest_open(g);
    msi = console_add(g->rig.model);
    guest_boot(g);
    rig_forget(&g->rig);
    return msi;
}

/* DEV is the hypervisor's. */
static inline void console_declare(struct guest *g)
{
    assert_int_equal(pcv_device_set_read_only(g->rig.host, DEV), 0);
    rig_forget(&g->rig);
}

/* Every map has all that it promises. */
static inline void console_check(struct guest *g)
{
    struct pcv_host *host = g->rig.host;
    struct pcv_domain *dom0 = g->rig.dom0;

    pcv__lock_take(&host->mem, &dom0->map_lock);
    assert_int_equal(pcv__imap_check(&dom0->map), 0);
    assert_int_equal(pcv__imap_check(&dom0->holes), 0);
    pcv__lock_drop(&host->mem, &dom0->map_lock);
    pcv__lock_take(&host->mem, &host->reserved_lock);
    assert_int_equal(pcv__imap_check(&host->reserved_memory), 0);
    assert_int_equal(pcv__imap_check(&host->reserved_io), 0);
    pcv__lock_drop(&host->mem, &host->reserved_lock);
}

static inline uint32_t console_owner(struct guest *g)
{
    return rig_status(&g->rig, DEV).owner_id;
}

/* DEV2's BAR 0 elsewhere, as Linux moves one: decoding off, and on again. */
static inline void console_move(struct guest *g, unsigned bar, uint32_t address)
{
    rig_write(&g->rig, DEV2, PCV_REG_COMMAND, 2, 0);
    rig_write(&g->rig, DEV2, REG_BAR(bar), 4, address);
    rig_write(&g->rig, DEV2, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
}

#endif

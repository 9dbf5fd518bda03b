/* SPDX-License-Identifier: MIT */
/*
 * A machine with a controller that the hypervisor has a debug port in (OWN-7):
 * DEV, beside DEV2 and DEV3, whose BARs can be moved over it.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_HIDDEN_CARD_H
#define PCV_TESTS_UNIT_HIDDEN_CARD_H

#include <string.h>

#include "guest_fixture.h"
#include "registry/internal.h"

/* DEV */
#define REGS 0x4000000000u /* BAR 0 and 1: 64-bit, 16 pages */
#define REGS_SIZE 0x10000u
#define PORT 0x8010u      /* bytes of BAR 0 that the hypervisor uses, */
#define PORT_SIZE 0x1008u /* on two pages */
#define PORT_PAGE (REGS + 0x8000u)
#define IOS 0xc000u        /* BAR 2: 32 bytes of I/O */
#define LITTLE 0xe0020100u /* BAR 3: 256 bytes, in the middle of a page */
#define CODE 0xe0030000u   /* the ROM: 2 pages, enabled */
/* DEV2 and DEV3 */
#define BIG 0xe0100000u  /* DEV2's BAR 0: 8 pages */
#define NEXT 0xe0020800u /* DEV3's BAR 0: 256 bytes, beside LITTLE */
#define DEV3 pcv_test_at(0, 0, 3, 0)

#define FULL (PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER)

struct card {
    struct guest g;
    uint8_t pcie, pm, af, msi;
};

static inline void card_add(struct card *c)
{
    struct pcv_test_function f;
    struct pcv_model *model = c->g.rig.model;

    pcv_test_pcie_endpoint(&f, 0x8086, 0xa36d);
    c->pcie = (uint8_t)pcv_test_get(&f, PCV_REG_CAPS, 1);
    c->pm = pcv_test_pm(&f, false);
    c->af = pcv_test_cap(&f, PCV_CAP_ID_AF, 6);
    pcv_test_set(&f, c->af + 2u, 1, 6);
    pcv_test_set(&f, c->af + PCV_AF_CAPS, 1, PCV_AF_CAPS_TP | PCV_AF_CAPS_FLR);
    c->msi = pcv_test_msi(&f, 0);
    pcv_test_bar64(&f, 0, REGS, REGS_SIZE);
    pcv_test_bar_io(&f, 2, IOS, 32);
    pcv_test_bar32(&f, 3, LITTLE, 256);
    pcv_test_rom(&f, CODE | PCV_ROM_ENABLE, 0x2000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, FULL);
    pcv_test_add(model, &f, DEV);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, BIG, 0x8000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(model, &f, DEV2);
    pcv_test_endpoint(&f, 0x1b36, 0x0001);
    pcv_test_bar32(&f, 0, NEXT, 256);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(model, &f, DEV3);
}

static inline void card_open(struct card *c)
{
    memset(c, 0, sizeof(*c));
    guest_open(&c->g);
    card_add(c);
    guest_boot(&c->g);
    rig_forget(&c->g.rig);
}

/* The debug port's bytes, and some of the little BAR. */
static const struct pcv_hide_info card_ranges = {
    .range_count = 2,
    .range = {{.bar = 0, .offset = PORT, .size = PORT_SIZE},
              {.bar = 3, .offset = 0x10, .size = 8}},
};

static inline void card_hide(struct card *c)
{
    assert_int_equal(pcv_device_hide(c->g.rig.host, DEV, &card_ranges, NULL),
                     0);
    rig_forget(&c->g.rig);
}

static inline int card_reveal(struct card *c)
{
    return pcv_device_reveal(c->g.rig.host, DEV, 0, NULL);
}

static inline struct pcv_device_info card_info(struct card *c, pcv_sbdf sbdf)
{
    struct pcv_device_info info;

    rig_info(&c->g.rig, sbdf, &info);
    return info;
}

/* As software of the hardware domain reaches memory, mapped or not. */
static inline enum pcv_verdict card_store(struct card *c, uint64_t address,
                                          uint8_t size, uint64_t value)
{
    struct pcv_mmio access = PCV_MMIO_WRITE(address, size, value);

    return pcv_model_mmio_access(c->g.rig.model, PCV_DOMAIN_ID_HARDWARE,
                                 access.address, size, true, &access.data) == 0
               ? PCV_DONE
               : pcv_mmio_access(c->g.rig.dom0, &access);
}

static inline uint64_t card_load(struct card *c, uint64_t address, uint8_t size)
{
    struct pcv_mmio access = PCV_MMIO_READ(address, size);

    if (pcv_model_mmio_access(c->g.rig.model, PCV_DOMAIN_ID_HARDWARE,
                              access.address, size, false, &access.data) != 0) {
        assert_int_equal(pcv_mmio_access(c->g.rig.dom0, &access), PCV_DONE);
    }
    return access.data;
}

static inline uint64_t card_peek(struct card *c, uint8_t bar, uint64_t offset,
                                 uint8_t size)
{
    return pcv_model_mmio_peek(c->g.rig.model, DEV, bar, offset, size);
}

static inline bool card_read_only(const struct card *c, uint64_t address)
{
    return pcv_model_is_read_only(c->g.rig.model, PCV_DOMAIN_ID_HARDWARE,
                                  address >> 12);
}

/* Every map has all that it promises. */
static inline void card_check(struct card *c)
{
    struct pcv_host *host = c->g.rig.host;
    struct pcv_domain *dom0 = c->g.rig.dom0;

    pcv__lock_take(&host->mem, &dom0->map_lock);
    assert_int_equal(pcv__imap_check(&dom0->map), 0);
    assert_int_equal(pcv__imap_check(&dom0->holes), 0);
    assert_int_equal(pcv__imap_check(&dom0->read_only), 0);
    pcv__lock_drop(&host->mem, &dom0->map_lock);
    pcv__lock_take(&host->mem, &host->reserved_lock);
    assert_int_equal(pcv__imap_check(&host->used_memory), 0);
    pcv__lock_drop(&host->mem, &host->reserved_lock);
}

/* DEV is the hardware domain's alone, and works. */
static inline void card_as_before(struct card *c)
{
    struct pcv_device_info info = card_info(c, DEV);

    assert_int_equal(info.owner_id, PCV_DOMAIN_ID_HARDWARE);
    assert_false(info.hidden);
    assert_true(rig_mapped(&c->g.rig, REGS, REGS_SIZE));
    for (uint64_t at = REGS; at < REGS + REGS_SIZE; at += 0x1000) {
        assert_false(card_read_only(c, at));
    }
    assert_int_equal(rig_read(&c->g.rig, DEV, PCV_REG_VENDOR, 4), 0xa36d8086);
    assert_int_equal(rig_read(&c->g.rig, DEV, PCV_REG_COMMAND, 2), FULL);
    card_check(c);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The memory that interrupt controllers keep their books in: the ITS's tables
 * of devices and collections, and each redistributor's of LPIs (Arm IHI 0069,
 * 5.2 and 6.1). We give it, and do not look into it again, except for the
 * configuration of LPIs: all of them are always enabled, since none can arrive
 * for which no event is mapped.
 */
#include "its_impl.h"

#include "driver.h"
#include "gic.h"
#include "its_regs.h"
#include "lib.h"
#include "pcivisor/errno.h"

#define LPI_PRIORITY 0xa0u

/* One for all redistributors, as they demand. */
static uint8_t *lpi_configuration;

static int say_lack(const char *what)
{
    print("its: it lacks %s\n", what);
    return -PCV_EOPNOTSUPP;
}

static int features_check(uint64_t typer)
{
    if ((typer & GITS_TYPER_PHYSICAL) == 0) {
        return say_lack("physical LPIs");
    }
    if (GITS_TYPER_DEVICE_BITS(typer) < ITS_REQUESTER_BITS) {
        return say_lack("device IDs of 16 bits");
    }
    if (GITS_TYPER_EVENT_BITS(typer) < ITS_EVENT_BITS) {
        return say_lack("event IDs of 12 bits");
    }
    return 0;
}

/* A flat table of so many entries for one BASER register. */
static int table_init(uint64_t reg, uint64_t entries)
{
    uint64_t baser = mmio_read64(reg);
    uint64_t size = entries * BASER_ENTRY_SIZE(baser), page, pages;
    void *table;

    /* 64 KiB if it takes them; else what it has. */
    mmio_write64(reg, BASER_PAGE_64K);
    baser = mmio_read64(reg);
    page = PAGE_SIZE << 2 * BASER_PAGE_SIZE(baser);
    pages = (size + page - 1) / page;
    if (pages > BASER_PAGES_MAX) {
        return say_lack("small enough entries for a flat table");
    }
    table = pages_alloc(pages_order(pages * page));
    if (table == NULL) {
        return -PCV_ENOMEM;
    }
    mmio_write64(reg, BASER_VALID | BASER_INNER_WB | (uint64_t)table |
                          BASER_SHARED | BASER_PAGE_SIZE(baser) << 8 |
                          (pages - 1));
    baser = mmio_read64(reg);
    if ((baser & BASER_SHARED_MASK) == 0) {
        return say_lack("tables that see the CPUs' caches");
    }
    return 0;
}

/* The ITS says which of its registers is for which table. */
static int tables_init(uint64_t base, uint64_t typer)
{
    bool collections = GITS_TYPER_HELD_COLLECTIONS(typer) >= CPUS_MAX;
    bool devices = false;

    for (unsigned i = 0; i < GITS_BASERS; i++) {
        uint64_t reg = base + GITS_BASER(i);
        unsigned type = (unsigned)BASER_TYPE(mmio_read64(reg));
        int error = 0;

        if (type == BASER_TYPE_DEVICES) {
            error = table_init(reg, (uint64_t)1 << ITS_REQUESTER_BITS);
            devices = true;
        } else if (type == BASER_TYPE_COLLECTIONS) {
            error = table_init(reg, CPUS_MAX);
            collections = true;
        }
        if (error != 0) {
            return error;
        }
    }
    if (!devices) {
        return say_lack("a table of devices");
    }
    return collections ? 0 : say_lack("a table of collections");
}

int its_unit_init(uint64_t base)
{
    uint64_t typer = mmio_read64(base + GITS_TYPER);
    int error = features_check(typer);

    if (error != 0) {
        return error;
    }
    /* Who ran before us may have left it on. */
    mmio_write32(base + GITS_CTLR, 0);
    if (!wait_for(base + GITS_CTLR, GITS_CTLR_QUIESCENT, GITS_CTLR_QUIESCENT)) {
        print("its: it does not come to rest\n");
        return -PCV_EIO;
    }
    lpi_configuration = pages_alloc(pages_order(LPI_COUNT));
    if (lpi_configuration == NULL) {
        return -PCV_ENOMEM;
    }
    memset(lpi_configuration, LPI_CONFIG(LPI_PRIORITY), LPI_COUNT);
    error = tables_init(base, typer);
    if (error == 0) {
        error = its_commands_init(base);
    }
    if (error == 0) {
        mmio_write32(base + GITS_CTLR, GITS_CTLR_ENABLED);
    }
    return error;
}

static bool table_is_shared(uint64_t reg)
{
    return (mmio_read64(reg) & BASER_SHARED_MASK) != 0;
}

int its_redistributor_init(uint64_t typer, uint64_t *out_target)
{
    uint64_t redist = gic_redistributor();
    uint64_t redist_typer = mmio_read64(redist + GICR_TYPER);
    uint32_t ctlr = mmio_read32(redist + GICR_CTLR);
    void *pending;

    if ((redist_typer & GICR_TYPER_LPIS) == 0) {
        return say_lack("a redistributor with LPIs");
    }
    *out_target = (typer & GITS_TYPER_PTA) != 0
                      ? redist
                      : GICR_TYPER_NUMBER(redist_typer) << 16;
    if ((ctlr & GICR_CTLR_LPIS) != 0) {
        /* Its tables cannot be changed any more: ours, from before this CPU
         * was switched off, or somebody's whom we did not start from. */
        uint64_t ours =
            mmio_read64(redist + GICR_PROPBASER) & LPI_TABLE_ADDRESS;

        if (ours == (uint64_t)lpi_configuration) {
            return 0;
        }
        print("its: LPIs are in use already\n");
        return -PCV_EBUSY;
    }
    /* One bit an INTID, those below the first LPI as well. */
    pending = pages_alloc(pages_order(PENDING_TABLE_ALIGN));
    if (pending == NULL) {
        return -PCV_ENOMEM;
    }
    mmio_write64(redist + GICR_PROPBASER,
                 (uint64_t)lpi_configuration | LPI_TABLE_INNER_WB |
                     BASER_SHARED | PROPBASER_ID_BITS(LPI_BITS));
    mmio_write64(redist + GICR_PENDBASER, (uint64_t)pending |
                                              LPI_TABLE_INNER_WB |
                                              BASER_SHARED | PENDBASER_ZEROED);
    if (!table_is_shared(redist + GICR_PROPBASER) ||
        !table_is_shared(redist + GICR_PENDBASER)) {
        return say_lack("LPI tables that see the CPUs' caches");
    }
    dsb(); /* what is in them, before they are used */
    mmio_write32(redist + GICR_CTLR, ctlr | GICR_CTLR_LPIS);
    return 0;
}

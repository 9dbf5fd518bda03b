/* SPDX-License-Identifier: MIT */
/*
 * Stage 2: what a domain may reach (Arm ARM, D8.2). 40 bits of guest-physical
 * address, 4 KiB pages; the walk begins at level 1 with two tables side by
 * side. Runs that are aligned become 2 MiB or 1 GiB blocks, which are split
 * again when a part of them goes.
 */
#include "lib.h"
#include "mmu.h"
#include "pcivisor/errno.h"

#define ENTRIES 512u
#define LEVEL_PAGE 3u
#define ADDRESS_BITS 40u

#define ENTRY_VALID 1u
#define ENTRY_TABLE 3u
#define ENTRY_PAGE 3u
#define ENTRY_BLOCK 1u
#define ENTRY_READ ((uint64_t)1 << 6)
#define ENTRY_READ_WRITE ((uint64_t)3 << 6)
#define ENTRY_INNER_SHARED ((uint64_t)3 << 8)
#define ENTRY_ACCESSED ((uint64_t)1 << 10)
#define ENTRY_NO_EXECUTE ((uint64_t)1 << 54)
#define ENTRY_NORMAL ((uint64_t)0xf << 2)
#define ENTRY_DEVICE ((uint64_t)1 << 2) /* nGnRE */
#define ENTRY_ADDRESS 0x0000fffffffff000u

/* T0SZ 24, walk from level 1, write-back, inner shareable, 40 bits, RES1. */
#define VTCR_VALUE                                                             \
    (24u | (1u << 6) | (1u << 8) | (1u << 10) | (3u << 12) | (2u << 16) |      \
     (1u << 31))

/* Bytes that one entry of a level covers. */
static uint64_t span(unsigned level)
{
    return PAGE_SIZE << (9u * (LEVEL_PAGE - level));
}

static bool is_table(uint64_t entry, unsigned level)
{
    return level < LEVEL_PAGE && (entry & 3u) == ENTRY_TABLE;
}

static uint64_t *table_of(uint64_t entry)
{
    return (uint64_t *)(entry & ENTRY_ADDRESS);
}

/* Entries are read by the table walker at any time: whole, and in order. */
static void set_entry(uint64_t *entry, uint64_t value)
{
    *(volatile uint64_t *)entry = value;
    dsb();
}

static uint64_t make_entry(uint64_t physical, unsigned level,
                           enum stage2_kind kind)
{
    uint64_t entry =
        physical | ENTRY_ACCESSED |
        (kind == STAGE2_DEVICE_READ_ONLY ? ENTRY_READ : ENTRY_READ_WRITE) |
        (level == LEVEL_PAGE ? ENTRY_PAGE : ENTRY_BLOCK);

    return entry | (kind == STAGE2_RAM ? ENTRY_NORMAL | ENTRY_INNER_SHARED
                                       : ENTRY_DEVICE | ENTRY_NO_EXECUTE);
}

/* Drop what the TLBs of all CPUs hold of a domain. */
static void flush(const struct domain *domain)
{
    uint64_t current = READ_SYSREG(vttbr_el2);

    stage2_use(domain);
    __asm__ volatile("dsb sy\n\ttlbi vmalls12e1is\n\tdsb sy\n\tisb" ::
                         : "memory");
    WRITE_SYSREG(vttbr_el2, current);
    isb();
}

/* A block becomes a table of smaller ones. Valid entries are never replaced
 * by others without a break in between. */
static uint64_t *split(const struct domain *domain, uint64_t *entry,
                       unsigned level)
{
    uint64_t *table = pages_alloc(0);
    uint64_t old = *entry;

    if (!table) {
        return NULL;
    }
    for (unsigned i = 0; i < ENTRIES; i++) {
        table[i] = old + i * span(level + 1);
        if (level + 1 == LEVEL_PAGE) {
            table[i] |= ENTRY_PAGE;
        }
    }
    set_entry(entry, 0);
    flush(domain);
    set_entry(entry, (uint64_t)table | ENTRY_TABLE);
    return table;
}

/*
 * The entry of an address at `level`, or above it where nothing is mapped
 * there, or a block is and `make` is false. With `make`, tables on the way are
 * made. NULL: out of memory.
 */
static uint64_t *walk(const struct domain *domain, uint64_t address,
                      unsigned level, bool make, unsigned *out_level)
{
    uint64_t *table = domain->stage2;
    unsigned at = 1;
    uint64_t *entry;

    for (;; at++) {
        uint64_t index = address / span(at);

        entry = &table[at == 1 ? index : index % ENTRIES];
        if (at == level) {
            break;
        }
        if (is_table(*entry, at)) {
            table = table_of(*entry);
            continue;
        }
        if (!make) {
            break;
        }
        if ((*entry & ENTRY_VALID) != 0) {
            table = split(domain, entry, at);
        } else {
            table = pages_alloc(0);
            if (table) {
                dsb();
                set_entry(entry, (uint64_t)table | ENTRY_TABLE);
            }
        }
        if (!table) {
            return NULL;
        }
    }
    *out_level = at;
    return entry;
}

/* The level whose entry covers as much as possible of what is left. */
static unsigned best_level(uint64_t address, uint64_t physical, uint64_t size)
{
    unsigned level = 1;

    while (level < LEVEL_PAGE &&
           (((address | physical) & (span(level) - 1)) != 0 ||
            size < span(level))) {
        level++;
    }
    return level;
}

static bool in_reach(uint64_t address, uint64_t pages)
{
    uint64_t limit = ((uint64_t)1 << (ADDRESS_BITS - PAGE_SHIFT));

    return address % PAGE_SIZE == 0 && pages <= limit &&
           address >> PAGE_SHIFT <= limit - pages;
}

static bool is_empty(const uint64_t *table)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (table[i] != 0) {
            return false;
        }
    }
    return true;
}

/*
 * Unlink the tables between two addresses in which nothing is left: a domain
 * that moves a BAR around must not use up our memory. They join a list, to be
 * freed after a flush; it is in their first entries, which as addresses of
 * pages are not valid ones. Recursion: one call a level.
 */
static uint64_t *prune(uint64_t *table, unsigned level, uint64_t first,
                       uint64_t end, uint64_t *list)
{
    uint64_t next;

    for (; first < end; first = next) {
        uint64_t index = first / span(level);
        uint64_t *entry = &table[level == 1 ? index : index % ENTRIES];
        uint64_t *below = table_of(*entry);

        next = (first & ~(span(level) - 1)) + span(level);
        if (!is_table(*entry, level)) {
            continue;
        }
        if (level + 1 < LEVEL_PAGE) {
            list =
                prune(below, level + 1, first, next < end ? next : end, list);
        }
        if (is_empty(below)) {
            set_entry(entry, 0);
            below[0] = (uint64_t)list;
            list = below;
        }
    }
    return list;
}

/* What was cleared between two addresses is gone for all CPUs. */
static void forget(const struct domain *domain, uint64_t first, uint64_t end)
{
    uint64_t *list = prune(domain->stage2, 1, first, end, NULL);

    flush(domain);
    while (list) {
        uint64_t *next = table_of(list[0]);

        pages_free(list, 0);
        list = next;
    }
}

/* Under the lock. */
static int unmap_locked(struct domain *domain, uint64_t address, uint64_t size)
{
    uint64_t first = address;
    uint64_t end = address + size;
    int error = 0;

    while (address < end) {
        unsigned level = 0;
        unsigned want = best_level(address, 0, end - address);
        uint64_t *entry = walk(domain, address, want, false, &level);

        if ((*entry & ENTRY_VALID) != 0 && !is_table(*entry, level) &&
            level < want) {
            entry = walk(domain, address, want, true, &level);
            if (!entry) {
                error = -PCV_ENOMEM;
                break;
            }
        } else if (is_table(*entry, level)) {
            /* Smaller pieces are mapped in it: take them one by one. */
            entry = walk(domain, address, LEVEL_PAGE, false, &level);
        }
        set_entry(entry, 0);
        address = (address & ~(span(level) - 1)) + span(level);
    }
    forget(domain, first, end);
    return error;
}

static int map_locked(struct domain *domain, uint64_t address,
                      uint64_t physical, uint64_t size, enum stage2_kind kind)
{
    uint64_t done = 0;

    while (done < size) {
        unsigned level =
            best_level(address + done, physical + done, size - done);
        uint64_t *entry = walk(domain, address + done, level, true, &level);
        int error = !entry ? -PCV_ENOMEM : -PCV_EEXIST;

        if (entry && is_table(*entry, level)) {
            /* A table from before is there: fill that. */
            entry = walk(domain, address + done, LEVEL_PAGE, true, &level);
        }
        if (!entry || (*entry & ENTRY_VALID) != 0) {
            (void)unmap_locked(domain, address, done);
            return error;
        }
        set_entry(entry, make_entry(physical + done, level, kind));
        done += span(level);
    }
    return 0;
}

/*
 * A device's page that is mapped becomes of another kind: 1; 0: it is not
 * mapped, or to elsewhere, or is RAM; -PCV_ENOMEM. Only what may be done there
 * changes, so no break is needed in between; but a block is
 * split first, for whose moment an access is run again (is_back()).
 */
static int change_locked(struct domain *domain, uint64_t address,
                         uint64_t physical, enum stage2_kind kind)
{
    unsigned level = 0;
    uint64_t *entry = walk(domain, address, LEVEL_PAGE, false, &level);
    uint64_t offset = address & (span(level) - 1);

    if ((*entry & ENTRY_VALID) == 0 || is_table(*entry, level) ||
        kind == STAGE2_RAM || (*entry & ENTRY_NO_EXECUTE) == 0 ||
        (*entry & ENTRY_ADDRESS) + offset != physical) {
        return 0;
    }
    entry = walk(domain, address, LEVEL_PAGE, true, &level);
    if (!entry) {
        return -PCV_ENOMEM;
    }
    set_entry(entry, make_entry(physical, level, kind));
    flush(domain);
    return 1;
}

int stage2_map(struct domain *domain, uint64_t address, uint64_t physical,
               uint64_t pages, enum stage2_kind kind)
{
    int error;

    if (!in_reach(address, pages) || physical % PAGE_SIZE != 0) {
        return -PCV_EINVAL;
    }
    spin_lock(&domain->stage2_lock);
    error = change_locked(domain, address, physical, kind);
    if (error == 0) {
        error =
            map_locked(domain, address, physical, pages << PAGE_SHIFT, kind);
    }
    spin_unlock(&domain->stage2_lock);
    return error;
}

int stage2_unmap(struct domain *domain, uint64_t address, uint64_t pages)
{
    int error;

    if (!in_reach(address, pages)) {
        return -PCV_EINVAL;
    }
    spin_lock(&domain->stage2_lock);
    error = unmap_locked(domain, address, pages << PAGE_SHIFT);
    spin_unlock(&domain->stage2_lock);
    return error;
}

bool stage2_lookup(struct domain *domain, uint64_t address,
                   uint64_t *out_physical)
{
    unsigned level = 0;
    uint64_t entry;

    if (!in_reach(address & ~(PAGE_SIZE - 1), 1)) {
        return false;
    }
    spin_lock(&domain->stage2_lock);
    entry = *walk(domain, address, LEVEL_PAGE, false, &level);
    spin_unlock(&domain->stage2_lock);
    if ((entry & ENTRY_VALID) == 0) {
        return false;
    }
    *out_physical = (entry & ENTRY_ADDRESS & ~(span(level) - 1)) |
                    (address & (span(level) - 1));
    return true;
}

bool stage2_can_write(struct domain *domain, uint64_t address)
{
    unsigned level = 0;
    uint64_t entry;

    if (!in_reach(address & ~(PAGE_SIZE - 1), 1)) {
        return false;
    }
    spin_lock(&domain->stage2_lock);
    entry = *walk(domain, address, LEVEL_PAGE, false, &level);
    spin_unlock(&domain->stage2_lock);
    return (entry & ENTRY_VALID) != 0 &&
           (entry & ENTRY_READ_WRITE) == ENTRY_READ_WRITE;
}

int stage2_create(struct domain *domain)
{
    domain->stage2 = pages_alloc(1);
    return domain->stage2 ? 0 : -PCV_ENOMEM;
}

void stage2_use(const struct domain *domain)
{
    WRITE_SYSREG(vtcr_el2, VTCR_VALUE);
    /* Numbers of address spaces are those of the domains, from 1. */
    WRITE_SYSREG(vttbr_el2,
                 (uint64_t)domain->stage2 | (uint64_t)(domain->id + 1) << 48);
    isb();
}

/* SPDX-License-Identifier: MIT */
/*
 * The SMMU's page tables: four levels of 4 KiB, blocks of 1 GiB and 2 MiB where
 * address, physical address and size allow.
 *
 * A change has three steps: split the blocks that reach over an end of the
 * range, take out what is in the range and have the SMMU forget it, put in what
 * is new. Only the first and the last need memory, and what the first does
 * changes no translation; so an unmapping that fails has changed nothing, and a
 * mapping that fails leaves the range unmapped.
 */
#include "smmu_impl.h"

#include "lib.h"
#include "pcivisor/errno.h"

#define LEVEL_LAST 3u
#define INDEX_BITS 9u

/* Descriptors (Arm ARM, D8.3). */
#define ENTRY_VALID ((uint64_t)1 << 0)
#define ENTRY_TABLE ((uint64_t)1 << 1) /* at the last level: a page */
#define ENTRY_ADDRESS 0x0000fffffffff000u
#define ENTRY_ATTRIBUTE(index) ((uint64_t)(index) << 2)
#define ENTRY_UNPRIVILEGED ((uint64_t)1 << 6)
#define ENTRY_INNER_SHARED ((uint64_t)3 << 8)
#define ENTRY_ACCESSED ((uint64_t)1 << 10)
#define ENTRY_NOT_GLOBAL ((uint64_t)1 << 11)
#define ENTRY_NEVER_EXECUTE ((uint64_t)3 << 53)

/* Stage 1 knows no write-only; the doorbell's page can be read as well, and
 * reads as zero. */
#define LEAF                                                                   \
    (ENTRY_VALID | ENTRY_UNPRIVILEGED | ENTRY_ACCESSED | ENTRY_NOT_GLOBAL |    \
     ENTRY_NEVER_EXECUTE)
#define LEAF_MEMORY (LEAF | ENTRY_ATTRIBUTE(0) | ENTRY_INNER_SHARED)
#define LEAF_DOORBELL (LEAF | ENTRY_ATTRIBUTE(1))

/* Part of the address space: from first to before end. */
struct range {
    uint64_t first, end;
};

static unsigned level_shift(unsigned level)
{
    return PAGE_SHIFT + INDEX_BITS * (LEVEL_LAST - level);
}

static uint64_t level_size(unsigned level)
{
    return (uint64_t)1 << level_shift(level);
}

static _Atomic uint64_t *entry_of(struct smmu_table *table, unsigned level,
                                  uint64_t address)
{
    return &table->entry[(address >> level_shift(level)) % SMMU_TABLE_ENTRIES];
}

static uint64_t entry_get(_Atomic uint64_t *entry)
{
    return atomic_load_explicit(entry, memory_order_relaxed);
}

/* Released, so that a walker that sees it sees the table behind it. */
static void entry_set(_Atomic uint64_t *entry, uint64_t value)
{
    atomic_store_explicit(entry, value, memory_order_release);
}

static bool is_table(uint64_t value, unsigned level)
{
    return level < LEVEL_LAST && (value & ENTRY_VALID) != 0 &&
           (value & ENTRY_TABLE) != 0;
}

static struct smmu_table *table_of(uint64_t value)
{
    return (struct smmu_table *)(value & ENTRY_ADDRESS);
}

/* Pages and blocks differ in the bit that elsewhere says "table". */
static uint64_t leaf(uint64_t physical, uint64_t attributes, unsigned level)
{
    return physical | attributes | (level == LEVEL_LAST ? ENTRY_TABLE : 0);
}

/* The part of a range that the entry at its first address covers. */
static struct range range_head(const struct range *range, unsigned level)
{
    uint64_t end = (range->first | (level_size(level) - 1)) + 1;

    return (struct range){range->first, end < range->end ? end : range->end};
}

static bool range_is_whole(const struct range *range, unsigned level)
{
    return range->end - range->first == level_size(level);
}

/*
 * Put a table of smaller leaves in place of a block, with the same translation.
 * Where the SMMU cannot bear both in its TLB, the block goes first, and an
 * access of a device at that very moment faults.
 */
static int block_split(struct smmu_context *context, _Atomic uint64_t *entry,
                       unsigned level, uint64_t address)
{
    uint64_t block = entry_get(entry);
    uint64_t step = level_size(level + 1);
    struct smmu_table *table = pages_alloc(0);

    if (table == NULL) {
        return -PCV_ENOMEM;
    }
    for (unsigned i = 0; i < SMMU_TABLE_ENTRIES; i++) {
        atomic_store_explicit(&table->entry[i],
                              leaf(block + i * step, 0, level + 1),
                              memory_order_relaxed);
    }
    if (!context->splits_live) {
        uint64_t size = level_size(level);
        int error;

        entry_set(entry, 0);
        error = smmu_forget_range(context->asid, address & ~(size - 1), size);
        if (error != 0) {
            entry_set(entry, block);
            pages_free(table, 0);
            return error;
        }
    }
    entry_set(entry, (uint64_t)table | ENTRY_TABLE | ENTRY_VALID);
    return 0;
}

/* After this no block reaches over a boundary. */
static int boundary_make(struct smmu_context *context, uint64_t boundary)
{
    struct smmu_table *table = context->root;

    for (unsigned level = 0; level < LEVEL_LAST; level++) {
        _Atomic uint64_t *entry = entry_of(table, level, boundary);
        uint64_t value = entry_get(entry);

        if ((value & ENTRY_VALID) == 0 || boundary % level_size(level) == 0) {
            return 0;
        }
        if (!is_table(value, level)) {
            int error = block_split(context, entry, level, boundary);

            if (error != 0) {
                return error;
            }
            value = entry_get(entry);
        }
        table = table_of(value);
    }
    return 0;
}

/*
 * A table that is no longer linked, and those under it, join a list of what can
 * be freed once the SMMU has forgotten them. The list is in their first
 * entries: for a walker that is still on its way, the address of a page without
 * any flag is an entry that is not valid. Recursion: one call a level.
 */
static void table_retire(struct smmu_table *table, unsigned level,
                         struct smmu_table **retired)
{
    for (unsigned i = 0; i < SMMU_TABLE_ENTRIES; i++) {
        uint64_t value = entry_get(&table->entry[i]);

        if (is_table(value, level)) {
            table_retire(table_of(value), level + 1, retired);
        }
    }
    entry_set(&table->entry[0], (uint64_t)*retired);
    *retired = table;
}

static void retired_free(struct smmu_table *retired)
{
    while (retired != NULL) {
        struct smmu_table *next = table_of(entry_get(&retired->entry[0]));

        pages_free(retired, 0);
        retired = next;
    }
}

/*
 * Take out everything in a range over whose ends no block reaches. Says whether
 * there was anything. Recursion: one call a level.
 */
static bool range_clear(struct smmu_table *table, unsigned level,
                        struct range range, struct smmu_table **retired)
{
    bool found = false;

    while (range.first < range.end) {
        struct range head = range_head(&range, level);
        _Atomic uint64_t *entry = entry_of(table, level, range.first);
        uint64_t value = entry_get(entry);

        if (is_table(value, level) && !range_is_whole(&head, level)) {
            found |= range_clear(table_of(value), level + 1, head, retired);
        } else if ((value & ENTRY_VALID) != 0) {
            entry_set(entry, 0);
            found = true;
            if (is_table(value, level)) {
                table_retire(table_of(value), level + 1, retired);
            }
        }
        range.first = head.end;
    }
    return found;
}

/* Put leaves into a range that is empty. Recursion: one call a level. */
static int range_fill(struct smmu_table *table, unsigned level,
                      struct range range, uint64_t physical,
                      uint64_t attributes)
{
    while (range.first < range.end) {
        struct range head = range_head(&range, level);
        _Atomic uint64_t *entry = entry_of(table, level, range.first);
        uint64_t value = entry_get(entry);

        if (level > 0 && (value & ENTRY_VALID) == 0 &&
            range_is_whole(&head, level) && physical % level_size(level) == 0) {
            entry_set(entry, leaf(physical, attributes, level));
        } else {
            int error;

            if ((value & ENTRY_VALID) == 0) {
                struct smmu_table *below = pages_alloc(0);

                if (below == NULL) {
                    return -PCV_ENOMEM;
                }
                value = (uint64_t)below | ENTRY_TABLE | ENTRY_VALID;
                entry_set(entry, value);
            }
            error = range_fill(table_of(value), level + 1, head, physical,
                               attributes);
            if (error != 0) {
                return error;
            }
        }
        physical += head.end - head.first;
        range.first = head.end;
    }
    return 0;
}

static int range_remove_locked(struct smmu_context *context, struct range range)
{
    struct smmu_table *retired = NULL;
    int error = boundary_make(context, range.first);

    if (error == 0) {
        error = boundary_make(context, range.end);
    }
    if (error != 0) {
        return error;
    }
    if (!range_clear(context->root, 0, range, &retired)) {
        return 0;
    }
    error =
        smmu_forget_range(context->asid, range.first, range.end - range.first);
    if (error == 0) {
        retired_free(retired); /* else the SMMU may still walk them */
    }
    return error;
}

/* Whole pages, not none, below a limit. */
static bool pages_are_valid(uint64_t address, uint64_t size, uint64_t limit)
{
    return size != 0 && (address | size) % PAGE_SIZE == 0 && size <= limit &&
           address <= limit - size;
}

int smmu_map(struct smmu_context *context, uint64_t address, uint64_t physical,
             uint64_t size, bool doorbell)
{
    struct range range = {address, address + size};
    uint64_t attributes = doorbell ? LEAF_DOORBELL : LEAF_MEMORY;
    int error;

    if (context == NULL ||
        !pages_are_valid(address, size, (uint64_t)1 << SMMU_ADDRESS_BITS) ||
        !pages_are_valid(physical, size, context->physical_end)) {
        return -PCV_EINVAL;
    }
    spin_lock(&context->lock);
    error = range_remove_locked(context, range);
    if (error == 0) {
        error = range_fill(context->root, 0, range, physical, attributes);
        if (error != 0) {
            /* It needs no memory: nothing new reaches over the ends. */
            (void)range_remove_locked(context, range);
        }
    }
    dsb(); /* before whatever tells a device to use it */
    spin_unlock(&context->lock);
    return error;
}

int smmu_unmap(struct smmu_context *context, uint64_t address, uint64_t size)
{
    struct range range = {address, address + size};
    int error;

    if (context == NULL ||
        !pages_are_valid(address, size, (uint64_t)1 << SMMU_ADDRESS_BITS)) {
        return -PCV_EINVAL;
    }
    spin_lock(&context->lock);
    error = range_remove_locked(context, range);
    spin_unlock(&context->lock);
    return error;
}

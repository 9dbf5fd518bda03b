/* SPDX-License-Identifier: MIT */
/*
 * Accesses of the owner to MSI-X's table and pending bits (PCI Local Bus 3.0,
 * 6.8.2.6 to 6.8.2.10; MSIX-1).
 *
 * The table that the owner sees is virtual. The specification leaves open what
 * a change of an unmasked entry does: here it takes effect at the end of the
 * access that made it, so an owner that writes the address of an unmasked entry
 * in two halves has the half-written one bound in between.
 */
#include "vpci/cap/msix.h"

/* Whether an access touches `length` bytes at `start`. */
static bool touches(uint64_t offset, uint8_t size, uint32_t start,
                    uint32_t length)
{
    return offset < (uint64_t)start + length && offset + size > start;
}

/* Other widths than these the specification leaves undefined. Table and pending
 * bits begin and end at quadwords, so what is well formed and touches them does
 * not reach beyond. */
static bool is_well_formed(uint64_t offset, uint8_t size)
{
    return (size == 4 || size == 8) && offset % size == 0;
}

/* ---- the table -------------------------------------------------------------
 */

static uint32_t read_dword(const struct pcv__msix_entry *entry, uint32_t dword)
{
    switch (dword) {
    case MSIX_ADDRESS:
        return entry->lower & ~MSIX_FLAGS;
    case MSIX_UPPER:
        return entry->upper;
    case MSIX_DATA:
        return entry->data;
    default:
        return (entry->lower & MSIX_IS_MASKED) != 0 ? MSIX_MASKED : 0u;
    }
}

static void write_dword(struct pcv__msix_entry *entry, uint32_t dword,
                        uint32_t value)
{
    switch (dword) {
    case MSIX_ADDRESS:
        entry->lower = (entry->lower & MSIX_FLAGS) | (value & ~MSIX_FLAGS);
        break;
    case MSIX_UPPER:
        entry->upper = value;
        break;
    case MSIX_DATA:
        entry->data = value;
        break;
    default:
        entry->lower = (entry->lower & ~MSIX_IS_MASKED) |
                       ((value & MSIX_MASKED) != 0 ? MSIX_IS_MASKED : 0u);
        break;
    }
}

static uint64_t table_read(const struct pcv__msix *msix, uint32_t offset,
                           uint8_t size)
{
    const struct pcv__msix_entry *entry =
        &msix->entry[offset / MSIX_ENTRY_SIZE];
    uint32_t dword = offset % MSIX_ENTRY_SIZE / 4u;
    uint64_t value = read_dword(entry, dword);

    if (size == 8) {
        value |= (uint64_t)read_dword(entry, dword + 1u) << 32;
    }
    return value;
}

static void table_write(struct pcv__cap *cap, uint32_t offset, uint8_t size,
                        uint64_t value)
{
    struct pcv__msix *msix = cap->state;
    uint16_t index = (uint16_t)(offset / MSIX_ENTRY_SIZE);
    struct pcv__msix_entry *entry = &msix->entry[index];
    struct pcv__msix_entry before = *entry;
    uint32_t dword = offset % MSIX_ENTRY_SIZE / 4u;

    write_dword(entry, dword, (uint32_t)value);
    if (size == 8) {
        write_dword(entry, dword + 1u, (uint32_t)(value >> 32));
    }
    /* What could not be bound is not tried again without a reason. */
    if (entry->lower != before.lower || entry->upper != before.upper ||
        entry->data != before.data) {
        pcv__msix_follow(cap, index);
    }
}

/* ---- pending bits ----------------------------------------------------------
 */

/* Bits beyond the last entry are the device's own affair. */
static uint64_t pending_bits(const struct pcv__msix *msix, uint32_t offset)
{
    uint32_t first = offset * 8u;
    uint32_t bits = first >= msix->count ? 0 : msix->count - first;

    return bits >= 64 ? UINT64_MAX : (1ull << bits) - 1u;
}

static uint64_t pending_read(const struct pcv__cap *cap, uint32_t offset,
                             uint8_t size)
{
    const struct pcv__msix *msix = cap->state;
    const struct pcv__mem *mem = &cap->device->host->mem;
    uint64_t address, value;

    if (!pcv__msix_reach(cap, msix->pba_bar, msix->pba,
                         pcv__msix_pba_size(msix), &address)) {
        return UINT64_MAX;
    }
    if (mem->ops.mmio_read(mem->ctx, (pcv_hpa){address + offset}, size,
                           &value) != 0) {
        pcv__hw_failed(cap->device, PCV__IN_BAR | msix->pba_bar, false);
        return UINT64_MAX;
    }
    return value & pending_bits(msix, offset);
}

/* ---- both ------------------------------------------------------------------
 */

static void table_access(struct pcv__cap *cap, uint32_t offset, uint8_t size,
                         bool write, uint64_t *data)
{
    if (write) {
        table_write(cap, offset, size, *data);
    } else {
        *data = table_read(cap->state, offset, size);
    }
}

static void pending_access(const struct pcv__cap *cap, uint32_t offset,
                           uint8_t size, bool write, uint64_t *data)
{
    if (!write) {
        *data = pending_read(cap, offset, size);
    }
}

static void refuse(bool write, uint64_t *data)
{
    if (!write) {
        *data = UINT64_MAX;
    }
}

bool pcv__msix_mmio(struct pcv__cap *cap, uint8_t bar, uint64_t offset,
                    uint8_t size, bool write, uint64_t *data)
{
    const struct pcv__msix *msix = cap->state;
    bool table, pba;

    if (!msix) {
        refuse(write, data); /* it was torn down while we waited (CAP-5) */
        return true;
    }
    table = bar == msix->table_bar &&
            touches(offset, size, msix->table, pcv__msix_table_size(msix));
    pba = bar == msix->pba_bar &&
          touches(offset, size, msix->pba, pcv__msix_pba_size(msix));
    if (msix->hidden || (!table && !pba)) {
        return false;
    }
    if (!is_well_formed(offset, size)) {
        refuse(write, data);
    } else if (table) {
        table_access(cap, (uint32_t)(offset - msix->table), size, write, data);
    } else {
        pending_access(cap, (uint32_t)(offset - msix->pba), size, write, data);
    }
    return true;
}

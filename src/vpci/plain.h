/* SPDX-License-Identifier: MIT */
/*
 * Accesses that the value of one cell answers: neither hardware nor a handler
 * has a share in the dword. Nearly all are that, so they are inline; each says
 * false where the engine (engine.c) must do it.
 */
#ifndef PCV_VPCI_PLAIN_H
#define PCV_VPCI_PLAIN_H

#include "vpci/internal.h"

/* The cell of a register if it is plain for such accesses, or NULL. */
static inline struct pcv__cell *pcv__plain_cell(const struct pcv__vpci *vpci,
                                                uint32_t reg, uint32_t plain)
{
    size_t at = vpci->page[reg / (4u * PCV__PAGE_CELLS)];
    struct pcv__cell *cell;

    if (at == 0) {
        return NULL;
    }
    at = vpci->index[at - 1][reg / 4u % PCV__PAGE_CELLS];
    if (at == 0) {
        return NULL;
    }
    cell = &vpci->cells[at - 1];
    return (cell->plain & plain) != 0 ? cell : NULL;
}

static inline bool pcv__plain_read(const struct pcv__vpci *vpci, uint32_t reg,
                                   uint32_t size, uint32_t *out_value)
{
    const struct pcv__cell *cell = pcv__plain_cell(vpci, reg, PCV__PLAIN_READ);
    uint32_t value;

    if (!cell) {
        return false;
    }
    value = atomic_load_explicit(&cell->value, memory_order_relaxed);
    if (size != 4) { /* whole dwords are what most drivers read */
        value = value >> (reg % 4u * 8u) & ((1u << (size * 8u)) - 1u);
    }
    *out_value = value;
    return true;
}

/* Virtual bits take the written value, or are cleared by a one. Both are of the
 * dword, as `bits` is: those that are written. */
static inline void pcv__cell_store(struct pcv__cell *cell, uint32_t bits,
                                   uint32_t value)
{
    const struct pcv_policy *p = &cell->policy;
    uint32_t now = atomic_load_explicit(&cell->value, memory_order_relaxed);
    uint32_t virt = p->virt & bits;

    now = (now & ~virt) | (value & virt);
    now &= ~(value & p->virt_w1c & bits);
    atomic_store_explicit(&cell->value, now, memory_order_relaxed);
}

/* Count a write, under the lock that it took. */
static inline void pcv__count_store(struct pcv_device *device)
    PCV__REQUIRES(device->lock)
{
    uint64_t stores =
        atomic_load_explicit(&device->stores, memory_order_relaxed);

    atomic_store_explicit(&device->stores, stores + 1, memory_order_relaxed);
}

/* Takes the device's lock. */
static inline bool pcv__plain_write(struct pcv_device *device, uint32_t reg,
                                    uint32_t size, uint32_t value)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__cell *cell = pcv__plain_cell(vpci, reg, PCV__PLAIN_WRITE);
    struct pcv__mem *mem = &device->host->mem;
    uint32_t bits = 0xffffffffu;

    if (!cell) {
        return false;
    }
    if (size != 4) {
        bits = ((1u << (size * 8u)) - 1u) << (reg % 4u * 8u);
        value <<= reg % 4u * 8u;
    }
    pcv__lock_take(mem, &device->lock);
    pcv__cell_store(cell, bits, value);
    pcv__count_store(device);
    pcv__lock_drop(mem, &device->lock);
    return true;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Where MSI-X's table and pending bits stand, and what becomes of a capability
 * that puts them where they cannot be (PCI Local Bus 3.0, 6.8.2.4 and 6.8.2.5;
 * MSIX-3).
 */
#include "vpci/cap/msix.h"

/* ---- where it stands (MSIX-3) ----------------------------------------------
 */

/* Whether a structure lies inside a memory BAR that the owner has. */
static bool in_bar(const struct pcv_device *device, uint8_t number,
                   uint32_t offset, uint32_t size)
{
    const struct pcv__bar *bar = &device->bar[number];

    if (number >= PCV_BAR_IS_ROM ||
        (bar->kind != PCV_BAR_MEM32 && bar->kind != PCV_BAR_MEM64)) {
        return false;
    }
    if (device->assignment && ((uint32_t)(device->assignment->policy.bars_out |
                                          device->assignment->contested) >>
                                   number &
                               1u) != 0) {
        return false;
    }
    return size <= pcv__bar_size(bar) && offset <= pcv__bar_size(bar) - size;
}

bool pcv__msix_is_sound(const struct pcv__cap *cap)
{
    const struct pcv__msix *msix = cap->state;
    uint32_t table = pcv__msix_table_size(msix);
    uint32_t pba = pcv__msix_pba_size(msix);

    if (!in_bar(cap->device, msix->table_bar, msix->table, table) ||
        !in_bar(cap->device, msix->pba_bar, msix->pba, pba)) {
        return false;
    }
    return msix->table_bar != msix->pba_bar ||
           (msix->table >= msix->pba ? msix->table - msix->pba >= pba
                                     : msix->pba - msix->table >= table);
}

/* Where they share a page, one hole has both: what is in between is in that
 * page, too. */
int pcv__msix_holes_set(struct pcv__cap *cap)
{
    const struct pcv__msix *msix = cap->state;
    struct pcv_device *device = cap->device;
    uint32_t shift = device->host->page_shift;
    uint32_t table = pcv__msix_table_size(msix);
    uint32_t pba = pcv__msix_pba_size(msix);
    bool pba_first = msix->pba < msix->table;
    uint64_t table_end = (uint64_t)msix->table + table;
    uint64_t pba_end = (uint64_t)msix->pba + pba;
    uint64_t start = pba_first ? msix->pba : msix->table;
    uint64_t gap = pba_first ? pba_end : table_end;
    uint64_t gap_end = pba_first ? msix->table : msix->pba;
    int error;

    if (msix->table_bar == msix->pba_bar &&
        (gap - 1u) >> shift >= gap_end >> shift) {
        uint64_t end = pba_first ? table_end : pba_end;

        return pcv__hole_set(device, 0, cap, msix->table_bar, (uint32_t)start,
                             (uint32_t)(end - start));
    }
    error = pcv__hole_set(device, 0, cap, msix->table_bar, msix->table, table);
    return error != 0
               ? error
               : pcv__hole_set(device, 1, cap, msix->pba_bar, msix->pba, pba);
}

void pcv__msix_holes_clear(const struct pcv__cap *cap)
{
    for (uint32_t i = 0; i < PCV__HOLES; i++) {
        if (pcv__vpci(cap->device)->hole[i].cap == cap) {
            pcv__hole_clear(cap->device, i);
        }
    }
}

static void keep_holes(const struct pcv__cap *cap)
{
    for (uint32_t i = 0; i < PCV__HOLES; i++) {
        if (pcv__vpci(cap->device)->hole[i].cap == cap) {
            pcv__hole_keep(cap->device, i);
        }
    }
}

/* ---- when BARs were resized ------------------------------------------------
 */

/* Take it off the list that a guest sees, and leave nothing of it there. The
 * hardware domain's list is hardware's: there it reads as disabled. */
static void take_off_list(struct pcv__cap *cap)
{
    struct pcv__vpci *vpci = pcv__vpci(cap->device);
    uint16_t at = PCV_REG_CAPS;
    uint32_t next = pcv__cells_load(vpci, PCV_REG_CAPS, 1);

    if (!pcv__cap_is_guest(cap)) {
        return;
    }
    /* Bounded: the engine linked it, with no more than these. */
    for (uint32_t i = 0; i < PCV_CAPS_MAX && next != 0; i++) {
        if (next == cap->offset) {
            next = pcv__cap_load(cap, 1, 1);
            pcv__cells_store(vpci, at, 1, next);
            break;
        }
        at = (uint16_t)(next + 1u);
        next = pcv__cells_load(vpci, at, 1);
    }
    if (pcv__cells_load(vpci, PCV_REG_CAPS, 1) == 0) {
        pcv__cells_store(vpci, PCV_REG_STATUS, 2, 0); /* it has no list */
    }
    pcv__cap_store(cap, 0, 2, 0);
    pcv__cap_store(cap, MSIX_TABLE, 4, 0);
    pcv__cap_store(cap, MSIX_PBA, 4, 0);
}

int pcv__msix_recheck(struct pcv_device *device)
{
    struct pcv__cap *cap = pcv__cap_find(device, PCV_CAP_ID_MSIX, false);
    struct pcv__msix *msix = cap ? cap->state : NULL;

    if (!msix || pcv__msix_is_sound(cap)) {
        return 0; /* holes count from a BAR's start: they stand as they did */
    }
    pcv__msix_reset(cap);
    keep_holes(cap); /* what is left of it in the BAR, now or later */
    take_off_list(cap);
    pcv__cap_store(cap, MSIX_CONTROL, 2, 0);
    msix->hidden = true;
    cap->up = false;
    pcv__event(device, PCV_EVENT_CAP_HIDDEN, PCV_EVENT_DEVICE, PCV_CAP_ID_MSIX,
               PCV_EINVAL);
    return -PCV_EINVAL;
}

/* SPDX-License-Identifier: MIT */
/*
 * vPCI: what a device shows to its owner, as cells (DESIGN decision 1).
 *
 * Configuration space is 1024 dwords. Each has a cell, or none, which is the
 * owner's default: hardware for the hardware domain, zero for a guest. A cell
 * holds the merged policy masks of the registers in its dword, the value of
 * its virtual bits, and for each byte the register that it belongs to. An
 * access indexes the array: its cost does not depend on how many there are.
 */
#ifndef PCV_VPCI_INTERNAL_H
#define PCV_VPCI_INTERNAL_H

#include "registry/internal.h"

#define PCV__DWORDS (PCV_CFG_EXT_SIZE / 4u)
#define PCV__PAGE_CELLS 16u /* dwords that one page of the index covers */
#define PCV__PAGES (PCV__DWORDS / PCV__PAGE_CELLS)

struct pcv__cell {
    struct pcv_policy policy; /* of the dword */
    _Atomic uint32_t value;   /* of constant and virtual bits */
    uint16_t reg[4];          /* register of each byte, from 1; 0: none */
    uint8_t read_by;          /* bytes whose register has a read handler */
    uint8_t write_by;         /* bytes whose register has a write handler */
};

/* A register with its handlers' argument. */
struct pcv__reg {
    const struct pcv_register *desc; /* NULL: a free place */
    void *data;
};

#define PCV__MOVING_ALL 0xffu

/* A mapping under way (HDR-9): what was asked for, and how far it is. */
enum pcv__work_phase {
    PCV__WORK_NONE,
    PCV__WORK_UNMAP, /* what must go */
    PCV__WORK_WRITE, /* the BAR's register, then addresses are read again */
    PCV__WORK_MAP,   /* what must come */
    PCV__WORK_COMMIT /* the command register */
};

struct pcv__work {
    uint8_t phase;  /* enum pcv__work_phase */
    uint8_t at;     /* BAR that the phase is at */
    bool decode;    /* memory decoding is to be on in the end */
    bool write_bar; /* bar_reg is to be written */
    bool write_cmd; /* command is to be written at the end */
    uint8_t moving; /* BAR that moves, PCV_BARS: none, PCV__MOVING_ALL */
    uint16_t bar_reg;
    uint32_t bar_value;
    uint16_t command;
};

/* What of a BAR is mapped: a run of its pages. */
struct pcv__mapped {
    uint64_t first; /* page */
    uint64_t pages;
    bool registered; /* with the domain's map of pages */
};

struct pcv__vpci {
    struct pcv__view view; /* first */
    struct pcv_device *device;
    bool read_only;        /* every write is dropped (HDR-1) */
    bool pass_through;     /* no cell: hardware (hardware domain) */
    bool decoding;         /* record: BARs are mapped for memory decoding */
    struct pcv__work work; /* under the device's lock */
    struct pcv__mapped mapped[PCV_BARS];
    uint16_t page[PCV__PAGES];          /* index page, from 1; 0: none */
    uint16_t (*index)[PCV__PAGE_CELLS]; /* pages: a cell, from 1; 0: none */
    struct pcv__cell *cells;
    struct pcv__reg *regs;
    uint16_t pages, cell_count, reg_count;
    uint16_t pages_room, cell_room, reg_room;
};

static inline struct pcv__vpci *pcv__vpci(struct pcv_device *device)
{
    return (struct pcv__vpci *)device->view;
}

/* ---- cells.c ---------------------------------------------------------------
 */

static inline struct pcv__cell *pcv__cell_at(const struct pcv__vpci *vpci,
                                             uint16_t reg)
{
    uint32_t dword = reg / 4u;
    uint16_t page = vpci->page[dword / PCV__PAGE_CELLS];
    uint16_t cell;

    if (page == 0) {
        return NULL;
    }
    cell = vpci->index[page - 1][dword % PCV__PAGE_CELLS];
    return cell == 0 ? NULL : &vpci->cells[cell - 1];
}

/* An empty view for a device's owner; NULL: out of memory. */
struct pcv__vpci *pcv__vpci_create(struct pcv_device *device);

/* Add or remove registers of a view that nobody reads meanwhile: before the
 * device is published, or with its gate paused. Errors as
 * pcv_register_add() and pcv_register_remove(). */
int pcv__cells_add(struct pcv__vpci *vpci, const struct pcv_register *reg,
                   void *data);
int pcv__cells_remove(struct pcv__vpci *vpci, uint16_t offset, uint16_t size);

/* ---- engine.c ---------------------------------------------------------------
 */

/* An access that passed the gate and the checks of width and alignment. */
uint32_t pcv__vpci_read(struct pcv_device *device, uint16_t reg, uint8_t size);
enum pcv_verdict pcv__vpci_write(struct pcv_device *device, uint16_t reg,
                                 uint8_t size, uint32_t value);

/* ---- header.c
 * ----------------------------------------------------------------
 */

/* Build what the hardware domain sees of a device that nobody can find yet:
 * BARs are sized, registers get their policies. 0 or -PCV_ENOMEM. */
int pcv__vpci_build(struct pcv_device *device, const struct pcv_device *pf);

/* ---- bars.c
 * --------------------------------------------------------------------
 */

/* Find kind and size of every BAR (HDR-4). */
void pcv__bars_size(struct pcv_device *device);
/* What a PF says of its VFs. 0, -PCV_ENOMEM or -PCV_EIO. */
int pcv__vfs_read(struct pcv_device *pf) PCV__REQUIRES(pf->lock);
/* How many there are and where, again: what enabling them changes. 0, or
 * -PCV_EIO and what is known stays. */
int pcv__vfs_refresh(struct pcv_device *pf) PCV__REQUIRES(pf->lock);
/* Whether a device that nobody can find yet can be a VF of this PF, and its
 * index: 0; -PCV_ENODEV: nobody answers there; -PCV_EAGAIN: it is not ready, or
 * the PF stopped answering; -PCV_EINVAL: its address is none of them, or it has
 * IDs of its own; -PCV_EIO. */
int pcv__vf_check(struct pcv_device *vf, const struct pcv_device *pf);
/* A VF's BARs, from its PF's capability. */
void pcv__bars_of_vf(struct pcv_device *device, const struct pcv_device *pf);
/* Read the addresses again. */
void pcv__bars_read(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* Offset of a BAR's register in this device's header. */
uint16_t pcv__bar_reg(const struct pcv_device *device, uint32_t bar);
bool pcv__bar_is_memory(const struct pcv__bar *bar);

/* ---- map.c
 * ---------------------------------------------------------------------
 */

/* Plan: decoding goes to `decode` with `command`. PCV_DONE if there was nothing
 * to map and the register is written; PCV_PENDING: pcv__map_step() goes on. */
enum pcv_verdict pcv__map_command(struct pcv_device *device, uint16_t command)
    PCV__REQUIRES(device->lock);
/* Plan: the register of a BAR changes. */
enum pcv_verdict pcv__map_bar(struct pcv_device *device, uint32_t bar,
                              uint16_t reg, uint32_t value)
    PCV__REQUIRES(device->lock);
/* Plan: map what the device decodes now (when it is added). 0 or -PCV_ENOMEM.
 */
int pcv__map_begin(struct pcv_device *device) PCV__REQUIRES(device->lock);
/* Apply: PCV_DONE when nothing is left to do, PCV_PENDING to be called again.
 */
enum pcv_verdict pcv__map_step(struct pcv_device *device)
    PCV__REQUIRES(device->lock);
/* The device goes: cancel what is under way and unmap everything. */
void pcv__map_teardown(struct pcv_device *device);

#endif

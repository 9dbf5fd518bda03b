/* SPDX-License-Identifier: MIT */
/*
 * What a device shows to its owner, as cells (DESIGN decision 1): the
 * structures of a view.
 *
 * Configuration space is 1024 dwords. Each has a cell, or none, which is the
 * owner's default: hardware for the hardware domain, zero for a guest. A cell
 * holds the merged policy masks of the registers in its dword, the value of
 * its virtual bits, and for each byte the register that it belongs to. An
 * access indexes the array: its cost does not depend on how many there are.
 */
#ifndef PCV_VPCI_CELLS_H
#define PCV_VPCI_CELLS_H

#include "registry/barred.h"

#define PCV__DWORDS (PCV_CFG_EXT_SIZE / 4u)
#define PCV__PAGE_CELLS 16u /* dwords that one page of the index covers */
#define PCV__PAGES (PCV__DWORDS / PCV__PAGE_CELLS)

/* No byte of the dword has bits of hardware, or a handler, and none waits for a
 * mapping: its value is all that is read, or written (plain.h). */
#define PCV__PLAIN_READ 1u
#define PCV__PLAIN_WRITE 2u

struct pcv__cell {
    _Atomic uint32_t value;   /* of constant and virtual bits */
    uint8_t read_by;          /* bytes whose register has a read handler */
    uint8_t write_by;         /* bytes whose register has a write handler */
    uint8_t hardware_by;      /* bytes with bits that are hardware's */
    uint8_t plain;            /* PCV__PLAIN_*: of the above, none is any */
    uint16_t reg[4];          /* register of each byte, from 1; 0: none */
    struct pcv_policy policy; /* of the dword */
};

/* A register with its handlers' argument. */
struct pcv__reg {
    const struct pcv_register *desc; /* NULL: a free place */
    void *data;
    uint16_t offset; /* in configuration space: a capability's rows count from
                        its start */
    bool foreign;    /* pcv_register_add() gave it, and takes it away */
};

struct pcv__cap;

#define PCV__MOVING_ALL 0xffu

/* A mapping under way (HDR-9): what was asked for, and how far it is. */
enum pcv__work_phase {
    PCV__WORK_NONE,
    PCV__WORK_UNMAP, /* what must go */
    PCV__WORK_RESET, /* the function is reset, if that was asked for */
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
    uint8_t reset;  /* enum pcv__reset */
    uint16_t bar_reg;
    uint32_t bar_value;
    uint16_t command;
};

/* How a function can be reset (OWN-16). */
enum pcv__reset {
    PCV__RESET_NONE,
    PCV__RESET_FLR,      /* PCI Express device control */
    PCV__RESET_AF,       /* Advanced Features */
    PCV__RESET_D3,       /* D3hot to D0 without No_Soft_Reset */
    PCV__RESET_WITH_BUS, /* the bridge above does it: owner/bus_reset.c */
};

/* Why a function is left alone for a while (SRIOV-3), and what comes then. */
enum pcv__settling {
    PCV__SETTLED,
    PCV__SETTLING_RAISE, /* D0 was written: then it is reset */
    PCV__SETTLING_RESET, /* it was reset: then it is put in order */
    PCV__SETTLING_SLEEP, /* D3hot was written to reset it: then D0 is */
    PCV__SETTLING_WAKE,  /* D0 was written: then it is put in order */
    PCV__SETTLING_MAP,   /* it can be asked; its BARs are being mapped */
};

/* Pages of a BAR that are never mapped: MSI-X table and pending bits (HDR-7).
 * Set by a capability's setup, before anything is mapped or while decoding is
 * off. In pages of the host, counted from the BAR's start. */
struct pcv__hole {
    struct pcv__cap *cap; /* whose mmio operation serves it; NULL: nobody */
    uint8_t bar;
    bool kept;             /* served by nobody for good: its capability is not
                              shown */
    uint32_t first, pages; /* no pages: no hole */
    uint32_t offset, size; /* bytes that it is for */
};

#define PCV__HOLES 2u

#define PCV__ROM_SIZE_MAX 0x1000000u /* bytes: the largest ROM BAR, 16 MiB */
#define PCV__ROM_SIZE_MIN 2048u      /* PCI Local Bus 3.0, 6.2.5.2 */

/*
 * Where a BAR stands for its owner, and how far that is done: a run of its
 * pages, holes passed over. Under the device's lock; what it claims of the
 * domain's maps of pages changes under the map lock, too.
 */
struct pcv__mapped {
    uint64_t start;      /* address that the owner gave it, bytes */
    uint64_t total;      /* pages that it covers there */
    uint64_t first;      /* page: the run ... */
    uint64_t pages;      /* ... and its length; 0: nothing is mapped */
    uint8_t maps, holes; /* ranges registered with the domain's map, and with
                            its holes */
    bool placed;         /* it is reached: mapped, or being so, or trapped */
    bool trapped;        /* all of it is, access by access */
    bool waits;          /* another BAR has a page of it (HDR-17) */
};

/* What a guest's view needs beside: freed with the assignment. */
struct pcv__assignment {
    struct pcv__part part;
    struct pcv_assign_policy policy;
    uint64_t bar[PCV_BARS]; /* addresses as the guest programmed them */
    uint16_t command;       /* likewise: memory, bus master, INTx disable */
    uint64_t rom_size;      /* of its ROM BAR; 0: none */
    uint8_t contested;      /* bit n: where BAR n is, another guest's device
                               has registers, too (HDR-8) */
    /* Of one on its way that takes its group along: the others. */
    uint32_t mate_count;
    pcv_sbdf *mate; /* room for PCV_ASSIGN_GROUP_MAX, or NULL */
};

struct pcv__vpci {
    struct pcv__view view; /* first */
    struct pcv_device *device;
    struct pcv__cell *cells;
    uint16_t (*index)[PCV__PAGE_CELLS]; /* pages: a cell, from 1; 0: none */
    uint8_t page[PCV__PAGES];           /* index page, from 1; 0: none */
    bool read_only;       /* nothing is written to hardware (HDR-1, OWN-8) */
    uint8_t reserved;     /* bit n: where BAR n is nobody's is (OWN-8) */
    bool pass_through;    /* no cell: hardware (hardware domain) */
    bool decoding;        /* record: BARs are mapped for memory decoding */
    bool memory_held;     /* the owner switched decoding off, hardware has it
                             on for the sake of bound vectors (MSIX-2) */
    bool msi_on, msix_on; /* enabled, as the owner sees it */
    bool asleep;          /* in D3hot: nothing is mapped (PM-1) */
    bool waiting;         /* a BAR waits for pages of another (HDR-17) */
    bool woken;           /* some of the guest's pages became free since */
    bool waking;          /* what that made possible is being mapped */
    _Atomic uint8_t settling; /* enum pcv__settling: it must be left alone
                                 for a time, and then put in order */
    uint8_t reset_method;     /* enum pcv__reset: how it can be reset */
    bool hidden;              /* some registers are virtual for the hardware
                                 domain (OWN-7) */
    uint16_t bound;           /* MSI-X entries bound by us */
    struct pcv__work work;    /* under the device's lock */
    struct pcv__mapped mapped[PCV_BARS];
    struct pcv__hole hole[PCV__HOLES];
    struct pcv__trap *traps; /* array; places in the domain's table */
    uint16_t trap_count;     /* of the array */
    struct pcv__vpci *next_waiting, **waiting_at; /* under the map lock */
    struct pcv__cap *caps; /* array: capabilities that have a description */
    uint16_t cap_count, cap_room;
    struct pcv__reg *regs;
    struct pcv_register *rows; /* PCV_BARS of them, of a read-only view's BARs,
                                  or NULL */
    uint16_t pages, cell_count, reg_count;
    uint16_t pages_room, cell_room, reg_room;
    uint16_t message_rid; /* whose messages arrive as, while some are bound */
};

static inline struct pcv__vpci *pcv__vpci(const struct pcv_device *device)
{
    return (struct pcv__vpci *)device->view;
}

#endif

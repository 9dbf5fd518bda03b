/* SPDX-License-Identifier: MIT */
/*
 * Hidden functions (OWN-7): what of one is virtual for the hardware domain, and
 * which of its bytes the hypervisor uses.
 *
 * The hardware domain keeps the view that it has, with its vectors and what is
 * mapped; registers that are hardware's to keep are described by other rows for
 * the time. So hiding a function, and revealing it, changes nothing that cannot
 * be changed back.
 */
#ifndef PCV_VPCI_HIDDEN_H
#define PCV_VPCI_HIDDEN_H

#include "vpci/map.h"

/* Command, six BARs and ROM, power, PCI Express, AF; of bridges those of the
 * other side. */
#define PCV__HIDDEN_ROWS 16u

/* Bytes of a BAR, and where hardware has them. */
struct pcv__used {
    uint64_t offset, size, address;
    uint64_t first, pages; /* pages of memory */
    uint32_t bar;
    bool bytes_set, pages_set; /* memory is set aside for them */
    bool counted;              /* bytes and pages are counted in */
};

struct pcv__hidden {
    struct pcv__part part;
    uint32_t flags; /* PCV_HIDE_MASTER */
    uint32_t range_count;
    struct pcv__used range[PCV_HIDE_RANGES];
    uint32_t row_count;
    struct pcv_register row[PCV__HIDDEN_ROWS];
    /* The row that each stands in place of; NULL: there was none. */
    const struct pcv_register *was[PCV__HIDDEN_ROWS];
};

/* What a device is hidden with, or NULL. */
static inline struct pcv__hidden *pcv__hidden(const struct pcv_device *device)
    PCV__NO_ANALYSIS
{
    return device->extras ? (struct pcv__hidden *)device->extras->hidden : NULL;
}

/* ---- the view (hidden.c) ---------------------------------------------------
 */

/* Set everything up, with nobody inside the gate: rows, memory for what is
 * counted, traps; and plan what is left to be mapped. 0; -PCV_EINVAL: a range
 * is not in a memory BAR; -PCV_EEXIST; -PCV_ENOMEM; -PCV_EIO. Then nothing has
 * changed. */
int pcv__hidden_begin(struct pcv_device *device,
                      const struct pcv_hide_info *info)
    PCV__REQUIRES(device->lock);
/* Hardware gets what the domain has in its virtual registers. 0; or -PCV_EIO,
 * and hardware is as it was. */
int pcv__hidden_write_back(struct pcv_device *device)
    PCV__REQUIRES(device->lock);
/* The registers are hardware's again, nobody being inside the gate, and all
 * pages can be written. Plans the mapping that follows: PCV_DONE or
 * PCV_PENDING. */
enum pcv_verdict pcv__hidden_undo(struct pcv_device *device)
    PCV__REQUIRES(device->lock);
/* The device is torn down: nobody uses anything of it any more. Twice is no
 * error. */
void pcv__hidden_end(struct pcv_device *device) PCV__REQUIRES(device->lock);

/* It was torn down, and its view is gone. Twice is no error. */
void pcv__hidden_forget(struct pcv_device *device) PCV__REQUIRES(device->lock);

/* Whether it is hidden with just that. */
bool pcv__hidden_is(const struct pcv_device *device,
                    const struct pcv_hide_info *info)
    PCV__REQUIRES(device->lock);

/* What the hardware domain has at a BAR's place. */
void pcv__hidden_owned(const struct pcv_device *device, uint32_t number,
                       struct pcv__owned *out);
/* The command register as the domain wants it: hardware's part goes there, the
 * rest is remembered. */
void pcv__hidden_command(struct pcv_device *device, uint32_t command)
    PCV__REQUIRES(device->lock);

/* ---- its memory (hidden_memory.c) ------------------------------------------
 */

/* Set memory aside for the ranges; give it back. 0 or -PCV_ENOMEM. */
int pcv__used_prepare(struct pcv_device *device, struct pcv__hidden *hidden);
void pcv__used_forget(struct pcv_device *device, struct pcv__hidden *hidden);
/* From now on nobody writes there; or -PCV_EIO, -PCV_ENOMEM, the host's, and
 * nothing has changed. */
int pcv__used_begin(struct pcv_device *device, struct pcv__hidden *hidden);
/* Everybody may, and the memory is given back. What the host cannot map for
 * writing again stays as it is, with an event. */
void pcv__used_end(struct pcv_device *device, struct pcv__hidden *hidden);

/* Whether memory touches what the hypervisor uses of hidden functions. */
bool pcv__used_touched(struct pcv_host *host, uint64_t address, uint64_t size);
static inline bool pcv__used_memory(struct pcv_host *host, uint64_t address,
                                    uint64_t size)
{
    return atomic_load_explicit(&host->used_count, memory_order_acquire) != 0 &&
           pcv__used_touched(host, address, size);
}

/* How many pages of a BAR have ranges, at most; and the next of them at *at or
 * behind it, counted from the BAR's first page where hardware has it. */
uint32_t pcv__hidden_pages(const struct pcv_device *device, uint32_t number);
bool pcv__hidden_next_page(const struct pcv_device *device, uint32_t number,
                           uint64_t *at);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * MSI-X's four files: its registers (msix.c), where its table stands
 * (msix_place.c), what becomes of an entry (msix_entry.c), and accesses to the
 * table (msix_table.c).
 */
#ifndef PCV_VPCI_CAP_MSIX_H
#define PCV_VPCI_CAP_MSIX_H

#include "vpci/cap.h"

/* PCI Local Bus 3.0, 6.8.2.3. */
#define MSIX_CONTROL 0x02u
#define MSIX_SIZE 0x07ffu /* entries, less one */
#define MSIX_MASK_ALL 0x4000u
#define MSIX_ENABLE 0x8000u
#define MSIX_TABLE 0x04u
#define MSIX_PBA 0x08u

/* An entry in memory (6.8.2.6): dwords. */
#define MSIX_ENTRY_SIZE 16u
#define MSIX_ADDRESS 0u
#define MSIX_UPPER 1u
#define MSIX_DATA 2u
#define MSIX_VECTOR 3u /* vector control: ... */
#define MSIX_MASKED 1u /* ... bit 0 */

/* Flags in the two bits of an address that are always zero. */
#define MSIX_IS_MASKED 1u /* in lower: as the owner has it */
#define MSIX_IS_BOUND 1u  /* in bound_lower */
#define MSIX_IS_OPEN 2u   /* in bound_lower: hardware's entry is not masked */
#define MSIX_FLAGS 3u

/*
 * One entry: what the owner wrote, and what of it is bound. There are up to
 * 2048 of them, so the flags stand where there is room. What stands in hardware
 * is not kept: binding again what is bound says it.
 */
struct pcv__msix_entry {
    uint32_t lower, upper, data;
    uint32_t bound_lower, bound_upper, bound_data;
};

struct pcv__msix {
    uint16_t kept;     /* of hardware's control register: not ours to change */
    uint16_t control;  /* enable and function mask that the entries follow */
    uint16_t count;    /* entries */
    bool hidden;       /* since a BAR was resized (MSIX-3) */
    bool scrubbed;     /* hardware's entries that are not open are masked */
    uint8_t table_bar; /* number */
    uint8_t pba_bar;
    uint32_t table, pba; /* bytes into the BAR */
    struct pcv__msix_entry entry[];
};

static inline uint32_t pcv__msix_table_size(const struct pcv__msix *msix)
{
    return msix->count * MSIX_ENTRY_SIZE;
}

/* Pending bits come in quadwords (6.8.2.10). */
static inline uint32_t pcv__msix_pba_size(const struct pcv__msix *msix)
{
    return (msix->count + 63u) / 64u * 8u;
}

/* ---- msix.c ----------------------------------------------------------------
 */

/* Hardware's control register: as the owner has it, but its function mask stays
 * on as long as nothing is bound, so that what stands in a table that nobody
 * looked at yet is never sent. */
void pcv__msix_control_write(const struct pcv__cap *cap);
/* The description's operation. */
void pcv__msix_reset(struct pcv__cap *cap);

/* ---- msix_place.c ----------------------------------------------------------
 */

/* Whether table and pending bits lie apart, inside memory BARs of the owner. */
bool pcv__msix_is_sound(const struct pcv__cap *cap);
/* Their pages are not mapped (HDR-7): 0 or an error of pcv__hole_set(). */
int pcv__msix_holes_set(struct pcv__cap *cap);
void pcv__msix_holes_clear(const struct pcv__cap *cap);

/* ---- msix_entry.c ----------------------------------------------------------
 */

/* Where a structure of the device is in the host's memory, if it may be used
 * now. */
bool pcv__msix_reach(const struct pcv__cap *cap, uint8_t bar, uint32_t offset,
                     uint32_t size, uint64_t *out_address);
/* Let an entry, or each of them, follow what the owner wrote: bind it, bind it
 * anew, mask or unmask it (MSIX-2). Bounded: 2048 entries. */
void pcv__msix_follow(struct pcv__cap *cap, uint16_t index);
void pcv__msix_follow_all(struct pcv__cap *cap);
/* Unbind what is bound. Hardware's MSI-X is off, its table is not touched. */
void pcv__msix_unbind_all(struct pcv__cap *cap);
/* Let the host forget what is bound, which stays counted as bound. */
void pcv__msix_park(struct pcv__cap *cap);
/* Hardware lost what stood in it: write again what is bound. */
void pcv__msix_resend(struct pcv__cap *cap);
/* Take over what stands in hardware's table: nothing is bound yet. */
void pcv__msix_adopt(struct pcv__cap *cap);

/* ---- msix_table.c ----------------------------------------------------------
 */

bool pcv__msix_mmio(struct pcv__cap *cap, uint8_t bar, uint64_t offset,
                    uint8_t size, bool write, uint64_t *data);

#endif

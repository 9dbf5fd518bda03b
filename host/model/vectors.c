/* SPDX-License-Identifier: MIT */
/*
 * MSI-X tables and pending bits of the modelled machine (PCI Local Bus 3.0,
 * 6.8.2). How large they are and where they stand is read from the capability
 * at each access, so a test may change it at any time.
 *
 * After reset an entry is masked and the rest of it zero. A function that is
 * so has no memory for its table.
 */
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define CONTROL 3u /* dword of an entry */
#define MASKED 1u  /* its only bit here; the others are reserved */
#define ENTRY_BYTES 16u

uint32_t pcv__model_msix_entries(const struct pcv__model_fn *fn)
{
    return fn->msix == 0 ? 0
                         : (pcv__model_get(fn, fn->msix + 2u, 2) & 0x7ffu) + 1;
}

/* Room for `entries` and what they are after reset. */
static bool make(struct pcv__model_fn *fn, uint32_t entries)
{
    uint32_t have = fn->vectors == NULL ? 0 : fn->vectors->entries;
    struct pcv__model_vectors *more;

    if (fn->vectors != NULL && have >= entries) {
        return true;
    }
    more = realloc(fn->vectors,
                   sizeof(*more) + (size_t)entries * sizeof(more->table[0]));
    if (more == NULL) {
        return false;
    }
    if (fn->vectors == NULL) {
        memset(more->pending, 0, sizeof(more->pending));
    }
    memset(more->table[have], 0, (entries - have) * sizeof(more->table[0]));
    for (uint32_t i = have; i < entries; i++) {
        more->table[i][CONTROL] = MASKED;
    }
    more->entries = entries;
    fn->vectors = more;
    return true;
}

uint32_t pcv__model_entry_get(const struct pcv__model_fn *fn, uint32_t entry,
                              uint32_t dword)
{
    if (fn->vectors == NULL || entry >= fn->vectors->entries) {
        return dword == CONTROL ? MASKED : 0;
    }
    return fn->vectors->table[entry][dword];
}

bool pcv__model_entry_set(struct pcv__model_fn *fn, uint32_t entry,
                          uint32_t dword, uint32_t value)
{
    uint32_t entries = pcv__model_msix_entries(fn);

    if (entry >= entries) {
        return true;
    }
    if (!make(fn, entries)) {
        return false;
    }
    fn->vectors->table[entry][dword] =
        dword == CONTROL ? value & MASKED : value;
    return true;
}

bool pcv__model_msix_pending_get(const struct pcv__model_fn *fn, uint32_t entry)
{
    return fn->vectors != NULL &&
           (fn->vectors->pending[entry / 32] >> entry % 32 & 1u) != 0;
}

bool pcv__model_msix_pending_set(struct pcv__model_fn *fn, uint32_t entry,
                                 bool on)
{
    uint32_t bit = 1u << entry % 32;

    if (!make(fn, pcv__model_msix_entries(fn))) {
        return false;
    }
    if (on) {
        fn->vectors->pending[entry / 32] |= bit;
    } else {
        fn->vectors->pending[entry / 32] &= ~bit;
    }
    return true;
}

/* ---- as memory ----------------------------------------------------------- */

/* Whether `offset` is within `size` bytes that one of the capability's two
 * registers places in this BAR. */
static bool within(const struct pcv__model_fn *fn, uint32_t reg, uint32_t bar,
                   uint64_t offset, uint64_t size, uint32_t *out_dword)
{
    uint32_t value = pcv__model_get(fn, reg, 4);
    uint64_t start = value & ~7u;

    if ((value & 7u) != bar || offset < start || offset - start >= size) {
        return false;
    }
    *out_dword = (uint32_t)((offset - start) / 4);
    return true;
}

enum pcv__model_msix_place pcv__model_msix_place(const struct pcv__model_fn *fn,
                                                 uint32_t bar, uint64_t offset,
                                                 uint32_t *out_dword)
{
    uint64_t entries = pcv__model_msix_entries(fn);

    if (entries == 0 || bar >= PCV_BAR_IS_ROM) { /* 6 and 7 name no BAR */
        return PCV__MSIX_ELSEWHERE;
    }
    if (within(fn, fn->msix + 4u, bar, offset, entries * ENTRY_BYTES,
               out_dword)) {
        return PCV__MSIX_TABLE;
    }
    if (within(fn, fn->msix + 8u, bar, offset, (entries + 63) / 64 * 8,
               out_dword)) {
        return PCV__MSIX_PENDING;
    }
    return PCV__MSIX_ELSEWHERE;
}

uint32_t pcv__model_msix_dword(const struct pcv__model_fn *fn,
                               enum pcv__model_msix_place place, uint32_t dword)
{
    if (place == PCV__MSIX_TABLE) {
        return pcv__model_entry_get(fn, dword / 4, dword % 4);
    }
    return fn->vectors == NULL ? 0 : fn->vectors->pending[dword];
}

bool pcv__model_msix_dword_set(struct pcv__model_fn *fn,
                               enum pcv__model_msix_place place, uint32_t dword,
                               uint32_t value)
{
    if (place == PCV__MSIX_TABLE) {
        return pcv__model_entry_set(fn, dword / 4, dword % 4, value);
    }
    if (!make(fn, pcv__model_msix_entries(fn))) {
        return false;
    }
    fn->vectors->pending[dword] = value;
    return true;
}

void pcv__model_vectors_reset_locked(struct pcv__model_fn *fn)
{
    free(fn->vectors);
    fn->vectors = NULL;
}

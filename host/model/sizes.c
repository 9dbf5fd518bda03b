/* SPDX-License-Identifier: MIT */
/*
 * BAR sizes. What a source states is used; otherwise the smallest size that
 * the address and the type allow is taken and marked as a guess (SIM-1).
 *
 * A stated size need not be a power of two: the writable bits are those of
 * ~(size - 1), so a test can have a BAR that answers sizing with nonsense. A
 * power of two that the register's address is not aligned to, or that is too
 * large for the register, is not believed.
 */
#include <stdlib.h>

#include "internal.h"

static bool believable(const struct pcv__model_bar *bar, uint64_t size)
{
    if (size < pcv__model_bar_smallest(bar->kind) ||
        size > pcv__model_bar_largest(bar->kind)) {
        return false;
    }
    return (size & (size - 1)) != 0 || (bar->address & (size - 1)) == 0;
}

static uint64_t round_up_power(uint64_t size)
{
    uint64_t power = 1;

    while (power < size && power < UINT64_C(1) << 63) {
        power <<= 1;
    }
    return power;
}

/* What MSI-X table and pending bits need of a BAR (PCI Local Bus 3.0,
 * 6.8.2). */
static uint64_t msix_needs(const struct pcv__model_fn *fn, uint32_t index)
{
    uint64_t vectors, table, pending, need = 0;

    if (fn->msix == 0) {
        return 0;
    }
    vectors = (pcv__model_get(fn, fn->msix + 2u, 2) & 0x7ffu) + 1;
    table = pcv__model_get(fn, fn->msix + 4u, 4);
    pending = pcv__model_get(fn, fn->msix + 8u, 4);
    if ((table & 7) == index) {
        need = (table & ~UINT64_C(7)) + 16 * vectors;
    }
    if ((pending & 7) == index) {
        uint64_t end = (pending & ~UINT64_C(7)) + (vectors + 63) / 64 * 8;

        need = end > need ? end : need;
    }
    return need;
}

/* The size that a resizable BAR's control register names, or 0. */
static uint64_t rebar_size(const struct pcv__model_fn *fn, uint32_t base,
                           uint32_t index)
{
    uint32_t count;

    if (base == 0) {
        return 0;
    }
    count = pcv__model_get(fn, base + 8, 4) >> 5 & 7u;
    for (uint32_t i = 0; i < count && i < 6; i++) {
        uint32_t control = pcv__model_get(fn, base + 8 + 8 * i, 4);
        uint32_t log = control >> 8 & 0x3fu;

        if ((control & 7u) == index && log < 44) {
            return UINT64_C(1) << (20 + log);
        }
    }
    return 0;
}

/* The smallest size: `least` or what must fit, but no more than the address is
 * aligned to. */
static uint64_t guess(const struct pcv__model_bar *bar, uint64_t least,
                      uint64_t need)
{
    uint64_t natural = bar->address == 0 ? pcv__model_bar_largest(bar->kind)
                                         : bar->address & (~bar->address + 1);
    uint64_t size = round_up_power(need > least ? need : least);

    if (natural > pcv__model_bar_largest(bar->kind)) {
        natural = pcv__model_bar_largest(bar->kind);
    }
    return size < natural ? size : natural;
}

void pcv__model_sizes(struct pcv__model_fn *fn)
{
    for (uint32_t i = 0; !fn->vf && i < PCV_MODEL_BARS; i++) {
        uint64_t stated = fn->bar_size[i];
        uint64_t least, named = rebar_size(fn, fn->rebar, i);
        struct pcv__model_bar bar;

        pcv__model_bar_look(fn, i, stated != 0, &bar);
        fn->bar_size[i] = 0;
        if (bar.kind == PCV__MODEL_BAR_NONE) {
            continue;
        }
        if (believable(&bar, stated)) {
            fn->bar_size[i] = stated;
            continue;
        }
        if (believable(&bar, named)) {
            fn->bar_size[i] = named;
            continue;
        }
        if (stated != 0 && pcv__model_get(fn, bar.reg, 4) == 0) {
            continue; /* only the statement made it a BAR */
        }
        least = pcv__model_bar_smallest(bar.kind);
        if (fn->pcie != 0 && least == 16) {
            least = 128;
        }
        fn->bar_size[i] = guess(&bar, least, msix_needs(fn, i));
        fn->bar_guessed |= (uint8_t)(1u << i);
    }
}

/* What the text says of VF BAR `index`: the first of the PF's VFs that has a
 * size for it. */
static uint64_t vfs_state(const struct pcv__model_fn *pf, uint32_t index)
{
    for (const struct pcv__model_fn *vf = pf->vfs; vf; vf = vf->next_vf) {
        if (vf->bar_size[index] != 0) {
            return vf->bar_size[index];
        }
    }
    return 0;
}

int pcv__model_vf_sizes(struct pcv__model_fn *pf)
{
    if (pf->sriov == 0 || pf->vf) {
        return 0;
    }
    pf->vf_bar_size = calloc(PCV__MODEL_VF_BARS, sizeof(pf->vf_bar_size[0]));
    if (pf->vf_bar_size == NULL) {
        return -PCV_ENOMEM;
    }
    for (uint32_t i = 0; i < PCV__MODEL_VF_BARS; i++) {
        uint64_t stated = vfs_state(pf, i);
        uint64_t named = rebar_size(pf, pf->vf_rebar, i);
        struct pcv__model_bar bar;

        pcv__model_vf_bar_look(pf, i, stated != 0, &bar);
        if (bar.kind == PCV__MODEL_BAR_NONE ||
            bar.kind == PCV__MODEL_BAR_IO) { /* VFs have no I/O */
            continue;
        }
        if (believable(&bar, stated)) {
            pf->vf_bar_size[i] = stated;
        } else if (believable(&bar, named)) {
            pf->vf_bar_size[i] = named;
        } else if (stated == 0 || pcv__model_get(pf, bar.reg, 4) != 0) {
            pf->vf_bar_size[i] =
                guess(&bar, pcv__model_vf_page_size(pf),
                      pf->vfs == NULL ? 0 : msix_needs(pf->vfs, i));
            pf->vf_bar_guessed |= (uint8_t)(1u << i);
        }
    }
    return 0;
}

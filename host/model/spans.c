/* SPDX-License-Identifier: MIT */
/*
 * Which addresses the machine's functions take, and below which root bus each
 * one is: what a host must know to show the machine to software that asks for
 * the windows of its host bridges.
 */
#include "internal.h"

#define IO_UNIT 0x1000u
#define MEMORY_UNIT UINT64_C(0x100000)

struct teller {
    pcv_sbdf sbdf;
    void (*fn)(void *arg, const struct pcv_model_span *span);
    void *arg;
};

/* What has the address 0 was never placed. */
static void tell(const struct teller *teller, bool io, uint64_t start,
                 uint64_t size)
{
    struct pcv_model_span span = {teller->sbdf, io, start, size};

    if (start != 0 && size != 0 && size - 1 <= UINT64_MAX - start) {
        teller->fn(teller->arg, &span);
    }
}

static void tell_bar(const struct teller *teller,
                     const struct pcv__model_bar *bar, uint64_t size)
{
    if (bar->kind != PCV__MODEL_BAR_NONE) {
        tell(teller, bar->kind == PCV__MODEL_BAR_IO, bar->address, size);
    }
}

static void tell_bars(const struct teller *teller,
                      const struct pcv__model_fn *fn)
{
    struct pcv__model_bar bar;

    for (uint32_t i = 0; i < PCV_MODEL_BARS; i++) {
        pcv__model_bar_look(fn, i, false, &bar);
        tell_bar(teller, &bar, fn->bar_size[i]);
    }
    for (uint32_t i = 0; fn->vf_bar_size && i < PCV__MODEL_VF_BARS; i++) {
        uint64_t vfs = pcv__model_get(fn, fn->sriov + PCV_SRIOV_TOTAL_VFS, 2);
        uint64_t size = pcv__model_vf_aperture(fn, i);

        pcv__model_vf_bar_look(fn, i, false, &bar);
        if (size <= UINT64_MAX >> 16) {
            tell_bar(teller, &bar, vfs * size);
        }
    }
}

/* A window from two registers of 16 or 8 bits, whose low four bits are its
 * type, and the upper parts. It is open if base is not above limit. */
static void tell_window(const struct teller *teller, bool io, uint64_t base,
                        uint64_t limit)
{
    uint64_t unit = io ? IO_UNIT : MEMORY_UNIT;

    if (base <= limit) {
        tell(teller, io, base, limit - base + unit);
    }
}

/* PCI-to-PCI Bridge 1.2, 3.2.5.6 to 3.2.5.10. */
static void tell_windows(const struct teller *teller,
                         const struct pcv__model_fn *fn)
{
    uint64_t base = pcv__model_get(fn, PCV_REG_IO_BASE, 1);
    uint64_t limit = pcv__model_get(fn, PCV_REG_IO_LIMIT, 1);
    bool wide = (base & 0xfu) == 1;

    base = (base & 0xf0u) << 8;
    limit = (limit & 0xf0u) << 8;
    if (wide) {
        base |= (uint64_t)pcv__model_get(fn, PCV_REG_IO_BASE_HI, 2) << 16;
        limit |= (uint64_t)pcv__model_get(fn, PCV_REG_IO_LIMIT_HI, 2) << 16;
    }
    tell_window(teller, true, base, limit);
    base = (pcv__model_get(fn, PCV_REG_MEM_BASE, 2) & 0xfff0u) << 16;
    limit = (pcv__model_get(fn, PCV_REG_MEM_LIMIT, 2) & 0xfff0u) << 16;
    tell_window(teller, false, base, limit);
    base = pcv__model_get(fn, PCV_REG_PREF_BASE, 2);
    limit = pcv__model_get(fn, PCV_REG_PREF_LIMIT, 2);
    wide = (base & 0xfu) == 1;
    base = (base & 0xfff0u) << 16;
    limit = (limit & 0xfff0u) << 16;
    if (wide) {
        base |= (uint64_t)pcv__model_get(fn, PCV_REG_PREF_BASE_HI, 4) << 32;
        limit |= (uint64_t)pcv__model_get(fn, PCV_REG_PREF_LIMIT_HI, 4) << 32;
    }
    tell_window(teller, false, base, limit);
}

void pcv_model_spans(const struct pcv_model *model,
                     void (*fn)(void *arg, const struct pcv_model_span *span),
                     void *arg)
{
    for (size_t i = 0; i < model->fns; i++) {
        const struct pcv__model_fn *of = model->fn[i];
        struct teller teller = {of->sbdf, fn, arg};

        if (of->vf) {
            continue; /* its PF has what it has */
        }
        tell_bars(&teller, of);
        if (of->header == 1) {
            tell_windows(&teller, of);
        }
    }
}

/* At most 255 bridges up, because each one's bus has a smaller number than the
 * bus behind it. */
bool pcv_model_root_of(const struct pcv_model *model, pcv_sbdf sbdf,
                       uint8_t *out_bus)
{
    const struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);

    if (fn == NULL || fn->bus->link == NULL) {
        return false;
    }
    while (fn->bus->link->up != NULL) {
        fn = fn->bus->link->up;
    }
    *out_bus = fn->bus->link->number;
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * BARs: what stands in their registers, which bits of them can be written, and
 * what happens to those when a size changes.
 */
#include "internal.h"

/* ---- what stands in the registers --------------------------------------- */

static uint32_t bar_count(const struct pcv__model_fn *fn)
{
    static const uint8_t counts[3] = {6, 2, 1};

    return fn->vf || fn->header > 2 ? 0 : counts[fn->header];
}

static uint32_t rom_reg(const struct pcv__model_fn *fn)
{
    if (fn->vf || fn->header > 1) {
        return 0;
    }
    return fn->header == 0 ? PCV_REG_ROM0 : PCV_REG_ROM1;
}

static bool is_64(uint32_t value)
{
    return (value & PCV_BAR_SPACE_IO) == 0 &&
           (value & PCV_BAR_TYPE_MASK) == PCV_BAR_TYPE_64;
}

/* One of `count` BAR registers that begin at `first`. A 64-bit BAR in the last
 * place has no upper half and is as one of 32 bits. */
static void look(const struct pcv__model_fn *fn, uint32_t first, uint32_t count,
                 uint32_t index, bool stated, struct pcv__model_bar *out)
{
    uint32_t value;

    out->kind = PCV__MODEL_BAR_NONE;
    out->reg = (uint16_t)(first + 4 * index);
    out->address = 0;
    for (uint32_t i = 0; i < index; i++) {
        if (is_64(pcv__model_get(fn, first + 4 * i, 4)) && ++i == index) {
            return; /* an upper half */
        }
    }
    value = pcv__model_get(fn, out->reg, 4);
    if (is_64(value) && index + 1 < count) {
        out->kind = PCV__MODEL_BAR_64;
        out->address = (uint64_t)pcv__model_get(fn, out->reg + 4u, 4) << 32 |
                       (value & PCV_BAR_MEM_MASK);
    } else if ((value & PCV_BAR_SPACE_IO) != 0) {
        out->kind = PCV__MODEL_BAR_IO;
        out->address = value & PCV_BAR_IO_MASK;
    } else if (value != 0 || stated) {
        out->kind = PCV__MODEL_BAR_32;
        out->address = value & PCV_BAR_MEM_MASK;
    }
}

void pcv__model_bar_look(const struct pcv__model_fn *fn, uint32_t index,
                         bool stated, struct pcv__model_bar *out)
{
    uint32_t rom = rom_reg(fn);
    uint32_t value;

    out->kind = PCV__MODEL_BAR_NONE;
    out->reg = 0;
    out->address = 0;
    if (index < bar_count(fn)) {
        look(fn, PCV_REG_BAR0, bar_count(fn), index, stated, out);
        return;
    }
    if (index != PCV_BAR_IS_ROM || rom == 0) {
        return;
    }
    value = pcv__model_get(fn, rom, 4);
    out->reg = (uint16_t)rom;
    out->address = value & PCV_ROM_MASK;
    if (value != 0 || stated) {
        out->kind = PCV__MODEL_BAR_ROM;
    }
}

void pcv__model_vf_bar_look(const struct pcv__model_fn *pf, uint32_t index,
                            bool stated, struct pcv__model_bar *out)
{
    uint32_t first = pf->sriov + PCV_SRIOV_BAR;

    out->kind = PCV__MODEL_BAR_NONE;
    out->reg = 0;
    out->address = 0;
    if (pf->sriov != 0 && index < PCV__MODEL_VF_BARS &&
        first <= PCV_CFG_EXT_SIZE - 4 * PCV__MODEL_VF_BARS) {
        look(pf, first, PCV__MODEL_VF_BARS, index, stated, out);
    }
}

/* ---- masks -------------------------------------------------------------- */

static uint64_t bar_mask(enum pcv__model_bar_kind kind, uint64_t size)
{
    uint64_t mask = size == 0 ? 0 : ~(size - 1);

    switch (kind) {
    case PCV__MODEL_BAR_NONE:
        return 0;
    case PCV__MODEL_BAR_IO:
        return mask & PCV_BAR_IO_MASK;
    case PCV__MODEL_BAR_32:
        return mask & PCV_BAR_MEM_MASK;
    case PCV__MODEL_BAR_64:
        return mask & ~UINT64_C(0xf);
    case PCV__MODEL_BAR_ROM:
        return (mask & PCV_ROM_MASK) | PCV_ROM_ENABLE;
    }
    return 0;
}

uint64_t pcv__model_bar_largest(enum pcv__model_bar_kind kind)
{
    return kind == PCV__MODEL_BAR_64 ? UINT64_C(1) << 63 : UINT64_C(1) << 31;
}

uint64_t pcv__model_bar_smallest(enum pcv__model_bar_kind kind)
{
    return kind == PCV__MODEL_BAR_IO    ? 4
           : kind == PCV__MODEL_BAR_ROM ? 2048
                                        : 16;
}

uint64_t pcv__model_vf_page_size(const struct pcv__model_fn *pf)
{
    uint64_t pages = pcv__model_get(pf, pf->sriov + PCV_SRIOV_PAGE_SIZE, 4);

    return pages == 0 || (pages & (pages - 1)) != 0 ? 4096 : pages << 12;
}

/* ---- fields ------------------------------------------------------------- */

static void bar_fields(struct pcv__model_fields *to,
                       const struct pcv__model_fn *fn, uint32_t base,
                       const struct pcv__model_bar *bar, uint64_t size)
{
    uint64_t mask = bar_mask(bar->kind, size);
    struct pcv__model_row row = {
        .offset = (uint16_t)(bar->reg - base), .size = 4, .rw = (uint32_t)mask};

    if (size == 0 || bar->kind == PCV__MODEL_BAR_NONE) {
        return;
    }
    pcv__model_fields_add(to, fn, base, &row);
    if (bar->kind == PCV__MODEL_BAR_64) {
        row.offset = (uint16_t)(row.offset + 4);
        row.rw = (uint32_t)(mask >> 32);
        pcv__model_fields_add(to, fn, base, &row);
    }
}

/* VF BARs are not below the system page size, whatever they need. */
static uint64_t vf_aperture(const struct pcv__model_fn *pf, uint64_t size)
{
    uint64_t page = pcv__model_vf_page_size(pf);

    return size != 0 && size < page ? page : size;
}

uint64_t pcv__model_vf_aperture(const struct pcv__model_fn *pf, uint32_t index)
{
    return pf->vf_bar_size == NULL || index >= PCV__MODEL_VF_BARS
               ? 0
               : vf_aperture(pf, pf->vf_bar_size[index]);
}

void pcv__model_bar_fields(struct pcv__model_fields *to,
                           const struct pcv__model_fn *fn)
{
    struct pcv__model_bar bar;

    for (uint32_t i = 0; !fn->vf && i < PCV_MODEL_BARS; i++) {
        pcv__model_bar_look(fn, i, fn->bar_size[i] != 0, &bar);
        bar_fields(to, fn, 0, &bar, fn->bar_size[i]);
    }
    for (uint32_t i = 0; fn->vf_bar_size && i < PCV__MODEL_VF_BARS; i++) {
        uint64_t size = fn->vf_bar_size[i];

        pcv__model_vf_bar_look(fn, i, size != 0, &bar);
        bar_fields(to, fn, fn->sriov, &bar, vf_aperture(fn, size));
    }
}

/* ---- sizes that change -------------------------------------------------- */

/* The bits below the new size read zero from now on. */
static void remask(struct pcv__model_fn *fn, uint32_t reg, uint32_t rw,
                   uint32_t fixed)
{
    struct pcv__model_field *field = pcv__model_field_of(fn, reg);

    if (field != NULL) {
        field->rw = rw;
        (void)pcv__model_put(fn, reg, pcv__model_dword(fn, reg) & (rw | fixed));
    }
}

static void resize(struct pcv__model_fn *fn, const struct pcv__model_bar *bar,
                   uint64_t size)
{
    uint64_t mask = bar_mask(bar->kind, size);

    remask(fn, bar->reg, (uint32_t)mask, 0xfu);
    if (bar->kind == PCV__MODEL_BAR_64) {
        remask(fn, bar->reg + 4u, (uint32_t)(mask >> 32), 0);
    }
}

void pcv__model_bar_resize_locked(struct pcv__model_fn *fn, uint32_t index,
                                  uint64_t size)
{
    struct pcv__model_bar bar;

    pcv__model_bar_look(fn, index, true, &bar);
    if (index < PCV__MODEL_VF_BARS && fn->bar_size[index] != 0 &&
        size <= pcv__model_bar_largest(bar.kind) &&
        (bar.kind == PCV__MODEL_BAR_32 || bar.kind == PCV__MODEL_BAR_64)) {
        fn->bar_size[index] = size;
        fn->bar_guessed &= (uint8_t) ~(1u << index);
        resize(fn, &bar, size);
    }
}

void pcv__model_vf_bar_resize_locked(struct pcv__model_fn *pf, uint32_t index,
                                     uint64_t size)
{
    struct pcv__model_bar bar;

    pcv__model_vf_bar_look(pf, index, true, &bar);
    if (pf->vf_bar_size != NULL && index < PCV__MODEL_VF_BARS &&
        pf->vf_bar_size[index] != 0 &&
        size <= pcv__model_bar_largest(bar.kind) &&
        (bar.kind == PCV__MODEL_BAR_32 || bar.kind == PCV__MODEL_BAR_64)) {
        pf->vf_bar_size[index] = size;
        resize(pf, &bar, vf_aperture(pf, size));
    }
}

void pcv__model_vf_apertures_locked(struct pcv__model_fn *pf)
{
    for (uint32_t i = 0; pf->vf_bar_size && i < PCV__MODEL_VF_BARS; i++) {
        pcv__model_vf_bar_resize_locked(pf, i, pf->vf_bar_size[i]);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Registers of the modelled host: reading them, and what a write does.
 */
#include <stdlib.h>

#include "machine.h"

struct pcv__model_page pcv__model_zeros;

static uint32_t width_mask(uint32_t size)
{
    return size >= 4 ? 0xffffffffu : (1u << (8 * size)) - 1;
}

uint32_t pcv__model_get(const struct pcv__model_fn *fn, uint32_t reg,
                        uint32_t size)
{
    if (reg >= fn->config_size) {
        return width_mask(size);
    }
    return pcv__model_dword(fn, reg & ~3u) >> (8 * (reg & 3u)) &
           width_mask(size);
}

int pcv__model_page_make(struct pcv__model_fn *fn, uint32_t reg)
{
    struct pcv__model_page *page;

    if (atomic_load(&fn->page[reg / PCV__MODEL_PAGE]) != &pcv__model_zeros) {
        return 0;
    }
    page = calloc(1, sizeof(*page));
    if (page == NULL) {
        return -PCV_ENOMEM;
    }
    atomic_store_explicit(&fn->page[reg / PCV__MODEL_PAGE], page,
                          memory_order_release);
    return 0;
}

int pcv__model_put(struct pcv__model_fn *fn, uint32_t reg, uint32_t value)
{
    struct pcv__model_page *page;

    if (reg >= fn->config_size || pcv__model_dword(fn, reg) == value) {
        return 0;
    }
    if (pcv__model_page_make(fn, reg) != 0) {
        return -PCV_ENOMEM;
    }
    page = atomic_load(&fn->page[reg / PCV__MODEL_PAGE]);
    atomic_store_explicit(&page->dword[reg % PCV__MODEL_PAGE / 4], value,
                          memory_order_relaxed);
    return 0;
}

struct pcv__model_field *pcv__model_field_of(const struct pcv__model_fn *fn,
                                             uint32_t reg)
{
    uint32_t low = 0;
    uint32_t high = fn->fields;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (fn->field[middle].reg < reg) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == fn->fields || fn->field[low].reg != reg) {
        return NULL;
    }
    return &fn->field[low];
}

/* ---- effects ------------------------------------------------------------ */

/* What was written, as an effect sees it. */
struct written {
    const struct pcv__model_field *field;
    uint32_t old;
    uint32_t now;  /* as stored */
    uint32_t raw;  /* the bits that software wrote, others zero */
    uint32_t mask; /* of the bytes that software wrote */
};

/* Bits of a field whose page is there already, so that it cannot fail. */
static void set_bits(struct pcv__model_fn *fn, uint32_t reg, uint32_t mask,
                     uint32_t value)
{
    uint32_t old = pcv__model_dword(fn, reg);

    (void)pcv__model_put(fn, reg, (old & ~mask) | (value & mask));
}

/* PCI Power Management 1.2, 3.2.4: a state that the function does not have is
 * not entered; D3hot to D0 resets it unless it says No_Soft_Reset. */
static void power_written(struct pcv_model *model, struct pcv__model_fn *fn,
                          const struct written *w)
{
    uint32_t able = pcv__model_get(fn, w->field->base + 2u, 2);
    uint32_t old = w->old & 3u;
    uint32_t state = w->now & 3u;

    if ((state == 1 && (able & 0x0200u) == 0) ||
        (state == 2 && (able & 0x0400u) == 0)) {
        set_bits(fn, w->field->reg, 3u, old);
        return;
    }
    if (old == 3 && state == 0) {
        if ((w->now & 8u) == 0) {
            pcv__model_reset_locked(model, fn, PCV__RESET_FUNCTION);
        }
        pcv__model_quiet_locked(model, fn, PCV__MODEL_QUIET_WAKE_US);
    }
}

/* PCI Local Bus 3.0, appendix I: the flag turns over when the transfer is
 * complete, and here it is at once. The data is the register's own. */
static void vpd_written(struct pcv__model_fn *fn, const struct written *w)
{
    if ((w->mask & 0x80000000u) != 0) {
        set_bits(fn, w->field->reg, 0x80000000u, ~w->now);
    }
}

static void devctl_written(struct pcv_model *model, struct pcv__model_fn *fn,
                           const struct written *w)
{
    uint32_t able = pcv__model_get(fn, w->field->base + PCV_PCIE_DEVCAP, 4);

    if ((w->raw & PCV_PCIE_DEVCTL_FLR) != 0 &&
        (able & PCV_PCIE_DEVCAP_FLR) != 0) {
        pcv__model_reset_locked(model, fn, PCV__RESET_FUNCTION);
        pcv__model_quiet_locked(model, fn, PCV__MODEL_QUIET_RESET_US);
    }
}

/* PCI Local Bus ECN "Advanced Capabilities": only where both FLR and
 * transactions pending are there. */
static void af_written(struct pcv_model *model, struct pcv__model_fn *fn,
                       const struct written *w)
{
    if ((w->raw & 1u) != 0 &&
        (pcv__model_get(fn, w->field->base + 3u, 1) & 2u) != 0) {
        pcv__model_reset_locked(model, fn, PCV__RESET_FUNCTION);
        pcv__model_quiet_locked(model, fn, PCV__MODEL_QUIET_RESET_US);
    }
}

/* PCI Express Base 6.0, 6.7.3.2: every write to slot control is a command. */
static void sltctl_written(struct pcv_model *model, struct pcv__model_fn *fn,
                           const struct written *w)
{
    uint32_t able = pcv__model_get(fn, w->field->base + PCV_PCIE_SLTCAP, 4);

    if ((w->mask & 0xffffu) != 0 && (able & 0x40u) != 0 &&
        (able & 0x40000u) == 0) {
        set_bits(fn, w->field->reg, 0x00100000u, 0x00100000u);
    }
    if (((w->old ^ w->now) & PCV_PCIE_SLTCTL_POWER_OFF) != 0 &&
        (able & 2u) != 0) {
        pcv__model_slot_power_locked(model, fn);
    }
}

static void bridge_control_written(struct pcv_model *model,
                                   struct pcv__model_fn *fn,
                                   const struct written *w)
{
    const uint32_t reset = PCV_BRIDGE_RESET << 16;

    if (((w->old ^ w->now) & reset) == 0) {
        return;
    }
    pcv__model_hold_locked(model, fn, (w->now & reset) != 0);
    pcv__model_link_held_locked(fn, (w->now & reset) != 0);
    if ((w->now & reset) != 0) {
        pcv__model_reset_below_locked(model, fn, PCV__RESET_BUS);
    } else {
        pcv__model_quiet_below_locked(model, fn, PCV__MODEL_QUIET_RESET_US);
    }
    pcv__model_route_forget_locked(model, fn);
}

/* VF BARs are no smaller than the system page size (PCI Express Base 6.0,
 * 9.3.3.13). A write that does not name one supported size is not taken. */
static void page_size_written(struct pcv__model_fn *fn, const struct written *w)
{
    if (w->now == 0 || (w->now & (w->now - 1)) != 0) {
        set_bits(fn, w->field->reg, 0xffffffffu, w->old);
        return;
    }
    pcv__model_vf_apertures_locked(fn);
}

/* Sizes that the control register may name: bit 4 is 1 MiB (PCI Express Base
 * 6.0, 7.8.6.2). */
static bool rebar_supports(const struct pcv__model_fn *fn, uint32_t reg,
                           uint32_t size)
{
    uint32_t low = pcv__model_get(fn, reg - 4u, 4) >> 4;
    uint32_t high = pcv__model_get(fn, reg, 4) >> 16;

    if (size < 28) {
        return (low >> size & 1u) != 0;
    }
    return size < 44 && (high >> (size - 28) & 1u) != 0;
}

static void rebar_written(struct pcv__model_fn *fn, const struct written *w,
                          bool of_vfs)
{
    if (!rebar_supports(fn, w->field->reg, w->now >> 8 & 0x3fu)) {
        set_bits(fn, w->field->reg, 0x3f00u, w->old);
        return;
    }
    pcv__model_rebar_apply_locked(fn, w->field->reg, of_vfs);
}

/* VFs need their time once they are enabled; the PF does not. */
static void sriov_written(struct pcv_model *model, struct pcv__model_fn *fn,
                          const struct written *w)
{
    pcv__model_vfs_update_locked(model, fn);
    if ((w->now & ~w->old & PCV_SRIOV_CTRL_VFE) != 0) {
        pcv__model_quiet_vfs_locked(model, fn, PCV__MODEL_QUIET_RESET_US);
    }
}

static void num_vfs_written(struct pcv__model_fn *fn, const struct written *w)
{
    uint32_t control = pcv__model_get(fn, w->field->base + PCV_SRIOV_CTRL, 2);

    if ((control & PCV_SRIOV_CTRL_VFE) != 0) {
        set_bits(fn, w->field->reg, 0xffffu, w->old);
    }
}

static void effect(struct pcv_model *model, struct pcv__model_fn *fn,
                   const struct written *w)
{
    switch ((enum pcv__model_effect)w->field->effect) {
    case PCV__EFFECT_NONE:
        break;
    case PCV__EFFECT_BUS_NUMBERS:
        if (w->old != w->now) {
            pcv__model_route_forget_locked(model, fn);
        }
        break;
    case PCV__EFFECT_BRIDGE_CONTROL:
        bridge_control_written(model, fn, w);
        break;
    case PCV__EFFECT_POWER:
        power_written(model, fn, w);
        break;
    case PCV__EFFECT_VPD:
        vpd_written(fn, w);
        break;
    case PCV__EFFECT_DEVCTL:
        devctl_written(model, fn, w);
        break;
    case PCV__EFFECT_AF:
        af_written(model, fn, w);
        break;
    case PCV__EFFECT_SLTCTL:
        sltctl_written(model, fn, w);
        break;
    case PCV__EFFECT_SRIOV:
        sriov_written(model, fn, w);
        break;
    case PCV__EFFECT_NUM_VFS:
        num_vfs_written(fn, w);
        break;
    case PCV__EFFECT_PAGE_SIZE:
        page_size_written(fn, w);
        break;
    case PCV__EFFECT_REBAR:
        rebar_written(fn, w, false);
        break;
    case PCV__EFFECT_VF_REBAR:
        rebar_written(fn, w, true);
        break;
    }
}

void pcv__model_write_locked(struct pcv_model *model, struct pcv__model_fn *fn,
                             uint32_t reg, uint32_t size, uint32_t value)
{
    uint32_t shift = 8 * (reg & 3u);
    struct written w;

    w.field = reg < fn->config_size ? pcv__model_field_of(fn, reg & ~3u) : NULL;
    if (w.field == NULL) {
        return;
    }
    w.mask = width_mask(size) << shift;
    w.raw = value << shift & w.mask;
    w.old = pcv__model_dword(fn, w.field->reg);
    w.now = (w.old & ~(w.field->rw & w.mask) & ~(w.field->w1c & w.raw)) |
            (w.raw & w.field->rw);
    (void)pcv__model_put(fn, w.field->reg, w.now);
    if (w.field->reg == PCV_REG_COMMAND) {
        pcv__model_drain_locked(model, fn,
                                (w.old & ~w.now & PCV_CMD_MASTER) != 0);
    }
    effect(model, fn, &w);
    pcv__model_decode_forget_locked(model, fn);
}

/* ---- a tester's hands --------------------------------------------------- */

static bool aligned(uint32_t reg, uint32_t size)
{
    return (size == 1 || size == 2 || size == 4) && reg % size == 0 &&
           reg < PCV_CFG_EXT_SIZE;
}

uint32_t pcv_model_peek(const struct pcv_model *model, pcv_sbdf sbdf,
                        uint16_t reg, uint8_t size)
{
    const struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);

    if (fn == NULL || !aligned(reg, size)) {
        return 0xffffffffu;
    }
    return pcv__model_get(fn, reg, size);
}

void pcv_model_poke(struct pcv_model *model, pcv_sbdf sbdf, uint16_t reg,
                    uint8_t size, uint32_t value)
{
    struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);
    uint32_t shift = 8 * (reg & 3u);
    uint32_t mask;

    if (fn == NULL || !aligned(reg, size) || reg >= fn->config_size) {
        return;
    }
    (void)pthread_mutex_lock(model->lock);
    mask = width_mask(size) << shift;
    value = (pcv__model_dword(fn, reg & ~3u) & ~mask) | (value << shift & mask);
    if (pcv__model_put(fn, reg & ~3u, value) != 0) {
        abort(); /* 256 bytes; a test cannot go on without its change */
    }
    if (fn->bridge) {
        pcv__model_route_forget_locked(model, fn);
    }
    pcv__model_vfs_update_locked(model, fn);
    pcv__model_decode_forget_locked(model, fn);
    fn->pending = true; /* there may be some now */
    (void)pthread_mutex_unlock(model->lock);
}

uint32_t pcv_model_writable(const struct pcv_model *model, pcv_sbdf sbdf,
                            uint16_t reg)
{
    const struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);
    const struct pcv__model_field *field;
    uint32_t mask = 0;

    if (fn == NULL || reg >= fn->config_size) {
        return 0;
    }
    (void)pthread_mutex_lock(model->lock);
    field = pcv__model_field_of(fn, reg & ~3u);
    if (field != NULL) {
        mask = field->rw | field->w1c;
    }
    (void)pthread_mutex_unlock(model->lock);
    return mask;
}

/* SPDX-License-Identifier: MIT */
/*
 * What the modelled machine says of resets: transactions that a function still
 * has under way, and the ways in which it can be reset.
 */
#include "machine.h"

#define TRANSACTIONS_PENDING 0x0020u /* of Device Status */
#define AF_PENDING 0x01u             /* of Advanced Features Status */

/* ---- transactions -------------------------------------------------------- */

int pcv_model_set_pending(struct pcv_model *model, pcv_sbdf sbdf, uint64_t us)
{
    struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);

    if (fn == NULL) {
        return -PCV_ENODEV;
    }
    atomic_store(&fn->drain_us, us);
    return 0;
}

/* They end after bus mastering did. Locked. */
void pcv__model_drain_locked(struct pcv_model *model, struct pcv__model_fn *fn,
                             bool silenced)
{
    uint64_t us = atomic_load(&fn->drain_us);
    uint64_t now = atomic_load(&model->now_us);

    if (silenced && us != 0) {
        atomic_store(&fn->drained_us,
                     us < UINT64_MAX - now ? now + us : UINT64_MAX);
    }
}

static bool has_pending(const struct pcv_model *model,
                        const struct pcv__model_fn *fn)
{
    if (atomic_load(&fn->drain_us) == 0) {
        return false;
    }
    return (pcv__model_get(fn, PCV_REG_COMMAND, 2) & PCV_CMD_MASTER) != 0 ||
           atomic_load(&model->now_us) < atomic_load(&fn->drained_us);
}

/* The bits of one register that lie in what is read. */
static uint32_t bits_in(uint32_t at, uint32_t bits, uint16_t reg, uint8_t size)
{
    if (at == 0 || at < reg || at >= (uint32_t)reg + size) {
        return 0;
    }
    return bits << (8 * (at - reg));
}

uint32_t pcv__model_pending_bits(const struct pcv_model *model,
                                 const struct pcv__model_fn *fn, uint16_t reg,
                                 uint8_t size)
{
    uint32_t bits = 0;

    if (fn->pcie != 0) {
        bits |= bits_in(fn->pcie + PCV_PCIE_DEVSTA, TRANSACTIONS_PENDING, reg,
                        size);
    }
    if (fn->af != 0) {
        bits |= bits_in(fn->af + PCV_AF_STATUS, AF_PENDING, reg, size);
    }
    return bits != 0 && has_pending(model, fn) ? bits : 0;
}

/* ---- ways to be reset ---------------------------------------------------- */

static void change_locked(struct pcv__model_fn *fn, uint32_t reg, uint32_t mask,
                          bool on)
{
    uint32_t shift = 8 * (reg & 3u);
    uint32_t old = pcv__model_dword(fn, reg & ~3u);
    uint32_t bits = mask << shift;

    (void)pcv__model_put(fn, reg & ~3u, on ? old | bits : old & ~bits);
}

/* Which ways a function has the capability for. */
static uint32_t possible(const struct pcv__model_fn *fn)
{
    return (fn->pcie != 0 ? PCV_MODEL_RESET_FLR : 0) |
           (fn->af != 0 ? PCV_MODEL_RESET_AF : 0) |
           (fn->pm != 0 ? PCV_MODEL_RESET_D3 : 0);
}

int pcv_model_set_resets(struct pcv_model *model, pcv_sbdf sbdf, uint32_t ways)
{
    struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);

    if (fn == NULL) {
        return -PCV_ENODEV;
    }
    if ((ways & ~possible(fn)) != 0) {
        return -PCV_EINVAL;
    }
    (void)pthread_mutex_lock(model->lock);
    if (fn->pcie != 0) {
        change_locked(fn, fn->pcie + PCV_PCIE_DEVCAP, PCV_PCIE_DEVCAP_FLR,
                      (ways & PCV_MODEL_RESET_FLR) != 0);
    }
    if (fn->af != 0) {
        change_locked(fn, fn->af + PCV_AF_CAPS,
                      PCV_AF_CAPS_TP | PCV_AF_CAPS_FLR,
                      (ways & PCV_MODEL_RESET_AF) != 0);
    }
    if (fn->pm != 0) {
        change_locked(fn, fn->pm + PCV_PM_CONTROL, PCV_PM_NO_SOFT_RESET,
                      (ways & PCV_MODEL_RESET_D3) == 0);
    }
    (void)pthread_mutex_unlock(model->lock);
    return 0;
}

/* ---- a bus that is held in reset ------------------------------------------
 */

/* PCI Local Bus 3.0, 4.3.2: Trst. */
#define HOLD_US UINT64_C(1000)

void pcv__model_hold_locked(struct pcv_model *model,
                            struct pcv__model_fn *bridge, bool held)
{
    uint64_t now = atomic_load(&model->now_us);

    if (held) {
        bridge->held_us = now;
    } else if (atomic_load(&model->clock_on) &&
               now - bridge->held_us < HOLD_US) {
        (void)atomic_fetch_add(&model->early, 1);
    }
}

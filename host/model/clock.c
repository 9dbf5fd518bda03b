/* SPDX-License-Identifier: MIT */
/*
 * The modelled host's clock, and the times after a reset in which a function
 * must be left alone (SRIOV-3).
 */
#include "machine.h"

#define SECOND_US UINT64_C(1000000)

uint64_t pcv__model_op_now_us(void *ctx)
{
    struct pcv_model *model = ctx;

    if (atomic_load(&model->clock_on) || atomic_load(&model->clock_held) != 0) {
        return atomic_load(&model->now_us);
    }
    return atomic_fetch_add(&model->now_us, SECOND_US) + SECOND_US;
}

void pcv_model_set_clock(struct pcv_model *model, bool on)
{
    atomic_store(&model->clock_on, on);
}

void pcv_model_hold_clock(struct pcv_model *model, bool on)
{
    (void)atomic_fetch_add(&model->clock_held, on ? 1u : UINT32_MAX);
}

void pcv_model_advance_us(struct pcv_model *model, uint64_t us)
{
    (void)atomic_fetch_add(&model->now_us, us);
}

uint64_t pcv_model_early_accesses(const struct pcv_model *model)
{
    return atomic_load(&model->early);
}

/* ---- quiet --------------------------------------------------------------- */

void pcv__model_quiet_locked(struct pcv_model *model, struct pcv__model_fn *fn,
                             uint64_t us)
{
    if (atomic_load(&model->clock_on)) {
        atomic_store(&fn->quiet_until_us, atomic_load(&model->now_us) + us);
    }
}

/* Recursion as in pcv__model_reset_below_locked(). */
void pcv__model_quiet_below_locked(struct pcv_model *model,
                                   struct pcv__model_fn *bridge, uint64_t us)
{
    const struct pcv__model_bus *bus =
        bridge->below == NULL ? NULL : bridge->below->buses;

    for (; bus != NULL; bus = bus->next) {
        for (uint32_t i = 0; i < PCV_DEVFNS; i++) {
            if (bus->fn[i] != NULL) {
                pcv__model_quiet_locked(model, bus->fn[i], us);
                pcv__model_quiet_below_locked(model, bus->fn[i], us);
            }
        }
    }
}

void pcv__model_quiet_vfs_locked(struct pcv_model *model,
                                 struct pcv__model_fn *pf, uint64_t us)
{
    for (struct pcv__model_fn *vf = pf->vfs; vf != NULL; vf = vf->next_vf) {
        if (pcv__model_vf_index(vf, pf) >= 0 && atomic_load(&vf->state) == 0) {
            pcv__model_quiet_locked(model, vf, us);
        }
    }
}

bool pcv__model_is_quiet(const struct pcv_model *model,
                         const struct pcv__model_fn *fn)
{
    return atomic_load_explicit(&model->clock_on, memory_order_relaxed) &&
           atomic_load(&model->now_us) < atomic_load(&fn->quiet_until_us);
}

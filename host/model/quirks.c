/* SPDX-License-Identifier: MIT */
/*
 * What makes configuration accesses of the modelled host go astray: functions
 * that must be left alone, buses whose extended space cannot be reached,
 * devices that do not decode it; and what else a test lets the host say.
 */
#include "machine.h"

/* ---- extended space ------------------------------------------------------ */

int pcv_model_set_extended(struct pcv_model *model, pcv_sbdf sbdf,
                           enum pcv_model_extended how)
{
    struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);

    if (fn == NULL) {
        return -PCV_ENODEV;
    }
    if ((unsigned)how > PCV_MODEL_EXT_ALIASED) {
        return -PCV_EINVAL;
    }
    atomic_store(&fn->extended, (uint8_t)how);
    return 0;
}

static bool has_ecam(const struct pcv_model *model, uint16_t segment,
                     uint8_t bus)
{
    struct pcv__model_segment *of = model->segment[segment];

    return of == NULL ||
           (atomic_load(&of->no_ecam[bus / 32]) >> bus % 32 & 1u) == 0;
}

void pcv_model_set_ecam(struct pcv_model *model, uint16_t segment,
                        uint8_t bus_first, uint8_t bus_last, bool usable)
{
    struct pcv__model_segment *of = model->segment[segment];

    for (uint32_t bus = bus_first; of != NULL && bus <= bus_last; bus++) {
        if (usable) {
            (void)atomic_fetch_and(&of->no_ecam[bus / 32], ~(1u << bus % 32));
        } else {
            (void)atomic_fetch_or(&of->no_ecam[bus / 32], 1u << bus % 32);
        }
    }
}

int pcv__model_op_ecam_usable(void *ctx, uint16_t segment, uint8_t bus)
{
    return has_ecam(ctx, segment, bus) ? 1 : 0;
}

/* ---- every access -------------------------------------------------------- */

static bool reaches_extended(const struct pcv_model *model,
                             const struct pcv__model_fn *fn, pcv_sbdf sbdf,
                             uint16_t *inout_reg)
{
    if (!has_ecam(model, pcv_sbdf_segment(sbdf), pcv_sbdf_bus(sbdf))) {
        return false;
    }
    switch ((enum pcv_model_extended)atomic_load(&fn->extended)) {
    case PCV_MODEL_EXT_NORMAL:
        break;
    case PCV_MODEL_EXT_ONES:
        return false;
    case PCV_MODEL_EXT_ALIASED:
        *inout_reg = (uint16_t)(*inout_reg % PCV_CFG_SIZE);
        break;
    }
    return true;
}

bool pcv__model_reaches(struct pcv_model *model, const struct pcv__model_fn *fn,
                        pcv_sbdf sbdf, uint16_t *inout_reg)
{
    if (pcv__model_is_quiet(model, fn)) {
        (void)atomic_fetch_add(&model->early, 1);
        return false;
    }
    return *inout_reg < PCV_CFG_SIZE ||
           reaches_extended(model, fn, sbdf, inout_reg);
}

/* ---- interrupt pins ------------------------------------------------------ */

void pcv_model_set_intx(struct pcv_model *model, bool on)
{
    atomic_store(&model->intx, on);
}

int pcv__model_op_intx_pin(void *ctx, uint32_t domain_id, pcv_sbdf sbdf)
{
    struct pcv_model *model = ctx;
    const struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);
    uint32_t pin = 0;

    (void)domain_id;
    if (fn != NULL && atomic_load(&model->intx)) {
        pin = pcv__model_get(fn, PCV_REG_INT_PIN, 1);
    }
    return pin <= 4 ? (int)pin : 0;
}

/* ---- crashes ------------------------------------------------------------- */

void pcv__model_op_crash(void *ctx, uint32_t domain_id, pcv_sbdf sbdf,
                         int error)
{
    struct pcv_model *model = ctx;

    (void)sbdf;
    (void)error;
    (void)pthread_mutex_lock(model->lock);
    model->crashes++;
    model->crashed_domain = domain_id;
    (void)pthread_mutex_unlock(model->lock);
}

uint64_t pcv_model_crashes(const struct pcv_model *model,
                           uint32_t *out_domain_id)
{
    uint64_t crashes;

    (void)pthread_mutex_lock(model->lock);
    crashes = model->crashes;
    if (crashes != 0 && out_domain_id != NULL) {
        *out_domain_id = model->crashed_domain;
    }
    (void)pthread_mutex_unlock(model->lock);
    return crashes;
}

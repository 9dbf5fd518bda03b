/* SPDX-License-Identifier: MIT */
/*
 * DMA through the modelled IOMMU: every requester ID reaches the memory of one
 * domain, of 48 address bits. Where messages are written there is no memory:
 * what a device writes there by itself does not become an interrupt.
 */
#include "machine.h"

#define ADDRESS_END (UINT64_C(1) << 48)

int pcv__model_op_dma_attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    struct pcv_model *model = ctx;
    struct pcv__model_requester *known;

    if (pcv__model_fails(model, PCV_MODEL_OP_dma_attach)) {
        return -PCV_EIO;
    }
    (void)pthread_mutex_lock(model->lock);
    known = pcv__model_requester_make(model, requester);
    if (known != NULL) {
        known->attached = true;
        known->domain_id = domain_id;
    }
    (void)pthread_mutex_unlock(model->lock);
    return known == NULL ? -PCV_ENOMEM : 0;
}

static uint32_t domain_locked(const struct pcv_model *model, pcv_sbdf requester)
{
    const struct pcv__model_requester *known =
        pcv__model_requester_find(model, requester);

    return known != NULL && known->attached ? known->domain_id
                                            : PCV_DOMAIN_ID_HARDWARE;
}

uint32_t pcv_model_dma_domain(const struct pcv_model *model, pcv_sbdf sbdf)
{
    uint32_t domain_id;

    (void)pthread_mutex_lock(model->lock);
    domain_id = domain_locked(model, sbdf);
    (void)pthread_mutex_unlock(model->lock);
    return domain_id;
}

static bool is_memory(uint64_t address)
{
    return address < ADDRESS_END && (address < PCV__MODEL_DOORBELL ||
                                     address >= PCV__MODEL_DOORBELL_END);
}

static int dma_locked(struct pcv_model *model, const struct pcv__model_fn *fn,
                      uint64_t address, uint32_t *out_domain_id)
{
    uint32_t domain_id;

    if (!pcv__model_is_there(fn)) {
        return -PCV_ENODEV;
    }
    if (!pcv__model_can_send(fn)) {
        return -PCV_EPERM;
    }
    domain_id = domain_locked(model, pcv__model_sender_locked(model, fn));
    if (domain_id == PCV_DOMAIN_ID_QUARANTINE || !is_memory(address)) {
        ++*pcv__model_faults_locked(model);
        return -PCV_EFAULT;
    }
    *out_domain_id = domain_id;
    return 0;
}

int pcv_model_dma(struct pcv_model *model, pcv_sbdf sbdf, uint64_t address,
                  bool write, uint32_t *out_domain_id)
{
    const struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);
    uint32_t domain_id = 0;
    int error = -PCV_ENODEV;

    (void)write; /* all memory of a domain can be read and written */
    (void)pthread_mutex_lock(model->lock);
    if (fn != NULL) {
        error = dma_locked(model, fn, address, &domain_id);
    }
    (void)pthread_mutex_unlock(model->lock);
    if (error == 0 && out_domain_id != NULL) {
        *out_domain_id = domain_id;
    }
    return error;
}

uint64_t pcv_model_dma_faults(const struct pcv_model *model)
{
    uint64_t faults;

    (void)pthread_mutex_lock(model->lock);
    faults = *pcv__model_faults_locked(model);
    (void)pthread_mutex_unlock(model->lock);
    return faults;
}

int pcv_model_send_as(struct pcv_model *model, pcv_sbdf sbdf,
                      const pcv_sbdf *as)
{
    struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);

    if (fn == NULL) {
        return -PCV_ENODEV;
    }
    (void)pthread_mutex_lock(model->lock);
    fn->sends_as_other = as != NULL;
    if (as != NULL) {
        fn->sends_as = *as;
    }
    (void)pthread_mutex_unlock(model->lock);
    return 0;
}

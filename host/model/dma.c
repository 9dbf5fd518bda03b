/* SPDX-License-Identifier: MIT */
/*
 * DMA through the modelled IOMMU: every requester ID reaches the memory of one
 * domain, of 48 address bits. Where messages are written there is no memory:
 * what a device writes there by itself does not become an interrupt. What is
 * blocked is a fault, and waits in a queue for the port.
 */
#include <stdlib.h>

#include "machine.h"
#include "pcivisor/faults.h"

#define ADDRESS_END (UINT64_C(1) << 48)

/* Memory that firmware reserves for a requester: [start, start + size). */
struct reserved {
    uint32_t sbdf;
    uint64_t start, size;
};

struct pcv__model_dma {
    struct pcv_model_fault fault[PCV_MODEL_FAULTS]; /* a ring */
    uint32_t first, waiting;
    uint64_t lost;
    uint64_t faults;
    struct reserved *reserved;
    size_t reserved_count;
};

bool pcv__model_dma_make(struct pcv_model *model)
{
    model->dma = calloc(1, sizeof(*model->dma));
    return model->dma != NULL;
}

void pcv__model_dma_free(struct pcv_model *model)
{
    if (model->dma != NULL) {
        free(model->dma->reserved);
        free(model->dma);
        model->dma = NULL;
    }
}

/* ---- contexts ------------------------------------------------------------ */

static bool is_guest(uint32_t domain_id)
{
    return domain_id != PCV_DOMAIN_ID_HARDWARE &&
           domain_id != PCV_DOMAIN_ID_HYPERVISOR &&
           domain_id != PCV_DOMAIN_ID_QUARANTINE;
}

static bool has_reserved(const struct pcv__model_dma *dma, pcv_sbdf requester)
{
    for (size_t i = 0; i < dma->reserved_count; i++) {
        if (dma->reserved[i].sbdf == requester.v) {
            return true;
        }
    }
    return false;
}

static int attach_locked(struct pcv_model *model, pcv_sbdf requester,
                         uint32_t domain_id)
{
    struct pcv__model_requester *known;

    if (is_guest(domain_id) && has_reserved(model->dma, requester)) {
        return -PCV_EPERM;
    }
    known = pcv__model_requester_make(model, requester);
    if (known == NULL) {
        return -PCV_ENOMEM;
    }
    known->attached = true;
    known->domain_id = domain_id;
    return 0;
}

int pcv__model_op_dma_attach(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    struct pcv_model *model = ctx;
    int error;

    if (pcv__model_fails(model, PCV_MODEL_OP_dma_attach)) {
        return -PCV_EIO;
    }
    (void)pthread_mutex_lock(model->lock);
    error = attach_locked(model, requester, domain_id);
    (void)pthread_mutex_unlock(model->lock);
    return error;
}

int pcv__model_op_dma_permitted(void *ctx, pcv_sbdf requester,
                                uint32_t domain_id)
{
    struct pcv_model *model = ctx;
    bool permitted;

    if (pcv__model_fails(model, PCV_MODEL_OP_dma_permitted)) {
        return -PCV_EIO;
    }
    (void)pthread_mutex_lock(model->lock);
    permitted = !is_guest(domain_id) || !has_reserved(model->dma, requester);
    (void)pthread_mutex_unlock(model->lock);
    return permitted ? 1 : 0;
}

static void unreserve_locked(struct pcv__model_dma *dma, pcv_sbdf requester)
{
    size_t left = 0;

    for (size_t i = 0; i < dma->reserved_count; i++) {
        if (dma->reserved[i].sbdf != requester.v) {
            dma->reserved[left++] = dma->reserved[i];
        }
    }
    dma->reserved_count = left;
}

static int reserve_locked(struct pcv__model_dma *dma, pcv_sbdf requester,
                          uint64_t start, uint64_t size)
{
    struct reserved *more = realloc(dma->reserved, (dma->reserved_count + 1) *
                                                       sizeof(*dma->reserved));

    if (more == NULL) {
        return -PCV_ENOMEM;
    }
    dma->reserved = more;
    more[dma->reserved_count++] = (struct reserved){requester.v, start, size};
    return 0;
}

int pcv_model_reserve_dma(struct pcv_model *model, pcv_sbdf requester,
                          uint64_t start, uint64_t size)
{
    int error = 0;

    if (size != 0 && size - 1 > UINT64_MAX - start) {
        return -PCV_EINVAL;
    }
    (void)pthread_mutex_lock(model->lock);
    if (size == 0) {
        unreserve_locked(model->dma, requester);
    } else {
        error = reserve_locked(model->dma, requester, start, size);
    }
    (void)pthread_mutex_unlock(model->lock);
    return error;
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

/* ---- requests ------------------------------------------------------------ */

static bool is_memory(uint64_t address)
{
    return address < ADDRESS_END && (address < PCV__MODEL_DOORBELL ||
                                     address >= PCV__MODEL_DOORBELL_END);
}

/* What the context of a requester has at an address. */
static bool reaches(const struct pcv__model_dma *dma, pcv_sbdf requester,
                    uint32_t domain_id, uint64_t address)
{
    for (size_t i = 0; i < dma->reserved_count; i++) {
        const struct reserved *reserved = &dma->reserved[i];

        if (reserved->sbdf == requester.v &&
            address - reserved->start < reserved->size) {
            return domain_id != PCV_DOMAIN_ID_QUARANTINE;
        }
    }
    return domain_id != PCV_DOMAIN_ID_QUARANTINE && is_memory(address);
}

static void fault_locked(struct pcv__model_dma *dma, pcv_sbdf requester,
                         uint64_t address, bool write)
{
    uint32_t at = (dma->first + dma->waiting) % PCV_MODEL_FAULTS;

    dma->faults++;
    if (dma->waiting == PCV_MODEL_FAULTS) {
        dma->lost++;
        return;
    }
    dma->fault[at] = (struct pcv_model_fault){requester, address, write};
    dma->waiting++;
}

static int dma_locked(struct pcv_model *model, const struct pcv__model_fn *fn,
                      uint64_t address, bool write, uint32_t *out_domain_id)
{
    pcv_sbdf requester;
    uint32_t domain_id;

    if (!pcv__model_is_there(fn)) {
        return -PCV_ENODEV;
    }
    if (!pcv__model_can_send(fn)) {
        return -PCV_EPERM;
    }
    requester = pcv__model_sender_locked(model, fn);
    domain_id = domain_locked(model, requester);
    if (!reaches(model->dma, requester, domain_id, address)) {
        fault_locked(model->dma, requester, address, write);
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

    (void)pthread_mutex_lock(model->lock);
    if (fn != NULL) {
        error = dma_locked(model, fn, address, write, &domain_id);
    }
    (void)pthread_mutex_unlock(model->lock);
    if (error == 0 && out_domain_id != NULL) {
        *out_domain_id = domain_id;
    }
    return error;
}

/* ---- faults -------------------------------------------------------------- */

uint64_t pcv_model_dma_faults(const struct pcv_model *model)
{
    uint64_t faults;

    (void)pthread_mutex_lock(model->lock);
    faults = model->dma->faults;
    (void)pthread_mutex_unlock(model->lock);
    return faults;
}

bool pcv_model_next_fault(struct pcv_model *model,
                          struct pcv_model_fault *out_fault)
{
    struct pcv__model_dma *dma = model->dma;
    bool there;

    (void)pthread_mutex_lock(model->lock);
    there = dma->waiting != 0;
    if (there) {
        *out_fault = dma->fault[dma->first];
        dma->first = (dma->first + 1) % PCV_MODEL_FAULTS;
        dma->waiting--;
    }
    (void)pthread_mutex_unlock(model->lock);
    return there;
}

uint64_t pcv_model_lost_faults(const struct pcv_model *model)
{
    uint64_t lost;

    (void)pthread_mutex_lock(model->lock);
    lost = model->dma->lost;
    (void)pthread_mutex_unlock(model->lock);
    return lost;
}

bool pcv_model_tell_faults(struct pcv_model *model, struct pcv_host *host)
{
    struct pcv_model_fault fault;
    bool work = false;

    /* A storm is over in no time; and bounded by the queue, as an interrupt
     * handler has to be. */
    pcv_model_hold_clock(model, true);
    for (uint32_t i = 0;
         i < PCV_MODEL_FAULTS && pcv_model_next_fault(model, &fault); i++) {
        work = pcv_dma_fault(host, fault.requester, fault.address,
                             fault.write ? PCV_FAULT_WRITE : 0);
    }
    pcv_model_hold_clock(model, false);
    return work;
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

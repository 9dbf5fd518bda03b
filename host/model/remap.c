/* SPDX-License-Identifier: MIT */
/*
 * The modelled interrupt controller, and what it and the IOMMU know of each
 * requester ID.
 *
 * Each binding has a block of the controller's table. Its message names the
 * block in bits 19:2 of the address, and in the data's upper bits a number
 * that changes with every binding, so that a message that was bound once and
 * is no more, or data beyond a block of vectors, is nobody's. Who sends it is
 * looked at as well: functions behind a bridge of conventional PCI, which all
 * send under one requester ID, are told apart by their blocks.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* tdestroy */
#endif
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define BLOCKS (1u << 18)
#define VECTOR_BITS 5u /* of the data: up to 32 messages */

struct pcv__model_remap {
    void *requesters; /* a search tree of struct pcv__model_requester */
    struct pcv__model_binding **block;
    uint32_t *vacant; /* blocks without a binding: a stack */
    uint32_t vacants;
    uint32_t blocks; /* in use or vacant */
    uint32_t room;
    uint64_t serial; /* of the last binding */
    uint64_t bound;  /* messages */
    uint64_t errors;
};

/* ---- requesters ---------------------------------------------------------- */

static int by_sbdf(const void *a, const void *b)
{
    const struct pcv__model_requester *x = a;
    const struct pcv__model_requester *y = b;

    return (x->sbdf > y->sbdf) - (x->sbdf < y->sbdf);
}

struct pcv__model_requester *pcv__model_requester_find(
    const struct pcv_model *model, pcv_sbdf sbdf)
{
    struct pcv__model_requester key = {.sbdf = sbdf.v};
    struct pcv__model_requester *const *found =
        tfind(&key, &model->remap->requesters, by_sbdf);

    return found == NULL ? NULL : *found;
}

struct pcv__model_requester *pcv__model_requester_make(struct pcv_model *model,
                                                       pcv_sbdf sbdf)
{
    struct pcv__model_requester *made = pcv__model_requester_find(model, sbdf);

    if (made != NULL) {
        return made;
    }
    made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return NULL;
    }
    made->sbdf = sbdf.v;
    if (tsearch(made, &model->remap->requesters, by_sbdf) == NULL) {
        free(made);
        return NULL;
    }
    return made;
}

static void requester_free(void *node)
{
    struct pcv__model_requester *requester = node;

    free(requester->msi);
    for (uint32_t i = 0; i < requester->msix_room; i++) {
        free(requester->msix[i]);
    }
    free(requester->msix);
    free(requester);
}

bool pcv__model_remap_make(struct pcv_model *model)
{
    model->remap = calloc(1, sizeof(*model->remap));
    return model->remap != NULL;
}

void pcv__model_remap_free(struct pcv_model *model)
{
    if (model->remap != NULL) {
        tdestroy(model->remap->requesters, requester_free);
        free(model->remap->block);
        free(model->remap->vacant);
        free(model->remap);
        model->remap = NULL;
    }
}

/* ---- blocks -------------------------------------------------------------- */

/* Room for twice as many; both arrays alike, so that giving a block back never
 * needs memory. */
static bool blocks_grow(struct pcv__model_remap *remap)
{
    uint32_t room = remap->room == 0 ? 64 : remap->room * 2;
    struct pcv__model_binding **block =
        realloc(remap->block, room * sizeof(struct pcv__model_binding *));
    uint32_t *vacant;

    if (block == NULL) {
        return false;
    }
    remap->block = block;
    vacant = realloc(remap->vacant, room * sizeof(*vacant));
    if (vacant == NULL) {
        return false;
    }
    remap->vacant = vacant;
    remap->room = room;
    return true;
}

/* -PCV_ENOSPC, -PCV_ENOMEM. */
static int block_take(struct pcv__model_remap *remap,
                      struct pcv__model_binding *binding)
{
    if (remap->vacants != 0) {
        binding->block = remap->vacant[--remap->vacants];
    } else if (remap->blocks == BLOCKS) {
        return -PCV_ENOSPC;
    } else if (remap->blocks == remap->room && !blocks_grow(remap)) {
        return -PCV_ENOMEM;
    } else {
        binding->block = remap->blocks++;
    }
    remap->block[binding->block] = binding;
    return 0;
}

/* What the device is to send. MSI has 16 bits of data, MSI-X 32; the number
 * above the vectors is never 0, as data is after reset. */
static void message_make(struct pcv__model_remap *remap,
                         struct pcv__model_binding *binding)
{
    uint64_t numbers = binding->request.msix ? (1u << 27) - 1 : (1u << 11) - 1;
    uint32_t number = (uint32_t)(++remap->serial % numbers) + 1;

    binding->message.address =
        PCV__MODEL_DOORBELL + ((uint64_t)binding->block << 2);
    binding->message.data = number << VECTOR_BITS;
}

/* ---- bindings ------------------------------------------------------------ */

/* Where a vector's binding is kept; NULL without memory. */
static struct pcv__model_binding **slot_of(
    struct pcv__model_requester *requester, bool msix, uint16_t index)
{
    uint32_t room = requester->msix_room == 0 ? 4 : requester->msix_room;
    struct pcv__model_binding **more;

    if (!msix) {
        return &requester->msi;
    }
    while (room <= index) {
        room *= 2;
    }
    if (room > requester->msix_room) {
        more = realloc(requester->msix,
                       room * sizeof(struct pcv__model_binding *));
        if (more == NULL) {
            return NULL;
        }
        for (uint32_t i = requester->msix_room; i < room; i++) {
            more[i] = NULL;
        }
        requester->msix = more;
        requester->msix_room = room;
    }
    return &requester->msix[index];
}

static void unbind(struct pcv__model_remap *remap,
                   struct pcv__model_requester *requester,
                   struct pcv__model_binding **slot)
{
    struct pcv__model_binding *binding = *slot;

    *slot = NULL;
    remap->block[binding->block] = NULL;
    remap->vacant[remap->vacants++] = binding->block;
    remap->bound -= binding->request.count;
    requester->bound -= binding->request.count;
    free(binding);
}

/* Whether a request keeps the contract of struct pcv_msi_request. */
static bool is_sound(const struct pcv_msi_request *request)
{
    if (request->msix) {
        return request->count == 1 && request->index < PCV__MODEL_VECTORS;
    }
    return request->index == 0 && request->count >= 1 && request->count <= 32 &&
           (request->count & (request->count - 1)) == 0 &&
           (request->data & (request->count - 1u)) == 0 &&
           request->data <= 0xffffu;
}

/* The vector's binding, if it has one. */
static struct pcv__model_binding **bound_slot(
    struct pcv__model_requester *requester, bool msix, uint16_t index)
{
    struct pcv__model_binding **slot = NULL;

    if (requester != NULL && !msix) {
        slot = &requester->msi;
    } else if (requester != NULL && index < requester->msix_room) {
        slot = &requester->msix[index];
    }
    return slot != NULL && *slot != NULL ? slot : NULL;
}

static int bind_locked(struct pcv_model *model,
                       const struct pcv_msi_request *request,
                       struct pcv_msi_message *out_message)
{
    struct pcv__model_requester *requester =
        pcv__model_requester_make(model, request->sbdf);
    struct pcv__model_binding *made = calloc(1, sizeof(*made));
    struct pcv__model_binding **slot = NULL;
    int error;

    if (requester != NULL && made != NULL) {
        slot = slot_of(requester, request->msix, request->index);
    }
    error = slot == NULL ? -PCV_ENOMEM : block_take(model->remap, made);
    if (error != 0) {
        free(made);
        return error;
    }
    made->request = *request;
    message_make(model->remap, made);
    model->remap->bound += request->count;
    requester->bound += request->count;
    *slot = made;
    *out_message = made->message;
    return 0;
}

int pcv__model_op_msi_bind(void *ctx, const struct pcv_msi_request *request,
                           struct pcv_msi_message *out_message)
{
    struct pcv_model *model = ctx;
    bool fail = pcv__model_fails(model, PCV_MODEL_OP_msi_bind);
    struct pcv__model_requester *requester;
    struct pcv__model_binding **slot;
    int error = fail ? -PCV_EIO : 0;

    (void)pthread_mutex_lock(model->lock);
    requester = pcv__model_requester_find(model, request->sbdf);
    slot = bound_slot(requester, request->msix, request->index);
    if (slot != NULL) {
        unbind(model->remap, requester, slot);
    }
    if (!is_sound(request)) {
        model->remap->errors++;
        error = -PCV_EINVAL;
    }
    if (error == 0) {
        error = bind_locked(model, request, out_message);
    }
    (void)pthread_mutex_unlock(model->lock);
    return error;
}

/* The request is that which was bound, to the bit. */
static bool is_same(const struct pcv_msi_request *a,
                    const struct pcv_msi_request *b)
{
    return a->requester.v == b->requester.v && a->domain_id == b->domain_id &&
           a->count == b->count && a->address == b->address &&
           a->data == b->data;
}

void pcv__model_op_msi_unbind(void *ctx, const struct pcv_msi_request *request)
{
    struct pcv_model *model = ctx;
    struct pcv__model_requester *requester;
    struct pcv__model_binding **slot;

    (void)pthread_mutex_lock(model->lock);
    requester = pcv__model_requester_find(model, request->sbdf);
    slot = bound_slot(requester, request->msix, request->index);
    if (slot == NULL || !is_same(&(*slot)->request, request)) {
        model->remap->errors++;
    }
    if (slot != NULL) {
        unbind(model->remap, requester, slot);
    }
    (void)pthread_mutex_unlock(model->lock);
}

/* ---- a message arrives --------------------------------------------------- */

enum pcv_model_raised pcv__model_message_locked(
    const struct pcv_model *model, pcv_sbdf requester, uint64_t address,
    uint32_t data, struct pcv_model_message *out_message)
{
    const struct pcv__model_remap *remap = model->remap;
    const struct pcv__model_binding *binding;
    uint64_t block = (address - PCV__MODEL_DOORBELL) >> 2;
    uint32_t vector;

    if (address < PCV__MODEL_DOORBELL || address >= PCV__MODEL_DOORBELL_END ||
        address % 4 != 0 || block >= remap->blocks ||
        remap->block[block] == NULL) {
        return PCV_MODEL_UNKNOWN;
    }
    binding = remap->block[block];
    vector = data - binding->message.data;
    if (vector >= binding->request.count) {
        return PCV_MODEL_UNKNOWN;
    }
    if (binding->request.requester.v != requester.v) {
        return PCV_MODEL_FOREIGN;
    }
    out_message->sbdf = binding->request.sbdf;
    out_message->domain_id = binding->request.domain_id;
    out_message->address = binding->request.address;
    out_message->data = binding->request.data + vector;
    return PCV_MODEL_DELIVERED;
}

/* ---- for those who look -------------------------------------------------- */

uint64_t pcv_model_bound(const struct pcv_model *model, const pcv_sbdf *sbdf)
{
    const struct pcv__model_requester *requester;
    uint64_t bound = 0;

    (void)pthread_mutex_lock(model->lock);
    if (sbdf == NULL) {
        bound = model->remap->bound;
    } else {
        requester = pcv__model_requester_find(model, *sbdf);
        bound = requester == NULL ? 0 : requester->bound;
    }
    (void)pthread_mutex_unlock(model->lock);
    return bound;
}

uint64_t pcv_model_bind_errors(const struct pcv_model *model)
{
    uint64_t errors;

    (void)pthread_mutex_lock(model->lock);
    errors = model->remap->errors;
    (void)pthread_mutex_unlock(model->lock);
    return errors;
}

/* SPDX-License-Identifier: MIT */
/* Vectors, each with a reference of its own (LIFE-8). */
#include "registry/barred.h"

#define MSI_VECTORS 32u
#define MSIX_VECTORS 2048u

static bool has_vector(const struct pcv_device *device, bool msix,
                       uint16_t index) PCV__REQUIRES(device->lock)
{
    /* Bounded: a device has at most 32 + 2048 vectors, each once. */
    for (const struct pcv_vector *v = device->vectors; v; v = v->next) {
        if (v->msix == msix && v->index == index) {
            return true;
        }
    }
    return false;
}

int pcv_vector_attach(struct pcv_device *device, struct pcv_vector *vector,
                      bool msix, uint16_t index)
{
    struct pcv__mem *mem = &device->host->mem;
    int error = 0;

    if (index >= (msix ? MSIX_VECTORS : MSI_VECTORS) ||
        atomic_load_explicit(&vector->device, memory_order_acquire)) {
        return -PCV_EINVAL;
    }
    pcv__lock_take(mem, &device->lock);
    if (has_vector(device, msix, index)) {
        error = -PCV_EEXIST;
    } else if (device->torn || pcv__has_vanished(device) ||
               !pcv__ref_try(device, PCV_HOLDER_VECTOR, PCV__WORD_SHUT)) {
        error = -PCV_ENODEV;
    } else {
        vector->msix = msix;
        vector->index = index;
        vector->next = device->vectors;
        device->vectors = vector;
        atomic_store_explicit(&vector->device, device, memory_order_release);
    }
    pcv__lock_drop(mem, &device->lock);
    return error;
}

static void forget(struct pcv_vector *vector)
{
    vector->next = NULL;
    atomic_store_explicit(&vector->device, NULL, memory_order_release);
}

/* Take a vector off its device's list. True if it was there. */
static bool unlink_vector(struct pcv_device *device, struct pcv_vector *vector)
    PCV__REQUIRES(device->lock)
{
    for (struct pcv_vector **at = &device->vectors; *at; at = &(*at)->next) {
        if (*at == vector) {
            *at = vector->next;
            forget(vector);
            return true;
        }
    }
    return false;
}

void pcv_vector_detach(struct pcv_vector *vector)
{
    struct pcv_device *device =
        atomic_load_explicit(&vector->device, memory_order_acquire);
    struct pcv__mem *mem;
    bool was_there;

    if (!device) {
        return;
    }
    /* A removal may have taken the vector off meanwhile, and another device
     * may stand in the slot: its lock is a lock still, and the vector is not on
     * its list. */
    mem = &device->host->mem;
    pcv__lock_take(mem, &device->lock);
    was_there = unlink_vector(device, vector);
    pcv__lock_drop(mem, &device->lock);
    if (was_there) {
        pcv__ref_put(device, PCV_HOLDER_VECTOR);
    }
}

void pcv__vectors_release(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv_vector **at;

    if (!mem->ops.vector_release) {
        return;
    }
    pcv__lock_take(mem, &device->lock);
    at = &device->vectors;
    while (*at) {
        struct pcv_vector *vector = *at;

        if (mem->ops.vector_release(mem->ctx, vector) != 0) {
            at = &vector->next;
            continue;
        }
        *at = vector->next;
        forget(vector);
        /* Not the last one: the registry's is still there. */
        pcv__ref_put(device, PCV_HOLDER_VECTOR);
    }
    pcv__lock_drop(mem, &device->lock);
}

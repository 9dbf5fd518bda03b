/* SPDX-License-Identifier: MIT */
/* Requester IDs that the host names, since it knows the chip (TOPO-5). */
#include "owner/change.h"
#include "owner/dma.h"
#include "owner/look.h"

static const struct pcv_domain *owner_of(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire);
}

/* ---- named ones ------------------------------------------------------------
 */

static bool has(const struct pcv__extras *extras, pcv_sbdf requester)
{
    for (uint32_t i = 0; i < extras->requesters; i++) {
        if (extras->requester[i] == pcv__rid(requester)) {
            return true;
        }
    }
    return false;
}

/* Whether who stands at an ID moves just now, without the claim. */
static bool is_moving(struct pcv__segment *segment, pcv_sbdf id)
    PCV__REQUIRES(segment->lock)
{
    const struct pcv_device *device = pcv__segment_peek(segment, id);

    if (!device) {
        return false;
    }
    switch (pcv__look(device, id)) {
    case PCV__LOOK_GONE:
        return false;
    case PCV__LOOK_LIVE:
        return device->changing;
    case PCV__LOOK_NEW:
    case PCV__LOOK_LEAVING:
        break;
    }
    return true;
}

/* Into the list: from here on the ID is shared. 0; 1: it has it already. */
static int note(struct pcv_device *device, pcv_sbdf requester)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__extras *extras = device->extras;
    struct pcv__mem *mem = &device->host->mem;
    int error = 0;

    pcv__lock_take(mem, &segment->lock);
    if (has(extras, requester) || pcv__device_sbdf(device).v == requester.v) {
        error = 1;
    } else if (extras->requesters == PCV_REQUESTERS_NAMED) {
        error = -PCV_ENOSPC;
    } else if (is_moving(segment, requester)) {
        error = -PCV_EBUSY;
    } else if (!pcv__dma_claim(segment, device)) {
        error = -PCV_ERESTART;
    } else {
        extras->requester[extras->requesters++] = (uint16_t)pcv__rid(requester);
        if (extras->requesters == 1) {
            pcv__named_add(segment, device);
        }
    }
    pcv__lock_drop(mem, &segment->lock);
    return error;
}

/* The last one again. */
static void forget(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;
    bool last;

    pcv__lock_take(mem, &segment->lock);
    last = --device->extras->requesters == 0;
    pcv__lock_drop(mem, &segment->lock);
    if (last) {
        pcv__named_remove(device);
    }
}

static int make_extras(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    bool made;

    pcv__lock_take(mem, &device->lock);
    made = pcv__extras_get(device) != NULL;
    pcv__lock_drop(mem, &device->lock);
    return made ? 0 : -PCV_ENOMEM;
}

static int add_named(struct pcv_device *device, pcv_sbdf requester)
{
    int error = make_extras(device);

    if (error == 0) {
        error = note(device, requester);
    }
    if (error != 0) {
        return error < 0 ? error : 0;
    }
    /* All that it has go where they are already, but for this one. */
    error = pcv__dma_to(device, pcv__dma_of(device));
    if (error != 0) {
        forget(device);
        pcv__dma_settle(device, requester);
    }
    return error;
}

/* A change of its owner is not under way, and it is no guest's. */
static int begin(struct pcv_host *host, pcv_sbdf sbdf,
                 struct pcv_device **out_device)
{
    int error = pcv__change_begin(host, sbdf, out_device);

    if (error != 0) {
        return error;
    }
    if (owner_of(*out_device)->slot || (*out_device)->change_for) {
        error = -PCV_EBUSY;
    } else if (pcv__is_unreachable(*out_device)) {
        error = -PCV_ENODEV;
    }
    if (error != 0) {
        pcv__change_end(*out_device);
    }
    return error;
}

int pcv_device_add_requester(struct pcv_host *host, pcv_sbdf sbdf,
                             pcv_sbdf requester)
{
    struct pcv_device *device;
    int error;

    if (!host || pcv_sbdf_segment(sbdf) != pcv_sbdf_segment(requester)) {
        return -PCV_EINVAL;
    }
    error = begin(host, sbdf, &device);
    if (error == 0) {
        error = add_named(device, requester);
        pcv__change_end(device);
    }
    return error;
}

/* ---- phantom functions -----------------------------------------------------
 */

static int set_phantom(struct pcv_device *device, uint8_t bits)
{
    uint8_t old =
        atomic_load_explicit(&device->phantom_bits, memory_order_relaxed);
    uint32_t marks;
    int error;

    if (pcv__knows_ari(device) ||
        pcv_sbdf_function(pcv__device_sbdf(device)) >= PCV_FUNCTIONS >> bits) {
        return -PCV_EINVAL;
    }
    marks = atomic_fetch_or_explicit(&device->marks, PCV__MARK_PHANTOM,
                                     memory_order_acq_rel);
    atomic_store_explicit(&device->phantom_bits,
                          (uint8_t)(bits << PCV__PHANTOM_CAN_SHIFT | bits),
                          memory_order_relaxed);
    error = pcv__dma_to(device, pcv__dma_of(device));
    if (error != 0) {
        atomic_store_explicit(&device->phantom_bits, old, memory_order_relaxed);
        if ((marks & PCV__MARK_PHANTOM) == 0) {
            atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_PHANTOM,
                                      memory_order_acq_rel);
        }
    }
    return error;
}

int pcv_device_set_phantom(struct pcv_host *host, pcv_sbdf sbdf, uint8_t stride)
{
    struct pcv_device *device;
    uint8_t bits = 3;
    int error;

    if (!host || (stride != 1 && stride != 2 && stride != 4)) {
        return -PCV_EINVAL;
    }
    while (stride > 1) {
        stride /= 2;
        bits--;
    }
    error = begin(host, sbdf, &device);
    if (error == 0) {
        error = set_phantom(device, bits);
        pcv__change_end(device);
    }
    return error;
}

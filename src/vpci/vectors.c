/* SPDX-License-Identifier: MIT */
/*
 * Vectors that the library binds for a device's owner (LIFE-8, MSI-2). What the
 * owner wrote goes to the host, and what the host answers goes to hardware; in
 * between stands one reference for each message.
 */
#include "registry/route.h"
#include "vpci/cap.h"

/* The message's address names a dword (PCI Local Bus 3.0, 6.8.1.4, 6.8.2.8). */
#define ADDRESS_RESERVED 3u

/* Hosts answer 0 or an error number; whatever else it is, it refuses. */
static int host_error(int result)
{
    return result > 0 ? -PCV_EIO : result;
}

void pcv__vector_failed(struct pcv_device *device,
                        const struct pcv_msi_request *request, int error)
{
    pcv__event(device, PCV_EVENT_BIND_FAILED, PCV_EVENT_GUEST,
               request->index | (request->msix ? 0x10000u : 0u),
               (uint64_t)-error);
}

static uint16_t rid_now(const struct pcv_device *device)
{
    return (uint16_t)pcv__rid(
        pcv__message_requester(device->segment, pcv__device_sbdf(device)));
}

void pcv__vectors_follow(const struct pcv_device *device)
{
    pcv__vpci(device)->message_rid = rid_now(device);
}

bool pcv__vectors_stray(const struct pcv_device *device)
{
    return pcv__vpci(device)->message_rid != rid_now(device);
}

/* While something is bound, what it was bound for. */
static pcv_sbdf requester_of(const struct pcv_device *device)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);
    uint16_t rid;

    if (vpci->bound == 0 && !vpci->msi_on) {
        pcv__vectors_follow(device);
    }
    rid = vpci->message_rid;
    return pcv_sbdf_make(device->segment->number, (uint8_t)(rid >> 8),
                         (uint8_t)rid);
}

void pcv__vector_request(const struct pcv_device *device,
                         struct pcv_msi_request *out_request)
{
    const struct pcv_domain *owner =
        device->assignment
            ? atomic_load_explicit(&device->owner, memory_order_acquire)
            : &device->host->hardware; /* to be: on its way it has none */

    *out_request = (struct pcv_msi_request){
        .sbdf = pcv__device_sbdf(device),
        .requester = requester_of(device),
        .domain_id = owner->id,
        .count = 1,
    };
}

/* ---- references ------------------------------------------------------------
 */

static void put_refs(struct pcv_device *device, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        /* Never the last one: whoever calls us holds the device. */
        (void)pcv__ref_put(device, PCV_HOLDER_VECTOR);
    }
}

/* A device that is being added may have vectors already, one that leaves gets
 * none. Bounded: a block has at most 32 messages. */
static int take_refs(struct pcv_device *device, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        if (!pcv__ref_try(device, PCV_HOLDER_VECTOR, PCV__WORD_LEAVING)) {
            put_refs(device, i);
            return (pcv__word(device) & PCV__WORD_LEAVING) != 0
                       ? -PCV_ENODEV
                       : -PCV_EOVERFLOW;
        }
    }
    return 0;
}

/* ---- binding ---------------------------------------------------------------
 */

static bool is_going(const struct pcv_device *device)
{
    return device->torn || pcv__has_vanished(device);
}

/* Whether the device can send what the host answered: the low bits of a block's
 * data are the device's own (6.8.1.6). */
static bool can_be_sent(const struct pcv_msi_request *request,
                        const struct pcv_msi_message *message)
{
    if ((message->address & ADDRESS_RESERVED) != 0) {
        return false;
    }
    return request->msix || (message->data <= 0xffffu &&
                             (message->data & (request->count - 1u)) == 0);
}

/* The host's part. Nothing is bound unless it returns 0. */
static int host_bind(const struct pcv__mem *mem,
                     const struct pcv_msi_request *request,
                     struct pcv_msi_message *out_message)
{
    struct pcv_msi_message message = {0, 0};
    int error = host_error(mem->ops.msi_bind(mem->ctx, request, &message));

    if (error == 0 && !can_be_sent(request, &message)) {
        mem->ops.msi_unbind(mem->ctx, request);
        error = -PCV_EINVAL;
    }
    if (error == 0) {
        *out_message = message;
    }
    return error;
}

bool pcv__vectors_can_bind(const struct pcv_device *device)
{
    return device->host->mem.ops.msi_bind != NULL; /* both or neither */
}

int pcv__vector_bind(struct pcv_device *device,
                     const struct pcv_msi_request *request, bool rebind,
                     struct pcv_msi_message *out_message)
{
    int error = 0;

    if (pcv__is_unreachable(device)) {
        put_refs(device, rebind ? request->count : 0);
        return -PCV_ENODEV; /* it would be bound for another's requester ID */
    }
    if (!rebind) {
        if (is_going(device)) {
            return -PCV_ENODEV;
        }
        error = take_refs(device, request->count);
    }
    if (error == 0) {
        error = host_bind(&device->host->mem, request, out_message);
        if (error != 0) {
            put_refs(device, request->count);
        }
    }
    if (error != 0) {
        pcv__vector_failed(device, request, error);
    }
    return error;
}

void pcv__vector_unbind(struct pcv_device *device,
                        const struct pcv_msi_request *request)
{
    if (!pcv__is_unreachable(device)) {
        pcv__vector_park(device, request);
    }
    put_refs(device, request->count);
}

void pcv__vector_park(struct pcv_device *device,
                      const struct pcv_msi_request *request)
{
    const struct pcv__mem *mem = &device->host->mem;

    mem->ops.msi_unbind(mem->ctx, request);
}

/* ---- looking ---------------------------------------------------------------
 */

static bool next_vector(const struct pcv_device *device, bool msix,
                        uint16_t index, struct pcv_bound_vector *out_vector)
{
    const struct pcv__cap *cap;

    if (!device->view) {
        return false; /* it is in quarantine */
    }
    cap = msix ? NULL : pcv__cap_find(device, PCV_CAP_ID_MSI, false);
    if (cap && pcv__msi_next(cap, index, out_vector)) {
        return true;
    }
    cap = pcv__cap_find(device, PCV_CAP_ID_MSIX, false);
    return cap && pcv__msix_next(cap, msix ? index : 0, out_vector);
}

bool pcv_device_next_vector(struct pcv_device *device, bool msix,
                            uint16_t index, struct pcv_bound_vector *out_vector)
{
    struct pcv__mem *mem = &device->host->mem;
    bool found;

    pcv__lock_take(mem, &device->lock);
    found = next_vector(device, msix, index, out_vector);
    pcv__lock_drop(mem, &device->lock);
    return found;
}

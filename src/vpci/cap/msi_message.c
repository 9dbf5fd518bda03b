/* SPDX-License-Identifier: MIT */
/*
 * MSI's messages (PCI Local Bus 3.0, 6.8.1; MSI-1 to MSI-3): binding the block
 * that the owner's registers name, and hardware's side of it.
 */
#include "vpci/cap/msi.h"

/* ---- the owner's registers -------------------------------------------------
 */

void pcv__msi_store_control(struct pcv__cap *cap, bool enable, uint8_t log)
{
    const struct pcv__msi *msi = cap->state;

    pcv__cap_store(cap, MSI_CONTROL, 2,
                   msi->constant | (enable ? MSI_ENABLE : 0u) |
                       (uint32_t)log << MSI_ENABLED_SHIFT);
}

uint8_t pcv__msi_log_enabled(const struct pcv__msi *msi, uint32_t control)
{
    uint32_t log = (control & MSI_ENABLED) >> MSI_ENABLED_SHIFT;

    return (uint8_t)(log > msi->log_capable ? msi->log_capable : log);
}

/* What the owner's registers ask for. */
static void make_request(const struct pcv__cap *cap,
                         struct pcv_msi_request *out_request)
{
    const struct pcv__msi *msi = cap->state;
    uint32_t control = pcv__cap_load(cap, MSI_CONTROL, 2);
    uint32_t count = 1u << pcv__msi_log_enabled(msi, control);

    pcv__vector_request(cap->device, out_request);
    out_request->count = (uint16_t)count;
    out_request->address = pcv__cap_load(cap, MSI_ADDRESS, 4);
    if (msi->wide) {
        out_request->address |= (uint64_t)pcv__cap_load(cap, MSI_UPPER, 4)
                                << 32;
    }
    /* Only the block matters: the device fills in the low bits. */
    out_request->data = pcv__cap_load(cap, msi->data, 2) & ~(count - 1u);
}

static bool same_request(const struct pcv_msi_request *a,
                         const struct pcv_msi_request *b)
{
    return a->count == b->count && a->address == b->address &&
           a->data == b->data;
}

/* ---- hardware --------------------------------------------------------------
 */

static void hardware_off(const struct pcv__cap *cap)
{
    const struct pcv__msi *msi = cap->state;

    pcv__hw_restore(cap->device, (uint16_t)(cap->offset + MSI_CONTROL), 2,
                    msi->kept);
}

/* Masks of vectors that are not bound are nobody's business. */
void pcv__msi_mask(const struct pcv__cap *cap)
{
    const struct pcv__msi *msi = cap->state;
    uint32_t bits = msi->request.count >= 32 ? 0xffffffffu
                                             : (1u << msi->request.count) - 1u;

    if (msi->mask != 0) {
        pcv__cap_write(cap, msi->mask, 4,
                       msi->mask_kept |
                           (pcv__cap_load(cap, msi->mask, 4) & bits));
    }
}

/* Write what is bound, while MSI is off, then switch it on. False if a write
 * was lost: it is off then. */
static bool hardware_on(const struct pcv__cap *cap)
{
    const struct pcv__msi *msi = cap->state;
    struct pcv_device *device = cap->device;
    int before =
        atomic_exchange_explicit(&device->hw_error, 0, memory_order_relaxed);
    uint8_t log = 0;

    while (msi->request.count >> log != 1u) {
        log++;
    }
    pcv__cap_write(cap, MSI_ADDRESS, 4, (uint32_t)msi->message.address);
    if (msi->wide) {
        pcv__cap_write(cap, MSI_UPPER, 4,
                       (uint32_t)(msi->message.address >> 32));
    }
    pcv__cap_write(cap, msi->data, 2, msi->message.data);
    pcv__msi_mask(cap);
    if (atomic_load_explicit(&device->hw_error, memory_order_relaxed) == 0) {
        pcv__cap_write(cap, MSI_CONTROL, 2,
                       msi->kept | MSI_ENABLE |
                           (uint32_t)log << MSI_ENABLED_SHIFT);
    }
    if (atomic_load_explicit(&device->hw_error, memory_order_relaxed) != 0) {
        hardware_off(cap);
        return false;
    }
    atomic_store_explicit(&device->hw_error, before, memory_order_relaxed);
    return true;
}

/* ---- on and off ------------------------------------------------------------
 */

/* INTx is off while MSI is on (HDR-2). */
static void set_on(const struct pcv__cap *cap, bool on) PCV__NO_ANALYSIS
{
    struct pcv__vpci *vpci = pcv__vpci(cap->device);

    if (vpci->msi_on != on) {
        vpci->msi_on = on;
        pcv__command_update(cap->device);
    }
}

static void unbind(const struct pcv__cap *cap)
{
    struct pcv__msi *msi = cap->state;

    if (msi->bound) {
        pcv__vector_unbind(cap->device, &msi->request);
        msi->bound = false;
    }
}

void pcv__msi_off(const struct pcv__cap *cap)
{
    hardware_off(cap);
    unbind(cap);
    set_on(cap, false);
}

/* MSI-1: a failing bind leaves it disabled. */
static void refuse(struct pcv__cap *cap)
{
    const struct pcv__msi *msi = cap->state;
    uint32_t control = pcv__cap_load(cap, MSI_CONTROL, 2);

    pcv__msi_off(cap);
    pcv__msi_store_control(cap, false, pcv__msi_log_enabled(msi, control));
}

/* 0, and the request is bound; or nothing is. Hardware's MSI is off. */
static int bind(const struct pcv__cap *cap,
                const struct pcv_msi_request *request)
{
    struct pcv__msi *msi = cap->state;
    struct pcv_msi_message message;
    int error;

    if (msi->bound && msi->request.count != request->count) {
        unbind(cap);
    }
    error = pcv__vector_bind(cap->device, request, msi->bound, &message);
    msi->bound = error == 0;
    msi->request = *request;
    if (error == 0 && !msi->wide && message.address >> 32 != 0) {
        unbind(cap);
        error = -PCV_EINVAL;
        pcv__vector_failed(cap->device, request, error);
    }
    if (error == 0) {
        msi->message = message;
    }
    return error;
}

void pcv__msi_follow(struct pcv__cap *cap)
{
    struct pcv__msi *msi = cap->state;
    struct pcv_msi_request request;

    make_request(cap, &request);
    if (msi->bound && same_request(&request, &msi->request)) {
        return;
    }
    hardware_off(cap);
    if (bind(cap, &request) != 0) {
        refuse(cap);
        return;
    }
    set_on(cap, true);
    if (!hardware_on(cap)) {
        pcv__vector_failed(cap->device, &request, -PCV_EIO);
        refuse(cap);
    }
}

void pcv__msi_resend(struct pcv__cap *cap) PCV__NO_ANALYSIS
{
    const struct pcv__msi *msi = cap->state;

    if (!msi || !msi->bound) {
        return; /* hardware's MSI is off after a reset */
    }
    pcv__command_update(cap->device);
    hardware_off(cap);
    if (!hardware_on(cap)) {
        pcv__vector_failed(cap->device, &msi->request, -PCV_EIO);
        refuse(cap);
    }
}

void pcv__msi_leave(struct pcv__cap *cap)
{
    const struct pcv__msi *msi = cap->state;

    if (msi && msi->bound) {
        hardware_off(cap);
        pcv__vector_park(cap->device, &msi->request);
    }
}

void pcv__msi_arrive(struct pcv__cap *cap)
{
    const struct pcv__msi *msi = cap->state;
    struct pcv_msi_request request, now;

    if (!msi || !msi->bound) {
        return;
    }
    pcv__vector_request(cap->device, &now);
    request = msi->request;
    request.sbdf = now.sbdf;
    request.requester = now.requester;
    hardware_off(cap);
    if (bind(cap, &request) != 0) {
        refuse(cap);
    } else if (!hardware_on(cap)) {
        pcv__vector_failed(cap->device, &request, -PCV_EIO);
        refuse(cap);
    }
}

bool pcv__msi_next(const struct pcv__cap *cap, uint16_t index,
                   struct pcv_bound_vector *out)
{
    const struct pcv__msi *msi = cap->state;

    if (!msi || !msi->bound || index >= msi->request.count) {
        return false;
    }
    *out = (struct pcv_bound_vector){
        .index = index,
        .address = msi->request.address,
        .data = msi->request.data | index,
        .message = {msi->message.address, msi->message.data | index},
        .masked = msi->mask != 0 &&
                  (pcv__cap_load(cap, msi->mask, 4) >> index & 1u) != 0,
    };
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * Places on a guest's bus (VBUS-1, HDR-15). A guest counts those that are
 * taken, and cannot end before none is: so the count of a place goes down last,
 * after everything that is done for the guest because of it.
 */
#include "owner/change.h"

/* ---- taking ----------------------------------------------------------------
 */

static bool take(struct pcv_domain *guest, struct pcv_device *device,
                 uint8_t devfn)
{
    struct pcv_device *none = NULL;

    if (!atomic_compare_exchange_strong_explicit(&guest->slot[devfn], &none,
                                                 device, memory_order_acq_rel,
                                                 memory_order_relaxed)) {
        return false;
    }
    atomic_store_explicit(&device->guest_sbdf, devfn, memory_order_relaxed);
    atomic_fetch_add_explicit(&guest->devices, 1, memory_order_acq_rel);
    pcv__guard_begin(device);
    return true;
}

/* How many functions of a slot are taken. */
static uint32_t count_functions(const struct pcv_domain *guest, uint8_t slot)
{
    uint32_t count = 0;

    for (uint8_t fn = 0; fn < PCV_FUNCTIONS; fn++) {
        count += atomic_load_explicit(&guest->slot[pcv_devfn(slot, fn)],
                                      memory_order_acquire)
                     ? 1u
                     : 0u;
    }
    return count;
}

/* A stub stands in for a function 0 that is not there while others are
 * (VBUS-2). Whoever comes last sees what all did. */
static void follow_stub(struct pcv_domain *guest, uint8_t devfn)
{
    const uint8_t slot = (uint8_t)(devfn / PCV_FUNCTIONS);
    const uint32_t bit = 1u << slot;

    pcv__lock_take(&guest->host->mem, &guest->map_lock);
    if (count_functions(guest, slot) != 0 &&
        !atomic_load_explicit(&guest->slot[pcv_devfn(slot, 0)],
                              memory_order_acquire)) {
        atomic_fetch_or_explicit(&guest->stubs, bit, memory_order_acq_rel);
    } else {
        atomic_fetch_and_explicit(&guest->stubs, ~bit, memory_order_acq_rel);
    }
    pcv__lock_drop(&guest->host->mem, &guest->map_lock);
}

int pcv__slot_take(struct pcv_domain *guest, struct pcv_device *device,
                   const struct pcv_assign_policy *policy)
{
    if ((policy->flags & PCV_ASSIGN_SLOT) != 0) {
        if (!take(guest, device, policy->slot)) {
            return -PCV_EEXIST;
        }
        follow_stub(guest, policy->slot);
        return 0;
    }
    /* Slot 0 is the host bridge's. */
    for (uint8_t slot = 1; slot < PCV_SLOTS; slot++) {
        if (count_functions(guest, slot) == 0 &&
            take(guest, device, pcv_devfn(slot, 0))) {
            return 0;
        }
    }
    return -PCV_ENOSPC;
}

int pcv__slot_check(const struct pcv_domain *guest,
                    const struct pcv_assign_policy *policy)
{
    if ((policy->flags & PCV_ASSIGN_SLOT) != 0) {
        return atomic_load_explicit(&guest->slot[policy->slot],
                                    memory_order_acquire)
                   ? -PCV_EEXIST
                   : 0;
    }
    return pcv__slots_free(guest, policy) != 0 ? 0 : -PCV_ENOSPC;
}

uint32_t pcv__slots_free(const struct pcv_domain *guest,
                         const struct pcv_assign_policy *policy)
{
    bool given = (policy->flags & PCV_ASSIGN_SLOT) != 0;
    uint32_t count = 0;

    for (uint8_t slot = 1; slot < PCV_SLOTS; slot++) {
        if (count_functions(guest, slot) == 0 &&
            !(given && policy->slot / PCV_FUNCTIONS == slot)) {
            count++;
        }
    }
    return count;
}

/* ---- functions of one slot
 * ---------------------------------------------------
 */

/* Inside its gate, so that its view stays: one whose owner changes is passed
 * over. */
static void mark_one(struct pcv_domain *guest, uint8_t devfn, bool multi)
{
    struct pcv_device *device =
        pcv_domain_device(guest, (pcv_sbdf){(uint32_t)devfn});

    if (!device) {
        return;
    }
    if (pcv__gate_enter_held(device, 0) == PCV_DONE) {
        if (pcv__owns(guest, device)) {
            pcv__lock_take(&device->host->mem, &device->lock);
            pcv__header_guest_multi(device, multi);
            pcv__lock_drop(&device->host->mem, &device->lock);
        }
        pcv__gate_leave(device);
    }
    pcv_device_put(device);
}

void pcv__slot_mark(struct pcv_domain *guest, uint8_t devfn)
{
    uint8_t slot = (uint8_t)(devfn / PCV_FUNCTIONS);
    bool stub =
        (atomic_load_explicit(&guest->stubs, memory_order_acquire) >> slot &
         1u) != 0;
    bool multi = stub || count_functions(guest, slot) > 1;

    for (uint8_t fn = 0; fn < PCV_FUNCTIONS; fn++) {
        mark_one(guest, pcv_devfn(slot, fn), multi);
    }
}

/* ---- leaving ---------------------------------------------------------------
 */

void pcv__slot_leave(struct pcv_device *device, struct pcv_domain *guest)
{
    uint8_t devfn = (uint8_t)atomic_load_explicit(&device->guest_sbdf,
                                                  memory_order_relaxed);
    struct pcv_device *self = device;

    if (!atomic_compare_exchange_strong_explicit(&guest->slot[devfn], &self,
                                                 NULL, memory_order_acq_rel,
                                                 memory_order_relaxed)) {
        return;
    }
    follow_stub(guest, devfn);
    pcv__guard_end(device);
    pcv__map_wake_all(guest);
    pcv__slot_mark(guest, devfn);
    atomic_fetch_sub_explicit(&guest->devices, 1, memory_order_acq_rel);
}

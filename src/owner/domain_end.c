/* SPDX-License-Identifier: MIT */
/*
 * The end of a guest (OWN-11): what it has goes back, one function a call, from
 * slot to slot. A slot that waits for a reset is passed over and looked at
 * again, so that the resets of many take the time of one.
 */
#include "owner/deassign.h"
#include "registry/domain.h"

/* What a slot holds is a hint: who is there is checked when its change of owner
 * has begun. */
static struct pcv_device *slot_device(const struct pcv_domain *domain,
                                      uint8_t devfn)
{
    return atomic_load_explicit(&domain->slot[devfn], memory_order_acquire);
}

/* The next slot that is taken; false: none is. */
static bool next_slot(struct pcv_domain *domain, uint8_t *out_devfn)
{
    for (uint32_t i = 0; i < PCV_DEVFNS; i++) {
        uint8_t devfn = (uint8_t)(domain->end_at + i);

        if (slot_device(domain, devfn)) {
            domain->end_at = (uint8_t)(devfn + 1u);
            *out_devfn = devfn;
            return true;
        }
    }
    return false;
}

/* The device in a slot, with a reference; NULL: there is none, or it goes. */
static struct pcv_device *slot_hold(const struct pcv_domain *domain,
                                    uint8_t devfn)
{
    struct pcv_device *device = slot_device(domain, devfn);

    if (!device || !pcv__ref_try(device, PCV_HOLDER_CALLER, 0)) {
        return NULL;
    }
    if (slot_device(domain, devfn) != device) {
        pcv_device_put(device);
        return NULL;
    }
    return device;
}

/* One step of what is in a slot. What it comes to is the function's, not the
 * guest's, unless the guest has it still. */
static int return_one(struct pcv_domain *domain, uint8_t devfn)
{
    struct pcv_device *device = slot_hold(domain, devfn);
    int error;

    if (!device) {
        return 0;
    }
    error = pcv__deassign_from(device, domain);
    return slot_device(domain, devfn) == device ? error : 0;
}

int pcv_domain_destroy(struct pcv_domain *domain)
{
    uint8_t devfn;
    int error = 0;

    if (!domain || domain->kind != PCV_DOMAIN_GUEST) {
        return -PCV_EINVAL;
    }
    atomic_store_explicit(&domain->ending, true, memory_order_release);
    if (next_slot(domain, &devfn)) {
        error = return_one(domain, devfn);
    }
    if (atomic_load_explicit(&domain->devices, memory_order_acquire) == 0) {
        pcv__domain_free(domain);
        return 0;
    }
    return error == -PCV_EIO || error == -PCV_EBUSY ? error : -PCV_ERESTART;
}

uint64_t pcv_domain_wait_us(struct pcv_domain *domain)
{
    uint64_t least = UINT64_MAX;

    for (uint32_t i = 0; domain->slot && i < PCV_DEVFNS; i++) {
        struct pcv_device *device = slot_hold(domain, (uint8_t)i);
        uint64_t us;

        if (device) {
            us = pcv_device_wait_us(device);
            pcv_device_put(device);
            least = us < least ? us : least;
        }
    }
    return least == UINT64_MAX ? 0 : least;
}

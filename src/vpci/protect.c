/* SPDX-License-Identifier: MIT */
/* Writes that would take a function away from its guest (OWN-15), or reset what
 * the hypervisor uses (OWN-7). */
#include "vpci/protect.h"

void pcv__protect_tell(struct pcv_device *device, uint16_t reg, uint32_t bits)
{
    atomic_fetch_add_explicit(&device->refused, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&device->host->protected_writes, 1,
                              memory_order_relaxed);
    pcv__event(device, PCV_EVENT_PROTECTED, PCV_EVENT_GUEST, reg, bits);
}

enum pcv_verdict pcv__protect(const struct pcv_register_write *write,
                              const struct pcv__protected *bits,
                              uint32_t *out_value)
{
    const bool own = bits->resets && pcv__keeps(write->device);
    uint32_t old = write->old;
    uint32_t value = write->value;
    uint32_t wrong;

    *out_value = value;
    if (!own && !pcv__guards(write->device)) {
        return PCV_DONE;
    }
    if (write->reg->size > 1 && old == pcv__ones(write->reg->size)) {
        return PCV_ABSENT; /* what is to be kept is not known */
    }
    wrong = ((value ^ old) & bits->kept) | (value & ~old & bits->set) |
            (~value & old & bits->cleared);
    if (wrong == 0) {
        return PCV_DONE;
    }
    if (!own && pcv__is_marked(write->device, PCV__MARK_OVERRIDE)) {
        return PCV_FORWARD;
    }
    *out_value = value ^ wrong;
    pcv__protect_tell(write->device, write->offset, wrong);
    return *out_value == old && (old & write->reg->policy.w1c) == 0 ? PCV_ABSENT
                                                                    : PCV_DONE;
}

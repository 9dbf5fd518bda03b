/* SPDX-License-Identifier: MIT */
/* A stub function 0: see stub.h. It remembers nothing: what it answers follows
 * from who is there. */
#include "vbus/stub.h"

/* No device has this number; a vendor's own would find its drivers. */
#define NO_DEVICE 0xffffu
#define CLASS_NONE 0xff0000u

/* Another function of the device that the domain can see, with a reference, or
 * NULL. */
static struct pcv_device *other_function(struct pcv_domain *domain,
                                         pcv_sbdf function0)
{
    for (uint32_t fn = 1; fn < PCV_FUNCTIONS; fn++) {
        const pcv_sbdf sbdf = {function0.v | fn};
        struct pcv_device *device = domain->slot
                                        ? pcv_domain_device(domain, sbdf)
                                        : pcv_device_find(domain->host, sbdf);

        if (device && !pcv__is_marked(device, PCV__MARK_CONCEALED)) {
            return device;
        }
        pcv_device_put(device);
    }
    return NULL;
}

/* Whose vendor's the stub is: of the hardware domain's the one that it stands
 * in for, so that it stays the same; 0: there is none. */
static uint16_t hardware_vendor(struct pcv_domain *hardware, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_device_find(hardware->host, sbdf);
    struct pcv_device *other = NULL;
    uint16_t vendor = 0;

    if (device && pcv__is_marked(device, PCV__MARK_CONCEALED) &&
        !pcv__is_marked(device, PCV__MARK_SLOT)) {
        other = other_function(hardware, sbdf);
        vendor = other || pcv__is_marked(device, PCV__MARK_STUB)
                     ? device->id.vendor
                     : 0;
    }
    pcv_device_put(other);
    pcv_device_put(device);
    return vendor;
}

static uint16_t guest_vendor(struct pcv_domain *guest, pcv_sbdf sbdf)
{
    uint32_t stubs = atomic_load_explicit(&guest->stubs, memory_order_acquire);
    struct pcv_device *other;
    uint16_t vendor;

    if (sbdf.v >= PCV_DEVFNS || (stubs >> pcv_sbdf_device(sbdf) & 1u) == 0) {
        return 0;
    }
    other = other_function(guest, sbdf);
    vendor = other ? other->id.vendor : 0;
    pcv_device_put(other);
    return vendor;
}

static uint32_t dword(uint16_t vendor, uint16_t reg)
{
    switch (reg) {
    case PCV_REG_VENDOR:
        return vendor | NO_DEVICE << 16;
    case PCV_REG_REVISION:
        return CLASS_NONE << 8;
    case PCV_REG_HEADER_TYPE & ~3u:
        return (uint32_t)PCV_HEADER_MULTI << 16;
    default:
        return 0;
    }
}

enum pcv_verdict pcv__stub_access(struct pcv_domain *domain, pcv_sbdf sbdf,
                                  uint16_t reg, uint8_t size, bool write,
                                  uint32_t *data)
{
    uint16_t vendor;
    uint32_t value;

    if (pcv_sbdf_function(sbdf) != 0 || !pcv__stub_any(domain)) {
        return PCV_ABSENT;
    }
    vendor = domain->slot ? guest_vendor(domain, sbdf)
                          : hardware_vendor(domain, sbdf);
    if (vendor == 0) {
        return PCV_ABSENT;
    }
    if (!write) {
        value = reg >= PCV_CFG_SIZE /* CFG-8 */
                    ? UINT32_MAX
                    : dword(vendor, (uint16_t)(reg & ~3u));
        *data = value >> (reg % 4u * 8u) & pcv__ones(size);
    }
    return PCV_DONE;
}

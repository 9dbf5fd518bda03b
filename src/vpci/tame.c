/* SPDX-License-Identifier: MIT */
/*
 * What no guest may have on in hardware, whether it sees the capability or not
 * (OWN-5, CAP-7): it would let the function send requests that are not the
 * guest's own, or read what is not the guest's.
 */
#include "vpci/internal.h"

static void switch_off(struct pcv_device *device, uint16_t reg, uint32_t bits)
{
    uint32_t control;

    if (pcv__hw_fetch(device, reg, 2, &control) && control != 0xffffu &&
        (control & bits) != 0) {
        pcv__hw_restore(device, reg, 2, control & ~bits);
    }
}

/* No Snoop lets a function read what caches have not written back yet: what
 * memory held before it was the guest's. Phantom functions would send with
 * requester IDs that are not the guest's (TOPO-5). */
void pcv__tame(struct pcv_device *device)
{
    const uint32_t off = PCV_PCIE_DEVCTL_PHANTOM | PCV_PCIE_DEVCTL_NO_SNOOP;
    uint16_t reg = (uint16_t)(device->pcie_cap + PCV_PCIE_DEVCTL);

    if (device->pcie_cap == 0 || reg > PCV_CFG_SIZE - 2u || device->is_vf) {
        return; /* its PF's bits hold for a VF */
    }
    switch_off(device, reg, off);
}

/* Control registers that let a function send addresses that the IOMMU is not to
 * translate, or with an address space of its choice: off in this order. A reset
 * did that already, where there was one. */
static const struct {
    uint16_t id, offset, on;
} untranslated[] = {
    {PCV_EXT_CAP_ID_ATS, 6, 0x8000},   /* 10.5.1.3 */
    {PCV_EXT_CAP_ID_PRI, 4, 0x0001},   /* 10.5.2.2 */
    {PCV_EXT_CAP_ID_PASID, 6, 0x0007}, /* 7.8.9.3 */
};

#define UNTRANSLATED (sizeof(untranslated) / sizeof(untranslated[0]))

static uint32_t read_device(void *ctx, uint16_t reg, uint8_t size)
{
    return pcv__hw_read(ctx, reg, size);
}

static bool see_untranslated(void *ctx, const struct pcv_cap *cap)
{
    uint16_t *at = ctx;

    for (size_t i = 0; i < UNTRANSLATED; i++) {
        if (untranslated[i].id == cap->id && at[i] == 0) {
            at[i] = cap->offset;
        }
    }
    return true;
}

static void translate_all(struct pcv_device *device)
{
    const struct pcv_cap_source source = {read_device, device};
    uint16_t at[UNTRANSLATED] = {0};

    if (!pcv__is_extended(device)) {
        return;
    }
    (void)pcv__ext_caps_visit(&source, see_untranslated, at);
    for (size_t i = 0; i < UNTRANSLATED; i++) {
        if (at[i] != 0 && at[i] <= PCV_CFG_EXT_SIZE - 8u) {
            switch_off(device, (uint16_t)(at[i] + untranslated[i].offset),
                       untranslated[i].on);
        }
    }
}

int pcv__reset_tame(struct pcv_device *device)
{
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__tame(device);
    translate_all(device);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

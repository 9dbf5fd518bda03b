/* SPDX-License-Identifier: MIT */
/*
 * Access Control Services (PCI Express Base 6.0, 7.7.11): what keeps a function
 * from reaching another past the IOMMU (TOPO-6). That is the hypervisor's to
 * decide: wherever the host has an IOMMU, the services that a function has are
 * on, and the hardware domain's switches for them are virtual. What else the
 * register has stays hardware's.
 */
#include "vpci/cap/list.h"

/* Source validation, request and completion redirect, upstream forwarding. */
#define WANTED                                                                 \
    (PCV_ACS_SOURCE | PCV_ACS_REDIRECT | PCV_ACS_COMPLETION | PCV_ACS_UPSTREAM)

static const struct pcv_register rows[] = {
    {
        .name = "ACS Control",
        .offset = PCV_ACS_CTRL,
        .size = 2,
        .policy = {.hardware = 0xffffu & ~WANTED, .virt = WANTED},
    },
};

#define LENGTH 0x08u

/* Without an IOMMU the host sees to isolation by itself; and a list may end too
 * late for the registers to be there. */
static bool is_ours(const struct pcv__cap *cap)
{
    return cap->device->host->mem.ops.dma_attach &&
           cap->offset <= PCV_CFG_EXT_SIZE - LENGTH;
}

/* 0, or -PCV_EIO if it is not known to be on. */
static int switch_on(const struct pcv__cap *cap, uint32_t *out_before)
{
    struct pcv_device *device = cap->device;
    uint32_t has, control;

    if (!pcv__hw_fetch(device, (uint16_t)(cap->offset + PCV_ACS_CAP), 2,
                       &has) ||
        !pcv__hw_fetch(device, (uint16_t)(cap->offset + PCV_ACS_CTRL), 2,
                       &control)) {
        return -PCV_EIO;
    }
    if (out_before) {
        *out_before = control;
    }
    /* All ones: it does not answer now. */
    if (control != 0xffffu && (has & WANTED & ~control) != 0) {
        pcv__cap_write(cap, PCV_ACS_CTRL, 2, control | (has & WANTED));
    }
    return 0;
}

static int setup(struct pcv__cap *cap)
{
    uint32_t before = 0;
    int error;

    if (!is_ours(cap)) {
        return 0;
    }
    error = switch_on(cap, &before);
    if (error == 0) {
        error = pcv__cap_add(cap, rows, sizeof(rows) / sizeof(rows[0]));
    }
    if (error == 0) {
        pcv__cap_store(cap, PCV_ACS_CTRL, 2, before & WANTED);
    }
    return error;
}

static void restore(struct pcv__cap *cap)
{
    if (cap->up && is_ours(cap)) {
        (void)switch_on(cap, NULL);
    }
}

const struct pcv__cap_desc pcv__cap_acs = {
    .name = "Access Control Services",
    .id = PCV_EXT_CAP_ID_ACS,
    .extended = true,
    .flags = PCV__CAP_HARDWARE,
    .control_size = LENGTH,
    .setup = setup,
    .restore = restore,
};

void pcv__acs_switch_on(struct pcv_device *device)
{
    struct pcv__cap *cap = pcv__cap_find(device, PCV_EXT_CAP_ID_ACS, true);

    if (cap) {
        restore(cap);
    }
}

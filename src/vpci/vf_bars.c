/* SPDX-License-Identifier: MIT */
/*
 * BARs of VFs: described by the PF's SR-IOV capability, six registers that
 * give base and size of one VF's part (PCI Express Base 6.0, 9.3.3.14).
 */
#include "vpci/bars.h"

static void size_one_by_one(struct pcv_device *pf, struct pcv__vfs *vfs)
{
    for (uint32_t i = 0; i < PCV__VF_BARS;) {
        uint16_t reg = (uint16_t)(pf->sriov_cap + PCV_SRIOV_BAR + 4u * i);
        struct pcv__bar *bar = &vfs->bar[i];
        uint32_t registers =
            pcv__bar_probe(pf, reg, i, i + 1 == PCV__VF_BARS, NULL, bar);

        bar->address = pcv__hw_read(pf, reg, 4) & PCV_BAR_MEM_MASK;
        if (registers == 2) {
            bar->address |= (uint64_t)pcv__hw_read(pf, (uint16_t)(reg + 4u), 4)
                            << 32;
        }
        i += registers;
    }
}

bool pcv__vfs_read(struct pcv_device *pf)
{
    uint16_t cap = pf->sriov_cap;
    uint16_t ctrl_reg = (uint16_t)(cap + PCV_SRIOV_CTRL);
    uint32_t ctrl = pcv__hw_read(pf, ctrl_reg, 2);
    struct pcv__vfs *vfs;

    if (ctrl == 0xffffu) {
        return true;
    }
    vfs = pcv__alloc(&pf->host->mem, sizeof(*vfs));
    if (!vfs) {
        return false;
    }
    if ((ctrl & PCV_SRIOV_CTRL_VFE) != 0) {
        vfs->count =
            (uint16_t)pcv__hw_read(pf, (uint16_t)(cap + PCV_SRIOV_NUM_VFS), 2);
    }
    vfs->offset =
        (uint16_t)pcv__hw_read(pf, (uint16_t)(cap + PCV_SRIOV_OFFSET), 2);
    vfs->stride =
        (uint16_t)pcv__hw_read(pf, (uint16_t)(cap + PCV_SRIOV_STRIDE), 2);
    if ((ctrl & PCV_SRIOV_CTRL_MSE) != 0) {
        pcv__hw_write(pf, ctrl_reg, 2, ctrl & ~PCV_SRIOV_CTRL_MSE);
    }
    size_one_by_one(pf, vfs);
    if ((ctrl & PCV_SRIOV_CTRL_MSE) != 0) {
        pcv__hw_restore(pf, ctrl_reg, 2, ctrl);
    }
    pf->vfs = vfs;
    return true;
}

void pcv__bars_of_vf(struct pcv_device *device, const struct pcv_device *pf)
{
    const struct pcv__vfs *vfs = pf->vfs;
    uint32_t rid = pcv__rid(pcv__device_sbdf(device));
    uint64_t index = 0;

    if (!vfs) {
        return;
    }
    if (vfs->stride != 0) {
        /* Requester IDs are 16 bits wide and wrap. */
        index = (uint16_t)(rid - pcv__rid(pcv__device_sbdf(pf)) - vfs->offset) /
                vfs->stride;
    }
    for (uint32_t i = 0; i < PCV__VF_BARS; i++) {
        const struct pcv__bar *from = &vfs->bar[i];

        if (pcv__bar_is_memory(from)) {
            device->bar[i] = *from;
            device->bar[i].address += index * from->size;
        }
    }
}

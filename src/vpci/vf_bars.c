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

static uint32_t sriov_read(const struct pcv_device *pf, uint16_t reg,
                           int *error)
{
    return pcv__hw_probe(pf->host, pcv__device_sbdf(pf),
                         (uint16_t)(pf->sriov_cap + reg), 2, error);
}

int pcv__vfs_refresh(struct pcv_device *pf)
{
    int error = 0;
    uint32_t ctrl = sriov_read(pf, PCV_SRIOV_CTRL, &error);
    uint32_t count = sriov_read(pf, PCV_SRIOV_NUM_VFS, &error);
    uint32_t offset = sriov_read(pf, PCV_SRIOV_OFFSET, &error);
    uint32_t stride = sriov_read(pf, PCV_SRIOV_STRIDE, &error);

    if (error != 0 || ctrl == 0xffffu) {
        return error; /* it does not answer: what is known stays */
    }
    pf->vfs->count = (ctrl & PCV_SRIOV_CTRL_VFE) != 0 ? (uint16_t)count : 0;
    pf->vfs->offset = (uint16_t)offset;
    pf->vfs->stride = (uint16_t)stride;
    return 0;
}

int pcv__vfs_read(struct pcv_device *pf)
{
    int error;
    uint16_t ctrl_reg = (uint16_t)(pf->sriov_cap + PCV_SRIOV_CTRL);
    uint32_t ctrl = pcv__hw_read(pf, ctrl_reg, 2);

    if (ctrl == 0xffffu) {
        return 0;
    }
    pf->vfs = pcv__alloc(&pf->host->mem, sizeof(*pf->vfs));
    if (!pf->vfs) {
        return -PCV_ENOMEM;
    }
    error = pcv__vfs_refresh(pf);
    if (error != 0) {
        return error;
    }
    if ((ctrl & PCV_SRIOV_CTRL_MSE) != 0) {
        pcv__hw_write(pf, ctrl_reg, 2, ctrl & ~PCV_SRIOV_CTRL_MSE);
    }
    size_one_by_one(pf, pf->vfs);
    if ((ctrl & PCV_SRIOV_CTRL_MSE) != 0) {
        pcv__hw_restore(pf, ctrl_reg, 2, ctrl);
    }
    return 0;
}

/* First offset and stride may change with the number of VFs, so they are read
 * when a VF comes (PCI Express Base 6.0, 9.3.3.9 and 9.3.3.10). */
int pcv__vf_check(struct pcv_device *vf, const struct pcv_device *pf)
{
    uint32_t rid = pcv__rid(pcv__device_sbdf(vf));
    int error = pcv__probe(vf->host, pcv__device_sbdf(vf));
    uint32_t class_rev, total, offset, stride, from_first;

    if (error != -PCV_ENODEV) {
        /* A VF's IDs read all ones; what has some is a function of its own. */
        return error == 0 ? -PCV_EINVAL : error;
    }
    error = 0;
    class_rev = pcv__hw_probe(vf->host, pcv__device_sbdf(vf), PCV_REG_REVISION,
                              4, &error);
    if (error != 0 || class_rev == 0xffffffffu) {
        return error != 0 ? error : -PCV_ENODEV; /* it is silent */
    }
    total = sriov_read(pf, PCV_SRIOV_TOTAL_VFS, &error);
    offset = sriov_read(pf, PCV_SRIOV_OFFSET, &error);
    stride = sriov_read(pf, PCV_SRIOV_STRIDE, &error);
    if (error != 0) {
        return error;
    }
    if (total == 0xffffu && offset == 0xffffu && stride == 0xffffu) {
        return -PCV_EAGAIN; /* the PF stopped answering */
    }
    /* Requester IDs are 16 bits wide and wrap. */
    from_first = (uint16_t)(rid - pcv__rid(pcv__device_sbdf(pf)) - offset);
    if (offset == 0 || (stride == 0 ? from_first != 0
                                    : from_first % stride != 0 ||
                                          from_first / stride >= total)) {
        return -PCV_EINVAL;
    }
    vf->vf_index = (uint16_t)(stride == 0 ? 0 : from_first / stride);
    return 0;
}

void pcv__bars_of_vf(struct pcv_device *device, const struct pcv_device *pf)
{
    for (uint32_t i = 0; pf->vfs && i < PCV__VF_BARS; i++) {
        const struct pcv__bar *from = &pf->vfs->bar[i];

        if (pcv__bar_is_memory(from)) {
            device->bar[i] = *from;
            device->bar[i].address += device->vf_index * from->size;
        }
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * BARs of VFs: described by the PF's SR-IOV capability, six registers that
 * give base and size of one VF's part (PCI Express Base 6.0, 9.3.3.14).
 */
#include "vpci/bars.h"

static uint64_t address_at(struct pcv_device *pf, uint32_t bar, bool wide)
{
    uint16_t reg = (uint16_t)(pf->sriov_cap + PCV_SRIOV_BAR + 4u * bar);
    uint64_t address = pcv__hw_read(pf, reg, 4) & PCV_BAR_MEM_MASK;

    if (wide) {
        address |= (uint64_t)pcv__hw_read(pf, (uint16_t)(reg + 4u), 4) << 32;
    }
    return address;
}

static void size_one_by_one(struct pcv_device *pf,
                            struct pcv__bar out[PCV__VF_BARS])
{
    for (uint32_t i = 0; i < PCV__VF_BARS;) {
        uint16_t reg = (uint16_t)(pf->sriov_cap + PCV_SRIOV_BAR + 4u * i);
        uint32_t registers =
            pcv__bar_probe(pf, reg, i, i + 1 == PCV__VF_BARS, NULL, &out[i]);

        out[i].address = address_at(pf, i, registers == 2);
        i += registers;
    }
}

static int host_error(const struct pcv_device *pf)
{
    return atomic_load_explicit(&pf->hw_error, memory_order_relaxed);
}

int pcv__vfs_size(struct pcv_device *pf)
{
    uint16_t ctrl_reg = (uint16_t)(pf->sriov_cap + PCV_SRIOV_CTRL);
    uint32_t ctrl = pcv__hw_read(pf, ctrl_reg, 2);
    struct pcv__bar bar[PCV__VF_BARS];

    if (ctrl == 0xffffu) {
        return host_error(pf); /* it does not answer: what is known stays */
    }
    memset(bar, 0, sizeof(bar));
    if ((ctrl & PCV_SRIOV_CTRL_MSE) != 0) {
        pcv__hw_write(pf, ctrl_reg, 2, ctrl & ~PCV_SRIOV_CTRL_MSE);
    }
    size_one_by_one(pf, bar);
    if ((ctrl & PCV_SRIOV_CTRL_MSE) != 0) {
        pcv__hw_restore(pf, ctrl_reg, 2, ctrl);
    }
    if (host_error(pf) == 0) {
        memcpy(pf->vfs->bar, bar, sizeof(bar));
    }
    return host_error(pf);
}

void pcv__vfs_addresses(struct pcv_device *pf)
{
    struct pcv__bar *bar = pf->vfs->bar;

    for (uint32_t i = 0; i < PCV__VF_BARS; i++) {
        uint64_t address;

        if (!pcv__bar_is_memory(&bar[i])) {
            continue;
        }
        address = address_at(pf, i, bar[i].kind == PCV_BAR_MEM64);
        if (host_error(pf) == 0) {
            bar[i].address = address;
        }
    }
}

/* All ones of one that is gone, or must be left alone: it does not answer. */
static uint32_t sriov_read(const struct pcv_device *pf, uint16_t reg,
                           int *error)
{
    uint16_t at = (uint16_t)(pf->sriov_cap + reg);

    if (!pcv__has_register(pf, at) || pcv__hw_quiet_us(pf) != 0) {
        return 0xffffu;
    }
    return pcv__hw_probe(pf->host, pcv__device_sbdf(pf), at, 2, error);
}

int pcv__vfs_refresh(struct pcv_device *pf)
{
    int error = 0;
    uint32_t ctrl, count, offset, stride;

    if (!pcv__is_extended(pf) || pcv__is_unreachable(pf)) {
        return 0; /* what is known stays, until it comes again (EXT-3) */
    }
    ctrl = sriov_read(pf, PCV_SRIOV_CTRL, &error);
    count = sriov_read(pf, PCV_SRIOV_NUM_VFS, &error);
    offset = sriov_read(pf, PCV_SRIOV_OFFSET, &error);
    stride = sriov_read(pf, PCV_SRIOV_STRIDE, &error);
    if (error != 0 || ctrl == 0xffffu) {
        return error; /* it does not answer: what is known stays */
    }
    pf->vfs->count = (ctrl & PCV_SRIOV_CTRL_VFE) != 0 ? (uint16_t)count : 0;
    pf->vfs->memory =
        (ctrl & PCV_SRIOV_CTRL_VFE) != 0 && (ctrl & PCV_SRIOV_CTRL_MSE) != 0;
    pf->vfs->offset = (uint16_t)offset;
    pf->vfs->stride = (uint16_t)stride;
    return 0;
}

int pcv__vfs_read(struct pcv_device *pf)
{
    uint32_t ctrl =
        pcv__hw_read(pf, (uint16_t)(pf->sriov_cap + PCV_SRIOV_CTRL), 2);
    int error;

    if (ctrl == 0xffffu) {
        return 0;
    }
    /* It may be there already, if extended space was lost meanwhile. */
    if (!pf->vfs) {
        pf->vfs = pcv__alloc(&pf->host->mem, sizeof(*pf->vfs));
    }
    if (!pf->vfs) {
        return -PCV_ENOMEM;
    }
    error = pcv__vfs_refresh(pf);
    return error != 0 ? error : pcv__vfs_size(pf);
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
        /* The PF is gone, or stopped answering. */
        return pcv__has_vanished(pf) ? -PCV_ENODEV : -PCV_EAGAIN;
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

/* One VF's part of a VF BAR. What does not lie below the last address that the
 * BAR's kind can have is nowhere. */
static void part_of(struct pcv__bar *to, const struct pcv__bar *from,
                    uint16_t index)
{
    uint8_t mapped = (uint8_t)(to->flags & PCV_BAR_MAPPED);
    uint64_t last = from->kind == PCV_BAR_MEM64 ? UINT64_MAX : UINT32_MAX;
    uint64_t room = last - from->address;
    uint64_t size = pcv__bar_size(from);

    memset(to, 0, sizeof(*to));
    if (pcv__bar_is_memory(from) && size != 0 && size - 1u <= room &&
        index <= (room - (size - 1u)) / size) {
        *to = *from;
        to->address += index * size;
    }
    to->flags = (uint8_t)((to->flags & ~PCV_BAR_MAPPED) | mapped);
}

void pcv__bars_of_vf(struct pcv_device *device, const struct pcv_device *pf)
{
    struct pcv_device *of = (struct pcv_device *)pf;
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__bar bar[PCV__VF_BARS];
    bool memory = false;

    memset(bar, 0, sizeof(bar));
    pcv__lock_take(mem, &of->lock);
    if (of->vfs) {
        memory = of->vfs->memory;
        memcpy(bar, of->vfs->bar, sizeof(bar));
    }
    pcv__lock_drop(mem, &of->lock);
    pcv__lock_take(mem, &device->lock);
    device->vf_memory = memory;
    for (uint32_t i = 0; i < PCV__VF_BARS; i++) {
        part_of(&device->bar[i], &bar[i], device->vf_index);
    }
    pcv__lock_drop(mem, &device->lock);
}

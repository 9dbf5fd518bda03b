/* SPDX-License-Identifier: MIT */
/*
 * Single Root I/O Virtualization (SRIOV-1), for the hardware domain: what its
 * writes ask about VFs is done by the owner floor (owner/vfs.c), since VFs are
 * devices that come and go. Guests do not see it.
 */
#include "vpci/cap/list.h"
#include "vpci/protect.h"

/* After VF enable was set its VFs are not asked for so long (PCI Express Base
 * 6.0, 9.3.3.3.1). */
#define APPEAR_US 100000u

#define CONTROL_LENGTH 0x40u /* the capability's fixed part */

/* The write is dropped, and counted as one that was refused. */
static enum pcv_verdict refuse(struct pcv_device *pf)
{
    atomic_fetch_add_explicit(&pf->refused, 1, memory_order_relaxed);
    return PCV_DONE;
}

/* The same where nobody may write, since VFs are enabled: if one is a guest's
 * that is told (OWN-15). There is nothing to override. */
static enum pcv_verdict refuse_enabled(const struct pcv_register_write *write)
{
    uint32_t changed = write->value ^ write->old;

    if (changed == 0 || !pcv__guards(write->device)) {
        return refuse(write->device);
    }
    pcv__protect_tell(write->device, write->offset, changed);
    return PCV_DONE;
}

static bool failed(const struct pcv_device *pf)
{
    return atomic_load_explicit(&pf->hw_error, memory_order_relaxed) != 0;
}

/* Whether VFs are enabled, or it is not known that they are not. */
static bool enabled(const struct pcv__cap *cap)
{
    return (pcv__cap_read(cap, PCV_SRIOV_CTRL, 2) & PCV_SRIOV_CTRL_VFE) != 0;
}

/* The owner floor is to do it: hardware keeps its value until then. */
static enum pcv_verdict later(struct pcv_device *pf, enum pcv__vf_work work,
                              uint16_t reg, uint8_t size, uint32_t value)
    PCV__REQUIRES(pf->lock)
{
    struct pcv__vfs *vfs = pf->vfs;

    vfs->phase = 0;
    vfs->gone = false;
    vfs->write_reg = reg;
    vfs->write_size = size;
    vfs->write_value = value;
    pcv__vfs_ask(pf, work, 0);
    return PCV_PENDING;
}

/* VF enable goes on. Sizes are found now, while nothing decodes: page size and
 * resets change them. */
static enum pcv_verdict enable(struct pcv_device *pf,
                               const struct pcv__cap *cap, uint32_t value)
    PCV__REQUIRES(pf->lock)
{
    struct pcv__vfs *vfs = pf->vfs;
    uint32_t old = pcv__cap_read(cap, PCV_SRIOV_CTRL, 2);

    if (pcv__vpci(pf)->hidden || /* OWN-7 */
        pcv__cap_read(cap, PCV_SRIOV_NUM_VFS, 2) >
            pcv__cap_read(cap, PCV_SRIOV_TOTAL_VFS, 2) ||
        pcv__vfs_size(pf) != 0) {
        return refuse(pf);
    }
    pcv__cap_write(cap, PCV_SRIOV_CTRL, 2, value);
    if (pcv__vfs_refresh(pf) != 0 || failed(pf)) {
        /* Nobody would know of its VFs. */
        pcv__hw_restore(pf, (uint16_t)(cap->offset + PCV_SRIOV_CTRL), 2, old);
        vfs->count = 0;
        vfs->memory = false;
        return refuse(pf);
    }
    vfs->next = 0;
    vfs->silent = 0;
    vfs->tries = 0;
    vfs->appear_us = pcv__now_us(pf->host) + APPEAR_US;
    if (vfs->count == 0) {
        return PCV_DONE;
    }
    pcv__vfs_ask(pf, PCV__VFS_APPEAR, vfs->appear_us);
    return PCV_PENDING;
}

/* What of it a guest's VF stands on. */
static const struct pcv__protected guarded_control = {
    .kept = PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE | PCV_SRIOV_CTRL_ARI,
};

static enum pcv_verdict write_control(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    const struct pcv__cap *cap = write->data;
    struct pcv_device *pf = write->device;
    bool was = (write->old & PCV_SRIOV_CTRL_VFE) != 0;
    uint32_t value;
    enum pcv_verdict verdict;

    if (pf->torn || write->old == 0xffffu) {
        return PCV_DONE;
    }
    verdict = pcv__protect(write, &guarded_control, &value);
    if (verdict != PCV_DONE) {
        return pcv__protect_end(verdict);
    }
    if (!was && (value & PCV_SRIOV_CTRL_VFE) != 0) {
        return enable(pf, cap, value);
    }
    if ((was || pf->vfs->count != 0) && (value & PCV_SRIOV_CTRL_VFE) == 0) {
        /* Also where a reset behind our back disabled them (HDR-16). */
        return later(pf, PCV__VFS_GO, PCV_SRIOV_CTRL, 2, value);
    }
    if (was) {
        /* Where VFs are must not change under them (9.3.3.3.5). */
        value =
            (value & ~PCV_SRIOV_CTRL_ARI) | (write->old & PCV_SRIOV_CTRL_ARI);
    }
    if (was && ((value ^ write->old) & PCV_SRIOV_CTRL_MSE) != 0) {
        return later(pf, PCV__VFS_MOVE, PCV_SRIOV_CTRL, 2, value);
    }
    pcv__cap_write(cap, PCV_SRIOV_CTRL, 2, value);
    return PCV_DONE;
}

static enum pcv_verdict write_num_vfs(const struct pcv_register_write *write)
{
    const struct pcv__cap *cap = write->data;

    if (enabled(cap)) {
        return refuse_enabled(write);
    }
    if (write->value > pcv__cap_read(cap, PCV_SRIOV_TOTAL_VFS, 2) ||
        failed(write->device)) {
        return refuse(write->device);
    }
    pcv__cap_write(cap, PCV_SRIOV_NUM_VFS, 2, write->value);
    return PCV_DONE;
}

static enum pcv_verdict write_page_size(const struct pcv_register_write *write)
{
    const struct pcv__cap *cap = write->data;

    if (enabled(cap)) {
        return refuse_enabled(write);
    }
    if (failed(write->device)) {
        return refuse(write->device);
    }
    pcv__cap_write(cap, PCV_SRIOV_PAGE_SIZE, 4, write->value);
    return PCV_DONE;
}

static enum pcv_verdict write_vf_bar(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    const struct pcv__cap *cap = write->data;
    struct pcv_device *pf = write->device;
    uint16_t reg = (uint16_t)(write->offset - cap->offset);
    static const struct pcv__protected bits = {.kept = 0xffffffffu};
    uint32_t control = pcv__cap_read(cap, PCV_SRIOV_CTRL, 2);
    enum pcv_verdict verdict;
    uint32_t value;

    if (pf->torn || control == 0xffffu) {
        return PCV_DONE;
    }
    verdict = pcv__protect(write, &bits, &value);
    if (verdict != PCV_DONE) {
        return pcv__protect_end(verdict);
    }
    if (pcv__guards(pf)) {
        return PCV_DONE; /* it is as it was */
    }
    if ((control & PCV_SRIOV_CTRL_VFE) != 0) {
        return later(pf, PCV__VFS_MOVE, reg, 4, value);
    }
    pcv__cap_write(cap, reg, 4, value);
    pcv__vfs_addresses(pf);
    return PCV_DONE;
}

static const struct pcv_register_ops control_ops = {.write = write_control};
static const struct pcv_register_ops num_vfs_ops = {.write = write_num_vfs};
static const struct pcv_register_ops page_size_ops = {.write = write_page_size};
static const struct pcv_register_ops vf_bar_ops = {.write = write_vf_bar};

#define ROW(row_name, row_offset, row_size, bits, row_ops)                     \
    {                                                                          \
        .name = (row_name), .offset = (row_offset), .size = (row_size),        \
        .flags = PCV_REGISTER_MAPS, .policy = {.hardware = (bits)},            \
        .ops = (row_ops)                                                       \
    }
#define VF_BAR(row_name, n)                                                    \
    ROW(row_name, PCV_SRIOV_BAR + 4u * (n), 4, 0xffffffffu, &vf_bar_ops)

/* SR-IOV extended capability (PCI Express Base 6.0, 9.3.3). What has no row is
 * hardware's: capabilities, status, numbers of VFs, offset, stride, migration.
 */
static const struct pcv_register rows[] = {
    ROW("SR-IOV Control", PCV_SRIOV_CTRL, 2, 0xffffu, &control_ops),
    ROW("NumVFs", PCV_SRIOV_NUM_VFS, 2, 0xffffu, &num_vfs_ops),
    ROW("System Page Size", PCV_SRIOV_PAGE_SIZE, 4, 0xffffffffu,
        &page_size_ops),
    VF_BAR("VF BAR 0", 0),
    VF_BAR("VF BAR 1", 1),
    VF_BAR("VF BAR 2", 2),
    VF_BAR("VF BAR 3", 3),
    VF_BAR("VF BAR 4", 4),
    VF_BAR("VF BAR 5", 5),
};

static int setup(struct pcv__cap *cap)
{
    const struct pcv_device *pf = cap->device;

    /* One that the device does not answer for, or a second one. */
    if (!pf->vfs || cap->offset != pf->sriov_cap) {
        return -PCV_EINVAL;
    }
    return pcv__cap_add(cap, rows, sizeof(rows) / sizeof(rows[0]));
}

/* What was asked for is asked no more. */
static void teardown(struct pcv__cap *cap) PCV__NO_ANALYSIS
{
    if (cap->device->vfs && cap->offset == cap->device->sriov_cap) {
        cap->device->vfs->write_size = 0;
        pcv__vfs_ask(cap->device, PCV__VFS_NOTHING, 0);
    }
}

/* A reset of the PF clears VF enable: its VFs are gone (9.2.2.3). */
static void reset(struct pcv__cap *cap) PCV__NO_ANALYSIS
{
    struct pcv_device *pf = cap->device;
    struct pcv__vfs *vfs = pf->vfs;

    if (!pf->torn && (vfs->count != 0 || pcv__vfs_change(pf))) {
        vfs->gone = true;
        vfs->memory = false;
        vfs->write_size = 0;
        pcv__vfs_ask(pf, PCV__VFS_GO, 0);
    }
}

const struct pcv__cap_desc pcv__cap_sriov = {
    .name = "SR-IOV",
    .id = PCV_EXT_CAP_ID_SRIOV,
    .extended = true,
    .flags = PCV__CAP_HARDWARE,
    .control_size = CONTROL_LENGTH,
    .setup = setup,
    .teardown = teardown,
    .reset = reset,
};

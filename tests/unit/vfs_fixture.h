/* SPDX-License-Identifier: MIT */
/*
 * A PF whose VFs come and go, with a clock that stands still:
 *
 *   00:00.0 host bridge
 *   00:01.0 root port, buses 1 and 2
 *     01:00.0 PF with a BAR of its own, FLR, and up to VFS_TOTAL VFs
 *     01:02.0 the first VF, and the others behind it
 *
 * Each VF has a 64-bit BAR 0 of 16 KiB and a 32-bit BAR 3 of 4 KiB. VFs are off
 * at first.
 */
#ifndef PCV_TESTS_UNIT_VFS_FIXTURE_H
#define PCV_TESTS_UNIT_VFS_FIXTURE_H

#include "engine_fixture.h"

#include <string.h>

#define VFS_TOTAL 20u
#define VFS_PORT pcv_test_at(0, 0, 1, 0)
#define VFS_PF pcv_test_at(0, 1, 0, 0)
#define VFS_OFFSET 0x10u
#define VFS_BAR0 0xe1000000ull
#define VFS_SIZE0 0x4000ull
#define VFS_BAR3 0xe2000000ull
#define VFS_SIZE3 0x1000ull
#define VFS_ON (PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE)
#define VFS_READY_US 100000u

#define VFS_GUEST 7u
#define VFS_WINDOW 0x80000000ull

struct vfs {
    struct rig rig;
    uint16_t cap;
    struct pcv_domain *guest;
    pcv_sbdf given; /* where the guest has what it was given last */
};

static inline pcv_sbdf vfs_at(uint32_t index)
{
    return (pcv_sbdf){VFS_PF.v + VFS_OFFSET + index};
}

static inline void vfs_make_pf(struct vfs *v, struct pcv_test_function *f)
{
    pcv_test_pcie_endpoint(f, 0x8086, 0x10c9);
    pcv_test_bar32(f, 0, 0xe0000000u, 0x4000);
    pcv_test_set(f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    v->cap = pcv_test_sriov(f, VFS_TOTAL, VFS_TOTAL, VFS_OFFSET, 1);
    pcv_test_set(f, (uint32_t)v->cap + PCV_SRIOV_BAR, 4,
                 (uint32_t)VFS_BAR0 | PCV_BAR_TYPE_64);
    pcv_test_set(f, (uint32_t)v->cap + PCV_SRIOV_BAR + 12u, 4,
                 (uint32_t)VFS_BAR3);
}

static inline void vfs_make_vf(struct pcv_test_function *f)
{
    pcv_test_vf(f, VFS_PF);
    pcv_test_set(f, PCV_REG_REVISION, 4, 0x02000001u);
    f->fn.bar_size[0] = VFS_SIZE0;
    f->fn.bar_size[3] = VFS_SIZE3;
}

/* The machine without a host; `pf` is what vfs_make_pf() made. */
static inline void vfs_build(struct vfs *v, struct pcv_test_function *pf)
{
    struct pcv_test_function f;

    pcv_test_host_bridge(&f);
    pcv_test_add(v->rig.model, &f, pcv_test_at(0, 0, 0, 0));
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 2);
    pcv_test_set(&f, PCV_REG_MEM_BASE, 4, 0xeff0e000u);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(v->rig.model, &f, VFS_PORT);
    pcv_test_add(v->rig.model, pf, VFS_PF);
    for (uint32_t i = 0; i < VFS_TOTAL; i++) {
        vfs_make_vf(&f);
        pcv_test_add(v->rig.model, &f, vfs_at(i));
    }
}

/* A host on it that has found all but the VFs, which are off. */
static inline void vfs_boot(struct vfs *v)
{
    struct pcv_scan scan = {0};

    rig_create(&v->rig);
    pcv_test_write(v->rig.model, VFS_PF, (uint16_t)(v->cap + PCV_SRIOV_CTRL), 2,
                   0);
    pcv_test_write(v->rig.model, VFS_PF, (uint16_t)(v->cap + PCV_SRIOV_NUM_VFS),
                   2, 0);
    pcv_model_set_clock(v->rig.model, true);
    assert_int_equal(pcv_host_scan(v->rig.host, &scan, 0), 0);
    assert_int_equal(scan.failed, 0);
    assert_int_equal(scan.found, 3);
    rig_forget(&v->rig);
}

static inline void vfs_open(struct vfs *v)
{
    struct pcv_test_function pf;

    memset(v, 0, sizeof(*v));
    rig_open(&v->rig);
    vfs_make_pf(v, &pf);
    vfs_build(v, &pf);
    vfs_boot(v);
}

static inline void vfs_close(struct vfs *v)
{
    assert_int_equal(pcv_model_early_accesses(v->rig.model), 0);
    rig_close(&v->rig);
}

/* One access of a domain to its end. */
static inline enum pcv_verdict vfs_access(struct pcv_domain *domain,
                                          struct pcv_access *access)
{
    enum pcv_verdict verdict = pcv_access(domain, access);

    /* Far more than any test's mapping has pages. */
    for (unsigned i = 0; verdict == PCV_PENDING || verdict == PCV_RETRY; i++) {
        assert_true(i < 10000000);
        verdict = verdict == PCV_PENDING ? pcv_access_resume(domain, access)
                                         : pcv_access(domain, access);
    }
    return verdict;
}

static inline uint32_t vfs_read_as(struct pcv_domain *domain, pcv_sbdf at,
                                   uint16_t reg, uint8_t size)
{
    struct pcv_access access = PCV_READ(at, reg, size);

    (void)vfs_access(domain, &access);
    return (uint32_t)access.data;
}

/* The same for a write, which may meet nobody. */
static inline void vfs_write_as_is(struct pcv_domain *domain, pcv_sbdf at,
                                   uint16_t reg, uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(at, reg, size, value);

    (void)vfs_access(domain, &access);
}

static inline void vfs_write_as(struct pcv_domain *domain, pcv_sbdf at,
                                uint16_t reg, uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(at, reg, size, value);

    assert_int_equal(vfs_access(domain, &access), PCV_DONE);
}

/* The hardware domain reads or writes the PF's SR-IOV capability. */
static inline uint32_t vfs_get(struct vfs *v, uint16_t reg, uint8_t size)
{
    return vfs_read_as(v->rig.dom0, VFS_PF, (uint16_t)(v->cap + reg), size);
}

static inline void vfs_set(struct vfs *v, uint16_t reg, uint8_t size,
                           uint32_t value)
{
    vfs_write_as(v->rig.dom0, VFS_PF, (uint16_t)(v->cap + reg), size, value);
}

/* What hardware has there. */
static inline uint32_t vfs_peek(struct vfs *v, uint16_t reg, uint8_t size)
{
    return pcv_model_peek(v->rig.model, VFS_PF, (uint16_t)(v->cap + reg), size);
}

static inline bool vfs_there(struct vfs *v, uint32_t index)
{
    struct pcv_device *vf = pcv_device_find(v->rig.host, vfs_at(index));

    pcv_device_put(vf);
    return vf != NULL;
}

/* Whether all pages of a VF's BARs are mapped for the hardware domain where
 * they belong, or none is. */
static inline bool vfs_mapped(struct vfs *v, uint32_t index)
{
    bool mapped = rig_mapped(&v->rig, VFS_BAR0 + index * VFS_SIZE0, VFS_SIZE0);

    assert_int_equal(
        rig_mapped(&v->rig, VFS_BAR3 + index * VFS_SIZE3, VFS_SIZE3), mapped);
    return mapped;
}

/* Enable VFs as a driver does: it waits the time that they have. */
static inline void vfs_enable(struct vfs *v, uint16_t count, uint16_t control)
{
    vfs_set(v, PCV_SRIOV_NUM_VFS, 2, count);
    vfs_set(v, PCV_SRIOV_CTRL, 2, control);
    pcv_model_advance_us(v->rig.model, VFS_READY_US);
}

/* Have what is due done. */
static inline void vfs_work(struct vfs *v)
{
    uint64_t wait;
    unsigned rounds = 0;

    while (pcv_host_work(v->rig.host, &wait) == -PCV_ERESTART) {
        assert_true(++rounds < 1000);
    }
}

/* Events of a kind that name this. */
static inline size_t vfs_told(const struct vfs *v, enum pcv_event_kind kind,
                              uint64_t arg0)
{
    size_t count = 0;

    for (size_t i = 0; i < v->rig.events && i < RIG_EVENTS; i++) {
        count += v->rig.event[i].kind == kind && v->rig.event[i].arg[0] == arg0;
    }
    return count;
}

/* Give a VF to a guest, or take it back; time goes by as it must. */
static inline int vfs_give(struct vfs *v, uint32_t index)
{
    int error;

    if (!v->guest) {
        assert_int_equal(pcv_domain_create(v->rig.host, VFS_GUEST, &v->guest),
                         0);
        assert_int_equal(
            pcv_domain_add_window(v->guest, (pcv_gpa){VFS_WINDOW}, 0x10000000u),
            0);
    }
    /* There is no ACS above. */
    assert_int_equal(
        pcv_device_declare_isolated(v->rig.host, vfs_at(index), true), 0);
    while ((error = pcv_device_assign(v->rig.host, vfs_at(index), v->guest,
                                      NULL, &v->given)) == -PCV_ERESTART) {
        pcv_model_advance_us(v->rig.model, VFS_READY_US);
    }
    return error;
}

static inline int vfs_take_back(struct vfs *v, uint32_t index)
{
    int error;

    while ((error = pcv_device_deassign(v->rig.host, vfs_at(index))) ==
           -PCV_ERESTART) {
        pcv_model_advance_us(v->rig.model, VFS_READY_US);
    }
    return error;
}

#endif

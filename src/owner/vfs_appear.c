/* SPDX-License-Identifier: MIT */
/*
 * VFs that were enabled and whose time has come are added, one by one
 * (SRIOV-1, SRIOV-3). Where they are is the PF's word, which is believed no
 * further than the bridge above it reaches.
 */
#include "owner/vfs.h"

/* A VF that is not ready is asked for again after this time, so often: within
 * the second that it has (PCI Express Base 6.0, 2.3.1). */
#define READY_US 100000u
#define READY_TRIES 10u

bool pcv__may_have_vfs_of(const struct pcv_device *pf, uint8_t bus)
{
    uint16_t segment = pcv_sbdf_segment(pcv__device_sbdf(pf));
    pcv_sbdf of_pf = {0};
    pcv_sbdf of_bus = {0};
    int error = pcv_topology_upstream(
        pf->host, segment, pcv_sbdf_bus(pcv__device_sbdf(pf)), &of_pf);

    return pcv_topology_upstream(pf->host, segment, bus, &of_bus) == error &&
           of_bus.v == of_pf.v;
}

/* What became of one VF. */
enum came {
    CAME,       /* it is there */
    CAME_LATER, /* call again */
    CAME_WAIT,  /* it is not ready: call again after a time */
    CAME_NOT,   /* it could not be added */
    CAME_END,   /* what the PF says of its VFs makes no sense */
};

/* Where the next VF is; false: nowhere that it can be. */
static bool address_of(const struct pcv_device *pf, const struct pcv__vfs *vfs,
                       pcv_sbdf *out)
{
    pcv_sbdf sbdf = pcv__device_sbdf(pf);
    uint32_t rid = pcv__rid(sbdf) + vfs->offset +
                   (uint32_t)vfs->next * (uint32_t)vfs->stride;

    out->v = (sbdf.v & 0xffff0000u) | (rid & 0xffffu);
    return rid <= 0xffffu && vfs->offset != 0 &&
           (vfs->count == 1 || vfs->stride != 0) &&
           pcv__may_have_vfs_of(pf, pcv_sbdf_bus(*out));
}

/* It is registered: map it where its PF says. */
static enum came settle(struct pcv_device *pf, pcv_sbdf at, bool *planned)
{
    struct pcv_device *vf = pcv_device_find(pf->host, at);
    enum came came = CAME_NOT; /* it went again at once */

    if (vf && vf->is_vf && pcv__physfn(vf).v == pcv__device_sbdf(pf).v) {
        came = pcv__vf_follow(pf, vf, planned) ? CAME : CAME_LATER;
    }
    pcv_device_put(vf);
    return came;
}

static enum came add_one(struct pcv_device *pf, pcv_sbdf at, bool *planned,
                         int *error)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF,
                                      .physfn = pcv__device_sbdf(pf)};
    uint32_t moves = pcv__moves_at(pf->host, at);

    *error = pcv_device_add(pf->host, at, &info);
    switch (*error) {
    case 0:
        *error = -PCV_ENODEV;
        return settle(pf, at, planned);
    case -PCV_ERESTART:
        return CAME_LATER;
    case -PCV_EAGAIN:
        return CAME_WAIT;
    case -PCV_EINVAL:
        return CAME_END;
    case -PCV_EBUSY:
        /* Somebody else may be adding it at this moment, or bus numbers of the
         * segment move, though it be those of others. */
        return pcv__add_may_follow(pf->host, at, moves) ? CAME_LATER : CAME_NOT;
    default:
        return CAME_NOT;
    }
}

/* Go on behind a VF, or with it when it is ready. */
static void advance(struct pcv_device *pf, enum came came, pcv_sbdf at,
                    int error) PCV__REQUIRES(pf->lock)
{
    struct pcv__vfs *vfs = pf->vfs;

    if (came == CAME_WAIT && vfs->tries < READY_TRIES) {
        vfs->tries++;
        vfs->appear_us = pcv__now_us(pf->host) + READY_US;
        pcv__vfs_ask(pf, PCV__VFS_APPEAR, vfs->appear_us);
        return;
    }
    vfs->tries = 0;
    vfs->next++;
    if (came != CAME) {
        pcv__event(pf, PCV_EVENT_VF_FAILED, PCV_EVENT_DEVICE, at.v,
                   (uint64_t)-error);
        vfs->silent++;
    }
    if (came == CAME_END || vfs->silent >= PCV__SILENT_VFS_MAX ||
        vfs->next >= vfs->count) {
        vfs->next = vfs->count;
        pcv__vfs_finish(pf);
    }
}

/* One VF. PCV_PENDING: there is more to do now. */
static enum pcv_verdict appear_one(struct pcv_device *pf)
{
    struct pcv__mem *mem = &pf->host->mem;
    enum came came = CAME_END;
    int error = -PCV_EINVAL;
    struct pcv__vfs vfs;
    pcv_sbdf at;
    bool more;

    memset(&vfs, 0, sizeof(vfs)); /* not all of it is the device's lock's */
    pcv__lock_take(mem, &pf->lock);
    vfs.count = pf->vfs->count;
    vfs.offset = pf->vfs->offset;
    vfs.stride = pf->vfs->stride;
    vfs.next = pf->vfs->next;
    vfs.planned = pf->vfs->planned;
    pcv__lock_drop(mem, &pf->lock);
    if (address_of(pf, &vfs, &at)) {
        came = add_one(pf, at, &vfs.planned, &error);
    }
    pcv__lock_take(mem, &pf->lock);
    if (pcv__vfs_work_of(pf) == PCV__VFS_APPEAR) {
        pf->vfs->planned = came == CAME_LATER && vfs.planned;
        if (came != CAME_LATER) {
            advance(pf, came, at, error);
        }
    }
    more = pcv__vfs_work_of(pf) != PCV__VFS_NOTHING && pcv__vfs_is_due(pf);
    pcv__lock_drop(mem, &pf->lock);
    return more ? PCV_PENDING : PCV_DONE;
}

enum pcv_verdict pcv__vfs_appear(struct pcv_device *pf)
{
    enum pcv_verdict verdict = PCV_PENDING;

    for (uint32_t n = 0; n < PCV__VFS_PER_CALL && verdict == PCV_PENDING &&
                         pcv__vfs_work_of(pf) == PCV__VFS_APPEAR;
         n++) {
        verdict = appear_one(pf);
    }
    return verdict;
}

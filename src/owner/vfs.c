/* SPDX-License-Identifier: MIT */
/*
 * VFs that come and go with their PF's SR-IOV control (SRIOV-1; PCI Express
 * Base 6.0, 9.3.3.3). A write of that register leaves here what is to be done,
 * and it is done in bounded parts when the access is resumed, when an access
 * finds nobody where a VF may be, or when the host has time: one at a time for
 * a PF, without a lock across a part, so that each looks again whether it is
 * still wanted.
 *
 *   APPEAR  each VF is added, once the time after VF enable is over
 *   GO      all VFs are removed, then VF enable goes off
 *   MOVE    each VF's mapping is undone, the register is written, and each is
 *           mapped where it is now
 *
 * VFs that are anybody's but the hardware domain's stay: the write is dropped
 * (OWN-15).
 */
#include "owner/vfs.h"
#include "owner/bus_reset.h"
#include "owner/look.h"
#include "registry/resting.h"
#include "vpci/protect.h"

/* Bus numbers may wait for whoever is inside a function. */
#define RENUMBER_US 1000u

/* Phases of a move. */
enum phase { PHASE_CHECK, PHASE_UNMAP, PHASE_WRITE, PHASE_MAP };

void pcv__vfs_finish(struct pcv_device *pf)
{
    struct pcv__vfs *vfs = pf->vfs;

    vfs->write_size = 0;
    vfs->gone = false;
    vfs->phase = PHASE_CHECK;
    vfs->planned = false;
    pcv__vfs_ask(pf,
                 vfs->next < vfs->count ? PCV__VFS_APPEAR : PCV__VFS_NOTHING,
                 vfs->appear_us);
}

/* The write that waited reaches hardware, and what it changed is read. */
static void perform(struct pcv_device *pf) PCV__REQUIRES(pf->lock)
{
    struct pcv__vfs *vfs = pf->vfs;

    if (vfs->write_size != 0) {
        pcv__hw_write(pf, (uint16_t)(pf->sriov_cap + vfs->write_reg),
                      vfs->write_size, vfs->write_value);
    }
    atomic_store_explicit(&pf->hw_error, 0, memory_order_relaxed);
    (void)pcv__vfs_refresh(pf);
    if (vfs->write_reg >= PCV_SRIOV_BAR) {
        pcv__vfs_addresses(pf);
    }
}

/* ---- who has them ----------------------------------------------------------
 */

bool pcv__vf_in_use(const struct pcv_device *vf)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&vf->owner, memory_order_acquire);

    return vf->changing ||
           (owner->kind != PCV_DOMAIN_HARDWARE && !pcv__has_vanished(vf));
}

int pcv__vfs_check(struct pcv__segment *segment, const struct pcv_device *pf,
                   pcv_sbdf *out_busy)
{
    uint32_t rid = 0;
    uint32_t count = 0;
    bool busy = false;
    struct pcv_device *vf;

    while ((vf = pcv__next_vf(segment, pf, &rid)) != NULL) {
        if (!busy && pcv__vf_in_use(vf)) {
            *out_busy = pcv__device_sbdf(vf);
            busy = true;
        }
        count++;
    }
    if (count != pf->vf_count) {
        return -PCV_ERESTART;
    }
    return busy ? -PCV_EBUSY : 0;
}

/* The same without the lock. */
static int check(struct pcv_device *pf, pcv_sbdf *out_busy)
{
    struct pcv__segment *segment = pf->segment;
    int error;

    pcv__lock_take(&pf->host->mem, &segment->lock);
    error = pcv__vfs_check(segment, pf, out_busy);
    pcv__lock_drop(&pf->host->mem, &segment->lock);
    return error;
}

/* OWN-15: the write is dropped, counted and told. */
static void drop(struct pcv_device *pf, pcv_sbdf busy) PCV__REQUIRES(pf->lock)
{
    atomic_fetch_add_explicit(&pf->refused, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&pf->host->protected_writes, 1,
                              memory_order_relaxed);
    pcv__event(pf, PCV_EVENT_VFS_BUSY, PCV_EVENT_GUEST, busy.v, 0);
    pcv__vfs_finish(pf);
}

/* ---- move ------------------------------------------------------------------
 */

static void enter_phase(struct pcv__vfs *vfs, enum phase phase)
{
    vfs->phase = (uint8_t)phase;
    vfs->rid = 0;
    vfs->planned = false;
}

/* What was asked while no guest had a VF is not done once one has (OWN-15): VFs
 * stay where they are, and are mapped there again. */
static void drop_late(struct pcv_device *pf) PCV__REQUIRES(pf->lock)
{
    struct pcv__vfs *vfs = pf->vfs;

    if (pcv__guards(pf)) {
        pcv__protect_tell(pf, (uint16_t)(pf->sriov_cap + vfs->write_reg),
                          vfs->write_reg == PCV_SRIOV_CTRL ? PCV_SRIOV_CTRL_MSE
                                                           : 0xffffffffu);
        vfs->write_size = 0;
    }
}

/* A phase is over: go on to the next, if the move is still wanted. */
static void next_phase(struct pcv_device *pf)
{
    struct pcv__mem *mem = &pf->host->mem;
    struct pcv__vfs *vfs = pf->vfs;

    pcv__lock_take(mem, &pf->lock);
    if (pcv__vfs_work_of(pf) == PCV__VFS_MOVE) {
        switch ((enum phase)vfs->phase) {
        case PHASE_CHECK:
            /* Memory enable: hardware goes silent before the pages go. */
            if (vfs->write_reg == PCV_SRIOV_CTRL) {
                enter_phase(vfs, PHASE_WRITE);
            } else {
                vfs->memory = false;
                enter_phase(vfs, PHASE_UNMAP);
            }
            break;
        case PHASE_UNMAP:
            enter_phase(vfs, PHASE_WRITE);
            break;
        case PHASE_WRITE:
            drop_late(pf);
            perform(pf);
            enter_phase(vfs, PHASE_MAP);
            break;
        case PHASE_MAP:
            pcv__vfs_finish(pf);
            break;
        }
    }
    pcv__lock_drop(mem, &pf->lock);
}

static enum pcv_verdict move(struct pcv_device *pf)
{
    struct pcv__mem *mem = &pf->host->mem;
    pcv_sbdf busy = pcv__device_sbdf(pf);
    enum phase phase = (enum phase)pf->vfs->phase;
    int error = phase == PHASE_CHECK ? check(pf, &busy) : 0;

    if (error == -PCV_EBUSY) {
        pcv__lock_take(mem, &pf->lock);
        if (pcv__vfs_work_of(pf) == PCV__VFS_MOVE) {
            drop(pf, busy);
        }
        pcv__lock_drop(mem, &pf->lock);
        return PCV_DONE;
    }
    if (error == -PCV_ERESTART) {
        return PCV_PENDING;
    }
    if ((phase == PHASE_UNMAP || phase == PHASE_MAP) && !pcv__vfs_walk(pf)) {
        return PCV_PENDING;
    }
    if (phase == PHASE_WRITE && pcv__guards(pf) &&
        pcv__is_marked(pf, PCV__MARK_OVERRIDE)) {
        pcv__guests_lose(pf);
        return PCV_PENDING;
    }
    next_phase(pf);
    return pcv__vfs_work_of(pf) == PCV__VFS_MOVE ? PCV_PENDING : PCV_DONE;
}

/* ---- go --------------------------------------------------------------------
 */

static enum pcv_verdict go(struct pcv_device *pf, bool gone)
{
    struct pcv__mem *mem = &pf->host->mem;
    struct pcv__vfs *vfs = pf->vfs;
    pcv_sbdf busy = pcv__device_sbdf(pf);
    int error = pcv__vfs_remove(pf, gone, &busy);

    if (error == -PCV_ERESTART) {
        return PCV_PENDING;
    }
    pcv__lock_take(mem, &pf->lock);
    if (pcv__vfs_work_of(pf) != PCV__VFS_GO) {
        /* The PF goes itself. */
    } else if (error == -PCV_EBUSY) {
        drop(pf, busy);
    } else {
        vfs->next = 0;
        vfs->count = 0;
        vfs->memory = false;
        if (!vfs->gone) {
            /* What the host failed to disable is there still, and comes back.
             */
            perform(pf);
        }
        pcv__vfs_finish(pf);
    }
    pcv__lock_drop(mem, &pf->lock);
    return pcv__vfs_work_of(pf) == PCV__VFS_GO ? PCV_PENDING : PCV_DONE;
}

/* ---- whose turn it is ------------------------------------------------------
 */

bool pcv__vfs_is_due(struct pcv_device *pf)
{
    return pcv__vfs_work_of(pf) != PCV__VFS_APPEAR ||
           !pf->host->mem.ops.now_us ||
           pcv__now_us(pf->host) >= pf->vfs->appear_us;
}

/* Begin, if there is something to do now and nobody is at it. PCV_DONE: there
 * is nothing; PCV_RETRY: somebody is; PCV_PENDING: it is ours. */
static enum pcv_verdict begin(struct pcv_device *pf, bool *out_gone)
{
    struct pcv__mem *mem = &pf->host->mem;
    enum pcv_verdict verdict = PCV_DONE;

    if (pcv__vfs_work_of(pf) == PCV__VFS_NOTHING) {
        return PCV_DONE;
    }
    pcv__lock_take(mem, &pf->lock);
    if (pcv__vfs_work_of(pf) != PCV__VFS_NOTHING && pcv__vfs_is_due(pf)) {
        verdict = pf->vfs->working ? PCV_RETRY : PCV_PENDING;
        pf->vfs->working = true;
        *out_gone = pf->vfs->gone;
    }
    pcv__lock_drop(mem, &pf->lock);
    return verdict;
}

static void end(struct pcv_device *pf)
{
    struct pcv__mem *mem = &pf->host->mem;

    pcv__lock_take(mem, &pf->lock);
    pf->vfs->working = false;
    pcv__lock_drop(mem, &pf->lock);
}

enum pcv_verdict pcv__vfs_work(struct pcv_device *pf)
{
    bool gone = false;
    enum pcv_verdict verdict = begin(pf, &gone);

    if (verdict != PCV_PENDING) {
        return verdict == PCV_RETRY ? PCV_PENDING : PCV_DONE;
    }
    switch (pcv__vfs_work_of(pf)) {
    case PCV__VFS_APPEAR:
        verdict = pcv__vfs_appear(pf);
        break;
    case PCV__VFS_GO:
        verdict = go(pf, gone);
        break;
    case PCV__VFS_MOVE:
        verdict = move(pf);
        break;
    case PCV__VFS_NOTHING:
        verdict = PCV_DONE;
        break;
    }
    end(pf);
    return verdict;
}

enum pcv_verdict pcv__vfs_work_due(struct pcv_host *host)
{
    uint64_t wait;
    struct pcv_device *pf = pcv__vfs_due(host, &wait);
    enum pcv_verdict verdict;

    if (!pf) {
        return PCV_DONE;
    }
    verdict = pcv__vfs_work(pf);
    pcv_device_put(pf);
    if (verdict == PCV_DONE) {
        pf = pcv__vfs_due(host, &wait);
        verdict = pf ? PCV_PENDING : PCV_DONE;
        pcv_device_put(pf);
    }
    return verdict;
}

/* Of two times to wait, 0 being none. */
static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a != 0 && (b == 0 || a < b) ? a : b;
}

int pcv_host_work(struct pcv_host *host, uint64_t *out_wait_us)
{
    uint64_t faults_wait;
    uint64_t wait = 0;
    uint64_t reset = 0;
    struct pcv_device *pf;

    if (!host || !out_wait_us) {
        return -PCV_EINVAL;
    }
    /* What faults first: it goes on faulting until it is stopped. */
    if (pcv__faults_work(host, &faults_wait) == -PCV_ERESTART ||
        pcv__vfs_work_due(host) != PCV_DONE ||
        pcv__bus_resets_due(host, &reset) != PCV_DONE) {
        return -PCV_ERESTART;
    }
    pcv__resting_due(host);
    pf = pcv__vfs_due(host, &wait);
    pcv_device_put(pf);
    if (pf) {
        return -PCV_ERESTART;
    }
    *out_wait_us =
        sooner(sooner(wait, faults_wait), sooner(reset, pcv__resting_us(host)));
    if (!pcv__bridges_renumbered(host)) {
        *out_wait_us = sooner(*out_wait_us, RENUMBER_US);
    }
    return 0;
}

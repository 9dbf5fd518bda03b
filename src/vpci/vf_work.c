/* SPDX-License-Identifier: MIT */
/*
 * PFs whose SR-IOV control asked the owner floor for something (SRIOV-1): a
 * list of the host's, since there are few of them and many devices, under a
 * lock of its own, since registers are written under their device's.
 */
#include "vpci/internal.h"

uint64_t pcv__now_us(const struct pcv_host *host)
{
    const struct pcv__mem *mem = &host->mem;

    return mem->ops.now_us ? mem->ops.now_us(mem->ctx) : 0;
}

static void link_last(struct pcv_host *host, struct pcv_device *pf)
    PCV__REQUIRES(host->work_lock)
{
    struct pcv_device **at = &host->work;

    while (*at) {
        at = &(*at)->vfs->next_work;
    }
    pf->vfs->next_work = NULL;
    pf->vfs->work_at = at;
    *at = pf;
}

static void unlink_work(struct pcv_device *pf)
{
    *pf->vfs->work_at = pf->vfs->next_work;
    if (pf->vfs->next_work) {
        pf->vfs->next_work->vfs->work_at = pf->vfs->work_at;
    }
    pf->vfs->next_work = NULL;
    pf->vfs->work_at = NULL;
}

void pcv__vfs_ask(struct pcv_device *pf, enum pcv__vf_work work,
                  uint64_t due_us)
{
    struct pcv_host *host = pf->host;

    if (!pf->vfs) {
        return; /* it never asked for anything */
    }
    if (work != PCV__VFS_NOTHING && pcv__is_unreachable(pf)) {
        pf->vfs->parked = true;
        work = PCV__VFS_NOTHING;
    }
    pcv__lock_take(&host->mem, &host->work_lock);
    pf->vfs->work_us = due_us;
    atomic_store_explicit(&pf->vf_work, work, memory_order_release);
    if (work != PCV__VFS_NOTHING && !pf->vfs->work_at) {
        link_last(host, pf);
        atomic_fetch_add_explicit(&host->work_count, 1, memory_order_acq_rel);
    } else if (work == PCV__VFS_NOTHING && pf->vfs->work_at) {
        unlink_work(pf);
        atomic_fetch_sub_explicit(&host->work_count, 1, memory_order_acq_rel);
    }
    pcv__lock_drop(&host->mem, &host->work_lock);
}

/* A PF stays in the list until its view is torn down, and so it is held by
 * somebody while it is there. */
struct pcv_device *pcv__vfs_due(struct pcv_host *host, uint64_t *out_wait_us)
{
    struct pcv__mem *mem = &host->mem;
    uint64_t now = pcv__now_us(host);
    uint64_t wait = 0;
    struct pcv_device *pf;

    pcv__lock_take(mem, &host->work_lock);
    for (pf = host->work; pf; pf = pf->vfs->next_work) {
        uint64_t left = mem->ops.now_us && pf->vfs->work_us > now
                            ? pf->vfs->work_us - now
                            : 0;

        if (left != 0) {
            wait = wait == 0 || left < wait ? left : wait;
        } else if (pcv__ref_try(pf, PCV_HOLDER_CALLER, PCV__WORD_LEAVING)) {
            break;
        }
    }
    pcv__lock_drop(mem, &host->work_lock);
    if (!pf) {
        *out_wait_us = wait;
    }
    return pf;
}

/* SPDX-License-Identifier: MIT */
/*
 * VFs follow what their PF says of them: where their BARs are, and whether they
 * are decoded, and so what of them is mapped (TOPO-7, SRIOV-1).
 */
#include "owner/look.h"
#include "owner/vfs.h"

/* Whether the owner's own registers let a VF decode. */
static bool owner_decodes(const struct pcv_device *vf)
{
    return !pcv__vpci(vf)->asleep &&
           (!vf->assignment || (vf->assignment->command & PCV_CMD_MEMORY) != 0);
}

static enum pcv_verdict map_anew(struct pcv_device *vf, bool *planned)
{
    struct pcv__mem *mem = &vf->host->mem;
    enum pcv_verdict verdict;

    pcv__lock_take(mem, &vf->lock);
    verdict = vf->torn ? PCV_DONE : pcv__map_step(vf);
    if (verdict == PCV_DONE && !*planned && !vf->torn) {
        *planned = true;
        verdict = pcv__map_again(vf, pcv__vf_decodes(vf) && owner_decodes(vf),
                                 PCV_BARS);
        if (verdict == PCV_PENDING) {
            verdict = pcv__map_step(vf);
        }
    }
    pcv__lock_drop(mem, &vf->lock);
    return verdict;
}

bool pcv__vf_follow(const struct pcv_device *pf, struct pcv_device *vf,
                    bool *planned)
{
    enum pcv_verdict verdict;

    if (!*planned) {
        pcv__bars_of_vf(vf, pf);
    }
    verdict = pcv__gate_enter_held(vf, PCV__WORD_PAUSED);
    if (verdict == PCV_DONE) {
        verdict = map_anew(vf, planned);
        pcv__gate_leave(vf);
    }
    if (verdict == PCV_PENDING || verdict == PCV_RETRY) {
        return false;
    }
    *planned = false;
    return true;
}

void pcv__vf_given(struct pcv_device *vf)
{
    struct pcv_device *pf = pcv_device_find(vf->host, pcv__physfn(vf));
    bool planned = false;

    if (!pf) {
        return;
    }
    pcv__bars_of_vf(vf, pf);
    pcv_device_put(pf);
    /* Bounded by the BARs' pages: the host does at least one a call. */
    while (map_anew(vf, &planned) == PCV_PENDING) {
    }
}

/* The next VF of a walk, with a caller's reference, or NULL. */
static struct pcv_device *hold_next(struct pcv_device *pf, uint32_t *rid)
{
    struct pcv__segment *segment = pf->segment;
    struct pcv_device *vf;

    pcv__lock_take(&pf->host->mem, &segment->lock);
    /* Bounded: *rid goes up. */
    do {
        vf = pcv__next_vf(segment, pf, rid);
    } while (vf && !pcv__ref_try(vf, PCV_HOLDER_CALLER, PCV__WORD_LEAVING));
    pcv__lock_drop(&pf->host->mem, &segment->lock);
    return vf;
}

/* The walk from where it stands. True when every VF was followed. */
static bool walk_on(struct pcv_device *pf, uint32_t *rid, bool *planned)
{
    for (uint32_t n = 0; n < PCV__VFS_PER_CALL; n++) {
        uint32_t next = *rid;
        struct pcv_device *vf = hold_next(pf, &next);
        bool done;

        if (!vf) {
            return true;
        }
        done = pcv__vf_follow(pf, vf, planned);
        pcv_device_put(vf);
        if (!done) {
            return false;
        }
        *rid = next;
    }
    return false;
}

bool pcv__vfs_walk(struct pcv_device *pf)
{
    struct pcv__mem *mem = &pf->host->mem;
    struct pcv__vfs *vfs = pf->vfs;
    uint32_t rid;
    bool planned, done;

    pcv__lock_take(mem, &pf->lock);
    rid = vfs->rid;
    planned = vfs->planned;
    pcv__lock_drop(mem, &pf->lock);
    done = walk_on(pf, &rid, &planned);
    pcv__lock_take(mem, &pf->lock);
    vfs->rid = rid;
    vfs->planned = planned;
    pcv__lock_drop(mem, &pf->lock);
    return done;
}

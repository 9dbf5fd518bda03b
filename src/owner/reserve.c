/* SPDX-License-Identifier: MIT */
/*
 * The first step of an add: an address is taken by a device that nobody can
 * find yet, and a VF is counted at its PF.
 */
#include "owner/emulated.h"
#include "owner/move.h"
#include "registry/route.h"

bool pcv__claims_vf(const struct pcv_add_info *info)
{
    return info && (info->flags & PCV_ADD_IS_VF) != 0;
}

/* What vPCI, the counters and the work lists keep of a device. */
static void device_init_shared(struct pcv_device *device)
{
    device->kept.above = NULL;
    device->kept.next = NULL;
    device->kept.paused = false;
    device->kept.joining = false;
    atomic_store_explicit(&device->kept.is, false, memory_order_relaxed);
    atomic_store_explicit(&device->ext_plan, 0, memory_order_relaxed);
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    atomic_store_explicit(&device->quiet_until_us, 0, memory_order_relaxed);
    atomic_store_explicit(&device->refused, 0, memory_order_relaxed);
    atomic_store_explicit(&device->entered, 0, memory_order_relaxed);
    atomic_store_explicit(&device->no_read, 0, memory_order_relaxed);
    atomic_store_explicit(&device->stores, 0, memory_order_relaxed);
    atomic_store_explicit(&device->passes, 0, memory_order_relaxed);
    atomic_store_explicit(&device->node, PCV_NODE_NONE, memory_order_relaxed);
    atomic_store_explicit(&device->guest_sbdf, 0, memory_order_relaxed);
    atomic_store_explicit(&device->renumbered, false, memory_order_relaxed);
    atomic_store_explicit(&device->read_only, false, memory_order_relaxed);
    atomic_store_explicit(&device->slot_event, false, memory_order_relaxed);
    atomic_store_explicit(&device->suspect, false, memory_order_relaxed);
    atomic_store_explicit(&device->vf_work, 0, memory_order_relaxed);
}

/* What it is: not known yet. */
static void device_init_identity(struct pcv_device *device)
{
    memset(&device->id, 0, sizeof(device->id));
    memset(device->bar, 0, sizeof(device->bar));
    device->vf_memory = false;
    device->type = PCV_TYPE_UNKNOWN;
    device->cap_problems = 0;
    device->pcie_cap = 0;
    device->phantom_bits = 0;
    device->pcix = false;
    device->is_vf = false;
    device->pf = NULL;
    atomic_store_explicit(&device->physfn, 0, memory_order_relaxed);
    device->sriov_cap = 0;
    device->ari_cap = 0;
    device->acs_cap = 0;
    device->vf_count = 0;
    device->is_bridge = false;
    device->bus_conflict = false;
    device->bound = false;
    device->last_bus = 0;
    device->vf_index = 0;
    device->secondary = 0;
    device->subordinate = 0;
}

/* Nothing is kept with it, and nobody changes its owner. */
static void device_init_owned(struct pcv_device *device,
                              const struct pcv_host *host)
{
    device->next_leaving = NULL;
    device->done = NULL;
    device->vfs = NULL;
    device->assignment = NULL;
    device->saved = NULL;
    device->extras = NULL;
    atomic_store_explicit(&device->marks, 0, memory_order_relaxed);
    atomic_store_explicit(&device->notes, 0, memory_order_relaxed);
    atomic_store_explicit(&device->dma, host->quarantine.id,
                          memory_order_relaxed);
    device->changing = false;
    atomic_store_explicit(&device->change_for, NULL, memory_order_relaxed);
    device->change_to = NULL;
    device->change_reset = false;
    atomic_store_explicit(&device->change_step, PCV_STEP_NONE,
                          memory_order_relaxed);
    atomic_store_explicit(&device->change_error, 0, memory_order_relaxed);
    device->rebar_cap = 0;
}

/* A fresh device in a recycled slot. The word stays zero until everything
 * else is set, so that nobody can take a reference meanwhile. */
static void device_init(struct pcv_device *device, struct pcv_host *host,
                        struct pcv__segment *segment,
                        pcv_sbdf sbdf) PCV__NO_ANALYSIS
{
    if (device->lock.rank == 0) {
        /* Once for the slot: a detach may still pass by. */
        pcv__lock_init(&device->lock, PCV__RANK_DEVICE);
        device->host = host;
    }
    device->segment = segment;
    device->view = NULL;
    atomic_store_explicit(&device->owner, &host->hardware,
                          memory_order_relaxed);
    atomic_store_explicit(&device->barred, PCV__BARRED_EXTENDED,
                          memory_order_relaxed);
    device_init_shared(device);
    device_init_identity(device);
    device_init_owned(device, host);
    pcv__lock_take(&host->mem, &device->lock);
    device->vectors = NULL;
    device->torn = false;
    pcv__lock_drop(&host->mem, &device->lock);
    atomic_store_explicit(&device->sbdf, sbdf.v, memory_order_relaxed);
    atomic_store_explicit(&device->word,
                          PCV__WORD_NEW |
                              pcv__holder_unit(PCV_HOLDER_REGISTRY) |
                              pcv__holder_unit(PCV_HOLDER_OWNER),
                          memory_order_release);
}

/* The PF that a VF names, with a caller's reference, counted as having one VF
 * more; or an error. */
static int take_pf(struct pcv_host *host, const struct pcv_add_info *info,
                   struct pcv__segment *segment, struct pcv_device **out_pf)
    PCV__REQUIRES(segment->lock)
{
    struct pcv_device *pf = pcv_device_find(host, info->physfn);

    (void)segment;
    if (!pf) {
        return -PCV_ENODEV;
    }
    if (pcv__has_vanished(pf)) {
        pcv_device_put(pf);
        return -PCV_ENODEV; /* it took its VFs along (LIFE-9) */
    }
    if (pf->sriov_cap && !pcv__is_extended(pf)) {
        pcv_device_put(pf);
        return -PCV_ENODEV; /* it cannot be asked for the moment (EXT-2) */
    }
    if (!pf->sriov_cap || pf->is_vf) {
        pcv_device_put(pf);
        return -PCV_EINVAL;
    }
    *out_pf = pf;
    return 0;
}

/*
 * Whether several bridges claim the bus, so that what is found there may be one
 * that is kept, or be elsewhere when its bridge is bound. What firmware left is
 * taken as it is, at the first scan: devices work there.
 */
static bool is_nobodys(struct pcv__segment *segment, uint8_t bus)
    PCV__REQUIRES(segment->lock)
{
    return (segment->kept && pcv__is_disputed(segment, bus)) ||
           (pcv__moves(segment) != 0 && pcv__is_contested(segment, bus));
}

static int reserve_locked(struct pcv_host *host, struct pcv__segment *segment,
                          pcv_sbdf sbdf, const struct pcv_add_info *info,
                          struct pcv_device *device, struct pcv_device **out_pf)
    PCV__REQUIRES(segment->lock)
{
    _Atomic(struct pcv_device *) *place;
    int error = 0;

    if (pcv__claims_vf(info)) {
        error = take_pf(host, info, segment, out_pf);
    }
    if (error != 0) {
        return error;
    }
    place = pcv__table_place(host, segment, sbdf);
    if (!place) {
        return -PCV_ENOMEM;
    }
    if (atomic_load_explicit(place, memory_order_acquire) ||
        pcv__emulated_takes(segment, sbdf)) {
        return -PCV_EEXIST; /* it leaves, or somebody else adds it */
    }
    /* Who answers while bus numbers move may be one that is kept (TOPO-4); or
     * what is there is not to be asked (OWN-16). */
    if (segment->moving || is_nobodys(segment, pcv_sbdf_bus(sbdf)) ||
        pcv__bus_is_reset(host, sbdf)) {
        return -PCV_EEXIST;
    }
    device_init(device, host, segment, sbdf);
    if (pcv__claims_vf(info)) {
        device->is_vf = true;
        device->pf = *out_pf;
        atomic_store_explicit(&device->physfn, info->physfn.v,
                              memory_order_relaxed);
        (*out_pf)->vf_count++;
    }
    atomic_store_explicit(place, device, memory_order_release);
    atomic_fetch_add_explicit(&host->device_count, 1, memory_order_relaxed);
    return 0;
}

int pcv__reserve(struct pcv_host *host, struct pcv__segment *segment,
                 pcv_sbdf sbdf, const struct pcv_add_info *info,
                 struct pcv_device **out_device, struct pcv_device **out_pf)
{
    struct pcv_device *device = pcv__pool_take(&host->devices);
    int error;

    if (!device) {
        return -PCV_ENOMEM;
    }
    pcv__lock_take(&host->mem, &segment->lock);
    error = reserve_locked(host, segment, sbdf, info, device, out_pf);
    pcv__lock_drop(&host->mem, &segment->lock);
    if (error != 0) {
        pcv_device_put(*out_pf);
        *out_pf = NULL;
        pcv__pool_give(&host->devices, &device->pooled);
        return error;
    }
    *out_device = device;
    return 0;
}

void pcv__forget_vf(struct pcv_host *host, struct pcv_device *vf)
{
    struct pcv__segment *segment = vf->segment;
    struct pcv_device *pf;

    if (!vf->is_vf) {
        return;
    }
    pcv__lock_take(&host->mem, &segment->lock);
    /* The PF stays until it counts this VF no more, but it may be leaving. */
    pf = vf->pf;
    if (pf && pf->vf_count > 0) {
        pf->vf_count--;
    }
    vf->pf = NULL;
    pcv__lock_drop(&host->mem, &segment->lock);
}

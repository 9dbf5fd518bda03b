/* SPDX-License-Identifier: MIT */
/*
 * Adding a device (LIFE-7). First its address is reserved, by a device that
 * nobody can find yet; then hardware is asked and the view is built, without
 * a lock; then it is published. A failure at any step takes the reservation
 * back, and with it everything that was built.
 */
#include "owner/dma.h"
#include "owner/emulated.h"
#include "owner/look.h"
#include "owner/vfs.h"
#include "registry/resting.h"
#include "registry/route.h"
#include "vpci/reserved.h"

#define KNOWN_FLAGS                                                            \
    (PCV_ADD_IS_VF | PCV_ADD_HAS_NODE | PCV_ADD_EXTENDED_FUNCTION)

static bool info_valid(pcv_sbdf sbdf, const struct pcv_add_info *info)
{
    if (!info) {
        return true;
    }
    if ((info->flags & ~KNOWN_FLAGS) != 0 ||
        (pcv__claims_vf(info) && pcv__claims_extended(info))) {
        return false; /* where a VF stands, its PF says */
    }
    return (info->flags & PCV_ADD_IS_VF) == 0 ||
           (info->physfn.v != sbdf.v &&
            pcv_sbdf_segment(info->physfn) == pcv_sbdf_segment(sbdf));
}

static void learn_node(struct pcv_device *device,
                       const struct pcv_add_info *info)
{
    const struct pcv__mem *mem = &device->host->mem;
    uint32_t node = PCV_NODE_NONE;

    if (info && (info->flags & PCV_ADD_HAS_NODE) != 0) {
        node = info->node;
    } else if (!mem->ops.node ||
               mem->ops.node(mem->ctx, pcv__device_sbdf(device), &node) != 0) {
        return; /* what is known already stays */
    }
    atomic_store_explicit(&device->node, node, memory_order_relaxed);
}

/* What the host could not read or write, we do not build on. */
static int checked(const struct pcv_device *device, int error)
{
    return error != 0
               ? error
               : atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

static int set_up(struct pcv_device *device, struct pcv_device *pf)
{
    int error = pcv__vpci_build(device, pf);

    if (error == 0) {
        pcv__lock_take(&device->host->mem, &device->lock);
        error = pcv__map_begin(device);
        pcv__lock_drop(&device->host->mem, &device->lock);
    }
    return checked(device, error);
}

/* A view that drops every write and maps nothing; where its BARs can be read,
 * they answer sizing, and are nobody's, as of what the hypervisor drives. */
static int show_read_only(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *vpci;

    pcv__vpci_free(device);
    vpci = pcv__vpci_create(device);
    if (!vpci) {
        return -PCV_ENOMEM;
    }
    vpci->pass_through = true;
    vpci->read_only = true;
    device->view = &vpci->view;
    device->torn = false;
    pcv__read_only_silence(device);
    if (pcv__read_only_build(device, &vpci) == 0) {
        pcv__read_only_take(device, vpci);
    }
    return 0;
}

/*
 * The function is there, but the host failed while its vPCI state was built:
 * the hardware domain may look at it and change nothing, so that MSI and MSI-X
 * of the function itself are out of its reach (OWN-2). Without memory there is
 * nothing to look at either: then, as where the function does not answer, the
 * add fails (LIFE-7), which keeps it just as far away.
 */
static int fall_back(struct pcv_device *device, int error)
{
    struct pcv__mem *mem = &device->host->mem;
    int failed;

    if (error != -PCV_EIO) {
        return error;
    }
    if (device->view) {
        pcv__vpci_teardown(device);
    }
    pcv__lock_take(mem, &device->lock);
    failed = show_read_only(device);
    pcv__lock_drop(mem, &device->lock);
    if (failed != 0) {
        return failed;
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    atomic_fetch_or_explicit(&device->marks, PCV__MARK_READ_ONLY,
                             memory_order_relaxed);
    pcv__reserved_evict(device->host);
    pcv__event(device, PCV_EVENT_READ_ONLY, PCV_EVENT_HOST, (uint64_t)-error,
               0);
    return 0;
}

/* Everything that is learnt from hardware, without a lock. */
static int build(struct pcv_device *device, struct pcv_device *pf,
                 const struct pcv_add_info *info)
{
    int error = pf ? pcv__vf_check(device, pf) : 0;

    if (error == 0) {
        error = pcv__identify(device, pf);
    }
    error = checked(device, error);
    if (error == 0 && pcv__claims_extended(info)) {
        device->phantom_bits = 0; /* as with the capability (TOPO-5) */
        error = pcv__extended_believe(device);
    }
    if (error != 0) {
        return error;
    }
    learn_node(device, info);
    error = set_up(device, pf);
    if (error != 0) {
        error = fall_back(device, error);
    }
    return error != 0 ? error : pcv__dma_home(device);
}

/* A bridge or PF that is not live is as good as vanished: it leaves, or left.
 */
static bool has_vanished(struct pcv__segment *segment, pcv_sbdf sbdf)
    PCV__REQUIRES(segment->lock)
{
    const struct pcv_device *device = pcv__live_at(segment, sbdf);

    return !device || pcv__has_vanished(device);
}

/* Whether the bridge above, or the PF, is known to be gone. */
static bool lost(struct pcv__segment *segment, const struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    const struct pcv_device *bridge;
    pcv_sbdf above;

    if (device->is_vf && has_vanished(segment, pcv__physfn(device))) {
        return true;
    }
    if (pcv_topology_upstream(device->host, segment->number,
                              pcv_sbdf_bus(pcv__device_sbdf(device)),
                              &above) == 0 &&
        has_vanished(segment, above)) {
        return true;
    }
    bridge = pcv__above(segment, device); /* it may be in conflict */
    return bridge && pcv__has_vanished(bridge);
}

/* Let it be found, and keep a caller's reference to it. -PCV_ENODEV: what it
 * hangs on vanished while hardware was asked, so it did too. */
static int publish(struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    struct pcv__segment *segment = device->segment;
    int error = 0;

    pcv__lock_take(&host->mem, &segment->lock);
    if (lost(segment, device)) {
        error = -PCV_ENODEV;
    } else {
        if (device->is_bridge) {
            pcv__bridge_bind(segment, device);
            pcv__guard_covers(segment, device);
        }
        /* Nobody else can have one yet, so the count is not full. */
        (void)pcv__ref_try(device, PCV_HOLDER_CALLER, 0);
        atomic_fetch_and_explicit(&device->word, ~PCV__WORD_NEW,
                                  memory_order_acq_rel);
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    return error;
}

/* It can be found already: bus numbers may be moving. */
static void tell_problems(struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    pcv_sbdf sbdf = pcv__device_sbdf(device);
    uint8_t first, last;
    bool conflict;

    pcv__lock_take(&host->mem, &device->segment->lock);
    conflict = device->bus_conflict;
    first = device->secondary;
    last = device->subordinate;
    pcv__lock_drop(&host->mem, &device->segment->lock);

    if (device->cap_problems != 0) {
        pcv__event_at(host, sbdf, PCV_EVENT_CAP_LIST, device->cap_problems, 0);
    }
    if (conflict) {
        pcv__event_at(host, sbdf, PCV_EVENT_BUS_NUMBERS, first, last);
    }
}

/* Inside its gate, since its owner may be changed: then there is nothing to go
 * on with. */
int pcv__add_finish(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    enum pcv_verdict verdict = pcv__gate_enter_held(device, 0);

    if (verdict == PCV_DONE) {
        pcv__lock_take(mem, &device->lock);
        verdict = pcv__map_step(device);
        pcv__lock_drop(mem, &device->lock);
        pcv__gate_leave(device);
    }
    return verdict == PCV_DONE || verdict == PCV_ABSENT ? 0 : -PCV_ERESTART;
}

static int add_new(struct pcv_host *host, struct pcv__segment *segment,
                   pcv_sbdf sbdf, const struct pcv_add_info *info,
                   uint8_t last_bus)
{
    struct pcv_device *device = NULL;
    struct pcv_device *pf = NULL;
    int error = pcv__reserve(host, segment, sbdf, info, &device, &pf);

    if (error != 0) {
        return error == -PCV_EEXIST ? -PCV_EBUSY : error;
    }
    device->last_bus = last_bus;
    error = build(device, pf, info);
    if (error == 0) {
        error = publish(device);
    }
    if (error != 0) {
        pcv_device_put(pf);
        if (device->view) {
            pcv__vpci_teardown(device);
        }
        pcv__dma_lost(device);
        pcv__forget_vf(host, device);
        pcv__ref_put(device, PCV_HOLDER_OWNER);
        pcv__ref_put(device, PCV_HOLDER_REGISTRY);
        return error;
    }
    if (device->is_bridge) {
        pcv__dma_bridge_came(device);
    }
    pcv__event_at(host, sbdf, PCV_EVENT_ADDED, 0, 0);
    pcv__kept_superseded(host, segment);
    tell_problems(device);
    if (pf) {
        /* Its PF may have changed before anybody could find it. */
        bool planned = false;

        error = pcv__vf_follow(pf, device, &planned) ? 0 : -PCV_ERESTART;
        pcv_device_put(pf);
    } else {
        error = pcv__add_finish(device);
    }
    pcv_device_put(device);
    return error;
}

/* The same card is there: take over what is new about it. */
static int update(struct pcv_device *device, const struct pcv_add_info *info)
{
    int error = 0;

    if (pcv__claims_vf(info) &&
        (!device->is_vf || pcv__physfn(device).v != info->physfn.v)) {
        return -PCV_EINVAL;
    }
    if (pcv__claims_extended(info)) {
        error = pcv__extended_believe(device);
    }
    if (error != 0) {
        return error;
    }
    learn_node(device, info);
    if (device->vfs) {
        pcv__lock_take(&device->host->mem, &device->lock);
        error = pcv__vfs_refresh(device);
        pcv__lock_drop(&device->host->mem, &device->lock);
    }
    return error != 0 ? error : pcv__add_finish(device);
}

/*
 * 0: the card that answers is the registered one; -PCV_ENOENT: it is another;
 * -PCV_EBUSY: bus numbers change; or an error of the host. A device that does
 * not answer is asleep for all we know (LIFE-9), not another; one that was just
 * reset is not asked (SRIOV-3). Nor is one that was taken from its address
 * since it was found (TOPO-4): what answers there by now says nothing about it.
 */
static int same_card(struct pcv_device *device, pcv_sbdf found_at)
{
    uint32_t moves = pcv__moves(device->segment);
    struct pcv__identity now;
    int error;

    if (pcv__is_unreachable(device) ||
        pcv__device_sbdf(device).v != found_at.v) {
        return -PCV_EBUSY;
    }
    error = pcv__hw_quiet_us(device) != 0 ? -PCV_EAGAIN
                                          : pcv__identify_again(device, &now);
    if (error == -PCV_ENODEV || error == -PCV_EAGAIN) {
        return 0;
    }
    if (error != 0) {
        return error;
    }
    if (pcv__identity_same(device, &now)) {
        atomic_store_explicit(&device->suspect, false, memory_order_release);
        return 0;
    }
    /* Bus numbers may lead elsewhere than when it was found. */
    return moves % 2u != 0 || moves != pcv__moves(device->segment)
               ? -PCV_EBUSY
               : -PCV_ENOENT;
}

/* A device is registered there. 0 or -PCV_ERESTART: it is the same one;
 * -PCV_ENOENT: it was another, and is gone. */
static int meet(struct pcv_host *host, struct pcv_device *device, pcv_sbdf sbdf,
                const struct pcv_add_info *info)
{
    int error;

    if (pcv__claims_vf(info)) {
        /* The claim must hold before anything else is looked at. */
        struct pcv_device *pf = pcv_device_find(host, info->physfn);

        pcv_device_put(pf);
        if (!pf) {
            pcv_device_put(device);
            return -PCV_ENODEV;
        }
    }
    error = pcv__has_vanished(device) ? -PCV_ENOENT : same_card(device, sbdf);
    if (error != -PCV_ENOENT) {
        error = error == 0 ? update(device, info) : error;
        pcv_device_put(device);
        return error;
    }
    error = pcv__device_replaced(device);
    return error == 0 ? -PCV_ENOENT : error;
}

static int add(struct pcv_host *host, pcv_sbdf sbdf,
               const struct pcv_add_info *info,
               const struct pcv_segment_info *run)
{
    struct pcv__segment *segment;
    struct pcv_device *device;
    int error;

    device = pcv_device_find(host, sbdf);
    if (!device) {
        error = pcv__join_at(host, sbdf); /* TOPO-4 */
        if (error != 0 && error != -PCV_ENOENT) {
            return error;
        }
        device = error == 0 ? pcv_device_find(host, sbdf) : NULL;
    }
    if (device) {
        error = meet(host, device, sbdf, info);
        if (error != -PCV_ENOENT) {
            return error;
        }
    }
    error = pcv__emulated_conceals(host, sbdf, pcv__claims_vf(info));
    if (error == 0) {
        error = pcv__concealed_place(host, sbdf, pcv__claims_vf(info));
    }
    if (error != 0) {
        return error;
    }
    /* Most addresses are empty: they cost one read, and no memory. */
    error = pcv__claims_vf(info) || pcv__table_peek(host, sbdf)
                ? 0
                : pcv__probe(host, sbdf);
    if (error != 0) {
        return error;
    }
    /* A VF whose segment has no device has no PF either. */
    segment = pcv__claims_vf(info)
                  ? pcv__segment_find(host, pcv_sbdf_segment(sbdf))
                  : pcv__segment_get(host, pcv_sbdf_segment(sbdf));
    if (!segment) {
        return pcv__claims_vf(info) ? -PCV_ENODEV : -PCV_ENOMEM;
    }
    return add_new(host, segment, sbdf, info, run->bus_last);
}

int pcv_device_add(struct pcv_host *host, pcv_sbdf sbdf,
                   const struct pcv_add_info *info)
{
    struct pcv_segment_info run;
    int error;

    if (!host || !info_valid(sbdf, info)) {
        return -PCV_EINVAL;
    }
    error = pcv__bus_run(host, sbdf, &run);
    if (error == 0 && pcv__claims_extended(info)) {
        error = pcv__extended_check(host, sbdf);
    }
    pcv__resting_due(host);
    if (error != 0) {
        return error;
    }
    error = add(host, sbdf, info, &run);
    if (pcv__claims_extended(info) && (error == 0 || error == -PCV_ERESTART)) {
        pcv__extended_added(host, sbdf);
    }
    return error;
}

/* SPDX-License-Identifier: MIT */
/*
 * Extended space of one device comes or goes (EXT-3): behind its paused gate,
 * what its owner sees there is built or torn down. The first 256 bytes, and all
 * that is mapped, are left alone.
 */
#include "owner/ecam.h"
#include "owner/look.h"
#include "registry/identify.h"

/* What is changed, while nobody is inside the gate. */
struct target {
    bool shown; /* somebody's: behind quarantine's closed gate nobody sees what
                   it may still have of a view */
    bool has_vfs; /* VFs of it are registered */
};

static bool has_registers(const struct pcv_device *device,
                          const struct target *target)
{
    return target->shown && !pcv__vpci(device)->read_only;
}

/* Extended space goes. Nothing is asked of hardware, which may not be reached
 * any more, and no memory is needed. What tells the card stays known, and what
 * its VFs are: they stay, without extended space as well. */
static void take_away(struct pcv_device *device, const struct target *target)
    PCV__REQUIRES(device->lock)
{
    pcv__bar(device, PCV__BARRED_EXTENDED);
    if (has_registers(device, target)) {
        pcv__caps_forget_extended(device);
    }
    device->ari_cap = 0;
    device->acs_cap = 0;
}

/* What the host could not read or write, we do not build on. */
static int host_error(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

/* BARs of VFs are sized only while there is none. */
static int build_vfs(struct pcv_device *device, bool has_vfs)
    PCV__REQUIRES(device->lock)
{
    int error;

    if (!device->sriov_cap || device->is_vf ||
        atomic_load_explicit(&device->read_only, memory_order_relaxed)) {
        return 0; /* sizing would write to what the hypervisor drives */
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    error = has_vfs && device->vfs ? pcv__vfs_refresh(device)
                                   : pcv__vfs_read(device);
    return error != 0 ? error : host_error(device);
}

/* What stands in extended space that was not there: VFs, then registers. */
static int build(struct pcv_device *device, const struct target *target)
    PCV__REQUIRES(device->lock)
{
    int error = build_vfs(device, target->has_vfs);

    if (error != 0 || !has_registers(device, target)) {
        return error;
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    error = pcv__caps_build(device, PCV__LIST_EXTENDED);
    return error != 0 ? error : host_error(device);
}

/* Extended space comes. If that fails it is as before: all of it is hidden. */
static int bring(struct pcv_device *device, const struct target *target)
    PCV__REQUIRES(device->lock)
{
    struct pcv__reader reader = {device->host, pcv__device_sbdf(device), 0};
    uint32_t problems = device->cap_problems;
    int error;

    pcv__ext_learn(device, &reader);
    error = reader.error;
    if (error == 0) {
        pcv__unbar(device, PCV__BARRED_EXTENDED);
        error = build(device, target);
    }
    if (error != 0) {
        take_away(device, target);
        pcv__event(device, PCV_EVENT_CAP_HIDDEN, PCV_EVENT_DEVICE, 0x10000u,
                   (uint64_t)-error);
    } else if (device->cap_problems != problems) {
        pcv__event(device, PCV_EVENT_CAP_LIST, PCV_EVENT_DEVICE,
                   device->cap_problems, 0);
    }
    return error;
}

static int flip(struct pcv_device *device, const struct target *target)
    PCV__REQUIRES(device->lock)
{
    bool on = !pcv__is_extended(device);
    int error = 0;

    if (on) {
        error = bring(device, target);
    } else {
        take_away(device, target);
    }
    pcv__ext_set_plan(device, error == 0 ? 0 : PCV__EXT_PENDING);
    if (error == 0) {
        pcv__event(device, PCV_EVENT_EXTENDED, PCV_EVENT_HOST, on, 0);
    }
    return error;
}

static int change_locked(struct pcv_device *device, const struct target *target)
    PCV__REQUIRES(device->lock)
{
    int error = target->shown ? pcv__gate_pause(device) : 0;

    if (error == -PCV_ERESTART) {
        pcv__ext_set_plan(device, PCV__EXT_PENDING | PCV__EXT_PAUSED);
        return error;
    }
    if (error == 0) {
        error = flip(device, target);
    } else {
        /* One that is being removed needs nothing any more. What is between two
         * calls of a change of owner, or of a reset, has to be waited for. */
        error =
            (pcv__word(device) & PCV__WORD_LEAVING) != 0 ? 0 : -PCV_ERESTART;
    }
    if (target->shown) {
        pcv__gate_open(device);
    }
    return error;
}

/*
 * Whether its owner is being changed: then nothing is begun. The lock and the
 * paused gate keep such a change out as long as the view is in use; one that is
 * in quarantine has neither, so there it is us who change its owner.
 */
static int begin(struct pcv_device *device, struct target *target)
    PCV__REQUIRES(device->segment->lock)
{
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);

    if (device->changing) {
        return -PCV_ERESTART;
    }
    target->shown = owner->kind != PCV_DOMAIN_QUARANTINE;
    target->has_vfs = device->vf_count != 0;
    device->changing = !target->shown;
    return 0;
}

int pcv__ext_change(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    struct target target;
    int error;

    pcv__lock_take(mem, &device->segment->lock);
    error = begin(device, &target);
    pcv__lock_drop(mem, &device->segment->lock);
    if (error != 0) {
        return error;
    }
    pcv__lock_take(mem, &device->lock);
    error = change_locked(device, &target);
    pcv__lock_drop(mem, &device->lock);
    if (!target.shown) {
        pcv__lock_take(mem, &device->segment->lock);
        device->changing = false;
        pcv__lock_drop(mem, &device->segment->lock);
    }
    return error;
}

/* ---- other bus numbers -----------------------------------------------------
 */

/* What it is to have at its address. One that does not answer keeps it. */
static bool verdict_of(struct pcv_device *device)
{
    struct pcv__reader reader = {device->host, pcv__device_sbdf(device), 0};
    bool extended = pcv__is_extended(device);

    if (!pcv__ext_possible(device, device->pf, NULL)) {
        return false;
    }
    if (extended || device->is_vf) {
        return true;
    }
    return pcv__ext_probe(&reader) == PCV__EXT_PRESENT;
}

void pcv__ext_moved(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    const struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);
    const struct target target = {
        .shown = device->view && owner->kind != PCV_DOMAIN_QUARANTINE,
        .has_vfs = pcv__has_live_vfs(device),
    };
    bool verdict = verdict_of(device);

    if (verdict == pcv__is_extended(device)) {
        return;
    }
    pcv__lock_take(mem, &device->lock);
    if (owner->kind != PCV_DOMAIN_GUEST) {
        (void)flip(device, &target);
    } else if (!verdict) {
        pcv__bar(device, PCV__BARRED_EXTENDED);
        pcv__event(device, PCV_EVENT_EXTENDED, PCV_EVENT_HOST, 0, 0);
    }
    pcv__lock_drop(mem, &device->lock);
}

/* SPDX-License-Identifier: MIT */
/*
 * Resets at an administrator's word (OWN-16), for whoever has the function: a
 * guest finds it as after an FLR of its own, the hardware domain as it was. Its
 * gate is closed from the first stage to the last.
 */
#include "owner/change.h"
#include "owner/look.h"
#include "owner/reset.h"

static enum pcv_domain_kind owner_kind(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire)->kind;
}

/* ---- which way -------------------------------------------------------------
 */

const char *pcv_reset_name(enum pcv_reset reset)
{
    switch (reset) {
    case PCV_RESET_NONE:
        return "none";
    case PCV_RESET_FLR:
        return "FLR";
    case PCV_RESET_AF:
        return "Advanced Features FLR";
    case PCV_RESET_D3:
        return "D3hot";
    case PCV_RESET_BUS:
        return "bus reset";
    }
    return "?";
}

_Static_assert((int)PCV_RESET_FLR == (int)PCV__RESET_FLR &&
                   (int)PCV_RESET_AF == (int)PCV__RESET_AF &&
                   (int)PCV_RESET_D3 == (int)PCV__RESET_D3,
               "one numbering of ways to be reset");

/* A VF of a PF. */
static pcv_sbdf first_vf(struct pcv_device *pf)
{
    struct pcv__mem *mem = &pf->host->mem;
    pcv_sbdf sbdf = pcv__device_sbdf(pf);
    uint32_t rid = 0;
    struct pcv_device *vf;

    pcv__lock_take(mem, &pf->segment->lock);
    vf = pcv__next_vf(pf->segment, pf, &rid);
    if (vf) {
        sbdf = pcv__device_sbdf(vf);
    }
    pcv__lock_drop(mem, &pf->segment->lock);
    return sbdf;
}

static int choose(struct pcv_device *device, enum pcv_reset *out_reset,
                  pcv_sbdf *out_busy)
{
    struct pcv__mem *mem = &device->host->mem;
    enum pcv__reset method;
    int error;

    *out_reset = PCV_RESET_NONE;
    if (device->is_bridge) {
        return 0;
    }
    pcv__lock_take(mem, &device->lock);
    error = pcv__reset_way(device, &method);
    pcv__lock_drop(mem, &device->lock);
    *out_reset = (enum pcv_reset)method;
    if (error == 0 && method == PCV__RESET_NONE) {
        error = pcv__bus_reset_check(device, NULL, out_busy);
        *out_reset = error != -PCV_EOPNOTSUPP ? PCV_RESET_BUS : PCV_RESET_NONE;
        error = error != -PCV_EOPNOTSUPP ? error : 0;
    }
    return error;
}

/* Whether it may be reset now, and how. */
static int may_reset(struct pcv_device *device, enum pcv_reset *out_reset,
                     pcv_sbdf *out_busy)
{
    int error;

    if (pcv__is_unreachable(device)) {
        return -PCV_ENODEV;
    }
    error = choose(device, out_reset, out_busy);
    if (error == 0 && pcv__has_live_vfs(device)) {
        *out_busy = first_vf(device);
        error = -PCV_EBUSY;
    }
    return error;
}

int pcv_device_reset_method(struct pcv_host *host, pcv_sbdf sbdf,
                            enum pcv_reset *out_reset, pcv_sbdf *out_busy)
{
    struct pcv_device *device;
    enum pcv_reset reset;
    pcv_sbdf busy = sbdf;
    int error;

    if (!host || !out_reset) {
        return -PCV_EINVAL;
    }
    error = pcv__change_begin(host, sbdf, &device);
    if (error == 0) {
        error = may_reset(device, &reset, &busy);
        pcv__change_end(device);
    } else {
        reset = PCV_RESET_NONE;
    }
    if (error == 0 || (error == -PCV_EBUSY && busy.v != sbdf.v)) {
        *out_reset = reset;
    }
    if (error == -PCV_EBUSY && out_busy) {
        *out_busy = busy;
    }
    return error;
}

/* ---- at an administrator's word --------------------------------------------
 */

/* How far it is, in device->extras; a call may stop after each. */
enum stage {
    STAGE_NONE,    /* nothing has begun */
    STAGE_SILENCE, /* what is under way ends */
    STAGE_UNMAP,   /* a guest's mappings go */
    STAGE_RESET,
    STAGE_SETTLE, /* it is left alone, then put in order */
};

static void stage_set(struct pcv_device *device, enum stage stage)
    PCV__REQUIRES(device->lock)
{
    device->extras->reset_stage = (uint8_t)stage;
}

/* Nobody is inside any more; what stands in it is known. */
static int prepare(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    int error;

    if (!pcv__extras_get(device)) {
        return -PCV_ENOMEM;
    }
    /* What its owner did just now comes first. */
    error = pcv__settle_patiently(device);
    if (error == 0 && pcv__map_step(device) != PCV_DONE) {
        error = -PCV_ERESTART;
    }
    if (error != 0) {
        return error;
    }
    if (!device->assignment) {
        error = pcv__reset_save(device);
    }
    if (error == 0) {
        stage_set(device, STAGE_SILENCE);
    }
    return error;
}

/* What its owner sees from now on. The hardware domain is not to notice. */
static int silence(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    int error = pcv__quiesce(device);

    if (error != 0) {
        return error;
    }
    if (device->assignment) {
        pcv__caps_reset(device);
        pcv__header_guest_reset(device);
        (void)pcv__map_again(device, false, PCV__MOVING_ALL);
    }
    stage_set(device, STAGE_UNMAP);
    return 0;
}

static int unmap(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    if (pcv__map_step(device) != PCV_DONE) {
        return -PCV_ERESTART;
    }
    stage_set(device, STAGE_RESET);
    return 0;
}

/* Stages under the device's lock. */
static int locked_stage(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    int error = 0;

    pcv__lock_take(mem, &device->lock);
    switch (device->extras ? (enum stage)device->extras->reset_stage
                           : STAGE_NONE) {
    case STAGE_NONE:
        error = prepare(device);
        break;
    case STAGE_SILENCE:
        error = silence(device);
        break;
    case STAGE_UNMAP:
        error = unmap(device);
        break;
    case STAGE_SETTLE:
        error = pcv__settle_patiently(device);
        break;
    case STAGE_RESET:
        break;
    }
    pcv__lock_drop(mem, &device->lock);
    return error;
}

static enum stage stage_of(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    enum stage stage;

    pcv__lock_take(mem, &device->lock);
    stage =
        device->extras ? (enum stage)device->extras->reset_stage : STAGE_NONE;
    pcv__lock_drop(mem, &device->lock);
    return stage;
}

static void reset_began(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &device->lock);
    pcv__quiesce_end(device);
    device->extras->restores = !device->assignment;
    stage_set(device, STAGE_SETTLE);
    pcv__lock_drop(mem, &device->lock);
}

static int reset(struct pcv_device *device, pcv_sbdf *out_busy)
{
    int error = pcv__reset_itself(device);
    bool bus = error == -PCV_EOPNOTSUPP;

    if (bus) {
        error = pcv__bus_reset(device, NULL, out_busy);
    }
    if (error == 0 ||
        (bus && error == -PCV_ERESTART && pcv__bus_reset_go_on(device) != 0)) {
        /* A bus reset goes on by itself; what comes after it is put in order
         * as after any other. */
        (void)(bus ? pcv__reset_with_bus(device) : 0);
        reset_began(device);
    }
    return error;
}

/* It is its owner's again, also where a change of owner had been begun and was
 * given up: nothing of that goes on. */
static void open(struct pcv_device *device, bool failed)
{
    struct pcv__mem *mem = &device->host->mem;

    if (pcv__is_on_its_way(device)) {
        pcv__change_at(device, PCV_STEP_NONE);
    }
    pcv__lock_take(mem, &device->lock);
    if (failed) {
        pcv__quiesce_undo(device);
    }
    if (device->extras) {
        stage_set(device, STAGE_NONE);
    }
    pcv__reset_used(device);
    pcv__gate_reopen(device);
    pcv__lock_drop(mem, &device->lock);
}

/* BARs that waited for pages of its. */
static void wake_others(struct pcv_device *device)
{
    struct pcv_domain *owner =
        atomic_load_explicit(&device->owner, memory_order_acquire);

    if (owner->slot) {
        pcv__map_wake_all(owner);
    }
}

/* All stages, as far as they go. Bounded: each comes once. */
static int run(struct pcv_device *device, pcv_sbdf *out_busy)
{
    int error = pcv__gate_close(device);

    while (error == 0 && stage_of(device) != STAGE_SETTLE) {
        error = stage_of(device) == STAGE_RESET ? reset(device, out_busy)
                                                : locked_stage(device);
    }
    if (error == 0) {
        error = locked_stage(device);
    }
    if (error != -PCV_ERESTART) {
        open(device, error != 0);
        wake_others(device);
    }
    return error;
}

/* What nobody has is reset for its next owner. Once that has begun, or was
 * done, there is nothing to ask. */
static int reset_quarantined(struct pcv_device *device, pcv_sbdf *out_busy)
{
    enum pcv_reset way = PCV_RESET_FLR;
    int error = 0;

    if (!device->change_reset && !pcv__is_noted(device, PCV__NOTE_CLEAN) &&
        pcv__hw_quiet_us(device) == 0) {
        error = may_reset(device, &way, out_busy);
    }
    if (error == 0) {
        error = way == PCV_RESET_NONE ? -PCV_EOPNOTSUPP
                                      : pcv__change_reset(device, false);
    }
    if (error == 0) {
        device->change_reset = false;
        pcv__note(device, PCV__NOTE_CLEAN);
    }
    if (error != -PCV_ERESTART && !device->assignment &&
        !pcv__change_for(device)) {
        pcv__change_at(device, PCV_STEP_NONE); /* it is on no way anywhere */
    }
    return error;
}

static enum pcv_reset last_way(struct pcv_device *device)
{
    enum pcv_reset own = (enum pcv_reset)pcv__vpci(device)->reset_method;

    return own != PCV_RESET_NONE ? own : PCV_RESET_BUS;
}

static int reset_owned(struct pcv_device *device, pcv_sbdf *out_busy)
{
    enum pcv_reset way = PCV_RESET_NONE;
    int error = 0;

    if (pcv__change_for(device)) {
        return -PCV_EBUSY; /* its gate is a change of owner's to open */
    }
    if (stage_of(device) == STAGE_NONE) {
        error = may_reset(device, &way, out_busy);
        if (error == 0 && (way == PCV_RESET_NONE || !device->view ||
                           pcv__vpci(device)->read_only)) {
            error = -PCV_EOPNOTSUPP;
        }
    }
    if (error != 0) {
        return error;
    }
    if (stage_of(device) == STAGE_NONE &&
        owner_kind(device) == PCV_DOMAIN_HARDWARE &&
        (pcv__word(device) & PCV__WORD_CLOSED) != 0) {
        pcv__change_drop(device); /* what was begun and given up */
    }
    error = run(device, out_busy);
    if (error == 0) {
        pcv__event(device, PCV_EVENT_RESET, PCV_EVENT_HOST, last_way(device),
                   0);
    }
    return error;
}

int pcv_device_reset(struct pcv_host *host, pcv_sbdf sbdf, pcv_sbdf *out_busy)
{
    struct pcv_device *device;
    pcv_sbdf busy = sbdf;
    int error;

    if (!host) {
        return -PCV_EINVAL;
    }
    error = pcv__change_begin(host, sbdf, &device);
    if (error == 0) {
        if (pcv__is_unreachable(device)) {
            error = -PCV_ENODEV;
        } else if (owner_kind(device) == PCV_DOMAIN_HYPERVISOR ||
                   atomic_load_explicit(&device->read_only,
                                        memory_order_relaxed)) {
            error = -PCV_EPERM;
        } else {
            error = pcv__is_quarantined(device)
                        ? reset_quarantined(device, &busy)
                        : reset_owned(device, &busy);
        }
        pcv__change_end(device);
    }
    if (error == -PCV_EBUSY && out_busy) {
        *out_busy = busy;
    }
    return error;
}

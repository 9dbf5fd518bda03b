/* SPDX-License-Identifier: MIT */
/*
 * Extended configuration space comes and goes as the host declares it usable
 * or not (EXT-2, EXT-3).
 *
 * First every device that the declaration may concern is looked at, and what
 * its flag is to be is noted beside it. Nothing has changed yet, so a guest's
 * device that is in the way, or a host that fails, ends it there. Then, as one
 * step under the segment's lock, the declaration is recorded and the devices
 * that are to change are marked. Then each of these is changed, behind its
 * paused gate, once, to the value that it keeps. A mark stays until that is
 * done: whatever is interrupted is found again by the next call, and meanwhile
 * the device is not given to a guest (OWN-12).
 *
 * Concerned are the devices on the buses named, VFs of a PF whose flag changes,
 * and what is behind a bridge from or to a conventional bus whose flag does.
 * PFs come before VFs and bridges before what is behind them, which has higher
 * bus numbers, so that one sweep over each finds everything.
 */
#include "owner/ecam.h"
#include "owner/look.h"
#include "registry/identify.h"

#define LAST_RID 0xffffu

struct change {
    struct pcv_host *host;
    struct pcv__segment *segment;
    struct pcv__ecam ecam;
    pcv_sbdf busy;  /* who is in the way */
    uint32_t moves; /* of bus numbers, when we began to look */
    bool pf_moves;  /* a PF that has VFs is to change */
    bool adding;    /* something is being added, as `added` */
    pcv_sbdf added;
};

static bool is_gone(const struct pcv_device *device)
{
    return pcv__has_vanished(device);
}

static enum pcv_domain_kind owner_kind(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire)->kind;
}

static pcv_sbdf at(const struct change *change, uint32_t rid)
{
    return pcv_sbdf_make(change->segment->number, (uint8_t)(rid >> 8),
                         (uint8_t)rid);
}

bool pcv__ext_final(struct pcv_device *device)
{
    uint8_t bus = pcv_sbdf_bus(pcv__device_sbdf(device));

    return (pcv__ext_plan(device) & PCV__EXT_PENDING) == 0 &&
           (device->host->mem.ops.ecam_usable != NULL ||
            pcv__ecam_declared(device->segment, bus));
}

/* Whether this call finds that a device is to change. */
static bool plan_changes(const struct pcv_device *device)
{
    return ((pcv__ext_plan(device) & PCV__EXT_VERDICT) != 0) !=
           pcv__is_extended(device);
}

/* ---- who is concerned ------------------------------------------------------
 */

static bool is_named(const struct change *change, pcv_sbdf sbdf)
{
    uint8_t bus = pcv_sbdf_bus(sbdf);

    return change->ecam.first <= bus && bus <= change->ecam.last;
}

/* Whether something changes on which a device's own flag hangs: its PF, or a
 * bridge above it. Somebody holds the device, or it is live under the segment's
 * lock. */
static bool hangs_on_change(struct pcv_device *device)
{
    struct pcv_device *pf;
    bool moves;

    if (!device->is_vf) {
        return pcv__ext_path_moves(device->host, pcv__device_sbdf(device));
    }
    pf = pcv_device_find(device->host, pcv__physfn(device));
    moves = pf && pcv__ext_moves(pf);
    pcv_device_put(pf);
    return moves;
}

static bool is_concerned(const struct change *change, struct pcv_device *device)
{
    return is_named(change, pcv__device_sbdf(device)) ||
           pcv__ext_moves(device) || hangs_on_change(device);
}

/* ---- what each is to have --------------------------------------------------
 */

/* Whether hardware may be asked: nobody resets it, and the time after its last
 * reset is over (SRIOV-3), or it has not come back for longer than anybody
 * waits. */
static bool may_be_asked(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__segment *segment = device->segment;
    bool may;

    pcv__lock_take(mem, &segment->lock);
    may = !device->changing;
    if (may) {
        pcv__lock_take(mem, &device->lock);
        may = !device->view || !pcv__is_settling(device) ||
              pcv__settle_patiently(device) != -PCV_ERESTART;
        pcv__lock_drop(mem, &device->lock);
    }
    pcv__lock_drop(mem, &segment->lock);
    return may;
}

/* 0 and the verdict; -PCV_ERESTART: it must not be asked now; -PCV_EIO. One
 * that does not answer is asleep for all we know, and keeps what it has. */
static int decide(struct change *change, struct pcv_device *device,
                  bool *out_verdict)
{
    struct pcv__reader reader = {change->host, pcv__device_sbdf(device), 0};
    struct pcv_device *pf = NULL;
    bool possible;

    *out_verdict = pcv__is_extended(device);
    if (device->is_vf) {
        pf = pcv_device_find(change->host, pcv__physfn(device));
        if (!pf) {
            return 0; /* they are being removed */
        }
    }
    possible = pcv__ext_possible(device, pf, &change->ecam);
    pcv_device_put(pf);
    if (!possible || device->is_vf) {
        *out_verdict = possible;
        return 0;
    }
    if (!may_be_asked(device)) {
        return -PCV_ERESTART;
    }
    switch (pcv__ext_probe(&reader)) {
    case PCV__EXT_ABSENT:
        *out_verdict = false;
        break;
    case PCV__EXT_PRESENT:
        *out_verdict = true;
        break;
    case PCV__EXT_SILENT:
        break;
    }
    return reader.error;
}

static int probe(struct change *change, struct pcv_device *device)
{
    bool verdict;
    uint8_t plan;
    int error;

    if (is_gone(device) || !is_concerned(change, device)) {
        return 0;
    }
    error = decide(change, device, &verdict);
    if (error != 0) {
        change->busy = pcv__device_sbdf(device);
        return error;
    }
    plan = pcv__ext_plan(device) & (PCV__EXT_PENDING | PCV__EXT_PAUSED);
    pcv__ext_set_plan(device, (uint8_t)(plan | PCV__EXT_PROBED |
                                        (verdict ? PCV__EXT_VERDICT : 0u)));
    return 0;
}

/* Look at every device that can be found: VFs, or all others. */
static int probe_all(struct change *change, bool vfs)
{
    uint32_t rid = 0;

    /* Bounded: rid goes up. */
    while (pcv__segment_next(change->segment, &rid, LAST_RID)) {
        struct pcv_device *device =
            pcv_device_find(change->host, at(change, rid));
        int error = device && device->is_vf == vfs ? probe(change, device) : 0;

        pcv_device_put(device);
        if (error != 0) {
            return error;
        }
        rid++;
    }
    return 0;
}

/* ---- recording it ----------------------------------------------------------
 */

/* Whether a device is a guest's, or kept for one. Nobody changes its owner. */
static bool is_guests(const struct pcv_device *device)
{
    return owner_kind(device) == PCV_DOMAIN_GUEST || device->change_for;
}

/* Whether the declaration may go over a device: 0; -PCV_EBUSY; -PCV_ERESTART:
 * it came while we looked, or its owner is being changed. */
static int examine_live(struct change *change, struct pcv_device *device)
    PCV__REQUIRES(change->segment->lock)
{
    if (is_gone(device)) {
        return 0;
    }
    if ((pcv__ext_plan(device) & PCV__EXT_PROBED) == 0) {
        return is_concerned(change, device) ? -PCV_ERESTART : 0;
    }
    if (!pcv__ext_moves(device)) {
        return 0;
    }
    if (device->vf_count != 0) {
        change->pf_moves = true;
    }
    if (device->changing) {
        return -PCV_ERESTART;
    }
    if (is_guests(device) && plan_changes(device)) {
        pcv__event(device, PCV_EVENT_EXTENDED_BUSY, PCV_EVENT_HOST, 0, 0);
        return -PCV_EBUSY;
    }
    return 0;
}

/* One that is being added may have been probed before the declaration; nobody
 * but who adds it may look at more of it than its address. */
static int examine_new(struct change *change, pcv_sbdf sbdf)
{
    change->adding = true;
    change->added = sbdf;
    return is_named(change, sbdf) || pcv__ext_path_moves(change->host, sbdf)
               ? -PCV_ERESTART
               : 0;
}

static int examine(struct change *change) PCV__REQUIRES(change->segment->lock)
{
    uint32_t rid = 0;
    struct pcv_device *device;

    if (change->moves % 2u != 0 ||
        change->moves != pcv__moves(change->segment)) {
        change->busy = at(change, 0);
        return -PCV_ERESTART; /* who answered, answered for another */
    }
    /* Bounded: rid goes up. */
    while ((device = pcv__segment_next(change->segment, &rid, LAST_RID)) !=
           NULL) {
        pcv_sbdf sbdf = at(change, rid++);
        enum pcv__look look = pcv__look(device, sbdf);
        int error = 0;

        if (look == PCV__LOOK_LIVE) {
            error = examine_live(change, device);
        } else if (look == PCV__LOOK_NEW) {
            error = examine_new(change, sbdf);
        }
        if (error != 0) {
            change->busy = sbdf;
            return error;
        }
    }
    if (change->pf_moves && change->adding) {
        change->busy = change->added; /* it may be a VF */
        return -PCV_ERESTART;
    }
    return 0;
}

/* A device that stays as it is; an earlier call may have begun to change it. */
static void let_be(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;

    if ((pcv__ext_plan(device) & PCV__EXT_PAUSED) != 0) {
        pcv__lock_take(mem, &device->lock);
        pcv__gate_open(device);
        pcv__lock_drop(mem, &device->lock);
    }
    pcv__ext_set_plan(device, 0);
}

/* What was noted becomes what is to be done, or (not `recorded`) is forgotten.
 */
static void mark(struct change *change, bool recorded)
    PCV__REQUIRES(change->segment->lock)
{
    uint32_t rid = 0;
    struct pcv_device *device;

    /* Bounded: rid goes up. */
    while ((device = pcv__segment_next(change->segment, &rid, LAST_RID)) !=
           NULL) {
        pcv_sbdf sbdf = at(change, rid++);
        uint8_t plan = pcv__ext_plan(device);

        if (pcv__look(device, sbdf) != PCV__LOOK_LIVE ||
            (plan & PCV__EXT_PROBED) == 0) {
            continue;
        }
        if (!recorded) {
            pcv__ext_set_plan(
                device, plan & (uint8_t)(PCV__EXT_PENDING | PCV__EXT_PAUSED));
        } else if (plan_changes(device)) {
            pcv__ext_set_plan(
                device, (uint8_t)((plan & PCV__EXT_PAUSED) | PCV__EXT_PENDING));
        } else {
            let_be(device);
        }
    }
}

/* Look at all, then record all or nothing. */
static int declare(struct change *change)
{
    struct pcv__mem *mem = &change->host->mem;
    int error;

    change->moves = pcv__moves(change->segment);
    error = probe_all(change, false);
    if (error == 0) {
        error = probe_all(change, true);
    }
    pcv__lock_take(mem, &change->segment->lock);
    if (error == 0) {
        error = examine(change);
    }
    if (error == 0) {
        pcv__ecam_declare(change->segment, &change->ecam);
    }
    mark(change, error == 0);
    pcv__lock_drop(mem, &change->segment->lock);
    return error;
}

/* ---- changing them ---------------------------------------------------------
 */

/* One that hangs on another which could not be changed stays marked as well:
 * what is told of the other stands for both. */
static int change_marked(struct pcv_device *device)
{
    if (is_gone(device)) {
        let_be(device); /* its registers read all ones at once (LIFE-9) */
        return 0;
    }
    if ((pcv__ext_plan(device) & PCV__EXT_PENDING) == 0 ||
        hangs_on_change(device)) {
        return 0;
    }
    return pcv__ext_change(device);
}

/* All that are marked, VFs or others. *result is -PCV_ERESTART if that happened
 * to any, or else the first failure. */
static void change_all(struct change *change, bool vfs, int *result)
{
    uint32_t rid = 0;

    /* Bounded: rid goes up. */
    while (pcv__segment_next(change->segment, &rid, LAST_RID)) {
        pcv_sbdf sbdf = at(change, rid++);
        struct pcv_device *device = pcv_device_find(change->host, sbdf);
        int error = device && device->is_vf == vfs ? change_marked(device) : 0;

        pcv_device_put(device);
        if (error == -PCV_ERESTART && *result != error) {
            change->busy = sbdf;
            *result = error;
        } else if (*result == 0) {
            *result = error;
        }
    }
}

int pcv_host_set_ecam(struct pcv_host *host, uint16_t segment,
                      uint8_t bus_first, uint8_t bus_last, bool usable,
                      pcv_sbdf *out_busy)
{
    struct change change;
    int error;

    if (!host || bus_last < bus_first) {
        return -PCV_EINVAL;
    }
    memset(&change, 0, sizeof(change));
    change.host = host;
    change.ecam = (struct pcv__ecam){bus_first, bus_last, usable};
    change.segment = pcv__segment_get(host, segment);
    if (!change.segment) {
        return -PCV_ENOMEM;
    }
    error = declare(&change);
    if (error == 0) {
        change_all(&change, false, &error);
        change_all(&change, true, &error);
    }
    if (out_busy && (error == -PCV_EBUSY || error == -PCV_ERESTART)) {
        *out_busy = change.busy;
    }
    return error;
}

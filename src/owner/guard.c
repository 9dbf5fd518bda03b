/* SPDX-License-Identifier: MIT */
/*
 * What leads to functions of guests (OWN-15): each bridge above one, and the PF
 * of a VF, is marked, so that a write to it that takes the function away is
 * seen as such (vpci/protect.h).
 *
 * The marks are changed under the segment's lock, so that they follow who owns
 * what and which bus numbers lead where, and under the lock of the bridge or
 * PF, so that no write is in the middle of one that was still allowed when the
 * mark comes. It comes before the function is reset for its guest: whatever
 * such a write did is done with then.
 *
 * A function that cannot be reached (TOPO-4), or has vanished, is not guarded:
 * there is nothing that could be kept, and the way to it is to be found again.
 */
#include "owner/look.h"
#include "pcivisor/protected.h"
#include "vpci/protect.h"

bool pcv__is_guarded(const struct pcv_device *device, pcv_sbdf sbdf)
{
    return pcv__is_marked(device, PCV__MARK_GUARDED) &&
           pcv__look(device, sbdf) == PCV__LOOK_LIVE &&
           !pcv__has_vanished(device) && !pcv__is_unreachable(device);
}

/* Whether a guest has something behind a bridge, or a VF of a PF. Bounded by
 * the functions there. */
static bool has_any(struct pcv__segment *segment, struct pcv_device *above)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = above->is_bridge ? pcv__last_rid(above) : 0;
    struct pcv_device *device;
    pcv_sbdf sbdf;

    if (above->is_bridge) {
        while ((device = pcv__deeper(segment, above, &rid, &sbdf)) != NULL) {
            if (pcv__is_guarded(device, sbdf)) {
                return true;
            }
        }
        return false;
    }
    while ((device = pcv__next_vf(segment, above, &rid)) != NULL) {
        if (pcv__is_guarded(device, pcv__device_sbdf(device))) {
            return true;
        }
    }
    return false;
}

static void mark(struct pcv_device *above)
{
    struct pcv__mem *mem = &above->host->mem;

    if (!pcv__guards(above)) {
        pcv__lock_take(mem, &above->lock);
        atomic_fetch_or_explicit(&above->marks, PCV__MARK_GUARDS,
                                 memory_order_relaxed);
        pcv__lock_drop(mem, &above->lock);
    }
}

static void unmark(struct pcv__segment *segment, struct pcv_device *above)
    PCV__REQUIRES(segment->lock)
{
    struct pcv__mem *mem = &above->host->mem;

    if (pcv__guards(above) && !has_any(segment, above)) {
        pcv__lock_take(mem, &above->lock);
        atomic_fetch_and_explicit(&above->marks, ~PCV__MARK_GUARDS,
                                  memory_order_relaxed);
        pcv__lock_drop(mem, &above->lock);
    }
}

/* The bridge above a bus that is live, or NULL. Walks go down in bus numbers,
 * and end. */
static struct pcv_device *next_up(struct pcv__segment *segment, uint8_t *bus)
    PCV__REQUIRES(segment->lock)
{
    struct pcv_device *bridge = pcv__bridge_over(segment, *bus);
    uint8_t own = bridge ? pcv_sbdf_bus(pcv__device_sbdf(bridge)) : 0;

    if (!bridge || own >= *bus || !pcv__is_live(bridge)) {
        return NULL;
    }
    *bus = own;
    return bridge;
}

void pcv__guard_arrives(struct pcv__segment *segment, struct pcv_device *device)
{
    uint8_t bus = pcv_sbdf_bus(pcv__device_sbdf(device));
    struct pcv_device *above;

    if (!pcv__is_guarded(device, pcv__device_sbdf(device))) {
        return;
    }
    if (device->pf) {
        mark(device->pf);
    }
    while ((above = next_up(segment, &bus)) != NULL) {
        mark(above);
    }
}

/* It does not count any more: whoever is above it may have another that does.
 */
static void forget(struct pcv__segment *segment, struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    uint8_t bus = pcv_sbdf_bus(pcv__device_sbdf(device));
    struct pcv_device *above;

    if (device->pf) {
        unmark(segment, device->pf);
    }
    while ((above = next_up(segment, &bus)) != NULL) {
        unmark(segment, above);
    }
}

void pcv__guard_leaves(struct pcv__segment *segment, struct pcv_device *device)
{
    if (pcv__is_marked(device, PCV__MARK_GUARDED)) {
        forget(segment, device);
    }
}

void pcv__guard_covers(struct pcv__segment *segment, struct pcv_device *bridge)
{
    if (has_any(segment, bridge)) {
        mark(bridge);
    } else {
        unmark(segment, bridge);
    }
}

void pcv__guard_begin(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &segment->lock);
    atomic_fetch_or_explicit(&device->marks, PCV__MARK_GUARDED,
                             memory_order_relaxed);
    pcv__guard_arrives(segment, device);
    pcv__lock_drop(mem, &segment->lock);
}

void pcv__guard_end(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &segment->lock);
    if (pcv__is_marked(device, PCV__MARK_GUARDED)) {
        atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_GUARDED,
                                  memory_order_relaxed);
        forget(segment, device);
    }
    pcv__lock_drop(mem, &segment->lock);
}

/* ---- the administrator's word ----------------------------------------------
 */

int pcv_device_override(struct pcv_host *host, pcv_sbdf sbdf, bool on)
{
    struct pcv_device *device = host ? pcv_device_find(host, sbdf) : NULL;
    int error = 0;

    if (!device) {
        return host ? -PCV_ENODEV : -PCV_EINVAL;
    }
    if (!device->is_bridge && !device->vfs) {
        error = -PCV_EINVAL;
    } else if (on) {
        atomic_fetch_or_explicit(&device->marks, PCV__MARK_OVERRIDE,
                                 memory_order_relaxed);
    } else {
        atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_OVERRIDE,
                                  memory_order_relaxed);
    }
    pcv_device_put(device);
    return error;
}

void pcv__overrule(struct pcv_domain *domain, const struct pcv_access *access)
{
    struct pcv_device *above = pcv_domain_device(domain, access->sbdf);

    if (above && pcv__is_marked(above, PCV__MARK_OVERRIDE)) {
        pcv__guests_lose(above);
    }
    pcv_device_put(above);
}

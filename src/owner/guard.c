/* SPDX-License-Identifier: MIT */
/*
 * What leads to functions of guests (OWN-15): each bridge above one, and the PF
 * of a VF, is marked, so that a write to it that takes the function away is
 * seen as such (vpci/protect.h). Likewise each bridge above what the hypervisor
 * uses itself (OWN-7 to OWN-9), for writes that would reset that.
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

/* Whether it counts: it is there, and somebody's who must not lose it. */
static bool counts(const struct pcv_device *device, pcv_sbdf sbdf)
{
    return pcv__is_marked(device, PCV__MARK_GUARDED) &&
           pcv__look(device, sbdf) == PCV__LOOK_LIVE &&
           !pcv__has_vanished(device) && !pcv__is_unreachable(device);
}

static bool is_hypervisors(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire)->kind ==
           PCV_DOMAIN_HYPERVISOR;
}

bool pcv__is_guarded(const struct pcv_device *device, pcv_sbdf sbdf)
{
    return counts(device, sbdf) && !is_hypervisors(device);
}

/* Who has something behind a bridge, or a VF of a PF. */
struct behind {
    bool guests, hypervisors;
};

static void see(struct behind *behind, const struct pcv_device *device,
                pcv_sbdf sbdf)
{
    if (counts(device, sbdf)) {
        *(is_hypervisors(device) ? &behind->hypervisors : &behind->guests) =
            true;
    }
}

/* Bounded by the functions there. */
static struct behind look_behind(struct pcv__segment *segment,
                                 struct pcv_device *above)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = above->is_bridge ? pcv__last_rid(above) : 0;
    struct behind behind = {false, false};
    struct pcv_device *device;
    pcv_sbdf sbdf;

    if (above->is_bridge) {
        while ((device = pcv__deeper(segment, above, &rid, &sbdf)) != NULL &&
               !(behind.guests && behind.hypervisors)) {
            see(&behind, device, sbdf);
        }
        return behind;
    }
    while (!behind.guests &&
           (device = pcv__next_vf(segment, above, &rid)) != NULL) {
        see(&behind, device, pcv__device_sbdf(device));
    }
    return behind;
}

static bool keeps(const struct pcv_device *above)
{
    return pcv__is_noted(above, PCV__NOTE_KEEPS);
}

static void mark(struct pcv_device *above, struct behind behind)
{
    struct pcv__mem *mem = &above->host->mem;

    if (pcv__guards(above) == behind.guests &&
        keeps(above) == behind.hypervisors) {
        return;
    }
    pcv__lock_take(mem, &above->lock);
    if (behind.guests) {
        atomic_fetch_or_explicit(&above->marks, PCV__MARK_GUARDS,
                                 memory_order_relaxed);
    } else {
        atomic_fetch_and_explicit(&above->marks, ~PCV__MARK_GUARDS,
                                  memory_order_relaxed);
    }
    if (behind.hypervisors) {
        pcv__note(above, PCV__NOTE_KEEPS);
    } else {
        pcv__unnote(above, PCV__NOTE_KEEPS);
    }
    pcv__lock_drop(mem, &above->lock);
}

/* One came: what is known of the others stays. */
static void add(struct pcv_device *above, bool hypervisors)
{
    const struct behind behind = {pcv__guards(above) || !hypervisors,
                                  keeps(above) || hypervisors};

    mark(above, behind);
}

/* One went: there may be others. */
static void look_again(struct pcv__segment *segment, struct pcv_device *above)
    PCV__REQUIRES(segment->lock)
{
    if (pcv__guards(above) || keeps(above)) {
        mark(above, look_behind(segment, above));
    }
}

/* The bridge above a device that is live, or NULL. Walks go down in bus
 * numbers, and end. */
static struct pcv_device *next_up(struct pcv__segment *segment,
                                  const struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    uint8_t bus = pcv_sbdf_bus(pcv__device_sbdf(device));
    struct pcv_device *bridge = pcv__above(segment, device);

    return bridge && pcv_sbdf_bus(pcv__device_sbdf(bridge)) < bus &&
                   pcv__is_live(bridge)
               ? bridge
               : NULL;
}

void pcv__guard_arrives(struct pcv__segment *segment, struct pcv_device *device)
{
    const bool hypervisors = is_hypervisors(device);
    struct pcv_device *above = device;

    if (!counts(device, pcv__device_sbdf(device))) {
        return;
    }
    if (device->pf) {
        add(device->pf, hypervisors);
    }
    while ((above = next_up(segment, above)) != NULL) {
        add(above, hypervisors);
    }
}

/* It does not count any more: whoever is above it may have another that does.
 */
static void forget(struct pcv__segment *segment, struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    struct pcv_device *above = device;

    if (device->pf) {
        look_again(segment, device->pf);
    }
    while ((above = next_up(segment, above)) != NULL) {
        look_again(segment, above);
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
    mark(bridge, look_behind(segment, bridge));
}

/* Its owner changed to one for whom it is guarded, or from one. */
static void begin(struct pcv__segment *segment, struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    atomic_fetch_or_explicit(&device->marks, PCV__MARK_GUARDED,
                             memory_order_relaxed);
    pcv__guard_arrives(segment, device);
}

static void end(struct pcv__segment *segment, struct pcv_device *device)
    PCV__REQUIRES(segment->lock)
{
    if (pcv__is_marked(device, PCV__MARK_GUARDED)) {
        atomic_fetch_and_explicit(&device->marks, ~PCV__MARK_GUARDED,
                                  memory_order_relaxed);
        forget(segment, device);
    }
}

void pcv__guard_owner(struct pcv__segment *segment, struct pcv_device *device,
                      bool before)
{
    const bool now = is_hypervisors(device);

    if (now) {
        begin(segment, device);
    } else if (before) {
        end(segment, device);
    }
}

void pcv__guard_begin(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &segment->lock);
    begin(segment, device);
    pcv__lock_drop(mem, &segment->lock);
}

void pcv__guard_end(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &segment->lock);
    end(segment, device);
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

/* SPDX-License-Identifier: MIT */
/* Whom a reset of a bus would hit (OWN-16). */
#include "owner/bus_reset.h"
#include "owner/look.h"
#include "registry/route.h"

/* ---- who would be hit ------------------------------------------------------
 */

/* What was seen of those behind a bridge: the worst of each kind. */
struct seen {
    bool hosts, guests, moving;
    pcv_sbdf host, guest;
};

static bool is_quarantined(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire)->kind ==
           PCV_DOMAIN_QUARANTINE;
}

static bool is_guests(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire)->kind ==
           PCV_DOMAIN_GUEST;
}

/* A bridge would forget its bus numbers, a PF its VFs. */
static bool may_be_hit(const struct pcv_device *device)
{
    return is_quarantined(device) && !device->is_bridge &&
           device->vf_count == 0 && !device->is_vf;
}

static void see(struct seen *seen, const struct pcv_device *device, pcv_sbdf at)
{
    switch (pcv__look(device, at)) {
    case PCV__LOOK_GONE:
        return;
    case PCV__LOOK_NEW:
        seen->moving = true;
        return;
    case PCV__LOOK_LEAVING:
        seen->hosts = true;
        seen->host = at;
        return;
    case PCV__LOOK_LIVE:
        break;
    }
    if (pcv__has_vanished(device) || may_be_hit(device)) {
        seen->moving |= device->changing;
    } else if (is_guests(device)) {
        seen->guests = true;
        seen->guest = at;
    } else {
        seen->hosts = true;
        seen->host = at;
    }
}

static bool is_mate(const struct pcv__mates *mates,
                    const struct pcv_device *device)
{
    for (uint32_t i = 0; mates && i < mates->count; i++) {
        if (mates->device[i] == device) {
            return true;
        }
    }
    return false;
}

/* Everything behind a bridge but the function that asks, and its mates. Under
 * the lock nothing of it becomes another's: who changes owners is `changing`.
 */
static int look(struct pcv__segment *segment, const struct pcv_device *bridge,
                const struct pcv_device *own, const struct pcv__mates *mates,
                pcv_sbdf *out_busy) PCV__REQUIRES(segment->lock)
{
    uint32_t rid = pcv__last_rid(bridge);
    struct seen seen = {.moving = false};
    struct pcv_device *device;
    pcv_sbdf at;

    for (device = pcv__next_behind(segment, bridge, NULL); device;
         device = pcv__next_behind(segment, bridge, device)) {
        see(&seen, device, pcv__device_sbdf(device));
    }
    /* Bounded: rid goes down. */
    while ((device = pcv__deeper(segment, bridge, &rid, &at)) != NULL) {
        if (device != own && !is_mate(mates, device)) {
            see(&seen, device, at);
        }
    }
    if (seen.hosts || seen.guests) {
        *out_busy = seen.hosts ? seen.host : seen.guest;
        return -PCV_EBUSY;
    }
    return seen.moving ? -PCV_ERESTART : 0;
}

/* ---- the bridge ------------------------------------------------------------
 */

/* The bridge above a function, with a reference, or NULL. */
struct pcv_device *pcv__bus_bridge(struct pcv_device *device)
{
    pcv_sbdf at = pcv__device_sbdf(device);

    return pcv__is_unreachable(device)
               ? NULL
               : pcv__bridge_above(device->host, pcv_sbdf_segment(at),
                                   pcv_sbdf_bus(at));
}

/* Whether it can reset the bus that a function is on. */
static bool is_able(const struct pcv_device *bridge,
                    const struct pcv_device *device)
{
    return pcv__is_live(bridge) && bridge->is_bridge && bridge->bound &&
           (bridge->id.header_type & PCV_HEADER_TYPE_MASK) == 1 &&
           !pcv__has_vanished(bridge) && !pcv__is_unreachable(bridge) &&
           bridge->secondary == pcv_sbdf_bus(pcv__device_sbdf(device)) &&
           !device->is_vf && !device->is_bridge;
}

int pcv__bus_may_reset(struct pcv__segment *segment,
                       const struct pcv_device *bridge,
                       const struct pcv_device *device,
                       const struct pcv__mates *mates, pcv_sbdf *out_busy)
{
    if (!is_able(bridge, device)) {
        return -PCV_EOPNOTSUPP;
    }
    if (pcv__bus_in_reset(bridge) || segment->moving ||
        atomic_load_explicit(&bridge->renumbered, memory_order_acquire)) {
        return -PCV_ERESTART;
    }
    if (device->vf_count != 0) {
        *out_busy = pcv__device_sbdf(device);
        return -PCV_EBUSY;
    }
    return look(segment, bridge, device, mates, out_busy);
}

int pcv__bus_reset_check(struct pcv_device *device,
                         const struct pcv__mates *mates, pcv_sbdf *out_busy)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv_device *bridge = pcv__bus_bridge(device);
    int error = -PCV_EOPNOTSUPP;

    if (bridge) {
        pcv__lock_take(mem, &device->segment->lock);
        error = pcv__bus_may_reset(device->segment, bridge, device, mates,
                                   out_busy);
        pcv__lock_drop(mem, &device->segment->lock);
        pcv_device_put(bridge);
    }
    return error;
}

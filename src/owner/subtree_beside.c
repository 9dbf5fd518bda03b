/* SPDX-License-Identifier: MIT */
/*
 * Operations on sets that have functions in common (OWN-13): all behind a
 * bridge, all behind another that stands there, a slot there. What one of them
 * did so far is marked in the functions, so that it can be taken back; another
 * must not find those marks. So of two such there is one at a time, which is
 * noted at its root, under the segment's lock.
 */
#include "owner/hidden.h"

/* Nobody goes on with an operation whose root has vanished. */
static bool is_root(const struct pcv_device *device)
{
    return pcv__is_noted(device, PCV__NOTE_SET) && !pcv__has_vanished(device);
}

static int busy_with(const struct pcv_device *root, pcv_sbdf *out_busy)
{
    *out_busy = pcv__device_sbdf(root);
    return -PCV_EBUSY;
}

/* The bridges above: each has this function behind it. */
static int look_above(struct pcv__segment *segment,
                      const struct pcv_device *root, pcv_sbdf *out_busy)
    PCV__REQUIRES(segment->lock)
{
    uint8_t bus = pcv_sbdf_bus(pcv__device_sbdf(root));
    const struct pcv_device *bridge = root;

    /* Bounded: bus numbers go down on the way up. */
    while ((bridge = pcv__above(segment, bridge)) != NULL &&
           pcv_sbdf_bus(pcv__device_sbdf(bridge)) < bus) {
        if (is_root(bridge)) {
            return busy_with(bridge, out_busy);
        }
        bus = pcv_sbdf_bus(pcv__device_sbdf(bridge));
    }
    return 0;
}

/* Everything behind a bridge, bus numbers leading there or not. */
static int look_behind(struct pcv__segment *segment, struct pcv_device *root,
                       pcv_sbdf *out_busy) PCV__REQUIRES(segment->lock)
{
    uint32_t rid = pcv__last_rid(root);
    struct pcv_device *device;
    pcv_sbdf at;

    for (device = pcv__next_behind(segment, root, NULL); device;
         device = pcv__next_behind(segment, root, device)) {
        if (is_root(device)) {
            return busy_with(device, out_busy);
        }
    }
    /* Bounded: rid goes down. */
    while ((device = pcv__deeper(segment, root, &rid, &at)) != NULL) {
        if (pcv__look(device, at) == PCV__LOOK_LIVE && is_root(device)) {
            return busy_with(device, out_busy);
        }
    }
    return 0;
}

/* The other functions of its device: those of a slot, or function 0, whose slot
 * it belongs to. */
static int look_beside(struct pcv__segment *segment,
                       const struct pcv_device *root, bool slot,
                       pcv_sbdf *out_busy) PCV__REQUIRES(segment->lock)
{
    const pcv_sbdf at = pcv__device_sbdf(root);
    const uint32_t own = pcv_sbdf_function(at);

    for (uint32_t fn = 0; fn < PCV_FUNCTIONS; fn++) {
        const pcv_sbdf other = {at.v - own + fn};
        const struct pcv_device *device = fn != own && (slot || fn == 0)
                                              ? pcv__live_at(segment, other)
                                              : NULL;

        /* A bridge's is of what is behind it. */
        if (device && is_root(device) && (slot || !device->is_bridge)) {
            return busy_with(device, out_busy);
        }
    }
    return 0;
}

int pcv__set_is_apart(struct pcv__segment *segment, struct pcv_device *root,
                      bool slot, pcv_sbdf *out_busy)
{
    int error = look_above(segment, root, out_busy);

    if (error == 0) {
        error = look_beside(segment, root, slot, out_busy);
    }
    if (error == 0 && !slot) {
        error = look_behind(segment, root, out_busy);
    }
    return error;
}

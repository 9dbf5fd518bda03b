/* SPDX-License-Identifier: MIT */
/*
 * Resets of a whole bus (OWN-16): the bridge above a function resets everything
 * that is behind it. Only where all of that is in quarantine, but for the
 * function itself.
 */
#ifndef PCV_OWNER_BUS_RESET_H
#define PCV_OWNER_BUS_RESET_H

#include "owner/internal.h"

/* Functions that one call changes together (OWN-4): of these none is in the way
 * of another. NULL for none. */
struct pcv__mates {
    struct pcv_device *const *device;
    uint32_t count;
};

/*
 * Whether a function could be reset with its bus. It is in a change of owner.
 * 0; -PCV_EOPNOTSUPP: no bridge can do that; -PCV_EBUSY: that would hit
 * *out_busy, the hardware domain's before a guest's; -PCV_ERESTART: something
 * behind that bridge is being added, or changes its owner, or the bridge its
 * bus numbers.
 */
int pcv__bus_reset_check(struct pcv_device *device,
                         const struct pcv__mates *mates, pcv_sbdf *out_busy);

/*
 * Do it. As above, but it never returns 0: -PCV_ERESTART once it has begun, and
 * pcv__bus_reset_go_on() says when it is over; -PCV_ENOMEM, -PCV_EIO: nothing
 * was reset. In the end each function that was hit is marked PCV__NOTE_CLEAN.
 */
int pcv__bus_reset(struct pcv_device *device, const struct pcv__mates *mates,
                   pcv_sbdf *out_busy);

/* Go on with a reset of the bus that a function is on, whoever began it. 0:
 * none is under way; -PCV_ERESTART; -PCV_EIO: it is still held in reset. */
int pcv__bus_reset_go_on(struct pcv_device *device);

/* The same for the bus behind a bridge. */
int pcv__bus_reset_due_behind(struct pcv_device *bridge);

/* All of a host whose time has come: PCV_DONE; PCV_PENDING: call again. When
 * the next one's comes is *out_wait_us, 0 if there is none. */
enum pcv_verdict pcv__bus_resets_due(struct pcv_host *host,
                                     uint64_t *out_wait_us);

/* ---- shared by its files: bus_hit.c, slot_hold.c --------------------------
 */

static inline bool pcv__bus_in_reset(const struct pcv_device *bridge)
{
    return pcv__is_noted(bridge, PCV__NOTE_BUS_RESET);
}

/* The bridge above a function, with a reference, or NULL. */
struct pcv_device *pcv__bus_bridge(struct pcv_device *device);
/* Whether it may reset the bus of that function, now: as
 * pcv__bus_reset_check(). */
int pcv__bus_may_reset(struct pcv__segment *segment,
                       const struct pcv_device *bridge,
                       const struct pcv_device *device,
                       const struct pcv__mates *mates, pcv_sbdf *out_busy)
    PCV__REQUIRES(segment->lock);

/* A port's slot tells of nothing, and does again. It has extras. */
void pcv__slot_hold(struct pcv_device *port) PCV__REQUIRES(port->lock);
void pcv__slot_release(struct pcv_device *port) PCV__REQUIRES(port->lock);

/* The bridge goes. */
void pcv__bus_reset_goes(struct pcv_device *bridge);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Looking at devices under their segment's lock, without references.
 *
 * What a table holds is a hint: a device that is leaving is released without
 * the segment's lock, and its slot may be another segment's device by the time
 * it is looked at. A device that is live and has the expected address is
 * stable, since whoever makes a device of this segment leave holds the lock.
 */
#ifndef PCV_OWNER_LOOK_H
#define PCV_OWNER_LOOK_H

#include "owner/internal.h"
#include "registry/kept.h"

enum pcv__look {
    PCV__LOOK_GONE,    /* nothing stands there any more */
    PCV__LOOK_NEW,     /* being added: only who adds it may touch it */
    PCV__LOOK_LEAVING, /* removed: it may go at any time */
    PCV__LOOK_LIVE,
};

/* What stands in a place that was read for this address. */
enum pcv__look pcv__look(const struct pcv_device *device, pcv_sbdf sbdf);

/* The live device at an address of the segment, or NULL. */
struct pcv_device *pcv__live_at(struct pcv__segment *segment, pcv_sbdf sbdf)
    PCV__REQUIRES(segment->lock);

/* Whether a device of which the lock, or a reference, is held is live. */
bool pcv__is_live(const struct pcv_device *device);

/* The next VF of a PF that is live, at or after *rid, which becomes the place
 * behind it; NULL: there is none. */
struct pcv_device *pcv__next_vf(struct pcv__segment *segment,
                                const struct pcv_device *pf, uint32_t *rid)
    PCV__REQUIRES(segment->lock);

/* Whether any are registered. No lock. */
bool pcv__has_live_vfs(const struct pcv_device *pf);
/* Whether a VF is anybody's but the hardware domain's, or on its way there. */
bool pcv__vf_in_use(const struct pcv_device *vf);
/* Whether a PF's VFs may be taken away or moved: 0; -PCV_EBUSY: *out_busy is in
 * use; -PCV_ERESTART: one is just being added or removed. */
int pcv__vfs_check(struct pcv__segment *segment, const struct pcv_device *pf,
                   pcv_sbdf *out_busy) PCV__REQUIRES(segment->lock);

/*
 * Bridges in conflict (bridges.c): whether this one alone leads to a bus, since
 * none beside it claims that; and the nearest bridge above a device that is not
 * kept, bound or one of those, or NULL.
 */
bool pcv__leads_alone(struct pcv__segment *segment,
                      const struct pcv_device *bridge, uint8_t bus)
    PCV__REQUIRES(segment->lock);
struct pcv_device *pcv__above(struct pcv__segment *segment,
                              const struct pcv_device *device)
    PCV__REQUIRES(segment->lock);

/* Where a walk over what is behind a bridge begins. */
uint32_t pcv__last_rid(const struct pcv_device *bridge);

/*
 * What stands behind a bridge at *rid or before it, going down: buses far from
 * the root have the higher numbers, so deeper devices come first. *rid becomes
 * the place before it. NULL: there is nothing more.
 */
struct pcv_device *pcv__deeper(struct pcv__segment *segment,
                               const struct pcv_device *bridge, uint32_t *rid,
                               pcv_sbdf *out_sbdf) PCV__REQUIRES(segment->lock);

/* The live device at an address, or the one that is unreachable and was there
 * last; NULL. */
struct pcv_device *pcv__known_at(struct pcv__segment *segment, pcv_sbdf sbdf)
    PCV__REQUIRES(segment->lock);

/* What is behind a bridge and cannot be reached (TOPO-4), one after the other,
 * from NULL on; NULL: there is nothing more. */
struct pcv_device *pcv__next_behind(struct pcv__segment *segment,
                                    const struct pcv_device *bridge,
                                    struct pcv_device *before)
    PCV__REQUIRES(segment->lock);

/* Whether a caller holds a live device, or a descriptor of a vector. Vectors
 * that the library bound are not in the way: they go with it. */
bool pcv__is_held(struct pcv_device *device);

/*
 * Whether something keeps a live device from being removed: a VF of it, or
 * behind a bridge a device that is held, being added or leaving, or a PF whose
 * VFs would stay. For a device that has vanished only what is being added is
 * in the way. *out_busy names it.
 */
bool pcv__is_kept(struct pcv__segment *segment, const struct pcv_device *device,
                  pcv_sbdf *out_busy) PCV__REQUIRES(segment->lock);

#endif

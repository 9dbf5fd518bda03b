/* SPDX-License-Identifier: MIT */
/*
 * What an isolation group is made of (TOPO-6): parts of a segment, each a
 * function, a bridge with what is behind it, or the functions of a device with
 * what is behind those that are bridges.
 */
#ifndef PCV_REGISTRY_GROUP_H
#define PCV_REGISTRY_GROUP_H

#include "pcivisor/group.h"
#include "registry/kept.h"

enum pcv__part_kind {
    PCV__PART_FUNCTION, /* `at` alone */
    PCV__PART_TREE,     /* the bridge at `at`, and all behind it */
    PCV__PART_DEVICE,   /* functions `first` to `last` of the bus of `at`, VFs
                           apart, and all behind them */
    PCV__PART_SEGMENT,  /* too much to be told in parts */
};

/* Whether all that sends through a bridge sends as one: a bridge that has a
 * conventional bus on either side. */
bool pcv__bridge_joins(const struct pcv_device *bridge);

/* Whether one of these is above a bus. */
bool pcv__is_joined(struct pcv_host *host, pcv_sbdf sbdf);

/* Whether it neither sends nor answers for others: a host bridge, an event
 * collector. It joins nothing. */
bool pcv__is_bystander(const struct pcv_device *device);

/* Declared, and so a group of its own. */
bool pcv__stands_alone(struct pcv_device *device);

/* Buses behind a bridge as addresses in the segment, or false: there are none.
 * A reference is held. Takes the segment's lock. */
bool pcv__behind(struct pcv_device *bridge, uint32_t *out_first,
                 uint32_t *out_last);

/* Whether a function is a member by a part. A reference to it is held. */
bool pcv__part_has(struct pcv_host *host, const struct pcv_group_part *part,
                   struct pcv_device *device);
/* The first member of a part at or after *rid, with a reference, or NULL. */
struct pcv_device *pcv__part_next(struct pcv_host *host,
                                  const struct pcv_group_part *part,
                                  uint32_t rid);

#endif

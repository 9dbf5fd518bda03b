/* SPDX-License-Identifier: MIT */
/*
 * Topology: which bridge is above a bus.
 */
#ifndef PCIVISOR_TOPOLOGY_H
#define PCIVISOR_TOPOLOGY_H

#include "pcivisor/device.h"
#include "pcivisor/types.h"

/**
 * The bridge above a bus (TOPO-2), from memory: no register is read.
 *
 * Returns 0 and the bridge's address; -PCV_ENOENT if the bus is a root bus or
 * nobody covers it; -PCV_ELOOP if the map is damaged.
 * Context: any. Locking: none.
 */
int PCV_MUST_CHECK pcv_topology_upstream(struct pcv_host *host,
                                         uint16_t segment, uint8_t bus,
                                         pcv_sbdf *out_bridge);

/**
 * The bridges from a function up to its root bus, nearest first.
 *
 * @max  how many addresses fit in `out_path`
 *
 * Returns how many there are (it may be more than `max`); -PCV_ELOOP if the
 * map is damaged: the walk ends after 256 steps at the latest.
 * Context: any. Locking: none.
 */
int PCV_MUST_CHECK pcv_topology_path(struct pcv_host *host, pcv_sbdf sbdf,
                                     pcv_sbdf *out_path, size_t max);

/**
 * A bridge has other bus numbers (TOPO-4), which were not written through this
 * library. Functions that they do not lead to any more are kept with their
 * owner and state, but not found, and their DMA is blocked; those that they
 * lead to again are bound there, under the requester ID that they have then.
 * Zero for all three: it leads nowhere.
 *
 * Returns 0; -PCV_ENODEV: no such device; -PCV_EINVAL, and nothing has changed:
 * it is no bridge, it stands on another bus than `primary`, what is above it
 * does not lead to these buses, a bridge beside or behind it has some of them,
 * or its registers say something else; -PCV_EIO if they could not be read;
 * -PCV_ERESTART: call again. Accesses are inside a function that is moved,
 * something there is being added or changes its owner, or numbers are being
 * written.
 * Context: control. Locking: takes the segment's lock.
 */
int PCV_MUST_CHECK pcv_bridge_report_buses(struct pcv_host *host, pcv_sbdf sbdf,
                                           uint8_t primary, uint8_t secondary,
                                           uint8_t subordinate);

#endif

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

#endif

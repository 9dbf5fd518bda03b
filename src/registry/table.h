/* SPDX-License-Identifier: MIT */
/*
 * The tables of a segment, shared inside src/: bus, device number, function.
 */
#ifndef PCV_REGISTRY_TABLE_H
#define PCV_REGISTRY_TABLE_H

#include "registry/device.h"

/* Tables of a segment: bus, then device number, then function. Once made they
 * stay until the host ends, so that finds need no lock. */
struct pcv__functions {
    _Atomic(struct pcv_device *) fn[PCV_FUNCTIONS];
};

struct pcv__bus {
    _Atomic(struct pcv__functions *) slot[PCV_SLOTS];
    /* Device numbers that emulated functions have (VBUS-6), a bit each: written
     * under the segment's lock. */
    _Atomic uint32_t emulated_slots;
    _Atomic uint32_t away_slots;   /* likewise, those of away.h */
    struct pcv_emulated *emulated; /* under the hardware domain's map lock */
};

struct pcv__segment {
    _Atomic(struct pcv__bus *) bus[PCV_BUSES];
    uint16_t number;
    struct pcv_host *host;
    struct pcv__lock lock;
    /* The bridge above each bus: PCV__UP_VALID | bus and devfn, or 0; and in
     * whose name it sends on what comes from below, if not in that one's. */
    _Atomic uint32_t up[PCV_BUSES];
    /* What the host declared of extended space, a bit a bus (EXT-2): whether it
     * did, and what it said. Written under the lock. */
    _Atomic uint32_t ecam_declared[PCV_BUSES / 32u];
    _Atomic uint32_t ecam_usable[PCV_BUSES / 32u];
    _Atomic uint32_t away_buses[PCV_BUSES / 32u]; /* with a mark of away.h */
    /* Functions that cannot be reached for the moment (TOPO-4), the last first;
     * and whether somebody moves functions to other bus numbers, one at a time.
     * Under the lock; the count is a hint without. */
    struct pcv_device *kept;
    _Atomic uint32_t kept_count;
    bool moving;
    _Atomic uint32_t moves; /* moves that began or ended: odd while one is */
    bool draining;          /* there are gates that are paused: kept.paused */
    bool conflicts;         /* a bridge was in conflict once */
    /* Requester IDs that several functions share (TOPO-5). Under the lock: who
     * moves some, one at a time; whether others changed meanwhile what they
     * belong to; and the devices that have named ones. */
    const struct pcv_device *dma_by;
    bool dma_dirty;
    struct pcv_device *named;
    _Atomic uint32_t named_count; /* of those: a hint without the lock */
};

#define PCV__UP_VALID 0x80000000u
#define PCV__UP_OWN 0x40000000u   /* its own */
#define PCV__UP_ALIAS 0x20000000u /* device 0, function 0 of its other side */
#define PCV__SEGMENT_FAN 256u

struct pcv__segments {
    _Atomic(struct pcv__segment *) low[PCV__SEGMENT_FAN];
};

#endif

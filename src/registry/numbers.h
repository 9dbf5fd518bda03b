/* SPDX-License-Identifier: MIT */
/* What a device remembers while bus numbers change (TOPO-4). */
#ifndef PCV_REGISTRY_NUMBERS_H
#define PCV_REGISTRY_NUMBERS_H

#include <stdatomic.h>

#include "pcivisor/types.h"

struct pcv_device;

/*
 * Where a function stands that no bus number leads to for the moment (TOPO-4):
 * behind a bridge, so many buses after its first. It is in its segment's list
 * then, and in no table. Under the segment's lock; but for `paused` and
 * `joining`, of those in the list. These two keep its gate paused, whoever else
 * opens it (pcv__gate_open()): they are written under the device's lock.
 */
struct pcv__kept {
    _Atomic bool is; /* in the list, until its last reference goes */
    bool tried;      /* it was looked at since numbers changed last */
    bool fresh;      /* its DMA is not blocked yet */
    bool paused;     /* its gate is, until accesses drained */
    bool joining;    /* likewise, until it is in order at its new address */
    uint8_t delta;
    struct pcv_device *above; /* stays as long as the function is live */
    struct pcv_device *next;
};

/* Bus numbers that were written to a bridge, on their way to hardware. Under
 * the bridge's lock. */
struct pcv__bus_numbers {
    bool written;  /* hardware has them */
    uint8_t bytes; /* that the domain wrote; one bit each */
    uint32_t value;
};

#endif

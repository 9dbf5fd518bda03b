/* SPDX-License-Identifier: MIT */
/*
 * Where in the tables functions stand that are not the host's own: guests', or
 * quarantine's. A mark says that something was given away there once, and
 * stays; so whoever looks for those functions looks at a few places, however
 * many functions the machine has.
 */
#ifndef PCV_REGISTRY_AWAY_H
#define PCV_REGISTRY_AWAY_H

#include "registry/internal.h"

/*
 * It is given away, or comes to another address and is somebody's: after its
 * owner, or its address, was written. Of two that do this and then look with
 * pcv__away_next(), at least one sees the other.
 */
void pcv__away_mark(struct pcv_device *device);

/* The first function that is found in a place with a mark at or after an
 * address, with a caller's reference, whoever's it is; NULL: there is none. */
struct pcv_device *pcv__away_next(struct pcv_host *host, pcv_sbdf from);

#endif

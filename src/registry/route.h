/* SPDX-License-Identifier: MIT */
/* Where hardware leads a configuration access (LIFE-12). */
#ifndef PCV_REGISTRY_ROUTE_H
#define PCV_REGISTRY_ROUTE_H

#include "registry/internal.h"

/* A host's list of segments is not followed further than this. */
#define PCV__SEGMENT_RUNS_MAX 65536u

/* The host's run of buses that an address lies in: 0; -PCV_EINVAL: in none;
 * -PCV_EIO. */
int pcv__bus_run(struct pcv_host *host, pcv_sbdf sbdf,
                 struct pcv_segment_info *out_run);
/* The nearest bridge above a bus, with a reference; NULL: it is a root bus, or
 * the bridge is going. */
struct pcv_device *pcv__bridge_above(struct pcv_host *host, uint16_t segment,
                                     uint8_t bus);
/* Whether the bridge above a bus resets it just now (OWN-16): what is there is
 * not to be asked, and no function is known to be there that has to. */
bool pcv__bus_is_reset(struct pcv_host *host, pcv_sbdf sbdf);
/* A port with a link below it, behind which only device 0 can be. */
bool pcv__is_link_port(const struct pcv_device *device);
/* Whether a port forwards to all function numbers (ARI). */
bool pcv__forwards_ari(struct pcv_device *port);
/*
 * Whether hardware leads an access to an address, where a function that is not
 * registered yet may answer: 1 or 0; -PCV_EIO: the host could not say. The bus
 * is a root bus or the other side of a bridge, and every bridge on the way up
 * is registered, has not vanished, and covers it.
 */
int pcv__route(struct pcv_host *host, pcv_sbdf sbdf);

/* Under which requester ID the messages of what stands at an address reach the
 * root: that of the bridge of conventional PCI nearest to it, or its own
 * (TOPO-5). No lock; what is above does not change but with pcv__moves() and
 * with bridges that come or go. */
pcv_sbdf pcv__message_requester(const struct pcv__segment *segment,
                                pcv_sbdf at);

/* Whether nothing is there for the hardware domain, whatever answers: all of
 * the device is concealed, or a bridge above it (OWN-9). *out_by, or NULL. */
bool pcv__is_concealed_place(struct pcv_host *host, pcv_sbdf sbdf,
                             pcv_sbdf *out_by);

#endif

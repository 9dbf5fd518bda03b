/* SPDX-License-Identifier: MIT */
/*
 * What is known of a function that is said to be an extended one (CTL-1; PCI
 * Express Base 6.0, 6.13): above 7, so that device and function number are one
 * number of 8 bits. Functions of a device behind a link are one isolation group
 * whatever their numbers (TOPO-6); what is learnt is that none of them has
 * phantom functions, and that there may be others.
 */
#include "owner/internal.h"
#include "registry/barred.h"
#include "registry/requester.h"
#include "registry/route.h"

bool pcv__claims_extended(const struct pcv_add_info *info)
{
    return info && (info->flags & PCV_ADD_EXTENDED_FUNCTION) != 0;
}

static pcv_sbdf function0_of(pcv_sbdf sbdf)
{
    return (pcv_sbdf){sbdf.v & ~0xffu};
}

/* Only a port leads to them, and only if it does not take the upper bits for a
 * device number. */
static bool port_forwards(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *port =
        pcv__bridge_above(host, pcv_sbdf_segment(sbdf), pcv_sbdf_bus(sbdf));
    bool forwards = port && pcv__is_link_port(port) && pcv__forwards_ari(port);

    pcv_device_put(port);
    return forwards;
}

/* Phantom functions that are known, on or off, have their DMA already. Their
 * owner may switch them meanwhile, under the lock. */
int pcv__extended_believe(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    int error = 0;

    pcv__lock_take(mem, &device->lock);
    if (device->is_vf || pcv__phantom_can(device) != 0 ||
        (pcv__is_extended(device) && device->ari_cap == 0)) {
        error = -PCV_EINVAL;
    } else {
        pcv__note(device, PCV__NOTE_ARI);
    }
    pcv__lock_drop(mem, &device->lock);
    return error;
}

int pcv__extended_check(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *first;
    int error = 0;

    if (pcv_sbdf_devfn(sbdf) < PCV_FUNCTIONS || !port_forwards(host, sbdf)) {
        return -PCV_EINVAL;
    }
    first = pcv_device_find(host, function0_of(sbdf));
    if (!first || pcv__has_vanished(first)) {
        error = -PCV_ENODEV;
    } else if (pcv__is_extended(first) && first->ari_cap == 0) {
        error = -PCV_EINVAL;
    }
    pcv_device_put(first);
    return error;
}

void pcv__extended_added(struct pcv_host *host, pcv_sbdf sbdf)
{
    struct pcv_device *first = pcv_device_find(host, function0_of(sbdf));

    if (first) {
        pcv__note(first, PCV__NOTE_ARI);
    }
    pcv_device_put(first);
}

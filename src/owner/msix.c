/* SPDX-License-Identifier: MIT */
/* MSI-X is set aside for who gets a function next: pcivisor/msix.h. */
#include "pcivisor/msix.h"
#include "owner/change.h"
#include "vpci/cap.h"

static int set_aside(struct pcv_host *host, pcv_sbdf sbdf, bool aside)
{
    struct pcv_device *device;
    int error;

    if (!host) {
        return -PCV_EINVAL;
    }
    error = pcv__change_begin(host, sbdf, &device);
    if (error != 0) {
        return error;
    }
    if (pcv__is_unreachable(device)) {
        error = -PCV_ENODEV;
    } else {
        pcv__lock_take(&host->mem, &device->lock);
        error = pcv__msix_set_aside(device, aside);
        pcv__lock_drop(&host->mem, &device->lock);
    }
    pcv__change_end(device);
    return error;
}

int pcv_msix_prepare(struct pcv_host *host, pcv_sbdf sbdf)
{
    return set_aside(host, sbdf, true);
}

int pcv_msix_release(struct pcv_host *host, pcv_sbdf sbdf)
{
    return set_aside(host, sbdf, false);
}

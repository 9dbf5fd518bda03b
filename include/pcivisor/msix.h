/* SPDX-License-Identifier: MIT */
/*
 * Setting MSI-X aside for who gets a function next (CTL-1; Xen's
 * PHYSDEVOP_prepare_msix and PHYSDEVOP_release_msix).
 */
#ifndef PCIVISOR_MSIX_H
#define PCIVISOR_MSIX_H

#include "pcivisor/device.h"

/**
 * Let the hardware domain leave MSI-X of a function alone, before the function
 * changes its owner: it stands where it can be mediated, nobody uses it, and it
 * is off, in hardware too. From then on until the release the hardware domain's
 * writes of the enable bit are dropped. A guest that gets the function uses it
 * as ever.
 *
 * Returns 0; -PCV_EINVAL; -PCV_ENODEV: nothing is there, or it cannot be
 * reached (TOPO-4), or its owner has no MSI-X of it: it has none, or its table
 * stands where it cannot be (MSIX-3); -PCV_EBUSY: it is set aside already,
 * MSI-X is enabled, vectors of it are bound or attached, or somebody changes
 * its owner; -PCV_EIO; -PCV_ERESTART: it has its time after a reset, call
 * again, not before pcv_device_wait_us(). Context: control. Locking: takes the
 * segment's and the device's lock.
 */
int PCV_MUST_CHECK pcv_msix_prepare(struct pcv_host *host, pcv_sbdf sbdf);

/**
 * The hardware domain may use it again.
 *
 * Returns as pcv_msix_prepare(), but -PCV_EBUSY: it is not set aside, or its
 * owner has enabled it, or vectors of it are bound or attached.
 * Context and locking: as pcv_msix_prepare().
 */
int PCV_MUST_CHECK pcv_msix_release(struct pcv_host *host, pcv_sbdf sbdf);

#endif

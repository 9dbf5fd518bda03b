/* SPDX-License-Identifier: MIT */
/*
 * Functions that the hypervisor drives itself (OWN-8): a serial console, an
 * IOMMU. The hardware domain may look at them, and change nothing.
 */
#ifndef PCIVISOR_READ_ONLY_H
#define PCIVISOR_READ_ONLY_H

#include "pcivisor/host.h"
#include "pcivisor/types.h"

/**
 * Declare that the hypervisor drives a function itself: it is the hypervisor's
 * from now on, for as long as it is registered.
 *
 * The hardware domain still finds it and reads its registers as hardware has
 * them. Each write is dropped and counted as refused, but for those of BARs:
 * they are virtual, begin with hardware's addresses, and can be sized and moved
 * as any, without anything happening. Vectors that the hardware domain had
 * bound are unbound and what was mapped of its BARs goes. From the moment that
 * this returns 0 the library writes nothing to the function. Its bus mastering
 * and decoding stay as they are, and dma_attach is told that its requester ID
 * is PCV_DOMAIN_ID_HYPERVISOR's.
 *
 * Where hardware has its BARs now is reserved: nobody gets another function's
 * BAR mapped there, in whole pages. The rest of such pages is served access by
 * access, for the hardware domain and guests. What is mapped there of others
 * goes; of a guest's function the whole BAR, with an event. So the host must
 * not move the BARs afterwards.
 *
 * Best called after the scan, before the hardware domain runs; correct at any
 * time.
 *
 * Returns 0, also if it is so already; -PCV_EINVAL; -PCV_ENODEV if nothing is
 * there, or it has vanished; -PCV_EPERM for bridges and VFs, whose registers
 * are about others or another's; -PCV_EOPNOTSUPP for a header type that is
 * read-only anyway (HDR-1); -PCV_EBUSY while it is a guest's, on its way to
 * one or in quarantine, a PF with VFs, or somebody holds a vector of it;
 * -PCV_ENOMEM; -PCV_EIO if the host could not read it or it does not answer;
 * -PCV_ERESTART: call again, not before pcv_device_wait_us() (accesses still
 * inside, or it settles from a reset). With -PCV_ERESTART it answers absent
 * until the next call, or until pcv_device_deassign() takes that back; after
 * any other failure it is the hardware domain's as before.
 * Context: control, one change of owner at a time for each device.
 * Locking: the device's lock, map locks, other devices' locks one at a time.
 */
int PCV_MUST_CHECK pcv_device_set_read_only(struct pcv_host *host,
                                            pcv_sbdf sbdf);

/**
 * Whether a range touches what a read-only function uses: for hosts that map or
 * pass through ports or memory by themselves.
 *
 * @io       I/O ports, else host-physical memory
 * @address  bytes; the range may wrap, and ends at the last byte then
 *
 * Returns whether it does; false for an empty range. O(log n) in the number of
 * BARs of such functions.
 * Context: any. Locking: a lock of its own.
 */
bool pcv_host_reserved(struct pcv_host *host, bool io, uint64_t address,
                       uint64_t size);

#endif

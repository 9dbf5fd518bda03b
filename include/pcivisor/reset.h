/* SPDX-License-Identifier: MIT */
/*
 * Resets: how a function can be reset, and doing it at an administrator's word
 * (OWN-16). docs/reset.md tells what is lost and what is put back.
 */
#ifndef PCIVISOR_RESET_H
#define PCIVISOR_RESET_H

#include "pcivisor/device.h"

/* In the order in which they are tried. */
enum pcv_reset {
    PCV_RESET_NONE,
    PCV_RESET_FLR, /* PCI Express Base 6.0, 6.6.2 */
    PCV_RESET_AF,  /* the same for conventional PCI, by Advanced Features */
    PCV_RESET_D3,  /* D3hot and back, without No_Soft_Reset */
    PCV_RESET_BUS, /* by the bridge above, with all that is behind it */
};

/** A constant string: "none", "FLR", "Advanced Features FLR", "D3hot", "bus
 * reset". Context: any. Locking: none. */
const char *pcv_reset_name(enum pcv_reset reset);

/**
 * How a function would be reset now, without side effects.
 *
 * @out_reset  the way; PCV_RESET_NONE: there is none
 * @out_busy   who is in the way, or NULL; written only with -PCV_EBUSY
 *
 * Returns 0; -PCV_EINVAL; -PCV_ENODEV, also if it cannot be reached (TOPO-4);
 * -PCV_EBUSY: only with its bus, which would hit *out_busy (out_reset is
 * PCV_RESET_BUS), or somebody else changes its owner or resets it;
 * -PCV_ERESTART: its bus is being reset, or somebody there changes owners: call
 * again; -PCV_EIO if the host could not read it.
 * Context: control. Locking: takes the segment's and the device's lock.
 */
int PCV_MUST_CHECK pcv_device_reset_method(struct pcv_host *host, pcv_sbdf sbdf,
                                           enum pcv_reset *out_reset,
                                           pcv_sbdf *out_busy);

/**
 * Reset a function for whoever has it. Its accesses answer absent from the
 * first call until the last.
 *
 * A guest finds it as after an FLR of its own: BARs, command and capabilities
 * have their reset values, vectors and mappings are gone. The hardware domain
 * finds everything as it was: addresses, command, MSI and MSI-X with their
 * masks, what is mapped; but what the function kept beside its configuration
 * space is lost. In quarantine it is reset for its next owner.
 *
 * The first way that there is is taken: FLR, FLR of Advanced Features, D3hot
 * without No_Soft_Reset, a reset of its bus. The last only if everything else
 * behind that bridge is in quarantine.
 *
 * @out_busy  who is in the way, or NULL; written only with -PCV_EBUSY
 *
 * Returns 0; -PCV_EINVAL; -PCV_ENODEV, also if it cannot be reached (TOPO-4);
 * -PCV_EOPNOTSUPP: there is no way, which is so for bridges; -PCV_EPERM: the
 * hypervisor drives it (OWN-8); -PCV_EBUSY: it is a PF with VFs, or its bus
 * reset would hit somebody (*out_busy), or it is on its way to a guest, or
 * somebody else changes its owner or resets it; -PCV_ENOMEM; -PCV_EIO: the
 * host could not, or it does not come back within a minute (the hardware
 * domain's or a guest's stays theirs; it is broken, with PCV_EVENT_BROKEN).
 * -PCV_ERESTART: call again, not before pcv_device_wait_us(): accesses are
 * inside, transactions are pending, or it has its time after a reset. One that
 * is not called again leaves the hardware domain's function absent until
 * pcv_device_deassign() of it gives that up. Context: control, as
 * pcv_device_assign(). Locking: takes the segment's and the device's lock.
 */
int PCV_MUST_CHECK pcv_device_reset(struct pcv_host *host, pcv_sbdf sbdf,
                                    pcv_sbdf *out_busy);

#endif

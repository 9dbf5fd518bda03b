/* SPDX-License-Identifier: MIT */
/*
 * IOMMU faults (OWN-10): what the host's IOMMU driver tells, and what becomes
 * of a function that faults too often: its bus mastering is switched off, in
 * the device and in what its owner reads, until it is reset or changes its
 * owner. docs/faults.md tells the whole story.
 */
#ifndef PCIVISOR_FAULTS_H
#define PCIVISOR_FAULTS_H

#include "pcivisor/device.h"
#include "pcivisor/host.h"
#include "pcivisor/types.h"

/* Flags of a fault. All count alike; the event repeats them. */
#define PCV_FAULT_WRITE 1u   /* the request was a write */
#define PCV_FAULT_MESSAGE 2u /* an interrupt message was refused */

/* Of PCV_EVENT_FAULTS: bus mastering was left on. */
#define PCV_FAULT_LEFT_ON 0x10000u

/* As a host begins. */
#define PCV_FAULTS_THRESHOLD 10u
#define PCV_FAULTS_WINDOW_US 0x100000u /* about a second */

#define PCV_FAULTS_THRESHOLD_MAX 63u

/**
 * The IOMMU refused a request of a device.
 *
 * The fault is charged to the function that the requester ID belongs to: its
 * own, or a phantom function's. An ID that a bridge puts on everything behind
 * it (TOPO-5), or the bridge's own, is charged to the bridge. One that was
 * named is charged to each function for which it was, beside who stands there.
 * What a function
 * had under way when it was reset is charged to nobody: faults do not count
 * within the time in which it must be left alone (SRIOV-3). A fault that can be
 * charged to nobody is counted in pcv_host_stats.stray_faults.
 *
 * @requester  as the IOMMU reports it, with the segment; any value
 * @address    that was asked for, bytes; 0: not known
 * @flags      PCV_FAULT_*; unknown bits are passed on
 *
 * Returns true if there is something for pcv_host_work() to do: call that soon,
 * from where control operations are allowed. pcv_access_resume() does it too.
 * Context: any, interrupt handlers included if the port has irq_save; constant
 * time, and nothing is allocated, read from hardware or written to it.
 * Locking: none but for the fault that reaches the threshold, which takes the
 * lock of the host's list of work for some steps; and in a segment where IDs
 * were named (pcv_device_add_requester()) each takes the segment's, for as many
 * steps as there are such functions. As every call that takes a
 * reference for a moment it may give back a device's last.
 */
bool pcv_dma_fault(struct pcv_host *host, pcv_sbdf requester, uint64_t address,
                   uint32_t flags);

/**
 * How many faults are too many: `threshold` of them, where what was counted is
 * halved with each window of the host's clock that begins. Without now_us
 * nothing is ever halved: a function has so many faults from one reset to the
 * next.
 *
 * @threshold  1 to PCV_FAULTS_THRESHOLD_MAX; 0: faults are not counted
 * @window_us  microseconds, 1 to 2^32 - 1; rounded up to a power of two
 *
 * Returns 0 or -PCV_EINVAL. It holds from the next fault on; what was cut stays
 * so. Context: any. Locking: none.
 */
int PCV_MUST_CHECK pcv_host_set_faults(struct pcv_host *host,
                                       uint32_t threshold, uint32_t window_us);

/* What is known of a function's faults. */
struct pcv_device_faults {
    uint32_t count;     /* that count by now; stands still while `excess` */
    uint32_t threshold; /* of the host; 0: none are counted */
    uint64_t window_us; /* likewise */
    bool excess;        /* the threshold was reached */
    bool cut;           /* and it may not master the bus; false for what is
                           never cut: see docs/faults.md */
    bool due;           /* pcv_host_work() has not come to it yet */
};

/**
 * A function's faults.
 *
 * Returns 0 and *out_faults; -PCV_ENODEV; -PCV_EINVAL.
 * Context: any. Locking: none.
 */
int pcv_device_faults(struct pcv_host *host, pcv_sbdf sbdf,
                      struct pcv_device_faults *out_faults);

/**
 * Forget a function's faults, as an administrator's act: none is counted, and
 * its owner may switch bus mastering on again, which stays off until then.
 *
 * Returns 0; -PCV_ENODEV; -PCV_EINVAL. Context: control.
 * Locking: the device's lock.
 */
int PCV_MUST_CHECK pcv_device_clear_faults(struct pcv_host *host,
                                           pcv_sbdf sbdf);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * IOMMU faults of a device (OWN-10), without a lock and without memory, since
 * they come in interrupts and in storms: everything stands in the device's
 * marks. The upper half counts, the bits below say what came of it.
 *
 *   bits 16..21  faults that count
 *   bits 22..31  the window in which the last one came
 *
 * Windows are numbered modulo 1024. A function that was quiet for exactly that
 * many of them, or a multiple, keeps a count that should have faded: at worst
 * it is cut some faults too early, once in so many times.
 */
#ifndef PCV_REGISTRY_FAULTS_H
#define PCV_REGISTRY_FAULTS_H

#include "pcivisor/faults.h"
#include "registry/barred.h"

#define PCV__FAULTS_SHIFT 16u
#define PCV__FAULTS_MAX 63u
#define PCV__FAULTS_WINDOW_SHIFT 22u
#define PCV__FAULTS_WINDOW_MAX 1023u

#define PCV__FAULTS_ALL                                                        \
    (0xffff0000u | PCV__MARK_FAULTY | PCV__MARK_CUT | PCV__MARK_CUT_DUE)

/* pcv_host.fault_limits: threshold, and log2 of the window in microseconds. */
#define PCV__FAULT_LIMITS(threshold, order) ((threshold) | (order) << 8)
static inline uint32_t pcv__fault_threshold(uint32_t limits)
{
    return limits & 0xffu;
}

static inline uint32_t pcv__fault_order(uint32_t limits)
{
    return limits >> 8;
}

/* Whether its bus mastering is off whatever its owner says: from the fault that
 * was one too many on. Under the device's lock it is known for certain, and
 * who sees false there is before the work that writes hardware. */
static inline bool pcv__is_cut(const struct pcv_device *device)
{
    return pcv__is_marked(device, PCV__MARK_CUT);
}

/* It was reset, or is about to have another owner: it begins anew. No lock is
 * needed. What waits for the owner floor finds nothing left to do. */
static inline void pcv__faults_clear(struct pcv_device *device)
{
    atomic_fetch_and_explicit(&device->marks, ~PCV__FAULTS_ALL,
                              memory_order_acq_rel);
}

/* It has another owner: it begins anew, and so do the bridges above that are
 * charged for what is behind them (OWN-10). */
void pcv__faults_begin_anew(struct pcv_device *device)
    PCV__REQUIRES(device->segment->lock);

/* As a host begins. */
void pcv__faults_init(struct pcv_host *host);

/* How many faults count by now. */
uint32_t pcv__faults_now(const struct pcv_device *device);

/* Whether it is one whose bus mastering may be switched off: neither a bridge,
 * of either kind, nor what the hypervisor drives. */
bool pcv__may_be_cut(const struct pcv_device *device);

/* ---- what waits for the owner floor ----------------------------------------
 */

/*
 * A device that is somebody's now because of where it stands: as if it had
 * faulted too often itself. True if it was not before; then it is due.
 */
bool pcv__faults_condemn(struct pcv_device *device);
/* A device that is due, and not in the list, comes into it. If that is full the
 * next fault tries again. */
void pcv__faults_queue(struct pcv_device *device);

static inline bool pcv__faults_are_due(const struct pcv_host *host)
{
    return atomic_load_explicit(&host->fault_count, memory_order_acquire) != 0;
}

/* The one in a place of the list; false: there are not so many. */
bool pcv__faults_at(struct pcv_host *host, uint32_t place,
                    struct pcv__fault_due *out_due);
/* It was looked at: it leaves the list, unless it is due still, or again; then
 * its walk goes on from `due->next`. `device`: who stands there, or NULL; a
 * reference is held. True if it left. */
bool pcv__faults_looked_at(struct pcv_host *host,
                           const struct pcv__fault_due *due,
                           const struct pcv_device *device);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Storms of IOMMU faults, as a host's driver tells of them.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_FAULTS_FIXTURE_H
#define PCV_TESTS_UNIT_FAULTS_FIXTURE_H

#include "pcivisor/faults.h"
#include "resettable.h"

#define NOWHERE UINT64_C(0xdead0000)

/* So many faults of a requester; whether the last one left work. */
static inline bool faults_tell(struct pcv_host *host, pcv_sbdf requester,
                               unsigned count)
{
    bool work = false;

    for (unsigned i = 0; i < count; i++) {
        work = pcv_dma_fault(host, requester, NOWHERE + i, PCV_FAULT_WRITE);
    }
    return work;
}

/* As many as are too many. */
static inline bool faults_storm(struct pcv_host *host, pcv_sbdf requester)
{
    return faults_tell(host, requester, PCV_FAULTS_THRESHOLD);
}

static inline struct pcv_device_faults faults_of(struct pcv_host *host,
                                                 pcv_sbdf sbdf)
{
    struct pcv_device_faults faults;

    assert_int_equal(pcv_device_faults(host, sbdf, &faults), 0);
    return faults;
}

/* The host comes to its work, and nothing is left of it. */
static inline void faults_work(struct pcv_host *host)
{
    uint64_t wait_us = 1;
    int error = -PCV_ERESTART;

    for (int i = 0; i < 1000 && error == -PCV_ERESTART; i++) {
        error = pcv_host_work(host, &wait_us);
    }
    assert_int_equal(error, 0);
    assert_int_equal(wait_us, 0);
}

/* ---- of a function that somebody owns -------------------------------------
 */

/* What hardware has of bus mastering, and what the owner reads. */
static inline bool masters(struct owned *o)
{
    return (pcv_model_peek(o->h.model, OWNED_AT, PCV_REG_COMMAND, 2) &
            PCV_CMD_MASTER) != 0;
}

static inline bool reads_master(struct owned *o)
{
    return (owned_read(o, PCV_REG_COMMAND, 2) & PCV_CMD_MASTER) != 0;
}

static inline void switch_on(struct owned *o)
{
    owned_write(o, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
}

/* It faults too often, and is cut. */
static inline void cut(struct owned *o)
{
    assert_true(faults_storm(o->h.host, OWNED_AT));
    faults_work(o->h.host);
    assert_false(masters(o));
}

#endif

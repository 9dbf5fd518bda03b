/* SPDX-License-Identifier: MIT */
/*
 * A machine with a host on it, for tests of configuration accesses: what the
 * hardware domain does goes in, what hardware sees and what the library
 * reports is kept for a test to look at.
 *
 *     struct rig rig;
 *
 *     rig_open(&rig);
 *     pcv_test_add(rig.model, &f, pcv_test_at(0, 0, 1, 0));
 *     rig_boot(&rig);
 *     rig_write(&rig, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
 *     rig_close(&rig);
 */
#ifndef PCV_TESTS_UNIT_ENGINE_FIXTURE_H
#define PCV_TESTS_UNIT_ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"
#include "pcivisor/pcivisor.h"

#define RIG_LOG 4096u
#define RIG_EVENTS 256u

struct rig {
    struct pcv_model *model;
    struct pcv_host_ops ops; /* the model's; a test may change them first */
    struct pcv_host *host;
    struct pcv_domain *dom0;

    /* Hardware accesses since rig_forget(); later ones are only counted. */
    struct pcv_model_cfg log[RIG_LOG];
    size_t logged;
    /* Called in the middle of each hardware access, after it was logged. */
    void (*hook)(struct rig *rig, const struct pcv_model_cfg *access);
    void *hook_data;

    struct pcv_event event[RIG_EVENTS];
    size_t events;
};

/* A model without functions; a host on it once they were added. */
void rig_open(struct rig *rig);
void rig_boot(struct rig *rig);
/* The same, but nothing is scanned. */
void rig_create(struct rig *rig);
/* The end: everything must have been given back, and no page may have been
 * mapped twice or unmapped in vain. */
void rig_close(struct rig *rig);

/* Forget the hardware accesses and events so far. */
void rig_forget(struct rig *rig);
/* Accesses of hardware since then: all; of one direction; of a register. */
size_t rig_writes(const struct rig *rig);
size_t rig_touched(const struct rig *rig, uint16_t reg, bool write);
/* Whether the nth access (from 0) is this one. */
bool rig_saw(const struct rig *rig, size_t nth, bool write, uint16_t reg,
             uint8_t size);
size_t rig_events(const struct rig *rig, enum pcv_event_kind kind);

/* One access of the hardware domain; data only if it is done. */
enum pcv_verdict rig_try_read(struct rig *rig, pcv_sbdf sbdf, uint16_t reg,
                              uint8_t size, uint64_t *out);
enum pcv_verdict rig_try_write(struct rig *rig, pcv_sbdf sbdf, uint16_t reg,
                               uint8_t size, uint64_t value);
/* The same to its end: what is pending is resumed; a retry is a failure. */
uint32_t rig_read(struct rig *rig, pcv_sbdf sbdf, uint16_t reg, uint8_t size);
void rig_write(struct rig *rig, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
               uint32_t value);
/* Resume until done; how many times it took. */
unsigned rig_settle(struct rig *rig, struct pcv_access *access);

/* What the library knows of a device that must be there. */
void rig_info(struct rig *rig, pcv_sbdf sbdf, struct pcv_device_info *out);
struct pcv_device_status rig_status(struct rig *rig, pcv_sbdf sbdf);
/* Whether each page of [first, last] is mapped for the hardware domain, or
 * none is; a part of them is a failure. */
bool rig_mapped(const struct rig *rig, uint64_t address, uint64_t size);

#endif

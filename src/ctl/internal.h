/* SPDX-License-Identifier: MIT */
/*
 * The ctl floor's own: one function an operation, and the log of events.
 */
#ifndef PCV_CTL_INTERNAL_H
#define PCV_CTL_INTERNAL_H

#include "pcivisor/ctl.h"
#include "registry/internal.h"

/* An operation: the request's flags and room are checked, `count`, `more` and
 * `wait_us` of the reply are 0, `next` is the cursor and `sbdf` the request's.
 */
typedef int pcv__ctl_run(struct pcv_host *host,
                         const struct pcv_ctl_request *request,
                         struct pcv_ctl_reply *reply);

#define PCV__CTL_DECLARE(NAME, name, number, ARGUMENTS, RECORDS, FLAGS)        \
    pcv__ctl_run pcv__ctl_##name;
PCV_CTL_OPS(PCV__CTL_DECLARE)
#undef PCV__CTL_DECLARE

/* ---- the log (event_log.c) ------------------------------------------------
 */

/* The first event that is still kept, numbered `number` or later. */
bool pcv__event_log_next(struct pcv_event_log *log, uint64_t number,
                         struct pcv_ctl_event *out_event);

#endif

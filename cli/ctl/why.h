/* SPDX-License-Identifier: MIT */
/*
 * Why an operation was refused, in words: what an error number of it means
 * where it came up, and what can be done. docs/control.md has the errors.
 */
#ifndef PCIVISOR_CLI_CTL_WHY_H
#define PCIVISOR_CLI_CTL_WHY_H

#include "ctl/ctl.h"

/* What words are chosen by. */
struct why {
    const struct ctl *ctl;
    const struct pcv_ctl_request *request;
    /* Of request->sbdf: an operation may have failed because nothing can be
     * learnt of it. */
    bool has_status, has_info;
    struct pcv_device_status status;
    struct pcv_device_info info;
};

/* An error of an operation: the first row that fits says why. */
struct why_row {
    uint32_t op; /* 0: of any */
    int error;
    bool (*fits)(const struct why *why); /* NULL: always */
    /* Behind the name of what was asked for; @: who owns it; $: the step that
     * its change of owner is at; #: who is in the way of its bus reset, if
     * somebody is. */
    const char *words;
};

/* why_table.c. The last rows fit every operation. */
extern const struct why_row why_rows[];
extern const size_t why_row_count;

/* "error: EPERM not permitted: 01:00.0 is marked as broken ...". Returns false.
 * `error` may be negated. */
bool why_failed(const struct ctl *ctl, const struct pcv_ctl_request *request,
                int error);
/* The same of what is called otherwise than request->sbdf. */
bool why_failed_as(const struct ctl *ctl, const struct pcv_ctl_request *request,
                   int error, const char *name);
/* Only the reason, behind a name. */
void why_add(const struct ctl *ctl, const struct pcv_ctl_request *request,
             int error, struct text *to);

#endif

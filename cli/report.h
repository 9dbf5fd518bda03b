/* SPDX-License-Identifier: MIT */
/*
 * What is known of a function, in words and as JSON: shared by `inspect` and
 * by the commands.
 */
#ifndef PCIVISOR_CLI_REPORT_H
#define PCIVISOR_CLI_REPORT_H

#include "json.h"
#include "machine.h"

/* "present", "leaving", "absent". */
const char *report_state(enum pcv_device_state state);

/* "registry 1, owner 1, caller 2"; "nobody". */
void report_holders(struct text *text, const struct pcv_device_status *status);

/* "bar0", "rom". */
const char *report_bar_name(unsigned index);
/* "I/O", "mem32", "mem64 prefetchable". */
void report_bar_kind(struct text *text, const struct pcv_bar *bar);
/* "16K": with `~` where the model guessed it, `!` where the device gave no
 * size that makes sense. */
void report_bar_size(struct text *text, const struct machine *machine,
                     pcv_sbdf sbdf, unsigned index, const struct pcv_bar *bar);
/* Whether there is such a BAR, or something that claims to be one. */
bool report_bar_exists(const struct pcv_bar *bar);

/* An event on one line, without a newline. */
void report_event(struct text *text, const struct machine *machine,
                  const struct pcv_event *event);

/* Everything of a function. `names` may be NULL. */
struct names;
struct json_object *report_json(const struct machine *machine,
                                const struct pcv_device_info *info,
                                struct names *names);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What is known of a function, in words and as JSON: shared by `inspect` and
 * by the commands.
 */
#ifndef PCIVISOR_CLI_REPORT_H
#define PCIVISOR_CLI_REPORT_H

#include "ctl/words.h"
#include "json.h"
#include "machine.h"

/* "16K": with `~` where the model guessed it, `!` where the device gave no
 * size that makes sense. */
void report_bar_size(struct text *text, const struct machine *machine,
                     pcv_sbdf sbdf, unsigned index, const struct pcv_bar *bar);
/* How the machine calls its functions and domains; good as long as it is. */
struct words_names report_names(const struct machine *machine);

/* Everything of a function, as commands answer it, and what it is called, but
 * for `names` NULL. */
struct names;
struct json_object *report_json(const struct machine *machine,
                                const struct pcv_device_info *info,
                                struct names *names);

#endif

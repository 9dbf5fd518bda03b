/* SPDX-License-Identifier: MIT */
/*
 * What operations answer, in words: shared by the shell's commands and by
 * pcivisorctl, so that both print the same. Needs no library but libc.
 */
#ifndef PCIVISOR_CLI_CTL_WORDS_H
#define PCIVISOR_CLI_CTL_WORDS_H

#include "format.h"
#include "pcivisor/device.h"
#include "pcivisor/host.h"
#include "text.h"

/* How functions and domains are called: who prints knows. */
struct words_names {
    const void *ctx;
    struct sbdf_text (*show)(const void *ctx, pcv_sbdf sbdf);
    struct domain_text (*domain)(const void *ctx, uint32_t id);
    /* The other way round; false, and why. */
    bool (*parse)(const void *ctx, const char *word, pcv_sbdf *out_sbdf,
                  struct text *why);
    /* Whether the size of a BAR is a guess; NULL: none is. */
    bool (*guessed)(const void *ctx, pcv_sbdf sbdf, unsigned bar);
    /* As show(), always with its domain: for programs that read. */
    struct sbdf_text (*full)(const void *ctx, pcv_sbdf sbdf);
};

/* "present", "leaving", "absent". */
const char *report_state(enum pcv_device_state state);

/* "registry 1, owner 1, caller 2"; "nobody". */
void report_holders(struct text *text, const struct pcv_device_status *status);

/* "bar0", "rom". */
const char *report_bar_name(unsigned index);
/* "I/O", "mem32", "mem64p" where it is prefetchable. */
void report_bar_kind(struct text *text, const struct pcv_bar *bar);
/* "16K": with `~` where it was guessed, `!` where the device gave no size that
 * makes sense. */
void words_bar_size(struct text *text, const struct words_names *names,
                    pcv_sbdf sbdf, unsigned index, const struct pcv_bar *bar);
/* Whether there is such a BAR, or something that claims to be one. */
bool report_bar_exists(const struct pcv_bar *bar);

/* An event on one line, without a newline. */
void report_event(struct text *text, const struct words_names *names,
                  const struct pcv_event *event);

/* Each problem of a capability list in words, one call of `fn` each. */
void view_caps_problems(uint32_t problems,
                        void (*fn)(void *arg, const char *problem), void *arg);

/* "40: 12 34 ..." of `count` bytes: a row of a dump, with its newline. */
void view_add_row(struct text *text, uint16_t reg, const uint8_t *bytes,
                  size_t count);

#endif

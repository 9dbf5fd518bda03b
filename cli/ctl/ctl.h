/* SPDX-License-Identifier: MIT */
/*
 * The control operations as commands: asked of the library itself (the shell)
 * or of a mailbox (pcivisorctl), printed the same way. Needs no library but
 * libc.
 */
#ifndef PCIVISOR_CLI_CTL_CTL_H
#define PCIVISOR_CLI_CTL_CTL_H

#include "ctl/words.h"
#include "pcivisor/ctl.h"

struct ctl {
    void *ctx;
    /* Perform an operation, or a step of it, as pcv_ctl(). */
    int (*call)(void *ctx, const struct pcv_ctl_request *request,
                struct pcv_ctl_reply *reply);
    /*
     * It answered restart for the `steps`-th time: whether to go on, when the
     * time it asked for has passed. False with *out_wait_us: not before that,
     * and time stands still.
     */
    bool (*again)(void *ctx, uint64_t wait_us, uint32_t steps,
                  uint64_t *out_wait_us);
    struct words_names names;
    struct text *out; /* what commands print, errors included */
};

/* "error: EBUSY in use: ..." in the output. Returns false. `error` may be
 * negated. */
bool ctl_failed(const struct ctl *ctl, int error, const char *format, ...)
    CLI_PRINTF(3, 4);

/* A request for an operation on a function. */
struct pcv_ctl_request ctl_request(enum pcv_ctl_op op, pcv_sbdf sbdf);

/* What became of one. */
struct ctl_result {
    int error;        /* 0, or as pcv_ctl() */
    uint32_t steps;   /* restarts */
    uint64_t wait_us; /* that nobody waited, with -PCV_ERESTART */
    pcv_sbdf sbdf;    /* pcv_ctl_reply.sbdf */
};

/* Perform an operation that has no records, or scan, to its end. `scan` may be
 * NULL; what it counts is added. */
struct ctl_result ctl_perform(const struct ctl *ctl,
                              struct pcv_ctl_request *request,
                              struct pcv_ctl_scan *scan);

/* Ask for one record. Returns 0; -PCV_ENOENT if there is none. */
int ctl_ask(const struct ctl *ctl, const struct pcv_ctl_request *request,
            union pcv_ctl_record *out_record);

/* Ask for all records, page by page, until `fn` returns false. */
int ctl_each(const struct ctl *ctl, struct pcv_ctl_request *request,
             bool (*fn)(void *arg, const union pcv_ctl_record *record),
             void *arg);

/* All functions, in address order, then those that cannot be reached;
 * `domain_id` may be NULL. */
int ctl_each_device(const struct ctl *ctl, const uint32_t *domain_id,
                    bool (*fn)(void *arg, const union pcv_ctl_record *record),
                    void *arg);

/* The nodes of functions, any number of them. */
int ctl_each_node(const struct ctl *ctl, const pcv_sbdf *sbdfs, size_t count,
                  bool (*fn)(void *arg, const union pcv_ctl_record *record),
                  void *arg);
/* Configuration space in rows of at most 16 bytes, from `reg` on, `bytes` of it
 * (0: all), as request->domain_id sees it. */
typedef void ctl_row_fn(void *arg, uint16_t reg, const uint8_t *bytes,
                        size_t count);
int ctl_each_row(const struct ctl *ctl, struct pcv_ctl_request *request,
                 uint16_t reg, uint32_t bytes, ctl_row_fn *fn, void *arg);

/* Events from *number on, which goes on; *out_lost: how many are missing. */
int ctl_each_event(const struct ctl *ctl, uint64_t *number, uint64_t *out_lost,
                   bool (*fn)(void *arg, const struct pcv_event *event),
                   void *arg);

/* How many VFs of a function are registered. */
uint64_t ctl_vf_count(const struct ctl *ctl, pcv_sbdf sbdf);
/* Where a function stands. On failure *out_status is as it was. */
int ctl_status_of(const struct ctl *ctl, pcv_sbdf sbdf,
                  struct pcv_device_status *out_status);

/* What a function or a domain is called. */
struct sbdf_text ctl_show(const struct ctl *ctl, pcv_sbdf sbdf);
struct domain_text ctl_domain_name(const struct ctl *ctl, uint32_t id);

/* ---- commands: each prints what it has to say. False: an error, printed ----
 */

/* show.c */
bool ctl_devices(const struct ctl *ctl, bool is_long);
bool ctl_unreachable(const struct ctl *ctl);
bool ctl_device(const struct ctl *ctl, pcv_sbdf sbdf);
bool ctl_holders(const struct ctl *ctl, pcv_sbdf sbdf);
bool ctl_status(const struct ctl *ctl, pcv_sbdf sbdf);
bool ctl_nodes(const struct ctl *ctl, const pcv_sbdf *sbdfs, size_t count);
bool ctl_path(const struct ctl *ctl, pcv_sbdf sbdf);
bool ctl_stats(const struct ctl *ctl);
/* Those from *number on, which goes on; how many were lost is said. */
bool ctl_events(const struct ctl *ctl, uint64_t *number);

/* domain.c */
bool ctl_domains(const struct ctl *ctl);
bool ctl_mapped(const struct ctl *ctl, uint32_t domain_id);
/* BARs and mapped pages of a domain; NULL: of all. */
bool ctl_memory(const struct ctl *ctl, const uint32_t *domain_id);
bool ctl_bars(const struct ctl *ctl, pcv_sbdf sbdf);
bool ctl_domain_bars(const struct ctl *ctl, uint32_t domain_id,
                     const char *indent);
/* Configuration space from `reg` on, at most `bytes` (0: all), as a domain
 * sees it at an address of its own. */
bool ctl_dump(const struct ctl *ctl, uint32_t domain_id, pcv_sbdf sbdf,
              uint16_t reg, uint32_t bytes);

/* change.c */
/* "vf-of SBDF", "node N", "extfn", in any order. False, and why. */
bool ctl_add_words(const struct ctl *ctl, char *const *word, size_t count,
                   struct pcv_add_info *out_info, struct text *why);
bool ctl_add(const struct ctl *ctl, pcv_sbdf sbdf,
             const struct pcv_add_info *info);
bool ctl_remove(const struct ctl *ctl, pcv_sbdf sbdf,
                struct pcv_completion *done);
bool ctl_vanished(const struct ctl *ctl, pcv_sbdf sbdf);
bool ctl_scan(const struct ctl *ctl);
/* `said` is what was typed, `segment_name` what people call the segment. */
bool ctl_ecam(const struct ctl *ctl, const struct pcv_ctl_request *request,
              const char *said, uint32_t segment_name);
bool ctl_cancel_remove(const struct ctl *ctl, pcv_sbdf sbdf);
bool ctl_broken(const struct ctl *ctl, pcv_sbdf sbdf, bool on);
bool ctl_buses(const struct ctl *ctl, pcv_sbdf sbdf, const uint8_t bus[3]);
bool ctl_restore(const struct ctl *ctl, pcv_sbdf sbdf);
bool ctl_read_only(const struct ctl *ctl, pcv_sbdf sbdf);
bool ctl_override(const struct ctl *ctl, pcv_sbdf sbdf, bool on);
/* What became of an operation on a function that may have to wait: nothing is
 * printed for 0, else its error. */
bool ctl_finished(const struct ctl *ctl, const struct pcv_ctl_request *request,
                  const struct ctl_result *result);

/* assign.c */
bool ctl_assign(const struct ctl *ctl, pcv_sbdf sbdf, uint32_t domain_id,
                const struct pcv_assign_policy *policy);
bool ctl_test_assign(const struct ctl *ctl, pcv_sbdf sbdf, uint32_t domain_id,
                     const struct pcv_assign_policy *policy);
bool ctl_deassign(const struct ctl *ctl, pcv_sbdf sbdf);

/* why.c: whether a bridge above it is to be removed when a guest gives back
 * what is behind it. */
bool ctl_bridge_leaves(const struct ctl *ctl, pcv_sbdf sbdf,
                       pcv_sbdf *out_bridge);

/* card.c: what tells one card from another, as far as it is known; and what an
 * add made of it: "added", "known, updated", "another card, added". */
struct ctl_card {
    bool known;
    struct pcv_device_info info;
};
struct ctl_card ctl_card_at(const struct ctl *ctl, pcv_sbdf sbdf);
const char *ctl_card_added(const struct ctl_card *before, const struct ctl *ctl,
                           pcv_sbdf sbdf);

/* reset.c */
bool ctl_reset(const struct ctl *ctl, pcv_sbdf sbdf);
bool ctl_reset_method(const struct ctl *ctl, pcv_sbdf sbdf);
/* ": its bus reset would hit ...", if that is so. */
void ctl_reset_blocker(const struct ctl *ctl, pcv_sbdf sbdf, struct text *to);
bool ctl_prepare_msix(const struct ctl *ctl, pcv_sbdf sbdf);
bool ctl_release_msix(const struct ctl *ctl, pcv_sbdf sbdf);

/* faults.c: "SBDF", "SBDF clear", "limit COUNT MILLISECONDS". False: an error,
 * printed; *out_misused: or, with nothing printed, why it is none of these. */
bool ctl_faults(const struct ctl *ctl, char *const *word, size_t count,
                struct text *misused);
/* isolation.c */
bool ctl_group(const struct ctl *ctl, pcv_sbdf sbdf);
bool ctl_isolate(const struct ctl *ctl, pcv_sbdf sbdf, bool isolated);
/* "also SBDF", "phantom STRIDE", or nothing. False, and why. */
bool ctl_requesters_words(const struct ctl *ctl, char *const *word,
                          size_t count, struct pcv_ctl_request *request,
                          struct text *why);
bool ctl_requesters(const struct ctl *ctl,
                    const struct pcv_ctl_request *request);

/* hidden.c */
/* Ranges, "BAR:OFFSET:SIZE" each. False, and why. */
bool ctl_hide_words(char *const *word, size_t count,
                    struct pcv_hide_info *out_info, struct text *why);
/* `flags` are PCV_CTL_SUBTREE and PCV_CTL_SLOT. */
bool ctl_hide(const struct ctl *ctl, pcv_sbdf sbdf,
              const struct pcv_hide_info *info, uint32_t flags);
bool ctl_conceal(const struct ctl *ctl, pcv_sbdf sbdf, uint32_t flags);
bool ctl_reveal(const struct ctl *ctl, pcv_sbdf sbdf, uint32_t flags);
bool ctl_quarantine(const struct ctl *ctl, pcv_sbdf sbdf, uint32_t flags);

#endif

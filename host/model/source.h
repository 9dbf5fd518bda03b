/* SPDX-License-Identifier: MIT */
/*
 * What the sources of a modelled host share: functions are first collected,
 * in ascending order of their addresses, then VFs are told from the rest by
 * their PFs' registers, then all of them are given to the model.
 *
 * Nothing here knows whether the functions came from a text or from libpci.
 */
#ifndef PCIVISOR_HOST_MODEL_SOURCE_H
#define PCIVISOR_HOST_MODEL_SOURCE_H

#include "model.h"

#if defined(__GNUC__) || defined(__clang__)
#define PCV__PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PCV__PRINTF(fmt, args)
#endif

/* A function that was collected. It owns its bytes and its name. */
struct pcv__source_fn {
    uint32_t domain; /* as the source calls it, up to 32 bits */
    uint16_t rid;    /* bus 15:8, device 7:3, function 2:0 */
    unsigned line;   /* where it begins, for messages; 0: nowhere */
    uint8_t *config;
    char *name;                   /* or NULL */
    size_t physfn;                /* index of its PF, if fn.vf */
    struct pcv_model_function fn; /* all but sbdf, config, name and physfn */
};

struct pcv__source {
    struct pcv__source_fn *fns; /* ascending by domain, then rid */
    size_t count;
    size_t room;
};

void pcv__source_fini(struct pcv__source *source);

/* Takes config and name of *fn, also on failure. -PCV_ENOMEM. */
int pcv__source_append(struct pcv__source *source,
                       const struct pcv__source_fn *fn);

/*
 * Find the VFs by the SR-IOV capabilities of the others, then add everything
 * to the model. Negative error number and *error.
 */
int pcv__source_deliver(struct pcv__source *source, struct pcv_model *model,
                        struct pcv_model_error *error);

/*
 * What a stated size says about a BAR register: the size itself, or 0 where
 * no BAR can have it. (A kernel's resource is not always what the register
 * decodes: an enhanced allocation may have any size, the legacy ports of an
 * IDE controller may be a single byte.)
 *
 * @bar  0 to 5, or 6 for the ROM
 * @io   an I/O BAR
 */
uint64_t pcv__source_bar_size(unsigned bar, bool io, uint64_t size);

/* Offset of a capability in the list, or 0. Survives any bytes. */
unsigned pcv__source_cap(const uint8_t *config, uint8_t id);
/* Offset of an extended capability, or 0; `config` has 4096 bytes. */
unsigned pcv__source_ext_cap(const uint8_t *config, uint16_t id);

/* "00:1f.2", or "10000:e1:00.0" where the domain is not 0. */
#define PCV__SOURCE_LABEL 24u
void pcv__source_label(char out[PCV__SOURCE_LABEL], uint32_t domain,
                       uint16_t rid);

/* Fill *error (it may be NULL) and return rc. */
int pcv__source_fail(struct pcv_model_error *error, int rc, unsigned line,
                     const char *format, ...) PCV__PRINTF(4, 5);

#endif

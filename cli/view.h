/* SPDX-License-Identifier: MIT */
/*
 * Configuration space as a domain sees it: accesses through its entrances,
 * played as a vCPU would.
 */
#ifndef PCIVISOR_CLI_VIEW_H
#define PCIVISOR_CLI_VIEW_H

#include "ctl/words.h"
#include "machine.h"

/* The entrances (CFG-1). */
enum view_via {
    VIEW_ADDRESS,  /* by address, register and size */
    VIEW_ECAM,     /* a load or store in the domain's ECAM window */
    VIEW_PORT,     /* I/O ports 0xcf8 and 0xcfc */
    VIEW_PORT_AMD, /* these, with AMD's extended register bits */
};

/* False if there is no such entrance: "address", "ecam", "port", "port-amd". */
#define VIEW_VIA_NAMES "address, ecam, port or port-amd"
bool view_via_named(const char *name, enum view_via *out_via);

struct view {
    struct machine *machine;
    /* Whose accesses; NULL: nobody's, registers are hardware's memory, and
     * addresses the machine's. */
    struct pcv_domain *domain;
    enum view_via via;
    /* How often an access is repeated, or resumed, at most; 0: until it is
     * over. While others are left pending it may wait for them. */
    uint32_t steps;
};

/* A function's address as the view's domain has it: "02:00.0" for the hardware
 * domain, "web 00:01.0" for a guest. */
struct view_text {
    char s[72];
};
struct view_text view_sbdf(const struct view *view, pcv_sbdf sbdf);

/* An address as the view's domain writes it; a guest has one segment, of which
 * the machine knows nothing. False, and why. */
bool view_parse_sbdf(const struct view *view, const char *word,
                     pcv_sbdf *out_sbdf, struct text *why);

/* The function at an address of the view's domain, with a reference; NULL. */
struct pcv_device *view_device(const struct view *view, pcv_sbdf sbdf);

/* What became of an access. */
struct view_result {
    enum pcv_verdict verdict; /* the last one */
    uint64_t data;
    uint32_t pendings; /* how often resume was called after a pending */
    uint32_t retries;
};

/*
 * Access a register and see it through: repeat what says retry, resume what
 * is pending. False, and why, if this entrance doesn't lead there.
 */
bool view_access(const struct view *view, pcv_sbdf sbdf, uint16_t reg,
                 uint8_t size, bool write, uint64_t data,
                 struct view_result *out_result, struct text *why);

/* A load or store at an address of the guest, and an access to a port. */
struct view_result view_memory(const struct view *view, uint64_t address,
                               uint8_t size, bool write, uint64_t data);
struct view_result view_port(const struct view *view, uint16_t port,
                             uint8_t size, bool write, uint32_t data);

/* 1, 2 or 4 bytes, aligned, by address; all ones where nothing answers. */
uint32_t view_read(const struct view *view, pcv_sbdf sbdf, uint16_t reg,
                   uint8_t size);

/* `size` bytes, a multiple of 4, from register 0 on, four at a time. */
void view_copy(const struct view *view, pcv_sbdf sbdf, uint16_t size,
               uint8_t *out_bytes);

/* All capabilities of a function, as the domain sees them. */
struct view_caps {
    struct pcv_cap cap[PCV_CAPS_MAX + PCV_EXT_CAPS_MAX];
    size_t count;
    uint32_t problems;     /* PCV_CAP_* of the first list */
    uint32_t ext_problems; /* of the extended one */
};
void view_caps_read(const struct view *view, pcv_sbdf sbdf, bool extended,
                    struct view_caps *out_caps);

#endif

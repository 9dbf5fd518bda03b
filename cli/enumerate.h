/* SPDX-License-Identifier: MIT */
/*
 * A machine's functions as an operating system finds them: by nothing but a
 * domain's accesses through an ECAM window or the I/O ports.
 *
 * The enumerator calls pcv_ecam_access(), pcv_port_access() and
 * pcv_access_resume(), and no other function of the library or of the model:
 * what it says is an outsider's view, to be held against the registry's.
 */
#ifndef PCIVISOR_CLI_ENUMERATE_H
#define PCIVISOR_CLI_ENUMERATE_H

#include "pcivisor/access.h"

/* A run of buses and where their configuration space begins in memory, as
 * firmware's table of them (MCFG) says it. */
struct enumerate_window {
    uint64_t base; /* of bus_first, bytes; the ports need none */
    uint16_t segment;
    uint8_t bus_first;
    uint8_t bus_last;
};

struct enumerate_plan {
    struct pcv_domain *domain;
    bool ports;    /* by 0xcf8 and 0xcfc, not through the windows */
    bool extended; /* registers 0x100 to 0xfff can be reached that way */
    bool size_bars;
    bool one_segment; /* the windows are those of one segment only */
    bool one_root;    /* only bus `root` and what is behind its bridges */
    uint8_t root;
    const struct enumerate_window *window; /* borrowed */
    size_t windows;
};

/* Kinds of enumerate_bar. */
enum enumerate_kind {
    ENUMERATE_NONE,
    ENUMERATE_IO,
    ENUMERATE_MEM32,
    ENUMERATE_MEM64, /* the next one is its upper half and has kind none */
    ENUMERATE_ROM,
    ENUMERATE_BROKEN, /* it answered with what is no size, or is no BAR */
};

#define ENUMERATE_BARS 7u /* six, and the expansion ROM */
#define ENUMERATE_BAR_ROM 6u
#define ENUMERATE_VF_BARS 6u

struct enumerate_bar {
    uint64_t address;
    uint64_t size; /* bytes; 0: not sized */
    uint8_t kind;  /* enum enumerate_kind */
    bool prefetchable;
    bool enabled; /* of a ROM: its own bit */
};

/* What a bridge forwards; base above limit: nothing. */
struct enumerate_range {
    uint64_t base;
    uint64_t limit; /* inclusive */
};

struct enumerate_cap {
    uint16_t offset;
    uint16_t id;
    bool extended;
};

/* What is wrong with a function. */
#define ENUMERATE_CAP_LOOP 0x01u       /* a pointer leads back */
#define ENUMERATE_CAP_LOW 0x02u        /* a pointer leads into the header */
#define ENUMERATE_CAP_MISALIGNED 0x04u /* a pointer is no multiple of 4 */
#define ENUMERATE_CAP_ALL_ONES 0x08u   /* a capability reads all ones */
#define ENUMERATE_BUSES 0x10u          /* a bridge's bus numbers are no range */
#define ENUMERATE_BUSES_TAKEN 0x20u    /* ... or another's */
#define ENUMERATE_ARI 0x40u            /* the next function's number is lower */
#define ENUMERATE_VFS 0x80u            /* VFs where none are, or can be */

struct enumerate_function {
    pcv_sbdf sbdf;
    uint16_t vendor, device; /* of a VF: by its PF */
    uint16_t subsystem_vendor, subsystem;
    uint32_t class_code; /* 24 bits */
    uint32_t problems;   /* ENUMERATE_* */
    uint8_t revision;
    uint8_t header_type; /* with the multi-function bit */
    uint8_t pcie_type;   /* PCV_PCIE_TYPE_*, if pcie_cap is not 0 */
    uint8_t pcie_cap;    /* offsets; 0: there is none */
    uint8_t pcix_cap;
    uint8_t subsystem_cap;
    uint16_t ari_cap;
    uint16_t sriov_cap;
    /* Bridges: */
    uint8_t primary, secondary, subordinate;
    struct enumerate_range io, memory, prefetch;
    /* SR-IOV: */
    bool is_vf;
    pcv_sbdf physfn;
    uint16_t num_vfs, total_vfs; /* of a PF: enabled, and at most */
    uint16_t vf_offset, vf_stride, vf_device;
    struct enumerate_bar bar[ENUMERATE_BARS];
    struct enumerate_bar vf_bar[ENUMERATE_VF_BARS]; /* of the first VF */
    size_t cap;                                     /* the first of its list */
    size_t caps;
};

struct enumeration {
    struct enumerate_function *function; /* by address */
    size_t count;
    size_t room;
    struct enumerate_cap *cap;
    size_t caps;
    size_t caps_room;
    uint64_t buses; /* with at least one function */
    uint64_t bars;  /* that were sized */
    uint64_t accesses;
    uint64_t resumed; /* of those: were pending, and resumed */
    uint64_t lost;    /* of those: no entrance took them, or they never ended */
};

/* Look at every bus of the plan. Bounded whatever devices answer: a bus is
 * looked at once, and each list of a function has a bound of its own. */
void enumerate_run(const struct enumerate_plan *plan,
                   struct enumeration *out_enumeration);
void enumerate_fini(struct enumeration *enumeration);

/* The function at an address, or NULL. */
const struct enumerate_function *enumerate_find(
    const struct enumeration *enumeration, pcv_sbdf sbdf);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Machines that are made up. A specification becomes a shape (how many of
 * what), the shape a plan of one segment (which function is where), the plan
 * gets addresses, and each function then its registers.
 *
 * The same specification gives the same machine, byte for byte (SIM-3).
 */
#ifndef PCIVISOR_HOST_MODEL_GENERATE_H
#define PCIVISOR_HOST_MODEL_GENERATE_H

#include "model.h"

#define PCV__GEN_AUTO UINT32_MAX /* the generator chooses */
#define PCV__GEN_RIDS 65536u
#define PCV__GEN_FIRST_VF                                                      \
    8u /* behind the functions 0 to 7 of the PF's device */

/* What was asked for. Numbers are of each segment. */
struct pcv__gen_spec {
    uint64_t seed;
    uint32_t segments;
    uint32_t functions;
    uint32_t buses;
    uint32_t bridges;
    uint32_t switches;
    uint32_t pci;
    uint32_t multi;
    uint32_t vfs;
    uint32_t extended; /* percent */
};

int pcv__gen_parse(struct pcv__gen_spec *out, const char *text,
                   struct pcv_model_error *error);

/* How many of what, for each segment; nothing is left to choose. */
struct pcv__gen_shape {
    uint32_t roots;   /* root buses, each with a host bridge */
    uint32_t bridges; /* all of the following four */
    uint32_t
        root_ports;    /* one for each switch and PCI bridge, and plain ones */
    uint32_t switches; /* upstream ports */
    uint32_t downstream; /* ports, of all switches together */
    uint32_t pci;        /* PCI Express to PCI bridges */
    uint32_t multi;      /* functions of a device, at most */
    uint32_t endpoints;  /* all that is no bridge and no VF */
    uint32_t pfs;        /* endpoints that have VFs */
    uint32_t vfs;        /* VFs of each */
};

/* -PCV_EINVAL and *error: it is impossible, and what would be possible. */
int pcv__gen_shape(const struct pcv__gen_spec *spec, struct pcv__gen_shape *out,
                   struct pcv_model_error *error);

/* Ports with room for an endpoint's device behind them. */
static inline uint32_t pcv__gen_leaves(const struct pcv__gen_shape *shape)
{
    return shape->root_ports - shape->switches - shape->pci + shape->downstream;
}

/* ---- kinds of functions (generate_kind.c) -------------------------------- */

/* Address spaces that windows and BARs divide among themselves. */
enum pcv__gen_space {
    PCV__GEN_IO,
    PCV__GEN_MEM,
    PCV__GEN_PREF,
    PCV__GEN_SPACES
};

#define PCV__GEN_BARS 3u

struct pcv__gen_bar {
    enum pcv__gen_space space;
    bool wide;      /* 64-bit */
    uint8_t log2;   /* smallest size; 0: no such BAR */
    uint8_t spread; /* sizes up to log2 + spread */
};

enum pcv__gen_role {
    PCV__GEN_NONE,
    PCV__GEN_HOST,      /* conventional, on a root bus */
    PCV__GEN_ROOT_PORT, /* bridges .. */
    PCV__GEN_UPSTREAM,
    PCV__GEN_DOWNSTREAM,
    PCV__GEN_TO_PCI,       /* .. until here */
    PCV__GEN_INTEGRATED,   /* PCI Express, on a root bus */
    PCV__GEN_ENDPOINT,     /* PCI Express, behind a port */
    PCV__GEN_CONVENTIONAL, /* on a root bus or behind a PCI bridge */
    PCV__GEN_ROLES
};

struct pcv__gen_kind {
    enum pcv__gen_role role;
    uint16_t vendor;
    uint16_t device;
    uint16_t vf_device; /* 0: it cannot have VFs */
    uint8_t revision;
    uint32_t class_code; /* 24 bits */
    uint8_t pm;          /* version of power management; 0: none */
    uint8_t msi;         /* log2 of its vectors + 1; 0: no MSI */
    uint16_t msix;       /* entries, in the first memory BAR; 0: no MSI-X */
    uint8_t rom_log2;    /* 0: no expansion ROM */
    struct pcv__gen_bar bars[PCV__GEN_BARS];
};

extern const struct pcv__gen_kind pcv__gen_kinds[];
/* Index of one with that role, by chance; with VFs if `sriov`. */
uint8_t pcv__gen_choose(enum pcv__gen_role role, bool sriov, uint64_t chance);

static inline bool pcv__gen_is_bridge(enum pcv__gen_role role)
{
    return role >= PCV__GEN_ROOT_PORT && role <= PCV__GEN_TO_PCI;
}

/* ---- the plan of one segment (generate_plan.c) --------------------------- */

/* One function, at its routing ID's place. BARs: the kind's, then the ROM,
 * then the VFs' BARs of a PF. */
#define PCV__GEN_ROM PCV__GEN_BARS
#define PCV__GEN_VF_BAR (PCV__GEN_BARS + 1u)
#define PCV__GEN_PLACES (PCV__GEN_BARS + 2u)

struct pcv__gen_fn {
    uint8_t role;      /* enum pcv__gen_role; PCV__GEN_NONE: nobody is here */
    uint8_t kind;      /* index of pcv__gen_kinds */
    uint8_t secondary; /* of a bridge */
    bool multi;        /* of a device with several functions */
    bool extended;     /* 4096 bytes */
    bool vf;
    bool pf;
    uint8_t log2[PCV__GEN_PLACES]; /* sizes; 0: no such BAR */
    uint16_t pf_rid;               /* of a VF */
    uint64_t at[PCV__GEN_PLACES]; /* offset in the bus's window, then address */
};

struct pcv__gen_window {
    uint64_t size;
    uint64_t align;
    uint64_t base; /* offset in the parent's window, then address */
    bool open;     /* it has an address */
};

struct pcv__gen_bus {
    bool root;
    bool leaf;           /* takes one device, behind a PCI Express port */
    bool pci;            /* takes conventional devices */
    bool sriov;          /* its function 0 is a PF */
    uint8_t parent;      /* bus; root buses: their own number */
    uint8_t subordinate; /* last bus behind */
    uint32_t ports;      /* root ports on a root bus */
    uint32_t wish;       /* how many endpoints it would like */
    uint32_t endpoints;  /* how many it has, VFs apart */
    struct pcv__gen_window window[PCV__GEN_SPACES];
};

struct pcv__gen_plan {
    const struct pcv__gen_spec *spec;
    const struct pcv__gen_shape *shape;
    uint16_t segment;
    uint64_t random; /* state */
    uint32_t buses;  /* so far */
    struct pcv__gen_bus bus[PCV_BUSES];
    struct pcv__gen_fn fn[PCV__GEN_RIDS];
};

/* What is left of the machine's address spaces; segments share them. */
struct pcv__gen_spaces {
    uint64_t next[PCV__GEN_SPACES];
    uint64_t end[PCV__GEN_SPACES]; /* exclusive */
};

/* Fill a zeroed plan. */
void pcv__gen_plan(struct pcv__gen_plan *plan);
/* Addresses for windows and BARs. What does not fit stays without. */
void pcv__gen_place(struct pcv__gen_plan *plan, struct pcv__gen_spaces *spaces);
/* The registers of one function, into 4096 zeroed bytes. */
void pcv__gen_registers(const struct pcv__gen_plan *plan, uint16_t rid,
                        uint8_t *config);

/* The next random number of a state. */
uint64_t pcv__gen_random(uint64_t *state);

#endif

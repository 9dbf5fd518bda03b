/* SPDX-License-Identifier: MIT */
/* What the device tree says of the machine. */
#ifndef HYP_MACHINE_H
#define HYP_MACHINE_H

#include "arch.h"
#include "gic.h"
#include "smmu.h"

struct region {
    uint64_t base, size; /* size 0: there is none */
};

static inline bool region_holds(const struct region *outer,
                                const struct region *inner)
{
    return inner->base >= outer->base && inner->size <= outer->size &&
           inner->base - outer->base <= outer->size - inner->size;
}

/* What the host bridge forwards to the bus (its `ranges`). The hypervisor
 * expects memory at its own address there. */
struct pci_windows {
    struct region ecam;
    uint8_t bus_first, bus_last;
    uint16_t segment;
    struct region io; /* CPU address; port 0 is at its start */
    struct region memory32, memory64;
    unsigned pins; /* interrupts of INTA to INTD, as INTIDs */
    uint32_t pin[4];
};

/* A module that the boot loader left in memory for a domain. */
struct boot_module {
    struct region kernel, initrd;
    const char *arguments;
};

struct machine {
    void *fdt; /* our copy */
    size_t fdt_size;
    struct region ram;
    unsigned cpus;
    uint64_t mpidr[CPUS_MAX];
    struct gic_regions gic;
    uint64_t its; /* 0: there is none */
    struct smmu_info smmu;
    struct pci_windows pci;
    struct boot_module hardware;
    const char *options; /* the hypervisor's own command line */
};

/* Read the tree at an address, copy it, or panic with what is missing. */
void machine_read(uint64_t fdt_address, struct machine *out);
/* Whether a word stands among the options: "name", or "name=" with *out_value
 * set behind it. */
bool machine_option(const struct machine *machine, const char *name,
                    const char **out_value);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Domains and their virtual CPUs. The machine is partitioned: a CPU and a page
 * of memory belong to one domain for good, so that a virtual CPU never leaves
 * its CPU and its EL1 registers stay in the hardware.
 */
#ifndef HYP_DOMAIN_H
#define HYP_DOMAIN_H

#include "arch.h"

struct pcv_domain;
struct domain;
struct vgic;
struct smmu_context;

/* What a trap saves, in the order in which vectors.S stores it. */
struct frame {
    uint64_t x[31];
    uint64_t elr, spsr;
    uint64_t unused; /* keeps the stack aligned to 16 bytes */
};

struct vcpu {
    struct domain *domain;
    unsigned index;  /* in its domain: also affinity 0 of its MPIDR */
    unsigned cpu;    /* the physical CPU that it runs on */
    _Atomic bool on; /* PSCI */
    /* Entry that CPU_ON asked for. */
    uint64_t entry, context;
};

struct domain {
    uint32_t id; /* the library's: 0 is the hardware domain */
    const char *name;
    struct pcv_domain *pcv;
    uint64_t ram_base, ram_size; /* guest-physical is physical */
    uint64_t frame;              /* guest-physical page of the doorbell */
    uint64_t *stage2;            /* root of its stage-2 tables */
    struct spinlock stage2_lock;
    struct vgic *vgic;
    struct smmu_context *dma;
    unsigned vcpus;
    struct vcpu vcpu[CPUS_MAX];
};

/* This CPU; TPIDR_EL2 points to it. */
struct cpu {
    unsigned index;
    uint64_t mpidr;
    struct vcpu *vcpu; /* NULL: none was given to it */
};

static inline struct cpu *this_cpu(void)
{
    return (struct cpu *)READ_SYSREG(tpidr_el2);
}

#endif

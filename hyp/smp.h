/* SPDX-License-Identifier: MIT */
/* The machine's other CPUs. */
#ifndef HYP_SMP_H
#define HYP_SMP_H

#include "domain.h"

/* The first CPU, which booted, is number 0. */
void smp_init(uint64_t mpidr);
/* Start a CPU, which then runs this vCPU. PSCI's answer: 0 or negative. */
int64_t smp_start(unsigned cpu, struct vcpu *vcpu);
/* This CPU ends; smp_start() begins it anew. */
_Noreturn void smp_stop(void);
/* The machine. */
_Noreturn void smp_power_off(void);
_Noreturn void smp_reset(void);

#endif

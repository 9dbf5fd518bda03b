/* SPDX-License-Identifier: MIT */
/* CPUs are started and stopped by the firmware's PSCI (Arm DEN 0022). */
#include "smp.h"

#include "gic.h"
#include "its.h"
#include "lib.h"
#include "main.h"
#include "psci.h"

#define STACK_ORDER 2u /* 16 KiB */

struct cpu_start {
    uint64_t stack_end; /* start.S reads this */
    struct cpu *cpu;
};

static struct cpu cpus[CPUS_MAX];
static struct cpu_start starts[CPUS_MAX];
extern const char next_cpu[];
extern const char vectors[];
void smp_main(struct cpu_start *start);

static int64_t firmware(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = a;
    register uint64_t x2 __asm__("x2") = b;
    register uint64_t x3 __asm__("x3") = c;

    __asm__ volatile("smc #0"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
                     :
                     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
                       "x13", "x14", "x15", "x16", "x17", "memory");
    return (int64_t)x0;
}

void smp_init(uint64_t mpidr)
{
    cpus[0].mpidr = mpidr;
    WRITE_SYSREG(tpidr_el2, &cpus[0]);
    WRITE_SYSREG(vbar_el2, vectors);
    isb();
}

int64_t smp_start(unsigned cpu, struct vcpu *vcpu)
{
    struct cpu_start *start = &starts[cpu];

    if (start->stack_end == 0) {
        void *stack = pages_alloc(STACK_ORDER);

        if (!stack) {
            return PSCI_INTERNAL_FAILURE;
        }
        start->stack_end = (uint64_t)stack + (PAGE_SIZE << STACK_ORDER);
    }
    start->cpu = &cpus[cpu];
    cpus[cpu].index = cpu;
    cpus[cpu].mpidr = the_machine()->mpidr[cpu];
    cpus[cpu].vcpu = vcpu;
    dsb();
    return firmware(PSCI_CPU_ON, cpus[cpu].mpidr, (uint64_t)next_cpu,
                    (uint64_t)start);
}

/* From start.S, on a CPU's own stack. */
void smp_main(struct cpu_start *start)
{
    WRITE_SYSREG(tpidr_el2, start->cpu);
    WRITE_SYSREG(vbar_el2, vectors);
    isb();
    gic_init_cpu();
    if (the_machine()->its != 0 && its_init_cpu() != 0) {
        panic("CPU %u: no LPIs", start->cpu->index);
    }
    vcpu_run(start->cpu->vcpu);
}

void smp_stop(void)
{
    this_cpu()->vcpu = NULL;
    (void)firmware(PSCI_CPU_OFF, 0, 0, 0);
    panic("CPU %u could not be switched off", this_cpu()->index);
}

void smp_power_off(void)
{
    (void)firmware(PSCI_SYSTEM_OFF, 0, 0, 0);
    panic("the machine could not be switched off");
}

void smp_reset(void)
{
    (void)firmware(PSCI_SYSTEM_RESET, 0, 0, 0);
    panic("the machine could not be reset");
}

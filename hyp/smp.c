/* SPDX-License-Identifier: MIT */
/* CPUs are started and stopped by the firmware's PSCI (Arm DEN 0022). */
#include "smp.h"

#include "driver.h"
#include "gic.h"
#include "its.h"
#include "lib.h"
#include "main.h"
#include "psci.h"

static struct cpu cpus[CPUS_MAX];
/* What smp_start() leaves for a CPU that is off. */
static struct {
    struct vcpu *vcpu;
    bool was_up;
} starts[CPUS_MAX];
extern const char next_cpu[];
extern const char vectors[];
_Noreturn void smp_main(uint64_t cpu);

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
    uint64_t mpidr = the_machine()->mpidr[cpu];
    uint64_t end = deadline();
    int64_t error;

    starts[cpu].vcpu = vcpu;
    dsb();
    /* It may be on its last instructions: who switches it off says so before
     * it is off. */
    do {
        error = firmware(PSCI_CPU_ON, mpidr, (uint64_t)next_cpu, cpu);
    } while (error == PSCI_ALREADY_ON && !deadline_passed(end));
    return error;
}

/* From start.S, on a CPU's own stack. */
void smp_main(uint64_t cpu)
{
    cpus[cpu].index = (unsigned)cpu;
    cpus[cpu].mpidr = the_machine()->mpidr[cpu];
    WRITE_SYSREG(tpidr_el2, &cpus[cpu]);
    WRITE_SYSREG(vbar_el2, vectors);
    isb();
    gic_init_cpu();
    /* Its LPIs stay on while it is off. */
    if (!starts[cpu].was_up && its_init_cpu() != 0) {
        panic("CPU %u: no LPIs", (unsigned)cpu);
    }
    starts[cpu].was_up = true;
    vcpu_run(starts[cpu].vcpu);
}

void smp_stop(void)
{
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

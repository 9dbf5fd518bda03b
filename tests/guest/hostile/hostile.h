/* SPDX-License-Identifier: MIT */
/*
 * A kernel that attacks its hypervisor, started where the hardware domain's
 * Linux would be. Addresses are those of QEMU's virt machine.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#define CPU_SIZE 16384 /* struct cpu, then its stack */

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART 0x09000000ul
#define GICD 0x08000000ul
#define GICR 0x080a0000ul
#define ECAM 0x4010000000ul
#define MEMORY32 0x10000000ul
#define PORTS 0x3eff0000ul
#define HYPERVISOR 0x40000000ul

/* start.S knows the first three by their places. */
struct cpu {
    uint64_t faults, syndrome, interrupts;
    uint64_t random;
};

/* Registers of EL0, before and after. */
struct el0 {
    uint64_t x[4];
    uint64_t pc;
    uint64_t state; /* in: SPSR; out: syndrome of what ended it */
};

#define READ_SYSREG(name)                                                      \
    __extension__({                                                            \
        uint64_t value_;                                                       \
        __asm__ volatile("mrs %0, " #name : "=r"(value_));                     \
        value_;                                                                \
    })
#define WRITE_SYSREG(name, value)                                              \
    __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)))

static inline struct cpu *this_cpu(void)
{
    return (struct cpu *)READ_SYSREG(tpidr_el1);
}

/* One plain instruction, which the hypervisor can decode; a compiler would also
 * make ones with writeback. */
static inline uint32_t read32(uint64_t address)
{
    uint32_t value;

    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static inline void write32(uint64_t address, uint32_t value)
{
    __asm__ volatile("str %w0, [%1]" ::"r"(value), "r"(address) : "memory");
}

void hostile_main(uint64_t number);
void el0_run(struct el0 *el0);

uint64_t random64(void);
/* Four arguments to the hypervisor; what it says. */
int64_t call(bool smc, uint64_t function, uint64_t a, uint64_t b, uint64_t c);

/* The attacks. True: what could be seen of the answers was right. */
bool attack_ids(void);       /* calls.c */
bool attack_cpu_on(void);    /* calls.c */
bool attack_registers(void); /* registers.c */
bool attack_gic(void);       /* memory.c */
bool attack_others(void);
bool attack_config(void);
bool attack_pci(void);
bool attack_fetch(void);
bool attack_el0(void); /* user.c */
bool attack_el0_32(void);
/* What the second CPU does all the while. */
void storm(void);
/* The second CPU: leave it to attack_cpu_on(), or have it storm. */
bool second_start(void);
void second_stop(void);
extern volatile bool second_is_short;
#endif
#endif

/* SPDX-License-Identifier: MIT */
/* The hostile kernel: its attacks one by one, while a second CPU storms. */
#include "hostile.h"

#define CPUS 2u
#define UART_FLAGS 0x18u
#define UART_FULL 0x20u
#define GICD_CTLR 0x0000u
#define GICR_SGI_FRAME 0x10000u
#define GICR_STRIDE 0x20000u
#define ISENABLER 0x0100u
#define SGIS 0xffffu

union {
    struct cpu cpu;
    uint64_t whole[CPU_SIZE / 8];
} cpus[CPUS] __attribute__((aligned(16)));

static const struct {
    const char *name;
    bool (*run)(void);
} attacks[] = {
    {"calls by random numbers", attack_ids},
    {"all system registers", attack_registers},
    {"the interrupt controller", attack_gic},
    {"what is not its own", attack_others},
    {"configuration space", attack_config},
    {"PCI memory and ports", attack_pci},
    {"jumps to nowhere", attack_fetch},
    {"user space", attack_el0},
    {"32-bit user space", attack_el0_32},
    {"CPUs on and off", attack_cpu_on},
};

static void say(const char *text)
{
    for (; *text != '\0'; text++) {
        while ((read32(UART + UART_FLAGS) & UART_FULL) != 0) {
        }
        write32(UART, (uint8_t)*text);
    }
}

static void say_number(uint64_t value)
{
    char digits[21] = "";
    size_t at = sizeof(digits) - 1;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    say(&digits[at]);
}

uint64_t random64(void)
{
    struct cpu *cpu = this_cpu();

    cpu->random ^= cpu->random << 13;
    cpu->random ^= cpu->random >> 7;
    cpu->random ^= cpu->random << 17;
    return cpu->random;
}

/* As Linux does it, so that interrupts come. */
static void interrupts_on(uint64_t number)
{
    write32(GICD + GICD_CTLR, 2);
    write32(GICR + number * GICR_STRIDE + GICR_SGI_FRAME + ISENABLER, SGIS);
    WRITE_SYSREG(S3_0_C4_C6_0, 0xff); /* ICC_PMR_EL1 */
    WRITE_SYSREG(S3_0_C12_C12_7, 1);  /* ICC_IGRPEN1_EL1 */
    __asm__ volatile("isb\n\tmsr daifclr, #2" ::: "memory");
}

void hostile_main(uint64_t number)
{
    this_cpu()->random = 88172645463325252u + number;
    if (number != 0) {
        if (!second_is_short) {
            interrupts_on(number);
        }
        storm();
    }
    interrupts_on(number);
    say("hostile: begins\n");
    (void)second_start();
    for (size_t i = 0; i < sizeof(attacks) / sizeof(*attacks); i++) {
        bool right = attacks[i].run();

        say("attack ");
        say_number(i + 1);
        say(right ? " ok: " : " WRONG: ");
        say(attacks[i].name);
        say(", ");
        say_number(this_cpu()->faults);
        say(" faults so far\n");
    }
    say("hostile: alive\n");
}

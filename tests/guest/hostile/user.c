/* SPDX-License-Identifier: MIT */
/*
 * User space that reaches what its kernel let it reach: here everything, since
 * stage 1 is off. What it does must be as harmless to the hypervisor as if the
 * kernel did it, in either instruction set.
 */
#include "hostile.h"

#define ESR_CLASS(esr) ((esr) >> 26 & 0x3fu)
#define CLASS_SVC 0x15u
#define CLASS_SVC_32 0x11u
#define CLASS_ABORT 0x24u
#define STATE_32 0x10u
#define STATE_THUMB 0x20u
#define GICD_TYPER (GICD + 4)
#define ROUNDS 2000u

/* Run some instructions with x1 = address; true: they ended so. */
static bool run(struct el0 *el0, const void *code, uint64_t state,
                uint64_t address, uint64_t class)
{
    *el0 = (struct el0){
        .x = {0, address, 0, 0},
        .pc = (uint64_t)code,
        .state = state,
    };
    el0_run(el0);
    return ESR_CLASS(el0->state) == class;
}

bool attack_el0(void)
{
    static const uint32_t load[] = {0xf9400020, 0xd4000001}; /* svc */
    static const uint32_t pair[] = {0xa9400c20, 0xd4000001};
    static const uint32_t hvc[] = {0xd4000002, 0xd4000001};
    static const uint32_t sgi[] = {0xd518cba1, 0xd4000001};
    uint64_t state = 0;
    struct el0 el0;
    bool right = true;

    for (unsigned i = 0; i < ROUNDS; i++) {
        right = right && run(&el0, load, state, GICD_TYPER & ~7ul, CLASS_SVC);
        right = right && run(&el0, pair, state, GICD, CLASS_ABORT);
        right = right && run(&el0, load, state, HYPERVISOR, CLASS_ABORT);
        right = right && run(&el0, hvc, state, 0, 0);
        right = right && run(&el0, sgi, state, 0, 0);
    }
    return right;
}

/* Does EL0 know the 32-bit instruction set? */
static bool has_32(void)
{
    return (READ_SYSREG(id_aa64pfr0_el1) & 15u) == 2;
}

bool attack_el0_32(void)
{
    /* ldr r0, [r1]; svc 0 */
    static const uint32_t arm[] = {0xe5910000, 0xef000000};
    /* The same with movs r2, #7 in between. And a block: cmp r0, r0; ite eq;
     * ldreq r0, [r1]; movne r2, #1; movs r3, #5; svc 0. */
    static const uint16_t thumb[]
        __attribute__((aligned(4))) = {0x6808, 0x2207, 0xdf00};
    static const uint16_t block[] __attribute__((aligned(4))) = {
        0x4280, 0xbf0c, 0x6808, 0x2201, 0x2305, 0xdf00};
    uint64_t state = STATE_32;
    struct el0 el0;
    bool right = true;

    for (unsigned i = 0; right && has_32() && i < ROUNDS; i++) {
        right =
            run(&el0, arm, state, GICD_TYPER, CLASS_SVC_32) && el0.x[0] != 0;
        state |= STATE_THUMB;
        right = right && run(&el0, thumb, state, GICD_TYPER, CLASS_SVC_32) &&
                el0.x[0] != 0 && el0.x[2] == 7;
        right = right && run(&el0, block, state, GICD_TYPER, CLASS_SVC_32) &&
                el0.x[0] != 0 && el0.x[2] == 0 && el0.x[3] == 5;
        state = STATE_32;
        right = right && run(&el0, arm, state, HYPERVISOR, CLASS_ABORT);
    }
    return right;
}

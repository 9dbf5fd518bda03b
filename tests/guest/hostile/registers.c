/* SPDX-License-Identifier: MIT */
/*
 * Every system register and every system instruction that can be encoded, by
 * MRS, MSR, SYS and SYSL: those of EL2 and EL3 and those of the implementation,
 * too. Left out is what would break this kernel itself.
 */
#include "hostile.h"

#define MRS 0xd5300000u /* op0 2 and 3 */
#define MSR 0xd5100000u
#define SYS 0xd5080000u
#define SYSL 0xd5280000u
#define RET 0xd65f03c0u
#define ENCODING(op0, op1, crn, crm, op2)                                      \
    (((op0)&1u) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)
#define ENCODINGS (1u << 20) /* of which bits 5 to 18, and 19 for op0 */
#define STEP (1u << 5)
#define AT_ONCE 8u /* encodings */
#define X1 1u      /* registers that hold what is written */
#define X2 2u

static uint32_t code[4 * AT_ONCE + 1] __attribute__((aligned(64)));
static size_t length;

static void put(uint32_t instruction)
{
    ((volatile uint32_t *)code)[length++] = instruction;
}

/* Execute what was put, with these in X1 and X2. */
static void execute(uint64_t a, uint64_t b)
{
    register uint64_t x1 __asm__("x1") = a;
    register uint64_t x2 __asm__("x2") = b;

    put(RET);
    length = 0;
    __asm__ volatile("dsb sy\n\tic ialluis\n\tdsb sy\n\tisb\n\tblr %2"
                     : "+r"(x1), "+r"(x2)
                     : "r"(code)
                     : "x0", "x30", "memory");
}

/* Ours: the MMU, the vectors, the stack, what a debugger would do to us. */
static bool is_needed(uint32_t encoding)
{
    static const uint32_t needed[] = {
        ENCODING(3u, 0u, 1u, 0u, 0u),  /* SCTLR_EL1 */
        ENCODING(3u, 0u, 12u, 0u, 0u), /* VBAR_EL1 */
        ENCODING(3u, 0u, 13u, 0u, 4u), /* TPIDR_EL1 */
        ENCODING(3u, 0u, 4u, 2u, 0u),  /* SPSel */
        ENCODING(2u, 0u, 0u, 2u, 2u),  /* MDSCR_EL1 */
    };

    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
        if (encoding == needed[i]) {
            return true;
        }
    }
    return false;
}

static void put_register(uint32_t encoding)
{
    put(MRS | encoding);
    if (!is_needed(encoding)) {
        put(MSR | encoding | X1);
        put(MSR | encoding | X2);
    }
}

/* Instructions have no bit 19 for op0; addresses that are not ours. */
static void put_instruction(uint32_t encoding)
{
    if (encoding < ENCODINGS / 2) {
        put(SYS | encoding | X1);
        put(SYS | encoding | X2);
        put(SYSL | encoding);
    }
}

bool attack_registers(void)
{
    for (uint32_t first = 0; first < ENCODINGS; first += AT_ONCE * STEP) {
        for (uint32_t i = 0; i < AT_ONCE; i++) {
            put_register(first + i * STEP);
        }
        execute(UINT64_MAX, random64());
        for (uint32_t i = 0; i < AT_ONCE; i++) {
            put_instruction(first + i * STEP);
        }
        execute(GICD, HYPERVISOR);
    }
    /* We are not as we were; but the hypervisor let us be at EL1. */
    WRITE_SYSREG(daif, 0x340);
    WRITE_SYSREG(S3_0_C4_C6_0, 0xff);
    WRITE_SYSREG(S3_0_C12_C12_7, 1);
    return READ_SYSREG(CurrentEL) == 4 && READ_SYSREG(cntvct_el0) != 0;
}

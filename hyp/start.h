/* SPDX-License-Identifier: MIT */
/* What the first instructions and C agree on. */
#ifndef HYP_START_H
#define HYP_START_H

#define CPUS_MAX 8

/* Each CPU's stack has a page below it that is not mapped, so that a stack
 * that is too small ends in a panic and not in somebody's data. */
#define STACK_GUARD 4096
#define STACK_STRIDE (STACK_GUARD + 16384)

/* What a panic has, when that may be what happened. */
#define LAST_STACK_SHIFT 11
#define LAST_STACK_SIZE (1 << LAST_STACK_SHIFT)

/* MAIR_EL2: attribute 0 is device nGnRE; 1 write-back, allocating. */
#define MAIR_VALUE 0xff04
/* TCR_EL2. T0SZ 24: 40 bits; write-back, inner shareable, 4 KiB, 40-bit
 * physical; the two bits that read one. */
#define TCR_VALUE                                                              \
    (24 | (1 << 8) | (1 << 10) | (3 << 12) | (2 << 16) | (1 << 23) | (1 << 31))
/* SCTLR_EL2: M, C, SA, I and the bits that read one. */
#define SCTLR_VALUE (0x30c50830 | 1 | (1 << 2) | (1 << 3) | (1 << 12))
/* HCR_EL2 until a guest runs: EL1 is AArch64, and E2H is off, so that the
 * registers of EL2 are laid out as we use them. */
#define HCR_BOOT (1 << 31)

#endif

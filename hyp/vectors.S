/* SPDX-License-Identifier: MIT */
/*
 * Exception vectors of EL2 (Arm ARM, D1.10.2). A trap from EL1 stores the
 * guest's general registers as a struct frame (domain.h) on this CPU's stack,
 * calls C with a pointer to it, and returns with what C left there. EL1's own
 * registers stay where they are, and EL2 does not touch floating point.
 */
#include "start.h"

    .macro  store_frame
    sub     sp, sp, #(34 * 8)
    stp     x0, x1, [sp, #(0 * 8)]
    stp     x2, x3, [sp, #(2 * 8)]
    stp     x4, x5, [sp, #(4 * 8)]
    stp     x6, x7, [sp, #(6 * 8)]
    stp     x8, x9, [sp, #(8 * 8)]
    stp     x10, x11, [sp, #(10 * 8)]
    stp     x12, x13, [sp, #(12 * 8)]
    stp     x14, x15, [sp, #(14 * 8)]
    stp     x16, x17, [sp, #(16 * 8)]
    stp     x18, x19, [sp, #(18 * 8)]
    stp     x20, x21, [sp, #(20 * 8)]
    stp     x22, x23, [sp, #(22 * 8)]
    stp     x24, x25, [sp, #(24 * 8)]
    stp     x26, x27, [sp, #(26 * 8)]
    stp     x28, x29, [sp, #(28 * 8)]
    mrs     x0, elr_el2
    mrs     x1, spsr_el2
    stp     x30, x0, [sp, #(30 * 8)]
    str     x1, [sp, #(32 * 8)]
    mov     x0, sp
    .endm

    .macro  vector handler
    .balign 0x80
    store_frame
    bl      \handler
    b       guest_return
    .endm

    /* A fault of our own. It may be the stack's, so that it is told on another
     * one; nobody returns from there. */
    .macro  own_vector kind
    .balign 0x80
    mov     x0, #\kind
    mov     x1, x30
    mov     x2, sp
    mrs     x3, mpidr_el1
    and     x3, x3, #(CPUS_MAX - 1)
    ldr     x4, =last_stacks + LAST_STACK_SIZE
    add     x3, x4, x3, lsl #LAST_STACK_SHIFT
    mov     sp, x3
    b       trap_own
    .endm

    .text
    .balign 0x800
    .global vectors
vectors:
    own_vector 0                    /* this level, SP_EL0: not used */
    own_vector 1
    own_vector 2
    own_vector 3
    own_vector 4                    /* this level: our own bugs */
    own_vector 5
    own_vector 6
    own_vector 7
    vector  trap_sync               /* a lower level, AArch64 */
    vector  trap_irq
    vector  trap_irq
    vector  trap_serror
    own_vector 12                   /* EL1 in AArch32: never; 32-bit programs */
    own_vector 13                   /* under an AArch64 kernel come above */
    own_vector 14
    own_vector 15
    .ltorg

    .global guest_return
guest_return:
    ldp     x30, x0, [sp, #(30 * 8)]
    ldr     x1, [sp, #(32 * 8)]
    msr     elr_el2, x0
    msr     spsr_el2, x1
    ldp     x2, x3, [sp, #(2 * 8)]
    ldp     x4, x5, [sp, #(4 * 8)]
    ldp     x6, x7, [sp, #(6 * 8)]
    ldp     x8, x9, [sp, #(8 * 8)]
    ldp     x10, x11, [sp, #(10 * 8)]
    ldp     x12, x13, [sp, #(12 * 8)]
    ldp     x14, x15, [sp, #(14 * 8)]
    ldp     x16, x17, [sp, #(16 * 8)]
    ldp     x18, x19, [sp, #(18 * 8)]
    ldp     x20, x21, [sp, #(20 * 8)]
    ldp     x22, x23, [sp, #(22 * 8)]
    ldp     x24, x25, [sp, #(24 * 8)]
    ldp     x26, x27, [sp, #(26 * 8)]
    ldp     x28, x29, [sp, #(28 * 8)]
    ldp     x0, x1, [sp, #(0 * 8)]
    add     sp, sp, #(34 * 8)
    eret

/* SPDX-License-Identifier: MIT */
/*
 * The hostile kernel's first instructions and vectors. It is an arm64 Image, so
 * that it is started where Linux would be. Its stage 1 stays off.
 *
 * What it tries mostly faults. A fault at EL1 is counted and the instruction
 * skipped; after a jump to nowhere it goes on at the caller.
 */
#include "hostile.h"

    .section .head, "ax"
    .global image_start
image_start:
    b       first_cpu
    .long   0
    .quad   0
    .quad   image_size
    .quad   0xa
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

    .text
first_cpu:
    ldr     x0, =bss_start
    ldr     x1, =bss_end
1:  cmp     x0, x1
    b.hs    2f
    stp     xzr, xzr, [x0], #16
    b       1b
2:  mov     x0, #0
    /* Where CPU_ON starts one: x0 is its number. */
    .global next_cpu
next_cpu:
    ldr     x1, =cpus
    mov     x2, #CPU_SIZE
    madd    x1, x0, x2, x1
    msr     tpidr_el1, x1
    add     x2, x1, #CPU_SIZE
    mov     sp, x2
    ldr     x2, =vectors
    msr     vbar_el1, x2
    isb
    bl      hostile_main
1:  wfi
    b       1b

    /* el0_run(regs): run EL0 until it traps; see struct el0. */
    .global el0_run
el0_run:
    stp     x29, x30, [sp, #-112]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    str     x0, [sp, #96]
    ldp     x1, x2, [x0, #32]
    msr     elr_el1, x1
    msr     spsr_el1, x2
    ldp     x2, x3, [x0, #16]
    ldp     x0, x1, [x0]
    eret
el0_trap:
    stp     x0, x1, [sp, #-16]!
    ldr     x1, [sp, #112]
    ldp     x0, x4, [sp], #16
    stp     x0, x4, [x1]
    stp     x2, x3, [x1, #16]
    mrs     x0, elr_el1
    mrs     x2, esr_el1
    stp     x0, x2, [x1, #32]
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #112
    ret

fault:
    stp     x0, x1, [sp, #-16]!
    stp     x2, x3, [sp, #-16]!
    mrs     x0, tpidr_el1
    ldr     x1, [x0]
    add     x1, x1, #1
    str     x1, [x0]
    mrs     x1, esr_el1
    str     x1, [x0, #8]
    lsr     x1, x1, #26
    mrs     x2, elr_el1
    add     x2, x2, #4
    cmp     x1, #0x21               /* fetched from nowhere */
    csel    x2, x30, x2, eq
    msr     elr_el1, x2
    ldp     x2, x3, [sp], #16
    ldp     x0, x1, [sp], #16
    eret

interrupt:
    stp     x0, x1, [sp, #-16]!
    mrs     x0, tpidr_el1
    ldr     x1, [x0, #16]
    add     x1, x1, #1
    str     x1, [x0, #16]
    mrs     x0, S3_0_C12_C12_0      /* ICC_IAR1_EL1 */
    msr     S3_0_C12_C12_1, x0      /* ICC_EOIR1_EL1 */
    msr     S3_0_C12_C11_1, x0      /* ICC_DIR_EL1 */
    ldp     x0, x1, [sp], #16
    eret

    .macro  vector where
    .balign 0x80
    b       \where
    .endm

    .balign 0x800
vectors:
    .rept   2
    vector  fault
    vector  interrupt
    vector  interrupt
    vector  fault
    .endr
    .rept   2
    vector  el0_trap
    vector  interrupt
    vector  interrupt
    vector  fault
    .endr

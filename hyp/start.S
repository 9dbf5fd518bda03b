/* SPDX-License-Identifier: MIT */
/*
 * The first instructions. The image begins with the header that Linux's arm64
 * boot protocol defines (Documentation/arm64/booting.rst), so that whatever
 * starts Linux at EL2 starts this: x0 is the device tree.
 */
    .section .head, "ax"
    .global image_start
image_start:
    b       first_cpu
    .long   0
    .quad   0x80000                 /* offset from the start of memory */
    .quad   image_size
    .quad   0xa                     /* little endian, 4 KiB pages, anywhere */
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

    .text
first_cpu:
    mrs     x1, CurrentEL
    cmp     x1, #(2 << 2)
    b.ne    halt
    msr     daifset, #0xf
    mov     x19, x0
    ldr     x0, =bss_start
    ldr     x1, =bss_end
1:  cmp     x0, x1
    b.hs    2f
    stp     xzr, xzr, [x0], #16
    b       1b
2:  ldr     x0, =boot_stack_end
    mov     sp, x0
    bl      mmu_init
    bl      mmu_enable
    mov     x0, x19
    bl      hyp_main
    b       halt

/* Where PSCI starts another CPU: x0 is its struct cpu_start (smp.c). */
    .global next_cpu
next_cpu:
    msr     daifset, #0xf
    mov     x19, x0
    ldr     x0, [x19]               /* the end of its stack */
    mov     sp, x0
    bl      mmu_enable
    mov     x0, x19
    bl      smp_main

    .global halt
halt:
    msr     daifset, #0xf
1:  wfi
    b       1b

/* guest_start(frame): throw away this stack's contents and enter EL1. */
    .global guest_start
guest_start:
    mov     sp, x0
    b       guest_return

    .section .bss.stack, "aw", %nobits
    .balign 16
    .space  16384
boot_stack_end:

/* SPDX-License-Identifier: MIT */
/*
 * The first instructions. The image begins with the header that Linux's arm64
 * boot protocol defines (Documentation/arm64/booting.rst), so that whatever
 * starts Linux at EL2 starts this: x0 is the device tree.
 */
#include "start.h"

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
2:  ldr     x0, =stacks + STACK_STRIDE
    mov     sp, x0
    bl      mmu_init
    /* That was written past the caches. What they hold of it is older. */
    ldr     x0, =bss_start
    ldr     x1, =bss_end
3:  dc      ivac, x0
    add     x0, x0, #16             /* the shortest line there is */
    cmp     x0, x1
    b.lo    3b
    bl      mmu_enable
    mov     x0, x19
    bl      hyp_main
    b       halt

/* Where PSCI starts another CPU: x0 is its number. Until the MMU is on it sees
 * memory past the caches, so that it touches none. */
    .global next_cpu
next_cpu:
    msr     daifset, #0xf
    mov     x19, x0
    bl      mmu_enable
    ldr     x0, =stacks + STACK_STRIDE
    mov     x1, #STACK_STRIDE
    madd    x0, x19, x1, x0
    mov     sp, x0
    mov     x0, x19
    bl      smp_main
    b       halt

mmu_enable:
    ldr     x0, =HCR_BOOT & 0xffffffff
    msr     hcr_el2, x0
    isb
    ldr     x0, =MAIR_VALUE
    msr     mair_el2, x0
    ldr     x0, =TCR_VALUE & 0xffffffff
    msr     tcr_el2, x0
    ldr     x0, =mmu_root
    msr     ttbr0_el2, x0
    dsb     sy
    isb
    tlbi    alle2
    ic      iallu
    dsb     sy
    isb
    ldr     x0, =SCTLR_VALUE
    msr     sctlr_el2, x0
    isb
    ret

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
    .balign 4096
    .global stacks
stacks:
    .space  CPUS_MAX * STACK_STRIDE
    /* For who finds its own stack gone (vectors.S). */
    .global last_stacks
last_stacks:
    .space  CPUS_MAX * LAST_STACK_SIZE

/* SPDX-License-Identifier: MIT */
/* The hypervisor's own address space (Arm ARM, D8): physical, 40 bits. */
#include "mmu.h"

#include "lib.h"

#define ENTRIES 512u
#define GIGABYTES 1024u

#define ENTRY_TABLE 3u
#define ENTRY_BLOCK 1u
#define ENTRY_ATTR(index) ((uint64_t)(index) << 2)
#define ENTRY_INNER_SHARED ((uint64_t)3 << 8)
#define ENTRY_ACCESSED ((uint64_t)1 << 10)
#define ENTRY_NO_EXECUTE ((uint64_t)1 << 54)

#define ATTR_DEVICE 0u
#define ATTR_NORMAL 1u
#define MAIR_VALUE 0xff04u /* 0: device nGnRE; 1: write-back, allocating */

/* T0SZ 24: 40 bits; write-back, inner shareable, 4 KiB, 40-bit physical; the
 * two bits that read one. */
#define TCR_VALUE                                                              \
    (24u | (1u << 8) | (1u << 10) | (3u << 12) | (2u << 16) | (1u << 23) |     \
     (1u << 31))
/* M, C, SA, I and the bits that read one. */
#define SCTLR_VALUE (0x30c50830u | 1u | (1u << 2) | (1u << 3) | (1u << 12))

static uint64_t root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t block[GIGABYTES] __attribute__((aligned(4096)));
extern const char image_start[];

static uint64_t device_block(uint64_t gigabyte)
{
    return gigabyte * GIB | ENTRY_BLOCK | ENTRY_ATTR(ATTR_DEVICE) |
           ENTRY_ACCESSED | ENTRY_NO_EXECUTE;
}

static uint64_t ram_block(uint64_t gigabyte)
{
    return gigabyte * GIB | ENTRY_BLOCK | ENTRY_ATTR(ATTR_NORMAL) |
           ENTRY_INNER_SHARED | ENTRY_ACCESSED;
}

void mmu_init(void)
{
    uint64_t here = (uint64_t)image_start / GIB;

    for (uint64_t i = 0; i < GIGABYTES; i++) {
        block[i] = i == here ? ram_block(i) : device_block(i);
    }
    for (uint64_t i = 0; i < GIGABYTES / ENTRIES; i++) {
        root[i] = (uint64_t)&block[i * ENTRIES] | ENTRY_TABLE;
    }
    dsb();
}

void mmu_enable(void)
{
    WRITE_SYSREG(mair_el2, MAIR_VALUE);
    WRITE_SYSREG(tcr_el2, TCR_VALUE);
    WRITE_SYSREG(ttbr0_el2, root);
    isb();
    __asm__ volatile("tlbi alle2\n\tdsb sy\n\tisb" ::: "memory");
    WRITE_SYSREG(sctlr_el2, SCTLR_VALUE);
    isb();
}

void mmu_add_ram(uint64_t base, uint64_t size)
{
    for (uint64_t i = base / GIB; i < GIGABYTES && i * GIB < base + size; i++) {
        block[i] = ram_block(i);
    }
    __asm__ volatile("dsb sy\n\ttlbi alle2is\n\tdsb sy\n\tisb" ::: "memory");
}

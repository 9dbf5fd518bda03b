/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own address space (Arm ARM, D8): physical, 40 bits. Nothing
 * but its code can be executed, and its code cannot be written.
 */
#include "mmu.h"

#include "lib.h"

#define ENTRIES 512u
#define GIGABYTES 1024u
#define BLOCK (2 * MIB)
#define IMAGE_BLOCKS 4u /* hyp.lds checks that it is enough */

#define ENTRY_TABLE 3u
#define ENTRY_PAGE 3u
#define ENTRY_BLOCK 1u
#define ENTRY_DEVICE ((uint64_t)0 << 2) /* numbers in MAIR_VALUE */
#define ENTRY_NORMAL ((uint64_t)1 << 2 | (uint64_t)3 << 8) /* inner shared */
#define ENTRY_READ_ONLY ((uint64_t)1 << 7)
#define ENTRY_ACCESSED ((uint64_t)1 << 10)
#define ENTRY_NO_EXECUTE ((uint64_t)1 << 54)

uint64_t mmu_root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t gigabyte[GIGABYTES] __attribute__((aligned(4096)));
/* The gigabyte that the image is in, and its pages from the first block on. */
static uint64_t block[ENTRIES] __attribute__((aligned(4096)));
static uint64_t page[IMAGE_BLOCKS * ENTRIES] __attribute__((aligned(4096)));
extern const char image_start[], text_end[], rodata_end[], stacks[];

static uint64_t ram(uint64_t address, uint64_t kind)
{
    return address | kind | ENTRY_NORMAL | ENTRY_ACCESSED | ENTRY_NO_EXECUTE;
}

static uint64_t device(uint64_t address)
{
    return address | ENTRY_BLOCK | ENTRY_DEVICE | ENTRY_ACCESSED |
           ENTRY_NO_EXECUTE;
}

static bool is_guard(uint64_t address)
{
    uint64_t offset = address - (uint64_t)stacks;

    return address >= (uint64_t)stacks &&
           offset < (uint64_t)CPUS_MAX * STACK_STRIDE &&
           offset % STACK_STRIDE < STACK_GUARD;
}

static uint64_t image_page(uint64_t address)
{
    uint64_t entry = ram(address, ENTRY_PAGE);

    if (is_guard(address)) {
        return 0;
    }
    if (address >= (uint64_t)image_start && address < (uint64_t)text_end) {
        return (entry | ENTRY_READ_ONLY) & ~ENTRY_NO_EXECUTE;
    }
    return address >= (uint64_t)text_end && address < (uint64_t)rodata_end
               ? entry | ENTRY_READ_ONLY
               : entry;
}

void mmu_init(void)
{
    uint64_t image = (uint64_t)image_start / BLOCK * BLOCK;
    uint64_t here = image / GIB * GIB;

    for (uint64_t i = 0; i < GIGABYTES; i++) {
        gigabyte[i] = device(i * GIB);
    }
    for (uint64_t i = 0; i < ENTRIES; i++) {
        block[i] = ram(here + i * BLOCK, ENTRY_BLOCK);
    }
    for (uint64_t i = 0; i < (uint64_t)IMAGE_BLOCKS * ENTRIES; i++) {
        page[i] = image_page(image + i * PAGE_SIZE);
    }
    for (uint64_t i = 0; i < IMAGE_BLOCKS; i++) {
        block[image % GIB / BLOCK + i] =
            (uint64_t)&page[i * ENTRIES] | ENTRY_TABLE;
    }
    gigabyte[image / GIB] = (uint64_t)block | ENTRY_TABLE;
    for (uint64_t i = 0; i < GIGABYTES / ENTRIES; i++) {
        mmu_root[i] = (uint64_t)&gigabyte[i * ENTRIES] | ENTRY_TABLE;
    }
    dsb();
}

static void flush(void)
{
    __asm__ volatile("dsb sy\n\ttlbi alle2is\n\tdsb sy\n\tisb" ::: "memory");
}

void mmu_add_ram(uint64_t base, uint64_t size)
{
    for (uint64_t i = base / GIB; i < GIGABYTES && i * GIB < base + size; i++) {
        if (i != (uint64_t)image_start / GIB) {
            /* From device to memory only with a break in between. */
            gigabyte[i] = 0;
            flush();
            gigabyte[i] = ram(i * GIB, ENTRY_BLOCK);
        }
    }
    flush();
}

void mmu_clean(const void *memory, uint64_t size)
{
    uint64_t line = (uint64_t)4 << (READ_SYSREG(ctr_el0) >> 16 & 15u);
    uint64_t address = (uint64_t)memory & ~(line - 1);

    for (; address < (uint64_t)memory + size; address += line) {
        __asm__ volatile("dc cvac, %0" ::"r"(address) : "memory");
    }
    dsb();
}

/* SPDX-License-Identifier: MIT */
/* The processor, as C sees it: system registers, barriers, address types. */
#ifndef HYP_ARCH_H
#define HYP_ARCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "start.h"

#define PAGE_SHIFT 12u
#define PAGE_SIZE ((uint64_t)1 << PAGE_SHIFT)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* A system register by the name that the assembler knows, or as
 * S<op0>_<op1>_C<n>_C<m>_<op2> (Arm ARM, D17). */
#define READ_SYSREG(name)                                                      \
    __extension__({                                                            \
        uint64_t value_;                                                       \
        __asm__ volatile("mrs %0, " #name : "=r"(value_));                     \
        value_;                                                                \
    })
#define WRITE_SYSREG(name, value)                                              \
    __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)))

static inline void isb(void)
{
    __asm__ volatile("isb" ::: "memory");
}

static inline void dsb(void)
{
    __asm__ volatile("dsb sy" ::: "memory");
}

static inline void relax(void)
{
    __asm__ volatile("yield");
}

/* Device memory, one access of exactly this width. EL2 maps all memory at its
 * physical address. */
static inline uint32_t mmio_read32(uint64_t address)
{
    uint32_t value = *(volatile const uint32_t *)address;

    __asm__ volatile("dmb oshld" ::: "memory");
    return value;
}

static inline uint64_t mmio_read64(uint64_t address)
{
    uint64_t value = *(volatile const uint64_t *)address;

    __asm__ volatile("dmb oshld" ::: "memory");
    return value;
}

static inline void mmio_write32(uint64_t address, uint32_t value)
{
    __asm__ volatile("dmb oshst" ::: "memory");
    *(volatile uint32_t *)address = value;
}

static inline void mmio_write64(uint64_t address, uint64_t value)
{
    __asm__ volatile("dmb oshst" ::: "memory");
    *(volatile uint64_t *)address = value;
}

/* Any width; false, and nothing done, for others than 1, 2, 4 and 8. */
bool mmio_read(uint64_t address, unsigned size, uint64_t *out_value);
bool mmio_write(uint64_t address, unsigned size, uint64_t value);

/* A lock that spins; EL2 runs with interrupts off. Ticket order, so that no
 * CPU starves. Zeroed memory is an unlocked one. */
struct spinlock {
    _Atomic uint32_t next, owner;
};

static inline void spin_lock(struct spinlock *lock)
{
    uint32_t ticket =
        atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);

    while (atomic_load_explicit(&lock->owner, memory_order_acquire) != ticket) {
        relax();
    }
}

static inline void spin_unlock(struct spinlock *lock)
{
    uint32_t ticket = atomic_load_explicit(&lock->owner, memory_order_relaxed);

    atomic_store_explicit(&lock->owner, ticket + 1, memory_order_release);
}

#endif

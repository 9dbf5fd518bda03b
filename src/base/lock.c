/* SPDX-License-Identifier: MIT */
/* Ticket spinlocks, and in debug builds the check of their order. */
#include "base/lock.h"

void pcv__lock_init(struct pcv__lock *lock, enum pcv__rank rank)
{
    atomic_init(&lock->next, 0);
    atomic_init(&lock->serving, 0);
    lock->irq = 0;
    lock->rank = (uint8_t)rank;
}

#if PCV_DEBUG
static void check_take(struct pcv__mem *mem, const struct pcv__lock *lock)
{
    uint32_t cpu = mem->ops.this_cpu(mem->ctx);
    struct pcv__held *held = &mem->held[cpu < mem->cpus ? cpu : 0];

    PCV__ASSERT(mem, cpu < mem->cpus);
    PCV__ASSERT(mem, held->count < PCV__HELD_MAX);
    for (uint8_t i = 0; i < held->count; i++) {
        PCV__ASSERT(mem, held->rank[i] < lock->rank);
    }
    if (held->count < PCV__HELD_MAX) {
        held->rank[held->count++] = lock->rank;
    }
}

static void check_drop(struct pcv__mem *mem, const struct pcv__lock *lock)
{
    uint32_t cpu = mem->ops.this_cpu(mem->ctx);
    struct pcv__held *held = &mem->held[cpu < mem->cpus ? cpu : 0];

    PCV__ASSERT(mem, held->count > 0);
    if (held->count > 0) {
        held->count--;
        /* Locks are dropped in the reverse order of their taking. */
        PCV__ASSERT(mem, held->rank[held->count] == lock->rank);
    }
}
#endif

void pcv__lock_take(struct pcv__mem *mem,
                    struct pcv__lock *lock) PCV__NO_ANALYSIS
{
    uintptr_t irq = mem->ops.irq_save ? mem->ops.irq_save(mem->ctx) : 0;
    uint32_t ticket;

#if PCV_DEBUG
    check_take(mem, lock);
#endif
    ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    while (atomic_load_explicit(&lock->serving, memory_order_acquire) !=
           ticket) {
        if (mem->ops.relax) {
            mem->ops.relax(mem->ctx);
        }
    }
    lock->irq = irq;
}

void pcv__lock_drop(struct pcv__mem *mem,
                    struct pcv__lock *lock) PCV__NO_ANALYSIS
{
    uintptr_t irq = lock->irq;
    uint32_t serving;

#if PCV_DEBUG
    check_drop(mem, lock);
#endif
    serving = atomic_load_explicit(&lock->serving, memory_order_relaxed);
    atomic_store_explicit(&lock->serving, serving + 1, memory_order_release);
    if (mem->ops.irq_restore) {
        mem->ops.irq_restore(mem->ctx, irq);
    }
}

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
void pcv__lock_check_take(struct pcv__mem *mem, const struct pcv__lock *lock)
{
    uint32_t cpu = mem->ops.this_cpu(mem->ctx);
    struct pcv__held *held = &mem->held[cpu < mem->cpus ? cpu : 0];

    PCV__ASSERT(mem, cpu < mem->cpus);
    PCV__ASSERT(mem, held->count < PCV__HELD_MAX);
    for (uint8_t i = 0; i < held->count; i++) {
        PCV__ASSERT(mem, held->rank[i] < lock->rank);
    }
    if (held->count < PCV__HELD_MAX) {
        held->lock[held->count] = lock;
        held->rank[held->count++] = lock->rank;
    }
}

void pcv__lock_check_drop(struct pcv__mem *mem, const struct pcv__lock *lock)
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

void pcv__lock_check_held(struct pcv__mem *mem, const struct pcv__lock *lock)
{
    uint32_t cpu = mem->ops.this_cpu(mem->ctx);
    const struct pcv__held *held = &mem->held[cpu < mem->cpus ? cpu : 0];
    bool has = false;

    for (uint8_t i = 0; i < held->count; i++) {
        has = has || held->lock[i] == lock;
    }
    PCV__ASSERT(mem, has);
}
#endif

PCV__RARE void pcv__lock_wait(const struct pcv__mem *mem,
                              const struct pcv__lock *lock, uint32_t ticket)
{
    while (atomic_load_explicit(&lock->serving, memory_order_acquire) !=
           ticket) {
        if (mem->ops.relax) {
            mem->ops.relax(mem->ctx);
        }
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks, in one order (LIFE-10). Each lock has a rank; a CPU takes only
 * locks of a higher rank than those it holds. Debug builds check it.
 *
 * The library holds a lock for a bounded number of steps and never while it
 * waits for a guest.
 */
#ifndef PCV_BASE_LOCK_H
#define PCV_BASE_LOCK_H

#include <stdatomic.h>

#include "base/compiler.h"
#include "base/mem.h"

#if defined(__clang__)
#define PCV__TSA(x) __attribute__((x))
#else
#define PCV__TSA(x)
#endif

#define PCV__CAPABILITY PCV__TSA(capability("lock"))
#define PCV__ACQUIRES(...) PCV__TSA(acquire_capability(__VA_ARGS__))
#define PCV__RELEASES(...) PCV__TSA(release_capability(__VA_ARGS__))
#define PCV__REQUIRES(...) PCV__TSA(requires_capability(__VA_ARGS__))
/* For the reader: C gives clang no way to name a sibling member here. */
#define PCV__GUARDED_BY(x)
#define PCV__NO_ANALYSIS PCV__TSA(no_thread_safety_analysis)

/* The lock order, first taken first. */
enum pcv__rank {
    PCV__RANK_SEGMENT = 1, /* a segment's tables and bus numbers */
    PCV__RANK_DEVICE,      /* one device's vPCI state and vectors */
    PCV__RANK_PLACE,       /* a guest's BAR gets another place */
    PCV__RANK_MAP,  /* a domain's map of pages; a host's of what is reserved */
    PCV__RANK_POOL, /* a pool's list of free objects */
    PCV__RANK_WORK, /* a host's list of PFs that have work */
    PCV__RANK_LOG,  /* a log of events, which come under any other */
};

#define PCV__HELD_MAX 8u
struct pcv__held {
    uint8_t count;
    uint8_t rank[PCV__HELD_MAX];
    const struct pcv__lock *lock[PCV__HELD_MAX];
};

struct PCV__CAPABILITY pcv__lock {
    _Atomic uint32_t next;    /* ticket of the next to come */
    _Atomic uint32_t serving; /* ticket of the one inside */
    uintptr_t irq;            /* the holder's interrupt state */
    uint8_t rank;
};

void pcv__lock_init(struct pcv__lock *lock, enum pcv__rank rank);
/* Somebody else is inside: wait for our turn. */
void pcv__lock_wait(const struct pcv__mem *mem, const struct pcv__lock *lock,
                    uint32_t ticket);

/* The lock order, checked in debug builds: about to take it; about to drop; and
 * that this CPU has it, for functions that are annotated to need it. */
#if PCV_DEBUG
void pcv__lock_check_take(struct pcv__mem *mem, const struct pcv__lock *lock);
void pcv__lock_check_drop(struct pcv__mem *mem, const struct pcv__lock *lock);
void pcv__lock_check_held(struct pcv__mem *mem, const struct pcv__lock *lock);
#else
static inline void pcv__lock_check_take(const struct pcv__mem *mem,
                                        const struct pcv__lock *lock)
{
    (void)mem;
    (void)lock;
}

static inline void pcv__lock_check_drop(const struct pcv__mem *mem,
                                        const struct pcv__lock *lock)
{
    (void)mem;
    (void)lock;
}

static inline void pcv__lock_check_held(const struct pcv__mem *mem,
                                        const struct pcv__lock *lock)
{
    (void)mem;
    (void)lock;
}
#endif

/* Inline, since a guest's write to a register takes and drops one. */
static inline void pcv__lock_take(struct pcv__mem *mem, struct pcv__lock *lock)
    PCV__ACQUIRES(lock) PCV__NO_ANALYSIS
{
    uintptr_t irq = mem->ops.irq_save ? mem->ops.irq_save(mem->ctx) : 0;
    uint32_t ticket;

    pcv__lock_check_take(mem, lock);
    ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    if (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket) {
        pcv__lock_wait(mem, lock, ticket);
    }
    lock->irq = irq;
}

static inline void pcv__lock_drop(struct pcv__mem *mem, struct pcv__lock *lock)
    PCV__RELEASES(lock) PCV__NO_ANALYSIS
{
    uintptr_t irq = lock->irq;
    uint32_t serving;

    pcv__lock_check_drop(mem, lock);
    serving = atomic_load_explicit(&lock->serving, memory_order_relaxed);
    atomic_store_explicit(&lock->serving, serving + 1, memory_order_release);
    if (mem->ops.irq_restore) {
        mem->ops.irq_restore(mem->ctx, irq);
    }
}

#endif

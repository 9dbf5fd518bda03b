/* SPDX-License-Identifier: MIT */
/*
 * Type-stable objects (DESIGN decision 3): memory that held an object of this
 * pool holds one for ever, until the pool ends. So a reader may look at a
 * stale object safely; what it finds, it must check.
 *
 * Giving back is lock-free and may happen in any context. Taking is under the
 * pool's lock: with one taker at a time, an object cannot come back to the
 * list's head unseen between its read and its removal (no ABA).
 */
#ifndef PCV_BASE_POOL_H
#define PCV_BASE_POOL_H

#include "base/lock.h"

/* First member of an object; only the pool touches it. */
struct pcv__pooled {
    struct pcv__pooled *next_free;
};

struct pcv__chunk {
    struct pcv__chunk *next;
    /* objects follow */
};

struct pcv__pool {
    struct pcv__mem *mem;
    struct pcv__lock lock;
    _Atomic(struct pcv__pooled *) free;
    struct pcv__chunk *chunks PCV__GUARDED_BY(lock);
    size_t object_size; /* bytes, a multiple of 64 */
    size_t per_chunk;
};

void pcv__pool_init(struct pcv__pool *pool, struct pcv__mem *mem,
                    size_t object_size, size_t per_chunk);
/* Frees all chunks; no object may be in use. */
void pcv__pool_fini(struct pcv__pool *pool);
/* An object with the contents that its last use left (zero at first), or NULL.
 */
void *pcv__pool_take(struct pcv__pool *pool);
void pcv__pool_give(struct pcv__pool *pool, struct pcv__pooled *object);

#endif

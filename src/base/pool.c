/* SPDX-License-Identifier: MIT */
/* Type-stable objects. */
#include "base/pool.h"

#define OBJECT_ALIGN 64u

static size_t chunk_bytes(const struct pcv__pool *pool)
{
    /* The chunk itself may stand anywhere before the first. */
    return 2 * (size_t)OBJECT_ALIGN + pool->object_size * pool->per_chunk;
}

void pcv__pool_init(struct pcv__pool *pool, struct pcv__mem *mem,
                    size_t object_size, size_t per_chunk) PCV__NO_ANALYSIS
{
    pool->mem = mem;
    pcv__lock_init(&pool->lock, PCV__RANK_POOL);
    atomic_init(&pool->free, NULL);
    pool->chunks = NULL;
    pool->object_size =
        (object_size + OBJECT_ALIGN - 1) / OBJECT_ALIGN * OBJECT_ALIGN;
    pool->per_chunk = per_chunk;
}

void pcv__pool_fini(struct pcv__pool *pool) PCV__NO_ANALYSIS
{
    while (pool->chunks) {
        struct pcv__chunk *chunk = pool->chunks;

        pool->chunks = chunk->next;
        pcv__free(pool->mem, chunk, chunk_bytes(pool));
    }
    atomic_store_explicit(&pool->free, NULL, memory_order_relaxed);
}

void pcv__pool_give(struct pcv__pool *pool, struct pcv__pooled *object)
{
    struct pcv__pooled *head =
        atomic_load_explicit(&pool->free, memory_order_relaxed);

    do {
        object->next_free = head;
    } while (!atomic_compare_exchange_weak_explicit(&pool->free, &head, object,
                                                    memory_order_release,
                                                    memory_order_relaxed));
}

static struct pcv__pooled *pop_locked(struct pcv__pool *pool)
    PCV__REQUIRES(pool->lock)
{
    struct pcv__pooled *head =
        atomic_load_explicit(&pool->free, memory_order_acquire);

    while (head && !atomic_compare_exchange_weak_explicit(
                       &pool->free, &head, head->next_free,
                       memory_order_acquire, memory_order_acquire)) {
    }
    return head;
}

static bool grow(struct pcv__pool *pool)
{
    struct pcv__chunk *chunk = pcv__alloc(pool->mem, chunk_bytes(pool));
    unsigned char *first;

    if (!chunk) {
        return false;
    }
    pcv__lock_take(pool->mem, &pool->lock);
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    pcv__lock_drop(pool->mem, &pool->lock);

    first = (unsigned char *)chunk + OBJECT_ALIGN;
    first += OBJECT_ALIGN - (uintptr_t)first % OBJECT_ALIGN;
    for (size_t i = pool->per_chunk; i-- > 0;) {
        void *object = first + i * pool->object_size;

        pcv__pool_give(pool, object);
    }
    return true;
}

void *pcv__pool_take(struct pcv__pool *pool)
{
    struct pcv__pooled *object;

    /* A second round only if another taker emptied the chunk that we added:
     * then memory is there and trying again is progress for somebody. */
    do {
        pcv__lock_take(pool->mem, &pool->lock);
        object = pop_locked(pool);
        pcv__lock_drop(pool->mem, &pool->lock);
    } while (!object && grow(pool));
    return object;
}

/* SPDX-License-Identifier: MIT */
/*
 * What is behind BARs of the modelled machine: MSI-X tables and pending bits,
 * and storage that starts as zero, of which only what was written takes memory.
 * A ROM cannot be written but by a test.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* tdestroy */
#endif
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"

#define CHUNK 256u

/* A piece of storage, in a search tree of its function. */
struct chunk {
    uint64_t key; /* BAR and number of the piece */
    uint8_t byte[CHUNK];
};

static uint64_t all_ones(uint32_t size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

static bool is_aligned(uint64_t at, uint32_t size)
{
    return (size == 1 || size == 2 || size == 4 || size == 8) && at % size == 0;
}

/* ---- storage ------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct chunk *x = a;
    const struct chunk *y = b;

    return (x->key > y->key) - (x->key < y->key);
}

static uint64_t key_of(uint32_t bar, uint64_t offset)
{
    return (uint64_t)bar << 60 | offset / CHUNK;
}

static void **tree_of(struct pcv__model_fn *fn, uint32_t bar)
{
    return bar == PCV_BAR_IS_ROM ? &fn->rom : &fn->storage;
}

static struct chunk *chunk_find(struct pcv__model_fn *fn, uint32_t bar,
                                uint64_t offset)
{
    struct chunk key = {.key = key_of(bar, offset)};
    struct chunk *const *found = tfind(&key, tree_of(fn, bar), by_key);

    return found == NULL ? NULL : *found;
}

static struct chunk *chunk_make(struct pcv__model_fn *fn, uint32_t bar,
                                uint64_t offset)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk));

    if (chunk == NULL) {
        return NULL;
    }
    chunk->key = key_of(bar, offset);
    if (tsearch(chunk, tree_of(fn, bar), by_key) == NULL) {
        free(chunk);
        return NULL;
    }
    return chunk;
}

static uint64_t storage_read(struct pcv__model_fn *fn, uint32_t bar,
                             uint64_t offset, uint32_t size)
{
    const struct chunk *chunk = chunk_find(fn, bar, offset);
    uint64_t value = 0;

    for (uint32_t i = 0; chunk != NULL && i < size; i++) {
        value |= (uint64_t)chunk->byte[offset % CHUNK + i] << 8 * i;
    }
    return value;
}

static bool storage_write(struct pcv__model_fn *fn, uint32_t bar,
                          uint64_t offset, uint32_t size, uint64_t value)
{
    struct chunk *chunk = chunk_find(fn, bar, offset);

    if (chunk == NULL && (value & all_ones(size)) == 0) {
        return true;
    }
    if (chunk == NULL) {
        chunk = chunk_make(fn, bar, offset);
    }
    for (uint32_t i = 0; chunk != NULL && i < size; i++) {
        chunk->byte[offset % CHUNK + i] = (uint8_t)(value >> 8 * i);
    }
    return chunk != NULL;
}

void pcv__model_storage_reset_locked(struct pcv__model_fn *fn)
{
    tdestroy(fn->storage, free);
    fn->storage = NULL;
}

void pcv__model_storage_free(struct pcv__model_fn *fn)
{
    pcv__model_storage_reset_locked(fn);
    tdestroy(fn->rom, free);
    fn->rom = NULL;
    pcv__model_vectors_reset_locked(fn);
}

/* ---- a BAR's bytes ------------------------------------------------------- */

/* Whether the function has these bytes. */
static bool has(const struct pcv__model_fn *fn, uint32_t bar, uint64_t offset,
                uint32_t size)
{
    struct pcv__model_memory memory;

    pcv__model_memory_look(fn, bar, &memory);
    return size <= memory.size && offset <= memory.size - size;
}

/* One, two, four or eight bytes of MSI-X: table and pending bits begin and end
 * on multiples of eight, so that an aligned access is all inside. */
static uint64_t msix_read(const struct pcv__model_fn *fn,
                          enum pcv__model_msix_place place, uint32_t dword,
                          uint64_t offset, uint32_t size)
{
    uint64_t value = pcv__model_msix_dword(fn, place, dword);

    if (size == 8) {
        return value | (uint64_t)pcv__model_msix_dword(fn, place, dword + 1)
                           << 32;
    }
    return value >> 8 * (offset & 3u) & all_ones(size);
}

static bool msix_write(struct pcv__model_fn *fn,
                       enum pcv__model_msix_place place, uint32_t dword,
                       uint64_t offset, uint32_t size, uint64_t value)
{
    uint32_t shift = 8 * (uint32_t)(offset & 3u);
    uint32_t mask = (uint32_t)(all_ones(size < 4 ? size : 4) << shift);
    uint32_t old = pcv__model_msix_dword(fn, place, dword);
    uint32_t now = (old & ~mask) | ((uint32_t)value << shift & mask);

    return pcv__model_msix_dword_set(fn, place, dword, now) &&
           (size < 8 || pcv__model_msix_dword_set(fn, place, dword + 1,
                                                  (uint32_t)(value >> 32)));
}

/* As software reads: MSI-X has no meaning for less than a dword. */
static uint64_t soft_read(struct pcv__model_fn *fn, uint32_t bar,
                          uint64_t offset, uint32_t size)
{
    uint32_t dword;
    enum pcv__model_msix_place place =
        pcv__model_msix_place(fn, bar, offset, &dword);

    if (place == PCV__MSIX_ELSEWHERE) {
        return storage_read(fn, bar, offset, size);
    }
    return size < 4 ? all_ones(size)
                    : msix_read(fn, place, dword, offset, size);
}

/* As software writes: pending bits and ROM are read-only. */
static bool soft_write(struct pcv_model *model, struct pcv__model_fn *fn,
                       uint32_t bar, uint64_t offset, uint32_t size,
                       uint64_t value)
{
    uint32_t dword;
    bool done = true;

    switch (pcv__model_msix_place(fn, bar, offset, &dword)) {
    case PCV__MSIX_ELSEWHERE:
        if (bar != PCV_BAR_IS_ROM) {
            done = storage_write(fn, bar, offset, size, value);
        }
        break;
    case PCV__MSIX_TABLE:
        if (size >= 4) {
            done = msix_write(fn, PCV__MSIX_TABLE, dword, offset, size, value);
            pcv__model_flush_locked(model, fn);
        }
        break;
    case PCV__MSIX_PENDING:
        break;
    }
    return done;
}

/* ---- physical accesses --------------------------------------------------- */

/* A read answers all ones and a write is lost where nobody decodes, or he who
 * does must be left alone. 0 or -PCV_ENOMEM. */
static int access_locked(struct pcv_model *model, uint64_t address,
                         uint32_t size, bool write, uint64_t *inout_value)
{
    struct pcv__model_fn *fn;
    uint32_t bar;
    uint64_t offset;
    int error = pcv__model_decode_locked(model, address, &fn, &bar, &offset);

    if (error != 0) {
        return error;
    }
    if (fn == NULL || pcv__model_is_quiet(model, fn) ||
        !has(fn, bar, offset, size)) {
        if (!write) {
            *inout_value = all_ones(size);
        }
        return 0;
    }
    if (!write) {
        *inout_value = soft_read(fn, bar, offset, size);
        return 0;
    }
    return soft_write(model, fn, bar, offset, size, *inout_value) ? 0
                                                                  : -PCV_ENOMEM;
}

static void check(pcv_hpa address, uint8_t size)
{
    if (!is_aligned(address.v, size)) {
        pcv__model_bug(__FILE__, __LINE__,
                       "MMIO access of a wrong width or alignment");
    }
}

int pcv__model_op_mmio_read(void *ctx, pcv_hpa address, uint8_t size,
                            uint64_t *out_value)
{
    struct pcv_model *model = ctx;
    uint64_t value = 0;
    int error;

    check(address, size);
    if (pcv__model_fails(model, PCV_MODEL_OP_mmio_read)) {
        return -PCV_EIO;
    }
    (void)pthread_mutex_lock(model->lock);
    error = access_locked(model, address.v, size, false, &value);
    (void)pthread_mutex_unlock(model->lock);
    if (error == 0) {
        *out_value = value;
    }
    return error;
}

int pcv__model_op_mmio_write(void *ctx, pcv_hpa address, uint8_t size,
                             uint64_t value)
{
    struct pcv_model *model = ctx;
    int error;

    check(address, size);
    if (pcv__model_fails(model, PCV_MODEL_OP_mmio_write)) {
        return -PCV_EIO;
    }
    (void)pthread_mutex_lock(model->lock);
    error = access_locked(model, address.v, size, true, &value);
    pcv__model_unlock_tell(model);
    return error;
}

int pcv_model_mmio_access(struct pcv_model *model, uint32_t domain_id,
                          pcv_gpa address, uint8_t size, bool write,
                          uint64_t *inout_value)
{
    uint64_t page;
    int error;

    if (!is_aligned(address.v, size)) {
        return -PCV_EINVAL;
    }
    if (!pcv_model_translate(model, domain_id, address.v >> 12, &page) ||
        (write && pcv_model_is_read_only(model, domain_id, address.v >> 12))) {
        return -PCV_EFAULT;
    }
    (void)pthread_mutex_lock(model->lock);
    error = access_locked(model, page << 12 | (address.v & 0xfffu), size, write,
                          inout_value);
    pcv__model_unlock_tell(model);
    return error;
}

/* ---- a tester's hands ---------------------------------------------------- */

uint64_t pcv_model_mmio_peek(struct pcv_model *model, pcv_sbdf sbdf,
                             uint8_t bar, uint64_t offset, uint8_t size)
{
    struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);
    enum pcv__model_msix_place place;
    uint64_t value = all_ones(size);
    uint32_t dword;

    if (fn == NULL || !is_aligned(offset, size)) {
        return value;
    }
    (void)pthread_mutex_lock(model->lock);
    if (has(fn, bar, offset, size)) {
        place = pcv__model_msix_place(fn, bar, offset, &dword);
        value = place == PCV__MSIX_ELSEWHERE
                    ? storage_read(fn, bar, offset, size)
                    : msix_read(fn, place, dword, offset, size);
    }
    (void)pthread_mutex_unlock(model->lock);
    return value;
}

void pcv_model_mmio_poke(struct pcv_model *model, pcv_sbdf sbdf, uint8_t bar,
                         uint64_t offset, uint8_t size, uint64_t value)
{
    struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);
    enum pcv__model_msix_place place;
    bool done = true;
    uint32_t dword;

    if (fn == NULL || !is_aligned(offset, size)) {
        return;
    }
    (void)pthread_mutex_lock(model->lock);
    if (has(fn, bar, offset, size)) {
        place = pcv__model_msix_place(fn, bar, offset, &dword);
        if (place == PCV__MSIX_ELSEWHERE) {
            done = storage_write(fn, bar, offset, size, value);
        } else {
            done = msix_write(fn, place, dword, offset, size, value);
            fn->pending = true; /* there may be some now */
        }
    }
    (void)pthread_mutex_unlock(model->lock);
    if (!done) {
        (void)fprintf(stderr, "model: no memory for a poke\n");
        abort(); /* a test cannot go on without its change */
    }
}

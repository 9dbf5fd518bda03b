/* SPDX-License-Identifier: MIT */
/*
 * Where a BAR of the modelled machine would stand if it had another size: a
 * question that changes nothing.
 *
 * Addresses that a reset took from a function are still its own. One that does
 * not grow stays where it is. For one that grows the first gap
 * that it fits in is taken, above 4 GiB if it can be there.
 */
#include <stdlib.h>

#include "machine.h"

/* What memory BARs take up, wherever they are switched on or not. */
struct taken {
    struct pcv__model_range *range; /* by start */
    size_t count;
    size_t room;
    bool failed;
};

static void take(struct taken *taken, uint64_t start, uint64_t size)
{
    struct pcv__model_range *more;

    if (start == 0 || size == 0) {
        return; /* not placed */
    }
    if (taken->count == taken->room) {
        taken->room = taken->room == 0 ? 64 : taken->room * 2;
        more = realloc(taken->range, taken->room * sizeof(*more));
        if (more == NULL) {
            taken->failed = true;
            taken->room = taken->count;
            return;
        }
        taken->range = more;
    }
    taken->range[taken->count].start = start;
    taken->range[taken->count].end =
        size > UINT64_MAX - start ? UINT64_MAX : start + size;
    taken->count++;
}

void pcv__model_remember_locked(struct pcv__model_fn *fn)
{
    struct pcv__model_memory memory;

    for (uint32_t i = 0; !fn->vf && i < PCV_MODEL_BARS; i++) {
        pcv__model_memory_look(fn, i, &memory);
        if (memory.start != 0 && memory.size != 0) {
            fn->stood[i].start = memory.start;
            fn->stood[i].end = memory.size > UINT64_MAX - memory.start
                                   ? UINT64_MAX
                                   : memory.start + memory.size;
        }
    }
}

/* A PF keeps room for as many VFs as it can have. */
static void take_all(struct taken *taken, const struct pcv__model_fn *fn,
                     const struct pcv__model_fn *not_fn, uint32_t not_bar)
{
    struct pcv__model_memory memory;
    struct pcv__model_bar bar;

    for (uint32_t i = 0; !fn->vf && i < PCV_MODEL_BARS; i++) {
        if (fn != not_fn || i != not_bar) {
            pcv__model_memory_look(fn, i, &memory);
            take(taken, memory.start, memory.size);
            if (memory.start == 0) {
                take(taken, fn->stood[i].start,
                     fn->stood[i].end - fn->stood[i].start);
            }
        }
    }
    for (uint32_t i = 0; fn->vf_bar_size && i < PCV__MODEL_VF_BARS; i++) {
        uint64_t vfs = pcv__model_get(fn, fn->sriov + PCV_SRIOV_TOTAL_VFS, 2);
        uint64_t size = pcv__model_vf_aperture(fn, i);

        pcv__model_vf_bar_look(fn, i, size != 0, &bar);
        if (size != 0 && vfs != 0) {
            take(taken, bar.address,
                 size > UINT64_MAX / vfs ? UINT64_MAX : size * vfs);
        }
    }
}

static int by_start(const void *a, const void *b)
{
    const struct pcv__model_range *x = a;
    const struct pcv__model_range *y = b;

    return (x->start > y->start) - (x->start < y->start);
}

/* The first gap of `within` that has room. `size` is a power of two. */
static bool gap(const struct taken *taken,
                const struct pcv__model_range *within, uint64_t size,
                uint64_t *out_address)
{
    uint64_t at = within->start;

    for (size_t i = 0; i <= taken->count; i++) {
        const struct pcv__model_range *next =
            i < taken->count ? &taken->range[i] : NULL;
        uint64_t end = next != NULL && next->start < within->end ? next->start
                                                                 : within->end;

        if (at > UINT64_MAX - (size - 1)) {
            return false;
        }
        at = (at + (size - 1)) & ~(size - 1);
        if (at < end && size <= end - at) {
            *out_address = at;
            return true;
        }
        if (next != NULL && next->end > at) {
            at = next->end;
        }
    }
    return false;
}

static int search_locked(const struct pcv_model *model,
                         const struct pcv__model_fn *fn, uint32_t bar,
                         bool wide, uint64_t size, uint64_t *out_address)
{
    struct taken taken = {NULL, 0, 0, false};
    bool found;

    for (size_t i = 0; i < model->fns; i++) {
        take_all(&taken, model->fn[i], fn, bar);
    }
    if (taken.failed) {
        free(taken.range);
        return -PCV_ENOMEM;
    }
    if (taken.count != 0) {
        qsort(taken.range, taken.count, sizeof(*taken.range), by_start);
    }
    found = (wide && gap(&taken, &model->high, size, out_address)) ||
            gap(&taken, &model->low, size, out_address);
    free(taken.range);
    return found ? 0 : -PCV_ENOSPC;
}

static int place_locked(const struct pcv_model *model,
                        const struct pcv__model_fn *fn, uint32_t bar,
                        uint64_t size, uint64_t *out_address)
{
    struct pcv__model_memory memory;

    pcv__model_memory_look(fn, bar, &memory);
    if (memory.kind == PCV__MODEL_BAR_NONE || size == 0 ||
        (size & (size - 1)) != 0 ||
        size > pcv__model_bar_largest(memory.kind)) {
        return -PCV_EINVAL;
    }
    if (size <= memory.size && (memory.start & (size - 1)) == 0 &&
        pcv__model_is_mmio(model, memory.start, size)) {
        *out_address = memory.start;
        return 0;
    }
    if (fn->vf) {
        return -PCV_ENOSPC; /* its place is its PF's to give */
    }
    return search_locked(model, fn, bar, memory.kind == PCV__MODEL_BAR_64, size,
                         out_address);
}

int pcv__model_op_bar_place(void *ctx, pcv_sbdf sbdf, uint8_t bar,
                            uint64_t size, pcv_hpa *out_address)
{
    struct pcv_model *model = ctx;
    const struct pcv__model_fn *fn;
    uint64_t address = 0;
    int error;

    if (pcv__model_fails(model, PCV_MODEL_OP_bar_place)) {
        return -PCV_EIO;
    }
    fn = pcv__model_route(model, sbdf);
    if (fn == NULL) {
        return -PCV_ENODEV;
    }
    (void)pthread_mutex_lock(model->lock);
    error = place_locked(model, fn, bar, size, &address);
    (void)pthread_mutex_unlock(model->lock);
    if (error == 0) {
        out_address->v = address;
    }
    return error;
}

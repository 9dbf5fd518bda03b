/* SPDX-License-Identifier: MIT */
/*
 * Which BAR a physical address is in, as registers say now.
 *
 * A BAR that can be decoded is a power of two and aligned to it, so each one
 * is found by its start and size: for every size in use one look into a table.
 * Functions whose registers changed are on a list, and are looked at again
 * when the next access needs to know; a register write costs nothing more.
 */
#include <stdlib.h>

#include "machine.h"

#define SIZES 64u
#define BUCKETS_FIRST 64u

/* A BAR in the table, or ready to be. */
struct pcv__model_decoded {
    struct pcv__model_decoded *next; /* of the bucket */
    struct pcv__model_fn *fn;
    uint64_t start;
    uint8_t bar;
    uint8_t log; /* of its size */
    bool in;
};

struct pcv__model_decode {
    struct pcv__model_decoded **bucket;
    size_t buckets; /* a power of two */
    size_t count;
    size_t of_size[SIZES];
};

/* ---- what a BAR is ------------------------------------------------------- */

static bool is_memory(enum pcv__model_bar_kind kind)
{
    return kind == PCV__MODEL_BAR_32 || kind == PCV__MODEL_BAR_64 ||
           kind == PCV__MODEL_BAR_ROM;
}

/* PCI Express Base 6.0, 9.3.3.14: VF n has the n-th share of the PF's VF BAR.
 * VF MSE stands for the command bit, which VFs don't have. */
static void vf_look(const struct pcv__model_fn *vf, uint32_t index,
                    struct pcv__model_memory *out)
{
    const struct pcv__model_fn *pf = vf->pf;
    struct pcv__model_bar bar;
    uint64_t size;
    int32_t number;

    if (pf == NULL || index >= PCV__MODEL_VF_BARS) {
        return;
    }
    size = pcv__model_vf_aperture(pf, index);
    pcv__model_vf_bar_look(pf, index, size != 0, &bar);
    if (size == 0 || !is_memory(bar.kind)) {
        return;
    }
    out->kind = bar.kind;
    out->size = size;
    out->start = bar.address;
    number = pcv__model_vf_index(vf, pf);
    if (number >= 0) {
        out->start += (uint64_t)number * size; /* it may wrap */
        out->decodes = (pcv__model_get(pf, pf->sriov + PCV_SRIOV_CTRL, 2) &
                        PCV_SRIOV_CTRL_MSE) != 0;
    }
}

static void own_look(const struct pcv__model_fn *fn, uint32_t index,
                     struct pcv__model_memory *out)
{
    uint64_t size = fn->bar_size[index];
    struct pcv__model_bar bar;

    pcv__model_bar_look(fn, index, size != 0, &bar);
    if (size == 0 || !is_memory(bar.kind)) {
        return;
    }
    out->kind = bar.kind;
    out->size = size;
    out->start = bar.address;
    out->decodes =
        (pcv__model_get(fn, PCV_REG_COMMAND, 2) & PCV_CMD_MEMORY) != 0;
    if (bar.kind == PCV__MODEL_BAR_ROM &&
        (pcv__model_get(fn, bar.reg, 4) & PCV_ROM_ENABLE) == 0) {
        out->decodes = false;
    }
}

void pcv__model_memory_look(const struct pcv__model_fn *fn, uint32_t bar,
                            struct pcv__model_memory *out)
{
    out->kind = PCV__MODEL_BAR_NONE;
    out->start = 0;
    out->size = 0;
    out->decodes = false;
    if (bar >= PCV_MODEL_BARS) {
        return;
    }
    if (fn->vf) {
        vf_look(fn, bar, out);
    } else {
        own_look(fn, bar, out);
    }
    if ((out->size & (out->size - 1)) != 0 || atomic_load(&fn->state) != 0 ||
        pcv__model_is_asleep(fn)) {
        out->decodes = false;
    }
}

/* ---- the table ----------------------------------------------------------- */

static struct pcv__model_decoded **bucket_of(
    const struct pcv__model_decode *decode, uint64_t start, uint32_t log)
{
    uint64_t hash = (start ^ log) * UINT64_C(0x9e3779b97f4a7c15);

    return &decode->bucket[(hash >> 32) & (decode->buckets - 1)];
}

/* Twice as many buckets. Without memory it stays as it is, and works. */
static void grow(struct pcv__model_decode *decode)
{
    struct pcv__model_decode wider = {NULL, decode->buckets * 2, 0, {0}};

    wider.bucket = calloc(wider.buckets, sizeof(struct pcv__model_decoded *));
    if (wider.bucket == NULL) {
        return;
    }
    for (size_t i = 0; i < decode->buckets; i++) {
        while (decode->bucket[i] != NULL) {
            struct pcv__model_decoded *one = decode->bucket[i];
            struct pcv__model_decoded **at =
                bucket_of(&wider, one->start, one->log);

            decode->bucket[i] = one->next;
            one->next = *at;
            *at = one;
        }
    }
    free(decode->bucket);
    decode->bucket = wider.bucket;
    decode->buckets = wider.buckets;
}

static void put_in(struct pcv__model_decode *decode,
                   struct pcv__model_decoded *one)
{
    struct pcv__model_decoded **at;

    if (decode->count >= decode->buckets) {
        grow(decode);
    }
    at = bucket_of(decode, one->start, one->log);
    one->next = *at;
    one->in = true;
    *at = one;
    decode->count++;
    decode->of_size[one->log]++;
}

static void take_out(struct pcv__model_decode *decode,
                     struct pcv__model_decoded *one)
{
    struct pcv__model_decoded **at = bucket_of(decode, one->start, one->log);

    while (*at != one) {
        at = &(*at)->next;
    }
    *at = one->next;
    one->in = false;
    decode->count--;
    decode->of_size[one->log]--;
}

static uint8_t log_of(uint64_t size)
{
    uint8_t log = 0;

    while (log < SIZES - 1 && (size >> log & 1u) == 0) {
        log++;
    }
    return log;
}

/* ---- functions that changed ---------------------------------------------- */

static void forget(struct pcv_model *model, struct pcv__model_fn *fn)
{
    if (!fn->dirty) {
        fn->dirty = true;
        fn->next_dirty = model->dirty;
        model->dirty = fn;
    }
}

void pcv__model_decode_forget_locked(struct pcv_model *model,
                                     struct pcv__model_fn *fn)
{
    forget(model, fn);
    for (struct pcv__model_fn *vf = fn->vfs; vf != NULL; vf = vf->next_vf) {
        forget(model, vf);
    }
}

static bool decoded_make(struct pcv__model_fn *fn)
{
    if (fn->decoded == NULL) {
        fn->decoded = calloc(PCV_MODEL_BARS, sizeof(*fn->decoded));
    }
    for (uint32_t i = 0; fn->decoded != NULL && i < PCV_MODEL_BARS; i++) {
        fn->decoded[i].fn = fn;
        fn->decoded[i].bar = (uint8_t)i;
    }
    return fn->decoded != NULL;
}

/* Put the table in line with one function's registers. False without memory:
 * the rest is still to be done then. */
static bool look_again(struct pcv__model_decode *decode,
                       struct pcv__model_fn *fn)
{
    for (uint32_t i = 0; i < PCV_MODEL_BARS; i++) {
        struct pcv__model_decoded *one;
        struct pcv__model_memory memory;

        pcv__model_memory_look(fn, i, &memory);
        if (fn->decoded == NULL && (!memory.decodes || !decoded_make(fn))) {
            if (memory.decodes) {
                return false;
            }
            continue;
        }
        one = &fn->decoded[i];
        if (one->in) {
            take_out(decode, one);
        }
        if (memory.decodes) {
            one->start = memory.start & ~(memory.size - 1);
            one->log = log_of(memory.size);
            put_in(decode, one);
        }
    }
    return true;
}

static bool catch_up(struct pcv_model *model)
{
    struct pcv__model_decode *decode = model->decode;

    if (decode == NULL) {
        decode = calloc(1, sizeof(*decode));
        if (decode == NULL) {
            return false;
        }
        decode->buckets = BUCKETS_FIRST;
        decode->bucket =
            calloc(BUCKETS_FIRST, sizeof(struct pcv__model_decoded *));
        if (decode->bucket == NULL) {
            free(decode);
            return false;
        }
        model->decode = decode;
    }
    while (model->dirty != NULL) {
        struct pcv__model_fn *fn = model->dirty;

        if (!look_again(decode, fn)) {
            return false;
        }
        model->dirty = fn->next_dirty;
        fn->dirty = false;
    }
    return true;
}

/* ---- the question -------------------------------------------------------- */

/* Of those that start here and have this size. */
static void find(const struct pcv__model_decode *decode, uint64_t start,
                 uint32_t log, const struct pcv__model_decoded **best)
{
    const struct pcv__model_decoded *one = *bucket_of(decode, start, log);

    for (; one != NULL; one = one->next) {
        if (one->start != start || one->log != log ||
            !pcv__model_is_there(one->fn)) {
            continue;
        }
        if (*best == NULL || one->fn->sbdf.v < (*best)->fn->sbdf.v ||
            (one->fn == (*best)->fn && one->bar < (*best)->bar)) {
            *best = one;
        }
    }
}

int pcv__model_decode_locked(struct pcv_model *model, uint64_t address,
                             struct pcv__model_fn **out_fn, uint32_t *out_bar,
                             uint64_t *out_offset)
{
    const struct pcv__model_decoded *best = NULL;

    if (!catch_up(model)) {
        return -PCV_ENOMEM;
    }
    for (uint32_t log = 0; log < SIZES; log++) {
        uint64_t low = (UINT64_C(1) << log) - 1;

        if (model->decode->of_size[log] != 0) {
            find(model->decode, address & ~low, log, &best);
        }
    }
    *out_fn = NULL;
    if (best != NULL) {
        *out_fn = best->fn;
        *out_bar = best->bar;
        *out_offset = address - best->start;
    }
    return 0;
}

void pcv__model_decode_free(struct pcv_model *model)
{
    if (model->decode != NULL) {
        free(model->decode->bucket);
        free(model->decode);
        model->decode = NULL;
    }
}

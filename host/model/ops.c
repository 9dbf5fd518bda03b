/* SPDX-License-Identifier: MIT */
/*
 * The host operations of the modelled host, with their counts and failures.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* ---- counts and failures ------------------------------------------------ */

bool pcv__model_fails(struct pcv_model *model, enum pcv_model_op op)
{
    uint64_t call =
        atomic_fetch_add_explicit(&model->calls[op], 1, memory_order_relaxed) +
        1;

    return atomic_load_explicit(&model->fail_at[op], memory_order_relaxed) ==
           call;
}

#define OP_NAME(name) #name,
static const char *const op_names[] = {PCV_MODEL_OPS(OP_NAME)};
#undef OP_NAME

const char *pcv_model_op_name(enum pcv_model_op op)
{
    return (unsigned)op < PCV_MODEL_OP_COUNT ? op_names[op] : "?";
}

bool pcv_model_op_by_name(const char *name, enum pcv_model_op *out)
{
    for (unsigned i = 0; i < PCV_MODEL_OP_COUNT; i++) {
        if (strcmp(name, op_names[i]) == 0) {
            *out = (enum pcv_model_op)i;
            return true;
        }
    }
    return false;
}

void pcv_model_fail(struct pcv_model *model, enum pcv_model_op op, uint64_t nth)
{
    uint64_t now = atomic_load(&model->calls[op]);

    atomic_store(&model->fail_at[op],
                 nth == 0 || nth > UINT64_MAX - now ? 0 : now + nth);
}

uint64_t pcv_model_calls(const struct pcv_model *model, enum pcv_model_op op)
{
    return atomic_load(&model->calls[op]);
}

/* ---- a bug of the library ----------------------------------------------- */

void pcv__model_bug(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: bug: %s\n", file, line, what);
    abort();
}

static void op_bug(void *ctx, const char *file, int line, const char *what)
{
    (void)ctx;
    pcv__model_bug(file, line, what);
}

/* ---- memory ------------------------------------------------------------- */

/* In front of each block, so that a wrong size at free is seen. */
union block {
    size_t size;
    max_align_t align;
};

static void *op_alloc(void *ctx, size_t size)
{
    struct pcv_model *model = ctx;
    union block *block;

    if (pcv__model_fails(model, PCV_MODEL_OP_alloc) ||
        size > SIZE_MAX - sizeof(union block)) {
        return NULL;
    }
    block = malloc(sizeof(*block) + size);
    if (block == NULL) {
        return NULL;
    }
    block->size = size;
    /* Zeroing is the library's; what it forgets is not to look like zero. */
    memset(block + 1, 0xa5, size);
    (void)atomic_fetch_add_explicit(&model->bytes, size, memory_order_relaxed);
    return block + 1;
}

static void op_free(void *ctx, void *ptr, size_t size)
{
    struct pcv_model *model = ctx;
    union block *block = ptr;

    if (ptr == NULL) {
        pcv__model_bug(__FILE__, __LINE__, "free of NULL");
    }
    block--;
    if (block->size != size) {
        pcv__model_bug(__FILE__, __LINE__, "free with another size than alloc");
    }
    (void)atomic_fetch_sub_explicit(&model->bytes, size, memory_order_relaxed);
    free(block);
}

uint64_t pcv_model_bytes(const struct pcv_model *model)
{
    return atomic_load(&model->bytes);
}

/* ---- configuration space ------------------------------------------------ */

static void check_cfg(uint16_t reg, uint8_t size)
{
    if ((size != 1 && size != 2 && size != 4) || reg % size != 0 ||
        reg >= PCV_CFG_EXT_SIZE) {
        pcv__model_bug(__FILE__, __LINE__,
                       "configuration access of a wrong width or alignment");
    }
}

static void watch(const struct pcv_model *model, pcv_sbdf sbdf, uint16_t reg,
                  uint8_t size, bool write, uint32_t value)
{
    struct pcv_model_cfg access = {sbdf, reg, size, write, value};

    if (model->on_cfg != NULL) {
        model->on_cfg(model->on_cfg_arg, &access);
    }
}

static int op_cfg_read(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                       uint32_t *out_value)
{
    struct pcv_model *model = ctx;
    const struct pcv__model_fn *fn;
    uint16_t at = reg;
    uint32_t value;

    check_cfg(reg, size);
    if (pcv__model_fails(model, PCV_MODEL_OP_cfg_read)) {
        return -PCV_EIO;
    }
    fn = pcv__model_route(model, sbdf);
    if (fn != NULL && pcv__model_reaches(model, fn, sbdf, &at)) {
        value = pcv__model_get(fn, at, size) |
                pcv__model_pending_bits(model, fn, at, size);
    } else {
        value = size == 4 ? 0xffffffffu : (1u << (8 * size)) - 1;
    }
    watch(model, sbdf, reg, size, false, value);
    *out_value = value;
    return 0;
}

static int op_cfg_write(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                        uint32_t value)
{
    struct pcv_model *model = ctx;
    struct pcv__model_fn *fn;
    uint16_t at = reg;

    check_cfg(reg, size);
    if (pcv__model_fails(model, PCV_MODEL_OP_cfg_write)) {
        return -PCV_EIO;
    }
    watch(model, sbdf, reg, size, true, value);
    fn = pcv__model_route(model, sbdf);
    if (fn != NULL && pcv__model_reaches(model, fn, sbdf, &at)) {
        (void)pthread_mutex_lock(model->lock);
        if (atomic_load(&fn->state) == 0) {
            pcv__model_write_locked(model, fn, at, size, value);
            pcv__model_flush_locked(model, fn);
        }
        pcv__model_unlock_tell(model);
    }
    return 0;
}

/* ---- what the host knows ------------------------------------------------ */

static int op_segment(void *ctx, uint32_t index,
                      struct pcv_segment_info *out_info)
{
    struct pcv_model *model = ctx;

    if (pcv__model_fails(model, PCV_MODEL_OP_segment)) {
        return -PCV_EIO;
    }
    if (index >= model->runs) {
        return -PCV_ENOENT;
    }
    out_info->segment = model->run[index]->segment;
    out_info->bus_first = 0;
    out_info->bus_last = 255;
    return 0;
}

static int op_node(void *ctx, pcv_sbdf sbdf, uint32_t *out_node)
{
    struct pcv_model *model = ctx;
    const struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);

    if (pcv__model_fails(model, PCV_MODEL_OP_node)) {
        return -PCV_EIO;
    }
    if (fn == NULL || !fn->has_node) {
        return -PCV_ENOENT;
    }
    *out_node = fn->node;
    return 0;
}

/* A host bridge decodes for the whole machine, so its sizes are the host's
 * word and nobody needs to size it. */
static int op_bar_hint(void *ctx, pcv_sbdf sbdf, uint8_t bar,
                       struct pcv_bar_hint *out_hint)
{
    struct pcv_model *model = ctx;
    const struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);

    if (bar >= PCV_MODEL_BARS) {
        return -PCV_ENOENT;
    }
    for (size_t i = 0; i < model->hints; i++) {
        const struct pcv__model_hint *hint = &model->hint[i];

        if (hint->sbdf.v == sbdf.v && hint->bar == bar) {
            out_hint->size = hint->size;
            return 0;
        }
    }
    if (fn == NULL ||
        pcv__model_get(fn, PCV_REG_CLASS + 1u, 2) != PCV_CLASS_BRIDGE_HOST) {
        return -PCV_ENOENT;
    }
    (void)pthread_mutex_lock(model->lock);
    out_hint->size = fn->bar_size[bar];
    (void)pthread_mutex_unlock(model->lock);
    return 0;
}

int pcv_model_set_bar_hint(struct pcv_model *model, pcv_sbdf sbdf, uint8_t bar,
                           uint64_t size)
{
    struct pcv__model_hint *more;

    if (bar >= PCV_MODEL_BARS) {
        return -PCV_EINVAL;
    }
    for (size_t i = 0; i < model->hints; i++) {
        if (model->hint[i].sbdf.v == sbdf.v && model->hint[i].bar == bar) {
            model->hint[i].size = size;
            return 0;
        }
    }
    more = realloc(model->hint, (model->hints + 1) * sizeof(*more));
    if (more == NULL) {
        return -PCV_ENOMEM;
    }
    more[model->hints].sbdf = sbdf;
    more[model->hints].bar = bar;
    more[model->hints].size = size;
    model->hint = more;
    model->hints++;
    return 0;
}

static uint32_t op_function_flags(void *ctx, pcv_sbdf sbdf)
{
    (void)ctx;
    (void)sbdf;
    return 0;
}

/* ---- MMIO --------------------------------------------------------------- */

static int op_mmio_permitted(void *ctx, uint32_t domain_id, pcv_hpa start,
                             uint64_t size)
{
    (void)domain_id;
    return pcv__model_is_mmio(ctx, start.v, size) ? 1 : 0;
}

/* ---- who looks on ------------------------------------------------------- */

void pcv_model_watch(struct pcv_model *model,
                     void (*fn)(void *arg, const struct pcv_model_cfg *access),
                     void *arg)
{
    model->on_cfg = fn;
    model->on_cfg_arg = arg;
}

void pcv_model_on_event(struct pcv_model *model,
                        void (*fn)(void *arg, const struct pcv_event *event),
                        void *arg)
{
    model->on_event = fn;
    model->on_event_arg = arg;
}

void pcv_model_on_trace(struct pcv_model *model,
                        void (*fn)(void *arg, const struct pcv_trace *record),
                        void *arg)
{
    model->on_trace = fn;
    model->on_trace_arg = arg;
}

static void op_event(void *ctx, const struct pcv_event *event)
{
    struct pcv_model *model = ctx;

    if (model->on_event != NULL) {
        model->on_event(model->on_event_arg, event);
    }
}

static void op_trace(void *ctx, const struct pcv_trace *record)
{
    struct pcv_model *model = ctx;

    if (model->on_trace != NULL) {
        model->on_trace(model->on_trace_arg, record);
    }
}

/* ---- CPUs --------------------------------------------------------------- */

static void op_relax(void *ctx)
{
    (void)ctx;
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint32_t op_this_cpu(void *ctx)
{
    (void)ctx;
    return pcv__model_this_cpu();
}

/* No vector_release: every vector waits for its detach, which is what a test
 * wants to see. No irq_save: the model has no interrupts. */
static const struct pcv_host_ops ops = {
    .size = sizeof(struct pcv_host_ops),
    .alloc = op_alloc,
    .free = op_free,
    .cfg_read = op_cfg_read,
    .cfg_write = op_cfg_write,
    .segment = op_segment,
    .ecam_usable = pcv__model_op_ecam_usable,
    .node = op_node,
    .bar_hint = op_bar_hint,
    .function_flags = op_function_flags,
    .mmio_permitted = op_mmio_permitted,
    .map = pcv__model_op_map,
    .unmap = pcv__model_op_unmap,
    .event = op_event,
    .trace = op_trace,
    .relax = op_relax,
    .this_cpu = op_this_cpu,
    .bug = op_bug,
    .now_us = pcv__model_op_now_us,
    .mmio_read = pcv__model_op_mmio_read,
    .mmio_write = pcv__model_op_mmio_write,
    .msi_bind = pcv__model_op_msi_bind,
    .msi_unbind = pcv__model_op_msi_unbind,
    .dma_attach = pcv__model_op_dma_attach,
    .crash = pcv__model_op_crash,
    .intx_pin = pcv__model_op_intx_pin,
    .bar_place = pcv__model_op_bar_place,
    .dma_permitted = pcv__model_op_dma_permitted,
    .map_read_only = pcv__model_op_map_read_only,
};

const struct pcv_host_ops *pcv_model_ops(void)
{
    return &ops;
}

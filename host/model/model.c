/* SPDX-License-Identifier: MIT */
/*
 * The modelled host: making one, adding functions, and what is known of them.
 */
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define SEGMENTS 65536u

struct pcv_model *pcv_model_create(uint64_t seed)
{
    struct pcv_model *model = calloc(1, sizeof(*model));

    if (model == NULL) {
        return NULL;
    }
    model->seed = seed;
    model->lock = malloc(sizeof(*model->lock));
    model->segment = calloc(SEGMENTS, sizeof(struct pcv__model_segment *));
    (void)pcv__model_remap_make(model);
    (void)pcv__model_dma_make(model);
    if (model->lock != NULL && pthread_mutex_init(model->lock, NULL) != 0) {
        free(model->lock);
        model->lock = NULL;
    }
    if (model->lock == NULL || model->segment == NULL || model->remap == NULL ||
        model->dma == NULL) {
        pcv_model_destroy(model);
        return NULL;
    }
    return model;
}

static void fn_free(struct pcv__model_fn *fn)
{
    for (uint32_t i = 0; i < fn->config_size / PCV__MODEL_PAGE; i++) {
        struct pcv__model_page *page = atomic_load(&fn->page[i]);

        if (page != &pcv__model_zeros) {
            free(page);
        }
    }
    pcv__model_storage_free(fn);
    free(fn->decoded);
    free(fn->field);
    free(fn->vf_bar_size);
    free(fn->name);
    free(fn);
}

static void segment_free(struct pcv__model_segment *segment)
{
    while (segment->links != NULL) {
        struct pcv__model_link *next = segment->links->next;

        free(segment->links);
        segment->links = next;
    }
    for (uint32_t i = 0; i < PCV_BUSES; i++) {
        free(segment->home[i]);
    }
    free(segment);
}

void pcv_model_destroy(struct pcv_model *model)
{
    if (model == NULL) {
        return;
    }
    for (size_t i = 0; i < model->fns; i++) {
        fn_free(model->fn[i]);
    }
    for (uint32_t i = 0; model->segment != NULL && i < SEGMENTS; i++) {
        if (model->segment[i] != NULL) {
            segment_free(model->segment[i]);
        }
    }
    pcv__model_maps_free(model);
    pcv__model_decode_free(model);
    pcv__model_remap_free(model);
    pcv__model_dma_free(model);
    free(model->fn);
    free(model->segment);
    free(model->run);
    free(model->domain);
    free(model->spot);
    free(model->hint);
    if (model->lock != NULL) {
        (void)pthread_mutex_destroy(model->lock);
        free(model->lock);
    }
    free(model);
}

struct pcv__model_segment *pcv__model_segment_make(struct pcv_model *model,
                                                   uint16_t segment)
{
    if (model->segment[segment] == NULL) {
        struct pcv__model_segment *made = calloc(1, sizeof(*made));

        if (made == NULL) {
            return NULL;
        }
        made->segment = segment;
        model->segment[segment] = made;
    }
    return model->segment[segment];
}

struct pcv__model_bus *pcv__model_bus_make(struct pcv__model_segment *segment,
                                           uint8_t number)
{
    if (segment->home[number] == NULL) {
        struct pcv__model_bus *made = calloc(1, sizeof(*made));

        if (made == NULL) {
            return NULL;
        }
        made->number = number;
        segment->home[number] = made;
    }
    return segment->home[number];
}

struct pcv__model_fn *pcv__model_fn_at(const struct pcv_model *model,
                                       pcv_sbdf sbdf)
{
    const struct pcv__model_segment *segment =
        model->segment[pcv_sbdf_segment(sbdf)];
    const struct pcv__model_bus *bus;

    if (segment == NULL) {
        return NULL;
    }
    bus = segment->home[pcv_sbdf_bus(sbdf)];
    return bus == NULL ? NULL : bus->fn[pcv_sbdf_devfn(sbdf)];
}

/* Copy bytes into pages; pages of zeros stay shared. */
static bool copy_config(struct pcv__model_fn *fn, const uint8_t *config)
{
    for (uint32_t reg = 0; reg < fn->config_size; reg += 4) {
        uint32_t value =
            (uint32_t)config[reg] | (uint32_t)config[reg + 1] << 8 |
            (uint32_t)config[reg + 2] << 16 | (uint32_t)config[reg + 3] << 24;

        if (value != 0 && pcv__model_put(fn, reg, value) != 0) {
            return false;
        }
    }
    return true;
}

static struct pcv__model_fn *fn_make(const struct pcv_model_function *from)
{
    uint32_t pages = from->config_size / PCV__MODEL_PAGE;
    struct pcv__model_fn *fn = calloc(
        1, sizeof(*fn) + pages * sizeof(_Atomic(struct pcv__model_page *)));

    if (fn == NULL) {
        return NULL;
    }
    fn->sbdf = from->sbdf;
    fn->config_size = from->config_size;
    fn->has_node = from->has_node;
    fn->node = from->node;
    fn->vf = from->vf;
    fn->physfn = from->physfn;
    fn->vf_index = -1;
    memcpy(fn->bar_size, from->bar_size, sizeof(fn->bar_size));
    for (uint32_t i = 0; i < pages; i++) {
        atomic_init(&fn->page[i], &pcv__model_zeros);
    }
    fn->header = from->config[PCV_REG_HEADER_TYPE] & PCV_HEADER_TYPE_MASK;
    fn->bridge = !fn->vf && (fn->header == 1 || fn->header == 2);
    if (from->name != NULL) {
        size_t bytes = strlen(from->name) + 1;

        fn->name = malloc(bytes);
        if (fn->name == NULL) {
            fn_free(fn);
            return NULL;
        }
        memcpy(fn->name, from->name, bytes);
    }
    if (!copy_config(fn, from->config)) {
        fn_free(fn);
        return NULL;
    }
    return fn;
}

/* Room for one more function in the list. */
static bool list_grow(struct pcv_model *model)
{
    size_t room = model->fns_room == 0 ? 64 : model->fns_room * 2;
    struct pcv__model_fn **more;

    if (model->fns < model->fns_room) {
        return true;
    }
    more = realloc(model->fn, room * sizeof(struct pcv__model_fn *));
    if (more == NULL) {
        return false;
    }
    model->fn = more;
    model->fns_room = room;
    return true;
}

int pcv_model_add(struct pcv_model *model, const struct pcv_model_function *fn)
{
    struct pcv__model_segment *segment;
    struct pcv__model_bus *bus;
    struct pcv__model_fn *made;

    if (model->ready || fn->config == NULL ||
        (fn->config_size != PCV_CFG_SIZE &&
         fn->config_size != PCV_CFG_EXT_SIZE)) {
        return -PCV_EINVAL;
    }
    if (pcv__model_fn_at(model, fn->sbdf) != NULL) {
        return -PCV_EEXIST;
    }
    segment = pcv__model_segment_make(model, pcv_sbdf_segment(fn->sbdf));
    bus = segment == NULL
              ? NULL
              : pcv__model_bus_make(segment, pcv_sbdf_bus(fn->sbdf));
    if (bus == NULL || !list_grow(model)) {
        return -PCV_ENOMEM;
    }
    made = fn_make(fn);
    if (made == NULL) {
        return -PCV_ENOMEM;
    }
    made->bus = bus;
    bus->fn[pcv_sbdf_devfn(fn->sbdf)] = made;
    model->fn[model->fns++] = made;
    return 0;
}

/* ---- facts -------------------------------------------------------------- */

size_t pcv_model_count(const struct pcv_model *model)
{
    return model->fns;
}

/* Pulled itself, or its PF, or a bridge above: at most 255 of those, because
 * each bridge's bus has a smaller number than the bus behind it. */
static bool is_present(const struct pcv__model_fn *fn)
{
    while (fn != NULL) {
        const struct pcv__model_fn *pf = fn->pf;

        if ((atomic_load(&fn->state) & PCV__MODEL_PULLED) != 0 ||
            (pf != NULL && (atomic_load(&pf->state) & PCV__MODEL_PULLED))) {
            return false;
        }
        fn = fn->bus->link == NULL ? NULL : fn->bus->link->up;
    }
    return true;
}

static void facts_fill(const struct pcv_model *model,
                       const struct pcv__model_fn *fn,
                       struct pcv_model_facts *out)
{
    memset(out, 0, sizeof(*out));
    out->sbdf = fn->sbdf;
    out->config_size = fn->config_size;
    out->vf = fn->vf;
    out->physfn = fn->physfn;
    out->name = fn->name;
    out->present = is_present(fn);
    (void)pthread_mutex_lock(model->lock);
    for (uint32_t i = 0; i < PCV_MODEL_BARS; i++) {
        const struct pcv__model_fn *pf = fn->pf;

        out->bar_size[i] = fn->bar_size[i];
        out->bar_guessed[i] = (fn->bar_guessed >> i & 1) != 0;
        if (pf != NULL && pf->vf_bar_size != NULL && i < PCV__MODEL_VF_BARS) {
            out->bar_size[i] = pf->vf_bar_size[i];
            out->bar_guessed[i] = (pf->vf_bar_guessed >> i & 1) != 0;
        }
    }
    (void)pthread_mutex_unlock(model->lock);
}

bool pcv_model_facts_at(const struct pcv_model *model, size_t index,
                        struct pcv_model_facts *out)
{
    if (index >= model->fns) {
        return false;
    }
    facts_fill(model, model->fn[index], out);
    return true;
}

bool pcv_model_facts_of(const struct pcv_model *model, pcv_sbdf sbdf,
                        struct pcv_model_facts *out)
{
    const struct pcv__model_fn *fn = pcv__model_fn_at(model, sbdf);

    if (fn == NULL) {
        return false;
    }
    facts_fill(model, fn, out);
    return true;
}

/* ---- domain numbers that are not segments ------------------------------- */

static bool stands_for_domain(const struct pcv_model *model, uint16_t segment,
                              uint32_t *out_domain)
{
    for (size_t i = 0; i < model->domains; i++) {
        if (model->domain[i].segment == segment) {
            *out_domain = model->domain[i].domain;
            return true;
        }
    }
    return false;
}

uint32_t pcv_model_domain_of(const struct pcv_model *model, uint16_t segment)
{
    uint32_t domain = segment;

    (void)stands_for_domain(model, segment, &domain);
    return domain;
}

bool pcv_model_segment_of(const struct pcv_model *model, uint32_t domain,
                          uint16_t *out_segment)
{
    uint32_t taken;

    if (domain < SEGMENTS) {
        if (model->segment[domain] == NULL ||
            stands_for_domain(model, (uint16_t)domain, &taken)) {
            return false;
        }
        *out_segment = (uint16_t)domain;
        return true;
    }
    for (size_t i = 0; i < model->domains; i++) {
        if (model->domain[i].domain == domain) {
            *out_segment = model->domain[i].segment;
            return true;
        }
    }
    return false;
}

/* The highest segment that neither has functions nor stands for a domain. */
static int free_segment(const struct pcv_model *model, uint16_t *out_segment)
{
    for (uint32_t i = SEGMENTS; i > 0; i--) {
        uint32_t taken;

        if (model->segment[i - 1] == NULL &&
            !stands_for_domain(model, (uint16_t)(i - 1), &taken)) {
            *out_segment = (uint16_t)(i - 1);
            return 0;
        }
    }
    return -PCV_ENOSPC;
}

int pcv_model_intern_domain(struct pcv_model *model, uint32_t domain,
                            uint16_t *out_segment)
{
    struct pcv__model_domain *more;
    uint16_t segment = 0;
    uint32_t taken;
    int error;

    if (model->ready) {
        return -PCV_EINVAL;
    }
    if (domain < SEGMENTS) {
        if (stands_for_domain(model, (uint16_t)domain, &taken)) {
            return -PCV_ENOSPC;
        }
        *out_segment = (uint16_t)domain;
        return 0;
    }
    if (pcv_model_segment_of(model, domain, out_segment)) {
        return 0;
    }
    error = free_segment(model, &segment);
    if (error != 0) {
        return error;
    }
    more = realloc(model->domain, (model->domains + 1) * sizeof(*more));
    if (more == NULL) {
        return -PCV_ENOMEM;
    }
    more[model->domains].domain = domain;
    more[model->domains].segment = segment;
    model->domain = more;
    model->domains++;
    *out_segment = segment;
    return 0;
}

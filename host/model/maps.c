/* SPDX-License-Identifier: MIT */
/*
 * What is mapped for whom, and where it leads: for each domain disjoint runs of
 * pages, no two of them continuing each other, in one search tree.
 *
 * The tree is the C library's. Its order calls runs equal that share a page;
 * among disjoint runs this is a strict order, and a look-up with any range
 * finds a run that overlaps it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* tdestroy */
#endif
#include <search.h>
#include <stdlib.h>

#include "internal.h"

struct run {
    uint32_t domain_id;
    uint64_t start; /* pages [start, end) */
    uint64_t end;
    uint64_t host; /* where page `start` leads */
    bool read_only;
};

static int by_place(const void *a, const void *b)
{
    const struct run *x = a;
    const struct run *y = b;

    if (x->domain_id != y->domain_id) {
        return x->domain_id < y->domain_id ? -1 : 1;
    }
    if (x->end <= y->start) {
        return -1;
    }
    return y->end <= x->start ? 1 : 0;
}

static struct run *find(void *const *tree, uint32_t domain_id, uint64_t start,
                        uint64_t end)
{
    struct run key = {domain_id, start, end, 0, false};
    struct run *const *found = tfind(&key, tree, by_place);

    return found == NULL ? NULL : *found;
}

static struct run *run_make(uint32_t domain_id, uint64_t start, uint64_t end,
                            uint64_t host)
{
    struct run *run = malloc(sizeof(*run));

    if (run != NULL) {
        run->domain_id = domain_id;
        run->start = start;
        run->end = end;
        run->host = host;
        run->read_only = false;
    }
    return run;
}

/* The run is taken; it overlaps nothing in the tree. */
static bool insert(struct pcv_model *model, struct run *run)
{
    if (run == NULL || tsearch(run, &model->mapped, by_place) == NULL) {
        free(run);
        return false;
    }
    model->mapped_pages += run->end - run->start;
    return true;
}

static void take_out(struct pcv_model *model, struct run *run)
{
    model->mapped_pages -= run->end - run->start;
    (void)tdelete(run, &model->mapped, by_place);
}

/* Take [page, end) out of what is mapped. Returns how many of those pages were
 * mapped. *spare is for what is left behind `end`; it is taken if need be. */
static uint64_t carve(struct pcv_model *model, uint32_t domain_id,
                      uint64_t page, uint64_t end, struct run **spare)
{
    uint64_t carved = 0;
    struct run *run;

    while ((run = find(&model->mapped, domain_id, page, end)) != NULL) {
        uint64_t first = run->start > page ? run->start : page;
        uint64_t last = run->end < end ? run->end : end;

        take_out(model, run);
        carved += last - first;
        if (run->end > end && *spare != NULL) { /* one run at most */
            (*spare)->start = end;
            (*spare)->end = run->end;
            (*spare)->host = run->host + (end - run->start);
            (*spare)->read_only = run->read_only;
            (void)insert(model, *spare);
            *spare = NULL;
        }
        run->end = first;
        if (run->end > run->start) {
            (void)insert(model, run);
        } else {
            free(run);
        }
    }
    return carved;
}

/* Swallow the run that has this page, if it leads on where `run` does. */
static void join(struct pcv_model *model, struct run *run, uint64_t page)
{
    struct run *old = page == UINT64_MAX ? NULL
                                         : find(&model->mapped, run->domain_id,
                                                page, page + 1);

    if (old == NULL || old->read_only != run->read_only ||
        old->host - run->host != old->start - run->start) {
        return;
    }
    take_out(model, old);
    if (old->start < run->start) {
        run->start = old->start;
        run->host = old->host;
    }
    run->end = old->end > run->end ? old->end : run->end;
    free(old);
}

/* How many pages are mapped there as they are to be, but that they are to be
 * written from now on, or not. */
static uint64_t changes(const struct pcv_model *model, uint32_t domain_id,
                        uint64_t page, uint64_t host, uint64_t pages,
                        bool read_only)
{
    uint64_t end = page + pages;
    uint64_t count = 0;

    for (uint64_t at = page; at < end;) {
        const struct run *run = find(&model->mapped, domain_id, at, at + 1);
        uint64_t last;

        if (run == NULL) {
            at++;
            continue;
        }
        last = run->end < end ? run->end : end;
        if (run->read_only != read_only &&
            run->host + (at - run->start) == host + (at - page)) {
            count += last - at;
        }
        at = last;
    }
    return count;
}

/* Both return false if there is no memory; nothing was done then. What is
 * mapped already leads to the new place afterwards, and counts as an error. */
static bool map_locked(struct pcv_model *model, uint32_t domain_id,
                       uint64_t page, uint64_t host, uint64_t pages,
                       bool read_only)
{
    bool mapped = find(&model->mapped, domain_id, page, page + pages) != NULL;
    uint64_t changed =
        mapped ? changes(model, domain_id, page, host, pages, read_only) : 0;
    struct run *made = run_make(domain_id, page, page + pages, host);
    struct run *spare = run_make(domain_id, 0, 0, 0);

    if (made == NULL || spare == NULL) {
        free(made);
        free(spare);
        return false;
    }
    made->read_only = read_only;
    if (carve(model, domain_id, page, page + pages, &spare) != changed) {
        model->map_errors++;
    }
    free(spare);
    if (page != 0) {
        join(model, made, page - 1);
    }
    join(model, made, page + pages);
    return insert(model, made);
}

static bool unmap_locked(struct pcv_model *model, uint32_t domain_id,
                         uint64_t page, uint64_t pages)
{
    struct run *spare = run_make(domain_id, 0, 0, 0);

    if (spare == NULL) {
        return false;
    }
    if (carve(model, domain_id, page, page + pages, &spare) != pages) {
        model->map_errors++;
    }
    free(spare);
    return true;
}

/* ---- host operations ---------------------------------------------------- */

void pcv_model_set_map_chunk(struct pcv_model *model, uint64_t pages)
{
    atomic_store(&model->map_chunk, pages);
}

/* How many pages this call does: bounded by the chunk and by the number that
 * a result can carry; 0 if the range is no range. */
static uint64_t chunk(struct pcv_model *model, uint64_t page, uint64_t pages)
{
    uint64_t most = atomic_load(&model->map_chunk);

    if (pages == 0 || pages > UINT64_MAX - page || pages > INT64_MAX) {
        return 0;
    }
    return most != 0 && pages > most ? most : pages;
}

static int64_t op_map(struct pcv_model *model, uint32_t domain_id, pcv_gpa gpa,
                      pcv_hpa hpa, uint64_t pages, bool read_only)
{
    uint64_t count = chunk(model, gpa.v >> 12, pages);
    bool done;

    if (count == 0 || ((gpa.v | hpa.v) & 0xfffu) != 0) {
        pcv__model_bug(__FILE__, __LINE__, "map of no pages, or unaligned");
    }
    if (pcv__model_fails(model, read_only ? PCV_MODEL_OP_map_read_only
                                          : PCV_MODEL_OP_map)) {
        return -PCV_EIO;
    }
    (void)pthread_mutex_lock(model->lock);
    done = map_locked(model, domain_id, gpa.v >> 12, hpa.v >> 12, count,
                      read_only);
    (void)pthread_mutex_unlock(model->lock);
    return done ? (int64_t)count : -PCV_ENOMEM;
}

int64_t pcv__model_op_map(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                          pcv_hpa hpa, uint64_t pages)
{
    return op_map(ctx, domain_id, gpa, hpa, pages, false);
}

int64_t pcv__model_op_map_read_only(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                                    pcv_hpa hpa, uint64_t pages)
{
    return op_map(ctx, domain_id, gpa, hpa, pages, true);
}

/* A failure that was asked for is reported, but the pages are gone all the
 * same: the library takes them as unmapped, and so counts stay comparable. */
int64_t pcv__model_op_unmap(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                            uint64_t pages)
{
    struct pcv_model *model = ctx;
    bool fail = pcv__model_fails(model, PCV_MODEL_OP_unmap);
    uint64_t count = fail ? pages : chunk(model, gpa.v >> 12, pages);
    bool done;

    if (count == 0 || (gpa.v & 0xfffu) != 0) {
        pcv__model_bug(__FILE__, __LINE__, "unmap of no pages, or unaligned");
    }
    (void)pthread_mutex_lock(model->lock);
    done = unmap_locked(model, domain_id, gpa.v >> 12, count);
    (void)pthread_mutex_unlock(model->lock);
    if (fail) {
        return -PCV_EIO;
    }
    return done ? (int64_t)count : -PCV_ENOMEM;
}

/* ---- for those who look ------------------------------------------------- */

void pcv__model_maps_free(struct pcv_model *model)
{
    tdestroy(model->mapped, free);
    model->mapped = NULL;
    model->mapped_pages = 0;
}

uint64_t pcv_model_mapped_pages(const struct pcv_model *model)
{
    uint64_t pages;

    (void)pthread_mutex_lock(model->lock);
    pages = model->mapped_pages;
    (void)pthread_mutex_unlock(model->lock);
    return pages;
}

uint64_t pcv_model_map_errors(const struct pcv_model *model)
{
    uint64_t errors;

    (void)pthread_mutex_lock(model->lock);
    errors = model->map_errors;
    (void)pthread_mutex_unlock(model->lock);
    return errors;
}

bool pcv_model_is_mapped(const struct pcv_model *model, uint32_t domain_id,
                         uint64_t page)
{
    bool mapped;

    (void)pthread_mutex_lock(model->lock);
    mapped = page != UINT64_MAX &&
             find(&model->mapped, domain_id, page, page + 1) != NULL;
    (void)pthread_mutex_unlock(model->lock);
    return mapped;
}

bool pcv_model_translate(const struct pcv_model *model, uint32_t domain_id,
                         uint64_t page, uint64_t *out_host_page)
{
    const struct run *run = NULL;

    (void)pthread_mutex_lock(model->lock);
    if (page != UINT64_MAX) {
        run = find(&model->mapped, domain_id, page, page + 1);
    }
    if (run != NULL) {
        *out_host_page = run->host + (page - run->start);
    }
    (void)pthread_mutex_unlock(model->lock);
    return run != NULL;
}

bool pcv_model_is_read_only(const struct pcv_model *model, uint32_t domain_id,
                            uint64_t page)
{
    const struct run *run = NULL;
    bool is;

    (void)pthread_mutex_lock(model->lock);
    if (page != UINT64_MAX) {
        run = find(&model->mapped, domain_id, page, page + 1);
    }
    is = run != NULL && run->read_only;
    (void)pthread_mutex_unlock(model->lock);
    return is;
}

/* SPDX-License-Identifier: MIT */
/*
 * Where MMIO is in the modelled machine, so that the host can say what may be
 * mapped:
 *   - below 4 GiB from the lowest memory BAR or bridge window, rounded down to
 *     16 MiB, to 0xfec00000, where interrupt controllers begin;
 *   - from there to 4 GiB only what a BAR decodes now, in whole pages;
 *   - above 4 GiB from the lowest BAR or window, rounded down to 1 GiB, to
 *     2^48.
 * Never below 1 MiB. A machine in which nothing is placed yet has the hole of
 * a PC, from 0xc0000000.
 */
#include <stdlib.h>

#include "internal.h"

#define LOW_FLOOR UINT64_C(0x100000)
#define LOW_HOLE UINT64_C(0xc0000000)
#define LOW_END UINT64_C(0xfec00000)
#define HIGH_START UINT64_C(0x100000000)
#define HIGH_END (UINT64_C(1) << 48)
#define PAGE UINT64_C(0x1000)

struct search {
    uint64_t low; /* lowest address below 4 GiB, or UINT64_MAX */
    uint64_t high;
    struct pcv_model *model;
    size_t room;
    bool failed;
};

static void spot_add(struct search *search, uint64_t start, uint64_t end)
{
    struct pcv_model *model = search->model;

    if (model->spots == search->room) {
        size_t room = search->room == 0 ? 16 : search->room * 2;
        struct pcv__model_range *more =
            realloc(model->spot, room * sizeof(*more));

        if (more == NULL) {
            search->failed = true;
            return;
        }
        model->spot = more;
        search->room = room;
    }
    model->spot[model->spots].start = start;
    model->spot[model->spots].end = end;
    model->spots++;
}

static void see_start(struct search *search, uint64_t start)
{
    if (start == 0) {
        return; /* not placed */
    }
    if (start < HIGH_START) {
        search->low = start < search->low ? start : search->low;
    } else if (start < HIGH_END) {
        search->high = start < search->high ? start : search->high;
    }
}

static void see_bar(struct search *search, uint64_t start, uint64_t size)
{
    uint64_t end;

    see_start(search, start);
    if (start == 0 || size == 0 || start >= HIGH_START) {
        return;
    }
    end = size > HIGH_START - start ? HIGH_START : start + size;
    if (end > LOW_END && start >= LOW_FLOOR) {
        spot_add(search, start & ~(PAGE - 1), (end + PAGE - 1) & ~(PAGE - 1));
    }
}

static bool is_memory(const struct pcv__model_bar *bar)
{
    return bar->kind == PCV__MODEL_BAR_32 || bar->kind == PCV__MODEL_BAR_64 ||
           bar->kind == PCV__MODEL_BAR_ROM;
}

static void see_bars(struct search *search, const struct pcv__model_fn *fn)
{
    struct pcv__model_bar bar;

    for (uint32_t i = 0; i < PCV_MODEL_BARS; i++) {
        pcv__model_bar_look(fn, i, false, &bar);
        if (is_memory(&bar)) {
            see_bar(search, bar.address, fn->bar_size[i]);
        }
    }
    for (uint32_t i = 0; fn->vf_bar_size && i < PCV__MODEL_VF_BARS; i++) {
        uint64_t vfs = pcv__model_get(fn, fn->sriov + PCV_SRIOV_TOTAL_VFS, 2);

        pcv__model_vf_bar_look(fn, i, false, &bar);
        if (is_memory(&bar) && fn->vf_bar_size[i] < HIGH_START) {
            see_bar(search, bar.address, vfs * fn->vf_bar_size[i]);
        }
    }
}

/* PCI-to-PCI Bridge 1.2, 3.2.5.8 and 3.2.5.9: an open window's base is not
 * above its limit. */
static void see_windows(struct search *search, const struct pcv__model_fn *fn)
{
    uint64_t base = pcv__model_get(fn, PCV_REG_MEM_BASE, 2) & 0xfff0u;
    uint64_t limit = pcv__model_get(fn, PCV_REG_MEM_LIMIT, 2) & 0xfff0u;
    uint64_t type = pcv__model_get(fn, PCV_REG_PREF_BASE, 2) & 0xfu;

    if (fn->header != 1 || fn->vf) {
        return;
    }
    if (base <= limit) {
        see_start(search, base << 16);
    }
    base = (pcv__model_get(fn, PCV_REG_PREF_BASE, 2) & 0xfff0u) << 16;
    limit = (pcv__model_get(fn, PCV_REG_PREF_LIMIT, 2) & 0xfff0u) << 16;
    if (type == 1) {
        base |= (uint64_t)pcv__model_get(fn, PCV_REG_PREF_BASE_HI, 4) << 32;
        limit |= (uint64_t)pcv__model_get(fn, PCV_REG_PREF_LIMIT_HI, 4) << 32;
    }
    if (base <= limit) {
        see_start(search, base);
    }
}

static int by_start(const void *a, const void *b)
{
    const struct pcv__model_range *x = a;
    const struct pcv__model_range *y = b;

    return (x->start > y->start) - (x->start < y->start);
}

/* Sort, and join what overlaps or touches. */
static void spots_join(struct pcv_model *model)
{
    size_t count = 0;

    if (model->spots == 0) {
        return;
    }
    qsort(model->spot, model->spots, sizeof(*model->spot), by_start);
    for (size_t i = 1; i < model->spots; i++) {
        struct pcv__model_range *last = &model->spot[count];

        if (model->spot[i].start > last->end) {
            model->spot[++count] = model->spot[i];
        } else if (model->spot[i].end > last->end) {
            last->end = model->spot[i].end;
        }
    }
    model->spots = count + 1;
}

int pcv__model_mmio(struct pcv_model *model)
{
    struct search search = {UINT64_MAX, UINT64_MAX, model, 0, false};

    for (size_t i = 0; i < model->fns; i++) {
        see_bars(&search, model->fn[i]);
        see_windows(&search, model->fn[i]);
    }
    if (search.failed) {
        return -PCV_ENOMEM;
    }
    spots_join(model);
    model->low.start =
        search.low == UINT64_MAX ? LOW_HOLE : search.low & ~UINT64_C(0xffffff);
    if (model->low.start < LOW_FLOOR) {
        model->low.start = LOW_FLOOR;
    }
    model->low.end = LOW_END;
    model->high.start = search.high == UINT64_MAX
                            ? HIGH_END
                            : search.high & ~UINT64_C(0x3fffffff);
    model->high.end = HIGH_END;
    return 0;
}

static bool within(const struct pcv__model_range *range, uint64_t start,
                   uint64_t size)
{
    return start >= range->start && start < range->end &&
           size <= range->end - start;
}

bool pcv__model_is_mmio(const struct pcv_model *model, uint64_t start,
                        uint64_t size)
{
    size_t low = 0;
    size_t high = model->spots;

    if (size == 0) {
        return false;
    }
    if (within(&model->low, start, size) || within(&model->high, start, size)) {
        return true;
    }
    while (low < high) { /* the first spot that ends after start */
        size_t middle = low + (high - low) / 2;

        if (model->spot[middle].end <= start) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < model->spots && within(&model->spot[low], start, size);
}

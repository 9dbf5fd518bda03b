/* SPDX-License-Identifier: MIT */
/*
 * What each register's bits do: the header's, and every capability's that is
 * found in the two lists. The result is a sorted array of fields a function;
 * a dword without a field is read-only.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* ---- which rows are there ----------------------------------------------- */

static uint32_t pcie_type(const struct pcv__model_fn *fn)
{
    return pcv__model_get(fn, fn->pcie + PCV_PCIE_FLAGS, 2) >>
               PCV_PCIE_FLAGS_TYPE_SHIFT &
           0xfu;
}

static bool is_downstream(const struct pcv__model_fn *fn)
{
    return fn->pcie != 0 && (pcie_type(fn) == PCV_PCIE_TYPE_ROOT_PORT ||
                             pcie_type(fn) == PCV_PCIE_TYPE_DOWNSTREAM ||
                             pcie_type(fn) == PCV_PCIE_TYPE_FROM_PCI);
}

static bool has_link(const struct pcv__model_fn *fn)
{
    return fn->pcie != 0 && !fn->vf &&
           pcie_type(fn) != PCV_PCIE_TYPE_RC_ENDPOINT &&
           pcie_type(fn) != PCV_PCIE_TYPE_RC_EVENT;
}

static bool is_v2(const struct pcv__model_fn *fn)
{
    return fn->pcie != 0 && !fn->vf &&
           (pcv__model_get(fn, fn->pcie + PCV_PCIE_FLAGS, 2) &
            PCV_PCIE_FLAGS_VERSION) >= 2;
}

bool pcv__model_when(const struct pcv__model_fn *fn, enum pcv__model_when when)
{
    switch (when) {
    case PCV__WHEN_ALWAYS:
        return true;
    case PCV__WHEN_CONVENTIONAL:
        return fn->pcie == 0 && !fn->vf;
    case PCV__WHEN_PCIE:
        return fn->pcie != 0 && !fn->vf;
    case PCV__WHEN_TYPE0:
        return fn->header == 0;
    case PCV__WHEN_TYPE1:
        return fn->header == 1;
    case PCV__WHEN_TYPE2:
        return fn->header == 2;
    case PCV__WHEN_NOT_VF:
        return !fn->vf;
    case PCV__WHEN_TO_PCI:
        return fn->pcie != 0 && pcie_type(fn) == PCV_PCIE_TYPE_TO_PCI;
    case PCV__WHEN_LINK:
        return has_link(fn);
    case PCV__WHEN_DOWNSTREAM:
        return is_downstream(fn);
    case PCV__WHEN_ROOT_PORT:
        return fn->pcie != 0 && pcie_type(fn) == PCV_PCIE_TYPE_ROOT_PORT;
    case PCV__WHEN_SLOT:
        return is_downstream(fn) &&
               (pcv__model_get(fn, fn->pcie + PCV_PCIE_FLAGS, 2) &
                PCV_PCIE_FLAGS_SLOT) != 0;
    case PCV__WHEN_ROOT:
        return fn->pcie != 0 && (pcie_type(fn) == PCV_PCIE_TYPE_ROOT_PORT ||
                                 pcie_type(fn) == PCV_PCIE_TYPE_RC_EVENT);
    case PCV__WHEN_V2:
        return is_v2(fn);
    case PCV__WHEN_V2_LINK:
        return is_v2(fn) && has_link(fn);
    }
    return false;
}

/* ---- collecting fields -------------------------------------------------- */

static bool fields_grow(struct pcv__model_fields *to)
{
    size_t room = to->room == 0 ? 128 : to->room * 2;
    struct pcv__model_field *more;

    if (to->count < to->room) {
        return true;
    }
    more = realloc(to->field, room * sizeof(*more));
    if (more == NULL) {
        to->failed = true;
        return false;
    }
    to->field = more;
    to->room = room;
    return true;
}

void pcv__model_fields_add(struct pcv__model_fields *to,
                           const struct pcv__model_fn *fn, uint32_t base,
                           const struct pcv__model_row *row)
{
    uint32_t at = base + row->offset;
    uint32_t limit = base < PCV_CFG_SIZE ? PCV_CFG_SIZE : fn->config_size;
    uint32_t shift = 8 * (at & 3u);
    struct pcv__model_field *field;

    if (!pcv__model_when(fn, (enum pcv__model_when)row->when) ||
        row->size > limit || at > limit - row->size || !fields_grow(to)) {
        return;
    }
    field = &to->field[to->count];
    field->reg = (uint16_t)(at & ~3u);
    field->base = (uint16_t)base;
    field->effect = row->effect;
    field->rw = row->rw << shift;
    field->w1c = row->w1c << shift;
    field->reset = row->reset << shift;
    field->keep = row->keep << shift;
    field->sticky = row->sticky << shift;
    to->count++;
}

/* ---- capabilities ------------------------------------------------------- */

static void add_gated(struct pcv__model_fields *to,
                      const struct pcv__model_fn *fn, uint32_t base,
                      const struct pcv__model_cap_table *table,
                      const struct pcv__model_row *row)
{
    struct pcv__model_row have = *row;

    for (size_t i = 0; i < table->gates; i++) {
        const struct pcv__model_gate *gate = &table->gate[i];

        if (gate->offset == row->offset &&
            (pcv__model_get(fn, base + gate->able_at, 4) & gate->able) == 0) {
            have.rw &= ~gate->bits;
            have.w1c &= ~gate->bits;
        }
    }
    pcv__model_fields_add(to, fn, base, &have);
}

struct collect {
    struct pcv__model_fields *to;
    const struct pcv__model_fn *fn;
};

static void cap_fields(void *arg, uint32_t offset, uint16_t id, bool extended)
{
    const struct collect *collect = arg;

    if (pcv__model_fields_variable(collect->to, collect->fn, offset, id,
                                   extended)) {
        return;
    }
    for (size_t i = 0; i < pcv__model_cap_table_count; i++) {
        const struct pcv__model_cap_table *table = &pcv__model_cap_tables[i];

        if (table->id != id || table->extended != extended) {
            continue;
        }
        for (size_t j = 0; j < table->rows; j++) {
            add_gated(collect->to, collect->fn, offset, table, &table->row[j]);
        }
    }
}

void pcv__model_caps_each(const struct pcv__model_fn *fn,
                          void (*each)(void *arg, uint32_t offset, uint16_t id,
                                       bool extended),
                          void *arg)
{
    uint8_t seen[PCV_CFG_EXT_SIZE / 4] = {0};
    uint32_t next = fn->header == 2 ? 0x14u : PCV_REG_CAPS;

    if ((pcv__model_get(fn, PCV_REG_STATUS, 2) & PCV_STATUS_CAPS) != 0) {
        next = pcv__model_get(fn, next, 1) & 0xfcu;
        while (next >= 0x40 && seen[next / 4] == 0) {
            uint32_t header = pcv__model_get(fn, next, 2);

            if (header == 0xffffu) {
                break;
            }
            seen[next / 4] = 1;
            each(arg, next, (uint16_t)(header & 0xffu), false);
            next = header >> 8 & 0xfcu;
        }
    }
    next = PCV_EXT_CAP_START;
    while (fn->config_size == PCV_CFG_EXT_SIZE && next >= PCV_EXT_CAP_START &&
           seen[next / 4] == 0) {
        uint32_t header = pcv__model_get(fn, next, 4);

        if (header == 0 || header == 0xffffffffu) {
            break;
        }
        seen[next / 4] = 1;
        each(arg, next, (uint16_t)(header & 0xffffu), true);
        next = header >> 20 & 0xffcu;
    }
}

static void cap_find(void *arg, uint32_t offset, uint16_t id, bool extended)
{
    struct pcv__model_fn *fn = arg;
    uint16_t *place = NULL;

    if (!extended) {
        place = id == PCV_CAP_ID_PCIE   ? &fn->pcie
                : id == PCV_CAP_ID_MSIX ? &fn->msix
                : id == PCV_CAP_ID_MSI  ? &fn->msi
                : id == PCV_CAP_ID_PM   ? &fn->pm
                : id == PCV_CAP_ID_AF   ? &fn->af
                                        : NULL;
    } else {
        place = id == PCV_EXT_CAP_ID_SRIOV      ? &fn->sriov
                : id == PCV_EXT_CAP_ID_REBAR    ? &fn->rebar
                : id == PCV_EXT_CAP_ID_VF_REBAR ? &fn->vf_rebar
                                                : NULL;
    }
    if (place != NULL && *place == 0) {
        *place = (uint16_t)offset;
    }
}

void pcv__model_caps_find(struct pcv__model_fn *fn)
{
    pcv__model_caps_each(fn, cap_find, fn);
}

/* ---- one sorted array --------------------------------------------------- */

static int by_register(const void *a, const void *b)
{
    const struct pcv__model_field *x = a;
    const struct pcv__model_field *y = b;

    if (x->reg != y->reg) {
        return x->reg < y->reg ? -1 : 1;
    }
    /* The header and then lower capabilities come first, so that the result
     * does not depend on how the sort treats equals. */
    if (x->base != y->base) {
        return x->base < y->base ? -1 : 1;
    }
    return (x->effect < y->effect) - (x->effect > y->effect);
}

/* Put rows of the same dword together. Where capabilities overlap, which only
 * a damaged device has, a bit is what the first one says it is. */
static size_t merge(struct pcv__model_fields *in)
{
    size_t count = 0;

    for (size_t i = 0; i < in->count; i++) {
        struct pcv__model_field add = in->field[i];
        struct pcv__model_field *into =
            count == 0 ? NULL : &in->field[count - 1];
        uint32_t taken;

        if (into == NULL || into->reg != add.reg) {
            in->field[count++] = add;
            continue;
        }
        taken = into->rw | into->w1c;
        into->reset |= add.reset & add.rw & ~taken;
        into->keep |= add.keep & ~taken;
        into->sticky |= add.sticky & ~taken;
        into->rw |= add.rw & ~taken;
        into->w1c |= add.w1c & ~taken;
        if (into->effect == PCV__EFFECT_NONE) {
            into->effect = add.effect;
            into->base = add.base;
        }
    }
    return count;
}

int pcv__model_fields_make(struct pcv__model_fields *scratch,
                           struct pcv__model_fn *fn)
{
    struct collect collect = {scratch, fn};
    size_t count;

    scratch->count = 0;
    pcv__model_header_fields(scratch, fn);
    pcv__model_bar_fields(scratch, fn);
    pcv__model_caps_each(fn, cap_fields, &collect);
    if (scratch->failed) {
        return -PCV_ENOMEM;
    }
    qsort(scratch->field, scratch->count, sizeof(*scratch->field), by_register);
    count = merge(scratch);
    fn->field = malloc(count * sizeof(*fn->field));
    if (fn->field == NULL) {
        return -PCV_ENOMEM;
    }
    memcpy(fn->field, scratch->field, count * sizeof(*fn->field));
    fn->fields = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        if (pcv__model_page_make(fn, fn->field[i].reg) != 0) {
            return -PCV_ENOMEM;
        }
    }
    return 0;
}

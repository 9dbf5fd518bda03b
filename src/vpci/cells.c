/* SPDX-License-Identifier: MIT */
/* The array of cells: building it, and giving registers their places. */
#include "vpci/internal.h"

static void free_arrays(struct pcv__mem *mem, struct pcv__vpci *vpci)
{
    pcv__free(mem, vpci->index, vpci->pages_room * sizeof(*vpci->index));
    pcv__free(mem, vpci->cells, vpci->cell_room * sizeof(*vpci->cells));
    pcv__free(mem, vpci->regs, vpci->reg_room * sizeof(*vpci->regs));
    pcv__free(mem, vpci->rows, PCV_BARS * sizeof(*vpci->rows));
}

static void free_view(struct pcv_device *device, struct pcv__view *view)
    PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *vpci = (struct pcv__vpci *)view;
    struct pcv__mem *mem = &device->host->mem;

    pcv__caps_teardown(device, PCV__LIST_FIRST | PCV__LIST_EXTENDED);
    pcv__caps_free(device, vpci);
    pcv__traps_free(device, vpci);
    free_arrays(mem, vpci);
    pcv__free(mem, vpci, sizeof(*vpci));
}

struct pcv__vpci *pcv__vpci_create(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__alloc(&device->host->mem, sizeof(*vpci));

    if (vpci) {
        vpci->view.free = free_view;
        vpci->device = device;
        pcv__unbar(device, PCV__BARRED_SETTLING);
    }
    return vpci;
}

static uint32_t all_masks(const struct pcv_policy *policy)
{
    return policy->hardware | policy->constant | policy->virt | policy->w1c |
           policy->virt_w1c | policy->preserve | policy->read_only;
}

static bool masks_overlap(const struct pcv_policy *policy)
{
    const uint32_t masks[] = {
        policy->hardware, policy->constant, policy->virt,     policy->w1c,
        policy->virt_w1c, policy->preserve, policy->read_only};
    uint32_t seen = 0;

    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        if ((seen & masks[i]) != 0) {
            return true;
        }
        seen |= masks[i];
    }
    return false;
}

static bool valid(uint16_t base, const struct pcv_register *reg)
{
    uint32_t offset = (uint32_t)base + reg->offset;

    if (reg->size != 1 && reg->size != 2 && reg->size != 4) {
        return false;
    }
    return offset % reg->size == 0 && offset <= PCV_CFG_EXT_SIZE - reg->size &&
           !masks_overlap(&reg->policy) &&
           (all_masks(&reg->policy) & ~pcv__ones(reg->size)) == 0;
}

/* Room for one more element of an array; the room doubles. Nothing changes if
 * there is no memory. */
static bool reserve(struct pcv__mem *mem, void **array, uint16_t *room,
                    uint16_t used, size_t element)
{
    uint16_t more;
    void *bigger;

    if (*array && used < *room) {
        return true;
    }
    more = (uint16_t)(*room ? *room * 2u : 8u);
    bigger = pcv__alloc(mem, more * element);
    if (!bigger) {
        return false;
    }
    if (*array) {
        memcpy(bigger, *array, used * element);
        pcv__free(mem, *array, *room * element);
    }
    *array = bigger;
    *room = more;
    return true;
}

/* Make room for a register: everything that can fail, and nothing that shows.
 */
static bool make_room(struct pcv__vpci *vpci)
{
    struct pcv__mem *mem = &vpci->device->host->mem;
    void *index = vpci->index;
    void *cells = vpci->cells;
    void *regs = vpci->regs;
    bool ok = reserve(mem, &index, &vpci->pages_room, vpci->pages,
                      sizeof(*vpci->index)) &&
              reserve(mem, &cells, &vpci->cell_room, vpci->cell_count,
                      sizeof(*vpci->cells)) &&
              reserve(mem, &regs, &vpci->reg_room, vpci->reg_count,
                      sizeof(*vpci->regs));

    vpci->index = index;
    vpci->cells = cells;
    vpci->regs = regs;
    return ok;
}

static struct pcv__cell *cell_make(struct pcv__vpci *vpci, uint16_t reg)
{
    uint32_t dword = reg / 4u;
    uint8_t *page = &vpci->page[dword / PCV__PAGE_CELLS];
    uint16_t *cell;

    if (*page == 0) {
        memset(vpci->index[vpci->pages], 0, sizeof(*vpci->index));
        *page = (uint8_t)++vpci->pages;
    }
    cell = &vpci->index[*page - 1][dword % PCV__PAGE_CELLS];
    if (*cell == 0) {
        memset(&vpci->cells[vpci->cell_count], 0, sizeof(*vpci->cells));
        *cell = ++vpci->cell_count;
        vpci->cells[*cell - 1].policy.hardware =
            vpci->pass_through ? 0xffffffffu : 0;
    }
    return &vpci->cells[*cell - 1];
}

static uint16_t reg_make(struct pcv__vpci *vpci)
{
    for (uint16_t i = 0; i < vpci->reg_count; i++) {
        if (!vpci->regs[i].desc) {
            return (uint16_t)(i + 1u);
        }
    }
    return ++vpci->reg_count;
}

/* Put a register's policy into its cell's bytes, or (reg NULL) the owner's
 * default. */
static void set_policy(struct pcv__cell *cell, uint32_t mask,
                       const struct pcv_policy *from, uint32_t shift,
                       bool pass_through)
{
    const struct pcv_policy none = {.hardware = pass_through ? ~0u : 0};
    const struct pcv_policy *p = from ? from : &none;

    cell->policy.hardware =
        (cell->policy.hardware & ~mask) | (p->hardware << shift & mask);
    cell->policy.constant =
        (cell->policy.constant & ~mask) | (p->constant << shift & mask);
    cell->policy.virt = (cell->policy.virt & ~mask) | (p->virt << shift & mask);
    cell->policy.w1c = (cell->policy.w1c & ~mask) | (p->w1c << shift & mask);
    cell->policy.virt_w1c =
        (cell->policy.virt_w1c & ~mask) | (p->virt_w1c << shift & mask);
    cell->policy.preserve =
        (cell->policy.preserve & ~mask) | (p->preserve << shift & mask);
    cell->policy.read_only =
        (cell->policy.read_only & ~mask) | (p->read_only << shift & mask);
}

/* Recompute what the cell's registers have in common. */
static void summarise(const struct pcv__vpci *vpci, struct pcv__cell *cell)
{
    uint32_t hardware =
        cell->policy.hardware | cell->policy.w1c | cell->policy.read_only;
    bool maps = false;

    cell->read_by = 0;
    cell->write_by = 0;
    cell->hardware_by = 0;
    for (uint32_t i = 0; i < 4; i++) {
        if ((hardware >> (i * 8u) & 0xffu) != 0) {
            cell->hardware_by |= (uint8_t)(1u << i);
        }
    }
    for (uint32_t i = 0; i < 4; i++) {
        const struct pcv_register *desc;
        const struct pcv_register_ops *ops;

        if (cell->reg[i] == 0) {
            continue;
        }
        desc = vpci->regs[cell->reg[i] - 1].desc;
        ops = desc->ops;
        maps |= (desc->flags & PCV_REGISTER_MAPS) != 0;
        if (ops && ops->read) {
            cell->read_by |= (uint8_t)(1u << i);
        }
        if (ops && ops->write) {
            cell->write_by |= (uint8_t)(1u << i);
        }
    }
    cell->plain = 0;
    if ((cell->hardware_by | cell->read_by) == 0) {
        cell->plain |= PCV__PLAIN_READ;
    }
    if ((cell->hardware_by | cell->write_by) == 0 && !maps) {
        cell->plain |= PCV__PLAIN_WRITE;
    }
}

int pcv__cells_add_at(struct pcv__vpci *vpci, uint16_t base,
                      const struct pcv_register *reg, void *data)
{
    struct pcv__cell *cell;
    uint32_t first, shift, mask, value;
    uint16_t place, offset;

    if (!reg || !valid(base, reg)) {
        return -PCV_EINVAL;
    }
    offset = (uint16_t)(base + reg->offset);
    first = offset % 4u;
    cell = pcv__cell_at(vpci, offset);
    for (uint32_t i = first; cell && i < first + reg->size; i++) {
        if (cell->reg[i] != 0) {
            return -PCV_EEXIST;
        }
    }
    if (!make_room(vpci)) {
        return -PCV_ENOMEM;
    }
    cell = cell_make(vpci, offset);
    place = reg_make(vpci);
    vpci->regs[place - 1] = (struct pcv__reg){reg, data, offset, false};
    for (uint32_t i = first; i < first + reg->size; i++) {
        cell->reg[i] = place;
    }
    shift = first * 8u;
    mask = pcv__ones(reg->size) << shift;
    set_policy(cell, mask, &reg->policy, shift, vpci->pass_through);
    value = atomic_load_explicit(&cell->value, memory_order_relaxed);
    value = (value & ~mask) |
            ((reg->initial &
              (reg->policy.constant | reg->policy.virt | reg->policy.virt_w1c))
                 << shift &
             mask);
    atomic_store_explicit(&cell->value, value, memory_order_relaxed);
    summarise(vpci, cell);
    return 0;
}

int pcv__cells_add(struct pcv__vpci *vpci, const struct pcv_register *reg,
                   void *data)
{
    return pcv__cells_add_at(vpci, 0, reg, data);
}

void pcv__cells_store(struct pcv__vpci *vpci, uint16_t offset, uint8_t size,
                      uint32_t value)
{
    struct pcv__cell *cell = pcv__cell_at(vpci, offset);
    uint32_t shift = offset % 4u * 8u;
    uint32_t mask = pcv__ones(size) << shift;
    uint32_t now;

    if (!cell) {
        return;
    }
    mask &= cell->policy.constant | cell->policy.virt | cell->policy.virt_w1c;
    now = atomic_load_explicit(&cell->value, memory_order_relaxed);
    atomic_store_explicit(&cell->value, (now & ~mask) | (value << shift & mask),
                          memory_order_relaxed);
}

uint32_t pcv__cells_load(const struct pcv__vpci *vpci, uint16_t offset,
                         uint8_t size)
{
    const struct pcv__cell *cell = pcv__cell_at(vpci, offset);

    return cell ? atomic_load_explicit(&cell->value, memory_order_relaxed) >>
                          (offset % 4u * 8u) &
                      pcv__ones(size)
                : 0;
}

const struct pcv_register *pcv__cells_exchange(struct pcv__vpci *vpci,
                                               uint16_t offset,
                                               const struct pcv_register *reg)
{
    struct pcv__cell *cell = pcv__cell_at(vpci, offset);
    uint16_t place = cell ? cell->reg[offset % 4u] : 0;
    struct pcv__reg *here = place != 0 ? &vpci->regs[place - 1] : NULL;
    const struct pcv_register *was;
    uint32_t shift = offset % 4u * 8u;

    if (!here || here->offset != offset || here->desc->size != reg->size ||
        here->foreign) {
        return NULL;
    }
    was = here->desc;
    here->desc = reg;
    set_policy(cell, pcv__ones(reg->size) << shift, &reg->policy, shift,
               vpci->pass_through);
    summarise(vpci, cell);
    pcv__cells_store(vpci, offset, reg->size, reg->initial);
    return was;
}

/* Whether a register reaches over either end of [offset, offset + size). */
static bool is_cut(const struct pcv__reg *reg, uint32_t offset, uint32_t end)
{
    return reg->offset < offset ||
           (uint32_t)reg->offset + reg->desc->size > end;
}

void pcv__cells_drop(struct pcv__vpci *vpci, uint16_t place)
{
    const struct pcv__reg *reg = &vpci->regs[place - 1];
    struct pcv__cell *cell = pcv__cell_at(vpci, reg->offset);
    uint32_t first = reg->offset % 4u;
    uint8_t size = reg->desc->size;
    uint32_t mask = pcv__ones(size) << (first * 8u);
    uint32_t value = atomic_load_explicit(&cell->value, memory_order_relaxed);

    for (uint32_t i = first; i < first + size; i++) {
        cell->reg[i] = 0;
    }
    set_policy(cell, mask, NULL, 0, vpci->pass_through);
    atomic_store_explicit(&cell->value, value & ~mask, memory_order_relaxed);
    vpci->regs[place - 1] = (struct pcv__reg){NULL, NULL, 0, false};
    summarise(vpci, cell);
}

int pcv__cells_remove(struct pcv__vpci *vpci, uint16_t offset, uint16_t size)
{
    uint32_t end = (uint32_t)offset + size;
    uint32_t found = 0;

    if (size == 0 || end > PCV_CFG_EXT_SIZE) {
        return -PCV_EINVAL;
    }
    for (uint16_t i = 0; i < vpci->reg_count; i++) {
        const struct pcv__reg *reg = &vpci->regs[i];

        if (!reg->desc || reg->offset >= end ||
            (uint32_t)reg->offset + reg->desc->size <= offset) {
            continue;
        }
        if (is_cut(reg, offset, end)) {
            return -PCV_ERANGE;
        }
        found++;
    }
    if (found == 0) {
        return -PCV_ENOENT;
    }
    for (uint16_t i = 0; i < vpci->reg_count; i++) {
        const struct pcv__reg *reg = &vpci->regs[i];

        if (reg->desc && reg->offset >= offset && reg->offset < end) {
            pcv__cells_drop(vpci, (uint16_t)(i + 1u));
        }
    }
    return 0;
}

/* A register that the host adds stays when the library's own go. */
static int add_foreign(struct pcv__vpci *vpci, const struct pcv_register *reg,
                       void *data)
{
    int error = pcv__cells_add(vpci, reg, data);
    const struct pcv__cell *cell;

    if (error == 0) {
        cell = pcv__cell_at(vpci, reg->offset);
        vpci->regs[cell->reg[reg->offset % 4u] - 1].foreign = true;
    }
    return error;
}

/* A change of a view that is in use: its gate is paused, nobody is inside. */
static int paused_change(struct pcv_device *device,
                         const struct pcv_register *reg, void *data,
                         uint16_t offset, uint16_t size)
{
    struct pcv__mem *mem = &device->host->mem;
    int error;

    pcv__lock_take(mem, &device->lock);
    error = pcv__gate_pause(device);
    if (error == 0) {
        error = reg ? add_foreign(pcv__vpci(device), reg, data)
                    : pcv__cells_remove(pcv__vpci(device), offset, size);
        pcv__gate_open(device);
    }
    pcv__lock_drop(mem, &device->lock);
    return error;
}

int pcv_register_add(struct pcv_device *device, const struct pcv_register *reg,
                     void *data)
{
    return reg ? paused_change(device, reg, data, 0, 0) : -PCV_EINVAL;
}

int pcv_register_remove(struct pcv_device *device, uint16_t offset,
                        uint16_t size)
{
    return paused_change(device, NULL, NULL, offset, size);
}

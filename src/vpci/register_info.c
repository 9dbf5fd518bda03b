/* SPDX-License-Identifier: MIT */
/* Looking at a view: the cells one by one (DESIGN decision 1). */
#include "vpci/cap.h"
#include "vpci/internal.h"

/* The capability that a register belongs to: its rows carry it. */
static const char *cap_name(const struct pcv__vpci *vpci,
                            const struct pcv__reg *reg)
{
    for (uint16_t i = 0; i < vpci->cap_count; i++) {
        if (reg->data == &vpci->caps[i]) {
            return vpci->caps[i].desc->name;
        }
    }
    return NULL;
}

static void tell_register(const struct pcv__vpci *vpci,
                          const struct pcv__reg *reg,
                          struct pcv_register_info *out)
{
    const struct pcv_register *desc = reg->desc;
    const struct pcv_policy *p = &desc->policy;

    out->name = desc->name;
    out->capability = cap_name(vpci, reg);
    out->offset = reg->offset;
    out->size = desc->size;
    out->reads = desc->ops && desc->ops->read;
    out->writes = desc->ops && desc->ops->write;
    out->passed = (desc->flags & PCV_REGISTER_PASSED) != 0;
    out->policy = *p;
    out->initial = pcv__cells_load(vpci, reg->offset, desc->size) &
                   (p->constant | p->virt | p->virt_w1c);
}

/* Whether so many bytes, aligned, have no register. */
static bool piece_is_free(const struct pcv__cell *cell, uint16_t offset,
                          uint8_t size)
{
    bool is_free = offset % size == 0;

    for (uint32_t i = 0; is_free && cell && i < size; i++) {
        is_free = cell->reg[offset % 4u + i] == 0;
    }
    return is_free;
}

/* Bytes without a register, up to the next one or the end of the dword; as one
 * piece of a width that a register can have. */
static void tell_default(const struct pcv__vpci *vpci,
                         const struct pcv__cell *cell, uint16_t offset,
                         struct pcv_register_info *out)
{
    uint8_t size = 4;

    while (size > 1 && !piece_is_free(cell, offset, size)) {
        size = (uint8_t)(size / 2u);
    }
    out->offset = offset;
    out->size = size;
    out->policy.hardware = vpci->pass_through ? pcv__ones(size) : 0;
}

bool pcv_register_next(struct pcv_device *device, uint16_t offset,
                       struct pcv_register_info *out_info)
{
    struct pcv__mem *mem = &device->host->mem;
    uint32_t end = pcv__is_extended(device) ? PCV_CFG_EXT_SIZE : PCV_CFG_SIZE;
    const struct pcv__vpci *vpci;
    bool found = false;

    pcv__lock_take(mem, &device->lock);
    vpci = pcv__vpci(device);
    if (offset < end && vpci && !device->torn) {
        const struct pcv__cell *cell = pcv__cell_at(vpci, offset);
        uint16_t place = cell ? cell->reg[offset % 4u] : 0;

        memset(out_info, 0, sizeof(*out_info));
        if (place != 0) {
            tell_register(vpci, &vpci->regs[place - 1], out_info);
        } else {
            tell_default(vpci, cell, offset, out_info);
        }
        found = true;
    }
    pcv__lock_drop(mem, &device->lock);
    return found;
}

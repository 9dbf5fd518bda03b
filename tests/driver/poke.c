/* SPDX-License-Identifier: MIT */
/* Accesses by chance (poke.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pcivisor/regs.h"
#include "poke.h"

uint64_t poke_chance(struct poke *poke)
{
    poke->seed ^= poke->seed << 13; /* xorshift: one course for one seed */
    poke->seed ^= poke->seed >> 7;
    poke->seed ^= poke->seed << 17;
    return poke->seed;
}

uint32_t poke_below(struct poke *poke, uint32_t limit)
{
    return (uint32_t)((poke_chance(poke) >> 16) % limit);
}

bool poke_one_in(struct poke *poke, uint32_t n)
{
    return poke_below(poke, n) == 0;
}

/* ---- where to poke ------------------------------------------------------- */

static void place_add(struct places *places, uint32_t first, uint32_t bytes)
{
    for (uint32_t at = first; at < first + bytes; at += 2) {
        if (places->count < POKE_REGS) {
            places->reg[places->count++] = (uint16_t)at;
        }
    }
}

static void places_look_extended(struct poke *poke,
                                 const struct guard_device *device,
                                 struct places *out)
{
    uint32_t at = PCV_EXT_CAP_START;

    for (uint32_t i = 0; i < 16 && at >= PCV_EXT_CAP_START; i++) {
        uint32_t header =
            pcv_model_peek(poke->guard->model, device->sbdf, (uint16_t)at, 4);

        if (header == 0 || header == 0xffffffffu) {
            return;
        }
        place_add(out, at, 0x10);
        if ((header & 0xffffu) == PCV_EXT_CAP_ID_REBAR) {
            out->rebar = (uint16_t)at;
        }
        at = header >> 20;
    }
}

/* From hardware's list: also what the guest is not shown. */
static void places_look(struct poke *poke, struct guard_device *device,
                        struct places *out)
{
    const struct pcv_model *model = poke->guard->model;
    uint32_t at = pcv_model_peek(model, device->sbdf, PCV_REG_CAPS, 1);

    memset(out, 0, sizeof(*out));
    place_add(out, PCV_REG_COMMAND, 4);
    place_add(out, PCV_REG_BAR0, 24);
    place_add(out, PCV_REG_ROM0, 4);
    for (uint32_t i = 0; i < 48 && at >= 0x40; i++) {
        uint32_t id = pcv_model_peek(model, device->sbdf, (uint16_t)at, 1);

        place_add(out, at, id == PCV_CAP_ID_PCIE ? 0x30 : 0x18);
        out->pcie = id == PCV_CAP_ID_PCIE ? (uint16_t)at : out->pcie;
        out->pm = id == PCV_CAP_ID_PM ? (uint16_t)at : out->pm;
        out->msi = id == PCV_CAP_ID_MSI ? (uint16_t)at : out->msi;
        out->msix = id == PCV_CAP_ID_MSIX ? (uint16_t)at : out->msix;
        at = pcv_model_peek(model, device->sbdf, (uint16_t)(at + 1u), 1);
    }
    places_look_extended(poke, device, out);
}

/* Of a device that is in a guest's hands. */
static const struct places *places_of(struct poke *poke,
                                      struct guard_device *device)
{
    uint32_t free = GUARD_ACTIVE;

    for (uint32_t i = 0; i < GUARD_ACTIVE; i++) {
        if (poke->placed[i] == device) {
            return &poke->places[i];
        }
        if (!poke->placed[i] || poke->placed[i]->state == GUARD_FREE) {
            free = i;
        }
    }
    assert_int_not_equal(free, GUARD_ACTIVE);
    poke->placed[free] = device;
    places_look(poke, device, &poke->places[free]);
    return &poke->places[free];
}

/* ---- a guest's access ---------------------------------------------------- */

/* A device in any guest's hands, or NULL. */
struct guard_device *poke_active(struct poke *poke)
{
    return poke->guard->actives == 0
               ? NULL
               : poke->guard->active[poke_below(poke, poke->guard->actives)];
}

struct guard_device *poke_active_of(struct poke *poke, uint32_t domain_id)
{
    for (uint32_t i = 0; i < 8; i++) {
        struct guard_device *device = poke_active(poke);

        if (device && device->state == GUARD_OWNED &&
            device->owner == domain_id) {
            return device;
        }
    }
    return NULL;
}

static uint32_t few_bits(struct poke *poke)
{
    uint64_t some = poke_chance(poke);

    return (uint32_t)(some & poke_chance(poke));
}

uint32_t poke_value(struct poke *poke)
{
    switch (poke_below(poke, 6)) {
    case 0:
        return 0;
    case 1:
        return 0xffffffffu;
    case 2:
        return 1u << poke_below(poke, 32);
    case 3:
        return few_bits(poke);
    case 4: /* in a window, or near it */
        return (uint32_t)(GUARD_NARROW - 0x100000u +
                          (poke_chance(poke) & 0x1ffffffu & ~0xfffull));
    default:
        return (uint32_t)poke_chance(poke);
    }
}

/* One of the steps that a driver takes, so that there is something to disturb.
 */
static void set_step(struct poke *poke, const struct places *places,
                     struct pcv_access *access)
{
    static const uint16_t msix[] = {0x8000, 0xc000, 0x0000};
    uint16_t bar = (uint16_t)(PCV_REG_BAR0 + 4u * poke_below(poke, 6));

    access->write = true;
    switch (poke_below(poke, 10)) {
    case 0:
    case 1:
        *access = PCV_WRITE(access->sbdf, PCV_REG_COMMAND, 2,
                            PCV_CMD_MEMORY | PCV_CMD_MASTER);
        return;
    case 2:
        *access = PCV_WRITE(access->sbdf, bar, 4,
                            GUARD_NARROW + (poke_chance(poke) & 0xffff00u));
        return;
    case 3: /* a pair, as for a 64-bit BAR in the wide window */
        *access =
            PCV_WRITE(access->sbdf, bar, 4,
                      poke_one_in(poke, 2) ? GUARD_WIDE >> 32
                                           : poke_chance(poke) & 0x3ff0000u);
        return;
    case 4:
    case 5:
        if (places->msix != 0) {
            *access = PCV_WRITE(access->sbdf, (uint16_t)(places->msix + 2u), 2,
                                msix[poke_below(poke, 3)]);
        }
        return;
    case 6:
        if (places->msi != 0) {
            *access = PCV_WRITE(access->sbdf, (uint16_t)(places->msi + 2u), 2,
                                (poke_chance(poke) & 0x70u) | 1u);
        }
        return;
    case 7:
        if (places->pm != 0) {
            *access = PCV_WRITE(access->sbdf, (uint16_t)(places->pm + 4u), 2,
                                poke_one_in(poke, 3) ? 3u : 0u);
        }
        return;
    case 8:
        if (places->rebar != 0) {
            *access = PCV_WRITE(access->sbdf, (uint16_t)(places->rebar + 8u), 4,
                                poke_below(poke, 4) << 8);
        }
        return;
    default:
        if (places->pcie != 0 && poke_one_in(poke, 4)) {
            *access = PCV_WRITE(access->sbdf,
                                (uint16_t)(places->pcie + PCV_PCIE_DEVCTL), 2,
                                PCV_PCIE_DEVCTL_FLR);
        }
        return;
    }
}

struct guard_device *poke_access(struct poke *poke, uint32_t domain_id,
                                 struct pcv_access *access)
{
    static const uint8_t sizes[] = {1, 2, 4, 4, 4, 2, 1, 4, 8, 0, 3, 16};
    struct guard_device *device = poke_active_of(poke, domain_id);

    *access = (struct pcv_access){.sbdf = {poke_below(poke, 64)},
                                  .reg = (uint16_t)poke_chance(poke),
                                  .size = sizes[poke_below(poke, 12)],
                                  .write = poke_one_in(poke, 2),
                                  .data = poke_value(poke)};
    if (poke_one_in(poke, 20)) {
        access->sbdf.v = (uint32_t)poke_chance(poke);
        return NULL;
    }
    access->reg &= poke_one_in(poke, 8) ? 0xffffu : 0xfffu;
    if (device) {
        const struct places *places = places_of(poke, device);

        access->sbdf = device->there;
        if (poke_one_in(poke, 3)) {
            set_step(poke, places, access);
        } else if (!poke_one_in(poke, 4)) {
            access->reg = places->reg[poke_below(poke, places->count)];
            access->reg &= (uint16_t) ~(access->size == 4 ? 3u : 0u);
        }
    }
    return device;
}

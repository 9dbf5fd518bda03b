/* SPDX-License-Identifier: MIT */
/* The books of guard.h: which bytes of the machine are whose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard_books.h"
#include "pcivisor/regs.h"

static uint32_t peek(const struct guard *guard, pcv_sbdf sbdf, uint32_t reg,
                     uint8_t size)
{
    return pcv_model_peek(guard->model, sbdf, (uint16_t)reg, size);
}

/* ---- BARs ---------------------------------------------------------------- */

/* Memory BARs at a place in registers: the header, or SR-IOV's for VFs. */
static void look_bars(const struct guard *guard, pcv_sbdf sbdf, uint32_t reg,
                      const struct pcv_model_facts *facts, uint64_t index,
                      struct guard_device *out)
{
    for (uint32_t bar = 0; bar < 6; bar++) {
        uint32_t low = peek(guard, sbdf, reg + 4u * bar, 4);
        uint64_t size = facts->bar_size[bar];
        uint64_t start = low & PCV_BAR_MEM_MASK;
        bool wide = (low & PCV_BAR_TYPE_MASK) == PCV_BAR_TYPE_64;

        if (wide && bar < 5) {
            start |= (uint64_t)peek(guard, sbdf, reg + 4u * bar + 4u, 4) << 32;
        }
        if ((low & PCV_BAR_SPACE_IO) == 0 && size != 0 && start != 0) {
            start += index * size;
            out->bar[bar] = (struct guard_range){start, start + size};
        }
        bar += wide ? 1 : 0;
    }
}

static uint32_t find_ext(const struct guard *guard, pcv_sbdf sbdf, uint32_t id)
{
    uint32_t at = PCV_EXT_CAP_START;

    for (uint32_t i = 0; i < 960 && at >= PCV_EXT_CAP_START; i++) {
        uint32_t header = peek(guard, sbdf, at, 4);

        if (header == 0 || header == 0xffffffffu) {
            return 0;
        }
        if ((header & 0xffffu) == id) {
            return at;
        }
        at = header >> 20;
    }
    return 0;
}

void guard_books_bars(const struct guard *guard, struct guard_device *device)
{
    struct pcv_model_facts facts;
    uint32_t cap, offset, stride;

    assert_true(pcv_model_facts_of(guard->model, device->sbdf, &facts));
    if (!facts.vf) {
        look_bars(guard, device->sbdf, PCV_REG_BAR0, &facts, 0, device);
        return;
    }
    cap = find_ext(guard, facts.physfn, PCV_EXT_CAP_ID_SRIOV);
    offset = peek(guard, facts.physfn, cap + PCV_SRIOV_OFFSET, 2);
    stride = peek(guard, facts.physfn, cap + PCV_SRIOV_STRIDE, 2);
    assert_int_not_equal(cap, 0);
    look_bars(guard, facts.physfn, cap + PCV_SRIOV_BAR, &facts,
              (device->sbdf.v - facts.physfn.v - offset) /
                  (stride != 0 ? stride : 1u),
              device);
}

/* ---- a device that goes to a guest --------------------------------------- */

static uint32_t find_cap(const struct guard *guard, pcv_sbdf sbdf, uint32_t id)
{
    uint32_t at = peek(guard, sbdf, PCV_REG_CAPS, 1);

    for (uint32_t i = 0; i < 48 && at >= 0x40; i++) {
        if (peek(guard, sbdf, at, 1) == id) {
            return at;
        }
        at = peek(guard, sbdf, at + 1u, 1);
    }
    return 0;
}

static void look_msix(const struct guard *guard, struct guard_device *device)
{
    uint32_t cap = find_cap(guard, device->sbdf, PCV_CAP_ID_MSIX);
    uint32_t table, pending;

    device->table_bar = device->pending_bar = 7;
    device->table = device->pending = (struct guard_range){0, 0};
    device->entries = 0;
    if (cap == 0) {
        return;
    }
    table = peek(guard, device->sbdf, cap + 4u, 4);
    pending = peek(guard, device->sbdf, cap + 8u, 4);
    device->entries = (peek(guard, device->sbdf, cap + 2u, 2) & 0x7ffu) + 1u;
    device->table_bar = table & 7u;
    device->pending_bar = pending & 7u;
    device->table.start = table & ~7u;
    device->table.end = device->table.start + (uint64_t)device->entries * 16u;
    device->pending.start = pending & ~7u;
    device->pending.end =
        device->pending.start + (uint64_t)((device->entries + 63u) / 64u) * 8u;
    device->msix = calloc(device->entries, sizeof(*device->msix));
    assert_non_null(device->msix);
}

void guard_books_open(struct guard *guard, struct guard_device *device)
{
    device->allowed = malloc(sizeof(*device->allowed));
    assert_non_null(device->allowed);
    allowed_look(device->allowed, guard->model, device->sbdf);
    device->places = 0;
    device->msi_bound = false;
    look_msix(guard, device);
    assert_true(guard->actives < GUARD_ACTIVE);
    guard->active[guard->actives++] = device;
}

void guard_books_close(struct guard *guard, struct guard_device *device)
{
    free(device->allowed);
    free(device->msix);
    device->allowed = NULL;
    device->msix = NULL;
    for (uint32_t i = 0; i < guard->actives; i++) {
        if (guard->active[i] == device) {
            guard->active[i] = guard->active[--guard->actives];
            return;
        }
    }
    fail();
}

void guard_books_place(struct guard_device *device, uint64_t address,
                       uint64_t size)
{
    device->place[device->places++ % GUARD_PLACES] =
        (struct guard_range){address, address + size};
}

/* ---- whose it is --------------------------------------------------------- */

static bool inside(const struct guard_range *range, uint64_t at, uint64_t size)
{
    return at >= range->start && at < range->end && size <= range->end - at;
}

/* A BAR that can be resized is where its registers say now, if the host ever
 * named that place. */
static struct guard_range where(const struct guard *guard,
                                const struct guard_device *device, uint32_t bar)
{
    uint16_t reg = (uint16_t)(PCV_REG_BAR0 + 4u * bar);
    struct guard_range now = {peek(guard, device->sbdf, reg, 4), 0};
    uint32_t control;

    if (!device->allowed || device->allowed->rebar_bar != bar ||
        device->allowed->rebar == 0) {
        return device->bar[bar];
    }
    control = peek(guard, device->sbdf, device->allowed->rebar + 8u, 4);
    if ((now.start & PCV_BAR_TYPE_MASK) == PCV_BAR_TYPE_64) {
        now.start |= (uint64_t)peek(guard, device->sbdf, reg + 4u, 4) << 32;
    }
    now.start &= ~UINT64_C(0xf);
    now.end = now.start + (UINT64_C(0x100000) << (control >> 8 & 0x3fu));
    if (inside(&device->bar[bar], now.start, now.end - now.start)) {
        return now;
    }
    for (uint32_t i = 0; i < device->places && i < GUARD_PLACES; i++) {
        if (inside(&device->place[i], now.start, now.end - now.start)) {
            return now;
        }
    }
    return (struct guard_range){0, 0};
}

static bool has(const struct guard *guard, const struct guard_device *device,
                uint64_t at, uint64_t size)
{
    for (uint32_t i = 0; i < 6; i++) {
        struct guard_range range = where(guard, device, i);

        if (inside(&range, at, size)) {
            return true;
        }
    }
    return false;
}

struct guard_device *guard_books_memory(struct guard *guard, uint32_t domain_id,
                                        uint64_t address, uint64_t size)
{
    for (uint32_t i = 0; i < guard->actives; i++) {
        struct guard_device *device = guard->active[i];

        if (device->state == GUARD_OWNED && device->owner == domain_id &&
            has(guard, device, address, size)) {
            return device;
        }
    }
    return NULL;
}

struct guard_device *guard_books_owner(struct guard *guard, uint32_t domain_id,
                                       uint64_t page)
{
    return guard_books_memory(guard, domain_id, page, GUARD_PAGE);
}

struct guard_device *guard_books_device(struct guard *guard, uint32_t domain_id,
                                        uint64_t page)
{
    for (uint32_t i = 0; i < guard->actives; i++) {
        if (guard->active[i]->owner == domain_id &&
            has(guard, guard->active[i], page, GUARD_PAGE)) {
            return guard->active[i];
        }
    }
    fail_msg("page %llx was nobody's", (unsigned long long)page);
    return NULL;
}

uint64_t guard_books_offset(const struct guard_device *device, uint8_t bar,
                            uint64_t address)
{
    if (bar >= 6 || !inside(&device->bar[bar], address, 1)) {
        return UINT64_MAX;
    }
    return address - device->bar[bar].start;
}

static bool overlaps(const struct guard_device *device, uint8_t bar,
                     const struct guard_range *range, uint64_t page)
{
    uint64_t start, end;

    if (bar >= 6 || range->end == range->start) {
        return false;
    }
    start = device->bar[bar].start + range->start;
    end = device->bar[bar].start + range->end;
    return page < end && start < page + GUARD_PAGE;
}

bool guard_books_is_msix(const struct guard_device *device, uint64_t page)
{
    return overlaps(device, device->table_bar, &device->table, page) ||
           overlaps(device, device->pending_bar, &device->pending, page);
}

/* A BAR of somebody else's that was moved there. */
static bool is_moved_there(const struct guard *guard, uint32_t domain_id,
                           uint64_t page)
{
    for (uint32_t i = 0; i < guard->actives; i++) {
        const struct guard_device *device = guard->active[i];
        struct guard_range range;

        if (device->owner == domain_id || device->allowed->rebar == 0) {
            continue;
        }
        range = where(guard, device, device->allowed->rebar_bar);
        if (page < range.end && range.start < page + GUARD_PAGE) {
            return true;
        }
    }
    return false;
}

bool guard_books_is_shared(struct guard *guard, uint32_t domain_id,
                           uint64_t page)
{
    size_t low = 0, high = guard->foreigns;

    if (is_moved_there(guard, domain_id, page)) {
        return true;
    }

    while (low < high) { /* the first BAR that ends after the page's start */
        size_t middle = low + (high - low) / 2u;

        if (guard->foreign[middle].range.end <= page) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < guard->foreigns &&
           guard->foreign[low].range.start < page + GUARD_PAGE;
         low++) {
        const struct guard_device *device = guard->foreign[low].device;

        if (device->state != GUARD_OWNED || device->owner != domain_id) {
            return true;
        }
    }
    return false;
}

bool guard_books_may_touch(struct guard *guard, uint32_t domain_id,
                           const struct pcv_model_cfg *access)
{
    const struct guard_device *device = guard_find(guard, access->sbdf);

    if (!device) {
        return false;
    }
    if (device->state == GUARD_OWNED && device->owner == domain_id) {
        return true;
    }
    for (uint32_t i = 0; i < guard->actives && !access->write; i++) {
        if (guard->active[i]->owner == domain_id && guard->active[i]->vf &&
            guard->active[i]->physfn.v == access->sbdf.v) {
            return true;
        }
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * Addresses of a made-up segment. From the last bus to the first, BARs and
 * windows are packed into the window of the bus that they are on; then, from
 * the first to the last, windows get addresses and all that is in them with
 * them. Buses are numbered depth first, so that one order is bottom-up and
 * the other top-down.
 */
#include "generate.h"

/* A bridge's window begins and ends at a multiple of this. */
static const uint64_t granule[PCV__GEN_SPACES] = {0x1000, 0x100000, 0x100000};

static uint64_t round_up(uint64_t value, uint64_t align)
{
    return (value + align - 1) & ~(align - 1);
}

static uint64_t take(struct pcv__gen_window *window, uint64_t size,
                     uint64_t align)
{
    uint64_t at = round_up(window->size, align);

    window->size = at + size;
    if (window->align < align) {
        window->align = align;
    }
    return at;
}

/* The space of a BAR, and its bytes: a PF's VFs have theirs in a row. */
static enum pcv__gen_space space_of(const struct pcv__gen_fn *fn, unsigned i)
{
    return i < PCV__GEN_BARS      ? pcv__gen_kinds[fn->kind].bars[i].space
           : i == PCV__GEN_VF_BAR ? PCV__GEN_PREF
                                  : PCV__GEN_MEM;
}

static void pack_bars(struct pcv__gen_plan *plan, struct pcv__gen_bus *bus,
                      struct pcv__gen_fn *fn)
{
    for (unsigned i = 0; i < PCV__GEN_PLACES; i++) {
        uint64_t size = (uint64_t)1 << fn->log2[i];
        uint64_t count = i == PCV__GEN_VF_BAR ? plan->shape->vfs : 1;

        if (fn->log2[i] != 0) {
            fn->at[i] = take(&bus->window[space_of(fn, i)], size * count, size);
        }
    }
}

static void pack_window(struct pcv__gen_bus *bus, struct pcv__gen_bus *behind)
{
    for (unsigned s = 0; s < PCV__GEN_SPACES; s++) {
        struct pcv__gen_window *inner = &behind->window[s];

        if (inner->size == 0) {
            continue;
        }
        inner->size = round_up(inner->size, granule[s]);
        if (inner->align < granule[s]) {
            inner->align = granule[s];
        }
        inner->base = take(&bus->window[s], inner->size, inner->align);
    }
}

static void pack_bus(struct pcv__gen_plan *plan, uint32_t number)
{
    struct pcv__gen_bus *bus = &plan->bus[number];

    for (uint32_t devfn = 0; devfn < PCV_DEVFNS; devfn++) {
        struct pcv__gen_fn *fn = &plan->fn[number << 8 | devfn];

        if (pcv__gen_is_bridge((enum pcv__gen_role)fn->role)) {
            pack_window(bus, &plan->bus[fn->secondary]);
        } else if (fn->role != PCV__GEN_NONE) {
            pack_bars(plan, bus, fn);
        }
    }
}

/* All of a root bus, or nothing: firmware that runs out of a space leaves the
 * BARs there without an address and the windows closed. */
static void open_root(struct pcv__gen_bus *bus, struct pcv__gen_spaces *spaces)
{
    for (unsigned s = 0; s < PCV__GEN_SPACES; s++) {
        struct pcv__gen_window *window = &bus->window[s];
        uint64_t at;

        if (window->size == 0) {
            continue;
        }
        at = round_up(spaces->next[s], window->align);
        if (at <= spaces->end[s] && window->size <= spaces->end[s] - at) {
            window->base = at;
            window->open = true;
            spaces->next[s] = at + window->size;
        }
    }
}

static void open_window(const struct pcv__gen_bus *parent,
                        struct pcv__gen_bus *bus)
{
    for (unsigned s = 0; s < PCV__GEN_SPACES; s++) {
        bus->window[s].open =
            bus->window[s].size != 0 && parent->window[s].open;
        bus->window[s].base += parent->window[s].base;
    }
}

static void settle_bars(struct pcv__gen_plan *plan, uint32_t number)
{
    const struct pcv__gen_bus *bus = &plan->bus[number];

    for (uint32_t devfn = 0; devfn < PCV_DEVFNS; devfn++) {
        struct pcv__gen_fn *fn = &plan->fn[number << 8 | devfn];

        for (unsigned i = 0; i < PCV__GEN_PLACES && fn->role != 0; i++) {
            const struct pcv__gen_window *window =
                &bus->window[space_of(fn, i)];

            if (fn->log2[i] != 0) {
                fn->at[i] = window->open ? window->base + fn->at[i] : 0;
            }
        }
    }
}

void pcv__gen_place(struct pcv__gen_plan *plan, struct pcv__gen_spaces *spaces)
{
    for (uint32_t bus = plan->buses; bus-- > 0;) {
        pack_bus(plan, bus);
    }
    for (uint32_t bus = 0; bus < plan->buses; bus++) {
        if (plan->bus[bus].root) {
            open_root(&plan->bus[bus], spaces);
        } else {
            open_window(&plan->bus[plan->bus[bus].parent], &plan->bus[bus]);
        }
        settle_bars(plan, bus);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Requester IDs: those of a function, and the functions of one (TOPO-5).
 *
 * Nothing of it is remembered but what the host named: it follows from where
 * functions and bridges stand now. The two directions agree: a function is
 * among the users of each ID that it has.
 */
#include "registry/requester.h"

/* More bridges than this are above nothing. */
#define WALK_MAX PCV_BUSES

/* ---- bridges that send on --------------------------------------------------
 */

bool pcv__requester_of_bridge(const struct pcv_device *bridge, uint32_t index,
                              struct pcv__requester *out)
{
    pcv_sbdf own = pcv__device_sbdf(bridge);

    if (!pcv__bridge_joins(bridge)) {
        return false;
    }
    /* The specification lets it put this in the place of what it forwards (PCI
     * Express to PCI/PCI-X Bridge 1.0, 2.3); chips use their own, too. */
    if (bridge->type == PCV_TYPE_PCIE_TO_PCI_BRIDGE && index == 0) {
        *out = (struct pcv__requester){
            .id = pcv_sbdf_make(pcv_sbdf_segment(own), bridge->secondary, 0),
            .kind = PCV_REQUESTER_ALIAS,
            .by = own,
        };
        return true;
    }
    if (index > (bridge->type == PCV_TYPE_PCIE_TO_PCI_BRIDGE ? 1u : 0u)) {
        return false;
    }
    *out = (struct pcv__requester){own, PCV_REQUESTER_BRIDGE, own};
    return true;
}

/* The bridge above a device at an address: where no bus number leads there, the
 * one that it was behind. */
static struct pcv_device *above(struct pcv__segment *segment,
                                const struct pcv_device *device, pcv_sbdf at)
    PCV__REQUIRES(segment->lock)
{
    bool kept = atomic_load_explicit(&device->kept.is, memory_order_relaxed);

    if (kept && at.v == pcv__device_sbdf(device).v) {
        return device->kept.above;
    }
    return pcv__bridge_over(segment, pcv_sbdf_bus(at));
}

/* The index-th of bridges' IDs from a device up. */
static bool bridges_at(struct pcv__segment *segment,
                       const struct pcv_device *device, pcv_sbdf at,
                       uint32_t index, struct pcv__requester *out)
    PCV__REQUIRES(segment->lock)
{
    const struct pcv_device *bridge = above(segment, device, at);

    for (uint32_t i = 0; bridge && i < WALK_MAX; i++) {
        uint32_t own = 0;

        while (pcv__requester_of_bridge(bridge, own, out)) {
            if (index == 0) {
                return true;
            }
            index--;
            own++;
        }
        bridge = above(segment, bridge, pcv__device_sbdf(bridge));
    }
    return false;
}

static bool has_bridges(struct pcv__segment *segment,
                        const struct pcv_device *device, pcv_sbdf at)
    PCV__REQUIRES(segment->lock)
{
    struct pcv__requester any;

    return bridges_at(segment, device, at, 0, &any);
}

/* ---- phantom functions -----------------------------------------------------
 */

/* Whether something is registered at an address, or on its way in or out. */
static bool is_taken(struct pcv__segment *segment, pcv_sbdf sbdf)
{
    const struct pcv_device *device = pcv__segment_peek(segment, sbdf);

    return device && pcv__device_sbdf(device).v == sbdf.v;
}

/* With one bit a function f also sends as f + 4, with two as f + 2, f + 4 and
 * f + 6, with three it is function 0 and sends as all (7.5.3.3). Counts *index
 * down for each. */
static bool phantom_at(struct pcv__segment *segment,
                       const struct pcv_device *device, pcv_sbdf at,
                       uint32_t *index, pcv_sbdf *out_id)
    PCV__REQUIRES(segment->lock)
{
    uint32_t stride = PCV_FUNCTIONS >> pcv__phantom_can(device);

    if (pcv_sbdf_function(at) >= stride) {
        return false; /* its upper bits are its own: nothing is left for others
                       */
    }
    /* Seven at most. */
    for (uint32_t fn = pcv_sbdf_function(at) + stride; fn < PCV_FUNCTIONS;
         fn += stride) {
        pcv_sbdf id = {(at.v & ~7u) | fn};

        if (is_taken(segment, id)) {
            continue;
        }
        if (*index == 0) {
            *out_id = id;
            return true;
        }
        *index -= 1;
    }
    return false;
}

/* ---- those of a function ---------------------------------------------------
 */

/* Extras may be made for something else just now, without our lock: they are
 * looked at only where the mark says that they were there before. */
static uint32_t named_count(const struct pcv_device *device)
{
    return pcv__is_noted(device, PCV__NOTE_NAMED) ? device->extras->requesters
                                                  : 0;
}

bool pcv__requester_at(struct pcv__segment *segment, struct pcv_device *device,
                       pcv_sbdf at, uint32_t index, struct pcv__requester *out)
{
    uint32_t count = 0;

    if (index == 0) {
        *out = (struct pcv__requester){at, PCV_REQUESTER_OWN, at};
        return true;
    }
    index--;
    *out = (struct pcv__requester){at, PCV_REQUESTER_PHANTOM, at};
    if (phantom_at(segment, device, at, &index, &out->id)) {
        return true;
    }
    if (bridges_at(segment, device, at, index, out)) {
        return true;
    }
    while (count < index && bridges_at(segment, device, at, count, out)) {
        count++;
    }
    index -= count;
    if (index >= named_count(device)) {
        return false;
    }
    *out = (struct pcv__requester){pcv__requester_named(device, index),
                                   PCV_REQUESTER_NAMED, at};
    return true;
}

bool pcv__requester_shares(struct pcv__segment *segment,
                           struct pcv_device *device, pcv_sbdf at)
{
    return segment->named != NULL || has_bridges(segment, device, at);
}

/* ---- the functions of one --------------------------------------------------
 */

/* Whoever asks holds the lock, so that what is live stays so. */
static bool is_user(const struct pcv_device *device, pcv_sbdf sbdf)
{
    uint64_t word = pcv__word(device);

    return pcv__device_sbdf(device).v == sbdf.v &&
           (word & PCV__WORD_LEAVING) == 0 && (word & PCV__WORD_COUNTS) != 0;
}

static pcv_sbdf sbdf_of(const struct pcv__segment *segment, uint32_t rid)
{
    return pcv_sbdf_make(segment->number, (uint8_t)(rid >> 8), (uint8_t)rid);
}

/* What a device is tells only once it is published. */
static bool is_new(const struct pcv_device *device)
{
    return (pcv__word(device) & PCV__WORD_NEW) != 0;
}

static bool only_forwards(const struct pcv_device *device)
{
    return !is_new(device) && device->is_bridge;
}

static void see_behind(struct pcv__segment *segment,
                       const struct pcv_device *bridge,
                       enum pcv_requester_kind kind, pcv__requester_see *see,
                       void *ctx) PCV__REQUIRES(segment->lock)
{
    uint32_t last = (uint32_t)bridge->subordinate << 8 | 0xffu;
    struct pcv_device *device;

    if (!bridge->bound) {
        return;
    }
    /* Bounded: rid goes up. */
    for (uint32_t rid = (uint32_t)bridge->secondary << 8;
         (device = pcv__segment_next(segment, &rid, last)) != NULL; rid++) {
        if (is_user(device, sbdf_of(segment, rid)) && !only_forwards(device)) {
            see(ctx, device, kind);
        }
    }
}

/* Whose phantom function an address is that nobody has. */
static void see_phantom(struct pcv__segment *segment, pcv_sbdf id,
                        pcv__requester_see *see, void *ctx)
    PCV__REQUIRES(segment->lock)
{
    for (uint32_t bits = 1; bits <= 3; bits++) {
        uint32_t keep = (PCV_FUNCTIONS >> bits) - 1u;
        pcv_sbdf real = {(id.v & ~7u) | (id.v & keep)};
        struct pcv_device *device =
            real.v != id.v ? pcv__segment_peek(segment, real) : NULL;

        if (device && is_user(device, real) && !is_new(device) &&
            pcv__phantom_can(device) == bits) {
            see(ctx, device, PCV_REQUESTER_PHANTOM);
        }
    }
}

void pcv__requester_named_users(struct pcv__segment *segment, pcv_sbdf id,
                                pcv__requester_see *see, void *ctx)
{
    /* Bounded by the list: each is once in it. */
    for (struct pcv_device *device = segment->named; device;
         device = device->extras->next_named) {
        for (uint32_t i = 0; i < named_count(device); i++) {
            if (device->extras->requester[i] == pcv__rid(id) &&
                !atomic_load_explicit(&device->kept.is, memory_order_relaxed) &&
                is_user(device, pcv__device_sbdf(device))) {
                see(ctx, device, PCV_REQUESTER_NAMED);
            }
        }
    }
}

struct pcv_device *pcv__requester_users(struct pcv__segment *segment,
                                        pcv_sbdf id, pcv__requester_see *see,
                                        void *ctx)
{
    struct pcv_device *own = pcv__segment_peek(segment, id);
    struct pcv_device *over = pcv__bridge_over(segment, pcv_sbdf_bus(id));
    struct pcv_device *forwarder = NULL;

    if (own && is_user(own, id)) {
        if (!only_forwards(own)) {
            see(ctx, own, PCV_REQUESTER_OWN);
        } else {
            forwarder = own;
            if (pcv__bridge_joins(own)) {
                see_behind(segment, own, PCV_REQUESTER_BRIDGE, see, ctx);
            }
        }
    } else if (!is_taken(segment, id)) {
        see_phantom(segment, id, see, ctx);
    }
    if (over && over->type == PCV_TYPE_PCIE_TO_PCI_BRIDGE &&
        pcv_sbdf_devfn(id) == 0 && over->secondary == pcv_sbdf_bus(id)) {
        see_behind(segment, over, PCV_REQUESTER_ALIAS, see, ctx);
    }
    pcv__requester_named_users(segment, id, see, ctx);
    return forwarder;
}

/* ---- those that have named ones --------------------------------------------
 */

void pcv__named_add(struct pcv__segment *segment, struct pcv_device *device)
{
    device->extras->next_named = segment->named;
    segment->named = device;
    atomic_fetch_add_explicit(&segment->named_count, 1, memory_order_release);
    pcv__note(device, PCV__NOTE_NAMED);
}

void pcv__named_remove(struct pcv_device *device)
{
    struct pcv__segment *segment = device->segment;
    struct pcv__mem *mem = &device->host->mem;
    struct pcv_device **at = &segment->named;

    pcv__lock_take(mem, &segment->lock);
    /* Bounded by the list. */
    while (*at && *at != device) {
        at = &(*at)->extras->next_named;
    }
    if (*at) {
        *at = device->extras->next_named;
        atomic_fetch_sub_explicit(&segment->named_count, 1,
                                  memory_order_release);
    }
    pcv__lock_drop(mem, &segment->lock);
}

bool pcv__requester_named_next(struct pcv__segment *segment, uint32_t index,
                               pcv_sbdf *out_id)
{
    struct pcv__mem *mem = &segment->host->mem;
    const struct pcv_device *device;

    pcv__lock_take(mem, &segment->lock);
    device = segment->named;
    /* Bounded by the list. */
    while (device && index >= device->extras->requesters) {
        index -= device->extras->requesters;
        device = device->extras->next_named;
    }
    if (device) {
        *out_id = pcv__requester_named(device, index);
    }
    pcv__lock_drop(mem, &segment->lock);
    return device != NULL;
}

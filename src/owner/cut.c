/* SPDX-License-Identifier: MIT */
/*
 * Functions lose their address, since bus numbers do not lead to them any more
 * (TOPO-4): kept with their owner and state, but not found, and their DMA is
 * blocked.
 *
 * It happens before hardware has the new numbers, as long as the functions can
 * still be silenced: their gates are paused until nobody is inside, so that no
 * access goes to an address that leads elsewhere by then.
 */
#include "owner/dma.h"
#include "owner/move.h"
#include "registry/resting.h"
#include "vpci/cap.h"

/* Buses, and what stands on them; of a bridge in conflict only that to which
 * nobody else can lead. */
struct range {
    uint32_t first, last;                 /* empty: last is the lower one */
    const struct pcv_device *conflicting; /* or NULL */
};

/* What stands in a range at *rid or before it, going down; *rid becomes the
 * place before it. NULL: there is nothing more. Begin with LAST_OF. */
#define LAST_OF(range) ((range)->last << 8 | 0xffu)
static struct pcv_device *next_down(struct pcv__segment *segment,
                                    const struct range *range, uint32_t *rid,
                                    enum pcv__look *out_look)
    PCV__REQUIRES(segment->lock)
{
    struct pcv_device *device;
    pcv_sbdf sbdf;

    do {
        /* No bridge leads to bus 0: *rid does not get below it. */
        if (range->first == 0 || range->last < range->first ||
            *rid < range->first << 8) {
            return NULL;
        }
        device = pcv__segment_prev(segment, rid, range->first << 8);
        if (device) {
            sbdf = pcv_sbdf_make(segment->number, (uint8_t)(*rid >> 8),
                                 (uint8_t)*rid);
            *out_look = pcv__look(device, sbdf);
            *rid -= 1u;
        }
        /* Bounded: *rid goes down. */
    } while (
        device && range->conflicting &&
        !pcv__leads_alone(segment, range->conflicting, pcv_sbdf_bus(sbdf)));
    return device;
}

/* ---- nobody is inside ------------------------------------------------------
 */

/* Whether what a guest lost there must still be left alone: where it goes
 * nobody would know. */
static bool rests(struct pcv__segment *segment, const struct pcv_device *device,
                  uint32_t rid)
{
    return pcv__resting_at(
        device->host,
        pcv_sbdf_make(segment->number, (uint8_t)(rid >> 8), (uint8_t)rid));
}

/* Whether everything there can be taken away: 0 or -PCV_ERESTART. */
static int check(struct pcv__segment *segment, const struct range *range)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = LAST_OF(range);
    const struct pcv_device *device;
    enum pcv__look look;

    while ((device = next_down(segment, range, &rid, &look)) != NULL) {
        if (look == PCV__LOOK_NEW || rests(segment, device, rid + 1u) ||
            (look == PCV__LOOK_LIVE &&
             (device->changing ||
              pcv__is_noted(device, PCV__NOTE_BUS_RESET)))) {
            return -PCV_ERESTART;
        }
    }
    return 0;
}

/* Whether something is being added where numbers will lead elsewhere: who adds
 * it may ask one card or the other. 0 or -PCV_ERESTART. */
static int nothing_comes(struct pcv__segment *segment,
                         const struct range *range) PCV__REQUIRES(segment->lock)
{
    uint32_t rid = LAST_OF(range);
    enum pcv__look look;

    while (next_down(segment, range, &rid, &look) != NULL) {
        if (look == PCV__LOOK_NEW) {
            return -PCV_ERESTART;
        }
    }
    return 0;
}

/* All gates are paused, and everybody is out: 0 or -PCV_ERESTART. */
static int drain(struct pcv__segment *segment, const struct range *range,
                 struct pcv__mem *mem) PCV__REQUIRES(segment->lock)
{
    uint32_t rid = LAST_OF(range);
    struct pcv_device *device;
    enum pcv__look look;
    int error = 0;

    while ((device = next_down(segment, range, &rid, &look)) != NULL) {
        if (look != PCV__LOOK_LIVE) {
            continue;
        }
        segment->draining = true;
        pcv__lock_take(mem, &device->lock);
        device->kept.paused = true;
        if (pcv__gate_pause(device) == -PCV_ERESTART) {
            error = -PCV_ERESTART;
        }
        pcv__lock_drop(mem, &device->lock);
    }
    return error;
}

/* Gates that are paused still, though nothing is to be taken away behind them:
 * numbers are not what they were when we began to wait. */
static void end_drain(struct pcv__segment *segment, struct pcv__mem *mem)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = 0;
    struct pcv_device *device;

    /* Bounded: rid goes up. */
    while (segment->draining &&
           (device = pcv__segment_next(segment, &rid, 0xffffu)) != NULL) {
        pcv_sbdf sbdf =
            pcv_sbdf_make(segment->number, (uint8_t)(rid >> 8), (uint8_t)rid);

        rid++;
        if (pcv__look(device, sbdf) == PCV__LOOK_LIVE && device->kept.paused) {
            pcv__lock_take(mem, &device->lock);
            device->kept.paused = false;
            pcv__gate_open(device);
            pcv__lock_drop(mem, &device->lock);
        }
    }
    segment->draining = false;
}

void pcv__cut_given_up(struct pcv__segment *segment, struct pcv__mem *mem)
{
    pcv__lock_take(mem, &segment->lock);
    end_drain(segment, mem);
    pcv__lock_drop(mem, &segment->lock);
}

/* ---- taking them away ------------------------------------------------------
 */

/* It answers nobody. Its vectors are silent, if hardware can be asked, and the
 * host forgets them. */
static void close_off(struct pcv_device *device, bool routed)
{
    struct pcv__mem *mem = &device->host->mem;

    pcv__lock_take(mem, &device->lock);
    /* Numbers that were written to a bridge, which goes itself before they are
     * taken over, are read when it is bound again. */
    if (atomic_load_explicit(&device->renumbered, memory_order_acquire)) {
        if (routed && !device->numbers.written) {
            pcv__bus_numbers_write(device);
        }
        (void)pcv__bridge_settled(device);
    }
    if (routed) {
        pcv__caps_leave(device);
    }
    (void)pcv__bar(device, PCV__BARRED_UNREACHABLE);
    if (!routed) {
        pcv__caps_leave(device);
    }
    if (device->vfs &&
        atomic_load_explicit(&device->vf_work, memory_order_acquire) != 0) {
        device->vfs->parked = true;
        pcv__vfs_ask(device, PCV__VFS_NOTHING, 0);
    }
    atomic_fetch_or_explicit(&device->guest_sbdf, PCV__GUEST_AWAY,
                             memory_order_relaxed);
    device->kept.paused = false;
    pcv__gate_open(device);
    pcv__lock_drop(mem, &device->lock);
}

static void take_away(struct pcv__segment *segment, struct pcv_device *device,
                      bool routed) PCV__REQUIRES(segment->lock)
{
    pcv_sbdf sbdf = pcv__device_sbdf(device);
    struct pcv_device *above = pcv__above(segment, device);
    struct pcv_device *self = device;
    uint8_t delta =
        above ? (uint8_t)(pcv_sbdf_bus(sbdf) - above->secondary) : 0;

    close_off(device, routed);
    pcv__guard_leaves(segment, device);
    if (device->is_bridge) {
        pcv__bridge_unbind(segment, device);
        device->bus_conflict = false;
    }
    atomic_compare_exchange_strong_explicit(
        pcv__table_find_place(segment, sbdf), &self, NULL, memory_order_release,
        memory_order_relaxed);
    pcv__keep(segment, device, above, delta);
    device->changing = true; /* until its DMA is blocked */
    device->kept.fresh = true;
    pcv__event(device, PCV_EVENT_UNREACHABLE, PCV_EVENT_DEVICE, 0, 0);
}

static void take_all_away(struct pcv__segment *segment,
                          const struct range *range, bool routed)
    PCV__REQUIRES(segment->lock)
{
    uint32_t rid = LAST_OF(range);
    struct pcv_device *device;
    enum pcv__look look;

    while ((device = next_down(segment, range, &rid, &look)) != NULL) {
        if (look == PCV__LOOK_LIVE) {
            take_away(segment, device, routed);
        }
    }
}

/* ---- their DMA -------------------------------------------------------------
 */

/* The next one that was taken away and not blocked yet. It stays, since we
 * have set `changing`. */
static struct pcv_device *next_unblocked(struct pcv__segment *segment)
    PCV__REQUIRES(segment->lock)
{
    struct pcv_device *device;

    for (device = segment->kept; device; device = device->kept.next) {
        if (device->kept.fresh && pcv__is_live(device)) {
            return device;
        }
    }
    return NULL;
}

/* Bounded: each turn blocks one. */
static void block_all(struct pcv__segment *segment, struct pcv__mem *mem)
{
    struct pcv_device *device;

    do {
        pcv__lock_take(mem, &segment->lock);
        device = next_unblocked(segment);
        if (device) {
            device->kept.fresh = false;
        }
        pcv__lock_drop(mem, &segment->lock);
        if (device) {
            pcv__dma_cut(device);
            pcv__lock_take(mem, &segment->lock);
            device->changing = false;
            pcv__lock_drop(mem, &segment->lock);
        }
    } while (device);
}

/* ---- which they are --------------------------------------------------------
 */

/* All that a bridge leads to. */
static struct range whole(const struct pcv_device *bridge)
{
    struct range range = {1, 0, NULL};

    if (bridge->bound || bridge->bus_conflict) {
        range.first = bridge->secondary;
        range.last = bridge->subordinate;
        range.conflicting = bridge->bound ? NULL : bridge;
    }
    return range;
}

/* What a bridge leads to and would not any more. */
static struct range lost(struct pcv__segment *segment,
                         struct pcv_device *bridge, uint8_t first, uint8_t last)
    PCV__REQUIRES(segment->lock)
{
    struct range range = whole(bridge);

    if (range.conflicting && first == bridge->secondary &&
        last == bridge->subordinate) {
        range.first = last + 1u; /* it is in conflict as it was */
    }
    if (first == bridge->secondary && pcv__bridge_fits(bridge, first, last) &&
        !pcv__has_rival(segment, bridge, first, last)) {
        range.first = last + 1u;
    }
    return range;
}

/* A bridge leads nowhere any more but to the buses before the range. */
static void leave(struct pcv__segment *segment, struct pcv_device *bridge,
                  const struct range *range, bool routed)
    PCV__REQUIRES(segment->lock)
{
    take_all_away(segment, range, routed);
    if (bridge->bound && range->first == bridge->secondary) {
        pcv__bridge_unbind(segment, bridge);
    }
}

/* Whether a guest would lose a function by that: one behind the bridge, or
 * behind one beside it that leads to the same buses (OWN-15). */
static bool takes_from_guests(struct pcv__segment *segment,
                              const struct pcv_device *bridge, uint8_t first,
                              uint8_t last) PCV__REQUIRES(segment->lock)
{
    const struct pcv_device *rival;

    if (pcv__is_marked(bridge, PCV__MARK_GUARDS)) {
        return true;
    }
    for (uint32_t bus = first; bus <= last; bus++) {
        rival = pcv__rival_at(segment, bridge, (uint8_t)bus, (uint8_t)bus);
        if (rival && pcv__is_marked(rival, PCV__MARK_GUARDS)) {
            return true;
        }
    }
    return false;
}

static int cut_locked(struct pcv__segment *segment, struct pcv_device *bridge,
                      uint8_t first, uint8_t last, bool routed)
    PCV__REQUIRES(segment->lock)
{
    struct pcv__mem *mem = &bridge->host->mem;
    struct range own = lost(segment, bridge, first, last);
    const struct range next = {first, last, NULL};
    struct pcv_device *rival = pcv__rival_at(segment, bridge, first, last);
    int error = pcv__is_noted(bridge, PCV__NOTE_BUS_RESET)
                    ? -PCV_ERESTART /* what is behind it cannot be silenced */
                    : nothing_comes(segment, &next);

    if (routed && takes_from_guests(segment, bridge, first, last)) {
        return -PCV_EBUSY;
    }
    error = error == 0 ? check(segment, &own) : error;
    error = error == 0 ? drain(segment, &own, mem) : error;
    if (error == 0 && !pcv__dma_claim(segment, bridge)) {
        error = -PCV_ERESTART; /* requester IDs are being moved */
    }
    if (error != 0) {
        return error;
    }
    /* Bounded: each turn unbinds one, or takes away what was found there. */
    for (; rival; rival = pcv__rival_at(segment, bridge, first, last)) {
        struct range range = whole(rival);

        error = check(segment, &range);
        error = error == 0 ? drain(segment, &range, mem) : error;
        if (error != 0) {
            return error;
        }
        leave(segment, rival, &range, routed);
        rival->bus_conflict = true;
        segment->conflicts = true;
    }
    leave(segment, bridge, &own, routed);
    end_drain(segment, mem);
    return 0;
}

void pcv__cut_overruled(struct pcv_device *bridge, uint8_t first, uint8_t last)
{
    struct pcv__mem *mem = &bridge->host->mem;
    struct pcv__segment *segment = bridge->segment;
    struct pcv_device *rival;

    pcv__guests_lose(bridge);
    /* Bounded: `bus` goes up. */
    for (uint32_t bus = first; bus <= last; bus++) {
        pcv__lock_take(mem, &segment->lock);
        rival = pcv__rival_at(segment, bridge, (uint8_t)bus, (uint8_t)bus);
        rival = rival ? pcv_device_get(rival) : NULL;
        pcv__lock_drop(mem, &segment->lock);
        if (rival && pcv__is_marked(rival, PCV__MARK_GUARDS)) {
            pcv__guests_lose(rival);
        }
        pcv_device_put(rival);
    }
}

int pcv__cut_for(struct pcv_device *bridge, uint8_t first, uint8_t last,
                 bool routed)
{
    struct pcv__mem *mem = &bridge->host->mem;
    struct pcv__segment *segment = bridge->segment;
    int error = 0;

    pcv__lock_take(mem, &segment->lock);
    if (pcv__is_live(bridge) && !pcv__is_unreachable(bridge)) {
        error = cut_locked(segment, bridge, first, last, routed);
    }
    pcv__lock_drop(mem, &segment->lock);
    block_all(segment, mem);
    pcv__dma_release(bridge);
    return error;
}

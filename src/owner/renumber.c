/* SPDX-License-Identifier: MIT */
/*
 * A bridge's bus numbers change (TOPO-4, HDR-13): written by the hardware
 * domain, or reported by it.
 *
 * A write goes through three steps. What the new numbers do not lead to is
 * taken away (cut.c); hardware has the write; and what the numbers that stand
 * there now lead to is bound (join.c), whatever of that had been away, behind
 * this bridge or another. Whoever resumes the access goes on until that is
 * done, one at a time for a segment.
 */
#include "owner/bus_reset.h"
#include "owner/move.h"
#include "vpci/protect.h"

bool pcv__bridge_settled(struct pcv_device *bridge)
{
    if (!atomic_exchange_explicit(&bridge->renumbered, false,
                                  memory_order_acq_rel)) {
        return false;
    }
    atomic_fetch_sub_explicit(&bridge->host->renumber_count, 1,
                              memory_order_acq_rel);
    return true;
}

void pcv__bridge_left(struct pcv_device *bridge)
{
    if (pcv__bridge_settled(bridge)) {
        pcv__cut_given_up(bridge->segment, &bridge->host->mem);
    }
}

void pcv__bridge_goes(struct pcv_device *bridge)
{
    pcv__bus_reset_goes(bridge);
    pcv__bridge_left(bridge);
}

static bool is_renumbered(const struct pcv_device *bridge)
{
    return atomic_load_explicit(&bridge->renumbered, memory_order_acquire);
}

/* ---- what hardware has -----------------------------------------------------
 */

static uint8_t secondary_of(uint32_t numbers)
{
    return (uint8_t)(numbers >> 8);
}

static uint8_t subordinate_of(uint32_t numbers)
{
    return (uint8_t)(numbers >> 16);
}

/* Numbers after a write. What the host cannot read twice is taken to be what
 * was written; a bridge that does not answer was not written to. */
static uint32_t read_back(struct pcv_device *bridge)
{
    uint32_t numbers = 0;

    for (int i = 0; i < 2; i++) {
        if (pcv__hw_fetch(bridge, PCV_REG_PRIMARY, 4, &numbers)) {
            return numbers;
        }
    }
    return bridge->numbers.value;
}

/* ---- a change --------------------------------------------------------------
 */

/* Hardware has these numbers. 0 or -PCV_ERESTART. */
static int take_over(struct pcv_device *bridge, uint8_t first, uint8_t last)
{
    struct pcv__mem *mem = &bridge->host->mem;
    struct pcv__segment *segment = bridge->segment;
    bool conflict = false;
    int error = pcv__cut_for(bridge, first, last, false);

    if (error != 0) {
        return error;
    }
    pcv__lock_take(mem, &segment->lock);
    if (pcv__is_live(bridge) && !pcv__is_unreachable(bridge)) {
        pcv__join_bridge(segment, bridge, first, last);
        conflict = bridge->bus_conflict;
    }
    pcv__lock_drop(mem, &segment->lock);
    if (conflict) {
        pcv__event(bridge, PCV_EVENT_BUS_NUMBERS, PCV_EVENT_DEVICE, first,
                   last);
    }
    return 0;
}

/* Everything that can be reached now. -PCV_EEXIST: another card stands at
 * *out_other, in the place of one that was known. */
static int join(struct pcv_device *bridge, pcv_sbdf *out_other)
{
    struct pcv_host *host = bridge->host;

    pcv__join_afresh(bridge->segment, &host->mem);
    return pcv__join_all(host, bridge->segment, out_other);
}

/* We are the one who moves no more. Another card is added, and then the rest is
 * looked at again; what it lacks is for who touches it next. */
static int end(struct pcv_device *bridge, int error, pcv_sbdf other)
{
    struct pcv_host *host = bridge->host;
    int added;

    pcv__move_end(bridge->segment, &host->mem);
    pcv__kept_superseded(host, bridge->segment);
    if (error != -PCV_EEXIST) {
        return error;
    }
    added = pcv_device_add(host, other, NULL);
    if (added != 0 && added != -PCV_ERESTART) {
        pcv__event_at(host, other, PCV_EVENT_MOVE_FAILED, other.v,
                      (uint64_t)-added);
    }
    return -PCV_ERESTART;
}

/* A guest has something where the numbers lead, or have led: it came after they
 * were written, or is behind a bridge beside this one (OWN-15). 0: the write is
 * dropped; -PCV_ERESTART: it is not, call again. */
static int refuse(struct pcv_device *bridge, uint32_t numbers)
{
    struct pcv__mem *mem = &bridge->host->mem;

    pcv__cut_given_up(bridge->segment, mem);
    if (pcv__is_marked(bridge, PCV__MARK_OVERRIDE)) {
        pcv__cut_overruled(bridge, secondary_of(numbers),
                           subordinate_of(numbers));
        return -PCV_ERESTART;
    }
    pcv__protect_tell(bridge, PCV_REG_PRIMARY, 0x00ffffffu);
    return 0;
}

static int write_and_join(struct pcv_device *bridge, pcv_sbdf *out_other)
{
    struct pcv__mem *mem = &bridge->host->mem;
    uint32_t numbers = bridge->numbers.value;
    int error = 0;

    if (!bridge->numbers.written) {
        error = pcv__cut_for(bridge, secondary_of(numbers),
                             subordinate_of(numbers), true);
    }
    if (error != 0) {
        return error == -PCV_EBUSY ? refuse(bridge, numbers) : error;
    }
    pcv__lock_take(mem, &bridge->lock);
    if (!bridge->numbers.written) {
        pcv__bus_numbers_write(bridge);
    }
    numbers = read_back(bridge);
    pcv__lock_drop(mem, &bridge->lock);
    error =
        numbers == 0xffffffffu
            ? take_over(bridge, bridge->secondary, bridge->subordinate)
            : take_over(bridge, secondary_of(numbers), subordinate_of(numbers));
    return error == 0 ? join(bridge, out_other) : error;
}

enum pcv_verdict pcv__bridge_renumbered(struct pcv_device *bridge)
{
    struct pcv__mem *mem = &bridge->host->mem;
    pcv_sbdf other = {0};
    int error = 0;

    if (!is_renumbered(bridge)) {
        return PCV_DONE;
    }
    if (!pcv__move_begin(bridge->segment, mem)) {
        return PCV_PENDING;
    }
    /* Whoever moved before us may have settled it. */
    if (is_renumbered(bridge)) {
        error = write_and_join(bridge, &other);
    }
    if (error != -PCV_ERESTART && error != -PCV_EEXIST) {
        (void)pcv__bridge_settled(bridge);
    }
    return end(bridge, error, other) == -PCV_ERESTART ? PCV_PENDING : PCV_DONE;
}

/* Who wrote may not be heard of again, a vCPU that is stopped; what it wrote
 * has been promised, and others find gates paused until it is there. */
bool pcv__bridges_renumbered(struct pcv_host *host)
{
    enum pcv_verdict verdict = PCV_DONE;
    struct pcv_device *device;
    pcv_sbdf at = {0};

    if (atomic_load_explicit(&host->renumber_count, memory_order_acquire) ==
        0) {
        return true;
    }
    /* Bounded: `at` goes up. */
    while (verdict == PCV_DONE &&
           (device = pcv_device_next(host, at)) != NULL) {
        at.v = pcv_device_sbdf(device).v + 1u;
        verdict = pcv__bridge_renumbered(device);
        pcv_device_put(device);
        if (at.v == 0) {
            break;
        }
    }
    return verdict == PCV_DONE;
}

/* ---- a report --------------------------------------------------------------
 */

/* Whether numbers can be: on this bus, inside what leads to it, and nobody
 * else's. */
static bool is_possible(struct pcv_device *bridge, uint8_t first, uint8_t last)
{
    struct pcv__segment *segment = bridge->segment;
    struct pcv__mem *mem = &bridge->host->mem;
    bool possible;

    if (first == 0 && last == 0) {
        return true;
    }
    pcv__lock_take(mem, &segment->lock);
    possible = pcv__is_live(bridge) && !pcv__is_unreachable(bridge) &&
               pcv__bridge_may_lead(bridge, first, last) &&
               !pcv__rival_at(segment, bridge, first, last) &&
               !pcv__has_rival(segment, bridge, first, last) &&
               (!bridge->bound || first != bridge->secondary ||
                pcv__bridge_fits(bridge, first, last));
    pcv__lock_drop(mem, &segment->lock);
    return possible;
}

/* Whether hardware says so as well, if it answers: 0, -PCV_EINVAL, -PCV_EIO. */
static int compare(struct pcv_device *bridge, uint32_t reported)
{
    uint32_t numbers;

    if (!pcv__hw_fetch(bridge, PCV_REG_PRIMARY, 4, &numbers)) {
        return -PCV_EIO;
    }
    return numbers == 0xffffffffu || ((numbers ^ reported) & 0xffff00u) == 0
               ? 0
               : -PCV_EINVAL;
}

static int report(struct pcv_device *bridge, uint8_t first, uint8_t last,
                  pcv_sbdf *out_other)
{
    int error =
        is_possible(bridge, first, last)
            ? compare(bridge, (uint32_t)first << 8 | (uint32_t)last << 16)
            : -PCV_EINVAL;

    if (error == 0) {
        error = take_over(bridge, first, last);
    }
    return error == 0 ? join(bridge, out_other) : error;
}

int pcv_bridge_report_buses(struct pcv_host *host, pcv_sbdf sbdf,
                            uint8_t primary, uint8_t secondary,
                            uint8_t subordinate)
{
    struct pcv_device *bridge = host ? pcv_device_find(host, sbdf) : NULL;
    pcv_sbdf other = {0};
    int error = -PCV_EINVAL;

    if (!bridge) {
        return host ? -PCV_ENODEV : -PCV_EINVAL;
    }
    if (!bridge->is_bridge ||
        (primary != pcv_sbdf_bus(sbdf) && (secondary | subordinate) != 0)) {
        error = -PCV_EINVAL;
    } else if (is_renumbered(bridge) ||
               !pcv__move_begin(bridge->segment, &host->mem)) {
        error = -PCV_ERESTART;
    } else {
        error = report(bridge, secondary, subordinate, &other);
        if (error != 0 && error != -PCV_ERESTART) {
            pcv__cut_given_up(bridge->segment, &host->mem);
        }
        error = end(bridge, error, other);
    }
    pcv_device_put(bridge);
    return error;
}

/* SPDX-License-Identifier: MIT */
/*
 * A bridge's bus numbers changed (HDR-13): what it covers from now on is what
 * stands in its registers. Devices behind it are not moved; where the numbers
 * make no sense for the moment it covers nothing.
 */
#include "owner/look.h"

static void take_over(struct pcv__segment *segment, struct pcv_device *bridge,
                      uint32_t numbers) PCV__REQUIRES(segment->lock)
{
    pcv__bridge_unbind(segment, bridge);
    bridge->secondary = (uint8_t)(numbers >> 8);
    bridge->subordinate = (uint8_t)(numbers >> 16);
    bridge->bus_conflict = false;
    pcv__bridge_bind(segment, bridge);
}

void pcv__bridge_renumbered(struct pcv_device *bridge)
{
    struct pcv_host *host = bridge->host;
    struct pcv__segment *segment = bridge->segment;
    uint32_t numbers;
    bool conflict = false;

    if (!atomic_exchange_explicit(&bridge->renumbered, false,
                                  memory_order_acq_rel)) {
        return;
    }
    atomic_fetch_sub_explicit(&host->renumber_count, 1, memory_order_acq_rel);
    pcv__lock_take(&host->mem, &segment->lock);
    if ((pcv__word(bridge) & PCV__WORD_LEAVING) == 0 &&
        pcv__hw_fetch(bridge, PCV_REG_PRIMARY, 4, &numbers) &&
        numbers != 0xffffffffu) {
        take_over(segment, bridge, numbers);
        conflict = bridge->bus_conflict;
    }
    pcv__lock_drop(&host->mem, &segment->lock);
    if (conflict) {
        pcv__event(bridge, PCV_EVENT_BUS_NUMBERS, PCV_EVENT_DEVICE,
                   bridge->secondary, bridge->subordinate);
    }
}

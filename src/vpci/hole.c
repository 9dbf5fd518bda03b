/* SPDX-License-Identifier: MIT */
/* Holes of BARs: pages that are never mapped (HDR-7). */
#include "vpci/map.h"

struct pcv__piece pcv__piece_at(const struct pcv__vpci *vpci, uint32_t number,
                                bool trapped, uint64_t at, uint64_t limit)
{
    struct pcv__piece piece = {limit, trapped};

    for (uint32_t i = 0; i < PCV__HOLES && !trapped; i++) {
        const struct pcv__hole *hole = &vpci->hole[i];

        if (hole->pages == 0 || hole->bar != number ||
            (at >= hole->first && at - hole->first >= hole->pages)) {
            continue; /* it is another BAR's, or lies behind us */
        }
        if (at >= hole->first) {
            uint64_t left = hole->pages - (at - hole->first);

            piece.pages = left < limit ? left : limit;
            piece.hole = true;
            return piece;
        }
        if (hole->first - at < piece.pages) {
            piece.pages = hole->first - at;
        }
    }
    return piece;
}

/* Whether something was counted by where a BAR's holes are. */
static bool is_counted(const struct pcv__mapped *mapped)
{
    return mapped->placed || mapped->maps + mapped->holes != 0;
}

static struct pcv__hole hole_at(uint32_t shift, uint8_t bar, uint32_t offset,
                                uint32_t size)
{
    return (struct pcv__hole){
        .bar = bar,
        .first = offset >> shift,
        .pages = (uint32_t)(((uint64_t)offset + size - 1u) >> shift) -
                 (offset >> shift) + 1u,
        .offset = offset,
        .size = size,
    };
}

int pcv__hole_set(struct pcv_device *device, uint32_t which,
                  struct pcv__cap *cap, uint8_t bar, uint32_t offset,
                  uint32_t size)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    uint32_t shift = device->host->page_shift;
    struct pcv__owned owned = {0};

    if (which >= PCV__HOLES || bar >= PCV_BAR_IS_ROM) {
        return -PCV_EINVAL;
    }
    pcv__bar_owned(device, bar, &owned);
    if (size == 0 || owned.size == 0 || offset > owned.size ||
        size > owned.size - offset || size > PCV__TRAPPED_PAGES << shift) {
        return -PCV_EINVAL;
    }
    if (is_counted(&vpci->mapped[bar]) ||
        (vpci->hole[which].pages != 0 &&
         is_counted(&vpci->mapped[vpci->hole[which].bar]))) {
        return -PCV_EBUSY;
    }
    vpci->hole[which] = hole_at(shift, bar, offset, size);
    vpci->hole[which].cap = cap;
    return 0;
}

/* What is mapped around a hole is unmapped around it, so as long as its BAR is
 * placed the hole stays, and nobody serves it. */
void pcv__hole_clear(struct pcv_device *device, uint32_t which)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    if (which < PCV__HOLES) {
        vpci->hole[which].cap = NULL;
        pcv__holes_forget(vpci, vpci->hole[which].bar);
    }
}

void pcv__hole_keep(struct pcv_device *device, uint32_t which)
{
    struct pcv__hole *hole = &pcv__vpci(device)->hole[which];

    hole->cap = NULL;
    hole->kept = hole->pages != 0;
}

void pcv__hole_shield(struct pcv_device *device, uint32_t which, uint8_t bar,
                      uint32_t offset, uint32_t size)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    if (vpci->hole[which].pages == 0 && bar < PCV_BAR_IS_ROM && size != 0) {
        vpci->hole[which] =
            hole_at(device->host->page_shift, bar, offset, size);
        vpci->hole[which].kept = true;
    }
}

void pcv__holes_forget(struct pcv__vpci *vpci, uint32_t number)
{
    bool counted = is_counted(&vpci->mapped[number]);

    for (uint32_t i = 0; i < PCV__HOLES; i++) {
        struct pcv__hole *hole = &vpci->hole[i];

        if (hole->bar == number && !hole->cap && !hole->kept && !counted) {
            hole->pages = 0;
        }
    }
}

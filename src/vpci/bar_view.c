/* SPDX-License-Identifier: MIT */
/* What the owner of a device sees of its BARs, for those who look. */
#include "vpci/map.h"

const char *pcv_bar_state_name(enum pcv_bar_state state)
{
    switch (state) {
    case PCV_BAR_OFF:
        return "off";
    case PCV_BAR_ON:
        return "mapped";
    case PCV_BAR_TRAPPED:
        return "trapped";
    case PCV_BAR_OUTSIDE:
        return "outside";
    case PCV_BAR_WAITING:
        return "waiting";
    case PCV_BAR_RESERVED:
        return "reserved";
    }
    return "unknown state";
}

/* Pages of a placed BAR by what they are now. The hardware domain's may have a
 * hole of another BAR on them; a guest's are mapped as far as that went. */
static void count_pages(struct pcv_device *device,
                        const struct pcv__mapped *mapped,
                        struct pcv_bar_view *out)
{
    struct pcv_domain *domain = pcv__map_domain(device);
    uint64_t page = mapped->start >> device->host->page_shift;
    uint64_t end = page + mapped->total;
    uint64_t done = mapped->first + mapped->pages;

    pcv__lock_take(&device->host->mem, &domain->map_lock);
    /* Bounded by the runs of both maps within the BAR. */
    while (page < end) {
        uint64_t wanted, length;
        bool is_wanted =
            pcv__imap_prefix(&domain->map, page, end, &wanted) != 0;
        bool is_hole =
            pcv__imap_prefix(&domain->holes, page, page + wanted, &length) != 0;

        if (is_hole) {
            out->trapped_pages += length;
        } else if (is_wanted && page < done) {
            out->mapped_pages += length < done - page ? length : done - page;
        }
        page += length;
    }
    pcv__lock_drop(&device->host->mem, &domain->map_lock);
}

static enum pcv_bar_state state_of(const struct pcv__vpci *vpci,
                                   const struct pcv__owned *owned,
                                   const struct pcv__mapped *mapped,
                                   const struct pcv_bar_view *view)
{
    if (mapped->waits) {
        return PCV_BAR_WAITING;
    }
    if (mapped->placed) {
        return view->mapped_pages == 0 && view->trapped_pages != 0
                   ? PCV_BAR_TRAPPED
                   : PCV_BAR_ON;
    }
    return vpci->decoding && owned->size != 0 && owned->enabled
               ? PCV_BAR_OUTSIDE
               : PCV_BAR_OFF;
}

static void look(struct pcv_device *device, uint32_t number,
                 struct pcv_bar_view *out) PCV__REQUIRES(device->lock)
{
    const struct pcv__bar *bar = &device->bar[number];
    const struct pcv__vpci *vpci = pcv__vpci(device);
    bool reserved = vpci && ((uint32_t)vpci->reserved >> number & 1u) != 0;
    struct pcv__owned owned;

    out->host.v = bar->address;
    if (!vpci || reserved || (!device->assignment && bar->kind == PCV_BAR_IO)) {
        out->address.v = bar->address;
        out->size = pcv__bar_size(bar);
        out->kind = bar->kind;
        out->state = reserved ? PCV_BAR_RESERVED : PCV_BAR_OFF;
        return;
    }
    pcv__bar_owned(device, number, &owned);
    out->address.v = owned.address;
    out->size = owned.size;
    out->kind = owned.kind;
    if (vpci->mapped[number].placed) {
        count_pages(device, &vpci->mapped[number], out);
    }
    out->state = (uint8_t)state_of(vpci, &owned, &vpci->mapped[number], out);
}

void pcv_device_bars(struct pcv_device *device,
                     struct pcv_bar_view out_bars[PCV_BARS])
{
    struct pcv__mem *mem = &device->host->mem;

    memset(out_bars, 0, PCV_BARS * sizeof(*out_bars));
    pcv__lock_take(mem, &device->lock);
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        look(device, i, &out_bars[i]);
    }
    pcv__lock_drop(mem, &device->lock);
}

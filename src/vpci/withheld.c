/* SPDX-License-Identifier: MIT */
/* Pages withheld from the hardware domain's BARs: see withheld.h. */
#include "vpci/withheld.h"

static bool is_empty(const struct pcv__imap *map, uint64_t first,
                     uint64_t pages)
{
    uint64_t length;

    return pcv__imap_prefix(map, first, first + pages, &length) == 0 &&
           length == pages;
}

/* Nodes were set aside, and nothing is counted out that was not counted in. */
static void expect(struct pcv_domain *hardware, int error)
{
    PCV__ASSERT(&hardware->host->mem, error == 0);
    (void)hardware;
    (void)error;
}

bool pcv__withhold(struct pcv_domain *hardware, uint64_t first, uint64_t pages,
                   bool alone)
{
    if (!is_empty(&hardware->map, first, pages) ||
        (alone && !is_empty(&hardware->holes, first, pages))) {
        return false;
    }
    expect(hardware, pcv__imap_inc(&hardware->holes, first, pages));
    return true;
}

/* How many pages from `page` on BARs have now, of `pages` that are wanted and
 * of which we are the last hole: at least one, or the host's error. */
static int64_t show(struct pcv_domain *hardware, uint64_t page, uint64_t pages)
    PCV__REQUIRES(hardware->map_lock)
{
    bool read_only =
        pcv__imap_prefix(&hardware->read_only, page, page + pages, &pages) != 0;
    int64_t done = pcv__host_map(hardware, page, page, pages, read_only);

    if (done <= 0) {
        return done < 0 ? done : -PCV_EIO;
    }
    return (uint64_t)done < pages ? done : (int64_t)pages;
}

bool pcv__give_back(struct pcv_domain *hardware, uint64_t first, uint64_t pages,
                    pcv_sbdf sbdf)
{
    const uint64_t end = first + pages;

    /* Bounded: the host does at least one page a call. */
    while (first < end) {
        uint64_t wanted, length;
        uint32_t wants = pcv__imap_prefix(&hardware->map, first, end, &wanted);
        uint32_t holes =
            pcv__imap_prefix(&hardware->holes, first, first + wanted, &length);
        int64_t done = wants != 0 && holes == 1 ? show(hardware, first, length)
                                                : (int64_t)length;

        if (done < 0) {
            pcv__event_at(hardware->host, sbdf, PCV_EVENT_MAP_FAILED, 0,
                          0u - (uint64_t)done);
            return false;
        }
        expect(hardware,
               pcv__imap_dec(&hardware->holes, first, (uint64_t)done));
        first += (uint64_t)done;
    }
    return true;
}

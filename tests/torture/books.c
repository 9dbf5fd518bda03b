/* SPDX-License-Identifier: MIT */
/* What must be so whenever everybody stands still, and at the end. */
#include "registry/domain.h"
#include "registry/kept.h"
#include "torture.h"

#define BOOKS(w) (&(w)->player[0])

/* ---- references and vectors ------------------------------------------------
 */

static uint32_t held_by_players(const struct world *w,
                                const struct pcv_device *device)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < w->players; i++) {
        for (uint32_t j = 0; j < HELD; j++) {
            count += w->player[i].held[j] == device;
        }
    }
    return count;
}

static uint32_t vectors_of_players(struct world *w,
                                   const struct pcv_device *device)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < w->players; i++) {
        for (uint32_t j = 0; j < VECTORS; j++) {
            count += atomic_load(&w->player[i].vector[j].device) == device;
        }
    }
    return count;
}

/* Every reference has somebody who holds it. */
static void check_references(struct world *w, struct pcv_device *device)
{
    struct pcv_device_status status;
    pcv_sbdf at = pcv_device_sbdf(device);
    uint32_t vectors = vectors_of_players(w, device);

    EXPECT(BOOKS(w), pcv_device_status(w->host, at, &status) == 0, at.v);
    if (status.state != PCV_STATE_PRESENT) {
        return; /* another one was there last */
    }
    EXPECT(BOOKS(w), status.held[PCV_HOLDER_REGISTRY] == 1, at.v);
    EXPECT(BOOKS(w), status.held[PCV_HOLDER_OWNER] == 1, at.v);
    EXPECT(BOOKS(w), status.held[PCV_HOLDER_ACCESS] == 0, at.v);
    /* One is the books' own. */
    EXPECT(BOOKS(w),
           status.held[PCV_HOLDER_CALLER] == held_by_players(w, device) + 1u,
           at.v);
    EXPECT(BOOKS(w), status.held[PCV_HOLDER_VECTOR] >= vectors, at.v);
}

/* ---- owners ----------------------------------------------------------------
 */

/* Between two turns of an assignment: of a group one may be attached already,
 * while another one waits (OWN-5). */
static bool is_handed_over(struct world *w, pcv_sbdf sbdf)
{
    struct pcv_device_status status;

    return pcv_device_status(w->host, sbdf, &status) == 0 &&
           status.change_error == 0 && status.change_step >= PCV_STEP_ATTACH &&
           status.change_step <= PCV_STEP_PUBLISH;
}

/* DMA goes where the owner is, or nowhere; a bridge's own requester ID where
 * that of what is behind it goes. A function in quarantine does not
 * master the bus, and is in nobody's way who shares its requester ID. */
static void check_owner(struct world *w, const struct pcv_device_info *info)
{
    uint32_t id = pcv_model_dma_domain(w->model, info->sbdf);
    struct pcv_requester requester;

    if (info->owner_id == PCV_DOMAIN_ID_HYPERVISOR &&
        id == PCV_DOMAIN_ID_HARDWARE) {
        return; /* hidden: the hardware domain goes on using it (OWN-7) */
    }
    if (info->unreachable || info->is_bridge || id == info->owner_id ||
        id == PCV_DOMAIN_ID_QUARANTINE) {
        return;
    }
    EXPECT(BOOKS(w), info->owner_id == PCV_DOMAIN_ID_QUARANTINE,
           (uint64_t)info->sbdf.v << 32 | id);
    if (is_handed_over(w, info->sbdf)) {
        return;
    }
    EXPECT(BOOKS(w),
           pcv_device_requester(w->host, info->sbdf, 0, &requester) == 0 &&
               requester.shared,
           (uint64_t)info->sbdf.v << 32 | id);
}

static void check_device(struct world *w, struct pcv_device *device)
{
    struct pcv_device_info info;

    pcv_device_get_info(device, &info);
    check_references(w, device);
    check_owner(w, &info);
}

/* How many can be found. */
static uint64_t check_devices(struct world *w)
{
    pcv_sbdf from = {0};
    struct pcv_device *device;
    uint64_t count = 0;

    while ((device = pcv_device_next(w->host, from)) != NULL) {
        from.v = pcv_device_sbdf(device).v + 1u;
        check_device(w, device);
        pcv_device_put(device);
        count++;
    }
    return count;
}

static uint64_t count_unreachable(struct world *w)
{
    struct pcv__kept_walk walk = {0};
    struct pcv_device *device;
    uint64_t count = 0;

    while ((device = pcv__kept_next(w->host, &walk)) != NULL) {
        pcv_device_put(device);
        count++;
    }
    return count;
}

/* What leaves is somebody's: at most as many as players hold. */
static uint64_t count_kept(struct world *w)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < w->players; i++) {
        for (uint32_t j = 0; j < HELD; j++) {
            count += w->player[i].held[j] != NULL;
        }
        for (uint32_t j = 0; j < VECTORS; j++) {
            count += atomic_load(&w->player[i].vector[j].device) != NULL;
        }
    }
    return count;
}

/* ---- pages -----------------------------------------------------------------
 */

/* Whose a page of hardware is, as BARs say. */
struct range {
    uint32_t owner_id;
    uint64_t first, last; /* bytes, whole pages */
};

#define RANGES_MAX 4096u

struct ranges {
    struct range range[RANGES_MAX];
    uint32_t count;
};

static void note_bars(struct ranges *ranges, struct pcv_device *device)
{
    struct pcv_bar_view bars[PCV_BARS];
    struct pcv_device_info info;

    pcv_device_get_info(device, &info);
    pcv_device_bars(device, bars);
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        if (bars[i].size != 0 && ranges->count < RANGES_MAX) {
            ranges->range[ranges->count++] =
                (struct range){info.owner_id, bars[i].host.v & ~UINT64_C(0xfff),
                               (bars[i].host.v + bars[i].size - 1u) | 0xfffu};
        }
    }
}

/* Of those that can be found, and of those that cannot (TOPO-4). */
static void note_all_bars(struct world *w, struct ranges *ranges)
{
    struct pcv__kept_walk walk = {0};
    struct pcv_device *device;
    pcv_sbdf at = {0};

    ranges->count = 0;
    while ((device = pcv_device_next(w->host, at)) != NULL) {
        at.v = pcv_device_sbdf(device).v + 1u;
        note_bars(ranges, device);
        pcv_device_put(device);
    }
    while ((device = pcv__kept_next(w->host, &walk)) != NULL) {
        note_bars(ranges, device);
        pcv_device_put(device);
    }
}

static bool is_own(const struct ranges *ranges, uint32_t id, uint64_t address)
{
    for (uint32_t i = 0; i < ranges->count; i++) {
        const struct range *range = &ranges->range[i];

        if (range->owner_id == id && address >= range->first &&
            address <= range->last) {
            return true;
        }
    }
    return false;
}

/* What a guest has mapped are pages of BARs of what it has, no others'. */
static uint64_t count_pages(struct world *w, struct pcv_domain *domain,
                            const struct ranges *ranges)
{
    uint32_t id = pcv_domain_id(domain);
    struct pcv_mapping run = {.first_page = 0};
    uint64_t count = 0;
    uint64_t page;

    while (pcv_domain_next_mapping(domain, run.first_page + run.pages, &run)) {
        count += run.pages;
        for (uint64_t i = 0; i < run.pages && domain != w->hardware; i++) {
            if (pcv_model_translate(w->model, id, run.first_page + i, &page)) {
                EXPECT(BOOKS(w), is_own(ranges, id, page << 12),
                       run.first_page + i);
            }
        }
    }
    return count;
}

static void check_pages(struct world *w)
{
    static struct ranges ranges;
    uint64_t pages = count_pages(w, w->hardware, &ranges);

    note_all_bars(w, &ranges);

    for (uint32_t i = 0; i < GUESTS; i++) {
        if (exists(&w->guest[i])) {
            pages += count_pages(w, exists(&w->guest[i]), &ranges);
        }
    }
    EXPECT(BOOKS(w), pcv_model_mapped_pages(w->model) <= pages,
           pcv_model_mapped_pages(w->model));
    EXPECT(BOOKS(w), pcv_model_map_errors(w->model) == 0, pages);
    EXPECT(BOOKS(w), pcv_model_bind_errors(w->model) == 0, pages);
}

/* ---- all of it -------------------------------------------------------------
 */

static void check_guests(struct world *w)
{
    for (uint32_t i = 0; i < GUESTS; i++) {
        for (uint32_t slot = 0; slot < PCV_DEVFNS && w->guest[i].domain;
             slot++) {
            struct pcv_device *device =
                pcv_domain_device(w->guest[i].domain, (pcv_sbdf){slot});
            struct pcv_device_info info;

            if (device) {
                pcv_device_get_info(device, &info);
                EXPECT(BOOKS(w), info.owner_id == FIRST_GUEST_ID + i, slot);
                pcv_device_put(device);
            }
        }
    }
}

void books_check(struct world *w)
{
    struct pcv_host_stats stats;
    uint64_t count = check_devices(w);

    pcv_host_get_stats(w->host, &stats);
    EXPECT(BOOKS(w),
           stats.devices == count + count_unreachable(w) + stats.leaving,
           stats.devices);
    EXPECT(BOOKS(w), stats.leaving <= count_kept(w), stats.leaving);
    EXPECT(BOOKS(w), stats.bytes == pcv_model_bytes(w->model), stats.bytes);
    check_guests(w);
    check_pages(w);
}

/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor uses of a hidden function's memory (OWN-7).
 *
 * A host keeps the bytes, in a map whose "pages" are bytes: who writes there
 * access by access is turned away by it. Their pages are counted in the
 * hardware domain's map of pages that are for reading only, where hardware has
 * them, whatever BAR leads there and whether the function decodes in the eyes
 * of the domain. A host that cannot map for reading only has holes there
 * instead: nothing is mapped, and each access is looked at.
 */
#include "vpci/hidden.h"

static bool can_read_only(const struct pcv_host *host)
{
    return host->mem.ops.map_read_only != NULL;
}

static struct pcv__imap *pages_of(struct pcv_domain *hardware)
    PCV__REQUIRES(hardware->map_lock)
{
    return can_read_only(hardware->host) ? &hardware->read_only
                                         : &hardware->holes;
}

/* ---- memory ----------------------------------------------------------------
 */

static int prepare(struct pcv_host *host, struct pcv__used *used)
{
    struct pcv_domain *hardware = &host->hardware;
    int error;

    pcv__lock_take(&host->mem, &host->reserved_lock);
    error = pcv__imap_register(&host->used_memory);
    pcv__lock_drop(&host->mem, &host->reserved_lock);
    used->bytes_set = error == 0;
    if (error != 0) {
        return error;
    }
    pcv__lock_take(&host->mem, &hardware->map_lock);
    error = pcv__imap_register(pages_of(hardware));
    pcv__lock_drop(&host->mem, &hardware->map_lock);
    used->pages_set = error == 0;
    return error;
}

static void forget(struct pcv_host *host, struct pcv__used *used)
{
    struct pcv_domain *hardware = &host->hardware;

    if (used->pages_set) {
        pcv__lock_take(&host->mem, &hardware->map_lock);
        pcv__imap_unregister(pages_of(hardware));
        pcv__lock_drop(&host->mem, &hardware->map_lock);
    }
    if (used->bytes_set) {
        pcv__lock_take(&host->mem, &host->reserved_lock);
        pcv__imap_unregister(&host->used_memory);
        pcv__lock_drop(&host->mem, &host->reserved_lock);
    }
    used->pages_set = false;
    used->bytes_set = false;
}

int pcv__used_prepare(struct pcv_device *device, struct pcv__hidden *hidden)
{
    int error = 0;

    for (uint32_t i = 0; i < hidden->range_count && error == 0; i++) {
        error = prepare(device->host, &hidden->range[i]);
    }
    if (error != 0) {
        pcv__used_forget(device, hidden);
    }
    return error;
}

void pcv__used_forget(struct pcv_device *device, struct pcv__hidden *hidden)
{
    for (uint32_t i = 0; i < hidden->range_count; i++) {
        forget(device->host, &hidden->range[i]);
    }
}

/* ---- pages -----------------------------------------------------------------
 */

/* Pages from one on that are all in the same state. */
struct run {
    uint64_t pages;
    uint32_t read_only; /* how often they are wanted so */
    bool mapped;        /* for somebody's BAR, but for what we want of them */
};

static struct run look(struct pcv_domain *hardware, uint64_t page, uint64_t end)
    PCV__REQUIRES(hardware->map_lock)
{
    const uint32_t ours = can_read_only(hardware->host) ? 0 : 1;
    struct run run;
    uint64_t length;
    uint32_t wanted, holes;

    wanted = pcv__imap_prefix(&hardware->map, page, end, &length);
    holes = pcv__imap_prefix(&hardware->holes, page, page + length, &run.pages);
    run.read_only = pcv__imap_prefix(&hardware->read_only, page,
                                     page + run.pages, &run.pages);
    if (ours != 0) {
        run.read_only = holes;
        holes = 0;
    }
    run.mapped = wanted != 0 && holes == 0;
    return run;
}

/* Nobody is to write to pages that BARs have mapped; the host's answer. */
static int64_t shut(const struct pcv_domain *hardware, uint64_t page,
                    uint64_t pages)
{
    const struct pcv__mem *mem = &hardware->host->mem;
    const uint32_t shift = hardware->host->page_shift;

    return can_read_only(hardware->host)
               ? pcv__host_map(hardware, page, page, pages, true)
               : mem->ops.unmap(mem->ctx, hardware->id,
                                (pcv_gpa){page << shift}, pages);
}

/* Nodes were set aside, and nothing is counted out that was not counted in. */
static void expect(struct pcv_domain *hardware, int error)
{
    PCV__ASSERT(&hardware->host->mem, error == 0);
    (void)hardware;
    (void)error;
}

/* How many of a run the host did, at least one; or an error. */
static int64_t did(int64_t done, uint64_t pages)
{
    if (done <= 0) {
        return done == 0 ? -PCV_EIO : done;
    }
    return (uint64_t)done < pages ? done : (int64_t)pages;
}

/* Count pages in; *first is the first that was not done. 0 or an error. */
static int pages_in(struct pcv_domain *hardware, uint64_t *first, uint64_t end)
    PCV__REQUIRES(hardware->map_lock)
{
    /* Bounded: the host does at least one page a call. */
    while (*first < end) {
        struct run run = look(hardware, *first, end);
        int64_t done = (int64_t)run.pages;

        if (run.mapped && run.read_only == 0) {
            done = did(shut(hardware, *first, run.pages), run.pages);
        }
        if (done < 0) {
            return (int)done;
        }
        expect(hardware,
               pcv__imap_inc(pages_of(hardware), *first, (uint64_t)done));
        *first += (uint64_t)done;
    }
    return 0;
}

/* Count them out. False: the host could not, and the rest stays counted. */
static bool pages_out(struct pcv_device *device, uint64_t first, uint64_t end,
                      uint32_t bar, struct pcv_domain *hardware)
    PCV__REQUIRES(hardware->map_lock)
{
    /* As above. */
    while (first < end) {
        struct run run = look(hardware, first, end);
        int64_t done = (int64_t)run.pages;

        if (run.mapped && run.read_only == 1) {
            done = did(pcv__host_map(hardware, first, first, run.pages, false),
                       run.pages);
        }
        if (done < 0) {
            pcv__event(device, PCV_EVENT_MAP_FAILED, PCV_EVENT_HOST, bar,
                       0u - (uint64_t)done);
            return false;
        }
        expect(hardware,
               pcv__imap_dec(pages_of(hardware), first, (uint64_t)done));
        first += (uint64_t)done;
    }
    return true;
}

/* ---- one range -------------------------------------------------------------
 */

static void bytes(struct pcv_host *host, const struct pcv__used *used, bool in)
{
    int error;

    pcv__lock_take(&host->mem, &host->reserved_lock);
    error = in ? pcv__imap_inc(&host->used_memory, used->address, used->size)
               : pcv__imap_dec(&host->used_memory, used->address, used->size);
    pcv__lock_drop(&host->mem, &host->reserved_lock);
    expect(&host->hardware, error);
    if (in) {
        atomic_fetch_add_explicit(&host->used_count, 1, memory_order_acq_rel);
    } else {
        atomic_fetch_sub_explicit(&host->used_count, 1, memory_order_acq_rel);
    }
}

/* The bytes first, so that a write which finds a page shut finds why. */
static int begin(struct pcv_device *device, struct pcv__used *used)
{
    struct pcv_host *host = device->host;
    struct pcv_domain *hardware = &host->hardware;
    uint64_t first = used->first;
    int error;

    bytes(host, used, true);
    pcv__lock_take(&host->mem, &hardware->map_lock);
    error = pages_in(hardware, &first, used->first + used->pages);
    if (error != 0 &&
        !pages_out(device, used->first, first, used->bar, hardware)) {
        used->pages_set = false; /* its nodes are the domain's for good */
    }
    pcv__lock_drop(&host->mem, &hardware->map_lock);
    if (error != 0) {
        bytes(host, used, false);
    }
    used->counted = error == 0;
    return error;
}

static void end(struct pcv_device *device, struct pcv__used *used)
{
    struct pcv_host *host = device->host;
    struct pcv_domain *hardware = &host->hardware;

    if (!used->counted) {
        return;
    }
    pcv__lock_take(&host->mem, &hardware->map_lock);
    if (!pages_out(device, used->first, used->first + used->pages, used->bar,
                   hardware)) {
        used->pages_set = false;
    }
    pcv__lock_drop(&host->mem, &hardware->map_lock);
    bytes(host, used, false);
    used->counted = false;
}

int pcv__used_begin(struct pcv_device *device, struct pcv__hidden *hidden)
{
    int error = 0;

    for (uint32_t i = 0; i < hidden->range_count && error == 0; i++) {
        error = begin(device, &hidden->range[i]);
    }
    for (uint32_t i = 0; i < hidden->range_count && error != 0; i++) {
        end(device, &hidden->range[i]);
    }
    return error;
}

void pcv__used_end(struct pcv_device *device, struct pcv__hidden *hidden)
{
    for (uint32_t i = 0; i < hidden->range_count; i++) {
        end(device, &hidden->range[i]);
    }
    pcv__used_forget(device, hidden);
}

/* ---- asking ----------------------------------------------------------------
 */

bool pcv__used_touched(struct pcv_host *host, uint64_t address, uint64_t size)
{
    uint64_t end_of = size < UINT64_MAX - address ? address + size : UINT64_MAX;
    uint64_t length = 0;
    uint32_t users;

    pcv__lock_take(&host->mem, &host->reserved_lock);
    users = pcv__imap_prefix(&host->used_memory, address, end_of, &length);
    pcv__lock_drop(&host->mem, &host->reserved_lock);
    return users != 0 || length < end_of - address;
}

uint32_t pcv__hidden_pages(const struct pcv_device *device, uint32_t number)
{
    const struct pcv__hidden *hidden = pcv__hidden(device);
    uint64_t count = 0;

    for (uint32_t i = 0; hidden && i < hidden->range_count; i++) {
        count += hidden->range[i].bar == number ? hidden->range[i].pages : 0;
    }
    return (uint32_t)count; /* checked when they were given */
}

bool pcv__hidden_next_page(const struct pcv_device *device, uint32_t number,
                           uint64_t *at)
{
    const struct pcv__hidden *hidden = pcv__hidden(device);
    const uint64_t start =
        device->bar[number].address >> device->host->page_shift;
    uint64_t best = UINT64_MAX;

    for (uint32_t i = 0; hidden && i < hidden->range_count; i++) {
        const struct pcv__used *used = &hidden->range[i];
        uint64_t first = used->first - start;

        if (used->bar != number || *at >= first + used->pages) {
            continue;
        }
        first = *at > first ? *at : first;
        best = first < best ? first : best;
    }
    *at = best;
    return best != UINT64_MAX;
}

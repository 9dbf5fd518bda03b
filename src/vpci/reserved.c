/* SPDX-License-Identifier: MIT */
/*
 * Where the BARs of read-only functions are (OWN-8).
 *
 * A host keeps the bytes: a map of memory and one of I/O, whose "pages" are
 * bytes. The hardware domain's own BARs stand where hardware has them, so there
 * the pages are kept as well, as holes: such a BAR is placed as one that is
 * trapped as a whole, with no record of who serves it. What is mapped on its
 * pages goes by that, and comes again when it goes; and no guest's BAR is
 * mapped on pages that the hardware domain has a use of (HDR-8).
 */
#include "vpci/reserved.h"
#include "registry/kept.h"
#include "vpci/hidden.h"
#include "vpci/map.h"

static bool is_reserved(const struct pcv__vpci *vpci, uint32_t number)
{
    return ((uint32_t)vpci->reserved >> number & 1u) != 0;
}

static struct pcv__imap *map_of(struct pcv_host *host,
                                const struct pcv__bar *bar)
    PCV__REQUIRES(host->reserved_lock)
{
    return pcv__bar_is_memory(bar) ? &host->reserved_memory
                                   : &host->reserved_io;
}

/* The pages of a BAR: it covers them all, and is reached on none. */
static struct pcv__want pages_of(const struct pcv_device *device,
                                 uint32_t number)
{
    uint64_t start = pcv__vpci(device)->mapped[number].start;
    uint64_t size = pcv__bar_size(&device->bar[number]);
    uint32_t shift = device->host->page_shift;
    uint64_t first = start >> shift;

    return (struct pcv__want){
        .start = start,
        .size = size,
        .first = first,
        .host = first,
        .pages = ((start + (size - 1u)) >> shift) - first + 1u,
        .trapped = true,
    };
}

/* ---- reserving -------------------------------------------------------------
 */

static int prepare(struct pcv_device *device, uint32_t number)
{
    struct pcv_host *host = device->host;
    const struct pcv__bar *bar = &device->bar[number];
    struct pcv__want want = pages_of(device, number);
    int error;

    pcv__lock_take(&host->mem, &host->reserved_lock);
    error = pcv__imap_register(map_of(host, bar));
    pcv__lock_drop(&host->mem, &host->reserved_lock);
    if (error == 0 && pcv__bar_is_memory(bar)) {
        error = pcv__place_prepare(device, number, &want);
        if (error != 0) {
            pcv__lock_take(&host->mem, &host->reserved_lock);
            pcv__imap_unregister(&host->reserved_memory);
            pcv__lock_drop(&host->mem, &host->reserved_lock);
        }
    }
    return error;
}

static void forget(struct pcv_device *device, uint32_t number)
{
    struct pcv_host *host = device->host;

    pcv__unplace(device, number);
    pcv__lock_take(&host->mem, &host->reserved_lock);
    pcv__imap_unregister(map_of(host, &device->bar[number]));
    pcv__lock_drop(&host->mem, &host->reserved_lock);
}

int pcv__reserved_prepare(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    uint8_t wanted = vpci->reserved;
    int error = 0;

    vpci->reserved = 0;
    for (uint32_t i = 0; i < PCV_BARS && error == 0; i++) {
        if (((uint32_t)wanted >> i & 1u) != 0) {
            error = prepare(device, i);
            vpci->reserved |= (uint8_t)(error == 0 ? 1u << i : 0);
        }
    }
    if (error != 0) {
        pcv__reserved_forget(device);
    }
    return error;
}

void pcv__reserved_forget(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    for (uint32_t i = 0; i < PCV_BARS; i++) {
        if (is_reserved(vpci, i)) {
            forget(device, i);
        }
    }
    vpci->reserved = 0;
}

/* Memory was set aside, and nothing is counted out that was not counted in. */
static void count(struct pcv_device *device, uint32_t number, bool in)
{
    struct pcv_host *host = device->host;
    const struct pcv__bar *bar = &device->bar[number];
    uint64_t start = pcv__vpci(device)->mapped[number].start;
    uint64_t size = pcv__bar_size(bar);
    struct pcv__imap *map;
    int error;

    pcv__lock_take(&host->mem, &host->reserved_lock);
    map = map_of(host, bar);
    error =
        in ? pcv__imap_inc(map, start, size) : pcv__imap_dec(map, start, size);
    PCV__ASSERT(&host->mem, error == 0);
    (void)error;
    if (!in) {
        pcv__imap_unregister(map);
    }
    pcv__lock_drop(&host->mem, &host->reserved_lock);
    if (!pcv__bar_is_memory(bar)) {
        return;
    }
    if (in) {
        atomic_fetch_add_explicit(&host->reserved_count, 1,
                                  memory_order_acq_rel);
    } else {
        atomic_fetch_sub_explicit(&host->reserved_count, 1,
                                  memory_order_acq_rel);
    }
}

/* The host may want to be asked for each page. */
static void take_pages(struct pcv_device *device, uint32_t number)
{
    const struct pcv__mapped *mapped = &pcv__vpci(device)->mapped[number];
    struct pcv__want want = pages_of(device, number);
    int error = pcv__place(device, number, &want);

    /* Bounded by its pages: each call does at least one. */
    while ((error == 0 || error == -PCV_ERESTART) &&
           mapped->pages < mapped->total) {
        error = pcv__run_map(device, number, want.host);
    }
    PCV__ASSERT(&device->host->mem, error == 0);
}

void pcv__reserved_begin(struct pcv_device *device)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);

    for (uint32_t i = 0; i < PCV_BARS; i++) {
        if (is_reserved(vpci, i)) {
            count(device, i, true);
        }
    }
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        if (is_reserved(vpci, i) && pcv__bar_is_memory(&device->bar[i])) {
            take_pages(device, i);
        }
    }
}

void pcv__reserved_end(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    for (uint32_t i = 0; i < PCV_BARS; i++) {
        if (is_reserved(vpci, i)) {
            count(device, i, false);
        }
    }
    vpci->reserved = 0;
}

/* ---- asking ----------------------------------------------------------------
 */

bool pcv__reserved_touched(struct pcv_host *host, bool io, uint64_t address,
                           uint64_t size)
{
    /* The last byte of all is in no map, and no BAR's. */
    uint64_t end = size < UINT64_MAX - address ? address + size : UINT64_MAX;
    uint64_t length = 0;
    uint32_t users;

    pcv__lock_take(&host->mem, &host->reserved_lock);
    users = pcv__imap_prefix(io ? &host->reserved_io : &host->reserved_memory,
                             address, end, &length);
    pcv__lock_drop(&host->mem, &host->reserved_lock);
    return users != 0 || length < end - address;
}

bool pcv_host_reserved(struct pcv_host *host, bool io, uint64_t address,
                       uint64_t size)
{
    return host && pcv__reserved_touched(host, io, address, size);
}

/* ---- what is beside it on its pages ----------------------------------------
 */

/* Which BAR of a device is at an address of its owner, PCV_BARS: none. */
static uint8_t bar_at(struct pcv_device *device, uint64_t address)
    PCV__REQUIRES(device->lock)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);

    for (uint32_t i = 0; i < PCV_BARS; i++) {
        const struct pcv__mapped *mapped = &vpci->mapped[i];

        if (mapped->placed && address >= mapped->start &&
            address - mapped->start < pcv__bar_size(&device->bar[i])) {
            return (uint8_t)i;
        }
    }
    return PCV_BARS;
}

/* Inside its gate, if the domain has one of its BARs at an address. */
static bool enter(const struct pcv_domain *domain, struct pcv_device *device,
                  uint64_t address, uint8_t *out_bar)
{
    struct pcv__mem *mem = &device->host->mem;
    uint8_t bar = PCV_BARS;

    if (pcv__gate_enter_held(device, 0) != PCV_DONE) {
        return false;
    }
    if (pcv__owns(domain, device)) {
        pcv__lock_take(mem, &device->lock);
        bar = bar_at(device, address);
        pcv__lock_drop(mem, &device->lock);
    }
    if (bar == PCV_BARS) {
        pcv__gate_leave(device);
        return false;
    }
    *out_bar = bar;
    return true;
}

/* The device after one that we hold, which we let go. */
static struct pcv_device *next_device(struct pcv_device *device)
{
    struct pcv_host *host = device->host;
    pcv_sbdf at = pcv_device_sbdf(device);

    pcv_device_put(device);
    return at.v == UINT32_MAX ? NULL
                              : pcv_device_next(host, (pcv_sbdf){at.v + 1u});
}

/* Two functions stand at one page, and one of them where it must not: that is
 * rare enough to ask every device. Bounded by their number. */
static enum pcv_verdict search(struct pcv_domain *domain, uint64_t address,
                               struct pcv_device **out_device, uint8_t *out_bar)
{
    struct pcv_device *device = pcv_device_next(domain->host, (pcv_sbdf){0});

    while (device) {
        if (enter(domain, device, address, out_bar)) {
            *out_device = device;
            pcv_device_put(device); /* the gate holds it */
            return PCV_DONE;
        }
        device = next_device(device);
    }
    return PCV_FORWARD;
}

enum pcv_verdict pcv__reserved_enter(struct pcv_domain *domain,
                                     uint64_t address,
                                     struct pcv_device **out_device,
                                     uint8_t *out_bar)
{
    uint64_t page = 1ull << domain->host->page_shift;

    if (domain->kind != PCV_DOMAIN_HARDWARE ||
        (!pcv__reserved_memory(domain->host, address & ~(page - 1u), page) &&
         !pcv__used_memory(domain->host, address & ~(page - 1u), page))) {
        return PCV_FORWARD;
    }
    return search(domain, address, out_device, out_bar);
}

/* Whether a guest's BAR is mapped on a page that is reserved. One that is
 * trapped is looked at access by access. */
static bool is_in_the_way(const struct pcv_device *device, uint32_t number)
    PCV__REQUIRES(device->lock)
{
    const struct pcv__mapped *mapped = &pcv__vpci(device)->mapped[number];
    uint64_t page = 1ull << device->host->page_shift;
    uint64_t start = device->bar[number].address & ~(page - 1u);

    uint64_t size = mapped->total << device->host->page_shift;

    return mapped->placed && !mapped->trapped &&
           (pcv__reserved_memory(device->host, start, size) ||
            pcv__used_memory(device->host, start, size));
}

static void evict(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);

    for (uint32_t i = 0; i < PCV_BARS; i++) {
        bool decode = vpci->work.phase == PCV__WORK_NONE ? vpci->decoding
                                                         : vpci->work.decode;

        if (!is_in_the_way(device, i)) {
            continue;
        }
        pcv__event(device, PCV_EVENT_NOT_MAPPED, PCV_EVENT_DEVICE, i,
                   device->bar[i].address);
        (void)pcv__map_again(device, decode, (uint8_t)i);
        /* Bounded by the BARs' pages: the host does at least one a call. */
        while (pcv__map_step(device) == PCV_PENDING) {
        }
    }
}

void pcv__reserved_evict_from(struct pcv_device *device)
{
    struct pcv_host *host = device->host;

    if (pcv__gate_enter_held(device, 0) != PCV_DONE) {
        return;
    }
    pcv__lock_take(&host->mem, &device->lock);
    if (device->assignment) {
        evict(device);
    }
    pcv__lock_drop(&host->mem, &device->lock);
    pcv__gate_leave(device);
}

/* Whoever maps a BAR after the pages were counted sees that they are taken; so
 * it is enough to look once. What bus numbers do not lead to has its pages
 * still (TOPO-4); who is bound again meanwhile looks himself. */
void pcv__reserved_evict(struct pcv_host *host)
{
    struct pcv_device *device = pcv_device_next(host, (pcv_sbdf){0});
    struct pcv__kept_walk walk = {0, 0};

    for (; device; device = next_device(device)) {
        pcv__reserved_evict_from(device);
    }
    while ((device = pcv__kept_next(host, &walk)) != NULL) {
        pcv__reserved_evict_from(device);
        pcv_device_put(device);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Where a BAR is to be reached: by its owner's registers, as far as the host
 * permits it (HDR-5, HDR-8, HDR-11, HDR-12, HDR-17).
 */
#include "registry/away.h"
#include "vpci/hidden.h"
#include "vpci/map.h"

static uint64_t page_size(const struct pcv_device *device)
{
    return 1ull << device->host->page_shift;
}

static bool rom_enabled(struct pcv_device *device)
{
    uint32_t value;

    if (!pcv__may_be_asked(device) ||
        !pcv__hw_fetch(device, pcv__bar_reg(device, PCV_BAR_IS_ROM), 4,
                       &value)) {
        /* Not to be known: it stays as it is. */
        return pcv__vpci(device)->mapped[PCV_BAR_IS_ROM].placed;
    }
    return value != 0xffffffffu && (value & PCV_ROM_ENABLE) != 0;
}

/* The hardware domain has what the device has. */
static void owned_by_hardware(struct pcv_device *device, uint32_t number,
                              struct pcv__owned *out)
{
    const struct pcv__bar *bar = &device->bar[number];

    if (!pcv__bar_is_memory(bar)) {
        return;
    }
    if (pcv__vpci(device)->hidden) {
        pcv__hidden_owned(device, number, out);
        return;
    }
    out->address = bar->address;
    out->size = pcv__bar_size(bar);
    out->kind = bar->kind;
    out->enabled = number != PCV_BAR_IS_ROM || rom_enabled(device);
}

/* A guest has its own addresses, and a ROM only if it was given one. */
static void owned_by_guest(const struct pcv_device *device, uint32_t number,
                           struct pcv__owned *out)
{
    const struct pcv__assignment *guest = device->assignment;
    const struct pcv__bar *bar = &device->bar[number];
    bool left_out = ((uint32_t)guest->policy.bars_out >> number & 1u) != 0;

    out->address = guest->bar[number];
    if (number == PCV_BAR_IS_ROM) {
        out->enabled = (out->address & PCV_ROM_ENABLE) != 0;
        out->address &= PCV_ROM_MASK;
        out->size = guest->rom_size;
        out->kind = out->size != 0 ? PCV_BAR_ROM : PCV_BAR_NONE;
    } else if (pcv__bar_is_memory(bar) && !left_out) {
        out->enabled = true;
        out->size = pcv__bar_size(bar);
        out->kind = bar->kind;
    }
}

void pcv__bar_owned(struct pcv_device *device, uint32_t number,
                    struct pcv__owned *out)
{
    *out = (struct pcv__owned){0};
    if (device->assignment) {
        owned_by_guest(device, number, out);
    } else {
        owned_by_hardware(device, number, out);
    }
}

bool pcv__bar_is_trapped(const struct pcv_device *device, uint32_t number,
                         const struct pcv__owned *owned)
{
    if (!device->assignment) {
        /* The hardware domain's stand where hardware has them, but for those
         * that only it knows to have moved (OWN-7). */
        return owned->size != 0 &&
               owned->address != device->bar[number].address;
    }
    return (number == PCV_BAR_IS_ROM || owned->size < page_size(device) ||
            (device->bar[number].address & (page_size(device) - 1)) != 0);
}

/* HDR-17 */
static bool in_a_window(const struct pcv_domain *domain, uint64_t first,
                        uint64_t pages)
{
    for (uint32_t i = 0; i < domain->windows; i++) {
        const struct pcv__window *window = &domain->window[i];

        if (first >= window->first && pages <= window->pages &&
            first - window->first <= window->pages - pages) {
            return true;
        }
    }
    return false;
}

/* HDR-8: pages that the hardware domain reaches, too, where hardware has two
 * devices at one address. */
static bool shared_with_hardware(struct pcv_device *device, uint64_t first,
                                 uint64_t pages)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv_domain *hardware = &device->host->hardware;
    uint64_t end = first + pages;
    uint64_t unwanted, whole, writable;
    bool free;

    pcv__lock_take(mem, &hardware->map_lock);
    free = pcv__imap_prefix(&hardware->map, first, end, &unwanted) == 0 &&
           pcv__imap_prefix(&hardware->holes, first, end, &whole) == 0 &&
           pcv__imap_prefix(&hardware->read_only, first, end, &writable) == 0 &&
           unwanted == pages && whole == pages && writable == pages;
    pcv__lock_drop(mem, &hardware->map_lock);
    return !free;
}

/* Whole pages are mapped, so whole pages must be permitted. */
static bool permitted(struct pcv_device *device, const struct pcv__want *want)
{
    const struct pcv__mem *mem = &device->host->mem;
    uint32_t shift = device->host->page_shift;

    return mem->ops.map && mem->ops.mmio_permitted &&
           mem->ops.mmio_permitted(mem->ctx, pcv__map_domain(device)->id,
                                   (pcv_hpa){want->host << shift},
                                   want->pages << shift) == 1;
}

/* Where the hardware domain believes a BAR to be: what is trapped there must
 * not be its memory. */
static bool permitted_at(struct pcv_device *device,
                         const struct pcv__want *want)
{
    struct pcv__want there = *want;

    there.host = want->first;
    return permitted(device, &there);
}

static bool overlap(const struct pcv_bar *a, const struct pcv__bar *b)
{
    if (a->size == 0 || a->kind == PCV_BAR_NONE || a->kind == PCV_BAR_IO ||
        pcv__bar_size(b) == 0 || !pcv__bar_is_memory(b)) {
        return false;
    }
    return a->address <= b->address
               ? b->address - a->address < a->size
               : a->address - b->address < pcv__bar_size(b);
}

static uint8_t contested_by(const struct pcv_device *device,
                            struct pcv_device *other)
{
    struct pcv_device_info info;
    uint32_t bars = 0;

    pcv_device_get_info(other, &info);
    for (uint32_t i = 0; i < PCV_BAR_IS_ROM * PCV_BAR_IS_ROM; i++) {
        uint32_t mine = i / PCV_BAR_IS_ROM;

        if (overlap(&info.bar[i % PCV_BAR_IS_ROM], &device->bar[mine])) {
            bars |= 1u << mine;
        }
    }
    return (uint8_t)bars;
}

/* Whether a device is a guest's, or may be on its way to one: of two that are
 * on their way at a time, each must see the other. */
static bool is_guests(const struct pcv_host *host,
                      const struct pcv_domain *owner)
{
    return owner == &host->quarantine || pcv__is_guest(host, owner);
}

/* What guests have stays where it is for as long as they have it, so it is
 * enough to look once. What the hardware domain has may move: that is looked at
 * when something is mapped. */
void pcv__bars_contest(struct pcv_device *device,
                       const struct pcv_domain *owner)
{
    struct pcv_device *other;

    device->assignment->contested = 0;
    for (other = pcv__away_next(device->host, (pcv_sbdf){0}); other;) {
        const struct pcv_domain *has =
            atomic_load_explicit(&other->owner, memory_order_acquire);
        pcv_sbdf at = pcv_device_sbdf(other);

        if (other != device && has != owner && is_guests(device->host, has) &&
            !pcv__has_vanished(other)) {
            device->assignment->contested |= contested_by(device, other);
        }
        pcv_device_put(other);
        other = at.v == UINT32_MAX
                    ? NULL
                    : pcv__away_next(device->host, (pcv_sbdf){at.v + 1u});
    }
}

/* A guest's BAR may be at any address that it likes; it may be reached only in
 * its windows. */
static bool guest_reaches(struct pcv_device *device, uint32_t number,
                          const struct pcv__want *want)
{
    if (((uint32_t)device->assignment->contested >> number & 1u) != 0 ||
        !in_a_window(pcv__map_domain(device), want->first, want->pages)) {
        return false;
    }
    if (want->trapped) {
        return want->pages <= PCV__TRAPPED_PAGES;
    }
    return permitted(device, want) &&
           !shared_with_hardware(device, want->host, want->pages);
}

/* The hardware domain's are identity mapped. Where a hole is in a BAR that does
 * not begin with a page, no page can be named that is outside of it. */
static bool hardware_reaches(struct pcv_device *device, uint32_t number,
                             const struct pcv__want *want)
{
    const struct pcv__vpci *vpci = pcv__vpci(device);

    if (want->trapped) {
        return want->pages <= PCV__TRAPPED_PAGES && permitted_at(device, want);
    }
    for (uint32_t i = 0; i < PCV__HOLES; i++) {
        if (vpci->hole[i].pages != 0 && vpci->hole[i].bar == number &&
            want->pages > 1 && (want->start & (page_size(device) - 1)) != 0) {
            return false;
        }
    }
    return permitted(device, want);
}

void pcv__bar_want(struct pcv_device *device, uint32_t number,
                   struct pcv__want *out)
{
    uint32_t shift = device->host->page_shift;
    struct pcv__owned owned;
    uint64_t last;

    *out = (struct pcv__want){0};
    pcv__bar_owned(device, number, &owned);
    last = owned.address + (owned.size - 1u);
    if (owned.size == 0 || !owned.enabled || last < owned.address ||
        last == UINT64_MAX ||
        (owned.kind != PCV_BAR_MEM64 && last >= 0xffffffffu)) {
        return; /* all ones stand there, or it wraps */
    }
    out->start = owned.address;
    out->size = owned.size;
    out->first = owned.address >> shift;
    out->pages = (last >> shift) - out->first + 1;
    out->host = device->bar[number].address >> shift;
    out->trapped = pcv__bar_is_trapped(device, number, &owned);
    if (device->assignment ? !guest_reaches(device, number, out)
                           : !hardware_reaches(device, number, out)) {
        out->pages = 0;
    }
}

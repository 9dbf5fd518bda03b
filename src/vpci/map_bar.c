/* SPDX-License-Identifier: MIT */
/*
 * The pages of one BAR: which are wanted, and mapping and unmapping them run
 * by run, with use counts in the owner's map (HDR-7, HDR-11).
 */
#include "vpci/map.h"

#define ERRNO_MAX 4095

struct range {
    uint64_t first; /* page */
    uint64_t pages; /* 0: nothing is to be mapped */
};

static struct pcv_domain *owner_of(struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire);
}

static bool rom_enabled(struct pcv_device *device)
{
    uint32_t value;

    if (!pcv__hw_fetch(device, pcv__bar_reg(device, PCV_BAR_IS_ROM), 4,
                       &value)) {
        /* Not known: it stays as it is. */
        return pcv__vpci(device)->mapped[PCV_BAR_IS_ROM].pages != 0;
    }
    return value != 0xffffffffu && (value & PCV_ROM_ENABLE) != 0;
}

/* The pages that a BAR covers at its address, if it may be mapped there. */
static struct range wanted(struct pcv_device *device, uint32_t number)
{
    const struct pcv__mem *mem = &device->host->mem;
    const struct pcv__bar *bar = &device->bar[number];
    uint32_t shift = device->host->page_shift;
    struct range range = {0, 0};
    uint64_t last;

    if (!pcv__bar_is_memory(bar) || bar->size == 0 || device->is_vf ||
        !mem->ops.map || !mem->ops.mmio_permitted ||
        (number == PCV_BAR_IS_ROM && !rom_enabled(device))) {
        return range;
    }
    last = bar->address + (bar->size - 1u);
    if (last < bar->address || last == UINT64_MAX ||
        (bar->kind != PCV_BAR_MEM64 && last >= 0xffffffffu)) {
        return range; /* all ones stand there, or it wraps */
    }
    range.first = bar->address >> shift;
    range.pages = (last >> shift) - range.first + 1;
    /* Whole pages are mapped, so whole pages must be permitted. */
    if (mem->ops.mmio_permitted(mem->ctx, owner_of(device)->id,
                                (pcv_hpa){range.first << shift},
                                range.pages << shift) != 1) {
        range.pages = 0;
    }
    return range;
}

static bool fits(const struct pcv__mapped *mapped, struct range want)
{
    return mapped->first == want.first && mapped->pages <= want.pages;
}

bool pcv__bar_stays(struct pcv_device *device, uint32_t number)
{
    return fits(&pcv__vpci(device)->mapped[number], wanted(device, number));
}

static void bar_unmapped(struct pcv_device *device, uint32_t number)
{
    struct pcv__mapped *mapped = &pcv__vpci(device)->mapped[number];
    struct pcv_domain *domain = owner_of(device);

    device->bar[number].flags &= (uint8_t)~PCV_BAR_MAPPED;
    if (mapped->registered) {
        pcv__lock_take(&device->host->mem, &domain->map_lock);
        pcv__imap_unregister(&domain->map);
        pcv__lock_drop(&device->host->mem, &domain->map_lock);
        mapped->registered = false;
    }
}

/* What the host did of `pages`, which is at least one page; an error is told
 * and the pages are taken as unmapped. */
static uint64_t host_unmap(struct pcv_device *device, uint32_t number,
                           uint64_t first, uint64_t pages)
{
    const struct pcv__mem *mem = &device->host->mem;
    int64_t done =
        mem->ops.unmap(mem->ctx, owner_of(device)->id,
                       (pcv_gpa){first << device->host->page_shift}, pages);

    if (done <= 0) {
        pcv__event(device, PCV_EVENT_UNMAP_FAILED, PCV_EVENT_HOST, number,
                   0u - (uint64_t)done);
        return pages;
    }
    return (uint64_t)done < pages ? (uint64_t)done : pages;
}

/* One run of equal use: the host is asked only for pages whose last user goes.
 * False: it did only a part and wants to be asked again. */
static bool unmap_run(struct pcv_device *device, uint32_t number,
                      struct pcv__mapped *mapped)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv_domain *domain = owner_of(device);
    uint64_t run = 0;
    uint64_t done;
    int error;

    pcv__lock_take(mem, &domain->map_lock);
    if (pcv__imap_prefix(&domain->map, mapped->first,
                         mapped->first + mapped->pages, &run) == 1) {
        done = host_unmap(device, number, mapped->first, run);
    } else {
        done = run;
    }
    error = pcv__imap_dec(&domain->map, mapped->first, done);
    PCV__ASSERT(mem, error == 0);
    (void)error;
    mapped->first += done;
    mapped->pages -= done;
    pcv__lock_drop(mem, &domain->map_lock);
    return done == run;
}

bool pcv__bar_unmap(struct pcv_device *device, uint32_t number)
{
    struct pcv__mapped *mapped = &pcv__vpci(device)->mapped[number];

    while (mapped->pages != 0) {
        if (!unmap_run(device, number, mapped)) {
            return false;
        }
    }
    bar_unmapped(device, number);
    return true;
}

static int map_register(struct pcv_device *device, struct pcv__mapped *mapped)
{
    struct pcv_domain *domain = owner_of(device);
    int error = 0;

    if (!mapped->registered) {
        pcv__lock_take(&device->host->mem, &domain->map_lock);
        error = pcv__imap_register(&domain->map);
        pcv__lock_drop(&device->host->mem, &domain->map_lock);
        mapped->registered = error == 0;
    }
    return error;
}

int pcv__bar_prepare(struct pcv_device *device, uint32_t number)
{
    struct pcv__mapped *mapped = &pcv__vpci(device)->mapped[number];
    struct range want = wanted(device, number);

    if (want.pages == 0) {
        return 0;
    }
    mapped->first = want.first;
    return map_register(device, mapped);
}

/* What the host says when it mapped nothing. Restart is our own word, for a
 * part that was done; a number that is none of errno's is an error too. */
static int map_error(int64_t done)
{
    return done >= -ERRNO_MAX && done < 0 && done != -PCV_ERESTART ? (int)done
                                                                   : -PCV_EIO;
}

/* One run of equal use: the host is asked only for pages that nobody had.
 * Returns 0, -PCV_ERESTART, or the host's error. */
static int map_run(struct pcv_device *device, struct pcv__mapped *mapped,
                   uint64_t end)
{
    const struct pcv__mem *mem = &device->host->mem;
    struct pcv_domain *domain = owner_of(device);
    uint64_t at = mapped->first + mapped->pages;
    uint32_t shift = device->host->page_shift;
    uint64_t pages = 0;
    int64_t done;
    int error = 0;

    pcv__lock_take(&device->host->mem, &domain->map_lock);
    if (pcv__imap_prefix(&domain->map, at, end, &pages) == 0) {
        done = mem->ops.map(mem->ctx, domain->id, (pcv_gpa){at << shift},
                            (pcv_hpa){at << shift}, pages);
        if (done <= 0) {
            error = map_error(done);
            pages = 0;
        } else if ((uint64_t)done < pages) {
            error = -PCV_ERESTART;
            pages = (uint64_t)done;
        }
    }
    if (pages != 0) {
        int counted = pcv__imap_inc(&domain->map, at, pages);

        PCV__ASSERT(&device->host->mem, counted == 0);
        (void)counted;
        mapped->pages += pages;
    }
    pcv__lock_drop(&device->host->mem, &domain->map_lock);
    return error;
}

int pcv__bar_map(struct pcv_device *device, uint32_t number)
{
    struct pcv__mapped *mapped = &pcv__vpci(device)->mapped[number];
    const struct pcv__bar *bar = &device->bar[number];
    struct range want = wanted(device, number);
    int error;

    /* Hardware may have changed more than the register that was written. */
    if (!fits(mapped, want) && !pcv__bar_unmap(device, number)) {
        return -PCV_ERESTART;
    }
    if (want.pages == 0) {
        if (pcv__bar_is_memory(bar) && bar->address != 0 &&
            number != PCV_BAR_IS_ROM) {
            pcv__event(device, PCV_EVENT_NOT_MAPPED, PCV_EVENT_DEVICE, number,
                       bar->address);
        }
        return 0;
    }
    if (mapped->pages == 0) {
        mapped->first = want.first;
    }
    error = map_register(device, mapped);
    while (error == 0 && mapped->pages < want.pages) {
        error = map_run(device, mapped, want.first + want.pages);
    }
    if (error == 0) {
        device->bar[number].flags |= PCV_BAR_MAPPED;
    }
    return error;
}

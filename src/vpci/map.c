/* SPDX-License-Identifier: MIT */
/*
 * Mapping BARs for their owner: plan, apply, commit or undo (DESIGN decision
 * 5, HDR-6, HDR-9 to HDR-12).
 *
 * A plan is a struct pcv__work: what decoding and which BAR register are to be
 * in the end. Applying it goes through phases and can stop after any page:
 *
 *   UNMAP   what is mapped and must not stay
 *   WRITE   the BAR's register; addresses are read again from hardware
 *   MAP     what is to be mapped and is not
 *   COMMIT  the command register
 *
 * A map that fails undoes all of the device's mappings and leaves decoding
 * off, in the device and so in what its owner reads.
 */
#include "vpci/internal.h"

struct range {
    uint64_t first; /* page */
    uint64_t pages; /* 0: nothing is to be mapped */
};

static bool decodes(uint32_t command)
{
    /* All ones: the device does not answer, so it decodes nothing. */
    return command != 0xffffu && (command & PCV_CMD_MEMORY) != 0;
}

static struct pcv_domain *owner_of(struct pcv_device *device)
{
    return atomic_load_explicit(&device->owner, memory_order_acquire);
}

static bool rom_enabled(struct pcv_device *device)
{
    uint32_t value =
        pcv__hw_read(device, pcv__bar_reg(device, PCV_BAR_IS_ROM), 4);

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
    if (mem->ops.mmio_permitted(mem->ctx, owner_of(device)->id,
                                (pcv_hpa){bar->address}, bar->size) != 1) {
        return range;
    }
    range.first = bar->address >> shift;
    range.pages = (last >> shift) - range.first + 1;
    return range;
}

/* Whether what is mapped of a BAR lies within what is to be. */
static bool stays(const struct pcv__mapped *mapped, struct range want)
{
    return mapped->first == want.first && mapped->pages <= want.pages;
}

static bool anything_mapped(const struct pcv__vpci *vpci)
{
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        if (vpci->mapped[i].pages != 0) {
            return true;
        }
    }
    return false;
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
                   (uint64_t)-done);
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

/* True when nothing of the BAR is mapped any more. */
static bool unmap_bar(struct pcv_device *device, uint32_t number)
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
            error = done == 0 ? -PCV_EIO : (int)done;
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

static int map_bar(struct pcv_device *device, uint32_t number)
{
    struct pcv__mapped *mapped = &pcv__vpci(device)->mapped[number];
    const struct pcv__bar *bar = &device->bar[number];
    struct range want = wanted(device, number);
    int error;

    /* Hardware may have changed more than the register that was written. */
    if (!stays(mapped, want) && !unmap_bar(device, number)) {
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

static void enter_phase(struct pcv__work *work, enum pcv__work_phase phase)
{
    work->phase = (uint8_t)phase;
    work->at = 0;
}

/* HDR-10: nothing of the device stays mapped, and decoding is off. */
static void give_up(struct pcv_device *device, uint32_t number, int error)
{
    struct pcv__work *work = &pcv__vpci(device)->work;
    uint32_t command = pcv__hw_read(device, PCV_REG_COMMAND, 2);

    if (work->write_cmd) {
        command = work->command;
    }
    pcv__hw_write(device, PCV_REG_COMMAND, 2,
                  command & ~(uint32_t)PCV_CMD_MEMORY);
    pcv__event(device, PCV_EVENT_MAP_FAILED, PCV_EVENT_HOST, number,
               (uint64_t)-error);
    work->decode = false;
    work->write_cmd = false;
    work->write_bar = false;
    work->moving = PCV_BARS;
    enter_phase(work, PCV__WORK_UNMAP);
}

static bool unmap_phase(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__work *work = &vpci->work;

    for (; work->at < PCV_BARS; work->at++) {
        bool keep = work->decode && work->moving != PCV__MOVING_ALL &&
                    work->at != work->moving &&
                    stays(&vpci->mapped[work->at], wanted(device, work->at));

        if (!keep && !unmap_bar(device, work->at)) {
            return false;
        }
    }
    enter_phase(work, PCV__WORK_WRITE);
    return true;
}

static bool map_phase(struct pcv_device *device)
{
    struct pcv__work *work = &pcv__vpci(device)->work;

    for (; work->decode && work->at < PCV_BARS; work->at++) {
        int error = map_bar(device, work->at);

        if (error == -PCV_ERESTART) {
            return false;
        }
        if (error != 0) {
            give_up(device, work->at, error);
            return true;
        }
    }
    enter_phase(work, PCV__WORK_COMMIT);
    return true;
}

/* What the record is to say once decoding was switched on. Where nothing is
 * mapped it says what hardware does, which may not answer at all: then the
 * next write of the command register maps what there is. */
static bool now_decoding(struct pcv_device *device)
{
    return anything_mapped(pcv__vpci(device)) ||
           decodes(pcv__hw_read(device, PCV_REG_COMMAND, 2));
}

enum pcv_verdict pcv__map_step(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__work *work = &vpci->work;
    bool go_on = true;

    /* Bounded: phases go forward; a failing map goes back to the first one
     * once, with decoding off, after which nothing is mapped. */
    while (go_on && work->phase != PCV__WORK_NONE) {
        switch ((enum pcv__work_phase)work->phase) {
        case PCV__WORK_UNMAP:
            go_on = unmap_phase(device);
            break;
        case PCV__WORK_WRITE:
            if (work->write_bar) {
                pcv__hw_write(device, work->bar_reg, 4, work->bar_value);
            }
            pcv__bars_read(device);
            enter_phase(work, PCV__WORK_MAP);
            break;
        case PCV__WORK_MAP:
            go_on = map_phase(device);
            break;
        case PCV__WORK_COMMIT:
            if (work->write_cmd) {
                pcv__hw_write(device, PCV_REG_COMMAND, 2, work->command);
            }
            vpci->decoding = work->decode && now_decoding(device);
            memset(work, 0, sizeof(*work));
            break;
        case PCV__WORK_NONE:
            break;
        }
    }
    return work->phase == PCV__WORK_NONE ? PCV_DONE : PCV_PENDING;
}

/* HDR-16: the record says mapped, hardware does not decode. */
static bool was_reset(struct pcv_device *device, bool hardware_decodes)
{
    bool reset = pcv__vpci(device)->decoding && !hardware_decodes;

    if (reset) {
        pcv__event(device, PCV_EVENT_RESET_SEEN, PCV_EVENT_DEVICE, 0, 0);
    }
    return reset;
}

enum pcv_verdict pcv__map_command(struct pcv_device *device, uint16_t command)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__work *work = &vpci->work;
    bool now = decodes(pcv__hw_read(device, PCV_REG_COMMAND, 2));
    bool stale = was_reset(device, now);
    /* All ones is what a domain may write; a VF has no bit for it. */
    bool want = (command & PCV_CMD_MEMORY) != 0 && !device->is_vf;

    if (device->torn) {
        return PCV_DONE;
    }
    if (want == vpci->decoding && !stale) {
        pcv__hw_write(device, PCV_REG_COMMAND, 2, command);
        return PCV_DONE;
    }
    work->decode = want;
    work->command = command;
    work->write_cmd = want;
    work->write_bar = false;
    work->moving = stale ? PCV__MOVING_ALL : PCV_BARS;
    if (!want) {
        /* Hardware goes silent first, then the pages go. */
        pcv__hw_write(device, PCV_REG_COMMAND, 2, command);
        vpci->decoding = false;
        if (!anything_mapped(vpci)) {
            memset(work, 0, sizeof(*work));
            return PCV_DONE;
        }
    }
    enter_phase(work, PCV__WORK_UNMAP);
    return PCV_PENDING;
}

enum pcv_verdict pcv__map_bar(struct pcv_device *device, uint32_t bar,
                              uint16_t reg, uint32_t value)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__work *work = &vpci->work;
    bool now = decodes(pcv__hw_read(device, PCV_REG_COMMAND, 2));
    bool stale = was_reset(device, now);

    if (device->torn) {
        return PCV_DONE;
    }
    if (!stale && !vpci->decoding) {
        pcv__hw_write(device, reg, 4, value);
        pcv__bars_read(device);
        return PCV_DONE;
    }
    work->decode = now;
    work->write_cmd = false;
    work->write_bar = true;
    work->bar_reg = reg;
    work->bar_value = value;
    work->moving = (uint8_t)(stale ? PCV__MOVING_ALL : bar);
    enter_phase(work, PCV__WORK_UNMAP);
    return PCV_PENDING;
}

void pcv__map_begin(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);

    if (!device->is_vf && !vpci->read_only &&
        decodes(pcv__hw_read(device, PCV_REG_COMMAND, 2))) {
        vpci->work.decode = true;
        vpci->work.moving = PCV_BARS;
        enter_phase(&vpci->work, PCV__WORK_MAP);
    }
}

void pcv__map_teardown(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__vpci *vpci = pcv__vpci(device);

    pcv__lock_take(mem, &device->lock);
    device->torn = true;
    memset(&vpci->work, 0, sizeof(vpci->work));
    vpci->decoding = false;
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        /* Bounded by the BAR's pages: each call of the host does at least one,
         * or it fails and they are taken as unmapped. */
        while (!unmap_bar(device, i)) {
        }
    }
    pcv__lock_drop(mem, &device->lock);
}

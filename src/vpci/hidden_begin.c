/* SPDX-License-Identifier: MIT */
/*
 * Letting a function be hidden, and no longer (OWN-7). What can fail is set up
 * first; what the hardware domain has mapped stays mapped throughout.
 */
#include "vpci/hidden_rows.h"

#define DECODE ((uint32_t)PCV_CMD_IO | PCV_CMD_MEMORY)

/* ---- ranges ----------------------------------------------------------------
 */

static int take_range(struct pcv_device *device, struct pcv__hidden *hidden,
                      const struct pcv_hide_range *range, uint64_t *pages)
{
    const uint32_t shift = device->host->page_shift;
    struct pcv__used *used = &hidden->range[hidden->range_count];
    const struct pcv__bar *bar;
    uint64_t size;

    if (range->bar >= PCV_BAR_IS_ROM) {
        return -PCV_EINVAL;
    }
    bar = &device->bar[range->bar];
    size = pcv__bar_size(bar);
    if (!pcv__bar_is_memory(bar) || range->size == 0 || range->size > size ||
        range->offset > size - range->size || bar->address == 0 ||
        size > UINT64_MAX - bar->address) {
        return -PCV_EINVAL;
    }
    used->bar = range->bar;
    used->offset = range->offset;
    used->size = range->size;
    used->address = bar->address + range->offset;
    used->first = used->address >> shift;
    used->pages =
        ((used->address + (used->size - 1u)) >> shift) - used->first + 1u;
    *pages += used->pages;
    hidden->range_count++;
    return *pages <= PCV__TRAPPED_PAGES ? 0 : -PCV_EINVAL;
}

static int take_ranges(struct pcv_device *device, struct pcv__hidden *hidden,
                       const struct pcv_hide_info *info)
{
    uint64_t pages = 0;
    int error = 0;

    for (uint32_t i = 0; i < info->range_count && error == 0; i++) {
        error = take_range(device, hidden, &info->range[i], &pages);
    }
    return error;
}

bool pcv__hidden_is(const struct pcv_device *device,
                    const struct pcv_hide_info *info)
{
    const struct pcv__hidden *hidden = pcv__hidden(device);

    if (!hidden || hidden->flags != (info->flags & PCV_HIDE_MASTER) ||
        hidden->range_count != info->range_count) {
        return false;
    }
    for (uint32_t i = 0; i < info->range_count; i++) {
        if (hidden->range[i].bar != info->range[i].bar ||
            hidden->range[i].offset != info->range[i].offset ||
            hidden->range[i].size != info->range[i].size) {
            return false;
        }
    }
    return true;
}

/* ---- begin and end ---------------------------------------------------------
 */

static void drop(struct pcv_device *device, struct pcv__hidden *hidden)
    PCV__REQUIRES(device->lock)
{
    device->extras->hidden = NULL;
    pcv__free(&device->host->mem, hidden, sizeof(*hidden));
}

/* Where hardware has its BARs now, as the hypervisor's driver put them. */
static int look_again(struct pcv_device *device) PCV__REQUIRES(device->lock)
{
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    pcv__bars_read(device);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

/* The view is as it is to be, but for what the domain can see. */
static int build(struct pcv_device *device, struct pcv__hidden *hidden,
                 struct pcv__records *records) PCV__REQUIRES(device->lock)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    int error = pcv__hidden_describe(device, hidden);

    if (error != 0) {
        hidden->row_count = 0; /* none stands anywhere */
        return error;
    }
    error = pcv__hidden_add(vpci, hidden);
    if (error == 0) {
        error = pcv__used_prepare(device, hidden);
    }
    if (error == 0) {
        pcv__hidden_exchange(vpci, hidden);
        error = pcv__records_make(device, records);
        if (error != 0) {
            pcv__used_forget(device, hidden);
        }
    }
    if (error != 0) {
        pcv__hidden_remove(vpci, hidden);
    }
    return error;
}

int pcv__hidden_begin(struct pcv_device *device,
                      const struct pcv_hide_info *info)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__extras *extras = pcv__extras_get(device);
    struct pcv__records records = {NULL, 0};
    struct pcv__hidden *hidden;
    int error;

    hidden = extras ? pcv__alloc(mem, sizeof(*hidden)) : NULL;
    if (!hidden) {
        return -PCV_ENOMEM;
    }
    hidden->part.bytes = sizeof(*hidden);
    hidden->flags = info->flags & PCV_HIDE_MASTER;
    extras->hidden = &hidden->part;
    error = look_again(device);
    if (error == 0) {
        error = take_ranges(device, hidden, info);
    }
    if (error == 0) {
        error = build(device, hidden, &records);
    }
    if (error == 0) {
        pcv__records_exchange(device, &records);
        error = pcv__used_begin(device, hidden);
        if (error != 0) {
            pcv__records_exchange(device, &records);
            pcv__used_forget(device, hidden);
            pcv__hidden_remove(vpci, hidden);
        }
        pcv__records_free(device, &records);
    }
    if (error != 0) {
        drop(device, hidden);
        return error;
    }
    vpci->memory_held = false; /* it is on as long as it is hidden */
    /* Hardware may have had them elsewhere than we knew. */
    (void)pcv__map_again(device, pcv__hidden_decodes(device), PCV_BARS);
    return 0;
}

/* ---- writing back ----------------------------------------------------------
 */

static int hw_error(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

/* Every BAR's register, as the domain wrote it or as hardware had it. */
static void write_bars(struct pcv_device *device, const uint32_t *values,
                       bool restore) PCV__REQUIRES(device->lock)
{
    const struct pcv__hidden *hidden = pcv__hidden(device);

    for (uint32_t i = 0; i < hidden->row_count; i++) {
        const struct pcv_register *row = &hidden->row[i];

        if (!pcv__hidden_is_bar(row)) {
            continue;
        }
        if (restore) {
            pcv__hw_restore(device, row->offset, 4, values[i]);
        } else {
            pcv__hw_write(device, row->offset, 4,
                          pcv__cells_load(pcv__vpci(device), row->offset, 4));
        }
    }
}

static bool fetch_bars(struct pcv_device *device, uint32_t *values,
                       bool *out_differ) PCV__REQUIRES(device->lock)
{
    const struct pcv__hidden *hidden = pcv__hidden(device);

    *out_differ = false;
    for (uint32_t i = 0; i < hidden->row_count; i++) {
        const struct pcv_register *row = &hidden->row[i];

        if (!pcv__hidden_is_bar(row)) {
            continue;
        }
        if (!pcv__hw_fetch(device, row->offset, 4, &values[i])) {
            return false;
        }
        *out_differ =
            *out_differ ||
            values[i] != pcv__cells_load(pcv__vpci(device), row->offset, 4);
    }
    return true;
}

/* BARs change while nothing is decoded; then the command register is the
 * domain's, and last the power state. */
int pcv__hidden_write_back(struct pcv_device *device)
{
    uint32_t kept = pcv__hidden_kept(device);
    uint32_t values[PCV__HIDDEN_ROWS] = {0};
    uint32_t now;
    bool differ;

    if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &now) || now == 0xffffu ||
        !fetch_bars(device, values, &differ)) {
        return -PCV_EIO;
    }
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    if (differ) {
        pcv__hw_write(device, PCV_REG_COMMAND, 2, now & ~DECODE);
        write_bars(device, values, false);
    }
    pcv__hw_write(device, PCV_REG_COMMAND, 2,
                  (now & ~kept) | (pcv__hidden_command_of(device) & kept));
    if (hw_error(device) == 0 && pcv__vpci(device)->asleep) {
        (void)pcv__power_set(device, PCV_PM_D3HOT);
    }
    if (hw_error(device) == 0) {
        return 0;
    }
    if (differ) {
        write_bars(device, values, true);
    }
    pcv__hw_restore(device, PCV_REG_COMMAND, 2, now);
    return -PCV_EIO;
}

/* ---- the end ---------------------------------------------------------------
 */

enum pcv_verdict pcv__hidden_undo(struct pcv_device *device)
{
    struct pcv__vpci *vpci = pcv__vpci(device);
    struct pcv__hidden *hidden = pcv__hidden(device);
    bool decode = pcv__hidden_decodes(device);

    pcv__hidden_remove(vpci, hidden);
    pcv__used_end(device, hidden);
    drop(device, hidden);
    if (pcv__may_be_asked(device)) {
        pcv__bars_read(device);
    }
    pcv__command_update(device);
    /* What was served at another place is mapped now. */
    return pcv__map_again(device, decode, PCV_BARS);
}

void pcv__hidden_end(struct pcv_device *device)
{
    struct pcv__hidden *hidden = pcv__hidden(device);

    if (hidden) {
        pcv__used_end(device, hidden);
    }
}

void pcv__hidden_forget(struct pcv_device *device)
{
    struct pcv__hidden *hidden = pcv__hidden(device);

    if (hidden) {
        drop(device, hidden);
    }
}

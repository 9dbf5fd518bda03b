/* SPDX-License-Identifier: MIT */
/*
 * Resizable BAR (REBAR-1; PCI Express Base 6.0, 7.8.6). The hardware domain
 * chooses among the device's sizes and places the BAR itself; a guest among
 * those for which the host has room, and the host places it.
 */
#include "vpci/bars.h"
#include "vpci/cap/resize.h"

/* BARs stand still while they are resized: nothing decodes them, for the owner
 * or behind its back (MSIX-2). */
static bool may_resize(struct pcv_device *device)
{
    uint32_t command;

    return !device->torn && !pcv__vpci(device)->decoding &&
           pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command) &&
           (command & PCV_CMD_MEMORY) == 0 &&
           (!device->assignment ||
            (device->assignment->command & PCV_CMD_MEMORY) == 0);
}

static enum pcv_verdict refuse(struct pcv_device *device)
{
    atomic_fetch_add_explicit(&device->refused, 1, memory_order_relaxed);
    return PCV_DONE;
}

/* The entry whose control register is at an offset. */
static uint32_t entry_at(uint16_t at)
{
    return (uint32_t)(at - pcv__resize_control_at(0)) / 8u;
}

static void write_code(const struct pcv__cap *cap,
                       const struct pcv__resize *entry, uint32_t code)
{
    uint32_t control = pcv__cap_read(cap, entry->at, 4);

    pcv__hw_restore(cap->device, (uint16_t)(cap->offset + entry->at), 4,
                    (control & ~PCV__RESIZE_CONTROL) |
                        code << PCV__RESIZE_SHIFT);
}

/* Sizes that hardware supports and that make sense for the BAR. */
static uint64_t possible(const struct pcv_device *device,
                         const struct pcv__resize *entry)
{
    return entry->bar < PCV_BAR_IS_ROM
               ? entry->sizes & pcv__resize_fitting(&device->bar[entry->bar])
               : 0;
}

static bool host_failed(const struct pcv_device *device)
{
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed) != 0;
}

/* ---- records ---------------------------------------------------------------
 */

/* The size of an entry's BAR is what hardware says; true if that is new. */
static bool follow(struct pcv_device *device, const struct pcv__resize *entry)
{
    struct pcv__bar *bar;

    if (entry->bar >= PCV_BAR_IS_ROM) {
        return false;
    }
    bar = &device->bar[entry->bar];
    if ((pcv__resize_fitting(bar) >> entry->code & 1u) == 0 ||
        pcv__bar_size(bar) == pcv__resize_bytes(entry->code)) {
        return false;
    }
    pcv__bar_set_size(bar, pcv__resize_bytes(entry->code));
    return true;
}

bool pcv__resize_follow(struct pcv_device *device)
{
    const struct pcv__cap cap = {.device = device, .offset = device->rebar_cap};
    bool changed = false;
    uint32_t count;

    if (cap.offset == 0 || device->assignment) {
        return false; /* a guest's size is the library's to keep */
    }
    count = pcv__resize_count(&cap);
    for (uint32_t i = 0; i < count; i++) {
        struct pcv__resize entry;

        if (pcv__resize_read(&cap, i, &entry) && follow(device, &entry)) {
            changed = true;
        }
    }
    return changed;
}

/* ---- the hardware domain ---------------------------------------------------
 */

static enum pcv_verdict write_hardware(const struct pcv_register_write *write)
    PCV__NO_ANALYSIS
{
    const struct pcv__cap *cap = write->data;
    struct pcv_device *device = write->device;
    uint16_t at = (uint16_t)(write->offset - cap->offset);
    uint32_t code = pcv__resize_code(write->value);
    struct pcv__resize entry;

    if (!pcv__resize_read(cap, entry_at(at), &entry) || code == entry.code) {
        return PCV_DONE;
    }
    if ((possible(device, &entry) >> code & 1u) == 0 || !may_resize(device) ||
        pcv__vpci(device)->hidden /* OWN-7 */) {
        return refuse(device);
    }
    pcv__cap_write(cap, entry.at, 4, write->value);
    pcv__bars_read(device);
    if (pcv__traps_prepare(device) != 0) {
        /* There is no memory for what it would take. */
        write_code(cap, &entry, entry.code);
        pcv__bars_read(device);
        (void)pcv__traps_prepare(device);
        return refuse(device);
    }
    return PCV_DONE;
}

static const struct pcv_register_ops hardware_ops = {.write = write_hardware};

static const struct pcv_register hardware_row = {
    .name = "Resizable BAR Control",
    .size = 4,
    .flags = PCV_REGISTER_MAPS,
    .policy = {.hardware = PCV__RESIZE_CONTROL,
               .read_only = ~PCV__RESIZE_CONTROL},
    .ops = &hardware_ops,
};

/* ---- guests ----------------------------------------------------------------
 */

/* Where the host would put a BAR of this size. */
static bool place(const struct pcv_device *device, uint8_t bar, uint64_t size,
                  uint64_t *out_address)
{
    const struct pcv__mem *mem = &device->host->mem;
    uint64_t limit =
        device->bar[bar].kind == PCV_BAR_MEM64 ? UINT64_MAX : UINT32_MAX;
    pcv_hpa address;

    if (mem->ops.bar_place(mem->ctx, pcv__device_sbdf(device), bar, size,
                           &address) != 0 ||
        (address.v & (size - 1u)) != 0 || address.v > limit - (size - 1u)) {
        return false;
    }
    *out_address = address.v;
    return true;
}

/* Sizes that the guest may choose: always the one that it has. */
static uint64_t choice(const struct pcv_device *device,
                       const struct pcv__resize *entry)
{
    uint32_t out = device->assignment->policy.bars_out;
    uint64_t sizes = possible(device, entry);
    uint64_t chosen = 0;

    for (uint32_t code = 0; code < PCV__RESIZE_CODES; code++) {
        uint64_t address;

        if (code == entry->code ||
            ((sizes >> code & 1u) != 0 && (out >> entry->bar & 1u) == 0 &&
             place(device, entry->bar, pcv__resize_bytes(code), &address))) {
            chosen |= 1ull << code;
        }
    }
    return chosen;
}

/* A BAR's address in hardware. */
static void put_address(struct pcv_device *device, uint8_t bar,
                        uint64_t address)
{
    uint16_t reg = pcv__bar_reg(device, bar);

    if (device->bar[bar].kind == PCV_BAR_MEM64) {
        pcv__hw_restore(device, (uint16_t)(reg + 4u), 4,
                        (uint32_t)(address >> 32));
    }
    pcv__hw_restore(device, reg, 4, (uint32_t)address);
}

/* Let hardware have a size and an address; false: it has others. */
static bool put(const struct pcv__cap *cap, const struct pcv__resize *entry,
                uint32_t code, uint64_t address)
{
    struct pcv_device *device = cap->device;
    struct pcv__bar *bar = &device->bar[entry->bar];
    struct pcv__resize now;
    uint64_t there;

    write_code(cap, entry, code);
    put_address(device, entry->bar, address);
    pcv__bar_set_size(bar, pcv__resize_bytes(code));
    bar->address = address;
    return !host_failed(device) &&
           pcv__resize_read(cap, entry_at(entry->at), &now) &&
           now.code == code && pcv__bar_address(device, entry->bar, &there) &&
           there == address;
}

/* A guest's register as it is to read. */
static void show(const struct pcv__cap *cap, uint16_t at, uint32_t code)
{
    uint32_t now = pcv__cap_load(cap, at, 4);

    pcv__cap_store(cap, at, 4,
                   (now & ~PCV__RESIZE_CONTROL) | code << PCV__RESIZE_SHIFT);
}

static bool offered(const struct pcv__cap *cap, uint16_t at, uint32_t code)
{
    uint64_t sizes = pcv__resize_sizes(
        pcv__cap_load(cap, (uint16_t)(at - 4u), 4), pcv__cap_load(cap, at, 4));

    return (sizes >> code & 1u) != 0;
}

/* The size is another now: what lies in the BAR is looked at again, and memory
 * is set aside for its pages. */
static int changed(struct pcv_device *device) PCV__NO_ANALYSIS
{
    (void)pcv__msix_recheck(device); /* it says so itself */
    return pcv__traps_prepare(device);
}

/* True if the BAR has its new size; else everything is as it was. One at a time
 * in a host: the place that the host names is taken by the write alone. */
static bool resize_alone(const struct pcv__cap *cap,
                         const struct pcv__resize *entry, uint32_t code)
{
    struct pcv_device *device = cap->device;
    const struct pcv__bar before = device->bar[entry->bar];
    uint64_t address;

    if (!place(device, entry->bar, pcv__resize_bytes(code), &address)) {
        return false;
    }
    if (put(cap, entry, code, address) && changed(device) == 0) {
        device->assignment->bar[entry->bar] &= ~(pcv__resize_bytes(code) - 1u);
        return true;
    }
    (void)put(cap, entry, entry->code, before.address);
    device->bar[entry->bar] = before;
    (void)changed(device);
    return false;
}

static bool resize(const struct pcv__cap *cap, const struct pcv__resize *entry,
                   uint32_t code)
{
    struct pcv_host *host = cap->device->host;
    bool done;

    pcv__lock_take(&host->mem, &host->place_lock);
    done = resize_alone(cap, entry, code);
    pcv__lock_drop(&host->mem, &host->place_lock);
    return done;
}

static enum pcv_verdict write_guest(const struct pcv_register_write *write)
{
    const struct pcv__cap *cap = write->data;
    struct pcv_device *device = write->device;
    uint16_t at = (uint16_t)(write->offset - cap->offset);
    uint32_t code = pcv__resize_code(write->value);
    struct pcv__resize entry;

    if (!pcv__resize_read(cap, entry_at(at), &entry)) {
        show(cap, at, pcv__resize_code(write->old));
        return PCV_DONE;
    }
    if (code == entry.code) {
        return PCV_DONE;
    }
    if ((possible(device, &entry) >> code & 1u) == 0 ||
        !offered(cap, at, code) || !may_resize(device) ||
        !resize(cap, &entry, code)) {
        show(cap, at, pcv__resize_code(write->old));
        return refuse(device);
    }
    return PCV_DONE;
}

static const struct pcv_register_ops guest_ops = {.write = write_guest};

static const struct pcv_register guest_rows[] = {
    {
        .name = "Resizable BAR Capability",
        .size = 4,
        .policy = {.constant = 0xffffffffu},
    },
    {
        .name = "Resizable BAR Control",
        .size = 4,
        .flags = PCV_REGISTER_MAPS,
        .policy = {.constant = ~PCV__RESIZE_CONTROL,
                   .virt = PCV__RESIZE_CONTROL},
        .ops = &guest_ops,
    },
};

/* One entry as the guest sees it. *out_choice: it has more than one size. */
static int show_entry(struct pcv__cap *cap, uint32_t i, uint32_t count,
                      bool *out_choice)
{
    struct pcv__resize entry;
    uint64_t sizes;
    int error;

    if (!pcv__resize_read(cap, i, &entry)) {
        return -PCV_EIO;
    }
    error = pcv__cap_add_at(cap, pcv__resize_able_at(i), &guest_rows[0]);
    if (error == 0) {
        error = pcv__cap_add_at(cap, entry.at, &guest_rows[1]);
    }
    if (error != 0) {
        return error;
    }
    sizes = choice(cap->device, &entry);
    pcv__cap_store(cap, pcv__resize_able_at(i), 4,
                   (uint32_t)(sizes & 0x0fffffffu) << 4);
    pcv__cap_store(cap, entry.at, 4,
                   entry.bar | (i == 0 ? count << 5 : 0u) |
                       (uint32_t)entry.code << PCV__RESIZE_SHIFT |
                       (uint32_t)(sizes >> 28) << 16);
    *out_choice = *out_choice || (sizes & (sizes - 1u)) != 0;
    return 0;
}

static int setup_guest(struct pcv__cap *cap)
{
    uint32_t count = pcv__resize_count(cap);
    bool any = false;

    if (count == 0 || !cap->device->host->mem.ops.bar_place) {
        return -PCV_EOPNOTSUPP;
    }
    for (uint32_t i = 0; i < count; i++) {
        int error = show_entry(cap, i, count, &any);

        if (error != 0) {
            return error;
        }
    }
    return any ? 0 : -PCV_EOPNOTSUPP;
}

/* ---- both ------------------------------------------------------------------
 */

static int setup(struct pcv__cap *cap)
{
    if (cap->device->is_vf) {
        return -PCV_EOPNOTSUPP; /* its PF has them */
    }
    if (pcv__cap_is_guest(cap)) {
        return setup_guest(cap);
    }
    if (cap->device->rebar_cap == 0) {
        cap->device->rebar_cap = cap->offset;
    }
    return pcv__resize_setup(cap, &hardware_row);
}

const struct pcv__cap_desc pcv__cap_rebar = {
    .name = "Resizable BAR",
    .id = PCV_EXT_CAP_ID_REBAR,
    .extended = true,
    .flags = PCV__CAP_GUEST | PCV__CAP_HARDWARE,
    .control_size = PCV__RESIZE_LENGTH,
    .setup = setup,
};

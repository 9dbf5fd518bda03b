/* SPDX-License-Identifier: MIT */
/*
 * BAR sizing (HDR-4; PCI Local Bus 3.0, 6.2.5.1): write all ones, read back
 * which bits can be set, and put everything back as it was.
 */
#include "vpci/bars.h"
#include "vpci/cap.h"

/* Functions whose BAR registers are not BARs: home agents and power control of
 * Intel's Xeon E5 v3 and v4 (errata HSE43, BDF2), and C620 chipset functions
 * whose datasheet gives those registers another meaning. */
static const struct {
    uint16_t vendor, device;
} not_bars[] = {
    {0x8086, 0x2fc0}, {0x8086, 0x6f60}, {0x8086, 0x6fa0}, {0x8086, 0x6fc0},
    {0x8086, 0xa1ec}, {0x8086, 0xa1ed}, {0x8086, 0xa26c}, {0x8086, 0xa26d},
};

bool pcv__bar_is_memory(const struct pcv__bar *bar)
{
    return bar->kind == PCV_BAR_MEM32 || bar->kind == PCV_BAR_MEM64 ||
           bar->kind == PCV_BAR_ROM;
}

static uint8_t header_of(const struct pcv_device *device)
{
    return device->id.header_type & PCV_HEADER_TYPE_MASK;
}

static uint32_t bar_count(const struct pcv_device *device)
{
    static const uint8_t counts[] = {6, 2};
    uint8_t header = header_of(device);

    return header < sizeof(counts) ? counts[header] : 0;
}

uint16_t pcv__bar_reg(const struct pcv_device *device, uint32_t bar)
{
    if (bar == PCV_BAR_IS_ROM) {
        return header_of(device) == 1 ? PCV_REG_ROM1 : PCV_REG_ROM0;
    }
    return (uint16_t)(PCV_REG_BAR0 + 4u * bar);
}

static bool registers_are_bars(const struct pcv_device *device)
{
    for (size_t i = 0; i < sizeof(not_bars) / sizeof(not_bars[0]); i++) {
        if (not_bars[i].vendor == device->id.vendor &&
            not_bars[i].device == device->id.device) {
            return false;
        }
    }
    return true;
}

bool pcv__bars_are_there(const struct pcv_device *device)
{
    return bar_count(device) != 0 && registers_are_bars(device);
}

/* The bits of one register that take ones, which it does not keep. */
static uint32_t settable(struct pcv_device *device, uint16_t reg, uint32_t ones)
{
    uint32_t before = pcv__hw_read(device, reg, 4);
    uint32_t mask;

    if (atomic_load_explicit(&device->hw_error, memory_order_relaxed) != 0) {
        return 0; /* what stands there may be unknown: it is left alone */
    }
    pcv__hw_write(device, reg, 4, ones);
    mask = pcv__hw_read(device, reg, 4);
    pcv__hw_restore(device, reg, 4, before);
    return mask;
}

/*
 * A size from the bits that can be set: they must be one run without a hole,
 * whose lowest bit is the size. Bits above the run, that a device does not
 * decode, may be missing. 0: that is no size.
 */
static uint64_t size_of(uint64_t mask)
{
    uint64_t lowest = mask & (~mask + 1u);

    return mask != 0 && ((mask + lowest) & mask) == 0 ? lowest : 0;
}

static uint8_t bar_kind(uint32_t value)
{
    if ((value & PCV_BAR_SPACE_IO) != 0) {
        return PCV_BAR_IO;
    }
    return (value & PCV_BAR_TYPE_MASK) == PCV_BAR_TYPE_64 ? PCV_BAR_MEM64
                                                          : PCV_BAR_MEM32;
}

/* Whether the host states the size of a BAR, and which. */
static bool hinted(struct pcv_device *device, uint32_t bar, uint64_t *out_size)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv_bar_hint hint = {0};

    if (!mem->ops.bar_hint ||
        mem->ops.bar_hint(mem->ctx, pcv__device_sbdf(device), (uint8_t)bar,
                          &hint) != 0) {
        return false;
    }
    *out_size = hint.size;
    return true;
}

static void broken(struct pcv_device *device, struct pcv__bar *bar,
                   uint32_t number, uint64_t mask)
{
    bar->kind = PCV_BAR_NONE;
    bar->order = 0;
    bar->flags = PCV_BAR_BROKEN;
    pcv__event(device, PCV_EVENT_BAR_SIZE, PCV_EVENT_DEVICE, number, mask);
}

/*
 * The bits of a BAR that can be set. A register that takes none reads as its
 * address, which may look like a size: it is believed only if it reaches up to
 * the last bit, as the highest address does.
 */
static uint64_t measured(struct pcv_device *device, uint16_t reg,
                         uint32_t value, uint8_t kind)
{
    uint32_t keep = kind == PCV_BAR_IO ? PCV_BAR_IO_MASK : PCV_BAR_MEM_MASK;
    uint64_t before = value & keep;
    uint64_t mask = settable(device, reg, 0xffffffffu) & keep;
    bool to_the_top = (mask >> (kind == PCV_BAR_IO ? 15 : 31) & 1u) != 0;

    if (kind == PCV_BAR_MEM64) {
        uint16_t upper = (uint16_t)(reg + 4u);

        before |= (uint64_t)pcv__hw_read(device, upper, 4) << 32;
        mask |= (uint64_t)settable(device, upper, 0xffffffffu) << 32;
        to_the_top = mask >> 63 != 0;
    }
    return mask == before && !to_the_top ? 0 : mask;
}

uint32_t pcv__bar_probe(struct pcv_device *device, uint16_t reg,
                        uint32_t number, bool last, const uint64_t *stated,
                        struct pcv__bar *out)
{
    uint32_t value = pcv__hw_read(device, reg, 4);
    uint64_t mask = 0;
    uint32_t registers;

    memset(out, 0, sizeof(*out));
    if (value == 0xffffffffu || (stated && *stated == 0)) {
        return 1;
    }
    out->kind = bar_kind(value);
    if ((value & (PCV_BAR_SPACE_IO | PCV_BAR_TYPE_MASK)) == PCV_BAR_TYPE_MASK ||
        (out->kind == PCV_BAR_MEM64 && last)) {
        /* A reserved type, or no register left for the upper half. */
        broken(device, out, number, value);
        return 1;
    }
    if (out->kind != PCV_BAR_IO && (value & PCV_BAR_PREFETCH) != 0) {
        out->flags |= PCV_BAR_PREFETCHABLE;
    }
    if (stated) {
        out->flags |= PCV_BAR_HINTED;
        mask = ~(*stated - 1u); /* of a power of two */
    } else {
        mask = measured(device, reg, value, out->kind);
    }
    if (mask == 0 && (value & PCV_BAR_MEM_MASK) == 0) {
        out->kind = PCV_BAR_NONE; /* it does not exist */
        return 1;
    }
    registers = out->kind == PCV_BAR_MEM64 ? 2 : 1;
    pcv__bar_set_size(out, size_of(mask));
    if (out->order == 0 || (registers == 1 && out->order >= 32)) {
        broken(device, out, number, mask);
    }
    return registers;
}

static void probe_rom(struct pcv_device *device)
{
    struct pcv__bar *bar = &device->bar[PCV_BAR_IS_ROM];
    uint16_t reg = pcv__bar_reg(device, PCV_BAR_IS_ROM);
    uint64_t size;
    uint32_t mask;

    if (hinted(device, PCV_BAR_IS_ROM, &size)) {
        if (size == 0) {
            return;
        }
        bar->kind = PCV_BAR_ROM;
        bar->flags = PCV_BAR_HINTED;
        pcv__bar_set_size(bar, size_of(~(size - 1u)));
        if (pcv__bar_size(bar) != size || size > PCV_ROM_MASK) {
            broken(device, bar, PCV_BAR_IS_ROM, size);
        }
        return;
    }
    if (pcv__hw_read(device, reg, 4) == 0xffffffffu) {
        return;
    }
    /* The enable bit is not set while all ones stand in the register. */
    mask = settable(device, reg, PCV_ROM_MASK) & PCV_ROM_MASK;
    if (mask == 0) {
        return;
    }
    bar->kind = PCV_BAR_ROM;
    pcv__bar_set_size(bar, size_of(mask));
    if (bar->order == 0) {
        broken(device, bar, PCV_BAR_IS_ROM, mask);
    }
}

static void probe_all(struct pcv_device *device)
{
    uint32_t count = bar_count(device);

    for (uint32_t i = 0; i < count;) {
        uint64_t size;
        bool stated = hinted(device, i, &size);

        i += pcv__bar_probe(device, pcv__bar_reg(device, i), i, i + 1 == count,
                            stated ? &size : NULL, &device->bar[i]);
    }
    probe_rom(device);
}

/* Decoding must not be switched off for what the machine or the hypervisor
 * stands on. */
static bool may_switch_off(const struct pcv_device *device)
{
    const struct pcv__mem *mem = &device->host->mem;

    if (device->id.class_code >> 8 == PCV_CLASS_BRIDGE_HOST) {
        return false;
    }
    return !mem->ops.function_flags ||
           (mem->ops.function_flags(mem->ctx, pcv__device_sbdf(device)) &
            PCV_FUNCTION_IN_USE) == 0;
}

void pcv__bars_size(struct pcv_device *device)
{
    uint32_t command = pcv__hw_read(device, PCV_REG_COMMAND, 2);
    bool off = (command & (PCV_CMD_IO | PCV_CMD_MEMORY)) != 0 &&
               may_switch_off(device);

    if (!pcv__bars_are_there(device) || command == 0xffffu) {
        return;
    }
    if (off) {
        pcv__hw_write(device, PCV_REG_COMMAND, 2,
                      command & ~(PCV_CMD_IO | PCV_CMD_MEMORY));
    }
    probe_all(device);
    if (off) {
        pcv__hw_restore(device, PCV_REG_COMMAND, 2, command);
    }
}

uint32_t pcv__bar_settable(const struct pcv__bar *bar)
{
    uint32_t mask = (uint32_t) ~(pcv__bar_size(bar) - 1u);

    switch (bar->kind) {
    case PCV_BAR_IO:
        return mask & PCV_BAR_IO_MASK;
    case PCV_BAR_ROM:
        return (mask & PCV_ROM_MASK) | PCV_ROM_ENABLE;
    default:
        return mask & PCV_BAR_MEM_MASK;
    }
}

bool pcv__bar_address(struct pcv_device *device, uint32_t number,
                      uint64_t *out_address)
{
    const struct pcv__bar *bar = &device->bar[number];
    uint16_t reg = pcv__bar_reg(device, number);
    uint32_t low;
    uint32_t high = 0;

    if (!pcv__hw_fetch(device, reg, 4, &low) ||
        (bar->kind == PCV_BAR_MEM64 &&
         !pcv__hw_fetch(device, (uint16_t)(reg + 4u), 4, &high))) {
        return false;
    }
    switch (bar->kind) {
    case PCV_BAR_IO:
        *out_address = low & PCV_BAR_IO_MASK;
        break;
    case PCV_BAR_ROM:
        *out_address = low & PCV_ROM_MASK & ~(pcv__bar_size(bar) - 1u);
        break;
    default:
        *out_address = (low & PCV_BAR_MEM_MASK) | (uint64_t)high << 32;
        break;
    }
    return true;
}

void pcv__bars_read(struct pcv_device *device)
{
    if (device->is_vf) {
        return; /* a VF's addresses come from its PF */
    }
    if (pcv__resize_follow(device)) {
        (void)pcv__msix_recheck(device); /* it says so itself */
    }
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        struct pcv__bar *bar = &device->bar[i];
        uint64_t address;

        /* What the host cannot read stays as it was known. */
        if (bar->kind != PCV_BAR_NONE &&
            pcv__bar_address(device, i, &address)) {
            bar->address = address;
        }
    }
}

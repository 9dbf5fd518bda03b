/* SPDX-License-Identifier: MIT */
/*
 * What the host programmed into a function that a guest has, or is to get:
 * remembered when the hardware domain gives it away, and put back after each
 * reset (OWN-5). What a reset loses is PCI Express Base 6.0, 6.6.2.
 */
#include "vpci/cap/resize.h"

/* Bits of Command that are the owner's, or the library's. */
#define COMMAND_NOT_KEPT                                                       \
    (PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_INTX_OFF)
/* Reserved for endpoints: link disable and retrain link. */
#define LNKCTL_NOT_KEPT 0x0030u

#define KEPT_MAX 12u

/* A register that is put back as it was. */
struct kept {
    uint16_t offset;
    uint8_t size;
    uint32_t mask; /* of what is kept; the rest stays as it is then */
    uint32_t value;
};

struct pcv__saved {
    struct pcv__part part;
    struct pcv__bar bar[PCV_BARS];
    struct kept kept[KEPT_MAX];
    uint16_t count;
    uint16_t rebar; /* resizable BAR capability, or 0 */
};

/* ---- remembering -----------------------------------------------------------
 */

struct collector {
    struct pcv_device *device;
    struct pcv__saved *saved;
    bool failed;
};

/* Remember a register. A list that names more than there is room for, or that
 * leads out of configuration space, is a damaged one. All ones, where a
 * register is wider than a byte, are no value: it does not answer. */
static void keep(struct collector *c, uint32_t offset, uint8_t size,
                 uint32_t mask)
{
    struct kept *kept = &c->saved->kept[c->saved->count];
    uint32_t value;

    if (c->saved->count == KEPT_MAX || offset > PCV_CFG_EXT_SIZE - size) {
        return;
    }
    if (!pcv__hw_fetch(c->device, (uint16_t)offset, size, &value) ||
        (size > 1 && value == pcv__ones(size))) {
        c->failed = true;
        return;
    }
    *kept = (struct kept){(uint16_t)offset, size, mask, value & mask};
    c->saved->count++;
}

/* Of a capability of the first list, that may reach over its end. */
static void keep_first(struct collector *c, uint32_t offset, uint8_t size,
                       uint32_t mask)
{
    if (offset <= PCV_CFG_SIZE - size) {
        keep(c, offset, size, mask);
    }
}

static void keep_pcie(struct collector *c)
{
    uint32_t cap = c->device->pcie_cap;
    uint32_t flags;

    if (cap == 0) {
        return;
    }
    if (!pcv__hw_fetch(c->device, (uint16_t)(cap + PCV_PCIE_FLAGS), 2,
                       &flags)) {
        c->failed = true;
        return;
    }
    keep_first(c, cap + PCV_PCIE_DEVCTL, 2, 0xffffu & ~PCV_PCIE_DEVCTL_FLR);
    if (c->device->type == PCV_TYPE_ENDPOINT ||
        c->device->type == PCV_TYPE_LEGACY_ENDPOINT) {
        keep_first(c, cap + PCV_PCIE_LNKCTL, 2, 0xffffu & ~LNKCTL_NOT_KEPT);
    }
    /* The first version ends before these. */
    if ((flags & PCV_PCIE_FLAGS_VERSION) >= 2) {
        keep_first(c, cap + PCV_PCIE_DEVCTL2, 2, 0xffff);
    }
}

static uint32_t read_device(void *ctx, uint16_t reg, uint8_t size)
{
    struct collector *c = ctx;
    uint32_t value;

    if (!pcv__hw_fetch(c->device, reg, size, &value)) {
        c->failed = true;
    }
    return value;
}

static void keep_first_list(struct collector *c)
{
    const struct pcv_cap_source source = {read_device, c};
    struct pcv_cap caps[PCV_CAPS_MAX];
    size_t count = pcv_caps_walk(&source, caps, PCV_CAPS_MAX, NULL);

    for (size_t i = 0; i < count; i++) {
        if (caps[i].id == PCV_CAP_ID_PCIX) {
            keep_first(c, caps[i].offset + PCV_PCIX_COMMAND, 2, 0xffff);
        }
    }
}

/* Control registers of extended capabilities. */
static const struct {
    uint16_t id;
    uint8_t offset, size;
} extended[] = {
    {PCV_EXT_CAP_ID_LTR, 4, 4}, /* 7.8.2: both latencies */
    {PCV_EXT_CAP_ID_ACS, 6, 2}, /* 7.7.11.3 */
    {PCV_EXT_CAP_ID_ARI, 6, 2}, /* 7.8.8.3 */
};

static bool see_extended(void *ctx, const struct pcv_cap *cap)
{
    struct collector *c = ctx;

    for (size_t i = 0; i < sizeof(extended) / sizeof(extended[0]); i++) {
        if (extended[i].id == cap->id) {
            keep(c, (uint32_t)cap->offset + extended[i].offset,
                 extended[i].size, pcv__ones(extended[i].size));
        }
    }
    if (cap->id == PCV_EXT_CAP_ID_REBAR && c->saved->rebar == 0) {
        c->saved->rebar = cap->offset;
    }
    return true;
}

/* A VF has next to nothing of its own: its PF has it, and keeps it. */
static void collect(struct collector *c)
{
    const struct pcv_cap_source source = {read_device, c};

    keep(c, PCV_REG_COMMAND, 2, 0xffffu & ~COMMAND_NOT_KEPT);
    keep(c, PCV_REG_CACHE_LINE, 1, 0xff);
    keep(c, PCV_REG_LATENCY, 1, 0xff);
    keep(c, PCV_REG_INT_LINE, 1, 0xff);
    keep_pcie(c);
    keep_first_list(c);
    if (pcv__is_extended(c->device)) {
        (void)pcv__ext_caps_visit(&source, see_extended, c);
    }
}

int pcv__reset_save(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__saved *saved = pcv__alloc(mem, sizeof(*saved));
    struct collector collector = {device, saved, false};
    uint32_t command;

    if (!saved) {
        return -PCV_ENOMEM;
    }
    if (pcv__hw_quiet_us(device) != 0) {
        pcv__free(mem, saved, sizeof(*saved));
        return -PCV_ERESTART;
    }
    if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command) ||
        command == 0xffffu) {
        collector.failed = true;
    } else if (!device->is_vf) {
        atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
        collect(&collector);
        pcv__bars_read(device); /* of ports, nobody keeps a record */
        collector.failed |=
            atomic_load_explicit(&device->hw_error, memory_order_relaxed) != 0;
    }
    if (collector.failed) {
        pcv__free(mem, saved, sizeof(*saved));
        return -PCV_EIO;
    }
    memcpy(saved->bar, device->bar, sizeof(saved->bar));
    pcv__free(mem, device->saved, sizeof(*saved));
    saved->part.bytes = sizeof(*saved);
    device->saved = saved;
    return 0;
}

/* ---- putting back ----------------------------------------------------------
 */

/* Addresses change only while nothing is decoded there. */
static void decode_off(struct pcv_device *device)
{
    uint32_t command;

    if (pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command) &&
        (command & (PCV_CMD_IO | PCV_CMD_MEMORY)) != 0) {
        pcv__hw_restore(device, PCV_REG_COMMAND, 2,
                        command == 0xffffu
                            ? 0 /* nothing of that is its own */
                            : command & ~(PCV_CMD_IO | PCV_CMD_MEMORY));
    }
}

/* Let the bits of a mask be as they were, if they are not. */
static void put(struct pcv_device *device, uint16_t reg, uint8_t size,
                uint32_t mask, uint32_t value, bool address)
{
    uint32_t now;

    if (!pcv__hw_fetch(device, reg, size, &now)) {
        return; /* hw_error says so */
    }
    if ((now & mask) == value) {
        return;
    }
    if (address) {
        decode_off(device);
    }
    if (now == pcv__ones(size)) {
        now = 0; /* it did not answer: nothing of that is its own */
    }
    pcv__hw_restore(device, reg, size, (now & ~mask) | value);
}

static void put_bar(struct pcv_device *device, uint32_t number)
{
    const struct pcv__bar *bar = &device->bar[number];
    uint16_t reg = pcv__bar_reg(device, number);
    uint32_t low = (uint32_t)bar->address;

    switch ((enum pcv_bar_kind)bar->kind) {
    case PCV_BAR_NONE:
        break;
    case PCV_BAR_IO:
        put(device, reg, 4, PCV_BAR_IO_MASK, low & PCV_BAR_IO_MASK, true);
        break;
    case PCV_BAR_MEM64:
        put(device, (uint16_t)(reg + 4u), 4, 0xffffffffu,
            (uint32_t)(bar->address >> 32), true);
        put(device, reg, 4, PCV_BAR_MEM_MASK, low & PCV_BAR_MEM_MASK, true);
        break;
    case PCV_BAR_MEM32:
        put(device, reg, 4, PCV_BAR_MEM_MASK, low & PCV_BAR_MEM_MASK, true);
        break;
    case PCV_BAR_ROM:
        put(device, reg, 4, PCV_ROM_MASK | PCV_ROM_ENABLE, low & PCV_ROM_MASK,
            true);
        break;
    }
}

/* Let a BAR of a resizable entry have the size that it is known by. */
static void put_size(struct pcv_device *device, uint32_t cap,
                     const struct pcv__resize *entry)
{
    uint64_t size = entry->bar < PCV_BAR_IS_ROM
                        ? pcv__bar_size(&device->bar[entry->bar])
                        : 0;

    for (uint32_t code = 0; size != 0 && code < PCV__RESIZE_CODES; code++) {
        if (pcv__resize_bytes(code) == size) {
            put(device, (uint16_t)(cap + entry->at), 4, PCV__RESIZE_CONTROL,
                code << PCV__RESIZE_SHIFT, true);
        }
    }
}

/* Before the addresses, whose low bits follow the sizes. */
static void put_sizes(struct pcv_device *device, uint16_t at)
{
    const struct pcv__cap cap = {.device = device, .offset = at};
    uint32_t count = at != 0 ? pcv__resize_count(&cap) : 0;

    for (uint32_t i = 0; i < count; i++) {
        struct pcv__resize entry;

        if (pcv__resize_read(&cap, i, &entry)) {
            put_size(device, at, &entry);
        }
    }
}

/* No Snoop lets a function read what caches have not written back yet: what
 * memory held before it was the guest's. Phantom functions would send with
 * requester IDs that are not the guest's (TOPO-5). */
static void tame(struct pcv_device *device)
{
    const uint32_t off = PCV_PCIE_DEVCTL_PHANTOM | PCV_PCIE_DEVCTL_NO_SNOOP;
    uint16_t reg = (uint16_t)(device->pcie_cap + PCV_PCIE_DEVCTL);
    uint32_t control;

    if (device->pcie_cap == 0 || reg > PCV_CFG_SIZE - 2u || device->is_vf) {
        return; /* its PF's bits hold for a VF */
    }
    if (pcv__hw_fetch(device, reg, 2, &control) && control != 0xffffu &&
        (control & off) != 0) {
        pcv__hw_restore(device, reg, 2, control & ~off);
    }
}

void pcv__reset_put_back(struct pcv_device *device)
{
    const struct pcv__saved *saved = device->saved;
    bool guest = device->assignment && !device->torn;

    if (!saved || device->is_vf) {
        return;
    }
    if (!guest) {
        /* A guest may have resized some. */
        memcpy(device->bar, saved->bar, sizeof(device->bar));
    }
    put_sizes(device, saved->rebar);
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        put_bar(device, i);
    }
    for (uint32_t i = 0; i < saved->count; i++) {
        const struct kept *kept = &saved->kept[i];

        put(device, kept->offset, kept->size, kept->mask, kept->value, false);
    }
    if (guest) {
        tame(device);
    }
}

int pcv__reset_tame(struct pcv_device *device)
{
    atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
    tame(device);
    return atomic_load_explicit(&device->hw_error, memory_order_relaxed);
}

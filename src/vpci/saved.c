/* SPDX-License-Identifier: MIT */
/*
 * What the host programmed into a function that a guest has, or is to get:
 * remembered when the hardware domain gives it away, and put back after each
 * reset (OWN-5). What a reset loses is PCI Express Base 6.0, 6.6.2; a reset of
 * the bus loses more, so more is kept. docs/reset.md lists it.
 */
#include "vpci/cap/resize.h"

/* Bits of Command that are the owner's, or the library's. */
#define COMMAND_NOT_KEPT                                                       \
    (PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_INTX_OFF)
/* Reserved for endpoints: link disable and retrain link. */
#define LNKCTL_NOT_KEPT 0x0030u

#define KEPT_MAX 48u

/* A register that is put back as it was. */
struct kept {
    uint16_t offset;
    uint8_t size;
    bool host;     /* while a guest has the function, it is left off */
    uint32_t mask; /* of what is kept; the rest stays as it is then */
    uint32_t value;
};

struct pcv__saved {
    struct pcv__part part;
    struct pcv__bar bar[PCV_BARS];
    struct kept kept[KEPT_MAX];
    uint16_t count;
    uint16_t rebar;   /* resizable BAR capability, or 0 */
    uint16_t command; /* all of it */
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
static void keep_for(struct collector *c, bool host, uint32_t offset,
                     uint8_t size, uint32_t mask)
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
    *kept = (struct kept){(uint16_t)offset, size, host, mask, value & mask};
    c->saved->count++;
}

static void keep(struct collector *c, uint32_t offset, uint8_t size,
                 uint32_t mask)
{
    keep_for(c, false, offset, size, mask);
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
    /* The first version ends before these. */
    if ((flags & PCV_PCIE_FLAGS_VERSION) >= 2) {
        keep_first(c, cap + PCV_PCIE_DEVCTL2, 2, 0xffff);
    }
}

/* After what its power management needs (PCI Express Base 6.0, 5.5.4: L1
 * substates are set up before ASPM is switched on). */
static void keep_link(struct collector *c)
{
    if (c->device->pcie_cap != 0 &&
        (c->device->type == PCV_TYPE_ENDPOINT ||
         c->device->type == PCV_TYPE_LEGACY_ENDPOINT)) {
        keep_first(c, (uint32_t)c->device->pcie_cap + PCV_PCIE_LNKCTL, 2,
                   0xffffu & ~LNKCTL_NOT_KEPT);
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

/*
 * Control registers of extended capabilities, in the order in which they are
 * put back: PASID is not changed while ATS is on (10.5.1.3), L1 substates are
 * switched on after their parameters. What lets a function go past the IOMMU's
 * translation is for its host alone.
 */
static const struct {
    uint16_t id;
    uint8_t offset, size;
    bool host;
    uint32_t mask;
} extended[] = {
    {PCV_EXT_CAP_ID_LTR, 4, 4, false, 0xffffffff},    /* 7.8.2: latencies */
    {PCV_EXT_CAP_ID_ACS, 6, 2, false, 0xffff},        /* 7.7.11.3 */
    {PCV_EXT_CAP_ID_ARI, 6, 2, false, 0xffff},        /* 7.8.8.3 */
    {PCV_EXT_CAP_ID_AER, 0x08, 4, false, 0xffffffff}, /* 7.8.4: masks, */
    {PCV_EXT_CAP_ID_AER, 0x0c, 4, false, 0xffffffff}, /* severities, */
    {PCV_EXT_CAP_ID_AER, 0x14, 4, false, 0xffffffff},
    {PCV_EXT_CAP_ID_AER, 0x18, 4, false, 0x00000540}, /* and checks */
    {PCV_EXT_CAP_ID_TPH, 8, 4, false, 0x00000307},    /* 7.9.13.3 */
    {PCV_EXT_CAP_ID_PTM, 8, 4, false, 0x0000ff03},    /* 7.9.15.3 */
    {PCV_EXT_CAP_ID_L1SS, 12, 4, false, 0xffffffff},  /* 7.8.3.4 */
    {PCV_EXT_CAP_ID_L1SS, 8, 4, false, 0xffffffff},   /* 7.8.3.3 */
    {PCV_EXT_CAP_ID_PASID, 6, 2, true, 0x0007},       /* 7.8.9.3 */
    {PCV_EXT_CAP_ID_PRI, 12, 4, true, 0xffffffff},    /* 10.5.2.5 */
    {PCV_EXT_CAP_ID_PRI, 4, 2, true, 0x0001},         /* 10.5.2.2 */
    {PCV_EXT_CAP_ID_ATS, 6, 2, true, 0x801f},         /* 10.5.1.3 */
};

#define EXTENDED (sizeof(extended) / sizeof(extended[0]))

/* Where they are; 0: they are not. */
struct places {
    uint16_t at[EXTENDED];
    uint16_t rebar, vf_rebar, sriov;
};

static bool see_extended(void *ctx, const struct pcv_cap *cap)
{
    struct places *places = ctx;

    for (size_t i = 0; i < EXTENDED; i++) {
        if (extended[i].id == cap->id && places->at[i] == 0) {
            places->at[i] = cap->offset;
        }
    }
    if (cap->id == PCV_EXT_CAP_ID_REBAR && places->rebar == 0) {
        places->rebar = cap->offset;
    }
    if (cap->id == PCV_EXT_CAP_ID_VF_REBAR && places->vf_rebar == 0) {
        places->vf_rebar = cap->offset;
    }
    if (cap->id == PCV_EXT_CAP_ID_SRIOV && places->sriov == 0) {
        places->sriov = cap->offset;
    }
    return true;
}

/* What VFs will have, though none is enabled: sizes, the page size that they
 * are multiples of, then addresses, whose low bits follow both (7.8.7.3,
 * 9.3.3.13, 9.3.3.14); and whether ARI numbers them (9.3.3.3.5). */
static void keep_sriov(struct collector *c, const struct places *places)
{
    const struct pcv__cap cap = {.device = c->device,
                                 .offset = places->vf_rebar};
    uint32_t sizes = places->vf_rebar != 0 ? pcv__resize_count(&cap) : 0;

    for (uint32_t i = 0; i < sizes; i++) {
        keep(c, places->vf_rebar + 8u + 8u * i, 4, PCV__RESIZE_CONTROL);
    }
    if (places->sriov == 0) {
        return;
    }
    keep(c, places->sriov + PCV_SRIOV_PAGE_SIZE, 4, 0xffffffffu);
    for (uint32_t i = 0; i < PCV__VF_BARS; i++) {
        keep(c, places->sriov + PCV_SRIOV_BAR + 4u * i, 4, PCV_BAR_MEM_MASK);
    }
    keep(c, places->sriov + PCV_SRIOV_CTRL, 2, PCV_SRIOV_CTRL_ARI);
}

static void keep_extended(struct collector *c)
{
    const struct pcv_cap_source source = {read_device, c};
    struct places places;

    memset(&places, 0, sizeof(places));
    if (!pcv__is_extended(c->device)) {
        return;
    }
    (void)pcv__ext_caps_visit(&source, see_extended, &places);
    c->saved->rebar = places.rebar;
    for (size_t i = 0; i < EXTENDED; i++) {
        if (places.at[i] != 0) {
            keep_for(c, extended[i].host,
                     (uint32_t)places.at[i] + extended[i].offset,
                     extended[i].size, extended[i].mask);
        }
    }
    keep_sriov(c, &places);
}

/* A VF has next to nothing of its own: its PF has it, and keeps it. But how it
 * asks for translations and where it may send to is (9.3.7). */
static void collect(struct collector *c)
{
    if (c->device->is_vf) {
        keep_extended(c);
        return;
    }
    keep(c, PCV_REG_COMMAND, 2, 0xffffu & ~COMMAND_NOT_KEPT);
    keep(c, PCV_REG_CACHE_LINE, 1, 0xff);
    keep(c, PCV_REG_LATENCY, 1, 0xff);
    keep(c, PCV_REG_INT_LINE, 1, 0xff);
    keep_pcie(c);
    keep_first_list(c);
    keep_extended(c);
    keep_link(c);
}

int pcv__reset_save(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__saved *saved = pcv__alloc(mem, sizeof(*saved));
    struct collector collector = {device, saved, false};
    uint32_t command;
    int error;

    if (!saved) {
        return -PCV_ENOMEM;
    }
    /* What a reset took is put back first, where its owner is not to notice. */
    error = pcv__settle_rests(device);
    if (error != 0) {
        pcv__free(mem, saved, sizeof(*saved));
        return error;
    }
    if (!pcv__hw_fetch(device, PCV_REG_COMMAND, 2, &command) ||
        command == 0xffffu) {
        collector.failed = true;
    } else {
        atomic_store_explicit(&device->hw_error, 0, memory_order_relaxed);
        collect(&collector);
        if (!device->is_vf) {
            pcv__bars_read(device); /* of ports, nobody keeps a record */
        }
        collector.failed |=
            atomic_load_explicit(&device->hw_error, memory_order_relaxed) != 0;
    }
    if (collector.failed) {
        pcv__free(mem, saved, sizeof(*saved));
        return -PCV_EIO;
    }
    memcpy(saved->bar, device->bar, sizeof(saved->bar));
    saved->command = (uint16_t)command;
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

/* What is mapped now is not what was mapped then. */
static void put_known(struct pcv_device *device, const struct pcv__saved *saved)
{
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        uint8_t mapped = (uint8_t)(device->bar[i].flags & PCV_BAR_MAPPED);

        device->bar[i] = saved->bar[i];
        device->bar[i].flags =
            (uint8_t)((device->bar[i].flags & ~PCV_BAR_MAPPED) | mapped);
    }
}

static void put_bars(struct pcv_device *device, const struct pcv__saved *saved,
                     bool guest)
{
    if (!guest) {
        /* A guest may have resized some. */
        put_known(device, saved);
    }
    put_sizes(device, saved->rebar);
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        put_bar(device, i);
    }
}

void pcv__reset_put_back(struct pcv_device *device)
{
    const struct pcv__saved *saved = device->saved;
    bool guest = device->assignment && !device->torn;

    if (!saved) {
        return;
    }
    if (!device->is_vf) {
        put_bars(device, saved, guest); /* of VFs the PF has them */
    }
    for (uint32_t i = 0; i < saved->count; i++) {
        const struct kept *kept = &saved->kept[i];

        put(device, kept->offset, kept->size, kept->mask,
            guest && kept->host ? 0 : kept->value, false);
    }
    if (guest) {
        pcv__tame(device);
    }
}

uint16_t pcv__reset_saved_command(const struct pcv_device *device)
{
    return device->saved ? device->saved->command : 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The placeholder of a function that its hardware domain gave away (OWN-14):
 *
 *   header        as it was, decoding, bus mastering and errors off
 *   BARs          the host's addresses; a byte that was written with ones reads
 *                 which of its bits can be set, until it is written with
 *                 something else: so they can be sized, and nothing moves
 *   capabilities  the lists, and what says who the function is: the kind of
 *                 PCI Express function, its serial number, the next function
 *                 behind it (without which a scan by ARI would end here)
 *   the rest      zero
 *
 * All of it was read before the function changed its owner.
 */
#include "vpci/shadow.h"
#include "vpci/bars.h"

#define HEADER 16u /* dwords */
#define ROOM (2u * PCV_CAPS_MAX + 4u)

/* Bits of Command that are the owner's (saved.c puts the others back). */
#define COMMAND_OFF                                                            \
    (PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_INTX_OFF)
#define BIST_DWORD 3u

/* A dword behind the header that does not read zero. */
struct kept {
    uint16_t at;
    uint32_t value;
};

struct pcv__shadow {
    struct pcv__part part;
    uint32_t header[HEADER];
    uint32_t settable[HEADER]; /* of a BAR's register: bits of its address */
    uint8_t ones[HEADER];      /* bytes of it that were written with ones */
    uint16_t count;
    struct kept kept[];
};

static size_t bytes_for(uint32_t count)
{
    return sizeof(struct pcv__shadow) + count * sizeof(struct kept);
}

/* ---- remembering -----------------------------------------------------------
 */

struct collector {
    struct pcv_device *device;
    struct kept kept[ROOM];
    uint32_t count;
    bool failed;
};

static uint32_t fetch(void *ctx, uint16_t reg, uint8_t size)
{
    struct collector *c = ctx;
    uint32_t value;

    if (!pcv__hw_fetch(c->device, reg, size, &value)) {
        c->failed = true;
    }
    return value;
}

/* A dword of hardware's, of which only some bits are shown. A list that names
 * more than there is room for is a damaged one. */
static void keep(struct collector *c, uint32_t at, uint32_t shown)
{
    if (c->count < ROOM && at <= PCV_CFG_EXT_SIZE - 4u) {
        c->kept[c->count].at = (uint16_t)at;
        c->kept[c->count].value = fetch(c, (uint16_t)at, 4) & shown;
        c->count++;
    }
}

static void keep_first(struct collector *c)
{
    const struct pcv_cap_source source = {fetch, c};
    struct pcv_cap caps[PCV_CAPS_MAX];
    size_t count = pcv_caps_walk(&source, caps, PCV_CAPS_MAX, NULL);

    for (size_t i = 0; i < count; i++) {
        keep(c, caps[i].offset,
             caps[i].id == PCV_CAP_ID_PCIE ? 0xffffffffu : 0xffffu);
    }
}

static void keep_extended(struct collector *c)
{
    const struct pcv_cap_source source = {fetch, c};
    struct pcv_cap caps[PCV_CAPS_MAX];
    size_t count = pcv_ext_caps_walk(&source, caps, PCV_CAPS_MAX, NULL);

    for (size_t i = 0; i < count; i++) {
        keep(c, caps[i].offset, 0xffffffffu);
    }
    for (size_t i = 0; i < count; i++) {
        if (caps[i].id == PCV_EXT_CAP_ID_ARI) {
            keep(c, caps[i].offset + PCV_ARI_CAP, 0xffffu);
        } else if (caps[i].id == PCV_EXT_CAP_ID_DSN) {
            keep(c, caps[i].offset + 4u, 0xffffffffu);
            keep(c, caps[i].offset + 8u, 0xffffffffu);
        }
    }
}

/* What can be set of a BAR, in the register or two that it has; a register that
 * is no BAR must not look like one without a size. */
static void shape_bars(const struct pcv_device *device,
                       struct pcv__shadow *shadow)
{
    for (uint32_t i = 0; i < PCV_BARS; i++) {
        const struct pcv__bar *bar = &device->bar[i];
        uint32_t at = pcv__bar_reg(device, i) / 4u;

        if ((bar->flags & PCV_BAR_BROKEN) != 0) {
            shadow->header[at] = 0;
        }
        if (bar->order == 0) {
            continue;
        }
        shadow->settable[at] = pcv__bar_settable(bar);
        if (bar->kind == PCV_BAR_MEM64) {
            shadow->settable[at + 1u] =
                (uint32_t)(~(pcv__bar_size(bar) - 1u) >> 32);
        }
        if (bar->kind == PCV_BAR_ROM) {
            shadow->settable[at] &= PCV_ROM_MASK;
            shadow->header[at] &= ~PCV_ROM_ENABLE;
        }
    }
}

/* As it is when it comes back: nothing of what its owner did is in it. */
static void silence(const struct pcv_device *device, struct pcv__shadow *shadow)
{
    uint32_t status = PCV_STATUS_W1C | PCV_STATUS_INTX;

    shadow->header[PCV_REG_COMMAND / 4u] &= ~(COMMAND_OFF | status << 16);
    shadow->header[BIST_DWORD] &= 0x00ffffffu;
    if ((device->id.header_type & PCV_HEADER_TYPE_MASK) == 1) {
        shadow->header[PCV_REG_IO_BASE / 4u] &= ~(PCV_STATUS_W1C << 16);
        shadow->header[PCV_REG_BRIDGE_CONTROL / 4u] &=
            ~(PCV_BRIDGE_RESET << 16);
    }
}

static void fill(struct collector *c, struct pcv__shadow *shadow)
{
    const struct pcv_device *device = c->device;

    for (uint32_t i = 0; i < HEADER; i++) {
        shadow->header[i] = fetch(c, (uint16_t)(i * 4u), 4);
    }
    c->failed |= shadow->header[PCV_REG_COMMAND / 4u] == UINT32_MAX;
    silence(device, shadow);
    if (!device->is_vf && pcv__bars_are_there(device)) {
        shape_bars(device, shadow);
    }
}

static void collect(struct collector *c, struct pcv_device *device)
{
    memset(c, 0, sizeof(*c));
    c->device = device;
    if ((fetch(c, PCV_REG_STATUS, 2) & PCV_STATUS_CAPS) != 0) {
        keep_first(c);
    }
    if (pcv__is_extended(device)) {
        keep_extended(c);
    }
}

int pcv__shadow_cast(struct pcv_device *device)
{
    struct pcv__mem *mem = &device->host->mem;
    struct pcv__extras *extras = pcv__extras_get(device);
    struct pcv__shadow *shadow;
    struct collector collector;
    int error;

    if (!extras) {
        return -PCV_ENOMEM;
    }
    error = pcv__settle_rests(device);
    if (error != 0) {
        return error;
    }
    collect(&collector, device);
    shadow = pcv__alloc(mem, bytes_for(collector.count));
    if (!shadow) {
        return -PCV_ENOMEM;
    }
    shadow->part.bytes = bytes_for(collector.count);
    shadow->count = (uint16_t)collector.count;
    memcpy(shadow->kept, collector.kept,
           collector.count * sizeof(collector.kept[0]));
    fill(&collector, shadow);
    if (collector.failed) {
        pcv__free(mem, shadow, shadow->part.bytes);
        return -PCV_EIO;
    }
    pcv__shadow_drop(device);
    extras->shadow = shadow;
    atomic_fetch_add_explicit(&device->host->shadow_count, 1,
                              memory_order_release);
    return 0;
}

void pcv__shadow_drop(struct pcv_device *device)
{
    struct pcv__shadow *shadow = pcv__shadow_of(device);

    if (shadow) {
        device->extras->shadow = NULL;
        pcv__free(&device->host->mem, shadow, shadow->part.bytes);
        atomic_fetch_sub_explicit(&device->host->shadow_count, 1,
                                  memory_order_release);
    }
}

/* ---- accesses --------------------------------------------------------------
 */

/* The bits of the bytes that were written with ones. */
static uint32_t bits_of(uint8_t bytes)
{
    uint32_t bits = 0;

    for (uint32_t i = 0; i < 4; i++) {
        bits |= ((uint32_t)bytes >> i & 1u) != 0 ? 0xffu << (i * 8u) : 0;
    }
    return bits;
}

static uint32_t dword_read(const struct pcv__shadow *shadow, uint32_t at)
{
    if (at < HEADER * 4u) {
        return shadow->header[at / 4u] |
               (shadow->settable[at / 4u] & bits_of(shadow->ones[at / 4u]));
    }
    /* Bounded: ROOM. */
    for (uint32_t i = 0; i < shadow->count; i++) {
        if (shadow->kept[i].at == at) {
            return shadow->kept[i].value;
        }
    }
    return 0;
}

uint32_t pcv__shadow_read(const struct pcv__shadow *shadow, uint16_t reg,
                          uint8_t size)
{
    return dword_read(shadow, reg & ~3u) >> (reg % 4u * 8u) & pcv__ones(size);
}

bool pcv__shadow_write(struct pcv__shadow *shadow, uint16_t reg, uint8_t size,
                       uint32_t value)
{
    uint32_t dword = reg / 4u;

    if (dword >= HEADER || shadow->settable[dword] == 0) {
        return false;
    }
    for (uint32_t i = 0; i < size; i++) {
        uint32_t byte = reg % 4u + i;
        uint32_t can = shadow->settable[dword] >> (byte * 8u) & 0xffu;
        bool ones = (value >> (i * 8u) & can) == can;

        shadow->ones[dword] &= (uint8_t) ~(1u << byte);
        shadow->ones[dword] |= (uint8_t)((ones ? 1u : 0u) << byte);
    }
    return true;
}

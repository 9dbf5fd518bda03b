/* SPDX-License-Identifier: MIT */
/*
 * The registers of a made-up function: the header (PCI Local Bus 3.0, 6.1;
 * PCI-to-PCI Bridge 1.2, 3.2), as firmware and an operating system leave it.
 */
#include "generate_bytes.h"

#include "pcivisor/regs.h"

void pcv__gen_put16(struct pcv__gen_bytes *b, unsigned at, uint32_t value)
{
    b->config[at] = (uint8_t)value;
    b->config[at + 1] = (uint8_t)(value >> 8);
}

void pcv__gen_put32(struct pcv__gen_bytes *b, unsigned at, uint32_t value)
{
    pcv__gen_put16(b, at, value);
    pcv__gen_put16(b, at + 2, value >> 16);
}

bool pcv__gen_occupied(const struct pcv__gen_bytes *b)
{
    return b->plan->fn[(uint32_t)b->fn->secondary << 8].role != PCV__GEN_NONE;
}

static void put_identity(struct pcv__gen_bytes *b)
{
    const struct pcv__gen_kind *kind = b->kind;
    bool vf = b->fn->vf;

    /* A VF's IDs are in its PF's capability (SR-IOV 1.1, 3.4.1.1). */
    pcv__gen_put16(b, PCV_REG_VENDOR, vf ? 0xffff : kind->vendor);
    pcv__gen_put16(b, PCV_REG_DEVICE, vf ? 0xffff : kind->device);
    pcv__gen_put32(b, PCV_REG_REVISION, kind->class_code << 8 | kind->revision);
    b->config[PCV_REG_HEADER_TYPE] =
        (uint8_t)(pcv__gen_is_bridge((enum pcv__gen_role)b->fn->role) |
                  (b->fn->multi ? PCV_HEADER_MULTI : 0));
    if (!vf) {
        b->config[PCV_REG_CACHE_LINE] = 0x10;
    }
}

static void put_interrupt(struct pcv__gen_bytes *b)
{
    if (b->fn->vf || b->fn->role == PCV__GEN_HOST) {
        return;
    }
    b->config[PCV_REG_INT_LINE] = (uint8_t)(b->rid % 2 == 0 ? 10 : 11);
    b->config[PCV_REG_INT_PIN] = (uint8_t)(1 + (b->rid & 3u));
}

/* ---- type 0 -------------------------------------------------------------- */

/* Returns the registers that the BAR takes. */
static unsigned put_bar(struct pcv__gen_bytes *b, unsigned at,
                        const struct pcv__gen_bar *bar, uint64_t address)
{
    uint32_t low = (uint32_t)address;

    if (bar->space == PCV__GEN_IO) {
        pcv__gen_put32(b, at, low | PCV_BAR_SPACE_IO);
        return 1;
    }
    low |= bar->space == PCV__GEN_PREF ? PCV_BAR_PREFETCH : 0;
    low |= bar->wide ? PCV_BAR_TYPE_64 : 0;
    pcv__gen_put32(b, at, low);
    if (!bar->wide) {
        return 1;
    }
    pcv__gen_put32(b, at + 4, (uint32_t)(address >> 32));
    return 2;
}

/* Decoding is on for the spaces where every BAR has an address. */
static void put_bars(struct pcv__gen_bytes *b)
{
    uint32_t command = PCV_CMD_MASTER | PCV_CMD_SERR;
    uint32_t homeless = 0;
    unsigned at = PCV_REG_BAR0;

    for (unsigned i = 0; i < PCV__GEN_BARS && b->fn->log2[i] != 0; i++) {
        const struct pcv__gen_bar *bar = &b->kind->bars[i];
        uint32_t decode =
            bar->space == PCV__GEN_IO ? PCV_CMD_IO : PCV_CMD_MEMORY;

        command |= decode;
        homeless |= b->fn->at[i] == 0 ? decode : 0;
        at += 4 * put_bar(b, at, bar, b->fn->at[i]);
    }
    if (b->fn->log2[PCV__GEN_ROM] != 0) {
        pcv__gen_put32(b, PCV_REG_ROM0, (uint32_t)b->fn->at[PCV__GEN_ROM]);
    }
    pcv__gen_put16(b, PCV_REG_COMMAND, command & ~homeless);
}

static void put_type0(struct pcv__gen_bytes *b)
{
    if (b->fn->vf) {
        pcv__gen_put16(b, PCV_REG_COMMAND, PCV_CMD_MASTER);
    } else {
        put_bars(b);
    }
    pcv__gen_put16(b, PCV_REG_SUBSYSTEM_VENDOR, b->kind->vendor);
    pcv__gen_put16(b, PCV_REG_SUBSYSTEM, 0x0001u + (b->kind->device & 0xffu));
}

/* ---- type 1 -------------------------------------------------------------- */

static void put_windows(struct pcv__gen_bytes *b)
{
    const struct pcv__gen_window *window =
        b->plan->bus[b->fn->secondary].window;
    uint64_t base[PCV__GEN_SPACES] = {0xf000, 0xfff00000u, 0xfff00000u};
    uint64_t last[PCV__GEN_SPACES] = {0, 0, 0};

    for (unsigned s = 0; s < PCV__GEN_SPACES; s++) {
        if (window[s].open) {
            base[s] = window[s].base;
            last[s] = window[s].base + window[s].size - 1;
        }
    }
    b->config[PCV_REG_IO_BASE] = (uint8_t)(base[PCV__GEN_IO] >> 8 & 0xf0u);
    b->config[PCV_REG_IO_LIMIT] = (uint8_t)(last[PCV__GEN_IO] >> 8 & 0xf0u);
    pcv__gen_put16(b, PCV_REG_MEM_BASE, base[PCV__GEN_MEM] >> 16 & 0xfff0u);
    pcv__gen_put16(b, PCV_REG_MEM_LIMIT, last[PCV__GEN_MEM] >> 16 & 0xfff0u);
    /* The lowest bit says that the window has 64 address bits. */
    pcv__gen_put16(b, PCV_REG_PREF_BASE,
                   (base[PCV__GEN_PREF] >> 16 & 0xfff0u) | 1u);
    pcv__gen_put16(b, PCV_REG_PREF_LIMIT,
                   (last[PCV__GEN_PREF] >> 16 & 0xfff0u) | 1u);
    pcv__gen_put32(b, PCV_REG_PREF_BASE_HI,
                   (uint32_t)(base[PCV__GEN_PREF] >> 32));
    pcv__gen_put32(b, PCV_REG_PREF_LIMIT_HI,
                   (uint32_t)(last[PCV__GEN_PREF] >> 32));
}

static void put_type1(struct pcv__gen_bytes *b)
{
    uint8_t secondary = b->fn->secondary;

    pcv__gen_put16(b, PCV_REG_COMMAND,
                   PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_SERR);
    b->config[PCV_REG_PRIMARY] = (uint8_t)(b->rid >> 8);
    b->config[PCV_REG_SECONDARY] = secondary;
    b->config[PCV_REG_SUBORDINATE] = b->plan->bus[secondary].subordinate;
    b->config[PCV_REG_SEC_LATENCY] = b->fn->role == PCV__GEN_TO_PCI ? 0x40 : 0;
    put_windows(b);
    pcv__gen_put16(b, PCV_REG_BRIDGE_CONTROL, 0x0002); /* SERR# is passed on */
}

void pcv__gen_registers(const struct pcv__gen_plan *plan, uint16_t rid,
                        uint8_t *config)
{
    struct pcv__gen_bytes b = {
        .plan = plan,
        .fn = &plan->fn[rid],
        .kind = &pcv__gen_kinds[plan->fn[rid].kind],
        .rid = rid,
        .config = config,
        .link = PCV_REG_CAPS,
        .next = 0x40,
        .ext_next = PCV_EXT_CAP_START,
    };

    put_identity(&b);
    put_interrupt(&b);
    if (pcv__gen_is_bridge((enum pcv__gen_role)b.fn->role)) {
        put_type1(&b);
    } else {
        put_type0(&b);
    }
    pcv__gen_capabilities(&b);
    if (b.fn->extended) {
        pcv__gen_ext_capabilities(&b);
    }
}

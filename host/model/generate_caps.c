/* SPDX-License-Identifier: MIT */
/*
 * The capabilities of a made-up function (PCI Local Bus 3.0, 6.7 and 6.8;
 * PCI Express Base 6.0, 7.5.2, 7.5.3, 7.7.1 and 7.7.2).
 */
#include "generate_bytes.h"

#include "pcivisor/regs.h"

#define SPEED 3u /* 8 GT/s */
#define WIDTH 4u

/* Append a capability; returns its offset. */
static unsigned add(struct pcv__gen_bytes *b, uint8_t id, unsigned size)
{
    unsigned at = b->next;

    b->config[PCV_REG_STATUS] |= PCV_STATUS_CAPS;
    b->config[b->link] = (uint8_t)at;
    b->config[at] = id;
    b->link = at + 1;
    b->next = at + ((size + 3) & ~3u);
    return at;
}

static void add_pm(struct pcv__gen_bytes *b)
{
    unsigned at = add(b, PCV_CAP_ID_PM, 8);

    pcv__gen_put16(b, at + 2, b->kind->pm);
    /* No_Soft_Reset: what the function knew survives D3hot. */
    pcv__gen_put16(b, at + 4, b->fn->role == PCV__GEN_CONVENTIONAL ? 0 : 8);
}

/* 64-bit where the bus is PCI Express, with a mask for several vectors. */
static void add_msi(struct pcv__gen_bytes *b)
{
    bool wide = b->fn->role != PCV__GEN_CONVENTIONAL;
    uint32_t vectors = b->kind->msi - 1u;
    bool mask = wide && vectors > 0;
    unsigned at = add(b, PCV_CAP_ID_MSI, mask ? 24 : wide ? 14 : 10);

    pcv__gen_put16(b, at + 2,
                   vectors << 1 | (wide ? 0x80u : 0) | (mask ? 0x100u : 0));
}

/* The number of the first memory BAR's register, and its size. */
static unsigned table_bar(const struct pcv__gen_bytes *b, uint32_t *out_size)
{
    unsigned number = 0;

    if (b->fn->vf) {
        *out_size = 1u << b->plan->fn[b->fn->pf_rid].log2[PCV__GEN_VF_BAR];
        return 0;
    }
    for (unsigned i = 0; i < PCV__GEN_BARS; i++) {
        if (b->kind->bars[i].space != PCV__GEN_IO) {
            *out_size = 1u << b->fn->log2[i];
            break;
        }
        number += b->kind->bars[i].wide ? 2 : 1;
    }
    return number;
}

/* The table is in the middle of its BAR, the pending bits follow in the last
 * quarter, so that both are apart from the registers of the device. */
static void add_msix(struct pcv__gen_bytes *b)
{
    uint32_t size = 0;
    uint32_t bar = table_bar(b, &size);
    uint32_t entries = b->kind->msix;
    unsigned at = add(b, PCV_CAP_ID_MSIX, 12);

    if (b->fn->vf && entries > 8) {
        entries = 8;
    }
    pcv__gen_put16(b, at + 2, entries - 1);
    pcv__gen_put32(b, at + 4, size / 2 | bar);
    pcv__gen_put32(b, at + 8, size / 4 * 3 | bar);
}

/* ---- PCI Express --------------------------------------------------------- */

static uint32_t port_type(enum pcv__gen_role role)
{
    switch (role) {
    case PCV__GEN_ROOT_PORT:
        return PCV_PCIE_TYPE_ROOT_PORT;
    case PCV__GEN_UPSTREAM:
        return PCV_PCIE_TYPE_UPSTREAM;
    case PCV__GEN_DOWNSTREAM:
        return PCV_PCIE_TYPE_DOWNSTREAM;
    case PCV__GEN_TO_PCI:
        return PCV_PCIE_TYPE_TO_PCI;
    case PCV__GEN_INTEGRATED:
        return PCV_PCIE_TYPE_RC_ENDPOINT;
    case PCV__GEN_NONE:
    case PCV__GEN_HOST:
    case PCV__GEN_ENDPOINT:
    case PCV__GEN_CONVENTIONAL:
    case PCV__GEN_ROLES:
        break;
    }
    return PCV_PCIE_TYPE_ENDPOINT;
}

/* A port with a link below it, and perhaps a slot at its end. */
static bool is_downstream(const struct pcv__gen_bytes *b)
{
    return b->fn->role == PCV__GEN_ROOT_PORT ||
           b->fn->role == PCV__GEN_DOWNSTREAM;
}

static void put_link(struct pcv__gen_bytes *b, unsigned at)
{
    bool below = is_downstream(b);
    bool up = !below || pcv__gen_occupied(b);
    uint32_t port = (b->rid & 0xffu) << 24;
    uint32_t width = WIDTH << 4;

    /* Active state L1; below a port, link active is reported. */
    pcv__gen_put32(b, at + PCV_PCIE_LNKCAP,
                   SPEED | width | 0x800u | (below ? 0x100000u | port : 0));
    if (b->fn->vf) {
        return; /* the link's state is the PF's */
    }
    pcv__gen_put16(b, at + PCV_PCIE_LNKCTL, 0x0040); /* common clock */
    pcv__gen_put16(b, at + PCV_PCIE_LNKSTA,
                   up ? SPEED | width | 0x1000u | (below ? 0x2000u : 0)
                      : 0x1001u);
    pcv__gen_put32(b, at + 0x2cu, 0x0eu); /* 2.5, 5 and 8 GT/s */
    pcv__gen_put16(b, at + PCV_PCIE_LNKCTL2, SPEED);
}

/* Hot-plug capable; the slot's number is the port's own. */
static void put_slot(struct pcv__gen_bytes *b, unsigned at)
{
    uint32_t number = (uint32_t)b->fn->secondary << 19;

    pcv__gen_put32(b, at + PCV_PCIE_SLTCAP, 0x7bu | number);
    pcv__gen_put16(b, at + PCV_PCIE_SLTCTL,
                   pcv__gen_occupied(b) ? 0x01c0u : 0x07c0u);
    pcv__gen_put16(b, at + PCV_PCIE_SLTSTA, pcv__gen_occupied(b) ? 0x40 : 0);
}

static void add_pcie(struct pcv__gen_bytes *b)
{
    enum pcv__gen_role role = (enum pcv__gen_role)b->fn->role;
    bool endpoint = role == PCV__GEN_ENDPOINT || role == PCV__GEN_INTEGRATED;
    bool slot = is_downstream(b) && b->plan->bus[b->fn->secondary].leaf;
    unsigned at = add(b, PCV_CAP_ID_PCIE, 0x3c);
    bool ari = is_downstream(b) && b->plan->bus[b->fn->secondary].sriov;

    pcv__gen_put16(b, at + PCV_PCIE_FLAGS,
                   2u | port_type(role) << PCV_PCIE_FLAGS_TYPE_SHIFT |
                       (slot ? PCV_PCIE_FLAGS_SLOT : 0));
    /* Payloads of up to 256 bytes, role-based error reporting. */
    pcv__gen_put32(b, at + PCV_PCIE_DEVCAP,
                   0x8001u | (endpoint ? PCV_PCIE_DEVCAP_FLR : 0));
    if (!b->fn->vf) {
        pcv__gen_put16(b, at + PCV_PCIE_DEVCTL, 0x2810);
    }
    if (role != PCV__GEN_INTEGRATED) {
        put_link(b, at);
    }
    if (slot) {
        put_slot(b, at);
    }
    /* Completion time-outs, and ARI forwarding in ports. */
    pcv__gen_put32(b, at + PCV_PCIE_DEVCAP2,
                   0x1fu | (is_downstream(b) ? 0x20u : 0));
    pcv__gen_put16(b, at + PCV_PCIE_DEVCTL2, ari ? PCV_PCIE_DEVCTL2_ARI : 0);
}

static void add_subsystem(struct pcv__gen_bytes *b)
{
    unsigned at = add(b, PCV_CAP_ID_SSVID, 8);

    pcv__gen_put16(b, at + 4, b->kind->vendor);
    pcv__gen_put16(b, at + 6, b->kind->device);
}

void pcv__gen_capabilities(struct pcv__gen_bytes *b)
{
    enum pcv__gen_role role = (enum pcv__gen_role)b->fn->role;

    if (b->kind->pm != 0) {
        add_pm(b);
    }
    if (b->kind->msi != 0 && !b->fn->vf) {
        add_msi(b);
    }
    if (b->kind->msix != 0) {
        add_msix(b);
    }
    if (role != PCV__GEN_HOST && role != PCV__GEN_CONVENTIONAL) {
        add_pcie(b);
    }
    if (pcv__gen_is_bridge(role)) {
        add_subsystem(b);
    }
}

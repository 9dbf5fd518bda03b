/* SPDX-License-Identifier: MIT */
/*
 * Capabilities whose registers depend on what they say of themselves: MSI,
 * vendor-specific, HyperTransport, virtual channels, ACS, resizable BARs and
 * SR-IOV's page size.
 */
#include "internal.h"

static void add(struct pcv__model_fields *to, const struct pcv__model_fn *fn,
                uint32_t base, uint32_t offset, uint8_t size, uint32_t rw)
{
    struct pcv__model_row row = {
        .offset = (uint16_t)offset, .size = size, .rw = rw};

    pcv__model_fields_add(to, fn, base, &row);
}

/* PCI Local Bus 3.0, 6.8.1; extended message data: PCI Express Base 6.0,
 * 7.7.1.2. The reserved vector counts are taken as 32. */
static void msi(struct pcv__model_fields *to, const struct pcv__model_fn *fn,
                uint32_t base)
{
    uint32_t control = pcv__model_get(fn, base + 2, 2);
    bool wide = (control & 0x0080u) != 0;
    bool masked = (control & 0x0100u) != 0;
    bool more_data = (control & 0x0200u) != 0;
    uint32_t log = control >> 1 & 7u;
    uint32_t vectors = log >= 5 ? 0xffffffffu : (1u << (1u << log)) - 1;
    uint32_t data = wide ? 12 : 8;

    add(to, fn, base, 2, 2, 0x0071u | (more_data ? 0x0400u : 0));
    add(to, fn, base, 4, 4, 0xfffffffcu);
    if (wide) {
        add(to, fn, base, 8, 4, 0xffffffffu);
    }
    add(to, fn, base, data, more_data ? 4 : 2,
        more_data ? 0xffffffffu : 0xffffu);
    if (masked) {
        add(to, fn, base, data + 4, 4, vectors);
    }
}

/* Virtio 1.1, 4.1.4.8: the window for configuration accesses. What else is
 * vendor-specific is taken as read-only. */
static void vendor(struct pcv__model_fields *to, const struct pcv__model_fn *fn,
                   uint32_t base)
{
    if (pcv__model_get(fn, PCV_REG_VENDOR, 2) != 0x1af4u ||
        pcv__model_get(fn, base + 3, 1) != 5) {
        return;
    }
    add(to, fn, base, 4, 1, 0xff);
    add(to, fn, base, 8, 4, 0xffffffffu);
    add(to, fn, base, 12, 4, 0xffffffffu);
    add(to, fn, base, 16, 4, 0xffffffffu);
}

/* HyperTransport 3.1, 7.12: enable bit of MSI mapping. */
static void hypertransport(struct pcv__model_fields *to,
                           const struct pcv__model_fn *fn, uint32_t base)
{
    if ((pcv__model_get(fn, base + 2, 2) & 0xf800u) == 0xa800u) {
        add(to, fn, base, 2, 2, 0x0001);
    }
}

/* PCI Express Base 6.0, 7.9.1: virtual channels, and multi-function ones. */
static void virtual_channels(struct pcv__model_fields *to,
                             const struct pcv__model_fn *fn, uint32_t base)
{
    uint32_t count = (pcv__model_get(fn, base + 4, 4) & 7u) + 1;
    struct pcv__model_row row = {
        .offset = 0x0c, .size = 2, .rw = 0x000e, .keep = 0x000e};

    pcv__model_fields_add(to, fn, base, &row);
    for (uint32_t i = 0; i < count; i++) {
        row.offset = (uint16_t)(0x14 + 12 * i);
        row.size = 4;
        row.rw = i == 0 ? 0x000e00feu : 0x870e00ffu;
        row.keep = row.rw;
        row.reset = i == 0 ? 0x000000feu : 0;
        pcv__model_fields_add(to, fn, base, &row);
    }
}

/* PCI Express Base 6.0, 7.7.11: one control bit for each capability bit, and
 * the egress vector, whose size of 0 means 256. */
static void acs(struct pcv__model_fields *to, const struct pcv__model_fn *fn,
                uint32_t base)
{
    uint32_t able = pcv__model_get(fn, base + 4, 2);
    uint32_t bits = able >> 8 == 0 ? 256 : able >> 8;
    uint32_t control = able & 0x007fu;

    if ((able & 0x0080u) != 0) {
        control |= 0x1f80u; /* enhanced controls */
    }
    add(to, fn, base, 6, 2, control);
    for (uint32_t i = 0; (able & 0x0020u) != 0 && i * 32 < bits; i++) {
        uint32_t left = bits - i * 32;

        add(to, fn, base, 8 + 4 * i, 4,
            left >= 32 ? 0xffffffffu : (1u << left) - 1);
    }
}

/* PCI Express Base 6.0, 7.8.6 and 7.8.7. After reset a size is what it was
 * when the machine was described. At most 6 BARs. */
static void resizable(struct pcv__model_fields *to,
                      const struct pcv__model_fn *fn, uint32_t base,
                      enum pcv__model_effect effect)
{
    uint32_t count = pcv__model_get(fn, base + 8, 4) >> 5 & 7u;

    for (uint32_t i = 0; i < count && i < 6; i++) {
        uint32_t control = pcv__model_get(fn, base + 8 + 8 * i, 4);
        struct pcv__model_row row = {.offset = (uint16_t)(8 + 8 * i),
                                     .size = 4,
                                     .effect = (uint8_t)effect,
                                     .rw = 0x3f00,
                                     .reset = control & 0x3f00u};

        pcv__model_fields_add(to, fn, base, &row);
    }
}

/* PCI Express Base 6.0, 9.3.3.13: any of the supported sizes, 4 KiB after
 * reset. */
static void sriov_page_size(struct pcv__model_fields *to,
                            const struct pcv__model_fn *fn, uint32_t base)
{
    struct pcv__model_row row = {.offset = PCV_SRIOV_PAGE_SIZE,
                                 .size = 4,
                                 .effect = PCV__EFFECT_PAGE_SIZE,
                                 .reset = 1};

    row.rw = pcv__model_get(fn, base + 0x1c, 4) | 1u;
    if (fn->vf_bar_size != NULL && fn->sriov == base) {
        pcv__model_fields_add(to, fn, base, &row);
    }
}

static bool variable_extended(struct pcv__model_fields *to,
                              const struct pcv__model_fn *fn, uint32_t base,
                              uint16_t id)
{
    switch (id) {
    case PCV_EXT_CAP_ID_VC:
    case 0x0008: /* MFVC */
    case 0x0009: /* VC of a function with MFVC */
        virtual_channels(to, fn, base);
        return true;
    case PCV_EXT_CAP_ID_ACS:
        acs(to, fn, base);
        return true;
    case PCV_EXT_CAP_ID_REBAR:
        resizable(to, fn, base, PCV__EFFECT_REBAR);
        return true;
    case PCV_EXT_CAP_ID_VF_REBAR:
        resizable(to, fn, base, PCV__EFFECT_VF_REBAR);
        return true;
    case PCV_EXT_CAP_ID_SRIOV:
        sriov_page_size(to, fn, base);
        return false; /* its table comes on top */
    default:
        return false;
    }
}

bool pcv__model_fields_variable(struct pcv__model_fields *to,
                                const struct pcv__model_fn *fn, uint32_t base,
                                uint16_t id, bool extended)
{
    if (extended) {
        return variable_extended(to, fn, base, id);
    }
    switch (id) {
    case PCV_CAP_ID_MSI:
        msi(to, fn, base);
        return true;
    case PCV_CAP_ID_VENDOR:
        vendor(to, fn, base);
        return true;
    case PCV_CAP_ID_HT:
        hypertransport(to, fn, base);
        return true;
    default:
        return false;
    }
}

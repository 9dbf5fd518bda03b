/* SPDX-License-Identifier: MIT */
/* What a guest may change in hardware (allowed.h). */
#include "allowed.h"

#include <string.h>

/* A bit of a capability that may be written; `zero`: as zero only. */
struct row {
    uint16_t id;
    bool extended;
    uint8_t size; /* bytes of the register */
    uint16_t offset;
    uint32_t any, zero;
};

static const struct row rows[] = {
    /* The state; PME's status would be cleared by a one. */
    {PCV_CAP_ID_PM, false, 2, 4, 0x0003, 0x8000},
    /* An address to read from; a one in bit 15 would write. */
    {PCV_CAP_ID_VPD, false, 2, 2, 0x7fff, 0x8000},
    {PCV_CAP_ID_MSI, false, 2, 2, 0x0071, 0},
    {PCV_CAP_ID_MSIX, false, 2, 2, 0xc000, 0},
    {PCV_CAP_ID_AF, false, 1, 4, 0x01, 0},
    /* Relaxed ordering, no snoop, read requests, FLR; the status' errors. */
    {PCV_CAP_ID_PCIE, false, 2, PCV_PCIE_DEVCTL, 0xf810, 0},
    {PCV_CAP_ID_PCIE, false, 2, PCV_PCIE_DEVSTA, 0x004f, 0},
    {PCV_EXT_CAP_ID_AER, true, 4, 0x04, 0xffffffff, 0},
    {PCV_EXT_CAP_ID_AER, true, 4, 0x10, 0xffffffff, 0},
};

static uint32_t peek(const struct pcv_model *model, pcv_sbdf sbdf, uint32_t reg,
                     uint8_t size)
{
    return pcv_model_peek(model, sbdf, (uint16_t)reg, size);
}

static void allow(struct allowed *allowed, uint32_t at, uint32_t any,
                  uint32_t zero)
{
    allowed->any[at / 4u] |= any << 8u * (at % 4u);
    allowed->zero[at / 4u] |= zero << 8u * (at % 4u);
}

/* MSI's masks are the guest's; its message is looked at by itself. */
static void look_msi(struct allowed *allowed, uint32_t at, uint32_t control)
{
    allowed->msi = (uint16_t)at;
    allowed->msi_wide = (control & 0x80u) != 0;
    if ((control & 0x100u) != 0) {
        allow(allowed, at + (allowed->msi_wide ? 0x10u : 0x0cu), 0xffffffffu,
              0);
    }
}

/* The size of a BAR, and where it then stands. */
static void look_rebar(struct allowed *allowed, const struct pcv_model *model,
                       pcv_sbdf sbdf, uint32_t at)
{
    uint32_t count = peek(model, sbdf, at + 8u, 4) >> 5 & 7u;

    allowed->rebar = (uint16_t)at;
    allowed->rebar_bar = peek(model, sbdf, at + 8u, 4) & 7u;
    for (uint32_t i = 0; i < count && i < 6; i++) {
        uint32_t bar = peek(model, sbdf, at + 8u + 8u * i, 4) & 7u;

        allow(allowed, at + 8u + 8u * i, 0x3f00, 0);
        if (bar < 6) {
            allow(allowed, PCV_REG_BAR0 + 4u * bar, 0xffffffffu, 0);
            allow(allowed, PCV_REG_BAR0 + 4u * bar + 4u, 0xffffffffu, 0);
        }
    }
}

static void look_cap(struct allowed *allowed, const struct pcv_model *model,
                     pcv_sbdf sbdf, uint32_t at, uint16_t id, bool extended)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].id == id && rows[i].extended == extended) {
            allow(allowed, at + rows[i].offset, rows[i].any, rows[i].zero);
        }
    }
    if (!extended && id == PCV_CAP_ID_MSI) {
        look_msi(allowed, at, peek(model, sbdf, at + 2u, 2));
    }
    if (extended && id == PCV_EXT_CAP_ID_REBAR) {
        look_rebar(allowed, model, sbdf, at);
    }
}

void allowed_look(struct allowed *allowed, const struct pcv_model *model,
                  pcv_sbdf sbdf)
{
    uint32_t at = peek(model, sbdf, PCV_REG_CAPS, 1);

    memset(allowed, 0, sizeof(*allowed));
    for (uint32_t i = 0; i < ALLOWED_DWORDS; i++) {
        allowed->before[i] = peek(model, sbdf, i * 4u, 4);
    }
    allow(allowed, PCV_REG_COMMAND,
          PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_INTX_OFF, 0);
    allow(allowed, PCV_REG_STATUS, PCV_STATUS_W1C, 0);
    for (uint32_t i = 0; i < 48 && at >= 0x40; i++) {
        look_cap(allowed, model, sbdf, at, (uint16_t)peek(model, sbdf, at, 1),
                 false);
        at = peek(model, sbdf, at + 1u, 1);
    }
    at = PCV_EXT_CAP_START;
    for (uint32_t i = 0; i < 960 && at >= PCV_EXT_CAP_START; i++) {
        uint32_t header = peek(model, sbdf, at, 4);

        if (header == 0 || header == 0xffffffffu) {
            break;
        }
        look_cap(allowed, model, sbdf, at, (uint16_t)header, true);
        at = header >> 20;
    }
}

/* ---- a write ------------------------------------------------------------- */

/* Whether it writes the message that was bound, where MSI has it. */
static bool is_message(const struct allowed *allowed,
                       const struct pcv_model_cfg *write,
                       const struct pcv_msi_message *message)
{
    uint32_t at = write->reg - allowed->msi;

    if (allowed->msi == 0 || !message) {
        return false;
    }
    if (at == 4) {
        return write->size == 4 && write->value == (uint32_t)message->address;
    }
    if (at == 8 && allowed->msi_wide) {
        return write->size == 4 && write->value == message->address >> 32;
    }
    return at == (allowed->msi_wide ? 12u : 8u) && write->size == 2 &&
           write->value == message->data;
}

const char *allowed_write(const struct allowed *allowed,
                          const struct pcv_model *model,
                          const struct pcv_model_cfg *write,
                          const struct pcv_msi_message *message)
{
    uint32_t shift = 8u * (write->reg % 4u);
    uint32_t dword = write->reg / 4u;
    uint32_t lanes =
        (write->size >= 4 ? 0xffffffffu : (1u << 8u * write->size) - 1u)
        << shift;
    uint32_t value = write->value << shift;
    uint32_t now = peek(model, write->sbdf, dword * 4u, 4);
    uint32_t wrong = (value ^ now) & (value ^ allowed->before[dword]) & lanes;

    if ((value & allowed->zero[dword] & lanes) != 0) {
        return "a bit is written that must be written as zero";
    }
    wrong &= ~(allowed->any[dword] | allowed->zero[dword]);
    if (wrong != 0 && !is_message(allowed, write, message)) {
        return "a bit is written that is not the guest's";
    }
    return NULL;
}

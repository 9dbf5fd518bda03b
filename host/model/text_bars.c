/* SPDX-License-Identifier: MIT */
/*
 * What the indented text of lspci -v says about a function's BARs and node.
 * Only the first level counts: the regions that an SR-IOV capability lists,
 * one level deeper, are those of the VFs.
 */
#include "text.h"

#include <string.h>

#include "pcivisor/regs.h"

#define ROM 6u

/* The shadow of a VGA ROM, which is memory: it says nothing about the BAR. */
#define ROM_SHADOW 0xc0000u

static int region(struct pcv__text *text, struct pcv__text_span line,
                  const struct pcv__text_detail *detail, unsigned bar)
{
    if ((text->seen >> bar & 1u) != 0) {
        return pcv__text_mismatch(text, "each region once", line);
    }
    text->seen |= 1u << bar;
    text->fn.fn.bars_stated = true;
    if (bar != ROM || detail->address != ROM_SHADOW) {
        text->fn.fn.bar_size[bar] =
            pcv__source_bar_size(bar, detail->io, detail->size);
    }
    return 0;
}

static int loose(struct pcv__text *text, struct pcv__text_span line,
                 const struct pcv__text_detail *detail)
{
    if (text->loose_count == sizeof(text->loose) / sizeof(text->loose[0])) {
        return pcv__text_mismatch(text, "at most 6 BARs", line);
    }
    text->loose[text->loose_count++] = *detail;
    return 0;
}

static int node(struct pcv__text *text, struct pcv__text_span line,
                uint32_t number)
{
    if (text->fn.fn.has_node) {
        return pcv__text_mismatch(text, "one NUMA node", line);
    }
    text->fn.fn.has_node = true;
    text->fn.fn.node = number;
    return 0;
}

static int first_level(struct pcv__text *text, struct pcv__text_span line)
{
    const char *expected = NULL;
    struct pcv__text_detail detail = pcv__text_detail(line, &expected);

    switch (detail.fact) {
    case PCV__TEXT_VERBOSE:
        text->fn.fn.bars_stated = true;
        return detail.has_node ? node(text, line, detail.node) : 0;
    case PCV__TEXT_REGION:
        return region(text, line, &detail, detail.bar);
    case PCV__TEXT_ROM:
        return region(text, line, &detail, ROM);
    case PCV__TEXT_LOOSE:
        return loose(text, line, &detail);
    case PCV__TEXT_NODE:
        return node(text, line, detail.node);
    case PCV__TEXT_WRONG:
        return pcv__text_mismatch(text, expected, line);
    case PCV__TEXT_OTHER:
        break;
    }
    return 0;
}

/*
 * The function's first indented line tells how wide a level is: lspci writes
 * a tab, but what people paste often has spaces.
 */
int pcv__text_take_detail(struct pcv__text *text, struct pcv__text_span line)
{
    struct pcv__text_span rest = line;
    unsigned columns = 0;

    while (rest.len > 0 && (rest.s[0] == ' ' || rest.s[0] == '\t')) {
        columns += rest.s[0] == '\t' ? 8 : 1;
        rest.s++;
        rest.len--;
    }
    if (text->indent == 0) {
        text->indent = columns;
    }
    if (columns < text->indent) {
        return pcv__text_mismatch(
            text, "at least the indentation of the function's first line",
            line);
    }
    return columns == text->indent ? first_level(text, rest) : 0;
}

/* ---- BARs without their numbers (lspci -v) ------------------------------- */

static uint32_t bar_register(const struct pcv__text *text, unsigned bar)
{
    const uint8_t *p = text->config + PCV_REG_BAR0 + 4 * (size_t)bar;

    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

/* Whether the BAR's register holds what the line says; *out_width: how many
 * registers the BAR takes. */
static bool bar_is(const struct pcv__text *text, unsigned bar, unsigned bars,
                   const struct pcv__text_detail *detail, unsigned *out_width)
{
    uint32_t low = bar_register(text, bar);
    uint64_t address = low & PCV_BAR_MEM_MASK;
    bool io = (low & PCV_BAR_SPACE_IO) != 0;

    *out_width = 1;
    if (io) {
        address = low & PCV_BAR_IO_MASK;
    } else if ((low & PCV_BAR_TYPE_MASK) == PCV_BAR_TYPE_64 && bar + 1 < bars) {
        address |= (uint64_t)bar_register(text, bar + 1) << 32;
        *out_width = 2;
    }
    return io == detail->io && address == detail->address;
}

/*
 * lspci -v names no numbers, but keeps the order: each line belongs to the
 * next register with that kind and address. Where none has it (a VF, ports of
 * an IDE controller that are not in its BARs, or a kernel that placed the BAR
 * elsewhere) we cannot tell which BARs exist.
 */
static void place_loose(struct pcv__text *text, unsigned bars)
{
    unsigned bar = 0;

    for (unsigned i = 0; i < text->loose_count; i++) {
        const struct pcv__text_detail *detail = &text->loose[i];
        unsigned width = 1;

        if (detail->virt || detail->enhanced) {
            text->fn.fn.bars_stated = false;
            continue;
        }
        while (bar < bars && !bar_is(text, bar, bars, detail, &width)) {
            bar += width;
        }
        if (bar >= bars) {
            text->fn.fn.bars_stated = false;
            return;
        }
        text->fn.fn.bar_size[bar] =
            pcv__source_bar_size(bar, detail->io, detail->size);
        bar += width;
    }
}

int pcv__text_settle_bars(struct pcv__text *text)
{
    unsigned type = text->config[PCV_REG_HEADER_TYPE] & PCV_HEADER_TYPE_MASK;
    unsigned bars = type == 1 ? 2 : 6;
    char label[PCV__SOURCE_LABEL];

    if (type == 1 && (text->seen & 0x3cu) != 0) {
        pcv__source_label(label, text->fn.domain, text->fn.rid);
        return pcv__source_fail(text->error, -PCV_EINVAL, text->fn.line,
                                "expected Region 0 and 1 of the bridge %s, "
                                "found another",
                                label);
    }
    place_loose(text, bars);
    return 0;
}

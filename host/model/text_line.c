/* SPDX-License-Identifier: MIT */
/*
 * Single lines of lspci's text. Every function here takes a span that it
 * shortens from the front as it reads, and never looks beyond its end.
 */
#include "text_line.h"

#include <string.h>

/* ---- reading from the front of a span ------------------------------------ */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

static void span_skip(struct pcv__text_span *span, size_t n)
{
    span->s += n;
    span->len -= n;
}

static bool take_text(struct pcv__text_span *span, const char *text)
{
    size_t len = strlen(text);

    if (span->len < len || memcmp(span->s, text, len) != 0) {
        return false;
    }
    span_skip(span, len);
    return true;
}

/* Digits at the front, as many as there are. Only the last 64 bits count. */
static size_t take_hex(struct pcv__text_span *span, uint64_t *out)
{
    size_t n = 0;
    uint64_t value = 0;

    while (n < span->len && hex_value(span->s[n]) >= 0) {
        value = value << 4 | (unsigned)hex_value(span->s[n]);
        n++;
    }
    span_skip(span, n);
    *out = value;
    return n;
}

/* False if there is no digit or the number is above `max`. */
static bool take_decimal(struct pcv__text_span *span, uint64_t max,
                         uint64_t *out)
{
    size_t n = 0;
    uint64_t value = 0;

    while (n < span->len && span->s[n] >= '0' && span->s[n] <= '9') {
        unsigned digit = (unsigned)(span->s[n] - '0');

        if (digit > max || value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
        n++;
    }
    span_skip(span, n);
    *out = value;
    return n > 0;
}

static bool span_find(struct pcv__text_span span, const char *text,
                      struct pcv__text_span *out_after)
{
    for (; span.len > 0; span_skip(&span, 1)) {
        *out_after = span;
        if (take_text(out_after, text)) {
            return true;
        }
    }
    return false;
}

/* ---- a function's header ------------------------------------------------- */

/* DD.F at the front, then a space or the end. */
static bool take_devfn(struct pcv__text_span *line, uint8_t *out,
                       const char **out_expected)
{
    uint64_t device;
    uint64_t function;

    if (take_hex(line, &device) != 2 || !take_text(line, ".") ||
        take_hex(line, &function) != 1 ||
        (line->len > 0 && line->s[0] != ' ')) {
        return false;
    }
    if (device > 0x1f) {
        *out_expected = "a device number from 00 to 1f";
        return false;
    }
    if (function > 7) {
        *out_expected = "a function number from 0 to 7";
        return false;
    }
    *out = (uint8_t)(device << 3 | function);
    return true;
}

bool pcv__text_header(struct pcv__text_span line, struct pcv__text_header *out,
                      const char **out_expected)
{
    uint64_t domain = 0;
    uint64_t bus;
    uint8_t devfn;
    size_t digits = take_hex(&line, &bus);

    if (digits >= 4 && digits <= 8 && take_text(&line, ":")) {
        domain = bus;
        digits = take_hex(&line, &bus);
    }
    if (digits != 2 || !take_text(&line, ":") ||
        !take_devfn(&line, &devfn, out_expected)) {
        return false;
    }
    (void)take_text(&line, " ");
    out->domain = (uint32_t)domain;
    out->rid = (uint16_t)(bus << 8 | devfn);
    out->name = line;
    return true;
}

/* ---- hex rows ------------------------------------------------------------ */

bool pcv__text_is_row(struct pcv__text_span line)
{
    uint64_t offset;

    return take_hex(&line, &offset) > 0 && take_text(&line, ":") &&
           (line.len == 0 || line.s[0] == ' ');
}

bool pcv__text_row(struct pcv__text_span line, unsigned *out_offset,
                   uint8_t out_bytes[PCV__TEXT_ROW], size_t *out_count)
{
    uint64_t value;
    size_t count = 0;
    size_t digits = take_hex(&line, &value);

    if (digits < 2 || digits > 3 || !take_text(&line, ":")) {
        return false;
    }
    *out_offset = (unsigned)value;
    while (line.len > 0) {
        if (!take_text(&line, " ") || take_hex(&line, &value) != 2) {
            return false;
        }
        if (count < PCV__TEXT_ROW) {
            out_bytes[count] = (uint8_t)value;
        }
        count++;
    }
    *out_count = count;
    return true;
}

/* ---- indented lines ------------------------------------------------------ */

/*
 * "[size=16K]" somewhere in the rest of the line. True with 0 if there is
 * none: lspci leaves it out where the kernel knows no size.
 */
static bool read_size(struct pcv__text_span line, uint64_t *out)
{
    static const char units[] = "KMGT";
    uint64_t size;
    unsigned shift = 0;

    *out = 0;
    if (!span_find(line, "[size=", &line)) {
        return true;
    }
    if (!take_decimal(&line, UINT64_MAX, &size)) {
        return false;
    }
    for (unsigned i = 0; i < 4 && line.len > 0; i++) {
        if (line.s[0] == units[i]) {
            shift = 10 * (i + 1);
            span_skip(&line, 1);
            break;
        }
    }
    if (!take_text(&line, "]") || size > UINT64_MAX >> shift) {
        return false;
    }
    *out = size << shift;
    return true;
}

/* An address in hex, or a remark in its place: "<unassigned>". */
static bool take_address(struct pcv__text_span *line, uint64_t *out)
{
    *out = 0;
    if (line->len > 0 && line->s[0] == '<') {
        return span_find(*line, ">", line);
    }
    return take_hex(line, out) > 0;
}

/*
 * An enhanced allocation (EA) has an address and a size like a BAR's, but the
 * BAR's register is zero: it says nothing about a BAR.
 */
static bool read_place(struct pcv__text_span line, struct pcv__text_detail *out)
{
    struct pcv__text_span rest;

    if (!take_address(&line, &out->address) || !read_size(line, &out->size)) {
        return false;
    }
    out->virt = out->virt || span_find(line, "[virtual]", &rest);
    out->enhanced = out->enhanced || span_find(line, "[enhanced]", &rest);
    if (out->enhanced) {
        out->size = 0;
    }
    return true;
}

/* "Memory at " or "I/O ports at ", with or without "[virtual] " or
 * "[enhanced] ": lspci had its remarks in front once, now they are behind. */
static bool take_bar(struct pcv__text_span *line, struct pcv__text_detail *out)
{
    out->virt = take_text(line, "[virtual] ");
    out->enhanced = take_text(line, "[enhanced] ");
    out->io = take_text(line, "I/O ports at ");
    return out->io || take_text(line, "Memory at ");
}

static void read_region(struct pcv__text_span line,
                        struct pcv__text_detail *out, const char **out_expected)
{
    uint64_t bar;

    out->fact = PCV__TEXT_WRONG;
    *out_expected = "\"Region N: Memory at\" or \"I/O ports at\", "
                    "an address, [size=..]; N from 0 to 5";
    if (take_decimal(&line, 5, &bar) && take_text(&line, ": ") &&
        take_bar(&line, out) && read_place(line, out)) {
        out->bar = (unsigned)bar;
        out->fact = PCV__TEXT_REGION;
    }
}

/* A place without a number: the ROM, or a BAR in the text of lspci -v. */
static void read_loose(struct pcv__text_span line, enum pcv__text_fact fact,
                       struct pcv__text_detail *out, const char **out_expected)
{
    out->fact = fact;
    if (!read_place(line, out)) {
        out->fact = PCV__TEXT_WRONG;
        *out_expected = "an address and [size=..]";
    }
}

static void read_node(struct pcv__text_span line, struct pcv__text_detail *out,
                      const char **out_expected)
{
    uint64_t node;

    out->fact = PCV__TEXT_WRONG;
    *out_expected = "\"NUMA node:\" and a number";
    if (take_decimal(&line, INT32_MAX, &node) && line.len == 0) {
        out->has_node = true;
        out->node = (uint32_t)node;
        out->fact = PCV__TEXT_NODE;
    }
}

/* lspci -v has the node among the flags: "fast devsel, NUMA node 1". */
static void read_flags(struct pcv__text_span line, struct pcv__text_detail *out)
{
    uint64_t node;

    out->fact = PCV__TEXT_VERBOSE;
    if (span_find(line, "NUMA node ", &line) &&
        take_decimal(&line, INT32_MAX, &node)) {
        out->has_node = true;
        out->node = (uint32_t)node;
    }
}

struct pcv__text_detail pcv__text_detail(struct pcv__text_span line,
                                         const char **out_expected)
{
    struct pcv__text_detail detail;
    struct pcv__text_span rest = line;

    memset(&detail, 0, sizeof(detail));
    if (take_text(&rest, "Region ")) {
        read_region(rest, &detail, out_expected);
        return detail;
    }
    if (take_text(&rest, "NUMA node: ")) {
        read_node(rest, &detail, out_expected);
        return detail;
    }
    if (take_text(&rest, "Control: ")) {
        detail.fact = PCV__TEXT_VERBOSE;
        return detail;
    }
    if (take_text(&rest, "Flags: ")) {
        read_flags(rest, &detail);
        return detail;
    }
    if (take_bar(&rest, &detail)) {
        read_loose(rest, PCV__TEXT_LOOSE, &detail, out_expected);
    } else if (take_text(&rest, "Expansion ROM at ")) {
        read_loose(rest, PCV__TEXT_ROM, &detail, out_expected);
    }
    return detail;
}

/* SPDX-License-Identifier: MIT */
/*
 * A modelled host from the text of `lspci -xxxx` or `lspci -vvvxxxx` (SIM-1):
 * which line may follow which. The text is a stranger's: whatever is wrong
 * with it is an error with its line and what was expected there.
 */
#include "text.h"

#include <stdlib.h>
#include <string.h>

#include "pcivisor/regs.h"

/* ---- messages ------------------------------------------------------------ */

/* The beginning of a line, in quotes, without what a terminal might obey. */
static void quote(char *out, size_t room, struct pcv__text_span line)
{
    size_t most = room - 6 < line.len ? room - 6 : line.len;
    size_t at = 0;

    out[at++] = '"';
    for (size_t i = 0; i < most; i++) {
        char c = line.s[i] == '\t' ? ' ' : line.s[i];

        out[at++] = c >= ' ' && c <= '~' ? c : '?';
    }
    (void)snprintf(out + at, room - at, "%s", most < line.len ? "..\"" : "\"");
}

int pcv__text_mismatch(struct pcv__text *text, const char *expected,
                       struct pcv__text_span found)
{
    char quoted[48];

    quote(quoted, sizeof(quoted), found);
    return pcv__source_fail(text->error, -PCV_EINVAL, text->line,
                            "expected %s, found %s", expected,
                            found.s == NULL  ? "the end of the text"
                            : found.len == 0 ? "an empty line"
                                             : quoted);
}

/* What may come next, as far as it is known, was not what came. */
static int out_of_place(struct pcv__text *text, struct pcv__text_span found)
{
    char label[PCV__SOURCE_LABEL];
    char expected[80];

    if (!text->open) {
        return pcv__text_mismatch(text,
                                  text->source.count == 0
                                      ? "lspci's text: \"00:00.0 Host ..\""
                                      : "the next function: \"00:1f.2 ..\"",
                                  found);
    }
    pcv__source_label(label, text->fn.domain, text->fn.rid);
    if (text->bytes == PCV_CFG_EXT_SIZE) {
        (void)snprintf(expected, sizeof(expected), "the end of %s", label);
    } else if (text->bytes == 0) {
        (void)snprintf(expected, sizeof(expected), "row 00: of %s", label);
    } else {
        (void)snprintf(expected, sizeof(expected),
                       "row %02x: of %s (row %02x was the last)", text->bytes,
                       label, text->bytes - PCV__TEXT_ROW);
    }
    return pcv__text_mismatch(text, expected, found);
}

/* ---- the end of a function ----------------------------------------------- */

static int incomplete(struct pcv__text *text, struct pcv__text_span found)
{
    char label[PCV__SOURCE_LABEL];

    pcv__source_label(label, text->fn.domain, text->fn.rid);
    if (text->bytes == 0) {
        return pcv__source_fail(
            text->error, -PCV_EINVAL, text->line,
            "expected row 00: of %s, found no row: its registers are missing; "
            "capture with lspci -xxxx, as root",
            label);
    }
    if (text->bytes == 64 || text->bytes == 128) {
        return pcv__source_fail(
            text->error, -PCV_EINVAL, text->line,
            "expected row %02x: of %s, found %u bytes only: capture as root, "
            "with lspci -xxxx",
            text->bytes, label, text->bytes);
    }
    return out_of_place(text, found);
}

static char *copy(const void *from, size_t len)
{
    char *to = malloc(len + 1);

    if (to != NULL) {
        memcpy(to, from, len);
        to[len] = '\0';
    }
    return to;
}

static bool is_pcie(const struct pcv__text *text)
{
    return pcv__source_cap(text->config, PCV_CAP_ID_PCIE) != 0;
}

/* `found` ended the open function. */
static int end_function(struct pcv__text *text, struct pcv__text_span found)
{
    struct pcv__source_fn fn = text->fn;
    int rc;

    if (text->bytes != PCV_CFG_SIZE && text->bytes != PCV_CFG_EXT_SIZE) {
        return incomplete(text, found);
    }
    rc = pcv__text_settle_bars(text);
    if (rc != 0) {
        return rc;
    }
    fn = text->fn;
    fn.fn.config_size = (uint16_t)text->bytes;
    fn.config = (uint8_t *)copy(text->config, text->bytes);
    text->fn.name = NULL; /* append takes it, also when it fails */
    rc = fn.config == NULL ? -PCV_ENOMEM : 0;
    if (rc != 0) {
        free(fn.name);
    } else {
        rc = pcv__source_append(&text->source, &fn);
    }
    text->brief |= text->bytes == PCV_CFG_SIZE && is_pcie(text);
    text->open = false;
    return rc == 0 ? 0
                   : pcv__source_fail(text->error, rc, text->line,
                                      "not enough memory");
}

/*
 * lspci ends each function with an empty line. Without it, a text that was
 * cut after row f0 of 4096 bytes looks like 256 bytes; it is believed if the
 * function has no more, or others show that all were printed that short.
 */
int pcv__text_end(struct pcv__text *text)
{
    const struct pcv__text_span end = {NULL, 0};

    if (text->line == 0) {
        text->line = 1;
    }
    if (text->open && text->bytes == PCV_CFG_SIZE && !text->brief &&
        is_pcie(text)) {
        return pcv__text_mismatch(
            text, "row 100: or an empty line after a PCI Express function",
            end);
    }
    if (text->open) {
        return end_function(text, end);
    }
    return text->source.count == 0 ? out_of_place(text, end) : 0;
}

/* ---- lines --------------------------------------------------------------- */

static int in_order(struct pcv__text *text,
                    const struct pcv__text_header *header,
                    struct pcv__text_span line)
{
    const struct pcv__source *source = &text->source;
    const struct pcv__source_fn *last;
    char label[PCV__SOURCE_LABEL];
    char expected[80];

    if (source->count == 0) {
        return 0;
    }
    last = &source->fns[source->count - 1];
    if (last->domain < header->domain ||
        (last->domain == header->domain && last->rid < header->rid)) {
        return 0;
    }
    pcv__source_label(label, last->domain, last->rid);
    (void)snprintf(expected, sizeof(expected),
                   "a function after %s of line %u, each once", label,
                   last->line);
    return pcv__text_mismatch(text, expected, line);
}

static int take_header(struct pcv__text *text, struct pcv__text_span line)
{
    struct pcv__text_header header;
    const char *expected = NULL;
    int rc = 0;

    if (!pcv__text_header(line, &header, &expected)) {
        return expected != NULL ? pcv__text_mismatch(text, expected, line)
                                : out_of_place(text, line);
    }
    if (text->open) {
        rc = end_function(text, line);
    }
    if (rc == 0) {
        rc = in_order(text, &header, line);
    }
    if (rc != 0) {
        return rc;
    }
    memset(&text->fn, 0, sizeof(text->fn));
    text->fn.domain = header.domain;
    text->fn.rid = header.rid;
    text->fn.line = text->line;
    text->bytes = 0;
    text->indent = 0;
    text->seen = 0;
    text->loose_count = 0;
    if (header.name.len > 0) {
        text->fn.name = copy(header.name.s, header.name.len);
        if (text->fn.name == NULL) {
            return pcv__source_fail(text->error, -PCV_ENOMEM, text->line,
                                    "not enough memory");
        }
    }
    text->open = true;
    return 0;
}

static int take_row(struct pcv__text *text, struct pcv__text_span line)
{
    uint8_t bytes[PCV__TEXT_ROW];
    unsigned offset = 0;
    size_t count = 0;
    bool good = pcv__text_row(line, &offset, bytes, &count);
    char expected[48];

    if (!text->open || text->bytes == PCV_CFG_EXT_SIZE ||
        (good && offset != text->bytes)) {
        return out_of_place(text, line);
    }
    if (!good || count != PCV__TEXT_ROW) {
        (void)snprintf(expected, sizeof(expected),
                       "row %02x: with 16 bytes in hex", text->bytes);
        if (good) {
            return pcv__source_fail(text->error, -PCV_EINVAL, text->line,
                                    "expected %s, found %zu of them", expected,
                                    count);
        }
        return pcv__text_mismatch(text, expected, line);
    }
    memcpy(text->config + text->bytes, bytes, PCV__TEXT_ROW);
    text->bytes += PCV__TEXT_ROW;
    return 0;
}

/* What lspci and its library print as errors, if a capture caught them too. */
static bool is_complaint(struct pcv__text_span line)
{
    return line.len >= 7 &&
           (memcmp(line.s, "lspci: ", 7) == 0 ||
            (line.len >= 8 && memcmp(line.s, "pcilib: ", 8) == 0));
}

int pcv__text_take_line(struct pcv__text *text, const char *s, size_t len)
{
    struct pcv__text_span line = {s, len};

    text->line++;
    if (len > PCV__TEXT_LINE_MAX) {
        return pcv__source_fail(text->error, -PCV_EINVAL, text->line,
                                "expected lspci's text, found a line of more "
                                "than %u characters",
                                PCV__TEXT_LINE_MAX);
    }
    if (memchr(s, '\0', len) != NULL) {
        return pcv__source_fail(text->error, -PCV_EINVAL, text->line,
                                "expected lspci's text, found a zero byte: "
                                "binary, or UTF-16?");
    }
    while (line.len > 0 && strchr("\r\t ", line.s[line.len - 1]) != NULL) {
        line.len--;
    }
    if (line.len == 0) {
        return text->open ? end_function(text, line) : 0;
    }
    if (line.s[0] == '#' || is_complaint(line)) {
        return 0;
    }
    if (line.s[0] == ' ' || line.s[0] == '\t') {
        return text->open && text->bytes == 0
                   ? pcv__text_take_detail(text, line)
                   : out_of_place(text, line);
    }
    if (pcv__text_is_row(line)) {
        return take_row(text, line);
    }
    return take_header(text, line);
}

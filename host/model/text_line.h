/* SPDX-License-Identifier: MIT */
/*
 * Single lines of lspci's text: what they say, without knowing what came
 * before them. A line is given by pointer and length, without its end.
 */
#ifndef PCIVISOR_HOST_MODEL_TEXT_LINE_H
#define PCIVISOR_HOST_MODEL_TEXT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCV__TEXT_ROW 16u /* bytes in a hex row */

struct pcv__text_span {
    const char *s;
    size_t len;
};

/* "[DOMAIN:]BB:DD.F description". */
struct pcv__text_header {
    uint32_t domain;
    uint16_t rid;
    struct pcv__text_span name;
};

/* False with what was expected instead. */
bool pcv__text_header(struct pcv__text_span line, struct pcv__text_header *out,
                      const char **out_expected);

/* Whether the line begins as a hex row does: digits, a colon, a space. */
bool pcv__text_is_row(struct pcv__text_span line);

/*
 * "30: 00 00 ...". The offset is 2 or 3 digits; *out_count says how many bytes
 * follow, of which the first 16 are stored. False if something is not hex.
 */
bool pcv__text_row(struct pcv__text_span line, unsigned *out_offset,
                   uint8_t out_bytes[PCV__TEXT_ROW], size_t *out_count);

/* What an indented line of the first level says. */
enum pcv__text_fact {
    PCV__TEXT_OTHER,   /* nothing that we need */
    PCV__TEXT_VERBOSE, /* that the text comes from lspci -v, -vv or -vvv */
    PCV__TEXT_REGION,  /* a BAR, by number (-vv) */
    PCV__TEXT_LOOSE,   /* a BAR, without its number (-v) */
    PCV__TEXT_ROM,     /* the expansion ROM */
    PCV__TEXT_NODE,    /* the NUMA node */
    PCV__TEXT_WRONG    /* *out_expected was expected */
};

struct pcv__text_detail {
    enum pcv__text_fact fact;
    unsigned bar;     /* REGION */
    bool io;          /* REGION, LOOSE */
    bool virt;        /* REGION, LOOSE: the register reads zero */
    bool enhanced;    /* REGION, LOOSE: so it does; it stands in an EA entry */
    uint64_t address; /* REGION, LOOSE, ROM; 0 if it is not known */
    uint64_t size;    /* bytes; 0 if there is none, or it is not the BAR's */
    bool has_node;    /* NODE; VERBOSE perhaps */
    uint32_t node;
};

/* `line` begins with its first character that is not indentation. */
struct pcv__text_detail pcv__text_detail(struct pcv__text_span line,
                                         const char **out_expected);

#endif

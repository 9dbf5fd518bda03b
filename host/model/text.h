/* SPDX-License-Identifier: MIT */
/*
 * The parser of lspci's text: its state between two lines. Lines are fed one
 * by one, so that memory grows only with functions that are complete, and a
 * text that is not lspci's is refused at its first line.
 */
#ifndef PCIVISOR_HOST_MODEL_TEXT_H
#define PCIVISOR_HOST_MODEL_TEXT_H

#include "source.h"
#include "text_line.h"

/* A longer line is not lspci's; without its end. */
#define PCV__TEXT_LINE_MAX 8192u

struct pcv__text {
    struct pcv__source source; /* complete functions */
    struct pcv_model_error *error;
    unsigned line; /* the current one, from 1 */
    bool brief;    /* a PCI Express function had 256 bytes: lspci -xxx */

    bool open;                /* within a function, of which: */
    struct pcv__source_fn fn; /* config: not yet */
    uint8_t config[PCV_CFG_EXT_SIZE];
    unsigned bytes;  /* of config, so far */
    unsigned indent; /* columns of the first indented line; 0: none yet */
    unsigned seen;   /* bit n: Region n was there; 6: the ROM */
    unsigned loose_count;
    struct pcv__text_detail loose[6]; /* BARs without their numbers */
};

/* The next line, without its newline; or the end. 0 or negative, with *error.
 */
int pcv__text_take_line(struct pcv__text *text, const char *s, size_t len);
int pcv__text_end(struct pcv__text *text);

/* A parser with nothing taken yet, NULL with *error; and its end, well (rc 0)
 * or not: what it took is delivered, and it is gone. text_load.c. */
struct pcv__text *pcv__text_create(struct pcv_model_error *error);
int pcv__text_finish(struct pcv__text *text, struct pcv_model *model, int rc);
/* The complete lines at the front of a buffer. *out_used says how much they
 * were; the rest is the beginning of a line. */
int pcv__text_take_lines(struct pcv__text *text, const char *s, size_t len,
                         size_t *out_used);

/* An indented line of the open function. 0 or negative, with *error. */
int pcv__text_take_detail(struct pcv__text *text, struct pcv__text_span line);

/* The open function has all its bytes: settle what its text said of BARs. */
int pcv__text_settle_bars(struct pcv__text *text);

/* -PCV_EINVAL, and "expected .., found .." with the line's beginning. */
int pcv__text_mismatch(struct pcv__text *text, const char *expected,
                       struct pcv__text_span found);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Texts as lspci prints them, made by hand, and what a machine from one is
 * compared with. For the tests of the parser.
 */
#ifndef PCIVISOR_TESTS_TEXTS_H
#define PCIVISOR_TESTS_TEXTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model.h"
#include "pcivisor/pcivisor.h"
#include "pcivisor/regs.h"

/* ---- texts --------------------------------------------------------------- */

struct text {
    char s[65536];
    size_t len;
};

static inline void add(struct text *text, const char *s)
{
    size_t len = strlen(s);

    assert_true(len < sizeof(text->s) - text->len);
    memcpy(text->s + text->len, s, len + 1);
    text->len += len;
}

static inline void add_rows(struct text *text, const uint8_t *config,
                            unsigned size)
{
    char cell[16];

    for (unsigned at = 0; at < size; at++) {
        if (at % 16 == 0) {
            (void)snprintf(cell, sizeof(cell), "%02x:", at);
            add(text, cell);
        }
        (void)snprintf(cell, sizeof(cell), " %02x", config[at]);
        add(text, cell);
        if (at % 16 == 15) {
            add(text, "\n");
        }
    }
}

static inline void add_function(struct text *text, const char *head,
                                const uint8_t *config, unsigned size)
{
    add(text, head);
    add_rows(text, config, size);
    add(text, "\n");
}

static inline void put16(uint8_t *config, unsigned at, unsigned value)
{
    config[at] = (uint8_t)value;
    config[at + 1] = (uint8_t)(value >> 8);
}

static inline void put32(uint8_t *config, unsigned at, uint32_t value)
{
    put16(config, at, value & 0xffffu);
    put16(config, at + 2, value >> 16);
}

/* A network card of the old days, with one BAR of 16 KiB. */
static inline void make_conventional(uint8_t config[4096], unsigned id)
{
    memset(config, 0, 4096);
    put16(config, PCV_REG_VENDOR, 0x8086);
    put16(config, PCV_REG_DEVICE, id);
    put16(config, PCV_REG_COMMAND, PCV_CMD_MEMORY);
    put32(config, PCV_REG_REVISION, 0x02000003);
    put32(config, PCV_REG_BAR0, 0xfe000000u);
    for (unsigned i = 0x40; i < 0x100; i++) {
        config[i] = (uint8_t)(i * id);
    }
}

/* The same with a PCI Express capability and 4096 bytes. */
static inline void make_express(uint8_t config[4096], unsigned id)
{
    make_conventional(config, id);
    put16(config, PCV_REG_STATUS, PCV_STATUS_CAPS);
    config[PCV_REG_CAPS] = 0x40;
    put32(config, 0x40, 0x00020010);
    for (unsigned i = 0x200; i < 0x1000; i++) {
        config[i] = (uint8_t)(i + id);
    }
}

/* A PF with `vfs` VFs enabled, at `offset` and `stride`. */
static inline void make_pf(uint8_t config[4096], unsigned vfs, unsigned offset,
                           unsigned stride)
{
    make_express(config, 0x10fb);
    put32(config, 0x100, 0x14010001); /* AER, then: */
    put32(config, 0x140, 0x00010010);
    put16(config, 0x140 + PCV_SRIOV_CTRL, PCV_SRIOV_CTRL_VFE);
    put16(config, 0x140 + PCV_SRIOV_TOTAL_VFS, vfs);
    put16(config, 0x140 + PCV_SRIOV_NUM_VFS, vfs);
    put16(config, 0x140 + PCV_SRIOV_OFFSET, offset);
    put16(config, 0x140 + PCV_SRIOV_STRIDE, stride);
}

#define CONTROL "\tControl: I/O- Mem+ BusMaster-\n"

/* Two functions with what lspci -vv says of them; lines are counted on. */
static inline void make_small(struct text *text)
{
    static uint8_t config[4096];

    text->len = 0;
    make_conventional(config, 0x1111);
    add(text, "# captured by hand\n");                 /* line 1 */
    add(text, "00:00.0 Host bridge: First\n" CONTROL); /* 2, 3 */
    add_rows(text, config, 256);                       /* 4 to 19 */
    make_conventional(config, 0x2222);
    add(text, "\n00:02.0 Ethernet controller: Second\n"); /* 20, 21 */
    add(text, CONTROL);                                   /* 22 */
    add(text, "\tRegion 0: Memory at fe000000 (32-bit, "
              "non-prefetchable) [size=16K]\n"); /* 23 */
    add(text, "\tNUMA node: 1\n");               /* 24 */
    add_rows(text, config, 256);                 /* 25 to 40 */
    add(text, "\n");                             /* 41 */
}

/* The first `from` becomes `to`. */
static inline void replace(struct text *text, const char *from, const char *to)
{
    char *at = strstr(text->s, from);
    struct text *old = malloc(sizeof(*old));

    assert_non_null(at);
    assert_non_null(old);
    memcpy(old, text, sizeof(*old));
    text->len = (size_t)(at - text->s);
    add(text, to);
    add(text, old->s + (at - text->s) + strlen(from));
    free(old);
}

/* ---- loading ------------------------------------------------------------- */

/* A machine from a text, or NULL with *error. The error is a good one. */
static inline struct pcv_model *load(const char *s, size_t len,
                                     struct pcv_model_error *error)
{
    struct pcv_model *model = pcv_model_create(1);
    int rc;

    assert_non_null(model);
    memset(error, 0, sizeof(*error));
    rc = pcv_model_load_text(model, s, len, error);
    if (rc != 0) {
        assert_int_equal(rc, -PCV_EINVAL);
        assert_int_not_equal(error->line, 0);
        assert_non_null(strstr(error->text, "expected "));
        assert_int_equal(pcv_model_count(model), 0);
        pcv_model_destroy(model);
        return NULL;
    }
    assert_int_equal(pcv_model_ready(model, error), 0);
    return model;
}

static inline struct pcv_model *load_good(const struct text *text)
{
    struct pcv_model_error error;
    struct pcv_model *model = load(text->s, text->len, &error);

    if (model == NULL) {
        fail_msg("line %u: %s", error.line, error.text);
    }
    return model;
}

static inline struct pcv_model_facts facts_of(const struct pcv_model *model,
                                              uint32_t sbdf)
{
    struct pcv_model_facts facts;
    pcv_sbdf where = {sbdf};

    assert_true(pcv_model_facts_of(model, where, &facts));
    return facts;
}

static inline void expect_config(const struct pcv_model *model, uint32_t sbdf,
                                 const uint8_t *config, unsigned size)
{
    struct pcv_model_facts facts = facts_of(model, sbdf);

    assert_int_equal(facts.config_size, size);
    for (unsigned i = 0; i < size; i++) {
        assert_int_equal(pcv_model_peek(model, facts.sbdf, (uint16_t)i, 1),
                         config[i]);
    }
}

static inline void expect_error(const struct text *text, unsigned line,
                                const char *part)
{
    struct pcv_model_error error;
    struct pcv_model *model = load(text->s, text->len, &error);

    assert_null(model);
    if (error.line != line || strstr(error.text, part) == NULL) {
        fail_msg("expected line %u with \"%s\", got line %u: %s", line, part,
                 error.line, error.text);
    }
}

/* Lines of all sorts, functions of both sizes. */
static inline void make_various(struct text *text)
{
    uint8_t config[4096];

    make_small(text);
    make_pf(config, 2, 8, 8);
    add_function(text,
                 "01:00.0 Ethernet controller: PF (rev 01)\n"
                 "\tSubsystem: Somebody\n" CONTROL
                 "\tRegion 0: Memory at fe000000 (32-bit, non-prefetchable) "
                 "[size=16K]\n"
                 "\tExpansion ROM at <ignored> [disabled]\n"
                 "\tCapabilities: [40] Express (v2) Endpoint, MSI 00\n"
                 "\t\tDevCap:\tMaxPayload 128 bytes, PhantFunc 0\n"
                 "\t\t\tExtTag- RBE+\n",
                 config, 4096);
    make_conventional(config, 0x3333);
    add_function(text, "01:01.0 Ethernet controller: VF\n", config, 256);
}

#endif

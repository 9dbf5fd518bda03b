/* SPDX-License-Identifier: MIT */
/*
 * What holds for every machine that an operating system has set up: bus
 * numbers nest, functions are where their type may be, and BARs and windows
 * have addresses of their own, each within the windows above.
 */
#ifndef PCIVISOR_TESTS_SOUND_H
#define PCIVISOR_TESTS_SOUND_H

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

/* ---- making and reading machines ----------------------------------------- */

static inline struct pcv_model *make(const char *spec)
{
    struct pcv_model_error error = {0, ""};
    struct pcv_model *model = pcv_model_create(1);

    assert_non_null(model);
    if (pcv_model_generate(model, spec, &error) != 0 ||
        pcv_model_ready(model, &error) != 0) {
        fail_msg("%s: %s", spec, error.text);
    }
    return model;
}

static inline uint32_t get(const struct pcv_model *model, pcv_sbdf sbdf,
                           unsigned reg, uint8_t size)
{
    return pcv_model_peek(model, sbdf, (uint16_t)reg, size);
}

static inline bool is_bridge(const struct pcv_model *model, pcv_sbdf sbdf)
{
    return (get(model, sbdf, PCV_REG_HEADER_TYPE, 1) & PCV_HEADER_TYPE_MASK) ==
           1;
}

/* Offset of a capability, or 0. */
static inline unsigned cap(const struct pcv_model *model, pcv_sbdf sbdf,
                           unsigned id)
{
    unsigned at = get(model, sbdf, PCV_REG_CAPS, 1);

    for (unsigned n = 0; at != 0 && n < 48; n++) {
        assert_true(at >= 0x40 && at % 4 == 0);
        if (get(model, sbdf, at, 1) == id) {
            return at;
        }
        at = get(model, sbdf, at + 1, 1);
    }
    assert_int_equal(at, 0);
    return 0;
}

static inline unsigned ext_cap(const struct pcv_model *model, pcv_sbdf sbdf,
                               unsigned id)
{
    unsigned at = PCV_EXT_CAP_START;

    for (unsigned n = 0; n < 960; n++) {
        uint32_t header = get(model, sbdf, at, 4);

        if (header == 0 || header == UINT32_MAX) {
            return 0;
        }
        if ((header & 0xffffu) == id) {
            return at;
        }
        at = header >> 20;
        if (at == 0) {
            return 0;
        }
        assert_true(at > PCV_EXT_CAP_START && at % 4 == 0);
    }
    fail_msg("%08x: the list does not end", sbdf.v);
    return 0;
}

/* The type in the PCI Express capability; 16 for a conventional function. */
static inline unsigned port_type(const struct pcv_model *model, pcv_sbdf sbdf)
{
    unsigned at = cap(model, sbdf, PCV_CAP_ID_PCIE);

    return at == 0 ? 16
                   : get(model, sbdf, at + PCV_PCIE_FLAGS, 2) >>
                             PCV_PCIE_FLAGS_TYPE_SHIFT &
                         0xfu;
}

/* ---- what every machine must be ------------------------------------------ */

/* The bridge above each bus of a segment; a root bus has itself. */
struct above {
    bool known[PCV_BUSES];
    bool root[PCV_BUSES];
    pcv_sbdf bridge[PCV_BUSES];
};

/* Registers that must be within their bridge's bus numbers and windows. */
struct range {
    uint64_t first;
    uint64_t last;
};

static inline struct range bus_range(const struct pcv_model *model,
                                     pcv_sbdf bridge)
{
    struct range range = {get(model, bridge, PCV_REG_SECONDARY, 1),
                          get(model, bridge, PCV_REG_SUBORDINATE, 1)};

    return range;
}

/* space: 0 I/O, 1 memory, 2 prefetchable. */
static inline struct range window(const struct pcv_model *model,
                                  pcv_sbdf bridge, int space)
{
    struct range range;
    uint64_t base, limit;

    if (space == 0) {
        base = get(model, bridge, PCV_REG_IO_BASE, 1) & 0xf0u;
        limit = get(model, bridge, PCV_REG_IO_LIMIT, 1) & 0xf0u;
        range.first = base << 8;
        range.last = limit << 8 | 0xfff;
        return range;
    }
    if (space == 1) {
        base = get(model, bridge, PCV_REG_MEM_BASE, 2) & 0xfff0u;
        limit = get(model, bridge, PCV_REG_MEM_LIMIT, 2) & 0xfff0u;
    } else {
        base = get(model, bridge, PCV_REG_PREF_BASE, 2) & 0xfff0u;
        limit = get(model, bridge, PCV_REG_PREF_LIMIT, 2) & 0xfff0u;
        base |= (uint64_t)get(model, bridge, PCV_REG_PREF_BASE_HI, 4) << 16;
        limit |= (uint64_t)get(model, bridge, PCV_REG_PREF_LIMIT_HI, 4) << 16;
    }
    range.first = base << 16;
    range.last = limit << 16 | 0xfffff;
    return range;
}

static inline bool within(struct range inner, struct range outer)
{
    return inner.first >= outer.first && inner.last <= outer.last &&
           inner.first <= inner.last;
}

/* All buses of a segment, from its host bridges and bridges. */
static inline void find_buses(const struct pcv_model *model, uint16_t segment,
                              struct above *out)
{
    struct pcv_model_facts facts;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; pcv_model_facts_at(model, i, &facts); i++) {
        unsigned bus = pcv_sbdf_bus(facts.sbdf);

        if (pcv_sbdf_segment(facts.sbdf) != segment) {
            continue;
        }
        if (get(model, facts.sbdf, PCV_REG_CLASS + 1, 2) ==
            PCV_CLASS_BRIDGE_HOST) {
            assert_int_equal(pcv_sbdf_devfn(facts.sbdf), 0);
            assert_false(out->known[bus]);
            out->known[bus] = out->root[bus] = true;
        } else if (is_bridge(model, facts.sbdf)) {
            struct range range = bus_range(model, facts.sbdf);

            assert_int_equal(get(model, facts.sbdf, PCV_REG_PRIMARY, 1), bus);
            assert_true(range.first > bus && range.last >= range.first);
            assert_false(out->known[range.first]);
            out->known[range.first] = true;
            out->bridge[range.first] = facts.sbdf;
        }
    }
}

/* Numbers of a bridge are within those of the bridge above, and no sibling's
 * are the same: find_buses() saw each bus once. */
static inline void expect_nested(const struct pcv_model *model,
                                 const struct above *above)
{
    for (unsigned bus = 0; bus < PCV_BUSES; bus++) {
        unsigned parent;

        if (!above->known[bus] || above->root[bus]) {
            continue;
        }
        parent = pcv_sbdf_bus(above->bridge[bus]);
        assert_true(above->known[parent]);
        if (!above->root[parent]) {
            assert_true(within(bus_range(model, above->bridge[bus]),
                               bus_range(model, above->bridge[parent])));
        }
    }
}

/* Which functions may be where. */
static inline void expect_place(const struct pcv_model *model,
                                const struct above *above,
                                const struct pcv_model_facts *facts)
{
    unsigned bus = pcv_sbdf_bus(facts->sbdf);
    unsigned type = port_type(model, facts->sbdf);
    unsigned upper = 16;

    assert_true(above->known[bus]);
    if (!above->root[bus]) {
        upper = port_type(model, above->bridge[bus]);
    }
    if (above->root[bus]) {
        assert_true(type == 16 || type == PCV_PCIE_TYPE_RC_ENDPOINT ||
                    type == PCV_PCIE_TYPE_ROOT_PORT);
    } else if (upper == PCV_PCIE_TYPE_TO_PCI) {
        assert_int_equal(type, 16);
    } else if (upper == PCV_PCIE_TYPE_UPSTREAM) {
        assert_int_equal(type, PCV_PCIE_TYPE_DOWNSTREAM);
    } else {
        assert_true(upper == PCV_PCIE_TYPE_ROOT_PORT ||
                    upper == PCV_PCIE_TYPE_DOWNSTREAM);
        assert_true(facts->vf || pcv_sbdf_device(facts->sbdf) == 0);
        assert_true(type == PCV_PCIE_TYPE_ENDPOINT ||
                    type == PCV_PCIE_TYPE_UPSTREAM ||
                    type == PCV_PCIE_TYPE_TO_PCI);
    }
}

/* The multi-function bit says what is there, and function 0 always is. */
static inline void expect_multi(const struct pcv_model *model,
                                const struct pcv_model_facts *facts)
{
    unsigned others = 0;
    pcv_sbdf first = {facts->sbdf.v & ~7u};
    unsigned type = get(model, facts->sbdf, PCV_REG_HEADER_TYPE, 1);

    if (facts->vf) {
        assert_true((type & PCV_HEADER_MULTI) == 0);
        return;
    }
    for (unsigned i = 0; i < PCV_FUNCTIONS; i++) {
        pcv_sbdf sbdf = {first.v | i};
        struct pcv_model_facts other;

        others += pcv_model_facts_of(model, sbdf, &other) && !other.vf;
    }
    assert_int_equal((type & PCV_HEADER_MULTI) != 0, others > 1);
    assert_true(pcv_model_facts_of(model, first, &(struct pcv_model_facts){0}));
}

/* ---- addresses ----------------------------------------------------------- */

struct ranges {
    struct range *range;
    size_t count;
    size_t room;
};

static inline void add_range(struct ranges *ranges, struct range range)
{
    if (ranges->count == ranges->room) {
        ranges->room = ranges->room == 0 ? 1024 : ranges->room * 2;
        ranges->range =
            realloc(ranges->range, ranges->room * sizeof(struct range));
        assert_non_null(ranges->range);
    }
    ranges->range[ranges->count++] = range;
}

static inline int compare(const void *a, const void *b)
{
    const struct range *left = a;
    const struct range *right = b;

    return left->first < right->first ? -1 : left->first > right->first;
}

static inline void expect_disjoint(struct ranges *ranges)
{
    if (ranges->count > 1) {
        qsort(ranges->range, ranges->count, sizeof(struct range), compare);
    }
    for (size_t i = 1; i < ranges->count; i++) {
        assert_true(ranges->range[i - 1].last < ranges->range[i].first);
    }
    free(ranges->range);
}

/* A BAR that has an address lies in the windows of all bridges above. */
static inline void expect_window(const struct pcv_model *model,
                                 const struct above *above, pcv_sbdf sbdf,
                                 int space, struct range range)
{
    unsigned bus = pcv_sbdf_bus(sbdf);

    for (unsigned n = 0; n < PCV_BUSES && !above->root[bus]; n++) {
        assert_true(within(range, window(model, above->bridge[bus], space)));
        bus = pcv_sbdf_bus(above->bridge[bus]);
    }
}

static inline void expect_bar(const struct pcv_model *model,
                              const struct above *above,
                              const struct pcv_model_facts *facts, unsigned bar,
                              struct ranges spaces[2])
{
    unsigned reg = bar == 6 ? PCV_REG_ROM0 : PCV_REG_BAR0 + 4 * bar;
    uint32_t low = get(model, facts->sbdf, reg, 4);
    bool io = bar != 6 && (low & PCV_BAR_SPACE_IO) != 0;
    bool wide = !io && bar != 6 && (low & PCV_BAR_TYPE_MASK) != 0;
    int space = io ? 0 : bar != 6 && (low & PCV_BAR_PREFETCH) != 0 ? 2 : 1;
    struct range range = {low & (io ? PCV_BAR_IO_MASK : PCV_BAR_MEM_MASK), 0};

    if (wide) {
        range.first |= (uint64_t)get(model, facts->sbdf, reg + 4, 4) << 32;
    }
    assert_int_equal(range.first % facts->bar_size[bar], 0);
    if (range.first == 0) {
        unsigned decode = io ? PCV_CMD_IO : PCV_CMD_MEMORY;

        assert_true(bar == 6 || (get(model, facts->sbdf, PCV_REG_COMMAND, 2) &
                                 decode) == 0);
        return;
    }
    range.last = range.first + facts->bar_size[bar] - 1;
    expect_window(model, above, facts->sbdf, space, range);
    add_range(&spaces[!io], range);
}

/* The VFs' BARs: one after the other from the PF's register. */
static inline void expect_vf_bar(const struct pcv_model *model,
                                 const struct above *above,
                                 const struct pcv_model_facts *facts,
                                 struct ranges spaces[2])
{
    unsigned at = ext_cap(model, facts->sbdf, PCV_EXT_CAP_ID_SRIOV);
    unsigned vfs = get(model, facts->sbdf, at + PCV_SRIOV_NUM_VFS, 2);
    unsigned offset = get(model, facts->sbdf, at + PCV_SRIOV_OFFSET, 2);
    uint64_t low = get(model, facts->sbdf, at + PCV_SRIOV_BAR, 4);
    uint64_t high = get(model, facts->sbdf, at + PCV_SRIOV_BAR + 4, 4);
    struct range range = {(low & PCV_BAR_MEM_MASK) | high << 32, 0};
    struct pcv_model_facts vf;

    for (unsigned i = 0; i < vfs; i++) {
        pcv_sbdf sbdf = {facts->sbdf.v + offset + i};

        assert_true(pcv_model_facts_of(model, sbdf, &vf));
        assert_true(vf.vf);
        assert_int_equal(vf.physfn.v, facts->sbdf.v);
        assert_int_equal(get(model, sbdf, PCV_REG_VENDOR, 4), UINT32_MAX);
        range.last = range.first + (uint64_t)(i + 1) * vf.bar_size[0] - 1;
    }
    if (range.first != 0) {
        assert_int_equal(range.first % vf.bar_size[0], 0);
        expect_window(model, above, facts->sbdf, 2, range);
        add_range(&spaces[1], range);
    }
}

static inline void expect_function(const struct pcv_model *model,
                                   const struct above *above,
                                   const struct pcv_model_facts *facts,
                                   struct ranges spaces[2])
{
    expect_place(model, above, facts);
    expect_multi(model, facts);
    for (unsigned bar = 0; bar < PCV_MODEL_BARS; bar++) {
        assert_false(facts->bar_guessed[bar]);
        if (facts->bar_size[bar] != 0 && !facts->vf) {
            expect_bar(model, above, facts, bar, spaces);
        }
    }
    if (facts->config_size == PCV_CFG_EXT_SIZE &&
        ext_cap(model, facts->sbdf, PCV_EXT_CAP_ID_SRIOV) != 0) {
        expect_vf_bar(model, above, facts, spaces);
    }
}

/* Everything that holds for every machine; returns how many functions. */
static inline size_t expect_sound(const struct pcv_model *model,
                                  unsigned segments)
{
    static struct above above;
    struct ranges spaces[2] = {{NULL, 0, 0}, {NULL, 0, 0}}; /* shared by all */
    struct pcv_model_facts facts;
    unsigned segment = UINT32_MAX;
    size_t count = 0;

    for (; pcv_model_facts_at(model, count, &facts); count++) {
        if (pcv_sbdf_segment(facts.sbdf) != segment) {
            segment = pcv_sbdf_segment(facts.sbdf);
            find_buses(model, (uint16_t)segment, &above);
            expect_nested(model, &above);
        }
        expect_function(model, &above, &facts, spaces);
    }
    assert_int_equal(segment, segments - 1);
    expect_disjoint(&spaces[0]);
    expect_disjoint(&spaces[1]);
    return count;
}

#endif

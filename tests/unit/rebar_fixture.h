/* SPDX-License-Identifier: MIT */
/*
 * A function with a resizable BAR: 00:03.0, which can do FLR, with BAR 0 of
 * 1 MiB, 64 bits wide, and BAR 2 of 4 KiB.
 */
#ifndef PCV_TESTS_UNIT_REBAR_FIXTURE_H
#define PCV_TESTS_UNIT_REBAR_FIXTURE_H

#include "vfs_fixture.h"

#define CARD PCV_TEST_ALONE
#define MIB 0x100000ull
#define GIB 0x40000000ull
#define BAR 0x4000000000ull

/* Sizes as the capability has them: 1 MiB << n. */
#define SIZES (1u << 0 | 1u << 2 | 1u << 4 | 1u << 10)
#define CONTROL(code, bar) ((uint32_t)(code) << 8 | (bar))

struct card {
    struct rig rig;
    uint16_t cap;
    struct pcv_domain *guest;
    pcv_sbdf at; /* where the guest has it */
};

/* A function that can do FLR, with BAR 0 of 1 MiB, 64 bits wide, and BAR 2 of
 * 4 KiB. */
static inline void card_make(struct pcv_test_function *f)
{
    pcv_test_pcie_endpoint(f, 0x1234, 0x5678);
    pcv_test_bar64(f, 0, BAR, MIB);
    pcv_test_bar32(f, 2, 0xe0000000u, 0x1000);
}

static inline void card_boot(struct card *c, struct pcv_test_function *f)
{
    pcv_test_add(c->rig.model, f, CARD);
    rig_boot(&c->rig);
}

static inline void card_open(struct card *c)
{
    struct pcv_test_function f;

    memset(c, 0, sizeof(*c));
    rig_open(&c->rig);
    card_make(&f);
    c->cap = pcv_test_rebar(&f, 0, SIZES, 0);
    card_boot(c, &f);
}

static inline uint32_t control(struct card *c)
{
    return pcv_model_peek(c->rig.model, CARD, (uint16_t)(c->cap + 8u), 4);
}

static inline void resize(struct card *c, uint32_t code)
{
    vfs_write_as(c->rig.dom0, CARD, (uint16_t)(c->cap + 8u), 4, code << 8);
}

static inline struct pcv_bar bar(struct card *c, uint32_t number)
{
    struct pcv_device_info info;

    rig_info(&c->rig, CARD, &info);
    return info.bar[number];
}

static inline uint64_t refused(struct card *c)
{
    return rig_status(&c->rig, CARD).counters.refused;
}

/* Entries of a capability made by hand. */
struct entry {
    uint32_t able, control;
};

static inline uint16_t add_entries(struct pcv_test_function *f,
                                   const struct entry *entry, uint32_t count,
                                   uint32_t said)
{
    uint16_t at =
        pcv_test_ext_cap(f, PCV_EXT_CAP_ID_REBAR, 1, (uint16_t)(4 + 8 * count));

    for (uint32_t i = 0; i < count; i++) {
        pcv_test_set(f, at + 4u + 8u * i, 4, entry[i].able);
        pcv_test_set(f, at + 8u + 8u * i, 4,
                     entry[i].control | (i == 0 ? said << 5 : 0));
    }
    return at;
}

#endif

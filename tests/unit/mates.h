/* SPDX-License-Identifier: MIT */
/*
 * A device of three functions without ACS, which are one isolation group, on
 * their way to guests and back:
 *
 *   00:03.0, 00:03.1, 00:03.2
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_MATES_H
#define PCV_TESTS_UNIT_MATES_H

#include "owned_fixture.h"
#include "registry/internal.h"

#define MATES 3u
#define DOM0 PCV_DOMAIN_ID_HARDWARE
#define NOBODY PCV_DOMAIN_ID_QUARANTINE

static const struct pcv_assign_policy whole = {.flags = PCV_ASSIGN_GROUP};

static inline pcv_sbdf mate(uint8_t function)
{
    return pcv_test_at(0, 0, 3, function);
}

static inline void build(struct owned *o)
{
    struct pcv_test_function f;

    memset(o, 0, sizeof(*o));
    hosted_build(&o->h);
    for (uint8_t i = 0; i < MATES; i++) {
        pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
        o->msi = pcv_test_msi(&f, 0);
        pcv_test_bar32(&f, 0, 0x90000000u + i * 0x10000u, 16384);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
        pcv_test_add(o->h.model, &f, mate(i));
    }
    pcv_model_on_event(o->h.model, owned_told, o);
}

static inline void boot(struct owned *o)
{
    hosted_start(&o->h);
    assert_int_equal(hosted_scan(&o->h), MATES);
    o->guest = owned_domain(o, OWNED_GUEST);
    o->other = owned_domain(o, OWNED_OTHER);
}

static inline void start(struct owned *o)
{
    build(o);
    boot(o);
}

static inline uint32_t owner(struct owned *o, uint8_t i)
{
    uint32_t id = owned_owner(o, mate(i));

    assert_int_equal(pcv_model_dma_domain(o->h.model, mate(i)), id);
    return id;
}

static inline void expect(struct owned *o, uint32_t a, uint32_t b, uint32_t c)
{
    assert_int_equal(owner(o, 0), a);
    assert_int_equal(owner(o, 1), b);
    assert_int_equal(owner(o, 2), c);
}

static inline bool waits(struct owned *o, uint8_t i)
{
    return hosted_status(&o->h, mate(i)).group_waits;
}

/* All of them are a guest's. */
static inline void give_all(struct owned *o)
{
    assert_int_equal(owned_assign(o, mate(0), o->guest, &whole), 0);
    expect(o, OWNED_GUEST, OWNED_GUEST, OWNED_GUEST);
}

static inline void start_given(struct owned *o)
{
    start(o);
    give_all(o);
}

static inline int reveal(struct owned *o, uint8_t i, pcv_sbdf *out_busy)
{
    int error = -PCV_ERESTART;

    for (int n = 0; n < 100 && error == -PCV_ERESTART; n++) {
        error = pcv_device_reveal(o->h.host, mate(i), 0, out_busy);
    }
    return error;
}

static inline int back_all(struct owned *o, uint8_t i, pcv_sbdf *out_member)
{
    int error = -PCV_ERESTART;

    for (int n = 0; n < 100 && error == -PCV_ERESTART; n++) {
        error = pcv_device_deassign_group(o->h.host, mate(i), out_member);
        pcv_model_advance_us(o->h.model, 100000);
    }
    return error;
}

static inline const struct pcv_event *last_event(const struct owned *o)
{
    return &o->event[(o->events - 1) % OWNED_EVENTS];
}

#endif

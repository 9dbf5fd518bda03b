/* SPDX-License-Identifier: MIT */
/*
 * A card of two functions that can be reset only with their bus, behind a
 * hot-plug port, for tests of bus resets:
 *
 *   00:02.0 root port with a slot, bus 1
 *     01:00.0, 01:00.1 endpoints with a BAR and MSI, and no reset of their own
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_BUS_RESET_FIXTURE_H
#define PCV_TESTS_UNIT_BUS_RESET_FIXTURE_H

#include "hosted.h"

#define PORT pcv_test_at(0, 0, 2, 0)
#define CARD_0 pcv_test_at(0, 1, 0, 0)
#define CARD_1 pcv_test_at(0, 1, 0, 1)
#define CARD_BAR 0x90000000u
#define GUEST 7u
#define DOORBELL 0xfee00000u
#define SLOT_EVENTS_ON 0x1028u /* presence, link, interrupts */

struct bus {
    struct hosted h;
    struct pcv_domain *guest;
    uint8_t port_cap, msi; /* where they stand */
    uint32_t events[64];
    uint64_t args[64][2]; /* the last one's */
};

static inline void bus_told(void *arg, const struct pcv_event *event)
{
    struct bus *b = arg;

    if (event->kind < 64) {
        b->events[event->kind]++;
        b->args[event->kind][0] = event->arg[0];
        b->args[event->kind][1] = event->arg[1];
    }
}

static inline void bus_port(struct bus *b)
{
    struct pcv_test_function f;

    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_set(&f, PCV_REG_MEM_BASE, 4, 0x902f9000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    b->port_cap = (uint8_t)pcv_test_get(&f, PCV_REG_CAPS, 1);
    pcv_test_set(&f, b->port_cap + PCV_PCIE_FLAGS, 2,
                 pcv_test_get(&f, b->port_cap + PCV_PCIE_FLAGS, 2) |
                     PCV_PCIE_FLAGS_SLOT);
    pcv_test_set(&f, b->port_cap + PCV_PCIE_LNKCAP, 4, PCV_PCIE_LNKCAP_REPORTS);
    pcv_test_set(&f, b->port_cap + PCV_PCIE_LNKSTA, 2, PCV_PCIE_LNKSTA_ACTIVE);
    pcv_test_set(&f, b->port_cap + PCV_PCIE_SLTCAP, 4, 0x60);
    pcv_test_set(&f, b->port_cap + PCV_PCIE_SLTCTL, 2, SLOT_EVENTS_ON);
    pcv_test_set(&f, b->port_cap + PCV_PCIE_SLTSTA, 2, PCV_PCIE_SLTSTA_PRESENT);
    pcv_test_add(b->h.model, &f, PORT);
}

static inline void bus_card(struct bus *b)
{
    struct pcv_test_function f;

    for (uint8_t i = 0; i < 2; i++) {
        pcv_test_endpoint(&f, 0x1234, (uint16_t)(0x5670 + i));
        (void)pcv_test_pcie(&f, PCV_PCIE_TYPE_ENDPOINT);
        b->msi = pcv_test_msi(&f, 0);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
        pcv_test_bar32(&f, 0, CARD_BAR + i * 0x10000u, 0x4000);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        pcv_test_add(b->h.model, &f, pcv_test_at(0, 1, 0, i));
    }
}

static inline void bus_start(struct bus *b)
{
    memset(b, 0, sizeof(*b));
    hosted_build(&b->h);
    bus_port(b);
    bus_card(b);
    pcv_model_on_event(b->h.model, bus_told, b);
    hosted_start(&b->h);
    assert_int_equal(hosted_scan(&b->h), 3);
    for (uint32_t i = 0; i < 2; i++) {
        const pcv_sbdf card = {CARD_0.v + i};

        /* One group otherwise, which goes together (TOPO-6). */
        assert_int_equal(pcv_device_declare_isolated(b->h.host, card, true), 0);
    }
    pcv_model_set_clock(b->h.model, true);
    assert_int_equal(pcv_domain_create(b->h.host, GUEST, &b->guest), 0);
    assert_int_equal(
        pcv_domain_add_window(b->guest, (pcv_gpa){0x80000000}, 0x10000000), 0);
}

/* Nobody asked too early, or held the bus in reset for too short a time. */
static inline void bus_end(struct bus *b)
{
    assert_int_equal(pcv_model_early_accesses(b->h.model), 0);
    assert_int_equal(pcv_model_bind_errors(b->h.model), 0);
    hosted_end(&b->h);
}

static inline uint32_t bus_peek(const struct bus *b, pcv_sbdf sbdf,
                                uint32_t reg, uint8_t size)
{
    return pcv_model_peek(b->h.model, sbdf, (uint16_t)reg, size);
}

static inline bool bus_is_held(const struct bus *b)
{
    return (bus_peek(b, PORT, PCV_REG_BRIDGE_CONTROL, 2) & PCV_BRIDGE_RESET) !=
           0;
}

static inline uint64_t bus_wait_us(struct bus *b, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_device_find(b->h.host, sbdf);
    uint64_t us = device ? pcv_device_wait_us(device) : 0;

    pcv_device_put(device);
    return us;
}

/* One call of a change of owner. */
static inline int bus_step(struct bus *b, pcv_sbdf sbdf, bool to_guest,
                           const struct pcv_assign_policy *policy)
{
    pcv_sbdf at;

    return to_guest ? pcv_device_assign(b->h.host, sbdf, b->guest, policy, &at)
                    : pcv_device_deassign(b->h.host, sbdf);
}

/* To its end, the clock going on while it asks for time. */
static inline int bus_change(struct bus *b, pcv_sbdf sbdf, bool to_guest,
                             const struct pcv_assign_policy *policy)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        pcv_model_advance_us(b->h.model, bus_wait_us(b, sbdf));
        error = bus_step(b, sbdf, to_guest, policy);
    }
    return error;
}

static inline int bus_reset(struct bus *b, pcv_sbdf sbdf, pcv_sbdf *out_busy)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        pcv_model_advance_us(b->h.model, bus_wait_us(b, sbdf));
        error = pcv_device_reset(b->h.host, sbdf, out_busy);
    }
    return error;
}

/* A guest has it, though it was not reset. */
static inline void bus_give(struct bus *b, pcv_sbdf sbdf)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_NO_RESET};

    assert_int_equal(bus_change(b, sbdf, true, &policy), 0);
}

/* It was on its way home, and the host failed. */
static inline void bus_quarantine(struct bus *b, pcv_sbdf sbdf)
{
    bus_give(b, sbdf);
    pcv_model_fail(b->h.model, PCV_MODEL_OP_dma_attach, 2);
    assert_int_not_equal(bus_change(b, sbdf, false, NULL), 0);
    pcv_model_fail(b->h.model, PCV_MODEL_OP_dma_attach, 0);
    assert_int_equal(hosted_status(&b->h, sbdf).owner_id,
                     PCV_DOMAIN_ID_QUARANTINE);
}

static inline uint32_t bus_owner(struct bus *b, pcv_sbdf sbdf)
{
    return hosted_status(&b->h, sbdf).owner_id;
}

#endif

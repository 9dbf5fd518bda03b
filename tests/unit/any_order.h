/* SPDX-License-Identifier: MIT */
/*
 * A machine for operations in any order, and what must hold between any two:
 *
 *   00:01.0 root port, bus 1
 *     01:00.0 two functions of one card without ACS
 *     01:00.1
 *
 * To be included once, after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_ANY_ORDER_H
#define PCV_TESTS_UNIT_ANY_ORDER_H

#include "hosted.h"

#define PORT pcv_test_at(0, 0, 1, 0)
#define CARDS 2u
#define GUESTS 2u
#define FIRST_GUEST 7u
#define FUNCTIONS 3u
#define BAR(i) (0x90000000u + (i)*0x10000u)
#define ON ((uint32_t)PCV_CMD_MEMORY | PCV_CMD_MASTER)

struct world {
    struct hosted h;
    struct pcv_domain *dom0, *guest[GUESTS];
    struct pcv_access write; /* of the hardware domain, to the port */
    bool pending;
    uint32_t target;
    bool flr;
    uint8_t bus;
};

static uint64_t state;

static inline uint32_t chance(uint32_t below)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static inline pcv_sbdf card(const struct world *w, uint32_t i)
{
    return pcv_test_at(0, w->bus, 0, (uint8_t)i);
}

/* What the model calls it, wherever it is. */
static inline pcv_sbdf soldered(uint32_t i)
{
    return pcv_test_at(0, 1, 0, (uint8_t)i);
}

static inline pcv_sbdf target(const struct world *w)
{
    return w->target < CARDS ? card(w, w->target) : PORT;
}

static inline void world_start(struct world *w)
{
    struct pcv_test_function f;

    memset(w, 0, sizeof(*w));
    w->bus = 1;
    w->flr = chance(2) != 0;
    hosted_build(&w->h);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, ON);
    pcv_test_set(&f, PCV_REG_MEM_BASE, 4, 0x902f9000);
    pcv_test_add(w->h.model, &f, PORT);
    for (uint32_t i = 0; i < CARDS; i++) {
        pcv_test_pcie_endpoint(&f, 0x1234, (uint16_t)(0x5678 + i));
        if (!w->flr) {
            uint8_t cap = (uint8_t)pcv_test_get(&f, PCV_REG_CAPS, 1);

            pcv_test_set(&f, cap + PCV_PCIE_DEVCAP, 4, 0);
        }
        pcv_test_bar32(&f, 0, BAR(i), 16384);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, ON);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, 0x80);
        pcv_test_add(w->h.model, &f, card(w, i));
    }
    hosted_start(&w->h);
    assert_int_equal(hosted_scan(&w->h), FUNCTIONS);
    pcv_model_set_clock(w->h.model, true);
    w->dom0 = pcv_host_hardware_domain(w->h.host);
    for (uint32_t i = 0; i < GUESTS; i++) {
        assert_int_equal(
            pcv_domain_create(w->h.host, FIRST_GUEST + i, &w->guest[i]), 0);
        assert_int_equal(pcv_domain_add_window(
                             w->guest[i], (pcv_gpa){0x80000000}, 0x10000000),
                         0);
    }
}

/* Where the functions are by now, or were last. */
static inline void follow(struct world *w)
{
    for (uint32_t bus = 1; bus <= 5; bus += 4) {
        struct pcv_device_status s =
            hosted_status(&w->h, pcv_test_at(0, (uint8_t)bus, 0, 0));

        if (s.state == PCV_STATE_PRESENT || s.state == PCV_STATE_UNREACHABLE) {
            w->bus = (uint8_t)bus;
        }
    }
}

static inline uint64_t wait_of(struct world *w)
{
    uint64_t most = 0;

    for (uint32_t i = 0; i < CARDS; i++) {
        struct pcv_device *device = pcv_device_find(w->h.host, card(w, i));
        uint64_t us = device ? pcv_device_wait_us(device) : 0;

        pcv_device_put(device);
        most = us > most ? us : most;
    }
    return most;
}

static inline void check(struct world *w, bool failing)
{
    uint64_t pages[GUESTS + 1u] = {0};

    for (uint32_t i = 0; i < CARDS; i++) {
        struct pcv_device_status s = hosted_status(&w->h, card(w, i));
        uint32_t dma = pcv_model_dma_domain(w->h.model, card(w, i));
        uint32_t on =
            pcv_model_peek(w->h.model, soldered(i), PCV_REG_COMMAND, 2) & ON;

        if (s.state != PCV_STATE_PRESENT) {
            continue;
        }
        if (s.owner_id == PCV_DOMAIN_ID_QUARANTINE) {
            assert_int_equal(dma, PCV_DOMAIN_ID_QUARANTINE);
            assert_true(failing || on == 0);
        } else if (s.owner_id - FIRST_GUEST < GUESTS) {
            assert_true(dma == s.owner_id ||
                        (failing && dma == PCV_DOMAIN_ID_QUARANTINE));
            pages[1u + s.owner_id - FIRST_GUEST]++;
        } else {
            assert_true(dma == PCV_DOMAIN_ID_HARDWARE ||
                        dma == PCV_DOMAIN_ID_HYPERVISOR);
            pages[0]++;
        }
        for (uint64_t page = 0; page < 4; page++) {
            uint64_t at = BAR(i) / 4096u + page;

            assert_true(
                !pcv_model_is_mapped(w->h.model, PCV_DOMAIN_ID_HARDWARE, at) ||
                dma == PCV_DOMAIN_ID_HARDWARE ||
                dma == PCV_DOMAIN_ID_HYPERVISOR);
        }
    }
    for (uint32_t g = 0; g < GUESTS; g++) {
        uint64_t host;

        for (uint64_t page = 0; page < 32 && pages[1u + g] == 0; page++) {
            assert_false(pcv_model_translate(w->h.model, FIRST_GUEST + g,
                                             0x80000u + page, &host));
        }
    }
}

static inline bool is_there(struct world *w, pcv_sbdf at)
{
    enum pcv_device_state there = hosted_state(&w->h, at);

    return there == PCV_STATE_PRESENT || there == PCV_STATE_UNREACHABLE;
}

static inline bool all_there(struct world *w)
{
    return is_there(w, PORT) && is_there(w, card(w, 0)) &&
           is_there(w, card(w, 1));
}

#endif

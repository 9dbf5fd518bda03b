/* SPDX-License-Identifier: MIT */
/*
 * Two root ports with a card behind each, whose bus numbers change:
 *
 *   00:01.0 root port, bus 1        01:00.0 card with FLR, MSI and MSI-X
 *   00:02.0 root port, bus 2        02:00.0 another one
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_TWO_PORTS_H
#define PCV_TESTS_UNIT_TWO_PORTS_H

#include "renumber_fixture.h"

#define GUEST 7u
#define WINDOW 0x80000000u
#define BAR_PAGES 4u
#define DOORBELL 0xfee00000u

#define PORT_A pcv_test_at(0, 0, 1, 0)
#define PORT_B pcv_test_at(0, 0, 2, 0)
#define BUS(n) pcv_test_at(0, (n), 0, 0)
#define CARD_A BUS(1) /* as the model calls them for life */
#define CARD_B BUS(2)

struct two {
    struct renumber r;
    uint8_t msi, msix; /* where the cards have them */
    struct pcv_domain *guest;
    pcv_sbdf at; /* where the guest sees what it has */
};

static inline struct hosted *host_of(struct two *t)
{
    return &t->r.h;
}

static inline void two_card(struct two *t, uint16_t id, uint32_t bar,
                            pcv_sbdf at)
{
    struct pcv_test_function f;
    uint16_t serial;

    pcv_test_endpoint(&f, 0x1234, id);
    f.fn.config_size = PCV_CFG_EXT_SIZE;
    f.ext_free = PCV_EXT_CAP_START;
    pcv_test_set(&f,
                 pcv_test_pcie(&f, PCV_PCIE_TYPE_ENDPOINT) + PCV_PCIE_DEVCAP, 4,
                 PCV_PCIE_DEVCAP_FLR);
    t->msi = pcv_test_msi(&f, 0);
    t->msix = pcv_test_msix(&f, 4, 0, 0x1000, 0x2000);
    serial = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_DSN, 1, 12);
    pcv_test_set(&f, serial + 4u, 4, id);
    pcv_test_bar32(&f, 0, bar, (uint64_t)BAR_PAGES * 4096u);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(t->r.h.model, &f, at);
}

static inline void two_build(struct two *t)
{
    struct pcv_test_function f;

    memset(t, 0, sizeof(*t));
    hosted_build(&t->r.h);
    for (uint8_t i = 1; i <= 2; i++) {
        pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, i, i);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        pcv_test_add(t->r.h.model, &f, pcv_test_at(0, 0, i, 0));
    }
    two_card(t, 0xaaaa, 0x90000000, CARD_A);
    two_card(t, 0xbbbb, 0x90100000, CARD_B);
    pcv_model_on_event(t->r.h.model, renumber_told, &t->r);
}

static inline void two_run(struct two *t)
{
    hosted_start(&t->r.h);
    assert_int_equal(hosted_scan(&t->r.h), 4);
    renumber_record(&t->r);
    assert_int_equal(pcv_domain_create(t->r.h.host, GUEST, &t->guest), 0);
    assert_int_equal(
        pcv_domain_add_window(t->guest, (pcv_gpa){WINDOW}, 0x100000), 0);
}

static inline void two_start(struct two *t)
{
    two_build(t);
    two_run(t);
}

static inline void two_end(struct two *t)
{
    renumber_end(&t->r);
}

/* The hardware domain writes a port's numbers, to the end. */
static inline void numbers(struct two *t, pcv_sbdf port, uint8_t first,
                           uint8_t last)
{
    renumber_write(&t->r, port, PCV_REG_PRIMARY, 4,
                   (uint32_t)first << 8 | (uint32_t)last << 16);
}

/* They change past the library, which is told: nobody asks whether a guest has
 * something there (OWN-15). */
static inline void elsewhere(struct two *t, pcv_sbdf port, uint8_t first,
                             uint8_t last)
{
    int error = -PCV_ERESTART;

    pcv_test_write(t->r.h.model, port, PCV_REG_SECONDARY, 1, first);
    pcv_test_write(t->r.h.model, port, PCV_REG_SUBORDINATE, 1, last);
    for (int i = 0; i < 1000 && error == -PCV_ERESTART; i++) {
        error = pcv_bridge_report_buses(t->r.h.host, port, 0, first, last);
    }
    assert_int_equal(error, 0);
}

static inline struct pcv_device *object(struct two *t, pcv_sbdf first)
{
    return t->r.all[renumber_index(&t->r, first)].device;
}

/* The card is found at an address, as the object that it was. */
static inline bool stands(struct two *t, pcv_sbdf card, pcv_sbdf at)
{
    struct pcv_device *found = pcv_device_find(t->r.h.host, at);

    pcv_device_put(found);
    return found == object(t, card);
}

static inline uint32_t id_at(struct two *t, pcv_sbdf at)
{
    return renumber_read(&t->r, at, PCV_REG_DEVICE, 2);
}

/* A change of owner, to its end. */
static inline int change(struct two *t, pcv_sbdf at, bool to_guest)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 1000 && error == -PCV_ERESTART; i++) {
        error = to_guest
                    ? pcv_device_assign(t->r.h.host, at, t->guest, NULL, &t->at)
                    : pcv_device_deassign(t->r.h.host, at);
    }
    return error;
}

/* ---- what the owner of a card does with it --------------------------------
 */

static inline enum pcv_verdict owner_access(struct pcv_domain *owner,
                                            struct pcv_access *access)
{
    enum pcv_verdict verdict = pcv_access(owner, access);

    for (int i = 0; i < 1000 && verdict == PCV_PENDING; i++) {
        verdict = pcv_access_resume(owner, access);
    }
    return verdict;
}

static inline void owner_write(struct pcv_domain *owner, pcv_sbdf at,
                               uint32_t reg, uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(at, (uint16_t)reg, size, value);

    assert_int_equal(owner_access(owner, &access), PCV_DONE);
}

static inline uint32_t owner_read(struct pcv_domain *owner, pcv_sbdf at,
                                  uint32_t reg, uint8_t size)
{
    struct pcv_access access = PCV_READ(at, (uint16_t)reg, size);

    (void)owner_access(owner, &access);
    return (uint32_t)access.data;
}

static inline void msi_on(struct two *t, struct pcv_domain *owner, pcv_sbdf at)
{
    owner_write(owner, at, t->msi + 4u, 4, DOORBELL);
    owner_write(owner, at, t->msi + 8u, 2, 0x41);
    owner_write(owner, at, t->msi + 2u, 2, 0x0001);
}

/* Entry 1 of the card's table, by the owner's address of BAR 0. */
static inline void msix_on(struct two *t, struct pcv_domain *owner, pcv_sbdf at,
                           uint32_t bar)
{
    static const uint32_t entry[] = {DOORBELL, 0, 0x51, 0};

    owner_write(owner, at, t->msix + 2u, 2, 0x8000);
    for (uint32_t i = 0; i < 4; i++) {
        struct pcv_mmio access = {
            .address = {bar + 0x1000u + 16u + i * 4u},
            .size = 4,
            .write = true,
            .data = entry[i],
        };

        assert_int_equal(pcv_mmio_access(owner, &access), PCV_DONE);
    }
}

/* Vector 0 of MSI, or entry 1 of MSI-X, reaches the owner as it wrote it. */
static inline bool delivers(struct two *t, pcv_sbdf card, bool msix,
                            uint32_t domain_id)
{
    struct pcv_model_message message;

    return pcv_model_raise(t->r.h.model, card, msix, msix ? 1 : 0, &message) ==
               PCV_MODEL_DELIVERED &&
           message.domain_id == domain_id && message.address == DOORBELL &&
           message.data == (msix ? 0x51u : 0x41u);
}

#endif

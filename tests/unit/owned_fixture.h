/* SPDX-License-Identifier: MIT */
/*
 * A machine whose functions go from owner to owner, with books of everything
 * that a change of owner touches:
 *
 *   00:01.0 root port, bus 1        01:00.0 card with FLR, MSI and MSI-X
 *   00:02.0 root port, buses 2-3
 *     02:00.0 upstream port, bus 3
 *       03:00.0 downstream port, bus 4
 *         04:00.0 another card
 *   00:03.0 a card without a port
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_OWNED_FIXTURE_H
#define PCV_TESTS_UNIT_OWNED_FIXTURE_H

#include "hosted.h"

#define OWNED_GUEST 7u
#define OWNED_OTHER 8u
#define OWNED_WINDOW 0x80000000ull
#define OWNED_PORT pcv_test_at(0, 0, 1, 0)
#define OWNED_CARD pcv_test_at(0, 1, 0, 0)
#define OWNED_ROOT pcv_test_at(0, 0, 2, 0)
#define OWNED_DOWN pcv_test_at(0, 3, 0, 0)
#define OWNED_DEEP pcv_test_at(0, 4, 0, 0)
#define OWNED_FUNCTIONS 7u
#define OWNED_EVENTS 64u

struct owned {
    struct hosted h;
    bool isolated; /* each function is declared so before it is assigned */
    uint8_t msi;
    struct pcv_domain *guest, *other;
    struct pcv_event event[OWNED_EVENTS]; /* the last ones */
    size_t events;
};

static inline void owned_told(void *arg, const struct pcv_event *event)
{
    struct owned *o = arg;

    o->event[o->events++ % OWNED_EVENTS] = *event;
}

static inline void owned_card(struct owned *o, uint32_t bar, pcv_sbdf at)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    o->msi = pcv_test_msi(&f, 0);
    (void)pcv_test_msix(&f, 4, 0, 0x1000, 0x2000);
    pcv_test_bar32(&f, 0, bar, 16384);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(o->h.model, &f, at);
}

static inline void owned_port(struct owned *o, uint8_t type, uint8_t bus,
                              uint8_t device, uint8_t first, uint8_t last)
{
    struct pcv_test_function f;

    pcv_test_port(&f, type, bus, first, last);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(o->h.model, &f, pcv_test_at(0, bus, device, 0));
}

static inline void owned_build(struct owned *o)
{
    memset(o, 0, sizeof(*o));
    o->isolated = true;
    hosted_build(&o->h);
    owned_port(o, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1, 1);
    owned_port(o, PCV_PCIE_TYPE_ROOT_PORT, 0, 2, 2, 4);
    owned_port(o, PCV_PCIE_TYPE_UPSTREAM, 2, 0, 3, 4);
    owned_port(o, PCV_PCIE_TYPE_DOWNSTREAM, 3, 0, 4, 4);
    owned_card(o, 0x90000000, OWNED_CARD);
    owned_card(o, 0x90100000, OWNED_DEEP);
    owned_card(o, 0x90200000, PCV_TEST_ALONE);
    pcv_model_on_event(o->h.model, owned_told, o);
}

static inline struct pcv_domain *owned_domain(struct owned *o, uint32_t id)
{
    struct pcv_domain *domain;

    assert_int_equal(pcv_domain_create(o->h.host, id, &domain), 0);
    assert_int_equal(
        pcv_domain_add_window(domain, (pcv_gpa){OWNED_WINDOW}, 0x10000000), 0);
    return domain;
}

static inline void owned_boot(struct owned *o)
{
    hosted_start(&o->h);
    assert_int_equal(hosted_scan(&o->h), OWNED_FUNCTIONS);
    o->guest = owned_domain(o, OWNED_GUEST);
    o->other = owned_domain(o, OWNED_OTHER);
}

static inline void owned_start(struct owned *o)
{
    owned_build(o);
    owned_boot(o);
}

static inline int owned_assign(struct owned *o, pcv_sbdf sbdf,
                               struct pcv_domain *to,
                               const struct pcv_assign_policy *policy)
{
    int error = -PCV_ERESTART;

    if (o->isolated) { /* there is no ACS above */
        (void)!pcv_device_declare_isolated(o->h.host, sbdf, true);
    }
    for (unsigned i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_assign(o->h.host, sbdf, to, policy, NULL);
    }
    return error;
}

static inline int owned_give(struct owned *o, pcv_sbdf sbdf)
{
    return owned_assign(o, sbdf, o->guest, NULL);
}

static inline int owned_back(struct owned *o, pcv_sbdf sbdf)
{
    int error = -PCV_ERESTART;

    for (unsigned i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_deassign(o->h.host, sbdf);
    }
    return error;
}

static inline int owned_destroy(struct pcv_domain *domain)
{
    int error = -PCV_ERESTART;

    for (unsigned i = 0; i < 1000 && error == -PCV_ERESTART; i++) {
        error = pcv_domain_destroy(domain);
    }
    return error;
}

static inline uint32_t owned_owner(struct owned *o, pcv_sbdf sbdf)
{
    return hosted_status(&o->h, sbdf).owner_id;
}

static inline uint32_t owned_command(struct owned *o, pcv_sbdf sbdf)
{
    return pcv_model_peek(o->h.model, sbdf, PCV_REG_COMMAND, 2);
}

/* A write of a domain to its end. */
static inline void owned_write(struct pcv_domain *domain, pcv_sbdf at,
                               uint16_t reg, uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(at, reg, size, value);
    enum pcv_verdict verdict = pcv_access(domain, &access);

    for (unsigned i = 0; verdict == PCV_PENDING && i < 1000; i++) {
        verdict = pcv_access_resume(domain, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

/* Its owner uses what is given as a driver does: BAR, decoding, DMA, MSI. */
static inline void owned_use(struct owned *o, struct pcv_domain *domain,
                             pcv_sbdf sbdf)
{
    struct pcv_device *device = hosted_hold(&o->h, sbdf);
    pcv_sbdf at = pcv_device_guest_sbdf(device);

    pcv_device_put(device);
    owned_write(domain, at, PCV_REG_BAR0, 4,
                (uint32_t)OWNED_WINDOW + (at.v << 16));
    owned_write(domain, at, PCV_REG_COMMAND, 2,
                PCV_CMD_MEMORY | PCV_CMD_MASTER);
    owned_write(domain, at, (uint16_t)(o->msi + 4u), 4, 0xfee00000);
    owned_write(domain, at, (uint16_t)(o->msi + 8u), 2, 0x31);
    owned_write(domain, at, (uint16_t)(o->msi + 2u), 2, 1);
    assert_int_equal(pcv_model_bound(o->h.model, &sbdf), 1);
}

/* Nobody uses it and nothing of it is left: the books of what is in
 * quarantine. */
static inline void owned_expect_nothing(struct owned *o, pcv_sbdf sbdf)
{
    const uint32_t off = PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER;
    struct pcv_device_status status = hosted_status(&o->h, sbdf);

    assert_int_equal(status.owner_id, PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_model_bound(o->h.model, &sbdf), 0);
    assert_int_equal(pcv_model_dma_domain(o->h.model, sbdf),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(status.held[PCV_HOLDER_OWNER], 1);
    assert_int_equal(status.held[PCV_HOLDER_REGISTRY], 1);
    assert_int_equal(status.held[PCV_HOLDER_VECTOR], 0);
    assert_int_equal(status.held[PCV_HOLDER_ACCESS], 0);
    assert_int_equal(status.held[PCV_HOLDER_CALLER], 0);
    assert_int_equal(owned_command(o, sbdf) & off, 0);
}

static inline void owned_end(struct owned *o)
{
    hosted_end(&o->h);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The three functions behind the bridge from PCI Express of joined.h, which
 * share its requester IDs: whose those must be, and whose they are.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_SHARED_H
#define PCV_TESTS_UNIT_SHARED_H

#include "joined.h"

#define DOM0 PCV_DOMAIN_ID_HARDWARE
#define ALIAS JOINED_AT_ALIAS
#define GUEST 7u
#define OTHER 8u

/* Behind the bridge from PCI Express. */
static inline pcv_sbdf behind(unsigned i)
{
    const pcv_sbdf at[] = {JOINED_AT_ALIAS, JOINED_SECOND, JOINED_DEEP};

    return at[i];
}
#define BEHIND 3u

static inline uint32_t owner_of(struct joined *j, pcv_sbdf at)
{
    return hosted_status(&j->h, at).owner_id;
}

/* Whose the shared IDs are to be: the one user's that is not quarantine. */
static inline uint32_t belongs(struct joined *j, const bool *there)
{
    uint32_t domain_id = JOINED_NOBODY;

    for (unsigned i = 0; i < BEHIND; i++) {
        uint32_t owner = there[i] ? owner_of(j, behind(i)) : JOINED_NOBODY;

        if (owner == JOINED_NOBODY) {
            continue;
        }
        if (domain_id != JOINED_NOBODY && domain_id != owner) {
            return JOINED_NOBODY;
        }
        domain_id = owner;
    }
    return domain_id;
}

/* Nobody reaches memory that is not his: what two use is nobody's. `exact`: and
 * each reaches what is. */
static inline void check(struct joined *j, const bool *there, bool exact)
{
    uint32_t shared = belongs(j, there);

    for (unsigned i = 0; i < BEHIND; i++) {
        uint32_t reached;

        if (!there[i]) {
            continue;
        }
        reached = joined_dma(j, behind(i));
        assert_true(reached == shared || reached == JOINED_NOBODY);
        assert_true(!exact || reached == shared);
    }
    assert_true(!exact || joined_id(j, ALIAS) == shared);
    assert_true(!exact || joined_id(j, JOINED_TO_PCI) == shared);
}

static const bool all[BEHIND] = {true, true, true};

static inline void take_all(struct joined *j)
{
    for (unsigned i = 0; i < BEHIND; i++) {
        assert_int_equal(joined_take(j, behind(i)), 0);
    }
}

/* Bus numbers, as the hardware domain writes them. */
static inline void write_buses(struct joined *j, pcv_sbdf bridge,
                               uint32_t buses)
{
    struct pcv_domain *hardware = pcv_host_hardware_domain(j->h.host);
    struct pcv_access access = PCV_WRITE(bridge, PCV_REG_PRIMARY, 4, buses);
    enum pcv_verdict verdict = pcv_access(hardware, &access);

    for (int i = 0; i < 1000 && verdict != PCV_DONE; i++) {
        verdict = verdict == PCV_PENDING ? pcv_access_resume(hardware, &access)
                                         : pcv_access(hardware, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

/* A bridge leads nowhere from now on, past the library, which is told: nobody
 * asks whether a guest has something behind it (OWN-15). */
static inline void cut_off(struct joined *j, pcv_sbdf bridge)
{
    int error = -PCV_ERESTART;

    pcv_test_write(j->h.model, bridge, PCV_REG_PRIMARY, 4, 0);
    for (int i = 0; i < 1000 && error == -PCV_ERESTART; i++) {
        error = pcv_bridge_report_buses(j->h.host, bridge, 0, 0, 0);
    }
    assert_int_equal(error, 0);
}

#endif

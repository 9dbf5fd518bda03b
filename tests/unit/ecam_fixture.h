/* SPDX-License-Identifier: MIT */
/*
 * A machine whose extended space comes and goes, and what is told of it.
 *
 *   00:00.0 host bridge, conventional
 *   00:01.0 endpoint with a serial number
 *   00:02.0 root port, buses 1 and 2
 *     01:00.0 PF with two VFs on the next bus: 02:00.0 and 02:00.1
 *   00:03.0 root port, buses 3 and 4
 *     03:00.0 bridge to PCI-X 266, bus 4
 *       04:04.0 PCI-X 266 card of 4096 bytes
 *   00:04.0 root port, bus 5
 *     05:00.0 endpoint with a resizable BAR
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_ECAM_FIXTURE_H
#define PCV_TESTS_UNIT_ECAM_FIXTURE_H

#include "hosted.h"

#define ECAM_FUNCTIONS 11u
#define ECAM_CARD pcv_test_at(0, 0, 1, 0)
#define ECAM_PORT pcv_test_at(0, 0, 2, 0)
#define ECAM_PF pcv_test_at(0, 1, 0, 0)
#define ECAM_VF_0 pcv_test_at(0, 2, 0, 0)
#define ECAM_VF_1 pcv_test_at(0, 2, 0, 1)
#define ECAM_BRIDGE pcv_test_at(0, 3, 0, 0)
#define ECAM_PCIX pcv_test_at(0, 4, 4, 0)
#define ECAM_LEAF pcv_test_at(0, 5, 0, 0)

#define ECAM_SERIAL 0x9abcdef012345678u
#define ECAM_LOG 64u

struct ecam {
    struct hosted h;
    uint16_t serial_cap;              /* of the card */
    struct pcv_event event[ECAM_LOG]; /* of extended space, as they came */
    size_t events;
};

static inline void ecam_keep(void *arg, const struct pcv_event *event)
{
    struct ecam *e = arg;

    if (event->kind == PCV_EVENT_EXTENDED ||
        event->kind == PCV_EVENT_EXTENDED_BUSY ||
        event->kind == PCV_EVENT_CAP_HIDDEN) {
        assert_in_range(e->events, 0, ECAM_LOG - 1);
        e->event[e->events++] = *event;
    }
}

/* The events of one kind about a device. */
static inline unsigned ecam_told(const struct ecam *e, enum pcv_event_kind kind,
                                 pcv_sbdf sbdf, uint64_t arg)
{
    unsigned count = 0;

    for (size_t i = 0; i < e->events; i++) {
        count += e->event[i].kind == kind && e->event[i].sbdf.v == sbdf.v &&
                 e->event[i].arg[0] == arg;
    }
    return count;
}

/* A card with a serial number, error reporting, and a BAR of 1 MiB. */
static inline uint16_t ecam_make_card(struct pcv_test_function *f,
                                      uint32_t address)
{
    uint16_t cap;

    pcv_test_pcie_endpoint(f, 0x1234, 0x5678);
    pcv_test_bar32(f, 0, address, 0x100000);
    pcv_test_set(f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    (void)pcv_test_aer(f);
    cap = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_DSN, 1, 12);
    pcv_test_set(f, cap + 4u, 4, (uint32_t)ECAM_SERIAL);
    pcv_test_set(f, cap + 8u, 4, (uint32_t)(ECAM_SERIAL >> 32));
    return cap;
}

static inline void ecam_ports(struct ecam *e)
{
    struct pcv_test_function f;

    for (uint8_t i = 0; i < 3; i++) {
        uint8_t first = (uint8_t)(1u + 2u * i);

        pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, first,
                      i == 2 ? first : (uint8_t)(first + 1u));
        (void)pcv_test_aer(&f);
        pcv_test_set(&f, PCV_REG_MEM_BASE, 4, 0x902f9000);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        pcv_test_add(e->h.model, &f, pcv_test_at(0, 0, 2u + i, 0));
    }
}

static inline void ecam_pcix(struct ecam *e)
{
    struct pcv_test_function f;
    uint8_t cap;

    pcv_test_port(&f, PCV_PCIE_TYPE_TO_PCI, 3, 4, 4);
    cap = pcv_test_cap(&f, PCV_CAP_ID_PCIX, 16);
    pcv_test_set(&f, (uint32_t)cap + PCV_PCIX_STATUS, 4, PCV_PCIX_STATUS_266);
    (void)pcv_test_aer(&f);
    pcv_test_add(e->h.model, &f, ECAM_BRIDGE);
    pcv_test_pcie_endpoint(&f, 0x17d5, 0x5832);
    /* Its PCI Express capability becomes one of PCI-X. */
    pcv_test_set(&f, PCV_REG_CAPS, 1, 0xc0);
    pcv_test_set(&f, 0xc0, 4, PCV_CAP_ID_PCIX);
    pcv_test_set(&f, 0xc4, 4, PCV_PCIX_STATUS_266);
    (void)pcv_test_aer(&f);
    pcv_test_add(e->h.model, &f, ECAM_PCIX);
}

static inline void ecam_build(struct ecam *e)
{
    struct pcv_test_function f;

    memset(e, 0, sizeof(*e));
    hosted_build(&e->h);
    pcv_test_host_bridge(&f);
    pcv_test_add(e->h.model, &f, pcv_test_at(0, 0, 0, 0));
    e->serial_cap = ecam_make_card(&f, 0x80000000);
    pcv_test_add(e->h.model, &f, ECAM_CARD);
    ecam_ports(e);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_aer(&f);
    (void)pcv_test_sriov(&f, 4, 2, 256, 1);
    pcv_test_add(e->h.model, &f, ECAM_PF);
    pcv_test_vf(&f, ECAM_PF);
    (void)pcv_test_aer(&f);
    pcv_test_add(e->h.model, &f, ECAM_VF_0);
    pcv_test_vf(&f, ECAM_PF);
    (void)pcv_test_aer(&f);
    pcv_test_add(e->h.model, &f, ECAM_VF_1);
    ecam_pcix(e);
    (void)ecam_make_card(&f, 0x90000000);
    (void)pcv_test_rebar(&f, 0, 0x3, 0);
    pcv_test_add(e->h.model, &f, ECAM_LEAF);
}

/* A host on it that knows no device yet. */
static inline void ecam_start(struct ecam *e)
{
    hosted_start(&e->h);
    pcv_model_on_event(e->h.model, ecam_keep, e);
}

static inline void ecam_up(struct ecam *e)
{
    ecam_build(e);
    ecam_start(e);
    assert_int_equal(hosted_scan(&e->h), ECAM_FUNCTIONS);
}

/* The host loses or gets a run of buses, and says so. */
static inline int ecam_say(struct ecam *e, uint8_t first, uint8_t last,
                           bool usable, pcv_sbdf *out_busy)
{
    pcv_model_set_ecam(e->h.model, 0, first, last, usable);
    return pcv_host_set_ecam(e->h.host, 0, first, last, usable, out_busy);
}

static inline bool ecam_has(struct ecam *e, pcv_sbdf sbdf)
{
    return hosted_info(&e->h, sbdf).extended;
}

/* What the hardware domain sees at 0x100, if it must be done. */
static inline uint32_t ecam_first(struct ecam *e, pcv_sbdf sbdf)
{
    struct pcv_access access = PCV_READ(sbdf, PCV_EXT_CAP_START, 4);

    assert_int_equal(pcv_access(pcv_host_hardware_domain(e->h.host), &access),
                     PCV_DONE);
    return (uint32_t)access.data;
}

static inline void ecam_expect(struct ecam *e, pcv_sbdf sbdf, bool has)
{
    assert_int_equal(ecam_has(e, sbdf), has);
    if (has) {
        assert_int_equal(ecam_first(e, sbdf) & 0xffffu, PCV_EXT_CAP_ID_AER);
    } else {
        assert_int_equal(ecam_first(e, sbdf), 0xffffffffu);
    }
}

#endif

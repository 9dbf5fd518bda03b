/* SPDX-License-Identifier: MIT */
/*
 * Bridges above functions that are given to guests:
 *
 *   00:01.0 root port with a slot, buses 1 to 3
 *     01:00.0 upstream port
 *       02:00.0 downstream port with a slot
 *         03:00.0 PF with two VFs: 03:00.4 and 03:00.5
 *   00:02.0 root port with a slot, bus 4
 *     04:00.0 card with FLR
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_PROTECTED_FIXTURE_H
#define PCV_TESTS_UNIT_PROTECTED_FIXTURE_H

#include "hosted.h"

#define GUEST 7u
#define TOP pcv_test_at(0, 0, 1, 0)
#define UP pcv_test_at(0, 1, 0, 0)
#define DOWN pcv_test_at(0, 2, 0, 0)
#define PF pcv_test_at(0, 3, 0, 0)
#define VF_0 pcv_test_at(0, 3, 0, 4)
#define VF_1 pcv_test_at(0, 3, 0, 5)
#define ASIDE pcv_test_at(0, 0, 2, 0)
#define CARD pcv_test_at(0, 4, 0, 0)
#define FUNCTIONS 8u

#define PORT_ENABLES (PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER)

struct guarded {
    struct hosted h;
    struct pcv_domain *hardware, *guest;
    pcv_sbdf at; /* where the guest has what it got last */
    uint32_t events[64];
    struct pcv_event last[64];
};

/* Where capabilities stand: the same in every port, and in the PF. */
static uint16_t port_pcie, port_pm, port_dpc, pf_pcie, pf_pm, pf_sriov;

static inline void guarded_told(void *arg, const struct pcv_event *event)
{
    struct guarded *g = arg;

    g->events[event->kind]++;
    g->last[event->kind] = *event;
}

static inline void guarded_port(struct guarded *g, pcv_sbdf at, uint8_t type,
                                uint8_t first, uint8_t last)
{
    struct pcv_test_function f;

    pcv_test_port(&f, type, pcv_sbdf_bus(at), first, last);
    port_pcie = (uint16_t)pcv_test_get(&f, PCV_REG_CAPS, 1);
    port_pm = pcv_test_pm(&f, true);
    port_dpc = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_DPC, 1, 16);
    if (type != PCV_PCIE_TYPE_UPSTREAM) {
        pcv_test_set(&f, port_pcie + PCV_PCIE_FLAGS, 2,
                     pcv_test_get(&f, port_pcie + PCV_PCIE_FLAGS, 2) |
                         PCV_PCIE_FLAGS_SLOT);
        pcv_test_set(&f, port_pcie + PCV_PCIE_SLTCAP, 4, 0x7b);
        pcv_test_set(&f, port_pcie + PCV_PCIE_SLTSTA, 2,
                     PCV_PCIE_SLTSTA_PRESENT);
        pcv_test_set(&f, port_pcie + PCV_PCIE_DEVCAP2, 4, 0x20);
    }
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PORT_ENABLES);
    pcv_test_set(&f, PCV_REG_IO_BASE, 2, 0x2111);
    pcv_test_set(&f, PCV_REG_MEM_BASE, 4, 0x902f9000);
    pcv_test_set(&f, PCV_REG_PREF_BASE, 4, 0xa011a001);
    pcv_test_add(g->h.model, &f, at);
}

static inline void guarded_cards(struct guarded *g)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    pf_pcie = (uint16_t)pcv_test_get(&f, PCV_REG_CAPS, 1);
    pf_pm = pcv_test_pm(&f, true);
    pf_sriov = pcv_test_sriov(&f, 4, 2, 4, 1);
    pcv_test_set(&f, pf_sriov + PCV_SRIOV_BAR, 4, 0x90100000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(g->h.model, &f, PF);
    pcv_test_vf(&f, PF);
    f.fn.bar_size[0] = 0x4000;
    pcv_test_add(g->h.model, &f, VF_0);
    pcv_test_add(g->h.model, &f, VF_1);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_bar32(&f, 0, 0x90200000, 16384);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    pcv_test_add(g->h.model, &f, CARD);
}

static inline void guarded_build(struct guarded *g)
{
    memset(g, 0, sizeof(*g));
    hosted_build(&g->h);
    guarded_port(g, TOP, PCV_PCIE_TYPE_ROOT_PORT, 1, 3);
    guarded_port(g, UP, PCV_PCIE_TYPE_UPSTREAM, 2, 3);
    guarded_port(g, DOWN, PCV_PCIE_TYPE_DOWNSTREAM, 3, 3);
    guarded_port(g, ASIDE, PCV_PCIE_TYPE_ROOT_PORT, 4, 4);
    guarded_cards(g);
    pcv_model_on_event(g->h.model, guarded_told, g);
}

static inline void guarded_run(struct guarded *g)
{
    hosted_start(&g->h);
    assert_int_equal(hosted_scan(&g->h), FUNCTIONS);
    g->hardware = pcv_host_hardware_domain(g->h.host);
    assert_int_equal(pcv_domain_create(g->h.host, GUEST, &g->guest), 0);
    assert_int_equal(
        pcv_domain_add_window(g->guest, (pcv_gpa){0x80000000}, 0x100000), 0);
}

static inline void guarded_start(struct guarded *g)
{
    guarded_build(g);
    guarded_run(g);
}

static inline void guarded_end(struct guarded *g)
{
    hosted_end(&g->h);
}

static inline int guarded_give(struct guarded *g, pcv_sbdf sbdf)
{
    int error = -PCV_ERESTART;

    /* There is no ACS above. */
    assert_int_equal(pcv_device_declare_isolated(g->h.host, sbdf, true), 0);
    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_assign(g->h.host, sbdf, g->guest, NULL, &g->at);
    }
    return error;
}

static inline int guarded_take(struct guarded *g, pcv_sbdf sbdf)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_deassign(g->h.host, sbdf);
    }
    return error;
}

/* One access of a domain to its end. */
static inline enum pcv_verdict guarded_access(struct pcv_domain *domain,
                                              struct pcv_access *access)
{
    enum pcv_verdict verdict = pcv_access(domain, access);

    for (int i = 0;
         i < 1000 && (verdict == PCV_PENDING || verdict == PCV_RETRY); i++) {
        verdict = verdict == PCV_PENDING ? pcv_access_resume(domain, access)
                                         : pcv_access(domain, access);
    }
    return verdict;
}

/* The hardware domain writes. */
static inline void guarded_write(struct guarded *g, pcv_sbdf at, uint16_t reg,
                                 uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(at, reg, size, value);

    assert_int_equal(guarded_access(g->hardware, &access), PCV_DONE);
}

static inline uint32_t guarded_peek(struct guarded *g, pcv_sbdf at,
                                    uint16_t reg, uint8_t size)
{
    return pcv_model_peek(g->h.model, at, reg, size);
}

/* What the guest reads of its function's IDs. */
static inline uint32_t guarded_ids(struct guarded *g)
{
    struct pcv_access access = PCV_READ(g->at, PCV_REG_VENDOR, 4);

    (void)guarded_access(g->guest, &access);
    return (uint32_t)access.data;
}

static inline uint64_t guarded_dropped(struct guarded *g)
{
    return hosted_stats(&g->h).protected_writes;
}

#endif

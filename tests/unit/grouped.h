/* SPDX-License-Identifier: MIT */
/*
 * Looking at isolation groups, and a switch whose ports have whatever ACS a
 * test likes.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_GROUPED_H
#define PCV_TESTS_UNIT_GROUPED_H

#include "joined.h"
#include "pcivisor/group.h"

#define ACS_ALL                                                                \
    (PCV_ACS_SOURCE | PCV_ACS_REDIRECT | PCV_ACS_COMPLETION | PCV_ACS_UPSTREAM)
#define NO_ACS 0xffffu

static inline bool in_group(struct pcv_host *host, pcv_sbdf of, pcv_sbdf sbdf)
{
    struct pcv_group_member member;
    struct pcv_group group;

    assert_int_equal(pcv_group_find(host, of, &group), 0);
    return pcv_group_next(&group, sbdf, &member) && member.sbdf.v == sbdf.v;
}

static inline uint32_t group_size(struct pcv_host *host, pcv_sbdf of)
{
    struct pcv_group_member member;
    struct pcv_group group;
    pcv_sbdf from = {0};
    uint32_t count = 0;

    assert_int_equal(pcv_group_find(host, of, &group), 0);
    while (pcv_group_next(&group, from, &member)) {
        assert_true(member.sbdf.v >= from.v);
        from.v = member.sbdf.v + 1u;
        count++;
    }
    return count;
}

/* A function is in its own group; whoever is in it has the same group. */
static inline void assert_partition(struct pcv_host *host)
{
    struct pcv_device *device;
    pcv_sbdf from = {0};

    while ((device = pcv_device_next(host, from)) != NULL) {
        pcv_sbdf at = pcv_device_sbdf(device);
        struct pcv_group_member member;
        struct pcv_group group;
        pcv_sbdf next = {0};

        pcv_device_put(device);
        assert_true(in_group(host, at, at));
        assert_int_equal(pcv_group_find(host, at, &group), 0);
        while (pcv_group_next(&group, next, &member)) {
            assert_true(in_group(host, member.sbdf, at));
            assert_int_equal(group_size(host, member.sbdf),
                             group_size(host, at));
            next.v = member.sbdf.v + 1u;
        }
        from.v = at.v + 1u;
    }
}

/* ---- a switch --------------------------------------------------------------
 */

#define ROOT_PORT pcv_test_at(0, 0, 2, 0)
#define UPSTREAM pcv_test_at(0, 1, 0, 0)
#define DOWN(n) pcv_test_at(0, 2, (uint8_t)(n), 0)
#define LEAF(n) pcv_test_at(0, (uint8_t)(3u + (n)), 0, 0)
#define PF LEAF(1)
#define VF(n) pcv_test_at(0, 4, 0, (uint8_t)(4u + (n)))

struct acs {
    uint16_t cap, control; /* cap NO_ACS: it has none */
};

static inline void add_port(struct hosted *h, uint8_t type, pcv_sbdf at,
                            uint8_t first, uint8_t last, struct acs acs)
{
    struct pcv_test_function f;

    pcv_test_port(&f, type, pcv_sbdf_bus(at), first, last);
    if (acs.cap != NO_ACS) {
        joined_acs(&f, acs.cap, acs.control);
    }
    pcv_test_add(h->model, &f, at);
}

/* What hardware has of it from now on: the library switched on what it could.
 */
static inline void set_acs(struct hosted *h, pcv_sbdf at, struct acs acs)
{
    if (acs.cap != NO_ACS) {
        pcv_model_poke(h->model, at, PCV_EXT_CAP_START + PCV_ACS_CTRL, 2,
                       acs.control);
    }
}

/*
 *   00:02.0 root port
 *     01:00.0 upstream port
 *       02:00.0 downstream port
 *         03:00.0 endpoint
 *       02:01.0 downstream port
 *         04:00.0 PF, 04:00.4 and 04:00.5 its VFs
 */
static inline void switch_start(struct hosted *h, struct acs root,
                                struct acs down_0, struct acs down_1)
{
    const struct acs none = {NO_ACS, 0};
    struct pcv_test_function f;

    hosted_build(h);
    add_port(h, PCV_PCIE_TYPE_ROOT_PORT, ROOT_PORT, 1, 4, root);
    add_port(h, PCV_PCIE_TYPE_UPSTREAM, UPSTREAM, 2, 4, none);
    add_port(h, PCV_PCIE_TYPE_DOWNSTREAM, DOWN(0), 3, 3, down_0);
    add_port(h, PCV_PCIE_TYPE_DOWNSTREAM, DOWN(1), 4, 4, down_1);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_add(h->model, &f, LEAF(0));
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 4, 2, 4, 1);
    pcv_test_add(h->model, &f, PF);
    pcv_test_vf(&f, PF);
    pcv_test_add(h->model, &f, VF(0));
    pcv_test_add(h->model, &f, VF(1));
    hosted_start(h);
    assert_int_equal(hosted_scan(h), 8);
    set_acs(h, ROOT_PORT, root);
    set_acs(h, DOWN(0), down_0);
    set_acs(h, DOWN(1), down_1);
}

static const struct acs acs_on = {ACS_ALL, ACS_ALL};

#endif

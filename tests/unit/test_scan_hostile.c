/* SPDX-License-Identifier: MIT */
/* The scan of machines, and with hosts, that answer nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "answers.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Some devices ignore the device number: they answer at all 32. */
static uint8_t port_type;

static bool answer_at_every_device(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword)
{
    if (sbdf.v == 0x0008u) {
        *dword = bridge(reg, 0x00030100u, port_type);
        return true;
    }
    *dword = plain(reg);
    return pcv_sbdf_bus(sbdf) == 1 && pcv_sbdf_function(sbdf) == 0;
}

/* TOPO-8 */
static void below_a_port_only_device_0_is_asked(void **state)
{
    static const struct {
        uint8_t type;
        uint32_t behind;
    } rows[] = {
        {PCV_PCIE_TYPE_ROOT_PORT, 1},
        {PCV_PCIE_TYPE_DOWNSTREAM, 1},
        {PCV_PCIE_TYPE_UPSTREAM, 32},
        {PCV_PCIE_TYPE_TO_PCI, 32},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hosted h;

        port_type = rows[i].type;
        machine_start(&h, answer_at_every_device);
        assert_int_equal(hosted_scan(&h), 1 + rows[i].behind);
        for (uint8_t device = 0; device < PCV_SLOTS; device++) {
            assert_int_equal(was_asked(pcv_test_at(0, 1, device, 0)),
                             device < rows[i].behind);
            /* Buses 2 and 3 belong to the same bridge, and to no other. */
            assert_int_equal(was_asked(pcv_test_at(0, 2, device, 0)),
                             rows[i].behind != 1);
        }
        hosted_end(&h);
    }
}

/* ---- hostile machines -----------------------------------------------------
 */

static bool all_zero(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword)
{
    (void)sbdf;
    (void)reg;
    *dword = 0;
    return true;
}

static bool nobody(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword)
{
    (void)sbdf;
    (void)reg;
    (void)dword;
    return false;
}

/* Every register of every function reads its own number, or something that
 * looks random; the vendor ID always answers. */
static uint32_t mix(uint32_t x)
{
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

static bool noise(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword)
{
    *dword = mix(sbdf.v * 4096 + reg);
    return true;
}

/* The same register never reads the same twice. */
static bool flicker(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword)
{
    *dword = mix(sbdf.v * 4096 + reg + (uint32_t)machine.reads * 77777u);
    return true;
}

/* Bridges all the way, each of which claims every bus. */
static bool bridges(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword)
{
    (void)sbdf;
    *dword = bridge(reg, 0x00ff0100u, PCV_PCIE_TYPE_UPSTREAM);
    if (reg == (PCV_REG_HEADER_TYPE & ~3u)) {
        *dword |= (uint32_t)PCV_HEADER_MULTI << 16;
    }
    return true;
}

/* Every function is a PF with 65,535 VFs, has all capabilities that fit in
 * both lists, and is one of eight. */
static bool endless(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword)
{
    (void)sbdf;
    *dword = 0;
    if (reg == PCV_REG_COMMAND) {
        *dword = (uint32_t)PCV_STATUS_CAPS << 16;
    } else if (reg == (PCV_REG_HEADER_TYPE & ~3u)) {
        *dword = (uint32_t)PCV_HEADER_MULTI << 16;
    } else if (reg == PCV_REG_CAPS) {
        *dword = 0x40;
    } else if (reg < 0x40) {
        *dword = plain(reg);
    } else if (reg < 0x100) {
        *dword = (reg + 4u) << 8 | PCV_CAP_ID_PCIE;
    } else {
        *dword = (uint32_t)(reg + 4) << 20 | 0x10000u |
                 (reg == 0x100 ? PCV_EXT_CAP_ID_SRIOV : PCV_EXT_CAP_ID_ARI);
    }
    return true;
}

/* 32 PFs on bus 0, each of which claims every address behind bus 0, where
 * nobody else answers. */
static bool claims(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword)
{
    (void)endless(sbdf, reg, dword);
    if (reg == (PCV_REG_HEADER_TYPE & ~3u)) {
        *dword = 0;
    } else if (reg == 0x100 + PCV_SRIOV_CTRL) {
        *dword = PCV_SRIOV_CTRL_VFE;
    } else if (reg > 0x100 && reg < 0x140) {
        *dword = reg == 0x100 + PCV_SRIOV_OFFSET ? 0x00010100u : 0xffffu;
    }
    return sbdf.v < 0x100 && pcv_sbdf_function(sbdf) == 0;
}

/* What one address may cost: two walks of each list with all that it can hold,
 * and less than 256 reads besides. */
#define READS_PER_ADDRESS (2 * PCV_CAPS_MAX + 2 * PCV_EXT_CAPS_MAX + 256)

/* TOPO-8 */
static void a_hostile_machine_costs_a_bounded_number_of_reads(void **state)
{
    static const struct {
        const char *what;
        answer_fn answer;
        uint32_t reads; /* per address, at most */
    } rows[] = {
        {"nobody", nobody, 1},
        {"zero", all_zero, 1},
        {"noise", noise, READS_PER_ADDRESS},
        {"flicker", flicker, READS_PER_ADDRESS},
        {"bridges", bridges, READS_PER_ADDRESS},
        {"endless", endless, READS_PER_ADDRESS},
        {"claims", claims, 16},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint64_t addresses = (uint64_t)MACHINE_BUSES * PCV_DEVFNS;
        struct pcv_scan scan = {0};
        struct hosted h;

        machine_start(&h, rows[i].answer);
        assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
        assert_true(scan.found <= addresses);
        assert_int_equal(scan.found, hosted_stats(&h).devices);
        if (machine.reads > addresses * rows[i].reads) {
            fail_msg("%s: %llu reads", rows[i].what,
                     (unsigned long long)machine.reads);
        }
        assert_true(machine.writes <= addresses * 64);
        hosted_end(&h);
    }
}

/* Runs of buses as hosts describe them, sensible and not. */
static const struct pcv_segment_info runs[] = {
    {0, 0, 0}, {0, 2, 3}, {0, 9, 5} /* nothing */, {7, 255, 255}, {0, 0, 0},
};

static int runs_segment(void *ctx, uint32_t index,
                        struct pcv_segment_info *out_info)
{
    (void)ctx;
    if (index >= COUNT(runs)) {
        return -PCV_ENOENT;
    }
    *out_info = runs[index];
    return 0;
}

static bool plain_at_device_0(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword)
{
    *dword = plain(reg);
    return pcv_sbdf_devfn(sbdf) == 0;
}

/* TOPO-8 */
static void only_buses_that_the_host_names_are_asked(void **state)
{
    struct pcv_scan scan = {0};
    struct hosted h;

    (void)state;
    hosted_build(&h);
    memset(&machine, 0, sizeof(machine));
    machine.answer = plain_at_device_0;
    h.ops.cfg_read = machine_read;
    h.ops.cfg_write = machine_write;
    h.ops.segment = runs_segment;
    hosted_start(&h);
    assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
    assert_int_equal(scan.found, 4); /* 0:0, 0:2, 0:3, 7:ff */
    assert_int_equal(scan.failed, 0);
    assert_true(hosted_found(&h, pcv_test_at(7, 255, 0, 0)));
    for (uint32_t bus = 0; bus < PCV_BUSES; bus++) {
        assert_int_equal(was_asked(pcv_test_at(0, (uint8_t)bus, 0, 0)),
                         bus == 0 || bus == 2 || bus == 3 || bus == 255);
    }
    hosted_end(&h);
}

static int endless_segments(void *ctx, uint32_t index,
                            struct pcv_segment_info *out_info)
{
    (void)ctx;
    *out_info = (struct pcv_segment_info){(uint16_t)index, 1, 0};
    return 0;
}

/* TOPO-8, PORT-3 */
static void a_hosts_endless_list_of_segments_ends(void **state)
{
    struct pcv_scan scan = {0};
    struct hosted h;

    (void)state;
    hosted_build(&h);
    h.ops.segment = endless_segments;
    hosted_start(&h);
    assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
    assert_int_equal(scan.found, 0);
    assert_int_equal(pcv_device_add(h.host, pcv_test_at(3, 0, 0, 0), NULL),
                     -PCV_EINVAL);
    hosted_end(&h);
}

/* ---- into another host bridge's buses ------------------------------------ */

#define ROOT_2 4u /* the second host bridge's first bus, of segment 0 too */

static int two_host_bridges(void *ctx, uint32_t index,
                            struct pcv_segment_info *out_info)
{
    (void)ctx;
    if (index > 1) {
        return -PCV_ENOENT;
    }
    *out_info = index == 0 ? (struct pcv_segment_info){0, 0, ROOT_2 - 1}
                           : (struct pcv_segment_info){0, ROOT_2, 7};
    return 0;
}

static const pcv_sbdf intruder = {0x0008};

static bool behind_the_other(pcv_sbdf sbdf, uint32_t *dword, uint16_t reg)
{
    *dword = plain(reg);
    return sbdf.v == (ROOT_2 << 8) || sbdf.v == (ROOT_2 << 8 | 8u);
}

/* A bridge on bus 0 that claims buses 4 to 7. */
static bool far_bridge(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword)
{
    if (sbdf.v == intruder.v) {
        *dword = bridge(reg, 0x00070400u, PCV_PCIE_TYPE_ROOT_PORT);
        return true;
    }
    return behind_the_other(sbdf, dword, reg);
}

/* One that begins on its own host bridge's buses, and goes on beyond. */
static bool long_bridge(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword)
{
    if (sbdf.v == intruder.v) {
        *dword = bridge(reg, 0x00070100u, PCV_PCIE_TYPE_ROOT_PORT);
        return true;
    }
    return behind_the_other(sbdf, dword, reg);
}

/* A PF on bus 0 whose VFs would be 04:00.0 and 04:01.0. */
static bool far_pf(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword)
{
    if (sbdf.v != intruder.v) {
        return behind_the_other(sbdf, dword, reg);
    }
    (void)endless(sbdf, reg, dword);
    if (reg == (PCV_REG_HEADER_TYPE & ~3u)) {
        *dword = 0;
    } else if (reg == 0x100 + PCV_SRIOV_CTRL) {
        *dword = PCV_SRIOV_CTRL_VFE;
    } else if (reg > 0x100 && reg < 0x140) {
        *dword = reg == 0x100 + PCV_SRIOV_OFFSET ? 0x00080000u | (0x400u - 8u)
                                                 : 0x00020002u;
    }
    return true;
}

/* TOPO-2, TOPO-3, TOPO-4, TOPO-8 */
static void no_device_claims_another_host_bridges_buses(void **state)
{
    static const answer_fn rows[] = {far_bridge, long_bridge, far_pf};
    const pcv_sbdf theirs[] = {pcv_test_at(0, ROOT_2, 0, 0),
                               pcv_test_at(0, ROOT_2, 1, 0)};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pcv_scan scan = {0};
        struct hosted h;
        pcv_sbdf up;

        machine_build(&h, rows[i]);
        h.ops.segment = two_host_bridges;
        hosted_start(&h);
        assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
        assert_int_equal(scan.found, 3);
        assert_int_equal(hosted_info(&h, intruder).bus_conflict, i < 2);
        assert_int_equal(pcv_topology_upstream(h.host, 0, ROOT_2, &up),
                         -PCV_ENOENT);
        for (size_t k = 0; k < COUNT(theirs); k++) {
            assert_false(hosted_info(&h, theirs[k]).is_vf);
            assert_int_equal(hosted_info(&h, theirs[k]).vendor, 0x8086);
        }
        /* It takes nothing along that is not its own. */
        assert_int_equal(pcv_device_vanished(h.host, intruder), 0);
        assert_int_equal(pcv_device_remove(h.host, intruder, NULL, NULL), 0);
        for (size_t k = 0; k < COUNT(theirs); k++) {
            assert_int_equal(hosted_state(&h, theirs[k]), PCV_STATE_PRESENT);
            assert_false(hosted_status(&h, theirs[k]).vanished);
        }
        hosted_end(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_a_port_only_device_0_is_asked),
        cmocka_unit_test(a_hostile_machine_costs_a_bounded_number_of_reads),
        cmocka_unit_test(only_buses_that_the_host_names_are_asked),
        cmocka_unit_test(a_hosts_endless_list_of_segments_ends),
        cmocka_unit_test(no_device_claims_another_host_bridges_buses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The scan: what is found, what is not asked, and what hostile machines cost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void put_endpoint(struct hosted *h, pcv_sbdf at, uint8_t header)
{
    struct pcv_test_function f;

    pcv_test_endpoint(&f, 0x8086, 0x1234);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, header);
    pcv_test_add(h->model, &f, at);
}

/* ---- functions of a device ------------------------------------------------
 */

/* TOPO-8 */
static void the_multi_function_bit_of_function_0_decides(void **state)
{
    struct hosted h;

    (void)state;
    hosted_build(&h);
    /* 0 and 3, the bit not set; 0, 2 and 7, it is; 4 alone, without a 0 */
    put_endpoint(&h, pcv_test_at(0, 0, 1, 0), 0);
    put_endpoint(&h, pcv_test_at(0, 0, 1, 3), PCV_HEADER_MULTI);
    put_endpoint(&h, pcv_test_at(0, 0, 2, 0), PCV_HEADER_MULTI);
    put_endpoint(&h, pcv_test_at(0, 0, 2, 2), 0);
    put_endpoint(&h, pcv_test_at(0, 0, 2, 7), 0);
    put_endpoint(&h, pcv_test_at(0, 0, 3, 4), PCV_HEADER_MULTI);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 4);
    assert_true(hosted_found(&h, pcv_test_at(0, 0, 1, 0)));
    assert_true(hosted_found(&h, pcv_test_at(0, 0, 2, 0)));
    assert_true(hosted_found(&h, pcv_test_at(0, 0, 2, 2)));
    assert_true(hosted_found(&h, pcv_test_at(0, 0, 2, 7)));
    hosted_end(&h);
}

/* ---- machines that answer what a test wants -------------------------------
 */

/* Answers for an address; false: nothing is there. */
typedef bool (*answer_fn)(pcv_sbdf sbdf, uint16_t reg, uint32_t *dword);

static struct {
    answer_fn answer;
    uint64_t reads, writes;
    uint32_t asked[65536 / 32]; /* addresses that were read, one bit each */
} machine;

static int machine_read(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                        uint32_t *out_value)
{
    uint32_t dword = 0xffffffffu;

    (void)ctx;
    machine.reads++;
    machine.asked[(sbdf.v & 0xffffu) / 32] |= 1u << (sbdf.v % 32);
    if (!machine.answer(sbdf, (uint16_t)(reg & ~3u), &dword)) {
        dword = 0xffffffffu;
    }
    *out_value = size == 4 ? dword
                           : (dword >> (reg % 4 * 8)) &
                                 ((1u << (size * 8)) - 1u);
    return 0;
}

static int machine_write(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                         uint32_t value)
{
    (void)ctx;
    (void)sbdf;
    (void)reg;
    (void)size;
    (void)value;
    machine.writes++;
    return 0;
}

static bool was_asked(pcv_sbdf sbdf)
{
    return (machine.asked[(sbdf.v & 0xffffu) / 32] >> (sbdf.v % 32) & 1) != 0;
}

#define MACHINE_BUSES 8u

static int machine_segment(void *ctx, uint32_t index,
                           struct pcv_segment_info *out_info)
{
    (void)ctx;
    if (index != 0) {
        return -PCV_ENOENT;
    }
    *out_info = (struct pcv_segment_info){0, 0, MACHINE_BUSES - 1};
    return 0;
}

static void machine_start(struct hosted *h, answer_fn answer)
{
    hosted_build(h);
    memset(&machine, 0, sizeof(machine));
    machine.answer = answer;
    h->ops.cfg_read = machine_read;
    h->ops.cfg_write = machine_write;
    h->ops.segment = machine_segment;
    hosted_start(h);
}

/* Registers of a plain endpoint, or of a bridge with these bus numbers. */
static uint32_t plain(uint16_t reg)
{
    return reg == 0                ? 0x12348086u
           : reg == PCV_REG_REVISION ? 0x02000000u
                                     : 0;
}

static uint32_t bridge(uint16_t reg, uint32_t numbers, uint8_t pcie_type)
{
    switch (reg) {
    case 0:
        return 0x00011b36u;
    case PCV_REG_COMMAND:
        return (uint32_t)PCV_STATUS_CAPS << 16;
    case PCV_REG_REVISION:
        return 0x06040000u;
    case PCV_REG_HEADER_TYPE & ~3u:
        return 0x00010000u;
    case PCV_REG_PRIMARY & ~3u:
        return numbers;
    case PCV_REG_CAPS:
        return 0x40u;
    case 0x40:
        return (uint32_t)(pcie_type << 4 | 2) << 16 | PCV_CAP_ID_PCIE;
    default:
        return 0;
    }
}

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

/* ---- ARI ------------------------------------------------------------------
 */

struct ari {
    uint8_t function, next;
};

/* A root port and behind it functions that name each other. */
static void ari_machine(struct hosted *h, bool forwards, const struct ari *fn,
                        size_t count)
{
    struct pcv_test_function f;
    uint16_t cap;

    hosted_build(h);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_set(&f, 0x40 + PCV_PCIE_DEVCTL2, 2,
                 forwards ? PCV_PCIE_DEVCTL2_ARI : 0);
    pcv_test_add(h->model, &f, pcv_test_at(0, 0, 1, 0));
    for (size_t i = 0; i < count; i++) {
        pcv_test_pcie_endpoint(&f, 0x8086, 0x1234);
        cap = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_ARI, 1, 8);
        pcv_test_set(&f, cap + PCV_ARI_CAP, 2, (uint32_t)fn[i].next << 8);
        pcv_test_add(h->model, &f, pcv_sbdf_make(0, 1, fn[i].function));
    }
    hosted_start(h);
}

/* TOPO-8 */
static void with_ari_next_function_numbers_are_followed_while_they_grow(
    void **state)
{
    static const struct {
        const char *what;
        bool forwards;
        size_t count;
        struct ari fn[4];
        uint32_t found; /* behind the port */
    } rows[] = {
        {"a list", true, 4, {{0, 8}, {8, 9}, {9, 255}, {255, 0}}, 4},
        {"not forwarded", false, 3, {{0, 8}, {8, 9}, {9, 0}}, 1},
        {"to itself", true, 2, {{0, 0}, {8, 0}}, 1},
        {"back to the first", true, 3, {{0, 8}, {8, 0}, {9, 0}}, 2},
        {"back to the one before", true, 3, {{0, 8}, {8, 9}, {9, 8}}, 3},
        {"staying where it is", true, 3, {{0, 8}, {8, 8}, {9, 0}}, 2},
        {"to nobody", true, 2, {{0, 7}, {8, 0}}, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hosted h;

        ari_machine(&h, rows[i].forwards, rows[i].fn, rows[i].count);
        if (hosted_scan(&h) != rows[i].found + 1) {
            fail_msg("%s", rows[i].what);
        }
        hosted_end(&h);
    }
}

/* ---- VFs ------------------------------------------------------------------
 */

/* TOPO-8 */
static void vfs_are_found_by_their_pfs_capability(void **state)
{
    static const struct {
        const char *what;
        uint16_t enabled, offset, stride;
        uint32_t found; /* of VFs at functions 4 and 6 */
    } rows[] = {
        {"two, two apart", 2, 4, 2, 2}, {"one of two", 1, 4, 2, 1},
        {"switched off", 0, 4, 2, 0},   {"no offset", 2, 0, 2, 0},
        {"no stride", 2, 4, 0, 0},      {"one needs no stride", 1, 4, 0, 1},
        {"beyond the last", 2, 4, 0xffff, 1},
    };
    const pcv_sbdf pf = pcv_test_at(0, 0, 1, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pcv_test_function f;
        struct hosted h;

        hosted_build(&h);
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
        (void)pcv_test_sriov(&f, 2, rows[i].enabled, rows[i].offset,
                             rows[i].stride);
        pcv_test_add(h.model, &f, pf);
        pcv_test_vf(&f, pf);
        pcv_test_add(h.model, &f, pcv_test_at(0, 0, 1, 4));
        pcv_test_add(h.model, &f, pcv_test_at(0, 0, 1, 6));
        hosted_start(&h);
        if (hosted_scan(&h) != rows[i].found + 1) {
            fail_msg("%s", rows[i].what);
        }
        if (rows[i].found != 0) {
            struct pcv_device_info vf = hosted_info(&h, (pcv_sbdf){pf.v + 4});

            assert_true(vf.is_vf);
            assert_int_equal(vf.physfn.v, pf.v);
            assert_int_equal(vf.vendor, 0x8086);
            assert_int_equal(vf.device, 0x10ca);
        }
        hosted_end(&h);
    }
}

/* TOPO-8 */
static void a_pf_does_not_get_functions_behind_other_bridges(void **state)
{
    struct pcv_test_function f;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    for (uint8_t i = 0; i < 2; i++) {
        pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, (uint8_t)(1 + i),
                      (uint8_t)(1 + i));
        pcv_test_add(h.model, &f, pcv_test_at(0, 0, (uint8_t)(2 + i), 0));
    }
    /* One PF on the root bus before the ports, one behind the first port: both
     * say that bus 2 is full of their VFs. */
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 256, 256, 0x1f8, 1);
    pcv_test_add(h.model, &f, pcv_test_at(0, 0, 1, 0));
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 256, 256, 0x100, 1);
    pcv_test_add(h.model, &f, pcv_test_at(0, 1, 0, 0));
    pcv_test_pcie_endpoint(&f, 0x1af4, 0x1041);
    pcv_test_add(h.model, &f, pcv_test_at(0, 2, 0, 0));
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 5);
    assert_false(hosted_info(&h, pcv_test_at(0, 2, 0, 0)).is_vf);
    assert_int_equal(hosted_info(&h, pcv_test_at(0, 2, 0, 0)).vendor, 0x1af4);
    hosted_end(&h);
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

/* What one address may cost: two walks of each list with all that it can hold,
 * and less than 256 reads besides. */
#define READS_PER_ADDRESS                                                      \
    (2 * PCV_CAPS_MAX + 2 * PCV_EXT_CAPS_MAX + 256)

/* TOPO-8 */
static void a_hostile_machine_costs_a_bounded_number_of_reads(void **state)
{
    static const struct {
        const char *what;
        answer_fn answer;
        uint32_t reads; /* per address, at most */
    } rows[] = {
        {"nobody", nobody, 1},     {"zero", all_zero, 1},
        {"noise", noise, READS_PER_ADDRESS},
        {"flicker", flicker, READS_PER_ADDRESS},
        {"bridges", bridges, READS_PER_ADDRESS},
        {"endless", endless, READS_PER_ADDRESS},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint64_t addresses = MACHINE_BUSES * PCV_DEVFNS;
        struct pcv_scan scan = {0};
        struct hosted h;

        machine_start(&h, rows[i].answer);
        assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
        assert_true(scan.found <= addresses);
        assert_int_equal(scan.found, hosted_stats(&h).devices);
        assert_true(machine.reads <= addresses * rows[i].reads);
        print_message("%s r %llu w %llu f %u\n", rows[i].what, (unsigned long long)machine.reads, (unsigned long long)machine.writes, scan.found);
        assert_true(machine.writes <= addresses * 64);
        hosted_end(&h);
    }
}

/* TOPO-8 */
static void a_function_that_answers_nonsense_hides_no_other(void **state)
{
    /* What stands at 00:01.0, 01:00.0 and so on: each breaks one thing. */
    static const struct {
        const char *what;
        uint16_t reg;
        uint8_t size;
        uint32_t value;
    } rows[] = {
        {"header type", PCV_REG_HEADER_TYPE, 1, 0x7f},
        {"all of the header type", PCV_REG_HEADER_TYPE, 1, 0xff},
        {"capability pointer", PCV_REG_CAPS, 1, 0xff},
        {"status all ones", PCV_REG_STATUS, 2, 0xffff},
        {"class", PCV_REG_REVISION, 4, 0xffffffff},
        {"BAR", PCV_REG_BAR0, 4, 0xffffffff},
        {"command", PCV_REG_COMMAND, 2, 0xffff},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pcv_test_function f;
        struct hosted h;

        hosted_build(&h);
        pcv_test_pcie_endpoint(&f, 0x8086, 0x1234);
        pcv_test_set(&f, rows[i].reg, rows[i].size, rows[i].value);
        pcv_test_add(h.model, &f, pcv_test_at(0, 0, 1, 0));
        put_endpoint(&h, pcv_test_at(0, 0, 2, 0), 0);
        hosted_start(&h);
        if (hosted_scan(&h) != 2) {
            fail_msg("%s", rows[i].what);
        }
        hosted_end(&h);
    }
}

/* ---- progress -------------------------------------------------------------
 */

/* TOPO-8 */
static void a_scan_goes_on_where_its_budget_ended(void **state)
{
    static const uint32_t budgets[] = {1, 3, 255, 256, 257};

    (void)state;
    for (size_t i = 0; i < COUNT(budgets); i++) {
        struct pcv_scan scan = {0};
        uint32_t restarts = 0;
        struct hosted h;
        int error;

        tree_build(&h);
        hosted_start(&h);
        while ((error = pcv_host_scan(h.host, &scan, budgets[i])) ==
               -PCV_ERESTART) {
            restarts++;
            assert_true(restarts < 300);
        }
        assert_int_equal(error, 0);
        assert_int_equal(restarts, 255 / budgets[i]);
        assert_int_equal(scan.found, TREE_FUNCTIONS);
        /* Once more: everything is known. */
        memset(&scan, 0, sizeof(scan));
        assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
        assert_int_equal(scan.found, 0);
        assert_int_equal(scan.failed, 0);
        assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
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

/* TOPO-8, PORT-3 */
static void a_scan_counts_what_could_not_be_added_and_goes_on(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct pcv_scan scan = {0};
        struct hosted h;
        uint64_t calls;

        tree_build(&h);
        hosted_start(&h);
        calls = pcv_model_calls(h.model, PCV_MODEL_OP_alloc);
        pcv_model_fail(h.model, PCV_MODEL_OP_alloc, n);
        assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
        pcv_model_fail(h.model, PCV_MODEL_OP_alloc, 0);
        calls = pcv_model_calls(h.model, PCV_MODEL_OP_alloc) - calls;
        assert_true(scan.failed <= 1);
        if (scan.failed != 0) {
            assert_int_equal(scan.first_error, -PCV_ENOMEM);
            assert_int_equal(hosted_state(&h, scan.first_failed),
                             PCV_STATE_ABSENT);
            /* A second scan finds what the first could not. */
            (void)hosted_scan(&h);
        }
        assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
        hosted_end(&h);
        if (calls < n) {
            assert_int_equal(scan.failed, 0);
            break;
        }
    }
}

/* TOPO-8, PORT-3 */
static void a_scan_whose_host_fails_to_name_a_segment_can_be_repeated(
    void **state)
{
    uint32_t ended = 0;

    (void)state;
    for (uint64_t n = 1; n < 400; n += 13) {
        struct pcv_scan scan = {0};
        struct hosted h;
        int error;

        tree_build(&h);
        hosted_start(&h);
        pcv_model_fail(h.model, PCV_MODEL_OP_segment, n);
        error = pcv_host_scan(h.host, &scan, 0);
        pcv_model_fail(h.model, PCV_MODEL_OP_segment, 0);
        if (error != 0) {
            assert_int_equal(error, -PCV_EIO);
            assert_int_equal(scan.failed, 0);
            ended++;
            error = pcv_host_scan(h.host, &scan, 0);
            assert_int_equal(scan.found, TREE_FUNCTIONS);
        }
        assert_int_equal(error, 0);
        /* What an add could not be done for is found by the next scan. */
        (void)hosted_scan(&h);
        assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
        hosted_end(&h);
    }
    assert_true(ended > 1);
}

/* TOPO-8 */
static void a_scan_without_host_or_progress_is_refused(void **state)
{
    struct pcv_scan scan = {0};
    struct hosted h;

    (void)state;
    hosted_build(&h);
    hosted_start(&h);
    assert_int_equal(pcv_host_scan(NULL, &scan, 0), -PCV_EINVAL);
    assert_int_equal(pcv_host_scan(h.host, NULL, 0), -PCV_EINVAL);
    hosted_end(&h);
}

/* ---- size -----------------------------------------------------------------
 */

/* What a function of the generator's may cost, with 65,536 as with 64. */
#define CALLS_PER_FUNCTION 160
/* Each slot of each bus is asked for its function 0, once with the question
 * whether the host has that bus, and where nobody is that is all. */
#define EMPTY (2u * PCV_BUSES * PCV_SLOTS)

static void expect_cheap(const char *spec, uint32_t functions)
{
    struct pcv_model_error error = {0};
    struct hosted h;
    uint64_t calls;

    hosted_build(&h);
    assert_int_equal(pcv_model_generate(h.model, spec, &error), 0);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), functions);
    calls = hosted_calls(&h);
    print_message("%s %llu\n", spec, (unsigned long long)calls);
    if (calls > (uint64_t)functions * CALLS_PER_FUNCTION + EMPTY) {
        fail_msg("%s: %llu operations", spec, (unsigned long long)calls);
    }
    hosted_end(&h);
}

/* TOPO-8, LIFE-1 */
static void what_a_function_costs_does_not_grow_with_their_number(void **state)
{
    (void)state;
    expect_cheap("functions=64", 64);
    expect_cheap("functions=4096", 4096);
    expect_cheap("functions=65536", 65536);
    expect_cheap("functions=65536,vfs=248", 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_multi_function_bit_of_function_0_decides),
        cmocka_unit_test(below_a_port_only_device_0_is_asked),
        cmocka_unit_test(
            with_ari_next_function_numbers_are_followed_while_they_grow),
        cmocka_unit_test(vfs_are_found_by_their_pfs_capability),
        cmocka_unit_test(a_pf_does_not_get_functions_behind_other_bridges),
        cmocka_unit_test(a_hostile_machine_costs_a_bounded_number_of_reads),
        cmocka_unit_test(a_function_that_answers_nonsense_hides_no_other),
        cmocka_unit_test(a_scan_goes_on_where_its_budget_ended),
        cmocka_unit_test(only_buses_that_the_host_names_are_asked),
        cmocka_unit_test(a_hosts_endless_list_of_segments_ends),
        cmocka_unit_test(a_scan_counts_what_could_not_be_added_and_goes_on),
        cmocka_unit_test(
            a_scan_whose_host_fails_to_name_a_segment_can_be_repeated),
        cmocka_unit_test(a_scan_without_host_or_progress_is_refused),
        cmocka_unit_test(what_a_function_costs_does_not_grow_with_their_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

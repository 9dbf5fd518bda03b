/* SPDX-License-Identifier: MIT */
/*
 * A model with a host on it, for tests that add and remove devices: bring it
 * up, look at it, and end it with everything accounted for.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_HOSTED_H
#define PCV_TESTS_UNIT_HOSTED_H

#include <string.h>

#include "machines.h"

#define HOSTED_CPUS 64u

struct hosted {
    struct pcv_model *model;
    struct pcv_host *host;
    struct pcv_host_ops ops; /* the model's; a test may change some */
};

/* A model to add functions to. */
static inline void hosted_build(struct hosted *h)
{
    memset(h, 0, sizeof(*h));
    h->model = pcv_test_model();
    h->ops = *pcv_model_ops();
}

/* Machine complete: a host without devices. */
static inline void hosted_start(struct hosted *h)
{
    const struct pcv_host_config config = {.page_shift = 12,
                                           .cpus = HOSTED_CPUS};

    pcv_test_ready(h->model);
    assert_int_equal(pcv_host_create(&h->ops, h->model, &config, &h->host), 0);
}

/* Find everything; nothing may fail. */
static inline uint32_t hosted_scan(struct hosted *h)
{
    struct pcv_scan scan = {0};

    assert_int_equal(pcv_host_scan(h->host, &scan, 0), 0);
    assert_int_equal(scan.failed, 0);
    return scan.found;
}

/* Nothing may be left: no byte, no mapping. */
static inline void hosted_end(struct hosted *h)
{
    assert_int_equal(pcv_host_destroy(h->host), 0);
    assert_int_equal(pcv_model_bytes(h->model), 0);
    assert_int_equal(pcv_model_mapped_pages(h->model), 0);
    assert_int_equal(pcv_model_map_errors(h->model), 0);
    pcv_model_destroy(h->model);
}

static inline struct pcv_device_status hosted_status(struct hosted *h,
                                                     pcv_sbdf sbdf)
{
    struct pcv_device_status status;

    assert_int_equal(pcv_device_status(h->host, sbdf, &status), 0);
    return status;
}

static inline enum pcv_device_state hosted_state(struct hosted *h,
                                                 pcv_sbdf sbdf)
{
    return hosted_status(h, sbdf).state;
}

static inline bool hosted_found(struct hosted *h, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_device_find(h->host, sbdf);

    pcv_device_put(device);
    return device != NULL;
}

static inline struct pcv_device *hosted_hold(struct hosted *h, pcv_sbdf sbdf)
{
    struct pcv_device *device = pcv_device_find(h->host, sbdf);

    assert_non_null(device);
    return device;
}

static inline struct pcv_device_info hosted_info(struct hosted *h,
                                                 pcv_sbdf sbdf)
{
    struct pcv_device *device = hosted_hold(h, sbdf);
    struct pcv_device_info info;

    pcv_device_get_info(device, &info);
    pcv_device_put(device);
    return info;
}

static inline struct pcv_host_stats hosted_stats(struct hosted *h)
{
    struct pcv_host_stats stats;

    pcv_host_get_stats(h->host, &stats);
    return stats;
}

/* All host operations so far, of every kind that the model counts. */
static inline uint64_t hosted_calls(struct hosted *h)
{
    uint64_t calls = 0;

    for (int op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        calls += pcv_model_calls(h->model, (enum pcv_model_op)op);
    }
    return calls;
}

/* What the hardware domain reads. */
static inline uint32_t hosted_read(struct hosted *h, pcv_sbdf sbdf,
                                   uint16_t reg, uint8_t size)
{
    struct pcv_access access = PCV_READ(sbdf, reg, size);
    struct pcv_domain *hardware = pcv_host_hardware_domain(h->host);
    enum pcv_verdict verdict = pcv_access(hardware, &access);

    for (int i = 0; verdict == PCV_PENDING && i < 1000; i++) {
        verdict = pcv_access_resume(hardware, &access);
    }
    return (uint32_t)access.data;
}

/*
 * A machine with something of everything on segment 0:
 *
 *   00:00.0 host bridge
 *   00:01.0 endpoint, conventional, with one memory BAR
 *   00:02.0 root port, buses 1 to 4
 *     01:00.0 upstream port, buses 2 to 4
 *       02:00.0 downstream port, bus 3
 *         03:00.0 endpoint with one memory BAR
 *       02:01.0 downstream port, bus 4
 *         04:00.0 PF with two VFs: 04:00.4 and 04:00.5
 */
#define TREE_FUNCTIONS 10u
#define TREE_ENDPOINT pcv_test_at(0, 0, 1, 0)
#define TREE_ROOT_PORT pcv_test_at(0, 0, 2, 0)
#define TREE_UPSTREAM pcv_test_at(0, 1, 0, 0)
#define TREE_PORT_3 pcv_test_at(0, 2, 0, 0)
#define TREE_LEAF pcv_test_at(0, 3, 0, 0)
#define TREE_PORT_4 pcv_test_at(0, 2, 1, 0)
#define TREE_PF pcv_test_at(0, 4, 0, 0)
#define TREE_VF_0 pcv_test_at(0, 4, 0, 4)
#define TREE_VF_1 pcv_test_at(0, 4, 0, 5)
#define TREE_NOTHING pcv_test_at(0, 0, 9, 0)

static inline void tree_ports(struct hosted *h)
{
    static const struct {
        uint8_t bus, device, type, secondary, subordinate;
    } ports[] = {
        {0, 2, PCV_PCIE_TYPE_ROOT_PORT, 1, 4},
        {1, 0, PCV_PCIE_TYPE_UPSTREAM, 2, 4},
        {2, 0, PCV_PCIE_TYPE_DOWNSTREAM, 3, 3},
        {2, 1, PCV_PCIE_TYPE_DOWNSTREAM, 4, 4},
    };
    struct pcv_test_function f;

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        pcv_test_port(&f, ports[i].type, ports[i].bus, ports[i].secondary,
                      ports[i].subordinate);
        pcv_test_set(&f, PCV_REG_MEM_BASE, 4, 0x902f9000);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        pcv_test_add(h->model, &f,
                     pcv_test_at(0, ports[i].bus, ports[i].device, 0));
    }
}

static inline void tree_build(struct hosted *h)
{
    struct pcv_test_function f;
    uint16_t cap;

    hosted_build(h);
    pcv_test_host_bridge(&f);
    pcv_test_add(h->model, &f, pcv_test_at(0, 0, 0, 0));
    pcv_test_endpoint(&f, 0x8086, 0x100e);
    pcv_test_bar32(&f, 0, 0x80000000, 16384);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(h->model, &f, TREE_ENDPOINT);
    tree_ports(h);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, 0x90000000, 16384);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    cap = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_DSN, 1, 12);
    pcv_test_set(&f, cap + 4u, 4, 0x12345678);
    pcv_test_add(h->model, &f, TREE_LEAF);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 4, 2, 4, 1);
    pcv_test_add(h->model, &f, TREE_PF);
    pcv_test_vf(&f, TREE_PF);
    pcv_test_add(h->model, &f, TREE_VF_0);
    pcv_test_add(h->model, &f, TREE_VF_1);
}

/* The tree with a host that has found all of it. */
static inline void tree_start(struct hosted *h)
{
    tree_build(h);
    hosted_start(h);
    assert_int_equal(hosted_scan(h), TREE_FUNCTIONS);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A machine with functions that the IOMMU cannot tell apart, on a host whose
 * IOMMU blocks what nobody attached:
 *
 *   00:00.0 host bridge
 *   00:01.0 root port, buses 1 to 3, its ACS on
 *     01:00.0 PCIe-to-PCI bridge, buses 2 and 3
 *       02:00.0 endpoint, conventional: its own ID is the bridge's alias
 *       02:01.0 endpoint, conventional
 *       02:02.0 conventional bridge, bus 3
 *         03:04.0 endpoint, conventional
 *   00:02.0 conventional bridge, bus 7
 *     07:01.0 endpoint, conventional
 *   00:03.0 integrated endpoint, alone
 *
 * Endpoints can be reset and may send.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_JOINED_H
#define PCV_TESTS_UNIT_JOINED_H

#include "hosted.h"
#include "owner/change.h"
#include "owner/split.h"

#define JOINED_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define JOINED_ROOT_PORT pcv_test_at(0, 0, 1, 0)
#define JOINED_TO_PCI pcv_test_at(0, 1, 0, 0)
#define JOINED_AT_ALIAS pcv_test_at(0, 2, 0, 0)
#define JOINED_SECOND pcv_test_at(0, 2, 1, 0)
#define JOINED_BRIDGE pcv_test_at(0, 2, 2, 0)
#define JOINED_DEEP pcv_test_at(0, 3, 4, 0)
#define JOINED_OLD_BRIDGE pcv_test_at(0, 0, 2, 0)
#define JOINED_OLD pcv_test_at(0, 7, 1, 0)
#define JOINED_ALONE pcv_test_at(0, 0, 3, 0)
#define JOINED_FUNCTIONS 10u
#define JOINED_GUESTS 2u
#define JOINED_MEMORY UINT64_C(0x100000)
#define JOINED_NOBODY PCV_DOMAIN_ID_QUARANTINE

struct joined {
    struct hosted h;
    struct pcv_domain *guest[JOINED_GUESTS];
};

/* What happens beside an attach. */
static struct {
    void (*fn)(struct joined *j);
    struct joined *j;
    uint32_t rid; /* when this one is attached */
} joined_beside;

static inline int joined_attach(void *ctx, pcv_sbdf requester,
                                uint32_t domain_id)
{
    void (*fn)(struct joined * j) = joined_beside.fn;

    if (fn && requester.v == joined_beside.rid) {
        joined_beside.fn = NULL;
        fn(joined_beside.j);
    }
    return pcv_model_ops()->dma_attach(ctx, requester, domain_id);
}

static inline void joined_card(struct joined *j, pcv_sbdf at)
{
    struct pcv_test_function f;

    pcv_test_endpoint(&f, 0x8086, 0x100e);
    (void)pcv_test_af(&f);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_add(j->h.model, &f, at);
}

/* ACS with these bits in both registers. */
static inline void joined_acs(struct pcv_test_function *f, uint16_t cap,
                              uint16_t control)
{
    uint16_t at = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_ACS, 1, 8);

    pcv_test_set(f, at + PCV_ACS_CAP, 2, cap);
    pcv_test_set(f, at + PCV_ACS_CTRL, 2, control);
}

static inline void joined_build(struct joined *j)
{
    static const struct {
        uint8_t bus, device, function;
    } cards[] = {{2, 0, 0}, {2, 1, 0}, {3, 4, 0}, {7, 1, 0}};
    struct pcv_test_function f;

    memset(j, 0, sizeof(*j));
    memset(&joined_beside, 0, sizeof(joined_beside));
    joined_beside.j = j;
    hosted_build(&j->h);
    j->h.ops.dma_attach = joined_attach;
    pcv_test_host_bridge(&f);
    pcv_test_add(j->h.model, &f, pcv_test_at(0, 0, 0, 0));
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 3);
    joined_acs(&f, 0x1f, 0x1d);
    pcv_test_add(j->h.model, &f, JOINED_ROOT_PORT);
    pcv_test_port(&f, PCV_PCIE_TYPE_TO_PCI, 1, 2, 3);
    pcv_test_add(j->h.model, &f, JOINED_TO_PCI);
    pcv_test_bridge(&f, 2, 3, 3);
    pcv_test_add(j->h.model, &f, JOINED_BRIDGE);
    pcv_test_bridge(&f, 0, 7, 7);
    pcv_test_add(j->h.model, &f, JOINED_OLD_BRIDGE);
    for (size_t i = 0; i < JOINED_COUNT(cards); i++) {
        joined_card(j, pcv_test_at(0, cards[i].bus, cards[i].device,
                                   cards[i].function));
    }
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_set(&f, 0x40 + PCV_PCIE_FLAGS, 2,
                 2u | PCV_PCIE_TYPE_RC_ENDPOINT << PCV_PCIE_FLAGS_TYPE_SHIFT);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_add(j->h.model, &f, JOINED_ALONE);
}

/* As an IOMMU begins: nobody reaches anything. */
static inline void joined_block_all(struct joined *j)
{
    for (uint32_t rid = 0; rid < 0x800; rid++) {
        const pcv_sbdf id = {rid};

        assert_int_equal(
            pcv_model_ops()->dma_attach(j->h.model, id, JOINED_NOBODY), 0);
    }
}

static inline void joined_boot(struct joined *j)
{
    hosted_start(&j->h);
    joined_block_all(j);
    (void)hosted_scan(&j->h);
    for (uint32_t i = 0; i < JOINED_GUESTS; i++) {
        assert_int_equal(pcv_domain_create(j->h.host, 7u + i, &j->guest[i]), 0);
    }
}

static inline void joined_start(struct joined *j)
{
    joined_build(j);
    joined_boot(j);
}

/* Whose memory an ID reaches in the IOMMU. */
static inline uint32_t joined_id(struct joined *j, pcv_sbdf id)
{
    return pcv_model_dma_domain(j->h.model, id);
}

/* Whose memory a function reaches, under what its bridges make of it. */
static inline uint32_t joined_dma(struct joined *j, pcv_sbdf at)
{
    uint32_t domain_id = JOINED_NOBODY;
    int error;

    pcv_model_poke(j->h.model, at, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    error = pcv_model_dma(j->h.model, at, JOINED_MEMORY, true, &domain_id);
    assert_true(error == 0 || error == -PCV_EFAULT);
    return error == 0 ? domain_id : JOINED_NOBODY;
}

static inline int joined_give(struct joined *j, pcv_sbdf at, uint32_t guest)
{
    int error = -PCV_ERESTART;

    for (unsigned i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_assign(j->h.host, at, j->guest[guest], NULL, NULL);
    }
    return error;
}

static inline int joined_home(struct joined *j, pcv_sbdf at)
{
    int error = -PCV_ERESTART;

    for (unsigned i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_deassign(j->h.host, at);
    }
    return error;
}

/* Into quarantine, as a change of owner that fails after its first step. */
static inline int joined_take(struct joined *j, pcv_sbdf at)
{
    struct pcv_device *device;
    int error = pcv__change_begin(j->h.host, at, &device);

    if (error != 0) {
        return error;
    }
    if (!pcv__is_quarantined(device)) {
        error = pcv__change_take(device);
        if (error == 0) {
            pcv__change_failed(device, -PCV_EIO);
        }
    }
    pcv__change_end(device);
    return error;
}

static inline void joined_remove(struct joined *j, pcv_sbdf at)
{
    assert_int_equal(pcv_device_remove(j->h.host, at, NULL, NULL), 0);
}

/* It is pulled out and plugged in again: so the hardware domain has it, also
 * beside a guest's function of its group (OWN-2). */
static inline void joined_plug(struct joined *j, pcv_sbdf at)
{
    joined_remove(j, at);
    assert_int_equal(pcv_device_add(j->h.host, at, NULL), 0);
}

#endif

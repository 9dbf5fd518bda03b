/* SPDX-License-Identifier: MIT */
/*
 * A machine with slots: cards that can be pulled, one of them behind a switch
 * that can be pulled too.
 *
 * To be included after cmocka.h.
 */
#ifndef PCV_TESTS_UNIT_SLOTTED_H
#define PCV_TESTS_UNIT_SLOTTED_H

#include "hosted.h"

#define ONES 0xffffffffu
#define CARD_IDS 0x10d38086u
#define OTHER_IDS 0x15338086u

#define PORT pcv_test_at(0, 0, 1, 0)
#define CARD pcv_test_at(0, 1, 0, 0)
#define SWITCH pcv_test_at(0, 0, 2, 0)
#define UPSTREAM pcv_test_at(0, 2, 0, 0)
#define DOWNSTREAM pcv_test_at(0, 3, 0, 0)
#define LEAF pcv_test_at(0, 4, 0, 0)

#define CAP 0x40u
/* What a port reports. */
#define SLOT 1u
#define LINK 2u

static inline void slotted_port(struct hosted *h, pcv_sbdf sbdf, uint8_t type,
                                uint8_t secondary, uint8_t subordinate,
                                unsigned how)
{
    struct pcv_test_function f;

    pcv_test_port(&f, type, pcv_sbdf_bus(sbdf), secondary, subordinate);
    assert_int_equal(pcv_test_get(&f, PCV_REG_CAPS, 1), CAP);
    if ((how & SLOT) != 0) {
        pcv_test_set(&f, CAP + PCV_PCIE_FLAGS, 2,
                     pcv_test_get(&f, CAP + PCV_PCIE_FLAGS, 2) |
                         PCV_PCIE_FLAGS_SLOT);
        pcv_test_set(&f, CAP + PCV_PCIE_SLTCAP, 4, 0x7b);
        pcv_test_set(&f, CAP + PCV_PCIE_SLTSTA, 2, PCV_PCIE_SLTSTA_PRESENT);
    }
    if ((how & LINK) != 0) {
        pcv_test_set(&f, CAP + PCV_PCIE_LNKCAP, 4, PCV_PCIE_LNKCAP_REPORTS);
        pcv_test_set(&f, CAP + PCV_PCIE_LNKSTA, 2, PCV_PCIE_LNKSTA_ACTIVE);
    }
    pcv_test_add(h->model, &f, sbdf);
}

/*
 *   00:01.0 root port
 *     01:00.0 a card
 *   00:02.0 root port
 *     02:00.0 upstream port
 *       03:00.0 downstream port
 *         04:00.0 a card
 */
static inline void slotted_start(struct hosted *h, unsigned how)
{
    struct pcv_test_function f;

    hosted_build(h);
    slotted_port(h, PORT, PCV_PCIE_TYPE_ROOT_PORT, 1, 1, how);
    slotted_port(h, SWITCH, PCV_PCIE_TYPE_ROOT_PORT, 2, 4, how);
    slotted_port(h, UPSTREAM, PCV_PCIE_TYPE_UPSTREAM, 3, 4, 0);
    slotted_port(h, DOWNSTREAM, PCV_PCIE_TYPE_DOWNSTREAM, 4, 4, how);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, 0x90000000, 16384);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(h->model, &f, CARD);
    pcv_test_set(&f, PCV_REG_BAR0, 4, 0x90010000);
    pcv_test_add(h->model, &f, LEAF);
    hosted_start(h);
    assert_int_equal(hosted_scan(h), 6);
}

#endif

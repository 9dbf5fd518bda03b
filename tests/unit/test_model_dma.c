/* SPDX-License-Identifier: MIT */
/* DMA through the modelled IOMMU (host/model/dma.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"

#define AT PCV_TEST_ALONE
#define MEMORY UINT64_C(0x100000)

static int attach(struct pcv_model *model, pcv_sbdf sbdf, uint32_t domain_id)
{
    return pcv_model_ops()->dma_attach(model, sbdf, domain_id);
}

static int dma(struct pcv_model *model, pcv_sbdf sbdf, uint64_t address,
               uint32_t *out_domain_id)
{
    return pcv_model_dma(model, sbdf, address, true, out_domain_id);
}

/* An endpoint that may send, with power management at 0x40. */
static struct pcv_model *machine(void)
{
    struct pcv_test_function f;

    pcv_test_endpoint(&f, 0x8086, 1);
    (void)pcv_test_pm(&f, true);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    return pcv_test_alone(&f);
}

/* SIM-2 */
static void a_requester_reaches_the_hardware_domain_until_it_is_attached(
    void **state)
{
    struct pcv_model *model = machine();
    uint32_t domain_id = 99;

    (void)state;
    assert_int_equal(dma(model, AT, MEMORY, &domain_id), 0);
    assert_int_equal(domain_id, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(pcv_model_dma_domain(model, AT), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(attach(model, AT, 5), 0);
    assert_int_equal(attach(model, pcv_test_at(0, 0, 4, 0), 6), 0);
    assert_int_equal(pcv_model_dma_domain(model, AT), 5);
    assert_int_equal(pcv_model_dma(model, AT, MEMORY, false, &domain_id), 0);
    assert_int_equal(domain_id, 5);
    assert_int_equal(attach(model, AT, PCV_DOMAIN_ID_HARDWARE), 0);
    assert_int_equal(dma(model, AT, MEMORY, &domain_id), 0);
    assert_int_equal(domain_id, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(pcv_model_dma_faults(model), 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void quarantine_blocks_every_access(void **state)
{
    struct pcv_model *model = machine();
    uint32_t domain_id = 99;

    (void)state;
    assert_int_equal(attach(model, AT, PCV_DOMAIN_ID_QUARANTINE), 0);
    assert_int_equal(dma(model, AT, MEMORY, &domain_id), -PCV_EFAULT);
    assert_int_equal(pcv_model_dma(model, AT, MEMORY, false, &domain_id),
                     -PCV_EFAULT);
    assert_int_equal(domain_id, 99);
    assert_int_equal(pcv_model_dma_faults(model), 2);
    assert_int_equal(pcv_model_dma_domain(model, AT), PCV_DOMAIN_ID_QUARANTINE);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void there_is_no_memory_beyond_48_bits_or_where_messages_go(void **state)
{
    static const struct {
        uint64_t address;
        int result;
    } rows[] = {
        {UINT64_C(0xfedfffff), 0},
        {UINT64_C(0xfee00000), -PCV_EFAULT},
        {UINT64_C(0xfeefffff), -PCV_EFAULT},
        {UINT64_C(0xfef00000), 0},
        {UINT64_C(0xffffffffffff), 0},
        {UINT64_C(0x1000000000000), -PCV_EFAULT},
        {UINT64_MAX, -PCV_EFAULT},
    };
    struct pcv_model *model = machine();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(dma(model, AT, rows[i].address, NULL), rows[i].result);
    }
    assert_int_equal(pcv_model_dma_faults(model), 4);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_function_that_may_not_send_reaches_nothing(void **state)
{
    struct pcv_model *model = machine();

    (void)state;
    pcv_test_write(model, AT, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(dma(model, AT, MEMORY, NULL), -PCV_EPERM);
    pcv_test_write(model, AT, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_write(model, AT, 0x44, 2, 3);
    assert_int_equal(dma(model, AT, MEMORY, NULL), -PCV_EPERM);
    pcv_test_write(model, AT, 0x44, 2, 0);
    assert_int_equal(dma(model, AT, MEMORY, NULL), 0);
    assert_int_equal(pcv_model_pull(model, AT), 0);
    assert_int_equal(dma(model, AT, MEMORY, NULL), -PCV_ENODEV);
    assert_int_equal(dma(model, pcv_test_at(1, 0, 0, 0), MEMORY, NULL),
                     -PCV_ENODEV);
    assert_int_equal(pcv_model_dma_faults(model), 0);
    pcv_model_destroy(model);
}

/* SIM-2 SIM-3 */
static void an_attach_that_fails_changes_nothing(void **state)
{
    struct pcv_model *model = machine();

    (void)state;
    assert_int_equal(attach(model, AT, 5), 0);
    pcv_model_fail(model, PCV_MODEL_OP_dma_attach, 1);
    assert_int_equal(attach(model, AT, 6), -PCV_EIO);
    assert_int_equal(pcv_model_dma_domain(model, AT), 5);
    assert_int_equal(pcv_model_calls(model, PCV_MODEL_OP_dma_attach), 2);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_requester_is_what_its_bus_is_called_now(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    pcv_sbdf leaf = pcv_test_at(0, 1, 0, 0);
    uint32_t domain_id;

    (void)state;
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_add(model, &f, pcv_test_at(0, 0, 1, 0));
    pcv_test_endpoint(&f, 0x8086, 1);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_add(model, &f, leaf);
    pcv_test_ready(model);
    assert_int_equal(attach(model, leaf, 5), 0);
    assert_int_equal(attach(model, pcv_test_at(0, 9, 0, 0), 6), 0);
    pcv_test_write(model, pcv_test_at(0, 0, 1, 0), PCV_REG_PRIMARY, 4,
                   0x00090900);
    assert_int_equal(dma(model, leaf, MEMORY, &domain_id), 0);
    assert_int_equal(domain_id, 6);
    pcv_model_destroy(model);
}

/* SIM-2: in the order in which they came, and no more than fit. */
static void faults_wait_in_a_queue_that_loses_what_is_too_much(void **state)
{
    struct pcv_model *model = machine();
    struct pcv_model_fault fault;

    (void)state;
    assert_int_equal(attach(model, AT, PCV_DOMAIN_ID_QUARANTINE), 0);
    assert_false(pcv_model_next_fault(model, &fault));
    for (uint64_t i = 0; i < PCV_MODEL_FAULTS + 3u; i++) {
        assert_int_equal(pcv_model_dma(model, AT, i, i % 2 != 0, NULL),
                         -PCV_EFAULT);
    }
    assert_int_equal(pcv_model_dma_faults(model), PCV_MODEL_FAULTS + 3u);
    assert_int_equal(pcv_model_lost_faults(model), 3);
    for (uint64_t i = 0; i < PCV_MODEL_FAULTS; i++) {
        assert_true(pcv_model_next_fault(model, &fault));
        assert_int_equal(fault.requester.v, AT.v);
        assert_int_equal(fault.address, i);
        assert_int_equal(fault.write, i % 2 != 0);
    }
    assert_false(pcv_model_next_fault(model, &fault));
    assert_int_equal(dma(model, AT, 77, NULL), -PCV_EFAULT);
    assert_true(pcv_model_next_fault(model, &fault));
    assert_int_equal(fault.address, 77);
    pcv_model_destroy(model);
}

/* SIM-2: as firmware reserves it, for ever and for the host. */
static void reserved_memory_is_reached_and_keeps_guests_away(void **state)
{
    const struct pcv_host_ops *ops = pcv_model_ops();
    const uint64_t high = UINT64_C(1) << 60; /* beyond all other memory */
    struct pcv_model *model = machine();

    (void)state;
    assert_int_equal(ops->dma_permitted(model, AT, 5), 1);
    assert_int_equal(pcv_model_reserve_dma(model, AT, UINT64_MAX, 2),
                     -PCV_EINVAL);
    assert_int_equal(pcv_model_reserve_dma(model, AT, high, 0x1000), 0);
    assert_int_equal(ops->dma_permitted(model, AT, 5), 0);
    assert_int_equal(ops->dma_permitted(model, AT, PCV_DOMAIN_ID_HARDWARE), 1);
    assert_int_equal(ops->dma_permitted(model, pcv_test_at(0, 0, 4, 0), 5), 1);
    assert_int_equal(attach(model, AT, 5), -PCV_EPERM);
    assert_int_equal(pcv_model_dma_domain(model, AT), PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(dma(model, AT, high - 1, NULL), -PCV_EFAULT);
    assert_int_equal(dma(model, AT, high, NULL), 0);
    assert_int_equal(dma(model, AT, high + 0xfff, NULL), 0);
    assert_int_equal(dma(model, AT, high + 0x1000, NULL), -PCV_EFAULT);
    assert_int_equal(attach(model, AT, PCV_DOMAIN_ID_QUARANTINE), 0);
    assert_int_equal(dma(model, AT, high, NULL), -PCV_EFAULT);
    assert_int_equal(pcv_model_reserve_dma(model, AT, 0, 0), 0);
    assert_int_equal(attach(model, AT, 5), 0);
    pcv_model_destroy(model);
}

/* SIM-2 TOPO-5 */
static void a_bridge_to_conventional_pci_sends_on_in_its_own_name(void **state)
{
    static const struct {
        uint8_t type; /* PCV_PCIE_TYPE_*; 0xff: conventional */
        uint32_t sends_as;
    } rows[] = {
        {PCV_PCIE_TYPE_ROOT_PORT, 0x108},
        {PCV_PCIE_TYPE_TO_PCI, 0x100},
        {PCV_PCIE_TYPE_FROM_PCI, 0x008},
        {0xff, 0x008},
    };
    const pcv_sbdf leaf = pcv_test_at(0, 1, 1, 0);
    const pcv_sbdf other = pcv_test_at(0, 7, 7, 7);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_model *model = pcv_test_model();
        struct pcv_test_function f;
        uint32_t domain_id;

        if (rows[i].type == 0xff) {
            pcv_test_bridge(&f, 0, 1, 1);
        } else {
            pcv_test_port(&f, rows[i].type, 0, 1, 1);
        }
        pcv_test_add(model, &f, pcv_test_at(0, 0, 1, 0));
        pcv_test_endpoint(&f, 0x8086, 1);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
        pcv_test_add(model, &f, leaf);
        pcv_test_ready(model);
        assert_int_equal(attach(model, (pcv_sbdf){rows[i].sends_as}, 5), 0);
        assert_int_equal(attach(model, other, 6), 0);
        assert_int_equal(dma(model, leaf, MEMORY, &domain_id), 0);
        assert_int_equal(domain_id, 5);
        assert_int_equal(pcv_model_send_as(model, leaf, &other), 0);
        assert_int_equal(dma(model, leaf, MEMORY, &domain_id), 0);
        assert_int_equal(domain_id, 6);
        assert_int_equal(pcv_model_send_as(model, leaf, NULL), 0);
        assert_int_equal(dma(model, leaf, MEMORY, &domain_id), 0);
        assert_int_equal(domain_id, 5);
        assert_int_equal(pcv_model_send_as(model, other, NULL), -PCV_ENODEV);
        pcv_model_destroy(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_requester_reaches_the_hardware_domain_until_it_is_attached),
        cmocka_unit_test(quarantine_blocks_every_access),
        cmocka_unit_test(
            there_is_no_memory_beyond_48_bits_or_where_messages_go),
        cmocka_unit_test(a_function_that_may_not_send_reaches_nothing),
        cmocka_unit_test(an_attach_that_fails_changes_nothing),
        cmocka_unit_test(faults_wait_in_a_queue_that_loses_what_is_too_much),
        cmocka_unit_test(reserved_memory_is_reached_and_keeps_guests_away),
        cmocka_unit_test(a_requester_is_what_its_bus_is_called_now),
        cmocka_unit_test(a_bridge_to_conventional_pci_sends_on_in_its_own_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

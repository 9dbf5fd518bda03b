/* SPDX-License-Identifier: MIT */
/* Virtual functions of the modelled host (host/model/wire.c, reset.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"

/* ---- virtual functions ----------------------------------------------------
 */

#define PF pcv_test_at(0, 1, 0, 0)

static bool is_present(const struct pcv_model *model, pcv_sbdf at)
{
    struct pcv_model_facts facts;

    assert_true(pcv_model_facts_of(model, at, &facts));
    return facts.present;
}

/* A PF at 01:00.0 behind a root port (buses 1 to 2), or on a root bus of its
 * own, with 2 of 4 VFs enabled, at offset `first` and stride 1. */
static struct pcv_model *sriov_machine(bool behind_port, uint16_t first,
                                       uint16_t *out_cap)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;

    if (behind_port) {
        pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 2);
        pcv_test_add(model, &f, pcv_test_at(0, 0, 1, 0));
    }
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    *out_cap = pcv_test_sriov(&f, 4, 2, first, 1);
    pcv_test_set(&f, *out_cap + PCV_SRIOV_BAR, 4, 0xfe600004);
    pcv_test_add(model, &f, PF);
    for (uint32_t i = 0; i < 2; i++) {
        pcv_test_vf(&f, PF);
        f.fn.bar_size[0] = 0x4000;
        pcv_test_add(model, &f, (pcv_sbdf){PF.v + first + i});
    }
    pcv_test_ready(model);
    return model;
}

/* SIM-2 */
static void vfs_on_bus_numbers_beyond_their_pf_are_on_its_link(void **state)
{
    static const bool behind_port[] = {true, false};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint16_t cap;
        struct pcv_model *model = sriov_machine(behind_port[i], 0x100, &cap);
        uint16_t pcie = 0x40 + PCV_PCIE_FLAGS;
        pcv_sbdf vf = {PF.v + 0x101};

        assert_int_equal(pcv_sbdf_bus(vf), 2);
        assert_int_equal(pcv_test_read(model, vf, pcie, 2), 2);
        assert_int_equal(pcv_model_pull(model, PF), 0);
        assert_int_equal(pcv_test_read(model, vf, pcie, 2), 0xffff);
        assert_false(is_present(model, vf));
        pcv_model_destroy(model);
    }
}

/* SIM-2 */
static void vfs_answer_only_while_their_pf_enables_them(void **state)
{
    uint16_t cap;
    struct pcv_model *model = sriov_machine(true, 1, &cap);
    uint16_t control = (uint16_t)(cap + PCV_SRIOV_CTRL);
    uint16_t count = (uint16_t)(cap + PCV_SRIOV_NUM_VFS);
    pcv_sbdf first = {PF.v + 1};
    pcv_sbdf second = {PF.v + 2};

    (void)state;
    assert_int_equal(pcv_test_read(model, second, 0x40, 1), PCV_CAP_ID_PCIE);
    pcv_test_write(model, PF, count, 2, 1); /* not while they are enabled */
    assert_int_equal(pcv_test_read(model, PF, count, 2), 2);
    pcv_test_write(model, second, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_write(model, PF, control, 2, 0);
    assert_int_equal(pcv_test_read(model, first, 0x40, 1), 0xff);
    pcv_test_write(model, PF, count, 2, 1);
    pcv_test_write(model, PF, control, 2, PCV_SRIOV_CTRL_VFE);
    assert_int_equal(pcv_test_read(model, first, 0x40, 1), PCV_CAP_ID_PCIE);
    assert_int_equal(pcv_test_read(model, second, 0x40, 1), 0xff);
    pcv_test_write(model, PF, control, 2, 0);
    pcv_test_write(model, PF, count, 2, 2);
    pcv_test_write(model, PF, control, 2, PCV_SRIOV_CTRL_VFE);
    assert_int_equal(pcv_test_read(model, second, PCV_REG_COMMAND, 2), 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_vf_has_no_ids_no_bars_and_only_bus_mastering(void **state)
{
    uint16_t cap;
    struct pcv_model *model = sriov_machine(true, 1, &cap);
    pcv_sbdf vf = {PF.v + 1};

    (void)state;
    pcv_test_write(model, vf, PCV_REG_COMMAND, 2, 0xffff);
    pcv_test_write(model, vf, PCV_REG_BAR0, 4, 0xffffffff);
    pcv_test_write(model, vf, PCV_REG_INT_LINE, 1, 0x5a);
    assert_int_equal(pcv_test_read(model, vf, PCV_REG_VENDOR, 2), 0xffff);
    assert_int_equal(pcv_test_read(model, vf, PCV_REG_COMMAND, 2),
                     PCV_CMD_MASTER);
    assert_int_equal(pcv_test_read(model, vf, PCV_REG_BAR0, 4), 0);
    assert_int_equal(pcv_test_read(model, vf, PCV_REG_INT_LINE, 1), 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_bus_of_vfs_alone_is_no_root_bus(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    pcv_sbdf bridge = pcv_test_at(0, 1, 5, 0);

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 1, 1, 0x100, 1);
    pcv_test_add(model, &f, PF);
    pcv_test_vf(&f, PF);
    pcv_test_add(model, &f, pcv_test_at(0, 2, 0, 0));
    pcv_test_bridge(&f, 1, 3, 3);
    pcv_test_add(model, &f, bridge);
    pcv_test_endpoint(&f, 0x3333, 1);
    pcv_test_add(model, &f, pcv_test_at(0, 3, 0, 0));
    pcv_test_ready(model);
    assert_int_equal(pcv_test_read(model, pcv_test_at(0, 2, 0, 0), 0x40, 1),
                     PCV_CAP_ID_PCIE);
    /* So a bridge beside the PF can take its number away. */
    pcv_test_write(model, bridge, PCV_REG_PRIMARY, 4, 0x00020201);
    assert_int_equal(pcv_test_read(model, pcv_test_at(0, 2, 0, 0), 0, 2),
                     0x3333);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_vf_that_its_pf_does_not_count_answers_as_the_source_saw(
    void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    uint16_t cap;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    cap = pcv_test_sriov(&f, 4, 1, 1, 1);
    pcv_test_add(model, &f, PF);
    pcv_test_vf(&f, PF);
    pcv_test_add(model, &f, (pcv_sbdf){PF.v + 1});
    pcv_test_add(model, &f, (pcv_sbdf){PF.v + 2});
    pcv_test_ready(model);
    pcv_test_write(model, PF, (uint16_t)(cap + PCV_SRIOV_CTRL), 2, 0);
    assert_int_equal(pcv_test_read(model, (pcv_sbdf){PF.v + 1}, 0x40, 1), 0xff);
    assert_int_equal(pcv_test_read(model, (pcv_sbdf){PF.v + 2}, 0x40, 1),
                     PCV_CAP_ID_PCIE);
    pcv_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vfs_on_bus_numbers_beyond_their_pf_are_on_its_link),
        cmocka_unit_test(vfs_answer_only_while_their_pf_enables_them),
        cmocka_unit_test(a_vf_has_no_ids_no_bars_and_only_bus_mastering),
        cmocka_unit_test(a_bus_of_vfs_alone_is_no_root_bus),
        cmocka_unit_test(
            a_vf_that_its_pf_does_not_count_answers_as_the_source_saw),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

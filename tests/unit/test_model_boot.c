/* SPDX-License-Identifier: MIT */
/* Bring-up of a host on the modelled machine (host/model/boot.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machines.h"

/* SIM-2 */
static void boot_reports_what_a_scan_cannot_find(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    struct pcv_host *host = NULL;
    struct pcv_scan scan;
    struct pcv_host_stats stats;
    struct pcv_device_status status;
    uint32_t reported = 0;
    uint32_t node = 0;
    const pcv_sbdf hidden = pcv_test_at(0, 0, 1, 3);

    (void)state;
    memset(&scan, 0, sizeof(scan));
    pcv_test_host_bridge(&f);
    pcv_test_add(model, &f, pcv_test_at(0, 0, 0, 0));
    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    pcv_test_add(model, &f, pcv_test_at(0, 0, 1, 0));
    /* Function 0 does not say that there are others. */
    f.fn.has_node = true;
    f.fn.node = 2;
    pcv_test_add(model, &f, hidden);
    pcv_test_ready(model);
    assert_int_equal(pcv_model_boot(model, &host, &scan, &reported), 0);
    assert_int_equal(scan.found, 2);
    assert_int_equal(scan.failed, 0);
    assert_int_equal(reported, 1);
    pcv_host_get_stats(host, &stats);
    assert_int_equal(stats.devices, 3);
    assert_int_equal(pcv_device_status(host, hidden, &status), 0);
    assert_int_equal(status.state, PCV_STATE_PRESENT);
    assert_int_equal(pcv_device_nodes(host, &hidden, 1, &node), 0);
    assert_int_equal(node, 2);
    assert_int_equal(pcv_host_destroy(host), 0);
    assert_int_equal(pcv_model_bytes(model), 0);
    assert_int_equal(pcv_model_map_errors(model), 0);
    pcv_model_destroy(model);
}

/* SIM-1, SIM-2: the source saw each function answer, so each is found, even
 * where the bus numbers do not lead to it. */
static void what_answered_is_found_whatever_the_bus_numbers_say(void **state)
{
    static const struct {
        uint8_t bus, device, secondary, subordinate;
    } bridges[] = {
        {0x00, 1, 0xff, 0xff}, /* unused, and claims where functions are */
        {0x40, 1, 0xff, 0xff}, /* another one, on another root bus */
        {0x00, 2, 0x06, 0x06},
        {0x06, 3, 0x07, 0x09}, /* beyond what the bridge above it covers */
    };
    static const uint8_t buses[] = {0x07, 0x09, 0x20, 0x40, 0xff};
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    struct pcv_host *host = NULL;
    struct pcv_scan scan;
    struct pcv_device_status status;

    (void)state;
    memset(&scan, 0, sizeof(scan));
    for (size_t i = 0; i < sizeof(bridges) / sizeof(bridges[0]); i++) {
        pcv_test_bridge(&f, bridges[i].bus, bridges[i].secondary,
                        bridges[i].subordinate);
        pcv_test_add(model, &f,
                     pcv_test_at(0, bridges[i].bus, bridges[i].device, 0));
    }
    for (size_t i = 0; i < sizeof(buses); i++) {
        pcv_test_endpoint(&f, 0x8086, 1);
        pcv_test_add(model, &f, pcv_test_at(0, buses[i], 0x1c, 3));
    }
    /* A bus in reset where the source saw somebody nevertheless. */
    pcv_test_bridge(&f, 0, 0x20, 0x20);
    pcv_test_set(&f, PCV_REG_BRIDGE_CONTROL, 2, PCV_BRIDGE_RESET);
    pcv_test_add(model, &f, pcv_test_at(0, 0, 4, 0));
    pcv_test_ready(model);
    assert_int_equal(pcv_model_boot(model, &host, &scan, NULL), 0);
    assert_int_equal(scan.failed, 0);
    for (size_t i = 0; i < sizeof(buses); i++) {
        const pcv_sbdf at = pcv_test_at(0, buses[i], 0x1c, 3);

        assert_int_equal(pcv_device_status(host, at, &status), 0);
        assert_int_equal(status.state, PCV_STATE_PRESENT);
    }
    assert_int_equal(pcv_host_destroy(host), 0);
    pcv_model_destroy(model);
}

/* SIM-1, TOPO-7: VFs beyond the buses of the bridge above their PF, with a
 * root bus above them. */
static void vfs_outside_of_their_pfs_bridge_are_found(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    struct pcv_host *host = NULL;
    struct pcv_scan scan;
    struct pcv_device_status status;
    const pcv_sbdf pf = pcv_test_at(0, 0x10, 0, 0);
    const pcv_sbdf vf = pcv_test_at(0, 0x11, 0, 0);

    (void)state;
    memset(&scan, 0, sizeof(scan));
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 0x10, 0x10);
    pcv_test_add(model, &f, pcv_test_at(0, 0, 1, 0));
    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    (void)pcv_test_sriov(&f, 4, 1, 0x100, 1);
    pcv_test_add(model, &f, pf);
    pcv_test_vf(&f, pf);
    pcv_test_add(model, &f, vf);
    pcv_test_host_bridge(&f);
    pcv_test_add(model, &f, pcv_test_at(0, 0x80, 0, 0));
    pcv_test_ready(model);
    assert_int_equal(pcv_model_boot(model, &host, &scan, NULL), 0);
    assert_int_equal(scan.failed, 0);
    assert_int_equal(pcv_device_status(host, vf, &status), 0);
    assert_int_equal(status.state, PCV_STATE_PRESENT);
    assert_int_equal(pcv_host_destroy(host), 0);
    pcv_model_destroy(model);
}

/* SIM-1, TOPO-7: what the source takes for a VF may have IDs of its own, where
 * its PF has VFs or elsewhere. It is a function like any other. */
static void a_vf_that_has_ids_of_its_own_is_a_plain_function(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    struct pcv_host *host = NULL;
    struct pcv_scan scan;
    struct pcv_device *device;
    struct pcv_device_info info;
    uint32_t reported = 0;
    const pcv_sbdf pf = pcv_test_at(0, 0, 3, 0);
    const pcv_sbdf own = pcv_test_at(0, 0, 3, 4);
    const pcv_sbdf stray = pcv_test_at(0, 0, 4, 1);

    (void)state;
    memset(&scan, 0, sizeof(scan));
    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    (void)pcv_test_sriov(&f, 2, 0, 4, 1);
    pcv_test_add(model, &f, pf);
    pcv_test_vf(&f, pf);
    pcv_test_set(&f, PCV_REG_VENDOR, 4, 0x10ca8086);
    pcv_test_add(model, &f, own);
    pcv_test_vf(&f, pf);
    pcv_test_set(&f, PCV_REG_VENDOR, 4, 0x10ca8086);
    pcv_test_add(model, &f, stray);
    pcv_test_ready(model);
    assert_int_equal(pcv_model_boot(model, &host, &scan, &reported), 0);
    assert_int_equal(scan.found, 1);
    assert_int_equal(scan.failed, 0);
    assert_int_equal(reported, 2);
    device = pcv_device_find(host, own);
    assert_non_null(device);
    pcv_device_get_info(device, &info);
    assert_false(info.is_vf);
    assert_int_equal(info.device, 0x10ca);
    pcv_device_put(device);
    device = pcv_device_find(host, stray);
    assert_non_null(device);
    pcv_device_put(device);
    assert_int_equal(pcv_host_destroy(host), 0);
    pcv_model_destroy(model);
}

/* SIM-3 */
static void boot_without_memory_fails_and_leaves_nothing(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 8; nth++) {
        struct pcv_model *model = pcv_test_model();
        struct pcv_test_function f;
        struct pcv_host *host = NULL;
        struct pcv_scan scan;
        uint32_t reported;
        int error;

        pcv_test_pcie_endpoint(&f, 0x8086, 1);
        pcv_test_add(model, &f, pcv_test_at(0, 0, 1, 0));
        pcv_test_ready(model);
        pcv_model_fail(model, PCV_MODEL_OP_alloc, nth);
        error = pcv_model_boot(model, &host, &scan, &reported);
        if (error == 0) {
            assert_int_equal(pcv_host_destroy(host), 0);
        } else {
            assert_null(host);
        }
        assert_int_equal(pcv_model_bytes(model), 0);
        pcv_model_destroy(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_reports_what_a_scan_cannot_find),
        cmocka_unit_test(what_answered_is_found_whatever_the_bus_numbers_say),
        cmocka_unit_test(vfs_outside_of_their_pfs_bridge_are_found),
        cmocka_unit_test(a_vf_that_has_ids_of_its_own_is_a_plain_function),
        cmocka_unit_test(boot_without_memory_fails_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

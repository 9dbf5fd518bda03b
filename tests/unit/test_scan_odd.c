/* SPDX-License-Identifier: MIT */
/*
 * Machines whose registers say odd things, and what a scan makes of them:
 * capabilities without room, types that contradict themselves, ARI that ends
 * early, VFs where somebody else stands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "registry/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CARD pcv_test_at(0, 0, 1, 0)

/* The machine of one function, scanned. */
static void start_with(struct hosted *h, struct pcv_test_function *f)
{
    hosted_build(h);
    pcv_test_add(h->model, f, CARD);
    hosted_start(h);
    assert_int_equal(hosted_scan(h), 1);
}

/* ---- capabilities ---------------------------------------------------------
 */

/* A list of one capability, in its last possible place. */
static void only_cap_at(struct pcv_test_function *f, uint8_t at, uint8_t id)
{
    pcv_test_set(f, PCV_REG_STATUS, 2, PCV_STATUS_CAPS);
    pcv_test_set(f, PCV_REG_CAPS, 1, at);
    pcv_test_set(f, at, 2, id);
}

/* CAP-1, TOPO-1 */
static void a_capability_without_room_for_its_registers_counts_not(void **state)
{
    static const struct {
        uint8_t at;
        bool counts;
    } rows[] = {{0xec, true}, {0xf0, false}, {0xfc, false}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pcv_test_function f;
        struct hosted h;

        pcv_test_endpoint(&f, 0x1234, 0x5678);
        only_cap_at(&f, rows[i].at, PCV_CAP_ID_PCIE);
        start_with(&h, &f);
        assert_int_equal(hosted_info(&h, CARD).pcie_cap,
                         rows[i].counts ? rows[i].at : 0);
        assert_int_equal(hosted_info(&h, CARD).type,
                         rows[i].counts ? PCV_TYPE_ENDPOINT
                                        : PCV_TYPE_LEGACY_ENDPOINT);
        hosted_end(&h);
    }
}

/* CAP-1, LIFE-7: a bridge's subsystem. */
static void a_bridge_has_the_subsystem_that_fits_its_header(void **state)
{
    static const uint8_t at[] = {0xf8, 0xfc};

    (void)state;
    for (size_t i = 0; i < COUNT(at); i++) {
        struct pcv_test_function f;
        struct hosted h;

        pcv_test_bridge(&f, 0, 0, 0);
        only_cap_at(&f, at[i], PCV_CAP_ID_SSVID);
        if (i == 0) {
            pcv_test_set(&f, 0xfc, 4, 0x56781234);
        }
        start_with(&h, &f);
        assert_int_equal(hosted_info(&h, CARD).subsystem_vendor,
                         i == 0 ? 0x1234 : 0);
        assert_int_equal(hosted_info(&h, CARD).subsystem, i == 0 ? 0x5678 : 0);
        hosted_end(&h);
    }
}

/* EXT-1, CAP-1: PCI-X 533 has extended space, if its capability is one. */
static void pci_x_is_believed_where_its_status_stands(void **state)
{
    static const uint8_t at[] = {0xf8, 0xfc};

    (void)state;
    for (size_t i = 0; i < COUNT(at); i++) {
        struct pcv_test_function f;
        struct hosted h;

        pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
        (void)pcv_test_aer(&f);
        only_cap_at(&f, at[i], PCV_CAP_ID_PCIX);
        if (i == 0) {
            pcv_test_set(&f, 0xfc, 4, PCV_PCIX_STATUS_533);
        }
        start_with(&h, &f);
        assert_int_equal(hosted_info(&h, CARD).extended, i == 0);
        hosted_end(&h);
    }
}

/* TOPO-1, CAP-1 */
static void of_two_pci_express_capabilities_the_first_counts(void **state)
{
    struct pcv_test_function f;
    struct hosted h;

    (void)state;
    pcv_test_endpoint(&f, 0x1234, 0x5678);
    assert_int_equal(pcv_test_pcie(&f, PCV_PCIE_TYPE_LEGACY), 0x40);
    (void)pcv_test_pcie(&f, PCV_PCIE_TYPE_RC_EVENT);
    start_with(&h, &f);
    assert_int_equal(hosted_info(&h, CARD).pcie_cap, 0x40);
    assert_int_equal(hosted_info(&h, CARD).type, PCV_TYPE_LEGACY_ENDPOINT);
    hosted_end(&h);
}

/* TOPO-1 */
static void a_host_bridge_of_no_known_type_is_unknown(void **state)
{
    static const struct {
        uint8_t type;
        enum pcv_device_type is;
    } rows[] = {{0xf, PCV_TYPE_UNKNOWN},
                {PCV_PCIE_TYPE_RC_ENDPOINT, PCV_TYPE_HOST_BRIDGE}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pcv_test_function f;
        struct hosted h;

        pcv_test_host_bridge(&f);
        (void)pcv_test_pcie(&f, rows[i].type);
        start_with(&h, &f);
        assert_int_equal(hosted_info(&h, CARD).type, rows[i].is);
        hosted_end(&h);
    }
}

/* ---- ARI ------------------------------------------------------------------
 */

#define PORT pcv_test_at(0, 0, 1, 0)
#define FIRST pcv_test_at(0, 1, 0, 0)
#define SECOND pcv_test_at(0, 1, 2, 0) /* function 16 */
#define THIRD pcv_test_at(0, 1, 4, 0)  /* function 32 */

/* Two functions of an ARI device, of which the second may have no capability
 * that leads to the third, behind a port whose capability stands `at`. */
static uint32_t scan_ari_behind(uint8_t at, uint16_t version, bool chained)
{
    struct pcv_test_function f;
    struct hosted h;
    uint32_t found;
    uint16_t cap;

    hosted_build(&h);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    only_cap_at(&f, at, PCV_CAP_ID_PCIE);
    pcv_test_set(&f, at + PCV_PCIE_FLAGS, 2,
                 PCV_PCIE_TYPE_ROOT_PORT << PCV_PCIE_FLAGS_TYPE_SHIFT |
                     version);
    if (at + PCV_PCIE_DEVCTL2 <= PCV_CFG_SIZE - 2u) {
        pcv_test_set(&f, at + PCV_PCIE_DEVCTL2, 2, PCV_PCIE_DEVCTL2_ARI);
    }
    pcv_test_add(h.model, &f, PORT);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    cap = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_ARI, 1, 8);
    pcv_test_set(&f, cap + PCV_ARI_CAP, 2, 16u << 8);
    pcv_test_add(h.model, &f, FIRST);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    if (chained) {
        cap = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_ARI, 1, 8);
        pcv_test_set(&f, cap + PCV_ARI_CAP, 2, 32u << 8);
    }
    pcv_test_add(h.model, &f, SECOND);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_add(h.model, &f, THIRD);
    hosted_start(&h);
    found = hosted_scan(&h);
    assert_true(hosted_found(&h, FIRST));
    assert_int_equal(hosted_found(&h, SECOND), found > 2);
    assert_int_equal(hosted_found(&h, THIRD), found > 3);
    hosted_end(&h);
    return found;
}

/* TOPO-8 */
static void ari_is_followed_where_the_port_above_forwards_it(void **state)
{
    (void)state;
    assert_int_equal(scan_ari_behind(0x40, 2, true), 4);
    /* Version 1 has no such register. */
    assert_int_equal(scan_ari_behind(0x40, 1, true), 2);
    /* It would stand beyond the first 256 bytes. */
    assert_int_equal(scan_ari_behind(0xe0, 2, true), 2);
}

/* TOPO-8 */
static void ari_ends_with_a_function_that_has_none(void **state)
{
    (void)state;
    assert_int_equal(scan_ari_behind(0x40, 2, false), 3);
}

/* ---- places that others have ----------------------------------------------
 */

#define PF_1 pcv_test_at(0, 0, 1, 0)
#define PF_2 pcv_test_at(0, 0, 1, 1)
#define VF(n) pcv_test_at(0, 0, 3, (n))

/* TOPO-7, TOPO-8 */
static void a_pf_that_names_a_function_of_its_own_is_not_followed(void **state)
{
    struct pcv_test_function f;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 4, 3, 0x10, 1);
    pcv_test_add(h.model, &f, PF_1);
    pcv_test_vf(&f, PF_1);
    pcv_test_add(h.model, &f, VF(1));
    pcv_test_endpoint(&f, 0x1234, 0x5678);
    pcv_test_add(h.model, &f, VF(0));
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 2);
    assert_false(hosted_info(&h, VF(0)).is_vf);
    assert_false(hosted_found(&h, VF(1)));
    hosted_end(&h);
}

/* TOPO-7, TOPO-8 */
static void a_pf_that_names_another_ones_vfs_is_not_followed(void **state)
{
    struct pcv_test_function f;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI);
    (void)pcv_test_sriov(&f, 2, 2, 0x10, 1);
    pcv_test_add(h.model, &f, PF_1);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 4, 3, 0x10, 1); /* the second one's, and more */
    pcv_test_add(h.model, &f, PF_2);
    for (uint8_t i = 0; i < 4; i++) {
        pcv_test_vf(&f, i < 2 ? PF_1 : PF_2);
        pcv_test_add(h.model, &f, VF(i));
    }
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 4);
    assert_int_equal(hosted_info(&h, VF(1)).physfn.v, PF_1.v);
    assert_false(hosted_found(&h, VF(2)));
    hosted_end(&h);
}

/* TOPO-8, HDR-9: a host that maps a page at a time is asked until it is done.
 */
static void a_scan_ends_with_everything_mapped(void **state)
{
    struct hosted h;

    (void)state;
    tree_build(&h);
    pcv_model_set_map_chunk(h.model, 1);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), TREE_FUNCTIONS);
    assert_int_equal(pcv_model_mapped_pages(h.model), 8);
    hosted_end(&h);
}

/* TOPO-8, LIFE-5 */
static void a_scan_passes_by_what_is_leaving(void **state)
{
    struct pcv_scan scan = {0};
    struct pcv_device *leaf;
    struct hosted h;

    (void)state;
    tree_start(&h);
    leaf = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
    assert_int_equal(scan.found, 0);
    assert_int_equal(scan.failed, 1);
    assert_int_equal(scan.first_error, -PCV_EBUSY);
    assert_int_equal(scan.first_failed.v, TREE_LEAF.v);
    pcv_device_put(leaf);
    memset(&scan, 0, sizeof(scan));
    assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
    assert_int_equal(scan.found, 1);
    hosted_end(&h);
}

/* LIFE-4, TOPO-8, EXT-1: a million references are out to the bridge above. It
 * is not asked then, and nothing is believed of it. */
static void behind_a_bridge_that_cannot_be_held_little_is_believed(void **state)
{
    struct pcv_device *port;
    struct hosted h;

    (void)state;
    tree_start(&h);
    assert_true(hosted_info(&h, TREE_LEAF).extended);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    port = hosted_hold(&h, TREE_PORT_3);
    atomic_fetch_add(&port->word, 0xffffeu);
    assert_int_equal(pcv_host_scan(h.host, &(struct pcv_scan){0}, 0), 0);
    assert_false(hosted_info(&h, TREE_LEAF).extended);
    assert_int_equal(pcv_host_set_ecam(h.host, 0, 4, 4, true, NULL), 0);
    atomic_fetch_sub(&port->word, 0xffffeu);
    pcv_device_put(port);
    /* When it can be, the host says it again. */
    assert_int_equal(pcv_host_set_ecam(h.host, 0, 3, 3, true, NULL), 0);
    assert_true(hosted_info(&h, TREE_LEAF).extended);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_capability_without_room_for_its_registers_counts_not),
        cmocka_unit_test(a_bridge_has_the_subsystem_that_fits_its_header),
        cmocka_unit_test(pci_x_is_believed_where_its_status_stands),
        cmocka_unit_test(of_two_pci_express_capabilities_the_first_counts),
        cmocka_unit_test(a_host_bridge_of_no_known_type_is_unknown),
        cmocka_unit_test(ari_is_followed_where_the_port_above_forwards_it),
        cmocka_unit_test(ari_ends_with_a_function_that_has_none),
        cmocka_unit_test(a_pf_that_names_a_function_of_its_own_is_not_followed),
        cmocka_unit_test(a_pf_that_names_another_ones_vfs_is_not_followed),
        cmocka_unit_test(a_scan_ends_with_everything_mapped),
        cmocka_unit_test(a_scan_passes_by_what_is_leaving),
        cmocka_unit_test(
            behind_a_bridge_that_cannot_be_held_little_is_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

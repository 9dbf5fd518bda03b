/* SPDX-License-Identifier: MIT */
/* Which function has extended space: what is above it decides too (EXT-1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"

#define BRIDGE pcv_test_at(0, 1, 0, 0)
#define CARD pcv_test_at(0, 2, 4, 0)

/* A PCI-X capability that says so much of its speed. */
static void add_pcix(struct pcv_test_function *f, uint32_t status)
{
    uint8_t at = pcv_test_cap(f, PCV_CAP_ID_PCIX, 16);

    pcv_test_set(f, (uint32_t)at + PCV_PCIX_STATUS, 4, status);
}

/* A PCI-X 266 card of 4096 bytes behind a bridge from PCI Express that says
 * `bridge` of its speed (0: it is no PCI-X bridge). */
static bool card_is_extended(uint32_t bridge)
{
    struct pcv_device_info info;
    struct pcv_test_function f;
    struct pcv_device *card;
    struct hosted h;

    hosted_build(&h);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 2);
    pcv_test_add(h.model, &f, pcv_test_at(0, 0, 1, 0));
    pcv_test_port(&f, PCV_PCIE_TYPE_TO_PCI, 1, 2, 2);
    if (bridge != 0) {
        add_pcix(&f, bridge);
    }
    pcv_test_add(h.model, &f, BRIDGE);
    pcv_test_pcie_endpoint(&f, 0x17d5, 0x5832);
    /* Its PCI Express capability becomes one of PCI-X. */
    pcv_test_set(&f, PCV_REG_CAPS, 1, 0xc0);
    pcv_test_set(&f, 0xc0, 4, PCV_CAP_ID_PCIX);
    pcv_test_set(&f, 0xc4, 4, PCV_PCIX_STATUS_266);
    (void)pcv_test_aer(&f);
    pcv_test_add(h.model, &f, CARD);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 3);
    card = pcv_device_find(h.host, CARD);
    assert_non_null(card);
    pcv_device_get_info(card, &info);
    pcv_device_put(card);
    hosted_end(&h);
    return info.extended;
}

/* EXT-1 */
static void a_bridge_to_pci_forwards_if_it_is_pci_x_of_mode_2(void **state)
{
    (void)state;
    assert_false(card_is_extended(0));
    assert_false(card_is_extended(0x00030000)); /* 133 MHz, 64 bits */
    assert_true(card_is_extended(PCV_PCIX_STATUS_266));
    assert_true(card_is_extended(PCV_PCIX_STATUS_533 | PCV_PCIX_STATUS_266));
}

/* CAP-1, LIFE-7, TOPO-8: a list may have as many as there is room for. */
static void capabilities_at_the_end_of_a_long_list_are_found(void **state)
{
    static const unsigned before[] = {0, 47, 48, 49, 400};

    (void)state;
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        struct pcv_test_function f;
        struct pcv_device_info info;
        struct hosted h;
        uint16_t cap;

        hosted_build(&h);
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
        for (unsigned n = 0; n < before[i]; n++) {
            (void)pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_LTR, 1, 8);
        }
        (void)pcv_test_sriov(&f, 4, 2, 4, 1);
        cap = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_DSN, 1, 12);
        pcv_test_set(&f, cap + 4u, 4, 0x12345678);
        pcv_test_set(&f, cap + 8u, 4, 0x9abcdef0);
        pcv_test_add(h.model, &f, pcv_test_at(0, 0, 3, 0));
        hosted_start(&h);
        assert_int_equal(hosted_scan(&h), 1);
        info = hosted_info(&h, pcv_test_at(0, 0, 3, 0));
        assert_int_equal(info.num_vfs, 2);
        assert_true(info.serial == 0x9abcdef012345678u);
        assert_int_equal(info.cap_problems, 0);
        /* With another serial number it is another card, however far back. */
        pcv_model_poke(h.model, pcv_test_at(0, 0, 3, 0), (uint16_t)(cap + 4u),
                       4, 0x12345679);
        assert_int_equal(pcv_device_add(h.host, pcv_test_at(0, 0, 3, 0), NULL),
                         0);
        info = hosted_info(&h, pcv_test_at(0, 0, 3, 0));
        assert_true(info.serial == 0x9abcdef012345679u);
        hosted_end(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bridge_to_pci_forwards_if_it_is_pci_x_of_mode_2),
        cmocka_unit_test(capabilities_at_the_end_of_a_long_list_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Declarations of extended space where something is odd: headers that nobody
 * writes, VFs that claim to be PFs, lists that are damaged, devices that cannot
 * be held or are being added (EXT-2, EXT-3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ecam_fixture.h"
#include "registry/internal.h"

#define ODD pcv_test_at(0, 0, 6, 0)

/* The machine, with one more function. */
static void up_with(struct ecam *e, struct pcv_test_function *f)
{
    ecam_build(e);
    pcv_test_add(e->h.model, f, ODD);
    ecam_start(e);
}

/* EXT-3, HDR-1: it has no registers of ours, and extended space all the same.
 */
static void a_header_of_another_kind_gets_and_loses_extended_space(void **state)
{
    struct pcv_test_function f;
    struct ecam e;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    (void)pcv_test_aer(&f);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, 2);
    pcv_test_set(&f, 0x14, 1, pcv_test_get(&f, PCV_REG_CAPS, 1));
    up_with(&e, &f);
    assert_int_equal(hosted_scan(&e.h), ECAM_FUNCTIONS + 1);
    assert_true(hosted_info(&e.h, ODD).read_only);
    for (unsigned round = 0; round < 2; round++) {
        ecam_expect(&e, ODD, true);
        assert_int_equal(ecam_say(&e, 0, 0, false, NULL), 0);
        ecam_expect(&e, ODD, false);
        assert_int_equal(ecam_say(&e, 0, 0, true, NULL), 0);
    }
    hosted_end(&e.h);
}

/* CAP-1, EXT-3: what is wrong with the list is told when it can be read. */
static void a_damaged_list_that_comes_late_is_told(void **state)
{
    struct pcv_test_function f;
    struct ecam e;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_bad_ext_list(&f, PCV_TEST_LIST_LOOP);
    up_with(&e, &f);
    pcv_model_set_ecam(e.h.model, 0, 0, 0, false);
    assert_true(hosted_scan(&e.h) != 0);
    assert_int_equal(hosted_info(&e.h, ODD).cap_problems, 0);
    assert_int_equal(ecam_say(&e, 0, 0, true, NULL), 0);
    assert_int_equal(hosted_info(&e.h, ODD).cap_problems, PCV_CAP_LOOP);
    assert_true(hosted_info(&e.h, ODD).extended);
    hosted_end(&e.h);
}

/* TOPO-7, SRIOV-1: a VF has no VFs, whatever its registers say. */
static void a_vf_that_claims_to_be_a_pf_is_none(void **state)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF,
                                      .physfn = pcv_test_at(0, 0, 6, 1)};
    struct pcv_test_function f;
    struct ecam e;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 1, 1, 1, 1);
    ecam_build(&e);
    pcv_test_add(e.h.model, &f, ODD);
    pcv_test_vf(&f, ODD);
    (void)pcv_test_sriov(&f, 1, 1, 1, 1);
    pcv_test_add(e.h.model, &f, info.physfn);
    pcv_test_vf(&f, info.physfn);
    pcv_test_add(e.h.model, &f, pcv_test_at(0, 0, 6, 2));
    ecam_start(&e);
    assert_int_equal(hosted_scan(&e.h), ECAM_FUNCTIONS + 2);
    assert_true(hosted_info(&e.h, info.physfn).is_vf);
    assert_int_equal(pcv_device_add(e.h.host, pcv_test_at(0, 0, 6, 2), &info),
                     -PCV_EINVAL);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), 0);
    assert_int_equal(ecam_say(&e, 0, 0, true, NULL), 0);
    assert_true(ecam_has(&e, info.physfn));
    assert_int_equal(hosted_info(&e.h, info.physfn).num_vfs, 0);
    hosted_end(&e.h);
}

/* LIFE-4, EXT-2: a million references are out to a PF. */
static void a_pf_that_cannot_be_held_is_waited_for(void **state)
{
    pcv_sbdf busy = {0};
    struct pcv_device *pf;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    pf = hosted_hold(&e.h, ECAM_PF);
    atomic_fetch_add(&pf->word, 0xffffeu);
    assert_int_equal(ecam_say(&e, 1, 2, false, &busy), -PCV_ERESTART);
    assert_int_equal(busy.v, ECAM_PF.v);
    assert_true(ecam_has(&e, ECAM_VF_0));
    atomic_fetch_sub(&pf->word, 0xffffeu);
    assert_int_equal(e.events, 0);
    assert_int_equal(ecam_say(&e, 1, 2, false, &busy), 0);
    ecam_expect(&e, ECAM_PF, false);
    ecam_expect(&e, ECAM_VF_0, false);
    pcv_device_put(pf);
    hosted_end(&e.h);
}

/* EXT-1: a bridge of PCI-X that has extended space carries it on. */
static void a_pci_x_bridge_forwards_what_it_has(void **state)
{
    const pcv_sbdf behind = pcv_test_at(0, 7, 0, 0);

    (void)state;
    for (int on = 0; on < 2; on++) {
        struct pcv_test_function f;
        struct ecam e;

        pcv_test_port(&f, PCV_PCIE_TYPE_FROM_PCI, 0, 7, 7);
        (void)pcv_test_aer(&f);
        pcv_test_set(&f, PCV_REG_CAPS, 1, 0xc0);
        pcv_test_set(&f, 0xc0, 4, PCV_CAP_ID_PCIX);
        pcv_test_set(&f, 0xc4, 4, on ? PCV_PCIX_STATUS_266 : 0);
        ecam_build(&e);
        pcv_test_add(e.h.model, &f, ODD);
        pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
        (void)pcv_test_aer(&f);
        pcv_test_add(e.h.model, &f, behind);
        ecam_start(&e);
        assert_int_equal(hosted_scan(&e.h), ECAM_FUNCTIONS + 2);
        assert_int_equal(hosted_info(&e.h, ODD).type, PCV_TYPE_PCI_BRIDGE);
        assert_int_equal(ecam_has(&e, ODD), on);
        assert_int_equal(ecam_has(&e, behind), on);
        hosted_end(&e.h);
    }
}

/* EXT-2, LIFE-9: a device that becomes not ready keeps what it has. */
static void a_device_that_is_not_ready_keeps_what_it_has(void **state)
{
    struct ecam e;

    (void)state;
    ecam_up(&e);
    pcv_model_poke(e.h.model, ECAM_CARD, 0, 4, 0xffff0001u);
    pcv_model_set_extended(e.h.model, ECAM_CARD, PCV_MODEL_EXT_ONES);
    assert_int_equal(ecam_say(&e, 0, 0, true, NULL), 0);
    assert_true(ecam_has(&e, ECAM_CARD));
    pcv_model_poke(e.h.model, ECAM_CARD, 0, 4, 0x56781234);
    assert_int_equal(ecam_say(&e, 0, 0, true, NULL), 0);
    assert_false(ecam_has(&e, ECAM_CARD));
    hosted_end(&e.h);
}

/* EXT-2: what an earlier declaration left open is done by the next, whatever
 * buses that names. */
static void any_declaration_goes_on_with_what_is_open(void **state)
{
    struct pcv_device *inside;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    assert_int_equal(
        pcv__gate_enter(pcv_host_hardware_domain(e.h.host), ECAM_CARD, &inside),
        PCV_DONE);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), -PCV_ERESTART);
    pcv__gate_leave(inside);
    assert_true(ecam_has(&e, ECAM_CARD));
    assert_int_equal(ecam_say(&e, 200, 201, true, NULL), 0);
    ecam_expect(&e, ECAM_CARD, false);
    hosted_end(&e.h);
}

/* EXT-2, LIFE-5: behind a bridge that changes, before anybody can find it. */
static void one_that_comes_behind_a_changing_bridge_is_waited_for(void **state)
{
    pcv_sbdf busy = {0};
    struct pcv_device *device;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    device = hosted_hold(&e.h, ECAM_PCIX);
    atomic_fetch_or(&device->word, PCV__WORD_NEW);
    assert_int_equal(ecam_say(&e, 3, 3, false, &busy), -PCV_ERESTART);
    assert_int_equal(busy.v, ECAM_PCIX.v);
    assert_true(ecam_has(&e, ECAM_BRIDGE));
    atomic_fetch_and(&device->word, ~PCV__WORD_NEW);
    pcv_device_put(device);
    assert_int_equal(ecam_say(&e, 3, 3, false, NULL), 0);
    ecam_expect(&e, ECAM_BRIDGE, false);
    ecam_expect(&e, ECAM_PCIX, false);
    hosted_end(&e.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_header_of_another_kind_gets_and_loses_extended_space),
        cmocka_unit_test(a_damaged_list_that_comes_late_is_told),
        cmocka_unit_test(a_vf_that_claims_to_be_a_pf_is_none),
        cmocka_unit_test(a_pf_that_cannot_be_held_is_waited_for),
        cmocka_unit_test(a_pci_x_bridge_forwards_what_it_has),
        cmocka_unit_test(a_device_that_is_not_ready_keeps_what_it_has),
        cmocka_unit_test(any_declaration_goes_on_with_what_is_open),
        cmocka_unit_test(one_that_comes_behind_a_changing_bridge_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * All requester IDs of a function count, not only its own (TOPO-5): whether a
 * guest may have its DMA, and whom faults are charged to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faults_fixture.h"
#include "joined.h"

#define RMRR UINT64_C(0x80000000)
#define ALSO pcv_test_at(0, 0, 3, 1) /* where nothing stands */

/* ---- who may have its DMA --------------------------------------------------
 */

static void reserve(struct joined *j, pcv_sbdf id, bool on)
{
    assert_int_equal(pcv_model_reserve_dma(j->h.model, id, RMRR, on ? 4096 : 0),
                     0);
}

/* It is refused before anything has changed. */
static void assert_refused(struct joined *j, pcv_sbdf at)
{
    assert_int_equal(
        pcv_device_test_assign(j->h.host, at, j->guest[0], NULL, NULL, 0, NULL),
        -PCV_EPERM);
    assert_int_equal(joined_give(j, at, 0), -PCV_EPERM);
    assert_int_equal(hosted_status(&j->h, at).owner_id, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(joined_dma(j, at), PCV_DOMAIN_ID_HARDWARE);
}

/* OWN-4 TOPO-5: firmware reserves memory for what a bridge sends under. */
static void memory_reserved_for_a_bridges_id_is_no_guests(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    reserve(&j, JOINED_OLD_BRIDGE, true);
    assert_refused(&j, JOINED_OLD);
    reserve(&j, JOINED_OLD_BRIDGE, false);
    assert_int_equal(joined_give(&j, JOINED_OLD, 0), 0);
    assert_int_equal(joined_dma(&j, JOINED_OLD), 7);
    hosted_end(&j.h);
}

/* OWN-4 TOPO-5 */
static void memory_reserved_for_an_alias_is_no_guests(void **state)
{
    const struct pcv_assign_policy group = {.flags = PCV_ASSIGN_GROUP};
    struct joined j;

    (void)state;
    joined_start(&j);
    reserve(&j, JOINED_TO_PCI, true); /* the alias is one's own ID */
    assert_int_equal(
        pcv_device_assign(j.h.host, JOINED_DEEP, j.guest[0], &group, NULL),
        -PCV_EPERM);
    assert_int_equal(joined_dma(&j, JOINED_DEEP), PCV_DOMAIN_ID_HARDWARE);
    hosted_end(&j.h);
}

/* OWN-4 TOPO-5 */
static void memory_reserved_for_a_named_id_is_no_guests(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    assert_int_equal(pcv_device_add_requester(j.h.host, JOINED_ALONE, ALSO), 0);
    reserve(&j, ALSO, true);
    assert_refused(&j, JOINED_ALONE);
    reserve(&j, ALSO, false);
    assert_int_equal(joined_give(&j, JOINED_ALONE, 0), 0);
    hosted_end(&j.h);
}

/* The test and the assignment, of a function with phantoms that can, or cannot,
 * be switched off. */
static void assert_phantoms(bool quirk, int error)
{
    const pcv_sbdf phantom = pcv_test_at(0, 0, 3, 4);
    struct joined j;

    joined_build(&j);
    pcv_model_poke(j.h.model, JOINED_ALONE, 0x40 + PCV_PCIE_DEVCAP, 4,
                   PCV_PCIE_DEVCAP_FLR |
                       (quirk ? 0u : 1u << PCV_PCIE_DEVCAP_PHANTOM_SHIFT));
    joined_boot(&j);
    if (quirk) {
        assert_int_equal(pcv_device_set_phantom(j.h.host, JOINED_ALONE, 4), 0);
    }
    assert_int_equal(joined_id(&j, phantom), PCV_DOMAIN_ID_HARDWARE);
    reserve(&j, phantom, true);
    assert_int_equal(joined_give(&j, JOINED_ALONE, 0), error);
    hosted_end(&j.h);
}

/* OWN-4 TOPO-5: phantoms that are off for a guest need nobody's word. */
static void of_phantoms_only_those_are_asked_about_that_stay_on(void **state)
{
    (void)state;
    assert_phantoms(false, 0);
    assert_phantoms(true, -PCV_EPERM);
}

/* ---- whose faults they are -------------------------------------------------
 */

static uint32_t count_of(struct joined *j, pcv_sbdf at)
{
    return faults_of(j->h.host, at).count;
}

static void start_clock(struct joined *j)
{
    joined_start(j);
    pcv_model_set_clock(j->h.model, true);
}

static void storm(struct joined *j, pcv_sbdf requester)
{
    assert_true(faults_storm(j->h.host, requester));
    faults_work(j->h.host);
}

/* OWN-10 TOPO-5 */
static void faults_of_a_named_id_are_the_functions(void **state)
{
    struct joined j;

    (void)state;
    start_clock(&j);
    assert_false(faults_tell(j.h.host, ALSO, 1));
    assert_int_equal(hosted_stats(&j.h).stray_faults, 1);
    assert_int_equal(pcv_device_add_requester(j.h.host, JOINED_ALONE, ALSO), 0);
    assert_false(faults_tell(j.h.host, ALSO, 4));
    assert_int_equal(count_of(&j, JOINED_ALONE), 4);
    storm(&j, ALSO);
    assert_true(faults_of(j.h.host, JOINED_ALONE).cut);
    assert_int_equal(hosted_stats(&j.h).stray_faults, 1);
    joined_remove(&j, JOINED_ALONE);
    assert_false(faults_tell(j.h.host, ALSO, 1));
    assert_int_equal(hosted_stats(&j.h).stray_faults, 2);
    hosted_end(&j.h);
}

/* OWN-10 TOPO-5: nobody can say which of them it was. */
static void faults_of_an_id_that_several_have_are_each_ones(void **state)
{
    struct joined j;

    (void)state;
    start_clock(&j);
    assert_int_equal(
        pcv_device_add_requester(j.h.host, JOINED_ALONE, JOINED_OLD), 0);
    assert_int_equal(
        pcv_device_add_requester(j.h.host, JOINED_SECOND, JOINED_OLD), 0);
    assert_int_equal(pcv_device_add_requester(j.h.host, JOINED_SECOND, ALSO),
                     0);
    (void)faults_tell(j.h.host, JOINED_OLD, 3);
    assert_int_equal(count_of(&j, JOINED_ALONE), 3);
    assert_int_equal(count_of(&j, JOINED_SECOND), 3);
    assert_int_equal(count_of(&j, JOINED_OLD), 3);
    assert_int_equal(count_of(&j, JOINED_DEEP), 0);
    storm(&j, JOINED_OLD);
    assert_true(faults_of(j.h.host, JOINED_ALONE).cut);
    assert_true(faults_of(j.h.host, JOINED_SECOND).cut);
    assert_true(faults_of(j.h.host, JOINED_OLD).cut);
    assert_false(faults_of(j.h.host, JOINED_DEEP).cut);
    hosted_end(&j.h);
}

/* OWN-10: what is counted at the bridge is forgotten with the owner, too. */
static void the_next_owner_behind_a_bridge_begins_anew(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    assert_int_equal(pcv_host_set_faults(j.h.host, 10, UINT32_MAX), 0);
    assert_false(faults_tell(j.h.host, JOINED_OLD_BRIDGE, 9));
    assert_int_equal(count_of(&j, JOINED_OLD_BRIDGE), 9);
    assert_int_equal(joined_give(&j, JOINED_OLD, 0), 0);
    assert_int_equal(count_of(&j, JOINED_OLD_BRIDGE), 0);
    hosted_end(&j.h);
}

/* OWN-10 TOPO-5: a bridge from conventional PCI to Express sends under its own
 * ID, whatever is behind it. */
static void what_is_behind_a_bridge_from_pci_is_cut_with_it(void **state)
{
    const pcv_sbdf bridge = pcv_test_at(0, 0, 4, 0);
    const pcv_sbdf card = pcv_test_at(0, 4, 0, 0);
    struct pcv_test_function f;
    struct joined j;

    (void)state;
    joined_build(&j);
    pcv_test_port(&f, PCV_PCIE_TYPE_FROM_PCI, 0, 4, 4);
    pcv_test_add(j.h.model, &f, bridge);
    joined_card(&j, card);
    joined_boot(&j);
    pcv_model_set_clock(j.h.model, true);
    storm(&j, bridge);
    assert_true(faults_of(j.h.host, card).cut);
    assert_false(faults_of(j.h.host, bridge).cut);
    hosted_end(&j.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_reserved_for_a_bridges_id_is_no_guests),
        cmocka_unit_test(memory_reserved_for_an_alias_is_no_guests),
        cmocka_unit_test(memory_reserved_for_a_named_id_is_no_guests),
        cmocka_unit_test(of_phantoms_only_those_are_asked_about_that_stay_on),
        cmocka_unit_test(faults_of_a_named_id_are_the_functions),
        cmocka_unit_test(faults_of_an_id_that_several_have_are_each_ones),
        cmocka_unit_test(the_next_owner_behind_a_bridge_begins_anew),
        cmocka_unit_test(what_is_behind_a_bridge_from_pci_is_cut_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

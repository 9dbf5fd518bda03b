/* SPDX-License-Identifier: MIT */
/* What the host declares of extended space, and who changes by it (EXT-2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ecam_fixture.h"
#include "registry/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- declarations ----------------------------------------------------------
 */

/* EXT-2 */
static void a_declaration_is_checked(void **state)
{
    struct ecam e;

    (void)state;
    ecam_up(&e);
    assert_int_equal(pcv_host_set_ecam(NULL, 0, 0, 1, true, NULL), -PCV_EINVAL);
    assert_int_equal(pcv_host_set_ecam(e.h.host, 0, 2, 1, true, NULL),
                     -PCV_EINVAL);
    assert_int_equal(e.events, 0);
    hosted_end(&e.h);
}

/* EXT-2, CFG-8 */
static void what_was_declared_goes_before_what_the_host_answers(void **state)
{
    struct ecam e;

    (void)state;
    ecam_build(&e);
    ecam_start(&e);
    /* The operation goes on saying yes to all buses. */
    assert_int_equal(pcv_host_set_ecam(e.h.host, 0, 5, 255, false, NULL), 0);
    assert_int_equal(hosted_scan(&e.h), ECAM_FUNCTIONS);
    ecam_expect(&e, ECAM_CARD, true);
    ecam_expect(&e, ECAM_LEAF, false);
    assert_int_equal(e.events, 0);
    hosted_end(&e.h);
}

/* EXT-2: for segments without a device, too. */
static void a_declaration_stands_in_for_the_operation(void **state)
{
    struct ecam e;

    (void)state;
    ecam_build(&e);
    e.h.ops.ecam_usable = NULL;
    ecam_start(&e);
    assert_int_equal(hosted_stats(&e.h).segments, 0);
    assert_int_equal(ecam_say(&e, 5, 5, true, NULL), 0);
    assert_int_equal(hosted_stats(&e.h).segments, 1);
    /* The PF cannot be asked for its VFs. */
    assert_int_equal(hosted_scan(&e.h), ECAM_FUNCTIONS - 2);
    ecam_expect(&e, ECAM_CARD, false);
    ecam_expect(&e, ECAM_LEAF, true);
    assert_int_equal(ecam_say(&e, 0, 0, true, NULL), 0);
    ecam_expect(&e, ECAM_CARD, true);
    assert_int_equal(ecam_told(&e, PCV_EVENT_EXTENDED, ECAM_CARD, 1), 1);
    assert_int_equal(pcv_host_set_ecam(e.h.host, 9, 0, 255, false, NULL), 0);
    hosted_end(&e.h);
}

/* EXT-2, PORT-3 */
static void a_segment_that_finds_no_memory_changes_nothing(void **state)
{
    struct ecam e;
    uint64_t bytes;

    (void)state;
    ecam_build(&e);
    ecam_start(&e);
    bytes = pcv_model_bytes(e.h.model);
    for (uint64_t n = 1; n <= 2; n++) {
        pcv_model_fail(e.h.model, PCV_MODEL_OP_alloc, n);
        assert_int_equal(pcv_host_set_ecam(e.h.host, 9, 0, 255, true, NULL),
                         -PCV_ENOMEM);
        pcv_model_fail(e.h.model, PCV_MODEL_OP_alloc, 0);
        assert_true(pcv_model_bytes(e.h.model) - bytes <=
                    sizeof(struct pcv__segments));
    }
    hosted_end(&e.h);
}

/* ---- who changes -----------------------------------------------------------
 */

/* EXT-2, EXT-3 */
static void extended_space_goes_and_comes_again(void **state)
{
    static const pcv_sbdf has[] = {{0x08}, {0x10}, {0x18}, {0x20}};
    struct ecam e;

    (void)state;
    ecam_up(&e);
    for (int on = 0; on < 2; on++) {
        assert_int_equal(ecam_say(&e, 0, 0, on, NULL), 0);
        /* The card and the ports; the host bridge never had any. */
        for (size_t i = 0; i < COUNT(has); i++) {
            ecam_expect(&e, has[i], on);
            assert_int_equal(
                ecam_told(&e, PCV_EVENT_EXTENDED, has[i], (uint64_t)on), 1);
        }
        assert_int_equal(e.events, COUNT(has) * (size_t)(on + 1));
        /* Once more changes nothing. */
        assert_int_equal(ecam_say(&e, 0, 0, on, NULL), 0);
        assert_int_equal(e.events, COUNT(has) * (size_t)(on + 1));
    }
    hosted_end(&e.h);
}

struct traffic {
    uint8_t bus_first, bus_last; /* whose accesses count */
    unsigned reads, writes;
};

static void see_traffic(void *arg, const struct pcv_model_cfg *access)
{
    struct traffic *t = arg;
    uint8_t bus = pcv_sbdf_bus(access->sbdf);

    if (t->bus_first <= bus && bus <= t->bus_last) {
        t->reads += !access->write;
        t->writes += access->write;
    }
}

/* EXT-3: neither their registers nor their counters or mappings. */
static void others_are_left_alone(void **state)
{
    struct traffic t = {.bus_first = 1, .bus_last = 255};
    struct traffic all = {.bus_last = 255};
    struct pcv_device_status before;
    struct pcv_device_status after;
    uint64_t pages;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    pages = pcv_model_mapped_pages(e.h.model);
    before = hosted_status(&e.h, ECAM_LEAF);
    for (int on = 0; on < 2; on++) {
        pcv_model_watch(e.h.model, see_traffic, &t);
        assert_int_equal(ecam_say(&e, 0, 0, on, NULL), 0);
        pcv_model_watch(e.h.model, see_traffic, &all);
        assert_int_equal(ecam_say(&e, 5, 5, on, NULL), 0);
        pcv_model_watch(e.h.model, NULL, NULL);
        assert_int_equal(t.reads + t.writes, 0);
        assert_int_equal(all.writes, 0);
        assert_int_equal(pcv_model_mapped_pages(e.h.model), pages);
    }
    after = hosted_status(&e.h, ECAM_LEAF);
    assert_int_equal(before.state, after.state);
    assert_memory_equal(before.held, after.held, sizeof(before.held));
    assert_true(before.counters.reads == after.counters.reads);
    assert_true(before.counters.writes == after.counters.writes);
    hosted_end(&e.h);
}

/* EXT-2, LIFE-9 */
static void a_device_that_sleeps_keeps_what_it_has(void **state)
{
    struct ecam e;

    (void)state;
    ecam_up(&e);
    assert_int_equal(ecam_say(&e, 5, 5, false, NULL), 0);
    assert_int_equal(pcv_model_set_dead(e.h.model, ECAM_LEAF, true), 0);
    assert_int_equal(pcv_model_set_dead(e.h.model, ECAM_CARD, true), 0);
    assert_int_equal(ecam_say(&e, 0, 255, true, NULL), 0);
    assert_true(ecam_has(&e, ECAM_CARD));
    assert_false(ecam_has(&e, ECAM_LEAF));
    /* An unusable bus needs no answer. */
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), 0);
    assert_false(ecam_has(&e, ECAM_CARD));
    assert_int_equal(pcv_model_set_dead(e.h.model, ECAM_LEAF, false), 0);
    assert_int_equal(ecam_say(&e, 5, 5, true, NULL), 0);
    ecam_expect(&e, ECAM_LEAF, true);
    hosted_end(&e.h);
}

/* EXT-1, EXT-2 */
static void a_device_whose_extended_space_became_nonsense_loses_it(void **state)
{
    static const enum pcv_model_extended how[] = {PCV_MODEL_EXT_ONES,
                                                  PCV_MODEL_EXT_ALIASED};
    struct ecam e;

    (void)state;
    ecam_up(&e);
    for (size_t i = 0; i < COUNT(how); i++) {
        assert_int_equal(pcv_model_set_extended(e.h.model, ECAM_LEAF, how[i]),
                         0);
        assert_int_equal(ecam_say(&e, 5, 5, true, NULL), 0);
        ecam_expect(&e, ECAM_LEAF, false);
        assert_int_equal(
            pcv_model_set_extended(e.h.model, ECAM_LEAF, PCV_MODEL_EXT_NORMAL),
            0);
        assert_int_equal(ecam_say(&e, 5, 5, true, NULL), 0);
        ecam_expect(&e, ECAM_LEAF, true);
    }
    hosted_end(&e.h);
}

/* EXT-1, EXT-2: a VF has what its PF has, and none where its own bus cannot be
 * reached. */
static void vfs_follow_their_pf_and_stay(void **state)
{
    struct ecam e;

    (void)state;
    ecam_up(&e);
    ecam_expect(&e, ECAM_VF_0, true);
    assert_int_equal(ecam_say(&e, 1, 1, false, NULL), 0);
    ecam_expect(&e, ECAM_PF, false);
    ecam_expect(&e, ECAM_VF_0, false);
    ecam_expect(&e, ECAM_VF_1, false);
    assert_int_equal(e.events, 3);
    assert_int_equal(hosted_info(&e.h, ECAM_PF).num_vfs, 2);
    /* It is the same PF, and the same VFs, for those who add them again. */
    assert_int_equal(pcv_device_add(e.h.host, ECAM_PF, NULL), 0);
    assert_int_equal(hosted_info(&e.h, ECAM_PF).num_vfs, 2);
    assert_int_equal(hosted_scan(&e.h), 0);
    assert_int_equal(ecam_say(&e, 1, 1, true, NULL), 0);
    ecam_expect(&e, ECAM_VF_1, true);
    assert_int_equal(hosted_info(&e.h, ECAM_PF).num_vfs, 2);
    assert_int_equal(ecam_say(&e, 2, 2, false, NULL), 0);
    ecam_expect(&e, ECAM_PF, true);
    ecam_expect(&e, ECAM_VF_1, false);
    /* What its PF gets, it gets only with its bus. */
    assert_int_equal(ecam_say(&e, 1, 1, false, NULL), 0);
    assert_int_equal(ecam_say(&e, 1, 1, true, NULL), 0);
    ecam_expect(&e, ECAM_VF_1, false);
    assert_int_equal(ecam_say(&e, 2, 2, true, NULL), 0);
    ecam_expect(&e, ECAM_VF_1, true);
    hosted_end(&e.h);
}

/* TOPO-7, EXT-2 */
static void no_vf_comes_while_its_pf_cannot_be_asked(void **state)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF,
                                      .physfn = ECAM_PF};
    struct ecam e;

    (void)state;
    ecam_up(&e);
    assert_int_equal(pcv_device_remove(e.h.host, ECAM_VF_1, NULL, NULL), 0);
    assert_int_equal(ecam_say(&e, 1, 1, false, NULL), 0);
    assert_int_equal(pcv_device_add(e.h.host, ECAM_VF_1, &info), -PCV_ENODEV);
    assert_int_equal(hosted_scan(&e.h), 0);
    assert_int_equal(ecam_say(&e, 1, 1, true, NULL), 0);
    assert_int_equal(pcv_device_add(e.h.host, ECAM_VF_1, &info), 0);
    ecam_expect(&e, ECAM_VF_1, true);
    hosted_end(&e.h);
}

/* TOPO-7, EXT-3: a PF that gets extended space for the first time. */
static void a_pf_is_found_out_when_it_can_be_asked(void **state)
{
    struct ecam e;

    (void)state;
    ecam_build(&e);
    ecam_start(&e);
    assert_int_equal(ecam_say(&e, 1, 2, false, NULL), 0);
    assert_int_equal(hosted_scan(&e.h), ECAM_FUNCTIONS - 2);
    assert_int_equal(hosted_info(&e.h, ECAM_PF).num_vfs, 0);
    assert_int_equal(ecam_say(&e, 1, 2, true, NULL), 0);
    assert_int_equal(hosted_info(&e.h, ECAM_PF).num_vfs, 2);
    assert_int_equal(hosted_scan(&e.h), 2);
    ecam_expect(&e, ECAM_VF_0, true);
    hosted_end(&e.h);
}

/* EXT-1, EXT-2: what a bridge forwards depends on its own space; a port of PCI
 * Express carries all. */
static void what_is_behind_a_bridge_to_pci_follows_it(void **state)
{
    struct ecam e;

    (void)state;
    ecam_up(&e);
    ecam_expect(&e, ECAM_PCIX, true);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), 0);
    ecam_expect(&e, ECAM_BRIDGE, true);
    assert_int_equal(ecam_say(&e, 3, 3, false, NULL), 0);
    ecam_expect(&e, ECAM_BRIDGE, false);
    ecam_expect(&e, ECAM_PCIX, false);
    assert_int_equal(ecam_say(&e, 3, 3, true, NULL), 0);
    ecam_expect(&e, ECAM_PCIX, true);
    assert_int_equal(ecam_told(&e, PCV_EVENT_EXTENDED, ECAM_PCIX, 0), 1);
    assert_int_equal(ecam_told(&e, PCV_EVENT_EXTENDED, ECAM_PCIX, 1), 1);
    hosted_end(&e.h);
}

/* LIFE-9, EXT-2 */
static void what_vanished_is_not_asked(void **state)
{
    struct traffic t = {.bus_first = 5, .bus_last = 5};
    struct ecam e;

    (void)state;
    ecam_up(&e);
    assert_int_equal(ecam_say(&e, 5, 5, false, NULL), 0);
    assert_int_equal(pcv_device_vanished(e.h.host, ECAM_LEAF), 0);
    e.events = 0;
    pcv_model_watch(e.h.model, see_traffic, &t);
    assert_int_equal(ecam_say(&e, 5, 5, true, NULL), 0);
    assert_int_equal(ecam_say(&e, 5, 5, false, NULL), 0);
    pcv_model_watch(e.h.model, NULL, NULL);
    assert_int_equal(t.reads + t.writes, 0);
    assert_int_equal(e.events, 0);
    hosted_end(&e.h);
}

static void see_extended(void *arg, const struct pcv_model_cfg *access)
{
    unsigned *count = arg;

    *count += access->reg >= PCV_CFG_SIZE;
}

/* CFG-8, EXT-2: neither the library nor the hardware domain. */
static void no_register_is_asked_for_that_cannot_be_reached(void **state)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF,
                                      .physfn = ECAM_PF};
    unsigned asked = 0;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    pcv_model_watch(e.h.model, see_extended, &asked);
    assert_int_equal(ecam_say(&e, 0, 5, false, NULL), 0);
    assert_int_equal(pcv_device_remove(e.h.host, ECAM_VF_1, NULL, NULL), 0);
    assert_int_equal(pcv_device_remove(e.h.host, ECAM_LEAF, NULL, NULL), 0);
    assert_int_equal(pcv_device_add(e.h.host, ECAM_PF, NULL), 0);
    assert_int_equal(pcv_device_add(e.h.host, ECAM_CARD, NULL), 0);
    assert_int_equal(pcv_device_add(e.h.host, ECAM_LEAF, NULL), 0);
    assert_int_equal(pcv_device_add(e.h.host, ECAM_VF_1, &info), -PCV_ENODEV);
    assert_int_equal(hosted_scan(&e.h), 0);
    for (uint32_t reg = PCV_CFG_SIZE; reg < PCV_CFG_EXT_SIZE; reg += 4) {
        struct pcv_access access = PCV_WRITE(ECAM_PF, (uint16_t)reg, 4, 0);

        (void)pcv_access(pcv_host_hardware_domain(e.h.host), &access);
        (void)hosted_read(&e.h, ECAM_PF, (uint16_t)reg, 4);
    }
    pcv_model_watch(e.h.model, NULL, NULL);
    assert_int_equal(asked, 0);
    hosted_end(&e.h);
}

/* ---- who it is -------------------------------------------------------------
 */

/* LIFE-7, EXT-2: a serial number that could not be read says nothing. */
static void a_card_is_the_same_with_and_without_its_serial_number(void **state)
{
    struct ecam e;

    (void)state;
    ecam_build(&e);
    ecam_start(&e);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), 0);
    assert_int_equal(hosted_scan(&e.h), ECAM_FUNCTIONS);
    assert_true(hosted_info(&e.h, ECAM_CARD).serial == 0);
    for (int on = 1; on >= 0; on--) {
        struct pcv_device *device = hosted_hold(&e.h, ECAM_CARD);

        assert_int_equal(ecam_say(&e, 0, 0, on, NULL), 0);
        assert_true(hosted_info(&e.h, ECAM_CARD).serial == ECAM_SERIAL);
        assert_int_equal(pcv_device_add(e.h.host, ECAM_CARD, NULL), 0);
        pcv_device_put(device);
    }
    assert_int_equal(hosted_stats(&e.h).devices, ECAM_FUNCTIONS);
    hosted_end(&e.h);
}

/* LIFE-7, EXT-2 */
static void another_card_is_seen_once_its_serial_number_can_be_read(
    void **state)
{
    struct pcv_device *device;
    struct ecam e;

    (void)state;
    ecam_up(&e);
    device = hosted_hold(&e.h, ECAM_CARD);
    assert_int_equal(ecam_say(&e, 0, 0, false, NULL), 0);
    pcv_model_poke(e.h.model, ECAM_CARD, (uint16_t)(e.serial_cap + 4u), 4, 7);
    assert_int_equal(pcv_device_add(e.h.host, ECAM_CARD, NULL), 0);
    assert_int_equal(ecam_say(&e, 0, 0, true, NULL), 0);
    assert_int_equal(pcv_device_add(e.h.host, ECAM_CARD, NULL), -PCV_EBUSY);
    pcv_device_put(device);
    assert_int_equal(pcv_device_add(e.h.host, ECAM_CARD, NULL), 0);
    assert_true(hosted_info(&e.h, ECAM_CARD).serial ==
                ((ECAM_SERIAL & ~0xffffffffull) | 7u));
    hosted_end(&e.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_declaration_is_checked),
        cmocka_unit_test(what_was_declared_goes_before_what_the_host_answers),
        cmocka_unit_test(a_declaration_stands_in_for_the_operation),
        cmocka_unit_test(a_segment_that_finds_no_memory_changes_nothing),
        cmocka_unit_test(extended_space_goes_and_comes_again),
        cmocka_unit_test(others_are_left_alone),
        cmocka_unit_test(a_device_that_sleeps_keeps_what_it_has),
        cmocka_unit_test(
            a_device_whose_extended_space_became_nonsense_loses_it),
        cmocka_unit_test(vfs_follow_their_pf_and_stay),
        cmocka_unit_test(no_vf_comes_while_its_pf_cannot_be_asked),
        cmocka_unit_test(a_pf_is_found_out_when_it_can_be_asked),
        cmocka_unit_test(what_is_behind_a_bridge_to_pci_follows_it),
        cmocka_unit_test(what_vanished_is_not_asked),
        cmocka_unit_test(no_register_is_asked_for_that_cannot_be_reached),
        cmocka_unit_test(a_card_is_the_same_with_and_without_its_serial_number),
        cmocka_unit_test(
            another_card_is_seen_once_its_serial_number_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Resets of a whole bus, by the bridge above (OWN-16). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus_reset_fixture.h"

/* ---- whom it would hit ----------------------------------------------------
 */

/* OWN-16 */
static void a_bus_is_not_reset_under_who_uses_it(void **state)
{
    enum pcv_reset way = PCV_RESET_NONE;
    pcv_sbdf busy = {0};
    struct bus b;

    (void)state;
    bus_start(&b);
    assert_int_equal(bus_change(&b, CARD_0, true, NULL), -PCV_EOPNOTSUPP);
    assert_int_equal(pcv_device_reset_method(b.h.host, CARD_0, &way, &busy),
                     -PCV_EBUSY);
    assert_int_equal(way, PCV_RESET_BUS);
    assert_int_equal(busy.v, CARD_1.v);
    assert_int_equal(bus_reset(&b, CARD_1, &busy), -PCV_EBUSY);
    assert_int_equal(busy.v, CARD_0.v);
    /* Nobody noticed anything. */
    assert_int_equal(hosted_read(&b.h, CARD_1, PCV_REG_COMMAND, 2),
                     PCV_CMD_MEMORY | PCV_CMD_MASTER);
    assert_int_equal(b.events[PCV_EVENT_BUS_RESET], 0);
    bus_give(&b, CARD_1);
    assert_int_equal(bus_change(&b, CARD_0, true, NULL), -PCV_EOPNOTSUPP);
    assert_int_equal(bus_reset(&b, CARD_0, &busy), -PCV_EBUSY);
    assert_int_equal(busy.v, CARD_1.v);
    bus_end(&b);
}

/* OWN-16: the last way, where what it hits is nobody's. */
static void a_function_is_reset_with_its_bus_for_its_next_owner(void **state)
{
    struct bus b;

    (void)state;
    bus_start(&b);
    bus_quarantine(&b, CARD_1);
    assert_int_equal(bus_step(&b, CARD_0, true, NULL), -PCV_ERESTART);
    assert_true(bus_is_held(&b));
    assert_int_equal(bus_wait_us(&b, CARD_0), 1000);
    assert_int_equal(bus_step(&b, CARD_0, true, NULL), -PCV_ERESTART);
    assert_true(bus_is_held(&b));
    pcv_model_advance_us(b.h.model, 1000);
    assert_int_equal(bus_step(&b, CARD_0, true, NULL), -PCV_ERESTART);
    assert_false(bus_is_held(&b));
    assert_int_equal(bus_wait_us(&b, CARD_0), 100000);
    assert_int_equal(bus_wait_us(&b, CARD_1), 100000);
    pcv_model_advance_us(b.h.model, 99999);
    assert_int_equal(bus_step(&b, CARD_0, true, NULL), -PCV_ERESTART);
    pcv_model_advance_us(b.h.model, 1);
    assert_int_equal(bus_change(&b, CARD_0, true, NULL), 0);
    assert_int_equal(bus_peek(&b, CARD_0, PCV_REG_BAR0, 4), CARD_BAR);
    assert_int_equal(b.args[PCV_EVENT_BUS_RESET][0], CARD_0.v);
    /* OWN-5: and of the function it is told how it was reset. */
    assert_int_equal(b.events[PCV_EVENT_CHANGE_RESET], 1);
    assert_int_equal(b.args[PCV_EVENT_CHANGE_RESET][0], PCV_RESET_BUS);
    bus_end(&b);
}

/* OWN-16: whoever was hit need not be reset again, and gets back what the host
 * programmed. */
static void what_was_hit_is_ready_for_its_next_owner(void **state)
{
    struct bus b;

    (void)state;
    bus_start(&b);
    bus_quarantine(&b, CARD_1);
    assert_int_equal(bus_change(&b, CARD_0, true, NULL), 0);
    assert_int_equal(bus_peek(&b, CARD_1, PCV_REG_BAR0, 4), 0);
    assert_int_equal(b.events[PCV_EVENT_BUS_RESET], 1);
    assert_int_equal(b.events[PCV_EVENT_CHANGE_RESET], 1);
    assert_int_equal(bus_change(&b, CARD_1, true, NULL), 0);
    assert_int_equal(b.events[PCV_EVENT_BUS_RESET], 1);
    assert_int_equal(b.events[PCV_EVENT_CHANGE_RESET], 2);
    assert_int_equal(bus_peek(&b, CARD_1, PCV_REG_BAR0, 4),
                     CARD_BAR + 0x10000u);
    /* Once it has had an owner, that is over. */
    b.events[PCV_EVENT_NO_RESET] = 0;
    assert_int_equal(bus_change(&b, CARD_1, false, NULL), -PCV_EBUSY);
    assert_int_equal(bus_owner(&b, CARD_1), PCV_DOMAIN_ID_QUARANTINE);
    bus_end(&b);
}

/* OWN-16: both come home, the second one's reset cleans the first. */
static void a_card_comes_home_function_by_function(void **state)
{
    struct bus b;

    (void)state;
    bus_start(&b);
    bus_give(&b, CARD_0);
    bus_give(&b, CARD_1);
    b.events[PCV_EVENT_NO_RESET] = 0;
    assert_int_equal(bus_change(&b, CARD_0, false, NULL), -PCV_EBUSY);
    assert_int_equal(b.args[PCV_EVENT_QUARANTINED][0], PCV_EBUSY);
    assert_int_equal(bus_owner(&b, CARD_0), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(bus_change(&b, CARD_1, false, NULL), 0);
    assert_int_equal(bus_change(&b, CARD_0, false, NULL), 0);
    assert_int_equal(b.events[PCV_EVENT_BUS_RESET], 1);
    assert_int_equal(b.events[PCV_EVENT_NO_RESET], 0);
    for (uint32_t i = 0; i < 2; i++) {
        const pcv_sbdf card = {CARD_0.v + i};

        assert_int_equal(bus_owner(&b, card), PCV_DOMAIN_ID_HARDWARE);
        assert_int_equal(bus_peek(&b, card, PCV_REG_BAR0, 4),
                         CARD_BAR + i * 0x10000u);
    }
    bus_end(&b);
}

/* OWN-11, OWN-16: of a guest that ends all comes home, and none of it is in the
 * way of the reset that the rest needs. */
static void a_card_comes_home_from_a_guest_that_ends(void **state)
{
    struct bus b;
    int error = -PCV_ERESTART;

    (void)state;
    bus_start(&b);
    bus_give(&b, CARD_0);
    bus_give(&b, CARD_1);
    b.events[PCV_EVENT_NO_RESET] = 0;
    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        pcv_model_advance_us(b.h.model, pcv_domain_wait_us(b.guest));
        error = pcv_domain_destroy(b.guest);
    }
    assert_int_equal(error, 0);
    assert_int_equal(b.events[PCV_EVENT_BUS_RESET], 1);
    assert_int_equal(b.events[PCV_EVENT_NO_RESET], 0);
    assert_int_equal(b.events[PCV_EVENT_QUARANTINED], 0);
    for (uint32_t i = 0; i < 2; i++) {
        const pcv_sbdf card = {CARD_0.v + i};

        assert_int_equal(bus_owner(&b, card), PCV_DOMAIN_ID_HARDWARE);
        assert_int_equal(bus_peek(&b, card, PCV_REG_BAR0, 4),
                         CARD_BAR + i * 0x10000u);
    }
    bus_end(&b);
}

/* OWN-11, OWN-16: it does not wait for what another guest has, which may have
 * it for ever. */
static void a_guest_that_ends_waits_for_no_other_guest(void **state)
{
    struct pcv_domain *other, *ending;
    struct bus b;
    int error = -PCV_ERESTART;

    (void)state;
    bus_start(&b);
    bus_give(&b, CARD_0);
    assert_int_equal(pcv_domain_create(b.h.host, GUEST + 1, &other), 0);
    ending = b.guest;
    b.guest = other;
    bus_give(&b, CARD_1);
    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        pcv_model_advance_us(b.h.model, pcv_domain_wait_us(ending));
        error = pcv_domain_destroy(ending);
    }
    assert_int_equal(error, 0);
    assert_int_equal(b.args[PCV_EVENT_QUARANTINED][0], PCV_EBUSY);
    assert_int_equal(bus_owner(&b, CARD_0), PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(bus_owner(&b, CARD_1), GUEST + 1);
    bus_end(&b);
}

/* OWN-16: the hardware domain's function stays where it is, so there is no way;
 * the return is allowed, and told. */
static void a_return_beside_the_hardware_domains_function_is_told(void **state)
{
    struct bus b;

    (void)state;
    bus_start(&b);
    bus_give(&b, CARD_0);
    b.events[PCV_EVENT_NO_RESET] = 0;
    assert_int_equal(bus_change(&b, CARD_0, false, NULL), 0);
    assert_int_equal(b.events[PCV_EVENT_NO_RESET], 1);
    assert_int_equal(b.args[PCV_EVENT_NO_RESET][0], 1);
    assert_int_equal(b.args[PCV_EVENT_NO_RESET][1], CARD_1.v);
    assert_int_equal(b.events[PCV_EVENT_BUS_RESET], 0);
    bus_end(&b);
}

/* OWN-16: what leaves and is still held is somebody's. */
static void what_leaves_is_in_the_way_until_it_is_gone(void **state)
{
    struct pcv_device *held;
    pcv_sbdf busy = {0};
    struct bus b;

    (void)state;
    bus_start(&b);
    held = hosted_hold(&b.h, CARD_1);
    assert_int_equal(pcv_device_remove(b.h.host, CARD_1, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(bus_reset(&b, CARD_0, &busy), -PCV_EBUSY);
    assert_int_equal(busy.v, CARD_1.v);
    pcv_device_put(held);
    assert_int_equal(bus_reset(&b, CARD_0, &busy), 0);
    bus_end(&b);
}

/* OWN-8, OWN-16 */
static void what_the_hypervisor_drives_is_in_the_way(void **state)
{
    pcv_sbdf busy = {0};
    struct bus b;

    (void)state;
    bus_start(&b);
    assert_int_equal(pcv_device_set_read_only(b.h.host, CARD_1), 0);
    assert_int_equal(bus_reset(&b, CARD_0, &busy), -PCV_EBUSY);
    assert_int_equal(busy.v, CARD_1.v);
    assert_int_equal(bus_reset(&b, CARD_1, NULL), -PCV_EPERM);
    bus_end(&b);
}

/* OWN-16: a reset that an owner's function had is none for its next owner. */
static void what_its_owner_had_since_is_not_clean(void **state)
{
    struct bus b;

    (void)state;
    bus_start(&b);
    bus_quarantine(&b, CARD_1);
    assert_int_equal(pcv_device_reset(b.h.host, CARD_0, NULL), -PCV_ERESTART);
    pcv_model_advance_us(b.h.model, 1000);
    assert_int_equal(pcv_device_reset(b.h.host, CARD_0, NULL), -PCV_ERESTART);
    pcv_model_advance_us(b.h.model, 100000);
    assert_int_equal(pcv_device_deassign(b.h.host, CARD_0), 0); /* given up */
    assert_int_equal(bus_change(&b, CARD_0, true, NULL), 0);
    assert_int_equal(b.events[PCV_EVENT_BUS_RESET], 2);
    /* Nor is what the first one took lost. */
    assert_int_equal(bus_peek(&b, CARD_0, PCV_REG_BAR0, 4), CARD_BAR);
    bus_end(&b);
}

/* ---- races and halves ------------------------------------------------------
 */

/* OWN-16: whoever began it is not heard of again. */
static void a_bus_is_let_go_though_nobody_calls_again(void **state)
{
    uint64_t wait = 0;
    struct bus b;

    (void)state;
    bus_start(&b);
    bus_quarantine(&b, CARD_1);
    assert_int_equal(bus_step(&b, CARD_0, true, NULL), -PCV_ERESTART);
    assert_true(bus_is_held(&b));
    assert_int_equal(pcv_host_work(b.h.host, &wait), 0);
    assert_int_equal(wait, 1000);
    pcv_model_advance_us(b.h.model, wait);
    assert_int_equal(pcv_host_work(b.h.host, &wait), -PCV_ERESTART);
    assert_false(bus_is_held(&b));
    assert_int_equal(pcv_host_work(b.h.host, &wait), 0);
    assert_int_equal(wait, 100000);
    pcv_model_advance_us(b.h.model, wait);
    assert_int_equal(pcv_host_work(b.h.host, &wait), -PCV_ERESTART);
    assert_int_equal(pcv_host_work(b.h.host, &wait), 0);
    assert_int_equal(wait, 0);
    assert_int_equal(bus_change(&b, CARD_0, true, NULL), 0);
    assert_int_equal(b.events[PCV_EVENT_BUS_RESET], 1);
    bus_end(&b);
}

/* OWN-16: two functions change their owners at once. One resets the bus, the
 * other waits for that and needs no more. */
static void two_functions_share_one_reset(void **state)
{
    int error[2] = {-PCV_ERESTART, -PCV_ERESTART};
    struct bus b;

    (void)state;
    bus_start(&b);
    bus_quarantine(&b, CARD_0);
    bus_quarantine(&b, CARD_1);
    b.events[PCV_EVENT_BUS_RESET] = 0;
    for (int i = 0; i < 100; i++) {
        for (uint32_t k = 0; k < 2; k++) {
            if (error[k] == -PCV_ERESTART) {
                error[k] = bus_step(&b, (pcv_sbdf){CARD_0.v + k}, true, NULL);
            }
        }
        pcv_model_advance_us(b.h.model, 1000);
    }
    assert_int_equal(error[0], 0);
    assert_int_equal(error[1], 0);
    assert_true(b.events[PCV_EVENT_BUS_RESET] <= 1);
    bus_end(&b);
}

/* OWN-16, LIFE-7, LIFE-12: nothing is added, or asked, on a bus in reset. */
static void nothing_is_added_on_a_bus_in_reset(void **state)
{
    struct pcv_scan scan = {0};
    struct bus b;

    (void)state;
    bus_start(&b);
    assert_int_equal(pcv_device_remove(b.h.host, CARD_1, NULL, NULL), 0);
    assert_int_equal(bus_step(&b, CARD_0, true, NULL), -PCV_ERESTART);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pcv_device_add(b.h.host, CARD_1, NULL), -PCV_ENODEV);
        assert_int_equal(hosted_read(&b.h, CARD_1, PCV_REG_VENDOR, 4),
                         0xffffffffu);
        memset(&scan, 0, sizeof(scan));
        assert_int_equal(pcv_host_scan(b.h.host, &scan, 0), 0);
        assert_int_equal(scan.found + scan.failed, 0);
        pcv_model_advance_us(b.h.model, 1000);
        assert_int_equal(bus_step(&b, CARD_0, true, NULL), -PCV_ERESTART);
    }
    pcv_model_advance_us(b.h.model, 100000);
    assert_int_equal(bus_change(&b, CARD_0, true, NULL), 0);
    assert_int_equal(pcv_device_add(b.h.host, CARD_1, NULL), 0);
    bus_end(&b);
}

/* OWN-16, TOPO-4: the port's bus numbers change when the reset is over. */
static void a_bus_in_reset_is_not_renumbered(void **state)
{
    struct pcv_access access = PCV_WRITE(PORT, PCV_REG_PRIMARY, 4, 0x00050500u);
    struct pcv_domain *hardware;
    struct bus b;

    (void)state;
    bus_start(&b);
    hardware = pcv_host_hardware_domain(b.h.host);
    bus_quarantine(&b, CARD_1);
    assert_int_equal(pcv_device_reset(b.h.host, CARD_0, NULL), -PCV_ERESTART);
    assert_int_equal(pcv_access(hardware, &access), PCV_PENDING);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(pcv_access_resume(hardware, &access), PCV_PENDING);
    }
    assert_int_equal(bus_peek(&b, PORT, PCV_REG_SECONDARY, 1), 1);
    /* Nobody else goes on with the reset. */
    pcv_model_advance_us(b.h.model, 1000);
    assert_int_equal(pcv_access_resume(hardware, &access), PCV_PENDING);
    assert_false(bus_is_held(&b));
    pcv_model_advance_us(b.h.model, 100000);
    for (int i = 0; i < 10; i++) {
        if (pcv_access_resume(hardware, &access) == PCV_DONE) {
            break;
        }
    }
    assert_int_equal(bus_peek(&b, PORT, PCV_REG_SECONDARY, 1), 5);
    assert_int_equal(bus_owner(&b, pcv_test_at(0, 5, 0, 1)),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(bus_reset(&b, pcv_test_at(0, 5, 0, 0), NULL), 0);
    assert_int_equal(bus_peek(&b, CARD_0, PCV_REG_BAR0, 4), CARD_BAR);
    assert_int_equal(b.events[PCV_EVENT_BUS_RESET], 1);
    bus_end(&b);
}

/* OWN-16: its driver is not told that the card was pulled. */
static void a_hot_plug_port_does_not_tell_of_the_reset(void **state)
{
    uint32_t control, status;
    struct bus b;

    (void)state;
    bus_start(&b);
    control = b.port_cap + PCV_PCIE_SLTCTL;
    status = b.port_cap + PCV_PCIE_SLTSTA;
    bus_quarantine(&b, CARD_1);
    assert_int_equal(bus_step(&b, CARD_0, true, NULL), -PCV_ERESTART);
    assert_int_equal(bus_peek(&b, PORT, control, 2) & SLOT_EVENTS_ON, 0);
    assert_int_equal(bus_peek(&b, PORT, status, 2),
                     PCV_PCIE_SLTSTA_PRESENT | PCV_PCIE_SLTSTA_LINK_CHANGED);
    assert_int_equal(bus_change(&b, CARD_0, true, NULL), 0);
    assert_int_equal(bus_peek(&b, PORT, control, 2), SLOT_EVENTS_ON);
    assert_int_equal(bus_peek(&b, PORT, status, 2), PCV_PCIE_SLTSTA_PRESENT);
    bus_end(&b);
}

/* OWN-16, LIFE-5, LIFE-9: with the bridge goes its reset. */
static void a_bridge_that_goes_lets_its_bus_go(void **state)
{
    struct bus b;

    (void)state;
    for (int vanishes = 0; vanishes < 2; vanishes++) {
        bus_start(&b);
        bus_quarantine(&b, CARD_1);
        assert_int_equal(bus_step(&b, CARD_0, true, NULL), -PCV_ERESTART);
        if (vanishes) {
            assert_int_equal(pcv_model_pull(b.h.model, PORT), 0);
            assert_int_equal(pcv_device_vanished(b.h.host, PORT), 0);
        }
        assert_int_equal(pcv_device_remove(b.h.host, PORT, NULL, NULL), 0);
        assert_int_equal(hosted_state(&b.h, CARD_0), PCV_STATE_ABSENT);
        pcv_model_set_clock(b.h.model, false);
        if (!vanishes) {
            assert_false(bus_is_held(&b));
        }
        assert_int_equal(pcv_host_destroy(b.h.host), 0);
        assert_int_equal(pcv_model_bytes(b.h.model), 0);
        pcv_model_destroy(b.h.model);
    }
}

/* OWN-16, PORT-3: whatever fails, the bus is let go in the end, and what was on
 * its way can be had later. */
static void a_failing_bus_reset_leaves_no_bus_in_reset(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write, PCV_MODEL_OP_alloc};

    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        for (uint64_t n = 1;; n++) {
            uint64_t before;
            bool failed;
            struct bus b;

            bus_start(&b);
            bus_quarantine(&b, CARD_1);
            before = pcv_model_calls(b.h.model, ops[i]);
            pcv_model_fail(b.h.model, ops[i], n);
            if (bus_change(&b, CARD_0, true, NULL) != 0) {
                pcv_model_fail(b.h.model, ops[i], 0);
                assert_int_equal(bus_change(&b, CARD_0, true, NULL), 0);
            }
            failed = pcv_model_calls(b.h.model, ops[i]) - before >= n;
            pcv_model_fail(b.h.model, ops[i], 0);
            assert_false(bus_is_held(&b));
            assert_int_equal(bus_peek(&b, CARD_0, PCV_REG_BAR0, 4), CARD_BAR);
            assert_int_equal(
                bus_peek(&b, PORT, b.port_cap + PCV_PCIE_SLTCTL, 2),
                SLOT_EVENTS_ON);
            bus_end(&b);
            if (!failed) {
                break;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bus_is_not_reset_under_who_uses_it),
        cmocka_unit_test(a_function_is_reset_with_its_bus_for_its_next_owner),
        cmocka_unit_test(what_was_hit_is_ready_for_its_next_owner),
        cmocka_unit_test(a_card_comes_home_function_by_function),
        cmocka_unit_test(a_card_comes_home_from_a_guest_that_ends),
        cmocka_unit_test(a_guest_that_ends_waits_for_no_other_guest),
        cmocka_unit_test(a_return_beside_the_hardware_domains_function_is_told),
        cmocka_unit_test(what_leaves_is_in_the_way_until_it_is_gone),
        cmocka_unit_test(what_the_hypervisor_drives_is_in_the_way),
        cmocka_unit_test(what_its_owner_had_since_is_not_clean),
        cmocka_unit_test(a_bus_is_let_go_though_nobody_calls_again),
        cmocka_unit_test(two_functions_share_one_reset),
        cmocka_unit_test(nothing_is_added_on_a_bus_in_reset),
        cmocka_unit_test(a_bus_in_reset_is_not_renumbered),
        cmocka_unit_test(a_hot_plug_port_does_not_tell_of_the_reset),
        cmocka_unit_test(a_bridge_that_goes_lets_its_bus_go),
        cmocka_unit_test(a_failing_bus_reset_leaves_no_bus_in_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

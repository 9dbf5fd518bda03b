/* SPDX-License-Identifier: MIT */
/* When a placeholder comes and goes (OWN-14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "placeholder_fixture.h"
#include "registry/internal.h"

/* OWN-14, OWN-5: no moment of a change of owner shows it as pulled, also while
 * it settles from its reset. */
static void a_function_is_seen_while_its_owner_changes(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    for (int back = 0; back < 2; back++) {
        int error = -PCV_ERESTART;
        unsigned calls = 0;

        make_card(&f);
        owned_start(&o, &f);
        if (back != 0) {
            owned_give(&o, NULL);
            o.owner = pcv_host_hardware_domain(o.h.host);
            o.at = OWNED_AT;
        }
        for (; error == -PCV_ERESTART; calls++) {
            error = back != 0 ? pcv_device_deassign(o.h.host, OWNED_AT)
                              : pcv_device_assign(o.h.host, OWNED_AT, o.guest,
                                                  NULL, NULL);
            assert_int_equal(owned_read(&o, PCV_REG_VENDOR, 4), 0x15338086);
            pcv_model_advance_us(o.h.model, owned_wait_us(&o));
        }
        assert_int_equal(error, 0);
        assert_true(calls > 1);
        owned_end(&o);
    }
}

/* OWN-14, LIFE-11: also while the accesses of another CPU leave it, however
 * long that takes; one that is given up is the hardware domain's as before. */
static void a_function_is_seen_while_accesses_leave_it(void **state)
{
    struct pcv_test_function f;
    struct pcv_device *inside;
    struct owned o;

    (void)state;
    make_card(&f);
    owned_start(&o, &f);
    assert_int_equal(pcv__gate_enter(o.owner, OWNED_AT, &inside), PCV_DONE);
    assert_int_equal(pcv_device_assign(o.h.host, OWNED_AT, o.guest, NULL, NULL),
                     -PCV_ERESTART);
    assert_int_equal(owned_read(&o, PCV_REG_VENDOR, 4), 0x15338086);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), PCV_CMD_PARITY);
    pcv__gate_leave(inside);
    assert_int_equal(pcv_device_deassign(o.h.host, OWNED_AT), 0);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2) & PCV_CMD_MASTER,
                     PCV_CMD_MASTER);
    owned_end(&o);
}

/* OWN-14: also one that is nobody's, since a step of its assignment failed. */
static void a_function_in_quarantine_is_seen(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make_card(&f);
    owned_start(&o, &f);
    pcv_model_fail(o.h.model, PCV_MODEL_OP_dma_attach, 2);
    assert_int_equal(owned_change(&o, true, NULL), -PCV_EIO);
    assert_int_equal(hosted_status(&o.h, OWNED_AT).owner_id,
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(owned_read(&o, PCV_REG_VENDOR, 4), 0x15338086);
    assert_int_equal(owned_read(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), PCV_CMD_PARITY);
    owned_take(&o);
    assert_int_equal(owned_read(&o, PCV_REG_VENDOR, 4), 0x15338086);
    owned_end(&o);
}

/* OWN-14: on its return it is as after a reset: off, and where the host had
 * it; then writes have their effect again. */
static void on_its_return_a_function_is_as_after_a_reset(void **state)
{
    struct owned o;

    (void)state;
    begin(&o);
    owned_write(&o, PCV_REG_BAR0, 4, 0xffffffff);
    owned_take(&o);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), PCV_CMD_PARITY);
    assert_int_equal(owned_read(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    owned_write(&o, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), PCV_CMD_MEMORY);
    assert_true(owned_mapped(&o));
    owned_end(&o);
}

/* OWN-14, LIFE-9: what was pulled is not shown any more. */
static void what_vanished_has_no_placeholder(void **state)
{
    struct owned o;

    (void)state;
    begin(&o);
    assert_int_equal(pcv_device_vanished(o.h.host, OWNED_AT), 0);
    assert_true(owned_absent(&o));
    assert_int_equal(pcv_device_remove(o.h.host, OWNED_AT, NULL, NULL), 0);
    owned_end(&o);
}

/* SRIOV-3, OWN-14: the hardware domain's own that settles from a reset is
 * absent for that time, beside others' placeholders, and says so as ever. */
static void what_settles_is_not_taken_for_anothers(void **state)
{
    const pcv_sbdf other = pcv_test_at(0, 0, 6, 0);
    struct pcv_access flr, read;
    struct pcv_test_function f;
    struct pcv_domain *guest;
    struct hosted h;
    int error = -PCV_ERESTART;

    (void)state;
    hosted_build(&h);
    make_card(&f);
    pcv_test_add(h.model, &f, OWNED_AT);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    pcv_test_add(h.model, &f, other);
    hosted_start(&h);
    hosted_scan(&h);
    assert_int_equal(pcv_domain_create(h.host, 7, &guest), 0);
    for (int i = 0; i < 10 && error == -PCV_ERESTART; i++) {
        error = pcv_device_assign(h.host, OWNED_AT, guest, NULL, NULL);
    }
    assert_int_equal(error, 0);
    pcv_model_set_clock(h.model, true);
    flr = PCV_WRITE(other, pcie + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &flr),
                     PCV_PENDING);
    assert_int_equal(pcv_access_resume(pcv_host_hardware_domain(h.host), &flr),
                     PCV_DONE);
    read = PCV_READ(other, PCV_REG_COMMAND, 2);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &read),
                     PCV_ABSENT);
    assert_int_equal(read.data, 0xffff);
    hosted_end(&h);
}

/* OWN-14, PORT-3: without memory for it the function stays where it is. */
static void without_a_placeholder_nothing_is_given_away(void **state)
{
    struct pcv_test_function f;
    unsigned refused = 0;

    (void)state;
    for (uint64_t nth = 1; nth < 20; nth++) {
        struct owned o;
        int error;

        make_card(&f);
        owned_start(&o, &f);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_alloc, nth);
        error = owned_change(&o, true, NULL);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_alloc, 0);
        if (error != 0 &&
            hosted_status(&o.h, OWNED_AT).owner_id == PCV_DOMAIN_ID_HARDWARE) {
            assert_int_equal(error, -PCV_ENOMEM);
            assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2) & 7u, 7);
            refused++;
        }
        o.owner = pcv_host_hardware_domain(o.h.host);
        o.at = OWNED_AT;
        assert_int_equal(owned_read(&o, PCV_REG_VENDOR, 4), 0x15338086);
        owned_end(&o);
    }
    assert_true(refused >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_is_seen_while_its_owner_changes),
        cmocka_unit_test(a_function_is_seen_while_accesses_leave_it),
        cmocka_unit_test(a_function_in_quarantine_is_seen),
        cmocka_unit_test(on_its_return_a_function_is_as_after_a_reset),
        cmocka_unit_test(what_vanished_has_no_placeholder),
        cmocka_unit_test(what_settles_is_not_taken_for_anothers),
        cmocka_unit_test(without_a_placeholder_nothing_is_given_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

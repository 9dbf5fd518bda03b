/* SPDX-License-Identifier: MIT */
/* Functions that were reset behind their owner's back (MSI-3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resettable.h"

/* ---- resets that nobody told us of -----------------------------------------
 */

/* The function loses what stands in it. */
static void lose(struct owned *o)
{
    assert_int_equal(pcv_model_pull(o->h.model, OWNED_AT), 0);
    assert_int_equal(pcv_model_plug(o->h.model, OWNED_AT), 0);
    assert_int_equal(owned_peek(o, PCV_REG_BAR0, 4), 0);
}

/* MSI-3 */
static void a_guest_gets_back_what_was_lost_behind_its_back(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR | HAS_PM);
    owned_give(&o, NULL);
    owned_switch_on(&o);
    owned_msi_on(&o, msi);
    lose(&o);
    assert_false(owned_msi_works(&o));
    assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    assert_int_equal(owned_peek(&o, PCV_REG_COMMAND, 2) &
                         (PCV_CMD_MEMORY | PCV_CMD_MASTER),
                     PCV_CMD_MEMORY | PCV_CMD_MASTER);
    assert_true(owned_msi_works(&o));
    assert_true(owned_mapped(&o));
    /* It may be called for nothing. */
    assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
    assert_true(owned_msi_works(&o));
    /* Not while it must be left alone. */
    flr(&o);
    assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), -PCV_ERESTART);
    pcv_model_advance_us(o.h.model, 100000);
    assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
    owned_end(&o);
}

/* MSI-3, PM-1 */
static void a_sleeping_function_sleeps_on_and_wakes_whole(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR | HAS_PM | HAS_NO_SOFT_RESET);
    owned_give(&o, NULL);
    owned_switch_on(&o);
    owned_msi_on(&o, msi);
    owned_write(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2, PCV_PM_D3HOT);
    lose(&o);
    assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
    assert_int_equal(owned_read(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2) &
                         PCV_PM_STATE,
                     PCV_PM_D3HOT);
    assert_false(owned_mapped(&o));
    owned_write(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2, PCV_PM_D0);
    owned_settles(&o, 10000);
    assert_true(owned_mapped(&o));
    assert_true(owned_msi_works(&o));
    owned_end(&o);
}

/* MSI-3: the hardware domain has written the rest itself. */
static void the_hardware_domain_gets_its_messages_back(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    owned_msi_on(&o, msi);
    assert_true(owned_msi_works(&o));
    lose(&o);
    pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_BAR0, 4, OWNED_BAR);
    pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_COMMAND, 2,
                   PCV_CMD_MEMORY | PCV_CMD_MASTER);
    assert_false(owned_msi_works(&o));
    assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
    assert_true(owned_msi_works(&o));
    assert_true(owned_mapped(&o));
    owned_end(&o);
}

/* MSI-3, PORT-3 */
static void a_restore_that_fails_says_so(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct owned o;
        uint64_t before;
        bool failed;
        int error;

        start(&o, HAS_FLR);
        owned_give(&o, NULL);
        owned_switch_on(&o);
        lose(&o);
        before = pcv_model_calls(o.h.model, PCV_MODEL_OP_cfg_read);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, n);
        error = pcv_device_restore(o.h.host, OWNED_AT);
        failed =
            pcv_model_calls(o.h.model, PCV_MODEL_OP_cfg_read) - before >= n;
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, 0);
        assert_int_equal(error, failed ? -PCV_EIO : 0);
        assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
        assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
        owned_end(&o);
        if (!failed) {
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_gets_back_what_was_lost_behind_its_back),
        cmocka_unit_test(a_sleeping_function_sleeps_on_and_wakes_whole),
        cmocka_unit_test(the_hardware_domain_gets_its_messages_back),
        cmocka_unit_test(a_restore_that_fails_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

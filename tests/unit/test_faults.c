/* SPDX-License-Identifier: MIT */
/* IOMMU faults of a function, and what its owner sees of it (OWN-10). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faults_fixture.h"

#define WINDOW PCV_FAULTS_WINDOW_US

/* A guest's function that masters the bus, or the hardware domain's. */
static void start_mastering(struct owned *o, bool guest)
{
    start(o, HAS_FLR | HAS_PM);
    if (guest) {
        owned_give(o, NULL);
    }
    switch_on(o);
    assert_true(masters(o));
    owned_forget(o);
}

/* ---- counting -------------------------------------------------------------
 */

/* OWN-10 */
static void each_fault_counts_until_there_are_too_many(void **state)
{
    struct pcv_device_faults faults;
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    for (uint32_t i = 1; i < PCV_FAULTS_THRESHOLD; i++) {
        assert_false(faults_tell(o.h.host, OWNED_AT, 1));
        faults = faults_of(o.h.host, OWNED_AT);
        assert_int_equal(faults.count, i);
        assert_false(faults.excess || faults.cut || faults.due);
    }
    assert_true(reads_master(&o) && masters(&o));
    assert_true(faults_tell(o.h.host, OWNED_AT, 1));
    faults = faults_of(o.h.host, OWNED_AT);
    assert_int_equal(faults.threshold, PCV_FAULTS_THRESHOLD);
    assert_int_equal(faults.window_us, WINDOW);
    assert_true(faults.excess && faults.cut && faults.due);
    owned_end(&o);
}

/* OWN-10: the window decays. */
static void what_was_counted_is_halved_with_each_window(void **state)
{
    static const uint32_t left[] = {9, 4, 2, 1, 0, 0};
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    (void)faults_tell(o.h.host, OWNED_AT, 9);
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        assert_int_equal(faults_of(o.h.host, OWNED_AT).count, left[i]);
        pcv_model_advance_us(o.h.model, WINDOW);
    }
    owned_end(&o);
}

/* OWN-10: so a driver that slips now and then is never cut. */
static void faults_that_come_slowly_are_never_too_many(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    for (int i = 0; i < 2000; i++) {
        assert_false(faults_tell(o.h.host, OWNED_AT, 4));
        pcv_model_advance_us(o.h.model, WINDOW);
    }
    assert_true(masters(&o));
    owned_end(&o);
}

/* OWN-10: numbers of windows come again; only a silence of exactly that long
 * could be taken for none. */
static void a_long_silence_is_no_storm(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    (void)faults_tell(o.h.host, OWNED_AT, 9);
    pcv_model_advance_us(o.h.model, (uint64_t)WINDOW * 1000);
    assert_int_equal(faults_of(o.h.host, OWNED_AT).count, 0);
    pcv_model_advance_us(o.h.model, (uint64_t)WINDOW * 31);
    assert_false(faults_tell(o.h.host, OWNED_AT, 1));
    owned_end(&o);
}

/* OWN-10: the host says how many are too many. */
static void limits_are_the_hosts(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    assert_int_equal(pcv_host_set_faults(NULL, 1, 1), -PCV_EINVAL);
    assert_int_equal(pcv_host_set_faults(o.h.host, 1, 0), -PCV_EINVAL);
    assert_int_equal(pcv_host_set_faults(o.h.host, 64, 1), -PCV_EINVAL);
    assert_int_equal(faults_of(o.h.host, OWNED_AT).threshold,
                     PCV_FAULTS_THRESHOLD);
    assert_int_equal(pcv_host_set_faults(o.h.host, 0, 1), 0);
    assert_false(faults_tell(o.h.host, OWNED_AT, 1000));
    assert_int_equal(faults_of(o.h.host, OWNED_AT).count, 0);
    assert_int_equal(pcv_host_set_faults(o.h.host, 63, UINT32_MAX), 0);
    assert_int_equal(faults_of(o.h.host, OWNED_AT).window_us, 1ull << 32);
    assert_false(faults_tell(o.h.host, OWNED_AT, 62));
    assert_true(faults_tell(o.h.host, OWNED_AT, 1));
    assert_int_equal(faults_of(o.h.host, OWNED_AT).count, 63);
    owned_end(&o);
}

/* OWN-10 */
static void a_threshold_of_one_is_the_first_fault(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    assert_int_equal(pcv_host_set_faults(o.h.host, 1, 1000), 0);
    assert_true(faults_tell(o.h.host, OWNED_AT, 1));
    assert_int_equal(faults_of(o.h.host, OWNED_AT).window_us, 1024);
    faults_work(o.h.host);
    assert_false(masters(&o));
    owned_end(&o);
}

/* ---- cut --------------------------------------------------------------------
 */

/* OWN-10: nothing is asked of the host in an interrupt, and a storm adds
 * nothing. */
static void the_fault_itself_touches_nothing(void **state)
{
    struct owned o;
    uint64_t calls;

    (void)state;
    start_mastering(&o, true);
    calls = hosted_calls(&o.h);
    assert_true(faults_tell(o.h.host, OWNED_AT, 100000));
    assert_int_equal(hosted_calls(&o.h), calls);
    assert_int_equal(o.events[PCV_EVENT_FAULTS], 0);
    assert_true(masters(&o));
    owned_end(&o);
}

/* OWN-10: in the device and in what the owner reads, once, with an event; and
 * it stays off whatever the owner writes. Decoding and INTx are the owner's as
 * before. */
static void a_storm_cuts_its_owners_bus_mastering(void **state)
{
    for (int guest = 0; guest < 2; guest++) {
        struct owned o;

        (void)state;
        start_mastering(&o, guest != 0);
        assert_true(faults_storm(o.h.host, OWNED_AT));
        assert_false(reads_master(&o)); /* at once */
        faults_work(o.h.host);
        assert_false(masters(&o));
        assert_int_equal(o.events[PCV_EVENT_FAULTS], 1);
        assert_int_equal(o.args[PCV_EVENT_FAULTS],
                         NOWHERE + PCV_FAULTS_THRESHOLD - 1);
        owned_write(&o, PCV_REG_COMMAND, 2, 0);
        owned_write(&o, PCV_REG_COMMAND, 2,
                    PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_INTX_OFF);
        assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2),
                         PCV_CMD_MEMORY | PCV_CMD_INTX_OFF);
        owned_write(&o, PCV_REG_COMMAND, 1, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        owned_write(&o, PCV_REG_COMMAND, 4, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        assert_false(reads_master(&o) || masters(&o));
        assert_int_equal(pcv_model_dma(o.h.model, OWNED_AT, 0, true, NULL),
                         -PCV_EPERM);
        (void)faults_tell(o.h.host, OWNED_AT, 100);
        faults_work(o.h.host);
        assert_int_equal(o.events[PCV_EVENT_FAULTS], 1);
        owned_end(&o);
    }
}

/* OWN-10: nothing of it is undone by time. */
static void it_stays_cut_for_ever(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    cut(&o);
    for (int i = 0; i < 1100; i++) {
        pcv_model_advance_us(o.h.model, WINDOW);
        (void)faults_tell(o.h.host, OWNED_AT, 1);
    }
    switch_on(&o);
    assert_true(faults_of(o.h.host, OWNED_AT).cut);
    assert_false(reads_master(&o) || masters(&o));
    owned_end(&o);
}

/* OWN-10, MSI-1: a message is a write like any other. */
static void messages_stop_with_it(void **state)
{
    struct pcv_model_message message;
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    owned_write(&o, (uint16_t)(msi + 4u), 4, OWNED_DOORBELL);
    owned_write(&o, (uint16_t)(msi + 8u), 2, 0x40);
    owned_write(&o, (uint16_t)(msi + 2u), 2, 1);
    assert_int_equal(pcv_model_raise(o.h.model, OWNED_AT, false, 0, &message),
                     PCV_MODEL_DELIVERED);
    cut(&o);
    assert_int_equal(pcv_model_raise(o.h.model, OWNED_AT, false, 0, &message),
                     PCV_MODEL_NO_MASTER);
    owned_end(&o);
}

/* OWN-10, CFG-10: whoever resumes an access does the host's work, too. */
static void a_resume_does_the_work(void **state)
{
    struct pcv_access access;
    struct owned o;

    (void)state;
    start_mastering(&o, false);
    assert_true(faults_storm(o.h.host, OWNED_AT));
    access = PCV_WRITE(o.at, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_int_equal(owned_try(&o, &access), PCV_DONE);
    assert_int_equal(o.events[PCV_EVENT_FAULTS], 1);
    assert_false(masters(&o));
    owned_end(&o);
}

/* OWN-10, HDR-9: a command that waits for its mapping is no way around. */
static void a_mapping_under_way_brings_nothing_back(void **state)
{
    struct pcv_access access;
    enum pcv_verdict verdict;
    struct owned o;

    (void)state;
    start_mastering(&o, false);
    owned_write(&o, PCV_REG_COMMAND, 2, 0);
    pcv_model_set_map_chunk(o.h.model, 1);
    access =
        PCV_WRITE(o.at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    assert_int_equal(pcv_access(o.owner, &access), PCV_PENDING);
    assert_true(faults_storm(o.h.host, OWNED_AT));
    assert_false(reads_master(&o));
    do {
        verdict = pcv_access_resume(o.owner, &access);
    } while (verdict == PCV_PENDING);
    assert_int_equal(verdict, PCV_DONE);
    faults_work(o.h.host);
    assert_false(reads_master(&o) || masters(&o));
    owned_end(&o);
}

/* ---- until ------------------------------------------------------------------
 */

/* OWN-10, PCIE-1: until reset, by the owner through vPCI. */
static void the_owners_reset_ends_it(void **state)
{
    for (int guest = 0; guest < 2; guest++) {
        struct owned o;

        (void)state;
        start_mastering(&o, guest != 0);
        cut(&o);
        flr(&o);
        pcv_model_advance_us(o.h.model, owned_wait_us(&o));
        assert_false(faults_of(o.h.host, OWNED_AT).excess);
        assert_int_equal(faults_of(o.h.host, OWNED_AT).count, 0);
        assert_false(reads_master(&o));
        switch_on(&o);
        assert_true(reads_master(&o) && masters(&o));
        cut(&o);
        assert_int_equal(o.events[PCV_EVENT_FAULTS], 2);
        owned_end(&o);
    }
}

/* OWN-10, SRIOV-3: what the IOMMU tells late, of before the reset. */
static void faults_while_it_is_being_reset_do_not_count(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    flr(&o);
    assert_false(faults_tell(o.h.host, OWNED_AT, 1000));
    assert_int_equal(faults_of(o.h.host, OWNED_AT).count, 0);
    pcv_model_advance_us(o.h.model, owned_wait_us(&o));
    assert_true(faults_storm(o.h.host, OWNED_AT));
    owned_end(&o);
}

/* OWN-10, OWN-16, PM-1: for the hardware domain waking up is a reset, and a
 * guest gets back what it had, and no more. */
static void waking_up_is_a_reset_where_it_forgets(void **state)
{
    for (int guest = 0; guest < 2; guest++) {
        struct owned o;

        (void)state;
        start_mastering(&o, guest != 0);
        cut(&o);
        owned_write(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2, PCV_PM_D3HOT);
        pcv_model_advance_us(o.h.model, 10000);
        owned_write(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2, PCV_PM_D0);
        pcv_model_advance_us(o.h.model, 10000);
        switch_on(&o);
        assert_int_equal(reads_master(&o), guest == 0);
        assert_int_equal(masters(&o), guest == 0);
        owned_end(&o);
    }
}

/* OWN-10, HDR-16: a reset behind everybody's back, as soon as it is seen. */
static void a_reset_that_is_seen_ends_it(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, false);
    cut(&o);
    pcv_model_poke(o.h.model, OWNED_AT, PCV_REG_COMMAND, 2, 0);
    switch_on(&o);
    assert_int_equal(o.events[PCV_EVENT_RESET_SEEN], 1);
    assert_true(reads_master(&o) && masters(&o));
    owned_end(&o);
}

/* OWN-10, MSI-3: one that the host says there was. */
static void a_restore_ends_it(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    cut(&o);
    assert_int_equal(pcv_device_restore(o.h.host, OWNED_AT), 0);
    assert_false(reads_master(&o) || masters(&o));
    switch_on(&o);
    assert_true(reads_master(&o) && masters(&o));
    owned_end(&o);
}

/* OWN-10, OWN-6: the next owner begins anew, whichever way it goes. */
static void another_owner_ends_it(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, false);
    cut(&o);
    owned_give(&o, NULL);
    assert_int_equal(faults_of(o.h.host, OWNED_AT).count, 0);
    assert_false(reads_master(&o) || masters(&o));
    switch_on(&o);
    assert_true(reads_master(&o) && masters(&o));
    (void)faults_tell(o.h.host, OWNED_AT, 9);
    owned_take(&o);
    assert_int_equal(faults_of(o.h.host, OWNED_AT).count, 0);
    switch_on(&o);
    assert_true(masters(&o));
    owned_end(&o);
}

/* OWN-10, OWN-16: also where the function cannot be reset. */
static void another_owner_ends_it_without_a_reset(void **state)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_NO_RESET};
    struct owned o;

    (void)state;
    start(&o, 0);
    switch_on(&o);
    cut(&o);
    owned_give(&o, &policy);
    assert_false(faults_of(o.h.host, OWNED_AT).excess);
    switch_on(&o);
    assert_true(masters(&o));
    owned_end(&o);
}

/* OWN-10: work that is left of an earlier owner is not the next one's. */
static void work_that_came_too_late_is_nobodys(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    assert_true(faults_storm(o.h.host, OWNED_AT));
    owned_take(&o);
    switch_on(&o);
    faults_work(o.h.host);
    assert_true(reads_master(&o) && masters(&o));
    assert_int_equal(o.events[PCV_EVENT_FAULTS], 0);
    owned_end(&o);
}

/* OWN-10: an administrator may forget; the owner has to switch it on again. */
static void an_administrator_may_forget_them(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    cut(&o);
    assert_int_equal(pcv_device_clear_faults(o.h.host, OWNED_AT), 0);
    assert_false(reads_master(&o) || masters(&o));
    switch_on(&o);
    assert_true(reads_master(&o) && masters(&o));
    cut(&o);
    assert_int_equal(o.events[PCV_EVENT_FAULTS], 2);
    owned_end(&o);
}

/* OWN-10: no questions about what is not there. */
static void a_function_that_is_not_there_has_none(void **state)
{
    struct pcv_device_faults faults = {.count = 77};
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    assert_int_equal(
        pcv_device_faults(o.h.host, pcv_test_at(0, 0, 9, 0), &faults),
        -PCV_ENODEV);
    assert_int_equal(pcv_device_faults(NULL, OWNED_AT, &faults), -PCV_EINVAL);
    assert_int_equal(pcv_device_faults(o.h.host, OWNED_AT, NULL), -PCV_EINVAL);
    assert_int_equal(faults.count, 77);
    assert_int_equal(pcv_device_clear_faults(o.h.host, pcv_test_at(0, 0, 9, 0)),
                     -PCV_ENODEV);
    assert_int_equal(pcv_device_clear_faults(NULL, OWNED_AT), -PCV_EINVAL);
    owned_end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_counts_until_there_are_too_many),
        cmocka_unit_test(what_was_counted_is_halved_with_each_window),
        cmocka_unit_test(faults_that_come_slowly_are_never_too_many),
        cmocka_unit_test(a_long_silence_is_no_storm),
        cmocka_unit_test(limits_are_the_hosts),
        cmocka_unit_test(a_threshold_of_one_is_the_first_fault),
        cmocka_unit_test(the_fault_itself_touches_nothing),
        cmocka_unit_test(a_storm_cuts_its_owners_bus_mastering),
        cmocka_unit_test(it_stays_cut_for_ever),
        cmocka_unit_test(messages_stop_with_it),
        cmocka_unit_test(a_resume_does_the_work),
        cmocka_unit_test(a_mapping_under_way_brings_nothing_back),
        cmocka_unit_test(the_owners_reset_ends_it),
        cmocka_unit_test(faults_while_it_is_being_reset_do_not_count),
        cmocka_unit_test(waking_up_is_a_reset_where_it_forgets),
        cmocka_unit_test(a_reset_that_is_seen_ends_it),
        cmocka_unit_test(a_restore_ends_it),
        cmocka_unit_test(another_owner_ends_it),
        cmocka_unit_test(another_owner_ends_it_without_a_reset),
        cmocka_unit_test(work_that_came_too_late_is_nobodys),
        cmocka_unit_test(an_administrator_may_forget_them),
        cmocka_unit_test(a_function_that_is_not_there_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * IOMMU faults on hosts that fail or lack something (OWN-10, PORT-3): writes
 * that do not go through, no clock, no list of what is in use; and hosts that
 * give no guest a function's DMA (OWN-4, OWN-5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faults_fixture.h"

#define RMRR UINT64_C(0x7f000000)

static void start_mastering(struct owned *o, bool guest)
{
    start(o, HAS_FLR | HAS_PM);
    if (guest) {
        owned_give(o, NULL);
    }
    switch_on(o);
    owned_forget(o);
}

static int work(struct owned *o, uint64_t *out_wait_us)
{
    *out_wait_us = 77;
    return pcv_host_work(o->h.host, out_wait_us);
}

/* PORT-3: the owner sees it cut, and hardware is tried again, some time later.
 * The event comes when it is off. */
static void what_the_host_cannot_write_is_tried_again(void **state)
{
    static const enum pcv_model_op ops[] = {PCV_MODEL_OP_cfg_read,
                                            PCV_MODEL_OP_cfg_write};

    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        struct owned o;
        uint64_t wait_us;

        start_mastering(&o, i == 0);
        assert_true(faults_storm(o.h.host, OWNED_AT));
        pcv_model_fail(o.h.model, ops[i], 1);
        assert_int_equal(work(&o, &wait_us), 0);
        if (ops[i] == PCV_MODEL_OP_cfg_read) {
            assert_int_equal(wait_us, 10000);
            assert_int_equal(o.events[PCV_EVENT_FAULTS], 0);
            assert_true(masters(&o));
            assert_true(faults_of(o.h.host, OWNED_AT).due);
            assert_false(reads_master(&o));
        } else {
            assert_int_equal(wait_us, 0); /* a write is tried twice at once */
        }
        faults_work(o.h.host);
        assert_false(masters(&o));
        assert_int_equal(o.events[PCV_EVENT_FAULTS], 1);
        owned_end(&o);
    }
}

static struct {
    unsigned writes; /* of the command register that fail yet */
} failing;

static int fail_command(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                        uint32_t value)
{
    if (reg == PCV_REG_COMMAND && failing.writes != 0) {
        failing.writes--;
        return -PCV_EIO;
    }
    return pcv_model_ops()->cfg_write(ctx, sbdf, reg, size, value);
}

/* PORT-3: for as long as the host fails. */
static void a_write_that_fails_twice_is_tried_later(void **state)
{
    struct pcv_test_function f;
    struct hosted h;
    uint64_t wait_us;

    (void)state;
    hosted_build(&h);
    h.ops.cfg_write = fail_command;
    pcv_test_endpoint(&f, 0x1234, 0x5678);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_add(h.model, &f, OWNED_AT);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 1);
    pcv_model_set_clock(h.model, true);
    assert_true(faults_storm(h.host, OWNED_AT));
    failing.writes = 6;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pcv_host_work(h.host, &wait_us), 0);
        assert_int_equal(wait_us, 10000);
        assert_true(faults_of(h.host, OWNED_AT).due);
    }
    faults_work(h.host);
    assert_int_equal(pcv_model_peek(h.model, OWNED_AT, PCV_REG_COMMAND, 2), 0);
    assert_false(faults_of(h.host, OWNED_AT).due);
    hosted_end(&h);
}

/* SRIOV-3: it must be left alone for a time, here since it wakes up. Work says
 * how long, and asks nothing of it before. */
static void one_that_must_be_left_alone_is_cut_later(void **state)
{
    struct owned o;
    uint64_t wait_us;

    (void)state;
    start(&o, HAS_FLR | HAS_PM);
    owned_give(&o, NULL);
    owned_write(&o, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    owned_forget(&o);
    assert_true(faults_storm(o.h.host, OWNED_AT));
    owned_write(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2, PCV_PM_D3HOT);
    owned_write(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2, PCV_PM_D0);
    assert_int_equal(work(&o, &wait_us), 0);
    assert_int_equal(wait_us, 10000);
    assert_int_equal(o.events[PCV_EVENT_FAULTS], 0);
    pcv_model_advance_us(o.h.model, wait_us);
    faults_work(o.h.host);
    assert_false(masters(&o) || reads_master(&o));
    assert_int_equal(o.events[PCV_EVENT_FAULTS], 1);
    owned_end(&o);
}

/* LIFE-9: all ones alone never mean that it is off for good. */
static void one_that_does_not_answer_is_off_when_it_comes_back(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, true);
    assert_true(faults_storm(o.h.host, OWNED_AT));
    assert_int_equal(pcv_model_set_dead(o.h.model, OWNED_AT, true), 0);
    faults_work(o.h.host);
    assert_int_equal(pcv_model_set_dead(o.h.model, OWNED_AT, false), 0);
    switch_on(&o);
    assert_false(masters(&o) || reads_master(&o));
    owned_end(&o);
}

/* PORT-1: without a clock nothing fades, and nothing is waited for. */
static void without_a_clock_faults_count_from_reset_to_reset(void **state)
{
    struct pcv_test_function f;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    h.ops.now_us = NULL;
    h.ops.function_flags = NULL;
    make(&f, HAS_FLR);
    pcv_test_add(h.model, &f, OWNED_AT);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 1);
    assert_false(faults_tell(h.host, OWNED_AT, 9));
    assert_int_equal(faults_of(h.host, OWNED_AT).count, 9);
    assert_true(faults_tell(h.host, OWNED_AT, 1));
    faults_work(h.host);
    assert_int_equal(pcv_model_peek(h.model, OWNED_AT, PCV_REG_COMMAND, 2) &
                         PCV_CMD_MASTER,
                     0);
    hosted_end(&h);
}

/* OWN-5, OWN-10: a step of a change of owner failed, and the function is the
 * hardware domain's as before: cut as before. */
static void what_is_put_back_is_not_let_go(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, false);
    assert_true(faults_storm(o.h.host, OWNED_AT));
    pcv_model_fail(o.h.model, PCV_MODEL_OP_dma_attach, 1);
    assert_int_equal(owned_change(&o, true, NULL), -PCV_EIO);
    faults_work(o.h.host);
    assert_false(masters(&o) || reads_master(&o));
    assert_true(faults_of(o.h.host, OWNED_AT).cut);
    owned_end(&o);
}

static struct hosted *beside;

/* A storm, and the work, while a change of owner has silenced the function. */
static int storm_and_refuse(void *ctx, pcv_sbdf requester, uint32_t domain_id)
{
    if (!beside || domain_id != PCV_DOMAIN_ID_QUARANTINE) {
        return pcv_model_ops()->dma_attach(ctx, requester, domain_id);
    }
    assert_true(faults_storm(beside->host, requester));
    faults_work(beside->host);
    beside = NULL;
    return -PCV_EIO;
}

/* OWN-5, OWN-10: what it had on before is put back without bus mastering. */
static void one_that_is_cut_in_between_is_put_back_cut(void **state)
{
    struct pcv_test_function f;
    struct pcv_domain *guest;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    h.ops.dma_attach = storm_and_refuse;
    make(&f, HAS_FLR);
    pcv_test_add(h.model, &f, OWNED_AT);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 1);
    pcv_model_set_clock(h.model, true);
    assert_int_equal(pcv_domain_create(h.host, 7, &guest), 0);
    beside = &h;
    assert_int_equal(pcv_device_assign(h.host, OWNED_AT, guest, NULL, NULL),
                     -PCV_EIO);
    assert_int_equal(hosted_status(&h, OWNED_AT).owner_id,
                     PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(pcv_model_peek(h.model, OWNED_AT, PCV_REG_COMMAND, 2),
                     PCV_CMD_MEMORY | PCV_CMD_PARITY);
    hosted_end(&h);
}

/* ---- who may have its DMA ---------------------------------------------------
 */

static uint32_t owner_of(struct owned *o)
{
    return hosted_status(&o->h, OWNED_AT).owner_id;
}

/* OWN-4: refused before anything changes; by the host's word, or its failure.
 */
static void a_function_with_reserved_memory_is_no_guests(void **state)
{
    struct owned o;

    (void)state;
    start_mastering(&o, false);
    assert_int_equal(pcv_model_reserve_dma(o.h.model, OWNED_AT, RMRR, 4096), 0);
    assert_int_equal(owned_change(&o, true, NULL), -PCV_EPERM);
    assert_int_equal(owner_of(&o), PCV_DOMAIN_ID_HARDWARE);
    assert_true(masters(&o));
    assert_int_equal(owned_touched(&o, PCV_REG_COMMAND, true), 0);
    assert_int_equal(pcv_model_dma(o.h.model, OWNED_AT, RMRR, true, NULL), 0);
    assert_int_equal(pcv_model_reserve_dma(o.h.model, OWNED_AT, 0, 0), 0);
    pcv_model_fail(o.h.model, PCV_MODEL_OP_dma_permitted, 1);
    assert_int_equal(owned_change(&o, true, NULL), -PCV_EIO);
    assert_int_equal(owner_of(&o), PCV_DOMAIN_ID_HARDWARE);
    assert_true(masters(&o));
    assert_int_equal(owned_change(&o, true, NULL), 0);
    owned_end(&o);
}

static struct {
    uint64_t step, error;
    unsigned told;
} quarantined;

static void see_quarantine(void *arg, const struct pcv_event *event)
{
    (void)arg;
    if (event->kind == PCV_EVENT_QUARANTINED) {
        quarantined.error = event->arg[0];
        quarantined.step = event->arg[1];
        quarantined.told++;
    }
}

/* OWN-5: a host that cannot be asked before refuses when it comes to it, and
 * leaves it in quarantine, with the step told and nothing mapped. */
static void a_refused_attachment_leaves_it_in_quarantine(void **state)
{
    struct pcv_test_function f;
    struct pcv_domain *guest;
    struct hosted h;

    (void)state;
    memset(&quarantined, 0, sizeof(quarantined));
    hosted_build(&h);
    h.ops.dma_permitted = NULL;
    make(&f, HAS_FLR);
    pcv_test_add(h.model, &f, OWNED_AT);
    pcv_model_on_event(h.model, see_quarantine, NULL);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 1);
    assert_int_equal(pcv_domain_create(h.host, 7, &guest), 0);
    assert_int_equal(pcv_model_reserve_dma(h.model, OWNED_AT, RMRR, 4096), 0);
    assert_int_equal(pcv_device_assign(h.host, OWNED_AT, guest, NULL, NULL),
                     -PCV_EPERM);
    assert_int_equal(quarantined.told, 1);
    assert_int_equal(quarantined.error, PCV_EPERM);
    assert_int_not_equal(quarantined.step, 0);
    assert_int_equal(hosted_status(&h, OWNED_AT).owner_id,
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_model_mapped_pages(h.model), 0);
    assert_int_equal(pcv_model_dma_domain(h.model, OWNED_AT),
                     PCV_DOMAIN_ID_QUARANTINE);
    assert_int_equal(pcv_device_deassign(h.host, OWNED_AT), 0);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_host_cannot_write_is_tried_again),
        cmocka_unit_test(a_write_that_fails_twice_is_tried_later),
        cmocka_unit_test(one_that_must_be_left_alone_is_cut_later),
        cmocka_unit_test(one_that_does_not_answer_is_off_when_it_comes_back),
        cmocka_unit_test(without_a_clock_faults_count_from_reset_to_reset),
        cmocka_unit_test(what_is_put_back_is_not_let_go),
        cmocka_unit_test(one_that_is_cut_in_between_is_put_back_cut),
        cmocka_unit_test(a_function_with_reserved_memory_is_no_guests),
        cmocka_unit_test(a_refused_attachment_leaves_it_in_quarantine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The time in which a function is left alone after a reset (SRIOV-3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resettable.h"

/* ---- what does not go as it should ----------------------------------------
 */

/* SRIOV-3: it is asked every 10 ms, whatever the owner does. */
static void a_function_that_needs_longer_stays_absent(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    flr(&o);
    assert_int_equal(pcv_model_set_dead(o.h.model, OWNED_AT, true), 0);
    pcv_model_advance_us(o.h.model, 100000);
    for (int i = 0; i < 10; i++) {
        o.logged = 0;
        assert_true(owned_absent(&o));
        assert_int_equal(o.logged, 1);
        assert_int_equal(owned_wait_us(&o), 10000);
        assert_true(owned_absent(&o));
        assert_int_equal(o.logged, 1);
        pcv_model_advance_us(o.h.model, 10000);
    }
    assert_int_equal(pcv_model_set_dead(o.h.model, OWNED_AT, false), 0);
    assert_false(owned_absent(&o));
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
    owned_end(&o);
}

/* LIFE-9 */
static void nobody_waits_for_a_function_that_vanished(void **state)
{
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    flr(&o);
    assert_int_equal(pcv_device_vanished(o.h.host, OWNED_AT), 0);
    assert_int_equal(owned_read(&o, 0, 4), 0xffffffff);
    assert_int_equal(owned_wait_us(&o), 0);
    owned_end(&o);
}

/* SRIOV-3 */
static void without_a_clock_the_time_is_over_at_once(void **state)
{
    struct pcv_test_function f;
    struct owned o = {0};

    (void)state;
    make(&f, HAS_FLR);
    hosted_build(&o.h);
    pcv_test_add(o.h.model, &f, OWNED_AT);
    o.h.ops.now_us = NULL;
    hosted_start(&o.h);
    assert_int_equal(hosted_scan(&o.h), 1);
    o.owner = pcv_host_hardware_domain(o.h.host);
    o.at = OWNED_AT;
    flr(&o);
    assert_int_equal(owned_wait_us(&o), 0);
    assert_false(owned_absent(&o));
    owned_end(&o);
}

/* SRIOV-3: a clock that goes back keeps nobody waiting. */
static uint64_t backwards;

static uint64_t going_back(void *ctx)
{
    (void)ctx;
    return backwards;
}

static void a_clock_that_goes_back_keeps_nobody_waiting(void **state)
{
    struct pcv_test_function f;
    struct owned o = {0};

    (void)state;
    make(&f, HAS_FLR);
    hosted_build(&o.h);
    pcv_test_add(o.h.model, &f, OWNED_AT);
    o.h.ops.now_us = going_back;
    backwards = UINT64_MAX - 50000;
    hosted_start(&o.h);
    assert_int_equal(hosted_scan(&o.h), 1);
    o.owner = pcv_host_hardware_domain(o.h.host);
    o.at = OWNED_AT;
    flr(&o);
    assert_int_equal(owned_wait_us(&o), 100000); /* it wraps on the way */
    backwards = 49999 - 1;
    assert_int_equal(owned_wait_us(&o), 1);
    backwards = UINT64_MAX - 5000000;
    assert_int_equal(owned_wait_us(&o), 0);
    assert_false(owned_absent(&o));
    owned_end(&o);
}

/* PORT-3: a reset that the host fails in is tried again, and is whole. */
static void a_failing_host_delays_a_reset_but_spoils_nothing(void **state)
{
    static const enum pcv_model_op ops[] = {PCV_MODEL_OP_cfg_read,
                                            PCV_MODEL_OP_cfg_write};

    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        for (uint64_t n = 1;; n++) {
            struct owned o;
            uint64_t before;
            bool failed;

            start(&o, HAS_FLR);
            owned_give(&o, NULL);
            owned_switch_on(&o);
            owned_msi_on(&o, msi);
            /* Only a reset changes what nobody here may write. */
            pcv_model_poke(o.h.model, OWNED_AT,
                           (uint16_t)(pcie + PCV_PCIE_DEVCTL2), 2, 0x0140);
            before = pcv_model_calls(o.h.model, ops[i]);
            pcv_model_fail(o.h.model, ops[i], n);
            flr(&o);
            while (owned_absent(&o)) {
                pcv_model_advance_us(o.h.model, owned_wait_us(&o));
            }
            failed = pcv_model_calls(o.h.model, ops[i]) - before >= n;
            pcv_model_fail(o.h.model, ops[i], 0);
            if (o.events[PCV_EVENT_RESET] != 0) {
                assert_int_equal(owned_read(&o, PCV_REG_COMMAND, 2), 0);
                assert_int_equal(owned_read(&o, PCV_REG_BAR0, 4), 0);
                assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
                assert_int_equal(
                    owned_peek(&o, (uint16_t)(pcie + PCV_PCIE_DEVCTL2), 2), 0);
                assert_int_equal(owned_peek(&o, (uint16_t)(msi + 2u), 2) & 1u,
                                 0);
                assert_false(owned_mapped(&o));
            } else {
                assert_true(owned_mapped(&o)); /* the write was lost */
            }
            owned_end(&o);
            if (!failed) {
                break;
            }
        }
    }
}

/* ---- VFs -------------------------------------------------------------------
 */

#define VF pcv_test_at(0, 0, 3, 1)
#define VF_PAGE 0xe8000u /* of the first VF's BAR 0, four pages */

static uint32_t vf_pages(struct owned *o, uint64_t first)
{
    uint32_t pages = 0;

    for (uint64_t i = 0; i < 4; i++) {
        pages +=
            pcv_model_is_mapped(o->h.model, pcv_domain_id(o->owner), first + i);
    }
    return pages;
}

static void vf_write(struct owned *o, uint16_t reg, uint8_t size,
                     uint32_t value)
{
    struct pcv_access access = PCV_WRITE(o->at, reg, size, value);

    assert_int_equal(owned_try(o, &access), PCV_DONE);
}

/* A PF with one VF, which is at hand. */
static void start_vf(struct owned *o)
{
    struct pcv_test_function f;
    uint16_t cap;

    memset(o, 0, sizeof(*o));
    hosted_build(&o->h);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    cap = pcv_test_sriov(&f, 1, 1, 1, 1);
    pcv_test_set(&f, cap + PCV_SRIOV_BAR, 4, VF_PAGE << 12);
    pcv_test_add(o->h.model, &f, OWNED_AT);
    pcv_test_vf(&f, OWNED_AT);
    f.fn.bar_size[0] = 0x4000;
    pcv_test_add(o->h.model, &f, VF);
    pcv_model_watch(o->h.model, owned_saw, o);
    pcv_model_on_event(o->h.model, owned_told, o);
    hosted_start(&o->h);
    assert_int_equal(hosted_scan(&o->h), 2);
    pcv_model_set_clock(o->h.model, true);
    o->owner = pcv_host_hardware_domain(o->h.host);
    o->at = VF;
}

/* PCIE-1, SRIOV-3: its PF decodes its BARs, so they come back by themselves. */
static void a_vf_is_mapped_again_after_its_reset(void **state)
{
    struct owned o;

    (void)state;
    start_vf(&o);
    assert_int_equal(vf_pages(&o, VF_PAGE), 4);
    vf_write(&o, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(vf_pages(&o, VF_PAGE), 0);
    assert_true(owned_absent(&o));
    pcv_model_advance_us(o.h.model, 99999);
    assert_true(owned_absent(&o));
    pcv_model_advance_us(o.h.model, 1);
    assert_false(owned_absent(&o));
    assert_int_equal(vf_pages(&o, VF_PAGE), 4);
    owned_end(&o);
}

/* OWN-5, PCIE-2: what controls a VF is its PF's and the host's. */
static void a_guest_with_a_vf_writes_nothing_of_its_pf(void **state)
{
    struct owned o;
    int error = -PCV_ERESTART;

    (void)state;
    start_vf(&o);
    assert_int_equal(pcv_domain_create(o.h.host, OWNED_GUEST, &o.guest), 0);
    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        struct pcv_device *vf = hosted_hold(&o.h, VF);

        pcv_model_advance_us(o.h.model, pcv_device_wait_us(vf));
        pcv_device_put(vf);
        error = pcv_device_assign(o.h.host, VF, o.guest, NULL, &o.at);
    }
    assert_int_equal(error, 0);
    o.owner = o.guest;
    owned_forget(&o);
    vf_write(&o, 0x40 + PCV_PCIE_DEVCTL, 2, 0x5010);
    assert_int_equal(owned_read(&o, 0x40 + PCV_PCIE_DEVCTL, 2), 0x5010);
    assert_int_equal(o.logged, 0);
    vf_write(&o, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    pcv_model_advance_us(o.h.model, 100000);
    assert_false(owned_absent(&o));
    for (size_t i = 0; i < o.logged; i++) {
        assert_true(!o.log[i].write || o.log[i].sbdf.v == VF.v);
    }
    owned_end(&o);
}

/* ---- retry status ----------------------------------------------------------
 */

/* SRIOV-3 */
static void a_port_that_shows_retries_shows_them(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint32_t shown, hidden;
    } rows[] = {
        {0, 4, 0xffff0001, 0xffffffff},
        {0, 2, 0x0001, 0xffff},
        {0, 1, 0xff, 0xff},
        {2, 2, 0xffff, 0xffff},
        {4, 4, 0xffffffff, 0xffffffff},
    };

    (void)state;
    for (uint32_t shown = 0; shown < 2; shown++) {
        struct pcv_test_function f;
        struct hosted h;
        pcv_sbdf leaf = pcv_test_at(0, 1, 0, 0);
        struct pcv_access access =
            PCV_WRITE(leaf, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
        struct pcv_domain *domain;

        hosted_build(&h);
        pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
        pcv_test_set(&f, 0x40 + PCV_PCIE_RTCTL, 2,
                     shown ? PCV_PCIE_RTCTL_RETRY_VISIBLE : 0);
        pcv_test_add(h.model, &f, pcv_test_at(0, 0, 1, 0));
        pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
        pcv_test_add(h.model, &f, leaf);
        hosted_start(&h);
        assert_int_equal(hosted_scan(&h), 2);
        pcv_model_set_clock(h.model, true);
        domain = pcv_host_hardware_domain(h.host);
        assert_int_equal(pcv_access(domain, &access), PCV_PENDING);
        assert_int_equal(pcv_access_resume(domain, &access), PCV_DONE);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            access = PCV_READ(leaf, rows[i].reg, rows[i].size);
            assert_int_equal(pcv_access(domain, &access), PCV_ABSENT);
            assert_int_equal(access.data,
                             shown ? rows[i].shown : rows[i].hidden);
        }
        assert_int_equal(pcv_model_early_accesses(h.model), 0);
        hosted_end(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_that_needs_longer_stays_absent),
        cmocka_unit_test(nobody_waits_for_a_function_that_vanished),
        cmocka_unit_test(without_a_clock_the_time_is_over_at_once),
        cmocka_unit_test(a_clock_that_goes_back_keeps_nobody_waiting),
        cmocka_unit_test(a_failing_host_delays_a_reset_but_spoils_nothing),
        cmocka_unit_test(a_vf_is_mapped_again_after_its_reset),
        cmocka_unit_test(a_guest_with_a_vf_writes_nothing_of_its_pf),
        cmocka_unit_test(a_port_that_shows_retries_shows_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * How a function is reset when it changes its owner, what is put back after
 * that, and the time that it takes (OWN-5, OWN-16, SRIOV-3, MSI-3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "owned.h"

static uint8_t pcie, pm, af, msi;

/* Ways to be reset that a function has. */
#define HAS_FLR 1u
#define HAS_AF 2u
#define HAS_PM 4u
#define HAS_NO_SOFT_RESET 8u

static void make(struct pcv_test_function *f, unsigned ways)
{
    pcv_test_endpoint(f, 0x1234, 0x5678);
    f->fn.config_size = PCV_CFG_EXT_SIZE;
    f->ext_free = PCV_EXT_CAP_START;
    pcie = pcv_test_pcie(f, PCV_PCIE_TYPE_ENDPOINT);
    pcv_test_set(f, pcie + PCV_PCIE_DEVCAP, 4,
                 (ways & HAS_FLR) != 0 ? PCV_PCIE_DEVCAP_FLR : 0);
    af = (ways & HAS_AF) != 0 ? pcv_test_af(f) : 0;
    pm = (ways & HAS_PM) != 0 ? pcv_test_pm(f, (ways & HAS_NO_SOFT_RESET) != 0)
                              : 0;
    msi = pcv_test_msi(f, 0);
    owned_bar(f);
}

static void start(struct owned *o, unsigned ways)
{
    struct pcv_test_function f;

    make(&f, ways);
    owned_start(o, &f);
}

/* What of it was written with these bits set. */
static bool wrote(const struct owned *o, uint32_t reg, uint32_t bits)
{
    for (size_t i = 0; i < o->logged; i++) {
        if (o->log[i].write && o->log[i].reg == reg &&
            (o->log[i].value & bits) == bits) {
            return true;
        }
    }
    return false;
}

/* OWN-16 */
static void the_first_way_that_there_is_is_taken(void **state)
{
    static const struct {
        unsigned ways, taken;
    } rows[] = {
        {HAS_FLR | HAS_AF | HAS_PM, HAS_FLR},
        {HAS_FLR, HAS_FLR},
        {HAS_AF | HAS_PM, HAS_AF},
        {HAS_AF | HAS_PM | HAS_NO_SOFT_RESET, HAS_AF},
        {HAS_PM, HAS_PM},
        {HAS_PM | HAS_NO_SOFT_RESET, 0},
        {0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct owned o;

        start(&o, rows[i].ways);
        owned_forget(&o);
        assert_int_equal(owned_change(&o, true, NULL),
                         rows[i].taken != 0 ? 0 : -PCV_EOPNOTSUPP);
        assert_int_equal(wrote(&o, pcie + PCV_PCIE_DEVCTL, PCV_PCIE_DEVCTL_FLR),
                         rows[i].taken == HAS_FLR);
        assert_int_equal(af != 0 && wrote(&o, af + PCV_AF_CONTROL, 1),
                         rows[i].taken == HAS_AF);
        assert_int_equal(pm != 0 &&
                             wrote(&o, pm + PCV_PM_CONTROL, PCV_PM_D3HOT),
                         rows[i].taken == HAS_PM);
        owned_end(&o);
    }
}

/* OWN-16: functional transactions must be told of, or it is no FLR. */
static void half_an_advanced_features_reset_is_none(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    for (unsigned caps = 0; caps < 3; caps++) {
        make(&f, HAS_AF);
        pcv_test_set(&f, af + PCV_AF_CAPS, 1, caps);
        owned_start(&o, &f);
        assert_int_equal(owned_change(&o, true, NULL), -PCV_EOPNOTSUPP);
        owned_end(&o);
    }
}

/* SRIOV-3: how long each change of owner says that it takes, in order. */
static void expect_times(struct owned *o, bool to_guest, const uint64_t *times,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(to_guest ? pcv_device_assign(o->h.host, OWNED_AT,
                                                      o->guest, NULL, &o->at)
                                  : pcv_device_deassign(o->h.host, OWNED_AT),
                         -PCV_ERESTART);
        assert_int_equal(owned_wait_us(o), times[i]);
        pcv_model_advance_us(o->h.model, times[i] - 1);
        assert_int_equal(to_guest ? pcv_device_assign(o->h.host, OWNED_AT,
                                                      o->guest, NULL, &o->at)
                                  : pcv_device_deassign(o->h.host, OWNED_AT),
                         -PCV_ERESTART);
        assert_int_equal(owned_wait_us(o), 1);
        pcv_model_advance_us(o->h.model, 1);
    }
    assert_int_equal(owned_change(o, to_guest, NULL), 0);
    assert_int_equal(owned_wait_us(o), 0);
}

/* SRIOV-3, OWN-16 */
static void a_change_of_owner_asks_for_the_time_of_its_reset(void **state)
{
    static const uint64_t flr[] = {100000}, d3[] = {10000, 10000};
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    expect_times(&o, true, flr, 1);
    expect_times(&o, false, flr, 1);
    owned_end(&o);
    start(&o, HAS_AF);
    expect_times(&o, true, flr, 1);
    owned_end(&o);
    start(&o, HAS_PM);
    expect_times(&o, true, d3, 2);
    expect_times(&o, false, d3, 2);
    owned_end(&o);
}

/* OWN-16, SRIOV-3 */
static void a_sleeping_function_is_woken_before_its_reset(void **state)
{
    static const uint64_t times[] = {10000, 100000};
    struct owned o;

    (void)state;
    start(&o, HAS_FLR | HAS_PM | HAS_NO_SOFT_RESET);
    owned_write(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2, PCV_PM_D3HOT);
    expect_times(&o, true, times, 2);
    assert_int_equal(owned_read(&o, (uint16_t)(pm + PCV_PM_CONTROL), 2),
                     PCV_PM_NO_SOFT_RESET);
    owned_switch_on(&o);
    owned_end(&o);
}

/* SRIOV-3 */
static void an_immediately_ready_function_needs_no_time(void **state)
{
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make(&f, HAS_FLR);
    pcv_test_set(&f, PCV_REG_STATUS, 2,
                 pcv_test_get(&f, PCV_REG_STATUS, 2) | PCV_STATUS_READY);
    owned_start(&o, &f);
    pcv_model_set_clock(o.h.model, false); /* the model does not know of it */
    assert_int_equal(
        pcv_device_assign(o.h.host, OWNED_AT, o.guest, NULL, &o.at), 0);
    owned_end(&o);
}

/* ---- what the host programmed -------------------------------------------- */

static const struct {
    uint32_t reg;
    uint8_t size;
    uint32_t value;
} programmed[] = {
    {PCV_REG_COMMAND, 2, PCV_CMD_PARITY | PCV_CMD_SERR},
    {PCV_REG_CACHE_LINE, 1, 0x10},
    {PCV_REG_LATENCY, 1, 0x40},
    {PCV_REG_BAR0, 4, 0xe0000008},
    {PCV_REG_BAR0 + 8, 4, 0x0000e001},
    {PCV_REG_BAR0 + 12, 4, 0xe000000c},
    {PCV_REG_BAR0 + 16, 4, 0x00000123},
    {PCV_REG_ROM0, 4, 0xfd000000},
    {PCV_REG_INT_LINE, 1, 0x0b},
};

static uint16_t ltr, acs, ari, rebar;

static void make_programmed(struct pcv_test_function *f, unsigned ways)
{
    make(f, ways);
    for (size_t i = 0; i < sizeof(programmed) / sizeof(programmed[0]); i++) {
        pcv_test_set(f, programmed[i].reg, programmed[i].size,
                     programmed[i].value);
    }
    f->fn.bars_stated = true;
    f->fn.bar_size[0] = 0x200000;
    f->fn.bar_size[2] = 0x100;
    f->fn.bar_size[3] = 0x100000;
    f->fn.bar_size[PCV_BAR_IS_ROM] = 0x10000;
    pcv_test_set(f, pcie + PCV_PCIE_DEVCTL, 2, 0x5936);
    pcv_test_set(f, pcie + PCV_PCIE_DEVCTL2, 2, 0x0406);
    pcv_test_set(f, pcie + PCV_PCIE_LNKCTL, 2, 0x0143);
    ltr = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_LTR, 1, 8);
    pcv_test_set(f, ltr + 4u, 4, 0x10031003);
    acs = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_ACS, 1, 8);
    pcv_test_set(f, acs + 4u, 2, 0x005f);
    pcv_test_set(f, acs + 6u, 2, 0x001d);
    ari = pcv_test_ext_cap(f, PCV_EXT_CAP_ID_ARI, 1, 8);
    pcv_test_set(f, ari + 4u, 2, 0x0003);
    pcv_test_set(f, ari + 6u, 2, 0x0001);
    rebar = pcv_test_rebar(f, 0, 0x7, 1);
}

static void expect_programmed(const struct owned *o)
{
    for (size_t i = 0; i < sizeof(programmed) / sizeof(programmed[0]); i++) {
        assert_int_equal(
            owned_peek(o, (uint16_t)programmed[i].reg, programmed[i].size),
            programmed[i].value);
    }
    assert_int_equal(owned_peek(o, (uint16_t)(pcie + PCV_PCIE_DEVCTL2), 2),
                     0x0406);
    assert_int_equal(owned_peek(o, (uint16_t)(pcie + PCV_PCIE_LNKCTL), 2),
                     0x0143);
    assert_int_equal(owned_peek(o, (uint16_t)(ltr + 4u), 4), 0x10031003);
    assert_int_equal(owned_peek(o, (uint16_t)(acs + 6u), 2), 0x001d);
    assert_int_equal(owned_peek(o, (uint16_t)(ari + 6u), 2), 0x0001);
    assert_int_equal(owned_peek(o, (uint16_t)(rebar + 8u), 4) & 0x3f00u, 0x100);
}

/* OWN-5 */
static void what_the_host_programmed_is_put_back_after_each_reset(void **state)
{
    static const unsigned ways[] = {HAS_FLR, HAS_AF, HAS_PM};
    const uint16_t devctl = (uint16_t)(0x40 + PCV_PCIE_DEVCTL);

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct pcv_test_function f;
        struct owned o;

        make_programmed(&f, ways[i]);
        owned_start(&o, &f);
        owned_give(&o, NULL);
        expect_programmed(&o);
        /* No more than 512 bytes a read request, and no "no snoop". */
        assert_int_equal(owned_peek(&o, devctl, 2), 0x2136);
        if (ways[i] == HAS_AF) {
            owned_write(&o, (uint16_t)(af + PCV_AF_CONTROL), 1, 1);
            owned_settles(&o, 100000);
            expect_programmed(&o);
            assert_int_equal(owned_peek(&o, devctl, 2), 0x2136);
        }
        owned_take(&o);
        expect_programmed(&o);
        assert_int_equal(owned_peek(&o, devctl, 2), 0x5936);
        owned_end(&o);
    }
}

/* OWN-5 */
static void pci_x_commands_are_put_back(void **state)
{
    struct pcv_test_function f;
    struct owned o;
    uint8_t pcix;

    (void)state;
    pcv_test_endpoint(&f, 0x1234, 0x5678);
    (void)pcv_test_af(&f);
    pcix = pcv_test_cap(&f, PCV_CAP_ID_PCIX, 8);
    pcv_test_set(&f, pcix + PCV_PCIX_COMMAND, 2, 0x002b);
    owned_start(&o, &f);
    owned_give(&o, NULL);
    assert_int_equal(owned_peek(&o, (uint16_t)(pcix + PCV_PCIX_COMMAND), 2),
                     0x002b);
    owned_end(&o);
}

/* ---- what does not go as it should ----------------------------------------
 */

static void flr(struct owned *o)
{
    owned_write(o, (uint16_t)(pcie + PCV_PCIE_DEVCTL), 2, PCV_PCIE_DEVCTL_FLR);
}

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

/* OWN-5, SRIOV-3 */
static void a_function_in_its_owners_reset_can_be_taken_back(void **state)
{
    static const uint64_t times[] = {100000, 100000};
    struct owned o;

    (void)state;
    start(&o, HAS_FLR);
    owned_give(&o, NULL);
    flr(&o);
    expect_times(&o, false, times, 2);
    assert_int_equal(owned_peek(&o, PCV_REG_BAR0, 4), OWNED_BAR);
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

/* PORT-3, OWN-5 */
static void a_failing_change_of_owner_leaves_no_half(void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write, PCV_MODEL_OP_alloc};

    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        for (uint64_t n = 1;; n++) {
            struct pcv_test_function f;
            struct owned o;
            uint64_t before;
            bool failed;

            make_programmed(&f, HAS_PM);
            owned_start(&o, &f);
            before = pcv_model_calls(o.h.model, ops[i]);
            pcv_model_fail(o.h.model, ops[i], n);
            if (owned_change(&o, true, NULL) != 0) {
                pcv_model_fail(o.h.model, ops[i], 0);
                assert_int_equal(owned_change(&o, true, NULL), 0);
            }
            failed = pcv_model_calls(o.h.model, ops[i]) - before >= n;
            pcv_model_fail(o.h.model, ops[i], 0);
            expect_programmed(&o);
            owned_end(&o);
            if (!failed) {
                break;
            }
        }
    }
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
        cmocka_unit_test(the_first_way_that_there_is_is_taken),
        cmocka_unit_test(half_an_advanced_features_reset_is_none),
        cmocka_unit_test(a_change_of_owner_asks_for_the_time_of_its_reset),
        cmocka_unit_test(a_sleeping_function_is_woken_before_its_reset),
        cmocka_unit_test(an_immediately_ready_function_needs_no_time),
        cmocka_unit_test(what_the_host_programmed_is_put_back_after_each_reset),
        cmocka_unit_test(pci_x_commands_are_put_back),
        cmocka_unit_test(a_function_that_needs_longer_stays_absent),
        cmocka_unit_test(nobody_waits_for_a_function_that_vanished),
        cmocka_unit_test(without_a_clock_the_time_is_over_at_once),
        cmocka_unit_test(a_clock_that_goes_back_keeps_nobody_waiting),
        cmocka_unit_test(a_function_in_its_owners_reset_can_be_taken_back),
        cmocka_unit_test(a_failing_host_delays_a_reset_but_spoils_nothing),
        cmocka_unit_test(a_failing_change_of_owner_leaves_no_half),
        cmocka_unit_test(a_port_that_shows_retries_shows_them),
        cmocka_unit_test(a_guest_gets_back_what_was_lost_behind_its_back),
        cmocka_unit_test(a_sleeping_function_sleeps_on_and_wakes_whole),
        cmocka_unit_test(the_hardware_domain_gets_its_messages_back),
        cmocka_unit_test(a_restore_that_fails_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

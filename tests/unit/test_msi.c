/* SPDX-License-Identifier: MIT */
/* MSI as its owner drives it: the hardware domain and a guest. */
#include "vectors_fixture.h"

#define ENABLE 0x0001u
#define ADDRESS 0xfee01000u
#define DATA 0x4560u
#define MODEL_ADDRESS_BITS 0xfee00000u

/* Registers of the capability, by the layout that its control register says. */
static uint32_t control_of(const struct vec *vec)
{
    return vec->cap + 2u;
}

static uint32_t data_of(const struct vec *vec, uint32_t control)
{
    return vec->cap + ((control & 0x80u) != 0 ? 12u : 8u);
}

static uint32_t mask_of(const struct vec *vec, uint32_t control)
{
    return data_of(vec, control) + 4u;
}

/* A function with MSI that says this of itself, reset or as it was left. */
static void build(struct vec *vec, uint16_t control)
{
    vec_open(vec);
    pcv_test_pcie_endpoint(&vec->f, 0x8086, 0x10d3);
    pcv_test_bar32(&vec->f, 0, 0xe1230000, 0x4000);
    pcv_test_set(&vec->f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    vec->cap = pcv_test_msi(&vec->f, control);
}

static void start(struct vec *vec, uint16_t control, bool guest)
{
    build(vec, control);
    vec_start(vec, guest);
    vec_write(vec, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    vec_forget(vec);
}

/* Program a message and enable 2^log vectors of it. */
static void enable(struct vec *vec, uint16_t control, uint32_t log)
{
    vec_write(vec, vec->cap + 4u, 4, ADDRESS);
    vec_write(vec, data_of(vec, control), 2, DATA);
    vec_write(vec, control_of(vec), 2, ENABLE | log << 4);
}

static bool is_on(const struct vec *vec)
{
    return (vec_hw(vec, control_of(vec), 2) & ENABLE) != 0;
}

/* Nothing is bound, and both sides say so. */
static void expect_off(struct vec *vec)
{
    assert_false(is_on(vec));
    assert_int_equal(vec_read(vec, control_of(vec), 2) & ENABLE, 0);
    assert_int_equal(vec_held(vec), 0);
    assert_int_equal(pcv_model_bound(vec->rig.model, NULL), 0);
}

/* Every vector of the block arrives as its owner programmed it. */
static void expect_delivery(struct vec *vec, uint32_t count, uint64_t address,
                            uint32_t data)
{
    uint64_t to;
    uint32_t what;

    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(vec_raise(vec, false, (uint16_t)i, &to, &what),
                         PCV_MODEL_DELIVERED);
        assert_int_equal(to, address);
        assert_int_equal(what, data | i);
    }
    assert_int_equal(vec_raise(vec, false, (uint16_t)count, &to, &what),
                     PCV_MODEL_DISABLED);
}

/* ---- what is enabled -------------------------------------------------------
 */

/* MSI-1, MSI-2, LIFE-8 */
static void each_layout_delivers_what_its_owner_programmed(void **state)
{
    static const uint16_t layouts[] = {0x000, 0x080, 0x100, 0x180};
    struct vec vec;

    (void)state;
    for (uint32_t n = 0; n < 4u * 6u * 2u; n++) {
        uint32_t log = n / 4u % 6u;
        uint16_t control = (uint16_t)(layouts[n % 4u] | log << 1);
        uint32_t count = 1u << log;

        start(&vec, control, n >= 24u);
        enable(&vec, control, log);
        assert_int_equal(vec.binds, 1);
        assert_int_equal(vec.request.count, count);
        assert_int_equal(vec.request.address, ADDRESS);
        assert_int_equal(vec.request.data, DATA & ~(count - 1u));
        assert_int_equal(vec.request.domain_id, pcv_domain_id(vec.owner));
        assert_int_equal(vec_held(&vec), count);
        assert_int_equal(pcv_model_bound(vec.rig.model, NULL), count);
        expect_delivery(&vec, count, ADDRESS, DATA & ~(count - 1u));
        /* What the owner reads is its own, what hardware has the host's. */
        assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), ADDRESS);
        assert_int_equal(vec_read(&vec, data_of(&vec, control), 2), DATA);
        assert_int_equal(vec_hw(&vec, vec.cap + 4u, 4),
                         (uint32_t)vec.message.address);
        assert_int_equal(vec_hw(&vec, data_of(&vec, control), 2),
                         vec.message.data);
        vec_write(&vec, control_of(&vec), 2, 0);
        expect_off(&vec);
        assert_int_equal(vec.unbinds, 1);
        vec_close(&vec);
    }
}

/* MSI-1 */
static void more_vectors_than_there_are_and_reserved_counts_are_cut(
    void **state)
{
    static const struct {
        uint8_t capable, write, read;
    } cases[] = {{0, 0, 0}, {0, 5, 0}, {2, 1, 1}, {2, 3, 2}, {3, 7, 3},
                 {5, 6, 5}, {5, 7, 5}, {6, 5, 5}, {7, 7, 5}, {4, 6, 4}};
    struct vec vec;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint16_t control = (uint16_t)(0x180u | (uint32_t)cases[i].capable << 1);
        uint32_t capable = cases[i].capable > 5 ? 5u : cases[i].capable;

        start(&vec, control, i % 2 == 0);
        assert_int_equal(vec_read(&vec, control_of(&vec), 2),
                         0x180u | capable << 1);
        enable(&vec, control, cases[i].write);
        assert_int_equal(vec_read(&vec, control_of(&vec), 2),
                         0x181u | capable << 1 | (uint32_t)cases[i].read << 4);
        assert_int_equal(vec.request.count, 1u << cases[i].read);
        assert_int_equal(vec_held(&vec), 1u << cases[i].read);
        assert_int_equal(vec_hw(&vec, control_of(&vec), 2) >> 4 & 7u,
                         cases[i].read);
        vec_close(&vec);
    }
}

/* MSI-2, HDR-2 */
static void a_guest_starts_disabled_and_finds_nothing_of_the_host(void **state)
{
    struct vec vec;

    (void)state;
    build(&vec, 0x0185);
    pcv_test_set(&vec.f, vec.cap + 4u, 4, 0xfee12340);
    pcv_test_set(&vec.f, vec.cap + 8u, 4, 0x11223344);
    pcv_test_set(&vec.f, vec.cap + 12u, 4, 0x55667788);
    pcv_test_set(&vec.f, vec.cap + 16u, 4, 0xffffffff);
    vec_start(&vec, true);
    expect_off(&vec);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2), 0x0184);
    assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), 0);
    assert_int_equal(vec_read(&vec, vec.cap + 8u, 4), 0);
    assert_int_equal(vec_read(&vec, vec.cap + 12u, 4), 0);
    assert_int_equal(vec_read(&vec, vec.cap + 16u, 4), 0);
    /* Reserved bits stay zero, whatever is written to them. */
    vec_write(&vec, vec.cap + 4u, 4, 0xffffffff);
    vec_write(&vec, vec.cap + 12u, 4, 0xffffffff);
    vec_write(&vec, vec.cap + 16u, 4, 0xffffffff);
    assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), 0xfffffffc);
    assert_int_equal(vec_read(&vec, vec.cap + 12u, 4), 0xffff);
    assert_int_equal(vec_read(&vec, vec.cap + 16u, 4), 0xf);
    assert_int_equal(vec.binds, 0);
    vec_close(&vec);
}

/* HDR-2 */
static void intx_is_off_while_it_is_on(void **state)
{
    struct vec vec;

    (void)state;
    start(&vec, 0x80, true);
    enable(&vec, 0x80, 0);
    assert_int_equal(vec_read(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF,
                     PCV_CMD_INTX_OFF);
    assert_int_equal(vec_hw(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF,
                     PCV_CMD_INTX_OFF);
    vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_int_equal(vec_hw(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF,
                     PCV_CMD_INTX_OFF);
    vec_write(&vec, control_of(&vec), 2, 0);
    assert_int_equal(vec_read(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF, 0);
    assert_int_equal(vec_hw(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF, 0);
    vec_close(&vec);
}

/* ---- changes while it is enabled -------------------------------------------
 */

/* MSI-1 */
static void a_change_takes_effect_at_once_and_only_if_it_is_one(void **state)
{
    const uint16_t control = 0x0184; /* 4 vectors */
    static const struct {
        uint16_t offset;
        uint8_t size;
        uint32_t value;
        unsigned binds;
    } steps[] = {
        {4, 4, 0xfee02000, 1},  {4, 4, 0xfee02000, 0},
        {4, 4, 0xfee02003, 0}, /* the low bits are reserved */
        {8, 4, 0x00000001, 1},  {8, 4, 0x00000001, 0},
        {12, 2, 0x4564, 1},     {12, 2, 0x4567, 0}, /* in the same block */
        {12, 1, 0x68, 1},       {13, 1, 0x47, 1},
        {14, 2, 0xffff, 0},     {2, 2, 0x0021, 0},
        {2, 2, 0x0011, 1},      {2, 1, 0x21, 1},
        {16, 4, 0xffffffff, 0}, {20, 4, 0xffffffff, 0},
    };
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, control, guest != 0);
        enable(&vec, control, 2);
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            unsigned before = vec.binds;

            vec_write(&vec, vec.cap + (uint32_t)steps[i].offset, steps[i].size,
                      steps[i].value);
            assert_int_equal(vec.binds - before, steps[i].binds);
            assert_true(is_on(&vec));
            assert_int_equal(vec_held(&vec), vec.request.count);
        }
        vec_write(&vec, mask_of(&vec, control), 4, 0);
        expect_delivery(&vec, 4, UINT64_C(0x1fee02000), 0x4768);
        vec_close(&vec);
    }
}

/* MSI-1: a message that is half the old one is never sent. */
static void hardware_is_off_while_its_message_changes(void **state)
{
    bool on = true;
    struct vec vec;

    (void)state;
    start(&vec, 0x80, true);
    enable(&vec, 0x80, 0);
    vec_forget(&vec);
    vec_write(&vec, vec.cap + 4u, 4, ADDRESS + 0x1000u);
    assert_true(rig_writes(&vec.rig) >= 5);
    for (size_t i = 0; i < vec.rig.logged; i++) {
        const struct pcv_model_cfg *seen = &vec.rig.log[i];

        if (seen->write && seen->reg == control_of(&vec)) {
            on = (seen->value & ENABLE) != 0;
        } else if (seen->write && seen->reg > control_of(&vec) &&
                   seen->reg < vec.cap + 0x10u) {
            assert_false(on);
        }
    }
    assert_true(on);
    vec_close(&vec);
}

/* MSI-1 */
static void masks_reach_hardware_while_they_concern_something(void **state)
{
    const uint16_t control = 0x0186; /* 8 vectors, 2 of them used */
    struct vec vec;
    uint64_t to;
    uint32_t what;

    (void)state;
    start(&vec, control, true);
    vec_write(&vec, mask_of(&vec, control), 4, 0xff);
    assert_int_equal(vec_hw(&vec, mask_of(&vec, control), 4), 0);
    enable(&vec, control, 1);
    assert_int_equal(vec_hw(&vec, mask_of(&vec, control), 4), 3);
    assert_int_equal(vec_raise(&vec, false, 1, &to, &what), PCV_MODEL_MASKED);
    assert_int_equal(vec_read(&vec, mask_of(&vec, control) + 4u, 4), 2);
    assert_int_equal(vec_read(&vec, mask_of(&vec, control), 4), 0xff);
    vec_write(&vec, mask_of(&vec, control), 1, 1);
    assert_int_equal(vec_hw(&vec, mask_of(&vec, control), 4), 1);
    assert_int_equal(vec_read(&vec, mask_of(&vec, control) + 4u, 4), 0);
    assert_int_equal(vec_raise(&vec, false, 1, &to, &what),
                     PCV_MODEL_DELIVERED);
    assert_int_equal(vec.binds, 1);
    vec_close(&vec);
}

/* ---- failures --------------------------------------------------------------
 */

/* MSI-1 */
static void a_failing_bind_leaves_it_disabled(void **state)
{
    static const uint16_t change[][2] = {{4, 0x2000}, {12, 0x7770}, {2, 0x11}};
    const uint16_t control = 0x84;
    struct vec vec;

    (void)state;
    for (uint32_t n = 0; n < 8; n++) {
        start(&vec, control, n % 2 == 0);
        if (n >= 2) {
            enable(&vec, control, 2);
        }
        vec.fail_bind = 1;
        if (n >= 2) {
            vec_write(&vec, (uint32_t)vec.cap + change[n / 2 - 1][0], 2,
                      change[n / 2 - 1][1]);
        } else {
            enable(&vec, control, 2);
        }
        expect_off(&vec);
        assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
        assert_int_equal(vec_read(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF,
                         0);
        /* The next time it works. */
        enable(&vec, control, 1);
        assert_true(is_on(&vec));
        assert_int_equal(vec_held(&vec), 2);
        vec_close(&vec);
    }
}

/* MSI-1, PORT-3 */
static void what_the_device_cannot_send_is_refused(void **state)
{
    static const struct {
        uint16_t control;
        uint64_t or_address;
        uint32_t or_data;
    } cases[] = {
        {0x004, UINT64_C(0x100000000), 0}, /* it has 32 bits */
        {0x004, 1, 0},                     /* not a dword */
        {0x084, 2, 0},
        {0x004, 0, 0x10000}, /* 16 bits of data */
        {0x084, 0, 0x00002}, /* beyond the block */
    };
    struct vec vec;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(&vec, cases[i].control, i % 2 == 0);
        vec.or_address = cases[i].or_address;
        vec.or_data = cases[i].or_data;
        enable(&vec, cases[i].control, 2);
        expect_off(&vec);
        assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
        assert_int_equal(vec.unbinds, 1);
        vec_close(&vec);
    }
}

/* MSI-1, PORT-3 */
static void a_host_that_answers_nonsense_is_taken_as_failing(void **state)
{
    struct vec vec;

    (void)state;
    start(&vec, 0x80, true);
    vec.refuse = true;
    vec.refusal = 17;
    enable(&vec, 0x80, 0);
    expect_off(&vec);
    assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
    assert_int_equal(vec.rig.event[0].arg[1], PCV_EIO);
    vec.refuse = false;
    vec_close(&vec);
}

/* MSI-1, PORT-3: wherever a write is lost, no half state is left. */
static void a_lost_write_leaves_it_on_or_off(void **state)
{
    const uint16_t control = 0x184;
    bool failed = true;
    struct vec vec;

    (void)state;
    for (uint64_t nth = 1; failed; nth++) {
        uint64_t calls;

        assert_true(nth < 100);
        start(&vec, control, true);
        vec_write(&vec, vec.cap + 4u, 4, ADDRESS);
        vec_write(&vec, data_of(&vec, control), 2, DATA);
        calls = pcv_model_calls(vec.rig.model, PCV_MODEL_OP_cfg_write);
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_cfg_write, nth);
        vec_write(&vec, control_of(&vec), 2, ENABLE | 2u << 4);
        failed =
            pcv_model_calls(vec.rig.model, PCV_MODEL_OP_cfg_write) - calls >=
            nth;
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_cfg_write, 0);
        if ((vec_read(&vec, control_of(&vec), 2) & ENABLE) != 0) {
            assert_true(is_on(&vec));
            assert_int_equal(vec_held(&vec), 4);
            expect_delivery(&vec, 4, ADDRESS, DATA);
        } else {
            assert_true(failed);
            expect_off(&vec);
            assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
        }
        vec_close(&vec);
    }
}

/* ---- as it was found -------------------------------------------------------
 */

/* MSI-2, MSI-3 */
static void what_firmware_left_enabled_goes_on(void **state)
{
    const uint16_t control = 0x01a5; /* 4 of 4 vectors */
    struct vec vec;

    (void)state;
    build(&vec, control);
    pcv_test_set(&vec.f, vec.cap + 4u, 4, ADDRESS);
    pcv_test_set(&vec.f, vec.cap + 8u, 4, 2);
    pcv_test_set(&vec.f, vec.cap + 12u, 2, 0x1235);
    pcv_test_set(&vec.f, vec.cap + 16u, 4, 8);
    vec_start(&vec, false);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2), control);
    assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), ADDRESS);
    assert_int_equal(vec_read(&vec, vec.cap + 8u, 4), 2);
    assert_int_equal(vec_read(&vec, vec.cap + 12u, 2), 0x1235);
    assert_int_equal(vec_read(&vec, vec.cap + 16u, 4), 8);
    assert_int_equal(vec_held(&vec), 4);
    assert_int_equal(vec.request.address, UINT64_C(0x200000000) | ADDRESS);
    assert_int_equal(vec.request.data, 0x1234);
    assert_int_equal(vec.request.domain_id, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(vec_hw(&vec, vec.cap + 16u, 4), 8);
    vec_close(&vec);
}

/* MSI-1 */
static void what_firmware_left_enabled_may_be_refused(void **state)
{
    struct vec vec;

    (void)state;
    build(&vec, 0x00a5);
    vec.fail_bind = 1;
    vec_boot(&vec);
    expect_off(&vec);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2), 0x00a4);
    assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
    assert_int_equal(rig_events(&vec.rig, PCV_EVENT_CAP_HIDDEN), 0);
    vec_close(&vec);
}

/* MSI-2 */
static void reserved_bits_of_hardware_are_kept_and_extended_data_is_not_used(
    void **state)
{
    struct vec vec;

    (void)state;
    build(&vec, 0xfe80); /* reserved bits, and extended data capable and on */
    vec_start(&vec, false);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2), 0x0080);
    enable(&vec, 0x80, 0);
    assert_int_equal(vec_hw(&vec, control_of(&vec), 2), 0xfa81);
    vec_write(&vec, control_of(&vec), 2, 0xffff);
    assert_int_equal(vec_hw(&vec, control_of(&vec), 2), 0xfa81);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2), 0x0081);
    vec_write(&vec, control_of(&vec), 2, 0);
    assert_int_equal(vec_hw(&vec, control_of(&vec), 2), 0xfa80);
    vec_close(&vec);
}

/* ---- hiding ----------------------------------------------------------------
 */

/* CAP-3 */
static void without_a_host_that_binds_nobody_has_it(void **state)
{
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        build(&vec, 0x0081);
        vec.rig.ops.msi_bind = NULL;
        vec.rig.ops.msi_unbind = NULL;
        vec_start(&vec, guest != 0);
        assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSI), 0);
        assert_false(is_on(&vec));
        vec_write(&vec, control_of(&vec), 2, ENABLE);
        vec_write(&vec, vec.cap + 4u, 4, 0xffffffff);
        assert_false(is_on(&vec));
        assert_int_equal(vec_hw(&vec, vec.cap + 4u, 4), 0);
        vec_close(&vec);
    }
}

/* CAP-3, CAP-1 */
static void what_does_not_fit_or_comes_twice_is_hidden(void **state)
{
    struct vec vec;
    uint8_t second;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        build(&vec, 0x0180);
        second = pcv_test_msi(&vec.f, 0x0081);
        vec_start(&vec, guest != 0);
        assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSI), vec.cap);
        vec_write(&vec, second + 2u, 2, ENABLE);
        assert_int_equal(vec_hw(&vec, second + 2u, 2) & ENABLE, 0);
        assert_int_equal(vec.binds, 0);
        vec_close(&vec);
        /* At the end of configuration space. */
        build(&vec, 0x0080);
        pcv_test_set(&vec.f, vec.cap + 1u, 1, 0xf8);
        pcv_test_set(&vec.f, 0xf8, 4, 0x01800005);
        pcv_test_set(&vec.f, vec.cap, 1, PCV_CAP_ID_VENDOR);
        vec_start(&vec, guest != 0);
        assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSI), 0);
        vec_close(&vec);
    }
}

/* CAP-3, PORT-3 */
static void without_memory_it_is_hidden_and_the_rest_works(void **state)
{
    bool failed = true;
    bool hidden = false;
    struct vec vec;

    (void)state;
    for (uint64_t nth = 1; failed; nth++) {
        uint64_t calls;

        build(&vec, 0x00a5);
        pcv_test_add(vec.rig.model, &vec.f, VEC_AT);
        rig_create(&vec.rig);
        calls = pcv_model_calls(vec.rig.model, PCV_MODEL_OP_alloc);
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_alloc, nth);
        if (pcv_device_add(vec.rig.host, VEC_AT, NULL) == 0) {
            size_t events = rig_events(&vec.rig, PCV_EVENT_CAP_HIDDEN);

            hidden = hidden || events != 0;
            assert_int_equal(pcv_model_bound(vec.rig.model, NULL),
                             events != 0 ? 0 : 4);
            assert_int_equal(is_on(&vec), events == 0);
        } else {
            assert_int_equal(pcv_model_bound(vec.rig.model, NULL), 0);
        }
        failed =
            pcv_model_calls(vec.rig.model, PCV_MODEL_OP_alloc) - calls >= nth;
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_alloc, 0);
        rig_close(&vec.rig);
    }
    assert_true(hidden);
}

/* ---- resets, removal -------------------------------------------------------
 */

/* MSI-3 */
static void a_reset_forgets_and_a_restore_remembers(void **state)
{
    const uint16_t control = 0x0184;
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, control, guest != 0);
        enable(&vec, control, 2);
        vec_write(&vec, mask_of(&vec, control), 4, 4);
        /* Hardware is reset behind everybody's back. */
        for (uint16_t at = 2; at < 24; at += 2) {
            pcv_model_poke(vec.rig.model, VEC_AT, (uint16_t)(vec.cap + at), 2,
                           at == 2 ? control : 0);
        }
        vec_restore(&vec);
        assert_int_equal(vec.binds, 1);
        assert_int_equal(vec_hw(&vec, mask_of(&vec, control), 4), 4);
        vec_write(&vec, mask_of(&vec, control), 4, 0);
        expect_delivery(&vec, 4, ADDRESS, DATA);
        vec_write(&vec, mask_of(&vec, control), 4, 2);
        vec_reset(&vec);
        expect_off(&vec);
        assert_int_equal(vec_read(&vec, control_of(&vec), 2), control);
        assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), 0);
        assert_int_equal(vec_read(&vec, data_of(&vec, control), 2), 0);
        assert_int_equal(vec_read(&vec, mask_of(&vec, control), 4), 0);
        vec_restore(&vec);
        expect_off(&vec);
        vec_close(&vec);
    }
}

/* MSI-3, PORT-3 */
static void a_restore_that_loses_a_write_leaves_it_disabled(void **state)
{
    bool failed = true;
    unsigned off = 0;
    struct vec vec;

    (void)state;
    for (uint64_t nth = 1; failed; nth++) {
        uint64_t calls;

        start(&vec, 0x80, true);
        enable(&vec, 0x80, 0);
        calls = pcv_model_calls(vec.rig.model, PCV_MODEL_OP_cfg_write);
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_cfg_write, nth);
        vec_restore(&vec);
        failed =
            pcv_model_calls(vec.rig.model, PCV_MODEL_OP_cfg_write) - calls >=
            nth;
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_cfg_write, 0);
        if (is_on(&vec)) {
            expect_delivery(&vec, 1, ADDRESS, DATA);
        } else {
            expect_off(&vec);
            assert_int_equal(rig_events(&vec.rig, PCV_EVENT_BIND_FAILED), 1);
            off++;
        }
        vec_close(&vec);
    }
    assert_true(off >= 3);
}

/* CAP-5, LIFE-8 */
static void teardown_unbinds_and_may_come_twice(void **state)
{
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, 0x0184, guest != 0);
        enable(&vec, 0x0184, 2);
        vec_teardown(&vec);
        assert_false(is_on(&vec));
        assert_int_equal(vec_held(&vec), 0);
        assert_int_equal(vec.unbinds, 1);
        vec_teardown(&vec);
        vec_reset(&vec);
        vec_restore(&vec);
        assert_int_equal(vec.unbinds, 1);
        /* An access that waited for the lock finds nothing to do. */
        vec_write(&vec, control_of(&vec), 2, ENABLE);
        vec_write(&vec, vec.cap + 4u, 4, ADDRESS);
        vec_write(&vec, mask_of(&vec, 0x0184), 4, 1);
        assert_int_equal(vec.binds, 1);
        assert_false(is_on(&vec));
        vec_close(&vec);
    }
}

/* LIFE-5, LIFE-8 */
static void what_is_bound_does_not_keep_a_device(void **state)
{
    pcv_sbdf busy;
    struct vec vec;

    (void)state;
    start(&vec, 0x0184, false);
    enable(&vec, 0x0184, 2);
    assert_int_equal(vec_held(&vec), 4);
    pcv_device_put(vec.device);
    vec.device = NULL;
    assert_int_equal(pcv_device_remove(vec.rig.host, VEC_AT, NULL, &busy), 0);
    assert_int_equal(vec.unbinds, 1);
    assert_false(is_on(&vec));
    assert_int_equal(pcv_model_bound(vec.rig.model, NULL), 0);
    vec_close(&vec);
}

/* LIFE-9, MSI-2 */
static void nothing_reaches_a_device_that_vanished(void **state)
{
    struct vec vec;

    (void)state;
    start(&vec, 0x0184, false);
    enable(&vec, 0x0184, 2);
    assert_int_equal(pcv_device_vanished(vec.rig.host, VEC_AT), 0);
    vec_forget(&vec);
    vec_teardown(&vec);
    assert_int_equal(vec.rig.logged, 0);
    assert_int_equal(vec.unbinds, 1);
    assert_int_equal(vec_held(&vec), 0);
    vec_close(&vec);
}

/* LIFE-8 */
static void a_change_of_owner_takes_the_vectors_along(void **state)
{
    struct vec vec;

    (void)state;
    start(&vec, 0x0184, false);
    enable(&vec, 0x0184, 2);
    vec_give(&vec);
    expect_off(&vec);
    vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    enable(&vec, 0x0184, 1);
    expect_delivery(&vec, 2, ADDRESS, DATA);
    vec_take_back(&vec);
    expect_off(&vec);
    assert_int_equal(vec_hw(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_MASTER, 0);
    vec_close(&vec);
}

/* LIFE-8 */
static void bound_messages_are_listed(void **state)
{
    struct pcv_bound_vector seen;
    struct vec vec;

    (void)state;
    start(&vec, 0x0184, true);
    assert_false(pcv_device_next_vector(vec.device, false, 0, &seen));
    enable(&vec, 0x0184, 2);
    vec_write(&vec, mask_of(&vec, 0x0184), 4, 4);
    for (uint16_t i = 0; i < 4; i++) {
        assert_true(pcv_device_next_vector(vec.device, false, i, &seen));
        assert_false(seen.msix);
        assert_int_equal(seen.index, i);
        assert_int_equal(seen.address, ADDRESS);
        assert_int_equal(seen.data, DATA | i);
        assert_int_equal(seen.message.address, vec.message.address);
        assert_int_equal(seen.message.data, vec.message.data | i);
        assert_int_equal(seen.masked, i == 2);
    }
    assert_false(pcv_device_next_vector(vec.device, false, 4, &seen));
    assert_false(pcv_device_next_vector(vec.device, true, 0, &seen));
    vec_close(&vec);
}

/* LIFE-8: all counts are in one word, which can be full. */
static void descriptors_of_the_host_count_beside_them(void **state)
{
    static struct pcv_vector vectors[2048];
    static struct pcv_vector more[32];
    struct vec vec;

    (void)state;
    start(&vec, 0x018a, false);
    for (uint16_t i = 0; i < 2048; i++) {
        assert_int_equal(pcv_vector_attach(vec.device, &vectors[i], true, i),
                         0);
    }
    enable(&vec, 0x018a, 5);
    assert_int_equal(vec_held(&vec), 2080);
    for (uint16_t i = 0; i < 32; i++) {
        assert_int_equal(pcv_vector_attach(vec.device, &more[i], false, i), 0);
    }
    assert_int_equal(vec_held(&vec), 2112);
    vec_write(&vec, control_of(&vec), 2, 0);
    assert_int_equal(vec_held(&vec), 2080);
    for (uint16_t i = 0; i < 2048; i++) {
        pcv_vector_detach(&vectors[i]);
    }
    for (uint16_t i = 0; i < 32; i++) {
        pcv_vector_detach(&more[i]);
    }
    assert_int_equal(vec_held(&vec), 0);
    vec_close(&vec);
}

/* ---- whatever is written ---------------------------------------------------
 */

/* What holds after any access. */
static void expect_consistent(struct vec *vec)
{
    uint32_t read = vec_read(vec, control_of(vec), 2);
    uint32_t hw = vec_hw(vec, control_of(vec), 2);
    uint32_t count = 1u << (read >> 4 & 7u);

    assert_int_equal(read & 0x018fu, (read & ENABLE) | 0x0188u);
    assert_int_equal(read & ENABLE, hw & ENABLE);
    assert_int_equal(vec_held(vec), (read & ENABLE) != 0 ? count : 0);
    assert_int_equal(pcv_model_bound(vec->rig.model, NULL), vec_held(vec));
    assert_true(count <= 16);
    if ((read & ENABLE) != 0) {
        assert_int_equal(hw >> 4 & 7u, read >> 4 & 7u);
        assert_int_equal(vec_hw(vec, vec->cap + 4u, 4),
                         (uint32_t)vec->message.address);
        assert_int_equal(vec_hw(vec, vec->cap + 12u, 2), vec->message.data);
    }
}

/* MSI-1, MSI-2, CAP-5 */
static void nothing_that_is_written_breaks_it(void **state)
{
    static const uint8_t sizes[] = {1, 2, 4};
    uint64_t seed = 1;
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, 0x0188, guest != 0);
        for (uint32_t i = 0; i < 20000; i++) {
            uint8_t size = sizes[vec_random(&seed) % 3u];
            uint32_t offset = vec_random(&seed) % 24u & ~(size - 1u);

            vec.refuse = vec_random(&seed) % 8u == 0;
            vec_write(&vec, vec.cap + offset, size, vec_random(&seed));
            if (vec_random(&seed) % 64u == 0) {
                vec_reset(&vec);
            } else if (vec_random(&seed) % 64u == 0) {
                vec_restore(&vec);
            }
            expect_consistent(&vec);
        }
        vec.refuse = false;
        assert_int_equal(pcv_model_bind_errors(vec.rig.model), 0);
        vec_close(&vec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_layout_delivers_what_its_owner_programmed),
        cmocka_unit_test(
            more_vectors_than_there_are_and_reserved_counts_are_cut),
        cmocka_unit_test(a_guest_starts_disabled_and_finds_nothing_of_the_host),
        cmocka_unit_test(intx_is_off_while_it_is_on),
        cmocka_unit_test(a_change_takes_effect_at_once_and_only_if_it_is_one),
        cmocka_unit_test(hardware_is_off_while_its_message_changes),
        cmocka_unit_test(masks_reach_hardware_while_they_concern_something),
        cmocka_unit_test(a_failing_bind_leaves_it_disabled),
        cmocka_unit_test(what_the_device_cannot_send_is_refused),
        cmocka_unit_test(a_host_that_answers_nonsense_is_taken_as_failing),
        cmocka_unit_test(a_lost_write_leaves_it_on_or_off),
        cmocka_unit_test(what_firmware_left_enabled_goes_on),
        cmocka_unit_test(what_firmware_left_enabled_may_be_refused),
        cmocka_unit_test(
            reserved_bits_of_hardware_are_kept_and_extended_data_is_not_used),
        cmocka_unit_test(without_a_host_that_binds_nobody_has_it),
        cmocka_unit_test(what_does_not_fit_or_comes_twice_is_hidden),
        cmocka_unit_test(without_memory_it_is_hidden_and_the_rest_works),
        cmocka_unit_test(a_reset_forgets_and_a_restore_remembers),
        cmocka_unit_test(a_restore_that_loses_a_write_leaves_it_disabled),
        cmocka_unit_test(teardown_unbinds_and_may_come_twice),
        cmocka_unit_test(what_is_bound_does_not_keep_a_device),
        cmocka_unit_test(nothing_reaches_a_device_that_vanished),
        cmocka_unit_test(a_change_of_owner_takes_the_vectors_along),
        cmocka_unit_test(bound_messages_are_listed),
        cmocka_unit_test(descriptors_of_the_host_count_beside_them),
        cmocka_unit_test(nothing_that_is_written_breaks_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

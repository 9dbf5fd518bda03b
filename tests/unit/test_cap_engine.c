/* SPDX-License-Identifier: MIT */
/*
 * The engine of capabilities, with a list of its own in place of the library's:
 * what is made up here is a description and a line, and nothing else (CAP-2 to
 * CAP-6).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "vpci/cap.h"

#define GUEST 7u

/* ---- made-up capabilities -------------------------------------------------
 */

#define MADE_UP 0x42u
#define FAILING 0x43u
#define ON_WISH 0x44u
#define EXT_MADE_UP 0x4242u

static int setup_result;
static unsigned setups, teardowns, resets;

static const struct pcv_register made_up_rows[] = {
    {.name = "Made Up Control",
     .offset = 4,
     .size = 2,
     .policy = {.virt = 0x00ff, .constant = 0x0f00},
     .initial = 0x0a00},
    {.name = "Made Up Data",
     .offset = 8,
     .size = 4,
     .policy = {.read_only = 0xffffffffu}},
};

static int made_up_setup(struct pcv__cap *cap)
{
    setups++;
    return pcv__cap_add(cap, made_up_rows,
                        sizeof(made_up_rows) / sizeof(made_up_rows[0]));
}

static int failing_setup(struct pcv__cap *cap)
{
    int error = made_up_setup(cap);

    return error != 0 ? error : setup_result;
}

static void made_up_teardown(struct pcv__cap *cap)
{
    (void)cap;
    teardowns++;
}

static void made_up_reset(struct pcv__cap *cap)
{
    resets++;
    pcv__cap_store(cap, 4, 2, 0);
}

#define BOTH (PCV__CAP_GUEST | PCV__CAP_HARDWARE)

static const struct pcv__cap_desc made_up = {
    .name = "Made Up",
    .id = MADE_UP,
    .flags = PCV__CAP_GUEST,
    .setup = made_up_setup,
    .teardown = made_up_teardown,
    .reset = made_up_reset,
};

static const struct pcv__cap_desc failing = {
    .name = "Failing",
    .id = FAILING,
    .flags = BOTH,
    .control_size = 12,
    .setup = failing_setup,
    .teardown = made_up_teardown,
};

static const struct pcv__cap_desc on_wish = {
    .name = "On Wish",
    .id = ON_WISH,
    .flags = PCV__CAP_GUEST | PCV__CAP_ON_WISH,
    .setup = made_up_setup,
};

static const struct pcv__cap_desc ext_made_up = {
    .name = "Extended Made Up",
    .id = EXT_MADE_UP,
    .extended = true,
    .flags = PCV__CAP_GUEST,
    .setup = made_up_setup,
};

/* The line. */
const struct pcv__cap_desc *const pcv__cap_list[] = {
    &made_up, &failing, &on_wish, &ext_made_up, NULL,
};

/* ---- a machine ------------------------------------------------------------
 */

struct capped {
    struct hosted h;
    struct pcv_domain *guest;
    pcv_sbdf there;
    uint8_t unknown, made_up, failing, on_wish;
    uint16_t ext_unknown, ext_made_up;
};

static void capped_start(struct capped *c)
{
    struct pcv_test_function f;

    setups = 0;
    teardowns = 0;
    resets = 0;
    hosted_build(&c->h);
    pcv_test_pcie_endpoint(&f, 0x1234, 0x5678);
    c->unknown = pcv_test_cap(&f, 0x7e, 12);
    c->made_up = pcv_test_cap(&f, MADE_UP, 12);
    pcv_test_set(&f, c->made_up + 8u, 4, 0xcafe0001);
    c->failing = pcv_test_cap(&f, FAILING, 12);
    c->on_wish = pcv_test_cap(&f, ON_WISH, 12);
    c->ext_unknown = pcv_test_ext_cap(&f, 0x7e7e, 1, 16);
    c->ext_made_up = pcv_test_ext_cap(&f, EXT_MADE_UP, 3, 16);
    pcv_test_add(c->h.model, &f, PCV_TEST_ALONE);
    hosted_start(&c->h);
    hosted_scan(&c->h);
    assert_int_equal(pcv_domain_create(c->h.host, GUEST, &c->guest), 0);
}

static void give(struct capped *c, const struct pcv_assign_policy *policy)
{
    int error = -PCV_ERESTART;

    for (int i = 0; i < 100 && error == -PCV_ERESTART; i++) {
        error = pcv_device_assign(c->h.host, PCV_TEST_ALONE, c->guest, policy,
                                  &c->there);
    }
    assert_int_equal(error, 0);
}

static uint32_t read_as(struct pcv_domain *domain, pcv_sbdf sbdf, uint32_t reg,
                        uint8_t size)
{
    struct pcv_access access = PCV_READ(sbdf, (uint16_t)reg, size);

    assert_int_equal(pcv_access(domain, &access), PCV_DONE);
    return (uint32_t)access.data;
}

static void write_as(struct pcv_domain *domain, pcv_sbdf sbdf, uint32_t reg,
                     uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(sbdf, (uint16_t)reg, size, value);

    assert_int_equal(pcv_access(domain, &access), PCV_DONE);
}

static uint32_t guest_read(struct capped *c, uint32_t reg, uint8_t size)
{
    return read_as(c->guest, c->there, reg, size);
}

static size_t guest_list(struct capped *c, uint32_t *ids, size_t max)
{
    uint32_t at = guest_read(c, PCV_REG_CAPS, 1);
    size_t count = 0;

    while (at != 0 && count < max) {
        ids[count++] = guest_read(c, at, 1);
        at = guest_read(c, at + 1, 1);
    }
    return count;
}

/* ---- tests ----------------------------------------------------------------
 */

/* CAP-4 */
static void a_capability_of_one_file_and_one_line_works(void **state)
{
    struct pcv_register_info info;
    struct pcv_device *device;
    struct capped c;

    (void)state;
    setup_result = 0;
    capped_start(&c);
    give(&c, NULL);
    assert_int_equal(guest_read(&c, c.made_up, 1), MADE_UP);
    assert_int_equal(guest_read(&c, c.made_up + 4u, 2), 0x0a00);
    write_as(c.guest, c.there, c.made_up + 4u, 2, 0xffff);
    assert_int_equal(guest_read(&c, c.made_up + 4u, 2), 0x0aff);
    assert_int_equal(guest_read(&c, c.made_up + 8u, 4), 0xcafe0001);
    device = pcv_domain_device(c.guest, c.there);
    assert_true(pcv_register_next(device, (uint16_t)(c.made_up + 4u), &info));
    assert_string_equal(info.name, "Made Up Control");
    assert_string_equal(info.capability, "Made Up");
    assert_int_equal(info.policy.virt, 0xff);
    pcv_device_put(device);
    hosted_end(&c.h);
    assert_true(setups != 0 && teardowns != 0);
}

/* CAP-2 */
static void what_is_not_virtualised_leaves_no_trace(void **state)
{
    uint32_t ids[8] = {0};
    struct capped c;

    (void)state;
    setup_result = 0;
    capped_start(&c);
    give(&c, NULL);
    assert_int_equal(guest_list(&c, ids, 8), 2);
    assert_int_equal(ids[0], MADE_UP);
    assert_int_equal(ids[1], FAILING);
    assert_int_equal(guest_read(&c, PCV_REG_STATUS, 2) & PCV_STATUS_CAPS,
                     PCV_STATUS_CAPS);
    for (uint32_t at = 0; at < 12; at += 4) {
        assert_int_equal(guest_read(&c, c.unknown + at, 4), 0);
        assert_int_equal(guest_read(&c, c.on_wish + at, 4), 0);
    }
    /* What stood at 0x100 is hidden: a null capability leads on. */
    assert_int_equal(c.ext_unknown, PCV_EXT_CAP_START);
    assert_int_equal(guest_read(&c, PCV_EXT_CAP_START, 4),
                     (uint32_t)c.ext_made_up << 20);
    assert_int_equal(guest_read(&c, c.ext_made_up, 4), EXT_MADE_UP | 3u << 16);
    assert_int_equal(guest_read(&c, PCV_EXT_CAP_START + 4, 4), 0);
    hosted_end(&c.h);
}

/* CAP-2 */
static void a_guest_with_nothing_to_see_has_no_list(void **state)
{
    struct pcv_assign_policy policy = {
        .cap_count = 3,
        .caps = {{.id = MADE_UP},
                 {.id = FAILING},
                 {.id = EXT_MADE_UP, .extended = true}},
    };
    struct capped c;

    (void)state;
    setup_result = 0;
    capped_start(&c);
    give(&c, &policy);
    assert_int_equal(guest_read(&c, PCV_REG_CAPS, 1), 0);
    assert_int_equal(guest_read(&c, PCV_REG_STATUS, 2) & PCV_STATUS_CAPS, 0);
    assert_int_equal(guest_read(&c, PCV_EXT_CAP_START, 4), 0);
    hosted_end(&c.h);
}

/* CAP-6 */
static void an_assignment_hides_shows_and_passes_through(void **state)
{
    struct pcv_assign_policy policy = {
        .cap_count = 2,
        .caps = {{.id = MADE_UP}, {.id = ON_WISH, .show = true}},
        .passed_count = 2,
    };
    struct pcv_register_info info;
    struct pcv_device *device;
    uint32_t ids[8] = {0};
    struct capped c;

    (void)state;
    setup_result = 0;
    capped_start(&c);
    policy.passed[0] = (struct pcv_passed_range){c.unknown, 4, false};
    policy.passed[1] =
        (struct pcv_passed_range){(uint16_t)(c.made_up + 4u), 8, true};
    give(&c, &policy);
    assert_int_equal(guest_list(&c, ids, 8), 2);
    assert_int_equal(ids[0], FAILING);
    assert_int_equal(ids[1], ON_WISH);
    assert_int_equal(guest_read(&c, c.unknown, 1), 0x7e);
    write_as(c.guest, c.there, c.unknown, 4, 0);
    assert_int_equal(guest_read(&c, c.unknown, 1), 0x7e);
    assert_int_equal(guest_read(&c, c.made_up + 8u, 4), 0xcafe0001);
    device = pcv_domain_device(c.guest, c.there);
    assert_true(pcv_register_next(device, c.unknown, &info));
    assert_true(info.passed);
    assert_int_equal(info.policy.read_only, 0xffffffff);
    assert_true(pcv_register_next(device, (uint16_t)(c.made_up + 8u), &info));
    assert_true(info.passed);
    assert_int_equal(info.policy.hardware, 0xffffffff);
    assert_true(pcv_register_next(device, PCV_REG_VENDOR, &info));
    assert_false(info.passed);
    pcv_device_put(device);
    hosted_end(&c.h);
}

static uint32_t hidden_seen;

static void note_hidden(void *arg, const struct pcv_event *event)
{
    (void)arg;
    if (event->kind == PCV_EVENT_CAP_HIDDEN) {
        hidden_seen++;
        assert_int_equal(event->arg[0], FAILING);
        assert_int_equal(event->arg[1], PCV_EIO);
    }
}

/* CAP-3 */
static void a_failing_capability_is_hidden_and_the_rest_works(void **state)
{
    struct pcv_domain *hardware;
    uint32_t ids[8] = {0};
    struct capped c;

    (void)state;
    setup_result = -PCV_EIO;
    hidden_seen = 0;
    capped_start(&c);
    hardware = pcv_host_hardware_domain(c.h.host);
    pcv_model_on_event(c.h.model, note_hidden, NULL);
    /* For the hardware domain, its list goes past it ... */
    assert_int_equal(read_as(hardware, PCV_TEST_ALONE, c.made_up + 1u, 1),
                     c.on_wish);
    assert_int_equal(read_as(hardware, PCV_TEST_ALONE, c.on_wish, 1), ON_WISH);
    /* ... and its registers cannot be written. */
    pcv_model_poke(c.h.model, PCV_TEST_ALONE, (uint16_t)(c.failing + 4u), 4,
                   0x600d);
    write_as(hardware, PCV_TEST_ALONE, c.failing + 4u, 4, 0xbad);
    assert_int_equal(read_as(hardware, PCV_TEST_ALONE, c.failing + 4u, 4),
                     0x600d);
    give(&c, NULL);
    assert_int_equal(hidden_seen, 1);
    assert_int_equal(guest_list(&c, ids, 8), 1);
    assert_int_equal(ids[0], MADE_UP);
    assert_int_equal(guest_read(&c, c.failing + 4u, 4), 0);
    hosted_end(&c.h);
}

/* CAP-5 */
static void teardown_may_come_twice_and_without_setup(void **state)
{
    const uint32_t both = PCV__LIST_FIRST | PCV__LIST_EXTENDED;
    struct pcv_device *device;
    struct capped c;

    (void)state;
    setup_result = -PCV_ENOMEM;
    capped_start(&c);
    give(&c, NULL);
    device = pcv_domain_device(c.guest, c.there);
    pcv__lock_take(&c.h.host->mem, &device->lock);
    teardowns = 0;
    pcv__caps_teardown(device, PCV__LIST_EXTENDED);
    assert_int_equal(teardowns, 0);
    pcv__caps_teardown(device, both);
    pcv__caps_teardown(device, both);
    assert_int_equal(teardowns, 4); /* two descriptions, one of them hidden */
    pcv__lock_drop(&c.h.host->mem, &device->lock);
    pcv_device_put(device);
    hosted_end(&c.h);
}

/* CAP-4 */
static void a_reset_is_told_to_what_is_up(void **state)
{
    struct pcv_device *device;
    struct capped c;

    (void)state;
    setup_result = 0;
    capped_start(&c);
    give(&c, NULL);
    write_as(c.guest, c.there, c.made_up + 4u, 2, 0x55);
    device = pcv_domain_device(c.guest, c.there);
    resets = 0;
    pcv__lock_take(&c.h.host->mem, &device->lock);
    pcv__caps_reset(device);
    pcv__lock_drop(&c.h.host->mem, &device->lock);
    assert_int_equal(resets, 1);
    assert_int_equal(guest_read(&c, c.made_up + 4u, 2) & 0xff, 0);
    pcv_device_put(device);
    hosted_end(&c.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capability_of_one_file_and_one_line_works),
        cmocka_unit_test(what_is_not_virtualised_leaves_no_trace),
        cmocka_unit_test(a_guest_with_nothing_to_see_has_no_list),
        cmocka_unit_test(an_assignment_hides_shows_and_passes_through),
        cmocka_unit_test(a_failing_capability_is_hidden_and_the_rest_works),
        cmocka_unit_test(teardown_may_come_twice_and_without_setup),
        cmocka_unit_test(a_reset_is_told_to_what_is_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

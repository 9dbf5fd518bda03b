/* SPDX-License-Identifier: MIT */
/* Guests, and functions that go to them and come back (OWN-4 to OWN-6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"

#define GUEST 7u
#define WINDOW 0x80000000ull
#define WINDOW_SIZE 0x10000000ull

struct given {
    struct hosted h;
    struct pcv_domain *guest;
};

/* A function that can do FLR, with a BAR. */
static void make_card(struct pcv_test_function *card, uint32_t address)
{
    pcv_test_pcie_endpoint(card, 0x1234, 0x5678);
    pcv_test_bar64(card, 0, address, 16384);
    pcv_test_set(card, PCV_REG_COMMAND, 2,
                 PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_INTX_OFF);
}

static void given_start(struct given *g)
{
    struct pcv_test_function card;

    hosted_build(&g->h);
    make_card(&card, 0xfe000000);
    pcv_test_add(g->h.model, &card, PCV_TEST_ALONE);
    make_card(&card, 0xfe100000);
    pcv_test_add(g->h.model, &card, pcv_test_at(0, 0, 4, 0));
    hosted_start(&g->h);
    hosted_scan(&g->h);
    assert_int_equal(pcv_domain_create(g->h.host, GUEST, &g->guest), 0);
    assert_int_equal(
        pcv_domain_add_window(g->guest, (pcv_gpa){WINDOW}, WINDOW_SIZE), 0);
}

static int assign(struct given *g, pcv_sbdf sbdf,
                  const struct pcv_assign_policy *policy, pcv_sbdf *out)
{
    int error;

    for (int i = 0; i < 100; i++) {
        error = pcv_device_assign(g->h.host, sbdf, g->guest, policy, out);
        if (error != -PCV_ERESTART) {
            return error;
        }
    }
    fail_msg("an assignment never ended");
    return error;
}

static int deassign(struct given *g, pcv_sbdf sbdf)
{
    int error;

    for (int i = 0; i < 100; i++) {
        error = pcv_device_deassign(g->h.host, sbdf);
        if (error != -PCV_ERESTART) {
            return error;
        }
    }
    fail_msg("a return never ended");
    return error;
}

static uint32_t read_as(struct pcv_domain *domain, pcv_sbdf sbdf, uint16_t reg,
                        uint8_t size, enum pcv_verdict expect)
{
    struct pcv_access access = PCV_READ(sbdf, reg, size);

    assert_int_equal(pcv_access(domain, &access), expect);
    return (uint32_t)access.data;
}

/* OWN-1 */
static void a_guest_is_created_once_and_ends_empty(void **state)
{
    struct pcv_domain *other = NULL;
    struct given g;

    (void)state;
    given_start(&g);
    assert_int_equal(pcv_domain_create(g.h.host, GUEST, &other), -PCV_EEXIST);
    assert_int_equal(
        pcv_domain_create(g.h.host, PCV_DOMAIN_ID_HARDWARE, &other),
        -PCV_EINVAL);
    assert_int_equal(
        pcv_domain_create(g.h.host, PCV_DOMAIN_ID_QUARANTINE, &other),
        -PCV_EINVAL);
    assert_null(other);
    assert_int_equal(pcv_domain_create(g.h.host, 3, &other), 0);
    assert_ptr_equal(pcv_domain_find(g.h.host, GUEST), g.guest);
    assert_ptr_equal(pcv_domain_next(g.h.host, 0, true), other);
    assert_ptr_equal(pcv_domain_next(g.h.host, 3, false), g.guest);
    assert_null(pcv_domain_next(g.h.host, GUEST, false));
    assert_int_equal(pcv_domain_destroy(other), 0);
    assert_null(pcv_domain_find(g.h.host, 3));
    assert_int_equal(pcv_domain_destroy(pcv_host_hardware_domain(g.h.host)),
                     -PCV_EINVAL);
    assert_int_equal(assign(&g, PCV_TEST_ALONE, NULL, NULL), 0);
    assert_int_equal(deassign(&g, PCV_TEST_ALONE), 0);
    assert_int_equal(pcv_domain_destroy(g.guest), 0);
    hosted_end(&g.h);
}

/* HDR-17 */
static void windows_are_whole_pages_that_do_not_overlap(void **state)
{
    static const struct {
        uint64_t base, size;
        int error;
    } cases[] = {
        {0x1000, 0, -PCV_EINVAL},
        {0x1001, 0x1000, -PCV_EINVAL},
        {0x1000, 0x1001, -PCV_EINVAL},
        {UINT64_MAX - 0xfff, 0x2000, -PCV_EINVAL},
        {WINDOW, 0x1000, -PCV_EEXIST},
        {WINDOW - 0x1000, 0x2000, -PCV_EEXIST},
        {WINDOW + WINDOW_SIZE - 0x1000, 0x2000, -PCV_EEXIST},
        {WINDOW - 0x1000, 0x1000, 0},
        {WINDOW + WINDOW_SIZE, 0x1000, 0},
        {UINT64_MAX - 0xfff, 0x1000, 0},
    };
    struct given g;

    (void)state;
    given_start(&g);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(pcv_domain_add_window(
                             g.guest, (pcv_gpa){cases[i].base}, cases[i].size),
                         cases[i].error);
    }
    for (uint64_t i = 4; i < PCV_DOMAIN_WINDOWS; i++) {
        assert_int_equal(
            pcv_domain_add_window(g.guest, (pcv_gpa){i << 20}, 0x1000), 0);
    }
    assert_int_equal(pcv_domain_add_window(g.guest, (pcv_gpa){0xf000}, 0x1000),
                     -PCV_ENOSPC);
    assert_int_equal(pcv_domain_add_window(pcv_host_hardware_domain(g.h.host),
                                           (pcv_gpa){0xf000}, 0x1000),
                     -PCV_EINVAL);
    hosted_end(&g.h);
}

/* OWN-1, OWN-6, OWN-14, VBUS-5 */
static void a_function_is_seen_by_its_owner_alone(void **state)
{
    struct pcv_domain *hardware;
    struct pcv_device_status status;
    pcv_sbdf there = {0};
    struct given g;

    (void)state;
    given_start(&g);
    hardware = pcv_host_hardware_domain(g.h.host);
    assert_int_equal(assign(&g, PCV_TEST_ALONE, NULL, &there), 0);
    assert_int_equal(there.v, pcv_test_at(0, 0, 1, 0).v);
    status = hosted_status(&g.h, PCV_TEST_ALONE);
    assert_int_equal(status.owner_id, GUEST);
    assert_int_equal(status.held[PCV_HOLDER_OWNER], 1);
    assert_int_equal(status.held[PCV_HOLDER_CALLER], 0);
    assert_int_equal(read_as(g.guest, there, 0, 4, PCV_DONE), 0x56781234);
    assert_int_equal(read_as(g.guest, PCV_TEST_ALONE, 0, 4, PCV_ABSENT),
                     0xffffffff);
    assert_int_equal(
        read_as(g.guest, pcv_test_at(0, 1, 1, 0), 0, 4, PCV_ABSENT),
        0xffffffff);
    /* What the hardware domain reads there is a placeholder. */
    assert_null(pcv_device_find_owned(hardware, PCV_TEST_ALONE));
    assert_int_equal(read_as(hardware, PCV_TEST_ALONE, 0, 4, PCV_DONE),
                     0x56781234);
    assert_int_equal(read_as(hardware, pcv_test_at(0, 0, 4, 0), 0, 4, PCV_DONE),
                     0x56781234);
    assert_int_equal(deassign(&g, PCV_TEST_ALONE), 0);
    assert_int_equal(read_as(g.guest, there, 0, 4, PCV_ABSENT), 0xffffffff);
    assert_int_equal(read_as(hardware, PCV_TEST_ALONE, 0, 4, PCV_DONE),
                     0x56781234);
    status = hosted_status(&g.h, PCV_TEST_ALONE);
    assert_int_equal(status.owner_id, PCV_DOMAIN_ID_HARDWARE);
    hosted_end(&g.h);
}

/* OWN-5 */
static void a_change_of_owner_silences_blocks_and_resets(void **state)
{
    const uint32_t off = PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER;
    pcv_sbdf there;
    struct given g;

    (void)state;
    given_start(&g);
    assert_true(pcv_model_mapped_pages(g.h.model) != 0);
    assert_int_equal(pcv_model_dma_domain(g.h.model, PCV_TEST_ALONE),
                     PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(assign(&g, PCV_TEST_ALONE, NULL, &there), 0);
    assert_int_equal(
        pcv_model_peek(g.h.model, PCV_TEST_ALONE, PCV_REG_COMMAND, 2) & off, 0);
    assert_int_equal(pcv_model_dma_domain(g.h.model, PCV_TEST_ALONE), GUEST);
    /* Its own BAR is not mapped any more; the other card's is. */
    assert_int_equal(pcv_model_mapped_pages(g.h.model), 4);
    /* The host's address survived the reset. */
    assert_int_equal(
        pcv_model_peek(g.h.model, PCV_TEST_ALONE, PCV_REG_BAR0, 4) &
            PCV_BAR_MEM_MASK,
        0xfe000000);
    assert_int_equal(read_as(g.guest, there, PCV_REG_COMMAND, 2, PCV_DONE), 0);
    assert_int_equal(deassign(&g, PCV_TEST_ALONE), 0);
    assert_int_equal(pcv_model_dma_domain(g.h.model, PCV_TEST_ALONE),
                     PCV_DOMAIN_ID_HARDWARE);
    hosted_end(&g.h);
}

static bool is_mapped(struct given *g, pcv_sbdf sbdf)
{
    return (hosted_info(&g->h, sbdf).bar[0].flags & PCV_BAR_MAPPED) != 0;
}

/* OWN-5, HDR-14: what was mapped for one owner is not said to be for the next
 * one. */
static void what_is_known_of_a_bar_is_what_is_mapped_now(void **state)
{
    struct pcv_access on =
        PCV_WRITE(PCV_TEST_ALONE, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    struct given g;

    (void)state;
    given_start(&g);
    assert_true(is_mapped(&g, PCV_TEST_ALONE));
    assert_int_equal(assign(&g, PCV_TEST_ALONE, NULL, NULL), 0);
    assert_false(is_mapped(&g, PCV_TEST_ALONE));
    assert_int_equal(deassign(&g, PCV_TEST_ALONE), 0);
    assert_false(is_mapped(&g, PCV_TEST_ALONE));
    assert_int_equal(pcv_access(pcv_host_hardware_domain(g.h.host), &on),
                     PCV_PENDING);
    while (pcv_access_resume(pcv_host_hardware_domain(g.h.host), &on) !=
           PCV_DONE) {
    }
    assert_true(is_mapped(&g, PCV_TEST_ALONE));
    hosted_end(&g.h);
}

/* OWN-4 */
static void what_cannot_be_given_is_refused_and_unchanged(void **state)
{
    struct pcv_test_function f;
    struct pcv_assign_policy policy = {0};
    struct pcv_vector vector = {.index = 0};
    struct pcv_device *device;
    struct given g;

    (void)state;
    hosted_build(&g.h);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_add(g.h.model, &f, pcv_test_at(0, 0, 1, 0));
    pcv_test_endpoint(&f, 0x1111, 0x2222); /* no way to reset it */
    pcv_test_add(g.h.model, &f, pcv_test_at(0, 0, 2, 0));
    make_card(&f, 0xfe000000);
    pcv_test_add(g.h.model, &f, PCV_TEST_ALONE);
    hosted_start(&g.h);
    hosted_scan(&g.h);
    assert_int_equal(pcv_domain_create(g.h.host, GUEST, &g.guest), 0);
    assert_int_equal(assign(&g, pcv_test_at(0, 0, 1, 0), NULL, NULL),
                     -PCV_EPERM);
    assert_int_equal(assign(&g, pcv_test_at(0, 0, 9, 0), NULL, NULL),
                     -PCV_ENODEV);
    assert_int_equal(assign(&g, pcv_test_at(0, 0, 2, 0), NULL, NULL),
                     -PCV_EOPNOTSUPP);
    policy.flags = PCV_ASSIGN_NO_RESET;
    assert_int_equal(assign(&g, pcv_test_at(0, 0, 2, 0), &policy, NULL), 0);
    assert_int_equal(assign(&g, pcv_test_at(0, 0, 2, 0), &policy, NULL),
                     -PCV_EINVAL);
    policy.flags = PCV_ASSIGN_SLOT;
    policy.slot = pcv_devfn(1, 0);
    assert_int_equal(assign(&g, PCV_TEST_ALONE, &policy, NULL), -PCV_EEXIST);
    policy.flags = 0x80;
    assert_int_equal(assign(&g, PCV_TEST_ALONE, &policy, NULL), -PCV_EINVAL);
    device = pcv_device_find(g.h.host, PCV_TEST_ALONE);
    assert_int_equal(pcv_vector_attach(device, &vector, false, 0), 0);
    assert_int_equal(assign(&g, PCV_TEST_ALONE, NULL, NULL), -PCV_EBUSY);
    pcv_vector_detach(&vector);
    pcv_device_put(device);
    assert_int_equal(pcv_device_assign(g.h.host, PCV_TEST_ALONE,
                                       pcv_host_hardware_domain(g.h.host), NULL,
                                       NULL),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_deassign(g.h.host, PCV_TEST_ALONE),
                     -PCV_EINVAL);
    /* Nothing of that touched it. */
    assert_int_equal(hosted_status(&g.h, PCV_TEST_ALONE).owner_id,
                     PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(read_as(pcv_host_hardware_domain(g.h.host), PCV_TEST_ALONE,
                             0, 4, PCV_DONE),
                     0x56781234);
    hosted_end(&g.h);
}

/* LIFE-5 */
static void a_guests_function_is_not_removed(void **state)
{
    pcv_sbdf busy = {0};
    struct given g;

    (void)state;
    given_start(&g);
    assert_int_equal(assign(&g, PCV_TEST_ALONE, NULL, NULL), 0);
    assert_int_equal(pcv_device_remove(g.h.host, PCV_TEST_ALONE, NULL, &busy),
                     -PCV_EBUSY);
    assert_int_equal(busy.v, PCV_TEST_ALONE.v);
    assert_int_equal(hosted_status(&g.h, PCV_TEST_ALONE).owner_id, GUEST);
    /* What vanished goes, and its slot is free for the next. */
    assert_int_equal(pcv_device_vanished(g.h.host, PCV_TEST_ALONE), 0);
    assert_int_equal(pcv_device_remove(g.h.host, PCV_TEST_ALONE, NULL, &busy),
                     0);
    assert_int_equal(assign(&g, pcv_test_at(0, 0, 4, 0), NULL, &busy), 0);
    assert_int_equal(busy.v, pcv_test_at(0, 0, 1, 0).v);
    hosted_end(&g.h);
}

/* HDR-15 */
static void a_slot_says_whether_it_has_more_functions(void **state)
{
    const uint16_t reg = PCV_REG_HEADER_TYPE;
    struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_SLOT,
                                       .slot = pcv_devfn(5, 0)};
    pcv_sbdf first = pcv_test_at(0, 0, 5, 0);
    struct given g;

    (void)state;
    given_start(&g);
    assert_int_equal(assign(&g, PCV_TEST_ALONE, &policy, NULL), 0);
    assert_int_equal(read_as(g.guest, first, reg, 1, PCV_DONE), 0);
    policy.slot = pcv_devfn(5, 3);
    assert_int_equal(assign(&g, pcv_test_at(0, 0, 4, 0), &policy, NULL), 0);
    assert_int_equal(read_as(g.guest, first, reg, 1, PCV_DONE),
                     PCV_HEADER_MULTI);
    assert_int_equal(
        read_as(g.guest, pcv_test_at(0, 0, 5, 3), reg, 1, PCV_DONE),
        PCV_HEADER_MULTI);
    assert_int_equal(deassign(&g, pcv_test_at(0, 0, 4, 0)), 0);
    assert_int_equal(read_as(g.guest, first, reg, 1, PCV_DONE), 0);
    hosted_end(&g.h);
}

/* VBUS-1 */
static void a_full_bus_is_said(void **state)
{
    struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_SLOT};
    struct pcv_test_function card;
    struct given g;

    (void)state;
    hosted_build(&g.h);
    for (uint8_t i = 0; i < PCV_SLOTS; i++) {
        make_card(&card, 0xfe000000u + i * 0x10000u);
        pcv_test_add(g.h.model, &card, pcv_test_at(0, 0, i, 0));
    }
    hosted_start(&g.h);
    hosted_scan(&g.h);
    assert_int_equal(pcv_domain_create(g.h.host, GUEST, &g.guest), 0);
    for (uint8_t i = 1; i < PCV_SLOTS; i++) {
        assert_int_equal(assign(&g, pcv_test_at(0, 0, i, 0), NULL, NULL), 0);
    }
    assert_int_equal(assign(&g, pcv_test_at(0, 0, 0, 0), NULL, NULL),
                     -PCV_ENOSPC);
    policy.slot = pcv_devfn(0, 0);
    assert_int_equal(assign(&g, pcv_test_at(0, 0, 0, 0), &policy, NULL), 0);
    hosted_end(&g.h);
}

/* OWN-5, PORT-3 */
static void a_change_that_fails_leaves_quarantine_or_nothing_changed(
    void **state)
{
    static const enum pcv_model_op ops[] = {
        PCV_MODEL_OP_alloc, PCV_MODEL_OP_cfg_read, PCV_MODEL_OP_cfg_write,
        PCV_MODEL_OP_dma_attach};

    (void)state;
    for (size_t op = 0; op < sizeof(ops) / sizeof(ops[0]); op++) {
        bool failed = true;

        for (uint64_t nth = 1; failed; nth++) {
            struct pcv_device_status status;
            struct given g;
            uint64_t before;
            int error;

            given_start(&g);
            before = pcv_model_calls(g.h.model, ops[op]);
            pcv_model_fail(g.h.model, ops[op], nth);
            error = assign(&g, PCV_TEST_ALONE, NULL, NULL);
            failed = pcv_model_calls(g.h.model, ops[op]) - before >= nth;
            pcv_model_fail(g.h.model, ops[op], 0);
            status = hosted_status(&g.h, PCV_TEST_ALONE);
            if (error == 0) {
                assert_int_equal(status.owner_id, GUEST);
            } else if (status.owner_id == PCV_DOMAIN_ID_QUARANTINE) {
                assert_int_equal(
                    pcv_model_dma_domain(g.h.model, PCV_TEST_ALONE),
                    PCV_DOMAIN_ID_QUARANTINE);
                assert_int_equal(deassign(&g, PCV_TEST_ALONE), 0);
            } else {
                assert_int_equal(status.owner_id, PCV_DOMAIN_ID_HARDWARE);
            }
            if (error != 0) {
                assert_int_equal(read_as(pcv_host_hardware_domain(g.h.host),
                                         PCV_TEST_ALONE, 0, 4, PCV_DONE),
                                 0x56781234);
                assert_int_equal(assign(&g, PCV_TEST_ALONE, NULL, NULL), 0);
            }
            hosted_end(&g.h);
        }
    }
}

static uint64_t told;

static void count_event(void *arg, const struct pcv_event *event)
{
    (void)arg;
    told += event->kind == PCV_EVENT_MAP_FAILED ? 1 : 0;
}

static void write_as(struct pcv_domain *domain, pcv_sbdf sbdf, uint16_t reg,
                     uint8_t size, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(sbdf, reg, size, value);
    enum pcv_verdict verdict = pcv_access(domain, &access);

    for (int i = 0; i < 100 && verdict != PCV_DONE; i++) {
        verdict = pcv_access_resume(domain, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
}

/* HDR-10, and what a guest can cause is limited in rate */
static void a_guest_fills_only_its_share_of_the_log(void **state)
{
    const uint64_t times = 200;
    struct pcv_host_stats stats;
    pcv_sbdf there;
    struct given g;

    (void)state;
    given_start(&g);
    assert_int_equal(assign(&g, PCV_TEST_ALONE, NULL, &there), 0);
    write_as(g.guest, there, PCV_REG_BAR0, 4, (uint32_t)WINDOW);
    pcv_model_on_event(g.h.model, count_event, NULL);
    pcv_model_set_clock(g.h.model, true);
    told = 0;
    for (uint64_t i = 0; i < times; i++) {
        pcv_model_fail(g.h.model, PCV_MODEL_OP_map, 1);
        write_as(g.guest, there, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        assert_int_equal(read_as(g.guest, there, PCV_REG_COMMAND, 2, PCV_DONE),
                         0);
    }
    pcv_host_get_stats(g.h.host, &stats);
    assert_true(told != 0 && told < times);
    assert_int_equal(stats.dropped_events, times - told);
    pcv_model_advance_us(g.h.model, 1000000);
    told = 0;
    pcv_model_fail(g.h.model, PCV_MODEL_OP_map, 1);
    write_as(g.guest, there, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(told, 1);
    hosted_end(&g.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_is_created_once_and_ends_empty),
        cmocka_unit_test(windows_are_whole_pages_that_do_not_overlap),
        cmocka_unit_test(a_function_is_seen_by_its_owner_alone),
        cmocka_unit_test(a_change_of_owner_silences_blocks_and_resets),
        cmocka_unit_test(what_is_known_of_a_bar_is_what_is_mapped_now),
        cmocka_unit_test(what_cannot_be_given_is_refused_and_unchanged),
        cmocka_unit_test(a_guests_function_is_not_removed),
        cmocka_unit_test(a_slot_says_whether_it_has_more_functions),
        cmocka_unit_test(a_full_bus_is_said),
        cmocka_unit_test(a_guest_fills_only_its_share_of_the_log),
        cmocka_unit_test(
            a_change_that_fails_leaves_quarantine_or_nothing_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

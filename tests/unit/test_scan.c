/* SPDX-License-Identifier: MIT */
/* The scan: what is found, how it goes on, and what it costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void put_endpoint(struct hosted *h, pcv_sbdf at, uint8_t header)
{
    struct pcv_test_function f;

    pcv_test_endpoint(&f, 0x8086, 0x1234);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, header);
    pcv_test_add(h->model, &f, at);
}

/* ---- functions of a device ------------------------------------------------
 */

/* TOPO-8 */
static void the_multi_function_bit_of_function_0_decides(void **state)
{
    struct hosted h;

    (void)state;
    hosted_build(&h);
    /* 0 and 3, the bit not set; 0, 2 and 7, it is; 4 alone, without a 0 */
    put_endpoint(&h, pcv_test_at(0, 0, 1, 0), 0);
    put_endpoint(&h, pcv_test_at(0, 0, 1, 3), PCV_HEADER_MULTI);
    put_endpoint(&h, pcv_test_at(0, 0, 2, 0), PCV_HEADER_MULTI);
    put_endpoint(&h, pcv_test_at(0, 0, 2, 2), 0);
    put_endpoint(&h, pcv_test_at(0, 0, 2, 7), 0);
    put_endpoint(&h, pcv_test_at(0, 0, 3, 4), PCV_HEADER_MULTI);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 4);
    assert_true(hosted_found(&h, pcv_test_at(0, 0, 1, 0)));
    assert_true(hosted_found(&h, pcv_test_at(0, 0, 2, 0)));
    assert_true(hosted_found(&h, pcv_test_at(0, 0, 2, 2)));
    assert_true(hosted_found(&h, pcv_test_at(0, 0, 2, 7)));
    hosted_end(&h);
}

/* ---- ARI ------------------------------------------------------------------
 */

struct ari {
    uint8_t function, next;
};

/* A root port and behind it functions that name each other. */
static void ari_machine(struct hosted *h, bool forwards, const struct ari *fn,
                        size_t count)
{
    struct pcv_test_function f;
    uint16_t cap;

    hosted_build(h);
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_set(&f, 0x40 + PCV_PCIE_DEVCTL2, 2,
                 forwards ? PCV_PCIE_DEVCTL2_ARI : 0);
    pcv_test_add(h->model, &f, pcv_test_at(0, 0, 1, 0));
    for (size_t i = 0; i < count; i++) {
        pcv_test_pcie_endpoint(&f, 0x8086, 0x1234);
        cap = pcv_test_ext_cap(&f, PCV_EXT_CAP_ID_ARI, 1, 8);
        pcv_test_set(&f, cap + PCV_ARI_CAP, 2, (uint32_t)fn[i].next << 8);
        pcv_test_add(h->model, &f, pcv_sbdf_make(0, 1, fn[i].function));
    }
    hosted_start(h);
}

/* TOPO-8 */
static void with_ari_next_function_numbers_are_followed_while_they_grow(
    void **state)
{
    static const struct {
        const char *what;
        bool forwards;
        size_t count;
        struct ari fn[4];
        uint32_t found; /* behind the port */
    } rows[] = {
        {"a list", true, 4, {{0, 8}, {8, 9}, {9, 255}, {255, 0}}, 4},
        {"not forwarded", false, 3, {{0, 8}, {8, 9}, {9, 0}}, 1},
        {"to itself", true, 2, {{0, 0}, {8, 0}}, 1},
        {"back to the first", true, 3, {{0, 8}, {8, 0}, {9, 0}}, 2},
        {"back to the one before", true, 3, {{0, 8}, {8, 9}, {9, 8}}, 3},
        {"staying where it is", true, 3, {{0, 8}, {8, 8}, {9, 0}}, 2},
        {"to nobody", true, 2, {{0, 7}, {8, 0}}, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hosted h;

        ari_machine(&h, rows[i].forwards, rows[i].fn, rows[i].count);
        if (hosted_scan(&h) != rows[i].found + 1) {
            fail_msg("%s", rows[i].what);
        }
        hosted_end(&h);
    }
}

/* ---- VFs ------------------------------------------------------------------
 */

/* TOPO-8 */
static void vfs_are_found_by_their_pfs_capability(void **state)
{
    static const struct {
        const char *what;
        uint16_t enabled, offset, stride;
        uint32_t found; /* of VFs at functions 4 and 6 */
    } rows[] = {
        {"two, two apart", 2, 4, 2, 2},
        {"one of two", 1, 4, 2, 1},
        {"switched off", 0, 4, 2, 0},
        {"no offset", 2, 0, 2, 0},
        {"no stride", 2, 4, 0, 0},
        {"one needs no stride", 1, 4, 0, 1},
        {"beyond the last", 2, 4, 0xffff, 1},
    };
    const pcv_sbdf pf = pcv_test_at(0, 0, 1, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pcv_test_function f;
        struct hosted h;

        hosted_build(&h);
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
        (void)pcv_test_sriov(&f, 2, rows[i].enabled, rows[i].offset,
                             rows[i].stride);
        pcv_test_add(h.model, &f, pf);
        pcv_test_vf(&f, pf);
        pcv_test_add(h.model, &f, pcv_test_at(0, 0, 1, 4));
        pcv_test_add(h.model, &f, pcv_test_at(0, 0, 1, 6));
        hosted_start(&h);
        if (hosted_scan(&h) != rows[i].found + 1) {
            fail_msg("%s", rows[i].what);
        }
        if (rows[i].found != 0) {
            struct pcv_device_info vf = hosted_info(&h, (pcv_sbdf){pf.v + 4});

            assert_true(vf.is_vf);
            assert_int_equal(vf.physfn.v, pf.v);
            assert_int_equal(vf.vendor, 0x8086);
            assert_int_equal(vf.device, 0x10ca);
        }
        hosted_end(&h);
    }
}

/* TOPO-8 */
static void a_pf_does_not_get_functions_behind_other_bridges(void **state)
{
    struct pcv_test_function f;
    struct hosted h;

    (void)state;
    hosted_build(&h);
    for (uint8_t i = 0; i < 2; i++) {
        pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, (uint8_t)(1 + i),
                      (uint8_t)(1 + i));
        pcv_test_add(h.model, &f, pcv_test_at(0, 0, (uint8_t)(2 + i), 0));
    }
    /* One PF on the root bus before the ports, one behind the first port: both
     * say that bus 2 is full of their VFs. */
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 256, 256, 0x1f8, 1);
    pcv_test_add(h.model, &f, pcv_test_at(0, 0, 1, 0));
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    (void)pcv_test_sriov(&f, 256, 256, 0x100, 1);
    pcv_test_add(h.model, &f, pcv_test_at(0, 1, 0, 0));
    pcv_test_pcie_endpoint(&f, 0x1af4, 0x1041);
    pcv_test_add(h.model, &f, pcv_test_at(0, 2, 0, 0));
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 5);
    assert_false(hosted_info(&h, pcv_test_at(0, 2, 0, 0)).is_vf);
    assert_int_equal(hosted_info(&h, pcv_test_at(0, 2, 0, 0)).vendor, 0x1af4);
    hosted_end(&h);
}

/* TOPO-8 */
static void a_function_that_answers_nonsense_hides_no_other(void **state)
{
    /* What stands at 00:01.0, 01:00.0 and so on: each breaks one thing. */
    static const struct {
        const char *what;
        uint16_t reg;
        uint8_t size;
        uint32_t value;
    } rows[] = {
        {"header type", PCV_REG_HEADER_TYPE, 1, 0x7f},
        {"all of the header type", PCV_REG_HEADER_TYPE, 1, 0xff},
        {"capability pointer", PCV_REG_CAPS, 1, 0xff},
        {"status all ones", PCV_REG_STATUS, 2, 0xffff},
        {"class", PCV_REG_REVISION, 4, 0xffffffff},
        {"BAR", PCV_REG_BAR0, 4, 0xffffffff},
        {"command", PCV_REG_COMMAND, 2, 0xffff},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pcv_test_function f;
        struct hosted h;

        hosted_build(&h);
        pcv_test_pcie_endpoint(&f, 0x8086, 0x1234);
        pcv_test_set(&f, rows[i].reg, rows[i].size, rows[i].value);
        pcv_test_add(h.model, &f, pcv_test_at(0, 0, 1, 0));
        put_endpoint(&h, pcv_test_at(0, 0, 2, 0), 0);
        hosted_start(&h);
        if (hosted_scan(&h) != 2) {
            fail_msg("%s", rows[i].what);
        }
        hosted_end(&h);
    }
}

/* ---- progress -------------------------------------------------------------
 */

/* TOPO-8 */
static void a_scan_goes_on_where_its_budget_ended(void **state)
{
    static const uint32_t budgets[] = {1, 3, 255, 256, 257};

    (void)state;
    for (size_t i = 0; i < COUNT(budgets); i++) {
        struct pcv_scan scan = {0};
        uint32_t restarts = 0;
        struct hosted h;
        int error;

        tree_build(&h);
        hosted_start(&h);
        while ((error = pcv_host_scan(h.host, &scan, budgets[i])) ==
               -PCV_ERESTART) {
            restarts++;
            assert_true(restarts < 300);
        }
        assert_int_equal(error, 0);
        assert_int_equal(restarts, 255 / budgets[i]);
        assert_int_equal(scan.found, TREE_FUNCTIONS);
        /* Once more: everything is known. */
        memset(&scan, 0, sizeof(scan));
        assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
        assert_int_equal(scan.found, 0);
        assert_int_equal(scan.failed, 0);
        assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
        hosted_end(&h);
    }
}

/* TOPO-8 */
static void an_address_where_nobody_is_costs_no_memory(void **state)
{
    struct hosted h;
    uint64_t bytes;

    (void)state;
    hosted_build(&h);
    put_endpoint(&h, pcv_test_at(0, 0, 1, 0), 0);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), 1);
    bytes = pcv_model_bytes(h.model);
    assert_int_equal(hosted_scan(&h), 0);
    assert_int_equal(pcv_model_bytes(h.model), bytes);
    /* One bus and one device have a table. */
    assert_int_equal(pcv_device_add(h.host, pcv_test_at(0, 9, 0, 0), NULL),
                     -PCV_ENODEV);
    assert_int_equal(pcv_model_bytes(h.model), bytes);
    hosted_end(&h);
}

/* TOPO-8, PORT-3 */
static void a_scan_counts_what_could_not_be_added_and_goes_on(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct pcv_scan scan = {0};
        struct hosted h;
        uint64_t calls;

        tree_build(&h);
        hosted_start(&h);
        calls = pcv_model_calls(h.model, PCV_MODEL_OP_alloc);
        pcv_model_fail(h.model, PCV_MODEL_OP_alloc, n);
        assert_int_equal(pcv_host_scan(h.host, &scan, 0), 0);
        pcv_model_fail(h.model, PCV_MODEL_OP_alloc, 0);
        calls = pcv_model_calls(h.model, PCV_MODEL_OP_alloc) - calls;
        assert_true(scan.failed <= 1);
        if (scan.failed != 0) {
            assert_int_equal(scan.first_error, -PCV_ENOMEM);
            assert_int_equal(hosted_state(&h, scan.first_failed),
                             PCV_STATE_ABSENT);
            /* A second scan finds what the first could not. */
            (void)hosted_scan(&h);
        }
        assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
        hosted_end(&h);
        if (calls < n) {
            assert_int_equal(scan.failed, 0);
            break;
        }
    }
}

/* TOPO-8, PORT-3 */
static void a_scan_whose_host_fails_to_name_a_segment_can_be_repeated(
    void **state)
{
    uint32_t ended = 0;

    (void)state;
    for (uint64_t n = 1; n < 400; n += 13) {
        struct pcv_scan scan = {0};
        struct hosted h;
        int error;

        tree_build(&h);
        hosted_start(&h);
        pcv_model_fail(h.model, PCV_MODEL_OP_segment, n);
        error = pcv_host_scan(h.host, &scan, 0);
        pcv_model_fail(h.model, PCV_MODEL_OP_segment, 0);
        if (error != 0) {
            assert_int_equal(error, -PCV_EIO);
            assert_int_equal(scan.failed, 0);
            ended++;
            error = pcv_host_scan(h.host, &scan, 0);
            assert_int_equal(scan.found, TREE_FUNCTIONS);
        }
        assert_int_equal(error, 0);
        /* What an add could not be done for is found by the next scan. */
        (void)hosted_scan(&h);
        assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
        hosted_end(&h);
    }
    assert_true(ended > 1);
}

/* TOPO-8 */
static void a_scan_without_host_or_progress_is_refused(void **state)
{
    struct pcv_scan scan = {0};
    struct hosted h;

    (void)state;
    hosted_build(&h);
    hosted_start(&h);
    assert_int_equal(pcv_host_scan(NULL, &scan, 0), -PCV_EINVAL);
    assert_int_equal(pcv_host_scan(h.host, NULL, 0), -PCV_EINVAL);
    hosted_end(&h);
}

/* ---- size -----------------------------------------------------------------
 */

/* What a function of the generator's may cost, with 65,536 as with 64. */
#define CALLS_PER_FUNCTION 256
/* Each slot of each bus is asked for its function 0, once with the question
 * whether the host has that bus, and where nobody is that is all. */
#define EMPTY (2ull * PCV_BUSES * PCV_SLOTS)

static void expect_cheap(const char *spec, uint32_t functions)
{
    struct pcv_model_error error = {0};
    struct hosted h;
    uint64_t calls;

    hosted_build(&h);
    assert_int_equal(pcv_model_generate(h.model, spec, &error), 0);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), functions);
    calls = hosted_calls(&h);
    if (calls > (uint64_t)functions * CALLS_PER_FUNCTION + EMPTY) {
        fail_msg("%s: %llu operations", spec, (unsigned long long)calls);
    }
    hosted_end(&h);
}

/* TOPO-8, LIFE-1 */
static void what_a_function_costs_does_not_grow_with_their_number(void **state)
{
    (void)state;
    expect_cheap("functions=64", 64);
    expect_cheap("functions=4096", 4096);
    expect_cheap("functions=65536", 65536);
    expect_cheap("functions=65536,vfs=248", 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_multi_function_bit_of_function_0_decides),
        cmocka_unit_test(
            with_ari_next_function_numbers_are_followed_while_they_grow),
        cmocka_unit_test(vfs_are_found_by_their_pfs_capability),
        cmocka_unit_test(a_pf_does_not_get_functions_behind_other_bridges),
        cmocka_unit_test(a_function_that_answers_nonsense_hides_no_other),
        cmocka_unit_test(a_scan_goes_on_where_its_budget_ended),
        cmocka_unit_test(an_address_where_nobody_is_costs_no_memory),
        cmocka_unit_test(a_scan_counts_what_could_not_be_added_and_goes_on),
        cmocka_unit_test(
            a_scan_whose_host_fails_to_name_a_segment_can_be_repeated),
        cmocka_unit_test(a_scan_without_host_or_progress_is_refused),
        cmocka_unit_test(what_a_function_costs_does_not_grow_with_their_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

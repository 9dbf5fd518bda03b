/* SPDX-License-Identifier: MIT */
/*
 * The entrance through ECAM windows (CFG-1). test_split.c has 8-byte accesses,
 * test_ports.c the ports of configuration mechanism 1.
 */
#include "engine_fixture.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MIB 0x100000ull

#define DEV pcv_test_at(0, 0, 1, 0)
#define FAR pcv_test_at(0, 5, 31, 7)
#define OTHER pcv_test_at(7, 0, 1, 0)

/* They tell themselves apart by their device IDs. */
static void boot(struct rig *rig)
{
    struct pcv_test_function f;
    const struct pcv_add_info none = {0};

    rig_open(rig);
    pcv_test_pcie_endpoint(&f, 0x1111, 0x0001);
    (void)pcv_test_aer(&f);
    pcv_test_add(rig->model, &f, DEV);
    pcv_test_pcie_endpoint(&f, 0x1111, 0x0002);
    pcv_test_add(rig->model, &f, OTHER);
    pcv_test_endpoint(&f, 0x1111, 0x0003);
    pcv_test_add(rig->model, &f, FAR);
    rig_create(rig);
    assert_int_equal(pcv_device_add(rig->host, DEV, &none), 0);
    assert_int_equal(pcv_device_add(rig->host, OTHER, &none), 0);
    assert_int_equal(pcv_device_add(rig->host, FAR, &none), 0);
    rig_forget(rig);
}

static int add_window(struct rig *rig, uint64_t base, uint16_t segment,
                      uint8_t first, uint8_t last)
{
    return pcv_domain_add_ecam(rig->dom0, (pcv_gpa){base}, segment, first,
                               last);
}

static enum pcv_verdict ecam_read(struct rig *rig, uint64_t address,
                                  uint8_t size, uint64_t *out)
{
    struct pcv_access access;
    enum pcv_verdict verdict;

    memset(&access, 0, sizeof(access));
    verdict =
        pcv_ecam_access(rig->dom0, (pcv_gpa){address}, size, false, 0, &access);
    *out = access.data;
    return verdict;
}

/* ---- windows ------------------------------------------------------------- */

/* CFG-1 */
static void ecam_addresses_lead_to_bus_device_function_and_register(
    void **state)
{
    static const struct {
        uint64_t offset;
        uint8_t size;
        uint64_t data;
    } good[] = {
        {0x08000, 2, 0x1111},     {0x08002, 2, 0x0001},
        {0x08000, 4, 0x00011111}, {0x08000, 1, 0x11},
        {0x5ff002, 2, 0x0003},    {0x08100, 2, PCV_EXT_CAP_ID_AER},
    };
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(add_window(&rig, 0xb0000000u, 0, 0, 255), 0);
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(
            ecam_read(&rig, 0xb0000000u + good[i].offset, good[i].size, &data),
            PCV_DONE);
        assert_int_equal(data, good[i].data);
    }
    assert_int_equal(ecam_read(&rig, 0xb0010000u, 4, &data), PCV_ABSENT);
    assert_int_equal(data, 0xffffffffu);
    rig_close(&rig);
}

/* CFG-1 */
static void each_window_has_its_segment_and_first_bus(void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(add_window(&rig, 0xd0000000u, 7, 0, 0), 0);
    assert_int_equal(add_window(&rig, 0xc0000000u, 0, 5, 6), 0);
    assert_int_equal(add_window(&rig, 0xe0000000u, 0, 0, 3), 0);
    assert_int_equal(ecam_read(&rig, 0xd0008000u, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x00021111);
    assert_int_equal(ecam_read(&rig, 0xc00ff000u, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x00031111);
    assert_int_equal(ecam_read(&rig, 0xe0008000u, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x00011111);
    rig_close(&rig);
}

/* CFG-1 */
static void what_is_outside_a_window_is_the_hosts(void **state)
{
    static const uint64_t outside[] = {0, 0xb00fffffu, 0xb0300000u, UINT64_MAX,
                                       0x1b0100000u};
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(ecam_read(&rig, 0xb0100000u, 4, &data), PCV_FORWARD);
    assert_int_equal(add_window(&rig, 0xb0100000u, 0, 0, 1), 0);
    for (size_t i = 0; i < COUNT(outside); i++) {
        assert_int_equal(ecam_read(&rig, outside[i], 1, &data), PCV_FORWARD);
    }
    assert_int_equal(ecam_read(&rig, 0xb0100004u, 4, &data), PCV_ABSENT);
    assert_int_equal(ecam_read(&rig, 0xb02fffffu, 1, &data), PCV_ABSENT);
    assert_int_equal(rig.logged, 0);
    rig_close(&rig);
}

/* CFG-1 */
static void a_window_may_end_at_the_top_of_the_address_space(void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(add_window(&rig, UINT64_MAX - MIB + 1, 0, 0, 1),
                     -PCV_EINVAL);
    assert_int_equal(add_window(&rig, UINT64_MAX - MIB + 1, 0, 0, 0), 0);
    assert_int_equal(ecam_read(&rig, UINT64_MAX - MIB + 1 + 0x8000, 4, &data),
                     PCV_DONE);
    assert_int_equal(data, 0x00011111);
    assert_int_equal(ecam_read(&rig, UINT64_MAX, 1, &data), PCV_ABSENT);
    assert_int_equal(ecam_read(&rig, UINT64_MAX - 3, 8, &data), PCV_DONE);
    assert_true(data == UINT64_MAX);
    assert_int_equal(ecam_read(&rig, UINT64_MAX - MIB, 1, &data), PCV_FORWARD);
    assert_int_equal(ecam_read(&rig, 0, 1, &data), PCV_FORWARD);
    rig_close(&rig);
}

/* CFG-1 */
static void a_window_that_makes_no_sense_is_refused(void **state)
{
    static const struct {
        uint64_t base;
        uint8_t first, last;
        int error;
    } bad[] = {
        {0xb0000001u, 0, 0, -PCV_EINVAL},
        {0xb0080000u, 0, 0, -PCV_EINVAL},
        {0xb0000000u, 1, 0, -PCV_EINVAL},
        {UINT64_MAX - 2 * MIB + 1, 0, 2, -PCV_EINVAL},
        {0xa0000000u, 0, 0, -PCV_EEXIST}, /* overlaps [a0000000, a0400000) */
        {0xa0300000u, 9, 9, -PCV_EEXIST},
        {0x9ff00000u, 0, 1, -PCV_EEXIST},
        {0x9ff00000u, 0, 255, -PCV_EEXIST},
        {0xa0100000u, 0, 0, -PCV_EEXIST},
        {0x9ff00000u, 0, 0, 0}, /* touches it on both sides */
        {0xa0400000u, 0, 0, 0},
    };
    struct rig rig;

    (void)state;
    boot(&rig);
    assert_int_equal(add_window(&rig, 0xa0000000u, 0, 0, 3), 0);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(
            add_window(&rig, bad[i].base, 0, bad[i].first, bad[i].last),
            bad[i].error);
    }
    rig_close(&rig);
}

/* CFG-1, CFG-7 */
static void windows_are_found_whatever_the_order_they_came_in(void **state)
{
    struct rig rig;
    uint64_t data;
    uint32_t count = 0;

    (void)state;
    boot(&rig);
    /* 64 of them, in an order that jumps; one more is too many. */
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t slot = i * 29 % 64;

        assert_int_equal(add_window(&rig, 0x80000000u + 2ull * slot * MIB, 0,
                                    (uint8_t)slot, (uint8_t)slot),
                         0);
    }
    assert_int_equal(add_window(&rig, 0x10000000u, 0, 0, 0), -PCV_ENOSPC);
    for (uint32_t slot = 0; slot < 128; slot++) {
        enum pcv_verdict verdict =
            ecam_read(&rig, 0x80000000u + slot * MIB + 0x8000, 4, &data);

        count += verdict == PCV_DONE ? 1 : 0;
        assert_int_equal(verdict == PCV_FORWARD, slot % 2 == 1);
        assert_int_equal(verdict == PCV_DONE, slot == 0);
    }
    assert_int_equal(count, 1);
    rig_close(&rig);
}

/* CFG-1 */
static void a_window_without_memory_is_refused_and_can_be_added_later(
    void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    pcv_model_fail(rig.model, PCV_MODEL_OP_alloc, 1);
    assert_int_equal(add_window(&rig, 0xb0000000u, 0, 0, 0), -PCV_ENOMEM);
    assert_int_equal(ecam_read(&rig, 0xb0000000u, 4, &data), PCV_FORWARD);
    assert_int_equal(add_window(&rig, 0xb0000000u, 0, 0, 0), 0);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            ecam_addresses_lead_to_bus_device_function_and_register),
        cmocka_unit_test(each_window_has_its_segment_and_first_bus),
        cmocka_unit_test(what_is_outside_a_window_is_the_hosts),
        cmocka_unit_test(a_window_may_end_at_the_top_of_the_address_space),
        cmocka_unit_test(a_window_that_makes_no_sense_is_refused),
        cmocka_unit_test(windows_are_found_whatever_the_order_they_came_in),
        cmocka_unit_test(
            a_window_without_memory_is_refused_and_can_be_added_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

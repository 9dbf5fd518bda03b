/* SPDX-License-Identifier: MIT */
/* The entrance through the ports of configuration mechanism 1 (CFG-1). */
#include "engine_fixture.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define DEV pcv_test_at(0, 0, 1, 0)
#define FAR pcv_test_at(0, 5, 31, 7)

static void boot(struct rig *rig)
{
    struct pcv_test_function f;

    rig_open(rig);
    pcv_test_pcie_endpoint(&f, 0x1111, 0x0001);
    (void)pcv_test_aer(&f);
    pcv_test_add(rig->model, &f, DEV);
    pcv_test_endpoint(&f, 0x1111, 0x0003);
    pcv_test_add(rig->model, &f, FAR);
    rig_create(rig);
    assert_int_equal(pcv_device_add(rig->host, DEV, NULL), 0);
    assert_int_equal(pcv_device_add(rig->host, FAR, NULL), 0);
    rig_forget(rig);
}

#define ENABLE 0x80000000u

static enum pcv_verdict port(struct rig *rig, uint16_t number, uint8_t size,
                             bool write, uint32_t in, uint64_t *out)
{
    struct pcv_access access;
    enum pcv_verdict verdict;

    memset(&access, 0, sizeof(access));
    verdict = pcv_port_access(rig->dom0, number, size, write, in, &access);
    if (out) {
        *out = access.data;
    }
    return verdict;
}

/* CFG-1 */
static void the_latch_keeps_enable_bus_function_and_register(void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(port(&rig, 0xcf8, 4, false, 0, &data), PCV_DONE);
    assert_int_equal(data, 0);
    assert_int_equal(port(&rig, 0xcf8, 4, true, 0xffffffffu, NULL), PCV_DONE);
    assert_int_equal(port(&rig, 0xcf8, 4, false, 0, &data), PCV_DONE);
    assert_int_equal(data, 0x80fffffcu);
    assert_int_equal(rig.logged, 0);
    rig_close(&rig);
}

/* CFG-1 */
static void data_ports_reach_each_byte_of_the_latched_register(void **state)
{
    static const struct {
        uint16_t number;
        uint8_t size;
        uint64_t data;
        uint16_t reg;
    } reads[] = {
        {0xcfc, 1, 0x11, 0},       {0xcfd, 1, 0x11, 1},   {0xcfe, 1, 0x01, 2},
        {0xcff, 1, 0x00, 3},       {0xcfc, 2, 0x1111, 0}, {0xcfe, 2, 0x0001, 2},
        {0xcfc, 4, 0x00011111, 0},
    };
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x0800u, NULL),
                     PCV_DONE);
    for (size_t i = 0; i < COUNT(reads); i++) {
        rig_forget(&rig);
        assert_int_equal(
            port(&rig, reads[i].number, reads[i].size, false, 0, &data),
            PCV_DONE);
        assert_int_equal(data, reads[i].data);
        assert_int_equal(rig.logged, 1);
        assert_true(rig_saw(&rig, 0, false, reads[i].reg, reads[i].size));
    }
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x083cu, NULL),
                     PCV_DONE);
    assert_int_equal(port(&rig, 0xcfc, 1, true, 0xffffff5au, NULL), PCV_DONE);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_INT_LINE, 1), 0x5a);
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x05ff00u, NULL),
                     PCV_DONE);
    assert_int_equal(port(&rig, 0xcfe, 2, false, 0, &data), PCV_DONE);
    assert_int_equal(data, 0x0003);
    rig_close(&rig);
}

/* CFG-1, CFG-2 */
static void a_data_access_over_the_end_of_the_register_is_refused(void **state)
{
    static const struct {
        uint16_t number;
        uint8_t size;
        uint64_t ones;
    } bad[] = {
        {0xcfd, 2, 0xffff},     {0xcff, 2, 0xffff},     {0xcfd, 4, 0xffffffff},
        {0xcfe, 4, 0xffffffff}, {0xcff, 4, 0xffffffff},
    };
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x0800u, NULL),
                     PCV_DONE);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(
            port(&rig, bad[i].number, bad[i].size, false, 0, &data), PCV_DONE);
        assert_int_equal(data, bad[i].ones);
    }
    assert_int_equal(rig.logged, 0);
    assert_int_equal(rig_status(&rig, DEV).counters.refused, COUNT(bad));
    rig_close(&rig);
}

/* CFG-1 */
static void accesses_that_are_not_ours_go_back_to_the_host(void **state)
{
    static const struct {
        uint16_t number;
        uint8_t size;
    } foreign[] = {
        {0xcf8, 1}, {0xcf8, 2}, {0xcf9, 1},  {0xcf9, 4}, {0xcfa, 2},
        {0xcfb, 1}, {0xcf7, 4}, {0xd00, 4},  {0xcfc, 3}, {0xcfc, 8},
        {0xcfc, 0}, {0, 1},     {0xffff, 1},
    };
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x0800u, NULL),
                     PCV_DONE);
    for (size_t i = 0; i < COUNT(foreign); i++) {
        assert_int_equal(
            port(&rig, foreign[i].number, foreign[i].size, true, 0, NULL),
            PCV_FORWARD);
        assert_int_equal(
            port(&rig, foreign[i].number, foreign[i].size, false, 0, &data),
            PCV_FORWARD);
    }
    assert_int_equal(port(&rig, 0xcf8, 4, false, 0, &data), PCV_DONE);
    assert_int_equal(data, ENABLE | 0x0800u);
    assert_int_equal(rig.logged, 0);
    rig_close(&rig);
}

/* CFG-1 */
static void data_ports_are_the_hosts_while_the_latch_is_not_enabled(
    void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(port(&rig, 0xcfc, 4, false, 0, &data), PCV_FORWARD);
    assert_int_equal(port(&rig, 0xcf8, 4, true, 0x0800u, NULL), PCV_DONE);
    assert_int_equal(port(&rig, 0xcfc, 4, false, 0, &data), PCV_FORWARD);
    assert_int_equal(port(&rig, 0xcfc, 4, true, 0, NULL), PCV_FORWARD);
    assert_int_equal(rig.logged, 0);
    rig_close(&rig);
}

/* CFG-1 */
static void amds_bits_reach_extended_registers_once_they_are_on(void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x01000800u, NULL),
                     PCV_DONE);
    assert_int_equal(port(&rig, 0xcfc, 4, false, 0, &data), PCV_DONE);
    assert_int_equal(data, 0x00011111);
    pcv_domain_set_amd_port_bits(rig.dom0, true);
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x0f000800u, NULL),
                     PCV_DONE);
    assert_int_equal(port(&rig, 0xcf8, 4, false, 0, &data), PCV_DONE);
    assert_int_equal(data, ENABLE | 0x0f000800u);
    rig_forget(&rig);
    assert_int_equal(port(&rig, 0xcfe, 2, false, 0, &data), PCV_DONE);
    assert_true(rig_saw(&rig, 0, false, 0xf02, 2));
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x01000800u, NULL),
                     PCV_DONE);
    assert_int_equal(port(&rig, 0xcfc, 2, false, 0, &data), PCV_DONE);
    assert_int_equal(data, PCV_EXT_CAP_ID_AER);
    pcv_domain_set_amd_port_bits(rig.dom0, false);
    assert_int_equal(port(&rig, 0xcfc, 2, false, 0, &data), PCV_DONE);
    assert_int_equal(data, 0x1111);
    rig_close(&rig);
}

/* CFG-1, CFG-10 */
static void a_port_access_does_not_go_on_with_half_of_an_ecam_access(
    void **state)
{
    /* As an 8-byte access through ECAM that was answered retry left it. */
    const struct pcv_access half = {.sbdf = DEV,
                                    .size = 8,
                                    .data = 0x00011111,
                                    .progress = 4,
                                    .split = true};

    (void)state;
    for (unsigned write = 0; write < 2; write++) {
        struct pcv_access access = half;
        struct rig rig;

        boot(&rig);
        assert_int_equal(port(&rig, 0xcf8, 4, true,
                              ENABLE | (1u << 11) | PCV_REG_INT_LINE, NULL),
                         PCV_DONE);
        pcv_model_poke(rig.model, DEV, PCV_REG_INT_LINE, 1, 0x0b);
        assert_int_equal(pcv_port_access(rig.dom0, 0xcfc, write ? 1 : 4,
                                         write != 0, 0x55, &access),
                         PCV_DONE);
        assert_int_equal(rig.logged, 1);
        if (write == 0) {
            assert_true(access.data ==
                        pcv_model_peek(rig.model, DEV, PCV_REG_INT_LINE, 4));
        } else {
            assert_int_equal(
                pcv_model_peek(rig.model, DEV, PCV_REG_INT_LINE, 1), 0x55);
        }
        rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latch_keeps_enable_bus_function_and_register),
        cmocka_unit_test(data_ports_reach_each_byte_of_the_latched_register),
        cmocka_unit_test(a_data_access_over_the_end_of_the_register_is_refused),
        cmocka_unit_test(accesses_that_are_not_ours_go_back_to_the_host),
        cmocka_unit_test(
            data_ports_are_the_hosts_while_the_latch_is_not_enabled),
        cmocka_unit_test(amds_bits_reach_extended_registers_once_they_are_on),
        cmocka_unit_test(
            a_port_access_does_not_go_on_with_half_of_an_ecam_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

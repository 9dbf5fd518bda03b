/* SPDX-License-Identifier: MIT */
/* The header as the hardware domain sees it: HDR-1 to HDR-3, HDR-13. */
#include "engine_fixture.h"

#include <string.h>

#define DEV pcv_test_at(0, 0, 1, 0)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Boot with one function at DEV. */
static void boot(struct rig *rig, struct pcv_test_function *f)
{
    rig_open(rig);
    pcv_test_add(rig->model, f, DEV);
    rig_create(rig);
    assert_int_equal(pcv_device_add(rig->host, DEV, NULL), 0);
    rig_forget(rig);
}

static void boot_endpoint(struct rig *rig)
{
    struct pcv_test_function f;

    pcv_test_endpoint(&f, 0x8086, 0x100e);
    pcv_test_bar32(&f, 0, 0xe0000000u, 0x1000);
    boot(rig, &f);
}

/* ---- header types -------------------------------------------------------- */

/* HDR-1 */
static void types_0_and_1_can_be_written(void **state)
{
    (void)state;
    for (uint32_t type = 0; type < 2; type++) {
        struct pcv_test_function f;
        struct pcv_device_info info;
        struct rig rig;

        if (type == 0) {
            pcv_test_endpoint(&f, 0x8086, 0x100e);
        } else {
            pcv_test_bridge(&f, 0, 1, 1);
        }
        boot(&rig, &f);
        rig_info(&rig, DEV, &info);
        assert_false(info.read_only);
        rig_write(&rig, DEV, PCV_REG_INT_LINE, 1, 0x5a);
        assert_int_equal(rig_read(&rig, DEV, PCV_REG_INT_LINE, 1), 0x5a);
        rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
        assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 2),
                         PCV_CMD_MASTER);
        rig_close(&rig);
    }
}

/* HDR-1 */
static void other_types_can_be_read_and_drop_every_write(void **state)
{
    static const uint8_t types[] = {0x02, 0x03, 0x7f, 0x82, 0xff};

    (void)state;
    for (size_t i = 0; i < sizeof(types); i++) {
        struct pcv_test_function f;
        struct pcv_device_info info;
        struct rig rig;

        pcv_test_endpoint(&f, 0x104c, 0xac56);
        pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, types[i]);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        pcv_test_set(&f, PCV_REG_BAR0, 4, 0xe0000000u);
        boot(&rig, &f);
        rig_info(&rig, DEV, &info);
        assert_true(info.read_only);
        assert_int_equal(info.type, PCV_TYPE_UNKNOWN);
        assert_int_equal(info.header_type, types[i]);
        for (uint16_t reg = 0; reg < 256; reg = (uint16_t)(reg + 4)) {
            assert_int_equal(rig_read(&rig, DEV, reg, 4),
                             pcv_model_peek(rig.model, DEV, reg, 4));
            rig_write(&rig, DEV, reg, 4, 0xffffffffu);
            rig_write(&rig, DEV, reg, 1, 0);
        }
        assert_int_equal(rig_writes(&rig), 0);
        assert_int_equal(pcv_model_mapped_pages(rig.model), 0);
        rig_close(&rig);
    }
}

static size_t writes_of_add(struct pcv_test_function *f)
{
    struct rig rig;
    size_t writes;

    rig_open(&rig);
    pcv_test_add(rig.model, f, DEV);
    rig_create(&rig);
    assert_int_equal(pcv_device_add(rig.host, DEV, NULL), 0);
    writes = rig_writes(&rig);
    rig_close(&rig);
    return writes;
}

/* HDR-1, HDR-4 */
static void the_bars_of_other_types_are_not_sized(void **state)
{
    struct pcv_test_function f;

    (void)state;
    pcv_test_endpoint(&f, 0x104c, 0xac56);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, 0x02);
    pcv_test_set(&f, PCV_REG_BAR0, 4, 0xe0000000u);
    assert_int_equal(writes_of_add(&f), 0);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, 0x7f);
    assert_int_equal(writes_of_add(&f), 0);
    pcv_test_set(&f, PCV_REG_HEADER_TYPE, 1, 0x80);
    assert_int_not_equal(writes_of_add(&f), 0);
}

/* ---- command ------------------------------------------------------------- */

/* HDR-2 */
static void the_hardware_domain_has_every_command_bit_there_is(void **state)
{
    struct rig rig;
    uint32_t can;

    (void)state;
    boot_endpoint(&rig);
    can = pcv_model_writable(rig.model, DEV, PCV_REG_COMMAND) & 0xffffu;
    assert_int_equal(can & (PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER),
                     PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_MASTER);
    for (uint32_t bit = 1; bit < 0x10000u; bit <<= 1) {
        rig_write(&rig, DEV, PCV_REG_COMMAND, 2, bit);
        assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 2), bit & can);
        rig_write(&rig, DEV, PCV_REG_COMMAND, 2, 0);
        assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 2), 0);
    }
    rig_close(&rig);
}

/* HDR-2, CFG-4 */
static void a_byte_written_to_command_leaves_the_other_one(void **state)
{
    struct rig rig;

    (void)state;
    boot_endpoint(&rig);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2,
              PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_SERR);
    rig_forget(&rig);
    rig_write(&rig, DEV, PCV_REG_COMMAND + 1, 1, PCV_CMD_INTX_OFF >> 8);
    assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 2),
                     PCV_CMD_MEMORY | PCV_CMD_MASTER | PCV_CMD_INTX_OFF);
    assert_true(rig_mapped(&rig, 0xe0000000u, 0x1000));
    rig_write(&rig, DEV, PCV_REG_COMMAND, 1, PCV_CMD_MASTER);
    assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 2),
                     PCV_CMD_MASTER | PCV_CMD_INTX_OFF);
    assert_false(rig_mapped(&rig, 0xe0000000u, 0x1000));
    rig_close(&rig);
}

/* HDR-2, HDR-7 */
static void a_command_of_all_ones_decodes_too(void **state)
{
    struct rig rig;

    (void)state;
    boot_endpoint(&rig);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, 0xffff);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_COMMAND, 2) &
                         PCV_CMD_MEMORY,
                     PCV_CMD_MEMORY);
    assert_true(rig_mapped(&rig, 0xe0000000u, 0x1000));
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, 0);
    assert_false(rig_mapped(&rig, 0xe0000000u, 0x1000));
    assert_int_equal(rig_events(&rig, PCV_EVENT_RESET_SEEN), 0);
    rig_close(&rig);
}

/* ---- status -------------------------------------------------------------- */

/* HDR-3 */
static void status_bits_come_from_hardware(void **state)
{
    struct rig rig;

    (void)state;
    boot_endpoint(&rig);
    pcv_model_poke(rig.model, DEV, PCV_REG_STATUS, 2, 0xf9b8);
    assert_int_equal(rig_read(&rig, DEV, PCV_REG_STATUS, 2), 0xf9b8);
    assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 4), 0xf9b80000u);
    pcv_model_poke(rig.model, DEV, PCV_REG_STATUS, 2, 0x0010);
    assert_int_equal(rig_read(&rig, DEV, PCV_REG_STATUS, 2), 0x0010);
    rig_close(&rig);
}

/* HDR-3, CFG-4 */
static void error_bits_go_by_a_one_and_by_nothing_else(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint32_t value;
        uint32_t left;
    } rows[] = {
        {PCV_REG_STATUS, 2, 0, 0xf910},
        {PCV_REG_STATUS, 2, 0x8000, 0x7910},
        {PCV_REG_STATUS, 2, 0xffff, 0x0010},
        {PCV_REG_STATUS + 1, 1, 0x08, 0xf110},
        {PCV_REG_STATUS, 1, 0xff, 0xf910},
        {PCV_REG_COMMAND, 2, 0xffff, 0xf910},
        {PCV_REG_COMMAND, 1, 0xff, 0xf910},
        {PCV_REG_COMMAND + 1, 1, 0xff, 0xf910},
        {PCV_REG_COMMAND, 4, 0x00000007, 0xf910},
        {PCV_REG_COMMAND, 4, 0x40000007, 0xb910},
    };
    struct rig rig;

    (void)state;
    boot_endpoint(&rig);
    for (size_t i = 0; i < COUNT(rows); i++) {
        pcv_model_poke(rig.model, DEV, PCV_REG_STATUS, 2, 0xf910);
        rig_write(&rig, DEV, rows[i].reg, rows[i].size, rows[i].value);
        assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_STATUS, 2),
                         rows[i].left);
    }
    rig_close(&rig);
}

/* ---- bridges ------------------------------------------------------------- */

static void boot_bridge(struct rig *rig)
{
    struct pcv_test_function f;

    pcv_test_bridge(&f, 0, 1, 3);
    pcv_test_set(&f, PCV_REG_IO_BASE, 2, 0x1010);
    boot(rig, &f);
}

/* HDR-13 */
static void bus_numbers_and_windows_of_a_bridge_pass_through(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint32_t value;
        uint8_t looks; /* reads of what stood there before the write */
    } rows[] = {
        {PCV_REG_PRIMARY, 4, 0x00050400, 1},
        {PCV_REG_SECONDARY, 1, 0x07, 1},
        {PCV_REG_SUBORDINATE, 1, 0x09, 1},
        {PCV_REG_IO_BASE, 2, 0x6050, 1},
        {PCV_REG_MEM_BASE, 4, 0xe010e000, 1},
        {PCV_REG_PREF_BASE, 4, 0xf011f001, 1},
        {PCV_REG_PREF_BASE_HI, 4, 0x12, 1},
        {PCV_REG_PREF_LIMIT_HI, 4, 0x13, 1},
        {PCV_REG_BRIDGE_CONTROL, 2, 0x0003, 1},
    };
    struct rig rig;

    (void)state;
    boot_bridge(&rig);
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig_forget(&rig);
        rig_write(&rig, DEV, rows[i].reg, rows[i].size, rows[i].value);
        assert_true(
            rig_saw(&rig, rows[i].looks, true, rows[i].reg, rows[i].size));
        assert_int_equal(rig_read(&rig, DEV, rows[i].reg, rows[i].size),
                         rows[i].value);
    }
    rig_close(&rig);
}

/* HDR-3, HDR-13, CFG-4 */
static void io_windows_are_written_without_clearing_secondary_status(
    void **state)
{
    struct rig rig;

    (void)state;
    boot_bridge(&rig);
    pcv_model_poke(rig.model, DEV, PCV_REG_SEC_STATUS, 2, 0xf900);
    rig_write(&rig, DEV, PCV_REG_IO_BASE, 1, 0x20);
    rig_write(&rig, DEV, PCV_REG_IO_BASE, 2, 0x3020);
    rig_write(&rig, DEV, PCV_REG_IO_BASE, 4, 0x00004030);
    rig_write(&rig, DEV, PCV_REG_SEC_STATUS, 1, 0xff);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_SEC_STATUS, 2),
                     0xf900);
    rig_write(&rig, DEV, PCV_REG_IO_BASE, 4, 0x48004030);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_SEC_STATUS, 2),
                     0xb100);
    rig_close(&rig);
}

/* ---- virtual functions --------------------------------------------------- */

/* HDR-2, HDR-16 */
static void a_vf_whose_decode_bit_stays_zero_was_not_reset(void **state)
{
    const pcv_sbdf vf = pcv_test_at(0, 0, 1, 1);
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF, .physfn = DEV};
    struct pcv_test_function f;
    struct rig rig;

    (void)state;
    rig_open(&rig);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x1520);
    (void)pcv_test_sriov(&f, 1, 1, 1, 1);
    pcv_test_add(rig.model, &f, DEV);
    pcv_test_vf(&f, DEV);
    pcv_test_add(rig.model, &f, vf);
    rig_create(&rig);
    assert_int_equal(pcv_device_add(rig.host, DEV, NULL), 0);
    assert_int_equal(pcv_device_add(rig.host, vf, &info), 0);
    rig_forget(&rig);
    for (unsigned i = 0; i < 3; i++) {
        rig_write(&rig, vf, PCV_REG_COMMAND, 2,
                  PCV_CMD_MEMORY | PCV_CMD_MASTER);
        assert_int_equal(rig_read(&rig, vf, PCV_REG_COMMAND, 2),
                         PCV_CMD_MASTER);
    }
    assert_int_equal(rig_events(&rig, PCV_EVENT_RESET_SEEN), 0);
    rig_close(&rig);
}

/* CFG-4, PORT-3 */
static void a_merge_that_the_host_cannot_read_for_writes_nothing(void **state)
{
    struct rig rig;

    (void)state;
    boot_endpoint(&rig);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    /* One byte of two: the other one has to be read, and cannot be. */
    pcv_model_fail(rig.model, PCV_MODEL_OP_cfg_read, 1);
    rig_write(&rig, DEV, PCV_REG_COMMAND + 1u, 1, PCV_CMD_INTX_OFF >> 8);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_COMMAND, 2),
                     PCV_CMD_MASTER);
    rig_write(&rig, DEV, PCV_REG_COMMAND + 1u, 1, PCV_CMD_INTX_OFF >> 8);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_COMMAND, 2),
                     PCV_CMD_MASTER | PCV_CMD_INTX_OFF);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_0_and_1_can_be_written),
        cmocka_unit_test(other_types_can_be_read_and_drop_every_write),
        cmocka_unit_test(the_bars_of_other_types_are_not_sized),
        cmocka_unit_test(the_hardware_domain_has_every_command_bit_there_is),
        cmocka_unit_test(a_byte_written_to_command_leaves_the_other_one),
        cmocka_unit_test(a_command_of_all_ones_decodes_too),
        cmocka_unit_test(status_bits_come_from_hardware),
        cmocka_unit_test(error_bits_go_by_a_one_and_by_nothing_else),
        cmocka_unit_test(bus_numbers_and_windows_of_a_bridge_pass_through),
        cmocka_unit_test(
            io_windows_are_written_without_clearing_secondary_status),
        cmocka_unit_test(a_vf_whose_decode_bit_stays_zero_was_not_reset),
        cmocka_unit_test(a_merge_that_the_host_cannot_read_for_writes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

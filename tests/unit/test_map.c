/* SPDX-License-Identifier: MIT */
/*
 * What is mapped for the hardware domain, and when: decoding on and off, BARs
 * that move, shared pages, the ROM. test_map_steps.c has what can go wrong.
 */
#include "map_fixture.h"

#include <string.h>

#include "vpci/internal.h"

#define ALL_BARS 0x37u /* BARs 0, 1, 2, 4 and 5 */

static uint64_t pages(const struct rig *rig)
{
    return pcv_model_mapped_pages(rig->model);
}

/* HDR-7, HDR-11 */
static void decoding_maps_the_bars_and_its_end_unmaps_them(void **state)
{
    struct rig rig;

    (void)state;
    map_boot(&rig, 0);
    assert_int_equal(pages(&rig), 0);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(map_which(&rig), ALL_BARS);
    assert_int_equal(pages(&rig), ALL_PAGES);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    assert_int_equal(pages(&rig), ALL_PAGES);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_int_equal(pages(&rig), 0);
    assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 2), PCV_CMD_MASTER);
    rig_close(&rig);
}

/* HDR-7 */
static void what_decodes_when_it_is_added_is_mapped(void **state)
{
    struct pcv_device_info info;
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    assert_int_equal(map_which(&rig), ALL_BARS);
    rig_info(&rig, DEV, &info);
    for (unsigned i = 0; i < PCV_BARS; i++) {
        assert_int_equal((info.bar[i].flags & PCV_BAR_MAPPED) != 0,
                         ALL_BARS >> i & 1u);
    }
    assert_int_equal(pcv_device_remove(rig.host, DEV, NULL, NULL), 0);
    assert_int_equal(pages(&rig), 0);
    rig_close(&rig);
}

static void order_of_things(struct rig *rig, const struct pcv_model_cfg *access)
{
    if (access->write && access->reg == PCV_REG_COMMAND) {
        *(uint64_t *)rig->hook_data = pcv_model_mapped_pages(rig->model);
    }
}

/* HDR-7 */
static void the_device_decodes_only_while_its_pages_are_there(void **state)
{
    uint64_t at_the_write = 99;
    struct rig rig;

    (void)state;
    map_boot(&rig, 0);
    rig.hook = order_of_things;
    rig.hook_data = &at_the_write;
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(at_the_write, ALL_PAGES);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(at_the_write, ALL_PAGES);
    assert_int_equal(pages(&rig), 0);
    rig_close(&rig);
}

/* ---- BARs that move ------------------------------------------------------ */

/* HDR-6 */
static void a_bar_that_moves_reads_back_at_once_and_is_mapped_anew(void **state)
{
    struct pcv_access move = PCV_WRITE(DEV, REG_BAR(0), 4, 0xe0100000u);
    uint64_t maps, unmaps;
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    maps = pcv_model_calls(rig.model, PCV_MODEL_OP_map);
    unmaps = pcv_model_calls(rig.model, PCV_MODEL_OP_unmap);
    assert_int_equal(pcv_access(rig.dom0, &move), PCV_PENDING);
    assert_int_equal(rig_read(&rig, DEV, REG_BAR(0), 4), 0xe0100000u);
    assert_int_equal(rig_read(&rig, DEV, REG_BAR(1), 4), BAR1);
    assert_int_equal(rig_settle(&rig, &move), 1);
    assert_int_equal(pcv_model_peek(rig.model, DEV, REG_BAR(0), 4),
                     0xe0100000u);
    assert_true(rig_mapped(&rig, 0xe0100000u, 0x4000));
    assert_int_equal(map_which(&rig), ALL_BARS & ~1u);
    assert_int_equal(pages(&rig), ALL_PAGES);
    /* The others were not touched. */
    assert_int_equal(pcv_model_calls(rig.model, PCV_MODEL_OP_map) - maps, 1);
    assert_int_equal(pcv_model_calls(rig.model, PCV_MODEL_OP_unmap) - unmaps,
                     1);
    rig_close(&rig);
}

static void old_is_gone(struct rig *rig, const struct pcv_model_cfg *access)
{
    if (access->write && access->reg == REG_BAR(0)) {
        assert_false(rig_mapped(rig, BAR0, 0x4000));
        assert_false(rig_mapped(rig, 0xe0100000u, 0x4000));
        rig->hook = NULL;
    }
}

/* HDR-6 */
static void hardware_moves_between_the_old_mapping_and_the_new(void **state)
{
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    rig.hook = old_is_gone;
    rig_write(&rig, DEV, REG_BAR(0), 4, 0xe0100000u);
    assert_null(rig.hook);
    rig_close(&rig);
}

/* HDR-6 */
static void a_bar_can_be_sized_while_it_is_mapped(void **state)
{
    static const struct {
        uint16_t reg;
        uint32_t mask;
        uint32_t left; /* of the BARs that stay mapped */
        uint64_t address;
    } rows[] = {
        {REG_BAR(0), 0xffffc000u, 0x36, BAR0},
        {REG_BAR(1), 0xfffff000u, 0x35, BAR1},
        {REG_BAR(2), 0xffff0004u, 0x33, BAR2 | 4},
        {REG_BAR(3), 0xffffffffu, 0x33, BAR2 >> 32},
    };
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_access ones = PCV_WRITE(DEV, rows[i].reg, 4, 0xffffffffu);

        assert_int_equal(pcv_access(rig.dom0, &ones), PCV_PENDING);
        assert_int_equal(rig_read(&rig, DEV, rows[i].reg, 4), rows[i].mask);
        (void)rig_settle(&rig, &ones);
        assert_int_equal(rig_read(&rig, DEV, rows[i].reg, 4), rows[i].mask);
        if (rows[i].reg != REG_BAR(2)) { /* whose upper half is a good one */
            assert_int_equal(map_which(&rig), rows[i].left);
        }
        rig_write(&rig, DEV, rows[i].reg, 4, (uint32_t)rows[i].address);
        assert_int_equal(map_which(&rig), ALL_BARS);
        assert_int_equal(pages(&rig), ALL_PAGES);
    }
    assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 2), PCV_CMD_MEMORY);
    rig_close(&rig);
}

/* HDR-6, HDR-11 */
static void outside_mmio_a_bar_stays_unmapped_until_it_comes_back(void **state)
{
    static const uint32_t outside[] = {0x00001000u, 0xfed00000u, 0x7ffff000u};
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    for (size_t i = 0; i < 3; i++) {
        rig_forget(&rig);
        rig_write(&rig, DEV, REG_BAR(1), 4, outside[i]);
        assert_int_equal(map_which(&rig), ALL_BARS & ~2u);
        assert_int_equal(pages(&rig), ALL_PAGES - 1);
        assert_int_equal(rig_events(&rig, PCV_EVENT_NOT_MAPPED), 1);
        assert_int_equal(rig_read(&rig, DEV, REG_BAR(1), 4), outside[i]);
        rig_write(&rig, DEV, REG_BAR(1), 4, BAR1);
        assert_int_equal(map_which(&rig), ALL_BARS);
    }
    rig_close(&rig);
}

/* HDR-6 */
static void a_64_bit_bar_moves_half_by_half(void **state)
{
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    rig_write(&rig, DEV, REG_BAR(2), 4, 0xe0200000u);
    assert_true(rig_mapped(&rig, 0x40e0200000u, 0x10000));
    rig_write(&rig, DEV, REG_BAR(3), 4, 0);
    assert_true(rig_mapped(&rig, 0xe0200000u, 0x10000));
    assert_false(rig_mapped(&rig, 0x40e0200000u, 0x10000));
    assert_int_equal(pages(&rig), ALL_PAGES);
    rig_close(&rig);
}

/* HDR-6 */
static void with_decoding_off_a_bar_is_simply_written(void **state)
{
    struct pcv_device_info info;
    struct rig rig;

    (void)state;
    map_boot(&rig, 0);
    assert_int_equal(rig_try_write(&rig, DEV, REG_BAR(0), 4, 0xe0100000u),
                     PCV_DONE);
    assert_int_equal(pages(&rig), 0);
    rig_info(&rig, DEV, &info);
    assert_int_equal(info.bar[0].address, 0xe0100000u);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_true(rig_mapped(&rig, 0xe0100000u, 0x4000));
    rig_close(&rig);
}

/* ---- shared pages -------------------------------------------------------- */

/* HDR-7 */
static void a_page_of_two_bars_goes_with_the_last_of_them(void **state)
{
    struct pcv_mapping run;
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    assert_true(pcv_domain_next_mapping(rig.dom0, BAR4 >> 12, &run));
    assert_int_equal(run.first_page, BAR4 >> 12);
    assert_int_equal(run.pages, 1);
    assert_int_equal(run.users, 2);
    rig_write(&rig, DEV, REG_BAR(4), 4, 0xffffffffu);
    assert_true(rig_mapped(&rig, BAR5, 16));
    rig_write(&rig, DEV, REG_BAR(5), 4, 0xe0040000u);
    assert_false(rig_mapped(&rig, BAR5, 16));
    rig_write(&rig, DEV, REG_BAR(4), 4, 0xe0040ff0u);
    assert_true(pcv_domain_next_mapping(rig.dom0, 0xe0040u, &run));
    assert_int_equal(run.users, 2);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, 0);
    assert_false(pcv_domain_next_mapping(rig.dom0, 0, &run));
    rig_close(&rig);
}

/* HDR-7 */
static void bars_of_two_devices_share_pages_too(void **state)
{
    struct pcv_test_function f;
    struct pcv_mapping run;
    struct rig rig;

    (void)state;
    map_prepare(&rig, PCV_CMD_MEMORY);
    pcv_test_endpoint(&f, 0x10ec, 0x8139);
    /* The last two pages of the first device's BAR 0, and one behind it. */
    pcv_test_bar32(&f, 0, BAR0 + 0x2000u, 0x2000);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(rig.model, &f, DEV2);
    rig_create(&rig);
    assert_int_equal(pcv_device_add(rig.host, DEV, NULL), 0);
    assert_int_equal(pcv_device_add(rig.host, DEV2, NULL), 0);
    assert_int_equal(pages(&rig), ALL_PAGES);
    assert_true(pcv_domain_next_mapping(rig.dom0, (BAR0 >> 12) + 2, &run));
    assert_int_equal(run.users, 2);
    assert_int_equal(run.pages, 2);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, 0);
    assert_false(rig_mapped(&rig, BAR0, 0x2000));
    assert_true(rig_mapped(&rig, BAR0 + 0x2000u, 0x2000));
    assert_int_equal(pages(&rig), 2);
    assert_int_equal(pcv_device_remove(rig.host, DEV2, NULL, NULL), 0);
    assert_int_equal(pages(&rig), 0);
    rig_close(&rig);
}

/* ---- the ROM ------------------------------------------------------------- */

/* HDR-12 */
static void the_rom_needs_its_own_bit_and_decoding(void **state)
{
    uint64_t maps;
    struct rig rig;

    (void)state;
    map_boot(&rig, 0);
    rig_write(&rig, DEV, PCV_REG_ROM0, 4, ROM | PCV_ROM_ENABLE);
    assert_int_equal(pages(&rig), 0);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(map_which(&rig), ALL_BARS | 0x40u);
    rig_write(&rig, DEV, PCV_REG_ROM0, 4, ROM);
    assert_int_equal(map_which(&rig), ALL_BARS);
    maps = pcv_model_calls(rig.model, PCV_MODEL_OP_map);
    rig_write(&rig, DEV, PCV_REG_ROM0, 4, ROM | PCV_ROM_ENABLE);
    assert_int_equal(map_which(&rig), ALL_BARS | 0x40u);
    assert_int_equal(pcv_model_calls(rig.model, PCV_MODEL_OP_map) - maps, 1);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(pages(&rig), 0);
    rig_close(&rig);
}

/* ---- decoding that is held ------------------------------------------------
 */

static void pretend_bound(struct rig *rig, uint16_t vectors)
{
    struct pcv_device *device = pcv_device_find(rig->host, DEV);

    pcv__vpci(device)->bound = vectors;
    pcv_device_put(device);
}

/* HDR-16, MSIX-2: hardware decodes for the vectors' sake alone. */
static void a_reset_is_seen_where_decoding_was_held_for_vectors(void **state)
{
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    pretend_bound(&rig, 1);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_int_equal(pages(&rig), 0);
    assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 2), PCV_CMD_MASTER);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_COMMAND, 2),
                     PCV_CMD_MASTER | PCV_CMD_MEMORY);
    /* Moving a BAR maps nothing: the owner's decoding is off. */
    rig_write(&rig, DEV, REG_BAR(0), 4, 0xe0100000u);
    rig_write(&rig, DEV, REG_BAR(0), 4, BAR0);
    assert_int_equal(pages(&rig), 0);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(map_which(&rig), ALL_BARS);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(rig_events(&rig, PCV_EVENT_RESET_SEEN), 0);
    pcv_model_poke(rig.model, DEV, PCV_REG_COMMAND, 2, 0);
    pretend_bound(&rig, 0); /* as the capability's reset leaves it */
    rig_write(&rig, DEV, REG_BAR(0), 4, BAR0);
    assert_int_equal(rig_events(&rig, PCV_EVENT_RESET_SEEN), 1);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_COMMAND, 2),
                     PCV_CMD_MASTER);
    assert_int_equal(rig_events(&rig, PCV_EVENT_RESET_SEEN), 1);
    rig_close(&rig);
}

/* ---- what the host permits ----------------------------------------------- */

static int never(void *ctx, uint32_t domain_id, pcv_hpa start, uint64_t size)
{
    (void)ctx;
    (void)domain_id;
    (void)start;
    (void)size;
    return 0;
}

/* HDR-11 */
static void without_permission_nothing_is_mapped_and_decoding_works(
    void **state)
{
    struct rig rig;

    (void)state;
    map_prepare(&rig, PCV_CMD_MEMORY);
    rig.ops.mmio_permitted = never;
    rig_create(&rig);
    assert_int_equal(pcv_device_add(rig.host, DEV, NULL), 0);
    assert_int_equal(pages(&rig), 0);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, 0);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 2), PCV_CMD_MEMORY);
    assert_int_equal(pcv_model_calls(rig.model, PCV_MODEL_OP_map), 0);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_maps_the_bars_and_its_end_unmaps_them),
        cmocka_unit_test(what_decodes_when_it_is_added_is_mapped),
        cmocka_unit_test(the_device_decodes_only_while_its_pages_are_there),
        cmocka_unit_test(
            a_bar_that_moves_reads_back_at_once_and_is_mapped_anew),
        cmocka_unit_test(hardware_moves_between_the_old_mapping_and_the_new),
        cmocka_unit_test(a_bar_can_be_sized_while_it_is_mapped),
        cmocka_unit_test(outside_mmio_a_bar_stays_unmapped_until_it_comes_back),
        cmocka_unit_test(a_64_bit_bar_moves_half_by_half),
        cmocka_unit_test(with_decoding_off_a_bar_is_simply_written),
        cmocka_unit_test(a_page_of_two_bars_goes_with_the_last_of_them),
        cmocka_unit_test(bars_of_two_devices_share_pages_too),
        cmocka_unit_test(the_rom_needs_its_own_bit_and_decoding),
        cmocka_unit_test(a_reset_is_seen_where_decoding_was_held_for_vectors),
        cmocka_unit_test(
            without_permission_nothing_is_mapped_and_decoding_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

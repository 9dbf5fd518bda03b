/* SPDX-License-Identifier: MIT */
/*
 * A function that the hypervisor and the hardware domain share: what is virtual
 * of its registers, while hardware keeps what it has.
 */
#include "engine_fixture.h"

#include "hidden_card.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define ONES 0xffffffffu

static uint32_t reads(struct card *c, uint16_t reg, uint8_t size)
{
    return rig_read(&c->g.rig, DEV, reg, size);
}

static void writes(struct card *c, uint16_t reg, uint8_t size, uint32_t value)
{
    rig_write(&c->g.rig, DEV, reg, size, value);
}

static uint32_t holds(struct card *c, uint16_t reg, uint8_t size)
{
    return pcv_model_peek(c->g.rig.model, DEV, reg, size);
}

/* ---- whose it is -----------------------------------------------------------
 */

/* OWN-1, OWN-7, LIFE-2 */
static void it_is_the_hypervisors_and_the_hardware_domain_finds_it(void **state)
{
    struct pcv_device *device;
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    assert_int_equal(card_info(&c, DEV).owner_id, PCV_DOMAIN_ID_HYPERVISOR);
    assert_true(card_info(&c, DEV).hidden);
    assert_false(card_info(&c, DEV).concealed);
    device = pcv_device_find_owned(c.g.rig.dom0, DEV);
    assert_non_null(device);
    pcv_device_put(device);
    assert_int_equal(reads(&c, PCV_REG_VENDOR, 4), 0xa36d8086);
    /* The domain's driver does DMA with it still. */
    assert_int_equal(pcv_model_dma_domain(c.g.rig.model, DEV),
                     PCV_DOMAIN_ID_HARDWARE);
    guest_close(&c.g);
}

/* OWN-7 */
static void hiding_it_again_is_done_already_and_otherwise_busy(void **state)
{
    struct pcv_hide_info other = card_ranges;
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, &card_ranges, NULL), 0);
    other.range[1].size = 9;
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, &other, NULL),
                     -PCV_EBUSY);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, NULL, NULL),
                     -PCV_EBUSY);
    guest_close(&c.g);
}

/* ---- decoding --------------------------------------------------------------
 */

/* OWN-7 */
static void decoding_is_virtual_and_hardware_keeps_it(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    writes(&c, PCV_REG_COMMAND, 2, PCV_CMD_PARITY);
    assert_int_equal(reads(&c, PCV_REG_COMMAND, 2), PCV_CMD_PARITY);
    assert_int_equal(holds(&c, PCV_REG_COMMAND, 2),
                     PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_PARITY);
    assert_false(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
    writes(&c, PCV_REG_COMMAND, 2, FULL);
    assert_int_equal(reads(&c, PCV_REG_COMMAND, 2), FULL);
    assert_true(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
    guest_close(&c.g);
}

/* OWN-7, CFG-4: a byte of the register alone. */
static void part_of_the_command_register_is_written_alone(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    writes(&c, PCV_REG_COMMAND + 1u, 1, PCV_CMD_INTX_OFF >> 8);
    assert_int_equal(reads(&c, PCV_REG_COMMAND, 2), FULL | PCV_CMD_INTX_OFF);
    writes(&c, PCV_REG_COMMAND, 1, 0);
    assert_int_equal(reads(&c, PCV_REG_COMMAND, 2), PCV_CMD_INTX_OFF);
    assert_int_equal(holds(&c, PCV_REG_COMMAND, 2),
                     PCV_CMD_IO | PCV_CMD_MEMORY | PCV_CMD_INTX_OFF);
    guest_close(&c.g);
}

/* OWN-7: the hypervisor's own DMA. */
static void bus_mastering_stays_on_where_the_hypervisor_needs_it(void **state)
{
    const struct pcv_hide_info masters = {.flags = PCV_HIDE_MASTER};
    struct card c;

    (void)state;
    card_open(&c);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, &masters, NULL), 0);
    writes(&c, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(reads(&c, PCV_REG_COMMAND, 2), 0);
    assert_int_equal(holds(&c, PCV_REG_COMMAND, 2), FULL);
    assert_int_equal(card_reveal(&c), 0);
    assert_int_equal(holds(&c, PCV_REG_COMMAND, 2), 0);
    guest_close(&c.g);
}

/* ---- BARs ------------------------------------------------------------------
 */

/* OWN-7: as Linux sizes a BAR, puts it back, and moves it. */
static void each_kind_of_bar_is_sized_and_moved_without_hardware(void **state)
{
    static const struct {
        uint16_t reg;
        uint32_t begins, sizes, moved, reads;
    } rows[] = {
        {REG_BAR(0), 4, 0xffff0004, 0xd0018000, 0xd0010004},
        {REG_BAR(1), 0x40, ONES, 0x51, 0x51},
        {REG_BAR(2), IOS | 1u, 0xffffffe1, 0xd01c, 0xd001},
        {REG_BAR(3), LITTLE, 0xffffff00, 0xd0000180, 0xd0000100},
        {PCV_REG_ROM0, CODE | 1u, 0xffffe001, 0xd0003800, 0xd0002000},
    };
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(reads(&c, rows[i].reg, 4), rows[i].begins);
        writes(&c, rows[i].reg, 4, ONES);
        assert_int_equal(reads(&c, rows[i].reg, 4), rows[i].sizes);
        writes(&c, rows[i].reg, 4, rows[i].begins);
        assert_int_equal(reads(&c, rows[i].reg, 4), rows[i].begins);
        writes(&c, rows[i].reg, 4, rows[i].moved);
        assert_int_equal(reads(&c, rows[i].reg, 4), rows[i].reads);
        assert_int_equal(holds(&c, rows[i].reg, 4), rows[i].begins);
    }
    assert_int_equal(rig_writes(&c.g.rig), 0);
    guest_close(&c.g);
}

/* OWN-7, HDR-11: at its new place it is served access by access, since what is
 * mapped is mapped where hardware has it. */
static void a_bar_that_is_moved_is_served_at_its_new_place(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    writes(&c, REG_BAR(1), 4, 0x41);
    assert_false(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
    assert_false(rig_mapped(&c.g.rig, REGS + 0x100000000u, REGS_SIZE));
    assert_int_equal(guest_bar(&c.g, DEV, 0).state, PCV_BAR_TRAPPED);
    assert_int_equal(card_store(&c, REGS + 0x100000200u, 4, 0x77), PCV_DONE);
    assert_int_equal(card_peek(&c, 0, 0x200, 4), 0x77);
    assert_int_equal(card_load(&c, REGS + 0x100000200u, 4), 0x77);
    /* What the hypervisor uses is its own there, too. */
    assert_int_equal(card_store(&c, REGS + 0x100000000u + PORT, 4, 1),
                     PCV_DONE);
    assert_int_equal(card_peek(&c, 0, PORT, 4), 0);
    writes(&c, REG_BAR(1), 4, 0x40);
    assert_true(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
    assert_true(card_read_only(&c, PORT_PAGE));
    guest_close(&c.g);
}

/* OWN-7, HDR-6: sized while it is decoded; the others stay. */
static void a_bar_that_is_sized_while_it_is_mapped_comes_back(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    writes(&c, REG_BAR(3), 4, ONES);
    assert_true(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
    writes(&c, REG_BAR(3), 4, LITTLE);
    assert_true(rig_mapped(&c.g.rig, LITTLE & ~0xfffu, 0x1000));
    card_check(&c);
    guest_close(&c.g);
}

/* OWN-7, HDR-12 */
static void its_rom_is_mapped_as_its_virtual_enable_bit_says(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    assert_true(rig_mapped(&c.g.rig, CODE, 0x2000));
    writes(&c, PCV_REG_ROM0, 4, CODE);
    assert_false(rig_mapped(&c.g.rig, CODE, 0x2000));
    assert_int_equal(holds(&c, PCV_REG_ROM0, 4), CODE | PCV_ROM_ENABLE);
    guest_close(&c.g);
}

/* ---- power and reset -------------------------------------------------------
 */

/* OWN-7, PM-1 */
static void its_power_state_is_virtual(void **state)
{
    uint16_t reg;
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    reg = (uint16_t)(c.pm + PCV_PM_CONTROL);
    writes(&c, reg, 2, PCV_PM_D3HOT);
    assert_int_equal(reads(&c, reg, 2) & PCV_PM_STATE, PCV_PM_D3HOT);
    assert_int_equal(holds(&c, reg, 2) & PCV_PM_STATE, PCV_PM_D0);
    assert_false(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
    /* D1, which it does not have. */
    writes(&c, reg, 2, 1);
    assert_int_equal(reads(&c, reg, 2) & PCV_PM_STATE, PCV_PM_D3HOT);
    /* It forgets, as a function without No_Soft_Reset does; and hardware does
     * not. */
    writes(&c, reg, 2, PCV_PM_D0);
    assert_int_equal(reads(&c, PCV_REG_COMMAND, 2), 0);
    assert_int_equal(reads(&c, REG_BAR(0), 4), 4);
    assert_int_equal(reads(&c, REG_BAR(1), 4), 0);
    assert_int_equal(holds(&c, REG_BAR(1), 4), 0x40);
    writes(&c, REG_BAR(1), 4, 0x40);
    writes(&c, PCV_REG_COMMAND, 2, FULL);
    assert_true(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
    guest_close(&c.g);
}

/* OWN-7, PCIE-1, CAP-7 */
static void a_reset_is_virtual(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    for (int af = 0; af < 2; af++) {
        uint16_t reg = (uint16_t)(af != 0 ? c.af + PCV_AF_CONTROL
                                          : c.pcie + PCV_PCIE_DEVCTL);
        uint8_t size = af != 0 ? 1 : 2;

        assert_true(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
        writes(&c, reg, size, af != 0 ? 1u : PCV_PCIE_DEVCTL_FLR);
        assert_int_equal(reads(&c, PCV_REG_VENDOR, 4), 0xa36d8086);
        assert_int_equal(reads(&c, PCV_REG_COMMAND, 2), 0);
        assert_int_equal(reads(&c, REG_BAR(1), 4), 0);
        assert_false(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
        assert_int_equal(holds(&c, REG_BAR(1), 4), 0x40);
        assert_int_equal(holds(&c, PCV_REG_COMMAND, 2),
                         PCV_CMD_IO | PCV_CMD_MEMORY);
        writes(&c, REG_BAR(1), 4, 0x40);
        writes(&c, PCV_REG_COMMAND, 2, FULL);
    }
    guest_close(&c.g);
}

/* OWN-7, MSI-1: vectors are virtualised as ever, and outlast being hidden and
 * revealed. */
static void vectors_stay_bound(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    writes(&c, (uint16_t)(c.msi + 4u), 4, 0xfee00000);
    writes(&c, (uint16_t)(c.msi + 8u), 2, 0x31);
    writes(&c, (uint16_t)(c.msi + 2u), 2, 1);
    assert_int_equal(rig_status(&c.g.rig, DEV).held[PCV_HOLDER_VECTOR], 1);
    card_hide(&c);
    assert_int_equal(rig_status(&c.g.rig, DEV).held[PCV_HOLDER_VECTOR], 1);
    assert_int_equal(reads(&c, (uint16_t)(c.msi + 2u), 2) & 1u, 1);
    assert_int_equal(holds(&c, (uint16_t)(c.msi + 2u), 2) & 1u, 1);
    assert_int_equal(card_reveal(&c), 0);
    assert_int_equal(rig_status(&c.g.rig, DEV).held[PCV_HOLDER_VECTOR], 1);
    /* A virtual reset drops them, in hardware, too. */
    card_hide(&c);
    writes(&c, (uint16_t)(c.pcie + PCV_PCIE_DEVCTL), 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(rig_status(&c.g.rig, DEV).held[PCV_HOLDER_VECTOR], 0);
    assert_int_equal(holds(&c, (uint16_t)(c.msi + 2u), 2) & 1u, 0);
    guest_close(&c.g);
}

/* ---- and back --------------------------------------------------------------
 */

/* OWN-7 */
static void revealed_it_is_as_if_it_had_never_been_hidden(void **state)
{
    uint8_t before[PCV_CFG_SIZE];
    struct card c;

    (void)state;
    card_open(&c);
    for (uint16_t reg = 0; reg < PCV_CFG_SIZE; reg++) {
        before[reg] = (uint8_t)reads(&c, reg, 1);
    }
    card_hide(&c);
    for (uint16_t reg = 0; reg < PCV_CFG_SIZE; reg++) {
        assert_int_equal(reads(&c, reg, 1), before[reg]);
    }
    assert_int_equal(card_reveal(&c), 0);
    for (uint16_t reg = 0; reg < PCV_CFG_SIZE; reg++) {
        assert_int_equal(reads(&c, reg, 1), before[reg]);
    }
    card_as_before(&c);
    /* Registers are hardware's again. */
    writes(&c, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(holds(&c, PCV_REG_COMMAND, 2), 0);
    writes(&c, REG_BAR(2), 4, 0xd000);
    assert_int_equal(holds(&c, REG_BAR(2), 4), 0xd001);
    guest_close(&c.g);
}

/* OWN-7: what the domain wrote reaches hardware then. */
static void revealed_hardware_follows_the_domains_registers(void **state)
{
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    writes(&c, REG_BAR(1), 4, 0x41);
    writes(&c, REG_BAR(2), 4, 0xd000);
    writes(&c, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(card_reveal(&c), 0);
    assert_int_equal(holds(&c, REG_BAR(1), 4), 0x41);
    assert_int_equal(holds(&c, REG_BAR(2), 4), 0xd001);
    assert_int_equal(holds(&c, PCV_REG_COMMAND, 2), PCV_CMD_MEMORY);
    assert_true(rig_mapped(&c.g.rig, REGS + 0x100000000u, REGS_SIZE));
    assert_false(rig_mapped(&c.g.rig, REGS, REGS_SIZE));
    card_hide(&c);
    writes(&c, (uint16_t)(c.pm + PCV_PM_CONTROL), 2, PCV_PM_D3HOT);
    assert_int_equal(card_reveal(&c), 0);
    assert_int_equal(holds(&c, (uint16_t)(c.pm + PCV_PM_CONTROL), 2) &
                         PCV_PM_STATE,
                     PCV_PM_D3HOT);
    guest_close(&c.g);
}

/* OWN-7: the hypervisor's driver had moved it since the scan. */
static void it_is_where_hardware_has_it_when_it_is_hidden(void **state)
{
    const struct pcv_hide_info port = {
        .range_count = 1, .range = {{.bar = 3, .offset = 0, .size = 4}}};
    struct card c;

    (void)state;
    card_open(&c);
    pcv_model_poke(c.g.rig.model, DEV, REG_BAR(3), 4, 0xe0040000);
    assert_int_equal(pcv_device_hide(c.g.rig.host, DEV, &port, NULL), 0);
    assert_true(card_read_only(&c, 0xe0040000));
    assert_int_equal(reads(&c, REG_BAR(3), 4), 0xe0040000);
    card_check(&c);
    guest_close(&c.g);
}

/* OWN-7: who began to reveal it may think better of it. */
static void what_is_hidden_after_all_can_be_used(void **state)
{
    struct pcv_device *inside;
    struct card c;

    (void)state;
    card_open(&c);
    card_hide(&c);
    assert_int_equal(pcv__gate_enter(c.g.rig.dom0, DEV, &inside), PCV_DONE);
    assert_int_equal(card_reveal(&c), -PCV_ERESTART);
    pcv__gate_leave(inside);
    card_hide(&c);
    assert_int_equal(rig_read(&c.g.rig, DEV, PCV_REG_VENDOR, 4), 0xa36d8086);
    assert_int_equal(card_reveal(&c), 0);
    card_as_before(&c);
    guest_close(&c.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_hidden_after_all_can_be_used),
        cmocka_unit_test(
            it_is_the_hypervisors_and_the_hardware_domain_finds_it),
        cmocka_unit_test(hiding_it_again_is_done_already_and_otherwise_busy),
        cmocka_unit_test(decoding_is_virtual_and_hardware_keeps_it),
        cmocka_unit_test(part_of_the_command_register_is_written_alone),
        cmocka_unit_test(bus_mastering_stays_on_where_the_hypervisor_needs_it),
        cmocka_unit_test(each_kind_of_bar_is_sized_and_moved_without_hardware),
        cmocka_unit_test(a_bar_that_is_moved_is_served_at_its_new_place),
        cmocka_unit_test(a_bar_that_is_sized_while_it_is_mapped_comes_back),
        cmocka_unit_test(its_rom_is_mapped_as_its_virtual_enable_bit_says),
        cmocka_unit_test(its_power_state_is_virtual),
        cmocka_unit_test(a_reset_is_virtual),
        cmocka_unit_test(vectors_stay_bound),
        cmocka_unit_test(revealed_it_is_as_if_it_had_never_been_hidden),
        cmocka_unit_test(revealed_hardware_follows_the_domains_registers),
        cmocka_unit_test(it_is_where_hardware_has_it_when_it_is_hidden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * What a hostile guest and a broken device try together: pages and registers
 * that are not the guest's, and bits that nobody may write.
 */
#include "guest_fixture.h"

#include <string.h>

#define TABLE 0x1000u /* MSI-X's table and pending bits, in BAR 0 */
#define PBA 0x2000u
#define MARK 0xfee0a5a4u /* what the host left in the table */

/* ---- MSI-X's pages, though the guest sees no MSI-X ----------------------- */

/* A device with MSI-X in BAR 0, of four pages. */
static void add_msix(struct guest *g, uint32_t pba)
{
    struct pcv_test_function f;

    guest_open(g);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, HOST_A, 0x4000);
    (void)pcv_test_msix(&f, 4, 0, TABLE, pba);
    pcv_test_add(g->rig.model, &f, DEV);
}

static pcv_sbdf give_hidden(struct guest *g)
{
    const struct pcv_assign_policy policy = {
        .cap_count = 1, .caps = {{.id = PCV_CAP_ID_MSIX, .show = false}}};
    pcv_sbdf at = guest_give(g, DEV, &policy);

    guest_write(g, at, PCV_REG_BAR0, 4, WIN);
    guest_write(g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_model_mmio_poke(g->rig.model, DEV, 0, TABLE, 4, MARK);
    return at;
}

/* The guest has its BAR, but neither table nor pending bits: they are not
 * mapped, and whoever touches them reads all ones. Around them are the device's
 * own registers. */
static void expect_shielded(struct guest *g, uint32_t pba)
{
    uint64_t data;

    assert_true(guest_mapped(g, WIN, 0x1000));
    assert_false(guest_mapped(g, WIN + TABLE, 0x1000));
    assert_int_equal(guest_mapped(g, WIN + PBA, 0x1000), pba != PBA);
    for (uint32_t at = 0; at < 64; at += 4) {
        assert_int_equal(guest_load(g, WIN + TABLE + at, 4, &data), PCV_DONE);
        assert_int_equal(data, 0xffffffffu);
        assert_int_equal(guest_store(g, WIN + TABLE + at, 4, 0), PCV_DONE);
    }
    assert_int_equal(guest_load(g, WIN + pba, 8, &data), PCV_DONE);
    assert_true(data == UINT64_MAX);
    assert_int_equal(pcv_model_mmio_peek(g->rig.model, DEV, 0, TABLE, 4), MARK);
    assert_int_equal(guest_store(g, WIN + TABLE + 0x100, 4, 0x1234), PCV_DONE);
    assert_int_equal(guest_load(g, WIN + TABLE + 0x100, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x1234);
}

/* HDR-7, CAP-6: in pages of their own, or in one that has more registers. */
static void a_table_that_the_policy_hides_is_not_mapped(void **state)
{
    static const uint32_t pbas[] = {PBA, TABLE + 0x800u};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct guest g;
        pcv_sbdf at;

        add_msix(&g, pbas[i]);
        guest_boot(&g);
        at = give_hidden(&g);
        assert_int_equal(rig_events(&g.rig, PCV_EVENT_CAP_HIDDEN), 0);
        expect_shielded(&g, pbas[i]);
        assert_true(guest_mapped(&g, WIN + 0x3000, 0x1000));
        for (uint16_t reg = 0x40; reg < PCV_CFG_SIZE; reg += 4) {
            assert_int_not_equal(guest_read(&g, at, reg, 4) & 0xffu,
                                 PCV_CAP_ID_MSIX);
        }
        guest_take(&g, DEV);
        guest_close(&g);
    }
}

/* HDR-7, MSIX-3 */
static void a_table_in_a_damaged_capability_is_not_mapped(void **state)
{
    /* Pending bits that overlap the table; that are in no BAR; a table that
     * reaches out of its BAR. */
    static const struct {
        uint32_t table, pba;
    } rows[] = {{TABLE, TABLE}, {TABLE, PBA | 3u}, {0x3fe0u, PBA}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_test_function f;
        struct guest g;
        uint64_t data;
        pcv_sbdf at;
        uint8_t cap;

        guest_open(&g);
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
        pcv_test_bar32(&f, 0, HOST_A, 0x4000);
        cap = pcv_test_msix(&f, 4, 0, TABLE, PBA);
        pcv_test_set(&f, cap + 4u, 4, rows[i].table);
        pcv_test_set(&f, cap + 8u, 4, rows[i].pba);
        pcv_test_add(g.rig.model, &f, DEV);
        guest_boot(&g);
        at = guest_give(&g, DEV, NULL);
        guest_write(&g, at, PCV_REG_BAR0, 4, WIN);
        guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        assert_int_equal(guest_read(&g, at, cap, 1), 0);
        assert_false(guest_mapped(&g, WIN + (rows[i].table & ~0xfffu), 0x1000));
        assert_int_equal(guest_load(&g, WIN + rows[i].table, 4, &data),
                         PCV_DONE);
        assert_int_equal(data, 0xffffffffu);
        assert_true(guest_mapped(&g, WIN, 0x1000));
        guest_close(&g);
    }
}

#define MIB 0x100000u
#define FAR 0x200000u /* in a BAR of 4 MiB, not in one of 1 MiB */

static void add_resizable(struct guest *g, uint32_t table, uint16_t *out_rebar)
{
    struct pcv_test_function f;

    guest_open(g);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar64(&f, 0, HOST_A_HIGH, 4ull * MIB);
    (void)pcv_test_msix(&f, 4, 0, table, FAR + 0x1000u);
    *out_rebar = pcv_test_rebar(&f, 0, 1u << 0 | 1u << 2, 2);
    pcv_test_add(g->rig.model, &f, DEV);
    guest_boot(g);
}

static void resize(struct guest *g, pcv_sbdf at, uint16_t control,
                   uint32_t code)
{
    guest_write(g, at, PCV_REG_COMMAND, 2, 0);
    guest_write(g, at, control, 4, code << 8);
    assert_int_equal(guest_read(g, at, control, 4) >> 8, code);
    guest_write(g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_true(guest_mapped(g, WIN, 0x1000));
}

static void expect_no_table(struct guest *g, uint32_t table)
{
    uint64_t data;

    assert_false(guest_mapped(g, WIN + table, 0x1000));
    assert_int_equal(guest_load(g, WIN + table, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xffffffffu);
}

/* HDR-7, MSIX-3, REBAR-1: MSI-X goes for good when its BAR shrinks, but what
 * is left of it in memory, or comes back with it, is not mapped. */
static void a_table_that_was_resized_away_is_not_mapped(void **state)
{
    static const uint32_t tables[] = {FAR, TABLE};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct guest g;
        uint16_t rebar;
        pcv_sbdf at;

        add_resizable(&g, tables[i], &rebar);
        at = guest_give(&g, DEV, NULL);
        guest_write(&g, at, PCV_REG_BAR0, 4, WIN);
        resize(&g, at, (uint16_t)(rebar + 8u), 0);
        assert_int_equal(rig_events(&g.rig, PCV_EVENT_CAP_HIDDEN), 1);
        if (tables[i] < MIB) {
            expect_no_table(&g, tables[i]);
        }
        resize(&g, at, (uint16_t)(rebar + 8u), 2);
        expect_no_table(&g, tables[i]);
        guest_close(&g);
    }
}

/* ---- host's memory through a BAR that is trapped ------------------------- */

static uint64_t strayed; /* accesses to what is no MMIO */

static int stray_read(void *ctx, pcv_hpa address, uint8_t size,
                      uint64_t *out_value)
{
    strayed += pcv_model_ops()->mmio_permitted(ctx, 0, address, size) != 1;
    return pcv_model_ops()->mmio_read(ctx, address, size, out_value);
}

static int stray_write(void *ctx, pcv_hpa address, uint8_t size, uint64_t value)
{
    strayed += pcv_model_ops()->mmio_permitted(ctx, 0, address, size) != 1;
    return pcv_model_ops()->mmio_write(ctx, address, size, value);
}

/* HDR-5, HDR-11: a BAR without an address, and one that stands in memory. */
static void a_small_bar_never_leads_to_the_hosts_memory(void **state)
{
    static const uint32_t addresses[] = {0, 0x100000u};
    const uint32_t first = HOST_A_SMALL & ~0xffu;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pcv_test_function f;
        struct guest g;
        uint64_t data;
        pcv_sbdf at;

        strayed = 0;
        guest_open(&g);
        g.rig.ops.mmio_read = stray_read;
        g.rig.ops.mmio_write = stray_write;
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
        pcv_test_bar32(&f, 0, first, 256);
        pcv_test_add(g.rig.model, &f, DEV);
        guest_boot(&g);
        rig_write(&g.rig, DEV, PCV_REG_BAR0, 4, addresses[i]);
        at = guest_give(&g, DEV, NULL);
        guest_write(&g, at, PCV_REG_BAR0, 4, WIN);
        guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        assert_int_equal(guest_load(&g, WIN + 16, 4, &data), PCV_DONE);
        assert_int_equal(data, 0xffffffffu);
        assert_int_equal(guest_store(&g, WIN + 16, 8, 0x1234), PCV_DONE);
        assert_int_equal(strayed, 0);
        guest_close(&g);
    }
}

/* ---- a reset that is waited for ------------------------------------------ */

/* PCIE-1, HDR-9: while the reset of one vCPU waits for pages to be unmapped,
 * another enables vectors. The reset drops them. */
static void vectors_enabled_while_a_reset_waits_are_dropped(void **state)
{
    struct pcv_access flr;
    struct pcv_test_function f;
    struct guest g;
    uint8_t msi;
    pcv_sbdf at;

    (void)state;
    guest_open(&g);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, HOST_A, 0x4000);
    msi = pcv_test_msi(&f, 0x0080);
    pcv_test_add(g.rig.model, &f, DEV);
    guest_boot(&g);
    at = guest_give(&g, DEV, NULL);
    guest_write(&g, at, PCV_REG_BAR0, 4, WIN);
    guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_model_set_map_chunk(g.rig.model, 1);
    flr = PCV_WRITE(at, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(pcv_access(g.domain, &flr), PCV_PENDING);
    guest_write(&g, at, msi + 4u, 4, 0xfee00000u);
    guest_write(&g, at, msi + 2u, 2, 1);
    (void)guest_settle(&g, &flr);
    assert_int_equal(guest_read(&g, at, msi + 2u, 2) & 1u, 0);
    assert_int_equal(guest_read(&g, at, msi + 4u, 4), 0);
    assert_int_equal(pcv_model_bound(g.rig.model, NULL), 0);
    guest_close(&g);
}

/* ---- all ones in the middle ---------------------------------------------- */

static uint16_t lies_at; /* the register that reads all ones ... */
static unsigned lies;    /* ... when it is read for this time; 0: never */

static int lying_read(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                      uint32_t *out_value)
{
    int error = pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out_value);

    if (reg == lies_at && lies != 0 && --lies == 0) {
        *out_value = 0xffffffffu >> (32u - size * 8u);
    }
    return error;
}

/* HDR-2, CFG-4: what stands in Command is asked for while it does not answer;
 * it is never written back as it was read. */
static void all_ones_in_command_are_not_written_back(void **state)
{
    struct guest g;
    pcv_sbdf at;
    uint32_t command;

    (void)state;
    guest_open(&g);
    two_add(&g);
    g.rig.ops.cfg_read = lying_read;
    guest_boot(&g);
    at = guest_give(&g, DEV, NULL);
    lies_at = PCV_REG_COMMAND;
    lies = 1;
    guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    lies = 0;
    command = pcv_model_peek(g.rig.model, DEV, PCV_REG_COMMAND, 2);
    assert_int_equal(command & ~(uint32_t)PCV_CMD_MASTER, 0);
    guest_close(&g);
}

/* PCIE-2 */
static void all_ones_in_device_control_are_not_written_back(void **state)
{
    struct guest g;
    pcv_sbdf at;

    (void)state;
    for (unsigned n = 1; n < 12; n++) {
        const uint16_t reg = 0x40 + PCV_PCIE_DEVCTL;
        struct pcv_test_function f;
        uint32_t after;
        int error;

        guest_open(&g);
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
        pcv_test_bar32(&f, 0, HOST_A, 0x4000);
        pcv_test_add(g.rig.model, &f, DEV);
        g.rig.ops.cfg_read = lying_read;
        guest_boot(&g);
        pcv_model_poke(g.rig.model, DEV, reg, 2, PCV_PCIE_DEVCTL_RELAXED);
        lies_at = reg;
        lies = n;
        do {
            error = pcv_device_assign(g.rig.host, DEV, g.domain, NULL, &at);
        } while (error == -PCV_ERESTART);
        lies = 0;
        /* A reset, or the host, or what a guest has. */
        after = pcv_model_peek(g.rig.model, DEV, reg, 2);
        assert_int_equal(
            after & ~(PCV_PCIE_DEVCTL_RELAXED | PCV_PCIE_DEVCTL_READ_REQUEST),
            0);
        guest_close(&g);
    }
}

/* ---- one address, two owners --------------------------------------------- */

/* Two devices whose BARs say that they stand in the same pages. */
static void add_liars(struct guest *g, uint64_t size)
{
    struct pcv_test_function f;

    guest_open(g);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, HOST_A, 0x4000);
    pcv_test_add(g->rig.model, &f, DEV);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    pcv_test_bar32(&f, 0, HOST_A + 0x2000, size);
    pcv_test_bar32(&f, 1, HOST_B, 0x1000);
    pcv_test_add(g->rig.model, &f, DEV2);
    guest_boot(g);
}

static void give_to(struct guest *g, pcv_sbdf sbdf, struct pcv_domain *to,
                    uint32_t address)
{
    struct pcv_domain *before = g->domain;
    pcv_sbdf at;

    g->domain = to;
    at = guest_give(g, sbdf, NULL);
    guest_write(g, at, REG_BAR(0), 4, address);
    guest_write(g, at, REG_BAR(1), 4, address + 0x100000);
    guest_write(g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    g->domain = before;
}

#define OTHER 8u

/* HDR-8: a broken device says that its BAR is where another guest's is. */
static void pages_of_another_guests_device_are_not_reached(void **state)
{
    static const uint64_t sizes[] = {0x2000, 256};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pcv_mmio load = PCV_MMIO_READ(WIN, 4);
        struct pcv_domain *other;
        struct guest g;

        add_liars(&g, sizes[i]);
        assert_int_equal(pcv_domain_create(g.rig.host, OTHER, &other), 0);
        assert_int_equal(pcv_domain_add_window(other, (pcv_gpa){WIN}, WIN_SIZE),
                         0);
        give_to(&g, DEV, g.domain, WIN);
        give_to(&g, DEV2, other, WIN);
        assert_true(guest_mapped(&g, WIN, 0x4000));
        assert_int_equal(pcv_mmio_access(other, &load), PCV_FORWARD);
        /* What is its own alone is there. */
        assert_true(
            pcv_model_is_mapped(g.rig.model, OTHER, (WIN + 0x100000) >> 12));
        assert_int_equal(guest_pages(&g), 5);
        /* Once the other one is gone, so is the quarrel. */
        guest_take(&g, DEV);
        guest_take(&g, DEV2);
        give_to(&g, DEV2, other, WIN);
        assert_true(pcv_model_is_mapped(g.rig.model, OTHER, WIN >> 12) ||
                    pcv_mmio_access(other, &load) == PCV_DONE);
        guest_close(&g);
    }
}

/* HDR-8: one guest may have both. */
static void one_guest_may_have_two_devices_at_one_address(void **state)
{
    struct guest g;

    (void)state;
    add_liars(&g, 0x2000);
    give_to(&g, DEV, g.domain, WIN);
    give_to(&g, DEV2, g.domain, WIN + 0x8000);
    assert_true(guest_mapped(&g, WIN, 0x4000));
    assert_true(guest_mapped(&g, WIN + 0x8000, 0x2000));
    guest_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_that_the_policy_hides_is_not_mapped),
        cmocka_unit_test(a_table_in_a_damaged_capability_is_not_mapped),
        cmocka_unit_test(a_table_that_was_resized_away_is_not_mapped),
        cmocka_unit_test(a_small_bar_never_leads_to_the_hosts_memory),
        cmocka_unit_test(vectors_enabled_while_a_reset_waits_are_dropped),
        cmocka_unit_test(all_ones_in_command_are_not_written_back),
        cmocka_unit_test(all_ones_in_device_control_are_not_written_back),
        cmocka_unit_test(pages_of_another_guests_device_are_not_reached),
        cmocka_unit_test(one_guest_may_have_two_devices_at_one_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Where the BARs of a function are that the hypervisor drives itself: no BAR of
 * another is mapped there, for nobody.
 */
#include "engine_fixture.h"

#include "console.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define ONES64 UINT64_MAX

static enum pcv_verdict load(struct guest *g, uint64_t address, uint8_t size,
                             uint64_t *out)
{
    struct pcv_mmio access = PCV_MMIO_READ(address, size);
    enum pcv_verdict verdict = pcv_mmio_access(g->rig.dom0, &access);

    *out = access.data;
    return verdict;
}

static enum pcv_verdict store(struct guest *g, uint64_t address, uint8_t size,
                              uint64_t value)
{
    struct pcv_mmio access = PCV_MMIO_WRITE(address, size, value);

    return pcv_mmio_access(g->rig.dom0, &access);
}

/* What the hardware domain has mapped of a BAR of 8 pages: a bit each. */
static uint32_t pages_at(const struct guest *g, uint64_t address)
{
    uint32_t pages = 0;

    for (uint32_t i = 0; i < 8; i++) {
        pages |= pcv_model_is_mapped(g->rig.model, PCV_DOMAIN_ID_HARDWARE,
                                     (address >> 12) + i)
                     ? 1u << i
                     : 0;
    }
    return pages;
}

/* ---- asking ----------------------------------------------------------------
 */

/* OWN-8 */
static void a_host_learns_which_bytes_are_taken(void **state)
{
    static const struct {
        uint64_t address, size;
        bool io, taken;
    } rows[] = {
        {PORTS, 1, true, true},
        {PORTS + 7, 1, true, true},
        {PORTS + 8, 1, true, false},
        {PORTS - 4, 4, true, false},
        {PORTS - 4, 5, true, true},
        {PORTS - 4, 64, true, true},
        {PORTS + 8, UINT64_MAX, true, false},
        {0, UINT64_MAX, true, true},
        {PORTS, 0, true, false},
        {PORTS, 8, false, false},
        {REGS, 4, true, false},
        {REGS, 4, false, true},
        {REGS - 1, 1, false, false},
        {REGS + 255, 1, false, true},
        {REGS + 256, 0x1000, false, false},
        {HIGH + 0xffff, 8, false, true},
        {HIGH + 0x10000, ONES64, false, false},
        {LOW, 0x4000, false, true},
        {FIRMWARE + 0x1fff, 1, false, true},
        {FIRMWARE + 0x2000, 1, false, false},
        {ONES64, 1, false, false},
        {ONES64, ONES64, true, false},
        {0, ONES64, false, true},
    };
    struct guest g;

    (void)state;
    (void)console_open(&g);
    assert_false(pcv_host_reserved(NULL, false, 0, ONES64));
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_false(pcv_host_reserved(g.rig.host, rows[i].io, rows[i].address,
                                       rows[i].size));
    }
    console_declare(&g);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(pcv_host_reserved(g.rig.host, rows[i].io,
                                           rows[i].address, rows[i].size),
                         rows[i].taken);
    }
    console_check(&g);
    guest_close(&g);
}

/* OWN-8: the hardware domain's registers of it are its own affair. */
static void it_is_where_it_was_when_it_was_declared(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    /* The hypervisor's own driver had moved it since the scan. */
    pcv_model_poke(g.rig.model, DEV, REG_BAR(1), 4, 0xe0080000);
    console_declare(&g);
    rig_write(&g.rig, DEV, REG_BAR(1), 4, 0xd0000000);
    assert_true(pcv_host_reserved(g.rig.host, false, 0xe0080000, 1));
    assert_false(pcv_host_reserved(g.rig.host, false, REGS, 256));
    assert_false(pcv_host_reserved(g.rig.host, false, 0xd0000000, 256));
    assert_int_equal(guest_bar(&g, DEV, 1).host.v, 0xe0080000);
    guest_close(&g);
}

/* OWN-8 */
static void a_bar_without_a_place_takes_none(void **state)
{
    struct pcv_test_function f;
    struct guest g;

    (void)state;
    guest_open(&g);
    pcv_test_endpoint(&f, 0x1b36, 0x0002);
    pcv_test_bar_io(&f, 0, 0, 32);
    pcv_test_bar32(&f, 1, 0, 0x1000);
    pcv_test_bar64(&f, 2, UINT64_MAX - 0xfff, 0x1000);
    pcv_test_rom(&f, FIRMWARE, 0x2000); /* not enabled */
    pcv_test_add(g.rig.model, &f, DEV);
    guest_boot(&g);
    console_declare(&g);
    assert_false(pcv_host_reserved(g.rig.host, true, 0, ONES64));
    assert_false(pcv_host_reserved(g.rig.host, false, 0, ONES64));
    assert_int_equal(guest_bar(&g, DEV, 1).state, PCV_BAR_OFF);
    guest_close(&g);
}

/* OWN-8 */
static void whoever_looks_sees_that_its_bars_are_reserved(void **state)
{
    static const unsigned bars[] = {0, 1, 2, 4, PCV_BAR_IS_ROM};
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    for (size_t i = 0; i < COUNT(bars); i++) {
        struct pcv_bar_view view = guest_bar(&g, DEV, bars[i]);

        assert_int_equal(view.state, PCV_BAR_RESERVED);
        assert_string_equal(pcv_bar_state_name(PCV_BAR_RESERVED), "reserved");
        assert_int_equal(view.mapped_pages, 0);
        assert_int_not_equal(view.size, 0);
    }
    guest_close(&g);
}

/* ---- other BARs of the hardware domain -------------------------------------
 */

/* OWN-8, HDR-7 */
static void a_bar_moved_over_it_is_mapped_but_for_its_pages(void **state)
{
    static const struct {
        uint32_t address;
        uint32_t mapped; /* of the 8 pages of BIG */
    } rows[] = {
        {LOW, 0xf0},          /* all four pages, from the start on */
        {LOW - 0x8000, 0xff}, /* before it */
        {LOW + 0x8000, 0xff}, /* after it */
        {FIRMWARE, 0xfc},     {REGS & ~0x7fffu, 0xfe}, /* a part of a page */
    };
    static const uint64_t chunks[] = {0, 1, 3};
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    for (size_t i = 0; i < COUNT(rows) * COUNT(chunks); i++) {
        uint32_t address = rows[i / COUNT(chunks)].address;

        pcv_model_set_map_chunk(g.rig.model, chunks[i % COUNT(chunks)]);
        console_move(&g, 0, address);
        assert_int_equal(rig_read(&g.rig, DEV2, REG_BAR(0), 4), address);
        assert_int_equal(pages_at(&g, address), rows[i / COUNT(chunks)].mapped);
        console_check(&g);
    }
    console_move(&g, 0, BIG);
    assert_int_equal(pages_at(&g, BIG), 0xff);
    guest_close(&g);
}

/* OWN-8, HDR-6: with decoding on, too. */
static void a_bar_moved_while_it_decodes_is_not_mapped_there(void **state)
{
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    rig_write(&g.rig, DEV2, REG_BAR(0), 4, LOW);
    assert_int_equal(pages_at(&g, LOW), 0xf0);
    rig_write(&g.rig, DEV2, REG_BAR(0), 4, BIG);
    assert_int_equal(pages_at(&g, LOW), 0);
    assert_int_equal(pages_at(&g, BIG), 0xff);
    console_check(&g);
    guest_close(&g);
}

/* OWN-8: what is there already goes, and comes again with its end. */
static void what_was_mapped_there_goes_until_the_function_does(void **state)
{
    static const uint64_t chunks[] = {0, 1, 3};

    (void)state;
    for (size_t i = 0; i < COUNT(chunks); i++) {
        struct guest g;

        (void)console_open(&g);
        console_move(&g, 0, LOW);
        assert_int_equal(pages_at(&g, LOW), 0xff);
        pcv_model_set_map_chunk(g.rig.model, chunks[i]);
        console_declare(&g);
        assert_int_equal(pages_at(&g, LOW), 0xf0);
        console_check(&g);
        assert_int_equal(pcv_device_vanished(g.rig.host, DEV), 0);
        assert_int_equal(pcv_device_remove(g.rig.host, DEV, NULL, NULL), 0);
        assert_int_equal(pages_at(&g, LOW), 0xff);
        console_check(&g);
        guest_close(&g);
    }
}

/* ---- bytes of a page -------------------------------------------------------
 */

/* OWN-8, HDR-5: both in one page, neither mapped. */
static void the_rest_of_a_page_is_served_and_its_bytes_are_not(void **state)
{
    uint64_t data = 0;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    console_move(&g, 1, REGS + 0x100);
    assert_false(rig_mapped(&g.rig, REGS, 0x200));
    pcv_model_mmio_poke(g.rig.model, DEV, 1, 0xf8, 8, 0x1111);
    pcv_model_mmio_poke(g.rig.model, DEV2, 1, 0, 8, 0x2222);
    assert_int_equal(load(&g, REGS + 0x100, 8, &data), PCV_DONE);
    assert_int_equal(data, 0x2222);
    assert_int_equal(store(&g, REGS + 0x108, 4, 0x3333), PCV_DONE);
    assert_int_equal(pcv_model_mmio_peek(g.rig.model, DEV2, 1, 8, 4), 0x3333);

    assert_int_equal(load(&g, REGS + 0xf8, 8, &data), PCV_DONE);
    assert_true(data == ONES64);
    assert_int_equal(store(&g, REGS + 0xf8, 8, 0x4444), PCV_DONE);
    assert_int_equal(pcv_model_mmio_peek(g.rig.model, DEV, 1, 0xf8, 8), 0x1111);
    guest_close(&g);
}

/* OWN-8, HDR-11: also where no other BAR is. */
static void the_hardware_domain_reads_all_ones_of_its_memory(void **state)
{
    uint64_t refused, data = 0;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    pcv_model_mmio_poke(g.rig.model, DEV, 4, 0, 4, 0x1111);
    refused = g.rig.host->refused_accesses;
    assert_int_equal(load(&g, LOW, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xffffffff);
    assert_int_equal(store(&g, LOW, 4, 0), PCV_DONE);
    assert_int_equal(pcv_model_mmio_peek(g.rig.model, DEV, 4, 0, 4), 0x1111);
    assert_int_equal(g.rig.host->refused_accesses - refused, 2);
    assert_int_equal(load(&g, REGS + 0x100, 4, &data), PCV_FORWARD);
    assert_int_equal(load(&g, LOW - 4, 4, &data), PCV_FORWARD);
    guest_close(&g);
}

/* OWN-8: a BAR of pages over one of bytes. */
static void a_large_bar_is_served_around_its_bytes(void **state)
{
    const uint32_t over = REGS & ~0x7fffu;
    const uint64_t at = REGS - over;
    uint64_t data = 0;
    struct guest g;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    console_move(&g, 0, over);
    pcv_model_mmio_poke(g.rig.model, DEV2, 0, at - 8, 4, 0x1111);
    pcv_model_mmio_poke(g.rig.model, DEV2, 0, at, 4, 0x2222);
    pcv_model_mmio_poke(g.rig.model, DEV2, 0, at + 256, 4, 0x3333);
    assert_int_equal(load(&g, REGS - 8, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x1111);
    assert_int_equal(load(&g, REGS + 256, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x3333);
    assert_int_equal(load(&g, REGS, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xffffffff);
    assert_int_equal(store(&g, REGS, 4, 0x4444), PCV_DONE);
    assert_int_equal(pcv_model_mmio_peek(g.rig.model, DEV2, 0, at, 4), 0x2222);
    assert_int_equal(pcv_model_mmio_peek(g.rig.model, DEV, 1, 0, 4), 0);
    rig_write(&g.rig, DEV2, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(load(&g, REGS - 8, 4, &data), PCV_FORWARD);
    guest_close(&g);
}

/* ---- guests ----------------------------------------------------------------
 */

/* A guest has DEV2, whose BARs hardware has where the hypervisor's are. */
static pcv_sbdf give_beside(struct guest *g)
{
    pcv_sbdf at;

    rig_write(&g->rig, DEV2, PCV_REG_COMMAND, 2, 0);
    rig_write(&g->rig, DEV2, REG_BAR(0), 4, LOW);
    rig_write(&g->rig, DEV2, REG_BAR(1), 4, REGS + 0x100);
    at = guest_give(g, DEV2, NULL);
    guest_write(g, at, REG_BAR(0), 4, WIN);
    guest_write(g, at, REG_BAR(1), 4, WIN + 0x10100);
    return at;
}

/* OWN-8, HDR-8 */
static void a_guests_bar_over_it_is_not_mapped(void **state)
{
    struct guest g;
    pcv_sbdf at;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    at = give_beside(&g);
    guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_false(guest_mapped(&g, WIN, BIG_SIZE));
    assert_int_equal(guest_bar(&g, DEV2, 0).state, PCV_BAR_OUTSIDE);
    guest_take(&g, DEV2);
    guest_close(&g);
}

/* OWN-8: what a guest has there by mistake is taken. */
static void a_guests_bar_goes_when_the_function_is_declared(void **state)
{
    static const uint64_t chunks[] = {0, 1, 3};

    (void)state;
    for (size_t i = 0; i < COUNT(chunks); i++) {
        struct guest g;
        pcv_sbdf at;

        (void)console_open(&g);
        /* The hardware domain does not have its own there just now. */
        rig_write(&g.rig, DEV, PCV_REG_COMMAND, 2, 0);
        at = give_beside(&g);
        guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        assert_true(guest_mapped(&g, WIN, BIG_SIZE));
        pcv_model_set_map_chunk(g.rig.model, chunks[i]);
        rig_forget(&g.rig);
        assert_int_equal(pcv_device_set_read_only(g.rig.host, DEV), 0);
        assert_int_equal(rig_events(&g.rig, PCV_EVENT_NOT_MAPPED), 1);
        assert_false(guest_mapped(&g, WIN, BIG_SIZE));
        assert_int_equal(guest_read(&g, at, PCV_REG_COMMAND, 2) &
                             PCV_CMD_MEMORY,
                         PCV_CMD_MEMORY);
        guest_take(&g, DEV2);
        guest_close(&g);
    }
}

/* OWN-8, HDR-5 */
static void a_guest_reaches_the_rest_of_a_page(void **state)
{
    uint64_t data = 0;
    struct guest g;
    pcv_sbdf at;

    (void)state;
    (void)console_open(&g);
    console_declare(&g);
    at = give_beside(&g);
    guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_model_mmio_poke(g.rig.model, DEV2, 1, 16, 4, 0x1111);
    assert_int_equal(guest_load(&g, WIN + 0x10110, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x1111);
    guest_take(&g, DEV2);

    /* Hardware has it on the very bytes. */
    rig_write(&g.rig, DEV2, REG_BAR(1), 4, REGS);
    at = guest_give(&g, DEV2, NULL);
    guest_write(&g, at, REG_BAR(1), 4, WIN + 0x10100);
    guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_model_mmio_poke(g.rig.model, DEV2, 1, 16, 4, 0x1111);
    assert_int_equal(guest_load(&g, WIN + 0x10110, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xffffffff);
    assert_int_equal(guest_store(&g, WIN + 0x10110, 4, 0x2222), PCV_DONE);
    assert_int_equal(pcv_model_mmio_peek(g.rig.model, DEV2, 1, 16, 4), 0x1111);
    assert_int_equal(pcv_model_mmio_peek(g.rig.model, DEV, 1, 16, 4), 0);
    guest_take(&g, DEV2);
    guest_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_learns_which_bytes_are_taken),
        cmocka_unit_test(it_is_where_it_was_when_it_was_declared),
        cmocka_unit_test(a_bar_without_a_place_takes_none),
        cmocka_unit_test(whoever_looks_sees_that_its_bars_are_reserved),
        cmocka_unit_test(a_bar_moved_over_it_is_mapped_but_for_its_pages),
        cmocka_unit_test(a_bar_moved_while_it_decodes_is_not_mapped_there),
        cmocka_unit_test(what_was_mapped_there_goes_until_the_function_does),
        cmocka_unit_test(the_rest_of_a_page_is_served_and_its_bytes_are_not),
        cmocka_unit_test(the_hardware_domain_reads_all_ones_of_its_memory),
        cmocka_unit_test(a_large_bar_is_served_around_its_bytes),
        cmocka_unit_test(a_guests_bar_over_it_is_not_mapped),
        cmocka_unit_test(a_guests_bar_goes_when_the_function_is_declared),
        cmocka_unit_test(a_guest_reaches_the_rest_of_a_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

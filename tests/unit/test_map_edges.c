/* SPDX-License-Identifier: MIT */
/*
 * BARs at the edges of what can be: hardware that has one at no page's start,
 * devices at one address, the last addresses there are, accesses over a BAR's
 * end, mappings half done.
 */
#include "guest_fixture.h"

#include <string.h>

#include "vpci/cap.h"
#include "vpci/map.h"

/* ---- where hardware has it -------------------------------------------------
 */

#define CRAMPED_SIZE 0x4000u

/* DEV with a BAR of this size, which hardware says is 256 bytes from where it
 * can be; given to the guest, at its window, decoding. */
static void open_cramped(struct guest *g, uint64_t size)
{
    struct pcv_test_function f;
    pcv_sbdf at;

    guest_open(g);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, HOST_A, size);
    pcv_test_add(g->rig.model, &f, DEV);
    guest_boot(g);
    pcv_model_poke(g->rig.model, DEV, PCV_REG_BAR0, 4, HOST_A + 0x100u);
    at = guest_give(g, DEV, NULL);
    guest_write(g, at, REG_BAR(0), 4, WIN);
    guest_write(g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
}

/* HDR-5, HDR-8: no page is all its own, so it is served access by access. */
static void a_bar_at_no_pages_start_is_trapped(void **state)
{
    struct guest g;
    uint64_t data;

    (void)state;
    open_cramped(&g, CRAMPED_SIZE);
    assert_int_equal(guest_pages(&g), 0);
    assert_int_equal(guest_bar(&g, DEV, 0).state, PCV_BAR_TRAPPED);
    assert_int_equal(guest_bar(&g, DEV, 0).trapped_pages, 4);
    for (uint64_t page = 0; page < 4; page++) {
        assert_int_equal(guest_load(&g, WIN + page * 0x1000u, 4, &data),
                         PCV_DONE);
    }
    assert_int_equal(guest_load(&g, WIN + 0x4000u, 4, &data), PCV_FORWARD);
    guest_close(&g);
}

/* HDR-5: but not if that would take more records than a BAR may have. */
static void a_large_bar_at_no_pages_start_is_nowhere(void **state)
{
    struct guest g;
    uint64_t data;

    (void)state;
    open_cramped(&g, (uint64_t)PCV__TRAPPED_PAGES << 13);
    assert_int_equal(guest_pages(&g), 0);
    assert_int_equal(guest_bar(&g, DEV, 0).state, PCV_BAR_OUTSIDE);
    assert_int_equal(guest_load(&g, WIN, 4, &data), PCV_FORWARD);
    guest_close(&g);
}

/* HDR-7: no page of it can be named that is outside of its table. */
static void the_hardware_domain_does_not_get_a_table_at_no_pages_start(
    void **state)
{
    struct pcv_test_function f;
    struct rig rig;

    (void)state;
    for (uint32_t away = 0; away < 2; away++) {
        rig_open(&rig);
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
        pcv_test_bar32(&f, 0, HOST_A, 0x4000);
        (void)pcv_test_msix(&f, 4, 0, 0x1000, 0x2000);
        pcv_test_add(rig.model, &f, DEV);
        rig_boot(&rig);
        pcv_model_poke(rig.model, DEV, PCV_REG_BAR0, 4, HOST_A + away * 0x100u);
        /* Any write of a BAR has all of them read again. */
        rig_write(&rig, DEV, REG_BAR(5), 4, 0);
        rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        assert_int_equal(pcv_model_mapped_pages(rig.model), away ? 0 : 2);
        rig_close(&rig);
    }
}

/* ---- two devices at one address --------------------------------------------
 */

/* DEV is the guest's and DEV2, with MSI-X in its first page or without, the
 * hardware domain's, `pages` away; what the guest has mapped. */
static uint64_t pages_beside(int pages, bool msix)
{
    struct pcv_test_function f;
    struct guest g;
    uint64_t mapped = 0;
    pcv_sbdf at;

    guest_open(&g);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, HOST_A, 0x4000);
    pcv_test_add(g.rig.model, &f, DEV);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    pcv_test_bar32(&f, 0, (uint32_t)((int64_t)HOST_A + (int64_t)pages * 0x1000),
                   0x1000);
    if (msix) {
        (void)pcv_test_msix(&f, 4, 0, 0, 0x800);
    }
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(g.rig.model, &f, DEV2);
    guest_boot(&g);
    at = guest_give(&g, DEV, NULL);
    guest_write(&g, at, REG_BAR(0), 4, WIN);
    guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    for (uint64_t page = 0; page < 4; page++) {
        mapped +=
            pcv_model_is_mapped(g.rig.model, GUEST_ID, (WIN >> 12) + page);
    }
    assert_int_equal(guest_bar(&g, DEV, 0).state,
                     mapped != 0 ? PCV_BAR_ON : PCV_BAR_OUTSIDE);
    guest_close(&g);
    return mapped;
}

/* HDR-8: no page that the hardware domain reaches, or traps, at the BAR's
 * beginning, within it and at its end. */
static void a_page_of_the_hardware_domains_is_not_the_guests(void **state)
{
    (void)state;
    for (uint32_t msix = 0; msix < 2; msix++) {
        assert_int_equal(pages_beside(-1, msix != 0), 4);
        assert_int_equal(pages_beside(0, msix != 0), 0);
        assert_int_equal(pages_beside(2, msix != 0), 0);
        assert_int_equal(pages_beside(3, msix != 0), 0);
        assert_int_equal(pages_beside(4, msix != 0), 4);
    }
}

/* ---- what is told of a BAR -------------------------------------------------
 */

/* HDR-9: while it is being mapped, page by page. */
static void a_bar_half_mapped_says_how_far_it_is(void **state)
{
    struct pcv_access access;
    enum pcv_verdict verdict;
    uint64_t last = 0;
    struct two t;

    (void)state;
    two_open(&t);
    two_set_bar(&t, t.a, 0, WIN);
    pcv_model_set_map_chunk(t.g.rig.model, 1);
    access = PCV_WRITE(t.a, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    verdict = pcv_access(t.g.domain, &access);
    while (verdict == PCV_PENDING) {
        struct pcv_bar_view bar = guest_bar(&t.g, DEV, 0);

        assert_true(bar.mapped_pages >= last && bar.mapped_pages <= 4);
        assert_int_equal(bar.trapped_pages, 0);
        assert_true(bar.state == PCV_BAR_ON ||
                    (bar.state == PCV_BAR_OFF && bar.mapped_pages == 0));
        last = bar.mapped_pages;
        verdict = pcv_access_resume(t.g.domain, &access);
    }
    assert_int_equal(verdict, PCV_DONE);
    assert_int_equal(guest_bar(&t.g, DEV, 0).mapped_pages, 4);
    guest_close(&t.g);
}

/* HDR-9, HDR-7: pages behind a table are not told of before they are mapped. */
static void a_bar_half_mapped_around_a_table_says_so(void **state)
{
    struct pcv_test_function f;
    struct pcv_access access;
    enum pcv_verdict verdict;
    uint64_t seen = 0;
    struct guest g;
    pcv_sbdf at;

    (void)state;
    guest_open(&g);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, HOST_A, 0x4000);
    (void)pcv_test_msix(&f, 4, 0, 0x2000, 0x2800);
    pcv_test_add(g.rig.model, &f, DEV);
    guest_boot(&g);
    at = guest_give(&g, DEV, NULL);
    guest_write(&g, at, REG_BAR(0), 4, WIN);
    pcv_model_set_map_chunk(g.rig.model, 1);
    access = PCV_WRITE(at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    for (verdict = pcv_access(g.domain, &access); verdict == PCV_PENDING;
         verdict = pcv_access_resume(g.domain, &access)) {
        uint64_t mapped = pcv_model_mapped_pages(g.rig.model);

        assert_int_equal(guest_bar(&g, DEV, 0).mapped_pages, mapped);
        seen |= 1ull << mapped;
    }
    assert_int_equal(verdict, PCV_DONE);
    assert_true((seen & 1ull << 1) != 0); /* before the table, no further */
    assert_int_equal(guest_bar(&g, DEV, 0).mapped_pages, 3);
    assert_int_equal(guest_bar(&g, DEV, 0).trapped_pages, 1);
    guest_close(&g);
}

/* A state that a later library may have has a name, too. */
static void every_state_of_a_bar_has_a_name(void **state)
{
    (void)state;
    for (int i = PCV_BAR_OFF; i <= PCV_BAR_RESERVED; i++) {
        for (int j = PCV_BAR_OFF; j < i; j++) {
            assert_string_not_equal(pcv_bar_state_name((enum pcv_bar_state)i),
                                    pcv_bar_state_name((enum pcv_bar_state)j));
        }
    }
    assert_string_equal(
        pcv_bar_state_name((enum pcv_bar_state)(PCV_BAR_RESERVED + 1)),
        "unknown state");
}

/* ---- accesses --------------------------------------------------------------
 */

/* Whether something stands in the 16 bytes of DEV's BAR 1; nothing does then.
 */
static bool clear_small(struct guest *g)
{
    bool any = false;

    for (uint64_t at = 0; at < 16; at += 8) {
        any = any || pcv_model_mmio_peek(g->rig.model, DEV, 1, at, 8) != 0;
        pcv_model_mmio_poke(g->rig.model, DEV, 1, at, 8, 0);
    }
    return any;
}

/* HDR-5: whoever was on the way to a BAR when it moved, or reaches over its
 * end, reads all ones, and writes nothing. */
static void an_access_that_is_not_inside_its_bar_reaches_nothing(void **state)
{
    static const struct {
        int64_t at; /* from the BAR's start */
        uint8_t size;
        bool inside;
    } rows[] = {
        {0, 8, true},   {8, 8, true},   {12, 4, true},
        {12, 8, false}, {15, 2, false}, {16, 1, false},
        {-1, 1, false}, {-4, 8, false}, {-0x80000000ll, 4, false},
    };
    struct pcv_device *device;
    struct two t;

    (void)state;
    two_open(&t);
    two_set_bar(&t, t.a, 1, WIN + 0x10000u);
    two_decode(&t, t.a, true);
    device = pcv_device_find(t.g.rig.host, DEV);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t address = WIN + 0x10000u + (uint64_t)rows[i].at;
        uint64_t ones =
            rows[i].size == 8 ? UINT64_MAX : (1ull << rows[i].size * 8) - 1;
        uint64_t data = 0;

        pcv__trap_access(device, 1, address, rows[i].size, false, &data);
        assert_true(data == (rows[i].inside ? 0 : ones));
        data = 0x77;
        pcv__trap_access(device, 1, address, rows[i].size, true, &data);
        assert_int_equal(clear_small(&t.g), rows[i].inside);
    }
    pcv_device_put(device);
    guest_close(&t.g);
}

static uint64_t highest_asked;

static int note_permitted(void *ctx, uint32_t domain_id, pcv_hpa address,
                          uint64_t size)
{
    highest_asked = address.v > highest_asked ? address.v : highest_asked;
    return pcv_model_ops()->mmio_permitted(ctx, domain_id, address, size);
}

/* HDR-5, PORT-3: a small BAR that hardware has at the last addresses: what
 * would wrap is not even asked for. */
static void a_trap_at_the_last_address_is_not_passed_on(void **state)
{
    struct pcv_test_function f;
    struct guest g;
    pcv_sbdf at;
    uint64_t data;

    (void)state;
    guest_open(&g);
    g.rig.ops.mmio_permitted = note_permitted;
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar64(&f, 0, 0xffffffffffffff00ull, 0x100);
    pcv_test_add(g.rig.model, &f, DEV);
    guest_boot(&g);
    at = guest_give(&g, DEV, NULL);
    guest_write(&g, at, REG_BAR(0), 4, WIN);
    guest_write(&g, at, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    highest_asked = 0;
    assert_int_equal(guest_load(&g, WIN + 0xf8u, 8, &data), PCV_DONE);
    assert_true(data == UINT64_MAX);
    assert_true(highest_asked == 0);
    assert_int_equal(guest_load(&g, WIN + 0xf0u, 8, &data), PCV_DONE);
    assert_true(highest_asked == 0xfffffffffffffff0ull);
    guest_close(&g);
}

/* ---- holes -----------------------------------------------------------------
 */

/* HDR-7: holes are bounded, and stay where something was counted by them. */
static void a_hole_is_bounded_and_stays_while_its_bar_is_mapped(void **state)
{
    const uint32_t most = PCV__TRAPPED_PAGES << 12;
    struct pcv__cap cap = {0};
    struct pcv_test_function f;
    struct pcv_device *device;
    struct rig rig;

    (void)state;
    rig_open(&rig);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, 0xc0000000u, (uint64_t)most * 2u);
    pcv_test_bar32(&f, 1, HOST_A, 0x1000);
    pcv_test_add(rig.model, &f, DEV);
    rig_boot(&rig);
    device = pcv_device_find(rig.host, DEV);
    cap.device = device;
    assert_int_equal(pcv__hole_set(device, 0, &cap, 0, 0, most + 1u),
                     -PCV_EINVAL);
    assert_int_equal(pcv__hole_set(device, 0, &cap, 0, 0, most), 0);
    assert_int_equal(pcv__hole_set(device, 0, &cap, 1, 0, 16), 0);
    assert_int_equal(pcv__traps_prepare(device), 0);
    rig_write(&rig, DEV, REG_BAR(0), 4, 0xffffffffu); /* is not mapped there */
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(pcv__hole_set(device, 0, &cap, 0, 0, 16), -PCV_EBUSY);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(pcv__hole_set(device, 0, &cap, 0, 0, 16), 0);
    pcv__hole_clear(device, 0);
    pcv_device_put(device);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_at_no_pages_start_is_trapped),
        cmocka_unit_test(a_large_bar_at_no_pages_start_is_nowhere),
        cmocka_unit_test(
            the_hardware_domain_does_not_get_a_table_at_no_pages_start),
        cmocka_unit_test(a_page_of_the_hardware_domains_is_not_the_guests),
        cmocka_unit_test(a_bar_half_mapped_says_how_far_it_is),
        cmocka_unit_test(a_bar_half_mapped_around_a_table_says_so),
        cmocka_unit_test(a_trap_at_the_last_address_is_not_passed_on),
        cmocka_unit_test(every_state_of_a_bar_has_a_name),
        cmocka_unit_test(an_access_that_is_not_inside_its_bar_reaches_nothing),
        cmocka_unit_test(a_hole_is_bounded_and_stays_while_its_bar_is_mapped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

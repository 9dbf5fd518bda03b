/* SPDX-License-Identifier: MIT */
/*
 * What is mapped for a guest: at its own addresses, in its windows; step by
 * step, and by a host that fails. test_map_wait.c has BARs that overlap.
 */
#include "guest_fixture.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- where they are ------------------------------------------------------ */

/* HDR-5, HDR-7, HDR-14 */
static void bars_are_mapped_where_the_guest_has_them(void **state)
{
    struct two t;
    uint64_t page;

    (void)state;
    two_open(&t);
    assert_int_equal(guest_pages(&t.g), 0);
    two_set_bar(&t, t.a, 0, WIN + 0x8000);
    two_set_bar(&t, t.a, 2, WIN + 0x20000);
    assert_int_equal(guest_pages(&t.g), 0);
    two_decode(&t, t.a, true);
    assert_true(guest_mapped(&t.g, WIN + 0x8000, 0x4000));
    assert_true(guest_mapped(&t.g, WIN + 0x20000, 0x2000));
    assert_int_equal(guest_pages(&t.g), 6);
    for (uint64_t i = 0; i < 4; i++) {
        assert_true(pcv_model_translate(t.g.rig.model, GUEST_ID,
                                        ((WIN + 0x8000) >> 12) + i, &page));
        assert_int_equal(page, (HOST_A >> 12) + i);
    }
    assert_true(pcv_model_translate(t.g.rig.model, GUEST_ID,
                                    (WIN + 0x21000) >> 12, &page));
    assert_int_equal(page, (HOST_A_HIGH >> 12) + 1);
    assert_int_equal(pcv_model_peek(t.g.rig.model, DEV, PCV_REG_COMMAND, 2) &
                         PCV_CMD_MEMORY,
                     PCV_CMD_MEMORY);
    /* Hardware's addresses are not the guest's to change. */
    assert_int_equal(pcv_model_peek(t.g.rig.model, DEV, REG_BAR(0), 4), HOST_A);
    two_decode(&t, t.a, false);
    assert_int_equal(guest_pages(&t.g), 0);
    assert_int_equal(pcv_model_peek(t.g.rig.model, DEV, PCV_REG_COMMAND, 2) &
                         PCV_CMD_MEMORY,
                     0);
    guest_close(&t.g);
}

/* HDR-17 */
static void outside_its_windows_a_bar_stays_unmapped(void **state)
{
    static const uint64_t outside[] = {
        0,
        WIN - 0x4000,
        WIN + WIN_SIZE,
        0xffffc000,
    };
    struct two t;

    (void)state;
    two_open(&t);
    two_set_bar(&t, t.a, 2, WIN + 0x20000);
    for (size_t i = 0; i < COUNT(outside); i++) {
        two_decode(&t, t.a, false);
        two_set_bar(&t, t.a, 0, outside[i]);
        two_decode(&t, t.a, true);
        assert_int_equal(guest_pages(&t.g), 2);
        assert_int_equal(guest_bar(&t.g, DEV, 0).state, PCV_BAR_OUTSIDE);
        assert_int_equal(guest_bar(&t.g, DEV, 2).state, PCV_BAR_ON);
        assert_int_equal(guest_read(&t.g, t.a, REG_BAR(0), 4), outside[i]);
        assert_int_equal(guest_read(&t.g, t.a, PCV_REG_COMMAND, 2),
                         PCV_CMD_MEMORY);
        /* Until it comes back, decoding being on. */
        two_set_bar(&t, t.a, 0, WIN);
        assert_true(guest_mapped(&t.g, WIN, 0x4000));
        two_set_bar(&t, t.a, 0, WIN + WIN_SIZE - 0x4000);
        assert_true(guest_mapped(&t.g, WIN + WIN_SIZE - 0x4000, 0x4000));
        assert_int_equal(guest_pages(&t.g), 6);
    }
    assert_int_equal(rig_events(&t.g.rig, PCV_EVENT_NOT_MAPPED), 0);
    assert_int_equal(pcv_model_crashes(t.g.rig.model, NULL), 0);
    guest_close(&t.g);
}

/* HDR-17 */
static void a_bar_that_sticks_out_of_a_window_is_outside(void **state)
{
    struct two t;

    (void)state;
    two_open(&t);
    assert_int_equal(
        pcv_domain_add_window(t.g.domain, (pcv_gpa){0xa0000000}, 0x3000), 0);
    two_set_bar(&t, t.a, 0, 0xa0000000);
    two_decode(&t, t.a, true);
    assert_int_equal(guest_pages(&t.g), 0);
    assert_int_equal(guest_bar(&t.g, DEV, 0).state, PCV_BAR_OUTSIDE);
    two_set_bar(&t, t.b, 0, 0xa0000000);
    two_decode(&t, t.b, true);
    assert_true(guest_mapped(&t.g, 0xa0000000, 0x2000));
    guest_close(&t.g);
}

static int not_for_guests(void *ctx, uint32_t domain_id, pcv_hpa start,
                          uint64_t size)
{
    return domain_id == GUEST_ID
               ? 0
               : pcv_model_ops()->mmio_permitted(ctx, domain_id, start, size);
}

/* HDR-11, HDR-17 */
static void what_the_host_does_not_permit_is_not_mapped(void **state)
{
    struct two t;

    (void)state;
    guest_open(&t.g);
    two_add(&t.g);
    t.g.rig.ops.mmio_permitted = not_for_guests;
    guest_boot(&t.g);
    t.a = guest_give(&t.g, DEV, NULL);
    two_set_bar(&t, t.a, 0, WIN);
    two_decode(&t, t.a, true);
    assert_int_equal(guest_pages(&t.g), 0);
    assert_int_equal(guest_bar(&t.g, DEV, 0).state, PCV_BAR_OUTSIDE);
    assert_int_equal(guest_read(&t.g, t.a, PCV_REG_COMMAND, 2), PCV_CMD_MEMORY);
    guest_close(&t.g);
}

/* HDR-6 */
static void a_bar_can_be_sized_and_moved_while_it_is_mapped(void **state)
{
    struct two t;

    (void)state;
    two_open(&t);
    two_set_bar(&t, t.a, 0, WIN);
    two_set_bar(&t, t.a, 2, WIN + 0x20000);
    two_decode(&t, t.a, true);
    guest_write(&t.g, t.a, REG_BAR(0), 4, 0xffffffff);
    assert_int_equal(guest_read(&t.g, t.a, REG_BAR(0), 4), 0xffffc000);
    assert_int_equal(guest_pages(&t.g), 2);
    assert_true(guest_mapped(&t.g, WIN + 0x20000, 0x2000));
    two_set_bar(&t, t.a, 0, WIN + 0x40000);
    assert_true(guest_mapped(&t.g, WIN + 0x40000, 0x4000));
    guest_write(&t.g, t.a, REG_BAR(3), 4, 0xffffffff);
    assert_int_equal(guest_read(&t.g, t.a, REG_BAR(3), 4), 0xffffffff);
    assert_int_equal(guest_pages(&t.g), 4);
    guest_write(&t.g, t.a, REG_BAR(3), 4, 0);
    assert_true(guest_mapped(&t.g, WIN + 0x20000, 0x2000));
    assert_int_equal(guest_pages(&t.g), 6);
    guest_close(&t.g);
}

/* HDR-7 */
static void other_bits_of_the_command_register_map_nothing_anew(void **state)
{
    struct pcv_access access;
    uint64_t maps;
    struct two t;

    (void)state;
    two_open(&t);
    two_set_bar(&t, t.a, 0, WIN);
    two_decode(&t, t.a, true);
    maps = pcv_model_calls(t.g.rig.model, PCV_MODEL_OP_map);
    access =
        PCV_WRITE(t.a, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    assert_int_equal(pcv_access(t.g.domain, &access), PCV_DONE);
    assert_int_equal(pcv_model_peek(t.g.rig.model, DEV, PCV_REG_COMMAND, 2) &
                         (PCV_CMD_MEMORY | PCV_CMD_MASTER),
                     PCV_CMD_MEMORY | PCV_CMD_MASTER);
    assert_int_equal(pcv_model_calls(t.g.rig.model, PCV_MODEL_OP_map), maps);
    guest_close(&t.g);
}

/* CAP-6, HDR-12 */
static void bars_that_are_left_out_are_not_there(void **state)
{
    const struct pcv_assign_policy policy = {.bars_out = 1u};
    struct two t;

    (void)state;
    guest_open(&t.g);
    two_add(&t.g);
    guest_boot(&t.g);
    t.a = guest_give(&t.g, DEV, &policy);
    guest_write(&t.g, t.a, REG_BAR(0), 4, WIN);
    guest_write(&t.g, t.a, PCV_REG_ROM0, 4, WIN | PCV_ROM_ENABLE);
    two_decode(&t, t.a, true);
    assert_int_equal(guest_pages(&t.g), 0);
    assert_int_equal(guest_bar(&t.g, DEV, 0).size, 0);
    assert_int_equal(guest_bar(&t.g, DEV, 0).state, PCV_BAR_OFF);
    assert_int_equal(guest_bar(&t.g, DEV, PCV_BAR_IS_ROM).size, 0);
    guest_close(&t.g);
}

#define VF_BARS 0xe1000000u           /* of 8 KiB each */
#define VF ((pcv_sbdf){DEV.v + 0x12}) /* the second */

static void add_vfs(struct guest *g, uint16_t *out_cap)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x8086, 0x1521);
    *out_cap = pcv_test_sriov(&f, 2, 2, 0x10, 2);
    pcv_test_set(&f, (uint32_t)*out_cap + PCV_SRIOV_BAR, 4, VF_BARS);
    pcv_test_set(&f, (uint32_t)*out_cap + PCV_SRIOV_CTRL, 2,
                 PCV_SRIOV_CTRL_VFE | PCV_SRIOV_CTRL_MSE);
    pcv_test_add(g->rig.model, &f, DEV);
    for (uint32_t i = 0; i < 2; i++) {
        pcv_test_vf(&f, DEV);
        f.fn.bar_size[0] = 0x2000;
        pcv_test_add(g->rig.model, &f, (pcv_sbdf){DEV.v + 0x10 + 2 * i});
    }
}

/* SRIOV-2 */
static void a_vf_has_bars_as_any_function(void **state)
{
    uint16_t cap;
    uint64_t page;
    struct two t;

    (void)state;
    guest_open(&t.g);
    add_vfs(&t.g, &cap);
    guest_boot(&t.g);
    assert_true(rig_mapped(&t.g.rig, VF_BARS, 0x4000));
    t.a = guest_give(&t.g, VF, NULL);
    assert_false(rig_mapped(&t.g.rig, VF_BARS + 0x2000, 0x2000));
    assert_true(rig_mapped(&t.g.rig, VF_BARS, 0x2000));
    guest_write(&t.g, t.a, REG_BAR(0), 4, 0xffffffff);
    assert_int_equal(guest_read(&t.g, t.a, REG_BAR(0), 4), 0xffffe000);
    two_set_bar(&t, t.a, 0, WIN + 0x4000);
    assert_int_equal(guest_pages(&t.g), 2);
    two_decode(&t, t.a, true);
    assert_int_equal(guest_read(&t.g, t.a, PCV_REG_COMMAND, 2), PCV_CMD_MEMORY);
    assert_true(pcv_model_translate(t.g.rig.model, GUEST_ID,
                                    (WIN + 0x5000) >> 12, &page));
    assert_int_equal(page, (VF_BARS + 0x3000) >> 12);
    two_decode(&t, t.a, false);
    assert_int_equal(guest_pages(&t.g), 2);
    guest_take(&t.g, VF);
    guest_close(&t.g);
}

/* SRIOV-1 */
static void a_vf_that_comes_back_is_mapped_for_the_hardware_domain(void **state)
{
    uint16_t cap;
    struct two t;

    (void)state;
    guest_open(&t.g);
    add_vfs(&t.g, &cap);
    guest_boot(&t.g);
    t.a = guest_give(&t.g, VF, NULL);
    two_set_bar(&t, t.a, 0, WIN);
    two_decode(&t, t.a, true);
    guest_take(&t.g, VF);
    assert_true(rig_mapped(&t.g.rig, VF_BARS, 0x4000));
    assert_int_equal(guest_pages(&t.g), 4);
    /* It has no bit of its own to switch them off. */
    rig_write(&t.g.rig, VF, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_true(rig_mapped(&t.g.rig, VF_BARS, 0x4000));
    guest_close(&t.g);
}

/* HDR-8 */
static void a_page_that_the_hardware_domain_has_is_never_a_guests(void **state)
{
    struct pcv_test_function f;
    struct two t;

    (void)state;
    guest_open(&t.g);
    two_add(&t.g);
    /* Hardware that puts two devices at one address. */
    pcv_test_pcie_endpoint(&f, 0x10ec, 0x8139);
    pcv_test_bar32(&f, 0, HOST_A + 0x3100, 256);
    pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_test_add(t.g.rig.model, &f, pcv_test_at(0, 0, 7, 0));
    guest_boot(&t.g);
    t.a = guest_give(&t.g, DEV, NULL);
    two_set_bar(&t, t.a, 0, WIN);
    two_decode(&t, t.a, true);
    assert_int_equal(guest_bar(&t.g, DEV, 0).state, PCV_BAR_OUTSIDE);
    assert_false(guest_mapped(&t.g, WIN, 0x4000));
    two_decode(&t, t.a, false);
    rig_write(&t.g.rig, pcv_test_at(0, 0, 7, 0), PCV_REG_COMMAND, 2, 0);
    two_decode(&t, t.a, true);
    assert_true(guest_mapped(&t.g, WIN, 0x4000));
    guest_close(&t.g);
}

/* ---- step by step -------------------------------------------------------- */

/* HDR-9 */
static void a_guests_mapping_can_stop_after_any_page(void **state)
{
    struct pcv_access on, other;
    uint64_t before = 0;
    struct two t;

    (void)state;
    two_open(&t);
    two_set_bar(&t, t.a, 0, WIN);
    two_set_bar(&t, t.a, 2, WIN + 0x20000);
    pcv_model_set_map_chunk(t.g.rig.model, 1);
    on = PCV_WRITE(t.a, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    other = PCV_WRITE(t.a, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(pcv_access(t.g.domain, &on), PCV_PENDING);
    while (pcv_access_resume(t.g.domain, &on) == PCV_PENDING) {
        assert_true(guest_pages(&t.g) > before);
        before = guest_pages(&t.g);
        assert_int_equal(
            pcv_model_peek(t.g.rig.model, DEV, PCV_REG_COMMAND, 2) &
                PCV_CMD_MEMORY,
            0);
        assert_int_equal(pcv_access(t.g.domain, &other), PCV_RETRY);
        assert_int_equal(guest_read(&t.g, t.a, PCV_REG_COMMAND, 2),
                         PCV_CMD_MEMORY);
    }
    assert_int_equal(guest_pages(&t.g), 6);
    guest_close(&t.g);
}

/* HDR-9, OWN-5 */
static void a_change_of_owner_cancels_a_mapping_at_any_point(void **state)
{
    bool more = true;

    (void)state;
    for (unsigned steps = 0; more; steps++) {
        struct pcv_access move;
        struct two t;

        two_open(&t);
        two_set_bar(&t, t.a, 0, WIN);
        two_decode(&t, t.a, true);
        pcv_model_set_map_chunk(t.g.rig.model, 1);
        move = PCV_WRITE(t.a, REG_BAR(0), 4, WIN + 0x10000);
        assert_int_equal(pcv_access(t.g.domain, &move), PCV_PENDING);
        for (unsigned i = 0; i < steps && more; i++) {
            more = pcv_access_resume(t.g.domain, &move) == PCV_PENDING;
        }
        guest_take(&t.g, DEV);
        assert_int_equal(guest_pages(&t.g), 0);
        assert_int_equal(pcv_access_resume(t.g.domain, &move), PCV_DONE);
        assert_int_equal(guest_pages(&t.g), 0);
        guest_close(&t.g);
    }
}

/* ---- a host that fails --------------------------------------------------- */

/* The nth call fails while decoding goes on, or (move) a BAR moves. False:
 * there were not so many. */
static bool fail_nth(enum pcv_model_op op, uint64_t nth, uint64_t chunk,
                     bool move)
{
    uint32_t crashed = 0;
    uint64_t before;
    bool failed;
    struct two t;

    two_open(&t);
    two_set_bar(&t, t.a, 0, WIN);
    two_set_bar(&t, t.a, 1, WIN + 0x5000);
    two_set_bar(&t, t.a, 2, WIN + 0x20000);
    if (move) {
        guest_write(&t.g, t.a, PCV_REG_COMMAND, 2,
                    PCV_CMD_MEMORY | PCV_CMD_MASTER);
    }
    pcv_model_set_map_chunk(t.g.rig.model, chunk);
    before = pcv_model_calls(t.g.rig.model, op);
    pcv_model_fail(t.g.rig.model, op, nth);
    if (move) {
        two_set_bar(&t, t.a, 0, WIN + 0x30000);
    } else {
        guest_write(&t.g, t.a, PCV_REG_COMMAND, 2,
                    PCV_CMD_MEMORY | PCV_CMD_MASTER);
    }
    failed = pcv_model_calls(t.g.rig.model, op) - before >= nth;
    pcv_model_fail(t.g.rig.model, op, 0);
    if (failed) {
        assert_int_equal(guest_pages(&t.g), 0);
        assert_int_equal(rig_events(&t.g.rig, PCV_EVENT_MAP_FAILED), 1);
        assert_int_equal(pcv_model_crashes(t.g.rig.model, &crashed), 1);
        assert_int_equal(crashed, GUEST_ID);
        assert_int_equal(guest_read(&t.g, t.a, PCV_REG_COMMAND, 2),
                         PCV_CMD_MASTER);
        assert_int_equal(
            pcv_model_peek(t.g.rig.model, DEV, PCV_REG_COMMAND, 2) &
                (PCV_CMD_MEMORY | PCV_CMD_MASTER),
            PCV_CMD_MASTER);
        two_decode(&t, t.a, true);
    }
    assert_int_equal(guest_pages(&t.g), 6);
    assert_int_equal(guest_bar(&t.g, DEV, 1).state, PCV_BAR_TRAPPED);
    guest_close(&t.g);
    return failed;
}

/* HDR-10, PORT-3 */
static void a_map_that_fails_is_undone_and_the_guest_crashes(void **state)
{
    static const uint64_t chunks[] = {0, 1};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(chunks); i++) {
        uint64_t nth = 1;

        while (fail_nth(PCV_MODEL_OP_map, nth, chunks[i / 2], i % 2 == 1)) {
            nth++;
        }
        assert_true(nth > 1);
    }
}

/* HDR-10, PORT-3 */
static void so_it_is_without_memory(void **state)
{
    uint64_t nth = 1;

    (void)state;
    while (fail_nth(PCV_MODEL_OP_alloc, nth, 0, false)) {
        nth++;
    }
    assert_true(nth > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_are_mapped_where_the_guest_has_them),
        cmocka_unit_test(outside_its_windows_a_bar_stays_unmapped),
        cmocka_unit_test(a_bar_that_sticks_out_of_a_window_is_outside),
        cmocka_unit_test(what_the_host_does_not_permit_is_not_mapped),
        cmocka_unit_test(a_bar_can_be_sized_and_moved_while_it_is_mapped),
        cmocka_unit_test(other_bits_of_the_command_register_map_nothing_anew),
        cmocka_unit_test(bars_that_are_left_out_are_not_there),
        cmocka_unit_test(a_vf_has_bars_as_any_function),
        cmocka_unit_test(
            a_vf_that_comes_back_is_mapped_for_the_hardware_domain),
        cmocka_unit_test(a_page_that_the_hardware_domain_has_is_never_a_guests),
        cmocka_unit_test(a_guests_mapping_can_stop_after_any_page),
        cmocka_unit_test(a_change_of_owner_cancels_a_mapping_at_any_point),
        cmocka_unit_test(a_map_that_fails_is_undone_and_the_guest_crashes),
        cmocka_unit_test(so_it_is_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

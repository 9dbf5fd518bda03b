/* SPDX-License-Identifier: MIT */
/*
 * Mapping step by step: a host that does a page at a time or fails, changes
 * and removals meanwhile, and hardware that was reset behind our back.
 */
#include "map_fixture.h"

#include <string.h>

#include "vpci/internal.h"

#define ALL_BARS 0x37u
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static uint64_t pages(const struct rig *rig)
{
    return pcv_model_mapped_pages(rig->model);
}

/* ---- a page at a time ---------------------------------------------------- */

/* HDR-9 */
static void a_mapping_can_stop_after_any_page_and_goes_on(void **state)
{
    struct pcv_access on = PCV_WRITE(DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    struct pcv_access off = PCV_WRITE(DEV, PCV_REG_COMMAND, 2, 0);
    uint64_t before = 0;
    unsigned rounds = 1;
    struct rig rig;

    (void)state;
    map_boot(&rig, 0);
    pcv_model_set_map_chunk(rig.model, 1);
    assert_int_equal(pcv_access(rig.dom0, &on), PCV_PENDING);
    while (pcv_access_resume(rig.dom0, &on) == PCV_PENDING) {
        assert_true(pages(&rig) > before);
        before = pages(&rig);
        /* Not before every page is there. */
        assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_COMMAND, 2), 0);
        rounds++;
    }
    assert_true(rounds > 10);
    assert_int_equal(map_which(&rig), ALL_BARS);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_COMMAND, 2),
                     PCV_CMD_MEMORY);
    assert_int_equal(pcv_access(rig.dom0, &off), PCV_PENDING);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_COMMAND, 2), 0);
    assert_true(rig_settle(&rig, &off) > 10);
    assert_int_equal(pages(&rig), 0);
    rig_close(&rig);
}

/* HDR-9, CFG-10 */
static void meanwhile_other_changes_wait_and_all_else_goes_on(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        enum pcv_verdict verdict;
    } writes[] = {
        {PCV_REG_COMMAND, 2, PCV_RETRY},     {PCV_REG_COMMAND, 1, PCV_RETRY},
        {PCV_REG_COMMAND + 1, 1, PCV_RETRY}, {PCV_REG_COMMAND, 4, PCV_RETRY},
        {REG_BAR(0), 4, PCV_RETRY},          {REG_BAR(3), 1, PCV_RETRY},
        {PCV_REG_ROM0, 4, PCV_RETRY},        {PCV_REG_STATUS, 2, PCV_DONE},
        {PCV_REG_INT_LINE, 1, PCV_DONE},     {0x40, 4, PCV_DONE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(writes); i++) {
        struct pcv_access on =
            PCV_WRITE(DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        bool waits = writes[i].verdict == PCV_RETRY;
        bool done = false;
        struct rig rig;

        map_boot(&rig, 0);
        pcv_model_set_map_chunk(rig.model, 1);
        assert_int_equal(pcv_access(rig.dom0, &on), PCV_PENDING);
        while (!done) {
            size_t wrote;

            rig_forget(&rig);
            assert_int_equal(
                rig_try_write(&rig, DEV, writes[i].reg, writes[i].size, 0),
                writes[i].verdict);
            wrote = rig_writes(&rig);
            /* Who waits helps, and may write what was there to be written. */
            assert_true(!waits ||
                        wrote == rig_touched(&rig, PCV_REG_COMMAND, true));
            /* It has been written, so it reads so. */
            assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 2),
                             PCV_CMD_MEMORY);
            assert_int_equal(rig_read(&rig, DEV, REG_BAR(0), 4), BAR0);
            done = pcv_access_resume(rig.dom0, &on) == PCV_DONE;
            assert_true(wrote == (waits ? 0 : 1) || (waits && done));
        }
        assert_int_equal(map_which(&rig), ALL_BARS);
        assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_COMMAND, 2),
                         PCV_CMD_MEMORY);
        rig_close(&rig);
    }
}

/* HDR-9: whoever began it may never come back. */
static void a_write_that_waits_ends_what_nobody_resumes(void **state)
{
    struct pcv_access on = PCV_WRITE(DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    unsigned rounds = 0;
    struct rig rig;

    (void)state;
    map_boot(&rig, 0);
    pcv_model_set_map_chunk(rig.model, 1);
    assert_int_equal(pcv_access(rig.dom0, &on), PCV_PENDING);
    while (rig_try_write(&rig, DEV, PCV_REG_COMMAND, 2,
                         PCV_CMD_MEMORY | PCV_CMD_MASTER) == PCV_RETRY) {
        rounds++;
        assert_true(rounds < 100);
    }
    assert_true(rounds > 5);
    assert_int_equal(map_which(&rig), ALL_BARS);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_COMMAND, 2),
                     PCV_CMD_MEMORY | PCV_CMD_MASTER);
    assert_int_equal(pcv_access_resume(rig.dom0, &on), PCV_DONE);
    rig_close(&rig);
}

/* HDR-9 */
static void an_add_reports_restart_until_all_is_mapped(void **state)
{
    unsigned rounds = 1;
    struct rig rig;
    int error;

    (void)state;
    map_prepare(&rig, PCV_CMD_MEMORY);
    pcv_model_set_map_chunk(rig.model, 1); /* the write helps, too */
    rig_create(&rig);
    error = pcv_device_add(rig.host, DEV, NULL);
    while (error == -PCV_ERESTART) {
        assert_int_equal(rig_try_write(&rig, DEV, PCV_REG_COMMAND, 2, 0),
                         PCV_RETRY);
        error = pcv_device_add(rig.host, DEV, NULL);
        rounds++;
    }
    assert_int_equal(error, 0);
    assert_true(rounds > 5);
    assert_int_equal(map_which(&rig), ALL_BARS);
    rig_close(&rig);
}

/* HDR-9, LIFE-5 */
static void a_removal_cancels_whatever_is_pending_at_any_point(void **state)
{
    bool more = true;

    (void)state;
    for (unsigned steps = 0; more; steps++) {
        struct pcv_access move = PCV_WRITE(DEV, REG_BAR(2), 4, 0xe0200000u);
        struct rig rig;

        map_boot(&rig, PCV_CMD_MEMORY);
        pcv_model_set_map_chunk(rig.model, 3);
        assert_int_equal(pcv_access(rig.dom0, &move), PCV_PENDING);
        for (unsigned i = 0; i < steps && more; i++) {
            more = pcv_access_resume(rig.dom0, &move) == PCV_PENDING;
        }
        assert_int_equal(pcv_device_remove(rig.host, DEV, NULL, NULL), 0);
        assert_int_equal(pages(&rig), 0);
        rig_forget(&rig);
        assert_int_equal(pcv_access_resume(rig.dom0, &move), PCV_DONE);
        assert_int_equal(rig.logged, 0);
        rig_close(&rig);
    }
}

/* HDR-9, LIFE-11 */
static void a_held_device_that_was_removed_maps_nothing_more(void **state)
{
    struct pcv_access on = PCV_WRITE(DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    struct pcv_device *device;
    struct rig rig;

    (void)state;
    map_boot(&rig, 0);
    pcv_model_set_map_chunk(rig.model, 1);
    device = pcv_device_find(rig.host, DEV);
    assert_int_equal(pcv_access(rig.dom0, &on), PCV_PENDING);
    assert_int_equal(pcv_access_resume(rig.dom0, &on), PCV_PENDING);
    assert_int_equal(pages(&rig), 1);
    assert_int_equal(pcv_device_remove(rig.host, DEV, NULL, NULL), -PCV_EBUSY);
    assert_int_equal(pages(&rig), 0);
    assert_int_equal(pcv_access_resume(rig.dom0, &on), PCV_DONE);
    assert_int_equal(pages(&rig), 0);
    pcv_device_put(device);
    rig_close(&rig);
}

/* HDR-9, LIFE-11 */
static void who_waited_for_the_lock_of_a_removed_device_maps_nothing(
    void **state)
{
    struct pcv_access on = PCV_WRITE(DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    struct pcv_device *device;
    struct rig rig;

    (void)state;
    map_boot(&rig, 0);
    device = pcv_device_find(rig.host, DEV);
    assert_int_equal(pcv_access(rig.dom0, &on), PCV_PENDING);
    assert_int_equal(pcv_device_remove(rig.host, DEV, NULL, NULL), -PCV_EBUSY);
    /* As on another CPU that came in before the removal and waited. */
    pcv__lock_take(&device->host->mem, &device->lock);
    assert_int_equal(pcv__map_step(device), PCV_DONE);
    assert_int_equal(pages(&rig), 0);
    assert_int_equal(pcv__map_command(device, PCV_CMD_MEMORY), PCV_DONE);
    assert_int_equal(pcv__map_bar(device, 0, REG_BAR(0), BAR0), PCV_DONE);
    assert_int_equal(pcv__map_step(device), PCV_DONE);
    pcv__lock_drop(&device->host->mem, &device->lock);
    assert_int_equal(pages(&rig), 0);
    pcv_device_put(device);
    rig_close(&rig);
}

/* ---- a host that fails --------------------------------------------------- */

static void check_given_up(struct rig *rig)
{
    assert_int_equal(pages(rig), 0);
    assert_int_equal(rig_events(rig, PCV_EVENT_MAP_FAILED), 1);
    assert_int_equal(rig_read(rig, DEV, PCV_REG_COMMAND, 2), PCV_CMD_MASTER);
    assert_int_equal(pcv_model_peek(rig->model, DEV, PCV_REG_COMMAND, 2),
                     PCV_CMD_MASTER);
}

/* Decoding goes on, or (move) a BAR moves, with the nth call failing and the
 * host doing `chunk` pages a call. False: it did not come to that call. */
static bool fail_nth(enum pcv_model_op op, uint64_t nth, uint64_t chunk,
                     bool move)
{
    struct rig rig;
    uint64_t before;
    bool failed;

    map_boot(&rig, move ? PCV_CMD_MEMORY | PCV_CMD_MASTER : 0);
    pcv_model_set_map_chunk(rig.model, chunk);
    before = pcv_model_calls(rig.model, op);
    pcv_model_fail(rig.model, op, nth);
    if (move) {
        rig_write(&rig, DEV, REG_BAR(2), 4, 0xe0200000u);
    } else {
        rig_write(&rig, DEV, PCV_REG_COMMAND, 2,
                  PCV_CMD_MEMORY | PCV_CMD_MASTER);
    }
    failed = pcv_model_calls(rig.model, op) - before >= nth;
    pcv_model_fail(rig.model, op, 0);
    if (failed) {
        check_given_up(&rig);
        /* And it is no state that one cannot get out of. */
        rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    }
    assert_int_equal(pages(&rig), ALL_PAGES);
    rig_close(&rig);
    return failed;
}

/* HDR-10, PORT-3 */
static void a_map_that_fails_leaves_decoding_off_and_nothing_mapped(
    void **state)
{
    static const uint64_t chunks[] = {0, 1, 3};

    (void)state;
    for (unsigned i = 0; i < 2 * COUNT(chunks); i++) {
        uint64_t nth = 1;

        while (fail_nth(PCV_MODEL_OP_map, nth, chunks[i / 2], i % 2 == 1)) {
            nth++;
        }
        assert_true(nth > 1);
    }
}

/* HDR-10, PORT-3 */
static void so_does_memory_that_is_not_there(void **state)
{
    uint64_t nth = 1;

    (void)state;
    while (fail_nth(PCV_MODEL_OP_alloc, nth, 1, false)) {
        nth++;
    }
    assert_true(nth > 1);
}

/* HDR-10 */
static void an_add_whose_mapping_fails_leaves_the_device_not_decoding(
    void **state)
{
    struct rig rig;

    (void)state;
    map_prepare(&rig, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    rig_create(&rig);
    pcv_model_fail(rig.model, PCV_MODEL_OP_map, 3);
    assert_int_equal(pcv_device_add(rig.host, DEV, NULL), 0);
    check_given_up(&rig);
    rig_close(&rig);
}

/* HDR-7, PORT-3 */
static void an_unmap_that_fails_is_reported_and_taken_as_done(void **state)
{
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    pcv_model_fail(rig.model, PCV_MODEL_OP_unmap, 2);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, 0);
    assert_int_equal(rig_events(&rig, PCV_EVENT_UNMAP_FAILED), 1);
    assert_int_equal(pages(&rig), 0);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(map_which(&rig), ALL_BARS);
    rig_close(&rig);
}

static int64_t map_nothing(void *ctx, uint32_t domain_id, pcv_gpa gpa,
                           pcv_hpa hpa, uint64_t count)
{
    (void)ctx;
    (void)domain_id;
    (void)gpa;
    (void)hpa;
    (void)count;
    return 0;
}

/* HDR-10 */
static void a_host_that_maps_nothing_for_ever_is_taken_as_failing(void **state)
{
    struct rig rig;

    (void)state;
    map_prepare(&rig, 0);
    rig.ops.map = map_nothing;
    rig_create(&rig);
    assert_int_equal(pcv_device_add(rig.host, DEV, NULL), 0);
    rig_forget(&rig);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    check_given_up(&rig);
    rig_close(&rig);
}

/* ---- reset behind our back ----------------------------------------------- */

/* As after D3cold or a reset by somebody else. */
static void reset_hardware(struct rig *rig)
{
    pcv_model_poke(rig->model, DEV, PCV_REG_COMMAND, 2, 0);
    for (unsigned i = 0; i < 6; i++) {
        pcv_model_poke(rig->model, DEV, REG_BAR(i), 4, i == 2 ? 4 : 0);
    }
    rig_forget(rig);
}

/* HDR-16 */
static void a_reset_is_seen_at_the_first_bar_that_is_restored(void **state)
{
    static const uint32_t saved[] = {BAR0, BAR1, 4, BAR2 >> 32, BAR4, BAR5};
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    reset_hardware(&rig);
    /* As Linux does: BARs first, then the command register. */
    for (unsigned i = 0; i < COUNT(saved); i++) {
        rig_write(&rig, DEV, REG_BAR(i), 4, saved[i]);
        assert_int_equal(pages(&rig), 0);
        assert_int_equal(pcv_model_peek(rig.model, DEV, REG_BAR(i), 4),
                         saved[i]);
    }
    assert_int_equal(rig_events(&rig, PCV_EVENT_RESET_SEEN), 1);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(map_which(&rig), ALL_BARS);
    assert_int_equal(rig_events(&rig, PCV_EVENT_RESET_SEEN), 1);
    rig_close(&rig);
}

/* HDR-16 */
static void a_reset_is_seen_when_decoding_is_switched_on_again(void **state)
{
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    reset_hardware(&rig);
    pcv_model_poke(rig.model, DEV, REG_BAR(1), 4, 0xe0050000u);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(rig_events(&rig, PCV_EVENT_RESET_SEEN), 1);
    assert_true(rig_mapped(&rig, 0xe0050000u, 0x1000));
    assert_int_equal(map_which(&rig), 0);
    assert_int_equal(pages(&rig), 1);
    rig_close(&rig);
}

/* HDR-16 */
static void a_reset_is_seen_when_decoding_is_switched_off(void **state)
{
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    reset_hardware(&rig);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_int_equal(rig_events(&rig, PCV_EVENT_RESET_SEEN), 1);
    assert_int_equal(pages(&rig), 0);
    assert_int_equal(rig_read(&rig, DEV, PCV_REG_COMMAND, 2), PCV_CMD_MASTER);
    rig_close(&rig);
}

/* HDR-16 */
static void a_device_that_does_not_answer_loses_its_mappings(void **state)
{
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    assert_int_equal(pcv_model_set_dead(rig.model, DEV, true), 0);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(pages(&rig), 0);
    assert_int_equal(pcv_model_set_dead(rig.model, DEV, false), 0);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    assert_int_equal(map_which(&rig), ALL_BARS);
    rig_close(&rig);
}

/* HDR-6, HDR-16 */
static void bars_that_changed_during_a_move_are_mapped_where_they_are(
    void **state)
{
    struct pcv_access move = PCV_WRITE(DEV, REG_BAR(0), 4, 0xe0100000u);
    struct rig rig;

    (void)state;
    map_boot(&rig, PCV_CMD_MEMORY);
    pcv_model_set_map_chunk(rig.model, 1);
    assert_int_equal(pcv_access(rig.dom0, &move), PCV_PENDING);
    pcv_model_poke(rig.model, DEV, REG_BAR(1), 4, 0xe0050000u);
    pcv_model_poke(rig.model, DEV, REG_BAR(3), 4, 0xffffffffu);
    (void)rig_settle(&rig, &move);
    assert_true(rig_mapped(&rig, 0xe0100000u, 0x4000));
    assert_true(rig_mapped(&rig, 0xe0050000u, 0x1000));
    assert_int_equal(map_which(&rig), 0x30);
    assert_int_equal(pages(&rig), ALL_PAGES - 16);
    rig_close(&rig);
}

/* Add a device that decodes, with the nth read failing. False: there were not
 * that many. */
static bool add_with_read_failing(uint64_t nth)
{
    struct rig rig;
    uint64_t before;
    bool failed;
    int error;

    map_prepare(&rig, PCV_CMD_MEMORY);
    rig_create(&rig);
    before = pcv_model_calls(rig.model, PCV_MODEL_OP_cfg_read);
    pcv_model_fail(rig.model, PCV_MODEL_OP_cfg_read, nth);
    error = pcv_device_add(rig.host, DEV, NULL);
    failed = pcv_model_calls(rig.model, PCV_MODEL_OP_cfg_read) - before >= nth;
    pcv_model_fail(rig.model, PCV_MODEL_OP_cfg_read, 0);
    /* OWN-2: what nobody may write is not mapped either. */
    assert_int_equal(map_which(&rig),
                     error == 0 && rig_events(&rig, PCV_EVENT_READ_ONLY) == 0
                         ? ALL_BARS
                         : 0);
    rig_close(&rig);
    return failed;
}

/* HDR-7, PORT-3 */
static void an_add_that_succeeds_has_mapped_what_decodes(void **state)
{
    uint64_t nth = 1;

    (void)state;
    while (add_with_read_failing(nth)) {
        nth++;
    }
    assert_true(nth > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_can_stop_after_any_page_and_goes_on),
        cmocka_unit_test(meanwhile_other_changes_wait_and_all_else_goes_on),
        cmocka_unit_test(a_write_that_waits_ends_what_nobody_resumes),
        cmocka_unit_test(an_add_reports_restart_until_all_is_mapped),
        cmocka_unit_test(a_removal_cancels_whatever_is_pending_at_any_point),
        cmocka_unit_test(a_held_device_that_was_removed_maps_nothing_more),
        cmocka_unit_test(
            who_waited_for_the_lock_of_a_removed_device_maps_nothing),
        cmocka_unit_test(
            a_map_that_fails_leaves_decoding_off_and_nothing_mapped),
        cmocka_unit_test(so_does_memory_that_is_not_there),
        cmocka_unit_test(
            an_add_whose_mapping_fails_leaves_the_device_not_decoding),
        cmocka_unit_test(an_unmap_that_fails_is_reported_and_taken_as_done),
        cmocka_unit_test(an_add_that_succeeds_has_mapped_what_decodes),
        cmocka_unit_test(a_host_that_maps_nothing_for_ever_is_taken_as_failing),
        cmocka_unit_test(a_reset_is_seen_at_the_first_bar_that_is_restored),
        cmocka_unit_test(a_reset_is_seen_when_decoding_is_switched_on_again),
        cmocka_unit_test(a_reset_is_seen_when_decoding_is_switched_off),
        cmocka_unit_test(a_device_that_does_not_answer_loses_its_mappings),
        cmocka_unit_test(
            bars_that_changed_during_a_move_are_mapped_where_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * 8-byte accesses through ECAM: two of 4, which may retry, be pending or lose
 * their device in between (CFG-2, CFG-10).
 */
#include "engine_fixture.h"

#include <string.h>

#include "registry/internal.h"

#define DEV pcv_test_at(0, 0, 1, 0)
#define WINDOW 0xb0000000u
#define DEV_AT (WINDOW + 0x8000u)

/* DEV has an I/O BAR 0 and memory BARs 1 and 2. */
static void boot_ecam(struct rig *rig)
{
    struct pcv_test_function f;

    rig_open(rig);
    pcv_test_pcie_endpoint(&f, 0x1111, 0x0001);
    pcv_test_bar_io(&f, 0, 0x6000, 0x20);
    pcv_test_bar32(&f, 1, 0xe0000000u, 0x4000);
    pcv_test_bar32(&f, 2, 0xe0010000u, 0x4000);
    pcv_test_add(rig->model, &f, DEV);
    rig_create(rig);
    assert_int_equal(pcv_device_add(rig->host, DEV, NULL), 0);
    assert_int_equal(
        pcv_domain_add_ecam(rig->dom0, (pcv_gpa){WINDOW}, 0, 0, 255), 0);
    rig_forget(rig);
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

/* CFG-2, CFG-5 */
static void eight_aligned_bytes_are_two_accesses_of_four(void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot_ecam(&rig);
    assert_int_equal(ecam_read(&rig, DEV_AT + PCV_REG_INT_LINE - 4, 8, &data),
                     PCV_DONE);
    assert_int_equal(rig.logged, 2);
    assert_true(rig_saw(&rig, 0, false, 0x38, 4));
    assert_true(rig_saw(&rig, 1, false, 0x3c, 4));
    assert_true(data == (uint64_t)pcv_model_peek(rig.model, DEV, 0x3c, 4)
                            << 32);
    assert_int_equal(rig_status(&rig, DEV).counters.reads, 2);
    assert_int_equal(ecam_read(&rig, DEV_AT + 4, 8, &data), PCV_DONE);
    assert_true(data == UINT64_MAX);
    assert_int_equal(ecam_read(&rig, DEV_AT + 0xffc, 8, &data), PCV_DONE);
    assert_true(data == UINT64_MAX);
    assert_int_equal(rig.logged, 2);
    assert_int_equal(rig_status(&rig, DEV).counters.refused, 2);
    rig_close(&rig);
}

/* An 8-byte write to BARs 0 and 1, of which 1 is memory. */
static enum pcv_verdict write_bars(struct rig *rig, struct pcv_access *access,
                                   uint32_t low, uint32_t high)
{
    return pcv_ecam_access(rig->dom0, (pcv_gpa){DEV_AT + PCV_REG_BAR0}, 8, true,
                           (uint64_t)high << 32 | low, access);
}

/* CFG-2, CFG-10 */
static void a_split_write_that_retries_goes_on_with_its_second_half(
    void **state)
{
    struct pcv_access decode =
        PCV_WRITE(DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_IO);
    struct pcv_access access;
    struct rig rig;

    (void)state;
    boot_ecam(&rig);
    memset(&access, 0, sizeof(access));
    pcv_model_set_map_chunk(rig.model, 1);
    assert_int_equal(pcv_access(rig.dom0, &decode), PCV_PENDING);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(write_bars(&rig, &access, 0x7001, 0xe0020000u),
                         PCV_RETRY);
        assert_int_equal(rig_touched(&rig, PCV_REG_BAR0, true), 1);
        assert_int_equal(rig_touched(&rig, PCV_REG_BAR0 + 4, true), 0);
    }
    (void)rig_settle(&rig, &decode);
    assert_int_equal(write_bars(&rig, &access, 0x7001, 0xe0020000u),
                     PCV_PENDING);
    (void)rig_settle(&rig, &access);
    assert_int_equal(rig_touched(&rig, PCV_REG_BAR0, true), 1);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_BAR0, 4), 0x7001);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_BAR0 + 4, 4),
                     0xe0020000u);
    assert_true(rig_mapped(&rig, 0xe0020000u, 0x4000));
    rig_close(&rig);
}

/* CFG-2, CFG-10 */
static void a_split_write_that_is_pending_ends_with_its_second_half(
    void **state)
{
    struct pcv_access access;
    struct rig rig;

    (void)state;
    boot_ecam(&rig);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    /* BAR 2 is memory and pending at once; what follows it is not a BAR. */
    memset(&access, 0, sizeof(access));
    rig_forget(&rig);
    assert_int_equal(pcv_ecam_access(rig.dom0,
                                     (pcv_gpa){DEV_AT + PCV_REG_BAR0 + 8}, 8,
                                     true, 0x12345678e0030000u, &access),
                     PCV_PENDING);
    assert_int_equal(rig_touched(&rig, PCV_REG_BAR0 + 12, true), 0);
    assert_int_equal(pcv_access_resume(rig.dom0, &access), PCV_DONE);
    assert_int_equal(rig_touched(&rig, PCV_REG_BAR0 + 8, true), 1);
    assert_int_equal(rig_touched(&rig, PCV_REG_BAR0 + 12, true), 1);
    assert_true(rig_mapped(&rig, 0xe0030000u, 0x4000));
    assert_int_equal(pcv_access_resume(rig.dom0, &access), PCV_DONE);
    assert_int_equal(rig_touched(&rig, PCV_REG_BAR0 + 12, true), 1);
    rig_close(&rig);
}

static void pause_inside(struct rig *rig, const struct pcv_model_cfg *access)
{
    struct pcv_device *device = rig->hook_data;

    (void)access;
    rig->hook = NULL;
    (void)atomic_fetch_or(&device->word, PCV__WORD_PAUSED);
}

/* CFG-2, CFG-10 */
static void a_split_read_remembers_its_first_half_over_a_retry(void **state)
{
    struct pcv_access access;
    struct pcv_device *device;
    const pcv_gpa at = {DEV_AT};
    struct rig rig;

    (void)state;
    boot_ecam(&rig);
    device = pcv_device_find(rig.host, DEV);
    rig.hook_data = device;
    rig.hook = pause_inside;
    memset(&access, 0, sizeof(access));
    assert_int_equal(pcv_ecam_access(rig.dom0, at, 8, false, 0, &access),
                     PCV_RETRY);
    assert_int_equal(rig_status(&rig, DEV).held[PCV_HOLDER_ACCESS], 0);
    /* Were the first half read again, this would show. */
    pcv_model_poke(rig.model, DEV, PCV_REG_VENDOR, 2, 0x2222);
    assert_int_equal(pcv_ecam_access(rig.dom0, at, 8, false, 0, &access),
                     PCV_RETRY);
    pcv__lock_take(&device->host->mem, &device->lock);
    pcv__gate_open(device);
    pcv__lock_drop(&device->host->mem, &device->lock);
    assert_int_equal(pcv_ecam_access(rig.dom0, at, 8, false, 0, &access),
                     PCV_DONE);
    assert_int_equal((uint32_t)access.data, 0x00011111);
    assert_int_equal(access.data >> 32, pcv_model_peek(rig.model, DEV, 4, 4));
    pcv_model_poke(rig.model, DEV, PCV_REG_VENDOR, 2, 0x1111);
    pcv_device_put(device);
    rig_close(&rig);
}

/* A read of 8 bytes whose second half found the gate paused. */
static struct pcv_device *leave_half(struct rig *rig, struct pcv_access *access)
{
    struct pcv_device *device = pcv_device_find(rig->host, DEV);

    rig->hook_data = device;
    rig->hook = pause_inside;
    memset(access, 0, sizeof(*access));
    assert_int_equal(
        pcv_ecam_access(rig->dom0, (pcv_gpa){DEV_AT}, 8, false, 0, access),
        PCV_RETRY);
    assert_int_equal(access->progress, 4);
    pcv__lock_take(&device->host->mem, &device->lock);
    pcv__gate_open(device);
    pcv__lock_drop(&device->host->mem, &device->lock);
    rig_forget(rig);
    return device;
}

/* CFG-1, CFG-2, CFG-10: an interrupt came in between, say, and its handler
 * uses the vCPU's storage for an access of its own. */
static void another_access_does_not_go_on_where_a_split_one_stopped(
    void **state)
{
    static const struct {
        uint16_t at;
        uint8_t size;
        bool write;
        uint64_t data;
        size_t touched;
    } rows[] = {
        {0, 4, false, 0x00011111, 1},      /* narrower */
        {8, 8, false, 0x02000000, 2},      /* elsewhere: 8 to 15 */
        {2, 2, false, 0x0001, 1},          /* within it */
        {0x40, 8, true, 0, 2},             /* a write */
        {PCV_REG_INT_LINE, 1, true, 7, 1}, /* a short one */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_access access;
        struct pcv_device *device;
        struct rig rig;

        boot_ecam(&rig);
        device = leave_half(&rig, &access);
        assert_int_equal(
            pcv_ecam_access(rig.dom0, (pcv_gpa){DEV_AT + rows[i].at},
                            rows[i].size, rows[i].write, rows[i].data, &access),
            PCV_DONE);
        assert_true(access.data == rows[i].data);
        assert_int_equal(rig.logged, rows[i].touched);
        assert_int_equal(rig.log[0].reg, rows[i].at);
        assert_int_equal(access.progress, 0);
        pcv_device_put(device);
        rig_close(&rig);
    }
}

/* CFG-2, CFG-10: nor an access by register, which knows no halves. */
static void an_access_by_register_begins_at_its_first_byte(void **state)
{
    struct pcv_access access;
    struct pcv_device *device;
    struct rig rig;

    (void)state;
    boot_ecam(&rig);
    device = leave_half(&rig, &access);
    access.split = false;
    access.size = 4;
    access.data = 0xdeadbeef;
    assert_int_equal(pcv_access(rig.dom0, &access), PCV_DONE);
    assert_true(access.data == 0x00011111);
    assert_int_equal(rig.logged, 1);
    pcv_device_put(device);
    rig_close(&rig);
}

struct traces {
    struct pcv_trace record[4];
    size_t count;
};

static void keep_trace(void *arg, const struct pcv_trace *record)
{
    struct traces *traces = arg;

    assert_true(traces->count < 4);
    traces->record[traces->count++] = *record;
}

/* CFG-9 */
static void the_trace_tells_a_second_half_that_was_resumed(void **state)
{
    struct traces traces = {.count = 0};
    struct pcv_access access;
    struct rig rig;

    (void)state;
    boot_ecam(&rig);
    rig_write(&rig, DEV, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    pcv_model_on_trace(rig.model, keep_trace, &traces);
    pcv_host_set_trace(rig.host, true);
    memset(&access, 0, sizeof(access));
    assert_int_equal(pcv_ecam_access(rig.dom0,
                                     (pcv_gpa){DEV_AT + PCV_REG_BAR0 + 8}, 8,
                                     true, 0x12345678e0030000u, &access),
                     PCV_PENDING);
    assert_int_equal(traces.count, 1);
    assert_int_equal(traces.record[0].verdict, PCV_PENDING);
    assert_int_equal(pcv_access_resume(rig.dom0, &access), PCV_DONE);
    pcv_host_set_trace(rig.host, false);
    pcv_model_on_trace(rig.model, NULL, NULL);
    assert_int_equal(traces.count, 2);
    assert_int_equal(traces.record[1].verdict, PCV_DONE);
    assert_int_equal(traces.record[1].sbdf.v, DEV.v);
    assert_int_equal(traces.record[1].reg, PCV_REG_BAR0 + 8);
    assert_int_equal(traces.record[1].size, 8);
    assert_true(traces.record[1].write);
    rig_close(&rig);
}

static void remove_inside(struct rig *rig, const struct pcv_model_cfg *access)
{
    rig->hook = NULL;
    assert_int_equal(pcv_device_remove(rig->host, access->sbdf, NULL, NULL),
                     -PCV_EBUSY);
}

/* CFG-2, CFG-10, LIFE-11 */
static void a_device_removed_between_the_halves_is_absent_in_the_second(
    void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot_ecam(&rig);
    rig.hook = remove_inside;
    assert_int_equal(ecam_read(&rig, DEV_AT, 8, &data), PCV_ABSENT);
    assert_true(data == 0xffffffff00011111u);
    assert_int_equal(rig.logged, 1);
    assert_int_equal(rig_status(&rig, DEV).state, PCV_STATE_ABSENT);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_aligned_bytes_are_two_accesses_of_four),
        cmocka_unit_test(
            a_split_write_that_retries_goes_on_with_its_second_half),
        cmocka_unit_test(
            a_split_write_that_is_pending_ends_with_its_second_half),
        cmocka_unit_test(a_split_read_remembers_its_first_half_over_a_retry),
        cmocka_unit_test(
            another_access_does_not_go_on_where_a_split_one_stopped),
        cmocka_unit_test(an_access_by_register_begins_at_its_first_byte),
        cmocka_unit_test(the_trace_tells_a_second_half_that_was_resumed),
        cmocka_unit_test(
            a_device_removed_between_the_halves_is_absent_in_the_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

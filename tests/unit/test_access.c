/* SPDX-License-Identifier: MIT */
/*
 * The entrance by address: widths, verdicts, counters, the trace.
 * test_access_races.c has what can happen in the middle of an access.
 */
#include "engine_fixture.h"

#include <string.h>

/* A NIC with 4096 bytes and a BAR; next to it one with 256 bytes. */
#define NIC pcv_test_at(0, 0, 1, 0)
#define OLD pcv_test_at(0, 0, 2, 0)
#define NOBODY pcv_test_at(0, 0, 3, 0)
#define SCRATCH 0xc0u /* bytes of OLD that a poke gave a value */

static void boot(struct rig *rig)
{
    struct pcv_test_function f;

    rig_open(rig);
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    pcv_test_bar32(&f, 0, 0xe0000000u, 0x4000);
    pcv_test_add(rig->model, &f, NIC);
    pcv_test_endpoint(&f, 0x10ec, 0x8139);
    for (uint32_t i = 0; i < 64; i++) {
        pcv_test_set(&f, SCRATCH + i, 1, 0x80u + i);
    }
    pcv_test_add(rig->model, &f, OLD);
    rig_boot(rig);
}

/* CFG-1, CFG-2, CFG-5 */
static void every_width_reads_the_bytes_it_names(void **state)
{
    static const uint8_t sizes[] = {1, 2, 4};
    struct rig rig;

    (void)state;
    boot(&rig);
    for (size_t s = 0; s < sizeof(sizes); s++) {
        for (uint16_t reg = SCRATCH; reg < 256;
             reg = (uint16_t)(reg + sizes[s])) {
            rig_forget(&rig);
            assert_int_equal(rig_read(&rig, OLD, reg, sizes[s]),
                             pcv_model_peek(rig.model, OLD, reg, sizes[s]));
            assert_int_equal(rig.logged, 1);
            assert_true(rig_saw(&rig, 0, false, reg, sizes[s]));
        }
    }
    rig_close(&rig);
}

static const struct {
    uint16_t reg;
    uint8_t size;
    uint64_t ones;
} refused[] = {
    {0x00, 0, 0},
    {0x00, 3, 0xffffff},
    {0x00, 5, 0xffffffffffu},
    {0x00, 6, 0xffffffffffffu},
    {0x00, 7, 0xffffffffffffffu},
    {0x00, 8, UINT64_MAX}, /* only through ECAM */
    {0x00, 16, UINT64_MAX},
    {0x00, 255, UINT64_MAX},
    {0x01, 2, 0xffff},
    {0x03, 2, 0xffff},
    {0x01, 4, 0xffffffff},
    {0x02, 4, 0xffffffff},
    {0x03, 4, 0xffffffff},
    {0x1000, 1, 0xff},
    {0x1000, 4, 0xffffffff},
    {0xfffe, 2, 0xffff},
    {0xffff, 1, 0xff},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* CFG-2 */
static void a_refused_access_reads_ones_and_is_counted(void **state)
{
    struct rig rig;
    struct pcv_host_stats stats;
    uint64_t data;

    (void)state;
    boot(&rig);
    for (size_t i = 0; i < COUNT(refused); i++) {
        data = 0;
        assert_int_equal(
            rig_try_read(&rig, NIC, refused[i].reg, refused[i].size, &data),
            PCV_DONE);
        assert_true(data == refused[i].ones);
        assert_int_equal(
            rig_try_write(&rig, NIC, refused[i].reg, refused[i].size, 0),
            PCV_DONE);
        assert_int_equal(rig_status(&rig, NIC).counters.refused, 2 * (i + 1));
    }
    assert_int_equal(rig.logged, 0);
    pcv_host_get_stats(rig.host, &stats);
    assert_int_equal(stats.refused_accesses, 2 * COUNT(refused));
    assert_int_equal(rig_status(&rig, NIC).counters.reads, 0);
    assert_int_equal(rig_status(&rig, NIC).counters.writes, 0);
    rig_close(&rig);
}

/* CFG-2 */
static void a_refused_access_to_nobody_is_counted_by_the_host(void **state)
{
    struct rig rig;
    struct pcv_host_stats stats;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(rig_try_read(&rig, NOBODY, 1, 4, &data), PCV_DONE);
    assert_int_equal(data, 0xffffffffu);
    pcv_host_get_stats(rig.host, &stats);
    assert_int_equal(stats.refused_accesses, 1);
    assert_int_equal(stats.absent_accesses, 0);
    rig_close(&rig);
}

/* CFG-8, CFG-10, LIFE-12 */
static void an_absent_device_reads_ones_and_drops_writes(void **state)
{
    static const pcv_sbdf nobody[] = {
        {0x00000018}, {0x00000009}, {0x0000ff08}, {0x00010008}, {0xffffffff}};
    struct rig rig;
    struct pcv_host_stats stats;
    uint64_t data;

    (void)state;
    boot(&rig);
    for (size_t i = 0; i < COUNT(nobody); i++) {
        assert_int_equal(rig_try_read(&rig, nobody[i], 0, 4, &data),
                         PCV_ABSENT);
        assert_int_equal(data, 0xffffffffu);
        assert_int_equal(rig_try_read(&rig, nobody[i], 2, 2, &data),
                         PCV_ABSENT);
        assert_int_equal(data, 0xffffu);
        assert_int_equal(rig_try_read(&rig, nobody[i], 3, 1, &data),
                         PCV_ABSENT);
        assert_int_equal(data, 0xffu);
        assert_int_equal(rig_try_write(&rig, nobody[i], 4, 2, 7), PCV_ABSENT);
    }
    /* LIFE-12: only the vendor ID is looked for, and only where it can be. */
    assert_int_equal(rig.logged, 1);
    assert_int_equal(rig.log[0].sbdf.v, nobody[0].v);
    assert_int_equal(rig.log[0].reg, PCV_REG_VENDOR);
    assert_false(rig.log[0].write);
    pcv_host_get_stats(rig.host, &stats);
    assert_int_equal(stats.absent_accesses, 4 * COUNT(nobody));
    rig_close(&rig);
}

/* CFG-8, EXT-1 */
static void extended_registers_of_a_256_byte_device_read_ones(void **state)
{
    struct rig rig;

    (void)state;
    boot(&rig);
    assert_int_equal(rig_read(&rig, OLD, 0x100, 4), 0xffffffffu);
    assert_int_equal(rig_read(&rig, OLD, 0xffe, 2), 0xffffu);
    assert_int_equal(rig_read(&rig, OLD, 0xfff, 1), 0xffu);
    rig_write(&rig, OLD, 0x100, 4, 0);
    assert_int_equal(rig.logged, 0);
    assert_int_equal(rig_status(&rig, OLD).counters.reads, 3);
    assert_int_equal(rig_status(&rig, OLD).counters.writes, 1);
    rig_close(&rig);
}

static int no_ecam(void *ctx, uint16_t segment, uint8_t bus)
{
    (void)ctx;
    (void)segment;
    (void)bus;
    return 0;
}

/* CFG-8, EXT-1 */
static void without_extended_space_hardware_is_not_even_asked(void **state)
{
    struct pcv_test_function f;
    struct rig rig;

    (void)state;
    rig_open(&rig);
    rig.ops.ecam_usable = no_ecam;
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
    (void)pcv_test_aer(&f);
    pcv_test_add(rig.model, &f, NIC);
    rig_boot(&rig);
    assert_int_not_equal(pcv_model_peek(rig.model, NIC, 0x100, 4), 0xffffffff);
    assert_int_equal(rig_read(&rig, NIC, 0x100, 4), 0xffffffffu);
    rig_write(&rig, NIC, 0x108, 4, 0);
    assert_int_equal(rig.logged, 0);
    assert_int_equal(rig_read(&rig, NIC, 0xfc, 4), 0);
    assert_int_equal(rig.logged, 1);
    rig_close(&rig);
}

/* CFG-9 */
static void reads_and_writes_are_counted_for_each_device(void **state)
{
    struct rig rig;

    (void)state;
    boot(&rig);
    for (uint32_t i = 0; i < 5; i++) {
        (void)rig_read(&rig, NIC, 0, 4);
    }
    for (uint32_t i = 0; i < 3; i++) {
        rig_write(&rig, NIC, PCV_REG_INT_LINE, 1, i);
    }
    assert_int_equal(rig_status(&rig, NIC).counters.reads, 5);
    assert_int_equal(rig_status(&rig, NIC).counters.writes, 3);
    assert_int_equal(rig_status(&rig, OLD).counters.reads, 0);
    assert_int_equal(rig_status(&rig, OLD).counters.writes, 0);
    rig_close(&rig);
}

/* CFG-9, CFG-10 */
static void a_write_that_must_retry_is_counted_once(void **state)
{
    struct rig rig;
    struct pcv_access move = PCV_WRITE(NIC, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    struct pcv_access late = PCV_WRITE(NIC, PCV_REG_COMMAND, 2, 0);

    (void)state;
    boot(&rig);
    pcv_model_set_map_chunk(rig.model, 1);
    assert_int_equal(pcv_access(rig.dom0, &move), PCV_PENDING);
    assert_int_equal(rig_status(&rig, NIC).counters.writes, 1);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(pcv_access(rig.dom0, &late), PCV_RETRY);
    }
    assert_int_equal(rig_status(&rig, NIC).counters.writes, 1);
    (void)rig_settle(&rig, &move);
    assert_int_equal(pcv_access(rig.dom0, &late), PCV_PENDING);
    (void)rig_settle(&rig, &late);
    assert_int_equal(rig_status(&rig, NIC).counters.writes, 2);
    rig_close(&rig);
}

struct traces {
    struct pcv_trace record[8];
    size_t count;
};

static void on_trace(void *arg, const struct pcv_trace *record)
{
    struct traces *traces = arg;

    if (traces->count < COUNT(traces->record)) {
        traces->record[traces->count] = *record;
    }
    traces->count++;
}

static void check_trace(const struct pcv_trace *t, pcv_sbdf sbdf, uint16_t reg,
                        uint8_t size, bool write, enum pcv_verdict verdict,
                        uint64_t data)
{
    assert_int_equal(t->sbdf.v, sbdf.v);
    assert_int_equal(t->domain_id, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(t->reg, reg);
    assert_int_equal(t->size, size);
    assert_int_equal(t->write, write);
    assert_int_equal(t->verdict, verdict);
    assert_true(t->data == data);
}

/* CFG-9 */
static void the_trace_tells_every_access_while_it_is_on(void **state)
{
    struct rig rig;
    struct traces traces;
    uint64_t data;

    (void)state;
    memset(&traces, 0, sizeof(traces));
    boot(&rig);
    pcv_model_on_trace(rig.model, on_trace, &traces);
    (void)rig_read(&rig, NIC, 0, 4);
    assert_int_equal(traces.count, 0);
    pcv_host_set_trace(rig.host, true);
    (void)rig_read(&rig, NIC, PCV_REG_VENDOR, 2);
    rig_write(&rig, NIC, PCV_REG_INT_LINE, 1, 0x0b);
    assert_int_equal(rig_try_read(&rig, NOBODY, 8, 4, &data), PCV_ABSENT);
    assert_int_equal(rig_try_read(&rig, NIC, 1, 2, &data), PCV_DONE);
    pcv_host_set_trace(rig.host, false);
    (void)rig_read(&rig, NIC, 0, 4);
    assert_int_equal(traces.count, 4);
    check_trace(&traces.record[0], NIC, 0, 2, false, PCV_DONE, 0x8086);
    check_trace(&traces.record[1], NIC, PCV_REG_INT_LINE, 1, true, PCV_DONE,
                0x0b);
    check_trace(&traces.record[2], NOBODY, 8, 4, false, PCV_ABSENT, 0xffffffff);
    check_trace(&traces.record[3], NIC, 1, 2, false, PCV_DONE, 0xffff);
    rig_close(&rig);
}

/* CFG-9 */
static void a_host_without_a_trace_may_have_it_on(void **state)
{
    struct rig rig;

    (void)state;
    boot(&rig);
    rig_close(&rig);
    rig_open(&rig);
    rig.ops.trace = NULL;
    rig_boot(&rig);
    pcv_host_set_trace(rig.host, true);
    assert_int_equal(rig_try_write(&rig, NOBODY, 0, 4, 0), PCV_ABSENT);
    rig_close(&rig);
}

/* CFG-10 */
static void every_verdict_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(pcv_verdict_name(PCV_DONE), "done");
    assert_string_equal(pcv_verdict_name(PCV_PENDING), "pending");
    assert_string_equal(pcv_verdict_name(PCV_RETRY), "retry");
    assert_string_equal(pcv_verdict_name(PCV_ABSENT), "absent");
    assert_string_equal(pcv_verdict_name(PCV_FORWARD), "forward");
    assert_string_equal(pcv_verdict_name((enum pcv_verdict)99),
                        "unknown verdict");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_reads_the_bytes_it_names),
        cmocka_unit_test(a_refused_access_reads_ones_and_is_counted),
        cmocka_unit_test(a_refused_access_to_nobody_is_counted_by_the_host),
        cmocka_unit_test(an_absent_device_reads_ones_and_drops_writes),
        cmocka_unit_test(extended_registers_of_a_256_byte_device_read_ones),
        cmocka_unit_test(without_extended_space_hardware_is_not_even_asked),
        cmocka_unit_test(reads_and_writes_are_counted_for_each_device),
        cmocka_unit_test(a_write_that_must_retry_is_counted_once),
        cmocka_unit_test(the_trace_tells_every_access_while_it_is_on),
        cmocka_unit_test(a_host_without_a_trace_may_have_it_on),
        cmocka_unit_test(every_verdict_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

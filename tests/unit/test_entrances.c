/* SPDX-License-Identifier: MIT */
/*
 * The other entrances (CFG-1): ECAM windows, with 8-byte accesses that are
 * split in two, and the ports of configuration mechanism 1.
 */
#include "engine_fixture.h"

#include <string.h>

#include "registry/internal.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MIB 0x100000ull

#define DEV pcv_test_at(0, 0, 1, 0)
#define FAR pcv_test_at(0, 5, 31, 7)
#define OTHER pcv_test_at(7, 0, 1, 0)

/* DEV has an I/O BAR 0, memory BARs 1 and 2, and a long configuration space;
 * the others tell themselves apart by their device IDs. */
static void boot(struct rig *rig)
{
    struct pcv_test_function f;
    const struct pcv_add_info none = {0};

    rig_open(rig);
    pcv_test_pcie_endpoint(&f, 0x1111, 0x0001);
    pcv_test_bar_io(&f, 0, 0x6000, 0x20);
    pcv_test_bar32(&f, 1, 0xe0000000u, 0x4000);
    pcv_test_bar32(&f, 2, 0xe0010000u, 0x4000);
    (void)pcv_test_aer(&f);
    pcv_test_add(rig->model, &f, DEV);
    pcv_test_pcie_endpoint(&f, 0x1111, 0x0002);
    pcv_test_add(rig->model, &f, OTHER);
    pcv_test_endpoint(&f, 0x1111, 0x0003);
    pcv_test_add(rig->model, &f, FAR);
    rig_create(rig);
    assert_int_equal(pcv_device_add(rig->host, DEV, &none), 0);
    assert_int_equal(pcv_device_add(rig->host, OTHER, &none), 0);
    assert_int_equal(pcv_device_add(rig->host, FAR, &none), 0);
    rig_forget(rig);
}

static int add_window(struct rig *rig, uint64_t base, uint16_t segment,
                      uint8_t first, uint8_t last)
{
    return pcv_domain_add_ecam(rig->dom0, (pcv_gpa){base}, segment, first,
                               last);
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

/* ---- windows ------------------------------------------------------------- */

/* CFG-1 */
static void ecam_addresses_lead_to_bus_device_function_and_register(
    void **state)
{
    static const struct {
        uint64_t offset;
        uint8_t size;
        uint64_t data;
    } good[] = {
        {0x08000, 2, 0x1111},     {0x08002, 2, 0x0001},
        {0x08000, 4, 0x00011111}, {0x08000, 1, 0x11},
        {0x5ff002, 2, 0x0003},    {0x08100, 2, PCV_EXT_CAP_ID_AER},
    };
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(add_window(&rig, 0xb0000000u, 0, 0, 255), 0);
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(
            ecam_read(&rig, 0xb0000000u + good[i].offset, good[i].size, &data),
            PCV_DONE);
        assert_int_equal(data, good[i].data);
    }
    assert_int_equal(ecam_read(&rig, 0xb0010000u, 4, &data), PCV_ABSENT);
    assert_int_equal(data, 0xffffffffu);
    rig_close(&rig);
}

/* CFG-1 */
static void each_window_has_its_segment_and_first_bus(void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(add_window(&rig, 0xd0000000u, 7, 0, 0), 0);
    assert_int_equal(add_window(&rig, 0xc0000000u, 0, 5, 6), 0);
    assert_int_equal(add_window(&rig, 0xe0000000u, 0, 0, 3), 0);
    assert_int_equal(ecam_read(&rig, 0xd0008000u, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x00021111);
    assert_int_equal(ecam_read(&rig, 0xc00ff000u, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x00031111);
    assert_int_equal(ecam_read(&rig, 0xe0008000u, 4, &data), PCV_DONE);
    assert_int_equal(data, 0x00011111);
    rig_close(&rig);
}

/* CFG-1 */
static void what_is_outside_a_window_is_the_hosts(void **state)
{
    static const uint64_t outside[] = {0, 0xb00fffffu, 0xb0300000u, UINT64_MAX,
                                       0x1b0100000u};
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(ecam_read(&rig, 0xb0100000u, 4, &data), PCV_FORWARD);
    assert_int_equal(add_window(&rig, 0xb0100000u, 0, 0, 1), 0);
    for (size_t i = 0; i < COUNT(outside); i++) {
        assert_int_equal(ecam_read(&rig, outside[i], 1, &data), PCV_FORWARD);
    }
    assert_int_equal(ecam_read(&rig, 0xb0100000u, 4, &data), PCV_ABSENT);
    assert_int_equal(ecam_read(&rig, 0xb02fffffu, 1, &data), PCV_ABSENT);
    assert_int_equal(rig.logged, 0);
    rig_close(&rig);
}

/* CFG-1 */
static void a_window_may_end_at_the_top_of_the_address_space(void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(add_window(&rig, UINT64_MAX - MIB + 1, 0, 0, 1),
                     -PCV_EINVAL);
    assert_int_equal(add_window(&rig, UINT64_MAX - MIB + 1, 0, 0, 0), 0);
    assert_int_equal(ecam_read(&rig, UINT64_MAX - MIB + 1 + 0x8000, 4, &data),
                     PCV_DONE);
    assert_int_equal(data, 0x00011111);
    assert_int_equal(ecam_read(&rig, UINT64_MAX, 1, &data), PCV_ABSENT);
    assert_int_equal(ecam_read(&rig, UINT64_MAX - 3, 8, &data), PCV_DONE);
    assert_true(data == UINT64_MAX);
    assert_int_equal(ecam_read(&rig, UINT64_MAX - MIB, 1, &data), PCV_FORWARD);
    assert_int_equal(ecam_read(&rig, 0, 1, &data), PCV_FORWARD);
    rig_close(&rig);
}

/* CFG-1 */
static void a_window_that_makes_no_sense_is_refused(void **state)
{
    static const struct {
        uint64_t base;
        uint8_t first, last;
        int error;
    } bad[] = {
        {0xb0000001u, 0, 0, -PCV_EINVAL},
        {0xb0080000u, 0, 0, -PCV_EINVAL},
        {0xb0000000u, 1, 0, -PCV_EINVAL},
        {UINT64_MAX - 2 * MIB + 1, 0, 2, -PCV_EINVAL},
        {0xa0000000u, 0, 0, -PCV_EEXIST}, /* overlaps [a0000000, a0400000) */
        {0xa0300000u, 9, 9, -PCV_EEXIST},
        {0x9ff00000u, 0, 1, -PCV_EEXIST},
        {0x9ff00000u, 0, 255, -PCV_EEXIST},
        {0xa0100000u, 0, 0, -PCV_EEXIST},
        {0x9ff00000u, 0, 0, 0}, /* touches it on both sides */
        {0xa0400000u, 0, 0, 0},
    };
    struct rig rig;

    (void)state;
    boot(&rig);
    assert_int_equal(add_window(&rig, 0xa0000000u, 0, 0, 3), 0);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(
            add_window(&rig, bad[i].base, 0, bad[i].first, bad[i].last),
            bad[i].error);
    }
    rig_close(&rig);
}

/* CFG-1, CFG-7 */
static void windows_are_found_whatever_the_order_they_came_in(void **state)
{
    struct rig rig;
    uint64_t data;
    uint32_t count = 0;

    (void)state;
    boot(&rig);
    /* 64 of them, in an order that jumps; one more is too many. */
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t slot = i * 29 % 64;

        assert_int_equal(add_window(&rig, 0x80000000u + 2 * slot * MIB, 0,
                                    (uint8_t)slot, (uint8_t)slot),
                         0);
    }
    assert_int_equal(add_window(&rig, 0x10000000u, 0, 0, 0), -PCV_ENOSPC);
    for (uint32_t slot = 0; slot < 128; slot++) {
        enum pcv_verdict verdict =
            ecam_read(&rig, 0x80000000u + slot * MIB + 0x8000, 4, &data);

        count += verdict == PCV_DONE ? 1 : 0;
        assert_int_equal(verdict == PCV_FORWARD, slot % 2 == 1);
        assert_int_equal(verdict == PCV_DONE, slot == 0);
    }
    assert_int_equal(count, 1);
    rig_close(&rig);
}

/* CFG-1 */
static void a_window_without_memory_is_refused_and_can_be_added_later(
    void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    pcv_model_fail(rig.model, PCV_MODEL_OP_alloc, 1);
    assert_int_equal(add_window(&rig, 0xb0000000u, 0, 0, 0), -PCV_ENOMEM);
    assert_int_equal(ecam_read(&rig, 0xb0000000u, 4, &data), PCV_FORWARD);
    assert_int_equal(add_window(&rig, 0xb0000000u, 0, 0, 0), 0);
    rig_close(&rig);
}

/* ---- eight bytes --------------------------------------------------------- */

#define WINDOW 0xb0000000u
#define DEV_AT (WINDOW + 0x8000u)

static void boot_ecam(struct rig *rig)
{
    boot(rig);
    assert_int_equal(add_window(rig, WINDOW, 0, 0, 255), 0);
    assert_int_equal(rig_status(rig, DEV).counters.reads, 0);
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
    pcv__gate_open(device);
    assert_int_equal(pcv_ecam_access(rig.dom0, at, 8, false, 0, &access),
                     PCV_DONE);
    assert_int_equal((uint32_t)access.data, 0x00011111);
    assert_int_equal(access.data >> 32, pcv_model_peek(rig.model, DEV, 4, 4));
    pcv_model_poke(rig.model, DEV, PCV_REG_VENDOR, 2, 0x1111);
    pcv_device_put(device);
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

/* ---- ports --------------------------------------------------------------- */

#define ENABLE 0x80000000u

static enum pcv_verdict port(struct rig *rig, uint16_t number, uint8_t size,
                             bool write, uint32_t in, uint64_t *out)
{
    struct pcv_access access;
    enum pcv_verdict verdict;

    memset(&access, 0, sizeof(access));
    verdict = pcv_port_access(rig->dom0, number, size, write, in, &access);
    if (out) {
        *out = access.data;
    }
    return verdict;
}

/* CFG-1 */
static void the_latch_keeps_enable_bus_function_and_register(void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(port(&rig, 0xcf8, 4, false, 0, &data), PCV_DONE);
    assert_int_equal(data, 0);
    assert_int_equal(port(&rig, 0xcf8, 4, true, 0xffffffffu, NULL), PCV_DONE);
    assert_int_equal(port(&rig, 0xcf8, 4, false, 0, &data), PCV_DONE);
    assert_int_equal(data, 0x80fffffcu);
    assert_int_equal(rig.logged, 0);
    rig_close(&rig);
}

/* CFG-1 */
static void data_ports_reach_each_byte_of_the_latched_register(void **state)
{
    static const struct {
        uint16_t number;
        uint8_t size;
        uint64_t data;
        uint16_t reg;
    } reads[] = {
        {0xcfc, 1, 0x11, 0},       {0xcfd, 1, 0x11, 1},   {0xcfe, 1, 0x01, 2},
        {0xcff, 1, 0x00, 3},       {0xcfc, 2, 0x1111, 0}, {0xcfe, 2, 0x0001, 2},
        {0xcfc, 4, 0x00011111, 0},
    };
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x0800u, NULL),
                     PCV_DONE);
    for (size_t i = 0; i < COUNT(reads); i++) {
        rig_forget(&rig);
        assert_int_equal(
            port(&rig, reads[i].number, reads[i].size, false, 0, &data),
            PCV_DONE);
        assert_int_equal(data, reads[i].data);
        assert_int_equal(rig.logged, 1);
        assert_true(rig_saw(&rig, 0, false, reads[i].reg, reads[i].size));
    }
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x083cu, NULL),
                     PCV_DONE);
    assert_int_equal(port(&rig, 0xcfc, 1, true, 0xffffff5au, NULL), PCV_DONE);
    assert_int_equal(pcv_model_peek(rig.model, DEV, PCV_REG_INT_LINE, 1), 0x5a);
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x05ff00u, NULL),
                     PCV_DONE);
    assert_int_equal(port(&rig, 0xcfe, 2, false, 0, &data), PCV_DONE);
    assert_int_equal(data, 0x0003);
    rig_close(&rig);
}

/* CFG-1, CFG-2 */
static void a_data_access_over_the_end_of_the_register_is_refused(void **state)
{
    static const struct {
        uint16_t number;
        uint8_t size;
        uint64_t ones;
    } bad[] = {
        {0xcfd, 2, 0xffff},     {0xcff, 2, 0xffff},     {0xcfd, 4, 0xffffffff},
        {0xcfe, 4, 0xffffffff}, {0xcff, 4, 0xffffffff},
    };
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x0800u, NULL),
                     PCV_DONE);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(
            port(&rig, bad[i].number, bad[i].size, false, 0, &data), PCV_DONE);
        assert_int_equal(data, bad[i].ones);
    }
    assert_int_equal(rig.logged, 0);
    assert_int_equal(rig_status(&rig, DEV).counters.refused, COUNT(bad));
    rig_close(&rig);
}

/* CFG-1 */
static void accesses_that_are_not_ours_go_back_to_the_host(void **state)
{
    static const struct {
        uint16_t number;
        uint8_t size;
    } foreign[] = {
        {0xcf8, 1}, {0xcf8, 2}, {0xcf9, 1},  {0xcf9, 4}, {0xcfa, 2},
        {0xcfb, 1}, {0xcf7, 4}, {0xd00, 4},  {0xcfc, 3}, {0xcfc, 8},
        {0xcfc, 0}, {0, 1},     {0xffff, 1},
    };
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x0800u, NULL),
                     PCV_DONE);
    for (size_t i = 0; i < COUNT(foreign); i++) {
        assert_int_equal(
            port(&rig, foreign[i].number, foreign[i].size, true, 0, NULL),
            PCV_FORWARD);
        assert_int_equal(
            port(&rig, foreign[i].number, foreign[i].size, false, 0, &data),
            PCV_FORWARD);
    }
    assert_int_equal(port(&rig, 0xcf8, 4, false, 0, &data), PCV_DONE);
    assert_int_equal(data, ENABLE | 0x0800u);
    assert_int_equal(rig.logged, 0);
    rig_close(&rig);
}

/* CFG-1 */
static void data_ports_are_the_hosts_while_the_latch_is_not_enabled(
    void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(port(&rig, 0xcfc, 4, false, 0, &data), PCV_FORWARD);
    assert_int_equal(port(&rig, 0xcf8, 4, true, 0x0800u, NULL), PCV_DONE);
    assert_int_equal(port(&rig, 0xcfc, 4, false, 0, &data), PCV_FORWARD);
    assert_int_equal(port(&rig, 0xcfc, 4, true, 0, NULL), PCV_FORWARD);
    assert_int_equal(rig.logged, 0);
    rig_close(&rig);
}

/* CFG-1 */
static void amds_bits_reach_extended_registers_once_they_are_on(void **state)
{
    struct rig rig;
    uint64_t data;

    (void)state;
    boot(&rig);
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x01000800u, NULL),
                     PCV_DONE);
    assert_int_equal(port(&rig, 0xcfc, 4, false, 0, &data), PCV_DONE);
    assert_int_equal(data, 0x00011111);
    pcv_domain_set_amd_port_bits(rig.dom0, true);
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x0f000800u, NULL),
                     PCV_DONE);
    assert_int_equal(port(&rig, 0xcf8, 4, false, 0, &data), PCV_DONE);
    assert_int_equal(data, ENABLE | 0x0f000800u);
    rig_forget(&rig);
    assert_int_equal(port(&rig, 0xcfe, 2, false, 0, &data), PCV_DONE);
    assert_true(rig_saw(&rig, 0, false, 0xf02, 2));
    assert_int_equal(port(&rig, 0xcf8, 4, true, ENABLE | 0x01000800u, NULL),
                     PCV_DONE);
    assert_int_equal(port(&rig, 0xcfc, 2, false, 0, &data), PCV_DONE);
    assert_int_equal(data, PCV_EXT_CAP_ID_AER);
    pcv_domain_set_amd_port_bits(rig.dom0, false);
    assert_int_equal(port(&rig, 0xcfc, 2, false, 0, &data), PCV_DONE);
    assert_int_equal(data, 0x1111);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            ecam_addresses_lead_to_bus_device_function_and_register),
        cmocka_unit_test(each_window_has_its_segment_and_first_bus),
        cmocka_unit_test(what_is_outside_a_window_is_the_hosts),
        cmocka_unit_test(a_window_may_end_at_the_top_of_the_address_space),
        cmocka_unit_test(a_window_that_makes_no_sense_is_refused),
        cmocka_unit_test(windows_are_found_whatever_the_order_they_came_in),
        cmocka_unit_test(
            a_window_without_memory_is_refused_and_can_be_added_later),
        cmocka_unit_test(eight_aligned_bytes_are_two_accesses_of_four),
        cmocka_unit_test(
            a_split_write_that_retries_goes_on_with_its_second_half),
        cmocka_unit_test(
            a_split_write_that_is_pending_ends_with_its_second_half),
        cmocka_unit_test(a_split_read_remembers_its_first_half_over_a_retry),
        cmocka_unit_test(
            a_device_removed_between_the_halves_is_absent_in_the_second),
        cmocka_unit_test(the_latch_keeps_enable_bus_function_and_register),
        cmocka_unit_test(data_ports_reach_each_byte_of_the_latched_register),
        cmocka_unit_test(a_data_access_over_the_end_of_the_register_is_refused),
        cmocka_unit_test(accesses_that_are_not_ours_go_back_to_the_host),
        cmocka_unit_test(
            data_ports_are_the_hosts_while_the_latch_is_not_enabled),
        cmocka_unit_test(amds_bits_reach_extended_registers_once_they_are_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

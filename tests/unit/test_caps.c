/* SPDX-License-Identifier: MIT */
/* Capability lists, which no device can use to lead us astray (CAP-1). */
#include "engine_fixture.h"

#include <string.h>

#include "pcivisor/cap.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A configuration space as the walk reads it. */
struct space {
    uint8_t byte[PCV_CFG_EXT_SIZE];
    unsigned reads;
};

static uint32_t read_space(void *ctx, uint16_t reg, uint8_t size)
{
    struct space *space = ctx;
    uint32_t value = 0;

    assert_true(size == 1 || size == 2 || size == 4);
    assert_true(reg % size == 0 && reg <= PCV_CFG_EXT_SIZE - size);
    space->reads++;
    for (uint32_t i = 0; i < size; i++) {
        value |= (uint32_t)space->byte[reg + i] << (8 * i);
    }
    return value;
}

static void put(struct space *space, uint32_t reg, uint32_t size,
                uint32_t value)
{
    for (uint32_t i = 0; i < size; i++) {
        space->byte[reg + i] = (uint8_t)(value >> (8 * i));
    }
}

static size_t walk(struct space *space, bool extended, struct pcv_cap *caps,
                   size_t max, uint32_t *problems)
{
    const struct pcv_cap_source source = {read_space, space};

    space->reads = 0;
    return extended ? pcv_ext_caps_walk(&source, caps, max, problems)
                    : pcv_caps_walk(&source, caps, max, problems);
}

/* An empty space whose list begins at `first`. */
static void begin(struct space *space, uint8_t header, uint8_t first)
{
    memset(space, 0, sizeof(*space));
    put(space, PCV_REG_STATUS, 2, PCV_STATUS_CAPS);
    put(space, PCV_REG_HEADER_TYPE, 1, header);
    put(space, (header & 0x7fu) == 2 ? 0x14 : PCV_REG_CAPS, 1, first);
}

static void cap(struct space *space, uint32_t at, uint8_t id, uint8_t next)
{
    put(space, at, 2, (uint32_t)next << 8 | id);
}

static void ext(struct space *space, uint32_t at, uint16_t id, uint8_t version,
                uint32_t next)
{
    put(space, at, 4, next << 20 | (uint32_t)version << 16 | id);
}

/* ---- the first list ------------------------------------------------------ */

/* CAP-1 */
static void a_good_list_is_told_in_its_own_order(void **state)
{
    static const uint8_t headers[] = {0x00, 0x80, 0x01, 0x02, 0x82, 0x7f};

    (void)state;
    for (size_t i = 0; i < sizeof(headers); i++) {
        struct space s;
        struct pcv_cap caps[4];
        uint32_t problems = 99;

        begin(&s, headers[i], 0xc8);
        cap(&s, 0xc8, PCV_CAP_ID_PM, 0x40);
        cap(&s, 0x40, PCV_CAP_ID_MSI, 0xfc);
        cap(&s, 0xfc, PCV_CAP_ID_VENDOR, 0);
        assert_int_equal(walk(&s, false, caps, COUNT(caps), &problems), 3);
        assert_int_equal(problems, 0);
        assert_int_equal(caps[0].offset, 0xc8);
        assert_int_equal(caps[0].id, PCV_CAP_ID_PM);
        assert_int_equal(caps[1].offset, 0x40);
        assert_int_equal(caps[1].id, PCV_CAP_ID_MSI);
        assert_int_equal(caps[2].offset, 0xfc);
        assert_int_equal(caps[2].id, PCV_CAP_ID_VENDOR);
        assert_false(caps[2].extended);
        assert_int_equal(caps[2].version, 0);
        assert_int_equal(walk(&s, false, caps, COUNT(caps), NULL), 3);
    }
}

/* CAP-1 */
static void without_the_status_bit_there_is_no_list(void **state)
{
    struct space s;
    struct pcv_cap caps[4];
    uint32_t problems = 99;

    (void)state;
    begin(&s, 0, 0x40);
    cap(&s, 0x40, PCV_CAP_ID_PM, 0);
    put(&s, PCV_REG_STATUS, 2, 0xffffu & ~PCV_STATUS_CAPS);
    assert_int_equal(walk(&s, false, caps, COUNT(caps), &problems), 0);
    assert_int_equal(problems, 0);
    /* A device that does not answer has none either. */
    put(&s, PCV_REG_STATUS, 2, 0xffff);
    assert_int_equal(walk(&s, false, caps, COUNT(caps), &problems), 0);
    assert_int_equal(problems, 0);
}

/* What stands at the end of a list of two, and what is said of it. */
static const struct {
    uint8_t next;    /* of the second capability, at 0x50 */
    uint16_t header; /* at 0x60 */
    uint32_t problems;
    size_t count;
} ends[] = {
    {0x00, 0, 0, 2},
    {0x40, 0, PCV_CAP_LOOP, 2},
    {0x50, 0, PCV_CAP_LOOP, 2},
    {0x42, 0, PCV_CAP_LOOP | PCV_CAP_MISALIGNED, 2},
    {0x3c, 0, PCV_CAP_LOW, 2},
    {0x04, 0, PCV_CAP_LOW, 2},
    {0x3f, 0, PCV_CAP_LOW | PCV_CAP_MISALIGNED, 2},
    {0x01, 0, PCV_CAP_MISALIGNED, 2},
    {0x03, 0, PCV_CAP_MISALIGNED, 2},
    {0x61, 0x0009, PCV_CAP_MISALIGNED, 3},
    {0x60, 0xffff, PCV_CAP_ALL_ONES, 2},
    {0x60, 0xff09, PCV_CAP_MISALIGNED, 4}, /* leads to 0xfc, which is empty */
    {0x60, 0x0000, 0, 3},
};

/* CAP-1 */
static void a_damaged_list_ends_and_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct space s;
        struct pcv_cap caps[PCV_CAPS_MAX];
        uint32_t problems = 0;

        begin(&s, 0, 0x40);
        cap(&s, 0x40, PCV_CAP_ID_PM, 0x50);
        cap(&s, 0x50, PCV_CAP_ID_MSI, ends[i].next);
        put(&s, 0x60, 2, ends[i].header);
        assert_int_equal(walk(&s, false, caps, COUNT(caps), &problems),
                         ends[i].count);
        assert_int_equal(problems, ends[i].problems);
    }
}

/* CAP-1 */
static void every_place_can_hold_a_capability_and_no_more_are_read(void **state)
{
    struct space s;
    struct pcv_cap caps[PCV_CAPS_MAX];
    uint32_t problems;

    (void)state;
    begin(&s, 0, 0x40);
    for (uint32_t at = 0x40; at < 0x100; at += 4) {
        cap(&s, at, PCV_CAP_ID_VENDOR, (uint8_t)(at == 0xfc ? 0 : at + 4));
    }
    assert_int_equal(walk(&s, false, caps, COUNT(caps), &problems),
                     PCV_CAPS_MAX);
    assert_int_equal(problems, 0);
    assert_int_equal(s.reads, PCV_CAPS_MAX + 3);
    for (size_t max = 0; max < PCV_CAPS_MAX; max++) {
        memset(caps, 0, sizeof(caps));
        assert_int_equal(walk(&s, false, caps, max, &problems), max);
        assert_int_equal(problems, PCV_CAP_FULL);
        assert_int_equal(caps[max].offset, 0);
    }
}

/* ---- the extended list --------------------------------------------------- */

/* CAP-1 */
static void a_good_extended_list_is_told_with_versions(void **state)
{
    struct space s;
    struct pcv_cap caps[4];
    uint32_t problems;

    (void)state;
    memset(&s, 0, sizeof(s));
    ext(&s, 0x100, PCV_EXT_CAP_ID_AER, 2, 0xffc);
    ext(&s, 0xffc, 0xabcd, 0xf, 0x200);
    ext(&s, 0x200, PCV_EXT_CAP_ID_DSN, 1, 0);
    assert_int_equal(walk(&s, true, caps, COUNT(caps), &problems), 3);
    assert_int_equal(problems, 0);
    assert_int_equal(caps[0].version, 2);
    assert_int_equal(caps[1].offset, 0xffc);
    assert_int_equal(caps[1].id, 0xabcd);
    assert_int_equal(caps[1].version, 0xf);
    assert_true(caps[2].extended);
    assert_int_equal(caps[2].offset, 0x200);
}

/* CAP-1 */
static void a_damaged_extended_list_ends_and_says_why(void **state)
{
    static const struct {
        uint32_t next;   /* of the second, at 0x140 */
        uint32_t header; /* at 0x180 */
        uint32_t problems;
        size_t count;
    } rows[] = {
        {0x000, 0, 0, 2},
        {0x100, 0, PCV_CAP_LOOP, 2},
        {0x140, 0, PCV_CAP_LOOP, 2},
        {0x103, 0, PCV_CAP_LOOP | PCV_CAP_MISALIGNED, 2},
        {0x0fc, 0, PCV_CAP_LOW, 2},
        {0x040, 0, PCV_CAP_LOW, 2},
        {0x001, 0, PCV_CAP_MISALIGNED, 2},
        {0x0ff, 0, PCV_CAP_LOW | PCV_CAP_MISALIGNED, 2},
        {0x180, 0xffffffff, PCV_CAP_ALL_ONES, 2},
        {0x180, 0, 0, 2},
        {0x182, 0x00010003, PCV_CAP_MISALIGNED, 3},
        {0xfff, 0, PCV_CAP_MISALIGNED, 2},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct space s;
        struct pcv_cap caps[8];
        uint32_t problems = 0;

        memset(&s, 0, sizeof(s));
        ext(&s, 0x100, PCV_EXT_CAP_ID_AER, 1, 0x140);
        ext(&s, 0x140, PCV_EXT_CAP_ID_ACS, 1, rows[i].next);
        put(&s, 0x180, 4, rows[i].header);
        assert_int_equal(walk(&s, true, caps, COUNT(caps), &problems),
                         rows[i].count);
        assert_int_equal(problems, rows[i].problems);
    }
}

/* CAP-1 */
static void an_extended_space_full_of_capabilities_is_walked_once(void **state)
{
    static struct pcv_cap caps[PCV_EXT_CAPS_MAX];
    struct space s;
    uint32_t problems;

    (void)state;
    memset(&s, 0, sizeof(s));
    for (uint32_t at = 0x100; at < 0x1000; at += 4) {
        ext(&s, at, 1, 1, at == 0xffc ? 0x100 : at + 4);
    }
    assert_int_equal(walk(&s, true, caps, COUNT(caps), &problems),
                     PCV_EXT_CAPS_MAX);
    assert_int_equal(problems, PCV_CAP_LOOP);
    assert_int_equal(s.reads, PCV_EXT_CAPS_MAX);
    assert_int_equal(walk(&s, true, caps, 5, &problems), 5);
    assert_int_equal(problems, PCV_CAP_FULL);
}

/* ---- hostile ones -------------------------------------------------------- */

static uint64_t seed = 0x123456789abcdefull;

static uint32_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32);
}

static void check_caps(const struct pcv_cap *caps, size_t count, bool extended)
{
    bool seen[PCV_CFG_EXT_SIZE / 4] = {false};

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(caps[i].offset % 4, 0);
        assert_true(caps[i].offset >= (extended ? 0x100 : 0x40));
        assert_true(caps[i].offset < (extended ? 0x1000 : 0x100));
        assert_int_equal(caps[i].extended, extended);
        assert_false(seen[caps[i].offset / 4]);
        seen[caps[i].offset / 4] = true;
    }
}

/* Reads that answer something else each time. */
static uint32_t read_noise(void *ctx, uint16_t reg, uint8_t size)
{
    unsigned *reads = ctx;

    assert_true(reg % size == 0 && reg <= PCV_CFG_EXT_SIZE - size);
    (*reads)++;
    return draw() & (size == 4 ? ~0u : (1u << 8 * size) - 1u);
}

/* CAP-1 */
static void any_bytes_at_all_are_walked_in_a_bounded_number_of_reads(
    void **state)
{
    static struct pcv_cap caps[PCV_EXT_CAPS_MAX];
    uint32_t problems;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        unsigned reads = 0;
        const struct pcv_cap_source noise = {read_noise, &reads};
        struct space s;
        size_t count;

        for (size_t i = 0; i < sizeof(s.byte); i++) {
            s.byte[i] = (uint8_t)draw();
        }
        count = walk(&s, false, caps, PCV_CAPS_MAX, &problems);
        assert_true(count <= PCV_CAPS_MAX && s.reads <= PCV_CAPS_MAX + 3);
        check_caps(caps, count, false);
        count = walk(&s, true, caps, PCV_EXT_CAPS_MAX, &problems);
        assert_true(count <= PCV_EXT_CAPS_MAX && s.reads <= PCV_EXT_CAPS_MAX);
        check_caps(caps, count, true);
        count = pcv_caps_walk(&noise, caps, PCV_CAPS_MAX, &problems);
        assert_true(reads <= PCV_CAPS_MAX + 3);
        check_caps(caps, count, false);
        reads = 0;
        count = pcv_ext_caps_walk(&noise, caps, PCV_EXT_CAPS_MAX, &problems);
        assert_true(reads <= PCV_EXT_CAPS_MAX);
        check_caps(caps, count, true);
    }
}

/* CAP-1 */
static void a_device_with_a_damaged_list_is_added_and_reported(void **state)
{
    static const struct {
        enum pcv_test_bad_list kind;
        uint32_t problem;
    } rows[] = {
        {PCV_TEST_LIST_LOOP, PCV_CAP_LOOP},
        {PCV_TEST_LIST_LOW, PCV_CAP_LOW},
        {PCV_TEST_LIST_MISALIGNED, PCV_CAP_MISALIGNED},
        {PCV_TEST_LIST_ALL_ONES, PCV_CAP_ALL_ONES},
    };
    const pcv_sbdf sbdf = pcv_test_at(0, 0, 1, 0);

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        struct pcv_test_function f;
        struct pcv_device_info info;
        struct rig rig;

        rig_open(&rig);
        pcv_test_pcie_endpoint(&f, 0x8086, 0x10d3);
        if (i % 2 == 0) {
            (void)pcv_test_aer(&f);
            pcv_test_bad_list(&f, rows[i / 2].kind);
        } else {
            pcv_test_bad_ext_list(&f, rows[i / 2].kind);
        }
        pcv_test_add(rig.model, &f, sbdf);
        rig_create(&rig);
        assert_int_equal(pcv_device_add(rig.host, sbdf, NULL), 0);
        rig_info(&rig, sbdf, &info);
        if (i % 2 == 0 || info.extended) {
            assert_true((info.cap_problems & rows[i / 2].problem) != 0);
            assert_int_equal(rig_events(&rig, PCV_EVENT_CAP_LIST), 1);
        }
        rig_close(&rig);
    }
}

/* CAP-1 */
static void known_capabilities_have_names_and_others_none(void **state)
{
    (void)state;
    assert_string_equal(pcv_cap_name(PCV_CAP_ID_MSIX, false), "MSI-X");
    assert_string_equal(pcv_cap_name(PCV_EXT_CAP_ID_SRIOV, true), "SR-IOV");
    assert_null(pcv_cap_name(0xff, false));
    assert_null(pcv_cap_name(0xffff, true));
    assert_null(pcv_cap_name(PCV_EXT_CAP_ID_SRIOV + 0x100, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_list_is_told_in_its_own_order),
        cmocka_unit_test(without_the_status_bit_there_is_no_list),
        cmocka_unit_test(a_damaged_list_ends_and_says_why),
        cmocka_unit_test(
            every_place_can_hold_a_capability_and_no_more_are_read),
        cmocka_unit_test(a_good_extended_list_is_told_with_versions),
        cmocka_unit_test(a_damaged_extended_list_ends_and_says_why),
        cmocka_unit_test(an_extended_space_full_of_capabilities_is_walked_once),
        cmocka_unit_test(
            any_bytes_at_all_are_walked_in_a_bounded_number_of_reads),
        cmocka_unit_test(a_device_with_a_damaged_list_is_added_and_reported),
        cmocka_unit_test(known_capabilities_have_names_and_others_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

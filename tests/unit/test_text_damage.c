/* SPDX-License-Identifier: MIT */
/* A modelled host from lspci's text: what is wrong with a text, and where
 * (host/model/text*.c). */
#include "texts.h"

/* ---- damage -------------------------------------------------------------- */

struct damage {
    const char *from;
    const char *to;
    unsigned line;
    const char *part; /* of the message */
};

#define ZEROS15 "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
#define ROW30 "30: 00 " ZEROS15 "\n"
#define ROW20 "20: 00 " ZEROS15 "\n"

/* Each damage to the small text is reported with its line and with what was
 * expected there. */
static void expect_reports(const struct damage *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        static struct text text;

        make_small(&text);
        replace(&text, cases[i].from, cases[i].to);
        expect_error(&text, cases[i].line, cases[i].part);
    }
}

/* SIM-1 */
static void damaged_rows_are_reported(void **state)
{
    static const struct damage cases[] = {
        {ROW30, "", 7,
         "expected row 30: of 00:00.0 (row 20 was the last), found \"40: "},
        {ROW30, ROW30 ROW30, 8, "expected row 40: of 00:00.0"},
        {ROW20 ROW30, ROW30 ROW20, 6, "expected row 20: of 00:00.0"},
        {ROW30, "30: 00 " ZEROS15 " 00\n", 7, "found 17 of them"},
        {ROW30, "30: " ZEROS15 "\n", 7, "found 15 of them"},
        {ROW30, "30:\n", 7, "found 0 of them"},
        {ROW30, "30: 0g " ZEROS15 "\n", 7, "expected row 30: with 16 bytes"},
        {ROW30, "30: 000 " ZEROS15 "\n", 7, "with 16 bytes in hex"},
        {ROW30, "30: 0 " ZEROS15 "\n", 7, "with 16 bytes in hex"},
        {ROW30, "30: 00  " ZEROS15 "\n", 7, "with 16 bytes in hex"},
        {ROW30, "3: 00 " ZEROS15 "\n", 7, "with 16 bytes in hex"},
        {ROW30, "0030: 00 " ZEROS15 "\n", 7, "with 16 bytes in hex"},
        {ROW30, "1000: 00 " ZEROS15 "\n", 7, "with 16 bytes in hex"},
        {ROW30, "\n", 7, "expected row 30: of 00:00.0"},
        {ROW30, "\n" ROW30, 7, "found an empty line"},
        {ROW30, "\tLatency: 0\n", 7, "found \" Latency: 0\""},
        {"40: ", "\n40: ", 8, "found 64 bytes only: capture as root"},
        {"00:00.0 Host", "00: 00 " ZEROS15 "\n00:00.0 Host", 2,
         "expected lspci's text"},
    };

    (void)state;
    expect_reports(cases, sizeof(cases) / sizeof(cases[0]));
}

/* SIM-1 */
static void damaged_headers_are_reported(void **state)
{
    static const struct damage cases[] = {
        {"00:00.0 Host bridge: First\n", "", 2, "expected lspci's text"},
        {"00:02.0 Ethernet controller: Second\n", "", 21,
         "expected the next function"},
        {"00:02.0", "00:00.0", 21, "a function after 00:00.0 of line 2"},
        {"00:00.0", "00:03.0", 21, "a function after 00:03.0 of line 2"},
        {"00:02.0", "00:20.0", 21, "a device number from 00 to 1f"},
        {"00:02.0", "00:1f.8", 21, "a function number from 0 to 7"},
        {"00:02.0", "00:02.00", 21, "expected the next function"},
        {"00:02.0", "0:02.0", 21, "found \"0:02.0 Ethernet"},
        {"00:02.0", "000:00:02.0", 21, "found \"000:00:02.0"},
        {"00:02.0", "123456789:00:02.0", 21, "found \"123456789:"},
        {"00:02.0", "00-02.0", 21, "expected the next function"},
        {"00:02.0 Eth", "00:02.0Eth", 21, "expected the next function"},
        {"00:00.0 Host bridge: First\n",
         "00:00.0 Host bridge: First\n00:00.0 Host bridge: First\n", 3,
         "expected row 00: of 00:00.0, found no row"},
        {"# captured", "captured", 1, "expected lspci's text"},
        {"# captured", "\tcaptured", 1, "expected lspci's text"},
    };

    (void)state;
    expect_reports(cases, sizeof(cases) / sizeof(cases[0]));
}

/* SIM-1 */
static void damaged_indented_text_is_reported(void **state)
{
    static const struct damage cases[] = {
        {"[size=16K]", "[size=16Q]", 23, "expected \"Region N: Memory at\""},
        {"[size=16K]", "[size=K]", 23, "[size=..]"},
        {"[size=16K]", "[size=16K", 23, "[size=..]"},
        {"[size=16K]", "[size=18446744073709551616]", 23, "[size=..]"},
        {"[size=16K]", "[size=99999999999T]", 23, "[size=..]"},
        {"Region 0", "Region 6", 23, "N from 0 to 5"},
        {"Region 0", "Region ", 23, "N from 0 to 5"},
        {"Memory at fe000000", "Memory at nowhere", 23, "an address"},
        {"Memory at fe000000", "Memories", 23, "Memory at"},
        {"Memory at fe000000", "Memory at <", 23, "an address"},
        {"\tNUMA", "\tRegion 0: I/O ports at 1000\n\tNUMA", 24,
         "expected each region once"},
        {"\tNUMA", "\tExpansion ROM at x\n\tNUMA", 24, "an address"},
        {"node: 1", "node: x", 24, "expected \"NUMA node:\" and a number"},
        {"node: 1", "node: 99999999999", 24, "a number"},
        {"node: 1", "node: 1\n\tNUMA node: 1", 25, "expected one NUMA node"},
        {"\tNUMA", " NUMA", 24, "at least the indentation"},
    };

    (void)state;
    expect_reports(cases, sizeof(cases) / sizeof(cases[0]));
}

/* SIM-1 */
static void a_capture_without_root_says_that_root_is_needed(void **state)
{
    static struct text text;
    uint8_t config[4096];

    (void)state;
    make_conventional(config, 0x1234);
    text.len = 0;
    add_function(&text, "00:00.0 Host bridge: A\n", config, 64);
    expect_error(&text, 6, "found 64 bytes only: capture as root");
    text.len = 0;
    add_function(&text, "00:00.0 CardBus bridge: A\n", config, 128);
    expect_error(&text, 10, "found 128 bytes only: capture as root");
    text.len = 0;
    add_function(&text, "00:00.0 Host bridge: A\n", config, 0);
    expect_error(&text, 2, "capture with lspci -xxxx, as root");
    text.len = 0;
    add_function(&text, "00:00.0 Host bridge: A\n", config, 512);
    expect_error(&text, 34, "expected row 200: of 00:00.0 (row 1f0 was");
}

/* SIM-1 */
static void nothing_follows_the_last_row_of_4096_bytes(void **state)
{
    static struct text text;
    uint8_t config[4096];

    (void)state;
    make_express(config, 0x1234);
    text.len = 0;
    add(&text, "00:00.0 Host bridge: A\n");
    add_rows(&text, config, 4096);
    add(&text, "1000: 00 " ZEROS15 "\n");
    expect_error(&text, 258, "expected the end of 00:00.0, found \"1000: ");
}

/* SIM-1 */
static void a_region_that_a_bridge_cannot_have_is_an_error(void **state)
{
    static struct text text;
    uint8_t config[4096];

    (void)state;
    make_conventional(config, 0x1234);
    config[PCV_REG_HEADER_TYPE] = 1;
    text.len = 0;
    add_function(&text,
                 "00:01.0 PCI bridge: A\n\tControl: I/O+\n"
                 "\tRegion 2: Memory at fe000000 (32-bit) [size=4K]\n",
                 config, 256);
    expect_error(&text, 1, "expected Region 0 and 1 of the bridge 00:01.0");
}

/* SIM-1 */
static void what_is_no_text_at_all_is_refused_at_once(void **state)
{
    static struct text text;
    static char zeros[64];
    static char endless[10000];
    struct pcv_model_error error;

    (void)state;
    text.len = 0;
    expect_error(&text, 1, "found the end of the text");
    add(&text, "\n\n# nothing\n\n");
    expect_error(&text, 4, "found the end of the text");
    text.len = 0;
    add(&text, "\x7f"
               "ELF\x02\x01\n");
    expect_error(&text, 1, "found \"?ELF??\"");
    assert_null(load(zeros, sizeof(zeros), &error));
    assert_non_null(strstr(error.text, "zero byte"));
    memset(endless, 'a', sizeof(endless));
    assert_null(load(endless, sizeof(endless), &error));
    assert_non_null(strstr(error.text, "more than 8192 characters"));
}

/* SIM-1 */
static void pfs_that_claim_more_vfs_than_there_are_ids_are_an_error(
    void **state)
{
    static struct text text;
    uint8_t pf[4096];

    (void)state;
    text.len = 0;
    make_pf(pf, 40000, 1, 1);
    add_function(&text, "00:00.0 Ethernet controller: A\n", pf, 4096);
    add_function(&text, "01:00.0 Ethernet controller: B\n", pf, 4096);
    /* 01:00.0 is a VF of the first, and so no PF. */
    pcv_model_destroy(load_good(&text));
    put16(pf, 0x140 + PCV_SRIOV_STRIDE, 0);
    put16(pf, 0x140 + PCV_SRIOV_NUM_VFS, 1);
    text.len = 0;
    add_function(&text, "00:00.0 Ethernet controller: A\n", pf, 4096);
    make_pf(pf, 40000, 0x1000, 1);
    add_function(&text, "01:00.0 Ethernet controller: B\n", pf, 4096);
    add_function(&text, "02:00.0 Ethernet controller: C\n", pf, 4096);
    expect_error(&text, 517, "expected at most 65536 VFs in a domain");
}

/* ---- every small damage -------------------------------------------------- */

/* Functions of `model` that are there: each is one of `whole`, byte for byte.
 * Returns how many. */
static size_t expect_part(const struct pcv_model *model,
                          const struct pcv_model *whole)
{
    struct pcv_model_facts got;
    size_t count = 0;

    for (; pcv_model_facts_at(model, count, &got); count++) {
        struct pcv_model_facts want;

        assert_true(pcv_model_facts_of(whole, got.sbdf, &want));
        assert_int_equal(got.config_size, want.config_size);
        for (uint16_t i = 0; i < got.config_size; i += 4) {
            assert_int_equal(pcv_model_peek(model, got.sbdf, i, 4),
                             pcv_model_peek(whole, got.sbdf, i, 4));
        }
    }
    return count;
}

/* The next place to cut at: every one, but in the middle of 4096 bytes every
 * 11th, which meets each column of a row of 53 characters. */
static size_t next_cut(size_t len, size_t end)
{
    return len < 5000 || end - len < 3000 ? len + 1 : len + 11;
}

/* SIM-1 */
static void a_text_that_is_cut_anywhere_never_invents_a_function(void **state)
{
    static struct text text;
    struct pcv_model_error error;
    struct pcv_model *whole;
    size_t good = 0;

    (void)state;
    make_various(&text);
    whole = load_good(&text);
    for (size_t len = 0; len < text.len; len = next_cut(len, text.len)) {
        /* A copy of that size, so that a read beyond it is caught. */
        char *cut = malloc(len + 1);
        struct pcv_model *model;

        assert_non_null(cut);
        memmove(cut + 1, text.s, len);
        model = load(cut + 1, len, &error);
        if (model != NULL) {
            good++;
            (void)expect_part(model, whole);
            pcv_model_destroy(model);
        }
        free(cut);
    }
    /* Each of four functions may end with or without its last two line ends;
     * the text may not end within a line, nor a PCI Express one at 256. */
    assert_in_range(good, 4, 12);
    pcv_model_destroy(whole);
}

struct line {
    const char *s;
    size_t len; /* with its end */
};

static size_t split(const struct text *text, struct line *lines, size_t room)
{
    size_t count = 0;
    const char *s = text->s;

    while (*s != '\0') {
        assert_true(count < room);
        lines[count].s = s;
        lines[count].len = strcspn(s, "\n") + 1;
        s += lines[count++].len;
    }
    return count;
}

/* The lines again, with `first` and `second` in place of n and n + 1; either
 * may be NULL. */
static void join(struct text *out, const struct line *lines, size_t count,
                 size_t n, const struct line *const with[3])
{
    out->len = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == n) {
            for (size_t k = 0; k < 3; k++) {
                size_t len = with[k] == NULL ? 0 : with[k]->len;

                memcpy(out->s + out->len, len == 0 ? "" : with[k]->s, len);
                out->len += len;
            }
        } else if (i != n + 1) {
            memcpy(out->s + out->len, lines[i].s, lines[i].len);
            out->len += lines[i].len;
        }
    }
    out->s[out->len] = '\0';
}

/* SIM-1: with[] says what stands in place of two neighbouring lines. */
static void every_lost_doubled_or_swapped_line_is_an_error_or_harmless(
    void **state)
{
    static struct text text;
    static struct text other;
    static struct line lines[1024];
    struct pcv_model_error error;
    struct pcv_model *whole;
    size_t count;
    size_t total;

    (void)state;
    make_various(&text);
    whole = load_good(&text);
    total = pcv_model_count(whole);
    count = split(&text, lines, 1024);
    for (size_t n = 0; n + 1 < count; n++) {
        const struct line *a = &lines[n];
        const struct line *b = &lines[n + 1];
        const struct line *const with[3][3] = {
            {b, NULL, NULL}, {a, a, b}, {b, a, NULL}};

        for (size_t k = 0; k < 3; k++) {
            struct pcv_model *model;

            join(&other, lines, count, n, with[k]);
            model = load(other.s, other.len, &error);
            if (model != NULL) {
                assert_int_equal(expect_part(model, whole), total);
                pcv_model_destroy(model);
            }
            /* A row is never harmless, unless it is swapped for itself. */
            if (model != NULL && k < 2) {
                assert_false(a->len > 3 && a->s[2] == ':' && a->s[3] == ' ');
            }
        }
    }
    pcv_model_destroy(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_rows_are_reported),
        cmocka_unit_test(damaged_headers_are_reported),
        cmocka_unit_test(damaged_indented_text_is_reported),
        cmocka_unit_test(a_capture_without_root_says_that_root_is_needed),
        cmocka_unit_test(nothing_follows_the_last_row_of_4096_bytes),
        cmocka_unit_test(a_region_that_a_bridge_cannot_have_is_an_error),
        cmocka_unit_test(what_is_no_text_at_all_is_refused_at_once),
        cmocka_unit_test(
            pfs_that_claim_more_vfs_than_there_are_ids_are_an_error),
        cmocka_unit_test(a_text_that_is_cut_anywhere_never_invents_a_function),
        cmocka_unit_test(
            every_lost_doubled_or_swapped_line_is_an_error_or_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

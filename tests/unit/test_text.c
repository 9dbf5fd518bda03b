/* SPDX-License-Identifier: MIT */
/* A modelled host from lspci's text: what a good text says, and files
 * (host/model/text*.c). */
#define _POSIX_C_SOURCE 200809L /* mkstemp, fdopen */

#include "texts.h"

/* ---- what a good text says ----------------------------------------------- */

/* SIM-1 */
static void every_byte_of_every_function_is_taken_over(void **state)
{
    static struct text text;
    uint8_t first[4096];
    uint8_t second[4096];
    struct pcv_model *model;

    (void)state;
    text.len = 0;
    make_conventional(first, 0x1234);
    make_express(second, 0x4321);
    add_function(&text, "00:1f.2 SATA controller: One\n", first, 256);
    add_function(&text, "01:00.0 Ethernet controller: Two\n", second, 4096);
    model = load_good(&text);
    assert_int_equal(pcv_model_count(model), 2);
    expect_config(model, 0x00fa, first, 256);
    expect_config(model, 0x0100, second, 4096);
    assert_string_equal(facts_of(model, 0x00fa).name, "SATA controller: One");
    pcv_model_destroy(model);
}

/* SIM-1 */
static void windows_line_ends_and_a_missing_last_line_are_accepted(void **state)
{
    static struct text text;
    static struct text dos;
    struct pcv_model *model;

    (void)state;
    make_small(&text);
    dos.len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c[3] = {text.s[i], '\0', '\0'};

        add(&dos, c[0] == '\n' ? "\r\n" : c);
    }
    dos.len -= 4; /* the empty line and the last line's end */
    model = load_good(&dos);
    assert_int_equal(pcv_model_count(model), 2);
    assert_string_equal(facts_of(model, 0x0010).name,
                        "Ethernet controller: Second");
    assert_int_equal(facts_of(model, 0x0010).bar_size[0], 0x4000);
    pcv_model_destroy(model);
}

/* SIM-1 */
static void what_lspci_and_libpci_complain_about_is_skipped(void **state)
{
    static struct text text;

    (void)state;
    make_small(&text);
    replace(&text, "00:00.0",
            "lspci: Unable to load libkmod resources: error -2\n"
            "pcilib: sysfs_read_vpd: read failed: Input/output error\n"
            "00:00.0");
    pcv_model_destroy(load_good(&text));
}

/* SIM-1 */
static void a_domain_above_ffff_gets_a_segment_of_its_own(void **state)
{
    static struct text text;
    uint8_t config[4096];
    uint16_t segment = 0;
    struct pcv_model *model;

    (void)state;
    text.len = 0;
    make_conventional(config, 0x28c0);
    add_function(&text, "0000:00:00.0 Host bridge: One\n", config, 256);
    add_function(&text, "0001:00:00.0 Host bridge: Two\n", config, 256);
    add_function(&text, "10000:e0:06.0 PCI bridge: VMD\n", config, 256);
    model = load_good(&text);
    assert_true(pcv_model_segment_of(model, 0x10000, &segment));
    assert_int_equal(pcv_model_domain_of(model, segment), 0x10000);
    expect_config(model, (uint32_t)segment << 16 | 0xe030, config, 256);
    expect_config(model, 0x10000, config, 256);
    pcv_model_destroy(model);
}

struct size_case {
    const char *line;
    unsigned bar;
    uint32_t reg; /* what the BAR's register holds */
    uint64_t size;
};

/* The second function of the small text, with another line and register. */
static struct pcv_model *load_region(const char *line, unsigned bar,
                                     uint32_t reg)
{
    static struct text text;
    uint8_t config[4096];
    char head[240];

    make_conventional(config, 0x2222);
    put32(config, PCV_REG_BAR0, 0);
    put32(config, bar == 6 ? PCV_REG_ROM0 : PCV_REG_BAR0 + 4 * bar, reg);
    (void)snprintf(head, sizeof(head),
                   "00:02.0 Ethernet controller: A\n" CONTROL "\t%s\n", line);
    text.len = 0;
    add_function(&text, head, config, 256);
    return load_good(&text);
}

/* SIM-1 */
static void sizes_are_read_in_every_form_that_lspci_has(void **state)
{
    static const struct size_case cases[] = {
        {"Region 0: Memory at fe000000 (32-bit, non-prefetchable) [size=32]", 0,
         0xfe000000, 32},
        {"Region 0: Memory at fe000000 (32-bit, non-prefetchable) [size=16K]",
         0, 0xfe000000, 16 << 10},
        {"Region 0: Memory at fe000000 (32-bit, non-prefetchable) [size=2M]", 0,
         0xfe000000, 2 << 20},
        {"Region 4: Memory at 4000000000 (64-bit, prefetchable) [size=8G]", 4,
         0x0000000c, (uint64_t)8 << 30},
        {"Region 4: Memory at <unassigned> (64-bit, prefetchable) [size=1T]", 4,
         0x0000000c, (uint64_t)1 << 40},
        {"Region 2: I/O ports at 6000 [disabled] [size=256]", 2, 0x6001, 256},
        {"Region 2: I/O ports at <ignored> [disabled] [size=4]", 2, 1, 4},
        {"Region 1: [virtual] Memory at fe000000 (32-bit, non-prefetchable) "
         "[size=4K]",
         1, 0, 4096},
        {"Region 1: Memory at fe000000 (64-bit, non-prefetchable) [virtual] "
         "[size=4K]",
         1, 4, 4096},
        {"Expansion ROM at fe100000 [disabled] [size=128K]", 6, 0xfe100000,
         128 << 10},
        {"[virtual] Expansion ROM at fe100000 [disabled] [size=64K]", 6, 0,
         64 << 10},
        {"Expansion ROM at <unassigned> [disabled] [size=2K]", 6, 0, 2048},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pcv_model *model =
            load_region(cases[i].line, cases[i].bar, cases[i].reg);
        struct pcv_model_facts facts = facts_of(model, 0x0010);

        if (facts.bar_size[cases[i].bar] != cases[i].size ||
            facts.bar_guessed[cases[i].bar]) {
            fail_msg("%s", cases[i].line);
        }
        pcv_model_destroy(model);
    }
}

/* SIM-1 */
static void what_is_no_size_of_a_bar_is_left_to_guess(void **state)
{
    static const struct size_case cases[] = {
        {"Region 0: Memory at fe000000 (32-bit, non-prefetchable)", 0,
         0xfe000000, 0},
        {"Region 0: Memory at fe000000 (32-bit) [size=3K]", 0, 0xfe000000, 0},
        {"Region 0: Memory at fe000000 (32-bit) [size=8]", 0, 0xfe000000, 0},
        {"Region 0: Memory at fe000000 (32-bit) [enhanced] [size=16K]", 0,
         0xfe000000, 0},
        {"Region 0: [enhanced] Memory at fe000000 (32-bit) [size=16K]", 0,
         0xfe000000, 0},
        {"Expansion ROM at 000c0000 [virtual] [disabled] [size=128K]", 6,
         0xfe100000, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pcv_model *model =
            load_region(cases[i].line, cases[i].bar, cases[i].reg);

        if (!facts_of(model, 0x0010).bar_guessed[cases[i].bar]) {
            fail_msg("%s", cases[i].line);
        }
        pcv_model_destroy(model);
    }
}

/* SIM-1: a VGA ROM's shadow in memory does not make a ROM BAR. */
static void a_shadow_of_a_rom_is_no_rom(void **state)
{
    struct pcv_model *model = load_region(
        "Expansion ROM at 000c0000 [virtual] [disabled] [size=128K]", 6, 0);

    (void)state;
    assert_int_equal(facts_of(model, 0x0010).bar_size[6], 0);
    pcv_model_destroy(model);
}

struct node_case {
    const char *line;
    int node; /* what the host operation answers */
};

/* SIM-1 TOPO-9 */
static void the_numa_node_is_read_from_both_forms(void **state)
{
    static const struct node_case cases[] = {
        {"NUMA node: 3", 3},
        {"Flags: fast devsel, IRQ 16, NUMA node 2, IOMMU group 5", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pcv_model *model = load_region(cases[i].line, 6, 0);
        pcv_sbdf sbdf = {0x0010};
        uint32_t node = UINT32_MAX;

        assert_int_equal(pcv_model_ops()->node(model, sbdf, &node), 0);
        assert_int_equal(node, cases[i].node);
        pcv_model_destroy(model);
    }
}

/* SIM-1: lspci -v has no numbers, but the order and the addresses. */
static void regions_without_numbers_find_their_registers(void **state)
{
    static struct text text;
    uint8_t config[4096];
    struct pcv_model *model;
    struct pcv_model_facts facts;

    (void)state;
    text.len = 0;
    make_conventional(config, 0x1533);
    put32(config, 0x10, 0);
    put32(config, 0x14, 0x0000e001);
    put32(config, 0x18, 0x0000000c);
    put32(config, 0x1c, 0xfd000000); /* upper half: no BAR at fd000000 */
    put32(config, 0x20, 0xfd000000);
    add_function(&text,
                 "00:03.0 Ethernet controller: A\n"
                 "\tFlags: bus master, fast devsel, latency 0, IRQ 16\n"
                 "\t[virtual] Memory at 000001f0 (32-bit, non-prefetchable) "
                 "[size=8]\n" /* of no register */
                 "\tI/O ports at 0170 [virtual] [size=8]\n"
                 "\tI/O ports at e000 [size=32]\n"
                 "\tMemory at fd00000000000000 (64-bit) [size=8M]\n"
                 "\tMemory at fd000000 (32-bit, non-prefetchable) [size=4K]\n"
                 "\tCapabilities: [40] Power Management version 3\n",
                 config, 256);
    model = load_good(&text);
    facts = facts_of(model, 0x0018);
    assert_int_equal(facts.bar_size[0], 0);
    assert_int_equal(facts.bar_size[1], 32);
    assert_int_equal(facts.bar_size[2], 8 << 20);
    assert_int_equal(facts.bar_size[3], 0);
    assert_int_equal(facts.bar_size[4], 4096);
    assert_false(facts.bar_guessed[1] || facts.bar_guessed[2] ||
                 facts.bar_guessed[4]);
    pcv_model_destroy(model);
}

/* SIM-1: the regions of an SR-IOV capability are those of the VFs. */
static void regions_of_a_deeper_level_are_not_the_functions_own(void **state)
{
    static const char *const indents[] = {"\t", "        ", "  "};
    char head[400];
    uint8_t config[4096];

    (void)state;
    make_pf(config, 1, 0x80, 2);
    for (size_t i = 0; i < sizeof(indents) / sizeof(indents[0]); i++) {
        static struct text text;
        struct pcv_model *model;
        const char *in = indents[i];

        text.len = 0;
        (void)snprintf(head, sizeof(head),
                       "01:00.0 Ethernet controller: PF\n"
                       "%sControl: I/O- Mem+\n"
                       "%sRegion 0: Memory at fe000000 (32-bit, "
                       "non-prefetchable) [size=16K]\n"
                       "%sCapabilities: [140 v1] SR-IOV\n"
                       "%s%sRegion 0: Memory at 00000000fd000000 (64-bit)\n"
                       "%s%sRegion 9: nonsense\n",
                       in, in, in, in, in, in, in);
        add_function(&text, head, config, 4096);
        model = load_good(&text);
        assert_int_equal(facts_of(model, 0x0100).bar_size[0], 16 << 10);
        pcv_model_destroy(model);
    }
}

/* SIM-1 */
static void vfs_are_told_from_other_functions_by_their_pf(void **state)
{
    static struct text text;
    uint8_t pf[4096];
    uint8_t other[4096];
    struct pcv_model *model;

    (void)state;
    text.len = 0;
    make_pf(pf, 3, 0x10, 2); /* 01:02.0, 01:02.2 and 01:02.4 */
    make_express(other, 0x10ed);
    add_function(&text, "01:00.0 Ethernet controller: PF\n", pf, 4096);
    add_function(&text, "01:02.0 Ethernet controller: VF\n", other, 4096);
    add_function(&text, "01:02.1 Ethernet controller: no VF\n", other, 256);
    add_function(&text, "01:02.4 Ethernet controller: VF\n", other, 4096);
    add_function(&text, "01:02.6 Ethernet controller: no VF\n", other, 256);
    model = load_good(&text);
    assert_false(facts_of(model, 0x0100).vf);
    assert_true(facts_of(model, 0x0110).vf);
    assert_int_equal(facts_of(model, 0x0110).physfn.v, 0x0100);
    assert_false(facts_of(model, 0x0111).vf);
    assert_true(facts_of(model, 0x0114).vf);
    assert_false(facts_of(model, 0x0116).vf);
    pcv_model_destroy(model);
}

/* SIM-1 */
static void nonsense_in_an_sriov_capability_makes_no_vf(void **state)
{
    static const struct {
        unsigned vfs, offset, stride;
    } cases[] = {{0, 1, 1}, {2, 0, 1}, {2, 1, 0}, {2, 0xff00, 0x1000}};
    uint8_t pf[4096];
    uint8_t other[4096];

    (void)state;
    make_express(other, 0x10ed);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct text text;
        struct pcv_model *model;

        text.len = 0;
        make_pf(pf, cases[i].vfs, cases[i].offset, cases[i].stride);
        add_function(&text, "01:00.0 Ethernet controller: PF\n", pf, 4096);
        add_function(&text, "01:00.1 Ethernet controller: A\n", other, 4096);
        model = load_good(&text);
        assert_false(facts_of(model, 0x0101).vf);
        pcv_model_destroy(model);
    }
}

/* ---- files --------------------------------------------------------------- */

static int load_path(const char *path, struct pcv_model_error *error,
                     size_t *out_count)
{
    struct pcv_model *model = pcv_model_create(1);
    int rc;

    assert_non_null(model);
    memset(error, 0, sizeof(*error));
    rc = pcv_model_load_file(model, path, error);
    *out_count = pcv_model_count(model);
    pcv_model_destroy(model);
    return rc;
}

/* SIM-1 */
static void a_file_is_read_as_its_text_is(void **state)
{
    static struct text text;
    char path[] = "/tmp/pcivisor-test-XXXXXX";
    int fd = mkstemp(path);
    struct pcv_model_error error;
    FILE *file;
    size_t count;

    (void)state;
    assert_true(fd >= 0);
    make_various(&text);
    file = fdopen(fd, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.s, 1, text.len, file), text.len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(load_path(path, &error, &count), 0);
    assert_int_equal(count, 4);
    assert_int_equal(remove(path), 0);
    assert_int_equal(load_path(path, &error, &count), -PCV_ENOENT);
    assert_non_null(strstr(error.text, path));
}

/* SIM-1 */
static void what_cannot_be_read_as_a_file_is_an_error(void **state)
{
    struct pcv_model_error error;
    size_t count;

    (void)state;
    assert_int_equal(load_path("/", &error, &count), -PCV_EIO);
    assert_string_not_equal(error.text, "");
    assert_int_equal(load_path("/dev/zero", &error, &count), -PCV_EINVAL);
    assert_int_equal(error.line, 1);
    assert_int_equal(load_path("/dev/null", &error, &count), -PCV_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_of_every_function_is_taken_over),
        cmocka_unit_test(
            windows_line_ends_and_a_missing_last_line_are_accepted),
        cmocka_unit_test(what_lspci_and_libpci_complain_about_is_skipped),
        cmocka_unit_test(a_domain_above_ffff_gets_a_segment_of_its_own),
        cmocka_unit_test(sizes_are_read_in_every_form_that_lspci_has),
        cmocka_unit_test(what_is_no_size_of_a_bar_is_left_to_guess),
        cmocka_unit_test(a_shadow_of_a_rom_is_no_rom),
        cmocka_unit_test(the_numa_node_is_read_from_both_forms),
        cmocka_unit_test(regions_without_numbers_find_their_registers),
        cmocka_unit_test(regions_of_a_deeper_level_are_not_the_functions_own),
        cmocka_unit_test(vfs_are_told_from_other_functions_by_their_pf),
        cmocka_unit_test(nonsense_in_an_sriov_capability_makes_no_vf),
        cmocka_unit_test(a_file_is_read_as_its_text_is),
        cmocka_unit_test(what_cannot_be_read_as_a_file_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Machines that are made up (host/model/generate*.c). */
#include "sound.h"

/* ---- tests --------------------------------------------------------------- */

/* SIM-1 */
static void every_shape_is_a_sound_machine_of_the_size_asked_for(void **state)
{
    static const struct {
        const char *spec;
        size_t functions;
        unsigned segments;
    } cases[] = {
        {"", 64, 1},
        {"functions=1", 1, 1},
        {"functions=2", 2, 1},
        {"functions=256,buses=1,bridges=0", 256, 1},
        {"functions=255,buses=1,bridges=0,multi=8", 255, 1},
        {"functions=600,buses=3,bridges=0", 600, 1},
        {"functions=9,bridges=8", 9, 1},
        {"functions=272,buses=3,bridges=2,multi=8", 272, 1},
        {"functions=65288,bridges=1", 65288, 1},
        {"functions=3000,bridges=255", 3000, 1},
        {"functions=300,bridges=250,buses=256", 300, 1},
        {"functions=900,bridges=254,pci=127", 900, 1},
        {"functions=900,bridges=255,switches=85", 900, 1},
        {"functions=900,bridges=33,switches=1,multi=1,buses=64", 900, 1},
        {"functions=200,bridges=9,switches=1,pci=3", 200, 1},
        {"functions=100,vfs=8", 100, 1},
        {"functions=1000,vfs=248,bridges=20", 1000, 1},
        {"functions=20,vfs=8,bridges=1", 20, 1},
        {"segments=3,functions=500,vfs=16,bridges=40,buses=44,seed=9", 1500, 3},
        {"functions=500,extended=0", 500, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pcv_model *model = make(cases[i].spec);
        size_t count = expect_sound(model, cases[i].segments);

        if (count != cases[i].functions) {
            fail_msg("%s: %zu functions", cases[i].spec, count);
        }
        pcv_model_destroy(model);
    }
}

/* SIM-1 */
static void every_seed_makes_a_sound_machine(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 40; seed++) {
        char spec[80];
        struct pcv_model *model;

        (void)snprintf(spec, sizeof(spec),
                       "functions=%u,bridges=%u,vfs=%u,seed=%u",
                       200 + 17 * seed, 3 + seed, seed % 5, seed);
        model = make(spec);
        assert_int_equal(expect_sound(model, 1), 200 + 17 * seed);
        pcv_model_destroy(model);
    }
}

/* SIM-1: every routing ID of a segment. */
static void a_segment_can_be_full(void **state)
{
    struct pcv_model *model = make("functions=65536");

    (void)state;
    assert_int_equal(expect_sound(model, 1), 65536);
    pcv_model_destroy(model);
}

static uint64_t digest(const struct pcv_model *model)
{
    struct pcv_model_facts facts;
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; pcv_model_facts_at(model, i, &facts); i++) {
        hash = (hash ^ facts.sbdf.v) * 1099511628211u;
        for (unsigned reg = 0; reg < facts.config_size; reg += 4) {
            hash ^= get(model, facts.sbdf, reg, 4);
            hash *= 1099511628211u;
        }
        for (unsigned bar = 0; bar < PCV_MODEL_BARS; bar++) {
            hash = (hash ^ facts.bar_size[bar]) * 1099511628211u;
        }
    }
    return hash;
}

static uint64_t digest_of(const char *spec)
{
    struct pcv_model *model = make(spec);
    uint64_t hash = digest(model);

    pcv_model_destroy(model);
    return hash;
}

/* SIM-3 */
static void the_same_seed_makes_the_same_machine(void **state)
{
    (void)state;
    assert_true(digest_of("functions=500,vfs=4,seed=5") ==
                digest_of("seed=5,vfs=4,functions=500"));
    assert_true(digest_of("functions=500,vfs=4,seed=5") !=
                digest_of("functions=500,vfs=4,seed=6"));
    assert_true(digest_of("") == digest_of("seed=1"));
}

/* SIM-1: there is something of everything. */
static void a_machine_has_functions_of_many_kinds(void **state)
{
    struct pcv_model *model = make("functions=400,vfs=4,bridges=24");
    struct pcv_model_facts facts;
    unsigned types[17] = {0};
    unsigned caps[3] = {0};
    unsigned ext[5] = {0};
    unsigned io = 0, rom = 0, narrow = 0, wide = 0;

    (void)state;
    for (size_t i = 0; pcv_model_facts_at(model, i, &facts); i++) {
        bool express = facts.config_size == PCV_CFG_EXT_SIZE;
        uint32_t bar = get(model, facts.sbdf, PCV_REG_BAR0, 4);

        types[port_type(model, facts.sbdf)]++;
        caps[0] += cap(model, facts.sbdf, PCV_CAP_ID_PM) != 0;
        caps[1] += cap(model, facts.sbdf, PCV_CAP_ID_MSI) != 0;
        caps[2] += cap(model, facts.sbdf, PCV_CAP_ID_MSIX) != 0;
        ext[0] +=
            express && ext_cap(model, facts.sbdf, PCV_EXT_CAP_ID_AER) != 0;
        ext[1] +=
            express && ext_cap(model, facts.sbdf, PCV_EXT_CAP_ID_DSN) != 0;
        ext[2] +=
            express && ext_cap(model, facts.sbdf, PCV_EXT_CAP_ID_ARI) != 0;
        ext[3] +=
            express && ext_cap(model, facts.sbdf, PCV_EXT_CAP_ID_SRIOV) != 0;
        ext[4] +=
            express && ext_cap(model, facts.sbdf, PCV_EXT_CAP_ID_ACS) != 0;
        io += (bar & 1u) != 0;
        narrow += bar != 0 && (bar & 7u) == 0;
        wide += (bar & 7u) == PCV_BAR_TYPE_64;
        rom += facts.bar_size[6] != 0;
    }
    assert_true(types[PCV_PCIE_TYPE_ENDPOINT] != 0);
    assert_true(types[PCV_PCIE_TYPE_ROOT_PORT] != 0);
    assert_true(types[PCV_PCIE_TYPE_UPSTREAM] != 0);
    assert_true(types[PCV_PCIE_TYPE_DOWNSTREAM] != 0);
    assert_true(types[PCV_PCIE_TYPE_TO_PCI] != 0);
    assert_true(types[PCV_PCIE_TYPE_RC_ENDPOINT] != 0);
    assert_true(types[16] > 1); /* the host bridge and others */
    for (size_t i = 0; i < 3; i++) {
        assert_true(caps[i] != 0);
    }
    for (size_t i = 0; i < 5; i++) {
        assert_true(ext[i] != 0);
    }
    assert_true(io != 0 && rom != 0 && narrow != 0 && wide != 0);
    pcv_model_destroy(model);
}

/* An MSI-X table and its pending bits are in a memory BAR, apart. */
static void expect_msix(const struct pcv_model *model,
                        const struct pcv_model_facts *facts, unsigned at)
{
    uint32_t entries = (get(model, facts->sbdf, at + 2, 2) & 0x7ffu) + 1;
    uint32_t table = get(model, facts->sbdf, at + 4, 4);
    uint32_t pending = get(model, facts->sbdf, at + 8, 4);
    uint64_t size = facts->bar_size[table & 7u];
    unsigned reg = PCV_REG_BAR0 + 4 * (table & 7u);

    assert_int_equal(table & 7u, pending & 7u);
    assert_true((get(model, facts->sbdf, reg, 4) & PCV_BAR_SPACE_IO) == 0);
    assert_true((table & ~7u) + 16 * entries <= (pending & ~7u));
    assert_true((pending & ~7u) + (entries + 63) / 64 * 8 <= size);
}

/* SIM-1 */
static void msix_tables_are_within_their_bars(void **state)
{
    struct pcv_model *model = make("functions=1200,vfs=8,bridges=40");
    struct pcv_model_facts facts;
    unsigned seen = 0;

    (void)state;
    for (size_t i = 0; pcv_model_facts_at(model, i, &facts); i++) {
        unsigned at = cap(model, facts.sbdf, PCV_CAP_ID_MSIX);

        if (at != 0) {
            expect_msix(model, &facts, at);
            seen++;
        }
    }
    assert_true(seen > 50);
    pcv_model_destroy(model);
}

/* SIM-1: the next functions of an ARI device lead to all of it, once. */
static void ari_leads_through_the_device_of_a_pf(void **state)
{
    struct pcv_model *model =
        make("functions=200,vfs=4,bridges=6,buses=7,multi=8,seed=3");
    struct pcv_model_facts facts;
    unsigned devices = 0;

    (void)state;
    for (size_t i = 0; pcv_model_facts_at(model, i, &facts); i++) {
        pcv_sbdf at = facts.sbdf;
        unsigned reached = 1;
        unsigned there = 0;

        if (facts.config_size != PCV_CFG_EXT_SIZE ||
            ext_cap(model, at, PCV_EXT_CAP_ID_SRIOV) == 0) {
            continue;
        }
        assert_int_equal(pcv_sbdf_devfn(at), 0);
        for (;;) {
            unsigned reg = ext_cap(model, at, PCV_EXT_CAP_ID_ARI);
            unsigned next = get(model, at, reg + PCV_ARI_CAP, 2) >> 8;

            assert_int_not_equal(reg, 0);
            if (next == 0) {
                break;
            }
            assert_true(next > pcv_sbdf_devfn(at));
            at.v = facts.sbdf.v | next;
            reached++;
        }
        for (unsigned f = 0; f < PCV_FUNCTIONS; f++) {
            pcv_sbdf sbdf = {facts.sbdf.v | f};

            there +=
                pcv_model_facts_of(model, sbdf, &(struct pcv_model_facts){0});
        }
        assert_int_equal(reached, there);
        devices++;
    }
    assert_int_not_equal(devices, 0);
    pcv_model_destroy(model);
}

struct refusal {
    const char *spec;
    const char *part; /* of the message */
};

/* SIM-1 */
static void what_cannot_be_made_is_refused_with_what_could_be(void **state)
{
    static const struct refusal cases[] = {
        {"colour=3", "one of the keys segments, functions, buses"},
        {"functions", "expected KEY=NUMBER"},
        {"=3", "expected KEY=NUMBER"},
        {"functions=8,", "found \"\""},
        {"functions=8,,seed=1", "found \"\""},
        {"functions=", "functions=NUMBER from 1 to 65536"},
        {"functions=0", "functions=NUMBER from 1 to 65536"},
        {"functions=65537", "functions=NUMBER from 1 to 65536"},
        {"functions=-1", "functions=NUMBER from 1 to 65536"},
        {"functions=99999999999999999999", "from 1 to 65536"},
        {"functions=0x10", "functions=NUMBER"},
        {"segments=0", "segments=NUMBER from 1 to 256"},
        {"buses=257", "buses=NUMBER from 1 to 256"},
        {"multi=9", "multi=NUMBER from 1 to 8"},
        {"vfs=249", "vfs=NUMBER from 0 to 248"},
        {"extended=101", "extended=NUMBER from 0 to 100"},
        {"seed=18446744073709551616", "expected seed=NUMBER"},
        {"seed=x", "expected seed=NUMBER"},
        {"functions=8,functions=8", "each key once"},
        {"segments=256,functions=65536", "at most 1048576 functions in all"},
        {"buses=4,bridges=4", "at least 5"},
        {"functions=8,bridges=8", "at least 9"},
        {"buses=256", "at least 256"},
        {"switches=3,bridges=8", "at least bridges=9"},
        {"pci=2,switches=2,bridges=9", "at least bridges=10"},
        {"switches=85,pci=127", "at most 255"},
        {"vfs=8,bridges=0", "more than bridges=0"},
        {"vfs=8,bridges=2,pci=1", "more than bridges=2"},
        {"vfs=100", "at least functions=103"},
        {"functions=65536,bridges=1", "at most 65288"},
        {"functions=65536,multi=7", "at most 57344"},
        {"functions=1000,buses=2,bridges=0", "at most 512"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pcv_model *model = pcv_model_create(1);
        struct pcv_model_error error = {7, ""};
        int rc = pcv_model_generate(model, cases[i].spec, &error);

        if (rc != -PCV_EINVAL || error.line != 0 ||
            strstr(error.text, cases[i].part) == NULL) {
            fail_msg("%s: %d, %s", cases[i].spec, rc, error.text);
        }
        assert_int_equal(pcv_model_count(model), 0);
        pcv_model_destroy(model);
    }
}

/* What the refusals name as the limit is possible. */
/* SIM-1 */
static void the_limit_that_a_refusal_names_can_be_made(void **state)
{
    static const char *const specs[] = {
        "functions=65288,bridges=1",       "functions=57344,multi=7",
        "functions=512,buses=2,bridges=0", "buses=5,bridges=4",
        "functions=9,bridges=8",           "switches=3,bridges=9",
        "vfs=100,functions=103",           "pci=2,switches=2,bridges=10",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        pcv_model_destroy(make(specs[i]));
    }
}

/* SIM-1 */
static void the_help_names_every_key(void **state)
{
    static const char *const keys[] = {
        "segments=", "functions=", "buses=", "bridges=",  "switches=",
        "pci=",      "multi=",     "vfs=",   "extended=", "seed=",
    };
    const char *help = pcv_model_generate_help();

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        assert_non_null(strstr(help, keys[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_is_a_sound_machine_of_the_size_asked_for),
        cmocka_unit_test(every_seed_makes_a_sound_machine),
        cmocka_unit_test(a_segment_can_be_full),
        cmocka_unit_test(the_same_seed_makes_the_same_machine),
        cmocka_unit_test(a_machine_has_functions_of_many_kinds),
        cmocka_unit_test(msix_tables_are_within_their_bars),
        cmocka_unit_test(ari_leads_through_the_device_of_a_pf),
        cmocka_unit_test(what_cannot_be_made_is_refused_with_what_could_be),
        cmocka_unit_test(the_limit_that_a_refusal_names_can_be_made),
        cmocka_unit_test(the_help_names_every_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

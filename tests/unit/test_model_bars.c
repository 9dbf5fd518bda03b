/* SPDX-License-Identifier: MIT */
/*
 * The modelled host's BARs: how they answer sizing, and which size they have
 * where nobody states it (host/model/bar.c, sizes.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"

#define AT PCV_TEST_ALONE
#define READ(model, reg, size) pcv_test_read(model, AT, (uint16_t)(reg), size)
#define WRITE(model, reg, size, value)                                         \
    pcv_test_write(model, AT, (uint16_t)(reg), size, value)

static struct pcv_model_facts facts_of(const struct pcv_model *model)
{
    struct pcv_model_facts facts;

    assert_true(pcv_model_facts_of(model, AT, &facts));
    return facts;
}

/* Write all ones, look, and put the old value back. */
static uint32_t sized(struct pcv_model *model, uint32_t reg)
{
    uint32_t old = READ(model, reg, 4);
    uint32_t value;

    WRITE(model, reg, 4, 0xffffffff);
    value = READ(model, reg, 4);
    WRITE(model, reg, 4, old);
    assert_int_equal(READ(model, reg, 4), old);
    return value;
}

/* ---- BAR sizing -----------------------------------------------------------
 */

/* SIM-2 */
static void bars_answer_sizing_by_their_kind(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    pcv_test_bar32(&f, 0, 0xfe000000 | PCV_BAR_PREFETCH, 0x20000);
    pcv_test_bar_io(&f, 1, 0xc000, 32);
    pcv_test_bar64(&f, 2, UINT64_C(0x4400000000), UINT64_C(0x200000000));
    pcv_test_set(&f, PCV_REG_BAR0 + 20, 4, 0xfd000004); /* 64-bit, no room */
    f.fn.bar_size[5] = 0x1000;
    pcv_test_rom(&f, 0xfc000000, 0x40000);
    model = pcv_test_alone(&f);
    assert_int_equal(sized(model, 0x10), 0xfffe0008);
    assert_int_equal(sized(model, 0x14), 0xffffffe1);
    assert_int_equal(sized(model, 0x18), 0x00000004);
    assert_int_equal(sized(model, 0x1c), 0xfffffffe);
    assert_int_equal(sized(model, 0x20), 0);
    assert_int_equal(sized(model, 0x24), 0xfffff004);
    assert_int_equal(pcv_model_writable(model, AT, 0x28), 0);
    assert_int_equal(sized(model, 0x30), 0xfffc0001);
    assert_true(facts_of(model).bar_size[2] == UINT64_C(0x200000000));
    assert_false(facts_of(model).bar_guessed[2]);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_bridge_has_two_bars_and_its_rom_elsewhere(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;

    (void)state;
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_bar64(&f, 0, 0xfe000000, 0x1000);
    pcv_test_rom(&f, 0xfd000000, 0x1000);
    model = pcv_test_alone(&f);
    assert_int_equal(sized(model, 0x10), 0xfffff004);
    assert_int_equal(sized(model, 0x14), 0xffffffff);
    assert_int_equal(sized(model, 0x38), 0xfffff001);
    assert_int_equal(pcv_model_writable(model, AT, 0x18), 0x00ffffff);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_size_that_is_no_power_of_two_answers_with_nonsense(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;

    (void)state;
    pcv_test_endpoint(&f, 0x8086, 1);
    pcv_test_bar32(&f, 0, 0xfe000000, 0x3000);
    model = pcv_test_alone(&f);
    assert_int_equal(sized(model, 0x10), 0xffffd000);
    pcv_model_destroy(model);
}

struct guess {
    bool pcie;
    uint32_t value; /* of BAR 0 */
    uint64_t stated;
    uint64_t size;
    bool guessed;
};

/* SIM-1 */
static void a_size_that_is_not_stated_is_guessed_and_marked(void **state)
{
    static const struct guess rows[] = {
        {true, 0xfe000000, 0, 128, true},
        {false, 0xfe000000, 0, 16, true},
        {true, 0xfe000040, 0, 64, true}, /* no more than it is aligned to */
        {false, 0x0000c001, 0, 4, true},
        {true, 0x00000000, 0, 0, false},
        {true, 0x00000000, 0x1000, 0x1000, false},
        {true, 0x00000008, 0, 128, true},         /* a type, no address */
        {true, 0xfe001000, 0x10000, 128, true},   /* cannot be: not aligned */
        {true, 0x00000008, 1ull << 32, 128, true} /* nor 4 GiB in 32 bits */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_test_function f;
        struct pcv_model *model;

        if (rows[i].pcie) {
            pcv_test_pcie_endpoint(&f, 0x8086, 1);
        } else {
            pcv_test_endpoint(&f, 0x8086, 1);
        }
        pcv_test_set(&f, PCV_REG_BAR0, 4, rows[i].value);
        f.fn.bar_size[0] = rows[i].stated;
        model = pcv_test_alone(&f);
        assert_true(facts_of(model).bar_size[0] == rows[i].size);
        assert_int_equal(facts_of(model).bar_guessed[0], rows[i].guessed);
        pcv_model_destroy(model);
    }
}

/* SIM-1 */
static void a_guess_has_room_for_the_msix_table_and_pending_bits(void **state)
{
    static const struct {
        uint32_t address, table, pending; /* 65 vectors: 410h and 10h bytes */
        uint64_t size;
    } rows[] = {
        {0xfe000000, 0x2000, 0x3000, 0x4000},
        {0xfe000000, 0x3c00, 0x2000, 0x8000}, /* the table just does not fit */
        {0xfe000000, 0x0000, 0x1ff8, 0x4000}, /* nor do the pending bits */
        {0xfe001000, 0x2000, 0x3000, 0x1000}, /* no more than it is aligned */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcv_test_function f;
        struct pcv_model *model;

        pcv_test_pcie_endpoint(&f, 0x8086, 1);
        pcv_test_bar32(&f, 0, rows[i].address, 0);
        pcv_test_bar32(&f, 1, 0xfd002000, 0);
        pcv_test_rom(&f, 0xfc000000, 0);
        (void)pcv_test_msix(&f, 65, 0, rows[i].table, rows[i].pending);
        model = pcv_test_alone(&f);
        assert_true(facts_of(model).bar_size[0] == rows[i].size);
        assert_true(facts_of(model).bar_size[1] == 128);
        assert_true(facts_of(model).bar_size[6] == 2048);
        pcv_model_destroy(model);
    }
}

static struct pcv_model *pf_machine(uint64_t vf_size, uint16_t *out_cap)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    *out_cap = pcv_test_sriov(&f, 2, 1, 1, 1);
    pcv_test_set(&f, *out_cap + PCV_SRIOV_BAR, 4, 0xfe000004);
    pcv_test_set(&f, *out_cap + PCV_SRIOV_BAR + 8u, 4, 0xfd000000);
    pcv_test_add(model, &f, AT);
    pcv_test_vf(&f, AT);
    f.fn.bar_size[0] = vf_size;
    (void)pcv_test_msix(&f, 2, 2, 0x8000, 0x9000);
    pcv_test_add(model, &f, (pcv_sbdf){AT.v + 1});
    pcv_test_ready(model);
    return model;
}

/* SIM-1 SIM-2 */
static void vf_bars_have_the_size_that_a_vf_states_or_a_guess(void **state)
{
    uint16_t cap;
    struct pcv_model *model = pf_machine(0x8000, &cap);
    struct pcv_model_facts facts;

    (void)state;
    assert_int_equal(sized(model, cap + PCV_SRIOV_BAR), 0xffff8004);
    assert_int_equal(sized(model, cap + PCV_SRIOV_BAR + 4u), 0xffffffff);
    assert_int_equal(sized(model, cap + PCV_SRIOV_BAR + 8u), 0xffff0000);
    assert_int_equal(sized(model, cap + PCV_SRIOV_BAR + 12u), 0);
    assert_true(pcv_model_facts_of(model, (pcv_sbdf){AT.v + 1}, &facts));
    assert_true(facts.bar_size[0] == 0x8000 && !facts.bar_guessed[0]);
    assert_true(facts.bar_size[2] == 0x10000 && facts.bar_guessed[2]);
    pcv_model_destroy(model);
    model = pf_machine(0, &cap);
    assert_int_equal(sized(model, cap + PCV_SRIOV_BAR), 0xfffff004);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void vf_bars_grow_with_the_system_page_size(void **state)
{
    uint16_t cap;
    struct pcv_model *model = pf_machine(0x1000, &cap);

    (void)state;
    WRITE(model, cap + PCV_SRIOV_PAGE_SIZE, 4, 0x10); /* 64 KiB */
    assert_int_equal(sized(model, cap + PCV_SRIOV_BAR), 0xffff0004);
    WRITE(model, cap + PCV_SRIOV_PAGE_SIZE, 4, 0x11); /* two sizes: refused */
    assert_int_equal(READ(model, cap + PCV_SRIOV_PAGE_SIZE, 4), 0x10);
    WRITE(model, cap + PCV_SRIOV_PAGE_SIZE, 4, 0x1);
    assert_int_equal(sized(model, cap + PCV_SRIOV_BAR), 0xfffff004);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_resizable_bar_takes_only_sizes_that_it_supports(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;
    uint16_t cap;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x1002, 1);
    pcv_test_bar64(&f, 0, UINT64_C(0x800000000), 0);
    cap = pcv_test_rebar(&f, 0, 0x0000000d, 2); /* 1, 4 and 8 MiB; now 4 */
    model = pcv_test_alone(&f);
    assert_true(facts_of(model).bar_size[0] == 0x400000);
    assert_false(facts_of(model).bar_guessed[0]);
    WRITE(model, cap + 8, 4, 0x0120); /* 2 MiB */
    assert_int_equal(READ(model, cap + 8, 4), 0x0220);
    WRITE(model, cap + 8, 4, 0x0320);
    assert_int_equal(READ(model, cap + 8, 4), 0x0320);
    assert_int_equal(sized(model, 0x10), 0xff800004);
    assert_true(facts_of(model).bar_size[0] == 0x800000);
    WRITE(model, 0x40 + PCV_PCIE_DEVCTL, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(READ(model, cap + 8, 4), 0x0220);
    assert_int_equal(sized(model, 0x10), 0xffc00004);
    pcv_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_answer_sizing_by_their_kind),
        cmocka_unit_test(a_bridge_has_two_bars_and_its_rom_elsewhere),
        cmocka_unit_test(a_size_that_is_no_power_of_two_answers_with_nonsense),
        cmocka_unit_test(a_size_that_is_not_stated_is_guessed_and_marked),
        cmocka_unit_test(a_guess_has_room_for_the_msix_table_and_pending_bits),
        cmocka_unit_test(vf_bars_have_the_size_that_a_vf_states_or_a_guess),
        cmocka_unit_test(vf_bars_grow_with_the_system_page_size),
        cmocka_unit_test(a_resizable_bar_takes_only_sizes_that_it_supports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

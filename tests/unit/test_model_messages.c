/* SPDX-License-Identifier: MIT */
/*
 * What functions of the modelled host send by MSI and MSI-X, and when
 * (host/model/messages.c, vectors.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "messages.h"

/* ---- MSI-X ----------------------------------------------------------------
 */

/* SIM-2 */
static void an_entry_sends_what_was_bound_to_whom_it_was_bound(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);
    struct pcv_msi_request r = request(AT, true, 69, 1);
    struct pcv_msi_message m = bind(model, &r);
    struct pcv_model_message got;

    (void)state;
    entry(model, 69, &m, 0);
    pcv_test_write(model, AT, CONTROL, 2, ENABLE);
    assert_int_equal(pcv_model_raise(model, AT, true, 69, &got),
                     PCV_MODEL_DELIVERED);
    assert_int_equal(got.sbdf.v, AT.v);
    assert_int_equal(got.domain_id, 7);
    assert_int_equal(got.address, r.address);
    assert_int_equal(got.data, r.data);
    assert_int_equal(told.count, 1);
    assert_memory_equal(&told.last, &got, sizeof(got));
    assert_true(m.address >> 32 == 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void an_entry_is_masked_after_reset(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);

    (void)state;
    pcv_test_write(model, AT, CONTROL, 2, ENABLE);
    assert_int_equal(get(model, TABLE, 8), 0);
    assert_int_equal(get(model, TABLE + 8, 8), UINT64_C(1) << 32);
    assert_int_equal(raise_x(model, 0), PCV_MODEL_MASKED);
    assert_int_equal(get(model, BAR + 0x2000, 8), 1);
    assert_int_equal(told.count, 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_masked_message_is_pending_and_goes_when_unmasked(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);
    struct pcv_msi_request r = request(AT, true, 65, 1);
    struct pcv_msi_message m = bind(model, &r);

    (void)state;
    entry(model, 65, &m, 1);
    pcv_test_write(model, AT, CONTROL, 2, ENABLE);
    assert_int_equal(raise_x(model, 65), PCV_MODEL_MASKED);
    assert_int_equal(raise_x(model, 65), PCV_MODEL_MASKED);
    assert_int_equal(get(model, BAR + 0x2008, 8), 2);
    assert_int_equal(get(model, BAR + 0x2008, 4), 2);
    pcv_test_write(model, AT, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
    put(model, TABLE + UINT64_C(16) * 65 + 12, 4, 0);
    assert_int_equal(told.count, 0); /* it may not send */
    pcv_test_write(model, AT, PCV_REG_COMMAND, 2,
                   PCV_CMD_MEMORY | PCV_CMD_MASTER);
    assert_int_equal(told.count, 1); /* once, however often it was raised */
    assert_int_equal(told.last.data, r.data);
    assert_int_equal(get(model, BAR + 0x2008, 8), 0);
    put(model, TABLE + UINT64_C(16) * 65 + 12, 4, 1);
    put(model, TABLE + UINT64_C(16) * 65 + 12, 4, 0);
    assert_int_equal(told.count, 1);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void the_function_mask_holds_back_and_lets_go_all_entries(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);

    (void)state;
    for (uint16_t i = 0; i < 3; i++) {
        struct pcv_msi_request r = request(AT, true, i, 1);
        struct pcv_msi_message m = bind(model, &r);

        entry(model, i, &m, i == 1);
    }
    pcv_test_write(model, AT, CONTROL, 2, ENABLE | MASK_ALL);
    assert_int_equal(raise_x(model, 2), PCV_MODEL_MASKED);
    assert_int_equal(raise_x(model, 0), PCV_MODEL_MASKED);
    assert_int_equal(raise_x(model, 1), PCV_MODEL_MASKED);
    pcv_test_write(model, AT, CONTROL, 2, ENABLE);
    assert_int_equal(told.count, 2);
    assert_int_equal(told.data[0], 0x4000);
    assert_int_equal(told.data[1], 0x4080);
    assert_int_equal(get(model, BAR + 0x2000, 4), 2);
    put(model, TABLE + 16 + 8, 8, get(model, TABLE + 16 + 8, 4));
    assert_int_equal(told.count, 3); /* an 8-byte write unmasks as well */
    pcv_model_destroy(model);
}

/* SIM-2 */
static void nothing_is_raised_while_msix_is_off_or_has_no_such_vector(
    void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);

    (void)state;
    assert_int_equal(raise_x(model, 0), PCV_MODEL_DISABLED);
    pcv_test_write(model, AT, CONTROL, 2, ENABLE);
    assert_int_equal(raise_x(model, 69), PCV_MODEL_MASKED);
    assert_int_equal(raise_x(model, 70), PCV_MODEL_DISABLED);
    assert_int_equal(raise_x(model, 0xffff), PCV_MODEL_DISABLED);
    assert_int_equal(raise_m(model, 0), PCV_MODEL_DISABLED); /* has no MSI */
    assert_int_equal(
        pcv_model_raise(model, pcv_test_at(9, 0, 0, 0), true, 0, NULL),
        PCV_MODEL_DISABLED);
    assert_int_equal(pcv_model_pull(model, AT), 0);
    assert_int_equal(raise_x(model, 69), PCV_MODEL_DISABLED);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_function_that_may_not_send_sends_nothing(void **state)
{
    struct pcv_model *model;
    struct pcv_test_function f;
    uint8_t pm, msi;

    (void)state;
    pcv_test_endpoint(&f, 0x8086, 1);
    pm = pcv_test_pm(&f, true);
    msi = pcv_test_msi(&f, 0x0100);
    model = pcv_test_alone(&f);
    pcv_test_write(model, AT, (uint16_t)(msi + 2), 2, 1);
    assert_int_equal(raise_m(model, 0), PCV_MODEL_NO_MASTER);
    pcv_test_write(model, AT, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_int_equal(raise_m(model, 0), PCV_MODEL_UNKNOWN);
    pcv_test_write(model, AT, (uint16_t)(pm + 4), 2, 3);
    assert_int_equal(raise_m(model, 0), PCV_MODEL_NO_MASTER);
    pcv_model_poke(model, AT, (uint16_t)(msi + 12), 4, 1); /* masked */
    assert_int_equal(raise_m(model, 0), PCV_MODEL_NO_MASTER);
    assert_int_equal(pcv_model_peek(model, AT, (uint16_t)(msi + 16), 4), 0);
    pcv_model_poke(model, AT, (uint16_t)(msi + 12), 4, 0);
    pcv_test_write(model, AT, (uint16_t)(pm + 4), 2, 0);
    assert_int_equal(raise_m(model, 0), PCV_MODEL_UNKNOWN);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_reset_masks_every_entry_and_forgets_what_is_pending(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;
    uint8_t msix, msi;
    uint16_t devctl = 0x40 + PCV_PCIE_DEVCTL;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    pcv_test_bar32(&f, 0, (uint32_t)BAR, 0x4000);
    msix = pcv_test_msix(&f, 4, 0, 0x1000, 0x2000);
    msi = pcv_test_msi(&f, 0x0182);
    model = pcv_test_alone(&f);
    pcv_model_mmio_poke(model, AT, 0, 0x1000, 8, 0x1111);
    pcv_model_mmio_poke(model, AT, 0, 0x1008, 8, 0x2222);
    pcv_model_mmio_poke(model, AT, 0, 0x2000, 8, 0xf);
    pcv_model_poke(model, AT, (uint16_t)(msi + 0x14), 4, 3);
    pcv_test_write(model, AT, (uint16_t)(msix + 2), 2, ENABLE);
    pcv_test_write(model, AT, devctl, 2, PCV_PCIE_DEVCTL_FLR);
    assert_int_equal(pcv_model_peek(model, AT, (uint16_t)(msix + 2), 2), 3);
    assert_int_equal(pcv_model_mmio_peek(model, AT, 0, 0x1000, 8), 0);
    assert_int_equal(pcv_model_mmio_peek(model, AT, 0, 0x100c, 4), 1);
    assert_int_equal(pcv_model_mmio_peek(model, AT, 0, 0x2000, 8), 0);
    assert_int_equal(pcv_model_peek(model, AT, (uint16_t)(msi + 0x14), 4), 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_vf_sends_from_its_own_table_and_wakes_with_its_pf(void **state)
{
    struct pcv_model *model = pcv_test_model();
    pcv_sbdf pf = pcv_test_at(0, 0, 4, 0);
    pcv_sbdf vf = pcv_test_at(0, 0, 4, 2);
    struct pcv_msi_request r = request(vf, true, 0, 1);
    struct pcv_msi_message m;
    struct pcv_test_function f;
    struct told told = {.model = model};
    uint16_t pm, msix;

    (void)state;
    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    pm = pcv_test_pm(&f, true);
    pcv_test_set(&f, pcv_test_sriov(&f, 2, 2, 1, 1) + PCV_SRIOV_BAR, 4,
                 (uint32_t)BAR);
    pcv_test_add(model, &f, pf);
    for (uint32_t i = 1; i <= 2; i++) {
        pcv_test_vf(&f, pf);
        f.fn.bar_size[0] = 0x4000;
        msix = pcv_test_msix(&f, 2, 0, 0x1000, 0x2000);
        pcv_test_add(model, &f, (pcv_sbdf){pf.v + i});
    }
    pcv_test_ready(model);
    pcv_model_on_message(model, tell, &told);
    m = bind(model, &r);
    put(model, TABLE + 0x4000, 8, m.address); /* the second VF's share */
    put(model, TABLE + 0x4008, 4, m.data);
    pcv_test_write(model, vf, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_write(model, vf, (uint16_t)(msix + 2), 2, ENABLE);
    assert_int_equal(pcv_model_raise(model, vf, true, 0, NULL),
                     PCV_MODEL_MASKED);
    pcv_test_write(model, pf, (uint16_t)(pm + 4), 2, 3);
    pcv_model_mmio_poke(model, vf, 0, 0x100c, 4, 0);
    pcv_test_write(model, vf, (uint16_t)(msix + 2), 2, ENABLE);
    assert_int_equal(told.count, 0);
    pcv_test_write(model, pf, (uint16_t)(pm + 4), 2, 0);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.last.sbdf.v, vf.v);
    pcv_model_destroy(model);
}

/* ---- MSI ------------------------------------------------------------------
 */

/* SIM-2 */
static void every_vector_of_a_block_has_its_own_data(void **state)
{
    /* What a device can have, what is enabled, and how many that makes. */
    static const struct {
        uint16_t control;
        uint32_t log;
        uint16_t vectors;
    } rows[] = {
        {0x0000, 0, 1},  {0x0080, 0, 1}, {0x0006, 3, 8},  {0x0086, 2, 4},
        {0x018a, 5, 32}, {0x0104, 5, 4}, {0x000e, 7, 32}, {0x0186, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct told told;
        struct pcv_model *model = machine(&told, false, rows[i].control);
        struct pcv_msi_request r = request(AT, false, 0, rows[i].vectors);
        struct pcv_msi_message m = bind(model, &r);

        assert_int_equal(m.data & (rows[i].vectors - 1u), 0);
        assert_int_equal(m.data >> 16, 0);
        msi_on(model, (rows[i].control & 0x80u) != 0, &m, rows[i].log);
        for (uint16_t v = 0; v < rows[i].vectors; v++) {
            assert_int_equal(raise_m(model, v), PCV_MODEL_DELIVERED);
            assert_int_equal(told.last.data, r.data + v);
        }
        assert_int_equal(raise_m(model, rows[i].vectors), PCV_MODEL_DISABLED);
        assert_int_equal(told.count, rows[i].vectors);
        pcv_test_write(model, AT, CONTROL, 2, 0);
        assert_int_equal(raise_m(model, 0), PCV_MODEL_DISABLED);
        pcv_model_destroy(model);
    }
}

/* SIM-2 */
static void the_upper_address_counts_where_there_is_one(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, false, 0x0080);
    struct pcv_msi_request r = request(AT, false, 0, 1);
    struct pcv_msi_message m = bind(model, &r);

    (void)state;
    msi_on(model, true, &m, 0);
    assert_int_equal(raise_m(model, 0), PCV_MODEL_DELIVERED);
    pcv_test_write(model, AT, 0x48, 4, 1);
    assert_int_equal(raise_m(model, 0), PCV_MODEL_UNKNOWN);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void extended_data_counts_only_while_it_is_enabled(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, false, 0x0200);
    struct pcv_msi_request r = request(AT, false, 0, 1);
    struct pcv_msi_message m = bind(model, &r);

    (void)state;
    pcv_test_write(model, AT, 0x44, 4, (uint32_t)m.address);
    pcv_test_write(model, AT, 0x48, 4, m.data | 0x10000u);
    pcv_test_write(model, AT, CONTROL, 2, 1);
    assert_int_equal(raise_m(model, 0), PCV_MODEL_DELIVERED);
    pcv_test_write(model, AT, CONTROL, 2, 0x0401);
    assert_int_equal(raise_m(model, 0), PCV_MODEL_UNKNOWN);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_masked_vector_of_msi_is_pending_until_its_mask_goes(void **state)
{
    static const uint16_t controls[] = {0x0104, 0x0184};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct told told;
        struct pcv_model *model = machine(&told, false, controls[i]);
        bool wide = (controls[i] & 0x80u) != 0;
        uint16_t mask = wide ? 0x50 : 0x4c;
        struct pcv_msi_request r = request(AT, false, 0, 4);
        struct pcv_msi_message m = bind(model, &r);

        pcv_test_write(model, AT, mask, 4, 0xa);
        msi_on(model, wide, &m, 2);
        assert_int_equal(raise_m(model, 0), PCV_MODEL_DELIVERED);
        assert_int_equal(raise_m(model, 3), PCV_MODEL_MASKED);
        assert_int_equal(raise_m(model, 1), PCV_MODEL_MASKED);
        assert_int_equal(pcv_test_read(model, AT, (uint16_t)(mask + 4), 4),
                         0xa);
        pcv_test_write(model, AT, (uint16_t)(mask + 4), 4, 0); /* read-only */
        pcv_test_write(model, AT, mask, 1, 2);
        assert_int_equal(told.count, 2);
        assert_int_equal(told.last.data, r.data + 3);
        pcv_test_write(model, AT, mask, 4, 0);
        assert_int_equal(told.count, 3);
        assert_int_equal(told.last.data, r.data + 1);
        assert_int_equal(pcv_test_read(model, AT, (uint16_t)(mask + 4), 4), 0);
        pcv_model_destroy(model);
    }
}

/* SIM-2 */
static void a_function_replaces_the_low_bits_of_its_data(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, false, 0x0004);
    struct pcv_msi_request r = request(AT, false, 0, 4);
    struct pcv_msi_message m = bind(model, &r);

    (void)state;
    m.data |= 3;
    msi_on(model, false, &m, 2);
    assert_int_equal(raise_m(model, 1), PCV_MODEL_DELIVERED);
    assert_int_equal(told.last.data, r.data + 1);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void pending_bits_that_a_tester_sets_are_sent_like_others(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, false, 0x0104);
    struct pcv_msi_request r = request(AT, false, 0, 4);
    struct pcv_msi_message m = bind(model, &r);

    (void)state;
    msi_on(model, false, &m, 2);
    pcv_model_poke(model, AT, 0x50, 4, 4);
    pcv_test_write(model, AT, 0x4c, 4, 0);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.last.data, r.data + 2);
    pcv_model_destroy(model);
    model = machine(&told, true, 0);
    r = request(AT, true, 2, 1);
    m = bind(model, &r);
    pcv_test_write(model, AT, CONTROL, 2, ENABLE);
    pcv_model_mmio_poke(model, AT, 0, 0x2000, 4, 4);
    entry(model, 2, &m, 0);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.last.data, r.data);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void every_outcome_has_a_name(void **state)
{
    static const char *const names[] = {"delivered", "masked",  "disabled",
                                        "no-master", "unknown", "foreign"};

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        assert_string_equal(pcv_model_raised_name((enum pcv_model_raised)i),
                            names[i]);
    }
    assert_string_equal(pcv_model_raised_name((enum pcv_model_raised)6), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_sends_what_was_bound_to_whom_it_was_bound),
        cmocka_unit_test(an_entry_is_masked_after_reset),
        cmocka_unit_test(a_masked_message_is_pending_and_goes_when_unmasked),
        cmocka_unit_test(the_function_mask_holds_back_and_lets_go_all_entries),
        cmocka_unit_test(
            nothing_is_raised_while_msix_is_off_or_has_no_such_vector),
        cmocka_unit_test(a_function_that_may_not_send_sends_nothing),
        cmocka_unit_test(a_reset_masks_every_entry_and_forgets_what_is_pending),
        cmocka_unit_test(a_vf_sends_from_its_own_table_and_wakes_with_its_pf),
        cmocka_unit_test(every_vector_of_a_block_has_its_own_data),
        cmocka_unit_test(the_upper_address_counts_where_there_is_one),
        cmocka_unit_test(extended_data_counts_only_while_it_is_enabled),
        cmocka_unit_test(a_masked_vector_of_msi_is_pending_until_its_mask_goes),
        cmocka_unit_test(a_function_replaces_the_low_bits_of_its_data),
        cmocka_unit_test(pending_bits_that_a_tester_sets_are_sent_like_others),
        cmocka_unit_test(every_outcome_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

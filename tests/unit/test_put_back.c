/* SPDX-License-Identifier: MIT */
/* What the host programmed in extended capabilities, put back after resets, and
 * what no guest may have on (OWN-5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resettable.h"

/* A register of an extended capability, with what has to stand before it for
 * the model to let it be written. */
static const struct {
    uint16_t id;
    uint16_t size; /* of the capability */
    uint16_t reg, width;
    uint32_t value;
    bool host;   /* for the host alone ... */
    uint32_t on; /* ... what of it is off while a guest has the function */
} rows[] = {
    {PCV_EXT_CAP_ID_LTR, 8, 4, 4, 0x10031003, false, 0},
    {PCV_EXT_CAP_ID_AER, 0x48, 0x08, 4, 0x00100000, false, 0},
    {PCV_EXT_CAP_ID_AER, 0x48, 0x0c, 4, 0x00062030, false, 0},
    {PCV_EXT_CAP_ID_AER, 0x48, 0x14, 4, 0x00000040, false, 0},
    {PCV_EXT_CAP_ID_TPH, 12, 8, 4, 0x00000101, false, 0},
    {PCV_EXT_CAP_ID_PTM, 12, 8, 4, 0x00000a01, false, 0},
    {PCV_EXT_CAP_ID_PASID, 8, 6, 2, 0x0001, true, 7},
    {PCV_EXT_CAP_ID_PRI, 16, 12, 4, 0x00000020, true, 0},
    {PCV_EXT_CAP_ID_PRI, 16, 4, 2, 0x0001, true, 1},
    {PCV_EXT_CAP_ID_ATS, 8, 6, 2, 0x8005, true, 0x8000},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static uint16_t at[ROWS];

static void make_extended(struct pcv_test_function *f, unsigned ways)
{
    make(f, ways);
    for (size_t i = 0; i < ROWS; i++) {
        at[i] = i > 0 && rows[i].id == rows[i - 1].id
                    ? at[i - 1]
                    : pcv_test_ext_cap(f, rows[i].id, 1, rows[i].size);
        pcv_test_set(f, at[i] + rows[i].reg, (uint8_t)rows[i].width,
                     rows[i].value);
    }
}

static uint32_t stands(const struct owned *o, size_t row)
{
    return owned_peek(o, (uint16_t)(at[row] + rows[row].reg),
                      (uint8_t)rows[row].width);
}

/* What only the host has is off for a guest; beside that bit, anything. */
static void expect_all(const struct owned *o, bool guest)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (!guest || !rows[i].host) {
            assert_int_equal(stands(o, i), rows[i].value);
        } else if (rows[i].on != 0) {
            assert_int_equal(stands(o, i) & rows[i].on, 0);
        }
    }
}

/* OWN-5 */
static void extended_capabilities_are_put_back(void **state)
{
    static const unsigned ways[] = {HAS_FLR, HAS_AF, HAS_PM};

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct pcv_test_function f;
        struct owned o;

        make_extended(&f, ways[i]);
        owned_start(&o, &f);
        expect_all(&o, false);
        owned_give(&o, NULL);
        expect_all(&o, true);
        if (ways[i] == HAS_FLR) {
            flr(&o);
            owned_settles(&o, 100000);
            expect_all(&o, true);
        }
        owned_take(&o);
        expect_all(&o, false);
        owned_end(&o);
    }
}

/* OWN-5, CAP-7: where there is no reset either, what goes past the IOMMU is off
 * while a guest has the function. */
static void what_is_not_reset_is_switched_off_for_guests(void **state)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_NO_RESET};
    struct pcv_test_function f;
    struct owned o;

    (void)state;
    make_extended(&f, 0);
    owned_start(&o, &f);
    owned_give(&o, &policy);
    expect_all(&o, true);
    owned_take(&o);
    expect_all(&o, false);
    owned_end(&o);
}

/* OWN-5, PORT-3: a function that cannot be tamed is not given away. */
static void a_guest_gets_nothing_that_was_not_switched_off(void **state)
{
    const struct pcv_assign_policy policy = {.flags = PCV_ASSIGN_NO_RESET};

    (void)state;
    for (uint64_t n = 1;; n++) {
        struct pcv_test_function f;
        struct owned o;
        uint64_t before;
        bool failed;

        make_extended(&f, 0);
        owned_start(&o, &f);
        before = pcv_model_calls(o.h.model, PCV_MODEL_OP_cfg_read);
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, n);
        if (owned_change(&o, true, &policy) == 0) {
            expect_all(&o, true);
        }
        failed =
            pcv_model_calls(o.h.model, PCV_MODEL_OP_cfg_read) - before >= n;
        pcv_model_fail(o.h.model, PCV_MODEL_OP_cfg_read, 0);
        owned_end(&o);
        if (!failed) {
            break;
        }
    }
}

/* OWN-5, SRIOV-1: a PF forgets where its VFs were to be, though none is
 * enabled. */
static void a_pf_remembers_where_its_vfs_will_be(void **state)
{
    struct pcv_test_function f;
    struct owned o;
    uint16_t cap;

    (void)state;
    make(&f, HAS_FLR);
    cap = pcv_test_sriov(&f, 4, 0, 1, 1);
    pcv_test_set(&f, cap + 0x1cu, 4, 0x3); /* 4 and 8 KiB */
    pcv_test_set(&f, cap + PCV_SRIOV_PAGE_SIZE, 4, 2);
    pcv_test_set(&f, cap + PCV_SRIOV_BAR, 4, 0xe0000000);
    pcv_test_set(&f, cap + PCV_SRIOV_CTRL, 2, PCV_SRIOV_CTRL_ARI);
    owned_start(&o, &f);
    for (int give = 1; give >= 0; give--) {
        assert_int_equal(owned_change(&o, give, NULL), 0);
        assert_int_equal(
            owned_peek(&o, (uint16_t)(cap + PCV_SRIOV_PAGE_SIZE), 4), 2);
        assert_int_equal(owned_peek(&o, (uint16_t)(cap + PCV_SRIOV_BAR), 4),
                         0xe0000000);
        assert_int_equal(owned_peek(&o, (uint16_t)(cap + PCV_SRIOV_CTRL), 2),
                         PCV_SRIOV_CTRL_ARI);
    }
    owned_end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extended_capabilities_are_put_back),
        cmocka_unit_test(what_is_not_reset_is_switched_off_for_guests),
        cmocka_unit_test(a_guest_gets_nothing_that_was_not_switched_off),
        cmocka_unit_test(a_pf_remembers_where_its_vfs_will_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

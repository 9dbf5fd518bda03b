/* SPDX-License-Identifier: MIT */
/*
 * Where a BAR of the modelled host would stand with another size
 * (host/model/place.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"

#define BAR UINT64_C(0xe1230000)
#define VF_BAR UINT64_C(0xe2000000)
#define PF pcv_test_at(0, 1, 0, 0)

static const struct pcv_host_ops *ops(void)
{
    return pcv_model_ops();
}

static pcv_sbdf nth(uint32_t i)
{
    return pcv_test_at(0, 0, (uint8_t)i, 0);
}

/* A PF with 2 of 4 VFs on, whose VF BAR 0 has 16 KiB each. */
static struct pcv_model *sriov_machine(void)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    uint16_t cap;

    pcv_test_pcie_endpoint(&f, 0x8086, 0x10c9);
    pcv_test_bar32(&f, 0, (uint32_t)BAR, 0x1000);
    cap = pcv_test_sriov(&f, 4, 2, 1, 1);
    pcv_test_set(&f, cap + PCV_SRIOV_BAR, 4, (uint32_t)VF_BAR);
    pcv_test_add(model, &f, PF);
    for (uint32_t i = 0; i < 2; i++) {
        pcv_test_vf(&f, PF);
        f.fn.bar_size[0] = 0x4000;
        pcv_test_add(model, &f, (pcv_sbdf){PF.v + 1 + i});
    }
    pcv_test_ready(model);
    return model;
}

static int place(struct pcv_model *model, pcv_sbdf sbdf, uint8_t bar,
                 uint64_t size, uint64_t *out_address)
{
    pcv_hpa address = {0};
    int error = ops()->bar_place(model, sbdf, bar, size, &address);

    *out_address = address.v;
    return error;
}

/* SIM-2 */
static void a_bar_that_does_not_grow_stays_where_it_is(void **state)
{
    struct pcv_model *model = sriov_machine();
    uint64_t at;

    (void)state;
    assert_int_equal(place(model, PF, 0, 0x1000, &at), 0);
    assert_true(at == BAR);
    assert_int_equal(place(model, PF, 0, 0x800, &at), 0);
    assert_true(at == BAR);
    assert_int_equal(place(model, (pcv_sbdf){PF.v + 2}, 0, 0x4000, &at), 0);
    assert_true(at == VF_BAR + 0x4000);
    assert_int_equal(place(model, (pcv_sbdf){PF.v + 2}, 0, 0x8000, &at),
                     -PCV_ENOSPC);
    assert_int_equal(place(model, PF, 0, 0, &at), -PCV_EINVAL);
    assert_int_equal(place(model, PF, 0, 0x1800, &at), -PCV_EINVAL);
    assert_int_equal(place(model, PF, 3, 0x1000, &at), -PCV_EINVAL);
    assert_int_equal(place(model, PF, 9, 0x1000, &at), -PCV_EINVAL);
    assert_int_equal(place(model, pcv_test_at(5, 0, 0, 0), 0, 0x1000, &at),
                     -PCV_ENODEV);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_bar_that_grows_gets_a_place_that_nobody_has(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    uint64_t at;

    (void)state;
    pcv_test_endpoint(&f, 0x8086, 1);
    pcv_test_bar32(&f, 0, 0xf0000000, 0x100000);
    pcv_test_bar64(&f, 2, UINT64_C(0x4000000000), 0x40000000);
    pcv_test_add(model, &f, nth(0));
    pcv_test_bar32(&f, 0, 0xf0400000, 0x400000);
    pcv_test_bar64(&f, 2, UINT64_C(0x4080000000), 0x40000000);
    pcv_test_add(model, &f, nth(1));
    pcv_test_ready(model);
    /* Its own place counts as free, so it can grow there. */
    assert_int_equal(place(model, nth(0), 0, 0x400000, &at), 0);
    assert_true(at == 0xf0000000);
    assert_int_equal(place(model, nth(0), 0, 0x800000, &at), 0);
    assert_true(at == 0xf0800000);
    assert_int_equal(ops()->mmio_permitted(model, 0, (pcv_hpa){at}, 0x800000),
                     1);
    assert_int_equal(place(model, nth(0), 0, 0x10000000, &at), -PCV_ENOSPC);
    assert_int_equal(place(model, nth(0), 2, UINT64_C(0x80000000), &at), 0);
    assert_true(at == UINT64_C(0x4000000000));
    assert_int_equal(place(model, nth(0), 2, UINT64_C(0x100000000), &at), 0);
    assert_true(at == UINT64_C(0x4100000000));
    assert_int_equal(place(model, nth(0), 2, UINT64_C(1) << 48, &at),
                     -PCV_ENOSPC);
    assert_int_equal(place(model, nth(0), 2, UINT64_C(1) << 63, &at),
                     -PCV_ENOSPC);
    /* Nothing was changed by asking. */
    assert_int_equal(pcv_model_peek(model, nth(0), PCV_REG_BAR0, 4),
                     0xf0000000);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void room_for_all_vfs_is_kept_free(void **state)
{
    struct pcv_model *model = sriov_machine();
    uint64_t at;

    (void)state;
    /* Two VFs are on, but four can be: 64 KiB. */
    pcv_model_poke(model, PF, PCV_REG_BAR0, 4, (uint32_t)VF_BAR - 0x1000);
    for (uint64_t size = 0x8000; size <= 0x10000; size *= 2) {
        assert_int_equal(place(model, PF, 0, size, &at), 0);
        assert_true(at + size <= VF_BAR || at >= VF_BAR + 0x10000);
    }
    pcv_model_poke(model, PF, (uint16_t)(0x100 + PCV_SRIOV_BAR), 4, 0xe1000000);
    assert_int_equal(place(model, PF, 0, 0x8000, &at), 0);
    assert_true(at == 0xe1010000);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_bar_that_stands_where_nothing_may_be_mapped_moves(void **state)
{
    struct pcv_model *model = sriov_machine();
    uint64_t at;

    (void)state;
    pcv_model_poke(model, PF, PCV_REG_BAR0, 4, 0x50000000);
    assert_int_equal(place(model, PF, 0, 0x1000, &at), 0);
    assert_int_equal(ops()->mmio_permitted(model, 0, (pcv_hpa){at}, 0x1000), 1);
    pcv_model_poke(model, PF, PCV_REG_BAR0, 4, 0); /* not placed at all */
    assert_int_equal(place(model, PF, 0, 0x1000, &at), 0);
    assert_true(at != 0);
    pcv_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_that_does_not_grow_stays_where_it_is),
        cmocka_unit_test(a_bar_that_grows_gets_a_place_that_nobody_has),
        cmocka_unit_test(room_for_all_vfs_is_kept_free),
        cmocka_unit_test(a_bar_that_stands_where_nothing_may_be_mapped_moves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

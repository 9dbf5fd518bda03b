/* SPDX-License-Identifier: MIT */
/* MSI as its owner drives it: the hardware domain and a guest. */
#include "msi_card.h"

/* ---- what is enabled -------------------------------------------------------
 */

/* MSI-1, MSI-2, LIFE-8 */
static void each_layout_delivers_what_its_owner_programmed(void **state)
{
    static const uint16_t layouts[] = {0x000, 0x080, 0x100, 0x180};
    struct vec vec;

    (void)state;
    for (uint32_t n = 0; n < 4u * 6u * 2u; n++) {
        uint32_t log = n / 4u % 6u;
        uint16_t control = (uint16_t)(layouts[n % 4u] | log << 1);
        uint32_t count = 1u << log;

        start(&vec, control, n >= 24u);
        enable(&vec, control, log);
        assert_int_equal(vec.binds, 1);
        assert_int_equal(vec.request.count, count);
        assert_int_equal(vec.request.address, ADDRESS);
        assert_int_equal(vec.request.data, DATA & ~(count - 1u));
        assert_int_equal(vec.request.domain_id, pcv_domain_id(vec.owner));
        assert_int_equal(vec_held(&vec), count);
        assert_int_equal(pcv_model_bound(vec.rig.model, NULL), count);
        expect_delivery(&vec, count, ADDRESS, DATA & ~(count - 1u));
        /* What the owner reads is its own, what hardware has the host's. */
        assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), ADDRESS);
        assert_int_equal(vec_read(&vec, data_of(&vec, control), 2), DATA);
        assert_int_equal(vec_hw(&vec, vec.cap + 4u, 4),
                         (uint32_t)vec.message.address);
        assert_int_equal(vec_hw(&vec, data_of(&vec, control), 2),
                         vec.message.data);
        vec_write(&vec, control_of(&vec), 2, 0);
        expect_off(&vec);
        assert_int_equal(vec.unbinds, 1);
        vec_close(&vec);
    }
}

/* MSI-1 */
static void more_vectors_than_there_are_and_reserved_counts_are_cut(
    void **state)
{
    static const struct {
        uint8_t capable, write, read;
    } cases[] = {{0, 0, 0}, {0, 5, 0}, {2, 1, 1}, {2, 3, 2}, {3, 7, 3},
                 {5, 6, 5}, {5, 7, 5}, {6, 5, 5}, {7, 7, 5}, {4, 6, 4}};
    struct vec vec;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint16_t control = (uint16_t)(0x180u | (uint32_t)cases[i].capable << 1);
        uint32_t capable = cases[i].capable > 5 ? 5u : cases[i].capable;

        start(&vec, control, i % 2 == 0);
        assert_int_equal(vec_read(&vec, control_of(&vec), 2),
                         0x180u | capable << 1);
        enable(&vec, control, cases[i].write);
        assert_int_equal(vec_read(&vec, control_of(&vec), 2),
                         0x181u | capable << 1 | (uint32_t)cases[i].read << 4);
        assert_int_equal(vec.request.count, 1u << cases[i].read);
        assert_int_equal(vec_held(&vec), 1u << cases[i].read);
        assert_int_equal(vec_hw(&vec, control_of(&vec), 2) >> 4 & 7u,
                         cases[i].read);
        vec_close(&vec);
    }
}

/* MSI-2, HDR-2 */
static void a_guest_starts_disabled_and_finds_nothing_of_the_host(void **state)
{
    struct vec vec;

    (void)state;
    build(&vec, 0x0185);
    pcv_test_set(&vec.f, vec.cap + 4u, 4, 0xfee12340);
    pcv_test_set(&vec.f, vec.cap + 8u, 4, 0x11223344);
    pcv_test_set(&vec.f, vec.cap + 12u, 4, 0x55667788);
    pcv_test_set(&vec.f, vec.cap + 16u, 4, 0xffffffff);
    vec_start(&vec, true);
    expect_off(&vec);
    assert_int_equal(vec_read(&vec, control_of(&vec), 2), 0x0184);
    assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), 0);
    assert_int_equal(vec_read(&vec, vec.cap + 8u, 4), 0);
    assert_int_equal(vec_read(&vec, vec.cap + 12u, 4), 0);
    assert_int_equal(vec_read(&vec, vec.cap + 16u, 4), 0);
    /* Reserved bits stay zero, whatever is written to them. */
    vec_write(&vec, vec.cap + 4u, 4, 0xffffffff);
    vec_write(&vec, vec.cap + 12u, 4, 0xffffffff);
    vec_write(&vec, vec.cap + 16u, 4, 0xffffffff);
    assert_int_equal(vec_read(&vec, vec.cap + 4u, 4), 0xfffffffc);
    assert_int_equal(vec_read(&vec, vec.cap + 12u, 4), 0xffff);
    assert_int_equal(vec_read(&vec, vec.cap + 16u, 4), 0xf);
    assert_int_equal(vec.binds, 0);
    vec_close(&vec);
}

/* HDR-2 */
static void intx_is_off_while_it_is_on(void **state)
{
    struct vec vec;

    (void)state;
    start(&vec, 0x80, true);
    enable(&vec, 0x80, 0);
    assert_int_equal(vec_read(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF,
                     PCV_CMD_INTX_OFF);
    assert_int_equal(vec_hw(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF,
                     PCV_CMD_INTX_OFF);
    vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    assert_int_equal(vec_hw(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF,
                     PCV_CMD_INTX_OFF);
    vec_write(&vec, control_of(&vec), 2, 0);
    assert_int_equal(vec_read(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF, 0);
    assert_int_equal(vec_hw(&vec, PCV_REG_COMMAND, 2) & PCV_CMD_INTX_OFF, 0);
    vec_close(&vec);
}

/* ---- changes while it is enabled -------------------------------------------
 */

/* MSI-1 */
static void a_change_takes_effect_at_once_and_only_if_it_is_one(void **state)
{
    const uint16_t control = 0x0184; /* 4 vectors */
    static const struct {
        uint16_t offset;
        uint8_t size;
        uint32_t value;
        unsigned binds;
    } steps[] = {
        {4, 4, 0xfee02000, 1},  {4, 4, 0xfee02000, 0},
        {4, 4, 0xfee02003, 0}, /* the low bits are reserved */
        {8, 4, 0x00000001, 1},  {8, 4, 0x00000001, 0},
        {12, 2, 0x4564, 1},     {12, 2, 0x4567, 0}, /* in the same block */
        {12, 1, 0x68, 1},       {13, 1, 0x47, 1},
        {14, 2, 0xffff, 0},     {2, 2, 0x0021, 0},
        {2, 2, 0x0011, 1},      {2, 1, 0x21, 1},
        {16, 4, 0xffffffff, 0}, {20, 4, 0xffffffff, 0},
    };
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, control, guest != 0);
        enable(&vec, control, 2);
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            unsigned before = vec.binds;

            vec_write(&vec, vec.cap + (uint32_t)steps[i].offset, steps[i].size,
                      steps[i].value);
            assert_int_equal(vec.binds - before, steps[i].binds);
            assert_true(is_on(&vec));
            assert_int_equal(vec_held(&vec), vec.request.count);
        }
        vec_write(&vec, mask_of(&vec, control), 4, 0);
        expect_delivery(&vec, 4, UINT64_C(0x1fee02000), 0x4768);
        vec_close(&vec);
    }
}

/* MSI-1: a message that is half the old one is never sent. */
static void hardware_is_off_while_its_message_changes(void **state)
{
    bool on = true;
    struct vec vec;

    (void)state;
    start(&vec, 0x80, true);
    enable(&vec, 0x80, 0);
    vec_forget(&vec);
    vec_write(&vec, vec.cap + 4u, 4, ADDRESS + 0x1000u);
    assert_true(rig_writes(&vec.rig) >= 5);
    for (size_t i = 0; i < vec.rig.logged; i++) {
        const struct pcv_model_cfg *seen = &vec.rig.log[i];

        if (seen->write && seen->reg == control_of(&vec)) {
            on = (seen->value & ENABLE) != 0;
        } else if (seen->write && seen->reg > control_of(&vec) &&
                   seen->reg < vec.cap + 0x10u) {
            assert_false(on);
        }
    }
    assert_true(on);
    vec_close(&vec);
}

/* MSI-1 */
static void masks_reach_hardware_while_they_concern_something(void **state)
{
    const uint16_t control = 0x0186; /* 8 vectors, 2 of them used */
    struct vec vec;
    uint64_t to;
    uint32_t what;

    (void)state;
    start(&vec, control, true);
    vec_write(&vec, mask_of(&vec, control), 4, 0xff);
    assert_int_equal(vec_hw(&vec, mask_of(&vec, control), 4), 0);
    enable(&vec, control, 1);
    assert_int_equal(vec_hw(&vec, mask_of(&vec, control), 4), 3);
    assert_int_equal(vec_raise(&vec, false, 1, &to, &what), PCV_MODEL_MASKED);
    assert_int_equal(vec_read(&vec, mask_of(&vec, control) + 4u, 4), 2);
    assert_int_equal(vec_read(&vec, mask_of(&vec, control), 4), 0xff);
    vec_write(&vec, mask_of(&vec, control), 1, 1);
    assert_int_equal(vec_hw(&vec, mask_of(&vec, control), 4), 1);
    assert_int_equal(vec_read(&vec, mask_of(&vec, control) + 4u, 4), 0);
    assert_int_equal(vec_raise(&vec, false, 1, &to, &what),
                     PCV_MODEL_DELIVERED);
    assert_int_equal(vec.binds, 1);
    vec_close(&vec);
}

/* ---- whatever is written ---------------------------------------------------
 */

/* What holds after any access. */
static void expect_consistent(struct vec *vec)
{
    uint32_t read = vec_read(vec, control_of(vec), 2);
    uint32_t hw = vec_hw(vec, control_of(vec), 2);
    uint32_t count = 1u << (read >> 4 & 7u);

    assert_int_equal(read & 0x018fu, (read & ENABLE) | 0x0188u);
    assert_int_equal(read & ENABLE, hw & ENABLE);
    assert_int_equal(vec_held(vec), (read & ENABLE) != 0 ? count : 0);
    assert_int_equal(pcv_model_bound(vec->rig.model, NULL), vec_held(vec));
    assert_true(count <= 16);
    if ((read & ENABLE) != 0) {
        assert_int_equal(hw >> 4 & 7u, read >> 4 & 7u);
        assert_int_equal(vec_hw(vec, vec->cap + 4u, 4),
                         (uint32_t)vec->message.address);
        assert_int_equal(vec_hw(vec, vec->cap + 12u, 2), vec->message.data);
    }
}

/* MSI-1, MSI-2, CAP-5 */
static void nothing_that_is_written_breaks_it(void **state)
{
    static const uint8_t sizes[] = {1, 2, 4};
    uint64_t seed = 1;
    struct vec vec;

    (void)state;
    for (int guest = 0; guest < 2; guest++) {
        start(&vec, 0x0188, guest != 0);
        for (uint32_t i = 0; i < 20000; i++) {
            uint8_t size = sizes[vec_random(&seed) % 3u];
            uint32_t offset = vec_random(&seed) % 24u & ~(size - 1u);

            vec.refuse = vec_random(&seed) % 8u == 0;
            vec_write(&vec, vec.cap + offset, size, vec_random(&seed));
            if (vec_random(&seed) % 64u == 0) {
                vec_reset(&vec);
            } else if (vec_random(&seed) % 64u == 0) {
                vec_restore(&vec);
            }
            expect_consistent(&vec);
        }
        vec.refuse = false;
        assert_int_equal(pcv_model_bind_errors(vec.rig.model), 0);
        vec_close(&vec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_layout_delivers_what_its_owner_programmed),
        cmocka_unit_test(
            more_vectors_than_there_are_and_reserved_counts_are_cut),
        cmocka_unit_test(a_guest_starts_disabled_and_finds_nothing_of_the_host),
        cmocka_unit_test(intx_is_off_while_it_is_on),
        cmocka_unit_test(a_change_takes_effect_at_once_and_only_if_it_is_one),
        cmocka_unit_test(hardware_is_off_while_its_message_changes),
        cmocka_unit_test(masks_reach_hardware_while_they_concern_something),
        cmocka_unit_test(nothing_that_is_written_breaks_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

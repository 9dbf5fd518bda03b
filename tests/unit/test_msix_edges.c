/* SPDX-License-Identifier: MIT */
/*
 * MSI-X where its table cannot be reached any more, or could never be: BARs at
 * the last addresses, hosts that take their permission back, functions that
 * vanish (MSIX-2, MSIX-3).
 */
#include "msix_card.h"
#include "pcivisor/hidden.h"

/* How many more times the host permits; afterwards it does not. */
static uint64_t permits;

static int permitted(void *ctx, uint32_t domain_id, pcv_hpa address,
                     uint64_t size)
{
    if (permits == 0) {
        return 0;
    }
    permits--;
    return pcv_model_ops()->mmio_permitted(ctx, domain_id, address, size);
}

/* Permits everything, and notes whether it was asked about the last page. */
static bool asked_for_last;

static int permit_all(void *ctx, uint32_t domain_id, pcv_hpa address,
                      uint64_t size)
{
    (void)ctx;
    (void)domain_id;
    (void)size;
    asked_for_last = asked_for_last || address.v >= UINT64_MAX - 0xfffu;
    return 1;
}

/* ---- where it cannot be ----------------------------------------------------
 */

/* MSIX-3: a table that reaches over its BAR's end, or that is larger. */
static void a_table_larger_than_its_bar_is_hidden(void **state)
{
    static const struct {
        uint16_t entries;
        uint32_t size;
        bool shown;
    } rows[] = {
        {256, 0x2000, true},   {512, 0x2000, true},   {513, 0x2000, false},
        {2048, 0x1000, false}, {2048, 0x10000, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vec vec;

        vec_open(&vec);
        pcv_test_pcie_endpoint(&vec.f, 0x8086, 0x10d3);
        pcv_test_bar32(&vec.f, 0, 0xe1230000, rows[i].size);
        pcv_test_bar32(&vec.f, 1, 0xe1240000, 0x1000);
        vec.cap = pcv_test_msix(&vec.f, rows[i].entries, 0, 0, 0);
        pcv_test_set(&vec.f, vec.cap + 8u, 4, 1);
        vec_start(&vec, true);
        assert_int_equal(vec_listed(&vec, PCV_CAP_ID_MSIX),
                         rows[i].shown ? vec.cap : 0);
        vec_close(&vec);
    }
}

/* MSIX-2, PORT-3: the end of the table is where addresses end: what would wrap
 * is not reached, and not asked for. */
static void a_table_at_the_last_address_is_never_touched(void **state)
{
    struct vec vec;

    (void)state;
    build_at(&vec, ENTRIES, (0x10000u - ENTRIES * 16u) | 2u, 2u);
    vec.rig.ops.mmio_permitted = permit_all;
    vec_start(&vec, false);
    asked_for_last = false;
    vec_write(&vec, PCV_REG_COMMAND, 2, 0);
    vec_write(&vec, PCV_REG_BAR0 + 8u, 4, 0xffff0000u);
    vec_write(&vec, PCV_REG_BAR0 + 12u, 4, 0xffffffffu);
    vec_forget(&vec);
    assert_true(vec_mmio_write(&vec, 2, 0x10000u - ENTRIES * 16u, 4, ADDRESS));
    assert_true(vec_mmio_write(&vec, 2, 0x10000u - ENTRIES * 16u + 12, 4, 0));
    control(&vec, ENABLE);
    assert_false(asked_for_last);
    assert_int_equal(vec.logged, 0);
    assert_int_equal(vec.binds, 0);
    assert_int_equal(vec_held(&vec), 0);
    vec_close(&vec);
}

/* ---- permission that ends --------------------------------------------------
 */

/* MSIX-2, PORT-3: at whatever question the host says no from then on: an entry
 * is bound and whole, or it is masked and nothing of it is bound. */
static void a_host_that_takes_permission_back_leaves_no_half_entry(void **state)
{
    bool bound_all = false;

    (void)state;
    for (uint64_t n = 0; !bound_all; n++) {
        struct vec vec;
        uint32_t held;

        build(&vec);
        vec.rig.ops.mmio_permitted = permitted;
        permits = UINT64_MAX;
        vec_start(&vec, false);
        vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        for (uint32_t i = 0; i < ENTRIES; i++) {
            program(&vec, i);
        }
        permits = n;
        control(&vec, ENABLE);
        held = vec_held(&vec);
        assert_int_equal(held, pcv_model_bound(vec.rig.model, NULL));
        for (uint32_t i = 0; i < ENTRIES; i++) {
            uint64_t to = 0;
            uint32_t what = 0;
            enum pcv_model_raised raised =
                vec_raise(&vec, true, (uint16_t)i, &to, &what);

            assert_true(
                raised == (i < held ? PCV_MODEL_DELIVERED : PCV_MODEL_MASKED) ||
                raised == PCV_MODEL_DISABLED);
            if (raised == PCV_MODEL_DELIVERED) {
                assert_int_equal(what, DATA + i);
            }
        }
        bound_all = held == ENTRIES;
        permits = UINT64_MAX;
        vec_close(&vec);
        assert_true(n < 1000);
    }
}

/* MSIX-2, PORT-3: the same when what hardware lost is written again. */
static void what_cannot_be_written_again_is_not_bound(void **state)
{
    uint32_t held = 0;

    (void)state;
    for (uint64_t n = 0; held != ENTRIES; n++) {
        struct vec vec;

        build(&vec);
        vec.rig.ops.mmio_permitted = permitted;
        permits = UINT64_MAX;
        vec_start(&vec, false);
        vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        run(&vec);
        permits = n;
        vec_restore(&vec);
        held = vec_held(&vec);
        assert_int_equal(held, pcv_model_bound(vec.rig.model, NULL));
        permits = UINT64_MAX;
        vec_close(&vec);
        assert_true(n < 1000);
    }
}

/* MSIX-2: vectors are told of as they are bound, though nobody can look. */
static void bound_vectors_are_listed_without_looking(void **state)
{
    struct pcv_bound_vector vector;
    struct vec vec;

    (void)state;
    build(&vec);
    vec.rig.ops.mmio_permitted = permitted;
    permits = UINT64_MAX;
    vec_start(&vec, false);
    vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
    run(&vec);
    permits = 0;
    vec.logged = 0;
    for (uint16_t i = 0; i < ENTRIES; i++) {
        assert_true(pcv_device_next_vector(vec.device, true, i, &vector));
        assert_int_equal(vector.index, i);
        assert_int_equal(vector.data, DATA + i);
    }
    assert_false(pcv_device_next_vector(vec.device, true, ENTRIES, &vector));
    assert_int_equal(vec.logged, 0);
    permits = UINT64_MAX;
    vec_close(&vec);
}

/* ---- what is not there any more --------------------------------------------
 */

/* LIFE-9: whoever was on the way when it vanished binds nothing. */
static void a_function_that_vanished_binds_nothing(void **state)
{
    struct pcv_msi_request request;
    struct pcv_msi_message message;
    struct vec vec;

    (void)state;
    start(&vec, false);
    assert_int_equal(pcv_device_vanished(vec.rig.host, VEC_AT), 0);
    pcv__vector_request(vec.device, &request);
    assert_int_equal(pcv__vector_bind(vec.device, &request, false, &message),
                     -PCV_ENODEV);
    assert_int_equal(vec.binds, 0);
    assert_int_equal(vec_held(&vec), 0);
    vec_close(&vec);
}

/* OWN-1: what is in quarantine has no vectors. */
static void a_function_in_quarantine_lists_no_vectors(void **state)
{
    struct pcv_bound_vector vector;
    int error = -PCV_ERESTART;
    struct vec vec;

    (void)state;
    start(&vec, false);
    run(&vec);
    assert_true(pcv_device_next_vector(vec.device, true, 0, &vector));
    pcv_model_fail(vec.rig.model, PCV_MODEL_OP_dma_attach, 2);
    assert_int_equal(pcv_domain_create(vec.rig.host, VEC_GUEST, &vec.owner), 0);
    for (int i = 0; error == -PCV_ERESTART && i < 100; i++) {
        error =
            pcv_device_assign(vec.rig.host, VEC_AT, vec.owner, NULL, &vec.at);
    }
    assert_int_equal(error, -PCV_EIO);
    assert_false(pcv_device_next_vector(vec.device, true, 0, &vector));
    assert_false(pcv_device_next_vector(vec.device, false, 0, &vector));
    vec_take_back(&vec);
    vec_close(&vec);
}

/* MSIX-1, PORT-3: what a function brought along enabled is bound, or it is off;
 * whatever the host cannot read meanwhile. */
static void what_was_left_enabled_goes_on_or_is_off(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct vec vec;
        uint64_t calls;
        int error;

        build(&vec);
        pcv_test_set(&vec.f, control_of(&vec), 2, ENABLE | (ENTRIES - 1u));
        pcv_test_add(vec.rig.model, &vec.f, VEC_AT);
        rig_create(&vec.rig);
        for (uint32_t i = 0; i < ENTRIES; i++) {
            pcv_model_mmio_poke(vec.rig.model, VEC_AT, BAR, TABLE + 16u * i, 4,
                                ADDRESS);
            pcv_model_mmio_poke(vec.rig.model, VEC_AT, BAR,
                                TABLE + 16u * i + 8u, 4, DATA + i);
            pcv_model_mmio_poke(vec.rig.model, VEC_AT, BAR,
                                TABLE + 16u * i + 12u, 4, 0);
        }
        calls = pcv_model_calls(vec.rig.model, PCV_MODEL_OP_cfg_read);
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_cfg_read, n);
        error = pcv_device_add(vec.rig.host, VEC_AT, NULL);
        pcv_model_fail(vec.rig.model, PCV_MODEL_OP_cfg_read, 0);
        calls = pcv_model_calls(vec.rig.model, PCV_MODEL_OP_cfg_read) - calls;
        if (error == 0) {
            bool bound = vec_held(&vec) == ENTRIES;

            assert_true(bound || vec_held(&vec) == 0);
            assert_true(hw_on(&vec) == bound ||
                        rig_events(&vec.rig, PCV_EVENT_CAP_HIDDEN) != 0);
        } else {
            assert_int_equal(error, -PCV_EIO);
            assert_int_equal(pcv_model_bound(vec.rig.model, NULL), 0);
        }
        rig_close(&vec.rig);
        if (calls < n) {
            assert_int_equal(error, 0);
            break;
        }
    }
}

/* ---- over another's registers ----------------------------------------------
 */

#define OTHER pcv_test_at(0, 0, 2, 0)
#define OTHERS 0xe1230000u /* where the card has its BAR as well */
#define OTHERS_SIZE 0x4000u

static bool others_hidden; /* and not concealed */

static void take_other(struct vec *vec)
{
    static const struct pcv_hide_info used = {
        .range_count = 1, .range = {{.bar = 0, .size = OTHERS_SIZE}}};
    struct pcv_host *host = vec->rig.host;

    assert_int_equal(pcv_device_add(host, OTHER, NULL), 0);
    assert_int_equal(others_hidden ? pcv_device_hide(host, OTHER, &used, NULL)
                                   : pcv_device_conceal(host, OTHER, 0, NULL),
                     0);
}

/* OWN-7, OWN-8, MSIX-2: BARs of two functions may be at one address, by mistake
 * or on purpose. */
static void a_table_is_not_looked_for_in_the_hypervisors_registers(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct pcv_test_function f;
        struct vec vec;
        uint64_t bits;

        others_hidden = (i & 1) != 0;
        build(&vec);
        pcv_test_endpoint(&f, 0x1b36, 0x0002);
        pcv_test_bar32(&f, 0, OTHERS, OTHERS_SIZE);
        pcv_test_set(&f, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY);
        pcv_test_add(vec.rig.model, &f, OTHER);
        vec.before = take_other;
        vec_start(&vec, (i & 2) != 0);
        vec_write(&vec, PCV_REG_COMMAND, 2, PCV_CMD_MEMORY | PCV_CMD_MASTER);
        control(&vec, ENABLE);
        program(&vec, 0);
        assert_true(vec_mmio_read(&vec, BAR, PBA, 8, &bits));
        assert_int_equal(bits, UINT64_MAX);
        assert_int_equal(vec_held(&vec), 0);
        for (size_t n = 0; n < vec.logged; n++) {
            assert_false(vec.log[n].address >= OTHERS &&
                         vec.log[n].address - OTHERS < OTHERS_SIZE);
        }
        vec_close(&vec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_larger_than_its_bar_is_hidden),
        cmocka_unit_test(a_table_at_the_last_address_is_never_touched),
        cmocka_unit_test(
            a_host_that_takes_permission_back_leaves_no_half_entry),
        cmocka_unit_test(what_cannot_be_written_again_is_not_bound),
        cmocka_unit_test(bound_vectors_are_listed_without_looking),
        cmocka_unit_test(a_function_that_vanished_binds_nothing),
        cmocka_unit_test(a_function_in_quarantine_lists_no_vectors),
        cmocka_unit_test(what_was_left_enabled_goes_on_or_is_off),
        cmocka_unit_test(
            a_table_is_not_looked_for_in_the_hypervisors_registers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

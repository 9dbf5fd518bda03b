/* SPDX-License-Identifier: MIT */
/*
 * The modelled interrupt controller: which messages are bound, and which ones
 * it takes (host/model/remap.c).
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "messages.h"

/* ---- the interrupt controller ---------------------------------------------
 */

/* SIM-2 */
static void a_message_that_is_not_bound_is_nobodys(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);
    struct pcv_msi_request r = request(AT, true, 0, 1);
    struct pcv_msi_message good = bind(model, &r);
    struct pcv_msi_message bad[6];

    (void)state;
    pcv_test_write(model, AT, CONTROL, 2, ENABLE);
    for (size_t i = 0; i < 6; i++) {
        bad[i] = good;
    }
    bad[0].data++;
    bad[1].data--;
    bad[2].address++;
    bad[3].address += 4;
    bad[4].address |= UINT64_C(1) << 40;
    bad[5].address = r.address; /* what its owner wrote, untranslated */
    bad[5].data = r.data;
    for (size_t i = 0; i < 6; i++) {
        entry(model, 0, &bad[i], 0);
        assert_int_equal(raise_x(model, 0), PCV_MODEL_UNKNOWN);
    }
    entry(model, 0, &(struct pcv_msi_message){0, 0}, 0);
    assert_int_equal(raise_x(model, 0), PCV_MODEL_UNKNOWN);
    entry(model, 0, &good, 0);
    assert_int_equal(raise_x(model, 0), PCV_MODEL_DELIVERED);
    ops()->msi_unbind(model, &r);
    assert_int_equal(raise_x(model, 0), PCV_MODEL_UNKNOWN);
    assert_int_equal(told.count, 1);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void data_beyond_the_block_is_nobodys(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, false, 0x000a);
    struct pcv_msi_request r = request(AT, false, 0, 4);
    struct pcv_msi_message m = bind(model, &r);

    (void)state;
    msi_on(model, false, &m, 3); /* eight are enabled, four are bound */
    assert_int_equal(raise_m(model, 3), PCV_MODEL_DELIVERED);
    assert_int_equal(raise_m(model, 4), PCV_MODEL_UNKNOWN);
    assert_int_equal(raise_m(model, 7), PCV_MODEL_UNKNOWN);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_message_of_another_requester_is_found_out(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);
    struct pcv_msi_request r = request(OTHER, true, 0, 1);
    struct pcv_msi_message m = bind(model, &r);

    (void)state;
    entry(model, 0, &m, 0);
    pcv_test_write(model, AT, CONTROL, 2, ENABLE);
    assert_int_equal(raise_x(model, 0), PCV_MODEL_FOREIGN);
    assert_int_equal(told.count, 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void a_requester_is_known_by_the_bus_number_that_it_has_now(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    pcv_sbdf bridge = pcv_test_at(0, 0, 1, 0);
    pcv_sbdf leaf = pcv_test_at(0, 1, 0, 0);
    struct pcv_msi_request r = request(pcv_test_at(0, 5, 0, 0), false, 0, 1);
    struct pcv_msi_message m;

    (void)state;
    pcv_test_port(&f, PCV_PCIE_TYPE_ROOT_PORT, 0, 1, 1);
    pcv_test_add(model, &f, bridge);
    pcv_test_endpoint(&f, 0x8086, 1);
    (void)pcv_test_msi(&f, 0);
    pcv_test_add(model, &f, leaf);
    pcv_test_ready(model);
    m = bind(model, &r);
    pcv_test_write(model, leaf, PCV_REG_COMMAND, 2, PCV_CMD_MASTER);
    pcv_test_write(model, leaf, 0x44, 4, (uint32_t)m.address);
    pcv_test_write(model, leaf, 0x48, 2, m.data & 0xffffu);
    pcv_test_write(model, leaf, CONTROL, 2, 1);
    assert_int_equal(pcv_model_raise(model, leaf, false, 0, NULL),
                     PCV_MODEL_FOREIGN);
    pcv_test_write(model, bridge, PCV_REG_PRIMARY, 4, 0x00050500);
    assert_int_equal(pcv_model_raise(model, leaf, false, 0, NULL),
                     PCV_MODEL_DELIVERED);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void binding_again_replaces_and_the_old_message_is_nobodys(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);
    struct pcv_msi_request r = request(AT, true, 0, 1);
    struct pcv_msi_message old = bind(model, &r);
    struct pcv_msi_message now;
    pcv_sbdf at = AT;

    (void)state;
    r.domain_id = 9;
    now = bind(model, &r);
    assert_int_equal(pcv_model_bound(model, &at), 1);
    pcv_test_write(model, AT, CONTROL, 2, ENABLE);
    entry(model, 0, &old, 0);
    assert_int_equal(raise_x(model, 0), PCV_MODEL_UNKNOWN);
    entry(model, 0, &now, 0);
    assert_int_equal(raise_x(model, 0), PCV_MODEL_DELIVERED);
    assert_int_equal(told.last.domain_id, 9);
    /* If that fails the old binding is gone nevertheless. */
    pcv_model_fail(model, PCV_MODEL_OP_msi_bind, 1);
    assert_int_equal(ops()->msi_bind(model, &r, &old), -PCV_EIO);
    assert_int_equal(raise_x(model, 0), PCV_MODEL_UNKNOWN);
    assert_int_equal(pcv_model_bound(model, NULL), 0);
    assert_int_equal(pcv_model_bind_errors(model), 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void messages_are_counted_for_each_requester(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);
    struct pcv_msi_request r[3];
    pcv_sbdf at = AT, other = OTHER, nobody = pcv_test_at(3, 0, 0, 0);

    (void)state;
    r[0] = request(AT, false, 0, 16);
    r[1] = request(AT, true, 2047, 1);
    r[2] = request(OTHER, true, 2047, 1);
    for (size_t i = 0; i < 3; i++) {
        (void)bind(model, &r[i]);
    }
    assert_int_equal(pcv_model_bound(model, NULL), 18);
    assert_int_equal(pcv_model_bound(model, &at), 17);
    assert_int_equal(pcv_model_bound(model, &other), 1);
    assert_int_equal(pcv_model_bound(model, &nobody), 0);
    ops()->msi_unbind(model, &r[0]);
    assert_int_equal(pcv_model_bound(model, NULL), 2);
    ops()->msi_unbind(model, &r[2]);
    assert_int_equal(pcv_model_bound(model, &other), 0);
    assert_int_equal(pcv_model_bound(model, &at), 1);
    assert_int_equal(pcv_model_bind_errors(model), 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void requests_that_break_the_contract_are_counted(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);
    struct pcv_msi_request bad[9];
    struct pcv_msi_message m;

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        bad[i] = request(AT, i >= 6, 0, i >= 6 ? 1 : 4);
    }
    bad[0].count = 3;
    bad[1].count = 0;
    bad[2].count = 64;
    bad[3].data |= 2;
    bad[4].data |= 0x10000;
    bad[5].index = 1;
    bad[6].count = 2;
    bad[7].count = 0;
    bad[8].index = 2048;
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(ops()->msi_bind(model, &bad[i], &m), -PCV_EINVAL);
        assert_int_equal(pcv_model_bind_errors(model), i + 1);
    }
    assert_int_equal(pcv_model_bound(model, NULL), 0);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void unbinding_what_is_not_bound_is_counted(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);
    struct pcv_msi_request r = request(AT, true, 3, 1);
    struct pcv_msi_request wrong;

    (void)state;
    ops()->msi_unbind(model, &r);
    assert_int_equal(pcv_model_bind_errors(model), 1);
    (void)bind(model, &r);
    wrong = r;
    wrong.index = 4;
    ops()->msi_unbind(model, &wrong);
    assert_int_equal(pcv_model_bind_errors(model), 2);
    assert_int_equal(pcv_model_bound(model, NULL), 1);
    wrong = r; /* the vector, but not as it was bound: it goes, and shows */
    wrong.data++;
    ops()->msi_unbind(model, &wrong);
    assert_int_equal(pcv_model_bind_errors(model), 3);
    assert_int_equal(pcv_model_bound(model, NULL), 0);
    ops()->msi_unbind(model, &r);
    assert_int_equal(pcv_model_bind_errors(model), 4);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void thousands_of_bindings_have_messages_of_their_own(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);
    struct pcv_msi_message first, message;

    (void)state;
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 6000; i++) {
            struct pcv_msi_request r =
                request((pcv_sbdf){i / 60}, true, (uint16_t)(i % 60), 1);

            message = bind(model, &r);
            if (i == 0) {
                first = message;
            } else {
                assert_true(message.address != first.address);
            }
        }
    }
    assert_int_equal(pcv_model_bound(model, NULL), 6000);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void binding_again_and_again_never_runs_out(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, false, 0);
    struct pcv_msi_request r = request(AT, false, 0, 32);

    (void)state;
    for (uint32_t i = 0; i < (1u << 18) + 10; i++) {
        struct pcv_msi_message m = bind(model, &r);

        /* Nor is the data what it is after reset, or too wide. */
        assert_in_range(m.data, 1, 0xffff);
        assert_int_equal(m.data & 31u, 0);
    }
    assert_int_equal(pcv_model_bound(model, NULL), 32);
    pcv_model_destroy(model);
}

/* ---- threads --------------------------------------------------------------
 */

#define ROUNDS 2000u

struct worker {
    struct pcv_model *model;
    uint16_t vector;
    unsigned lost;
};

/* Bind, program, raise and unbind one's own vector. */
static void *work(void *arg)
{
    struct worker *w = arg;
    struct pcv_msi_request r = request(AT, true, w->vector, 1);
    uint64_t at = TABLE + UINT64_C(16) * w->vector;

    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct pcv_msi_message m;

        if (ops()->msi_bind(w->model, &r, &m) != 0 ||
            ops()->mmio_write(w->model, (pcv_hpa){at}, 8, m.address) != 0 ||
            ops()->mmio_write(w->model, (pcv_hpa){at + 8}, 8, m.data) != 0 ||
            raise_x(w->model, w->vector) != PCV_MODEL_DELIVERED) {
            w->lost++;
        }
        ops()->msi_unbind(w->model, &r);
    }
    return NULL;
}

static void count_up(void *arg, const struct pcv_model_message *message)
{
    (void)message;
    (void)atomic_fetch_add((_Atomic unsigned *)arg, 1);
}

/* SIM-2 */
static void vectors_are_raised_from_several_threads(void **state)
{
    struct told told;
    struct pcv_model *model = machine(&told, true, 0);
    _Atomic unsigned count = 0;
    struct worker worker[4];
    pthread_t thread[4];

    (void)state;
    pcv_model_on_message(model, count_up, &count);
    pcv_test_write(model, AT, CONTROL, 2, ENABLE);
    for (uint16_t i = 0; i < 4; i++) {
        worker[i] = (struct worker){model, i, 0};
        assert_int_equal(pthread_create(&thread[i], NULL, work, &worker[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_int_equal(worker[i].lost, 0);
    }
    assert_int_equal(count, 4 * ROUNDS);
    assert_int_equal(pcv_model_bound(model, NULL), 0);
    assert_int_equal(pcv_model_bind_errors(model), 0);
    pcv_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_that_is_not_bound_is_nobodys),
        cmocka_unit_test(data_beyond_the_block_is_nobodys),
        cmocka_unit_test(a_message_of_another_requester_is_found_out),
        cmocka_unit_test(
            a_requester_is_known_by_the_bus_number_that_it_has_now),
        cmocka_unit_test(binding_again_replaces_and_the_old_message_is_nobodys),
        cmocka_unit_test(messages_are_counted_for_each_requester),
        cmocka_unit_test(requests_that_break_the_contract_are_counted),
        cmocka_unit_test(unbinding_what_is_not_bound_is_counted),
        cmocka_unit_test(thousands_of_bindings_have_messages_of_their_own),
        cmocka_unit_test(binding_again_and_again_never_runs_out),
        cmocka_unit_test(vectors_are_raised_from_several_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

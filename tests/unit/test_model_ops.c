/* SPDX-License-Identifier: MIT */
/*
 * The modelled host's operations: what they answer, what is counted, and
 * failures on demand (host/model/ops.c); and what the model tells of its
 * functions (model.c).
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machines.h"

#define AT PCV_TEST_ALONE

static const struct pcv_host_ops *ops(void)
{
    return pcv_model_ops();
}

static struct pcv_model *endpoint_machine(void)
{
    struct pcv_test_function f;

    pcv_test_pcie_endpoint(&f, 0x8086, 1);
    pcv_test_bar32(&f, 0, 0xe1234000, 0x1000);
    f.fn.has_node = true;
    f.fn.node = 3;
    return pcv_test_alone(&f);
}

/* ---- failures -------------------------------------------------------------
 */

static int cfg_read(struct pcv_model *model)
{
    uint32_t value;

    return ops()->cfg_read(model, AT, 0, 4, &value);
}

/* SIM-3 */
static void the_nth_call_fails_once_and_no_other(void **state)
{
    struct pcv_model *model = endpoint_machine();

    (void)state;
    assert_int_equal(cfg_read(model), 0);
    pcv_model_fail(model, PCV_MODEL_OP_cfg_read, 2);
    assert_int_equal(cfg_read(model), 0);
    assert_int_equal(cfg_read(model), -PCV_EIO);
    assert_int_equal(cfg_read(model), 0);
    assert_int_equal(pcv_model_calls(model, PCV_MODEL_OP_cfg_read), 4);
    pcv_model_fail(model, PCV_MODEL_OP_cfg_read, 1);
    pcv_model_fail(model, PCV_MODEL_OP_cfg_read, 0);
    assert_int_equal(cfg_read(model), 0);
    pcv_model_destroy(model);
}

/* Operations that reach a device or speak of one. */
static int call_device(struct pcv_model *model, enum pcv_model_op op)
{
    struct pcv_msi_request request = {.sbdf = AT, .count = 1};
    struct pcv_msi_message message;
    pcv_hpa place = {0xe1234000};
    uint64_t value;

    switch (op) {
    case PCV_MODEL_OP_mmio_read:
        return ops()->mmio_read(model, place, 4, &value);
    case PCV_MODEL_OP_mmio_write:
        return ops()->mmio_write(model, place, 4, 1);
    case PCV_MODEL_OP_msi_bind:
        return ops()->msi_bind(model, &request, &message);
    case PCV_MODEL_OP_dma_attach:
        return ops()->dma_attach(model, AT, 5);
    case PCV_MODEL_OP_dma_permitted: {
        int permitted = ops()->dma_permitted(model, AT, 1);
        return permitted == 1 ? 0 : permitted;
    }
    case PCV_MODEL_OP_bar_place:
        return ops()->bar_place(model, AT, 0, 0x1000, &place);
    default:
        return -PCV_EINVAL;
    }
}

/* Call the operation once; 0 if it worked. */
static int call(struct pcv_model *model, enum pcv_model_op op)
{
    struct pcv_segment_info info;
    uint32_t node;
    int64_t pages;
    void *memory;

    switch (op) {
    case PCV_MODEL_OP_alloc:
        memory = ops()->alloc(model, 100);
        if (memory == NULL) {
            return -PCV_EIO;
        }
        ops()->free(model, memory, 100);
        return 0;
    case PCV_MODEL_OP_cfg_read:
        return cfg_read(model);
    case PCV_MODEL_OP_cfg_write:
        return ops()->cfg_write(model, AT, PCV_REG_COMMAND, 2, 2);
    case PCV_MODEL_OP_segment:
        return ops()->segment(model, 0, &info);
    case PCV_MODEL_OP_node:
        return ops()->node(model, AT, &node);
    case PCV_MODEL_OP_map:
        pages = ops()->map(model, 0, (pcv_gpa){0x1000}, (pcv_hpa){0x1000}, 1);
        return pages == 1 ? 0 : (int)pages;
    case PCV_MODEL_OP_map_read_only:
        pages = ops()->map_read_only(model, 0, (pcv_gpa){0x1000},
                                     (pcv_hpa){0x1000}, 1);
        return pages == 1 ? 0 : (int)pages;
    case PCV_MODEL_OP_unmap:
        pages = ops()->unmap(model, 0, (pcv_gpa){0x1000}, 1);
        return pages == 1 ? 0 : (int)pages;
    default:
        return call_device(model, op);
    }
}

/* SIM-3 */
static void every_kind_of_operation_can_fail_and_has_a_name(void **state)
{
    struct pcv_model *model = endpoint_machine();
    enum pcv_model_op found;

    (void)state;
    for (unsigned i = 0; i < PCV_MODEL_OP_COUNT; i++) {
        enum pcv_model_op op = (enum pcv_model_op)i;
        uint64_t calls = pcv_model_calls(model, op);

        pcv_model_fail(model, op, 1);
        assert_int_equal(call(model, op), -PCV_EIO);
        assert_int_equal(call(model, op), 0);
        assert_int_equal(pcv_model_calls(model, op), calls + 2);
        assert_true(pcv_model_op_by_name(pcv_model_op_name(op), &found));
        assert_int_equal(found, op);
    }
    assert_false(pcv_model_op_by_name("frobnicate", &found));
    assert_int_equal(pcv_model_peek(model, AT, PCV_REG_COMMAND, 2), 2);
    pcv_model_destroy(model);
}

/* SIM-3 */
static void memory_is_counted_to_the_byte_and_never_zero(void **state)
{
    struct pcv_model *model = endpoint_machine();
    uint8_t *a = ops()->alloc(model, 100);
    uint8_t *b = ops()->alloc(model, 7);

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(pcv_model_bytes(model), 107);
    assert_int_not_equal(a[99], 0);
    ops()->free(model, a, 100);
    assert_int_equal(pcv_model_bytes(model), 7);
    ops()->free(model, b, 7);
    assert_int_equal(pcv_model_bytes(model), 0);
    pcv_model_destroy(model);
}

/* ---- what the host knows --------------------------------------------------
 */

/* SIM-2 */
static void segments_and_nodes_are_those_of_the_functions(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    struct pcv_segment_info info;
    uint32_t node = 99;

    (void)state;
    pcv_test_endpoint(&f, 0x8086, 1);
    f.fn.has_node = true;
    f.fn.node = 3;
    pcv_test_add(model, &f, pcv_test_at(0xffff, 0, 0, 0));
    f.fn.has_node = false;
    pcv_test_add(model, &f, pcv_test_at(2, 0, 0, 0));
    pcv_test_ready(model);
    assert_int_equal(ops()->segment(model, 0, &info), 0);
    assert_int_equal(info.segment, 2);
    assert_int_equal(ops()->segment(model, 1, &info), 0);
    assert_int_equal(info.segment, 0xffff);
    assert_int_equal(info.bus_first, 0);
    assert_int_equal(info.bus_last, 255);
    assert_int_equal(ops()->segment(model, 2, &info), -PCV_ENOENT);
    assert_int_equal(ops()->node(model, pcv_test_at(2, 0, 0, 0), &node),
                     -PCV_ENOENT);
    assert_int_equal(ops()->node(model, pcv_test_at(0xffff, 0, 0, 0), &node),
                     0);
    assert_int_equal(node, 3);
    pcv_model_destroy(model);
}

/* SIM-2 */
static void only_host_bridges_and_tests_have_bar_sizes_stated(void **state)
{
    struct pcv_test_function f;
    struct pcv_model *model;
    struct pcv_bar_hint hint = {77};

    (void)state;
    pcv_test_host_bridge(&f);
    pcv_test_bar32(&f, 0, 0xe0000000, 0x10000000);
    model = pcv_test_alone(&f);
    assert_int_equal(ops()->bar_hint(model, AT, 0, &hint), 0);
    assert_int_equal(hint.size, 0x10000000);
    assert_int_equal(ops()->bar_hint(model, AT, 1, &hint), 0);
    assert_int_equal(hint.size, 0);
    pcv_model_destroy(model);
    model = endpoint_machine();
    assert_int_equal(ops()->bar_hint(model, AT, 0, &hint), -PCV_ENOENT);
    assert_int_equal(pcv_model_set_bar_hint(model, AT, 0, 0x2000), 0);
    assert_int_equal(pcv_model_set_bar_hint(model, AT, 7, 1), -PCV_EINVAL);
    assert_int_equal(ops()->bar_hint(model, AT, 0, &hint), 0);
    assert_int_equal(hint.size, 0x2000);
    pcv_model_destroy(model);
}

/* ---- who looks on ---------------------------------------------------------
 */

struct seen {
    unsigned accesses;
    struct pcv_model_cfg last;
};

static void see(void *arg, const struct pcv_model_cfg *access)
{
    struct seen *seen = arg;

    seen->accesses++;
    seen->last = *access;
}

/* SIM-2 */
static void every_access_to_hardware_is_shown_and_no_peek_or_poke(void **state)
{
    struct pcv_model *model = endpoint_machine();
    struct seen seen;

    (void)state;
    memset(&seen, 0, sizeof(seen));
    pcv_model_watch(model, see, &seen);
    assert_int_equal(pcv_test_read(model, AT, 2, 2), 1);
    assert_int_equal(seen.accesses, 1);
    assert_int_equal(seen.last.value, 1);
    pcv_test_write(model, pcv_test_at(0, 0, 9, 0), 4, 1, 0xab);
    assert_int_equal(seen.accesses, 2);
    assert_true(seen.last.write && seen.last.value == 0xab);
    pcv_model_poke(model, AT, 0, 2, 0x1234);
    assert_int_equal(pcv_model_peek(model, AT, 0, 4), 0x00011234);
    assert_int_equal(pcv_model_peek(model, AT, 1, 2), 0xffffffff);
    pcv_model_poke(model, AT, 0xfff, 1, 0x77);
    assert_int_equal(pcv_model_peek(model, AT, 0xffc, 4), 0x77000000);
    assert_int_equal(seen.accesses, 2);
    pcv_model_destroy(model);
}

/* ---- several threads ------------------------------------------------------
 */

#define ROUNDS 2000u

struct worker {
    struct pcv_model *model;
    uint32_t cpu;
    uint32_t torn;
};

/* Write a register whole, and renumber a bridge; read both. */
static void *work(void *arg)
{
    struct worker *w = arg;

    w->cpu = ops()->this_cpu(w->model);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t pattern = (i & 0xffu) * 0x01010101u;
        uint32_t value;
        pcv_sbdf leaf = pcv_test_at(0, 1, 0, 0);

        pcv_test_write(w->model, leaf, 0x44, 4, pattern);
        value = pcv_test_read(w->model, leaf, 0x44, 4);
        w->torn += value != (value & 0xffu) * 0x01010101u;
        pcv_test_write(w->model, AT, PCV_REG_PRIMARY, 4,
                       i % 2 == 0 ? 0 : 0x00010100);
    }
    return NULL;
}

/* SIM-2 */
static void accesses_from_several_threads_are_whole(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    struct worker worker[4];
    pthread_t thread[4];

    (void)state;
    pcv_test_bridge(&f, 0, 1, 1);
    pcv_test_add(model, &f, AT);
    pcv_test_endpoint(&f, 0x8086, 1);
    (void)pcv_test_cap(&f, PCV_CAP_ID_VPD, 8); /* data at 0x44 */
    pcv_test_add(model, &f, pcv_test_at(0, 1, 0, 0));
    pcv_test_ready(model);
    for (size_t i = 0; i < 4; i++) {
        worker[i] = (struct worker){model, 0, 0};
        assert_int_equal(pthread_create(&thread[i], NULL, work, &worker[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_true(worker[i].cpu < 64);
        assert_int_equal(worker[i].torn, 0);
    }
    assert_int_equal(pcv_model_calls(model, PCV_MODEL_OP_cfg_read), 4 * ROUNDS);
    assert_int_equal(pcv_model_calls(model, PCV_MODEL_OP_cfg_write),
                     8 * ROUNDS);
    pcv_model_destroy(model);
}

/* ---- what the model tells -------------------------------------------------
 */

/* SIM-1 */
static void functions_are_listed_in_address_order(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    struct pcv_model_facts facts;

    (void)state;
    pcv_test_endpoint(&f, 0x8086, 1);
    f.fn.name = "second";
    pcv_test_add(model, &f, pcv_test_at(1, 0, 0, 0));
    f.fn.name = "first";
    pcv_test_add(model, &f, pcv_test_at(0, 255, 31, 7));
    f.fn.config = f.config;
    assert_int_equal(pcv_model_add(model, &f.fn), -PCV_EEXIST);
    f.fn.config_size = 64;
    f.fn.sbdf = AT;
    assert_int_equal(pcv_model_add(model, &f.fn), -PCV_EINVAL);
    pcv_test_ready(model);
    f.fn.config_size = 256;
    assert_int_equal(pcv_model_add(model, &f.fn), -PCV_EINVAL);
    assert_int_equal(pcv_model_count(model), 2);
    assert_true(pcv_model_facts_at(model, 0, &facts));
    assert_string_equal(facts.name, "first");
    assert_true(pcv_model_facts_at(model, 1, &facts));
    assert_string_equal(facts.name, "second");
    assert_int_equal(pcv_sbdf_segment(facts.sbdf), 1);
    assert_false(pcv_model_facts_at(model, 2, &facts));
    assert_false(pcv_model_facts_of(model, AT, &facts));
    pcv_model_destroy(model);
}

/* SIM-1 */
static void domains_above_ffff_stand_at_a_free_segment(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_test_function f;
    uint16_t segment = 0;

    (void)state;
    pcv_test_endpoint(&f, 0x8086, 1);
    pcv_test_add(model, &f, pcv_test_at(0xffff, 0, 0, 0));
    assert_int_equal(pcv_model_intern_domain(model, 0x10000, &segment), 0);
    assert_int_equal(segment, 0xfffe);
    assert_int_equal(pcv_model_intern_domain(model, 0x10000, &segment), 0);
    assert_int_equal(segment, 0xfffe);
    assert_int_equal(pcv_model_intern_domain(model, 7, &segment), 0);
    assert_int_equal(segment, 7);
    assert_int_equal(pcv_model_intern_domain(model, 0xfffe, &segment),
                     -PCV_ENOSPC);
    assert_int_equal(pcv_model_domain_of(model, 0xfffe), 0x10000);
    assert_int_equal(pcv_model_domain_of(model, 0xffff), 0xffff);
    assert_true(pcv_model_segment_of(model, 0x10000, &segment));
    assert_int_equal(segment, 0xfffe);
    assert_false(pcv_model_segment_of(model, 0x10001, &segment));
    assert_false(pcv_model_segment_of(model, 9, &segment));
    pcv_test_ready(model);
    assert_int_equal(pcv_model_intern_domain(model, 1, &segment), -PCV_EINVAL);
    pcv_model_destroy(model);
}

/* SIM-1 */
static void a_machine_without_functions_is_no_error(void **state)
{
    struct pcv_model *model = pcv_test_model();
    struct pcv_model_error error;
    struct pcv_segment_info info;

    (void)state;
    assert_int_equal(pcv_model_ready(model, &error), 0);
    assert_int_equal(ops()->segment(model, 0, &info), -PCV_ENOENT);
    assert_int_equal(pcv_model_ready(model, &error), -PCV_EINVAL);
    assert_int_equal(error.line, 0);
    pcv_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_call_fails_once_and_no_other),
        cmocka_unit_test(every_kind_of_operation_can_fail_and_has_a_name),
        cmocka_unit_test(memory_is_counted_to_the_byte_and_never_zero),
        cmocka_unit_test(segments_and_nodes_are_those_of_the_functions),
        cmocka_unit_test(only_host_bridges_and_tests_have_bar_sizes_stated),
        cmocka_unit_test(every_access_to_hardware_is_shown_and_no_peek_or_poke),
        cmocka_unit_test(accesses_from_several_threads_are_whole),
        cmocka_unit_test(functions_are_listed_in_address_order),
        cmocka_unit_test(domains_above_ffff_stand_at_a_free_segment),
        cmocka_unit_test(a_machine_without_functions_is_no_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

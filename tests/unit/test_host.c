/* SPDX-License-Identifier: MIT */
/* Making a host: what the port must provide, and words for errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines.h"
#include "pcivisor/pcivisor.h"

static const struct pcv_host_config good = {.page_shift = 12, .cpus = 64};

static int create(struct pcv_model *model, const struct pcv_host_ops *ops,
                  const struct pcv_host_config *config)
{
    struct pcv_host *host = NULL;
    int error = pcv_host_create(ops, model, config, &host);

    assert_true(error == 0 ? host != NULL : host == NULL);
    assert_int_equal(pcv_host_destroy(host), 0);
    return error;
}

/* PORT-1 */
static void a_port_without_a_required_operation_is_refused(void **state)
{
    struct pcv_model *model = pcv_model_create(1);
    struct pcv_host_ops ops;

    (void)state;
#define WITHOUT(name)                                                          \
    ops = *pcv_model_ops();                                                    \
    ops.name = NULL;                                                           \
    assert_int_equal(create(model, &ops, &good), -PCV_EINVAL);
    WITHOUT(alloc)
    WITHOUT(free)
    WITHOUT(cfg_read)
    WITHOUT(cfg_write)
    WITHOUT(segment)
    WITHOUT(map)
    WITHOUT(unmap)
#undef WITHOUT
    ops = *pcv_model_ops();
    ops.map = NULL;
    ops.unmap = NULL;
    assert_int_equal(create(model, &ops, &good), 0);
    ops.this_cpu = NULL; /* needed where lock order is checked */
    assert_int_equal(create(model, &ops, &good), PCV_DEBUG ? -PCV_EINVAL : 0);
    pcv_model_destroy(model);
}

/* PORT-1 */
static void a_shorter_table_lacks_what_lies_beyond_its_end(void **state)
{
    struct pcv_model *model = pcv_model_create(1);
    struct pcv_host_ops ops = *pcv_model_ops();

    (void)state;
    assert_int_equal(create(model, &ops, &good), 0);
    ops.size = offsetof(struct pcv_host_ops, segment);
    assert_int_equal(create(model, &ops, &good), -PCV_EINVAL);
    ops.size = 1;
    assert_int_equal(create(model, &ops, &good), -PCV_EINVAL);
    ops.size = sizeof(ops) + 64; /* a newer host's table */
    assert_int_equal(create(model, &ops, &good), 0);
    pcv_model_destroy(model);
}

/* PORT-1 */
static void page_sizes_are_4_16_and_64_kib(void **state)
{
    struct pcv_model *model = pcv_model_create(1);

    (void)state;
    for (uint32_t shift = 0; shift < 40; shift++) {
        const struct pcv_host_config config = {.page_shift = shift, .cpus = 64};
        bool known = shift == 12 || shift == 14 || shift == 16;

        assert_int_equal(create(model, pcv_model_ops(), &config),
                         known ? 0 : -PCV_EINVAL);
    }
    assert_int_equal(create(model, pcv_model_ops(), NULL), -PCV_EINVAL);
    assert_int_equal(create(model, NULL, &good), -PCV_EINVAL);
    pcv_model_destroy(model);
}

/* PORT-3 */
static void a_host_without_memory_is_not_made(void **state)
{
    struct pcv_model *model = pcv_model_create(1);
    unsigned failures = 0;

    (void)state;
    for (uint64_t n = 1; n < 100; n++) {
        int error;

        pcv_model_fail(model, PCV_MODEL_OP_alloc, n);
        error = create(model, pcv_model_ops(), &good);
        pcv_model_fail(model, PCV_MODEL_OP_alloc, 0);
        assert_int_equal(pcv_model_bytes(model), 0);
        if (error == 0) {
            break;
        }
        assert_int_equal(error, -PCV_ENOMEM);
        failures++;
    }
    assert_int_equal(failures, PCV_DEBUG ? 2 : 1);
    pcv_model_destroy(model);
}

static void every_error_has_a_name_and_a_meaning(void **state)
{
    (void)state;
#define CHECK_ERROR(name, value, meaning)                                      \
    assert_string_equal(pcv_errno_name(-(value)), #name);                      \
    assert_string_equal(pcv_errno_name(value), #name);                         \
    assert_string_equal(pcv_errno_meaning(-(value)), meaning);
    PCV_ERRORS(CHECK_ERROR)
#undef CHECK_ERROR
    assert_string_equal(pcv_errno_name(-4000), "E?");
    assert_string_equal(pcv_errno_meaning(0), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_without_a_required_operation_is_refused),
        cmocka_unit_test(a_shorter_table_lacks_what_lies_beyond_its_end),
        cmocka_unit_test(page_sizes_are_4_16_and_64_kib),
        cmocka_unit_test(a_host_without_memory_is_not_made),
        cmocka_unit_test(every_error_has_a_name_and_a_meaning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

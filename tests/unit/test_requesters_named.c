/* SPDX-License-Identifier: MIT */
/* Requester IDs that the host names, since it knows the chip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "joined.h"
#include "pcivisor/requester.h"

#define DOM0 PCV_DOMAIN_ID_HARDWARE

/* ---- those that are named --------------------------------------------------
 */

/* TOPO-5 */
static void an_id_that_a_quirk_names_follows_the_function(void **state)
{
    const pcv_sbdf also = pcv_test_at(0, 0, 3, 1);
    struct joined j;
    pcv_sbdf found;

    (void)state;
    joined_start(&j);
    assert_int_equal(pcv_model_send_as(j.h.model, JOINED_ALONE, &also), 0);
    assert_int_equal(joined_dma(&j, JOINED_ALONE), JOINED_NOBODY);
    assert_int_equal(pcv_device_add_requester(j.h.host, JOINED_ALONE, also), 0);
    assert_int_equal(pcv_device_add_requester(j.h.host, JOINED_ALONE, also), 0);
    assert_int_equal(joined_dma(&j, JOINED_ALONE), DOM0);
    assert_int_equal(joined_give(&j, JOINED_ALONE, 1), 0);
    assert_int_equal(joined_dma(&j, JOINED_ALONE), 8);
    assert_true(pcv_requester_next_user(j.h.host, also, (pcv_sbdf){0}, &found));
    assert_int_equal(found.v, JOINED_ALONE.v);
    assert_int_equal(joined_home(&j, JOINED_ALONE), 0);
    assert_int_equal(joined_dma(&j, JOINED_ALONE), DOM0);
    joined_remove(&j, JOINED_ALONE);
    assert_false(
        pcv_requester_next_user(j.h.host, also, (pcv_sbdf){0}, &found));
    hosted_end(&j.h);
}

/* TOPO-5 */
static void a_named_id_that_another_function_has_is_shared(void **state)
{
    struct joined j;

    (void)state;
    joined_start(&j);
    assert_int_equal(
        pcv_device_add_requester(j.h.host, JOINED_ALONE, JOINED_OLD), 0);
    assert_int_equal(joined_id(&j, JOINED_OLD), DOM0);
    assert_int_equal(joined_take(&j, JOINED_OLD), 0);
    assert_int_equal(joined_id(&j, JOINED_OLD), DOM0); /* the other's still */
    assert_int_equal(joined_take(&j, JOINED_ALONE), 0);
    assert_int_equal(joined_id(&j, JOINED_OLD), JOINED_NOBODY);
    assert_int_equal(joined_give(&j, JOINED_ALONE, 0), 0);
    assert_int_equal(joined_id(&j, JOINED_OLD), 7);
    assert_int_equal(joined_home(&j, JOINED_OLD), -PCV_EXDEV);
    assert_int_equal(joined_id(&j, JOINED_OLD), 7);
    joined_plug(&j, JOINED_OLD);
    assert_int_equal(joined_id(&j, JOINED_OLD), JOINED_NOBODY);
    assert_int_equal(joined_id(&j, JOINED_ALONE), 7);
    hosted_end(&j.h);
}

/* TOPO-5 PORT-3 */
static void naming_an_id_that_cannot_be_leaves_nothing_behind(void **state)
{
    struct pcv_requester r;
    struct joined j;

    (void)state;
    joined_start(&j);
    assert_int_equal(pcv_device_add_requester(NULL, JOINED_ALONE, JOINED_OLD),
                     -PCV_EINVAL);
    assert_int_equal(pcv_device_add_requester(j.h.host, JOINED_ALONE,
                                              pcv_test_at(1, 0, 0, 0)),
                     -PCV_EINVAL);
    assert_int_equal(
        pcv_device_add_requester(j.h.host, TREE_NOTHING, JOINED_OLD),
        -PCV_ENODEV);
    pcv_model_fail(j.h.model, PCV_MODEL_OP_alloc, 1);
    assert_int_equal(pcv_device_add_requester(j.h.host, JOINED_ALONE,
                                              pcv_test_at(0, 5, 0, 0)),
                     -PCV_ENOMEM);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        pcv_model_fail(j.h.model, PCV_MODEL_OP_dma_attach, nth);
        assert_int_equal(pcv_device_add_requester(j.h.host, JOINED_ALONE,
                                                  pcv_test_at(0, 5, 0, 0)),
                         -PCV_EIO);
        assert_int_equal(joined_id(&j, pcv_test_at(0, 5, 0, 0)), JOINED_NOBODY);
        assert_int_equal(joined_id(&j, JOINED_ALONE), DOM0);
        assert_int_equal(pcv_device_requester(j.h.host, JOINED_ALONE, 1, &r),
                         -PCV_ENOENT);
    }
    for (uint8_t i = 0; i < PCV_REQUESTERS_NAMED; i++) {
        assert_int_equal(pcv_device_add_requester(j.h.host, JOINED_ALONE,
                                                  pcv_test_at(0, 5, i, 0)),
                         0);
    }
    assert_int_equal(pcv_device_add_requester(j.h.host, JOINED_ALONE,
                                              pcv_test_at(0, 5, 9, 0)),
                     -PCV_ENOSPC);
    assert_int_equal(joined_give(&j, JOINED_ALONE, 0), 0);
    assert_int_equal(pcv_device_add_requester(j.h.host, JOINED_ALONE,
                                              pcv_test_at(0, 5, 0, 0)),
                     -PCV_EBUSY);
    hosted_end(&j.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_that_a_quirk_names_follows_the_function),
        cmocka_unit_test(a_named_id_that_another_function_has_is_shared),
        cmocka_unit_test(naming_an_id_that_cannot_be_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Adding devices: the same card again, another card, VFs, and nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define DSN_AT 0x100u /* the leaf's first extended capability */

static int add(struct hosted *h, pcv_sbdf sbdf)
{
    return pcv_device_add(h->host, sbdf, NULL);
}

static int add_vf(struct hosted *h, pcv_sbdf sbdf, pcv_sbdf physfn)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF, .physfn = physfn};

    return pcv_device_add(h->host, sbdf, &info);
}

/* ---- again ----------------------------------------------------------------
 */

/* LIFE-7 */
static void the_same_card_added_again_takes_over_what_is_new(void **state)
{
    const struct pcv_add_info info = {.flags = PCV_ADD_HAS_NODE, .node = 5};
    struct hosted h;
    struct pcv_device *device;
    uint64_t bytes;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    bytes = pcv_model_bytes(h.model);
    assert_int_equal(hosted_info(&h, TREE_LEAF).node, PCV_NODE_NONE);
    assert_int_equal(pcv_device_add(h.host, TREE_LEAF, &info), 0);
    assert_int_equal(hosted_info(&h, TREE_LEAF).node, 5);
    assert_int_equal(add(&h, TREE_LEAF), 0);
    assert_int_equal(hosted_info(&h, TREE_LEAF).node, 5);
    /* It is the same object with the same holders. */
    assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_CALLER], 1);
    assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
    assert_int_equal(pcv_model_bytes(h.model), bytes);
    pcv_device_put(device);
    hosted_end(&h);
}

/* LIFE-7, PORT-3: a host may block whom nobody named, so each is named. */
static void an_added_function_has_its_dma_attached_or_is_not_there(void **state)
{
    struct hosted h;
    uint64_t before;

    (void)state;
    tree_start(&h);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    before = pcv_model_calls(h.model, PCV_MODEL_OP_dma_attach);
    pcv_model_fail(h.model, PCV_MODEL_OP_dma_attach, 1);
    assert_int_equal(add(&h, TREE_LEAF), -PCV_EIO);
    assert_int_equal(hosted_status(&h, TREE_LEAF).state, PCV_STATE_ABSENT);
    assert_int_equal(add(&h, TREE_LEAF), 0);
    assert_int_equal(pcv_model_calls(h.model, PCV_MODEL_OP_dma_attach),
                     before + 2);
    hosted_end(&h);
}

/* What tells one card from another: a register of the leaf and another value.
 */
static const struct {
    const char *what;
    uint16_t reg;
    uint8_t size;
    uint32_t value;
} identity[] = {
    {"vendor", PCV_REG_VENDOR, 2, 0x1af4},
    {"device", PCV_REG_DEVICE, 2, 0x1041},
    {"revision", PCV_REG_REVISION, 1, 0x77},
    {"interface", PCV_REG_REVISION + 1u, 1, 0x01},
    {"class", PCV_REG_CLASS + 1u, 2, 0x0106},
    {"subsystem vendor", PCV_REG_SUBSYSTEM_VENDOR, 2, 0x1234},
    {"subsystem", PCV_REG_SUBSYSTEM, 2, 0x5678},
    {"header type", PCV_REG_HEADER_TYPE, 1, PCV_HEADER_MULTI},
    {"serial number", DSN_AT + 4u, 4, 0x87654321},
    {"serial number, upper half", DSN_AT + 8u, 4, 1},
};

/* LIFE-7, LIFE-9 */
static void another_card_makes_the_old_device_vanish_and_takes_its_place(
    void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(identity); i++) {
        struct hosted h;
        struct pcv_device *old;

        tree_start(&h);
        old = hosted_hold(&h, TREE_LEAF);
        pcv_model_poke(h.model, TREE_LEAF, identity[i].reg, identity[i].size,
                       identity[i].value);
        /* Until the old one is gone. */
        for (int again = 0; again < 3; again++) {
            assert_int_equal(add(&h, TREE_LEAF), -PCV_EBUSY);
            assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_LEAVING);
            assert_true(hosted_status(&h, TREE_LEAF).vanished);
            assert_int_equal(
                hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_CALLER], 1);
        }
        pcv_device_put(old);
        assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
        assert_int_equal(add(&h, TREE_LEAF), 0);
        assert_false(hosted_status(&h, TREE_LEAF).vanished);
        assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
        hosted_end(&h);
    }
}

/* LIFE-7 */
static void another_card_where_nobody_held_the_old_one_is_added_at_once(
    void **state)
{
    struct hosted h;

    (void)state;
    tree_start(&h);
    pcv_model_poke(h.model, TREE_LEAF, PCV_REG_DEVICE, 2, 0x1041);
    assert_int_equal(add(&h, TREE_LEAF), 0);
    assert_int_equal(hosted_info(&h, TREE_LEAF).device, 0x1041);
    assert_false(hosted_info(&h, TREE_LEAF).vanished);
    hosted_end(&h);
}

/* LIFE-7, TOPO-3 */
static void another_card_in_place_of_a_bridge_waits_for_those_behind(
    void **state)
{
    struct hosted h;
    struct pcv_device *leaf;

    (void)state;
    tree_start(&h);
    leaf = hosted_hold(&h, TREE_LEAF);
    pcv_model_poke(h.model, TREE_ROOT_PORT, PCV_REG_DEVICE, 2, 0x4242);
    assert_int_equal(add(&h, TREE_ROOT_PORT), -PCV_EBUSY);
    assert_true(hosted_status(&h, TREE_LEAF).vanished);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_LEAVING);
    pcv_device_put(leaf);
    assert_int_equal(add(&h, TREE_ROOT_PORT), 0);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    assert_int_equal(hosted_info(&h, TREE_ROOT_PORT).device, 0x4242);
    hosted_end(&h);
}

/* LIFE-7 */
static void an_add_while_the_old_device_is_leaving_is_busy(void **state)
{
    struct hosted h;
    struct pcv_device *device;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(add(&h, TREE_LEAF), -PCV_EBUSY);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_LEAVING);
    pcv_device_put(device);
    assert_int_equal(add(&h, TREE_LEAF), 0);
    assert_true(hosted_found(&h, TREE_LEAF));
    hosted_end(&h);
}

/* LIFE-9 */
static void all_ones_alone_never_make_a_device_vanish(void **state)
{
    const pcv_sbdf dead[] = {TREE_LEAF, TREE_ENDPOINT, TREE_PORT_3, TREE_PF,
                             TREE_VF_1};

    (void)state;
    for (size_t i = 0; i < COUNT(dead); i++) {
        struct hosted h;

        tree_start(&h);
        assert_int_equal(pcv_model_set_dead(h.model, dead[i], true), 0);
        assert_int_equal(hosted_read(&h, dead[i], 0, 4), 0xffffffffu);
        /* Asleep for all that anybody knows: it is the card that it was. */
        assert_int_equal(add(&h, dead[i]), 0);
        assert_int_equal(hosted_state(&h, dead[i]), PCV_STATE_PRESENT);
        assert_false(hosted_status(&h, dead[i]).vanished);
        assert_int_equal(pcv_model_set_dead(h.model, dead[i], false), 0);
        assert_int_equal(add(&h, dead[i]), 0);
        assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
        hosted_end(&h);
    }
}

/* ---- what is refused ------------------------------------------------------
 */

/* LIFE-7 */
static void an_add_that_makes_no_sense_is_refused(void **state)
{
    static const struct {
        struct pcv_add_info info;
        uint32_t sbdf;
        int error;
    } rows[] = {
        /* an unknown flag */
        {{.flags = 0x80}, 0x00000900, -PCV_EINVAL},
        /* a VF of itself, and of another segment's function */
        {{.flags = PCV_ADD_IS_VF, .physfn = {0x0900}}, 0x0900, -PCV_EINVAL},
        {{.flags = PCV_ADD_IS_VF, .physfn = {0x10400}}, 0x0404, -PCV_EINVAL},
        /* a VF of something without SR-IOV, of a VF, of nobody */
        {{.flags = PCV_ADD_IS_VF, .physfn = {0x0300}}, 0x0301, -PCV_EINVAL},
        {{.flags = PCV_ADD_IS_VF, .physfn = {0x0404}}, 0x0406, -PCV_EINVAL},
        {{.flags = PCV_ADD_IS_VF, .physfn = {0x0900}}, 0x0901, -PCV_ENODEV},
        /* nothing answers; the host has no such segment */
        {{.flags = 0}, 0x0900, -PCV_ENODEV},
        {{.flags = 0}, 0x70000, -PCV_EINVAL},
    };
    struct hosted h;

    (void)state;
    tree_start(&h);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const pcv_sbdf sbdf = {rows[i].sbdf};

        bool there = hosted_state(&h, sbdf) == PCV_STATE_PRESENT;

        assert_int_equal(pcv_device_add(h.host, sbdf, &rows[i].info),
                         rows[i].error);
        assert_int_equal(hosted_state(&h, sbdf) == PCV_STATE_PRESENT, there);
        assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
    }
    assert_int_equal(pcv_device_add(NULL, TREE_LEAF, NULL), -PCV_EINVAL);
    hosted_end(&h);
}

/* LIFE-7, TOPO-7 */
static void a_device_added_again_as_a_vf_it_is_not_stays_as_it_was(void **state)
{
    /* PFs: nobody, one that is no PF, and the right one for others */
    const struct {
        pcv_sbdf physfn;
        int error;
    } rows[] = {
        {TREE_NOTHING, -PCV_ENODEV},
        {TREE_ENDPOINT, -PCV_EINVAL},
        {TREE_PF, -PCV_EINVAL},
    };
    struct pcv_device_info before, after;
    struct pcv_device *leaf;
    struct hosted h;

    (void)state;
    tree_start(&h);
    leaf = hosted_hold(&h, TREE_LEAF);
    pcv_device_get_info(leaf, &before);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(add_vf(&h, TREE_LEAF, rows[i].physfn), rows[i].error);
        pcv_device_get_info(leaf, &after);
        assert_memory_equal(&before, &after, sizeof(before));
        assert_int_equal(hosted_status(&h, TREE_LEAF).held[PCV_HOLDER_CALLER],
                         1);
    }
    pcv_device_put(leaf);
    /* A VF is not moved to another PF either, and stays a VF without word. */
    assert_int_equal(add_vf(&h, TREE_VF_0, TREE_NOTHING), -PCV_ENODEV);
    assert_int_equal(add_vf(&h, TREE_VF_0, TREE_LEAF), -PCV_EINVAL);
    assert_int_equal(add_vf(&h, TREE_VF_0, TREE_PF), 0);
    assert_int_equal(add(&h, TREE_VF_0), 0);
    assert_true(hosted_info(&h, TREE_VF_0).is_vf);
    assert_int_equal(hosted_info(&h, TREE_VF_0).physfn.v, TREE_PF.v);
    hosted_end(&h);
}

/* TOPO-7 */
static void a_vf_reported_before_its_pf_is_unknown_and_leaves_nothing(
    void **state)
{
    struct hosted h;

    (void)state;
    tree_build(&h);
    hosted_start(&h);
    assert_int_equal(add_vf(&h, TREE_VF_0, TREE_PF), -PCV_ENODEV);
    assert_int_equal(hosted_state(&h, TREE_VF_0), PCV_STATE_ABSENT);
    assert_int_equal(hosted_stats(&h).devices, 0);
    assert_int_equal(hosted_scan(&h), TREE_FUNCTIONS);
    hosted_end(&h);
}

/* TOPO-7 */
static void a_vf_address_where_nothing_answers_becomes_no_device(void **state)
{
    struct hosted h;

    (void)state;
    tree_start(&h);
    assert_int_equal(add_vf(&h, pcv_test_at(0, 4, 0, 7), TREE_PF), -PCV_ENODEV);
    assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
    /* The PF does not count it. */
    assert_int_equal(pcv_device_remove(h.host, TREE_VF_0, NULL, NULL), 0);
    assert_int_equal(pcv_device_remove(h.host, TREE_VF_1, NULL, NULL), 0);
    assert_int_equal(pcv_device_remove(h.host, TREE_PF, NULL, NULL), 0);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_card_added_again_takes_over_what_is_new),
        cmocka_unit_test(
            an_added_function_has_its_dma_attached_or_is_not_there),
        cmocka_unit_test(
            another_card_makes_the_old_device_vanish_and_takes_its_place),
        cmocka_unit_test(
            another_card_where_nobody_held_the_old_one_is_added_at_once),
        cmocka_unit_test(
            another_card_in_place_of_a_bridge_waits_for_those_behind),
        cmocka_unit_test(an_add_while_the_old_device_is_leaving_is_busy),
        cmocka_unit_test(all_ones_alone_never_make_a_device_vanish),
        cmocka_unit_test(an_add_that_makes_no_sense_is_refused),
        cmocka_unit_test(
            a_device_added_again_as_a_vf_it_is_not_stays_as_it_was),
        cmocka_unit_test(
            a_vf_reported_before_its_pf_is_unknown_and_leaves_nothing),
        cmocka_unit_test(a_vf_address_where_nothing_answers_becomes_no_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

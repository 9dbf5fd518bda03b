/* SPDX-License-Identifier: MIT */
/* Surprise removal, and removals beside an access in flight. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "registry/internal.h"
#include "removals.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* LIFE-9 */
static void a_bridge_that_vanishes_takes_vfs_of_pfs_behind_it_along(
    void **state)
{
    struct hosted h;

    (void)state;
    far_vf_start(&h);
    assert_int_equal(pcv_device_vanished(h.host, FAR_PORT), 0);
    assert_true(hosted_status(&h, FAR_PF).vanished);
    assert_true(hosted_status(&h, FAR_VF).vanished);
    hosted_end(&h);
}

/* ---- surprise removal -----------------------------------------------------
 */

/* LIFE-9 */
static void a_vanished_device_reads_all_ones_and_takes_no_write(void **state)
{
    struct pcv_access access = PCV_WRITE(TREE_LEAF, PCV_REG_INT_LINE, 1, 0x5a);
    struct record vanished = {.kind = PCV_EVENT_VANISHED};
    struct hosted h;
    uint64_t calls;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    pcv_model_on_event(h.model, keep, &vanished);
    assert_int_equal(pcv_device_vanished(h.host, TREE_LEAF), 0);
    assert_int_equal(pcv_device_vanished(h.host, TREE_LEAF), 0);
    assert_int_equal(vanished.count, 1);
    assert_true(hosted_status(&h, TREE_LEAF).vanished);
    assert_true(hosted_info(&h, TREE_LEAF).vanished);
    calls = hosted_calls(&h);
    assert_int_equal(hosted_read(&h, TREE_LEAF, PCV_REG_VENDOR, 2), 0xffff);
    assert_int_equal(hosted_read(&h, TREE_LEAF, PCV_REG_BAR0, 4), 0xffffffffu);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &access),
                     PCV_DONE);
    assert_int_equal(hosted_calls(&h), calls); /* hardware is left alone */
    assert_int_equal(pcv_model_peek(h.model, TREE_LEAF, PCV_REG_INT_LINE, 1),
                     0);
    /* It stays until it is removed. */
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_PRESENT);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), 0);
    pcv_model_on_event(h.model, NULL, NULL);
    hosted_end(&h);
}

/* LIFE-9 */
static void who_is_past_the_gate_does_not_reach_a_vanished_device_either(
    void **state)
{
    struct hosted h;
    struct pcv_device *device;
    uint64_t calls;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_device_vanished(h.host, TREE_LEAF), 0);
    calls = hosted_calls(&h);
    assert_int_equal(pcv__hw_read(device, PCV_REG_VENDOR, 2), 0xffff);
    pcv__hw_write(device, PCV_REG_INT_LINE, 1, 0x5a);
    assert_int_equal(hosted_calls(&h), calls);
    pcv_device_put(device);
    hosted_end(&h);
}

static uint32_t vanished_set(struct hosted *h)
{
    const pcv_sbdf all[] = {TREE_ENDPOINT, TREE_ROOT_PORT, TREE_UPSTREAM,
                            TREE_PORT_3,   TREE_LEAF,      TREE_PORT_4,
                            TREE_PF,       TREE_VF_0,      TREE_VF_1};
    uint32_t set = 0;

    for (size_t i = 0; i < COUNT(all); i++) {
        set |= (uint32_t)hosted_status(h, all[i]).vanished << i;
    }
    return set;
}

/* LIFE-9 */
static void what_belongs_to_a_vanished_device_vanishes_with_it(void **state)
{
    const struct {
        pcv_sbdf sbdf;
        uint32_t set; /* bits as in vanished_set() */
    } rows[] = {
        {TREE_LEAF, 0x010},      {TREE_VF_0, 0x080},     {TREE_PF, 0x1c0},
        {TREE_PORT_3, 0x018},    {TREE_PORT_4, 0x1e0},   {TREE_UPSTREAM, 0x1fc},
        {TREE_ROOT_PORT, 0x1fe}, {TREE_ENDPOINT, 0x001},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hosted h;
        uint32_t busy;

        tree_start(&h);
        assert_int_equal(pcv_model_pull(h.model, rows[i].sbdf), 0);
        assert_int_equal(pcv_device_vanished(h.host, rows[i].sbdf), 0);
        assert_int_equal(vanished_set(&h), rows[i].set);
        /* A bridge's removal still works: what it covered is remembered. */
        if (rows[i].sbdf.v == TREE_PF.v) {
            assert_int_equal(take_out(&h, TREE_PORT_4, NULL, &busy), 0);
        } else {
            assert_int_equal(take_out(&h, rows[i].sbdf, NULL, &busy), 0);
        }
        hosted_end(&h);
    }
}

/* LIFE-9 */
static void a_vanished_device_that_is_held_goes_with_its_last_holder(
    void **state)
{
    struct pcv_vector vector = {.index = 0};
    struct completion c = {.completion = {.done = done}};
    struct hosted h;
    struct pcv_device *device;
    uint64_t calls;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    device = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_vector_attach(device, &vector, true, 0), 0);
    assert_int_equal(pcv_model_pull(h.model, TREE_LEAF), 0);
    assert_int_equal(pcv_device_vanished(h.host, TREE_LEAF), 0);
    calls = pcv_model_calls(h.model, PCV_MODEL_OP_cfg_read) +
            pcv_model_calls(h.model, PCV_MODEL_OP_cfg_write);
    assert_int_equal(take_out(&h, TREE_LEAF, &c, &busy), -PCV_EBUSY);
    pcv_device_put(device);
    assert_int_equal(c.calls, 0);
    pcv_vector_detach(&vector);
    assert_int_equal(c.calls, 1);
    /* Nothing was asked of what is gone. */
    assert_int_equal(pcv_model_calls(h.model, PCV_MODEL_OP_cfg_read) +
                         pcv_model_calls(h.model, PCV_MODEL_OP_cfg_write),
                     calls);
    assert_int_equal(pcv_device_add(h.host, TREE_LEAF, NULL), -PCV_ENODEV);
    assert_int_equal(pcv_model_plug(h.model, TREE_LEAF), 0);
    assert_int_equal(pcv_device_add(h.host, TREE_LEAF, NULL), 0);
    assert_false(hosted_status(&h, TREE_LEAF).vanished);
    hosted_end(&h);
}

struct puller {
    struct hosted *h;
    pcv_sbdf adding, gone;
    bool told;
};

/* Called while an add asks hardware; at the first read no lock is held. */
static void report_gone(void *arg, const struct pcv_model_cfg *access)
{
    struct puller *p = arg;

    if (access->sbdf.v == p->adding.v && !p->told) {
        p->told = true;
        assert_int_equal(pcv_device_vanished(p->h->host, p->gone), 0);
    }
}

/* LIFE-9, LIFE-7 */
static void what_is_added_while_its_bridge_or_pf_vanishes_is_not_there(
    void **state)
{
    const struct {
        pcv_sbdf adding, gone;
        bool vf;
    } rows[] = {{TREE_LEAF, TREE_ROOT_PORT, false},
                {TREE_LEAF, TREE_PORT_3, false},
                {TREE_VF_1, TREE_PF, true}};
    const struct pcv_add_info info = {.flags = PCV_ADD_IS_VF,
                                      .physfn = TREE_PF};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hosted h;
        struct puller p = {&h, rows[i].adding, rows[i].gone, false};
        uint32_t busy;

        tree_start(&h);
        assert_int_equal(take_out(&h, rows[i].adding, NULL, &busy), 0);
        pcv_model_watch(h.model, report_gone, &p);
        assert_int_equal(
            pcv_device_add(h.host, rows[i].adding, rows[i].vf ? &info : NULL),
            -PCV_ENODEV);
        pcv_model_watch(h.model, NULL, NULL);
        assert_int_equal(hosted_state(&h, rows[i].adding), PCV_STATE_ABSENT);
        assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS - 1);
        assert_int_equal(take_out(&h, TREE_ROOT_PORT, NULL, &busy), 0);
        hosted_end(&h);
    }
}

/* ---- an access that is inside ---------------------------------------------
 */

struct remover {
    struct hosted *h;
    struct completion *completion;
    int result;
    uint32_t busy;
};

/* Called while an access is inside the device's gate. */
static void remove_it(void *arg, const struct pcv_model_cfg *access)
{
    struct remover *r = arg;

    if (access->sbdf.v == TREE_LEAF.v && r->result == 1) {
        r->result = 2; /* once */
        r->result = take_out(r->h, TREE_LEAF, r->completion, &r->busy);
    }
}

/* LIFE-11 */
static void an_access_in_flight_ends_against_the_device_that_it_entered(
    void **state)
{
    struct completion c = {.completion = {.done = done}};
    struct hosted h;
    struct remover r = {.h = &h, .completion = &c, .result = 1};

    (void)state;
    tree_start(&h);
    pcv_model_watch(h.model, remove_it, &r);
    /* A register without handler or lock: the removal runs inside it. */
    assert_int_equal(hosted_read(&h, TREE_LEAF, PCV_REG_VENDOR, 4), 0x10d38086);
    pcv_model_watch(h.model, NULL, NULL);
    /* The removal did not wait, and did not say that the object was gone. */
    assert_int_equal(r.result, -PCV_EBUSY);
    assert_int_equal(r.busy, TREE_LEAF.v);
    /* The access was the last holder. */
    assert_int_equal(c.calls, 1);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    assert_int_equal(hosted_read(&h, TREE_LEAF, PCV_REG_DEVICE, 2), 0xffffu);
    hosted_end(&h);
}

/* LIFE-11 */
static void after_a_removal_returned_0_nothing_reaches_hardware(void **state)
{
    struct pcv_access access = PCV_WRITE(TREE_LEAF, PCV_REG_COMMAND, 2, 0);
    struct hosted h;
    uint64_t calls;
    uint32_t busy;

    (void)state;
    tree_start(&h);
    assert_int_equal(take_out(&h, TREE_LEAF, NULL, &busy), 0);
    calls = hosted_calls(&h);
    assert_int_equal(pcv_access(pcv_host_hardware_domain(h.host), &access),
                     PCV_ABSENT);
    assert_int_equal(
        pcv_access_resume(pcv_host_hardware_domain(h.host), &access), PCV_DONE);
    assert_int_equal(hosted_calls(&h), calls);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_bridge_that_vanishes_takes_vfs_of_pfs_behind_it_along),
        cmocka_unit_test(a_vanished_device_reads_all_ones_and_takes_no_write),
        cmocka_unit_test(
            who_is_past_the_gate_does_not_reach_a_vanished_device_either),
        cmocka_unit_test(what_belongs_to_a_vanished_device_vanishes_with_it),
        cmocka_unit_test(
            a_vanished_device_that_is_held_goes_with_its_last_holder),
        cmocka_unit_test(
            what_is_added_while_its_bridge_or_pf_vanishes_is_not_there),
        cmocka_unit_test(
            an_access_in_flight_ends_against_the_device_that_it_entered),
        cmocka_unit_test(after_a_removal_returned_0_nothing_reaches_hardware),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

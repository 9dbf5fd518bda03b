/* SPDX-License-Identifier: MIT */
/*
 * Functions that nobody reported: the hardware domain reads a vendor ID, and
 * what answers there is added before the read is answered (LIFE-12).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "registry/internal.h"

#define ONES 0xffffffffu
#define LEAF_IDS 0x10d38086u

static struct pcv_domain *dom0(struct hosted *h)
{
    return pcv_host_hardware_domain(h->host);
}

/* As a vCPU that performs an access to its end. */
static enum pcv_verdict run(struct hosted *h, struct pcv_access *access)
{
    enum pcv_verdict verdict = pcv_access(dom0(h), access);

    for (int i = 0; verdict == PCV_PENDING || verdict == PCV_RETRY; i++) {
        assert_true(i < 1000);
        verdict = pcv_access_resume(dom0(h), access);
    }
    return verdict;
}

static uint32_t read_ids(struct hosted *h, pcv_sbdf sbdf)
{
    struct pcv_access access = PCV_READ(sbdf, PCV_REG_VENDOR, 4);

    (void)run(h, &access);
    return (uint32_t)access.data;
}

static void write_numbers(struct hosted *h, pcv_sbdf bridge, uint32_t value)
{
    struct pcv_access access = PCV_WRITE(bridge, PCV_REG_PRIMARY, 4, value);

    assert_int_equal(run(h, &access), PCV_DONE);
}

/* The tree as firmware that numbers nothing leaves it; nobody has scanned. */
static void unnumbered(struct hosted *h)
{
    tree_build(h);
    hosted_start(h);
    pcv_test_write(h->model, TREE_PORT_4, PCV_REG_PRIMARY, 4, 0);
    pcv_test_write(h->model, TREE_PORT_3, PCV_REG_PRIMARY, 4, 0);
    pcv_test_write(h->model, TREE_UPSTREAM, PCV_REG_PRIMARY, 4, 0);
    pcv_test_write(h->model, TREE_ROOT_PORT, PCV_REG_PRIMARY, 4, 0);
}

/* LIFE-12, TOPO-4 */
static void bridges_that_the_hardware_domain_numbers_lead_to_what_is_behind(
    void **state)
{
    struct hosted h;

    (void)state;
    unnumbered(&h);
    assert_int_equal(read_ids(&h, TREE_ENDPOINT), 0x100e8086);
    assert_true(hosted_found(&h, TREE_ENDPOINT));
    assert_int_not_equal(read_ids(&h, TREE_ROOT_PORT), ONES);
    assert_int_equal(read_ids(&h, TREE_UPSTREAM), ONES);
    write_numbers(&h, TREE_ROOT_PORT, 0x00ff0100);
    assert_int_not_equal(read_ids(&h, TREE_UPSTREAM), ONES);
    write_numbers(&h, TREE_UPSTREAM, 0x00ff0201);
    assert_int_not_equal(read_ids(&h, TREE_PORT_3), ONES);
    assert_int_equal(read_ids(&h, TREE_LEAF), ONES);
    write_numbers(&h, TREE_PORT_3, 0x00ff0302);
    assert_int_equal(read_ids(&h, TREE_LEAF), LEAF_IDS);
    write_numbers(&h, TREE_PORT_3, 0x00030302);
    assert_int_not_equal(read_ids(&h, TREE_PORT_4), ONES);
    write_numbers(&h, TREE_PORT_4, 0x00040402);
    assert_int_equal(read_ids(&h, TREE_PF), 0x10c98086);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_PRESENT);
    assert_int_equal(hosted_info(&h, TREE_LEAF).type, PCV_TYPE_ENDPOINT);
    hosted_end(&h);
}

/* LIFE-12: by any read that covers a byte of it, in each width. */
static void each_width_of_the_vendor_id_asks(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint64_t data;
    } reads[] = {{0, 1, 0x86},
                 {1, 1, 0x80},
                 {0, 2, 0x8086},
                 {0, 4, LEAF_IDS},
                 {0, 8, LEAF_IDS}};
    struct hosted h;

    (void)state;
    tree_start(&h);
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        struct pcv_access access =
            PCV_READ(TREE_LEAF, reads[i].reg, reads[i].size);

        access.split = true; /* as ECAM does */
        assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
        assert_int_equal(run(&h, &access), PCV_DONE);
        assert_int_equal(access.data & 0xffffffffu, reads[i].data);
        assert_true(hosted_found(&h, TREE_LEAF));
    }
    hosted_end(&h);
}

/* LIFE-12: nothing else does, and a guest never. */
static void no_other_access_asks(void **state)
{
    struct pcv_access half = PCV_READ(TREE_LEAF, PCV_REG_DEVICE, 2);
    struct pcv_access write = PCV_WRITE(TREE_LEAF, PCV_REG_VENDOR, 2, 0);
    struct pcv_access guests = PCV_READ(TREE_LEAF, PCV_REG_VENDOR, 4);
    struct pcv_domain *guest;
    struct hosted h;

    (void)state;
    tree_start(&h);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    assert_int_equal(pcv_access(dom0(&h), &half), PCV_ABSENT);
    assert_int_equal(pcv_access(dom0(&h), &write), PCV_ABSENT);
    assert_int_equal(pcv_domain_create(h.host, 7, &guest), 0);
    assert_int_equal(pcv_access(guest, &guests), PCV_ABSENT);
    assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    hosted_end(&h);
}

static pcv_sbdf asked; /* what hardware was asked for */
static unsigned asks;

static void watch(void *arg, const struct pcv_model_cfg *access)
{
    (void)arg;
    if (access->sbdf.v == asked.v) {
        asks++;
    }
}

static unsigned asks_of(struct hosted *h, pcv_sbdf sbdf)
{
    asked = sbdf;
    asks = 0;
    assert_int_equal(read_ids(h, sbdf), ONES);
    return asks;
}

/* LIFE-12, TOPO-8: where hardware does not lead, it is not asked. */
static void only_what_hardware_leads_to_is_asked(void **state)
{
    struct hosted h;

    (void)state;
    tree_start(&h);
    pcv_model_watch(h.model, watch, NULL);
    assert_int_equal(asks_of(&h, TREE_NOTHING), 1);
    assert_int_equal(asks_of(&h, pcv_test_at(0, 2, 7, 0)), 1);
    /* behind a link there is device 0 */
    assert_int_equal(asks_of(&h, pcv_test_at(0, 3, 1, 0)), 0);
    /* function 0 says that it is alone, or is not there */
    assert_int_equal(asks_of(&h, pcv_test_at(0, 3, 0, 1)), 0);
    assert_int_equal(asks_of(&h, pcv_test_at(0, 0, 9, 1)), 0);
    /* no bridge leads to bus 9, and no run of buses to segment 1 */
    assert_int_equal(asks_of(&h, pcv_test_at(0, 9, 0, 0)), 0);
    assert_int_equal(asks_of(&h, pcv_test_at(1, 0, 0, 0)), 0);
    /* a bridge covers bus 5, and none leads there */
    write_numbers(&h, TREE_ROOT_PORT, 0x00050100);
    assert_int_equal(asks_of(&h, pcv_test_at(0, 5, 0, 0)), 0);
    /* the way there is gone */
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    assert_int_equal(pcv_device_vanished(h.host, TREE_PORT_3), 0);
    assert_int_equal(asks_of(&h, TREE_LEAF), 0);
    pcv_model_watch(h.model, NULL, NULL);
    hosted_end(&h);
}

/* LIFE-12, LIFE-5: until the object is gone the address reads absent. */
static void what_is_leaving_stays_absent(void **state)
{
    struct pcv_device *held;
    struct hosted h;

    (void)state;
    tree_start(&h);
    held = hosted_hold(&h, TREE_LEAF);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL),
                     -PCV_EBUSY);
    assert_int_equal(read_ids(&h, TREE_LEAF), ONES);
    pcv_device_put(held);
    assert_int_equal(read_ids(&h, TREE_LEAF), LEAF_IDS);
    hosted_end(&h);
}

static struct pcv_event told[8];
static unsigned tells;

static void tell(void *arg, const struct pcv_event *event)
{
    (void)arg;
    if (event->kind == PCV_EVENT_ADD_FAILED && tells < 8) {
        told[tells++] = *event;
    }
}

/* LIFE-12, CFG-8, PORT-3 */
static void what_cannot_be_added_is_absent_and_told_once(void **state)
{
    struct hosted h;

    (void)state;
    tree_start(&h);
    tells = 0;
    pcv_model_on_event(h.model, tell, NULL);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    for (int i = 0; i < 3; i++) {
        pcv_model_fail(h.model, PCV_MODEL_OP_alloc, 1);
        assert_int_equal(read_ids(&h, TREE_LEAF), ONES);
        assert_int_equal(hosted_state(&h, TREE_LEAF), PCV_STATE_ABSENT);
    }
    assert_int_equal(tells, 1);
    assert_int_equal(told[0].sbdf.v, TREE_LEAF.v);
    assert_int_equal(told[0].arg[0], PCV_ENOMEM);
    assert_int_equal(read_ids(&h, TREE_LEAF), LEAF_IDS);
    pcv_model_on_event(h.model, NULL, NULL);
    hosted_end(&h);
}

/* LIFE-12, PORT-3: what the host cannot do at its nth call; the read ends all
 * the same. */
static void a_host_that_fails_at_any_call_answers_one_way_or_the_other(
    void **state)
{
    (void)state;
    for (int op = 0; op < PCV_MODEL_OP_COUNT; op++) {
        for (uint64_t nth = 1;; nth++) {
            struct hosted h;
            uint64_t before;
            uint32_t ids;

            tree_start(&h);
            assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL),
                             0);
            before = pcv_model_calls(h.model, (enum pcv_model_op)op);
            pcv_model_fail(h.model, (enum pcv_model_op)op, nth);
            ids = read_ids(&h, TREE_LEAF);
            assert_true(ids == ONES || ids == LEAF_IDS);
            assert_true(ids == ONES ||
                        hosted_state(&h, TREE_LEAF) == PCV_STATE_PRESENT);
            before = pcv_model_calls(h.model, (enum pcv_model_op)op) - before;
            pcv_model_fail(h.model, (enum pcv_model_op)op, 0);
            assert_int_equal(read_ids(&h, TREE_LEAF), LEAF_IDS);
            assert_int_equal(hosted_stats(&h).devices, TREE_FUNCTIONS);
            hosted_end(&h);
            if (before < nth) {
                break;
            }
        }
    }
}

static int not_ready(void *ctx, pcv_sbdf sbdf, uint16_t reg, uint8_t size,
                     uint32_t *out_value)
{
    if (sbdf.v == TREE_LEAF.v) {
        *out_value = (uint32_t)((reg == PCV_REG_VENDOR ? 0xffff0001u : ONES) &
                                (UINT64_MAX >> (64 - size * 8)));
        return 0;
    }
    return pcv_model_ops()->cfg_read(ctx, sbdf, reg, size, out_value);
}

/* LIFE-12, SRIOV-3: retries that hardware shows are shown, in each width. */
static void what_is_not_ready_says_so_and_is_added_when_it_is(void **state)
{
    static const struct {
        uint16_t reg;
        uint8_t size;
        uint64_t data;
    } reads[] = {
        {0, 1, 0x01},
        {1, 1, 0x00},
        {0, 2, 0x0001},
        {0, 4, 0xffff0001},
        {0, 8, 0xffffffffffff0001u},
    };
    struct hosted h;

    (void)state;
    tree_build(&h);
    hosted_start(&h);
    assert_int_equal(hosted_scan(&h), TREE_FUNCTIONS);
    assert_int_equal(pcv_device_remove(h.host, TREE_LEAF, NULL, NULL), 0);
    h.host->mem.ops.cfg_read = not_ready;
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        struct pcv_access access =
            PCV_READ(TREE_LEAF, reads[i].reg, reads[i].size);

        access.split = true;
        assert_int_equal(pcv_access(dom0(&h), &access), PCV_ABSENT);
        assert_true(access.data == reads[i].data);
    }
    h.host->mem.ops.cfg_read = pcv_model_ops()->cfg_read;
    assert_int_equal(read_ids(&h, TREE_LEAF), LEAF_IDS);
    hosted_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_host_that_fails_at_any_call_answers_one_way_or_the_other),
        cmocka_unit_test(what_is_not_ready_says_so_and_is_added_when_it_is),
        cmocka_unit_test(
            bridges_that_the_hardware_domain_numbers_lead_to_what_is_behind),
        cmocka_unit_test(each_width_of_the_vendor_id_asks),
        cmocka_unit_test(no_other_access_asks),
        cmocka_unit_test(only_what_hardware_leads_to_is_asked),
        cmocka_unit_test(what_is_leaving_stays_absent),
        cmocka_unit_test(what_cannot_be_added_is_absent_and_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

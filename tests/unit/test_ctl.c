/* SPDX-License-Identifier: MIT */
/* The control operations: what they answer, page by page, and what they
 * refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted.h"
#include "pcivisor/ctl.h"

#define GUEST 7u
#define ROOM 64u

struct asked {
    struct hosted h;
    struct pcv_ctl_request request;
    struct pcv_ctl_reply reply;
    union pcv_ctl_record record[ROOM];
};

static void asked_start(struct asked *a)
{
    memset(a, 0, sizeof(*a));
    tree_start(&a->h);
}

/* The operation's result; the request is a->request, but for what is said. */
static int ask(struct asked *a, enum pcv_ctl_op op, pcv_sbdf sbdf,
               uint32_t room)
{
    a->request.op = op;
    a->request.sbdf = sbdf;
    memset(a->record, 0xa5, sizeof(a->record));
    memset(&a->reply, 0xa5, sizeof(a->reply));
    a->reply.record = a->record;
    a->reply.room = room;
    return pcv_ctl(a->h.host, &a->request, &a->reply);
}

/* A request from scratch. */
static int ask_new(struct asked *a, enum pcv_ctl_op op, pcv_sbdf sbdf)
{
    memset(&a->request, 0, sizeof(a->request));
    return ask(a, op, sbdf, ROOM);
}

/* CTL-1 */
static void every_operation_has_a_name(void **state)
{
    uint32_t named = 0;
    uint32_t listed = 0;

    (void)state;
#define COUNT(NAME, name, number, ARGUMENTS, RECORDS, FLAGS)                   \
    assert_string_equal(pcv_ctl_op_name(number), #name);                       \
    listed++;
    PCV_CTL_OPS(COUNT)
#undef COUNT
    for (uint32_t op = 0; op < 2 * PCV_CTL_OP_LIMIT; op++) {
        named += pcv_ctl_op_name(op) != NULL;
    }
    assert_int_equal(named, listed);
    assert_null(pcv_ctl_op_name(0));
    assert_null(pcv_ctl_op_name(UINT32_MAX));
}

/* CTL-2 */
static void what_makes_no_sense_is_refused(void **state)
{
    struct asked a;

    (void)state;
    asked_start(&a);
    for (uint32_t op = 0; op < 2 * PCV_CTL_OP_LIMIT; op++) {
        bool known = pcv_ctl_op_name(op) != NULL;

        memset(&a.request, 0, sizeof(a.request));
        a.request.flags = 0x80000000u;
        assert_int_equal(ask(&a, (enum pcv_ctl_op)op, TREE_LEAF, ROOM),
                         known ? -PCV_EINVAL : -PCV_ENOSYS);
        assert_int_equal(a.reply.count, 0);
    }
    memset(&a.request, 0, sizeof(a.request));
    assert_int_equal(ask(&a, PCV_CTL_STATS, TREE_LEAF, 0), -PCV_EINVAL);
    a.reply.room = 1;
    a.reply.record = NULL;
    assert_int_equal(pcv_ctl(a.h.host, &a.request, &a.reply), -PCV_EINVAL);
    assert_int_equal(pcv_ctl(NULL, &a.request, &a.reply), -PCV_EINVAL);
    assert_int_equal(pcv_ctl(a.h.host, NULL, &a.reply), -PCV_EINVAL);
    assert_int_equal(pcv_ctl(a.h.host, &a.request, NULL), -PCV_EINVAL);
    hosted_end(&a.h);
}

/* CTL-2 */
static void cursors_that_no_reply_gave_are_refused(void **state)
{
    static const struct {
        enum pcv_ctl_op op;
        uint64_t cursor;
    } bad[] = {
        {PCV_CTL_LIST, UINT64_C(1) << 32},
        {PCV_CTL_DOMAINS, UINT64_C(1) << 32},
        {PCV_CTL_NODES, 2},
        {PCV_CTL_NODES, UINT64_MAX},
        {PCV_CTL_PATH, 4},
        {PCV_CTL_PATH, UINT64_MAX},
        {PCV_CTL_BARS, PCV_BARS + 1},
        {PCV_CTL_BARS, UINT64_MAX},
        {PCV_CTL_CONFIG, 1},
        {PCV_CTL_CONFIG, PCV_CFG_EXT_SIZE},
        {PCV_CTL_CONFIG, UINT64_MAX - 3},
        {PCV_CTL_SCAN, 257},
        {PCV_CTL_SCAN, UINT64_C(65537) << 32},
        {PCV_CTL_SCAN, UINT64_MAX},
    };
    struct asked a;

    (void)state;
    asked_start(&a);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&a.request, 0, sizeof(a.request));
        a.request.cursor = bad[i].cursor;
        if (bad[i].op == PCV_CTL_NODES) {
            a.request.u.nodes.count = 2;
        }
        assert_int_equal(ask(&a, bad[i].op, TREE_LEAF, ROOM), -PCV_EINVAL);
        assert_int_equal(a.reply.count, 0);
    }
    /* Where there is no end that could be passed: nothing comes. */
    memset(&a.request, 0, sizeof(a.request));
    a.request.cursor = UINT64_MAX;
    assert_int_equal(ask(&a, PCV_CTL_MAPPINGS, TREE_LEAF, ROOM), 0);
    assert_int_equal(a.reply.count, 0);
    assert_false(a.reply.more);
    hosted_end(&a.h);
}

/* CTL-1, CTL-2 */
static void a_list_comes_in_pages_of_any_size(void **state)
{
    struct asked a;

    (void)state;
    asked_start(&a);
    for (uint32_t room = 1; room <= TREE_FUNCTIONS + 1; room++) {
        uint32_t found = 0;
        uint32_t last = 0;

        memset(&a.request, 0, sizeof(a.request));
        do {
            assert_int_equal(ask(&a, PCV_CTL_LIST, TREE_NOTHING, room), 0);
            for (uint32_t i = 0; i < a.reply.count; i++) {
                const struct pcv_ctl_device *device = &a.record[i].device;

                assert_true(found == 0 || device->info.sbdf.v > last);
                assert_int_equal(device->own.v, device->info.sbdf.v);
                last = device->info.sbdf.v;
                found++;
            }
            a.request.cursor = a.reply.next;
        } while (a.reply.more);
        assert_int_equal(found, TREE_FUNCTIONS);
        assert_int_equal(last, TREE_VF_1.v);
    }
    hosted_end(&a.h);
}

/* CTL-1 */
static void one_function_is_described_as_the_registry_knows_it(void **state)
{
    struct pcv_device_info info;
    struct asked a;

    (void)state;
    asked_start(&a);
    info = hosted_info(&a.h, TREE_LEAF);
    assert_int_equal(ask_new(&a, PCV_CTL_DEVICE, TREE_LEAF), 0);
    assert_int_equal(a.reply.count, 1);
    assert_int_equal(a.record[0].device.info.sbdf.v, TREE_LEAF.v);
    assert_int_equal(a.record[0].device.info.device, info.device);
    assert_int_equal(a.record[0].device.info.serial, info.serial);
    assert_int_equal(a.record[0].device.info.bar[0].size, 16384);
    assert_int_equal(ask_new(&a, PCV_CTL_DEVICE, TREE_NOTHING), -PCV_ENODEV);
    assert_int_equal(a.reply.count, 0);

    assert_int_equal(ask_new(&a, PCV_CTL_STATUS, TREE_LEAF), 0);
    assert_int_equal(a.record[0].status.state, PCV_STATE_PRESENT);
    assert_int_equal(a.record[0].status.held[PCV_HOLDER_REGISTRY], 1);
    assert_int_equal(ask_new(&a, PCV_CTL_STATUS, TREE_NOTHING), 0);
    assert_int_equal(a.record[0].status.state, PCV_STATE_ABSENT);

    assert_int_equal(ask_new(&a, PCV_CTL_STATS, TREE_NOTHING), 0);
    assert_int_equal(a.record[0].stats.devices, TREE_FUNCTIONS);
    hosted_end(&a.h);
}

/* CTL-1, TOPO-9 */
static void nodes_and_paths_come_in_the_order_asked_for(void **state)
{
    struct asked a;

    (void)state;
    asked_start(&a);
    for (uint32_t room = 1; room <= 3; room++) {
        memset(&a.request, 0, sizeof(a.request));
        a.request.u.nodes.count = 2;
        a.request.u.nodes.sbdf[0] = TREE_NOTHING;
        a.request.u.nodes.sbdf[1] = TREE_LEAF;
        assert_int_equal(ask(&a, PCV_CTL_NODES, TREE_LEAF, room), 0);
        assert_int_equal(a.reply.count, room < 2 ? 1 : 2);
        assert_int_equal(a.reply.more, room < 2);
        assert_int_equal(a.record[0].node.sbdf.v, TREE_NOTHING.v);
        assert_int_equal(a.record[0].node.node, PCV_NODE_UNKNOWN_DEVICE);

        memset(&a.request, 0, sizeof(a.request));
        assert_int_equal(ask(&a, PCV_CTL_PATH, TREE_LEAF, room), 0);
        assert_int_equal(a.record[0].sbdf.v, TREE_PORT_3.v);
        assert_int_equal(a.reply.count, room);
        assert_int_equal(a.reply.more, room < 3);
    }
    assert_int_equal(a.record[2].sbdf.v, TREE_ROOT_PORT.v);
    a.request.u.nodes.count = 0;
    assert_int_equal(ask(&a, PCV_CTL_NODES, TREE_LEAF, ROOM), -PCV_EINVAL);
    a.request.u.nodes.count = PCV_CTL_NODES_MAX + 1;
    assert_int_equal(ask(&a, PCV_CTL_NODES, TREE_LEAF, ROOM), -PCV_EINVAL);
    hosted_end(&a.h);
}

/* CTL-1, LIFE-5 */
static void functions_go_and_come_and_who_is_in_the_way_is_named(void **state)
{
    struct pcv_device *held;
    struct asked a;

    (void)state;
    asked_start(&a);
    held = hosted_hold(&a.h, TREE_LEAF);
    assert_int_equal(ask_new(&a, PCV_CTL_REMOVE, TREE_PORT_3), -PCV_EBUSY);
    assert_int_equal(a.reply.sbdf.v, TREE_LEAF.v);
    pcv_device_put(held);
    assert_int_equal(ask_new(&a, PCV_CTL_REMOVE, TREE_PORT_3), 0);
    assert_false(hosted_found(&a.h, TREE_LEAF));
    assert_int_equal(ask_new(&a, PCV_CTL_REMOVE, TREE_PORT_3), -PCV_ENODEV);

    assert_int_equal(ask_new(&a, PCV_CTL_ADD, TREE_PORT_3), 0);
    memset(&a.request, 0, sizeof(a.request));
    a.request.u.add.flags = PCV_ADD_HAS_NODE;
    a.request.u.add.node = 3;
    while (ask(&a, PCV_CTL_ADD, TREE_LEAF, 0) == -PCV_ERESTART) {
    }
    assert_int_equal(hosted_info(&a.h, TREE_LEAF).node, 3);
    a.request.u.add.flags = 0x100;
    assert_int_equal(ask(&a, PCV_CTL_ADD, TREE_LEAF, 0), -PCV_EINVAL);

    assert_int_equal(pcv_model_pull(a.h.model, TREE_LEAF), 0);
    assert_int_equal(ask_new(&a, PCV_CTL_VANISHED, TREE_LEAF), 0);
    assert_true(hosted_status(&a.h, TREE_LEAF).vanished);
    assert_int_equal(ask_new(&a, PCV_CTL_VANISHED, TREE_NOTHING), -PCV_ENODEV);
    hosted_end(&a.h);
}

/* CTL-2, TOPO-8 */
static void a_scan_is_made_in_steps_and_adds_up(void **state)
{
    uint32_t found = 0;
    uint32_t steps = 0;
    struct asked a;
    int result;

    (void)state;
    memset(&a, 0, sizeof(a));
    tree_build(&a.h);
    hosted_start(&a.h);
    do {
        result = ask(&a, PCV_CTL_SCAN, TREE_NOTHING, 1);
        assert_int_equal(a.reply.count, 1);
        assert_int_equal(a.record[0].scan.failed, 0);
        found += a.record[0].scan.found;
        a.request.cursor = a.reply.next;
        steps++;
    } while (result == -PCV_ERESTART);
    assert_int_equal(result, 0);
    assert_int_equal(found, TREE_FUNCTIONS);
    assert_true(steps >= PCV_BUSES / PCV_CTL_SCAN_BUSES);
    hosted_end(&a.h);
}

/* CTL-1, CFG-1 */
static void configuration_space_is_what_the_domain_reads(void **state)
{
    uint32_t reg = 0;
    struct asked a;

    (void)state;
    asked_start(&a);
    do {
        assert_int_equal(ask(&a, PCV_CTL_CONFIG, TREE_LEAF, 7), 0);
        for (uint32_t i = 0; i < a.reply.count; i++) {
            const struct pcv_ctl_row *row = &a.record[i].row;

            assert_int_equal(row->reg, reg);
            assert_int_equal(row->size, PCV_CTL_ROW_BYTES);
            for (uint32_t j = 0; j < row->size; j++, reg++) {
                assert_int_equal(row->bytes[j], hosted_read(&a.h, TREE_LEAF,
                                                            (uint16_t)reg, 1));
            }
        }
        a.request.cursor = a.reply.next;
    } while (a.reply.more);
    assert_int_equal(reg, PCV_CFG_EXT_SIZE);

    memset(&a.request, 0, sizeof(a.request));
    a.request.cursor = 0x0c;
    a.request.u.config.end = 0x18;
    assert_int_equal(ask(&a, PCV_CTL_CONFIG, TREE_ENDPOINT, ROOM), 0);
    assert_int_equal(a.reply.count, 2);
    assert_int_equal(a.record[0].row.size, 4);
    assert_int_equal(a.record[1].row.reg, 0x10);
    assert_int_equal(a.record[1].row.size, 8);
    assert_false(a.reply.more);
    a.request.u.config.end = 0x17;
    assert_int_equal(ask(&a, PCV_CTL_CONFIG, TREE_ENDPOINT, ROOM), -PCV_EINVAL);
    a.request.u.config.end = 0xfffffffc; /* no more than there is */
    assert_int_equal(ask(&a, PCV_CTL_CONFIG, TREE_ENDPOINT, ROOM), 0);
    assert_int_equal(a.reply.next, PCV_CFG_SIZE);
    assert_int_equal(ask_new(&a, PCV_CTL_CONFIG, TREE_NOTHING), -PCV_ENODEV);
    a.request.domain_id = GUEST;
    assert_int_equal(ask(&a, PCV_CTL_CONFIG, TREE_LEAF, ROOM), -PCV_ENOENT);
    hosted_end(&a.h);
}

/* CTL-1, CTL-2, OWN-4 */
static void a_function_is_assigned_in_steps_and_says_when_to_go_on(void **state)
{
    struct pcv_domain *guest;
    uint64_t waited = 0;
    struct asked a;
    int result;

    (void)state;
    asked_start(&a);
    pcv_model_set_clock(a.h.model, true);
    assert_int_equal(pcv_domain_create(a.h.host, GUEST, &guest), 0);
    a.request.domain_id = GUEST + 1;
    assert_int_equal(ask(&a, PCV_CTL_ASSIGN, TREE_LEAF, 0), -PCV_ENOENT);
    a.request.domain_id = GUEST;
    assert_int_equal(pcv_device_declare_isolated(a.h.host, TREE_LEAF, true), 0);
    a.request.u.assign.flags = PCV_ASSIGN_SLOT;
    a.request.u.assign.slot = pcv_devfn(3, 0);
    while ((result = ask(&a, PCV_CTL_ASSIGN, TREE_LEAF, 0)) == -PCV_ERESTART) {
        pcv_model_advance_us(a.h.model, a.reply.wait_us);
        waited += a.reply.wait_us;
    }
    assert_int_equal(result, 0);
    assert_int_equal(a.reply.sbdf.v, pcv_devfn(3, 0));
    assert_true(waited >= 100000);

    memset(&a.request, 0, sizeof(a.request));
    a.request.flags = PCV_CTL_OF_DOMAIN;
    a.request.domain_id = GUEST;
    assert_int_equal(ask(&a, PCV_CTL_LIST, TREE_NOTHING, ROOM), 0);
    assert_int_equal(a.reply.count, 1);
    assert_int_equal(a.record[0].device.info.sbdf.v, TREE_LEAF.v);
    assert_int_equal(a.record[0].device.own.v, pcv_devfn(3, 0));

    memset(&a.request, 0, sizeof(a.request));
    while ((result = ask(&a, PCV_CTL_DEASSIGN, TREE_LEAF, 0)) ==
           -PCV_ERESTART) {
        pcv_model_advance_us(a.h.model, a.reply.wait_us);
    }
    assert_int_equal(result, 0);
    assert_int_equal(ask_new(&a, PCV_CTL_DEASSIGN, TREE_LEAF), -PCV_EINVAL);
    assert_int_equal(ask_new(&a, PCV_CTL_RESTORE, TREE_LEAF), 0);
    assert_int_equal(ask_new(&a, PCV_CTL_RESTORE, TREE_NOTHING), -PCV_ENODEV);
    hosted_end(&a.h);
}

/* CTL-1 */
static void domains_come_in_pages_the_hardware_domain_first(void **state)
{
    struct pcv_domain *guest;
    struct asked a;

    (void)state;
    asked_start(&a);
    assert_int_equal(pcv_domain_create(a.h.host, 9, &guest), 0);
    assert_int_equal(pcv_domain_create(a.h.host, 0xfffffffdu, &guest), 0);
    assert_int_equal(ask(&a, PCV_CTL_DOMAINS, TREE_LEAF, 2), 0);
    assert_int_equal(a.reply.count, 2);
    assert_int_equal(a.record[0].domain.id, PCV_DOMAIN_ID_HARDWARE);
    assert_int_equal(a.record[0].domain.kind, PCV_DOMAIN_HARDWARE);
    assert_int_equal(a.record[1].domain.id, 9);
    assert_true(a.reply.more);
    a.request.cursor = a.reply.next;
    assert_int_equal(ask(&a, PCV_CTL_DOMAINS, TREE_LEAF, 2), 0);
    assert_int_equal(a.reply.count, 1);
    assert_int_equal(a.record[0].domain.id, 0xfffffffdu);
    assert_int_equal(a.record[0].domain.kind, PCV_DOMAIN_GUEST);
    assert_false(a.reply.more);
    hosted_end(&a.h);
}

/* CTL-1, HDR-5 */
static void bars_and_pages_are_those_of_the_domain(void **state)
{
    uint64_t pages = 0;
    struct asked a;

    (void)state;
    asked_start(&a);
    assert_int_equal(ask_new(&a, PCV_CTL_BARS, TREE_LEAF), 0);
    assert_int_equal(a.reply.count, 1);
    assert_int_equal(a.record[0].bar.index, 0);
    assert_int_equal(a.record[0].bar.view.address.v, 0x90000000);
    assert_int_equal(a.record[0].bar.view.mapped_pages, 4);
    assert_int_equal(ask_new(&a, PCV_CTL_BARS, TREE_NOTHING), -PCV_ENODEV);

    memset(&a.request, 0, sizeof(a.request));
    do {
        assert_int_equal(ask(&a, PCV_CTL_MAPPINGS, TREE_LEAF, 1), 0);
        pages += a.reply.count ? a.record[0].mapping.mapping.pages : 0;
        assert_int_equal(a.record[0].mapping.page_shift, 12);
        a.request.cursor = a.reply.next;
    } while (a.reply.more);
    assert_int_equal(pages, pcv_model_mapped_pages(a.h.model));
    a.request.domain_id = GUEST;
    assert_int_equal(ask(&a, PCV_CTL_MAPPINGS, TREE_LEAF, 1), -PCV_ENOENT);
    hosted_end(&a.h);
}

/* CTL-1, EXT-2 */
static void a_run_of_buses_is_declared(void **state)
{
    struct asked a;

    (void)state;
    asked_start(&a);
    a.request.u.ecam.bus_first = 3;
    a.request.u.ecam.bus_last = 3;
    assert_int_equal(ask(&a, PCV_CTL_ECAM, TREE_NOTHING, 0), 0);
    assert_false(hosted_info(&a.h, TREE_LEAF).extended);
    a.request.u.ecam.usable = 1;
    assert_int_equal(ask(&a, PCV_CTL_ECAM, TREE_NOTHING, 0), 0);
    assert_true(hosted_info(&a.h, TREE_LEAF).extended);
    a.request.u.ecam.usable = 2;
    assert_int_equal(ask(&a, PCV_CTL_ECAM, TREE_NOTHING, 0), -PCV_EINVAL);
    a.request.u.ecam.usable = 1;
    a.request.u.ecam.bus_last = 2;
    assert_int_equal(ask(&a, PCV_CTL_ECAM, TREE_NOTHING, 0), -PCV_EINVAL);
    hosted_end(&a.h);
}

/* CTL-1, OWN-10 */
static void faults_are_asked_for_forgotten_and_limited(void **state)
{
    struct asked a;

    (void)state;
    asked_start(&a);
    pcv_model_set_clock(a.h.model, true);
    for (int i = 0; i < 3; i++) {
        assert_false(pcv_dma_fault(a.h.host, TREE_LEAF, 0x1000, 0));
    }
    assert_int_equal(ask_new(&a, PCV_CTL_FAULTS, TREE_LEAF), 0);
    assert_int_equal(a.reply.count, 1);
    assert_int_equal(a.record[0].faults.count, 3);
    assert_int_equal(a.record[0].faults.threshold, PCV_FAULTS_THRESHOLD);
    assert_int_equal(ask_new(&a, PCV_CTL_FAULTS, TREE_NOTHING), -PCV_ENODEV);
    assert_int_equal(a.reply.count, 0);

    memset(&a.request, 0, sizeof(a.request));
    a.request.flags = PCV_CTL_CLEAR;
    assert_int_equal(ask(&a, PCV_CTL_FAULTS, TREE_NOTHING, 1), -PCV_ENODEV);
    assert_int_equal(ask(&a, PCV_CTL_FAULTS, TREE_LEAF, 1), 0);
    assert_int_equal(a.record[0].faults.count, 0);

    a.request.flags = PCV_CTL_LIMIT;
    a.request.u.faults.threshold = 2;
    a.request.u.faults.window_us = 1000;
    assert_int_equal(ask(&a, PCV_CTL_FAULTS, TREE_NOTHING, 1), 0);
    assert_int_equal(a.reply.count, 0);
    a.request.flags = PCV_CTL_LIMIT | PCV_CTL_CLEAR;
    assert_int_equal(ask(&a, PCV_CTL_FAULTS, TREE_LEAF, 1), -PCV_EINVAL);
    a.request.flags = PCV_CTL_LIMIT;
    a.request.u.faults.window_us = 0;
    assert_int_equal(ask(&a, PCV_CTL_FAULTS, TREE_LEAF, 1), -PCV_EINVAL);
    assert_int_equal(ask_new(&a, PCV_CTL_FAULTS, TREE_LEAF), 0);
    assert_int_equal(a.record[0].faults.threshold, 2);
    assert_int_equal(a.record[0].faults.window_us, 1024);
    hosted_end(&a.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_has_a_name),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(cursors_that_no_reply_gave_are_refused),
        cmocka_unit_test(a_list_comes_in_pages_of_any_size),
        cmocka_unit_test(one_function_is_described_as_the_registry_knows_it),
        cmocka_unit_test(nodes_and_paths_come_in_the_order_asked_for),
        cmocka_unit_test(functions_go_and_come_and_who_is_in_the_way_is_named),
        cmocka_unit_test(a_scan_is_made_in_steps_and_adds_up),
        cmocka_unit_test(configuration_space_is_what_the_domain_reads),
        cmocka_unit_test(
            a_function_is_assigned_in_steps_and_says_when_to_go_on),
        cmocka_unit_test(domains_come_in_pages_the_hardware_domain_first),
        cmocka_unit_test(bars_and_pages_are_those_of_the_domain),
        cmocka_unit_test(a_run_of_buses_is_declared),
        cmocka_unit_test(faults_are_asked_for_forgotten_and_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

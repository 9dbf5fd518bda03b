/* SPDX-License-Identifier: MIT */
/*
 * What people read when a control operation is refused: every operation with
 * every error number, through the commands of pcivisorctl, which print with the
 * shell's code. The hypervisor behind them is made up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ctl/program.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A command for each operation. */
static const struct {
    uint32_t op;
    const char *line;
} commands[] = {
    {PCV_CTL_STATS, "stats"},
    {PCV_CTL_LIST, "devices"},
    {PCV_CTL_DEVICE, "device 01:00.0"},
    {PCV_CTL_STATUS, "status 01:00.0"},
    {PCV_CTL_HOLDERS, "holders 01:00.0"},
    {PCV_CTL_NODES, "nodes 01:00.0"},
    {PCV_CTL_PATH, "path 01:00.0"},
    {PCV_CTL_BARS, "map 01:00.0"},
    {PCV_CTL_CONFIG, "dump 01:00.0"},
    {PCV_CTL_ADD, "add 01:00.0"},
    {PCV_CTL_ADD, "add 01:00.1 vf-of 01:00.0"},
    {PCV_CTL_ADD, "add 01:01.0 extfn"},
    {PCV_CTL_REMOVE, "remove 01:00.0"},
    {PCV_CTL_VANISHED, "vanished 01:00.0"},
    {PCV_CTL_SCAN, "scan"},
    {PCV_CTL_ECAM, "ecam 0:00-ff on"},
    {PCV_CTL_ECAM, "ecam 0:ff-00 on"},
    {PCV_CTL_DOMAINS, "domains"},
    {PCV_CTL_MAPPINGS, "mapped dom1"},
    {PCV_CTL_ASSIGN, "assign dom1 01:00.0"},
    {PCV_CTL_ASSIGN, "assign dom0 01:00.0 --group"},
    {PCV_CTL_DEASSIGN, "deassign 01:00.0"},
    {PCV_CTL_RESTORE, "restore 01:00.0"},
    {PCV_CTL_EVENTS, "events"},
    {PCV_CTL_READ_ONLY, "read-only 01:00.0"},
    {PCV_CTL_UNREACHABLE, "unreachable"},
    {PCV_CTL_BUSES, "buses 01:00.0 1 2 3"},
    {PCV_CTL_RESET, "reset 01:00.0"},
    {PCV_CTL_RESET, "reset 01:00.0 --ask"},
    {PCV_CTL_PREPARE_MSIX, "prepare-msix 01:00.0"},
    {PCV_CTL_RELEASE_MSIX, "release-msix 01:00.0"},
    {PCV_CTL_TEST_ASSIGN, "test-assign dom1 01:00.0"},
    {PCV_CTL_CANCEL_REMOVE, "cancel-remove 01:00.0"},
    {PCV_CTL_BROKEN, "broken 01:00.0 on"},
    {PCV_CTL_FAULTS, "faults 01:00.0"},
    {PCV_CTL_FAULTS, "faults limit 1 1"},
    {PCV_CTL_GROUP, "group 01:00.0"},
    {PCV_CTL_ISOLATE, "isolate 01:00.0 on"},
    {PCV_CTL_REQUESTERS, "requesters 01:00.0"},
    {PCV_CTL_REQUESTERS, "requesters 01:00.0 also 01:00.1"},
    {PCV_CTL_REQUESTERS, "requesters 01:00.0 phantom 1"},
    {PCV_CTL_OVERRIDE, "override 01:00.0 on"},
    {PCV_CTL_HIDE, "hide 01:00.0 0:0:4K"},
    {PCV_CTL_HIDE, "hide 01:00.0 --subtree"},
    {PCV_CTL_CONCEAL, "conceal 01:00.0"},
    {PCV_CTL_CONCEAL, "conceal 01:00.0 --slot"},
    {PCV_CTL_REVEAL, "reveal 01:00.0"},
    {PCV_CTL_REVEAL, "reveal 01:00.0 --slot --subtree"},
    {PCV_CTL_QUARANTINE, "quarantine 01:00.0"},
};

/* What the function may be that was asked for. */
static const struct {
    enum pcv_device_state state;
    uint32_t owner;
    bool bridge, vf, odd, read_only, marked;
} kinds[] = {
    {.state = PCV_STATE_PRESENT},
    {.state = PCV_STATE_PRESENT, .owner = 1, .marked = true},
    {.state = PCV_STATE_PRESENT, .owner = PCV_DOMAIN_ID_QUARANTINE},
    {.state = PCV_STATE_PRESENT, .owner = PCV_DOMAIN_ID_HYPERVISOR},
    {.state = PCV_STATE_PRESENT,
     .owner = PCV_DOMAIN_ID_HYPERVISOR,
     .read_only = true},
    {.state = PCV_STATE_PRESENT, .bridge = true},
    {.state = PCV_STATE_PRESENT, .vf = true},
    {.state = PCV_STATE_PRESENT, .odd = true},
    {.state = PCV_STATE_ABSENT},
    {.state = PCV_STATE_ADDING},
    {.state = PCV_STATE_LEAVING, .owner = 1},
    {.state = PCV_STATE_UNREACHABLE},
};

struct made_up {
    uint32_t op; /* this one is refused */
    int error;
    size_t kind;
};

static void fill_status(const struct made_up *m, struct pcv_device_status *out)
{
    out->state = kinds[m->kind].state;
    out->owner_id = kinds[m->kind].owner;
    out->broken = kinds[m->kind].marked;
    out->remove_waits = kinds[m->kind].marked;
    out->held[PCV_HOLDER_VECTOR] = kinds[m->kind].marked;
}

static void fill_device(const struct made_up *m, struct pcv_device_info *out)
{
    out->sbdf.v = 0x100;
    out->type = kinds[m->kind].bridge ? PCV_TYPE_PCI_BRIDGE : PCV_TYPE_ENDPOINT;
    out->owner_id = kinds[m->kind].owner;
    out->is_bridge = kinds[m->kind].bridge;
    out->is_vf = kinds[m->kind].vf;
    out->header_type = kinds[m->kind].odd ? 2 : 0;
    out->read_only = kinds[m->kind].read_only;
}

static int made_up_call(void *ctx, const struct pcv_ctl_request *request,
                        struct pcv_ctl_reply *reply)
{
    const struct made_up *m = ctx;

    reply->count = 0;
    reply->more = false;
    reply->next = 0;
    reply->wait_us = 0;
    reply->sbdf = request->sbdf;
    if (request->op == m->op) {
        return -m->error;
    }
    memset(&reply->record[0], 0, sizeof(reply->record[0]));
    switch (request->op) {
    case PCV_CTL_STATUS:
    case PCV_CTL_HOLDERS:
        fill_status(m, &reply->record[0].status);
        reply->count = 1;
        return 0;
    case PCV_CTL_DEVICE:
        fill_device(m, &reply->record[0].device.info);
        reply->count = 1;
        return kinds[m->kind].state == PCV_STATE_PRESENT ||
                       m->op == PCV_CTL_BARS /* which comes second */
                   ? 0
                   : -PCV_ENODEV;
    case PCV_CTL_DOMAINS:
        reply->count = 1;
        return 0;
    default:
        return 0;
    }
}

static bool made_up_again(void *ctx, uint64_t wait_us, uint32_t steps,
                          uint64_t *out_wait_us)
{
    (void)ctx;
    (void)wait_us;
    (void)steps;
    *out_wait_us = 0;
    return false;
}

static void refuse(struct made_up *m, const char *line, struct text *out)
{
    struct program program;

    program_init(&program, NULL);
    program.ctl.ctx = m;
    program.ctl.call = made_up_call;
    program.ctl.again = made_up_again;
    if (program_run_line(&program, line) != PROGRAM_FAILED) {
        fail_msg("%s with %s: %s", line, pcv_errno_name(m->error),
                 text_str(&program.out));
    }
    text_clear(out);
    text_add(out, "%s", text_str(&program.out));
    program_fini(&program);
}

/* "error: EPERM not permitted: 01:00.0 is ...": three words at the least come
 * after what it is about. */
static void assert_says_why(const char *line, int error, const char *said)
{
    struct text begin = {0};
    unsigned words = 0;

    text_add(&begin, "error: %s %s: ", pcv_errno_name(error),
             pcv_errno_meaning(error));
    const char *at = strstr(said, text_str(&begin));
    if (at == NULL) {
        fail_msg("%s: %s", line, said);
        return;
    }
    for (at += begin.len; *at != '\n' && *at != '\0'; at++) {
        words += *at == ' ';
    }
    text_fini(&begin);
    if (words < 2 || strstr(said, "does not know") != NULL) {
        fail_msg("%s: %s", line, said);
    }
}

static const int errors[] = {
#define ERROR(name, value, meaning) PCV_##name,
    PCV_ERRORS(ERROR)
#undef ERROR
};

/* CTL-1 */
static void no_error_of_an_operation_comes_without_its_reason(void **state)
{
    struct text said = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(commands); i++) {
        for (size_t e = 0; e < COUNT(errors); e++) {
            for (size_t kind = 0; kind < COUNT(kinds); kind++) {
                struct made_up m = {commands[i].op, errors[e], kind};

                refuse(&m, commands[i].line, &said);
                assert_says_why(commands[i].line, errors[e], text_str(&said));
            }
        }
    }
    text_fini(&said);
}

/* CTL-1 */
static void there_is_a_command_for_every_operation(void **state)
{
    (void)state;
    for (uint32_t op = 0; op < PCV_CTL_OP_LIMIT; op++) {
        bool found = pcv_ctl_op_name(op) == NULL;

        for (size_t i = 0; i < COUNT(commands); i++) {
            found = found || commands[i].op == op;
        }
        if (!found) {
            fail_msg("%s", pcv_ctl_op_name(op));
        }
    }
}

/* CTL-1: the reason is the one that can be seen, not a list of all. */
static void the_reason_is_that_of_the_function(void **state)
{
    static const struct {
        size_t command_kind;
        const char *line;
        uint32_t op;
        int error;
        const char *said;
    } rows[] = {
        {1, "assign dom2 01:00.0", PCV_CTL_ASSIGN, PCV_EPERM,
         "01:00.0 is marked as broken"},
        {5, "assign dom2 01:00.0", PCV_CTL_ASSIGN, PCV_EPERM,
         "01:00.0: bridges"},
        {0, "assign dom2 01:00.0", PCV_CTL_ASSIGN, PCV_EPERM,
         "01:00.0: the host gives its DMA to no guest"},
        {7, "assign dom2 01:00.0", PCV_CTL_ASSIGN, PCV_EOPNOTSUPP,
         "01:00.0: its header"},
        {0, "assign dom2 01:00.0", PCV_CTL_ASSIGN, PCV_EOPNOTSUPP,
         "01:00.0: it cannot be reset"},
        {1, "assign dom2 01:00.0", PCV_CTL_ASSIGN, PCV_EBUSY,
         "01:00.0: dom1 has it"},
        {1, "assign dom1 01:00.0", PCV_CTL_ASSIGN, PCV_EINVAL,
         "01:00.0: dom1 has it already"},
        {4, "assign dom1 01:00.0", PCV_CTL_ASSIGN, PCV_EBUSY,
         "01:00.0 is the hypervisor's own"},
        {5, "isolate 01:00.0 on", PCV_CTL_ISOLATE, PCV_EPERM,
         "01:00.0 leads to conventional PCI"},
        {0, "isolate 01:00.0 on", PCV_CTL_ISOLATE, PCV_EPERM,
         "01:00.0: the IOMMU cannot tell it"},
        {6, "conceal 01:00.0", PCV_CTL_CONCEAL, PCV_EPERM, "01:00.0 is a VF"},
        {5, "conceal 01:00.0", PCV_CTL_CONCEAL, PCV_EPERM,
         "01:00.0: a bridge is not taken alone"},
        {8, "reset 01:00.0", PCV_CTL_RESET, PCV_ENODEV,
         "01:00.0: nothing is registered there"},
        {10, "reset 01:00.0", PCV_CTL_RESET, PCV_ENODEV, "01:00.0 is leaving"},
        {11, "reset 01:00.0", PCV_CTL_RESET, PCV_ENODEV,
         "01:00.0: no bus number leads to it"},
    };
    struct text said = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct made_up m = {rows[i].op, rows[i].error, rows[i].command_kind};

        refuse(&m, rows[i].line, &said);
        if (strstr(text_str(&said), rows[i].said) == NULL) {
            fail_msg("%s: %s", rows[i].line, text_str(&said));
        }
    }
    text_fini(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_error_of_an_operation_comes_without_its_reason),
        cmocka_unit_test(there_is_a_command_for_every_operation),
        cmocka_unit_test(the_reason_is_that_of_the_function),
    };

    return cmocka_run_group_tests_name("refused", tests, NULL, NULL);
}

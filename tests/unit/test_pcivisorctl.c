/* SPDX-License-Identifier: MIT */
/*
 * pcivisorctl without hardware: its commands go through a mailbox to one
 * machine, the shell's to another of the same kind, and both print the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"
#include "ctl/program.h"

#define CLAIM 77u

/* A machine with a mailbox, and its client. */
struct guest_side {
    struct session session;
    struct pcv_mailbox *device;
    struct mailbox mailbox;
    struct program program;
    uint32_t (*spoil)(uint32_t at, uint32_t value); /* or NULL */
};

static uint32_t side_read(void *ctx, uint32_t at)
{
    struct guest_side *side = ctx;
    uint64_t value;

    pcv_mailbox_read(side->device, at, 4, &value);
    return side->spoil != NULL ? side->spoil(at, (uint32_t)value)
                               : (uint32_t)value;
}

static void side_write(void *ctx, uint32_t at, uint32_t value)
{
    struct guest_side *side = ctx;

    pcv_mailbox_write(side->device, at, 4, value);
}

static void side_pause(void *ctx)
{
    (void)ctx;
}

static void machine_start(struct session *session, const char *host)
{
    struct text why = {0};

    session_init(session, PCV_SOURCE_ROOT "/examples/hosts");
    if (!session_load(session, host, MACHINE_SCANNED, &why)) {
        fail_msg("%s", text_str(&why));
    }
}

static void machine_end(struct session *session)
{
    struct text why = {0};

    if (!session_close(session, &why)) {
        fail_msg("%s", text_str(&why));
    }
    session_fini(session);
}

static bool side_open(struct guest_side *side, struct text *why)
{
    side->mailbox = (struct mailbox){
        .ctx = side,
        .read = side_read,
        .write = side_write,
        .pause = side_pause,
        .size = PCV_MAILBOX_BAR_SIZE,
    };
    return mailbox_open(&side->mailbox, CLAIM, false, why);
}

static void side_start(struct guest_side *side, const char *host)
{
    struct text why = {0};

    memset(side, 0, sizeof(*side));
    machine_start(&side->session, host);
    assert_int_equal(
        pcv_mailbox_create(side->session.machine.host, 64, &side->device), 0);
    if (!side_open(side, &why)) {
        fail_msg("%s", text_str(&why));
    }
    program_init(&side->program, &side->mailbox);
}

static void side_end(struct guest_side *side)
{
    program_fini(&side->program);
    mailbox_close(&side->mailbox);
    assert_int_equal(side_read(side, PCV_MAILBOX_CLAIM), 0);
    pcv_mailbox_destroy(side->device);
    machine_end(&side->session);
}

/* The same line on both: the same becomes of it, and the same is said. */
static void both(struct guest_side *side, struct session *shell,
                 const char *line)
{
    enum program_result result = program_run_line(&side->program, line);
    enum command_result expected = command_run(shell, line);

    assert_string_equal(text_str(&side->program.out), text_str(&shell->out));
    assert_int_equal(result == PROGRAM_DONE, expected == COMMAND_DONE);
    assert_int_equal(result == PROGRAM_MISUSED, expected == COMMAND_MISUSED);
}

/* What only the shell can do, to both machines. */
static void set_up(struct guest_side *side, struct session *shell,
                   const char *line)
{
    assert_int_equal(command_run(&side->session, line), COMMAND_DONE);
    assert_int_equal(command_run(shell, line), COMMAND_DONE);
}

/* In this order: what one does, the next one sees. */
static const char *const played[] = {
    "devices",
    "devices --long",
    "devices --json",
    "status 01:00.0 1f:00.0 --json",
    "holders 01:00.0 --json",
    "nodes 01:00.0 1f:00.0 --json",
    "list",
    "device 0b:00.0",
    "device 1f:00.0",
    "unreachable",
    "domains",
    "bars 0b:00.0",
    "config 0b:00.0",
    "mappings",
    "help msix-prepare",
    "status 00:00.0 01:00.0 1f:00.0",
    "holders 00:00.0 01:00.0 1f:00.0",
    "nodes 00:00.0 1f:00.0",
    "path 00:00.0 01:00.0 0b:00.0",
    "stats",
    "domain list",
    "mapped",
    "mapped dom0",
    "map dom0",
    "map 00:00.0 01:00.0 0b:00.0 1f:00.0",
    "dump 00:00.0",
    "dump 0b:00.0",
    "dump 0b:00.0 0e",
    "dump 0b:00.0 0e 5",
    "dump 0b:00.0 3 30",
    "dump 0b:00.0 f0 4096",
    "add 01:00.0 node 1",
    "nodes 01:00.0",
    "add 1f:00.0",
    "add 1f:00.0 vf-of 01:00.0",
    "add ff:1f.7 node",
    "add 01:00.0 nodes 3",
    "attach dom1 0b:00.0",
    "isolate 0b:00.0 on",
    "isolate 00:1f.2 on",
    "attach dom1 0b:00.0",
    "attach dom1 0b:00.0",
    "attach dom1 0b:00.0 20",
    "attach dom1 00:1f.2 4.1 --no-reset",
    "domain list",
    "devices",
    "map dom1",
    "mapped dom1",
    "restore 0b:00.0",
    "detach 0b:00.0",
    "detach 0b:00.0",
    "detach 00:1f.2",
    "domain list",
    "ecam 0:00-0f off",
    "devices --long",
    "ecam 0:00-ff on",
    "ecam 0:00 on",
    "ecam 0:00-ff maybe",
    "remove 00:02.0",
    "remove 00:02.0",
    "remove 0b:00.0",
    "vanished 01:00.0",
    "device 01:00.0",
    "scan",
    "devices",
    "stats",
    "status",
    "status nonsense",
    "status 00:20.0",
    "scan --short",
    "help status",
    "help nothing",
    "bogus",
    "",
    "status \"00:00.0",
    "dump 01:00.0 --json",
    "dump 01:00.0 4 20 --json",
    "dump 1f:00.0 --json",
};

/* CTL-1 */
static void its_output_is_the_shells(void **state)
{
    struct guest_side side;
    struct session shell;

    (void)state;
    side_start(&side, "q35.txt");
    machine_start(&shell, "q35.txt");
    set_up(&side, &shell, "domain create dom1");
    for (size_t i = 0; i < sizeof(played) / sizeof(played[0]); i++) {
        both(&side, &shell, played[i]);
    }
    set_up(&side, &shell, "find 0b:00.0");
    both(&side, &shell, "holders 0b:00.0");
    both(&side, &shell, "remove 0b:00.0");
    machine_end(&shell);
    side_end(&side);
}

/* CTL-1, TOPO-2 */
static void machines_of_several_segments_print_their_domains(void **state)
{
    static const char *const lines[] = {"devices", "domain list", "stats",
                                        "mapped"};
    struct guest_side side;
    struct session shell;

    (void)state;
    side_start(&side, "generate:functions=400,segments=2");
    machine_start(&shell, "generate:functions=400,segments=2");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        both(&side, &shell, lines[i]);
    }
    assert_non_null(strstr(text_str(&shell.out), "\n"));
    machine_end(&shell);
    side_end(&side);
}

/* CTL-1 */
static void events_are_told_once_and_losses_counted(void **state)
{
    struct pcv_event event = {.kind = PCV_EVENT_VANISHED, .sbdf = {0x100}};
    struct guest_side side;

    (void)state;
    side_start(&side, "q35.txt");
    program_run_line(&side.program, "events");
    assert_string_equal(text_str(&side.program.out), "no events\n");
    pcv_mailbox_event(side.device, &event);
    program_run_line(&side.program, "events");
    assert_string_equal(text_str(&side.program.out), "01:00.0: vanished\n");
    program_run_line(&side.program, "events");
    assert_string_equal(text_str(&side.program.out), "no events\n");
    for (uint32_t i = 0; i < 64 + 5; i++) {
        pcv_mailbox_event(side.device, &event);
    }
    program_run_line(&side.program, "events");
    assert_non_null(
        strstr(text_str(&side.program.out), "\n5 more were lost\n"));
    side_end(&side);
}

/* CTL-1 */
static void events_are_told_to_programs(void **state)
{
    const struct pcv_event event = {.kind = PCV_EVENT_CHANGE_RESET,
                                    .of = PCV_EVENT_HOST,
                                    .sbdf = {0x100},
                                    .domain_id = PCV_DOMAIN_ID_QUARANTINE,
                                    .arg = {PCV_RESET_FLR, 0}};
    struct guest_side side;

    (void)state;
    side_start(&side, "q35.txt");
    program_run_line(&side.program, "events");
    pcv_mailbox_event(side.device, &event);
    program_run_line(&side.program, "events --json");
    assert_string_equal(
        text_str(&side.program.out),
        "{\n  \"events\": [\n    {\n"
        "      \"address\": \"0000:01:00.0\",\n"
        "      \"event\": \"reset between owners\",\n"
        "      \"class\": \"host\",\n"
        "      \"domain\": \"quarantine\",\n"
        "      \"arguments\": [\n        \"1\",\n        \"0\"\n      ],\n"
        "      \"line\": \"01:00.0: reset between owners: FLR\"\n"
        "    }\n  ],\n  \"lost\": 0\n}\n");
    program_run_line(&side.program, "events --json");
    assert_string_equal(text_str(&side.program.out),
                        "{\n  \"events\": [],\n  \"lost\": 0\n}\n");
    side_end(&side);
}

/* CTL-1 */
static void what_a_domain_has_mapped_is_asked_over_the_mailbox(void **state)
{
    struct guest_side side;

    (void)state;
    side_start(&side, "q35.txt");
    assert_int_equal(program_run_line(&side.program, "memory dom0"),
                     PROGRAM_DONE);
    assert_int_equal(strncmp(text_str(&side.program.out), "dom0:\n  00:", 11),
                     0);
    assert_non_null(strstr(text_str(&side.program.out), " page"));
    assert_int_equal(program_run_line(&side.program, "memory"), PROGRAM_DONE);
    assert_int_equal(program_run_line(&side.program, "memory dom5"),
                     PROGRAM_FAILED);
    assert_string_equal(text_str(&side.program.out),
                        "error: ENOENT nothing there: dom5: there is no such "
                        "domain; 'domains' lists them\n");
    side_end(&side);
}

/* CTL-2 */
static void it_waits_for_nobody_who_never_goes(void **state)
{
    struct guest_side side;
    struct text why = {0};

    (void)state;
    side_start(&side, "q35.txt");
    assert_false(mailbox_open(&(struct mailbox){.ctx = &side,
                                                .read = side_read,
                                                .write = side_write,
                                                .pause = side_pause,
                                                .size = PCV_MAILBOX_BAR_SIZE},
                              CLAIM + 1, false, &why));
    assert_string_equal(text_str(&why), "somebody else has it (claim 77)");
    text_fini(&why);
    /* Who left its claim behind does not keep it for ever. */
    side.mailbox.claim = 0;
    assert_true(mailbox_open(&side.mailbox, CLAIM + 1, true, &why));
    assert_int_equal(side_read(&side, PCV_MAILBOX_CLAIM), CLAIM + 1);
    side_end(&side);
}

static uint32_t spoil_magic(uint32_t at, uint32_t value)
{
    return at == PCV_MAILBOX_MAGIC ? UINT32_MAX : value;
}

static uint32_t spoil_version(uint32_t at, uint32_t value)
{
    return at == PCV_MAILBOX_VERSION ? 0x00020003 : value;
}

static uint32_t spoil_layout(uint32_t at, uint32_t value)
{
    return at == PCV_MAILBOX_REPLY_AT ? 0xfffffff0 : value;
}

static uint32_t spoil_room(uint32_t at, uint32_t value)
{
    return at == PCV_MAILBOX_REPLY_ROOM ? UINT32_MAX : value;
}

static uint32_t spoil_count(uint32_t at, uint32_t value)
{
    return at == PCV_MAILBOX_REPLY + PCV_REPLY_COUNT ? 0x10000000 : value;
}

static uint32_t spoil_size(uint32_t at, uint32_t value)
{
    return at == PCV_MAILBOX_REPLY + PCV_REPLY_RECORD_SIZE ? 0 : value;
}

/* One more than there is room for, though it could be read. */
static uint32_t spoil_few(uint32_t at, uint32_t value)
{
    return at == PCV_MAILBOX_REPLY + PCV_REPLY_COUNT ? 2 : value;
}

static uint32_t spoil_large(uint32_t at, uint32_t value)
{
    return at == PCV_MAILBOX_REPLY + PCV_REPLY_RECORD_SIZE ? 0x8000 : value;
}

static uint32_t spoil_tag(uint32_t at, uint32_t value)
{
    return at == PCV_MAILBOX_REPLY + PCV_REPLY_TAG ? 0 : value;
}

static uint32_t all_ones(uint32_t at, uint32_t value)
{
    (void)at;
    (void)value;
    return UINT32_MAX;
}

/* CTL-2 */
static void what_is_no_mailbox_of_ours_is_left_alone(void **state)
{
    static const struct {
        uint32_t (*spoil)(uint32_t at, uint32_t value);
        const char *why;
    } bad[] = {
        {spoil_magic, "it is no mailbox of pcivisor"},
        {all_ones, "it is no mailbox of pcivisor"},
        {spoil_version, "it speaks version 2.3, not 1.0"},
        {spoil_layout, "its layout makes no sense"},
        {spoil_room, "its layout makes no sense"},
    };
    struct guest_side side;

    (void)state;
    side_start(&side, "q35.txt");
    mailbox_close(&side.mailbox);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct text why = {0};

        side.spoil = bad[i].spoil;
        assert_false(side_open(&side, &why));
        assert_string_equal(text_str(&why), bad[i].why);
        text_fini(&why);
    }
    side.spoil = NULL;
    assert_true(side_open(&side, NULL));
    side_end(&side);
}

/* CTL-2 */
static void replies_that_make_no_sense_are_errors(void **state)
{
    static uint32_t (*const spoil[])(uint32_t at, uint32_t value) = {
        spoil_count, spoil_few, spoil_size, spoil_large, spoil_tag, all_ones};
    struct guest_side side;

    (void)state;
    side_start(&side, "q35.txt");
    for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
        side.spoil = spoil[i];
        assert_int_equal(program_run_line(&side.program, "stats"),
                         PROGRAM_FAILED);
        assert_string_equal(text_str(&side.program.out),
                            "error: EIO the host could not do it: stats: the "
                            "hypervisor gave no answer that makes sense\n");
        assert_int_equal(side.mailbox.silent, i >= 4); /* it was asked */
        side.mailbox.silent = false;
    }
    side.spoil = NULL;
    assert_int_equal(program_run_line(&side.program, "stats"), PROGRAM_DONE);
    side_end(&side);
}

/* "read_only" is the command read-only. */
static void command_of(char *out_name, size_t room, const char *op)
{
    size_t at = 0;

    for (; op[at] != '\0' && at + 1 < room; at++) {
        out_name[at] = op[at] == '_' ? '-' : op[at];
    }
    out_name[at] = '\0';
}

static void assert_is_command(struct guest_side *side, const char *name)
{
    char line[64];

    snprintf(line, sizeof(line), "help %s", name);
    if (program_run_line(&side->program, line) != PROGRAM_DONE) {
        fail_msg("pcivisorctl: %s", text_str(&side->program.out));
    }
    if (command_run(&side->session, line) != COMMAND_DONE) {
        fail_msg("%s: %s", line, text_str(&side->session.out));
    }
}

/* CTL-1: what the rule and the operations call it, both programs do, too. */
static void commands_are_called_as_operations_are(void **state)
{
    /* In the rule's words, where that is no operation's name. */
    static const char *const also[] = {
        "device-group", "restore-msi",   "prepare-msix",        "release-msix",
        "list",         "ecam-reserved", "topology-information"};
    struct guest_side side;
    char name[64];

    (void)state;
    side_start(&side, "q35.txt");
    for (uint32_t op = 0; op < PCV_CTL_OP_LIMIT; op++) {
        if (pcv_ctl_op_name(op) != NULL) {
            command_of(name, sizeof(name), pcv_ctl_op_name(op));
            assert_is_command(&side, name);
        }
    }
    for (size_t i = 0; i < sizeof(also) / sizeof(also[0]); i++) {
        assert_is_command(&side, also[i]);
    }
    side_end(&side);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_output_is_the_shells),
        cmocka_unit_test(machines_of_several_segments_print_their_domains),
        cmocka_unit_test(events_are_told_once_and_losses_counted),
        cmocka_unit_test(events_are_told_to_programs),
        cmocka_unit_test(what_a_domain_has_mapped_is_asked_over_the_mailbox),
        cmocka_unit_test(it_waits_for_nobody_who_never_goes),
        cmocka_unit_test(what_is_no_mailbox_of_ours_is_left_alone),
        cmocka_unit_test(replies_that_make_no_sense_are_errors),
        cmocka_unit_test(commands_are_called_as_operations_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The table of pcivisorctl's commands. */
#include "ctl/commands.h"

#define ANY 1024u

static const struct args_option hide_options[] = {
    {"--subtree", NULL},
    {"--master", NULL},
    {NULL, NULL},
};
static const struct args_option set_options[] = {
    {"--subtree", NULL},
    {"--slot", NULL},
    {NULL, NULL},
};
static const struct args_option subtree_options[] = {
    {"--subtree", NULL},
    {NULL, NULL},
};

static const struct args_option long_json_options[] = {
    {"--long", NULL},
    {"--json", NULL},
    {NULL, NULL},
};
static const struct args_option json_options[] = {
    {"--json", NULL},
    {NULL, NULL},
};
static const struct args_option as_json_options[] = {
    {"--as", "DOMAIN"},
    {"--json", NULL},
    {NULL, NULL},
};
static const struct args_option reset_options[] = {
    {"--ask", NULL},
    {NULL, NULL},
};
static const struct args_option assign_options[] = {
    {"--no-reset", NULL}, /* the order is that of take_assign() */
    {"--group", NULL},
    {"--to-quarantine", NULL},
    {NULL, NULL},
};
#define ASSIGN_ARGUMENTS                                                       \
    "DOMAIN SBDF [SLOT] [--no-reset] [--group] [--to-quarantine]"

const struct program_command program_commands[] = {
    {"devices", "[--long] [--json]", "list every registered function", 0, 0,
     long_json_options, program_command_devices},
    {"device", "SBDF...", "what is known of a function", 1, ANY, NULL,
     program_command_device},
    {"unreachable", "",
     "list the registered functions that no bus number leads to", 0, 0, NULL,
     program_command_unreachable},
    {"status", "SBDF... [--json]",
     "where a function stands: state, owner, counters", 1, ANY, json_options,
     program_command_status},
    {"holders", "SBDF... [--json]", "who holds a function, and how often", 1,
     ANY, json_options, program_command_holders},
    {"nodes", "SBDF... [--json]", "NUMA nodes of functions", 1, ANY,
     json_options, program_command_nodes},
    {"path", "SBDF...", "the bridges up to the root bus, nearest first", 1, ANY,
     NULL, program_command_path},
    {"add", "SBDF [vf-of SBDF] [node N] [extfn]",
     "report a function to the library; extfn: above 7, of a device with ARI",
     1, 6, NULL, program_command_add},
    {"remove", "SBDF", "remove a function, and what is behind a bridge", 1, 1,
     NULL, program_command_remove},
    {"vanish", "SBDF", "another name of vanished", 1, 1, NULL,
     program_command_vanish},
    {"vanished", "SBDF", "tell the library that a function was pulled", 1, 1,
     NULL, program_command_vanish},
    {"scan", "", "look at every bus again and add what is new", 0, 0, NULL,
     program_command_scan},
    {"ecam", "SEGMENT:FIRST-LAST on|off",
     "declare extended space of a run of buses usable, or not", 2, 2, NULL,
     program_command_ecam},
    {"buses", "SBDF PRIMARY SECONDARY SUBORDINATE",
     "report a bridge's bus numbers, which were changed elsewhere", 4, 4, NULL,
     program_command_buses},
    {"domain", "list", "domains, and where they find what they own", 1, 1, NULL,
     program_command_domain},
    {"domains", "", "domains, and where they find what they own", 0, 0, NULL,
     program_command_domains},
    {"assign", ASSIGN_ARGUMENTS,
     "give a function to a guest; SLOT: its device, or device.function, there",
     2, 3, assign_options, program_command_assign},
    {"test-assign", ASSIGN_ARGUMENTS,
     "what assign would answer, without doing it", 2, 3, assign_options,
     program_command_test_assign},
    {"deassign", "SBDF",
     "take a function back from a guest, or out of quarantine", 1, 1, NULL,
     program_command_deassign},
    {"cancel-remove", "SBDF",
     "withdraw a removal that waits for a guest to give it back", 1, 1, NULL,
     program_command_cancel_remove},
    {"broken", "SBDF on|off",
     "mark a function as broken: it is assigned to no guest", 2, 2, NULL,
     program_command_broken},
    {"restore", "SBDF",
     "write again what the owner programmed, after a reset behind its back", 1,
     1, NULL, program_command_restore},
    {"reset", "SBDF [--ask]",
     "reset a function for whoever has it; --ask: say how it would be done", 1,
     1, reset_options, program_command_reset},
    {"prepare-msix", "SBDF",
     "set MSI-X of a function aside: dom0 leaves it alone", 1, 1, NULL,
     program_command_prepare_msix},
    {"release-msix", "SBDF", "let dom0 use MSI-X of a function again", 1, 1,
     NULL, program_command_release_msix},
    {"read-only", "SBDF",
     "keep functions for the hypervisor: dom0 reads them, and changes nothing",
     1, 1, NULL, program_command_read_only},
    {"faults", "SBDF [clear] | limit COUNT MILLISECONDS",
     "IOMMU faults of a function: how many, forget them; how many are too many",
     1, 3, NULL, program_command_faults},
    {"group", "SBDF...",
     "who can reach a function, or cannot be told from it, without the IOMMU",
     1, ANY, NULL, program_command_group},
    {"isolate", "SBDF on|off",
     "declare a function isolated, or a port to isolate", 2, 2, NULL,
     program_command_isolate},
    {"requesters", "SBDF [also SBDF | phantom STRIDE]",
     "under which requester IDs a function sends; also, phantom: it has more",
     1, 3, NULL, program_command_requesters},
    {"override", "SBDF on|off",
     "let dom0's writes to a bridge or PF take functions away from guests", 2,
     2, NULL, program_command_override},
    {"hide", "SBDF [BAR:OFFSET:SIZE...] [--subtree] [--master]",
     "share a function with the hypervisor, which uses bytes of its BARs", 1,
     1 + PCV_HIDE_RANGES, hide_options, program_command_hide},
    {"conceal", "SBDF [--subtree] [--slot]",
     "let a function not exist for dom0, or all of its bridge or slot", 1, 1,
     set_options, program_command_conceal},
    {"reveal", "SBDF [--subtree] [--slot]",
     "give back to dom0 what is hidden, concealed or in quarantine", 1, 1,
     set_options, program_command_reveal},
    {"quarantine", "SBDF [--subtree]", "take a function from dom0, for nobody",
     1, 1, subtree_options, program_command_quarantine},
    {"map", "SBDF|DOMAIN...",
     "the owner's view of each BAR of functions, or of all that a domain has",
     1, ANY, NULL, program_command_map},
    {"mapped", "[DOMAIN]", "guest memory that a domain has mapped", 0, 1, NULL,
     program_command_mapped},
    {"memory", "[DOMAIN]", "what is mapped for a domain: BARs, runs of pages",
     0, 1, NULL, program_command_memory},
    {"dump", "SBDF [REG [BYTES]] [--as DOMAIN] [--json]",
     "configuration space as a domain sees it, in rows of 16 bytes", 1, 3,
     as_json_options, program_command_dump},
    {"stats", "", "counts of the host", 0, 0, NULL, program_command_stats},
    {"events", "[--json]", "what the library told since last asked", 0, 0,
     json_options, program_command_events},
    {"help", "[COMMAND]", "list the commands, or say how one is used", 0, 1,
     NULL, program_command_help},
};

const size_t program_command_count =
    sizeof(program_commands) / sizeof(program_commands[0]);

/* SPDX-License-Identifier: MIT */
/* The table of commands, second half: guests, what they have, and what plays
 * the host and the hardware for them. */
#include "command.h"
#include "policy.h"

static const struct args_option json_options[] = {
    {"--json", NULL},
    {NULL, NULL},
};
static const struct args_option group_options[] = {
    {"--group", NULL},
    {NULL, NULL},
};

#define ASSIGN_ARGUMENTS                                                       \
    "DOMAIN SBDF [SLOT] " POLICY_ARGUMENTS                                     \
    " [--no-reset] [--group] [--to-quarantine]"
static const struct args_option assign_options[] = {
    POLICY_OPTIONS,
    {"--no-reset", NULL}, /* OPTION_NO_RESET of commands_domain.c ... */
    {"--group", NULL},
    {"--to-quarantine", NULL}, /* ... and in this order */
    {NULL, NULL},
};

static const struct args_option emulated_options[] = {
    {"--bar", "SIZE"}, {"--64", NULL}, {"--ids", "VENDOR:DEVICE"},
    {"--json", NULL},  {NULL, NULL},
};

/* In the order of commands_hidden.c. */
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
static const struct args_option reset_options[] = {
    {"--ask", NULL},
    {NULL, NULL},
};

const struct command commands_guest[] = {
    {
        .name = "domain",
        .arguments = "create NAME | list [--json] | destroy NAME | "
                     "window NAME BASE SIZE",
        .help = "guests, and where their BARs may appear (80000000 1G and "
                "4000000000 256G if no window is declared)",
        .completes = "kg-",
        .words = "create list destroy window",
        .min = 1,
        .max = 4,
        .option = json_options,
        .run = command_domain,
    },
    {
        .name = "domains",
        .arguments = "[--json]",
        .help = "domains, and where they find what they own",
        .option = json_options,
        .run = command_domains,
    },
    {
        .name = "assign",
        .arguments = ASSIGN_ARGUMENTS,
        .help = "give a function to a guest; SLOT: its device, or "
                "device.function, there; --group: with all of its isolation "
                "group; --to-quarantine: that is where it comes back to",
        .completes = "gs-",
        .min = 2,
        .max = 3,
        .option = assign_options,
        .run = command_assign,
    },
    {
        .name = "test-assign",
        .arguments = ASSIGN_ARGUMENTS,
        .help = "what assign would answer, without doing it",
        .completes = "gs-",
        .min = 2,
        .max = 3,
        .option = assign_options,
        .run = command_test_assign,
    },
    {
        .name = "deassign",
        .arguments = "SBDF [--group]",
        .help = "take a function back from a guest, or out of quarantine; "
                "--group: with all of its isolation group that this guest has",
        .completes = "s-",
        .min = 1,
        .max = 1,
        .option = group_options,
        .run = command_deassign,
    },
    {
        .name = "cancel-remove",
        .arguments = "SBDF",
        .help = "withdraw a removal that waits for a guest to give it back",
        .completes = "s",
        .min = 1,
        .max = 1,
        .run = command_cancel_remove,
    },
    {
        .name = "broken",
        .arguments = "SBDF on|off",
        .help = "mark a function as broken: it is assigned to no guest",
        .completes = "sw",
        .min = 2,
        .max = 2,
        .run = command_broken,
    },
    {
        .name = "restore",
        .arguments = "SBDF",
        .help = "write again what the owner programmed, after a reset behind "
                "its back",
        .completes = "s",
        .min = 1,
        .max = 1,
        .run = command_restore,
    },
    {
        .name = "reset",
        .arguments = "SBDF [--ask]",
        .help = "reset a function for whoever has it; --ask: say how it would "
                "be done",
        .completes = "s",
        .min = 1,
        .max = 1,
        .option = reset_options,
        .run = command_reset,
    },
    {
        .name = "prepare-msix",
        .arguments = "SBDF",
        .help = "set MSI-X of a function aside: dom0 leaves it alone",
        .completes = "s",
        .min = 1,
        .max = 1,
        .run = command_prepare_msix,
    },
    {
        .name = "release-msix",
        .arguments = "SBDF",
        .help = "let dom0 use MSI-X of a function again",
        .completes = "s",
        .min = 1,
        .max = 1,
        .run = command_release_msix,
    },
    {
        .name = "read-only",
        .arguments = "SBDF",
        .help = "the hypervisor drives a function itself: others may look, and "
                "change nothing",
        .completes = "s",
        .min = 1,
        .max = 1,
        .run = command_read_only,
    },
    {
        .name = "group",
        .arguments = "SBDF...",
        .help = "who can reach a function, or cannot be told from it, without "
                "the IOMMU: all of them have one user",
        .completes = "s",
        .min = 1,
        .max = 1024,
        .run = command_group,
    },
    {
        .name = "isolate",
        .arguments = "SBDF on|off",
        .help = "declare a function isolated, or a port to isolate, whatever "
                "its registers say",
        .completes = "sw",
        .min = 2,
        .max = 2,
        .run = command_isolate,
    },
    {
        .name = "requesters",
        .arguments = "SBDF [also SBDF | phantom STRIDE]",
        .help = "under which requester IDs a function sends, and whose memory "
                "each reaches; also, phantom: it has more",
        .completes = "sks",
        .words = "also phantom",
        .min = 1,
        .max = 3,
        .run = command_requesters,
    },
    {
        .name = "override",
        .arguments = "SBDF on|off",
        .help = "let dom0's writes to a bridge or PF take functions away from "
                "guests, or not",
        .completes = "sw",
        .min = 2,
        .max = 2,
        .run = command_override,
    },
    {
        .name = "hide",
        .arguments = "SBDF [BAR:OFFSET:SIZE...] [--subtree] [--master]",
        .help =
            "the hypervisor uses a part of a function, dom0 the rest: bytes "
            "of BARs that dom0 may only read; --master: its DMA stays on",
        .completes = "s-",
        .min = 1,
        .max = 1 + PCV_HIDE_RANGES,
        .option = hide_options,
        .run = command_hide,
    },
    {
        .name = "conceal",
        .arguments = "SBDF [--subtree] [--slot]",
        .help = "a function does not exist for dom0; --subtree: nor all behind "
                "a bridge; --slot: nor all functions of its device",
        .completes = "s",
        .min = 1,
        .max = 1,
        .option = set_options,
        .run = command_conceal,
    },
    {
        .name = "reveal",
        .arguments = "SBDF [--subtree] [--slot]",
        .help = "give back to dom0 what is hidden, concealed or in quarantine",
        .completes = "s",
        .min = 1,
        .max = 1,
        .option = set_options,
        .run = command_reveal,
    },
    {
        .name = "quarantine",
        .arguments = "SBDF [--subtree]",
        .help = "take a function from dom0, for nobody",
        .completes = "s",
        .min = 1,
        .max = 1,
        .option = subtree_options,
        .run = command_quarantine,
    },
    {
        .name = "reserved",
        .arguments = "memory|io ADDRESS SIZE",
        .help = "whether a range touches what the hypervisor drives itself",
        .completes = "k--",
        .words = "memory io",
        .min = 3,
        .max = 3,
        .run = command_reserved,
    },
    {
        .name = "emulated",
        .arguments = "add SBDF WINDOW SIZE [--bar SIZE] [--64] "
                     "[--ids VENDOR:DEVICE] | list [--json] | remove SBDF",
        .help = "functions that no hardware answers for: a BAR of plain memory "
                "(64K), which may stand in the window",
        .completes = "ks-",
        .words = "add list remove",
        .min = 1,
        .max = 4,
        .option = emulated_options,
        .run = command_emulated,
    },
    {
        .name = "memory",
        .arguments = "[DOMAIN] [--json]",
        .help = "what is mapped where, for whom: windows, BARs, runs of pages",
        .completes = "d",
        .max = 1,
        .option = json_options,
        .run = command_memory,
    },
    {
        .name = "map",
        .arguments = "SBDF|DOMAIN... [--json]",
        .help = "the owner's view of each BAR of functions, or of all that a "
                "domain has",
        .completes = "a",
        .min = 1,
        .max = COMMAND_WORDS_MAX,
        .option = json_options,
        .run = command_map,
    },
    {
        .name = "mmio",
        .arguments = "DOMAIN ADDRESS SIZE [VALUE]",
        .help = "read or write guest memory where a BAR may be, mapped or "
                "trapped",
        .completes = "d-",
        .min = 3,
        .max = 4,
        .run = command_mmio,
    },
    {
        .name = "cells",
        .arguments = "DOMAIN SBDF [--json]",
        .help = "each register that a domain sees: whose each of its bits is, "
                "and its value",
        .completes = "dG",
        .min = 2,
        .max = 2,
        .option = json_options,
        .run = command_cells,
    },
    {
        .name = "msi",
        .arguments = "[SBDF...] [--json]",
        .help = "bound vectors: what the owner programmed, and what hardware "
                "sends",
        .completes = "s",
        .max = COMMAND_WORDS_MAX,
        .option = json_options,
        .run = command_msi,
    },
    {
        .name = "device",
        .arguments = "SBDF | raise SBDF [msi|msix] VECTOR | "
                     "dma SBDF ADDRESS [read|write] [TIMES]",
        .help = "what is known of a function; what hardware does by itself: "
                "interrupts, and memory accesses",
        .completes = "ksk-",
        .words = "raise dma|msi msix",
        .min = 1,
        .max = 5,
        .run = command_device,
    },
    {
        .name = "faults",
        .arguments = "SBDF [clear] | limit COUNT MILLISECONDS",
        .help = "IOMMU faults of a function: how many, forget them; how many "
                "are too many",
        .completes = "sk",
        .words = "clear",
        .min = 1,
        .max = 3,
        .run = command_faults,
    },
    {
        .name = "reserve",
        .arguments = "SBDF ADDRESS SIZE",
        .help = "memory that firmware lets a function reach for ever, as an "
                "RMRR; size 0: none",
        .completes = "s-",
        .min = 3,
        .max = 3,
        .run = command_reserve,
    },
    {
        .name = "ecam",
        .arguments = "SEGMENT:FIRST-LAST on|off",
        .help = "declare extended space of a run of buses usable, or not",
        .completes = "-w",
        .min = 2,
        .max = 2,
        .run = command_ecam,
    },
    {
        .name = "extended",
        .arguments = "SBDF normal|ones|aliased",
        .help = "what a function answers above register ff; nobody is told",
        .completes = "sk",
        .words = "normal ones aliased",
        .min = 2,
        .max = 2,
        .run = command_extended,
    },
    {
        .name = "ways",
        .arguments = "SBDF none|flr|af|d3...",
        .help = "the ways of its own in which hardware lets a function be "
                "reset; nobody is told",
        .completes = "skkk",
        .words = "none flr af d3",
        .min = 2,
        .max = 4,
        .run = command_ways,
    },
    {
        .name = "pending",
        .arguments = "SBDF MILLISECONDS|forever",
        .help = "how long a function's transactions outlive its bus mastering",
        .completes = "sk",
        .words = "forever",
        .min = 2,
        .max = 2,
        .run = command_pending,
    },
    {
        .name = "clock",
        .arguments = "on|off",
        .help = "on: time moves only by 'advance'; off: nothing is waited for",
        .completes = "w",
        .min = 1,
        .max = 1,
        .run = command_clock,
    },
    {
        .name = "advance",
        .arguments = "MILLISECONDS",
        .help = "let time pass",
        .min = 1,
        .max = 1,
        .run = command_advance,
    },
    {
        .name = "work",
        .arguments = "",
        .help = "let the library do what became due",
        .run = command_work,
    },
    {
        .name = "help",
        .arguments = "[COMMAND]",
        .help = "list the commands, or say how one is used",
        .completes = "c",
        .max = 1,
        .anywhere = true,
        .run = command_help,
    },
};

const size_t commands_guest_count =
    sizeof(commands_guest) / sizeof(commands_guest[0]);
